//! `outbox show`: a stored alert with its text, its parts and what became of them and the first words of an alert, for lists.

use serde_json::Value;

use super::manage::listed;
use crate::blocking::off_loop;
use crate::delivery::{ListedEntry, Outcome, Product, ShownEntry, ShownPart};
use crate::error::{Error, Result, Status};
use crate::message::text_of;
use crate::outbox::{FoundEntry, Outbox, PartProgress, StoredPart};
use crate::send::Session;

/// Shows an entry of the outbox.
///
/// # Errors
///
/// Exit 2 where there is none of this id, exit 3 where there is no outbox.
pub async fn show(session: &Session<'_>, id: String) -> Result<Outcome> {
    let outbox = Outbox::at(&session.require_state()?);
    let missing = Error::usage(format!("there is no entry {id}"), "wecom-alert outbox list shows the ids");
    let found = off_loop(move || outbox.find(&id)).await?.ok_or(missing)?;
    Ok(Outcome::with_product(Status::Ok, Product::Shown(Box::new(shown(found)))))
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
