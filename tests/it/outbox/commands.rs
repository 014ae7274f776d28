//! `outbox list` and `outbox drop`: what is shown of entries, and how they are discarded.

use std::fs;

use serde_json::{Value, json};

use super::{MINUTE_MS, age, app, assert_empty, failed, flush, flushed, folder, list, names, send, store, waiting};
use crate::document::{assert_document, assert_says};
use crate::support::fake::{Endpoint, Reply, WEBHOOK_KEY};
use crate::support::{Scene, needs_terminal, wait_until};

/// One entry that waits and one that failed; their ids.
fn one_of_each(scene: &Scene) -> [String; 2] {
    let waiting = store(scene, &["it waits"]);
    scene.wecom.script(Endpoint::MessageSend, [Reply::errcode(40058, "invalid parameter")]);
    assert_document(&app(scene, &["it failed"]).run(), "refused", 5, &json!({"errcode": 40058}));
    [waiting, failed(scene).remove(0)]
}

#[test]
fn an_empty_outbox_is_an_empty_list() {
    let scene = Scene::new();
    let expected = json!({"status": "ok", "entries": [], "attempts": 0, "warnings": []});
    for args in [&["outbox", "list"][..], &["outbox", "list", "--exit-code"]] {
        assert_document(&scene.cmd(args).run(), "empty", 0, &expected);
    }
    let run = scene.env.cmd(["outbox", "list", "--exit-code"]).run();
    assert_eq!((run.code, run.stdout.as_str(), run.stderr.as_str()), (Some(0), "", ""));
    flushed(&scene, "nothing", flush(&scene), 0, [0, 0, 0]);
    assert_eq!((names(folder(&scene, "waiting")), scene.wecom.connections()), (vec![], 0));
}

#[test]
fn a_list_shows_what_is_kept() {
    let scene = Scene::new();
    let [waiting, failed] = one_of_each(&scene);
    let told = assert_document(&scene.cmd(&["outbox", "list"]).env("TZ", "CST-8").run(), "list", 0, &json!({}));
    let [first, second] = &told["entries"].as_array().unwrap()[..] else { panic!("two entries: {told}") };
    let shown = |entry: &Value| {
        ["id", "profile", "command", "attempts", "errcode", "state"].map(|name| entry.get(name).unwrap().clone())
    };
    let expected = [json!(waiting), Value::Null, json!("webhook-send"), json!(1), Value::Null, json!("waiting")];
    assert_eq!(shown(first), expected);
    let expected = [json!(failed), Value::Null, json!("app-send"), json!(1), json!(40058), json!("failed")];
    assert_eq!(shown(second), expected);
    for entry in [first, second] {
        let queued_at = entry["queued_at"].as_str().unwrap();
        assert!(queued_at.len() == 29 && queued_at.ends_with("+08:00"), "{queued_at}");
    }
    // Why, without the address of its target.
    let why = first["message"].as_str().unwrap();
    assert!(why.starts_with("HTTP 502 from …, which is not an answer of WeCom: "), "{first}");
    assert!(second["message"].as_str().unwrap().contains("40058"), "{second}");
    assert_eq!((&first["title"], &second["title"]), (&json!("it waits"), &json!("it failed")));
}

#[test]
fn in_text_mode_an_entry_is_a_line() {
    let scene = Scene::new();
    let [waiting, failed] = one_of_each(&scene);
    let run = scene.env.cmd(["outbox", "list"]).run().assert_code(0);
    let lines: Vec<&str> = run.stdout.lines().collect();
    assert_eq!((lines.len(), run.stderr.as_str()), (2, ""), "{}", run.all());
    assert!(lines[0].starts_with(&format!("{waiting}  waiting  20")), "{}", lines[0]);
    assert!(lines[1].starts_with(&format!("{failed}  failed  20")), "{}", lines[1]);
    for (line, parts) in [
        (lines[0], ["attempts 1", "webhook-send", "(environment)", "</html>  it waits"]),
        (lines[1], ["attempts 1", "app-send", "(environment)", "40058"]),
    ] {
        assert!(parts.iter().all(|part| line.contains(part)), "{line}");
    }
}

