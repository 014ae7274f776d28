//! A `text`: plain but for links, mentions and addresses (document paths 90236 and 99110).

use serde_json::Value;

use super::painter::{MOST_SHOWN, Painter, in_room};

pub(super) fn paint(painter: &mut Painter<'_>, content: &Value) -> bool {
    let Some(text) = content.get("content").and_then(Value::as_str) else { return false };
    let findings = painter.marks.take("text.content");
    let (kept, over) = in_room(text, &findings);
    painter.html.open_with("div", "bubble text", &[("dir", "auto")]);
    if kept.len() > MOST_SHOWN {
        painter.html.text(kept);
    } else {
        write(painter, kept);
    }
    painter.over(over, &findings);
    for (weight, finding) in findings {
        painter.html.mark(weight, &finding.problem);
    }
    for (index, id) in strings(content, "mentioned_list").enumerate() {
        painter.html.own(" ");
        painter.mention(id);
        painter.rules(&format!("text.mentioned_list[{index}]"));
    }
    for (index, number) in strings(content, "mentioned_mobile_list").enumerate() {
        painter.html.own(" ");
        painter.mention(number);
        painter.rules(&format!("text.mentioned_mobile_list[{index}]"));
    }
    painter.html.close("div");
    true
}

fn strings<'c>(content: &'c Value, name: &str) -> impl Iterator<Item = &'c str> {
    content.get(name).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}

fn write(painter: &mut Painter<'_>, text: &str) {
    let mut rest = text;
    while let Some(at) = rest.find(['<', 'h', 'H']) {
        let (before, here) = rest.split_at(at);
        painter.html.text(before);
        let taken = anchor(here).map(|(address, label, length)| {
            painter.html.link("", address, label);
            length
        });
        let taken = taken.or_else(|| {
            let id = mention(here).filter(|_| painter.channel.facts().mentions)?;
            painter.mention(id);
            Some(id.len() + 3)
        });
        let taken = taken.or_else(|| {
            let address = address(here)?;
            painter.html.link("", address, address);
            Some(address.len())
        });
        let taken = taken.unwrap_or_else(|| {
            painter.html.text(&here[..1]);
            1
        });
        rest = &here[taken..];
    }
    painter.html.text(rest);
}

/// The address, the words and the length of `<a href="…">…</a>`.
fn anchor(text: &str) -> Option<(&str, &str, usize)> {
    let inner = text.strip_prefix("<a ")?.trim_start().strip_prefix("href=")?;
    let sign = inner.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let (address, behind) = inner[1..].split_once(sign)?;
    let (label, rest) = behind.strip_prefix('>')?.split_once("</a>")?;
    Some((address, label, text.len() - rest.len()))
}

fn mention(text: &str) -> Option<&str> {
    let id = text.strip_prefix("<@")?.split('>').next()?;
    let is_whole = text.as_bytes().get(id.len() + 2) == Some(&b'>');
    (is_whole && !id.is_empty() && !id.contains(char::is_whitespace)).then_some(id)
}

/// A web address that the text begins with; clients make a link of it.
fn address(text: &str) -> Option<&str> {
    let is_of_address = |c: char| c.is_ascii_graphic() && !matches!(c, '<' | '>' | '"' | '\'');
    let address = &text[..text.find(|c: char| !is_of_address(c)).unwrap_or(text.len())];
    let address = address.trim_end_matches(['.', ',', ';', ':', '!', '?', ')']);
    let host = address.split_once("://").map(|(_, host)| host)?;
    (crate::address::has_http_scheme(address) && !host.is_empty()).then_some(address)
}
