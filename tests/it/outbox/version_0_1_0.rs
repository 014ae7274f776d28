//! What version 0.1.0 left on disk is taken up by this one: nothing of it is lost, sent twice or forgotten.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};
use wecom_alert::clock::now_ms;
use wecom_alert::fingerprint::fingerprint;

use super::late::mark;
use super::{OTHER_KEY, assert_empty, failed, flushed, folder, names, waiting};
use crate::document::{assert_document, warnings};
use crate::support::fake::{AGENT_ID, Arrived, CORP_ID, Endpoint, FakeWecom, MediaKind, Route, SECRET, WEBHOOK_KEY};
use crate::support::{Cmd, Scene};

/// When it was written.
const WRITTEN_AT_MS: u64 = 1_795_995_216_511;

/// What its README says of these.
const ENV: &str = "20261129T233335.971Z-21858-tbnjix";
const TOO_OLD: &str = "20261129T233336.048Z-21889-rgyaut";
const REFUSED: &str = "20261129T233336.083Z-21899-mvkcrw";
const MARKED: &str = "20261129T233336.121Z-21906-owjxbm";
const TEXT: &str = "20261129T233336.164Z-21924-xptckw";
const APP: &str = "20261129T233336.192Z-21931-evgzfp";
const FILE: &str = "20261129T233336.222Z-21940-kopsfl";
const PICTURE: &str = "20261129T233336.254Z-21948-qjynlz";
const HALF: &str = "20261129T233336.290Z-21954-edlqvu";
const ATTACHED: &str = "20261129T233336.330Z-21963-xsmsby";
const LATE: &str = "20261129T233336.362Z-21970-rlkrqs";
const ONCE: &str = "20261129T233336.377Z-21975-wvpwdi";
const UNTRIED: &str = "20261129T233336.416Z-21984-mlmpgt";
const DAMAGED: &str = "20261129T233336.442Z-21990-osevnp";

/// How many of them wait and can be delivered.
const WHOLE: u64 = 10;

/// Where a time in a file may lie, around the time of writing.
const SPAN_S: u64 = 7 * 24 * 60 * 60;

/// The folders of 0.1.0 in an environment of today, with a fake that knows the token in the cache.
fn scene() -> Scene {
    let data = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/state-0.1.0");
    let cached = names(data.join("cache")).into_iter().find(|name| name.ends_with(".json")).unwrap();
    let mut token: Value = serde_json::from_slice(&fs::read(data.join("cache").join(cached)).unwrap()).unwrap();
    let wecom = FakeWecom::builder().webhook(OTHER_KEY).token(SECRET, token["access_token"].as_str().unwrap());
    let scene = Scene::with(wecom.start());
    copy(&data.join("state"), &scene.env.state());
    // Its name and its key are those of an address, which is another one today.
    let key = fingerprint([scene.wecom.base_url().as_str(), CORP_ID, &AGENT_ID.to_string(), SECRET]);
    token["key"] = json!(key);
    scene.env.file(scene.env.cache().join(format!("token-{}.json", &key[..32])), today(&token.to_string()));
    scene
}

/// Copies a folder as its owner has it, with all times of today.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    fs::set_permissions(to, fs::Permissions::from_mode(0o700)).unwrap();
    for name in names(from.to_owned()) {
        let (from, to) = (from.join(&name), to.join(&name));
        if from.is_dir() {
            copy(&from, &to);
            continue;
        }
        let content = fs::read(&from).unwrap();
        let content =
            if name.ends_with(".json") { today(&String::from_utf8(content).unwrap()).into() } else { content };
        fs::write(&to, content).unwrap();
        fs::set_permissions(&to, fs::Permissions::from_mode(0o600)).unwrap();
    }
}

/// The text with every time in it, in seconds or milliseconds, moved by as much as has passed since it was written.
fn today(text: &str) -> String {
    let passed_ms = now_ms() - WRITTEN_AT_MS;
    let moved = |digits: &str| {
        let number: u64 = digits.parse().ok()?;
        match digits.len() {
            13 if number.abs_diff(WRITTEN_AT_MS) < SPAN_S * 1000 => Some(number + passed_ms),
            10 if number.abs_diff(WRITTEN_AT_MS / 1000) < SPAN_S => Some(number + passed_ms / 1000),
            _ => None,
        }
    };
    let (mut told, mut rest) = (String::new(), text);
    while let Some(at) = rest.find(|c: char| c.is_ascii_digit()) {
        let (before, from) = rest.split_at(at);
        let (digits, after) = from.split_at(from.find(|c: char| !c.is_ascii_digit()).unwrap_or(from.len()));
        told.push_str(before);
        told.push_str(&moved(digits).map_or(digits.to_owned(), |moved| moved.to_string()));
        rest = after;
    }
    told + rest
}

