//! The lines of `--log-file` about a question: one when it is asked, and one for each press. No text of it is in them.

use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use super::record::Record;
use crate::api::aibot::Press;
use crate::blocking::off_loop;
use crate::clock::stamp;
use crate::send::Session;
use crate::store::append_line;

/// How long a disk may hold the question up.
const PATIENCE: Duration = Duration::from_millis(500);

/// The line of a question that is asked from now on.
pub(super) async fn log_question(session: &Session<'_>, record: &Record) {
    let targets: Vec<&str> = record.targets.iter().map(|target| target.name.as_str()).collect();
    let writing = write(
        session,
        json!({ "event": "question", "id": record.id, "targets": targets, "wait_s": record.wait_ms / 1000 }),
    );
    let _ = tokio::time::timeout(PATIENCE, writing).await;
}

/// The line of a press; `counts` says whether it is the answer.
pub(super) fn log_press(
    session: &Session<'_>,
    record: &Record,
    press: &Press,
    userid: &str,
    counts: bool,
) -> impl Future<Output = ()> + 'static {
    let chosen: Vec<&String> = press.selected.iter().flat_map(|(_, ids)| ids).collect();
    write(
        session,
        json!({
            "event": "press",
            "id": record.id,
            "task_id": press.task_id,
            "userid": userid,
            "key": press.key,
            "options": chosen,
            "counts": counts,
        }),
    )
}

/// Writes a line with what all of them have. That it cannot be written is said with the line of the command itself.
fn write(session: &Session<'_>, event: Value) -> impl Future<Output = ()> + 'static {
    let path = session.settings.log_file.clone();
    let mut line = json!({ "time": stamp(SystemTime::now()), "pid": std::process::id(), "command": "ask" });
    if let (Some(line), Value::Object(event)) = (line.as_object_mut(), event) {
        line.extend(event);
    }
    async move {
        if let Some(path) = path {
            let _ = off_loop(move || append_line(&path, &line.to_string())).await;
        }
    }
}
