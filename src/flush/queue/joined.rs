//! Delivers alerts that were joined: several entries go out as one message, and are settled by its outcome.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use super::{Flush, target_of};
use crate::blocking::{off_loop, to_the_end};
use crate::clock;
use crate::delivery::{Outcome, RetryPolicy};
use crate::error::{Result, Status};
use crate::flush::digest::{Pack, is_in, packs};
use crate::message::Part;
use crate::outbox::ClaimedEntry;
use crate::send::PeopleMessage;

impl Flush<'_, '_> {
    /// Delivers what can be joined, and takes it out of the queue. What WeCom refuses together goes out one by one.
    pub(super) async fn deliver_digests(&mut self, queue: &mut VecDeque<String>) {
        let (outbox, ids) = (Arc::clone(&self.outbox), Vec::from_iter(queue.iter().cloned()));
        let Ok(packs) = off_loop(move || packs(&outbox, &ids, target_of)).await else { return };
        for pack in packs {
            if Instant::now() >= self.deadline {
                return;
            }
            let first = pack.ids.first().cloned().unwrap_or_default();
            let done = match self.deliver_pack(pack).await {
                Ok(done) => done,
                Err(error) => {
                    self.report.has_news = true;
                    self.report.stayed.push(format!("{first}: {error}"));
                    vec![first]
                }
            };
            queue.retain(|id| !done.contains(id));
        }
    }

    /// Delivers alerts as one message, and removes them once WeCom took it. Returns the ids of those that are settled.
    async fn deliver_pack(&mut self, pack: Pack) -> Result<Vec<String>> {
        let (outbox, ids) = (Arc::clone(&self.outbox), pack.ids.clone());
        let claiming = move || ids.iter().map(|id| outbox.claim(id).ok()).collect::<Option<Vec<ClaimedEntry>>>();
        // Where another process is at work on one of them, all go out one by one.
        let Some(claimed) = off_loop(claiming).await? else { return Ok(Vec::new()) };
        let Some(target) = claimed.first().map(|entry| target_of(&entry.alert)) else { return Ok(Vec::new()) };
        let is_as_it_was = |entry: &ClaimedEntry| {
            let parts = entry.parts();
            parts.is_ok_and(|parts| is_in(&pack, &entry.alert, &entry.progress, &target_of(&entry.alert), &parts))
        };
        if self.stuck.contains(&target) || !claimed.iter().all(is_as_it_was) {
            return Ok(Vec::new());
        }
        let parts = vec![Part::message(pack.body.clone())];
        let key = (target, crate::send::agent_id(&parts));
        let (mut target, mut courier) = match self.targets.remove(&key) {
            Some(known) => known,
            None => match self.reach(&claimed[0].alert, key.1).await {
                Ok(reached) => reached,
                // Each of them says why.
                Err(_) => return Ok(Vec::new()),
            },
        };
        let level = claimed.iter().filter_map(|entry| entry.alert.level).max();
        courier.policy = RetryPolicy { level, ..self.policy(&target, &claimed[0].alert) };
        courier.set_deadline(self.deadline);
        let mut account = self.session.accounts.open(target.settings.profile.as_deref(), target.channel);
        let message = PeopleMessage { parts: &parts, people: &[], mark: None };
        let told = target.warnings.len();
        let outcome = message.send(&mut target, &mut courier, &mut account).await;
        self.session.warnings.extend(target.warnings.drain(told..));
        self.targets.insert(key.clone(), (target, courier));
        self.report.attempts += outcome.attempts;
        let reason = outcome.error.as_ref().map_or(String::new(), |error| error.message().to_owned());
        let Some(shortfall) = outcome.shortfall.filter(|_| !outcome.reached_nobody) else {
            return self.settle_pack(claimed, &outcome, &reason).await;
        };
        if shortfall.status == Status::Refused {
            return Ok(Vec::new());
        }
        // Each keeps why it waits; those behind them would fail in the same way.
        let first = pack.ids.first().cloned().unwrap_or_default();
        for mut entry in claimed {
            let mut progress = entry.progress.clone();
            outcome.error.iter().for_each(|error| progress.note(error));
            progress.attempts += outcome.attempts;
            progress.last_attempt_ms = Some(clock::now_ms());
            progress.may_have_arrived |= shortfall.may_have_arrived;
            self.report.has_news |= !progress.fails_like(&entry.progress);
            to_the_end(move || entry.save(progress)).await??;
        }
        self.stuck.insert(key.0);
        self.report.stayed.push(format!("{first}: {reason}"));
        Ok(vec![first])
    }

    /// Removes alerts that were delivered together.
    async fn settle_pack(
        &mut self,
        claimed: Vec<ClaimedEntry>,
        outcome: &Outcome,
        reason: &str,
    ) -> Result<Vec<String>> {
        let mut done = Vec::new();
        for entry in claimed {
            let id = entry.alert.id.clone();
            if let Err(error) = to_the_end(move || entry.done()).await? {
                self.report.partial.push(format!("{id}: it was delivered but cannot be removed: {error}"));
            }
            if outcome.error.is_some() {
                self.report.partial.push(format!("{id}: {reason}"));
            }
            self.report.delivered += 1;
            done.push(id);
        }
        Ok(done)
    }
}
