//! What every command works with: settings, credentials, a client, and the account of what was sent.

use std::time::{Duration, Instant};

use wecom_alert::api::{Client, ClientOptions};
use wecom_alert::config::{BaseUrl, ProxySetting, SecretSource, Settings, Webhook};
use wecom_alert::delivery::{Delivery, Ledger, Provenance};
use wecom_alert::error::{Error, Result};
use wecom_alert::message::Route;
use wecom_alert::notice::Listener;
use wecom_alert::secret::{Mask, Secret};
use wecom_alert::token::{App, Tokens};

/// One run of one command.
pub(crate) struct Session {
    pub(crate) settings: Settings,
    pub(crate) route: Option<Route>,
    pub(crate) warnings: Vec<String>,
    pub(crate) mask: Mask,
    pub(crate) listener: Listener,
    pub(crate) ledger: Ledger,
    /// When the command must end. Its clock starts once the input has been read.
    deadline: Instant,
}

/// An app's credentials, and what may be said of them.
pub(crate) struct AppLogin {
    app: App,
    pub(crate) provenance: Provenance,
}

/// A webhook's key, and what may be said of it.
pub(crate) struct WebhookLogin {
    webhook: Webhook,
    provenance: Provenance,
}

impl Session {
    pub(crate) fn new(settings: Settings, warnings: Vec<String>, mask: Mask, listener: Listener) -> Self {
        let deadline = Instant::now() + settings.deadline;
        Self { settings, route: None, warnings, mask, listener, ledger: Ledger::default(), deadline }
    }

    /// Starts the clock: the input has been read.
    pub(crate) fn start_clock(&mut self) {
        self.deadline = Instant::now() + self.settings.deadline;
    }

    /// The app's credentials; `agent_id` is what a payload brought where the settings have none.
    pub(crate) async fn app_login(&self, agent_id: Option<i64>) -> Result<AppLogin> {
        let settings = &self.settings;
        let (Some(corp_id), Some(source)) = (&settings.corp_id, &settings.secret) else {
            return Err(settings.missing(&settings.lacking_for_app(false)));
        };
        let secret = self.load(source).await?;
        let agent_id = settings.agent_id.as_ref().map(|agent| agent.value).or(agent_id);
        let provenance = Provenance { origin: source.origin().to_owned(), length: secret.len(), agent_id };
        Ok(AppLogin { app: App { corp_id: corp_id.value.clone(), agent_id, secret }, provenance })
    }

    /// The webhook's key.
    pub(crate) async fn webhook_login(&self) -> Result<WebhookLogin> {
        let source = self.settings.webhook.as_ref().ok_or_else(|| self.settings.missing(&["webhook"]))?;
        let text = self.load(source).await?;
        let webhook = Webhook::parse(&text, source.origin())?;
        self.mask.add(&webhook.key);
        let provenance = Provenance { origin: source.origin().to_owned(), length: webhook.key.len(), agent_id: None };
        Ok(WebhookLogin { webhook, provenance })
    }

    /// What an app's message cannot do without; `agent_id` is what a payload brought where the settings have none.
    pub(crate) fn require_app(&self, agent_id: Option<i64>) -> Result<()> {
        match self.settings.lacking_for_app(agent_id.is_none()).as_slice() {
            [] => Ok(()),
            keys => Err(self.settings.missing(keys)),
        }
    }

    /// A client for the app's API.
    pub(crate) fn app_client(&mut self) -> Client {
        let base_url = self.settings.base_url_or_default();
        self.client(base_url)
    }

    /// A client for the webhook's API.
    pub(crate) fn webhook_client(&mut self, login: &WebhookLogin) -> Client {
        let base_url = self.settings.webhook_base_url(&login.webhook);
        self.client(base_url)
    }

    pub(crate) fn client(&mut self, base_url: BaseUrl) -> Client {
        let settings = &self.settings;
        if base_url.is_plain_http_beyond_loopback() {
            self.warnings.push(format!("{base_url} is plain http: credentials and alerts can be read on the way"));
        }
        if let ProxySetting::Url(proxy) = &settings.proxy
            && let Some(password) = proxy.password()
        {
            self.mask.add(password);
        }
        let options = ClientOptions {
            base_url,
            proxy: settings.proxy.clone(),
            ca_file: settings.ca_file.clone(),
            connect_timeout: settings.connect_timeout,
            timeout: settings.timeout,
            deadline: self.deadline,
        };
        Client::new(options, self.mask.clone(), self.listener.clone())
    }

    /// The tokens of an app.
    pub(crate) fn tokens<'a>(&self, client: &'a Client, login: AppLogin) -> Tokens<'a> {
        let base_url = self.settings.base_url_or_default().to_string();
        let cache_dir = self.settings.cache_dir.as_deref();
        if cache_dir.is_none() && !self.settings.no_cache {
            self.listener.detail("there is no token cache, since no home folder is known: set WECOM_ALERT_CACHE_DIR");
        }
        Tokens::new(client, &base_url, login.app, cache_dir, self.mask.clone(), self.listener.clone())
    }

    /// Deliveries by an app.
    pub(crate) fn app_delivery<'a>(&self, client: &'a Client, login: AppLogin) -> Delivery<'a> {
        let provenance = login.provenance.clone();
        Delivery::by_app(client, self.tokens(client, login), provenance, self.ledger.clone())
    }

    /// Deliveries by a webhook.
    pub(crate) fn webhook_delivery<'a>(&self, client: &'a Client, login: WebhookLogin) -> Delivery<'a> {
        Delivery::by_webhook(client, login.webhook.key, login.provenance, self.ledger.clone())
    }

    /// Reads a credential, off the event loop: a command behind it may take its time.
    async fn load(&self, source: &SecretSource) -> Result<Secret> {
        let limit = self.deadline.saturating_duration_since(Instant::now());
        let secret = if source.at_hand().is_some() {
            source.load(limit)?
        } else {
            let source = source.clone();
            let origin = source.origin().to_owned();
            let loading = tokio::task::spawn_blocking(move || source.load(limit));
            // A command is stopped at its limit; a file can be a pipe that nobody writes into.
            let patience = limit + Duration::from_millis(200);
            let loaded = tokio::time::timeout(patience, loading).await.map_err(|_| {
                Error::config(
                    format!("{origin} did not give the credential before the deadline"),
                    "check what is behind it",
                )
            })?;
            loaded.map_err(|_| Error::defect("reading a credential broke off"))??
        };
        self.mask.add(&secret);
        Ok(secret)
    }
}
