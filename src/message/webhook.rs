//! The contents that only webhook messages have (document path 99110) with their rules, and the articles that they share with
//! group chats. Cards are in [`super::card`].

use std::io;

use base64::engine::general_purpose::STANDARD;
use base64::{DecodeError, Engine};
use md5::{Digest, Md5};

use crate::address::has_http_scheme;
use crate::channel::{Channel, DESCRIPTION_LIMIT, TEXT_BYTES};
use crate::message::finding::{At, shown};
use crate::message::media::{self, MediaFormat};
use crate::message::recipients::{ALL, nearly_all};
use crate::message::rules::{Rules, or_empty};
use crate::message::shape::wire;

wire! {
    /// Plain text that can mention members of the group.
    pub struct WebhookText {
        /// 1 to 2048 bytes.
        pub content: String,
        /// userids, or `@all`.
        pub mentioned_list: Option<Vec<String>>,
        /// Phone numbers, or `@all`.
        pub mentioned_mobile_list: Option<Vec<String>>,
    }
}

wire! {
    /// A picture, JPG or PNG, within the message.
    pub struct Image {
        /// The file in standard base64 with padding; more than 5 bytes and at most 2 MiB before the encoding.
        pub base64: String,
        /// The MD5 of the file before the encoding, in hexadecimal digits.
        pub md5: String,
    }
}

wire! {
    /// Articles that are elsewhere.
    pub struct WebhookNews {
        /// 1 to 8.
        pub articles: Vec<WebhookArticle>,
    }
}

wire! {
    /// An article of [`WebhookNews`].
    pub struct WebhookArticle {
        /// At most 128 bytes.
        pub title: String,
        /// At most 512 bytes.
        pub description: Option<String>,
        /// Where a click leads. For webhooks no rule for its scheme is published; in group chats as in app messages.
        pub url: String,
        /// JPG or PNG, best 1068×455 for the first article, 150×150 for the others.
        pub picurl: Option<String>,
    }
}

impl Image {
    /// Most bytes of a picture before the encoding.
    pub const MAX_BYTES: usize = 2 * 1024 * 1024;

    /// The payload for the bytes of a file.
    pub fn from_bytes(file: &[u8]) -> Self {
        Self { base64: STANDARD.encode(file), md5: md5_hex(file) }
    }

    /// The MD5 of a file that is read piece by piece.
    ///
    /// # Errors
    ///
    /// The error of the reader.
    pub fn md5_of(mut file: impl io::Read) -> io::Result<String> {
        let (mut sum, mut piece) = (Md5::new(), vec![0; 64 * 1024]);
        loop {
            match file.read(&mut piece)? {
                0 => return Ok(in_hex(sum)),
                length => sum.update(&piece[..length]),
            }
        }
    }
}

impl Rules for WebhookText {
    fn check(&self, _channel: Channel, at: &mut At<'_>) {
        at.field("content").body_text(&self.content, TEXT_BYTES);
        at.given("mentioned_list", &self.mentioned_list, |ids, at| check_mentioned(ids, at));
        for (index, number) in self.mentioned_mobile_list.iter().flatten().enumerate() {
            if number.is_empty() || number.contains(char::is_whitespace) {
                let problem = format!("{} is not a phone number", shown(number));
                let hint = "give the number without blanks, or @all";
                at.field("mentioned_mobile_list").item(index).error_with_hint(problem, hint);
            }
        }
    }
}

/// Checks the userids that a text mentions.
pub(super) fn check_mentioned(ids: &[String], at: &mut At<'_>) {
    at.each(ids, |id, at| {
        if id != ALL {
            at.userid(id);
            if let Some(warning) = nearly_all(id) {
                at.warn(warning);
            }
        }
    });
}

impl Rules for Image {
    fn check(&self, _channel: Channel, at: &mut At<'_>) {
        let mut place = at.field("base64");
        if self.base64.starts_with("data:") {
            return place.error_with_hint("begins with data:", "give only the base64, without the data: prefix");
        }
        let file = match STANDARD.decode(&self.base64) {
            Ok(file) => file,
            Err(error) => {
                let place_of = match error {
                    DecodeError::InvalidByte(offset, _) => format!(" at byte {offset}"),
                    _ => String::new(),
                };
                let hint = "encode with the standard alphabet and padding, without line breaks";
                return place.error_with_hint(format!("no standard base64{place_of}"), hint);
            }
        };
        if file.len() > Self::MAX_BYTES {
            place.error(format!("{} bytes decoded, the limit is {}", file.len(), Self::MAX_BYTES));
        }
        if file.len() <= 5 {
            place.error(format!("{} bytes decoded, more than 5 are required", file.len()));
        } else if !is_jpg_or_png(&file) {
            place.error_with_hint("neither JPG nor PNG", "convert the picture, or send it as a file");
        }
        if !self.md5.eq_ignore_ascii_case(&md5_hex(&file)) {
            let problem = format!("not the MD5 of the decoded picture, which is {}", md5_hex(&file));
            at.field("md5").error_with_hint(problem, "take the MD5 of the file before the base64 encoding");
        }
    }
}

impl Rules for WebhookNews {
    fn check(&self, channel: Channel, at: &mut At<'_>) {
        at.field("articles").items(&self.articles, "articles", 1..=8, |article, at| {
            at.field("title").filled(&article.title).max_bytes(&article.title, 128);
            at.field("description").max_bytes(or_empty(&article.description), DESCRIPTION_LIMIT);
            let mut place = at.field("url");
            if !channel.facts().opens_any_address {
                place.http_url(&article.url);
                at.field("picurl").max_bytes(or_empty(&article.picurl), 2048);
                return;
            }
            place.filled(&article.url);
            if !article.url.is_empty() && !has_http_scheme(&article.url) {
                place.warn_with_hint("no http:// or https://, clients may not open it", "write the whole address");
            }
        });
    }
}

fn is_jpg_or_png(file: &[u8]) -> bool {
    matches!(media::sniff(file), MediaFormat::Jpeg | MediaFormat::Png)
}

fn md5_hex(bytes: &[u8]) -> String {
    in_hex(Md5::new_with_prefix(bytes))
}

fn in_hex(sum: Md5) -> String {
    sum.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
