//! Signals on Unix: those that are meant for the command are handed on, and those that end it.
//!
//! Handed on are SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1 and SIGUSR2. What a keyboard sends (SIGINT, SIGQUIT) goes to all
//! processes in the terminal's foreground, the command among them: it is not sent a second time, since many programs take
//! that for "at once". What was ignored when we were started (`nohup`) stays ignored, by the command as well.

use std::io;

use rustix::process::{Pid, Signal, getpgrp, kill_process, kill_process_group, test_kill_process_group};
use tokio::process::Child;
use tokio::signal::unix::{SignalKind, signal};

pub(super) use super::listener::Ignored;
use super::listener::{Listener, next};

/// What is handed on.
const HEARD: [Signal; 6] = [Signal::HUP, Signal::INT, Signal::QUIT, Signal::TERM, Signal::USR1, Signal::USR2];

/// The command as somebody who gets signals.
#[derive(Debug, Clone, Copy)]
pub(super) struct Target {
    pid: Pid,
    /// It leads a group of its own: a signal goes to all of it.
    leads_group: bool,
}

/// A signal that was heard.
#[derive(Debug, Clone, Copy)]
pub(super) struct Heard(Signal);

impl Target {
    /// `None` for a command that has ended already.
    pub(super) fn new(pid: Option<u32>, leads_group: bool) -> Option<Self> {
        let pid = pid.and_then(|pid| i32::try_from(pid).ok()).and_then(Pid::from_raw)?;
        Some(Self { pid, leads_group })
    }

    /// Hands a signal on, unless the command has got it from the same source.
    pub(super) fn forward(self, Heard(signal): Heard) {
        let is_of_keyboard = matches!(signal, Signal::INT | Signal::QUIT);
        if self.leads_group || !(is_of_keyboard && is_in_foreground()) {
            self.send(signal);
        }
    }

    /// Asks it to end. One that was stopped has to go on to do so.
    pub(super) fn terminate(self, _child: &mut Child) {
        self.send(Signal::TERM);
        self.send(Signal::CONT);
    }

    /// Ends it.
    pub(super) fn kill(self, _child: &mut Child) {
        self.send(Signal::KILL);
    }

    /// The same for those who are left in its group, once it has ended itself.
    pub(super) fn kill_rest(self) {
        if self.leads_group {
            self.send(Signal::KILL);
        }
    }

    /// Whether somebody is left in its group, where it led one.
    pub(super) fn is_group_alive(self) -> bool {
        self.leads_group && test_kill_process_group(self.pid).is_ok()
    }

    /// That nobody is there any more is no trouble.
    fn send(self, signal: Signal) {
        let _ = match self.leads_group {
            true => kill_process_group(self.pid, signal),
            false => kill_process(self.pid, signal),
        };
    }
}

/// Whether the terminal that we are run from, if any, gives its keys to our group.
fn is_in_foreground() -> bool {
    let terminal = std::fs::File::open("/dev/tty").ok();
    let foreground = terminal.and_then(|terminal| rustix::termios::tcgetpgrp(terminal).ok());
    foreground == Some(getpgrp())
}

/// Hears what is to be handed on, from now on until it is dropped.
pub(super) struct Ear(Vec<(Heard, Listener)>);

impl Ear {
    /// Listens, but for what is ignored.
    pub(super) fn open(ignored: Ignored) -> io::Result<Self> {
        // Who ignores the end of his children never learns how they ended.
        drop(signal(SignalKind::child())?);
        let open = |signal| Listener::open(signal, ignored).map(|listener| Some((Heard(signal), listener?)));
        HEARD.into_iter().filter_map(|signal| open(signal).transpose()).collect::<io::Result<_>>().map(Self)
    }

    /// The next signal.
    pub(super) async fn next(&mut self) -> Heard {
        next(&mut self.0).await
    }
}

/// The name of a signal; a number where it has none that is the same everywhere.
pub fn signal_name(number: i32) -> String {
    match known_name(number) {
        Some(name) => format!("SIG{name}"),
        None => format!("signal {number}"),
    }
}

fn known_name(number: i32) -> Option<&'static str> {
    const NAMES: [(Signal, &str); 16] = [
        (Signal::HUP, "HUP"),
        (Signal::INT, "INT"),
        (Signal::QUIT, "QUIT"),
        (Signal::ILL, "ILL"),
        (Signal::TRAP, "TRAP"),
        (Signal::ABORT, "ABRT"),
        (Signal::BUS, "BUS"),
        (Signal::FPE, "FPE"),
        (Signal::KILL, "KILL"),
        (Signal::SEGV, "SEGV"),
        (Signal::PIPE, "PIPE"),
        (Signal::ALARM, "ALRM"),
        (Signal::TERM, "TERM"),
        (Signal::USR1, "USR1"),
        (Signal::USR2, "USR2"),
        (Signal::XCPU, "XCPU"),
    ];
    NAMES.iter().find(|(signal, _)| signal.as_raw() == number).map(|(_, name)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals_have_names() {
        assert_eq!([9, 15, 64].map(signal_name), ["SIGKILL", "SIGTERM", "signal 64"]);
    }
}
