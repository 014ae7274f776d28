//! Escapes the sender's text for each message format, so that clients show it literally.
//!
//! - `news` and template cards have no markup for it: nothing to do.
//! - `text` has two forms that mean something: through webhooks `<@userid>` mentions a member (document path 99110), and in
//!   apps `<a href="…">` is a link (document path 90236). No escape is published: a zero-width space after the `<` breaks
//!   them up, and everything else stays untouched, since it is copied.
//! - `markdown`: no escape is published for its subset. What is published, and shows its content as it is, is inline
//!   code, so a line in which something could be read as markup becomes inline code, and all other lines stay untouched.
//!   Zero-width or full-width stand-ins would spoil what is copied, and nothing says that a backslash or an entity works.
//!   Inline code with a backtick in it has a longer run of them around it, as CommonMark does it.
//! - `markdown_v2`: the body is a fenced block with a fence longer than any run of backticks in it. Titles and cells
//!   have no such form (inline code cannot hold a `|` there): they get CommonMark's backslashes, where a sign matters
//!   and nowhere else, since nothing published says that clients take them away.
//! - `textcard`: its description reads `<br>` and `<div>` (document path 90236), so what HTML would take for a tag or
//!   an entity is written as an entity. Any other `<` or `&` stays.
//!
//! `$userName=ID$` is replaced by WeCom only where the sender asks for `enable_id_trans`, and then he means it.

use std::borrow::Cow;
use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation;

use crate::channel::{Channel, MsgType};

/// Inline code longer than this becomes several lines of it: what no message could hold whole would be cut open.
const CODE_BYTES: usize = 1000;

/// Shows as nothing, and is no part of any form of markup.
const ZERO_WIDTH_SPACE: char = '\u{200b}';

/// A `text`, of one line or many.
pub(crate) fn text(text: &str) -> Cow<'_, str> {
    let means_something = |behind: &str| {
        let mut signs = behind.chars();
        match signs.next() {
            Some('@') => true,
            // In a JSON string a line break behind it is a backslash.
            Some('a' | 'A') => signs.next().is_none_or(|c| !c.is_alphanumeric()),
            _ => false,
        }
    };
    let mut ends =
        text.match_indices('<').map(|(at, _)| at + 1).filter(|end| means_something(&text[*end..])).peekable();
    if ends.peek().is_none() {
        return Cow::Borrowed(text);
    }
    let mut broken_up = String::with_capacity(text.len() + 16);
    let mut written = 0;
    for end in ends {
        broken_up.push_str(&text[written..end]);
        broken_up.push(ZERO_WIDTH_SPACE);
        written = end;
    }
    broken_up.push_str(&text[written..]);
    Cow::Owned(broken_up)
}

/// Whether a line must be inline code in `markdown`, so that nothing in it is markup.
pub(super) fn needs_code(line: &str) -> bool {
    let start = line.trim_start();
    // Like an underline, which makes a heading of the line above it.
    let is_rule = !start.is_empty() && start.chars().all(|c| matches!(c, '-' | '=' | ' '));
    line.contains(['<', '*', '`'])
        || start.starts_with(['#', '>'])
        || start.starts_with("~~~")
        || is_rule
        || has_links(line)
        || line.char_indices().any(|(at, c)| match c {
            '\\' => line[at + 1..].starts_with(|c: char| c.is_ascii_punctuation()),
            '&' => is_entity(&line[at..]),
            // As in `snake_case`, which logs and addresses are full of.
            '_' => !is_in_word(line, at),
            _ => false,
        })
}

/// A line of `markdown`.
pub(crate) fn markdown(line: &str) -> String {
    if !needs_code(line) {
        return line.to_owned();
    }
    markdown_code(line)
}

/// A line of `markdown` as inline code, which keeps its blanks.
pub(super) fn markdown_code(line: &str) -> String {
    if line.trim().is_empty() {
        return String::new();
    }
    pieces(line).into_iter().map(code).collect::<Vec<_>>().join("\n")
}

/// A title or cell of `markdown_v2`, on one line.
pub(super) fn markdown_v2(line: &str) -> String {
    let signs = Signs::of(line);
    backslashed(line, |at, c| signs.is_inline_markup(at, c) || (signs.has_links && matches!(c, '[' | ']')))
}

/// The words of a link of `markdown_v2`, on one line.
pub(super) fn markdown_v2_label(line: &str) -> String {
    let signs = Signs::of(line);
    backslashed(line, |at, c| signs.is_inline_markup(at, c) || matches!(c, '[' | ']'))
}

/// A paragraph of `markdown_v2`, on one line: what could make a heading, a quote or a list of it matters too.
pub(crate) fn markdown_v2_paragraph(line: &str) -> String {
    let signs = Signs::of(line);
    let digits = line.len() - line.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    backslashed(line, |at, c| match c {
        '#' | '>' | '+' | '-' | '=' if at == 0 => true,
        '.' | ')' => at > 0 && at == digits,
        '[' | ']' => signs.has_links,
        _ => signs.is_inline_markup(at, c),
    })
}

