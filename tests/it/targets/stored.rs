//! Several targets with `--outbox`: what nobody took waits for the one who should have it, and nothing else does.

use serde_json::{Value, json};

use super::{app, arrived, assert_targets, command, new_scene, owned, sends};
use crate::document::assert_document;
use crate::support::Scene;
use crate::support::fake::{Endpoint, Reply};

const TEXT: &str = "disk full";

/// Profile and state of every entry.
fn entries(scene: &Scene) -> Vec<(String, String)> {
    let told = command(scene, &["outbox", "list", "-P", "ops"]).run().assert_code(0).json();
    let text = |entry: &Value, field: &str| entry[field].as_str().unwrap().to_owned();
    told["entries"].as_array().unwrap().iter().map(|entry| (text(entry, "profile"), text(entry, "state"))).collect()
}

#[test]
fn an_alert_that_the_fallback_sent_is_not_queued() {
    for reply in [Reply::status(502), Reply::errcode(40201, "spam"), Reply::errcode(45009, "freq")] {
        let scene = new_scene();
        scene.wecom.script(Endpoint::MessageSend, [reply]);
        let run = app(&scene, &["--outbox", "--fallback", "room", TEXT]).run();
        assert_document(&run, "taken", 0, &json!({"status": "sent", "outbox_id": null}));
        assert_eq!((entries(&scene), arrived(&scene).len(), sends(&scene)), (vec![], 1, [1, 1]));
    }
}

#[test]
fn when_both_targets_fail_the_alert_is_queued_for_the_first() {
    let scene = new_scene();
    scene.wecom.script(Endpoint::MessageSend, [Reply::status(502)]);
    scene.wecom.script(Endpoint::WebhookSend, [Reply::status(502)]);
    let run = app(&scene, &["--outbox", "--fallback", "room", TEXT]).run();
    let told = assert_document(&run, "both down", 0, &json!({"status": "queued"}));
    assert_eq!(told["outbox_id"], told["targets"][0]["outbox_id"]);
    assert!(told["outbox_id"].is_string(), "{told}");
    assert_targets("both down", &told, &[("ops", "app", "queued", 0), ("room", "webhook", "temporary", 7)]);
    assert_eq!(entries(&scene), owned(&[("ops", "waiting")]));
    command(&scene, &["outbox", "flush", "-P", "ops"]).run().assert_code(0);
    assert_eq!((entries(&scene), arrived(&scene)), (vec![], owned(&[("lisi", TEXT)])));
}

#[test]
fn an_alert_refused_by_the_first_is_queued_for_the_fallback() {
    let scene = new_scene();
    scene.wecom.trust_no_ip();
    scene.wecom.script(Endpoint::WebhookSend, [Reply::status(502)]);
    let run = app(&scene, &["--outbox", "--fallback", "room", TEXT]).run();
    let told = assert_document(&run, "refused", 0, &json!({"status": "queued"}));
    assert_targets("refused", &told, &[("ops", "app", "auth", 4), ("room", "webhook", "queued", 0)]);
    assert_eq!(
        (told["outbox_id"].clone(), entries(&scene)),
        (told["targets"][1]["outbox_id"].clone(), owned(&[("room", "waiting")]))
    );
    command(&scene, &["outbox", "flush", "-P", "ops"]).run().assert_code(0);
    assert_eq!(arrived(&scene), owned(&[("room", &format!("[fallback: app 60020]\n{TEXT}"))]));
    assert_eq!(entries(&scene), []);
}

#[test]
fn an_alert_refused_by_both_is_kept_as_failed() {
    let scene = new_scene();
    scene.wecom.trust_no_ip();
    scene.wecom.script(Endpoint::WebhookSend, [Reply::errcode(40201, "spam")]);
    let run = app(&scene, &["--outbox", "--fallback", "room", TEXT]).run();
    assert_document(&run, "never", 4, &json!({"status": "auth", "errcode": 60020}));
    assert_eq!(entries(&scene), owned(&[("ops", "failed")]));
}

