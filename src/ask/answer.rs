//! An answer to a question: who gave it, and what it says. Pure.

use serde::{Deserialize, Serialize};

use crate::clock::{at_ms, read_ms, wall};
use crate::words::Words;

/// Who asked, or answered on a machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Asker {
    pub(super) unix_user: String,
    pub(super) host: String,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct RecordedAnswer {
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

impl RecordedAnswer {
    /// Who answered what, when.
    pub(super) fn line(&self, words: &Words) -> String {
        let at = wall(at_ms(self.at_ms));
        let line = match &self.by {
            Answerer::Press { userid, .. } => (words.answered)(userid, &self.text, &at),
            Answerer::Local(Asker { unix_user, host }) => (words.answered_locally)(unix_user, host, &self.text, &at),
        };
        match &self.note {
            Some(note) => format!("{line}\n{note}"),
            None => line,
        }
    }
}

/// The longest key of a local answer, in bytes.
pub(super) const KEY_BYTES: usize = 128;

/// Whether a local answer may have this key: no other could be mistaken in a script.
pub(super) fn is_key(key: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'@');
    !key.is_empty() && key.len() <= KEY_BYTES && key.bytes().all(is_allowed)
}
