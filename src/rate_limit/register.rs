//! The pacing file of a webhook or an app: locked, read, changed and written over in place, at one go.
//!
//! Trouble with it never stops an alert: it is told once, and whoever asked goes on without pacing.

use std::fmt::Display;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::ledger::{Ledger, Wait};
use crate::clock::now_ms;
use crate::event::Observer;
use crate::store::{Folder, Guard, Locked, read_small};

/// How long others may keep the file locked: they only ever write a line, so who takes longer has been stopped.
const LOCK_PATIENCE: Duration = Duration::from_secs(2);

/// A thousand recipients with thirty slots each are less than one MiB; what is much longer is somebody else's.
const FILE_LIMIT: u64 = 8 * 1024 * 1024;

/// A pacing file, and who hears of trouble with it.
#[derive(Debug)]
pub(super) struct Register {
    folder: Option<Folder>,
    name: String,
    listener: Observer,
    /// Whether it stayed locked for too long: it is not waited for again before it was free once.
    is_stuck: AtomicBool,
    is_told: AtomicBool,
}

impl Register {
    /// The file of this name in `folder`, or none.
    pub(super) fn new(folder: Option<Folder>, name: String, listener: Observer) -> Self {
        let (is_stuck, is_told) = (AtomicBool::new(false), AtomicBool::new(false));
        Self { folder, name, listener, is_stuck, is_told }
    }

    /// Changes what is written; nothing is, if `work` says that there is to be a wait. Waits for the file until `until`
    /// at the latest. Returns `None` if it cannot be used.
    pub(super) async fn change(
        &self,
        until: Instant,
        work: impl FnOnce(&mut Ledger, u64) -> Result<(), Wait>,
    ) -> Option<Result<(), Wait>> {
        let patience = if self.is_stuck.load(Ordering::Relaxed) { Duration::ZERO } else { LOCK_PATIENCE };
        let until = until.min(Instant::now() + patience);
        match self.folder()?.lock(&self.name, until, || false).await {
            Ok(Some(guard)) => {
                self.is_stuck.store(false, Ordering::Relaxed);
                self.rewrite(guard, work)
            }
            Ok(None) => {
                self.is_stuck.store(true, Ordering::Relaxed);
                self.tell_trouble("is not used", "another process keeps it locked");
                None
            }
            Err(error) => {
                self.tell_trouble("cannot be used", error);
                None
            }
        }
    }

    /// The same if nobody else has it locked right now; else, and if it cannot be used, nothing happens.
    pub(super) fn try_change(&self, work: impl FnOnce(&mut Ledger, u64) -> Result<(), Wait>) {
        if let Some(Ok(Locked::Held(guard))) = self.folder().map(|folder| folder.try_lock(&self.name)) {
            self.rewrite(guard, work);
        }
    }

    /// What is written there, as far as it can be read without the lock.
    pub(super) fn peek(&self, now: u64) -> Ledger {
        let path = self.folder.as_ref().map(|folder| folder.file(&self.name));
        let content = path.and_then(|path| read_small(&path, FILE_LIMIT).ok()).unwrap_or_default();
        Ledger::parse(&content, now)
    }

    /// Tells something for the curious.
    pub(super) fn tell(&self, line: String) {
        self.listener.detail(line);
    }

    fn rewrite(
        &self,
        mut guard: Guard,
        work: impl FnOnce(&mut Ledger, u64) -> Result<(), Wait>,
    ) -> Option<Result<(), Wait>> {
        let content = guard.read(FILE_LIMIT).unwrap_or_else(|error| {
            self.tell_trouble("is begun anew", error);
            Vec::new()
        });
        // Asked under the lock: nothing was written later than this.
        let now = now_ms();
        let mut ledger = Ledger::parse(&content, now);
        let done = work(&mut ledger, now);
        if done.is_ok() {
            let written = ledger.to_line().map_err(Into::into).and_then(|line| guard.write(&line));
            if let Err(error) = written {
                self.tell_trouble("cannot be written", error);
                return None;
            }
        }
        Some(done)
    }

    fn folder(&self) -> Option<&Folder> {
        if self.folder.is_none() {
            self.tell_once(|| "pacing is not possible: no folder for state is known; set state_dir".to_owned());
        }
        self.folder.as_ref()
    }

    fn tell_trouble(&self, what: &str, reason: impl Display) {
        let file = self.folder.as_ref().map(|folder| folder.file(&self.name)).unwrap_or_default();
        self.tell_once(|| format!("pacing is not possible: the file {} {what}: {reason}", file.display()));
    }

    /// What follows from the first trouble is no news.
    fn tell_once(&self, line: impl FnOnce() -> String) {
        if !self.is_told.swap(true, Ordering::Relaxed) {
            self.listener.detail(line());
        }
    }
}
