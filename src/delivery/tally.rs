//! What becomes of a message of several parts: a receipt for each, and one outcome for all. Pure.

use super::attempts::Failed;
use super::consignment::{Shipment, all_among};
use super::outcome::{Outcome, PartKind, Receipt, Shortfall, Unreached};
use crate::api::Reply;
use crate::error::{Answer, Error, Status};

/// The account of one message.
pub(super) struct Tally<'a> {
    parts: &'a [Shipment],
    /// Parts that went out whole, or as far as their recipients allow.
    sent: usize,
    /// Calls that WeCom took, and those of them that reached nobody.
    taken: usize,
    in_vain: usize,
    unreached: Unreached,
    /// WeCom's last consent.
    answer: Option<Answer>,
    failures: Vec<(usize, Failed)>,
    /// Parts that were not tried after a failure.
    skipped: Vec<usize>,
    stopped: bool,
}

/// The account of one part under way.
pub(super) struct PartTally<'t, 'a> {
    tally: &'t mut Tally<'a>,
    index: usize,
    receipt: Receipt,
    taken: usize,
    failed: bool,
    unreached: bool,
}

impl<'a> Tally<'a> {
    pub(super) fn new(parts: &'a [Shipment]) -> Self {
        Self {
            parts,
            sent: 0,
            taken: 0,
            in_vain: 0,
            unreached: Unreached::default(),
            answer: None,
            failures: Vec::new(),
            skipped: Vec::new(),
            stopped: false,
        }
    }

    /// Whether what is left need not be tried.
    pub(super) fn is_stopped(&self) -> bool {
        self.stopped
    }

    /// Passes over a part.
    pub(super) fn skip(&mut self, index: usize) -> Option<Receipt> {
        self.skipped.push(index);
        Some(self.receipt(index, Status::Skipped))
    }

    /// Opens the account of a part.
    pub(super) fn part<'t>(&'t mut self, index: usize) -> PartTally<'t, 'a> {
        let receipt = self.receipt(index, Status::Sent);
        PartTally { tally: self, index, receipt, taken: 0, failed: false, unreached: false }
    }

    fn receipt(&self, index: usize, status: Status) -> Receipt {
        let part = &self.parts[index];
        Receipt { name: part.file_name(), task_id: part.task_id(), ..Receipt::new(part.kind, status, None) }
    }

    /// Closes the account.
    pub(super) fn into_outcome(mut self) -> Outcome {
        let shortfall = self.failures.last().map(|(_, failed)| Shortfall {
            status: failed.error.status(),
            may_have_arrived: self.failures.iter().any(|(_, failed)| failed.may_have_arrived),
        });
        let unreached = std::mem::take(&mut self.unreached);
        let reached_nobody = self.taken > 0 && self.taken == self.in_vain;
        if self.failures.is_empty() {
            let status = if unreached.is_empty() { Status::Sent } else { Status::Partial };
            return Outcome {
                answer: self.answer,
                error: (!unreached.is_empty()).then(|| not_reached(reached_nobody, &unreached)),
                unreached,
                reached_nobody,
                ..Outcome::new(status)
            };
        }
        if self.taken == 0 && self.failures.len() == 1 {
            let (_, first) = self.failures.swap_remove(0);
            return Outcome { unreached, shortfall, ..Outcome::from(first.error) };
        }
        let error = self.in_part(&unreached);
        Outcome { unreached, reached_nobody, shortfall, ..Outcome::from(error) }
    }

    /// Those that were not tried: parts of a long text as a range, files by their names.
    fn titles_of_skipped(&self) -> Vec<String> {
        let count = self.parts.len();
        let is_file = |index: usize| self.parts[index].kind == PartKind::Attachment;
        let (files, parts): (Vec<usize>, Vec<usize>) = self.skipped.iter().partition(|index| is_file(**index));
        let mut titles = match parts.as_slice() {
            [first, .., last] => vec![format!("parts {} to {} of {count}", first + 1, last + 1)],
            parts => parts.iter().map(|index| self.parts[*index].title(*index, count)).collect(),
        };
        titles.extend(files.iter().map(|index| self.parts[*index].title(*index, count)));
        titles
    }

    /// Some of it was taken: names what was not.
    fn in_part(&self, unreached: &Unreached) -> Error {
        let count = self.parts.len();
        let mut missing: Vec<String> = Vec::new();
        for (index, failed) in &self.failures {
            missing.push(format!("{} ({})", self.parts[*index].title(*index, count), failed.error.message()));
        }
        missing.extend(self.titles_of_skipped());
        let sent = match self.sent {
            0 if self.taken == 0 => "no part was sent".to_owned(),
            sent => format!("{sent} of {count} parts sent whole"),
        };
        let mut message = format!("{sent}; not sent: {}", missing.join(", "));
        if !unreached.is_empty() {
            message = format!("{message}; {}", named(unreached));
        }
        let last = self.failures.last().map(|(_, failed)| &failed.error);
        // Where nothing was taken, what came last decides: it is what a second try would meet.
        let status = last.filter(|_| self.taken == 0).map_or(Status::Partial, Error::status);
        let mut error = Error::new(status, message);
        if let Some(last) = last {
            if let Some(hint) = last.hint() {
                error = error.with_hint(hint);
            }
            if let Some(answer) = last.answer() {
                error = error.with_answer(answer.clone());
            }
            if let Some(wait) = last.retry_after() {
                error = error.with_retry_after(wait);
            }
        }
        error
    }
}

