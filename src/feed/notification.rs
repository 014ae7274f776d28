//! A notification of either system: near relatives, so one shape holds both.

use chrono::{DateTime, FixedOffset};

use super::Format;
use super::node::Node;

/// Names and values, in order.
pub(super) type Pairs = Vec<(String, String)>;

/// What one webhook call tells.
pub(super) struct Notification {
    pub(super) format: Format,
    /// At least one; those that fire come first.
    pub(super) occurrences: Vec<Occurrence>,
    pub(super) group_labels: Pairs,
    pub(super) common_labels: Pairs,
    pub(super) common_annotations: Pairs,
    /// The monitoring system's own address.
    pub(super) external_url: String,
    /// How many more there are of which nothing is told.
    pub(super) truncated: u64,
    /// A title by the user's own template.
    pub(super) title: Option<String>,
    /// A text by the user's own template.
    pub(super) message: Option<String>,
}

/// One alert of it.
pub(super) struct Occurrence {
    pub(super) is_firing: bool,
    pub(super) labels: Pairs,
    pub(super) annotations: Pairs,
    pub(super) starts_at: String,
    pub(super) ends_at: String,
    /// Where it was raised.
    pub(super) source: String,
    /// Where it points to: what that is, and the address; `source` first.
    pub(super) links: Vec<(&'static str, String)>,
    /// A picture of the graph.
    pub(super) image: String,
    /// What was measured, in one line.
    pub(super) values: String,
}

impl Notification {
    pub(super) fn read(format: Format, root: &Node<'_>) -> Result<Self, String> {
        let alerts = root.field("alerts").ok_or("it has no `alerts`")?.items()?;
        if alerts.is_empty() {
            return Err("`alerts` is empty: there is nothing to tell".to_owned());
        }
        let status = text(root, "status")?;
        let mut occurrences = Vec::new();
        for alert in &alerts {
            occurrences.push(Occurrence::read(format, alert, &status)?);
        }
        occurrences.sort_by_key(|occurrence| !occurrence.is_firing);
        let own = |name: &str, is_default: fn(&str) -> bool| -> Result<Option<String>, String> {
            if format != Format::Grafana {
                return Ok(None);
            }
            Ok(Some(text(root, name)?).filter(|text| !text.is_empty() && !is_default(text)))
        };
        Ok(Self {
            format,
            occurrences,
            group_labels: pairs(format, root, "groupLabels")?,
            common_labels: pairs(format, root, "commonLabels")?,
            common_annotations: pairs(format, root, "commonAnnotations")?,
            external_url: text(root, "externalURL")?,
            truncated: root.field("truncatedAlerts").map_or(Ok(0), |count| count.count())?,
            title: own("title", is_default_title)?,
            message: own("message", is_default_message)?,
        })
    }

    /// Writes the times of its alerts as people read them; what is no time stays as it is, and what means never goes.
    pub(super) fn show_times(&mut self, clock: impl Fn(DateTime<FixedOffset>) -> String) {
        for time in self.occurrences.iter_mut().flat_map(|its| [&mut its.starts_at, &mut its.ends_at]) {
            if time.starts_with("0001-01-01T") {
                time.clear();
            } else if let Ok(at) = DateTime::parse_from_rfc3339(time) {
                *time = clock(at);
            }
        }
    }
}

impl Occurrence {
    fn read(format: Format, alert: &Node<'_>, status: &str) -> Result<Self, String> {
        alert.object()?;
        let own = text(alert, "status")?;
        let status = if own.is_empty() { status } else { &own };
        let mut occurrence = Self {
            // Any other word is better told too loud than not at all.
            is_firing: !status.eq_ignore_ascii_case("resolved"),
            labels: pairs(format, alert, "labels")?,
            annotations: pairs(format, alert, "annotations")?,
            starts_at: text(alert, "startsAt")?,
            ends_at: text(alert, "endsAt")?,
            source: text(alert, "generatorURL")?,
            links: Vec::new(),
            image: String::new(),
            values: String::new(),
        };
        occurrence.links.push(("source", occurrence.source.clone()));
        if format == Format::Grafana {
            for (label, name) in [("panel", "panelURL"), ("dashboard", "dashboardURL"), ("silence", "silenceURL")] {
                occurrence.links.push((label, text(alert, name)?));
            }
            occurrence.image = text(alert, "imageURL")?;
            let values = alert.field("values").map_or_else(|| Ok(Pairs::new()), |values| values.figures())?;
            let values: Vec<_> = values.iter().map(|(name, value)| format!("{name}={value}")).collect();
            // Older versions know the string alone.
            occurrence.values = if values.is_empty() { text(alert, "valueString")? } else { values.join(", ") };
        }
        occurrence.links.retain(|(_, url)| !url.is_empty());
        Ok(occurrence)
    }

    /// The label's value.
    pub(super) fn label(&self, name: &str) -> Option<&str> {
        self.labels.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

fn text(node: &Node<'_>, name: &str) -> Result<String, String> {
    node.field(name).map_or_else(|| Ok(String::new()), |field| field.text())
}

/// Names and values without those that Grafana calls private, as its own messages leave them out.
fn pairs(format: Format, node: &Node<'_>, name: &str) -> Result<Pairs, String> {
    let mut pairs = node.field(name).map_or_else(|| Ok(Pairs::new()), |field| field.texts())?;
    if format == Format::Grafana {
        pairs.retain(|(key, _)| !(key.starts_with("__") && key.ends_with("__")));
    }
    Ok(pairs)
}

/// What Grafana writes where nobody set a title: `[FIRING:1] name (…)`.
fn is_default_title(title: &str) -> bool {
    title.starts_with("[FIRING") || title.starts_with("[RESOLVED")
}

/// What Grafana writes where nobody set a message: all that the fields have, once more.
fn is_default_message(message: &str) -> bool {
    message.starts_with("**Firing**") || message.starts_with("**Resolved**")
}
