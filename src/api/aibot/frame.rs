//! Frames of an aibot's connection: JSON with `cmd`, `headers.req_id` and `body`; answers have no `cmd`. Pure.

use serde_json::{Map, Value, json};

use super::press::{AibotEvent, event_of, message_of, text};
use super::{EVENT_CALLBACK, MESSAGE_CALLBACK};
use crate::api::Reply;

/// What a frame from the server is.
#[derive(Debug, PartialEq)]
pub(super) enum Frame {
    /// The answer to the request of this `req_id`; `None` where it names none.
    Answer(Option<String>),
    /// Something unasked.
    Event(AibotEvent),
    /// Nothing that is used here: what it is, for the detail.
    Unused(String),
}

/// The text of a request.
pub(super) fn request(cmd: &str, req_id: &str, body: Option<Value>) -> String {
    let mut frame = json!({ "cmd": cmd, "headers": { "req_id": req_id } });
    if let (Some(fields), Some(body)) = (frame.as_object_mut(), body) {
        fields.insert("body".to_owned(), body);
    }
    frame.to_string()
}

/// Reads a frame from the server.
pub(super) fn read(bytes: &[u8]) -> Frame {
    let parsed = std::str::from_utf8(bytes).ok();
    let parsed = parsed.and_then(|text| serde_json::from_str(text.trim_start_matches('\u{feff}')).ok());
    let Some(fields): Option<Map<String, Value>> = parsed else {
        return Frame::Unused("a frame that is no JSON object".to_owned());
    };
    let headers = fields.get("headers").and_then(Value::as_object).unwrap_or(&fields);
    let req_id = text(headers, &["req_id", "reqid"]);
    let body = || fields.get("body").and_then(Value::as_object).unwrap_or(&fields);
    match text(&fields, &["cmd"]).as_deref() {
        Some(EVENT_CALLBACK) => match event_of(req_id.unwrap_or_default(), body()) {
            Ok(event) => Frame::Event(event),
            Err(kind) => Frame::Unused(format!("an event {kind}")),
        },
        Some(MESSAGE_CALLBACK) => Frame::Event(message_of(body())),
        _ if fields.contains_key("errcode") || fields.contains_key("errmsg") => Frame::Answer(req_id),
        Some(cmd) => Frame::Unused(format!("a frame {cmd}")),
        None if req_id.is_some() => Frame::Answer(req_id),
        None => Frame::Unused("a frame without cmd and req_id".to_owned()),
    }
}

/// An answer with the fields of its `body` beside its own: callers look for `upload_id`, wherever it stands.
pub(super) fn with_body_fields(mut reply: Reply) -> Reply {
    reply.fields.remove("headers");
    if let Some(Value::Object(body)) = reply.fields.remove("body") {
        for (name, value) in body {
            reply.fields.entry(name).or_insert(value);
        }
    }
    reply
}
