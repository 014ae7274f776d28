//! One request and its answer, under its time limits. Nothing is tried twice here.

use std::error::Error as StdError;
use std::future::Future;
use std::pin::pin;
use std::time::{Duration, Instant, SystemTime};

use reqwest::header::{DATE, HeaderMap, HeaderName, LOCATION, RETRY_AFTER};
use reqwest::{RequestBuilder, Response, Url};

use super::connect::{ConnectFailure, ConnectionWatch};
use super::envelope::{self, HttpAnswer, Reply};
use super::failure::{self, CallError, Limit, Peer};
use super::progress::{RequestProgress, UnsentBytes};
use super::{Client, Target};
use crate::clock::brief;
use crate::secret::Mask;

/// How a request ended to which no response came.
pub(super) enum RequestEnd<'a> {
    Failed(&'a reqwest::Error),
    TimedOut(Limit),
}

impl Client {
    /// One request and its answer, judged. `fill` gives the request its body; it is asked again where the connection must
    /// be made again.
    pub(super) async fn exchange(
        &self,
        target: &Target<'_>,
        progress: &RequestProgress,
        fill: &(dyn Fn(RequestBuilder) -> Result<RequestBuilder, CallError> + Sync),
    ) -> Result<Reply, CallError> {
        self.time_left()?;
        self.http().await.map_err(CallError::Setup)?;
        let began = Instant::now();
        let attempt = async || {
            let request = fill(self.request(target).await?)?;
            self.exchange_once(target.path, request, progress).await
        };
        let judged = self.trusting(attempt).await;
        let ended = match &judged {
            Ok(reply) => format!("errcode 0 {}", reply.answer.errmsg),
            // Whole: the id in it is what WeCom's support asks for.
            Err(CallError::Rejected(Reply { answer, .. })) => format!("errcode {} {}", answer.errcode, answer.errmsg),
            Err(error) => error.to_string(),
        };
        let spent = began.elapsed().as_millis();
        self.listener
            .detail(format!("{} {}{}: {ended} ({spent} ms)", target.method, self.options.base_url, target.path));
        judged
    }

    async fn exchange_once(
        &self,
        path: &str,
        request: RequestBuilder,
        progress: &RequestProgress,
    ) -> Result<Reply, CallError> {
        let watch = ConnectionWatch::begin(self.connect_limit()?, false);
        let response = match self.while_moving(&watch, progress, watch.over(request.send())).await {
            Ok(Ok(response)) => response,
            Ok(Err(error)) => return Err(self.no_response(&watch, path, progress, RequestEnd::Failed(&error))),
            Err(limit) => return Err(self.no_response(&watch, path, progress, RequestEnd::TimedOut(limit))),
        };
        let heard = SystemTime::now();
        let dated = header(response.headers(), DATE).and_then(date_of);
        let status = response.status().as_u16();
        let retry_after = header(response.headers(), RETRY_AFTER).and_then(|value| wait_of(value, SystemTime::now()));
        let leads_to = header(response.headers(), LOCATION).and_then(|to| origin_of(response.url(), to));
        let body = self.read_body(path, response).await?;
        let answer = HttpAnswer { status, retry_after, leads_to, body: &body };
        let judged = judge_masked(&answer, || self.peer(path), &self.mask);
        if let (Some(dated), Ok(_) | Err(CallError::Rejected(_))) = (dated, &judged) {
            let _ = self.clocks.set((heard, dated));
        }
        judged
    }

    /// Waits as long as the attempt moves and the deadline has not come.
    async fn while_moving<F: Future>(
        &self,
        watch: &ConnectionWatch,
        progress: &RequestProgress,
        work: F,
    ) -> Result<F::Output, Limit> {
        let mut work = pin!(work);
        let mut unsent = UnsentBytes::default();
        let mut reprieved = Instant::now();
        // When an attempt whose connection stands has gone without progress for too long.
        let patience_ends = |reprieved: Instant| {
            let stood = watch.stood_since()?;
            let moved = progress.last_moved().map_or(stood, |moved| moved.max(stood));
            Some(reprieved.max(moved + self.options.timeout))
        };
        loop {
            // Not standing yet: look again before a connection made in this moment could have run out of time.
            let limit = patience_ends(reprieved).unwrap_or_else(|| Instant::now() + self.options.timeout);
            match tokio::time::timeout_at(limit.min(self.options.deadline).into(), &mut work).await {
                Ok(output) => return Ok(output),
                Err(_) if Instant::now() >= self.options.deadline => return Err(Limit::Deadline),
                Err(_) => {}
            }
            if patience_ends(reprieved).is_some_and(|end| Instant::now() >= end) {
                let reprieve = unsent.reprieve(progress.handed_over(), self.options.timeout);
                reprieved = Instant::now() + reprieve.ok_or(Limit::Timeout)?;
            }
        }
    }

    /// What it means that no response came: it depends on whether the request can have gone out.
    pub(super) fn no_response(
        &self,
        watch: &ConnectionWatch,
        path: &str,
        progress: &RequestProgress,
        ended: RequestEnd<'_>,
    ) -> CallError {
        if let Some(error) = progress.failure() {
            return CallError::Setup(error);
        }
        let peer = self.peer(path);
        let failure = match watch.failure() {
            Some(failure) => failure,
            None if watch.stood_since().is_some() => return self.no_answer(&peer, &ended),
            None => watch.describe_wait(watch.elapsed()),
        };
        self.unreached(&peer, failure)
    }

