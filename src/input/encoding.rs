//! Encoding detection and decoding of text input: the encoding is given, or detected for each line. Bytes become text,
//! with U+FFFD for what is broken and a warning about it. Pure.

use encoding_rs::{DecoderResult, GB18030, UTF_8, UTF_16BE, UTF_16LE};

use crate::error::Error;

/// A warning names at most this many lines with broken characters.
const NAMED_LINES: usize = 5;

/// So many broken characters are more likely a file that is no text than a text in another encoding.
const LIKELY_BINARY: usize = 1000;

/// The encoding of text input. Names count the same in upper and lower case.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, strum::EnumString, strum::VariantNames)]
#[strum(serialize_all = "lowercase", ascii_case_insensitive)]
#[strum(parse_err_ty = Error, parse_err_fn = unknown_encoding)]
pub enum Encoding {
    /// Decided per line: valid UTF-8 is UTF-8; a few broken bytes at a line's ends are a cut, not another encoding; else
    /// GB18030 where the line decodes cleanly. Input that begins with the byte order mark of UTF-16 is UTF-16 as a whole.
    ///
    /// A GB18030 line whose bytes all happen to be valid UTF-8 (`状态: 停止` with nothing else on its line is one) is read as
    /// UTF-8: such input needs [`Encoding::Gb18030`].
    #[default]
    Auto,
    /// Always UTF-8, without detection.
    #[strum(serialize = "utf-8", serialize = "utf8")]
    Utf8,
    /// GB18030, which contains GBK and GB 2312; without detection.
    #[strum(serialize = "gb18030", serialize = "gbk", serialize = "gb2312")]
    Gb18030,
}

fn unknown_encoding(_name: &str) -> Error {
    Error::usage("the encoding is not auto, utf-8 or gb18030", "choose auto, utf-8 or gb18030")
}

/// Decodes one input from one or more runs of bytes.
pub(super) struct Decoder {
    /// The encoding of the whole input; `None` where each line is guessed.
    encoding: Option<&'static encoding_rs::Encoding>,
    text: String,
    broken: BrokenPlaces,
}

impl Decoder {
    /// For an input that begins with the bytes of `start`.
    pub(super) fn new(encoding: Encoding, start: &[u8]) -> Self {
        let encoding = match (encoding, start) {
            (Encoding::Auto, [0xff, 0xfe, ..]) => Some(UTF_16LE),
            (Encoding::Auto, [0xfe, 0xff, ..]) => Some(UTF_16BE),
            (Encoding::Auto, _) => None,
            (Encoding::Utf8, _) => Some(UTF_8),
            (Encoding::Gb18030, _) => Some(GB18030),
        };
        Self { encoding, text: String::new(), broken: BrokenPlaces::default() }
    }

    /// Decodes the next bytes. A run must not end inside a character that the next one continues.
    pub(super) fn push_bytes(&mut self, mut bytes: Vec<u8>) {
        if self.encoding.is_none_or(|encoding| encoding == UTF_8) {
            // Valid UTF-8, the usual case, is not copied.
            match String::from_utf8(bytes) {
                Ok(text) if self.text.is_empty() => {
                    self.text = text;
                    return;
                }
                Ok(text) => return self.push_text(&text),
                Err(error) => bytes = error.into_bytes(),
            }
        }
        if let Some(encoding) = self.encoding {
            return self.decode(encoding, &bytes);
        }
        // Neither in UTF-8 nor in GB18030 are LF and CR a part of a longer character.
        for line in bytes.split_inclusive(is_line_break) {
            let ends = usize::from(line.last().is_some_and(is_line_break));
            let (line, line_break) = line.split_at(line.len() - ends);
            self.decode_guessed(line);
            self.text.extend(line_break.iter().map(|&byte| char::from(byte)));
        }
    }

    /// Adds text that is not part of the input.
    pub(super) fn push_text(&mut self, text: &str) {
        self.text.push_str(text);
    }

    /// The text, and a warning if something was broken.
    pub(super) fn finish(self) -> (String, Option<String>) {
        let warning = self.broken.warning(self.encoding);
        (self.text, warning)
    }

    fn decode(&mut self, encoding: &'static encoding_rs::Encoding, bytes: &[u8]) {
        let Self { text, broken, .. } = self;
        decode_with(encoding, bytes, |piece| {
            if let Some(piece) = piece {
                return text.push_str(piece);
            }
            broken.note(text);
            text.push(char::REPLACEMENT_CHARACTER);
        });
    }

