//! The fake as it calls a callback address, and response_codes of presses.

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::sync::mpsc;

use super::*;
use crate::support::fake::{
    AIBOT_CALLBACK_AES_KEY, AIBOT_CALLBACK_TOKEN, CALLBACK_AES_KEY, CALLBACK_TOKEN, Click, Keys,
};

/// An address that answers so, one request each, and what came there: the query, and the body.
fn address(answers: Vec<(u16, String)>) -> (String, mpsc::Receiver<(String, String)>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/wecom", listener.local_addr().unwrap());
    let (came, requests) = mpsc::channel();
    std::thread::spawn(move || {
        for (status, answer) in answers {
            let (mut stream, _) = listener.accept().unwrap();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let (mut first, mut length) = (String::new(), 0);
            reader.read_line(&mut first).unwrap();
            loop {
                let mut line = String::new();
                reader.read_line(&mut line).unwrap();
                length = line.strip_prefix("Content-Length: ").map_or(length, |value| value.trim().parse().unwrap());
                if line.trim().is_empty() {
                    break;
                }
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).unwrap();
            let query = first.split(['?', ' ']).nth(2).unwrap().to_owned();
            came.send((query, String::from_utf8(body).unwrap())).unwrap();
            write!(stream, "HTTP/1.1 {status} x\r\nContent-Length: {}\r\n\r\n{answer}", answer.len()).unwrap();
        }
    });
    (url, requests)
}

fn field<'q>(query: &'q str, name: &str) -> &'q str {
    query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('=')).unwrap()
}

/// The message in a request, whose signature must be right.
fn opened(keys: &Keys, query: &str, sealed: &str) -> String {
    let signature = keys.sign(field(query, "timestamp"), field(query, "nonce"), sealed);
    assert_eq!(field(query, "msg_signature"), signature);
    keys.decrypt(sealed).unwrap()
}

fn sealed_in(body: &str) -> &str {
    body.split("<Encrypt><![CDATA[").nth(1).unwrap().split("]]>").next().unwrap()
}

fn update(wecom: &FakeWecom, code: &str, more: Value) -> i64 {
    let mut body = json!({"agentid": AGENT_ID, "response_code": code, "atall": 1});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let target = format!("/cgi-bin/message/update_template_card?access_token={}", token(wecom));
    post(wecom, &target, "application/json", body.to_string().as_bytes()).errcode()
}

#[test]
fn a_press_is_told_until_it_is_taken_and_brings_a_code_for_one_change() {
    let wecom = FakeWecom::start();
    let sent = send_payload(&wecom, "template_card", super::card_rules::button_card("disk-1")).json();
    let (url, came) = address(vec![(500, String::new()), (502, String::new()), (200, String::new())]);
    let callback = wecom.callback(&url);
    let told = callback.press("disk-1", "ack", "zhangsan");
    assert!(told.is_taken() && told.attempts.len() == 3);
    let keys = Keys::new(CALLBACK_TOKEN, CALLBACK_AES_KEY, CORP_ID);
    let mut messages = came.iter().map(|(query, body)| opened(&keys, &query, sealed_in(&body)));
    let message = messages.next().unwrap();
    assert!(messages.all(|other| other == message), "a copy is the same");
    for part in ["template_card_event", "<![CDATA[disk-1]]>", "zhangsan", told.response_code.as_str()] {
        assert!(message.contains(part), "{part} in {message}");
    }
    // Both codes are good once each, in any order; a card that was changed has other buttons.
    let (of_send, of_press) = (sent["response_code"].as_str().unwrap(), told.response_code.as_str());
    assert_eq!(update(&wecom, of_press, json!({"button": {"replace_name": "zhangsan"}})), 0);
    assert_eq!(update(&wecom, of_press, json!({"button": {"replace_name": "again"}})), 60140);
    let refused = callback.press_request(&Click { task_id: "disk-1", key: "ack", userid: "zhangsan", ..click() });
    assert!(refused.is_err(), "its buttons are off");
    let stale = Click { task_id: "disk-1", key: "ack", userid: "lisi", on_any_face: true, ..click() };
    assert!(callback.press_request(&stale).unwrap_err().contains("did not get the card"));
    assert_eq!(update(&wecom, of_send, json!({"template_card": super::card_rules::text_card()})), 0);
    let card = &wecom.app_cards()[0];
    assert_eq!((card.changes, card.face["card_type"].as_str()), (2, Some("text_notice")));
    // Its clients may not have heard of it; that press has 72 hours of its own.
    let late = callback.press_request(&Click { userid: "zhangsan", ..stale }).unwrap();
    wecom.age_messages(Duration::from_secs(72 * 3600 + 1));
    assert_eq!(update(&wecom, &late.response_code, json!({"button": {"replace_name": "x"}})), 60140);
}

fn click() -> Click<'static> {
    Click { task_id: "", key: "", userid: "", chosen: &[], on_any_face: false }
}

#[test]
fn an_address_is_verified_by_the_plain_text_alone() {
    let wecom = FakeWecom::start();
    let (url, came) = address(vec![(200, "123".to_owned()), (403, String::new())]);
    assert!(wecom.callback(&url).verify().unwrap_err().starts_with("200"));
    assert!(wecom.callback(&url).verify().unwrap_err().starts_with("403"));
    let (query, _) = came.recv().unwrap();
    let sealed = field(&query, "echostr").replace("%2B", "+").replace("%2F", "/").replace("%3D", "=");
    let text = opened(&Keys::new(CALLBACK_TOKEN, CALLBACK_AES_KEY, CORP_ID), &query, &sealed);
    assert!(text.len() == 19 || text.len() == 20, "{text}");
    let request = wecom.callback(&url).verification("1");
    assert_ne!(request.forged().query, request.query);
}

#[test]
fn the_answer_to_an_aibots_callback_changes_the_card() {
    let wecom = FakeWecom::start();
    let mut line = super::aibot::Line::subscribed(&wecom);
    assert_eq!(line.send("zhangsan", "template_card", super::aibot::card("disk-1")), 0);
    let keys = Keys::new(AIBOT_CALLBACK_TOKEN, AIBOT_CALLBACK_AES_KEY, "");
    // The nonce is that of the request, so the answer is made when it is known.
    let callback = wecom.aibot_callback("http://127.0.0.1:9/");
    let request =
        callback.press_request(&Click { task_id: "disk-1", key: "ack", userid: "zhangsan", ..click() }).unwrap();
    let message = json!({"response_type": "update_template_card", "template_card": super::aibot::card("disk-1")});
    let (sealed, nonce) = (keys.encrypt(&message.to_string()), field(&request.query, "nonce"));
    let answer =
        json!({"encrypt": sealed, "msgsignature": keys.sign("1", nonce, &sealed), "timestamp": 1, "nonce": nonce});
    let (url, came) = address(vec![(200, answer.to_string()), (500, String::new())]);
    let callback = wecom.aibot_callback(&url);
    let told = callback.deliver(&request);
    assert!(told.is_taken() && told.attempts.len() == 1);
    assert_eq!(wecom.aibot(crate::support::fake::AIBOT_ID).cards()[0].changes, 1);
    let (query, body) = came.recv().unwrap();
    let body: Value = serde_json::from_str(&body).unwrap();
    let event: Value = serde_json::from_str(&opened(&keys, &query, body["encrypt"].as_str().unwrap())).unwrap();
    assert_eq!(event["event"]["template_card_event"]["event_key"], "ack");
    assert!(!callback.deliver(&callback.word("lisi", "hello")).is_taken(), "one attempt");
}
