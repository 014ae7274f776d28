//! Rules of message/send but for those of cards.

use serde_json::{Value, json};

use crate::channel::{Channel, MsgType};
use crate::message::{Finding, Findings, check_body};

fn lines(findings: &[Finding]) -> Vec<String> {
    findings.iter().map(ToString::to_string).collect()
}

fn errors(body: &Value) -> Vec<String> {
    lines(&check_body(Channel::App, body).errors)
}

/// A body with this payload, and with these fields added or replaced.
fn body(msgtype: &str, payload: Value, others: Value) -> Value {
    let mut body = json!({"touser": "zhangsan", "agentid": 1000002, "msgtype": msgtype});
    body[msgtype] = payload;
    for (name, value) in others.as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}

fn payload_errors(msgtype: &str, payload: Value) -> Vec<String> {
    errors(&body(msgtype, payload, json!({})))
}

fn text(others: Value) -> Value {
    body("text", json!({"content": "hello"}), others)
}

/// A valid payload of each type.
fn samples() -> Vec<(&'static str, Value)> {
    let media = json!({"media_id": "M"});
    let card = json!({"card_type": "text_notice", "sub_title_text": "down",
        "card_action": {"type": 1, "url": "https://example.test"}});
    vec![
        ("text", json!({"content": "hello"})),
        ("image", media.clone()),
        ("voice", media.clone()),
        ("video", media.clone()),
        ("file", media),
        ("textcard", json!({"title": "t", "description": "d", "url": "https://example.test"})),
        ("news", json!({"articles": [{"title": "t", "url": "https://example.test"}]})),
        ("mpnews", json!({"articles": [{"title": "t", "thumb_media_id": "M", "content": "<p>c</p>"}]})),
        ("markdown", json!({"content": "**hello**"})),
        ("miniprogram_notice", json!({"appid": "wx0000000000000000", "title": "机房温度告警"})),
        ("template_card", card),
    ]
}

#[test]
fn each_type_passes_with_its_least_fields() {
    let samples = samples();
    assert_eq!(
        samples.iter().map(|(msgtype, _)| *msgtype).collect::<Vec<_>>(),
        MsgType::names(Channel::App.facts().types)
    );
    for (msgtype, payload) in samples {
        let body = body(msgtype, payload, json!({}));
        assert_eq!(check_body(Channel::App, &body), Findings::default(), "{msgtype}");
    }
}

#[test]
fn the_msgtype_must_be_known_and_have_its_object() {
    let hints = |body: &Value| check_body(Channel::App, body).errors[0].hint.clone().unwrap_or_default();
    assert!(errors(&json!({"touser": "a"}))[0].starts_with("msgtype: missing, one of text, image,"));
    assert!(errors(&json!({"touser": "a", "msgtype": 1}))[0].starts_with("msgtype: expected a string"));
    let typo = body("markdwn", json!({}), json!({}));
    assert_eq!(errors(&typo), ["msgtype: \"markdwn\": unknown type; did you mean markdown?"]);
    assert!(hints(&typo).contains("miniprogram_notice, template_card"));
    let wrong_route = body("markdown_v2", json!({"content": "a"}), json!({}));
    assert_eq!(errors(&wrong_route), ["msgtype: markdown_v2 is a type of webhooks, app messages do not have it"]);
    assert!(hints(&wrong_route).starts_with("send it with webhook-send"));
    let bare = json!({"touser": "a", "msgtype": "text"});
    assert_eq!(errors(&bare), ["text: missing, msgtype text needs the object text"]);
    assert_eq!(errors(&json!("hello")), ["body: expected an object"]);
}

#[test]
fn all_unknown_fields_are_reported_beside_the_broken_rules() {
    let body = body(
        "news",
        json!({"articles": [{"title": "", "url": "https://example.test", "picUrl": ""}], "article": 1}),
        json!({"text": {"content": "x"}, "to_user": "a", "safe": 1}),
    );
    assert_eq!(
        errors(&body),
        [
            "text: unknown field; msgtype is news, so the payload must be only the object news",
            "to_user: unknown field; did you mean touser?",
            "news.article: unknown field; did you mean articles?",
            "news.articles[0].picUrl: unknown field; did you mean picurl?",
            "safe: news messages do not have it",
            "news.articles[0].title: empty, but required",
        ]
    );
}

#[test]
fn a_control_character_in_any_string_is_an_error() {
    let found = errors(&text(json!({"text": {"content": "red \u{1b}[31m"}})));
    assert_eq!(found, ["text.content: control character U+001B at byte 4, after \"red \""]);
}

#[test]
fn recipients_are_required() {
    let none = "touser: there is no recipient: touser, toparty and totag are all empty";
    assert_eq!(errors(&text(json!({"touser": ""}))), [none]);
    assert_eq!(errors(&json!({"msgtype": "text", "text": {"content": "a"}})), [none]);
    assert!(errors(&text(json!({"touser": "", "totag": "7"}))).is_empty());
    assert_eq!(errors(&text(json!({"touser": ["a"]}))), ["touser: expected a string, got a list"]);
    assert_eq!(errors(&text(json!({"touser": "a|b c", "toparty": "0", "totag": "x"}))).len(), 3);
}

