//! Alertmanager's notifications and the exact alert of each.

use serde_json::json;

use super::*;
use crate::alert::{AlertLink, Level};

#[test]
fn common_labels_and_annotations_are_shown_once() {
    let alert = alertmanager(GROUP);
    assert_eq!(alert.title.as_deref(), Some("[FIRING:10, RESOLVED:2] HighDiskUsage (job=node)"));
    assert_eq!(alert.level, Some(Level::Critical));
    assert_eq!(fields(&alert), ["job=node"]);
    assert_eq!(alert.link, Some(AlertLink { url: "https://alertmanager.example.com".to_owned(), label: None }));
    let blocks: Vec<_> = body(&alert).split("\n\n").collect();
    assert_eq!(blocks.len(), 13);
    assert_eq!(blocks[0], "Disk almost full\nrunbook_url: https://runbooks.example.com/disk");
    assert_eq!(
        blocks[2],
        "2. FIRING instance=db-2:9100, mountpoint=/data, severity=critical\ndb-2 has 91% of its disk used.\n\
         since 2026-03-01 01:10 +0000\nsource: http://prometheus.example.com:9090/graph?g0.expr=disk_used%7Binstance%3D%22db-2%22%7D+%3E+90&g0.tab=1"
    );
    assert_eq!(
        blocks[11],
        "11. RESOLVED instance=db-4:9100, mountpoint=/data, severity=warning\ndb-4 has 93% of its disk used.\n\
         since 2026-03-01 03:10 +0000 until 2026-03-01 06:20 +0000\nsource: http://prometheus.example.com:9090/graph?g0.expr=disk_used%7Binstance%3D%22db-4%22%7D+%3E+90&g0.tab=1"
    );
    assert_eq!(body(&alert).matches("Disk almost full").count(), 1);
    assert!(!body(&alert).contains("fingerprint") && !body(&alert).contains("{}:"));
}

#[test]
fn a_single_alert_has_no_list() {
    let alert = alertmanager(SINGLE);
    assert_eq!(alert.title.as_deref(), Some("[FIRING] CertificateExpires (instance=shop.example.com:443)"));
    assert_eq!(alert.level, Some(Level::Warning));
    assert_eq!(fields(&alert), ["severity=warning", "job=blackbox", "instance=shop.example.com:443"]);
    assert_eq!(
        body(&alert),
        "Certificate of shop.example.com expires in 6 days\nRenew it before 2026-03-07.\n\n\
         since 2026-03-01 10:00 +0800\n\nAlertmanager: https://alertmanager.example.com"
    );
    assert_eq!(alert.link.unwrap().url, "https://prometheus.example.com/graph?g0.expr=x&g0.tab=1");
    assert_eq!(alert.picurl, None);
}

#[test]
fn resolved_alerts_have_level_ok() {
    let alert = alertmanager(RESOLVED);
    assert_eq!(alert.title.as_deref(), Some("[RESOLVED] CertificateExpires (instance=shop.example.com:443)"));
    assert_eq!(alert.level, Some(Level::Ok));
    assert!(body(&alert).contains("since 2026-03-01 10:00 +0800 until 2026-03-01 12:30 +0800"));
}

#[test]
fn the_level_is_the_worst_of_the_firing_alerts() {
    let level = |severity: &str| one("firing", json!({"alertname": "A", "severity": severity}), json!({})).level;
    for word in ["critical", "CRITICAL", "page", "error", "emergency", "P1", "disaster", "who knows"] {
        assert_eq!(level(word), Some(Level::Critical), "{word}");
    }
    for word in ["重要", "严重", "紧急", "灾难", "1"] {
        assert_eq!(level(word), Some(Level::Critical), "{word}");
    }
    for word in ["warning", "Warn", "minor", "P2", "警告", "一般", "次要", "2", "3"] {
        assert_eq!(level(word), Some(Level::Warning), "{word}");
    }
    for word in ["info", "none", "Notice", "ok"] {
        assert_eq!(level(word), Some(Level::Info), "{word}");
    }
    assert_eq!(one("firing", json!({}), json!({})).level, Some(Level::Critical));
    assert_eq!(one("firing", json!({"priority": "P3"}), json!({})).level, Some(Level::Warning));
    let alerts = json!([
        {"status": "resolved", "labels": {"severity": "critical"}},
        {"status": "firing", "labels": {"severity": "info"}},
        {"status": "firing", "labels": {"severity": "warning"}},
    ]);
    let alert = alertmanager(&json!({"alerts": alerts}).to_string());
    assert_eq!(alert.level, Some(Level::Warning));
    // The worst is read first, and never left out for the others.
    let heads: Vec<_> = body(&alert).lines().filter(|line| line.contains("severity=")).collect();
    assert_eq!(heads, ["1. FIRING severity=warning", "2. FIRING severity=info", "3. RESOLVED severity=critical"]);
}

