//! Notifications of Alertmanager and Grafana, and the messages made of them.

#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use wecom_alert::alert::Alert;
use wecom_alert::channel::{Addressing, Channel, MsgType};
use wecom_alert::fuzz::{read_notification, split_text};
use wecom_alert::message::app::{AppNews, AppText, Markdown};
use wecom_alert::message::webhook::WebhookText;
use wecom_alert::message::{body_of, check_body};
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
    for part in split_text(&text, 2048, MsgType::Text) {
        assert_sound(Channel::App, body_of(MsgType::Text, &AppText { content: part.clone() }));
        let content = WebhookText { content: part, ..WebhookText::default() };
        assert_sound(Channel::Webhook, body_of(MsgType::Text, &content));
    }
    for content in split_text(&alert.markdown().joined(), 2048, MsgType::Markdown) {
        for channel in Channel::ALL.iter().copied() {
            assert_sound(channel, body_of(MsgType::Markdown, &Markdown { content: content.clone() }));
        }
    }
    for content in split_text(&alert.markdown_v2().joined(), 4096, MsgType::MarkdownV2) {
        assert_sound(Channel::Webhook, body_of(MsgType::MarkdownV2, &Markdown { content }));
    }
    if let Ok(card) = alert.textcard() {
        assert_sound(Channel::App, body_of(MsgType::Textcard, &card.content));
    }
    if let Ok(article) = alert.article() {
        let news = AppNews { articles: vec![article.content] };
        for channel in Channel::ALL.iter().copied() {
            assert_sound(channel, body_of(MsgType::News, &news));
        }
    }
}

fn assert_sound(channel: Channel, mut body: Value) {
    if channel.facts().addressing == Addressing::Recipients {
        body["touser"] = "u1".into();
    }
    let findings = check_body(channel, &body);
    assert!(findings.errors.is_empty(), "{:?}", findings.errors);
}
