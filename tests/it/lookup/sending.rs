//! Alerts to people by number and mail: who gets them, who is named, and with which code the command ends.

use serde_json::{Value, json};

use super::{LISI, NOBODY, ZHANGSAN, count, send, touser};
use crate::document::{assert_document, assert_says, warnings};
use crate::support::Scene;
use crate::support::fake::{Endpoint, Reply};

#[test]
fn people_are_recipients_like_others() {
    let scene = Scene::new();
    for (args, expected) in [
        (&["--to-mobile", ZHANGSAN][..], "zhangsan"),
        (&["--to-mobile", "+86 138-0000-0000, 0086 13800000001"], "zhangsan|lisi"),
        (&["--to-mobile", ZHANGSAN, "--to-mobile", LISI, "--to-mobile", "86 13800000000"], "zhangsan|lisi"),
        (&["--to-email", "lisi@example.com"], "lisi"),
        (&["--to-email", "lisi@example.com，WANGWU@example.com"], "lisi|wangwu"),
        (&["-u", "Lisi", "--to-mobile", ZHANGSAN, "--to-mobile", LISI], "Lisi|zhangsan"),
        (&["--to-mobile", ZHANGSAN, "--to-email", "zhangsan@example.com"], "zhangsan"),
    ] {
        assert_document(&send(&scene, args).run(), "to people", 0, &json!({"status": "sent", "attempts": 1}));
        assert_eq!(touser(&scene).last(), Some(&json!(expected)), "{args:?}");
    }
    assert_eq!(count(&scene), 5, "two numbers, three addresses");
    let run = send(&scene, &["--to-party", "2", "--to-mobile", ZHANGSAN]).run();
    assert_document(&run, "with a department", 0, &json!({"status": "sent"}));
    let last = scene.wecom.messages().pop().unwrap().body;
    assert_eq!((&last["touser"], &last["toparty"]), (&json!("zhangsan"), &json!("2")));
}

#[test]
fn each_part_and_each_file_goes_to_them() {
    let scene = Scene::new();
    let file = scene.env.file("job.log", "a log of a job");
    let long = "words on a line\n".repeat(400);
    let run = scene
        .cmd(&["app-send", &long, "-t", "text", "--on-long", "split", "--to-mobile", ZHANGSAN, "--attach"])
        .arg(&file);
    assert_document(&run.run(), "parts", 0, &json!({"status": "sent"}));
    let to = touser(&scene);
    assert!(to.len() > 3 && to.iter().all(|to| to == "zhangsan"), "{to:?}");
    assert_eq!(count(&scene), 1);
}

#[test]
fn without_people_nothing_is_asked_and_nothing_kept() {
    let scene = Scene::new();
    scene.app(&["disk full"]).run().assert_code(0);
    let names = std::fs::read_dir(scene.env.cache()).unwrap().map(|entry| entry.unwrap().file_name());
    let names: Vec<_> = names.filter(|name| name.to_str().unwrap().starts_with("people-")).collect();
    assert!(count(&scene) == 0 && names.is_empty(), "{names:?}");
}

#[test]
fn any_of_them_replaces_the_recipients_of_lower_levels() {
    let scene = Scene::new().profile("ops", "to_user = \"lisi\"\nto_party = 2");
    assert_document(&send(&scene, &["-P", "ops", "--to-mobile", ZHANGSAN]).run(), "option", 0, &json!({}));
    let last = scene.wecom.messages().pop().unwrap().body;
    assert_eq!((&last["touser"], last.get("toparty")), (&json!("zhangsan"), None));
    let scene =
        Scene::new().profile("ops", "to_mobile = [\"138 0000 0000\", 13800000001]\nto_email = \"wangwu@example.com\"");
    assert_document(&send(&scene, &["-P", "ops"]).run(), "profile", 0, &json!({"status": "sent"}));
    assert_document(&send(&scene, &["-P", "ops", "-u", "lisi"]).run(), "replaced", 0, &json!({"status": "sent"}));
    let variable = send(&scene, &["-P", "ops"]).env("WECOM_ALERT_TO_USER", "lisi").run();
    assert_document(&variable, "by a variable", 0, &json!({"status": "sent"}));
    assert_eq!(touser(&scene), [json!("zhangsan|lisi|wangwu"), json!("lisi"), json!("lisi")]);
    assert_eq!(count(&scene), 3);
}

