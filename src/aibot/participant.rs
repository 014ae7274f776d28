//! This process among those that use a bot: it finds the holder of the connection, or becomes it, hands it what is asked
//! here, and knows of each request how far it came. When the holder has gone it finds the next one.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, oneshot};
use tokio::time::{sleep, sleep_until, timeout};

use super::election::{HolderFound, look};
use super::failure::{CallFailure, ErrorDetails};
use super::greeting::Talk;
use super::holder::Holder;
use super::lease::BotLease;
use super::order::{CardWatch, Coverage, Order, PendingCall, Seen};
use super::place::{MeetingPlace, Seat};
use super::protocol::{AibotRequest, BEAT, LONGEST_LINE, SILENCE, ToClient, ToHolder, Unreadable, line};
use super::{Bot, FORGED, WATCH_PATIENCE};
use crate::api::Limit;
use crate::api::aibot::Press;
use crate::blocking::task;
use crate::clock::{in_ms, now_ms};
use crate::error::{Error, Status};
use crate::sort;

/// Between two looks for a holder: at first there is one in a moment.
const FIRST_PAUSE: Duration = Duration::from_millis(10);

/// Hundreds may look, and each look costs them a little.
const LONGEST_PAUSE: Duration = Duration::from_millis(400);

/// The same where the store is down by which a holder is reached.
const STORE_PAUSE: Duration = Duration::from_secs(1);

/// How long what is said last may take on the way to another machine.
const TO_SAY_GOODBYE: Duration = Duration::from_millis(300);

/// A talk with a holder that ends sooner may end as soon again.
const SHORT: Duration = Duration::from_secs(1);

/// A request that the holder has.
struct Handed {
    asked: PendingCall,
    /// Whether it may have reached WeCom.
    has_begun: bool,
}

/// This process as one of those that use the bot.
pub(super) struct Participant {
    bot: Arc<Bot>,
    /// Where a holder may be, and this process may become it.
    places: Arc<[Arc<MeetingPlace>]>,
    orders: mpsc::UnboundedReceiver<Order>,
    /// Whether nobody can ask for anything any more.
    is_over: bool,
    waiting: VecDeque<PendingCall>,
    handed: HashMap<u64, Handed>,
    next_id: u64,
    watches: Vec<CardWatch>,
    leaving: Vec<oneshot::Sender<()>>,
    holder: Option<Holder>,
    /// To whom the holder is told things, as long as there is one.
    to_holder: Option<mpsc::UnboundedSender<Vec<u8>>>,
    /// Why no holder is reached.
    trouble: Option<String>,
}

impl Participant {
    pub(super) fn new(bot: Arc<Bot>, orders: mpsc::UnboundedReceiver<Order>) -> Self {
        let places: Arc<[_]> = bot.places().into_iter().map(Arc::new).collect();
        if places.is_empty() {
            let what = "no folder for state is known: other processes cannot use this one's connection of the aibot";
            bot.observer.detail(format!("{what}; set state_dir"));
        }
        Self {
            bot,
            places,
            orders,
            is_over: false,
            waiting: VecDeque::new(),
            handed: HashMap::new(),
            next_id: 0,
            watches: Vec::new(),
            leaving: Vec::new(),
            holder: None,
            to_holder: None,
            trouble: None,
        }
    }

    /// Does what is asked until nobody can ask any more.
    pub(super) async fn run(mut self) {
        let mut pause = Duration::ZERO;
        while !self.is_over {
            if self.has_work() {
                if let Some(talk) = self.find_holder().await {
                    let since = Instant::now();
                    self.talk(talk).await;
                    // A holder that drops this process at once is not asked again without a pause.
                    let is_short = since.elapsed() < SHORT;
                    pause = if is_short { (pause * 2).clamp(FIRST_PAUSE, LONGEST_PAUSE) } else { Duration::ZERO };
                    if self.holder.is_none() && !pause.is_zero() {
                        let _ = self.meanwhile(sleep(pause)).await;
                    }
                }
            } else if let Some(order) = self.next_order().await {
                self.take(order);
            }
            if self.is_over || (!self.leaving.is_empty() && !self.has_work()) {
                if let Some(holder) = self.holder.take() {
                    holder.leave().await;
                }
                self.leaving.drain(..).for_each(|left| left.send(()).unwrap_or_default());
            }
        }
    }

    async fn next_order(&mut self) -> Option<Order> {
        let order = self.orders.recv().await;
        self.is_over |= order.is_none();
        order
    }

