//! The results of a batch: their order, their way to the reader, and what the whole comes to.

use std::collections::BTreeMap;
use std::future::{Future, pending};
use std::time::Duration;

use tokio::sync::mpsc::Sender;
use tokio::sync::mpsc::error::TrySendError;
use tokio::time::{Instant, sleep_until};

use super::queues::Position;
use crate::delivery::Outcome;
use crate::error::{Error, Status};

/// How many results may be waited for by the order, or wait for their turn in it.
const WINDOW: u64 = 4096;

/// How long a result waits for others to be written with it.
const MOMENT: Duration = Duration::from_millis(2);

/// So many bytes are written without waiting for more.
const ENOUGH: usize = 32 << 10;

/// More than so many bytes do not wait for their reader: nothing new is begun until it has taken some.
const MOST: usize = 512 << 10;

/// Lines of results on their way to the reader.
pub(super) struct Results {
    /// In the order of the lines: those that are not due yet, and the sequence number that is.
    order: Option<(BTreeMap<u64, Vec<u8>>, u64)>,
    pending: Vec<u8>,
    /// When what is pending is written.
    due: Option<Instant>,
    sender: Sender<Vec<u8>>,
    /// How many lines ended with each status.
    counts: BTreeMap<&'static str, u64>,
    succeeded: u64,
    failed: u64,
    /// The first failure in the order of the lines: its status and words.
    first_failure: Option<(Position, Error)>,
}

impl Results {
    pub(super) fn new(keep_order: bool, sender: Sender<Vec<u8>>) -> Self {
        Self {
            order: keep_order.then(|| (BTreeMap::new(), 0)),
            pending: Vec::new(),
            due: None,
            sender,
            counts: BTreeMap::new(),
            succeeded: 0,
            failed: 0,
            first_failure: None,
        }
    }

    /// Whether a line may be read whose result would have this place.
    pub(super) fn has_room_for(&self, sequence: u64) -> bool {
        self.order.as_ref().is_none_or(|(_, due)| sequence < due + WINDOW)
    }

    /// Whether their reader is so slow that nothing new is to be begun.
    pub(super) fn is_full(&self) -> bool {
        self.pending.len() > MOST
    }

    /// How many lines have ended well, and how many have not.
    pub(super) fn counted(&self) -> (u64, u64) {
        (self.succeeded, self.failed)
    }

    /// Counts how a line ended.
    pub(super) fn count(&mut self, position: Position, outcome: &Outcome) {
        *self.counts.entry(outcome.status.as_str()).or_default() += 1;
        if outcome.exit_code() == 0 {
            self.succeeded += 1;
            return;
        }
        self.failed += 1;
        if self.first_failure.as_ref().is_none_or(|(first, _)| position < *first) {
            let told = outcome.error.clone();
            let error = told.unwrap_or_else(|| Error::new(outcome.status, outcome.status.as_str()));
            self.first_failure = Some((position, error.with_status(outcome.status)));
        }
    }

    /// Takes the result of a line.
    pub(super) fn push(&mut self, sequence: u64, line: Vec<u8>) {
        match &mut self.order {
            None => self.pending.extend(line),
            Some((waiting, due)) => {
                waiting.insert(sequence, line);
                while let Some(line) = waiting.remove(due) {
                    self.pending.extend(line);
                    *due += 1;
                }
            }
        }
        if !self.pending.is_empty() && self.due.is_none() {
            self.due = Some(Instant::now() + MOMENT);
        }
        if self.pending.len() >= ENOUGH {
            self.pass_on();
        }
    }

    /// Hands what is pending to the reader, if that has taken what came before.
    pub(super) fn pass_on(&mut self) {
        match self.sender.try_send(std::mem::take(&mut self.pending)) {
            // Who reads no more gets no more; alerts go on.
            Ok(()) | Err(TrySendError::Closed(_)) => self.due = None,
            Err(TrySendError::Full(lines)) => {
                self.pending = lines;
                self.due = Some(Instant::now() + MOMENT);
            }
        }
    }

    /// Waits until something is to be passed on.
    pub(super) fn wait(&self) -> impl Future<Output = ()> + use<> {
        let due = self.due;
        async move {
            match due {
                Some(due) => sleep_until(due).await,
                None => pending().await,
            }
        }
    }

    /// Hands over the rest, until then.
    pub(super) async fn finish(&mut self, until: Instant) {
        if let Some((waiting, _)) = &mut self.order {
            std::mem::take(waiting).into_values().for_each(|line| self.pending.extend(line));
        }
        if !self.pending.is_empty() {
            let sending = self.sender.send(std::mem::take(&mut self.pending));
            let _ = tokio::time::timeout_at(until, sending).await;
        }
    }

    /// `10 lines: 8 sent, 2 refused`.
    pub(super) fn summary(&self) -> String {
        let lines = self.succeeded + self.failed;
        let plural = if lines == 1 { "" } else { "s" };
        let counts: Vec<String> = self.counts.iter().map(|(status, count)| format!("{count} {status}")).collect();
        match counts.as_slice() {
            [] => "no lines".to_owned(),
            counts => format!("{lines} line{plural}: {}", counts.join(", ")),
        }
    }

    /// How the whole ended: 0 for all, 6 for some, else as the first line that failed.
    pub(super) fn outcome(&self) -> Outcome {
        let Some((position, error)) = &self.first_failure else {
            let is_any = |status: Status| self.counts.contains_key(status.as_str());
            let statuses = [Status::Sent, Status::Queued, Status::DryRun, Status::Skipped];
            return Outcome::new(statuses.into_iter().find(|status| is_any(*status)).unwrap_or(Status::Ok));
        };
        let status = if self.succeeded > 0 { Status::Partial } else { error.status() };
        let lines = self.succeeded + self.failed;
        let message = format!(
            "{} of {lines} lines failed; the first is line {}: {}",
            self.failed,
            position.number,
            error.message()
        );
        Outcome::from(error.about(status, message))
    }
}
