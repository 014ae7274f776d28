//! Rules of template cards on both channels.

mod blocks;
mod matrix;
mod sizes;

use serde_json::{Value, json};

use super::CardType;
use crate::channel::{Addressing, Channel};
use crate::message::{Finding, Findings, check_body};

fn lines(findings: &[Finding]) -> Vec<String> {
    findings.iter().map(|finding| finding.to_string().replacen("template_card", "card", 1)).collect()
}

/// Checks the card with `changes` merged in; null takes a field out.
fn check(channel: Channel, mut card: Value, changes: Value) -> Findings {
    merge(&mut card, changes);
    let mut body = json!({"msgtype": "template_card", "template_card": card});
    if channel.facts().addressing == Addressing::Recipients {
        body["touser"] = "zhangsan".into();
    }
    check_body(channel, &body)
}

fn merge(value: &mut Value, changes: Value) {
    match (value, changes) {
        (Value::Object(fields), Value::Object(changes)) => {
            for (name, change) in changes {
                if change.is_null() {
                    fields.remove(&name);
                } else {
                    merge(fields.entry(name).or_insert(Value::Null), change);
                }
            }
        }
        (value, changes) => *value = changes,
    }
}

fn merged(mut value: Value, changes: Value) -> Value {
    merge(&mut value, changes);
    value
}

fn errors(channel: Channel, card: Value, changes: Value) -> Vec<String> {
    lines(&check(channel, card, changes).errors)
}

fn app_errors(card: Value, changes: Value) -> Vec<String> {
    errors(Channel::App, card, changes)
}

/// A valid card of the type, with the least that it needs on both channels.
fn sample(card_type: CardType) -> Value {
    let mut card = json!({"card_type": card_type.as_str(), "main_title": {"title": "t"}});
    let options = json!([{"id": "a", "text": "A"}]);
    let submit = json!({"text": "send", "key": "s"});
    let others = match card_type {
        CardType::TextNotice => json!({"card_action": {"type": 1, "url": "https://example.test"}}),
        CardType::NewsNotice => json!({"card_action": {"type": 2, "appid": "wx0"},
            "card_image": {"url": "https://example.test/a.png"}}),
        CardType::ButtonInteraction => json!({"task_id": "t", "button_list": [{"text": "B", "key": "b"}]}),
        CardType::VoteInteraction => json!({"task_id": "t", "submit_button": submit, "checkbox": {"question_key": "q",
            "option_list": [{"id": "a", "text": "A", "is_checked": false}]}}),
        CardType::MultipleInteraction => json!({"task_id": "t", "submit_button": submit,
            "select_list": [{"question_key": "q", "option_list": options}]}),
    };
    merge(&mut card, others);
    card
}

fn text() -> Value {
    sample(CardType::TextNotice)
}

fn buttons(list: Value) -> Vec<String> {
    app_errors(sample(CardType::ButtonInteraction), json!({ "button_list": list }))
}
