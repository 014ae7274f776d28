//! `gettoken`: an access token for an app (document path 91039).

use reqwest::Method;

use super::exchange::Progress;
use super::{CallError, Client, Target};
use crate::error::Answer;
use crate::secret::Secret;

/// Path of the endpoint.
pub(crate) const GETTOKEN: &str = "/cgi-bin/gettoken";

/// What the page calls normal, for an answer that leaves it out.
const NORMAL_LIFETIME_S: u64 = 7200;

/// A token as WeCom granted it.
#[derive(Debug, Clone)]
pub(crate) struct Grant {
    /// Up to 512 bytes.
    pub(crate) access_token: Secret,
    /// Seconds, from the request on; normally 7200.
    pub(crate) expires_in: u64,
    /// What WeCom said with it.
    pub(crate) answer: Answer,
}

impl Client {
    /// Asks for an access token. Must not be called per message: WeCom limits it, and bans the IP for an hour after
    /// many wrong secrets.
    ///
    /// # Errors
    ///
    /// 40001, 40013 and 40091 for wrong credentials, 60020 for an IP that is not trusted; see [`CallError`].
    pub(crate) async fn gettoken(&self, corp_id: &str, secret: &Secret) -> Result<Grant, CallError> {
        let query = vec![("corpid", corp_id), ("corpsecret", secret.expose())];
        let target = Target { method: Method::GET, path: GETTOKEN, query };
        let reply = self.exchange(&target, &Progress::default(), &Ok).await?;
        let Some(token) = reply.text("access_token") else {
            let from = self.peer(GETTOKEN).endpoint();
            return Err(CallError::Foreign(format!("the answer of {from} holds no access_token")));
        };
        let access_token = Secret::new(token);
        self.mask.add(&access_token);
        let expires_in = reply.text("expires_in").and_then(|seconds| seconds.parse().ok()).unwrap_or(NORMAL_LIFETIME_S);
        Ok(Grant { access_token, expires_in, answer: reply.answer })
    }
}
