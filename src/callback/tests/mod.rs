//! Requests with the keys of the published vectors, and what is read of them.

mod hostile;
mod vectors;

use serde_json::json;

use super::seal::{encrypt, signature};
use super::*;
use crate::secret::Secret;

fn keys(token: &str, aes_key: &str, receive_id: &str) -> CallbackKeys {
    CallbackKeys::new(&Secret::new(token), &Secret::new(aes_key), receive_id).unwrap()
}

/// A published set: keys, and requests of them.
struct Vector {
    token: &'static str,
    aes_key: &'static str,
    receive_id: &'static str,
}

/// The vendor's own sample (document path 90968).
const A: Vector = Vector {
    token: "QDG6eK",
    aes_key: "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C",
    receive_id: "wx5823bf96d3bd56c7",
};
/// xen0n/go-workwx; the only key without bits at its end that no byte takes.
const B: Vector = Vector {
    token: "kjr2TKI8umCBfVF3wAHk8JiPwma5VBme",
    aes_key: "4Ma3YBrSBbX2aez8MJpXGBne5LSDwgGqHbhM9WPYIws",
    receive_id: "ww6a112864f8022910",
};
/// xen0n/go-workwx.
const C: Vector = Vector {
    token: "kz7Yx62CH8SaLN",
    aes_key: "cD0d7jx4tYvVtzqrmh3Dm3QFCXe6f8SlHoMtMh3qQEP",
    receive_id: "ww6a112864f8022910",
};
/// wechatpy/wechatpy.
const D: Vector = Vector {
    token: "123456",
    aes_key: "kWxPEV2UEDyxWpmPdKC3F4dgPDmOvfKX1HGnEUDS1aR",
    receive_id: "wx49f0ab532d5d035a",
};

impl Vector {
    fn keys(&self) -> CallbackKeys {
        keys(self.token, self.aes_key, self.receive_id)
    }
}

fn query(signature: &str, timestamp: i64, nonce: &str) -> String {
    format!("msg_signature={signature}&timestamp={timestamp}&nonce={nonce}")
}

const NOW: i64 = 1_800_000_000;

/// A request to these keys with that message: query and body.
fn request(vector: &Vector, message: &str, at: i64) -> (String, String) {
    let key = seal::key_of(vector.aes_key).unwrap();
    let sealed = encrypt(&key, [7; 16], message, vector.receive_id);
    let signature = signature(vector.token, &at.to_string(), "n0nce", &sealed);
    let body = match message.starts_with('{') {
        true => json!({ "encrypt": sealed }).to_string(),
        false => format!("<xml><AgentID>1000002</AgentID><Encrypt><![CDATA[{sealed}]]></Encrypt></xml>"),
    };
    (query(&signature, at, "n0nce"), body)
}

fn opened(vector: &Vector, message: &str) -> Result<OpenedRequest, RefusedRequest> {
    let (query, body) = request(vector, message, NOW);
    vector.keys().open(&query, body.as_bytes(), NOW)
}

fn event_xml(event: &str, more: &str) -> String {
    format!(
        "<xml><ToUserName><![CDATA[{}]]></ToUserName><FromUserName><![CDATA[zhangsan]]></FromUserName>\
         <CreateTime>1799999999</CreateTime><MsgType><![CDATA[event]]></MsgType><Event><![CDATA[{event}]]></Event>\
         <AgentID>1000002</AgentID>{more}</xml>",
        A.receive_id
    )
}

const PRESSED: &str = "<EventKey><![CDATA[ack]]></EventKey><TaskId><![CDATA[t1]]></TaskId>\
     <CardType><![CDATA[button_interaction]]></CardType><ResponseCode><![CDATA[code 1]]></ResponseCode>";

#[test]
fn a_press_on_an_apps_card() {
    let more = format!(
        "{PRESSED}<SelectedItems><SelectedItem><QuestionKey><![CDATA[q1]]></QuestionKey><OptionIds>\
         <OptionId><![CDATA[a]]></OptionId><OptionId><![CDATA[b]]></OptionId></OptionIds></SelectedItem>\
         <SelectedItem><QuestionKey>q2</QuestionKey><OptionIds></OptionIds></SelectedItem></SelectedItems>"
    );
    let expected = Press {
        task_id: "t1".to_owned(),
        key: "ack".to_owned(),
        userid: "zhangsan".to_owned(),
        selected: vec![("q1".to_owned(), vec!["a".to_owned(), "b".to_owned()]), ("q2".to_owned(), Vec::new())],
        at: 1_799_999_999,
        card_type: "button_interaction".to_owned(),
        response_code: "code 1".to_owned(),
        ..Press::default()
    };
    let by = |message: &str| opened(&A, message).unwrap();
    let press = by(&event_xml("template_card_event", &more));
    assert_eq!(press.event, CallbackEvent::Press(Box::new(expected.clone())));
    assert_eq!(press.event_id, event_id("app", &expected));
    assert!(press.event_id.len() == 32 && press.event_id.bytes().all(|byte| byte.is_ascii_hexdigit()));
    // A copy is known; another time, key or presser is another press.
    assert_eq!(by(&event_xml("template_card_event", &more)).event_id, press.event_id);
    for (of, instead) in [("1799999999", "1800000000"), ("[ack]", "[no]"), ("zhangsan", "lisi"), ("[t1]", "[t2]")] {
        let other = event_xml("template_card_event", &more).replace(of, instead);
        assert_ne!(by(&other).event_id, press.event_id, "{of}");
    }
    // Names in another letter case, as older pages have them; the menu at the top right.
    let other =
        event_xml("template_card_menu_event", &more).replace("TaskId", "TaskID").replace("EventKey", "Eventkey");
    assert_eq!(by(&other), press);
}

