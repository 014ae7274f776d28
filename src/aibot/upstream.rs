//! The connection to WeCom, as the holder keeps it: made when somebody needs it, made anew when it ends, and left alone for a
//! while when another program has taken it over.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::{Notify, watch};
use tokio::time::{sleep, timeout, timeout_at};

use super::Bot;
use super::failure::{CallFailure, ErrorDetails};
use super::kicks::{Kicks, MaySubscribe};
use super::lease::BotLease;
use super::place::Seat;
use super::protocol::ToClient;
use crate::api::aibot::{AibotEvent, AibotEvents, Connection, Message};
use crate::api::errcode::{Class, class_of};
use crate::api::{CallError, Limit};
use crate::clock::{at_ms, in_ms, now_ms, wall};
use crate::error::Error;

/// The pause after a failure to connect, which doubles from one to the next.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// A connection that lasted so long was none of a row that fails.
const LASTING: Duration = Duration::from_secs(30);

/// How long a close may take.
const CLOSING: Duration = Duration::from_secs(2);

const KICKED_HINT: &str = "an aibot has one connection at a time: find what else uses this BotID (another machine, a user who does not share \
                           /run/wecom-alert, a plug-in of an agent) and give it an aibot of its own, or send from one machine alone";

/// The connection, or why there is none.
#[derive(Clone)]
enum State {
    /// Nobody has asked yet, it is being made, or a pause is not over.
    Down,
    /// The number tells connections apart.
    Up(Connection, u64),
    /// Another program has taken it over: not before that, in Unix milliseconds.
    Paused { until_ms: u64, is_for_long: bool, failure: CallFailure },
    /// WeCom refuses the bot or its secret.
    Final(CallFailure),
}

/// How it is now.
#[derive(Clone)]
struct Now {
    state: State,
    /// How many attempts to connect have failed, and how the last one did.
    failed: u64,
    failure: Option<CallFailure>,
}

/// The connection to WeCom.
pub(super) struct Upstream {
    now: watch::Sender<Now>,
    /// How many requests wait for it.
    waiting: AtomicUsize,
    /// Whether somebody waits for presses.
    is_watched: AtomicBool,
    /// Tells that somebody needs it.
    needed: Notify,
}

/// How a connection ended.
enum End {
    /// Another program has taken it over.
    Kicked,
    /// Another program may have: it is not subscribed any more, or answers nothing, and nobody said why.
    Untold,
    Lost,
}

/// One request more that waits for the connection.
struct Waiting<'a>(&'a AtomicUsize);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Upstream {
    pub(super) fn new() -> Self {
        Self {
            now: watch::Sender::new(Now { state: State::Down, failed: 0, failure: None }),
            waiting: AtomicUsize::new(0),
            is_watched: AtomicBool::new(false),
            needed: Notify::new(),
        }
    }

    /// The connection, as soon as there is one, and its number. It is made if need be.
    ///
    /// Fails if an attempt to make it fails, or if it cannot be there before `until`.
    pub(super) async fn connection(&self, until: Instant) -> Result<(Connection, u64), CallFailure> {
        let mut now = self.now.subscribe();
        let failed_before = now.borrow().failed;
        self.waiting.fetch_add(1, Ordering::Relaxed);
        let _waiting = Waiting(&self.waiting);
        self.needed.notify_one();
        loop {
            {
                let now = now.borrow_and_update();
                match &now.state {
                    State::Up(connection, number) => return Ok((connection.clone(), *number)),
                    State::Final(failure) => return Err(failure.clone()),
                    State::Paused { until_ms, failure, .. } if *until_ms >= ms_of(until) => return Err(failure.clone()),
                    State::Down | State::Paused { .. } => {}
                }
                if now.failed > failed_before
                    && let Some(failure) = &now.failure
                {
                    return Err(failure.clone());
                }
            }
            if !matches!(timeout_at(until.into(), now.changed()).await, Ok(Ok(()))) {
                let before = now.borrow().failure.as_ref().map(CallFailure::message);
                let why = before.unwrap_or_else(|| "the connection was not there in time".to_owned());
                return Err(CallFailure::unreached(why, Some(Limit::Deadline)));
            }
        }
    }

