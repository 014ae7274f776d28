//! What a send with the outbox leaves there: nothing when it went well, and all that is missing when it did not.

use std::fs;

use serde_json::{Value, json};

use super::{
    OTHER_KEY, app, assert_empty, assert_told_of_queue, failed, flush, flushed, folder, list, names, queued, send,
    store, waiting,
};
use crate::document::{assert_document, assert_says, warnings};
use crate::support::fake::{Endpoint, FakeWecom, Reply, SECRET, WEBHOOK_KEY, closed_port};
use crate::support::{Scene, at_once, make_fifo, wait_until};

#[test]
fn a_sent_alert_leaves_no_entry() {
    for by_app in [true, false] {
        let scene = Scene::new();
        let cmd = if by_app { app(&scene, &["hello"]) } else { send(&scene, &["hello"]) };
        let told = assert_document(&cmd.run(), "sent", 0, &json!({"status": "sent", "outbox_id": null, "attempts": 1}));
        assert_eq!(told["warnings"], json!([]));
        assert_eq!((scene.texts(), scene.sends()), (vec!["hello".to_owned()], 1));
        assert_empty(&scene, "sent");
        assert!(folder(&scene, "waiting").is_dir(), "it was stored before it was sent");
    }
}

#[test]
fn without_the_option_nothing_is_stored() {
    let scene = Scene::new();
    scene.wecom.script(Endpoint::WebhookSend, [Reply::status(502)]);
    let run = scene.cmd(&["webhook-send", "hello"]).run();
    assert_document(&run, "no outbox", 7, &json!({"outbox_id": null}));
    assert!(!scene.env.state().join("outbox").exists());
}

#[test]
fn a_temporary_failure_is_queued_and_sent_once() {
    let patient = &["--deadline", "3s", "--timeout", "10m"][..];
    let cases = [
        ("HTTP 502", Reply::status(502), &[][..], Value::Null),
        ("a portal", Reply::PortalPage, &[], Value::Null),
        ("HTTP 429", Reply::status(429), &[], Value::Null),
        ("45009", Reply::errcode(45009, "api freq out of limit"), &[], json!(45009)),
        ("45033", Reply::errcode(45033, "api concurrent out of limit"), &[], json!(45033)),
        ("-1", Reply::errcode(-1, "system error"), &[], json!(-1)),
        ("silence", Reply::HangAfterReading, &["--timeout", "1s"], Value::Null),
        ("a closed connection", Reply::CloseAfterReading, &[], Value::Null),
        ("the deadline", Reply::HangAfterReading, patient, Value::Null),
    ];
    at_once(cases, |(name, reply, args, errcode)| {
        let scene = Scene::new();
        scene.wecom.script(Endpoint::WebhookSend, [reply]);
        let expected = json!({"status": "queued", "errcode": errcode, "attempts": 1, "retryable": false});
        let told = assert_document(&send(&scene, &["hello"]).args(args).run(), name, 0, &expected);
        assert_eq!(told["outbox_id"], waiting(&scene)[0].as_str(), "{name}");
        assert_says(&told, name, "message", &["it waits in the outbox as", &waiting(&scene)[0]]);
        assert_says(&told, name, "hint", &["wecom-alert outbox flush"]);
        assert_eq!((waiting(&scene).len(), failed(&scene).len(), scene.sends()), (1, 0, 1), "{name}");
        assert_eq!(scene.texts(), [""; 0], "{name}");
        flushed(&scene, name, flush(&scene), 0, [1, 0, 0]);
        assert_eq!((scene.texts(), scene.sends()), (vec!["hello".to_owned()], 2), "{name}");
        assert_empty(&scene, name);
    });
}

#[test]
fn an_entry_is_sent_to_the_base_url_of_the_flush() {
    let scene = Scene::new();
    let nowhere = format!("http://127.0.0.1:{}", closed_port());
    let id = queued(&scene, app(&scene, &["hello"]).env("WECOM_ALERT_BASE_URL", &nowhere));
    assert_eq!((waiting(&scene), scene.wecom.connections()), (vec![id], 0));
    flushed(&scene, "another address", flush(&scene), 0, [1, 0, 0]);
    assert_eq!(scene.texts(), ["hello"]);
    assert_empty(&scene, "another address");
}

#[test]
fn queueing_is_told_even_under_quiet() {
    for quiet in [false, true] {
        let scene = Scene::new();
        scene.wecom.script(Endpoint::WebhookSend, [Reply::status(502)]);
        let cmd = scene.env.cmd(["webhook-send", "--outbox", "hello"]).webhook().base_url(&scene.wecom);
        let run = if quiet { cmd.arg("-q").run() } else { cmd.run() };
        assert_told_of_queue(&run, &waiting(&scene)[0]);
    }
}

