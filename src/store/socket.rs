//! Unix sockets in a folder: processes of those who may use the folder reach each other by them.
//!
//! The path of a socket is limited to about 108 bytes. Where the system names open files in `/proc`, the way to it leads
//! through the open folder, however long that folder's own path is.

use std::io;
use std::path::PathBuf;

use tokio::net::{UnixListener, UnixStream};

use super::folder::Folder;
use super::lock::Guard;
use super::opened::{Opened, temporary_name};

impl Folder {
    /// A new socket of that name in it, in place of one that an ended process left there. The guard proves that the caller
    /// holds the lock that belongs to it. It can be used by the owner of the folder alone: a user (0600), or a group (0660).
    pub(crate) fn listen(&self, name: &str, _held: &Guard) -> io::Result<UnixListener> {
        self.in_it(|opened| {
            // Nobody can use it before its mode is right, and nobody misses the old one before the new one is there.
            let draft = temporary_name();
            let listener = UnixListener::bind(path_below(self, opened, &draft))?;
            let mode = if opened.owner.is_group { 0o660 } else { 0o600 };
            let named =
                opened.dir.set_mode_of(&draft, mode).and_then(|()| opened.dir.rename(&draft, &opened.dir, name));
            named.inspect_err(|_| drop(opened.dir.remove(&draft)))?;
            Ok(listener)
        })
    }

    /// Connects to the socket of that name. Fails with `NotFound` where there is none, with `ConnectionRefused` where
    /// nobody listens to it any more, with `WouldBlock` where too many wait for it, and with `InvalidData` for what is no
    /// socket.
    pub(crate) async fn connect(&self, name: &str) -> io::Result<UnixStream> {
        let opened = self.open()?;
        opened.dir.check_socket(name)?;
        UnixStream::connect(path_below(self, &opened, name)).await
    }
}

/// The path of what is in an open folder, short where the system allows it.
fn path_below(folder: &Folder, opened: &Opened, name: &str) -> PathBuf {
    opened.dir.short_path().unwrap_or_else(|| folder.path().to_owned()).join(name)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};

    use super::*;

    async fn is_reached(folder: &Folder, listener: &UnixListener) -> bool {
        let (connected, accepted) = tokio::join!(folder.connect("s"), listener.accept());
        connected.is_ok() && accepted.is_ok()
    }

    fn run(test: impl Future<Output = ()>) {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(test);
    }

    #[test]
    fn a_socket_is_reached_below_a_long_path_and_takes_the_place_of_a_stale_one() {
        run(async {
            let root = tempfile::tempdir().unwrap();
            let mut path = root.path().to_owned();
            if cfg!(any(target_os = "linux", target_os = "android")) {
                path.extend(["a-long-name-of-a-folder"; 12]);
                assert!(path.as_os_str().len() > 200);
            }
            let folder = Folder::private(&path);
            assert_eq!(folder.connect("s").await.unwrap_err().kind(), io::ErrorKind::NotFound);
            let guard = folder.try_lock("l").unwrap().unwrap();
            assert_eq!(folder.connect("s").await.unwrap_err().kind(), io::ErrorKind::NotFound);
            for _ in 0..2 {
                let listener = folder.listen("s", &guard).unwrap();
                assert_eq!(std::fs::metadata(path.join("s")).unwrap().mode() & 0o777, 0o600);
                assert!(is_reached(&folder, &listener).await);
                assert_eq!(folder.names().unwrap(), ["l", "s"], "no draft is left");
            }
            assert_eq!(folder.connect("s").await.unwrap_err().kind(), io::ErrorKind::ConnectionRefused);
            folder.remove_file("s").unwrap();
            assert_eq!(folder.connect("s").await.unwrap_err().kind(), io::ErrorKind::NotFound);
        });
    }

    #[test]
    fn a_group_can_use_the_socket_in_its_folder() {
        run(async {
            let root = tempfile::tempdir().unwrap();
            let path = root.path().join("shared");
            std::fs::create_dir(&path).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o2770)).unwrap();
            let folder = Folder::shared_if_made_so(&path);
            let guard = folder.try_lock("l").unwrap().unwrap();
            let listener = folder.listen("s", &guard).unwrap();
            assert_eq!(std::fs::metadata(path.join("s")).unwrap().mode() & 0o777, 0o660);
            assert!(is_reached(&folder, &listener).await);
        });
    }

    #[test]
    fn what_is_no_socket_is_not_connected_to() {
        run(async {
            let root = tempfile::tempdir().unwrap();
            let folder = Folder::private(root.path());
            let guard = folder.try_lock("l").unwrap().unwrap();
            let _listener = folder.listen("s", &guard).unwrap();
            std::os::unix::fs::symlink("s", root.path().join("link")).unwrap();
            for name in ["l", "link"] {
                assert_eq!(folder.connect(name).await.unwrap_err().kind(), io::ErrorKind::InvalidData, "{name}");
            }
        });
    }
}
