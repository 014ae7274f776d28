//! The client: the only code that talks to the network.
//!
//! It is given an access token and never asks for one; it never retries, caches or sleeps. A method per endpoint
//! stands in the file of its area; what they share, one exchange under its time limits, stands here.

mod envelope;
pub mod errcode;
mod gettoken;
mod link;
mod media;
mod message;
mod tls;
mod webhook;

use std::future::Future;
use std::path::PathBuf;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use reqwest::{Method, RequestBuilder, Response, Url};

pub use envelope::{CallError, Reply, status_of};
pub use gettoken::{GETTOKEN, Grant};
pub use media::{MEDIA_UPLOAD, Upload, Uploaded, WEBHOOK_UPLOAD_MEDIA};
pub use message::MESSAGE_SEND;
pub use webhook::WEBHOOK_SEND;

use crate::config::{BaseUrl, ProxySetting};
use crate::error::{Error, Result};
use crate::notice::Listener;
use crate::secret::{Mask, Secret};
use link::{Link, Unreached, WatchLayer, WatchedResolver};

/// The slowest line on which an upload is still waited for once all of it was handed to the system, in bytes a second:
/// the system buffers megabytes, and while those move, nobody can see it.
const SLOWEST_UPLOAD: u64 = 64 * 1024;

/// How a client reaches WeCom.
#[derive(Debug, Clone)]
pub struct ClientOptions {
    /// Scheme, host, port and path prefix.
    pub base_url: BaseUrl,
    /// Which proxy to use.
    pub proxy: ProxySetting,
    /// More trusted roots.
    pub ca_file: Option<PathBuf>,
    /// How long a connection may take to stand.
    pub connect_timeout: Duration,
    /// How long an attempt may go without progress.
    pub timeout: Duration,
    /// When the whole command must end.
    pub deadline: Instant,
}

/// A typed client of WeCom's server API. The connection machinery is built at the first call, not before.
pub struct Client {
    options: ClientOptions,
    http: OnceLock<reqwest::Client>,
    link: Link,
    mask: Mask,
    listener: Listener,
}

/// Where a request goes: `secrets` of the query are never shown.
struct Target<'a> {
    method: Method,
    path: &'a str,
    query: Vec<(&'a str, &'a str)>,
}

impl Client {
    /// A client that masks with `mask` and tells `listener` of each attempt.
    #[must_use]
    pub fn new(options: ClientOptions, mask: Mask, listener: Listener) -> Self {
        Self { options, http: OnceLock::new(), link: Link::default(), mask, listener }
    }

    /// The path of an endpoint behind this client's base URL.
    #[must_use]
    pub fn path(&self, endpoint: &str) -> String {
        format!("{}{endpoint}", self.options.base_url.path_prefix())
    }

    /// When the whole command must end.
    #[must_use]
    pub fn deadline(&self) -> Instant {
        self.options.deadline
    }

    /// Builds the connection machinery now, to find out whether it can be built.
    ///
    /// # Errors
    ///
    /// Trusted roots that cannot be read, or a proxy URL that cannot be used.
    pub fn prepare(&self) -> Result<()> {
        self.http().map(|_| ())
    }

    fn http(&self) -> Result<&reqwest::Client> {
        if self.http.get().is_none() {
            let built = self.build()?;
            let _ = self.http.set(built);
        }
        self.http.get().ok_or_else(|| Error::defect("the HTTP client is missing"))
    }

    fn build(&self) -> Result<reqwest::Client> {
        let builder = reqwest::Client::builder()
            .user_agent(concat!("wecom-alert/", env!("CARGO_PKG_VERSION")))
            .tls_backend_preconfigured(tls::client_config(self.options.ca_file.as_deref())?)
            // The credentials are in the query: a redirect would hand them on.
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .retry(reqwest::retry::never())
            .dns_resolver(WatchedResolver(self.link.clone()))
            .connector_layer(WatchLayer(self.link.clone()));
        let unusable = || {
            Error::config("the proxy URL cannot be used", "give http://, https://, socks5:// or socks5h://HOST:PORT")
        };
        let builder = match &self.options.proxy {
            _ if no_proxy_for_any() => builder.no_proxy(),
            ProxySetting::Environment => builder,
            ProxySetting::Off => builder.no_proxy(),
            ProxySetting::Url(url) => {
                let proxy = reqwest::Proxy::all(url.url().expose()).map_err(|_| unusable())?;
                builder.proxy(proxy.no_proxy(reqwest::NoProxy::from_env()))
            }
        };
        builder
            .build()
            .map_err(|error| Error::defect(format!("the HTTP client cannot be built: {}", root_cause(&error))))
    }

