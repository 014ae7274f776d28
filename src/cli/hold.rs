//! An alert in the outbox while it is being sent: put there before the first attempt, and what becomes of it after.

use serde_json::Value;

use wecom_alert::clock::now_ms;
use wecom_alert::config::{Level, SecretSource};
use wecom_alert::delivery::outbox::{Held, NewEntry, NewPart, Outbox, Refusal};
use wecom_alert::delivery::{Outcome, Shipment};
use wecom_alert::error::{Error, Result, Status};
use wecom_alert::message::Route;

use super::session::Session;

/// Stores an alert, if that is wanted. `markable` says whether its text may be led by a line of ours.
///
/// # Errors
///
/// Exit 3 where the outbox cannot be used at all, unless the session sends all the same. That it, or the disk, is full is
/// a warning: the alert is sent without it.
pub(crate) async fn accept(session: &mut Session<'_>, parts: &[Shipment], markable: bool) -> Result<Option<Held>> {
    if !session.settings.outbox {
        return Ok(None);
    }
    let state = match session.require_state() {
        Err(error) if session.sends_unstored => return Ok(unstored(session, &error)),
        state => state?,
    };
    let route = session.route.unwrap_or(Route::App);
    // A target whose credentials cannot be read fails by itself in a moment, and says why.
    let Ok((profile, target)) = addressee(session, route, parts).await else { return Ok(None) };
    let entry = NewEntry {
        command: command(route).to_owned(),
        route,
        profile,
        target,
        at_most_once: session.settings.at_most_once,
        duplicate_check_s: duplicate_check(parts),
        markable,
        queued_at_ms: now_ms(),
        parts: parts.iter().map(new_part).collect(),
    };
    match Outbox::open(&state).and_then(|outbox| outbox.accept(entry)) {
        Ok(held) => {
            session.ledger.store(Some(held.id()));
            Ok(Some(held))
        }
        Err(Refusal::Failed(error)) if !session.sends_unstored => Err(error),
        Err(refusal) => Ok(unstored(session, &refusal.into())),
    }
}

/// Warns that an alert could not be stored.
fn unstored(session: &mut Session<'_>, error: &Error) -> Option<Held> {
    let hint = error.hint().unwrap_or_default();
    session.warnings.push(format!("{error}; the alert is sent without being stored: {hint}"));
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

/// What becomes of an entry after its attempt; the outcome is completed accordingly.
pub(crate) fn settle(held: Held, outcome: &mut Outcome, session: &mut Session<'_>) {
    let id = held.id().to_owned();
    let is_over = match outcome.shortfall {
        None => {
            session.ledger.store(None);
            if let Err(error) = held.done() {
                session.warnings.push(format!("entry {id} of the outbox was delivered but cannot be removed: {error}"));
            }
            return;
        }
        Some(shortfall) => !shortfall.may_wait(session.settings.at_most_once),
    };
    outcome.outbox_id = Some(id.clone());
    let kept = if is_over { give_up(held, outcome) } else { held.wait(outcome) };
    if let Err(error) = kept {
        session.warnings.push(format!("entry {id} of the outbox cannot be brought up to date: {error}"));
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

/// Puts an entry among those that are not tried any more, with what its last attempt brought.
pub(crate) fn give_up(mut held: Held, outcome: &Outcome) -> Result<()> {
    held.note(outcome);
    match &outcome.error {
        Some(error) => held.fail(error),
        None => held.done(),
    }
}

fn new_part(part: &Shipment) -> NewPart {
    NewPart { kind: part.kind, label: part.file_name(), body: part.body.clone(), media: part.media.clone() }
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
async fn addressee(
    session: &Session<'_>,
    route: Route,
    parts: &[Shipment],
) -> Result<(Option<String>, Option<String>)> {
    let settings = &session.settings;
    let source = match route {
        Route::App => &settings.secret,
        Route::Webhook => &settings.webhook,
    };
    let by_environment = source.as_ref().map(SecretSource::level) == Some(Level::Environment);
    match &settings.profile {
        Some(profile) if !by_environment => Ok((Some(profile.clone()), None)),
        _ => Ok((None, Some(session.identity(route, agent_id(parts)).await?))),
    }
}

fn agent_id(parts: &[Shipment]) -> Option<i64> {
    parts.first()?.body.get("agentid")?.as_i64()
}

fn duplicate_check(parts: &[Shipment]) -> Option<u64> {
    let body = &parts.first()?.body;
    let is_on = body.get("enable_duplicate_check").and_then(Value::as_i64) == Some(1);
    // The default interval is half an hour (document path 90236).
    is_on.then(|| body.get("duplicate_check_interval").and_then(Value::as_u64).unwrap_or(1800))
}

/// The command that sends by a route.
pub(crate) fn command(route: Route) -> &'static str {
    match route {
        Route::App => "app-send",
        Route::Webhook => "webhook-send",
    }
}
