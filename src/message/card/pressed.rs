//! A card after a press: with a line that says what came of it, and with its buttons and choices closed. Pure.
//!
//! A card may come from a file that others wrote: what is not as it should be stays as it is.

use serde_json::{Value, json};

use crate::sanitize::truncate;

/// The key of the button that stays; pressing it says again what became of the card.
const CLOSED: &str = "closed";

/// What a button shows, in characters; WeCom cuts longer text (document path 101032).
const BUTTON_CHARS: usize = 10;

/// How a channel takes a changed card.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form<'a> {
    /// With the id of the card that was pressed (document path 101031). A closed button is one that is left.
    Aibot {
        /// That id.
        task_id: &'a str,
    },
    /// Without an id, and `replace_text` on what is closed (document path 94888).
    App,
}

/// A card that nothing more can be done with, which says so in a `line`: buttons show `label`, choices stay with what was
/// chosen.
pub(crate) fn close(card: &Value, form: Form<'_>, line: &str, label: &str, chosen: &[String]) -> Value {
    let mut closed = with_line(card, form, line);
    let label = fitting(label);
    if let Some(checkbox) = closed.get_mut("checkbox") {
        set(checkbox, "disable", json!(true));
        for option in checkbox.get_mut("option_list").and_then(Value::as_array_mut).into_iter().flatten() {
            let is_chosen = option["id"].as_str().is_some_and(|id| chosen.iter().any(|chosen| chosen == id));
            set(option, "is_checked", json!(is_chosen));
        }
    }
    for list in closed.get_mut("select_list").and_then(Value::as_array_mut).into_iter().flatten() {
        set(list, "disable", json!(true));
        let _ = select(list, chosen);
    }
    let is_chosen = closed.get_mut("button_selection").is_some_and(|list| select(list, chosen));
    if let Value::Object(fields) = &mut closed {
        fields.remove("action_menu");
        if !is_chosen {
            // It would show an option as if somebody had chosen it: there is always one in its field (document path 90236).
            fields.remove("button_selection");
        }
    }
    let (has_buttons, has_submit) = (closed.get("button_list").is_some(), closed.get("submit_button").is_some());
    match form {
        Form::App if has_buttons || has_submit => set(&mut closed, "replace_text", json!(label)),
        Form::App => {}
        Form::Aibot { .. } => {
            if has_buttons {
                set(&mut closed, "button_list", json!([{ "text": label, "style": 2, "key": CLOSED }]));
            }
            if has_submit {
                set(&mut closed, "submit_button", json!({ "text": label, "key": CLOSED }));
            }
        }
    }
    closed
}

/// A card that can be pressed on as before, with a line before its text.
pub(crate) fn with_line(card: &Value, form: Form<'_>, line: &str) -> Value {
    let mut card = card.clone();
    let after = |before: &Value| match before.as_str().unwrap_or_default() {
        "" => json!(line),
        before => json!(format!("{line}\n{before}")),
    };
    // They have no text below the title.
    let has_text = card.get("checkbox").or(card.get("select_list")).is_none() && card["card_type"] != "news_notice";
    if has_text {
        let text = after(&card["sub_title_text"]);
        set(&mut card, "sub_title_text", text);
    } else {
        let mut title = card["main_title"].clone();
        if !title.is_object() {
            title = json!({});
        }
        let text = after(&title["desc"]);
        set(&mut title, "desc", text);
        set(&mut card, "main_title", title);
    }
    match (form, &mut card) {
        (Form::Aibot { task_id }, card) => set(card, "task_id", json!(task_id)),
        (Form::App, Value::Object(fields)) => drop(fields.remove("task_id")),
        (Form::App, _) => {}
    }
    card
}

/// A card without the line that its text begins with, if it begins with that.
pub(crate) fn without_line(card: &Value, line: &str) -> Value {
    let mut card = card.clone();
    for place in ["/sub_title_text", "/main_title/desc"] {
        if let Some(text) = card.pointer_mut(place)
            && let Some(rest) = text.as_str().and_then(|text| text.strip_prefix(line))
        {
            *text = json!(rest.trim_start_matches('\n'));
        }
    }
    card
}

/// What a button shows that somebody has pressed.
pub(crate) fn by_whom(userid: &str) -> String {
    fitting(&format!("✓ {userid}"))
}

/// What it shows where somebody has refused.
pub(crate) fn refused_by(userid: &str) -> String {
    fitting(&format!("✗ {userid}"))
}

/// What becomes of a card after a press.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct CardChange {
    /// The whole card, in the form of its channel.
    pub(crate) card: Value,
    /// Who alone sees it changed; `None` for all who have it.
    pub(crate) only_for: Option<String>,
}

impl CardChange {
    /// The body that changes a card of an aibot within 5 s of a press (document path 101463).
    pub(crate) fn of_aibot(&self) -> Value {
        let mut body = json!({ "response_type": "update_template_card", "template_card": self.card });
        if let Some(userid) = &self.only_for {
            body["userids"] = json!([userid]);
        }
        body
    }

