//! How much text each type takes in one message, in bytes.

use super::Route;

/// `text`: more is cut off silently for apps (document path 90236), and refused by webhooks (document path 99110).
pub const TEXT_BYTES: usize = 2048;

/// The text of cards, articles and videos (document path 90236).
pub const DESCRIPTION_BYTES: usize = 512;

/// `markdown` (document paths 90236 and 99110).
#[must_use]
pub fn markdown_bytes(route: Route) -> usize {
    match route {
        Route::App => 2048,
        Route::Webhook => 4096,
    }
}

/// Whether a text has room in one message of this type. A type without text takes any.
#[must_use]
pub fn takes(route: Route, msgtype: &str, text: &str) -> bool {
    match (msgtype, text_bytes(route, msgtype)) {
        // Characters by the page, bytes by its older copies: what has room by the one goes out with a warning.
        ("textcard", Some(limit)) => text.chars().count() <= limit,
        (_, limit) => limit.is_none_or(|limit| text.len() <= limit),
    }
}

/// How many bytes of text a message of this type takes for certain; `None` for a type without text.
#[must_use]
pub fn text_bytes(route: Route, msgtype: &str) -> Option<usize> {
    match msgtype {
        "text" => Some(TEXT_BYTES),
        "markdown" | "markdown_v2" => Some(markdown_bytes(route)),
        "textcard" | "news" | "video" => Some(DESCRIPTION_BYTES),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_limits() {
        let takes = |route, msgtype, length| takes(route, msgtype, &"x".repeat(length));
        for (route, msgtype, limit) in [
            (Route::App, "text", 2048),
            (Route::Webhook, "text", 2048),
            (Route::App, "markdown", 2048),
            (Route::Webhook, "markdown", 4096),
            (Route::Webhook, "markdown_v2", 4096),
            (Route::App, "textcard", 512),
            (Route::App, "news", 512),
            (Route::App, "video", 512),
        ] {
            assert!(takes(route, msgtype, limit) && !takes(route, msgtype, limit + 1), "{route:?} {msgtype}");
        }
        assert!(takes(Route::App, "file", 1_000_000));
    }

    #[test]
    fn a_textcard_counts_characters() {
        assert!(takes(Route::App, "textcard", &"磁".repeat(512)) && !takes(Route::App, "textcard", &"磁".repeat(513)));
        assert!(!takes(Route::App, "news", &"磁".repeat(171)));
    }
}
