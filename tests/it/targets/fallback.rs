//! `--fallback`: somebody else gets it when the first target did not, and only then.

use serde_json::{Value, json};

use super::{app, arrived, assert_targets, command, group, new_scene, owned, sends, talking};
use crate::document::{assert_document, assert_says, warnings};
use crate::support::fake::{Endpoint, FakeWecom, OnConnect, Reply};
use crate::support::{Scene, at_once};

const TEXT: &str = "disk full";

fn by(reply: Reply) -> impl Fn(&Scene) + Sync {
    move |scene| scene.wecom.script(Endpoint::MessageSend, [reply.clone()])
}

#[test]
fn the_fallback_is_used_when_the_first_ends_in_3_4_5_7_or_8() {
    type Case = (&'static str, u64, &'static str, Box<dyn Fn(&Scene) + Sync + Send>);
    let cases: [Case; 8] = [
        ("config", 3, "config", Box::new(|scene| by(Reply::status(404))(scene))),
        ("auth", 4, "60020", Box::new(|scene| scene.wecom.trust_no_ip())),
        ("auth", 4, "50003", Box::new(|scene| scene.wecom.disable_app(true))),
        ("refused", 5, "40201", Box::new(|scene| by(Reply::errcode(40201, "spam"))(scene))),
        ("temporary", 7, "temporary", Box::new(|scene| by(Reply::status(502))(scene))),
        ("temporary", 7, "-1", Box::new(|scene| by(Reply::errcode(-1, "system busy"))(scene))),
        ("rate_limited", 8, "45009", Box::new(|scene| by(Reply::errcode(45009, "freq"))(scene))),
        ("temporary", 7, "temporary", Box::new(|scene| scene.wecom.script(Endpoint::GetToken, [Reply::PortalPage]))),
    ];
    for (status, code, mark, arrange) in cases {
        let (scene, case) = (new_scene(), format!("{status} {mark}"));
        arrange(&scene);
        let run = app(&scene, &["--fallback", "room", TEXT]).run();
        let told =
            assert_document(&run, &case, 0, &json!({"status": "sent", "profile": "ops", "route": "app", "errcode": 0}));
        assert_targets(&case, &told, &[("ops", "app", status, code), ("room", "webhook", "sent", 0)]);
        let warnings = warnings(&told);
        assert_eq!(warnings.len(), 1, "{case}: {warnings:?}");
        assert!(
            warnings[0].starts_with("ops (app) failed, and room (webhook) got it instead: "),
            "{case}: {warnings:?}"
        );
        assert!(told["targets"][0]["message"].is_string() && told["message"].is_null(), "{case}: {told}");
        assert_eq!(arrived(&scene), owned(&[("room", &format!("[fallback: app {mark}]\n{TEXT}"))]), "{case}");
    }
}

#[test]
fn the_fallback_is_not_used_after_success_unknown_or_usage() {
    let cases: [(&str, &[&str], Option<Reply>, i32); 5] = [
        ("sent", &[TEXT], None, 0),
        ("usage", &[""], None, 2),
        ("usage", &["--to-party", "x", TEXT], None, 2),
        ("partial", &["-u", "lisi,nobody", TEXT], None, 6),
        ("unknown", &["--timeout", "1s", TEXT], Some(Reply::HangAfterReading), 9),
    ];
    for (status, args, reply, code) in cases {
        let scene = new_scene();
        scene.wecom.script(Endpoint::MessageSend, reply);
        let run = app(&scene, &["--fallback", "room"]).args(args).run();
        let told = assert_document(&run, status, code, &json!({"status": status, "warnings": []}));
        assert_eq!(scene.wecom.count(Endpoint::WebhookSend), 0, "{status}");
        assert!(told.get("targets").is_none_or(|targets| targets.as_array().unwrap().len() == 1), "{told}");
    }
}

#[test]
fn the_fallback_comes_after_the_retries() {
    let scene = new_scene();
    scene.wecom.script(Endpoint::MessageSend, [Reply::status(502)]);
    let run = app(&scene, &["--fallback", "room", "--retries", "1", TEXT]).run();
    assert_document(&run, "retry", 0, &json!({"status": "sent", "attempts": 2, "warnings": []}));
    assert_eq!((arrived(&scene), sends(&scene)), (owned(&[("lisi", TEXT)]), [2, 0]));
}

