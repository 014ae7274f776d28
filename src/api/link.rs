//! The way to WeCom's door: name look-up, connection, TLS and proxy tunnel, each watched where it happens.
//!
//! Exit codes depend on whether a connection stood when a request failed. That is recorded here as it is made,
//! so that nobody has to guess it from an error's text.

use std::error::Error as StdError;
use std::future::Future;
use std::pin::Pin;
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

/// What is known of the connection that the current attempt uses.
#[derive(Debug, Default)]
struct State {
    limit: Duration,
    /// Nobody wants to send anything: a connection that stands is dropped.
    only_looks: bool,
    connecting: bool,
    looked_up: Option<String>,
    stood: Option<Instant>,
    failure: Option<Unreached>,
}

/// Watches connections as they are made; clones watch together.
#[derive(Debug, Clone, Default)]
pub(super) struct Link(Arc<Mutex<State>>);

impl Link {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins an attempt, whose connection may take `limit` to stand.
    pub(super) fn begin(&self, limit: Duration) {
        *self.state() = State { limit, ..State::default() };
    }

    /// Begins an attempt that ends when its connection stands: no request goes out.
    pub(super) fn begin_look(&self, limit: Duration) {
        *self.state() = State { limit, only_looks: true, connecting: true, ..State::default() };
    }

    /// Since when the request has had a connection. An attempt that made none was given one that stood before.
    pub(super) fn stood_since(&self, began: Instant) -> Option<Instant> {
        let state = self.state();
        match (state.stood, state.connecting || state.failure.is_some()) {
            (Some(since), _) => Some(since),
            (None, true) => None,
            (None, false) => Some(began),
        }
    }

    /// Why the connection did not come to stand; `None` while it stands or is being made.
    pub(super) fn failure(&self) -> Option<Unreached> {
        self.state().failure.clone()
    }

    /// What an attempt was doing when it was cut off before a connection stood.
    pub(super) fn describe_wait(&self, waited: Duration) -> Unreached {
        match self.state().looked_up.clone() {
            Some(host) => Unreached::DnsTimedOut { host, waited },
            None => Unreached::TimedOut(waited),
        }
    }

    fn fail(&self, failure: Unreached) {
        let mut state = self.state();
        state.connecting = false;
        // The look-up knows better than the connector that reports its failure a moment later.
        state.failure.get_or_insert(failure);
    }
}

/// Name look-up by the system, noted in the link.
pub(super) struct WatchedResolver(pub(super) Link);

impl Resolve for WatchedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let link = self.0.clone();
        Box::pin(async move {
            let host = name.as_str().to_owned();
            link.state().looked_up = Some(host.clone());
            let found = tokio::net::lookup_host((host.as_str(), 0)).await;
            link.state().looked_up = None;
            match found.map(Iterator::collect::<Vec<_>>) {
                Ok(addresses) => Ok(Box::new(addresses.into_iter()) as Addrs),
                Err(error) => {
                    link.fail(Unreached::Dns { host, reason: error.to_string() });
                    Err(error.into())
                }
            }
        })
    }
}

/// The layer around the connector that notes when a connection stands and why not.
#[derive(Clone)]
pub(super) struct WatchLayer(pub(super) Link);

impl<S> Layer<S> for WatchLayer {
    type Service = Watched<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Watched { inner, link: self.0.clone() }
    }
}

/// A connector that is watched.
#[derive(Clone)]
pub(super) struct Watched<S> {
    inner: S,
    link: Link,
}

impl<S, Target> Service<Target> for Watched<S>
where
    S: Service<Target, Error = BoxError>,
    S::Future: Send + 'static,
    S::Response: Send,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, target: Target) -> Self::Future {
        let link = self.link.clone();
        let limit = {
            let mut state = link.state();
            state.connecting = true;
            state.stood = None;
            state.limit
        };
        let connection = self.inner.call(target);
        Box::pin(async move {
            match tokio::time::timeout(limit, connection).await {
                Ok(Ok(connection)) => {
                    let mut state = link.state();
                    state.connecting = false;
                    state.failure = None;
                    state.stood = Some(Instant::now());
                    if state.only_looks { Err("nothing is sent over it".into()) } else { Ok(connection) }
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
        })
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
