//! Truncates a long text: its head, its tail or both are kept, and a line says how much is missing.

use unicode_segmentation::GraphemeCursor;

use super::Markup;
use super::cut::{Cutter, TRIES, char_border_behind};
use super::fence;
use super::layout::{Font, Layout};
use super::scan::{FONT_END, scan};
use crate::config::Keep;
use crate::sort;
use crate::words::Words;

/// What is kept of a text.
struct Kept {
    /// Where it ends, if it is a head; where it begins, if it is a tail.
    cut: usize,
    /// With what ends or reopens its blocks and fonts.
    shown: String,
}

/// What fits of the text, and a line that says how many bytes of it are not there, `[… 12345 bytes left out …]`: in front
/// of a tail, after a head, between both. A text that fits comes back as it is.
///
/// Blocks and fonts that the gap breaks are ended before it and begun again after it. A limit too small for that line is
/// not kept.
pub(crate) fn truncate(text: &str, limit: usize, markup: Markup, keep: Keep, words: &Words) -> String {
    truncate_with_note(text, limit, markup, keep, "", words)
}

/// Like [`truncate`]; `note` is a line more below the number, if it is not empty.
pub(crate) fn truncate_with_note(
    text: &str,
    limit: usize,
    markup: Markup,
    keep: Keep,
    note: &str,
    words: &Words,
) -> String {
    if text.len() <= limit {
        return text.to_owned();
    }
    // A line after a table or a quote would belong to it.
    let line_break = markup.line_break();
    let gap = if markup == Markup::MarkdownV2 { "\n\n" } else { line_break };
    let note = if note.is_empty() { String::new() } else { format!("{line_break}{note}") };
    let notice = |missing: usize| (words.left_out)(missing as u64) + &note;
    let gaps = if keep == Keep::Both { 2 * gap.len() } else { gap.len() };
    let room = limit.saturating_sub(notice(text.len()).len() + gaps);
    let for_head = match keep {
        Keep::Head => room,
        Keep::Both => room / 2,
        Keep::Tail => 0,
    };
    let head = head(text, markup, for_head);
    let for_tail = if keep == Keep::Head { 0 } else { room.saturating_sub(head.shown.len()) };
    let tail = tail(text, markup, for_tail);
    let notice = notice(tail.cut - head.cut);
    let mut short = head.shown;
    if !short.is_empty() {
        short.push_str(if short.ends_with(line_break) { &gap[line_break.len()..] } else { gap });
    }
    short.push_str(&notice);
    if !tail.shown.is_empty() {
        short.push_str(gap);
        short.push_str(&tail.shown);
    }
    short
}

fn head(text: &str, markup: Markup, room: usize) -> Kept {
    if room == 0 {
        return Kept { cut: 0, shown: String::new() };
    }
    let layout = scan(text, markup, room);
    let count_open = |at| layout.fonts.iter().filter(|font| is_open(font, at)).count();
    let mut expected = count_open(room);
    loop {
        let ends = expected * FONT_END.len();
        // Text is more important than many fonts.
        let for_fonts = if ends < room / 2 { ends + 1 } else { 0 };
        let room = room - for_fonts.min(room);
        let cutter = Cutter { text, layout: &layout, room, longest_line: room / 2 };
        let cut = cutter.choose(0, text.len());
        let open = count_open(cut);
        if for_fonts > 0 && open > expected {
            // One more is open here than behind.
            expected = open;
            continue;
        }
        let [_, line_break, closing] = cutter.frame(0, cut);
        let mut shown = [&text[..cut], line_break, closing].concat();
        if for_fonts > 0 && open > 0 {
            if !closing.is_empty() {
                shown.push('\n');
            }
            shown.push_str(&FONT_END.repeat(open));
        }
        return Kept { cut, shown };
    }
}

