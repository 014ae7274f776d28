//! Runs a program with text on its standard input, for the first line that it prints. It leads a process group, which is
//! killed as a whole at its time limit, and when nobody waits for it any more. Its standard error is ours.

use std::ffi::OsString;
use std::io;
use std::process::Stdio;
use std::time::Duration;

#[cfg(unix)]
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::Child;
use tokio::time::{Instant, sleep_until};

use super::command::{how_it_ended, is_script, program_and_shell};
use super::{CommandEnd, Force};

/// Between SIGTERM at the time limit and SIGKILL, and then until it is given up.
const GRACE: Duration = Duration::from_secs(2);

/// How long what it printed is waited for after its end: what it started may hold the pipe open.
const LAST_WORDS: Duration = Duration::from_millis(200);

/// No more of its first line is kept, in bytes.
const LONGEST_LINE: usize = 4096;

/// A program to be run so.
#[derive(Debug, Clone)]
pub(crate) struct PipedJob {
    /// A path, or a name that is searched in PATH.
    pub(crate) program: OsString,
    /// The arguments after the name.
    pub(crate) arguments: Vec<OsString>,
    /// Variables that are not in its environment.
    pub(crate) hidden: Vec<&'static str>,
    /// Variables that are.
    pub(crate) variables: Vec<(&'static str, String)>,
    /// What it reads.
    pub(crate) input: Vec<u8>,
    /// The time after which it is ended.
    pub(crate) time_limit: Duration,
}

/// Runs it to its end. Returns how it ended, and the first line that it printed, without its end. What it does not read and
/// what it goes on printing hold nothing up.
pub(crate) async fn run_piped(job: &PipedJob) -> (CommandEnd, String) {
    match spawn(job) {
        Ok(child) => watch(child, job).await,
        Err(error) => (CommandEnd::not_started(&error), String::new()),
    }
}

fn spawn(job: &PipedJob) -> io::Result<Child> {
    let [program, shell] = program_and_shell(&job.program, &job.arguments, &job.hidden);
    let start = |mut command: std::process::Command| {
        command.envs(job.variables.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        tokio::process::Command::from(command).kill_on_drop(true).spawn()
    };
    match start(program) {
        Err(error) if is_script(&error) => start(shell),
        started => started,
    }
}

/// What was done to end it.
enum Stage {
    Running,
    Asked,
    Killed,
}

async fn watch(mut child: Child, job: &PipedJob) -> (CommandEnd, String) {
    let mut group = Group::of(&child);
    let (mut stdin, mut stdout) = (child.stdin.take(), child.stdout.take());
    let (mut unread, mut line, mut chunk) = (&job.input[..], Vec::new(), vec![0; LONGEST_LINE]);
    let (mut stage, mut until, mut status) = (Stage::Running, Instant::now() + job.time_limit, None);
    while status.is_none() || stdout.is_some() {
        tokio::select! {
            // A program that prints without an end is ended all the same.
            biased;
            () = sleep_until(until) => match (&status, &stage) {
                (Some(_), _) | (None, Stage::Killed) => break,
                (None, Stage::Running) => {
                    group.ask();
                    (stage, until) = (Stage::Asked, Instant::now() + GRACE);
                }
                (None, Stage::Asked) => {
                    group.kill();
                    (stage, until) = (Stage::Killed, Instant::now() + GRACE);
                }
            },
            ended = child.wait(), if status.is_none() => {
                (status, until) = (Some(ended), Instant::now() + LAST_WORDS);
            }
            read = read_some(&mut stdout, &mut chunk), if stdout.is_some() => match read {
                Ok(read @ 1..) => {
                    let room = LONGEST_LINE.saturating_sub(line.len());
                    line.extend_from_slice(&chunk[..read.min(room)]);
                }
                _ => stdout = None,
            },
            written = write_some(&mut stdin, unread), if stdin.is_some() => match written {
                Ok(written @ 1..) if written < unread.len() => unread = &unread[written..],
                // It has read all, or does not want to.
                _ => stdin = None,
            },
        }
    }
    let limit = job.time_limit;
    let end = match (stage, status) {
        (Stage::Running, Some(status)) => {
            // What it leaves behind on purpose may live on.
            group.leave();
            status.map_or_else(|error| CommandEnd::Unknown(error.to_string()), how_it_ended)
        }
        (Stage::Asked, Some(_)) => CommandEnd::TimedOut { limit, force: Force::Asked },
        (_, Some(_)) => CommandEnd::TimedOut { limit, force: Force::Killed },
        (_, None) => CommandEnd::TimedOut { limit, force: Force::StillRunning(child.id().unwrap_or_default()) },
    };
    let first = line.split(|byte| *byte == b'\n').next().unwrap_or_default();
    (end, String::from_utf8_lossy(first).trim_end().to_owned())
}

async fn read_some(from: &mut Option<tokio::process::ChildStdout>, into: &mut [u8]) -> io::Result<usize> {
    match from {
        Some(from) => from.read(into).await,
        None => Ok(0),
    }
}

async fn write_some(to: &mut Option<tokio::process::ChildStdin>, bytes: &[u8]) -> io::Result<usize> {
    match to {
        Some(to) => to.write(bytes).await,
        None => Ok(0),
    }
}

/// The process group that a program leads. What is left of it is killed when this is dropped.
#[cfg(unix)]
struct Group(Option<Pid>);

#[cfg(unix)]
impl Group {
    fn of(child: &Child) -> Self {
        Self(child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?)))
    }

