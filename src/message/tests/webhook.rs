//! Rules of webhook/send but for those of cards.

use serde_json::{Value, json};

use crate::channel::{Channel, MsgType};
use crate::message::webhook::Image;
use crate::message::{Finding, Findings, Wire as _, check_body};

fn lines(findings: &[Finding]) -> Vec<String> {
    findings.iter().map(ToString::to_string).collect()
}

fn check(msgtype: &str, payload: Value) -> Findings {
    let mut body = json!({ "msgtype": msgtype });
    body[msgtype] = payload;
    check_body(Channel::Webhook, &body)
}

fn errors(msgtype: &str, payload: Value) -> Vec<String> {
    lines(&check(msgtype, payload).errors)
}

#[test]
fn each_type_passes_with_its_least_fields() {
    let png = Image::from_bytes(b"\x89PNG\r\n\x1a\n...");
    let card = json!({"card_type": "text_notice", "main_title": {"title": "down"},
        "card_action": {"type": 1, "url": "https://example.test"}});
    let samples = [
        ("text", json!({"content": "hello"})),
        ("markdown", json!({"content": "**hello**"})),
        ("markdown_v2", json!({"content": "- hello"})),
        ("image", png.write()),
        ("news", json!({"articles": [{"title": "t", "url": "https://example.test"}]})),
        ("file", json!({"media_id": "M"})),
        ("voice", json!({"media_id": "M"})),
        ("template_card", card),
    ];
    assert_eq!(
        samples.iter().map(|(msgtype, _)| *msgtype).collect::<Vec<_>>(),
        MsgType::names(Channel::Webhook.facts().types)
    );
    for (msgtype, payload) in samples {
        assert_eq!(check(msgtype, payload), Findings::default(), "{msgtype}");
    }
}

#[test]
fn fields_and_types_of_app_messages_are_refused_by_name() {
    let body = json!({"touser": "a", "safe": 0, "msgtype": "text", "text": {"content": "a"}});
    assert_eq!(
        lines(&check_body(Channel::Webhook, &body).errors),
        ["touser: unknown field; only app messages have it", "safe: unknown field; only app messages have it"]
    );
    let found = check("textcard", json!({}));
    assert_eq!(lines(&found.errors), ["msgtype: textcard is a type of app messages, webhooks do not have it"]);
    assert!(found.errors[0].hint.as_deref().unwrap().starts_with("send it with app-send"));
    assert_eq!(errors("markdown-v2", json!({})), ["msgtype: \"markdown-v2\": unknown type; did you mean markdown_v2?"]);
}

#[test]
fn texts_end_by_bytes() {
    for (msgtype, limit) in [("text", 2048), ("markdown", 4096), ("markdown_v2", 4096)] {
        let found = |content: String| errors(msgtype, json!({ "content": content }));
        assert!(found("x".repeat(limit)).is_empty());
        let over = format!("{msgtype}.content: {} bytes, the limit is {limit}", limit + 1);
        assert_eq!(found("x".repeat(limit + 1)), [over]);
        assert_eq!(found(String::new()), [format!("{msgtype}.content: empty, but required")]);
    }
    let hint = check("text", json!({"content": "x".repeat(2049)})).errors.remove(0).hint;
    assert_eq!(
        hint.as_deref(),
        Some("shorten it; text that is not a payload goes in parts or as a file with --on-long auto")
    );
}

#[test]
fn mentions_are_userids_phone_numbers_or_everybody() {
    let found = |ids: Value, numbers: Value| {
        errors("text", json!({"content": "a", "mentioned_list": ids, "mentioned_mobile_list": numbers}))
    };
    assert!(found(json!(["wangqing", "@all"]), json!(["13800000000", "+8613800000000", "@all"])).is_empty());
    assert!(found(json!([]), json!([])).is_empty());
    assert_eq!(
        found(json!(["ok", "张三"]), json!(["", "138 0000", 5])),
        ["text.mentioned_mobile_list[2]: expected a string, got an integer"]
    );
    assert_eq!(
        found(json!(["ok", "张三"]), json!(["", "138 0000"])),
        [
            "text.mentioned_list[1]: userid \"张三\" may hold letters, digits, _, -, @ and . only",
            "text.mentioned_mobile_list[0]: \"\" is not a phone number",
            "text.mentioned_mobile_list[1]: \"138 0000\" is not a phone number",
        ]
    );
    let elsewhere = errors("markdown", json!({"content": "a", "mentioned_list": ["a"]}));
    assert_eq!(elsewhere, ["markdown.mentioned_list: unknown field; known here: content"]);
}

