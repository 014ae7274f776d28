//! The retry schedule: whether a failed request is tried again, and after which backoff. Pure.
//!
//! The backoff is 1 s before the first retry and doubles with each later one, up to 20 s; each is multiplied by a random
//! factor of 0.5 to 1.5 (jitter). A wait that WeCom asks for is kept, with jitter of up to a twentieth of it, at most 1 s.
//! A request that would fail again for the same reason is not tried again.

use std::time::Duration;

use crate::alert::Level;
use crate::api::CallError;
use crate::api::errcode::{self, Class};

/// The backoff before the first retry, without jitter; each later one is twice as long.
const FIRST_BACKOFF: Duration = Duration::from_secs(1);

/// The longest backoff, without jitter.
const LONGEST_BACKOFF: Duration = Duration::from_secs(20);

/// The most jitter after a wait that WeCom asks for.
const LONGEST_JITTER: Duration = Duration::from_secs(1);

/// The class of a failed attempt, which decides about a retry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FailureClass {
    /// Nothing can have arrived: no connection was made, or WeCom says that the trouble is its own.
    NotTaken,
    /// WeCom, or something before it, asks for fewer requests, and for how long to wait where that is known.
    Limited(Option<Duration>),
    /// An answer that is not WeCom's, or only the beginning of one: the request may have been passed on.
    Garbled,
    /// The request went out and no answer came.
    Silent,
    /// Another attempt would end the same.
    Final,
}

impl FailureClass {
    /// The class of a failed call; `asked` is how long WeCom asks to wait, if it does.
    pub(super) fn of(failure: &CallError, asked: Option<Duration>) -> Self {
        match failure {
            CallError::Unreached { .. } => Self::NotTaken,
            CallError::TooManyRequests(_) => Self::Limited(asked),
            CallError::Foreign(_) | CallError::Cut { .. } => Self::Garbled,
            CallError::Silent { .. } => Self::Silent,
            CallError::Rejected(reply) => match errcode::class_of(reply.answer.errcode) {
                Class::Transient => Self::NotTaken,
                Class::RateLimited => Self::Limited(asked),
                _ => Self::Final,
            },
            CallError::Setup(_) | CallError::Untrusted { .. } | CallError::Config(_) => Self::Final,
        }
    }
}

/// How often and under which conditions a request is tried again.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RetryPolicy {
    /// Attempts after the first.
    pub(crate) retries: u32,
    /// Repeat nothing that may have arrived.
    pub(crate) at_most_once: bool,
    /// Wait where WeCom, or this machine's rate limit, asks for it.
    pub(crate) wait_for_rate: bool,
    /// How bad what is sent is: of those who wait for the rate limit the worst goes first.
    pub(crate) level: Option<Level>,
}

impl RetryPolicy {
    /// How often a call may be repeated with a new token after WeCom refused its token as stale: once in any case.
    pub(super) fn most_refreshes(self) -> u32 {
        self.retries.max(1)
    }

    /// The wait before the next attempt, after attempt number `attempt`, counted from 1; `None` if there is to be none.
    ///
    /// `delivers` says whether the request carries a message, `left` is the time until the deadline, and `random` is a
    /// number between 0 and 1 (jitter), so that processes that failed together do not retry together.
    pub(super) fn backoff(
        self,
        attempt: u32,
        class: FailureClass,
        delivers: bool,
        left: Duration,
        random: f64,
    ) -> Option<Duration> {
        let own = FIRST_BACKOFF.saturating_mul(1 << (attempt.clamp(1, 16) - 1)).min(LONGEST_BACKOFF);
        let wait = match class {
            FailureClass::Final => return None,
            FailureClass::Garbled | FailureClass::Silent if delivers && self.at_most_once => return None,
            FailureClass::Limited(_) if !self.wait_for_rate => return None,
            // Never less than WeCom asked for. If it asked for zero, our own backoff is used.
            FailureClass::Limited(Some(asked)) if !asked.is_zero() => {
                asked.saturating_add((asked / 20).min(LONGEST_JITTER).mul_f64(random))
            }
            _ => own.mul_f64(0.5 + random),
        };
        // No attempt after the deadline.
        (attempt <= self.retries && wait < left).then_some(wait)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LONG: Duration = Duration::from_secs(3600);
    const POLICY: RetryPolicy = RetryPolicy { retries: 3, at_most_once: false, wait_for_rate: true, level: None };

    fn waits(policy: RetryPolicy, class: FailureClass, delivers: bool) -> bool {
        policy.backoff(1, class, delivers, LONG, 0.5).is_some()
    }

    #[test]
    fn which_failures_are_retried() {
        use FailureClass::{Final, Garbled, Limited, NotTaken, Silent};
        let cautious = RetryPolicy { at_most_once: true, ..POLICY };
        for (class, by_default, at_most_once) in [
            (NotTaken, true, true),
            (Limited(None), true, true),
            (Garbled, true, false),
            (Silent, true, false),
            (Final, false, false),
        ] {
            assert_eq!(waits(POLICY, class, true), by_default, "{class:?}");
            assert_eq!(waits(cautious, class, true), at_most_once, "{class:?}");
            // A second token or upload is harmless: it reaches no recipient.
            assert_eq!(waits(cautious, class, false), by_default, "{class:?}");
        }
    }

    #[test]
    fn the_number_of_attempts_is_bounded() {
        for (retries, last) in [(0, 1), (1, 2), (3, 4)] {
            let policy = RetryPolicy { retries, ..POLICY };
            let backoff = |attempt| policy.backoff(attempt, FailureClass::NotTaken, true, LONG, 0.0);
            assert!((1..last).all(|attempt| backoff(attempt).is_some()));
            assert_eq!(backoff(last), None);
        }
    }

    #[test]
    fn backoff_grows_and_has_jitter() {
        let backoff = |attempt, random| {
            RetryPolicy { retries: 100, ..POLICY }.backoff(attempt, FailureClass::NotTaken, true, LONG, random)
        };
        let ms = |ms| Some(Duration::from_millis(ms));
        assert_eq!([backoff(1, 0.0), backoff(1, 1.0)], [ms(500), ms(1500)]);
        assert_eq!([backoff(2, 0.0), backoff(3, 0.5)], [ms(1000), ms(4000)]);
        assert_eq!([backoff(20, 0.0), backoff(99, 1.0)], [ms(10_000), ms(30_000)]);
    }

    #[test]
    fn a_requested_wait_is_respected() {
        let asked = Duration::from_secs(7);
        let limited = FailureClass::Limited(Some(asked));
        assert_eq!(POLICY.backoff(1, limited, true, LONG, 0.0), Some(asked));
        assert_eq!(POLICY.backoff(1, limited, true, asked, 0.0), None, "the deadline comes first");
        let at_once = FailureClass::Limited(Some(Duration::ZERO));
        assert_eq!(POLICY.backoff(1, at_once, true, LONG, 0.0), Some(FIRST_BACKOFF / 2));
        let impatient = RetryPolicy { wait_for_rate: false, ..POLICY };
        assert_eq!(impatient.backoff(1, limited, true, LONG, 0.0), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn no_wait_passes_the_deadline(attempt in 1..1000u32, left in 0..100_000u64, random in 0.0..=1.0) {
            let left = Duration::from_millis(left);
            for class in [FailureClass::NotTaken, FailureClass::Limited(None), FailureClass::Limited(Some(left / 2))] {
                if let Some(wait) =
                    (RetryPolicy { retries: u32::MAX, ..POLICY }).backoff(attempt, class, true, left, random)
                {
                    prop_assert!(wait < left);
                }
            }
        }
    }
}
