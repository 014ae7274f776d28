//! `outbox list`, `outbox show` and `outbox drop`: shows and discards stored alerts.

use serde_json::Value;

use crate::blocking::off_loop;
use crate::delivery::{ListedEntry, Outcome, Product, ShownEntry, ShownPart};
use crate::error::{Error, Result, Status};
use crate::message::person::PersonKind;
use crate::message::{text_of, title_of};
use crate::outbox::{ClaimError, FoundEntry, Listed, Outbox, PartProgress, StoredPart};
use crate::sanitize::first_items;
use crate::send::Session;
use crate::sort;

/// Which entries are to be discarded.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// By their ids.
    pub ids: Vec<String>,
    /// All of them.
    pub all: bool,
    /// Those that were given up.
    pub failed: bool,
}

/// Lists what waits and what was given up; `wants_code` lets the outcome fail while there is anything.
///
/// # Errors
///
/// Exit 3 where the outbox cannot be read.
pub async fn list(session: &Session<'_>, wants_code: bool) -> Result<Outcome> {
    let outbox = Outbox::at(&session.require_state()?);
    let reading = move || {
        let shown = |entry: Listed, state| {
            let first = entry.as_ref().ok().and_then(|(entry, _)| outbox.first_body(&entry.id));
            listed(entry, state, first.as_ref())
        };
        let mut entries: Vec<_> = outbox.waiting()?.map(|entry| shown(entry, ListedEntry::WAITING)).collect();
        let count = entries.len();
        entries.extend(outbox.failed()?.map(|entry| shown(entry, ListedEntry::FAILED)));
        // Unreadable entries come after the others.
        sort::sort_by_key(&mut entries[..count], |entry| entry.queued_at_ms.is_none());
        sort::sort_by_key(&mut entries[count..], |entry| entry.queued_at_ms.is_none());
        Ok::<_, Error>(entries)
    };
    let entries = off_loop(reading).await??;
    let failed = entries.iter().filter(|entry| entry.state == ListedEntry::FAILED).count();
    let waiting = entries.len() - failed;
    let mut outcome = Outcome::with_product(Status::Ok, Product::Entries(entries));
    if wants_code && waiting + failed > 0 {
        let counted = [(waiting, ["is", "are"], "waiting in the outbox"), (failed, ["was", "were"], "given up")]
            .into_iter()
            .filter(|(count, _, _)| *count > 0);
        let counted = counted.map(|(count, [one, several], what)| match count {
            1 => format!("1 alert {one} {what}"),
            _ => format!("{count} alerts {several} {what}"),
        });
        let hint = match waiting {
            0 => {
                "see why with: wecom-alert outbox list; then try again with: wecom-alert outbox flush --failed, or discard \
                  them with: wecom-alert outbox drop --failed"
            }
            _ => "deliver what waits with: wecom-alert outbox flush",
        };
        let error = Error::temporary(counted.collect::<Vec<_>>().join(", "), hint);
        outcome.status = error.status();
        outcome.error = Some(error);
    }
    Ok(outcome)
}

/// An entry as a list shows it; `first` is the body of its first part.
fn listed(listed: Listed, state: &'static str, first: Option<&Value>) -> ListedEntry {
    match listed {
        Ok((entry, progress)) => ListedEntry {
            id: entry.id,
            profile: entry.profile,
            command: entry.channel.facts().command.to_owned(),
            queued_at_ms: Some(entry.queued_at_ms),
            attempts: progress.attempts,
            errcode: progress.errcode,
            state,
            reason: progress.message,
            title: first.and_then(title_of),
        },
        Err(unread) => {
            // Damaged ones are never tried.
            let state = if unread.is_damaged() { ListedEntry::FAILED } else { state };
            ListedEntry { reason: Some(unread.reason()), id: unread.id, state, ..ListedEntry::default() }
        }
    }
}

/// Shows an entry of the outbox, by its id or the beginning of that.
///
/// # Errors
///
/// Exit 2 where there is none of this id or more than one, exit 3 where there is no outbox.
pub async fn show(session: &Session<'_>, id: String) -> Result<Outcome> {
    let outbox = Outbox::at(&session.require_state()?);
    let found = off_loop(move || find(&outbox, &id)).await??;
    Ok(Outcome::with_product(Status::Ok, Product::Shown(Box::new(shown(found)))))
}

