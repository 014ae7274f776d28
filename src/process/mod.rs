//! Runs a command: starts it, passes its output on, forwards signals, waits for its end.
//!
//! The command gets our standard input, environment and folder; what it writes goes where it would have gone without us. It
//! stays in our process group, so that a signal to that group reaches both. Only where it has a time limit and stdin is no
//! terminal does it lead a group of its own, so that the limit ends all processes that it started; signals for us then go to
//! that whole group. This module prints nothing and knows nothing of alerts.

mod after_panic;
mod command;
mod descendants;
mod output;
mod piped;
mod plain;
mod signals;
mod tail;
#[cfg(test)]
mod tests;

use std::ffi::OsString;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use futures_util::future::join;

#[doc(hidden)]
pub use after_panic::break_on_purpose;
pub use after_panic::exit_code_after_panic;
use after_panic::{Known, remember};
use command::RunningCommand;
pub use command::check_program;
pub use output::OutputRelay;
pub(crate) use piped::{PipedJob, run_piped};
pub use plain::{check_descriptors, run_plainly};
pub use signals::{StopSignals, ends_unasked, signal_name};
pub use tail::{CapturedOutput, Gap};

/// How long a slow reader of the command's output may delay the report of its end.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long signals are still received after the command's end: a signal to the whole process group can reach us a
/// moment after it ended the command, and must not end what we do next. Later signals have their usual effect.
const LATE_SIGNALS: Duration = Duration::from_millis(20);

/// The command to run.
#[derive(Debug, Clone)]
pub struct Job {
    /// A path, or a name that is searched in PATH.
    pub program: OsString,
    /// The arguments after the name.
    pub arguments: Vec<OsString>,
    /// Variables that are not in its environment.
    pub hidden: Vec<&'static str>,
    /// How many lines of its output are kept.
    pub tail_lines: usize,
    /// The time after which it is asked to end.
    pub time_limit: Option<Duration>,
    /// The time from then on until it is killed.
    pub grace: Duration,
    /// Whether the time limit reaches what left the process group too. All children of this process, and those that they
    /// leave behind, are taken for the command's then: only for a process that starts nothing else.
    pub adopts: bool,
}

/// A command that has ended, or could not be started.
#[derive(Debug)]
pub struct CommandReport {
    /// How it ended.
    pub end: CommandEnd,
    /// When it was started, or that was tried.
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
    /// It could not be started.
    NotStarted {
        /// What kind of error it was.
        kind: io::ErrorKind,
        /// Why not, as the system says it.
        why: String,
    },
}

/// How a command was ended at its time limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Force {
    /// By SIGTERM.
    Asked,
    /// By SIGKILL, for it or for a process that it had started.
    Killed,
    /// It could not be ended, since a dead disk holds it up or it has become another user's, and runs on with this process id.
    StillRunning(u32),
}

/// Runs a command to its end.
///
/// Returns when it has ended and all that it wrote has been passed on; a slow reader delays that by 5 s at most, see
/// [`OutputRelay::passed_on`]. Processes that it started may run on.
pub async fn run(job: &Job) -> CommandReport {
    let (started, since) = (SystemTime::now(), Instant::now());
    let mut command = match RunningCommand::start(job) {
        Ok(command) => command,
        Err(error) if plain::is_shortage(&error) => return run_plainly(job, &error.to_string()),
        Err(error) => {
            let end = CommandEnd::not_started(&error);
            remember(Known::Ended(end.exit_code()));
            return CommandReport { started, ..CommandReport::without_output(end) };
        }
    };
    remember(Known::Running(command.id, Arc::clone(&command.output)));
    break_on_purpose("running");
    let end = command.watch(job).await;
    remember(Known::Ended(end.exit_code()));
    let duration = since.elapsed();
    let RunningCommand { output, signals, .. } = command;
    let stop_listening = async {
        tokio::time::sleep(LATE_SIGNALS).await;
        drop(signals);
    };
    let (is_all_read, ()) = join(output.settle(PATIENCE), stop_listening).await;
    if !is_all_read {
        output.read_ahead().await;
    }
    CommandReport { end, started, duration, tail: output.captured(), output }
}

impl CommandReport {
    /// A command that ended just now, at once and without a word.
    pub fn without_output(end: CommandEnd) -> Self {
        let (tail, output) = Default::default();
        Self { end, started: SystemTime::now(), duration: Duration::ZERO, tail, output }
    }
}

impl CommandEnd {
    pub(crate) fn not_started(error: &io::Error) -> Self {
        Self::NotStarted { kind: error.kind(), why: error.to_string() }
    }

    /// The exit code for it, as of shells and timeout(1): its own, 128 and the signal, 124 for the limit, 127 if there is no
    /// such program, 126 if it cannot be started.
    pub fn exit_code(&self) -> u8 {
        match self {
            // On other systems codes can be larger; none of those is 0.
            Self::Exit(code) => u8::try_from(*code).unwrap_or(1),
            Self::Signal(number) => u8::try_from(128 + number).unwrap_or(255),
            Self::TimedOut { .. } => 124,
            Self::Unknown(_) => 125,
            Self::NotStarted { kind: io::ErrorKind::NotFound, .. } => 127,
            Self::NotStarted { .. } => 126,
        }
    }
}