impl PartTally<'_, '_> {
    /// WeCom took a call: for all, for some, or, in spite of its `errcode` 0, for nobody.
    pub(super) fn arrived(&mut self, reply: &Reply, body: &serde_json::Value) {
        let unreached = Unreached::named_by(|field| reply.ids(field));
        self.unreached |= !unreached.is_empty();
        self.taken += 1;
        self.tally.taken += 1;
        self.tally.in_vain += usize::from(!unreached.is_empty() && all_among(body, &unreached));
        self.tally.unreached.extend(unreached);
        self.tally.answer = Some(reply.answer.clone());
        self.receipt.answer = Some(reply.answer.clone());
        self.receipt.msgids.extend(reply.text("msgid"));
        self.receipt.response_code = reply.text("response_code").or_else(|| self.receipt.response_code.take());
    }

    /// A call, or the upload before it, failed.
    pub(super) fn failed(&mut self, failed: Failed) {
        let status = failed.error.status();
        let is_about_the_file =
            self.receipt.kind == PartKind::Attachment && matches!(status, Status::Config | Status::Usage);
        self.tally.stopped |= status != Status::Refused && !is_about_the_file;
        self.failed = true;
        self.receipt.status = status;
        self.receipt.answer = failed.error.answer().cloned().or_else(|| self.receipt.answer.take());
        self.tally.unreached.extend(failed.unreached.clone());
        self.tally.failures.push((self.index, failed));
    }

    /// Whether the calls that are left need not be made.
    pub(super) fn is_stopped(&self) -> bool {
        self.tally.stopped
    }

    /// Closes the account of this part.
    pub(super) fn close(mut self) -> Receipt {
        if self.taken > 0 && (self.failed || self.unreached) {
            self.receipt.status = Status::Partial;
        }
        self.tally.sent += usize::from(!self.failed);
        self.receipt
    }
}

/// Names those who did not get it.
fn not_reached(reached_nobody: bool, unreached: &Unreached) -> Error {
    let hint = if unreached.unlicenseduser.is_empty() {
        "correct these ids, or add them under 应用管理 → the app → 可见范围 and send to them again"
    } else {
        "buy or assign an interface licence for the unlicensed members; correct other ids or add them under 应用管理 → the app → 可见范围"
    };
    let what = if reached_nobody { "WeCom took it, but nobody gets it" } else { "sent, but not to all" };
    Error::new(Status::Partial, format!("{what}: {}", named(unreached))).with_hint(hint)
}

fn named(unreached: &Unreached) -> String {
    let lists = [
        ("invaliduser", &unreached.invaliduser),
        ("invalidparty", &unreached.invalidparty),
        ("invalidtag", &unreached.invalidtag),
        ("unlicenseduser", &unreached.unlicenseduser),
    ];
    let named: Vec<String> = lists
        .iter()
        .filter(|(_, ids)| !ids.is_empty())
        .map(|(name, ids)| format!("{name} {}", ids.join(", ")))
        .collect();
    named.join("; ")
}
