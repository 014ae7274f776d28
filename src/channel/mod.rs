//! The channels: app, webhook, group chat, aibot. One row of facts for each.
//!
//! The rest of the program asks a channel for a fact and never compares it with another. A new channel is a new row, its
//! messages in [`crate::message`], its calls in `api`, and what the compiler then asks for.

mod msgtype;

pub use msgtype::{DESCRIPTION_LIMIT, MadeOf, Markup, MsgType, TEXT_BYTES, TextField, TextLimit, TypeFacts};

use serde::{Deserialize, Serialize};

/// A way to send.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    Serialize,
    Deserialize,
    strum::Display,
    strum::EnumString,
    strum::IntoStaticStr,
    strum::VariantArray,
)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Channel {
    /// message/send: members, departments and tags of an app (document path 90236).
    App,
    /// webhook/send: the group of a webhook (document path 99110).
    Webhook,
    /// appchat/send: a group chat that the app made (document path 90248).
    Chat,
    /// aibot_send_msg: a member, or a group that the aibot (智能机器人) is in, by its long connection (document path 101463).
    Aibot,
}

/// The facts that differ between channels.
#[derive(Debug)]
pub struct Facts {
    /// The command that sends by it.
    pub command: &'static str,
    /// What a sentence calls it, with its article.
    pub noun: &'static str,
    /// What a sentence calls several of them.
    pub plural: &'static str,
    /// Whether a profile with its credential sends by it where no channel is named.
    pub unasked: Unasked,
    /// What takes its messages: the end of a path, or the command of an aibot.
    pub send_path: &'static str,
    /// The fields of its answers, but for `errcode`.
    pub send_fields: &'static [&'static str],
    /// What takes its files, likewise.
    pub upload_path: &'static str,
    /// What lets a call in.
    pub credential: CredentialKind,
    /// Whom a message is for.
    pub addressing: Addressing,
    /// The message types.
    pub types: &'static [MsgType],
    /// The message types that carry the id of an uploaded file.
    pub types_by_media_id: &'static [MsgType],
    /// The largest upload in MB, where it is the same for every type; else the type decides.
    pub upload_mb: Option<u64>,
    /// How a message carries a picture.
    pub pictures: Pictures,
    /// The types of upload, in the words of a hint.
    pub uploads: &'static str,
    /// Which template cards it has.
    pub cards: Cards,
    /// The most bytes of text in one markdown message.
    pub markdown_bytes: usize,
    /// How clients read its `markdown`.
    pub markdown: Markup,
    /// Whether a message can mention members of a group.
    pub mentions: bool,
    /// Whether it can do so by their mobile numbers.
    pub mobile_mentions: bool,
    /// The highest value of `safe` in its messages; 0 where they have none.
    pub highest_safe: u8,
    /// Whether WeCom can show names in place of ids.
    pub id_trans: bool,
    /// Whether the limits of a textcard are bytes: of an app they are characters, by the newer page.
    pub textcard_bytes: bool,
    /// Whether clients open an address without a scheme.
    pub opens_any_address: bool,
    /// How many messages a minute it takes where no rate is set.
    pub messages_per_minute: u32,
}

/// Whether a command takes a channel that it was not asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unasked {
    /// Where there is its credential.
    Yes,
    /// Where there is no other one.
    Alone,
    /// Never.
    No,
}

/// What lets a call in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CredentialKind {
    /// An access token, got with the corp id and secret of an app.
    AppToken,
    /// The key of a webhook.
    WebhookKey,
    /// The id of an aibot and the secret of its long connection.
    Aibot,
}

/// Whom a message is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Addressing {
    /// The body names an agent, members, departments and tags, and carries the options of app messages.
    Recipients,
    /// The credential says it.
    Credential,
    /// The body names one group chat.
    Chat,
    /// The body names one conversation: with a member, or a group.
    Conversation,
}

/// How a message carries a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pictures {
    /// By the id of an upload.
    Uploaded,
    /// In the body itself, as base64.
    Inline,
}

