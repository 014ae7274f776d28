//! What every command works with: settings, credentials, a client, and the account of what was sent.

use std::time::{Duration, Instant};

use tokio::sync::OnceCell;

use wecom_alert::api::{Client, ClientOptions, Trust};
use wecom_alert::config::{BaseUrl, Config, OnRateLimit, ProxySetting, Rate, SecretSource, Settings, Webhook};
use wecom_alert::delivery::pacing::{self, Pacer};
use wecom_alert::delivery::{Delivery, Ledger, Manner, Policy, Provenance, outbox};
use wecom_alert::error::{Error, Result};
use wecom_alert::message::Route;
use wecom_alert::notice::Listener;
use wecom_alert::secret::{Mask, Secret};
use wecom_alert::state::Folder;
use wecom_alert::token::{App, Tokens};

use super::trace::Said;

/// One run of one command, towards one target.
pub(crate) struct Session<'c> {
    /// For the settings of further targets.
    pub(crate) config: &'c Config<'c>,
    pub(crate) settings: Settings,
    pub(crate) route: Option<Route>,
    pub(crate) warnings: Vec<String>,
    pub(crate) mask: Mask,
    pub(crate) listener: Listener,
    pub(crate) ledger: Ledger,
    /// What may be told of the message, once it has been read.
    pub(crate) said: Option<Said>,
    /// An alert that cannot be stored is sent all the same: nobody would hear otherwise that there was one.
    pub(crate) sends_unstored: bool,
    webhook_login: OnceCell<WebhookLogin>,
    trust: Trust,
    /// When the command must end. Its clock starts once the input has been read.
    deadline: Instant,
}

/// An app's credentials, and what may be said of them.
pub(crate) struct AppLogin {
    app: App,
    pub(crate) provenance: Provenance,
}

/// A webhook's key, and what may be said of it.
#[derive(Clone)]
pub(crate) struct WebhookLogin {
    pub(crate) webhook: Webhook,
    pub(crate) provenance: Provenance,
}

impl<'c> Session<'c> {
    pub(crate) fn new(
        config: &'c Config<'c>,
        (settings, warnings): (Settings, Vec<String>),
        mask: Mask,
        listener: Listener,
    ) -> Self {
        let deadline = Instant::now() + settings.deadline;
        let trust = Trust::new(settings.ca_file.clone());
        Self {
            config,
            settings,
            route: None,
            warnings,
            mask,
            listener,
            ledger: Ledger::default(),
            said: None,
            sends_unstored: false,
            webhook_login: OnceCell::new(),
            trust,
            deadline,
        }
    }

    /// The same run towards another target, with an account of its own. How much time there is, whether alerts are stored
    /// and where state is kept is one question for all targets of a command.
    pub(crate) fn towards(&self, mut settings: Settings, route: Route) -> Self {
        let ledger = self.ledger.open_account(settings.profile.as_deref(), route);
        settings.outbox = self.settings.outbox;
        settings.state_dir.clone_from(&self.settings.state_dir);
        let is_same = settings.ca_file == self.settings.ca_file;
        let trust = if is_same { self.trust.clone() } else { Trust::new(settings.ca_file.clone()) };
        Self {
            config: self.config,
            settings,
            route: Some(route),
            warnings: Vec::new(),
            mask: self.mask.clone(),
            listener: self.listener.clone(),
            ledger,
            deadline: self.deadline,
            said: None,
            sends_unstored: self.sends_unstored,
            webhook_login: OnceCell::new(),
            trust,
        }
    }

    /// Starts the clock: the input has been read.
    pub(crate) fn start_clock(&mut self) {
        self.deadline = Instant::now() + self.settings.deadline;
    }

    /// When the command must end.
    pub(crate) fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Ends when that one does.
    pub(crate) fn end_with(&mut self, other: &Self) {
        self.deadline = other.deadline;
    }

    /// Ends earlier, to leave others their share of the time.
    pub(crate) fn end_by(&mut self, deadline: Instant) {
        self.deadline = self.deadline.min(deadline);
    }

    /// The folder of what is kept between runs, where one is known.
    pub(crate) fn state(&self) -> Option<Folder> {
        self.settings.state_dir.as_ref().map(Folder::shared_if_made_so)
    }

