//! What a late alert begins with, so that nobody takes it for one of now. Pure.

use serde_json::{Value, json};

use super::Journal;
use super::consignment::Shipment;
use super::outcome::PartKind;
use super::split::{Markup, split};
use crate::message::{Route, long};

/// Marks the first message that is still to be sent, and returns how the parts go by the journal now. The mark stands in
/// the message's own text where that has one that may be edited, else in a short message before it. A text that has no
/// room for the mark goes as two.
pub fn mark<'j, J: Journal>(
    parts: &mut Vec<Shipment>,
    route: Route,
    markable: bool,
    mark: &str,
    journal: &'j mut J,
) -> Late<'j, J> {
    let is_open = |(index, part): &(usize, &Shipment)| {
        part.kind == PartKind::Message && journal.settled(*index) < part.calls().len()
    };
    let Some(at) = parts.iter().enumerate().find(is_open).map(|(index, _)| index) else {
        return Late { journal, at: parts.len(), more: 0 };
    };
    let marked = marked(&parts[at], route, markable, mark);
    let more = marked.len() - 1;
    parts.splice(at..=at, marked);
    Late { journal, at, more }
}

/// A journal of parts of which one goes as several.
pub struct Late<'j, J> {
    journal: &'j mut J,
    at: usize,
    more: usize,
}

impl<J> Late<'_, J> {
    /// The part in the journal, and whether it is the last of those that it goes as.
    fn origin(&self, part: usize) -> (usize, bool) {
        match part {
            part if part <= self.at => (part, part < self.at || self.more == 0),
            part if part < self.at + self.more => (self.at, false),
            part => (part - self.more, true),
        }
    }
}

impl<J: Journal> Journal for Late<'_, J> {
    fn settled(&self, part: usize) -> usize {
        // Whoever got the part before it was late got all of it; nobody else got anything of it.
        let (origin, _) = self.origin(part);
        self.journal.settled(origin)
    }

    fn begin(&mut self, part: usize) {
        let (origin, _) = self.origin(part);
        self.journal.begin(origin);
    }

    fn end(&mut self, part: usize) {
        let (origin, _) = self.origin(part);
        self.journal.end(origin);
    }

    fn settle(&mut self, part: usize, calls: usize, all: usize) {
        if let (origin, true) = self.origin(part) {
            self.journal.settle(origin, calls, all);
        }
    }
}

fn marked(part: &Shipment, route: Route, markable: bool, mark: &str) -> Vec<Shipment> {
    let msgtype = part.body.get("msgtype").and_then(Value::as_str).unwrap_or_default().to_owned();
    let text = markable.then(|| text_of(&part.body, &msgtype)).flatten();
    let apart = || vec![herald(part, mark), part.clone()];
    let Some(text) = text else { return apart() };
    let text = led(&text, mark, &msgtype);
    let texts = match long::text_bytes(route, &msgtype) {
        // The colours of a textcard would be torn apart.
        Some(_) if !long::takes(route, &msgtype, &text) && text.contains("<div ") => return apart(),
        Some(limit) if !long::takes(route, &msgtype, &text) => split(&text, limit, Markup::of(&msgtype)),
        _ => vec![text],
    };
    let with = |(number, text): (usize, String)| {
        let mut part = part.clone();
        if let Some(place) = text_place(&mut part.body, &msgtype) {
            *place = Value::from(text);
        }
        if let Some(content) = part.body.get_mut(&msgtype).and_then(Value::as_object_mut).filter(|_| number > 0) {
            // Who is mentioned is called once.
            content.shift_remove("mentioned_list");
            content.shift_remove("mentioned_mobile_list");
        }
        part
    };
    texts.into_iter().enumerate().map(with).collect()
}

/// A text behind the mark. What markdown reads as a block is one only where it begins its line.
fn led(text: &str, mark: &str, msgtype: &str) -> String {
    let is_block = |signs: &[char]| text.trim_start().starts_with(signs);
    let gap = match msgtype {
        "markdown" if is_block(&['#', '>']) => "\n",
        "markdown_v2" if is_block(&['#', '>', '|', '`', '~', '-', '*', '+', '!']) => "\n\n",
        "markdown_v2" if is_block(&['0', '1', '2', '3', '4', '5', '6', '7', '8', '9']) => "\n\n",
        _ => return format!("{mark}{text}"),
    };
    format!("{}{gap}{text}", mark.trim_end())
}

/// A short message for the same people that says what the next one cannot say.
fn herald(part: &Shipment, mark: &str) -> Shipment {
    let mut body = json!({});
    for field in ["touser", "toparty", "totag", "agentid"] {
        if let Some(value) = part.body.get(field) {
            body[field] = value.clone();
        }
    }
    body["msgtype"] = Value::from("text");
    body["text"] = json!({ "content": format!("{mark}the next message is late") });
    Shipment::message(body)
}

/// Where the text of a type stands.
fn text_place<'a>(body: &'a mut Value, msgtype: &str) -> Option<&'a mut Value> {
    let content = body.get_mut(msgtype)?;
    match msgtype {
        "text" | "markdown" | "markdown_v2" => content.get_mut("content"),
        "textcard" | "video" => content.get_mut("description"),
        "news" => content.get_mut("articles")?.get_mut(0)?.get_mut("description"),
        _ => None,
    }
}

