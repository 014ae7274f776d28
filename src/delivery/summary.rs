//! Summarises delivery state as an outcome: for one target, for several parts, or for a command that a signal stopped.
//! Pure.

use super::account::{Accounts, PartAccount, TargetAccount};
use super::failure::FailedRequest;
use super::outcome::{Outcome, Receipt, Shortfall, UnreachedRecipients};
use crate::channel::Addressing;
use crate::error::{Error, Signal, Status};
use crate::message::person::{PersonKind, seeming_person};
use crate::message::{PartKind, PartState};

/// The outcome of a command that a signal stopped; `sends` says whether the command sends one message.
/// `is_final`, that what may have arrived is not sent again.
pub fn interrupted(signal: Signal, sends: bool, is_final: bool, accounts: &Accounts) -> Outcome {
    let name = match signal {
        Signal::Interrupt => "SIGINT",
        Signal::Terminate => "SIGTERM",
    };
    let mut outcome = Outcome::new(Status::Interrupted(signal));
    let targets = accounts.lock();
    for target in targets.iter() {
        outcome.attempts += target.attempts;
        outcome.parts.extend(target.receipts(target.is_stopped()));
        outcome.outbox_id = outcome.outbox_id.take().or_else(|| target.outbox_id.clone());
        // A state without parts: the message for that target was not made.
        if !target.parts.is_empty() {
            outcome.targets.push(target.interrupted_as(outcome.status));
        }
    }
    let parts: Vec<&PartAccount> = targets.iter().flat_map(|target| &target.parts).collect();
    let is_begun = parts.iter().any(|part| part.accepted > 0 && !part.is_closed);
    // A send request went out, or was about to, and its end is unknown.
    let is_open = parts.iter().any(|part| matches!(part.progress.state, PartState::UnderWay | PartState::Unknown));
    let delivered = outcome.parts.iter().filter(|part| matches!(part.status, Status::Sent | Status::Partial)).count();
    let what = match delivered {
        0 if is_begun => "some recipients had got it".to_owned(),
        0 if is_open => "the request was under way, no answer had come".to_owned(),
        0 if outcome.attempts > 0 => "nothing had been delivered".to_owned(),
        0 => "nothing had been sent".to_owned(),
        _ if sends && delivered >= parts.len() => "the message had been delivered".to_owned(),
        _ => format!("{delivered} of {} parts had been delivered", parts.len()),
    };
    let hint = match delivered {
        _ if !sends => "run it again",
        0 if is_begun => "the others have not: send it again to them",
        _ if is_open => "the message may have arrived: look before you send it again",
        0 => "send it again",
        _ if delivered >= parts.len() => "nothing is left to do",
        _ => "send the rest again",
    };
    let mut error = Error::new(outcome.status, format!("stopped by {name}: {what}")).with_hint(hint);
    if let Some(id) = &outcome.outbox_id {
        let then = match is_final && is_open {
            true => "it may have arrived, and is not sent again: see wecom-alert outbox list after the next flush",
            false => "it goes out with the next send that uses the outbox, or with: wecom-alert outbox flush",
        };
        error =
            error.with_message(format!("stopped by {name}: {what}; it waits in the outbox as {id}")).with_hint(then);
    }
    outcome.error = Some(error);
    outcome
}

impl PartAccount {
    fn status(&self) -> Status {
        let last = self.failures.last().map(|failed| failed.error.status());
        match last {
            _ if !self.is_closed => Status::Skipped,
            _ if self.accepted > 0 && (last.is_some() || !self.unreached.is_empty()) => Status::Partial,
            Some(status) => status,
            None => Status::Sent,
        }
    }
}

impl TargetAccount {
    /// What this process did for each part; with `skipped`, also that nothing was done.
    fn receipts(&self, skipped: bool) -> impl Iterator<Item = Receipt> {
        let told = self.parts.iter().filter(move |part| !part.was_sent && (part.is_closed || skipped));
        told.map(|part| Receipt { status: part.status(), ..part.receipt.clone() })
    }