#[test]
fn the_fallback_can_be_set_in_the_profile_and_name_its_other_route() {
    let scene = new_scene().profile("ops", "fallback = \"both:webhook\"");
    scene.wecom.trust_no_ip();
    app(&scene, &[TEXT]).run().assert_code(0);
    assert_eq!(arrived(&scene), owned(&[("both", &format!("[fallback: app 60020]\n{TEXT}"))]));
    // The option beats it.
    app(&scene, &["--fallback", "hall", TEXT]).run().assert_code(0);
    assert_eq!(arrived(&scene)[1].0, "hall");
    let scene = new_scene();
    scene.wecom.remove_webhook("test-key-of-both");
    let run =
        command(&scene, &["webhook-send", "-P", "both", "--fallback", "both:app", "-t", "markdown_v2", TEXT]).run();
    let told = assert_document(&run, "same", 0, &json!({"status": "sent"}));
    assert_targets("same", &told, &[("both", "webhook", "auth", 4), ("both", "app", "sent", 0)]);
    assert_eq!(arrived(&scene), owned(&[("zhangsan", &format!("[fallback: webhook 93000]\n{TEXT}"))]));
}

#[test]
fn unreadable_credentials_lead_to_the_fallback() {
    for keys in ["secret_file = \"no-such-file\"", "secret_command = [\"false\"]"] {
        let mut scene = new_scene();
        scene.config = scene.config.replacen("secret = \"test-secret-of-ops\"", keys, 1);
        let told =
            assert_document(&app(&scene, &["--fallback", "room", TEXT]).run(), keys, 0, &json!({"status": "sent"}));
        assert_targets(keys, &told, &[("ops", "app", "config", 3), ("room", "webhook", "sent", 0)]);
        assert_eq!(arrived(&scene), owned(&[("room", &format!("[fallback: app config]\n{TEXT}"))]));
    }
}

#[test]
fn when_both_fail_the_firsts_failure_counts() {
    for (fallback, reply, status, code) in [
        ("room", Some(Reply::status(502)), "temporary", 7),
        ("room", Some(Reply::errcode(40201, "spam")), "refused", 5),
        ("nosuch", None, "config", 3),
        ("both", None, "config", 3),
    ] {
        let scene = new_scene();
        scene.wecom.trust_no_ip();
        scene.wecom.script(Endpoint::WebhookSend, reply);
        let run = app(&scene, &["--fallback", fallback, TEXT]).run();
        let told = assert_document(&run, fallback, 4, &json!({"status": "auth", "errcode": 60020}));
        assert_says(&told, fallback, "message", &["60020"]);
        let route = if status == "config" { "-" } else { "webhook" };
        assert_targets(fallback, &told, &[("ops", "app", "auth", 4), (fallback, route, status, code)]);
        let mut warnings = warnings(&told);
        assert!(warnings.remove(warnings.len() - 1).contains(&format!("and so did its fallback {fallback} (")));
        // What is known before is said before, whether the fallback is needed or not.
        assert_eq!(warnings.len(), usize::from(status == "config"), "{warnings:?}");
        assert_eq!(arrived(&scene), []);
    }
}

#[test]
fn a_fallback_that_reaches_some_is_partial() {
    let scene = new_scene().profile("night", "to_party = [404]");
    scene.wecom.script(Endpoint::WebhookSend, [Reply::status(502)]);
    let run = group(&scene, &["--fallback", "night", TEXT]).run();
    let told = assert_document(&run, "some", 6, &json!({"status": "partial", "invalidparty": ["404"]}));
    assert_targets("some", &told, &[("room", "webhook", "temporary", 7), ("night", "app", "partial", 6)]);
    assert_eq!(arrived(&scene).len(), 1);
}

