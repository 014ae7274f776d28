//! Locks and files kept between runs: atomic replacement, durable writes (fsync), shared folders. The only code of the
//! library that writes to disk.
//!
//! What is kept here may vanish or be refused at any time; the caller decides whether that matters.

mod locked;

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

pub(crate) use locked::{Guard, KeyedFile};

/// A folder for files of this program. It is made when something is put into it.
#[derive(Debug, Clone)]
pub(crate) struct Folder {
    path: PathBuf,
    /// Whether its group may use it: folders 2770 and files 0660, else 0700 and 0600.
    is_shared: bool,
}

impl Folder {
    /// A folder that only its owner may use, whatever mode it has now.
    pub(crate) fn private(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), is_shared: false }
    }

    /// A folder that its group shares if its owner made it group-writable and setgid.
    pub(crate) fn shared_if_made_so(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        Self { is_shared: is_shared(&path), path }
    }

    /// A folder in this one, for the same people.
    pub(crate) fn within(&self, name: &str) -> Self {
        Self { path: self.path.join(name), is_shared: self.is_shared }
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The path of a file in it.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Makes it, with the folders above it, where it is missing.
    pub(crate) fn make(&self) -> io::Result<()> {
        if self.path.is_dir() {
            return Ok(());
        }
        let mut builder = DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&self.path)?;
        self.open_to_group(&self.path, 0o2770)
    }

    /// Finds out whether something could be put into it, or whether it could be made: a file that is gone again at once, in
    /// it or in the first folder above that exists.
    pub(crate) fn try_out(&self) -> io::Result<()> {
        // If the name exists, as a file, folder or link, it must work there: a link may lead nowhere.
        let existing = self.path.ancestors().find(|path| path.symlink_metadata().is_ok());
        let existing = existing.filter(|path| !path.as_os_str().is_empty()).unwrap_or(Path::new("."));
        tempfile::NamedTempFile::new_in(existing).map(drop)
    }

    /// Replaces a file atomically: a reader sees the old content or the new one, never a part. The guard proves that
    /// the caller holds the lock that belongs to it. Without fsync: such content can be fetched again, or need not
    /// outlive a loss of power.
    pub(crate) fn replace(&self, name: &str, content: &[u8], _held: &Guard) -> io::Result<()> {
        let mut file = self.temporary()?;
        file.write_all(content)?;
        file.persist(self.file(name))?;
        Ok(())
    }

    /// Writes a file atomically and durably (fsync of the file and of its folder), so that it is there after a loss of
    /// power.
    pub(crate) fn write_durably(&self, name: &str, content: &[u8]) -> io::Result<()> {
        self.write_synced(name, content)?;
        self.sync_names()
    }

    /// Writes a file as a whole, its content synced to disk. Its name is after [`Folder::sync_names`].
    pub(crate) fn write_synced(&self, name: &str, content: &[u8]) -> io::Result<()> {
        self.copy_synced(name, &mut &content[..]).map(drop)
    }

    /// The same for what a reader gives; returns the number of bytes.
    pub(crate) fn copy_synced(&self, name: &str, content: &mut impl Read) -> io::Result<u64> {
        let mut file = self.temporary()?;
        let bytes = io::copy(content, &mut file)?;
        file.as_file().sync_all()?;
        file.persist(self.file(name))?;
        Ok(bytes)
    }

    /// Syncs the names of the files in it to disk.
    pub(crate) fn sync_names(&self) -> io::Result<()> {
        sync_folder(&self.path)
    }

    /// Moves it as a whole to another place of the same file system, with what is in it, so that it stays there after a
    /// loss of power too.
    pub(crate) fn move_to(&self, to: &Self) -> io::Result<()> {
        std::fs::rename(&self.path, &to.path)?;
        [self.path.parent(), to.path.parent()].into_iter().flatten().try_for_each(sync_folder)
    }

    /// Removes it with all that is in it; that it is gone already is no error.
    pub(crate) fn remove(&self) -> io::Result<()> {
        match std::fs::remove_dir_all(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            removed => removed,
        }
    }

    /// The names of what is in it, in order; none if it does not exist.
    pub(crate) fn names(&self) -> io::Result<Vec<String>> {
        let entries = match std::fs::read_dir(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        let mut names = Vec::new();
        for entry in entries {
            names.extend(entry?.file_name().into_string().ok());
        }
        names.sort();
        Ok(names)
    }

    fn temporary(&self) -> io::Result<tempfile::NamedTempFile> {
        self.make()?;
        // Created with mode 0600, before there is anything in it.
        let file = tempfile::NamedTempFile::new_in(&self.path)?;
        self.open_to_group(file.path(), 0o660)?;
        Ok(file)
    }

    fn open(&self, name: &str) -> io::Result<File> {
        let path = self.file(name);
        match OpenOptions::new().read(true).write(true).open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.make()?;
                let mut options = OpenOptions::new();
                options.read(true).write(true).create(true).truncate(false);
                #[cfg(unix)]
                std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
                let file = options.open(&path)?;
                // Another process may have made it at the same time: then that one sets its mode.
                let _ = self.open_to_group(&path, 0o660);
                Ok(file)
            }
            opened => opened,
        }
    }

    /// Gives the group its permissions, independent of the process's umask.
    #[cfg(unix)]
    fn open_to_group(&self, path: &Path, mode: u32) -> io::Result<()> {
        if !self.is_shared {
            return Ok(());
        }
        std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(mode))
    }

    #[cfg(not(unix))]
    fn open_to_group(&self, _path: &Path, _mode: u32) -> io::Result<()> {
        Ok(())
    }
}

