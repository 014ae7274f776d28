//! Marks a delayed alert with a line at its beginning, so that readers do not take it for a new one. Pure.

use serde_json::{Value, json};

use super::split::split;
use crate::alert::escape;
use crate::channel::{Channel, Markup, MsgType};
use crate::words::Language;

/// A line that says how late a message is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DelayMark {
    /// The line, with what keeps it apart.
    pub(crate) text: String,
    /// The language of the message.
    pub(crate) language: Language,
    /// Whether the message's own text may be edited: it is not a payload's.
    pub(crate) may_edit: bool,
}

impl DelayMark {
    /// The messages that are sent for a body with the mark. The mark begins the text of the message if that has one
    /// that may be edited; else a short message with it is sent first. A text without room for the mark is sent as two
    /// messages.
    pub(super) fn messages_for(&self, body: Value, channel: Channel) -> Vec<Value> {
        let place = MsgType::of_body(&body).filter(|_| self.may_edit).and_then(|msgtype| {
            let pointer = format!("/{}{}", msgtype.as_str(), msgtype.facts().text?.pointer);
            let text = prefixed(body.pointer(&pointer)?.as_str()?, &self.text, channel.markup(msgtype));
            Some((msgtype, pointer, text))
        });
        let Some((msgtype, pointer, text)) = place else { return self.apart(body, channel) };
        let texts = match msgtype.text_bytes(channel).filter(|_| !msgtype.has_room(channel, &text)) {
            None => vec![text],
            // The mark would break the `<div>` of a textcard.
            Some(_) if text.contains("<div ") => return self.apart(body, channel),
            Some(limit) => split(&text, limit, channel.markup(msgtype)),
        };
        let with = |(number, text): (usize, String)| {
            let mut body = body.clone();
            if let Some(place) = body.pointer_mut(&pointer) {
                *place = Value::from(text);
            }
            if let Some(content) = body.get_mut(msgtype.as_str()).and_then(Value::as_object_mut).filter(|_| number > 0)
            {
                // Only the first message has mentions.
                content.shift_remove("mentioned_list");
                content.shift_remove("mentioned_mobile_list");
            }
            body
        };
        texts.into_iter().enumerate().map(with).collect()
    }

    /// A short text message with the mark to the same recipients, then the unchanged body.
    fn apart(&self, body: Value, channel: Channel) -> Vec<Value> {
        let content = format!("{}{}", self.text, self.language.words().next_is_late);
        let mut notice = json!({});
        for field in channel.facts().addressing.fields() {
            if let Some(value) = body.get(field) {
                notice[*field] = value.clone();
            }
        }
        let (msgtype, content) = escape::plain(channel, &content);
        notice["msgtype"] = msgtype.as_str().into();
        notice[msgtype.as_str()] = json!({ "content": content });
        vec![notice, body]
    }
}

/// The text with the mark before it. Markdown reads a heading, quote or list only at the beginning of a line.
pub(crate) fn prefixed(text: &str, mark: &str, markup: Markup) -> String {
    let is_block = |signs: &[char]| text.trim_start().starts_with(signs);
    let gap = match markup {
        Markup::Markdown if is_block(&['#', '>']) => "\n",
        Markup::MarkdownV2 if is_block(&['#', '>', '|', '`', '~', '-', '*', '+', '!']) => "\n\n",
        Markup::MarkdownV2 if is_block(&['0', '1', '2', '3', '4', '5', '6', '7', '8', '9']) => "\n\n",
        _ => return format!("{mark}{text}"),
    };
    format!("{}{gap}{text}", mark.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    const MARK: &str = "[delayed 37m, 03:12 +0800] ";

    fn marked(body: &Value, channel: Channel, may_edit: bool) -> Vec<Value> {
        DelayMark { text: MARK.to_owned(), language: Language::English, may_edit }.messages_for(body.clone(), channel)
    }

    fn text(content: &str) -> Value {
        json!({ "touser": "zhangsan", "agentid": 7, "msgtype": "text", "text": { "content": content } })
    }

    #[test]
    fn a_text_begins_with_the_mark() {
        let [body] = &marked(&text("two"), Channel::App, true)[..] else { panic!("it is one message") };
        assert_eq!(body["text"]["content"], "[delayed 37m, 03:12 +0800] two");
        assert_eq!((&body["touser"], &body["agentid"]), (&json!("zhangsan"), &json!(7)));
    }

    #[test]
    fn a_body_without_editable_text_gets_a_message_before_it() {
        let file = json!({ "touser": "zhangsan", "agentid": 7, "msgtype": "file", "file": {} });
        for (body, may_edit) in [(text("payload"), false), (file, true)] {
            let messages = marked(&body, Channel::App, may_edit);
            assert_eq!(messages.len(), 2);
            assert_eq!(messages[0]["text"]["content"], format!("{MARK}the next message is late"));
            assert_eq!(messages[0]["touser"], "zhangsan");
            assert_eq!(messages[1], body);
        }
    }

    #[test]
    fn markdown_blocks_keep_their_own_line() {
        let mark = MARK.trim_end();
        for (msgtype, text, expected) in [
            ("markdown", "# full", format!("{mark}\n# full")),
            ("markdown", "> host: a", format!("{mark}\n> host: a")),
            ("markdown", "**full**", format!("{MARK}**full**")),
            ("markdown_v2", "# full", format!("{mark}\n\n# full")),
            ("markdown_v2", "| a | b |", format!("{mark}\n\n| a | b |")),
            ("markdown_v2", "```\nfull\n```", format!("{mark}\n\n```\nfull\n```")),
            ("markdown_v2", "1. full", format!("{mark}\n\n1. full")),
            ("markdown_v2", "(1/2)\n\n# full", format!("{MARK}(1/2)\n\n# full")),
            ("text", "# full", format!("{MARK}# full")),
        ] {
            let body = json!({ "msgtype": msgtype, msgtype: { "content": text } });
            assert_eq!(marked(&body, Channel::Webhook, true)[0][msgtype]["content"], expected);
        }
    }

    #[test]
    fn the_colours_of_a_textcard_stay_whole() {
        for (length, count) in [(400, 1), (480, 2)] {
            let description = format!("<div class=\"gray\">{}</div>", "x".repeat(length));
            let body = json!({ "msgtype": "textcard", "textcard": { "title": "t", "description": description } });
            let messages = marked(&body, Channel::App, true);
            assert_eq!(messages.len(), count);
            let shown = messages[count - 1]["textcard"]["description"].as_str().unwrap();
            assert!(shown.ends_with(&description), "{shown}");
        }
    }

    #[test]
    fn only_the_first_message_has_mentions() {
        let mut body = text(&"x".repeat(2048));
        body["text"]["mentioned_list"] = json!(["lisi"]);
        body["text"]["mentioned_mobile_list"] = json!(["@all"]);
        let calls =
            |body: &Value| ["mentioned_list", "mentioned_mobile_list"].map(|list| !body["text"][list].is_null());
        let messages = marked(&body, Channel::Webhook, true);
        assert_eq!(messages.iter().map(calls).collect::<Vec<_>>(), [[true, true], [false, false]]);
    }

    #[test]
    fn a_text_without_room_for_the_mark_goes_as_two() {
        let messages = marked(&text(&"x".repeat(2048)), Channel::App, true);
        let contents: Vec<&str> = messages.iter().map(|body| body["text"]["content"].as_str().unwrap()).collect();
        assert_eq!(contents.len(), 2);
        assert!(contents[0].starts_with("(1/2) [delayed 37m") && contents.iter().all(|text| text.len() <= 2048));
        assert_eq!(contents.concat().matches('x').count(), 2048);
    }
}
