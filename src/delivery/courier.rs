//! Calls for one target: a client, a credential, and the policy for repetitions. Made once, it serves all parts of a message,
//! and all outbox entries for the target.

use std::time::{Duration, Instant};

use super::explain::Purpose;
use super::failed::{Failed, Provenance, Trouble, context, for_token, is_stale};
use super::policy::{Decision, Obstacle, Policy};
use crate::api::errcode::HintContext;
use crate::api::{Client, Uploaded};
use crate::channel::Channel;
use crate::clock;
use crate::config::Rate;
use crate::error::{Error, Result};
use crate::event::Observer;
use crate::input::Attachment;
use crate::message::media::MediaKind;
use crate::rate_limit::RateLimiter;
use crate::secret::Secret;
use crate::token::{Token, Tokens};

/// What lets a call in.
pub(crate) enum Credential {
    /// Tokens of an app.
    App(Tokens),
    /// The key of a webhook.
    Webhook(Secret),
}

/// Brings messages to one target.
pub(crate) struct Courier {
    pub(super) client: Client,
    pub(super) channel: Channel,
    pub(super) credential: Credential,
    /// The token in use.
    pub(super) token: Option<Token>,
    pub(super) provenance: Provenance,
    pub(super) policy: Policy,
    pub(super) limiter: RateLimiter,
    pub(super) listener: Observer,
    /// The period of WeCom's limit for a webhook, where the user says what it is: after it a refusal is over.
    pub(super) period: Option<Duration>,
}

impl Courier {
    /// Everything that a target needs; `rate` is the one that the user set.
    pub(crate) fn new(
        client: Client,
        channel: Channel,
        (credential, provenance): (Credential, Provenance),
        policy: Policy,
        (limiter, rate): (RateLimiter, Option<Rate>),
        listener: Observer,
    ) -> Self {
        let period = match rate {
            Some(Rate::Per { period, .. }) => Some(period),
            Some(Rate::Off) | None => None,
        };
        Self { client, channel, credential, token: None, provenance, policy, limiter, listener, period }
    }

    /// The agent that its calls name.
    pub(crate) fn agent_id(&self) -> Option<i64> {
        self.provenance.agent_id
    }

    /// What holds for the next messages: how they are repeated, and when all must end.
    pub(crate) fn set_out(&mut self, policy: Policy, deadline: Instant) {
        self.policy = policy;
        self.client.set_deadline(deadline);
    }

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
                    let (shown, retries) = (clock::brief(wait), self.policy.retries);
                    self.listener.detail(format!("trying again in {shown} (retry {attempt} of {retries})"));
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
        let context = HintContext { period: *period, ..context(provenance, endpoint) };
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
                *current = Some(Token { was_used: true, ..token });
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

    /// Uploads a file.
    ///
    /// # Errors
    ///
    /// What the upload, or the token for it, failed of.
    pub(crate) async fn upload(&mut self, kind: MediaKind, file: &Attachment) -> Result<Uploaded> {
        self.upload_file(kind, file).await.map_err(|failed| failed.error)
    }

    pub(super) async fn upload_file(&mut self, kind: MediaKind, file: &Attachment) -> Result<Uploaded, Failed> {
        let channel = self.channel;
        self.call(channel.facts().upload_path, Purpose::Prepare, async |client, credential| {
            Ok(client.upload(channel, credential, kind, file).await?)
        })
        .await
    }
}
