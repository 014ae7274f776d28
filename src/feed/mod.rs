//! Reads webhook notifications of monitoring systems as an alert: the JSON of Prometheus Alertmanager (version 4), of
//! Prometheus itself (a bare list of alerts), and of Grafana's unified and old alerting. Pure.
//!
//! One notification becomes one alert: what all its alerts have in common is in title, fields and at the top of the
//! body, what sets each apart in a block of its own: firing alerts before resolved ones, and the worst first. Left out are identifiers for
//! machines (`receiver`, `groupKey`, `fingerprint`, `orgId`), Grafana's internal `__…__` names, and unknown fields.

mod grafana;
mod node;
mod render;

#[cfg(test)]
mod tests;

use std::cell::RefCell;
use std::cmp::Reverse;

use chrono::{DateTime, Datelike, FixedOffset};
use strum::VariantArray;

use crate::alert::Alert;
use crate::error::{Error, Result};
use crate::json::parse_json_leniently;
use crate::sanitize::{one_line, truncate};
use crate::sort;
use crate::words::Language;
use node::JsonNode;

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
    Error::usage(format!("--from {name:?} is not a known format"), "write --from alertmanager or --from grafana")
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

/// What turns times into text: now, and how a point in time is shown to the receiver.
pub(crate) struct Clock<'c> {
    pub(crate) now: DateTime<FixedOffset>,
    pub(crate) show: &'c dyn Fn(DateTime<FixedOffset>) -> String,
}

/// Reads one notification, leniently: what is of another type than it should be is shown as it is written, what cannot be
/// shown is left out with a warning, and a notification of another version or of the other system is read as what it is.
/// Prometheus itself sends a bare list of alerts, and Grafana's old alerting has a form of its own.
///
/// A usage error only for what is not JSON or no notification.
pub(crate) fn read(
    format: FeedFormat,
    json: &str,
    clock: &Clock<'_>,
    warnings: &mut Vec<String>,
) -> Result<Notification> {
    let value = parse_json_leniently(json.trim_start_matches('\u{feff}'), warnings)
        .map_err(|error| format.wrong(format!("not JSON: {}", one_line(&error.to_string()))))?;
    let told = RefCell::default();
    let root = JsonNode::new(&value, &told);
    let notification = Notification::read(format, &root, clock);
    warnings.append(&mut told.borrow_mut());
    notification
}

/// The system whose notification it is. What its version says counts more than the option.
fn format_of(root: &JsonNode<'_>, asked: FeedFormat) -> FeedFormat {
    let (system, wanted) = asked.facts();
    let version = root.text("version");
    if version.is_empty() || version == wanted {
        return asked;
    }
    let (shown, _) = truncate(&version, 20);
    match FeedFormat::VARIANTS.iter().find(|other| other.facts().1 == version) {
        Some(other) => {
            let other_system = other.facts().0;
            root.warn(format!("--from {asked}: this is a notification of {other_system}: --from {other} reads it"));
            *other
        }
        None => {
            root.warn(format!(
                "--from {asked}: {system} sends version {wanted:?}, this is {shown:?}: read as far as it is known"
            ));
            asked
        }
    }
}

/// Names and values, in order.
type Pairs = Vec<(String, String)>;

/// What a link of an alert leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LinkKind {
    Source,
    Panel,
    Dashboard,
    Silence,
}

/// The content of one webhook call.
pub(crate) struct Notification {
    format: FeedFormat,
    /// At least one; those that fire come first, the worst before the others.
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
#[derive(Default)]
struct Occurrence {
    is_firing: bool,
    labels: Pairs,
    annotations: Pairs,
    starts_at: String,
    ends_at: String,
    /// The address of the rule that raised it.
    source: String,
    /// What each link is, and its address; the source first.
    links: Vec<(LinkKind, String)>,
    /// The address of a picture of the graph.
    image: String,
    /// What was measured, in one line.
    values: String,
}

impl Notification {
    /// The alert, with the program's own words in that language.
    pub(crate) fn alert(&self, language: Language) -> Alert {
        render::alert(self, language)
    }

