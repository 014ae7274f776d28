//! Which cards the fake's aibot takes.

use serde_json::{Value, json};

use crate::support::fake::{AIBOT_CHAT, FakeWecom};

use super::{Line, card};

/// A card with a changed field.
fn with(task_id: &str, name: &str, value: Value) -> Value {
    let mut card = card(task_id);
    card[name] = value;
    card
}

fn notice(more: Value) -> Value {
    let mut card = json!({
        "card_type": "text_notice",
        "main_title": {"title": "磁盘满了"},
        "card_action": {"type": 1, "url": "https://example.test/"},
    });
    card.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    card
}

#[test]
fn a_task_id_is_needed_once_and_in_its_alphabet() {
    let wecom = FakeWecom::start();
    let mut line = Line::subscribed(&wecom);
    let mut send = |card: Value| line.send("zhangsan", "template_card", card);
    assert_eq!(send(card("disk-1")), 0);
    assert_eq!(send(card("disk-1")), 846_625);
    assert_eq!(send(card("Disk-1@web_3")), 0);
    for id in ["", "磁盘", "a b", "a:b", "a".repeat(129).as_str()] {
        assert_eq!(send(card(id)), 846_625, "{id}");
    }
    let mut bare = card("x");
    bare.as_object_mut().unwrap().remove("task_id");
    assert_eq!(send(bare), 846_625);
    assert_eq!(send(notice(json!({}))), 0);
    assert_eq!(send(notice(json!({"action_menu": {"action_list": [{"text": "静音", "key": "mute"}]}}))), 846_625);
    let lists = json!({
        "card_type": "multiple_interaction",
        "main_title": {"title": "交接"},
        "select_list": [{"question_key": "next", "option_list": [{"id": "lisi", "text": "李四"}]}],
        "submit_button": {"text": "提交", "key": "done"},
    });
    assert_eq!(send(lists), 0);
    // The same in another conversation: it is per bot.
    assert_eq!(line.send(AIBOT_CHAT, "template_card", card("disk-1")), 846_625);
}

#[test]
fn the_fields_that_differ_from_those_of_an_app() {
    let wecom = FakeWecom::start();
    let mut line = Line::subscribed(&wecom);
    let mut send = |card: Value| line.send("zhangsan", "template_card", card);
    let row = |more: Value| notice(json!({"horizontal_content_list": [more]}));
    assert_eq!(send(row(json!({"type": 1, "keyname": "看板", "url": "https://example.test/"}))), 0);
    assert_eq!(send(row(json!({"type": 3, "keyname": "值班", "userid": "lisi"}))), 0);
    assert_eq!(send(row(json!({"type": 2, "keyname": "附件", "media_id": "x"}))), 40058);
    let jump = |more: Value| notice(json!({"jump_list": [more]}));
    assert_eq!(send(jump(json!({"type": 3, "title": "问", "question": "q".repeat(200)}))), 0);
    assert_eq!(send(jump(json!({"type": 3, "title": "问", "question": "q".repeat(201)}))), 40058);
    assert_eq!(send(jump(json!({"type": 3, "title": "问"}))), 40063);
    assert_eq!(send(jump(json!({"type": 4, "title": "问"}))), 40058);
    assert_eq!(send(notice(json!({"feedback": {"id": "f"}}))), 0);
    let news = json!({
        "card_type": "news_notice",
        "main_title": {"title": "磁盘满了"},
        "card_action": {"type": 1, "url": "https://example.test/"},
        "image_text_area": {"image_url": "https://example.test/a.png"},
    });
    assert_eq!(send(news), 0);
    assert_eq!(send(json!({"card_type": "voice_notice"})), 42031);
    assert!(wecom.complaints().is_empty(), "{:?}", wecom.complaints());
    wecom.expect_unexpected();
    let mut send = |card: Value, field: &str| {
        let before = wecom.complaints().len();
        assert_eq!(line.send("zhangsan", "template_card", card), 0, "{field}");
        let complaints = wecom.complaints().split_off(before).join("\n");
        assert!(complaints.contains(field), "{field}: {complaints}");
    };
    send(with("a", "button_list", json!([{"type": 0, "text": "处理", "key": "ack"}])), "button_list[0].type");
    send(with("b", "button_list", json!([{"text": "处理", "key": "ack", "url": "https://example.test/"}])), "[0].url");
    send(with("c", "replace_text", json!("已处理")), "replace_text");
    let list = json!({"question_key": "q", "option_list": [{"id": "a", "text": "a"}], "disable": true});
    send(with("d", "button_selection", list), "disable");
}

#[test]
fn lengths_are_advice() {
    let wecom = FakeWecom::start();
    let mut line = Line::subscribed(&wecom);
    let long = "长".repeat(300);
    let card = json!({
        "card_type": "text_notice",
        "source": {"desc": long},
        "main_title": {"title": long, "desc": long},
        "emphasis_content": {"title": long, "desc": long},
        "sub_title_text": long,
        "horizontal_content_list": [{"keyname": long, "value": long}],
        "jump_list": [{"title": long}],
        "card_action": {"type": 1, "url": "https://example.test/"},
    });
    assert_eq!(line.send("zhangsan", "template_card", card), 0);
    let vote = json!({
        "card_type": "vote_interaction",
        "main_title": {"title": long, "desc": long},
        "task_id": "vote-1",
        "checkbox": {"question_key": "q", "option_list": [{"id": "a", "text": long, "is_checked": false}]},
        "submit_button": {"text": long, "key": "k"},
    });
    assert_eq!(line.send("zhangsan", "template_card", vote), 0);
    let messages = wecom.messages();
    assert_eq!(messages[0].remarks.len(), 9, "{:?}", messages[0].remarks);
    assert_eq!(messages[1].remarks.len(), 4, "{:?}", messages[1].remarks);
    // Those of the webhook, not of the app.
    let title = |title: String| notice(json!({"main_title": {"title": title}}));
    assert_eq!(line.send("zhangsan", "template_card", title("字".repeat(26))), 0);
    assert_eq!(line.send("zhangsan", "template_card", title("字".repeat(27))), 0);
    let messages = wecom.messages();
    assert_eq!((messages[2].remarks.len(), messages[3].remarks.len()), (0, 1));
}
