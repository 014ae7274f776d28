//! Bytes to text: UTF-8, GB18030 or UTF-16, with a word about what was broken. Pure; removes and adds nothing else.

use std::fmt;
use std::str::FromStr;

use encoding_rs::{GB18030, UTF_16BE, UTF_16LE};

use super::guess::{Guess, guess};
use super::lossy::decode_with;
use crate::error::{Error, Result};

/// So many lines with broken bytes are named.
const NAMED_LINES: usize = 5;

/// The encoding of text input.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Encoding {
    /// Decided per line: valid UTF-8 is UTF-8; a few broken bytes at a line's ends are a cut, not another encoding; else
    /// GB18030 where the line decodes cleanly. Input that begins with the byte order mark of UTF-16 is UTF-16 as a whole.
    ///
    /// A GB18030 line whose bytes all happen to be valid UTF-8 (`状态: 停止` with nothing else on its line is one) is read as
    /// UTF-8: such input needs [`Encoding::Gb18030`].
    #[default]
    Auto,
    /// UTF-8, whatever the bytes look like.
    Utf8,
    /// GB18030, which contains GBK and GB 2312, whatever the bytes look like.
    Gb18030,
}

impl Encoding {
    /// The name in options and settings.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Utf8 => "utf-8",
            Self::Gb18030 => "gb18030",
        }
    }
}

impl fmt::Display for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Encoding {
    type Err = Error;

    /// Upper and lower case count the same; `utf8`, `gbk` and `gb2312` are other names of the two encodings.
    fn from_str(name: &str) -> Result<Self> {
        match name.to_ascii_lowercase().as_str() {
            "auto" => Ok(Self::Auto),
            "utf-8" | "utf8" => Ok(Self::Utf8),
            "gb18030" | "gbk" | "gb2312" => Ok(Self::Gb18030),
            _ => Err(Error::usage("the encoding is none of auto, utf-8 and gb18030", "choose auto, utf-8 or gb18030")),
        }
    }
}

/// How the bytes of one input are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scheme {
    PerLine,
    Utf8,
    Gb18030,
    Utf16Le,
    Utf16Be,
}

impl Scheme {
    /// For an input that begins with these bytes.
    pub(super) fn of(encoding: Encoding, start: &[u8]) -> Self {
        match (encoding, start) {
            (Encoding::Auto, [0xff, 0xfe, ..]) => Self::Utf16Le,
            (Encoding::Auto, [0xfe, 0xff, ..]) => Self::Utf16Be,
            (Encoding::Auto, _) => Self::PerLine,
            (Encoding::Utf8, _) => Self::Utf8,
            (Encoding::Gb18030, _) => Self::Gb18030,
        }
    }

    fn shown(self) -> &'static str {
        match self {
            Self::PerLine => "neither UTF-8 nor GB18030",
            Self::Utf8 => "not UTF-8",
            Self::Gb18030 => "not GB18030",
            Self::Utf16Le | Self::Utf16Be => "not UTF-16",
        }
    }
}

/// Puts an input together from one or more runs of bytes.
pub(super) struct Decoder {
    scheme: Scheme,
    text: String,
    broken: Broken,
}

impl Decoder {
    pub(super) fn new(scheme: Scheme) -> Self {
        Self { scheme, text: String::new(), broken: Broken::default() }
    }

    /// Decodes the next bytes. A run must not end in the midst of a character that the next one goes on with.
    pub(super) fn push_bytes(&mut self, bytes: Vec<u8>) {
        match self.scheme {
            Scheme::PerLine => self.push_utf8_or(bytes, Self::push_lines),
            Scheme::Utf8 => self.push_utf8_or(bytes, Self::push_lossy_utf8),
            Scheme::Gb18030 => self.push_encoded(GB18030, &bytes),
            Scheme::Utf16Le => self.push_encoded(UTF_16LE, &bytes),
            Scheme::Utf16Be => self.push_encoded(UTF_16BE, &bytes),
        }
    }

    /// Adds words of our own.
    pub(super) fn push_text(&mut self, text: &str) {
        self.text.push_str(text);
    }

    /// The text, and a warning where something was broken.
    pub(super) fn finish(self) -> (String, Option<String>) {
        let warning = self.broken.warning(self.scheme);
        (self.text, warning)
    }

