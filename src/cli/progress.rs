//! A bar for large uploads, on terminals only.

use std::io::{self, IsTerminal, Write};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use super::output::for_terminal;

/// Smaller uploads are over before anybody would read a bar, in bytes.
const WORTH_A_BAR: u64 = 1024 * 1024;

/// Between two drawings.
const REDRAW: Duration = Duration::from_millis(100);

const WIDTH: u64 = 30;

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

    /// Draws, unless that was done a moment ago. A finished bar wipes itself away.
    pub(crate) fn draw(&self, name: &str, sent: u64, total: u64) {
        if !self.enabled || total < WORTH_A_BAR {
            return;
        }
        let Ok(mut drawn) = self.drawn.lock() else { return };
        let finished = sent >= total;
        if !finished && drawn.is_some_and(|at| at.elapsed() < REDRAW) {
            return;
        }
        *drawn = Some(Instant::now());
        let mut stderr = io::stderr().lock();
        let line = if finished { String::new() } else { render(name, sent, total) };
        let _ = write!(stderr, "\r\x1b[K{line}");
        let _ = stderr.flush();
    }
}

fn render(name: &str, sent: u64, total: u64) -> String {
    let filled = usize::try_from(WIDTH * sent / total.max(1)).unwrap_or(0);
    let empty = usize::try_from(WIDTH).unwrap_or(0).saturating_sub(filled);
    let name: String = for_terminal(name).chars().take(24).collect();
    let mib = |bytes: u64| bytes as f64 / 1024.0 / 1024.0;
    let (bar, rest) = ("#".repeat(filled), "-".repeat(empty));
    format!("{name} [{bar}{rest}] {:.1} of {:.1} MiB", mib(sent), mib(total))
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
}
