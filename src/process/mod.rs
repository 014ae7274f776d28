//! Runs a command: starts it, passes its output on, forwards signals, waits for its end.
//!
//! The command gets our standard input, environment and folder; what it writes goes where it would have gone without us. It
//! stays in our process group, so that a signal to that group reaches both. Only where it has a time limit and stdin is no
//! terminal does it lead a group of its own, so that the limit ends all processes that it started; signals for us then go to
//! that whole group. This module prints nothing and knows nothing of alerts.

mod command;
mod output;
mod signals;
mod tail;
#[cfg(test)]
mod tests;

use std::ffi::OsString;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use futures_util::future::join;

use command::RunningCommand;
pub use output::OutputRelay;
pub use signals::{StopSignals, signal_name};
pub use tail::CapturedOutput;

/// How long a slow reader of the command's output may delay the report of its end.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long signals are still received after the command's end: a signal to the whole process group can reach us a
/// moment after it ended the command, and must not end what we do next. Later signals have their usual effect.
const ECHO: Duration = Duration::from_millis(20);

/// The command to run.
#[derive(Debug, Clone)]
pub struct Job {
    /// A path, or a name that is searched in PATH.
    pub program: OsString,
    /// The arguments after the name.
    pub arguments: Vec<OsString>,
    /// How many lines of its output are kept.
    pub tail_lines: usize,
    /// The time after which it is asked to end.
    pub time_limit: Option<Duration>,
    /// The time from then on until it is killed.
    pub grace: Duration,
}

/// A command that has ended.
#[derive(Debug)]
pub struct CommandReport {
    /// How it ended.
    pub end: CommandEnd,
    /// When it was started.
    pub started: SystemTime,
    /// How long it took.
    pub duration: Duration,
    /// The end of what it wrote.
    pub tail: CapturedOutput,
    /// What passes its output on.
    pub output: Arc<OutputRelay>,
}

/// How a command ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CommandEnd {
    /// By itself, with this code.
    Exit(i32),
    /// By a signal.
    Signal(i32),
    /// By the time limit.
    TimedOut {
        /// The limit.
        limit: Duration,
        /// How it was ended.
        force: Force,
    },
    /// The system does not report it.
    Unknown(String),
}

/// How a command was ended at its time limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Force {
    /// By SIGTERM.
    Asked,
    /// By SIGKILL, for it or for a process that it had started.
    Killed,
    /// It could not be ended, since a dead disk holds it up or it has become another user's, and runs on with this process id.
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
/// Returns when it has ended and all that it wrote has been passed on; a slow reader delays that by 5 s at most, see
/// [`OutputRelay::passed_on`]. Processes that it started may run on.
///
/// # Errors
///
/// [`NotStarted`]: there is no such program, or it may not be run. A program that fails is no error.
pub async fn run(job: &Job) -> Result<CommandReport, NotStarted> {
    let (tried, since) = (SystemTime::now(), Instant::now());
    let mut command = RunningCommand::start(job).map_err(|error| NotStarted { error, tried })?;
    let end = command.watch(job).await;
    let duration = since.elapsed();
    let RunningCommand { output, signals, .. } = command;
    let stop_listening = async {
        tokio::time::sleep(ECHO).await;
        drop(signals);
    };
    let (is_all_read, ()) = join(output.settle(PATIENCE), stop_listening).await;
    if !is_all_read {
        output.read_ahead().await;
    }
    Ok(CommandReport { end, started: tried, duration, tail: output.captured(), output })
}

impl CommandEnd {
    /// The exit code for it, as of shells and timeout(1): its own, 128 and the signal, 124 for the limit.
    pub fn exit_code(&self) -> u8 {
        match self {
            // On other systems codes can be larger; none of those is 0.
            Self::Exit(code) => u8::try_from(*code).unwrap_or(1),
            Self::Signal(number) => u8::try_from(128 + number).unwrap_or(255),
            Self::TimedOut { .. } => 124,
            Self::Unknown(_) => 125,
        }
    }

    /// Whether it ended with exit code 0.
    pub fn is_success(&self) -> bool {
        *self == Self::Exit(0)
    }
}

impl NotStarted {
    /// The exit code for it, as of shells: 127 if there is no such program, else 126.
    pub fn exit_code(&self) -> u8 {
        if self.error.kind() == io::ErrorKind::NotFound { 127 } else { 126 }
    }
}
