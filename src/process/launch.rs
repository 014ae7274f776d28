//! The start of a command, with everything in place to hear of it.

use std::io::{self, IsTerminal};
use std::process::Command;

use tokio::process::Child;

use super::Job;
use super::platform::{Ear, Ignored, Target};
use super::relay::{Ends, Relay};

/// A command under way.
pub(super) struct Launched {
    pub(super) child: Child,
    /// `None` if it has ended already.
    pub(super) target: Option<Target>,
    pub(super) ear: Ear,
    pub(super) relay: Relay,
}

/// Starts it.
pub(super) fn launch(job: &Job) -> io::Result<Launched> {
    let (relay, ends) = Relay::start(job.tail_lines)?;
    // What is heard is no longer ignored by the command: where it is not known what is, one listens once the command has
    // been started.
    let ignored = Ignored::read();
    let ear = ignored.is_known().then(|| Ear::open(ignored)).transpose()?;
    let leads_group = cfg!(unix) && job.time_limit.is_some() && !io::stdin().is_terminal();
    let child = spawn(job, ends, leads_group)?;
    let ear = match ear {
        Some(ear) => ear,
        None => Ear::open(ignored)?,
    };
    let target = Target::new(child.id(), leads_group);
    Ok(Launched { child, target, ear, relay })
}

/// The command alone holds the ends of the pipes afterwards.
fn spawn(job: &Job, ends: Ends, leads_group: bool) -> io::Result<Child> {
    let mut command = Command::new(&job.program);
    command.args(&job.arguments);
    match start(command, &ends, leads_group) {
        #[cfg(unix)]
        Err(error) if error.raw_os_error() == Some(rustix::io::Errno::NOEXEC.raw_os_error()) => {
            // A script that does not say what is to run it: for all shells that is the shell. A name without a folder has
            // to be searched in PATH once more, which it does for exec alone.
            let mut shell = Command::new("/bin/sh");
            if !job.program.as_encoded_bytes().contains(&b'/') {
                shell.args(["-c", "exec \"$0\" \"$@\""]);
            }
            shell.arg(&job.program).args(&job.arguments);
            start(shell, &ends, leads_group)
        }
        started => started,
    }
}

fn start(mut command: Command, ends: &Ends, leads_group: bool) -> io::Result<Child> {
    command.stdout(ends.stdout.try_clone()?).stderr(ends.stderr.try_clone()?);
    #[cfg(unix)]
    if leads_group {
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
    }
    #[cfg(not(unix))]
    let _ = leads_group;
    tokio::process::Command::from(command).spawn()
}
