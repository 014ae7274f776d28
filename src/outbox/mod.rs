//! The outbox: a persistent queue of alerts that were accepted and may not have been delivered yet. It stores them and
//! hands them out one by one; `flush` and `send` decide whether, when and how they are delivered.
//!
//! Each entry is a folder of its own: `waiting/ID/` until WeCom accepts it, `failed/ID/` when nothing can be done for it. It
//! is written in `new/ID/` and moved as a whole, and moved back there to be removed, so that a process may be killed at any
//! moment: what is in `waiting/` is whole. A process that sends, moves or
//! removes an entry holds the lock in its folder.

mod accept;
mod claimed;
mod entry;
pub(crate) mod format;
mod group;
mod listing;

#[cfg(test)]
mod tests;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant, SystemTime};

pub(crate) use accept::NotStored;
pub(crate) use claimed::{ClaimError, ClaimedEntry};
pub(crate) use entry::{EntryProgress, PartProgress, StoredAlert, StoredPart};
pub(crate) use group::GroupedOutbox;
pub(crate) use listing::{Listed, Stock, UnreadEntry};

use serde_json::Value;

use crate::error::{Error, Result, hint_for};
use crate::store::{Folder, Guard};
use listing::{ENTRY, LOCK, PROGRESS};

/// The most entries that are kept, waiting and failed together. Processes that accept at the same moment may exceed it
/// by one each.
pub(crate) const MAX_ENTRIES: usize = 1000;

/// The most bytes that are kept, waiting and failed together.
pub(crate) const MAX_BYTES: u64 = 512 * 1024 * 1024;

/// A list shows nothing of a body that is longer, in bytes.
const LONGEST_LISTED: u64 = 64 * 1024;

/// A draft of this age whose lock is free was left by a process that was killed.
const LEFT_BEHIND: Duration = Duration::from_secs(3600);

/// The lock of a flush.
const FLUSH_LOCK: &str = "flush.lock";

/// The outbox in a state folder.
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

/// An entry that was looked for.
#[derive(Debug)]
pub(crate) struct FoundEntry {
    pub(crate) listed: Listed,
    /// Whether it was given up.
    pub(crate) is_failed: bool,
    /// The bodies of its parts; none where they cannot be read.
    pub(crate) bodies: Vec<Value>,
    /// The file that holds them.
    pub(crate) file: PathBuf,
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
    pub(crate) fn open(state: &Folder) -> Result<Self> {
        let outbox = Self::at(state);
        for folder in [&outbox.waiting, &outbox.failed, &outbox.new] {
            folder.make_durably().map_err(|error| outbox.unusable(&error))?;
        }
        Ok(outbox)
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        self.top.path()
    }

    /// The waiting entries, oldest first, read one by one, claimed by another process or not.
    ///
    /// Fails with exit 3 where the folder cannot be read, as do all methods that look into it.
    pub(crate) fn waiting(&self) -> Result<impl Iterator<Item = Listed>> {
        listing::list(&self.waiting).map_err(|error| self.unusable(&error))
    }

    /// The failed entries, oldest first.
    pub(crate) fn failed(&self) -> Result<impl Iterator<Item = Listed>> {
        listing::list(&self.failed).map_err(|error| self.unusable(&error))
    }

    /// The ids of what waits, in order: all that is needed to claim one after the other. No entry is read.
    pub(crate) fn waiting_ids(&self) -> Result<Vec<String>> {
        listing::ids(&self.waiting).map_err(|error| self.unusable(&error))
    }

    /// The body of an entry's first part; `None` where there is none that a list could show.
    pub(crate) fn first_body(&self, id: &str) -> Option<Value> {
        let files = [&self.waiting, &self.failed].map(|folder| listing::open_entry(&folder.within(id)));
        format::read_first_body(files.into_iter().find_map(Result::ok)?, LONGEST_LISTED)
    }

