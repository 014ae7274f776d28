//! The ranges of a text that should not be cut: fenced blocks, `<font>`, links, inline code.

use std::ops::Range;

use super::Markup;
use super::fence::Fence;

/// A `<font …>` that no part can hold, or that nothing ends.
#[derive(Debug, Clone, Copy)]
pub(super) struct Font {
    pub(super) start: usize,
    /// After the tag.
    pub(super) inner: usize,
    /// The place of `</font>`.
    pub(super) close: Option<usize>,
}

/// What ends a line of a textcard.
pub(super) const TEXTCARD_BREAK: &str = "<br>";

/// The things in a text that matter for cutting it into pieces of `room` bytes.
#[derive(Debug, Default)]
pub(super) struct Layout<'t> {
    room: usize,
    /// A text whose line breaks and entities are kept whole. They are looked for where one may be cut: a long text has
    /// millions of them.
    pub(super) signs_of: Option<&'t [u8]>,
    /// Not to be cut inside. In order, apart from each other, none longer than a piece.
    spans: Vec<Range<usize>>,
    /// Blocks longer than a piece, in order: closed at its end and begun again in the next one.
    fences: Vec<Fence>,
    /// In the order of their ends.
    pub(super) fonts: Vec<Font>,
    /// Links and inline code longer than a piece.
    pub(super) broken: Vec<Range<usize>>,
    /// Whether fences mean anything.
    pub(super) is_markdown: bool,
    /// What ends a line.
    pub(super) line_break: &'static str,
}

impl Layout<'_> {
    /// Nothing found yet. `room` is what a piece can hold, in bytes.
    pub(super) fn empty(markup: Markup, room: usize) -> Self {
        let is_markdown = matches!(markup, Markup::Markdown | Markup::MarkdownV2);
        Self { room, is_markdown, line_break: markup.line_break(), ..Self::default() }
    }

    /// A block is kept whole if a piece can hold it. A longer one is closed and begun again, unless its own lines would
    /// leave no room for what is in it: then it is text like any other.
    pub(super) fn keep_fence(&mut self, fence: Fence) {
        let Fence { start, content, close, end, opening } = fence;
        if end - start <= self.room {
            self.protect(start..end);
        } else if (content - start) + (end - close) + opening.lead < self.room / 2 {
            self.fences.push(fence);
            // No cut that would leave a block empty: after its first line, or before its last.
            self.protect(start..content + 1);
            if close < end {
                self.protect(close - 1..end);
            }
        }
    }

    /// Keeps a link or inline code whole, if a piece can hold it.
    pub(super) fn keep_whole(&mut self, span: Range<usize>) {
        if span.len() <= self.room {
            self.protect(span);
        } else {
            self.broken.push(span);
        }
    }

    /// Keeps a font whole, if a piece can hold it; `end` is after its last tag.
    pub(super) fn keep_font(&mut self, font: Font, end: Option<usize>) {
        match end {
            Some(end) if end - font.start <= self.room => self.protect(font.start..end),
            _ => self.fonts.push(font),
        }
    }

    /// Adds a span. What it contains goes into it, and so does what it overlaps, if a piece can hold both.
    pub(super) fn protect(&mut self, span: Range<usize>) {
        if span.len() > self.room {
            return;
        }
        if self.spans.last().is_none_or(|last| last.end <= span.start) {
            self.spans.push(span);
            return;
        }
        let before = self.spans.partition_point(|other| other.start < span.start);
        match before.checked_sub(1).map(|last| self.spans[last].clone()) {
            Some(last) if last.end > span.start => {
                let both = last.start..last.end.max(span.end);
                if both.len() <= self.room {
                    self.spans.truncate(before - 1);
                    self.spans.push(both);
                }
            }
            _ => {
                self.spans.truncate(before);
                self.spans.push(span);
            }
        }
    }

    /// The span that a cut at this place would break.
    pub(super) fn span_at(&self, place: usize) -> Option<Range<usize>> {
        if let Some(text) = self.signs_of {
            return sign_around(text, place).filter(|sign| sign.len() <= self.room);
        }
        let before = self.spans.partition_point(|span| span.start < place);
        self.spans[..before].last().filter(|span| place < span.end).cloned()
    }

    /// The long block that a cut at this place would break.
    pub(super) fn fence_at(&self, place: usize) -> Option<&Fence> {
        self.fence_around(place).filter(|fence| (fence.content..=fence.close).contains(&place))
    }

    /// The long block, or one of its lines, around this place.
    pub(super) fn fence_around(&self, place: usize) -> Option<&Fence> {
        let before = self.fences.partition_point(|fence| fence.start < place);
        self.fences[..before].last().filter(|fence| place < fence.end)
    }
}

/// The longest entity that is looked for, in bytes.
const ENTITY_BYTES: usize = 32;

/// The line break or entity of a textcard that a cut at this place would break.
fn sign_around(text: &[u8], place: usize) -> Option<Range<usize>> {
    let from = place.saturating_sub(ENTITY_BYTES);
    let sign_at = |at: usize| match text[at] {
        b'<' => text[at..].starts_with(TEXTCARD_BREAK.as_bytes()).then(|| at..at + TEXTCARD_BREAK.len()),
        b'&' => {
            let end = text[at..].iter().take(ENTITY_BYTES).position(|byte| *byte == b';')?;
            let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'#';
            (end > 1 && text[at + 1..at + end].iter().all(is_name)).then_some(at..at + end + 1)
        }
        _ => None,
    };
    (from..place.min(text.len())).rev().find_map(sign_at).filter(|sign| place < sign.end)
}