#[test]
fn each_target_has_its_own_outbox_entry() {
    let scene = new_scene();
    scene.wecom.script(Endpoint::WebhookSend, [Reply::status(502), Reply::status(502)]);
    let run = app(&scene, &["--outbox", "--also", "room", "--also", "hall", TEXT]).run();
    let told = assert_document(&run, "several", 0, &json!({"status": "queued"}));
    assert_targets(
        "several",
        &told,
        &[("ops", "app", "sent", 0), ("room", "webhook", "queued", 0), ("hall", "webhook", "queued", 0)],
    );
    let ids = [0, 1, 2].map(|at| told["targets"][at]["outbox_id"].clone());
    assert!(ids[0].is_null() && ids[1].is_string() && ids[1] != ids[2] && told["outbox_id"] == ids[1], "{told}");
    let mut waiting = entries(&scene);
    waiting.sort();
    assert_eq!(waiting, owned(&[("hall", "waiting"), ("room", "waiting")]));
    command(&scene, &["outbox", "flush", "-P", "ops"]).run().assert_code(0);
    assert_eq!(arrived(&scene), owned(&[("hall", TEXT), ("lisi", TEXT), ("room", TEXT)]));
}

#[test]
fn the_command_says_for_all_whether_they_are_stored() {
    for (profile, own, stored) in [("room", "ops", 0), ("ops", "ops", 2)] {
        let scene = new_scene().profile(profile, "outbox = true");
        scene.wecom.script(Endpoint::MessageSend, [Reply::status(502)]);
        scene.wecom.script(Endpoint::WebhookSend, [Reply::status(502)]);
        let run = command(&scene, &["app-send", "-P", own, "--also", "room", TEXT]).run();
        let (code, status) = if stored > 0 { (0, "queued") } else { (7, "temporary") };
        assert_document(&run, profile, code, &json!({"status": status}));
        assert_eq!(entries(&scene).len(), stored, "outbox in {profile}");
    }
}

/// Where nothing can be stored for the first, the fallback has its turn all the same.
#[test]
fn the_fallback_works_when_the_first_target_has_no_credentials() {
    let lost = |scene: &Scene| {
        let cmd = command(scene, &["webhook-send", "--outbox", "--fallback", "hall", TEXT]);
        cmd.env("WECOM_ALERT_PROFILE", "ops").env("WECOM_ALERT_WEBHOOK_FILE", scene.env.home().join("no-such-file"))
    };
    let scene = new_scene();
    let told = assert_document(&lost(&scene).run(), "taken", 0, &json!({"status": "sent", "outbox_id": null}));
    assert_targets("taken", &told, &[("ops", "webhook", "config", 3), ("hall", "webhook", "sent", 0)]);
    assert_eq!(arrived(&scene), owned(&[("hall", &format!("[fallback: webhook config]\n{TEXT}"))]));
    assert_eq!(entries(&scene), []);
    scene.wecom.script(Endpoint::WebhookSend, [Reply::status(502)]);
    let told = assert_document(&lost(&scene).run(), "down", 0, &json!({"status": "queued"}));
    assert_targets("down", &told, &[("ops", "webhook", "config", 3), ("hall", "webhook", "queued", 0)]);
    assert_eq!(entries(&scene), owned(&[("hall", "waiting")]));
    // Alone it is what it is.
    let scene = new_scene();
    let alone = command(&scene, &["webhook-send", "--outbox", TEXT]).env("WECOM_ALERT_PROFILE", "ops");
    let run = alone.env("WECOM_ALERT_WEBHOOK_FILE", scene.env.home().join("no-such-file")).run();
    assert_document(&run, "alone", 3, &json!({"status": "config", "attempts": 0, "outbox_id": null}));
    assert_eq!((entries(&scene), scene.wecom.connections()), (vec![], 0));
}
