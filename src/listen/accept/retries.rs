//! A sender that hung up before the answer asks again with the same request. It gets the answer to the first one then, and
//! nobody gets the alert a second time. Pure but for the clock of answers.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::AlertOrigin;
use crate::delivery::Accounts;
use crate::listen::server::Answered;

/// How long an answer is kept that nobody heard. Senders try again after minutes: Alertmanager and Grafana after a
/// group_interval, 5 minutes by default.
const KEPT: Duration = Duration::from_secs(15 * 60);

/// So many of them are kept.
const MOST_KEPT: usize = 1024;

/// The fingerprint of a request: its path and body.
pub(super) type Print = String;

/// The alerts that are being sent, and the answers that nobody heard.
#[derive(Default)]
pub(super) struct Retries {
    running: RefCell<Vec<Rc<Running>>>,
    unheard: RefCell<VecDeque<(Print, Answered, Instant)>>,
}

/// An alert that is being sent.
pub(super) struct Running {
    print: Print,
    pub(super) origin: AlertOrigin,
    /// How far it has come.
    pub(super) accounts: Accounts,
    /// Whether it must not arrive twice.
    pub(super) at_most_once: Cell<bool>,
    /// Where the answer goes: to the first sender and to its retries.
    replies: RefCell<Vec<oneshot::Sender<Answered>>>,
    /// The answer that was given before the end.
    early: RefCell<Option<Answered>>,
}

impl Retries {
    /// Begins with a request, unless it is the retry of another one, whose answer it gets.
    ///
    /// Two that wait at the same time are two alerts: only a sender that hung up asks again.
    pub(super) fn begin(
        &self,
        print: Print,
        origin: AlertOrigin,
        reply: oneshot::Sender<Answered>,
    ) -> Option<Rc<Running>> {
        let running = self.running.borrow().iter().find(|its| its.print == print && its.is_left()).cloned();
        if let Some(running) = running {
            let Some(early) = running.early.take() else {
                running.replies.borrow_mut().push(reply);
                return None;
            };
            if reply.send(early.clone()).is_err() {
                running.early.replace(Some(early));
            }
            return None;
        }
        let mut unheard = self.unheard.borrow_mut();
        unheard.retain(|(.., at)| at.elapsed() < KEPT);
        if let Some(index) = unheard.iter().position(|(its, ..)| *its == print)
            && let Some((print, answered, at)) = unheard.remove(index)
        {
            if reply.send(answered.clone()).is_err() {
                unheard.push_back((print, answered, at));
            }
            return None;
        }
        let running = Running {
            print,
            origin,
            accounts: Accounts::default(),
            at_most_once: Cell::default(),
            replies: RefCell::new(vec![reply]),
            early: RefCell::default(),
        };
        let running = Rc::new(running);
        self.running.borrow_mut().push(Rc::clone(&running));
        Some(running)
    }

    /// What is being sent.
    pub(super) fn running(&self) -> Vec<Rc<Running>> {
        self.running.borrow().clone()
    }

    /// Ends with the answer. One that nobody heard is kept if it says that the alert was taken.
    pub(super) fn end(&self, running: &Rc<Running>, answered: Answered) {
        let is_heard = running.answer(&answered);
        self.running.borrow_mut().retain(|its| !Rc::ptr_eq(its, running));
        if !is_heard && answered.status.is_success() {
            let mut unheard = self.unheard.borrow_mut();
            if unheard.len() >= MOST_KEPT {
                unheard.pop_front();
            }
            unheard.push_back((running.print.clone(), answered, Instant::now()));
        }
    }
}

impl Running {
    /// Answers before the end, because the alert is safe.
    pub(super) fn answer_early(&self, answered: Answered) {
        if !self.answer(&answered) {
            // Whoever asks again hears it.
            *self.early.borrow_mut() = Some(answered);
        }
    }

