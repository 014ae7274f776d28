//! `--payload`: what stands beside its content, and what is refused.

use serde_json::{Value, json};
use wecom_alert::channel::Channel;

use super::{assert_sent, assert_sent_silently, body_of, last, refused};
use crate::support::fake::{Endpoint, FakeWecom};
use crate::support::{CARD_ROUTES, HTTP_ROUTES, Scene};

fn text(fields: Value) -> Value {
    let mut body = json!({"msgtype": "text", "text": {"content": "a"}});
    body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    body
}

#[test]
fn recipients_of_a_body_stand_between_option_and_environment() {
    let scene = Scene::new();
    let with_env = [("WECOM_ALERT_TO_USER", "wangwu")];
    type Case<'a> = (Value, &'a [&'a str], &'a [(&'a str, &'a str)], Value);
    let cases: [Case; 9] = [
        (json!({"touser": "lisi"}), &[], &with_env, json!({"touser": "lisi"})),
        (json!({"touser": "lisi"}), &["-u", "zhangsan"], &with_env, json!({"touser": "zhangsan"})),
        (json!({"touser": "lisi", "toparty": "1"}), &["--to-tag", "1"], &[], json!({"totag": "1"})),
        (json!({"toparty": "2"}), &[], &with_env, json!({"toparty": "2"})),
        (json!({}), &[], &with_env, json!({"touser": "wangwu"})),
        (json!({"touser": "", "toparty": ""}), &[], &with_env, json!({"touser": "wangwu"})),
        (json!({}), &[], &[("WECOM_ALERT_TO_PARTY", "1, 2")], json!({"toparty": "1|2"})),
        (json!({"touser": "@all"}), &[], &with_env, json!({"touser": "@all"})),
        (
            json!({}),
            &["-u", "zhangsan,lisi", "--to-party", "1|2"],
            &[],
            json!({"touser": "zhangsan|lisi", "toparty": "1|2"}),
        ),
    ];
    for (fields, args, env, expected) in cases {
        let case = format!("{fields} {args:?} {env:?}");
        let mut cmd = scene.cmd(&["app-send", "--payload", "-"]).args(args).stdin(text(fields).to_string());
        for (name, value) in env {
            cmd = cmd.env(*name, *value);
        }
        assert_sent_silently(&case, cmd.run());
        let mut body = text(expected);
        body["agentid"] = json!(1_000_002);
        assert_eq!(last(&scene, &case).body, body, "{case}");
    }
    let nobody = scene.cmd(&["app-send", "--payload", "-"]).stdin(text(json!({})).to_string());
    refused(&scene, "nobody", nobody, 2).says("nobody", "touser: there is no recipient", "-u ID");
}

#[test]
fn the_agent_of_a_body_is_that_of_the_settings() {
    let scene = Scene::new();
    let send =
        |fields: Value| scene.cmd(&["app-send", "-u", "zhangsan", "--payload", "-"]).stdin(text(fields).to_string());
    for (fields, has_setting) in
        [(json!({}), true), (json!({"agentid": 1_000_002}), true), (json!({"agentid": 1_000_002}), false)]
    {
        let case = format!("{fields}, in the settings: {has_setting}");
        let cmd = send(fields);
        let cmd = if has_setting { cmd } else { cmd.without_env("WECOM_ALERT_AGENT_ID") };
        assert_sent_silently(&case, cmd.run());
        assert_eq!(last(&scene, &case).body["agentid"], 1_000_002, "{case}");
    }
    let other = refused(&scene, "other", send(json!({"agentid": 1_000_003})), 2);
    other.says("other", "agentid: the payload says 1000003", "profile");
    assert!(other.message.contains("1000002") && other.message.contains("WECOM_ALERT_AGENT_ID"), "{}", other.message);
    let text = refused(&scene, "a string", send(json!({"agentid": "1000002"})), 2);
    text.says("a string", "agentid: expected an integer", "");
    let none = send(json!({})).without_env("WECOM_ALERT_AGENT_ID");
    refused(&scene, "none", none, 3).says("none", "agent_id is not set", "WECOM_ALERT_AGENT_ID");
}

