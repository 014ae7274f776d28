//! What a card shows, and what it was made of. Pure.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::channel::MsgType;
use crate::message::card::CardType;

/// The most bytes of data that are kept of what a card was made of.
const DATA_BYTES: usize = 64 * 1024;

/// What a card was made of: a notification, the data of a template, or a payload; null for what options say.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CardData {
    pub(crate) value: Value,
    /// Whether the end of a list in it is left out, or all of it, since it was longer than 64 KiB.
    pub(crate) is_cut: bool,
}

impl CardData {
    /// This, but if it has more than 64 KiB, without the end of the longest list at its top, or else nothing of it.
    pub(crate) fn of(mut value: Value) -> Self {
        let length = |value: &Value| value.to_string().len();
        let mut size = length(&value);
        if size <= DATA_BYTES {
            return Self { value, is_cut: false };
        }
        let lists = value.as_object_mut().into_iter().flat_map(|fields| fields.iter_mut());
        if let Some(list) = lists.filter_map(|(_, value)| value.as_array_mut()).max_by_key(|list| list.len()) {
            while size > DATA_BYTES
                && let Some(item) = list.pop()
            {
                size -= length(&item).min(size);
            }
        }
        let value = if length(&value) > DATA_BYTES { Value::Null } else { value };
        Self { value, is_cut: true }
    }
}

/// Whether a card has something to press: buttons, choices or a menu.
pub(crate) fn is_pressable(card: &Value) -> bool {
    let card_type = card.get("card_type").and_then(Value::as_str).and_then(|name| name.parse::<CardType>().ok());
    card_type.is_some_and(|card_type| !card_type.is_notice() || card.get("action_menu").is_some())
}

pub(super) fn title_of(card: &Value) -> String {
    let texts = ["/main_title/title", "/sub_title_text"].into_iter();
    let mut found = texts.filter_map(|place| card.pointer(place)?.as_str()).filter(|text| !text.trim().is_empty());
    found.next().unwrap_or_default().to_owned()
}

/// Names and values on a card, in its order.
pub(super) fn fields_of(card: &Value) -> Vec<(String, String)> {
    let list = |list: &str, key: &'static str, value: &'static str| {
        let items = card.get(list).and_then(Value::as_array).cloned().unwrap_or_default();
        let text = |item: &Value, name: &str| item.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        items.into_iter().map(move |item| (text(&item, key), text(&item, value)))
    };
    let horizontal = list("horizontal_content_list", "keyname", "value");
    horizontal.chain(list("vertical_content_list", "title", "desc")).collect()
}

/// The object under `template_card` of a message, if it is a card with something to press and a task id.
pub(crate) fn pressable_card(body: &Value) -> Option<(&str, &Value)> {
    let card = body.get(MsgType::TemplateCard.as_str()).filter(|card| is_pressable(card))?;
    Some((card.get("task_id")?.as_str().filter(|id| !id.is_empty())?, card))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_can_be_pressed() {
        for (card, is) in [
            (json!({ "card_type": "button_interaction" }), true),
            (json!({ "card_type": "vote_interaction" }), true),
            (json!({ "card_type": "text_notice" }), false),
            (json!({ "card_type": "text_notice", "action_menu": {} }), true),
            (json!({ "card_type": 7 }), false),
            (json!(null), false),
        ] {
            assert_eq!(is_pressable(&card), is, "{card}");
        }
        let body = |id: Value| json!({ "template_card": { "card_type": "vote_interaction", "task_id": id } });
        assert_eq!(pressable_card(&body(json!("t"))).map(|(id, _)| id.to_owned()).as_deref(), Some("t"));
        assert!(pressable_card(&body(json!(""))).is_none() && pressable_card(&body(Value::Null)).is_none());
    }

    #[test]
    fn what_it_was_made_of_is_bounded() {
        let alert = json!({ "labels": { "host": "x".repeat(1000) } });
        let notification = json!({ "commonLabels": { "a": "b" }, "alerts": vec![alert.clone(); 100], "few": [1] });
        let data = CardData::of(notification);
        assert!(data.is_cut && data.value["commonLabels"]["a"] == "b" && data.value["few"] == json!([1]));
        let length = data.value.to_string().len();
        assert!((DATA_BYTES - 1100..=DATA_BYTES).contains(&length), "{length}");
        for data in
            [json!(vec![alert; 100]), json!({ "text": "x".repeat(70_000), "list": [1, 2] }), json!("x".repeat(70_000))]
        {
            assert_eq!(CardData::of(data), CardData { value: Value::Null, is_cut: true });
        }
    }
}
