//! What is kept of a card: copies, first and later presses, bounds.

use serde_json::json;

use super::*;

const DAY_MS: u64 = 24 * 3_600 * 1_000;

pub(in crate::cards) fn new_card() -> NewCard {
    let card = json!({
        "card_type": "button_interaction",
        "main_title": { "title": "Disk full" },
        "horizontal_content_list": [{ "keyname": "host", "value": "web-1" }],
        "button_list": [{ "text": "Ack", "key": "ack" }],
        "task_id": "t",
    });
    NewCard {
        channel: Channel::App,
        profile: Some("ops".to_owned()),
        card,
        data: CardData::of(json!({ "commonLabels": { "alertname": "DiskFull" } })),
        response_code: Some("of the send".to_owned()),
    }
}

pub(in crate::cards) fn press(userid: &str) -> Press {
    let (task_id, key, response_code) = ("t".to_owned(), "ack".to_owned(), format!("of {userid}"));
    Press { task_id, key, userid: userid.to_owned(), response_code, ..Press::default() }
}

fn pressed(kept: Option<KeptCard>, userid: &str, now_ms: u64) -> (KeptCard, PressRank) {
    KeptCard::pressed(kept, Channel::App, userid, press(userid), now_ms)
}

#[test]
fn the_first_press_counts_and_copies_are_known() {
    let card = KeptCard::sent("t", new_card(), 1);
    assert_eq!((card.title.as_str(), card.is_known(), card.data.is_cut), ("Disk full", true, false));
    assert_eq!(card.fields, [("host".to_owned(), "web-1".to_owned())]);
    let (card, first) = pressed(Some(card), "lisi", 2);
    let (card, later) = pressed(Some(card), "zhangsan", 3);
    let (mut card, copy) = pressed(Some(card), "lisi", 4);
    assert_eq!((first, later, copy), (PressRank::First, PressRank::Later, PressRank::Copy));
    assert_eq!(card.first_press().map(|press| press.press.userid.as_str()), Some("lisi"));
    assert_eq!((card.presses.len(), card.count_codes(4)), (2, 3));
    assert_eq!(card.begin("lisi"), Some(1));
    assert_eq!(card.begin("lisi"), Some(2), "after a crash");
    card.end("lisi", Some("silenced"), false);
    assert_eq!((card.begin("lisi"), card.begin("nobody")), (None, None));
    assert_eq!(card.unfinished().map(|press| press.event_id.as_str()).collect::<Vec<_>>(), ["zhangsan"]);
}

fn take(card: &mut KeptCard, now_ms: u64) -> Option<String> {
    card.take_code(now_ms).map(|code| code.code)
}

#[test]
fn codes_are_used_once_and_for_72_hours() {
    let (mut card, _) = pressed(Some(KeptCard::sent("t", new_card(), 1)), "lisi", DAY_MS);
    assert_eq!(take(&mut card, DAY_MS).as_deref(), Some("of the send"));
    assert_eq!((card.count_codes(4 * DAY_MS - 1), card.count_codes(4 * DAY_MS)), (1, 0));
    assert_eq!(take(&mut card, 4 * DAY_MS), None);
    let mut fresh = KeptCard::sent("t", new_card(), DAY_MS);
    assert_eq!(take(&mut fresh, 0).as_deref(), Some("of the send"), "the clock was set back");
    assert_eq!(take(&mut fresh, 0), None);
    let code = KeptCode { code: "unused".to_owned(), since_ms: 1 };
    fresh.give_back(code);
    assert_eq!(take(&mut fresh, 2).as_deref(), Some("unused"));
}