#[test]
fn an_option_beats_the_body_and_the_body_beats_the_settings() {
    let config = "safe = 0\nduplicate_check = \"10m\"\n";
    let own = json!({"safe": 1, "enable_id_trans": 0, "enable_duplicate_check": 0});
    type Case<'a> = (Value, &'a [&'a str], Value);
    let cases: [Case; 5] = [
        (own.clone(), &[], own.clone()),
        (json!({}), &[], json!({"safe": 0, "enable_duplicate_check": 1, "duplicate_check_interval": 600})),
        (
            own.clone(),
            &["--safe=0", "--id-trans", "--duplicate-check", "30s"],
            json!({"safe": 0, "enable_id_trans": 1, "enable_duplicate_check": 1, "duplicate_check_interval": 30}),
        ),
        (own, &["--safe=0"], json!({"safe": 0, "enable_id_trans": 0, "enable_duplicate_check": 0})),
        (
            json!({"safe": 1, "enable_duplicate_check": 1, "duplicate_check_interval": 60}),
            &["--duplicate-check", "40s"],
            json!({"safe": 1, "enable_duplicate_check": 1, "duplicate_check_interval": 40}),
        ),
    ];
    for (fields, args, expected) in cases {
        // Bodies that are the same are not delivered twice.
        let scene = Scene::new();
        let case = format!("{fields} {args:?}");
        let cmd = scene.app(&["--payload", "-"]).args(args).config(config);
        assert_sent_silently(&case, cmd.stdin(text(fields).to_string()).run());
        let mut body = body_of(Channel::App, "text", json!({"content": "a"}));
        body.as_object_mut().unwrap().extend(expected.as_object().unwrap().clone());
        assert_eq!(last(&scene, &case).body, body, "{case}");
    }
}

#[test]
fn unknown_fields_are_refused_with_path_and_nearest_name() {
    let scene = Scene::new();
    let card = |extra: Value| {
        let mut card = json!({
            "card_type": "text_notice", "main_title": {"title": "a"},
            "horizontal_content_list": [{"keyname": "a"}, {"keyname": "b"}],
            "card_action": {"type": 1, "url": "https://example.test"},
        });
        card.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        json!({"msgtype": "template_card", "template_card": card})
    };
    let items =
        json!({"horizontal_content_list": [{"keyname": "a"}, {"keyname": "b"}, {"keyname": "c", "keynam": "d"}]});
    let cases = [
        (card(items), "template_card.horizontal_content_list[2].keynam: unknown field; did you mean keyname?"),
        (card(json!({"main_titel": {}})), "template_card.main_titel: unknown field; did you mean main_title?"),
        (card(json!({"zzz": 1})), "template_card.zzz: unknown field; known here: "),
        (
            json!({"msgtype": "text", "text": {"content": "a", "contents": "b"}}),
            "text.contents: unknown field; did you mean content?",
        ),
        (
            json!({"msgtype": "text", "text": {"content": "a"}, "markdown": {"content": "b"}}),
            "markdown: unknown field; msgtype is text",
        ),
        (
            json!({"msgtype": "news", "news": {"articles": [{"title": "a", "url": "https://example.test", "picUrl": "b"}]}}),
            "picUrl: unknown field",
        ),
    ];
    for route in HTTP_ROUTES {
        for (body, message) in &cases {
            let is_card = body["msgtype"] == "template_card";
            if is_card && !CARD_ROUTES.contains(&route) {
                continue;
            }
            let case = format!("{} {body}", route.as_str());
            let cmd = scene.send(route, &["--payload", "-"]).stdin(body.to_string());
            refused(&scene, &case, cmd, 2).says(&case, message, "");
        }
    }
    // What one route has and the other has not.
    for (route, body, message) in [
        (Channel::Webhook, text(json!({"touser": "zhangsan"})), "touser: unknown field"),
        (Channel::Webhook, text(json!({"agentid": 1_000_002})), "agentid: unknown field"),
        (Channel::Webhook, card(json!({"task_id": "a"})), "template_card.task_id"),
        (
            Channel::App,
            json!({"msgtype": "text", "text": {"content": "a", "mentioned_list": []}}),
            "text.mentioned_list: unknown field",
        ),
        (
            Channel::App,
            json!({"msgtype": "markdown_v2", "markdown_v2": {"content": "a"}}),
            "markdown_v2 is a type of webhooks",
        ),
        (Channel::Webhook, json!({"msgtype": "textcard", "textcard": {}}), "textcard is a type of app messages"),
        (Channel::App, json!({"msgtype": "txt", "txt": {}}), "msgtype: \"txt\": unknown type; did you mean text?"),
        (Channel::App, json!({"msgtype": 1}), "msgtype: expected a string"),
        (Channel::App, json!({"msgtype": "text"}), "text: missing"),
    ] {
        let case = format!("{} {body}", route.as_str());
        let cmd = scene.send(route, &["--payload", "-"]).stdin(body.to_string());
        refused(&scene, &case, cmd, 2).says(&case, message, "");
    }
}

#[test]
fn without_validation_the_body_goes_out_as_it_is() {
    for route in HTTP_ROUTES {
        let scene = Scene::with(FakeWecom::start());
        let body = json!({"content": "a", "contentt": {"b": [1, 2.5, null, true]}});
        let cmd = scene.send(route, &["--no-validate", "-t", "text", "--payload", "-"]).stdin(body.to_string());
        let document = assert_sent(route.as_str(), cmd.run());
        let warnings = document["warnings"].as_array().unwrap();
        assert_eq!(warnings.len(), 1, "{warnings:?}");
        assert_eq!(warnings[0], "text.contentt: unknown field; did you mean content?");
        assert_eq!(last(&scene, "as it is").body, body_of(route, "text", body));

        let long = "x".repeat(2049);
        let run = scene.send(route, &["--no-validate", "--on-long", "fail", &long]).run().assert_code(5);
        let document = run.json();
        assert_eq!((&document["status"], &document["attempts"]), (&json!("refused"), &json!(1)));
        assert_eq!(document["warnings"], json!(["text.content: 2049 bytes, the limit is 2048"]));
        assert_eq!((scene.sends(), scene.wecom.messages().len()), (2, 1));
        scene.wecom.expect_unexpected();
    }
}

#[test]
fn control_characters_are_refused_at_their_path() {
    let scene = Scene::new();
    for (payload, message) in [
        (r#"{"content": "red \u001b[31m"}"#, "control character U+001B at byte 4"),
        (r#"{"content": "a\r\nb"}"#, "text.content: control character U+000D at byte 1"),
        (r#"{"content": "a\u0000"}"#, "text.content: control character U+0000 at byte 1"),
        ("{\"content\": \"a\u{85}b\"}", "text.content: control character U+0085 at byte 1"),
        ("{\"content\": \"a\u{7f}b\"}", "text.content: control character U+007F at byte 1"),
    ] {
        for route in HTTP_ROUTES {
            let cmd = scene.send(route, &["--payload", "-"]).stdin(payload);
            refused(&scene, payload, cmd, 2).says(payload, message, "remove it");
        }
    }
    let deep = r#"{"articles": [{"title": "a", "url": "https://example.test"}, {"title": "b\u0007", "url": "https://example.test"}]}"#;
    let refusal = refused(&scene, "deep", scene.group(&["-t", "news", "--payload", "-"]).stdin(deep), 2);
    refusal.says("deep", "news.articles[1].title: control character U+0007", "remove it");
}

#[test]
fn what_is_no_payload_is_refused() {
    let scene = Scene::new();
    let body = r#"{"msgtype": "text", "text": {"content": "a"}}"#;
    let cases: [(&[&str], &[u8], &str, &str); 12] = [
        (&[], b"", "the payload from stdin is not JSON", "jq"),
        (&[], b" \n", "the payload from stdin is not JSON", "jq"),
        (&[], b"disk full", "the payload from stdin is not JSON", "without --payload"),
        (&[], b"{\"content\": \"a\nb\"}", "at line 2 column 0", "jq"),
        (&[], b"{\"content\": \"a\"} {}", "the payload from stdin is not JSON", "jq"),
        (&[], b"[]", "the payload from stdin is not a JSON object", "whole body with msgtype"),
        (&[], b"\"text\"", "is not a JSON object", "whole body with msgtype"),
        (&[], b"null", "is not a JSON object", "whole body with msgtype"),
        (
            &["-t", "markdown"],
            body.as_bytes(),
            "-t markdown contradicts the payload, whose msgtype is text",
            "leave -t",
        ),
        (&["--title", "T"], body.as_bytes(), "--title cannot be used with a payload", "into the payload"),
        (&["--filename", "a"], body.as_bytes(), "--filename has no file to name", ""),
        (&["--media-id", "a"], body.as_bytes(), "--payload does not go with", "into the payload"),
    ];
    for route in HTTP_ROUTES {
        for (args, stdin, message, hint) in cases {
            let case = format!("{} {args:?} {}", route.as_str(), stdin.escape_ascii());
            let cmd = scene.send(route, &["--payload", "-"]).args(args).stdin(stdin);
            refused(&scene, &case, cmd, 2).says(&case, message, hint);
        }
        let file = scene.env.file("磁盘 \n1.json", "{");
        let refusal = refused(&scene, "file", scene.send(route, &["--payload"]).arg(file), 2);
        refusal.says("file", "磁盘 \\n1.json\" is not JSON", "");
        for (path, message) in [("missing.json", "there is no file \"missing.json\""), (".", "is a folder")] {
            refused(&scene, path, scene.send(route, &["--payload", path]), 3).says(path, message, "");
        }
        for more in [&["CONTENT"][..], &["--text-file", "a"], &["--image", "a"]] {
            let case = format!("{more:?}");
            let cmd = scene.send(route, &["--payload", "-"]).args(more).stdin(body);
            refused(&scene, &case, cmd, 2).says(&case, "--payload", "");
        }
    }
    assert_eq!(scene.wecom.count(Endpoint::GetToken), 0);
}

#[test]
fn a_payload_must_say_what_it_is() {
    let scene = Scene::new();
    let card = json!({"card_type": "text_notice"}).to_string();
    for (text, hint) in [(card.as_str(), "-t template_card"), ("{\"articles\": []}", "-t TYPE")] {
        let cmd = scene.group(&["--payload", "-"]).stdin(text);
        refused(&scene, text, cmd, 2).says(text, "of which type", hint);
    }
    let twice = "{\"content\": \"a\", \"content\": \"b\"}";
    refused(&scene, twice, scene.group(&["--payload", "-"]).stdin(twice), 2).says(twice, "occurs twice", "");
}
