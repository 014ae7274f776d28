//! Points in time for people: the clock on the wall of this machine.

use std::time::{Duration, SystemTime};

use chrono::{DateTime, Local, SecondsFormat};

/// `03:12 +0800`.
pub(crate) fn clock(at: SystemTime) -> String {
    DateTime::<Local>::from(at).format("%H:%M %z").to_string()
}

/// `2026-11-21 03:12:45 +0800`.
pub(crate) fn date(at: SystemTime) -> String {
    DateTime::<Local>::from(at).format("%Y-%m-%d %H:%M:%S %z").to_string()
}

/// `2026-11-21T03:12:45.678+08:00`, for programs.
pub(crate) fn stamp(at: SystemTime) -> String {
    DateTime::<Local>::from(at).to_rfc3339_opts(SecondsFormat::Millis, false)
}

/// A span in its two largest units: `37m`, `2h 5m`, `3d 1h`; `0m` below a minute.
pub(crate) fn span(span: Duration) -> String {
    let minutes = span.as_secs() / 60;
    let (days, hours, minutes) = (minutes / 1440, minutes / 60 % 24, minutes % 60);
    match (days, hours, minutes) {
        (0, 0, minutes) => format!("{minutes}m"),
        (0, hours, 0) => format!("{hours}h"),
        (0, hours, minutes) => format!("{hours}h {minutes}m"),
        (days, 0, _) => format!("{days}d"),
        (days, hours, _) => format!("{days}d {hours}h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_have_two_units_at_the_most() {
        for (minutes, text) in
            [(0, "0m"), (37, "37m"), (60, "1h"), (125, "2h 5m"), (1440, "1d"), (1441, "1d"), (4387, "3d 1h")]
        {
            assert_eq!(span(Duration::from_secs(minutes * 60 + 59)), text);
        }
    }
}
