//! The exact JSON of cards.

use serde_json::{Value, json};

use super::super::{Alert, Emphasis, Jump, Level};
use super::{HOSTILE, buttons, choices, disk_full, fields, findings, link, notice, titled};
use crate::channel::Channel::{self, App, Webhook};
use crate::channel::MsgType;
use crate::message::Findings;
use crate::message::card::CardType::{self, *};

/// The card, which breaks no rule and follows all advice, and what it left over.
fn card(alert: &Alert, card_type: CardType, channel: Channel) -> (Value, Option<String>) {
    let card = alert.card(card_type, channel).unwrap();
    let value = crate::message::Wire::write(&card.content);
    let content = Box::new(card.content);
    assert_eq!(findings(channel, MsgType::TemplateCard, &content), Findings::default());
    (value, card.rest)
}

#[test]
fn text_notice() {
    let alert = Alert {
        fields: fields(&[("host", "web-1"), ("region_name", "cn-1"), ("user", "")]),
        body: Some(HOSTILE.to_owned()),
        link: link("https://example.com/1", Some("open")),
        source: Some("monitor".to_owned()),
        emphasis: Some(Emphasis { title: "98%".to_owned(), desc: "used".to_owned() }),
        quote: Some("q".to_owned()),
        jumps: vec![Jump { title: "runbook".to_owned(), url: "https://example.com/2".to_owned() }],
        ..titled(Some(Level::Critical), "Disk")
    };
    let expected = json!({
        "card_type": "text_notice",
        "source": {"desc": "monitor", "desc_color": 2},
        "main_title": {"title": "[CRITICAL] Disk"},
        "quote_area": {"quote_text": "q"},
        "emphasis_content": {"title": "98%", "desc": "used"},
        "sub_title_text": format!("region_name: cn-1\n{HOSTILE}"),
        "horizontal_content_list": [{"keyname": "host", "value": "web-1"}, {"keyname": "user"}],
        "jump_list": [
            {"type": 1, "title": "open", "url": "https://example.com/1"},
            {"type": 1, "title": "runbook", "url": "https://example.com/2"},
        ],
        "card_action": {"type": 1, "url": "https://example.com/1"},
    });
    for channel in [App, Webhook] {
        assert_eq!(card(&alert, TextNotice, channel), (expected.clone(), None));
    }
}

#[test]
fn news_notice() {
    let alert = Alert {
        fields: fields(&[("host", "web-1"), ("region_name", "cn-1")]),
        body: Some("short".to_owned()),
        picurl: Some("https://example.com/p.png".to_owned()),
        ..notice()
    };
    let expected = json!({
        "card_type": "news_notice",
        "main_title": {"title": "[OK] Disk", "desc": "short"},
        "card_image": {"url": "https://example.com/p.png"},
        "vertical_content_list": [{"title": "region_name", "desc": "cn-1"}],
        "horizontal_content_list": [{"keyname": "host", "value": "web-1"}],
        "card_action": {"type": 1, "url": "https://example.com/1"},
    });
    for channel in [App, Webhook] {
        assert_eq!(card(&alert, NewsNotice, channel), (expected.clone(), None));
    }
}

/// Of a title that is cut the name must be left; two letters take the room of one Chinese character.
#[test]
fn the_name_of_a_notification_comes_before_its_status() {
    let alert = Alert {
        fields: fields(&[("mountpoint", "/data"), ("namespace", "shop"), ("集群名称一", "c"), ("cluster_name", "x")]),
        body: Some("one\nrunbook_url: https://example.com/r\nhttps://example.com/2\n\ntwo".to_owned()),
        has_links_in_body: true,
        status_len: "[FIRING:2, RESOLVED:1] ".len(),
        ..titled(Some(Level::Critical), "[FIRING:2, RESOLVED:1] HighDiskUsage (job=node)")
    };
    let alert = Alert { link: link("https://example.com/1", None), prefix: Some("【prod】".to_owned()), ..alert };
    for channel in [App, Webhook] {
        let (card, rest) = card(&alert, TextNotice, channel);
        let title = card["main_title"]["title"].as_str().unwrap();
        assert!(title.starts_with("【prod】HighDiskUsage"), "{title}");
        let keys: Vec<_> =
            card["horizontal_content_list"].as_array().unwrap().iter().map(|item| &item["keyname"]).collect();
        assert_eq!(keys, ["mountpoint", "namespace", "集群名称一"]);
        assert_eq!(
            card["jump_list"],
            json!([{"type": 1, "title": "runbook_url", "url": "https://example.com/r"},
                   {"type": 1, "title": "Details", "url": "https://example.com/2"}])
        );
        let shown = format!("{}{}", card["sub_title_text"], rest.unwrap_or_default());
        assert!(shown.contains("cluster_name: x") && shown.contains("two") && !shown.contains("https://"), "{shown}");
    }
    let own = Alert { title: Some("[prod] Disk".to_owned()), ..alert };
    assert_eq!(card(&own, TextNotice, App).0["main_title"]["title"], "【prod】[CRITICAL] [prod] Disk");
}

