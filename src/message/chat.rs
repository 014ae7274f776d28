//! What only messages in group chats have (document path 90248): the fields next to the content, and texts that mention
//! members. All other contents are those of app messages, but for articles, which are those of webhooks.

use serde_json::Value;

use super::app_fields::check_safe;
use super::finding::{At, shown};
use super::rules::{Rules, or_empty};
use super::shape::{FieldShape, JsonShape, Wire, wire};
use super::webhook::check_mentioned;
use crate::channel::{Channel, MsgType, TEXT_BYTES};

wire! {
    /// The fields next to the content.
    pub struct ChatFields {
        /// The one group chat, which the app must have made.
        pub chatid: Option<String>,
        /// 0 may be shared, 1 may not and has a watermark.
        pub safe: Option<i64>,
    }
}

wire! {
    /// Plain text that can mention members of the chat; `<@userid>` does so within it.
    pub struct ChatText {
        /// 1 to 2048 bytes.
        pub content: String,
        /// userids, or `@all`; clients from 5.0.6 on.
        pub mentioned_list: Option<Vec<String>>,
    }
}

pub(super) const FIELDS: &[FieldShape] = match ChatFields::SHAPE {
    JsonShape::Object(fields) => fields,
    _ => &[],
};

/// The longest id that somebody may choose for a chat (document path 90245).
pub const CHOSEN_ID_CHARS: usize = 32;

/// Checks these fields of a whole body, if they have the right shape.
pub(super) fn check_fields(body: &Value, msgtype: MsgType, at: &mut At<'_>) {
    let Some(common) = ChatFields::read(body) else { return };
    let chat = or_empty(&common.chatid);
    let mut place = at.field("chatid");
    if chat.is_empty() {
        place.error_with_hint(
            "there is no group chat: chatid is missing or empty",
            "name one with --chat ID, or as chat in the profile; wecom-alert chat-create makes one",
        );
    } else if let Some(doubt) = id_doubt(chat) {
        place.warn(doubt);
    }
    check_safe(Channel::Chat, common.safe, msgtype, &mut at.field("safe"));
}

/// Why this is hardly the id of a chat, if it is not like one. What WeCom itself calls a chat is published nowhere.
pub fn id_doubt(id: &str) -> Option<String> {
    if !id.is_ascii() || id.contains(' ') {
        return Some(format!("{} looks like the name of a chat: its id is what chat-create printed", shown(id)));
    }
    (!is_chosen_id(id)).then(|| {
        format!("an id that one chooses has 1 to {CHOSEN_ID_CHARS} of 0-9, a-z and A-Z: is this the id of a chat?")
    })
}

/// Whether somebody may choose this id for a chat (document path 90245).
pub fn is_chosen_id(id: &str) -> bool {
    (1..=CHOSEN_ID_CHARS).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

impl Rules for ChatText {
    fn check(&self, _channel: Channel, at: &mut At<'_>) {
        at.field("content").body_text(&self.content, TEXT_BYTES);
        at.given("mentioned_list", &self.mentioned_list, |ids, at| check_mentioned(ids, at));
    }
}
