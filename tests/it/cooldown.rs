//! `--cooldown`: repeats of an alert are held back by all processes together, and the next that passes tells of them.

use std::time::Duration;

use serde_json::{Value, json};

use crate::document::{assert_document, warnings};
use crate::results::document;
use crate::support::fake::{Endpoint, FakeWecom, Reply};
use crate::support::{Cmd, Scene, at_once, wait_until};

const HOUR: [&str; 2] = ["--cooldown", "1h"];

/// Longer ago than that is any alert before.
const OVER: [&str; 2] = ["--cooldown", "1ms"];

fn new_scene() -> Scene {
    Scene::with(FakeWecom::builder().webhook("test-key-of-room").start())
}

#[track_caller]
fn passes(cmd: Cmd, held_back: u64) -> Value {
    assert_document(&cmd.run(), "passes", 0, &json!({"status": "sent", "held_back": held_back, "warnings": []}))
}

#[track_caller]
fn held(cmd: Cmd, held_back: u64) {
    let expected = json!({
        "status": "skipped", "held_back": held_back, "attempts": 0, "parts": [], "errcode": null, "warnings": [],
    });
    assert_document(&cmd.run(), "held back", 0, &expected);
}

/// `[2 repeats held back since HH:MM +0800]`, then the text.
#[track_caller]
fn check_lead(text: &str, repeats: &str, said: &str) {
    let (lead, rest) = text.split_once('\n').unwrap_or_else(|| panic!("no line before {text:?}"));
    let since =
        lead.strip_prefix(&format!("[{repeats} held back since ")).and_then(|rest| rest.strip_suffix(" +0800]"));
    let since = since.unwrap_or_else(|| panic!("{lead:?}"));
    let is_clock = |clock: &str| {
        clock.len() == 5 && clock.chars().enumerate().all(|(at, c)| if at == 2 { c == ':' } else { c.is_ascii_digit() })
    };
    assert!(is_clock(since), "{lead:?}");
    assert_eq!(rest, said);
}

#[test]
fn repeats_are_held_back_and_the_next_tells_of_them() {
    for (command, said) in [(&["webhook-send"][..], "disk full"), (&["app-send", "-u", "zhangsan"], "磁盘已满")] {
        let scene = new_scene();
        let cmd = |cooldown: [&str; 2]| scene.cmd(command).args(cooldown).arg(said).env("TZ", "CST-8");
        passes(cmd(HOUR), 0);
        held(cmd(HOUR), 1);
        held(cmd(HOUR), 2);
        passes(cmd(OVER), 2);
        held(cmd(HOUR), 1);
        passes(cmd(OVER), 1);
        passes(cmd(OVER), 0);
        let texts = scene.texts();
        assert_eq!((texts.len(), texts[0].as_str(), texts[3].as_str()), (4, said, said));
        check_lead(&texts[1], "2 repeats", said);
        check_lead(&texts[2], "1 repeat", said);
    }
}

#[test]
fn a_repeat_is_silent_without_verbose() {
    let scene = new_scene();
    let cmd = |args: &[&str]| {
        scene.env.cmd(["webhook-send", "disk full"]).args(HOUR).args(args).base_url(&scene.wecom).webhook()
    };
    cmd(&[]).run().assert_code(0);
    let run = cmd(&[]).run().assert_code(0);
    assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("", ""));
    let run = cmd(&["-v"]).run().assert_code(0);
    assert!(run.stderr.contains("skipped") && run.stderr.contains("2 held back"), "{}", run.all());
    assert_eq!((run.stdout.as_str(), scene.texts().len()), ("", 1));
}

#[test]
fn of_ten_equal_alerts_one_is_sent() {
    let scene = new_scene();
    // Slow enough that the others are there before it is known what becomes of it.
    scene.wecom.script(Endpoint::WebhookSend, [Reply::delayed(Duration::from_millis(300), Reply::Normal)]);
    let cmd = |cooldown: [&str; 2]| scene.group(&["disk full"]).args(cooldown).env("TZ", "CST-8");
    let told = at_once(0..10, |_| document(&cmd(HOUR).run().assert_code(0)));
    let count = |status: &str| told.iter().filter(|told| told["status"] == status).count();
    assert_eq!((count("sent"), count("skipped"), scene.wecom.count(Endpoint::WebhookSend)), (1, 9, 1));
    passes(cmd(OVER), 9);
    check_lead(&scene.texts()[1], "9 repeats", "disk full");
}