#[test]
fn several_names_are_listed_and_each_block_has_its_own() {
    let alerts: Vec<_> = ["A", "B", "A", "C", "D", "E"]
        .iter()
        .map(|name| json!({"status": "firing", "labels": {"alertname": name, "job": "x"}}))
        .collect();
    let alert = alertmanager(&json!({"alerts": alerts, "groupLabels": {"job": "x"}}).to_string());
    assert_eq!(alert.title.as_deref(), Some("[FIRING:6] A, B, C +2 (job=x)"));
    assert!(body(&alert).starts_with("1. FIRING A\n\n2. FIRING B\n\n3. FIRING A"), "{}", body(&alert));
}

#[test]
fn alerts_left_out_are_counted() {
    let alerts = json!([{"status": "firing", "labels": {"alertname": "A"}}]);
    let told = |truncated: u64| alertmanager(&json!({"alerts": alerts, "truncatedAlerts": truncated}).to_string());
    assert_eq!(told(5).title.as_deref(), Some("[FIRING:1, +5 more] A"));
    assert_eq!(body(&told(5)), "5 more alerts are not in this notification");
    assert_eq!(body(&told(1)), "1 more alert is not in this notification");
    assert_eq!(told(0).body, None);
}

#[test]
fn null_and_missing_fields_are_empty() {
    let alert = json!({"labels": null, "annotations": null, "startsAt": null, "generatorURL": ""});
    let alert = alertmanager(&json!({"version": "4", "alerts": [alert], "commonLabels": null, "x": [1]}).to_string());
    assert_eq!(alert.title.as_deref(), Some("[FIRING] Alertmanager alert"));
    assert_eq!((alert.fields.len(), alert.body, alert.link), (0, None, None));
}

#[test]
fn labels_are_ordered_and_values_cleaned() {
    let labels =
        json!({"zz": "1", "pod": "p", "instance": "i\u{1b}[31m", "cluster": "c", "severity": "info", "empty": ""});
    let alert = one("firing", labels, json!({"description": "d", "summary": "d", "link": "l\u{7}\nm"}));
    assert_eq!(fields(&alert), ["severity=info", "cluster=c", "instance=i", "pod=p", "zz=1"]);
    assert_eq!(body(&alert), "d\nlink: l\nm");
}

#[test]
fn group_labels_are_shown_even_if_no_alert_has_them() {
    let long = "v".repeat(100);
    let alert = json!({"alerts": [{"labels": {"alertname": "A", "a": "1"}}], "groupLabels": {"tenant": long}, "commonLabels": {"b": "2"}});
    let alert = alertmanager(&alert.to_string());
    assert_eq!(alert.title, Some(format!("[FIRING] A (tenant={}…)", "v".repeat(40))));
    assert_eq!(fields(&alert), ["a=1".to_owned(), "b=2".to_owned(), format!("tenant={long}")]);
}

#[test]
fn times_are_shown_to_the_minute_or_unchanged() {
    let since = |at: &str| {
        let alert = json!({"alerts": [{"status": "firing", "startsAt": at, "endsAt": "2026-01-01T00:00:00Z"}]});
        body(&alertmanager(&alert.to_string())).to_owned()
    };
    assert_eq!(since("2026-03-01T10:00:59Z"), "since 2026-03-01 10:00 +0000");
    assert_eq!(since("2026-03-01T10:00:59.123-05:30"), "since 2026-03-01 10:00 -0530");
    assert_eq!(since("yesterday"), "since yesterday");
    assert_eq!(since("2026-03-01Tmorning"), "since 2026-03-01Tmorning");
    assert_eq!(since("0001-01-01T00:00:00Z"), "");
}