    /// The body that changes a card of an app by a code of its send or of a press on it (document path 94888).
    pub(crate) fn of_app(&self, agent_id: Option<i64>, response_code: &str) -> Value {
        let mut body = match &self.only_for {
            Some(userid) => json!({ "userids": [userid] }),
            None => json!({ "atall": 1 }),
        };
        if let Some(agent_id) = agent_id {
            body["agentid"] = json!(agent_id);
        }
        body["response_code"] = json!(response_code);
        body["template_card"] = self.card.clone();
        body
    }
}

/// Shows what was chosen in a drop-down list; whether anything was.
fn select(list: &mut Value, chosen: &[String]) -> bool {
    let ids = list["option_list"].as_array().into_iter().flatten().filter_map(|option| option["id"].as_str());
    let found = ids.map(str::to_owned).find(|id| chosen.contains(id));
    let is_chosen = found.is_some();
    if let Some(id) = found {
        set(list, "selected_id", json!(id));
    }
    is_chosen
}

fn fitting(label: &str) -> String {
    match truncate(label, BUTTON_CHARS) {
        (_, "") => label.to_owned(),
        _ => truncate(label, BUTTON_CHARS - 1).0.to_owned() + "…",
    }
}

fn set(value: &mut Value, field: &str, to: Value) {
    if let Value::Object(fields) = value {
        fields.insert(field.to_owned(), to);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_app_turns_off_what_was_pressed() {
        let card = json!({
            "card_type": "button_interaction",
            "main_title": { "title": "Disk full" },
            "button_list": [{ "text": "Ack", "key": "ack" }],
            "action_menu": { "desc": "more", "action_list": [{ "text": "Mute", "key": "mute" }] },
            "task_id": "t-0",
        });
        let changed = close(&card, Form::App, "by zhangsan", "✓ zhangsan", &[]);
        let expected = json!({
            "card_type": "button_interaction",
            "main_title": { "title": "Disk full" },
            "button_list": [{ "text": "Ack", "key": "ack" }],
            "sub_title_text": "by zhangsan",
            "replace_text": "✓ zhangsan",
        });
        assert_eq!(changed, expected);
    }

    #[test]
    fn a_drop_down_list_shows_what_somebody_chose_and_nothing_else() {
        let card = json!({
            "card_type": "button_interaction",
            "button_list": [{ "text": "Mute", "key": "mute" }],
            "button_selection": {
                "question_key": "q", "selected_id": "2h",
                "option_list": [{ "id": "30m", "text": "30 min" }, { "id": "2h", "text": "2 hours" }],
            },
        });
        let closed = |chosen: &[String]| close(&card, Form::App, "by zhangsan", "✓ zhangsan", chosen);
        assert_eq!(closed(&["30m".to_owned()])["button_selection"]["selected_id"], "30m");
        assert!(closed(&[]).get("button_selection").is_none());
        // As long as it can be pressed the list stays.
        let pressed = with_line(&card, Form::App, "not yours");
        assert_eq!(pressed["button_selection"], card["button_selection"]);
    }

    #[test]
    fn a_line_is_taken_away_where_a_text_begins_with_it() {
        let card = json!({ "sub_title_text": "[late]\nweb-1", "main_title": { "title": "x", "desc": "[late]" } });
        let expected = json!({ "sub_title_text": "web-1", "main_title": { "title": "x", "desc": "" } });
        assert_eq!(without_line(&card, "[late]"), expected);
        assert_eq!(without_line(&card, "late"), card);
    }

    #[test]
    fn each_kind_of_card_has_a_place_for_the_line() {
        for (card_type, place) in [
            ("text_notice", "/sub_title_text"),
            ("news_notice", "/main_title/desc"),
            ("button_interaction", "/sub_title_text"),
            ("vote_interaction", "/main_title/desc"),
            ("multiple_interaction", "/main_title/desc"),
        ] {
            let mut card = json!({ "card_type": card_type, "main_title": { "title": "x" } });
            match card_type {
                "vote_interaction" => card["checkbox"] = json!({}),
                "multiple_interaction" => card["select_list"] = json!([]),
                _ => {}
            }
            let changed = with_line(&card, Form::Aibot { task_id: "t" }, "done");
            assert_eq!(changed.pointer(place), Some(&json!("done")), "{card_type}");
            assert_eq!(changed["task_id"], "t");
        }
    }

    #[test]
    fn a_press_in_vain_leaves_the_buttons() {
        let card = json!({ "sub_title_text": "web-1", "button_list": [{ "text": "Ack", "key": "ack" }] });
        let card_of =
            |form| CardChange { card: with_line(&card, form, "not yours"), only_for: Some("lisi".to_owned()) };
        let body = card_of(Form::Aibot { task_id: "t" }).of_aibot();
        assert_eq!(body["template_card"]["button_list"], card["button_list"]);
        assert_eq!(body["template_card"]["sub_title_text"], "not yours\nweb-1");
        assert_eq!((&body["userids"], &body["response_type"]), (&json!(["lisi"]), &json!("update_template_card")));
        let body = card_of(Form::App).of_app(Some(7), "c").to_string();
        assert!(body.starts_with(r#"{"userids":["lisi"],"agentid":7,"response_code":"c","template_card":{"#), "{body}");
    }

    #[test]
    fn what_is_no_card_stays_what_it_is() {
        for odd in [json!(null), json!([1]), json!("x")] {
            assert_eq!(close(&odd, Form::App, "line", "label", &[]), odd);
        }
    }
}
