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

/// As Grafana's templates `default.title` and `default.message` make them.
#[test]
fn only_what_is_the_default_is_left_out() {
    let payload = |title: &str, message: &str| {
        json!({
            "version": "1", "status": "firing", "title": title, "message": message,
            "groupLabels": {"grafana_folder": "Pay", "alertname": "Lag"},
            "commonLabels": {"alertname": "Lag", "grafana_folder": "Pay", "team": "blue (night)"},
            "alerts": [
                {"status": "firing", "labels": {"alertname": "Lag", "team": "blue (night)", "db": "1"},
                 "annotations": {"summary": "late\n\nby 5 s"}, "generatorURL": "https://g.example.com/1"},
                {"status": "firing", "labels": {"alertname": "Lag", "team": "blue (night)", "db": "2"}},
                {"status": "resolved", "labels": {"alertname": "Lag", "team": "blue (night)", "db": "3"}},
            ],
        })
        .to_string()
    };
    let blocks = "**Firing**\n\nValue: B=5, C=1\nLabels:\n - alertname = Lag\n - db = 1\n - team = blue (night)\n\
        Annotations:\n - summary = late\n\nby 5 s\nSource: https://g.example.com/1\nSilence: https://g.example.com/s\n\n\
        Value: [no value]\nLabels:\n - alertname = Lag\n - db = 2\nAnnotations:\n\n\
        **Resolved**\n\nValue: B=0\nLabels:\n - db = 3\nAnnotations:\n";
    let default = "[FIRING:2, RESOLVED:1] Lag Pay (blue (night))";
    let alert = grafana(&payload(default, blocks));
    assert_eq!(title(&alert), "[FIRING:2, RESOLVED:1] Lag");
    assert!(!body(&alert).contains("**") && !body(&alert).contains("Labels:"), "{}", body(&alert));
    for own in [
        "[FIRING] pay: call Zhang",
        "[FIRING:3] Lag Pay (blue (night))",
        "[FIRING:2, RESOLVED:1] Lag Pay",
        "[RESOLVED]",
    ] {
        assert_eq!(title(&grafana(&payload(own, blocks))), own);
    }
    for own in [
        "**Firing**\n\nreplica lag, call DBA 555-0100".to_owned(),
        format!("{blocks}\ncall the DBA"),
        blocks.replace(" - db = 2", " - db = 4"),
        "**Firing**".to_owned(),
    ] {
        let alert = grafana(&payload(default, &own));
        assert!(body(&alert).starts_with(own.trim()), "{own}: {}", body(&alert));
    }
}

#[test]
fn figures_keep_their_digits() {
    let json = r#"{"alerts": [{"values": {"A": 93.33333333333333, "B": 123456789012345678901, "C": 1.50, "D": "7"}}]}"#;
    assert_eq!(body(&grafana(json)), "values: A=93.33333333333333, B=123456789012345678901, C=1.50, D=7");
}

#[test]
fn a_picture_without_an_address_is_only_mentioned() {
    let alert = json!({"status": "firing", "labels": {"alertname": "A"}, "imageURL": "graph.png", "values": {"A": null, "B": "NaN"}});
    let alert = grafana(&json!({"alerts": [alert]}).to_string());
    assert_eq!((alert.picurl.as_deref(), body(&alert)), (None, "values: B=NaN\nimage: graph.png"));
}
