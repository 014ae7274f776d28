//! A running command: started, sent signals, ended at its time limit, its end awaited.
//!
//! Forwarded are the signals of [`FORWARDED`]. What a keyboard sends (SIGINT, SIGQUIT) goes to all processes in the
//! terminal's foreground, the command among them: it is not sent a second time, since many programs take that for "at once".

use std::ffi::{OsStr, OsString};
use std::io::{self, IsTerminal, PipeWriter};
#[cfg(unix)]
use std::path::Path;
use std::process::{Command, ExitStatus};
use std::sync::Arc;
use std::time::Duration;

#[cfg(unix)]
use rustix::io::Errno;
#[cfg(unix)]
use rustix::process::{Pid, Signal, getpgrp, kill_process, kill_process_group, test_kill_process_group};
use tokio::process::Child;
use tokio::time::{Instant, sleep, timeout};

use super::descendants;
use super::output::OutputRelay;
use super::signals::{FORWARDED, SignalListener, ignored_signals};
use super::{CommandEnd, Force, Job};

/// The time between two checks whether processes that the command started are left.
const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// A command that has been started.
pub(super) struct RunningCommand {
    pub(super) child: Child,
    /// The process that gets signals.
    pub(super) id: u32,
    /// It leads a process group of its own: a signal goes to all of it.
    pub(super) leads_group: bool,
    /// What leaves that group is its own too: see [`Job::adopts`].
    adopts: bool,
    pub(super) signals: SignalListener,
    pub(super) output: Arc<OutputRelay>,
    /// Says that a child has ended: the command, or a process that was adopted.
    #[cfg(unix)]
    child_signals: tokio::signal::unix::Signal,
}

impl RunningCommand {
    /// Starts it.
    pub(super) fn start(job: &Job) -> io::Result<Self> {
        let (output, pipes) = OutputRelay::start(job.tail_lines)?;
        #[cfg(unix)]
        // A process that ignores the end of its children never learns how they ended.
        let child_signals = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::child())?;
        // A command does not ignore what we listen for. Where it is not known what is ignored, we listen after its start.
        let early = ignored_signals().map(|_| SignalListener::open(FORWARDED)).transpose()?;
        // The first process of a container is given all that lost their parent, and nobody else lets them go when they end.
        let adopts = job.adopts && (job.time_limit.is_some() || std::process::id() == 1);
        if adopts {
            descendants::adopt(true);
        }
        let leads_group = cfg!(unix) && job.time_limit.is_some() && !io::stdin().is_terminal();
        let child = spawn(job, pipes, leads_group)?;
        let signals = match early {
            Some(signals) => signals,
            // It runs: nothing may be an error that lets it be started once more.
            None => SignalListener::open(FORWARDED).unwrap_or_default(),
        };
        let id = child.id().unwrap_or_default();
        Ok(Self {
            child,
            id,
            leads_group,
            adopts,
            signals,
            output,
            #[cfg(unix)]
            child_signals,
        })
    }

    /// Waits for its end, and brings that about at the time limit.
    pub(super) async fn watch(&mut self, job: &Job) -> CommandEnd {
        let end = self.watch_until_end(job).await;
        if self.adopts {
            descendants::adopt(false);
            self.reap();
        }
        end
    }

    /// Lets adopted processes that have ended go.
    fn reap(&self) {
        if self.adopts {
            descendants::reap(self.id);
        }
    }

    /// Whether processes live on that were adopted.
    fn has_others(&self) -> bool {
        self.adopts && !descendants::outside_group(self.id).is_empty()
    }

    async fn watch_until_end(&mut self, job: &Job) -> CommandEnd {
        let limit = job.time_limit.unwrap_or(Duration::MAX);
        if let Some(status) = self.ended(limit).await {
            return status.map_or_else(|error| CommandEnd::Unknown(error.to_string()), how_it_ended);
        }
        self.terminate();
        let deadline = Instant::now() + job.grace;
        if self.ended(job.grace).await.is_some() {
            return CommandEnd::TimedOut { limit, force: self.end_group(deadline).await };
        }
        self.kill();
        // A process cannot resist that, but a dead disk can hold it up, and another user's process gets no signal from us.
        let force = match self.ended(job.grace).await {
            Some(_) => Force::Killed,
            None => Force::StillRunning(self.id),
        };
        CommandEnd::TimedOut { limit, force }
    }

    /// Waits for its end and forwards signals. `None` if it lives on after `limit`.
    async fn ended(&mut self, limit: Duration) -> Option<io::Result<ExitStatus>> {
        let end = async {
            loop {
                #[cfg(unix)]
                let child_ended = self.child_signals.recv();
                #[cfg(not(unix))]
                let child_ended = std::future::pending::<Option<()>>();
                tokio::select! {
                    biased;
                    status = self.child.wait() => return status,
                    _ = child_ended => self.reap(),
                    number = self.signals.next() => self.forward(number),
                }
            }
        };
        timeout(limit, end).await.ok()
    }

    /// Processes that the command started have the same time to end, and get signals as well; those left are killed.
    async fn end_group(&mut self, deadline: Instant) -> Force {
        while self.leads_group && (self.is_group_alive() || self.has_others()) {
            if Instant::now() >= deadline {
                self.kill();
                return Force::Killed;
            }
            tokio::select! {
                number = self.signals.next() => self.forward(number),
                () = sleep(POLL_INTERVAL) => self.reap(),
            }
        }
        Force::Asked
    }
}

