//! Chooses where a text is cut: at an empty line that is near, else at line ends, else between grapheme clusters, else between code points, and not inside
//! what belongs together.

use unicode_segmentation::GraphemeCursor;

use super::fence;
use super::layout::Layout;

/// How many places are looked at before one is taken that breaks something: bounds the time for hostile text.
pub(super) const TRIES: usize = 64;

/// Cuts a text into pieces of `room` bytes, what closes and reopens a fenced block counted in.
pub(super) struct Cutter<'a> {
    pub(super) text: &'a str,
    pub(super) layout: &'a Layout<'a>,
    pub(super) room: usize,
    /// A line of more bytes has no piece to itself: it follows what is before it, and is cut where that piece is full.
    pub(super) longest_line: usize,
}

impl Cutter<'_> {
    /// The end of each piece; `None` if there are more than `most`.
    pub(super) fn cut(&self, most: usize) -> Option<Vec<usize>> {
        let visible = self.text.trim_end().len();
        let mut ends: Vec<usize> = Vec::new();
        let (mut before, mut start) = (0, 0);
        while start < self.text.len() && self.cost(start, self.text.len()) > self.room {
            let end = self.end_of_piece(start, visible);
            // White space goes with a neighbour that has room for it.
            let is_blank = |piece: &str| piece.trim().is_empty();
            let blank_is_near = is_blank(&self.text[start..end]) || is_blank(&self.text[before..start]);
            match ends.last_mut() {
                Some(last) if blank_is_near && self.cost(before, end) <= self.room => *last = end,
                _ => {
                    ends.push(end);
                    before = start;
                }
            }
            if ends.len() > most {
                return None;
            }
            start = end;
        }
        if start < self.text.len() {
            ends.push(self.text.len());
        }
        (ends.len() <= most).then_some(ends)
    }

    /// What a piece has besides its own bytes: before them the line that begins a block again, after them a line break and
    /// the line that ends one.
    pub(super) fn frame(&self, start: usize, end: usize) -> [&str; 3] {
        let before = self.layout.fence_at(start).filter(|_| start > 0);
        let reopening = before.map_or("", |fence| fence.reopening(self.text));
        match self.layout.fence_at(end).filter(|_| end < self.text.len()) {
            Some(fence) if self.text[..end].ends_with('\n') => [reopening, "", fence.closing(self.text)],
            Some(fence) => [reopening, "\n", fence.closing(self.text)],
            None => [reopening, "", ""],
        }
    }

    /// Bytes of the piece with its frame.
    fn cost(&self, start: usize, end: usize) -> usize {
        let frame: usize = self.frame(start, end).iter().map(|text| text.len()).sum();
        end - start + frame
    }

    /// Where the piece ends that begins here. White space at the end of the text (from `visible` on) is not left alone
    /// there, if the last piece can hold something before it and nothing that belongs together is cut for that.
    fn end_of_piece(&self, start: usize, visible: usize) -> usize {
        let end = self.choose(start, self.text.len());
        if end >= visible && visible > start {
            let earlier = self.choose(start, visible - 1);
            let is_sound = earlier < visible && self.layout.span_at(earlier).is_none();
            if is_sound && self.cost(earlier, self.text.len()) <= self.room {
                return earlier;
            }
        }
        end
    }

    /// The best place to cut after `start`, not after `most` and always at least one code point away.
    pub(super) fn choose(&self, start: usize, most: usize) -> usize {
        let reopening = self.frame(start, start)[0].len();
        let mut end = most.min(start + self.room.saturating_sub(reopening));
        if let Some(fence) = self.layout.fence_around(end) {
            // A line break may have to go before the line that ends the block.
            let before_end = end.saturating_sub(fence.opening.lead + 1);
            end = if fence.start > start { before_end.max(fence.start) } else { before_end };
        }
        let end = char_border_before(self.text, end.max(start));
        let window = &self.text[start..end];
        let shown = start + window.len() - window.trim_start().len();
        self.paragraph_border(start, shown, end)
            .or_else(|| self.line_border(start, shown, end))
            .or_else(|| self.cluster_border(start, shown, end, false))
            .or_else(|| self.cluster_border(start, shown, end, true))
            .or_else(|| self.last_line_border(start, start, end))
            .or_else(|| self.cluster_border(start, start, end, true))
            .or_else(|| self.cluster_before(start, end))
            .unwrap_or_else(|| end.max(char_border_behind(self.text, start + 1)))
    }

    /// The last end of an empty line that breaks nothing, if it is near: what stands together is not cut for the sake of
    /// less than a third of a piece.
    fn paragraph_border(&self, start: usize, shown: usize, end: usize) -> Option<usize> {
        let near = char_border_behind(self.text, shown.max(end - (end - start) / 3));
        let line_break = self.layout.line_break;
        let empty_line = line_break.repeat(2);
        let at = near + self.text.get(near..end)?.rfind(&empty_line)?;
        let place = self.line_border(start, near, at + empty_line.len())?;
        self.text[..place].ends_with(&empty_line).then_some(place)
    }

    /// The last line border after `floor` that breaks nothing, unless it leaves room for much of a line behind it that is to
    /// be cut.
    fn line_border(&self, start: usize, floor: usize, end: usize) -> Option<usize> {
        let place = self.last_line_border(start, floor, end)?;
        (end - place <= self.room / 4 || !self.is_long_line(place)).then_some(place)
    }

    /// Whether the line that begins here is too long to have a piece to itself. Looks no further than that.
    fn is_long_line(&self, place: usize) -> bool {
        let end = char_border_behind(self.text, place + self.longest_line + self.layout.line_break.len());
        end - place > self.longest_line && !self.text[place..end].contains(self.layout.line_break)
    }

    fn last_line_border(&self, start: usize, floor: usize, end: usize) -> Option<usize> {
        let mut end = end;
        let line_break = self.layout.line_break;
        loop {
            let place = floor + self.text.get(floor..end)?.rfind(line_break)? + line_break.len();
            match self.layout.span_at(place) {
                Some(span) => end = span.start,
                None if self.cost(start, place) > self.room => end = place - line_break.len(),
                None => return Some(place),
            }
        }
    }

    /// The last border between clusters after `floor` that breaks nothing. With `before_break` a line break may begin
    /// the next piece, and must not otherwise.
    fn cluster_border(&self, start: usize, floor: usize, end: usize, before_break: bool) -> Option<usize> {
        let mut place = end;
        let mut line = None;
        for _ in 0..TRIES {
            place = self.cluster_before(start, place).filter(|place| *place > floor)?;
            match self.layout.span_at(place) {
                Some(span) if span.start <= floor => return None,
                Some(span) => place = span.start,
                None if !before_break && self.text[place..].starts_with(self.layout.line_break) => place -= 1,
                None if self.cost(start, place) <= self.room && self.keeps_lines(start, place, &mut line) => {
                    return Some(place);
                }
                None => place -= 1,
            }
        }
        None
    }

    /// The last border between clusters that is not after `place`. What is before `start` is no part of a cluster: it
    /// has been cut off, and looking into it would cost time.
    fn cluster_before(&self, start: usize, place: usize) -> Option<usize> {
        let place = char_border_before(self.text, place);
        let rest = self.text.get(start..).filter(|_| place > start)?;
        let mut cursor = GraphemeCursor::new(place - start, rest.len(), true);
        if cursor.is_boundary(rest, 0).ok()? {
            return Some(place);
        }
        cursor.prev_boundary(rest, 0).ok()?.filter(|distance| *distance > 0).map(|distance| start + distance)
    }

    /// Whether neither half of the line broken here is taken for the first or last line of a fenced block.
    /// `line` remembers where the line begins, and from where on it may be broken.
    fn keeps_lines(&self, start: usize, place: usize, line: &mut Option<(usize, Option<usize>)>) -> bool {
        let bytes = self.text.as_bytes();
        if !self.layout.is_markdown || bytes[place - 1] == b'\n' {
            return true;
        }
        if fence::looks_like_one(&bytes[place..]) {
            return false;
        }
        let (_, safe_from) = match *line {
            Some(known) if known.0 < place => known,
            _ => {
                let begin = start + bytes[start..place].iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
                let within = self.layout.fence_at(place).map(|fence| fence.opening);
                let known = (begin, fence::safe_from(&bytes[begin..place], within).map(|distance| begin + distance));
                *line = Some(known);
                known
            }
        };
        safe_from.is_some_and(|from| from <= place)
    }
}

/// The last border between code points that is not after `place`.
fn char_border_before(text: &str, place: usize) -> usize {
    (0..=place.min(text.len())).rev().find(|place| text.is_char_boundary(*place)).unwrap_or(0)
}

/// The first border between code points that is not before `place`.
pub(super) fn char_border_behind(text: &str, place: usize) -> usize {
    (place..text.len()).find(|place| text.is_char_boundary(*place)).unwrap_or(text.len())
}
