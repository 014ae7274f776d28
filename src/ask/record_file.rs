//! Reads and changes the record of a question, under its lock. Where it cannot be kept, the question goes on without: what
//! this process knows decides then.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::record::{Record, State, file_name};
use crate::blocking::{off_loop, to_the_end};
use crate::clock::now_ms;
use crate::error::{Error, Result};
use crate::store::{Folder, Guard, KeyedFile};

/// In the folder of the state.
const FOLDER: &str = "ask";

/// How long a lock, or a disk, is waited for.
const PATIENCE: Duration = Duration::from_millis(1500);

/// How long a record stays after its end, in milliseconds: whoever presses the card then is told what became of it.
const KEPT_FOR_MS: u64 = 7 * 24 * 3_600 * 1_000;

/// How many other records are looked at for each new one.
const MOST_SWEPT: usize = 16;

/// The file of a question.
#[derive(Debug, Clone)]
pub(super) struct RecordFile {
    file: Arc<KeyedFile>,
    /// Held by the process that sends and reminds.
    runner: Arc<KeyedFile>,
}

impl RecordFile {
    pub(super) fn of(state: &Folder, id: &str) -> Self {
        Self::named(state, &file_name(id))
    }

    /// The file of this name, as a task id has it.
    pub(super) fn named(state: &Folder, name: &str) -> Self {
        let file = |prefix: &str| Arc::new(KeyedFile::of_fingerprint(state.within(FOLDER), prefix, name));
        Self { file: file(""), runner: file("run-") }
    }

    /// What is kept, if anything is. The error says why it cannot be read.
    pub(super) async fn read(&self) -> Result<Option<Record>, String> {
        let file = Arc::clone(&self.file);
        let reading = off_loop(move || file.read());
        match tokio::time::timeout(PATIENCE, reading).await {
            Ok(read) => read.map_err(|error| error.to_string())?,
            Err(_) => Err("the disk does not answer".to_owned()),
        }
    }

    /// Changes what is kept, under the lock: `change` gets that, and returns what is to be kept instead, if anything, and
    /// a result.
    ///
    /// # Errors
    ///
    /// Exit 3, where it cannot be read or written; nothing was changed then.
    pub(super) async fn change<T: Send + 'static>(
        &self,
        change: impl FnOnce(Option<Record>) -> (Option<Record>, T) + Send + 'static,
    ) -> Result<T> {
        let says = |what: &str| {
            Error::config(self.file.says("cannot be used", what), "check the state folder: its disk, owner and mode")
        };
        let locked =
            self.file.lock(Instant::now() + PATIENCE, || false).await.map_err(|error| says(&error.to_string()))?;
        let guard = locked.ok_or_else(|| says("another process holds its lock"))?;
        let file = Arc::clone(&self.file);
        let changing = to_the_end(move || {
            let (record, result) = change(file.read()?);
            if let Some(record) = record {
                file.write(&record, &guard).map_err(|error| error.to_string())?;
            }
            Ok::<T, String>(result)
        });
        match tokio::time::timeout(PATIENCE, changing).await {
            Ok(changed) => changed?.map_err(|error| says(&error)),
            Err(_) => Err(says("the disk does not answer")),
        }
    }

    /// Whether this process is to send and to remind: the only one of those that ask the same until it ends.
    pub(super) fn try_run(&self) -> std::io::Result<Option<Guard>> {
        self.runner.try_lock()
    }

    /// Removes some records of questions that ended long ago.
    pub(super) async fn sweep(&self) {
        let file = Arc::clone(&self.file);
        let sweeping = off_loop(move || {
            let mut others = file.of_all_keys().unwrap_or_default();
            fastrand::shuffle(&mut others);
            for other in others.iter().take(MOST_SWEPT) {
                if let Ok(Some(guard)) = other.try_lock() {
                    let record: Result<Option<Record>, String> = other.read();
                    if record.is_ok_and(|record| record.is_none_or(|record| is_old(&record, now_ms()))) {
                        let _ = other.remove(guard);
                    }
                }
            }
        });
        let _ = tokio::time::timeout(PATIENCE, sweeping).await;
    }
}

fn is_old(record: &Record, now_ms: u64) -> bool {
    now_ms > record.end_ms().saturating_add(KEPT_FOR_MS)
}

/// Says whether the end that was read from disk into a question of this process may be believed.
pub(super) type Trust = Arc<dyn Fn(&Record) -> bool + Send + Sync>;

/// A question of this process, kept on disk as far as that can be done.
pub(super) struct KeptRecord {
    pub(super) record: Record,
    file: Option<RecordFile>,
    trust: Trust,
    /// Why it is not kept; told once.
    pub(super) trouble: Option<String>,
}

impl KeptRecord {
    pub(super) fn new(record: Record, file: Option<RecordFile>, trust: Trust) -> Self {
        Self { record, file, trust, trouble: None }
    }

    /// Decides what became of the question, unless that was decided before: then that stands. What cannot be written is
    /// decided for this process alone.
    pub(super) async fn decide(&mut self, state: State) {
        if self.record.state != State::Open {
            return;
        }
        let mine = Record { state, ..self.record.clone() };
        self.merge(mine).await;
    }

    /// Keeps how far its targets have come.
    pub(super) async fn save(&mut self) {
        self.merge(self.record.clone()).await;
    }

