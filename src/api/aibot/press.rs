//! What an aibot's connection tells unasked, read from its frames: presses on cards, messages, the end.
//!
//! Pure. Reading is lenient: names in both spellings, numbers as strings, lists of one as the thing itself.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// What came over the connection unasked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum AibotEvent {
    /// Somebody pressed something on a card.
    Press(Box<Press>),
    /// Somebody wrote to the bot, which opens that conversation for its messages.
    Message(Message),
    /// Another connection has taken the bot over: this one is at its end.
    Kicked,
    /// The connection has ended, for this reason.
    Closed(String),
}

/// A press on a card: a button, the submit button of a vote, or an entry of the menu at the top right.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Press {
    /// Under which the card may be changed, within 5 s.
    pub(crate) req_id: String,
    /// The same for every copy of the event; empty where WeCom gives none.
    pub(crate) msgid: String,
    /// The card's.
    pub(crate) task_id: String,
    /// Of the button, the submit button or the menu entry.
    pub(crate) key: String,
    /// Who pressed; encrypted (`wo…`) where an ordinary member created the bot.
    pub(crate) userid: String,
    /// The group; `None` in a conversation with one member.
    pub(crate) chatid: Option<String>,
    /// Whether the card is in a group.
    pub(crate) is_group: bool,
    /// What was chosen: the key of each question, and the ids of its options.
    pub(crate) selected: Vec<(String, Vec<String>)>,
    /// When, in seconds of Unix time; 0 where WeCom does not say.
    pub(crate) at: i64,
    /// The kind of the card, as WeCom names it.
    pub(crate) card_type: String,
    /// Under which an app's card may be changed, once, within 72 h (document path 94888); empty for an aibot's.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) response_code: String,
}

/// Who wrote to the bot, where, and what.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Message {
    /// The same for every copy of the message; empty where WeCom gives none.
    pub(crate) msgid: String,
    /// Who wrote.
    pub(crate) userid: String,
    /// The group; `None` in a conversation with one member.
    pub(crate) chatid: Option<String>,
    /// The words; empty where it is no text.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) text: String,
}

/// What a callback of an aibot tells (document path 101039): as its connection does. A name that is not used is an error.
pub(crate) fn event_in_callback(body: &Map<String, Value>) -> Result<AibotEvent, String> {
    match text(body, &["msgtype", "msg_type"]).as_deref() {
        Some("event") => event_of(String::new(), body),
        Some(_) => Ok(message_of(body)),
        None => Err("without a type".to_owned()),
    }
}

/// An event, or the name of one that is not used here.
pub(super) fn event_of(req_id: String, body: &Map<String, Value>) -> Result<AibotEvent, String> {
    let event = object(body, "event");
    let kind = event.and_then(|event| text(event, &["eventtype", "event_type"])).unwrap_or_default();
    match (kind.as_str(), event) {
        ("disconnected_event", _) => Ok(AibotEvent::Kicked),
        ("template_card_event", Some(event)) => {
            // What was pressed stands in an object of its own; beside it where that is absent.
            let pressed = object(event, "template_card_event").unwrap_or(event);
            Ok(AibotEvent::Press(Box::new(press_of(req_id, body, pressed))))
        }
        ("", _) => Err("without a type".to_owned()),
        _ => Err(kind),
    }
}

/// A message.
pub(super) fn message_of(body: &Map<String, Value>) -> AibotEvent {
    // What was spoken comes as its words.
    let words = ["text", "voice"].into_iter().find_map(|kind| text(object(body, kind)?, &["content"]));
    AibotEvent::Message(Message {
        msgid: text(body, &["msgid"]).unwrap_or_default(),
        userid: userid_of(body),
        chatid: text(body, &["chatid"]),
        text: words.unwrap_or_default(),
    })
}

