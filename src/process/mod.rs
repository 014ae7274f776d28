//! A command that is run and watched: started, its output passed on, its end awaited and told.
//!
//! It gets our standard input, environment and folder; what it writes goes where it would have gone without us. It stays in
//! our process group, so that whoever stops or kills that group has it with us. Only where it has a time limit and stdin is
//! no terminal does it lead a group of its own, so that the limit ends all that it started; then signals for us are handed
//! to all of that. Nothing here prints, and nothing here knows of alerts.

mod launch;
#[cfg(unix)]
mod listener;
mod relay;
mod signals;
mod tail;
#[cfg(test)]
mod tests;
mod watch;

#[cfg(not(unix))]
#[path = "elsewhere.rs"]
mod platform;
#[cfg(unix)]
#[path = "unix.rs"]
mod platform;

use std::ffi::OsString;
use std::io;
use std::time::{Duration, Instant, SystemTime};

use futures_util::future::join;

use launch::Launched;
pub use platform::signal_name;
use relay::Relay;
pub use signals::{StopSignals, received};
pub use tail::Kept;

/// How long what the command wrote may keep us from telling of its end, if its reader is slow.
const PATIENCE: Duration = Duration::from_secs(5);

/// A signal for a whole group can reach us a moment after it has ended the command: it is the command's, and has done its
/// work. Left alone, it would be taken for one that ends what comes next. Those that come later have their usual effect.
const ECHO: Duration = Duration::from_millis(20);

/// What is to be run.
#[derive(Debug, Clone)]
pub struct Job {
    /// A path, or a name that is searched in PATH.
    pub program: OsString,
    /// What it gets besides its name.
    pub arguments: Vec<OsString>,
    /// How many lines of its output are kept.
    pub tail_lines: usize,
    /// It is asked to end after this.
    pub time_limit: Option<Duration>,
    /// How much longer it has then, until it is ended.
    pub grace: Duration,
}

/// A command that has ended.
#[derive(Debug)]
pub struct Ended {
    /// How it ended.
    pub how: How,
    /// When it was started.
    pub started: SystemTime,
    /// How long it took.
    pub duration: Duration,
    /// The end of what it wrote.
    pub tail: Kept,
    relay: Relay,
}

/// How a command ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum How {
    /// By itself, with this code.
    Exit(i32),
    /// By a signal.
    Signal(i32),
    /// By the time limit, however it took that.
    TimedOut {
        /// The limit.
        limit: Duration,
        /// What it took.
        force: Force,
    },
    /// The system does not tell.
    Unknown(String),
}

/// What it took to end a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Force {
    /// It was asked to.
    Asked,
    /// It, or what it had started, was killed.
    Killed,
    /// It could not be ended: a dead disk holds it up, or it has become another user's. It runs on, as this process.
    InVain(u32),
}

/// A command that could not be started.
#[derive(Debug)]
pub struct NotStarted {
    /// Why not.
    pub error: io::Error,
    /// When that was tried.
    pub tried: SystemTime,
}

/// Runs a command to its end.
///
/// Returns when it has ended and, as far as that is known within a few seconds, all that it wrote has been passed on; see
/// [`Ended::passed_on`]. What it started may run on.
///
/// # Errors
///
/// [`NotStarted`]: there is no such program, or it may not be run. A program that fails is none.
pub async fn run(job: &Job) -> Result<Ended, NotStarted> {
    let (tried, since) = (SystemTime::now(), Instant::now());
    let mut launched = launch::launch(job).map_err(|error| NotStarted { error, tried })?;
    let how = watch::watch(&mut launched, job).await;
    let duration = since.elapsed();
    let Launched { relay, ear, .. } = launched;
    let heard_out = async {
        tokio::time::sleep(ECHO).await;
        drop(ear);
    };
    let (is_all_read, ()) = join(relay.settle(PATIENCE), heard_out).await;
    if !is_all_read {
        relay.read_ahead().await;
    }
    Ok(Ended { how, started: tried, duration, tail: relay.kept(), relay })
}

impl Ended {
    /// Waits until what the command wrote has been passed on, however slow its reader is. Returns why not all could be.
    pub async fn passed_on(&self) -> Option<String> {
        self.relay.settle(Duration::MAX).await;
        self.relay.trouble()
    }

    /// Whether what has been passed on leaves our stdout, and our stderr, in the midst of a line.
    pub fn open_lines(&self) -> [bool; 2] {
        self.relay.open_lines()
    }
}

impl How {
    /// The exit code of whoever ran it, as shells and timeout(1) have it: its own, 128 and the signal, 124 for the limit.
    pub fn exit_code(&self) -> u8 {
        match self {
            // Elsewhere codes can be larger; none of those is 0.
            Self::Exit(code) => u8::try_from(*code).unwrap_or(1),
            Self::Signal(number) => u8::try_from(128 + number).unwrap_or(255),
            Self::TimedOut { .. } => 124,
            Self::Unknown(_) => 125,
        }
    }

    /// Whether it did what it was there for, as far as it says.
    pub fn is_success(&self) -> bool {
        *self == Self::Exit(0)
    }
}

impl NotStarted {
    /// The exit code of whoever wanted to run it, as shells have it: 127 if there is no such program, else 126.
    pub fn exit_code(&self) -> u8 {
        if self.error.kind() == io::ErrorKind::NotFound { 127 } else { 126 }
    }
}
