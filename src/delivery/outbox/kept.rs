//! The folder of one entry: the names of what lies in it, and how it is read.
//!
//! `entry.json` is written once, durably, before the entry counts as accepted, and never touched again. How far a
//! delivery has come stands beside it, in `progress.json`: the whole entry once more. That is mostly not synced, so after a
//! loss of power it may be empty or gone, and then `entry.json` counts. Nothing accepted can be lost that way.

use std::io;

use super::MAX_BYTES;
use super::entry::Entry;
use crate::state::{Folder, read_small};

/// What was accepted.
pub(super) const ENTRY: &str = "entry.json";

/// The same with what has happened since.
pub(super) const PROGRESS: &str = "progress.json";

/// Held by whoever deals with the entry.
pub(super) const LOCK: &str = "lock";

/// What a look into an entry's folder finds.
pub(super) enum Found {
    /// An entry.
    Whole(Box<Entry>),
    /// Something that cannot be delivered, and why.
    Damaged(String),
    /// Nothing, or no more than the lock that somebody made who came too late.
    Nothing,
}

/// Reads the entry of this name. What changes it holds its lock; without that, what is read may be outdated.
pub(super) fn read(place: &Folder, id: &str) -> Found {
    let content = match read_small(&place.file(ENTRY), MAX_BYTES) {
        Ok(content) => content,
        Err(error) => return unread(place, &error),
    };
    let mut entry = match Entry::parse(&content) {
        Ok(entry) => entry,
        Err(reason) => return Found::Damaged(format!("{ENTRY} cannot be used: {reason}")),
    };
    let progress = read_small(&place.file(PROGRESS), MAX_BYTES).ok();
    if let Some(later) = progress.and_then(|content| Entry::parse(&content).ok())
        && later.id == entry.id
        && later.parts.len() == entry.parts.len()
    {
        entry = later;
    }
    // A folder may have been copied: its name is what it is asked for by.
    id.clone_into(&mut entry.id);
    Found::Whole(Box::new(entry))
}

/// Whether there is nothing in it that belongs to an entry.
pub(super) fn is_hollow(place: &Folder) -> io::Result<bool> {
    Ok(place.names()?.iter().all(|name| name == LOCK))
}

/// Moves a folder to where nobody looks for entries, at one go, and removes it there. What a killed process leaves of it
/// is swept away later.
pub(super) fn discard(place: &Folder, aside: &Folder) -> io::Result<()> {
    match place.move_to(aside) {
        // It may have been moved, and only the disk was not told.
        Err(error) if place.path().exists() => return Err(error),
        _ => {}
    }
    let _ = aside.remove();
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