#[test]
fn an_unknown_person_is_named_and_the_rest_gets_it() {
    let scene = Scene::new();
    for args in [&["-u", "lisi"][..], &["--to-mobile", LISI], &["--to-email", "lisi@example.com"]] {
        let run = send(&scene, &["--to-mobile", "+86 139 0000 0000"]).args(args).run();
        let expected =
            json!({"status": "partial", "errcode": 0, "unresolved": [NOBODY], "invaliduser": [], "attempts": 1});
        let document = assert_document(&run, "one unknown", 6, &expected);
        assert_says(&document, "one unknown", "message", &["sent, but not to all", NOBODY]);
        assert_says(&document, "one unknown", "hint", &["可见范围"]);
        let run = send(&scene, &["--to-mobile", NOBODY, "--allow-partial"]).args(args).run();
        assert_document(&run, "allowed", 0, &json!({"status": "partial", "unresolved": [NOBODY]}));
    }
    assert!(touser(&scene).iter().all(|to| to == "lisi"), "{:?}", touser(&scene));
    let run = send(&scene, &["--to-mobile", NOBODY, "-u", "lisi,nobody"]).run();
    let expected = json!({"status": "partial", "unresolved": [NOBODY], "invaliduser": ["nobody"]});
    assert_document(&run, "both kinds", 6, &expected);
}

#[test]
fn nobody_known_is_a_refusal_unless_to_user_is_there() {
    let scene = Scene::new().profile("ops", "to_user = \"lisi\"\nto_party = 2").profile("bare", "to_party = 2");
    let to =
        |more: &[&str]| send(&scene, &["--to-mobile", NOBODY, "--to-email", "nobody@example.com"]).args(more).run();
    let expected =
        json!({"status": "refused", "errcode": null, "attempts": 0, "unresolved": [NOBODY, "nobody@example.com"]});
    for (case, more) in [("no profile", &["-P", "bare"][..]), ("allowed", &["-P", "bare", "--allow-partial"])] {
        let document = assert_document(&to(more), case, 5, &expected);
        assert_says(&document, case, "message", &[NOBODY, "nobody@example.com", "visible range"]);
        assert_says(&document, case, "hint", &["可见范围"]);
    }
    assert_eq!(scene.sends(), 0);
    let expected = json!({"status": "sent", "unresolved": [NOBODY, "nobody@example.com"], "invaliduser": []});
    let document = assert_document(&to(&["-P", "ops"]), "to_user", 0, &expected);
    let warned = warnings(&document);
    assert!(
        warned.iter().any(|warning| warning.contains("to_user (lisi) gets it instead") && warning.contains(NOBODY)),
        "{warned:?}"
    );
    let last = scene.wecom.messages().pop().unwrap().body;
    assert_eq!((&last["touser"], last.get("toparty")), (&json!("lisi"), None));
    let variable = send(&scene, &["--to-mobile", NOBODY]).env("WECOM_ALERT_TO_USER", "zhangsan").run();
    assert_document(&variable, "of the environment", 0, &json!({"status": "sent"}));
}

