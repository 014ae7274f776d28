//! What becomes of an event: kept, acknowledged, handled, answered. A waiting question gets its presses first; of the others
//! on a card the first one counts.

use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::time::{Duration, SystemTime};

use futures_util::future::join;
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout_at};

use super::card_changes::{CardChanges, CardText};
use super::event::{Acknowledged, ReceivedEvent, chosen, data_of, pressed_ms, text_of, words_in};
use super::handler::{Handled, handle};
use super::options::{EventLines, ListenRules};
use crate::api::aibot::Press;
use crate::ask::{self, PressDelivery};
use crate::blocking::off_loop;
use crate::cards::{CardData, CardFile, CardStore, KeptCard, KeptPress, NewCard, PressState, ReceivedPress};
use crate::channel::Channel;
use crate::clock::{at_ms, in_ms, now_ms, stamp, wall};
use crate::error::{Error, Result};
use crate::message::card::by_whom;
use crate::send::{Login, Session};
use crate::store::{Folder, append_line};
use crate::words::Words;

/// When a card says that it is being worked on. Those of aibots can be changed for 5 s (document path 101463).
const WORKING_AFTER: Duration = Duration::from_secs(4);

/// So many events wait in memory. Others wait on disk.
const MOST_WAITING: usize = 2000;

/// How long a card may be unknown that was sent just now: what sends it keeps it after WeCom's answer.
const TO_REMEMBER: Duration = Duration::from_millis(1500);

/// Takes events.
pub(super) struct Dispatcher<'s, 'c> {
    session: &'s Session<'c>,
    rules: ListenRules,
    state: Folder,
    /// One for each source.
    stores: Vec<(Channel, CardStore)>,
    logins: &'s [(Channel, Login)],
    changes: CardChanges<'s, 'c>,
    lines: EventLines,
    /// A permit for each program that may run.
    jobs: Semaphore,
    /// The events that wait or are handled.
    under_way: RefCell<HashSet<String>>,
    /// Whether some wait on disk alone.
    has_overflowed: Cell<bool>,
    /// How many wait on disk since this process is being stopped.
    put_off: Cell<usize>,
}

impl<'s, 'c> Dispatcher<'s, 'c> {
    pub(super) fn new(
        session: &'s Session<'c>,
        rules: ListenRules,
        state: Folder,
        stores: Vec<(Channel, CardStore)>,
        logins: &'s [(Channel, Login)],
        lines: EventLines,
    ) -> Self {
        Self {
            session,
            jobs: Semaphore::new(rules.jobs),
            rules,
            state,
            stores,
            logins,
            changes: CardChanges::new(session),
            lines,
            under_way: RefCell::default(),
            has_overflowed: Cell::new(false),
            put_off: Cell::new(0),
        }
    }

    /// Begins nothing more. What runs goes on.
    pub(super) fn stop(&self) {
        self.jobs.close();
    }

    /// How many events wait to be handled by another process, or are cut short.
    pub(super) fn count_waiting(&self) -> usize {
        self.put_off.get() + self.under_way.borrow().len()
    }

    /// Whether there is room again for events that wait on disk alone; says so once.
    pub(super) fn has_room_again(&self) -> bool {
        self.under_way.borrow().len() < MOST_WAITING / 2 && self.has_overflowed.replace(false)
    }

