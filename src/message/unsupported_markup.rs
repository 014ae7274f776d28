//! Finds markup in a text that its message type does not have, or that is shown as data: WeCom shows it as it is written, and
//! reports nothing (document paths 90236 and 99110).

use std::borrow::Cow;
use std::ops::Range;

use crate::address::has_http_scheme;
use crate::channel::{Channel, Markup, MsgType};
use crate::sanitize::excerpt;

/// The colours of `<font>`.
const COLORS: [&str; 3] = ["info", "comment", "warning"];

/// How much of the text is quoted, in characters.
const QUOTED_CHARS: usize = 20;

/// One line about all that a message of this type does not show, each with the line where it is first; `None` for other types
/// and if there is nothing.
pub(crate) fn unsupported_markup(msgtype: MsgType, channel: Channel, text: &str) -> Option<String> {
    let found = unsupported_in_lines(msgtype, channel, text);
    let found: Vec<_> = found.into_iter().map(|(_, problem)| problem).collect();
    (!found.is_empty()).then(|| format!("{} does not show all of it: {}", msgtype.as_str(), found.join("; ")))
}

/// The same, each with the number of its line, in the order of the kinds.
pub(crate) fn unsupported_in_lines(msgtype: MsgType, channel: Channel, text: &str) -> Vec<(usize, String)> {
    let found = match channel.markup(msgtype) {
        Markup::Markdown => in_markdown(channel, text),
        Markup::MarkdownV2 => in_markdown_v2(channel, text),
        Markup::Plain | Markup::Textcard => return Vec::new(),
    };
    found.into_iter().flatten().collect()
}

/// A markdown without the tags of `<font>`, where those would be shown; code keeps them.
pub(crate) fn without_fonts(text: &str) -> Cow<'_, str> {
    if font_tag(&text.to_ascii_lowercase(), 0).is_none() {
        return Cow::Borrowed(text);
    }
    let kept = lines(text).map(|(_, line, is_code)| if is_code { line.to_owned() } else { without_tags(line) });
    Cow::Owned(kept.collect::<Vec<_>>().join("\n"))
}

/// The line without `<font …>` and `</font>`, but for those in its inline code.
fn without_tags(line: &str) -> String {
    let pieces: Vec<_> = line.split('`').collect();
    let is_text = |index: usize| index.is_multiple_of(2) || index + 1 == pieces.len();
    let mut kept = String::with_capacity(line.len());
    for (index, piece) in pieces.iter().enumerate() {
        if index > 0 {
            kept.push('`');
        }
        let lower = piece.to_ascii_lowercase();
        let mut rest = 0;
        while is_text(index)
            && let Some(tag) = font_tag(&lower, rest)
        {
            kept.push_str(&piece[rest..tag.start]);
            rest = tag.end;
        }
        kept.push_str(&piece[rest..]);
    }
    kept
}

/// Where the next tag of a font is, in a text of small letters.
fn font_tag(lower: &str, from: usize) -> Option<Range<usize>> {
    let starts = lower[from..].match_indices('<').map(|(at, _)| from + at);
    let start = starts.into_iter().find(|at| {
        let tag = &lower[*at..];
        tag.starts_with("<font ") || tag.starts_with("</font>")
    })?;
    let end = lower[start..].find('>')? + start + 1;
    Some(start..end)
}

/// The first markup of a text that is plainly meant as Markdown, with its line: `bold text in line 2`.
pub(crate) fn first_markdown(text: &str) -> Option<String> {
    let mut has_bars = false;
    for (number, line, _) in lines(text).filter(|(.., is_code)| !is_code) {
        let line = &*without_code(line);
        let is_color = |name: &str| COLORS.contains(&&*name.to_ascii_lowercase());
        let found = [
            ("a heading", is_heading(line)),
            ("bold text", has_bold(line)),
            ("coloured text", font_colors(line).any(is_color)),
            ("a link", has_link(line)),
            ("a table", has_bars && is_table_rule(line)),
        ];
        if let Some((what, _)) = found.iter().find(|(_, is_there)| *is_there) {
            return Some(format!("{what} in line {number}"));
        }
        has_bars = line.contains('|');
    }
    None
}

