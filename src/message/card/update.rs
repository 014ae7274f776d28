//! The body of `update_template_card` (document path 94888), and its rules: those of a card that is sent, with a few
//! differences. An update has no `task_id`; an interactive card may have `replace_text`, which turns its button off and
//! stands on it; lists may have `disable`; `submit_button` may be missing.

use serde_json::{Map, Value, json};

use super::CardType;
use crate::channel::{Channel, MsgType};
use crate::message::Findings;
use crate::message::check_body;
use crate::message::finding::At;
use crate::message::recipients::{ALL, RecipientKind};

/// The fields of the body that say whose card is updated, each with the list of a message that has the same rules.
pub const TARGETS: [(&str, RecipientKind); 3] =
    [("userids", RecipientKind::User), ("partyids", RecipientKind::Party), ("tagids", RecipientKind::Tag)];

/// The name of the button's text, on a card that is only turned off.
pub const REPLACE_NAME: &str = "replace_name";

/// Checks a whole body. It has either a `template_card` or only a new name of the button.
pub fn check_update(body: &Value) -> Findings {
    let mut findings = check_body(Channel::App, &as_message(body));
    for finding in findings.errors.iter_mut().chain(&mut findings.warnings) {
        if let Some((name, _)) = TARGETS.iter().find(|(_, kind)| finding.path == kind.as_str()) {
            (*name).clone_into(&mut finding.path);
        }
    }
    if let Some(card) = body.get("template_card").and_then(Value::as_object) {
        check_additions(card, &mut At::root(&mut findings).field("template_card"));
    }
    findings
}

/// A message that has the same content and recipients: what an update adds is taken out, and what it lacks is filled in.
fn as_message(body: &Value) -> Value {
    let mut message = match body.get("template_card") {
        Some(card) => json!({ "msgtype": MsgType::TemplateCard.as_str(), "template_card": as_sent(card) }),
        None => json!({ "msgtype": MsgType::Text.as_str(), "text": { "content": body["button"][REPLACE_NAME] } }),
    };
    if let Some(agent_id) = body.get("agentid") {
        message["agentid"] = agent_id.clone();
    }
    for (name, kind) in TARGETS {
        let ids = body.get(name).and_then(Value::as_array);
        let id = |id: &Value| id.as_str().map_or_else(|| id.to_string(), str::to_owned);
        let ids: Vec<String> = ids.into_iter().flatten().map(id).collect();
        if !ids.is_empty() {
            message[kind.as_str()] = json!(ids.join("|"));
        }
    }
    if body.get("atall").is_some() {
        message[RecipientKind::User.as_str()] = json!(ALL);
    }
    message
}

fn as_sent(card: &Value) -> Value {
    let mut card = card.clone();
    let Some(fields) = card.as_object_mut() else { return card };
    let card_type = type_of(fields);
    let needs_id = card_type.is_some_and(|card_type| !card_type.is_notice()) || fields.contains_key("action_menu");
    if needs_id && !fields.contains_key("task_id") {
        fields.insert("task_id".to_owned(), json!("x"));
    }
    if card_type.is_some_and(CardType::is_asking) && !fields.contains_key("submit_button") {
        fields.insert("submit_button".to_owned(), json!({ "text": "x", "key": "x" }));
    }
    if card_type.is_some_and(|card_type| !card_type.is_notice()) {
        fields.remove("replace_text");
    }
    for list in lists(fields) {
        list.remove("disable");
    }
    card
}

fn type_of(card: &Map<String, Value>) -> Option<CardType> {
    card.get("card_type")?.as_str()?.parse().ok()
}

/// `checkbox`, and the items of `select_list`.
fn lists(card: &mut Map<String, Value>) -> Vec<&mut Map<String, Value>> {
    let mut found = Vec::new();
    for (name, value) in card.iter_mut() {
        match (name.as_str(), value) {
            ("checkbox", Value::Object(checkbox)) => found.push(checkbox),
            ("select_list", Value::Array(selects)) => found.extend(selects.iter_mut().filter_map(Value::as_object_mut)),
            _ => {}
        }
    }
    found
}

/// The fields that only an update has.
fn check_additions(card: &Map<String, Value>, at: &mut At<'_>) {
    if card.contains_key("task_id") {
        at.field("task_id").error("an update has none: the card keeps its own");
    }
    if card.get("replace_text").is_some_and(|text| !text.is_string()) {
        at.field("replace_text").error("expected a string");
    }
    let mut card = card.clone();
    if lists(&mut card).iter().any(|list| list.get("disable").is_some_and(|is_off| !is_off.is_boolean())) {
        at.error("disable: expected true or false");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn errors(body: &Value) -> Vec<String> {
        check_update(body).errors.iter().map(ToString::to_string).collect()
    }

    fn with(card: Value) -> Value {
        json!({ "atall": 1, "agentid": 1, "response_code": "x", "template_card": card })
    }

    fn vote() -> Value {
        json!({
            "card_type": "vote_interaction",
            "main_title": { "title": "Reboot?" },
            "checkbox": {
                "question_key": "q", "disable": true,
                "option_list": [{ "id": "now", "text": "Now", "is_checked": true }],
            },
            "replace_text": "closed",
        })
    }

    #[test]
    fn an_update_may_have_what_a_message_may_not() {
        assert_eq!(errors(&with(vote())), [""; 0]);
        let select = json!({
            "card_type": "multiple_interaction",
            "main_title": { "title": "Reboot?" },
            "select_list": [{ "question_key": "q", "disable": true, "option_list": [{ "id": "now", "text": "Now" }] }],
        });
        assert_eq!(errors(&with(select)), [""; 0]);
        let buttons = json!({
            "card_type": "button_interaction",
            "main_title": { "title": "Disk full" },
            "button_list": [{ "text": "Ack", "key": "ack" }],
            "replace_text": "taken by zhangsan",
        });
        assert_eq!(errors(&with(buttons)), [""; 0]);
    }

    #[test]
    fn the_rules_of_cards_hold_all_the_same() {
        let mut card = vote();
        card["task_id"] = json!("x");
        assert_eq!(errors(&with(card)), ["template_card.task_id: an update has none: the card keeps its own"]);
        let mut card = vote();
        card["replace_text"] = json!(1);
        card["checkbox"]["disable"] = json!("yes");
        assert_eq!(errors(&with(card)).len(), 2);
        let notice = json!({ "card_type": "text_notice", "main_title": { "title": "x" }, "replace_text": "x" });
        let found = errors(&with(notice));
        assert!(found.iter().any(|error| error.starts_with("template_card.replace_text: unknown field")), "{found:?}");
        assert!(found.iter().any(|error| error.starts_with("template_card.card_action: missing")), "{found:?}");
    }

    #[test]
    fn whose_card_it_is_has_limits() {
        let body = |field: &str, ids: Value| json!({ "agentid": 1, "button": { "replace_name": "x" }, field: ids });
        assert_eq!(errors(&body("userids", json!(["zhangsan", "lisi"]))), [""; 0]);
        assert_eq!(errors(&body("partyids", json!([1, 2]))), [""; 0]);
        assert_eq!(errors(&body("atall", json!(1))), [""; 0]);
        let many: Vec<String> = (0..1001).map(|at| format!("u{at}")).collect();
        assert_eq!(errors(&body("userids", json!(many))), ["userids: 1001 userids, the limit is 1000"]);
        assert_eq!(
            errors(&body("tagids", json!((0..101).collect::<Vec<_>>()))),
            ["tagids: 101 tag ids, the limit is 100"]
        );
        assert!(errors(&body("userids", json!(["张三"])))[0].starts_with("userids: id 1 of 1"));
    }
}
