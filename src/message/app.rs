//! The contents of app messages (document path 90236) with their rules, and the contents that apps and webhooks share.
//! Cards are in [`super::card`].

use crate::channel::{Channel, DESCRIPTION_LIMIT, TEXT_BYTES};
use crate::message::finding::At;
use crate::message::rules::{Rules, first_bytes, or_empty};
use crate::message::shape::wire;

wire! {
    /// A file that was uploaded before: msgtype `file`, `voice` and, in app messages, `image`.
    pub struct Media {
        /// From an upload; of app messages and of each webhook their own.
        pub media_id: String,
    }
}

wire! {
    /// Text in WeCom's subset of Markdown: headings, bold, links, inline code, quotes and three font colours.
    pub struct Markdown {
        /// At most 2048 bytes in app messages and group chats (document paths 90236 and 90248), 4096 through webhooks (document path 99110).
        pub content: String,
    }
}

wire! {
    /// Plain text; `<a href="…">…</a>` makes a link.
    pub struct AppText {
        /// 1 to 2048 bytes; `enable_id_trans` works here.
        pub content: String,
    }
}

wire! {
    /// A video that was uploaded before.
    pub struct Video {
        /// From an upload.
        pub media_id: String,
        /// At most 128 bytes.
        pub title: Option<String>,
        /// At most 512 bytes.
        pub description: Option<String>,
    }
}

wire! {
    /// A text with a title and a button that opens a page.
    pub struct Textcard {
        /// At most 128 characters; older copies of the page, and that of group chats, say bytes. `enable_id_trans` works here.
        pub title: String,
        /// At most 512 characters; older copies of the page, and that of group chats, say bytes. `enable_id_trans` works here.
        pub description: String,
        /// At most 2048 bytes, with `http://` or `https://`.
        pub url: String,
        /// At most 4 characters; 详情 when absent.
        pub btntxt: Option<String>,
    }
}

wire! {
    /// Articles that are elsewhere.
    pub struct AppNews {
        /// 1 to 8.
        pub articles: Vec<AppArticle>,
    }
}

wire! {
    /// An article of [`AppNews`]: a page, or a page of a mini program.
    pub struct AppArticle {
        /// At most 128 bytes; `enable_id_trans` works here.
        pub title: String,
        /// At most 512 bytes; `enable_id_trans` works here.
        pub description: Option<String>,
        /// At most 2048 bytes, with `http://` or `https://`; required unless `appid` and `pagepath` are given.
        pub url: Option<String>,
        /// At most 2048 bytes; JPG or PNG, best 1068×455 for the first article, 150×150 for the others.
        pub picurl: Option<String>,
        /// A mini program that is linked to the app; goes with `pagepath`, and `url` is ignored then.
        pub appid: Option<String>,
        /// At most 128 bytes; goes with `appid`.
        pub pagepath: Option<String>,
    }
}

wire! {
    /// Articles that WeCom keeps.
    pub struct Mpnews {
        /// 1 to 8.
        pub articles: Vec<MpnewsArticle>,
    }
}

wire! {
    /// An article of [`Mpnews`].
    pub struct MpnewsArticle {
        /// At most 128 bytes; `enable_id_trans` works here.
        pub title: String,
        /// An uploaded image.
        pub thumb_media_id: String,
        /// At most 64 bytes.
        pub author: Option<String>,
        /// Where "read the original" leads.
        pub content_source_url: Option<String>,
        /// HTML, at most 666 KiB; `enable_id_trans` works here.
        pub content: String,
        /// At most 512 bytes; `enable_id_trans` works here.
        pub digest: Option<String>,
    }
}

wire! {
    /// A notice of a mini program that is linked to the app; never to `@all`.
    pub struct MiniprogramNotice {
        /// The mini program.
        pub appid: String,
        /// At most 1024 bytes; without it a click does nothing.
        pub page: Option<String>,
        /// 4 to 12 Chinese characters; `enable_id_trans` works here.
        pub title: String,
        /// 4 to 12 Chinese characters; `enable_id_trans` works here.
        pub description: Option<String>,
        /// Shows the first item large.
        pub emphasis_first_item: Option<bool>,
        /// At most 10.
        pub content_item: Option<Vec<MiniprogramItem>>,
    }
}

wire! {
    /// A line of a [`MiniprogramNotice`]; WeCom drops it when both fields are empty.
    pub struct MiniprogramItem {
        /// At most 10 Chinese characters.
        pub key: Option<String>,
        /// At most 30 Chinese characters; `enable_id_trans` works here.
        pub value: Option<String>,
    }
}

