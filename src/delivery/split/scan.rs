//! Finds the ranges that should not be cut, for `layout`: fenced blocks, links, inline code and `<font>`; line breaks
//! and entities of a textcard. One pass, linear in the text.
//!
//! Links, inline code and tags end on their line (inline code is "single line": WeCom reference 2.5), fonts anywhere.

use std::collections::BTreeMap;
use std::ops::Range;

use super::Markup;
use super::fence::{self, Fence};
use super::layout::{Font, Layout};
use crate::sort;

const FONT: &[u8] = b"<font";
pub(super) const FONT_END: &str = "</font>";

/// Reads the text. `room` is what a piece can hold, in bytes.
pub(super) fn scan(text: &str, markup: Markup, room: usize) -> Layout<'_> {
    let mut layout = Layout::empty(markup, room);
    if markup == Markup::Textcard {
        layout.signs_of = Some(text.as_bytes());
    }
    if !layout.is_markdown {
        return layout;
    }
    let mut inline = Inline::new(text);
    let mut open: Option<Fence> = None;
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let end = start + line.len();
        if let Some(fence) = open {
            if fence::closes(line.as_bytes(), fence.opening) {
                layout.keep_fence(Fence { close: start, end, ..fence });
                open = None;
            }
        } else if let Some(opening) = fence::opening(line.as_bytes()) {
            open = Some(Fence { start, content: end, close: text.len(), end: text.len(), opening });
        } else {
            inline.read_line(start..end, &mut layout);
        }
        start = end;
    }
    if let Some(fence) = open {
        layout.keep_fence(fence);
    }
    inline.finish(&mut layout);
    layout
}

/// Something that has begun on the line.
enum Open {
    /// `[`, at this place.
    Bracket(usize),
    /// `](`, of the bracket at this place.
    Target(usize),
    /// `(` inside a target.
    Parenthesis,
}

/// Reads lines one after the other.
pub(super) struct Inline<'t> {
    bytes: &'t [u8],
    fonts: Vec<Font>,
}

impl<'t> Inline<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { bytes: text.as_bytes(), fonts: Vec::new() }
    }

    /// Reads the line at these bytes.
    pub(super) fn read_line(&mut self, line: Range<usize>, layout: &mut Layout<'_>) {
        let end = line.end;
        let mut code = Code { bytes: &self.bytes[..end], last: None };
        let mut open: Vec<Open> = Vec::new();
        // How many of the open ones are parentheses, of a target or inside one.
        let mut parentheses = 0;
        let mut tag = None;
        let mut at = line.start;
        while at < end {
            let next = self.bytes[..end].get(at + 1);
            at += match self.bytes[at] {
                b'\\' if next.is_some_and(u8::is_ascii_punctuation) => 2,
                b'`' => match code.span_at(at) {
                    Ok(span) => {
                        let length = span.len();
                        layout.keep_whole(span);
                        length
                    }
                    Err(run) => run,
                },
                b'[' => {
                    let is_image = at > line.start && self.bytes[at - 1] == b'!';
                    open.push(Open::Bracket(at - usize::from(is_image)));
                    1
                }
                b']' => match open.pop_if(|open| matches!(open, Open::Bracket(_))) {
                    Some(Open::Bracket(start)) if next == Some(&b'(') => {
                        open.push(Open::Target(start));
                        parentheses += 1;
                        2
                    }
                    _ => 1,
                },
                b'(' if parentheses > 0 => {
                    open.push(Open::Parenthesis);
                    parentheses += 1;
                    1
                }
                b')' if parentheses > 0 => {
                    parentheses -= 1;
                    // A bracket that nothing ended is text.
                    while open.pop_if(|open| matches!(open, Open::Bracket(_))).is_some() {}
                    if let Some(Open::Target(start)) = open.pop() {
                        layout.keep_whole(start..at + 1);
                    }
                    1
                }
                b'<' if is_font(&self.bytes[at..end]) => {
                    tag = Some(at);
                    FONT.len()
                }
                b'<' if starts_with(&self.bytes[at..end], FONT_END.as_bytes()) => {
                    self.end_font(at, layout);
                    FONT_END.len()
                }
                b'>' => {
                    if let Some(start) = tag.take() {
                        layout.protect(start..at + 1);
                        self.fonts.push(Font { start, inner: at + 1, close: None });
                    }
                    1
                }
                _ => 1,
            };
        }
    }

    fn end_font(&mut self, at: usize, layout: &mut Layout<'_>) {
        let end = at + FONT_END.len();
        layout.protect(at..end);
        if let Some(font) = self.fonts.pop() {
            layout.keep_font(Font { close: Some(at), ..font }, Some(end));
        }
    }

    /// What is still open at the end of the text.
    pub(super) fn finish(self, layout: &mut Layout<'_>) {
        self.fonts.into_iter().for_each(|font| layout.keep_font(font, None));
    }
}

/// The backticks of a line.
struct Code<'t> {
    /// The text up to the end of the line.
    bytes: &'t [u8],
    /// Where the last run of each length begins: without it, each run that nothing closes would cost a search
    /// through the line.
    last: Option<BTreeMap<usize, usize>>,
}

impl Code<'_> {
    /// The inline code that begins with the run of backticks here, or the length of a run that begins none.
    fn span_at(&mut self, start: usize) -> Result<Range<usize>, usize> {
        let bytes = self.bytes;
        let length = run_length(bytes, start);
        let last = self.last.get_or_insert_with(|| sort::collect(runs(bytes, start).map(|run| (run.len(), run.start))));
        if last.get(&length).is_none_or(|last| *last <= start) {
            return Err(length);
        }
        let closing = runs(bytes, start + length).find(|run| run.len() == length);
        closing.map(|closing| start..closing.end).ok_or(length)
    }
}

/// The runs of backticks from a place on.
fn runs(bytes: &[u8], from: usize) -> impl Iterator<Item = Range<usize>> {
    let mut from = from;
    std::iter::from_fn(move || {
        let start = from + bytes[from..].iter().position(|byte| *byte == b'`')?;
        from = start + run_length(bytes, start);
        Some(start..from)
    })
}

fn run_length(bytes: &[u8], start: usize) -> usize {
    bytes[start..].iter().take_while(|byte| **byte == b'`').count()
}

fn is_font(bytes: &[u8]) -> bool {
    let behind = bytes.get(FONT.len());
    starts_with(bytes, FONT) && behind.is_some_and(|byte| *byte == b'>' || byte.is_ascii_whitespace())
}

fn starts_with(bytes: &[u8], word: &[u8]) -> bool {
    bytes.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word))
}
