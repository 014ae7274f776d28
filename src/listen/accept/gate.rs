//! Between the server and the work: who may send alerts, what a request asks for, and what is refused before it is sent.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use hyper::header::{
    ALLOW, AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderValue, ORIGIN, RETRY_AFTER, WWW_AUTHENTICATE,
};
use hyper::{Method, StatusCode};
use percent_encoding::percent_decode_str;
use subtle::ConstantTimeEq;
use tokio::sync::{Semaphore, mpsc, oneshot};

use super::{AcceptedAlert, AlertKind, AlertOrigin, with_hint};
use crate::config::TargetName;
use crate::delivery::Outcome;
use crate::error::{Error, Status};
use crate::event::Observer;
use crate::listen::alarm::Alarm;
use crate::listen::options::AlertReports;
use crate::listen::server::{Answered, Answering, Call};
use crate::secret::{Mask, Secret};

/// No request has a longer body, in bytes: notifications of thousands of alerts have less.
const LARGEST_BODY: usize = 4 * 1024 * 1024;

/// How long a client may take for the body of a request.
const TO_SEND: Duration = Duration::from_secs(10);

/// How many bytes the bodies of all alerts that are being sent may have together, and how many one counts for at least.
const MOST_MEMORY: usize = 64 * 1024 * 1024;
const SHARE: usize = 64 * 1024;

/// So much of a path is shown, in characters.
const LONGEST_PATH: usize = 120;

/// When a sender is to try again unless WeCom says it, in seconds.
const SOON: u64 = 10;

/// What stands between the server and the work.
pub(in crate::listen) struct AlertGate {
    token: Option<Secret>,
    /// Those that there are.
    profiles: Vec<String>,
    reports: AlertReports,
    mask: Mask,
    alerts: mpsc::Sender<AcceptedAlert>,
    memory: Arc<Semaphore>,
    alarm: Alarm,
}

/// A request that is not taken.
struct Refused {
    status: StatusCode,
    error: Error,
}

impl AlertGate {
    /// `alerts` gets what is taken.
    pub(in crate::listen) fn new(
        token: Option<Secret>,
        profiles: Vec<String>,
        (reports, mask): (AlertReports, Mask),
        alerts: mpsc::Sender<AcceptedAlert>,
        observer: Observer,
    ) -> Self {
        let memory = Arc::new(Semaphore::new(MOST_MEMORY / SHARE));
        Self { token, profiles, reports, mask, alerts, memory, alarm: Alarm::new(observer) }
    }

    async fn answered(&self, call: &mut Call) -> Answered {
        // Whoever looks whether the address can be reached.
        if call.method == Method::GET && call.path == "/" {
            return Answered::new(StatusCode::OK, "wecom-alert takes alerts here\n");
        }
        match self.take(call).await {
            Ok(answered) => answered,
            Err(refused) => self.refuse(call, refused),
        }
    }

