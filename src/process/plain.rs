//! Runs a command as a shell would, where the system has no descriptors or threads left for more: its output goes where
//! ours goes and is not read, and signals are not forwarded. The time limit is kept.

use std::io;
use std::process::{Child, Command, ExitStatus};
use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime};

#[cfg(unix)]
use rustix::process::{Pid, Signal, kill_process};

use super::after_panic::{Known, remember};
use super::command::{how_it_ended, program_and_shell};
use super::{CommandEnd, CommandReport, Force, Job};

/// The time between two checks whether a command with a time limit has ended.
const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// Whether an error says that the system has no more of something: descriptors, threads, processes, memory.
pub(super) fn is_shortage(error: &io::Error) -> bool {
    #[cfg(unix)]
    {
        use rustix::io::Errno;
        let short = [Errno::MFILE, Errno::NFILE, Errno::AGAIN, Errno::NOMEM];
        error.raw_os_error().is_some_and(|number| short.iter().any(|errno| errno.raw_os_error() == number))
    }
    #[cfg(not(unix))]
    {
        error.kind() == io::ErrorKind::OutOfMemory
    }
}

/// Runs the command to its end. `shortage` is why its output cannot be read.
pub fn run_plainly(job: &Job, shortage: &str) -> CommandReport {
    let (started, since) = (SystemTime::now(), Instant::now());
    let end = match spawn(job) {
        Ok(mut child) => {
            remember(Known::Running(child.id(), Arc::default()));
            watch(&mut child, job)
        }
        Err(error) => CommandEnd::not_started(&error),
    };
    remember(Known::Ended(end.exit_code()));
    let report = CommandReport { started, duration: since.elapsed(), ..CommandReport::without_output(end) };
    report.output.warn(format!("the output of the command is not in the alert: {shortage}"));
    report
}

fn spawn(job: &Job) -> io::Result<Child> {
    let [program, shell] = program_and_shell(&job.program, &job.arguments, &job.hidden);
    let start = |mut command: Command| command.spawn();
    match start(program) {
        Err(error) if super::command::is_script(&error) => start(shell),
        spawned => spawned,
    }
}

fn watch(child: &mut Child, job: &Job) -> CommandEnd {
    let Some(limit) = job.time_limit else {
        return child.wait().map_or_else(|error| CommandEnd::Unknown(error.to_string()), how_it_ended);
    };
    if let Some(status) = ended(child, limit) {
        return status.map_or_else(|error| CommandEnd::Unknown(error.to_string()), how_it_ended);
    }
    terminate(child);
    if ended(child, job.grace).is_some() {
        return CommandEnd::TimedOut { limit, force: Force::Asked };
    }
    let _ = child.kill();
    let force = ended(child, job.grace).map_or(Force::StillRunning(child.id()), |_| Force::Killed);
    CommandEnd::TimedOut { limit, force }
}

/// Waits for its end; `None` if it lives on after `limit`.
fn ended(child: &mut Child, limit: Duration) -> Option<io::Result<ExitStatus>> {
    let since = Instant::now();
    loop {
        if let Some(status) = child.try_wait().transpose() {
            return Some(status);
        }
        let left = limit.checked_sub(since.elapsed())?;
        sleep(POLL_INTERVAL.min(left));
    }
}

#[cfg(unix)]
fn terminate(child: &Child) {
    if let Some(pid) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
        let _ = kill_process(pid, Signal::TERM);
        let _ = kill_process(pid, Signal::CONT);
    }
}

#[cfg(not(unix))]
fn terminate(child: &mut Child) {
    let _ = child.kill();
}

/// How many descriptors the event loop and the signals take.
#[cfg(unix)]
const NEEDED: usize = 6;

/// Below this limit it is tried whether so many descriptors can be had.
#[cfg(unix)]
const LOW: u64 = 64;

/// Fails where the process may not open as many files as the event loop takes, which then ends the process.
///
/// # Errors
///
/// What opening a file fails of.
#[cfg(unix)]
pub fn check_descriptors() -> io::Result<()> {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    if limit.is_none_or(|limit| limit >= LOW) {
        return Ok(());
    }
    (0..NEEDED).map(|_| std::fs::File::open("/dev/null")).collect::<io::Result<Vec<_>>>().map(drop)
}

/// Elsewhere there is no such limit.
#[cfg(not(unix))]
pub fn check_descriptors() -> io::Result<()> {
    Ok(())
}
