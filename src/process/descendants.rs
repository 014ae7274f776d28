//! Processes that a command with a time limit has started and that left its process group, as a session of their own does.
//!
//! On Linux this process adopts those whose parent has ended, so that all of them stay its descendants and are found. What
//! another process starts on the command's behalf (systemd-run, at, a container's daemon) is never found. Elsewhere none are.

#[cfg(target_os = "linux")]
use rustix::process::{Pid, WaitOptions, getpgid, getpid, set_child_subreaper, waitpid};

/// More processes are not looked at.
#[cfg(target_os = "linux")]
const MOST: usize = 10_000;

/// Begins or ends the adoption of processes whose parent has ended.
#[cfg(target_os = "linux")]
pub(super) fn adopt(begins: bool) {
    let _ = set_child_subreaper(begins.then(getpid));
}

/// Lets adopted processes that have ended go; the command is left to those who wait for it.
#[cfg(target_os = "linux")]
pub(super) fn reap(command: u32) {
    for child in children(getpid()).filter(|child| !is(*child, command)) {
        let _ = waitpid(Some(child), WaitOptions::NOHANG);
    }
}

/// The descendants of this process that are neither the command nor in its process group.
#[cfg(target_os = "linux")]
pub(super) fn outside_group(command: u32) -> Vec<Pid> {
    let mut found: Vec<Pid> = children(getpid()).collect();
    let mut looked_at = 0;
    while looked_at < found.len().min(MOST) {
        found.extend(children(found[looked_at]));
        looked_at += 1;
    }
    found.retain(|pid| getpgid(Some(*pid)).is_ok_and(|group| !is(group, command)) && !is_zombie(*pid));
    found
}

/// The children of a process. A kernel without `CONFIG_PROC_CHILDREN` does not tell.
#[cfg(target_os = "linux")]
fn children(parent: Pid) -> impl Iterator<Item = Pid> {
    let threads = std::fs::read_dir(format!("/proc/{}/task", parent.as_raw_nonzero())).into_iter().flatten();
    threads.flatten().flat_map(|thread| {
        let ids = std::fs::read_to_string(thread.path().join("children")).unwrap_or_default();
        let ids: Vec<_> = ids.split_whitespace().filter_map(|id| id.parse().ok().and_then(Pid::from_raw)).collect();
        ids
    })
}

#[cfg(target_os = "linux")]
fn is_zombie(pid: Pid) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero())).unwrap_or_default();
    stat.rsplit_once(") ").is_none_or(|(_, state)| state.starts_with(['Z', 'X']))
}

#[cfg(target_os = "linux")]
fn is(pid: Pid, id: u32) -> bool {
    i64::from(pid.as_raw_nonzero().get()) == i64::from(id)
}

#[cfg(not(target_os = "linux"))]
pub(super) fn adopt(_begins: bool) {}

#[cfg(not(target_os = "linux"))]
pub(super) fn reap(_command: u32) {}

#[cfg(all(unix, not(target_os = "linux")))]
pub(super) fn outside_group(_command: u32) -> Vec<rustix::process::Pid> {
    Vec::new()
}

#[cfg(not(unix))]
pub(super) fn outside_group(_command: u32) -> Vec<u32> {
    Vec::new()
}
