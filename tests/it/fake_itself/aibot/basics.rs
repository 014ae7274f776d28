//! Upgrade, subscription, heartbeat, a message and a click.

use serde_json::{Value, json};

use crate::support::fake::{AIBOT_CHAT, AIBOT_ID, AIBOT_SECRET, Endpoint, FakeWecom, Reply, Route};

use super::super::{get, token};
use super::{Line, card};

#[test]
fn an_aibot_subscribes_beats_and_sends() {
    let wecom = FakeWecom::start();
    let mut line = Line::subscribed(&wecom);
    assert!(wecom.aibot(AIBOT_ID).is_subscribed());
    assert_eq!(line.code("ping", Value::Null), 0);
    assert_eq!(line.send("zhangsan", "markdown", json!({"content": "**磁盘满了**"})), 0);
    assert_eq!(line.send(AIBOT_CHAT, "markdown", json!({"content": "x"})), 0);
    let messages = wecom.messages();
    let route = |chat: &str, is_group| Route::Aibot { bot_id: AIBOT_ID.to_owned(), chat: chat.to_owned(), is_group };
    assert_eq!(
        (&messages[0].route, messages[0].users.as_slice()),
        (&route("zhangsan", false), &["zhangsan".to_owned()][..])
    );
    assert_eq!(messages[0].payload()["content"], "**磁盘满了**");
    assert_eq!((&messages[1].route, messages[1].users.len()), (&route(AIBOT_CHAT, true), 0));
    let cmds = wecom.requests().iter().map(|seen| seen.endpoint).collect::<Vec<_>>();
    let sent = Endpoint::AibotSendMsg;
    assert_eq!(cmds, [Endpoint::AibotConnect, Endpoint::AibotSubscribe, Endpoint::AibotPing, sent, sent]);
}

#[test]
fn nothing_goes_without_a_subscription_of_a_known_bot() {
    let wecom = FakeWecom::start();
    let mut line = Line::bare(&wecom);
    assert_eq!(line.code("ping", Value::Null), 846_609);
    assert_eq!(line.send("zhangsan", "markdown", json!({"content": "x"})), 846_609);
    let subscription = |bot: &str, secret: &str| json!({"bot_id": bot, "secret": secret});
    assert_eq!(line.code("aibot_subscribe", subscription(AIBOT_ID, "another")), 853_000);
    assert_eq!(line.code("aibot_subscribe", subscription("another", AIBOT_SECRET)), 853_000);
    assert_eq!(line.code("aibot_subscribe", subscription(AIBOT_ID, AIBOT_SECRET)), 0);
    assert_eq!(line.code("ping", Value::Null), 0);
}

#[test]
fn a_click_comes_as_an_event_and_its_answer_changes_the_card() {
    let wecom = FakeWecom::start();
    let bot = wecom.aibot(AIBOT_ID);
    let mut line = Line::subscribed(&wecom);
    assert_eq!(line.send("zhangsan", "template_card", card("disk-1")), 0);
    let req_id = bot.press("disk-1", "ack", "zhangsan");
    let event = line.event();
    assert_eq!(event["cmd"], "aibot_event_callback");
    assert_eq!(event["headers"]["req_id"], req_id.as_str());
    let body = &event["body"];
    assert_eq!((&body["aibotid"], &body["chattype"]), (&json!(AIBOT_ID), &json!("single")));
    assert_eq!((&body["from"]["userid"], &body["chatid"]), (&json!("zhangsan"), &Value::Null));
    assert!(body["msgid"].is_string() && body["create_time"].is_i64());
    let click = &body["event"]["template_card_event"];
    let expected = json!({"card_type": "button_interaction", "event_key": "ack", "task_id": "disk-1"});
    assert_eq!((&body["event"]["eventtype"], click), (&json!("template_card_event"), &expected));
    let mut changed = card("disk-1");
    changed["button_list"] = json!([{"text": "zhangsan 在处理", "style": 1, "key": "done"}]);
    assert_eq!(line.update(&req_id, changed.clone()), 0);
    let cards = bot.cards();
    assert_eq!((&cards[0].face, cards[0].changes), (&changed, 1));
    let updates = bot.updates();
    assert_eq!((updates[0].req_id.as_str(), updates[0].userid.as_str()), (req_id.as_str(), "zhangsan"));
    assert!(bot.presses()[0].is_answered);
    assert!(
        bot.try_press(&crate::support::fake::Click {
            task_id: "disk-1",
            key: "ack",
            userid: "zhangsan",
            chosen: &[],
            on_any_face: false
        })
        .is_err()
    );
}

#[test]
fn an_upgrade_may_be_refused_and_needs_its_headers() {
    let wecom = FakeWecom::start();
    wecom.script(Endpoint::AibotConnect, [Reply::status(502), Reply::PortalPage]);
    for status in [502, 200] {
        let stream = super::super::connect(wecom.address());
        let refused = tungstenite::client(wecom.aibot_url(), stream).unwrap_err();
        let tungstenite::HandshakeError::Failure(tungstenite::Error::Http(answer)) = refused else {
            unreachable!("{refused:?}")
        };
        assert_eq!(answer.status(), status);
    }
    wecom.expect_unexpected();
    assert_eq!(get(&wecom, "/").status, 404);
    let request = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nUpgrade: websocket\r\n\r\n";
    assert_eq!(super::super::ask(&wecom, request.as_bytes()).status, 400);
    assert!(!token(&wecom).is_empty());
}
