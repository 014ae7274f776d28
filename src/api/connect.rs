//! Makes connections (name look-up, TCP, TLS, proxy tunnel), and records how far each one got.
//!
//! Exit codes depend on whether a connection was established when a request failed. That is recorded here while it is
//! made, and not derived from the text of an error.

use std::error::Error as StdError;
use std::future::{Future, poll_fn};
use std::io::ErrorKind;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use hyper::http::Extensions;
use hyper_util::client::legacy::connect::{Connection, HttpInfo};
use tokio::time::error::Elapsed;
use tower_service::Service;

use super::certificate::{CertificateFault, handshake_failure};
use crate::error::is_too_few_files;

type BoxError = Box<dyn StdError + Send + Sync>;

/// Why no connection was established.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ConnectFailure {
    /// The name of `host`, WeCom's or a proxy's, was not found, for the reason that the system gave.
    Dns { host: String, reason: String },
    /// The look-up of `host` did not end within the connect timeout.
    DnsTimedOut { host: String, waited: Duration },
    /// Unreachable, reset, or a handshake that failed for another cause than the certificate.
    Connect(String),
    /// The host answered that nothing listens at this port, in the words of the system.
    Refused(String),
    /// No more files may be open, in the words of the system.
    TooFewFiles(String),
    /// No connection within the connect timeout.
    TimedOut(Duration),
    /// The peer's certificate is not trusted, expired or for another name.
    Certificate(CertificateFault),
    /// The proxy wants a log-in, or another one.
    ProxyAuth,
}

tokio::task_local! {
    /// The watch of the attempt that the current task is polling.
    static CURRENT: ConnectionWatch;
}

/// What is known of the connection that an attempt uses.
#[derive(Debug)]
struct State {
    began: Instant,
    limit: Duration,
    /// For a probe: no request follows, and an established connection is dropped.
    is_probe: bool,
    connecting: bool,
    /// The name that is being looked up.
    looking_up: Option<String>,
    /// The addresses that were found for each name on the way, in the order in which they are tried.
    found: Vec<Vec<IpAddr>>,
    /// The address that the connection leads to, where it was one of several.
    remote: Option<IpAddr>,
    established: Option<Instant>,
    failure: Option<ConnectFailure>,
}

impl ConnectFailure {
    /// Why the addresses of `host` were not found.
    pub(super) fn of_look_up(host: String, error: &std::io::Error) -> Self {
        let reason = error.to_string();
        if is_too_few_files(error) { Self::TooFewFiles(reason) } else { Self::Dns { host, reason } }
    }

    /// Why an address took no connection.
    pub(super) fn of_connect(error: &std::io::Error) -> Self {
        let reason = error.to_string();
        match error.kind() {
            _ if is_too_few_files(error) => Self::TooFewFiles(reason),
            ErrorKind::ConnectionRefused => Self::Refused(reason),
            _ => Self::Connect(reason),
        }
    }
}

impl State {
    /// When the connection of this attempt was established; `None` before. If the attempt made none, it uses one from
    /// the pool: then it is the start of the attempt.
    fn established_since(&self) -> Option<Instant> {
        let is_given = !self.connecting && self.failure.is_none();
        self.established.or(is_given.then_some(self.began))
    }

    /// The step (name look-up or connection) that was not finished when the time was over.
    fn timed_out(&self, waited: Duration) -> ConnectFailure {
        match self.looking_up.clone() {
            Some(host) => ConnectFailure::DnsTimedOut { host, waited },
            None => ConnectFailure::TimedOut(waited),
        }
    }
}

/// Watches the connection of one attempt as it is made; clones watch the same one.
#[derive(Debug, Clone)]
pub(super) struct ConnectionWatch(Arc<Mutex<State>>);

impl ConnectionWatch {
    /// Begins an attempt. `limit` is the connect timeout. With `is_probe` the attempt ends when the
    /// connection is established: no request goes out.
    pub(super) fn begin(limit: Duration, is_probe: bool) -> Self {
        Self(Arc::new(Mutex::new(State {
            began: Instant::now(),
            limit,
            is_probe,
            connecting: is_probe,
            looking_up: None,
            found: Vec::new(),
            remote: None,
            established: None,
            failure: None,
        })))
    }

    /// Runs the request of the attempt with this watch. The connector finds the watch through the task that polls it:
    /// hyper calls the connector there, not in a task of its own.
    pub(super) async fn over<F: Future>(&self, request: F) -> F::Output {
        CURRENT.scope(self.clone(), request).await
    }

    pub(super) fn current() -> Option<Self> {
        CURRENT.try_with(Self::clone).ok()
    }

