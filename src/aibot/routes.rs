//! Which client of the holder gets which press: whoever watches its card, else one that takes the others. Pure.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use crate::api::aibot::Press;

/// A client of the holder.
pub(super) type ClientId = u64;

/// After a new holder is there, the clients of the one before come back within this time: whoever takes the presses on
/// unwatched cards must not get theirs.
pub(super) const SETTLING: Duration = Duration::from_secs(2);

/// A press that nobody watches for is kept so long for a watcher that comes late.
const KEPT: Duration = Duration::from_secs(60);

/// So many of them are kept, the latest.
const MOST_KEPT: usize = 256;

/// So many ids of events are remembered: WeCom may send an event twice.
const REMEMBERED: usize = 1024;

/// Who watches what.
#[derive(Debug)]
pub(super) struct Routes {
    watchers: HashMap<String, Vec<ClientId>>,
    /// Those that take the others; the first of them gets one.
    others: VecDeque<ClientId>,
    /// Those that take what is written to the bot; the first of them gets it.
    readers: VecDeque<ClientId>,
    settled: Instant,
    unclaimed: VecDeque<(Instant, Press)>,
    remembered: VecDeque<String>,
}

impl Routes {
    /// Those of a holder that has just begun.
    pub(super) fn new(now: Instant) -> Self {
        Self {
            watchers: HashMap::new(),
            others: VecDeque::new(),
            readers: VecDeque::new(),
            settled: now + SETTLING,
            unclaimed: VecDeque::new(),
            remembered: VecDeque::new(),
        }
    }

    /// Whether anybody waits for presses.
    pub(super) fn is_watched(&self) -> bool {
        !(self.watchers.is_empty() && self.others.is_empty() && self.readers.is_empty())
    }

    /// Who gets this press; nobody for one that came before. What nobody watches for is kept for a while.
    pub(super) fn take(&mut self, press: &Press, now: Instant) -> Vec<ClientId> {
        if self.is_new(&press.msgid) { self.give(press, now) } else { Vec::new() }
    }

    /// Who gets a press that went to a client which has ended before it can have read it.
    pub(super) fn give(&mut self, press: &Press, now: Instant) -> Vec<ClientId> {
        if let Some(watchers) = self.watchers.get(&press.task_id) {
            return watchers.clone();
        }
        if let Some(client) = self.others.front().filter(|_| now >= self.settled) {
            return vec![*client];
        }
        self.forget_old(now);
        self.unclaimed.push_back((now, press.clone()));
        self.unclaimed.drain(..self.unclaimed.len().saturating_sub(MOST_KEPT));
        Vec::new()
    }

    /// Who gets what somebody wrote; nobody for what came before.
    pub(super) fn take_message(&mut self, msgid: &str) -> Option<ClientId> {
        let reader = self.readers.front().copied()?;
        self.is_new(msgid).then_some(reader)
    }

    /// Whether an event did not come before. One without an id is always new.
    fn is_new(&mut self, msgid: &str) -> bool {
        let is_known = self.remembered.iter().any(|known| known == msgid);
        if !is_known && !msgid.is_empty() {
            self.remembered.push_back(msgid.to_owned());
            self.remembered.drain(..self.remembered.len().saturating_sub(REMEMBERED));
        }
        !is_known
    }

    /// A client watches these cards too. Returns what came for them before.
    pub(super) fn watch(&mut self, client: ClientId, task_ids: Vec<String>, now: Instant) -> Vec<Press> {
        self.forget_old(now);
        let (claimed, unclaimed) =
            std::mem::take(&mut self.unclaimed).into_iter().partition(|(_, press)| task_ids.contains(&press.task_id));
        self.unclaimed = unclaimed;
        for task_id in task_ids {
            let watchers = self.watchers.entry(task_id).or_default();
            if !watchers.contains(&client) {
                watchers.push(client);
            }
        }
        Vec::from(claimed).into_iter().map(|(_, press)| press).collect()
    }

    /// A client does not watch these cards any more.
    pub(super) fn unwatch(&mut self, client: ClientId, task_ids: &[String]) {
        for task_id in task_ids {
            if let Some(watchers) = self.watchers.get_mut(task_id) {
                watchers.retain(|watcher| *watcher != client);
            }
        }
        self.watchers.retain(|_, watchers| !watchers.is_empty());
    }

    /// A client takes presses on unwatched cards, or does not any more.
    pub(super) fn take_others(&mut self, client: ClientId, does: bool) {
        self.others.retain(|other| *other != client);
        if does {
            self.others.push_back(client);
        }
    }

