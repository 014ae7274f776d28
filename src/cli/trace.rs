//! `--log-file`: a line of JSON for each command. No text and no secret is in it, and nothing depends on it.

use std::path::Path;
use std::time::{Instant, SystemTime};

use serde_json::{Value, json};

use wecom_alert::channel::Channel;
use wecom_alert::clock;
use wecom_alert::delivery::Outcome;
use wecom_alert::send::Said;
use wecom_alert::store;

/// One command that has ended.
pub(crate) struct Trace<'a> {
    pub(crate) command: Option<&'static str>,
    pub(crate) outcome: &'a Outcome,
    pub(crate) said: Option<&'a Said>,
    pub(crate) began: Instant,
}

impl Trace<'_> {
    /// Appends the line. A file that cannot be written is told, and is no failure.
    pub(crate) fn append(&self, path: &Path) -> Result<(), String> {
        store::append_line(path, &self.line())
            .map_err(|error| format!("the log file {} cannot be written: {error}", path.display()))
    }

    fn line(&self) -> String {
        let outcome = self.outcome;
        let text = self.said.and_then(|said| said.text.as_ref());
        let msgids: Vec<&String> = outcome.parts.iter().flat_map(|part| &part.msgids).collect();
        // One target is told by the fields around.
        let targets = outcome.targets.iter().filter(|_| outcome.targets.len() > 1).map(target);
        let line = json!({
            "time": clock::stamp(SystemTime::now()),
            "pid": std::process::id(),
            "command": self.command,
            "profile": outcome.profile,
            "route": outcome.channel.map(Channel::as_str),
            "type": self.said.map(|said| &said.msgtype),
            "bytes": text.map(|(bytes, _)| bytes),
            "sha256": text.map(|(_, sha256)| sha256),
            "status": outcome.status.as_str(),
            "exit_code": outcome.exit_code(),
            "errcode": outcome.answer.as_ref().map(|answer| answer.errcode),
            "attempts": outcome.attempts,
            "msgids": msgids,
            "outbox_id": outcome.outbox_id,
            "targets": targets.collect::<Vec<_>>(),
            "ms": clock::in_ms(self.began.elapsed()),
        });
        line.to_string()
    }
}

/// What became of one target.
fn target(target: &Outcome) -> Value {
    json!({
        "profile": target.profile,
        "route": target.channel.map(Channel::as_str),
        "status": target.status.as_str(),
        "errcode": target.answer.as_ref().map(|answer| answer.errcode),
        "outbox_id": target.outbox_id,
    })
}
