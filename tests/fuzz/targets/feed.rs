//! Notifications of Alertmanager and Grafana, and the messages made of them.

#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use wecom_alert::alert::Alert;
use wecom_alert::channel::{Addressing, Channel};
use wecom_alert::fuzz::{messages_of, read_notification};
use wecom_alert::message::check_body;
use wecom_alert::sanitize::one_line;

fuzz_target!(|input: &str| {
    for format in ["alertmanager", "grafana"] {
        match read_notification(format, input) {
            Ok(alert) => check_messages(&alert),
            Err(error) => {
                let message = error.message();
                assert_eq!(one_line(message), message);
                assert!(message.len() < 2048, "{message:?}");
            }
        }
    }
});

/// Whatever a notification says, the messages made of it keep WeCom's rules.
fn check_messages(alert: &Alert) {
    let text = alert.text().joined();
    assert!(!text.trim().is_empty(), "{alert:?} says nothing");
    for (channel, body) in messages_of(alert) {
        assert_sound(channel, body);
    }
}

fn assert_sound(channel: Channel, mut body: Value) {
    if channel.facts().addressing == Addressing::Recipients {
        body["touser"] = "u1".into();
    }
    let findings = check_body(channel, &body);
    assert!(findings.errors.is_empty(), "{:?}", findings.errors);
}