    /// A stopped process has to go on to end.
    fn ask(&self) {
        self.send(Signal::TERM);
        self.send(Signal::CONT);
    }

    fn kill(&self) {
        self.send(Signal::KILL);
    }

    fn leave(&mut self) {
        self.0 = None;
    }

    fn send(&self, signal: Signal) {
        if let Some(group) = self.0 {
            let _ = kill_process_group(group, signal);
        }
    }
}

#[cfg(unix)]
impl Drop for Group {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Elsewhere there are no groups: the program itself is killed when nobody waits for it.
#[cfg(not(unix))]
struct Group;

#[cfg(not(unix))]
impl Group {
    fn of(_child: &Child) -> Self {
        Self
    }

    fn ask(&self) {}

    fn kill(&self) {}

    fn leave(&mut self) {}
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;

    fn shell(line: &str) -> PipedJob {
        PipedJob {
            program: "/bin/sh".into(),
            arguments: vec!["-c".into(), line.into()],
            hidden: vec!["PIPED_SECRET"],
            variables: vec![("PIPED_KEY", "ack".to_owned())],
            input: b"{\"key\":\"ack\"}\n".to_vec(),
            time_limit: Duration::from_secs(60),
        }
    }

    fn ran(job: &PipedJob) -> (CommandEnd, String) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(run_piped(job))
    }

    #[test]
    fn it_reads_its_input_and_its_first_line_is_kept() {
        let (end, line) = ran(&shell("read -r line; echo \"$line $PIPED_KEY\"; echo more; exit 3"));
        assert_eq!((end, line.as_str()), (CommandEnd::Exit(3), "{\"key\":\"ack\"} ack"));
    }

    #[test]
    fn neither_what_it_does_not_read_nor_what_it_prints_holds_it_up() {
        let input = vec![b'x'; 1_000_000];
        let (end, line) = ran(&PipedJob { input, ..shell("head -c 1000000 /dev/zero | tr '\\0' a") });
        assert_eq!((end, line.len()), (CommandEnd::Exit(0), LONGEST_LINE));
    }

    #[test]
    fn what_it_leaves_behind_is_not_waited_for() {
        let (end, line) = ran(&PipedJob { time_limit: Duration::from_secs(3600), ..shell("sleep 30 & echo done") });
        assert_eq!((end, line.as_str()), (CommandEnd::Exit(0), "done"));
    }

    #[test]
    fn its_group_is_ended_at_the_time_limit() {
        let time_limit = Duration::from_millis(200);
        let (end, line) =
            ran(&PipedJob { time_limit, ..shell("sleep 3600 & echo $!; trap '' TERM; wait; sleep 3600") });
        assert_eq!(end, CommandEnd::TimedOut { limit: time_limit, force: Force::Killed });
        let left = line.parse().ok().and_then(Pid::from_raw).unwrap();
        let until = std::time::Instant::now() + Duration::from_secs(20);
        let is_alive = || {
            std::fs::read_to_string(format!("/proc/{}/stat", left.as_raw_nonzero()))
                .is_ok_and(|stat| !stat.contains(") Z"))
        };
        while cfg!(target_os = "linux") && is_alive() {
            assert!(std::time::Instant::now() < until, "{left:?} lives on");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    #[test]
    fn a_program_that_is_not_there_is_said() {
        let (end, _) = ran(&PipedJob { program: "/nonexistent".into(), ..shell("") });
        assert!(matches!(end, CommandEnd::NotStarted { kind: io::ErrorKind::NotFound, .. }), "{end:?}");
    }
}
