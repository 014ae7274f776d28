//! Sends a question as its plan says, and waits for the answer: the one loop that does what `escalation` and the record say.

use std::cell::{OnceCell, RefCell};
use std::collections::{HashMap, HashSet};
use std::rc::Rc;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use futures_util::future::LocalBoxFuture;
use futures_util::stream::FuturesUnordered;
use serde_json::Value;

use super::card::closed;
use super::escalation::{Delivery, Phase};
use super::late;
use super::log::log_press;
use super::people;
use super::plan::Plan;
use super::question::{Presser, Verdict};
use super::record::{Answer, Answerer, Record, State, TargetStatus};
use super::record_file::{KeptRecord, RecordFile};
use crate::aibot::{Link, Seen, Watch};
use crate::api::aibot::Press;
use crate::clock::{at_ms, now_ms, wall, wall_seconds};
use crate::config::Output;
use crate::error::{Error, Result, Signal, Status};
use crate::message::card::{Form, aibot_change, with_line};
use crate::process::StopSignals;
use crate::send::{Appearance, Dispatched, Place, QuestionDraft, Session, Way};
use crate::words::Words;

/// The time between two looks at the clock, and between two tries to be the process that asks.
const NEXT_LOOK: Duration = Duration::from_secs(1);

/// When, from the end on, what is under way is waited for no more, nor that everybody else is told, nor that the connection is
/// handed over: a script waits for this process.
const TO_END: Duration = Duration::from_secs(2);
const TO_TELL: Duration = Duration::from_secs(4);
const TO_LEAVE: Duration = Duration::from_secs(5);

/// How many of the last cards of a target are watched by name when a question is taken up. Presses on earlier ones come with
/// those that nobody watches.
const MOST_WATCHED: u32 = 256;

/// A card of that id was sent before (document path 90313).
const TASK_ID_USED: i64 = 846_625;

/// What only who knows the credential of the question can compute.
pub(super) type Seal = Rc<dyn Fn(&[String]) -> Option<String>>;

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
    cards: Vec<Rc<OnceCell<Value>>>,
    links: Rc<Links>,
    /// The targets whose card says how it ended.
    changed: HashSet<usize>,
    /// Events that were seen: a copy does not count again.
    seen: HashSet<String>,
    watches_others: bool,
    jobs: FuturesUnordered<LocalBoxFuture<'s, Happened>>,
    /// How many of the jobs end by themselves.
    under_way: usize,
    pub(super) end: Ending,
}

/// The ways back of presses.
#[derive(Default)]
struct Links {
    /// One for each way of the settings: its credential is read once.
    ways: RefCell<HashMap<Way, Rc<tokio::sync::OnceCell<Option<Link>>>>>,
    /// One for each aibot.
    bots: RefCell<HashMap<String, Link>>,
    /// The task ids that are watched.
    watched: RefCell<HashSet<String>>,
}

/// What the report needs to know of the end.
#[derive(Default)]
pub(super) struct Ending {
    pub(super) stopped: Option<Signal>,
    pub(super) warnings: Vec<String>,
    pub(super) attempts: u32,
    /// The last failure of each target.
    pub(super) failures: Vec<Option<Error>>,
    /// Why presses cannot come back any more.
    pub(super) lost: Option<Error>,
    /// What who answered is called, where the document says it.
    pub(super) name: Option<String>,
}

/// Something that ended or came.
enum Happened {
    Sent {
        delivery: Delivery,
        dispatched: Box<Dispatched>,
        watch: Option<Watched>,
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
        watched: Watched,
        seen: Seen,
    },
    /// A press by somebody with an encrypted id, and the plain one, if it is known.
    Translated {
        press: Box<Press>,
        userid: Option<String>,
        link: Link,
    },
    Named(Option<String>),
    Answered {
        target: Option<usize>,
        answered: std::result::Result<(), String>,
    },
}

