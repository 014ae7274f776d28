//! Cleans message text: removes escape sequences, control characters and byte order marks. Pure. Does not truncate or
//! validate.

use std::iter::Peekable;
use std::str::Chars;

const ESC: char = '\u{1b}';
const BEL: char = '\u{7}';
const CANCEL: char = '\u{18}';
const SUBSTITUTE: char = '\u{1a}';
const STRING_TERMINATOR: char = '\u{9c}';
const BYTE_ORDER_MARK: char = '\u{feff}';

/// The cleaned text, in one pass and linear time.
///
/// * Escape sequences are removed whole: CSI; OSC, DCS, SOS, PM, APC and the title string of screen (`ESC k`) with their text;
///   all other ESC forms. The 8-bit forms (U+0080 to U+009F) count like those with ESC.
/// * CRLF and a lone CR become LF; of other control characters (C0, DEL, C1) only LF and tab stay.
/// * U+FEFF is removed everywhere; joiners and variation selectors of emoji stay.
/// * Line breaks at the very end are removed; blanks stay.
///
/// A sequence that never ends removes little: CSI and the short forms end before the first character that cannot belong
/// to them, and a string (OSC and its like) without a terminator ends with its line, or where another ESC begins.
pub(crate) fn clean(text: &str) -> String {
    if is_clean(text.as_bytes()) {
        return text.trim_end_matches('\n').to_owned();
    }
    let mut cleaned = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    let mut after_cr = false;
    while let Some(c) = rest.next() {
        match c {
            ESC => skip_escape(&mut rest),
            '\u{9b}' => skip_csi(&mut rest),
            '\u{9d}' => skip_string(&mut rest, true),
            '\u{90}' | '\u{98}' | '\u{9e}' | '\u{9f}' => skip_string(&mut rest, false),
            // What was removed between CR and LF does not make them two line breaks.
            '\n' if after_cr => after_cr = false,
            '\r' => {
                cleaned.push('\n');
                after_cr = true;
            }
            BYTE_ORDER_MARK => {}
            c if c.is_control() && c != '\n' && c != '\t' => {}
            c => {
                cleaned.push(c);
                after_cr = false;
            }
        }
    }
    cleaned.truncate(cleaned.trim_end_matches('\n').len());
    cleaned
}

/// Whether nothing has to be removed but line breaks at the end: the usual case.
fn is_clean(text: &[u8]) -> bool {
    !text.iter().enumerate().any(|(at, byte)| match byte {
        b'\n' | b'\t' => false,
        0..0x20 | 0x7f => true,
        // The first bytes of U+0080 to U+009F and of U+FEFF, and of others.
        0xc2 => text.get(at + 1).is_some_and(|next| *next < 0xa0),
        0xef => text[at..].starts_with("\u{feff}".as_bytes()),
        _ => false,
    })
}

/// What follows an ESC.
fn skip_escape(rest: &mut Peekable<Chars>) {
    if rest.next_if_eq(&'[').is_some() {
        skip_csi(rest);
    } else if rest.next_if_eq(&']').is_some() {
        skip_string(rest, true);
    } else if rest.next_if(|c| matches!(c, 'P' | 'X' | '^' | '_' | 'k')).is_some() {
        skip_string(rest, false);
    } else {
        skip_intermediates(rest);
        rest.next_if(|c| matches!(c, '0'..='~'));
    }
}

/// Parameters, intermediates and final of a control sequence.
fn skip_csi(rest: &mut Peekable<Chars>) {
    while rest.next_if(|c| matches!(c, '0'..='?')).is_some() {}
    skip_intermediates(rest);
    rest.next_if(|c| matches!(c, '@'..='~'));
}

fn skip_intermediates(rest: &mut Peekable<Chars>) {
    while rest.next_if(|c| matches!(c, ' '..='/')).is_some() {}
}

