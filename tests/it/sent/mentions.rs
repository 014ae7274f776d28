//! Mentions: lists in texts, `<@userid>` in markdown, and a short text behind everything else.

use serde_json::{Value, json};

use super::{assert_sent, assert_sent_silently, last, refused};
use crate::support::Scene;
use crate::support::fake::{Endpoint, WEBHOOK_KEY};

#[test]
fn mentions_arrive_one_by_one() {
    let scene = Scene::new();
    let cases: [(&[&str], Value, Value); 16] = [
        (&["--mention", "zhangsan"], json!(["zhangsan"]), Value::Null),
        (&["--mention", "zhangsan", "--mention", "lisi"], json!(["zhangsan", "lisi"]), Value::Null),
        (&["--mention", "zhangsan, lisi,wangwu"], json!(["zhangsan", "lisi", "wangwu"]), Value::Null),
        (&["--mention", "zhangsan|lisi"], json!(["zhangsan", "lisi"]), Value::Null),
        (&["--mention", "@all"], json!(["@all"]), Value::Null),
        (&["--mention", "zhangsan,@all"], json!(["zhangsan", "@all"]), Value::Null),
        (&["--mention-mobile", "13800000000"], Value::Null, json!(["13800000000"])),
        (&["--mention-mobile", "13800000000,@all"], Value::Null, json!(["13800000000", "@all"])),
        (
            &["--mention", "lisi", "--mention-mobile", "13800000000", "--mention-mobile", "+8613800000001"],
            json!(["lisi"]),
            json!(["13800000000", "13800000001"]),
        ),
        // As people write them.
        (&["--mention", "@zhangsan,＠lisi"], json!(["zhangsan", "lisi"]), Value::Null),
        (&["--mention-mobile", "+86 138-0000-0000"], Value::Null, json!(["13800000000"])),
        (&["--mention-mobile", "0086 13800000000"], Value::Null, json!(["13800000000"])),
        (&["--mention-mobile", "138 0000 0000"], Value::Null, json!(["13800000000"])),
        (&["--mention-mobile", "１３８００００００００"], Value::Null, json!(["13800000000"])),
        (&["--mention-mobile", "＋８６ （138）0000－0000"], Value::Null, json!(["13800000000"])),
        (&["--mention-mobile", "+852 9123 4567"], Value::Null, json!(["+85291234567"])),
    ];
    for (args, members, mobiles) in cases {
        let case = format!("{args:?}");
        assert_sent_silently(&case, scene.group(args).arg("disk full").run());
        let mut expected = json!({"content": "disk full"});
        for (field, list) in [("mentioned_list", members), ("mentioned_mobile_list", mobiles)] {
            if !list.is_null() {
                expected[field] = list;
            }
        }
        assert_eq!(last(&scene, &case).body, json!({"msgtype": "text", "text": expected}), "{case}");
    }
}

/// What arrived since, by type and content, mentions included.
fn arrived_since(scene: &Scene, before: usize) -> Vec<Value> {
    scene.wecom.messages().split_off(before).into_iter().map(|message| message.body).collect()
}

#[test]
fn markdown_mentions_members_itself() {
    let scene = Scene::new();
    assert_sent_silently("markdown", scene.group(&["-t", "markdown", "--mention", "zhangsan,lisi", "**full**"]).run());
    let markdown = json!({"msgtype": "markdown", "markdown": {"content": "**full**\n\n<@zhangsan> <@lisi>"}});
    assert_eq!(arrived_since(&scene, 0), [markdown]);
    // The rest goes behind it.
    let args = ["-t", "markdown", "--mention", "zhangsan,@all", "--mention-mobile", "13800000000", "# full\nnow"];
    scene.group(&args).run().assert_code(0);
    let expected = [
        json!({"msgtype": "markdown", "markdown": {"content": "# full\nnow\n\n<@zhangsan>"}}),
        json!({"msgtype": "text", "text": {
            "content": "# full", "mentioned_list": ["@all"], "mentioned_mobile_list": ["13800000000"]}}),
    ];
    assert_eq!(arrived_since(&scene, 1), expected);
}