    /// The entry of this id, waiting or failed; `None` where there is none.
    pub(crate) fn find(&self, id: &str) -> Option<FoundEntry> {
        // In this order, since an entry moves from the one to the other.
        let folders = [(&self.waiting, false), (&self.failed, true)].into_iter().filter(|_| listing::is_id(id));
        folders.into_iter().find_map(|(folder, is_failed)| {
            let place = folder.within(id);
            let listed = listing::read_listed(&place, id)?;
            let bodies = listing::open_entry(&place).ok().and_then(|file| format::read_bodies(file).ok());
            let bodies = bodies.iter().flatten().map(|part| part.body().into_owned()).collect();
            Some(FoundEntry { listed, is_failed, bodies, file: place.file(ENTRY) })
        })
    }

    /// The ids of the entries, waiting and failed, that begin like this.
    pub(crate) fn ids_beginning_with(&self, start: &str) -> Result<Vec<String>> {
        listing::ids_beginning_with([&self.waiting, &self.failed], start).map_err(|error| self.unusable(&error))
    }

    /// How much is kept, waiting and failed together. No entry is read.
    pub(crate) fn stock(&self) -> Result<Stock> {
        listing::stock([&self.waiting, &self.failed]).map_err(|error| self.unusable(&error))
    }

    /// Claims a waiting entry, as it is now.
    pub(crate) fn claim(&self, id: &str) -> Result<ClaimedEntry, ClaimError> {
        let (place, lock) = self.lock_entry(&self.waiting, id).map_err(|error| match error {
            ClaimError::Damaged(unread) => self.set_aside(&self.waiting.within(id), unread),
            error => error,
        })?;
        // It may have been delivered or changed before the lock was free.
        match listing::read(&place, id) {
            Some(Ok((entry, progress))) => Ok(self.claimed(entry, progress, lock)),
            Some(Err(unread)) if unread.is_damaged() => Err(self.set_aside(&place, unread)),
            Some(Err(unread)) => Err(ClaimError::Failed(not_readable(&unread.reason()))),
            None => {
                let _ = place.remove(listing::is_own);
                Err(ClaimError::Gone)
            }
        }
    }

    /// Discards an entry, waiting or failed, whole or damaged.
    pub(crate) fn drop_entry(&self, id: &str) -> Result<(), ClaimError> {
        // In this order, since an entry moves from the one to the other, and back only when it is asked for.
        for folder in [&self.waiting, &self.failed] {
            let place = folder.within(id);
            let locked = match self.lock_entry(folder, id) {
                Err(ClaimError::Gone) => continue,
                // Nobody can lock it: it is no entry of this program.
                Err(ClaimError::Damaged(_)) => None,
                locked => Some(locked?),
            };
            let is_hollow = locked.is_some() && listing::is_hollow(&place).map_err(|error| self.unusable(&error))?;
            if !is_hollow {
                return Ok(listing::discard(&place, &self.new, id).map_err(|error| self.unusable(&error))?);
            }
            let _ = place.remove(listing::is_own);
        }
        Err(ClaimError::Gone)
    }

    /// Lets failed entries wait again, so that they are tried once more; returns their ids. What is damaged stays, unless it
    /// is only its progress: that is forgotten, since the user asks for it.
    pub(crate) fn revive(&self) -> Result<Vec<String>> {
        let mut revived = Vec::new();
        for listed in self.failed()? {
            let (id, forgets) = match listed {
                Ok((entry, _)) => (entry.id, false),
                Err(unread) if unread.can_be_revived() => (unread.id, true),
                Err(_) => continue,
            };
            let (place, _lock) = match self.lock_entry(&self.failed, &id) {
                Err(ClaimError::Failed(error)) => return Err(error),
                Err(_) => continue,
                Ok(locked) => locked,
            };
            let forgotten = if forgets { place.write_durably(PROGRESS, b"") } else { Ok(()) };
            let moved = forgotten.and_then(|()| place.move_into(&self.waiting));
            moved.map_err(|error| self.unusable(&error))?;
            revived.push(id);
        }
        Ok(revived)
    }