    /// Sends a JSON body, as the bytes it was made into.
    async fn post_json(&self, path: &str, credential: (&str, &Secret), body: Vec<u8>) -> Result<Reply, CallError> {
        let target = Target { method: Method::POST, path, query: vec![(credential.0, credential.1.expose())] };
        let request = self.request(&target)?.header(CONTENT_TYPE, "application/json; charset=utf-8").body(body);
        self.exchange(&target, request, &Progress::default()).await
    }

    fn request(&self, target: &Target<'_>) -> Result<RequestBuilder, CallError> {
        let http = self.http().map_err(CallError::Setup)?;
        let url = Url::parse_with_params(&format!("{}{}", self.options.base_url, target.path), &target.query)
            .map_err(|error| CallError::Setup(Error::defect(format!("the request's URL is malformed: {error}"))))?;
        Ok(http.request(target.method.clone(), url))
    }

    /// One request and its answer, judged.
    async fn exchange(
        &self,
        target: &Target<'_>,
        request: RequestBuilder,
        progress: &Progress,
    ) -> Result<Reply, CallError> {
        let began = Instant::now();
        let judged = self.exchange_once(began, request, progress).await;
        let ended = match &judged {
            Ok(reply) => format!("errcode 0 {}", reply.answer.errmsg),
            // Whole: the id in it is what WeCom's support asks for.
            Err(CallError::Rejected { answer, .. }) => format!("errcode {} {}", answer.errcode, answer.errmsg),
            Err(error) => error.to_string(),
        };
        let spent = began.elapsed().as_millis();
        self.listener.detail(format!("{} {}: {ended} ({spent} ms)", target.method, self.path(target.path)));
        judged
    }

    async fn exchange_once(
        &self,
        began: Instant,
        request: RequestBuilder,
        progress: &Progress,
    ) -> Result<Reply, CallError> {
        let left = self.options.deadline.saturating_duration_since(began);
        if left.is_zero() {
            return Err(CallError::Unreached("the deadline passed before the request was made".to_owned()));
        }
        self.link.begin(self.options.connect_timeout.min(left));
        let response = match self.while_moving(began, progress, request.send()).await {
            Ok(Ok(response)) => response,
            Ok(Err(error)) => return Err(self.no_response(began, progress, &root_cause(&error))),
            Err(waited) => return Err(self.no_response(began, progress, &format!("no answer within {waited}"))),
        };
        let status = response.status().as_u16();
        let retry_after = seconds_of(response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()));
        let body = self.read_body(status, response).await?;
        judge_masked(status, retry_after, &body, &self.mask)
    }

    /// Waits as long as the attempt moves and the deadline has not come.
    async fn while_moving<F: Future>(&self, began: Instant, progress: &Progress, work: F) -> Result<F::Output, String> {
        let mut work = pin!(work);
        loop {
            let limit = match self.link.stood_since(began) {
                Some(stood) => self.patience_ends(progress, stood),
                // Not standing yet: look again before a connection made in this moment could have run out of time.
                None => Instant::now() + self.options.timeout,
            };
            let limit = limit.min(self.options.deadline);
            match tokio::time::timeout_at(limit.into(), &mut work).await {
                Ok(output) => return Ok(output),
                Err(_) if Instant::now() >= self.options.deadline => return Err("the deadline".to_owned()),
                Err(_) => {}
            }
            let stood = self.link.stood_since(began);
            if stood.is_some_and(|stood| Instant::now() >= self.patience_ends(progress, stood)) {
                return Err(format!("{:?}", self.options.timeout));
            }
        }
    }

    /// When an attempt whose connection stood at `stood` has gone without progress for too long.
    fn patience_ends(&self, progress: &Progress, stood: Instant) -> Instant {
        let moved = progress.last_moved().map_or(stood, |moved| moved.max(stood));
        moved + self.options.timeout + progress.draining()
    }

    /// What it means that no response came: it depends on whether the request can have gone out.
    fn no_response(&self, began: Instant, progress: &Progress, reason: &str) -> CallError {
        if let Some(error) = progress.failure() {
            return CallError::Setup(error);
        }
        let host = self.options.base_url.host();
        let failure = match self.link.failure() {
            Some(failure) => failure,
            None if self.link.stood_since(began).is_some() => {
                return CallError::Silent(format!("the request went out to {host}, but no answer came: {reason}"));
            }
            None => self.link.describe_wait(began.elapsed()),
        };
        let by = match &self.options.proxy {
            ProxySetting::Url(proxy) => format!(" through the proxy {proxy}"),
            ProxySetting::Environment | ProxySetting::Off => String::new(),
        };
        match failure {
            Unreached::Dns { host, reason } => {
                CallError::Unreached(format!("the name {host} could not be looked up: {reason}"))
            }
            Unreached::Connect(reason) => CallError::Unreached(format!("no connection to {host}{by}: {reason}")),
            Unreached::TimedOut(waited) => {
                CallError::Unreached(format!("no connection to {host}{by} within {} ms", waited.as_millis()))
            }
            Unreached::Certificate(reason) => CallError::Untrusted(reason),
            Unreached::ProxyAuth => CallError::ProxyLogin,
        }
    }

    async fn read_body(&self, status: u16, mut response: Response) -> Result<Vec<u8>, CallError> {
        let foreign = |what: String| CallError::Foreign(format!("HTTP {status}, but {what}"));
        let mut body = Vec::new();
        loop {
            let limit = (Instant::now() + self.options.timeout).min(self.options.deadline);
            let chunk = match tokio::time::timeout_at(limit.into(), response.chunk()).await {
                Ok(Ok(Some(chunk))) => chunk,
                Ok(Ok(None)) => return Ok(body),
                Ok(Err(error)) => return Err(foreign(format!("the answer was cut off: {}", root_cause(&error)))),
                Err(_) => return Err(foreign("the rest of the answer did not come in time".to_owned())),
            };
            if body.len() + chunk.len() > envelope::ANSWER_LIMIT {
                return Err(foreign(format!("the answer is longer than {} bytes", envelope::ANSWER_LIMIT)));
            }
            body.extend_from_slice(&chunk);
        }
    }
}

