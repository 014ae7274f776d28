//! The locks of files in a folder: tried once, waited for, or only looked at.

use std::fs::File;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Folder;
use crate::store::dir::OpenFor;
use crate::store::lock::{Guard, is_held, is_removed};
use crate::store::opened::Opened;

/// Between the first two tries for a lock: short beside the request that its holder makes.
const FIRST_RETRY: Duration = Duration::from_millis(4);

/// Between later tries: hundreds may be waiting, and each try costs them a little.
const LONGEST_RETRY: Duration = Duration::from_millis(60);

impl Folder {
    /// Tries once for the lock of a file in it, which is made where it is missing; `None` if another process holds it.
    pub(crate) fn try_lock(&self, name: &str) -> io::Result<Option<Guard>> {
        loop {
            let (opened, file) = self.open_or_make_file(name)?;
            let Some(guard) = Guard::try_new(file)? else { return Ok(None) };
            let about = opened.check(guard.file())?;
            // Who removes a file holds its lock: then this is the lock of nothing.
            if !is_removed(&about) {
                return Ok(Some(guard));
            }
        }
    }

    /// Whether a process holds the lock of a file in it. Those who look do not keep each other from knowing.
    pub(crate) fn is_locked(&self, name: &str) -> io::Result<bool> {
        let opened = self.open()?;
        match opened.dir.open_file(name, OpenFor::Write) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            file => {
                let file = file?;
                opened.check(&file)?;
                Ok(is_held(&file))
            }
        }
    }

    /// Waits for the lock of a file in it until `until`, and between two tries asks `enough` whether it is still wanted.
    ///
    /// Returns `None` when the time is over or `enough` said so.
    pub(crate) async fn lock(
        &self,
        name: &str,
        until: Instant,
        mut enough: impl FnMut() -> bool,
    ) -> io::Result<Option<Guard>> {
        let mut pause = FIRST_RETRY;
        loop {
            if let Some(guard) = self.try_lock(name)? {
                return Ok(Some(guard));
            }
            if Instant::now() >= until || enough() {
                return Ok(None);
            }
            tokio::time::sleep(pause.min(until.saturating_duration_since(Instant::now()))).await;
            pause = (pause * 3 / 2).min(LONGEST_RETRY);
        }
    }

    /// Opens a file in it to be read and written; it is made where it is missing.
    fn open_or_make_file(&self, name: &str) -> io::Result<(Arc<Opened>, File)> {
        let is_missing = |error: &io::Error| error.kind() == io::ErrorKind::NotFound;
        match self.open().and_then(|opened| Ok((opened.dir.open_file(name, OpenFor::Write)?, opened))) {
            Err(error) if is_missing(&error) => {}
            found => return found.map(|(file, opened)| (opened, file)),
        }
        let file = self.in_it(|opened| opened.make_file(name))?;
        Ok((self.open()?, file))
    }
}