    /// Takes an event that came just now, to its end.
    pub(super) async fn take(&self, event: ReceivedEvent) {
        let Some(store) = self.store(event.channel) else { return event.acknowledge(Acknowledged::Received(None)) };
        let is_message = event.words.is_some();
        if is_message && !self.rules.messages {
            return event.acknowledge(Acknowledged::Received(None));
        }
        let Some(event) = self.offer_to_questions(event).await else { return };
        let file = store.card(&event.file_id());
        if !is_message {
            file.find().await;
        }
        if let Some(decline) = event.decline.take()
            && !matches!(file.read().await, Ok(Some(card)) if card.is_known())
        {
            self.record(&event, 1, None, false).await;
            return decline(event.press);
        }
        if !self.rules.counts(&event.press.userid) {
            let line = (self.words().not_theirs)(&event.press.userid);
            return self.refuse(&event, &file, line).await;
        }
        if self.is_expired(&event) {
            return self.refuse(&event, &file, self.words().expired.to_owned()).await;
        }
        let received = match self.keep(&event, &file).await {
            Ok(received) => received,
            Err(error) => return self.not_kept(&event, &error),
        };
        received.trouble.iter().for_each(|trouble| self.notice(&format!("warning: {trouble}")));
        event.acknowledge_early();
        self.go_on(event, received.card, received.rank.is_copy(), &file).await;
    }

    /// Hands a press to the question that it is about. Returns the event if it is about none.
    async fn offer_to_questions(&self, event: ReceivedEvent) -> Option<ReceivedEvent> {
        let login = self.logins.iter().find(|(of, _)| *of == event.channel).map(|(_, login)| login);
        let (Some(login), None) = (login, &event.words) else { return Some(event) };
        match ask::deliver(&self.state, self.session.shared_state().as_ref(), login, &event.press).await {
            PressDelivery::NotAQuestion => return Some(event),
            PressDelivery::Kept => {
                self.record(&event, 1, None, false).await;
                event.acknowledge(Acknowledged::Received(None));
            }
            PressDelivery::Late(change) => {
                event.acknowledge_early();
                self.record(&event, 1, None, false).await;
                match event.decline.take().filter(|_| change.is_none()) {
                    Some(decline) => decline(event.press),
                    None => self.changes.answer(&event, change.as_ref()).await,
                }
            }
            PressDelivery::NotKept(error) => self.not_kept(&event, &error),
        }
        None
    }

    fn not_kept(&self, event: &ReceivedEvent, error: &Error) {
        self.notice(&format!("warning: an event could not be kept, and WeCom is asked to send it again: {error}"));
        event.acknowledge(Acknowledged::NotKept);
    }

    async fn keep(&self, event: &ReceivedEvent, file: &CardFile) -> Result<ReceivedPress> {
        if let Some(words) = &event.words {
            let (channel, profile) = (event.channel, None);
            file.remember(NewCard {
                channel,
                profile,
                card: Value::Null,
                data: CardData::of(data_of(words)),
                response_code: None,
            })
            .await?;
        }
        file.receive(event.channel, &event.event_id, event.press.clone()).await
    }

    /// What was received before this process began, or did not find room since.
    pub(super) async fn left_over(&self) -> Vec<(ReceivedEvent, KeptCard)> {
        let mut found = Vec::new();
        for (channel, store) in &self.stores {
            let cards = store.unfinished().await.unwrap_or_else(|error| {
                self.notice(&format!("warning: {error}: events that were received before may not be handled"));
                Vec::new()
            });
            for card in cards {
                let left = card.unfinished().filter(|press| !self.under_way.borrow().contains(&press.event_id));
                for KeptPress { event_id, press, .. } in left {
                    let event = ReceivedEvent::new(event_id.clone(), *channel, press.clone());
                    found.push((ReceivedEvent { words: words_in(&card), ..event }, card.clone()));
                }
            }
        }
        found
    }

    /// Handles an event that was kept before.
    pub(super) async fn take_up(&self, event: ReceivedEvent, card: KeptCard) {
        if let Some(store) = self.store(event.channel) {
            self.go_on(event, card.clone(), true, &store.card(&card.task_id)).await;
        }
    }

    async fn go_on(&self, event: ReceivedEvent, card: KeptCard, is_copy: bool, file: &CardFile) {
        let is_done = card.press(&event.event_id).is_none_or(|press| press.state.is_done());
        if is_copy && (is_done || self.under_way.borrow().contains(&event.event_id)) {
            return event.acknowledge(Acknowledged::Received(None));
        }
        if self.under_way.borrow().len() >= MOST_WAITING {
            self.has_overflowed.set(true);
            return event.acknowledge(Acknowledged::Received(None));
        }
        self.under_way.borrow_mut().insert(event.event_id.clone());
        let is_first = card.first_press().is_some_and(|first| first.event_id == event.event_id);
        match is_first {
            true => Box::pin(self.first(&event, card, file)).await,
            false => Box::pin(self.later(&event, &card, file)).await,
        }
        self.under_way.borrow_mut().remove(&event.event_id);
    }

