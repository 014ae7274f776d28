//! `listen`: receives presses on cards, for questions that wait for them and for a program, and takes alerts by HTTP.
//!
//! `sources` says where events come from, `server` and `callback_gate` receive callbacks, `dispatch` says what becomes of an
//! event, `handler` runs the program, `card_changes` shows on cards what became of it, `systemd` tells the service manager;
//! `accept` takes alerts.

mod accept;
mod alarm;
mod callback_gate;
mod card_changes;
mod dispatch;
mod event;
mod handler;
mod options;
mod server;
mod sources;
mod systemd;

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::LocalBoxFuture;
use futures_util::stream::FuturesUnordered;
use tokio::sync::{Notify, mpsc};
use tokio::time::{Instant, sleep_until, timeout_at};

use crate::aibot::{Link, Seen, Watch};
use crate::ask;
use crate::callback::event_id;
use crate::channel::Channel;
use crate::clock::{at_ms, wall_seconds};
use crate::delivery::Outcome;
use crate::error::{Error, Result, Signal, Status};
use crate::process::StopSignals;
use crate::send::Session;
use accept::{AcceptAddress, AcceptedAlert, AlertDesk, AlertGate};
use callback_gate::Gate;
use dispatch::Dispatcher;
use event::ReceivedEvent;
use options::ListenRules;
pub use options::{AlertReports, EventLines, ListenRequest};
use server::Server;
use sources::EventSources;
use systemd::Systemd;

/// So many events from callbacks wait to be taken: one for each connection.
const QUEUE: usize = 256;

/// A connection is back sooner when it only moves from one process to another.
const DOWN_AFTER: Duration = Duration::from_secs(10);

/// How long a connection of a callback may last: the head, the body, the work, the answer.
const TO_END_CALLBACK: Duration = Duration::from_secs(20);

/// How long the answers to what ended then may be on their way.
const TO_ANSWER: Duration = Duration::from_millis(500);

/// How long what is under way has when this process is stopped: service managers wait longer.
const TO_END: Duration = Duration::from_secs(10);

/// Receives events until a signal stops it, or nothing can come any more.
///
/// # Errors
///
/// As the outcome: usage, where options are wrong; exit 3, where settings, address or state folder cannot be used, or
/// another process receives the same; exit 7, where somebody else keeps the aibot's connection.
pub async fn listen(session: &mut Session<'_>, request: ListenRequest, mut stops: StopSignals) -> Outcome {
    let opened = tokio::select! {
        biased;
        signal = stops.received() => return stopped(signal, 0, (0, 0)),
        opened = Box::pin(open(session, &request)) => opened,
    };
    match opened {
        Ok((rules, sources)) => Box::pin(receive(session, request, rules, sources, &mut stops)).await,
        Err(error) => Outcome::from(error),
    }
}

async fn open(session: &mut Session<'_>, request: &ListenRequest) -> Result<(ListenRules, EventSources)> {
    let rules = ListenRules::read(request, &session.settings)?;
    let state = session.require_state()?;
    let sources = EventSources::open(session, request, &state).await?;
    Ok((rules, sources))
}

/// What comes, and what ends.
enum Came {
    Signal(Signal),
    Sign,
    Down,
    Event(Box<ReceivedEvent>),
    Alert(Box<AcceptedAlert>),
    Seen(Seen),
    Done,
}