#[test]
fn only_the_unsent_parts_are_queued() {
    let scene = Scene::new();
    let text: String = (0..600).map(|line| format!("line {line:04}\n")).collect();
    scene.wecom.script(Endpoint::WebhookSend, [Reply::Normal, Reply::status(502)]);
    let run = send(&scene, &["--on-long", "split", &text]).run();
    let told = assert_document(&run, "one part of several", 0, &json!({"status": "queued", "attempts": 2}));
    let status = |at: usize| told["parts"][at]["status"].as_str().unwrap_or_default();
    assert_eq!([status(0), status(1), status(2)], ["sent", "queued", "queued"], "{told}");
    assert_eq!(told["outbox_id"], waiting(&scene)[0].as_str());
    let parts = told["parts"].as_array().unwrap().len();
    assert_eq!(scene.texts().len(), 1);
    let flushed = flushed(&scene, "the rest", flush(&scene), 0, [1, 0, 0]);
    assert_eq!(flushed["attempts"].as_u64().unwrap() as usize, parts - 1);
    let texts = scene.texts();
    assert_eq!(texts.len(), parts);
    for (at, text) in texts.iter().enumerate() {
        assert!(text.starts_with(&format!("({}/{parts})", at + 1)), "{text}");
    }
    let whole = texts.concat();
    assert!((0..600).all(|line| whole.matches(&format!("line {line:04}")).count() == 1));
    assert_empty(&scene, "several parts");
}

/// What makes a server refuse.
type Preparation = fn(&Scene);

#[test]
fn a_permanent_refusal_is_kept_as_failed() {
    let wrong_secret: Preparation = |scene: &Scene| scene.wecom.rotate_secret(SECRET, "test-secret-another");
    let no_group = |scene: &Scene| scene.wecom.remove_webhook(WEBHOOK_KEY);
    let refused =
        |scene: &Scene| scene.wecom.script(Endpoint::WebhookSend, [Reply::errcode(40058, "invalid parameter")]);
    let not_found = |scene: &Scene| scene.wecom.script(Endpoint::WebhookSend, [Reply::status(404)]);
    let cases: [(&str, Preparation, bool, i32, Value); 4] = [
        ("a wrong secret", wrong_secret, true, 4, json!(40001)),
        ("no such webhook", no_group, false, 4, json!(93000)),
        ("a payload that WeCom does not take", refused, false, 5, json!(40058)),
        ("a wrong address", not_found, false, 3, Value::Null),
    ];
    for (name, prepare, by_app, code, errcode) in cases {
        let scene = Scene::new();
        prepare(&scene);
        let cmd = if by_app { app(&scene, &["hello"]) } else { send(&scene, &["hello"]) };
        let told = assert_document(&cmd.run(), name, code, &json!({"errcode": errcode}));
        assert_eq!((waiting(&scene), failed(&scene).len()), (vec![], 1), "{name}");
        assert_eq!(told["outbox_id"], failed(&scene)[0].as_str(), "{name}");
        let [entry] = &list(&scene)[..] else { panic!("{name}: one entry is to be listed") };
        assert_eq!((&entry["state"], &entry["errcode"]), (&json!("failed"), &errcode), "{name}");
        // It is not tried again unless somebody asks for it.
        let before = scene.wecom.requests().len();
        flushed(&scene, name, flush(&scene), 0, [0, 0, 0]);
        assert_eq!((scene.wecom.requests().len(), failed(&scene).len()), (before, 1), "{name}");
        assert_eq!(scene.texts(), [""; 0], "{name}");
    }
}

