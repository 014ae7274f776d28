//! Sends one message to all targets of a command: stores it, holds it back if it is a repeat, delivers it, and combines
//! the outcomes.

use futures_util::future::{join, join_all};

use crate::channel::Channel;
use crate::clock;
use crate::config::CooldownScope;
use crate::cooldown::{self, Admission};
use crate::delivery::Outcome;
use crate::error::{Error, Result, Status};
use crate::fingerprint::fingerprint;
use crate::message::person::Person;
use crate::message::{Part, aibot};
use crate::shared_state::SharedRecord;

use super::combine::{combine, name_of, reached_all};
use super::draft::Draft;
use super::fallback::{deliver_with_fallback, fallback_warning};
use super::session::Session;
use super::target::Target;
use super::target_message::{Delivered, TargetMessage};

/// A message for all its targets. It is stored, if that is wanted, before anything is waited for.
pub(super) struct FanOut {
    /// What makes this the same alert as another, where there is a cooldown.
    key: Option<CooldownKey>,
    own: Box<TargetMessage>,
    also: Vec<TargetMessage>,
    /// Further targets for which no message could be made.
    missed: Vec<Delivered>,
}

impl FanOut {
    pub(super) async fn prepare(session: &Session<'_>, target: Target, draft: &Draft, parts: Vec<Part>) -> Self {
        let key = session.settings.cooldown.map(|_| CooldownKey::new(&target, draft, &parts));
        let mut own = TargetMessage::new(session, target, parts, draft);
        own.keep_cards(draft);
        own.store().await;
        let (mut also, mut missed) = (Vec::new(), Vec::new());
        for name in &session.settings.also {
            match Box::pin(TargetMessage::further(session, name, "--also", draft, None)).await {
                Ok(mut message) => {
                    message.store().await;
                    also.push(*message);
                }
                Err(error) => missed.push(Delivered::unprepared(session, name, error)),
            }
        }
        Self { key, own, also, missed }
    }

    /// Sends the message to each target, unless it is held back.
    pub(super) async fn send(mut self, session: &mut Session<'_>, draft: &Draft) -> Result<Outcome> {
        if let Some(jitter) = session.settings.jitter {
            tokio::time::sleep(jitter.mul_f64(fastrand::f64())).await;
            session.start_clock();
            self.all().for_each(|message| message.target.deadline = session.deadline());
        }
        let admitted = match self.admit(session).await {
            None => None,
            Some(Admission::Send(admitted)) => Some(admitted),
            Some(Admission::HeldBack { count }) => return Ok(Box::pin(self.hold_back(session, count)).await),
        };
        let held_back = admitted.as_ref().and_then(|admitted| admitted.held_back);
        let lead =
            held_back.map(|held| (session.settings.language.words().held_back)(held.count, &clock::wall(held.since)));
        if let Some(lead) = &lead {
            for message in self.all() {
                Box::pin(message.lead_with(draft, lead)).await?;
            }
        }
        let mut outcome = self.deliver(session, draft, lead.as_deref()).await;
        if let Some(admitted) = admitted {
            outcome.held_back = held_back.map_or(0, |held| held.count);
            session.warnings.extend(admitted.warning.clone());
            if reached_all(&outcome) {
                session.warnings.extend(admitted.record_sent().await);
            } else {
                admitted.give_up().await;
            }
        }
        Ok(outcome)
    }

    fn all(&mut self) -> impl Iterator<Item = &mut TargetMessage> {
        std::iter::once(self.own.as_mut()).chain(&mut self.also)
    }

    /// Asks whether the same alert was sent within the cooldown.
    async fn admit(&self, session: &Session<'_>) -> Option<Admission> {
        let (duration, key) = (session.settings.cooldown?, self.key.as_ref()?);
        let (state, shared) = (session.state(), self.shared_cooldown(session, key).await);
        Some(cooldown::admit(state.as_ref(), shared, &key.local, duration, session.deadline(), &session.observer).await)
    }

    /// What is kept of the same alert for several machines, where they share their state. Another machine may have other
    /// profiles and paths: what counts is the target itself, and the text or the key that was given.
    async fn shared_cooldown(&self, session: &Session<'_>, key: &CooldownKey) -> Option<SharedRecord> {
        let space = self.own.namespace().await?;
        let host = match session.settings.cooldown_scope {
            CooldownScope::Host => gethostname::gethostname().to_string_lossy().into_owned(),
            CooldownScope::Fleet => String::new(),
        };
        let name = space.name_for("cooldown", &[&host, &key.target, &key.alert]);
        Some(SharedRecord::new(space, name))
    }