/// Presses, and the way to answer them.
struct Watched {
    /// Whose card it is; `None` for cards that no process watches.
    target: Option<usize>,
    link: Link,
    watch: Watch,
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
            links: Rc::default(),
            changed: HashSet::new(),
            seen: HashSet::new(),
            watches_others: false,
            jobs: FuturesUnordered::new(),
            under_way: 0,
            end,
        }
    }

    fn now(&self) -> Duration {
        self.kept.record.passed(self.began.elapsed(), now_ms())
    }

    fn words(&self) -> &'static Words {
        self.kept.record.language.words()
    }

    /// Asks and waits until it is decided, a signal comes, or nothing can come of it.
    pub(super) async fn run(&mut self, stops: &mut StopSignals) {
        let guard = match self.kept.file().cloned() {
            Some(file) => match self.wait_for_turn(&file, stops).await {
                Some(guard) => Some(guard),
                None => return,
            },
            None => None,
        };
        self.kept.make_mine();
        self.take_up();
        self.wait(stops).await;
        self.settle().await;
        drop(guard);
    }

    /// Waits until no other process asks the same. `None` where it was decided before that.
    async fn wait_for_turn(
        &mut self,
        file: &RecordFile,
        stops: &mut StopSignals,
    ) -> Option<Option<crate::store::Guard>> {
        let mut is_told = false;
        loop {
            match file.try_run().await {
                Ok(Some(guard)) => {
                    // What the one before has done.
                    self.kept.look().await;
                    return if self.is_open() { Some(Some(guard)) } else { None };
                }
                Err(_) => return Some(None),
                Ok(None) if !is_told => {
                    is_told = true;
                    self.session.observer.notice("another process asks this already: waiting for the same answer");
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
                signal = stops.received() => {
                    self.end.stopped = Some(signal);
                    return None;
                }
                () = self.kept.tend() => {}
                () = tokio::time::sleep(NEXT_LOOK) => {}
            }
        }
    }

    fn is_open(&self) -> bool {
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
        let (session, links, place) = (self.session, Rc::clone(&self.links), self.plan.places[target].clone());
        self.jobs.push(Box::pin(async move {
            match link_of(session, &links, &place).await {
                Ok(Some(link)) => match links.watch(target, link, task_ids).await {
                    Some(watched) => next(watched).await,
                    None => Happened::Nothing,
                },
                Ok(None) => Happened::Nothing,
                Err(error) => Happened::Deaf { target, error },
            }
        }));
    }

    /// Takes the presses on cards of questions that are over, one watch for each way by which presses come.
    fn watch_others(&self, link: &Link) {
        let link = link.clone();
        self.jobs.push(Box::pin(async move {
            let watch = link.watch_also_others(Vec::new(), true);
            next(Watched { target: None, link, watch }).await
        }));
    }

    async fn wait(&mut self, stops: &mut StopSignals) {
        loop {
            let now = self.now();
            for delivery in self.plan.escalation.begin(now) {
                self.send(delivery);
            }
            self.tell_trouble();
            if self.is_open() && self.plan.escalation.end(now).is_some() {
                self.kept.decide(State::Over(now_ms())).await;
            }
            if !self.is_open() {
                return;
            }
            let next = self.began + self.plan.escalation.next_time();
            // The clock may be set, and the machine may sleep.
            let wake = next.min(Instant::now() + NEXT_LOOK);
            tokio::select! {
                biased;
                signal = stops.received() => {
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

    /// Begins to send to a target.
    fn send(&mut self, delivery: Delivery) {
        let Delivery { target, number, .. } = delivery;
        let task_id = self.kept.record.task_id(target, number);
        if number == 0 {
            self.kept.record.targets[target].status = TargetStatus::Sending;
            self.kept.save();
        }
        let has_card = self.plan.escalation.targets()[target].can_answer;
        let [lead, lead_of_plain] = [has_card, false].map(|has_card| self.lead(delivery, has_card));
        let (session, draft, links) = (self.session, self.draft, Rc::clone(&self.links));
        let (place, card) = (self.plan.places[target].clone(), Rc::clone(&self.cards[target]));
        self.under_way += 1;
        self.jobs.push(Box::pin(async move {
            let (mut watch, mut deaf) = (None, None);
            if has_card {
                match link_of(session, &links, &place).await {
                    Ok(Some(link)) => watch = links.watch(target, link, vec![task_id.clone()]).await,
                    Ok(None) => {}
                    Err(error) => deaf = Some(error),
                }
            }
            let has_card = has_card && links.watched.borrow().contains(&task_id);
            let lead = if has_card { lead } else { lead_of_plain };
            let shown = Appearance { lead: lead.as_deref(), task_id: has_card.then_some(&*task_id), card: &card };
            let dispatched = Box::new(Box::pin(place.send(session, draft, shown)).await);
            Happened::Sent { delivery, dispatched, watch, deaf }
        }));
    }

    /// What is said before the text: that it is late, and that nothing can be pressed.
    fn lead(&self, delivery: Delivery, has_card: bool) -> Option<String> {
        let words = self.words();
        let is_late = delivery.number > 0 || self.plan.escalation.is_late(delivery.target);
        let since = is_late.then(|| (words.unanswered_since)(&wall(at_ms(self.kept.record.start_ms))));
        let cannot = (!has_card && !is_late).then(|| words.cannot_press.to_owned());
        since.or(cannot)
    }

    async fn take(&mut self, happened: Happened) {
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
                        self.translate(*press, &watched.link);
                    }
                    // A card of ours that nobody watches by name too.
                    Seen::Press(press) => self.press(&press, None, &watched.link).await,
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
                self.jobs.push(Box::pin(next(watched)));
            }
            Happened::Translated { press, userid, link } => {
                self.under_way -= 1;
                self.press(&press, userid.as_deref(), &link).await;
            }
            Happened::Named(name) => {
                self.under_way -= 1;
                self.end.name = name;
            }
            Happened::Answered { target, answered } => {
                self.under_way -= 1;
                match (answered, target) {
                    (Ok(()), Some(target)) => drop(self.changed.insert(target)),
                    (Ok(()), None) => {}
                    (Err(why), _) => self.warn(format!("the card could not be changed after a press: {why}")),
                }
            }
        }
    }

    async fn sent(&mut self, delivery: Delivery, dispatched: Dispatched, watch: Option<Watched>, deaf: Option<Error>) {
        self.under_way -= 1;
        let Delivery { target, number, .. } = delivery;
        let Dispatched { outcome, warnings, has_card } = dispatched;
        let name = self.plan.names[target].clone();
        // What was said when it was read is not said again for each card.
        let said = &self.session.warnings;
        let news: Vec<_> = warnings.into_iter().filter(|warning| !said.contains(warning)).collect();
        news.into_iter().for_each(|warning| self.warn(format!("{name}: {warning}")));
        self.end.attempts += outcome.attempts;
        let now = self.now();
        let errcode = outcome.answer.as_ref().map(|answer| answer.errcode);
        // Nobody else has cards of this id: an earlier try arrived, and no answer to it came.
        let is_there = errcode == Some(TASK_ID_USED);
        let is_partial = outcome.status == Status::Partial && !outcome.reached_nobody;
        let is_reached = is_there || is_partial || outcome.exit_code() == 0;
        if is_reached {
            let is_watched = self.links.watched.borrow().contains(&self.kept.record.task_id(target, number));
            // A reminder without a card leaves the earlier ones.
            let can_answer = has_card && is_watched || number > 0 && self.plan.escalation.targets()[target].can_answer;
            if let Some(error) = deaf {
                self.warn(format!("{name}: nothing can be pressed there: {error}"));
                self.end.lost.get_or_insert(error);
            }
            self.plan.escalation.reached(target, can_answer, now);
            self.end.failures[target] = None;
        } else {
            self.plan.escalation.failed(target, outcome.status, now);
            let why = outcome.error.as_ref().map_or_else(String::new, |error| format!(": {}", error.message()));
            self.warn(format!("{name} was not reached{why}"));
            self.end.failures[target] = outcome.error;
        }
        let state = &self.plan.escalation.targets()[target];
        let recorded = &mut self.kept.record.targets[target];
        (recorded.status, recorded.failure) = match state.phase {
            Phase::Failed(status, _) => (TargetStatus::Failed, Some(status.as_str().to_owned())),
            _ => (TargetStatus::Sent, None),
        };
        recorded.messages = state.messages;
        recorded.reached_ms =
            state.reached_at.map(|at| self.kept.record.start_ms.saturating_add(crate::clock::in_ms(at)));
        recorded.card = self.cards[target].get().cloned();
        self.kept.save();
        // It may have arrived all the same.
        if let Some(watched) = watch {
            if !std::mem::replace(&mut self.watches_others, true) {
                self.watch_others(&watched.link);
            }
            self.jobs.push(Box::pin(next(watched)));
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
        self.links.watched.borrow_mut().retain(is_kept);
        let now = self.now();
        self.plan.escalation.lost(|index| same[index], now);
    }

    /// Somebody pressed on a card that no process waits for.
    fn press_of_another(&mut self, press: Press, watched: &Watched) {
        let (state, link, decline) = (self.session.state(), watched.link.clone(), watched.watch.decline());
        self.under_way += 1;
        self.jobs.push(Box::pin(async move {
            let told = async {
                let Some(body) = late::reply(&state?, &press).await else {
                    decline(press);
                    return None;
                };
                link.respond(&press, body).await.ok()
            };
            told.await;
            // Nobody here can do anything about it.
            Happened::Answered { target: None, answered: Ok(()) }
        }));
    }

    /// Asks who is behind an encrypted id. Other presses are taken meanwhile.
    fn translate(&mut self, press: Press, link: &Link) {
        let (session, link) = (self.session, link.clone());
        self.under_way += 1;
        self.jobs.push(Box::pin(async move {
            let userid = people::plain_id(session, &press.userid).await;
            Happened::Translated { press: Box::new(press), userid, link }
        }));
    }

    /// Somebody pressed something on a card of this question. `plain` is their userid where that of the press is encrypted.
    async fn press(&mut self, press: &Press, plain: Option<&str>, link: &Link) {
        if !press.msgid.is_empty() && !self.seen.insert(press.msgid.clone()) {
            return;
        }
        let Some(target) = self.kept.record.target_of(&press.task_id) else { return };
        let chosen: Vec<String> = press.selected.iter().flat_map(|(_, ids)| ids.iter().cloned()).collect();
        let question = &self.kept.record.question;
        let who = Presser { userid: &press.userid, plain, is_group: press.is_group };
        let userid = who.id();
        let verdict = question.judge(who, &press.key, &chosen);
        if self.is_open() && self.now() >= self.plan.escalation.wait() {
            self.kept.decide(State::Over(now_ms())).await;
        }
        let mut counts = false;
        if self.is_open()
            && let Verdict::Answers { key, options } = &verdict
        {
            let answer = self.answer(press, who, target, key, options);
            self.kept.decide(State::Answered(Box::new(answer.clone()))).await;
            counts = self.kept.record.state == State::Answered(Box::new(answer));
        }
        let logging = log_press(self.session, &self.kept.record, press, userid, counts);
        self.under_way += 1;
        self.jobs.push(Box::pin(async move {
            logging.await;
            Happened::Answered { target: None, answered: Ok(()) }
        }));
        let words = self.words();
        let Some(card) = self.cards[target].get() else { return };
        let form = Form::Aibot { task_id: &press.task_id };
        let only_for = press.is_group.then_some(&*press.userid);
        let (body, is_end) = match (self.kept.record.end_line(words), verdict) {
            (Some(line), _) => (aibot_change(closed(card, form, &line, &self.kept.record.state, words), None), true),
            (None, Verdict::NotAllowed) => {
                let line = (words.not_theirs)(userid);
                (aibot_change(with_line(card, form, &line), only_for), false)
            }
            (None, _) => (aibot_change(with_line(card, form, words.says_nothing), only_for), false),
        };
        let (link, press) = (link.clone(), press.clone());
        self.under_way += 1;
        self.jobs.push(Box::pin(async move {
            let answered = link.respond(&press, body).await;
            let answered =
                answered.map(drop).map_err(|failure| crate::delivery::explain_connection(&failure).to_string());
            Happened::Answered { target: is_end.then_some(target), answered }
        }));
    }

    fn answer(&self, press: &Press, who: Presser<'_>, target: usize, key: &str, options: &[String]) -> Answer {
        let at_ms = u64::try_from(press.at)
            .ok()
            .filter(|at| *at > 0)
            .map_or_else(now_ms, |seconds| seconds.saturating_mul(1000));
        let mut answer = Answer {
            key: key.to_owned(),
            text: self.kept.record.question.text_of(key, options, self.words()),
            options: options.to_vec(),
            by: Answerer::Press {
                userid: who.id().to_owned(),
                task_id: press.task_id.clone(),
                target: self.plan.names[target].clone(),
            },
            at_ms: at_ms.min(crate::clock::LAST_MS),
            note: None,
            seal: None,
        };
        answer.seal = (self.seal)(&answer.sealed_parts(&self.kept.record));
        answer
    }

    /// Ends what is under way, and tells everybody whose card does not say how it ended.
    async fn settle(&mut self) {
        self.ask_name();
        let ended = Instant::now();
        let until = ended + TO_END;
        while self.under_way > 0 {
            match tokio::time::timeout_at(until.into(), self.jobs.next()).await {
                Ok(Some(happened)) => Box::pin(self.take(happened)).await,
                Ok(None) | Err(_) => break,
            }
        }
        if let Some(line) = self.kept.record.end_line(self.words()) {
            let telling = futures_util::future::join_all(self.to_be_told().into_iter().map(|(name, place)| {
                let (session, title, line) = (self.session, self.kept.record.title.clone(), line.clone());
                async move { (name, place.tell(session, &title, &line).await.outcome.error) }
            }));
            match tokio::time::timeout_at((ended + TO_TELL).into(), telling).await {
                Ok(told) => told.into_iter().for_each(|(name, error)| {
                    if let Some(error) = error {
                        self.warn(format!("{name} was not told how it ended: {error}"));
                    }
                }),
                Err(_) => self.warn("not everybody could be told how it ended".to_owned()),
            }
        }
        self.kept.flush().await;
        self.tell_trouble();
        self.jobs.clear();
        let links: Vec<Link> = self.links.bots.borrow().values().cloned().collect();
        let leaving = futures_util::future::join_all(links.iter().map(Link::leave));
        let _ = tokio::time::timeout_at((ended + TO_LEAVE).into(), leaving).await;
    }

    /// Asks what who answered is called: the document says it.
    fn ask_name(&mut self) {
        let State::Answered(answer) = &self.kept.record.state else { return };
        let Answerer::Press { userid, .. } = &answer.by else { return };
        if self.session.settings.output == Output::Json {
            let (session, userid) = (self.session, userid.clone());
            self.under_way += 1;
            self.jobs.push(Box::pin(async move { Happened::Named(people::name_of(session, &userid).await) }));
        }
    }

    /// Those who have the question, or asked to be told, and do not see its end on their card.
    fn to_be_told(&self) -> Vec<(String, Place)> {
        let is_answered = matches!(self.kept.record.state, State::Answered(_));
        let states = self.plan.escalation.targets().iter().enumerate();
        let asked = states.filter(|(index, state)| {
            let has_card = self.cards[*index].get().is_some();
            state.reached_at.is_some() && !self.changed.contains(index) && (is_answered || has_card)
        });
        let asked = asked.map(|(index, _)| (self.plan.names[index].clone(), self.plan.places[index].clone()));
        let profile = self.session.settings.profile.as_deref();
        let others = self.plan.tell.iter().filter(|_| is_answered).map(|place| (place.shown(profile), place.clone()));
        let mut told: Vec<(String, Place)> = asked.collect();
        for (name, place) in others {
            // Who was asked too is told once.
            if !told.iter().any(|(known, _)| *known == name) {
                told.push((name, place));
            }
        }
        told
    }

    fn tell_trouble(&mut self) {
        if let Some(trouble) = self.kept.take_trouble() {
            self.warn(format!("the question is not kept, and no other command can see it or go on with it: {trouble}"));
        }
    }

    fn warn(&mut self, warning: String) {
        if !self.end.warnings.contains(&warning) {
            self.session.observer.notice(format!("ask: {warning}"));
            self.end.warnings.push(warning);
        }
    }

    pub(super) fn record(&self) -> &Record {
        &self.kept.record
    }
}

async fn next(mut watched: Watched) -> Happened {
    let seen = watched.watch.next().await;
    Happened::Seen { watched, seen }
}

/// The way back of presses on cards here; `None` on a channel without.
async fn link_of(session: &Session<'_>, links: &Links, place: &Place) -> Result<Option<Link>> {
    let way = Rc::clone(links.ways.borrow_mut().entry(place.way()).or_default());
    let link = way.get_or_try_init(async || {
        let found = place.link(session).await?;
        let of_bot = |(bot, link)| links.bots.borrow_mut().entry(bot).or_insert(link).clone();
        Ok(found.map(of_bot))
    });
    link.await.cloned()
}

impl Links {
    /// Watches those of these cards of a target that are not watched yet.
    async fn watch(&self, target: usize, link: Link, mut task_ids: Vec<String>) -> Option<Watched> {
        task_ids.retain(|id| self.watched.borrow_mut().insert(id.clone()));
        if task_ids.is_empty() {
            return None;
        }
        Some(Watched { target: Some(target), watch: link.watch(task_ids).await, link })
    }
}