/// Signals to the command; a process that is gone already is no error.
#[cfg(unix)]
impl RunningCommand {
    /// Forwards a signal, unless the command has got it from the same source.
    fn forward(&self, number: i32) {
        let Some(signal) = Signal::from_named_raw(number) else { return };
        let is_from_keyboard = matches!(signal, Signal::INT | Signal::QUIT);
        if self.leads_group || !(is_from_keyboard && is_in_foreground()) {
            self.send(signal);
        }
    }

    /// Asks it to end. A stopped process has to go on to do so.
    fn terminate(&mut self) {
        self.send_to_all(Signal::TERM);
        self.send_to_all(Signal::CONT);
    }

    fn kill(&mut self) {
        self.send_to_all(Signal::KILL);
    }

    /// Whether a process is left in the command's group.
    fn is_group_alive(&self) -> bool {
        self.pid().is_some_and(|pid| test_kill_process_group(pid).is_ok())
    }

    /// To the command and to all that it has started, where it leads a group. Some of those may have left the group.
    fn send_to_all(&self, signal: Signal) {
        self.send(signal);
        if self.leads_group && self.adopts {
            for pid in descendants::outside_group(self.id) {
                let _ = kill_process(pid, signal);
            }
        }
    }

    fn send(&self, signal: Signal) {
        let Some(pid) = self.pid() else { return };
        let _ = if self.leads_group { kill_process_group(pid, signal) } else { kill_process(pid, signal) };
    }

    fn pid(&self) -> Option<Pid> {
        i32::try_from(self.id).ok().and_then(Pid::from_raw)
    }
}

/// Elsewhere a command cannot be asked to end, there are no groups, and who sends Ctrl-C to us sends it to the command too.
#[cfg(not(unix))]
impl RunningCommand {
    fn forward(&self, _number: i32) {}

    fn terminate(&mut self) {
        self.kill();
    }

    fn kill(&mut self) {
        let _ = self.child.start_kill();
    }

    fn is_group_alive(&self) -> bool {
        false
    }
}

/// Whether the terminal that we are run from, if any, sends its keys to our process group.
#[cfg(unix)]
fn is_in_foreground() -> bool {
    let terminal = std::fs::File::open("/dev/tty").ok();
    let foreground = terminal.and_then(|terminal| rustix::termios::tcgetpgrp(terminal).ok());
    foreground == Some(getpgrp())
}

pub(super) fn how_it_ended(status: ExitStatus) -> CommandEnd {
    #[cfg(unix)]
    if let Some(number) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return CommandEnd::Signal(number);
    }
    status.code().map_or_else(|| CommandEnd::Unknown("it ended without a code".to_owned()), CommandEnd::Exit)
}

/// Only the command holds the pipes afterwards.
fn spawn(job: &Job, pipes: [PipeWriter; 2], leads_group: bool) -> io::Result<Child> {
    let [program, shell] = program_and_shell(&job.program, &job.arguments, &job.hidden);
    match spawn_with(program, &pipes, leads_group) {
        Err(error) if is_script(&error) => spawn_with(shell, &pipes, leads_group),
        spawned => spawned,
    }
}

/// Whether such a program can be started, without starting it: found by its path or in PATH, and executable.
#[cfg(unix)]
pub fn check_program(program: &OsStr) -> io::Result<()> {
    use rustix::fs::{Access, access};
    let check = |path: &Path| match path.is_dir() {
        true => Err(Errno::ACCESS),
        false => access(path, Access::EXEC_OK),
    };
    if program.as_encoded_bytes().contains(&b'/') {
        return Ok(check(Path::new(program))?);
    }
    let folders = std::env::var_os("PATH").unwrap_or_else(|| "/bin:/usr/bin".into());
    let mut result = Err(Errno::NOENT);
    for folder in std::env::split_paths(&folders).filter(|_| !program.is_empty()) {
        match check(&folder.join(program)) {
            Ok(()) => return Ok(()),
            // As execvp(3): what is found and may not be executed is told only if nothing else is found.
            Err(Errno::ACCESS) if folder.join(program).is_file() => result = Err(Errno::ACCESS),
            Err(_) => {}
        }
    }
    Ok(result?)
}

/// Elsewhere only the start itself shows it.
#[cfg(not(unix))]
pub fn check_program(_program: &OsStr) -> io::Result<()> {
    Ok(())
}

/// Whether a program could not be started because no `#!` line says what runs it.
pub(super) fn is_script(error: &io::Error) -> bool {
    #[cfg(unix)]
    return error.raw_os_error() == Some(Errno::NOEXEC.raw_os_error());
    #[cfg(not(unix))]
    return {
        let _ = error;
        false
    };
}

/// The command, and what runs it where [`is_script`] says so: the shell, as all shells do. A name without a folder has to
/// be searched in PATH once more, which the shell does only for exec.
pub(super) fn program_and_shell(name: &OsStr, arguments: &[OsString], hidden: &[&str]) -> [Command; 2] {
    let mut program = Command::new(name);
    let mut shell = Command::new("/bin/sh");
    if !name.as_encoded_bytes().contains(&b'/') {
        shell.args(["-c", "exec \"$0\" \"$@\""]);
    }
    shell.arg(name);
    for command in [&mut program, &mut shell] {
        command.args(arguments);
        for variable in hidden {
            command.env_remove(variable);
        }
    }
    [program, shell]
}

fn spawn_with(mut command: Command, [stdout, stderr]: &[PipeWriter; 2], leads_group: bool) -> io::Result<Child> {
    command.stdout(stdout.try_clone()?).stderr(stderr.try_clone()?);
    #[cfg(unix)]
    if leads_group {
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
    }
    #[cfg(not(unix))]
    let _ = leads_group;
    tokio::process::Command::from(command).spawn()
}
