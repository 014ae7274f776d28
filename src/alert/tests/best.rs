//! The default message type of an alert.

use super::super::{Alert, Level};
use super::{fields, link, titled};
use crate::channel::Channel;

fn best(alert: &Alert) -> [&'static str; 2] {
    [Channel::App, Channel::Webhook].map(|channel| alert.best_type(channel).as_str())
}

fn body(text: &str) -> Alert {
    Alert { body: Some(text.to_owned()), ..Alert::default() }
}

const TABLE: &str = "Filesystem  Use%\n/dev/sda1    98%";

#[test]
fn only_a_body_is_text() {
    assert_eq!(best(&body("# no *markup*")), ["text", "text"]);
    assert_eq!(best(&body(TABLE)), ["text", "text"]);
    assert_eq!(best(&Alert { prefix: Some("p".to_owned()), ..body("x") }), ["text", "text"]);
    assert_eq!(best(&Alert { title: Some(" ".to_owned()), ..body("x") }), ["text", "text"]);
}

#[test]
fn title_level_and_fields_are_markdown() {
    assert_eq!(best(&titled(None, "t")), ["markdown", "markdown"]);
    assert_eq!(best(&Alert { level: Some(Level::Ok), ..body("x") }), ["markdown", "markdown"]);
    assert_eq!(best(&Alert { fields: fields(&[("a", "b")]), ..Alert::default() }), ["markdown", "markdown"]);
    assert_eq!(best(&Alert { link: link("https://example.com", None), ..body("x") }), ["markdown", "markdown"]);
}

#[test]
fn columns_are_kept_where_they_can_be() {
    let of = |text: &str| best(&Alert { title: Some("t".to_owned()), ..body(text) });
    assert_eq!(of(TABLE), ["markdown", "markdown_v2"]);
    assert_eq!(of("Error\n\tat main"), ["markdown", "markdown_v2"]);
    assert_eq!(of("one  line"), ["markdown", "markdown"]);
    assert_eq!(of("two \nlines"), ["markdown", "markdown"]);
}

#[test]
fn a_short_text_with_a_link_is_a_card() {
    let card = Alert { link: link("https://example.com", Some("open")), ..titled(None, "t") };
    let card = Alert { body: Some("x\ny".to_owned()), ..card };
    assert_eq!(best(&card), ["textcard", "news"]);
    assert_eq!(best(&Alert { picurl: Some("https://example.com/p.png".to_owned()), ..card.clone() }), ["news", "news"]);
    assert_eq!(best(&Alert { body: None, ..card.clone() }), ["markdown", "news"]);
    assert_eq!(best(&Alert { body: Some("x".repeat(600)), ..card.clone() }), ["markdown", "markdown"]);
    assert_eq!(best(&Alert { body: Some(TABLE.to_owned()), ..card.clone() }), ["markdown", "markdown_v2"]);
    assert_eq!(best(&Alert { fields: fields(&[("a", "b")]), ..card.clone() }), ["markdown", "markdown"]);
    assert_eq!(
        best(&Alert { link: link("https://example.com", Some("open it")), ..card.clone() }),
        ["markdown", "news"]
    );
    assert_eq!(best(&Alert { link: link("ftp://example.com", None), ..card.clone() }), ["markdown", "markdown"]);
    let large = Alert { picurl: Some("p".repeat(2049)), ..card };
    assert_eq!(best(&large), ["markdown", "markdown_v2"]);
}

#[test]
fn a_picture_without_link_is_shown_through_webhooks() {
    let alert = Alert { picurl: Some("https://example.com/p.png".to_owned()), ..body("x") };
    assert_eq!(best(&alert), ["markdown", "markdown_v2"]);
}
