//! `chat-send`: messages in a group chat of the app, to the byte, and which chat that is.

use serde_json::{Value, json};

use crate::document::{assert_document, assert_says, warnings};
use crate::sent::{AMR, MP4, PNG};
use crate::support::Scene;
use crate::support::fake::{AGENT_ID, CHAT_ID, CORP_ID, Endpoint, FakeWecom, Reply, SECRET, USERS};

const APP_KEYS: &str = "corp_id = \"ww0000000000000000\"\nsecret = \"test-secret-0000000000000000000000000000001\"";

/// The whole bodies that arrived, as they were sent.
fn bodies(scene: &Scene) -> Vec<String> {
    scene.wecom.messages().into_iter().map(|message| String::from_utf8(message.raw).unwrap()).collect()
}

#[test]
fn each_type_goes_out_to_the_byte() {
    let scene = Scene::new();
    let url = "https://example.test/1";
    for (args, expected) in [
        (&["disk full"][..], r#""msgtype":"text","text":{"content":"disk full"},"chatid":"nightwatch""#),
        (
            &["--mention", "lisi,@all", "--safe", "磁盘已满"],
            r#""msgtype":"text","text":{"content":"磁盘已满","mentioned_list":["lisi","@all"]},"chatid":"nightwatch","safe":1"#,
        ),
        (
            &["-t", "markdown", "--mention", "lisi", "**full**"],
            r#""msgtype":"markdown","markdown":{"content":"**full**\n\n<@lisi>"},"chatid":"nightwatch""#,
        ),
        (
            &["-t", "textcard", "--title", "Disk", "--url", url, "full"],
            r#""msgtype":"textcard","textcard":{"title":"Disk","description":"full","url":"https://example.test/1"},"chatid":"nightwatch""#,
        ),
        (
            &["-t", "news", "--title", "Disk", "--url", url, "--picurl", "https://example.test/2.png", "full"],
            r#""msgtype":"news","news":{"articles":[{"title":"Disk","description":"full","url":"https://example.test/1","picurl":"https://example.test/2.png"}]},"chatid":"nightwatch""#,
        ),
    ] {
        let run = scene.chat(args).run();
        assert_document(&run, &format!("{args:?}"), 0, &json!({"status": "sent", "route": "chat", "warnings": []}));
        assert_eq!(bodies(&scene).pop().unwrap(), format!("{{{expected}}}"), "{args:?}");
    }
    assert_eq!(scene.wecom.messages()[0].users, USERS);
    assert_eq!(scene.wecom.count(Endpoint::AgentGet), 0);
}

#[test]
fn each_file_goes_out_to_the_byte() {
    let scene = Scene::new();
    for (args, content, expected) in [
        (
            &["--safe", "--image"][..],
            PNG,
            r#""msgtype":"image","image":{"media_id":"ID"},"chatid":"nightwatch","safe":1"#,
        ),
        (&["--voice"], AMR, r#""msgtype":"voice","voice":{"media_id":"ID"},"chatid":"nightwatch""#),
        (
            &["--title", "Door", "opened", "--video"],
            MP4,
            r#""msgtype":"video","video":{"media_id":"ID","title":"Door","description":"opened"},"chatid":"nightwatch""#,
        ),
        (&["--file"], b"a report", r#""msgtype":"file","file":{"media_id":"ID"},"chatid":"nightwatch""#),
    ] {
        let file = scene.env.file("sample.bin", content);
        scene.chat(args).arg(file).run().assert_code(0);
        let upload = scene.wecom.uploads().pop().unwrap();
        assert_eq!(upload.bytes, content, "{args:?}");
        assert_eq!(
            bodies(&scene).pop().unwrap(),
            format!("{{{expected}}}").replace("ID", &upload.media_id),
            "{args:?}"
        );
    }
    // Articles that WeCom keeps are given as a payload only.
    let picture = scene.env.file("title.png", PNG);
    let upload =
        scene.cmd(&["upload-media", "--route", "chat", "-t", "image"]).arg(picture).run().assert_code(0).json();
    let id = upload["media_id"].as_str().unwrap();
    let articles =
        format!(r#"{{"articles":[{{"title":"Incident","thumb_media_id":"{id}","content":"<p>An hour.</p>"}}]}}"#);
    scene.chat(&["-t", "mpnews", "--safe", "--payload", "-"]).stdin(articles.as_str()).run().assert_code(0);
    let expected = format!(r#"{{"msgtype":"mpnews","mpnews":{articles},"chatid":"nightwatch","safe":1}}"#);
    assert_eq!(bodies(&scene).pop().unwrap(), expected);
}

#[test]
fn the_chat_is_that_of_option_payload_variable_or_profile() {
    let scene = Scene::new().profile("ops", &format!("{APP_KEYS}\nchat = \"ofprofile\""));
    for chat in ["ofoption", "ofpayload", "ofvariable", "ofprofile"] {
        scene.wecom.add_chat(chat, AGENT_ID, ["lisi", "wangwu"]);
    }
    let payload = r#"{"chatid": "ofpayload", "msgtype": "text", "text": {"content": "x"}}"#;
    let send = |args: &[&str]| scene.bare(&["chat-send", "-P", "ops"]).args(args).base_url(&scene.wecom);
    send(&["x"]).run().assert_code(0);
    send(&["x"]).env("WECOM_ALERT_CHAT", "ofvariable").run().assert_code(0);
    send(&["--payload", "-"]).env("WECOM_ALERT_CHAT", "ofvariable").stdin(payload).run().assert_code(0);
    send(&["--payload", "-", "--chat", "ofoption"]).stdin(payload).run().assert_code(0);
    let chats: Vec<Value> = scene.wecom.messages().into_iter().map(|message| message.body["chatid"].clone()).collect();
    assert_eq!(chats, ["ofprofile", "ofvariable", "ofpayload", "ofoption"]);
}

#[test]
fn without_a_chat_nothing_is_sent() {
    let scene = Scene::new();
    for (args, part) in [
        (&["x"][..], "there is no group chat"),
        (&["--chat", "", "x"], "empty"),
        (&["--chat", "a,b", "x"], "one group chat"),
    ] {
        let run = scene.cmd(&["chat-send"]).args(args).run();
        let told = assert_document(&run, part, 2, &json!({"status": "usage"}));
        assert_says(&told, part, "message", &[part]);
    }
    let hint = scene.cmd(&["chat-send", "x"]).run().json()["hint"].as_str().unwrap().to_owned();
    assert!(hint.contains("--chat ID") && hint.contains("chat-create"), "{hint}");
    assert_eq!(scene.wecom.requests().len(), 0);
}

#[test]
fn a_mobile_number_that_cannot_be_mentioned_is_an_error_where_that_is_asked_for() {
    let scene = Scene::new();
    let run = |args: &[&str]| scene.chat(&["--mention-mobile", "13800000000", "full"]).args(args).run();
    let document = run(&["--mention-fallback", "fail"]).assert_code(2).json();
    assert!(document["message"].as_str().unwrap().contains("cannot mention mobile numbers"), "{document}");
    assert!(document["hint"].as_str().unwrap().contains("get-userid --mobile"), "{document}");
    run(&["--mention-fallback", "fail", "--dry-run"]).assert_code(2);
    assert_eq!(scene.wecom.connections(), 0);
    run(&["--mention-fallback", "ignore"]).assert_code(0);
    // After a command the alert goes without it.
    let scene = scene.profile("ops", "mention_mobile = \"13800000000\"\nmention_fallback = \"fail\"");
    let run = scene.cmd(&["run", "-P", "ops", "--chat", CHAT_ID, "--", "false"]).run().assert_code(1);
    assert_eq!(run.json()["status"], "sent");
    assert_eq!(scene.sends(), 2);
}

/// WeCom mentions nobody then, and does not say so.
#[test]
fn a_mobile_number_in_place_of_a_mentioned_userid_draws_a_warning() {
    let scene = Scene::new();
    for (cmd, told) in [(scene.chat(&["full"]), "get-userid --mobile"), (scene.group(&["full"]), "--mention-mobile")] {
        let document = cmd.args(["--mention", "lisi,13800000001"]).run().assert_code(0).json();
        let warned = document["warnings"][0].as_str().unwrap_or_default();
        assert!(warned.contains("13800000001: this looks like a mobile number") && warned.contains(told), "{document}");
        assert_eq!(document["warnings"].as_array().unwrap().len(), 1, "{document}");
    }
    let document = scene.chat(&["full", "--mention", "lisi,1001"]).run().assert_code(0).json();
    assert_eq!(document["warnings"], serde_json::json!([]));
}

#[test]
fn what_a_chat_cannot_do_is_said_and_the_alert_goes() {
    let scene = Scene::new();
    let card = ["--card", "button_interaction", "--title", "Disk", "--button", "ack=Got it", "full"];
    let document = scene.chat(&card).run().assert_code(0).json();
    let told = warnings(&document);
    assert!(told.len() == 1 && told[0].contains("a group chat has no button_interaction cards"), "{told:?}");
    let document = scene.chat(&["--mention-mobile", "13800000000", "full"]).run().assert_code(0).json();
    let told = warnings(&document);
    assert!(told.len() == 1 && told[0].contains("cannot mention mobile numbers"), "{told:?}");
    let types: Vec<_> = scene.wecom.messages().into_iter().map(|message| message.msgtype).collect();
    assert_eq!(types, ["markdown", "text"]);
    let run = scene.chat(&["--safe=2", "full"]).run();
    assert_document(&run, "safe 2", 2, &json!({"status": "usage"}));
}

#[test]
fn a_chat_is_a_further_target_and_a_profile_of_that_name_comes_first() {
    let ops = format!("{APP_KEYS}\nagent_id = {AGENT_ID}\nto_user = \"zhangsan\"\nchat = \"{CHAT_ID}\"");
    let scene = Scene::new().profile("ops", &ops);
    scene.group(&["--also", "ops:chat", "--also", "ops", "x"]).run().assert_code(0);
    let bodies = scene.wecom.messages();
    let with = |name: &str| bodies.iter().filter(|message| message.body.get(name).is_some()).count();
    assert_eq!((bodies.len(), with("chatid"), with("touser")), (3, 1, 1), "a bare name is never the chat");
    scene.wecom.script(Endpoint::WebhookSend, [Reply::errcode(93000, "invalid webhook url")]);
    scene.group(&["--fallback", "ops:chat", "x"]).run().assert_code(0);
    assert_eq!(scene.wecom.messages().pop().unwrap().body["chatid"], CHAT_ID);
    scene.wecom.script(Endpoint::AppchatSend, [Reply::errcode(86003, "chatid not exist")]);
    scene.chat(&["--fallback", "ops:app", "x"]).run().assert_code(0);
    assert_eq!(scene.wecom.messages().pop().unwrap().body["touser"], "zhangsan");
    let named =
        Scene::new().profile("ops", &ops).profile("'ops:chat'", "webhook = \"00000000-0000-4000-8000-000000000001\"");
    named.app(&["--also", "ops:chat", "x"]).run().assert_code(0);
    assert!(named.wecom.messages().iter().all(|message| message.body.get("chatid").is_none()));
}

#[test]
fn a_chat_that_wecom_refuses_is_named() {
    let scene = Scene::new();
    let run = scene.cmd(&["chat-send", "x"]).env("WECOM_ALERT_CHAT", "nothere").run();
    let document = assert_document(&run, "unknown", 5, &json!({"status": "refused", "errcode": 86003}));
    assert_says(&document, "unknown", "message", &["the chatid is \"nothere\""]);
}

#[test]
fn run_alerts_in_a_chat_where_it_is_asked_to() {
    let scene = Scene::new();
    let run =
        |args: &[&str]| scene.cmd(&["run"]).args(args).args(["--", "false"]).env("WECOM_ALERT_TO_USER", "lisi").run();
    run(&["--chat", CHAT_ID]).assert_code(1);
    run(&["--route", "chat", "--chat", CHAT_ID]).assert_code(1);
    let bodies = scene.wecom.messages();
    assert!(bodies.len() == 2 && bodies.iter().all(|message| message.body["chatid"] == CHAT_ID));
    scene.cmd(&["run", "--", "false"]).env("WECOM_ALERT_CHAT", CHAT_ID).run().assert_code(1);
    assert!(scene.wecom.messages().pop().unwrap().body.get("chatid").is_none(), "never unasked");
}

#[test]
fn what_waits_keeps_its_chat() {
    let scene = Scene::new();
    scene.wecom.script(Endpoint::AppchatSend, [Reply::status(502)]);
    let told = scene.chat(&["--outbox", "--retries", "0", "x"]).run().assert_code(0).json();
    assert_eq!(told["status"], "queued", "{told}");
    scene.cmd(&["outbox", "flush"]).run().assert_code(0);
    assert_eq!(scene.wecom.messages().pop().unwrap().body["chatid"], CHAT_ID);
}

#[test]
fn a_profile_whose_app_lacks_something_is_told_of_its_chat() {
    let ops = format!("{APP_KEYS}\nchat = \"{CHAT_ID}\"");
    let send =
        |scene: &Scene, args: &[&str]| scene.bare(&["webhook-send", "x"]).args(args).webhook().base_url(&scene.wecom);
    for more in ["", "\nto_user = \"lisi\"", "\nagent_id = 1000002"] {
        let scene = Scene::new().profile("ops", &format!("{ops}{more}")).profile("night", "");
        let told = send(&scene, &["--also", "ops", "--output", "json"]).run().assert_code(6).json();
        let hint = told["targets"][1]["hint"].as_str().unwrap();
        assert!(hint.contains("or ops:chat as a further target"), "{more}: {hint}");
        let run = send(&scene, &["--also", "ops"]).run().assert_code(6);
        assert!(run.stderr.contains("ops:chat"), "{more}: {}", run.all());
        scene.wecom.script(Endpoint::WebhookSend, [Reply::errcode(93000, "invalid webhook url")]);
        let run = send(&scene, &["--fallback", "ops"]).run().assert_code(4);
        assert!(run.stderr.contains("ops:chat"), "{more}: {}", run.all());
        assert_eq!(scene.wecom.count(Endpoint::MessageSend) + scene.wecom.count(Endpoint::AppchatSend), 0, "{more}");
        let run = scene.bare(&["run", "-P", "ops", "--", "false"]).base_url(&scene.wecom).run().assert_code(1);
        assert!(run.stderr.contains("run --route chat"), "{more}: {}", run.all());
    }
    // Without a chat, and where the app has all it needs, there is no such way.
    let scene = Scene::new()
        .profile("ops", &format!("{APP_KEYS}\nto_user = \"lisi\""))
        .profile("night", &format!("{ops}\nagent_id = 1\nto_user = \"nobody\""));
    for name in ["ops", "night"] {
        let run = send(&scene, &["--also", name]).run().assert_code(6);
        assert!(!run.stderr.contains("further target"), "{}", run.all());
    }
}

/// The credentials are the environment's, so nothing but the app tells one target from another.
#[test]
fn what_waits_does_not_go_out_by_another_app() {
    const OTHER: &str = "test-secret-of-another-app";
    for with_agent in [true, false] {
        let scene = Scene::with(FakeWecom::builder().app(CORP_ID, 1_000_003, OTHER).start());
        let cmd = |args: &[&str], agent_id: i64, secret: &str| {
            let cmd = scene.bare(&["--output", "json"]).args(args).base_url(&scene.wecom).secret(OTHER);
            let cmd = cmd.env("WECOM_ALERT_CORP_ID", CORP_ID).env("WECOM_ALERT_SECRET", secret);
            if with_agent { cmd.env("WECOM_ALERT_AGENT_ID", agent_id.to_string()) } else { cmd }
        };
        scene.wecom.script(Endpoint::AppchatSend, [Reply::status(502)]);
        cmd(&["chat-send", "--chat", CHAT_ID, "--outbox", "x"], AGENT_ID, SECRET).run().assert_code(0);
        let told = cmd(&["outbox", "flush"], 1_000_003, OTHER).run().json();
        assert_eq!((&told["remaining"], &told["failed"]), (&json!(1), &json!(0)), "{told}");
        let asked = if with_agent { 1 } else { 2 };
        assert_eq!(scene.wecom.count(Endpoint::AppchatSend), asked, "with agent_id: {with_agent}");
        cmd(&["outbox", "flush"], AGENT_ID, SECRET).run().assert_code(0);
        assert_eq!(scene.texts(), ["x"], "with agent_id: {with_agent}");
    }
}