/// What is not shown, each where it is first: its line, and a sentence.
fn in_markdown(channel: Channel, text: &str) -> [Option<(usize, String)>; 6] {
    let [mut table, mut block, mut picture, mut heading, mut color, mut mention] = [const { None }; 6];
    let instead = if channel.has_type(MsgType::MarkdownV2) { ", -t markdown_v2 shows it" } else { "" };
    let raw = |what: &str, number: usize| (number, format!("{what} (line {number}) appears as it is written{instead}"));
    let mut has_bars = false;
    for (number, line, is_code) in lines(text) {
        if is_code {
            block.get_or_insert_with(|| raw("a code block", number));
            continue;
        }
        let line = &*without_code(line);
        if has_bars && is_table_rule(line) {
            table.get_or_insert_with(|| raw("a table", number - 1));
        }
        has_bars = line.contains('|');
        if line.split_once("![").is_some_and(|(_, rest)| rest.contains("](")) {
            picture.get_or_insert_with(|| raw("a picture", number));
        }
        if is_heading_without_blank(line) {
            let quoted = excerpt(line.trim(), QUOTED_CHARS);
            heading.get_or_insert_with(|| {
                (number, format!("{quoted} (line {number}) is not a heading without a space after #"))
            });
        }
        if let Some(name) = font_colors(line).find(|name| !COLORS.contains(&&*name.to_ascii_lowercase())) {
            let quoted = excerpt(name, QUOTED_CHARS);
            color.get_or_insert_with(|| {
                (number, format!("color {quoted} (line {number}) is unknown, there are {}", COLORS.join(", ")))
            });
        }
        let is_in_group = channel.facts().mentions;
        if let Some(name) = mentions(line).find(|name| !is_in_group || name.trim_start_matches('@') == "all") {
            let place = if is_in_group { "in markdown, a text can" } else { "in app messages" };
            mention.get_or_insert_with(|| (number, format!("<@{name}> (line {number}) mentions nobody {place}")));
        }
    }
    [table, block, picture, heading, color, mention]
}

fn in_markdown_v2(channel: Channel, text: &str) -> [Option<(usize, String)>; 6] {
    let [mut mention, mut font] = [const { None }; 2];
    let can_mention = channel.facts().mentions;
    let has_colours = channel.has_type(MsgType::MarkdownV2);
    for (number, line, _) in lines(text).filter(|(.., is_code)| !is_code) {
        let line = &*without_code(line);
        if let Some(name) = mentions(line).next() {
            mention.get_or_insert_with(|| {
                let told = match can_mention {
                    true => format!("<@{name}> (line {number}) mentions nobody, --mention {name} does"),
                    false => format!("<@{name}> (line {number}) mentions nobody: {} cannot", channel.facts().noun),
                };
                (number, told)
            });
        }
        if line.to_ascii_lowercase().contains("<font") && font_colors(line).next().is_some() {
            let instead = if has_colours { ", -t markdown has three" } else { "" };
            font.get_or_insert_with(|| (number, format!("<font> (line {number}) gives no colour{instead}")));
        }
    }
    [mention, font, None, None, None, None]
}

/// The lines with their numbers, and whether they belong to a fenced block.
fn lines(text: &str) -> impl Iterator<Item = (usize, &str, bool)> {
    let mut fence: Option<&str> = None;
    text.lines().enumerate().map(move |(index, line)| {
        let start = line.trim_start();
        let sign = ["```", "~~~"].into_iter().find(|sign| start.starts_with(sign) && line.len() - start.len() <= 3);
        let is_code = fence.is_some() || sign.is_some();
        fence = match (fence, sign) {
            (Some(open), Some(sign)) if open == sign => None,
            (None, sign) => sign,
            (open, _) => open,
        };
        (index + 1, line, is_code)
    })
}

/// The line without its inline code.
fn without_code(line: &str) -> Cow<'_, str> {
    if !line.contains('`') {
        return Cow::Borrowed(line);
    }
    let pieces: Vec<_> = line.split('`').collect();
    // What nothing closes is text.
    let is_text = |index: &usize| index.is_multiple_of(2) || index + 1 == pieces.len();
    Cow::Owned((0..pieces.len()).filter(is_text).map(|index| pieces[index]).collect::<Vec<_>>().join("`"))
}

/// Whether this is the line below the head of a table: `| --- | :-: |`.
fn is_table_rule(line: &str) -> bool {
    line.contains('|') && line.contains('-') && line.chars().all(|c| matches!(c, '|' | '-' | ':' | ' ' | '\t'))
}

/// Whether it is `## heading`. A single `#` begins comments too.
fn is_heading(line: &str) -> bool {
    let words = line.trim_start_matches('#');
    (2..=6).contains(&(line.len() - words.len())) && words.starts_with(' ') && !words.trim().is_empty()
}

/// Whether it has `**bold**`.
fn has_bold(line: &str) -> bool {
    let is_word = |text: &str| {
        !text.is_empty()
            && !text.starts_with('*')
            && !text.starts_with(char::is_whitespace)
            && !text.ends_with(char::is_whitespace)
    };
    let mut pieces = line.split("**").skip(1).peekable();
    while let Some(piece) = pieces.next() {
        // What nothing closes is text.
        if pieces.peek().is_some() && is_word(piece) {
            return true;
        }
    }
    false
}

/// Whether it has `[words](https://…)`.
fn has_link(line: &str) -> bool {
    line.match_indices("](").any(|(at, sign)| line[..at].contains('[') && has_http_scheme(&line[at + sign.len()..]))
}

/// Whether it begins like `#标题`. `#1234` is the number of something.
fn is_heading_without_blank(line: &str) -> bool {
    let words = line.trim_start_matches('#');
    (1..=6).contains(&(line.len() - words.len())) && words.starts_with(char::is_alphabetic)
}

