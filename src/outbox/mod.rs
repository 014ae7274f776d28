//! The store of alerts that were accepted and may not have gone out yet. It keeps them and hands them out one by one;
//! whether, when and how they are delivered is not its business.
//!
//! Each entry is a folder of its own: `waiting/ID/` until WeCom took it, `failed/ID/` when nothing can be done for it. It
//! is written in `new/ID/` and moved as a whole, and moved back there to be removed, so that a process may be killed at any
//! moment: what is in `waiting/` is whole. Whoever deals with an entry holds the lock in its folder.

mod entry;
mod format;
mod held;
mod id;
mod shelf;

#[cfg(test)]
mod tests;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

pub(crate) use entry::{Entry, NewEntry, PartProgress, Progress};
pub(crate) use held::Held;
pub(crate) use shelf::{Listed, Stock};

use crate::error::{Error, Result};
use crate::fingerprint::Summing;
use crate::store::{Folder, Guard, Locked};
use shelf::{ENTRY, Found, LOCK};

/// So many entries are kept, waiting and failed together. Processes that accept at the same moment may exceed it by one
/// each.
pub(crate) const MAX_ENTRIES: usize = 1000;

/// So many bytes are kept, waiting and failed together.
pub(crate) const MAX_BYTES: u64 = 512 * 1024 * 1024;

/// What was begun so long ago, and is held by nobody, was left by a process that was killed.
const LEFT_BEHIND: Duration = Duration::from_secs(3600);

/// The lock of the one who delivers what waits.
const FLUSH_LOCK: &str = "flush.lock";

/// Alerts that wait on disk.
#[derive(Debug)]
pub(crate) struct Outbox {
    top: Folder,
    waiting: Folder,
    failed: Folder,
    /// Where entries are written and removed.
    new: Folder,
    /// The moment in the last id that was given out, so that those of this process keep their order.
    last_ms: AtomicU64,
}

/// Why an alert was not accepted. Nothing of it was kept.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// There is no room for it.
    Full {
        /// Where.
        folder: PathBuf,
        /// How many are there, waiting and failed.
        entries: usize,
        /// Their size.
        bytes: u64,
        /// The size of the alert.
        needed: u64,
    },
    /// The disk has no room for it.
    NoRoom(Error),
    /// It could not be written, or a file of it could not be read.
    Failed(Error),
}

/// What became of the wish to deal with an entry.
#[derive(Debug)]
pub(crate) enum Claim {
    /// It is yours.
    Held(Box<Held>),
    /// Somebody else deals with it.
    Busy,
    /// It waits no longer.
    Gone,
    /// It cannot be delivered, and this is why. It stands among the failed ones now.
    Damaged(String),
}

/// What became of the wish to discard an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dropped {
    /// It is removed.
    Done,
    /// Somebody deals with it.
    Busy,
    /// There is none of this name.
    Gone,
}

impl Outbox {
    /// The outbox in a folder for state, whether there is one or not. To look into it, no more is needed.
    pub(crate) fn at(state: &Folder) -> Self {
        let top = state.within("outbox");
        Self {
            waiting: top.within("waiting"),
            failed: top.within("failed"),
            new: top.within("new"),
            top,
            last_ms: AtomicU64::new(0),
        }
    }

    /// The outbox in a folder for state, made where it is missing.
    ///
    /// # Errors
    ///
    /// [`Refusal`], with the folder and what the file system says.
    pub(crate) fn open(state: &Folder) -> Result<Self, Refusal> {
        let outbox = Self::at(state);
        shelf::make_durably([state, &outbox.top, &outbox.waiting, &outbox.failed, &outbox.new])
            .map_err(|error| outbox.failed_to_keep(&error))?;
        Ok(outbox)
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        self.top.path()
    }

    /// Accepts an alert: when this returns, it is on disk as a whole and outlives a loss of power. Nobody else takes it up
    /// until the handle is dropped or this process ends.
    ///
    /// # Errors
    ///
    /// [`Refusal`]. Then nothing of it is ever delivered.
    pub(crate) fn accept(&self, alert: NewEntry) -> Result<Held, Refusal> {
        let id = self.next_id(alert.queued_at_ms);
        let bodies = format::write_bodies(&alert.parts).map_err(|error| self.failed_to_keep(&error))?;
        let needed = alert.files().map(|(_, file)| file.size()).sum::<u64>() + bodies.len() as u64;
        let Stock { entries, bytes } = self.stock()?;
        if entries >= MAX_ENTRIES || bytes.saturating_add(needed) > MAX_BYTES {
            return Err(Refusal::Full { folder: self.path().to_owned(), entries, bytes, needed });
        }
        let (draft, place) = (self.new.within(&id), self.waiting.within(&id));
        match write(&draft, id.clone(), alert, bodies, &place) {
            Ok((entry, lock)) => {
                let progress = Progress::new(entry.parts.len());
                Ok(self.hold(entry, progress, lock))
            }
            Err(error) => {
                // It may have been moved, and only the disk was not told.
                let _ = shelf::discard(&place, &self.new, &id);
                let _ = draft.remove();
                Err(self.failed_to_keep(&error))
            }
        }
    }