const MPNEWS_CONTENT_BYTES: usize = 666 * 1024;

impl Rules for Media {
    fn check(&self, _channel: Channel, at: &mut At<'_>) {
        at.field("media_id").filled(&self.media_id);
    }
}

impl Rules for Markdown {
    fn check(&self, channel: Channel, at: &mut At<'_>) {
        at.field("content").body_text(&self.content, channel.facts().markdown_bytes);
    }
}

impl Rules for AppText {
    fn check(&self, _channel: Channel, at: &mut At<'_>) {
        at.field("content").body_text(&self.content, TEXT_BYTES);
    }
}

impl Rules for Video {
    fn check(&self, _channel: Channel, at: &mut At<'_>) {
        at.field("media_id").filled(&self.media_id);
        at.field("title").max_bytes(or_empty(&self.title), 128);
        at.field("description").max_bytes(or_empty(&self.description), DESCRIPTION_LIMIT);
    }
}

impl Rules for Textcard {
    fn check(&self, channel: Channel, at: &mut At<'_>) {
        for (name, text, limit) in [("title", &self.title, 128), ("description", &self.description, DESCRIPTION_LIMIT)]
        {
            let mut at = at.field(name);
            if channel.facts().textcard_bytes {
                at.filled(text).max_bytes(text, limit);
                continue;
            }
            at.filled(text).max_chars(text, limit);
            // The page says characters, its older copies say bytes: what WeCom cuts at is not certain.
            if text.len() > limit && text.chars().count() <= limit {
                at.may_be_cut(
                    format!("{} bytes, WeCom may cut it after {limit}", text.len()),
                    first_bytes(text, limit),
                );
            }
        }
        at.field("url").http_url(&self.url);
        at.field("btntxt").max_chars(or_empty(&self.btntxt), 4);
    }
}

impl Rules for AppNews {
    fn check(&self, channel: Channel, at: &mut At<'_>) {
        at.field("articles").items(&self.articles, "articles", 1..=8, |article, at| article.check(channel, at));
    }
}

impl Rules for AppArticle {
    fn check(&self, _channel: Channel, at: &mut At<'_>) {
        at.field("title").filled(&self.title).max_bytes(&self.title, 128);
        at.field("description").max_bytes(or_empty(&self.description), DESCRIPTION_LIMIT);
        at.field("picurl").max_bytes(or_empty(&self.picurl), 2048);
        at.field("pagepath").max_bytes(or_empty(&self.pagepath), 128);
        let url = or_empty(&self.url);
        if !url.is_empty() {
            at.field("url").http_url(url);
        }
        match (or_empty(&self.appid).is_empty(), or_empty(&self.pagepath).is_empty()) {
            (false, true) => at.field("pagepath").error("missing, appid and pagepath go together"),
            (true, false) => at.field("appid").error("missing, appid and pagepath go together"),
            (true, true) if url.is_empty() => {
                at.field("url").error("missing, either url or appid and pagepath are required");
            }
            _ => {}
        }
    }
}

impl Rules for Mpnews {
    fn check(&self, channel: Channel, at: &mut At<'_>) {
        at.field("articles").items(&self.articles, "articles", 1..=8, |article, at| article.check(channel, at));
    }
}

impl Rules for MpnewsArticle {
    fn check(&self, _channel: Channel, at: &mut At<'_>) {
        at.field("title").filled(&self.title).max_bytes(&self.title, 128);
        at.field("thumb_media_id").filled(&self.thumb_media_id);
        at.field("author").max_bytes(or_empty(&self.author), 64);
        at.field("content").filled(&self.content).max_bytes(&self.content, MPNEWS_CONTENT_BYTES);
        at.field("digest").max_bytes(or_empty(&self.digest), 512);
    }
}

impl Rules for MiniprogramNotice {
    fn check(&self, _channel: Channel, at: &mut At<'_>) {
        at.field("appid").filled(&self.appid);
        at.field("page").max_bytes(or_empty(&self.page), 1024);
        at.field("title").chinese_chars(&self.title, 4..=12);
        if let Some(description) = self.description.as_deref().filter(|text| !text.is_empty()) {
            at.field("description").chinese_chars(description, 4..=12);
        }
        let items = self.content_item.as_deref().unwrap_or_default();
        at.field("content_item").items(items, "items", 0..=10, |item, at| {
            at.field("key").chinese_chars(or_empty(&item.key), 0..=10);
            at.field("value").chinese_chars(or_empty(&item.value), 0..=30);
        });
    }
}
