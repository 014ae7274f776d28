//! An alert in the outbox while it is being sent: put there before the first attempt, and what becomes of it after.

use serde_json::Value;

use crate::blocking::to_the_end;
use crate::clock::now_ms;
use crate::delivery::{Account, Outcome};
use crate::error::{Error, Result, Status};
use crate::message::Part;
use crate::outbox::{Held, NewEntry, Outbox, Refusal};

use super::session::Session;
use super::target::Target;

/// Stores an alert, if that is wanted. `markable` says whether its text may be led by a line of ours.
///
/// # Errors
///
/// Exit 3 where the outbox cannot be used at all, unless the alert is to be sent all the same. That it, or the disk, is full
/// is a warning: the alert is sent without it.
pub(super) async fn accept(
    target: &mut Target,
    parts: &[Part],
    markable: bool,
    sends_unstored: bool,
) -> Result<Option<Held>> {
    if !target.settings.outbox {
        return Ok(None);
    }
    let state = match target.require_state() {
        Err(error) if sends_unstored => return Ok(unstored(target, &error)),
        state => state?,
    };
    // A target whose credentials cannot be read fails by itself in a moment, and says why.
    let Ok((profile, identity)) = addressee(target, parts).await else { return Ok(None) };
    let entry = NewEntry {
        channel: target.channel,
        profile,
        target: identity,
        at_most_once: target.settings.at_most_once,
        duplicate_check_s: duplicate_check(parts),
        markable,
        queued_at_ms: now_ms(),
        parts: parts.to_vec(),
    };
    match to_the_end(move || Outbox::open(&state).and_then(|outbox| outbox.accept(entry))).await? {
        Ok(held) => Ok(Some(held)),
        Err(Refusal::Failed(error)) if !sends_unstored => Err(error),
        Err(refusal) => Ok(unstored(target, &refusal.into())),
    }
}

/// Warns that an alert could not be stored.
fn unstored(target: &mut Target, error: &Error) -> Option<Held> {
    let hint = error.hint().unwrap_or_default();
    target.warnings.push(format!("{error}; the alert is sent without being stored: {hint}"));
    None
}

/// Looks whether an alert could be stored, if that is wanted; a warning tells that it could not.
pub(crate) fn rehearse(session: &mut Session<'_>) {
    if !session.settings.outbox {
        return;
    }
    let opened = session.require_state().and_then(|state| Ok(Outbox::open(&state)?));
    if let Err(error) = opened {
        let hint = error.hint().unwrap_or_default();
        session.warnings.push(format!("{error}; an alert would be sent without being stored: {hint}"));
    }
}

/// What becomes of the entry of a target after its attempt; the outcome is completed accordingly.
pub(super) async fn settle(target: &mut Target, account: &mut Account, outcome: &mut Outcome) {
    let Some(id) = account.entry().map(|entry| entry.id().to_owned()) else { return };
    let Some(shortfall) = outcome.shortfall else {
        if let Err(error) = account.done().await {
            target.warnings.push(format!("entry {id} of the outbox was delivered but cannot be removed: {error}"));
        }
        return;
    };
    outcome.outbox_id = Some(id.clone());
    let is_over = !shortfall.may_wait(target.settings.at_most_once);
    let kept = match is_over {
        true => account.give_up(outcome).await,
        false => account.wait(outcome).await,
    };
    if let Err(error) = kept {
        target.warnings.push(format!("entry {id} of the outbox cannot be brought up to date: {error}"));
    }
    if is_over {
        let told = outcome.error.take();
        outcome.error = told.map(|error| {
            let message = format!("{}; the outbox keeps it among the failed ones as {id}", error.message());
            let then = "then: wecom-alert outbox flush --failed";
            let hint = error.hint().map_or(then.to_owned(), |hint| format!("{hint}; {then}"));
            error.with_message(message).with_hint(hint)
        });
    } else {
        queue(outcome, &id);
    }
}

/// Turns a failure into what was asked for instead: the alert waits.
fn queue(outcome: &mut Outcome, id: &str) {
    outcome.status = Status::Queued;
    for part in &mut outcome.parts {
        if !matches!(part.status, Status::Sent | Status::Partial | Status::Refused) {
            part.status = Status::Queued;
        }
    }
    let Some(error) = outcome.error.take() else { return };
    let message = format!("{}; it waits in the outbox as {id}", error.message());
    let hint = "it goes out with the next send that uses the outbox, or with: wecom-alert outbox flush";
    outcome.error = Some(error.with_status(Status::Queued).with_message(message).with_hint(hint));
}

/// The profile that names the target, or, for credentials of the environment, the target's fingerprint.
async fn addressee(target: &Target, parts: &[Part]) -> Result<(Option<String>, Option<String>)> {
    match &target.settings.profile {
        Some(profile) if !target.is_by_environment() => Ok((Some(profile.clone()), None)),
        _ => Ok((None, Some(target.identity(agent_id(parts)).await?))),
    }
}

fn duplicate_check(parts: &[Part]) -> Option<u64> {
    let body = &parts.first()?.body;
    let is_on = body.get("enable_duplicate_check").and_then(Value::as_i64) == Some(1);
    // The default interval is half an hour (document path 90236).
    is_on.then(|| body.get("duplicate_check_interval").and_then(Value::as_u64).unwrap_or(1800))
}

/// The agent that a payload names.
pub(crate) fn agent_id(parts: &[Part]) -> Option<i64> {
    parts.first()?.body.get("agentid").and_then(Value::as_i64)
}
