//! `answer`: an answer from this machine in somebody's stead, as by a monitor that sees the recovery.

use super::answer::{Answerer, KEY_BYTES, RecordedAnswer, is_key};
use super::asker::this_process;
use super::record::{Record, State};
use super::record_file::RecordFile;
use crate::channel::Channel;
use crate::clock::{at_ms, date, now_ms};
use crate::delivery::{Outcome, Product};
use crate::error::{Error, Result, Status};
use crate::input::{clean, is_blank};
use crate::send::Session;

/// An answer to a question that waits on this machine.
#[derive(Debug, Clone)]
pub struct LocalAnswer {
    /// What `ask` calls the question.
    pub id: String,
    /// What `ask` is to print.
    pub key: String,
    /// What the card says beside it.
    pub note: Option<String>,
}

/// Answers a question in somebody's stead.
///
/// # Errors
///
/// Usage for a key with other letters than task ids have, and for an id that no question has; exit 5 where it was answered, is
/// over or was withdrawn, and where it does not take such answers; exit 3 without a state folder.
pub async fn answer(session: &mut Session<'_>, given: LocalAnswer) -> Result<Outcome> {
    let LocalAnswer { id, key, note } = given;
    check_key(&key)?;
    let state = session.require_state()?;
    let file = of_any_machine(session, RecordFile::of(&state, &id)).await;
    let by = this_process();
    let note = note.as_deref().map(clean).filter(|note| !is_blank(note));
    if session.settings.dry_run {
        let kept = file.read().await.map_err(|error| Error::config(error, "check the state folder"))?;
        accept(kept, &id, |_| ()).1?;
        return Ok(Outcome::with_product(Status::DryRun, Product::Done("would be answered".to_owned())));
    }
    let answered = file.change({
        let id = id.clone();
        move |kept| {
            if let Some(error) = kept.as_ref().and_then(|kept| wrong_key(kept, &key)) {
                return (None, Err(error));
            }
            accept(kept, &id, |record| {
                let text = record.question.text_of(&key, &[], record.language.words());
                let by = Answerer::Local(by);
                let answer = RecordedAnswer { key, text, options: Vec::new(), by, at_ms: now_ms(), note, seal: None };
                record.state = State::Answered(Box::new(answer));
            })
        }
    });
    answered.await??;
    Ok(Outcome::with_product(Status::Ok, Product::Done(format!("{id} is answered"))))
}

/// The file of a question, and its record in the store: of whichever credential of the profile it is.
async fn of_any_machine(session: &Session<'_>, file: RecordFile) -> RecordFile {
    let Some(shared) = session.shared_state() else { return file };
    for channel in Channel::ALL.iter().copied().filter(|channel| channel.has_interactive_cards()) {
        let target = session.own_target(channel);
        if target.require_credentials(None).is_ok()
            && let Ok(login) = target.log_in(None).await
        {
            let found = file.clone().shared_by(Some(login.namespace(&shared)));
            if found.is_shared().await {
                return found;
            }
        }
    }
    file
}

/// The record with the answer that `put` puts into it, if it takes one.
fn accept(kept: Option<Record>, id: &str, put: impl FnOnce(&mut Record)) -> (Option<Record>, Result<()>) {
    match kept {
        None => (None, Err(unknown(id))),
        Some(record) => match refusal(&record, now_ms()) {
            Some(error) => (None, Err(error)),
            None => {
                let mut record = record;
                put(&mut record);
                (Some(record), Ok(()))
            }
        },
    }
}

fn unknown(id: &str) -> Error {
    Error::usage(
        format!("there is no question {id:?} in this state folder"),
        "ask says on stderr what its question is called; run answer as the same user, or with the same state_dir",
    )
}

/// Why a question takes no answer from here.
fn refusal(record: &Record, now_ms: u64) -> Option<Error> {
    let id = &record.id;
    let refused = |message: String, hint: &str| Some(Error::new(Status::Refused, message).with_hint(hint));
    let nothing = "nothing is left to do";
    match &record.state {
        State::Answered(answer) => {
            let line = answer.line(crate::words::Language::English.words());
            refused(format!("{id} has been answered already: {line}"), nothing)
        }
        State::Over(at) => refused(format!("{id} is over since {}", date(at_ms(*at))), nothing),
        State::Withdrawn(at) => refused(format!("{id} was withdrawn at {}", date(at_ms(*at))), nothing),
        State::Open if record.is_past(now_ms) => {
            refused(format!("{id} is over since {}", date(at_ms(record.end_ms()))), nothing)
        }
        State::Open if !record.question.allows_local => refused(
            format!("{id} takes no answer from a command: it was asked with --confirm or --only"),
            "press the button, or ask with --allow-local-answer",
        ),
        State::Open => None,
    }
}

/// Refuses a key that a gate does not have: any other word would open it.
fn wrong_key(record: &Record, key: &str) -> Option<Error> {
    let question = &record.question;
    let is_known = question.choices.iter().any(|choice| choice.key == key);
    (question.is_confirm() && !is_known).then(|| {
        Error::usage(
            format!("{} was asked with --confirm, and {key:?} is none of its keys", record.id),
            "answer yes or no",
        )
    })
}

/// Refuses keys that could be mistaken in a script.
fn check_key(key: &str) -> Result<()> {
    if !is_key(key) {
        return Err(Error::usage(
            format!("a key has 1 to {KEY_BYTES} letters, digits, _, - and @"),
            "give the key of a button, or a word of your own such as recovered",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::record::tests::record;
    use super::*;

    #[test]
    fn what_takes_no_answer_says_why() {
        let open = record();
        let during = open.start_ms + 1;
        let status = |record: &Record, now| refusal(record, now).map(|error| error.status());
        assert_eq!(status(&open, during), None);
        assert_eq!(status(&open, open.end_ms()), Some(Status::Refused));
        for state in [State::Over(1), State::Withdrawn(1)] {
            assert_eq!(status(&Record { state, ..open.clone() }, during), Some(Status::Refused));
        }
        let mut strict = open.clone();
        strict.question.allows_local = false;
        assert_eq!(status(&strict, during), Some(Status::Refused));
    }

    #[test]
    fn keys_are_those_of_task_ids() {
        for key in ["ack", "a_b-c@d", "7"] {
            assert!(check_key(key).is_ok(), "{key}");
        }
        for key in ["", "a b", "a\nb", "认领", &"k".repeat(129)] {
            assert!(check_key(key).is_err(), "{key}");
        }
    }
}