/// What a person sees of `outbox list`: `script` makes a terminal.
fn seen(scene: &Scene) -> String {
    let mut command = std::process::Command::new("script");
    command.args(["-qec", &format!("'{}' outbox list", env!("CARGO_BIN_EXE_wecom-alert")), "/dev/null"]).env_clear();
    command.env("PATH", "/usr/bin:/bin").env("HOME", scene.env.home()).env("SHELL", "/bin/sh");
    command.env("WECOM_ALERT_STATE_DIR", scene.env.state()).stdin(std::process::Stdio::null());
    String::from_utf8(command.output().unwrap().stdout).unwrap().replace('\r', "")
}

#[test]
fn on_a_terminal_a_list_has_a_head_and_the_first_words() {
    if !needs_terminal() {
        return;
    }
    let scene = Scene::new();
    assert_eq!(seen(&scene), "wecom-alert: outbox: nothing waits\n");
    let id = store(&scene, &["disk full on web-3\nonly 3 GB are left"]);
    let text = seen(&scene);
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].starts_with("ID ") && lines[0].contains("  STATE    STORED"), "{text}");
    assert!(lines[1].starts_with(&format!("{id}  waiting  20")), "{text}");
    assert_eq!(lines[2], "  disk full on web-3", "{text}");
    assert!(
        lines[3].starts_with("  webhook-send, environment, 1 attempt: HTTP 502 from …, which is not an answer"),
        "{text}"
    );
    assert!(lines.iter().all(|line| line.chars().count() <= 80) && !text.contains("3 GB"), "{text}");
}

#[test]
fn an_entry_is_shown_with_its_text() {
    let scene = Scene::new();
    let file = scene.env.file("report.txt", "a report of more than five bytes");
    let text = "disk full\nkey made-up-word \u{1b}[2J";
    scene.wecom.script(Endpoint::WebhookSend, [Reply::Normal]);
    scene.wecom.script(Endpoint::WebhookUploadMedia, [Reply::status(502)]);
    let cmd = send(&scene, &[text, "--attach", file.to_str().unwrap()]);
    let told = assert_document(&cmd.run(), "half sent", 0, &json!({"status": "queued"}));
    let id = told["outbox_id"].as_str().unwrap();
    // What is a secret now is not shown.
    let cmd = scene.cmd(&["outbox", "show", id]).env("WECOM_ALERT_SECRET", "made-up-word");
    let told = assert_document(&cmd.run(), "json", 0, &json!({"status": "ok"}));
    let entry = &told["entry"];
    let [first, second] = &entry["parts"].as_array().unwrap()[..] else { panic!("{told}") };
    assert_eq!((&entry["id"], &entry["state"], &entry["title"]), (&json!(id), &json!("waiting"), &json!("disk full")));
    assert_eq!(
        (&first["state"], &first["msgtype"], &first["kind"]),
        (&json!("sent"), &json!("text"), &json!("message"))
    );
    assert_eq!(first["text"], "disk full\nkey *** ", "{first}");
    assert_eq!((&second["state"], &second["file"]["size"]), (&json!("pending"), &json!(32)), "{second}");
    assert!(entry["last_attempt_at"].is_string() && entry["file"].as_str().unwrap().ends_with("entry.json"), "{entry}");
    let run = scene.bare(&["outbox", "show", id]).env("WECOM_ALERT_SECRET", "made-up-word").run().assert_code(0);
    for part in [
        &format!("id        {id}\n"),
        "state     waiting",
        "target    webhook-send, environment\n",
        "error     ",
        "\npart 1: message, text, sent\n  disk full\n  key ***",
        "part 2: attachment, file, report.txt (32 bytes), pending\n",
    ] {
        assert!(run.stdout.contains(part), "{part:?}\n{}", run.all());
    }
    assert!(!run.stdout.contains('\u{1b}'), "{}", run.all());
    // The beginning of an id is enough where only one entry has it.
    let run = scene.bare(&["outbox", "show", &id[..id.len() - 6]]).run().assert_code(0);
    assert!(run.stdout.contains(&format!("id        {id}\n")), "{}", run.all());
    // A message to an app says whom it is for.
    scene.wecom.script(Endpoint::MessageSend, [Reply::errcode(40058, "invalid parameter")]);
    app(&scene, &["it failed"]).run().assert_code(5);
    let given_up = failed(&scene).remove(0);
    let run = scene.bare(&["outbox", "show", &given_up]).run().assert_code(0);
    for part in
        ["state     failed\n", "touser zhangsan", "error     WeCom answered 40058", "text, refused\n  it failed\n"]
    {
        assert!(run.stdout.contains(part), "{part:?}\n{}", run.all());
    }
    // A damaged one says why, and where it is.
    fs::write(folder(&scene, "failed").join(&given_up).join("entry.json"), "{").unwrap();
    let told = assert_document(&scene.cmd(&["outbox", "show", &given_up]).run(), "damaged", 0, &json!({}));
    assert_says(&told["entry"], "damaged", "message", &["entry.json cannot be used"]);
    let run = scene.cmd(&["outbox", "show", "20"]).run();
    let message = &["2 entries begin with 20: ", id, given_up.as_str()];
    assert_says(&assert_document(&run, "ambiguous", 2, &json!({})), "ambiguous", "message", message);
    let run = scene.cmd(&["outbox", "show", "nobody"]).run();
    assert_says(&assert_document(&run, "nobody", 2, &json!({})), "nobody", "message", &["there is no entry nobody"]);
}