/// An alert that a disk fails must not be lost because that disk fails.
#[test]
fn an_alert_that_cannot_be_stored_is_sent_all_the_same() {
    let scene = Scene::new();
    let file = scene.env.file("no-folder", "x");
    let blocked = scene.env.home().join("blocked");
    fs::create_dir_all(blocked.join("outbox")).unwrap();
    fs::write(blocked.join("outbox/waiting"), "").unwrap();
    let full = || send(&scene, &["hello"]).after("trap '' XFSZ; ulimit -f 0");
    let unknown = || send(&scene, &["hello"]).without_env("HOME").without_env("XDG_STATE_HOME");
    let at = |path: &std::path::Path| send(&scene, &["hello"]).env("WECOM_ALERT_STATE_DIR", path);
    let cases: [(&str, &dyn Fn() -> crate::support::Cmd, &str); 5] = [
        ("a file in its place", &|| at(&file), "no-folder"),
        ("a file above it", &|| at(&file.join("state")), "no-folder"),
        ("a file in the outbox", &|| at(&blocked), "blocked"),
        ("no room", &full, "the outbox in"),
        ("no folder known", &unknown, "HOME is not set"),
    ];
    for (case, cmd, said) in cases {
        let told = assert_document(&cmd().run(), case, 0, &json!({"status": "sent", "outbox_id": null}));
        let unstored: Vec<_> = warnings(&told).into_iter().filter(|line| line.contains("being stored")).collect();
        let [warning] = unstored[..] else { panic!("{case}: one warning of it: {told}") };
        for part in [said, "the alert is sent without being stored", "WECOM_ALERT_STATE_DIR"] {
            assert!(warning.contains(part), "{case}: {part:?}: {warning}");
        }
        // The code is that of the send.
        for (reply, code) in [(Reply::status(502), 7), (Reply::errcode(40058, "invalid parameter"), 5)] {
            scene.wecom.script(Endpoint::WebhookSend, [reply]);
            assert_document(&cmd().run(), case, code, &json!({"outbox_id": null, "attempts": 1}));
        }
    }
    assert_eq!(scene.texts(), ["hello"; 5]);
    // In text mode it is a warning too.
    let run = scene.env.cmd(["webhook-send", "--outbox", "hello"]).webhook().base_url(&scene.wecom);
    let run = run.env("WECOM_ALERT_STATE_DIR", &file).run().assert_code(0);
    assert!(run.stderr.contains("warning: the outbox in"), "{}", run.all());
}

#[test]
fn a_profile_can_turn_the_outbox_on() {
    let scene = Scene::new();
    let config = format!("[profiles.room]\nwebhook = \"{WEBHOOK_KEY}\"\noutbox = true\n");
    let cmd = || scene.env.cmd(["webhook-send", "hello", "--output", "json"]).config(&config).base_url(&scene.wecom);
    scene.wecom.script(Endpoint::WebhookSend, [Reply::status(502)]);
    let id = queued(&scene, cmd());
    assert_eq!(list(&scene)[0]["profile"], "room");
    let run = cmd().env("WECOM_ALERT_OUTBOX", "false").run().assert_code(0);
    assert_eq!((run.json()["status"].clone(), waiting(&scene)), (json!("sent"), vec![id]), "off, it takes none along");
}

#[test]
fn an_entry_holds_no_secret_and_no_address() {
    let scene = Scene::with(FakeWecom::builder().webhook(OTHER_KEY).start());
    // An app's entry, whose sender had a token at hand.
    scene.wecom.script(Endpoint::MessageSend, [Reply::errcode(-1, "system error")]);
    queued(&scene, app(&scene, &["hello"]));
    store(&scene, &["hello"]);
    let url = format!("{}/cgi-bin/webhook/send?key={OTHER_KEY}", scene.wecom.base_url());
    let whole = scene.env.cmd(["--output", "json", "webhook-send", "--outbox", "hello"]).keeps_secret(&scene.wecom);
    scene.wecom.script(Endpoint::WebhookSend, [Reply::status(502)]);
    queued(&scene, whole.env("WECOM_ALERT_WEBHOOK", url));
    let secrets = scene.wecom.secrets();
    let mut hidden = secrets.standing();
    hidden.extend(secrets.tokens());
    hidden.push(scene.wecom.base_url());
    let mut files = 0;
    for id in waiting(&scene) {
        for name in names(folder(&scene, "waiting").join(&id)) {
            let path = folder(&scene, "waiting").join(&id).join(&name);
            let content = fs::read_to_string(&path).unwrap();
            assert!(hidden.iter().all(|secret| !content.contains(secret.as_str())), "{name}: {content}");
            // Why an attempt failed may name a server; what is sent later must not depend on it.
            assert!(name != "entry.json" || !content.contains("127.0.0.1"), "{content}");
            files += usize::from(content.contains("hello"));
            assert_private(&path, 0o600);
        }
        assert_private(&folder(&scene, "waiting").join(&id), 0o700);
    }
    assert!(hidden.len() > 4 && files >= 3, "{} secrets, {files} files", hidden.len());
}

fn assert_private(path: &std::path::Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt as _;
    assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, mode, "{}", path.display());
}