fn find(outbox: &Outbox, id: &str) -> Result<FoundEntry> {
    const HINT: &str = "wecom-alert outbox list shows the ids";
    if let Some(found) = outbox.find(id) {
        return Ok(found);
    }
    let mut ids = if id.is_empty() { Vec::new() } else { outbox.ids_beginning_with(id)? };
    if ids.len() > 1 {
        return Err(Error::usage(format!("{} entries begin with {id}: {}", ids.len(), first_items(&ids, 3)), HINT));
    }
    let found = ids.pop().and_then(|id| outbox.find(&id));
    found.ok_or_else(|| Error::usage(format!("there is no entry {id}"), HINT))
}

fn shown(found: FoundEntry) -> ShownEntry {
    let FoundEntry { listed: entry, is_failed, bodies, file } = found;
    let mut shown = ShownEntry { file, ..ShownEntry::default() };
    if let Ok((alert, progress)) = &entry {
        shown.last_attempt_ms = progress.last_attempt_ms;
        shown.may_have_arrived = progress.may_have_arrived;
        shown.at_most_once = alert.at_most_once;
        let field = |name: &&str| {
            let value = bodies.first()?.get(*name)?;
            Some(((*name).to_owned(), value.as_str().map_or_else(|| value.to_string(), str::to_owned)))
        };
        shown.recipients = alert.channel.facts().addressing.fields().iter().filter_map(field).collect();
        for kind in PersonKind::ALL {
            let people = progress.left.as_ref().unwrap_or(&alert.people).iter().filter(|person| person.kind() == kind);
            let people: Vec<String> = people.map(ToString::to_string).collect();
            shown.recipients.extend((!people.is_empty()).then(|| (kind.setting().to_owned(), people.join("|"))));
        }
        let parts = alert.parts.iter().zip(&progress.parts).enumerate();
        shown.parts = parts.map(|(at, (part, progress))| shown_part(part, *progress, bodies.get(at))).collect();
    }
    let state = if is_failed { ListedEntry::FAILED } else { ListedEntry::WAITING };
    ShownEntry { listed: listed(entry, state, bodies.first()), ..shown }
}

fn shown_part(part: &StoredPart, progress: PartProgress, body: Option<&Value>) -> ShownPart {
    let msgtype = body.and_then(|body| body.get("msgtype")?.as_str());
    ShownPart {
        kind: part.kind,
        state: progress.state.as_str(),
        msgtype: msgtype.map(str::to_owned),
        text: body.and_then(text_of).map(str::to_owned),
        content: msgtype.and_then(|msgtype| body?.get(msgtype)).cloned().unwrap_or_default(),
        file: part.file.as_ref().map(|file| (file.name.clone(), file.size)),
    }
}

/// Discards entries.
///
/// # Errors
///
/// Exit 3 where the outbox cannot be used.
pub async fn discard(session: &Session<'_>, selection: Selection) -> Result<Outcome> {
    if session.settings.dry_run {
        return Err(no_dry_run());
    }
    let outbox = Outbox::at(&session.require_state()?);
    let (dropped, kept) = off_loop(move || drop_chosen(&outbox, &selection)).await??;
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

/// How many were dropped, and why others were not.
fn drop_chosen(outbox: &Outbox, selection: &Selection) -> Result<(usize, Vec<String>)> {
    let mut chosen = selection.ids.clone();
    if selection.all {
        chosen.extend(outbox.waiting()?.map(id_of));
    }
    if selection.all || selection.failed {
        chosen.extend(outbox.failed()?.map(id_of));
    }
    let (mut dropped, mut kept) = (0, Vec::new());
    for id in &chosen {
        match outbox.drop_entry(id) {
            Ok(()) => dropped += 1,
            Err(ClaimError::Busy) => kept.push(format!("{id} is being sent right now")),
            Err(ClaimError::Failed(error)) => return Err(error),
            Err(_) if selection.ids.contains(id) => kept.push(format!("there is no entry {id}")),
            Err(_) => {}
        }
    }
    Ok((dropped, kept))
}

fn id_of(listed: Listed) -> String {
    listed.map_or_else(|unread| unread.id, |(entry, _)| entry.id)
}

pub(super) fn no_dry_run() -> Error {
    Error::usage("flush and drop have no dry run", "see what there is with: wecom-alert outbox list")
}
