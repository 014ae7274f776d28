//! A message on its way to one target, or to the one that stands in for it.

use std::time::Instant;

use crate::config::TargetName;
use crate::outbox::Held;
use crate::delivery::{Journal, Outcome, Part, Shortfall, target_name};
use crate::error::{Error, Result};
use crate::channel::Channel;

use super::compose::{self, Draft};
use super::session::Session;
use super::{further, hold};

/// A message for one target, ready to go.
pub(crate) struct Dispatch<'c> {
    pub(crate) session: Session<'c>,
    pub(crate) parts: Vec<Part>,
    pub(crate) held: Option<Held>,
}

/// What a target brought, and what is to be said of it.
pub(crate) type Delivered = (Outcome, Vec<String>);

impl<'c> Dispatch<'c> {
    pub(crate) fn new(session: Session<'c>, parts: Vec<Part>) -> Self {
        session.ledger.expect(parts.len());
        Self { session, parts, held: None }
    }

    /// The message for a further target; `origin` is what named it.
    pub(crate) fn further(
        session: &Session<'c>,
        name: &TargetName,
        origin: &str,
        draft: &Draft,
        lead: Option<&str>,
    ) -> Result<Self> {
        let mut towards = further::towards(session, name, origin)?;
        let channel = towards.channel.unwrap_or(Channel::App);
        let parts = compose::make(draft, channel, &towards.settings, lead, &mut towards.warnings)?;
        Ok(Self::new(towards, parts))
    }

    /// Stores it, if that is wanted.
    pub(crate) async fn store(&mut self, draft: &Draft) -> Result<()> {
        self.held = hold::accept(&mut self.session, &self.parts, !draft.is_payload()).await?;
        Ok(())
    }

    /// The same message with a line before its text. What is stored is replaced, never missing in between.
    pub(crate) async fn lead_with(&mut self, draft: &Draft, lead: &str) -> Result<()> {
        let channel = self.session.channel.unwrap_or(Channel::App);
        self.parts = compose::make(draft, channel, &self.session.settings, Some(lead), &mut Vec::new())?;
        self.session.ledger.expect(self.parts.len());
        if let Some(before) = self.held.take() {
            self.store(draft).await?;
            before.done()?;
        }
        Ok(())
    }

    /// One go at the target: its requests, with their repetitions.
    pub(crate) async fn attempt(&mut self) -> Outcome {
        let Self { session, parts, held } = self;
        let sent = match held {
            Some(held) => deliver_parts(session, parts, held).await,
            None => deliver_parts(session, parts, &mut ()).await,
        };
        let mut outcome = sent.unwrap_or_else(Outcome::not_delivered);
        outcome.profile.clone_from(&session.settings.profile);
        outcome.channel = session.channel;
        outcome.allow_partial = session.settings.allow_partial;
        outcome
    }

    /// Settles what the outbox holds.
    pub(crate) fn settled(self, mut outcome: Outcome) -> Delivered {
        let Self { mut session, held, .. } = self;
        if let Some(held) = held {
            hold::settle(held, &mut outcome, &mut session);
        }
        (outcome, session.warnings)
    }
}

/// Delivers to a target that has no other to stand in for it.
pub(crate) async fn deliver(mut dispatch: Dispatch<'_>) -> Delivered {
    let outcome = dispatch.attempt().await;
    dispatch.settled(outcome)
}

/// Delivers to the command's own target, or else to the one that stands in.
pub(crate) async fn with_fallback(
    session: &Session<'_>,
    mut own: Dispatch<'_>,
    draft: &Draft,
    lead: Option<&str>,
) -> (Delivered, Option<Delivered>) {
    let Some(name) = session.settings.fallback.clone() else { return (deliver(own).await, None) };
    // A third of the time is the fallback's.
    let left = own.session.deadline().saturating_duration_since(Instant::now());
    own.session.end_by(own.session.deadline() - left / 3);
    let mut outcome = own.attempt().await;
    if !matches!(outcome.status.exit_code(), 3 | 4 | 5 | 7 | 8) {
        return (own.settled(outcome), None);
    }
    let lead = mark_of(&outcome, lead);
    let mut stand_in = match Dispatch::further(session, &name, "--fallback", draft, Some(&lead)) {
        Ok(dispatch) => dispatch,
        Err(error) => return (own.settled(outcome), Some((unprepared(session, &name, error), Vec::new()))),
    };
    let stood_in = stand_in.attempt().await;
    let own_may_pass = outcome.shortfall.is_some_and(Shortfall::may_pass);
    if stood_in.shortfall.is_none() {
        // Nothing is left for the outbox to do.
        outcome.shortfall = None;
    } else if !own_may_pass && stood_in.shortfall.is_some_and(Shortfall::may_pass) {
        match stand_in.store(draft).await {
            Ok(()) if stand_in.held.is_some() => outcome.shortfall = None,
            // Without a place for it the first target's entry stays, among those that failed.
            Ok(()) => {}
            Err(error) => stand_in.session.warnings.push(error.to_string()),
        }
    }
    (own.settled(outcome), Some(stand_in.settled(stood_in)))
}

/// The line that tells why another target gets it.
fn mark_of(failed: &Outcome, lead: Option<&str>) -> String {
    let code = failed.answer.as_ref().map_or(failed.status.as_str().to_owned(), |answer| answer.errcode.to_string());
    let mark = format!("[fallback: {} {code}]", failed.channel.map_or("", Channel::as_str));
    lead.map_or(mark.clone(), |lead| format!("{mark}\n{lead}"))
}

/// A target that could not even be tried.
pub(crate) fn unprepared(session: &Session<'_>, name: &TargetName, error: Error) -> Outcome {
    let profile = Some(name.profile.clone());
    Outcome { profile, channel: further::known_channel(session, name), ..Outcome::not_delivered(error) }
}

/// That another target stood in, for the one who has to mend the first.
pub(crate) fn stood_in(own: &Outcome, fallback: &Outcome) -> Option<String> {
    let error = own.error.as_ref()?;
    let (own, stand_in) = (target_name(own), target_name(fallback));
    Some(match &fallback.error {
        None => {
            let mend = error.hint().map(|hint| format!("; to mend it: {hint}")).unwrap_or_default();
            format!("{own} failed, and {stand_in} stood in: {}{mend}", error.message())
        }
        Some(worse) => format!("{own} failed, and so did its fallback {stand_in}: {}", worse.message()),
    })
}

/// Sends parts by the session's channel, with its credentials.
pub(crate) async fn deliver_parts(
    session: &mut Session<'_>,
    parts: &[Part],
    journal: &mut impl Journal,
) -> Result<Outcome> {
    match session.channel {
        Some(Channel::Webhook) => {
            let login = session.webhook_login().await?;
            let client = session.webhook_client(&login);
            Ok(session.webhook_delivery(&client, login).send(parts, journal).await)
        }
        _ => {
            let in_payload = parts.first().and_then(|part| part.body.get("agentid")?.as_i64());
            session.require_app(in_payload)?;
            let login = session.app_login(in_payload).await?;
            let client = session.app_client();
            Ok(session.app_delivery(&client, login).send(parts, journal).await)
        }
    }
}
