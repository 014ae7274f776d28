//! Delivering what waits in the outbox: in order, each entry to its own target, by the settings of now.

use std::collections::HashSet;
use std::time::{Duration, Instant, SystemTime};

use wecom_alert::clock::at_ms;
use wecom_alert::config::{OnRateLimit, TargetName};
use wecom_alert::delivery::outbox::{Claim, Damaged, Entry, Held, Outbox};
use wecom_alert::delivery::{Outcome, Shortfall, late};
use wecom_alert::error::{Error, Result, Status};
use wecom_alert::message::Route;

use super::dispatch::deliver_parts;
use super::session::Session;
use super::{hold, moment};

/// How many waiting alerts a send takes along, and how long that may take it at the most.
const A_FEW: usize = 5;
const A_WHILE: Duration = Duration::from_secs(5);

/// From this age on, an alert says that it is late.
const LATE: Duration = Duration::from_secs(60);

/// What a flush brought.
#[derive(Debug, Default)]
pub(crate) struct Flushed {
    pub(crate) delivered: usize,
    /// Why entries were moved to those that are not tried any more, one sentence each.
    pub(crate) given_up: Vec<String>,
    /// Who did not get what was delivered, one sentence each.
    pub(crate) partial: Vec<String>,
    /// How often WeCom was asked to take something.
    pub(crate) attempts: u32,
    /// Why entries stay, one sentence each.
    pub(crate) stayed: Vec<String>,
    /// Those that somebody wants to have tried again, however old they are.
    pub(crate) revived: Vec<String>,
    /// Whether another command takes a few of them along.
    pub(crate) on_the_heels: bool,
}

impl Flushed {
    /// What is to be said of it, for the one who started it.
    pub(crate) fn warnings(&self) -> impl Iterator<Item = String> {
        let stayed = self.stayed.iter().map(|reason| format!("still waiting: {reason}"));
        let given_up = self.given_up.iter().map(|reason| format!("given up: {reason}"));
        stayed.chain(given_up).chain(self.partial.iter().cloned())
    }
}

/// What became of one entry.
enum End {
    Delivered,
    Failed(String),
    /// It waits on, and so does whatever is for the same target.
    Stays(String),
    /// Somebody else is at it.
    Busy,
    /// Somebody else was quicker.
    Gone,
}

/// Delivers a few entries on the heels of a send that went well, and returns what is to be said of those that were given
/// up. Why others wait on is told by the next flush.
pub(crate) async fn a_few(session: &Session<'_>) -> Vec<String> {
    let Some(state) = session.state() else { return Vec::new() };
    let outbox = Outbox::at(&state);
    let Ok(true) = outbox.waiting_ids().map(|ids| !ids.is_empty()) else { return Vec::new() };
    // Somebody else may be flushing: then there is nothing to do.
    let Ok(Some(_flushing)) = outbox.lock_flush(Instant::now()).await else { return Vec::new() };
    let Ok(listing) = outbox.waiting() else { return Vec::new() };
    let mut brief = session.towards(session.settings.clone(), Route::App);
    brief.end_by(Instant::now() + A_WHILE);
    let mut flushed = Flushed { on_the_heels: true, ..Flushed::default() };
    deliver(&brief, &outbox, listing.entries, &mut flushed).await;
    for warning in flushed.warnings() {
        session.listener.detail(format!("outbox: {warning}"));
    }
    flushed.given_up.iter().map(|reason| format!("outbox: given up: {reason}")).collect()
}

/// Puts what cannot be read any more among those that are not tried.
pub(crate) fn set_aside(outbox: &Outbox, damaged: Vec<Damaged>, flushed: &mut Flushed) {
    for Damaged { id, .. } in damaged {
        match outbox.claim(&id) {
            Ok(Claim::Damaged(reason)) => flushed.given_up.push(format!("{id}: {reason}")),
            Ok(Claim::Busy) => flushed.stayed.push(format!("{id}: somebody holds it")),
            Ok(Claim::Held(_) | Claim::Gone) => {}
            Err(error) => flushed.stayed.push(format!("{id}: {error}")),
        }
    }
}

/// Delivers entries in order. A target that cannot be reached keeps its later entries waiting too, since they would fare
/// no better, and would arrive out of order.
pub(crate) async fn deliver(session: &Session<'_>, outbox: &Outbox, entries: Vec<Entry>, flushed: &mut Flushed) {
    let mut stuck: HashSet<String> = HashSet::new();
    for entry in entries {
        let target = target_of(&entry);
        if flushed.on_the_heels && flushed.delivered + flushed.given_up.len() + stuck.len() >= A_FEW {
            break;
        }
        if Instant::now() >= session.deadline() {
            flushed.stayed.push(format!("{}: the deadline came before its turn", entry.id));
            continue;
        }
        if stuck.contains(&target) {
            flushed.stayed.push(format!("{}: those before it for the same target wait too", entry.id));
            continue;
        }
        match deliver_one(session, outbox, &entry.id, flushed).await {
            End::Delivered => flushed.delivered += 1,
            End::Failed(reason) => flushed.given_up.push(format!("{}: {reason}", entry.id)),
            End::Stays(reason) => {
                flushed.stayed.push(format!("{}: {reason}", entry.id));
                stuck.insert(target);
            }
            End::Busy => flushed.stayed.push(format!("{}: it is being sent right now", entry.id)),
            End::Gone => {}
        }
    }
}