async fn receive(
    session: &Session<'_>,
    request: ListenRequest,
    rules: ListenRules,
    mut sources: EventSources,
    stops: &mut StopSignals,
) -> Outcome {
    let observer = &session.observer;
    session.warnings.iter().for_each(|warning| observer.notice(format!("warning: {warning}")));
    let Some(state) = session.state() else { return Outcome::from(Error::defect("the state folder is gone")) };
    let shown = sources.shown();
    let stores = std::mem::take(&mut sources.stores);
    let (sender, mut events) = mpsc::channel(QUEUE);
    let (alert_sender, mut alerts) = mpsc::channel(QUEUE);
    let mut servers = Vec::new();
    if let Some((bound, keys)) = sources.http.take() {
        let gate = Gate::new(keys, sender.clone(), observer.clone());
        servers.push((bound, Server::new(TO_END_CALLBACK, Arc::new(gate))));
    }
    let mut desk = None;
    if let Some(AcceptAddress { bound, token }) = sources.accept.take() {
        let (profiles, reports) = (session.config.profiles(), request.reports);
        let gate = AlertGate::new(token, profiles, (reports, session.mask.clone()), alert_sender, observer.clone());
        servers.push((bound, Server::new(accept::TO_END, Arc::new(gate))));
        desk = Some(AlertDesk::new(session, reports));
    }
    let desk = desk.as_ref();
    let trouble = |error: &std::io::Error| observer.notice(format!("warning: no connection can be taken: {error}"));
    let mut serving: FuturesUnordered<LocalBoxFuture<'_, ()>> = FuturesUnordered::new();
    let mut answering = Vec::new();
    for (bound, server) in servers {
        let server = Rc::new(server);
        answering.push(Rc::clone(&server));
        serving.push(Box::pin(async move { server.serve(bound, trouble).await }));
    }
    let mut watched = sources.link.take().map(|link| (link.watch_others(request.messages), link));
    let logins = &sources.logins[..];
    let dispatcher = &Dispatcher::new(session, rules, state.clone(), stores, logins, request.lines);
    let (stopping, closing) = (Notify::new(), Notify::new());
    let mut jobs: FuturesUnordered<LocalBoxFuture<'_, ()>> = FuturesUnordered::new();
    if !logins.is_empty() {
        jobs.push(Box::pin(take_up(dispatcher)));
        // Questions that nobody waits for any more.
        jobs.push(Box::pin(ask::adopt(session, &state, logins, stopping.notified())));
    }
    if let Some(desk) = desk {
        jobs.push(Box::pin(desk.tend_outbox(&closing)));
    }
    let systemd = Systemd::new(|name| session.config.variable(name));
    systemd.ready(&format!("listens to {shown}"));
    observer.notice(format!("listen: {shown}"));
    let mut sign_at = systemd.watchdog().map(|pause| Instant::now() + pause);
    let mut down_at: Option<Instant> = None;
    let end = loop {
        let came = tokio::select! {
            biased;
            signal = stops.received() => Came::Signal(signal),
            () = sleep_until(down_at.unwrap_or_else(Instant::now)), if down_at.is_some() => Came::Down,
            () = sleep_until(sign_at.unwrap_or_else(Instant::now)), if sign_at.is_some() => Came::Sign,
            Some(event) = events.recv() => Came::Event(event),
            Some(alert) = alerts.recv(), if desk.is_some() => Came::Alert(Box::new(alert)),
            seen = next(&mut watched), if watched.is_some() => Came::Seen(seen),
            Some(()) = jobs.next(), if !jobs.is_empty() => Came::Done,
            Some(()) = serving.next() => break Err(Error::temporary("the server ended", "start it again")),
        };
        match came {
            Came::Signal(signal) => break Ok(signal),
            Came::Sign => {
                systemd.alive();
                sign_at = systemd.watchdog().map(|pause| Instant::now() + pause);
            }
            Came::Event(event) => jobs.push(Box::pin(dispatcher.take(*event))),
            Came::Alert(alert) => {
                if let Some(desk) = desk {
                    jobs.push(Box::pin(desk.take(*alert)));
                }
            }
            Came::Seen(Seen::Press(press)) => {
                let Some((watch, link)) = &watched else { continue };
                let mut event = ReceivedEvent::new(event_id(Channel::Aibot.as_str(), &press), Channel::Aibot, *press);
                event.count_what_passed();
                event.link.set(Some(Link::clone(link)));
                event.decline.set(Some(Box::new(watch.decline())));
                jobs.push(Box::pin(dispatcher.take(event)));
            }
            Came::Seen(Seen::Message(message)) => {
                let Some((_, link)) = &watched else { continue };
                // Without an id of WeCom's it is no copy of another one.
                let id = if message.msgid.is_empty() { format!("{:032x}", fastrand::u128(..)) } else { String::new() };
                let mut event = ReceivedEvent::of_message(id, Channel::Aibot, *message);
                if event.event_id.is_empty() {
                    event.event_id = event_id(Channel::Aibot.as_str(), &event.press);
                }
                event.link.set(Some(Link::clone(link)));
                jobs.push(Box::pin(dispatcher.take(event)));
            }
            Came::Seen(Seen::Down) => down_at = Some(Instant::now() + DOWN_AFTER),
            Came::Down => {
                down_at = None;
                observer.notice(
                    "warning: the aibot has no connection: presses on its cards are lost until it is back".to_owned(),
                );
            }
            Came::Seen(Seen::Gap { from_ms, to_ms }) => {
                down_at = None;
                let (from, to) = (wall_seconds(at_ms(from_ms)), wall_seconds(at_ms(to_ms)));
                observer.notice(format!(
                    "warning: the connection of the aibot was interrupted from {from} to {to}: a press in that time is lost, and has to \
                     be repeated"
                ));
            }
            Came::Seen(Seen::Lost(error)) => break Err(error),
            Came::Done if dispatcher.has_room_again() => jobs.push(Box::pin(take_up(dispatcher))),
            Came::Done => {}
        }
    };
    systemd.stopping();
    drop((serving, watched));
    events.close();
    alerts.close();
    dispatcher.stop();
    stopping.notify_one();
    closing.notify_one();
    let until = Instant::now() + TO_END;
    // Connections that were taken wait for their answers.
    while let Ok(event) = events.try_recv() {
        jobs.push(Box::pin(dispatcher.take(*event)));
    }
    while let (Some(desk), Ok(alert)) = (desk, alerts.try_recv()) {
        jobs.push(Box::pin(desk.take(alert)));
    }
    while let Ok(Some(())) = timeout_at(until, jobs.next()).await {}
    drop(jobs);
    let signal = end.as_ref().map_or(Signal::Terminate, |signal| *signal);
    let alerts_left = match desk {
        Some(desk) => desk.end(signal).await,
        None => (0, 0),
    };
    for server in answering {
        let _ = timeout_at(until + TO_ANSWER, server.end()).await;
    }
    let waiting = dispatcher.count_waiting();
    match end {
        Ok(signal) => stopped(signal, waiting, alerts_left),
        Err(error) => Outcome::from(error),
    }
}

