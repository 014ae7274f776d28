//! Sends what the plan of a question says, and takes what became of it into plan and record.

use std::rc::Rc;

use super::escalation::{Delivery, Phase};
use super::record::{CardCode, MOST_CODES, TargetStatus};
use super::waiting::{Happened, Waiting, seen_next};
use super::ways::{WatchedCards, Ways};
use crate::clock::{at_ms, in_ms, wall};
use crate::error::{Error, Result, Status};
use crate::send::{Appearance, Dispatched, Place, PressWay, Session};

/// A card of that id was sent before (document path 90313): an aibot's, and an app's whose id is well formed.
const TASK_ID_USED: [i64; 2] = [846_625, 42_014];

impl Waiting<'_, '_> {
    /// Begins to send to a target.
    pub(super) fn send(&mut self, delivery: Delivery) {
        let Delivery { target, number, .. } = delivery;
        let task_id = self.kept.record.task_id(target, number);
        if number == 0 {
            self.kept.record.targets[target].status = TargetStatus::Sending;
            self.kept.save();
        }
        let has_card = self.plan.escalation.targets()[target].can_answer;
        let [lead, lead_of_plain] = [has_card, false].map(|has_card| self.lead(delivery, has_card));
        let waits = !self.plan.is_detached;
        let (session, draft, ways) = (self.session, self.draft, Rc::clone(&self.ways));
        let (place, card) = (self.plan.places[target].clone(), Rc::clone(&self.cards[target]));
        self.under_way += 1;
        self.jobs.push(Box::pin(async move {
            let (mut watch, mut deaf) = (None, None);
            if has_card {
                match way_of_new_card(session, &ways, &place, number, waits).await {
                    Ok(Some(way)) => watch = ways.hear(target, way, vec![task_id.clone()]).await,
                    Ok(None) => {}
                    Err(error) => deaf = Some(error),
                }
            }
            let has_card = has_card && ways.heard.borrow().contains(&task_id);
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

    /// What became of it is taken into plan and record.
    pub(super) async fn sent(
        &mut self,
        delivery: Delivery,
        dispatched: Dispatched,
        watch: Option<WatchedCards>,
        deaf: Option<Error>,
    ) {
        self.under_way -= 1;
        let Delivery { target, number, .. } = delivery;
        let Dispatched { outcome, warnings, has_card, response_code } = dispatched;
        let name = self.plan.names[target].clone();
        // What was said when it was read is not said again for each card.
        let said = &self.session.warnings;
        let news: Vec<_> = warnings.into_iter().filter(|warning| !said.contains(warning)).collect();
        news.into_iter().for_each(|warning| self.warn(format!("{name}: {warning}")));
        self.end.attempts += outcome.attempts;
        let now = self.now();
        let errcode = outcome.answer.as_ref().map(|answer| answer.errcode);
        // Nobody else has cards of this id: an earlier try arrived, and no answer to it came.
        let is_there = errcode.is_some_and(|errcode| TASK_ID_USED.contains(&errcode));
        let is_partial = outcome.status == Status::Partial && !outcome.reached_nobody;
        let is_reached = is_there || is_partial || outcome.exit_code() == 0;
        if is_reached {
            let is_watched = self.ways.heard.borrow().contains(&self.kept.record.task_id(target, number));
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
        recorded.reached_ms = state.reached_at.map(|at| self.kept.record.start_ms.saturating_add(in_ms(at)));
        recorded.card = self.cards[target].get().cloned();
        recorded.codes.extend(response_code.map(|code| CardCode { number, code }));
        let too_many = recorded.codes.len().saturating_sub(MOST_CODES);
        recorded.codes.drain(..too_many);
        self.kept.save();
        // It may have arrived all the same.
        if let Some(watched) = watch {
            if !std::mem::replace(&mut self.watches_others, true) {
                self.watch_others(&watched.way);
            }
            self.jobs.push(Box::pin(seen_next(watched)));
        }
    }
}

/// The way by which presses on a card come back that is about to be sent: a first one is not sent where they cannot. A
/// reminder is: the earlier cards are there, and whoever receives the presses may be back soon.
async fn way_of_new_card(
    session: &Session<'_>,
    ways: &Ways,
    place: &Place,
    number: u32,
    waits: bool,
) -> Result<Option<PressWay>> {
    let way = ways.of(session, place).await?;
    if let (Some(way), 0) = (&way, number) {
        way.check(waits).await?;
    }
    Ok(way)
}
