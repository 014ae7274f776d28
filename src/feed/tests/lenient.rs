//! Notifications that are not as they should be, and other forms of them: all are shown.

use serde_json::json;

use super::*;
use crate::alert::Level;

/// `AM` with a part of it replaced.
fn spoilt(part: &str, by: &str) -> String {
    const AM: &str = r#"{"version":"4","status":"firing","alerts":[{"status":"firing","labels":{"alertname":"DiskFull","severity":"warning"},"annotations":{"summary":"disk full"}}]}"#;
    assert!(AM.contains(part), "{part}");
    AM.replacen(part, by, 1)
}

#[test]
fn scalars_are_shown_as_they_are_written() {
    for (part, by, field) in [
        (r#""severity":"warning""#, r#""port":9100"#, "port=9100"),
        (r#""severity":"warning""#, r#""on":true"#, "on=true"),
        (r#""severity":"warning""#, r#""share":93.33333333333333"#, "share=93.33333333333333"),
        (r#""severity":"warning""#, r#""price":1.50"#, "price=1.50"),
        (r#""severity":"warning""#, r#""id":123456789012345678901234567890"#, "id=123456789012345678901234567890"),
        (r#""severity":"warning""#, r#""names":["a", {"b": 1}]"#, r#"names=["a",{"b":1}]"#),
        (r#""status":"firing","alerts""#, r#""commonLabels":{"shard":7},"alerts""#, "shard=7"),
    ] {
        for format in [FeedFormat::Alertmanager, FeedFormat::Grafana] {
            let json = spoilt(part, by).replace(r#""version":"4","#, "");
            assert!(fields(&quietly(format, &json)).contains(&field.to_owned()), "{json}");
        }
    }
    let alert = alertmanager(&spoilt(r#""summary":"disk full""#, r#""summary":98,"description":false,"link":null"#));
    assert_eq!(body(&alert), "98\nfalse");
}

#[test]
fn what_is_empty_is_empty_whatever_its_type() {
    let whole = alertmanager(&spoilt("disk full", "disk full"));
    for empty in [r#""""#, "[]", "null", "{}"] {
        for name in ["groupLabels", "commonLabels", "commonAnnotations", "externalURL", "truncatedAlerts", "receiver"] {
            let json =
                spoilt(r#""status":"firing","alerts""#, &format!(r#""status":"firing","{name}":{empty},"alerts""#));
            assert_eq!(alertmanager(&json), whole, "{json}");
        }
        let json =
            spoilt(r#""annotations":{"summary":"disk full"}"#, &format!(r#""annotations":{empty},"values":{empty}"#));
        assert_eq!(grafana(&json.replace('4', "1")).body, None, "{json}");
    }
}

#[test]
fn versions_counts_and_times_may_be_of_another_type() {
    let json = spoilt(r#""version":"4""#, r#""version":4,"truncatedAlerts":"3""#);
    assert_eq!(title(&alertmanager(&json)), "[FIRING:1, +3 more] DiskFull");
    for (at, shown) in [
        ("1772359200", "2026-03-01 10:00 +0000"),
        ("1772359200000", "2026-03-01 10:00 +0000"),
        (r#""1772359200""#, "2026-03-01 10:00 +0000"),
        ("7", "7"),
        ("true", "true"),
    ] {
        let json =
            spoilt(r#"{"status":"firing","labels""#, &format!(r#"{{"status":"firing","startsAt":{at},"labels""#));
        assert_eq!(body(&alertmanager(&json)), format!("disk full\n\nsince {shown}"), "{json}");
    }
    let (alert, warnings) = read(FeedFormat::Alertmanager, &spoilt(r#""version":"4""#, r#""version":"5""#)).unwrap();
    assert_eq!(body(&alert), "disk full");
    assert_eq!(
        warnings,
        ["--from alertmanager: Alertmanager sends version \"4\", this is \"5\": read as far as it is known"]
    );
}

#[test]
fn what_cannot_be_shown_is_left_out_with_a_warning() {
    for (part, by, warning) in [
        (
            r#"{"alertname":"DiskFull","severity":"warning"}"#,
            r#""x""#,
            "alerts[0].labels is a string, not an object: left out",
        ),
        (r#""alerts":["#, r#""alerts":[5,"#, "alerts[0] is a number, not an object: left out"),
        (
            r#""status":"firing","alerts""#,
            r#""commonLabels":[1],"alerts""#,
            "commonLabels is a list, not an object: left out",
        ),
    ] {
        let (alert, warnings) = read(FeedFormat::Alertmanager, &spoilt(part, by)).unwrap();
        assert_eq!((body(&alert), warnings), ("disk full", vec![warning.to_owned()]), "{by}");
    }
    let (alert, warnings) =
        read(FeedFormat::Alertmanager, &spoilt(r#""severity":"warning""#, r#""a":"1","a":"2""#)).unwrap();
    assert_eq!(fields(&alert), ["a=2"]);
    assert!(
        warnings[0].contains("\"a\" occurs twice") && warnings[0].contains("its last value counts"),
        "{warnings:?}"
    );
    let path = format!(r#"{{"alerts": [{{"labels": {{}}}}], "a\\u001b\\n{}": 1}}"#, "b".repeat(500));
    assert!(read(FeedFormat::Alertmanager, &path).is_ok());
}

#[test]
fn half_of_a_surrogate_pair_is_replaced() {
    let (alert, warnings) =
        read(FeedFormat::Alertmanager, &spoilt("disk full", r"disk \ud83d \ud83d\ude00 \\ud83d")).unwrap();
    assert_eq!(body(&alert), "disk \u{fffd} 😀 \\ud83d");
    assert_eq!(warnings, ["1 cut character (half of a surrogate pair, as \\ud83d) became U+FFFD"]);
}

#[test]
fn the_other_system_is_read_as_what_it_is() {
    let (alert, warnings) = read(FeedFormat::Alertmanager, GRAFANA_IMAGE).unwrap();
    assert_eq!(alert, grafana(GRAFANA_IMAGE));
    assert_eq!(warnings, ["--from alertmanager: this is a notification of Grafana: --from grafana reads it"]);
    let (alert, warnings) = read(FeedFormat::Grafana, GROUP).unwrap();
    assert_eq!(alert, alertmanager(GROUP));
    assert_eq!(warnings, ["--from grafana: this is a notification of Alertmanager: --from alertmanager reads it"]);
}

/// What Prometheus posts to `/api/v2/alerts`: no status, and an end in the future while it fires.
#[test]
fn prometheus_itself_sends_a_bare_list() {
    let list = json!([
        {"labels": {"alertname": "DiskFull", "instance": "db-1", "severity": "warning"}, "annotations": {"summary": "98 %"},
         "startsAt": "2026-03-01T10:00:00Z", "endsAt": "2026-03-01T12:04:00Z", "generatorURL": "http://prometheus.example.com/graph"},
        {"labels": {"alertname": "DiskFull", "instance": "db-2", "severity": "warning"}, "annotations": {},
         "startsAt": "2026-03-01T10:00:00Z", "endsAt": "2026-03-01T11:59:00Z"},
    ]);
    for format in [FeedFormat::Alertmanager, FeedFormat::Grafana] {
        let alert = quietly(format, &list.to_string());
        assert_eq!((title(&alert), alert.level), ("[FIRING:1, RESOLVED:1] DiskFull", Some(Level::Warning)));
        assert_eq!(
            body(&alert),
            "1. FIRING instance=db-1\n98 %\nsince 2026-03-01 10:00 +0000\nsource: http://prometheus.example.com/graph\n\n\
             2. RESOLVED instance=db-2\nsince 2026-03-01 10:00 +0000 until 2026-03-01 11:59 +0000"
        );
    }
    let single = quietly(FeedFormat::Alertmanager, &list[0].to_string());
    assert_eq!(title(&single), "[FIRING] DiskFull (instance=db-1)");
    let never = json!([{"labels": {"alertname": "A"}, "endsAt": "0001-01-01T00:00:00Z"}]);
    assert_eq!(title(&alertmanager(&never.to_string())), "[FIRING] A");
}

#[test]
fn grafanas_old_alerting_is_known() {
    let old = |state: &str| {
        json!({
            "dashboardId": 1, "evalMatches": [{"value": 93.50, "metric": "cpu", "tags": null}, {"value": "7", "metric": ""}],
            "imageUrl": "https://images.example.com/1.png", "message": "CPU is high", "orgId": 1, "panelId": 2, "ruleId": 3,
            "ruleName": "High CPU", "ruleUrl": "https://grafana.example.com/d/1?tab=alert", "state": state,
            "tags": {"severity": "warning", "team": "blue"}, "title": format!("[{state}] High CPU"),
        })
    };
    for format in [FeedFormat::Grafana, FeedFormat::Alertmanager] {
        let alert = quietly(format, &old("alerting").to_string());
        assert_eq!((title(&alert), alert.level), ("[FIRING] High CPU", Some(Level::Warning)));
        assert_eq!(fields(&alert), ["severity=warning", "team=blue"]);
        assert_eq!(body(&alert), "CPU is high\n\nvalues: cpu=93.5, 7");
        assert_eq!(alert.picurl.as_deref(), Some("https://images.example.com/1.png"));
        assert_eq!(alert.link.unwrap().url, "https://grafana.example.com/d/1?tab=alert");
    }
    let resolved = grafana(&old("ok").to_string());
    assert_eq!((title(&resolved), resolved.level), ("[RESOLVED] High CPU", Some(Level::Ok)));
    let unknown = grafana(&old("no_data").to_string());
    assert_eq!(fields(&unknown), ["severity=warning", "team=blue", "state=no_data"]);
    let bare = grafana(r#"{"state": "alerting", "ruleName": "CPU"}"#);
    assert_eq!((title(&bare), bare.level, body(&bare)), ("[FIRING] CPU", Some(Level::Critical), ""));
}

/// What Grafana sends by way of an external Alertmanager.
#[test]
fn private_names_do_not_show() {
    let json = json!({"version": "4", "alerts": [{
        "status": "firing",
        "labels": {"alertname": "A", "__alert_rule_uid__": "x", "__a": "1"},
        "annotations": {"__dashboardUid__": "d", "__value_string__": "[ var='A' ]", "summary": "s"},
    }], "commonLabels": {"__alert_rule_uid__": "x"}});
    let alert = alertmanager(&json.to_string());
    assert_eq!((fields(&alert), body(&alert)), (vec!["__a=1".to_owned()], "s"));
}