    /// Decodes one line in the encoding that it seems to have.
    fn decode_guessed(&mut self, line: &[u8]) {
        if let Ok(text) = std::str::from_utf8(line) {
            return self.text.push_str(text);
        }
        // To know whether it is clean GB18030 it has to be decoded. If it is GB18030, that is the result.
        let (start, before) = (self.text.len(), self.broken.clone());
        self.decode(GB18030, line);
        if guess_undecoded(line, self.broken.count - before.count) != GB18030 {
            self.text.truncate(start);
            self.broken = before;
            self.decode(UTF_8, line);
        }
    }

    /// How many bytes at the end of `head`, which a gap follows, begin a character that is cut.
    pub(super) fn cut_at_end(&self, head: &[u8]) -> usize {
        let line = head.rsplit(is_line_break).next().unwrap_or_default();
        let encoding = self.encoding.unwrap_or_else(|| guess(line));
        damage(encoding, if is_utf16(encoding) { head } else { line }).unfinished
    }

    /// How many bytes at the start of `tail`, which was at `offset` in the input after a gap, are the rest of a character
    /// that is cut.
    pub(super) fn cut_at_start(&self, tail: &[u8], offset: u64) -> usize {
        let line = tail.split(is_line_break).next().unwrap_or_default();
        match self.encoding {
            Some(encoding) if is_utf16(encoding) => {
                let odd = usize::from(offset % 2 == 1);
                let high_byte = odd + usize::from(encoding == UTF_16LE);
                let is_low_surrogate = matches!(tail.get(high_byte), Some(0xdc..=0xdf));
                tail.len().min(odd + if is_low_surrogate { 2 } else { 0 })
            }
            Some(encoding) if encoding == UTF_8 => utf8_leftovers(line),
            encoding => {
                let start = gb18030_start(line);
                let is_guessed = encoding.is_none();
                if is_guessed && guess(&line[start..]) == UTF_8 { utf8_leftovers(line) } else { start }
            }
        }
    }
}

/// Where in the rest of a line of GB18030 its first whole character begins: 0 to 3. The bytes do not show it. Of the places
/// from which the line decodes cleanly it is the one that gives the most everyday characters: those of a text that is read
/// from the middle of a character on are rare.
fn gb18030_start(line: &[u8]) -> usize {
    let clean = (0..=line.len().min(3)).filter(|&start| damage(GB18030, &line[start..]).broken == 0);
    let rare = |&start: &usize| {
        let (all, everyday) = wide_characters(&line[start..]);
        all - everyday
    };
    clean.min_by_key(rare).unwrap_or(0)
}

/// How many broken places there are, and on which lines the first ones are.
#[derive(Default, Clone)]
struct BrokenPlaces {
    count: usize,
    lines: Vec<usize>,
    /// How many bytes of the text have been searched for line breaks.
    searched: usize,
    line_breaks: usize,
}

impl BrokenPlaces {
    /// Notes a broken place at the end of the text so far.
    fn note(&mut self, text: &str) {
        self.count += 1;
        if self.lines.len() == NAMED_LINES {
            return;
        }
        let bytes = text.as_bytes();
        for at in self.searched..bytes.len() {
            let ends_crlf = bytes[at] == b'\n' && at > 0 && bytes[at - 1] == b'\r';
            self.line_breaks += usize::from(is_line_break(&bytes[at]) && !ends_crlf);
        }
        self.searched = bytes.len();
        let line = self.line_breaks + 1;
        if self.lines.last() != Some(&line) {
            self.lines.push(line);
        }
    }

    fn warning(&self, encoding: Option<&'static encoding_rs::Encoding>) -> Option<String> {
        if self.count == 0 {
            return None;
        }
        let wrong = match encoding {
            None => "neither UTF-8 nor GB18030",
            Some(encoding) if is_utf16(encoding) => "not UTF-16",
            Some(encoding) if encoding == UTF_8 => "not UTF-8",
            Some(_) => "not GB18030",
        };
        let characters = if self.count == 1 { "character" } else { "characters" };
        let lines = if self.lines.len() == 1 { "line" } else { "lines" };
        let numbers: Vec<_> = self.lines.iter().map(usize::to_string).collect();
        let numbers = numbers.join(", ");
        let count = self.count;
        let advice = if count < LIKELY_BINARY { "" } else { "; --file sends a file that is not text" };
        Some(format!(
            "{count} broken {characters} of the input became U+FFFD, {wrong} (first on {lines} {numbers}){advice}"
        ))
    }
}

