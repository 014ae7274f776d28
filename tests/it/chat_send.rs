//! `chat-send`: messages in a group chat of the app, to the byte, and which chat that is.

use serde_json::{Value, json};

use crate::document::{assert_document, assert_says, warnings};
use crate::support::Scene;
use crate::support::fake::{AGENT_ID, CHAT_ID, Endpoint, Reply, USERS};

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
    ] {
        let run = scene.chat(args).run();
        assert_document(&run, &format!("{args:?}"), 0, &json!({"status": "sent", "route": "chat", "warnings": []}));
        assert_eq!(bodies(&scene).pop().unwrap(), format!("{{{expected}}}"), "{args:?}");
    }
    assert_eq!(scene.wecom.messages()[0].users, USERS);
    assert_eq!(scene.wecom.count(Endpoint::AgentGet), 0);
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
