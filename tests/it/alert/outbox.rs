//! Alerts that wait: what the outbox keeps of cards, files and mentions, and what a late one says of itself.

use std::fs;

use serde_json::{Value, json};
use wecom_alert::channel::Channel;

use super::{URL, bodies, text_in};
use crate::document::assert_document;
use crate::support::fake::Reply;
use crate::support::{Cmd, HTTP_ROUTES, Scene, entry, send_endpoint};

/// Sends what the server cannot take now.
#[track_caller]
fn store(scene: &Scene, case: &str, route: Channel, cmd: Cmd) -> Value {
    scene.wecom.script(send_endpoint(route), [Reply::status(502)]);
    assert_document(&cmd.arg("--outbox").run(), case, 0, &json!({"status": "queued"}))
}

/// Makes all that waits older, by so many minutes.
fn age(scene: &Scene, minutes: u64) {
    for folder in fs::read_dir(scene.env.state().join("outbox/waiting")).unwrap() {
        entry::age(&folder.unwrap().path(), minutes * 60_000);
    }
}

/// Delivers all that waits; gives what it brought.
#[track_caller]
fn flush(scene: &Scene, case: &str) -> Vec<Value> {
    let before = scene.wecom.messages().len();
    let cmd = scene.cmd(&["outbox", "flush"]).env("TZ", "CST-8");
    assert_document(&cmd.run(), case, 0, &json!({"remaining": 0, "failed": 0}));
    bodies(scene).split_off(before)
}

/// The mark of what is late, without its clock.
fn unmarked(text: &str) -> Option<&str> {
    let rest = text.strip_prefix("[delayed 37m, ")?;
    Some(&rest[rest.find(']')? + 1..])
}

#[test]
fn a_card_keeps_its_task_id() {
    let scene = Scene::new();
    let args = ["--card", "button_interaction", "--title", "Disk", "--button", "ack=Got it", "full"];
    let told = store(&scene, "card", Channel::App, scene.send(Channel::App, &args));
    let id = told["parts"][0]["task_id"].clone();
    assert!(id.as_str().unwrap().starts_with("alert-"), "{told:#}");
    let sent = flush(&scene, "card");
    assert_eq!((sent.len(), &sent[0]["template_card"]["task_id"]), (1, &id));
}

#[test]
fn attachments_wait_with_their_names() {
    for route in HTTP_ROUTES {
        let scene = Scene::new();
        let path = scene.env.file("a.log", "a log file");
        scene.env.file("b.png", super::PNG);
        let args = ["--attach", "a.log", "--filename", "日志 1.txt", "--attach", "b.png", "full"];
        let told = store(&scene, "files", route, scene.send(route, &args));
        let named: Vec<_> = told["parts"].as_array().unwrap().iter().map(|part| part["name"].clone()).collect();
        assert_eq!(named, [Value::Null, "日志 1.txt".into(), "b.png".into()], "{told:#}");
        // What is stored does not need the file any more.
        fs::remove_file(path).unwrap();
        let types: Vec<_> = flush(&scene, "files").iter().map(|body| body["msgtype"].clone()).collect();
        assert_eq!(types, ["text", "file", "image"]);
        let upload = &scene.wecom.uploads()[0];
        assert_eq!((&upload.bytes[..], upload.filename.as_slice()), (&b"a log file"[..], "日志 1.txt".as_bytes()));
    }
}

#[test]
fn a_late_alert_says_so_in_its_own_text() {
    let said = ["--title", "Disk", "--level", "ok", "--field", "a=b", "--url", URL, "full"];
    let cases: [(Channel, &[&str], &str); 8] = [
        (Channel::App, &["-t", "text"], " [OK] Disk\na: b"),
        (Channel::App, &["-t", "markdown"], " <font color=\"info\">**[OK] Disk**</font>\n> a: b"),
        (Channel::App, &["-t", "textcard"], " <div class=\"gray\">a: b</div>"),
        (Channel::App, &["-t", "news"], " a: b\nfull"),
        (Channel::Webhook, &["-t", "news"], " a: b\nfull"),
        (Channel::Webhook, &["-t", "markdown_v2"], "\n\n# [OK] Disk\n\na: b\n\n"),
        (Channel::Webhook, &["-t", "markdown_v2", "--prefix", "prod"], " prod\n\n# [OK] Disk"),
        (Channel::App, &["--card", "text_notice"], " the next message is late"),
    ];
    for (route, args, expected) in cases {
        let (scene, case) = (Scene::new(), format!("{} {args:?}", route.as_str()));
        store(&scene, &case, route, scene.send(route, args).args(said));
        age(&scene, 37);
        let sent = flush(&scene, &case);
        let text = text_in(&sent[0]);
        assert!(unmarked(text).is_some_and(|rest| rest.starts_with(expected)), "{case}: {text:?}");
        assert_eq!(sent.len(), if args[0] == "--card" { 2 } else { 1 }, "{case}");
    }
    // A table is one only where it begins its line.
    let scene = Scene::new();
    store(
        &scene,
        "table",
        Channel::Webhook,
        scene.send(Channel::Webhook, &["-t", "markdown_v2", "--field", "a=b", "--field", "c=d"]).stdin(""),
    );
    age(&scene, 37);
    assert_eq!(unmarked(text_in(&flush(&scene, "table")[0])), Some("\n\n| a | b |\n| :-- | :-- |\n| c | d |"));
}

#[test]
fn who_is_mentioned_is_called_once_when_it_arrives_late() {
    let scene = Scene::new();
    let group = Channel::Webhook;
    store(&scene, "text", group, scene.send(group, &["--mention", "lisi"]).stdin("x".repeat(2048)));
    age(&scene, 37);
    let sent = flush(&scene, "text");
    let called: Vec<_> = sent.iter().map(|body| body["text"]["mentioned_list"].clone()).collect();
    assert_eq!(called, [json!(["lisi"]), Value::Null]);
    store(
        &scene,
        "v2",
        group,
        scene.send(group, &["-t", "markdown_v2", "--title", "Disk", "--mention", "lisi", "full"]),
    );
    let sent = flush(&scene, "v2");
    assert_eq!((sent.len(), &sent[1]["text"]), (2, &json!({"content": "Disk", "mentioned_list": ["lisi"]})));
}

/// What was delivered in time is not sent again, and no mention comes twice.
#[test]
fn only_what_is_missing_is_sent_later() {
    let scene = Scene::new();
    scene.env.file("a.log", "a log file");
    scene.wecom.script(send_endpoint(Channel::Webhook), [Reply::Normal, Reply::Normal, Reply::status(502)]);
    let args = ["--outbox", "-t", "markdown_v2", "--title", "Disk", "--mention", "lisi", "--attach", "a.log", "full"];
    let run = scene.send(Channel::Webhook, &args).run();
    assert_document(&run, "queued", 0, &json!({"status": "queued"}));
    assert_eq!(bodies(&scene).len(), 2);
    let sent = flush(&scene, "rest");
    assert_eq!((sent.len(), &sent[0]["msgtype"]), (1, &"file".into()));
}