    /// What waits, in order and read one by one, without a look at whether somebody deals with it.
    ///
    /// # Errors
    ///
    /// Exit 3 where the folder cannot be read.
    pub(crate) fn waiting(&self) -> Result<impl Iterator<Item = Listed>> {
        shelf::list(&self.waiting).map_err(|error| self.unusable(&error))
    }

    /// What nothing can be done for, in order.
    ///
    /// # Errors
    ///
    /// As [`Outbox::waiting`].
    pub(crate) fn failed(&self) -> Result<impl Iterator<Item = Listed>> {
        shelf::list(&self.failed).map_err(|error| self.unusable(&error))
    }

    /// The ids of what waits, in order: all that is needed to claim one after the other. No entry is read.
    ///
    /// # Errors
    ///
    /// As [`Outbox::waiting`].
    pub(crate) fn waiting_ids(&self) -> Result<Vec<String>> {
        shelf::ids(&self.waiting).map_err(|error| self.unusable(&error))
    }

    /// How much is kept, waiting and failed together. No entry is read.
    ///
    /// # Errors
    ///
    /// As [`Outbox::waiting`].
    pub(crate) fn stock(&self) -> Result<Stock> {
        let stock = shelf::stock(&self.waiting).and_then(|stock| Ok(stock + shelf::stock(&self.failed)?));
        stock.map_err(|error| self.unusable(&error))
    }

    /// Takes a waiting entry into hand, as it is now.
    ///
    /// # Errors
    ///
    /// Exit 3 where its folder cannot be used.
    pub(crate) fn claim(&self, id: &str) -> Result<Claim> {
        let Some(place) = existing(&self.waiting, id) else { return Ok(Claim::Gone) };
        let lock = match self.lock_of(&place)? {
            Some(Locked::Held(lock)) => lock,
            Some(Locked::Busy) => return Ok(Claim::Busy),
            None => return Ok(Claim::Gone),
        };
        // It may have been delivered or changed before the lock was free.
        Ok(match shelf::read(&place, id) {
            Found::Whole(whole) => {
                let (entry, progress) = *whole;
                Claim::Held(Box::new(self.hold(entry, progress, lock)))
            }
            Found::Damaged(reason) => {
                shelf::move_into(&place, &self.failed, id).map_err(|error| self.unusable(&error))?;
                Claim::Damaged(reason)
            }
            Found::Nothing => {
                let _ = place.remove();
                Claim::Gone
            }
        })
    }

    /// Discards an entry, waiting or failed, whole or damaged.
    ///
    /// # Errors
    ///
    /// Exit 3 where its folder cannot be used.
    pub(crate) fn drop_entry(&self, id: &str) -> Result<Dropped> {
        // In this order, since an entry moves from the one to the other, and back only when it is asked for.
        for shelf in [&self.waiting, &self.failed] {
            let Some(place) = existing(shelf, id) else { continue };
            let _lock = match self.lock_of(&place)? {
                Some(Locked::Held(lock)) => lock,
                Some(Locked::Busy) => return Ok(Dropped::Busy),
                None => continue,
            };
            if shelf::is_hollow(&place).map_err(|error| self.unusable(&error))? {
                let _ = place.remove();
                continue;
            }
            let discarded = shelf::discard(&place, &self.new, id);
            return discarded.map(|()| Dropped::Done).map_err(|error| self.unusable(&error));
        }
        Ok(Dropped::Gone)
    }

    /// Lets failed entries wait again, so that they are tried once more; returns their ids. What is damaged stays.
    ///
    /// # Errors
    ///
    /// As [`Outbox::waiting`].
    pub(crate) fn revive(&self) -> Result<Vec<String>> {
        let mut revived = Vec::new();
        for listed in self.failed()? {
            let Listed::Whole(whole) = listed else { continue };
            let id = whole.0.id;
            let Some(place) = existing(&self.failed, &id) else { continue };
            if let Some(Locked::Held(_lock)) = self.lock_of(&place)? {
                shelf::move_into(&place, &self.waiting, &id).map_err(|error| self.unusable(&error))?;
                revived.push(id);
            }
        }
        Ok(revived)
    }

    /// Waits until `until` for the lock of the one who delivers what waits; `None` if somebody else kept it.
    ///
    /// # Errors
    ///
    /// Whatever the file system says.
    pub(crate) async fn lock_flush(&self, until: Instant) -> io::Result<Option<Guard>> {
        self.top.lock(FLUSH_LOCK, until, || false).await
    }

