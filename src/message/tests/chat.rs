//! Rules of appchat/send.

use serde_json::{Value, json};

use crate::channel::{Channel, MsgType};
use crate::message::{Finding, Findings, check_body};

fn lines(findings: &[Finding]) -> Vec<String> {
    findings.iter().map(ToString::to_string).collect()
}

fn check(msgtype: &str, payload: Value, more: Value) -> Findings {
    let mut body = json!({ "chatid": "ops", "msgtype": msgtype, msgtype: payload });
    let Value::Object(more) = more else { panic!("no object") };
    for (name, value) in more {
        body[name] = value;
    }
    check_body(Channel::Chat, &body)
}

fn errors(msgtype: &str, payload: Value, more: Value) -> Vec<String> {
    lines(&check(msgtype, payload, more).errors)
}

fn samples() -> [(&'static str, Value); 9] {
    let media = json!({"media_id": "M"});
    let url = "https://example.test";
    [
        ("text", json!({"content": "hello <@lisi>", "mentioned_list": ["lisi", "@all"]})),
        ("image", media.clone()),
        ("voice", media.clone()),
        ("video", media.clone()),
        ("file", media),
        ("textcard", json!({"title": "t", "description": "d", "url": url})),
        ("news", json!({"articles": [{"title": "t", "url": url}]})),
        ("mpnews", json!({"articles": [{"title": "t", "thumb_media_id": "M", "content": "c"}]})),
        ("markdown", json!({"content": "**hello** <@lisi>"})),
    ]
}

#[test]
fn each_type_passes_with_its_least_fields() {
    assert_eq!(samples().map(|(msgtype, _)| msgtype), MsgType::names(Channel::Chat.facts().types)[..]);
    for (msgtype, payload) in samples() {
        assert_eq!(check(msgtype, payload, json!({})), Findings::default(), "{msgtype}");
    }
}

#[test]
fn safe_is_where_the_table_of_the_page_has_it() {
    for (msgtype, payload) in samples() {
        let found = |safe: i64| errors(msgtype, payload.clone(), json!({"safe": safe}));
        assert!(found(0).is_empty());
        let has_it = matches!(msgtype, "text" | "image" | "video" | "file" | "mpnews");
        assert_eq!(found(1).is_empty(), has_it, "{msgtype}: {:?}", found(1));
        let two = if has_it { "safe: 2, but only 0, 1 are allowed" } else { "messages do not have it" };
        assert!(found(2)[0].ends_with(two), "{msgtype}: {:?}", found(2));
    }
    let markdown = check("markdown", json!({"content": "x"}), json!({"safe": 1}));
    let hint = markdown.errors[0].hint.as_deref();
    assert_eq!(hint, Some("leave it out, or send text, image, video, file or mpnews"));
}

#[test]
fn a_chat_is_named_by_one_id() {
    let text = || json!({"content": "x"});
    let mut without = json!({"msgtype": "text", "text": {"content": "x"}});
    for chat in [None, Some("")] {
        if let Some(chat) = chat {
            without["chatid"] = chat.into();
        }
        let found = check_body(Channel::Chat, &without);
        assert_eq!(lines(&found.errors), ["chatid: there is no group chat: chatid is missing or empty"]);
        let hint = found.errors[0].hint.as_deref().unwrap();
        assert!(["--chat ID", "chat in the profile", "chat-create"].iter().all(|part| hint.contains(part)), "{hint}");
    }
    assert_eq!(errors("text", text(), json!({"chatid": 7})), ["chatid: expected a string, got an integer"]);
    // What WeCom itself may call a chat is published nowhere.
    for (chat, is_odd) in
        [("ops", false), (&*"x".repeat(32), false), (&*"x".repeat(33), true), ("a-b", true), ("群", true)]
    {
        let found = check("text", text(), json!({ "chatid": chat }));
        assert_eq!((found.errors.len(), found.warnings.len()), (0, usize::from(is_odd)), "{chat}");
    }
}

#[test]
fn fields_of_other_messages_are_refused_by_name() {
    let more = json!({"touser": "a", "agentid": 1, "enable_id_trans": 1, "enable_duplicate_check": 1});
    let found = errors("text", json!({"content": "x", "mentioned_mobile_list": ["13800000000"]}), more);
    assert_eq!(found.len(), 5, "{found:?}");
    for name in ["touser", "agentid", "enable_id_trans", "enable_duplicate_check"] {
        assert!(found.contains(&format!("{name}: unknown field; only app messages have it")), "{found:?}");
    }
    let of_chats = "chatid: unknown field; only messages in group chats have it";
    for (channel, more) in [(Channel::App, json!("a")), (Channel::Webhook, Value::Null)] {
        let mut body = json!({"chatid": "ops", "msgtype": "text", "text": {"content": "x"}});
        if !more.is_null() {
            body["touser"] = more;
        }
        assert_eq!(lines(&check_body(channel, &body).errors), [of_chats], "{channel}");
    }
    for (msgtype, where_to) in
        [("template_card", "app-send"), ("miniprogram_notice", "app-send"), ("markdown_v2", "webhook-send")]
    {
        let found = check(msgtype, json!({}), json!({}));
        assert!(found.errors[0].to_string().ends_with("group chats do not have it"), "{}", found.errors[0]);
        assert!(found.errors[0].hint.as_deref().unwrap().starts_with(&format!("send it with {where_to}")));
    }
}

#[test]
fn limits_are_bytes() {
    let card = |title: &str, description: &str| {
        errors("textcard", json!({"title": title, "description": description, "url": "https://x"}), json!({}))
    };
    assert!(card(&"x".repeat(128), &"x".repeat(512)).is_empty());
    assert_eq!(card(&"磁".repeat(43), "d"), ["textcard.title: 129 bytes, the limit is 128"]);
    assert_eq!(card("t", &"磁".repeat(171)), ["textcard.description: 513 bytes, the limit is 512"]);
    for (msgtype, limit) in [("text", 2048), ("markdown", 2048)] {
        let with = |length| errors(msgtype, json!({"content": "x".repeat(length)}), json!({}));
        assert!(with(limit).is_empty() && with(limit + 1)[0].contains("2049 bytes, the limit is 2048"), "{msgtype}");
    }
}

#[test]
fn an_article_has_a_whole_address_and_no_mini_program() {
    let with = |article: Value| errors("news", json!({"articles": [article]}), json!({}));
    assert_eq!(with(json!({"title": "t"})).len(), 1);
    assert!(with(json!({"title": "t", "url": "example.test"}))[0].contains("must begin with http:// or https://"));
    let mini = with(json!({"title": "t", "url": "https://x", "appid": "wx1", "pagepath": "p"}));
    assert_eq!(mini.len(), 2, "{mini:?}");
}
