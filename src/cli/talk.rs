//! Talk on stderr: lines that stay, each alone on its line, and one that passes. Nobody listening is no reason to fail.

use std::io::{self, Write};
use std::sync::atomic::{AtomicU8, Ordering};

use wecom_alert::sanitize::one_line;
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

/// Others have left stderr in the midst of a line: what is said next begins its own.
pub(crate) fn left_open() {
    STDERR.left_open();
}

/// At one go, so that what others write at the same time does not get in between.
fn put(text: &str) {
    let _ = io::stderr().lock().write_all(text.as_bytes());
}

/// Where the cursor stands.
struct Place(AtomicU8);

/// At a line's start.
const START: u8 = 0;
/// Behind a passing line.
const PASSING: u8 = 1;
/// In the midst of somebody else's line, which stays.
const OPEN: u8 = 2;

impl Place {
    const fn new() -> Self {
        Self(AtomicU8::new(START))
    }

    fn left_open(&self) {
        self.0.store(OPEN, Ordering::Relaxed);
    }

    fn line(&self, text: &str) -> String {
        format!("{}{text}\n", self.begun(START))
    }

    fn passing(&self, text: &str) -> String {
        format!("{}{text}", self.begun(PASSING))
    }

    /// What brings the cursor to a line's start; `then` is where it stands after what is said there.
    fn begun(&self, then: u8) -> &'static str {
        match self.0.swap(then, Ordering::Relaxed) {
            PASSING => "\r\x1b[K",
            OPEN => "\n",
            _ => "",
        }
    }

    fn wiped(&self) -> &'static str {
        let wiped = self.0.compare_exchange(PASSING, START, Ordering::Relaxed, Ordering::Relaxed);
        if wiped.is_ok() { "\r\x1b[K" } else { "" }
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

    #[test]
    fn a_line_that_others_began_stays() {
        let place = Place::new();
        place.left_open();
        assert_eq!(place.wiped(), "", "there may be nothing more to say");
        assert_eq!([place.line("a"), place.line("b")].concat(), "\na\nb\n");
        place.left_open();
        assert_eq!([place.passing("1"), place.line("b")].concat(), "\n1\r\x1b[Kb\n");
    }
}