/// Which template cards a channel has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cards {
    /// All of them, with the blocks of an app's.
    OfApp,
    /// All of them, with the blocks of an aibot's.
    OfAibot,
    /// Only notices: nothing can be pressed.
    Notices,
    /// None.
    None,
}

/// How presses on the cards of a channel come back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presses {
    /// By the connection that sends them.
    Connection,
    /// To a callback address (document path 90240).
    Callback,
    /// There are none.
    None,
}

static APP: Facts = Facts {
    command: "app-send",
    noun: "an app",
    plural: "app messages",
    unasked: Unasked::Yes,
    send_path: "message/send",
    send_fields: &["errmsg", "invaliduser", "invalidparty", "invalidtag", "unlicenseduser", "msgid", "response_code"],
    upload_path: "media/upload",
    credential: CredentialKind::AppToken,
    addressing: Addressing::Recipients,
    types: &[
        MsgType::Text,
        MsgType::Image,
        MsgType::Voice,
        MsgType::Video,
        MsgType::File,
        MsgType::Textcard,
        MsgType::News,
        MsgType::Mpnews,
        MsgType::Markdown,
        MsgType::MiniprogramNotice,
        MsgType::TemplateCard,
    ],
    types_by_media_id: &[MsgType::Image, MsgType::Voice, MsgType::Video, MsgType::File],
    upload_mb: None,
    pictures: Pictures::Uploaded,
    uploads: "-t image, -t voice, -t video or -t file",
    cards: Cards::OfApp,
    markdown_bytes: 2048,
    markdown: Markup::Markdown,
    mentions: false,
    mobile_mentions: false,
    highest_safe: 2,
    id_trans: true,
    textcard_bytes: false,
    opens_any_address: false,
    messages_per_minute: 30,
};

static WEBHOOK: Facts = Facts {
    command: "webhook-send",
    noun: "a webhook",
    plural: "webhooks",
    unasked: Unasked::Yes,
    send_path: "webhook/send",
    send_fields: &["errmsg"],
    upload_path: "webhook/upload_media",
    credential: CredentialKind::WebhookKey,
    addressing: Addressing::Credential,
    types: &[
        MsgType::Text,
        MsgType::Markdown,
        MsgType::MarkdownV2,
        MsgType::Image,
        MsgType::News,
        MsgType::File,
        MsgType::Voice,
        MsgType::TemplateCard,
    ],
    types_by_media_id: &[MsgType::Voice, MsgType::File],
    upload_mb: None,
    pictures: Pictures::Inline,
    uploads: "-t file or -t voice; a webhook takes pictures with --image PATH",
    cards: Cards::Notices,
    markdown_bytes: 4096,
    markdown: Markup::Markdown,
    mentions: true,
    mobile_mentions: true,
    highest_safe: 0,
    id_trans: false,
    textcard_bytes: false,
    opens_any_address: true,
    messages_per_minute: 20,
};

static CHAT: Facts = Facts {
    command: "chat-send",
    noun: "a group chat",
    plural: "group chats",
    // An app has its chats beside its members: who means one of them says so.
    unasked: Unasked::No,
    send_path: "appchat/send",
    send_fields: &["errmsg"],
    upload_path: "media/upload",
    credential: CredentialKind::AppToken,
    addressing: Addressing::Chat,
    types: &[
        MsgType::Text,
        MsgType::Image,
        MsgType::Voice,
        MsgType::Video,
        MsgType::File,
        MsgType::Textcard,
        MsgType::News,
        MsgType::Mpnews,
        MsgType::Markdown,
    ],
    types_by_media_id: &[MsgType::Image, MsgType::Voice, MsgType::Video, MsgType::File],
    upload_mb: None,
    pictures: Pictures::Uploaded,
    uploads: "-t image, -t voice, -t video or -t file",
    cards: Cards::None,
    markdown_bytes: 2048,
    markdown: Markup::Markdown,
    mentions: true,
    mobile_mentions: false,
    highest_safe: 1,
    id_trans: false,
    textcard_bytes: true,
    opens_any_address: false,
    messages_per_minute: 200,
};

