//! Text over the limit of its type: parts, one message with a file, what `--on-long` says, and what can go wrong.

mod failures;
mod files;
mod parts;
mod shortened;

use serde_json::Value;
use wecom_alert::channel::Channel;

use crate::support::fake::Arrived;
use crate::support::{Cmd, Scene, send_endpoint, upload_endpoint};

const TEXT: usize = 2048;

/// How a type's text is separated from its mark.
const APART: [(&str, &str); 3] = [("markdown", "\n"), ("markdown_v2", "\n\n"), ("", " ")];

/// A type with text that can be parted, the bytes it takes, and what it needs besides.
struct Kind {
    route: Channel,
    msgtype: &'static str,
    limit: usize,
    more: &'static [&'static str],
}

const CARD: &[&str] = &["--title", "Disk", "--url", "https://example.test"];

const KINDS: [Kind; 8] = [
    Kind { route: Channel::App, msgtype: "text", limit: TEXT, more: &[] },
    Kind { route: Channel::App, msgtype: "markdown", limit: 2048, more: &[] },
    Kind { route: Channel::App, msgtype: "textcard", limit: 512, more: CARD },
    Kind { route: Channel::App, msgtype: "news", limit: 512, more: CARD },
    Kind { route: Channel::Webhook, msgtype: "text", limit: TEXT, more: &[] },
    Kind { route: Channel::Webhook, msgtype: "markdown", limit: 4096, more: &[] },
    Kind { route: Channel::Webhook, msgtype: "markdown_v2", limit: 4096, more: &[] },
    Kind { route: Channel::Webhook, msgtype: "news", limit: 512, more: CARD },
];

impl Kind {
    /// A send of this type; the text, as it will be shown, comes from standard input.
    fn cmd(&self, scene: &Scene, text: &str) -> Cmd {
        scene.send(self.route, &["-t", self.msgtype]).args(self.more).stdin(self.plain(text))
    }

    /// What ends a line.
    fn line_break(&self) -> &'static str {
        if self.msgtype == "textcard" { "<br>" } else { "\n" }
    }

    /// Lines as this type shows them, of exactly so many bytes.
    fn lines(&self, bytes: usize) -> String {
        lines_ended_by(self.line_break(), bytes)
    }

    /// What was said to make it show this.
    fn plain(&self, shown: &str) -> String {
        shown.replace(self.line_break(), "\n")
    }

    /// The bytes of the shortest of our texts for which it has no room: a textcard takes as many characters as bytes.
    fn too_many(&self) -> usize {
        if self.msgtype == "textcard" { self.limit * 3 / 2 } else { self.limit + 1 }
    }

    fn name(&self) -> String {
        format!("{} {}", self.route.as_str(), self.msgtype)
    }
}

/// How many messages and how many uploads were asked for, whatever became of them.
fn asked(scene: &Scene, route: Channel) -> [usize; 2] {
    [send_endpoint(route), upload_endpoint(route)].map(|endpoint| scene.wecom.count(endpoint))
}

/// The texts that arrived, in order.
fn texts(scene: &Scene) -> Vec<String> {
    scene.wecom.messages().iter().filter(|message| message.msgtype != "file").map(text_in).collect()
}

/// Numbered lines of several scripts, of exactly so many bytes, without a line break at the end.
fn lines(bytes: usize) -> String {
    lines_ended_by("\n", bytes)
}

fn lines_ended_by(line_break: &str, bytes: usize) -> String {
    let mut text = String::new();
    for number in 0.. {
        let line = format!("{number:06} 磁盘 /var 已满 😀 disk full{line_break}");
        if text.len() + line.len() >= bytes {
            break;
        }
        text.push_str(&line);
    }
    text.push_str(&"x".repeat(bytes - text.len()));
    text
}

/// The text of a message, wherever its type has it.
fn text_in(message: &Arrived) -> String {
    let payload = message.payload();
    let places = [&payload["content"], &payload["description"], &payload["articles"][0]["description"]];
    let text = places.into_iter().find_map(Value::as_str);
    text.unwrap_or_else(|| panic!("no text in {}", message.body)).to_owned()
}

/// What the parts say together: each must be marked with its number, fit, and say something.
#[track_caller]
fn joined(case: &str, msgtype: &str, limit: usize, parts: &[String]) -> String {
    let apart = APART.into_iter().find(|(name, _)| *name == msgtype || name.is_empty()).unwrap().1;
    let unmarked = parts.iter().enumerate().map(|(at, part)| {
        let mark = format!("({}/{}){apart}", at + 1, parts.len());
        let rest = part.strip_prefix(&mark).unwrap_or_else(|| panic!("{case}: no {mark:?} before {part:?}"));
        assert!(part.len() <= limit && !rest.trim().is_empty(), "{case}: {} bytes: {part:?}", part.len());
        rest
    });
    unmarked.collect::<Vec<_>>().concat()
}

/// The head and the tail around the line that says how many bytes are missing; what it says must be so.
#[track_caller]
fn missing<'a>(case: &str, text: &str, shown: &'a str) -> (&'a str, &'a str) {
    let (head, rest) = shown.split_once("[… ").unwrap_or_else(|| panic!("{case}: nothing is said to miss: {shown}"));
    let (number, rest) = rest.split_once(" bytes left out …]").unwrap_or_else(|| panic!("{case}: {shown}"));
    let line_break = if text.contains("<br>") { "<br>" } else { "\n" };
    let note = rest.split_once(line_break).filter(|(end, _)| end.is_empty()).map_or(rest, |(_, behind)| behind);
    let tail = match note.strip_prefix("the whole text follows as ") {
        Some(note) => note.split_once(line_break).map_or("", |(_, tail)| tail),
        None => note,
    };
    // A blank line keeps it apart in markdown_v2, and a line of its own is not the text's.
    let tail = tail.trim_start_matches('\n');
    let mut head = head;
    while !text.starts_with(head) {
        head = head.strip_suffix(line_break).unwrap_or_else(|| panic!("{case}: not the text's head: {shown}"));
    }
    assert!(text.ends_with(tail), "{case}: not the text's tail: {shown}");
    assert_eq!(number, (text.len() - head.len() - tail.len()).to_string(), "{case}: {shown}");
    (head, tail)
}
