//! The text of a message, from an argument, a file or stdin: read in bounded memory, decoded, cleaned. Checks neither length
//! nor content.

use std::collections::VecDeque;
use std::ffi::OsStr;
use std::io::{self, Read};
use std::path::Path;

use super::clean::clean;
use super::encoding::{Decoder, Encoding};
use super::{STDIN, is_stdin, open, source_name, unreadable};
use crate::error::Result;
use crate::words::Words;

/// Of input longer than twice this, so many bytes are kept at its start and at its end: 10 MiB.
const KEPT_AT_EACH_END: usize = 10 << 20;

/// How many bytes are read at a time once the start is kept.
const CHUNK: usize = 64 << 10;

/// Where text comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TextSource<'a> {
    /// The argument itself. Valid UTF-8 is taken as it is; anything else is decoded as a file would be.
    Argument(&'a OsStr),
    /// A file, a FIFO or a device.
    File(&'a Path),
    /// Standard input, to its end.
    Stdin,
}

impl<'a> TextSource<'a> {
    /// A file, or stdin for `-`.
    pub(crate) fn from_path(path: &'a Path) -> Self {
        if is_stdin(path) { Self::Stdin } else { Self::File(path) }
    }
}

/// Text as it was read, decoded and cleaned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct InputText {
    /// The text; it may be blank, see [`is_blank`].
    pub(crate) text: String,
    /// How many bytes of the input are not there, but a mark with their number.
    pub(crate) left_out: u64,
    /// One sentence each: a gap, broken characters.
    pub(crate) warnings: Vec<String>,
}

/// Reads, decodes and cleans the text of one message. With `unescapes`, [`unescape`] applies to an argument; never to files
/// and stdin.
///
/// Fails with exit 3 where a file is missing, a folder or unreadable, and where stdin cannot be read; with exit 2 for an
/// empty path.
pub(crate) fn read_text(
    source: &TextSource<'_>,
    encoding: Encoding,
    unescapes: bool,
    words: &Words,
) -> Result<InputText> {
    match source {
        TextSource::Argument(argument) => {
            // What is UTF-8 is taken as it is.
            let encoding = if argument.to_str().is_some() { Encoding::Utf8 } else { encoding };
            let head = argument.as_encoded_bytes().to_vec();
            let InputText { text, warnings, .. } = decode_whole(head, encoding);
            let text = if unescapes { unescape(&text) } else { text };
            Ok(InputText { text: clean(&text), left_out: 0, warnings })
        }
        TextSource::File(path) => read_text_from(open(path)?.0, &source_name(path), encoding, words),
        TextSource::Stdin => read_text_from(io::stdin().lock(), STDIN, encoding, words),
    }
}

/// Reads to the end, decodes and cleans; `name` is what an error calls the input. Fails with exit 3 where reading fails.
///
/// Input longer than twice [`KEPT_AT_EACH_END`] is read to its end all the same, so that its writer is not stopped by a
/// broken pipe; its start and its end are kept, without characters cut in two, with a note of the gap between them.
pub(crate) fn read_text_from(reader: impl Read, name: &str, encoding: Encoding, words: &Words) -> Result<InputText> {
    read_keeping(KEPT_AT_EACH_END, reader, name, encoding, words)
}

/// Whether a text counts as empty: it has nothing but white space.
pub(crate) fn is_blank(text: &str) -> bool {
    text.trim().is_empty()
}

/// `\n`, `\t` and `\\` as a line break, a tab and a backslash; any other backslash stays as it is.
fn unescape(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        let escaped = if c == '\\' { rest.next_if(|c| matches!(c, 'n' | 't' | '\\')) } else { None };
        plain.push(match escaped {
            Some('n') => '\n',
            Some('t') => '\t',
            _ => c,
        });
    }
    plain
}

/// Like [`read_text_from`], with another bound than [`KEPT_AT_EACH_END`].
pub(crate) fn read_keeping(
    kept: usize,
    reader: impl Read,
    name: &str,
    encoding: Encoding,
    words: &Words,
) -> Result<InputText> {
    let input = read_head_and_tail(kept, reader).map_err(|error| unreadable(name, &error))?;
    let read = decode(input, encoding, words);
    Ok(InputText { text: clean(&read.text), ..read })
}

