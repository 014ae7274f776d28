//! The folders of the outbox: that of one entry, read and discarded, and those that hold entries, listed, measured, swept.
//!
//! `entry.json` is written once, durably, before the entry counts as accepted, and never touched again. How far a delivery
//! has come stands beside it, in `progress.json`. That is mostly not synced, so after a loss of power it may be empty or
//! gone, and then nothing was tried. Nothing accepted can be lost that way.

use std::fs::File;
use std::io;
use std::ops::Add;
use std::time::SystemTime;

use super::entry::{Entry, Progress};
use super::{LEFT_BEHIND, MAX_BYTES, format, id};
use crate::store::{Folder, Locked, open_small};

/// What was accepted.
pub(super) const ENTRY: &str = "entry.json";

/// How far it has come.
pub(super) const PROGRESS: &str = "progress.json";

/// Held by whoever deals with the entry.
pub(super) const LOCK: &str = "lock";

/// What a look into an entry's folder finds.
pub(super) enum Found {
    /// An entry.
    Whole(Box<(Entry, Progress)>),
    /// Something that cannot be delivered, and why.
    Damaged(String),
    /// Nothing, or no more than the lock that somebody made who came too late.
    Nothing,
}

/// Reads the entry of this name. What changes it holds its lock; without that, what is read may be outdated.
pub(super) fn read(place: &Folder, id: &str) -> Found {
    let file = match open_small(&place.file(ENTRY), MAX_BYTES) {
        Ok(file) => file,
        Err(error) => return unread(place, &error),
    };
    let (mut entry, first) = match format::read_entry(file) {
        Ok(read) => read,
        Err(reason) => return Found::Damaged(format!("{ENTRY} cannot be used: {reason}")),
    };
    let parts = entry.parts.len();
    let progress = match read_progress(place, parts) {
        Ok(progress) => progress.or(first).unwrap_or_else(|| Progress::new(parts)),
        // It may have arrived, and nobody knows.
        Err(reason) if entry.at_most_once => return Found::Damaged(format!("{PROGRESS} cannot be used: {reason}")),
        Err(_) => first.unwrap_or_else(|| Progress::new(parts)),
    };
    // A folder may have been copied: its name is what it is asked for by.
    id.clone_into(&mut entry.id);
    Found::Whole(Box::new((entry, progress)))
}

/// Opens what was accepted, to read its bodies.
pub(super) fn open_entry(place: &Folder) -> io::Result<File> {
    open_small(&place.file(ENTRY), MAX_BYTES)
}

/// How far it has come; `None` where nothing was tried, or a loss of power left nothing of it.
fn read_progress(place: &Folder, parts: usize) -> Result<Option<Progress>, String> {
    match open_small(&place.file(PROGRESS), MAX_BYTES) {
        Ok(file) if file.metadata().is_ok_and(|about| about.len() == 0) => Ok(None),
        Ok(file) => format::read_progress(file, parts).map(Some),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.to_string()),
    }
}

/// Whether there is nothing in it that belongs to an entry.
pub(super) fn is_hollow(place: &Folder) -> io::Result<bool> {
    Ok(place.names()?.iter().all(|name| name == LOCK))
}

/// Moves the folder of an entry into another one, as a whole. That one is made where somebody took it away.
pub(super) fn move_into(place: &Folder, shelf: &Folder, id: &str) -> io::Result<()> {
    match place.move_to(&shelf.within(id)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound && place.path().exists() => {
            shelf.make()?;
            place.move_to(&shelf.within(id))
        }
        moved => moved,
    }
}

/// Moves the folder of an entry to where nobody looks for entries, at one go, and removes it there. What a killed process
/// leaves of it is swept away later.
pub(super) fn discard(place: &Folder, new: &Folder, id: &str) -> io::Result<()> {
    match move_into(place, new, id) {
        // It may have been moved, and only the disk was not told.
        Err(error) if place.path().exists() => return Err(error),
        _ => {}
    }
    let _ = new.within(id).remove();
    Ok(())
}

