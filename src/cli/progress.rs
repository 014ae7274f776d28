//! A bar for large uploads, on terminals only.

use std::io::{self, IsTerminal};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use super::talk;

/// Smaller uploads are over before anybody would read a bar, in bytes.
const WORTH_A_BAR: u64 = 1024 * 1024;

/// Between two drawings.
const REDRAW: Duration = Duration::from_millis(100);

const WIDTH: u64 = 30;

/// How much of a terminal's columns a name gets: a bar that wraps to a second line could not be wiped.
const NAME_COLUMNS: usize = 24;

/// Draws how far an upload has got, over and over on the same line of stderr.
#[derive(Debug)]
pub(crate) struct Bar {
    enabled: bool,
    drawn: Mutex<Option<Instant>>,
}

impl Bar {
    /// A bar that stays away from pipes, files and people who asked for quiet.
    pub(crate) fn new(quiet: bool) -> Self {
        Self { enabled: !quiet && io::stderr().is_terminal(), drawn: Mutex::new(None) }
    }

    /// Draws, unless that was done a moment ago. A finished bar wipes itself away, any other is wiped by what is said
    /// next.
    pub(crate) fn draw(&self, name: &str, sent: u64, total: u64) {
        if !self.enabled || total < WORTH_A_BAR {
            return;
        }
        if sent >= total {
            return talk::wipe();
        }
        let Ok(mut drawn) = self.drawn.lock() else { return };
        if drawn.is_none_or(|at| at.elapsed() >= REDRAW) {
            *drawn = Some(Instant::now());
            talk::pass(&render(name, sent, total));
        }
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
