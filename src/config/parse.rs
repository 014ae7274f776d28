//! Parses numeric settings: durations such as `10s`, rates such as `20/1m`, counts. Pure; an error never repeats the
//! value given.

use std::net::SocketAddr;
use std::time::Duration;

use crate::address::parse_http;
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

/// The units of a duration, the largest first, in milliseconds.
const UNITS: [(&[&str], u64); 5] =
    [(&["d"], 86_400_000), (&["h"], 3_600_000), (&["m", "min"], 60_000), (&["s"], 1_000), (&["ms"], 1)];

/// Reads a duration such as `500ms`, `10s`, `2h30m`, `1d`; up to 24 hours.
pub(super) fn parse_duration(text: &str) -> Result<Duration> {
    parse_duration_up_to(LONGEST_HOURS, text)
}

/// Reads whole numbers, each with its unit, the largest unit first: `500ms`, `10s`, `10min`, `2h30m`, `1d`; more than zero, up to so
/// many hours.
///
/// # Errors
///
/// Exit 3 for anything else.
pub fn parse_duration_up_to(hours: u64, text: &str) -> Result<Duration> {
    let hint = "write a whole number and a unit, such as `500ms`, `10s`, `10m`, `2h30m` or `1d`";
    let mut milliseconds = Some(0_u64);
    let mut units = UNITS.iter();
    let mut rest = text;
    loop {
        let (number, after) = split_where(rest, |c| !c.is_ascii_digit());
        if number.is_empty() {
            return Err(Error::config("a duration is expected", hint));
        }
        let (unit, after) = split_where(after, |c| c.is_ascii_digit());
        let unit_ms = match units.find(|(names, _)| names.contains(&unit)) {
            Some((_, unit_ms)) => *unit_ms,
            None if unit.is_empty() => return Err(Error::config("the duration has no unit", hint)),
            None if UNITS.iter().any(|(names, _)| names.contains(&unit)) => {
                return Err(Error::config("the duration's units are not in order, the largest first", hint));
            }
            None => return Err(Error::config("the duration's unit is not `ms`, `s`, `m`, `h` or `d`", hint)),
        };
        let part = number.parse::<u64>().ok().and_then(|number| number.checked_mul(unit_ms));
        milliseconds = milliseconds.zip(part).and_then(|(sum, part)| sum.checked_add(part));
        rest = after;
        if rest.is_empty() {
            break;
        }
    }
    let duration = milliseconds.map(Duration::from_millis);
    match duration {
        Some(Duration::ZERO) => Err(Error::config("the duration must be more than zero", hint)),
        Some(duration) if duration <= Duration::from_secs(hours * 60 * 60) => Ok(duration),
        _ => Err(Error::config(
            format!("the duration is longer than {hours} hours"),
            format!("write at most `{hours}h`"),
        )),
    }
}

/// The text before and from the first character that `ends` it.
fn split_where(text: &str, ends: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(ends).unwrap_or(text.len()))
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
        Ok(0) => {
            return Err(Error::config("the rate's count must be at least 1", "to have no rate limit, write `off`"));
        }
        Ok(count) => count,
        Err(_) => {
            return Err(Error::config(format!("the rate's count is not a whole number up to {}", u32::MAX), hint));
        }
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

/// Reads the id of one group chat. What else it may hold is for WeCom to say: ids that it made are not ours to judge.
pub(super) fn parse_chat(text: &str) -> Result<String> {
    match text.contains([',', '，', '|']) {
        false => Ok(text.to_owned()),
        true => Err(Error::config(
            "a message goes to one group chat",
            "give one id; further ones get it with `--also PROFILE:chat`",
        )),
    }
}

/// Reads where callbacks are received.
pub(super) fn parse_listen(text: &str) -> Result<SocketAddr> {
    text.parse().map_err(|_| {
        Error::config("it is not ADDRESS:PORT", "write an address of this machine and a port, like `127.0.0.1:8680`")
    })
}

/// Reads the public address of a callback.
pub(super) fn parse_callback_url(text: &str) -> Result<String> {
    let hint = "write the URL as it stands in the console (接收消息), like `https://example.com/wecom`";
    parse_http(text, "address", hint).map(String::from)
}

/// Reads how often a request is repeated.
pub(super) fn parse_retries(text: &str) -> Result<u32> {
    let retries = text.parse().ok().filter(|retries| *retries <= MOST_RETRIES);
    retries.ok_or_else(|| {
        Error::config(
            format!("retries is not a whole number from 0 to {MOST_RETRIES}"),
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
        _ => Err(Error::config("safe is not 0, 1 or 2", "write 0, 1 or 2")),
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
    text.parse().map_err(|_| Error::config("verbose is not a number from 0 to 255", "write 0, 1 or 2"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_unit() {
        for (text, ms) in [
            ("500ms", 500),
            ("10s", 10_000),
            ("2m", 120_000),
            ("1h", 3_600_000),
            ("24h", 86_400_000),
            ("1d", 86_400_000),
            ("10min", 600_000),
            ("2h30m", 9_000_000),
            ("1m5s500ms", 65_500),
            ("23h60m", 86_400_000),
        ] {
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
            ("1w", "unit"),
            ("2h30", "no unit"),
            ("30m2h", "in order"),
            ("5m5m", "in order"),
            ("2h 30m", "unit"),
            ("h", "expected"),
            ("1d1ms", "24 hours"),
            ("18446744073709551615ms1s", "in order"),
            ("1s18446744073709551615ms", "24 hours"),
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
