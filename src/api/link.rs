//! The way to WeCom's door: name look-up, connection, TLS and proxy tunnel, each watched where it happens.
//!
//! Exit codes depend on whether a connection stood when a request failed. That is recorded here as it is made,
//! so that nobody has to guess it from an error's text.

use std::error::Error as StdError;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use rustls::CertificateError;
use tower_layer::Layer;
use tower_service::Service;

use super::failure::CertificateFault;

type BoxError = Box<dyn StdError + Send + Sync>;

/// Why no connection came to stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Unreached {
    /// The name was not found.
    Dns {
        /// The name looked up: WeCom's, or a proxy's.
        host: String,
        /// What the system said.
        reason: String,
    },
    /// The look-up did not end within the connect limit.
    DnsTimedOut {
        /// The name looked up: WeCom's, or a proxy's.
        host: String,
        /// For how long it was waited for.
        waited: Duration,
    },
    /// Refused, unreachable, reset, or a handshake that failed for another cause than the certificate.
    Connect(String),
    /// Nothing stood within the connect limit.
    TimedOut(Duration),
    /// The peer's certificate is not trusted, expired or for another name.
    Certificate(CertificateFault),
    /// The proxy wants a log-in, or another one.
    ProxyAuth,
}

tokio::task_local! {
    /// The link of the attempt that the current task is polling.
    static CURRENT: Link;
}

/// What is known of the connection that an attempt uses.
#[derive(Debug)]
struct State {
    began: Instant,
    limit: Duration,
    /// Nobody wants to send anything: a connection that stands is dropped.
    only_looks: bool,
    connecting: bool,
    looked_up: Option<String>,
    stood: Option<Instant>,
    failure: Option<Unreached>,
}

/// Watches the connection of one attempt as it is made; clones watch the same one.
#[derive(Debug, Clone)]
pub(super) struct Link(Arc<Mutex<State>>);

impl Link {
    /// Begins an attempt, whose connection may take `limit` to stand.
    pub(super) fn begin(limit: Duration) -> Self {
        Self::with(limit, false)
    }

    /// Begins an attempt that ends when its connection stands: no request goes out.
    pub(super) fn begin_look(limit: Duration) -> Self {
        Self::with(limit, true)
    }

    fn with(limit: Duration, only_looks: bool) -> Self {
        Self(Arc::new(Mutex::new(State {
            began: Instant::now(),
            limit,
            only_looks,
            connecting: only_looks,
            looked_up: None,
            stood: None,
            failure: None,
        })))
    }

    /// Runs the attempt's request. The connector finds the link through the task that polls it: hyper calls the connector
    /// there, not in a task of its own.
    pub(super) async fn watch<F: Future>(&self, request: F) -> F::Output {
        CURRENT.scope(self.clone(), request).await
    }

    fn current() -> Option<Self> {
        CURRENT.try_with(Self::clone).ok()
    }

    fn is_current(&self) -> bool {
        CURRENT.try_with(|current| Arc::ptr_eq(&current.0, &self.0)).unwrap_or(false)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Since when the request has had a connection. An attempt that made none was given one that stood before.
    pub(super) fn stood_since(&self) -> Option<Instant> {
        let state = self.state();
        match (state.stood, state.connecting || state.failure.is_some()) {
            (Some(since), _) => Some(since),
            (None, true) => None,
            (None, false) => Some(state.began),
        }
    }

    /// For how long the attempt has lasted.
    pub(super) fn elapsed(&self) -> Duration {
        self.state().began.elapsed()
    }

    /// Why the connection did not come to stand; `None` while it stands or is being made.
    pub(super) fn failure(&self) -> Option<Unreached> {
        self.state().failure.clone()
    }

    /// What the attempt was doing when it was cut off before a connection stood.
    pub(super) fn describe_wait(&self, waited: Duration) -> Unreached {
        match self.state().looked_up.clone() {
            Some(host) => Unreached::DnsTimedOut { host, waited },
            None => Unreached::TimedOut(waited),
        }
    }

    /// A connection is being made; returns how long it may take.
    fn connect(&self) -> Duration {
        let mut state = self.state();
        state.connecting = true;
        state.stood = None;
        state.limit
    }

    fn stand(&self) {
        let mut state = self.state();
        state.connecting = false;
        state.failure = None;
        state.stood = Some(Instant::now());
    }

    fn fail(&self, failure: Unreached) {
        let mut state = self.state();
        if state.stood.is_some() {
            return;
        }
        state.connecting = false;
        // The look-up knows better than the connector that reports its failure a moment later.
        state.failure.get_or_insert(failure);
    }
}

/// Name look-up by the system, noted in the link.
pub(super) struct WatchedResolver;

impl Resolve for WatchedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let link = Link::current();
        Box::pin(async move {
            let host = name.as_str().to_owned();
            let look_up = |name| link.as_ref().map(|link| link.state().looked_up = name);
            look_up(Some(host.clone()));
            let found = tokio::net::lookup_host((host.as_str(), 0)).await;
            look_up(None);
            match found.map(Iterator::collect::<Vec<_>>) {
                Ok(addresses) => Ok(Box::new(addresses.into_iter()) as Addrs),
                Err(error) => {
                    if let Some(link) = &link {
                        link.fail(Unreached::Dns { host, reason: error.to_string() });
                    }
                    Err(error.into())
                }
            }
        })
    }
}

