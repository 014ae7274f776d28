//! What tests need of the system: to wait for a condition, to run cases side by side, processes and signals, and tools
//! that may be missing.

use std::io::Write as _;
use std::panic::resume_unwind;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// Whatever takes longer is hung, also on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// Waits until the condition holds. The only place in the tests that polls.
#[track_caller]
pub(crate) fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    wait_for(what, || condition().then_some(()));
}

/// Waits until there is a value.
#[track_caller]
pub(crate) fn wait_for<T>(what: &str, value: impl FnMut() -> Option<T>) -> T {
    poll(PATIENCE, value).unwrap_or_else(|| panic!("waited {PATIENCE:?} in vain: {what}"))
}

/// The value, as soon as there is one within the limit.
pub(crate) fn poll<T>(limit: Duration, mut value: impl FnMut() -> Option<T>) -> Option<T> {
    let since = Instant::now();
    loop {
        let found = value();
        if found.is_some() || since.elapsed() > limit {
            return found;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Runs all cases, several side by side, for tests that mostly wait; their results in the order of the cases. At most
/// eight run at a time, and a case must not begin others in this way.
pub(crate) fn at_once<T: Send, R: Send>(cases: impl IntoIterator<Item = T>, check: impl Fn(T) -> R + Sync) -> Vec<R> {
    let cases: Vec<T> = cases.into_iter().collect();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let workers = (2 * cores).clamp(4, 8).min(cases.len());
    let cases = Mutex::new(cases.into_iter().enumerate());
    let next = || cases.lock().unwrap().next();
    let work = || std::iter::from_fn(|| next().map(|(at, case)| (at, check(case)))).collect::<Vec<_>>();
    let mut results: Vec<(usize, R)> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap_or_else(|panic| resume_unwind(panic))).collect()
    });
    results.sort_by_key(|(at, _)| *at);
    results.into_iter().map(|(_, result)| result).collect()
}

/// Whether a program can be run. A test that lacks one is left out, and says so; with `WECOM_ALERT_TEST_ALL=1` it fails.
pub(crate) fn needs(program: &str) -> bool {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let is_there = std::env::split_paths(&folders).any(|folder| folder.join(program).is_file());
    needs_that(is_there, program)
}

/// The same for anything else that a machine may lack.
pub(crate) fn needs_that(is_there: bool, what: &str) -> bool {
    if !is_there {
        let everything = std::env::var_os("WECOM_ALERT_TEST_ALL").is_some_and(|value| value == "1");
        assert!(!everything, "this machine lacks {what}");
        let test = std::thread::current().name().unwrap_or_default().to_owned();
        // Not by a macro: those write where nobody sees it unless the test fails.
        let _ = std::io::stderr().write_all(format!("{test}: left out, needs {what}\n").as_bytes());
    }
    is_there
}

/// Whether `script` of util-linux is there, which lends a terminal.
pub(crate) fn needs_terminal() -> bool {
    let version = Command::new("script").arg("--version").stdin(Stdio::null()).output();
    let is_known = version.is_ok_and(|version| String::from_utf8_lossy(&version.stdout).contains("util-linux"));
    needs_that(is_known, "script of util-linux")
}

/// Whether this process may open any file, whatever its mode says.
#[cfg(unix)]
pub(crate) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Sends a signal to a process, or with a negative id to a process group.
#[cfg(unix)]
#[track_caller]
pub(crate) fn send_signal(signal: &str, to: impl Into<i64>) {
    // The shell's own, since not every system has it as a program.
    let kill = format!("kill -{signal} {}", to.into());
    assert!(Command::new("/bin/sh").arg("-c").arg(&kill).status().unwrap().success(), "{kill}");
}

/// Makes a named pipe.
#[cfg(unix)]
#[track_caller]
pub(crate) fn make_fifo(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success(), "{}", path.display());
}