    /// Valid UTF-8, the usual case, costs no copy.
    fn push_utf8_or(&mut self, bytes: Vec<u8>, otherwise: fn(&mut Self, &[u8])) {
        match String::from_utf8(bytes) {
            Ok(text) if self.text.is_empty() => self.text = text,
            Ok(text) => self.text.push_str(&text),
            Err(error) => otherwise(self, error.as_bytes()),
        }
    }

    /// LF and CR are part of no longer character, neither in UTF-8 nor in GB18030.
    fn push_lines(&mut self, bytes: &[u8]) {
        let is_break = |b: &u8| matches!(b, b'\n' | b'\r');
        for line in bytes.split_inclusive(is_break) {
            let ends = usize::from(line.last().is_some_and(is_break));
            let (line, line_break) = line.split_at(line.len() - ends);
            match guess(line) {
                Guess::Utf8 => self.push_lossy_utf8(line),
                Guess::Gb18030 => self.push_encoded(GB18030, line),
            }
            self.text.extend(line_break.iter().map(|&b| char::from(b)));
        }
    }

    fn push_lossy_utf8(&mut self, bytes: &[u8]) {
        for chunk in bytes.utf8_chunks() {
            self.text.push_str(chunk.valid());
            if !chunk.invalid().is_empty() {
                self.broken.note(&self.text);
                self.text.push(char::REPLACEMENT_CHARACTER);
            }
        }
    }

    fn push_encoded(&mut self, encoding: &'static encoding_rs::Encoding, bytes: &[u8]) {
        decode_with(encoding, bytes, &mut self.text, |text| self.broken.note(text));
    }
}

/// How many broken places there are, and the lines of the first.
#[derive(Default)]
struct Broken {
    count: usize,
    lines: Vec<usize>,
    /// So much of the text is counted: its bytes and its line breaks.
    counted: usize,
    breaks: usize,
}

impl Broken {
    /// Notes a broken place at the end of the text so far.
    fn note(&mut self, text: &str) {
        self.count += 1;
        if self.lines.len() == NAMED_LINES {
            return;
        }
        let bytes = text.as_bytes();
        for at in self.counted..bytes.len() {
            let ends_crlf = bytes[at] == b'\n' && at > 0 && bytes[at - 1] == b'\r';
            self.breaks += usize::from(matches!(bytes[at], b'\n' | b'\r') && !ends_crlf);
        }
        self.counted = bytes.len();
        let line = self.breaks + 1;
        if self.lines.last() != Some(&line) {
            self.lines.push(line);
        }
    }

