//! `app-send` and `webhook-send`: one message to its targets.

use futures_util::future::{join, join_all};

use wecom_alert::delivery::cooldown::{self, Entry, Held, Passage};
use wecom_alert::delivery::{Outcome, Shipment, Targets, target_name};
use wecom_alert::error::{Error, Result, Status};
use wecom_alert::fingerprint::fingerprint;
use wecom_alert::message::Route;

use super::compose::{self, Draft, Order};
use super::dispatch::{Delivered, Dispatch, deliver, stood_in, unprepared, with_fallback};
use super::session::Session;
use super::trace::Said;
use super::{dry_run, further, moment, read_input};

/// Sends a message to the command's own target, to those that get it as well, and to the one that stands in.
pub(crate) async fn send(session: &mut Session<'_>, mut order: Order) -> Result<Outcome> {
    let route = order.route;
    order.look_around(session.config, &mut session.warnings)?;
    session.route = Some(route);
    let settings = session.settings.clone();
    let read = read_input(session, move |warnings| {
        let Some(draft) = compose::read(&order, &settings, warnings)? else { return Ok(None) };
        let parts = compose::make(&draft, route, &settings, None, warnings)?;
        Ok(Some((draft, parts)))
    });
    let Some((draft, parts)) = read.await? else { return Ok(Outcome::new(Status::Skipped)) };
    if session.settings.log_file.is_some() {
        session.said = Some(Said::new(draft.msgtype(), draft.text().as_deref()));
    }
    if session.settings.dry_run {
        return dry_run::of_message(session, &draft, &parts).await;
    }
    // Nobody learns otherwise that nobody would stand in, until it is too late.
    if let Some(name) = &session.settings.fallback
        && let Err(error) = further::towards(session, name, "--fallback")
    {
        session.warnings.push(format!("the fallback cannot be used: {error}"));
    }
    let consignment = Consignment::prepare(session, &draft, parts).await?;
    consignment.go(session, &draft).await
}

/// A message for all its targets. It is stored, if that is wanted, before anything is waited for.
struct Consignment<'c> {
    /// What makes it the same alert as another.
    key: Option<String>,
    own: Dispatch<'c>,
    also: Vec<Dispatch<'c>>,
    /// Targets that could not even be tried.
    missed: Vec<Outcome>,
}

impl<'c> Consignment<'c> {
    async fn prepare(session: &Session<'c>, draft: &Draft, parts: Vec<Shipment>) -> Result<Self> {
        let key = session.settings.cooldown.map(|_| key_of(session, draft, &parts));
        let route = session.route.unwrap_or(Route::App);
        let mut own = Dispatch::new(session.towards(session.settings.clone(), route), parts);
        own.store(draft).await?;
        let (mut also, mut missed) = (Vec::new(), Vec::new());
        for name in &session.settings.also {
            let prepared = match Dispatch::further(session, name, "--also", draft, None) {
                Ok(mut dispatch) => dispatch.store(draft).await.map(|()| dispatch),
                Err(error) => Err(error),
            };
            match prepared {
                Ok(dispatch) => also.push(dispatch),
                Err(error) => missed.push(unprepared(session, name, error)),
            }
        }
        Ok(Self { key, own, also, missed })
    }

    async fn go(mut self, session: &mut Session<'_>, draft: &Draft) -> Result<Outcome> {
        if let Some(jitter) = session.settings.jitter {
            tokio::time::sleep(jitter.mul_f64(fastrand::f64())).await;
            session.start_clock();
            self.dispatches().for_each(|dispatch| dispatch.session.end_with(session));
        }
        let passage = match self.enter(session).await {
            Ok(None) => None,
            Ok(Some(Entry::Pass(passage))) => Some(passage),
            Ok(Some(Entry::HeldBack { count, .. })) => return self.hold_back(session, count),
            Err(error) if self.own.held.is_some() => return Ok(self.leave(session, &error)),
            Err(error) => return Err(error),
        };
        let held_back = passage.as_ref().and_then(|passage| passage.held);
        let lead = held_back.map(told_of_repeats);
        if let Some(lead) = &lead {
            for dispatch in self.dispatches() {
                dispatch.lead_with(draft, lead).await?;
            }
        }
        let mut outcome = self.deliver(session, draft, lead.as_deref()).await;
        if let Some(passage) = passage {
            outcome.held_back = held_back.map_or(0, |held| held.count);
            settle(passage, &outcome, session);
        }
        Ok(outcome)
    }