/// The layer around the connector that notes when a connection stands and why not.
#[derive(Clone)]
pub(super) struct WatchLayer;

impl<S> Layer<S> for WatchLayer {
    type Service = Watched<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Watched(inner)
    }
}

/// A connector that is watched.
#[derive(Clone)]
pub(super) struct Watched<S>(S);

impl<S, Target> Service<Target> for Watched<S>
where
    S: Service<Target, Error = BoxError>,
    S::Future: Send + 'static,
    S::Response: Send + 'static,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, target: Target) -> Self::Future {
        let connecting = self.0.call(target);
        match Link::current() {
            Some(link) => {
                let limit = link.connect();
                Box::pin(watched(link, limit, connecting))
            }
            None => Box::pin(connecting),
        }
    }
}

/// Makes a connection under the limit of its attempt, and notes how it ends.
async fn watched<C>(
    link: Link,
    limit: Duration,
    connecting: impl Future<Output = Result<C, BoxError>>,
) -> Result<C, BoxError> {
    let mut connecting = pin!(tokio::time::timeout(limit, CURRENT.scope(link.clone(), connecting)));
    let mut is_needed = true;
    let made = poll_fn(|context| {
        // hyper moves a connection to a task of its own once the request was given another that came free.
        if is_needed && !link.is_current() {
            is_needed = false;
            link.stand();
        }
        connecting.as_mut().poll(context)
    });
    match made.await {
        made if !is_needed => made?,
        Ok(Ok(connection)) => {
            link.stand();
            if link.state().only_looks { Err("nothing is sent over it".into()) } else { Ok(connection) }
        }
        Ok(Err(error)) => {
            link.fail(classify(error.as_ref()));
            Err(error)
        }
        Err(elapsed) => {
            link.fail(link.describe_wait(limit));
            Err(elapsed.into())
        }
    }
}

/// Reads the connector's error: by type where it has one, by text only for the proxies' log-in, whose errors are not public types.
fn classify(error: &(dyn StdError + 'static)) -> Unreached {
    let mut deepest = error.to_string();
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(fault) = certificate_fault(error) {
            return Unreached::Certificate(fault);
        }
        let text = error.to_string();
        if is_proxy_login(&text) {
            return Unreached::ProxyAuth;
        }
        deepest = text;
        // An io::Error hides what it wraps from `source`, and that is where TLS errors are.
        let wrapped = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        next = wrapped.map(|inner| inner as &(dyn StdError + 'static)).or_else(|| error.source());
    }
    Unreached::Connect(deepest)
}

fn certificate_fault(error: &(dyn StdError + 'static)) -> Option<CertificateFault> {
    let rustls::Error::InvalidCertificate(problem) = error.downcast_ref::<rustls::Error>()? else { return None };
    Some(match problem {
        CertificateError::UnknownIssuer => CertificateFault::Issuer,
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => CertificateFault::Expired,
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => CertificateFault::NotYetValid,
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => CertificateFault::Name,
        other => CertificateFault::Other(other.to_string()),
    })
}

fn is_proxy_login(text: &str) -> bool {
    const ENDS: [&str; 4] = [
        "proxy authorization required",
        "credentials not accepted",
        "server does not support user/pass authentication",
        "server implements authentication incorrectly",
    ];
    ENDS.iter().any(|end| text.ends_with(end))
}
