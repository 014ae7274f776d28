//! A command under way: signals are handed on, the time limit is kept, its end is awaited.

use std::future::pending;
use std::io;
use std::process::ExitStatus;
use std::time::Duration;

use tokio::process::Child;
use tokio::time::{Instant, sleep, sleep_until};

use super::launch::Launched;
use super::platform::{Ear, Target};
use super::{Force, How, Job};

/// Between two looks at who is left of those whom the command started.
const LOOK: Duration = Duration::from_millis(20);

/// Watches it to its end.
pub(super) async fn watch(launched: &mut Launched, job: &Job) -> How {
    let Launched { child, target, ear, .. } = launched;
    let until = job.time_limit.and_then(|limit| Instant::now().checked_add(limit));
    if let Some(status) = ended(child, *target, ear, until).await {
        return how(status);
    }
    let limit = job.time_limit.unwrap_or_default();
    let Some(target) = *target else { return how(child.wait().await) };
    target.terminate(child);
    let until = Instant::now() + job.grace;
    if ended(child, Some(target), ear, Some(until)).await.is_some() {
        return How::TimedOut { limit, force: end_rest(target, ear, until).await };
    }
    target.kill(child);
    // Nobody can resist that, but a dead disk can hold it up, and another user's process does not hear us. That there is
    // something to tell is true all the same.
    let id = child.id();
    let killed = ended(child, Some(target), ear, Some(Instant::now() + job.grace)).await;
    let force = match (killed, id) {
        (None, Some(id)) => Force::InVain(id),
        _ => Force::Killed,
    };
    How::TimedOut { limit, force }
}

/// Its end, or `None` if it lives on at that time.
async fn ended(
    child: &mut Child,
    target: Option<Target>,
    ear: &mut Ear,
    until: Option<Instant>,
) -> Option<io::Result<ExitStatus>> {
    loop {
        tokio::select! {
            biased;
            status = child.wait() => return Some(status),
            heard = ear.next() => if let Some(target) = target { target.forward(heard) },
            () = at(until) => return None,
        }
    }
}

async fn at(until: Option<Instant>) {
    match until {
        Some(until) => sleep_until(until).await,
        None => pending().await,
    }
}

/// Those whom the command started have as long as itself to end, and get signals as long; some may have to be killed.
async fn end_rest(target: Target, ear: &mut Ear, until: Instant) -> Force {
    while target.is_group_alive() {
        if Instant::now() >= until {
            target.kill_rest();
            return Force::Killed;
        }
        tokio::select! {
            heard = ear.next() => target.forward(heard),
            () = sleep(LOOK) => {}
        }
    }
    Force::Asked
}

fn how(status: io::Result<ExitStatus>) -> How {
    let status = match status {
        Ok(status) => status,
        Err(error) => return How::Unknown(error.to_string()),
    };
    #[cfg(unix)]
    if let Some(number) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return How::Signal(number);
    }
    status.code().map_or_else(|| How::Unknown("it ended without a code".to_owned()), How::Exit)
}
