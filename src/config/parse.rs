//! Parses numeric settings: durations such as `10s`, rates such as `20/1m`, counts. Pure; an error never repeats the
//! value given.

use std::time::Duration;

use crate::error::{Error, Result};

/// The longest duration that most settings take, in hours.
const LONGEST_HOURS: u64 = 24;

const MOST_RETRIES: u32 = 100;

/// How many messages may go out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rate {
    /// No rate limit.
    Off,
    /// At most `count` in any `period`.
    Per {
        /// At least 1.
        count: u32,
        /// More than zero, at most 24 hours.
        period: Duration,
    },
}

/// Reads a whole number and a unit: `500ms`, `10s`, `2m`, `1h`; up to 24 hours.
pub(super) fn parse_duration(text: &str) -> Result<Duration> {
    parse_duration_up_to(LONGEST_HOURS, text)
}

/// Reads a whole number and a unit: `500ms`, `10s`, `2m`, `1h`; more than zero, up to so many hours.
///
/// # Errors
///
/// Exit 3 for anything else.
pub fn parse_duration_up_to(hours: u64, text: &str) -> Result<Duration> {
    let hint = "write a whole number and a unit, such as `500ms`, `10s`, `2m` or `1h`";
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, unit) = text.split_at(digits);
    if number.is_empty() {
        return Err(Error::config("a duration is expected", hint));
    }
    let unit_ms = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "" => return Err(Error::config("the duration has no unit", hint)),
        _ => return Err(Error::config("the duration's unit is none of `ms`, `s`, `m` and `h`", hint)),
    };
    let duration = number.parse::<u64>().ok().and_then(|n| n.checked_mul(unit_ms)).map(Duration::from_millis);
    match duration {
        Some(Duration::ZERO) => Err(Error::config("the duration must be more than zero", hint)),
        Some(duration) if duration <= Duration::from_secs(hours * 60 * 60) => Ok(duration),
        _ => Err(Error::config(
            format!("the duration is longer than {hours} hours"),
            format!("write at most `{hours}h`"),
        )),
    }
}

/// Reads `COUNT/DURATION` or `off`.
pub(super) fn parse_rate(text: &str) -> Result<Rate> {
    let hint = "write COUNT/DURATION, such as `20/1m`, or `off`";
    if text == "off" {
        return Ok(Rate::Off);
    }
    let Some((count, period)) = text.split_once('/') else {
        return Err(Error::config("a rate is expected", hint));
    };
    let count = match count.parse::<u32>() {
        Ok(0) => return Err(Error::config("the rate's count must be at least 1", "to have no pacing, write `off`")),
        Ok(count) => count,
        Err(_) => return Err(Error::config(format!("the rate's count is no whole number up to {}", u32::MAX), hint)),
    };
    let period = parse_duration(period).map_err(|error| error.with_hint(hint))?;
    Ok(Rate::Per { count, period })
}

/// Reads `agentid` (document path 90236).
pub(super) fn parse_agent_id(text: &str) -> Result<i64> {
    let id = text.parse::<i64>().ok().filter(|id| *id > 0);
    id.ok_or_else(|| {
        Error::config("an agent_id is a positive whole number", "it is AgentId on the app's page (应用管理)")
    })
}

/// Reads how often a request is repeated.
pub(super) fn parse_retries(text: &str) -> Result<u32> {
    let retries = text.parse().ok().filter(|retries| *retries <= MOST_RETRIES);
    retries.ok_or_else(|| {
        Error::config(
            format!("retries is no whole number from 0 to {MOST_RETRIES}"),
            "write how often a request is repeated; 0 is never",
        )
    })
}

/// Reads how old an entry of the outbox may become: up to thirty days, since a queue may have to outlive a long holiday.
pub(super) fn parse_max_age(text: &str) -> Result<Duration> {
    parse_duration_up_to(30 * 24, text)
}

/// Reads `safe` (document path 90236).
pub(super) fn parse_safe(text: &str) -> Result<u8> {
    match text {
        "0" => Ok(0),
        "1" => Ok(1),
        "2" => Ok(2),
        _ => Err(Error::config("safe is none of 0, 1 and 2", "write 0, 1 or 2")),
    }
}

/// Reads an interval from one second to four hours (document path 90236).
pub(super) fn parse_duplicate_check(text: &str) -> Result<Duration> {
    const ALLOWED: std::ops::RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(4 * 60 * 60);
    let interval = parse_duration(text)?;
    if !ALLOWED.contains(&interval) {
        return Err(Error::config("the interval is not between 1s and 4h", "write at least `1s` and at most `4h`"));
    }
    Ok(interval)
}

/// Reads how much is printed.
pub(super) fn parse_verbose(text: &str) -> Result<u8> {
    text.parse().map_err(|_| Error::config("verbose is no number from 0 to 255", "write 0, 1 or 2"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_unit() {
        for (text, ms) in [("500ms", 500), ("10s", 10_000), ("2m", 120_000), ("1h", 3_600_000), ("24h", 86_400_000)] {
            assert_eq!(parse_duration(text).unwrap(), Duration::from_millis(ms), "{text}");
        }
    }

    #[test]
    fn refuses_what_is_no_duration() {
        for (text, part) in [
            ("10", "no unit"),
            ("ten", "expected"),
            ("-1s", "expected"),
            ("", "expected"),
            ("1.5s", "unit"),
            ("10 s", "unit"),
            ("10S", "unit"),
            ("1d", "unit"),
            ("0s", "more than zero"),
            ("25h", "24 hours"),
            ("99999999999999999999s", "24 hours"),
            ("18446744073709551615h", "24 hours"),
        ] {
            let error = parse_duration(text).unwrap_err();
            assert!(error.message().contains(part), "{text}: {error}");
        }
        assert!(parse_duration("10").unwrap_err().hint().unwrap().contains("`10s`"));
    }

    #[test]
    fn another_limit() {
        let month = Duration::from_secs(720 * 60 * 60);
        assert_eq!(parse_duration_up_to(720, "720h").unwrap(), month);
        let error = parse_duration_up_to(720, "721h").unwrap_err();
        assert_eq!(
            (error.message(), error.hint()),
            ("the duration is longer than 720 hours", Some("write at most `720h`"))
        );
    }

    #[test]
    fn reads_rates() {
        assert_eq!(parse_rate("off").unwrap(), Rate::Off);
        assert_eq!(parse_rate("20/1m").unwrap(), Rate::Per { count: 20, period: Duration::from_secs(60) });
        for text in ["", "20", "0/1m", "20/0s", "-1/1m", "20/1", "20/m", "1.5/1m", "4294967296/1m", "none"] {
            assert!(parse_rate(text).is_err(), "{text}");
        }
    }
}
