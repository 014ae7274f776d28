//! Clicks on the cards of the fake's aibot, and the changes that answer them.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::fake::{AIBOT_CHAT, AIBOT_ID, Click, FakeWecom};

use super::{Line, card};

fn vote(task_id: &str) -> Value {
    json!({
        "card_type": "vote_interaction",
        "main_title": {"title": "今晚发布哪些？"},
        "task_id": task_id,
        "checkbox": {"question_key": "services", "mode": 1, "option_list": [
            {"id": "a", "text": "orders", "is_checked": true}, {"id": "b", "text": "payment", "is_checked": false},
        ]},
        "submit_button": {"text": "提交", "key": "submit"},
    })
}

#[test]
fn an_answer_has_five_seconds_one_try_and_the_right_card() {
    let wecom = FakeWecom::start();
    let bot = wecom.aibot(AIBOT_ID);
    let mut line = Line::subscribed(&wecom);
    assert_eq!(line.send("zhangsan", "template_card", card("disk-1")), 0);
    assert_eq!(line.send("zhangsan", "template_card", card("disk-2")), 0);
    let click = bot.press("disk-1", "ack", "zhangsan");
    assert_eq!(line.update("somebody-elses", card("disk-1")), 846_605);
    assert_eq!(line.update(&click, card("disk-2")), 846_625);
    let mut without = card("disk-1");
    without.as_object_mut().unwrap().remove("task_id");
    assert_eq!(line.update(&click, without), 846_625);
    assert_eq!(line.update(&click, card("disk-1")), 0);
    assert_eq!(line.update(&click, card("disk-1")), 846_606);
    // The card still has its buttons: each click is another chance.
    let again = bot.press("disk-1", "false", "zhangsan");
    bot.age_presses(Duration::from_secs(6));
    assert_eq!(line.update(&again, card("disk-1")), 846_604);
    assert_eq!((bot.updates().len(), bot.cards()[0].changes), (1, 1));
    let type_of = |response: &str| json!({"response_type": response, "template_card": card("disk-1")});
    let click = bot.press("disk-1", "ack", "zhangsan");
    line.respond(&click, "aibot_respond_update_msg", &type_of("update_card"));
    assert_eq!(line.answer_to(&click)["errcode"], 40058);
}

#[test]
fn an_answer_may_come_over_the_next_connection() {
    let wecom = FakeWecom::start();
    let bot = wecom.aibot(AIBOT_ID);
    let mut line = Line::subscribed(&wecom);
    assert_eq!(line.send("zhangsan", "template_card", card("disk-1")), 0);
    let click = bot.press("disk-1", "ack", "zhangsan");
    drop(line);
    let mut line = Line::subscribed(&wecom);
    assert_eq!(line.update(&click, card("disk-1")), 0);
}

#[test]
fn in_a_group_each_may_see_another_card() {
    let wecom = FakeWecom::start();
    let bot = wecom.aibot(AIBOT_ID);
    let mut line = Line::subscribed(&wecom);
    assert_eq!(line.send(AIBOT_CHAT, "template_card", card("disk-1")), 0);
    let click = bot.press("disk-1", "ack", "lisi");
    assert_eq!(line.event()["body"]["chatid"], AIBOT_CHAT);
    let mut done = card("disk-1");
    done["button_list"] = json!([{"text": "李四在处理", "key": "done"}]);
    let body = json!({"response_type": "update_template_card", "userids": ["lisi"], "template_card": done});
    line.respond(&click, "aibot_respond_update_msg", &body);
    assert_eq!(line.answer_to(&click)["errcode"], 0);
    let shown = &bot.cards()[0];
    assert_eq!((shown.face_of("lisi"), shown.face_of("wangwu")), (&done, &card("disk-1")));
    let second = bot.press("disk-1", "ack", "wangwu");
    assert_eq!(line.update(&second, done.clone()), 0);
    assert_eq!(bot.cards()[0].face_of("wangwu"), &done);
    let stale = Click { task_id: "disk-1", key: "ack", userid: "lisi", chosen: &[], on_any_face: false };
    assert!(bot.try_press(&stale).unwrap_err().contains("done"));
    bot.press_stale("disk-1", "ack", "lisi");
    assert_eq!(bot.presses().len(), 3);
}

