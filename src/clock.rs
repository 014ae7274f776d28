//! The clock: Unix milliseconds for what processes have in common, and points in time as people read them on this machine.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use chrono::{DateTime, FixedOffset, Local, SecondsFormat};

/// Now; 0 on a clock that is set to before 1970.
pub fn now_ms() -> u64 {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX)
}

/// The point in time of Unix milliseconds.
pub fn at_ms(ms: u64) -> SystemTime {
    UNIX_EPOCH.checked_add(Duration::from_millis(ms)).unwrap_or(UNIX_EPOCH)
}

/// `03:12 +0800`.
pub fn wall(at: SystemTime) -> String {
    DateTime::<Local>::from(at).format("%H:%M %z").to_string()
}

/// `2026-11-21 03:12:45 +0800`.
pub fn date(at: SystemTime) -> String {
    DateTime::<Local>::from(at).format("%Y-%m-%d %H:%M:%S %z").to_string()
}

/// `2026-11-21 03:12 +0800`.
pub fn minute(at: DateTime<FixedOffset>) -> String {
    at.with_timezone(&Local).format("%Y-%m-%d %H:%M %z").to_string()
}

/// `2026-11-21T03:12:45.678+08:00`, for programs.
pub fn stamp(at: SystemTime) -> String {
    DateTime::<Local>::from(at).to_rfc3339_opts(SecondsFormat::Millis, false)
}

/// A span in its two largest units: `37m`, `2h 5m`, `3d 1h`; `0m` below a minute.
pub fn span(span: Duration) -> String {
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

/// How long something took: `0.34s`, `12.3s`; from a minute on in its two largest units: `2m 5s`, `3h 10m`, `2d 4h`.
pub fn elapsed(span: Duration) -> String {
    let seconds = span.as_secs();
    if seconds < 60 {
        let digits = if seconds < 10 { 2 } else { 1 };
        let text = format!("{:.digits$}", span.as_secs_f64());
        let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
        return format!("{text}s");
    }
    let units = [(seconds / 86_400, "d"), (seconds / 3_600 % 24, "h"), (seconds / 60 % 60, "m"), (seconds % 60, "s")];
    let largest = units.iter().skip_while(|(count, _)| *count == 0).take(2).filter(|(count, _)| *count > 0);
    largest.map(|(count, unit)| format!("{count}{unit}")).collect::<Vec<_>>().join(" ")
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

    #[test]
    fn what_took_a_while() {
        for (ms, text) in [
            (0, "0s"),
            (4, "0s"),
            (340, "0.34s"),
            (1_000, "1s"),
            (9_999, "10s"),
            (10_000, "10s"),
            (12_345, "12.3s"),
            (60_000, "1m"),
            (125_900, "2m 5s"),
            (3_600_000, "1h"),
            (11_405_000, "3h 10m"),
            (187_200_000, "2d 4h"),
            (86_430_000, "1d"),
        ] {
            assert_eq!(elapsed(Duration::from_millis(ms)), text, "{ms}");
        }
    }
}
