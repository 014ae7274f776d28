//! `update-card`: an interactive card that was sent gets other content, or its button is turned off.

use std::time::Duration;

use serde_json::{Value, json};

use crate::document::{assert_document, assert_says, warnings};
use crate::results::document;
use crate::support::fake::{AGENT_ID, CORP_ID, Endpoint, FakeWecom, Reply};
use crate::support::{Cmd, Scene};

/// The response_code of a card with a button, sent to these.
fn sent(scene: &Scene, to: &[&str]) -> String {
    let card = ["--card", "button_interaction", "--title", "Disk full", "--button", "ack=Ack", "web-3"];
    let run = scene.cmd(&["app-send"]).args(to.iter().chain(&card).copied()).run().assert_code(0);
    document(&run)["parts"][0]["response_code"].as_str().unwrap().to_owned()
}

fn update(scene: &Scene, code: &str, args: &[&str]) -> Cmd {
    scene.cmd(&["update-card", "--response-code", code]).args(args.iter().copied())
}

/// The bodies that came, byte by byte.
fn bodies(scene: &Scene) -> Vec<String> {
    let seen = scene.wecom.requests().into_iter().filter(|seen| seen.endpoint == Endpoint::MessageUpdateCard);
    seen.map(|seen| String::from_utf8(seen.body).unwrap()).collect()
}

