//! Which block belongs to which card.

use serde_json::{Value, json};
use strum::VariantArray;

use super::*;

/// A valid value of each block, and the app cards that have it, by the columns of the official tables:
/// t(ext), n(ews), b(utton), v(ote), m(ultiple); then whether notice cards of webhooks have it.
fn blocks() -> Vec<(&'static str, Value, &'static str, bool)> {
    let options = json!([{"id": "a", "text": "A"}]);
    vec![
        ("source", json!({"desc": "s"}), "tnbvm", true),
        ("action_menu", json!({"action_list": [{"text": "a", "key": "a"}]}), "tnb", false),
        ("task_id", json!("t"), "tnbvm", false),
        ("main_title", json!({"title": "t"}), "tnbvm", true),
        ("quote_area", json!({"title": "q"}), "tnb", true),
        ("emphasis_content", json!({"title": "98"}), "t", true),
        ("sub_title_text", json!("s"), "tb", true),
        ("image_text_area", json!({"image_url": "https://example.test/a.png"}), "n", true),
        ("card_image", json!({"url": "https://example.test/a.png"}), "n", true),
        ("vertical_content_list", json!([{"title": "v"}]), "n", true),
        ("horizontal_content_list", json!([{"keyname": "h"}]), "tnb", true),
        ("jump_list", json!([{"title": "j"}]), "tn", true),
        ("card_action", json!({"type": 1, "url": "https://example.test"}), "tnb", true),
        ("button_selection", json!({"question_key": "q", "option_list": options}), "b", false),
        ("button_list", json!([{"text": "B", "key": "b"}]), "b", false),
        (
            "checkbox",
            json!({"question_key": "q", "option_list": [{"id": "a", "text": "A", "is_checked": true}]}),
            "v",
            false,
        ),
        ("select_list", json!([{"question_key": "q", "option_list": options}]), "m", false),
        ("submit_button", json!({"text": "s", "key": "s"}), "vm", false),
    ]
}

#[test]
fn each_block_is_allowed_only_on_its_cards() {
    for (column, card_type) in "tnbvm".chars().zip(CardType::VARIANTS.iter().copied()) {
        assert!(app_errors(sample(card_type), json!({})).is_empty(), "{card_type:?}");
        for (name, block, cards, on_webhooks) in blocks() {
            let change = json!({ name: block, "task_id": "t" });
            let found = app_errors(sample(card_type), change.clone());
            let expected = cards.contains(column);
            assert_eq!(found.is_empty(), expected, "{name} on {card_type:?}: {found:?}");
            assert!(expected || found[0].starts_with(&format!("card.{name}: {} cards do not", card_type.as_str())));
            if card_type.is_notice() {
                let found = errors(Channel::Webhook, sample(card_type), json!({ name: block }));
                assert_eq!(found.is_empty(), expected && on_webhooks, "{name} on a webhook's {card_type:?}: {found:?}");
            }
        }
    }
}

#[test]
fn a_misplaced_block_is_refused_with_the_cards_that_have_it() {
    let menu = json!({"action_menu": {"action_list": [{"text": "a", "key": "a"}]}});
    assert_eq!(
        errors(Channel::Webhook, text(), menu),
        ["card.action_menu: webhook cards do not have it, only app cards do: \
             text_notice, news_notice, button_interaction"]
    );
    let image = json!({"card_image": {"url": "u"}});
    assert_eq!(
        app_errors(text(), image),
        ["card.card_image: text_notice cards do not have it, only these do: news_notice"]
    );
}

#[test]
fn each_card_needs_its_blocks() {
    let needs = [
        (CardType::TextNotice, Channel::App, "card_action"),
        (CardType::NewsNotice, Channel::App, "main_title card_action"),
        (CardType::ButtonInteraction, Channel::App, "task_id main_title button_list"),
        (CardType::VoteInteraction, Channel::App, "task_id main_title checkbox submit_button"),
        (CardType::MultipleInteraction, Channel::App, "task_id main_title select_list submit_button"),
        (CardType::TextNotice, Channel::Webhook, "main_title card_action"),
        (CardType::NewsNotice, Channel::Webhook, "main_title card_image card_action"),
    ];
    for (card_type, channel, names) in needs {
        for (name, ..) in blocks() {
            // A text notice may have either of two titles, a news notice of apps either of two pictures.
            let others = json!({ name: null, "sub_title_text": (card_type == CardType::TextNotice).then_some("s") });
            let others = if card_type == CardType::NewsNotice && name == "card_image" {
                json!({ name: null, "image_text_area": {"image_url": "u"} })
            } else if name == "sub_title_text" {
                continue;
            } else {
                others
            };
            let found = errors(channel, sample(card_type), others);
            assert_eq!(!found.is_empty(), names.split(' ').any(|need| need == name), "{card_type:?} {name}: {found:?}");
            assert!(found.iter().all(|line| line.starts_with(&format!("card.{name}: missing, "))), "{found:?}");
        }
    }
}

#[test]
fn titles_and_pictures_have_alternatives() {
    let title = "card: neither main_title.title nor sub_title_text is given, one is required";
    assert_eq!(app_errors(text(), json!({"main_title": null})), [title]);
    assert_eq!(app_errors(text(), json!({"main_title": {"title": ""}, "sub_title_text": ""})), [title]);
    assert_eq!(errors(Channel::Webhook, text(), json!({"main_title": {"title": null}})), [title]);
    assert!(
        errors(Channel::Webhook, text(), json!({"main_title": {"title": null, "desc": "d"}, "sub_title_text": "s"}))
            .is_empty()
    );
    for card_type in &CardType::VARIANTS[1..] {
        let found = app_errors(sample(*card_type), json!({"main_title": {"title": null, "desc": "d"}}));
        assert_eq!(found, ["card.main_title.title: missing, but required"]);
    }
    let news = sample(CardType::NewsNotice);
    let picture = "card: neither card_image nor image_text_area is given, one is required";
    assert_eq!(app_errors(news.clone(), json!({"card_image": null})), [picture]);
    let area = json!({"card_image": null, "image_text_area": {"image_url": "u"}});
    assert!(app_errors(news.clone(), area.clone()).is_empty());
    assert_eq!(
        errors(Channel::Webhook, news, area),
        ["card.card_image: missing, news_notice cards of webhooks need it"]
    );
}

#[test]
fn card_types_follow_the_channel() {
    let wrong = check(Channel::Webhook, sample(CardType::VoteInteraction), json!({}));
    assert_eq!(
        lines(&wrong.errors),
        ["card.card_type: vote_interaction cards exist in app messages only, not through webhooks"]
    );
    assert!(wrong.errors[0].hint.as_deref().unwrap().starts_with("send it with app-send"));
    let typo = app_errors(text(), json!({"card_type": "text_notce"}));
    assert_eq!(typo, ["card.card_type: \"text_notce\": unknown card type; did you mean text_notice?"]);
    assert_eq!(app_errors(text(), json!({"card_type": null})), ["card.card_type: missing, a string is required"]);
}
