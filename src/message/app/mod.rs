//! Messages of message/send (document path 90236): the body, its contents and the fields around them.

mod payload;
#[cfg(test)]
mod tests;

pub use payload::{Article, MiniprogramItem, MiniprogramNotice, Mpnews, MpnewsArticle, News, Text, Textcard, Video};

use serde::Deserialize;
use serde_json::{Map, Value};

use super::body::{self, Content, contents};
use super::card::TemplateCard;
use super::control;
use super::finding::At;
use super::recipients::{self, ALL, RecipientKind, Recipients};
use super::rules::or_empty;
use super::shape::{Field, Shape, Wire, wire};
use super::{Findings, Markdown, Media};
use crate::channel::Channel;

/// One message to members, departments and tags of an app.
#[derive(Debug, Clone, PartialEq)]
pub struct AppMessage {
    /// Recipients, sender and options.
    pub common: Common,
    /// What the members see.
    pub content: AppContent,
}

wire! {
    /// The fields that stand beside the content.
    #[derive(Default)]
    pub struct Common {
        /// userids joined with `|`, at most 1000, or `@all`.
        pub touser: Option<String>,
        /// Department ids joined with `|`, at most 100.
        pub toparty: Option<String>,
        /// Tag ids joined with `|`, at most 100.
        pub totag: Option<String>,
        /// The app. WeCom requires it; a body without it is checked all the same, since settings may bring it.
        pub agentid: Option<i64>,
        /// 0 may be shared, 1 may not and has a watermark, 2 may be shared inside the corp only (`mpnews` alone).
        pub safe: Option<i64>,
        /// 1 shows names in place of ids such as `$userName=ID$`.
        pub enable_id_trans: Option<i64>,
        /// 1 makes WeCom drop the same request within the interval.
        pub enable_duplicate_check: Option<i64>,
        /// Seconds, 1 to 14400; 1800 when absent.
        pub duplicate_check_interval: Option<i64>,
    }
}

contents! {
    /// The contents that app messages can have.
    pub enum AppContent on App {
        Text(Text) = "text",
        Image(Media) = "image",
        Voice(Media) = "voice",
        Video(Video) = "video",
        File(Media) = "file",
        Textcard(Textcard) = "textcard",
        News(News) = "news",
        Mpnews(Mpnews) = "mpnews",
        Markdown(Markdown) = "markdown",
        MiniprogramNotice(MiniprogramNotice) = "miniprogram_notice",
        TemplateCard(Box<TemplateCard>) = "template_card",
    }
}

impl Common {
    /// The fields for these recipients, all others absent.
    pub fn to(recipients: &Recipients) -> Self {
        Self {
            touser: recipients.touser(),
            toparty: recipients.toparty(),
            totag: recipients.totag(),
            ..Self::default()
        }
    }
}

impl AppMessage {
    /// The whole body.
    pub fn to_value(&self) -> Value {
        let fields = match serde_json::to_value(&self.common) {
            Ok(Value::Object(fields)) => fields,
            _ => Map::new(),
        };
        body::write(&self.content, self.content.msgtype(), fields)
    }

    /// Reads a whole body. Limits are not looked at.
    ///
    /// # Errors
    ///
    /// Unknown and missing fields, and fields of the wrong kind: all of them.
    pub fn from_value(body: &Value) -> Result<Self, Findings> {
        let mut findings = Findings::default();
        let content = body::read(body, COMMON, &mut At::root(&mut findings));
        match (content, Common::deserialize(body)) {
            (Some(content), Ok(common)) if findings.errors.is_empty() => Ok(Self { common, content }),
            _ => Err(findings),
        }
    }
}

/// Holds a whole body against all published rules for message/send.
pub fn check_body(body: &Value) -> Findings {
    let mut findings = Findings::default();
    let mut at = At::root(&mut findings);
    control::search(body, &mut at);
    let content = body::read::<AppContent>(body, COMMON, &mut at);
    let msgtype = body.get("msgtype").and_then(Value::as_str).filter(|name| AppContent::MSGTYPES.contains(name));
    if let (Some(msgtype), Ok(common)) = (msgtype, Common::deserialize(body)) {
        check_recipients(&common, msgtype, &mut at);
        check_options(&common, msgtype, &mut at);
    }
    if let Some(content) = content {
        content.rules().check(Channel::App, &mut at.field(content.msgtype()));
    }
    findings
}