    fn read(asked: FeedFormat, root: &JsonNode<'_>, clock: &Clock<'_>) -> Result<Self> {
        let format = format_of(root, asked);
        let occurrences = occurrences(format, root, clock)?;
        let mut notification = Self {
            format,
            occurrences,
            group_labels: root.pairs("groupLabels"),
            common_labels: root.pairs("commonLabels"),
            common_annotations: root.pairs("commonAnnotations"),
            external_url: root.text("externalURL"),
            truncated: root.text("truncatedAlerts").parse().unwrap_or(0),
            title: None,
            message: None,
        };
        sort::sort_by_key(&mut notification.occurrences, |its| Reverse((its.is_firing, render::severity(its))));
        if format == FeedFormat::Grafana && !grafana::is_old(root) {
            // What Grafana writes where nobody set a title or a message repeats the other fields.
            let (title, message) = (root.text("title"), root.text("message"));
            let is_own = !title.is_empty() && !grafana::is_default_title(&title, &notification);
            notification.title = is_own.then_some(title);
            let is_own = !message.is_empty() && !grafana::is_default_message(&message, &notification);
            notification.message = is_own.then_some(message);
        }
        Ok(notification)
    }
}

/// The alerts of a notification, at least one.
fn occurrences(format: FeedFormat, root: &JsonNode<'_>, clock: &Clock<'_>) -> Result<Vec<Occurrence>> {
    let has_labels = |node: &JsonNode<'_>| node.has("labels") || node.has("annotations");
    let items = match root.field("alerts") {
        Some(alerts) if alerts.items().is_empty() => {
            return Err(format.wrong("`alerts` is empty: there is no alert in it"));
        }
        Some(alerts) => alerts.items(),
        // Prometheus itself sends a bare list, or one alert of it was taken out.
        None if root.is_list() || has_labels(root) => root.items().into_iter().filter(has_labels).collect(),
        None if grafana::is_old(root) => return Ok(vec![grafana::read_old(root)]),
        None if root.is_object() => return Err(format.wrong("it has no `alerts`")),
        None => return Err(format.wrong(root.is_not("an object"))),
    };
    let status = root.text("status");
    let (alerts, others): (Vec<_>, Vec<_>) = items.iter().partition(|item| item.is_object());
    match (alerts.is_empty(), others.first()) {
        (true, Some(other)) => return Err(format.wrong(other.is_not("an object"))),
        (true, None) => return Err(format.wrong("a list without an alert in it")),
        _ => {}
    }
    for other in others {
        root.warn(format!("{}: left out", other.is_not("an object")));
    }
    Ok(alerts.into_iter().map(|alert| Occurrence::read(format, alert, &status, clock)).collect())
}

impl Occurrence {
    fn read(format: FeedFormat, alert: &JsonNode<'_>, status: &str, clock: &Clock<'_>) -> Self {
        let own = alert.text("status");
        let status = if own.is_empty() { status } else { &own };
        let source = alert.text("generatorURL");
        let mut occurrence = Self {
            is_firing: match status {
                // Prometheus itself gives none: what still fires ends in the future.
                "" => alert.time("endsAt").is_none_or(|end| is_never(&end) || end > clock.now),
                // Any other word is rather shown as firing than as resolved.
                status => !status.eq_ignore_ascii_case("resolved"),
            },
            labels: alert.pairs("labels"),
            annotations: alert.pairs("annotations"),
            starts_at: shown_time(alert, "startsAt", clock),
            ends_at: shown_time(alert, "endsAt", clock),
            links: vec![(LinkKind::Source, source.clone())],
            source,
            ..Self::default()
        };
        if format == FeedFormat::Grafana {
            for (kind, name) in [
                (LinkKind::Panel, "panelURL"),
                (LinkKind::Dashboard, "dashboardURL"),
                (LinkKind::Silence, "silenceURL"),
            ] {
                occurrence.links.push((kind, alert.text(name)));
            }
            occurrence.image = alert.text("imageURL");
            let values = alert.pairs("values");
            let values: Vec<_> = values.iter().map(|(name, value)| format!("{name}={value}")).collect();
            // Older versions have only the string.
            occurrence.values = if values.is_empty() { alert.text("valueString") } else { values.join(", ") };
        }
        occurrence.links.retain(|(_, url)| !url.is_empty());
        occurrence
    }

    /// The label's value.
    fn label(&self, name: &str) -> Option<&str> {
        self.labels.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// A time as the clock shows it. What is no time stays as it is; year 1, which means never, becomes empty.
fn shown_time(alert: &JsonNode<'_>, name: &str, clock: &Clock<'_>) -> String {
    match alert.time(name) {
        Some(time) if is_never(&time) => String::new(),
        Some(time) => (clock.show)(time),
        None => alert.text(name),
    }
}

fn is_never(time: &DateTime<FixedOffset>) -> bool {
    time.year() <= 1
}
