//! Tests of the fake's aibots, with a WebSocket client of their own.

mod basics;
mod cards;
mod clicks;
mod connections;
mod messages;
mod uploads;

use std::net::TcpStream;

use serde_json::{Value, json};
use tungstenite::{Message, WebSocket};

use crate::support::fake::{AIBOT_ID, AIBOT_SECRET, FakeWecom};

/// A client's end of an aibot's connection.
pub(super) struct Line {
    socket: WebSocket<TcpStream>,
    serial: usize,
    /// What came while something else was waited for.
    events: Vec<Value>,
}

impl Line {
    /// Connected, not subscribed.
    fn bare(wecom: &FakeWecom) -> Self {
        let stream = super::connect(wecom.address());
        let (socket, _) = tungstenite::client(wecom.aibot_url(), stream).unwrap();
        Self { socket, serial: 0, events: Vec::new() }
    }

    pub(super) fn subscribed(wecom: &FakeWecom) -> Self {
        let mut line = Self::bare(wecom);
        assert_eq!(line.code("aibot_subscribe", json!({"bot_id": AIBOT_ID, "secret": AIBOT_SECRET})), 0);
        line
    }

    fn send_text(&mut self, text: &str) {
        self.socket.send(Message::text(text)).unwrap();
    }

    /// Sends a frame and gives its req_id.
    fn put(&mut self, cmd: &str, body: &Value) -> String {
        self.serial += 1;
        let req_id = format!("line-{}", self.serial);
        self.respond(&req_id, cmd, body);
        req_id
    }

    fn respond(&mut self, req_id: &str, cmd: &str, body: &Value) {
        let mut frame = json!({"cmd": cmd, "headers": {"req_id": req_id}});
        if !body.is_null() {
            frame["body"] = body.clone();
        }
        self.send_text(&frame.to_string());
    }

    /// The next frame; `None` at the end.
    fn next(&mut self) -> Option<Value> {
        loop {
            match self.socket.read() {
                Ok(Message::Text(text)) => return Some(serde_json::from_str(&text).unwrap_or(Value::from(&*text))),
                Ok(Message::Close(_)) | Err(_) => return None,
                Ok(_) => {}
            }
        }
    }

    /// The next event.
    fn event(&mut self) -> Value {
        if !self.events.is_empty() {
            return self.events.remove(0);
        }
        let event = self.next().unwrap();
        assert!(event["cmd"].is_string(), "{event}");
        event
    }

    fn answer_to(&mut self, req_id: &str) -> Value {
        loop {
            let frame = self.next().unwrap();
            // The event of a click bears the same req_id as the answer to its answer.
            if frame["headers"]["req_id"] == req_id && frame["cmd"].is_null() {
                return frame;
            }
            self.events.push(frame);
        }
    }

    fn ask(&mut self, cmd: &str, body: Value) -> Value {
        let req_id = self.put(cmd, &body);
        self.answer_to(&req_id)
    }

    fn code(&mut self, cmd: &str, body: Value) -> i64 {
        self.ask(cmd, body)["errcode"].as_i64().unwrap()
    }

    pub(super) fn send(&mut self, chat: &str, msgtype: &str, payload: Value) -> i64 {
        self.code("aibot_send_msg", json!({"chatid": chat, "msgtype": msgtype, msgtype: payload}))
    }

    /// Answers a click with that card; the code.
    fn update(&mut self, req_id: &str, card: Value) -> i64 {
        let body = json!({"response_type": "update_template_card", "template_card": card});
        self.respond(req_id, "aibot_respond_update_msg", &body);
        self.answer_to(req_id)["errcode"].as_i64().unwrap()
    }
}

/// A card with two buttons.
pub(super) fn card(task_id: &str) -> Value {
    json!({
        "card_type": "button_interaction",
        "main_title": {"title": "磁盘满了", "desc": "web-3"},
        "button_list": [{"text": "处理", "style": 1, "key": "ack"}, {"text": "误报", "style": 2, "key": "false"}],
        "task_id": task_id,
    })
}