#[test]
fn the_exit_code_can_say_whether_something_waits() {
    let scene = Scene::new();
    let [waiting, _] = one_of_each(&scene);
    let list = || scene.cmd(&["outbox", "list", "--exit-code"]).run();
    let told = assert_document(&list(), "one waits", 7, &json!({"status": "temporary", "retryable": true}));
    assert_says(&told, "one waits", "message", &["1 alert is waiting", "1 alert was given up"]);
    assert_eq!(told["entries"].as_array().unwrap().len(), 2, "it lists them all the same");
    let run = scene.env.cmd(["outbox", "list", "--exit-code"]).run().assert_code(7);
    assert_eq!(run.stdout.lines().count(), 2, "{}", run.all());
    assert_document(&scene.cmd(&["outbox", "drop", &waiting]).run(), "drop", 0, &json!({"dropped": 1}));
    // What was given up reaches nobody, unless a monitor tells of it.
    let told = assert_document(&list(), "one failed", 7, &json!({"status": "temporary", "retryable": false}));
    assert_says(&told, "one failed", "hint", &["outbox flush --failed", "outbox drop --failed"]);
    assert_document(&scene.cmd(&["outbox", "drop", "--failed"]).run(), "drop", 0, &json!({"dropped": 1}));
    assert_document(&list(), "none is left", 0, &json!({"status": "ok"}));
}

