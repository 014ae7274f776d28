//! An opened folder. What is in it is reached through its handle: never by a path that was looked at before, and never
//! through a link.

use std::fs::{File, Metadata};
use std::io;
use std::path::Path;
use std::time::SystemTime;

/// What a file is opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OpenFor {
    /// To be read.
    Read,
    /// To be read and written. It must exist.
    Write,
    /// The same, and it must not exist: it is made, for its owner alone.
    Create,
}

/// The error for what is there and is not what this program puts there. Its kind is `InvalidData`.
pub(super) fn refused(why: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why.into())
}

#[cfg(unix)]
pub(super) use unix::Dir;

#[cfg(unix)]
mod unix {
    use std::os::fd::AsRawFd;
    use std::os::unix::fs::OpenOptionsExt;
    use std::path::PathBuf;
    use std::time::Duration;

    use rustix::fs::{
        Access, AtFlags, FileType, Mode, OFlags, accessat, chmodat, mkdirat, openat, renameat, statat, unlinkat,
    };
    use rustix::io::Errno;

    use super::*;

    /// A folder, by its handle.
    #[derive(Debug)]
    pub(in crate::store) struct Dir(File);

    impl Dir {
        /// Opens the folder of a setting. Links on the way to it are the user's own.
        pub(in crate::store) fn open(path: &Path) -> io::Result<Self> {
            let flags = OFlags::DIRECTORY | OFlags::NONBLOCK;
            let folder = std::fs::OpenOptions::new().read(true).custom_flags(flags.bits().cast_signed()).open(path)?;
            Ok(Self(folder))
        }

        /// Opens a folder in it.
        pub(in crate::store) fn open_in(&self, name: &str) -> io::Result<Self> {
            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            match openat(&self.0, name, flags, Mode::empty()) {
                Err(Errno::NOTDIR | Errno::LOOP) => match self.kind_of(name)? {
                    FileType::RegularFile => Err(io::ErrorKind::NotADirectory.into()),
                    FileType::Symlink => Err(refused("it is a link")),
                    _ => Err(refused("it is not a folder")),
                },
                opened => Ok(Self(opened?.into())),
            }
        }

        /// Opens a file in it; a pipe or device does not make it wait. The caller looks at what kind it is.
        pub(in crate::store) fn open_file(&self, name: &str, purpose: OpenFor) -> io::Result<File> {
            let flags = match purpose {
                OpenFor::Read => OFlags::RDONLY,
                OpenFor::Write => OFlags::RDWR,
                OpenFor::Create => OFlags::RDWR | OFlags::CREATE | OFlags::EXCL,
            };
            let flags = flags | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
            match openat(&self.0, name, flags, Mode::RUSR | Mode::WUSR) {
                Err(Errno::LOOP | Errno::MLINK) => Err(refused("it is a link")),
                Err(Errno::ISDIR | Errno::NXIO | Errno::NODEV) => Err(refused("it is not a regular file")),
                opened => Ok(opened?.into()),
            }
        }

        /// Makes a folder in it, for its owner alone.
        pub(in crate::store) fn make_folder(&self, name: &str) -> io::Result<()> {
            Ok(mkdirat(&self.0, name, Mode::RWXU)?)
        }

        /// Renames what is in it, into `to`; a file of the new name is replaced.
        pub(in crate::store) fn rename(&self, name: &str, to: &Self, new_name: &str) -> io::Result<()> {
            Ok(renameat(&self.0, name, &to.0, new_name)?)
        }

        /// Renames what is in it; fails with `AlreadyExists` where there is something of the new name. Some file systems
        /// cannot promise that: there it is replaced.
        pub(in crate::store) fn rename_to_new(&self, name: &str, new_name: &str) -> io::Result<()> {
            #[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
            match rustix::fs::renameat_with(&self.0, name, &self.0, new_name, rustix::fs::RenameFlags::NOREPLACE) {
                Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {}
                renamed => return Ok(renamed?),
            }
            self.rename(name, self, new_name)
        }

