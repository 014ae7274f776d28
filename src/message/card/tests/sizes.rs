//! Sizes of lists, keys and texts.

use serde_json::{Value, json};

use super::*;

#[test]
fn lists_have_hard_sizes() {
    let list = |item: &Value, count: usize| Value::from(vec![item.clone(); count]);
    for (card_type, name, item, most) in [
        (CardType::NewsNotice, "vertical_content_list", json!({"title": "v"}), 4),
        (CardType::TextNotice, "horizontal_content_list", json!({"keyname": "k"}), 6),
        (CardType::TextNotice, "jump_list", json!({"title": "j"}), 3),
    ] {
        for channel in [Channel::App, Channel::Webhook] {
            let found = |count| errors(channel, sample(card_type), json!({ name: list(&item, count) }));
            assert!(found(0).is_empty() && found(most).is_empty());
            assert_eq!(found(most + 1), [format!("card.{name}: {} items, the limit is {most}", most + 1)]);
        }
    }
    let numbered = |count: usize, item: fn(usize) -> Value| Value::from((0..count).map(item).collect::<Vec<_>>());
    let option = |n: usize| json!({"id": format!("{n}"), "text": "o"});
    let counts = |least: usize, most: usize, found: &dyn Fn(usize) -> Vec<String>| {
        assert!(found(least).is_empty() && found(most).is_empty(), "{:?}", found(most));
        assert_eq!((found(least - 1).len(), found(most + 1).len()), (1, 1));
    };
    counts(1, 6, &|n| buttons(numbered(n, |n| json!({"text": "b", "key": format!("{n}")}))));
    counts(1, 3, &|n| {
        let actions = numbered(n, |n| json!({"text": "a", "key": format!("{n}")}));
        app_errors(text(), json!({"task_id": "t", "action_menu": {"action_list": actions}}))
    });
    counts(1, 10, &|n| {
        let selection = json!({"question_key": "q", "option_list": numbered(n, option)});
        app_errors(sample(CardType::ButtonInteraction), json!({ "button_selection": selection }))
    });
    counts(1, 20, &|n| {
        let options = numbered(n, |n| json!({"id": format!("{n}"), "text": "o", "is_checked": n == 0}));
        app_errors(sample(CardType::VoteInteraction), json!({"checkbox": {"option_list": options}}))
    });
    counts(1, 3, &|n| {
        let lists = numbered(n, |n| json!({"question_key": format!("{n}"), "option_list": [{"id": "a", "text": "A"}]}));
        app_errors(sample(CardType::MultipleInteraction), json!({ "select_list": lists }))
    });
    counts(1, 10, &|n| {
        let lists = json!([{"question_key": "q", "option_list": numbered(n, option)}]);
        app_errors(sample(CardType::MultipleInteraction), json!({ "select_list": lists }))
    });
}

#[test]
fn keys_are_unique_and_short() {
    let long = |bytes: usize| "x".repeat(bytes);
    assert_eq!(
        buttons(json!([{"text": "a", "key": "k"}, {"text": "b", "key": "k"}])),
        ["card.button_list[1].key: \"k\" is here twice, but must be unique"]
    );
    assert!(buttons(json!([{"text": "a", "key": long(1024)}])).is_empty());
    assert_eq!(
        buttons(json!([{"text": "a", "key": long(1025)}])),
        ["card.button_list[0].key: 1025 bytes, the limit is 1024"]
    );
    let menu = |keys: [&str; 2]| {
        let actions = keys.map(|key| json!({"text": "a", "key": key}));
        app_errors(text(), json!({"task_id": "t", "action_menu": {"action_list": actions}}))
    };
    assert!(menu(["a", &long(1024)]).is_empty());
    assert_eq!(menu(["a", "a"]).len(), 1);
    assert_eq!(menu(["", &long(1025)]).len(), 2);
    let vote = |key: usize, ids: [&str; 2]| {
        let options = ids.map(|id| json!({"id": id, "text": "o", "is_checked": false}));
        let checkbox = json!({"question_key": long(key), "option_list": options});
        let changes = json!({"checkbox": checkbox, "submit_button": {"key": long(key)}});
        app_errors(sample(CardType::VoteInteraction), changes)
    };
    assert!(vote(1024, ["a", &long(128)]).is_empty());
    assert_eq!(vote(1025, ["a", &long(129)]).len(), 3);
    assert_eq!(vote(1, ["a", "a"]), ["card.checkbox.option_list[1].id: \"a\" is here twice, but must be unique"]);
    let lists = |keys: [&str; 2], ids: [&str; 2]| {
        let options = ids.map(|id| json!({"id": id, "text": "o"}));
        let lists = keys.map(|key| json!({"question_key": key, "option_list": options}));
        app_errors(sample(CardType::MultipleInteraction), json!({ "select_list": lists }))
    };
    assert!(lists(["a", "b"], ["a", "b"]).is_empty());
    assert_eq!(
        lists(["a", "a"], ["a", "b"]),
        ["card.select_list[1].question_key: \"a\" is here twice, but must be unique"]
    );
    assert_eq!(lists(["a", "b"], ["c", "c"]).len(), 2);
}

