//! The last lines of what a command writes, in bounded memory, however much it writes. Pure.

use std::collections::VecDeque;

/// All kept lines together have at most so many bytes.
const MOST_BYTES: usize = 64 << 10;

/// Of a line longer than this, in bytes, its start and its end are kept: a line without an end must not push out all others.
const LONGEST_LINE: usize = 4 << 10;

/// So many bytes are kept at each end of a longer line. Both have room in one message beside the rest of the alert, also
/// where their characters are longer in UTF-8.
const LINE_END: usize = 512;

/// Where something was written. Where both are the same file, all of it counts as stdout.
#[derive(Debug, Clone, Copy, strum::Display)]
#[strum(serialize_all = "lowercase")]
pub(super) enum OutputStream {
    Stdout,
    Stderr,
}

/// What is kept of a command's output, in the order in which its lines ended.
#[derive(Debug, Default)]
pub(super) struct Tail {
    /// How many lines are kept.
    most: usize,
    lines: VecDeque<Line>,
    bytes: usize,
    seen: u64,
    /// For each stream, the line that has not ended yet, as far as it is kept.
    unfinished: [Line; 2],
}

/// A line, without its line feed. Of a very long one the middle is missing.
#[derive(Debug, Default)]
struct Line {
    bytes: Vec<u8>,
    /// How many bytes are missing after the first [`LINE_END`].
    missing: u64,
    /// A carriage return came last: what follows is written over it.
    returned: bool,
}

/// The last lines of a command's output.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CapturedOutput {
    /// The lines as they were written, with a line feed between two, and of a line that was written over after a carriage
    /// return what a terminal would show last. Bytes of any encoding.
    pub text: Vec<u8>,
    /// Where the middle of a very long line is missing, in order.
    pub gaps: Vec<Gap>,
    /// How many lines that is.
    pub lines: u64,
    /// How many lines there were before them.
    pub dropped: u64,
}

/// A place where bytes are missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gap {
    /// How many bytes of the text are before it.
    pub at: usize,
    /// How many bytes are missing.
    pub missing: u64,
}

impl Tail {
    /// Keeps at most so many lines.
    pub(super) fn new(most: usize) -> Self {
        Self { most, ..Self::default() }
    }

    /// Takes what was read at one go.
    pub(super) fn push(&mut self, stream: OutputStream, chunk: &[u8]) {
        let ended = chunk.iter().filter(|byte| **byte == b'\n').count();
        // Lines that the others of this chunk push out are not copied.
        let pushed_out = ended.saturating_sub(self.most);
        for (index, part) in chunk.split(|byte| *byte == b'\n').enumerate() {
            let line = &mut self.unfinished[stream as usize];
            if index < pushed_out {
                line.clear();
                continue;
            }
            line.push(part);
            if index < ended {
                let line = std::mem::take(line);
                self.keep(line);
            }
        }
        self.seen += ended as u64;
    }

    /// What is left when nothing more comes. A line without a line feed at its end is one all the same.
    pub(super) fn finish(&mut self) -> CapturedOutput {
        for line in std::mem::take(&mut self.unfinished) {
            if !line.bytes.is_empty() {
                self.seen += 1;
                self.keep(line);
            }
        }
        let mut captured = CapturedOutput { lines: self.lines.len() as u64, ..CapturedOutput::default() };
        captured.dropped = self.seen - captured.lines;
        let CapturedOutput { text, gaps, .. } = &mut captured;
        for (index, line) in self.lines.iter().enumerate() {
            if index > 0 {
                text.push(b'\n');
            }
            if line.missing > 0 {
                gaps.push(Gap { at: text.len() + LINE_END, missing: line.missing });
            }
            text.extend_from_slice(&line.bytes);
        }
        captured
    }

    fn keep(&mut self, mut line: Line) {
        if line.missing > 0 {
            line.cut();
            line.bytes.shrink_to_fit();
        }
        self.bytes += line.bytes.len() + 1;
        self.lines.push_back(line);
        while self.lines.len() > self.most || self.bytes > MOST_BYTES {
            let Some(dropped) = self.lines.pop_front() else { break };
            self.bytes -= dropped.bytes.len() + 1;
        }
    }
}