fn unread(place: &Folder, error: &io::Error) -> Found {
    match error.kind() {
        // A file among the folders is nobody's entry.
        io::ErrorKind::NotADirectory => Found::Nothing,
        io::ErrorKind::NotFound => match is_hollow(place) {
            Ok(true) => Found::Nothing,
            Ok(false) => Found::Damaged(format!("{ENTRY} is missing")),
            Err(error) => Found::Damaged(format!("its folder cannot be read: {error}")),
        },
        io::ErrorKind::InvalidData => Found::Damaged(format!("{ENTRY} is too long or no regular file")),
        _ => Found::Damaged(format!("{ENTRY} cannot be read: {error}")),
    }
}

/// An entry as a list tells of it.
#[derive(Debug, Clone)]
pub(crate) enum Listed {
    /// One that can be delivered.
    Whole(Box<(Entry, Progress)>),
    /// One that cannot be read. It is never delivered and never vanishes by itself.
    Damaged {
        /// Its name.
        id: String,
        /// Why; nothing of its content is shown.
        reason: String,
    },
}

/// How much is kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Stock {
    /// How many entries, damaged ones too.
    pub(crate) entries: usize,
    /// The length of all their files.
    pub(crate) bytes: u64,
}

impl Add for Stock {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self { entries: self.entries + other.entries, bytes: self.bytes.saturating_add(other.bytes) }
    }
}

/// Makes folders, the upper ones first, and sees to it that those which were missing outlive a loss of power.
pub(super) fn make_durably(folders: [&Folder; 5]) -> io::Result<()> {
    for folder in folders {
        let missing: Vec<Folder> = folder
            .path()
            .ancestors()
            .take_while(|path| !path.as_os_str().is_empty() && !path.exists())
            .map(Folder::private)
            .collect();
        folder.make()?;
        for made in missing {
            // To its own place: that changes nothing, and syncs the name in the folder above.
            if made.path().parent().is_some_and(|above| !above.as_os_str().is_empty()) {
                made.move_to(&made)?;
            }
        }
    }
    Ok(())
}

/// The names of what can be an entry, in order.
pub(super) fn ids(shelf: &Folder) -> io::Result<Vec<String>> {
    let mut names = shelf.names()?;
    names.retain(|name| id::is_id(name));
    Ok(names)
}

/// Reads all entries, one at a time, in order; what went away meanwhile is left out.
pub(super) fn list(shelf: &Folder) -> io::Result<impl Iterator<Item = Listed>> {
    let shelf = shelf.clone();
    Ok(ids(&shelf)?.into_iter().filter_map(move |id| match read(&shelf.within(&id), &id) {
        Found::Whole(whole) => Some(Listed::Whole(whole)),
        Found::Damaged(reason) => Some(Listed::Damaged { id, reason }),
        Found::Nothing => None,
    }))
}

/// Counts entries and bytes, by what the file system says of them.
pub(super) fn stock(shelf: &Folder) -> io::Result<Stock> {
    let mut stock = Stock::default();
    for id in ids(shelf)? {
        let place = shelf.within(&id);
        // What goes away meanwhile, or is no folder, counts for nothing.
        let Ok(names) = place.names() else { continue };
        if names.iter().any(|name| name != LOCK) {
            let lengths = names.iter().filter_map(|name| std::fs::symlink_metadata(place.file(name)).ok());
            stock = stock + Stock { entries: 1, bytes: lengths.map(|about| about.len()).sum() };
        }
    }
    Ok(stock)
}

/// Removes the folders that were left behind, where `unwanted` says so while their lock is held. Returns how many.
pub(super) fn sweep(shelf: &Folder, now: SystemTime, unwanted: impl Fn(&Folder) -> bool) -> io::Result<usize> {
    let mut swept = 0;
    for name in ids(shelf)? {
        let place = shelf.within(&name);
        if !was_left_behind(&place, now) || !unwanted(&place) {
            continue;
        }
        if let Ok(Locked::Held(_lock)) = place.try_lock(LOCK)
            && unwanted(&place)
            && place.remove().is_ok()
        {
            swept += 1;
        }
    }
    Ok(swept)
}

/// Whether nothing was put into it or taken out of it for an hour.
fn was_left_behind(place: &Folder, now: SystemTime) -> bool {
    let modified = std::fs::metadata(place.path()).and_then(|about| about.modified());
    modified.is_ok_and(|at| now.duration_since(at).is_ok_and(|age| age >= LEFT_BEHIND))
}
