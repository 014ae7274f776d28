//! `check` of storage: what several machines share, state folder, outbox, and the permits of the rate limit that are in use.

use std::time::{Duration, SystemTime};

use crate::blocking::off_loop;
use crate::channel::Addressing;
use crate::clock::{self, at_ms};
use crate::config::Rate;
use crate::error::{Error, Result, hint_for};
use crate::outbox::Outbox;
use crate::rate_limit::{Usage, default_rate};
use crate::send::Session;
use crate::shared_state::StoreLook;
use crate::store::Folder;

use super::CheckedTarget;
use super::report::CheckReport;

/// An answer of the shared state that takes longer costs an alert more than it should.
const SLOW_STORE: Duration = Duration::from_millis(20);

/// Looks at it all.
pub(super) async fn look(session: &Session<'_>, targets: &[CheckedTarget], report: &mut CheckReport) {
    look_at_shared_state(session, report).await;
    let Some(state) = session.state() else {
        match session.require_state() {
            Err(error) if session.settings.outbox => report.fail("state", &error),
            _ => report.warn(
                "state",
                "no folder for it is known, since HOME is not set: there is neither a rate limit nor an outbox",
                "set WECOM_ALERT_STATE_DIR to a folder",
            ),
        }
        return report.skip_all(&["outbox", "pacing"], "skipped: there is no state folder");
    };
    if let Err(error) = state.try_out() {
        let error = Error::config(
            format!("the state folder {:?} cannot be used: {error}", state.path()),
            hint_for(
                &error,
                "let WECOM_ALERT_STATE_DIR name a folder that this user may write to, on a disk that has room",
            ),
        );
        report.fail("state", &error);
        return report.skip_after(&["outbox", "pacing"], "state");
    }
    report.ok("state", format!("{} can be used", state.path().display()));
    look_at_outbox(session, &state, report).await;
    for checked in targets {
        look_at_pacing(session, &state, checked, report).await;
    }
}

/// Looks at what several machines share, where a setting names it. A dry run asks nobody.
async fn look_at_shared_state(session: &Session<'_>, report: &mut CheckReport) {
    const NAME: &str = "shared_state";
    let Some(state) = session.shared_state() else { return };
    if session.settings.dry_run {
        return report.skip(NAME, "a dry run does not ask it");
    }
    let look = match state.look().await {
        Ok(look) => look,
        Err(error) => return report.fail(NAME, &error),
    };
    let StoreLook { address, server, round_trip, evicts } = look;
    let told = format!(
        "{address} is {} {}, and answers in {:.1} ms",
        server.name,
        server.version,
        round_trip.as_secs_f64() * 1000.0
    );
    match evicts {
        Some(policy) => report.warn(
            NAME,
            format!("{told}; when its memory is full it throws keys away (maxmemory-policy {policy})"),
            "set maxmemory-policy noeviction: what is thrown away is a token, a cooldown or a question too early",
        ),
        None if round_trip > SLOW_STORE => report.warn(
            NAME,
            told,
            "an alert asks it several times, and waits for it for 300 ms in all: use one that is nearer",
        ),
        None => report.ok(NAME, told),
    }
}

async fn look_at_outbox(session: &Session<'_>, state: &Folder, report: &mut CheckReport) {
    let outbox = Outbox::at(state);
    let state = state.clone();
    let (waiting, failed) = match off_loop(move || stock(&outbox, &state)).await.flatten() {
        Ok(stock) => stock,
        Err(error) => return report.fail("outbox", &error),
    };
    let use_of_it = if session.settings.outbox { "used by every send" } else { "used where --outbox is given" };
    let told = match (waiting.len(), failed) {
        (0, 0) => return report.ok("outbox", format!("nothing waits in it; {use_of_it}")),
        (0, failed) => format!("nothing waits, {failed} could not be delivered"),
        (count, failed) => {
            let oldest = waiting.iter().flatten().min();
            let age = oldest.map(|at| SystemTime::now().duration_since(at_ms(*at)).unwrap_or_default());
            let age =
                age.map(|age| format!(", the oldest for {}", clock::span(age, &clock::UNITS))).unwrap_or_default();
            let verb = if count == 1 { "waits" } else { "wait" };
            format!("{count} {verb}{age}; {failed} could not be delivered")
        }
    };
    let hint = if waiting.is_empty() {
        "see why with: wecom-alert outbox list; try them again with: wecom-alert outbox flush --failed, or discard them with: \
         wecom-alert outbox drop --failed"
    } else {
        "deliver what waits with: wecom-alert outbox flush (a cron job may do that); wecom-alert outbox list shows it"
    };
    report.warn("outbox", told, hint);
}

/// When each alert that waits was accepted, as far as its entry can be read, and how many alerts failed. The outbox must be
/// one that can be used. One entry is read at a time.
fn stock(outbox: &Outbox, state: &Folder) -> Result<(Vec<Option<u64>>, usize)> {
    state.within("outbox").try_out().map_err(|error| outbox.unusable(&error))?;
    let waiting = outbox.waiting()?.map(|listed| listed.ok().map(|(entry, _)| entry.queued_at_ms)).collect();
    Ok((waiting, outbox.failed()?.count()))
}

async fn look_at_pacing(session: &Session<'_>, state: &Folder, checked: &CheckedTarget, report: &mut CheckReport) {
    let channel = checked.target.channel;
    let each = match channel.facts().addressing {
        Addressing::Recipients => format!("{channel}: for each recipient"),
        Addressing::Credential => format!("{channel}:"),
        Addressing::Chat => format!("{channel}: in each group chat"),
        Addressing::Conversation => format!("{channel}: in each conversation"),
    };
    let (count, period) = match session.settings.rate.unwrap_or(default_rate(channel)) {
        Rate::Off => return report.ok("pacing", format!("{}: off, nothing is held back", channel.as_str())),
        Rate::Per { count, period } => (count, period),
    };
    let rate = format!("{each} at most {count} messages in {}", clock::seconds(period));
    let folder = state.within("pacing");
    if let Err(error) = folder.try_out() {
        let detail = format!(
            "{rate}; but the folder {} cannot be used, so that nothing is held back: {error}",
            folder.path().display()
        );
        return report.warn(
            "pacing",
            detail,
            hint_for(&error, "let this user write to it, or let WECOM_ALERT_STATE_DIR name another folder"),
        );
    }
    let usage = match &checked.courier {
        Some(courier) => courier.limiter.usage(channel.facts().addressing).await,
        None => None,
    };
    match usage {
        Some(Usage { blocked_for: Some(left), .. }) => {
            let hint = "wait until it is over: other programs may use the same quota";
            report.warn("pacing", format!("{rate}; WeCom wants none for another {} s", left.as_secs() + 1), hint);
        }
        Some(Usage { taken: Some(taken), count, .. }) if taken >= count as usize => {
            let hint =
                "what is sent now waits; keep what cannot wait in the outbox, or set another --rate if WeCom allows it";
            report.warn("pacing", format!("{rate}; all of them are used"), hint);
        }
        Some(Usage { taken: Some(taken), .. }) => report.ok("pacing", format!("{rate}; used so far: {taken}")),
        Some(_) | None => report.ok("pacing", rate),
    }
}
