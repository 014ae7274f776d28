//! The fake's group chats: who may use which, and what never arrives.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::fake::{AGENT_ID, CHAT_ID, CORP_ID, FakeWecom, Route, USERS};

use super::{get, post, token};

const OTHER_SECRET: &str = "test-secret-0000000000000000000000000000009";

fn body(chat: &str, more: &Value) -> Value {
    let mut body = json!({"chatid": chat, "msgtype": "text", "text": {"content": "磁盘满了"}});
    for (name, value) in more.as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}

fn code_with(wecom: &FakeWecom, token: &str, body: &Value) -> i64 {
    let target = format!("/cgi-bin/appchat/send?access_token={token}");
    post(wecom, &target, "application/json", body.to_string().as_bytes()).errcode()
}

fn code(wecom: &FakeWecom, body: &Value) -> i64 {
    code_with(wecom, &token(wecom), body)
}

#[test]
fn a_chat_is_of_the_app_that_made_it() {
    let wecom = FakeWecom::builder().app(CORP_ID, 1_000_003, OTHER_SECRET).start();
    wecom.add_chat("theirs", 1_000_003, ["lisi", "wangwu"]);
    assert_eq!(code(&wecom, &body(CHAT_ID, &json!({}))), 0);
    assert_eq!(code(&wecom, &body("theirs", &json!({}))), 86008);
    assert_eq!(code(&wecom, &body("nothere", &json!({}))), 86003);
    assert_eq!(code(&wecom, &body("", &json!({}))), 86201);
    let login = get(&wecom, &format!("/cgi-bin/gettoken?corpid={CORP_ID}&corpsecret={OTHER_SECRET}")).json();
    let other = login["access_token"].as_str().unwrap();
    assert_eq!(code_with(&wecom, other, &body("theirs", &json!({}))), 0);
    let messages = wecom.messages();
    assert_eq!(messages[0].route, Route::Chat { id: CHAT_ID.to_owned() });
    assert_eq!(messages[0].users, USERS);
    assert_eq!(messages[1].users, ["lisi", "wangwu"]);
    assert_eq!(wecom.chats().iter().find(|chat| chat.id == CHAT_ID).unwrap().agent_id, AGENT_ID);
    wecom.hide_root();
    assert_eq!(code(&wecom, &body(CHAT_ID, &json!({}))), 48002);
}

#[test]
fn has_no_cards_and_nothing_of_other_messages() {
    let wecom = FakeWecom::start();
    for msgtype in ["template_card", "miniprogram_notice", "markdown_v2"] {
        assert_eq!(code(&wecom, &body(CHAT_ID, &json!({"msgtype": msgtype}))), 40008, "{msgtype}");
    }
    assert_eq!(code(&wecom, &body(CHAT_ID, &json!({"safe": 1}))), 0);
    assert_eq!(code(&wecom, &body(CHAT_ID, &json!({"safe": 2}))), 40058);
    let mentions = json!({"text": {"content": "磁盘满了 <@lisi>", "mentioned_list": ["lisi", "@all"]}});
    assert_eq!(code(&wecom, &body(CHAT_ID, &mentions)), 0);
    assert!(wecom.complaints().is_empty(), "{:?}", wecom.complaints());
    wecom.expect_unexpected();
    let mobiles = json!({"text": {"content": "x", "mentioned_mobile_list": ["13800000000"]}});
    assert_eq!(code(&wecom, &body(CHAT_ID, &mobiles)), 0);
    let safe_markdown = json!({"msgtype": "markdown", "markdown": {"content": "x"}, "safe": 1});
    assert_eq!(code(&wecom, &body(CHAT_ID, &safe_markdown)), 0);
    assert_eq!(code(&wecom, &body(CHAT_ID, &json!({"agentid": AGENT_ID, "touser": "lisi"}))), 0);
    let complaints = wecom.complaints().join("\n");
    for part in ["mentioned_mobile_list", "safe is not", "agentid", "touser"] {
        assert!(complaints.contains(part), "{part}: {complaints}");
    }
}

#[test]
fn members_over_their_limit_get_nothing_and_nobody_is_told() {
    let wecom = FakeWecom::start();
    wecom.chat_member_limit(1, Duration::from_secs(3600));
    wecom.add_chat("pair", AGENT_ID, ["lisi", "zhaoliu"]);
    assert_eq!(code(&wecom, &body(CHAT_ID, &json!({}))), 0);
    assert_eq!(code(&wecom, &body("pair", &json!({}))), 0);
    assert_eq!(code(&wecom, &body(CHAT_ID, &json!({}))), 0);
    let messages = wecom.messages();
    assert_eq!((messages.len(), messages[1].users.as_slice()), (2, &["zhaoliu".to_owned()][..]));
    assert_eq!(wecom.dropped(), ["lisi", "zhangsan", "lisi", "wangwu"]);
}
