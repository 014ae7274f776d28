//! Presses on cards that no process waits for: who pressed is told what became of the question.

use super::card::{closed, form_of, only_for};
use super::record::{Record, State};
use crate::api::aibot::Press;
use crate::message::card::{CardChange, with_line};

/// The change of the card that tells it, given what is kept of the question; `None` where nothing is known of the card.
pub(super) fn reply_of(mut record: Record, press: &Press, now_ms: u64) -> Option<CardChange> {
    let target = record.target_of(&press.task_id)?;
    if record.state == State::Open && record.is_past(now_ms) {
        record.state = State::Over(record.end_ms());
    }
    let words = record.language.words();
    let card = record.targets.get(target)?.card.as_ref()?;
    let form = form_of(press);
    Some(match record.end_line(words) {
        Some(line) => CardChange { card: closed(card, form, &line, &record.state, words), only_for: None },
        None => CardChange { card: with_line(card, form, words.not_waited_for), only_for: only_for(press) },
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::record::tests::record;
    use super::*;

    #[test]
    fn who_presses_late_is_told_what_became_of_it() {
        let mut record = record();
        record.targets[0].card =
            Some(json!({ "card_type": "button_interaction", "button_list": [{ "text": "Ack", "key": "ack" }] }));
        let press = Press { task_id: record.task_id(0, 0), userid: "lisi".to_owned(), ..Press::default() };
        let text = |record: &Record, now| {
            let change = reply_of(record.clone(), &press, now).unwrap();
            change.card["sub_title_text"].as_str().unwrap().to_owned()
        };
        let during = record.start_ms + 1;
        assert!(text(&record, during).starts_with("nobody waits for an answer any more"));
        assert!(text(&record, record.end_ms()).starts_with("nobody answered by "));
        let withdrawn = Record { state: State::Withdrawn(during), ..record.clone() };
        assert!(text(&withdrawn, during).starts_with("withdrawn at "));
        // A later question of the same name has other cards.
        let later = Record { start_ms: record.start_ms + 1, ..record };
        assert_eq!(reply_of(later, &press, during), None);
    }
}