    /// Waits until `until` for the lock of a flush; `None` if another process kept it.
    pub(crate) async fn lock_flush(&self, until: Instant) -> io::Result<Option<Guard>> {
        self.top.lock(FLUSH_LOCK, until, || false).await
    }

    /// The path of that lock.
    pub(crate) fn flush_lock(&self) -> PathBuf {
        self.top.file(FLUSH_LOCK)
    }

    /// Removes what killed processes left behind an hour ago or longer, and returns how many folders that were. No entry
    /// is among them: what was accepted is never removed here.
    pub(crate) fn sweep(&self, now: SystemTime) -> Result<usize> {
        for folder in [&self.top, &self.new] {
            let _ = folder.sweep_drafts(now, LEFT_BEHIND);
        }
        let swept = listing::sweep(&self.new, now, |_| true).and_then(|drafts| {
            let hollow = |place: &Folder| listing::is_hollow(place).unwrap_or(false);
            Ok(drafts + listing::sweep(&self.waiting, now, hollow)? + listing::sweep(&self.failed, now, hollow)?)
        });
        swept.map_err(|error| self.unusable(&error))
    }

    /// The file that holds the text of a failed entry.
    pub(crate) fn entry_file(&self, id: &str) -> PathBuf {
        self.failed.within(id).file(ENTRY)
    }

    fn claimed(&self, alert: StoredAlert, progress: EntryProgress, lock: Guard) -> ClaimedEntry {
        let place = self.waiting.within(&alert.id);
        let (failed, new) = (self.failed.clone(), self.new.clone());
        ClaimedEntry { alert, progress, place, failed, new, lock, bytes: 0 }
    }

    /// The folder of an entry and its lock. It is looked for first: to ask for its lock would make it.
    fn lock_entry(&self, folder: &Folder, id: &str) -> Result<(Folder, Guard), ClaimError> {
        let place = folder.within(id);
        if !listing::is_id(id) {
            return Err(ClaimError::Gone);
        }
        match place.look().and_then(|()| place.try_lock(LOCK)) {
            Ok(Some(lock)) => Ok((place, lock)),
            Ok(None) => Err(ClaimError::Busy),
            // It went away meanwhile.
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                Err(ClaimError::Gone)
            }
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                let error = format::ReadError::damaged(error.to_string());
                Err(ClaimError::Damaged(UnreadEntry { id: id.to_owned(), file: LOCK, error }))
            }
            Err(error) => Err(self.unusable(&error).into()),
        }
    }

    /// Puts an entry that cannot be used among the failed ones.
    fn set_aside(&self, place: &Folder, unread: UnreadEntry) -> ClaimError {
        match place.move_into(&self.failed) {
            Ok(()) => ClaimError::Damaged(unread),
            Err(error) => ClaimError::Failed(self.unusable(&error)),
        }
    }

    /// The error for an outbox that cannot be used.
    pub(crate) fn unusable(&self, error: &io::Error) -> Error {
        unusable(&self.top, error)
    }
}

fn unusable(folder: &Folder, error: &io::Error) -> Error {
    Error::config(
        format!("the outbox in {:?} cannot be used: {error}", folder.path()),
        match error.kind() {
            io::ErrorKind::InvalidData => "remove what is named, or let WECOM_ALERT_STATE_DIR name another folder",
            _ => hint_for(
                error,
                "let WECOM_ALERT_STATE_DIR name a folder that this user may write to, on a disk that has room",
            ),
        },
    )
}

/// The error of an entry that the file system does not let be read now.
fn not_readable(reason: &str) -> Error {
    Error::config(
        reason,
        "it is read again by the next flush: see that this user may read the file, that the disk is sound, and that enough \
         files may be open (ulimit -n)",
    )
}