    /// The outcome of the delivery to this target.
    pub(super) fn outcome(&self) -> Outcome {
        let mut unreached = UnreachedRecipients::default();
        self.parts.iter().for_each(|part| unreached.extend(part.unreached.clone()));
        let failures: Vec<&FailedRequest> = self.parts.iter().flat_map(|part| &part.failures).collect();
        let shortfall = failures.last().map(|failed| Shortfall {
            status: failed.error.status(),
            may_have_arrived: failures.iter().any(|failed| failed.may_have_arrived),
            may_be_its_own: failed.may_be_its_own,
        });
        let accepted: usize = self.parts.iter().map(|part| part.accepted).sum();
        let accepted_for_nobody: usize = self.parts.iter().map(|part| part.accepted_for_nobody).sum();
        let reached_nobody = accepted > 0 && accepted == accepted_for_nobody;
        let outcome = match failures.as_slice() {
            [] => Outcome {
                answer: self.parts.iter().rev().find_map(|part| part.receipt.answer.clone()),
                error: (!unreached.is_empty()).then(|| {
                    match self.parts.iter().rev().find_map(|part| part.refusals.last()) {
                        Some(refusal) => refused_by_some(&refusal.error, &unreached),
                        None => not_reached(reached_nobody, &unreached),
                    }
                }),
                ..Outcome::new(if unreached.is_empty() { Status::Sent } else { Status::Partial })
            },
            [only] if accepted == 0 => Outcome::from(match self.channel.facts().addressing {
                Addressing::Recipients => with_better_option(only.error.clone(), &unreached),
                Addressing::Credential | Addressing::Chat | Addressing::Conversation => only.error.clone(),
            }),
            [.., last] => Outcome::from(partly_sent(&self.parts, &last.error, accepted, &unreached)),
        };
        Outcome {
            profile: self.profile.clone(),
            channel: Some(self.channel),
            attempts: self.attempts,
            parts: self.receipts(true).collect(),
            unreached,
            reached_nobody,
            shortfall,
            ..outcome
        }
    }

    /// The outcome for this target when the command ends as `status` in the middle of it.
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

/// The error of a message that some conversations of an aibot refused; `last` is what the last of them answered.
fn refused_by_some(last: &Error, unreached: &UnreachedRecipients) -> Error {
    last.about(Status::Partial, format!("sent, but not to all: {}: {}", unreached.named(), last.message()))
}

/// The error of a message that some recipients did not get.
fn not_reached(reached_nobody: bool, unreached: &UnreachedRecipients) -> Error {
    let hint = if !unreached.people().is_empty() {
        "correct these numbers, addresses and ids, or add the members under 应用管理 → the app → 可见范围 and send to them again"
    } else if unreached.of("unlicenseduser").is_empty() {
        "correct these ids, or add them under 应用管理 → the app → 可见范围 and send to them again"
    } else {
        "buy or assign an interface licence for the unlicensed members; correct other ids or add them under 应用管理 → the app → 可见范围"
    };
    let what = if reached_nobody { "WeCom accepted it, but nobody gets it" } else { "sent, but not to all" };
    let error = Error::new(Status::Partial, format!("{what}: {}", unreached.named())).with_hint(hint);
    with_better_option(error, unreached)
}

/// Says which option takes what was given as a userid, if that is a mobile number or mail address. A member may have such a
/// userid, so it is said only of those that WeCom refused.
fn with_better_option(error: Error, unreached: &UnreachedRecipients) -> Error {
    let Some((id, kind)) = unreached.of("invaliduser").iter().find_map(|id| Some((id, seeming_person(id)?))) else {
        return error;
    };
    let (what, option) = match kind {
        PersonKind::Mobile => ("mobile number", "--to-mobile"),
        PersonKind::Email => ("mail address", "--to-email"),
    };
    let hint = error.hint().unwrap_or_default();
    let hint = format!(
        "{id} looks like a {what}, which goes with {option}; a userid is the 账号 of 通讯录 → the member; {hint}"
    );
    error.with_hint(hint)
}

/// Names the parts that were not sent; `last` is the last failure, and WeCom took `accepted` requests in all.
fn partly_sent(parts: &[PartAccount], last: &Error, accepted: usize, unreached: &UnreachedRecipients) -> Error {
    let count = parts.len();
    let mut missing: Vec<String> = Vec::new();
    for (index, part) in parts.iter().enumerate() {
        let told = |failed: &FailedRequest| format!("{} ({})", title(part, index, count), failed.error.message());
        missing.extend(part.failures.iter().map(told));
    }
    missing.extend(titles_of_skipped(parts));
    let is_whole = |part: &&PartAccount| part.is_closed && !part.was_sent && part.failures.is_empty();
    let sent = match parts.iter().filter(is_whole).count() {
        0 if accepted == 0 => "no part was sent".to_owned(),
        sent => format!("{sent} of {count} parts sent whole"),
    };
    let mut message = format!("{sent}; not sent: {}", missing.join(", "));
    if !unreached.is_empty() {
        message = format!("{message}; {}", unreached.named());
    }
    // If no request was accepted, the last failure decides: another try would fail in the same way.
    let status = if accepted == 0 { last.status() } else { Status::Partial };
    last.about(status, message)
}

/// The parts that were not tried: those of a long text as a range, files by their names.
fn titles_of_skipped(parts: &[PartAccount]) -> Vec<String> {
    let count = parts.len();
    let skipped: Vec<usize> = (0..count).filter(|index| !parts[*index].is_closed).collect();
    let is_file = |index: &usize| parts[*index].receipt.kind == PartKind::Attachment;
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
    match (&part.receipt.name, part.receipt.kind) {
        (Some(name), PartKind::Attachment) => format!("attachment {name}"),
        _ => format!("part {} of {count}", index + 1),
    }
}
