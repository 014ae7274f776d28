//! `app-send` and `webhook-send`: one message to its targets.

use std::time::Instant;

use futures_util::future::{join, join_all};

use wecom_alert::config::TargetName;
use wecom_alert::delivery::cooldown::{self, Entry, Held as HeldBack};
use wecom_alert::delivery::outbox::Held;
use wecom_alert::delivery::{Journal, Outcome, Shipment, Shortfall, Targets, target_name};
use wecom_alert::error::{Error, Result, Status};
use wecom_alert::fingerprint::fingerprint;
use wecom_alert::message::Route;

use super::compose::{self, Draft, Order};
use super::session::Session;
use super::trace::Said;
use super::{dry_run, further, hold, moment, read_input};

/// A message on its way to one target.
struct Dispatch<'c> {
    session: Session<'c>,
    parts: Vec<Shipment>,
    held: Option<Held>,
}

/// Sends a message to the command's own target, to those that get it as well, and to the one that stands in.
pub(crate) async fn send(session: &mut Session<'_>, order: Order) -> Result<Outcome> {
    let route = order.route;
    session.route = Some(route);
    let settings = session.settings.clone();
    let read = read_input(session, move |warnings| {
        let Some(draft) = compose::read(&order, &settings, warnings)? else { return Ok(None) };
        let parts = compose::make(&draft, route, &settings, None, warnings)?;
        Ok(Some((draft, parts)))
    });
    let Some((draft, parts)) = read.await? else { return Ok(Outcome::new(Status::Skipped)) };
    session.said = Some(Said::new(draft.msgtype(), draft.text().as_deref()));
    if session.settings.dry_run {
        return dry_run::of_message(session, &draft, &parts).await;
    }
    let passage = match enter(session, &draft, &parts).await? {
        Some(Entry::HeldBack { count, .. }) => {
            return Ok(Outcome { held_back: count, ..Outcome::new(Status::Skipped) });
        }
        Some(Entry::Pass(passage)) => Some(passage),
        None => None,
    };
    let held_back = passage.as_ref().and_then(|passage| passage.held);
    let lead = held_back.map(told_of_repeats);
    let parts = match &lead {
        Some(lead) => compose::make(&draft, route, &session.settings, Some(lead), &mut Vec::new())?,
        None => parts,
    };
    let mut outcome = to_all_targets(session, &draft, parts, lead.as_deref()).await?;
    if let Some(passage) = passage {
        outcome.held_back = held_back.map_or(0, |held| held.count);
        session.warnings.extend(passage.warning.clone());
        if outcome.exit_code() == 0 || outcome.status == Status::Partial {
            session.warnings.extend(passage.passed());
        }
    }
    Ok(outcome)
}

async fn to_all_targets(
    session: &mut Session<'_>,
    draft: &Draft,
    parts: Vec<Shipment>,
    lead: Option<&str>,
) -> Result<Outcome> {
    let route = session.route.unwrap_or(Route::App);
    let mut own = Dispatch { session: session.towards(session.settings.clone(), route), parts, held: None };
    own.held = hold::accept(&mut own.session, &own.parts, !draft.is_payload()).await?;
    let (mut also, mut missed) = (Vec::new(), Vec::new());
    for name in &session.settings.also {
        match prepare(session, name, "--also", draft, lead).await {
            Ok(dispatch) => also.push(dispatch),
            Err(error) => missed.push(unprepared(session, name, error)),
        }
    }
    if let Some(jitter) = session.settings.jitter {
        tokio::time::sleep(jitter.mul_f64(fastrand::f64())).await;
        session.start_clock();
        own.session.end_with(session);
        also.iter_mut().for_each(|dispatch| dispatch.session.end_with(session));
    }
    let (first, also) = join(with_fallback(session, own, draft, lead), join_all(also.into_iter().map(deliver))).await;
    let ((own, warnings), fallback) = first;
    session.warnings.extend(warnings);
    if let Some((fallback, warnings)) = &fallback {
        session.warnings.extend(stood_in(&own, fallback));
        session.warnings.extend(warnings.iter().map(|warning| format!("{}: {warning}", target_name(fallback))));
    }
    for (outcome, warnings) in also {
        session.warnings.extend(warnings.iter().map(|warning| format!("{}: {warning}", target_name(&outcome))));
        missed.push(outcome);
    }
    Ok(Targets { own, fallback: fallback.map(|(outcome, _)| outcome), also: missed }.into_outcome())
}

/// What a target brought, and what is to be said of it.
type Delivered = (Outcome, Vec<String>);

