//! People in stored alerts: looked up at the flush if that could not be done before.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};

use super::{LISI, NOBODY, ZHANGSAN, count, send, touser, with_mobile};
use crate::document::{assert_document, assert_says};
use crate::support::Scene;
use crate::support::fake::{Endpoint, FakeWecom, Reply};

fn entries(scene: &Scene) -> Vec<PathBuf> {
    let folder = fs::read_dir(scene.env.state().join("outbox/waiting"));
    folder.map(|folder| folder.map(|entry| entry.unwrap().path()).collect()).unwrap_or_default()
}

fn flush(scene: &Scene) -> Value {
    scene.cmd(&["outbox", "flush"]).run().json()
}

fn stored(scene: &Scene, args: &[&str]) -> Value {
    let run = send(scene, &["--outbox", "--retries", "0"]).args(args).run();
    let document = assert_document(&run, "stored", 0, &json!({"status": "queued"}));
    assert_eq!(entries(scene).len(), 1, "{document}");
    document
}

#[test]
fn who_cannot_be_looked_up_waits() {
    use std::os::unix::fs::PermissionsExt;
    let scene = Scene::new();
    scene.wecom.script(Endpoint::UserGetUserid, [Reply::status(502)]);
    let document = stored(&scene, &["--to-mobile", "+86 138-0000-0000"]);
    assert_eq!((&document["unresolved"], &document["attempts"]), (&json!([ZHANGSAN]), &json!(0)));
    assert_says(&document, "stored", "message", &[ZHANGSAN, "could not be looked up", "waits in the outbox"]);
    let entry = entries(&scene)[0].join("entry.json");
    assert_eq!(fs::metadata(&entry).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(fs::read_to_string(&entry).unwrap().contains(ZHANGSAN));
    let id = document["outbox_id"].as_str().unwrap().to_owned();
    let shown = scene.cmd(&["outbox", "show", &id]).run().assert_code(0).json();
    assert_eq!(shown["entry"]["recipients"]["to_mobile"], ZHANGSAN);
    let flushed = flush(&scene);
    assert_eq!((&flushed["delivered"], &flushed["remaining"]), (&json!(1), &json!(0)), "{flushed}");
    assert_eq!((touser(&scene), entries(&scene).len()), (vec![json!("zhangsan")], 0));
}

#[test]
fn the_rest_gets_it_now_and_once() {
    let scene = Scene::new();
    scene.cmd(&["get-userid", "--mobile", LISI]).run().assert_code(0);
    scene.wecom.script(Endpoint::UserGetUserid, [Reply::status(502)]);
    let document = stored(&scene, &["-u", "wangwu", "--to-mobile", ZHANGSAN, "--to-mobile", LISI]);
    assert_eq!((&document["unresolved"], &document["attempts"]), (&json!([ZHANGSAN]), &json!(1)));
    assert_eq!(touser(&scene), ["wangwu|lisi"]);
    scene.wecom.script(Endpoint::UserGetUserid, [Reply::status(502)]);
    let flushed = scene.cmd(&["outbox", "flush", "--retries", "0"]).run().json();
    assert_eq!((&flushed["remaining"], &flushed["unresolved"]), (&json!(1), &json!([ZHANGSAN])), "{flushed}");
    assert_eq!(flush(&scene)["delivered"], 1);
    assert_eq!(touser(&scene), ["wangwu|lisi", "zhangsan"]);
}

#[test]
fn a_stored_alert_that_could_not_be_sent_is_looked_up_again() {
    let scene = Scene::new();
    scene.wecom.script(Endpoint::MessageSend, [Reply::status(502)]);
    stored(&scene, &["-u", "lisi", "--to-mobile", ZHANGSAN]);
    assert_eq!(flush(&scene)["delivered"], 1);
    assert_eq!((touser(&scene), count(&scene)), (vec![json!("lisi|zhangsan")], 1));
}

#[test]
fn at_the_flush_the_same_rules_hold() {
    let scene = Scene::new();
    scene.wecom.set_person("old", with_mobile(NOBODY));
    scene.wecom.script(Endpoint::MessageSend, [Reply::status(502)]);
    stored(&scene, &["--to-mobile", NOBODY, "--to-mobile", LISI]);
    scene.wecom.remove_person("old");
    scene.wecom.set_person("new", with_mobile(NOBODY));
    let flushed = flush(&scene);
    assert_eq!((&flushed["delivered"], &flushed["remaining"]), (&json!(1), &json!(0)), "{flushed}");
    assert_eq!(touser(&scene), ["old|lisi", "new"]);
}

#[test]
fn somebody_unknown_is_given_up_at_the_flush_and_others_go_on() {
    let scene = Scene::new();
    scene.wecom.script(Endpoint::UserGetUserid, [Reply::status(502)]);
    stored(&scene, &["--to-mobile", NOBODY]);
    let flushed = flush(&scene);
    assert_eq!((&flushed["failed"], &flushed["remaining"]), (&json!(1), &json!(0)), "{flushed}");
    assert_eq!(flushed["unresolved"], json!([NOBODY]));
    assert_eq!(scene.sends(), 0);
}

/// To be shut out of look-ups says nothing about alerts that need none.
#[test]
fn a_stop_keeps_only_those_alerts_back_that_need_a_look_up() {
    let scene = Scene::with(FakeWecom::builder().most_misses(0).start());
    scene.cmd(&["get-userid", "--mobile", NOBODY]).run().assert_code(5);
    for number in [ZHANGSAN, LISI] {
        send(&scene, &["--outbox", "--to-mobile", number, "--retries", "0"]).run().assert_code(0);
    }
    scene.wecom.script(Endpoint::MessageSend, [Reply::status(502)]);
    send(&scene, &["--outbox", "-u", "wangwu", "--retries", "0"]).run().assert_code(0);
    assert_eq!(entries(&scene).len(), 3);
    let flushed = scene.cmd(&["outbox", "flush"]).run().assert_code(6).json();
    assert_eq!((&flushed["delivered"], &flushed["remaining"]), (&json!(1), &json!(2)), "{flushed}");
    assert_eq!(touser(&scene), ["wangwu"]);
    assert_eq!(count(&scene), 2, "the first miss, and WeCom's refusal");
}

#[test]
fn no_number_of_a_stored_alert_is_written_to_the_log_file() {
    let scene = Scene::new().profile("ops", "to_mobile = \"+86 139 0000 0000\"");
    let log = scene.env.home().join("log");
    scene.wecom.always(Endpoint::UserGetUserid, Reply::status(502));
    let with_log = |args: &[&str]| scene.cmd(args).arg("--log-file").arg(&log).arg("--retries").arg("0").run();
    with_log(&["app-send", "-P", "ops", "--outbox", "disk full"]).assert_code(0);
    with_log(&["outbox", "flush"]).assert_code(7);
    with_log(&["app-send", "-P", "ops", "-u", "lisi", "--to-mobile", "138 0000 0000", "disk full"]).assert_code(6);
    let lines = fs::read_to_string(&log).unwrap();
    // The id of an entry has the digits of a time and a process, which may be any.
    let id = entries(&scene)[0].file_name().unwrap().to_str().unwrap().to_owned();
    let message = |line: &str| serde_json::from_str::<Value>(line).unwrap()["message"].to_string().replace(&id, "ID");
    let messages: Vec<String> = lines.lines().map(message).collect();
    assert!(messages.len() == 3 && messages[0].contains("outbox as ID"), "{messages:?}");
    assert!(!messages.iter().any(|line| line.contains("0000")), "{messages:?}");
}