#[test]
fn images_are_small_jpg_or_png_with_their_md5() {
    let found = |file: &[u8]| errors("image", Image::from_bytes(file).write());
    let sized = |len: usize| [b"\xff\xd8\xff".to_vec(), vec![0; len - 3]].concat();
    assert!(found(&sized(6)).is_empty());
    assert_eq!(found(&sized(5)), ["image.base64: 5 bytes decoded, more than 5 are required"]);
    assert!(found(&sized(2 * 1024 * 1024)).is_empty());
    assert_eq!(found(&sized(2 * 1024 * 1024 + 1)), ["image.base64: 2097153 bytes decoded, the limit is 2097152"]);
    assert_eq!(found(b"GIF89a.........."), ["image.base64: neither JPG nor PNG"]);
}

#[test]
fn images_come_as_plain_base64_with_the_md5_of_the_file() {
    let image = Image::from_bytes(b"\x89PNG\r\n\x1a\n......");
    let found = |base64: &str, md5: &str| errors("image", json!({"base64": base64, "md5": md5}));
    assert!(found(&image.base64, &image.md5.to_uppercase()).is_empty());
    let wrong = found(&image.base64, "d41d8cd98f00b204e9800998ecf8427e");
    assert_eq!(wrong, [format!("image.md5: not the MD5 of the decoded picture, which is {}", image.md5)]);
    let prefixed = found(&format!("data:image/png;base64,{}", image.base64), &image.md5);
    assert_eq!(prefixed, ["image.base64: begins with data:"]);
    assert_eq!(found("iVBO\nRw0K", &image.md5), ["image.base64: no standard base64 at byte 4"]);
    assert_eq!(found("iVBORw0", &image.md5), ["image.base64: no standard base64"]);
    assert_eq!(found("", &image.md5).len(), 2);
}

#[test]
fn the_md5_is_that_of_the_published_test_vector() {
    let image = Image::from_bytes(b"message digest");
    assert_eq!(image.md5, "f96b697d7cb7938d525a2f31aaf161d0");
    assert_eq!(image.base64, "bWVzc2FnZSBkaWdlc3Q=");
}

#[test]
fn news_articles() {
    let found = |article: Value| check("news", json!({"articles": [article]}));
    let full = |extra: usize| {
        let (title, description) = ("x".repeat(128 + extra), "x".repeat(512 + extra));
        json!({"title": title, "description": description, "url": "https://example.test"})
    };
    assert_eq!(found(full(0)), Findings::default());
    assert_eq!(found(full(1)).errors.len(), 2);
    let bare = found(json!({"title": "t", "url": "www.qq.com", "picurl": "https://example.test/a.png"}));
    assert!(bare.errors.is_empty());
    assert_eq!(lines(&bare.warnings), ["news.articles[0].url: no http:// or https://, clients may not open it"]);
    let empty = found(json!({"title": "", "url": "", "appid": "wx0"}));
    assert_eq!(
        lines(&empty.errors),
        [
            "news.articles[0].appid: unknown field; known here: title, description, url, picurl",
            "news.articles[0].title: empty, but required",
            "news.articles[0].url: empty, but required",
        ]
    );
    let many = |count: usize| errors("news", json!({"articles": vec![full(0); count]}));
    assert!(many(8).is_empty());
    assert_eq!(many(9), ["news.articles: 9 articles, the limit is 8"]);
    assert_eq!(many(0), ["news.articles: 0 articles, at least 1 is required"]);
}