/// The two profiles.
fn config() -> String {
    format!(
        "[profiles.ops]\ncorp_id = \"{CORP_ID}\"\nagent_id = {AGENT_ID}\nsecret = \"{SECRET}\"\n\n[profiles.room]\n\
         webhook = \"{OTHER_KEY}\"\n"
    )
}

/// A command with both profiles and the webhook of the environment.
fn cmd(scene: &Scene, args: &[&str]) -> Cmd {
    let cmd = scene.env.cmd(["--output", "json"]).args(args).config(&config()).base_url(&scene.wecom);
    cmd.secret(OTHER_KEY).webhook().env("TZ", "CST-8")
}

/// By the webhook of `room`.
fn room(scene: &Scene, args: &[&str]) -> Cmd {
    let cmd = scene.env.cmd(["--output", "json", "webhook-send", "-P", "room"]).args(args).config(&config());
    cmd.base_url(&scene.wecom).secret(OTHER_KEY)
}

/// By the app of `ops`.
fn ops(scene: &Scene, args: &[&str]) -> Cmd {
    let cmd = scene.env.cmd(["--output", "json", "app-send", "-P", "ops"]).args(args).config(&config());
    cmd.base_url(&scene.wecom)
}

fn flush(scene: &Scene, args: &[&str]) -> Cmd {
    cmd(scene, &["outbox", "flush"]).args(args)
}

/// What a late entry begins with, by the time in its file.
fn mark_of(scene: &Scene, shelf: &str, id: &str, span: &str) -> String {
    let content = fs::read(folder(scene, shelf).join(id).join("entry.json")).unwrap();
    let entry: Value = serde_json::from_slice(&content).unwrap();
    mark(entry["queued_at_ms"].as_u64().unwrap(), span)
}

