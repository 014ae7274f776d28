//! Reads webhook notifications of monitoring systems as an alert: the JSON of Prometheus Alertmanager (version 4) and
//! of Grafana's unified alerting. Pure.
//!
//! One notification becomes one alert: what all its alerts have in common is in title, fields and at the top of the
//! body, what sets each apart in a block of its own, firing alerts before resolved ones. Left out are identifiers for
//! machines (`receiver`, `groupKey`, `fingerprint`, `orgId`), Grafana's internal `__…__` names, and unknown fields.

mod render;

#[cfg(test)]
mod tests;

use chrono::{DateTime, FixedOffset};
use serde_json::{Map, Value};
use strum::VariantArray;

use crate::alert::Alert;
use crate::error::{Error, Result};
use crate::input::clean;
use crate::json::{kind_of, parse_json};
use crate::sanitize::{excerpt, one_line, truncate};

/// The monitoring system whose webhook JSON it is. The name in options is in lower case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::Display, strum::EnumString, strum::VariantArray)]
#[strum(serialize_all = "lowercase", parse_err_ty = Error, parse_err_fn = unknown_format)]
pub(crate) enum FeedFormat {
    /// Prometheus Alertmanager, `version` 4.
    Alertmanager,
    /// Grafana's unified alerting, `version` 1.
    Grafana,
}

fn unknown_format(name: &str) -> Error {
    let (name, _) = truncate(name, 40);
    Error::usage(format!("--from {name:?} is no format"), "write --from alertmanager or --from grafana")
}

impl FeedFormat {
    /// The name of the system, and the `version` of its payloads.
    fn facts(self) -> (&'static str, &'static str) {
        match self {
            Self::Alertmanager => ("Alertmanager", "4"),
            Self::Grafana => ("Grafana", "1"),
        }
    }

    /// The error for input that is no notification of this system.
    fn wrong(self, what: impl std::fmt::Display) -> Error {
        let hint = format!("send the body of {}'s webhook as it came, one notification at a time", self.facts().0);
        Error::usage(format!("the input of --from {self}: {what}"), hint)
    }
}

/// Reads one notification. `clock` shows a point in time in the receiver's time zone.
///
/// A usage error for what is not JSON, has another version or shape, a field of the wrong type (named with its path), or no
/// alert in it. Fields that are missing or null are no error.
pub(crate) fn read(format: FeedFormat, json: &str, clock: impl Fn(DateTime<FixedOffset>) -> String) -> Result<Alert> {
    let value = parse_json(json.trim_start_matches('\u{feff}'))
        .map_err(|error| format.wrong(format!("not JSON: {}", one_line(&error.to_string()))))?;
    let root = JsonNode { format, value: &value, path: String::new() };
    root.as_object()?;
    check_version(&root)?;
    Ok(render::alert(&Notification::read(&root, &clock)?))
}

fn check_version(root: &JsonNode<'_>) -> Result<()> {
    let (_, wanted) = root.format.facts();
    let Some(version) = root.field("version") else { return Ok(()) };
    let version = version.as_text()?;
    if version == wanted {
        return Ok(());
    }
    let (shown, _) = truncate(&version, 20);
    let error = root.format.wrong(format!("version is {shown:?}, not {wanted:?}"));
    let other = FeedFormat::VARIANTS.iter().find(|other| other.facts().1 == version);
    Err(match other {
        Some(other) => error.with_hint(format!("this looks like {}: use --from {other}", other.facts().0)),
        None => error,
    })
}

/// Names and values, in order.
type Pairs = Vec<(String, String)>;

/// The content of one webhook call.
struct Notification {
    format: FeedFormat,
    /// At least one; those that fire come first.
    occurrences: Vec<Occurrence>,
    group_labels: Pairs,
    common_labels: Pairs,
    common_annotations: Pairs,
    /// The monitoring system's own address.
    external_url: String,
    /// How many alerts the system left out.
    truncated: u64,
    /// A title by the user's own template.
    title: Option<String>,
    /// A text by the user's own template.
    message: Option<String>,
}

