//! The judge's rules for everything but cards and uploads, case by case.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::*;

#[test]
fn the_fields_around_the_payload() {
    let wecom = FakeWecom::start();
    let good = with_payload("text", json!({"content": "x"}));
    let with = |name: &str, value: Value| {
        let mut body = good.clone();
        body[name] = value;
        send(&wecom, &body).errcode()
    };
    assert_eq!(with("touser", json!("")), 82001);
    assert_eq!(with("touser", json!(vec!["u"; 1001].join("|"))), 40032);
    assert_eq!(with("toparty", json!(vec!["1"; 101].join("|"))), 82002);
    assert_eq!(with("totag", json!(vec!["1"; 101].join("|"))), 82003);
    assert_eq!(with("touser", json!(["zhangsan"])), 82001);
    assert_eq!(with("msgtype", json!("markdown_v2")), 40008);
    assert_eq!(with("safe", json!(1)), 0);
    assert_eq!(with("safe", json!(2)), 40058);
    assert_eq!(with("enable_id_trans", json!(2)), 40058);
    assert_eq!(with("duplicate_check_interval", json!(14_401)), 40058);
    let mut body = good.clone();
    body.as_object_mut().unwrap().remove("agentid");
    assert_eq!(send(&wecom, &body).errcode(), 41011);
    // What names another type and no payload of its own is empty, and brings a field that does not belong.
    assert_eq!(with("msgtype", json!("markdown")), 44004);
    assert_eq!(wecom.complaints(), ["POST message/send: text is not a field of the reference here"]);
    wecom.expect_unexpected();
}

#[test]
fn wrong_types_are_taken_with_a_warning() {
    let wecom = FakeWecom::start();
    let mut body = with_payload("text", json!({"content": "x"}));
    body["agentid"] = json!(AGENT_ID.to_string());
    let answer = send(&wecom, &body).json();
    assert_eq!((&answer["errcode"], &answer["errmsg"]), (&json!(0), &json!("ok. Warning: wrong json format. ")));
    assert_eq!(wecom.messages()[0].remarks, ["agentid has the wrong type"]);
    let answer = send_payload(&wecom, "text", json!({"content": 5})).json();
    assert_eq!(answer["errcode"], 44004);
    assert!(answer["errmsg"].as_str().unwrap().starts_with("Warning: wrong json format. empty content"));
}

#[test]
fn payloads_of_apps() {
    let wecom = FakeWecom::start();
    let image = media_id(&wecom, "image", PNG);
    let url = "https://example.test/";
    let article = |more: Value| {
        let mut article = json!({"title": "t", "url": url});
        article.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({"articles": [article]})
    };
    let cases = [
        (0, "text", json!({"content": "字".repeat(682)})),
        (45002, "text", json!({"content": "字".repeat(683)})),
        (44004, "text", json!({"content": ""})),
        (45002, "markdown", json!({"content": "x".repeat(2049)})),
        (41006, "image", json!({})),
        (0, "image", json!({"media_id": image})),
        (40007, "file", json!({"media_id": image})),
        (40007, "video", json!({"media_id": image})),
        (0, "textcard", json!({"title": "t", "description": "d", "url": url, "btntxt": "更多"})),
        (41016, "textcard", json!({"description": "d", "url": url})),
        (41033, "textcard", json!({"title": "t", "url": url})),
        (41010, "textcard", json!({"title": "t", "description": "d"})),
        (45034, "textcard", json!({"title": "t", "description": "d", "url": "example.test"})),
        (40094, "textcard", json!({"title": "t", "description": "d", "url": "ftp://example.test"})),
        (45008, "news", json!({"articles": []})),
        (45008, "news", json!({"articles": vec![json!({"title": "t", "url": url}); 9]})),
        (0, "news", article(json!({}))),
        (41016, "news", article(json!({"title": ""}))),
        (40058, "news", article(json!({"title": "字".repeat(43)}))),
        (41010, "news", article(json!({"url": ""}))),
        (0, "news", article(json!({"url": "", "appid": "wx0", "pagepath": "p"}))),
        (40063, "news", article(json!({"appid": "wx0"}))),
        (0, "mpnews", json!({"articles": [{"title": "t", "thumb_media_id": image, "content": "<p>x</p>"}]})),
        (44004, "mpnews", json!({"articles": [{"title": "t", "thumb_media_id": image}]})),
        (41006, "mpnews", json!({"articles": [{"title": "t", "content": "x"}]})),
        (
            45032,
            "mpnews",
            json!({"articles": [{"title": "t", "thumb_media_id": image, "content": "x", "author": "x".repeat(65)}]}),
        ),
        (
            45002,
            "mpnews",
            json!({"articles": [{"title": "t", "thumb_media_id": image, "content": "x".repeat(681_985)}]}),
        ),
        (
            0,
            "miniprogram_notice",
            json!({"appid": "wx0", "title": "磁盘告警", "emphasis_first_item": true, "content_item": [{"key": "k", "value": "v"}]}),
        ),
        (90200, "miniprogram_notice", json!({"title": "磁盘告警"})),
        (
            90201,
            "miniprogram_notice",
            json!({"appid": "wx0", "title": "磁盘告警", "content_item": vec![json!({}); 11]}),
        ),
        (
            90202,
            "miniprogram_notice",
            json!({"appid": "wx0", "title": "磁盘告警", "content_item": [{"key": "k".repeat(11)}]}),
        ),
        (
            90203,
            "miniprogram_notice",
            json!({"appid": "wx0", "title": "磁盘告警", "content_item": [{"value": "k".repeat(31)}]}),
        ),
    ];
    for (code, msgtype, payload) in cases {
        let got = send_payload(&wecom, msgtype, payload.clone()).json();
        assert_eq!(got["errcode"], code, "{msgtype} {got} {payload:.200}");
    }
    wecom.expire_media();
    assert_eq!(send_payload(&wecom, "image", json!({"media_id": image})).errcode(), 40007);
}