    /// The connection of that number is of no use any more.
    pub(super) fn renew(&self, number: u64) {
        self.now.send_if_modified(|now| {
            let is_its = matches!(&now.state, State::Up(_, known) if *known == number);
            if is_its {
                now.state = State::Down;
            }
            is_its
        });
    }

    pub(super) fn set_watched(&self, is_watched: bool) {
        self.is_watched.store(is_watched, Ordering::Relaxed);
        self.needed.notify_one();
    }

    /// Closes it, once nothing more is made.
    pub(super) async fn close(&self) {
        let mut closing = None;
        self.now.send_modify(|now| {
            if let State::Up(connection, _) = std::mem::replace(&mut now.state, State::Down) {
                closing = Some(connection);
            }
        });
        if let Some(connection) = closing {
            let _ = timeout(CLOSING, connection.close()).await;
        }
    }

    /// Why no press will come, where that is known.
    pub(super) fn lost(&self) -> Option<CallFailure> {
        match &self.now.borrow().state {
            State::Final(failure) | State::Paused { is_for_long: true, failure, .. } => Some(failure.clone()),
            _ => None,
        }
    }

    /// Whether WeCom refuses the bot.
    pub(super) fn is_refused(&self) -> bool {
        matches!(self.now.borrow().state, State::Final(_))
    }

    fn has_waiting(&self) -> bool {
        self.waiting.load(Ordering::Relaxed) > 0
    }

    /// Waits until somebody needs it.
    async fn needed(&self) {
        while !self.has_waiting() && !self.is_watched.load(Ordering::Relaxed) {
            self.needed.notified().await;
        }
    }

    /// Waits out a pause; a request that waits makes it short.
    async fn pause(&self, pause: Duration) {
        let over = Instant::now() + pause;
        sleep(pause.min(FIRST_PAUSE)).await;
        while !self.has_waiting() && timeout_at(over.into(), self.needed.notified()).await.is_ok() {}
    }

    fn set(&self, state: State) {
        self.now.send_modify(|now| now.state = state);
    }

    fn set_failed(&self, failure: CallFailure) {
        self.now.send_modify(|now| {
            now.failed += 1;
            now.failure = Some(failure);
        });
    }

    /// Keeps it, and tells what comes over it and what becomes of it; ends only where WeCom refuses the bot, or another
    /// machine's process has it.
    pub(super) async fn keep(
        &self,
        bot: &Bot,
        (seat, lease): (Option<&Seat>, Option<&BotLease>),
        tell: impl Fn(ToClient),
    ) {
        let mut kicks = seat.map(Seat::kicks).unwrap_or_default();
        let (mut number, mut pause) = (0, None);
        loop {
            self.needed().await;
            if let Some(lease) = lease
                && !lease.may_act().await
            {
                return;
            }
            let tried_at = now_ms();
            if kicks.clamp(tried_at) {
                keep_kicks(bot, seat, &kicks);
            }
            if let Some(Blocked { until_ms, is_for_long, failure }) = blocked(kicks.may_subscribe(tried_at)) {
                if is_for_long {
                    tell(ToClient::Lost(failure.clone()));
                }
                self.set(State::Paused { until_ms, is_for_long, failure });
                sleep(Duration::from_millis(until_ms.saturating_sub(now_ms()))).await;
                self.set(State::Down);
                continue;
            }
            if kicks.subscribing(tried_at) {
                keep_kicks(bot, seat, &kicks);
            }
            let made = bot.client.connect_aibot(&bot.id, &bot.secret).await;
            let (connection, mut events) = match made {
                Ok(made) => made,
                Err(failure) if is_final(&failure) => {
                    let failure = CallFailure::from(failure);
                    tell(ToClient::Lost(failure.clone()));
                    self.set(State::Final(failure));
                    return;
                }
                Err(failure) => {
                    self.set_failed(failure.into());
                    let wait: Duration = pause.map_or(FIRST_PAUSE, |pause: Duration| (pause * 2).min(LONGEST_PAUSE));
                    pause = Some(wait);
                    self.pause(wait.mul_f64(1.0 - fastrand::f64() / 4.0)).await;
                    continue;
                }
            };
            number += 1;
            let since = Instant::now();
            self.set(State::Up(connection.clone(), number));
            tell(ToClient::Up { at_ms: now_ms() });
            let end = self.follow(bot, &connection, number, &mut events, &tell).await;
            self.set(State::Down);
            tell(ToClient::Down { at_ms: now_ms() });
            drop(events);
            let _ = timeout(CLOSING, connection.close()).await;
            // It was another machine's process, which has the lease by now.
            if let (Some(lease), End::Kicked | End::Untold) = (lease, &end)
                && !lease.confirm().await
            {
                return;
            }
            match end {
                End::Kicked => kicks.kicked(now_ms()),
                End::Untold => kicks.untold(now_ms()),
                End::Lost => {}
            }
            if !matches!(end, End::Lost) {
                keep_kicks(bot, seat, &kicks);
                if let Some(Blocked { failure, .. }) = blocked(kicks.may_subscribe(now_ms())) {
                    tell(ToClient::Notice(format!("{}: {KICKED_HINT}", failure.message())));
                }
            }
            // One that ends after a while is made again at once, one of a row after a pause.
            pause =
                (since.elapsed() < LASTING).then(|| pause.map_or(FIRST_PAUSE, |pause| (pause * 2).min(LONGEST_PAUSE)));
            if let Some(pause) = pause {
                self.pause(pause).await;
            }
        }
    }

