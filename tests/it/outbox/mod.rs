//! The outbox: what is stored, what is delivered later, and what neither a dead server nor a killed process may lose.

mod commands;
mod digest;
mod flushing;
#[cfg(target_os = "linux")]
mod killed_calls;
mod kills;
mod late;
mod outage;
mod sick;
mod storing;
mod version_0_1_0;

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};
use wecom_alert::channel::Channel;

use crate::document::assert_document;
use crate::support::fake::Reply;
use crate::support::{Cmd, Run, Scene, entry, send_endpoint};

/// A second webhook of the fake.
const OTHER_KEY: &str = "00000000-0000-4000-8000-000000000002";

const MINUTE_MS: u64 = 60_000;

/// `webhook-send --outbox`.
fn send(scene: &Scene, args: &[&str]) -> Cmd {
    scene.cmd(&["webhook-send", "--outbox"]).args(args)
}

/// A send with `--outbox` on that route.
fn send_on(scene: &Scene, route: Channel, args: &[&str]) -> Cmd {
    scene.send(route, &["--outbox"]).args(args)
}

/// `app-send --outbox` to zhangsan.
fn app(scene: &Scene, args: &[&str]) -> Cmd {
    scene.cmd(&["app-send", "-u", "zhangsan", "--outbox"]).args(args)
}

fn flush(scene: &Scene) -> Cmd {
    scene.cmd(&["outbox", "flush"])
}

/// Sends what the server cannot take now; returns the entry's id.
#[track_caller]
fn store(scene: &Scene, args: &[&str]) -> String {
    store_on(scene, Channel::Webhook, args)
}

/// The same on that route.
#[track_caller]
fn store_on(scene: &Scene, route: Channel, args: &[&str]) -> String {
    scene.wecom.script(send_endpoint(route), [Reply::status(502)]);
    queued(scene, send_on(scene, route, args))
}

/// Runs a send that must end up in the outbox; returns the entry's id.
#[track_caller]
fn queued(scene: &Scene, cmd: Cmd) -> String {
    let told = assert_document(&cmd.run(), "to be stored", 0, &json!({"status": "queued"}));
    let id = told["outbox_id"].as_str().unwrap().to_owned();
    assert!(waiting(scene).contains(&id), "{id} is not there");
    id
}

/// What a flush must bring.
#[track_caller]
fn flushed(scene: &Scene, case: &str, cmd: Cmd, code: i32, [delivered, remaining, failed]: [u64; 3]) -> Value {
    let expected = json!({"delivered": delivered, "remaining": remaining, "failed": failed});
    let told = assert_document(&cmd.run(), case, code, &expected);
    assert_eq!(told["retryable"], code == 7 && remaining > 0, "{case}: what was given up stays so");
    assert_eq!(waiting(scene).len() as u64, remaining, "{case}");
    told
}

/// What `outbox list` shows.
fn list(scene: &Scene) -> Vec<Value> {
    let told = assert_document(&scene.cmd(&["outbox", "list"]).run(), "list", 0, &json!({"status": "ok"}));
    told["entries"].as_array().unwrap().clone()
}

fn folder(scene: &Scene, name: &str) -> PathBuf {
    scene.env.state().join("outbox").join(name)
}

/// The ids of what waits, in order.
fn waiting(scene: &Scene) -> Vec<String> {
    names(folder(scene, "waiting"))
}

/// The ids of what is not tried any more, in order.
fn failed(scene: &Scene) -> Vec<String> {
    names(folder(scene, "failed"))
}

/// Nothing is left of any alert.
#[track_caller]
fn assert_empty(scene: &Scene, case: &str) {
    for name in ["waiting", "failed", "new"] {
        assert_eq!(names(folder(scene, name)), [""; 0], "{case}: {name}");
    }
}

/// Makes an entry older; returns when it was accepted then, in Unix milliseconds.
fn age(scene: &Scene, id: &str, by_ms: u64) -> u64 {
    entry::age(&folder(scene, "waiting").join(id), by_ms)
}

/// The names in a folder, in order; none where there is no such folder.
fn names(folder: PathBuf) -> Vec<String> {
    let Ok(found) = fs::read_dir(folder) else { return Vec::new() };
    let mut names: Vec<_> = found.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Fails unless a text-mode run said nothing on stdout and, on its first line of stderr, that the alert waits.
#[track_caller]
fn assert_told_of_queue(run: &Run, id: &str) {
    assert_eq!((run.code, run.stdout.as_str()), (Some(0), ""), "{}", run.all());
    let mut lines = run.stderr.lines();
    let (first, second) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
    assert!(first.starts_with("wecom-alert: warning[queued]: webhook-send"), "{}", run.all());
    assert!(first.contains("HTTP 502") && first.ends_with(&format!("it waits in the outbox as {id}")), "{first}");
    assert!(second.starts_with("hint: ") && second.contains("wecom-alert outbox flush"), "{second}");
    assert_eq!(lines.next(), None, "{}", run.all());
}
