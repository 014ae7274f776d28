//! The clock: Unix milliseconds for what processes have in common, points in time as people read them on this machine, and
//! durations as text.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use chrono::{DateTime, FixedOffset, Local, SecondsFormat, Utc};
use serde::de::{Deserialize, Deserializer, Error, Unexpected};

/// The last moment with a year of four digits, in Unix milliseconds. No time that this program writes is later.
pub(crate) const LAST_MS: u64 = 253_402_300_799_999;

/// The times that are shown, in Unix milliseconds: a day less than the years 1 to 9999, so that they are in these in every
/// time zone. Earlier and later ones are shown as the first and the last of them.
const SHOWN_MS: (i64, i64) = (-62_135_510_400_000, 253_402_214_399_999);

/// Now; 0 on a clock that is set to before 1970.
pub fn now_ms() -> u64 {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    in_ms(since_epoch)
}

/// The point in time of Unix milliseconds.
pub fn at_ms(ms: u64) -> SystemTime {
    UNIX_EPOCH.checked_add(Duration::from_millis(ms)).unwrap_or(UNIX_EPOCH)
}

/// Reads Unix milliseconds from a file of this program. What is beyond [`LAST_MS`] was not written by it: the file is
/// damaged.
pub(crate) fn read_ms<'de, D: Deserializer<'de>>(source: D) -> Result<u64, D::Error> {
    let ms = u64::deserialize(source)?;
    if ms > LAST_MS {
        return Err(D::Error::invalid_value(Unexpected::Unsigned(ms), &"a time before the year 10000"));
    }
    Ok(ms)
}

/// A point in time on this machine's clock, for people. Total: a certificate or a notification may name any time, and the
/// conversions of `chrono` panic beyond its calendar.
fn local(at: SystemTime) -> DateTime<Local> {
    let ms = match at.duration_since(UNIX_EPOCH) {
        Ok(after) => i64::try_from(after.as_millis()).unwrap_or(i64::MAX),
        Err(before) => i64::try_from(before.duration().as_millis()).map_or(i64::MIN, |ms| -ms),
    };
    local_of_ms(ms)
}

fn local_of_ms(ms: i64) -> DateTime<Local> {
    let (first, last) = SHOWN_MS;
    DateTime::<Utc>::from_timestamp_millis(ms.clamp(first, last)).unwrap_or_default().with_timezone(&Local)
}

/// `03:12 +0800`.
pub fn wall(at: SystemTime) -> String {
    local(at).format("%H:%M %z").to_string()
}

/// `03:12:45 +0800`.
pub(crate) fn wall_seconds(at: SystemTime) -> String {
    local(at).format("%H:%M:%S %z").to_string()
}

/// `2026-11-21 03:12:45 +0800`.
pub fn date(at: SystemTime) -> String {
    local(at).format("%Y-%m-%d %H:%M:%S %z").to_string()
}

/// Now, on this machine's clock.
pub(crate) fn now() -> DateTime<FixedOffset> {
    local(SystemTime::now()).fixed_offset()
}

/// The same point in time on this machine's clock.
pub(crate) fn in_local_zone(at: DateTime<FixedOffset>) -> DateTime<FixedOffset> {
    local_of_ms(at.timestamp_millis()).fixed_offset()
}

/// `2026-11-21 03:12 +0800`.
pub fn minute(at: DateTime<FixedOffset>) -> String {
    in_local_zone(at).format("%Y-%m-%d %H:%M %z").to_string()
}

