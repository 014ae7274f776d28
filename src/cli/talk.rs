//! Talk on stderr: lines that stay, each alone on its line, and one that passes. Nobody listening is no reason to fail.

use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use wecom_alert::harmless::one_line;
use wecom_alert::secret::Mask;

/// The one stderr of this process.
static STDERR: Place = Place::new();

/// One line of talk, with the program's name.
pub(crate) fn say(mask: &Mask, text: &str) {
    line(mask, &format!("wecom-alert: {text}"));
}

/// One line of talk as it is.
pub(crate) fn line(mask: &Mask, text: &str) {
    put(&STDERR.line(&one_line(&mask.apply(text))));
}

/// Shows a line on a terminal that lasts until something else is said.
pub(crate) fn pass(text: &str) {
    put(&STDERR.passing(&one_line(text)));
}

/// Takes a passing line away.
pub(crate) fn wipe() {
    put(STDERR.wiped());
}

/// At one go, so that what others write at the same time does not get in between.
fn put(text: &str) {
    let _ = io::stderr().lock().write_all(text.as_bytes());
}

/// Where the cursor stands: at a line's start, or behind a passing line.
struct Place(AtomicBool);

impl Place {
    const fn new() -> Self {
        Self(AtomicBool::new(false))
    }

    fn line(&self, text: &str) -> String {
        format!("{}{text}\n", self.wiped())
    }

    fn passing(&self, text: &str) -> String {
        let text = format!("{}{text}", self.wiped());
        self.0.store(true, Ordering::Relaxed);
        text
    }

    fn wiped(&self) -> &'static str {
        if self.0.swap(false, Ordering::Relaxed) { "\r\x1b[K" } else { "" }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_passing_line_gives_way() {
        let place = Place::new();
        let written = [
            place.line("a"),
            place.passing("1"),
            place.passing("2"),
            place.line("b"),
            place.line("c"),
            place.passing("3"),
        ];
        assert_eq!(written.concat(), "a\n1\r\x1b[K2\r\x1b[Kb\nc\n3");
        assert_eq!([place.wiped(), place.wiped()], ["\r\x1b[K", ""]);
    }
}