#[test]
fn lengths_in_characters_are_warnings_of_each_channel() {
    use CardType::{ButtonInteraction, MultipleInteraction, NewsNotice, TextNotice, VoteInteraction};
    let text_at = |path: &str, text: String| -> Value {
        path.rsplit('.').fold(Value::from(text), |inner, name| match name.strip_suffix("[]") {
            Some(list) => json!({ list: [inner] }),
            None => json!({ name: inner }),
        })
    };
    let cases = [
        (TextNotice, "source.desc", 20, 13),
        (TextNotice, "main_title.title", 36, 26),
        (TextNotice, "main_title.desc", 44, 30),
        (TextNotice, "emphasis_content.title", 14, 10),
        (TextNotice, "emphasis_content.desc", 22, 15),
        (TextNotice, "sub_title_text", 160, 112),
        (TextNotice, "horizontal_content_list[].keyname", 5, 5),
        (TextNotice, "horizontal_content_list[].value", 30, 26),
        (TextNotice, "jump_list[].title", 18, 13),
        (NewsNotice, "vertical_content_list[].title", 38, 26),
        (NewsNotice, "vertical_content_list[].desc", 160, 112),
        (VoteInteraction, "main_title.title", 16, 0),
        (VoteInteraction, "main_title.desc", 160, 0),
        (VoteInteraction, "checkbox.option_list[].text", 17, 0),
        (VoteInteraction, "submit_button.text", 10, 0),
        (MultipleInteraction, "main_title.title", 36, 0),
        (MultipleInteraction, "main_title.desc", 160, 0),
        (MultipleInteraction, "select_list[].option_list[].text", 16, 0),
        (ButtonInteraction, "button_list[].text", 10, 0),
        (ButtonInteraction, "button_selection.option_list[].text", 16, 0),
    ];
    for (card_type, path, on_app, on_webhook) in cases {
        for (channel, limit) in [(Channel::App, on_app), (Channel::Webhook, on_webhook)] {
            if limit == 0 {
                continue;
            }
            let warnings = |chars: usize| {
                let mut change = text_at(path, "磁".repeat(chars));
                complete(&mut change);
                let findings = check(channel, sample(card_type), change);
                assert_eq!(findings.errors, [], "{path}");
                lines(&findings.warnings)
            };
            assert!(warnings(limit).is_empty(), "{channel:?} {path}");
            let path = path.replace("[]", "[0]");
            let warning =
                format!("card.{path}: {} characters, at most {limit} are recommended: clients may cut it", limit + 1);
            assert_eq!(warnings(limit + 1), [warning]);
        }
    }
}

/// Gives list items that have only the text under test their required fields.
fn complete(change: &mut Value) {
    let others = [
        ("/horizontal_content_list/0", json!({"keyname": "k"})),
        ("/vertical_content_list/0", json!({"title": "v"})),
        ("/checkbox/option_list/0", json!({"id": "a", "is_checked": false})),
        ("/select_list/0", json!({"question_key": "q"})),
        ("/select_list/0/option_list/0", json!({"id": "a"})),
        ("/button_list/0", json!({"key": "k"})),
        ("/button_selection", json!({"question_key": "q"})),
        ("/button_selection/option_list/0", json!({"id": "a"})),
    ];
    for (pointer, fields) in others {
        if let Some(item) = change.pointer_mut(pointer).and_then(Value::as_object_mut) {
            for (name, value) in fields.as_object().unwrap() {
                item.entry(name).or_insert(value.clone());
            }
        }
    }
}
