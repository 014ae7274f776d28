//! Fields and values inside the blocks.

use serde_json::{Value, json};

use super::*;

#[test]
fn unknown_fields_of_blocks_are_named_with_their_path() {
    let list = json!([{"keyname": "a"}, {"keyname": "b"}, {"keynam": "c", "keyname": "c"}]);
    assert_eq!(
        app_errors(text(), json!({"horizontal_content_list": list, "jumplist": [], "card_action": {"link": ""}})),
        [
            "card.jumplist: unknown field; did you mean jump_list?",
            "card.horizontal_content_list[2].keynam: unknown field; did you mean keyname?",
            "card.card_action.link: unknown field; known here: type, url, appid, pagepath",
        ]
    );
}

#[test]
fn task_ids_have_an_alphabet_and_128_bytes() {
    let found = |id: &str| app_errors(text(), json!({ "task_id": id }));
    assert!(found("alert-1@host_9").is_empty() && found(&"x".repeat(128)).is_empty());
    assert_eq!(found(&"x".repeat(129)), ["card.task_id: 129 bytes, the limit is 128"]);
    for id in ["", "a.b", "a:b", "a/b", "a b", "磁"] {
        assert_eq!(found(id).len(), 1, "{id}");
    }
    let menu = json!({"action_menu": {"action_list": [{"text": "a", "key": "a"}]}});
    assert_eq!(app_errors(text(), menu), ["card.task_id: missing, a card with action_menu needs it"]);
}

#[test]
fn links_need_what_their_type_says() {
    let news = || sample(CardType::NewsNotice);
    let wrap = |block: &str, link: Value| match block {
        "jump_list" => json!({"jump_list": [merged(json!({"title": "j"}), link)]}),
        "image_text_area" => json!({"image_text_area": merged(json!({"image_url": "u"}), link)}),
        _ => json!({ block: link }),
    };
    for block in ["quote_area", "image_text_area", "jump_list", "card_action"] {
        // The sample has a link of its own in card_action, which the one under test replaces.
        let found = |link: Value| {
            let mut card = news();
            if block == "card_action" {
                merge(&mut card, json!({"card_action": null}));
            }
            app_errors(card, wrap(block, link))
        };
        assert!(found(json!({"type": 1, "url": "u", "appid": "", "pagepath": "p"})).is_empty(), "{block}");
        assert!(found(json!({"type": 2, "appid": "wx0"})).is_empty(), "{block}");
        assert!(found(json!({"type": 1}))[0].ends_with(".url: missing, type 1 needs it"), "{block}");
        assert!(found(json!({"type": 2, "url": "u"}))[0].ends_with(".appid: missing, type 2 needs it"), "{block}");
        assert!(
            found(json!({"type": 3, "url": "u"}))[0].ends_with(".type: 3, but only 0, 1, 2 are allowed"),
            "{block}"
        );
        assert_eq!(found(json!({"type": 0})).is_empty(), block != "card_action", "{block}");
    }
    assert_eq!(app_errors(text(), json!({"card_action": {"type": null}})).len(), 1);
    let button = sample(CardType::ButtonInteraction);
    assert!(app_errors(button.clone(), json!({"card_action": {"type": 0}})).is_empty());
    assert!(app_errors(button.clone(), json!({"card_action": {"url": ""}})).is_empty());
    assert_eq!(app_errors(button, json!({"card_action": {"type": 2}})).len(), 1);
}

#[test]
fn horizontal_items_need_what_their_type_says() {
    let found =
        |item: Value| app_errors(text(), json!({"horizontal_content_list": [merged(json!({"keyname": "k"}), item)]}));
    for item in [
        json!({}),
        json!({"type": 1, "url": "u"}),
        json!({"type": 2, "media_id": "M"}),
        json!({"type": 3, "userid": "lisi"}),
    ] {
        assert!(found(item).is_empty());
    }
    let path = "card.horizontal_content_list[0]";
    for (kind, name) in [(1, "url"), (2, "media_id"), (3, "userid")] {
        assert_eq!(found(json!({ "type": kind })), [format!("{path}.{name}: missing, type {kind} needs it")]);
    }
    assert_eq!(found(json!({"type": 3, "userid": "李四"})).len(), 1);
    assert_eq!(found(json!({"type": 4})), [format!("{path}.type: 4, but only 0, 1, 2, 3 are allowed")]);
    assert_eq!(found(json!({"keyname": ""})), [format!("{path}.keyname: empty, but required")]);
}

#[test]
fn buttons_call_back_or_open_a_page() {
    assert!(
        buttons(
            json!([{"text": "a", "type": 0, "key": "k", "style": 1}, {"text": "b", "type": 1, "url": "u", "style": 4}])
        )
        .is_empty()
    );
    assert_eq!(buttons(json!([{"text": "a"}])), ["card.button_list[0].key: missing, type 0 needs it"]);
    assert_eq!(
        buttons(json!([{"text": "a", "type": 1, "key": "k"}])),
        ["card.button_list[0].url: missing, type 1 needs it"]
    );
    assert_eq!(buttons(json!([{"text": "", "type": 2, "style": 5}])).len(), 3);
    assert_eq!(buttons(json!([{"text": "a", "key": "k", "style": 0}])).len(), 1);
}

#[test]
fn the_ratio_of_the_picture_has_both_ends() {
    let found = |ratio: Value| app_errors(sample(CardType::NewsNotice), json!({"card_image": {"aspect_ratio": ratio}}));
    for ratio in [json!(1.3), json!(2.25), json!(2)] {
        assert!(found(ratio).is_empty());
    }
    for ratio in [json!(1.29), json!(2.26), json!(1), json!(-2)] {
        assert_eq!(found(ratio).len(), 1);
    }
    assert_eq!(found(json!("1.3")), ["card.card_image.aspect_ratio: expected a number, got a string"]);
}

#[test]
fn colours_and_modes_are_choices() {
    let coloured =
        |card_type, colour: i64| app_errors(sample(card_type), json!({"source": {"desc_color": colour}})).len();
    for card_type in [CardType::TextNotice, CardType::NewsNotice, CardType::ButtonInteraction] {
        assert_eq!((coloured(card_type, 0), coloured(card_type, 3), coloured(card_type, 4)), (0, 0, 1));
    }
    assert_eq!(coloured(CardType::VoteInteraction, 0), 1);
    assert_eq!(coloured(CardType::MultipleInteraction, 0), 1);
    let mode = |mode: i64| app_errors(sample(CardType::VoteInteraction), json!({"checkbox": {"mode": mode}})).len();
    assert_eq!((mode(0), mode(1), mode(2)), (0, 0, 1));
}

#[test]
fn a_selection_of_no_option_is_a_warning() {
    let select = |id: &str| {
        let list = json!([{"question_key": "q", "selected_id": id, "option_list": [{"id": "a", "text": "A"}]}]);
        let findings = check(Channel::App, sample(CardType::MultipleInteraction), json!({ "select_list": list }));
        (findings.errors.len(), findings.warnings.len())
    };
    assert_eq!((select("a"), select("b")), ((0, 0), (0, 1)));
}