static AIBOT: Facts = Facts {
    command: "aibot-send",
    noun: "an aibot",
    plural: "aibots",
    unasked: Unasked::Alone,
    send_path: "aibot_send_msg",
    send_fields: &["errmsg"],
    upload_path: "aibot_upload_media_init",
    credential: CredentialKind::Aibot,
    addressing: Addressing::Conversation,
    types: &[MsgType::Markdown, MsgType::Image, MsgType::Voice, MsgType::Video, MsgType::File, MsgType::TemplateCard],
    types_by_media_id: &[MsgType::Image, MsgType::Voice, MsgType::Video, MsgType::File],
    upload_mb: Some(50),
    pictures: Pictures::Uploaded,
    uploads: "-t image, -t voice, -t video or -t file",
    cards: Cards::OfAibot,
    markdown_bytes: 20_480,
    markdown: Markup::MarkdownV2,
    mentions: false,
    mobile_mentions: false,
    highest_safe: 0,
    id_trans: false,
    textcard_bytes: false,
    opens_any_address: false,
    messages_per_minute: 30,
};

impl Channel {
    /// All of them.
    pub const ALL: &[Self] = <Self as strum::VariantArray>::VARIANTS;

    /// The row of this channel.
    pub fn facts(self) -> &'static Facts {
        match self {
            Self::App => &APP,
            Self::Webhook => &WEBHOOK,
            Self::Chat => &CHAT,
            Self::Aibot => &AIBOT,
        }
    }

    /// The name in options and in JSON.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// The highest value of `safe` in a message of this type; 0 where it has none.
    pub fn highest_safe(self, msgtype: MsgType) -> u8 {
        msgtype.facts().highest_safe.min(self.facts().highest_safe)
    }

    /// Whether there are messages of this type.
    pub fn has_type(self, msgtype: MsgType) -> bool {
        self.facts().types.contains(&msgtype)
    }

    /// How clients read a text of this type.
    pub fn markup(self, msgtype: MsgType) -> Markup {
        match msgtype {
            MsgType::Markdown => self.facts().markdown,
            _ => msgtype.facts().markup,
        }
    }

    /// The type that has this name here: where `markdown` has the syntax of `markdown_v2`, the two are the same.
    pub fn own_type(self, msgtype: MsgType) -> MsgType {
        match msgtype {
            MsgType::MarkdownV2 if self.facts().markdown == Markup::MarkdownV2 => MsgType::Markdown,
            other => other,
        }
    }

    /// Another channel that has this message type, where this one has not.
    pub fn other_with(self, msgtype: MsgType) -> Option<Self> {
        Self::ALL.iter().copied().find(|other| *other != self && other.has_type(msgtype))
    }

    /// Whether pictures are in the body of a message, not uploaded.
    pub fn has_inline_pictures(self) -> bool {
        self.facts().pictures == Pictures::Inline
    }

    /// How presses on its cards come back.
    pub fn presses(self) -> Presses {
        match self.facts().cards {
            Cards::OfAibot => Presses::Connection,
            Cards::OfApp => Presses::Callback,
            Cards::Notices | Cards::None => Presses::None,
        }
    }

    /// Whether there are cards on which something can be pressed.
    pub fn has_interactive_cards(self) -> bool {
        match self.facts().cards {
            Cards::OfApp | Cards::OfAibot => true,
            Cards::Notices | Cards::None => false,
        }
    }
}

impl Addressing {
    /// The fields of a body that say whom it is for.
    pub fn fields(self) -> &'static [&'static str] {
        match self {
            Self::Recipients => &["touser", "toparty", "totag", "agentid"],
            Self::Credential => &[],
            Self::Chat => &["chatid"],
            Self::Conversation => &["chatid", "chat_type"],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_back() {
        for channel in Channel::ALL.iter().copied() {
            assert_eq!(channel.as_str().parse(), Ok(channel));
            assert!(channel.facts().command.starts_with(channel.as_str()));
        }
        assert!("App".parse::<Channel>().is_err());
    }
}
