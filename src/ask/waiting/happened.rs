//! What ends or comes while a question waits, and what each of it does to the question.

use super::Waiting;
use crate::aibot::Seen;
use crate::api::aibot::Press;
use crate::ask::escalation::Delivery;
use crate::ask::task_id::TaskId;
use crate::ask::ways::WatchedCards;
use crate::clock::{at_ms, wall_seconds};
use crate::error::Error;
use crate::send::{Dispatched, PressWay};

/// Something that ended or came.
pub(in crate::ask) enum Happened {
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

impl Waiting<'_, '_> {
    pub(in crate::ask) async fn take(&mut self, happened: Happened) {
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
}

pub(in crate::ask) async fn seen_next(watched: WatchedCards) -> Happened {
    let (watched, seen) = watched.next().await;
    Happened::Seen { watched, seen }
}
