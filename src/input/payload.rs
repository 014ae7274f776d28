//! A JSON payload as text: its strings are never edited, and parsing it is not done here.

use std::io::{self, Read};
use std::path::Path;

use super::open::{STDIN, is_stdin, open, shown, unreadable};
use crate::error::{Error, Result};

/// The most bytes a payload may have: 20 MiB.
pub(crate) const MAX_PAYLOAD: u64 = 20 << 20;

/// Reads a payload from a file, or from stdin for `-`, without its byte order mark.
///
/// # Errors
///
/// Exit 3 where it cannot be read; exit 2 for an empty path, and where it is over [`MAX_PAYLOAD`] or not UTF-8.
pub(crate) fn read_payload(path: &Path) -> Result<String> {
    if is_stdin(path) {
        read_payload_from(io::stdin().lock(), STDIN)
    } else {
        read_payload_from(open(path)?.0, &shown(path))
    }
}

/// Reads a payload; `name` is what an error calls its source.
///
/// # Errors
///
/// As [`read_payload`].
pub(crate) fn read_payload_from(reader: impl Read, name: &str) -> Result<String> {
    let mut bytes = Vec::new();
    reader.take(MAX_PAYLOAD + 1).read_to_end(&mut bytes).map_err(|error| unreadable(name, &error))?;
    if bytes.len() as u64 > MAX_PAYLOAD {
        return Err(Error::usage(
            format!("the payload from {name} is over {MAX_PAYLOAD} bytes (20 MiB)"),
            "a message has room for a few kilobytes: check that this is the right file",
        ));
    }
    let mut text = String::from_utf8(bytes).map_err(|error| {
        Error::usage(
            format!("the payload from {name} is not UTF-8 at byte offset {}", error.utf8_error().valid_up_to()),
            "save it as UTF-8",
        )
    })?;
    if text.starts_with('\u{feff}') {
        text.drain(..'\u{feff}'.len_utf8());
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;
    use crate::error::Status;

    #[test]
    fn a_payload_is_not_edited() {
        let text = "{\"content\": \"\u{1b}[31m a\u{feff}b\\n\"}\r\n\n";
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(format!("\u{feff}{text}").as_bytes()).unwrap();
        assert_eq!(read_payload(file.path()).unwrap(), text);
    }

    #[test]
    fn other_encodings_are_refused_with_the_place() {
        let error = read_payload_from(&b"{\"content\": \"\xd6\xd0\"}"[..], STDIN).unwrap_err();
        assert_eq!(error.status(), Status::Usage);
        assert_eq!(error.message(), "the payload from stdin is not UTF-8 at byte offset 13");
    }

    #[test]
    fn the_limit_is_exact_and_an_endless_source_is_left_alone() {
        assert_eq!(read_payload_from(io::repeat(b' ').take(MAX_PAYLOAD), STDIN).unwrap().len(), MAX_PAYLOAD as usize);
        let error = read_payload_from(io::repeat(b' '), STDIN).unwrap_err();
        assert_eq!(error.status(), Status::Usage);
        assert!(error.message().contains("20971520 bytes"), "{error}");
    }

    #[test]
    fn a_missing_payload_is_config() {
        assert_eq!(read_payload(Path::new("no-such-payload.json")).unwrap_err().status(), Status::Config);
    }
}