    /// The press that counts.
    async fn first(&self, event: &ReceivedEvent, mut card: KeptCard, file: &CardFile) {
        let is_message = event.words.is_some();
        if !card.is_known() && !is_message {
            sleep(TO_REMEMBER).await;
            card = file.read().await.ok().flatten().unwrap_or(card);
        }
        if self.is_expired(event) {
            self.record(event, 1, Some(&card), false).await;
            self.end(event, file, Some(self.words().expired), true).await;
            let text = self.text(&event.press, event.at_ms(), &card, Some(self.words().expired));
            return self.changes.change(event, &card, file, &text).await;
        }
        if is_message {
            let handled = self.handle(event, &card, file).await;
            event.acknowledge(Acknowledged::Received(None));
            if let Some(said) = handled.and_then(|handled| handled.said) {
                self.changes.tell(event, "", &said).await;
            }
            return;
        }
        let text = |outcome: Option<&str>| self.text(&event.press, event.at_ms(), &card, outcome);
        let silent = self.runs_for(&card).then_some(self.words().done);
        let working = text(Some(self.words().working));
        let working = self.changes.change(event, &card, file, &working);
        let mut handling = Box::pin(self.handle(event, &card, file));
        let codes = card.count_codes(now_ms());
        let (shows_at_once, can_show_later) = match event.changes_by_code() {
            true => (codes >= 2 && self.runs_for(&card), codes >= 1),
            false => (false, event.can_change()),
        };
        let handled = if shows_at_once {
            join(handling, working).await.0
        } else {
            match timeout_at((event.since + WORKING_AFTER).into(), &mut handling).await {
                Ok(handled) => handled,
                Err(_) if can_show_later => {
                    let Some(Handled { said, .. }) = join(handling, working).await.0 else { return };
                    let text = text(said.as_deref().or(silent));
                    return self.changes.tell(event, &card.title, &text.line).await;
                }
                Err(_) => handling.await,
            }
        };
        // Where there is nothing, it waits on disk.
        if let Some(Handled { said, .. }) = handled {
            self.changes.change(event, &card, file, &text(said.as_deref().or(silent))).await;
        }
    }

    /// A press on a card that somebody has pressed before.
    async fn later(&self, event: &ReceivedEvent, card: &KeptCard, file: &CardFile) {
        self.record(event, 1, Some(card), false).await;
        self.end(event, file, None, false).await;
        let Some(first) = card.first_press() else { return };
        let outcome = match &first.state {
            PressState::Done { said, .. } => said.as_deref(),
            PressState::New | PressState::Running { .. } => Some(self.words().working),
        };
        let at_ms = pressed_ms(&first.press).unwrap_or(first.received_ms);
        let mut text = self.text(&first.press, at_ms, card, outcome);
        text.line = (self.words().taken_already)(&text.line);
        text.is_private = true;
        self.changes.change(event, card, file, &text).await;
    }

