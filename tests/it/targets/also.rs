//! `--also`: the same to others as well; all, some or none of them reached.

use serde_json::{Value, json};

use super::{app, arrived, assert_targets, group, new_scene, owned, sends};
use crate::document::{assert_document, assert_says, warnings};
use crate::support::at_once;
use crate::support::fake::{Endpoint, FakeWecom, OnConnect, Reply};

const TEXT: &str = "disk full";

#[test]
fn each_gets_it_with_credentials_and_recipients_of_its_own() {
    let scene = new_scene();
    let run = app(&scene, &["-u", "zhangsan", "--also", "room", "--also", "night", "--also", "hall", TEXT]).run();
    let expected =
        json!({"status": "sent", "profile": "ops", "route": "app", "attempts": 4, "warnings": [], "errcode": 0});
    let told = assert_document(&run, "four", 0, &expected);
    let sent = "sent";
    let targets = [
        ("ops", "app", sent, 0),
        ("room", "webhook", sent, 0),
        ("night", "app", sent, 0),
        ("hall", "webhook", sent, 0),
    ];
    assert_targets("four", &told, &targets);
    assert_eq!(arrived(&scene), owned(&[("hall", TEXT), ("room", TEXT), ("wangwu", TEXT), ("zhangsan", TEXT)]));
    assert_eq!(told["parts"].as_array().unwrap().len(), 4);
    assert_eq!(scene.wecom.count(Endpoint::GetToken), 2, "a token for each app");
}

#[test]
fn a_target_has_the_fields_of_a_whole_document() {
    let scene = new_scene();
    let told = group(&scene, &["--also", "ops", TEXT]).run().assert_code(0).json();
    let mut fields: Vec<_> = told["targets"][1].as_object().unwrap().keys().map(String::as_str).collect();
    fields.sort_unstable();
    let expected = [
        "attempts",
        "errcode",
        "errmsg",
        "exit_code",
        "hint",
        "invalidparty",
        "invalidtag",
        "invaliduser",
        "message",
        "outbox_id",
        "parts",
        "profile",
        "route",
        "status",
        "unlicenseduser",
        "unresolved",
    ];
    assert_eq!(fields, expected);
    let [room, ops] = [&told["targets"][0], &told["targets"][1]];
    assert_eq!((&room["attempts"], &ops["attempts"], &ops["errmsg"]), (&json!(1), &json!(1), &json!("ok")));
    assert_eq!(room["parts"][0]["msgid"], Value::Null);
    assert_eq!((&ops["parts"][0]["index"], &ops["parts"][0]["kind"]), (&json!(1), &json!("message")));
    assert!(ops["parts"][0]["msgid"].is_string(), "{ops}");
    // Without further targets there is the one.
    let told = group(&scene, &[TEXT]).run().assert_code(0).json();
    assert_targets("alone", &told, &[("room", "webhook", "sent", 0)]);
}

#[test]
fn targets_of_the_option_replace_those_of_the_profile() {
    let scene = new_scene().profile("room", "also = [\"night\", \"hall\"]");
    group(&scene, &[TEXT]).run().assert_code(0);
    assert_eq!(arrived(&scene), owned(&[("hall", TEXT), ("room", TEXT), ("wangwu", TEXT)]));
    group(&scene, &["--also", "ops", "again"]).run().assert_code(0);
    let again = [("hall", TEXT), ("lisi", "again"), ("room", "again"), ("room", TEXT), ("wangwu", TEXT)];
    assert_eq!(arrived(&scene), owned(&again));
}

#[test]
fn a_profile_named_twice_gets_it_twice() {
    let scene = new_scene();
    let told = group(&scene, &["--also", "hall", "--also", "hall", TEXT]).run().assert_code(0).json();
    assert_eq!(told["targets"].as_array().unwrap().len(), 3);
    assert_eq!(arrived(&scene), owned(&[("hall", TEXT), ("hall", TEXT), ("room", TEXT)]));
}

#[test]
fn a_profile_with_both_routes_must_be_told_which() {
    for (name, expected) in [("both:app", ("zhangsan", "app")), ("both:webhook", ("both", "webhook"))] {
        let scene = new_scene();
        let told = group(&scene, &["--also", name, TEXT]).run().assert_code(0).json();
        assert_targets(name, &told, &[("room", "webhook", "sent", 0), ("both", expected.1, "sent", 0)]);
        let mut all = owned(&[(expected.0, TEXT), ("room", TEXT)]);
        all.sort();
        assert_eq!(arrived(&scene), all, "{name}");
    }
}

