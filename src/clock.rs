//! The clock: Unix milliseconds for what processes have in common, points in time as people read them on this machine, and
//! durations as text.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use chrono::{DateTime, FixedOffset, Local, SecondsFormat};

/// Now; 0 on a clock that is set to before 1970.
pub fn now_ms() -> u64 {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    in_ms(since_epoch)
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

/// A duration in whole milliseconds.
pub fn in_ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// A time limit or a wait as options are written: `5s`, `1.5s`, `300ms`; rounded to milliseconds.
pub fn brief(duration: Duration) -> String {
    format!("{:?}", Duration::from_millis((duration.as_secs_f64() * 1000.0).round() as u64))
}

/// A period in seconds: `60 s`, `1.5 s`.
pub fn seconds(period: Duration) -> String {
    format!("{} s", period.as_secs_f64())
}

/// An age or what is left of a life, in its two largest units down to minutes: `37m`, `2h 5m`, `3d 1h`; `0m` below a minute.
pub fn span(span: Duration) -> String {
    two_largest(span.as_secs(), &UNITS[..3], false)
}

/// How long something took: `0.34s`, `12.3s`; from a minute on in its two largest units: `2m 5s`, `3h 10m`, `2d 4h`.
pub fn elapsed(span: Duration) -> String {
    let seconds = span.as_secs();
    if seconds >= 60 {
        return two_largest(seconds, &UNITS, false);
    }
    let digits = if seconds < 10 { 2 } else { 1 };
    let text = format!("{:.digits$}", span.as_secs_f64());
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    format!("{text}s")
}

/// How long a CI run took, as CI systems write it: no days, and the second unit is shown when it is zero: `5s`, `5m 0s`,
/// `30h 0m`.
pub fn elapsed_in_ci(seconds: u64) -> String {
    two_largest(seconds, &UNITS[1..], true)
}

const UNITS: [(u64, &str); 4] = [(86_400, "d"), (3_600, "h"), (60, "m"), (1, "s")];

/// The two largest units that are needed; the second is left out when it is zero, unless `with_zero`.
fn two_largest(mut seconds: u64, units: &[(u64, &str)], with_zero: bool) -> String {
    let smallest = units.len().saturating_sub(1);
    let largest = units.iter().position(|(size, _)| seconds >= *size).unwrap_or(smallest);
    let mut shown = Vec::new();
    for (index, (size, unit)) in units.iter().enumerate().skip(largest).take(2) {
        let count = seconds / size;
        seconds %= size;
        if index == largest || count > 0 || with_zero {
            shown.push(format!("{count}{unit}"));
        }
    }
    shown.join(" ")
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
    fn limits_and_periods_have_one_format() {
        for (micros, text) in [(5_000_000, "5s"), (299_980, "300ms"), (1_500_400, "1.5s"), (0, "0ns")] {
            assert_eq!(brief(Duration::from_micros(micros)), text);
        }
        assert_eq!(seconds(Duration::from_secs(60)), "60 s");
        assert_eq!(seconds(Duration::from_millis(1_500)), "1.5 s");
    }

    #[test]
    fn ci_systems_write_zeros() {
        for (seconds, text) in
            [(0, "0s"), (59, "59s"), (60, "1m 0s"), (3_599, "59m 59s"), (3_600, "1h 0m"), (108_061, "30h 1m")]
        {
            assert_eq!(elapsed_in_ci(seconds), text);
        }
    }

    #[test]
    fn elapsed_times() {
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
