//! Input of any length in bounded memory: its first and its last bytes, and how many were left out between them.
//! Cuts on character borders; decodes nothing for others.

use std::io::{self, Write};

use encoding_rs::GB18030;

use super::decode::Scheme;
use super::guess::{Guess, gb18030_length, guess, utf8_leftovers, utf8_unfinished};
use super::lossy::decode_with;

/// Takes bytes and keeps the first and the last `kept` of them.
pub(super) struct HeadAndTail {
    kept: usize,
    head: Vec<u8>,
    /// A ring once it is full.
    tail: Vec<u8>,
    oldest: usize,
    total: u64,
}

/// What was taken.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Taken {
    Whole(Vec<u8>),
    Cut { head: Vec<u8>, left_out: u64, tail: Vec<u8> },
}

impl HeadAndTail {
    pub(super) fn new(kept: usize) -> Self {
        Self { kept, head: Vec::new(), tail: Vec::new(), oldest: 0, total: 0 }
    }

    pub(super) fn finish(mut self) -> Taken {
        self.tail.rotate_left(self.oldest);
        let left_out = self.total - (self.head.len() + self.tail.len()) as u64;
        if left_out == 0 {
            self.head.append(&mut self.tail);
            Taken::Whole(self.head)
        } else {
            Taken::Cut { head: self.head, left_out, tail: self.tail }
        }
    }
}

