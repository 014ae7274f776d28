//! The rate limit's file of a webhook or an app: locked, read, changed and written over in place, at one go.
//!
//! A file that cannot be used never stops an alert: the user is warned once, and the request goes out without a limit.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::window::Window;
use crate::clock::now_ms;
use crate::event::Observer;
use crate::store::{Folder, Guard, lock_patience};

/// How long others may keep the file locked at the most. They only ever write a line: a longer lock means a stopped process.
const LOCK_PATIENCE: Duration = Duration::from_secs(2);

/// In bytes. A thousand recipients with thirty permits each take less than one MiB.
const FILE_LIMIT: u64 = 8 * 1024 * 1024;

/// The file, and the observer that is told of trouble with it.
#[derive(Debug)]
pub(super) struct RateFile {
    folder: Option<Folder>,
    name: String,
    pub(super) observer: Observer,
    /// Whether it stayed locked for too long: it is not waited for again before it was free once.
    is_stuck: AtomicBool,
    is_told: AtomicBool,
}

impl RateFile {
    /// The file of this name in `folder`, or none.
    pub(super) fn new(folder: Option<Folder>, name: String, observer: Observer) -> Self {
        Self { folder, name, observer, is_stuck: AtomicBool::new(false), is_told: AtomicBool::new(false) }
    }

    /// Changes what is written; it is written again only if `work` changed it. Waits for the lock for a part of the time until
    /// `deadline`. Returns `None` if the file cannot be used.
    pub(super) async fn change<T>(&self, deadline: Instant, work: impl FnOnce(&mut Window, u64) -> T) -> Option<T> {
        let Some(folder) = &self.folder else {
            self.tell_trouble("no folder for state is known; set state_dir");
            return None;
        };
        let patience = if self.is_stuck.load(Ordering::Relaxed) { Duration::ZERO } else { LOCK_PATIENCE };
        let locked = folder.lock(&self.name, lock_patience(deadline).min(Instant::now() + patience), || false).await;
        self.is_stuck.store(matches!(locked, Ok(None)), Ordering::Relaxed);
        match locked {
            Ok(Some(guard)) => return self.rewrite(guard, work),
            Ok(None) => self.tell_trouble("is not used: another process keeps it locked"),
            Err(error) => self.tell_trouble(&format!("cannot be used: {error}")),
        }
        None
    }

    /// The same without waiting for the lock; if that is taken, or the file cannot be used, nothing happens.
    pub(super) fn try_change(&self, work: impl FnOnce(&mut Window, u64)) {
        if let Some(Ok(Some(guard))) = self.folder.as_ref().map(|folder| folder.try_lock(&self.name)) {
            self.rewrite(guard, work);
        }
    }

    /// What is written there, as far as it can be read without the lock.
    pub(super) fn peek(&self, now: u64) -> Window {
        let content =
            self.folder.as_ref().and_then(|folder| folder.read(&self.name, FILE_LIMIT).ok()).unwrap_or_default();
        Window::parse(&content, now)
    }

    fn rewrite<T>(&self, mut guard: Guard, work: impl FnOnce(&mut Window, u64) -> T) -> Option<T> {
        let content = guard.read(FILE_LIMIT).unwrap_or_else(|error| {
            self.tell_trouble(&format!("is begun anew: {error}"));
            Vec::new()
        });
        // Asked under the lock: nothing was written later than this.
        let now = now_ms();
        let before = Window::parse(&content, now);
        let mut window = before.clone();
        let done = work(&mut window, now);
        if window != before
            && let Err(error) = window.to_line().map_err(Into::into).and_then(|line| guard.write(&line))
        {
            self.tell_trouble(&format!("cannot be written: {error}"));
            return None;
        }
        Some(done)
    }

    /// Tells the first trouble with the file, if there is one: the next ones follow from it.
    fn tell_trouble(&self, trouble: &str) {
        if !self.is_told.swap(true, Ordering::Relaxed) {
            let file = self.folder.as_ref().map(|folder| format!("the file {} ", folder.file(&self.name).display()));
            self.observer.detail(format!("pacing is not possible: {}{trouble}", file.unwrap_or_default()));
        }
    }
}
