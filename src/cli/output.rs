//! Writes to stdout and stderr, and does not wait for ever where nobody reads: a pipe that is full is waited for until shortly
//! after the deadline of the command, and only for a moment while there is still something to do.

use std::io;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long a reader may keep messages waiting while the command is at work.
const MOMENT: Duration = Duration::from_millis(200);

/// How long after the deadline a reader is still waited for.
const AFTER_DEADLINE: Duration = Duration::from_millis(300);

/// Until when readers are waited for; `None` as long as none has kept us waiting and the result is not known.
static UNTIL: Mutex<Option<Instant>> = Mutex::new(None);

/// The command has a result: from now on readers are waited for until shortly after `deadline`.
pub(crate) fn finish_by(deadline: Instant) {
    let last = deadline.max(Instant::now()) + AFTER_DEADLINE;
    *UNTIL.lock().unwrap_or_else(PoisonError::into_inner) = Some(last);
}

/// Until when a reader is waited for that keeps us waiting now.
fn until() -> Instant {
    *UNTIL.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_with(|| Instant::now() + MOMENT)
}

/// Writes to stdout.
pub(crate) fn to_stdout(bytes: &[u8]) -> io::Result<()> {
    #[cfg(unix)]
    return write(io::stdout(), bytes);
    #[cfg(not(unix))]
    write(io::stdout().lock(), bytes)
}

/// Writes to stderr.
pub(crate) fn to_stderr(bytes: &[u8]) -> io::Result<()> {
    #[cfg(unix)]
    return write(io::stderr(), bytes);
    #[cfg(not(unix))]
    write(io::stderr().lock(), bytes)
}

/// What fits into a pipe that has room at all; this much is written at one go.
#[cfg(unix)]
const PIECE: usize = 4096;

/// A pipe is written to only where that does not block, as far as others do not fill it at the same moment.
#[cfg(unix)]
fn write(to: impl std::os::fd::AsFd, mut bytes: &[u8]) -> io::Result<()> {
    // Into a file all goes at once, so that lines of several processes do not run into each other.
    let is_file = |about: rustix::fs::Stat| rustix::fs::FileType::from_raw_mode(about.st_mode).is_file();
    let piece = if bytes.len() > PIECE && rustix::fs::fstat(&to).is_ok_and(is_file) { bytes.len() } else { PIECE };
    while !bytes.is_empty() {
        wait_for_room(&to)?;
        match rustix::io::write(&to, &bytes[..bytes.len().min(piece)]) {
            Ok(written) => bytes = &bytes[written..],
            Err(rustix::io::Errno::INTR | rustix::io::Errno::AGAIN) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

#[cfg(unix)]
fn wait_for_room(to: &impl std::os::fd::AsFd) -> io::Result<()> {
    use rustix::event::{PollFd, PollFlags, poll};

    let mut left = Duration::ZERO;
    loop {
        let limit = left.try_into().unwrap_or_default();
        match poll(&mut [PollFd::new(to, PollFlags::OUT)], Some(&limit)) {
            Ok(0) => {}
            // What cannot be asked can be tried.
            Ok(_) => return Ok(()),
            Err(rustix::io::Errno::INTR) => {}
            Err(_) => return Ok(()),
        }
        left = until().saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::Error::new(io::ErrorKind::TimedOut, "nobody reads it"));
        }
    }
}

/// Elsewhere it is not known whether a write blocks.
#[cfg(not(unix))]
fn write(mut to: impl io::Write, bytes: &[u8]) -> io::Result<()> {
    to.write_all(bytes)?;
    to.flush()
}
