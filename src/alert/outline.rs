//! What the renderers of all message types share: heading, lines of fields and body, place of the prefix, and
//! truncation of text to the limit of a short field.

use std::borrow::Cow;

use super::escape::{self, markdown, markdown_v2_paragraph};
use unicode_segmentation::UnicodeSegmentation;

use super::{Alert, Field};
use crate::address::has_http_scheme;
use crate::channel::Markup;
use crate::words::Words;

impl Alert {
    /// The program's own words in it.
    pub(super) fn words(&self) -> &'static Words {
        self.language.words()
    }

    /// The level's word.
    pub(super) fn level_label(&self) -> Option<&'static str> {
        self.level.map(|level| level.label(self.words()))
    }

    /// The title on one line; `None` if it says nothing.
    pub(super) fn title_line(&self) -> Option<String> {
        self.title.as_deref().and_then(non_blank_line)
    }

    /// The prefix on one line.
    pub(super) fn prefix_line(&self) -> Option<String> {
        self.prefix.as_deref().and_then(non_blank_line)
    }

    /// The level's word and the title.
    pub(crate) fn heading(&self) -> Option<String> {
        match (self.level_label(), self.title_line()) {
            (Some(label), Some(title)) => Some(behind(label, &title)),
            (label, title) => title.or(label.map(str::to_owned)),
        }
    }

    /// Prefix, level and title on one line, for types whose only heading is the title; `None` if they say nothing.
    pub fn full_title(&self) -> Option<String> {
        match self.heading() {
            Some(heading) => Some(self.behind_prefix(&heading)),
            None => self.prefix_line(),
        }
    }

    /// A heading with the prefix before it.
    pub(super) fn behind_prefix(&self, heading: &str) -> String {
        behind(&self.prefix_line().unwrap_or_default(), heading)
    }

    /// The body without empty lines around it; `None` if it says nothing.
    pub(super) fn body_text(&self) -> Option<&str> {
        let body = self.body.as_deref()?;
        (!body.trim().is_empty()).then(|| body.trim_matches('\n'))
    }

    /// Whether several lines of the body are in columns or with indents, which only code keeps.
    pub(super) fn has_columns(&self) -> bool {
        self.body_text().is_some_and(has_columns)
    }

    /// The name of the link.
    pub(super) fn link_label(&self) -> Option<String> {
        self.link.as_ref().and_then(|link| link.label.as_deref()).and_then(non_blank_line)
    }

    /// What stands below the title of an article, as lines: the whole title if its own place of so many bytes is too short
    /// for it, the fields, the body.
    pub(super) fn lines_below(&self, title_bytes: usize) -> impl Iterator<Item = Cow<'_, str>> + Clone {
        let title = self.full_title().filter(|title| title.len() > title_bytes);
        let fields = self.field_lines();
        title.into_iter().chain(fields).map(Cow::Owned).chain(self.body_lines())
    }

    /// The fields as plain text: `key: value`.
    pub(super) fn field_lines(&self) -> impl Iterator<Item = String> + Clone {
        let colon = self.words().colon;
        self.fields.iter().flat_map(move |field| field.lines(colon))
    }

    /// The link that a line of the body is, see [`Alert::has_links_in_body`].
    pub(super) fn body_link<'l>(&self, line: &'l str) -> Option<BodyLink<'l>> {
        /// The longest name, in characters: more is a sentence.
        const LONGEST_NAME: usize = 40;
        let line = Some(line).filter(|_| self.has_links_in_body)?;
        let is_address = |text: &str| has_http_scheme(text) && !text.contains(char::is_whitespace);
        if is_address(line) {
            return Some(BodyLink { name: self.words().details, url: line });
        }
        let (name, url) = line.split_once(": ").or_else(|| line.split_once('：'))?;
        let is_name = !name.trim().is_empty() && name.trim() == name && chars(name) <= LONGEST_NAME;
        (is_name && is_address(url)).then_some(BodyLink { name, url })
    }

    /// The lines of the body. They are never collected: of a long text there are millions.
    pub(super) fn body_lines(&self) -> impl Iterator<Item = Cow<'_, str>> + Clone {
        self.body_text().into_iter().flat_map(|body| body.split('\n')).map(Cow::Borrowed)
    }

    /// The prefix, made harmless for its format, before a text of which `first` tells how it begins.
    pub(super) fn rendered(&self, prefix: Option<String>, first: First, text: String) -> Rendered {
        Rendered { prefix: prefix.map(|prefix| apart(prefix, first)).unwrap_or_default(), text }
    }
}