    fn take(&mut self, order: Order) {
        match order {
            Order::Ask(asked) => self.waiting.push_back(asked),
            Order::Watch(watched) => {
                self.say_watch(&watched);
                self.watches.push(watched);
            }
            Order::Unwatch { watch } => self.unwatch(|watched| watched.id == watch),
            Order::Unknown(press) => drop(self.say(&ToHolder::Unknown(press))),
            Order::Leave(left) if self.watches.is_empty() => self.leaving.push(left),
            Order::Leave(_) => {}
        }
    }

    fn unwatch(&mut self, is_it: impl Fn(&CardWatch) -> bool) {
        let (gone, left): (Vec<_>, Vec<_>) = std::mem::take(&mut self.watches).into_iter().partition(is_it);
        self.watches = left;
        let is_watched = |id: &String| self.watches.iter().any(|watched| watched.task_ids.contains(id));
        let task_ids: Vec<_> =
            gone.iter().flat_map(|watched| &watched.task_ids).filter(|id| !is_watched(id)).cloned().collect();
        if !task_ids.is_empty() {
            self.say(&ToHolder::Unwatch { task_ids });
        }
        let is_over = |of: fn(&CardWatch) -> bool| gone.iter().any(of) && !self.watches.iter().any(of);
        let (others, messages) = (is_over(|watched| watched.others), is_over(|watched| watched.messages));
        if others {
            self.say(&ToHolder::Others(false));
        }
        if messages {
            self.say(&ToHolder::Messages(false));
        }
    }

    /// Whether a holder is needed. What nobody waits for any more, or what is too late, is done with.
    fn has_work(&mut self) -> bool {
        self.handed.retain(|_, handed| !handed.asked.answer.is_closed());
        let now = Instant::now();
        let (mut left, trouble) = (VecDeque::new(), &self.trouble);
        for asked in self.waiting.drain(..).filter(|asked| !asked.answer.is_closed()) {
            if asked.until <= now {
                let why = trouble.as_deref().unwrap_or("the deadline passed");
                let what = format!("the aibot's connection could not be used: {why}");
                asked.fail(CallFailure::unreached(what, Some(Limit::Deadline)));
            } else {
                left.push_back(asked);
            }
        }
        self.waiting = left;
        !self.waiting.is_empty() || !self.handed.is_empty() || !self.watches.is_empty()
    }

    /// Looks for a holder, or becomes it, as long as one is needed.
    async fn find_holder(&mut self) -> Option<Talk> {
        self.trouble = None;
        let (since, mut pause) = (Instant::now(), FIRST_PAUSE);
        while self.has_work() && !self.is_over {
            let (bot, places) = (Arc::clone(&self.bot), Arc::clone(&self.places));
            // Whoever watches for presses waits for a store that is down.
            let is_patient = !self.watches.is_empty();
            let found = match self.meanwhile(look(bot, places, is_patient)).await? {
                HolderFound::Reached(talk) => return Some(*talk),
                HolderFound::Elected(seat, lease) => return self.become_holder(seat, lease),
                HolderFound::Alone(why, lease) => {
                    self.warn(why);
                    return self.become_holder(None, lease);
                }
                HolderFound::Refused(error) => {
                    self.fail_all(&CallFailure::Setup(ErrorDetails::from(&error)));
                    return None;
                }
                HolderFound::NotYet(why) | HolderFound::Stopped(why) => why,
                HolderFound::Elsewhere(error) => {
                    let failure = CallFailure::Setup(ErrorDetails::from(&error));
                    self.waiting.drain(..).for_each(|asked| asked.fail(failure.clone()));
                    pause = pause.max(STORE_PAUSE);
                    error.to_string()
                }
            };
            self.give_up_watches(since, &found);
            self.trouble = Some(found);
            // Random, so that those that lost their holder together do not all look at once.
            self.meanwhile(sleep(pause.mul_f64(0.5 + fastrand::f64()))).await?;
            pause = (pause * 3 / 2).min(LONGEST_PAUSE);
        }
        None
    }

    fn become_holder(&mut self, seat: Option<Seat>, lease: Option<Arc<BotLease>>) -> Option<Talk> {
        let mut holder = Holder::start(Arc::clone(&self.bot), seat, lease);
        let own = holder.take_own().map(Talk::new);
        self.holder = Some(holder);
        own
    }