    /// Waits until the connection of that number is of no use any more.
    async fn given_up(&self, number: u64) {
        let is_its = |now: &Now| matches!(&now.state, State::Up(_, known) if *known == number);
        let _ = self.now.subscribe().wait_for(|now| !is_its(now)).await;
    }

    /// Hands presses on until the connection ends, or is given up.
    async fn follow(
        &self,
        bot: &Bot,
        connection: &Connection,
        number: u64,
        events: &mut AibotEvents,
        tell: &impl Fn(ToClient),
    ) -> End {
        loop {
            let event = tokio::select! {
                biased;
                event = events.next() => event,
                () = self.given_up(number) => match connection.end() {
                    None => return End::Untold,
                    // Why it ended comes at once.
                    Some(_) => events.next().await,
                },
            };
            match event {
                AibotEvent::Press(press) => tell(ToClient::Press(*press)),
                AibotEvent::Message(message) => {
                    bot.observer.detail(wrote(&message));
                    tell(ToClient::Message(message));
                }
                AibotEvent::Kicked => return End::Kicked,
                AibotEvent::Closed(_) if connection.is_unanswered() => return End::Untold,
                AibotEvent::Closed(_) => return End::Lost,
            }
        }
    }
}

/// From where somebody wrote to the bot: so an operator learns the id of a group.
fn wrote(message: &Message) -> String {
    match &message.chatid {
        Some(chatid) => format!("{} wrote to the aibot in the group {chatid}", message.userid),
        None => format!("{} wrote to the aibot", message.userid),
    }
}

/// That it may not be subscribed now.
struct Blocked {
    /// In Unix milliseconds.
    until_ms: u64,
    /// Whether all tries are used up.
    is_for_long: bool,
    /// Of what cannot wait that long.
    failure: CallFailure,
}

fn blocked(may: MaySubscribe) -> Option<Blocked> {
    let (until_ms, is_for_long, how) = match may {
        MaySubscribe::Now => return None,
        MaySubscribe::At(until_ms) => (until_ms, false, "the next try is at"),
        MaySubscribe::UsedUpUntil(until_ms) => (until_ms, true, "after several tries, the next one is at"),
    };
    let when = wall(at_ms(until_ms));
    let message = format!("another program has taken over the connection of the aibot; {how} {when}");
    let error = Error::temporary(message, KICKED_HINT);
    Some(Blocked { until_ms, is_for_long, failure: CallFailure::Setup(ErrorDetails::from(&error)) })
}

fn keep_kicks(bot: &Bot, seat: Option<&Seat>, kicks: &Kicks) {
    if let Some(Err(error)) = seat.map(|seat| seat.write_kicks(kicks)) {
        bot.observer.detail(format!("that another program took over the aibot's connection cannot be kept: {error}"));
    }
}

/// Whether WeCom refuses the bot itself: trying again does not help.
fn is_final(failure: &CallError) -> bool {
    let class = failure.refusal().map(|reply| class_of(reply.answer.errcode));
    matches!(class, Some(Class::AuthFatal | Class::Config))
}

/// A moment in Unix milliseconds.
fn ms_of(at: Instant) -> u64 {
    let left = at.saturating_duration_since(Instant::now());
    now_ms().saturating_add(in_ms(left))
}