impl Write for HeadAndTail {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.total += bytes.len() as u64;
        let (first, rest) = bytes.split_at(bytes.len().min(self.kept - self.head.len()));
        self.head.extend_from_slice(first);
        let (fresh, rest) = rest.split_at(rest.len().min(self.kept - self.tail.len()));
        self.tail.extend_from_slice(fresh);
        for piece in rest.chunks(self.kept) {
            let (to_end, to_start) = piece.split_at(piece.len().min(self.kept - self.oldest));
            self.tail[self.oldest..self.oldest + to_end.len()].copy_from_slice(to_end);
            self.tail[..to_start.len()].copy_from_slice(to_start);
            self.oldest = (self.oldest + piece.len()) % self.kept;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Takes the two halves of a cut character away from both sides of the gap; returns how many bytes these were.
pub(super) fn trim_gap(scheme: Scheme, head: &mut Vec<u8>, left_out: u64, tail: &mut Vec<u8>) -> u64 {
    let end = unfinished(scheme, head);
    let start = leftovers(scheme, tail, head.len() as u64 + left_out);
    head.truncate(head.len() - end);
    tail.drain(..start);
    (end + start) as u64
}

/// How many bytes at the end of the head begin a character that is cut.
fn unfinished(scheme: Scheme, head: &[u8]) -> usize {
    let line_start = head.iter().rposition(|&b| is_break(b)).map_or(0, |at| at + 1);
    let line = &head[line_start..];
    match scheme {
        Scheme::Utf8 => utf8_unfinished(line),
        Scheme::Gb18030 => gb18030_unfinished(line),
        Scheme::PerLine => match guess(line) {
            Guess::Utf8 => utf8_unfinished(line),
            Guess::Gb18030 => gb18030_unfinished(line),
        },
        Scheme::Utf16Le | Scheme::Utf16Be => {
            let odd = head.len() % 2;
            let is_high = head[..head.len() - odd]
                .last_chunk()
                .is_some_and(|&unit| matches!(utf16_unit(scheme, unit), 0xd800..=0xdbff));
            odd + if is_high { 2 } else { 0 }
        }
    }
}

/// How many bytes at the start of the tail, which stood at `offset` in the input, are the rest of a cut character.
fn leftovers(scheme: Scheme, tail: &[u8], offset: u64) -> usize {
    let line_end = tail.iter().position(|&b| is_break(b)).unwrap_or(tail.len());
    let line = &tail[..line_end];
    let utf8 = utf8_leftovers(line);
    match scheme {
        Scheme::Utf8 => utf8,
        Scheme::Gb18030 => gb18030_leftovers(line),
        Scheme::PerLine if guess(&line[utf8..]) == Guess::Utf8 => utf8,
        Scheme::PerLine => gb18030_leftovers(line),
        Scheme::Utf16Le | Scheme::Utf16Be => {
            let odd = usize::from(offset % 2 == 1).min(tail.len());
            let is_low =
                tail[odd..].first_chunk().is_some_and(|&unit| matches!(utf16_unit(scheme, unit), 0xdc00..=0xdfff));
            odd + if is_low { 2 } else { 0 }
        }
    }
}

fn is_break(byte: u8) -> bool {
    matches!(byte, b'\n' | b'\r')
}

fn gb18030_unfinished(line: &[u8]) -> usize {
    let mut rest = line;
    while !rest.is_empty() {
        match gb18030_length(rest) {
            length if length > rest.len() => return rest.len(),
            length => rest = &rest[length..],
        }
    }
    0
}

/// GB18030 does not show where its characters begin: the fewest bytes without which the line decodes cleanly.
fn gb18030_leftovers(line: &[u8]) -> usize {
    (0..=line.len().min(3)).find(|&n| decode_with(GB18030, &line[n..], &mut String::new(), |_| {}) == 0).unwrap_or(0)
}

fn utf16_unit(scheme: Scheme, unit: [u8; 2]) -> u16 {
    if scheme == Scheme::Utf16Le { u16::from_le_bytes(unit) } else { u16::from_be_bytes(unit) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(kept: usize, chunks: &[&[u8]]) -> Taken {
        let mut input = HeadAndTail::new(kept);
        for chunk in chunks {
            input.write_all(chunk).unwrap();
        }
        input.finish()
    }

    #[test]
    fn what_fits_is_whole() {
        assert_eq!(take(4, &[]), Taken::Whole(vec![]));
        assert_eq!(take(4, &[b"abc"]), Taken::Whole(b"abc".to_vec()));
        assert_eq!(take(4, &[b"abcdefgh"]), Taken::Whole(b"abcdefgh".to_vec()));
        assert_eq!(take(4, &[b"abc", b"def", b"gh"]), Taken::Whole(b"abcdefgh".to_vec()));
    }

    #[test]
    fn keeps_both_ends_however_it_comes_in() {
        let input: Vec<u8> = (0..=255).collect();
        for length in 9..=40 {
            for size in 1..=length {
                let chunks: Vec<&[u8]> = input[..length].chunks(size).collect();
                let expected = Taken::Cut {
                    head: input[..4].to_vec(),
                    left_out: length as u64 - 8,
                    tail: input[length - 4..length].to_vec(),
                };
                assert_eq!(take(4, &chunks), expected, "{length} bytes by {size}");
            }
        }
    }

    /// Cuts a text at two places and gives back what is left, decoded strictly.
    fn trimmed(scheme: Scheme, bytes: &[u8], from: usize, to: usize, decode: fn(&[u8]) -> Option<String>) -> String {
        let (mut head, mut tail) = (bytes[..from].to_vec(), bytes[to..].to_vec());
        let trimmed = trim_gap(scheme, &mut head, (to - from) as u64, &mut tail);
        assert_eq!(head.len() + tail.len() + trimmed as usize, bytes.len() - (to - from));
        assert!(trimmed <= 6, "{trimmed}");
        let shown = format!("{from}..{to} of {bytes:x?}");
        decode(&head).expect(&shown) + "…" + &decode(&tail).expect(&shown)
    }

    #[track_caller]
    fn no_character_breaks(scheme: Scheme, text: &str, bytes: &[u8], decode: fn(&[u8]) -> Option<String>) {
        for from in 2..bytes.len() {
            for to in from..bytes.len() {
                let left = trimmed(scheme, bytes, from, to, decode);
                let (head, tail) = left.split_once('…').unwrap();
                assert!(text.starts_with(head) && text.ends_with(tail), "{from}..{to}: {left}");
            }
        }
    }

    fn utf8(bytes: &[u8]) -> Option<String> {
        String::from_utf8(bytes.to_vec()).ok()
    }

    fn utf16(bytes: &[u8]) -> Option<String> {
        let units: Vec<u16> =
            bytes.chunks(2).map(|c| c.try_into().map(u16::from_be_bytes)).collect::<Result<_, _>>().ok()?;
        String::from_utf16(&units).ok()
    }

    fn gb18030(bytes: &[u8]) -> Option<String> {
        GB18030.decode_without_bom_handling_and_without_replacement(bytes).map(String::from)
    }

    #[test]
    fn utf8_is_cut_between_characters() {
        let text = "a磁盘\n已满 😀é 请尽快处理";
        no_character_breaks(Scheme::Utf8, text, text.as_bytes(), utf8);
        no_character_breaks(Scheme::PerLine, text, text.as_bytes(), utf8);
    }

    #[test]
    fn utf16_is_cut_between_characters() {
        let text = "\u{feff}a磁\n😀😀é满";
        let bytes: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        no_character_breaks(Scheme::Utf16Be, text, &bytes, utf16);
    }

    #[test]
    fn gb18030_is_cut_between_characters_as_far_as_its_bytes_tell() {
        let text = "磁盘已满 \n请尽快处理 ";
        let bytes = GB18030.encode(text).0;
        no_character_breaks(Scheme::Gb18030, text, &bytes, gb18030);
        for from in 4..bytes.len() {
            trimmed(Scheme::PerLine, &bytes, from, bytes.len(), gb18030);
        }
    }
}
