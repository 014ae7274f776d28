//! One alert, any message type: options become bodies, real alerts read well, and nothing of them is lost on the way.

mod attachments;
mod cards;
mod dry_run;
mod escaping;
mod golden;
mod lenient;
mod long;
mod mentions;
mod options;
#[cfg(unix)]
mod outbox;
mod prefix;
mod scenes;
mod several_targets;

use serde_json::Value;
use wecom_alert::channel::Channel as Route;

use crate::support::fake::Route as Way;
use crate::support::{Cmd, Scene};

const URL: &str = "https://example.test/1";
const PICTURE: &str = "https://example.test/p.png";
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\0IEND\xae\x42\x60\x82";

/// Text types by route, with the bytes that they take.
const TEXTS: [(Route, &str, usize); 5] = [
    (Route::App, "text", 2048),
    (Route::App, "markdown", 2048),
    (Route::Webhook, "text", 2048),
    (Route::Webhook, "markdown", 4096),
    (Route::Webhook, "markdown_v2", 4096),
];

/// The contents of the messages that it brings, without what all bodies of a route have.
#[track_caller]
fn delivered(scene: &Scene, case: &str, cmd: Cmd) -> Vec<Value> {
    let before = scene.wecom.messages().len();
    let run = cmd.run();
    assert_eq!((run.code, &run.json()["status"]), (Some(0), &Value::from("sent")), "{case}\n{}", run.all());
    bodies(scene).split_off(before)
}

/// What arrived, in order: `{"msgtype": …, TYPE: …}`.
fn bodies(scene: &Scene) -> Vec<Value> {
    let messages = scene.wecom.messages().into_iter();
    let bare = messages.map(|message| {
        let mut body = message.body;
        let common: &[&str] = match message.route {
            Way::App { .. } => &["touser", "agentid"],
            Way::Webhook { .. } => &[],
            Way::Chat { .. } | Way::Aibot { .. } => &["chatid"],
        };
        let fields = body.as_object_mut().unwrap();
        assert!(common.iter().all(|name| fields.shift_remove(*name).is_some()), "{fields:?}");
        body
    });
    bare.collect()
}

/// Runs a command that must be refused without any request; gives its message and its hint.
#[track_caller]
fn refused(scene: &Scene, case: &str, cmd: Cmd) -> (String, String) {
    let before = scene.wecom.requests().len();
    let run = cmd.run();
    let told = run.json();
    assert_eq!((run.code, &told["status"]), (Some(2), &Value::from("usage")), "{case}\n{}", run.all());
    assert_eq!(scene.wecom.requests().len(), before, "{case}: a request was made");
    ["message", "hint"].map(|field| told[field].as_str().unwrap().to_owned()).into()
}

/// The text of a message, wherever its type has it.
fn text_in(body: &Value) -> &str {
    let content = &body[body["msgtype"].as_str().unwrap()];
    let places = [&content["content"], &content["description"], &content["articles"][0]["description"]];
    places.into_iter().find_map(Value::as_str).unwrap_or_default()
}
