//! Whom a message is for: options, payload, variables, profile; several at once; further targets.

use serde_json::{Value, json};

use super::keys;
use crate::document::{assert_document, assert_says};
use crate::support::Scene;
use crate::support::fake::{AIBOT_CHAT, Endpoint};

/// Who got the messages, in order.
fn reached(scene: &Scene) -> Vec<Value> {
    let fields = |body: Value| json!([body["chatid"], body["chat_type"]]);
    scene.wecom.messages().into_iter().map(|message| fields(message.body)).collect()
}

#[test]
fn each_recipient_is_a_call_of_its_own() {
    let scene = Scene::new();
    let run = scene.aibot(&["-u", "lisi,zhangsan", "--chat", AIBOT_CHAT, "x"]).run();
    let told = assert_document(&run, "three", 0, &json!({"status": "sent", "attempts": 3, "invaliduser": []}));
    assert_eq!(told["parts"].as_array().unwrap().len(), 1);
    assert_eq!(reached(&scene), [json!(["zhangsan", 1]), json!(["lisi", 1]), json!([AIBOT_CHAT, 2])]);
    assert_eq!(scene.wecom.count(Endpoint::AibotSubscribe), 1);
}

#[test]
fn recipients_are_those_of_option_payload_variable_or_profile() {
    let scene = Scene::new();
    let scene = {
        let keys = format!("{}\naibot_chat = [{AIBOT_CHAT:?}]", keys(&scene));
        scene.profile("bot", &keys)
    };
    let payload = r#"{"chatid": "lisi", "msgtype": "markdown", "markdown": {"content": "x"}}"#;
    let send = |args: &[&str]| scene.bare(&["aibot-send", "-P", "bot"]).args(args).keeps_secret(&scene.wecom);
    send(&["x"]).run().assert_code(0);
    send(&["x"]).env("WECOM_ALERT_AIBOT_USER", "wangwu").run().assert_code(0);
    send(&["--payload", "-"]).env("WECOM_ALERT_AIBOT_USER", "wangwu").stdin(payload).run().assert_code(0);
    send(&["--payload", "-", "-u", "zhangsan"]).stdin(payload).run().assert_code(0);
    // Those of apps do not count.
    send(&["x"]).env("WECOM_ALERT_TO_USER", "wangwu").env("WECOM_ALERT_CHAT", "wr2").run().assert_code(0);
    assert_eq!(
        reached(&scene),
        [
            json!([AIBOT_CHAT, 2]),
            json!(["wangwu", 1]),
            json!(["lisi", null]),
            json!(["zhangsan", 1]),
            json!([AIBOT_CHAT, 2]),
        ]
    );
}

#[test]
fn without_a_recipient_nothing_is_sent() {
    let scene = Scene::new();
    for (args, code, part) in [
        (&["x"][..], 2, "there is no recipient"),
        (&["-u", "", "x"], 2, "empty"),
        (&["-u", "a,,b", "x"], 2, "an id is empty"),
        (&["-u", "@all", "x"], 2, "everybody"),
        (&["-u", "张三", "x"], 2, "letters, digits"),
        (&["--chat", "On call", "x"], 2, "blank"),
    ] {
        let run = scene.cmd(&["aibot-send"]).args(args).aibot(&scene.wecom).run();
        let told = assert_document(&run, part, code, &json!({"route": "aibot"}));
        assert_says(&told, part, "message", &[part]);
    }
    assert_eq!(scene.wecom.requests().len(), 0);
}