/// The highest value of `safe` that a type has: 0 where it has none (document path 90236).
pub fn highest_safe(msgtype: &str) -> u8 {
    match msgtype {
        "mpnews" => 2,
        "text" | "image" | "video" | "file" => 1,
        _ => 0,
    }
}

/// Whether a type has fields in which WeCom replaces ids by names (document path 90236).
pub fn takes_id_trans(msgtype: &str) -> bool {
    !matches!(msgtype, "image" | "voice" | "video" | "file" | "markdown")
}

pub(super) const COMMON: &[Field] = match Common::SHAPE {
    Shape::Object(fields) => fields,
    _ => &[],
};

fn check_recipients(common: &Common, msgtype: &str, at: &mut At<'_>) {
    let lists = [
        (RecipientKind::User, or_empty(&common.touser)),
        (RecipientKind::Party, or_empty(&common.toparty)),
        (RecipientKind::Tag, or_empty(&common.totag)),
    ];
    if lists.iter().all(|(_, list)| list.is_empty()) {
        at.field("touser").error_with_hint(
            "there is no recipient: touser, toparty and totag are all empty",
            "name one with -u ID, --to-party ID or --to-tag ID, or as to_user in the profile; -u @all means everybody",
        );
    }
    let to_all = or_empty(&common.touser).split('|').any(|user| user == ALL);
    for (kind, list) in lists {
        let mut at = at.field(kind.as_str());
        recipients::check_field(kind, list, &mut at);
        if to_all && kind != RecipientKind::User && !list.is_empty() {
            at.warn("WeCom ignores this beside touser @all");
        }
    }
    if to_all && msgtype == "miniprogram_notice" {
        let hint = "name the members, departments or tags";
        at.field("touser").error_with_hint("miniprogram_notice cannot be sent to @all", hint);
    }
}

fn check_options(common: &Common, msgtype: &str, at: &mut At<'_>) {
    if let Some(agentid) = common.agentid.filter(|id| *id < 1) {
        at.field("agentid").error(format!("{agentid}, but it must be greater than 0"));
    }
    check_safe(common.safe, msgtype, &mut at.field("safe"));
    let mut id_trans = at.field("enable_id_trans");
    match msgtype {
        _ if !takes_id_trans(msgtype) && !matches!(common.enable_id_trans, None | Some(0)) => {
            let hint = "leave it out, or send text, textcard, news, mpnews, miniprogram_notice or template_card";
            id_trans.error_with_hint(format!("{msgtype} messages do not have it"), hint);
        }
        _ => id_trans.one_of(common.enable_id_trans, 0..=1),
    }
    at.field("enable_duplicate_check").one_of(common.enable_duplicate_check, 0..=1);
    if let Some(interval) = common.duplicate_check_interval {
        let mut at = at.field("duplicate_check_interval");
        if !(1..=14400).contains(&interval) {
            let hint = "give --duplicate-check at least 1s and at most 4h";
            at.error_with_hint(format!("{interval} seconds, 1 to 14400 are allowed"), hint);
        }
        if common.enable_duplicate_check != Some(1) {
            at.warn("without effect unless enable_duplicate_check is 1");
        }
    }
}

fn check_safe(safe: Option<i64>, msgtype: &str, at: &mut At<'_>) {
    match (msgtype, highest_safe(msgtype)) {
        // 0 is what all of them are anyway, and old scripts carry it.
        _ if matches!(safe, None | Some(0)) => {}
        ("news", 0) => at.error_with_hint("news messages do not have it", "use mpnews instead, or leave safe out"),
        (_, 0) => {
            let hint = "leave it out, or send text, image, video, file or mpnews";
            at.error_with_hint(format!("{msgtype} messages do not have it"), hint);
        }
        (_, 1) if safe == Some(2) => {
            at.error_with_hint(format!("2 is for mpnews alone, not for {msgtype}"), "use 0 or 1, or send mpnews");
        }
        (_, highest) => at.one_of(safe, 0..=highest.into()),
    }
}
