//! An alert's way through trouble: faults of every kind, repetitions, pacing and the deadline, through the real binary.

mod changes_meanwhile;
mod deadline;
mod faults;
mod levels;
mod rate_limit;
mod rate_limit_files;
mod retries;
#[cfg(unix)]
mod stopped;
mod unreached;

use serde_json::{Value, json};
use wecom_alert::channel::Channel;

use crate::document::assert_document;
use crate::support::{Cmd, Run, Scene};

/// A text to zhangsan or to the group.
fn disk_full(scene: &Scene, route: Channel) -> Cmd {
    scene.send(route, &["disk full"])
}

/// A text to the group.
fn group(scene: &Scene, args: &[&str]) -> Cmd {
    disk_full(scene, Channel::Webhook).args(args)
}

/// A text to zhangsan.
fn app(scene: &Scene, args: &[&str]) -> Cmd {
    disk_full(scene, Channel::App).args(args)
}

/// How many requests carried a message, and how many of them were delivered.
fn sent_and_delivered(scene: &Scene) -> (usize, usize) {
    (scene.sends(), scene.wecom.messages().len())
}

/// What a call must end as.
#[derive(Debug, Clone)]
struct End {
    code: i32,
    attempts: usize,
    errcode: Option<i64>,
    retry_after_s: Option<u64>,
}

impl End {
    fn new(code: i32, attempts: usize) -> Self {
        Self { code, attempts, errcode: (code == 0).then_some(0), retry_after_s: None }
    }

    fn errcode(self, errcode: impl Into<Option<i64>>) -> Self {
        Self { errcode: errcode.into(), ..self }
    }

    fn retry_after_s(self, seconds: impl Into<Option<u64>>) -> Self {
        Self { retry_after_s: seconds.into(), ..self }
    }

    /// Holds the document against it and gives it back. Nothing but the document may have been said.
    #[track_caller]
    fn check(&self, case: &str, run: &Run) -> Value {
        assert_eq!(run.stderr, "", "{case}: stderr\n{}", run.all());
        self.check_loud(case, run)
    }

    /// The same for a call that may talk on stderr.
    #[track_caller]
    fn check_loud(&self, case: &str, run: &Run) -> Value {
        let expected = json!({
            "status": status_of(self.code),
            "attempts": self.attempts,
            "errcode": self.errcode,
            "retryable": matches!(self.code, 7 | 8),
            "retry_after_s": self.retry_after_s,
        });
        assert_document(run, case, self.code, &expected)
    }
}

fn status_of(code: i32) -> &'static str {
    match code {
        0 => "sent",
        3 => "config",
        4 => "auth",
        5 => "refused",
        6 => "partial",
        7 => "temporary",
        8 => "rate_limited",
        9 => "unknown",
        _ => panic!("no status for {code}"),
    }
}
