//! What becomes of the command of `run` when this program breaks: it is neither ended nor left behind, and its exit code is
//! ours as ever.

use std::sync::{Arc, Mutex, PoisonError};

use super::output::OutputRelay;

/// What is known of the command.
#[derive(Clone)]
pub(super) enum Known {
    /// It runs as this process, and its output is passed on.
    Running(u32, Arc<OutputRelay>),
    /// It has ended, or could not be started, with this exit code.
    Ended(u8),
}

static KNOWN: Mutex<Option<Known>> = Mutex::new(None);

pub(super) fn remember(known: Known) {
    *KNOWN.lock().unwrap_or_else(PoisonError::into_inner) = Some(known);
}

/// After a panic: the exit code of the command, if there is one. One that still runs is waited for; what it writes is still
/// passed on, and signals have their usual effect. In another thread than the main one this does not return then, since the
/// main one goes on.
pub fn exit_code_after_panic() -> Option<u8> {
    let known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner).clone();
    match known? {
        Known::Ended(code) => Some(code),
        Known::Running(id, output) => {
            let code = end_of(id);
            output.drain();
            code
        }
    }
}

#[cfg(unix)]
fn end_of(id: u32) -> Option<u8> {
    use rustix::process::{Pid, WaitOptions, waitpid};

    while std::thread::current().name() != Some("main") {
        std::thread::park();
    }
    super::signals::restore_all();
    let id = i32::try_from(id).ok().and_then(Pid::from_raw)?;
    loop {
        match waitpid(Some(id), WaitOptions::empty()) {
            Ok(Some((_, status))) => {
                let code = status.exit_status().or_else(|| Some(128 + status.terminating_signal()?))?;
                return Some(u8::try_from(code).unwrap_or(1));
            }
            Ok(None) | Err(rustix::io::Errno::INTR) => {}
            Err(_) => return None,
        }
    }
}

#[cfg(not(unix))]
fn end_of(_id: u32) -> Option<u8> {
    None
}

/// In builds for tests alone: panics where the variable says so, since there is no other way to bring that about.
#[cfg(debug_assertions)]
#[allow(clippy::panic, reason = "this is its purpose")]
#[doc(hidden)]
pub fn break_on_purpose(place: &str) {
    if std::env::var_os("TEST_PANIC_IN_WECOM_ALERT").is_some_and(|named| named == place) {
        panic!("on purpose");
    }
}

#[cfg(not(debug_assertions))]
#[doc(hidden)]
pub fn break_on_purpose(_place: &str) {}