#[test]
fn a_card_keeps_its_kind_unless_it_need_not() {
    let wecom = FakeWecom::start();
    let bot = wecom.aibot(AIBOT_ID);
    let mut line = Line::subscribed(&wecom);
    assert_eq!(line.send("zhangsan", "template_card", card("disk-1")), 0);
    let notice = json!({
        "card_type": "text_notice",
        "main_title": {"title": "处理好了"},
        "task_id": "disk-1",
        "card_action": {"type": 1, "url": "https://example.test/"},
    });
    let click = bot.press("disk-1", "ack", "zhangsan");
    assert_eq!(line.update(&click, notice.clone()), 40058);
    bot.set(|bot| bot.takes_other_kinds = true);
    assert_eq!(line.update(&click, notice), 0);
}

#[test]
fn votes_and_menus() {
    let wecom = FakeWecom::start();
    let bot = wecom.aibot(AIBOT_ID);
    let mut line = Line::subscribed(&wecom);
    assert_eq!(line.send("zhangsan", "template_card", vote("vote-1")), 0);
    let click = bot.vote("vote-1", "submit", "zhangsan", &[("services", &["a", "b"])]);
    let event = line.event()["body"]["event"]["template_card_event"].clone();
    assert_eq!((&event["card_type"], &event["event_key"]), (&json!("vote_interaction"), &json!("submit")));
    let chosen = json!([{"question_key": "services", "option_ids": {"option_id": ["a", "b"]}}]);
    assert_eq!(event["selected_items"]["selected_item"], chosen);
    let mut closed = vote("vote-1");
    closed["checkbox"]["disable"] = json!(true);
    assert_eq!(line.update(&click, closed), 0);
    assert_eq!(bot.cards()[0].face["checkbox"]["disable"], true);
    for chosen in [[("other", &["a"][..])], [("services", &["c"][..])]] {
        let click = Click { task_id: "vote-1", key: "submit", userid: "zhangsan", chosen: &chosen, on_any_face: true };
        assert!(bot.try_press(&click).is_err());
    }
    let menu = json!({"action_list": [{"text": "静音", "key": "mute"}]});
    let notice = json!({
        "card_type": "text_notice",
        "main_title": {"title": "磁盘满了"},
        "task_id": "notice-1",
        "action_menu": menu,
        "card_action": {"type": 1, "url": "https://example.test/"},
    });
    assert_eq!(line.send("zhangsan", "template_card", notice), 0);
    bot.press("notice-1", "mute", "zhangsan");
    let body = line.event()["body"].clone();
    assert_eq!(body["event"]["eventtype"], "template_card_event");
    assert_eq!(body["event"]["template_card_event"]["event_key"], "mute");
    // The other spelling, of the table on that page.
    bot.set(|bot| bot.spells_without_underscores = true);
    assert_eq!(line.send("zhangsan", "template_card", vote("vote-2")), 0);
    bot.vote("vote-2", "submit", "zhangsan", &[("services", &["b"])]);
    let event = line.event()["body"]["event"]["template_card_event"].clone();
    let expected = json!({
        "cardtype": "vote_interaction", "eventkey": "submit", "taskid": "vote-2",
        "selecteditems": {"selecteditem": [{"questionkey": "services", "optionids": {"optionid": ["b"]}}]},
    });
    assert_eq!(event, expected);
}

#[test]
fn events_come_twice_or_not_at_all() {
    let wecom = FakeWecom::start();
    let bot = wecom.aibot(AIBOT_ID);
    let mut line = Line::subscribed(&wecom);
    assert_eq!(line.send("zhangsan", "template_card", card("disk-1")), 0);
    bot.press("disk-1", "ack", "zhangsan");
    bot.repeat_event();
    assert_eq!(line.event(), line.event());
    drop(line);
    crate::support::wait_until("the connection is gone", || !bot.is_subscribed());
    bot.press("disk-1", "false", "zhangsan");
    assert_eq!(bot.presses().iter().map(|press| press.is_told).collect::<Vec<_>>(), [true, false]);
    // Nothing is kept for whoever comes later.
    let mut line = Line::subscribed(&wecom);
    assert_eq!((line.code("ping", Value::Null), line.events.len()), (0, 0));
    let unseen = |userid| Click { task_id: "disk-1", key: "ack", userid, chosen: &[], on_any_face: false };
    assert!(bot.try_press(&unseen("lisi")).is_err());
    assert!(bot.try_press(&Click { task_id: "disk-9", ..unseen("zhangsan") }).is_err());
}