async fn next(watched: &mut Option<(Watch, Link)>) -> Seen {
    match watched {
        Some((watch, _)) => watch.next().await,
        None => std::future::pending().await,
    }
}

/// Handles what was received before, to its end.
async fn take_up(dispatcher: &Dispatcher<'_, '_>) {
    let left = dispatcher.left_over().await;
    let all: FuturesUnordered<_> = left.into_iter().map(|(event, card)| dispatcher.take_up(event, card)).collect();
    all.collect::<()>().await;
}

/// What is said at the end: how many events wait, how many alerts the outbox has, and how many were not sent.
fn stopped(signal: Signal, waiting: usize, (stored, unsent): (usize, usize)) -> Outcome {
    let name = match signal {
        Signal::Interrupt => "SIGINT",
        Signal::Terminate => "SIGTERM",
    };
    let mut left = Vec::new();
    for (count, one, many) in [
        (waiting, "an event waits on disk", "events wait on disk"),
        (stored, "an alert waits in the outbox", "alerts wait in the outbox"),
        (unsent, "an alert was not sent", "alerts were not sent"),
    ] {
        match count {
            0 => {}
            1 => left.push(one.to_owned()),
            count => left.push(format!("{count} {many}")),
        }
    }
    let told = if left.is_empty() { "nothing is left".to_owned() } else { left.join(", ") };
    let error = Error::new(Status::Interrupted(signal), format!("stopped by {name}: {told}"));
    Outcome::from(match (waiting + stored, unsent) {
        (0, 0) => error,
        (0, _) => error.with_hint("who sent it was told to send it again"),
        _ => error.with_hint("the next listen with this state folder goes on"),
    })
}
