//! The cards of a question after a press: changed to say what became of it, in the kind that they have. Pure.

use serde_json::{Value, json};

use super::record::{Answerer, State};
use crate::sanitize::truncate;
use crate::words::Words;

/// The key of the button that stays; pressing it says again what became of the question.
const CLOSED: &str = "closed";

/// What a button shows, in characters; WeCom cuts longer text (document path 101032).
const BUTTON_CHARS: usize = 10;

/// A card that says how its question ended: `line`. Buttons become one that says who did it, choices are closed.
pub(super) fn closed(card: &Value, task_id: &str, line: &str, state: &State, words: &Words) -> Value {
    let mut closed = with_line(card, task_id, line);
    let label = label(state, words);
    let chosen: &[String] = match state {
        State::Answered(answer) => &answer.options,
        State::Open | State::Over(_) | State::Withdrawn(_) => &[],
    };
    if closed.get("button_list").is_some() {
        set(&mut closed, "button_list", json!([{ "text": label, "style": 2, "key": CLOSED }]));
    }
    if let Some(checkbox) = closed.get_mut("checkbox") {
        set(checkbox, "disable", json!(true));
        for option in checkbox.get_mut("option_list").and_then(Value::as_array_mut).into_iter().flatten() {
            let is_chosen = option["id"].as_str().is_some_and(|id| chosen.iter().any(|chosen| chosen == id));
            set(option, "is_checked", json!(is_chosen));
        }
    }
    for list in closed.get_mut("select_list").and_then(Value::as_array_mut).into_iter().flatten() {
        set(list, "disable", json!(true));
        let ids = list["option_list"].as_array().into_iter().flatten().filter_map(|option| option["id"].as_str());
        if let Some(id) = ids.map(str::to_owned).find(|id| chosen.contains(id)) {
            set(list, "selected_id", json!(id));
        }
    }
    if closed.get("submit_button").is_some() {
        set(&mut closed, "submit_button", json!({ "text": label, "key": CLOSED }));
    }
    closed
}

/// A card that can be pressed on, with a line for who pressed in vain.
pub(super) fn with_line(card: &Value, task_id: &str, line: &str) -> Value {
    let mut card = card.clone();
    let is_asking = card.get("checkbox").or(card.get("select_list")).is_some();
    let after = |before: &Value| match before.as_str().unwrap_or_default() {
        "" => json!(line),
        before => json!(format!("{line}\n{before}")),
    };
    if is_asking {
        let mut title = card["main_title"].clone();
        if !title.is_object() {
            title = json!({});
        }
        let text = after(&title["desc"]);
        set(&mut title, "desc", text);
        set(&mut card, "main_title", title);
    } else {
        let text = after(&card["sub_title_text"]);
        set(&mut card, "sub_title_text", text);
    }
    // That of the press (document path 101031).
    set(&mut card, "task_id", json!(task_id));
    card
}

/// Sets a field. A card may come from a file that others wrote: what is no object stays as it is.
fn set(value: &mut Value, field: &str, to: Value) {
    if let Value::Object(fields) = value {
        fields.insert(field.to_owned(), to);
    }
}

/// The body that changes a card within 5 s of a press (document path 101463); `only_for` is who alone sees the change, in a
/// group.
pub(super) fn update(card: Value, only_for: Option<&str>) -> Value {
    let mut body = json!({ "response_type": "update_template_card", "template_card": card });
    if let Some(userid) = only_for {
        body["userids"] = json!([userid]);
    }
    body
}

fn label(state: &State, words: &Words) -> String {
    let label = match state {
        State::Answered(answer) => match &answer.by {
            Answerer::Press { userid, .. } => format!("✓ {userid}"),
            Answerer::Local(asker) => format!("✓ {}", asker.unix_user),
        },
        State::Withdrawn(_) => words.withdrawn_button.to_owned(),
        State::Open | State::Over(_) => words.over_button.to_owned(),
    };
    match truncate(&label, BUTTON_CHARS) {
        (_, "") => label,
        _ => truncate(&label, BUTTON_CHARS - 1).0.to_owned() + "…",
    }
}

#[cfg(test)]
mod tests {
    use super::super::record::{Answer, Asker};
    use super::*;
    use crate::words::Language;