    /// What it means that no connection came to stand.
    pub(super) fn unreached(&self, peer: &Peer<'_>, failure: ConnectFailure) -> CallError {
        let limit = || Some(if Instant::now() >= self.options.deadline { Limit::Deadline } else { Limit::Connect });
        let (what, limit) = match failure {
            ConnectFailure::Dns { host, reason } => {
                let way = peer.proxy.as_ref().map_or_else(String::new, |_| format!(" on the way to {}", peer.host()));
                (format!("the name {host} could not be looked up{way}: {reason}"), None)
            }
            ConnectFailure::DnsTimedOut { host, waited } => {
                (format!("the name {host} could not be looked up: no answer within {}", brief(waited)), limit())
            }
            ConnectFailure::Connect(reason) => (format!("no connection to {}: {reason}", peer.host()), None),
            ConnectFailure::TimedOut(waited) => {
                (format!("no connection to {} within {}", peer.host(), brief(waited)), limit())
            }
            ConnectFailure::Certificate(fault) => return CallError::Untrusted { host: peer.host(), fault },
            ConnectFailure::ProxyAuth => return peer.proxy_login(),
        };
        CallError::Unreached { what, limit }
    }

    /// What it means that no response came although the request can have gone out.
    fn no_answer(&self, peer: &Peer<'_>, ended: &RequestEnd<'_>) -> CallError {
        let (how, limit) = match ended {
            RequestEnd::Failed(error) if is_no_http(error) => {
                let advice = if self.is_tls() { "" } else { "; is this a TLS port? then https://" };
                return CallError::Foreign(format!("{} answered something that is not HTTP{advice}", peer.host()));
            }
            RequestEnd::Failed(error) => (format!(": {}", root_cause(error)), None),
            RequestEnd::TimedOut(limit) => (self.after(*limit), Some(*limit)),
        };
        CallError::Silent {
            what: format!("the request went out to {}, but no answer came{how}", peer.endpoint()),
            limit,
        }
    }

    /// Which wait was in vain.
    fn after(&self, limit: Limit) -> String {
        match limit {
            Limit::Deadline => " before the deadline".to_owned(),
            Limit::Connect | Limit::Timeout => format!(" and nothing moved for {}", brief(self.options.timeout)),
        }
    }

    async fn read_body(&self, path: &str, mut response: Response) -> Result<Vec<u8>, CallError> {
        let status = response.status().as_u16();
        let told = |what: String| format!("HTTP {status} from {}, but {what}", self.peer(path).endpoint());
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
                    let is_over = Instant::now() >= self.options.deadline;
                    let limit = if is_over { Limit::Deadline } else { Limit::Timeout };
                    let what = told(format!("the rest of the answer did not come{}", self.after(limit)));
                    return Err(CallError::Cut { what, limit: Some(limit) });
                }
            };
            if body.len() + chunk.len() > envelope::ANSWER_LIMIT {
                let what = format!("the answer is longer than {} bytes", envelope::ANSWER_LIMIT);
                return Err(CallError::Foreign(told(what)));
            }
            body.extend_from_slice(&chunk);
        }
    }
}

/// Secrets are masked before anything of an answer is put into a message.
fn judge_masked<'a>(answer: &HttpAnswer<'_>, peer: impl FnOnce() -> Peer<'a>, mask: &Mask) -> Result<Reply, CallError> {
    match envelope::judge(answer) {
        Some(Ok(reply)) => Ok(reply),
        Some(Err(mut refusal)) => {
            refusal.answer.errmsg = mask.apply(&refusal.answer.errmsg);
            Err(CallError::Rejected(refusal))
        }
        None => {
            let masked = mask.apply(&String::from_utf8_lossy(answer.body));
            Err(failure::foreign(&HttpAnswer { body: masked.as_bytes(), ..answer.clone() }, &peer()))
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

fn header(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

/// How long `Retry-After` asks to wait: seconds, or a date (RFC 9110, section 10.2.3).
fn wait_of(retry_after: &str, now: SystemTime) -> Option<Duration> {
    let retry_after = retry_after.trim();
    if let Ok(seconds) = retry_after.parse() {
        return Some(Duration::from_secs(seconds));
    }
    Some(date_of(retry_after)?.duration_since(now).unwrap_or_default())
}

/// A point in time as HTTP writes it (RFC 9110, section 5.6.7).
fn date_of(text: &str) -> Option<SystemTime> {
    chrono::DateTime::parse_from_rfc2822(text.trim()).ok().map(SystemTime::from)
}

/// Scheme, host and port of where a redirect leads: its path and query can hold secrets.
fn origin_of(asked: &Url, location: &str) -> Option<String> {
    let origin = asked.join(location).ok()?.origin();
    origin.is_tuple().then(|| origin.ascii_serialization())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_redirect_only_the_origin_is_told() {
        let asked = Url::parse("https://wecom.example/cgi-bin/gettoken?corpsecret=s3cret").unwrap();
        for (location, origin) in [
            ("https://user:s3cret@portal.example:8443/s3cret?s3cret#s3cret", Some("https://portal.example:8443")),
            ("//portal.example/login", Some("https://portal.example")),
            ("/login?s3cret", Some("https://wecom.example")),
            ("mailto:s3cret", None),
            ("http://", None),
        ] {
            assert_eq!(origin_of(&asked, location).as_deref(), origin, "{location}");
        }
    }

    #[test]
    fn a_wait_is_asked_for_in_seconds_or_by_a_date() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        for (value, seconds) in [
            ("7", Some(7)),
            (" 0 ", Some(0)),
            ("Sun, 06 Nov 1994 08:50:37 GMT", Some(60)),
            ("Sun, 06 Nov 1994 08:49:36 GMT", Some(0)),
            ("-1", None),
            ("1.5", None),
            ("soon", None),
            ("", None),
            ("99999999999999999999", None),
        ] {
            assert_eq!(wait_of(value, now), seconds.map(Duration::from_secs), "{value:?}");
        }
    }
}
