//! What the fake's aibot takes as a message, and to whom.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::fake::{AIBOT_CHAT, AIBOT_ID, FakeWecom, Reply};
use crate::support::fake::{Change, Endpoint};

use super::{Line, card};

fn words() -> Value {
    json!({"content": "磁盘满了"})
}

#[test]
fn frames_that_are_none_are_refused_loudly() {
    let wecom = FakeWecom::start();
    let mut line = Line::subscribed(&wecom);
    let frames = [
        ("[]", "not a JSON object"),
        ("磁盘满了", "not a JSON object"),
        (r#"{"headers":{"req_id":"a"}}"#, "without cmd"),
        (r#"{"cmd":7,"headers":{"req_id":"a"}}"#, "without cmd"),
        (r#"{"cmd":"ping","headers":{}}"#, "without headers.req_id"),
        (r#"{"cmd":"ping","headers":{"req_id":7}}"#, "without headers.req_id"),
        (r#"{"cmd":"ping","req_id":"a"}"#, "without headers.req_id"),
        (r#"{"cmd":"aibot_send_msg","headers":{"req_id":"a"},"body":[]}"#, "not an object"),
        (r#"{"cmd":"aibot_recall","headers":{"req_id":"a"}}"#, "nobody expected the cmd aibot_recall"),
    ];
    for (frame, complaint) in frames {
        let before = wecom.complaints().len();
        line.send_text(frame);
        assert_eq!(line.next().unwrap()["errcode"], 40058, "{frame}");
        let complaints = wecom.complaints().split_off(before).join("\n");
        assert!(complaints.contains(complaint), "{frame}: {complaints}");
    }
    let before = wecom.complaints().len();
    line.send_text(r#"{"cmd":"ping","headers":{"req_id":"a","seq":1},"extra":1}"#);
    assert_eq!(line.next().unwrap()["errcode"], 0);
    assert_eq!(wecom.complaints().len(), before + 2);
    wecom.expect_unexpected();
}

#[test]
fn texts_are_not_taken_and_markdown_has_its_limit() {
    let wecom = FakeWecom::start();
    let mut line = Line::subscribed(&wecom);
    for msgtype in ["text", "markdown_v2", "news", "textcard", "stream", ""] {
        assert_eq!(line.send("zhangsan", msgtype, words()), 40008, "{msgtype}");
    }
    let markdown = |content: String| json!({"content": content, "feedback": {"id": "disk-1"}});
    assert_eq!(line.send("zhangsan", "markdown", markdown("x".repeat(20_480))), 0);
    assert_eq!(line.send("zhangsan", "markdown", markdown("x".repeat(20_481))), 40058);
    assert_eq!(line.send("zhangsan", "markdown", markdown(String::new())), 44004);
    assert_eq!(line.send("zhangsan", "markdown", json!({"content": "x", "feedback": {"id": "i".repeat(257)}})), 40058);
    assert_eq!(line.code("aibot_send_msg", json!({"chatid": "zhangsan", "msgtype": "markdown"})), 44004);
    for kind in ["image", "file", "voice", "video"] {
        assert_eq!(line.send("zhangsan", kind, json!({"media_id": "nowhere"})), 40007, "{kind}");
    }
    assert_eq!(wecom.messages().len(), 1);
}

#[test]
fn only_where_somebody_has_written_and_with_the_very_id() {
    let wecom = FakeWecom::builder().person("zhaoliu", crate::support::fake::Person::default()).start();
    let bot = wecom.aibot(AIBOT_ID);
    bot.set(|bot| bot.quiet_groups.push("wrQuiet".into()));
    let mut line = Line::subscribed(&wecom);
    for (chat, code) in [
        ("zhangsan", 0),
        (AIBOT_CHAT, 0),
        ("ZhangSan", 93006),
        (AIBOT_CHAT.to_lowercase().as_str(), 93006),
        ("nobody", 93006),
        ("", 93006),
        ("zhaoliu", 846_607),
        ("wrQuiet", 846_607),
    ] {
        assert_eq!(line.send(chat, "markdown", words()), code, "{chat}");
    }
    bot.written_by("zhaoliu", "hello");
    bot.mentioned_in("wrQuiet", "lisi", "hello");
    let (word, mention) = (line.event(), line.event());
    assert_eq!((&word["cmd"], &word["body"]["chatid"]), (&json!("aibot_msg_callback"), &Value::Null));
    assert_eq!((&mention["body"]["chatid"], &mention["body"]["chattype"]), (&json!("wrQuiet"), &json!("group")));
    assert_eq!(line.send("zhaoliu", "markdown", words()), 0);
    assert_eq!(line.send("wrQuiet", "markdown", words()), 0);
    let with_type =
        |chat: &str, kind: i64| json!({"chatid": chat, "chat_type": kind, "msgtype": "markdown", "markdown": words()});
    for (chat, kind, code) in [
        ("lisi", 1, 0),
        ("lisi", 0, 0),
        ("lisi", 2, 93006),
        (AIBOT_CHAT, 2, 0),
        (AIBOT_CHAT, 1, 93006),
        ("lisi", 3, 40058),
    ] {
        assert_eq!(line.code("aibot_send_msg", with_type(chat, kind)), code, "{chat} {kind}");
    }
    bot.set(|bot| bot.refuses_group_pushes = true);
    assert_eq!(line.send(AIBOT_CHAT, "markdown", words()), 846_607);
    assert_eq!(line.send("lisi", "markdown", words()), 0);
    let before = wecom.messages().len();
    bot.set(|bot| (bot.refuses_group_pushes, bot.drops_group_pushes) = (false, true));
    assert_eq!(line.send(AIBOT_CHAT, "markdown", words()), 0);
    assert_eq!(wecom.messages().len(), before);
    bot.other_event("lisi", "enter_chat", &Value::Null);
    assert_eq!(line.event()["body"]["event"], json!({"eventtype": "enter_chat"}));
}

#[test]
fn a_conversation_has_a_limit_when_asked_for() {
    let wecom = FakeWecom::start();
    let mut line = Line::subscribed(&wecom);
    wecom
        .aibot(AIBOT_ID)
        .set(|bot| bot.limits = vec![(2, Duration::from_secs(3600)), (1000, Duration::from_secs(7200))]);
    let codes = [(); 3].map(|()| line.send("zhangsan", "markdown", words()));
    assert_eq!(codes, [0, 0, 846_607]);
    assert_eq!(line.send("lisi", "markdown", words()), 0);
    // An answer to a click counts too, and is not refused.
    assert_eq!(line.send("wangwu", "template_card", card("disk-1")), 0);
    let click = wecom.aibot(AIBOT_ID).press("disk-1", "ack", "wangwu");
    assert_eq!(line.update(&click, card("disk-1")), 0);
    assert_eq!(line.send("wangwu", "markdown", words()), 846_607);
}

#[test]
fn an_ordinary_members_bot_sees_encrypted_ids() {
    let wecom = FakeWecom::start();
    let bot = wecom.aibot(AIBOT_ID);
    bot.set(|bot| bot.has_encrypted_ids = true);
    let mut line = Line::subscribed(&wecom);
    assert_eq!(line.send("zhangsan", "template_card", card("disk-1")), 0);
    bot.press("disk-1", "ack", "zhangsan");
    let from = line.event()["body"]["from"]["userid"].as_str().unwrap().to_owned();
    assert!(from.starts_with("wo") && from == bot.encrypted_id("zhangsan"), "{from}");
    assert_eq!(line.send(&from, "markdown", words()), 0);
    assert_eq!(wecom.messages()[1].users, ["zhangsan"]);
    let target = format!("/cgi-bin/batch/openuserid_to_userid?access_token={}", super::super::token(&wecom));
    let asked = json!({"open_userid_list": [from, "lisi", bot.encrypted_id("stranger")]});
    let answer = super::super::post(&wecom, &target, "application/json", asked.to_string().as_bytes()).json();
    assert_eq!(answer["userid_list"], json!([{"open_userid": from, "userid": "zhangsan"}]));
    assert_eq!(answer["invalid_open_userid_list"], json!(["lisi", bot.encrypted_id("stranger")]));
}

#[test]
fn every_example_is_taken() {
    let wecom = FakeWecom::builder().aibot("room", "test-secret-of-room", ["zhangsan"], &[]).start();
    wecom.aibot(AIBOT_ID).set(|bot| bot.open_group("wrOncallRoom00000000000000000001"));
    let mut line = Line::subscribed(&wecom);
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/payloads/aibot");
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let mut body: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        let msgtype = body["msgtype"].as_str().unwrap().to_owned();
        if body[&msgtype]["media_id"].is_string() {
            body[&msgtype]["media_id"] = json!(super::uploads::media_id(&mut line, &msgtype));
        }
        assert_eq!(line.code("aibot_send_msg", body), 0, "{}", path.display());
        count += 1;
    }
    assert_eq!(wecom.messages().len(), count);
    let remarks = wecom.messages().into_iter().flat_map(|message| message.remarks).collect::<Vec<_>>();
    assert_eq!(remarks, [""; 0]);
}

#[test]
fn answers_come_late_or_wrong_as_ordered() {
    let wecom = FakeWecom::start();
    let mut line = Line::subscribed(&wecom);
    let send = Endpoint::AibotSendMsg;
    let late = Reply::delayed(Duration::from_millis(300), Reply::Normal);
    wecom.script(send, [late, Reply::ToNobody(Box::new(Reply::Normal)), Reply::HangAfterReading]);
    let body = json!({"chatid": "zhangsan", "msgtype": "markdown", "markdown": words()});
    let first = line.put("aibot_send_msg", &body);
    line.put("aibot_send_msg", &body);
    line.put("aibot_send_msg", &body);
    let last = line.put("ping", &Value::Null);
    // What is late holds up nothing else.
    let of_nobody = line.next().unwrap();
    assert_eq!((&of_nobody["headers"]["req_id"], &of_nobody["errcode"]), (&json!("req-id-of-nobody"), &json!(0)));
    assert_eq!(line.next().unwrap()["headers"]["req_id"], last.as_str());
    assert_eq!(line.next().unwrap()["headers"]["req_id"], first.as_str());
    assert_eq!(wecom.messages().len(), 2);
    let junk = Reply::AfterText("no JSON".into(), Box::new(Reply::errcode(846_607, "no")));
    wecom.script(send, [junk]);
    let refused = line.put("aibot_send_msg", &body);
    assert_eq!(line.next().unwrap(), "no JSON");
    assert_eq!(line.answer_to(&refused)["errcode"], 846_607);
    // Somebody is quicker with the button than the answer.
    let press = Change::Press { aibot: AIBOT_ID.into(), key: "ack".into(), userid: "zhangsan".into() };
    wecom.script(send, [Reply::meanwhile(press)]);
    assert_eq!(line.send("zhangsan", "template_card", card("disk-1")), 0);
    assert_eq!(line.events[0]["body"]["event"]["template_card_event"]["task_id"], "disk-1");
    wecom.script(send, [Reply::NotUtf8]);
    line.put("aibot_send_msg", &body);
    assert!(line.socket.read().unwrap().is_binary());
}