fn backslashed(line: &str, is_markup: impl Fn(usize, char) -> bool) -> String {
    let mut escaped = String::with_capacity(line.len() + 8);
    for (at, c) in line.char_indices() {
        if is_markup(at, c) {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

/// What decides whether a sign of a line could be markup of `markdown_v2`, found once for the whole line.
struct Signs<'l> {
    line: &'l str,
    has_links: bool,
    has_tildes: bool,
    /// The run of `#` at the line's end that would vanish after a heading.
    closing: Range<usize>,
}

impl<'l> Signs<'l> {
    fn of(line: &'l str) -> Self {
        let end = line.trim_end().len();
        let words = line[..end].trim_end_matches('#');
        let vanishes = words.is_empty() || words.ends_with(' ');
        Self {
            line,
            has_links: has_links(line),
            has_tildes: line.matches('~').nth(1).is_some(),
            closing: if vanishes { words.len()..end } else { 0..0 },
        }
    }

    /// Whether the sign at this place could be markup anywhere in the line. Brackets are not looked at.
    fn is_inline_markup(&self, at: usize, c: char) -> bool {
        let (before, behind) = (&self.line[..at], &self.line[at + c.len_utf8()..]);
        match c {
            '\\' | '`' | '|' => true,
            // Between blanks it is none.
            '*' => !(before.ends_with(' ') && (behind.is_empty() || behind.starts_with(' '))),
            '_' => !is_in_word(self.line, at),
            '~' => self.has_tildes,
            '<' => begins_tag(behind),
            '&' => is_entity(&self.line[at..]),
            '#' => self.closing.contains(&at),
            _ => false,
        }
    }
}

/// Whether brackets in this line could be those of a link.
fn has_links(line: &str) -> bool {
    ["](", "][", "]:"].iter().any(|sign| line.contains(sign))
}

/// Whether an underscore is inside a word, where it never is markup.
fn is_in_word(line: &str, at: usize) -> bool {
    line[..at].ends_with(char::is_alphanumeric) && line[at + 1..].starts_with(char::is_alphanumeric)
}

/// Whether `<` before this text could begin a tag, a comment, an address or a mention.
fn begins_tag(behind: &str) -> bool {
    behind.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '/' | '!' | '?' | '@'))
}

/// A block of `markdown_v2` that shows its text as it is.
pub(crate) fn fenced(text: &str) -> String {
    let fence = "`".repeat((longest_run(text) + 1).max(3));
    format!("{fence}\n{text}\n{fence}")
}

/// A text of `markdown_v2` in which nothing is markup: a paragraph where it is one line that is none, else a block.
pub(crate) fn markdown_v2_text(text: &str) -> String {
    let is_line = !text.contains(['\n', '\t']) && !text.contains("  ") && text.trim() == text;
    if is_line && markdown_v2_paragraph(text) == text { text.to_owned() } else { fenced(text) }
}

/// A text as the plainest message of this channel: its type, and the content, in which nothing means anything.
pub(crate) fn plain(channel: Channel, content: &str) -> (MsgType, String) {
    match channel.has_type(MsgType::Text) {
        true => (MsgType::Text, text(content).into_owned()),
        false => (MsgType::Markdown, markdown_v2_text(content)),
    }
}

/// Text within the description of a `textcard`.
pub(crate) fn textcard(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for (at, c) in text.char_indices() {
        let behind = &text[at + c.len_utf8()..];
        match c {
            '<' if begins_tag(behind) => escaped.push_str("&lt;"),
            '&' if is_entity(&text[at..]) => escaped.push_str("&amp;"),
            _ => escaped.push(c),
        }
    }
    escaped
}

/// An address inside `[…](…)`: what would end it there is percent-encoded, which means the same.
pub(crate) fn url(url: &str) -> Cow<'_, str> {
    let ends_it =
        |c: char| c.is_whitespace() || c.is_control() || matches!(c, '(' | ')' | '<' | '>' | '\\' | '`' | '"');
    if !url.contains(ends_it) {
        return Cow::Borrowed(url);
    }
    let mut encoded = String::with_capacity(url.len() + 8);
    for c in url.chars() {
        if ends_it(c) {
            for byte in c.encode_utf8(&mut [0; 4]).bytes() {
                encoded.push_str(&format!("%{byte:02X}"));
            }
        } else {
            encoded.push(c);
        }
    }
    Cow::Owned(encoded)
}

fn code(text: &str) -> String {
    let fence = "`".repeat(shortest_absent_run(text));
    // One blank on each side is taken off again: needed beside a backtick, and where the text has its own.
    let has_own = text.starts_with(' ') && text.ends_with(' ') && !text.trim().is_empty();
    let pad = if text.starts_with('`') || text.ends_with('`') || has_own { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

/// A line in pieces that inline code can hold, cut between clusters.
fn pieces(line: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut start = 0;
    for (at, cluster) in line.grapheme_indices(true) {
        if at > start && at + cluster.len() - start > CODE_BYTES {
            pieces.push(&line[start..at]);
            start = at;
        }
    }
    pieces.push(&line[start..]);
    pieces
}

/// The length of the shortest run of backticks that the text does not have.
fn shortest_absent_run(text: &str) -> usize {
    let lengths: Vec<_> = runs(text).collect();
    (1..).find(|length| !lengths.contains(length)).unwrap_or(1)
}

fn longest_run(text: &str) -> usize {
    runs(text).max().unwrap_or(0)
}

/// The lengths of the runs of backticks.
fn runs(text: &str) -> impl Iterator<Item = usize> {
    text.split(|c| c != '`').map(str::len).filter(|length| *length > 0)
}

/// Whether the text begins with something like `&lt;` or `&#39;`.
fn is_entity(text: &str) -> bool {
    let Some(name) = text.strip_prefix('&') else { return false };
    let name = name.strip_prefix('#').unwrap_or(name);
    let length = name.bytes().take_while(u8::is_ascii_alphanumeric).count();
    length > 0 && name[length..].starts_with(';')
}
