//! What is kept of a question: one file in the state folder, changed under its lock. It decides once whether the question was
//! answered, is over or was withdrawn.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::question::Question;
use crate::clock::{LAST_MS, read_ms};
use crate::fingerprint::fingerprint;
use crate::words::{Language, Words};

/// A question as it is kept.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Record {
    /// What `answer` and `--id` call it.
    pub(super) id: String,
    /// Its first line, for people.
    pub(super) title: String,
    /// What a question of the same id must have in common with it.
    pub(super) fingerprint: String,
    pub(super) question: Question,
    pub(super) language: Language,
    pub(super) asker: Asker,
    /// When it was first sent, in Unix milliseconds.
    #[serde(deserialize_with = "read_ms")]
    pub(super) start_ms: u64,
    /// How long it is open.
    #[serde(deserialize_with = "read_ms")]
    pub(super) wait_ms: u64,
    pub(super) targets: Vec<RecordedTarget>,
    pub(super) state: State,
}

/// Who asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Asker {
    pub(super) unix_user: String,
    pub(super) host: String,
}

/// What a target got.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct RecordedTarget {
    /// `PROFILE:CHANNEL[/ID]`.
    pub(super) name: String,
    pub(super) status: TargetStatus,
    /// Why it has nothing, by the name of the exit code.
    pub(super) failure: Option<String>,
    /// How long after the start it is asked, in milliseconds; `None` where only a failure would bring that about.
    pub(super) due_ms: Option<u64>,
    /// How many messages it got: they number the task ids.
    pub(super) messages: u32,
    /// When it was first reached, in Unix milliseconds.
    pub(super) reached_ms: Option<u64>,
    /// Its card as it was sent, so that it can be changed.
    pub(super) card: Option<Value>,
}

/// How far a target has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum TargetStatus {
    Waiting,
    Sending,
    Sent,
    Failed,
}

/// What became of a question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum State {
    /// It waits for an answer.
    Open,
    /// Somebody who may has answered.
    Answered(Box<Answer>),
    /// Nobody answered up to that time, in Unix milliseconds.
    Over(u64),
    /// Who asked took it back, at that time in Unix milliseconds.
    Withdrawn(u64),
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Answer {
    /// The key that was pressed, or given.
    pub(super) key: String,
    /// What the card shows for it.
    pub(super) text: String,
    /// What was chosen on a card with choices, in its order.
    pub(super) options: Vec<String>,
    pub(super) by: Answerer,
    #[serde(deserialize_with = "read_ms")]
    pub(super) at_ms: u64,
    /// What a local answer says beside it.
    pub(super) note: Option<String>,
    /// What only who knows the credentials of the question can compute of a press.
    pub(super) seal: Option<String>,
}

/// Where an answer comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Answerer {
    /// A member pressed.
    Press {
        /// The member.
        userid: String,
        /// The card that was pressed.
        task_id: String,
        /// Where it is.
        target: String,
    },
    /// A command on a machine with the same state folder.
    Local(Asker),
}

impl Record {
    /// When it is over, in Unix milliseconds.
    pub(super) fn end_ms(&self) -> u64 {
        self.start_ms.saturating_add(self.wait_ms).min(LAST_MS)
    }

    /// Whether its time has passed. On a clock that was set back it is as if it had just begun.
    pub(super) fn is_past(&self, now_ms: u64) -> bool {
        now_ms >= self.end_ms()
    }

    /// How long ago it began; not longer than it is open.
    pub(super) fn age(&self, now_ms: u64) -> Duration {
        Duration::from_millis(now_ms.saturating_sub(self.start_ms).min(self.wait_ms))
    }

    /// The name of a card in events. No other card has it: neither of this question nor of another.
    pub(super) fn task_id(&self, target: usize, number: u32) -> String {
        format!("{TASK_ID}{}-{:x}-{target}-{number}", file_name(&self.id), self.start_ms)
    }

    /// The target of a card of this question.
    pub(super) fn target_of(&self, task_id: &str) -> Option<usize> {
        let known = TaskId::read(task_id)?;
        let is_its = known.file == file_name(&self.id) && known.start_ms == self.start_ms;
        Some(known.target).filter(|target| is_its && *target < self.targets.len())
    }

    /// What a card or a message says of its end; `None` while it is open.
    pub(super) fn end_line(&self, words: &Words) -> Option<String> {
        let at = |ms: u64| crate::clock::wall(crate::clock::at_ms(ms));
        Some(match &self.state {
            State::Open => return None,
            State::Answered(answer) => answer.line(words),
            State::Over(ms) => (words.over)(&at(*ms)),
            State::Withdrawn(ms) => (words.withdrawn)(&at(*ms)),
        })
    }
}

impl Answer {
    /// Who answered what, when.
    pub(super) fn line(&self, words: &Words) -> String {
        let at = crate::clock::wall(crate::clock::at_ms(self.at_ms));
        let line = match &self.by {
            Answerer::Press { userid, .. } => (words.answered)(userid, &self.text, &at),
            Answerer::Local(Asker { unix_user, host }) => (words.answered_locally)(unix_user, host, &self.text, &at),
        };
        match &self.note {
            Some(note) => format!("{line}\n{note}"),
            None => line,
        }
    }

