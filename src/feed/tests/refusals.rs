//! Invalid notifications, each refused with the path of the wrong field.

use super::*;
use crate::error::Status;

fn refused(format: FeedFormat, json: &str) -> (String, String) {
    let error = read(format, json).unwrap_err();
    assert_eq!(error.status(), Status::Usage, "{json}");
    (error.message().to_owned(), error.hint().unwrap().to_owned())
}

#[test]
fn a_format_goes_by_its_name() {
    for &format in FeedFormat::VARIANTS {
        assert_eq!(format.to_string().parse::<FeedFormat>().unwrap(), format);
    }
    for name in ["", "Grafana", "zabbix"] {
        let error = name.parse::<FeedFormat>().unwrap_err();
        assert_eq!(error.message(), format!("--from {name:?} is no format"));
        assert_eq!(error.hint(), Some("write --from alertmanager or --from grafana"));
    }
}

#[test]
fn wrong_input_is_refused_with_its_path() {
    for (json, what) in [
        ("", "not JSON: EOF while parsing a value at line 1 column 0"),
        ("disk full", "not JSON: expected value at line 1 column 1"),
        ("{}{}", "not JSON: trailing characters at line 1 column 3"),
        ("[1]", "a list, not an object"),
        ("null", "null, not an object"),
        ("{}", "it has no `alerts`"),
        (r#"{"alerts": null}"#, "it has no `alerts`"),
        (r#"{"alerts": []}"#, "`alerts` is empty: there is nothing to tell"),
        (r#"{"alerts": {}}"#, "alerts is an object, not a list"),
        (r#"{"alerts": [1]}"#, "alerts[0] is a number, not an object"),
        (r#"{"alerts": [{}, {"labels": {"job": ["x"]}}]}"#, "alerts[1].labels.job is a list, not a string"),
        (r#"{"alerts": [{"labels": "x"}]}"#, "alerts[0].labels is a string, not an object"),
        (r#"{"alerts": [{"startsAt": 5}]}"#, "alerts[0].startsAt is a number, not a string"),
        (r#"{"alerts": [{"status": true}]}"#, "alerts[0].status is true or false, not a string"),
        (r#"{"alerts": [{}], "truncatedAlerts": -1}"#, "truncatedAlerts is a number, not a count"),
        (r#"{"alerts": [{}], "commonAnnotations": [1]}"#, "commonAnnotations is a list, not an object"),
        (r#"{"version": 4, "alerts": [{}]}"#, "version is a number, not a string"),
        (r#"{"version": "3", "alerts": [{}]}"#, "version is \"3\", not \"4\""),
    ] {
        let (message, hint) = refused(FeedFormat::Alertmanager, json);
        assert_eq!(message, format!("the input of --from alertmanager: {what}"), "{json}");
        assert_eq!(hint, "send the body of Alertmanager's webhook as it came, one notification at a time");
    }
}

#[test]
fn the_other_system_is_recognised() {
    let (message, hint) = refused(FeedFormat::Alertmanager, GRAFANA_IMAGE);
    assert_eq!(message, "the input of --from alertmanager: version is \"1\", not \"4\"");
    assert_eq!(hint, "this looks like Grafana: use --from grafana");
    let (message, hint) = refused(FeedFormat::Grafana, GROUP);
    assert_eq!(message, "the input of --from grafana: version is \"4\", not \"1\"");
    assert_eq!(hint, "this looks like Alertmanager: use --from alertmanager");
}

#[test]
fn grafanas_own_fields_are_checked_too() {
    for (json, what) in [
        (r#"{"alerts": [{"values": [1]}]}"#, "alerts[0].values is a list, not an object"),
        (r#"{"alerts": [{"values": {"B": {}}}]}"#, "alerts[0].values.B is an object, not a number"),
        (r#"{"alerts": [{"imageURL": 1}]}"#, "alerts[0].imageURL is a number, not a string"),
        (r#"{"alerts": [{}], "title": 1}"#, "title is a number, not a string"),
    ] {
        assert_eq!(refused(FeedFormat::Grafana, json).0, format!("the input of --from grafana: {what}"));
    }
    // They are none of Alertmanager's, and so unknown there.
    assert!(read(FeedFormat::Alertmanager, r#"{"alerts": [{"values": [1]}], "title": 1}"#).is_ok());
}

#[test]
fn paths_in_errors_are_sanitized() {
    let json = format!(r#"{{"alerts": [{{"labels": {{"a\u001b\n{}": 1}}}}]}}"#, "b".repeat(500));
    let (message, _) = refused(FeedFormat::Alertmanager, &json);
    assert!(message.len() < 300 && !message.contains(['\n', '\u{1b}']), "{message:?}");
}
