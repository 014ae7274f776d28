//! `check` of local storage: state folder, outbox, and the permits of the rate limit that are in use.

use std::time::SystemTime;

use crate::blocking::off_loop;
use crate::channel::Addressing;
use crate::clock::{self, at_ms};
use crate::config::Rate;
use crate::error::{Error, Result, hint_for};
use crate::outbox::Outbox;
use crate::rate_limit::{Usage, default_rate};
use crate::send::Session;
use crate::store::Folder;

use super::CheckedTarget;
use super::report::CheckReport;

/// Looks at it all.
pub(super) async fn look(session: &Session<'_>, targets: &[CheckedTarget], report: &mut CheckReport) {
    let Some(state) = session.state() else {
        match session.require_state() {
            Err(error) if session.settings.outbox => report.fail("state", &error),
            _ => report.warn(
                "state",
                "no folder for it is known, since HOME is not set: there is neither pacing nor outbox",
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
        look_at_pacing(session, &state, checked, report);
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

fn look_at_pacing(session: &Session<'_>, state: &Folder, checked: &CheckedTarget, report: &mut CheckReport) {
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
    match checked.courier.as_ref().and_then(|courier| courier.limiter.usage()) {
        Some(Usage { blocked_for: Some(left), .. }) => {
            let hint = "wait until it is over: other programs may use the same quota";
            report.warn("pacing", format!("{rate}; WeCom wants none for another {} s", left.as_secs() + 1), hint);
        }
        Some(Usage { taken, count, .. }) if taken >= count as usize => {
            let hint =
                "what is sent now waits; keep what cannot wait in the outbox, or set another --rate if WeCom allows it";
            report.warn("pacing", format!("{rate}; all slots are taken"), hint);
        }
        Some(Usage { taken, .. }) => report.ok("pacing", format!("{rate}; slots taken: {taken}")),
        None => report.ok("pacing", rate),
    }
}
