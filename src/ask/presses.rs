//! What a press on a card does: it is judged, and answered on the card.

use super::answer::{Answerer, RecordedAnswer};
use super::card::{closed, form_of, only_for};
use super::late;
use super::log::log_press;
use super::people;
use super::question::{Presser, Verdict};
use super::record::State;
use super::waiting::{Happened, Waiting};
use super::ways::WatchedCards;
use crate::aibot::Link;
use crate::api::aibot::Press;
use crate::clock::now_ms;
use crate::delivery::explain_connection;
use crate::message::card::{CardChange, with_line};

impl Waiting<'_, '_> {
    /// Somebody pressed on a card that no process waits for.
    pub(super) fn press_of_another(&mut self, press: Press, watched: &WatchedCards) {
        let (state, link, decline) = (self.session.state(), watched.link.clone(), watched.watch.decline());
        self.under_way += 1;
        self.jobs.push(Box::pin(async move {
            let told = async {
                let Some(change) = late::reply(&state?, &press).await else {
                    decline(press);
                    return None;
                };
                link.respond(&press, change.of_aibot()).await.ok()
            };
            told.await;
            // Nobody here can do anything about it.
            Happened::Answered { target: None, answered: Ok(()) }
        }));
    }

    /// Asks who is behind an encrypted id. Other presses are taken meanwhile.
    pub(super) fn translate(&mut self, press: Press, link: &Link) {
        let (session, link) = (self.session, link.clone());
        self.under_way += 1;
        self.jobs.push(Box::pin(async move {
            let userid = people::plain_id(session, &press.userid).await;
            Happened::Translated { press: Box::new(press), userid, link }
        }));
    }

    /// Somebody pressed something on a card of this question. `plain` is their userid where that of the press is encrypted.
    pub(super) async fn press(&mut self, press: &Press, plain: Option<&str>, link: &Link) {
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
        let form = form_of(press);
        let in_vain = |line: &str| CardChange { card: with_line(card, form, line), only_for: only_for(press) };
        let (change, is_end) = match (self.kept.record.end_line(words), verdict) {
            (Some(line), _) => {
                let card = closed(card, form, &line, &self.kept.record.state, words);
                (CardChange { card, only_for: None }, true)
            }
            (None, Verdict::NotAllowed) => (in_vain(&(words.not_theirs)(userid)), false),
            (None, _) => (in_vain(words.says_nothing), false),
        };
        let (link, press) = (link.clone(), press.clone());
        self.under_way += 1;
        self.jobs.push(Box::pin(async move {
            let answered = link.respond(&press, change.of_aibot()).await;
            let answered = answered.map(drop).map_err(|failure| explain_connection(&failure).to_string());
            Happened::Answered { target: is_end.then_some(target), answered }
        }));
    }

    fn answer(&self, press: &Press, who: Presser<'_>, target: usize, key: &str, options: &[String]) -> RecordedAnswer {
        let at_ms = u64::try_from(press.at)
            .ok()
            .filter(|at| *at > 0)
            .map_or_else(now_ms, |seconds| seconds.saturating_mul(1000));
        let mut answer = RecordedAnswer {
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
        answer.seal = (self.seal)(&self.kept.record.sealed_parts(&answer));
        answer
    }
}
