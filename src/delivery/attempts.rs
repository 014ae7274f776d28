//! One request, tried as often as the policy allows: a slot, a token, the call, and what its failure means.

use std::time::{Duration, Instant};

use super::explain::{Purpose, explain};
use super::outcome::Unreached;

use super::courier::{Courier, Credential, Provenance};
use super::policy::{Decision, Obstacle};
use crate::api::errcode::{self, Class, Context};
use crate::api::{CallError, Client};
use crate::channel::Channel;
use crate::error::{Error, Result, Status};
use crate::rate_limit::{Reason, Refused};
use crate::secret::Secret;
use crate::token::Token;

/// Why an attempt was not made, or what it failed of.
pub(super) enum Trouble {
    /// There was no slot for it.
    Paced(Refused),
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
    obstacle: Obstacle,
}

impl Failed {
    /// A failure before any request.
    pub(super) fn before(error: Error) -> Self {
        Self { error, unreached: Unreached::default(), may_have_arrived: false, obstacle: Obstacle::Final }
    }

    fn of(trouble: &Trouble, purpose: Purpose, context: &Context<'_>) -> Self {
        let failure = match trouble {
            Trouble::Paced(refused) => return Self::before(explain_pace(refused)),
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

impl Courier {
    /// Makes a call until it succeeds, as often as the policy allows and before the deadline.
    pub(super) async fn call<T>(
        &mut self,
        endpoint: &str,
        purpose: Purpose,
        mut call: impl AsyncFnMut(&Client, &Secret) -> Result<T, Trouble>,
    ) -> Result<T, Failed> {
        self.persist(async |courier| courier.attempt(endpoint, purpose, &mut call).await).await
    }

    /// A valid token, for whoever wants to see it; `refresh` asks WeCom for one in any case.
    ///
    /// # Errors
    ///
    /// What `gettoken` failed of; a defect without an app.
    pub(crate) async fn token(&mut self, refresh: bool) -> Result<Token> {
        let got = self.persist(async |courier| {
            let Credential::App(tokens) = &courier.credential else {
                return Err(Failed::before(Error::defect("a webhook has no token")));
            };
            let client = &courier.client;
            let token = if refresh { tokens.force(client).await } else { tokens.get(client).await };
            token.map_err(|failure| for_token(failure, &courier.provenance))
        });
        got.await.map_err(|failed| failed.error)
    }

    async fn persist<T>(&mut self, mut step: impl AsyncFnMut(&mut Self) -> Result<T, Failed>) -> Result<T, Failed> {
        let (mut attempt, mut earlier) = (1, None);
        loop {
            let mut failed = match step(self).await {
                Ok(result) => return Ok(result),
                Err(failed) => failed,
            };
            let left = self.client.deadline().saturating_duration_since(Instant::now());
            match self.policy.decide(attempt, failed.obstacle, failed.may_have_arrived, left, fastrand::f64()) {
                Decision::Stop => {
                    failed.weigh(self.policy.at_most_once, earlier);
                    return Err(failed);
                }
                Decision::Wait(wait) => {
                    let (shown, retries) = (Duration::from_millis(wait.as_millis() as u64), self.policy.retries);
                    self.listener.detail(format!("trying again in {shown:?} (retry {attempt} of {retries})"));
                    tokio::time::sleep(wait).await;
                }
            }
            earlier = Some(failed.after(earlier));
            attempt += 1;
        }
    }

    /// One attempt. When WeCom finds a token stale that was not fetched fresh for this very call, another one is got and
    /// the call repeated, once.
    async fn attempt<T>(
        &mut self,
        endpoint: &str,
        purpose: Purpose,
        call: &mut impl AsyncFnMut(&Client, &Secret) -> Result<T, Trouble>,
    ) -> Result<T, Failed> {
        let Self { client, credential, token: current, provenance, period, .. } = self;
        let context = Context { period: *period, ..context(provenance, endpoint) };
        let explained = |trouble: &Trouble| Failed::of(trouble, purpose, &context);
        let tokens = match credential {
            Credential::Webhook(key) => return call(client, key).await.map_err(|trouble| explained(&trouble)),
            Credential::App(tokens) => tokens,
        };
        let token = match current.take() {
            Some(token) => token,
            None => tokens.get(client).await.map_err(|failure| for_token(failure, provenance))?,
        };
        let stale = match call(client, &token.access_token).await {
            Err(Trouble::Call(failure)) if token.may_be_stale() && is_stale(&failure) => Trouble::Call(failure),
            result => {
                *current = Some(token.after_use());
                return result.map_err(|trouble| explained(&trouble));
            }
        };
        match tokens.refresh(client, &token).await {
            Ok(Some(fresh)) => {
                let result = call(client, &fresh.access_token).await;
                *current = Some(fresh);
                result.map_err(|trouble| explained(&trouble))
            }
            Ok(None) => Err(explained(&stale)),
            Err(failure) => {
                let failed = for_token(failure, provenance);
                if failed.obstacle != Obstacle::Final {
                    return Err(failed);
                }
                let Failed { error, unreached, .. } = explained(&stale);
                let message = format!("{error}; a new token could not be had: {}", failed.error);
                Err(Failed { unreached, ..Failed::before(error.with_message(message)) })
            }
        }
    }
}

/// What earlier attempts of a request leave behind.
struct Earlier {
    /// One of them carried the message and got no answer.
    silent: bool,
    may_have_arrived: bool,
    /// The last one.
    error: Error,
}

impl Failed {
    fn after(self, earlier: Option<Earlier>) -> Earlier {
        let (silent, may_have_arrived) = earlier.map_or((false, false), |e| (e.silent, e.may_have_arrived));
        // WeCom's own word counts for what went before it too.
        let is_silent = self.obstacle == Obstacle::Silent && self.may_have_arrived;
        let silent = is_silent || (silent && self.error.answer().is_none());
        Earlier { silent, may_have_arrived: may_have_arrived || self.may_have_arrived, error: self.error }
    }

    /// What the last failure means together with those before it.
    fn weigh(&mut self, at_most_once: bool, earlier: Option<Earlier>) {
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

fn explain_pace(refused: &Refused) -> Error {
    let (what, hint) = match refused.reason {
        Reason::Pace => (
            "the messages that --rate allows are used up",
            "wait, give more time with --deadline, or keep what cannot go out now with --outbox",
        ),
        Reason::Block => (
            "WeCom asked for fewer messages, and its block is not over",
            "wait until it is over: other programs may use the same quota; --outbox keeps what cannot go out now",
        ),
    };
    let wait = Duration::from_secs(refused.retry_after.as_secs_f64().ceil() as u64);
    let message = format!("{what}: the next one may go in {} s", wait.as_secs());
    Error::new(Status::RateLimited, message).with_hint(hint).with_retry_after(wait)
}

/// What hints call the endpoint that takes messages.
pub(super) fn send_endpoint(channel: Channel) -> &'static str {
    match channel {
        Channel::App => "message/send",
        Channel::Webhook => "webhook/send",
    }
}

/// What hints call the endpoint that takes files.
pub(super) fn upload_endpoint(channel: Channel) -> &'static str {
    match channel {
        Channel::App => "media/upload",
        Channel::Webhook => "webhook/upload_media",
    }
}

/// How long a refusal keeps everybody on this machine from sending, if it is one of that kind.
pub(super) fn block_of(failure: &CallError, endpoint: &str, period: Option<Duration>) -> Option<Duration> {
    let context = Context { endpoint, period, ..Context::default() };
    failure.answer().and_then(|answer| errcode::blocked_for(answer.errcode, &context))
}

pub(super) fn for_token(failure: CallError, provenance: &Provenance) -> Failed {
    Failed::of(&Trouble::Call(failure), Purpose::Prepare, &context(provenance, "gettoken"))
}

pub(super) fn context<'a>(provenance: &'a Provenance, endpoint: &'a str) -> Context<'a> {
    Context {
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