fn tail(text: &str, markup: Markup, room: usize) -> Kept {
    let nothing = Kept { cut: text.len(), shown: String::new() };
    if room == 0 {
        return nothing;
    }
    let layout = scan(text, markup, room);
    let from = text.len().saturating_sub(room);
    let mut fonts: Vec<&Font> =
        layout.fonts.iter().filter(|font| font.close.is_some() && is_open(font, from)).collect();
    sort::sort_by_key(&mut fonts, |font| font.start);
    if fonts.iter().map(|font| font.inner - font.start + 1).sum::<usize>() > room / 2 {
        // Text matters more than a flood of fonts.
        fonts.clear();
    }
    let tags: usize = fonts.iter().map(|font| font.inner - font.start).sum();
    let from = match layout.fence_around(from + tags) {
        None => from + tags,
        Some(fence) => {
            // The line that begins the block again, and a line break between tags and that.
            let within = from + tags + (fence.content - fence.start) + 1;
            if within < fence.close { within } else { fence.end }
        }
    };
    let from = char_border_behind(text, from);
    let finder = Finder { text, layout: &layout, visible: text.trim_end().len() };
    // Of a long line the end is shown.
    let line = finder.line_border(from).filter(|border| border - from <= room / 2);
    let border = line.or_else(|| finder.cluster_border(from)).or_else(|| finder.line_border(from));
    let cut = border.or_else(|| finder.cluster_behind(from)).unwrap_or(from);
    if cut >= text.len() {
        return nothing;
    }
    let mut shown = String::with_capacity(room);
    for font in fonts.iter().filter(|font| is_open(font, cut)) {
        shown.push_str(&text[font.start..font.inner]);
    }
    if let Some(fence) = layout.fence_at(cut) {
        if !shown.is_empty() {
            shown.push('\n');
        }
        shown.push_str(fence.reopening(text));
    }
    shown.push_str(&text[cut..]);
    Kept { cut, shown }
}

/// Whether a cut at this place leaves the font without its end, and the rest without its beginning.
fn is_open(font: &Font, place: usize) -> bool {
    font.inner <= place && font.close.is_none_or(|close| place <= close)
}

/// Finds where a tail begins: at a line border, else at a border between clusters, else at one between code points.
struct Finder<'a> {
    text: &'a str,
    layout: &'a Layout<'a>,
    /// The end of the text but for white space.
    visible: usize,
}

impl Finder<'_> {
    fn line_border(&self, from: usize) -> Option<usize> {
        let mut from = from;
        let line_break = self.layout.line_break;
        loop {
            // One that ends right before it counts.
            let before = from.checked_sub(line_break.len())?;
            let before = char_border_behind(self.text, before);
            let place = before + self.text.get(before..self.visible)?.find(line_break)? + line_break.len();
            match self.layout.span_at(place) {
                Some(span) => from = span.end,
                None => return Some(place).filter(|place| *place < self.visible),
            }
        }
    }

    fn cluster_border(&self, from: usize) -> Option<usize> {
        let mut place = from;
        for _ in 0..TRIES {
            place = self.cluster_behind(place)?;
            let broken = self.layout.broken.iter().find(|span| span.start < place && place < span.end).cloned();
            if let Some(span) = self.layout.span_at(place).or(broken.filter(|span| span.end < self.visible)) {
                place = span.end;
            } else if self.layout.is_markdown && fence::looks_like_one(&self.text.as_bytes()[place..]) {
                place = char_border_behind(self.text, place + 1);
            } else {
                return Some(place);
            }
        }
        None
    }

    /// The first border between clusters that is not before `place` and leaves something to show.
    fn cluster_behind(&self, place: usize) -> Option<usize> {
        let place = char_border_behind(self.text, place);
        let mut cursor = GraphemeCursor::new(place, self.text.len(), true);
        let border = if cursor.is_boundary(self.text, 0).ok()? {
            Some(place)
        } else {
            cursor.next_boundary(self.text, 0).ok()?
        };
        border.filter(|border| *border < self.visible)
    }
}
