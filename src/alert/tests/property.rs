//! Property tests: alerts of everything that is hard to show.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use strum::VariantArray;

use super::super::{Alert, AlertLink, Button, Emphasis, Field, Jump, Level};
use super::{findings, markdown_of};
use crate::channel::{Channel, MsgType};
use crate::message::Findings;
use crate::message::app::{AppNews, AppText};
use crate::message::card::{CardType, SelectOption};
use crate::message::webhook::WebhookText;
use crate::words::Language;

/// Any text on a line, hostile signs more often than others.
fn line() -> impl Strategy<Value = String> {
    prop_oneof![r"[a<>*_`#&;\\|~=$\[\]() 磁👨‍👩‍👧🚨\t\r-]{0,60}", "\\PC{0,60}", "x{0,300}"]
}

/// Clean text, as an alert's body is.
fn body() -> impl Strategy<Value = String> {
    vec(line().prop_map(|line| line.replace(|c: char| c.is_control() && c != '\t', "")), 0..12)
        .prop_map(|lines| lines.join("\n"))
}

/// An alert whose strings may be anything; what is published as a hard limit of what stands whole is kept.
fn alert() -> impl Strategy<Value = Alert> {
    let pair = || (line(), vec(line(), 0..3).prop_map(|lines| lines.join("\n")));
    let head = (option::of(line()), option::of(select(Level::VARIANTS)), vec(pair(), 0..9), option::of(body()));
    let links = (
        option::of(option::of("[a*_🚨]{1,4}")),
        option::of(Just("https://example.com/p_(1).png".to_owned())),
        option::of(line()),
    );
    let words = (select(vec![Language::English, Language::Chinese]), 0_usize..20);
    (head, links, words).prop_map(|((title, level, pairs, body), (label, picurl, prefix), (language, status_len))| {
        Alert {
            language,
            title,
            status_len,
            level,
            fields: pairs.into_iter().map(|(key, value)| Field { key, value }).collect(),
            body,
            link: label.map(|label| AlertLink { url: "https://example.com/a_(b)".to_owned(), label }),
            picurl,
            prefix,
            ..Alert::default()
        }
    })
}

/// The alert with what belongs on such a card, and without what does not.
fn dressed(alert: Alert, card_type: CardType, channel: Channel) -> Alert {
    let is_asking = matches!(card_type, CardType::VoteInteraction | CardType::MultipleInteraction);
    let link = AlertLink { url: "https://example.com/".to_owned(), label: None };
    Alert {
        title: Some(format!("t {}", alert.title.unwrap_or_default())),
        link: (!is_asking).then_some(link),
        picurl: (card_type == CardType::NewsNotice).then(|| "https://example.com/p.png".to_owned()),
        source: Some("ci".to_owned()),
        emphasis: (card_type == CardType::TextNotice).then(|| Emphasis { title: "1".to_owned(), desc: "x".to_owned() }),
        quote: (!is_asking).then(|| "q".to_owned()),
        jumps: if card_type.is_notice() {
            vec![Jump { title: "j".to_owned(), url: "https://example.com/".to_owned() }; 3]
        } else {
            Vec::new()
        },
        buttons: if card_type == CardType::ButtonInteraction {
            vec![Button { key: "k".to_owned(), text: "t".to_owned(), style: Some(4) }]
        } else {
            Vec::new()
        },
        options: if is_asking { vec![SelectOption { id: "i".to_owned(), text: "t".to_owned() }] } else { Vec::new() },
        task_id: (channel == Channel::App).then(|| "t-1".to_owned()),
        ..alert
    }
}

