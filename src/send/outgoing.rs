//! A message on its way to one target, or to the one that stands in for it.

use std::time::Instant;

use crate::blocking::to_the_end;
use crate::config::TargetName;
use crate::delivery::{Account, Courier, Outcome, Shortfall};
use crate::error::{Error, Result};
use crate::message::Part;

use super::draft::Draft;
use super::make::make;
use super::session::Session;
use super::storing::{self, agent_id};
use super::target::Target;
use super::together::name;

/// A message for one target, ready to go.
pub(crate) struct Outgoing {
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

impl Outgoing {
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
        let accepting = storing::accept(&mut self.target, &self.parts, self.may_edit, sends_unstored);
        self.account.follow(Box::pin(accepting).await?);
        Ok(())
    }

    /// Whether it is stored.
    pub(crate) fn is_stored(&self) -> bool {
        self.account.entry().is_some()
    }

    /// The same message with a line before its text. What is stored is replaced, never missing in between.
    pub(crate) async fn lead_with(&mut self, draft: &Draft, lead: &str, sends_unstored: bool) -> Result<()> {
        let Target { settings, channel, .. } = &self.target;
        self.parts = make(draft, *channel, settings, Some(lead), &mut Vec::new())?;
        self.account.expect(&self.parts);
        if self.is_stored() {
            let entry = storing::accept(&mut self.target, &self.parts, self.may_edit, sends_unstored).await?;
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
        Box::pin(storing::settle(&mut target, &mut account, &mut outcome)).await;
        let warnings = std::mem::take(&mut target.warnings);
        Delivered { outcome, warnings, courier: courier.map(|courier| (target, courier)) }
    }
}

/// Delivers to a target that has no other to stand in for it.
pub(crate) async fn deliver(mut outgoing: Outgoing) -> Delivered {
    let outcome = outgoing.attempt().await;
    outgoing.settled(outcome).await
}

/// Delivers to the command's own target, or else to the one that stands in.
pub(crate) async fn with_fallback(
    session: &Session<'_>,
    mut own: Outgoing,
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
    let mut stand_in = match Outgoing::further(session, &name, "--fallback", draft, Some(&lead)) {
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
