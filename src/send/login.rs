//! The credentials of a target, once they have been read.

use crate::api::errcode::CredentialInfo;
use crate::cards::CardOwner;
use crate::config::BaseUrl;
use crate::fingerprint;
use crate::secret::Secret;
use crate::shared_state::{Namespace, SharedState};
use crate::token::AppCredentials;

/// The credentials of a target, and what reports may say of them.
#[derive(Clone)]
pub(crate) struct Login {
    /// The base URL of its API.
    pub(crate) base_url: BaseUrl,
    /// What reports may tell of the credential.
    pub(crate) credential_info: CredentialInfo,
    /// The fingerprint of the target, under which its rate limit is kept.
    pub(crate) identity: String,
    pub(super) key: LoginKey,
}

#[derive(Clone)]
pub(super) enum LoginKey {
    App(AppCredentials),
    Webhook(Secret),
    Aibot { bot_id: String, secret: Secret },
}

impl Login {
    /// Whose the cards are that are sent with it, and the presses on them.
    pub(crate) fn card_owner(&self) -> CardOwner {
        CardOwner::new(self.base_url.as_str(), &self.identity)
    }

    fn secret(&self) -> &Secret {
        match &self.key {
            LoginKey::App(app) => &app.secret,
            LoginKey::Webhook(key) => key,
            LoginKey::Aibot { secret, .. } => secret,
        }
    }

    /// Its part of what several machines share.
    pub(crate) fn namespace(&self, state: &SharedState) -> Namespace {
        Namespace::new(state.clone(), &self.identity, self.secret())
    }

    /// What only who knows this credential can compute of these parts.
    pub(crate) fn seal(&self, parts: &[String]) -> String {
        let own = ["seal", self.secret().expose(), &self.identity];
        fingerprint::fingerprint(own.into_iter().chain(parts.iter().map(String::as_str)))
    }

    /// The webhook's key, if it is one.
    pub(crate) fn webhook_key(&self) -> Option<&Secret> {
        match &self.key {
            LoginKey::App(_) | LoginKey::Aibot { .. } => None,
            LoginKey::Webhook(key) => Some(key),
        }
    }
}