impl Line {
    /// Adds what comes next. Progress is shown by going back to the line's start with a carriage return: what is written
    /// over is dropped.
    fn push(&mut self, part: &[u8]) {
        let end = part.iter().rposition(|byte| *byte != b'\r').map_or(0, |at| at + 1);
        let (written, returns) = part.split_at(end);
        if !written.is_empty() {
            let start = written.iter().rposition(|byte| *byte == b'\r').map_or(0, |at| at + 1);
            if self.returned || start > 0 {
                self.clear();
            }
            self.add(&written[start..]);
        }
        self.returned |= !returns.is_empty();
    }

    fn add(&mut self, part: &[u8]) {
        if self.bytes.len() + part.len() <= LONGEST_LINE {
            return self.bytes.extend_from_slice(part);
        }
        let (start, rest) = part.split_at(LINE_END.saturating_sub(self.bytes.len()).min(part.len()));
        let end = &rest[rest.len().saturating_sub(LINE_END)..];
        self.missing += (rest.len() - end.len()) as u64;
        self.bytes.extend_from_slice(start);
        self.bytes.extend_from_slice(end);
        self.cut();
    }

    /// Keeps both ends of a line.
    fn cut(&mut self) {
        let excess = self.bytes.len().saturating_sub(2 * LINE_END);
        self.bytes.drain(LINE_END..LINE_END + excess);
        self.missing += excess as u64;
    }