/// The first and the last bytes of an input.
#[derive(Debug, Default, PartialEq, Eq)]
struct HeadAndTail {
    /// The whole input, where nothing was left out.
    head: Vec<u8>,
    /// How many bytes between head and tail were left out.
    left_out: u64,
    tail: Vec<u8>,
}

/// Reads to the end and keeps at most `kept` bytes at each end.
fn read_head_and_tail(kept: usize, mut reader: impl Read) -> io::Result<HeadAndTail> {
    let mut head = Vec::new();
    reader.by_ref().take(kept as u64).read_to_end(&mut head)?;
    let (mut tail, mut left_out) = (VecDeque::new(), 0);
    // A read after the end would wait for more on a terminal.
    let mut is_end = head.len() < kept;
    while !is_end {
        let read = io::copy(&mut reader.by_ref().take(CHUNK as u64), &mut tail)?;
        is_end = read < CHUNK as u64;
        let excess = tail.len().saturating_sub(kept);
        tail.drain(..excess);
        left_out += excess as u64;
    }
    let mut tail = Vec::from(tail);
    if left_out == 0 {
        head.append(&mut tail);
    }
    Ok(HeadAndTail { head, left_out, tail })
}

/// An argument as text. What is not UTF-8 is decoded as a text would be whose encoding is not given.
pub fn decode_argument(argument: &OsStr) -> String {
    match argument.to_str() {
        Some(text) => text.to_owned(),
        None => decode_whole(argument.as_encoded_bytes().to_vec(), Encoding::Auto).text,
    }
}

/// All the bytes of an input as text, decoded and not cleaned.
pub(super) fn decode_whole(bytes: Vec<u8>, encoding: Encoding) -> InputText {
    let (text, warning) = decode_around(bytes, None, encoding, |_| String::new());
    InputText { text, left_out: 0, warnings: warning.into_iter().collect() }
}

/// The same of an input that may have a gap, with a mark there.
fn decode(input: HeadAndTail, encoding: Encoding, words: &Words) -> InputText {
    if input.left_out == 0 {
        return decode_whole(input.head, encoding);
    }
    let mut left_out = input.left_out;
    let (text, warning) = decode_around(input.head, Some((left_out, input.tail)), encoding, |bytes| {
        left_out = bytes;
        format!("\n{}\n", (words.left_out)(bytes))
    });
    let gap = format!("the input is too long: {left_out} bytes in its middle were left out");
    InputText { text, left_out, warnings: std::iter::once(gap).chain(warning).collect() }
}

/// Decodes and cleans the output of a command. At each of the gaps, places with the number of bytes that are missing there,
/// a mark says so.
pub(crate) fn decode_output(
    bytes: &[u8],
    gaps: impl IntoIterator<Item = (usize, u64)>,
    encoding: Encoding,
    words: &Words,
) -> String {
    let mut gaps = gaps.into_iter().peekable();
    let first = gaps.peek().map_or(bytes.len(), |(at, _)| *at);
    let pieces = std::iter::from_fn(|| {
        let (at, missing) = gaps.next()?;
        let end = gaps.peek().map_or(bytes.len(), |(next, _)| *next);
        Some((missing, bytes[at..end].to_vec()))
    });
    clean(&decode_around(bytes[..first].to_vec(), pieces, encoding, words.left_out).0)
}

