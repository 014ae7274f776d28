//! File locks, and files that only the holder of their lock writes: in place, or a small JSON file for a key.

use std::fmt::Display;
use std::fs::{File, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Folder, read_small};
use crate::fingerprint::fingerprint;

/// Between the first two tries for a lock: short beside the request that its holder makes.
const FIRST_RETRY: Duration = Duration::from_millis(4);

/// Between later tries: hundreds may be waiting, and each try costs them a little.
const LONGEST_RETRY: Duration = Duration::from_millis(60);

/// What a file that is rewritten in place usually has, in bytes, at the most.
const USUAL_SIZE: usize = 4096;

/// No JSON file under a key is longer, in bytes.
const KEYED_LIMIT: u64 = 16 * 1024;

/// A file that is locked until this is dropped. The file stays: removing it would let two processes hold "the" lock.
#[derive(Debug)]
pub(crate) struct Guard {
    file: File,
    /// How long it is, as far as that is known.
    length: Option<usize>,
}

impl Folder {
    /// Tries once for the lock of a file in it, which is made where it is missing; `None` if another process holds it. On
    /// a file system without locks every process gets it.
    pub(crate) fn try_lock(&self, name: &str) -> io::Result<Option<Guard>> {
        let file = self.open(name)?;
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) if !has_no_locks(&error) => Err(error),
            Ok(()) | Err(TryLockError::Error(_)) => Ok(Some(Guard { file, length: None })),
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
}

impl Guard {
    /// Reads the locked file as a whole.
    /// Fails with `InvalidData` for more than `limit` bytes.
    pub(crate) fn read(&mut self, limit: u64) -> io::Result<Vec<u8>> {
        // Room for what is usual, so that one read finds the end.
        let mut content = Vec::with_capacity(USUAL_SIZE);
        self.file.rewind()?;
        (&self.file).take(limit + 1).read_to_end(&mut content)?;
        self.length = Some(content.len());
        if content.len() as u64 > limit { Err(io::ErrorKind::InvalidData.into()) } else { Ok(content) }
    }

    /// Writes over the locked file, in place and at one go. Not synced to disk. If the process is killed in the middle, the
    /// end of a longer content from before may still follow the new one: what is written must tell its own end.
    pub(crate) fn write(&mut self, content: &[u8]) -> io::Result<()> {
        self.file.rewind()?;
        self.file.write_all(content)?;
        // Nothing follows it where there was no more before.
        if self.length.is_none_or(|length| length > content.len()) {
            self.file.set_len(content.len() as u64)?;
        }
        self.length = Some(content.len());
        Ok(())
    }
}

/// A small JSON file under a key, with a lock file beside it: kept from one run to the next.
#[derive(Debug)]
pub(crate) struct KeyedFile {
    folder: Folder,
    name: String,
    lock: String,
}

impl KeyedFile {
    /// The file for this key in that folder of the state; the files' names do not reveal the key.
    pub(crate) fn new(state: &Folder, folder: &str, key: &str) -> Self {
        Self::of_fingerprint(state.within(folder), "", &fingerprint([key]))
    }

    /// The file in this folder for a key that this is the fingerprint of.
    pub(crate) fn of_fingerprint(folder: Folder, prefix: &str, fingerprint: &str) -> Self {
        let short = fingerprint.get(..32).unwrap_or(fingerprint);
        Self { folder, name: format!("{prefix}{short}.json"), lock: format!("{prefix}{short}.lock") }
    }

    /// The lock; `None` where it cannot be had in time, or is not needed any more.
    pub(crate) async fn lock(&self, until: Instant, is_settled: impl FnMut() -> bool) -> io::Result<Option<Guard>> {
        self.folder.lock(&self.lock, until, is_settled).await
    }

    #[cfg(test)]
    pub(crate) fn try_lock(&self) -> io::Result<Option<Guard>> {
        self.folder.try_lock(&self.lock)
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.folder.file(&self.name)
    }

    /// What is kept, if anything is; the error says why it cannot be read and quotes nothing of it.
    pub(crate) fn read<T: DeserializeOwned>(&self) -> Result<Option<T>, String> {
        match read_small(&self.file(), KEYED_LIMIT) {
            Ok(content) => serde_json::from_slice(&content).map(Some).map_err(|_| "it is damaged".to_owned()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.to_string()),
        }
    }

    pub(crate) fn write(&self, known: &impl Serialize, guard: &Guard) -> io::Result<()> {
        self.folder.replace(&self.name, &serde_json::to_vec(known)?, guard)
    }

    /// `the file … cannot be written: …`.
    pub(crate) fn says(&self, what: &str, reason: impl Display) -> String {
        format!("the file {} {what}: {reason}", self.file().display())
    }
}

/// Some network file systems have no locks: then all go on without.
fn has_no_locks(error: &io::Error) -> bool {
    /// `ENOLCK`: 37 on Linux, 77 on macOS and the BSDs.
    const NO_LOCKS: [i32; 2] = [37, 77];
    error.kind() == io::ErrorKind::Unsupported || error.raw_os_error().is_some_and(|code| NO_LOCKS.contains(&code))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_in_place_is_read_back_whole() {
        let root = tempfile::tempdir().unwrap();
        let folder = Folder::private(root.path().join("a/b"));
        let mut guard = folder.try_lock("lock").unwrap().unwrap();
        assert!(guard.read(10).unwrap().is_empty());
        guard.write(b"0123456789").unwrap();
        assert!(guard.read(9).is_err());
        guard.write(b"abc").unwrap();
        assert_eq!(guard.read(10).unwrap(), b"abc");
        assert!(folder.try_lock("lock").unwrap().is_none());
        drop(guard);
        assert!(folder.try_lock("lock").unwrap().is_some());
    }
}
