//! Storing for a process that sends many alerts: what waits to be stored or removed at the same time is synced to disk once.
//!
//! It is as safe as alert by alert. The drafts of a group are written, then one `syncfs` puts their files, folders and names on
//! disk, and only then are they moved to where entries wait, and the names in both folders synced. So whatever moment the
//! power fails at, an entry that waits is whole; and an alert is said to be stored only after the last sync. Linux tells of
//! failed writes by `syncfs` since 5.8; elsewhere, and before that, each file is synced by itself.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::entry::EntryProgress;
use super::{ClaimedEntry, MAX_BYTES, NotStored, Outbox, Stock, StoredAlert, listing};
use crate::blocking::to_the_end;
use crate::error::{Error, Result};
use crate::message::Part;
use crate::store::{Folder, Guard};

/// The most entries that a process which sends many alerts keeps, waiting and failed together.
pub(crate) const MAX_ENTRIES_OF_MANY: usize = 100_000;

/// So many alerts are synced together at the most.
const LARGEST_GROUP: usize = 512;

/// How long a count of what is kept is good, where it says that there is no room.
const RECOUNT: Duration = Duration::from_secs(10);

/// What is to be done to the outbox.
enum Job {
    Store(StoredAlert, Vec<Part>, oneshot::Sender<Result<ClaimedEntry, NotStored>>),
    Remove(ClaimedEntry, oneshot::Sender<Result<()>>),
}

/// The outbox of a process that sends many alerts. Clones share it.
#[derive(Clone)]
pub(crate) struct GroupedOutbox(Arc<Shared>);

struct Shared {
    outbox: Outbox,
    jobs: Mutex<Jobs>,
}

#[derive(Default)]
struct Jobs {
    waiting: VecDeque<Job>,
    /// Whether a thread does them.
    is_at_work: bool,
    /// What is kept, as far as is known, and when it was counted.
    stock: Option<(Stock, Instant)>,
}

impl std::fmt::Debug for GroupedOutbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("GroupedOutbox")
    }
}

impl GroupedOutbox {
    pub(crate) fn new(outbox: Outbox) -> Self {
        Self(Arc::new(Shared { outbox, jobs: Mutex::default() }))
    }

    /// Stores an alert, as [`Outbox::accept`] does.
    pub(crate) async fn accept(&self, alert: StoredAlert, parts: &[Part]) -> Result<ClaimedEntry, NotStored> {
        let (sender, stored) = oneshot::channel();
        self.add(Job::Store(alert, parts.to_vec(), sender), stored).await.map_err(NotStored::Outbox)?
    }

    /// Removes an entry, as [`ClaimedEntry::done`] does.
    pub(crate) async fn remove(&self, entry: ClaimedEntry) -> Result<()> {
        let (sender, removed) = oneshot::channel();
        self.add(Job::Remove(entry, sender), removed).await?
    }

    async fn add<T>(&self, job: Job, ended: oneshot::Receiver<T>) -> Result<T> {
        let begins = {
            let mut jobs = self.0.lock();
            jobs.waiting.push_back(job);
            !std::mem::replace(&mut jobs.is_at_work, true)
        };
        let mut ended = ended;
        if begins {
            let shared = Arc::clone(&self.0);
            let working = to_the_end(move || shared.work());
            tokio::pin!(working);
            // The thread goes on for others, and this one goes on as soon as its own is done.
            tokio::select! {
                biased;
                result = &mut ended => return result.map_err(|_| broken()),
                worked = &mut working => worked?,
            }
        }
        ended.await.map_err(|_| broken())
    }
}

fn broken() -> Error {
    Error::defect("the work on the outbox broke off")
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Jobs> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does what waits, group by group, until nothing waits.
    fn work(&self) {
        loop {
            let group: Vec<Job> = {
                let mut jobs = self.lock();
                let count = jobs.waiting.len().min(LARGEST_GROUP);
                if count == 0 {
                    jobs.is_at_work = false;
                    return;
                }
                jobs.waiting.drain(..count).collect()
            };
            self.carry_out(group);
        }
    }

    fn carry_out(&self, group: Vec<Job>) {
        let (mut alerts, mut to_store, mut entries, mut to_remove) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for job in group {
            match job {
                Job::Store(alert, parts, sender) => {
                    alerts.push((alert, parts));
                    to_store.push(sender);
                }
                Job::Remove(entry, sender) => {
                    entries.push(entry);
                    to_remove.push(sender);
                }
            }
        }
        let sizes: Vec<u64> = entries.iter().map(|entry| entry.bytes).collect();
        let removed = self.outbox.remove_group(entries).into_iter().zip(sizes);
        for (sender, (removed, bytes)) in to_remove.into_iter().zip(removed) {
            if removed.is_ok()
                && let Some((stock, _)) = &mut self.lock().stock
            {
                stock.entries = stock.entries.saturating_sub(1);
                stock.bytes = stock.bytes.saturating_sub(bytes);
            }
            let _ = sender.send(removed);
        }
        let stored = self.outbox.accept_group(alerts, |needed| self.make_room(needed));
        for (sender, stored) in to_store.into_iter().zip(stored) {
            let _ = sender.send(stored);
        }
    }

    /// Counts an alert of so many bytes in, unless there is no room for it.
    fn make_room(&self, needed: u64) -> Result<(), NotStored> {
        let known = self.lock().stock;
        let has_room =
            |stock: Stock| stock.entries < MAX_ENTRIES_OF_MANY && stock.bytes.saturating_add(needed) <= MAX_BYTES;
        let stock = match known {
            Some((stock, at)) if has_room(stock) || at.elapsed() < RECOUNT => stock,
            _ => {
                let stock = self.outbox.stock().map_err(NotStored::Outbox)?;
                self.lock().stock = Some((stock, Instant::now()));
                stock
            }
        };
        if !has_room(stock) {
            return Err(self.outbox.full(stock, needed, MAX_ENTRIES_OF_MANY));
        }
        if let Some((stock, _)) = &mut self.lock().stock {
            stock.entries += 1;
            stock.bytes += needed;
        }
        Ok(())
    }
}

