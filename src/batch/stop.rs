//! A signal stops a batch: what is under way ends, in bounded time, and what was not sent is named.

use std::time::Duration;

use serde_json::Value;
use tokio::time::{Instant, timeout_at};

use super::line::AlertLine;
use super::queues::{LineForm, Position, Waited};
use super::{Batch, LineResult, Stalled, TO_READ, UnderWay};
use crate::blocking::settled;
use crate::delivery::{Outcome, interrupted};
use crate::error::{Error, Signal, Status};
use futures_util::StreamExt;

/// How long what is under way has when a signal stops the batch: shorter than service managers wait.
const TO_END: Duration = Duration::from_secs(5);

impl Batch<'_, '_> {
    /// Ends what is under way, in bounded time, and says what is not sent.
    pub(super) async fn stop(&mut self, signal: Signal, name: &str) -> Outcome {
        let is_read = self.input.take().is_none() && self.at_hand.is_empty();
        let until = Instant::now() + TO_END;
        // What only waits, such as for WeCom's rate, waits no more.
        while self.under_way.values().any(|alert| alert.accounts.is_under_way()) {
            let Ok(Some(ended)) = timeout_at(until, self.begun.next()).await else { break };
            self.end(ended);
            self.results.pass_on();
        }
        self.begun.clear();
        settled().await;
        let mut unsent = 0;
        for UnderWay { position, id, accounts, is_final } in std::mem::take(&mut self.under_way).into_values() {
            let outcome = interrupted(signal, true, is_final, &accounts);
            self.unsent(position, id, outcome);
            unsent += 1;
        }
        if let Some(Stalled { position, line, .. }) = self.stalled.take() {
            self.unsent(position, line.id, not_begun(signal));
            unsent += 1;
        }
        for target in self.queues.targets() {
            while let Some(Ok(Waited { position, line })) = self.queues.take(target) {
                let id = match line {
                    LineForm::Read(line) => line.id,
                    LineForm::Raw(bytes) => AlertLine::id_of(&bytes, position.number),
                };
                self.unsent(position, id, not_begun(signal));
                unsent += 1;
                if self.results.is_full() {
                    self.results.finish(Instant::now() + TO_READ).await;
                }
            }
        }
        stopped(signal, unsent, (!is_read).then_some(self.next.number), name)
    }

    fn unsent(&mut self, position: Position, id: Value, outcome: Outcome) {
        let began = std::time::Instant::now();
        let log_file = self.session.settings.log_file.clone();
        self.finish(position, LineResult { id, outcome, warnings: Vec::new(), logged: None, began, log_file });
    }
}

fn name_of(signal: Signal) -> &'static str {
    match signal {
        Signal::Interrupt => "SIGINT",
        Signal::Terminate => "SIGTERM",
    }
}

/// The outcome of a line that was read and not begun.
fn not_begun(signal: Signal) -> Outcome {
    let message = format!("stopped by {}: nothing had been sent", name_of(signal));
    Outcome::from(Error::new(Status::Interrupted(signal), message).with_hint("send it again"))
}

/// The outcome of a batch that a signal stopped.
fn stopped(signal: Signal, unsent: u64, unread: Option<u64>, name: &str) -> Outcome {
    let lines = match unsent {
        0 => "all lines that were read have their result".to_owned(),
        1 => "one line that was read is interrupted".to_owned(),
        many => format!("{many} lines that were read are interrupted"),
    };
    let (then, hint) = match unread {
        Some(line) => (
            format!("line {line} of {name} is the first that was not read"),
            format!("send what is interrupted again, and the rest: tail -n +{line}; see wecom-alert help batch"),
        ),
        None => {
            ("all lines were read".to_owned(), "send what is interrupted again: see wecom-alert help batch".to_owned())
        }
    };
    let message = format!("stopped by {}: {lines}; {then}", name_of(signal));
    Outcome::from(Error::new(Status::Interrupted(signal), message).with_hint(hint))
}
