//! What a delivery comes to: the outcome of one target or of all, and what is said of a message that not all got, or of which
//! not all parts went out.

use super::account::{Account, Accounts, PartAccount, Target};
use super::failed::Failed;
use super::outcome::{Outcome, Receipt, Shortfall, Unreached};
use crate::error::{Error, Status};
use crate::message::PartKind;

impl Accounts {
    /// Writes into an outcome what was sent to all targets, and what the outbox holds.
    pub fn close_all(&self, outcome: &mut Outcome) {
        for target in self.lock().iter() {
            outcome.attempts += target.attempts;
            outcome.parts.extend(target.receipts(target.is_stopped()));
            outcome.outbox_id = outcome.outbox_id.take().or_else(|| target.outbox_id.clone());
            // One for which nothing was made ready is no target yet.
            if !target.parts.is_empty() {
                outcome.targets.push(target.interrupted_as(outcome.status));
            }
        }
    }
}

impl Account {
    /// What it comes to.
    pub(super) fn outcome(&self) -> Outcome {
        self.look(|target| Some(target.outcome())).unwrap_or_else(|| Outcome::new(Status::Error))
    }
}

impl PartAccount {
    fn status(&self) -> Status {
        let last = self.failures.last().map(|failed| failed.error.status());
        match last {
            _ if !self.is_closed => Status::Skipped,
            _ if self.consents > 0 && (last.is_some() || !self.unreached.is_empty()) => Status::Partial,
            Some(status) => status,
            None => Status::Sent,
        }
    }

    fn receipt(&self) -> Receipt {
        Receipt {
            name: self.name.clone(),
            msgids: self.msgids.clone(),
            response_code: self.response_code.clone(),
            task_id: self.task_id.clone(),
            ..Receipt::new(self.kind, self.status(), self.answer.clone())
        }
    }
}

impl Target {
    /// What this process did for each part; with `skipped`, also that nothing was done.
    fn receipts(&self, skipped: bool) -> impl Iterator<Item = Receipt> {
        let told = self.parts.iter().filter(move |part| !part.was_sent && (part.is_closed || skipped));
        told.map(PartAccount::receipt)
    }

    fn outcome(&self) -> Outcome {
        let told = Outcome { attempts: self.attempts, parts: self.receipts(true).collect(), ..self.ended_as() };
        Outcome { profile: self.profile.clone(), channel: Some(self.channel), ..told }
    }

    fn ended_as(&self) -> Outcome {
        let mut unreached = Unreached::default();
        self.parts.iter().for_each(|part| unreached.extend(part.unreached.clone()));
        let failures: Vec<&Failed> = self.parts.iter().flat_map(|part| &part.failures).collect();
        let shortfall = failures.last().map(|failed| Shortfall {
            status: failed.error.status(),
            may_have_arrived: failures.iter().any(|failed| failed.may_have_arrived),
        });
        let consents: usize = self.parts.iter().map(|part| part.consents).sum();
        let in_vain: usize = self.parts.iter().map(|part| part.in_vain).sum();
        let reached_nobody = consents > 0 && consents == in_vain;
        match failures.as_slice() {
            [] => {
                let status = if unreached.is_empty() { Status::Sent } else { Status::Partial };
                Outcome {
                    answer: self.parts.iter().rev().find_map(|part| part.answer.clone()),
                    error: (!unreached.is_empty()).then(|| not_reached(reached_nobody, &unreached)),
                    unreached,
                    reached_nobody,
                    ..Outcome::new(status)
                }
            }
            [only] if consents == 0 => Outcome { unreached, shortfall, ..Outcome::from(only.error.clone()) },
            _ => {
                let is_whole = |part: &&PartAccount| part.is_closed && !part.was_sent && part.failures.is_empty();
                let sent = self.parts.iter().filter(is_whole).count();
                let error = partly_sent(&self.parts, sent, consents, &unreached);
                Outcome { unreached, reached_nobody, shortfall, ..Outcome::from(error) }
            }
        }
    }

    /// What this target has of the message when the command ends as `status` in the middle of it.
    fn interrupted_as(&self, status: Status) -> Outcome {
        let receipts: Vec<Receipt> = self.receipts(self.is_stopped()).collect();
        let delivered = receipts.iter().filter(|part| part.status == Status::Sent).count();
        let status = match &self.outbox_id {
            _ if delivered >= self.parts.len() => Status::Sent,
            Some(_) => Status::Queued,
            None => status,
        };
        Outcome {
            profile: self.profile.clone(),
            channel: Some(self.channel),
            answer: receipts.last().and_then(|part| part.answer.clone()),
            attempts: self.attempts,
            parts: receipts,
            outbox_id: self.outbox_id.clone(),
            ..Outcome::new(status)
        }
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

/// Names the parts that were not sent, when something was: `sent` parts whole, and `consents` requests in all.
fn partly_sent(parts: &[PartAccount], sent: usize, consents: usize, unreached: &Unreached) -> Error {
    let count = parts.len();
    let mut missing: Vec<String> = Vec::new();
    for (index, part) in parts.iter().enumerate() {
        let told = |failed: &Failed| format!("{} ({})", title(part, index, count), failed.error.message());
        missing.extend(part.failures.iter().map(told));
    }
    missing.extend(titles_of_skipped(parts));
    let sent = match sent {
        0 if consents == 0 => "no part was sent".to_owned(),
        sent => format!("{sent} of {count} parts sent whole"),
    };
    let mut message = format!("{sent}; not sent: {}", missing.join(", "));
    if !unreached.is_empty() {
        message = format!("{message}; {}", named(unreached));
    }
    let last = parts.iter().flat_map(|part| &part.failures).last().map(|failed| &failed.error);
    // Where nothing was taken, what came last decides: it is what a second try would meet.
    let status = last.filter(|_| consents == 0).map_or(Status::Partial, Error::status);
    match last {
        Some(last) => last.about(status, message),
        None => Error::new(status, message),
    }
}

/// Those that were not tried: parts of a long text as a range, files by their names.
fn titles_of_skipped(parts: &[PartAccount]) -> Vec<String> {
    let count = parts.len();
    let skipped: Vec<usize> = (0..count).filter(|index| parts[*index].is_skipped()).collect();
    let is_file = |index: &usize| parts[*index].kind == PartKind::Attachment;
    let (files, messages): (Vec<usize>, Vec<usize>) = skipped.iter().partition(|index| is_file(index));
    let mut titles = match messages.as_slice() {
        [first, .., last] => vec![format!("parts {} to {} of {count}", first + 1, last + 1)],
        some => some.iter().map(|index| title(&parts[*index], *index, count)).collect(),
    };
    titles.extend(files.iter().map(|index| title(&parts[*index], *index, count)));
    titles
}

/// What a report calls a part, `index` counted from 0 among `count` parts.
fn title(part: &PartAccount, index: usize, count: usize) -> String {
    match (&part.name, part.kind) {
        (Some(name), PartKind::Attachment) => format!("attachment {name}"),
        _ => format!("part {} of {count}", index + 1),
    }
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
