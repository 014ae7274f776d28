//! The payloads of message/send (document path 90236) and the parts of them that webhooks share (99110).

use super::super::node::{Checked, Node, refuse};
use super::super::records::MediaKind;
use super::super::world::{Home, World};
use super::card::{self, Side};
use super::media_in;

/// The code for a message without the object that is named like its type.
pub(super) fn missing_code(msgtype: &str) -> i64 {
    match msgtype {
        "text" | "markdown" | "markdown_v2" => 44004,
        "image" | "voice" | "video" | "file" => 41006,
        "news" | "mpnews" => 45008,
        "textcard" => 41016,
        "miniprogram_notice" => 90200,
        "template_card" => 42031,
        _ => 40063,
    }
}

/// Checks an app's payload; gives the name of the file that a file message shows.
pub(super) fn check(world: &World, home: &Home, msgtype: &str, payload: &Node) -> Checked<Option<String>> {
    match msgtype {
        "text" | "markdown" => content(payload, &["content"], 2048, 45002)?,
        "image" => return media(world, home, payload, MediaKind::Image).map(|_| None),
        "voice" => return media(world, home, payload, MediaKind::Voice).map(|_| None),
        "file" => return media(world, home, payload, MediaKind::File).map(Some),
        "video" => video(world, home, payload)?,
        "textcard" => textcard(payload)?,
        "news" => news(payload)?,
        "mpnews" => mpnews(world, home, payload)?,
        "miniprogram_notice" => miniprogram_notice(payload)?,
        _ => card::check(world, home, Side::App, payload)?,
    }
    Ok(None)
}

/// A text in `content` of at most so many bytes.
pub(super) fn content(payload: &Node, fields: &[&str], limit: usize, too_long: i64) -> Checked {
    payload.only(fields);
    if payload.text("content").is_none_or(str::is_empty) {
        return refuse(44004, "empty content");
    }
    payload.max_bytes("content", limit, too_long)
}

/// A `media_id` and nothing else; gives the file's name.
pub(super) fn media(world: &World, home: &Home, payload: &Node, kind: MediaKind) -> Checked<String> {
    payload.only(&["media_id"]);
    media_in(world, payload.filled("media_id", 41006)?, kind, home)
}

/// Articles of a news message, one to eight.
pub(super) fn articles<'a>(payload: &Node<'a>) -> Checked<Vec<Node<'a>>> {
    payload.only(&["articles"]);
    match payload.objects("articles") {
        Some(articles) if (1..=8).contains(&articles.len()) => Ok(articles),
        _ => refuse(45008, "article count is not between 1 and 8"),
    }
}

fn video(world: &World, home: &Home, payload: &Node) -> Checked {
    payload.only(&["media_id", "title", "description"]);
    media_in(world, payload.filled("media_id", 41006)?, MediaKind::Video, home)?;
    payload.max_bytes("title", 128, 40058)?;
    payload.max_bytes("description", 512, 40058)
}

pub(super) fn textcard(payload: &Node) -> Checked {
    payload.only(&["title", "description", "url", "btntxt"]);
    payload.filled("title", 41016)?;
    payload.filled("description", 41033)?;
    payload.filled("url", 41010)?;
    payload.web_address("url")?;
    // Cut, not refused: characters by 90236, bytes by older copies.
    payload.shows_chars("title", 128);
    payload.shows_chars("description", 512);
    payload.shows_chars("btntxt", 4);
    Ok(())
}

fn news(payload: &Node) -> Checked {
    for article in articles(payload)? {
        article.only(&["title", "description", "url", "picurl", "appid", "pagepath"]);
        article.filled("title", 41016)?;
        article.max_bytes("title", 128, 40058)?;
        article.max_bytes("description", 512, 40058)?;
        let given = |name| article.text(name).is_some_and(|text| !text.is_empty());
        match (given("appid"), given("pagepath")) {
            (true, true) => article.max_bytes("pagepath", 128, 40058)?,
            (false, false) => {
                article.filled("url", 41010)?;
            }
            _ => return refuse(40063, "appid and pagepath go together"),
        }
        if given("url") {
            article.web_address("url")?;
        }
        article.max_bytes("picurl", 2048, 40039)?;
    }
    Ok(())
}

fn mpnews(world: &World, home: &Home, payload: &Node) -> Checked {
    for article in articles(payload)? {
        article.only(&["title", "thumb_media_id", "author", "content_source_url", "content", "digest"]);
        article.filled("title", 41016)?;
        article.max_bytes("title", 128, 40058)?;
        media_in(world, article.filled("thumb_media_id", 41006)?, MediaKind::Image, home)?;
        article.max_bytes("author", 64, 45032)?;
        article.filled("content", 44004)?;
        article.max_bytes("content", 666 * 1024, 45002)?;
        article.max_bytes("digest", 512, 40058)?;
        article.text("content_source_url");
    }
    Ok(())
}

fn miniprogram_notice(payload: &Node) -> Checked {
    payload.only(&["appid", "page", "title", "description", "emphasis_first_item", "content_item"]);
    payload.filled("appid", 90200)?;
    payload.max_bytes("page", 1024, 90204)?;
    payload.filled("title", 40063)?;
    payload.flag("emphasis_first_item");
    for name in ["title", "description"] {
        let count = payload.text(name).map_or(0, |text| text.chars().count());
        if count > 0 && !(4..=12).contains(&count) {
            payload.remark(format!("{} has {count} characters where 4 to 12 belong", payload.at(name)));
        }
    }
    let items = payload.objects("content_item").unwrap_or_default();
    if items.len() > 10 {
        return refuse(90201, "more than 10 content_item");
    }
    for item in items {
        item.only(&["key", "value"]);
        item.max_chars("key", 10, 90202)?;
        item.max_chars("value", 30, 90203)?;
    }
    Ok(())
}