#[test]
fn interactive_cards() {
    let asking =
        Alert { task_id: Some("t-1".to_owned()), source: Some("ci".to_owned()), ..titled(Some(Level::Ok), "Deploy?") };
    let mut pressed = Alert { buttons: buttons(2), body: Some("v2".to_owned()), ..asking.clone() };
    pressed.buttons[1].style = Some(2);
    let expected = json!({
        "card_type": "button_interaction",
        "source": {"desc": "ci", "desc_color": 3},
        "task_id": "t-1",
        "main_title": {"title": "[OK] Deploy?"},
        "sub_title_text": "v2",
        "button_list": [{"text": "t0", "key": "k0"}, {"text": "t1", "style": 2, "key": "k1"}],
    });
    assert_eq!(card(&pressed, ButtonInteraction, App), (expected, None));
    let asked = Alert { options: choices(1), fields: fields(&[("a", "b")]), body: Some("v2".to_owned()), ..asking };
    let expected = json!({
        "card_type": "vote_interaction",
        "source": {"desc": "ci"},
        "task_id": "t-1",
        "main_title": {"title": "[OK] Deploy?", "desc": "a: b\nv2"},
        "checkbox": {"question_key": "choice", "option_list": [{"id": "i0", "text": "t0", "is_checked": false}]},
        "submit_button": {"text": "Submit", "key": "submit"},
    });
    assert_eq!(card(&asked, VoteInteraction, App), (expected, None));
    let expected = json!({
        "card_type": "multiple_interaction",
        "source": {"desc": "ci"},
        "task_id": "t-1",
        "main_title": {"title": "[OK] Deploy?", "desc": "a: b\nv2"},
        "select_list": [{"question_key": "choice", "option_list": [{"id": "i0", "text": "t0"}]}],
        "submit_button": {"text": "Submit", "key": "submit"},
    });
    assert_eq!(card(&asked, MultipleInteraction, App), (expected, None));
}

#[test]
fn a_card_takes_six_short_fields_and_the_others_stand_below() {
    let pairs: Vec<_> = (0..8).map(|n| (format!("k{n}"), "v".repeat(if n == 0 { 27 } else { 26 }))).collect();
    let pairs: Vec<_> = pairs.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    let alert = Alert { fields: fields(&pairs), ..notice() };
    let listed = |card: &Value| {
        let list = card["horizontal_content_list"].as_array().unwrap();
        list.iter().map(|item| item["keyname"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let (shown, rest) = card(&alert, TextNotice, Webhook);
    assert_eq!(listed(&shown), ["k1", "k2", "k3", "k4", "k5", "k6"]);
    assert_eq!(shown["sub_title_text"], format!("k0: {}\nk7: {}", "v".repeat(27), "v".repeat(26)));
    assert_eq!(rest, None);
    // An app's card shows 30 characters of a value.
    assert_eq!(listed(&card(&alert, TextNotice, App).0), ["k0", "k1", "k2", "k3", "k4", "k5"]);
}

#[test]
fn what_has_no_room_on_a_card_is_left_over() {
    let body = format!("first\n{}\nlast", "x".repeat(160));
    let title = "磁".repeat(40);
    let alert = Alert { body: Some(body), title: Some(title.clone()), level: None, ..notice() };
    for (channel, length) in [(App, 36), (Webhook, 26)] {
        let (card, rest) = card(&alert, TextNotice, channel);
        assert_eq!(card["main_title"]["title"], format!("{}…", "磁".repeat(length - 1)));
        assert_eq!(card["sub_title_text"], format!("{title}\nfirst\n…"));
        assert_eq!(rest, Some(format!("{}\nlast", "x".repeat(160))));
    }
}

/// What would be cut is shown whole in the text after the card, and no title is cut twice.
#[test]
fn what_would_be_cut_is_whole_in_what_is_left_over() {
    let said = "one two three four five six seven eight nine";
    let alert =
        Alert { body: Some(format!("{said}\nlast")), picurl: Some("https://example.com/p.png".into()), ..notice() };
    let alert = Alert { prefix: Some("p".to_owned()), ..alert };
    let (shown, rest) = card(&alert, NewsNotice, Webhook);
    assert_eq!(shown["main_title"], json!({"title": "p [OK] Disk", "desc": "one two three four five six \n…"}));
    assert_eq!(rest, Some(format!("{said}\nlast")));

    let title = "a title of more than thirty characters";
    let alert = Alert { title: Some(title.to_owned()), body: Some("now".to_owned()), ..alert };
    let (shown, rest) = card(&alert, NewsNotice, Webhook);
    assert_eq!(shown["main_title"], json!({"title": "p [OK] a title of more th…", "desc": "now"}));
    assert_eq!(rest, Some(format!("[OK] {title}")));
    let alert = Alert { body: Some(said.to_owned()), ..alert };
    assert_eq!(card(&alert, NewsNotice, Webhook).1, Some(format!("[OK] {title}\n{said}")));
}

#[test]
fn a_card_of_only_text() {
    let alert = Alert { body: Some("down".to_owned()), title: None, level: None, ..notice() };
    let (card, _) = card(&alert, TextNotice, Webhook);
    assert_eq!((&card["main_title"], &card["sub_title_text"]), (&json!({}), &json!("down")));
}

#[test]
fn the_content_of_a_card_can_be_sent_without_a_card() {
    let alert = Alert {
        source: Some("node".to_owned()),
        emphasis: Some(Emphasis { title: "98%".to_owned(), desc: "used".to_owned() }),
        quote: Some("said".to_owned()),
        jumps: vec![Jump { title: "runbook".to_owned(), url: "https://example.com/r".to_owned() }],
        buttons: buttons(1),
        options: choices(1),
        task_id: Some("t-1".to_owned()),
        fields: fields(&[("host", "web-1")]),
        body: Some("full".to_owned()),
        ..notice()
    };
    let expected = "[OK] Disk\nsource: node\nused: 98%\nhost: web-1\nrunbook: https://example.com/r\n\nsaid\nfull\n\
        https://example.com/1";
    assert_eq!(alert.without_card().text().joined(), expected);
    let plain = disk_full();
    assert_eq!(plain.without_card(), plain);
    assert_eq!(Alert::default().without_card(), Alert::default());
}
