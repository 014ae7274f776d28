//! Grafana's notifications, and what only they have.

use serde_json::{Value, json};

use super::*;
use crate::alert::Level;

#[test]
fn a_group_has_figures_and_links() {
    let alert = grafana(GRAFANA_GROUP);
    assert_eq!(alert.title.as_deref(), Some("[FIRING:2, RESOLVED:1] High memory usage"));
    assert_eq!(alert.level, Some(Level::Critical));
    assert_eq!(fields(&alert), ["team=blue", "grafana_folder=Production"]);
    assert_eq!(alert.link.as_ref().unwrap().url, "https://grafana.example.com/");
    assert_eq!(alert.picurl.as_deref(), Some("https://images.example.com/graph-1.png"));
    let blocks: Vec<_> = body(&alert).split("\n\n").collect();
    assert_eq!(blocks[0], "runbook_url: https://runbooks.example.com/memory");
    assert_eq!(
        blocks[2],
        "2. FIRING zone=cn-3\nMemory of cn-3 at 83%\nvalues: B=83.5, C=1\nsince 2026-03-01 09:51 +0200\n\
         source: https://grafana.example.com/alerting/grafana/rule3/view?orgId=1\n\
         silence: https://grafana.example.com/alerting/silence/new?alertmanager=grafana&matcher=zone%3Dcn-3\n\
         image: https://images.example.com/graph-3.png"
    );
    // No `values`: what older versions send in their place.
    assert!(blocks[3].contains("\nvalues: [ var='B' labels={} value=81.5 ]\n"), "{}", blocks[3]);
    assert_eq!(
        blocks[4],
        "panel: https://grafana.example.com/d/aBcD?from=1&orgId=1&to=2&viewPanel=7\n\
         dashboard: https://grafana.example.com/d/aBcD?from=1&orgId=1&to=2"
    );
    assert_eq!(blocks.len(), 5);
}

#[test]
fn a_single_alert_has_its_picture_and_nothing_internal() {
    let alert = grafana(GRAFANA_IMAGE);
    assert_eq!(alert.title.as_deref(), Some("[FIRING] High memory usage"));
    assert_eq!(fields(&alert), ["team=blue", "grafana_folder=Production", "zone=cn-1"]);
    assert_eq!(alert.picurl.as_deref(), Some("https://images.example.com/graph-1.png"));
    assert_eq!(alert.link.as_ref().unwrap().url, "https://grafana.example.com/alerting/grafana/rule1/view?orgId=1");
    assert_eq!(
        body(&alert),
        "Memory of cn-1 at 81%\nrunbook_url: https://runbooks.example.com/memory\n\n\
         values: B=81.5, C=1\nsince 2026-03-01 09:51 +0200\n\
         panel: https://grafana.example.com/d/aBcD?from=1&orgId=1&to=2&viewPanel=7\n\
         dashboard: https://grafana.example.com/d/aBcD?from=1&orgId=1&to=2\n\
         silence: https://grafana.example.com/alerting/silence/new?alertmanager=grafana&matcher=zone%3Dcn-1\n\n\
         Grafana: https://grafana.example.com/"
    );
    for alert in [alert, grafana(GRAFANA_GROUP)] {
        let whole = alert.text().joined();
        assert!(!whole.contains("__") && !whole.contains("image: https://images.example.com/graph-1.png"), "{whole}");
    }
}

#[test]
fn the_users_own_title_and_message_are_kept_and_the_default_ones_are_not() {
    let mut payload: Value = serde_json::from_str(GRAFANA_IMAGE).unwrap();
    assert!(!body(&grafana(&payload.to_string())).contains("**Firing**"));
    payload["title"] = json!("内存告警");
    payload["message"] = json!("call the blue team");
    let alert = grafana(&payload.to_string());
    assert_eq!(alert.title.as_deref(), Some("内存告警"));
    assert!(body(&alert).starts_with("call the blue team\n\nMemory of cn-1"), "{}", body(&alert));
    // The name is shown somewhere all the same.
    assert_eq!(fields(&alert)[0], "alertname=High memory usage");
}

#[test]
fn a_picture_without_an_address_is_only_mentioned() {
    let alert = json!({"status": "firing", "labels": {"alertname": "A"}, "imageURL": "graph.png", "values": {"A": null, "B": "NaN"}});
    let alert = grafana(&json!({"alerts": [alert]}).to_string());
    assert_eq!((alert.picurl.as_deref(), body(&alert)), (None, "values: B=NaN\nimage: graph.png"));
}
