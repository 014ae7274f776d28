//! A `textcard`: a title, a description with line breaks and three colours, and a button (document path 90236).

use serde_json::Value;

use crate::message::Wire;
use crate::message::app::Textcard;

use super::html::Html;
use super::painter::{Painter, in_room};

pub(super) fn paint(painter: &mut Painter<'_>, content: &Value) -> bool {
    let Some(card) = Textcard::read(content) else { return false };
    painter.html.own("<div class=\"bubble card textcard\">");
    painter.field("div", "title two-lines", "textcard.title", &card.title);
    let findings = painter.marks.take("textcard.description");
    let (kept, over) = in_room(&card.description, &findings);
    painter.html.open_with("div", "description", &[("dir", "auto")]);
    write(&mut painter.html, kept);
    painter.over(over, &findings);
    for (weight, finding) in findings {
        painter.html.mark(weight, &finding.problem);
    }
    painter.html.close("div");
    painter.rules("textcard.url");
    painter.html.own("<div class=\"jump\">");
    let tag = painter.html.open_link("", &card.url);
    painter.words("textcard.btntxt", card.btntxt.as_deref().filter(|text| !text.is_empty()).unwrap_or("详情"));
    painter.html.close(tag).own("<span class=\"arrow\" aria-hidden=\"true\">›</span></div></div>");
    true
}

/// The description: `<br>`, `<div class="…">` and entities mean something, everything else is text.
fn write(html: &mut Html, text: &str) {
    let (mut rest, mut is_open) = (text, false);
    while let Some(at) = rest.find(['<', '&']) {
        let (before, here) = rest.split_at(at);
        html.text(before);
        let length = if let Some(length) =
            ["<br>", "<br/>", "<br />"].iter().find(|tag| begins(here, tag)).map(|tag| tag.len())
        {
            html.own("<br>");
            length
        } else if let Some((class, length)) = division(here).filter(|_| !is_open) {
            html.open("span", class);
            is_open = true;
            length
        } else if is_open && begins(here, "</div>") {
            html.own("</span>");
            is_open = false;
            "</div>".len()
        } else if let Some((sign, length)) = entity(here) {
            html.text(sign);
            length
        } else {
            html.text(&here[..1]);
            1
        };
        rest = &here[length..];
    }
    html.text(rest);
    if is_open {
        html.own("</span>");
    }
}

fn begins(text: &str, tag: &str) -> bool {
    text.get(..tag.len()).is_some_and(|start| start.eq_ignore_ascii_case(tag))
}

fn division(text: &str) -> Option<(&'static str, usize)> {
    let classes = [("gray", "division gray"), ("highlight", "division highlight"), ("normal", "division")];
    classes.into_iter().find_map(|(name, class)| {
        let tags = [format!("<div class=\"{name}\">"), format!("<div class='{name}'>")];
        tags.iter().find(|tag| begins(text, tag)).map(|tag| (class, tag.len()))
    })
}

fn entity(text: &str) -> Option<(&'static str, usize)> {
    let known = [("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&"), ("&quot;", "\""), ("&#39;", "'"), ("&nbsp;", "\u{a0}")];
    known.into_iter().find(|(name, _)| text.starts_with(name)).map(|(name, sign)| (sign, name.len()))
}