/// The body of a text to a webhook.
fn group_text(content: &str) -> String {
    format!(r#"{{"msgtype":"text","text":{{"content":{}}}}}"#, json!(content))
}

/// The bodies that came by an app, and by a webhook, in order.
fn bodies(scene: &Scene, key: Option<&str>) -> Vec<String> {
    let is_it = |route: &Route| match (route, key) {
        (Route::App { agent_id }, None) => *agent_id == AGENT_ID,
        (Route::Webhook { key }, Some(expected)) => key == expected,
        _ => false,
    };
    let messages = scene.wecom.messages().into_iter().filter(|message| is_it(&message.route));
    messages.map(|message| String::from_utf8(message.raw).unwrap()).collect()
}

#[test]
fn the_old_entries_are_listed() {
    let scene = scene();
    let (ops, room, group, app) = (json!("ops"), json!("room"), "webhook-send", "app-send");
    let expected = [
        (ENV, "waiting", group, Value::Null, 1, json!(45009), "freq out of limit"),
        (MARKED, "waiting", app, ops.clone(), 2, Value::Null, "no answer came"),
        (TEXT, "waiting", group, room.clone(), 1, Value::Null, "something else answered"),
        (APP, "waiting", app, ops.clone(), 1, json!(-1), "system error"),
        (FILE, "waiting", app, ops.clone(), 1, json!(-1), "system error"),
        (PICTURE, "waiting", group, room.clone(), 1, Value::Null, "something else answered"),
        (HALF, "waiting", group, room.clone(), 2, Value::Null, "1 of 3 parts sent whole"),
        (ATTACHED, "waiting", app, ops.clone(), 1, json!(-1), "system error"),
        (LATE, "waiting", group, room.clone(), 1, Value::Null, "something else answered"),
        (ONCE, "waiting", group, room.clone(), 0, Value::Null, ""),
        (UNTRIED, "waiting", group, room.clone(), 0, Value::Null, ""),
        (DAMAGED, "failed", "", Value::Null, 0, Value::Null, "entry.json cannot be used"),
        (TOO_OLD, "failed", group, room, 1, Value::Null, "outbox_max_age"),
        (REFUSED, "failed", app, ops, 1, json!(40058), "invalid parameter"),
    ];
    let told = assert_document(&cmd(&scene, &["outbox", "list"]).run(), "list", 0, &json!({"warnings": []}));
    let listed = told["entries"].as_array().unwrap();
    assert_eq!(listed.len(), expected.len(), "{told:#}");
    for (entry, (id, state, command, profile, attempts, errcode, message)) in listed.iter().zip(expected) {
        let shown = ["id", "state", "command", "profile", "attempts", "errcode"].map(|field| entry[field].clone());
        assert_eq!(shown, [json!(id), json!(state), json!(command), profile, json!(attempts), errcode], "{entry:#}");
        assert!(entry["message"].as_str().unwrap_or_default().contains(message), "{entry:#}");
        assert_eq!(entry["queued_at"].is_null(), id == DAMAGED, "{entry:#}");
    }
    // To look changes nothing.
    assert_eq!((waiting(&scene).len(), failed(&scene).len(), scene.wecom.connections()), (12, 2, 0));
}

#[test]
fn a_flush_delivers_the_old_entries() {
    let scene = scene();
    let late = mark_of(&scene, "waiting", LATE, "2h 5m");
    let told = flushed(&scene, "all", flush(&scene, &[]), 6, [WHOLE, 0, 2]);
    let given_up = warnings(&told).join("\n");
    assert!(given_up.contains(&format!("{ONCE}: it may have arrived, and must not arrive twice")), "{given_up}");
    assert!(given_up.contains(DAMAGED) && warnings(&told).len() == 2, "{given_up}");
    assert_eq!(failed(&scene), [TOO_OLD, REFUSED, ONCE, DAMAGED]);

    assert_eq!(bodies(&scene, Some(WEBHOOK_KEY)), [group_text("by the environment")]);
    // The first of the three parts went out then.
    let part = |number: usize, lines: std::ops::Range<usize>| {
        let text: String = lines.map(|line| format!("line {line:04}\n")).collect();
        let end = if number == 3 { text.trim_end() } else { &text };
        group_text(&format!("({number}/3) {end}"))
    };
    let picture = r#"{"msgtype":"image","image":{"base64":"iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ","md5":"7b19cb59d01885dc74f780d3be2d2918"}}"#;
    let expected = [
        group_text("磁盘已满: 95% used"),
        picture.to_owned(),
        part(2, 204..408),
        part(3, 408..600),
        group_text(&format!("{late}late")),
        group_text("never tried"),
    ];
    assert_eq!(bodies(&scene, Some(OTHER_KEY)), expected);
    let uploads = scene.wecom.uploads();
    let [report, log] = &uploads[..] else { panic!("{uploads:?}") };
    for (upload, name, bytes) in
        [(report, "报告.txt", &b"line 1\r\nline 2\0\n"[..]), (log, "build.log", b"error: it does not build\n")]
    {
        assert_eq!((upload.kind, &upload.filename[..], &upload.bytes[..]), (MediaKind::File, name.as_bytes(), bytes));
    }
    let file = |upload: &crate::support::fake::Upload, user: &str| {
        let id = &upload.media_id;
        format!(r#"{{"msgtype":"file","file":{{"media_id":"{id}"}},"touser":"{user}","agentid":1000002}}"#)
    };
    let expected = [
        // It may have arrived, and WeCom would know it by its bytes: it says what it said then.
        r#"{"msgtype":"text","text":{"content":"[delayed 37m, 06:56 +0800] marked as late"},"touser":"zhangsan","agentid":1000002,"enable_duplicate_check":1,"duplicate_check_interval":14400}"#.to_owned(),
        r#"{"msgtype":"text","text":{"content":"to some people"},"touser":"zhangsan|lisi","toparty":"1","totag":"1","agentid":1000002}"#.to_owned(),
        file(report, "zhangsan"),
        r#"{"msgtype":"text","text":{"content":"with a file behind it"},"touser":"wangwu","agentid":1000002}"#.to_owned(),
        file(log, "wangwu"),
    ];
    assert_eq!(bodies(&scene, None), expected);
    assert_eq!((scene.sends(), scene.wecom.count(Endpoint::GetToken)), (12, 0), "each once, by the cached token");
    flushed(&scene, "nothing is left", flush(&scene, &[]), 0, [0, 0, 0]);
    assert_eq!(scene.sends(), 12);
}

#[test]
fn failed_entries_are_retried_when_asked() {
    let scene = scene();
    let too_old = mark_of(&scene, "failed", TOO_OLD, "1d");
    let told = flushed(&scene, "failed too", flush(&scene, &["--failed"]), 6, [WHOLE + 2, 0, 2]);
    assert!(warnings(&told).join("\n").contains(ONCE), "{told}");
    assert!(bodies(&scene, Some(OTHER_KEY)).contains(&group_text(&format!("{too_old}too old"))));
    let refused =
        r#"{"msgtype":"text","text":{"content":"refused for good"},"touser":"lisi","agentid":1000002}"#.to_owned();
    assert!(bodies(&scene, None).contains(&refused));
    flushed(&scene, "once more", flush(&scene, &["--failed"]), 0, [1, 0, 0]);
    assert_eq!(bodies(&scene, Some(OTHER_KEY)).last(), Some(&group_text("once at the most")));
    assert_eq!(failed(&scene), [DAMAGED]);
}

#[test]
fn the_old_entries_can_be_discarded() {
    let scene = scene();
    let ids = [waiting(&scene), failed(&scene)].concat();
    for id in &ids {
        assert_document(&cmd(&scene, &["outbox", "drop", id]).run(), id, 0, &json!({"dropped": 1}));
    }
    assert_eq!((ids.len(), scene.wecom.connections()), (14, 0));
    assert_empty(&scene, "discarded");
}

#[test]
fn a_repeat_is_held_back() {
    let scene = scene();
    let run = room(&scene, &["--cooldown", "12h", "the group is told"]).run();
    assert_document(&run, "a repeat", 0, &json!({"status": "skipped", "held_back": 2, "warnings": []}));
    let run = room(&scene, &["--cooldown", "12h", "another"]).run();
    assert_document(&run, "another", 0, &json!({"status": "sent", "held_back": 0}));
}

#[test]
fn the_rate_limit_state_is_read() {
    let scene = scene();
    let no_slot = json!({"status": "rate_limited", "attempts": 0});
    let paced = |cmd: Cmd, rate: &str| cmd.args(["--rate", rate, "--on-rate-limit", "fail"]).run();
    assert_document(&paced(room(&scene, &["two were sent"]), "2/12h"), "the group's", 8, &no_slot);
    assert_document(&paced(room(&scene, &["the third"]), "3/12h"), "one more", 0, &json!({"status": "sent"}));
    assert_document(&paced(ops(&scene, &["-u", "zhangsan", "one was sent"]), "1/12h"), "zhangsan's", 8, &no_slot);
    let run = paced(ops(&scene, &["-u", "lisi", "none was sent"]), "1/12h");
    assert_document(&run, "lisi's", 0, &json!({"status": "sent"}));
    assert_eq!(scene.wecom.count(Endpoint::GetToken), 0, "the token is cached");
}

#[test]
fn the_last_state_of_a_job_is_read() {
    let scene = scene();
    let job = |command: &str| {
        let cmd = scene.env.cmd(["run", "-t", "text", "--on", "change", "--name", "nightly", "--", command]);
        cmd.base_url(&scene.wecom).webhook().run()
    };
    job("false").assert_code(1);
    assert_eq!(scene.texts(), [""; 0], "that it fails is known");
    job("true").assert_code(0);
    assert!(scene.texts()[0].starts_with("[OK] nightly recovered\n"), "{:?}", scene.texts());
}

/// What a message is known by: the first line of its text, whether it is late or not, or its type and who gets it.
fn name_of(message: &Arrived) -> String {
    let Some(text) = message.payload()["content"].as_str() else {
        return format!("{} {}", message.msgtype, message.users.join("|"));
    };
    let line = text.lines().next().unwrap_or_default();
    line.strip_prefix("[delayed ").and_then(|rest| rest.split_once("] ")).map_or(line, |(_, text)| text).to_owned()
}

#[test]
fn killed_flushes_lose_none_of_the_old_entries() {
    const SCENES: usize = 10;
    const KILLS: usize = 4;
    // An app and two webhooks: what is on its way to one of them when it is killed may come twice.
    const TARGETS: usize = 3;
    let seed = std::env::var("WECOM_ALERT_TEST_SEED").map_or_else(|_| fastrand::u64(..), |seed| seed.parse().unwrap());
    println!("seed {seed}: to repeat it, WECOM_ALERT_TEST_SEED={seed}");
    let mut rng = fastrand::Rng::with_seed(seed);
    for _ in 0..SCENES {
        let scene = scene();
        // A killed client leaves half a request behind.
        scene.wecom.expect_unexpected();
        for _ in 0..KILLS {
            let mut running = flush(&scene, &[]).spawn();
            std::thread::sleep(Duration::from_micros(rng.u64(..60_000)));
            running.kill();
            running.wait();
        }
        // It may give up what those before it had no time for.
        let last = flush(&scene, &[]).run();
        assert!(matches!(last.code, Some(0 | 6 | 7)), "{}", last.all());
        assert_document(&flush(&scene, &[]).run(), "nothing left", 0, &json!({"remaining": 0, "failed": 0}));
        assert_eq!(
            (waiting(&scene), failed(&scene)),
            (vec![], [TOO_OLD, REFUSED, ONCE, DAMAGED].map(str::to_owned).into())
        );
        let mut names: Vec<String> = scene.wecom.messages().iter().map(name_of).collect();
        let arrived = names.len();
        names.sort();
        names.dedup();
        let expected = [
            "(2/3) line 0204",
            "(3/3) line 0408",
            "by the environment",
            "file wangwu",
            "file zhangsan",
            "image ",
            "late",
            "marked as late",
            "never tried",
            "to some people",
            "with a file behind it",
            "磁盘已满: 95% used",
        ];
        assert_eq!(names, expected, "seed {seed}");
        assert!(arrived <= expected.len() + KILLS * TARGETS, "seed {seed}: {arrived} arrived");
    }
}
