//! The judge's rules for template cards: a good card of each kind, and what one change makes of it.

use serde_json::json;

use super::*;

/// A good card with two buttons.
pub(super) fn button_card(task_id: &str) -> Value {
    json!({"card_type": "button_interaction", "task_id": task_id, "main_title": {"title": "磁盘满了", "desc": "host-9"},
        "source": {"desc": "monitor", "desc_color": 2}, "sub_title_text": "98 %",
        "horizontal_content_list": [{"keyname": "host", "value": "h"}, {"keyname": "who", "type": 3, "userid": "lisi"}],
        "button_list": [{"text": "Ack", "style": 1, "key": "ack"}, {"text": "Open", "type": 1, "url": "https://example.test"}]})
}

pub(super) fn text_card() -> Value {
    json!({"card_type": "text_notice", "main_title": {"title": "t"}, "emphasis_content": {"title": "98 %", "desc": "disk"},
        "quote_area": {"type": 1, "url": "https://example.test", "quote_text": "q"},
        "jump_list": [{"type": 1, "title": "more", "url": "https://example.test"}],
        "card_action": {"type": 1, "url": "https://example.test"}})
}

fn news_card() -> Value {
    json!({"card_type": "news_notice", "main_title": {"title": "t"},
        "card_image": {"url": "https://example.test/a.png", "aspect_ratio": 2.25},
        "vertical_content_list": [{"title": "a", "desc": "b"}], "card_action": {"type": 2, "appid": "wx0"}})
}

fn vote_card(task_id: &str) -> Value {
    json!({"card_type": "vote_interaction", "task_id": task_id, "main_title": {"title": "t"},
        "checkbox": {"question_key": "q", "mode": 1, "option_list": [{"id": "a", "text": "A", "is_checked": false}]},
        "submit_button": {"text": "send", "key": "s"}})
}

fn choice_card(task_id: &str) -> Value {
    json!({"card_type": "multiple_interaction", "task_id": task_id, "main_title": {"title": "t"},
        "select_list": [{"question_key": "q", "title": "t", "option_list": [{"id": "a", "text": "A"}]}],
        "submit_button": {"text": "send", "key": "s"}})
}

/// The card with one value changed; null takes it away.
fn changed(mut card: Value, pointer: &str, value: Value) -> Value {
    if value.is_null() {
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        card.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(name).unwrap();
    } else {
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        match card.pointer_mut(parent).unwrap() {
            Value::Array(items) => items[name.parse::<usize>().unwrap()] = value,
            object => object[name] = value,
        }
    }
    card
}

#[test]
fn every_kind_of_card_is_taken() {
    let wecom = FakeWecom::start();
    let response_code = |card| {
        let answer = send_payload(&wecom, "template_card", card).json();
        assert_eq!(answer["errcode"], 0, "{answer}");
        answer.get("response_code").is_some()
    };
    assert!(!response_code(text_card()));
    assert!(!response_code(news_card()));
    assert!(response_code(button_card("a_1")));
    assert!(response_code(vote_card("a-1")));
    assert!(response_code(choice_card("a@1")));
    for card in [text_card(), news_card()] {
        assert_eq!(send_to_group(&wecom, "template_card", card).errcode(), 0);
    }
    assert_eq!(send_to_group(&wecom, "template_card", vote_card("x")).errcode(), 42031);
}