fn is_line_break(byte: &u8) -> bool {
    matches!(byte, b'\n' | b'\r')
}

fn is_utf16(encoding: &'static encoding_rs::Encoding) -> bool {
    encoding == UTF_16LE || encoding == UTF_16BE
}

/// What is wrong with bytes in an encoding.
#[derive(Default)]
struct Damage {
    /// How many broken characters there are, with an unfinished one at the end.
    broken: usize,
    /// How many bytes at the end begin a character that does not end.
    unfinished: usize,
}

fn damage(encoding: &'static encoding_rs::Encoding, bytes: &[u8]) -> Damage {
    decode_with(encoding, bytes, |_| {})
}

/// How many bytes of text are decoded at one go.
const DECODED: usize = 1024;

/// Decodes, and gives the text in pieces, with `None` between them for each broken character.
///
/// Each call of the decoder touches every page of the room that it is given: the room is small, not all that is reserved
/// for a long text, or the time would grow with the square of its length.
fn decode_with(
    encoding: &'static encoding_rs::Encoding,
    bytes: &[u8],
    mut on_piece: impl FnMut(Option<&str>),
) -> Damage {
    let mut decoder = encoding.new_decoder_without_bom_handling();
    let mut damage = Damage::default();
    let mut piece = String::with_capacity(DECODED);
    let mut rest = bytes;
    // An unfinished character shows when the decoder is told of the end, after all bytes.
    let mut is_end = false;
    loop {
        piece.clear();
        let (result, read) = decoder.decode_to_string_without_replacement(rest, &mut piece, is_end);
        rest = &rest[read..];
        on_piece(Some(&piece));
        match result {
            DecoderResult::InputEmpty if is_end => return damage,
            DecoderResult::InputEmpty => is_end = true,
            DecoderResult::OutputFull => {}
            DecoderResult::Malformed(length, _) => {
                damage.broken += 1;
                damage.unfinished = if is_end { length.into() } else { 0 };
                on_piece(None);
            }
        }
    }
}

/// Guesses the encoding of one line, without its line break: UTF-8 or GB18030.
///
/// Valid UTF-8 is UTF-8, always. For the rest two signs are weighed. Chinese text in GB18030 consists almost wholly of
/// everyday characters (GB 2312 level 1, punctuation), while UTF-8 misread as GB18030 gives rare ones five times out of six.
/// And damaged UTF-8 still shows whole characters of three bytes and more, which GB18030 forms by accident only. So:
///
/// 1. clean GB18030 of only everyday characters is GB18030, though a short line may look like cut UTF-8 too;
/// 2. UTF-8 with broken bytes only at its ends is a cut;
/// 3. clean GB18030 is GB18030, unless it is mostly rare characters and there are whole UTF-8 characters in it;
/// 4. what is broken either way is what breaks less, GB18030 only with mostly everyday characters.
fn guess(line: &[u8]) -> &'static encoding_rs::Encoding {
    if std::str::from_utf8(line).is_ok() {
        return UTF_8;
    }
    guess_undecoded(line, damage(GB18030, line).broken)
}

/// So many bytes at the start of a line show what characters it has.
const SAMPLE: usize = 64 << 10;

/// The same for a line that is not UTF-8; `broken` is how many characters are broken if it is GB18030.
fn guess_undecoded(line: &[u8], broken: usize) -> &'static encoding_rs::Encoding {
    let (wide, everyday) = wide_characters(&line[..line.len().min(SAMPLE)]);
    let mostly_everyday = wide > 0 && everyday * 2 >= wide;
    let is_gb18030 = if broken == 0 {
        everyday == wide || (!is_cut_utf8(line) && (mostly_everyday || !has_whole_utf8(line)))
    } else {
        mostly_everyday && !is_cut_utf8(line) && broken < broken_utf8(line)
    };
    if is_gb18030 { GB18030 } else { UTF_8 }
}

/// How many bytes at the line's start can only be the rest of a cut UTF-8 character: 0 to 3.
fn utf8_leftovers(line: &[u8]) -> usize {
    line.iter().take(3).take_while(|byte| matches!(byte, 0x80..=0xbf)).count()
}

