//! The client: the only code that talks to the network.
//!
//! It is given an access token and never asks for one; it never retries, caches or sleeps. The methods for the
//! endpoints are in `endpoints` and `directory`; this file has what they share: options, connections and requests.

pub(crate) mod aibot;
mod appchat;
mod certificate;
mod connect;
mod directory;
mod endpoints;
mod envelope;
pub(crate) mod errcode;
mod exchange;
mod failure;
mod probe;
mod proxy;
mod resolver;
mod roots;
#[cfg(test)]
mod tests;
mod trust;
mod upload;

use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use tokio::sync::{OnceCell, Semaphore};

pub(crate) use appchat::{APPCHAT_CREATE, APPCHAT_GET, APPCHAT_UPDATE, ChatInfo};
pub(crate) use certificate::{Certificate, CertificateFault};
pub(crate) use directory::{
    DEPARTMENT_GET, DEPARTMENT_LIST, DEPARTMENT_SIMPLELIST, Membership, OPENUSERID_TO_USERID, TAG_GET, TAG_LIST,
    USER_GET, USER_SIMPLELIST, look_up_request,
};
pub use directory::{Department, Member, Tag};
pub(crate) use endpoints::{AGENT_GET, Agent, GETTOKEN, Grant, RECALL, UPDATE_CARD, Uploaded, endpoint, recall_body};
pub(crate) use envelope::Reply;
pub(crate) use exchange::PlainAnswer;
pub(crate) use failure::{CallError, FirstHop, Limit};
pub(crate) use probe::ProxyUse;
pub(crate) use roots::check_ca_file;
pub(crate) use trust::Trust;

use crate::config::{BaseUrl, ProxySetting};
use crate::error::{Error, Result};
use crate::event::Observer;
use crate::secret::Mask;
use certificate::CertificateRecorder;
use connect::Watched;
use failure::Peer;
use proxy::Proxy;
use resolver::Resolver;

/// How a client reaches WeCom.
#[derive(Debug, Clone)]
pub(crate) struct ClientOptions {
    /// Scheme, host, port and path prefix.
    pub(crate) base_url: BaseUrl,
    /// Which proxy to use, if variables do not decide.
    pub(crate) proxy: ProxySetting,
    /// Which certificates are trusted. Clients that are given clones read them once together.
    pub(crate) trust: Trust,
    /// The connect timeout.
    pub(crate) connect_timeout: Duration,
    /// How long an attempt may go without progress.
    pub(crate) timeout: Duration,
    /// When the whole command must end.
    pub(crate) deadline: Instant,
}

/// A typed client of WeCom's server API. The connection machinery is built at the first call, not before. Clones share it.
#[derive(Clone)]
pub(crate) struct Client {
    /// How it reaches WeCom.
    pub(crate) options: ClientOptions,
    http: Arc<OnceCell<reqwest::Client>>,
    reuses_connections: bool,
    /// Lets so many requests through at once, where the connections serve many alerts.
    gate: Option<Arc<Semaphore>>,
    resolver: Resolver,
    /// The one on the way to WeCom.
    proxy: Arc<Result<Option<Proxy>>>,
    /// By how many seconds this machine's clock is ahead of WeCom's, by its first answer; negative where it is behind. It is
    /// exact to a second and the time that the answer took.
    pub(crate) clock_ahead_s: Arc<OnceLock<i64>>,
    /// Records the certificates that were shown, where somebody asks for them.
    recorder: Option<CertificateRecorder>,
    mask: Mask,
    observer: Observer,
}

impl Client {
    /// A client that masks with `mask` and tells `observer` of each attempt.
    pub(crate) fn new(options: ClientOptions, mask: Mask, observer: Observer) -> Self {
        let (http, resolver, clock_ahead_s) = (Arc::default(), Resolver::default(), Arc::default());
        let proxy = Arc::new(Proxy::find(&options.proxy, &options.base_url));
        Self {
            options,
            http,
            reuses_connections: true,
            gate: None,
            resolver,
            proxy,
            clock_ahead_s,
            recorder: None,
            mask,
            observer,
        }
    }

    /// A client that shares the connections of this one.
    pub(crate) fn with_options(&self, options: ClientOptions) -> Self {
        Self { options, ..self.clone() }
    }

    /// The same for many alerts: its connections outlive the first one, and `gate` bounds how many requests there are at once.
    pub(crate) fn for_many(self, gate: Arc<Semaphore>) -> Self {
        Self { gate: Some(gate), ..self }
    }

    /// The path of an endpoint after this client's base URL.
    pub(crate) fn path(&self, endpoint: &str) -> String {
        format!("{}{endpoint}", self.options.base_url.path_prefix())
    }

