//! The page: by channel, each message beside the body that would be sent. It runs no script and loads nothing.

use serde_json::Value;

use crate::channel::{Addressing, Channel, MsgType};
use crate::sanitize::is_harmful;

use super::bubble::painted;
use super::html::Html;
use super::marks::Weight;
use super::painter::MessageFile;
use crate::message::Findings;

/// A longer string in a shown body is cut: it is a picture in base64.
const LONGEST_BASE64: usize = 200;

/// What the page shows of one channel.
pub(super) struct Section {
    pub(super) channel: Channel,
    pub(super) warnings: Vec<String>,
    /// Why there is no message.
    pub(super) error: Option<String>,
    pub(super) messages: Vec<PageMessage>,
}

/// A message of a section.
pub(super) struct PageMessage {
    pub(super) body: Value,
    pub(super) calls: usize,
    pub(super) files: Vec<MessageFile>,
    pub(super) findings: Findings,
}

/// The whole page.
pub(super) fn write(sections: &[Section]) -> String {
    let mut html = Html::default();
    html.own("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
    html.own(
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:; \
         base-uri 'none'; form-action 'none'\">\n",
    );
    html.own("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
    html.own("<meta name=\"color-scheme\" content=\"light dark\">\n<meta name=\"referrer\" content=\"no-referrer\">\n");
    html.own("<title>Preview of a WeCom message</title>\n<style>\n");
    html.own(include_str!("page.css")).own(super::STYLE);
    html.own("</style>\n</head>\n<body>\n<header>\n<h1>Preview</h1>\n");
    html.own("<p>What WeCom would cut, refuse or not show is marked: <span class=\"mark\">shown otherwise</span> ");
    html.own("<span class=\"mark refused\">refused</span>. Rules are exact, pixels are approximate. ");
    html.own("Nothing was sent; buttons do nothing here, and pictures elsewhere are not loaded.</p>\n");
    if sections.len() > 1 {
        html.own("<nav aria-label=\"Channels\"><ul>");
        for Section { channel, .. } in sections {
            html.own("<li><a href=\"#").text(channel.as_str()).own("\">").text(channel.as_str()).own("</a></li>");
        }
        html.own("</ul></nav>\n");
    }
    html.own("</header>\n<main>\n");
    sections.iter().for_each(|section| write_section(&mut html, section));
    html.own("</main>\n</body>\n</html>\n");
    html.into_text()
}

fn write_section(html: &mut Html, section: &Section) {
    let (name, facts) = (section.channel.as_str(), section.channel.facts());
    html.open_with("section", "", &[("aria-labelledby", name)]);
    html.open_with("h2", "", &[("id", name)]).text(name).own(" <small>");
    html.text(facts.command).own("</small></h2>\n");
    if let Some(error) = &section.error {
        html.own("<p>").mark(Weight::Refused, error).own("</p>\n");
    }
    if !section.warnings.is_empty() {
        html.own("<ul class=\"warnings\">");
        for warning in &section.warnings {
            html.own("<li>").mark(Weight::Changed, warning).own("</li>");
        }
        html.own("</ul>\n");
    }
    for (index, message) in section.messages.iter().enumerate() {
        write_message(html, section.channel, index + 1, section.messages.len(), message);
    }
    html.own("</section>\n");
}

fn write_message(html: &mut Html, channel: Channel, number: usize, of: usize, message: &PageMessage) {
    let PageMessage { body, calls, files, findings } = message;
    let msgtype = body.get("msgtype").and_then(Value::as_str).unwrap_or("no msgtype");
    html.own("<article>\n<h3>");
    if of > 1 {
        html.text(&format!("Message {number} of {of}: "));
    }
    html.text(msgtype).own(" <small>").text(&whom(channel, body));
    if *calls > 1 {
        html.text(&format!(", in {calls} requests, of which this is the first"));
    }
    html.own("</small></h3>\n<div class=\"sides\">\n<div class=\"phone\">");
    html.own("<span class=\"avatar\" aria-hidden=\"true\">").text(avatar(channel)).own("</span>");
    html.written(painted(channel, body, files, findings.clone()).html);
    html.own("</div>\n<div class=\"body\">");
    let sent = body.to_string();
    html.own("<details open><summary>").text(&format!("The body that is sent, {} bytes", sent.len())).own("</summary>");
    let shown = without_base64(body);
    let pretty = serde_json::to_string_pretty(&shown).unwrap_or_default();
    // A reader by keyboard can scroll it.
    html.open_with("pre", "", &[("tabindex", "0"), ("aria-label", "JSON")])
        .text(&visible(&pretty))
        .own("</pre></details>");
    html.own("<details><summary>Byte for byte</summary>");
    html.open_with("pre", "wrapped", &[("tabindex", "0"), ("aria-label", "JSON on a line")]);
    html.text(&visible(&shown.to_string())).own("</pre></details>");
    for file in files {
        html.own("<p class=\"upload\">").text(&format!("Before it {} is uploaded, {} bytes.", file.name, file.size));
        html.own("</p>");
    }
    html.own("</div>\n</div>\n</article>\n");
}

fn avatar(channel: Channel) -> &'static str {
    match channel.facts().addressing {
        Addressing::Recipients => "应用",
        Addressing::Credential => "推送",
        Addressing::Chat => "群聊",
        Addressing::Conversation => "智能",
    }
}

/// Whom a message is for.
fn whom(channel: Channel, body: &Value) -> String {
    let fields = channel.facts().addressing.fields().iter().filter(|name| !matches!(**name, "agentid" | "chat_type"));
    let named = fields.filter_map(|name| Some((*name, body.get(*name)?.as_str().filter(|ids| !ids.is_empty())?)));
    let named: Vec<String> = named.map(|(name, ids)| format!("{name} {ids}")).collect();
    match channel.facts().addressing {
        Addressing::Credential => "to the group of the webhook".to_owned(),
        _ if named.is_empty() => "to nobody yet".to_owned(),
        _ => format!("to {}", named.join(", ")),
    }
}

/// A body whose picture, which is shown beside it, is left out.
fn without_base64(body: &Value) -> Value {
    let mut shown = body.clone();
    if let Some(Value::String(base64)) = shown.pointer_mut(&format!("/{}/base64", MsgType::Image.as_str()))
        && base64.len() > LONGEST_BASE64
    {
        *base64 = format!("… {} bytes of base64 …", base64.len());
    }
    shown
}

/// JSON with escapes in place of what cannot be seen or turns the direction: the same JSON.
fn visible(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for c in json.chars() {
        if is_harmful(c) && c != '\n' {
            text.push_str(&format!("\\u{:04x}", u32::from(c)));
        } else {
            text.push(c);
        }
    }
    text
}