#[test]
fn further_targets_are_adapted_both_ways() {
    let scene = Scene::new();
    let bot = format!("{}\naibot_user = \"lisi\"", keys(&scene));
    let scene = scene.profile("ops", &bot);
    let text = "**full** <@x>";
    let types = |scene: &Scene| -> Vec<(String, String)> {
        let of = |body: &Value, msgtype: &str| body[msgtype]["content"].as_str().unwrap_or_default().to_owned();
        scene.wecom.messages().iter().map(|its| (its.msgtype.clone(), of(&its.body, &its.msgtype))).collect()
    };
    let fenced = format!("```\n{text}\n```");
    scene.app(&["--also", "ops:aibot", text]).run().assert_code(0);
    scene.group(&["--also", "ops:aibot", "-t", "markdown", "**full**"]).run().assert_code(0);
    let mut sent = types(&scene);
    sent.sort();
    assert_eq!(
        sent,
        [
            ("markdown", "**full**"),
            ("markdown", "**full**"),
            ("markdown", fenced.as_str()),
            ("text", "**full** <\u{200b}@x>"),
        ]
        .map(|(msgtype, text)| (
            msgtype.to_owned(),
            if msgtype == "text" { "**full** <@x>".to_owned() } else { text.to_owned() }
        ))
    );

    let scene = Scene::new().profile("room", &format!("webhook = {:?}", crate::support::fake::WEBHOOK_KEY));
    scene.aibot(&["--also", "room:webhook", "plain"]).run().assert_code(0);
    scene.aibot(&["--also", "room:webhook", "-t", "markdown", "**b**"]).run().assert_code(0);
    scene.aibot(&["--also", "room:webhook", "--title", "Disk", "full"]).run().assert_code(0);
    let mut sent: Vec<_> = types(&scene).into_iter().map(|(msgtype, _)| msgtype).collect();
    sent.sort();
    assert_eq!(sent, ["markdown", "markdown", "markdown", "markdown", "markdown_v2", "text"]);
}

#[test]
fn a_fallback_stands_in_for_an_aibot_and_an_aibot_for_others() {
    let scene = Scene::new();
    let keys = format!("{}\naibot_user = \"lisi\"\nwebhook = {:?}", keys(&scene), crate::support::fake::WEBHOOK_KEY);
    let scene = scene.profile("ops", &keys);
    scene.wecom.aibot(crate::support::fake::AIBOT_ID).set(|bot| bot.conversations.clear());
    let run = scene.aibot(&["-P", "ops", "--fallback", "ops:webhook", "full"]).run();
    assert_document(&run, "to the webhook", 0, &json!({"status": "sent"}));
    let message = scene.wecom.messages().pop().unwrap();
    assert!(message.body["text"]["content"].as_str().unwrap().contains("aibot"), "{}", message.body);

    let scene = Scene::new();
    let keys = format!("{}\naibot_user = \"lisi\"", super::keys(&scene));
    let scene = scene.profile("bot", &keys);
    scene.wecom.remove_webhook(crate::support::fake::WEBHOOK_KEY);
    let run = scene.group(&["--fallback", "bot", "full"]).run();
    assert_document(&run, "to the aibot", 0, &json!({"status": "sent"}));
    assert_eq!(reached(&scene), [json!(["lisi", 1])]);
}

#[test]
fn run_alerts_by_an_aibot_that_is_named_or_alone() {
    let scene = Scene::new();
    let keys = format!("{}\naibot_user = \"lisi\"", keys(&scene));
    let scene = scene.profile("bot", &keys);
    let run = |args: &[&str]| {
        scene
            .bare(&["--output", "json", "run", "-P", "bot"])
            .args(args)
            .args(["--", "false"])
            .keeps_secret(&scene.wecom)
    };
    for args in [&[][..], &["--route", "aibot"], &["-u", "zhangsan"], &["--chat", AIBOT_CHAT]] {
        let document = run(args).run().assert_code(1).json();
        assert_eq!(
            (document["status"].as_str(), document["route"].as_str()),
            (Some("sent"), Some("aibot")),
            "{document}"
        );
        assert_eq!(document["warnings"], json!([]), "{document}");
    }
    assert_eq!(
        reached(&scene),
        [json!(["lisi", 1]), json!(["lisi", 1]), json!(["zhangsan", 1]), json!([AIBOT_CHAT, 2])]
    );
    let told = run(&["--route", "aibot", "--safe", "--to-party", "1"]).run().assert_code(1).json();
    let told = told["warnings"].to_string();
    assert!(told.contains("safe left out") && told.contains("--to-party is left out"), "{told}");
    // With a webhook in the profile it is not taken unasked.
    let document = run(&[]).webhook().base_url(&scene.wecom).run().assert_code(1).json();
    assert_eq!(document["route"], "aibot", "what the profile has counts before the environment");
}
