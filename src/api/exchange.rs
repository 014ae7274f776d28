//! One HTTP request and its answer, with three time limits: the connect timeout, the timeout without progress, and the
//! deadline of the command. No retries here.

use std::error::Error as StdError;
use std::fmt::Arguments;
use std::future::Future;
use std::pin::pin;
use std::time::Instant;

use bytes::Bytes;
use chrono::Utc;
use hyper_util::client::legacy;
use reqwest::header::CONTENT_TYPE;
use reqwest::multipart::Form;
use reqwest::{Method, RequestBuilder, Response, Url};
use tokio::sync::{Semaphore, SemaphorePermit};

use super::Client;
use super::connect::{ConnectFailure, ConnectionWatch};
use super::envelope::{HttpAnswer, Reply, answer_limit};
use super::failure::{CallError, FirstHop, Limit, Peer, judge};
use super::upload::{self, RequestProgress, UnsentBytes};
use crate::blocking::Work;
use crate::clock::brief;
use crate::error::Error;
use crate::input::Attachment;

/// What a request carries.
pub(super) enum RequestBody<'a> {
    /// Nothing: it is a GET.
    None,
    /// The whole JSON, as bytes, so that a repetition is the same to the byte.
    Json(Bytes),
    /// A file, as the one part of a form.
    File(&'a Attachment),
}

impl RequestBody<'_> {
    fn method(&self) -> Method {
        if matches!(self, Self::None) { Method::GET } else { Method::POST }
    }
}

/// An answer that is not judged.
pub(crate) struct PlainAnswer {
    pub(crate) status: u16,
    /// The origin of where a redirect leads.
    pub(crate) leads_to: Option<String>,
    pub(crate) body: Vec<u8>,
}

