//! What only messages of an aibot have (document path 101463): the fields next to the content, and markdown that readers can
//! judge. Cards are in [`super::card`]; files are those of app messages.

use serde_json::{Map, Value, json};

use super::finding::{At, shown};
use super::recipients::{ALL, userid_problem};
use super::rules::{Rules, or_empty};
use super::shape::{FieldShape, JsonShape, Wire, wire};
use crate::channel::Channel;

/// The longest `feedback.id`, in bytes.
const FEEDBACK_BYTES: usize = 256;

wire! {
    /// The fields next to the content.
    pub struct AibotFields {
        /// The userid of a member, or the id of a group that the aibot is in. Case counts.
        pub chatid: Option<String>,
        /// 1 for a member, 2 for a group; without it, or with 0, the id says it.
        pub chat_type: Option<i64>,
    }
}

wire! {
    /// Text in the syntax of `markdown_v2`: headings, lists, tables, quotes, code and links, no colours and no mentions.
    pub struct AibotMarkdown {
        /// At most 20480 bytes.
        pub content: String,
        /// Lets readers say whether it was of use.
        pub feedback: Option<Feedback>,
    }
}

wire! {
    /// What names a message in the events of its readers' thumbs.
    pub struct Feedback {
        /// At most 256 bytes.
        pub id: String,
    }
}

pub(super) const FIELDS: &[FieldShape] = match AibotFields::SHAPE {
    JsonShape::Object(fields) => fields,
    _ => &[],
};

/// Whom one message is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ConversationKind {
    /// A member.
    User,
    /// A group that the aibot is in.
    Chat,
}

impl ConversationKind {
    /// The value of `chat_type`.
    pub fn chat_type(self) -> i64 {
        match self {
            Self::User => 1,
            Self::Chat => 2,
        }
    }

    /// The kind of that `chat_type`, if it says one.
    pub fn of(body: &Value) -> Option<Self> {
        match body.get("chat_type")?.as_i64()? {
            1 => Some(Self::User),
            2 => Some(Self::Chat),
            _ => None,
        }
    }
}

/// Where the body of a part keeps its conversations if there are several: each is a call of its own.
const CONVERSATIONS: &str = "conversations";

/// A member or a group that the aibot writes to.
pub type Conversation = (ConversationKind, String);

/// Puts into a body whom it is for. With several, it is the body of a part, and [`for_one`] makes that of each call.
pub(crate) fn address(body: &mut Map<String, Value>, conversations: &[Conversation]) {
    let fields = |(kind, id): &Conversation| json!({ "chatid": id, "chat_type": kind.chat_type() });
    FIELDS.iter().for_each(|field| drop(body.shift_remove(field.name)));
    match conversations {
        [one] => body.extend(fields(one).as_object_mut().map(std::mem::take).unwrap_or_default()),
        several => drop(body.insert(CONVERSATIONS.to_owned(), several.iter().map(fields).collect())),
    }
}

/// The conversations that the body of a part keeps; `None` where it names one itself.
pub(super) fn conversations(body: &Value) -> Option<&Vec<Value>> {
    body.get(CONVERSATIONS)?.as_array()
}

/// Makes of the body of a part that of a call: for the conversation of that number, counted from 0.
pub(super) fn for_one(body: &mut Value, number: usize) {
    let Some(fields) = body.as_object_mut() else { return };
    let kept = fields.shift_remove(CONVERSATIONS);
    let one = kept.as_ref().and_then(|kept| kept.get(number)?.as_object());
    fields.extend(one.cloned().unwrap_or_default());
}

/// The ids that a body names, of one conversation or of all.
pub(crate) fn ids(body: &Value) -> Vec<String> {
    let id = |body: &Value| body.get("chatid").and_then(Value::as_str).map(str::to_owned);
    match conversations(body) {
        Some(several) => several.iter().filter_map(id).collect(),
        None => id(body).into_iter().collect(),
    }
}

/// Checks these fields of a whole body, if they have the right shape.
pub(super) fn check_fields(body: &Value, at: &mut At<'_>) {
    let Some(common) = AibotFields::read(body) else { return };
    at.field("chat_type").one_of(common.chat_type, 0..=2);
    let id = or_empty(&common.chatid);
    let mut at = at.field("chatid");
    match (id, ConversationKind::of(body)) {
        ("", _) => at.error_with_hint(
            "there is no recipient: chatid is missing or empty",
            "name a member with -u ID or a group with --chat ID, or as aibot_user or aibot_chat in the profile",
        ),
        (ALL, _) => at.error_with_hint(
            "an aibot cannot write to everybody",
            "name members and groups; an app reaches everybody: app-send -u @all",
        ),
        (id, Some(ConversationKind::User)) => {
            if let Some(problem) = userid_problem(id) {
                at.error_with_hint(
                    format!("{} {problem}", shown(id)),
                    "use the 账号 of 通讯录 → the member, not the name; a group goes with --chat",
                );
            }
        }
        (id, _) if id.contains(char::is_whitespace) => {
            at.error_with_hint(
                format!("{} is no id: it has a blank in it", shown(id)),
                "use the chatid, not the name of the group: wecom-alert help aibot says where it is to be found",
            );
        }
        _ => {}
    }
}

impl Rules for AibotMarkdown {
    fn check(&self, channel: Channel, at: &mut At<'_>) {
        at.field("content").body_text(&self.content, channel.facts().markdown_bytes);
        at.given("feedback", &self.feedback, |feedback, at| feedback.check(channel, at));
    }
}

impl Rules for Feedback {
    fn check(&self, _channel: Channel, at: &mut At<'_>) {
        at.field("id").key(&self.id, FEEDBACK_BYTES);
    }
}
