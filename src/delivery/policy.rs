//! Whether to try again, and when: decided from the attempt, what was in its way, and the time left. Pure.

use std::time::Duration;

/// The wait before the second attempt, before it is spread; each later one is twice as long.
const FIRST_WAIT: Duration = Duration::from_secs(1);

/// No wait that is our own choice is longer, before it is spread.
const LONGEST_WAIT: Duration = Duration::from_secs(20);

/// What was in the way of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Obstacle {
    /// No connection came to stand: nothing can have arrived.
    Unreached,
    /// WeCom says that the trouble is its own: it did not take the request.
    Busy,
    /// WeCom, or something before it, asks for fewer requests, and for how long to wait where that is known.
    Limited(Option<Duration>),
    /// An answer that is not WeCom's, or only the beginning of one: the request may have been passed on.
    Garbled,
    /// The request went out and no answer came.
    Silent,
    /// Another attempt would end the same.
    Final,
}

/// What to do after an attempt that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Decision {
    Stop,
    /// Wait so long, then try again.
    Wait(Duration),
}

/// How often and under which conditions a request is repeated.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Policy {
    /// Attempts after the first.
    pub(crate) retries: u32,
    /// Repeat nothing that may have arrived.
    pub(crate) at_most_once: bool,
    /// Wait where WeCom, or this machine's pacing, asks for it.
    pub(crate) wait_for_rate: bool,
}

impl Policy {
    /// Decides after attempt number `attempt`, counted from 1. `delivers` says whether the request was one that must not
    /// be repeated lightly, `left` is the time until the deadline, and `roll`, between 0 and 1, spreads those who failed
    /// together.
    pub(super) fn decide(
        self,
        attempt: u32,
        obstacle: Obstacle,
        delivers: bool,
        left: Duration,
        roll: f64,
    ) -> Decision {
        let own = FIRST_WAIT.saturating_mul(1 << (attempt.clamp(1, 16) - 1)).min(LONGEST_WAIT);
        let wait = match obstacle {
            Obstacle::Final => return Decision::Stop,
            Obstacle::Garbled | Obstacle::Silent if delivers && self.at_most_once => return Decision::Stop,
            Obstacle::Limited(_) if !self.wait_for_rate => return Decision::Stop,
            // Never less than what was asked for; who asks for nothing is not to be hammered.
            Obstacle::Limited(Some(asked)) if !asked.is_zero() => asked + (asked / 20).min(FIRST_WAIT).mul_f64(roll),
            _ => own.mul_f64(0.5 + roll),
        };
        // A wait that the deadline ends would be in vain.
        if attempt > self.retries || wait >= left { Decision::Stop } else { Decision::Wait(wait) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LONG: Duration = Duration::from_secs(3600);
    const POLICY: Policy = Policy { retries: 3, at_most_once: false, wait_for_rate: true };

    fn waits(policy: Policy, obstacle: Obstacle, delivers: bool) -> bool {
        policy.decide(1, obstacle, delivers, LONG, 0.5) != Decision::Stop
    }

    #[test]
    fn what_is_tried_again() {
        use Obstacle::{Busy, Final, Garbled, Limited, Silent, Unreached};
        let cautious = Policy { at_most_once: true, ..POLICY };
        for (obstacle, by_default, at_most_once) in [
            (Unreached, true, true),
            (Busy, true, true),
            (Limited(None), true, true),
            (Garbled, true, false),
            (Silent, true, false),
            (Final, false, false),
        ] {
            assert_eq!(waits(POLICY, obstacle, true), by_default, "{obstacle:?}");
            assert_eq!(waits(cautious, obstacle, true), at_most_once, "{obstacle:?}");
            // A token fetched or a file uploaded twice reaches nobody.
            assert_eq!(waits(cautious, obstacle, false), by_default, "{obstacle:?}");
        }
    }

    #[test]
    fn the_number_of_attempts_is_bounded() {
        for (retries, last) in [(0, 1), (1, 2), (3, 4)] {
            let policy = Policy { retries, ..POLICY };
            let decide = |attempt| policy.decide(attempt, Obstacle::Unreached, true, LONG, 0.0);
            assert!((1..last).all(|attempt| decide(attempt) != Decision::Stop));
            assert_eq!(decide(last), Decision::Stop);
        }
    }

    #[test]
    fn waits_grow_and_are_spread() {
        let decide =
            |attempt, roll| Policy { retries: 100, ..POLICY }.decide(attempt, Obstacle::Busy, true, LONG, roll);
        let ms = |ms| Decision::Wait(Duration::from_millis(ms));
        assert_eq!([decide(1, 0.0), decide(1, 1.0)], [ms(500), ms(1500)]);
        assert_eq!([decide(2, 0.0), decide(3, 0.5)], [ms(1000), ms(4000)]);
        assert_eq!([decide(20, 0.0), decide(99, 1.0)], [ms(10_000), ms(30_000)]);
    }

    #[test]
    fn what_is_asked_for_is_granted() {
        let asked = Duration::from_secs(7);
        let limited = Obstacle::Limited(Some(asked));
        assert_eq!(POLICY.decide(1, limited, true, LONG, 0.0), Decision::Wait(asked));
        assert_eq!(POLICY.decide(1, limited, true, asked, 0.0), Decision::Stop, "the deadline comes first");
        let at_once = Obstacle::Limited(Some(Duration::ZERO));
        assert_eq!(POLICY.decide(1, at_once, true, LONG, 0.0), Decision::Wait(FIRST_WAIT / 2));
        let impatient = Policy { wait_for_rate: false, ..POLICY };
        assert_eq!(impatient.decide(1, limited, true, LONG, 0.0), Decision::Stop);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn no_wait_passes_the_deadline(attempt in 1..1000u32, left in 0..100_000u64, roll in 0.0..=1.0) {
            let left = Duration::from_millis(left);
            for obstacle in [Obstacle::Unreached, Obstacle::Limited(None), Obstacle::Limited(Some(left / 2))] {
                if let Decision::Wait(wait) =
                    (Policy { retries: u32::MAX, ..POLICY }).decide(attempt, obstacle, true, left, roll)
                {
                    prop_assert!(wait < left);
                }
            }
        }
    }
}