#[test]
fn turns_the_button_off_and_prints_nothing() {
    let scene = Scene::new();
    let code = sent(&scene, &["-u", "zhangsan,lisi"]);
    let args = ["update-card", "--response-code", &code, "--all", "--replace-name", "张三已认领"];
    let run = scene.bare(&args).base_url(&scene.wecom).app_credentials().run().assert_code(0);
    assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("", ""));
    let body = format!(
        r#"{{"atall":1,"agentid":{AGENT_ID},"response_code":"{code}","button":{{"replace_name":"张三已认领"}}}}"#
    );
    assert_eq!(bodies(&scene), [body]);

    let code = sent(&scene, &["-u", "zhangsan,lisi", "--to-party", "2", "--to-tag", "1"]);
    let run = update(
        &scene,
        &code,
        &["-u", "zhangsan", "-u", "lisi", "--to-party", "2", "--to-tag", "1", "--replace-name", "x"],
    )
    .run();
    let told = assert_document(&run, "lists", 0, &json!({"status": "ok", "route": "app", "errcode": 0, "attempts": 0}));
    assert_eq!((&told["parts"], &told["invaliduser"]), (&json!([]), &json!([])));
    let body = format!(
        r#"{{"userids":["zhangsan","lisi"],"partyids":[2],"tagids":[1],"agentid":{AGENT_ID},"response_code":"{code}","button":{{"replace_name":"x"}}}}"#
    );
    assert_eq!(bodies(&scene)[1], body);
    // Everybody, as app-send names them.
    let code = sent(&scene, &["-u", "@all"]);
    update(&scene, &code, &["-u", "@all", "--replace-name", "x"]).run().assert_code(0);
    assert!(bodies(&scene)[2].starts_with(r#"{"atall":1,"#), "{:?}", bodies(&scene));
}

#[test]
fn a_card_of_options_takes_its_place() {
    let scene = Scene::new();
    let url = "https://status.example.com/1";
    let code = sent(&scene, &["-u", "zhangsan"]);
    let args = [
        "-u",
        "zhangsan",
        "--card",
        "text_notice",
        "--title",
        "Disk full",
        "--level",
        "ok",
        "--url",
        url,
        "by zhangsan",
    ];
    update(&scene, &code, &args).run().assert_code(0);
    let card = r#"{"card_type":"text_notice","main_title":{"title":"[OK] Disk full"},"sub_title_text":"by zhangsan""#;
    let body = bodies(&scene).remove(0);
    let head = format!(r#"{{"userids":["zhangsan"],"agentid":{AGENT_ID},"response_code":"{code}","template_card":"#);
    assert!(body.starts_with(&format!("{head}{card}")), "{body}");
    // The same card as a message has, but without a name of its own.
    let code = sent(&scene, &["-u", "zhangsan"]);
    let args = [
        "--all",
        "--card",
        "button_interaction",
        "--title",
        "Disk full",
        "--button",
        "again=Ack again",
        "--field",
        "host=web-3",
    ];
    let run = update(&scene, &code, &args).stdin("from a pipe\n").run();
    assert_document(&run, "buttons", 0, &json!({"status": "ok", "warnings": []}));
    let card: Value = serde_json::from_str::<Value>(&bodies(&scene)[1]).unwrap()["template_card"].take();
    let expected = json!({
        "card_type": "button_interaction", "main_title": {"title": "Disk full"}, "sub_title_text": "from a pipe",
        "horizontal_content_list": [{"keyname": "host", "value": "web-3"}],
        "button_list": [{"text": "Ack again", "key": "again"}],
    });
    assert_eq!(card, expected);
}

#[test]
fn a_card_of_a_payload_may_have_what_only_an_update_has() {
    let scene = Scene::new();
    let vote = json!({
        "card_type": "vote_interaction", "main_title": {"title": "Reboot?"},
        "checkbox": {"question_key": "q", "disable": true, "option_list": [{"id": "now", "text": "Now", "is_checked": true}]},
        "replace_text": "closed",
    });
    let send = |payload: &Value| {
        let code = sent(&scene, &["-u", "zhangsan"]);
        let run = update(&scene, &code, &["--all", "--payload", "-"]).stdin(payload.to_string()).run();
        let told = assert_document(&run, "payload", 0, &json!({"status": "ok"}));
        let body: Value = serde_json::from_str(bodies(&scene).last().unwrap()).unwrap();
        (body["template_card"].clone(), warnings(&told).join("\n"))
    };
    assert_eq!(send(&vote), (vote.clone(), String::new()));
    assert_eq!(send(&json!({"template_card": vote})), (vote.clone(), String::new()));
    let mut with_id = vote.clone();
    with_id["task_id"] = json!("x");
    let whole = json!({"touser": "zhangsan", "msgtype": "template_card", "template_card": with_id});
    assert_eq!(send(&whole), (vote.clone(), "task_id is left out: the card keeps its own".to_owned()));

    // The rules of cards hold.
    for (payload, part) in [
        (json!({"card_type": "text_notice", "main_title": {"title": "x"}}), "template_card.card_action: missing"),
        (
            json!({"card_type": "button_interaction", "main_title": {"title": "x"}}),
            "template_card.button_list: missing",
        ),
        (json!({"card_type": "nosuch"}), "template_card.card_type"),
        (json!({"msgtype": "text", "text": {"content": "x"}}), "the payload is no card"),
        (json!([1]), "is not a JSON object"),
    ] {
        let run = update(&scene, "x", &["--all", "--payload", "-"]).stdin(payload.to_string()).run();
        let told = assert_document(&run, part, 2, &json!({"status": "usage"}));
        assert_says(&told, part, "message", &[part]);
    }
    assert_eq!(bodies(&scene).len(), 3);
}

/// Defaults may be others than those who got the card: only options count.
#[test]
fn whose_card_it_is_must_be_said() {
    let scene = Scene::new().profile("ops", "to_user = [\"zhangsan\"]");
    let name = ["--replace-name", "x"];
    let run = update(&scene, "x", &name).env("WECOM_ALERT_TO_USER", "zhangsan").run();
    let told = assert_document(&run, "nobody", 2, &json!({"status": "usage"}));
    assert_says(&told, "nobody", "message", &["it is not said whose card"]);
    assert_says(&told, "nobody", "hint", &["--all", "the recipients of the profile do not count"]);
    for (args, part) in [
        (&["--all", "-u", "zhangsan"][..], "--all does not go with"),
        (&["-u", "@all,zhangsan"], "@all is among other userids"),
        (&["-u", "张三"], "userids: id 1 of 1"),
        (&["-u", ""], "-u"),
        (&["--to-party", "ops"], "ops"),
    ] {
        let run = update(&scene, "x", &[args, &name].concat()).run();
        let told = assert_document(&run, part, 2, &json!({"status": "usage"}));
        let said = told["message"].as_str().unwrap();
        assert!(said.contains(part) || part == "-u", "{part}: {said}");
    }
    let many: Vec<String> = (0..1001).map(|at| format!("u{at}")).collect();
    let run = update(&scene, "x", &["-u", &many.join(","), "--replace-name", "x"]).run();
    let told = assert_document(&run, "many", 2, &json!({"status": "usage"}));
    assert_says(&told, "many", "message", &["userids: 1001 userids, the limit is 1000"]);
    assert_eq!(scene.wecom.requests().len(), 0);
}

#[test]
fn what_becomes_of_the_card_must_be_said_once() {
    let scene = Scene::new();
    for (args, part) in [
        (&[][..], "nothing says what becomes of the card"),
        (&["--title", "x"], "nothing says what becomes of the card"),
        (&["--replace-name", ""], "--replace-name says nothing"),
        (&["--replace-name", "x", "--card", "text_notice"], "--card does not go with --replace-name"),
        (&["--replace-name", "x", "--title", "x"], "--title does not go with --replace-name"),
        (&["--replace-name", "x", "--payload", "card.json"], "--payload does not go with --replace-name"),
        (&["--payload", "card.json", "--title", "x"], "--title cannot be used with a payload"),
        (&["--payload", "card.json", "--card", "text_notice"], "--card"),
        (&["just a text"], "--card"),
    ] {
        let run = update(&scene, "x", &[&["--all"], args].concat()).run();
        let told = assert_document(&run, part, 2, &json!({"status": "usage"}));
        assert_says(&told, part, "message", &[part]);
    }
    let long = "x".repeat(3000);
    let args = ["--all", "--card", "button_interaction", "--title", "x", "--button", "a=A", &long];
    let run = update(&scene, "x", &args).run();
    let told = assert_document(&run, "long", 2, &json!({"status": "usage"}));
    assert_says(&told, "long", "message", &["has no room on a button_interaction card"]);
    for code in ["", " ", "null"] {
        let run = update(&scene, code, &["--all", "--replace-name", "x"]).run();
        let told = assert_document(&run, code, 2, &json!({"status": "usage", "message": "there is no response_code"}));
        assert_says(&told, code, "hint", &["in parts"]);
    }
    assert_document(&scene.cmd(&["update-card", "--all"]).run(), "no code", 2, &json!({"status": "usage"}));
    assert_eq!(scene.wecom.requests().len(), 0);
}

#[test]
fn who_keeps_the_old_card_is_named() {
    let scene = Scene::new();
    let code = sent(&scene, &["-u", "zhangsan,lisi"]);
    let run = update(&scene, &code, &["-u", "zhangsan,nobody,wangwu", "--replace-name", "x"]).run();
    let told = assert_document(
        &run,
        "some",
        6,
        &json!({"status": "partial", "errcode": 0, "invaliduser": ["nobody", "wangwu"]}),
    );
    assert_says(&told, "some", "message", &["not changed for all: invaliduser nobody, wangwu"]);
    assert_says(&told, "some", "hint", &["never got the card"]);
    // As other clients have seen it.
    scene.wecom.script(
        Endpoint::MessageUpdateCard,
        [Reply::Json(json!({"errcode": 0, "errmsg": "ok", "invaliduser": "nobody|wangwu"}))],
    );
    let run = update(&scene, "x", &["-u", "zhangsan,nobody,wangwu", "--replace-name", "x"]).run();
    assert_document(&run, "text", 6, &json!({"status": "partial", "invaliduser": ["nobody", "wangwu"]}));
}

#[test]
fn a_code_is_good_for_one_update_by_its_app_within_72_hours() {
    let wecom = FakeWecom::builder().app(CORP_ID, 1_000_003, "test-other-secret").start();
    let scene = Scene::with(wecom);
    let name = ["--all", "--replace-name", "x"];
    let refused = |code: &str, errcode: i64, exit: i32, hint: &str| {
        let told = assert_document(&update(&scene, code, &name).run(), hint, exit, &json!({"errcode": errcode}));
        assert_says(&told, hint, "hint", &[hint]);
    };
    let code = sent(&scene, &["-u", "zhangsan"]);
    let other = update(&scene, &code, &name)
        .env("WECOM_ALERT_AGENT_ID", "1000003")
        .env("WECOM_ALERT_SECRET", "test-other-secret");
    let told = assert_document(&other.run(), "other", 4, &json!({"status": "auth", "errcode": 42015}));
    assert_says(&told, "other", "hint", &["the app that sent the card"]);
    update(&scene, &code, &name).run().assert_code(0);
    refused(&code, 60140, 5, "good for one update, within 72 hours");
    refused("unknown", 60140, 5, "copy the response_code again");
    let late = sent(&scene, &["-u", "zhangsan"]);
    scene.wecom.age_messages(Duration::from_secs(72 * 3600 + 1));
    refused(&late, 60140, 5, "within 72 hours");
    let code = sent(&scene, &["-u", "zhangsan"]);
    let run = update(&scene, &code, &["-u", "lisi", "--replace-name", "x"]).run();
    assert_document(&run, "never", 5, &json!({"status": "refused", "errcode": 82102}));
    scene.wecom.script(Endpoint::MessageUpdateCard, [Reply::errcode(82101, "no target")]);
    refused(&code, 82101, 5, "--to-tag ID or --all");
}

/// The code may be used up: it is not tried again.
#[test]
fn without_an_answer_nobody_knows() {
    let scene = Scene::new();
    let code = sent(&scene, &["-u", "zhangsan"]);
    let name = ["--all", "--replace-name", "x", "--retries", "3"];
    scene.wecom.script(Endpoint::MessageUpdateCard, [Reply::accept_then(Reply::CloseAfterReading)]);
    let told = assert_document(
        &update(&scene, &code, &name).run(),
        "silent",
        9,
        &json!({"status": "unknown", "errcode": null}),
    );
    assert_says(&told, "silent", "hint", &["look at the card before you try again"]);
    assert_eq!(bodies(&scene).len(), 1);
    // What WeCom did not take is tried again, and a stale token replaced.
    let code = sent(&scene, &["-u", "zhangsan"]);
    scene.wecom.revoke_tokens();
    scene.wecom.script(Endpoint::MessageUpdateCard, [Reply::Normal, Reply::errcode(-1, "system busy")]);
    update(&scene, &code, &name).run().assert_code(0);
    assert_eq!((bodies(&scene).len(), scene.wecom.count(Endpoint::GetToken)), (4, 2));
    for (reply, exit) in [(Reply::errcode(60020, "no"), 4), (Reply::errcode(45009, "freq"), 8)] {
        scene.wecom.script(Endpoint::MessageUpdateCard, [reply]);
        update(&scene, "x", &["--all", "--replace-name", "x"]).run().assert_code(exit);
    }
}

#[test]
fn names_of_ids_are_shown_as_the_settings_say() {
    let scene = Scene::new().profile("ops", "id_trans = true");
    let code = sent(&scene, &["-u", "zhangsan"]);
    let args = ["--all", "--card", "button_interaction", "--title", "x", "--button", "a=A"];
    update(&scene, &code, &args).run().assert_code(0);
    assert!(bodies(&scene)[0].contains(r#""enable_id_trans":1,"template_card""#), "{:?}", bodies(&scene));
}

#[test]
fn a_dry_run_shows_the_request_and_the_agent_is_needed_else() {
    let scene = Scene::new();
    let args = ["update-card", "--response-code", "c", "-u", "zhangsan", "--replace-name", "x", "--output", "json"];
    let run = scene.bare(&args).arg("--dry-run").run().assert_code(0);
    let body = json!({"userids": ["zhangsan"], "response_code": "c", "button": {"replace_name": "x"}});
    let path = "/cgi-bin/message/update_template_card";
    assert_eq!(document(&run)["requests"], json!([{"method": "POST", "path": path, "body": body}]));
    let run = scene.bare(&args).base_url(&scene.wecom).app_credentials().without_env("WECOM_ALERT_AGENT_ID").run();
    let told = assert_document(&run, "agent", 3, &json!({"status": "config"}));
    assert_says(&told, "agent", "message", &["agent_id"]);
    assert_eq!(scene.wecom.requests().len(), 0);
}
