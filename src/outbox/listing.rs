//! The folders of the outbox: that of one entry, named, read and discarded, and those that hold entries, listed, measured,
//! swept.
//!
//! `entry.json` is written once, durably, before the entry counts as accepted, and never touched again. How far a delivery
//! has come is next to it, in `progress.json`. That is mostly not synced, so after a loss of power it may be empty or
//! gone, and then nothing was tried. Nothing accepted can be lost that way.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::time::SystemTime;

use chrono::DateTime;

use super::entry::{EntryProgress, StoredAlert};
use super::format::ReadError;
use super::{LEFT_BEHIND, MAX_BYTES, format};
use crate::clock::LAST_MS;
use crate::sort;
use crate::store::Folder;

/// The file of the accepted alert.
pub(super) const ENTRY: &str = "entry.json";

/// The file of the progress.
pub(super) const PROGRESS: &str = "progress.json";

/// The lock of an entry, held by the process that sends, moves or removes it.
pub(super) const LOCK: &str = "lock";

/// An id ends with so many random letters: two containers may have the same millisecond and process number.
const RANDOM_LETTERS: usize = 6;

/// The longest id that is looked for, in bytes.
const LONGEST_ID: usize = 64;

/// An entry that can be delivered, and how far it has come; or one that was not read. A damaged one is never delivered and
/// never removed by itself.
pub(crate) type Listed = Result<(StoredAlert, EntryProgress), UnreadEntry>;

/// An entry that was not read.
#[derive(Debug)]
pub(crate) struct UnreadEntry {
    /// Its name.
    pub(crate) id: String,
    /// Which of its files was not read.
    pub(crate) file: &'static str,
    /// Why.
    pub(crate) error: ReadError,
}

impl UnreadEntry {
    /// Whether it was read, and is not what was written. Otherwise it may be read later.
    pub(crate) fn is_damaged(&self) -> bool {
        matches!(self.error, ReadError::Damaged(_))
    }

    /// Whether it can be sent all the same, once the user asks for it: it is whole but for its progress.
    pub(crate) fn can_be_revived(&self) -> bool {
        self.is_damaged() && self.file == PROGRESS
    }

    /// Why it was not read; nothing of its content is shown.
    pub(crate) fn reason(&self) -> String {
        format!("{} cannot be used: {}", self.file, self.error)
    }
}

/// An id for this moment (Unix time in milliseconds) and process: `20261121T101530.123Z-4711-kqzvbd`. Ids sort by time and
/// are unique among all processes that share a folder.
pub(super) fn new_id(at_ms: u64, process: u32) -> String {
    let at = DateTime::from_timestamp_millis(at_ms.min(LAST_MS).cast_signed()).unwrap_or_default();
    let random: String = std::iter::repeat_with(fastrand::lowercase).take(RANDOM_LETTERS).collect();
    format!("{}-{process}-{random}", at.format("%Y%m%dT%H%M%S%.3fZ"))
}

/// Whether a name can be an id: nothing else is ever looked for, so that no name leads out of the folder.
pub(super) fn is_id(name: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.');
    name.len() <= LONGEST_ID && name.starts_with(|c: char| c.is_ascii_alphanumeric()) && name.bytes().all(fits)
}

/// Reads the entry of this name; `None` where there is nothing, or no more than the lock of a process that came too late.
/// A process that changes the entry holds its lock; without it, what is read may be outdated.
pub(super) fn read(place: &Folder, id: &str) -> Option<Listed> {
    let unread = |(file, error)| UnreadEntry { id: id.to_owned(), file, error };
    read_whole(place, id).map_err(unread).transpose()
}

type WholeEntry = (StoredAlert, EntryProgress);

fn read_whole(place: &Folder, id: &str) -> Result<Option<WholeEntry>, (&'static str, ReadError)> {
    let file = match open_entry(place) {
        Ok(file) => file,
        Err(error) => return unread(place, error).map_or(Ok(None), |error| Err((ENTRY, error))),
    };
    let (mut entry, first) = format::read_entry(file).map_err(|error| (ENTRY, error))?;
    let parts = entry.parts.len();
    let progress = read_progress(place, &entry).map_err(|error| (PROGRESS, error))?;
    // A folder may have been copied: its name is what it is asked for by.
    id.clone_into(&mut entry.id);
    Ok(Some((entry, progress.or(first).unwrap_or_else(|| EntryProgress::new(parts)))))
}

