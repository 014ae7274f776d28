//! Writes lines and the progress bar of large uploads to stderr. Each message has a line of its own; the bar is wiped
//! before the next one. A stderr that is closed, or that nobody reads, is no error.

use std::io::{self, IsTerminal};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use wecom_alert::config::ReportSettings;
use wecom_alert::event::{Event, Observer};
use wecom_alert::sanitize::one_line;
use wecom_alert::secret::Mask;

use super::output;

/// No bar for smaller uploads, in bytes: they take only a moment.
const WORTH_A_BAR: u64 = 1024 * 1024;

/// The time between two drawings.
const REDRAW: Duration = Duration::from_millis(100);

const WIDTH: u64 = 30;

/// How much of a terminal's columns a name gets: a bar that wraps to a second line could not be wiped.
const NAME_COLUMNS: usize = 24;

/// The one stderr of this process.
static STDERR: Cursor = Cursor(AtomicU8::new(LINE_START));

/// Prints what happens on the way.
pub(crate) fn observer(how: &ReportSettings, mask: Mask) -> Observer {
    let (verbose, quiet) = (how.verbose, how.quiet);
    let bar = Arc::new(Bar::new(how.quiet));
    Observer::new(move |event| match event {
        Event::Detail(line) if verbose => say(&mask, &line.to_string()),
        Event::Detail(_) => {}
        Event::Notice(line) if !quiet => say(&mask, &line),
        Event::Notice(_) => {}
        Event::Upload { name, sent, total } => bar.draw(name, sent, total),
        Event::Batch { succeeded, failed } => bar.count(succeeded, failed),
    })
}

/// Writes one line, with the program's name before it.
pub(crate) fn say(mask: &Mask, text: &str) {
    line(mask, &format!("wecom-alert: {text}"));
}

/// Writes one line.
pub(crate) fn line(mask: &Mask, text: &str) {
    put(&STDERR.line(&one_line(&mask.apply(text))));
}

/// Shows a line on a terminal until the next one is written.
pub(crate) fn pass(text: &str) {
    put(&STDERR.passing(&one_line(text)));
}

/// Wipes a line that was shown for the moment.
pub(crate) fn wipe() {
    put(STDERR.wiped());
}

/// Another program has left its last line on stderr without an end: the next line gets its own.
pub(crate) fn left_open() {
    STDERR.left_open();
}

/// Writes all at once, so that what other programs write at the same time does not come in between.
fn put(text: &str) {
    let _ = output::to_stderr(text.as_bytes());
}

/// The position of the cursor.
struct Cursor(AtomicU8);

/// At the start of a line.
const LINE_START: u8 = 0;
/// After a line for the moment, such as a progress bar.
const PASSING: u8 = 1;
/// Within a line that another program has begun and not ended; it stays.
const OPEN: u8 = 2;

impl Cursor {
    fn left_open(&self) {
        self.0.store(OPEN, Ordering::Relaxed);
    }

    fn line(&self, text: &str) -> String {
        format!("{}{text}\n", self.return_to_line_start(LINE_START))
    }

    fn passing(&self, text: &str) -> String {
        format!("{}{text}", self.return_to_line_start(PASSING))
    }

    /// The text that brings the cursor to the start of a line; `then` is its position after what is written next.
    fn return_to_line_start(&self, then: u8) -> &'static str {
        match self.0.swap(then, Ordering::Relaxed) {
            PASSING => "\r\x1b[K",
            OPEN => "\n",
            _ => "",
        }
    }

    fn wiped(&self) -> &'static str {
        let wiped = self.0.compare_exchange(PASSING, LINE_START, Ordering::Relaxed, Ordering::Relaxed);
        if wiped.is_ok() { "\r\x1b[K" } else { "" }
    }
}

/// Draws how far an upload has got, over and over on the same line of stderr.
#[derive(Debug)]
struct Bar {
    enabled: bool,
    drawn: Mutex<Option<Instant>>,
}

impl Bar {
    /// A bar that is not drawn on pipes and files, nor with `--quiet`.
    pub(crate) fn new(quiet: bool) -> Self {
        Self { enabled: !quiet && io::stderr().is_terminal(), drawn: Mutex::new(None) }
    }

    /// Draws, unless that was done a moment ago. A finished bar is wiped at once, any other one by the next line.
    pub(crate) fn draw(&self, name: &str, sent: u64, total: u64) {
        if !self.enabled || total < WORTH_A_BAR {
            return;
        }
        if sent >= total {
            return wipe();
        }
        if self.is_due() {
            pass(&render(name, sent, total));
        }
    }

    /// Shows how many alerts of a batch have ended, unless that was done a moment ago.
    fn count(&self, succeeded: u64, failed: u64) {
        if self.enabled && self.is_due() {
            pass(&format!("{succeeded} done, {failed} failed"));
        }
    }

    fn is_due(&self) -> bool {
        let Ok(mut drawn) = self.drawn.lock() else { return false };
        let is_due = drawn.is_none_or(|at| at.elapsed() >= REDRAW);
        if is_due {
            *drawn = Some(Instant::now());
        }
        is_due
    }
}

fn render(name: &str, sent: u64, total: u64) -> String {
    let filled = usize::try_from(WIDTH * sent / total.max(1)).unwrap_or(0);
    let empty = usize::try_from(WIDTH).unwrap_or(0).saturating_sub(filled);
    let mib = |bytes: u64| bytes as f64 / 1024.0 / 1024.0;
    let (bar, rest) = ("#".repeat(filled), "-".repeat(empty));
    format!("{} [{bar}{rest}] {:.1} of {:.1} MiB", shortened(name), mib(sent), mib(total))
}

/// The beginning of a name. A character that is not ASCII may take two columns.
fn shortened(name: &str) -> String {
    let columns = name.chars().scan(0, |columns, c| {
        *columns += if c.is_ascii() { 1 } else { 2 };
        Some((*columns, c))
    });
    columns.take_while(|(columns, _)| *columns <= NAME_COLUMNS).map(|(_, c)| c).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_temporary_line_is_wiped() {
        let place = Cursor(AtomicU8::new(LINE_START));
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
    fn an_unfinished_line_of_another_program_stays() {
        let place = Cursor(AtomicU8::new(LINE_START));
        place.left_open();
        assert_eq!(place.wiped(), "", "there may be nothing more to say");
        assert_eq!([place.line("a"), place.line("b")].concat(), "\na\nb\n");
        place.left_open();
        assert_eq!([place.passing("1"), place.line("b")].concat(), "\n1\r\x1b[Kb\n");
    }

    #[test]
    fn a_bar_grows() {
        assert_eq!(render("a.log", 0, 1 << 20), format!("a.log [{}] 0.0 of 1.0 MiB", "-".repeat(30)));
        let half = render("a.log", 1 << 19, 1 << 20);
        assert_eq!(half, format!("a.log [{}{}] 0.5 of 1.0 MiB", "#".repeat(15), "-".repeat(15)));
    }

    #[test]
    fn a_bar_fits_on_its_line() {
        assert_eq!(shortened(&"a".repeat(99)), "a".repeat(24));
        assert_eq!(shortened(&"磁".repeat(99)), "磁".repeat(12));
        assert_eq!(shortened("a磁盘.log"), "a磁盘.log");
    }
}
