//! How much text each type takes in one message, in bytes.

use crate::channel::Channel;

/// `text`: more is cut off silently for apps (document path 90236), and refused by webhooks (document path 99110).
pub const TEXT_BYTES: usize = 2048;

/// The text of cards, articles and videos (document path 90236).
pub const DESCRIPTION_BYTES: usize = 512;

/// Whether a text has room in one message of this type. A type without text takes any.
pub fn takes(channel: Channel, msgtype: &str, text: &str) -> bool {
    match (msgtype, text_bytes(channel, msgtype)) {
        // Characters by the page, bytes by its older copies: what has room by the one goes out with a warning.
        ("textcard", Some(limit)) => text.chars().count() <= limit,
        (_, limit) => limit.is_none_or(|limit| text.len() <= limit),
    }
}

/// How many bytes of text a message of this type takes for certain; `None` for a type without text.
pub fn text_bytes(channel: Channel, msgtype: &str) -> Option<usize> {
    match msgtype {
        "text" => Some(TEXT_BYTES),
        "markdown" | "markdown_v2" => Some(channel.facts().markdown_bytes),
        "textcard" | "news" | "video" => Some(DESCRIPTION_BYTES),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_limits() {
        let takes = |channel, msgtype, length| takes(channel, msgtype, &"x".repeat(length));
        for (channel, msgtype, limit) in [
            (Channel::App, "text", 2048),
            (Channel::Webhook, "text", 2048),
            (Channel::App, "markdown", 2048),
            (Channel::Webhook, "markdown", 4096),
            (Channel::Webhook, "markdown_v2", 4096),
            (Channel::App, "textcard", 512),
            (Channel::App, "news", 512),
            (Channel::App, "video", 512),
        ] {
            assert!(takes(channel, msgtype, limit) && !takes(channel, msgtype, limit + 1), "{channel:?} {msgtype}");
        }
        assert!(takes(Channel::App, "file", 1_000_000));
    }

    #[test]
    fn a_textcard_counts_characters() {
        assert!(
            takes(Channel::App, "textcard", &"磁".repeat(512)) && !takes(Channel::App, "textcard", &"磁".repeat(513))
        );
        assert!(!takes(Channel::App, "news", &"磁".repeat(171)));
    }
}
