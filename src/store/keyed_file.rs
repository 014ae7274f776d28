//! Small JSON files under a key, each with a lock beside it.

use std::fmt::Display;
use std::io;
use std::path::PathBuf;
use std::time::{Instant, SystemTime};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::folder::Folder;
use super::lock::Guard;
use crate::fingerprint::fingerprint;

/// No JSON file under a key is longer, in bytes.
const KEYED_LIMIT: u64 = 256 * 1024;

/// What changes when a file is replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stamp {
    modified: Option<SystemTime>,
    length: u64,
    inode: u64,
}

fn encoded(known: &impl Serialize) -> io::Result<Vec<u8>> {
    let content = serde_json::to_vec(known)?;
    if content.len() as u64 > KEYED_LIMIT {
        let why = format!("it would have more than {KEYED_LIMIT} bytes");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, why));
    }
    Ok(content)
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

    /// A second file for the same key, under the same lock.
    pub(crate) fn beside(&self, prefix: &str) -> Self {
        Self { folder: self.folder.clone(), name: format!("{prefix}{}", self.name), lock: self.lock.clone() }
    }

    /// The lock; `None` where it cannot be had in time, or is not needed any more.
    pub(crate) async fn lock(&self, until: Instant, is_settled: impl FnMut() -> bool) -> io::Result<Option<Guard>> {
        self.folder.lock(&self.lock, until, is_settled).await
    }

    /// The lock, if it is free now.
    pub(crate) fn try_lock(&self) -> io::Result<Option<Guard>> {
        self.folder.try_lock(&self.lock)
    }

    /// Whether a process holds the lock. Looking keeps nobody from it for longer than a moment, and makes no file.
    pub(crate) fn is_locked(&self) -> io::Result<bool> {
        self.folder.is_locked(&self.lock)
    }

    /// Whether its name begins with this prefix.
    pub(crate) fn begins_with(&self, prefix: &str) -> bool {
        self.name.starts_with(prefix)
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.folder.file(&self.name)
    }

    /// What is kept, if anything is; the error says why it cannot be read and quotes nothing of it.
    pub(crate) fn read<T: DeserializeOwned>(&self) -> Result<Option<T>, String> {
        match self.folder.read(&self.name, KEYED_LIMIT) {
            Ok(content) => serde_json::from_slice(&content).map(Some).map_err(|_| "it is damaged".to_owned()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.to_string()),
        }
    }

    /// Fails for what [`KeyedFile::read`] would not take again.
    pub(crate) fn write(&self, known: &impl Serialize, guard: &Guard) -> io::Result<()> {
        self.folder.replace(&self.name, &encoded(known)?, guard)
    }

    /// The same so that it is there after a loss of power.
    pub(crate) fn write_durably(&self, known: &impl Serialize, _held: &Guard) -> io::Result<()> {
        self.folder.write_durably(&self.name, &encoded(known)?)
    }

    /// What tells whether the file is another one than before, without reading it; `None` where it is not there.
    pub(crate) fn stamp(&self) -> Option<Stamp> {
        let about = std::fs::metadata(self.file()).ok()?;
        #[cfg(unix)]
        let inode = std::os::unix::fs::MetadataExt::ino(&about);
        #[cfg(not(unix))]
        let inode = 0;
        Some(Stamp { modified: about.modified().ok(), length: about.len(), inode })
    }

    /// Those of all keys in the same folder.
    pub(crate) fn of_all_keys(&self) -> io::Result<Vec<Self>> {
        let of_lock = |lock: String| {
            let name = format!("{}.json", lock.strip_suffix(".lock")?);
            Some(Self { folder: self.folder.clone(), name, lock })
        };
        Ok(self.folder.names()?.into_iter().filter_map(of_lock).collect())
    }

    /// Removes what is kept; the lock stays.
    pub(crate) fn clear(&self, _held: &Guard) -> io::Result<()> {
        self.folder.remove_file(&self.name)
    }

    /// Removes it with its lock. A process that opened the lock before and gets it now makes a new one.
    pub(crate) fn remove(&self, _held: Guard) -> io::Result<()> {
        self.folder.remove_file(&self.name)?;
        self.folder.remove_file(&self.lock)
    }

    /// `the file … cannot be written: …`.
    pub(crate) fn says(&self, what: &str, reason: impl Display) -> String {
        format!("the file {} {what}: {reason}", self.file().display())
    }
}