    /// The same for what cannot do without it.
    pub(crate) fn require_state(&self) -> Result<Folder> {
        self.state().ok_or_else(|| {
            Error::config(
                "no folder for the outbox is known, since HOME is not set",
                "set WECOM_ALERT_STATE_DIR to one",
            )
        })
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

    /// The webhook's key. It is read once: what gives it may be a pipe.
    pub(crate) async fn webhook_login(&self) -> Result<WebhookLogin> {
        let login = self.webhook_login.get_or_try_init(async || {
            let source = self.settings.webhook.as_ref().ok_or_else(|| self.settings.missing(&["webhook"]))?;
            let text = self.load(source).await?;
            let webhook = Webhook::parse(&text, source.origin())?;
            self.mask.add(&webhook.key);
            let (origin, length) = (source.origin().to_owned(), webhook.key.len());
            Ok(WebhookLogin { webhook, provenance: Provenance { origin, length, agent_id: None } })
        });
        login.await.cloned()
    }

    /// What an app's message cannot do without; `agent_id` is what a payload brought where the settings have none.
    pub(crate) fn require_app(&self, agent_id: Option<i64>) -> Result<()> {
        match self.settings.lacking_for_app(agent_id.is_none()).as_slice() {
            [] => Ok(()),
            keys => Err(self.settings.missing(keys)),
        }
    }

    /// The app and its agent, or the webhook's key: what tells two targets apart where no profile names them.
    pub(crate) async fn identity(&self, route: Route, agent_id: Option<i64>) -> Result<String> {
        Ok(match route {
            Route::App => {
                let corp_id = self.settings.corp_id.as_ref().map_or("", |corp_id| &corp_id.value);
                let agent_id = self.settings.agent_id.as_ref().map(|agent| agent.value).or(agent_id);
                outbox::target_of_app(corp_id, agent_id.unwrap_or_default())
            }
            Route::Webhook => outbox::target_of_webhook(&self.webhook_login().await?.webhook.key),
        })
    }

    /// A client for the app's API.
    pub(crate) fn app_client(&mut self) -> Client {
        let base_url = self.settings.base_url_or_default();
        self.client(base_url)
    }

    /// A client for the webhook's API.
    pub(crate) fn webhook_client(&mut self, login: &WebhookLogin) -> Client {
        let base_url = self.webhook_base_url(login);
        self.client(base_url)
    }

    /// Where the webhook's API is.
    pub(crate) fn webhook_base_url(&self, login: &WebhookLogin) -> BaseUrl {
        self.settings.webhook_base_url(&login.webhook)
    }

    pub(crate) fn client(&mut self, base_url: BaseUrl) -> Client {
        if base_url.is_plain_http_beyond_loopback() {
            self.warnings.push(format!("{base_url} is plain http: credentials and alerts can be read on the way"));
        }
        Client::new(self.client_options(base_url), self.mask.clone(), self.listener.clone())
    }

    /// A client for one who looks at the way as well.
    pub(crate) fn inspecting_client(&self, base_url: BaseUrl) -> Client {
        Client::inspecting(self.client_options(base_url), self.mask.clone(), self.listener.clone())
    }

    fn client_options(&self, base_url: BaseUrl) -> ClientOptions {
        let settings = &self.settings;
        if let ProxySetting::Url(proxy) = &settings.proxy
            && let Some(password) = proxy.password()
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
        let (state, rate, listener) = self.pace(Route::App);
        let App { corp_id, agent_id, .. } = &login.app;
        let pacer = Pacer::of_app(state.as_ref(), corp_id, agent_id.unwrap_or_default(), rate, listener);
        Delivery::by_app(client, self.tokens(client, login), provenance, self.manner(pacer))
    }

    /// Deliveries by a webhook.
    pub(crate) fn webhook_delivery<'a>(&self, client: &'a Client, login: WebhookLogin) -> Delivery<'a> {
        let (state, rate, listener) = self.pace(Route::Webhook);
        let pacer = Pacer::of_webhook(state.as_ref(), &login.webhook.key, rate, listener);
        Delivery::by_webhook(client, login.webhook.key, login.provenance, self.manner(pacer))
    }

    fn pace(&self, route: Route) -> (Option<Folder>, Rate, Listener) {
        (self.state(), self.settings.rate.unwrap_or(pacing::default_rate(route)), self.listener.clone())
    }

    fn manner(&self, pacer: Pacer) -> Manner {
        let policy = Policy {
            retries: self.settings.retries,
            at_most_once: self.settings.at_most_once,
            wait_for_rate: self.settings.on_rate_limit == OnRateLimit::Wait,
        };
        let period = match self.settings.rate {
            Some(Rate::Per { period, .. }) => Some(period),
            Some(Rate::Off) | None => None,
        };
        Manner { policy, pacer, listener: self.listener.clone(), ledger: self.ledger.clone(), period }
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
