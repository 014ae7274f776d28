//! Unit tests of `feed`, by monitoring system, and what they share.

mod alertmanager;
mod grafana;
mod property;
mod refusals;

use strum::VariantArray;

use super::FeedFormat;
use crate::alert::{Alert, Field};
use crate::error::Result;

const GROUP: &str = include_str!("../../../tests/data/feeds/alertmanager-group.json");
const SINGLE: &str = include_str!("../../../tests/data/feeds/alertmanager-single.json");
const RESOLVED: &str = include_str!("../../../tests/data/feeds/alertmanager-resolved.json");
const GRAFANA_GROUP: &str = include_str!("../../../tests/data/feeds/grafana-group.json");
const GRAFANA_IMAGE: &str = include_str!("../../../tests/data/feeds/grafana-image.json");

/// Times are shown in the zone that they have.
fn read(format: FeedFormat, json: &str) -> Result<Alert> {
    super::read(format, json, |at| at.format("%Y-%m-%d %H:%M %z").to_string())
}

fn alertmanager(json: &str) -> Alert {
    read(FeedFormat::Alertmanager, json).unwrap()
}

fn grafana(json: &str) -> Alert {
    read(FeedFormat::Grafana, json).unwrap()
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
