//! The data of one alert, and its rendering as the content of any message type. Pure: no clock, disk, network or
//! environment.
//!
//! `texts` makes text, markdown and markdown_v2, `articles` news and textcards, `card` template cards. What a type takes for
//! markup is neutralised only in `escape`. Types of one long text give a [`Rendered`], which the caller cuts; types with short
//! places give a [`Fitted`], which says what had no room. Nothing is dropped here.

mod articles;
mod card;
mod card_limits;
pub(crate) mod escape;
mod level;
mod outline;
mod parse;
mod texts;

#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use crate::address::has_http_scheme;
use crate::channel::{Channel, MsgType};
use crate::message::card::{CardType, SelectOption};
use crate::words::Language;
pub(crate) use card::SUBMIT_KEY;
pub use level::Level;
pub use outline::Rendered;
pub(crate) use outline::prefix_before;
pub(crate) use parse::full_width;

/// What the button of a textcard shows, in characters (document path 90236).
const BUTTON_CHARS: usize = 4;

/// The longest address of articles and textcards, in bytes (document path 90236).
const URL_BYTES: usize = 2048;

/// What happened, for any message type. Everything is plain text of the sender's; `Default` is an alert
/// that says nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Alert {
    /// The language of the program's own words in it.
    pub language: Language,
    /// One line; line breaks become blanks.
    pub title: Option<String>,
    /// How many bytes of the title are words of status, such as `[FIRING:2] `, or of place, such as `shop/api: `: where a title
    /// is short, they are behind the rest.
    pub status_len: usize,
    /// How bad it is: a word before the title, and a colour where the type has one.
    pub level: Option<Level>,
    /// Facts, in order.
    pub fields: Vec<Field>,
    /// The text, clean: of the control characters it holds only line feed and tab.
    pub body: Option<String>,
    /// Whether a line of the body that is a name and an address (`runbook: https://…`), or only an address, is a link that
    /// can be tapped in every type that has one. A text of the sender's own is shown as it is.
    pub has_links_in_body: bool,
    /// Where there is more to see.
    pub link: Option<AlertLink>,
    /// The address of a JPG or PNG.
    pub picurl: Option<String>,
    /// Stands before the title, or else before the text; also on each further part, see [`Rendered`].
    pub prefix: Option<String>,
    /// The source; cards only.
    pub source: Option<String>,
    /// One large figure; text_notice cards only.
    pub emphasis: Option<Emphasis>,
    /// A quotation; cards only.
    pub quote: Option<String>,
    /// Further links; notice cards only.
    pub jumps: Vec<Jump>,
    /// What members can press; button_interaction cards only.
    pub buttons: Vec<Button>,
    /// What members can choose from; vote and multiple cards only.
    pub options: Vec<SelectOption>,
    /// Names a card of an app in events, new for each message; interactive cards need it.
    pub task_id: Option<String>,
    /// The template card that it is to be on, if it is for one.
    pub card: Option<CardType>,
}

/// A fact: `host: web-1`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Field {
    /// Its name, one line.
    pub key: String,
    /// May have several lines, and may be empty.
    pub value: String,
}

/// Where there is more to see.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertLink {
    /// With `http://` or `https://`.
    pub url: String,
    /// What the link is called; a textcard shows 4 characters.
    pub label: Option<String>,
}

/// One large figure of a card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Emphasis {
    /// The figure.
    pub title: String,
    /// What it counts.
    pub desc: String,
}

/// A link under the text of a card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Jump {
    /// What it is called.
    pub title: String,
    /// Where it leads.
    pub url: String,
}

/// A button of a card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Button {
    /// Comes back as `EventKey`.
    pub key: String,
    /// What it says.
    pub text: String,
    /// 1 to 4; 1 when absent.
    pub style: Option<u8>,
}