#[test]
fn a_look_up_that_is_down_costs_only_those() {
    let scene = Scene::new().profile("ops", "to_user = \"zhangsan\"").profile("bare", "");
    scene.warm();
    scene.wecom.always(Endpoint::UserGetUserid, Reply::status(502));
    let to = |more: &[&str]| send(&scene, &["--to-mobile", LISI, "--retries", "0"]).args(more).run();
    let run = to(&["-u", "wangwu", "-P", "bare"]);
    let document =
        assert_document(&run, "the rest", 6, &json!({"status": "partial", "unresolved": [LISI], "attempts": 1}));
    assert_says(&document, "the rest", "message", &[LISI, "could not be looked up"]);
    assert_eq!(touser(&scene), ["wangwu"]);
    let document = assert_document(
        &to(&["-P", "bare"]),
        "nobody left",
        7,
        &json!({"status": "temporary", "unresolved": [LISI], "attempts": 0}),
    );
    assert_says(&document, "nobody left", "message", &[LISI]);
    let document = assert_document(&to(&["-P", "ops"]), "to_user", 0, &json!({"status": "sent"}));
    assert!(
        warnings(&document).iter().any(|warning| warning.contains("to_user (zhangsan) gets it instead")),
        "{document}"
    );
    assert_eq!(touser(&scene), ["wangwu", "zhangsan"]);
    // After the first failure nobody else is asked for.
    let before = count(&scene);
    let run = to(&["--to-mobile", ZHANGSAN, "--to-email", "wangwu@example.com", "-P", "bare"]);
    assert_document(&run, "several", 7, &json!({"unresolved": [LISI, ZHANGSAN, "wangwu@example.com"]}));
    assert_eq!(count(&scene), before + 1);
}

#[test]
fn a_look_up_that_hangs_leaves_time_to_send() {
    let scene = Scene::new();
    scene.warm();
    scene.wecom.always(Endpoint::UserGetUserid, Reply::HangAfterReading);
    let run = send(&scene, &["-u", "lisi", "--to-mobile", ZHANGSAN, "--deadline", "2s"]).run();
    assert_document(&run, "hangs", 6, &json!({"status": "partial", "unresolved": [ZHANGSAN]}));
    assert_eq!(touser(&scene), ["lisi"]);
}

#[test]
fn without_a_right_secret_it_is_asked_for_once() {
    let scene = Scene::new();
    let run = send(&scene, &["-u", "lisi", "--to-mobile", ZHANGSAN]);
    let run = run.env("WECOM_ALERT_SECRET", "test-secret-wrong").secret("test-secret-wrong").run();
    assert_document(&run, "wrong secret", 4, &json!({"status": "auth", "errcode": 40001}));
    assert_eq!(scene.wecom.count(Endpoint::GetToken), 1);
}

#[test]
fn what_can_be_nobody_is_an_error_before_anything_is_sent() {
    let scene = Scene::new().profile("ops", "to_mobile = \"office\"");
    for (args, told) in [
        (&["--to-mobile", "office"][..], "to_mobile: \"office\" is no mobile number"),
        (&["--to-mobile", "13800000000,"], "empty"),
        (&["--to-mobile", ""], "empty"),
        (&["--to-mobile", "12345"], "to_mobile: \"12345\" is no mobile number"),
        (&["--to-mobile", "1380000001", "--to-mobile", "138000000002"], "\"1380000001\" is no mobile number"),
        (&["--to-email", "lisi"], "to_email: \"lisi\" is no mail address"),
        (&["-u", "@all", "--to-mobile", ZHANGSAN], "@all is among other userids"),
        (&["--to-mobile", "office", "--no-validate"], "no mobile number"),
    ] {
        let document = assert_document(&send(&scene, args).run(), told, 2, &json!({"status": "usage"}));
        assert_says(&document, told, "message", &[told]);
    }
    let document = assert_document(&send(&scene, &["-P", "ops"]).run(), "file", 3, &json!({"status": "config"}));
    assert_says(&document, "file", "message", &["config.toml", "\"office\" is no mobile number"]);
    assert_eq!(scene.wecom.connections(), 0);
}