    /// Returns whether somebody heard it, now or before.
    fn answer(&self, answered: &Answered) -> bool {
        let replies = std::mem::take(&mut *self.replies.borrow_mut());
        if replies.is_empty() {
            // Answered early, and heard or kept.
            return self.early.borrow().is_none();
        }
        // All of them are told, whoever of them hears it.
        let heard: Vec<bool> = replies.into_iter().map(|reply| reply.send(answered.clone()).is_ok()).collect();
        heard.contains(&true)
    }

    /// Whether nobody waits for the answer any more, or has heard it.
    fn is_left(&self) -> bool {
        let replies = self.replies.borrow();
        match replies.is_empty() {
            true => self.early.borrow().is_some(),
            false => replies.iter().all(oneshot::Sender::is_closed),
        }
    }
}

#[cfg(test)]
mod tests {
    use hyper::StatusCode;

    use super::*;

    fn begin(retries: &Retries, print: &str, reply: oneshot::Sender<Answered>) -> Option<Rc<Running>> {
        let origin = AlertOrigin { target: "ops".parse().unwrap(), request: String::new() };
        retries.begin(print.into(), origin, reply)
    }

    fn answered(status: StatusCode) -> Answered {
        Answered::new(status, "told")
    }

    #[test]
    fn who_hung_up_and_asks_again_gets_the_answer_once() {
        let retries = Retries::default();
        let (first, heard) = oneshot::channel();
        let running = begin(&retries, "a", first).unwrap();
        drop(heard);
        // While it is under way.
        let (second, heard) = oneshot::channel();
        assert!(begin(&retries, "a", second).is_none());
        drop(heard);
        retries.end(&running, answered(StatusCode::OK));
        // After its end.
        let (third, mut heard) = oneshot::channel();
        assert!(begin(&retries, "a", third).is_none());
        assert_eq!(heard.try_recv().unwrap(), answered(StatusCode::OK));
        // From then on it is another alert.
        let (fourth, _heard) = oneshot::channel();
        assert!(begin(&retries, "a", fourth).is_some());
    }

    #[test]
    fn the_same_from_two_who_wait_is_two_alerts() {
        let retries = Retries::default();
        let ((first, mut one), (second, mut two)) = (oneshot::channel(), oneshot::channel());
        let (first, second) = (begin(&retries, "a", first).unwrap(), begin(&retries, "a", second).unwrap());
        retries.end(&first, answered(StatusCode::OK));
        retries.end(&second, answered(StatusCode::ACCEPTED));
        assert_eq!(
            (one.try_recv().unwrap().status, two.try_recv().unwrap().status),
            (StatusCode::OK, StatusCode::ACCEPTED)
        );
        // Nobody hung up.
        let (third, _heard) = oneshot::channel();
        assert!(begin(&retries, "a", third).is_some());
    }

    #[test]
    fn what_failed_is_tried_anew() {
        let retries = Retries::default();
        let (first, heard) = oneshot::channel();
        let running = begin(&retries, "a", first).unwrap();
        drop(heard);
        retries.end(&running, answered(StatusCode::SERVICE_UNAVAILABLE));
        let (second, _heard) = oneshot::channel();
        assert!(begin(&retries, "a", second).is_some());
    }

    #[test]
    fn an_early_answer_is_the_answer() {
        let retries = Retries::default();
        let (first, mut heard) = oneshot::channel();
        let running = begin(&retries, "a", first).unwrap();
        running.answer_early(answered(StatusCode::ACCEPTED));
        assert_eq!(heard.try_recv().unwrap().status, StatusCode::ACCEPTED);
        // Heard: the same request is another alert.
        let (second, _heard) = oneshot::channel();
        assert!(begin(&retries, "a", second).is_some());
        retries.end(&running, answered(StatusCode::OK));
        let (third, heard) = oneshot::channel();
        let running = begin(&retries, "b", third).unwrap();
        drop(heard);
        running.answer_early(answered(StatusCode::ACCEPTED));
        let (fourth, mut heard) = oneshot::channel();
        assert!(begin(&retries, "b", fourth).is_none());
        assert_eq!(heard.try_recv().unwrap().status, StatusCode::ACCEPTED);
    }
}
