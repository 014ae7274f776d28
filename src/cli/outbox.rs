//! `outbox list`, `outbox flush`, `outbox drop`: the alerts that could not go out yet.

use std::time::SystemTime;

use wecom_alert::delivery::outbox::{Damaged, Dropped, Entry, Listing, Outbox};
use wecom_alert::delivery::{ListedEntry, Outcome, Product};
use wecom_alert::error::{Error, Result, Status};

use super::args::{OutboxArgs, OutboxCommand, OutboxDropArgs, OutboxFlushArgs, OutboxListArgs};
use super::flush::{self, Flushed};
use super::session::Session;

/// Shows, delivers or discards entries.
pub(crate) async fn outbox(session: &mut Session<'_>, args: OutboxArgs) -> Result<Outcome> {
    let outbox = Outbox::at(&session.require_state()?);
    let changes = !matches!(args.command, OutboxCommand::List(_));
    if changes && session.settings.dry_run {
        return Err(Error::usage("flush and drop have no dry run", "see what there is with: wecom-alert outbox list"));
    }
    match args.command {
        OutboxCommand::List(args) => list(&outbox, &args),
        OutboxCommand::Flush(args) => flush(session, &outbox, &args).await,
        OutboxCommand::Drop(args) => discard(&outbox, &args),
    }
}

fn list(outbox: &Outbox, args: &OutboxListArgs) -> Result<Outcome> {
    let waiting = outbox.waiting()?;
    let count = waiting.entries.len() + waiting.damaged.len();
    let mut entries = listed(waiting, "waiting");
    entries.extend(listed(outbox.failed()?, "failed"));
    let mut outcome = Outcome::with_product(Status::Ok, Product::Entries(entries));
    if args.exit_code && count > 0 {
        let error = Error::temporary(
            format!("{count} {} in the outbox", if count == 1 { "alert waits" } else { "alerts wait" }),
            "deliver them with: wecom-alert outbox flush",
        );
        outcome.status = error.status();
        outcome.error = Some(error);
    }
    Ok(outcome)
}

fn listed(listing: Listing, state: &'static str) -> Vec<ListedEntry> {
    let Listing { entries, damaged } = listing;
    let whole = entries.into_iter().map(|entry| ListedEntry {
        id: entry.id,
        profile: entry.profile,
        command: entry.command,
        queued_at_ms: Some(entry.queued_at_ms),
        attempts: entry.attempts,
        errcode: entry.errcode,
        state,
        reason: entry.message,
    });
    let damaged = damaged.into_iter().map(|Damaged { id, reason }| ListedEntry {
        id,
        profile: None,
        command: String::new(),
        queued_at_ms: None,
        attempts: 0,
        errcode: None,
        state: "failed",
        reason: Some(reason),
    });
    whole.chain(damaged).collect()
}

async fn flush(session: &mut Session<'_>, outbox: &Outbox, args: &OutboxFlushArgs) -> Result<Outcome> {
    let flushing = outbox.lock_flush(session.deadline()).await.map_err(|error| outbox.unusable(&error))?;
    let Some(_flushing) = flushing else {
        return Err(Error::temporary(
            "another flush is at work",
            "wait for its end, or give more time with --deadline",
        ));
    };
    let revived = if args.failed { outbox.revive()? } else { Vec::new() };
    outbox.sweep(SystemTime::now())?;
    let waiting = outbox.waiting()?;
    let mut flushed = Flushed { revived, ..Flushed::default() };
    flush::set_aside(outbox, waiting.damaged, &mut flushed);
    flush::deliver(session, outbox, waiting.entries, &mut flushed).await;
    // Others may have added to it meanwhile: what counts is what waits now.
    let left = outbox.waiting()?;
    let remaining = left.entries.len() + left.damaged.len();
    session.warnings.extend(flushed.warnings());
    let Flushed { delivered, given_up, attempts, stayed, .. } = flushed;
    let product = Product::Flush { delivered, remaining, failed: given_up.len() };
    let mut outcome = Outcome { attempts, ..Outcome::with_product(Status::Ok, product) };
    // Nothing waits any more, but somebody must hear of it, however quiet he wants it.
    if let (Some(first), 0) = (given_up.first(), remaining) {
        let message = format!("{delivered} delivered, {} given up; the first is {first}", given_up.len());
        let hint = "wecom-alert outbox list shows them; wecom-alert outbox flush --failed tries them again";
        outcome.error = Some(Error::new(Status::Refused, message).with_hint(hint));
    }
    if remaining > 0 {
        let status = if delivered > 0 { Status::Partial } else { Status::Temporary };
        let message = format!("{delivered} delivered, {remaining} still waiting");
        let reason = stayed.first().map_or(String::new(), |reason| format!("; the first is {reason}"));
        let hint = "wait, or mend what keeps them, and flush again; wecom-alert outbox list shows them all";
        outcome.status = status;
        outcome.error = Some(Error::new(status, format!("{message}{reason}")).with_hint(hint));
    }
    Ok(outcome)
}

fn discard(outbox: &Outbox, args: &OutboxDropArgs) -> Result<Outcome> {
    let ids = |listing: Listing| {
        let Listing { entries, damaged } = listing;
        let damaged = damaged.into_iter().map(|damaged| damaged.id);
        entries.into_iter().map(|Entry { id, .. }| id).chain(damaged).collect::<Vec<_>>()
    };
    let mut chosen = args.ids.clone();
    if args.all {
        chosen.extend(ids(outbox.waiting()?));
    }
    if args.all || args.failed {
        chosen.extend(ids(outbox.failed()?));
    }
    let (mut dropped, mut kept) = (0, Vec::new());
    for id in &chosen {
        match outbox.drop_entry(id)? {
            Dropped::Done => dropped += 1,
            Dropped::Busy => kept.push(format!("{id} is being sent right now")),
            Dropped::Gone if args.ids.contains(id) => kept.push(format!("there is no entry {id}")),
            Dropped::Gone => {}
        }
    }
    let product = Product::Dropped(dropped);
    if kept.is_empty() {
        return Ok(Outcome::with_product(Status::Ok, product));
    }
    let error = Error::usage(
        format!("{dropped} dropped; {}", kept.join("; ")),
        "wecom-alert outbox list shows the ids; what is being sent right now can be dropped when that has ended",
    );
    Ok(Outcome { product, ..Outcome::from(error) })
}
