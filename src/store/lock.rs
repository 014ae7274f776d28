//! Locks on files, and files that are rewritten in place by whoever holds theirs.

use std::fs::{File, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::time::{Duration, Instant};

use super::Folder;

/// Between the first two tries for a lock: short beside the request that its holder makes.
const FIRST_RETRY: Duration = Duration::from_millis(4);

/// Between later tries: hundreds may be waiting, and each try costs them a little.
const LONGEST_RETRY: Duration = Duration::from_millis(60);

/// What a file that is rewritten in place usually has, in bytes, at the most.
const USUAL_SIZE: usize = 4096;

/// A file that is locked until this is dropped. The file stays: removing it would let two processes hold "the" lock.
#[derive(Debug)]
pub(crate) struct Guard {
    file: File,
    /// How long it is, as far as that is known.
    length: Option<usize>,
}

/// What a try for a lock brought.
#[derive(Debug)]
pub(crate) enum Locked {
    /// It is held now, or the file system has no locks and everybody goes on without.
    Held(Guard),
    /// Somebody else holds it.
    Busy,
}

impl Folder {
    /// Tries once for the lock of a file in it, which is made where it is missing.
    ///
    /// # Errors
    ///
    /// A folder or file that cannot be made or opened.
    pub(crate) fn try_lock(&self, name: &str) -> io::Result<Locked> {
        let file = self.open(name)?;
        match file.try_lock() {
            Ok(()) => Ok(Locked::Held(Guard::of(file))),
            Err(TryLockError::WouldBlock) => Ok(Locked::Busy),
            Err(TryLockError::Error(error)) if has_no_locks(&error) => Ok(Locked::Held(Guard::of(file))),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    /// Waits for the lock of a file in it until `until`, and between two tries asks `enough` whether it is still wanted.
    ///
    /// Returns `None` when the time is over or `enough` said so.
    ///
    /// # Errors
    ///
    /// A folder or file that cannot be made or opened.
    pub(crate) async fn lock(
        &self,
        name: &str,
        until: Instant,
        mut enough: impl FnMut() -> bool,
    ) -> io::Result<Option<Guard>> {
        let mut pause = FIRST_RETRY;
        loop {
            if let Locked::Held(guard) = self.try_lock(name)? {
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
    fn of(file: File) -> Self {
        Self { file, length: None }
    }

    /// Reads the locked file as a whole.
    ///
    /// # Errors
    ///
    /// Whatever the file system says, and `InvalidData` for more than `limit` bytes.
    pub(crate) fn read(&mut self, limit: u64) -> io::Result<Vec<u8>> {
        // Room for what is usual, so that one read finds the end.
        let mut content = Vec::with_capacity(USUAL_SIZE);
        self.file.rewind()?;
        (&self.file).take(limit + 1).read_to_end(&mut content)?;
        self.length = Some(content.len());
        if content.len() as u64 > limit { Err(io::ErrorKind::InvalidData.into()) } else { Ok(content) }
    }

    /// Writes over the locked file, in place and at one go. Not synced to disk. If the process is killed in the middle, the
    /// end of a longer content from before may still stand behind the new one: what is written must tell its own end.
    ///
    /// # Errors
    ///
    /// Whatever the file system says.
    pub(crate) fn write(&mut self, content: &[u8]) -> io::Result<()> {
        self.file.rewind()?;
        self.file.write_all(content)?;
        // Nothing stands behind it where there was no more before.
        if self.length.is_none_or(|length| length > content.len()) {
            self.file.set_len(content.len() as u64)?;
        }
        self.length = Some(content.len());
        Ok(())
    }
}

/// Some network file systems have no locks: everybody goes on without.
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
        let Locked::Held(mut guard) = folder.try_lock("slate").unwrap() else { panic!("nobody else is here") };
        assert!(guard.read(10).unwrap().is_empty());
        guard.write(b"0123456789").unwrap();
        assert!(guard.read(9).is_err());
        guard.write(b"abc").unwrap();
        assert_eq!(guard.read(10).unwrap(), b"abc");
        assert!(matches!(folder.try_lock("slate").unwrap(), Locked::Busy));
        drop(guard);
        assert!(matches!(folder.try_lock("slate").unwrap(), Locked::Held(_)));
    }
}
