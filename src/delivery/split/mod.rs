//! Splits a long text into parts by bytes, or truncates it. Pure; the time is linear in the text.
//!
//! Cuts fall on line borders, else between grapheme clusters: a line that no part can hold begins in the part before, if
//! that has room for much of it. No cut is inside a fenced block, a `<font …>…</font>`, a link or inline code that a part
//! can hold. A fenced block longer than a part ends with the part and begins again in the next one, unless its own lines
//! take half of a part: then it is text like any other.
//!
//! Every byte of the text is in exactly one part. Besides them a part has its mark, for a block begun again the line
//! that began it, and for one ended the run that ends it (on a line of its own).

mod cut;
mod fence;
mod layout;
mod scan;
#[cfg(test)]
mod tests;
mod truncate;

pub(crate) use truncate::{truncate, truncate_with_note};

use crate::channel::Markup;
use cut::Cutter;
use scan::scan;

impl Markup {
    /// What ends a line.
    fn line_break(self) -> &'static str {
        if self == Self::Textcard { layout::TEXTCARD_BREAK } else { "\n" }
    }
}

/// The text in parts of no more than `limit` bytes each, their marks counted in. A text that fits is one part without
/// mark; else each part begins with `(1/3) `, in Markdown `(1/3)` on a line of its own.
///
/// A limit too small for the mark and one code point is not kept.
pub(crate) fn split(text: &str, limit: usize, markup: Markup) -> Vec<String> {
    // No text has more parts than bytes.
    split_up_to(text, limit, markup, text.len().max(1)).unwrap_or_else(|| vec![text.to_owned()])
}

/// Like [`split`]; `None` if it takes more than `most` parts, which is known without reading a text far longer than that.
pub(crate) fn split_up_to(text: &str, limit: usize, markup: Markup, most: usize) -> Option<Vec<String>> {
    if text.len() <= limit {
        return (most > 0).then(|| vec![text.to_owned()]);
    }
    if text.len() > limit.saturating_mul(most) && most < text.len() {
        return None;
    }
    // The number of parts makes the marks wider, and those make more parts: one more digit until it is enough.
    let fewest = text.len().div_ceil(limit.max(1));
    let mut digits = fewest.checked_ilog10().map_or(1, |log| log + 1);
    loop {
        let countable = 10_usize.saturating_pow(digits) - 1;
        let widest_mark = "(/)".len() + 2 * digits as usize + behind_mark(markup).len();
        let room = limit.saturating_sub(widest_mark);
        let layout = scan(text, markup, room);
        let cutter = Cutter { text, layout: &layout, room, longest_line: room };
        if let Some(ends) = cutter.cut(countable.min(most)) {
            return Some(render(&cutter, &ends, markup));
        }
        if countable >= most {
            return None;
        }
        digits += 1;
    }
}

/// The parts, marked.
fn render(cutter: &Cutter<'_>, ends: &[usize], markup: Markup) -> Vec<String> {
    let mut start = 0;
    let parts = ends.iter().enumerate().map(|(index, end)| {
        let [before, line_break, closing] = cutter.frame(start, *end);
        let text = &cutter.text[start..*end];
        start = *end;
        format!("({}/{}){}{before}{text}{line_break}{closing}", index + 1, ends.len(), behind_mark(markup))
    });
    parts.collect()
}

/// What keeps the text apart from the mark: a heading, a quote or a table must begin its own line.
fn behind_mark(markup: Markup) -> &'static str {
    match markup {
        Markup::Plain | Markup::Textcard => " ",
        Markup::Markdown => "\n",
        Markup::MarkdownV2 => "\n\n",
    }
}