    /// Runs the program when its turn has come. `None` where this process is being stopped, or another one has done it.
    async fn handle(&self, event: &ReceivedEvent, card: &KeptCard, file: &CardFile) -> Option<Handled> {
        let Ok(_job) = self.jobs.acquire().await else {
            self.put_off.set(self.put_off.get() + 1);
            return None;
        };
        let attempt = match file.begin(&event.event_id).await {
            Ok(attempt) => attempt?,
            Err(error) => {
                self.notice(&format!("warning: {error}"));
                // Nobody would know later that it had begun.
                if self.rules.at_most_once {
                    return None;
                }
                1
            }
        };
        let document = self.record(event, attempt, Some(card), true).await;
        let handled = if self.rules.at_most_once && attempt > 1 {
            let failure = Some("it was interrupted before, and is not run again".to_owned());
            Handled { said: Some(self.words().may_be_done.to_owned()), failure }
        } else if self.runs_for(card) || event.words.is_some() {
            Box::pin(handle(&self.rules, event, &document, self.words(), &self.session.mask)).await
        } else {
            Handled::default()
        };
        if let Some(failure) = &handled.failure {
            let ReceivedEvent { press, .. } = event;
            let what = match &event.words {
                Some(_) => format!("the message of {}", press.userid),
                None => format!("{} of {} on card {}", press.key, press.userid, press.task_id),
            };
            self.notice(&format!("warning: the program for {what}: {failure}"));
        }
        self.end(event, file, handled.said.as_deref(), handled.failure.is_some()).await;
        Some(handled)
    }

    async fn end(&self, event: &ReceivedEvent, file: &CardFile, said: Option<&str>, failed: bool) {
        if let Err(error) = file.end(&event.event_id, said, failed).await {
            self.notice(&format!("warning: {error}: the event may be handled again"));
        }
    }

    /// Answers a press that does not count. It is not kept.
    async fn refuse(&self, event: &ReceivedEvent, file: &CardFile, line: String) {
        event.acknowledge_early();
        let card = file.read().await.ok().flatten();
        self.record(event, 1, card.as_ref(), false).await;
        let text = CardText { line, label: None, chosen: Vec::new(), is_private: true };
        self.changes.answer_on(event, card.as_ref(), &text).await;
    }

    /// Tells of an event on standard output and in the log file. Returns the document.
    async fn record(&self, event: &ReceivedEvent, attempt: u32, card: Option<&KeptCard>, counts: bool) -> Value {
        let document = event.document(attempt, card, counts);
        (self.lines)(document.to_string());
        if let Some(path) = self.session.settings.log_file.clone() {
            let mut line = json!({
                "time": stamp(SystemTime::now()),
                "pid": std::process::id(),
                "command": "listen",
                "event": if event.words.is_some() { "message" } else { "press" },
            });
            // No text of the card or of a message.
            for name in ["event_id", "attempt", "task_id", "userid", "key", "options", "counts"] {
                line[name] = document[name].clone();
            }
            let written = off_loop(move || append_line(&path, &line.to_string())).await;
            if let Ok(Err(error)) = written {
                self.notice(&format!("warning: the log file cannot be written: {error}"));
            }
        }
        document
    }

    /// What a card says after a press: who, what, when, and what came of it.
    fn text(&self, press: &Press, pressed_ms: u64, card: &KeptCard, outcome: Option<&str>) -> CardText {
        let words = self.words();
        let options = chosen(press);
        let mut line =
            (words.answered)(&press.userid, &text_of(&card.card, &press.key, &options), &wall(at_ms(pressed_ms)));
        outcome.into_iter().for_each(|outcome| line = format!("{line}\n{outcome}"));
        // Nothing was done about a card of which nothing is known.
        let is_unknown = !card.is_known() && self.rules.program.is_some();
        let label = if is_unknown { words.unknown_card.to_owned() } else { by_whom(&press.userid) };
        CardText { line, label: Some(label), chosen: options, is_private: is_unknown }
    }

    fn runs_for(&self, card: &KeptCard) -> bool {
        self.rules.program.is_some() && card.is_known()
    }

    fn is_expired(&self, event: &ReceivedEvent) -> bool {
        now_ms() > event.at_ms().saturating_add(in_ms(self.rules.max_age))
    }

    fn store(&self, channel: Channel) -> Option<&CardStore> {
        self.stores.iter().find(|(of, _)| *of == channel).map(|(_, store)| store)
    }

    fn words(&self) -> &'static Words {
        self.session.settings.language.words()
    }

    fn notice(&self, line: &str) {
        self.session.observer.notice(line);
    }
}
