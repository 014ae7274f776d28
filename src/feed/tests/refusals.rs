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
        assert_eq!(error.message(), format!("--from {name:?} is not a known format"));
        assert_eq!(error.hint(), Some("write --from alertmanager or --from grafana"));
    }
}

#[test]
fn what_is_no_notification_is_refused() {
    for (json, what) in [
        ("", "not JSON: EOF while parsing a value at line 1 column 0"),
        ("disk full", "not JSON: expected value at line 1 column 1"),
        ("{}{}", "not JSON: trailing characters at line 1 column 3"),
        ("[]", "a list without an alert in it"),
        ("[1]", "a list without an alert in it"),
        (r#"[{"a": 1}]"#, "a list without an alert in it"),
        ("null", "null, not an object"),
        ("{}", "it has no `alerts`"),
        (r#"{"status": "firing"}"#, "it has no `alerts`"),
        (r#"{"alerts": null}"#, "it has no `alerts`"),
        (r#"{"alerts": []}"#, "`alerts` is empty: there is no alert in it"),
        (r#"{"alerts": ""}"#, "`alerts` is empty: there is no alert in it"),
        (r#"{"alerts": [1, 2]}"#, "alerts[0] is a number, not an object"),
        (r#"{"alerts": "x"}"#, "alerts is a string, not an object"),
    ] {
        for &format in FeedFormat::VARIANTS {
            let (message, hint) = refused(format, json);
            assert_eq!(message, format!("the input of --from {format}: {what}"), "{json}");
            let system = format.facts().0;
            assert_eq!(hint, format!("send the body of {system}'s webhook as it came, one notification at a time"));
        }
    }
}
