//! The fields next to the content of an app message (document path 90236): recipients, agent and options.

use serde_json::Value;

use super::finding::At;
use super::recipients::{self, ALL, RecipientKind};
use super::rules::or_empty;
use super::shape::{FieldShape, JsonShape, Wire, wire};
use crate::channel::{Channel, MsgType};

wire! {
    /// The fields next to the content.
    pub struct AppFields {
        /// userids joined with `|`, at most 1000, or `@all`.
        pub touser: Option<String>,
        /// Department ids joined with `|`, at most 100.
        pub toparty: Option<String>,
        /// Tag ids joined with `|`, at most 100.
        pub totag: Option<String>,
        /// The app. WeCom requires it; a body without it is checked all the same, since settings may bring it.
        pub agentid: Option<i64>,
        /// 0 may be shared, 1 may not and has a watermark, 2 may be shared inside the corp only (only `mpnews`).
        pub safe: Option<i64>,
        /// 1 shows names in place of ids such as `$userName=ID$`.
        pub enable_id_trans: Option<i64>,
        /// 1 makes WeCom drop the same request within the interval.
        pub enable_duplicate_check: Option<i64>,
        /// Seconds, 1 to 14400; 1800 when absent.
        pub duplicate_check_interval: Option<i64>,
    }
}

pub(super) const FIELDS: &[FieldShape] = match AppFields::SHAPE {
    JsonShape::Object(fields) => fields,
    _ => &[],
};

/// Checks these fields of a whole body, if they have the right shape.
pub(super) fn check(body: &Value, msgtype: MsgType, at: &mut At<'_>) {
    if let Some(common) = AppFields::read(body) {
        check_recipients(&common, msgtype, at);
        check_options(&common, msgtype, at);
    }
}

fn check_recipients(common: &AppFields, msgtype: MsgType, at: &mut At<'_>) {
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
    if to_all && !msgtype.facts().to_all {
        let hint = "name the members, departments or tags";
        at.field("touser").error_with_hint(format!("{} cannot be sent to @all", msgtype.as_str()), hint);
    }
}

fn check_options(common: &AppFields, msgtype: MsgType, at: &mut At<'_>) {
    if let Some(agentid) = common.agentid.filter(|id| *id < 1) {
        at.field("agentid").error(format!("{agentid}, but it must be greater than 0"));
    }
    check_safe(Channel::App, common.safe, msgtype, &mut at.field("safe"));
    let mut id_trans = at.field("enable_id_trans");
    if msgtype.facts().id_trans || matches!(common.enable_id_trans, None | Some(0)) {
        id_trans.one_of(common.enable_id_trans, 0..=1);
    } else {
        let hint = format!("leave it out, or send {}", types_with(Channel::App, |msgtype| msgtype.facts().id_trans));
        id_trans.error_with_hint(format!("{} messages do not have it", msgtype.as_str()), hint);
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

/// Checks `safe` in a message of this channel.
pub(super) fn check_safe(channel: Channel, safe: Option<i64>, msgtype: MsgType, at: &mut At<'_>) {
    let (name, highest) = (msgtype.as_str(), channel.highest_safe(msgtype));
    match safe {
        // 0 is what all of them are anyway, and old scripts carry it.
        None | Some(0) => {}
        Some(_) if highest == 0 => {
            let hint = match msgtype {
                MsgType::News => "use mpnews instead, or leave safe out".to_owned(),
                _ => format!(
                    "leave it out, or send {}",
                    types_with(channel, |msgtype| channel.highest_safe(msgtype) > 0)
                ),
            };
            at.error_with_hint(format!("{name} messages do not have it"), hint);
        }
        Some(2) if highest < channel.facts().highest_safe => {
            at.error_with_hint(format!("2 is only for mpnews, not for {name}"), "use 0 or 1, or send mpnews");
        }
        Some(_) => at.one_of(safe, 0..=highest.into()),
    }
}

/// The types of a channel's messages that have something, as a hint names them.
fn types_with(channel: Channel, has: impl Fn(MsgType) -> bool) -> String {
    let types = channel.facts().types.iter().filter(|msgtype| has(**msgtype));
    let names: Vec<_> = types.map(|msgtype| msgtype.as_str()).collect();
    match names.split_last() {
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
        None => String::new(),
    }
}