    /// Waits for that and takes orders meanwhile; `None` if nothing needs it any more.
    async fn meanwhile<T>(&mut self, work: impl Future<Output = T>) -> Option<T> {
        let mut work = std::pin::pin!(work);
        loop {
            if !self.has_work() || self.is_over {
                return None;
            }
            let next_end = self.waiting.iter().map(|asked| asked.until).min();
            tokio::select! {
                biased;
                done = &mut work => return Some(done),
                order = self.next_order() => order.into_iter().for_each(|order| self.take(order)),
                () = sleep_until(next_end.unwrap_or_else(Instant::now).into()), if next_end.is_some() => {}
            }
        }
    }

    /// Watches that have waited for long enough since then learn that no holder can be reached.
    fn give_up_watches(&mut self, since: Instant, why: &str) {
        let now = Instant::now();
        let message = format!("no press can come back: {why}");
        let error = Error::temporary(message, "end the other process, or wait until it ends");
        let is_long = now.saturating_duration_since(since) >= WATCH_PATIENCE;
        let is_over = |watched: &CardWatch| match watched.coverage {
            Coverage::NotYet => watched.patience <= now,
            Coverage::Covered | Coverage::Since(_) => is_long,
        };
        self.lose(is_over, &error);
    }

    fn lose(&mut self, is_lost: impl Fn(&CardWatch) -> bool, error: &Error) {
        for watched in self.watches.iter().filter(|watched| is_lost(watched)) {
            watched.tell(Seen::Lost(error.clone()));
        }
        self.unwatch(is_lost);
    }

    fn fail_all(&mut self, failure: &CallFailure) {
        self.waiting.drain(..).for_each(|asked| asked.fail(failure.clone()));
        self.lose(|_| true, &failure.as_error());
    }

    /// Talks to the holder until that ends, or nothing is left to do here.
    async fn talk(&mut self, talk: Talk) {
        let Talk { mut lines, writer, is_far } = talk;
        let (to_holder, to_write) = mpsc::unbounded_channel();
        self.to_holder = Some(to_holder);
        let mut writing = tokio::spawn(task(writer.write_all(to_write)));
        let mut beat = tokio::time::interval(BEAT);
        for watched in std::mem::take(&mut self.watches) {
            self.say_watch(&watched);
            self.watches.push(watched);
        }
        let mut heard_at = Instant::now();
        let is_silent = loop {
            while let Some(asked) = self.waiting.pop_front() {
                self.hand_over(asked);
            }
            if self.is_over || (!self.leaving.is_empty() && !self.has_work()) {
                break false;
            }
            tokio::select! {
                biased;
                heard = lines.next::<ToClient>(LONGEST_LINE) => match heard {
                    Ok(heard) => {
                        heard_at = Instant::now();
                        self.hear(heard);
                    }
                    Err(Unreadable::Forged) => {
                        self.warn(FORGED.to_owned());
                        break false;
                    }
                    Err(Unreadable::Failed) => {
                        self.all_may_have_begun();
                        break false;
                    }
                    Err(Unreadable::Ended | Unreadable::Garbage(_)) => break false,
                },
                _ = &mut writing, if is_far => {
                    self.all_may_have_begun();
                    break false;
                }
                _ = beat.tick(), if is_far => drop(self.say(&ToHolder::Beat)),
                order = self.next_order() => order.into_iter().for_each(|order| self.take(order)),
                () = sleep_until((heard_at + SILENCE).into()) => break true,
            }
        };
        self.to_holder = None;
        // A holder that went on meanwhile could begin what is asked of the next one too.
        let may_say_goodbye = is_far && self.handed.is_empty();
        if may_say_goodbye && !writing.is_finished() {
            let _ = timeout(TO_SAY_GOODBYE, &mut writing).await;
        }
        if !writing.is_finished() {
            writing.abort();
            let _ = writing.await;
        }
        drop(lines);
        if is_silent {
            self.bot
                .observer
                .detail("the process that holds the aibot's connection says nothing any more: it is stopped, or hangs");
        }
        self.talk_ended();
    }

    /// What the holder said of the requests that it has may be lost.
    fn all_may_have_begun(&mut self) {
        self.handed.values_mut().for_each(|handed| handed.has_begun = true);
    }

