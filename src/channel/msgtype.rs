//! The message types: one row of facts for each. The row of a channel has its types.

use serde_json::Value;

use super::Channel;

/// The limit of `text`: apps cut off what is longer and report nothing (document path 90236), webhooks refuse it
/// (document path 99110).
pub const TEXT_BYTES: usize = 2048;

/// The limit of a description in cards, articles and videos (document path 90236).
pub const DESCRIPTION_LIMIT: usize = 512;

/// A message type, by its name on the wire: the value of `msgtype`, and the field of the content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, strum::EnumString, strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "snake_case")]
#[allow(missing_docs, reason = "the variants are WeCom's names; the payloads in `message` describe them")]
pub enum MsgType {
    Text,
    Markdown,
    MarkdownV2,
    Image,
    Voice,
    Video,
    File,
    Textcard,
    News,
    Mpnews,
    MiniprogramNotice,
    TemplateCard,
}

/// The facts of a message type that all channels share.
#[derive(Debug)]
pub struct TypeFacts {
    /// What a message of this type can be made of.
    pub made_of: MadeOf,
    /// How clients read its text.
    pub markup: Markup,
    /// The field of its text; `None` for a type without text that is the sender's own.
    pub text: Option<TextField>,
    /// The highest value of `safe` where the channel has one; 0 where the type has none (document path 90236).
    pub highest_safe: u8,
    /// Whether `enable_id_trans` replaces ids by names in app messages (document path 90236).
    pub id_trans: bool,
    /// Whether an app message can be sent to `@all`.
    pub to_all: bool,
}

/// What a message can be made of. A payload can be of any type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MadeOf {
    /// A text, or an alert that says more than a text.
    Text,
    /// An alert, however little it says.
    Alert,
    /// A file, or the media_id of one.
    File,
    /// Only a payload.
    Payload,
}

/// How clients read a text, and so where it may be cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Markup {
    /// Lines and characters.
    Plain,
    /// `markdown` of apps and webhooks.
    Markdown,
    /// `markdown_v2` of webhooks: fenced blocks and tables as well.
    MarkdownV2,
    /// The description of a `textcard`: `<br>` ends a line, and an entity is one sign (document path 90236).
    Textcard,
}

/// The place of the text in a message, and its limit.
#[derive(Debug, Clone, Copy)]
pub struct TextField {
    /// The JSON pointer of the field within the content.
    pub pointer: &'static str,
    /// The limit.
    pub limit: TextLimit,
}

/// The limit of a text.
#[derive(Debug, Clone, Copy)]
pub enum TextLimit {
    /// So many bytes.
    Bytes(usize),
    /// So many characters by the page, bytes by its older copies. What fits as characters is sent with a warning.
    Chars(usize),
    /// The bytes of markdown that the channel takes.
    Markdown,
}

const PLAIN: TypeFacts = TypeFacts {
    made_of: MadeOf::Payload,
    markup: Markup::Plain,
    text: None,
    highest_safe: 0,
    id_trans: false,
    to_all: true,
};

const MARKDOWN: TypeFacts = TypeFacts {
    made_of: MadeOf::Text,
    markup: Markup::Markdown,
    text: Some(TextField { pointer: "/content", limit: TextLimit::Markdown }),
    ..PLAIN
};

const FILE: TypeFacts = TypeFacts { made_of: MadeOf::File, highest_safe: 1, ..PLAIN };

const CARD: TypeFacts = TypeFacts { made_of: MadeOf::Alert, id_trans: true, ..PLAIN };