fn press_of(req_id: String, body: &Map<String, Value>, pressed: &Map<String, Value>) -> Press {
    let chatid = text(body, &["chatid"]);
    let named = |names| text(pressed, names).unwrap_or_default();
    Press {
        req_id,
        msgid: text(body, &["msgid"]).unwrap_or_default(),
        task_id: named(&["task_id", "taskid"]),
        key: named(&["event_key", "eventkey"]),
        userid: userid_of(body),
        is_group: text(body, &["chattype", "chat_type"])
            .map_or(chatid.is_some(), |kind| kind == "group" || kind == "2"),
        chatid,
        selected: selected_in(pressed),
        at: text(body, &["create_time", "createtime"]).and_then(|at| at.trim().parse().ok()).unwrap_or_default(),
        card_type: named(&["card_type", "cardtype"]),
        response_code: String::new(),
    }
}

fn userid_of(body: &Map<String, Value>) -> String {
    let from = object(body, "from").unwrap_or(body);
    text(from, &["userid", "user_id"]).unwrap_or_default()
}

/// The answers to the questions of a vote: `selected_items.selected_item[].option_ids.option_id[]`.
fn selected_in(pressed: &Map<String, Value>) -> Vec<(String, Vec<String>)> {
    let items = first(pressed, &["selected_items", "selecteditems"])
        .map(|items| inner(items, &["selected_item", "selecteditem"]));
    let questions = items.into_iter().flat_map(list).filter_map(Value::as_object);
    let answers = questions.map(|question| {
        let ids = first(question, &["option_ids", "optionids"]).map(|ids| inner(ids, &["option_id", "optionid"]));
        let ids = ids.into_iter().flat_map(list).filter_map(text_of).collect();
        (text(question, &["question_key", "questionkey"]).unwrap_or_default(), ids)
    });
    answers.collect()
}

/// What is in that field of an object; the value itself where it is none.
fn inner<'a>(value: &'a Value, names: &[&str]) -> &'a Value {
    value.as_object().and_then(|fields| first(fields, names)).unwrap_or(value)
}

/// The items of a list; what is no list is one item, null none.
fn list(value: &Value) -> &[Value] {
    match value {
        Value::Array(items) => items,
        Value::Null => &[],
        one => std::slice::from_ref(one),
    }
}

fn first<'a>(fields: &'a Map<String, Value>, names: &[&str]) -> Option<&'a Value> {
    names.iter().find_map(|name| fields.get(*name))
}

fn object<'a>(fields: &'a Map<String, Value>, name: &str) -> Option<&'a Map<String, Value>> {
    fields.get(name)?.as_object()
}

/// The first of these fields that has text.
pub(super) fn text(fields: &Map<String, Value>, names: &[&str]) -> Option<String> {
    names.iter().find_map(|name| text_of(fields.get(*name)?))
}

fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn press(body: Value) -> Press {
        match event_of("r1".to_owned(), body.as_object().unwrap()) {
            Ok(AibotEvent::Press(press)) => *press,
            other => panic!("{other:?}"),
        }
    }

    fn whole() -> Press {
        Press {
            req_id: "r1".to_owned(),
            msgid: "m1".to_owned(),
            task_id: "t1".to_owned(),
            key: "submit".to_owned(),
            userid: "zhangsan".to_owned(),
            chatid: Some("room".to_owned()),
            is_group: true,
            selected: vec![
                ("q1".to_owned(), vec!["a".to_owned(), "2".to_owned()]),
                ("q2".to_owned(), vec!["b".to_owned()]),
            ],
            at: 1_700_000_000,
            card_type: "vote_interaction".to_owned(),
            response_code: String::new(),
        }
    }

    #[test]
    fn a_press_as_the_page_shows_it_and_as_its_table_spells_it() {
        let body = |event: Value| {
            json!({
                "msgid": "m1", "create_time": 1_700_000_000, "aibotid": "b", "chatid": "room", "chattype": "group",
                "from": {"userid": "zhangsan"}, "msgtype": "event",
                "event": {"eventtype": "template_card_event", "template_card_event": event},
            })
        };
        let by_samples = json!({
            "card_type": "vote_interaction", "event_key": "submit", "task_id": "t1",
            "selected_items": {"selected_item": [
                {"question_key": "q1", "option_ids": {"option_id": ["a", 2]}},
                {"question_key": "q2", "option_ids": {"option_id": ["b"]}},
            ]},
        });
        let by_table = json!({
            "cardtype": "vote_interaction", "eventkey": "submit", "taskid": "t1",
            "selected_items": [
                {"question_key": "q1", "optionids": ["a", "2"]},
                {"question_key": "q2", "optionids": {"option_id": "b"}},
            ],
        });
        assert_eq!(press(body(by_samples)), whole());
        assert_eq!(press(body(by_table)), whole());
    }

    #[test]
    fn a_press_with_little_in_it_is_one() {
        let event = json!({"eventtype": "template_card_event", "event_key": "ack", "task_id": 17});
        let found = press(json!({"create_time": " 1700000000 ", "chattype": 1, "event": event}));
        assert_eq!((found.key.as_str(), found.task_id.as_str(), found.at), ("ack", "17", 1_700_000_000));
        assert!(!found.is_group && found.chatid.is_none() && found.selected.is_empty() && found.userid.is_empty());
    }

    #[test]
    fn other_events_are_named() {
        let named = |body: Value| event_of(String::new(), body.as_object().unwrap());
        assert_eq!(named(json!({"event": {"eventtype": "disconnected_event"}})), Ok(AibotEvent::Kicked));
        assert_eq!(named(json!({"event": {"eventtype": "enter_chat"}})), Err("enter_chat".to_owned()));
        assert_eq!(named(json!({})), Err("without a type".to_owned()));
    }

    #[test]
    fn a_press_survives_the_way_between_processes() {
        let there = serde_json::to_string(&whole()).unwrap();
        assert_eq!(serde_json::from_str::<Press>(&there).unwrap(), whole());
    }

    /// Any JSON, with the names that are looked for among its keys.
    fn any_json() -> impl Strategy<Value = Value> {
        let names = [
            "event",
            "eventtype",
            "template_card_event",
            "event_key",
            "task_id",
            "selected_items",
            "selected_item",
            "question_key",
            "option_ids",
            "option_id",
            "from",
            "userid",
            "chatid",
            "chattype",
            "create_time",
            "msgid",
            "headers",
            "req_id",
            "body",
            "cmd",
            "errcode",
        ];
        let texts =
            ["", "template_card_event", "disconnected_event", "aibot_event_callback", "aibot_msg_callback", "1"];
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            prop::sample::select(texts.to_vec()).prop_map(Value::from),
        ];
        leaf.prop_recursive(5, 40, 6, move |inner| {
            let key = prop::sample::select(names.to_vec()).prop_map(str::to_owned);
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::vec((key, inner), 0..8)
                    .prop_map(|fields| Value::Object(fields.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn every_frame_is_read_as_something(frame in any_json()) {
            crate::api::aibot::frame::read(frame.to_string().as_bytes());
            if let Some(body) = frame.as_object() {
                let _ = event_of(String::new(), body);
                message_of(body);
            }
        }

        #[test]
        fn no_press_is_lost(frame in any_json(), key in "[a-z]{1,8}", task_id in "[a-z]{1,8}") {
            let mut body = frame.as_object().cloned().unwrap_or_default();
            let pressed = json!({"event_key": key, "task_id": task_id, "selected_items": frame});
            let event = json!({"eventtype": "template_card_event", "template_card_event": pressed});
            body.insert("event".to_owned(), event);
            let found = press(Value::Object(body));
            prop_assert_eq!((found.key, found.task_id), (key, task_id));
        }

        #[test]
        fn bytes_of_any_kind_are_no_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            crate::api::aibot::frame::read(&bytes);
        }
    }
}
