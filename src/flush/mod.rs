//! `outbox flush`: delivers the alerts stored in the outbox, oldest first, each to its own target with the current
//! settings.

mod digest;
mod manage;
mod queue;

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

pub use manage::{Selection, discard, list, show};

use crate::blocking::off_loop;
use crate::delivery::{Outcome, Product, UnreachedRecipients};
use crate::error::{Error, Result, Status};
use crate::outbox::Outbox;
use crate::send::Session;
use crate::store::{Guard, lock_patience};
use queue::{Flush, FlushReport};

/// How many waiting alerts are delivered after a send, and how long that may take at the most.
const MOST_AFTER_SEND: usize = 5;
const LONGEST_AFTER_SEND: Duration = Duration::from_secs(5);

/// What a flush is to do.
#[derive(Debug, Clone, Copy, Default)]
pub struct FlushRequest {
    /// What was given up is tried again too.
    pub failed: bool,
    /// What waits for one target becomes one message of each type, where there is much of it.
    pub digest: bool,
}

/// Delivers what waits.
///
/// # Errors
///
/// Exit 3 where the outbox cannot be used, exit 7 where another flush is at work.
pub async fn flush(session: &mut Session<'_>, request: FlushRequest) -> Result<Outcome> {
    if session.settings.dry_run {
        return Err(manage::no_dry_run());
    }
    let outbox = Arc::new(Outbox::at(&session.require_state()?));
    let known_warnings = session.warnings.len();
    let _flushing = lock(session, &outbox).await?;
    let prepared = Arc::clone(&outbox);
    let prepare = move || {
        let revived = if request.failed { prepared.revive()? } else { Vec::new() };
        // What cannot be swept now is swept later.
        let _ = prepared.sweep(SystemTime::now());
        Ok::<_, Error>((revived, prepared.waiting_ids()?))
    };
    let (revived, ids) = off_loop(prepare).await??;
    let deadline = session.deadline();
    let mut flush = Flush::new(session, Arc::clone(&outbox), deadline);
    flush.revived = revived;
    flush.joins = request.digest;
    let FlushReport { delivered, given_up, damaged, partial, attempts, stayed, has_news, unresolved, .. } =
        flush.deliver(ids, usize::MAX).await;
    // Others may have added to it meanwhile: what counts is what waits now.
    let waiting = Arc::clone(&outbox);
    let remaining = match off_loop(move || waiting.waiting().map(Iterator::count)).await.flatten() {
        Ok(remaining) => remaining,
        Err(error) => {
            session.warnings.push(format!("what waits cannot be counted: {error}"));
            stayed.len()
        }
    };
    let has_warnings = session.warnings.len() > known_warnings || !partial.is_empty();
    let has_news = has_news || has_warnings || delivered > 0 || !given_up.is_empty();
    session.warnings.extend(stayed.iter().map(|reason| format!("still waiting: {reason}")));
    session.warnings.extend(given_up.iter().map(|reason| format!("given up: {reason}")));
    session.warnings.extend(partial);
    let product = Product::Flush { delivered, remaining, failed: given_up.len(), has_news };
    let unreached = UnreachedRecipients::unresolved(&unresolved);
    let mut outcome = Outcome { attempts, unreached, ..Outcome::with_product(Status::Ok, product) };
    if remaining > 0 || !given_up.is_empty() {
        let mut message = format!("{delivered} delivered");
        if remaining > 0 {
            let reason = stayed.first().map_or(String::new(), |reason| format!("; the first is {reason}"));
            message = format!("{message}, {remaining} still waiting{reason}");
        }
        if let Some(first) = given_up.first() {
            message = format!("{message}, {} given up; the first is {first}", given_up.len());
        }
        let hint = match (given_up.is_empty(), damaged.first()) {
            (true, _) => {
                "wecom-alert outbox list shows why each one waits; fix that, or wait, and flush again".to_owned()
            }
            (false, None) => {
                "wecom-alert outbox list shows them; wecom-alert outbox flush --failed tries again what was \
                              given up"
                    .to_owned()
            }
            (false, Some(id)) => format!(
                "{id} is damaged, and trying again does not help: what is left of its text is in {}; send that \
                 again, and discard the entry with: wecom-alert outbox drop {id}",
                outbox.entry_file(id).display()
            ),
        };
        outcome.status = if delivered > 0 { Status::Partial } else { Status::Temporary };
        outcome.error = Some(Error::new(outcome.status, message).with_hint(hint));
    }
    Ok(outcome)
}

/// The lock of a flush; `None` where its holder, which may be a stopped process, has moved nothing for a part of the deadline:
/// then this flush goes on beside it, and leaves what the other one has claimed.
async fn lock(session: &mut Session<'_>, outbox: &Arc<Outbox>) -> Result<Option<Guard>> {
    let ids = || {
        let outbox = Arc::clone(outbox);
        off_loop(move || outbox.waiting_ids())
    };
    // The usual case, without a look at what waits.
    match outbox.lock_flush(Instant::now()).await {
        Ok(None) => {}
        // Each entry has a lock of its own: without this one, two flushes may mix their order.
        Err(error) if error.kind() == io::ErrorKind::InvalidData => {
            session.warnings.push(format!("{} cannot be used: {error}", outbox.flush_lock().display()));
            return Ok(None);
        }
        locked => return locked.map_err(|error| outbox.unusable(&error)),
    }
    let before = ids().await??;
    if let Some(flushing) =
        outbox.lock_flush(lock_patience(session.deadline())).await.map_err(|error| outbox.unusable(&error))?
    {
        return Ok(Some(flushing));
    }
    let now = ids().await??;
    if before.iter().any(|id| !now.contains(id)) {
        return Err(Error::temporary(
            "another flush is at work",
            "wait for its end, or give more time with --deadline",
        ));
    }
    session
        .warnings
        .push("another flush moves nothing, and may have been stopped: this one goes on beside it".to_owned());
    Ok(None)
}

/// Delivers a few entries after a send that went well and was reported. Returns a warning for each that was given up. Why
/// others still wait is reported by the next flush.
pub async fn flush_after_send(session: &mut Session<'_>) -> Vec<String> {
    let Some(state) = session.state() else { return Vec::new() };
    let outbox = Arc::new(Outbox::at(&state));
    let looked_at = Arc::clone(&outbox);
    let Ok(Ok(ids)) = off_loop(move || looked_at.waiting_ids()).await else { return Vec::new() };
    if ids.is_empty() {
        return Vec::new();
    }
    // Another process may be flushing: then there is nothing to do.
    let Ok(Some(_flushing)) = outbox.lock_flush(Instant::now()).await else { return Vec::new() };
    let deadline = session.deadline().min(Instant::now() + LONGEST_AFTER_SEND);
    let observer = session.observer.clone();
    let mut flush = Flush::new(session, outbox, deadline);
    flush.is_brief = true;
    let FlushReport { given_up, stayed, partial, .. } = flush.deliver(ids, MOST_AFTER_SEND).await;
    let stayed = stayed.iter().map(|reason| format!("still waiting: {reason}"));
    for line in stayed.chain(partial) {
        observer.detail(format!("outbox: {line}"));
    }
    given_up.iter().map(|reason| format!("outbox: given up: {reason}")).collect()
}