#[test]
fn what_can_be_nobody_keeps_the_alert_from_nobody_else() {
    let scene =
        Scene::new().profile("ops", "to_mobile = [13800000001, 1380000000]").profile("duty", "to_user = \"lisi\"");
    for (args, unresolved) in [
        (&["-u", "lisi", "--to-mobile", "1380000000"][..], "1380000000"),
        (&["--to-mobile", "13800000001,138 0000 000"], "138 0000 000"),
        (&["--to-mobile", LISI, "--to-email", "lisi"], "lisi"),
        (&["-P", "ops"], "1380000000"),
    ] {
        let run = send(&scene, args).run();
        let document = assert_document(&run, "the rest", 6, &json!({"status": "partial", "unresolved": [unresolved]}));
        assert!(warnings(&document).iter().any(|warning| warning.contains(" is no m")), "{document}");
        assert_eq!(touser(&scene).last(), Some(&json!("lisi")), "{args:?}");
    }
    assert_eq!(count(&scene), 1, "nobody but lisi was looked up");
    let dry = send(&scene, &["--dry-run", "-u", "lisi", "--to-mobile", "1380000000"]).run();
    assert_document(&dry, "strict", 2, &json!({"status": "usage"}));
    // A person at a keyboard can correct it, even where to_user is set.
    assert_document(
        &send(&scene, &["-P", "duty", "--to-mobile", "12345"]).run(),
        "alone",
        2,
        &json!({"status": "usage"}),
    );
    let checked = scene.cmd(&["check", "--route", "app", "-P", "ops"]).run().assert_code(3).json();
    assert!(checked.to_string().contains("\\\"1380000000\\\" is no mobile number"), "{checked}");
    assert_eq!((scene.sends(), count(&scene)), (4, 1));
}

#[test]
fn after_a_command_to_user_gets_what_can_be_for_nobody() {
    let scene = Scene::new().profile("ops", "to_user = \"lisi\"");
    let run = |args: &[&str]| {
        let cmd = scene.bare(&["run", "-P", "ops", "--route", "app"]).args(args);
        let cmd = cmd.args(["--", "/bin/sh", "-c", "echo begun >&2; exit 3"]).base_url(&scene.wecom).app_credentials();
        cmd.run().assert_code(3)
    };
    for (args, expected) in
        [(&["--to-mobile", "12345"][..], "lisi"), (&["--to-mobile", "12345", "-u", "wangwu"], "wangwu")]
    {
        let run = run(args);
        let (before, after) = run.stderr.split_once("begun").unwrap();
        assert_eq!(before, "wecom-alert: warning: to_mobile: \"12345\" is no mobile number\n");
        assert!(after.contains("12345"), "{after}");
        assert_eq!(touser(&scene).last(), Some(&json!(expected)), "{args:?}");
    }
    assert_eq!((scene.sends(), count(&scene)), (2, 0));
}

#[test]
fn the_stand_in_is_told_of_on_stderr() {
    let scene = Scene::new().profile("ops", "to_user = \"lisi\"");
    let run =
        scene.bare(&["app-send", "-P", "ops", "--to-mobile", NOBODY, "hi"]).base_url(&scene.wecom).app_credentials();
    let run = run.run().assert_code(0);
    assert!(
        run.stderr.starts_with(&format!("wecom-alert: warning: to_user (lisi) gets it instead of {NOBODY}")),
        "{}",
        run.stderr
    );
}

