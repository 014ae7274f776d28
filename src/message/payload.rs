//! Payloads that both channels have. Those of one channel alone stand with it.

use super::finding::At;
use super::rules::Rules;
use super::shape::wire;
use crate::channel::Channel;

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
        /// At most 2048 bytes in app messages (document path 90236), 4096 through webhooks (document path 99110).
        pub content: String,
    }
}

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
