//! Makes the calls for one target ([`Courier`]), with its client, credential and retries. One courier serves all parts
//! of a message, and all outbox entries for the target.

use std::time::{Duration, Instant};

use bytes::Bytes;
use serde_json::Value;

use super::failure::{EarlierAttempts, FailedRequest, Purpose, explain, for_token, is_stale};
use super::retry::{FailureClass, RetryPolicy};
use crate::aibot::{Conversations, Link};
use crate::api::aibot::upload_aibot;
use crate::api::errcode::{CredentialInfo, HintContext};
use crate::api::{Agent, CallError, Client, Reply, Uploaded};
use crate::cards::CardStore;
use crate::channel::Channel;
use crate::clock;
use crate::error::{Error, Result};
use crate::event::Observer;
use crate::input::Attachment;
use crate::message::media::MediaKind;
use crate::rate_limit::RateLimiter;
use crate::secret::Secret;
use crate::shared_state::SharedState;
use crate::token::{Token, Tokens};

/// The credential for a call.
pub(crate) enum Credential {
    /// Tokens of an app.
    App(Tokens),
    /// The key of a webhook.
    Webhook(Secret),
    /// The connection of an aibot, which is logged in, and the conversations that are known to take messages.
    Aibot(Link, Conversations),
}

/// The way that a call takes.
pub(super) enum Way<'a> {
    /// A request by HTTP, with the token or the key.
    Http(&'a Client, &'a Secret),
    /// A command over the connection of an aibot.
    Aibot(&'a Link),
}

impl Way<'_> {
    /// Sends a message: `body`, which is `bytes` where the way takes those.
    pub(super) async fn send(&self, channel: Channel, body: &Value, bytes: Bytes) -> Result<Reply, CallError> {
        match self {
            Self::Http(client, credential) => client.send(channel, credential, bytes).await,
            // Rare, and not to make the future of the others larger.
            Self::Aibot(link) => Box::pin(link.request(channel.facts().send_path, body.clone())).await,
        }
    }
}

/// Makes all calls for one target.
pub(crate) struct Courier {
    pub(crate) client: Client,
    pub(crate) channel: Channel,
    pub(crate) credential: Credential,
    /// The token for the next request; `None` before there is one.
    pub(crate) token: Option<Token>,
    pub(crate) credential_info: CredentialInfo,
    pub(crate) policy: RetryPolicy,
    pub(crate) limiter: RateLimiter,
    /// What several machines share, where a setting names it.
    pub(crate) shared_state: Option<SharedState>,
    pub(crate) observer: Observer,
    /// Where cards with something to press are kept; `None` where the channel has none, or no state folder is known.
    pub(crate) cards: Option<CardStore>,
    /// One sentence each, for the report.
    pub(crate) warnings: Vec<String>,
    /// The period of WeCom's limit for a webhook, where the user sets one: WeCom's block is over after it.
    pub(crate) period: Option<Duration>,
}

