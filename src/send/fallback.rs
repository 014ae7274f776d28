//! The fallback: who gets an alert that the command's own target does not take, and what both are told.

use std::time::Instant;

use crate::channel::Channel;
use crate::delivery::{Outcome, Shortfall};
use crate::words::Failure;

use super::combine::name_of;
use super::draft::Draft;
use super::session::Session;
use super::target::Target;
use super::target_message::{Delivered, TargetMessage};

/// Delivers to the command's own target, and to the fallback if that fails. The fallback has a third of the time.
pub(super) async fn deliver_with_fallback(
    session: &Session<'_>,
    mut own: Box<TargetMessage>,
    draft: &Draft,
    lead: Option<&str>,
) -> (Delivered, Option<Delivered>) {
    let Some(name) = &session.settings.fallback else { return (own.deliver().await, None) };
    let left = own.target.deadline.saturating_duration_since(Instant::now());
    own.target.deadline -= left / 3;
    let mut outcome = own.attempt().await;
    if !matches!(outcome.status.exit_code(), 3 | 4 | 5 | 7 | 8) {
        return (own.settle(outcome).await, None);
    }
    let mark = fallback_mark(&own.target, &outcome);
    let lead = lead.map_or(mark.clone(), |lead| format!("{mark}\n{lead}"));
    let mut fallback = match Box::pin(TargetMessage::further(session, name, "--fallback", draft, Some(&lead))).await {
        Ok(message) => message,
        Err(error) => return (own.settle(outcome).await, Some(Delivered::unprepared(session, name, error))),
    };
    let by_fallback = fallback.attempt().await;
    let may_pass = |outcome: &Outcome| outcome.shortfall.is_some_and(Shortfall::may_pass);
    if by_fallback.shortfall.is_none() {
        // Nothing is left for the outbox to do.
        outcome.shortfall = None;
    } else if !may_pass(&outcome) && may_pass(&by_fallback) {
        fallback.store().await;
        // Without a place for it the first target's entry stays, among those that failed.
        if fallback.is_stored() {
            outcome.shortfall = None;
        }
    }
    (own.settle(outcome).await, Some(fallback.settle(by_fallback).await))
}

/// The line that says why the fallback gets the alert.
fn fallback_mark(own: &Target, failed: &Outcome) -> String {
    let failure = match &failed.answer {
        Some(answer) => Failure::Errcode(answer.errcode),
        None => Failure::Status(failed.status),
    };
    let words = own.settings.language.words();
    let channel = match own.channel {
        Channel::App => words.app,
        Channel::Webhook => words.webhook,
        Channel::Chat => words.chat,
        Channel::Aibot => words.aibot,
    };
    (words.fallback)(channel, failure)
}

/// The warning that the fallback was used, for those who maintain the first target.
pub(super) fn fallback_warning(own: &Outcome, fallback: &Outcome) -> Option<String> {
    let error = own.error.as_ref()?;
    let (own, stand_in) = (name_of(own), name_of(fallback));
    let (end, why) = match &fallback.error {
        None => (format!("{stand_in} got it instead"), error),
        Some(worse) => (format!("so did its fallback {stand_in}"), worse),
    };
    let mend = why.hint().map(|hint| format!("; to fix it: {hint}")).unwrap_or_default();
    Some(format!("{own} failed, and {end}: {}{mend}", why.message()))
}
