//! Accepts alerts into the outbox: each is written as a draft, with copies of its files, and moved as a whole to where entries
//! wait.

use std::io;
use std::sync::atomic::Ordering;

use super::entry::{EntryProgress, StoredAlert, StoredPart};
use super::listing::{ENTRY, LOCK};
use super::{ClaimedEntry, MAX_BYTES, MAX_ENTRIES, Outbox, Stock, format, listing};
use crate::error::{Error, Result};
use crate::fingerprint::Summing;
use crate::message::Part;
use crate::store::Guard;

/// Why an alert was not accepted. Nothing of it was kept.
#[derive(Debug)]
pub(crate) enum NotStored {
    /// The file of this part, counted from 0, could not be read.
    File(usize, Error),
    /// The outbox is full, or cannot be used: a disk that is full, read-only or failing, a folder of somebody else.
    Outbox(Error),
}

impl Outbox {
    /// Accepts an alert: when this returns, it is on disk as a whole and outlives a loss of power. No other process delivers
    /// it until the claim is dropped or this process ends. The alert gets its id and its parts here; their files are copied.
    pub(crate) fn accept(&self, mut alert: StoredAlert, parts: &[Part]) -> Result<ClaimedEntry, NotStored> {
        let (bodies, needed) = self.prepare(&mut alert, parts)?;
        let stock = self.stock().map_err(NotStored::Outbox)?;
        if stock.entries >= MAX_ENTRIES || stock.bytes.saturating_add(needed) > MAX_BYTES {
            return Err(self.full(stock, needed, MAX_ENTRIES));
        }
        let mut unread = None;
        let written = self.write_draft(&mut alert, parts, bodies, true, &mut unread);
        let moved = written.and_then(|lock| {
            let draft = self.new.within(&alert.id);
            draft.sync_names()?;
            draft.move_into(&self.waiting)?;
            Ok(lock)
        });
        match moved {
            Ok(lock) => Ok(self.claimed(alert, EntryProgress::new(parts.len()), lock)),
            Err(error) => {
                // It may have been moved, and only the fsync failed.
                let _ = listing::discard(&self.waiting.within(&alert.id), &self.new, &alert.id);
                Err(self.not_stored(&alert.id, unread, &error))
            }
        }
    }

    /// Gives an alert its id and its parts. Returns their bodies, and how many bytes all of it has.
    pub(super) fn prepare(&self, alert: &mut StoredAlert, parts: &[Part]) -> Result<(Vec<u8>, u64), NotStored> {
        alert.id = self.next_id(alert.queued_at_ms);
        alert.parts = parts.iter().enumerate().map(|(index, part)| StoredPart::of(index, part)).collect();
        let bodies = format::write_bodies(parts).map_err(|error| NotStored::Outbox(self.unusable(&error)))?;
        let files = alert.parts.iter().filter_map(|part| part.file.as_ref());
        let needed = files.map(|file| file.size).sum::<u64>() + bodies.len() as u64;
        Ok((bodies, needed))
    }

    /// Why an alert was not accepted for which there is no room.
    pub(super) fn full(&self, Stock { entries, bytes }: Stock, needed: u64, most: usize) -> NotStored {
        NotStored::Outbox(Error::config(
            format!(
                "the outbox {:?} is full: it holds {entries} of at most {most} alerts and {bytes} of at most {MAX_BYTES} \
                 bytes, and this alert has {needed} bytes",
                self.path()
            ),
            "make room with wecom-alert outbox flush, or discard what is not wanted with wecom-alert outbox drop",
        ))
    }

    /// Why an alert was not accepted whose draft could not be written: nothing of that is kept.
    pub(super) fn not_stored(&self, id: &str, unread: Option<usize>, error: &io::Error) -> NotStored {
        let _ = self.new.within(id).remove(listing::is_own);
        match unread {
            Some(index) => NotStored::File(
                index,
                Error::config(
                    format!("it could not be copied into the outbox: {error}"),
                    "send it when nothing writes to that file any more",
                ),
            ),
            None => NotStored::Outbox(self.unusable(error)),
        }
    }

    /// Writes a draft; with `is_synced` its files are on disk then, though not their names. It is locked before any other
    /// process can see it. The checksums of the files that are copied are put into the alert. `unread` is the part whose file
    /// could not be read, where it fails for that.
    pub(super) fn write_draft(
        &self,
        alert: &mut StoredAlert,
        parts: &[Part],
        bodies: Vec<u8>,
        is_synced: bool,
        unread: &mut Option<usize>,
    ) -> io::Result<Guard> {
        let draft = self.new.within(&alert.id);
        let Some(lock) = draft.try_lock(LOCK)? else {
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, "another process took the same id"));
        };
        for (index, (stored, part)) in alert.parts.iter_mut().zip(parts).enumerate() {
            if let (Some(stored), Some((_, file))) = (&mut stored.file, &part.file) {
                let reader = Noting { reader: file.reader(), failed: || *unread = Some(index) };
                let mut summing = Summing::new(reader);
                draft.copy(&stored.file, &mut summing, is_synced)?;
                stored.sha256 = Some(summing.finish());
            }
        }
        draft.copy(ENTRY, &mut &format::write_entry(alert, bodies)?[..], is_synced)?;
        Ok(lock)
    }

    fn next_id(&self, at_ms: u64) -> String {
        let later = |last: u64| at_ms.max(last.saturating_add(1));
        let before = self.last_ms.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |last| Some(later(last)));
        listing::new_id(later(before.unwrap_or_else(|last| last)), std::process::id())
    }
}

/// A reader that says that reading failed: an error of a copy may be that of writing.
struct Noting<R, F> {
    reader: R,
    failed: F,
}

impl<R: io::Read, F: FnMut()> io::Read for Noting<R, F> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(buffer);
        if read.as_ref().is_err_and(|error| error.kind() != io::ErrorKind::Interrupted) {
            (self.failed)();
        }
        read
    }
}
