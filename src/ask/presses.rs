//! What a press on a card does: it is judged, and answered on the card.

use std::rc::Rc;

use super::answer::{Answerer, RecordedAnswer};
use super::card::{closed, form_of, only_for};
use super::deliver::{PressDelivery, deliver};
use super::log::log_press;
use super::people;
use super::question::{Presser, Verdict};
use super::record::State;
use super::sealed_press::SealedPress;
use super::task_id::TaskId;
use super::waiting::{Happened, Waiting};
use super::ways::WatchedCards;
use crate::api::aibot::Press;
use crate::clock::now_ms;
use crate::message::card::{CardChange, with_line};
use crate::send::PressWay;

impl Waiting<'_, '_> {
    /// Somebody pressed on a card that no process waits for.
    pub(super) fn press_of_another(&mut self, press: Press, watched: &WatchedCards) {
        let (state, way, decline) = (self.session.state(), watched.way.clone(), watched.watch.decline());
        let shared = self.session.shared_state();
        self.under_way += 1;
        self.jobs.push(Box::pin(async move {
            let delivered = match state {
                Some(state) => deliver(&state, shared.as_ref(), &way.login, &press).await,
                None => PressDelivery::NotAQuestion,
            };
            match delivered {
                PressDelivery::Late(Some(change)) => drop(way.respond(&press, &change).await),
                PressDelivery::Kept | PressDelivery::NotKept(_) => {}
                PressDelivery::Late(None) | PressDelivery::NotAQuestion => decline(press),
            }
            // Nobody here can do anything about it.
            Happened::Answered { ends: None, answered: Ok(()) }
        }));
    }

    /// Asks who is behind an encrypted id. Other presses are taken meanwhile.
    pub(super) fn translate(&mut self, press: Press, way: &PressWay) {
        let (session, way) = (self.session, way.clone());
        self.under_way += 1;
        self.jobs.push(Box::pin(async move {
            let plain = people::plain_id(session, &press.userid).await;
            Happened::Pressed { press: Box::new(press), plain, way, seal: None }
        }));
    }

    /// Takes a press that a `listen` has put on disk, if the credential of its card has sealed it.
    pub(super) fn press_from_disk(&mut self, SealedPress { press, seal }: SealedPress) {
        if !self.seen.insert(seal.clone()) {
            return;
        }
        let Some(target) = self.kept.record.target_of(&press.task_id) else { return };
        let (session, ways, place) = (self.session, Rc::clone(&self.ways), self.plan.places[target].clone());
        let needs_plain_id = press.response_code.is_empty() && self.kept.record.question.needs_plain_id(&press.userid);
        self.under_way += 1;
        self.jobs.push(Box::pin(async move {
            let way = ways.of(session, &place).await.ok().flatten();
            let sealed = SealedPress { press, seal };
            let Some(way) = way.filter(|way| sealed.is_of(|parts| way.login.seal(parts))) else {
                return Happened::Answered { ends: None, answered: Ok(()) };
            };
            let SealedPress { press, seal } = sealed;
            let plain = if needs_plain_id { people::plain_id(session, &press.userid).await } else { None };
            Happened::Pressed { press: Box::new(press), plain, way, seal: Some(seal) }
        }));
    }

    /// A card says how the question ended. It may be the last one of its target that does not.
    pub(super) fn is_changed(&mut self, card: &TaskId) {
        let codes = &mut self.kept.record.targets[card.target].codes;
        codes.retain(|code| code.number != card.number);
        if codes.is_empty() {
            self.changed.insert(card.target);
        }
    }

    /// Somebody pressed something on a card of this question. `plain` is their userid where that of the press is encrypted.
    pub(super) async fn press(&mut self, press: &Press, plain: Option<&str>, way: &PressWay, seal: Option<String>) {
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
        let judged = self.kept.file().cloned().zip(seal);
        self.jobs.push(Box::pin(async move {
            logging.await;
            if let Some((file, seal)) = judged {
                // A press that stays there is judged again by who takes the question up.
                let _ = file.forget_press(seal).await;
            }
            Happened::Answered { ends: None, answered: Ok(()) }
        }));
        let words = self.words();
        let Some(card) = self.cards[target].get() else { return };
        let form = form_of(press);
        let in_vain = |line: &str| CardChange { card: with_line(card, form, line), only_for: only_for(press) };
        let (change, is_end) = match (self.kept.record.end_line(words), verdict) {
            (Some(line), _) => {
                let card = closed(card, form, &line, &self.kept.record, words);
                (CardChange { card, only_for: None }, true)
            }
            (None, Verdict::NotAllowed) => (in_vain(&(words.not_theirs)(userid)), false),
            (None, _) => (in_vain(words.says_nothing), false),
        };
        let ends = TaskId::read(&press.task_id).filter(|_| is_end);
        let (way, press) = (way.clone(), press.clone());
        self.under_way += 1;
        self.jobs.push(Box::pin(async move {
            let answered = way.respond(&press, &change).await.map_err(|error| error.to_string());
            Happened::Answered { ends, answered }
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
