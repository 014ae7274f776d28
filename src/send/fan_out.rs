//! One message to all targets of a command: stored, held back if it repeats another, delivered, and combined into one outcome.

use futures_util::future::{join, join_all};

use crate::channel::{Addressing, Channel};
use crate::clock;
use crate::config::Settings;
use crate::cooldown::{self, Admission, AdmittedAlert, HeldBack};
use crate::delivery::Outcome;
use crate::error::{Error, Result, Status};
use crate::fingerprint::fingerprint;
use crate::message::Part;

use super::combine::{Targets, name as target_name};
use super::draft::Draft;
use super::session::Session;
use super::target_message::{Delivered, TargetMessage, deliver, stood_in, unprepared, with_fallback};

/// A message for all its targets. It is stored, if that is wanted, before anything is waited for.
pub(super) struct FanOut {
    /// What makes it the same alert as another.
    key: Option<String>,
    own: TargetMessage,
    also: Vec<TargetMessage>,
    /// Targets that could not even be tried.
    missed: Vec<Outcome>,
}

impl FanOut {
    pub(super) async fn prepare(
        session: &Session<'_>,
        channel: Channel,
        draft: &Draft,
        parts: Vec<Part>,
    ) -> Result<Self> {
        let settings = &session.settings;
        let key = settings.cooldown.map(|_| key_of(settings, channel, draft, &parts));
        let mut own = TargetMessage::new(session, session.own_target(channel), parts, draft);
        own.store(session.sends_unstored).await?;
        let (mut also, mut missed) = (Vec::new(), Vec::new());
        for name in &settings.also {
            let prepared = match TargetMessage::further(session, name, "--also", draft, None) {
                Ok(mut outgoing) => outgoing.store(session.sends_unstored).await.map(|()| outgoing),
                Err(error) => Err(error),
            };
            match prepared {
                Ok(outgoing) => also.push(outgoing),
                Err(error) => missed.push(unprepared(session, name, error)),
            }
        }
        Ok(Self { key, own, also, missed })
    }

    pub(super) async fn go(mut self, session: &mut Session<'_>, draft: &Draft) -> Result<Outcome> {
        if let Some(jitter) = session.settings.jitter {
            tokio::time::sleep(jitter.mul_f64(fastrand::f64())).await;
            session.start_clock();
            self.all().for_each(|outgoing| outgoing.target.set_deadline(session.deadline()));
        }
        let admitted = match self.admit(session).await {
            Ok(None) => None,
            Ok(Some(Admission::Send(admitted))) => Some(admitted),
            Ok(Some(Admission::HeldBack { count })) => return Ok(Box::pin(self.hold_back(session, count)).await),
            Err(error) if self.all().any(|outgoing| outgoing.is_stored()) => {
                return Ok(Box::pin(self.leave(session, &error)).await);
            }
            Err(error) => return Err(error),
        };
        let held_back = admitted.as_ref().and_then(|admitted| admitted.held_back);
        let lead = held_back.map(told_of_repeats);
        if let Some(lead) = &lead {
            for outgoing in self.all() {
                Box::pin(outgoing.lead_with(draft, lead, session.sends_unstored)).await?;
            }
        }
        let mut outcome = self.deliver(session, draft, lead.as_deref()).await;
        if let Some(admitted) = admitted {
            outcome.held_back = held_back.map_or(0, |held| held.count);
            settle(admitted, &outcome, session);
        }
        Ok(outcome)
    }

    fn all(&mut self) -> impl Iterator<Item = &mut TargetMessage> {
        std::iter::once(&mut self.own).chain(&mut self.also)
    }

    async fn deliver(self, session: &mut Session<'_>, draft: &Draft, lead: Option<&str>) -> Outcome {
        let Self { own, also, missed, .. } = self;
        let also = join_all(also.into_iter().map(deliver));
        let ((own, fallback), also) = join(with_fallback(session, own, draft, lead), also).await;
        session.warnings.extend(own.warnings.iter().cloned());
        if let Some(fallback) = &fallback {
            session.warnings.extend(stood_in(&own.outcome, &fallback.outcome));
            session.warnings.extend(named_warnings(fallback));
        }
        together(own, fallback, missed, also, session)
    }

    /// Asks whether the same alert went out a short while ago.
    async fn admit(&self, session: &Session<'_>) -> Result<Option<Admission>> {
        let (Some(duration), Some(key)) = (session.settings.cooldown, &self.key) else { return Ok(None) };
        let state = session.state();
        cooldown::admit(state.as_ref(), key, duration, session.deadline(), &session.listener).await.map(Some)
    }