#[test]
fn a_payload_with_recipients_of_its_own_needs_no_people_of_the_settings() {
    let scene = Scene::new().profile("ops", "to_mobile = 13800000000");
    let payload = scene.env.file("p.json", r#"{"msgtype": "text", "touser": "lisi", "text": {"content": "hi"}}"#);
    let run = |args: &[&str]| scene.cmd(&["app-send", "-P", "ops", "--payload"]).arg(&payload).args(args).run();
    assert_document(&run(&[]), "its own", 0, &json!({"status": "sent"}));
    assert_eq!(count(&scene), 0);
    assert_document(&run(&["--to-mobile", ZHANGSAN]), "an option", 0, &json!({"status": "sent"}));
    assert_eq!(touser(&scene), ["lisi", "zhangsan"]);
}

#[test]
fn a_dry_run_shows_what_would_be_looked_up() {
    let scene = Scene::new();
    let run = send(
        &scene,
        &["--dry-run", "-t", "text", "-u", "lisi", "--to-mobile", "+86 138 0000 0000", "--to-email", "a@example.com"],
    )
    .run();
    let document = assert_document(&run, "dry", 0, &json!({"status": "dry_run"}));
    let requests = document["requests"].as_array().unwrap();
    let paths: Vec<&Value> = requests.iter().map(|request| &request["path"]).collect();
    let expected = ["/cgi-bin/user/getuserid", "/cgi-bin/user/get_userid_by_email", "/cgi-bin/message/send"];
    assert_eq!(paths, expected);
    assert_eq!(requests[0]["body"], json!({"mobile": ZHANGSAN}));
    assert_eq!(requests[2]["body"]["touser"], "lisi");
    let run = send(&scene, &["--dry-run", "-t", "text", "--to-mobile", "office"]).run();
    assert_document(&run, "strict", 2, &json!({"status": "usage"}));
    assert_eq!(scene.wecom.connections(), 0);
}

#[test]
fn further_targets_look_their_people_up() {
    let scene = Scene::new()
        .profile("ops", "to_mobile = 13800000001")
        .profile("room", "webhook = \"00000000-0000-4000-8000-000000000009\"");
    let run = scene.app(&["disk full", "--also", "ops:app"]).run();
    assert_document(&run, "also", 0, &json!({"status": "sent"}));
    let mut to = touser(&scene);
    to.sort_by_key(Value::to_string);
    assert_eq!(to, ["lisi", "zhangsan"]);
    let run = scene.cmd(&["webhook-send", "-P", "room", "disk full", "--fallback", "ops:app"]).run();
    assert_document(&run, "fallback", 0, &json!({"status": "sent"}));
    assert_eq!(touser(&scene).last(), Some(&json!("lisi")));
}

#[test]
fn a_cooldown_counts_what_was_named() {
    let scene = Scene::new();
    let to = |number: &str| send(&scene, &["--cooldown", "1h", "--to-mobile", number]).run().assert_code(0).json();
    for (number, status) in [
        (ZHANGSAN, "sent"),
        ("+86 138-0000-0000", "skipped"),
        (LISI, "sent"),
        ("13800000000,13800000001", "sent"),
        (ZHANGSAN, "skipped"),
    ] {
        assert_eq!(to(number)["status"], status, "{number}");
    }
}

#[test]
fn it_is_sent_once_at_most_where_that_is_asked_for() {
    let scene = Scene::new();
    scene.wecom.script(Endpoint::UserGetUserid, [Reply::ResetAfterReading]);
    let run = send(&scene, &["--at-most-once", "--retries", "1", "--to-mobile", ZHANGSAN]).run();
    assert_document(&run, "a look-up may be repeated", 0, &json!({"status": "sent", "attempts": 1}));
    scene.wecom.script(Endpoint::MessageSend, [Reply::ResetAfterReading]);
    let run = send(&scene, &["--at-most-once", "--to-mobile", ZHANGSAN]).run();
    assert_document(&run, "a message may not", 9, &json!({"status": "unknown", "attempts": 1}));
}

#[test]
fn run_has_the_options_too() {
    let scene = Scene::new();
    let run =
        scene.cmd(&["run", "--route", "app", "--to-mobile", ZHANGSAN, "--"]).args(["/bin/sh", "-c", "exit 3"]).run();
    assert_eq!(run.assert_code(3).json()["status"], "sent");
    assert_eq!(touser(&scene), ["zhangsan"]);
}

#[test]
fn check_says_that_people_are_looked_up_later() {
    let scene = Scene::new()
        .profile("ops", "to_mobile = 13800000000")
        .profile("both", "to_user = \"lisi\"\nto_mobile = 13800000000");
    for (profile, status) in [("ops", "skipped"), ("both", "ok")] {
        let document = scene.cmd(&["check", "--route", "app", "-P", profile]).run().assert_code(0).json();
        let row =
            document["checks"].as_array().unwrap().iter().find(|row| row["name"] == "recipients").unwrap().clone();
        assert_eq!(row["status"], status, "{row}");
        assert!(row["detail"].as_str().unwrap().contains("looked up when a message is sent"), "{row}");
    }
    assert_eq!(count(&scene), 0);
    scene.cmd(&["check", "--route", "app", "-P", "ops", "--send"]).run().assert_code(0);
    assert_eq!((touser(&scene), count(&scene)), (vec![json!("zhangsan")], 1));
}