#[test]
fn all_members_is_the_only_recipient() {
    assert_eq!(errors(&text(json!({"touser": "@all|a"}))), ["touser: @all is among other userids"]);
    let findings = check_body(Channel::App, &text(json!({"touser": "@all", "toparty": "2", "totag": "7"})));
    assert!(findings.errors.is_empty());
    let ignored = "WeCom ignores this beside touser @all";
    assert_eq!(lines(&findings.warnings), [format!("toparty: {ignored}"), format!("totag: {ignored}")]);
    let notice = json!({"appid": "wx0000000000000000", "title": "机房温度告警"});
    let found = errors(&body("miniprogram_notice", notice, json!({"touser": "@all"})));
    assert_eq!(found, ["touser: miniprogram_notice cannot be sent to @all"]);
}

#[test]
fn the_agent_is_a_positive_integer_or_absent() {
    assert_eq!(errors(&text(json!({"agentid": 0}))), ["agentid: 0, but it must be greater than 0"]);
    assert_eq!(errors(&text(json!({"agentid": "1000002"}))), ["agentid: expected an integer, got a string"]);
    let mut body = text(json!({}));
    body.as_object_mut().unwrap().remove("agentid");
    assert!(errors(&body).is_empty());
}

#[test]
fn safe_and_id_trans_follow_the_type() {
    let highest_safe = |msgtype| match msgtype {
        "text" | "image" | "video" | "file" => 1,
        "mpnews" => 2,
        // 0, what all are anyway.
        _ => 0,
    };
    let translated = ["text", "textcard", "news", "mpnews", "miniprogram_notice", "template_card"];
    for (msgtype, payload) in samples() {
        let passes = |others| errors(&body(msgtype, payload.clone(), others)).is_empty();
        for safe in -1..=3 {
            let allowed = (0..=highest_safe(msgtype)).contains(&safe);
            assert_eq!(passes(json!({"safe": safe})), allowed, "{msgtype} safe {safe}");
        }
        for value in -1..=2 {
            let allowed = (0..=1).contains(&value);
            let trans = value == 0 || allowed && translated.contains(&msgtype);
            assert_eq!(passes(json!({"enable_id_trans": value})), trans, "{msgtype} id_trans {value}");
            assert_eq!(passes(json!({"enable_duplicate_check": value})), allowed, "{msgtype} duplicate {value}");
        }
    }
    let news = check_body(Channel::App, &body("news", samples().swap_remove(6).1, json!({"safe": 1})));
    assert_eq!(news.errors[0].hint.as_deref(), Some("use mpnews instead, or leave safe out"));
}

#[test]
fn the_duplicate_interval_has_limits_and_needs_its_switch() {
    let found = |on: Value, interval: i64| {
        let findings = check_body(
            Channel::App,
            &text(json!({"enable_duplicate_check": on, "duplicate_check_interval": interval})),
        );
        (findings.errors.len(), findings.warnings.len())
    };
    assert_eq!(found(json!(1), 1), (0, 0));
    assert_eq!(found(json!(1), 14400), (0, 0));
    assert_eq!(found(json!(1), 0), (1, 0));
    assert_eq!(found(json!(1), 14401), (1, 0));
    assert_eq!(found(json!(0), 1800), (0, 1));
    let findings = check_body(Channel::App, &text(json!({"duplicate_check_interval": 1800})));
    assert_eq!((findings.errors.len(), findings.warnings.len()), (0, 1));
}

#[test]
fn text_and_markdown_end_at_2048_bytes() {
    for msgtype in ["text", "markdown"] {
        let found = |content: String| payload_errors(msgtype, json!({ "content": content }));
        assert!(found("x".repeat(2048)).is_empty());
        assert_eq!(found("x".repeat(2049)), [format!("{msgtype}.content: 2049 bytes, the limit is 2048")]);
        assert_eq!(found("磁".repeat(683)), [format!("{msgtype}.content: 2049 bytes, the limit is 2048")]);
        assert_eq!(found(String::new()), [format!("{msgtype}.content: empty, but required")]);
    }
}

#[test]
fn video_texts_end_by_bytes() {
    let found = |title: usize, description: usize| {
        payload_errors(
            "video",
            json!({"media_id": "M", "title": "x".repeat(title), "description": "x".repeat(description)}),
        )
    };
    assert!(found(128, 512).is_empty());
    assert_eq!(
        found(129, 513),
        ["video.title: 129 bytes, the limit is 128", "video.description: 513 bytes, the limit is 512"]
    );
    for msgtype in ["image", "voice", "video", "file"] {
        let empty = payload_errors(msgtype, json!({"media_id": ""}));
        assert_eq!(empty, [format!("{msgtype}.media_id: empty, but required")]);
    }
}

