//! Whose files and folders are used: those of one user, or of a group whose members deliver each other's alerts.

use std::fs::Metadata;
use std::io;

use super::dir::refused;

/// Who may use a folder of a setting and what is in it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Owner {
    /// Whether it is a group: folders 2770 and files 0660, else 0700 and 0600.
    pub(super) is_group: bool,
    #[cfg(unix)]
    user: u32,
    #[cfg(unix)]
    group: u32,
}

#[cfg(unix)]
impl Owner {
    /// The owner of that folder. It is a group if the folder may be shared and was made group-writable and setgid. What
    /// everybody may write to is no group's.
    pub(super) fn of(folder: &Metadata, may_be_shared: bool) -> Self {
        use std::os::unix::fs::MetadataExt;
        /// Group-writable, and what is made in it belongs to its group.
        const SHARED: u32 = 0o2020;
        const WORLD_WRITABLE: u32 = 0o0002;
        let is_group = may_be_shared && folder.mode() & (SHARED | WORLD_WRITABLE) == SHARED;
        Self { is_group, user: folder.uid(), group: folder.gid() }
    }

    /// Whether the folder is for this process: its user's own, where nobody else may write, or a group's that it is of.
    /// Root may write to any, but what it puts there is not for others.
    pub(super) fn is_mine(self, folder: &Metadata, is_writable: bool) -> bool {
        use std::os::unix::fs::MetadataExt;
        const OTHERS: u32 = 0o0022;
        let is_own = self.user == rustix::process::geteuid().as_raw() && folder.mode() & OTHERS == 0;
        is_writable && (self.is_group || is_own)
    }

    /// Whether what is open may be used: a folder or a plain file that has no other name. Where a user owns it all, it must
    /// be his, or this process's: root works in folders of users. Where a group does, any member may have made it, but it
    /// must belong to the group and to nobody else.
    ///
    /// Fails with `InvalidData`, and says what is wrong.
    pub(super) fn check(self, about: &Metadata) -> io::Result<()> {
        use std::os::unix::fs::MetadataExt;
        if !about.is_file() && !about.is_dir() {
            return Err(refused("it is not a regular file"));
        }
        // Another name of the file may be a file of another use.
        if about.is_file() && about.nlink() > 1 {
            return Err(refused("it has another name elsewhere (a hard link)"));
        }
        let (user, group, mode) = (about.uid(), about.gid(), about.mode() & 0o7777);
        let widest = if about.is_dir() { 0o3770 } else { 0o660 };
        if !self.is_group && user != self.user && user != rustix::process::geteuid().as_raw() {
            return Err(refused(format!("it belongs to another user ({user})")));
        }
        if self.is_group && group != self.group {
            let expected = self.group;
            return Err(refused(format!("it belongs to group {group}, and the folder's group is {expected}")));
        }
        if self.is_group && mode & !widest != 0 {
            return Err(refused(format!("its mode is {mode:04o}, and must not allow more than {widest:04o}")));
        }
        Ok(())
    }
}

#[cfg(not(unix))]
impl Owner {
    pub(super) fn of(_folder: &Metadata, _may_be_shared: bool) -> Self {
        Self { is_group: false }
    }

    pub(super) fn is_mine(self, _folder: &Metadata, is_writable: bool) -> bool {
        is_writable
    }

    pub(super) fn check(self, about: &Metadata) -> io::Result<()> {
        if about.is_file() || about.is_dir() { Ok(()) } else { Err(refused("it is not a regular file")) }
    }
}