/// Whether a process lives; one that has ended but was not waited for does not.
#[cfg(unix)]
pub(crate) fn is_alive(id: u32) -> bool {
    let state = if cfg!(target_os = "linux") {
        let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
        // Behind the name, which may hold anything.
        stat.rsplit_once(") ").map_or(String::new(), |(_, state)| state.to_owned())
    } else {
        let told = Command::new("ps").args(["-o", "stat=", "-p", &id.to_string()]).output().unwrap();
        String::from_utf8(told.stdout).unwrap().trim().to_owned()
    };
    !state.is_empty() && !state.starts_with('Z')
}

/// Whether a process has a handler for that signal.
#[cfg(target_os = "linux")]
pub(crate) fn has_handler(id: u32, signal: rustix::process::Signal) -> bool {
    signal_is_in("SigCgt:", &id.to_string(), signal)
}

/// Looks a signal up in one of the masks of `/proc/…/status`.
#[cfg(target_os = "linux")]
fn signal_is_in(mask: &str, process: &str, signal: rustix::process::Signal) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let bits = status.lines().find_map(|line| line.strip_prefix(mask)).unwrap_or_default();
    u64::from_str_radix(bits.trim(), 16).is_ok_and(|bits| bits & (1 << (signal.as_raw() - 1)) != 0)
}

/// Lets children start with the default action of signals that this process was told to ignore, as `nohup` does: a handler
/// here is none in a child, where an ignored signal would stay ignored. This process goes on ignoring them.
#[cfg(target_os = "linux")]
pub(super) fn restore_signals_for_children() {
    use rustix::process::Signal;

    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        for signal in [Signal::HUP, Signal::INT, Signal::QUIT, Signal::TERM, Signal::USR1, Signal::USR2] {
            if signal_is_in("SigIgn:", "self", signal) {
                signal_hook::flag::register(signal.as_raw(), std::sync::Arc::default()).unwrap();
            }
        }
    });
}

/// Ends every process that was started with that folder in its environment and is still there after `limit`, which one
/// that was killed needs to be gone; then there must have been none. Only Linux tells.
#[cfg(target_os = "linux")]
pub(super) fn assert_no_process_left(folder: &Path, limit: Duration) {
    let is_failing = std::thread::panicking();
    poll(if is_failing { Duration::ZERO } else { limit }, || processes_of(folder).is_empty().then_some(()));
    let left = processes_of(folder);
    for (id, _) in &left {
        // It may be gone by now.
        let _ = Command::new("/bin/sh").arg("-c").arg(format!("kill -KILL {id}")).output();
    }
    assert!(left.is_empty() || is_failing, "processes that the test left behind: {left:#?}");
}

/// The processes with that folder in their environment, and their command lines.
#[cfg(target_os = "linux")]
fn processes_of(folder: &Path) -> Vec<(u32, String)> {
    use std::os::unix::ffi::OsStrExt as _;

    let folder = folder.as_os_str().as_bytes();
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let started_here = processes.filter_map(|process| {
        let id: u32 = process.file_name().into_string().ok()?.parse().ok()?;
        let environment = std::fs::read(process.path().join("environ")).ok()?;
        environment.windows(folder.len()).any(|part| part == folder).then(|| {
            let command = std::fs::read(process.path().join("cmdline")).unwrap_or_default();
            (id, String::from_utf8_lossy(&command).replace('\0', " "))
        })
    });
    started_here.collect()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn at_most_eight_cases_run_at_once() {
        let (running, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let doubled = at_once(0..100, |number| {
            most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            std::thread::yield_now();
            running.fetch_sub(1, Ordering::SeqCst);
            2 * number
        });
        assert!((1..=8).contains(&most.into_inner()));
        assert!(doubled.into_iter().eq((0..100).map(|number| 2 * number)));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_process_left_behind_is_found_and_ended() {
        let folder = tempfile::tempdir().unwrap();
        let mut left =
            Command::new("/bin/sh").args(["-c", "exec sleep 60"]).env("HOME", folder.path()).spawn().unwrap();
        let check = || assert_no_process_left(folder.path(), Duration::ZERO);
        wait_until("the process in its folder", || !processes_of(folder.path()).is_empty());
        assert!(std::panic::catch_unwind(check).is_err());
        left.wait().unwrap();
        check();
    }
}
