//! When an aibot whose connection another program took over may be subscribed again. Never is there a war: after a pause
//! there is one new try, and only a few an hour, counted for all processes of the machine. Pure but for its file.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::clock::in_ms;
use crate::sort;

/// How long the other program is left alone.
pub(super) const PAUSE: Duration = Duration::from_secs(60);

/// So many new tries in a period.
const TRIES: usize = 6;

const PERIOD: Duration = Duration::from_secs(3600);

/// So many ends within [`PAUSE`] of which nobody says why are no accident: another program takes the connection over.
const MOST_UNTOLD: usize = 2;

/// What is kept of kicks. All times are in Unix milliseconds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Kicks {
    /// When it was last kicked, as long as no try has followed.
    kicked_ms: Option<u64>,
    /// When it was tried again.
    tries_ms: Vec<u64>,
    /// When it ended as after a takeover of which nothing was said.
    #[serde(default)]
    untold_ms: Vec<u64>,
}

/// When it may be subscribed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MaySubscribe {
    Now,
    /// Not before that, in Unix milliseconds.
    At(u64),
    /// The same, and that is so long because all tries of the period are used up.
    UsedUpUntil(u64),
}

impl Kicks {
    /// Takes note of a kick.
    pub(super) fn kicked(&mut self, now_ms: u64) {
        self.kicked_ms = Some(now_ms);
        self.untold_ms.clear();
    }

    /// Takes note of an end that may have been a kick. Several in a row are taken for one.
    pub(super) fn untold(&mut self, now_ms: u64) {
        self.untold_ms.push(now_ms);
        self.untold_ms.retain(|at| now_ms.saturating_sub(*at) < in_ms(PAUSE));
        if self.untold_ms.len() > MOST_UNTOLD {
            self.kicked(now_ms);
        }
    }

    /// Takes what lies in the future, since the clock was set back, for now: nobody waits for longer than the pause.
    /// Returns whether that is to be kept.
    pub(super) fn clamp(&mut self, now_ms: u64) -> bool {
        let all = self.kicked_ms.iter_mut().chain(&mut self.tries_ms).chain(&mut self.untold_ms);
        let later: Vec<_> = all.filter(|at| **at > now_ms).collect();
        let is_changed = !later.is_empty();
        later.into_iter().for_each(|at| *at = now_ms);
        is_changed
    }

    /// Takes note of a subscription; returns whether that is a new try, and to be kept.
    pub(super) fn subscribing(&mut self, now_ms: u64) -> bool {
        if self.kicked_ms.take().is_none() {
            return false;
        }
        self.tries_ms = self.counted(now_ms);
        self.tries_ms.push(now_ms);
        true
    }

    pub(super) fn may_subscribe(&self, now_ms: u64) -> MaySubscribe {
        let Some(kicked_ms) = self.kicked_ms else { return MaySubscribe::Now };
        let after_pause = kicked_ms.saturating_add(in_ms(PAUSE));
        let counted = self.counted(now_ms);
        match counted.len().checked_sub(TRIES).and_then(|first| counted.get(first)) {
            Some(oldest) => MaySubscribe::UsedUpUntil(oldest.saturating_add(in_ms(PERIOD)).max(after_pause)),
            None if after_pause > now_ms => MaySubscribe::At(after_pause),
            None => MaySubscribe::Now,
        }
    }

    /// The tries of the last period.
    fn counted(&self, now_ms: u64) -> Vec<u64> {
        let since = now_ms.saturating_sub(in_ms(PERIOD));
        let mut counted: Vec<u64> = self.tries_ms.iter().copied().filter(|at| *at > since).collect();
        sort::sort(&mut counted);
        counted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: u64 = 3_600_000;

    #[test]
    fn after_a_kick_there_is_one_try_after_a_pause() {
        let (mut kicks, now) = (Kicks::default(), 10 * HOUR);
        assert_eq!(kicks.may_subscribe(now), MaySubscribe::Now);
        assert!(!kicks.subscribing(now), "nothing is kept where nobody kicks");
        assert_eq!(kicks, Kicks::default());
        kicks.kicked(now);
        assert_eq!(kicks.may_subscribe(now), MaySubscribe::At(now + 60_000));
        assert_eq!(kicks.may_subscribe(now + 59_999), MaySubscribe::At(now + 60_000));
        assert_eq!(kicks.may_subscribe(now + 60_000), MaySubscribe::Now);
        assert!(kicks.subscribing(now + 60_000));
        assert_eq!(kicks.may_subscribe(now + 60_001), MaySubscribe::Now, "it holds until the next kick");
    }

    #[test]
    fn only_a_few_tries_an_hour() {
        let (mut kicks, start) = (Kicks::default(), 10 * HOUR);
        let mut now = start;
        for number in 0..6 {
            kicks.kicked(now);
            now += 60_000;
            assert_eq!(kicks.may_subscribe(now), MaySubscribe::Now, "{number}");
            assert!(kicks.subscribing(now));
        }
        kicks.kicked(now);
        let free = start + 60_000 + HOUR;
        assert_eq!(kicks.may_subscribe(now), MaySubscribe::UsedUpUntil(free));
        assert_eq!(kicks.may_subscribe(free - 1), MaySubscribe::UsedUpUntil(free));
        assert_eq!(kicks.may_subscribe(free), MaySubscribe::Now);
        assert!(kicks.subscribing(free));
        assert_eq!(kicks.tries_ms.len(), 6, "old ones are dropped");
    }

    #[test]
    fn a_clock_that_was_set_back_makes_nobody_wait_for_long() {
        let now = 10 * HOUR;
        let future = Kicks { kicked_ms: Some(900 * HOUR), tries_ms: vec![900 * HOUR], untold_ms: vec![900 * HOUR] };
        let mut kicks = future.clone();
        assert!(kicks.clamp(now));
        assert_eq!(kicks.may_subscribe(now), MaySubscribe::At(now + 60_000));
        assert!(!kicks.clamp(now + 60_000), "it is not computed anew after each pause");
        assert_eq!(kicks.may_subscribe(now + 60_000), MaySubscribe::Now);
        let mut full = Kicks { tries_ms: vec![900 * HOUR; 6], ..future };
        assert!(full.clamp(now));
        assert_eq!(full.may_subscribe(now), MaySubscribe::UsedUpUntil(now + HOUR));
    }

    #[test]
    fn ends_of_which_nobody_says_why_are_a_kick_when_they_repeat() {
        let (mut kicks, now) = (Kicks::default(), 10 * HOUR);
        for at in [now, now + 30_000, now + 60_000, now + 90_000] {
            kicks.untold(at);
            assert_eq!(kicks.may_subscribe(at), MaySubscribe::Now, "{at}");
        }
        kicks.untold(now + 100_000);
        assert_eq!(kicks.may_subscribe(now + 100_000), MaySubscribe::At(now + 160_000));
        assert!(kicks.subscribing(now + 160_000), "it counts as a try");
        kicks.untold(now + 160_000);
        assert_eq!(kicks.may_subscribe(now + 160_000), MaySubscribe::Now, "they are counted anew");
    }

    #[test]
    fn what_an_older_version_has_kept_is_read() {
        let kicks: Kicks = serde_json::from_str(r#"{"kicked_ms":1,"tries_ms":[2]}"#).unwrap();
        assert_eq!(kicks, Kicks { kicked_ms: Some(1), tries_ms: vec![2], untold_ms: Vec::new() });
    }
}
