//! An entry in the hands of one process: nobody else delivers, moves or discards it meanwhile.

use super::entry::{Entry, Media};
use super::kept::{self, PROGRESS};
use super::unusable;
use crate::clock::now_ms;
use crate::delivery::{Journal, Outcome, Shipment};
use crate::error::{Error, Result};
use crate::input::Attachment;
use crate::message::media::MediaKind;
use crate::state::{Folder, Guard};

/// A waiting entry that this process holds the lock of. Dropping it leaves the entry waiting, for the next one.
#[derive(Debug)]
#[must_use = "dropping it lets others deliver it"]
pub struct Held {
    pub(super) entry: Entry,
    /// Where it lies.
    pub(super) place: Folder,
    /// Where it goes when nothing can be done for it.
    pub(super) failed: Folder,
    /// Where it is removed.
    pub(super) aside: Folder,
    pub(super) lock: Guard,
}

impl Held {
    /// Its name, in the order of time.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.entry.id
    }

    /// What it holds.
    #[must_use]
    pub fn entry(&self) -> &Entry {
        &self.entry
    }

    /// What it holds, to be changed; [`Held::save`] keeps the change.
    #[must_use]
    pub fn entry_mut(&mut self) -> &mut Entry {
        &mut self.entry
    }

    /// A part, ready to be sent; `index` counts from 0.
    ///
    /// # Errors
    ///
    /// Exit 3 where there is no such part, or its file is missing, unreadable or not the one that was copied in.
    pub fn shipment(&self, index: usize) -> Result<Shipment> {
        let Some(part) = self.entry.parts.get(index) else {
            return Err(self.spoilt(index, "there is none"));
        };
        let media = part.media.as_ref().map(|media| self.attachment(index, media)).transpose()?;
        Ok(Shipment { kind: part.kind, body: part.body.clone(), name: part.label.clone(), media })
    }

    /// All parts, ready to be sent.
    ///
    /// # Errors
    ///
    /// As [`Held::shipment`].
    pub fn shipments(&self) -> Result<Vec<Shipment>> {
        (0..self.entry.parts.len()).map(|index| self.shipment(index)).collect()
    }

    /// Lets it wait on, with what an attempt brought.
    ///
    /// # Errors
    ///
    /// As [`Held::save`].
    pub fn wait(mut self, outcome: &Outcome) -> Result<()> {
        self.note(outcome);
        self.save()
    }

    /// Keeps what an attempt brought.
    pub fn note(&mut self, outcome: &Outcome) {
        self.entry.attempts = self.entry.attempts.saturating_add(outcome.attempts);
        self.entry.under_way = None;
        self.entry.may_have_arrived |= outcome.shortfall.is_some_and(|shortfall| shortfall.may_have_arrived);
        if let Some(error) = &outcome.error {
            self.entry.note(error);
        }
    }

    /// Keeps what was changed, so that it outlives this process: a reader sees the old state or the new one. Only a part
    /// under way that must not be repeated is kept for a loss of power too.
    ///
    /// # Errors
    ///
    /// Exit 3 with what the file system says.
    pub fn save(&self) -> Result<()> {
        let durably = self.entry.at_most_once && self.entry.under_way.is_some();
        let content = self.entry.to_json();
        let saved = content.and_then(|content| match durably {
            true => self.place.write_durably(PROGRESS, &content),
            false => self.place.replace(PROGRESS, &content, &self.lock),
        });
        saved.map_err(|error| unusable(&self.place, &error))
    }

    /// Removes it, because WeCom took it. A process killed in the middle leaves all of it or nothing that is delivered.
    ///
    /// # Errors
    ///
    /// Exit 3 with what the file system says; then it waits on, in the state that was saved last.
    pub fn done(self) -> Result<()> {
        kept::discard(&self.place, &self.aside).map_err(|error| unusable(&self.place, &error))
    }

    /// Puts it among those that nothing can be done for, with the reason, which must be free of secrets.
    ///
    /// # Errors
    ///
    /// Exit 3 with what the file system says; then it waits on.
    pub fn fail(mut self, why: &Error) -> Result<()> {
        self.entry.under_way = None;
        self.entry.note(why);
        let content = self.entry.to_json();
        let moved = content
            .and_then(|content| self.place.write_durably(PROGRESS, &content))
            .and_then(|()| self.place.move_to(&self.failed));
        moved.map_err(|error| unusable(&self.place, &error))
    }

    fn keep(&self) {
        // What cannot be kept may be sent twice, which is better than not at all.
        let _ = self.save();
    }

    fn attachment(&self, index: usize, media: &Media) -> Result<(MediaKind, Attachment)> {
        let path = self.place.file(&media.file);
        // In a folder that a group shares, neither a name nor a link may make this user send another of his files.
        let is_own = media.is_own() && std::fs::symlink_metadata(&path).is_ok_and(|about| about.is_file());
        if !is_own {
            return Err(self.spoilt(index, "its file is missing"));
        }
        let attachment = Attachment::kept(&path, &media.name).map_err(|error| self.spoilt(index, error.message()))?;
        if attachment.size() != media.size {
            let changed = format!("its file has {} bytes instead of {}", attachment.size(), media.size);
            return Err(self.spoilt(index, &changed));
        }
        Ok((media.kind, attachment))
    }

    fn spoilt(&self, index: usize, what: &str) -> Error {
        let id = self.id();
        Error::config(
            format!("part {} of the outbox entry {id} cannot be sent: {what}", index + 1),
            format!("send that alert again, and discard this one with wecom-alert outbox drop {id}"),
        )
    }
}

impl Journal for Held {
    fn settled(&self, part: usize) -> usize {
        match self.entry.parts.get(part) {
            Some(part) if part.done => usize::MAX,
            Some(part) => part.sent,
            None => 0,
        }
    }

    fn begin(&mut self, part: usize) {
        self.entry.under_way = Some(part);
        self.entry.last_attempt_ms = Some(now_ms());
        self.keep();
    }

    fn end(&mut self, _part: usize) {
        self.entry.under_way = None;
        // Where nothing forbids a second try, what this saves is of no use.
        if self.entry.at_most_once {
            self.keep();
        }
    }

    fn settle(&mut self, part: usize, calls: usize, all: usize) {
        self.entry.under_way = None;
        if let Some(part) = self.entry.parts.get_mut(part) {
            part.sent = calls;
            part.done = calls >= all;
        }
        self.keep();
    }
}
