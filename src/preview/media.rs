//! Pictures, voice, videos and files as bubbles.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::channel::MsgType;
use crate::message::media::{MediaFormat, mime, sniff};

use super::html::Html;
use super::painter::Painter;

/// The largest picture that a page holds, in bytes.
const MOST_OF_A_PICTURE: usize = 4 * 1024 * 1024;

pub(super) fn paint(painter: &mut Painter<'_>, msgtype: MsgType, content: &Value) -> bool {
    let name = msgtype.as_str();
    if let Some(base64) = content.get("base64").and_then(Value::as_str) {
        painter.html.own("<div class=\"bubble media\">");
        match STANDARD.decode(base64) {
            Ok(bytes) => write_picture(&mut painter.html, &bytes, ""),
            Err(_) => {
                painter.html.element("span", "picture", "");
            }
        }
        painter.rules("image.base64");
        painter.rules("image.md5");
        painter.html.close("div");
        return true;
    }
    let Some(media_id) = content.get("media_id").and_then(Value::as_str) else { return false };
    let file = painter.file(media_id).cloned().unwrap_or_default();
    let (sign, class) = match msgtype {
        MsgType::Image => ("🖼", "bubble media"),
        MsgType::Voice => ("▶", "bubble media voice"),
        MsgType::Video => ("▶", "bubble media video"),
        _ => ("📄", "bubble media file"),
    };
    painter.html.open("div", class);
    match &file.picture {
        Some(bytes) if msgtype == MsgType::Image => write_picture(&mut painter.html, bytes, &file.name),
        _ => {
            painter.html.own("<span class=\"sign\" aria-hidden=\"true\">").text(sign).own("</span>");
            painter.html.own("<span class=\"about\">");
            let shown = if file.name.is_empty() { name } else { &file.name };
            painter.html.open_with("span", "name", &[("dir", "auto")]).text(shown).close("span");
            let size = if file.name.is_empty() { format!("media_id {media_id}") } else { size(file.size) };
            painter.html.element("span", "size", &size);
            painter.html.own("</span>");
        }
    }
    painter.rules(&format!("{name}.media_id"));
    for (field, class) in [("title", "title"), ("description", "description")] {
        if let Some(text) = content.get(field).and_then(Value::as_str) {
            painter.field("div", class, &format!("{name}.{field}"), text);
        }
    }
    painter.html.close("div");
    true
}

/// A picture that is in the page itself: JPG and PNG, whatever it is called.
pub(super) fn write_picture(html: &mut Html, bytes: &[u8], name: &str) {
    match sniff(bytes) {
        format @ (MediaFormat::Jpeg | MediaFormat::Png) if bytes.len() <= MOST_OF_A_PICTURE => {
            let address = format!("data:{};base64,{}", mime(format), STANDARD.encode(bytes));
            html.open_with("img", "picture", &[("alt", name), ("src", &address)]);
        }
        _ => write_remote_picture(html, "picture", "", name),
    }
}

/// The place of a picture that is elsewhere: the page loads nothing.
pub(super) fn write_remote_picture(html: &mut Html, class: &'static str, address: &str, words: &str) {
    html.open("span", class).own("<span class=\"remote\"><span aria-hidden=\"true\">🖼</span> ");
    let shown = if words.is_empty() { address } else { words };
    if address.is_empty() {
        html.text(shown);
    } else {
        html.link("", address, shown);
    }
    html.own("</span></span>");
}

fn size(bytes: u64) -> String {
    match bytes {
        0..1024 => format!("{bytes} B"),
        1024..1_048_576 => format!("{:.1} KB", bytes as f64 / 1024.0),
        _ => format!("{:.1} MB", bytes as f64 / 1_048_576.0),
    }
}
