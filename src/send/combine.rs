//! Combines the outcomes of several targets into one. Pure.

use crate::channel::Channel;
use crate::delivery::Outcome;
use crate::error::{Error, Status};

/// One outcome for all targets: success if all were reached, partial if some were, else the outcome of the command's own
/// target. A fallback that was reached counts in place of the own target.
pub(super) fn combine(own: Outcome, fallback: Option<Outcome>, also: Vec<Outcome>) -> Outcome {
    let first = fallback.as_ref().filter(|fallback| got_some(fallback)).unwrap_or(&own);
    let needed: Vec<&Outcome> = std::iter::once(first).chain(&also).collect();
    let mut outcome = if needed.iter().all(|target| target.exit_code() == 0) {
        all_reached(&needed)
    } else if needed.iter().any(|target| got_some(target)) {
        some_reached(&needed)
    } else {
        Outcome { shortfall: own.shortfall, unreached: own.unreached.clone(), ..alike(&own) }
    };
    outcome.reached_nobody = needed.iter().all(|target| target.reached_nobody);
    outcome.profile.clone_from(&own.profile);
    outcome.channel = own.channel;
    outcome.allow_partial = own.allow_partial;
    outcome.targets = std::iter::once(own).chain(fallback).chain(also).collect();
    for target in &outcome.targets {
        outcome.attempts += target.attempts;
        outcome.parts.extend(target.parts.iter().cloned());
        outcome.unreached.extend(target.unreached.clone());
    }
    outcome.outbox_id = outcome.targets.iter().find_map(|target| target.outbox_id.clone());
    outcome
}

/// Whether every target has it, so that no target would miss a repeat that is held back.
pub(crate) fn reached_all(outcome: &Outcome) -> bool {
    let reached = |target: &Outcome| {
        let went_out = target.status == Status::Partial && target.shortfall.is_none() && !target.reached_nobody;
        target.exit_code() == 0 || went_out
    };
    outcome.exit_code() == 0 || !outcome.targets.is_empty() && outcome.targets.iter().all(reached)
}

/// Whether some of its recipients get the message, now or later.
fn got_some(target: &Outcome) -> bool {
    target.exit_code() == 0 || target.status == Status::Partial
}

/// Status, answer and error of a target.
fn alike(target: &Outcome) -> Outcome {
    Outcome { answer: target.answer.clone(), error: target.error.clone(), ..Outcome::new(target.status) }
}

fn all_reached(targets: &[&Outcome]) -> Outcome {
    let of = |status| targets.iter().find(|target| target.status == status);
    // The worst status.
    let telling = of(Status::Queued).or_else(|| of(Status::Partial)).or(targets.first());
    let mut outcome = telling.map_or_else(|| Outcome::new(Status::Sent), |target| alike(target));
    if let (Some(error), Some(target), [_, _, ..]) = (&outcome.error, telling, targets) {
        outcome.error = Some(error.clone().with_message(format!("{}: {}", name_of(target), error.message())));
    }
    outcome
}

fn some_reached(targets: &[&Outcome]) -> Outcome {
    let missed: Vec<&&Outcome> = targets.iter().filter(|target| target.exit_code() != 0).collect();
    if let ([one], [_]) = (missed.as_slice(), targets) {
        return alike(one);
    }
    let told: Vec<String> = missed.iter().map(|target| format!("{}: {}", name_of(target), reason(target))).collect();
    let reached = targets.len() - missed.len();
    let message = format!("{reached} of {} targets were reached; {}", targets.len(), told.join("; "));
    let first = missed.first().and_then(|target| target.error.as_ref());
    let error = first.map_or_else(
        || Error::new(Status::Partial, message.as_str()),
        |first| first.about(Status::Partial, message.as_str()),
    );
    Outcome::from(error)
}

fn reason(target: &Outcome) -> &str {
    target.error.as_ref().map_or(target.status.as_str(), Error::message)
}

/// The name of a target in reports: `room (webhook)`.
pub(super) fn name_of(target: &Outcome) -> String {
    let profile = target.profile.as_deref().unwrap_or("environment");
    format!("{profile} ({})", target.channel.map_or("no route", Channel::as_str))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(profile: &str, status: Status) -> Outcome {
        let error =
            (status.exit_code() != 0).then(|| Error::new(status, format!("{profile} failed")).with_hint("mend"));
        let mut outcome = error.map_or_else(|| Outcome::new(status), Outcome::from);
        outcome.profile = Some(profile.to_owned());
        outcome.channel = Some(Channel::App);
        outcome.attempts = 1;
        outcome
    }

    fn combined(own: Status, fallback: Option<Status>, also: &[Status]) -> Outcome {
        let fallback = fallback.map(|status| target("fallback", status));
        let also = also.iter().map(|status| target("also", *status)).collect();
        combine(target("own", own), fallback, also)
    }

    #[test]
    fn all_some_none() {
        use Status::{Auth, Config, Partial, Queued, Refused, Sent, Temporary};
        for (own, fallback, also, status) in [
            (Sent, None, vec![], Sent),
            (Sent, None, vec![Sent], Sent),
            (Sent, None, vec![Queued], Queued),
            (Sent, None, vec![Refused], Partial),
            (Temporary, None, vec![Sent], Partial),
            (Temporary, None, vec![Refused], Temporary),
            (Partial, None, vec![Refused], Partial),
            (Auth, Some(Sent), vec![], Sent),
            (Auth, Some(Queued), vec![Sent], Queued),
            (Auth, Some(Temporary), vec![], Auth),
            (Auth, Some(Partial), vec![], Partial),
            (Auth, Some(Sent), vec![Config], Partial),
            (Config, None, vec![], Config),
        ] {
            let outcome = combined(own, fallback, &also);
            assert_eq!(outcome.status, status, "{own:?} {fallback:?} {also:?}");
            assert_eq!(outcome.targets.len(), 1 + usize::from(fallback.is_some()) + also.len());
            assert_eq!(outcome.attempts as usize, outcome.targets.len());
            assert_eq!(outcome.profile.as_deref(), Some("own"));
            assert_eq!(outcome.error.is_some(), outcome.exit_code() != 0, "{own:?} {fallback:?} {also:?}");
        }
    }

    #[test]
    fn targets_that_were_missed_are_named() {
        let outcome = combined(Status::Sent, None, &[Status::Refused, Status::Sent]);
        let error = outcome.error.unwrap();
        assert_eq!(error.message(), "2 of 3 targets were reached; also (app): also failed");
        assert_eq!(error.hint(), Some("mend"));
    }

    #[test]
    fn an_allowed_partial_delivery_counts_as_reached() {
        let mut own = target("own", Status::Partial);
        own.allow_partial = true;
        let outcome = combine(own, None, vec![target("also", Status::Sent)]);
        assert_eq!((outcome.status, outcome.exit_code()), (Status::Partial, 0));
    }
}
