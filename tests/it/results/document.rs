//! The promises of the JSON document that hold whatever happened.

use serde_json::Value;
use wecom_alert::channel::Channel;

use crate::support::Run;

const STATUSES: &[(&str, &[i32])] = &[
    ("sent", &[0]),
    ("ok", &[0]),
    ("queued", &[0]),
    ("skipped", &[0]),
    ("dry_run", &[0]),
    ("error", &[1]),
    ("usage", &[2]),
    ("config", &[3]),
    ("auth", &[4]),
    ("refused", &[5]),
    ("partial", &[6, 0]),
    ("temporary", &[7]),
    ("rate_limited", &[8]),
    ("unknown", &[9]),
    ("interrupted", &[130, 143]),
];

/// The one document on stdout, every field with its type, and nothing in it that contradicts the exit code.
pub(crate) fn document(run: &Run) -> Value {
    let document = run.json();
    let code = run.code.unwrap_or_else(|| panic!("ended by a signal\n{}", run.all()));
    let fault = check(&document, code);
    assert!(fault.is_none(), "{}\n{}", fault.unwrap_or_default(), run.all());
    assert_eq!(run.stdout.matches('\n').count(), 1, "one line\n{}", run.all());
    document
}

fn check(document: &Value, code: i32) -> Option<String> {
    let fault = |what: &str| Some(what.to_owned());
    if let Some(field) = wrong_field(document) {
        return Some(format!("{field} has the wrong type"));
    }
    if document["exit_code"] != code || document["ok"] != (code == 0) {
        return Some(format!("exit_code or ok do not fit the exit code {code}"));
    }
    let status = document["status"].as_str()?;
    if !STATUSES.iter().any(|(name, codes)| *name == status && codes.contains(&code)) {
        return Some(format!("{status} does not go with {code}"));
    }
    if document["errcode"].is_null() != document["errmsg"].is_null() {
        return fault("errcode and errmsg are not both null or both given");
    }
    if code != 0 && (document["message"].is_null() || document["hint"].is_null()) {
        return fault("a failure without message or hint");
    }
    // What was given up by a flush, or is listed as that, stays so.
    let is_waiting = |entries: &Vec<Value>| entries.iter().any(|entry| entry["state"] == "waiting");
    let has_more = document["remaining"] != 0 && document["entries"].as_array().is_none_or(is_waiting);
    if document["retryable"] != (matches!(code, 7 | 8) && has_more) {
        return fault("retryable does not fit");
    }
    for (at, part) in document["parts"].as_array()?.iter().enumerate() {
        if part["index"] != at + 1 || !["message", "attachment"].contains(&part["kind"].as_str().unwrap_or_default()) {
            return fault("a part has a wrong index or kind");
        }
    }
    None
}

/// Whether a field's value is of its type.
type Fits<'a> = &'a dyn Fn(&Value) -> bool;

/// The first field that is missing or of the wrong type.
fn wrong_field(document: &Value) -> Option<&'static str> {
    let text = |value: &Value| value.is_string();
    let text_or_null = |value: &Value| value.is_null() || value.as_str().is_some_and(|text| !text.contains('\n'));
    let number_or_null = |value: &Value| value.is_null() || value.is_i64() || value.is_u64();
    let texts = |value: &Value| value.as_array().is_some_and(|items| items.iter().all(Value::is_string));
    let flag = |value: &Value| value.is_boolean();
    let route = |value: &Value| value.is_null() || Channel::ALL.iter().any(|channel| value == channel.as_str());
    let part = |part: &Value| {
        part["status"].is_string()
            && number_or_null(&part["errcode"])
            && ["errmsg", "msgid", "response_code"]
                .iter()
                .all(|name| part.get(name).is_some_and(|value| value.is_null() || value.is_string()))
    };
    let parts = |value: &Value| value.as_array().is_some_and(|parts| parts.iter().all(part));
    let fields: [(&'static str, Fits<'_>); 20] = [
        ("ok", &flag),
        ("status", &text),
        ("exit_code", &Value::is_u64),
        ("errcode", &number_or_null),
        ("errmsg", &|value| value.is_null() || value.is_string()),
        ("message", &text_or_null),
        ("hint", &text_or_null),
        ("warnings", &texts),
        ("profile", &text_or_null),
        ("route", &route),
        ("invaliduser", &texts),
        ("invalidparty", &texts),
        ("invalidtag", &texts),
        ("unlicenseduser", &texts),
        ("unresolved", &texts),
        ("parts", &parts),
        ("attempts", &Value::is_u64),
        ("retryable", &flag),
        ("retry_after_s", &number_or_null),
        ("seen_ip", &text_or_null),
    ];
    fields.iter().find(|(name, fits)| !document.get(name).is_some_and(fits)).map(|(name, _)| *name)
}

#[test]
fn the_check_finds_what_is_wrong() {
    let good = serde_json::json!({
        "ok": false, "status": "temporary", "exit_code": 7, "errcode": null, "errmsg": null, "message": "m", "hint": "h",
        "warnings": [], "profile": null, "route": "app", "invaliduser": [], "invalidparty": [], "invalidtag": [],
        "unlicenseduser": [], "unresolved": [], "parts": [], "attempts": 1, "retryable": true, "retry_after_s": null, "seen_ip": null
    });
    assert_eq!(check(&good, 7), None);
    assert!(check(&good, 8).is_some());
    for (field, value) in [
        ("ok", Value::from(true)),
        ("status", Value::from("config")),
        ("errcode", Value::from(1)),
        ("message", Value::Null),
        ("warnings", Value::from("w")),
        ("parts", serde_json::json!([{"index": 2, "kind": "message"}])),
        ("retryable", Value::from(false)),
    ] {
        let mut bad = good.clone();
        bad[field] = value;
        assert!(check(&bad, 7).is_some(), "{field}");
    }
    let mut short = good;
    short.as_object_mut().unwrap().remove("seen_ip");
    assert_eq!(wrong_field(&short), Some("seen_ip"));
}
