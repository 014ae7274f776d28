//! What a message says, for lists and people: its text, and its first words. Pure.

use serde_json::Value;

use crate::channel::MsgType;
use crate::sanitize::{excerpt, one_line};

/// The most characters of a title in a list.
const LONGEST_TITLE: usize = 60;

/// The places of a title within the content of a message.
const TITLES: [&str; 3] = ["/main_title/title", "/title", "/articles/0/title"];

/// The first words of a message: its title, else the first line of its text.
pub(crate) fn title_of(body: &Value) -> Option<String> {
    let content = body.get(body.get("msgtype")?.as_str()?)?;
    let title = TITLES.iter().find_map(|place| content.pointer(place)?.as_str()).or_else(|| text_of(body))?;
    let first = title.lines().map(without_marks).find(|line| !line.is_empty())?;
    Some(excerpt(&one_line(&first), LONGEST_TITLE))
}

/// A line without the signs of markdown, and without the tags that colour it.
fn without_marks(line: &str) -> String {
    let pieces = line.split_inclusive('>').map(|piece| match piece.find("<font ").or_else(|| piece.find("</font>")) {
        Some(tag) => piece.get(..tag).unwrap_or_default(),
        None => piece,
    });
    let line = pieces.collect::<String>().replace("**", "");
    line.trim_start_matches(['#', '>', '`', ' ']).trim().to_owned()
}

/// The text of a message, for a type that has one.
pub(crate) fn text_of(body: &Value) -> Option<&str> {
    let msgtype = MsgType::of_body(body)?;
    body.get(msgtype.as_str())?.pointer(msgtype.facts().text?.pointer)?.as_str()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_title_is_the_first_that_a_reader_sees() {
        for (msgtype, content, title) in [
            ("text", json!({ "content": "\n disk full \non web-3" }), Some("disk full")),
            ("markdown", json!({ "content": "## **disk full**\n> x" }), Some("disk full")),
            (
                "markdown",
                json!({ "content": "<font color=\"warning\">**[CRITICAL] a > b**</font>\n> x" }),
                Some("[CRITICAL] a > b"),
            ),
            ("textcard", json!({ "title": "disk full", "description": "x" }), Some("disk full")),
            ("news", json!({ "articles": [{ "title": "disk full" }] }), Some("disk full")),
            ("template_card", json!({ "main_title": { "title": "disk full" } }), Some("disk full")),
            ("file", json!({ "media_id": "x" }), None),
        ] {
            assert_eq!(title_of(&json!({ "msgtype": msgtype, msgtype: content })).as_deref(), title, "{msgtype}");
        }
        let long = title_of(&json!({ "msgtype": "text", "text": { "content": "磁".repeat(99) } })).unwrap();
        assert_eq!(long.chars().count(), LONGEST_TITLE + 1);
        assert_eq!(title_of(&json!({})), None);
    }
}
