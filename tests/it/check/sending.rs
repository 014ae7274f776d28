//! `check --send`: a test message by each route, and what it proves.

use serde_json::json;

use super::{app, bare, checked, webhook};
use crate::support::Scene;
use crate::support::fake::{Endpoint, FakeWecom, Reply, Route};

#[test]
fn a_test_message_by_both_routes() {
    let scene = Scene::new();
    for (args, tokens) in [(&["--send"][..], 1), (&["--send", "--no-cache"], 2)] {
        let cmd = app(&scene, args).webhook().env("WECOM_ALERT_TO_USER", "zhangsan").env("WECOM_ALERT_TO_PARTY", "2");
        let told = checked(&scene, "both", cmd, 0, "ok");
        told.has("send_app", "ok", &["msgid"]).has("send_webhook", "ok", &["WeCom accepted it"]);
        assert_eq!((&told.document["attempts"], told.document["parts"].as_array().unwrap().len()), (&json!(2), 2));
        assert_eq!(scene.wecom.count(Endpoint::GetToken), tokens, "one token serves for all");
    }
    let messages = scene.wecom.messages();
    assert_eq!(messages.len(), 4);
    assert_eq!(
        (&messages[0].users[..], &messages[0].parties[..]),
        (&["zhangsan".to_owned()][..], &["2".to_owned()][..])
    );
    assert!(matches!(messages[1].route, Route::Webhook { .. }));
    for message in messages {
        let text = message.payload()["content"].as_str().unwrap();
        assert!(text.starts_with("wecom-alert check: this is a test from ") && text.contains(" at 20"), "{text}");
    }
}

#[test]
fn a_webhook_is_proven_by_a_message_alone() {
    let scene = Scene::new();
    let wrong = "00000000-0000-4000-8000-0000000000ff";
    let cmd = |args: &[&str]| bare(&scene, args).env("WECOM_ALERT_WEBHOOK", wrong).secret(wrong);
    checked(&scene, "unproven", cmd(&[]), 0, "ok").skips(&["send_webhook"], "--send");
    let told = checked(&scene, "wrong key", cmd(&["--send"]), 4, "auth");
    told.has("webhook_key", "ok", &[]).has("send_webhook", "failed", &["93000", "key=", "36 bytes"]);
    assert_eq!((scene.wecom.requests().len(), scene.wecom.messages().len()), (1, 0));
}

#[test]
fn nobody_is_mentioned_by_a_test() {
    let scene = Scene::new();
    let cmd = webhook(&scene, &["--send"]).config("mention = [\"@all\"]\n[profiles.room]\n");
    checked(&scene, "mention", cmd, 0, "ok");
    assert_eq!(scene.wecom.messages()[0].payload().get("mentioned_list"), None);
}

#[test]
fn a_message_needs_recipients() {
    let scene = Scene::new();
    let told = checked(&scene, "none", app(&scene, &["--send"]), 3, "config");
    told.has("send_app", "failed", &["to_user is not set", "WECOM_ALERT_TO_USER"]).has("agent", "ok", &[]);
    let told = checked(&scene, "malformed", app(&scene, &["--send"]).env("WECOM_ALERT_TO_PARTY", "ops"), 3, "config");
    told.has("recipients", "failed", &["WECOM_ALERT_TO_PARTY", "is not a number"]).has(
        "send_app",
        "failed",
        &["is not a number"],
    );
    assert_eq!(scene.wecom.count(Endpoint::MessageSend), 0);
}

#[test]
fn what_a_message_brings_to_light() {
    let scene = Scene::with(FakeWecom::builder().range(&["zhangsan"], &["1"], &[]).start());
    let cmd = || app(&scene, &["--send"]).env("WECOM_ALERT_TO_USER", "zhangsan,nobody");
    let told = checked(&scene, "partial", cmd(), 6, "partial");
    told.has("recipients", "skipped", &["may hold"]).has("send_app", "failed", &["nobody"]);
    let told = checked(&scene, "allowed", cmd().config("allow_partial = true\n[profiles.ops]\n"), 0, "ok");
    told.has("send_app", "warning", &["nobody"]);
    scene.wecom.script(Endpoint::MessageSend, [Reply::HangAfterReading]);
    let told = checked(&scene, "silent", cmd().args(["--timeout", "1s"]), 9, "unknown");
    told.has("send_app", "failed", &["may have arrived"]);
    scene.wecom.script(Endpoint::MessageSend, [Reply::status(502)]);
    checked(&scene, "502", cmd(), 7, "temporary").has("send_app", "failed", &["502"]);
    assert_eq!(scene.wecom.count(Endpoint::MessageSend), 4, "each is sent once");
}