    /// Writes this record, where the one on disk is of the same question; what was decided there stands.
    async fn merge(&mut self, mine: Record) {
        let Some(file) = &self.file else {
            self.record = mine;
            return;
        };
        let (written, trust) = (mine.clone(), Arc::clone(&self.trust));
        let changed = file.change(move |kept| {
            let merged = match kept {
                Some(kept) if kept.start_ms != written.start_ms => {
                    // Its time was over, and its id is in use again.
                    let state =
                        if written.state == State::Open { State::Over(now_ms()) } else { written.state.clone() };
                    return (None, Record { state, ..written });
                }
                Some(kept) if kept.state != State::Open => {
                    let decided = written.clone().with_end_of(kept.state, |record| trust(record));
                    if decided.state == State::Open { written } else { decided }
                }
                _ => written,
            };
            (Some(merged.clone()), merged)
        });
        match changed.await {
            Ok(merged) => self.record = merged,
            Err(error) => {
                self.trouble.get_or_insert_with(|| error.to_string());
                self.record = mine;
            }
        }
    }

    /// Takes over what another process has decided, and how far it has come, if that is there.
    pub(super) async fn look(&mut self) {
        let Some(file) = &self.file else { return };
        if let Ok(Some(kept)) = file.read().await
            && kept.start_ms == self.record.start_ms
            && self.record.state == State::Open
        {
            self.record = self.record.clone().with_progress_of(kept, |record| (self.trust)(record));
        }
    }

    pub(super) fn file(&self) -> Option<&RecordFile> {
        self.file.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::super::record::tests::record;
    use super::*;

    fn on_loop<T>(work: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
    }

    fn kept(root: &tempfile::TempDir) -> KeptRecord {
        let state = Folder::private(root.path());
        let record = record();
        let file = RecordFile::of(&state, &record.id);
        KeptRecord::new(record, Some(file), Arc::new(|_: &Record| true))
    }

    #[test]
    fn what_was_decided_first_stands() {
        let root = tempfile::tempdir().unwrap();
        on_loop(async {
            let (mut one, mut other) = (kept(&root), kept(&root));
            one.save().await;
            other.look().await;
            assert_eq!(other.record.state, State::Open);
            one.decide(State::Over(1)).await;
            other.decide(State::Withdrawn(2)).await;
            assert_eq!((&one.record.state, &other.record.state), (&State::Over(1), &State::Over(1)));
            one.decide(State::Withdrawn(3)).await;
            one.save().await;
            assert_eq!((one.record.state, one.trouble), (State::Over(1), None));
            let mut late = kept(&root);
            late.look().await;
            assert_eq!(late.record.state, State::Over(1));
        });
    }

    #[test]
    fn a_later_question_of_that_id_is_another_one() {
        let root = tempfile::tempdir().unwrap();
        on_loop(async {
            let (mut earlier, mut later) = (kept(&root), kept(&root));
            earlier.save().await;
            later.record.start_ms += 1;
            later
                .file()
                .unwrap()
                .change({
                    let record = later.record.clone();
                    move |_| (Some(record), ())
                })
                .await
                .unwrap();
            later.decide(State::Withdrawn(2)).await;
            earlier.look().await;
            assert_eq!(earlier.record.state, State::Open);
            earlier.save().await;
            assert!(matches!(earlier.record.state, State::Over(_)));
            assert_eq!(later.record.state, State::Withdrawn(2));
        });
    }

    #[test]
    fn what_is_not_believed_does_not_count() {
        let root = tempfile::tempdir().unwrap();
        on_loop(async {
            let (mut forger, mut mine) = (kept(&root), kept(&root));
            mine.trust = Arc::new(|kept| kept.state != State::Over(6));
            forger.decide(State::Over(6)).await;
            mine.look().await;
            assert_eq!(mine.record.state, State::Open);
            mine.decide(State::Withdrawn(7)).await;
            assert_eq!(mine.record.state, State::Withdrawn(7));
        });
    }

    #[test]
    fn without_a_disk_it_goes_on() {
        let root = tempfile::tempdir().unwrap();
        std::fs::write(root.path().join("ask"), "").unwrap();
        on_loop(async {
            let mut kept = kept(&root);
            kept.decide(State::Over(1)).await;
            assert_eq!(kept.record.state, State::Over(1));
            assert!(kept.trouble.is_some());
        });
    }

    #[test]
    fn one_process_runs_it() {
        let root = tempfile::tempdir().unwrap();
        let file = RecordFile::of(&Folder::private(root.path()), "a");
        let held = file.try_run().unwrap();
        assert!(held.is_some() && file.try_run().unwrap().is_none());
        drop(held);
        assert!(file.try_run().unwrap().is_some());
    }

    #[test]
    fn old_records_are_removed() {
        let root = tempfile::tempdir().unwrap();
        on_loop(async {
            let mut old = kept(&root);
            old.save().await;
            let file = RecordFile::of(&Folder::private(root.path()), "new");
            file.sweep().await;
            assert!(old.file().unwrap().read().await.unwrap().is_none());
            let recent = Record { start_ms: now_ms(), ..record() };
            file.change(move |_| (Some(recent), ())).await.unwrap();
            file.sweep().await;
            assert!(file.read().await.unwrap().is_some());
        });
    }
}
