//! What members see of an event: their card, changed, or a message where it can no longer be changed.

use std::cell::RefCell;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::sync::Semaphore;

use super::event::{Acknowledged, ReceivedEvent};
use crate::api::UPDATE_CARD;
use crate::api::aibot::AIBOT_UPDATE;
use crate::cards::{CardFile, KeptCard};
use crate::channel::Channel;
use crate::delivery::{Courier, Purpose, explain_connection};
use crate::error::Result;
use crate::message::card::{CardChange, Form, REPLACE_NAME, close, with_line};
use crate::send::{Place, Session};

/// So many cards are changed at a time. The others wait.
const CALLS: usize = 16;

/// How long the change of an app's card may take, with what is tried again.
const TO_UPDATE: Duration = Duration::from_secs(60);

/// The response_code is used up or too old (document path 94888).
const CODE_USED: i64 = 60140;

/// What is to be seen on a card.
#[derive(Debug, Clone)]
pub(super) struct CardText {
    pub(super) line: String,
    /// What its button says: nothing more can be pressed then.
    pub(super) label: Option<String>,
    /// What was chosen.
    pub(super) chosen: Vec<String>,
    /// Whether who pressed alone sees it.
    pub(super) is_private: bool,
}

impl CardText {
    /// The change of the card that is kept; `None` where nothing is known of it.
    fn on(&self, event: &ReceivedEvent, kept: &KeptCard) -> Option<CardChange> {
        let form = match event.changes_by_code() {
            true => Form::App,
            false => Form::Aibot { task_id: &event.press.task_id },
        };
        // A card of an aibot in a conversation with one member is theirs anyway.
        let is_shared = event.changes_by_code() || event.press.is_group;
        let card = match &self.label {
            _ if !kept.is_known() => return None,
            Some(label) => close(&kept.card, form, &self.line, label, &self.chosen),
            None => with_line(&kept.card, form, &self.line),
        };
        Some(CardChange { card, only_for: (self.is_private && is_shared).then(|| event.press.userid.clone()) })
    }

    /// The body that turns the button of an app's card off, of which nothing is known.
    fn on_button(&self, event: &ReceivedEvent, agent_id: Option<i64>, code: &str) -> Value {
        let mut body = match self.is_private {
            true => json!({ "userids": [event.press.userid] }),
            false => json!({ "atall": 1 }),
        };
        body["agentid"] = json!(agent_id);
        body["response_code"] = json!(code);
        body["button"] = json!({ REPLACE_NAME: self.label.as_ref().unwrap_or(&self.line) });
        body
    }
}

/// Changes cards.
pub(super) struct CardChanges<'s, 'c> {
    session: &'s Session<'c>,
    /// Those that are not in use, with their connections.
    couriers: RefCell<Vec<Courier>>,
    calls: Semaphore,
}

impl<'s, 'c> CardChanges<'s, 'c> {
    pub(super) fn new(session: &'s Session<'c>) -> Self {
        Self { session, couriers: RefCell::default(), calls: Semaphore::new(CALLS) }
    }

    /// Changes the card of an event. Where that is not possible any more, who pressed gets a message.
    pub(super) async fn change(&self, event: &ReceivedEvent, kept: &KeptCard, file: &CardFile, text: &CardText) {
        let change = text.on(event, kept);
        let is_changed = match (event.changes_by_code(), &change) {
            (true, _) => self.change_app(event, file, change.as_ref(), text).await,
            (_, Some(change)) => self.change_aibot(event, change).await,
            (_, None) => return event.acknowledge(Acknowledged::Received(None)),
        };
        if !is_changed && kept.is_known() {
            self.tell(event, &kept.title, &text.line).await;
        }
    }