    fn warning(&self, scheme: Scheme) -> Option<String> {
        let lines: Vec<String> = self.lines.iter().map(usize::to_string).collect();
        (self.count > 0).then(|| {
            format!(
                "{} broken {} of the input became U+FFFD, {} (first on {} {})",
                self.count,
                if self.count == 1 { "character" } else { "characters" },
                scheme.shown(),
                if lines.len() == 1 { "line" } else { "lines" },
                lines.join(", "),
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn decode(encoding: Encoding, bytes: &[u8]) -> (String, Option<String>) {
        let mut decoder = Decoder::new(Scheme::of(encoding, bytes));
        decoder.push_bytes(bytes.to_vec());
        decoder.finish()
    }

    fn gbk(text: &str) -> Vec<u8> {
        GB18030.encode(text).0.into_owned()
    }

    #[test]
    fn auto_decides_per_line() {
        let input = [&gbk("磁盘已满\r\n")[..], "内存不足 é\r".as_bytes(), &gbk("已恢复"), b"\nok\n"].concat();
        let expected = "磁盘已满\r\n内存不足 é\r已恢复\nok\n".to_owned();
        assert_eq!(decode(Encoding::Auto, &input), (expected, None));
    }

    #[test]
    fn broken_bytes_are_counted_and_their_lines_named() {
        let (text, warning) = decode(Encoding::Auto, b"ok\r\nab\xe7\xa3\rc\xffd\xff\n\n\xff");
        assert_eq!(text, "ok\r\nab\u{fffd}\rc\u{fffd}d\u{fffd}\n\n\u{fffd}");
        let expected =
            "4 broken characters of the input became U+FFFD, neither UTF-8 nor GB18030 (first on lines 2, 3, 5)";
        assert_eq!(warning.as_deref(), Some(expected));
    }

    #[test]
    fn only_the_first_lines_are_named() {
        let (_, warning) = decode(Encoding::Utf8, &b"\xff\n".repeat(100));
        let expected = "100 broken characters of the input became U+FFFD, not UTF-8 (first on lines 1, 2, 3, 4, 5)";
        assert_eq!(warning.as_deref(), Some(expected));
    }

    #[test]
    fn a_replacement_character_that_came_in_is_no_damage() {
        assert_eq!(decode(Encoding::Auto, "a\u{fffd}".as_bytes()), ("a\u{fffd}".to_owned(), None));
        let beside_damage = ["a\u{fffd}".as_bytes(), b"\n\xff"].concat();
        let (_, warning) = decode(Encoding::Auto, &beside_damage);
        assert!(warning.as_deref().is_some_and(|w| w.starts_with("1 broken") && w.ends_with("line 2)")), "{warning:?}");
    }

    #[test]
    fn a_named_encoding_is_obeyed() {
        assert_eq!(decode(Encoding::Gb18030, &gbk("状态: 停止")), ("状态: 停止".to_owned(), None));
        assert_eq!(
            decode(Encoding::Gb18030, b"a\xd6\nb"),
            (
                "a\u{fffd}\nb".to_owned(),
                Some("1 broken character of the input became U+FFFD, not GB18030 (first on line 1)".to_owned()),
            )
        );
        let (text, warning) = decode(Encoding::Utf8, &gbk("磁"));
        assert!(text.chars().all(|c| c == char::REPLACEMENT_CHARACTER) && warning.is_some(), "{text}");
    }

    #[test]
    fn utf16_is_known_by_its_mark() {
        let text = "\u{feff}磁盘 😀\r\n满";
        let le: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let be: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        assert_eq!(decode(Encoding::Auto, &le), (text.to_owned(), None));
        assert_eq!(decode(Encoding::Auto, &be), (text.to_owned(), None));
        let (cut, warning) = decode(Encoding::Auto, &le[..le.len() - 1]);
        assert_eq!(cut, "\u{feff}磁盘 😀\r\n\u{fffd}");
        assert_eq!(warning.unwrap(), "1 broken character of the input became U+FFFD, not UTF-16 (first on line 2)");
    }

    #[test]
    fn names() {
        for (name, encoding) in [
            ("auto", Encoding::Auto),
            ("UTF-8", Encoding::Utf8),
            ("utf8", Encoding::Utf8),
            ("GBK", Encoding::Gb18030),
            ("gb2312", Encoding::Gb18030),
            ("gb18030", Encoding::Gb18030),
        ] {
            assert_eq!(name.parse::<Encoding>().unwrap(), encoding, "{name}");
            assert_eq!(encoding.to_string().parse::<Encoding>().unwrap(), encoding);
        }
        let error = "latin1".parse::<Encoding>().unwrap_err();
        assert_eq!(error.message(), "the encoding is none of auto, utf-8 and gb18030");
    }

    proptest! {
        #[test]
        fn any_bytes_decode_and_damage_is_always_said(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            // U+FFFD itself, in UTF-8 and in GB18030, and what begins like UTF-16.
            prop_assume!(!bytes.windows(3).any(|w| w == [0xef, 0xbf, 0xbd]));
            prop_assume!(!bytes.windows(4).any(|w| w == [0x84, 0x31, 0xa4, 0x37]));
            prop_assume!(!matches!(bytes[..], [0xff, 0xfe, ..] | [0xfe, 0xff, ..]));
            for encoding in [Encoding::Auto, Encoding::Utf8, Encoding::Gb18030] {
                let (text, warning) = decode(encoding, &bytes);
                prop_assert_eq!(warning.is_some(), text.contains('\u{fffd}'), "{}: {:?}", encoding, text);
            }
        }

        #[test]
        fn utf8_is_untouched_by_auto(text in "\\PC{0,40}") {
            prop_assert_eq!(decode(Encoding::Auto, text.as_bytes()), (text, None));
        }

        #[test]
        fn gb18030_gives_back_what_went_in(text in "\\PC{0,40}") {
            let (bytes, _, unmappable) = GB18030.encode(&text);
            prop_assume!(!unmappable && !text.contains('\u{fffd}'));
            prop_assert_eq!(decode(Encoding::Gb18030, &bytes).0, text);
        }
    }
}
