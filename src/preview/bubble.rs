//! One message as the phone would show it.

use serde_json::Value;

use crate::channel::{Channel, MsgType};
use crate::message::{Findings, check_body, elsewhere};

use super::html::Html;
use super::marks::Marks;
use super::painter::{MessageFile, Painter};
use super::{articles, card, media, mini_program, plain, textcard};

/// A message as the phone would show it: HTML for a page with [`STYLE`](super::STYLE), with what WeCom would cut, refuse or not
/// show marked. `body` is the JSON that the channel's sending call gets, `files` those that it names.
///
/// All that comes from the message is escaped, and nothing in it is loaded or run. Buttons are `button` elements with
/// `data-key`; choices are `input` and `select` elements with `data-question`, whose values are the ids of options; a card is
/// a `form` with `data-task-id`, which does nothing by itself.
pub fn bubble(channel: Channel, body: &Value, files: &[MessageFile]) -> String {
    painted(channel, body, files, check_body(channel, body)).html.into_text()
}

/// A template card as it stands after an update: without marks and notes, since the rules of sending are not those of updates.
/// A `replace_text` stands where the buttons were.
pub fn changed_card(channel: Channel, card: &Value) -> String {
    let mut painter = Painter::new(channel, &[], Findings::default());
    painter.open_message(card);
    if !card::paint(&mut painter, card) {
        painter.unreadable();
    }
    painter.html.close("div");
    painter.html.into_text()
}

/// A message with these findings.
pub(super) fn painted<'a>(channel: Channel, body: &Value, files: &'a [MessageFile], findings: Findings) -> Painter<'a> {
    let mut painter = Painter::new(channel, files, findings);
    painter.message(body);
    painter
}

impl<'a> Painter<'a> {
    fn new(channel: Channel, files: &'a [MessageFile], findings: Findings) -> Self {
        Self { html: Html::default(), channel, files, marks: Marks::new(findings), facts: Vec::new() }
    }

    fn message(&mut self, body: &Value) {
        let msgtype = MsgType::of_body(body);
        let content = msgtype.and_then(|msgtype| body.get(msgtype.as_str()));
        self.open_message(body);
        let is_shown = match (msgtype, content) {
            (Some(msgtype), Some(content)) => self.content(msgtype, content),
            _ => false,
        };
        if !is_shown {
            self.unreadable();
        }
        self.notes(msgtype, body);
        self.html.own("</div>");
    }

    fn open_message(&mut self, body: &Value) {
        let is_chinese = body.to_string().contains(|c: char| matches!(c, '\u{4e00}'..='\u{9fff}'));
        self.html.open_with("div", "message", if is_chinese { &[("lang", "zh-CN")] } else { &[] });
    }

    fn unreadable(&mut self) {
        self.html.element("div", "bubble unreadable", "WeCom cannot read this as a message");
    }

    /// Whether the content could be read.
    fn content(&mut self, msgtype: MsgType, content: &Value) -> bool {
        match msgtype {
            MsgType::Text => plain::paint(self, content),
            MsgType::Markdown | MsgType::MarkdownV2 => self.markdown(msgtype, content),
            MsgType::Image | MsgType::Voice | MsgType::Video | MsgType::File => media::paint(self, msgtype, content),
            MsgType::Textcard => textcard::paint(self, content),
            MsgType::News => articles::paint_news(self, content),
            MsgType::Mpnews => articles::paint_mpnews(self, content),
            MsgType::MiniprogramNotice => mini_program::paint(self, content),
            MsgType::TemplateCard => card::paint(self, content),
        }
    }

    /// What the rules say of no place that is shown, and how other clients show it.
    fn notes(&mut self, msgtype: Option<MsgType>, body: &Value) {
        let rest = self.marks.take_rest();
        let mut notes: Vec<&str> = msgtype.map(|msgtype| elsewhere(self.channel, msgtype)).unwrap_or_default();
        match body.get("safe").and_then(Value::as_i64) {
            Some(1) => notes.push("confidential: it has a watermark and cannot be shared"),
            Some(2) => notes.push("confidential: it can be shared inside the corp only"),
            _ => {}
        }
        if rest.is_empty() && notes.is_empty() {
            return;
        }
        self.html.own("<ul class=\"notes\">");
        for (weight, finding) in &rest {
            self.html.own("<li>").mark(*weight, &finding.to_string()).own("</li>");
        }
        notes.iter().for_each(|note| {
            self.html.element("li", "", note);
        });
        self.html.own("</ul>");
    }
}