#[test]
fn fallback_and_also_go_together() {
    let scene = new_scene();
    scene.wecom.trust_no_ip();
    let run = app(&scene, &["--fallback", "room", "--also", "hall", TEXT]).run();
    let told = assert_document(&run, "also", 0, &json!({"status": "sent"}));
    assert_targets(
        "also",
        &told,
        &[("ops", "app", "auth", 4), ("room", "webhook", "sent", 0), ("hall", "webhook", "sent", 0)],
    );
    assert_eq!(arrived(&scene), owned(&[("hall", TEXT), ("room", &format!("[fallback: app 60020]\n{TEXT}"))]));
    // One of those who get it as well has no fallback.
    let scene = new_scene();
    scene.wecom.trust_no_ip();
    let run = group(&scene, &["--fallback", "hall", "--also", "ops", TEXT]).run();
    let told = assert_document(&run, "also", 6, &json!({"status": "partial", "errcode": 60020}));
    assert_targets("also", &told, &[("room", "webhook", "sent", 0), ("ops", "app", "auth", 4)]);
    assert_eq!(arrived(&scene), owned(&[("room", TEXT)]));
}

#[test]
fn a_file_goes_there_without_the_line_and_a_long_text_with_it() {
    let scene = new_scene();
    let file = scene.env.file("report.txt", "a report");
    scene.wecom.trust_no_ip();
    app(&scene, &["--fallback", "room", "--file"]).arg(file).run().assert_code(0);
    assert_eq!((arrived(&scene), scene.wecom.uploads().len()), (owned(&[("room", "file")]), 1));
    let text = "0123456789 disk full\n".repeat(97);
    let text = text.trim_end();
    let run = app(&scene, &["--fallback", "room"]).stdin(text).run();
    let told = assert_document(&run, "long", 0, &json!({"status": "sent"}));
    assert_eq!(told["targets"][1]["parts"].as_array().unwrap().len(), 2, "it fits no more with the line before it");
    let texts: Vec<Value> =
        scene.wecom.messages()[1..].iter().map(|message| message.payload()["content"].clone()).collect();
    let joined: String = texts.iter().map(|text| text.as_str().unwrap().split_once(") ").unwrap().1).collect();
    assert_eq!(joined, format!("[fallback: app 60020]\n{text}"));
}

/// A third of the time is the fallback's, whatever the first does with its own.
#[test]
fn a_hanging_first_target_leaves_time_for_the_fallback() {
    at_once([true, false], |is_slow_to_connect| {
        let slow = FakeWecom::builder().tls(crate::support::fake::tls::Certificate::Good).start();
        if is_slow_to_connect {
            slow.on_connections([OnConnect::Hang]);
        }
        let scene = new_scene().profile("ops", &format!("base_url = \"{}\"", slow.base_url()));
        let scene = if is_slow_to_connect { scene } else { new_scene() };
        scene.wecom.script(Endpoint::GetToken, [Reply::HangAfterReading]);
        let limits = ["--connect-timeout", "10m", "--timeout", "10m", "--deadline", "6s"];
        let run = app(&scene, &["--fallback", "room", TEXT]).args(limits).run();
        let told = assert_document(&run, "hang", 0, &json!({"status": "sent"}));
        assert_targets("hang", &told, &[("ops", "app", "temporary", 7), ("room", "webhook", "sent", 0)]);
        assert_eq!(arrived(&scene).len(), 1);
    });
}

#[test]
fn a_used_fallback_is_a_warning_on_stderr() {
    let scene = new_scene();
    scene.wecom.trust_no_ip();
    let told = |quiet: Option<&str>| {
        let cmd = talking(&scene, &["app-send", "-P", "ops", "--fallback", "room", TEXT]).args(quiet);
        let run = cmd.run().assert_code(0);
        assert_eq!(run.stdout, "");
        run.stderr
    };
    let loud = told(None);
    assert!(loud.starts_with("wecom-alert: warning: ops (app) failed, "), "{loud}");
    assert_eq!((loud.matches('\n').count(), told(Some("-q"))), (1, String::new()), "{loud}");
}

#[test]
fn an_empty_fallback_name_is_left_out_and_an_error_in_a_dry_run() {
    for name in [":app", " :webhook"] {
        let scene = new_scene();
        assert_document(
            &app(&scene, &["--fallback", name, "--dry-run", TEXT]).run(),
            name,
            2,
            &json!({"status": "usage"}),
        );
        assert_document(&app(&scene, &["--also", name, "--dry-run", TEXT]).run(), name, 2, &json!({"status": "usage"}));
        assert_eq!(scene.wecom.connections(), 0);
    }
}