fn target_of(entry: &Entry) -> String {
    let of = |text: &Option<String>| text.clone().unwrap_or_default();
    format!("{} {} {}", entry.route.as_str(), of(&entry.profile), of(&entry.target))
}

async fn deliver_one(session: &Session<'_>, outbox: &Outbox, id: &str, flushed: &mut Flushed) -> End {
    let held = match outbox.claim(id) {
        Ok(Claim::Held(held)) => held,
        Ok(Claim::Busy) => return End::Busy,
        Ok(Claim::Gone) => return End::Gone,
        Ok(Claim::Damaged(reason)) => return End::Failed(reason),
        Err(error) => return End::Stays(error.to_string()),
    };
    let limit = session.settings.outbox_max_age;
    if since(held.entry().queued_at_ms) > limit && !flushed.revived.iter().any(|revived| revived == id) {
        return give_up(held, format!("it is older than {limit:?}, the outbox_max_age"));
    }
    if held.entry().at_most_once && held.entry().under_way.is_some() {
        return give_up(held, "it may have arrived, and must not arrive twice".to_owned());
    }
    let mut target = match towards(session, held.entry()).await {
        Ok(target) => target,
        Err(error) => return End::Stays(error.message().to_owned()),
    };
    if flushed.on_the_heels {
        target.settings.retries = 0;
        target.settings.on_rate_limit = OnRateLimit::Fail;
    }
    send_held(target, held, flushed).await
}

fn give_up(held: Box<Held>, reason: String) -> End {
    match held.fail(&Error::new(Status::Refused, reason.as_str())) {
        Ok(()) => End::Failed(reason),
        Err(error) => End::Stays(error.to_string()),
    }
}

/// Sends what is left of an entry, and settles it.
async fn send_held(mut target: Session<'_>, mut held: Box<Held>, flushed: &mut Flushed) -> End {
    let mut parts = match held.shipments() {
        Ok(parts) => parts,
        Err(error) => return End::Stays(error.to_string()),
    };
    let mark = mark_of(held.entry());
    held.entry_mut().mark.clone_from(&mark);
    let sent = match mark {
        Some(mark) => {
            let (route, markable) = (held.entry().route, held.entry().markable);
            let mut late = late::mark(&mut parts, route, markable, &mark, held.as_mut());
            deliver_parts(&mut target, &parts, &mut late).await
        }
        None => deliver_parts(&mut target, &parts, held.as_mut()).await,
    };
    let outcome = sent.unwrap_or_else(Outcome::not_delivered);
    flushed.attempts += outcome.attempts;
    let reason = outcome.error.as_ref().map_or(String::new(), |error| error.message().to_owned());
    let (kept, end) = match outcome.shortfall {
        None if outcome.reached_nobody => (hold::give_up(*held, &outcome), End::Failed(reason)),
        None => {
            if outcome.error.is_some() {
                flushed.partial.push(format!("{}: {reason}", held.id()));
            }
            (held.done(), End::Delivered)
        }
        Some(shortfall) if shortfall.may_wait(held.entry().at_most_once) => (held.wait(&outcome), End::Stays(reason)),
        // The set-up is to be mended, here or in the admin console: the alert itself is not at fault.
        Some(Shortfall { status: Status::Config | Status::Auth, .. }) => (held.wait(&outcome), End::Stays(reason)),
        Some(_) => (hold::give_up(*held, &outcome), End::Failed(reason)),
    };
    match kept {
        Ok(()) => end,
        Err(error) => End::Stays(error.to_string()),
    }
}

/// What a late alert begins with. One that WeCom may know already, and drops when it comes again within the interval,
/// goes as it went before.
fn mark_of(entry: &Entry) -> Option<String> {
    let may_be_known = entry.may_have_arrived || entry.under_way.is_some();
    let last = entry.last_attempt_ms.unwrap_or(entry.queued_at_ms);
    if may_be_known && entry.duplicate_check_s.is_some_and(|interval| since(last).as_secs() < interval) {
        return entry.mark.clone();
    }
    let age = since(entry.queued_at_ms);
    let at = || moment::clock(at_ms(entry.queued_at_ms));
    (age >= LATE).then(|| format!("[delayed {}, {}] ", moment::span(age), at()))
}

fn since(ms: u64) -> Duration {
    SystemTime::now().duration_since(at_ms(ms)).unwrap_or_default()
}

/// The same run towards an entry's target: its profile as it is now, or the credentials of the environment if they are
/// still those of the entry.
async fn towards<'c>(session: &Session<'c>, entry: &Entry) -> Result<Session<'c>> {
    let mut target = match &entry.profile {
        Some(profile) => {
            let name = TargetName { profile: profile.clone(), route: Some(entry.route) };
            session.towards(session.config.resolve_target(&name, "the entry")?, entry.route)
        }
        None => session.towards(session.settings.clone(), entry.route),
    };
    target.settings.at_most_once = entry.at_most_once;
    if let Some(expected) = &entry.target {
        let agent_id = entry.parts.first().and_then(|part| part.body.get("agentid")?.as_i64());
        if target.identity(entry.route, agent_id).await? != *expected {
            return Err(Error::config(
                "it is for another target than the credentials at hand",
                "flush it with the environment that it was sent with",
            ));
        }
    }
    Ok(target)
}