#[test]
fn a_failed_alert_starts_no_cooldown() {
    for (reply, code) in
        [(Reply::status(502), 7), (Reply::errcode(40201, "spam"), 5), (Reply::errcode(45009, "freq"), 8)]
    {
        let scene = new_scene();
        scene.wecom.script(Endpoint::WebhookSend, [reply]);
        scene.group(&["disk full"]).args(HOUR).run().assert_code(code);
        passes(scene.group(&["disk full"]).args(HOUR), 0);
        held(scene.group(&["disk full"]).args(HOUR), 1);
        assert_eq!(scene.texts(), ["disk full"]);
    }
}

#[test]
fn if_the_first_of_equal_alerts_fails_another_is_sent() {
    let scene = new_scene();
    scene.wecom.script(Endpoint::WebhookSend, [Reply::delayed(Duration::from_millis(300), Reply::status(502))]);
    let mut ends =
        at_once(0..4, |_| scene.group(&["disk full"]).args(HOUR).run().json()["status"].as_str().unwrap().to_owned());
    ends.sort();
    assert_eq!(ends, ["sent", "skipped", "skipped", "temporary"]);
    assert_eq!((scene.texts().len(), scene.wecom.count(Endpoint::WebhookSend)), (1, 2));
}

#[test]
fn a_partial_or_queued_alert_starts_the_cooldown() {
    let scene = new_scene();
    let to_some = || scene.cmd(&["app-send", "-u", "zhangsan,nobody", "disk full"]).args(HOUR);
    to_some().run().assert_code(6);
    held(to_some(), 1);
    scene.wecom.script(Endpoint::WebhookSend, [Reply::status(502)]);
    let stored = || scene.group(&["--outbox", "disk full"]).args(HOUR);
    assert_document(&stored().run(), "stored", 0, &json!({"status": "queued"}));
    held(stored(), 1);
    assert_eq!(scene.wecom.count(Endpoint::WebhookSend), 1);
}

#[test]
fn different_alerts_have_different_cooldowns() {
    let scene = new_scene();
    let config = "[profiles.room]\nwebhook = \"test-key-of-room\"\n";
    let cases: [&[&str]; 10] = [
        &["webhook-send", "disk full"],
        &["webhook-send", "disk full again"],
        &["webhook-send", "-t", "markdown", "disk full"],
        &["webhook-send", "-P", "room", "disk full"],
        &["app-send", "-u", "zhangsan", "disk full"],
        &["app-send", "-u", "lisi", "disk full"],
        &["app-send", "-u", "zhangsan,lisi", "disk full"],
        &["app-send", "-u", "zhangsan", "--to-party", "1", "disk full"],
        &["app-send", "-u", "zhangsan", "--to-party", "2", "disk full"],
        &["app-send", "-u", "zhangsan", "--to-tag", "1", "disk full"],
    ];
    for args in cases {
        // Profiles are named only where one is meant, and a file with one would be it for all.
        let config = if args.contains(&"-P") { config } else { "" };
        let run = scene.cmd(args).args(HOUR).secret("test-key-of-room").config(config).run();
        assert_eq!(document(&run)["status"], "sent", "{args:?}\n{}", run.all());
    }
    assert_eq!(scene.texts().len(), cases.len());
    // And without --cooldown nobody asks.
    assert_eq!(document(&scene.group(&["disk full"]).run())["status"], "sent");
}

#[test]
fn a_cooldown_key_joins_different_alerts() {
    let scene = new_scene();
    let keyed = |key: &str, args: &[&str]| scene.cmd(args).args(HOUR).args(["--cooldown-key", key]);
    passes(keyed("disk", &["webhook-send", "90% used"]), 0);
    held(keyed("disk", &["webhook-send", "91% used"]), 1);
    held(keyed("disk", &["app-send", "-u", "zhangsan", "92% used"]), 2);
    passes(keyed("../fan", &["webhook-send", "90% used"]), 0);
    assert_eq!(scene.texts(), ["90% used", "90% used"]);
    // What the key says is in no file's name.
    let names: Vec<_> =
        std::fs::read_dir(scene.env.state().join("cooldown")).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert!(names.iter().all(|name| !name.to_str().unwrap().contains("disk")) && names.len() == 4, "{names:?}");
}

