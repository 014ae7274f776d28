//! A question of this process, and what is on disk of it: written from time to time, looked at, decided once. Where it
//! cannot be kept, the question goes on without: what this process knows decides then.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::LocalBoxFuture;

use super::plan::Plan;
use super::record::{Record, RecordedTarget, State, TargetStatus};
use super::record_file::{News, PATIENCE, RecordFile, Stamps};
use super::sealed_press::SealedPress;
use crate::clock::{in_ms, now_ms};
use crate::error::{Error, Result};

/// The time between two looks at the record, which another process may have changed.
const LOOK: Duration = Duration::from_secs(1);

/// After a record could not be written nobody tries for so long.
const PAUSE: Duration = Duration::from_secs(20);

/// The targets of a plan, of which none has been asked.
pub(super) fn new_targets(plan: &Plan) -> Vec<RecordedTarget> {
    let target = |(index, name): (usize, &String)| RecordedTarget {
        name: name.clone(),
        status: TargetStatus::Waiting,
        failure: None,
        due_ms: plan.escalation.due(index).map(in_ms),
        messages: 0,
        reached_ms: None,
        card: None,
        codes: Vec::new(),
    };
    plan.names.iter().enumerate().map(target).collect()
}

/// Says whether the end that was read from disk into a question of this process may be believed.
pub(super) type EndCheck = Arc<dyn Fn(&Record) -> bool + Send + Sync>;

/// A question of this process, kept on disk as far as that can be done. A disk that hangs holds nothing up but a decision.
pub(super) struct KeptRecord {
    pub(super) record: Record,
    file: Option<RecordFile>,
    trust: EndCheck,
    /// Whether this process alone says how far its targets have come.
    is_mine: bool,
    /// Why it is not kept, until that is told; it is told once.
    trouble: Option<String>,
    is_told: bool,
    is_unsaved: bool,
    saving: Option<LocalBoxFuture<'static, Result<Record>>>,
    /// Nothing is written before that, but a decision.
    paused_until: Instant,
    looking: Option<LocalBoxFuture<'static, News>>,
    look_at: Instant,
    seen: Stamps,
    presses: Vec<SealedPress>,
}

impl KeptRecord {
    pub(super) fn new(record: Record, file: Option<RecordFile>, trust: EndCheck) -> Self {
        let now = Instant::now();
        Self {
            record,
            file,
            trust,
            is_mine: false,
            trouble: None,
            is_told: false,
            is_unsaved: false,
            saving: None,
            paused_until: now,
            looking: None,
            look_at: now + LOOK,
            seen: Stamps::default(),
            presses: Vec::new(),
        }
    }

    /// Decides what became of the question, unless that was decided before: then that stands. What cannot be written is
    /// decided for this process alone.
    pub(super) async fn decide(&mut self, state: State) {
        if self.record.state != State::Open {
            return;
        }
        let mine = Record { state, ..self.record.clone() };
        // Its lock is free as soon as what is being written is written.
        self.saving = None;
        let merged = match self.file.clone() {
            Some(file) => merge(file, mine.clone(), Arc::clone(&self.trust)).await,
            None => Ok(mine.clone()),
        };
        self.is_unsaved = false;
        self.record = merged.unwrap_or_else(|error| {
            self.failed(&error);
            mine
        });
    }

    /// How far its targets have come is to be kept: [`Self::tend`] does that.
    pub(super) fn save(&mut self) {
        self.is_unsaved = true;
    }

    /// Writes what is to be kept, and looks once a second at what others have decided. Returns from time to time; if it is
    /// dropped before, the next one goes on.
    pub(super) async fn tend(&mut self) {
        let Some(file) = self.file.clone() else { return std::future::pending().await };
        self.begin_to_save();
        if self.looking.is_none() && Instant::now() >= self.look_at {
            self.looking = Some(Box::pin(file.read_news(self.seen.clone(), self.is_mine)));
        }
        let is_looking = self.looking.is_some();
        tokio::select! {
            biased;
            merged = done(&mut self.saving) => self.saved(merged),
            read = done(&mut self.looking) => self.looked(read),
            () = tokio::time::sleep_until(self.look_at.into()), if !is_looking => {}
        }
    }