    /// The checks come before the body is read, those of the sender first.
    async fn take(&self, call: &mut Call) -> Result<Answered, Refused> {
        // Browsers say whose page it is that sends; a page must not send by way of somebody's loopback.
        if call.headers.contains_key(ORIGIN) {
            return Err(Refused::new(
                StatusCode::FORBIDDEN,
                "alerts of web pages are not taken",
                "send it from a program, without the header Origin",
            ));
        }
        if !self.is_authorized(&call.headers) {
            return Err(Refused::new(
                StatusCode::UNAUTHORIZED,
                "the token is missing or wrong: it is not accept_token",
                "send the header Authorization: Bearer TOKEN, or TOKEN as the password of basic authentication",
            ));
        }
        let (target, kind) = self.destination(&call.path)?;
        if call.method != Method::POST {
            return Err(Refused::new(
                StatusCode::METHOD_NOT_ALLOWED,
                "alerts are taken by POST alone",
                "send it by POST",
            ));
        }
        if call.headers.get(CONTENT_ENCODING).is_some_and(|encoding| encoding != "identity") {
            let hint = "send it without Content-Encoding";
            return Err(Refused::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "the body is compressed", hint));
        }
        let length = call.length().unwrap_or(LARGEST_BODY as u64);
        let length = usize::try_from(length).ok().filter(|length| *length <= LARGEST_BODY).ok_or_else(too_large)?;
        let shares = u32::try_from(length / SHARE + 1).unwrap_or(u32::MAX);
        let Ok(memory) = Arc::clone(&self.memory).try_acquire_many_owned(shares) else {
            return Err(Refused::busy("too many alerts are being sent right now", "send it again"));
        };
        let body = call.body(LARGEST_BODY, TO_SEND).await.map_err(Refused::unread)?;
        let (reply, answer) = oneshot::channel();
        // What is no UTF-8 is shown as far as it is.
        let body = String::from_utf8_lossy(&body).into_owned();
        let origin = AlertOrigin { target, request: shown(call, Some(body.len())) };
        let alert = AcceptedAlert { origin, kind, body, reply, _memory: memory };
        let ending = || Refused::busy("it is being stopped", "send it again");
        self.alerts.send(alert).await.map_err(|_| ending())?;
        answer.await.map_err(|_| ending())
    }

    /// Whether the request shows the token, in the same time whatever it shows.
    fn is_authorized(&self, headers: &HeaderMap) -> bool {
        let Some(token) = &self.token else { return true };
        let is_token = |shown: &[u8]| bool::from(shown.ct_eq(token.expose().as_bytes()));
        let Some((scheme, shown)) =
            headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()?.trim().split_once(' '))
        else {
            return false;
        };
        match scheme.to_ascii_lowercase().as_str() {
            "bearer" => is_token(shown.trim().as_bytes()),
            "basic" => {
                let decoded = BASE64_STANDARD.decode(shown.trim()).unwrap_or_default();
                let colon = decoded.iter().position(|byte| *byte == b':');
                colon.is_some_and(|colon| is_token(&decoded[colon + 1..]))
            }
            _ => false,
        }
    }

    /// What a path names: `/PROFILE[:CHANNEL]/KIND`.
    fn destination(&self, path: &str) -> Result<(TargetName, AlertKind), Refused> {
        let mut words = path.trim_start_matches('/').split('/');
        let (Some(target), Some(kind), None) = (words.next(), words.next(), words.next()) else {
            return Err(not_found(
                "the path is not /PROFILE/KIND",
                "write /PROFILE/alertmanager, /PROFILE/grafana or /PROFILE/send",
            ));
        };
        let kind = AlertKind::named(kind).ok_or_else(|| {
            not_found("the path ends with no known kind", "end it with alertmanager, grafana or send")
        })?;
        let written = percent_decode_str(target).decode_utf8_lossy();
        let is_known = |name: &str| self.profiles.iter().any(|profile| profile == name);
        // A profile may have a name that ends like a channel's.
        let target = match written.parse::<TargetName>() {
            _ if is_known(&written) => TargetName { profile: written.into_owned(), channel: None },
            Ok(target) if is_known(&target.profile) => target,
            _ => {
                return Err(match written.rsplit_once(':') {
                    Some((profile, route)) if is_known(profile) => not_found(
                        &format!("there is no route {route:?}"),
                        "write app, webhook, chat or aibot behind the profile",
                    ),
                    _ => not_found(
                        &format!("there is no profile {written:?}"),
                        "begin the path with a profile, as in /ops/grafana or /ops:webhook/grafana; listen reads the config file when it \
                         starts: restart it after a change",
                    ),
                });
            }
        };
        Ok((target, kind))
    }

    /// The answer to a request that is not taken, with the document of its error. Tells people of it.
    fn refuse(&self, call: &Call, Refused { status, error }: Refused) -> Answered {
        // Whoever has no token may try any path.
        let path = if status == StatusCode::UNAUTHORIZED { "" } else { &call.path };
        let (code, length) = (status.as_u16(), call.length().and_then(|length| length.try_into().ok()));
        let line = format!("warning: a request was refused: {} [{code}, {}]", with_hint(&error), shown(call, length));
        self.alarm.tell(&format!("{code} {path}"), line);
        let retry_after = error.retry_after();
        let document = (self.reports.document)(&Outcome::from(error), &[], &self.mask);
        let answered = in_json(status, document, retry_after);
        match status {
            StatusCode::UNAUTHORIZED => {
                answered.with(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"wecom-alert\""))
            }
            StatusCode::METHOD_NOT_ALLOWED => answered.with(ALLOW, HeaderValue::from_static("POST")),
            _ => answered,
        }
    }
}

impl Answering for AlertGate {
    fn answer<'c>(&'c self, call: &'c mut Call) -> Pin<Box<dyn Future<Output = Answered> + Send + 'c>> {
        Box::pin(self.answered(call))
    }
}

impl Refused {
    fn new(status: StatusCode, message: &str, hint: &str) -> Self {
        Self { status, error: Error::usage(message, hint) }
    }

    fn busy(message: &str, hint: &str) -> Self {
        Self { status: StatusCode::SERVICE_UNAVAILABLE, error: Error::temporary(message, hint) }
    }

    /// The body could not be read.
    fn unread(answered: Answered) -> Self {
        match answered.status {
            StatusCode::PAYLOAD_TOO_LARGE => too_large(),
            status => {
                Self { status, error: Error::new(Status::Usage, "the body broke off").with_hint("send it again") }
            }
        }
    }
}

/// A request for people: without its query and headers, where tokens may stand.
fn shown(call: &Call, length: Option<usize>) -> String {
    let path: String = call.path.chars().take(LONGEST_PATH).collect();
    let size = length.map_or_else(|| "unknown size".to_owned(), |length| format!("{length} bytes"));
    format!("{} {path}, {size}, from {}", call.method, call.peer)
}

fn too_large() -> Refused {
    let message = format!("the body has more than {} MiB", LARGEST_BODY / (1024 * 1024));
    let hint = "let the sender put fewer alerts into one notification, as with max_alerts";
    Refused::new(StatusCode::PAYLOAD_TOO_LARGE, &message, hint)
}

fn not_found(message: &str, hint: &str) -> Refused {
    Refused::new(StatusCode::NOT_FOUND, message, hint)
}

/// An answer with a document, and when to try again.
pub(super) fn in_json(status: StatusCode, document: String, retry_after: Option<Duration>) -> Answered {
    let answered =
        Answered::new(status, document).with(CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
    match status {
        StatusCode::SERVICE_UNAVAILABLE => {
            let seconds = retry_after.map_or(SOON, |wait| wait.as_secs().max(1));
            answered.with(RETRY_AFTER, HeaderValue::from(seconds))
        }
        _ => answered,
    }
}
