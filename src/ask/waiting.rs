//! Sends a question as its plan says, and waits for the answer: the one loop that does what `escalation` and the record say.

use std::cell::OnceCell;
use std::collections::HashSet;
use std::rc::Rc;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use futures_util::future::LocalBoxFuture;
use futures_util::stream::FuturesUnordered;
use serde_json::Value;

use super::escalation::{Delivery, Phase, TargetState};
use super::kept_record::KeptRecord;
use super::plan::Plan;
use super::record::{Record, State, TargetStatus};
use super::record_file::{RecordFile, RunGuard};
use super::sealing::Seal;
use super::task_id::TaskId;
use super::ways::{WatchedCards, Ways};
use crate::aibot::Seen;
use crate::api::aibot::Press;
use crate::clock::{at_ms, now_ms, wall_seconds};
use crate::error::{Error, Signal, Status};
use crate::send::{Dispatched, PressWay, QuestionDraft, Session};
use crate::words::Words;

/// The time between two looks at the clock, and between two tries to be the process that asks.
const NEXT_LOOK: Duration = Duration::from_secs(1);

/// How many of the last cards of a target are watched by name when a question is taken up. Presses on earlier ones come with
/// those that nobody watches.
const MOST_WATCHED: u32 = 256;

/// Ends when the waiting is to stop.
pub(super) type Stop<'a> = LocalBoxFuture<'a, Signal>;

/// A question that is being asked.
pub(super) struct Waiting<'s, 'c> {
    pub(super) session: &'s Session<'c>,
    pub(super) draft: &'s QuestionDraft,
    pub(super) plan: Plan,
    pub(super) kept: KeptRecord,
    pub(super) seal: Seal,
    /// The moment from which its times count.
    began: Instant,
    /// The card of each target, as it was sent.
    pub(super) cards: Vec<Rc<OnceCell<Value>>>,
    pub(super) ways: Rc<Ways>,
    /// The targets whose card says how it ended.
    pub(super) changed: HashSet<usize>,
    /// Events that were seen: a copy does not count again.
    pub(super) seen: HashSet<String>,
    pub(super) watches_others: bool,
    pub(super) jobs: FuturesUnordered<LocalBoxFuture<'s, Happened>>,
    /// How many of the jobs end by themselves.
    pub(super) under_way: usize,
    /// Whether this process asked.
    pub(super) has_run: bool,
    /// Who tells what happens: one process may go on with many questions.
    pub(super) speaker: String,
    pub(super) end: Ending,
}

/// What the report needs to know of the end.
#[derive(Default)]
pub(super) struct Ending {
    pub(super) stopped: Option<Signal>,
    pub(super) warnings: Vec<String>,
    pub(super) attempts: u32,
    /// The last failure of each target.
    pub(super) failures: Vec<Option<Error>>,
    /// Whether a running `listen` goes on after a signal.
    pub(super) goes_on: bool,
    /// Why presses cannot come back any more.
    pub(super) lost: Option<Error>,
    /// What who answered is called, where the document says it.
    pub(super) name: Option<String>,
}

/// Something that ended or came.
pub(super) enum Happened {
    Sent {
        delivery: Delivery,
        dispatched: Box<Dispatched>,
        watch: Option<WatchedCards>,
        deaf: Option<Error>,
    },
    /// No press on cards that were sent before can come.
    Deaf {
        target: usize,
        error: Error,
    },
    /// Nothing to do.
    Nothing,
    Seen {
        watched: WatchedCards,
        seen: Seen,
    },
    /// A press, with the plain id of whom pressed where that of the press is encrypted and it is known.
    Pressed {
        press: Box<Press>,
        plain: Option<String>,
        way: PressWay,
        /// Of one from disk.
        seal: Option<String>,
    },
    Named(Option<String>),
    /// A press was answered on its card, if it could be; `ends` names the card where that says how the question ended.
    Answered {
        ends: Option<TaskId>,
        answered: std::result::Result<(), String>,
    },
}

impl<'s, 'c> Waiting<'s, 'c> {
    pub(super) fn new(
        session: &'s Session<'c>,
        draft: &'s QuestionDraft,
        plan: Plan,
        kept: KeptRecord,
        seal: Seal,
    ) -> Self {
        let age = kept.record.age(now_ms());
        let began = Instant::now().checked_sub(age).unwrap_or_else(Instant::now);
        let count = plan.places.len();
        let end = Ending { failures: vec![None; count], ..Ending::default() };
        Self {
            session,
            draft,
            plan,
            kept,
            seal,
            began,
            cards: (0..count).map(|_| Rc::default()).collect(),
            ways: Rc::default(),
            changed: HashSet::new(),
            seen: HashSet::new(),
            watches_others: false,
            jobs: FuturesUnordered::new(),
            under_way: 0,
            has_run: false,
            speaker: "ask".to_owned(),
            end,
        }
    }