    /// Answers a press that is not kept here, by the way that it brought itself.
    pub(super) async fn answer(&self, event: &ReceivedEvent, change: Option<&CardChange>) {
        let Some(change) = change else { return event.acknowledge(Acknowledged::Received(None)) };
        if !event.changes_by_code() {
            self.change_aibot(event, change).await;
            return;
        }
        let (Ok(_call), code) = (self.calls.acquire().await, &event.press.response_code) else { return };
        if let Err(error) = Box::pin(self.update(|agent_id| change.of_app(agent_id, code))).await {
            let who = &event.press.userid;
            self.session.observer.notice(format!("warning: {who} could not be told about the press: {error}"));
        }
    }

    /// The same for words on a card that may be kept.
    pub(super) async fn answer_on(&self, event: &ReceivedEvent, kept: Option<&KeptCard>, text: &CardText) {
        self.answer(event, kept.and_then(|kept| text.on(event, kept)).as_ref()).await;
    }

    /// Sends a few words to where an event came from.
    pub(super) async fn tell(&self, event: &ReceivedEvent, title: &str, line: &str) {
        let press = &event.press;
        let place = Place::of_presser(event.channel, &press.userid, press.chatid.as_deref());
        let told = Box::pin(place.tell(self.session, title, line)).await;
        if let Some(error) = told.outcome.error {
            self.session
                .observer
                .notice(format!("warning: {} could not be told what became of the press: {error}", press.userid));
        }
    }

    /// Whether the change was made.
    async fn change_aibot(&self, event: &ReceivedEvent, change: &CardChange) -> bool {
        if let Some(reply) = event.reply.take() {
            return reply.send(Acknowledged::Received(Some(change.of_aibot()))).is_ok();
        }
        // One press is good for one change.
        let Some(link) = event.link.take() else { return false };
        match link.respond(&event.press, change.of_aibot()).await {
            Ok(_) => true,
            Err(failure) => {
                let why = explain_connection(&failure, AIBOT_UPDATE);
                self.session.observer.detail(format!("listen: the card could not be changed: {why}"));
                false
            }
        }
    }

    /// Whether the change was made. Each takes a code, and one that was used up elsewhere is of no use.
    async fn change_app(
        &self,
        event: &ReceivedEvent,
        file: &CardFile,
        change: Option<&CardChange>,
        text: &CardText,
    ) -> bool {
        let Ok(_call) = self.calls.acquire().await else { return false };
        loop {
            let code = match file.take_code().await {
                Ok(Some(code)) => code,
                Ok(None) => return false,
                Err(error) => {
                    self.session.observer.notice(format!("warning: {error}"));
                    return false;
                }
            };
            let body = |agent_id| match change {
                Some(change) => change.of_app(agent_id, &code.code),
                None => text.on_button(event, agent_id, &code.code),
            };
            match Box::pin(self.update(body)).await {
                Ok(()) => return true,
                Err(error) if error.answer().is_some_and(|answer| answer.errcode == CODE_USED) => {}
                Err(error) => {
                    let card = &event.press.task_id;
                    let told = format!("warning: the card {card} could not be changed after a press: {error}");
                    self.session.observer.notice(told);
                    // Where it was not used up, a later change can have it.
                    let _ = file.give_back(code).await;
                    return false;
                }
            }
        }
    }

    async fn update(&self, body: impl Fn(Option<i64>) -> Value) -> Result<()> {
        let idle = self.couriers.borrow_mut().pop();
        let mut courier = match idle {
            Some(courier) => courier,
            None => self.courier().await?,
        };
        courier.set_deadline(Instant::now() + TO_UPDATE);
        let body = body(courier.credential_info.agent_id);
        let asked = courier
            .ask(UPDATE_CARD, Purpose::Repeatable, async |client, token| client.update_card(token, &body).await)
            .await;
        // With other credentials than it has, the next one may succeed.
        if asked.is_ok() {
            self.couriers.borrow_mut().push(courier);
        }
        asked.map(drop)
    }

    async fn courier(&self) -> Result<Courier> {
        let mut target = self.session.own_target(Channel::App);
        target.deadline = Instant::now() + TO_UPDATE;
        target.courier(None).await.map(|courier| *courier)
    }
}
