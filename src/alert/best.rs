//! The type for an alert whose sender did not choose one.

use super::{Alert, Link};
use crate::address::has_http_scheme;
use crate::channel::{Channel, MsgType};

/// What the button of a textcard shows, in characters (document path 90236).
const BUTTON_CHARS: usize = 4;

/// The longest address of articles and textcards, in bytes (document path 90236).
const URL_BYTES: usize = 2048;

impl Alert {
    /// The channel's best type that loses nothing of this alert. What cards alone have is not looked at: see
    /// [`Alert::without_card`].
    ///
    /// - A body and nothing else: `text`, which shows it as it is.
    /// - A title, a link and a short text without fields: `news` if there is a picture, else `textcard` in apps and
    ///   `news` through webhooks, where all of it has room and no line of it stands in columns.
    /// - Through webhooks, a body with columns or indents, or a picture: `markdown_v2`, where a fenced block keeps the
    ///   columns. It has no colour, but the level's word is there.
    /// - All else: `markdown`, with the level's colour.
    pub fn best_type(&self, channel: Channel) -> MsgType {
        let is_plain = self.title_line().is_none() && self.level.is_none() && self.fields.is_empty();
        if is_plain && self.link.is_none() && self.picurl.is_none() {
            return MsgType::Text;
        }
        let has_columns = self.has_columns();
        if self.fields.is_empty() && !has_columns && self.has_web_link(channel) {
            let fits_picture = self.picurl.as_ref().is_none_or(|picurl| picurl.len() <= URL_BYTES);
            if fits_picture
                && self.article_holds_all(channel)
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
        let goes_without = |link: &Link| channel.facts().opens_any_address && !link.url.contains("://");
        let is_usable = |link: &Link| link.url.len() <= URL_BYTES && (has_http_scheme(&link.url) || goes_without(link));
        self.title_line().is_some() && self.link.as_ref().is_some_and(is_usable)
    }

    fn article_holds_all(&self, channel: Channel) -> bool {
        let rest = match channel {
            Channel::App => self.app_news().map(|news| news.rest),
            Channel::Webhook => self.webhook_news().map(|news| news.rest),
        };
        rest.is_ok_and(|rest| rest.is_none())
    }

    fn textcard_holds_all(&self) -> bool {
        let label = self.link_label().unwrap_or_default();
        label.chars().count() <= BUTTON_CHARS && self.textcard().is_ok_and(|card| card.rest.is_none())
    }
}