#[test]
fn a_short_text_mentions_for_all_that_cannot() {
    let scene = Scene::new();
    let picture = scene.env.file("a.png", super::PNG);
    let picture = picture.to_str().unwrap();
    let payload = scene.env.file("a.json", r#"{"msgtype": "text", "text": {"content": "a"}}"#);
    let payload = payload.to_str().unwrap();
    let cases: [(&[&str], &str, &str); 6] = [
        (&["-t", "markdown_v2", "\n**full**"], "markdown_v2", "**full**"),
        (&["--title", "T", "--url", "https://example.test", "text"], "news", "T"),
        (&["--card", "text_notice", "--title", "T", "--url", "https://example.test"], "template_card", "T"),
        (&["--image", picture], "image", "⬆"),
        (&["--file", picture], "file", "⬆"),
        (&["--payload", payload], "text", "⬆"),
    ];
    for (args, msgtype, herald) in cases {
        for (mention, field) in
            [(["--mention", "lisi"], "mentioned_list"), (["--mention-mobile", "13800000000"], "mentioned_mobile_list")]
        {
            let (case, before) = (format!("{mention:?} {args:?}"), scene.wecom.messages().len());
            let document = scene.group(&mention).args(args).run().assert_code(0).json();
            assert_eq!(document["parts"].as_array().unwrap().len(), 2, "{case}");
            let arrived = arrived_since(&scene, before);
            assert_eq!((arrived.len(), &arrived[0]["msgtype"]), (2, &json!(msgtype)), "{case}");
            assert_eq!(
                arrived[1],
                json!({"msgtype": "text", "text": {"content": herald, field: [mention[1]]}}),
                "{case}"
            );
        }
    }
}

#[test]
fn a_mention_that_has_no_place_can_be_refused_or_left_out() {
    let scene = Scene::new();
    let fail = ["--mention-fallback", "fail", "-t", "markdown_v2", "--mention", "lisi", "x"];
    refused(&scene, "fail", scene.group(&fail), 2).says("fail", "type markdown_v2 cannot mention anybody", "-t text");
    let fail = ["--mention-fallback", "fail", "-t", "markdown", "--mention", "@all", "x"];
    refused(&scene, "all", scene.group(&fail), 2).says("all", "cannot mention @all and mobile numbers", "-t text");
    let ignore = ["--mention-fallback", "ignore", "-t", "markdown_v2", "--mention", "lisi", "x"];
    let document = assert_sent("ignore", scene.group(&ignore).run());
    assert_eq!(document["warnings"], json!(["a message of type markdown_v2 cannot mention anybody: left out"]));
    assert_eq!(scene.wecom.count(Endpoint::WebhookSend), 1);
    let wrong = ["--mention-fallback", "never", "--mention", "lisi", "x"];
    refused(&scene, "wrong", scene.group(&wrong), 2).says("wrong", "it is not text, fail or ignore", "write");
}

#[test]
fn broken_mentions_are_refused() {
    let scene = Scene::new();
    let cases: [(&[&str], &str); 4] = [
        (&["--mention", "zhangsan,张三"], "--mention \"张三\": a userid may hold"),
        (&["--mention", "@everyone"], "--mention \"@everyone\": a userid must begin"),
        (&["--mention", &"a".repeat(65)], "a userid has 65 bytes, the limit is 64"),
        (&["--mention-mobile", "138 0000"], "--mention-mobile \"138 0000\": it is not a phone number"),
    ];
    for (args, message) in cases {
        let case = format!("{args:?}");
        refused(&scene, &case, scene.group(args).args(["text", "--dry-run"]), 2).says(&case, message, "");
        let warnings = assert_sent(&case, scene.group(args).arg("text").run())["warnings"].to_string();
        assert!(warnings.contains(&message.replace('"', "\\\"")), "{warnings}");
    }
}

#[test]
fn settings_mention_in_every_type() {
    let config = format!(
        "[profiles.room]\nwebhook = \"{WEBHOOK_KEY}\"\nmention = [\"zhangsan\", \"lisi\"]\nmention_mobile = \"@all\"\n"
    );
    let scene = Scene::new();
    let cmd = |args: &[&str]| {
        let cmd = scene.env.cmd(["--output", "json", "webhook-send"]).args(args);
        cmd.config(&config).base_url(&scene.wecom)
    };
    assert_sent_silently("text", cmd(&["disk full"]).run());
    let all =
        json!({"content": "disk full", "mentioned_list": ["zhangsan", "lisi"], "mentioned_mobile_list": ["@all"]});
    assert_eq!(last(&scene, "text").payload(), &all);

    assert_sent_silently("option", cmd(&["--mention", "wangwu", "disk full"]).run());
    assert_eq!(last(&scene, "option").payload()["mentioned_list"], json!(["wangwu"]));

    let before = scene.wecom.messages().len();
    cmd(&["-t", "markdown", "disk full"]).run().assert_code(0);
    let expected = [
        json!({"msgtype": "markdown", "markdown": {"content": "disk full\n\n<@zhangsan> <@lisi>"}}),
        json!({"msgtype": "text", "text": {"content": "disk full", "mentioned_mobile_list": ["@all"]}}),
    ];
    assert_eq!(arrived_since(&scene, before), expected);

    // A payload says itself whom it calls.
    let payload = scene.env.file("a.json", r#"{"msgtype": "markdown", "markdown": {"content": "a"}}"#);
    let before = scene.wecom.messages().len();
    assert_sent_silently("payload", cmd(&["--payload", payload.to_str().unwrap()]).run());
    assert_eq!(arrived_since(&scene, before), [json!({"msgtype": "markdown", "markdown": {"content": "a"}})]);
}