    async fn deliver(self, session: &mut Session<'_>, draft: &Draft, lead: Option<&str>) -> Outcome {
        let Self { own, also, missed, .. } = self;
        let also = join_all(also.into_iter().map(|message| Box::new(message).deliver()));
        let ((own, fallback), also) = join(deliver_with_fallback(session, own, draft, lead), also).await;
        finish(session, own, fallback, missed, also)
    }

    /// Drops the message, since it repeats another one. Targets for which none could be made are named all the same.
    async fn hold_back(self, session: &mut Session<'_>, count: u64) -> Outcome {
        let Self { own, also, missed, .. } = self;
        let own = own.hold_back().await;
        let also = join_all(also.into_iter().map(|message| Box::new(message).hold_back())).await;
        let outcome = finish(session, own, None, missed, also);
        for missed in outcome.targets.iter().filter(|target| target.status != Status::Skipped) {
            let why = missed.error.as_ref().map(Error::message).unwrap_or_default();
            session.warnings.push(format!("{}: {why}", name_of(missed)));
        }
        Outcome { held_back: count, ..Outcome::new(Status::Skipped) }
    }
}

/// Combines the outcomes of the targets, and hands their warnings and couriers to the session.
fn finish(
    session: &mut Session<'_>,
    own: Delivered,
    fallback: Option<Delivered>,
    missed: Vec<Delivered>,
    also: Vec<Delivered>,
) -> Outcome {
    let used_fallback = fallback.as_ref().and_then(|fallback| fallback_warning(&own.outcome, &fallback.outcome));
    session.warnings.extend(own.warnings.iter().cloned().chain(used_fallback));
    for Delivered { outcome, warnings, .. } in fallback.iter().chain(&also) {
        session.warnings.extend(warnings.iter().map(|warning| format!("{}: {warning}", name_of(outcome))));
    }
    let mut outcome_of = |delivered: Delivered| {
        if let Some((key, courier)) = delivered.courier {
            session.couriers.put(key, courier, &delivered.outcome);
        }
        delivered.outcome
    };
    let (own, fallback) = (outcome_of(own), fallback.map(&mut outcome_of));
    combine(own, fallback, missed.into_iter().chain(also).map(outcome_of).collect())
}

/// What makes two alerts the same.
struct CooldownKey {
    /// On this machine: the key that was given, else a fingerprint of target and text.
    local: String,
    /// The target, whatever machine sends to it, as far as its credential does not say that.
    target: String,
    /// The key that was given, else a fingerprint of the text.
    alert: String,
}

impl CooldownKey {
    fn new(target: &Target, draft: &Draft, parts: &[Part]) -> Self {
        let Target { settings, channel, .. } = target;
        let body = parts.first().map(Part::fields);
        let field = |name: &str| body.and_then(|body| body.get(name)).map(ToString::to_string).unwrap_or_default();
        let webhook = settings.webhook.as_ref();
        let webhook = webhook.map(|source| source.at_hand().map_or(source.origin(), |secret| secret.expose()));
        let group = match channel {
            Channel::App => String::new(),
            Channel::Webhook => webhook.unwrap_or_default().to_owned(),
            Channel::Chat => field("chatid"),
            Channel::Aibot => {
                let bot_id = settings.aibot_id.as_ref().map_or("", |bot_id| &bot_id.value);
                format!("{bot_id} {}", body.map(aibot::ids).unwrap_or_default().join(","))
            }
        };
        // Do not change these fields or their order: they make the keys of cooldown files that exist already.
        let (msgtype, text) = draft.identity();
        let [agentid, touser, toparty, totag] = ["agentid", "touser", "toparty", "totag"].map(field);
        let fields = [
            settings.profile.as_deref().unwrap_or_default(),
            channel.as_str(),
            &group,
            settings.corp_id.as_ref().map_or("", |corp_id| &corp_id.value),
            &agentid,
            &touser,
            &toparty,
            &totag,
            msgtype,
            &text,
        ];
        // People count as they were named, whoever is found.
        let people: Vec<String> = target.people.iter().map(Person::key).collect();
        let people = || people.iter().map(String::as_str);
        // Which webhook it is the credential says.
        let of_group = field("chatid") + &body.map(aibot::ids).unwrap_or_default().join(",");
        let of_target = [channel.as_str(), &of_group, &agentid, &touser, &toparty, &totag];
        let given = settings.cooldown_key.as_ref();
        Self {
            local: given.cloned().unwrap_or_else(|| fingerprint(fields.into_iter().chain(people()))),
            target: fingerprint(of_target.into_iter().chain(people())),
            alert: given.cloned().unwrap_or_else(|| fingerprint([msgtype, &text])),
        }
    }
}
