//! Sends a question as its plan says, and waits for the answer: the one loop that does what `escalation` and the record say.

mod happened;

use std::cell::OnceCell;
use std::collections::HashSet;
use std::rc::Rc;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use futures_util::future::LocalBoxFuture;
use futures_util::stream::FuturesUnordered;
use serde_json::Value;

use super::escalation::{Phase, TargetState};
use super::kept_record::KeptRecord;
use super::plan::Plan;
use super::record::{Record, State, TargetStatus};
use super::record_file::{RecordFile, RunGuard};
use super::sealing::Seal;
use super::ways::{WatchedCards, Ways};
use crate::clock::now_ms;
use crate::error::{Error, Signal, Status};
use crate::send::{PressWay, QuestionDraft, Session};
use crate::words::Words;
pub(super) use happened::{Happened, seen_next};

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
