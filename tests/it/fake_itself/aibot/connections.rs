//! One connection per bot on the fake, and how connections end.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::fake::{AIBOT_ID, AIBOT_SECRET, Change, Endpoint, FakeWecom, Reply};
use crate::support::wait_until;

use super::Line;

fn message() -> Value {
    json!({"chatid": "zhangsan", "msgtype": "markdown", "markdown": {"content": "磁盘满了"}})
}

#[test]
fn a_new_subscription_ends_the_old_one() {
    let wecom = FakeWecom::start();
    let mut old = Line::subscribed(&wecom);
    let mut new = Line::subscribed(&wecom);
    let event = old.event();
    assert_eq!(event["cmd"], "aibot_event_callback");
    assert_eq!(event["body"]["event"]["eventtype"], "disconnected_event");
    assert_eq!(old.next(), None);
    assert_eq!(new.code("aibot_send_msg", message()), 0);
    assert_eq!(wecom.aibot(AIBOT_ID).subscriptions(), 2);
    // Somebody far away.
    wecom.aibot(AIBOT_ID).kick();
    assert_eq!(new.event()["body"]["event"]["eventtype"], "disconnected_event");
    assert_eq!(new.next(), None);
    assert!(!wecom.aibot(AIBOT_ID).is_subscribed());
}

#[test]
fn an_old_connection_may_stay_half_dead() {
    let wecom = FakeWecom::start();
    wecom.aibot(AIBOT_ID).set(|bot| bot.keeps_old_sockets = true);
    let mut old = Line::subscribed(&wecom);
    let _new = Line::subscribed(&wecom);
    assert_eq!(old.event()["body"]["event"]["eventtype"], "disconnected_event");
    old.put("aibot_send_msg", &message());
    assert_eq!((old.code("ping", Value::Null), old.events.len()), (0, 0));
    assert_eq!(wecom.messages().len(), 0);
}

#[test]
fn a_connection_half_dead_or_silent() {
    let wecom = FakeWecom::start();
    let bot = wecom.aibot(AIBOT_ID);
    let mut line = Line::subscribed(&wecom);
    assert_eq!(line.send("zhangsan", "template_card", super::card("disk-1")), 0);
    bot.make_half_dead();
    line.put("aibot_send_msg", &message());
    bot.press("disk-1", "ack", "zhangsan");
    assert_eq!((line.code("ping", Value::Null), line.events.len()), (0, 0));
    assert!(!bot.presses()[0].is_told);
    bot.make_silent();
    let before = wecom.count(Endpoint::AibotPing);
    line.put("ping", &Value::Null);
    wait_until("the ping came", || wecom.count(Endpoint::AibotPing) > before);
    bot.drop_connection();
    assert_eq!(line.next(), None);
    assert_eq!(wecom.messages().len(), 1);
}

#[test]
fn who_says_nothing_is_closed() {
    let wecom = FakeWecom::builder().aibot_silence_limit(Duration::from_millis(200)).start();
    let mut line = Line::subscribed(&wecom);
    assert_eq!(line.next(), None);
    wait_until("the bot is free", || !wecom.aibot(AIBOT_ID).is_subscribed());
}

#[test]
fn the_end_comes_before_or_after_a_message_is_taken() {
    let wecom = FakeWecom::start();
    let ends = [
        (Reply::ResetAfterReading, 0),
        (Reply::CloseAfterReading, 0),
        (Reply::accept_then(Reply::ResetAfterReading), 1),
        (Reply::accept_then(Reply::CloseAfterReading), 1),
        (Reply::accept_then(Reply::CutAfterHeaders), 1),
    ];
    for (reply, taken) in ends {
        let before = wecom.messages().len();
        let mut line = Line::subscribed(&wecom);
        wecom.script(Endpoint::AibotSendMsg, [reply.clone()]);
        line.put("aibot_send_msg", &message());
        assert_eq!(line.next(), None, "{reply:?}");
        assert_eq!(wecom.messages().len() - before, taken, "{reply:?}");
    }
    let mut line = Line::subscribed(&wecom);
    wecom.script(Endpoint::AibotSendMsg, [Reply::CloseAfterAnswer]);
    assert_eq!(line.code("aibot_send_msg", message()), 0);
    assert_eq!(line.next(), None);
    // Kicked while a message is under way: it is taken, the event comes first, then the answer.
    let mut line = Line::subscribed(&wecom);
    let kick = Change::Kick { aibot: AIBOT_ID.into() };
    wecom.script(Endpoint::AibotSendMsg, [Reply::Meanwhile(kick, Box::new(Reply::Normal))]);
    line.put("aibot_send_msg", &message());
    assert_eq!(line.event()["body"]["event"]["eventtype"], "disconnected_event");
    assert_eq!(line.next(), None);
}

#[test]
fn subscriptions_fail_as_ordered() {
    let wecom = FakeWecom::start();
    let slow = Reply::delayed(Duration::from_millis(200), Reply::Normal);
    wecom.script(Endpoint::AibotSubscribe, [Reply::errcode(846_601, "not in long connection mode"), slow]);
    let subscription = json!({"bot_id": AIBOT_ID, "secret": AIBOT_SECRET});
    let mut line = Line::bare(&wecom);
    assert_eq!(line.code("aibot_subscribe", subscription.clone()), 846_601);
    assert!(!wecom.aibot(AIBOT_ID).is_subscribed());
    assert_eq!(line.code("aibot_subscribe", subscription.clone()), 0);
    let bot = wecom.aibot(AIBOT_ID);
    bot.set(|bot| bot.subscription_limit = Some((1, Duration::from_secs(3600))));
    assert_eq!(Line::bare(&wecom).code("aibot_subscribe", subscription.clone()), 45009);
    bot.set(|bot| bot.subscription_limit = None);
    wecom.expect_unexpected();
    assert_eq!(line.code("aibot_subscribe", subscription), 0);
    assert!(wecom.complaints()[0].contains("a second subscription"), "{:?}", wecom.complaints());
    line.socket.send(tungstenite::Message::Ping(Default::default())).unwrap();
    line.socket.send(tungstenite::Message::binary(b"{}".as_slice())).unwrap();
    wait_until("both are complained of", || wecom.complaints().len() == 3);
}

#[test]
fn is_below_its_prefix_and_says_anything() {
    let wecom = FakeWecom::builder().prefix("/relay").start();
    assert!(wecom.aibot_url().starts_with("ws://127.0.0.1:") && wecom.aibot_url().ends_with("/relay"));
    let mut line = Line::subscribed(&wecom);
    let bot = wecom.aibot(AIBOT_ID);
    bot.send_text("no JSON");
    assert_eq!(line.next().unwrap(), "no JSON");
    bot.send_bytes(b"\xff");
    assert!(line.socket.read().unwrap().is_binary());
    bot.close_connection();
    assert_eq!(line.next(), None);
}