    /// Another one like it went out: nothing is to be stored any more. What could not even be prepared is told all the same.
    async fn hold_back(self, session: &mut Session<'_>, count: u64) -> Outcome {
        let Self { own, also, missed, .. } = self;
        let mut is_own = true;
        for TargetMessage { mut target, mut account, .. } in std::iter::once(own).chain(also) {
            let id = account.entry.as_ref().map(|entry| entry.id().to_owned()).unwrap_or_default();
            if let Err(error) = account.done().await {
                target.warnings.push(format!("entry {id} of the outbox is held back but cannot be removed: {error}"));
            }
            let outcome = Outcome::of_target(Status::Skipped, &target.settings.profile, target.channel);
            let told = Delivered { outcome, warnings: target.warnings, courier: None };
            if is_own {
                session.warnings.extend(told.warnings);
            } else {
                session.warnings.extend(named_warnings(&told));
            }
            is_own = false;
        }
        for missed in &missed {
            let why = missed.error.as_ref().map(Error::message).unwrap_or_default();
            session.warnings.push(format!("{}: {why}", target_name(missed)));
        }
        Outcome { held_back: count, ..Outcome::new(Status::Skipped) }
    }

    /// Nothing is known of another one like it, and the time is over: what is stored waits.
    async fn leave(self, session: &mut Session<'_>, error: &Error) -> Outcome {
        let Self { own, also, missed, .. } = self;
        let left = async |outgoing: TargetMessage| {
            let (profile, channel) = (outgoing.target.settings.profile.clone(), Some(outgoing.target.channel));
            outgoing.settled(Outcome { profile, channel, ..Outcome::not_delivered(error.clone()) }).await
        };
        let own = left(own).await;
        session.warnings.extend(own.warnings.iter().cloned());
        let also = join_all(also.into_iter().map(left)).await;
        together(own, None, missed, also, session)
    }
}

fn together(
    own: Delivered,
    fallback: Option<Delivered>,
    mut missed: Vec<Outcome>,
    also: Vec<Delivered>,
    session: &mut Session<'_>,
) -> Outcome {
    for delivered in &also {
        session.warnings.extend(named_warnings(delivered));
    }
    let mut outcome_of = |delivered: Delivered| {
        if let Some((target, courier)) = delivered.courier {
            session.couriers.keep(target, courier);
        }
        delivered.outcome
    };
    let (own, fallback) = (outcome_of(own), fallback.map(&mut outcome_of));
    missed.extend(also.into_iter().map(outcome_of));
    Targets { own, fallback, also: missed }.into_outcome()
}

fn named_warnings(delivered: &Delivered) -> impl Iterator<Item = String> {
    delivered.warnings.iter().map(|warning| format!("{}: {warning}", target_name(&delivered.outcome)))
}

/// Lets repeats be held back from now on, if there is nobody for whom a repeat would be the first.
fn settle(admitted: AdmittedAlert, outcome: &Outcome, session: &mut Session<'_>) {
    session.warnings.extend(admitted.warning.clone());
    if is_through(outcome) {
        session.warnings.extend(admitted.record_sent());
    }
}

/// Whether there is nobody left for whom a repeat would be the first.
pub(crate) fn is_through(outcome: &Outcome) -> bool {
    let reached = |target: &Outcome| {
        let went_out = target.status == Status::Partial && target.shortfall.is_none() && !target.reached_nobody;
        target.exit_code() == 0 || went_out
    };
    outcome.exit_code() == 0 || !outcome.targets.is_empty() && outcome.targets.iter().all(reached)
}

/// Target and text as a fingerprint, or what was given in their place.
fn key_of(settings: &Settings, channel: Channel, draft: &Draft, parts: &[Part]) -> String {
    if let Some(key) = &settings.cooldown_key {
        return key.clone();
    }
    let body = parts.first().map(|part| &part.body);
    let field = |name: &str| body.and_then(|body| body.get(name)).map(ToString::to_string).unwrap_or_default();
    let webhook = match channel {
        Channel::App => None,
        Channel::Webhook => settings.webhook.as_ref(),
    };
    let webhook = webhook.map(|source| source.at_hand().map_or(source.origin(), |secret| secret.expose()));
    // Their order is that of the keys in use, which have them for a webhook too: an update must not forget a cooldown.
    let [agentid, touser, toparty, totag] = match channel.facts().addressing {
        Addressing::Recipients | Addressing::Credential => ["agentid", "touser", "toparty", "totag"].map(field),
    };
    fingerprint([
        settings.profile.as_deref().unwrap_or_default(),
        channel.as_str(),
        webhook.unwrap_or_default(),
        settings.corp_id.as_ref().map_or("", |corp_id| &corp_id.value),
        &agentid,
        &touser,
        &toparty,
        &totag,
        draft.type_name(),
        &draft.gist(),
    ])
}

/// A line for those who get the alert, when others like it were held back.
fn told_of_repeats(held: HeldBack) -> String {
    let repeats = if held.count == 1 { "repeat" } else { "repeats" };
    format!("[{} {repeats} held back since {}]", held.count, clock::wall(held.since))
}