impl Courier {
    /// Makes a call, with retries: as often as the policy allows, and before the deadline.
    pub(super) async fn call<T>(
        &mut self,
        endpoint: &str,
        purpose: Purpose,
        mut call: impl AsyncFnMut(Way<'_>) -> Result<T, CallError>,
    ) -> Result<T, FailedRequest> {
        if self.policy.at_most_once {
            self.client.stop_reusing_connections();
        }
        let mut refreshes = 0;
        self.with_retries(async |courier| courier.attempt(endpoint, purpose, &mut refreshes, &mut call).await).await
    }

    /// Makes a call of the app that is neither a message nor an upload, with retries. `endpoint` is its path without
    /// `/cgi-bin/`, by which hints know it.
    ///
    /// # Errors
    ///
    /// WeCom's refusal, which is in [`Error::answer`] and has the status of its class; exit 7 without a connection or an
    /// answer, but 9 where no answer came to a call of [`Purpose::Once`].
    pub(crate) async fn ask<T>(
        &mut self,
        endpoint: &str,
        purpose: Purpose,
        mut call: impl AsyncFnMut(&Client, &Secret) -> Result<T, CallError>,
    ) -> Result<T> {
        let policy = self.policy;
        // The user's setting is about messages: what may be asked again needs no connection of its own.
        self.policy.at_most_once = purpose == Purpose::Once;
        let asked = self.call(endpoint, purpose, async |way| match way {
            Way::Http(client, token) => call(client, token).await,
            Way::Aibot(_) => Err(CallError::Setup(Error::defect("an aibot is not asked"))),
        });
        let asked = asked.await;
        self.policy = policy;
        asked.map_err(|failed| failed.error)
    }

    /// A valid token; `refresh` asks WeCom for one in any case.
    pub(crate) async fn token(&mut self, refresh: bool) -> Result<Token> {
        let got = self.with_retries(async |courier| {
            let Credential::App(tokens) = &courier.credential else {
                return Err(FailedRequest::before_request(Error::defect("a webhook has no token")));
            };
            let client = &courier.client;
            let token = if refresh { tokens.force(client).await } else { tokens.get(client).await };
            token.map_err(|failure| for_token(&failure, &courier.credential_info))
        });
        got.await.map_err(|failed| failed.error)
    }

    /// What WeCom knows of the app, asked once with `token`, which [`Courier::token`] gave. `None` if that token came from
    /// the cache and WeCom does not know it any more: then there is a new one, for the next command and for what is sent
    /// from now on, but nothing was asked with it.
    pub(crate) async fn agent(&mut self, token: &Token, agent_id: i64) -> Result<Option<Agent>> {
        let failure = match self.client.agent_get(&token.access_token, agent_id).await {
            Ok(agent) => return Ok(Some(agent)),
            Err(failure) => failure,
        };
        if let Credential::App(tokens) = &self.credential
            && token.from_cache
            && is_stale(&failure)
        {
            let fresh = tokens.refresh(&self.client, token).await;
            let fresh = fresh.map_err(|failure| for_token(&failure, &self.credential_info).error)?;
            if fresh.is_some() {
                self.token = fresh;
                return Ok(None);
            }
        }
        let context =
            HintContext { endpoint: "agent/get", credential: Some(&self.credential_info), ..HintContext::default() };
        Err(explain(&failure, Purpose::Prepare, &context))
    }

    async fn with_retries<T>(
        &mut self,
        mut step: impl AsyncFnMut(&mut Self) -> Result<T, FailedRequest>,
    ) -> Result<T, FailedRequest> {
        let (mut attempt, mut earlier) = (1, EarlierAttempts::default());
        loop {
            let failed = match step(self).await {
                Ok(result) => return Ok(result),
                Err(failed) => failed,
            };
            let (policy, left) = (self.policy, self.client.options.deadline.saturating_duration_since(Instant::now()));
            let backoff = policy.backoff(attempt, failed.class, failed.may_have_arrived, left, fastrand::f64());
            let Some(wait) = backoff else { return Err(failed.with_earlier_attempts(policy.at_most_once, earlier)) };
            let (shown, retries) = (clock::brief(wait), policy.retries);
            self.observer.detail(format!("trying again in {shown} (retry {attempt} of {retries})"));
            tokio::time::sleep(wait).await;
            // A busy machine sleeps longer: the failure says more than that the deadline passed before another attempt.
            if Instant::now() >= self.client.options.deadline {
                return Err(failed.with_earlier_attempts(policy.at_most_once, earlier));
            }
            earlier.add(failed);
            attempt += 1;
        }
    }

    /// One attempt. If WeCom refuses the token as stale, repeats the call with another one, as long as `gettoken` brings
    /// another one and the policy allows it; `refreshes` counts how often.
    async fn attempt<T>(
        &mut self,
        endpoint: &str,
        purpose: Purpose,
        refreshes: &mut u32,
        call: &mut impl AsyncFnMut(Way<'_>) -> Result<T, CallError>,
    ) -> Result<T, FailedRequest> {
        let Self { client, credential, token: current, credential_info, policy, period, .. } = self;
        let context = HintContext { endpoint, credential: Some(credential_info), period: *period };
        let explained = |failure: CallError| FailedRequest::of(&failure, purpose, &context);
        let tokens = match credential {
            Credential::Webhook(key) => return call(Way::Http(client, key)).await.map_err(explained),
            Credential::Aibot(link, _) => return call(Way::Aibot(link)).await.map_err(explained),
            Credential::App(tokens) => tokens,
        };
        let mut token = match current.take() {
            Some(token) => token,
            None => tokens.get(client).await.map_err(|failure| for_token(&failure, credential_info))?,
        };
        loop {
            let stale = match call(Way::Http(client, &token.access_token)).await {
                Err(failure) if is_stale(&failure) && *refreshes < policy.most_refreshes() => failure,
                result => {
                    *current = Some(token);
                    return result.map_err(explained);
                }
            };
            *refreshes += 1;
            token = match tokens.refresh(client, &token).await {
                Ok(Some(fresh)) => fresh,
                Ok(None) => return Err(explained(stale)),
                Err(failure) => {
                    let failed = for_token(&failure, credential_info);
                    if failed.class != FailureClass::Final {
                        return Err(failed);
                    }
                    let FailedRequest { error, unreached, .. } = explained(stale);
                    let message = format!("{error}; no new token could be fetched: {}", failed.error);
                    return Err(FailedRequest {
                        unreached,
                        ..FailedRequest::before_request(error.with_message(message))
                    });
                }
            };
        }
    }

    /// The connection of an aibot, if it uses one.
    pub(crate) fn link(&self) -> Option<&Link> {
        match &self.credential {
            Credential::Aibot(link, _) => Some(link),
            Credential::App(_) | Credential::Webhook(_) => None,
        }
    }

    /// Until when its requests may take.
    pub(crate) fn set_deadline(&mut self, deadline: Instant) {
        self.client.options.deadline = deadline;
        if let Credential::Aibot(link, _) = &mut self.credential {
            link.set_deadline(deadline);
        }
    }

    /// Uploads a file.
    pub(crate) async fn upload(&mut self, kind: MediaKind, file: &Attachment) -> Result<Uploaded, FailedRequest> {
        let (channel, observer) = (self.channel, self.observer.clone());
        self.call(channel.facts().upload_path, Purpose::Prepare, async |way| match way {
            Way::Http(client, credential) => client.upload(channel, credential, kind, file).await,
            Way::Aibot(link) => {
                Box::pin(upload_aibot(async |cmd, body| link.request(cmd, body).await, kind, file, &observer)).await
            }
        })
        .await
    }
}

/// Why there is no connection to WeCom, and what to do next. `endpoint` is the call that it was for, where that is known.
pub(crate) fn explain_connection(failure: &CallError, endpoint: &str) -> Error {
    explain(failure, Purpose::Prepare, &HintContext { endpoint, ..HintContext::default() })
}