fn text_of(body: &Value, msgtype: &str) -> Option<String> {
    text_place(&mut body.clone(), msgtype)?.as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MARK: &str = "[delayed 37m, 03:12 +0800] ";

    #[derive(Default)]
    struct Notes(Vec<usize>);

    impl Journal for Notes {
        fn settled(&self, part: usize) -> usize {
            self.0.get(part).copied().unwrap_or(0)
        }

        fn begin(&mut self, _part: usize) {}

        fn end(&mut self, _part: usize) {}

        fn settle(&mut self, part: usize, calls: usize, _all: usize) {
            self.0.resize(self.0.len().max(part + 1), 0);
            self.0[part] = calls;
        }
    }

    fn text(content: &str) -> Shipment {
        Shipment::message(
            json!({ "touser": "zhangsan", "agentid": 7, "msgtype": "text", "text": { "content": content } }),
        )
    }

    fn contents(parts: &[Shipment]) -> Vec<&str> {
        parts.iter().map(|part| part.body["text"]["content"].as_str().unwrap_or("-")).collect()
    }

    #[test]
    fn the_first_part_that_is_still_to_be_sent_is_marked() {
        let mut notes = Notes(vec![1]);
        let mut parts = vec![text("one"), text("two"), text("three")];
        mark(&mut parts, Route::App, true, MARK, &mut notes);
        assert_eq!(contents(&parts), ["one", "[delayed 37m, 03:12 +0800] two", "three"]);
    }

    #[test]
    fn what_has_no_text_of_ours_is_announced() {
        for (part, markable) in [
            (text("payload"), false),
            (Shipment::message(json!({ "touser": "zhangsan", "agentid": 7, "msgtype": "file", "file": {} })), true),
        ] {
            let (mut parts, mut notes) = (vec![part.clone(), text("next")], Notes::default());
            let mut late = mark(&mut parts, Route::App, markable, MARK, &mut notes);
            assert_eq!(parts.len(), 3);
            assert_eq!(parts[0].body["text"]["content"], format!("{MARK}the next message is late"));
            assert_eq!(parts[0].body["touser"], "zhangsan");
            assert_eq!(parts[1].body, part.body);
            // The herald is nothing that a journal keeps.
            late.settle(0, 1, 1);
            assert_eq!([0, 1, 2].map(|part| late.settled(part)), [0, 0, 0]);
            late.settle(1, 1, 1);
            assert_eq!([0, 1, 2].map(|part| late.settled(part)), [1, 1, 0]);
            late.settle(2, 1, 1);
            assert_eq!(notes.0, [1, 1]);
        }
    }

    #[test]
    fn those_who_had_nothing_of_it_get_all_of_it() {
        let mut part = text(&"x".repeat(2048));
        part.body["touser"] = Value::from((0..2001).map(|id| id.to_string()).collect::<Vec<_>>().join("|"));
        let (mut parts, mut notes) = (vec![part], Notes(vec![1]));
        let late = mark(&mut parts, Route::App, true, MARK, &mut notes);
        assert_eq!([0, 1].map(|part| late.settled(part)), [1, 1], "both halves go to the second and third thousand");
    }

    #[test]
    fn what_begins_its_line_still_does() {
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
            let (mut parts, mut notes) = (vec![Shipment::message(body)], Notes::default());
            mark_all(&mut parts, &mut notes);
            assert_eq!(parts[0].body[msgtype]["content"], expected);
        }
    }

    fn mark_all(parts: &mut Vec<Shipment>, notes: &mut Notes) {
        mark(parts, Route::Webhook, true, MARK, notes);
    }

    #[test]
    fn the_colours_of_a_textcard_stay_whole() {
        for (length, count) in [(400, 1), (480, 2)] {
            let description = format!("<div class=\"gray\">{}</div>", "x".repeat(length));
            let body = json!({ "msgtype": "textcard", "textcard": { "title": "t", "description": description } });
            let (mut parts, mut notes) = (vec![Shipment::message(body)], Notes::default());
            mark(&mut parts, Route::App, true, MARK, &mut notes);
            assert_eq!(parts.len(), count);
            let shown = parts[count - 1].body["textcard"]["description"].as_str().unwrap();
            assert!(shown.ends_with(&description), "{shown}");
        }
    }

    #[test]
    fn who_is_mentioned_is_called_by_the_first_half() {
        let mut part = text(&"x".repeat(2048));
        part.body["text"]["mentioned_list"] = json!(["lisi"]);
        part.body["text"]["mentioned_mobile_list"] = json!(["@all"]);
        let (mut parts, mut notes) = (vec![part], Notes::default());
        mark_all(&mut parts, &mut notes);
        let calls = |part: &Shipment| {
            ["mentioned_list", "mentioned_mobile_list"].map(|list| !part.body["text"][list].is_null())
        };
        assert_eq!(parts.iter().map(calls).collect::<Vec<_>>(), [[true, true], [false, false]]);
    }

    #[test]
    fn a_text_without_room_for_the_mark_goes_as_two() {
        let full = "x".repeat(2048);
        let (mut parts, mut notes) = (vec![text(&full)], Notes::default());
        mark(&mut parts, Route::App, true, MARK, &mut notes);
        let contents = contents(&parts);
        assert_eq!(contents.len(), 2);
        assert!(contents[0].starts_with("(1/2) [delayed 37m") && contents.iter().all(|text| text.len() <= 2048));
        assert_eq!(contents.concat().matches('x').count(), 2048);
    }
}
