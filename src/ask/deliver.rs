//! Hands a press that a `listen` received to the question that it is about.

use super::adopt::hurry;
use super::late::reply_of;
use super::record::State;
use super::record_file::RecordFile;
use super::sealed_press::SealedPress;
use super::task_id::TaskId;
use crate::api::aibot::Press;
use crate::cards::CardStore;
use crate::clock::now_ms;
use crate::error::Error;
use crate::message::card::CardChange;
use crate::send::Login;
use crate::store::Folder;

/// What became of a press.
#[derive(Debug)]
pub(crate) enum Delivered {
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

/// Hands a press to its question. `login` is the credential of the app or aibot whose card it is on: the press was proven to
/// be one of it.
pub(crate) async fn deliver(state: &Folder, login: &Login, press: &Press) -> Delivered {
    let Some(task_id) = TaskId::read(&press.task_id) else { return Delivered::NotAQuestion };
    let file = RecordFile::named(state, &task_id.file);
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
            Delivered::Kept
        }
        Ok((false, record)) => Delivered::Late(record.and_then(|record| reply_of(record, press, now_ms()))),
        Err(error) => Delivered::NotKept(error),
    }
}
