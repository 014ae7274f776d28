//! Delivering what waits in the outbox: in order, each entry to its own target, by the settings of now.

use std::collections::HashSet;
use std::time::{Duration, Instant, SystemTime};

use wecom_alert::config::TargetName;
use wecom_alert::delivery::outbox::{Claim, Damaged, Entry, Held, Outbox};
use wecom_alert::delivery::{Outcome, Shortfall, late};
use wecom_alert::error::{Error, Result, Status};

use super::session::Session;
use super::{hold, moment, send};

/// How many waiting alerts a send takes along.
const A_FEW: usize = 5;

/// From this age on, an alert says that it is late.
const LATE: Duration = Duration::from_secs(60);

/// What a flush brought.
#[derive(Debug, Default)]
pub(crate) struct Flushed {
    pub(crate) delivered: usize,
    /// Why entries were moved to those that are not tried any more, one sentence each.
    pub(crate) given_up: Vec<String>,
    /// How often WeCom was asked to take something.
    pub(crate) attempts: u32,
    /// Why entries stay, one sentence each.
    pub(crate) stayed: Vec<String>,
    /// Those that somebody wants to have tried again, however old they are.
    pub(crate) revived: Vec<String>,
    /// How many are tried at the most, each of them once, where the flush is not what the command is for.
    pub(crate) most: Option<usize>,
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

/// Delivers a few entries on the heels of a send that went well. Whatever goes wrong is told on the next flush.
pub(crate) async fn a_few(session: &Session<'_>) {
    let Some(state) = session.state() else { return };
    let outbox = Outbox::at(&state);
    // Somebody else may be flushing: then there is nothing to do.
    let Ok(Some(_flushing)) = outbox.lock_flush(Instant::now()).await else { return };
    let Ok(listing) = outbox.waiting() else { return };
    let mut flushed = Flushed { most: Some(A_FEW), ..Flushed::default() };
    deliver(session, &outbox, listing.entries, &mut flushed).await;
    for reason in flushed.stayed {
        session.listener.detail(format!("outbox: still waiting: {reason}"));
    }
    for reason in flushed.given_up {
        session.listener.detail(format!("outbox: given up: {reason}"));
    }
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
        if flushed.most == Some(flushed.delivered + flushed.given_up.len() + stuck.len()) {
            break;
        }
        if stuck.contains(&target) || Instant::now() >= session.deadline() {
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
    let age = age_of(held.entry());
    if age > session.settings.outbox_max_age && !flushed.revived.iter().any(|revived| revived == id) {
        return give_up(held, format!("it is older than {:?}, the outbox_max_age", session.settings.outbox_max_age));
    }
    if held.entry().at_most_once && held.entry().under_way.is_some() {
        return give_up(held, "it may have arrived, and must not arrive twice".to_owned());
    }
    let mut target = match towards(session, held.entry()).await {
        Ok(target) => target,
        Err(error) => return End::Stays(error.message().to_owned()),
    };
    if flushed.most.is_some() {
        target.settings.retries = 0;
    }
    send_held(target, held, age, flushed).await
}

fn give_up(held: Box<Held>, reason: String) -> End {
    match held.fail(&Error::new(Status::Refused, reason.as_str())) {
        Ok(()) => End::Failed(reason),
        Err(error) => End::Stays(error.to_string()),
    }
}

/// Sends what is left of an entry, and settles it.
async fn send_held(mut target: Session<'_>, mut held: Box<Held>, age: Duration, flushed: &mut Flushed) -> End {
    let mut parts = match held.shipments() {
        Ok(parts) => parts,
        Err(error) => return End::Stays(error.to_string()),
    };
    let sent = if is_marked(held.entry(), age) {
        let since = moment::clock(moment::of_ms(held.entry().queued_at_ms));
        let mark = format!("[delayed {}, {since}] ", moment::span(age));
        let (route, markable) = (held.entry().route, held.entry().markable);
        let mut late = late::mark(&mut parts, route, markable, &mark, held.as_mut());
        send::deliver_parts(&mut target, &parts, &mut late).await
    } else {
        send::deliver_parts(&mut target, &parts, held.as_mut()).await
    };
    let outcome = sent.unwrap_or_else(|error| {
        let shortfall = Shortfall { status: error.status(), may_have_arrived: false };
        Outcome { shortfall: Some(shortfall), ..Outcome::from(error) }
    });
    flushed.attempts += outcome.attempts;
    let reason = outcome.error.as_ref().map_or(String::new(), |error| error.message().to_owned());
    let (kept, end) = match outcome.shortfall {
        None => (held.done(), End::Delivered),
        Some(Shortfall { status: Status::Unknown, .. }) if held.entry().at_most_once => {
            (hold::give_up(*held, &outcome), End::Failed(reason))
        }
        Some(shortfall) if shortfall.may_pass() => (held.wait(&outcome), End::Stays(reason)),
        // The set-up is to be mended, here or in the admin console: the alert itself is not at fault.
        Some(Shortfall { status: Status::Config, .. }) => (held.wait(&outcome), End::Stays(reason)),
        Some(_) => (hold::give_up(*held, &outcome), End::Failed(reason)),
    };
    match kept {
        Ok(()) => end,
        Err(error) => End::Stays(error.to_string()),
    }
}

/// Whether it says that it is late: from one minute on, but not where WeCom itself may know the same bytes already.
fn is_marked(entry: &Entry, age: Duration) -> bool {
    let is_guarded = entry.may_have_arrived || entry.under_way.is_some();
    let guarded_for = entry.duplicate_check_s.filter(|_| is_guarded).map_or(Duration::ZERO, Duration::from_secs);
    age >= LATE && age >= guarded_for
}

fn age_of(entry: &Entry) -> Duration {
    SystemTime::now().duration_since(moment::of_ms(entry.queued_at_ms)).unwrap_or_default()
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