    pub(super) fn now(&self) -> Duration {
        self.kept.record.passed(self.began.elapsed(), now_ms())
    }

    pub(super) fn words(&self) -> &'static Words {
        self.kept.record.language.words()
    }

    /// Asks and waits until it is decided, it is stopped, or nothing can come of it. Where another process does that, it waits
    /// for the same answer, if it `follows`.
    pub(super) async fn run(&mut self, stopped: &mut Stop<'_>, follows: bool) {
        let guard = match self.kept.file().cloned() {
            Some(file) => match self.wait_for_turn(&file, stopped, follows).await {
                Some(guard) => Some(guard),
                None => return,
            },
            None => None,
        };
        self.kept.make_mine();
        self.kept.save();
        self.take_up();
        self.has_run = true;
        self.wait(stopped).await;
        self.settle().await;
        if let Some(file) = self.kept.file().filter(|_| guard.is_some()) {
            file.stop_running().await;
        }
        drop(guard);
    }

    /// Waits until no other process asks the same. `None` where it was decided before that.
    async fn wait_for_turn(
        &mut self,
        file: &RecordFile,
        stopped: &mut Stop<'_>,
        follows: bool,
    ) -> Option<Option<RunGuard>> {
        let mut is_told = false;
        loop {
            match file.try_run().await {
                Ok(Some(guard)) => {
                    // What the one before has done.
                    self.kept.look().await;
                    if self.is_open() {
                        return Some(Some(guard));
                    }
                    file.stop_running().await;
                    return None;
                }
                Err(_) if follows => return Some(None),
                Err(_) => return None,
                Ok(None) if !follows || self.plan.is_detached => return None,
                Ok(None) if !is_told => {
                    // It may have its answer, and end.
                    self.kept.look().await;
                    is_told = self.is_open();
                    if is_told {
                        self.session.observer.notice("another process asks this already: waiting for the same answer");
                    }
                }
                Ok(None) => {}
            }
            if self.is_open() && self.now() >= Duration::from_millis(self.kept.record.wait_ms) {
                self.kept.decide(State::Over(now_ms())).await;
            }
            if !self.is_open() {
                return None;
            }
            tokio::select! {
                biased;
                signal = &mut *stopped => {
                    self.end.stopped = Some(signal);
                    return None;
                }
                () = self.kept.tend() => {}
                () = tokio::time::sleep(NEXT_LOOK) => {}
            }
        }
    }

    pub(super) fn is_open(&self) -> bool {
        self.kept.record.state == State::Open
    }

    /// Goes on where an earlier process stopped.
    fn take_up(&mut self) {
        let record = &self.kept.record;
        let due = record.targets.iter().map(|target| target.due_ms.map(Duration::from_millis));
        self.plan.escalation.keep_times(Duration::from_millis(record.wait_ms), due);
        for (index, target) in record.targets.iter().enumerate() {
            let phase = match target.status {
                TargetStatus::Waiting => continue,
                TargetStatus::Sending => Phase::Sending,
                TargetStatus::Sent => Phase::Reached,
                TargetStatus::Failed => Phase::Failed(Status::Unknown, Some(Duration::ZERO)),
            };
            let reached = target.reached_ms.map(|ms| Duration::from_millis(ms.saturating_sub(record.start_ms)));
            self.plan.escalation.resume(index, phase, target.messages, reached);
            if let (Some(card), Some(cell)) = (&target.card, self.cards.get(index)) {
                let _ = cell.set(card.clone());
            }
            // Presses on the cards that are there already, and on one that was under way.
            let numbers = target.messages.saturating_sub(MOST_WATCHED - 1)..=target.messages;
            self.watch(index, numbers.map(|number| record.task_id(index, number)).collect());
        }
    }

    /// Watches cards that were sent before.
    fn watch(&self, target: usize, task_ids: Vec<String>) {
        let (session, ways, place) = (self.session, Rc::clone(&self.ways), self.plan.places[target].clone());
        self.jobs.push(Box::pin(async move {
            match ways.of(session, &place).await {
                Ok(Some(way)) => match ways.hear(target, way, task_ids).await {
                    Some(watched) => seen_next(watched).await,
                    None => Happened::Nothing,
                },
                Ok(None) => Happened::Nothing,
                Err(error) => Happened::Deaf { target, error },
            }
        }));
    }

    /// Takes the presses on cards of questions that are over, one watch for each way by which presses come.
    pub(super) fn watch_others(&self, way: &PressWay) {
        let Some(link) = way.link() else { return };
        let watch = link.watch_others(false);
        let watched = WatchedCards { target: None, way: way.clone(), watch };
        self.jobs.push(Box::pin(seen_next(watched)));
    }

    async fn wait(&mut self, stopped: &mut Stop<'_>) {
        loop {
            for press in self.kept.take_presses() {
                self.press_from_disk(press);
            }
            let now = self.now();
            for delivery in self.plan.escalation.begin(now) {
                self.send(delivery);
            }
            self.tell_trouble();
            if self.is_open() && self.plan.escalation.end(now).is_some() {
                self.kept.decide(State::Over(now_ms())).await;
            }
            let is_handed_over =
                self.plan.is_detached && self.plan.escalation.targets().iter().all(TargetState::is_settled);
            if !self.is_open() || is_handed_over {
                return;
            }
            let next = self.began + self.plan.escalation.next_time();
            // The clock may be set, and the machine may sleep.
            let wake = next.min(Instant::now() + NEXT_LOOK);
            tokio::select! {
                biased;
                signal = &mut *stopped => {
                    self.end.stopped = Some(signal);
                    if self.plan.is_confirm {
                        self.kept.decide(State::Withdrawn(now_ms())).await;
                    }
                    return;
                }
                Some(happened) = self.jobs.next() => self.take(happened).await,
                () = self.kept.tend() => {}
                () = tokio::time::sleep_until(wake.into()) => {}
            }
        }
    }

    pub(super) async fn take(&mut self, happened: Happened) {
        match happened {
            Happened::Sent { delivery, dispatched, watch, deaf } => {
                self.sent(delivery, *dispatched, watch, deaf).await;
            }
            Happened::Deaf { target, error } => self.lost(target, &error),
            Happened::Nothing => {}
            Happened::Seen { watched, seen } => {
                match seen {
                    Seen::Press(press) if self.kept.record.target_of(&press.task_id).is_none() => {
                        self.press_of_another(*press, &watched);
                    }
                    Seen::Press(press) if self.kept.record.question.needs_plain_id(&press.userid) => {
                        self.translate(*press, &watched.way);
                    }
                    // A card of ours that nobody watches by name too.
                    Seen::Press(press) => self.press(&press, None, &watched.way, None).await,
                    // Only a listen is told what somebody wrote. A gap is told when it is over.
                    Seen::Message(_) | Seen::Down => {}
                    Seen::Gap { from_ms, to_ms } => {
                        let (from, to) = (wall_seconds(at_ms(from_ms)), wall_seconds(at_ms(to_ms)));
                        self.warn(format!(
                            "the connection of the aibot was interrupted from {from} to {to}: a press in that time is lost, \
                             and has to be repeated"
                        ));
                    }
                    Seen::Lost(error) => {
                        return watched.target.into_iter().for_each(|target| self.lost(target, &error));
                    }
                }
                self.jobs.push(Box::pin(seen_next(watched)));
            }
            Happened::Pressed { press, plain, way, seal } => {
                self.under_way -= 1;
                self.press(&press, plain.as_deref(), &way, seal).await;
            }
            Happened::Named(name) => {
                self.under_way -= 1;
                self.end.name = name;
            }
            Happened::Answered { ends, answered } => {
                self.under_way -= 1;
                match (answered, ends) {
                    (Ok(()), Some(card)) => self.is_changed(&card),
                    (Ok(()), None) => {}
                    (Err(why), _) => self.warn(format!("the card could not be changed after a press: {why}")),
                }
            }
        }
    }

    fn lost(&mut self, target: usize, error: &Error) {
        let place = &self.plan.places[target];
        let same: Vec<bool> = self.plan.places.iter().map(|other| other.is_same_way(place)).collect();
        if self.end.lost.is_none() {
            self.warn(format!("no press can come back any more: {error}"));
        }
        self.end.lost.get_or_insert_with(|| error.clone());
        let record = &self.kept.record;
        let is_kept = |id: &String| record.target_of(id).is_none_or(|target| !same[target]);
        self.ways.heard.borrow_mut().retain(is_kept);
        let now = self.now();
        self.plan.escalation.lost(|index| same[index], now);
    }

    pub(super) fn tell_trouble(&mut self) {
        if let Some(trouble) = self.kept.take_trouble() {
            self.warn(format!("the question is not kept, and no other command can see it or go on with it: {trouble}"));
        }
    }

    pub(super) fn warn(&mut self, warning: String) {
        if !self.end.warnings.contains(&warning) {
            self.session.observer.notice(format!("{}: {warning}", self.speaker));
            self.end.warnings.push(warning);
        }
    }

    pub(super) fn record(&self) -> &Record {
        &self.kept.record
    }
}

pub(super) async fn seen_next(watched: WatchedCards) -> Happened {
    let (watched, seen) = watched.next().await;
    Happened::Seen { watched, seen }
}