        /// Removes a file, a link or an empty folder in it.
        pub(in crate::store) fn remove(&self, name: &str) -> io::Result<()> {
            match unlinkat(&self.0, name, AtFlags::empty()) {
                // Linux says the one, POSIX the other.
                Err(Errno::ISDIR | Errno::PERM) => Ok(unlinkat(&self.0, name, AtFlags::REMOVEDIR)?),
                removed => Ok(removed?),
            }
        }

        /// The names of what is in it, as far as they are UTF-8.
        pub(in crate::store) fn names(&self) -> io::Result<Vec<String>> {
            let mut names = Vec::new();
            for entry in rustix::fs::Dir::read_from(&self.0)? {
                names.extend(entry?.file_name().to_str().ok().map(str::to_owned));
            }
            names.retain(|name| name != "." && name != "..");
            Ok(names)
        }

        /// The length of what is in it, in bytes.
        pub(in crate::store) fn length_of(&self, name: &str) -> io::Result<u64> {
            Ok(u64::try_from(statat(&self.0, name, AtFlags::SYMLINK_NOFOLLOW)?.st_size).unwrap_or_default())
        }

        /// When a file or folder in it was last changed; of a link itself.
        pub(in crate::store) fn modified(&self, name: &str) -> io::Result<SystemTime> {
            let seconds = statat(&self.0, name, AtFlags::SYMLINK_NOFOLLOW)?.st_mtime;
            let since = Duration::from_secs(u64::try_from(seconds).unwrap_or_default());
            Ok(SystemTime::UNIX_EPOCH.checked_add(since).unwrap_or(SystemTime::UNIX_EPOCH))
        }

        /// What the file system says of it.
        pub(in crate::store) fn about(&self) -> io::Result<Metadata> {
            self.0.metadata()
        }

        pub(in crate::store) fn set_mode(&self, mode: u32) -> io::Result<()> {
            set_mode(&self.0, mode)
        }

        /// Sets the mode of what is in it, which must be no link of another's.
        pub(in crate::store) fn set_mode_of(&self, name: &str, mode: u32) -> io::Result<()> {
            Ok(chmodat(&self.0, name, Mode::from_raw_mode(mode as rustix::fs::RawMode), AtFlags::empty())?)
        }

        /// Fails with `InvalidData` for what is no socket, and with `NotFound` where there is nothing of that name.
        pub(in crate::store) fn check_socket(&self, name: &str) -> io::Result<()> {
            if self.kind_of(name)? == FileType::Socket { Ok(()) } else { Err(refused("it is not a socket")) }
        }

        /// Whether this process may put something into it.
        pub(in crate::store) fn is_writable(&self) -> bool {
            accessat(&self.0, ".", Access::WRITE_OK | Access::EXEC_OK, AtFlags::EACCESS).is_ok()
        }

        /// A short path that leads to it for as long as it is open, where the system has such.
        pub(in crate::store) fn short_path(&self) -> Option<PathBuf> {
            let path = PathBuf::from(format!("/proc/self/fd/{}", self.0.as_raw_fd()));
            (cfg!(any(target_os = "linux", target_os = "android")) && path.exists()).then_some(path)
        }

        /// Syncs the names in it to disk.
        pub(in crate::store) fn sync(&self) -> io::Result<()> {
            self.0.sync_all()
        }

        /// Syncs its whole file system to disk; false where that cannot be had, or where its failures are not told: Linux
        /// tells of them since 5.8. A failure is told once, so it is an error here: the next sync may know nothing of it.
        pub(in crate::store) fn sync_file_system(&self) -> io::Result<bool> {
            #[cfg(any(target_os = "linux", target_os = "android"))]
            if tells_failed_syncs() {
                rustix::fs::syncfs(&self.0)?;
                return Ok(true);
            }
            Ok(false)
        }

        fn kind_of(&self, name: &str) -> io::Result<FileType> {
            Ok(FileType::from_raw_mode(statat(&self.0, name, AtFlags::SYMLINK_NOFOLLOW)?.st_mode))
        }
    }