    fn begin_to_save(&mut self) {
        if let Some(file) = &self.file
            && self.saving.is_none()
            && Instant::now() >= self.paused_until
            && std::mem::take(&mut self.is_unsaved)
        {
            self.saving = Some(Box::pin(merge(file.clone(), self.record.clone(), Arc::clone(&self.trust))));
        }
    }

    /// Writes what is still to be kept.
    pub(super) async fn flush(&mut self) {
        // What is being written, and what has changed since.
        for _ in 0..2 {
            self.begin_to_save();
            if self.saving.is_some() {
                let merged = done(&mut self.saving).await;
                self.saved(merged);
            }
        }
    }

    fn saved(&mut self, merged: Result<Record>) {
        match merged {
            Ok(merged) if self.record.state == State::Open => self.record.state = merged.state,
            Ok(_) => {}
            Err(error) => self.failed(&error),
        }
    }

    fn failed(&mut self, error: &Error) {
        self.trouble.get_or_insert_with(|| error.to_string());
        self.is_unsaved = true;
        self.paused_until = Instant::now() + PAUSE;
    }

    /// Why it is not kept; the first time alone.
    pub(super) fn take_trouble(&mut self) -> Option<String> {
        let trouble = self.trouble.take()?;
        (!std::mem::replace(&mut self.is_told, true)).then_some(trouble)
    }

    /// Whether all of it is on disk.
    pub(super) fn is_kept(&self) -> bool {
        self.file.is_some() && !self.is_unsaved && self.saving.is_none()
    }

    /// Takes over what another process has decided, and how far it has come, if that is there.
    pub(super) async fn look(&mut self) {
        let Some(file) = self.file.clone() else { return };
        self.looking = Some(Box::pin(file.read_news(Stamps::default(), self.is_mine)));
        if let Ok(read) = tokio::time::timeout(PATIENCE, done(&mut self.looking)).await {
            self.looked(read);
        }
    }

    fn looked(&mut self, news: News) {
        self.look_at = Instant::now() + LOOK;
        self.seen = news.stamps;
        self.presses.extend(news.presses);
        // The store was emptied.
        self.is_unsaved |= news.is_unshared && self.is_mine;
        for kept in [news.record, news.shared].into_iter().flatten() {
            if kept.start_ms == self.record.start_ms && self.record.state == State::Open {
                let record = self.record.clone();
                let trusts = |record: &Record| (self.trust)(record);
                self.record = match self.is_mine {
                    true => record.with_end_of(kept.state, trusts),
                    false => record.with_progress_of(kept, trusts),
                };
            }
        }
    }

    /// Presses that were put on disk, and may have been taken before.
    pub(super) fn take_presses(&mut self) -> Vec<SealedPress> {
        std::mem::take(&mut self.presses)
    }

    /// From now on this process alone sends and reminds.
    pub(super) fn make_mine(&mut self) {
        self.is_mine = true;
    }

    pub(super) fn file(&self) -> Option<&RecordFile> {
        self.file.as_ref()
    }
}

/// The end of work that is under way, which stays so if the waiting is given up; never, where there is none.
async fn done<T>(work: &mut Option<LocalBoxFuture<'static, T>>) -> T {
    let Some(under_way) = work else { return std::future::pending().await };
    let result = under_way.await;
    *work = None;
    result
}

/// Writes this record, where the one on disk is of the same question; what was decided there stands.
async fn merge(file: RecordFile, mine: Record, trust: EndCheck) -> Result<Record> {
    let changed = file.change(move |kept| {
        let merged = match kept {
            Some(kept) if kept.start_ms != mine.start_ms => {
                // Its time was over, and its id is in use again.
                let state = if mine.state == State::Open { State::Over(now_ms()) } else { mine.state.clone() };
                return (None, Record { state, ..mine });
            }
            Some(kept) if kept.state != State::Open => {
                let decided = mine.clone().with_end_of(kept.state, |record| trust(record));
                if decided.state == State::Open { mine } else { decided }
            }
            _ => mine,
        };
        (Some(merged.clone()), merged)
    });
    changed.await
}