/// Opens the file of the accepted alert, to read its bodies.
pub(super) fn open_entry(place: &Folder) -> io::Result<File> {
    place.open_file(ENTRY, MAX_BYTES)
}

/// How far it has come; `None` where nothing was tried, or a loss of power left nothing of it.
fn read_progress(place: &Folder, entry: &StoredAlert) -> Result<Option<EntryProgress>, ReadError> {
    let file = match place.open_file(PROGRESS, MAX_BYTES) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(not_opened(error)),
    };
    match format::read_progress(&file, entry.parts.len()) {
        Err(ReadError::Damaged(_)) if was_cut(&file, entry.at_most_once)? => Ok(None),
        read => read.map(Some),
    }
}

/// Whether a loss of power left nothing of a progress, or not its end. What must not be repeated needs more than that: its
/// progress was synced when it mattered.
fn was_cut(mut file: &File, at_most_once: bool) -> io::Result<bool> {
    if file.metadata()?.len() == 0 {
        return Ok(true);
    }
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(last != *b"\n" && !at_most_once)
}

/// Whether there is nothing in it that belongs to an entry.
pub(super) fn is_hollow(place: &Folder) -> io::Result<bool> {
    Ok(place.names()?.iter().all(|name| name == LOCK))
}

/// Moves the folder of an entry to the drafts, atomically, and removes it there. What a killed process
/// leaves of it is swept away later.
pub(super) fn discard(place: &Folder, new: &Folder, id: &str) -> io::Result<()> {
    match place.move_into(new) {
        // It may have been moved, and only the fsync failed.
        Err(error) if place.exists() => return Err(error),
        _ => {}
    }
    let _ = new.within(id).remove(is_own);
    Ok(())
}

/// Why `entry.json` cannot be opened; `None` where there is no entry.
fn unread(place: &Folder, error: io::Error) -> Option<ReadError> {
    match error.kind() {
        // A file among the folders is no entry.
        io::ErrorKind::NotADirectory => None,
        io::ErrorKind::NotFound => match is_hollow(place) {
            Ok(true) => None,
            Ok(false) => Some(ReadError::damaged("it is missing")),
            Err(error) => Some(error.into()),
        },
        _ => Some(not_opened(error)),
    }
}

/// What is no plain file of the right owner is damaged; any other error may pass.
fn not_opened(error: io::Error) -> ReadError {
    match error.kind() {
        io::ErrorKind::InvalidData => ReadError::damaged(error.to_string()),
        _ => error.into(),
    }
}

/// How much is kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Stock {
    /// How many entries, damaged ones too.
    pub(crate) entries: usize,
    /// The length of all their files.
    pub(crate) bytes: u64,
}

/// Whether a file in the folder of an entry can be this program's.
pub(super) fn is_own(name: &str) -> bool {
    [ENTRY, PROGRESS, LOCK].contains(&name) || is_copy(name)
}

/// Whether it can be the name of a file that was copied in: `1.bin` for that of the first part.
pub(super) fn is_copy(name: &str) -> bool {
    let number = name.strip_suffix(".bin").unwrap_or_default();
    !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
}

/// The names of what can be an entry, in order.
pub(super) fn ids(folder: &Folder) -> io::Result<Vec<String>> {
    let mut names = folder.names()?;
    names.retain(|name| is_id(name));
    Ok(names)
}

/// The ids of the entries in these folders that begin like this, in order.
pub(super) fn ids_beginning_with(folders: [&Folder; 2], start: &str) -> io::Result<Vec<String>> {
    let mut found = Vec::new();
    for folder in folders {
        found.extend(ids(folder)?.into_iter().filter(|id| id.starts_with(start)));
    }
    // One may have moved meanwhile.
    sort::sort(&mut found);
    found.dedup();
    Ok(found)
}