impl Client {
    /// One request and its answer, judged: `fields` are those that an answer to it has. What is in `query` is never
    /// shown: it holds secrets.
    pub(super) fn exchange<'w>(
        &'w self,
        path: &'w str,
        query: &'w [(&str, &str)],
        body: RequestBody<'w>,
        fields: &'w [&str],
    ) -> Work<'w, Result<Reply, CallError>> {
        Box::pin(self.exchanged(path, query, body, fields))
    }

    async fn exchanged(
        &self,
        path: &str,
        query: &[(&str, &str)],
        body: RequestBody<'_>,
        fields: &[&str],
    ) -> Result<Reply, CallError> {
        self.time_left()?;
        let _passed = match &self.gate {
            Some(gate) => Some(self.pass(gate).await?),
            None => None,
        };
        if self.http.initialized() {
            // Lets the event loop see whether the peer has closed a connection that was kept open: then it is not used.
            tokio::task::yield_now().await;
        }
        let http = self.http().await.map_err(CallError::Setup)?;
        let began = Instant::now();
        let progress = RequestProgress::default();
        let attempt = async || {
            let request = self.request(http, path, query, &body, &progress)?;
            self.exchange_once(path, request, &progress, fields).await
        };
        let judged = self.with_all_roots(attempt).await;
        let (method, spent) = (body.method(), began.elapsed().as_millis());
        let url = &self.options.base_url;
        let tell =
            |ended: Arguments<'_>| self.observer.detail(format_args!("{method} {url}{path}: {ended} ({spent} ms)"));
        match &judged {
            Ok(reply) => tell(format_args!("errcode 0 {}", reply.answer.errmsg)),
            // Not truncated: WeCom's support asks for the id in it.
            Err(CallError::Rejected(Reply { answer, .. })) => {
                tell(format_args!("errcode {} {}", answer.errcode, answer.errmsg));
            }
            Err(error) => tell(format_args!("{error}")),
        }
        judged
    }

    /// Waits for its turn among the requests of many alerts, until the deadline.
    async fn pass<'g>(&self, gate: &'g Semaphore) -> Result<SemaphorePermit<'g>, CallError> {
        if let Ok(permit) = gate.try_acquire() {
            return Ok(permit);
        }
        match tokio::time::timeout_at(self.options.deadline.into(), gate.acquire()).await {
            Ok(permit) => permit.map_err(|_| CallError::Setup(Error::defect("the gate of requests is closed"))),
            Err(_) => self.time_left().and(Err(CallError::Setup(Error::defect("the gate of requests is slow")))),
        }
    }

    /// What a GET is answered with, by whoever answers: for an address that is none of WeCom's. `path` may have a query.
    pub(crate) async fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<PlainAnswer, CallError> {
        self.time_left()?;
        let http = self.http().await.map_err(CallError::Setup)?;
        let progress = RequestProgress::default();
        let attempt = async || {
            let request = self.request(http, path, query, &RequestBody::None, &progress)?;
            let response = self.response(path, request, &progress).await?;
            let HttpAnswer { status, leads_to, .. } = HttpAnswer::of(&response, Utc::now());
            Ok(PlainAnswer { status, leads_to, body: self.read_body(path, response).await? })
        };
        self.with_all_roots(attempt).await
    }

    /// A request with its body.
    fn request(
        &self,
        http: &reqwest::Client,
        path: &str,
        query: &[(&str, &str)],
        body: &RequestBody<'_>,
        progress: &RequestProgress,
    ) -> Result<RequestBuilder, CallError> {
        let url = Url::parse_with_params(&format!("{}{path}", self.options.base_url), query)
            .map_err(|error| CallError::Setup(Error::defect(format!("the request's URL is malformed: {error}"))))?;
        let request = http.request(body.method(), url);
        Ok(match body {
            RequestBody::None => request,
            RequestBody::Json(json) => {
                request.header(CONTENT_TYPE, "application/json; charset=utf-8").body(json.clone())
            }
            RequestBody::File(file) => {
                request.multipart(Form::new().part("media", upload::part(file, progress, &self.observer)?))
            }
        })
    }

    async fn exchange_once(
        &self,
        path: &str,
        request: RequestBuilder,
        progress: &RequestProgress,
        fields: &[&str],
    ) -> Result<Reply, CallError> {
        let response = self.response(path, request, progress).await?;
        let answer = HttpAnswer::of(&response, Utc::now());
        let body = self.read_body(path, response).await?;
        let judged = judge(&answer, &body, fields, &self.peer(path), &self.mask);
        if let (Some(ahead_s), Ok(_) | Err(CallError::Rejected(_))) = (answer.clock_ahead_s, &judged) {
            let _ = self.clock_ahead_s.set(ahead_s);
        }
        judged
    }

    /// Sends a request; returns when the head of its answer is there.
    pub(super) async fn response(
        &self,
        path: &str,
        request: RequestBuilder,
        progress: &RequestProgress,
    ) -> Result<Response, CallError> {
        let watch = ConnectionWatch::begin(self.connect_limit()?, false);
        let ended = self.while_moving(&watch, progress, watch.over(request.send())).await;
        self.resolver.put_last(watch.failed_addresses(matches!(ended, Ok(Ok(_)))));
        match ended {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(error)) => Err(self.no_response(&watch, path, progress, Ok(error))),
            Err(limit) => Err(self.no_response(&watch, path, progress, Err(limit))),
        }
    }

    /// Waits for `work` until it makes no progress for the timeout, or until the deadline.
    async fn while_moving<T>(
        &self,
        watch: &ConnectionWatch,
        progress: &RequestProgress,
        work: impl Future<Output = T>,
    ) -> Result<T, Limit> {
        let mut work = pin!(work);
        let mut unsent_bytes = UnsentBytes::default();
        let mut extended_until = Instant::now();
        // When the timeout without progress ends; `None` before a connection is established.
        let timeout_ends = |extended_until: Instant| {
            let established = watch.established_since()?;
            let moved = progress.state().last_moved.map_or(established, |moved| moved.max(established));
            Some(extended_until.max(moved + self.options.timeout))
        };
        loop {
            // No connection yet: look again before one made at this moment could have timed out.
            let limit = timeout_ends(extended_until).unwrap_or_else(|| Instant::now() + self.options.timeout);
            match tokio::time::timeout_at(limit.min(self.options.deadline).into(), &mut work).await {
                Ok(output) => return Ok(output),
                Err(_) if Instant::now() >= self.options.deadline => return Err(Limit::Deadline),
                Err(_) => {}
            }
            if timeout_ends(extended_until).is_some_and(|end| Instant::now() >= end) {
                let handed_over = progress.state().handed_over;
                let extension = unsent_bytes.extension(upload::unsent(), handed_over, self.options.timeout);
                extended_until = Instant::now() + extension.ok_or(Limit::Timeout)?;
            }
        }
    }

    /// The error when no response came: it depends on whether the request may have gone out.
    fn no_response(
        &self,
        watch: &ConnectionWatch,
        path: &str,
        progress: &RequestProgress,
        ended: Result<reqwest::Error, Limit>,
    ) -> CallError {
        if let Some(error) = progress.state().failure.take() {
            return CallError::Setup(error);
        }
        let peer = self.peer(path);
        match watch.failure() {
            Some(failure) => self.unreached(&peer, failure),
            None => self.no_answer(&peer, ended),
        }
    }

    /// The error when no connection was established.
    pub(super) fn unreached(&self, peer: &Peer<'_>, failure: ConnectFailure) -> CallError {
        let limit = || Some(self.reached(Limit::Connect));
        let refused_by = matches!(failure, ConnectFailure::Refused(_))
            .then(|| peer.proxy.map_or(FirstHop::Host, |proxy| FirstHop::Proxy(proxy.address())));
        let (what, limit) = match failure {
            ConnectFailure::Dns { host, reason } => {
                let way = peer.proxy.map_or_else(String::new, |_| format!(" on the way to {}", peer.host()));
                (format!("the name {host} could not be looked up{way}: {reason}"), None)
            }
            ConnectFailure::DnsTimedOut { host, waited } => {
                (format!("the name {host} could not be looked up: no answer within {}", brief(waited)), limit())
            }
            ConnectFailure::Connect(reason) | ConnectFailure::Refused(reason) => {
                (format!("no connection to {}: {reason}", peer.host()), None)
            }
            ConnectFailure::TooFewFiles(reason) => {
                (format!("no connection to {}: {reason}", peer.host()), Some(Limit::OpenFiles))
            }
            ConnectFailure::TimedOut(waited) => {
                (format!("no connection to {} within {}", peer.host(), brief(waited)), limit())
            }
            ConnectFailure::Certificate(fault) => return CallError::Untrusted { host: peer.host(), fault },
            ConnectFailure::ProxyAuth => return peer.proxy_login(),
        };
        CallError::Unreached { what, limit, refused_by }
    }

    /// The error when no response came although the request may have gone out.
    fn no_answer(&self, peer: &Peer<'_>, ended: Result<reqwest::Error, Limit>) -> CallError {
        let (how, limit) = match ended {
            Ok(error) if is_no_http(&error) => {
                let advice = if self.is_tls() { "" } else { "; is this a TLS port? then https://" };
                return CallError::foreign(format!("{} answered something that is not HTTP{advice}", peer.host()));
            }
            Ok(error) if was_never_sent(&error) => {
                let what = format!("no connection to {}: it was closed before the request went out", peer.host());
                return CallError::Unreached { what, limit: None, refused_by: None };
            }
            Ok(error) => (format!(": {}", root_cause(&error)), None),
            Err(limit) => (self.after(limit), Some(limit)),
        };
        let what = format!("the request went out to {}, but no answer came{how}", peer.endpoint());
        CallError::Silent { what, limit }
    }

    /// The limit that has ended a wait: the deadline if that has come, else `limit`.
    fn reached(&self, limit: Limit) -> Limit {
        if Instant::now() >= self.options.deadline { Limit::Deadline } else { limit }
    }

    /// The wait that timed out.
    fn after(&self, limit: Limit) -> String {
        match limit {
            Limit::Deadline => " before the deadline".to_owned(),
            Limit::Connect | Limit::Timeout | Limit::OpenFiles => {
                format!(" and nothing moved for {}", brief(self.options.timeout))
            }
        }
    }

    pub(super) async fn read_body(&self, path: &str, mut response: Response) -> Result<Vec<u8>, CallError> {
        let status = response.status().as_u16();
        let told = |what: String| format!("HTTP {status} from {}, but {what}", self.peer(path).endpoint());
        let most = answer_limit(path);
        let mut body = Vec::new();
        loop {
            let limit = (Instant::now() + self.options.timeout).min(self.options.deadline);
            let chunk = match tokio::time::timeout_at(limit.into(), response.chunk()).await {
                Ok(Ok(Some(chunk))) => chunk,
                Ok(Ok(None)) => return Ok(body),
                Ok(Err(error)) => {
                    let what = told(format!("the answer was cut off: {}", root_cause(&error)));
                    return Err(CallError::Cut { what, limit: None });
                }
                Err(_) => {
                    let limit = self.reached(Limit::Timeout);
                    let what = told(format!("the rest of the answer did not come{}", self.after(limit)));
                    return Err(CallError::Cut { what, limit: Some(limit) });
                }
            };
            if body.len() + chunk.len() > most {
                let what = format!("the answer is longer than {most} bytes");
                return Err(CallError::foreign(told(what)));
            }
            body.extend_from_slice(&chunk);
        }
    }
}

fn causes(error: &reqwest::Error) -> impl Iterator<Item = &(dyn StdError + 'static)> {
    std::iter::successors(Some(error as &(dyn StdError + 'static)), |error| (*error).source())
}

/// The innermost cause, whose text has no URL in it.
pub(super) fn root_cause(error: &reqwest::Error) -> String {
    causes(error).last().map(ToString::to_string).unwrap_or_default()
}

/// Whether bytes came back that are no HTTP.
fn is_no_http(error: &reqwest::Error) -> bool {
    causes(error).any(|cause| cause.downcast_ref::<hyper::Error>().is_some_and(hyper::Error::is_parse))
}

/// Whether the connection was closed before the first byte of the request was written to it. A connection that is closed
/// later may have carried it: the system takes bytes also when the peer will not read them.
fn was_never_sent(error: &reqwest::Error) -> bool {
    causes(error).any(|cause| {
        // Without the facts of a connection there was none that the request could have been given to.
        let got_none = cause.downcast_ref::<legacy::Error>().is_some_and(|error| error.connect_info().is_none());
        got_none || cause.downcast_ref::<hyper::Error>().is_some_and(hyper::Error::is_canceled)
    })
}
