//! The lines of `--log-file` about a question: one when it is asked, and one for each press. No text of it is in them.

use std::time::SystemTime;

use serde_json::{Value, json};

use super::record::Record;
use crate::api::aibot::Press;
use crate::clock::stamp;
use crate::send::Session;
use crate::store::append_line;

/// The line of a question that is asked from now on.
pub(super) fn log_question(session: &Session<'_>, record: &Record) {
    let targets: Vec<&str> = record.targets.iter().map(|target| target.name.as_str()).collect();
    write(
        session,
        json!({ "event": "question", "id": record.id, "targets": targets, "wait_s": record.wait_ms / 1000 }),
    );
}

/// The line of a press; `counts` says whether it is the answer.
pub(super) fn log_press(session: &Session<'_>, record: &Record, press: &Press, counts: bool) {
    let chosen: Vec<&String> = press.selected.iter().flat_map(|(_, ids)| ids).collect();
    write(
        session,
        json!({
            "event": "press",
            "id": record.id,
            "task_id": press.task_id,
            "userid": press.userid,
            "key": press.key,
            "options": chosen,
            "counts": counts,
        }),
    );
}

/// Writes a line with what all of them have. That it cannot be written is said with the line of the command itself.
fn write(session: &Session<'_>, event: Value) {
    let Some(path) = &session.settings.log_file else { return };
    let mut line = json!({ "time": stamp(SystemTime::now()), "pid": std::process::id(), "command": "ask" });
    if let (Some(line), Value::Object(event)) = (line.as_object_mut(), event) {
        line.extend(event);
    }
    let _ = append_line(path, &line.to_string());
}