/// An entry that is written and not in its place yet.
struct Draft {
    alert: StoredAlert,
    parts: usize,
    bytes: u64,
    folder: Folder,
    lock: Guard,
}

impl Outbox {
    /// Accepts alerts as [`Outbox::accept`] does, and syncs what they are made of together.
    fn accept_group(
        &self,
        alerts: Vec<(StoredAlert, Vec<Part>)>,
        make_room: impl Fn(u64) -> Result<(), NotStored>,
    ) -> Vec<Result<ClaimedEntry, NotStored>> {
        let drafts: Vec<_> = alerts.into_iter().map(|(alert, parts)| self.draft(alert, &parts, &make_room)).collect();
        let whole: Vec<&Folder> = drafts.iter().flatten().map(|draft| &draft.folder).collect();
        let synced = if whole.is_empty() { Ok(()) } else { self.sync_drafts(&whole) };
        let placed: Vec<_> = drafts
            .into_iter()
            .map(|draft| {
                let draft = draft?;
                let moved = match &synced {
                    Ok(()) => draft.folder.rename_into(&self.waiting).map_err(|error| self.unusable(&error)),
                    Err(error) => Err(error.clone()),
                };
                match moved {
                    Ok(()) => Ok(draft),
                    Err(error) => {
                        let _ = draft.folder.remove(listing::is_own);
                        Err(NotStored::Outbox(error))
                    }
                }
            })
            .collect();
        let named = if placed.iter().any(Result::is_ok) { self.sync_moves() } else { Ok(()) };
        let claim = |draft: Draft| match &named {
            Ok(()) => {
                let progress = EntryProgress::new(draft.parts);
                Ok(ClaimedEntry { bytes: draft.bytes, ..self.claimed(draft.alert, progress, draft.lock) })
            }
            Err(error) => {
                let _ = listing::discard(&self.waiting.within(&draft.alert.id), &self.new, &draft.alert.id);
                Err(NotStored::Outbox(error.clone()))
            }
        };
        placed.into_iter().map(|draft| draft.and_then(claim)).collect()
    }

    fn draft(
        &self,
        mut alert: StoredAlert,
        parts: &[Part],
        make_room: impl Fn(u64) -> Result<(), NotStored>,
    ) -> Result<Draft, NotStored> {
        let (bodies, bytes) = self.prepare(&mut alert, parts)?;
        make_room(bytes)?;
        let mut unread = None;
        match self.write_draft(&mut alert, parts, bodies, false, &mut unread) {
            Ok(lock) => {
                let folder = self.new.within(&alert.id);
                Ok(Draft { alert, parts: parts.len(), bytes, folder, lock })
            }
            Err(error) => Err(self.not_stored(&alert.id, unread, &error)),
        }
    }

    /// Puts drafts on disk, with their names.
    fn sync_drafts(&self, drafts: &[&Folder]) -> Result<()> {
        let synced = || {
            let is_group = drafts.len() > 1;
            if is_group && self.new.sync_file_system()? {
                return Ok(());
            }
            drafts.iter().try_for_each(|draft| draft.sync_files())
        };
        synced().map_err(|error: io::Error| self.unusable(&error))
    }

    fn sync_moves(&self) -> Result<()> {
        self.waiting.sync_names().and_then(|()| self.new.sync_names()).map_err(|error| self.unusable(&error))
    }

    /// Removes entries as [`ClaimedEntry::done`] does, and syncs their names together.
    fn remove_group(&self, entries: Vec<ClaimedEntry>) -> Vec<Result<()>> {
        let moved: Vec<_> = entries
            .into_iter()
            .map(|entry| {
                let moved = entry.place.rename_into(&self.new);
                (entry, moved)
            })
            .collect();
        let synced = if moved.is_empty() { Ok(()) } else { self.sync_moves() };
        let ended = moved.into_iter().map(|(entry, moved)| match (moved, &synced) {
            (Ok(()), synced) => {
                let _ = self.new.within(&entry.alert.id).remove(listing::is_own);
                synced.clone()
            }
            // It is tried alone, and kept as delivered where that fails too.
            (Err(_), _) => entry.done(),
        });
        ended.collect()
    }
}
