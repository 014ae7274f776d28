//! An entry that one process has claimed: no other process delivers, moves or discards it meanwhile.

use std::io;

use super::entry::{EntryProgress, StoredAlert, StoredFile};
use super::format::ReadError;
use super::listing::{self, PROGRESS, UnreadEntry};
use super::{MAX_BYTES, format, unusable};
use crate::error::{Error, Result, Status};
use crate::fingerprint::Summing;
use crate::input::Attachment;
use crate::message::media::MediaKind;
use crate::message::{Part, PartState};
use crate::store::{Folder, Guard};

/// Why an entry cannot be claimed or discarded.
#[derive(Debug)]
pub(crate) enum ClaimError {
    /// Another process has claimed it.
    Busy,
    /// There is none of this name.
    Gone,
    /// It cannot be delivered. It is among the failed ones now.
    Damaged(UnreadEntry),
    /// Its files or its folder cannot be used now (exit 3). It stays where it is.
    Failed(Error),
}

impl From<Error> for ClaimError {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// A waiting entry that this process holds the lock of. Dropping it leaves the entry waiting, for the next one.
#[derive(Debug)]
#[must_use = "dropping it lets others deliver it"]
pub(crate) struct ClaimedEntry {
    /// What it holds.
    pub(crate) alert: StoredAlert,
    /// How far it had come when it was claimed, or last saved.
    pub(crate) progress: EntryProgress,
    /// Where it lies.
    pub(super) place: Folder,
    /// Where entries go for which nothing can be done.
    pub(super) failed: Folder,
    /// Where entries are removed.
    pub(super) new: Folder,
    pub(super) lock: Guard,
    /// How many bytes it was counted with, where many are stored together.
    pub(super) bytes: u64,
}

impl ClaimedEntry {
    /// All parts, ready to be sent. Reads the disk.
    /// Fails with [`Status::Refused`] where a body or a file is missing or not the one that was written, with exit 3 where
    /// the file system does not let it be read.
    pub(crate) fn parts(&self) -> Result<Vec<Part>> {
        let file = listing::open_entry(&self.place).map_err(|error| unusable(&self.place, &error))?;
        let parts = format::read_bodies(file).map_err(|error| match error {
            ReadError::Io(error) => unusable(&self.place, &error),
            ReadError::Damaged(what) => self.spoilt(0, &what),
        })?;
        let parts = parts.into_iter().zip(&self.alert.parts).enumerate().map(|(index, (mut part, stored))| {
            part.kind = stored.kind;
            part.file = stored.file.as_ref().map(|file| self.attachment(index, file)).transpose()?;
            part.name.clone_from(&stored.name);
            // Without a call that is left it would count as delivered.
            match self.progress.parts.get(index) {
                // How many calls there are is not known before people were looked up.
                Some(progress)
                    if progress.state != PartState::Sent
                        && progress.taken >= part.count_calls()
                        && self.alert.people.is_empty() =>
                {
                    Err(self.spoilt(index, "more of it is noted as sent than there is"))
                }
                _ => Ok(part),
            }
        });
        parts.collect()
    }

    /// Saves how far it has come, so that it outlives this process: a reader sees the old state or the new one. Only a part
    /// under way that must not be repeated is kept for a loss of power too, which takes its time.
    pub(crate) fn save(&mut self, progress: EntryProgress) -> Result<()> {
        self.progress = progress;
        let is_durable = self.alert.at_most_once && self.progress.has(PartState::UnderWay);
        let saved = format::write_progress(&self.progress).and_then(|content| match is_durable {
            true => self.place.write_durably(PROGRESS, &content),
            false => self.place.replace(PROGRESS, &content, &self.lock),
        });
        saved.map_err(|error| unusable(&self.place, &error))
    }

    /// Removes it after delivery. A process killed in the middle leaves all of it, or nothing that would be delivered.
    /// Where removal fails (exit 3) it still waits, with nothing left to be sent.
    pub(crate) fn done(mut self) -> Result<()> {
        listing::discard(&self.place, &self.new, &self.alert.id).map_err(|error| {
            let mut progress = self.progress.clone();
            progress.parts.iter_mut().for_each(|part| part.state = PartState::Sent);
            let _ = self.save(progress);
            unusable(&self.place, &error)
        })
    }

    /// Puts it among those that nothing can be done for, with what became of it, which must be free of secrets.
    /// Where that fails (exit 3) it still waits.
    pub(crate) fn fail(self, progress: &EntryProgress) -> Result<()> {
        let moved = format::write_progress(progress)
            .and_then(|content| self.place.write_durably(PROGRESS, &content))
            .and_then(|()| self.place.move_into(&self.failed));
        moved.map_err(|error| unusable(&self.place, &error))
    }

    fn attachment(&self, index: usize, stored: &StoredFile) -> Result<(MediaKind, Attachment)> {
        // In a folder that a group shares, no name may make this user send another of his files.
        if !listing::is_copy(&stored.file) {
            return Err(self.spoilt(index, "its file is missing"));
        }
        let file = self.place.open_file(&stored.file, MAX_BYTES).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => self.spoilt(index, "its file is missing"),
            io::ErrorKind::InvalidData => self.spoilt(index, &format!("its file cannot be used: {error}")),
            _ => unusable(&self.place, &error),
        })?;
        // That it cannot be read may pass.
        let attachment = Attachment::kept(file, &stored.name)?;
        if attachment.size != stored.size {
            let changed = format!("its file has {} bytes instead of {}", attachment.size, stored.size);
            return Err(self.spoilt(index, &changed));
        }
        if let Some(expected) = &stored.sha256 {
            let mut summing = Summing::new(attachment.reader());
            std::io::copy(&mut summing, &mut std::io::sink()).map_err(|error| unusable(&self.place, &error))?;
            if summing.finish() != *expected {
                return Err(self.spoilt(index, "its file is not what was copied in: its checksum differs"));
            }
        }
        Ok((stored.kind, attachment))
    }

    fn spoilt(&self, index: usize, what: &str) -> Error {
        let id = &self.alert.id;
        let hint = format!("send that alert again, and discard this one with wecom-alert outbox drop {id}");
        Error::new(Status::Refused, format!("part {} of the outbox entry {id} cannot be sent: {what}", index + 1))
            .with_hint(hint)
    }
}
