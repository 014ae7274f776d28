//! The cards of a question after a press: changed to say what became of it, in the kind that they have. Pure.

use serde_json::Value;

use super::answer::Answerer;
use super::record::{Record, State};
use crate::api::aibot::Press;
use crate::clock::{at_ms, wall};
use crate::message::card::{Form, by_whom, close, refused_by, without_line};
use crate::words::Words;

/// The form of a card that was pressed: an app's press brings a code for its change.
pub(super) fn form_of(press: &Press) -> Form<'_> {
    if press.response_code.is_empty() { Form::Aibot { task_id: &press.task_id } } else { Form::App }
}

/// Who alone sees that a press was in vain: a card of an aibot in a conversation with one member is theirs anyway.
pub(super) fn only_for(press: &Press) -> Option<String> {
    (press.is_group || !press.response_code.is_empty()).then(|| press.userid.clone())
}

/// A card that says how its question ended: `line`. Buttons become one that says who did it, choices are closed.
pub(super) fn closed(card: &Value, form: Form<'_>, line: &str, record: &Record, words: &Words) -> Value {
    let State::Answered(answer) = &record.state else { return close(card, form, line, &label(record, words), &[]) };
    // That nobody has answered is true no more.
    let card = without_line(card, &(words.unanswered_since)(&wall(at_ms(record.start_ms))));
    close(&card, form, line, &label(record, words), &answer.options)
}

fn label(record: &Record, words: &Words) -> String {
    match &record.state {
        State::Answered(answer) => {
            let by = match &answer.by {
                Answerer::Press { userid, .. } => userid,
                Answerer::Local(asker) => &asker.unix_user,
            };
            let is_refusal = record.question.declines(&answer.key, &answer.options);
            if is_refusal { refused_by(by) } else { by_whom(by) }
        }
        State::Withdrawn(_) => words.withdrawn_button.to_owned(),
        State::Open | State::Over(_) => words.over_button.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::answer::{Asker, RecordedAnswer};
    use super::super::record::tests::record;
    use super::*;
    use crate::words::Language;

    fn answered(userid: &str, options: &[&str]) -> State {
        State::Answered(Box::new(RecordedAnswer {
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
        let record = Record { state: state.clone(), ..record() };
        closed(card, Form::Aibot { task_id: "t-1" }, "zhangsan answered", &record, Language::English.words())
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
    fn a_refusal_is_shown_as_one_and_nobody_is_waited_for_any_more() {
        let mut record = record();
        record.question.declines = vec!["no".to_owned()];
        let words = Language::English.words();
        let late = (words.unanswered_since)(&wall(at_ms(record.start_ms)));
        let card =
            json!({ "sub_title_text": format!("{late}\nweb-1"), "button_list": [{ "text": "No", "key": "no" }] });
        let form = Form::Aibot { task_id: "t-1" };
        let mut closed = |state: State| {
            record.state = state;
            closed(&card, form, "so it ended", &record, words)
        };
        let State::Answered(mut refusal) = answered("lisi", &[]) else { unreachable!() };
        refusal.key = "no".to_owned();
        let refused = closed(State::Answered(refusal));
        assert_eq!(
            (&refused["button_list"][0]["text"], &refused["sub_title_text"]),
            (&json!("✗ lisi"), &json!("so it ended\nweb-1"))
        );
        let over = closed(State::Over(0));
        assert_eq!(over["sub_title_text"], format!("so it ended\n{late}\nweb-1"));
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
}
