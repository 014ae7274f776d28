//! File locks ([`Guard`]), and files that only the holder of their lock writes, in place.

use std::fs::{File, Metadata, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::time::{Duration, Instant};

/// What a file that is rewritten in place usually has, in bytes, at the most.
const USUAL_SIZE: usize = 4096;

/// The longest wait for a lock.
const LONGEST_PATIENCE: Duration = Duration::from_secs(20);

/// Until when a lock is waited for, given the deadline of the command: a quarter of the time that is left. Its holder may be
/// a stopped process, and then there must be time enough to go on without the lock.
pub(crate) fn lock_patience(deadline: Instant) -> Instant {
    let now = Instant::now();
    now + (deadline.saturating_duration_since(now) / 4).min(LONGEST_PATIENCE)
}

/// A file that is locked until this is dropped. The file stays: removing it would let two processes hold "the" lock.
#[derive(Debug)]
pub(crate) struct Guard {
    file: File,
    /// How long it is, as far as that is known.
    length: Option<usize>,
}

impl Guard {
    /// Locks an open file; `None` if another process holds its lock. On a file system without locks every process gets it.
    pub(super) fn try_new(file: File) -> io::Result<Option<Self>> {
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) if !has_no_locks(&error) => Err(error),
            Ok(()) | Err(TryLockError::Error(_)) => Ok(Some(Self { file, length: None })),
        }
    }

    pub(super) fn file(&self) -> &File {
        &self.file
    }

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

/// Whether a process holds the lock of this file. On a file system without locks none does.
pub(super) fn is_held(file: &File) -> bool {
    // Others may look at the same moment: a lock that several may have.
    matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock))
}

/// Whether it has no name any more.
#[cfg(unix)]
pub(super) fn is_removed(file: &Metadata) -> bool {
    std::os::unix::fs::MetadataExt::nlink(file) == 0
}

/// Nothing removes an open file there.
#[cfg(not(unix))]
pub(super) fn is_removed(_file: &Metadata) -> bool {
    false
}

/// Some network file systems have no locks: then all go on without.
fn has_no_locks(error: &io::Error) -> bool {
    /// `ENOLCK`: 37 on Linux, 77 on macOS and the BSDs.
    const NO_LOCKS: [i32; 2] = [37, 77];
    error.kind() == io::ErrorKind::Unsupported || error.raw_os_error().is_some_and(|code| NO_LOCKS.contains(&code))
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::lock_patience;
    use crate::store::Folder;

    #[test]
    fn a_lock_is_worth_a_part_of_the_deadline() {
        for (left_s, part_s) in [(0, 0), (2, 0), (40, 10), (80, 20), (999_999, 20)] {
            // Asked within two moments: the wait ends a part after the one, and not later than that after the other.
            let before = Instant::now();
            let until = lock_patience(before + Duration::from_secs(left_s));
            assert!(until + Duration::from_secs(1) >= before + Duration::from_secs(part_s), "{left_s}");
            assert!(until <= Instant::now() + Duration::from_millis(left_s.min(80) * 250), "{left_s}");
        }
    }

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