impl Alert {
    /// The same for types that are no card: what a card says in places of its own goes into fields and body, and what
    /// can be pressed is gone.
    pub fn without_card(&self) -> Self {
        let field = |key: &str, value: &str| Field { key: key.to_owned(), value: value.to_owned() };
        let mut fields: Vec<_> = self.source.iter().map(|source| field(self.words().card_source, source)).collect();
        fields.extend(self.emphasis.iter().map(|figure| field(&figure.desc, &figure.title)));
        fields.extend(self.fields.iter().cloned());
        fields.extend(self.jumps.iter().map(|jump| field(&jump.title, &jump.url)));
        let body: Vec<_> = self.quote.iter().chain(&self.body).map(String::as_str).collect();
        Self {
            fields,
            body: Some(body.join("\n")).filter(|body| !body.is_empty()),
            has_links_in_body: self.has_links_in_body,
            language: self.language,
            title: self.title.clone(),
            level: self.level,
            link: self.link.clone(),
            picurl: self.picurl.clone(),
            prefix: self.prefix.clone(),
            ..Self::default()
        }
    }

    /// The text that tells it from others. A card's figures and quotations are part of it; its task id, new for each message,
    /// is not.
    pub(crate) fn identity_text(&self) -> String {
        self.without_card().plain_text().joined()
    }

    /// Whether there is anything to say besides a body.
    pub fn says_something(&self) -> bool {
        self.title_line().is_some() || !self.fields.is_empty() || self.body_text().is_some()
    }
}

impl Alert {
    /// The channel's best type that loses nothing of this alert. What cards only have is not looked at: see
    /// [`Alert::without_card`].
    ///
    /// - A body and nothing else: `text`, which shows it as it is.
    /// - A title, a link and a short text without fields: `news` if there is a picture, else `textcard` in apps and
    ///   `news` through webhooks, where all of it has room and no line of it is in columns.
    /// - Through webhooks, a body with columns or indents, or a picture: `markdown_v2`, where a fenced block keeps the
    ///   columns. It has no colour, but the level's word is there.
    /// - All else: `markdown`, with the level's colour.
    pub fn best_type(&self, channel: Channel) -> MsgType {
        let is_plain = self.title_line().is_none() && self.level.is_none() && self.fields.is_empty();
        if is_plain && self.link.is_none() && self.picurl.is_none() {
            return if channel.has_type(MsgType::Text) { MsgType::Text } else { MsgType::Markdown };
        }
        let has_columns = self.has_columns();
        // Cards and articles can be tapped as a whole alone.
        let has_more_links = self.body_lines().any(|line| self.body_link(&line).is_some());
        if self.fields.is_empty() && !has_columns && !has_more_links && self.has_web_link(channel) {
            let fits_picture = self.picurl.as_ref().is_none_or(|picurl| picurl.len() <= URL_BYTES);
            if fits_picture
                && self.article().is_ok_and(|article| article.rest.is_none())
                && channel.has_type(MsgType::News)
                && (self.picurl.is_some() || !channel.has_type(MsgType::Textcard))
            {
                return MsgType::News;
            }
            if channel.has_type(MsgType::Textcard) && self.picurl.is_none() && self.textcard_holds_all() {
                return MsgType::Textcard;
            }
        }
        match channel.has_type(MsgType::MarkdownV2) && (has_columns || self.picurl.is_some()) {
            true => MsgType::MarkdownV2,
            false => MsgType::Markdown,
        }
    }

    /// Whether there are a title, beside prefix and level, and an address as textcards and articles need them: those of
    /// webhooks do without a scheme (document path 99110).
    fn has_web_link(&self, channel: Channel) -> bool {
        let goes_without = |link: &AlertLink| channel.facts().opens_any_address && !link.url.contains("://");
        let is_usable =
            |link: &AlertLink| link.url.len() <= URL_BYTES && (has_http_scheme(&link.url) || goes_without(link));
        self.title_line().is_some() && self.link.as_ref().is_some_and(is_usable)
    }

    fn textcard_holds_all(&self) -> bool {
        let label = self.link_label().unwrap_or_default();
        label.chars().count() <= BUTTON_CHARS && self.textcard().is_ok_and(|card| card.rest.is_none())
    }
}

/// An alert in a type whose places are short.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fitted<T> {
    /// What goes under the msgtype. Where something had no room, its text ends in `…`.
    pub content: T,
    /// The lines that had no room, to be sent as text or file after it; `None` if the content holds everything.
    pub rest: Option<String>,
}