#[test]
fn an_invalid_target_does_not_stop_the_others() {
    for (name, profile, route, message, hint) in [
        ("both", "both", "-", "both an app and a webhook", "both:app or both:webhook"),
        ("nosuch", "nosuch", "-", "nosuch", "the file has: both, hall"),
        ("room:app", "room", "app", "", ""),
        ("ops:webhook", "ops", "webhook", "", ""),
    ] {
        let scene = new_scene();
        let run = group(&scene, &["--also", name, "--also", "night", TEXT]).run();
        let told = assert_document(&run, name, 6, &json!({"status": "partial", "attempts": 2}));
        let targets = [("room", "webhook", "sent", 0), ("night", "app", "sent", 0), (profile, route, "config", 3)];
        let mut told_of = super::targets(&told);
        told_of.sort_by_key(|target| (target.3, target.1 != "webhook"));
        let told_of: Vec<_> =
            told_of.iter().map(|(p, r, s, code)| (p.as_str(), r.as_str(), s.as_str(), *code)).collect();
        assert_eq!(told_of, targets, "{name}\n{told:#}");
        assert_says(&told, name, "message", &["2 of 3 targets", profile, message]);
        assert_says(&told, name, "hint", &[hint]);
        assert_eq!(arrived(&scene), owned(&[("room", TEXT), ("wangwu", TEXT)]), "{name}");
    }
}

