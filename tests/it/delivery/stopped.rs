//! A process that was stopped (SIGSTOP, Ctrl-Z, a debugger) while it holds a lock costs nobody else an alert.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use super::{app, group};
use crate::document::warnings;
use crate::support::fake::{Endpoint, Reply};
use crate::support::{Cmd, Running, Scene, at_once, needs, send_signal, wait_until};

/// Within which an alert must go out beside a stopped process: one that leaves no time, and one with plenty of it.
const DEADLINES: [&str; 2] = ["2s", "8s"];

/// No request is cut before its server answers.
const PATIENT: [&str; 2] = ["--timeout", "10m"];

/// Runs to its end with this deadline.
fn ends(cmd: Cmd, deadline: &str, code: i32) -> Value {
    cmd.args(["--deadline", deadline]).run().assert_code(code).json()
}

/// Starts it, and stops it when it waits for an answer of that endpoint.
fn stopped_at(scene: &Scene, endpoint: Endpoint, cmd: Cmd) -> Running {
    let before = scene.wecom.count(endpoint);
    scene.wecom.script(endpoint, [Reply::HangAfterReading]);
    let running = cmd.spawn();
    wait_until("the request", || scene.wecom.count(endpoint) > before);
    send_signal("STOP", running.id());
    running
}

fn end(mut stopped: Running) {
    stopped.kill();
    stopped.wait();
}

#[test]
fn while_it_sends_the_same_alert() {
    at_once(DEADLINES, |deadline| {
        let scene = Scene::new();
        let send = || group(&scene, &["--cooldown", "1h"]).args(PATIENT);
        let stopped = stopped_at(&scene, Endpoint::WebhookSend, send());
        let told = ends(send(), deadline, 0);
        assert_eq!((told["status"].as_str(), scene.texts().len()), (Some("sent"), 1), "{told}");
        assert!(warnings(&told).iter().any(|warning| warning.contains("the same alert")), "{told}");
        end(stopped);
        assert_eq!(ends(send(), deadline, 0)["status"], "sent", "nothing is known of the two before");
        assert_eq!(ends(send(), deadline, 0)["status"], "skipped");
    });
}

#[test]
fn while_it_fetches_a_token() {
    at_once(DEADLINES, |deadline| {
        let scene = Scene::new();
        let send = || app(&scene, &[]).args(PATIENT);
        let stopped = stopped_at(&scene, Endpoint::GetToken, send());
        ends(send(), deadline, 0);
        assert_eq!(scene.texts().len(), 1);
        end(stopped);
    });
}

#[test]
fn while_it_tells_of_a_command() {
    at_once(DEADLINES, |deadline| {
        let scene = Scene::new();
        let run = |more: &[&str]| {
            let cmd = scene.cmd(&["run", "-t", "text", "--on", "change"]).args(PATIENT).args(more);
            cmd.args(["--", "/bin/sh", "-c", "exit 3"])
        };
        let stopped = stopped_at(&scene, Endpoint::WebhookSend, run(&[]));
        let told = run(&["--deadline", deadline]).run().assert_code(3).json();
        assert_eq!((told["status"].as_str(), scene.texts().len()), (Some("sent"), 1), "{told}");
        end(stopped);
    });
}

/// The outbox: an entry that a stopped process is sending waits for its end, and all others go.
#[test]
fn while_it_sends_what_was_stored() {
    at_once(DEADLINES, |deadline| {
        let scene = Scene::new();
        let stored = |text: &str| scene.group(&[text, "--outbox", "--retries", "0"]).args(PATIENT);
        let stopped = stopped_at(&scene, Endpoint::WebhookSend, stored("its own"));
        for text in ["second", "third"] {
            scene.wecom.script(Endpoint::WebhookSend, [Reply::status(502)]);
            assert_eq!(ends(stored(text), deadline, 0)["status"], "queued");
        }
        ends(scene.cmd(&["outbox", "flush"]), deadline, 6);
        assert_eq!(scene.texts(), ["second", "third"]);
        end(stopped);
        ends(scene.cmd(&["outbox", "flush"]), deadline, 0);
        assert_eq!(scene.texts(), ["second", "third", "its own"]);
    });
}

#[test]
fn while_it_flushes() {
    at_once(DEADLINES, |deadline| {
        let scene = Scene::new();
        for text in ["first", "second"] {
            scene.wecom.script(Endpoint::WebhookSend, [Reply::status(502)]);
            let stored = scene.group(&[text, "--outbox", "--retries", "0"]);
            assert_eq!(ends(stored, deadline, 0)["status"], "queued");
        }
        let flush = || scene.cmd(&["outbox", "flush"]);
        let stopped = stopped_at(&scene, Endpoint::WebhookSend, flush().args(PATIENT));
        assert_eq!(ends(scene.group(&["at once"]), deadline, 0)["status"], "sent");
        let told = ends(flush(), deadline, 6);
        assert!(warnings(&told).iter().any(|warning| warning.contains("goes on beside it")), "{told}");
        assert_eq!(scene.texts(), ["at once", "second"]);
        end(stopped);
        ends(flush(), deadline, 0);
        assert_eq!(scene.texts(), ["at once", "second", "first"]);
    });
}

/// No request is made while these are locked: another program stops with the lock in its hands.
#[test]
fn while_it_writes_a_file() {
    if !needs("flock") {
        return;
    }
    let cases = DEADLINES.map(|deadline| [("rate", deadline), ("token", deadline)]);
    at_once(cases.into_iter().flatten(), |(file, deadline)| {
        let scene = Scene::new();
        let send = || app(&scene, &["--rate", "20/1m"]);
        ends(send(), deadline, 0);
        let stopped = match file {
            "rate" => lock_and_stop(&only(&scene.env.state().join("pacing"), "json")),
            _ => {
                fs::remove_file(only(&scene.env.cache(), "json")).unwrap();
                lock_and_stop(&only(&scene.env.cache(), "lock"))
            }
        };
        let told = send().args(["-v", "--deadline", deadline]).run().assert_code(0);
        assert_eq!(scene.texts().len(), 2, "{file}");
        assert!(told.stderr.contains("keeps it locked"), "{file}: {}", told.all());
        kill(stopped);
    });
}

/// The only file of that kind in a folder.
fn only(folder: &Path, extension: &str) -> PathBuf {
    let found = fs::read_dir(folder).unwrap().map(|found| found.unwrap().path());
    let found: Vec<_> = found.filter(|path| path.extension().is_some_and(|found| found == extension)).collect();
    assert_eq!(found.len(), 1, "{found:?}");
    found[0].clone()
}

/// A process that holds the lock of a file and was stopped.
fn lock_and_stop(file: &Path) -> Child {
    let mut child = Command::new("flock");
    child.arg("-o").arg(file).args(["/bin/sh", "-c", "echo locked; exec sleep 600"]).stdout(Stdio::piped());
    std::os::unix::process::CommandExt::process_group(&mut child, 0);
    let mut child = child.spawn().unwrap();
    let mut said = [0; 7];
    std::io::Read::read_exact(child.stdout.as_mut().unwrap(), &mut said).unwrap();
    send_signal("STOP", -i64::from(child.id()));
    child
}

fn kill(mut child: Child) {
    send_signal("KILL", -i64::from(child.id()));
    child.wait().unwrap();
}