/// What stands before a text that is in the format of this message type already: the prefix, made harmless for it, with
/// what keeps it apart; empty without one.
pub(crate) fn prefix_before(markup: Markup, prefix: Option<&str>, text: &str) -> String {
    let Some(prefix) = prefix.and_then(non_blank_line) else { return String::new() };
    match markup {
        Markup::MarkdownV2 => apart(markdown_v2_paragraph(&prefix), First::Block),
        // Headings and quotes begin their own line.
        Markup::Markdown if text.starts_with(['#', '>']) => apart(markdown(&prefix), First::Line),
        Markup::Markdown => apart(markdown(&prefix), First::Words),
        // The first line of a table stays above the others.
        _ if has_columns(text) => apart(escape::text(&prefix).into_owned(), First::Line),
        _ => apart(escape::text(&prefix).into_owned(), First::Words),
    }
}

fn has_columns(text: &str) -> bool {
    let in_columns = |line: &str| {
        let line = line.trim_end();
        line.starts_with([' ', '\t']) || line.contains('\t') || line.contains("  ")
    };
    text.contains('\n') && text.split('\n').any(in_columns)
}

/// A prefix and what keeps it apart.
fn apart(prefix: String, first: First) -> String {
    let gap = match first {
        First::Words => gap_behind(&prefix),
        First::Line => "\n",
        First::Block => "\n\n",
    };
    prefix + gap
}

/// A line of the body that is a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct BodyLink<'l> {
    /// What it leads to.
    pub(super) name: &'l str,
    pub(super) url: &'l str,
}

impl Field {
    /// The key on one line.
    pub(super) fn key_line(&self) -> String {
        flat(&self.key)
    }

    /// The lines of the value, at least one.
    pub(super) fn value_lines(&self) -> Vec<String> {
        let lines: Vec<_> = self.value.trim_matches('\n').split('\n').map(flat).collect();
        if lines.is_empty() { vec![String::new()] } else { lines }
    }

    /// The value on one line.
    pub(super) fn value_line(&self) -> String {
        flat(&self.value)
    }

    /// As plain text: `key: value`.
    pub(super) fn lines(&self, colon: &str) -> Vec<String> {
        let mut lines = self.value_lines();
        lines[0] = format!("{}{colon}{}", self.key_line(), lines[0]).trim_end().to_owned();
        lines
    }
}

/// An alert as one text, which may be longer than a message takes.
///
/// To send it in parts, cut `text` to the limit less `prefix.len()` bytes and put `prefix` before each part, its mark
/// included: fences, fonts, links and inline code are such that the splitter keeps them whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// The prefix with what keeps it apart from the text; empty without one.
    pub prefix: String,
    /// All the rest.
    pub text: String,
}

impl Rendered {
    /// The whole as one text.
    pub fn joined(&self) -> String {
        if self.text.is_empty() { self.prefix.trim_end().to_owned() } else { format!("{}{}", self.prefix, self.text) }
    }
}

/// How a text begins, and so how close a prefix may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum First {
    /// With words that may follow on the prefix's line.
    Words,
    /// With something that needs a line of its own.
    Line,
    /// With something that needs an empty line before it.
    Block,
}

/// A text on one line: a blank for each character that would break it or that no message may hold.
pub(super) fn flat(text: &str) -> String {
    let is_break = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    text.chars().map(|c| if is_break(c) { ' ' } else { c }).collect::<String>().trim().to_owned()
}