/// Appends a line to a file that others may append to at the same time; it is made (0600) where it is missing.
///
/// # Errors
///
/// The error of the file system, and `InvalidInput` if it is not a regular file: a pipe could block the writer.
pub fn append_line(path: &Path, line: &str) -> io::Result<()> {
    if std::fs::metadata(path).is_ok_and(|about| !about.is_file()) {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no regular file"));
    }
    let mut options = OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    // At one go, so that lines of several processes do not run into each other.
    options.open(path)?.write_all(format!("{line}\n").as_bytes())
}

/// Reads a small file as a whole.
pub(crate) fn read_small(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    open_small(path, limit)?.read_to_end(&mut content)?;
    Ok(content)
}

/// Opens a file to be read piece by piece.
/// Fails with `InvalidData` for what is no regular file or longer than `limit` bytes.
pub(crate) fn open_small(path: &Path, limit: u64) -> io::Result<File> {
    // Asked before opening: opening a pipe would block.
    let about = std::fs::metadata(path)?;
    if !about.is_file() || about.len() > limit {
        return Err(io::ErrorKind::InvalidData.into());
    }
    File::open(path)
}

/// Whether the owner of a folder made it group-writable and setgid.
#[cfg(unix)]
fn is_shared(folder: &Path) -> bool {
    /// Group-writable, and what is made in it belongs to its group.
    const SHARED: u32 = 0o2020;
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata(folder).is_ok_and(|about| about.is_dir() && about.mode() & SHARED == SHARED)
}

#[cfg(not(unix))]
fn is_shared(_folder: &Path) -> bool {
    false
}

/// A name in a folder is safe only when the folder is. Folders cannot be opened everywhere.
fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_moves_as_a_whole_and_is_gone_when_removed() {
        let root = tempfile::tempdir().unwrap();
        let top = Folder::private(root.path());
        let (one, other) = (top.within("one"), top.within("other"));
        one.write_durably("x", b"1").unwrap();
        assert_eq!(one.copy_synced("y", &mut &b"22"[..]).unwrap(), 2);
        one.move_to(&other).unwrap();
        assert_eq!(one.names().unwrap(), [""; 0]);
        assert_eq!(other.names().unwrap(), ["x", "y"]);
        other.remove().unwrap();
        other.remove().unwrap();
        assert_eq!(top.names().unwrap(), [""; 0]);
    }

    #[cfg(unix)]
    #[test]
    fn a_folder_made_for_a_group_is_shared_and_any_other_is_private() {
        use std::os::unix::fs::PermissionsExt;
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o7777;
        for (of_folder, expected_folder, expected_file) in
            [(0o2770, 0o2770, 0o660), (0o770, 0o700, 0o600), (0o2750, 0o700, 0o600), (0o700, 0o700, 0o600)]
        {
            let root = tempfile::tempdir().unwrap();
            std::fs::set_permissions(root.path(), PermissionsExt::from_mode(of_folder)).unwrap();
            let folder = Folder::shared_if_made_so(root.path()).within("sub");
            folder.write_durably("written", b"x").unwrap();
            let _guard = folder.try_lock("locked").unwrap().unwrap();
            assert_eq!(mode(folder.path()) & 0o770, expected_folder & 0o770, "{of_folder:o}");
            for name in ["written", "locked"] {
                assert_eq!(mode(&folder.file(name)), expected_file, "{name} in {of_folder:o}");
            }
        }
    }

    #[test]
    fn lines_are_appended_and_only_to_regular_files() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("log");
        append_line(&path, "a").unwrap();
        append_line(&path, "b").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"a\nb\n");
        assert!(append_line(root.path(), "c").is_err());
    }
}
