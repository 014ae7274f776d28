//! How a participant talks to the holder: what it asks and watches goes out, and what it hears is handed to whoever waits here.

use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use tokio::time::{sleep_until, timeout};

use super::{Handed, Participant};
use crate::aibot::FORGED;
use crate::aibot::failure::{CallFailure, ErrorDetails};
use crate::aibot::greeting::Talk;
use crate::aibot::order::{CardWatch, Coverage, PendingCall, Seen};
use crate::aibot::protocol::{AibotRequest, BEAT, LONGEST_LINE, SILENCE, ToClient, ToHolder, Unreadable, line};
use crate::api::aibot::Press;
use crate::blocking::task;
use crate::clock::{in_ms, now_ms};
use crate::error::{Error, Status};
use crate::sort;

/// How long what is said last may take on the way to another machine.
const TO_SAY_GOODBYE: Duration = Duration::from_millis(300);

impl Participant {
    /// Talks to the holder until that ends, or nothing is left to do here.
    pub(super) async fn talk(&mut self, talk: Talk) {
        let Talk { mut lines, writer, is_far } = talk;
        let (to_holder, to_write) = mpsc::unbounded_channel();
        self.to_holder = Some(to_holder);
        let mut writing = tokio::spawn(task(writer.write_all(to_write)));
        let mut beat = tokio::time::interval(BEAT);
        for watched in std::mem::take(&mut self.watches) {
            self.say_watch(&watched);
            self.watches.push(watched);
        }
        let mut heard_at = Instant::now();
        let is_silent = loop {
            while let Some(asked) = self.waiting.pop_front() {
                self.hand_over(asked);
            }
            if self.is_over || (!self.leaving.is_empty() && !self.has_work()) {
                break false;
            }
            tokio::select! {
                biased;
                heard = lines.next::<ToClient>(LONGEST_LINE) => match heard {
                    Ok(heard) => {
                        heard_at = Instant::now();
                        self.hear(heard);
                    }
                    Err(Unreadable::Forged) => {
                        self.warn(FORGED.to_owned());
                        break false;
                    }
                    Err(Unreadable::Failed) => {
                        self.all_may_have_begun();
                        break false;
                    }
                    Err(Unreadable::Ended | Unreadable::Garbage(_)) => break false,
                },
                _ = &mut writing, if is_far => {
                    self.all_may_have_begun();
                    break false;
                }
                _ = beat.tick(), if is_far => drop(self.say(&ToHolder::Beat)),
                order = self.next_order() => order.into_iter().for_each(|order| self.take(order)),
                () = sleep_until((heard_at + SILENCE).into()) => break true,
            }
        };
        self.to_holder = None;
        // A holder that went on meanwhile could begin what is asked of the next one too.
        let may_say_goodbye = is_far && self.handed.is_empty();
        if may_say_goodbye && !writing.is_finished() {
            let _ = timeout(TO_SAY_GOODBYE, &mut writing).await;
        }
        if !writing.is_finished() {
            writing.abort();
            let _ = writing.await;
        }
        drop(lines);
        if is_silent {
            self.bot
                .observer
                .detail("the process that holds the aibot's connection says nothing any more: it is stopped, or hangs");
        }
        self.talk_ended();
    }

    /// What the holder said of the requests that it has may be lost.
    fn all_may_have_begun(&mut self) {
        self.handed.values_mut().for_each(|handed| handed.has_begun = true);
    }

    /// What the holder has not begun to do, the next one does.
    fn talk_ended(&mut self) {
        let mut handed: Vec<_> = self.handed.drain().collect();
        sort::sort_by_key(&mut handed, |(id, _)| std::cmp::Reverse(*id));
        for (_, Handed { asked, has_begun }) in handed {
            if has_begun {
                let what = "the request went out, but the process that holds the aibot's connection ended before the answer came";
                asked.fail(CallFailure::Silent { what: what.to_owned(), limit: None });
            } else {
                self.waiting.push_front(asked);
            }
        }
        self.uncovered(now_ms());
        // This process's own one does not end the talk while it is well.
        drop(self.holder.take_if(|_| !self.is_over && self.leaving.is_empty()));
    }