/// Delivers to the command's own target, or else to the one that stands in.
async fn with_fallback(
    session: &Session<'_>,
    mut own: Dispatch<'_>,
    draft: &Draft,
    lead: Option<&str>,
) -> (Delivered, Option<Delivered>) {
    let Some(name) = session.settings.fallback.clone() else { return (deliver(own).await, None) };
    // A third of the time is the fallback's.
    let left = own.session.deadline().saturating_duration_since(Instant::now());
    own.session.end_by(own.session.deadline() - left / 3);
    let mut outcome = attempt(&mut own).await;
    if !matches!(outcome.status.exit_code(), 3 | 4 | 5 | 7 | 8) {
        return (settled(own, outcome), None);
    }
    let code = outcome.answer.as_ref().map_or(outcome.status.as_str().to_owned(), |answer| answer.errcode.to_string());
    let route = own.session.route.map_or("", Route::as_str);
    let mark = format!("[fallback: {route} {code}]");
    let lead = lead.map_or(mark.clone(), |lead| format!("{mark}\n{lead}"));
    let mut stand_in = match compose_for(session, &name, "--fallback", draft, Some(&lead)) {
        Ok(dispatch) => dispatch,
        Err(error) => return (settled(own, outcome), Some((unprepared(session, &name, error), Vec::new()))),
    };
    let mut stood_in = attempt(&mut stand_in).await;
    let own_may_pass = outcome.shortfall.is_some_and(Shortfall::may_pass);
    if stood_in.shortfall.is_none() {
        // Nothing is left for the outbox to do.
        outcome.shortfall = None;
    } else if !own_may_pass && stood_in.shortfall.is_some_and(Shortfall::may_pass) {
        match hold::accept(&mut stand_in.session, &stand_in.parts, !draft.is_payload()).await {
            // Without a place for it the first target's entry stays, among those that failed.
            Ok(None) => {}
            Ok(held) => {
                stand_in.held = held;
                outcome.shortfall = None;
            }
            Err(error) => stood_in.error = Some(error),
        }
    }
    (settled(own, outcome), Some(settled(stand_in, stood_in)))
}

/// A further target with its message, stored if that is wanted.
async fn prepare<'c>(
    session: &Session<'c>,
    name: &TargetName,
    origin: &str,
    draft: &Draft,
    lead: Option<&str>,
) -> Result<Dispatch<'c>> {
    let mut dispatch = compose_for(session, name, origin, draft, lead)?;
    // The command says whether alerts are stored, for all its targets.
    dispatch.held = hold::accept(&mut dispatch.session, &dispatch.parts, !draft.is_payload()).await?;
    Ok(dispatch)
}

fn compose_for<'c>(
    session: &Session<'c>,
    name: &TargetName,
    origin: &str,
    draft: &Draft,
    lead: Option<&str>,
) -> Result<Dispatch<'c>> {
    let mut towards = further::towards(session, name, origin)?;
    let route = towards.route.unwrap_or(Route::App);
    let parts = compose::make(draft, route, &towards.settings, lead, &mut towards.warnings)?;
    Ok(Dispatch { session: towards, parts, held: None })
}

/// A target that could not even be tried.
fn unprepared(session: &Session<'_>, name: &TargetName, error: Error) -> Outcome {
    let profile = Some(name.profile.clone());
    Outcome { profile, route: further::known_route(session, name), ..Outcome::from(error) }
}

/// Delivers, and settles what the outbox holds.
async fn deliver(mut dispatch: Dispatch<'_>) -> Delivered {
    let outcome = attempt(&mut dispatch).await;
    settled(dispatch, outcome)
}

/// One go at a target: its requests, with their repetitions.
async fn attempt(dispatch: &mut Dispatch<'_>) -> Outcome {
    let Dispatch { session, parts, held } = dispatch;
    let sent = match held {
        Some(held) => deliver_parts(session, parts, held).await,
        None => deliver_parts(session, parts, &mut ()).await,
    };
    let mut outcome = sent.unwrap_or_else(|error| {
        let shortfall = Shortfall { status: error.status(), may_have_arrived: false };
        Outcome { shortfall: Some(shortfall), ..Outcome::from(error) }
    });
    outcome.profile.clone_from(&session.settings.profile);
    outcome.route = session.route;
    outcome.allow_partial = session.settings.allow_partial;
    outcome
}

/// Sends parts by the session's route, with its credentials.
pub(crate) async fn deliver_parts(
    session: &mut Session<'_>,
    parts: &[Shipment],
    journal: &mut impl Journal,
) -> Result<Outcome> {
    match session.route {
        Some(Route::Webhook) => {
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

fn settled(dispatch: Dispatch<'_>, mut outcome: Outcome) -> Delivered {
    let Dispatch { mut session, held, .. } = dispatch;
    if let Some(held) = held {
        hold::settle(held, &mut outcome, &mut session);
    }
    (outcome, session.warnings)
}

/// That another target stood in, for the one who has to mend the first.
fn stood_in(own: &Outcome, fallback: &Outcome) -> Option<String> {
    let error = own.error.as_ref()?;
    let (own, stand_in) = (target_name(own), target_name(fallback));
    Some(match &fallback.error {
        None => format!("{own} failed, and {stand_in} stood in: {}", error.message()),
        Some(worse) => format!("{own} failed, and so did its fallback {stand_in}: {}", worse.message()),
    })
}

/// Asks whether the same alert went out a short while ago.
async fn enter(session: &Session<'_>, draft: &Draft, parts: &[Shipment]) -> Result<Option<Entry>> {
    let Some(duration) = session.settings.cooldown else { return Ok(None) };
    let key = session.settings.cooldown_key.clone().unwrap_or_else(|| key_of(session, draft, parts));
    let state = session.state();
    cooldown::enter(state.as_ref(), &key, duration, session.deadline(), &session.listener).await.map(Some)
}

/// Target and text as a fingerprint.
fn key_of(session: &Session<'_>, draft: &Draft, parts: &[Shipment]) -> String {
    let settings = &session.settings;
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
fn told_of_repeats(held: HeldBack) -> String {
    let repeats = if held.count == 1 { "repeat" } else { "repeats" };
    format!("[{} {repeats} held back since {}]", held.count, moment::clock(held.since))
}
