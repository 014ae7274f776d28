//! Locks and files kept between runs: atomic replacement, durable writes (fsync), shared folders, sockets. The only code
//! of the library that writes to disk.
//!
//! What is kept here may vanish or be refused at any time; the caller decides whether that matters. In a folder that a group
//! shares, its members may put anything: only plain files and folders of the right owner are used, and no link is followed.

mod dir;
mod folder;
mod keyed_file;
mod lock;
mod opened;
mod owner;
#[cfg(unix)]
mod socket;

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::Path;

pub(crate) use folder::Folder;
pub(crate) use keyed_file::{KeyedFile, Stamp};
pub(crate) use lock::{Guard, lock_patience};

/// Writes a new file (0600), with the folders above it (0700) where they are missing.
///
/// # Errors
///
/// The error of the file system, and `AlreadyExists` where something of its name is there: nothing is written over.
pub fn write_new(path: &Path, content: &[u8]) -> io::Result<()> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        let mut builder = std::fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(folder)?;
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?.write_all(content)
}

/// Appends a line to a file that others may append to at the same time; it is made (0600) where it is missing.
///
/// # Errors
///
/// The error of the file system, and `InvalidInput` if it is not a regular file: a pipe could block the writer.
pub fn append_line(path: &Path, line: &str) -> io::Result<()> {
    if std::fs::metadata(path).is_ok_and(|about| !about.is_file()) {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file"));
    }
    let mut options = OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    // At one go, so that lines of several processes do not run into each other.
    options.open(path)?.write_all(format!("{line}\n").as_bytes())
}
