//! A message for one target, or for the one that stands in: stored in the outbox, attempted, and settled.

use std::time::Instant;

use serde_json::Value;

use crate::blocking::to_the_end;
use crate::clock::now_ms;
use crate::config::TargetName;
use crate::delivery::{Account, Courier, Outcome, Shortfall};
use crate::error::{Error, Result, Status};
use crate::message::Part;
use crate::outbox::{ClaimedEntry, Entry, NotStored, Outbox};

use super::combine::name;
use super::draft::Draft;
use super::parts::make;
use super::session::Session;
use super::target::Target;

/// A message for one target, ready to go.
pub(crate) struct TargetMessage {
    pub(crate) target: Target,
    pub(crate) parts: Vec<Part>,
    pub(crate) account: Account,
    /// Whether its text is the program's to edit.
    may_edit: bool,
    courier: Option<Courier>,
}

/// What a target brought, and what is to be said of it.
pub(crate) struct Delivered {
    pub(crate) outcome: Outcome,
    pub(crate) warnings: Vec<String>,
    /// Who delivered it.
    pub(crate) courier: Option<(Target, Courier)>,
}

impl TargetMessage {
    pub(crate) fn new(session: &Session<'_>, target: Target, parts: Vec<Part>, draft: &Draft) -> Self {
        let mut account = session.accounts.open(target.settings.profile.as_deref(), target.channel);
        account.expect(&parts);
        Self { target, parts, account, may_edit: !draft.is_payload(), courier: None }
    }

    /// The message for a further target; `origin` is what named it.
    pub(crate) fn further(
        session: &Session<'_>,
        name: &TargetName,
        origin: &str,
        draft: &Draft,
        lead: Option<&str>,
    ) -> Result<Self> {
        let mut target = session.further_target(name, origin)?;
        let parts = make(draft, target.channel, &target.settings, lead, &mut target.warnings)?;
        Ok(Self::new(session, target, parts, draft))
    }

    /// Stores it, if that is wanted.
    pub(crate) async fn store(&mut self, sends_unstored: bool) -> Result<()> {
        let accepting = accept(&mut self.target, &self.parts, self.may_edit, sends_unstored);
        self.account.follow(Box::pin(accepting).await?);
        Ok(())
    }

    /// Whether it is stored.
    pub(crate) fn is_stored(&self) -> bool {
        self.account.entry.is_some()
    }

    /// The same message with a line before its text. What is stored is replaced, never missing in between.
    pub(crate) async fn lead_with(&mut self, draft: &Draft, lead: &str, sends_unstored: bool) -> Result<()> {
        let Target { settings, channel, .. } = &self.target;
        self.parts = make(draft, *channel, settings, Some(lead), &mut Vec::new())?;
        self.account.expect(&self.parts);
        if self.is_stored() {
            let entry = accept(&mut self.target, &self.parts, self.may_edit, sends_unstored).await?;
            let before = self.account.follow(entry);
            if let Some(before) = before {
                to_the_end(move || before.done()).await??;
            }
        }
        Ok(())
    }

    /// One go at the target: its requests, with their repetitions.
    pub(crate) async fn attempt(&mut self) -> Outcome {
        let mut outcome = Box::pin(self.deliver()).await.unwrap_or_else(Outcome::not_delivered);
        let Target { settings, channel, .. } = &self.target;
        outcome.profile.clone_from(&settings.profile);
        outcome.channel = Some(*channel);
        outcome.allow_partial = settings.allow_partial;
        outcome
    }

    async fn deliver(&mut self) -> Result<Outcome> {
        let agent_id = agent_id(&self.parts);
        self.target.require_credentials(agent_id)?;
        let courier = self.courier.insert(self.target.courier(agent_id).await?);
        Ok(courier.send(&self.parts, &mut self.account, None).await)
    }

    /// Settles what the outbox holds.
    pub(crate) async fn settled(self, mut outcome: Outcome) -> Delivered {
        let Self { mut target, mut account, courier, .. } = self;
        Box::pin(settle(&mut target, &mut account, &mut outcome)).await;
        let warnings = std::mem::take(&mut target.warnings);
        Delivered { outcome, warnings, courier: courier.map(|courier| (target, courier)) }
    }
}

/// Delivers to a target that has no other to stand in for it.
pub(crate) async fn deliver(mut outgoing: TargetMessage) -> Delivered {
    let outcome = outgoing.attempt().await;
    outgoing.settled(outcome).await
}