    /// What its seal is made of, but for the secret: bound to one question and its times.
    pub(super) fn sealed_parts(&self, record: &Record) -> Vec<String> {
        let mut parts = vec![
            record.task_id(0, 0),
            record.wait_ms.to_string(),
            self.key.clone(),
            self.at_ms.to_string(),
            self.options.join("\n"),
        ];
        if let Answerer::Press { userid, task_id, target } = &self.by {
            parts.extend([userid, task_id, target].map(String::clone));
        }
        parts
    }
}

/// What task ids of questions begin with.
const TASK_ID: &str = "ask-";

/// The name of a question's file, without its end. It does not reveal the id.
pub(super) fn file_name(id: &str) -> String {
    fingerprint([id]).chars().take(32).collect()
}

/// A task id, read.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TaskId {
    /// The name of the question's file.
    pub(super) file: String,
    pub(super) start_ms: u64,
    pub(super) target: usize,
}

impl TaskId {
    /// Reads one that [`Record::task_id`] made.
    pub(super) fn read(task_id: &str) -> Option<Self> {
        let mut pieces = task_id.strip_prefix(TASK_ID)?.split('-');
        let (file, start, target) = (pieces.next()?, pieces.next()?, pieces.next()?);
        let is_name = file.len() == 32 && file.bytes().all(|byte| byte.is_ascii_hexdigit());
        Some(Self {
            file: Some(file.to_owned()).filter(|_| is_name)?,
            start_ms: u64::from_str_radix(start, 16).ok()?,
            target: target.parse().ok()?,
        })
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::message::card::TASK_ID_BYTES;

    pub(in crate::ask) fn record() -> Record {
        Record {
            id: "deploy 17".to_owned(),
            title: "Deploy?".to_owned(),
            fingerprint: "f".to_owned(),
            question: Question {
                choices: vec![],
                is_vote: false,
                declines: vec![],
                only: vec![],
                not: vec![],
                allows_local: true,
            },
            language: Language::English,
            asker: Asker { unix_user: "root".to_owned(), host: "web-1".to_owned() },
            start_ms: 1_700_000_000_000,
            wait_ms: 600_000,
            targets: vec![RecordedTarget {
                name: "ops:aibot/zhangsan".to_owned(),
                status: TargetStatus::Waiting,
                failure: None,
                due_ms: Some(0),
                messages: 0,
                reached_ms: None,
                card: None,
            }],
            state: State::Open,
        }
    }

    #[test]
    fn task_ids_name_question_target_and_number() {
        let record = record();
        let id = record.task_id(0, 4_294_967_295);
        assert!(
            id.len() <= TASK_ID_BYTES && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'),
            "{id}"
        );
        assert_eq!(record.target_of(&id), Some(0));
        assert_eq!(record.target_of(&record.task_id(1, 0)), None);
        assert_ne!(record.task_id(0, 0), record.task_id(0, 1));
        let later = Record { start_ms: record.start_ms + 1, ..record.clone() };
        assert_eq!(later.target_of(&id), None);
        for other in ["alert-1-2", "ask-", "ask-x-1-0-0", "ask-0123456789abcdef0123456789abcdef-zz-0-0"] {
            assert_eq!(TaskId::read(other), None, "{other}");
        }
    }

    #[test]
    fn a_clock_that_jumps_makes_it_neither_endless_nor_longer() {
        let record = record();
        assert_eq!(record.age(0), Duration::ZERO);
        assert_eq!(record.age(record.start_ms + 1000), Duration::from_secs(1));
        assert_eq!(record.age(u64::MAX), Duration::from_secs(600));
        assert!(record.is_past(record.start_ms + 600_000) && !record.is_past(record.start_ms));
        let far = Record { wait_ms: LAST_MS, ..record };
        assert!(far.is_past(LAST_MS));
    }

    #[test]
    fn it_is_read_as_it_was_written() {
        let mut record = record();
        let by = Answerer::Press {
            userid: "zhangsan".to_owned(),
            task_id: record.task_id(0, 0),
            target: "ops:aibot/zhangsan".to_owned(),
        };
        record.state = State::Answered(Box::new(Answer {
            key: "yes".to_owned(),
            text: "Approve".to_owned(),
            options: vec![],
            by,
            at_ms: record.start_ms,
            note: None,
            seal: None,
        }));
        let text = serde_json::to_string(&record).unwrap();
        let read: Record = serde_json::from_str(&text).unwrap();
        assert_eq!(read.state, record.state);
        let line = read.end_line(Language::English.words()).unwrap();
        assert!(line.starts_with("zhangsan answered: Approve ("), "{line}");
        assert!(serde_json::from_str::<Record>(&text.replace("1700000000000", "9999999999999999")).is_err());
    }
}