/// Whether only the ends are broken UTF-8.
fn is_cut_utf8(line: &[u8]) -> bool {
    std::str::from_utf8(&line[utf8_leftovers(line)..]).err().is_none_or(|error| error.error_len().is_none())
}

/// How many broken characters there are in UTF-8.
fn broken_utf8(line: &[u8]) -> usize {
    line.utf8_chunks().filter(|chunk| !chunk.invalid().is_empty()).count()
}

/// Whether it contains a whole character of three bytes or more.
fn has_whole_utf8(line: &[u8]) -> bool {
    line.utf8_chunks().any(|chunk| chunk.valid().chars().any(|c| c.len_utf8() >= 3))
}

/// How many characters beyond ASCII, broken ones included, a line read as GB18030 has, and how many of them are everyday
/// ones: GB 2312 rows 1 to 3 (punctuation, numbers, full-width letters), 9 (box drawing) and 16 to 55 (level 1 hanzi).
fn wide_characters(line: &[u8]) -> (usize, usize) {
    let (mut all, mut everyday) = (0, 0);
    let mut at = 0;
    while let Some(&first) = line.get(at) {
        if first.is_ascii() {
            at += 1;
            continue;
        }
        all += 1;
        let second = line.get(at + 1).copied().unwrap_or_default();
        at += match (first, second) {
            (0x81..=0xfe, 0x30..=0x39) => 4,
            (0x81..=0xfe, 0x40..=0x7e | 0x80..=0xfe) => 2,
            _ => 1,
        };
        everyday += usize::from(matches!((first, second), (0xa1..=0xa3 | 0xa9 | 0xb0..=0xd7, 0xa1..=0xfe)));
    }
    (all, everyday)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Words of alerts, 1 to 10 characters long.
    const WORDS: [&str; 34] = [
        "中",
        "磁",
        "错",
        "警",
        "高",
        "低",
        "断",
        "磁盘",
        "告警",
        "错误",
        "失败",
        "恢复",
        "宕机",
        "阈值",
        "超时",
        "内存",
        "异常",
        "已停止",
        "服务器",
        "数据库",
        "磁盘已满",
        "连接超时",
        "服务异常",
        "内存不足",
        "紧急告警",
        "数据库宕机",
        "备份任务失败",
        "主机无法连接！",
        "磁盘使用率过高",
        "网站证书即将过期",
        "请尽快登录系统处理",
        "生产环境数据库已恢复",
        "【严重】",
        "│已用│",
    ];

    /// Where an alert word is on its line.
    const PLACES: [(&str, &str); 8] = [
        ("", ""),
        ("/data ", ""),
        ("", " 95%"),
        ("[ERROR] ", " on db-01"),
        ("x", "x"),
        ("1", "2"),
        ("(", ")"),
        ("\t", ":"),
    ];

    fn gbk(text: &str) -> Vec<u8> {
        let (bytes, _, unmappable) = GB18030.encode(text);
        assert!(!unmappable, "{text}");
        bytes.into_owned()
    }

    #[test]
    fn alert_words_in_gbk() {
        for word in WORDS {
            for (before, after) in PLACES {
                let line = [before.as_bytes(), &gbk(word), after.as_bytes()].concat();
                assert_eq!(guess(&line), GB18030, "{before}{word}{after} as {line:x?}");
            }
        }
    }

    #[test]
    fn alert_words_in_utf8() {
        for word in WORDS {
            for (before, after) in PLACES {
                assert_eq!(guess(format!("{before}{word}{after}").as_bytes()), UTF_8, "{before}{word}{after}");
            }
        }
    }

    /// With a time that grows with the square of the length, this would take minutes.
    #[test]
    fn long_input_of_any_kind_ends() {
        const LENGTH: usize = 1 << 20;
        let one_wrong_byte = [&"磁盘".as_bytes().repeat(LENGTH / 6), &b"\xff"[..]].concat();
        let mixed = [gbk("磁盘"), "数据".as_bytes().to_vec(), b"\xff ".to_vec()].concat();
        let kinds: [Vec<u8>; 7] = [
            gbk("磁盘宕机").repeat(LENGTH / 8),
            gbk("磁盘宕机\n").repeat(LENGTH / 9),
            gbk("😀").repeat(LENGTH / 4),
            mixed.repeat(LENGTH / 12),
            vec![0xff; LENGTH],
            b"\xb4 ".repeat(LENGTH / 2),
            one_wrong_byte,
        ];
        for bytes in kinds {
            let mut decoder = Decoder::new(Encoding::Auto, &bytes);
            decoder.push_bytes(bytes);
            assert!(decoder.finish().0.chars().count() >= LENGTH / 8);
        }
    }

    #[test]
    fn valid_utf8_is_utf8_even_where_it_may_be_gbk() {
        assert_eq!(guess(&gbk("状态: 停止")), UTF_8);
        assert_eq!(guess("café Ünïcödé".as_bytes()), UTF_8);
    }

    #[test]
    fn cut_utf8_is_utf8_wherever_it_is_cut() {
        let texts = [
            "生产环境数据库已恢复",
            "【严重】磁盘使用率过高：95%",
            "disk /数据 满 😀 retry",
            "Сервер недоступен",
            "└─已用│",
        ];
        for text in texts {
            let bytes = text.as_bytes();
            for start in 0..4 {
                for end in bytes.len() - 3..=bytes.len() {
                    assert_eq!(guess(&bytes[start..end]), UTF_8, "{text} {start}..{end}");
                }
            }
        }
    }

    #[test]
    fn ascii_with_a_cut_character_at_its_end_is_utf8() {
        for text in ["disk 磁", "disk 😀", "disk é"] {
            let bytes = text.as_bytes();
            for end in 6..bytes.len() {
                assert_eq!(guess(&bytes[..end]), UTF_8, "{text} up to {end}");
            }
        }
        assert_eq!(guess(b"\x80 disk"), UTF_8);
        assert_eq!(guess(b"\x9f\x98\x80 disk"), UTF_8);
    }

    #[test]
    fn rare_and_traditional_characters_in_gb18030() {
        for text in ["伺服器錯誤", "資料庫連線逾時", "㐀㐁㐂", "鑫淼犇 ok", "エラー", "价格 5€ 起"]
        {
            assert_eq!(guess(&gbk(text)), GB18030, "{text}");
        }
    }

    #[test]
    fn damage_in_the_midst_leaves_the_encoding() {
        for junk in [&b"\xff"[..], b"\xe4", b"\xe4\xe4", b"\x80", b"\xc3\xff"] {
            let utf8 = ["磁盘".as_bytes(), junk, "已满，请处理".as_bytes()].concat();
            assert_eq!(guess(&utf8), UTF_8, "{junk:x?}");
        }
        let cut_gbk = gbk("磁盘已满");
        assert_eq!(guess(&cut_gbk[..cut_gbk.len() - 1]), GB18030);
        let broken_gbk = [&gbk("磁盘")[..], b"\xff", &gbk("已满，请处理")].concat();
        assert_eq!(guess(&broken_gbk), GB18030);
    }

    #[test]
    fn junk_keeps_its_ascii() {
        assert_eq!(guess(b"\xff\xff GET \xfe\xff"), UTF_8);
        assert_eq!(guess(b"\xe9t\xe9"), UTF_8);
    }

    #[test]
    fn borders() {
        let unfinished = |bytes: &[u8]| damage(UTF_8, bytes).unfinished;
        assert_eq!(unfinished(b"a\xe7\xa3"), 2);
        assert_eq!(unfinished("a磁".as_bytes()), 0);
        assert_eq!(unfinished(b"\xf0\x9f\x98"), 3);
        assert_eq!(unfinished(b"a\xff"), 0);
        assert_eq!(unfinished(b""), 0);
        assert_eq!([damage(GB18030, b"a\x81").unfinished, damage(GB18030, b"\xff\x81\x30\x81").unfinished], [1, 3]);
        assert_eq!(utf8_leftovers(b"\x80\x80\x80\x80"), 3);
        assert_eq!(utf8_leftovers("磁".as_bytes()), 0);
    }

    fn decode(encoding: Encoding, bytes: &[u8]) -> (String, Option<String>) {
        let mut decoder = Decoder::new(encoding, bytes);
        decoder.push_bytes(bytes.to_vec());
        decoder.finish()
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
        }
        let error = "latin1".parse::<Encoding>().unwrap_err();
        assert_eq!(error.message(), "the encoding is not auto, utf-8 or gb18030");
    }

    /// Cuts a text at two places and returns what is left, decoded strictly.
    fn trimmed(
        encoding: Encoding,
        bytes: &[u8],
        from: usize,
        to: usize,
        decode: fn(&[u8]) -> Option<String>,
    ) -> String {
        let (head, tail) = (&bytes[..from], &bytes[to..]);
        let decoder = Decoder::new(encoding, head);
        let (end, start) = (decoder.cut_at_end(head), decoder.cut_at_start(tail, to as u64));
        assert!(end + start <= 6, "{end} {start}");
        let shown = format!("{from}..{to} of {bytes:x?}");
        decode(&head[..from - end]).expect(&shown) + "…" + &decode(&tail[start..]).expect(&shown)
    }

    #[track_caller]
    fn no_character_breaks(encoding: Encoding, text: &str, bytes: &[u8], decode: fn(&[u8]) -> Option<String>) {
        for from in 2..bytes.len() {
            for to in from..bytes.len() {
                let left = trimmed(encoding, bytes, from, to, decode);
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
        no_character_breaks(Encoding::Utf8, text, text.as_bytes(), utf8);
        no_character_breaks(Encoding::Auto, text, text.as_bytes(), utf8);
    }

    #[test]
    fn utf16_is_cut_between_characters() {
        let text = "\u{feff}a磁\n😀😀é满";
        let bytes: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        no_character_breaks(Encoding::Auto, text, &bytes, utf16);
    }

    #[test]
    fn gb18030_is_cut_between_characters_as_far_as_its_bytes_tell() {
        let text = "磁盘已满 \n请尽快处理 ";
        let bytes = GB18030.encode(text).0;
        no_character_breaks(Encoding::Gb18030, text, &bytes, gb18030);
        for from in 4..bytes.len() {
            trimmed(Encoding::Auto, &bytes, from, bytes.len(), gb18030);
        }
    }

    #[test]
    fn a_cut_line_of_gbk_begins_with_its_first_whole_character() {
        for text in ["错误".repeat(300), "备份任务失败".repeat(9), "状态: 停止, 请尽快处理".to_owned(), "x".repeat(9)]
        {
            let bytes = gbk(&text);
            for cut in 1..bytes.len().min(8) {
                for encoding in [Encoding::Auto, Encoding::Gb18030] {
                    let tail = &bytes[cut..];
                    let start = Decoder::new(encoding, b"x").cut_at_start(tail, cut as u64);
                    let shown = gb18030(&tail[start..]).unwrap();
                    assert!(start <= 1 && text.ends_with(&shown), "{text} from {cut}: {shown}");
                }
            }
        }
    }

    proptest! {
        #[test]
        fn everyday_gbk_is_gb18030_unless_it_is_valid_utf8(
            characters in proptest::collection::vec((0xb0u8..=0xd7, 0xa1u8..=0xfe), 1..10),
        ) {
            let line: Vec<u8> = characters.iter().flat_map(|&(lead, trail)| [lead, trail]).collect();
            let expected = if std::str::from_utf8(&line).is_ok() { UTF_8 } else { GB18030 };
            prop_assert_eq!(guess(&line), expected);
        }

        #[test]
        fn chinese_utf8_is_known_by_two_whole_characters(
            text in "[一-龥]{4,12}", start in 0usize..3, end in 0usize..3, after in " ok|",
        ) {
            let bytes = text.as_bytes();
            let end = if after.is_empty() { end } else { 0 };
            let line = [&bytes[start..bytes.len() - end], after.as_bytes()].concat();
            prop_assert_eq!(guess(&line), UTF_8);
        }

        #[test]
        fn any_bytes_decode_and_damage_is_always_said(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            // U+FFFD itself, in UTF-8 and in GB18030, and what begins like UTF-16.
            prop_assume!(!bytes.windows(3).any(|w| w == [0xef, 0xbf, 0xbd]));
            prop_assume!(!bytes.windows(4).any(|w| w == [0x84, 0x31, 0xa4, 0x37]));
            prop_assume!(!matches!(bytes[..], [0xff, 0xfe, ..] | [0xfe, 0xff, ..]));
            for encoding in [Encoding::Auto, Encoding::Utf8, Encoding::Gb18030] {
                let (text, warning) = decode(encoding, &bytes);
                prop_assert_eq!(warning.is_some(), text.contains('\u{fffd}'), "{:?}: {:?}", encoding, text);
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