/// One alert of a notification.
struct Occurrence {
    is_firing: bool,
    labels: Pairs,
    annotations: Pairs,
    starts_at: String,
    ends_at: String,
    /// The address of the rule that raised it.
    source: String,
    /// What each link is, and its address; `source` first.
    links: Vec<(&'static str, String)>,
    /// The address of a picture of the graph.
    image: String,
    /// What was measured, in one line.
    values: String,
}

/// Shows a point in time.
type Clock<'c> = &'c dyn Fn(DateTime<FixedOffset>) -> String;

impl Notification {
    fn read(root: &JsonNode<'_>, clock: Clock<'_>) -> Result<Self> {
        let alerts = root.field("alerts").ok_or_else(|| root.format.wrong("it has no `alerts`"))?.as_list()?;
        if alerts.is_empty() {
            return Err(root.format.wrong("`alerts` is empty: there is nothing to tell"));
        }
        let status = root.text("status")?;
        let occurrences = alerts.iter().map(|alert| Occurrence::read(alert, &status, clock));
        let mut occurrences = occurrences.collect::<Result<Vec<_>>>()?;
        occurrences.sort_by_key(|occurrence| !occurrence.is_firing);
        let mut notification = Self {
            format: root.format,
            occurrences,
            group_labels: root.labels("groupLabels")?,
            common_labels: root.labels("commonLabels")?,
            common_annotations: root.labels("commonAnnotations")?,
            external_url: root.text("externalURL")?,
            truncated: root.field("truncatedAlerts").map_or(Ok(0), |count| count.as_count())?,
            title: None,
            message: None,
        };
        if root.format == FeedFormat::Grafana {
            // What Grafana writes where nobody set a title or a message repeats the other fields.
            let own = |name, defaults: [&str; 2]| {
                let is_own = |text: &String| !text.is_empty() && !defaults.iter().any(|start| text.starts_with(start));
                root.text(name).map(|text| Some(text).filter(is_own))
            };
            notification.title = own("title", ["[FIRING", "[RESOLVED"])?;
            notification.message = own("message", ["**Firing**", "**Resolved**"])?;
        }
        Ok(notification)
    }
}

impl Occurrence {
    fn read(alert: &JsonNode<'_>, status: &str, clock: Clock<'_>) -> Result<Self> {
        alert.as_object()?;
        let own = alert.text("status")?;
        let status = if own.is_empty() { status } else { &own };
        let source = alert.text("generatorURL")?;
        let mut occurrence = Self {
            // Any other word is rather shown as firing than as resolved.
            is_firing: !status.eq_ignore_ascii_case("resolved"),
            labels: alert.labels("labels")?,
            annotations: alert.labels("annotations")?,
            starts_at: time(alert.text("startsAt")?, clock),
            ends_at: time(alert.text("endsAt")?, clock),
            links: vec![("source", source.clone())],
            source,
            image: String::new(),
            values: String::new(),
        };
        if alert.format == FeedFormat::Grafana {
            for (label, name) in [("panel", "panelURL"), ("dashboard", "dashboardURL"), ("silence", "silenceURL")] {
                occurrence.links.push((label, alert.text(name)?));
            }
            occurrence.image = alert.text("imageURL")?;
            let values = alert.pairs("values", JsonNode::as_figure)?;
            let values: Vec<_> = values.iter().map(|(name, value)| format!("{name}={value}")).collect();
            // Older versions have only the string.
            occurrence.values = if values.is_empty() { alert.text("valueString")? } else { values.join(", ") };
        }
        occurrence.links.retain(|(_, url)| !url.is_empty());
        Ok(occurrence)
    }

    /// The label's value.
    fn label(&self, name: &str) -> Option<&str> {
        self.labels.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// A time as `clock` shows it. What is no time stays as it is; year 1, which means never, becomes empty.
fn time(text: String, clock: Clock<'_>) -> String {
    if text.starts_with("0001-01-01T") {
        return String::new();
    }
    DateTime::parse_from_rfc3339(&text).map(clock).unwrap_or(text)
}

/// A JSON value and its path. Errors say what is there instead of what was expected.
struct JsonNode<'v> {
    format: FeedFormat,
    value: &'v Value,
    path: String,
}

impl<'v> JsonNode<'v> {
    /// A field of an object; `None` if it is missing or null, and for what is no object.
    fn field(&self, name: &str) -> Option<Self> {
        let value = self.value.get(name).filter(|value| !value.is_null())?;
        let path = if self.path.is_empty() { one_line(name) } else { format!("{}.{}", self.path, one_line(name)) };
        Some(Self { format: self.format, value, path })
    }

    /// The text of a string field; empty if it is missing or null.
    fn text(&self, name: &str) -> Result<String> {
        self.field(name).map_or_else(|| Ok(String::new()), |field| field.as_text())
    }

    /// The fields of an object field in their order, without empty ones; none if it is missing or null.
    fn pairs(&self, name: &str, read: impl Fn(&Self) -> Result<String>) -> Result<Pairs> {
        let Some(object) = self.field(name) else { return Ok(Pairs::new()) };
        let mut pairs = Pairs::new();
        for name in object.as_object()?.keys() {
            let value = object.field(name).map_or_else(|| Ok(String::new()), |field| read(&field))?;
            if !value.is_empty() {
                pairs.push((one_line(name).trim().to_owned(), value));
            }
        }
        Ok(pairs)
    }

    /// Names and texts without those that Grafana calls private, as its own messages leave them out.
    fn labels(&self, name: &str) -> Result<Pairs> {
        let mut pairs = self.pairs(name, Self::as_text)?;
        if self.format == FeedFormat::Grafana {
            pairs.retain(|(key, _)| !(key.starts_with("__") && key.ends_with("__")));
        }
        Ok(pairs)
    }

    fn as_object(&self) -> Result<&'v Map<String, Value>> {
        self.value.as_object().ok_or_else(|| self.is_not("an object"))
    }

    fn as_list(&self) -> Result<Vec<Self>> {
        let items = self.value.as_array().ok_or_else(|| self.is_not("a list"))?;
        let item = |(index, value)| Self { format: self.format, value, path: format!("{}[{index}]", self.path) };
        Ok(items.iter().enumerate().map(item).collect())
    }

    /// A string, cleaned.
    fn as_text(&self) -> Result<String> {
        self.value.as_str().map(|text| clean(text).trim().to_owned()).ok_or_else(|| self.is_not("a string"))
    }

    fn as_count(&self) -> Result<u64> {
        self.value.as_u64().ok_or_else(|| self.is_not("a count"))
    }

    /// A number as it is written. Grafana writes some as strings.
    fn as_figure(&self) -> Result<String> {
        match self.value {
            Value::Number(_) | Value::Bool(_) => Ok(self.value.to_string()),
            Value::String(_) => self.as_text(),
            _ => Err(self.is_not("a number")),
        }
    }

    fn is_not(&self, wanted: &str) -> Error {
        const LONGEST: usize = 120;
        let kind = kind_of(self.value);
        if self.path.is_empty() {
            return self.format.wrong(format!("{kind}, not {wanted}"));
        }
        self.format.wrong(format!("{} is {kind}, not {wanted}", excerpt(&self.path, LONGEST)))
    }
}
