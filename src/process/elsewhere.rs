//! Signals where there are none to speak of: Ctrl-C reaches the command by itself, and it is ended without being asked.

use std::io;

use tokio::process::Child;

/// The command as somebody who can be ended.
#[derive(Debug, Clone, Copy)]
pub(super) struct Target;

/// Ctrl-C was heard.
#[derive(Debug, Clone, Copy)]
pub(super) struct Heard;

impl Target {
    /// `None` for a command that has ended already.
    pub(super) fn new(id: Option<u32>, _leads_group: bool) -> Option<Self> {
        id.map(|_| Self)
    }

    /// Whoever sent it to us sent it to the command as well.
    pub(super) fn forward(self, _heard: Heard) {}

    /// Ends it: it cannot be asked to.
    pub(super) fn terminate(self, child: &mut Child) {
        self.kill(child);
    }

    /// Ends it. That it is not there any more is no trouble.
    pub(super) fn kill(self, child: &mut Child) {
        let _ = child.start_kill();
    }

    /// There are no groups.
    pub(super) fn kill_rest(self) {}

    /// There are no groups.
    pub(super) fn is_group_alive(self) -> bool {
        false
    }
}

/// Hears Ctrl-C, so that it does not end us before the command.
pub(super) struct Ear;

impl Ear {
    /// Listens.
    pub(super) fn open(_ignored: Ignored) -> io::Result<Self> {
        Ok(Self)
    }

    /// The next Ctrl-C.
    pub(super) async fn next(&mut self) -> Heard {
        match tokio::signal::ctrl_c().await {
            Ok(()) => Heard,
            Err(_) => std::future::pending().await,
        }
    }
}

/// Nothing is ignored.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ignored;

impl Ignored {
    /// Nothing is.
    pub(super) fn read() -> Self {
        Self
    }

    /// It is known that nothing is.
    pub(super) fn is_known(self) -> bool {
        true
    }
}

/// A number, since there are no names.
pub fn signal_name(number: i32) -> String {
    format!("signal {number}")
}