    fn is_current(&self) -> bool {
        CURRENT.try_with(|current| Arc::ptr_eq(&current.0, &self.0)).unwrap_or(false)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// When the connection of this attempt was established; `None` before.
    pub(super) fn established_since(&self) -> Option<Instant> {
        self.state().established_since()
    }

    /// Why an attempt that has ended had no connection; `None` if it had one.
    pub(super) fn failure(&self) -> Option<ConnectFailure> {
        let state = self.state();
        match &state.failure {
            Some(failure) => Some(failure.clone()),
            None if state.established_since().is_some() => None,
            None => Some(state.timed_out(state.began.elapsed())),
        }
    }

    /// The addresses that an attempt which has ended found dead: those that were tried before the one of its
    /// connection, and that one too unless it led to an answer.
    pub(super) fn failed_addresses(&self, has_answer: bool) -> Vec<IpAddr> {
        let state = self.state();
        let is_good = has_answer || state.is_probe;
        let failed = state.found.iter().flat_map(|found| {
            // Without a connection they may all have failed: the next attempt begins with the second.
            let used = found.iter().position(|address| Some(*address) == state.remote).unwrap_or_default();
            found.iter().take(used + usize::from(!is_good))
        });
        failed.copied().collect()
    }

    /// The name `host` is being looked up.
    pub(super) fn look_up(&self, host: &str) {
        self.state().looking_up = Some(host.to_owned());
    }

    /// The addresses that the look-up found, in the order in which they are tried.
    pub(super) fn looked_up(&self, found: Vec<IpAddr>) {
        let mut state = self.state();
        state.looking_up = None;
        state.found.push(found);
    }

    /// A connection is being made; returns how long it may take.
    fn connect(&self) -> Duration {
        let mut state = self.state();
        state.connecting = true;
        state.established = None;
        state.limit
    }

    fn set_established(&self) {
        let mut state = self.state();
        state.connecting = false;
        state.failure = None;
        state.established = Some(Instant::now());
    }

    /// Records where the connection leads to, if it could have led elsewhere.
    fn set_remote(&self, connection: &impl Connection) {
        let mut state = self.state();
        if state.found.iter().any(|found| found.len() > 1) {
            let mut extras = Extensions::new();
            connection.connected().get_extras(&mut extras);
            state.remote = extras.get().map(|info: &HttpInfo| info.remote_addr().ip());
        }
    }

    pub(super) fn fail(&self, failure: ConnectFailure) {
        let mut state = self.state();
        if state.established.is_some() {
            return;
        }
        state.connecting = false;
        state.looking_up = None;
        // The look-up has the exact reason; the connector reports the same failure a moment later in general words.
        state.failure.get_or_insert(failure);
    }
}

/// A connector that records when its connection is established, or why it fails.
pub(super) struct Watched<S>(Arc<S>);

impl<S> Watched<S> {
    pub(super) fn new(connector: S) -> Self {
        Self(Arc::new(connector))
    }
}

/// The HTTP client copies its connector for each request, most of which make no connection.
impl<S> Clone for Watched<S> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<S, Target> Service<Target> for Watched<S>
where
    S: Service<Target, Error = BoxError> + Clone + Send + 'static,
    S::Future: Send + 'static,
    S::Response: Connection + Send + 'static,
    Target: Send + 'static,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, target: Target) -> Self::Future {
        let mut connector = S::clone(&self.0);
        let connecting = async move {
            poll_fn(|context| connector.poll_ready(context)).await?;
            connector.call(target).await
        };
        match ConnectionWatch::current() {
            Some(watch) => Box::pin(watched(watch, connecting)),
            None => Box::pin(connecting),
        }
    }
}

/// Makes a connection within the connect timeout of its attempt, and records the result. The time counts from this
/// call: the HTTP client has a timeout of the same length, which must not be the first to end.
fn watched<C: Connection>(
    watch: ConnectionWatch,
    connecting: impl Future<Output = Result<C, BoxError>>,
) -> impl Future<Output = Result<C, BoxError>> {
    let limit = watch.connect();
    let mut connecting = Box::pin(tokio::time::timeout(limit, CURRENT.scope(watch.clone(), connecting)));
    async move {
        let mut is_needed = true;
        let made = poll_fn(|context| {
            // When a pooled connection becomes free, hyper uses that one for the request and finishes this one in a
            // task of its own.
            if is_needed && !watch.is_current() {
                is_needed = false;
                watch.set_established();
            }
            connecting.as_mut().poll(context)
        });
        match made.await {
            made if !is_needed => made?,
            Ok(Ok(connection)) => {
                watch.set_established();
                watch.set_remote(&connection);
                // Lets the event loop see whether the peer has closed it already: then no request is written to it.
                tokio::task::yield_now().await;
                if watch.state().is_probe { Err("nothing is sent over it".into()) } else { Ok(connection) }
            }
            Ok(Err(error)) => {
                watch.fail(classify(error.as_ref(), limit));
                Err(error)
            }
            Err(elapsed) => {
                let failure = watch.state().timed_out(limit);
                watch.fail(failure);
                Err(elapsed.into())
            }
        }
    }
}

/// Classifies the error of the connector: by type where it has one, by text only for the log-in of proxies, whose
/// errors are not public types. `limit` is the connect timeout.
fn classify(error: &(dyn StdError + 'static), limit: Duration) -> ConnectFailure {
    let mut deepest = error.to_string();
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(fault) = CertificateFault::of(error) {
            return ConnectFailure::Certificate(fault);
        }
        if let Some(error) = error.downcast_ref::<rustls::Error>() {
            return ConnectFailure::Connect(handshake_failure(error));
        }
        // The first address used up its share of the time, and no other one took the connection.
        if error.is::<Elapsed>() {
            return ConnectFailure::TimedOut(limit);
        }
        let text = error.to_string();
        let io_error = error.downcast_ref::<std::io::Error>();
        if io_error.is_some_and(is_too_few_files) {
            return ConnectFailure::TooFewFiles(text);
        }
        if io_error.is_some_and(|error| error.kind() == ErrorKind::ConnectionRefused) {
            return ConnectFailure::Refused(text);
        }
        if is_proxy_login(&text) {
            return ConnectFailure::ProxyAuth;
        }
        deepest = text;
        // An io::Error hides what it wraps from `source`, and that is where TLS errors are.
        let wrapped = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        next = wrapped.map(|inner| inner as &(dyn StdError + 'static)).or_else(|| error.source());
    }
    ConnectFailure::Connect(deepest)
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
