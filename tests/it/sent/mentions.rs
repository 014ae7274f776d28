//! Mentions in webhook texts, and nowhere else.

use serde_json::{Value, json};

use super::{Scene, assert_sent, assert_sent_silently};
use crate::support::fake::{Endpoint, WEBHOOK_KEY};

#[test]
fn mentions_arrive_one_by_one() {
    let scene = Scene::new();
    let cases: [(&[&str], Value, Value); 9] = [
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
            json!(["13800000000", "+8613800000001"]),
        ),
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
        assert_eq!(scene.last(&case).body, json!({"msgtype": "text", "text": expected}), "{case}");
    }
}

#[test]
fn mentions_have_no_place_elsewhere() {
    let scene = Scene::new();
    let picture = scene.env.file("a.png", super::PNG);
    let picture = picture.to_str().unwrap();
    let payload = scene.env.file("a.json", r#"{"msgtype": "text", "text": {"content": "a"}}"#);
    let payload = payload.to_str().unwrap();
    let cases: [(&[&str], &str, &str); 6] = [
        (&["-t", "markdown", "text"], "have no place in type markdown", "<@userid>"),
        (&["-t", "markdown_v2", "text"], "have no place in type markdown_v2", "use type text"),
        (&["--title", "T", "--url", "https://example.test", "text"], "have no place in type news", "use type text"),
        (&["--image", picture], "have no place in type image", "use type text"),
        (&["--file", picture], "have no place in type file", "use type text"),
        (&["--payload", payload], "have no place in a payload", "mentioned_list"),
    ];
    for (args, message, hint) in cases {
        for mention in [["--mention", "zhangsan"], ["--mention-mobile", "13800000000"]] {
            let case = format!("{mention:?} {args:?}");
            scene.refused(&case, scene.group(&mention).args(args), 2).says(&case, message, hint);
        }
    }
}

#[test]
fn broken_mentions_are_refused() {
    let scene = Scene::new();
    let cases: [(&[&str], &str); 8] = [
        (&["--mention", ""], "--mention"),
        (&["--mention", " , "], "--mention is empty"),
        (&["--mention", "zhangsan,,lisi"], "--mention is empty"),
        (&["--mention-mobile", ""], "--mention-mobile"),
        (&["--mention", "zhangsan,张三"], "text.mentioned_list[1]: userid \"张三\""),
        (&["--mention", "@everyone"], "text.mentioned_list[0]: userid \"@everyone\""),
        (&["--mention", &"a".repeat(65)], "text.mentioned_list[0]: userid"),
        (&["--mention-mobile", "138 0000 0000"], "text.mentioned_mobile_list[0]: \"138 0000 0000\" is no phone number"),
    ];
    for (args, message) in cases {
        let case = format!("{args:?}");
        scene.refused(&case, scene.group(args).arg("text"), 2).says(&case, message, "");
    }
}

#[test]
fn settings_mention_in_texts_alone() {
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
    assert_eq!(scene.last("text").payload(), &all);

    assert_sent_silently("option", cmd(&["--mention", "wangwu", "disk full"]).run());
    assert_eq!(scene.last("option").payload()["mentioned_list"], json!(["wangwu"]));

    let document = assert_sent("markdown", cmd(&["-t", "markdown", "disk full"]).run());
    let warnings = document["warnings"].as_array().unwrap();
    assert!(warnings.len() == 1 && warnings[0].as_str().unwrap().contains("mentions nobody"), "{warnings:?}");
    assert_eq!(scene.last("markdown").payload(), &json!({"content": "disk full"}));
    assert_eq!(scene.wecom.count(Endpoint::WebhookSend), 3);
}
