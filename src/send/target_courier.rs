//! What sends for a target: the client of its API, and the courier, link and look-ups that use it.

use super::login::{Login, LoginKey};
use super::long_text::host;
use super::target::{Target, state_of};
use crate::aibot::{Conversations, Fleet, Link};
use crate::api::{Client, ClientOptions};
use crate::cards::CardStore;
use crate::channel::CredentialKind;
use crate::config::{BaseUrl, OnRateLimit, ProxySetting, Rate};
use crate::delivery::{Courier, Credential, RetryPolicy};
use crate::error::Result;
use crate::lookup::LookUp;
use crate::rate_limit::{RateLimiter, default_rate};
use crate::secret::Secret;
use crate::token::{AppCredentials, Tokens};

impl Target {
    /// A client for its API.
    pub(crate) fn client(&mut self, base_url: BaseUrl) -> Client {
        if base_url.is_plain_http_beyond_loopback() {
            let http = match self.channel.facts().credential {
                CredentialKind::AppToken | CredentialKind::WebhookKey => "http",
                CredentialKind::Aibot => "ws",
            };
            let url = base_url.as_str().replacen("http", http, 1);
            self.warnings.push(format!("{url} is plain {http}: credentials and alerts can be read on the way"));
        }
        self.couriers.client(self.client_options(base_url), &self.settings.ca_file, &self.mask, &self.observer)
    }

    /// A client that also records how the connection is made, for `check`.
    pub(crate) fn inspecting_client(&self, base_url: BaseUrl) -> Client {
        Client::inspecting(self.client_options(base_url), self.mask.clone(), self.observer.clone())
    }

    fn client_options(&self, base_url: BaseUrl) -> ClientOptions {
        let settings = &self.settings;
        if let ProxySetting::Url(proxy) = &settings.proxy
            && let Some(password) = &proxy.password
        {
            self.mask.add(password);
        }
        ClientOptions {
            base_url,
            proxy: settings.proxy.clone(),
            trust: self.trust.clone(),
            connect_timeout: settings.connect_timeout,
            timeout: settings.timeout,
            deadline: self.deadline,
        }
    }

    /// A courier: one that has been at work for the same target, else a new one.
    pub(crate) async fn courier(&mut self, agent_id: Option<i64>) -> Result<Box<Courier>> {
        let key = self.courier_key(agent_id);
        if let Some(mut courier) = self.couriers.take(&key) {
            courier.policy = self.policy();
            courier.set_deadline(self.deadline);
            return Ok(courier);
        }
        if let Some(refusal) = self.couriers.refusal(&key) {
            return Err(refusal);
        }
        let login = self.log_in(agent_id).await?;
        let client = self.client(login.base_url.clone());
        let token = self.couriers.token(&key);
        Ok(Box::new(Courier { token, ..self.courier_with(client, login) }))
    }

    /// The connection by which presses on its cards come back; `None` for a channel without one.
    pub(crate) async fn link(&mut self) -> Result<Option<Link>> {
        let login = self.log_in(None).await?;
        let LoginKey::Aibot { bot_id, secret } = login.key.clone() else { return Ok(None) };
        let client = self.client(login.base_url.clone());
        Ok(Some(self.link_with(client, &login, bot_id, secret)))
    }

    fn link_with(&self, client: Client, login: &Login, bot_id: String, secret: Secret) -> Link {
        let fleet = self.shared_state();
        let fleet = fleet.map(|state| Fleet::new(login.namespace(state), login.base_url.as_str(), host()));
        Link::new(client, bot_id, secret, (state_of(&self.settings), fleet), self.observer.clone())
    }

    /// Where cards that are sent with this login are kept, if they can be pressed and a state folder is known.
    pub(crate) fn cards(&self, login: &Login) -> Option<CardStore> {
        let state = state_of(&self.settings).filter(|_| self.channel.has_interactive_cards())?;
        let shared = self.shared_state().map(|shared| login.namespace(shared));
        Some(CardStore::of(&state, &login.card_owner()).shared_by(shared))
    }

    /// A courier that uses this client.
    pub(crate) fn courier_with(&mut self, client: Client, login: Login) -> Courier {
        let rate = self.settings.rate.unwrap_or(default_rate(self.channel));
        let limiter = RateLimiter::new(state_of(&self.settings).as_ref(), &login.identity, rate, self.observer.clone());
        let limiter = limiter.sharing(self.shared_state.as_ref().map(|state| login.namespace(state)));
        let cards = self.cards(&login);
        let credential = match login.key.clone() {
            LoginKey::App(app) => Credential::App(self.tokens(&login.base_url, app)),
            LoginKey::Webhook(key) => Credential::Webhook(key),
            LoginKey::Aibot { bot_id, secret } => {
                let known = Conversations::new(state_of(&self.settings).as_ref(), &bot_id);
                let link = self.link_with(client.clone(), &login, bot_id, secret);
                Credential::Aibot(link, known)
            }
        };
        let period = match self.settings.rate {
            Some(Rate::Per { period, .. }) => Some(period),
            _ => None,
        };
        Courier {
            client,
            channel: self.channel,
            credential,
            token: None,
            credential_info: login.credential_info,
            policy: self.policy(),
            limiter,
            shared_state: self.shared_state.clone(),
            observer: self.observer.clone(),
            cards,
            warnings: Vec::new(),
            period,
        }
    }

    /// The retry policy of the settings.
    pub(crate) fn policy(&self) -> RetryPolicy {
        RetryPolicy {
            retries: self.settings.retries,
            at_most_once: self.settings.at_most_once,
            wait_for_rate: self.settings.on_rate_limit == OnRateLimit::Wait,
            level: self.level,
        }
    }

    /// Look-ups of members; `None` where it has no app.
    pub(crate) fn look_up(&self, login: &Login) -> Option<LookUp> {
        let LoginKey::App(app) = &login.key else { return None };
        let cache_dir = self.settings.cache_dir.as_deref();
        let shared = self.shared_state.as_ref().filter(|_| !self.settings.no_cache);
        Some(LookUp::new(&login.base_url.to_string(), app, cache_dir, shared, self.observer.clone()))
    }

    fn tokens(&mut self, base_url: &BaseUrl, app: AppCredentials) -> Tokens {
        if self.settings.cache_dir.is_none() && !self.settings.no_cache && self.shared_state.is_none() {
            let text = "the access token is not cached, so each command asks WeCom for one: no home folder is known. Set HOME \
                        or WECOM_ALERT_CACHE_DIR, or --no-cache if this is intended";
            self.warnings.push(text.to_owned());
        }
        let cache_dir = self.settings.cache_dir.as_deref();
        let shared = self.shared_state.as_ref().filter(|_| !self.settings.no_cache);
        Tokens::new(&base_url.to_string(), app, cache_dir, shared, self.mask.clone(), self.observer.clone())
    }
}