#[test]
fn a_damaged_entry_is_shown_and_never_vanishes() {
    let scene = Scene::new();
    let [spoilt, unknown, good] = ["spoilt", "unknown", "good"].map(|text| store(&scene, &[text]));
    let file = |id: &str| folder(&scene, "waiting").join(id).join("entry.json");
    fs::write(file(&spoilt), format!("{{\"webhook\": \"{WEBHOOK_KEY}\", ")).unwrap();
    fs::write(file(&unknown), r#"{"version": 9}"#).unwrap();
    let told = flushed(&scene, "two are damaged", flush(&scene), 6, [1, 0, 2]);
    let warnings = told["warnings"].to_string();
    assert!(warnings.contains(&spoilt) && warnings.contains(&unknown) && warnings.contains("version 9"), "{warnings}");
    let text = folder(&scene, "failed").join(&spoilt).join("entry.json");
    assert_says(&told, "damaged", "hint", &[text.to_str().unwrap(), &format!("outbox drop {spoilt}")]);
    assert!(!told["hint"].as_str().unwrap().contains("--failed"), "it would not help: {told}");
    assert_eq!(scene.texts(), ["good"], "{good} is delivered all the same");
    let listed = list(&scene);
    for (entry, id) in listed.iter().zip([&spoilt, &unknown]) {
        assert_eq!((&entry["id"], &entry["queued_at"], &entry["errcode"]), (&json!(id), &Value::Null, &Value::Null));
        let why = entry["message"].as_str().unwrap();
        assert!(why.contains("entry.json cannot be used") && warnings.contains(why), "{entry}");
    }
    assert_eq!(listed.len(), 2);
    scene.cmd(&["outbox", "list"]).run().assert_code(0);
    scene.env.cmd(["outbox", "list"]).run().assert_code(0);
    assert_document(&scene.cmd(&["outbox", "drop", &spoilt]).run(), "one", 0, &json!({"dropped": 1}));
    assert_document(&scene.cmd(&["outbox", "drop", "--all"]).run(), "the other", 0, &json!({"dropped": 1}));
    assert_empty(&scene, "damaged");
}

#[test]
fn entries_are_discarded_by_id() {
    let scene = Scene::new();
    let ids = ["one", "two", "three"].map(|text| store(&scene, &[text]));
    let run = scene.cmd(&["outbox", "drop", &ids[0], &ids[2]]).run();
    assert_document(&run, "two of three", 0, &json!({"status": "ok", "dropped": 2, "attempts": 0}));
    assert_eq!(waiting(&scene), [ids[1].as_str()]);
    flushed(&scene, "the third", flush(&scene), 0, [1, 0, 0]);
    assert_eq!(scene.texts(), ["two"]);
}

#[test]
fn failed_ones_or_all_are_discarded() {
    let scene = Scene::new();
    let [stays, _] = one_of_each(&scene);
    assert_document(&scene.cmd(&["outbox", "drop", "--failed"]).run(), "failed", 0, &json!({"dropped": 1}));
    assert_eq!((waiting(&scene), failed(&scene)), (vec![stays], vec![]));
    let [_, _] = one_of_each(&scene);
    assert_document(&scene.cmd(&["outbox", "drop", "--all"]).run(), "all", 0, &json!({"dropped": 3}));
    assert_empty(&scene, "all");
    assert_document(&scene.cmd(&["outbox", "drop", "--all"]).run(), "none left", 0, &json!({"dropped": 0}));
    assert_eq!(scene.texts(), [""; 0]);
}

#[test]
fn an_id_that_nobody_has_is_told() {
    let scene = Scene::new();
    let id = store(&scene, &["hello"]);
    for wrong in ["20200101T000000.000Z-1-nobody", "../waiting", &format!("./{id}"), ""] {
        let told = assert_document(&scene.cmd(&["outbox", "drop", wrong]).run(), wrong, 2, &json!({"status": "usage"}));
        assert_says(&told, wrong, "message", &["there is no entry"]);
        assert_eq!(waiting(&scene), [id.as_str()], "{wrong}");
    }
    let told = assert_document(&scene.cmd(&["outbox", "drop", "nobody", &id]).run(), "one of two", 2, &json!({}));
    assert_eq!(told["dropped"], 1, "{told}");
    assert_eq!(waiting(&scene), [""; 0]);
}

#[test]
fn nothing_is_discarded_unasked() {
    let scene = Scene::new();
    let id = store(&scene, &["hello"]);
    for args in [&["outbox", "drop"][..], &["outbox", "drop", "--all", "--failed"], &["outbox", "drop", "--all", &id]] {
        assert_document(&scene.cmd(args).run(), "unclear", 2, &json!({"status": "usage"}));
    }
    assert_document(&flush(&scene).arg("--dry-run").run(), "dry run", 2, &json!({"status": "usage", "attempts": 0}));
    assert_eq!((waiting(&scene), scene.sends()), (vec![id], 1));
}

#[test]
fn what_is_being_sent_is_not_discarded() {
    let scene = Scene::new();
    scene.wecom.script(Endpoint::WebhookSend, [Reply::HangAfterReading]);
    let mut sender = send(&scene, &["hello", "--timeout", "10m"]).spawn();
    wait_until("the request", || scene.sends() == 1);
    let id = waiting(&scene).remove(0);
    for args in [["outbox", "drop", id.as_str()], ["outbox", "drop", "--all"]] {
        let told = assert_document(&scene.cmd(&args).run(), "busy", 2, &json!({"status": "usage", "dropped": 0}));
        assert_says(&told, "busy", "message", &[&id, "is being sent right now"]);
    }
    assert_eq!(waiting(&scene), [id.as_str()]);
    sender.kill();
    assert_eq!(sender.wait().code, None);
    assert_document(&scene.cmd(&["outbox", "drop", &id]).run(), "free", 0, &json!({"dropped": 1}));
    assert_empty(&scene, "dropped");
}

#[test]
fn outbox_commands_need_no_credentials() {
    let scene = Scene::new();
    let id = store(&scene, &["hello"]);
    age(&scene, &id, MINUTE_MS);
    let bare = |args: &[&str]| scene.env.cmd(["--output", "json", "outbox"]).args(args);
    assert_document(&bare(&["list"]).run(), "list", 0, &json!({"profile": null, "route": null}));
    // A flush without any says what it lacks, and the entry stays.
    let told = flushed(&scene, "flush", bare(&["flush"]), 7, [0, 1, 0]);
    assert!(told["warnings"][0].as_str().unwrap().contains(&id), "{told}");
    assert_document(&bare(&["drop", &id]).run(), "drop", 0, &json!({"dropped": 1}));
}
