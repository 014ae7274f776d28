//! Notifications of Alertmanager and Grafana, and the messages made of them.

#![no_main]

use libfuzzer_sys::fuzz_target;
use wecom_alert::alert::Alert;
use wecom_alert::channel::{Channel, MsgType};
use wecom_alert::fuzz::{read_notification, split_text};
use wecom_alert::message::app::{self, AppContent, AppMessage, Common};
use wecom_alert::message::webhook::{self, WebhookContent, WebhookMessage};
use wecom_alert::message::{Findings, Markdown, check_body};
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
        assert_sound(app(AppContent::Text(app::Text { content: part.clone() })));
        let content = webhook::Text { content: part, mentioned_list: None, mentioned_mobile_list: None };
        assert_sound(webhook(WebhookContent::Text(content)));
    }
    for content in split_text(&alert.markdown().joined(), 2048, MsgType::Markdown) {
        assert_sound(app(AppContent::Markdown(Markdown { content: content.clone() })));
        assert_sound(webhook(WebhookContent::Markdown(Markdown { content })));
    }
    for content in split_text(&alert.markdown_v2().joined(), 4096, MsgType::MarkdownV2) {
        assert_sound(webhook(WebhookContent::MarkdownV2(Markdown { content })));
    }
    if let Ok(card) = alert.textcard() {
        assert_sound(app(AppContent::Textcard(card.content)));
    }
    if let Ok(news) = alert.app_news() {
        assert_sound(app(AppContent::News(news.content)));
    }
    if let Ok(news) = alert.webhook_news() {
        assert_sound(webhook(WebhookContent::News(news.content)));
    }
}

fn app(content: AppContent) -> Findings {
    let common = Common { touser: Some("u1".to_owned()), agentid: Some(1), ..Common::default() };
    check_body(Channel::App, &AppMessage { common, content }.to_value())
}

fn webhook(content: WebhookContent) -> Findings {
    check_body(Channel::Webhook, &WebhookMessage { content }.to_value())
}

fn assert_sound(findings: Findings) {
    assert!(findings.errors.is_empty(), "{:?}", findings.errors);
}