/// Decodes bytes that have gaps: after the first come pieces, each with the number of bytes that are missing before it. The
/// two halves of a character that is cut belong to the gap. Also returns a warning if something was broken.
fn decode_around(
    mut head: Vec<u8>,
    pieces: impl IntoIterator<Item = (u64, Vec<u8>)>,
    encoding: Encoding,
    mut mark: impl FnMut(u64) -> String,
) -> (String, Option<String>) {
    let mut decoder = Decoder::new(encoding, &head);
    let mut offset = head.len() as u64;
    for (missing, mut tail) in pieces {
        offset += missing;
        let (end, start) = (decoder.cut_at_end(&head), decoder.cut_at_start(&tail, offset));
        offset += tail.len() as u64;
        head.truncate(head.len() - end);
        tail.drain(..start);
        decoder.push_bytes(head);
        decoder.push_text(&mark(missing + (end + start) as u64));
        head = tail;
    }
    decoder.push_bytes(head);
    decoder.finish()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::error::Status;
    use crate::words::Language;

    fn words() -> &'static Words {
        Language::English.words()
    }

    fn argument(text: impl AsRef<OsStr>, unescapes: bool) -> InputText {
        read_text(&TextSource::Argument(text.as_ref()), Encoding::Auto, unescapes, words()).unwrap()
    }

    #[test]
    fn escapes_are_read_only_when_asked_for_and_only_in_arguments() {
        assert_eq!(argument(r"a\nb", false).text, r"a\nb");
        assert_eq!(argument(r"a\nb\n", true).text, "a\nb");
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("text");
        std::fs::write(&path, r"a\nb").unwrap();
        assert_eq!(read_text(&TextSource::from_path(&path), Encoding::Auto, true, words()).unwrap().text, r"a\nb");
    }

    #[test]
    fn unescapes_three_and_leaves_the_rest() {
        for (escaped, plain) in [
            (r"a\tb\nc", "a\tb\nc"),
            (r"C:\\new", r"C:\new"),
            (r"\d+\.\x", r"\d+\.\x"),
            (r"\\\n", "\\\n"),
            (r"end\", r"end\"),
            (r"\错", r"\错"),
            ("", ""),
        ] {
            assert_eq!(unescape(escaped), plain, "{escaped}");
        }
    }

    #[test]
    fn a_file_is_decoded_and_cleaned() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("报警.txt");
        std::fs::write(&path, b"\x1b[31m\xb4\xc5\xc5\xcc\x1b[0m\r\n\xef\xbb\xbf ok\xe7 \r\n\r\n").unwrap();
        let text = read_text(&TextSource::from_path(&path), Encoding::Auto, false, words()).unwrap();
        assert_eq!(text.text, "磁盘\n ok\u{fffd} ");
        let warning = "1 broken character of the input became U+FFFD, neither UTF-8 nor GB18030 (first on line 2)";
        assert_eq!(text.warnings, [warning]);
    }

    #[test]
    fn missing_files_and_folders_are_config() {
        let folder = tempfile::tempdir().unwrap();
        for path in [folder.path().to_owned(), folder.path().join("missing")] {
            let error = read_text(&TextSource::File(&path), Encoding::Auto, false, words()).unwrap_err();
            assert_eq!(error.status(), Status::Config, "{error}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn an_argument_that_is_not_utf8_is_decoded() {
        use std::os::unix::ffi::OsStrExt;
        let gbk = OsStr::from_bytes(b"\xb4\xc5\xc5\xcc\xd2\xd1\xc2\xfa");
        assert_eq!(argument(gbk, false), InputText { text: "磁盘已满".to_owned(), left_out: 0, warnings: vec![] });
        assert_eq!(decode_argument(gbk), "磁盘已满");
        assert_eq!(decode_argument("磁盘".as_ref()), "磁盘");
        let plain = read_text(&TextSource::Argument("磁盘".as_ref()), Encoding::Gb18030, false, words()).unwrap();
        assert_eq!(plain, InputText { text: "磁盘".to_owned(), left_out: 0, warnings: vec![] });
    }

    #[test]
    fn dash_is_stdin() {
        assert_eq!(TextSource::from_path("-".as_ref()), TextSource::Stdin);
        assert_eq!(TextSource::from_path("./-".as_ref()), TextSource::File("./-".as_ref()));
    }

    #[test]
    fn blank_is_only_white_space() {
        assert!(is_blank("") && is_blank(" \n\t\u{3000}\u{a0}"));
        assert!(!is_blank(" . "));
    }

    #[test]
    fn a_gap_is_noted_with_its_exact_size() {
        let text = read_keeping(8, "磁盘已满 0123456789 请处理".as_bytes(), STDIN, Encoding::Auto, words()).unwrap();
        // 33 bytes: 6 of the first 8 and 6 of the last 8 are whole characters.
        assert_eq!(text.text, "磁盘\n[… 21 bytes left out …]\n处理");
        assert_eq!(text.warnings, ["the input is too long: 21 bytes in its middle were left out"]);
    }

    #[test]
    fn an_open_sequence_does_not_swallow_the_gap() {
        let text =
            read_keeping(8, &b"a\x1b]0;title and text without an end"[..], STDIN, Encoding::Auto, words()).unwrap();
        assert_eq!(text.text, "a\n[… 18 bytes left out …]\nt an end");
    }

    #[test]
    fn input_of_any_length_is_read_to_its_end() {
        struct Counted(u64, u64);
        impl Read for Counted {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                let size = buffer.len().min((self.1 - self.0) as usize);
                buffer[..size].fill(b'x');
                self.0 += size as u64;
                Ok(size)
            }
        }
        let kept = 2 * KEPT_AT_EACH_END as u64;
        let mut input = Counted(0, kept + 1_234_567);
        let text = read_text_from(&mut input, STDIN, Encoding::Auto, words()).unwrap();
        assert_eq!(input.0, input.1);
        assert_eq!(text.text.matches('x').count() as u64, kept);
        assert!(text.text.contains("x\n[… 1234567 bytes left out …]\nx"));
        let whole = read_text_from(Counted(0, kept), STDIN, Encoding::Auto, words()).unwrap();
        assert_eq!((whole.text.len() as u64, whole.warnings.len()), (kept, 0));
    }

    #[test]
    fn a_failing_read_is_config() {
        struct Failing;
        impl Read for Failing {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::Error::other("unplugged"))
            }
        }
        let error = read_text_from(Failing, STDIN, Encoding::Auto, words()).unwrap_err();
        assert_eq!((error.status(), error.message()), (Status::Config, "stdin could not be read: unplugged"));
    }

    fn whole(head: &[u8]) -> HeadAndTail {
        HeadAndTail { head: head.to_vec(), ..HeadAndTail::default() }
    }

    #[test]
    fn what_fits_is_whole() {
        for input in [&b""[..], b"abc", b"abcd", b"abcdefgh"] {
            assert_eq!(read_head_and_tail(4, input).unwrap(), whole(input));
        }
    }

    #[test]
    fn keeps_both_ends_of_any_length() {
        let input: Vec<u8> = (0..CHUNK * 2 + 50).map(|i| (i % 251) as u8).collect();
        let kept = CHUNK / 2 + 7;
        for length in [2 * kept, 2 * kept + 1, kept + CHUNK - 1, kept + CHUNK, kept + CHUNK + 1, input.len()] {
            let taken = read_head_and_tail(kept, &input[..length]).unwrap();
            if length == 2 * kept {
                assert_eq!(taken, whole(&input[..length]));
                continue;
            }
            let (head, tail) = (input[..kept].to_vec(), input[length - kept..length].to_vec());
            let left_out = (length - 2 * kept) as u64;
            assert!(taken == HeadAndTail { head, left_out, tail }, "{length}");
        }
    }

    /// A terminal's end of input is seen once: the next read would wait for more.
    #[test]
    fn nothing_is_read_after_the_end() {
        struct Once<'a>(&'a [u8], bool);
        impl Read for Once<'_> {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                assert!(!self.1, "read after the end");
                let size = self.0.read(buffer)?;
                self.1 = size == 0 && !buffer.is_empty();
                Ok(size)
            }
        }
        for length in [0, 1, 3, 5, 9, 100] {
            read_head_and_tail(4, Once(&[7; 100][..length], false)).unwrap();
        }
    }

    proptest! {
        #[test]
        fn any_input_gives_clean_text(bytes in proptest::collection::vec(any::<u8>(), 0..120), kept in 1usize..50) {
            for encoding in [Encoding::Auto, Encoding::Utf8, Encoding::Gb18030] {
                let text = read_keeping(kept, &bytes[..], STDIN, encoding, words()).unwrap().text;
                prop_assert_eq!(clean(&text), text.as_str());
            }
        }

        #[test]
        fn a_gap_breaks_no_utf8(text in "[磁盘已满😀é a\n]{0,60}", kept in 1usize..50) {
            let read = read_keeping(kept, text.as_bytes(), STDIN, Encoding::Auto, words()).unwrap();
            prop_assert!(!read.text.contains('\u{fffd}'), "{}", read.text);
        }
    }
}
