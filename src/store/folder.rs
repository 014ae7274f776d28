//! A folder of this program: made when it is needed, opened once, and what is in it read, written, moved and removed.

mod locks;

use std::fs::{DirBuilder, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use super::dir::{Dir, OpenFor, refused};
use super::lock::Guard;
use super::opened::{Opened, is_temporary};
use super::owner::Owner;
use crate::sort;

/// A folder for files of this program. It is made when something is put into it.
#[derive(Debug, Clone)]
pub(crate) struct Folder(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// Where it is, for messages.
    path: PathBuf,
    place: Place,
    /// Its handle, once it is needed.
    opened: Mutex<Option<Arc<Opened>>>,
}

#[derive(Debug)]
enum Place {
    /// A setting names it. Links on the way to it are the user's own.
    Named { may_be_shared: bool },
    /// It is in another one.
    In(Folder, String),
}

impl Folder {
    /// A folder that only its owner may use, whatever mode it has now.
    pub(crate) fn private(path: impl Into<PathBuf>) -> Self {
        Self::new(path.into(), Place::Named { may_be_shared: false })
    }

    /// A folder that its group shares if its owner made it group-writable and setgid.
    pub(crate) fn shared_if_made_so(path: impl Into<PathBuf>) -> Self {
        Self::new(path.into(), Place::Named { may_be_shared: true })
    }

    /// A folder in this one, for the same people.
    pub(crate) fn within(&self, name: &str) -> Self {
        Self::new(self.0.path.join(name), Place::In(self.clone(), name.to_owned()))
    }

    fn new(path: PathBuf, place: Place) -> Self {
        Self(Arc::new(Inner { path, place, opened: Mutex::default() }))
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.0.path
    }

    /// The path of a file in it, for messages.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.0.path.join(name)
    }

    /// Opens it, once. Fails with `NotFound` where it is missing, with `InvalidData` where it is a link or of another owner.
    pub(super) fn open(&self) -> io::Result<Arc<Opened>> {
        let mut cached = self.cached();
        if let Some(opened) = &*cached {
            return Ok(Arc::clone(opened));
        }
        let named = |error: io::Error| match error.kind() {
            io::ErrorKind::InvalidData => refused(format!("the folder {} is not used: {error}", self.0.path.display())),
            _ => error,
        };
        let (dir, owner) = match &self.0.place {
            Place::Named { may_be_shared } => {
                let dir = Dir::open(&self.0.path)?;
                let owner = Owner::of(&dir.about()?, *may_be_shared);
                (dir, owner)
            }
            Place::In(above, name) => {
                let above = above.open()?;
                let dir = above.dir.open_in(name).map_err(named)?;
                above.owner.check(&dir.about()?).map_err(named)?;
                (dir, above.owner)
            }
        };
        Ok(Arc::clone(cached.insert(Arc::new(Opened { dir, owner }))))
    }

    /// Opens it; it is made, with the folders above it, where it is missing.
    fn open_or_make(&self) -> io::Result<Arc<Opened>> {
        match self.open() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            opened => return opened,
        }
        match &self.0.place {
            Place::Named { .. } => {
                let mut builder = DirBuilder::new();
                builder.recursive(true);
                #[cfg(unix)]
                std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
                builder.create(&self.0.path)?;
            }
            Place::In(above, name) => above.in_it(|above| above.make_folder(name))?,
        }
        self.open()
    }

    /// Does something in it. It is made where it is missing, or was removed after it had been opened.
    pub(super) fn in_it<T>(&self, mut work: impl FnMut(&Opened) -> io::Result<T>) -> io::Result<T> {
        match work(&*self.open_or_make()?) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.forget();
                work(&*self.open_or_make()?)
            }
            done => done,
        }
    }

    /// Forgets its handle and those above it.
    fn forget(&self) {
        *self.cached() = None;
        if let Place::In(above, _) = &self.0.place {
            above.forget();
        }
    }

    fn cached(&self) -> MutexGuard<'_, Option<Arc<Opened>>> {
        self.0.opened.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Fails with `NotFound` where it is missing, with `NotADirectory` where it is a file, and with `InvalidData` where it
    /// is a link or of another owner.
    pub(crate) fn look(&self) -> io::Result<()> {
        self.open().map(drop)
    }

    /// Whether there is anything of its name.
    pub(crate) fn exists(&self) -> bool {
        match &self.0.place {
            Place::Named { .. } => self.0.path.symlink_metadata().is_ok(),
            Place::In(above, name) => above.open().is_ok_and(|above| above.dir.length_of(name).is_ok()),
        }
    }

    /// Whether it is there and meant for this process, which may then put files into it: the folder of its user, or one
    /// that a group shares and that it may write to.
    pub(crate) fn is_mine(&self) -> bool {
        let looked = self.open().and_then(|opened| Ok((opened.dir.about()?, opened)));
        looked.is_ok_and(|(about, opened)| opened.owner.is_mine(&about, opened.dir.is_writable()))
    }

    /// When something was last put into it or taken out of it.
    pub(crate) fn modified(&self) -> io::Result<SystemTime> {
        self.open()?.dir.about()?.modified()
    }

    /// Makes it, with the folders above it, where it is missing, so that it is there after a loss of power.
    pub(crate) fn make_durably(&self) -> io::Result<()> {
        match self.open() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            opened => return opened.map(drop),
        }
        match &self.0.place {
            Place::In(above, _) => {
                above.make_durably()?;
                self.open_or_make()?;
                above.sync_names()
            }
            Place::Named { .. } => {
                let is_missing = |path: &&Path| !path.as_os_str().is_empty() && !path.exists();
                let missing: Vec<&Path> = self.0.path.ancestors().take_while(is_missing).collect();
                self.open_or_make()?;
                let above = missing.iter().filter_map(|path| path.parent());
                above.filter(|path| !path.as_os_str().is_empty()).try_for_each(|path| Dir::open(path)?.sync())
            }
        }
    }

    /// Finds out whether something could be put into it, or whether it could be made: a file that is gone again at once, in
    /// it or in the first folder above that exists.
    pub(crate) fn try_out(&self) -> io::Result<()> {
        match (self.open(), &self.0.place) {
            (Ok(opened), _) => opened.draft().map(drop),
            (Err(error), Place::In(above, name)) if error.kind() == io::ErrorKind::NotFound => {
                // If the name exists all the same, it cannot be used.
                if above.open().is_ok_and(|above| above.dir.length_of(name).is_ok()) {
                    Err(error)
                } else {
                    above.try_out()
                }
            }
            (Err(error), Place::Named { .. }) if error.kind() == io::ErrorKind::NotFound => {
                // If the name exists, as a file, folder or link, it must work there: a link may lead nowhere.
                let existing = self.0.path.ancestors().find(|path| path.symlink_metadata().is_ok());
                let existing = existing.filter(|path| !path.as_os_str().is_empty()).unwrap_or(Path::new("."));
                tempfile::NamedTempFile::new_in(existing).map(drop)
            }
            (Err(error), _) => Err(error),
        }
    }

    /// Opens a file in it to be read piece by piece.
    /// Fails with `InvalidData` for a link, what is no plain file, of another owner, or longer than `limit` bytes.
    pub(crate) fn open_file(&self, name: &str, limit: u64) -> io::Result<File> {
        let opened = self.open()?;
        let file = opened.dir.open_file(name, OpenFor::Read)?;
        let length = opened.check(&file)?.len();
        if length > limit {
            return Err(refused(format!("it has {length} bytes, more than {limit}")));
        }
        Ok(file)
    }

    /// Reads a small file in it as a whole, and fails as [`Folder::open_file`] does.
    pub(crate) fn read(&self, name: &str, limit: u64) -> io::Result<Vec<u8>> {
        let mut content = Vec::new();
        self.open_file(name, limit)?.take(limit).read_to_end(&mut content)?;
        Ok(content)
    }

    /// Replaces a file atomically: a reader sees the old content or the new one, never a part. The guard proves that
    /// the caller holds the lock that belongs to it. Without fsync: such content can be fetched again, or need not
    /// outlive a loss of power.
    pub(crate) fn replace(&self, name: &str, content: &[u8], _held: &Guard) -> io::Result<()> {
        self.in_it(|opened| {
            let mut draft = opened.draft()?;
            draft.file.write_all(content)?;
            draft.name_it(name)
        })
    }

    /// Writes a file atomically and durably (fsync of the file and of its folder), so that it is there after a loss of
    /// power.
    pub(crate) fn write_durably(&self, name: &str, content: &[u8]) -> io::Result<()> {
        self.write_synced(name, content)?;
        self.sync_names()
    }

    /// Writes a file as a whole, its content synced to disk. Its name is after [`Folder::sync_names`].
    pub(crate) fn write_synced(&self, name: &str, content: &[u8]) -> io::Result<()> {
        self.copy(name, &mut &content[..], true)
    }

    /// Writes what a reader gives as a whole; with `is_synced` its content is on disk then.
    pub(crate) fn copy(&self, name: &str, content: &mut impl Read, is_synced: bool) -> io::Result<()> {
        self.in_it(|opened| {
            let mut draft = opened.draft()?;
            io::copy(content, &mut draft.file)?;
            if is_synced {
                draft.file.sync_all()?;
            }
            draft.name_it(name)
        })
    }

    /// Syncs the files in it and their names to disk.
    pub(crate) fn sync_files(&self) -> io::Result<()> {
        for name in self.names()? {
            self.open()?.dir.open_file(&name, OpenFor::Read)?.sync_all()?;
        }
        self.sync_names()
    }

    /// Syncs all that is in its file system to disk; false where the system cannot do that, or does not tell whether it could.
    pub(crate) fn sync_file_system(&self) -> io::Result<bool> {
        self.open()?.dir.sync_file_system()
    }

    /// Syncs the names of the files in it to disk.
    pub(crate) fn sync_names(&self) -> io::Result<()> {
        self.open()?.dir.sync()
    }

    /// Moves it as a whole into another folder of the same file system, which is made where it is missing. It stays there
    /// after a loss of power too.
    pub(crate) fn move_into(&self, to: &Self) -> io::Result<()> {
        self.rename_into(to)?;
        let Place::In(above, _) = &self.0.place else { return Ok(()) };
        above.sync_names()?;
        to.sync_names()
    }

    /// The same, to be synced with others: with the names in both folders.
    pub(crate) fn rename_into(&self, to: &Self) -> io::Result<()> {
        let Place::In(above, name) = &self.0.place else { return Err(io::ErrorKind::InvalidInput.into()) };
        let from = above.open()?;
        to.in_it(|to| from.dir.rename(name, &to.dir, name))
    }

    /// Removes it with the files in it, of which `is_own` says that they may be this program's. What else is in it stays,
    /// and so does the folder then: that is an error. That it is gone already is none. What is no folder is removed itself.
    pub(crate) fn remove(&self, is_own: impl Fn(&str) -> bool) -> io::Result<()> {
        let Place::In(above, name) = &self.0.place else { return Err(io::ErrorKind::InvalidInput.into()) };
        let gone = |error: io::Error| if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) };
        for file in self.names().unwrap_or_default() {
            if is_own(&file) || is_temporary(&file) {
                self.open()?.dir.remove(&file).or_else(gone)?;
            }
        }
        above.open()?.dir.remove(name).or_else(gone)
    }

    /// Removes a file in it; that it is gone already is no error.
    pub(crate) fn remove_file(&self, name: &str) -> io::Result<()> {
        match self.open()?.dir.remove(name) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            removed => removed,
        }
    }

    /// Removes files and empty folders in it that killed processes had begun to make, `age` ago or longer.
    pub(crate) fn sweep_drafts(&self, now: SystemTime, age: Duration) -> io::Result<()> {
        for name in self.names()?.iter().filter(|name| is_temporary(name)) {
            let dir = &self.open()?.dir;
            if dir.modified(name).is_ok_and(|at| now.duration_since(at).is_ok_and(|past| past >= age)) {
                let _ = dir.remove(name);
            }
        }
        Ok(())
    }

    /// The names of what is in it, in order; none if it does not exist.
    pub(crate) fn names(&self) -> io::Result<Vec<String>> {
        let mut names = match self.open() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            opened => opened?.dir.names()?,
        };
        sort::sort(&mut names);
        Ok(names)
    }

    /// The length of a file in it, in bytes; of a link itself.
    pub(crate) fn length_of(&self, name: &str) -> io::Result<u64> {
        self.open()?.dir.length_of(name)
    }
}
