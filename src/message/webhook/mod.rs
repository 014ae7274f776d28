//! Messages of webhook/send (document path 99110): the body and its contents.

mod payload;
#[cfg(test)]
mod tests;

pub use payload::{Article, Image, News, Text};

use serde_json::{Value, json};

use super::body::{self, MessageContent, contents};
use super::card::TemplateCard;
use super::control;
use super::finding::At;
use super::{Findings, Markdown, Media};
use crate::channel::Channel;

/// One message to the group of a webhook.
#[derive(Debug, Clone, PartialEq)]
pub struct WebhookMessage {
    /// What the group sees.
    pub content: WebhookContent,
}

contents! {
    /// The contents that webhook messages can have.
    pub enum WebhookContent on Webhook {
        Text(Text),
        Markdown(Markdown),
        MarkdownV2(Markdown),
        Image(Image),
        News(News),
        File(Media),
        Voice(Media),
        TemplateCard(Box<TemplateCard>),
    }
}

impl WebhookMessage {
    /// The whole body.
    pub fn to_value(&self) -> Value {
        let msgtype = self.content.msgtype().as_str();
        json!({ "msgtype": msgtype, msgtype: self.content.payload() })
    }

    /// Reads a whole body. Limits are not looked at.
    ///
    /// # Errors
    ///
    /// Unknown and missing fields, and fields of the wrong kind: all of them.
    pub fn from_value(body: &Value) -> Result<Self, Findings> {
        let mut findings = Findings::default();
        let content = body::read(body, &[], &mut At::root(&mut findings));
        content.filter(|_| findings.errors.is_empty()).map(|content| Self { content }).ok_or(findings)
    }
}

/// Holds a whole body against all published rules for webhook/send.
pub fn check_body(body: &Value) -> Findings {
    let mut findings = Findings::default();
    let mut at = At::root(&mut findings);
    control::search(body, &mut at);
    if let Some(content) = body::read::<WebhookContent>(body, &[], &mut at) {
        content.rules().check(Channel::Webhook, &mut at.field(content.msgtype().as_str()));
    }
    findings
}