/// Delivers to the command's own target, or else to the one that stands in.
pub(crate) async fn with_fallback(
    session: &Session<'_>,
    mut own: TargetMessage,
    draft: &Draft,
    lead: Option<&str>,
) -> (Delivered, Option<Delivered>) {
    let Some(name) = session.settings.fallback.clone() else { return (deliver(own).await, None) };
    // A third of the time is the fallback's.
    let left = own.target.deadline().saturating_duration_since(Instant::now());
    own.target.set_deadline(own.target.deadline() - left / 3);
    let mut outcome = own.attempt().await;
    if !matches!(outcome.status.exit_code(), 3 | 4 | 5 | 7 | 8) {
        return (own.settled(outcome).await, None);
    }
    let lead = mark_of(&outcome, lead);
    let mut stand_in = match TargetMessage::further(session, &name, "--fallback", draft, Some(&lead)) {
        Ok(outgoing) => outgoing,
        Err(error) => {
            let missed = unprepared(session, &name, error);
            let missed = Delivered { outcome: missed, warnings: Vec::new(), courier: None };
            return (own.settled(outcome).await, Some(missed));
        }
    };
    let stood_in = stand_in.attempt().await;
    let own_may_pass = outcome.shortfall.is_some_and(Shortfall::may_pass);
    if stood_in.shortfall.is_none() {
        // Nothing is left for the outbox to do.
        outcome.shortfall = None;
    } else if !own_may_pass && stood_in.shortfall.is_some_and(Shortfall::may_pass) {
        match stand_in.store(session.sends_unstored).await {
            Ok(()) if stand_in.is_stored() => outcome.shortfall = None,
            // Without a place for it the first target's entry stays, among those that failed.
            Ok(()) => {}
            Err(error) => stand_in.target.warnings.push(error.to_string()),
        }
    }
    (own.settled(outcome).await, Some(stand_in.settled(stood_in).await))
}

/// The line that tells why another target gets it.
fn mark_of(failed: &Outcome, lead: Option<&str>) -> String {
    let code = failed.answer.as_ref().map_or(failed.status.as_str().to_owned(), |answer| answer.errcode.to_string());
    let mark = format!("[fallback: {} {code}]", failed.channel.map_or("", crate::channel::Channel::as_str));
    lead.map_or(mark.clone(), |lead| format!("{mark}\n{lead}"))
}

/// A target that could not even be tried.
pub(crate) fn unprepared(session: &Session<'_>, name: &TargetName, error: Error) -> Outcome {
    let profile = Some(name.profile.clone());
    Outcome { profile, channel: session.channel_of(name), ..Outcome::not_delivered(error) }
}

/// That another target stood in, for the one who has to mend the first.
pub(crate) fn stood_in(own: &Outcome, fallback: &Outcome) -> Option<String> {
    let error = own.error.as_ref()?;
    let (own, stand_in) = (name(own), name(fallback));
    Some(match &fallback.error {
        None => {
            let mend = error.hint().map(|hint| format!("; to mend it: {hint}")).unwrap_or_default();
            format!("{own} failed, and {stand_in} stood in: {}{mend}", error.message())
        }
        Some(worse) => format!("{own} failed, and so did its fallback {stand_in}: {}", worse.message()),
    })
}

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
) -> Result<Option<ClaimedEntry>> {
    if !target.settings.outbox {
        return Ok(None);
    }
    let state = match target.require_state() {
        Err(error) if sends_unstored => return Ok(unstored(target, &error)),
        state => state?,
    };
    // A target whose credentials cannot be read fails by itself in a moment, and says why.
    let Ok((profile, identity)) = addressee(target, parts).await else { return Ok(None) };
    let entry = Entry {
        id: String::new(),
        channel: target.channel,
        profile,
        target: identity,
        at_most_once: target.settings.at_most_once,
        duplicate_check_s: duplicate_check(parts),
        markable,
        queued_at_ms: now_ms(),
        parts: Vec::new(),
    };
    let parts = parts.to_vec();
    match to_the_end(move || Outbox::open(&state)?.accept(entry, &parts)).await? {
        Ok(entry) => Ok(Some(entry)),
        Err(NotStored::Failed(error)) if !sends_unstored => Err(error),
        Err(NotStored::Full(error) | NotStored::Failed(error)) => Ok(unstored(target, &error)),
    }
}

/// Warns that an alert could not be stored.
fn unstored(target: &mut Target, error: &Error) -> Option<ClaimedEntry> {
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
    let Some(id) = account.entry.as_ref().map(|entry| entry.id().to_owned()) else { return };
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
