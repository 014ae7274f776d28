//! Kills a command at one system call after the other; `strace` does that.
//!
//! Few of the calls are tried, unless `WECOM_ALERT_TEST_ALL_CALLS=1` asks for all of them.

use std::collections::BTreeMap;
use std::fs;

use super::{Cmd, Scene};

/// The calls that change what is on disk or goes over the network, or lie between two of those.
const CALLS: [&str; 26] = [
    "chmod",
    "fchmodat",
    "close",
    "connect",
    "exit_group",
    "fchmod",
    "fdatasync",
    "flock",
    "fsync",
    "ftruncate",
    "getdents64",
    "lseek",
    "mkdir",
    "mkdirat",
    "newfstatat",
    "openat",
    "read",
    "recvfrom",
    "rename",
    "renameat",
    "renameat2",
    "sendto",
    "statx",
    "unlink",
    "unlinkat",
    "write",
];

/// Unless all are asked for, so many are tried of each command.
pub(crate) const FEW: usize = 24;

/// A call, and how often a thread makes it before the process is killed there.
pub(crate) type Point = (String, usize);

/// The points of a command's life: a traced run of it to its end gives them.
pub(crate) fn points(scene: &Scene, cmd: Cmd) -> Vec<Point> {
    let log = scene.env.home().join("calls");
    cmd.through(&format!("strace -f -qq -o {} -- ", log.display())).run();
    let mut counts: BTreeMap<(String, String), usize> = BTreeMap::new();
    for line in fs::read_to_string(&log).unwrap_or_default().lines() {
        let Some((thread, call)) = line.split_once(' ') else { continue };
        let Some((name, _)) = call.trim_start().split_once('(') else { continue };
        if CALLS.contains(&name) {
            *counts.entry((name.to_owned(), thread.to_owned())).or_default() += 1;
        }
    }
    let mut most: BTreeMap<String, usize> = BTreeMap::new();
    for ((name, _), count) in counts {
        let known = most.entry(name).or_default();
        *known = count.max(*known);
    }
    let all: Vec<Point> =
        most.into_iter().flat_map(|(name, count)| (1..=count).map(move |at| (name.clone(), at))).collect();
    if std::env::var("WECOM_ALERT_TEST_ALL_CALLS").is_ok_and(|value| value == "1") {
        return all;
    }
    let step = (all.len() / FEW).max(1);
    let first = fastrand::usize(..step);
    all.into_iter().skip(first).step_by(step).collect()
}

/// Runs a command that is killed at that point. Returns its exit code if it ended before.
pub(crate) fn killed_at((call, at): &Point, cmd: Cmd) -> Option<i32> {
    cmd.through(&format!("strace -f -qq -o /dev/null -e trace={call} -e inject={call}:signal=KILL:when={at} -- "))
        .run()
        .code
}
