//! The ids of a question's cards in events, and the name of its file: what is told by a press alone. Pure.

use crate::fingerprint::fingerprint;

/// What task ids of questions begin with.
pub(super) const TASK_ID: &str = "ask-";

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
    /// Which of the messages to the target.
    pub(super) number: u32,
}

impl TaskId {
    /// Reads one that [`Record::task_id`] made.
    pub(super) fn read(task_id: &str) -> Option<Self> {
        let mut pieces = task_id.strip_prefix(TASK_ID)?.split('-');
        let (file, start, target, number) = (pieces.next()?, pieces.next()?, pieces.next()?, pieces.next()?);
        let is_name = file.len() == 32 && file.bytes().all(|byte| byte.is_ascii_hexdigit());
        Some(Self {
            file: Some(file.to_owned()).filter(|_| is_name)?,
            start_ms: u64::from_str_radix(start, 16).ok()?,
            target: target.parse().ok()?,
            number: number.parse().ok()?,
        })
    }
}
