//! Unit tests of `alert`, by subject, and the alerts that they share.

mod best;
mod cards;
mod escaping;
mod golden;
mod parsing;
mod property;
mod refusals;

use super::{Alert, AlertLink, Button, Field, Level};
use crate::message::Wire;

use crate::channel::{Addressing, Channel, MsgType};
use crate::message::app::Markdown;
use crate::message::card::SelectOption;
use crate::message::{Findings, body_of, check_body};

/// A line that every format would take for markup somewhere.
const HOSTILE: &str = "a<b> *c* |d| `e` $x=y$ [f](g) \\_ &lt; 磁盘 🚨";

fn titled(level: Option<Level>, title: &str) -> Alert {
    Alert { level, title: Some(title.to_owned()), ..Alert::default() }
}

fn fields(pairs: &[(&str, &str)]) -> Vec<Field> {
    pairs.iter().map(|(key, value)| Field { key: (*key).to_owned(), value: (*value).to_owned() }).collect()
}

fn link(url: &str, label: Option<&str>) -> Option<AlertLink> {
    Some(AlertLink { url: url.to_owned(), label: label.map(str::to_owned) })
}

fn disk_full() -> Alert {
    Alert {
        prefix: Some("prod".to_owned()),
        fields: fields(&[("host", "web-1"), ("log", "x\ny|z")]),
        body: Some("98 % used\n/dev/sda1_x".to_owned()),
        link: link("https://example.com/a(1)", None),
        ..titled(Some(Level::Critical), "Disk full")
    }
}

fn notice() -> Alert {
    Alert { link: link("https://example.com/1", None), ..titled(Some(Level::Ok), "Disk") }
}

fn buttons(count: usize) -> Vec<Button> {
    (0..count).map(|n| Button { key: format!("k{n}"), text: format!("t{n}"), style: None }).collect()
}

fn choices(count: usize) -> Vec<SelectOption> {
    (0..count).map(|n| SelectOption { id: format!("i{n}"), text: format!("t{n}") }).collect()
}

fn findings(channel: Channel, msgtype: MsgType, content: &impl Wire) -> Findings {
    let mut body = body_of(msgtype, content);
    match channel.facts().addressing {
        Addressing::Recipients => body["touser"] = "u1".into(),
        Addressing::Credential => {}
        Addressing::Chat | Addressing::Conversation => body["chatid"] = "ops".into(),
    }
    check_body(channel, &body)
}

fn markdown_of(content: String) -> Markdown {
    Markdown { content }
}
