//! Locks and private files: the only code of the library that writes to disk.
//!
//! What is kept here may vanish or be refused at any time; whoever calls decides whether that matters.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::Path;
use std::time::{Duration, Instant};

/// Between the first two tries for a lock: short beside the request that its holder makes.
const FIRST_RETRY: Duration = Duration::from_millis(4);

/// Between later tries: hundreds may be waiting, and each try costs them a little.
const LONGEST_RETRY: Duration = Duration::from_millis(60);

/// A lock that is held until it is dropped. The file stays: removing it would let two processes hold "the" lock.
#[derive(Debug)]
pub struct Guard {
    _file: Option<File>,
}

/// What a try for a lock brought.
#[derive(Debug)]
pub enum Locked {
    /// It is held now, or the file system has no locks and everybody goes on without.
    Held(Guard),
    /// Somebody else holds it.
    Busy,
}

/// Tries once for the lock of `path`, making its folder (0700) and the file (0600) where they are missing.
///
/// # Errors
///
/// A folder or file that cannot be made or opened.
pub fn try_lock(path: &Path) -> io::Result<Locked> {
    let file = open_private(path)?;
    match file.try_lock() {
        Ok(()) => Ok(Locked::Held(Guard { _file: Some(file) })),
        Err(TryLockError::WouldBlock) => Ok(Locked::Busy),
        Err(TryLockError::Error(error)) if has_no_locks(&error) => Ok(Locked::Held(Guard { _file: None })),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Waits for the lock of `path` until `until`, and between two tries asks `enough` whether it is still wanted.
///
/// Returns `None` when the time is over or `enough` said so.
///
/// # Errors
///
/// A folder or file that cannot be made or opened.
pub async fn lock(path: &Path, until: Instant, mut enough: impl FnMut() -> bool) -> io::Result<Option<Guard>> {
    let mut pause = FIRST_RETRY;
    loop {
        if let Locked::Held(guard) = try_lock(path)? {
            return Ok(Some(guard));
        }
        if Instant::now() >= until || enough() {
            return Ok(None);
        }
        tokio::time::sleep(pause.min(until.saturating_duration_since(Instant::now()))).await;
        pause = (pause * 3 / 2).min(LONGEST_RETRY);
    }
}

/// Replaces `path` as a whole: a reader sees the old content or the new one, never a part. The guard proves that the
/// caller holds the lock that belongs to it. Not synced to disk: what is kept this way can be had again.
///
/// # Errors
///
/// Whatever the file system says: no space, no permission, a file where a folder should be.
pub fn replace(path: &Path, content: &[u8], _held: &Guard) -> io::Result<()> {
    let folder = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
    make_private_folder(folder)?;
    // Created with mode 0600, before there is anything in it.
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(content)?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

/// Reads a small file as a whole.
///
/// # Errors
///
/// Whatever the file system says, and `InvalidData` for what is no regular file or longer than `limit` bytes.
pub fn read_small(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    // Asked before opening: a pipe that somebody put there would keep the opener waiting.
    let about = std::fs::metadata(path)?;
    if !about.is_file() || about.len() > limit {
        return Err(io::ErrorKind::InvalidData.into());
    }
    std::fs::read(path)
}

/// Some network file systems have no locks: everybody goes on without.
fn has_no_locks(error: &io::Error) -> bool {
    /// `ENOLCK`: 37 on Linux, 77 on macOS and the BSDs.
    const NO_LOCKS: [i32; 2] = [37, 77];
    error.kind() == io::ErrorKind::Unsupported || error.raw_os_error().is_some_and(|code| NO_LOCKS.contains(&code))
}

fn open_private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            make_private_folder(path.parent().ok_or(error)?)?;
            options.open(path)
        }
        opened => opened,
    }
}

fn make_private_folder(folder: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}
