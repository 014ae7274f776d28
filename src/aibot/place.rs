//! Where the processes of a machine meet that use the same aibot: a lock, which elects the holder of the connection, a
//! socket to reach it, and a record of kicks. The names reveal neither bot nor secret.

use std::io;
use std::sync::Arc;

use super::kicks::Kicks;
use super::lease::LastHolder;
use crate::fingerprint::fingerprint;
use crate::store::{Folder, Guard, KeyedFile};

/// The folder for all users of the machine that are let in, such as `RuntimeDirectory=` of systemd makes it.
const OF_MACHINE: &str = "/run/wecom-alert";

/// All names begin with this.
const PREFIX: &str = "aibot-";

/// The record of the last holder of all machines begins with this.
const FLEET_PREFIX: &str = "fleet-";

/// A lock, a socket and a record for one aibot.
#[derive(Debug)]
pub(super) struct MeetingPlace {
    folder: Folder,
    files: KeyedFile,
    socket: String,
}

/// The place, for the holder: its lock is taken until this is dropped.
#[derive(Debug)]
pub(super) struct Seat {
    place: Arc<MeetingPlace>,
    guard: Guard,
}

impl MeetingPlace {
    /// The places for a bot at an address of WeCom, the best first: in the machine's folder where that is there and theirs,
    /// and in the folder of the state where one is known.
    pub(super) fn all(state: Option<&Folder>, address: &str, bot_id: &str) -> Vec<Self> {
        Self::below(&Folder::shared_if_made_so(OF_MACHINE), state, address, bot_id)
    }

    fn below(machine: &Folder, state: Option<&Folder>, address: &str, bot_id: &str) -> Vec<Self> {
        let machine = machine.is_mine().then(|| machine.clone());
        let folders = machine.into_iter().chain(state.map(|state| state.within("aibot")));
        folders.map(|folder| Self::within(folder, address, bot_id)).collect()
    }

    fn within(folder: Folder, address: &str, bot_id: &str) -> Self {
        let name = fingerprint(["aibot", address, bot_id]);
        let short = name.get(..32).unwrap_or(&name);
        let files = KeyedFile::of_fingerprint(folder.clone(), PREFIX, &name);
        Self { folder, files, socket: format!("{PREFIX}{short}.sock") }
    }

    /// Takes the lock if it is free: its owner is the holder.
    pub(super) fn try_lock(self: &Arc<Self>) -> io::Result<Option<Seat>> {
        Ok(self.files.try_lock()?.map(|guard| Seat { place: Arc::clone(self), guard }))
    }

    /// The folder, for messages.
    pub(super) fn shown(&self) -> String {
        self.folder.path().display().to_string()
    }

    /// Connects to the holder.
    #[cfg(unix)]
    pub(super) async fn connect(&self) -> io::Result<tokio::net::UnixStream> {
        self.folder.connect(&self.socket).await
    }
}

impl Seat {
    /// What is known of kicks; nothing where it cannot be read.
    pub(super) fn kicks(&self) -> Kicks {
        self.place.files.read().ok().flatten().unwrap_or_default()
    }

    pub(super) fn write_kicks(&self, kicks: &Kicks) -> io::Result<()> {
        self.place.files.write(kicks, &self.guard)
    }

    /// Which machine's process held the bot last, as far as it was noted.
    pub(super) fn last_holder(&self) -> Option<LastHolder> {
        self.place.files.beside(FLEET_PREFIX).read().ok().flatten()
    }

    pub(super) fn note_holder(&self, holder: &LastHolder) {
        // Without it the next one asks WeCom by a connection of its own.
        let _ = self.place.files.beside(FLEET_PREFIX).write(holder, &self.guard);
    }

    /// Opens the socket of the holder; what an ended one left there goes.
    #[cfg(unix)]
    pub(super) fn listen(&self) -> io::Result<tokio::net::UnixListener> {
        self.place.folder.listen(&self.place.socket, &self.guard)
    }

    /// Removes the socket: nobody reaches this holder any more.
    #[cfg(unix)]
    pub(super) fn stop_listening(&self) {
        // Where it stays, nobody listens to it.
        let _ = self.place.folder.remove_file(&self.place.socket);
    }
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;
    use std::path::Path;

    use super::*;

    fn set_mode(folder: &Path, mode: u32) {
        std::fs::set_permissions(folder, std::fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn the_machines_folder_is_used_where_it_is_meant_for_this_user() {
        let root = tempfile::tempdir().unwrap();
        let (machine, state) = (root.path().join("machine"), root.path().join("state"));
        let found = |state: Option<&Folder>| {
            let places = MeetingPlace::below(&Folder::shared_if_made_so(&machine), state, "wss://wecom.example", "bot");
            Some(places.first()?.folder.path().to_owned())
        };
        let state_folder = Folder::shared_if_made_so(&state);
        let in_state = Some(state.join("aibot"));
        assert_eq!(found(None), None);
        assert_eq!(found(Some(&state_folder)), in_state);
        assert!(!machine.exists(), "it is not made");
        std::fs::create_dir(&machine).unwrap();
        for (mode, is_used) in [
            (0o700, true),
            (0o755, true),
            (0o2770, true),
            (0o2775, true),
            (0o770, false),
            (0o777, false),
            (0o1777, false),
            (0o2777, false),
        ] {
            set_mode(&machine, mode);
            let expected = if is_used { Some(machine.clone()) } else { in_state.clone() };
            assert_eq!(found(Some(&state_folder)), expected, "{mode:o}");
            assert_eq!(found(None).is_some(), is_used);
        }
        if rustix::process::geteuid().is_root() {
            set_mode(&machine, 0o755);
            std::os::unix::fs::chown(&machine, Some(10_001), Some(20_001)).unwrap();
            assert_eq!(found(Some(&state_folder)), in_state, "it is another user's");
        }
    }

    #[test]
    fn bots_and_addresses_have_files_of_their_own() {
        let root = tempfile::tempdir().unwrap();
        let state = Folder::private(root.path());
        let lock = |address: &str, bot: &str| {
            let machine = Folder::private(root.path().join("none"));
            Arc::new(MeetingPlace::below(&machine, Some(&state), address, bot).remove(0)).try_lock().unwrap()
        };
        let held = lock("wss://wecom.example", "bot-1");
        assert!(held.is_some() && lock("wss://wecom.example", "bot-1").is_none());
        assert!(lock("wss://wecom.example", "bot-2").is_some() && lock("ws://127.0.0.1:1", "bot-1").is_some());
        let names = state.within("aibot").names().unwrap();
        assert!(
            names.len() == 3 && names.iter().all(|name| !name.contains("bot-1") && !name.contains("bot-2")),
            "{names:?}"
        );
    }
}