    fn uncovered(&mut self, at_ms: u64) {
        for watched in &mut self.watches {
            if watched.coverage == Coverage::Covered {
                watched.coverage = Coverage::Since(at_ms);
                watched.tell(Seen::Down);
            }
        }
    }

    fn hand_over(&mut self, asked: PendingCall) {
        let id = self.next_id;
        self.next_id += 1;
        let left = asked.until.saturating_duration_since(Instant::now());
        let request = AibotRequest {
            id,
            req_id: asked.req_id.clone(),
            cmd: asked.cmd.clone(),
            body: asked.body.clone(),
            until_ms: now_ms().saturating_add(in_ms(left)),
            timeout_ms: in_ms(asked.timeout),
        };
        if self.say(&ToHolder::Request(request)) {
            self.handed.insert(id, Handed { asked, has_begun: false });
        } else {
            let error = Error::new(Status::Refused, "the request is too large for the aibot's connection");
            asked.fail(CallFailure::Setup(ErrorDetails::from(&error)));
        }
    }

    /// Tells the holder, if there is one; `false` for what is too long.
    pub(super) fn say(&self, said: &ToHolder) -> bool {
        let Some(line) = line(said) else { return false };
        self.to_holder.iter().for_each(|to_holder| drop(to_holder.send(line.clone())));
        true
    }

    pub(super) fn say_watch(&self, watched: &CardWatch) {
        if !watched.task_ids.is_empty() {
            self.say(&ToHolder::Watch { task_ids: watched.task_ids.clone() });
        }
        if watched.others {
            self.say(&ToHolder::Others(true));
        }
        if watched.messages {
            self.say(&ToHolder::Messages(true));
        }
    }

    fn hear(&mut self, heard: ToClient) {
        match heard {
            ToClient::Welcome { process, up_since_ms } => {
                if self.holder.is_none() {
                    self.bot.observer.detail(format!("process {process} holds the connection of the aibot"));
                }
                if up_since_ms.is_some() {
                    self.covered(now_ms());
                }
            }
            ToClient::Began { id } => {
                self.handed.get_mut(&id).into_iter().for_each(|handed| handed.has_begun = true);
            }
            ToClient::Answered { id, reply } => {
                if let Some(handed) = self.handed.remove(&id) {
                    drop(handed.asked.answer.send(Ok(reply.into())));
                }
            }
            ToClient::Failed { id, failure } => {
                if let Some(handed) = self.handed.remove(&id) {
                    handed.asked.fail(failure);
                }
            }
            ToClient::Press(press) => self.hand_out(&press),
            ToClient::Message(message) => {
                let reader = self.watches.iter().find(|watched| watched.messages);
                reader.into_iter().for_each(|reader| reader.tell(Seen::Message(Box::new(message.clone()))));
            }
            ToClient::Up { at_ms } => self.covered(at_ms),
            ToClient::Down { at_ms } => self.uncovered(at_ms),
            ToClient::Lost(failure) => self.lose(|_| true, &failure.as_error()),
            ToClient::Notice(notice) => self.warn(notice),
            ToClient::Beat => {}
        }
    }

    fn covered(&mut self, at_ms: u64) {
        for watched in &mut self.watches {
            if let Coverage::Since(from_ms) = watched.coverage {
                watched.tell(Seen::Gap { from_ms, to_ms: at_ms.max(from_ms) });
            }
            watched.coverage = Coverage::Covered;
        }
    }

    fn hand_out(&self, press: &Press) {
        let is_watched = |watched: &&CardWatch| watched.task_ids.contains(&press.task_id);
        let mut watches: Vec<_> = self.watches.iter().filter(is_watched).collect();
        if watches.is_empty() {
            watches.extend(self.watches.iter().find(|watched| watched.others));
        }
        watches.into_iter().for_each(|watched| watched.tell(Seen::Press(Box::new(press.clone()))));
    }
}