    fn answered(userid: &str, options: &[&str]) -> State {
        State::Answered(Box::new(Answer {
            key: "ack".to_owned(),
            text: "Acknowledge".to_owned(),
            options: options.iter().map(|id| (*id).to_owned()).collect(),
            by: Answerer::Press { userid: userid.to_owned(), task_id: "t".to_owned(), target: "ops:aibot".to_owned() },
            at_ms: 0,
            note: None,
            seal: None,
        }))
    }

    fn closed_by(card: &Value, state: &State) -> Value {
        closed(card, "t-1", "zhangsan answered", state, Language::English.words())
    }

    #[test]
    fn buttons_become_one_that_says_who_did_it() {
        let card = json!({
            "card_type": "button_interaction",
            "main_title": { "title": "Disk full" },
            "sub_title_text": "web-1",
            "button_list": [{ "text": "Ack", "key": "ack" }, { "text": "Mute", "key": "mute" }],
            "task_id": "t-0",
        });
        let changed = closed_by(&card, &answered("zhangsan", &[]));
        assert_eq!(changed["button_list"], json!([{ "text": "✓ zhangsan", "style": 2, "key": "closed" }]));
        assert_eq!(changed["sub_title_text"], "zhangsan answered\nweb-1");
        assert_eq!((&changed["task_id"], &changed["card_type"]), (&json!("t-1"), &card["card_type"]));
        let text = |state: &State| closed_by(&card, state)["button_list"][0]["text"].as_str().unwrap().to_owned();
        assert_eq!(text(&answered("zhangsanfeng", &[])), "✓ zhangsa…");
        assert_eq!((text(&State::Over(0)), text(&State::Withdrawn(0))), ("Over".to_owned(), "Withdrawn".to_owned()));
        let local = Asker { unix_user: "root".to_owned(), host: "h".to_owned() };
        let State::Answered(mut answer) = answered("", &[]) else { unreachable!() };
        answer.by = Answerer::Local(local);
        assert_eq!(text(&State::Answered(answer)), "✓ root");
    }

    #[test]
    fn choices_are_closed_with_what_was_chosen() {
        let vote = json!({
            "card_type": "vote_interaction",
            "main_title": { "title": "When?", "desc": "tonight" },
            "checkbox": { "question_key": "q", "option_list": [
                { "id": "a", "text": "A", "is_checked": false }, { "id": "b", "text": "B", "is_checked": false },
            ] },
            "submit_button": { "text": "Submit", "key": "submit" },
        });
        let changed = closed_by(&vote, &answered("lisi", &["b"]));
        assert_eq!(changed["checkbox"]["disable"], true);
        assert_eq!(changed["checkbox"]["option_list"][0]["is_checked"], false);
        assert_eq!(changed["checkbox"]["option_list"][1]["is_checked"], true);
        assert_eq!(changed["main_title"]["desc"], "zhangsan answered\ntonight");
        assert_eq!(changed["submit_button"]["text"], "✓ lisi");
        let lists = json!({
            "card_type": "multiple_interaction",
            "main_title": { "title": "When?" },
            "select_list": [{ "question_key": "q", "option_list": [{ "id": "a", "text": "A" }, { "id": "b", "text": "B" }] }],
            "submit_button": { "text": "Submit", "key": "submit" },
        });
        let changed = closed_by(&lists, &answered("lisi", &["b"]));
        assert_eq!(
            (&changed["select_list"][0]["disable"], &changed["select_list"][0]["selected_id"]),
            (&json!(true), &json!("b"))
        );
        assert_eq!(changed["main_title"]["desc"], "zhangsan answered");
    }

    #[test]
    fn a_press_in_vain_leaves_the_buttons() {
        let card = json!({ "sub_title_text": "web-1", "button_list": [{ "text": "Ack", "key": "ack" }] });
        let body = update(with_line(&card, "t", "not yours"), Some("lisi"));
        assert_eq!(body["template_card"]["button_list"], card["button_list"]);
        assert_eq!(body["template_card"]["sub_title_text"], "not yours\nweb-1");
        assert_eq!((&body["userids"], &body["response_type"]), (&json!(["lisi"]), &json!("update_template_card")));
    }
}