/// `NO_PROXY=*`, as curl has it. The HTTP library does not apply it to hosts given by address.
fn no_proxy_for_any() -> bool {
    let list = std::env::var("NO_PROXY").or_else(|_| std::env::var("no_proxy")).unwrap_or_default();
    list.split(',').any(|item| item.trim() == "*")
}

/// Secrets are masked before anything of an answer is put into a message.
fn judge_masked(status: u16, retry_after: Option<Duration>, body: &[u8], mask: &Mask) -> Result<Reply, CallError> {
    match envelope::judge(status, retry_after, body) {
        Ok(reply) => Ok(reply),
        Err(CallError::Rejected { mut answer, fields }) => {
            answer.errmsg = mask.apply(&answer.errmsg);
            Err(CallError::Rejected { answer, fields })
        }
        Err(_) => {
            let masked = mask.apply(&String::from_utf8_lossy(body));
            // The verdict rests on the status; only the excerpt is made again, from the masked text.
            Err(envelope::foreign(status, retry_after, masked.as_bytes()))
        }
    }
}

/// How far the body of a request has got.
#[derive(Debug, Clone, Default)]
struct Progress(Arc<ProgressState>);

#[derive(Debug, Default)]
struct ProgressState {
    moved: Mutex<Option<Instant>>,
    sent: AtomicU64,
    failure: OnceLock<Error>,
}

impl Progress {
    /// Notes bytes handed over and returns their number so far.
    fn add(&self, bytes: u64) -> u64 {
        *self.0.moved.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        self.0.sent.fetch_add(bytes, Ordering::Relaxed) + bytes
    }

    /// Notes that the body could not be read to its end: it is this that ends the request then.
    fn fail(&self, error: Error) {
        let _ = self.0.failure.set(error);
    }

    fn failure(&self) -> Option<Error> {
        self.0.failure.get().cloned()
    }

    fn last_moved(&self) -> Option<Instant> {
        *self.0.moved.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How long the bytes handed over may still take on their way.
    fn draining(&self) -> Duration {
        Duration::from_secs(self.0.sent.load(Ordering::Relaxed) / SLOWEST_UPLOAD)
    }
}

/// The innermost cause, whose text has no URL in it.
fn root_cause(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

fn seconds_of(header: Option<&str>) -> Option<Duration> {
    header?.trim().parse().ok().map(Duration::from_secs)
}