/// The colours of the `<font>`s of a line.
fn font_colors(line: &str) -> impl Iterator<Item = &str> {
    let tags = line.split('<').skip(1).filter_map(|tag| {
        let name = tag.get(.."font ".len())?;
        name.eq_ignore_ascii_case("font ").then(|| tag.split('>').next().unwrap_or_default())
    });
    tags.filter_map(|tag| {
        let at = tag.to_ascii_lowercase().find("color")? + "color".len();
        let value = tag[at..].trim_start().strip_prefix('=')?.trim_start();
        let is_end = |c: char| c.is_whitespace() || matches!(c, '"' | '\'');
        Some(value.trim_start_matches(['"', '\'']).split(is_end).next().unwrap_or_default())
    })
}

/// The ids of the mentions of a line that no backslash takes back.
fn mentions(line: &str) -> impl Iterator<Item = &str> {
    line.match_indices("<@").filter_map(|(at, sign)| {
        let id = line[at + sign.len()..].split('>').next().filter(|id| !id.is_empty() && !id.contains(' '))?;
        (!line[..at].ends_with('\\') && line[at + sign.len() + id.len()..].starts_with('>')).then_some(id)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(msgtype: MsgType, channel: Channel, text: &str) -> String {
        unsupported_markup(msgtype, channel, text).unwrap_or_default()
    }

    #[test]
    fn what_markdown_does_not_show_is_named_with_its_line() {
        for (text, part) in [
            (
                "x\n| a | b |\n| :-- | --: |\n| 1 | 2 |",
                "a table (line 2) appears as it is written, -t markdown_v2 shows it",
            ),
            ("x\n```html\n<b>\n```", "a code block (line 2) appears"),
            ("![a](https://example.com/a.png)", "a picture (line 1) appears"),
            ("#标题\nx", "#标题 (line 1) is not a heading without a space after #"),
            ("<font color=\"red\">x</font>", "color red (line 1) is unknown, there are info, comment, warning"),
            ("<font color='#ff0000'>x</font>", "color #ff0000 (line 1)"),
            ("<FONT color=green>x</FONT>", "color green (line 1)"),
        ] {
            let told = told(MsgType::Markdown, Channel::Webhook, text);
            assert!(told.starts_with("markdown does not show all of it: ") && told.contains(part), "{text}: {told}");
            assert!(!told.contains('\n') && !told.contains(';'), "{told}");
        }
        let all = told(MsgType::Markdown, Channel::Chat, "<@lisi>\n<@all>");
        assert!(all.ends_with("<@all> (line 2) mentions nobody in markdown, a text can"), "{all}");
        let app = told(MsgType::Markdown, Channel::App, "| a |\n|---|\n<@lisi>");
        assert!(
            app.contains("a table (line 1) appears as it is written;")
                && app.contains("<@lisi> (line 3) mentions nobody in app messages")
        );
    }

    #[test]
    fn what_markdown_shows_is_not_named() {
        let shown = "# 标题\n## b\n**c** `<font color=\"red\">` `![a](b)`\n> d | e\n[f](g)\n<font color=\"warning\">h</font>\n\
                     <font color='INFO'>i</font>\n#1234 j\n###### k\n#!/bin/sh\n- l\n--- | ---\na `b\n<@lisi>";
        assert_eq!(told(MsgType::Markdown, Channel::Webhook, shown), "");
        assert_eq!(told(MsgType::Text, Channel::Webhook, "#标题\n```\n<@lisi>"), "");
    }

    #[test]
    fn plain_markdown_is_told_from_output() {
        for (text, told) in [
            ("x\n**disk** full", "bold text in line 2"),
            ("## web-3", "a heading in line 1"),
            ("<font color=\"warning\">x</font>", "coloured text in line 1"),
            ("see [the run](https://ci.example.com/1)", "a link in line 1"),
            ("| a | b |\n|---|---|\n| 1 | 2 |", "a table in line 2"),
        ] {
            assert_eq!(first_markdown(text).as_deref(), Some(told), "{text}");
        }
        for text in [
            "",
            "# a comment\n#!/bin/sh\n#1234 x\n## ",
            "f(**kwargs, **more)\n2 ** 3 ** 4\n****\n/srv/**/*.log",
            "a[0](b)\n[error](no address)",
            "<font color=\"red\">\n`**a**`\n```\n**b**\n```",
            "--- | ---\n+---+\n| a |",
        ] {
            assert_eq!(first_markdown(text), None, "{text}");
        }
    }

    #[test]
    fn markdown_v2_has_neither_mentions_nor_colours() {
        let both = told(MsgType::MarkdownV2, Channel::Webhook, "x\n<@lisi> <font color=\"warning\">y</font>");
        assert_eq!(
            both,
            "markdown_v2 does not show all of it: <@lisi> (line 2) mentions nobody, --mention lisi does; \
             <font> (line 2) gives no colour, -t markdown has three"
        );
        let shown =
            "# a\n```\n<@lisi> <font color=\"red\">\n```\n`<@lisi>` \\<@lisi> <@ x> <fontsize>\n| a |\n|---|\n![](b)";
        assert_eq!(told(MsgType::MarkdownV2, Channel::Webhook, shown), "");
    }
}