impl MsgType {
    /// The facts of this type.
    pub fn facts(self) -> &'static TypeFacts {
        match self {
            Self::Text => &TypeFacts {
                made_of: MadeOf::Text,
                text: Some(TextField { pointer: "/content", limit: TextLimit::Bytes(TEXT_BYTES) }),
                highest_safe: 1,
                id_trans: true,
                ..PLAIN
            },
            Self::Markdown => &MARKDOWN,
            Self::MarkdownV2 => &TypeFacts { markup: Markup::MarkdownV2, ..MARKDOWN },
            Self::Image | Self::File => &FILE,
            Self::Voice => &TypeFacts { highest_safe: 0, ..FILE },
            Self::Video => &TypeFacts {
                text: Some(TextField { pointer: "/description", limit: TextLimit::Bytes(DESCRIPTION_LIMIT) }),
                ..FILE
            },
            Self::Textcard => &TypeFacts {
                markup: Markup::Textcard,
                text: Some(TextField { pointer: "/description", limit: TextLimit::Chars(DESCRIPTION_LIMIT) }),
                ..CARD
            },
            Self::News => &TypeFacts {
                text: Some(TextField {
                    pointer: "/articles/0/description",
                    limit: TextLimit::Bytes(DESCRIPTION_LIMIT),
                }),
                ..CARD
            },
            Self::TemplateCard => &CARD,
            Self::Mpnews => &TypeFacts { highest_safe: 2, id_trans: true, ..PLAIN },
            Self::MiniprogramNotice => &TypeFacts { id_trans: true, to_all: false, ..PLAIN },
        }
    }

    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// The type of a whole body; `None` for one that is not known here.
    pub fn of_body(body: &Value) -> Option<Self> {
        body.get("msgtype")?.as_str()?.parse().ok()
    }

    /// The names of these types.
    pub fn names(types: &[Self]) -> Vec<&'static str> {
        types.iter().map(|msgtype| msgtype.as_str()).collect()
    }

    /// The bytes of text that one message takes for certain; `None` for a type without text.
    pub fn text_bytes(self, channel: Channel) -> Option<usize> {
        Some(match self.facts().text?.limit {
            TextLimit::Bytes(limit) | TextLimit::Chars(limit) => limit,
            TextLimit::Markdown => channel.facts().markdown_bytes,
        })
    }

    /// Whether a text fits in one message. A type without text takes any.
    pub fn has_room(self, channel: Channel, text: &str) -> bool {
        match self.facts().text.map(|field| field.limit) {
            Some(TextLimit::Chars(limit)) if !channel.facts().textcard_bytes => text.chars().count() <= limit,
            _ => self.text_bytes(channel).is_none_or(|limit| text.len() <= limit),
        }
    }
}

#[cfg(test)]
mod tests {
    use strum::VariantArray;

    use super::*;

    #[test]
    fn names_are_those_of_the_wire() {
        let names = [
            "text",
            "markdown",
            "markdown_v2",
            "image",
            "voice",
            "video",
            "file",
            "textcard",
            "news",
            "mpnews",
            "miniprogram_notice",
            "template_card",
        ];
        assert_eq!(MsgType::names(MsgType::VARIANTS), names);
        for msgtype in MsgType::VARIANTS {
            assert_eq!(msgtype.as_str().parse(), Ok(*msgtype));
        }
        assert!("Text".parse::<MsgType>().is_err());
    }

    #[test]
    fn each_type_belongs_to_a_channel() {
        for msgtype in MsgType::VARIANTS {
            assert!(Channel::ALL.iter().copied().any(|channel| channel.has_type(*msgtype)), "{msgtype:?}");
        }
    }

    #[test]
    fn the_published_limits() {
        for (channel, msgtype, limit) in [
            (Channel::App, MsgType::Text, 2048),
            (Channel::Webhook, MsgType::Text, 2048),
            (Channel::App, MsgType::Markdown, 2048),
            (Channel::Webhook, MsgType::Markdown, 4096),
            (Channel::Webhook, MsgType::MarkdownV2, 4096),
            (Channel::Chat, MsgType::Markdown, 2048),
            (Channel::App, MsgType::Textcard, 512),
            (Channel::App, MsgType::News, 512),
            (Channel::App, MsgType::Video, 512),
        ] {
            let has_room = |length| msgtype.has_room(channel, &"x".repeat(length));
            assert!(has_room(limit) && !has_room(limit + 1), "{channel:?} {msgtype:?}");
        }
        assert!(MsgType::File.has_room(Channel::App, &"x".repeat(1_000_000)));
    }

    #[test]
    fn a_textcard_counts_characters() {
        let has_room = |msgtype: MsgType, length| msgtype.has_room(Channel::App, &"磁".repeat(length));
        assert!(has_room(MsgType::Textcard, 512) && !has_room(MsgType::Textcard, 513));
        assert!(!has_room(MsgType::News, 171));
        assert!(!MsgType::Textcard.has_room(Channel::Chat, &"磁".repeat(171)));
    }
}