/// What keeps a prefix apart from what follows: a blank, unless it ends in a wide sign such as 】, which brings its own.
pub(super) fn gap_behind(prefix: &str) -> &'static str {
    let is_wide = |c: char| matches!(c, '\u{3000}'..='\u{303f}' | '\u{ff00}'..='\u{ffef}');
    if prefix.ends_with(is_wide) { "" } else { " " }
}

fn non_blank_line(text: &str) -> Option<String> {
    Some(flat(text)).filter(|text| !text.is_empty())
}

/// A text behind another one, which may be empty.
pub(super) fn behind(before: &str, text: &str) -> String {
    let gap = if before.is_empty() { "" } else { gap_behind(before) };
    format!("{before}{gap}{text}")
}

/// Says that there is more.
const MORE: &str = "…";

/// Bytes, the measure of articles and textcards.
pub(super) fn bytes(text: &str) -> usize {
    text.len()
}

/// Characters, the measure of template cards.
pub(super) fn chars(text: &str) -> usize {
    text.chars().count()
}

/// The text if it fits, or else its beginning and `…`.
pub(super) fn truncate(text: &str, limit: usize, measure: fn(&str) -> usize) -> String {
    if measure(text) <= limit {
        return text.to_owned();
    }
    let (head, _) = cut(text, limit.saturating_sub(measure(MORE)), measure);
    format!("{}{MORE}", head.trim_end())
}

/// The pieces with a separator between each two.
pub(super) fn join(pieces: impl IntoIterator<Item = impl AsRef<str>>, separator: &str) -> String {
    let mut text = String::new();
    join_to(&mut text, pieces, separator);
    text
}

/// The same, added to a text.
pub(super) fn join_to(text: &mut String, pieces: impl IntoIterator<Item = impl AsRef<str>>, separator: &str) {
    for (index, piece) in pieces.into_iter().enumerate() {
        if index > 0 {
            text.push_str(separator);
        }
        text.push_str(piece.as_ref());
    }
}

/// Takes lines while there is room. The second is what is left of them; a line for `…` is added then. A first line that
/// is too long by itself is cut between words or else clusters.
pub(super) fn fill<'l>(
    lines: impl Iterator<Item = Cow<'l, str>> + Clone,
    room: usize,
    cost: impl Fn(&str) -> usize,
) -> (Vec<Cow<'l, str>>, Option<String>) {
    if lines.clone().try_fold(room, |left, line| left.checked_sub(cost(&line))).is_some() {
        return (lines.collect(), None);
    }
    let mut left = room.saturating_sub(cost(MORE));
    let mut taken: Vec<Cow<'l, str>> = Vec::new();
    let mut lines = lines.peekable();
    while let Some(line) = lines.next_if(|line| cost(line) <= left) {
        left -= cost(&line);
        taken.push(line);
    }
    let mut head = 0;
    if let (true, Some(line)) = (taken.is_empty(), lines.peek()) {
        let (start, _) = cut(line, left, &cost);
        // Better between words, if that does not leave too much out.
        let word = start.rfind(' ').map(|at| &start[..=at]).filter(|word| word.len() > start.len() / 2);
        let start = word.unwrap_or(start);
        head = start.len();
        if head > 0 {
            taken.push(Cow::Owned(start.to_owned()));
        }
    }
    let mut rest = join(lines, "\n");
    rest.drain(..head);
    taken.push(Cow::Borrowed(MORE));
    (taken, Some(rest))
}

/// Cuts a text where its beginning has just room.
fn cut(text: &str, room: usize, cost: impl Fn(&str) -> usize) -> (&str, &str) {
    let ends = text.grapheme_indices(true).map(|(at, cluster)| at + cluster.len());
    let end = ends.take_while(|end| cost(&text[..*end]) <= room).last().unwrap_or(0);
    text.split_at(end)
}
