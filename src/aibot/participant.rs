//! This process among those that use a bot: it finds the holder of the connection, or becomes it, hands it what is asked
//! here, and knows of each request how far it came. When the holder has gone it finds the next one.

mod talk;

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, oneshot};
use tokio::time::{sleep, sleep_until};

use super::election::{HolderFound, look};
use super::failure::{CallFailure, ErrorDetails};
use super::greeting::Talk;
use super::holder::Holder;
use super::lease::BotLease;
use super::order::{CardWatch, Coverage, Order, PendingCall, Seen};
use super::place::{MeetingPlace, Seat};
use super::protocol::ToHolder;
use super::{Bot, WATCH_PATIENCE};
use crate::api::Limit;
use crate::error::Error;

/// Between two looks for a holder: at first there is one in a moment.
const FIRST_PAUSE: Duration = Duration::from_millis(10);

/// Hundreds may look, and each look costs them a little.
const LONGEST_PAUSE: Duration = Duration::from_millis(400);

/// The same where the store is down by which a holder is reached.
const STORE_PAUSE: Duration = Duration::from_secs(1);

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

    /// Something that the user should know: at once where this process waits for presses, which can take hours.
    fn warn(&self, warning: String) {
        self.bot.warn(warning, !self.watches.is_empty());
    }
}