#[test]
fn an_alert_is_sent_even_if_there_is_no_room_for_it() {
    let scene = Scene::new();
    for number in 0..1000 {
        let entry = folder(&scene, "failed").join(format!("20200101T000000.000Z-1-{number:06}"));
        fs::create_dir_all(&entry).unwrap();
        fs::write(entry.join("entry.json"), "").unwrap();
    }
    let told =
        assert_document(&send(&scene, &["hello"]).run(), "full", 0, &json!({"status": "sent", "outbox_id": null}));
    let [warning] = warnings(&told)[..] else { panic!("one warning: {told}") };
    for part in ["is full", "1000 of at most 1000", "sent without being stored", "outbox flush", "outbox drop"] {
        assert!(warning.contains(part), "{part:?}: {warning}");
    }
    assert_eq!((scene.texts(), waiting(&scene), failed(&scene).len()), (vec!["hello".to_owned()], vec![], 1000));
    // And the caller is told by the exit code when that did not go well.
    scene.wecom.script(Endpoint::WebhookSend, [Reply::status(502)]);
    assert_document(&send(&scene, &["hello"]).run(), "full, 502", 7, &json!({"outbox_id": null}));
    assert_eq!(waiting(&scene), [""; 0]);
}

#[test]
fn the_rate_limit_can_be_a_reason_to_store() {
    let scene = Scene::new();
    let cmd = |text: &str| send(&scene, &[text, "--on-rate-limit", "outbox", "--rate", "1/1m"]);
    assert_document(&cmd("one").run(), "in time", 0, &json!({"status": "sent"}));
    let told = assert_document(&cmd("two").run(), "too many", 0, &json!({"status": "queued", "attempts": 0}));
    assert!(told["retry_after_s"].as_u64().is_some_and(|wait| (1..=62).contains(&wait)), "{told}");
    assert_eq!((scene.sends(), waiting(&scene).len()), (1, 1));
    flushed(&scene, "later", flush(&scene), 0, [1, 0, 0]);
    assert_eq!(scene.texts(), ["one", "two"]);
}

#[test]
fn at_most_once_is_not_retried_after_an_unknown_result() {
    let scene = Scene::new();
    scene.wecom.script(Endpoint::WebhookSend, [Reply::accept_then(Reply::CloseAfterReading)]);
    let run = send(&scene, &["hello", "--at-most-once", "--retries", "3"]).run();
    let told = assert_document(&run, "silence", 9, &json!({"status": "unknown", "attempts": 1}));
    assert_eq!(told["outbox_id"], failed(&scene)[0].as_str());
    assert_eq!((waiting(&scene), scene.sends()), (vec![], 1));
    flushed(&scene, "nothing to do", flush(&scene), 0, [0, 0, 0]);
    assert_eq!((scene.texts(), scene.sends()), (vec!["hello".to_owned()], 1));
    // What cannot have arrived waits as usual.
    scene.wecom.script(Endpoint::WebhookSend, [Reply::errcode(-1, "system error")]);
    queued(&scene, send(&scene, &["again", "--at-most-once"]));
    flushed(&scene, "again", flush(&scene), 0, [1, 0, 0]);
    assert_eq!(scene.texts(), ["hello", "again"]);
}

#[test]
fn a_killed_at_most_once_sender_leaves_a_failed_entry() {
    let scene = Scene::new();
    scene.wecom.script(Endpoint::WebhookSend, [Reply::accept_then(Reply::HangAfterReading)]);
    let mut sender = send(&scene, &["hello", "--at-most-once"]).spawn();
    wait_until("the request", || scene.sends() == 1);
    sender.kill();
    assert_eq!(sender.wait().code, None);
    let told = flushed(&scene, "under way when it was killed", flush(&scene), 7, [0, 0, 1]);
    assert!(warnings(&told)[0].contains("must not arrive twice"), "{told}");
    assert_eq!((scene.sends(), scene.texts().len(), failed(&scene).len()), (1, 1, 1));
}

#[test]
fn files_are_copied_into_the_entry() {
    let scene = Scene::new();
    let content: Vec<u8> = (0..70_000_u32).map(|at| (at % 251) as u8).collect();
    let path = scene.env.file("报告 1.bin", &content);
    // Once the message after the upload fails, and once the upload itself.
    for (number, endpoint) in [Endpoint::WebhookSend, Endpoint::WebhookUploadMedia].into_iter().enumerate() {
        scene.wecom.script(endpoint, [Reply::status(502)]);
        queued(&scene, send(&scene, &["--file"]).arg(&path));
        assert_eq!((scene.texts().len(), scene.wecom.uploads().len(), waiting(&scene).len()), (0, 1, number + 1));
    }
    fs::remove_file(&path).unwrap();
    flushed(&scene, "without the original", flush(&scene), 0, [2, 0, 0]);
    assert_eq!(scene.texts(), ["(file)", "(file)"]);
    let uploads = scene.wecom.uploads();
    assert_eq!(uploads.len(), 3);
    assert!(uploads.iter().all(|upload| upload.bytes == content && upload.filename == uploads[0].filename));
    assert_empty(&scene, "files");
}

