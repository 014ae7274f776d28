//! What is sent: from options, text, payloads and files to the bytes that arrive, through the real binary.

mod app_messages;
mod encodings;
mod file_names;
mod limits;
mod media_failures;
mod media_files;
#[cfg(target_os = "linux")]
mod memory;
mod mentions;
mod payload_files;
mod payload_rules;
mod text_sources;
mod text_unharmed;
mod unsupported_markup;
mod upload_media;
mod webhook_messages;

use serde_json::{Value, json};
use wecom_alert::channel::Channel;

use crate::support::fake::{Arrived, CHAT_ID, Upload};
use crate::support::{Cmd, Run, Scene};

pub(crate) const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\0IEND\xae\x42\x60\x82";
const JPEG: &[u8] = b"\xff\xd8\xff\xe0\0\x10JFIF\xff\xd9";
pub(crate) const AMR: &[u8] = b"#!AMR\n\x04aaaaaaaaaaaa";
pub(crate) const MP4: &[u8] = b"\0\0\0\x18ftypisom\0\0\x02\0isommp41";
pub(crate) const MIB: usize = 1024 * 1024;

/// The media_id of a sample of that kind, uploaded by `upload-media`.
fn uploaded(scene: &Scene, route: Channel, kind: &str) -> String {
    let sample = match kind {
        "image" => PNG,
        "voice" => AMR,
        "video" => MP4,
        _ => b"a file",
    };
    let file = scene.env.file("sample.txt", sample);
    let run = scene.cmd(&["upload-media", "--route", route.as_str(), "-t", kind]).arg(file).run().assert_code(0);
    run.json()["media_id"].as_str().unwrap().to_owned()
}

/// The last of the messages; every send must have arrived.
#[track_caller]
fn last(scene: &Scene, case: &str) -> Arrived {
    let messages = scene.wecom.messages();
    assert_eq!(scene.sends(), messages.len(), "{case}: a send that did not arrive");
    messages.last().unwrap_or_else(|| panic!("{case}: nothing arrived")).clone()
}

#[track_caller]
fn last_upload(scene: &Scene, case: &str) -> Upload {
    scene.wecom.uploads().last().unwrap_or_else(|| panic!("{case}: nothing was uploaded")).clone()
}

/// Runs a command that must not make any request at all.
#[track_caller]
fn refused(scene: &Scene, case: &str, cmd: Cmd, code: i32) -> Refusal {
    let before = scene.wecom.requests().len();
    let refusal = refusal(case, cmd.run(), code);
    assert_eq!(scene.wecom.requests().len(), before, "{case}: a request was made");
    refusal
}

/// The body of a text message of the given route, as the options make it.
fn body_of(route: Channel, msgtype: &str, payload: Value) -> Value {
    match route {
        Channel::App => json!({"touser": "zhangsan", "agentid": 1_000_002, "msgtype": msgtype, msgtype: payload}),
        Channel::Webhook => json!({"msgtype": msgtype, msgtype: payload}),
        Channel::Chat => json!({"chatid": CHAT_ID, "msgtype": msgtype, msgtype: payload}),
        Channel::Aibot => json!({"msgtype": msgtype, msgtype: payload, "chatid": "zhangsan", "chat_type": 1}),
    }
}

/// Checks every field that scripts read after a send that went well; gives the document.
#[track_caller]
fn assert_sent(case: &str, run: Run) -> Value {
    let shown = format!("{case}\n{}", run.all());
    assert_eq!(run.code, Some(0), "{shown}");
    assert_eq!(run.stderr, "", "{shown}");
    let document = run.json();
    for (field, expected) in [
        ("ok", json!(true)),
        ("status", json!("sent")),
        ("exit_code", json!(0)),
        ("errcode", json!(0)),
        ("errmsg", json!("ok")),
        ("message", Value::Null),
        ("hint", Value::Null),
        ("invaliduser", json!([])),
        ("attempts", json!(1)),
        ("retryable", json!(false)),
    ] {
        assert_eq!(document[field], expected, "{field} of {shown}");
    }
    let parts = document["parts"].as_array().unwrap();
    assert_eq!(parts.len(), 1, "{shown}");
    for (field, expected) in [("index", json!(1)), ("kind", json!("message")), ("status", json!("sent"))] {
        assert_eq!(parts[0][field], expected, "{field} of {shown}");
    }
    document
}

/// The same, and there was nothing to warn of.
#[track_caller]
fn assert_sent_silently(case: &str, run: Run) {
    let document = assert_sent(case, run);
    assert_eq!(document["warnings"], json!([]), "{case}");
}

/// What a refused command says.
#[derive(Debug)]
struct Refusal {
    message: String,
    hint: String,
    document: Value,
}

impl Refusal {
    /// Both must say so.
    #[track_caller]
    fn says(&self, case: &str, message: &str, hint: &str) {
        assert!(self.message.contains(message), "{case}: no {message:?} in {:?}", self.message);
        assert!(self.hint.contains(hint), "{case}: no {hint:?} in {:?}", self.hint);
    }
}

/// Checks every field that scripts read after a command that was refused before anything was sent.
#[track_caller]
fn refusal(case: &str, run: Run, code: i32) -> Refusal {
    let shown = format!("{case}\n{}", run.all());
    assert_eq!(run.code, Some(code), "{shown}");
    assert_eq!(run.stderr, "", "{shown}");
    let document = run.json();
    let status = match code {
        2 => "usage",
        3 => "config",
        4 => "auth",
        5 => "refused",
        7 => "temporary",
        8 => "rate_limited",
        _ => panic!("no status for {code}"),
    };
    for (field, expected) in [
        ("ok", json!(false)),
        ("status", json!(status)),
        ("exit_code", json!(code)),
        ("attempts", json!(0)),
        ("retryable", json!(matches!(code, 7 | 8))),
    ] {
        assert_eq!(document[field], expected, "{field} of {shown}");
    }
    // Where a call for the message was made, its part says what became of it.
    let parts = document["parts"].as_array().unwrap();
    assert!(parts.iter().all(|part| part["status"] == status && part["msgid"].is_null()), "{shown}");
    if matches!(code, 2 | 3) {
        assert_eq!((&document["errcode"], &document["errmsg"]), (&Value::Null, &Value::Null), "{shown}");
    }
    let text = |field: &str| {
        let text = document[field].as_str().unwrap_or_else(|| panic!("no {field}: {shown}"));
        assert!(!text.trim().is_empty() && !text.contains(['\n', '\r']), "{field} is not one line: {shown}");
        text.to_owned()
    };
    Refusal { message: text("message"), hint: text("hint"), document }
}