/// `2026-11-21T03:12:45.678+08:00`, for programs.
pub fn stamp(at: SystemTime) -> String {
    local(at).to_rfc3339_opts(SecondsFormat::Millis, false)
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

/// The units of durations, the largest first: how many seconds, and what is behind the number.
pub type Units = [(u64, &'static str); 4];

/// Days, hours, minutes and seconds by these names.
pub const fn units([days, hours, minutes, seconds]: [&'static str; 4]) -> Units {
    [(86_400, days), (3_600, hours), (60, minutes), (1, seconds)]
}

/// Those of English.
pub const UNITS: Units = units(["d", "h", "m", "s"]);

/// An age or what is left of a life, in its two largest units down to minutes: `37m`, `2h 5m`, `3d 1h`; `0m` below a minute.
pub fn span(span: Duration, units: &Units) -> String {
    two_largest(span.as_secs(), &units[..3], false)
}

/// How long something took: `0.34s`, `12.3s`; from a minute on in its two largest units: `2m 5s`, `3h 10m`, `2d 4h`.
pub fn elapsed(span: Duration, units: &Units) -> String {
    let seconds = span.as_secs();
    if seconds >= 60 {
        return two_largest(seconds, units, false);
    }
    let digits = if seconds < 10 { 2 } else { 1 };
    let text = format!("{:.digits$}", span.as_secs_f64());
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    format!("{text}{}", units[3].1)
}

/// How long a CI run took, as CI systems write it: no days, and the second unit is shown when it is zero: `5s`, `5m 0s`,
/// `30h 0m`.
pub fn elapsed_in_ci(seconds: u64, units: &Units) -> String {
    two_largest(seconds, &units[1..], true)
}

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
    use proptest::prelude::*;

    use super::*;

    /// The time that a system can hold that is this far from 1970, else the nearest that it can.
    fn around_1970(seconds: i64) -> SystemTime {
        let far = Duration::from_secs(seconds.unsigned_abs());
        let at = if seconds < 0 { UNIX_EPOCH.checked_sub(far) } else { UNIX_EPOCH.checked_add(far) };
        at.unwrap_or(UNIX_EPOCH)
    }

    proptest! {
        #[test]
        fn every_time_can_be_shown(ms: u64, seconds: i64, shift in 0..64) {
            let (ms, seconds) = (ms >> shift, seconds >> shift);
            for at in [at_ms(ms), around_1970(seconds)] {
                for shown in [wall(at), date(at), stamp(at)] {
                    prop_assert!(!shown.is_empty());
                }
                prop_assert!(!minute(local(at).fixed_offset()).is_empty());
            }
            let read = read_ms(serde_json::json!(ms));
            prop_assert_eq!(read.is_ok(), ms <= LAST_MS);
            let length = Duration::from_secs(ms);
            let texts = [brief(length), seconds_of(length), span(length, &UNITS), elapsed(length, &UNITS), elapsed_in_ci(ms, &UNITS)];
            prop_assert!(texts.iter().all(|text| !text.is_empty()));
        }
    }

    fn seconds_of(length: Duration) -> String {
        super::seconds(length)
    }

    #[test]
    fn times_beyond_the_calendar_are_shown_as_its_ends() {
        assert!(date(at_ms(0)).starts_with("1970-01-01 ") || date(at_ms(0)).starts_with("1969-12-31 "));
        for ms in [LAST_MS, LAST_MS + 1, i64::MAX as u64, u64::MAX] {
            assert!(date(at_ms(ms)).starts_with("9999-12-3"), "{ms}: {}", date(at_ms(ms)));
            assert!(stamp(at_ms(ms)).starts_with("9999-12-3"), "{ms}");
        }
        let ends = [DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC].map(|at| minute(at.fixed_offset()));
        assert!(ends[0].starts_with("0001-01-0") && ends[1].starts_with("9999-12-3"), "{ends:?}");
        assert!([i64::MIN, i64::MAX].map(around_1970).iter().all(|at| !date(*at).is_empty()));
    }

    #[test]
    fn spans_have_two_units_at_the_most() {
        for (minutes, text) in
            [(0, "0m"), (37, "37m"), (60, "1h"), (125, "2h 5m"), (1440, "1d"), (1441, "1d"), (4387, "3d 1h")]
        {
            assert_eq!(span(Duration::from_secs(minutes * 60 + 59), &UNITS), text);
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
            assert_eq!(elapsed_in_ci(seconds, &UNITS), text);
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
            assert_eq!(elapsed(Duration::from_millis(ms), &UNITS), text, "{ms}");
        }
    }
}
