//! How the waiting for a question ends: what is under way, and who is still to be told.

use std::rc::Rc;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use futures_util::future::join_all;

use super::answer::Answerer;
use super::card::closed;
use super::people;
use super::record::State;
use super::waiting::{Happened, Waiting};
use super::ways::Ways;
use crate::config::Output;
use crate::message::card::{CardChange, Form};
use crate::send::{Place, Session};

/// When, from the end on, what is under way is waited for no more, nor that everybody else is told, nor that the connection is
/// handed over: a script waits for this process.
const TO_END: Duration = Duration::from_secs(2);
const TO_TELL: Duration = Duration::from_secs(4);
const TO_LEAVE: Duration = Duration::from_secs(5);

impl Waiting<'_, '_> {
    /// Ends what is under way, and tells everybody whose card does not say how it ended.
    pub(super) async fn settle(&mut self) {
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
            let telling = join_all(self.to_be_told().into_iter().map(|(name, place, changes)| {
                let (session, title, line) = (self.session, self.kept.record.title.clone(), line.clone());
                let ways = Rc::clone(&self.ways);
                async move {
                    let error = match are_changed(session, &ways, &place, changes).await {
                        true => None,
                        false => place.tell(session, &title, &line).await.outcome.error,
                    };
                    (name, error)
                }
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
        if self.end.stopped.is_some() && self.is_open() && self.record().plan.is_some() {
            let way = self.ways.of(self.session, &self.plan.places[0]);
            self.end.goes_on = match tokio::time::timeout_at((ended + TO_LEAVE).into(), way).await {
                Ok(Ok(Some(way))) => way.check(false).await.is_ok(),
                _ => false,
            };
        }
        self.tell_trouble();
        self.jobs.clear();
        let _ = tokio::time::timeout_at((ended + TO_LEAVE).into(), self.ways.leave()).await;
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

    /// Those who have the question, or asked to be told, and do not see its end on their card; with the changes of their cards
    /// that can be made without a press.
    fn to_be_told(&self) -> Vec<(String, Place, CodedChanges)> {
        let is_answered = matches!(self.kept.record.state, State::Answered(_));
        let states = self.plan.escalation.targets().iter().enumerate();
        let asked = states.filter(|(index, state)| {
            let has_card = self.cards[*index].get().is_some();
            state.reached_at.is_some() && !self.changed.contains(index) && (is_answered || has_card)
        });
        let asked = asked
            .map(|(index, _)| (self.plan.names[index].clone(), self.plan.places[index].clone(), self.changes(index)));
        let profile = self.session.settings.profile.as_deref();
        let others = self.plan.tell.iter().filter(|_| is_answered);
        let others = others.map(|place| (place.shown(profile), place.clone(), Vec::new()));
        let mut told: Vec<(String, Place, CodedChanges)> = asked.collect();
        for other in others {
            // Who was asked too is told once.
            if !told.iter().any(|(known, ..)| *known == other.0) {
                told.push(other);
            }
        }
        told
    }

    /// The changes of the cards of a target, each with its code.
    fn changes(&self, target: usize) -> CodedChanges {
        let (record, words) = (&self.kept.record, self.words());
        let (Some(card), Some(line)) = (self.cards[target].get(), record.end_line(words)) else { return Vec::new() };
        let change = CardChange { card: closed(card, Form::App, &line, record, words), only_for: None };
        record.targets[target].codes.iter().map(|code| (code.code.clone(), change.clone())).collect()
    }
}

/// Changes of cards, each with the code by which it is made.
type CodedChanges = Vec<(String, CardChange)>;

/// Changes the cards of a place; whether all of them say now how the question ended.
async fn are_changed(session: &Session<'_>, ways: &Ways, place: &Place, changes: CodedChanges) -> bool {
    let Ok(Some(way)) = ways.of(session, place).await else { return false };
    let mut are_changed = !changes.is_empty();
    for (code, change) in changes {
        are_changed &= way.change(&code, &change).await.is_ok();
    }
    are_changed
}