#[test]
fn switches_that_a_type_does_not_have() {
    let wecom = FakeWecom::start();
    let mut news = with_payload("news", json!({"articles": [{"title": "t", "url": "https://example.test"}]}));
    news["safe"] = json!(1);
    assert_eq!(send(&wecom, &news).errcode(), 40074);
    let mut notice = with_payload("miniprogram_notice", json!({"appid": "wx0", "title": "磁盘告警"}));
    notice["touser"] = json!("@all");
    assert_eq!(send(&wecom, &notice).errcode(), 40058);
    let file = media_id(&wecom, "file", b"any content");
    let mut safe_file = with_payload("file", json!({"media_id": file}));
    safe_file["safe"] = json!(1);
    assert_eq!(send(&wecom, &safe_file).errcode(), 0, "报告 1.txt may be confidential");
    assert_eq!(wecom.complaints(), ["POST message/send: safe is not a field of news"]);
    wecom.expect_unexpected();
}

#[test]
fn payloads_of_groups() {
    let wecom = FakeWecom::start();
    let picture = STANDARD.encode(PNG);
    let md5 = "d2eddf5d7bb6faa7bb1dfc8d7aefae1f";
    let real = md5_of(PNG);
    assert_ne!(md5, real);
    let cases = [
        (0, "text", json!({"content": "x", "mentioned_list": ["@all"], "mentioned_mobile_list": ["13800001111"]})),
        (40058, "text", json!({"content": "x".repeat(2049)})),
        (0, "markdown", json!({"content": "x".repeat(4096)})),
        (0, "markdown_v2", json!({"content": "| a |\n| - |"})),
        (44004, "markdown_v2", json!({"content": ""})),
        (40008, "textcard", json!({"title": "t"})),
        (0, "image", json!({"base64": picture, "md5": real})),
        (301_019, "image", json!({"base64": picture, "md5": md5})),
        (301_019, "image", json!({"base64": "data:image/png;base64,AAAA", "md5": real})),
        (40123, "image", json!({"base64": STANDARD.encode("a text"), "md5": md5_of(b"a text")})),
        (0, "news", json!({"articles": [{"title": "t", "url": "www.qq.com"}]})),
        (41010, "news", json!({"articles": [{"title": "t"}]})),
        (40007, "file", json!({"media_id": "unknown"})),
    ];
    for (code, msgtype, payload) in cases {
        let got = send_to_group(&wecom, msgtype, payload.clone()).json();
        assert_eq!(got["errcode"], code, "{msgtype} {got} {payload:.200}");
    }
    let got = send_to_group(&wecom, "markdown", json!({"content": "x".repeat(4097)})).json();
    assert_eq!(got["errcode"], 40058);
    assert!(got["errmsg"].as_str().unwrap().starts_with("markdown.content exceed max length 4096"), "{got}");
}

fn md5_of(bytes: &[u8]) -> String {
    use md5::Digest as _;
    md5::Md5::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