#[test]
fn one_change_spoils_a_card() {
    let wecom = FakeWecom::start();
    let row = json!({"keyname": "k"});
    let jump = json!({"title": "t"});
    let (button, vote, choice) = (button_card("b"), vote_card("v"), choice_card("c"));
    let cases = [
        (42031, changed(text_card(), "/card_type", json!("other"))),
        (42045, changed(text_card(), "/card_action", Value::Null)),
        (42045, changed(text_card(), "/card_action/type", json!(0))),
        (42028, changed(text_card(), "/card_action/url", Value::Null)),
        (42030, changed(news_card(), "/card_action/appid", Value::Null)),
        (40058, changed(text_card(), "/main_title", Value::Null)),
        (42028, changed(text_card(), "/quote_area/url", Value::Null)),
        (42033, changed(text_card(), "/jump_list/0/title", Value::Null)),
        (42042, changed(text_card(), "/jump_list", json!(vec![jump; 4]))),
        (42035, changed(text_card(), "/horizontal_content_list", json!(vec![row; 7]))),
        (42027, changed(text_card(), "/horizontal_content_list", json!([{"value": "v"}]))),
        (42029, changed(text_card(), "/horizontal_content_list", json!([{"keyname": "k", "type": 2}]))),
        (
            40007,
            changed(text_card(), "/horizontal_content_list", json!([{"keyname": "k", "type": 2, "media_id": "x"}])),
        ),
        (42050, changed(text_card(), "/horizontal_content_list", json!([{"keyname": "k", "type": 3}]))),
        (42014, changed(text_card(), "/action_menu", json!({"action_list": [{"text": "a", "key": "a"}]}))),
        (42036, changed(news_card(), "/vertical_content_list", json!(vec![json!({"title": "a"}); 5]))),
        (42033, changed(news_card(), "/vertical_content_list/0/title", Value::Null)),
        (42044, changed(news_card(), "/card_image", Value::Null)),
        (42044, changed(news_card(), "/card_image/url", json!(""))),
        (40058, changed(news_card(), "/card_image/aspect_ratio", json!(3.0))),
        (40058, changed(news_card(), "/main_title/title", Value::Null)),
        (42014, changed(button.clone(), "/task_id", Value::Null)),
        (42014, changed(button.clone(), "/task_id", json!("host:9"))),
        (42014, changed(button.clone(), "/task_id", json!("x".repeat(129)))),
        (40058, changed(button.clone(), "/button_list", json!([]))),
        (42038, changed(button.clone(), "/button_list/0/text", Value::Null)),
        (42039, changed(button.clone(), "/button_list/0/key", Value::Null)),
        (42028, changed(button.clone(), "/button_list/1/url", Value::Null)),
        (42043, changed(button, "/button_selection", json!({"option_list": [{"id": "a", "text": "A"}]}))),
        (42043, changed(vote.clone(), "/checkbox/question_key", Value::Null)),
        (42037, changed(vote.clone(), "/checkbox/option_list", json!([]))),
        (42040, changed(vote.clone(), "/checkbox/option_list/0/id", Value::Null)),
        (42041, changed(vote.clone(), "/checkbox/option_list/0/text", Value::Null)),
        (40063, changed(vote.clone(), "/checkbox/option_list/0/is_checked", Value::Null)),
        (42049, changed(vote.clone(), "/submit_button/text", Value::Null)),
        (42046, changed(vote, "/submit_button/key", Value::Null)),
        (42047, changed(choice.clone(), "/select_list", json!([]))),
        (42037, changed(choice, "/select_list/0/option_list", json!(vec![json!({"id": "a", "text": "A"}); 11]))),
    ];
    for (code, card) in cases {
        let got = send_payload(&wecom, "template_card", card.clone()).json();
        assert_eq!(got["errcode"], code, "{got} {card}");
    }
    assert!(wecom.messages().is_empty());
}

#[test]
fn menus_need_keys_of_their_own_and_apps_a_callback() {
    let with_menu = |keys: [&str; 2]| {
        let actions: Vec<_> = keys.iter().map(|key| json!({"text": "a", "key": key})).collect();
        let mut card = text_card();
        card["action_menu"] = json!({"desc": "more", "action_list": actions});
        card["task_id"] = json!("t");
        card
    };
    let wecom = FakeWecom::start();
    assert_eq!(send_payload(&wecom, "template_card", with_menu(["a", "a"])).errcode(), 42051);
    assert!(send_payload(&wecom, "template_card", with_menu(["a", "b"])).json()["response_code"].is_string());
    let deaf = FakeWecom::builder().without_callback().start();
    assert_eq!(send_payload(&deaf, "template_card", with_menu(["a", "b"])).errcode(), 43012);
    assert_eq!(send_payload(&deaf, "template_card", text_card()).errcode(), 0);
}

#[test]
fn groups_have_fewer_blocks_and_need_a_picture() {
    let wecom = FakeWecom::start();
    let area = json!({"image_url": "https://example.test/a.png"});
    let with_area = changed(changed(news_card(), "/card_image", Value::Null), "/image_text_area", area);
    assert_eq!(send_payload(&wecom, "template_card", with_area.clone()).errcode(), 0);
    assert_eq!(send_to_group(&wecom, "template_card", with_area).errcode(), 42044);
    assert_eq!(wecom.complaints(), Vec::<String>::new());
    let with_task = changed(text_card(), "/task_id", json!("t"));
    assert_eq!(send_to_group(&wecom, "template_card", with_task).errcode(), 0);
    assert_eq!(wecom.complaints(), ["POST webhook/send: template_card.task_id is not a field of the reference here"]);
    wecom.expect_unexpected();
}
