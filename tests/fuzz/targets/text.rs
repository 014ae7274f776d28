//! Decoding and cleaning of text.
//!
//! The first byte chooses the encoding and, in half of the runs, a bound so small that the middle is left out.

#![no_main]

use libfuzzer_sys::fuzz_target;
use wecom_alert::fuzz::{clean_text, decode};
use wecom_alert::input::Encoding;

fuzz_target!(|input: &[u8]| {
    let Some((choice, bytes)) = input.split_first() else { return };
    let encoding = [Encoding::Auto, Encoding::Utf8, Encoding::Gb18030][usize::from(choice % 3)];
    let kept = if choice & 0x80 == 0 { usize::MAX / 2 } else { usize::from(choice & 0x7f) + 1 };
    let (text, warnings) = decode(bytes, encoding, kept).expect("a slice can always be read");
    assert_clean(&text);
    if let (Ok(valid), true) = (std::str::from_utf8(bytes), encoding != Encoding::Gb18030) {
        if bytes.len() <= 2 * kept && !bytes.starts_with(b"\xff\xfe") && !bytes.starts_with(b"\xfe\xff") {
            assert_eq!(text, clean_text(valid), "valid UTF-8 is read as it is");
            assert!(warnings.is_empty(), "{warnings:?}");
        }
        if !valid.contains('\u{fffd}') {
            assert!(!text.contains('\u{fffd}'), "a gap cuts no character: {text:?}");
        }
    }
    assert_clean(&clean_text(&String::from_utf8_lossy(bytes)));
});

fn assert_clean(text: &str) {
    let is_allowed = |c: char| matches!(c, '\n' | '\t') || (!c.is_control() && c != '\u{feff}');
    assert!(text.chars().all(is_allowed), "{text:?}");
    assert!(!text.ends_with('\n'), "{text:?}");
    assert_eq!(clean_text(text), text, "cleaning twice changes nothing more");
}