#[test]
fn the_exit_code_when_all_some_or_no_targets_fail() {
    let refused = || Reply::errcode(40201, "content is spam");
    type Case = (&'static str, Vec<Reply>, Vec<Reply>, i32, Value);
    let cases: [Case; 5] = [
        ("the first is missed", vec![refused()], vec![], 6, json!({"status": "partial", "errcode": 40201})),
        ("the other is missed", vec![], vec![Reply::status(502)], 6, json!({"status": "partial", "errcode": null})),
        ("neither", vec![refused()], vec![Reply::status(502)], 5, json!({"status": "refused", "errcode": 40201})),
        (
            "neither, the other way round",
            vec![Reply::status(502)],
            vec![refused()],
            7,
            json!({"status": "temporary", "errcode": null, "retryable": true}),
        ),
        ("both", vec![], vec![], 0, json!({"status": "sent"})),
    ];
    for (case, of_app, of_group, code, expected) in cases {
        let scene = new_scene();
        let reached = 2 - of_app.len() - of_group.len();
        scene.wecom.script(Endpoint::MessageSend, of_app);
        scene.wecom.script(Endpoint::WebhookSend, of_group);
        let told = assert_document(&app(&scene, &["--also", "room", TEXT]).run(), case, code, &expected);
        assert_eq!(
            (told["attempts"].as_u64(), sends(&scene), arrived(&scene).len()),
            (Some(2), [1, 1], reached),
            "{case}"
        );
        if code == 6 {
            let (missed, reason) =
                if arrived(&scene)[0].0 == "lisi" { ("room (webhook)", "HTTP 502") } else { ("ops (app)", "spam") };
            assert_says(&told, case, "message", &["1 of 2 targets were reached", missed, reason]);
        }
    }
}

#[test]
fn a_missed_target_can_be_allowed_and_a_failure_of_all_cannot() {
    let scene = new_scene();
    scene.wecom.script(Endpoint::WebhookSend, [Reply::status(502), Reply::status(502)]);
    let run = || app(&scene, &["--allow-partial", "--also", "room", TEXT]).run();
    assert_document(&run(), "allowed", 0, &json!({"status": "partial"}));
    scene.wecom.trust_no_ip();
    assert_document(&run(), "none", 4, &json!({"status": "auth"}));
}

#[test]
fn recipients_who_are_missed_are_named_for_their_target() {
    let scene = new_scene().profile("night", "to_party = [404]");
    let run = app(&scene, &["-u", "zhangsan,nobody", "--also", "night", TEXT]).run();
    let expected = json!({"status": "partial", "invaliduser": ["nobody"], "invalidparty": ["404"]});
    let told = assert_document(&run, "both", 6, &expected);
    let lists = |at: usize| (told["targets"][at]["invaliduser"].clone(), told["targets"][at]["invalidparty"].clone());
    assert_eq!([lists(0), lists(1)], [(json!(["nobody"]), json!([])), (json!([]), json!(["404"]))]);
    assert_eq!(arrived(&scene), owned(&[("wangwu", TEXT), ("zhangsan", TEXT)]));
}

#[test]
fn standard_input_is_read_once_for_all() {
    let scene = new_scene();
    let long = "0123456789 disk full\n".repeat(200);
    let run = app(&scene, &["--also", "room", "--also", "night"]).stdin(&*long).run();
    let told = assert_document(&run, "long", 0, &json!({"status": "sent", "attempts": 9}));
    assert!(told["targets"].as_array().unwrap().iter().all(|target| target["parts"].as_array().unwrap().len() == 3));
    for to in ["lisi", "room", "wangwu"] {
        let parts: Vec<_> =
            scene.wecom.messages().into_iter().filter(|message| super::receiver(message) == to).collect();
        let texts: Vec<_> = parts.iter().map(super::text_in).collect();
        let joined: String = texts
            .iter()
            .enumerate()
            .map(|(at, text)| text.strip_prefix(&format!("({}/3) ", at + 1)).unwrap())
            .collect();
        assert_eq!(joined, long.trim_end(), "{to}");
    }
}

#[test]
fn a_target_that_hangs_does_not_keep_the_others_waiting() {
    let slow = FakeWecom::start();
    slow.on_connections([OnConnect::Hang]);
    let scene = new_scene().profile("ops", &format!("base_url = \"{}\"", slow.base_url()));
    let run = app(&scene, &["--also", "room", "--timeout", "10m", "--deadline", "3s", TEXT]).run();
    let told = assert_document(&run, "hang", 6, &json!({"status": "partial"}));
    assert_targets("hang", &told, &[("ops", "app", "temporary", 7), ("room", "webhook", "sent", 0)]);
    assert_eq!(arrived(&scene), owned(&[("room", TEXT)]));
}

#[test]
fn each_target_is_retried_by_itself() {
    at_once([Endpoint::MessageSend, Endpoint::WebhookSend], |endpoint| {
        let scene = new_scene();
        scene.wecom.script(endpoint, [Reply::status(502)]);
        let run = app(&scene, &["--also", "room", "--retries", "1", TEXT]).run();
        assert_document(&run, "again", 0, &json!({"status": "sent", "attempts": 3}));
        assert_eq!((sends(&scene).iter().sum::<usize>(), arrived(&scene).len()), (3, 2));
    });
}

#[test]
fn warnings_name_their_target() {
    let scene =
        new_scene().profile("room", "mention = [\"@all\"]\nmention_fallback = \"ignore\"").profile("ops", "safe = 1");
    let told = app(&scene, &["-t", "markdown", "--also", "room", TEXT]).run().assert_code(0).json();
    let warnings = warnings(&told);
    assert_eq!(warnings.len(), 2, "{warnings:?}");
    assert!(warnings[0].starts_with("safe of the settings"), "{warnings:?}");
    assert!(warnings[1].starts_with("room (webhook): a message of type markdown cannot mention @all"), "{warnings:?}");
    // In a text they are the webhook's alone.
    app(&scene, &["--also", "room", TEXT]).run().assert_code(0);
    let messages = scene.wecom.messages();
    let text = messages.iter().rfind(|message| super::receiver(message) == "room").unwrap();
    assert_eq!(text.payload()["mentioned_list"], json!(["@all"]));
}

#[test]
fn a_dry_run_shows_the_requests_of_all() {
    let scene = new_scene();
    let told = app(&scene, &["--also", "room", "--also", "night", "--dry-run", TEXT]).run().assert_code(0).json();
    let shown: Vec<_> =
        told["requests"].as_array().unwrap().iter().map(|r| (r["path"].clone(), r["body"]["touser"].clone())).collect();
    let app_path = "/cgi-bin/message/send";
    let expected = [
        (json!(app_path), json!("lisi")),
        (json!("/cgi-bin/webhook/send"), Value::Null),
        (json!(app_path), json!("wangwu")),
    ];
    assert_eq!(shown, expected);
    assert_document(
        &app(&scene, &["--also", "nosuch", "--dry-run", TEXT]).run(),
        "nosuch",
        3,
        &json!({"status": "config"}),
    );
    assert_eq!(scene.wecom.connections(), 0);
}

#[test]
fn an_alert_invalid_for_the_first_target_is_sent_to_nobody() {
    let scene = new_scene();
    let run = app(&scene, &["-u", "", "--also", "room", TEXT]).run();
    assert_document(&run, "no recipient", 2, &json!({"status": "usage"}));
    assert_eq!(scene.wecom.connections(), 0);
}
