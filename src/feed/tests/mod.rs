//! Unit tests of `feed`, by monitoring system, and what they share.

mod alertmanager;
mod grafana;
mod lenient;
mod property;
mod refusals;

use chrono::DateTime;
use strum::VariantArray;

use super::{Clock, FeedFormat};
use crate::alert::{Alert, Field};
use crate::error::Result;
use crate::words::Language;

const GROUP: &str = include_str!("../../../tests/data/feeds/alertmanager-group.json");
const SINGLE: &str = include_str!("../../../tests/data/feeds/alertmanager-single.json");
const RESOLVED: &str = include_str!("../../../tests/data/feeds/alertmanager-resolved.json");
const GRAFANA_GROUP: &str = include_str!("../../../tests/data/feeds/grafana-group.json");
const GRAFANA_IMAGE: &str = include_str!("../../../tests/data/feeds/grafana-image.json");

/// Times are shown in the zone that they have; it is noon on the day of all samples.
fn read(format: FeedFormat, json: &str) -> Result<(Alert, Vec<String>)> {
    let now = DateTime::parse_from_rfc3339("2026-03-01T12:00:00Z").unwrap();
    let clock = Clock { now, show: &|at| at.format("%Y-%m-%d %H:%M %z").to_string() };
    let mut warnings = Vec::new();
    let alert = super::read(format, json, &clock, &mut warnings)?.alert(Language::English);
    Ok((alert, warnings))
}

/// Without a warning.
fn quietly(format: FeedFormat, json: &str) -> Alert {
    let (alert, warnings) = read(format, json).unwrap();
    assert_eq!(warnings, [""; 0], "{json}");
    alert
}

fn title(alert: &Alert) -> &str {
    alert.title.as_deref().unwrap_or_default()
}

fn alertmanager(json: &str) -> Alert {
    quietly(FeedFormat::Alertmanager, json)
}

fn grafana(json: &str) -> Alert {
    quietly(FeedFormat::Grafana, json)
}

fn fields(alert: &Alert) -> Vec<String> {
    alert.fields.iter().map(|Field { key, value }| format!("{key}={value}")).collect()
}

fn body(alert: &Alert) -> &str {
    alert.body.as_deref().unwrap_or_default()
}

/// One alert of Alertmanager with these labels and annotations.
fn one(status: &str, labels: serde_json::Value, annotations: serde_json::Value) -> Alert {
    let alert = serde_json::json!({"status": status, "labels": labels, "annotations": annotations});
    alertmanager(&serde_json::json!({"version": "4", "status": status, "alerts": [alert]}).to_string())
}
