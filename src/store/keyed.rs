//! A small JSON file under a key, with its lock: kept from one run to the next.

use std::fmt::Display;
use std::io;
use std::path::PathBuf;
use std::time::Instant;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Folder, Guard, read_small};
use crate::fingerprint::fingerprint;

/// No such file is longer, in bytes.
const FILE_LIMIT: u64 = 4096;

/// Where it is kept.
#[derive(Debug)]
pub(crate) struct KeyedFile {
    folder: Folder,
    name: String,
    lock: String,
}

impl KeyedFile {
    /// What is kept under this key in that folder of the state; the files' names do not tell the key.
    pub(crate) fn new(state: &Folder, folder: &str, key: &str) -> Self {
        let print = fingerprint([key]);
        let short = print.get(..32).unwrap_or(&print);
        Self { folder: state.within(folder), name: format!("{short}.json"), lock: format!("{short}.lock") }
    }

    /// The lock; `None` where it cannot be had in time, or is not needed any more.
    pub(crate) async fn lock(&self, until: Instant, is_settled: impl FnMut() -> bool) -> io::Result<Option<Guard>> {
        self.folder.lock(&self.lock, until, is_settled).await
    }

    #[cfg(test)]
    pub(crate) fn try_lock(&self) -> io::Result<super::Locked> {
        self.folder.try_lock(&self.lock)
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.folder.file(&self.name)
    }

    /// What is kept; what cannot be read is not.
    pub(crate) fn read<T: DeserializeOwned>(&self) -> Option<T> {
        let content = read_small(&self.file(), FILE_LIMIT).ok()?;
        serde_json::from_slice(&content).ok()
    }

    pub(crate) fn write(&self, known: &impl Serialize, guard: &Guard) -> io::Result<()> {
        self.folder.replace(&self.name, &serde_json::to_vec(known)?, guard)
    }

    /// `the file … cannot be written: …`.
    pub(crate) fn says(&self, what: &str, reason: impl Display) -> String {
        format!("the file {} {what}: {reason}", self.file().display())
    }
}