fn is_blank(alert: &Alert) -> bool {
    alert.text().joined().trim().is_empty()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn each_text_passes_when_it_fits(alert in alert()) {
        prop_assume!(!is_blank(&alert));
        let fits = |channel, msgtype: MsgType, text: &str| msgtype.has_room(channel, text);
        let text = alert.text().joined();
        if fits(Channel::App, MsgType::Text, &text) {
            let content = AppText { content: text.clone() };
            prop_assert_eq!(findings(Channel::App, MsgType::Text, &content), Findings::default());
            let content = WebhookText { content: text, mentioned_list: None, mentioned_mobile_list: None };
            prop_assert_eq!(findings(Channel::Webhook, MsgType::Text, &content), Findings::default());
        }
        let text = alert.markdown().joined();
        if fits(Channel::App, MsgType::Markdown, &text) {
            prop_assert_eq!(findings(Channel::App, MsgType::Markdown, &markdown_of(text.clone())), Findings::default());
        }
        if fits(Channel::Webhook, MsgType::Markdown, &text) {
            prop_assert_eq!(findings(Channel::Webhook, MsgType::Markdown, &markdown_of(text)), Findings::default());
        }
        let text = alert.markdown_v2().joined();
        if fits(Channel::Webhook, MsgType::MarkdownV2, &text) {
            prop_assert_eq!(findings(Channel::Webhook, MsgType::MarkdownV2, &markdown_of(text)), Findings::default());
        }
    }

    #[test]
    fn textcards_and_articles_keep_their_limits(alert in alert()) {
        if let Ok(card) = alert.textcard() {
            prop_assert_eq!(findings(Channel::App, MsgType::Textcard, &card.content), Findings::default());
        }
        if let Ok(article) = alert.article() {
            let news = AppNews { articles: vec![article.content] };
            for channel in Channel::ALL.iter().copied().filter(|channel| channel.has_type(MsgType::News)) {
                prop_assert_eq!(findings(channel, MsgType::News, &news), Findings::default());
            }
        }
    }

    #[test]
    fn cards_keep_to_rules_and_advice(alert in alert(), card_type in select(CardType::VARIANTS), on_webhook: bool) {
        let channel = if on_webhook && card_type.is_notice() { Channel::Webhook } else { Channel::App };
        let card = dressed(alert, card_type, channel).card(card_type, channel).unwrap();
        let content = Box::new(card.content);
        prop_assert_eq!(findings(channel, MsgType::TemplateCard, &content), Findings::default());
    }

    /// What has no room is left over, byte for byte.
    #[test]
    fn an_article_loses_nothing(body in body(), title in "[a磁]{1,80}") {
        let link = Some(AlertLink { url: "https://example.com/".to_owned(), label: None });
        let alert = Alert { title: Some(title), body: Some(body), link, ..Alert::default() };
        let article = alert.article().unwrap();
        let shown = article.content.description.clone().unwrap_or_default();
        let lines = alert.body_text().unwrap_or_default();
        let whole = match alert.full_title() {
            Some(title) if title.len() > 128 => [&title, lines].join("\n").trim_end_matches('\n').to_owned(),
            _ => lines.to_owned(),
        };
        match article.rest {
            None => prop_assert_eq!(shown, whole),
            Some(rest) => {
                let shown = shown.strip_suffix('…').unwrap();
                let cut = shown.strip_suffix('\n').unwrap_or(shown);
                let is_whole = whole == format!("{cut}{rest}") || whole == format!("{cut}\n{rest}");
                prop_assert!(is_whole, "{:?} {:?}", cut, rest);
            }
        }
    }

    #[test]
    fn the_best_type_can_be_made(alert in alert()) {
        for channel in Channel::ALL.iter().copied() {
            let is_possible = match (alert.best_type(channel), channel) {
                (MsgType::Text | MsgType::Markdown | MsgType::MarkdownV2, _) => channel.has_type(alert.best_type(channel)),
                (MsgType::Textcard, Channel::App | Channel::Chat) => alert.textcard().is_ok_and(|its| its.rest.is_none()),
                (MsgType::News, Channel::App | Channel::Webhook | Channel::Chat) => alert.article().is_ok_and(|its| its.rest.is_none()),
                _ => false,
            };
            prop_assert!(is_possible, "{:?} {:?}", alert.best_type(channel), channel);
        }
    }
}