    /// Removes what killed processes left behind an hour ago or longer, and returns how many folders that were. No entry
    /// is among them: what was accepted is never removed here.
    ///
    /// # Errors
    ///
    /// As [`Outbox::waiting`].
    pub(crate) fn sweep(&self, now: SystemTime) -> Result<usize> {
        let swept = shelf::sweep(&self.new, now, |_| true).and_then(|drafts| {
            let hollow = |place: &Folder| shelf::is_hollow(place).unwrap_or(false);
            Ok(drafts + shelf::sweep(&self.waiting, now, hollow)? + shelf::sweep(&self.failed, now, hollow)?)
        });
        swept.map_err(|error| self.unusable(&error))
    }

    fn hold(&self, entry: Entry, progress: Progress, lock: Guard) -> Held {
        let place = self.waiting.within(&entry.id);
        Held { entry, progress, place, failed: self.failed.clone(), new: self.new.clone(), lock }
    }

    /// The lock of an entry; `None` where the entry went away meanwhile.
    fn lock_of(&self, place: &Folder) -> Result<Option<Locked>> {
        match place.try_lock(LOCK) {
            Ok(locked) => Ok(Some(locked)),
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
            Err(error) => Err(self.unusable(&error)),
        }
    }

    fn next_id(&self, at_ms: u64) -> String {
        let later = |last: u64| at_ms.max(last.saturating_add(1));
        let before = self.last_ms.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |last| Some(later(last)));
        id::new_id(later(before.unwrap_or_else(|last| last)), std::process::id())
    }

    /// The error for an outbox that cannot be used.
    pub(crate) fn unusable(&self, error: &io::Error) -> Error {
        unusable(&self.top, error)
    }

    fn failed_to_keep(&self, error: &io::Error) -> Refusal {
        // What `Attachment` says of a file that is not as long any more as when it was opened.
        if error.kind() == io::ErrorKind::UnexpectedEof {
            let what = format!("the attachment could not be copied into the outbox: {error}");
            return Refusal::Failed(Error::config(what, "send it when nothing writes to that file any more"));
        }
        // An alert that a disk is full must not be lost because that disk is full.
        if matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded) {
            return Refusal::NoRoom(self.unusable(error));
        }
        Refusal::Failed(self.unusable(error))
    }
}

/// Whether bytes are an entry with its bodies, and the progress of one.
#[cfg(fuzzing)]
pub(crate) fn is_readable(bytes: &[u8]) -> (bool, bool) {
    let is_entry = format::read_entry(bytes).is_ok() && format::read_bodies(bytes).is_ok();
    (is_entry, format::read_progress(bytes, 1).is_ok())
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Full { folder, entries, bytes, needed } => Self::config(
                format!(
                    "the outbox {folder:?} is full: it holds {entries} of at most {MAX_ENTRIES} alerts and {bytes} of \
                     at most {MAX_BYTES} bytes, and this alert has {needed} bytes"
                ),
                "make room with wecom-alert outbox flush, or discard what is not wanted with wecom-alert outbox drop",
            ),
            Refusal::NoRoom(error) | Refusal::Failed(error) => error,
        }
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// Writes a draft and moves it to its place. It is locked before anybody can see it.
fn write(draft: &Folder, id: String, alert: NewEntry, bodies: Vec<u8>, place: &Folder) -> io::Result<(Entry, Guard)> {
    let Locked::Held(lock) = draft.try_lock(LOCK)? else {
        return Err(io::Error::new(io::ErrorKind::AlreadyExists, "another process took the same id"));
    };
    let mut sums = vec![None; alert.parts.len()];
    for (index, file) in alert.files() {
        let mut summing = Summing::new(file.reader());
        draft.copy_synced(&entry::file_name(index), &mut summing)?;
        sums[index] = Some(summing.finish());
    }
    let entry = alert.into_entry(id, &sums);
    draft.write_synced(ENTRY, &format::write_entry(&entry, bodies)?)?;
    draft.sync_names()?;
    draft.move_to(place)?;
    Ok((entry, lock))
}

/// The folder of an entry, if there is one: to ask for its lock would make it.
fn existing(shelf: &Folder, id: &str) -> Option<Folder> {
    let place = shelf.within(id);
    (id::is_id(id) && place.path().is_dir()).then_some(place)
}

fn unusable(folder: &Folder, error: &io::Error) -> Error {
    Error::config(
        format!("the outbox in {:?} cannot be used: {error}", folder.path()),
        "let WECOM_ALERT_STATE_DIR name a folder that this user may write to, on a disk that has room",
    )
}