/// A control string up to its terminator. An ESC is left in place: with `\` it is the terminator, which is removed as any
/// other escape; with anything else a new sequence begins.
fn skip_string(rest: &mut Peekable<Chars>, bell_ends: bool) {
    while let Some(c) = rest.next_if(|c| !matches!(c, &ESC | '\n' | '\r')) {
        if matches!(c, STRING_TERMINATOR | CANCEL | SUBSTITUTE) || (bell_ends && c == BEL) {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn cleans(dirty: &str, expected: &str) {
        assert_eq!(clean(dirty), expected, "{dirty:?}");
    }

    #[test]
    fn keeps_what_people_write() {
        for text in ["", "磁盘已满 95%\n\t- /data", "👨‍👩‍👧 ❤️ \u{200d}", "  blanks  ", "\\x1b[31m", "a\u{a0}b\u{2028}c"]
        {
            cleans(text, text);
        }
    }

    #[test]
    fn removes_controls_and_byte_order_marks() {
        cleans("\u{feff}a\0b\u{7f}c\u{85}d\u{b}\u{c}e\u{feff}f\u{8}\u{7}", "abcdef");
    }

    #[test]
    fn line_breaks() {
        cleans("a\r\nb\rc\nd", "a\nb\nc\nd");
        cleans("10%\r20%\r100%\r\n", "10%\n20%\n100%");
        cleans("a\r\r\nb", "a\n\nb");
        cleans("a\r\u{1b}[K\nb", "a\nb");
        cleans("a\r\u{1b}[Kb\nc", "a\nb\nc");
        cleans("\n  text  \n\n", "\n  text  ");
        cleans("text\n\u{1b}[0m\r\n\0", "text");
        cleans("a\n \n", "a\n ");
    }

    #[test]
    fn removes_sequences_whole() {
        for sequence in [
            "\u{1b}[31m",
            "\u{1b}[1;38:2:1:2:3m",
            "\u{1b}[?25l",
            "\u{1b}[2 q",
            "\u{1b}[m",
            "\u{9b}31m",
            "\u{1b}]0;title\u{7}",
            "\u{1b}]8;;https://x.example/\u{1b}\\",
            "\u{9d}0;题\u{9c}",
            "\u{1b}Pq#0;2\u{1b}\\",
            "\u{90}data\u{7}more\u{9c}",
            "\u{1b}Xsos\u{1b}\\",
            "\u{1b}^pm\u{9c}",
            "\u{1b}_apc\u{1b}\\",
            "\u{98}sos\u{9c}\u{9e}pm\u{1b}\\\u{9f}apc\u{9c}",
            "\u{1b}ktitle\u{1b}\\",
            "\u{1b}(B",
            "\u{1b} F",
            "\u{1b}c",
            "\u{1b}=",
            "\u{1b}7",
            "\u{1b}Ptmux;\u{1b}\u{1b}]0;t\u{7}\u{1b}\\",
            "\u{1b}\u{1b}[0m",
        ] {
            cleans(&format!("a{sequence}b错"), "ab错");
        }
    }

    #[test]
    fn an_unfinished_sequence_swallows_no_more_than_its_line() {
        cleans("\u{1b}]0;title\n磁盘已满", "\n磁盘已满");
        cleans("\u{1b}Pdata\r\nb", "\nb");
        cleans("\u{1b}]0;title\u{1b}[31mred\u{7}", "red");
        cleans("\u{1b}]0;title\u{18}text", "text");
        cleans("\u{1b}[31错误", "错误");
        cleans("\u{1b}[3\n1m", "\n1m");
        cleans("\u{1b}错误", "错误");
        cleans("\u{1b}(\nB", "\nB");
        for end in ["\u{1b}", "\u{1b}[", "\u{1b}[3", "\u{1b}]", "\u{1b}(", "\u{9b}", "\u{1b}]a\u{1b}"] {
            cleans(&format!("a{end}"), "a");
        }
    }

    #[test]
    fn long_hostile_input_ends() {
        for piece in ["\u{1b}", "\u{1b}]", "\u{1b}P", "\u{1b}[", "\u{9d}", "\r", "\n"] {
            let cleaned = clean(&piece.repeat(1 << 20));
            assert_eq!(cleaned, "", "{piece:?}");
        }
    }

    proptest! {
        #[test]
        fn is_idempotent_and_leaves_no_control(text in "([\\x1b\\x07\\r\\n\\t\\[\\]P\\\\0;m(\u{9b}\u{9c}\u{9d}\u{feff}中]|\\PC|\\p{Cc}){0,60}") {
            let once = clean(&text);
            prop_assert_eq!(clean(&once), once.as_str());
            prop_assert!(once.chars().all(|c| c == '\n' || c == '\t' || !c.is_control() && c != BYTE_ORDER_MARK));
            prop_assert!(!once.ends_with('\n'));
        }

        #[test]
        fn keeps_every_visible_character_where_nothing_begins_a_sequence(text in "[^\\p{Cc}\u{feff}]{0,60}") {
            prop_assert_eq!(clean(&text), text);
        }
    }
}