/// What was never sent may be sent later, even where nothing may be sent twice.
#[cfg(target_os = "linux")]
#[test]
fn an_alert_that_was_never_sent_is_kept_despite_at_most_once() {
    let scene = Scene::new();
    let paced = ["--rate", "1/10m", "--at-most-once"];
    assert_document(&send(&scene, &["one"]).args(paced).run(), "one", 0, &json!({"status": "sent"}));
    let stderr = scene.env.home().join("stderr");
    let cmd = send(&scene, &["two", "-v"]).args(paced).args(["--deadline", "20m"]);
    let mut second = cmd.stderr_into(&fs::File::create(&stderr).unwrap()).spawn();
    wait_until("the wait for a slot", || fs::read_to_string(&stderr).unwrap().contains("for a slot"));
    second.kill();
    second.wait();
    flushed(&scene, "later", flush(&scene).args(["--rate", "off"]), 0, [1, 0, 0]);
    assert_eq!(scene.texts(), ["one", "two"]);
}

/// A credential that can be read only once is read only once.
#[cfg(unix)]
#[test]
fn a_credential_from_a_pipe_is_enough() {
    let scene = Scene::new();
    let pipe = scene.env.home().join("key");
    make_fifo(&pipe);
    let path = pipe.clone();
    let writer = std::thread::spawn(move || std::fs::write(path, crate::support::fake::WEBHOOK_KEY).unwrap());
    let cmd = scene.env.cmd(["webhook-send", "--outbox", "hello", "--output", "json"]).base_url(&scene.wecom);
    let run = cmd.env("WECOM_ALERT_WEBHOOK_FILE", &pipe).run();
    assert_document(&run, "a pipe", 0, &json!({"status": "sent", "warnings": []}));
    writer.join().unwrap();
}

/// A file that is written while it is copied: what of the alert is whole goes out, or waits, without it.
#[cfg(unix)]
#[test]
fn an_attachment_that_cannot_be_copied_keeps_no_text_back() {
    use std::io::Write as _;
    for (reply, said) in [(Reply::Normal, "sent"), (Reply::status(502), "queued")] {
        let scene = Scene::new();
        let file = scene.env.file("a.log", "x".repeat(1000));
        let pipe = scene.env.home().join("key");
        make_fifo(&pipe);
        scene.wecom.script(Endpoint::WebhookSend, [reply]);
        let (path, cut) = (pipe.clone(), file.clone());
        // The key is read when the attachment has been opened, and before it is copied.
        let writer = std::thread::spawn(move || {
            let mut key = fs::OpenOptions::new().write(true).open(path).unwrap();
            fs::OpenOptions::new().write(true).open(cut).unwrap().set_len(4).unwrap();
            key.write_all(WEBHOOK_KEY.as_bytes()).unwrap();
        });
        let cmd = scene.env.cmd(["webhook-send", "--outbox", "hello", "--output", "json", "--attach"]).arg(&file);
        let run = cmd.base_url(&scene.wecom).env("WECOM_ALERT_WEBHOOK_FILE", &pipe).keeps_secret(&scene.wecom).run();
        writer.join().unwrap();
        let told = assert_document(&run, said, 6, &json!({"status": "partial", "attempts": 1}));
        assert_says(&told, said, "message", &["attachment a.log was left out", "shrunk from 1000 to 4 bytes"]);
        let parts = told["parts"].as_array().unwrap();
        let states: Vec<_> = parts.iter().map(|part| (&part["kind"], &part["status"])).collect();
        assert_eq!(states, [(&json!("message"), &json!(said)), (&json!("attachment"), &json!("config"))], "{told}");
        assert_eq!(
            (told["outbox_id"].is_string(), waiting(&scene).len()),
            (said == "queued", usize::from(said == "queued"))
        );
        flushed(&scene, said, flush(&scene), 0, [waiting(&scene).len() as u64, 0, 0]);
        assert_eq!((scene.texts(), failed(&scene)), (vec!["hello".to_owned()], vec![]), "{said}");
        assert_empty(&scene, said);
    }
}

#[test]
fn an_alert_that_waits_without_its_file_is_tried_no_more() {
    let scene = Scene::new();
    scene.wecom.always(Endpoint::WebhookSend, Reply::status(502));
    let run = scene.group(&["--outbox", "--retries", "0", "--attach", "missing.log", "hello"]).run().assert_code(6);
    assert_eq!((&run.json()["status"], run.json()["outbox_id"].is_string()), (&"partial".into(), true));
    assert_eq!(scene.sends(), 1, "{}", run.all());
}
