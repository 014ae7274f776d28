//! `--cooldown`: repeats of an alert are held back by all processes together, and the next that passes tells of them.

use std::time::Duration;

use serde_json::{Value, json};

use crate::document::{assert_document, warnings};
use crate::results::document;
use crate::support::fake::{Endpoint, FakeWecom, Reply};
use crate::support::{Cmd, Running, TestEnv};

const HOUR: [&str; 2] = ["--cooldown", "1h"];

/// Longer ago than that is any alert before.
const OVER: [&str; 2] = ["--cooldown", "1ms"];

struct Scene {
    env: TestEnv,
    wecom: FakeWecom,
}

impl Scene {
    fn new() -> Self {
        Self { env: TestEnv::new(), wecom: FakeWecom::builder().webhook("test-key-of-room").start() }
    }

    fn cmd(&self, args: &[&str]) -> Cmd {
        self.env.cmd(args.iter().copied()).args(["--output", "json"]).base_url(&self.wecom).app_credentials().webhook()
    }

    fn group(&self, args: &[&str]) -> Cmd {
        self.cmd(&["webhook-send"]).args(args)
    }

    /// The texts that arrived, in order.
    fn texts(&self) -> Vec<String> {
        let text = |message: &crate::support::fake::Arrived| message.payload()["content"].as_str().unwrap().to_owned();
        self.wecom.messages().iter().map(text).collect()
    }
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
        let scene = Scene::new();
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
fn a_repeat_is_silent_unless_it_is_asked() {
    let scene = Scene::new();
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
fn of_ten_at_once_one_goes() {
    let scene = Scene::new();
    // Slow enough that the others are there before it is known what becomes of it.
    scene.wecom.script(Endpoint::WebhookSend, [Reply::delayed(Duration::from_millis(300), Reply::Normal)]);
    let cmd = |cooldown: [&str; 2]| scene.group(&["disk full"]).args(cooldown).env("TZ", "CST-8");
    let running: Vec<_> = (0..10).map(|_| cmd(HOUR).spawn()).collect();
    let told: Vec<Value> = running.into_iter().map(|run| document(&run.wait().assert_code(0))).collect();
    let count = |status: &str| told.iter().filter(|told| told["status"] == status).count();
    assert_eq!((count("sent"), count("skipped"), scene.wecom.count(Endpoint::WebhookSend)), (1, 9, 1));
    passes(cmd(OVER), 9);
    check_lead(&scene.texts()[1], "9 repeats", "disk full");
}

#[test]
fn an_alert_that_fails_holds_nobody_back() {
    for (reply, code) in
        [(Reply::status(502), 7), (Reply::errcode(40201, "spam"), 5), (Reply::errcode(45009, "freq"), 8)]
    {
        let scene = Scene::new();
        scene.wecom.script(Endpoint::WebhookSend, [reply]);
        scene.group(&["disk full"]).args(HOUR).run().assert_code(code);
        passes(scene.group(&["disk full"]).args(HOUR), 0);
        held(scene.group(&["disk full"]).args(HOUR), 1);
        assert_eq!(scene.texts(), ["disk full"]);
    }
}

#[test]
fn of_those_who_wait_for_one_that_fails_another_goes() {
    let scene = Scene::new();
    scene.wecom.script(Endpoint::WebhookSend, [Reply::delayed(Duration::from_millis(300), Reply::status(502))]);
    let running: Vec<Running> = (0..4).map(|_| scene.group(&["disk full"]).args(HOUR).spawn()).collect();
    let mut ends: Vec<_> =
        running.into_iter().map(|run| run.wait().json()["status"].as_str().unwrap().to_owned()).collect();
    ends.sort();
    assert_eq!(ends, ["sent", "skipped", "skipped", "temporary"]);
    assert_eq!((scene.texts().len(), scene.wecom.count(Endpoint::WebhookSend)), (1, 2));
}

#[test]
fn what_got_through_in_part_or_waits_in_the_outbox_counts() {
    let scene = Scene::new();
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
fn others_do_not_meet() {
    let scene = Scene::new();
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
fn a_key_of_ones_own_joins_what_is_different() {
    let scene = Scene::new();
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
    let scene = Scene::new();
    let payload = scene.env.file("payload.json", r#"{"content": "disk full"}"#);
    let cmd = |cooldown: [&str; 2]| scene.group(&["-t", "text", "--payload"]).arg(&payload).args(cooldown);
    passes(cmd(HOUR), 0);
    held(cmd(HOUR), 1);
    passes(cmd(OVER), 1);
    assert_eq!(scene.texts(), ["disk full"; 2]);
}

#[test]
fn a_dry_run_neither_asks_nor_counts() {
    let scene = Scene::new();
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
fn one_that_was_killed_holds_nobody_back() {
    let scene = Scene::new();
    scene.wecom.script(Endpoint::WebhookSend, [Reply::HangAfterReading]);
    let mut first = scene.group(&["disk full"]).args(HOUR).spawn();
    for _ in 0..6000 {
        if scene.wecom.count(Endpoint::WebhookSend) == 1 {
            break;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    let second = scene.group(&["disk full"]).args(HOUR).spawn();
    first.kill();
    assert_eq!(document(&second.wait().assert_code(0))["status"], "sent");
    assert_eq!(first.wait().code, None, "a signal ended it");
    held(scene.group(&["disk full"]).args(HOUR), 1);
    assert_eq!((scene.texts().len(), scene.wecom.count(Endpoint::WebhookSend)), (1, 2));
}

#[test]
fn without_a_folder_for_it_the_alert_goes_with_a_warning() {
    let scene = Scene::new();
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
fn an_alert_that_reached_nobody_holds_nobody_back() {
    let scene = Scene::new();
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
fn nobody_waits_for_the_jitter_of_another() {
    let scene = Scene::new();
    let slow = scene.group(&["hello", "--jitter", "24h", "--outbox"]).args(HOUR).spawn();
    let waiting = scene.env.state().join("outbox/waiting");
    let stored = || std::fs::read_dir(&waiting).is_ok_and(|mut entries| entries.next().is_some());
    while !stored() {
        std::thread::sleep(Duration::from_millis(2));
    }
    passes(scene.group(&["hello", "--deadline", "5s"]).args(HOUR), 0);
    let mut slow = slow;
    slow.kill();
    slow.wait();
    assert!(stored(), "what was stored before the jitter outlives it");
}

#[test]
fn what_was_stored_and_is_held_back_is_stored_no_longer() {
    let scene = Scene::new();
    passes(scene.group(&["hello", "--outbox"]).args(HOUR), 0);
    held(scene.group(&["hello", "--outbox"]).args(HOUR), 1);
    let waiting = std::fs::read_dir(scene.env.state().join("outbox/waiting")).unwrap();
    assert_eq!((waiting.count(), scene.texts().len()), (0, 1));
}
