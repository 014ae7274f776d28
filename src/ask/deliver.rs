//! Hands a press that a `listen` received to the question that it is about; after the end of that, who pressed is told what
//! became of it.

use super::adopt::hurry;
use super::card::{closed, form_of, only_for};
use super::record::{Record, State};
use super::record_file::RecordFile;
use super::sealed_press::SealedPress;
use super::task_id::TaskId;
use crate::api::aibot::Press;
use crate::cards::CardStore;
use crate::clock::now_ms;
use crate::error::Error;
use crate::message::card::{CardChange, with_line};
use crate::send::Login;
use crate::shared_state::SharedState;
use crate::store::Folder;

/// What became of a press.
#[derive(Debug)]
pub(crate) enum PressDelivery {
    /// Its card is of no question.
    NotAQuestion,
    /// It is on disk for the process that waits for the answer, and stays there after a loss of power. That process changes
    /// the card.
    Kept,
    /// It is no answer: the question is over, answered or withdrawn, or nobody waits. With what the card is to say then, where
    /// the card is known.
    Late(Option<CardChange>),
    /// It could not be put on disk.
    NotKept(Error),
}

/// Hands a press to its question, on this machine or on another one that shares state. `login` is the credential of the app or aibot whose card it is on: the press was proven to
/// be one of it.
pub(crate) async fn deliver(
    state: &Folder,
    shared: Option<&SharedState>,
    login: &Login,
    press: &Press,
) -> PressDelivery {
    let Some(task_id) = TaskId::read(&press.task_id) else { return PressDelivery::NotAQuestion };
    let file = RecordFile::named(state, &task_id.file).shared_by(shared.map(|shared| login.namespace(shared)));
    let is_run = file.is_run().await;
    // A running `listen` takes it over.
    let is_adopted = !is_run && CardStore::of(state, &login.card_owner()).is_listened_to().await;
    let sealed = SealedPress::new(press.clone(), |parts| login.seal(parts));
    let kept = file.keep_press(sealed, {
        let task_id = press.task_id.clone();
        move |record| {
            let is_open = record.state == State::Open && !record.is_past(now_ms());
            (is_run || is_adopted && record.plan.is_some()) && is_open && record.target_of(&task_id).is_some()
        }
    });
    match kept.await {
        Ok((true, _)) => {
            if !is_run {
                hurry();
            }
            PressDelivery::Kept
        }
        Ok((false, record)) => PressDelivery::Late(record.and_then(|record| reply_of(record, press, now_ms()))),
        Err(error) => PressDelivery::NotKept(error),
    }
}

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
        Some(line) => CardChange { card: closed(card, form, &line, &record, words), only_for: None },
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