    /// A client takes what is written to the bot, or does not any more.
    pub(super) fn read_messages(&mut self, client: ClientId, does: bool) {
        self.readers.retain(|reader| *reader != client);
        if does {
            self.readers.push_back(client);
        }
    }

    /// Who takes presses on unwatched cards after this client.
    pub(super) fn next_other(&self, client: ClientId) -> Option<ClientId> {
        self.others.iter().skip_while(|other| **other != client).nth(1).copied()
    }

    /// What nobody has claimed, and who gets it, once the clients of an earlier holder have come back.
    pub(super) fn settle(&mut self, now: Instant) -> Option<(ClientId, Vec<Press>)> {
        let client = *self.others.front().filter(|_| now >= self.settled)?;
        self.forget_old(now);
        Some((client, std::mem::take(&mut self.unclaimed).into_iter().map(|(_, press)| press).collect()))
    }

    /// A client is gone.
    pub(super) fn remove(&mut self, client: ClientId) {
        self.take_others(client, false);
        self.read_messages(client, false);
        self.watchers.retain(|_, watchers| {
            watchers.retain(|watcher| *watcher != client);
            !watchers.is_empty()
        });
    }

    fn forget_old(&mut self, now: Instant) {
        self.unclaimed.retain(|(came, _)| now.saturating_duration_since(*came) < KEPT);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn press(msgid: &str, task_id: &str) -> Press {
        Press { msgid: msgid.to_owned(), task_id: task_id.to_owned(), ..Press::default() }
    }

    fn ids(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    fn settled() -> (Routes, Instant) {
        let now = Instant::now();
        (Routes::new(now), now + SETTLING)
    }

    #[test]
    fn a_press_goes_to_who_watches_its_card_once() {
        let (mut routes, now) = settled();
        assert!(!routes.is_watched());
        routes.watch(1, ids(&["a", "b"]), now);
        routes.watch(2, ids(&["b"]), now);
        routes.take_others(3, true);
        routes.take_others(4, true);
        assert!(routes.is_watched());
        assert_eq!(routes.take(&press("m1", "a"), now), [1]);
        assert_eq!(routes.take(&press("m2", "b"), now), [1, 2]);
        assert_eq!(routes.take(&press("m3", "c"), now), [3]);
        assert_eq!([3, 4, 1].map(|client| routes.next_other(client)), [Some(4), None, None]);
        for (msgid, task_id) in [("m1", "a"), ("m2", "b"), ("m3", "c")] {
            assert!(routes.take(&press(msgid, task_id), now).is_empty(), "it came before");
        }
        assert_eq!((routes.take(&press("", "a"), now), routes.take(&press("", "a"), now)), (vec![1], vec![1]));
        routes.unwatch(1, &ids(&["b"]));
        assert_eq!(routes.take(&press("m4", "b"), now), [2]);
        routes.remove(2);
        routes.remove(3);
        assert_eq!(routes.take(&press("m5", "b"), now), [4]);
        routes.take_others(4, false);
        routes.unwatch(1, &ids(&["a"]));
        assert!(!routes.is_watched());
    }

    #[test]
    fn a_press_waits_for_a_watcher_that_comes_late() {
        let (mut routes, now) = settled();
        let kept = |routes: &mut Routes, number: &str| assert!(routes.take(&press(number, number), now).is_empty());
        kept(&mut routes, "a");
        kept(&mut routes, "b");
        assert_eq!(routes.watch(1, ids(&["a"]), now), [press("a", "a")]);
        assert!(routes.watch(2, ids(&["a"]), now).is_empty(), "it is taken");
        assert!(routes.watch(1, ids(&["b"]), now + KEPT).is_empty(), "it is old");
        for number in 0..1000 {
            kept(&mut routes, &format!("c{number}"));
        }
        assert!(routes.watch(1, ids(&["c743"]), now).is_empty() && routes.unclaimed.len() == MOST_KEPT);
        assert_eq!(routes.watch(1, ids(&["c744"]), now).len(), 1);
    }

    #[test]
    fn clients_of_an_earlier_holder_come_back_before_the_others_are_given_away() {
        let begun = Instant::now();
        let mut routes = Routes::new(begun);
        routes.take_others(1, true);
        assert!(routes.take(&press("m1", "a"), begun).is_empty());
        assert!(routes.take(&press("m2", "b"), begun).is_empty());
        assert_eq!(routes.settle(begun), None);
        assert_eq!(routes.watch(2, ids(&["a"]), begun), [press("m1", "a")]);
        assert_eq!(routes.settle(begun + SETTLING), Some((1, vec![press("m2", "b")])));
        assert_eq!(routes.take(&press("m3", "c"), begun + SETTLING), [1]);
    }
}