/// Reads all entries, one at a time, in order; what went away meanwhile is left out.
pub(super) fn list(folder: &Folder) -> io::Result<impl Iterator<Item = Listed>> {
    let folder = folder.clone();
    Ok(ids(&folder)?.into_iter().filter_map(move |id| read_listed(&folder.within(&id), &id)))
}

/// Reads an entry without locking it; one that nobody can lock is damaged.
pub(super) fn read_listed(place: &Folder, id: &str) -> Option<Listed> {
    let listed = read(place, id)?;
    let damage = lock_damage(place).filter(|_| listed.is_ok());
    Some(match damage {
        Some(error) => Err(UnreadEntry { id: id.to_owned(), file: LOCK, error }),
        None => listed,
    })
}

/// What is wrong with the lock, where nobody can lock the entry.
fn lock_damage(place: &Folder) -> Option<ReadError> {
    let error = place.open_file(LOCK, MAX_BYTES).err()?;
    (error.kind() == io::ErrorKind::InvalidData).then(|| not_opened(error))
}

/// Counts entries and bytes in these folders, by what the file system says of them.
pub(super) fn stock(folders: [&Folder; 2]) -> io::Result<Stock> {
    let mut stock = Stock::default();
    for folder in folders {
        for id in ids(folder)? {
            let place = folder.within(&id);
            // What goes away meanwhile, or is no folder, counts for nothing.
            let Ok(names) = place.names() else { continue };
            if names.iter().any(|name| name != LOCK) {
                stock.entries += 1;
                let lengths = names.iter().filter_map(|name| place.length_of(name).ok());
                stock.bytes += lengths.sum::<u64>();
            }
        }
    }
    Ok(stock)
}

/// Removes the folders that were left behind, where `unwanted` says so while their lock is held. Returns how many.
pub(super) fn sweep(folder: &Folder, now: SystemTime, unwanted: impl Fn(&Folder) -> bool) -> io::Result<usize> {
    let mut swept = 0;
    for name in ids(folder)? {
        let place = folder.within(&name);
        if !was_left_behind(&place, now) || !unwanted(&place) {
            continue;
        }
        if let Ok(Some(_lock)) = place.try_lock(LOCK)
            && unwanted(&place)
            && place.remove(is_own).is_ok()
        {
            swept += 1;
        }
    }
    Ok(swept)
}

/// Whether nothing was put into it or taken out of it for an hour.
fn was_left_behind(place: &Folder, now: SystemTime) -> bool {
    place.modified().is_ok_and(|at| now.duration_since(at).is_ok_and(|age| age >= LEFT_BEHIND))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn moments_are_those_of_the_calendar() {
        for (at_ms, shown) in [
            (0, "19700101T000000.000Z"),
            (951_782_400_000, "20000229T000000.000Z"),
            (951_868_799_999, "20000229T235959.999Z"),
            (1_709_251_199_001, "20240229T235959.001Z"),
            (1_735_689_599_000, "20241231T235959.000Z"),
            (1_795_256_130_123, "20261121T101530.123Z"),
            (4_107_542_400_000, "21000301T000000.000Z"),
        ] {
            assert_eq!(new_id(at_ms, 1).split_once('-').unwrap().0, shown);
        }
    }

    #[test]
    fn ids_of_one_moment_differ() {
        let ids: std::collections::BTreeSet<String> = (0..100).map(|_| new_id(5, 1)).collect();
        assert_eq!(ids.len(), 100);
    }

    #[test]
    fn nothing_that_leads_elsewhere_is_an_id() {
        let long = "a".repeat(65);
        for name in ["", ".", "..", "../x", "a/b", "a\\b", ".hidden", "-f", "a b", "ä", "a\0", &long] {
            assert!(!is_id(name), "{name:?}");
        }
    }

    proptest! {
        #[test]
        fn ids_sort_by_time(one in 0..253_402_300_799_999_u64, other in 0..253_402_300_799_999_u64, process: u32) {
            let (first, second) = (new_id(one, process), new_id(other, 4_194_304));
            prop_assert!(is_id(&first) && is_id(&second));
            if one != other {
                prop_assert_eq!(one < other, first < second);
            }
        }
    }
}
