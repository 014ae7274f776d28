//! What monitoring systems send, as an alert: the webhook JSON of Prometheus Alertmanager (version 4) and of Grafana's
//! unified alerting. Pure.
//!
//! One notification becomes one alert: what all its alerts have in common stands in title, fields and at the top of the
//! body, what sets each apart in a block of its own, those that fire before those that are resolved. Left out are the
//! names by which machines know things (`receiver`, `groupKey`, `fingerprint`, `orgId`), Grafana's internal
//! `__…__` names, and fields that are not known here.

mod block;
mod compose;
mod node;
mod notification;
mod severity;

#[cfg(test)]
mod tests;

use std::str::FromStr;

use chrono::{DateTime, FixedOffset};
use node::Node;
use notification::Notification;

use crate::alert::Alert;
use crate::error::{Error, Result};
use crate::json::{kind_of, parse_json};
use crate::sanitize::{one_line, truncate};

/// Whose webhook JSON it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// Prometheus Alertmanager, `version` 4.
    Alertmanager,
    /// Grafana's unified alerting, `version` 1.
    Grafana,
}

impl Format {
    /// All formats.
    pub(crate) const ALL: [Self; 2] = [Self::Alertmanager, Self::Grafana];

    /// The name in options.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Alertmanager => "alertmanager",
            Self::Grafana => "grafana",
        }
    }

    /// What people call it.
    fn title(self) -> &'static str {
        match self {
            Self::Alertmanager => "Alertmanager",
            Self::Grafana => "Grafana",
        }
    }

    /// What its payloads have as `version`.
    fn version(self) -> &'static str {
        match self {
            Self::Alertmanager => "4",
            Self::Grafana => "1",
        }
    }
}

impl FromStr for Format {
    type Err = Error;

    /// The format of that name, in lower case.
    fn from_str(name: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|format| format.as_str() == name).ok_or_else(|| {
            let (name, _) = truncate(name, 40);
            Error::usage(format!("--from {name:?} is no format"), "write --from alertmanager or --from grafana")
        })
    }
}

/// Reads one notification. `clock` shows a point in time to those who get it: at three in the morning nobody adds hours.
///
/// # Errors
///
/// Usage: what is not JSON, has another version or shape, a field of the wrong type (named with its path), or no alert
/// in it. Fields that are missing or null are no error.
pub(crate) fn read(format: Format, json: &str, clock: impl Fn(DateTime<FixedOffset>) -> String) -> Result<Alert> {
    let wrong = |what: String| {
        let hint = format!("send the body of {}'s webhook as it came, one notification at a time", format.title());
        Error::usage(format!("the input of --from {}: {what}", format.as_str()), hint)
    };
    let value = parse_json(json.trim_start_matches('\u{feff}'))
        .map_err(|error| wrong(format!("not JSON: {}", one_line(&error.to_string()))))?;
    let root = Node::root(&value);
    root.object().map_err(|_| wrong(format!("{}, not an object", kind_of(&value))))?;
    check_version(format, &root).map_err(|(what, hint)| match hint {
        Some(hint) => wrong(what).with_hint(hint),
        None => wrong(what),
    })?;
    let mut notification = Notification::read(format, &root).map_err(wrong)?;
    notification.show_times(&clock);
    Ok(compose::alert(&notification))
}

/// What is wrong, and what to do if that is known.
type Misversion = (String, Option<String>);

fn check_version(format: Format, root: &Node<'_>) -> Result<(), Misversion> {
    let Some(version) = root.field("version") else { return Ok(()) };
    let version = version.text().map_err(|what| (what, None))?;
    if version == format.version() {
        return Ok(());
    }
    let other = Format::ALL.into_iter().find(|other| *other != format && other.version() == version);
    let hint = other.map(|other| format!("this looks like {}: use --from {}", other.title(), other.as_str()));
    let (shown, _) = truncate(&version, 20);
    Err((format!("version is {shown:?}, not {:?}", format.version()), hint))
}
