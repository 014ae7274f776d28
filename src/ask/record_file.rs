//! The file of a question in the state folder, read and changed under its lock.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use super::record::{Record, State};
use super::sealed_press::SealedPress;
use super::shared_question::{SharedNews, SharedQuestion, merged};
use super::task_id::file_name;
use crate::blocking::{off_loop, to_the_end};
use crate::clock::now_ms;
use crate::error::{Error, Result};
use crate::shared_state::{Namespace, StoreDown};
use crate::store::{Folder, Guard, KeyedFile, Stamp};

/// In the folder of the state.
const FOLDER: &str = "ask";

/// How long a lock, or a disk, is waited for.
pub(super) const PATIENCE: Duration = Duration::from_millis(1500);

/// How long a record stays after its end, in milliseconds: whoever presses the card then is told what became of it.
const KEPT_FOR_MS: u64 = 7 * 24 * 3_600 * 1_000;

/// So many bytes the cards in a record have.
const CARDS_BYTES: usize = 128 * 1024;

/// No more presses wait to be judged.
const MOST_PRESSES: usize = 100;

/// What was written so long ago was there when the folder was listed after it.
const LISTED_AGAIN: Duration = Duration::from_secs(8);

/// How many other records are looked at for each new one.
const MOST_SWEPT: usize = 16;

/// What tells the files of a question from what is there later.
#[derive(Debug, Clone, Default)]
pub(super) struct Stamps {
    record: Option<Stamp>,
    presses: Option<Stamp>,
    /// The sum of the record in the store.
    shared: String,
}

/// What has changed on disk.
#[derive(Debug, Default)]
pub(super) struct News {
    pub(super) record: Option<Record>,
    /// The record in the store, where that is another one than before.
    pub(super) shared: Option<Record>,
    /// Whether the store has none.
    pub(super) is_unshared: bool,
    pub(super) presses: Vec<SealedPress>,
    pub(super) stamps: Stamps,
}

/// The file of a question.
#[derive(Debug, Clone)]
pub(super) struct RecordFile {
    file: Arc<KeyedFile>,
    /// Presses that a `listen` received, until they are judged.
    presses: Arc<KeyedFile>,
    /// Held by the process that sends and reminds.
    runner: Arc<KeyedFile>,
    /// The same question in the store, where machines share state.
    shared: Option<SharedQuestion>,
    name: String,
}

