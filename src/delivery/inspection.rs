//! For those who look at the way and at the app without sending anything. No call is made twice here.

use super::courier::{Courier, Credential};
use super::explain::{Purpose, explain};
use super::failed::{context, for_token, is_stale};
use crate::api::errcode::HintContext;
use crate::api::{Agent, CallError};
use crate::error::{Error, Result};
use crate::rate_limit::Usage;
use crate::token::Token;

/// Why the way to WeCom is not open, and what to do next.
pub(crate) fn explain_way(failure: &CallError) -> Error {
    explain(failure, Purpose::Prepare, &HintContext::default())
}

impl Courier {
    /// What WeCom knows of the app, asked once with `token`, which [`Courier::token`] gave. `None` if that token came from
    /// the cache and WeCom does not know it any more: then there is a new one, for the next command and for what is sent
    /// from now on, but nothing was asked with it.
    ///
    /// # Errors
    ///
    /// What the call, or getting the new token, failed of.
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
            let fresh = fresh.map_err(|failure| for_token(failure, &self.provenance).error)?;
            if fresh.is_some() {
                self.token = fresh;
                return Ok(None);
            }
        }
        Err(explain(&failure, Purpose::Prepare, &context(&self.provenance, "agent/get")))
    }

    /// Lets the first request use this token, so that none is asked for again.
    pub(crate) fn use_token(&mut self, token: Token) {
        self.token = Some(token);
    }

    /// How many permits of this webhook or app are taken.
    pub(crate) fn pacing(&self) -> Usage {
        self.limiter.usage()
    }
}
