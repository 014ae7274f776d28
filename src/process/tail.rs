//! The last lines of what a command writes, in bounded memory, however much it is. Pure.

use std::collections::VecDeque;

/// All kept lines together have so many bytes at the most.
const MOST_BYTES: usize = 64 << 10;

/// Of a line longer than this, in bytes, its end is kept: a line without an end must not push out all others.
const LONGEST_LINE: usize = 4 << 10;

/// Where something was written: 0 for stdout, or for both where they are one; 1 for stderr.
pub(super) type Source = usize;

/// What is kept of a command's output, in the order in which its lines ended.
#[derive(Debug, Default)]
pub(super) struct Tail {
    /// How many lines are kept.
    most: usize,
    lines: VecDeque<Vec<u8>>,
    bytes: usize,
    seen: u64,
    /// Lines that have not ended yet, each as far as it is kept.
    unfinished: [Vec<u8>; 2],
}

/// The last lines of a command's output.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Kept {
    /// The lines as they were written, with a line feed between two, and of a line that was written over after a carriage
    /// return what a terminal would show last. Bytes of any encoding; the start of a very long line is missing.
    pub text: Vec<u8>,
    /// How many lines that is.
    pub lines: u64,
    /// How many lines there were before them.
    pub dropped: u64,
}

impl Tail {
    /// Keeps so many lines at the most.
    pub(super) fn new(most: usize) -> Self {
        Self { most, ..Self::default() }
    }

    /// Takes what was read at one go. Costs little for lines that others push out right away.
    pub(super) fn push(&mut self, source: Source, chunk: &[u8]) {
        let Some(end) = chunk.iter().rposition(|byte| *byte == b'\n') else {
            self.begin_line(source, chunk);
            return;
        };
        let ended = &chunk[..end];
        let count = 1 + ended.iter().filter(|byte| **byte == b'\n').count();
        self.seen += count as u64;
        let begun = std::mem::take(&mut self.unfinished[source]);
        let mut last: Vec<&[u8]> = ended.rsplit(|byte| *byte == b'\n').take(self.most).collect();
        if count <= self.most
            && let Some(first) = last.pop()
        {
            self.keep(joined(begun, first));
        }
        last.into_iter().rev().for_each(|line| self.keep(shortened(line).to_vec()));
        self.begin_line(source, &chunk[end + 1..]);
    }

    /// What is left when nothing more comes. A line without a line feed at its end is one all the same.
    pub(super) fn finish(&mut self) -> Kept {
        for source in 0..self.unfinished.len() {
            let line = std::mem::take(&mut self.unfinished[source]);
            if !line.is_empty() {
                self.seen += 1;
                self.keep(line);
            }
        }
        let shown: Vec<&[u8]> = self.lines.iter().map(|line| as_shown(line)).collect();
        let lines = shown.len() as u64;
        Kept { text: shown.join(&b'\n'), lines, dropped: self.seen - lines }
    }

    fn keep(&mut self, line: Vec<u8>) {
        if self.most == 0 {
            return;
        }
        self.bytes += line.len() + 1;
        self.lines.push_back(line);
        while self.lines.len() > self.most || self.bytes > MOST_BYTES {
            let Some(dropped) = self.lines.pop_front() else { break };
            self.bytes -= dropped.len() + 1;
        }
    }

    fn begin_line(&mut self, source: Source, part: &[u8]) {
        let begun = std::mem::take(&mut self.unfinished[source]);
        self.unfinished[source] = joined(begun, part);
    }
}

/// The line so far with what comes behind it.
fn joined(mut begun: Vec<u8>, part: &[u8]) -> Vec<u8> {
    begun.extend_from_slice(shortened(part));
    let excess = begun.len().saturating_sub(LONGEST_LINE);
    begun.drain(..excess);
    begun
}

fn shortened(line: &[u8]) -> &[u8] {
    &line[line.len().saturating_sub(LONGEST_LINE)..]
}

/// Progress is shown by going back to the line's start: what counts is the last state.
fn as_shown(line: &[u8]) -> &[u8] {
    let end = line.iter().rposition(|byte| *byte != b'\r').map_or(0, |at| at + 1);
    let line = &line[..end];
    line.rsplit(|byte| *byte == b'\r').next().unwrap_or(line)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn kept(most: usize, chunks: &[(Source, &[u8])]) -> (String, u64, u64) {
        let mut tail = Tail::new(most);
        chunks.iter().for_each(|(source, chunk)| tail.push(*source, chunk));
        let Kept { text, lines, dropped } = tail.finish();
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
            let chunks: Vec<(Source, &[u8])> = chunks.iter().map(|chunk| (0, chunk.as_bytes())).collect();
            let (text, lines, dropped) = kept(2, &chunks);
            assert_eq!((text.as_str(), lines, dropped), expected);
        }
    }

    #[test]
    fn lines_of_two_sources_stay_whole() {
        let chunks: [(Source, &[u8]); 4] = [(0, b"out"), (1, b"error\n"), (0, b"put\n"), (1, b"rest")];
        assert_eq!(kept(5, &chunks), ("error\noutput\nrest".to_owned(), 3, 0));
    }

    #[test]
    fn nothing_is_kept_where_nothing_is_wanted() {
        assert_eq!(kept(0, &[(0, b"a\nb"), (1, b"c\n")]), (String::new(), 0, 3));
    }

    #[test]
    fn of_a_line_that_rewrites_itself_the_last_state_is_kept() {
        assert_eq!(kept(9, &[(0, b"10%\r20%\r100%\r\nnext\r\n\r\nlast\r")]).0, "100%\nnext\n\nlast");
        let endless = b"12%\r".repeat(100_000);
        assert_eq!(kept(9, &[(0, b"a\n"), (0, &endless), (1, b"b\n")]).0, "a\nb\n12%");
    }

    #[test]
    fn a_line_without_an_end_pushes_no_other_out() {
        let mut tail = Tail::new(50);
        tail.push(1, b"what matters\n");
        for _ in 0..100 {
            tail.push(0, &[b'x'; 64 << 10]);
            assert!(tail.unfinished[0].len() == LONGEST_LINE && tail.unfinished[0].capacity() <= 4 * LONGEST_LINE);
        }
        let Kept { text, lines, .. } = tail.finish();
        assert!(text.starts_with(b"what matters\nxxx") && text.len() < 2 * LONGEST_LINE && lines == 2);
    }

    #[test]
    fn many_long_lines_stay_within_the_limit() {
        let mut tail = Tail::new(1_000);
        let line = [&[b'x'; 5_000][..], b"\n"].concat();
        (0..100).for_each(|_| tail.push(0, &line));
        let Kept { text, lines, dropped } = tail.finish();
        assert!(text.len() <= MOST_BYTES && lines == 15 && dropped == 85, "{lines} {dropped}");
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
            let chunks: Vec<(Source, &[u8])> = pieces.iter().map(|piece| (0, piece.as_bytes())).collect();
            let (text, kept_lines, dropped) = kept(most, &chunks);
            prop_assert_eq!(text, lines[cut..].join("\n"));
            prop_assert_eq!((kept_lines, dropped), ((lines.len() - cut) as u64, cut as u64));
        }
    }
}