#[test]
fn a_press_may_be_there_before_its_card() {
    let (early, rank) = pressed(None, "lisi", 1);
    assert_eq!((rank, early.is_known(), &early.data.value), (PressRank::First, false, &Value::Null));
    let mut card = KeptCard::sent("t", new_card(), 2).with_what_came_before(Some(early));
    assert!(card.is_known() && card.first_press().is_some());
    assert_eq!(take(&mut card, 2).as_deref(), Some("of lisi"));
    assert_eq!(take(&mut card, 2).as_deref(), Some("of the send"));
    // Another card with the id of an old one begins anew.
    let mut other = new_card();
    other.card["main_title"]["title"] = json!("Disk full again");
    let other = KeptCard::sent("t", other, 3).with_what_came_before(Some(card));
    assert_eq!((other.presses.len(), other.count_codes(3)), (0, 1));
}

#[test]
fn many_presses_are_bounded_but_for_the_first_and_the_open_ones() {
    let mut card = KeptCard::sent("t", new_card(), 1);
    for number in 0..200 {
        let userid = format!("u{number}");
        card = pressed(Some(card), &userid, number).0;
        if number != 7 {
            card.end(&userid, None, false);
        }
    }
    assert_eq!((card.presses.len(), card.codes.len()), (MOST_PRESSES, MOST_CODES));
    let kept: Vec<&str> = card.presses.iter().map(|press| press.event_id.as_str()).collect();
    assert_eq!((kept[0], kept[1], kept[49]), ("u0", "u7", "u199"));
}

#[test]
fn on_another_card_in_its_place_the_next_press_counts() {
    let (mut card, _) = pressed(Some(KeptCard::sent("t", new_card(), 1)), "lisi", 2);
    card.end("lisi", None, false);
    card.replace(json!({ "card_type": "button_interaction", "main_title": { "title": "Full again" } }));
    assert_eq!((card.title.as_str(), &card.card["task_id"]), ("Full again", &json!("t")));
    assert!(card.first_press().is_none() && card.fields.is_empty());
    let (card, copy) = pressed(Some(card), "lisi", 3);
    let (card, first) = pressed(Some(card), "zhangsan", 4);
    let (mut card, later) = pressed(Some(card), "wangwu", 5);
    assert_eq!((copy, first, later), (PressRank::Copy, PressRank::First, PressRank::Later));
    card.end("zhangsan", None, false);
    card.drop_presses(1);
    let left: Vec<&str> = card.presses.iter().map(|press| press.event_id.as_str()).collect();
    assert_eq!(left, ["zhangsan", "wangwu"]);
}

#[test]
fn a_file_stays_short() {
    let mut card = KeptCard::sent("t", NewCard { data: CardData::of(json!("x".repeat(50_000))), ..new_card() }, 1);
    for number in 0..40 {
        let long = Press { selected: vec![("q".to_owned(), vec!["x".repeat(10_000)])], ..press("lisi") };
        card = KeptCard::pressed(Some(card), Channel::App, &number.to_string(), long, 2).0;
        card.end(&number.to_string(), Some(&"x".repeat(5_000)), true);
    }
    let card = card.within(100_000);
    assert!(serde_json::to_string(&card).unwrap().len() <= 100_000);
    assert!(card.data.is_cut && card.is_known() && card.first_press().unwrap().event_id == "0");
    assert!(card.press("39").is_some());
}

#[test]
fn cards_grow_old() {
    let card = KeptCard::sent("t", new_card(), DAY_MS);
    assert!(!card.is_old(4 * DAY_MS) && card.is_old(4 * DAY_MS + 1));
    assert!(!card.is_old(0), "the clock was set back");
    let (card, _) = pressed(Some(card), "lisi", 2 * DAY_MS);
    assert!(!card.is_old(9 * DAY_MS) && card.is_old(9 * DAY_MS + 1));
}

#[test]
fn it_is_read_as_it_was_written() {
    let (mut card, _) = pressed(Some(KeptCard::sent("t", new_card(), 1)), "lisi", 2);
    card.end("lisi", Some("done"), true);
    let text = serde_json::to_string(&card).unwrap();
    let read: KeptCard = serde_json::from_str(&text).unwrap();
    assert_eq!(
        (read.presses[0].state.clone(), &read.presses[0].press),
        (card.presses[0].state.clone(), &card.presses[0].press)
    );
    assert_eq!(serde_json::to_string(&read).unwrap(), text);
}
