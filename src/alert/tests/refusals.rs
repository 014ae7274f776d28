//! What cards and articles refuse, and what to use instead.

use super::super::{Alert, Emphasis, Jump};
use super::{buttons, choices, link, notice, titled};
use crate::channel::Channel::{self, App, Webhook};
use crate::error::Status;
use crate::message::card::CardType::{self, *};

fn refused(alert: &Alert, card_type: CardType, channel: Channel) -> String {
    let error = alert.card(card_type, channel).unwrap_err();
    assert_eq!(error.status(), Status::Usage);
    format!("{} | {}", error.message(), error.hint().unwrap())
}

fn jumps(count: usize) -> Vec<Jump> {
    vec![Jump { title: "a".to_owned(), url: "https://example.com/".to_owned() }; count]
}

#[test]
fn what_webhooks_do_not_have() {
    for card_type in [ButtonInteraction, VoteInteraction, MultipleInteraction] {
        let expected = format!(
            "a webhook has no {} cards | use --card text_notice or news_notice, or send it with app-send",
            card_type.as_str()
        );
        assert_eq!(refused(&notice(), card_type, Webhook), expected);
    }
    assert_eq!(
        refused(&Alert { buttons: buttons(1), ..notice() }, TextNotice, Webhook),
        "a text_notice card of a webhook has no place for --button | \
         use --card button_interaction with app-send, or leave --button out"
    );
    assert_eq!(
        refused(&Alert { task_id: Some("1".to_owned()), ..notice() }, TextNotice, Webhook),
        "a card of a webhook has no place for --task-id | leave --task-id out, or send it with app-send"
    );
}

#[test]
fn what_a_card_has_no_place_for() {
    let quoted = Alert { quote: Some("q".to_owned()), ..titled(None, "t") };
    let figure = Some(Emphasis { title: "1".to_owned(), desc: String::new() });
    for (alert, card_type, option, cards) in [
        (Alert { buttons: buttons(1), ..notice() }, NewsNotice, "--button", "button_interaction"),
        (Alert { options: choices(1), ..notice() }, TextNotice, "--option", "vote_interaction or multiple_interaction"),
        (Alert { options: choices(1), ..notice() }, NewsNotice, "--option", "vote_interaction or multiple_interaction"),
        (Alert { emphasis: figure, ..notice() }, NewsNotice, "--emphasis", "text_notice"),
        (quoted, VoteInteraction, "--quote", "text_notice, news_notice or button_interaction"),
        (Alert { jumps: jumps(1), ..notice() }, ButtonInteraction, "--jump", "text_notice or news_notice"),
        (Alert { picurl: Some("p".to_owned()), ..notice() }, TextNotice, "--picurl", "news_notice"),
        (notice(), MultipleInteraction, "--url", "text_notice, news_notice or button_interaction"),
        (
            Alert { link: link("https://example.com", Some("x")), ..notice() },
            ButtonInteraction,
            "--btntxt",
            "text_notice or news_notice",
        ),
    ] {
        let name = card_type.as_str();
        let expected =
            format!("a {name} card of an app has no place for {option} | use --card {cards}, or leave {option} out");
        assert_eq!(refused(&alert, card_type, App), expected);
    }
}

#[test]
fn what_a_card_lacks() {
    let bare = titled(None, "t");
    let asking = Alert { task_id: Some("1".to_owned()), ..bare.clone() };
    let hint = "add --url, use --card button_interaction, or send it with -t markdown";
    for (alert, card_type, channel, lack, hint) in [
        (&bare, TextNotice, App, "a link", hint),
        (&bare, NewsNotice, Webhook, "a link", "add --url, or send it with -t markdown"),
        (&notice(), NewsNotice, Webhook, "a picture", "add --picurl, or use --card text_notice"),
        (&notice(), NewsNotice, App, "a picture", "add --picurl, or use --card text_notice"),
        (&asking, ButtonInteraction, App, "buttons", "add --button KEY=TEXT, or use --card text_notice"),
        (&asking, VoteInteraction, App, "options", "add --option ID=TEXT, or use --card text_notice"),
        (&asking, MultipleInteraction, App, "options", "add --option ID=TEXT, or use --card text_notice"),
        (
            &Alert { buttons: buttons(1), ..notice() },
            ButtonInteraction,
            App,
            "a task id",
            "add --task-id, new for each message",
        ),
        (
            &Alert { title: None, level: None, ..notice() },
            TextNotice,
            App,
            "a title or a text",
            "add --title, or give a text",
        ),
        (
            &Alert { title: None, level: None, buttons: buttons(1), task_id: Some("1".to_owned()), ..notice() },
            ButtonInteraction,
            App,
            "a title",
            "add --title, or use --card text_notice",
        ),
    ] {
        let expected = format!("a {} card needs {lack} | {hint}", card_type.as_str());
        assert_eq!(refused(alert, card_type, channel), expected);
    }
}

#[test]
fn what_is_too_many() {
    let asking = Alert { task_id: Some("1".to_owned()), ..titled(None, "t") };
    for (alert, card_type, problem) in [
        (Alert { jumps: jumps(4), ..notice() }, TextNotice, "at most 3 links below its text, not 4"),
        (
            Alert { jumps: jumps(3), link: link("https://example.com", Some("x")), ..notice() },
            TextNotice,
            "at most 3 links below its text, not 4",
        ),
        (Alert { buttons: buttons(7), ..asking.clone() }, ButtonInteraction, "at most 6 buttons, not 7"),
        (Alert { options: choices(21), ..asking.clone() }, VoteInteraction, "at most 20 options, not 21"),
        (Alert { options: choices(11), ..asking.clone() }, MultipleInteraction, "at most 10 options, not 11"),
    ] {
        let error = refused(&alert, card_type, App);
        assert!(error.starts_with(&format!("a {} card has {problem} | leave", card_type.as_str())), "{error}");
    }
}

#[test]
fn what_textcards_and_articles_lack() {
    let bare = titled(None, "t");
    let linked = Alert { link: link("https://example.com", None), ..Alert::default() };
    let said = |error: crate::error::Error| format!("{} | {}", error.message(), error.hint().unwrap());
    assert_eq!(said(bare.textcard().unwrap_err()), "a textcard needs a link | add --url, or send it with -t markdown");
    assert_eq!(
        said(linked.textcard().unwrap_err()),
        "a textcard needs a title | add --title, or send it with -t markdown"
    );
    assert_eq!(
        said(notice().textcard().unwrap_err()),
        "a textcard needs a text below its title | give a text or a --field, or send it with -t markdown"
    );
    assert_eq!(said(bare.article().unwrap_err()), "an article needs a link | add --url, or send it with -t markdown");
    assert_eq!(
        said(linked.article().unwrap_err()),
        "an article needs a title | add --title, or send it with -t markdown"
    );
}