    fn dispatches(&mut self) -> impl Iterator<Item = &mut Dispatch<'c>> {
        std::iter::once(&mut self.own).chain(&mut self.also)
    }

    async fn deliver(self, session: &mut Session<'_>, draft: &Draft, lead: Option<&str>) -> Outcome {
        let Self { own, also, missed, .. } = self;
        let also = join_all(also.into_iter().map(deliver));
        let (((own, warnings), fallback), also) = join(with_fallback(session, own, draft, lead), also).await;
        session.warnings.extend(warnings);
        if let Some((fallback, warnings)) = &fallback {
            session.warnings.extend(stood_in(&own, fallback));
            session.warnings.extend(warnings.iter().map(|warning| format!("{}: {warning}", target_name(fallback))));
        }
        together(own, fallback.map(|(outcome, _)| outcome), missed, also, session)
    }

    /// Asks whether the same alert went out a short while ago.
    async fn enter(&self, session: &Session<'_>) -> Result<Option<Entry>> {
        let (Some(duration), Some(key)) = (session.settings.cooldown, &self.key) else { return Ok(None) };
        let state = session.state();
        cooldown::enter(state.as_ref(), key, duration, session.deadline(), &session.listener).await.map(Some)
    }

    /// Another one like it went out: nothing is to be stored any more.
    fn hold_back(mut self, session: &mut Session<'_>, count: u64) -> Result<Outcome> {
        for dispatch in self.dispatches() {
            dispatch.session.ledger.store(None);
            if let Some(held) = dispatch.held.take() {
                held.done()?;
            }
        }
        session.warnings.extend(self.own.session.warnings);
        Ok(Outcome { held_back: count, ..Outcome::new(Status::Skipped) })
    }

    /// Nothing is known of another one like it, and the time is over: what is stored waits.
    fn leave(self, session: &mut Session<'_>, error: &Error) -> Outcome {
        let Self { own, also, missed, .. } = self;
        let left = |dispatch: Dispatch<'_>| {
            let (profile, route) = (dispatch.session.settings.profile.clone(), dispatch.session.route);
            dispatch.settled(Outcome { profile, route, ..Outcome::not_delivered(error.clone()) })
        };
        let (own, warnings) = left(own);
        session.warnings.extend(warnings);
        together(own, None, missed, also.into_iter().map(left).collect(), session)
    }
}

fn together(
    own: Outcome,
    fallback: Option<Outcome>,
    mut missed: Vec<Outcome>,
    also: Vec<Delivered>,
    session: &mut Session<'_>,
) -> Outcome {
    for (outcome, warnings) in also {
        session.warnings.extend(warnings.iter().map(|warning| format!("{}: {warning}", target_name(&outcome))));
        missed.push(outcome);
    }
    Targets { own, fallback, also: missed }.into_outcome()
}

/// Lets repeats be held back from now on, if there is nobody for whom a repeat would be the first.
fn settle(passage: Passage, outcome: &Outcome, session: &mut Session<'_>) {
    session.warnings.extend(passage.warning.clone());
    if is_through(outcome) {
        session.warnings.extend(passage.passed());
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
fn key_of(session: &Session<'_>, draft: &Draft, parts: &[Shipment]) -> String {
    let settings = &session.settings;
    if let Some(key) = &settings.cooldown_key {
        return key.clone();
    }
    let body = parts.first().map(|part| &part.body);
    let field = |name: &str| body.and_then(|body| body.get(name)).map(ToString::to_string).unwrap_or_default();
    let webhook = settings.webhook.as_ref().filter(|_| session.route == Some(Route::Webhook));
    let webhook = webhook.map(|source| source.at_hand().map_or(source.origin(), |secret| secret.expose()));
    fingerprint([
        settings.profile.as_deref().unwrap_or_default(),
        session.route.map_or("", Route::as_str),
        webhook.unwrap_or_default(),
        settings.corp_id.as_ref().map_or("", |corp_id| &corp_id.value),
        &field("agentid"),
        &field("touser"),
        &field("toparty"),
        &field("totag"),
        draft.msgtype(),
        &draft.gist(),
    ])
}

/// A line for those who get the alert, when others like it were held back.
fn told_of_repeats(held: Held) -> String {
    let repeats = if held.count == 1 { "repeat" } else { "repeats" };
    format!("[{} {repeats} held back since {}]", held.count, moment::clock(held.since))
}