/// That this process is the one that sends and reminds, as long as it is kept.
#[derive(Debug)]
pub(super) struct RunGuard(#[expect(dead_code, reason = "it is held")] Guard);

impl RecordFile {
    pub(super) fn of(state: &Folder, id: &str) -> Self {
        Self::named(state, &file_name(id))
    }

    /// The file of this name, as a task id has it.
    pub(super) fn named(state: &Folder, name: &str) -> Self {
        let file = |prefix: &str| Arc::new(KeyedFile::of_fingerprint(state.within(FOLDER), prefix, name));
        let (file, runner) = (file(""), file("run-"));
        Self { presses: Arc::new(file.beside("press-")), file, runner, shared: None, name: name.to_owned() }
    }

    /// The same, and in the store what belongs to the credential of the question, where machines share state.
    pub(super) fn shared_by(self, space: Option<Namespace>) -> Self {
        let shared = space.map(|space| SharedQuestion::new(space, &self.name));
        Self { shared, ..self }
    }

    /// What is kept, if anything is. The error says why it cannot be read.
    pub(super) async fn read(&self) -> Result<Option<Record>, String> {
        let Some(shared) = &self.shared else { return self.read_here().await };
        let (here, shared) = (self.read_here().await, shared.read().await.ok().flatten());
        match here {
            Err(error) if shared.is_none() => Err(error),
            here => Ok(merged(here.ok().flatten(), shared)),
        }
    }

    /// Whether the store has it.
    pub(super) async fn is_shared(&self) -> bool {
        match &self.shared {
            Some(shared) => shared.read().await.is_ok_and(|record| record.is_some()),
            None => false,
        }
    }

    async fn read_here(&self) -> Result<Option<Record>, String> {
        let file = Arc::clone(&self.file);
        let reading = off_loop(move || file.read());
        match tokio::time::timeout(PATIENCE, reading).await {
            Ok(read) => read.map_err(|error| error.to_string())?,
            Err(_) => Err("the disk does not answer".to_owned()),
        }
    }

    /// What is there now and was not there `before`. Who `runs` the question says so to other machines at the same time.
    pub(super) async fn read_news(mut self, before: Stamps, runs: bool) -> News {
        let (shared, sum) = (self.shared.take(), before.shared.clone());
        let mut news = self.read_news_here(before).await;
        if let Some(shared) = shared
            && let Ok(SharedNews { sum, record, is_lost, presses }) = shared.look(&sum, runs).await
        {
            news.is_unshared = is_lost;
            (news.shared, news.stamps.shared) = (record, sum);
            news.presses.extend(presses);
        }
        news
    }

    async fn read_news_here(self, before: Stamps) -> News {
        let unread = News { stamps: before.clone(), ..News::default() };
        let reading = off_loop(move || {
            let (mut news, mut stamps) = (News::default(), before);
            // What cannot be read is looked at again.
            let stamp = self.file.stamp();
            if stamp != stamps.record
                && let Ok(Some(record)) = self.file.read()
            {
                (news.record, stamps.record) = (Some(record), stamp);
            }
            let stamp = self.presses.stamp();
            if stamp != stamps.presses
                && let Ok(presses) = self.presses.read::<Vec<SealedPress>>()
            {
                (news.presses, stamps.presses) = (presses.unwrap_or_default(), stamp);
            }
            News { stamps, ..news }
        });
        reading.await.unwrap_or(unread)
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
        let file = Arc::clone(&self.file);
        let shared = match &self.shared {
            Some(shared) => shared.lock().await.map(|locked| (shared, locked)),
            None => None,
        };
        let Some((shared, (lease, theirs))) = shared else {
            let changing = move |guard: &Guard| {
                let (record, result) = change(file.read()?);
                record.map(|record| write(&file, record, guard)).transpose()?;
                Ok(result)
            };
            return self.under_lock(changing).await;
        };
        // Where this machine's disk cannot be used, the store decides.
        let (sender, changed) = std::sync::mpsc::channel();
        let changing = move |guard: &Guard| {
            let (record, result) = change(merged(file.read()?, theirs));
            let record = record.map(without_too_many_cards);
            let _ = sender.send(record.clone());
            record.map(|record| write(&file, record, guard)).transpose()?;
            Ok(result)
        };
        let done = self.under_lock(changing).await;
        shared.unlock(lease, changed.try_recv().ok().flatten().as_ref()).await;
        done
    }

    async fn under_lock<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Guard) -> Result<T, String> + Send + 'static,
    ) -> Result<T> {
        let says = |what: &str| {
            Error::config(self.file.says("cannot be used", what), "check the state folder: its disk, owner and mode")
        };
        let locked =
            self.file.lock(Instant::now() + PATIENCE, || false).await.map_err(|error| says(&error.to_string()))?;
        let guard = locked.ok_or_else(|| says("another process holds its lock"))?;
        match tokio::time::timeout(PATIENCE, to_the_end(move || work(&guard))).await {
            Ok(done) => done?.map_err(|error| says(&error)),
            Err(_) => Err(says("the disk does not answer")),
        }
    }

    /// Keeps a press on a card of the question, if `takes` says of its record that it may still be the answer: when this
    /// returns, it is there after a loss of power. Returns whether it is kept, and the record.
    ///
    /// # Errors
    ///
    /// Exit 3, where it cannot be written, or too many are there already.
    pub(super) async fn keep_press(
        &self,
        press: SealedPress,
        takes: impl Fn(&Record) -> bool + Send + Sync + 'static,
    ) -> Result<(bool, Option<Record>)> {
        // Whoever waits on this machine looks into its files.
        if let Some(shared) = &self.shared
            && !self.is_run_here().await
        {
            let down = |StoreDown| {
                let what = "the press is on no question of this machine, and the shared state is down";
                Error::temporary(what, "bring the shared state back")
            };
            match shared.read().await {
                Ok(Some(record)) if takes(&record) => {
                    return Ok((shared.keep_press(&press).await.map_err(down)?, Some(record)));
                }
                Ok(Some(record)) => return Ok((false, Some(record))),
                Ok(None) => {}
                Err(error) if self.read_here().await.ok().flatten().is_none() => return Err(down(error)),
                Err(_) => {}
            }
        }
        let (file, presses) = (Arc::clone(&self.file), Arc::clone(&self.presses));
        let keeping = move |guard: &Guard| {
            let record: Option<Record> = file.read()?;
            if !record.as_ref().is_some_and(&takes) {
                return Ok((false, record));
            }
            // What is damaged there has been lost.
            let mut kept: Vec<SealedPress> = presses.read().ok().flatten().unwrap_or_default();
            if !kept.contains(&press) {
                if kept.len() >= MOST_PRESSES {
                    return Err(format!("{MOST_PRESSES} presses wait there already"));
                }
                kept.push(press);
                presses.write_durably(&kept, guard).map_err(|error| error.to_string())?;
            }
            Ok((true, record))
        };
        self.under_lock(keeping).await
    }

    /// Removes a press that was judged.
    pub(super) async fn forget_press(&self, seal: String) -> Result<()> {
        if let Some(shared) = &self.shared {
            shared.forget_press(&seal).await;
        }
        let presses = Arc::clone(&self.presses);
        let forgetting = move |guard: &Guard| {
            let mut kept: Vec<SealedPress> = presses.read()?.unwrap_or_default();
            kept.retain(|press| press.seal != seal);
            let done = if kept.is_empty() { presses.clear(guard) } else { presses.write(&kept, guard) };
            done.map_err(|error| error.to_string())
        };
        self.under_lock(forgetting).await
    }

    /// Whether this process is to send and to remind: the only one of those that ask the same until it ends.
    pub(super) async fn try_run(&self) -> std::io::Result<Option<RunGuard>> {
        let runner = Arc::clone(&self.runner);
        let locking = tokio::time::timeout(PATIENCE, off_loop(move || runner.try_lock()));
        let Some(guard) = locking.await.map_err(io::Error::other)?.map_err(io::Error::other)?? else { return Ok(None) };
        match &self.shared {
            Some(shared) if !shared.try_run().await => Ok(None),
            _ => Ok(Some(RunGuard(guard))),
        }
    }

    /// This process does not send and remind any more: another machine's may at once.
    pub(super) async fn stop_running(&self) {
        if let Some(shared) = &self.shared {
            shared.stop_running().await;
        }
    }

    /// Whether a process sends and reminds, on this machine or another one.
    pub(super) async fn is_run(&self) -> bool {
        if self.is_run_here().await {
            return true;
        }
        match &self.shared {
            Some(shared) => shared.is_run().await,
            None => false,
        }
    }

    async fn is_run_here(&self) -> bool {
        let runner = Arc::clone(&self.runner);
        let looking = tokio::time::timeout(PATIENCE, off_loop(move || runner.is_locked()));
        looking.await.is_ok_and(|looked| looked.is_ok_and(|looked| looked.unwrap_or(false)))
    }

    /// Whether the name of a file is one of a record.
    fn is_record(name: &str) -> Option<&str> {
        name.strip_suffix(".json").filter(|name| name.len() == 32 && name.bytes().all(|byte| byte.is_ascii_hexdigit()))
    }

    /// The names of all records in this state folder, if any was written since `before`: that is the time of the last one.
    pub(super) async fn all_names(state: &Folder, before: Option<SystemTime>) -> Option<(SystemTime, Vec<String>)> {
        let folder = state.within(FOLDER);
        let listing = off_loop(move || {
            let modified = folder.modified().ok()?;
            // Times of folders may be whole seconds.
            let is_same = before == Some(modified) && modified.elapsed().is_ok_and(|past| past > LISTED_AGAIN);
            if is_same {
                return None;
            }
            let names = folder.names().ok()?;
            Some((modified, names.iter().filter_map(|name| Self::is_record(name)).map(str::to_owned).collect()))
        });
        tokio::time::timeout(PATIENCE, listing).await.ok()?.ok()?
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
                        let _ = other.beside("press-").clear(&guard);
                        let _ = other.remove(guard);
                    }
                }
            }
        });
        let _ = tokio::time::timeout(PATIENCE, sweeping).await;
    }
}

fn write(file: &KeyedFile, record: Record, guard: &Guard) -> Result<(), String> {
    let record = without_too_many_cards(record);
    let written = match record.state {
        State::Open => file.write(&record, guard),
        _ => file.write_durably(&record, guard),
    };
    written.map_err(|error| error.to_string())
}

/// A record that is not too long to be kept: later cards are left out, which another process cannot change then.
fn without_too_many_cards(mut record: Record) -> Record {
    let mut left = CARDS_BYTES;
    for target in &mut record.targets {
        let length = target.card.as_ref().map_or(0, |card| card.to_string().len());
        match left.checked_sub(length) {
            Some(rest) => left = rest,
            None => target.card = None,
        }
    }
    record
}

fn is_old(record: &Record, now_ms: u64) -> bool {
    now_ms > record.end_ms().saturating_add(KEPT_FOR_MS)
}
