//! A request that failed: what it leaves open, what it puts in the way of the next attempt, and what several of them mean.

use std::time::Duration;

use super::explain::{Purpose, explain};
use super::outcome::Unreached;
use super::policy::Obstacle;
use crate::api::CallError;
use crate::api::errcode::{self, Class, HintContext};
use crate::error::{Error, Status};
use crate::rate_limit::{LimitedBy, RateExceeded};

/// Where a credential was read from and how long it is: all that may be said of it.
#[derive(Debug, Clone)]
pub(crate) struct Provenance {
    /// For people: a variable, an option, a key of the config file.
    pub(crate) origin: String,
    /// In bytes.
    pub(crate) length: usize,
    /// The app's id, where a call carries one.
    pub(crate) agent_id: Option<i64>,
}

/// Why an attempt was not made, or what it failed of.
pub(super) enum Trouble {
    /// There was no slot for it.
    Rate(RateExceeded),
    /// The call failed.
    Call(CallError),
}

impl From<CallError> for Trouble {
    fn from(failure: CallError) -> Self {
        Self::Call(failure)
    }
}

/// A request that failed for good, or for now.
#[derive(Debug)]
pub(super) struct Failed {
    pub(super) error: Error,
    /// The recipients that a refusal named.
    pub(super) unreached: Unreached,
    /// Whether the message may have arrived all the same: never by a failed upload, or for want of a token.
    pub(super) may_have_arrived: bool,
    pub(super) obstacle: Obstacle,
}

impl Failed {
    /// A failure before any request.
    pub(super) fn before(error: Error) -> Self {
        Self { error, unreached: Unreached::default(), may_have_arrived: false, obstacle: Obstacle::Final }
    }

    pub(super) fn of(trouble: &Trouble, purpose: Purpose, context: &HintContext<'_>) -> Self {
        let failure = match trouble {
            Trouble::Rate(exceeded) => return Self::before(explain_rate(exceeded)),
            Trouble::Call(failure) => failure,
        };
        let error = explain(failure, purpose, context);
        let obstacle = obstacle_of(failure, error.retry_after());
        let doubtful = matches!(obstacle, Obstacle::Garbled | Obstacle::Silent);
        Self {
            unreached: Unreached::named_by(|field| failure.ids(field)),
            may_have_arrived: doubtful && purpose == Purpose::Send,
            obstacle,
            error,
        }
    }
}

/// What earlier attempts of a request leave behind.
pub(super) struct Earlier {
    /// One of them carried the message and got no answer.
    silent: bool,
    may_have_arrived: bool,
    /// The last one.
    error: Error,
}

impl Failed {
    pub(super) fn after(self, earlier: Option<Earlier>) -> Earlier {
        let (silent, may_have_arrived) = earlier.map_or((false, false), |e| (e.silent, e.may_have_arrived));
        // WeCom's own word counts for what went before it too.
        let is_silent = self.obstacle == Obstacle::Silent && self.may_have_arrived;
        let silent = is_silent || (silent && self.error.answer().is_none());
        Earlier { silent, may_have_arrived: may_have_arrived || self.may_have_arrived, error: self.error }
    }

    /// What the last failure means together with those before it.
    pub(super) fn weigh(&mut self, at_most_once: bool, earlier: Option<Earlier>) {
        if at_most_once && self.may_have_arrived {
            self.error = self.error.clone().with_status(Status::Unknown);
        }
        let Some(earlier) = earlier else { return };
        self.may_have_arrived |= earlier.may_have_arrived;
        if self.error.status() == Status::RateLimited
            && self.error.answer().is_none()
            && let Some(answer) = earlier.error.answer()
        {
            self.error = self.error.clone().with_answer(answer.clone());
        }
        if earlier.silent && self.error.answer().is_none() && self.error.status() != Status::Unknown {
            let message = format!("{}; before that a request went out and got no answer", self.error);
            let hint = "the message may have arrived: look before you send it again";
            self.error = self.error.clone().with_status(Status::Unknown).with_message(message).with_hint(hint);
        }
    }
}

/// What a failed call puts in the way of the next one.
fn obstacle_of(failure: &CallError, asked: Option<Duration>) -> Obstacle {
    match failure {
        CallError::Unreached { .. } => Obstacle::Unreached,
        CallError::TooManyRequests { .. } => Obstacle::Limited(asked),
        CallError::Foreign(_) | CallError::Cut { .. } => Obstacle::Garbled,
        CallError::Silent { .. } => Obstacle::Silent,
        CallError::Rejected(reply) => match errcode::class_of(reply.answer.errcode) {
            Class::Transient => Obstacle::Busy,
            Class::RateLimited => Obstacle::Limited(asked),
            _ => Obstacle::Final,
        },
        CallError::Setup(_)
        | CallError::Late(_)
        | CallError::Untrusted { .. }
        | CallError::ProxyLogin(_)
        | CallError::WrongAddress(_) => Obstacle::Final,
    }
}

fn explain_rate(exceeded: &RateExceeded) -> Error {
    let (what, hint) = match exceeded.limited_by {
        LimitedBy::Rate => (
            "the messages that --rate allows are used up",
            "wait, give more time with --deadline, or keep what cannot go out now with --outbox",
        ),
        LimitedBy::Block => (
            "WeCom asked for fewer messages, and its block is not over",
            "wait until it is over: other programs may use the same quota; --outbox keeps what cannot go out now",
        ),
    };
    let wait = Duration::from_secs(exceeded.retry_after.as_secs_f64().ceil() as u64);
    let message = format!("{what}: the next one may go in {} s", wait.as_secs());
    Error::new(Status::RateLimited, message).with_hint(hint).with_retry_after(wait)
}

pub(super) fn for_token(failure: CallError, provenance: &Provenance) -> Failed {
    Failed::of(&Trouble::Call(failure), Purpose::Prepare, &context(provenance, "gettoken"))
}

pub(super) fn context<'a>(provenance: &'a Provenance, endpoint: &'a str) -> HintContext<'a> {
    HintContext {
        endpoint,
        secret_origin: Some(&provenance.origin),
        secret_len: Some(provenance.length),
        agent_id: provenance.agent_id,
        period: None,
    }
}

pub(super) fn is_stale(failure: &CallError) -> bool {
    failure.answer().is_some_and(|answer| errcode::asks_for_new_token(answer.errcode))
}