    #[cfg(any(target_os = "linux", target_os = "android"))]
    fn tells_failed_syncs() -> bool {
        static TELLS: std::sync::OnceLock<bool> = std::sync::OnceLock::new();
        *TELLS.get_or_init(|| {
            let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
            let mut numbers = release.split(['.', '-']).map_while(|number| number.trim().parse::<u32>().ok());
            (numbers.next(), numbers.next()) >= (Some(5), Some(8))
        })
    }

    /// Sets the mode of what is open, independent of the process's umask.
    pub(in crate::store) fn set_mode(file: &File, mode: u32) -> io::Result<()> {
        file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(mode))
    }
}

#[cfg(unix)]
pub(super) use unix::set_mode;

/// Without handles of folders, paths must do.
#[cfg(not(unix))]
mod path {
    use std::fs;
    use std::path::PathBuf;

    use super::*;

    #[derive(Debug)]
    pub(in crate::store) struct Dir(PathBuf);

    impl Dir {
        pub(in crate::store) fn open(path: &Path) -> io::Result<Self> {
            if fs::metadata(path)?.is_dir() {
                Ok(Self(path.to_owned()))
            } else {
                Err(io::ErrorKind::NotADirectory.into())
            }
        }

        pub(in crate::store) fn open_in(&self, name: &str) -> io::Result<Self> {
            let path = self.0.join(name);
            if fs::symlink_metadata(&path)?.is_symlink() { Err(refused("it is a link")) } else { Self::open(&path) }
        }

        pub(in crate::store) fn open_file(&self, name: &str, purpose: OpenFor) -> io::Result<File> {
            let path = self.0.join(name);
            if fs::symlink_metadata(&path).is_ok_and(|about| !about.is_file()) {
                return Err(refused("it is not a regular file"));
            }
            let (write, new) = (purpose != OpenFor::Read, purpose == OpenFor::Create);
            fs::OpenOptions::new().read(true).write(write).create_new(new).open(path)
        }

        pub(in crate::store) fn make_folder(&self, name: &str) -> io::Result<()> {
            fs::create_dir(self.0.join(name))
        }

        pub(in crate::store) fn rename(&self, name: &str, to: &Self, new_name: &str) -> io::Result<()> {
            fs::rename(self.0.join(name), to.0.join(new_name))
        }

        pub(in crate::store) fn rename_to_new(&self, name: &str, new_name: &str) -> io::Result<()> {
            if self.0.join(new_name).exists() {
                return Err(io::ErrorKind::AlreadyExists.into());
            }
            self.rename(name, self, new_name)
        }

        pub(in crate::store) fn remove(&self, name: &str) -> io::Result<()> {
            let path = self.0.join(name);
            if fs::symlink_metadata(&path)?.is_dir() { fs::remove_dir(path) } else { fs::remove_file(path) }
        }

        pub(in crate::store) fn names(&self) -> io::Result<Vec<String>> {
            let mut names = Vec::new();
            for entry in fs::read_dir(&self.0)? {
                names.extend(entry?.file_name().into_string().ok());
            }
            Ok(names)
        }

        pub(in crate::store) fn length_of(&self, name: &str) -> io::Result<u64> {
            Ok(fs::symlink_metadata(self.0.join(name))?.len())
        }

        pub(in crate::store) fn modified(&self, name: &str) -> io::Result<SystemTime> {
            fs::symlink_metadata(self.0.join(name))?.modified()
        }

        pub(in crate::store) fn about(&self) -> io::Result<Metadata> {
            fs::metadata(&self.0)
        }

        pub(in crate::store) fn set_mode(&self, _mode: u32) -> io::Result<()> {
            Ok(())
        }

        pub(in crate::store) fn is_writable(&self) -> bool {
            true
        }

        pub(in crate::store) fn sync_file_system(&self) -> io::Result<bool> {
            Ok(false)
        }

        /// A folder cannot be opened to be synced everywhere.
        pub(in crate::store) fn sync(&self) -> io::Result<()> {
            Ok(())
        }
    }

    pub(in crate::store) fn set_mode(_file: &File, _mode: u32) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(not(unix))]
pub(super) use path::{Dir, set_mode};