#[test]
fn a_payload_is_held_back_too_but_its_text_is_its_own() {
    let scene = new_scene();
    let payload = scene.env.file("payload.json", r#"{"content": "disk full"}"#);
    let cmd = |cooldown: [&str; 2]| scene.group(&["-t", "text", "--payload"]).arg(&payload).args(cooldown);
    passes(cmd(HOUR), 0);
    held(cmd(HOUR), 1);
    passes(cmd(OVER), 1);
    assert_eq!(scene.texts(), ["disk full"; 2]);
}

#[test]
fn a_dry_run_neither_reads_nor_starts_a_cooldown() {
    let scene = new_scene();
    let dry = || scene.group(&["disk full", "--dry-run"]).args(HOUR);
    for _ in 0..2 {
        assert_document(&dry().run(), "dry", 0, &json!({"status": "dry_run", "held_back": 0}));
    }
    assert!(!scene.env.state().exists());
    passes(scene.group(&["disk full"]).args(HOUR), 0);
    assert_document(&dry().run(), "dry", 0, &json!({"status": "dry_run", "held_back": 0}));
    passes(scene.group(&["disk full"]).args(OVER), 0);
}

#[test]
fn a_killed_sender_starts_no_cooldown() {
    let scene = new_scene();
    scene.wecom.script(Endpoint::WebhookSend, [Reply::HangAfterReading]);
    let mut first = scene.group(&["disk full"]).args(HOUR).spawn();
    wait_until("the request", || scene.wecom.count(Endpoint::WebhookSend) == 1);
    let second = scene.group(&["disk full"]).args(HOUR).spawn();
    first.kill();
    assert_eq!(document(&second.wait().assert_code(0))["status"], "sent");
    assert_eq!(first.wait().code, None, "a signal ended it");
    held(scene.group(&["disk full"]).args(HOUR), 1);
    assert_eq!((scene.texts().len(), scene.wecom.count(Endpoint::WebhookSend)), (1, 2));
}

#[test]
fn without_a_state_folder_the_alert_is_sent_with_a_warning() {
    let scene = new_scene();
    let occupied = scene.env.file("occupied", "a file");
    let nowhere = |cmd: Cmd| cmd.without_env("HOME").without_env("XDG_STATE_HOME");
    let elsewhere = |cmd: Cmd| cmd.env("WECOM_ALERT_STATE_DIR", &occupied);
    for _ in 0..2 {
        for cmd in [elsewhere(scene.group(&["disk full"])), nowhere(scene.group(&["disk full"]))] {
            let told =
                assert_document(&cmd.args(HOUR).run(), "no folder", 0, &json!({"status": "sent", "held_back": 0}));
            let warnings = warnings(&told);
            assert!(warnings.iter().any(|warning| warning.contains("not held back")), "{warnings:?}");
        }
    }
    assert_eq!(scene.texts(), ["disk full"; 4]);
}

#[test]
fn an_alert_that_reached_nobody_starts_no_cooldown() {
    let scene = new_scene();
    for (users, status) in [("unlicensed", "partial"), ("nobody", "refused")] {
        for _ in 0..2 {
            let run = scene.cmd(&["app-send", "-u", users, "hello"]).args(HOUR).run();
            assert_eq!(run.json()["status"], status, "{users}: {}", run.all());
        }
        assert_eq!(scene.wecom.count(Endpoint::MessageSend), if users == "nobody" { 4 } else { 2 });
    }
    // Whoever is wrong stays wrong: to the others it is a repeat.
    let some = || scene.cmd(&["app-send", "-u", "nobody,zhangsan", "hello"]).args(HOUR);
    assert_document(&some().run(), "some", 6, &json!({"status": "partial"}));
    held(some(), 1);
}

#[test]
fn a_repeat_does_not_wait_for_the_jitter_of_another() {
    let scene = new_scene();
    let slow = scene.group(&["hello", "--jitter", "24h", "--outbox"]).args(HOUR).spawn();
    let waiting = scene.env.state().join("outbox/waiting");
    let stored = || std::fs::read_dir(&waiting).is_ok_and(|mut entries| entries.next().is_some());
    wait_until("an entry in the outbox", stored);
    passes(scene.group(&["hello", "--deadline", "5s"]).args(HOUR), 0);
    let mut slow = slow;
    slow.kill();
    slow.wait();
    assert!(stored(), "what was stored before the jitter outlives it");
}

#[test]
fn a_stored_alert_that_is_held_back_leaves_the_outbox() {
    let scene = new_scene();
    passes(scene.group(&["hello", "--outbox"]).args(HOUR), 0);
    held(scene.group(&["hello", "--outbox"]).args(HOUR), 1);
    let waiting = std::fs::read_dir(scene.env.state().join("outbox/waiting")).unwrap();
    assert_eq!((waiting.count(), scene.texts().len()), (0, 1));
}
