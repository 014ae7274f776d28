//! Property tests: any JSON, and notifications of which nothing may get lost.

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};

use super::*;
use crate::input::clean;

const NAMES: [&str; 16] = [
    "version",
    "status",
    "alerts",
    "labels",
    "annotations",
    "commonLabels",
    "groupLabels",
    "commonAnnotations",
    "startsAt",
    "endsAt",
    "generatorURL",
    "externalURL",
    "values",
    "imageURL",
    "truncatedAlerts",
    "alertname",
];

/// Any JSON, with the names that are read here more often than others.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        select(vec!["4", "1", "firing", "resolved", "2026-03-01T", "é26-03-01T1é:00", "https://x"])
            .prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    let name = prop_oneof![4 => select(&NAMES[..]).prop_map(str::to_owned), 1 => any::<String>()];
    leaf.prop_recursive(6, 64, 6, move |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            vec((name.clone(), inner), 0..8).prop_map(|pairs| Value::Object(Map::from_iter(pairs))),
        ]
    })
}

fn pairs() -> impl Strategy<Value = Value> {
    let name = prop_oneof![
        select(vec!["alertname", "severity", "job", "instance", "summary", "description"]).prop_map(str::to_owned),
        "[a-z_]{1,6}",
    ];
    btree_map(name, prop_oneof!["[a-c]{1,2}", r"\PC{0,30}"], 0..5).prop_map(|map| json!(map))
}

/// A notification with up to five alerts, and what it says of all of them right or wrong.
fn notification() -> impl Strategy<Value = Value> {
    let alert = (select(vec!["firing", "resolved"]), pairs(), pairs(), r"https://[a-z]{1,9}").prop_map(
        |(status, labels, annotations, url)| json!({"status": status, "labels": labels, "annotations": annotations, "generatorURL": url}),
    );
    (vec(alert, 1..6), pairs(), pairs()).prop_map(|(alerts, group, annotations)| {
        json!({"alerts": alerts, "groupLabels": group, "commonAnnotations": annotations})
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_json_is_read_or_refused(value in any_json(), text in any::<String>()) {
        for &format in FeedFormat::VARIANTS {
            let _ = read(format, &value.to_string());
            let _ = read(format, &json!({"alerts": [value]}).to_string());
            let _ = read(format, &text);
        }
    }

    /// Labels, annotations and links of every alert, whether it fires or not.
    #[test]
    fn nothing_is_lost(notification in notification()) {
        for &format in FeedFormat::VARIANTS {
            let alert = read(format, &notification.to_string()).unwrap();
            let mut whole = alert.0.plain_text().joined();
            // As they are, before the rendering makes lines of them.
            whole.extend(alert.0.fields.iter().map(|field| field.value.as_str()));
            for alert in notification["alerts"].as_array().unwrap() {
                let labels = alert["labels"].as_object().unwrap();
                let annotations = alert["annotations"].as_object().unwrap();
                for (key, value) in labels.iter().chain(annotations) {
                    let is_private = key.starts_with("__") && key.ends_with("__");
                    let value = clean(value.as_str().unwrap());
                    prop_assert!(is_private || whole.contains(value.trim()), "{} {:?} in {}", key, value, whole);
                }
                prop_assert!(whole.contains(alert["generatorURL"].as_str().unwrap()));
            }
        }
    }
}