    fn clear(&mut self) {
        self.bytes.clear();
        (self.missing, self.returned) = (0, false);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::OutputStream::{Stderr, Stdout};
    use super::*;

    fn kept(most: usize, chunks: &[(OutputStream, &[u8])]) -> (String, u64, u64) {
        let mut tail = Tail::new(most);
        chunks.iter().for_each(|(stream, chunk)| tail.push(*stream, chunk));
        let CapturedOutput { text, lines, dropped, .. } = tail.finish();
        (String::from_utf8(text).unwrap(), lines, dropped)
    }

    #[test]
    fn the_last_lines_are_kept_and_the_others_counted() {
        for (chunks, expected) in [
            (vec![], ("", 0, 0)),
            (vec!["one\n"], ("one", 1, 0)),
            (vec!["one\ntwo\nthree"], ("two\nthree", 2, 1)),
            (vec!["one\ntwo\n", "three\n"], ("two\nthree", 2, 1)),
            (vec!["o", "n", "e\ntw", "o\nthr", "ee"], ("two\nthree", 2, 1)),
            (vec!["one\n\n", "\n"], ("\n", 2, 1)),
            (vec!["1\n2\n3\n4\n5\n"], ("4\n5", 2, 3)),
            (vec!["begun ", "1\n2\n3\n"], ("2\n3", 2, 1)),
        ] {
            let chunks: Vec<(OutputStream, &[u8])> = chunks.iter().map(|chunk| (Stdout, chunk.as_bytes())).collect();
            let (text, lines, dropped) = kept(2, &chunks);
            assert_eq!((text.as_str(), lines, dropped), expected);
        }
    }

    #[test]
    fn lines_of_two_streams_stay_whole() {
        let chunks: [(OutputStream, &[u8]); 4] =
            [(Stdout, b"out"), (Stderr, b"error\n"), (Stdout, b"put\n"), (Stderr, b"rest")];
        assert_eq!(kept(5, &chunks), ("error\noutput\nrest".to_owned(), 3, 0));
    }

    #[test]
    fn nothing_is_kept_where_nothing_is_wanted() {
        assert_eq!(kept(0, &[(Stdout, b"a\nb"), (Stderr, b"c\n")]), (String::new(), 0, 3));
    }

    #[test]
    fn of_a_line_with_carriage_returns_the_last_state_is_kept() {
        assert_eq!(kept(9, &[(Stdout, b"10%\r20%\r100%\r\nnext\r\n\r\nlast\r")]).0, "100%\nnext\n\nlast");
        let endless = b"12%\r".repeat(100_000);
        assert_eq!(kept(9, &[(Stdout, b"a\n"), (Stdout, &endless), (Stderr, b"b\n")]).0, "a\nb\n12%");
    }

    #[test]
    fn of_a_very_long_line_both_ends_are_kept() {
        let line: Vec<u8> = (0..10_000_u32).map(|at| b'a' + (at % 23) as u8).collect();
        let ends = [&line[..LINE_END], &line[line.len() - LINE_END..]].concat();
        let gap = Gap { at: 6 + LINE_END, missing: (line.len() - 2 * LINE_END) as u64 };
        for size in [1, 7, 511, 512, 513, 4_095, 4_096, 4_097, 9_999, 10_000] {
            let mut tail = Tail::new(50);
            tail.push(Stdout, b"first\n");
            line.chunks(size).for_each(|chunk| tail.push(Stdout, chunk));
            tail.push(Stdout, b"\r\nlast");
            let CapturedOutput { text, gaps, lines, dropped } = tail.finish();
            assert_eq!(text, [b"first\n", &ends[..], b"\nlast"].concat(), "{size}");
            assert_eq!((gaps, lines, dropped), (vec![gap], 3, 0), "{size}");
        }
        let whole = &line[..LONGEST_LINE];
        let mut tail = Tail::new(50);
        whole.chunks(100).for_each(|chunk| tail.push(Stdout, chunk));
        assert_eq!(tail.finish(), CapturedOutput { text: whole.to_vec(), gaps: vec![], lines: 1, dropped: 0 });
    }

    #[test]
    fn a_very_long_line_that_is_written_over_leaves_nothing() {
        let mut tail = Tail::new(50);
        (0..3).for_each(|_| tail.push(Stdout, &[b'x'; 5_000]));
        tail.push(Stdout, b"\r");
        tail.push(Stdout, b"100%\n");
        let captured = tail.finish();
        assert_eq!((captured.text, captured.gaps), (b"100%".to_vec(), vec![]));
    }

    #[test]
    fn a_line_without_an_end_pushes_no_other_out() {
        let mut tail = Tail::new(50);
        tail.push(Stderr, b"what matters\n");
        for _ in 0..100 {
            tail.push(Stdout, &[b'x'; 64 << 10]);
            assert!(tail.unfinished[0].bytes.capacity() <= 4 * LONGEST_LINE);
        }
        let CapturedOutput { text, gaps, lines, .. } = tail.finish();
        assert!(text.starts_with(b"what matters\nxxx") && text.len() == 13 + 2 * LINE_END && lines == 2);
        assert_eq!(gaps, [Gap { at: 13 + LINE_END, missing: 100 * (64 << 10) - 2 * LINE_END as u64 }]);
    }

    #[test]
    fn many_long_lines_stay_within_the_limit() {
        let mut tail = Tail::new(1_000);
        let line = [&[b'x'; 4_000][..], b"\n"].concat();
        (0..100).for_each(|_| tail.push(Stdout, &line));
        let CapturedOutput { text, lines, dropped, .. } = tail.finish();
        assert!(text.len() <= MOST_BYTES && lines == 16 && dropped == 84, "{lines} {dropped}");
    }

    proptest! {
        #[test]
        fn chunks_make_no_difference(
            pieces in proptest::collection::vec("[ab\n]{0,12}", 0..12),
            most in 0usize..6,
        ) {
            let whole = pieces.concat();
            let mut lines: Vec<&str> = whole.split('\n').collect();
            if lines.last() == Some(&"") {
                lines.pop();
            }
            let cut = lines.len().saturating_sub(most);
            let chunks: Vec<(OutputStream, &[u8])> = pieces.iter().map(|piece| (Stdout, piece.as_bytes())).collect();
            let (text, kept_lines, dropped) = kept(most, &chunks);
            prop_assert_eq!(text, lines[cut..].join("\n"));
            prop_assert_eq!((kept_lines, dropped), ((lines.len() - cut) as u64, cut as u64));
        }
    }
}