#[cfg(test)]
mod tests {
    use super::super::record::tests::record;
    use super::*;
    use crate::store::Folder;

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
            one.save();
            one.flush().await;
            other.look().await;
            assert_eq!(other.record.state, State::Open);
            one.decide(State::Over(1)).await;
            other.decide(State::Withdrawn(2)).await;
            assert_eq!((&one.record.state, &other.record.state), (&State::Over(1), &State::Over(1)));
            one.decide(State::Withdrawn(3)).await;
            one.save();
            one.flush().await;
            assert_eq!((one.take_trouble(), one.record.state), (None, State::Over(1)));
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
            earlier.save();
            earlier.flush().await;
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
            earlier.save();
            earlier.flush().await;
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
            assert!(kept.take_trouble().is_some());
            kept.decide(State::Over(2)).await;
            assert_eq!(kept.take_trouble(), None);
        });
    }

    #[test]
    fn one_process_runs_it() {
        let root = tempfile::tempdir().unwrap();
        let file = RecordFile::of(&Folder::private(root.path()), "a");
        on_loop(async {
            let held = file.try_run().await.unwrap();
            assert!(held.is_some() && file.try_run().await.unwrap().is_none());
            drop(held);
            assert!(file.try_run().await.unwrap().is_some());
        });
    }

    #[test]
    fn old_records_are_removed() {
        let root = tempfile::tempdir().unwrap();
        on_loop(async {
            let mut old = kept(&root);
            old.save();
            old.flush().await;
            let file = RecordFile::of(&Folder::private(root.path()), "new");
            file.sweep().await;
            assert!(old.file().unwrap().read().await.unwrap().is_none());
            let recent = Record { start_ms: now_ms(), ..record() };
            file.change(move |_| (Some(recent), ())).await.unwrap();
            file.sweep().await;
            assert!(file.read().await.unwrap().is_some());
        });
    }

    #[test]
    fn a_record_never_becomes_too_long_to_be_read() {
        let root = tempfile::tempdir().unwrap();
        on_loop(async {
            let mut kept = kept(&root);
            let card = serde_json::json!({ "text": "x".repeat(4000) });
            let target = kept.record.targets[0].clone();
            kept.record.targets = vec![RecordedTarget { card: Some(card), ..target }; 200];
            kept.save();
            kept.flush().await;
            assert_eq!(kept.take_trouble(), None);
            let read = kept.file().unwrap().read().await.unwrap().unwrap();
            assert_eq!((read.targets.len(), read.targets[0].card.is_some()), (200, true));
            assert!(read.targets[199].card.is_none() && kept.record.targets[199].card.is_some());
        });
    }

    #[test]
    fn what_cannot_be_written_is_not_tried_again_at_once() {
        let root = tempfile::tempdir().unwrap();
        std::fs::write(root.path().join("ask"), "").unwrap();
        on_loop(async {
            let mut kept = kept(&root);
            kept.save();
            kept.flush().await;
            assert!(kept.take_trouble().is_some() && kept.is_unsaved);
            std::fs::remove_file(root.path().join("ask")).unwrap();
            kept.flush().await;
            assert!(kept.is_unsaved && kept.file().unwrap().read().await.unwrap().is_none());
            kept.paused_until = Instant::now();
            kept.flush().await;
            assert!(!kept.is_unsaved && kept.file().unwrap().read().await.unwrap().is_some());
        });
    }

    #[test]
    fn tending_writes_and_sees_what_others_decide() {
        let root = tempfile::tempdir().unwrap();
        on_loop(async {
            let (mut mine, mut other) = (kept(&root), kept(&root));
            mine.make_mine();
            mine.save();
            mine.tend().await;
            other.look().await;
            other.decide(State::Over(1)).await;
            mine.look_at = Instant::now();
            mine.tend().await;
            assert_eq!(mine.record.state, State::Over(1));
        });
    }
}
