//! The name of an uploaded file: what receivers see, and what a confidential file may be called.

use crate::sanitize::is_harmful;

/// The most bytes of a name on the wire. The cap is ours: WeCom publishes none, and file systems end there too.
pub const MAX_FILENAME_BYTES: usize = 255;

/// The extensions of the files that an app can send with `safe` = 1 (document path 90236).
pub const SAFE_FORMATS: &[&str] =
    &["txt", "pdf", "doc", "docx", "ppt", "pptx", "xls", "xlsx", "xml", "jpg", "jpeg", "png", "bmp", "gif"];

/// The longest extension, in bytes, that is kept when a name is cut.
const MAX_EXTENSION_BYTES: usize = 32;

/// Makes a name harmless inside the quotes of `filename="…"`, where it goes as raw UTF-8.
///
/// Folders are cut off (`/` and `\` both end one); control characters, line separators and marks that turn the direction
/// of text are removed; `"` becomes `'`; blanks around it go. A name longer than [`MAX_FILENAME_BYTES`] loses the end of
/// what stands before its extension. Where nothing is left, the name is `file`. Everything else, Chinese and emoji
/// included, stays as it is.
pub fn wire_filename(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).map(harmless).find(|part| !matches!(part.as_str(), "" | "." | ".."));
    match last {
        Some(name) => cut(name),
        None => "file".to_owned(),
    }
}

/// Whether a file of this name can be sent with `safe` = 1: its extension, in either case, is one of [`SAFE_FORMATS`].
pub fn is_safe_format(name: &str) -> bool {
    name.rsplit_once('.')
        .is_some_and(|(_, extension)| SAFE_FORMATS.iter().any(|safe| safe.eq_ignore_ascii_case(extension)))
}

fn harmless(part: &str) -> String {
    let clean: String = part.chars().filter(|&c| !is_harmful(c)).map(|c| if c == '"' { '\'' } else { c }).collect();
    clean.trim().to_owned()
}

fn cut(name: String) -> String {
    if name.len() <= MAX_FILENAME_BYTES {
        return name;
    }
    let (stem, extension) = match name.rfind('.') {
        Some(dot) if dot > 0 && name.len() - dot <= MAX_EXTENSION_BYTES => name.split_at(dot),
        _ => (name.as_str(), ""),
    };
    let room = MAX_FILENAME_BYTES - extension.len();
    let end = stem.char_indices().map(|(at, c)| at + c.len_utf8()).take_while(|&end| end <= room).last().unwrap_or(0);
    let stem = stem.get(..end).unwrap_or_default();
    format!("{}{extension}", stem.trim_end())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_reach_the_receiver_unharmed() {
        for name in ["report.pdf", "磁盘 报告.txt", "🔥👨‍👩‍👧.log", "a;b=c%20d.txt", ".bashrc", "it's.txt", "…", "...", "Ω"]
        {
            assert_eq!(wire_filename(name), name);
        }
    }

    #[test]
    fn what_could_harm_is_taken_out() {
        for (name, wanted) in [
            ("/var/log/磁盘.log", "磁盘.log"),
            (r"C:\temp\report.txt", "report.txt"),
            ("a/b\\c.txt", "c.txt"),
            ("logs/", "logs"),
            ("a/..", "a"),
            ("x\r\nX-Evil: 1\r\n\r\n.txt", "xX-Evil: 1.txt"),
            ("a\"; filename=\"b.txt", "a'; filename='b.txt"),
            ("a\0b\u{7f}c\u{85}d\u{2028}e.txt", "abcde.txt"),
            ("invoice\u{202e}txt.exe", "invoicetxt.exe"),
            ("\u{2066}a\u{2069}\u{200f}.txt", "a.txt"),
            ("\u{feff}  a b.txt\t ", "a b.txt"),
            ("", "file"),
            (" \r\n", "file"),
            (".", "file"),
            ("..", "file"),
            ("/", "file"),
            ("../../", "file"),
            (".\u{202e}.", "file"),
        ] {
            assert_eq!(wire_filename(name), wanted, "{name:?}");
        }
    }

    #[test]
    fn a_long_name_keeps_its_extension() {
        let exact = format!("{}.log", "a".repeat(251));
        assert_eq!(wire_filename(&exact), exact);
        assert_eq!(wire_filename(&format!("{}.log", "a".repeat(252))), exact);
        let chinese = wire_filename(&format!("{}.txt", "漢".repeat(100)));
        assert_eq!(chinese, format!("{}.txt", "漢".repeat(83)));
        assert_eq!(wire_filename(&"漢".repeat(100)), "漢".repeat(85));
        assert_eq!(wire_filename(&format!("a.{}", "b".repeat(300))), format!("a.{}", "b".repeat(253)));
        assert_eq!(
            wire_filename(&format!("{} {}.txt", "a".repeat(250), "b".repeat(9))),
            format!("{}.txt", "a".repeat(250))
        );
    }

    #[test]
    fn confidential_files_are_told_by_extension() {
        for name in ["a.txt", "a.PDF", "磁盘.DocX", "a.tar.xml", "a.jpeg", ".gif"] {
            assert!(is_safe_format(name), "{name}");
        }
        for name in ["a.zip", "txt", "a.txt.gz", "a.txt ", "a.", ""] {
            assert!(!is_safe_format(name), "{name}");
        }
        assert_eq!(SAFE_FORMATS.len(), 14);
    }

    proptest! {
        #[test]
        fn no_name_breaks_the_header(name in r#"([\PC/\\".\r\n\x00-\x1f\u{202e} ]|.){0,400}"#) {
            let wire = wire_filename(&name);
            prop_assert!(!wire.is_empty() && wire.len() <= MAX_FILENAME_BYTES);
            prop_assert!(!matches!(wire.as_str(), "." | ".."));
            let harmful = wire.contains(|c: char| c.is_control() || ['"', '\\', '/', '\u{202e}'].contains(&c));
            prop_assert!(!harmful, "{:?}", wire);
            prop_assert_eq!(wire.trim(), wire.as_str());
            prop_assert_eq!(wire_filename(&wire), wire);
        }
    }
}