    /// From now on each request has a connection of its own. A server may close a connection that is kept open at any
    /// moment, also when the next request is on its way: then nobody knows whether that was read.
    pub(crate) fn stop_reusing_connections(&mut self) {
        if std::mem::take(&mut self.reuses_connections) {
            self.http = Arc::default();
        }
    }

    /// Builds the connection machinery now, to find out whether it can be built.
    /// Fails for trusted roots that cannot be read before the deadline, and for a proxy that cannot be used.
    pub(crate) async fn prepare(&self) -> Result<()> {
        self.http().await.map(|_| ())
    }

    fn http(&self) -> Pin<Box<dyn Future<Output = Result<&reqwest::Client>> + Send + '_>> {
        Box::pin(self.http.get_or_try_init(|| self.build()))
    }

    async fn build(&self) -> Result<reqwest::Client> {
        let proxy = self.proxy.as_ref().as_ref().map_err(Clone::clone)?.as_ref();
        let time_left = self.options.deadline.saturating_duration_since(Instant::now());
        // What is built for many alerts must not depend on the time that the first one has.
        let time_left = if self.gate.is_some() { Duration::MAX } else { time_left };
        let connect_limit = self.options.connect_timeout.min(time_left);
        let is_tls = self.is_tls() || proxy.is_some_and(Proxy::is_tls);
        let tls = self.options.trust.client_config(is_tls, self.options.deadline, self.recorder.clone()).await?;
        let builder = reqwest::Client::builder()
            .user_agent(concat!("wecom-alert/", env!("CARGO_PKG_VERSION")))
            .tls_backend_preconfigured(tls)
            // The credentials are in the query: a redirect would hand them on.
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .retry(reqwest::retry::never())
            // Each address of a name gets its share of it.
            .connect_timeout(connect_limit)
            .pool_max_idle_per_host(if self.reuses_connections { usize::MAX } else { 0 })
            .dns_resolver(self.resolver.clone())
            .connector_layer(tower_layer::layer_fn(Watched::new));
        proxy::apply(proxy, builder)?.build().map_err(|error| {
            Error::defect(format!("the HTTP client cannot be built: {}", exchange::root_cause(&error)))
        })
    }

    /// Makes an attempt. If the server's certificate is not trusted, reads all trusted roots and makes another: the
    /// handshake failed, so nothing was sent.
    async fn with_all_roots<T>(&self, attempt: impl AsyncFn() -> Result<T, CallError>) -> Result<T, CallError> {
        let has_unread_roots = self.options.trust.has_unread_roots();
        let ended = attempt().await;
        if self.has_found_roots(has_unread_roots, ended.as_ref().err()).await? {
            return attempt().await;
        }
        ended
    }

    /// Whether an attempt that failed with this may do better, since more roots were read. `has_unread_roots` tells whether
    /// there were more when it began.
    async fn has_found_roots(&self, has_unread_roots: bool, failure: Option<&CallError>) -> Result<bool, CallError> {
        // More roots do not help against a certificate for another name.
        let is_refused =
            matches!(failure, Some(CallError::Untrusted { fault, .. }) if *fault != CertificateFault::Name);
        if !has_unread_roots || !is_refused {
            return Ok(false);
        }
        self.options.trust.read_all_roots(self.options.deadline).await.map_err(CallError::Setup)
    }

    /// The time left until the deadline; an error if there is none.
    fn time_left(&self) -> Result<Duration, CallError> {
        let left = self.options.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            let message =
                format!("the deadline passed before the request to {} was made", self.options.base_url.host());
            let hint = "nothing was sent; try again with a larger --deadline";
            return Err(CallError::Setup(Error::temporary(message, hint)));
        }
        Ok(left)
    }

    /// The proxy on the way to WeCom.
    fn proxy(&self) -> Option<&Proxy> {
        self.proxy.as_ref().as_ref().ok()?.as_ref()
    }

    /// How errors name the peer of a call to that endpoint.
    fn peer(&self, endpoint: &str) -> Peer<'_> {
        Peer { host: self.options.base_url.host(), path: self.path(endpoint), proxy: self.proxy() }
    }
}

/// What an HTTP answer means: see `fuzz::judge_answer`.
#[cfg(fuzzing)]
pub(crate) fn judge_answer(status: u16, body: &[u8]) -> (Option<std::result::Result<i64, i64>>, String) {
    let answer = envelope::HttpAnswer { status, ..envelope::HttpAnswer::default() };
    let peer = failure::Peer { host: "wecom.example", path: "/cgi-bin/x".to_owned(), proxy: None };
    match failure::judge(&answer, body, &["errmsg"], &peer, &Mask::default()) {
        Ok(reply) => (Some(Ok(reply.answer.errcode)), String::new()),
        Err(CallError::Rejected(reply)) => (Some(Err(reply.answer.errcode)), String::new()),
        Err(error) => (None, error.to_string()),
    }
}