#[test]
fn textcard_counts_characters_and_warns_of_bytes() {
    let card = |title: String, description: String, btntxt: &str| {
        let payload =
            json!({"title": title, "description": description, "url": "http://example.test", "btntxt": btntxt});
        let findings = check_body(Channel::App, &body("textcard", payload, json!({})));
        (findings.errors.len(), findings.warnings.len())
    };
    assert_eq!(card("x".repeat(128), "x".repeat(512), "查看日志"), (0, 0));
    assert_eq!(card("磁".repeat(128), "磁".repeat(512), "open"), (0, 2));
    assert_eq!(card("磁".repeat(129), "磁".repeat(513), "日志"), (2, 0));
    assert_eq!(card(String::new(), String::new(), "日志"), (2, 0));
    assert_eq!(card("x".into(), "x".into(), "查看日志库"), (1, 0));
    let no_scheme = json!({"title": "t", "description": "d", "url": "www.example.test"});
    assert_eq!(payload_errors("textcard", no_scheme).len(), 1);
    let missing = payload_errors("textcard", json!({"title": "t"}));
    assert_eq!(
        missing,
        ["textcard.description: missing, a string is required", "textcard.url: missing, a string is required"]
    );
}

#[test]
fn news_articles() {
    let found = |article: Value| payload_errors("news", json!({"articles": [article]}));
    let long = |bytes: usize| format!("https://example.test/{}", "a".repeat(bytes - 21));
    let full = |extra: usize| {
        json!({"title": "x".repeat(128 + extra), "description": "x".repeat(512 + extra), "url": long(2048 + extra),
            "picurl": long(2048 + extra), "appid": "wx0", "pagepath": "x".repeat(128 + extra)})
    };
    assert!(found(full(0)).is_empty());
    assert_eq!(found(full(1)).len(), 5);
    assert!(found(json!({"title": "t", "appid": "wx0", "pagepath": "p"})).is_empty());
    let path = "news.articles[0]";
    assert_eq!(
        found(json!({"title": "t", "appid": "wx0"})),
        [format!("{path}.pagepath: missing, appid and pagepath go together")]
    );
    assert_eq!(found(json!({"title": "t", "pagepath": "p", "url": "https://example.test"})).len(), 1);
    assert_eq!(
        found(json!({"title": "t", "url": ""})),
        [format!("{path}.url: missing, either url or appid and pagepath are required")]
    );
    assert_eq!(found(json!({"title": "t", "url": "www.example.test"})).len(), 1);
}

#[test]
fn articles_are_one_to_eight() {
    for (msgtype, payload) in samples().into_iter().filter(|(msgtype, _)| msgtype.ends_with("news")) {
        let article = &payload["articles"][0];
        let found = |count: usize| payload_errors(msgtype, json!({"articles": vec![article; count]}));
        assert!(found(1).is_empty() && found(8).is_empty());
        assert_eq!(found(9), [format!("{msgtype}.articles: 9 articles, the limit is 8")]);
        assert_eq!(found(0), [format!("{msgtype}.articles: 0 articles, at least 1 is required")]);
    }
}

#[test]
fn mpnews_articles_end_by_bytes() {
    let found = |extra: usize| {
        let article = json!({"title": "x".repeat(128 + extra), "thumb_media_id": "M", "author": "x".repeat(64 + extra),
            "content_source_url": "", "content": "x".repeat(666 * 1024 + extra), "digest": "x".repeat(512 + extra)});
        payload_errors("mpnews", json!({"articles": [article]}))
    };
    assert!(found(0).is_empty());
    assert_eq!(found(1).len(), 4);
    let empty = json!({"articles": [{"title": "", "thumb_media_id": "", "content": ""}]});
    assert_eq!(payload_errors("mpnews", empty).len(), 3);
}

#[test]
fn miniprogram_notices() {
    let notice = |title: &str, page: usize, items: usize, key: usize, value: usize| {
        let item = json!({"key": "键".repeat(key), "value": "值".repeat(value)});
        let payload = json!({"appid": "wx0", "title": title, "description": title, "page": "x".repeat(page),
            "content_item": vec![item; items]});
        payload_errors("miniprogram_notice", payload).len()
    };
    assert_eq!(notice("机房温度", 1024, 10, 10, 30), 0);
    assert_eq!(notice("4月27日 16:16", 1024, 10, 0, 0), 0);
    assert_eq!(notice("机房温", 1025, 11, 1, 1), 4);
    assert_eq!(notice("机房温度告警机房温度告警警", 0, 1, 11, 31), 4);
    let empty = payload_errors("miniprogram_notice", json!({"appid": "", "title": ""}));
    assert_eq!(
        empty,
        [
            "miniprogram_notice.appid: empty, but required",
            "miniprogram_notice.title: 0 characters, 4 to 12 are allowed"
        ]
    );
}

#[test]
fn an_unreadable_payload_does_not_hide_the_fields_beside_it() {
    let body = body("text", json!({}), json!({"touser": "", "safe": 2}));
    assert_eq!(
        errors(&body),
        [
            "text.content: missing, a string is required",
            "touser: there is no recipient: touser, toparty and totag are all empty",
            "safe: 2 is only for mpnews, not for text",
        ]
    );
}
