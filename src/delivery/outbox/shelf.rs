//! A folder of entries as a whole: made, listed, measured, swept.

use std::io;
use std::ops::Add;
use std::time::SystemTime;

use super::entry::Entry;
use super::kept::{self, Found, LOCK};
use super::{LEFT_BEHIND, id};
use crate::state::{Folder, Locked};

/// The entries of one state.
#[derive(Debug, Default)]
pub struct Listing {
    /// In the order of time.
    pub entries: Vec<Entry>,
    /// What cannot be read, likewise. It is never delivered and never vanishes by itself.
    pub damaged: Vec<Damaged>,
}

/// An entry that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damaged {
    /// Its name.
    pub id: String,
    /// Why; nothing of its content is shown.
    pub reason: String,
}

/// How much is kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stock {
    /// How many entries, damaged ones too.
    pub entries: usize,
    /// The length of all their files.
    pub bytes: u64,
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

/// Reads all entries.
pub(super) fn list(shelf: &Folder) -> io::Result<Listing> {
    let mut listing = Listing::default();
    for id in ids(shelf)? {
        match kept::read(&shelf.within(&id), &id) {
            Found::Whole(entry) => listing.entries.push(*entry),
            Found::Damaged(reason) => listing.damaged.push(Damaged { id, reason }),
            // It went away meanwhile.
            Found::Nothing => {}
        }
    }
    Ok(listing)
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