#[test]
fn what_happens_to_the_app_is_said() {
    let told = |event: &str, more: &str| opened(&A, &event_xml(event, more)).unwrap().event;
    let CallbackEvent::Notice(said) = told("inactive_alert", "<EffectTime>1800500000</EffectTime>") else { panic!() };
    assert!(said.contains("disable this app at 2027-01-") && said.ends_with("(inactive_alert)"), "{said}");
    for event in ["close_inactive_agent", "reopen_inactive_agent", "low_active_alert", "low_active", "active_restored"]
    {
        assert!(matches!(told(event, ""), CallbackEvent::Notice(said) if said.contains(event)), "{event}");
    }
    for event in ["subscribe", "enter_agent", "LOCATION", "view"] {
        assert_eq!(told(event, ""), CallbackEvent::Other(event.to_owned()));
    }
}

const BOT: Vector = Vector { receive_id: "", ..B };

#[test]
fn an_aibots_press_and_message() {
    let event = json!({
        "msgid": "m1", "create_time": 1_799_999_999, "aibotid": "aib1", "chatid": "room", "chattype": "group",
        "from": {"userid": "zhangsan"}, "msgtype": "event",
        "event": {"eventtype": "template_card_event", "template_card_event": {"event_key": "ack", "task_id": "t1"}},
    });
    let press = opened(&BOT, &event.to_string()).unwrap();
    let CallbackEvent::Press(found) = &press.event else { panic!("{press:?}") };
    assert_eq!((found.key.as_str(), found.task_id.as_str(), found.userid.as_str()), ("ack", "t1", "zhangsan"));
    assert!(found.is_group && found.response_code.is_empty());
    assert_eq!(press.event_id, event_id("aibot", found));
    let message = json!({"msgid": "m2", "from": {"userid": "lisi"}, "chattype": "single", "msgtype": "text", "text": {"content": "ack 17"}});
    let written = opened(&BOT, &message.to_string()).unwrap();
    assert!(
        matches!(&written.event, CallbackEvent::Message(message) if message.userid == "lisi" && message.text == "ack 17")
    );
    assert_ne!(written.event_id, press.event_id);
    let entered = json!({"msgtype": "event", "event": {"eventtype": "enter_chat"}});
    assert_eq!(opened(&BOT, &entered.to_string()).unwrap().event, CallbackEvent::Other("enter_chat".to_owned()));
    // Its answer is one that its own keys open; the nonce is that of the request.
    let (asked, _) = request(&BOT, &event.to_string(), NOW);
    let answer = BOT.keys().sealed_reply("{\"msgtype\":\"stream\"}", &asked, NOW, [9; 16]);
    let fields: serde_json::Value = serde_json::from_str(&answer).unwrap();
    assert_eq!((fields["nonce"].as_str(), fields["timestamp"].as_i64()), (Some("n0nce"), Some(NOW)));
    let signed = query(fields["msgsignature"].as_str().unwrap(), NOW, "n0nce");
    assert!(matches!(BOT.keys().open(&signed, answer.as_bytes(), NOW).unwrap().event, CallbackEvent::Message(_)));
}

#[test]
fn what_is_signed_and_cannot_be_read_is_told_apart() {
    for message in ["", "hello", "<xml>", "<!DOCTYPE x><xml/>", "{", "{\"a\": ", "[]"] {
        assert!(matches!(opened(&A, message), Err(RefusedRequest::Unreadable(_))), "{message}");
    }
    // A time that is not ten digits could be taken from its neighbour in what is signed.
    let (query, body) = request(&A, "<xml></xml>", 99_999_999_999);
    assert_eq!(A.keys().open(&query, body.as_bytes(), 99_999_999_999), Err(RefusedRequest::Forged));
}