    /// What the holder has not begun to do, the next one does.
    fn talk_ended(&mut self) {
        let mut handed: Vec<_> = self.handed.drain().collect();
        sort::sort_by_key(&mut handed, |(id, _)| std::cmp::Reverse(*id));
        for (_, Handed { asked, has_begun }) in handed {
            if has_begun {
                let what = "the request went out, but the process that holds the aibot's connection ended before the answer came";
                asked.fail(CallFailure::Silent { what: what.to_owned(), limit: None });
            } else {
                self.waiting.push_front(asked);
            }
        }
        self.uncovered(now_ms());
        // This process's own one does not end the talk while it is well.
        drop(self.holder.take_if(|_| !self.is_over && self.leaving.is_empty()));
    }

    fn uncovered(&mut self, at_ms: u64) {
        for watched in &mut self.watches {
            if watched.coverage == Coverage::Covered {
                watched.coverage = Coverage::Since(at_ms);
                watched.tell(Seen::Down);
            }
        }
    }

    fn hand_over(&mut self, asked: PendingCall) {
        let id = self.next_id;
        self.next_id += 1;
        let left = asked.until.saturating_duration_since(Instant::now());
        let request = AibotRequest {
            id,
            req_id: asked.req_id.clone(),
            cmd: asked.cmd.clone(),
            body: asked.body.clone(),
            until_ms: now_ms().saturating_add(in_ms(left)),
            timeout_ms: in_ms(asked.timeout),
        };
        if self.say(&ToHolder::Request(request)) {
            self.handed.insert(id, Handed { asked, has_begun: false });
        } else {
            let error = Error::new(Status::Refused, "the request is too large for the aibot's connection");
            asked.fail(CallFailure::Setup(ErrorDetails::from(&error)));
        }
    }

    /// Tells the holder, if there is one; `false` for what is too long.
    fn say(&self, said: &ToHolder) -> bool {
        let Some(line) = line(said) else { return false };
        self.to_holder.iter().for_each(|to_holder| drop(to_holder.send(line.clone())));
        true
    }

    fn say_watch(&self, watched: &CardWatch) {
        if !watched.task_ids.is_empty() {
            self.say(&ToHolder::Watch { task_ids: watched.task_ids.clone() });
        }
        if watched.others {
            self.say(&ToHolder::Others(true));
        }
        if watched.messages {
            self.say(&ToHolder::Messages(true));
        }
    }

    fn hear(&mut self, heard: ToClient) {
        match heard {
            ToClient::Welcome { process, up_since_ms } => {
                if self.holder.is_none() {
                    self.bot.observer.detail(format!("process {process} holds the connection of the aibot"));
                }
                if up_since_ms.is_some() {
                    self.covered(now_ms());
                }
            }
            ToClient::Began { id } => {
                self.handed.get_mut(&id).into_iter().for_each(|handed| handed.has_begun = true);
            }
            ToClient::Answered { id, reply } => {
                if let Some(handed) = self.handed.remove(&id) {
                    drop(handed.asked.answer.send(Ok(reply.into())));
                }
            }
            ToClient::Failed { id, failure } => {
                if let Some(handed) = self.handed.remove(&id) {
                    handed.asked.fail(failure);
                }
            }
            ToClient::Press(press) => self.hand_out(&press),
            ToClient::Message(message) => {
                let reader = self.watches.iter().find(|watched| watched.messages);
                reader.into_iter().for_each(|reader| reader.tell(Seen::Message(Box::new(message.clone()))));
            }
            ToClient::Up { at_ms } => self.covered(at_ms),
            ToClient::Down { at_ms } => self.uncovered(at_ms),
            ToClient::Lost(failure) => self.lose(|_| true, &failure.as_error()),
            ToClient::Notice(notice) => self.warn(notice),
            ToClient::Beat => {}
        }
    }

    /// Something that the user should know: at once where this process waits for presses, which can take hours.
    fn warn(&self, warning: String) {
        self.bot.warn(warning, !self.watches.is_empty());
    }

    fn covered(&mut self, at_ms: u64) {
        for watched in &mut self.watches {
            if let Coverage::Since(from_ms) = watched.coverage {
                watched.tell(Seen::Gap { from_ms, to_ms: at_ms.max(from_ms) });
            }
            watched.coverage = Coverage::Covered;
        }
    }

    fn hand_out(&self, press: &Press) {
        let is_watched = |watched: &&CardWatch| watched.task_ids.contains(&press.task_id);
        let mut watches: Vec<_> = self.watches.iter().filter(is_watched).collect();
        if watches.is_empty() {
            watches.extend(self.watches.iter().find(|watched| watched.others));
        }
        watches.into_iter().for_each(|watched| watched.tell(Seen::Press(Box::new(press.clone()))));
    }
}
