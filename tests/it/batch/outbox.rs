//! `batch --outbox`: many alerts stored together, and none lost that was accepted.

use std::time::Duration;

use serde_json::{Value, json};

use super::{batch, results, scene, with};
use crate::support::fake::{Endpoint, FakeWecom, Reply};
use crate::support::wait_until;

/// Lines of an app to 50 members, numbered.
fn lines(count: usize) -> String {
    let line =
        |n: usize| json!({"id": n, "profile": "app", "to_user": format!("user{}", n % 50), "text": format!("no {n}.")});
    (0..count).map(|n| line(n).to_string() + "\n").collect()
}

#[test]
fn a_batch_stores_more_than_a_single_send() {
    let scene = with(FakeWecom::builder().any_user().start());
    let args = ["--outbox", "--on-rate-limit", "outbox", "--rate", "1/10m"];
    let run = batch(&scene, &args, &lines(1150)).run().assert_code(0);
    let told = results(&run);
    let ended = |status: &str| told.iter().filter(|result| result["status"] == status).count();
    assert_eq!((ended("sent"), ended("queued")), (50, 1100), "{}", run.stderr);
    let listed = scene.bare(&["--output", "json", "outbox", "list"]).run().assert_code(0).json();
    assert_eq!(listed["entries"].as_array().unwrap().len(), 1100);
    // A single send keeps its limit, and goes out all the same.
    let run = scene.bare(&["-P", "room", "--output", "json", "webhook-send", "--outbox", "x"]).run().assert_code(0);
    assert!(run.json()["warnings"].to_string().contains("is full"), "{}", run.all());
}

#[test]
fn what_was_delivered_is_removed() {
    let scene = with(FakeWecom::builder().any_user().start());
    batch(&scene, &["--outbox", "--rate", "off"], &lines(200)).run().assert_code(0);
    assert_eq!(scene.wecom.count(Endpoint::MessageSend), 200);
    let listed = scene.bare(&["--output", "json", "outbox", "list"]).run().assert_code(0).json();
    assert_eq!(listed["entries"], json!([]));
    let left = |folder: &str| std::fs::read_dir(scene.env.state().join("outbox").join(folder)).unwrap().count();
    assert_eq!((left("waiting"), left("new"), left("failed")), (0, 0, 0));
}

#[test]
fn nothing_that_was_accepted_is_lost_by_kill_9() {
    let runs = std::env::var("WECOM_ALERT_TEST_KILLS").ok().and_then(|runs| runs.parse().ok()).unwrap_or(3);
    for run in 0..runs {
        let scene = with(FakeWecom::builder().any_user().start());
        // Some are refused for now, and wait.
        scene.wecom.script(
            Endpoint::MessageSend,
            (0..40).map(|n| if n % 4 == 0 { Reply::status(502) } else { Reply::Normal }),
        );
        let mut running = batch(&scene, &["--outbox", "--rate", "off", "--retries", "0"], &lines(400)).spawn();
        let some = 1 + fastrand::usize(..60);
        wait_until("some requests", || scene.wecom.count(Endpoint::MessageSend) >= some || running.ended().is_some());
        std::thread::sleep(Duration::from_micros(fastrand::u64(..20_000)));
        running.kill();
        let killed = running.wait();
        scene.wecom.normal(Endpoint::MessageSend);
        // The last line may be cut.
        let told: Vec<Value> = killed.stdout.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        let waiting = scene.env.state().join("outbox/waiting");
        let stored = std::fs::read_dir(&waiting).map_or(0, |entries| entries.count());
        let flushed = scene.bare(&["--rate", "off", "--output", "json", "outbox", "flush"]).run().assert_code(0).json();
        assert_eq!(flushed["failed"], 0, "run {run}: {flushed}");
        assert!(flushed["delivered"].as_u64().unwrap() as usize <= stored);
        assert_eq!(std::fs::read_dir(&waiting).map_or(0, |entries| entries.count()), 0);
        let texts = scene.texts();
        for result in told.iter().filter(|result| result["ok"] == true) {
            let text = format!("no {}.", result["id"]);
            assert!(texts.iter().any(|arrived| arrived.contains(&text)), "run {run}: {result} was lost");
        }
    }
    // A wrong place for the outbox stops no alert.
    let scene = scene();
    scene.env.file("state", "no folder");
    let state = scene.env.home().join("state");
    let run =
        batch(&scene, &["--outbox"], "{\"text\": \"x\"}").env("WECOM_ALERT_STATE_DIR", state).run().assert_code(0);
    assert!(results(&run)[0]["warnings"].to_string().contains("without being stored"), "{}", run.all());
}
