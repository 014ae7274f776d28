//! Turns a failed call into an error for the user: status, next step, whether the message may have arrived, and what
//! several failed attempts mean together. Pure.

use std::time::Duration;

use super::outcome::UnreachedRecipients;
use super::retry::FailureClass;
use crate::api::errcode::{self, CredentialInfo, HintContext};
use crate::api::{CallError, CertificateFault, FirstHop, Limit};
use crate::error::{Answer, Error, Status, TOO_FEW_FILES};
use crate::rate_limit::{LimitedBy, RateExceeded};

/// What a call is for, where that decides what its failure means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// A message: without an answer it may have arrived.
    Send,
    /// An upload or `gettoken`: without an answer nothing was delivered.
    Prepare,
    /// A question, which changes nothing.
    Read,
    /// A change that may be made twice: without an answer it is made again.
    Repeatable,
    /// A change that must not be made twice: without an answer it may have been made, and is not tried again.
    Once,
}

impl Purpose {
    /// Whether it matters that the request may have been carried out without an answer.
    fn must_be_known(self) -> bool {
        matches!(self, Self::Send | Self::Once)
    }
}

/// A request that failed for good, or for now.
#[derive(Debug)]
pub(crate) struct FailedRequest {
    pub(crate) error: Error,
    /// The recipients that a refusal named.
    pub(super) unreached: UnreachedRecipients,
    /// Whether the message may have arrived all the same: never by a failed upload, or for want of a token.
    pub(super) may_have_arrived: bool,
    pub(super) class: FailureClass,
    /// Whether another message to the same target may be taken: this one's own request was answered or met with silence,
    /// or its file could not be read. Otherwise there was no connection, no token, no permit or no time.
    pub(super) may_be_its_own: bool,
}

impl FailedRequest {
    /// A failure before any request.
    pub(super) fn before_request(error: Error) -> Self {
        let (unreached, class) = (UnreachedRecipients::default(), FailureClass::Final);
        Self { error, unreached, may_have_arrived: false, class, may_be_its_own: false }
    }

    pub(super) fn of(failure: &CallError, purpose: Purpose, context: &HintContext<'_>) -> Self {
        let error = explain(failure, purpose, context);
        let class = FailureClass::of(failure, error.retry_after());
        let is_doubtful = matches!(class, FailureClass::Garbled | FailureClass::Silent);
        Self {
            unreached: UnreachedRecipients::named_by(|field| {
                failure.refusal().map_or(Vec::new(), |reply| reply.ids(field))
            }),
            may_have_arrived: is_doubtful && purpose.must_be_known(),
            may_be_its_own: match failure {
                CallError::Rejected(_) => error.status() != Status::RateLimited,
                CallError::Foreign(_) | CallError::Cut { .. } | CallError::Silent { .. } | CallError::Config(_) => true,
                // A file that cannot be read.
                CallError::Setup(error) => error.status() == Status::Config,
                CallError::Unreached { .. } | CallError::Untrusted { .. } | CallError::TooManyRequests(_) => false,
            },
            class,
            error,
        }
    }

    /// Combines this last failure with the earlier attempts: the message may have arrived by one of those.
    pub(super) fn with_earlier_attempts(mut self, at_most_once: bool, earlier: EarlierAttempts) -> Self {
        if at_most_once && self.may_have_arrived {
            self.error = self.error.with_status(Status::Unknown);
        }
        self.may_have_arrived |= earlier.may_have_arrived;
        if self.error.status() == Status::RateLimited
            && self.error.answer().is_none()
            && let Some(answer) = earlier.error.as_ref().and_then(Error::answer)
        {
            self.error = self.error.with_answer(answer.clone());
        }
        if earlier.is_silent && self.error.answer().is_none() && self.error.status() != Status::Unknown {
            let message = format!("{}; before that a request went out and got no answer", self.error);
            let hint = "the message may have arrived: look before you send it again";
            self.error = self.error.with_status(Status::Unknown).with_message(message).with_hint(hint);
        }
        self
    }
}

/// What the earlier attempts of a request tell about the last one.
#[derive(Default)]
pub(super) struct EarlierAttempts {
    /// One of them carried the message and got no answer.
    is_silent: bool,
    may_have_arrived: bool,
    /// That of the last one.
    error: Option<Error>,
}

impl EarlierAttempts {
    pub(super) fn add(&mut self, failed: FailedRequest) {
        // WeCom's refusal of this attempt tells about the attempts before it too.
        let was_silent = self.is_silent && failed.error.answer().is_none();
        self.is_silent = was_silent || (failed.class == FailureClass::Silent && failed.may_have_arrived);
        self.may_have_arrived |= failed.may_have_arrived;
        self.error = Some(failed.error);
    }
}

/// Turns the failure of a call into an error with its status and next step.
pub(super) fn explain(failure: &CallError, purpose: Purpose, context: &HintContext<'_>) -> Error {
    let message = failure.to_string();
    let is_of_aibot = errcode::is_of_aibot(context.endpoint);
    let address = if is_of_aibot { "aibot_url" } else { "the base URL" };
    match failure {
        CallError::Setup(error)
        | CallError::Config(error)
        | CallError::TooManyRequests(error)
        | CallError::Foreign(error) => error.clone(),
        CallError::Unreached { limit: Some(Limit::OpenFiles), .. } => Error::temporary(message, TOO_FEW_FILES),
        CallError::Unreached { refused_by: Some(FirstHop::Proxy(proxy)), .. } => {
            let hint = "runs and takes connections from this machine, then try again";
            Error::temporary(message, format!("check that the proxy {proxy} {hint}"))
        }
        CallError::Unreached { refused_by: Some(FirstHop::Host), .. } => Error::temporary(
            message,
            format!(
                "the host answers, but takes no connection at this port: check host and port of {address}, and whether a \
                 firewall refuses it, then try again"
            ),
        ),
        CallError::Unreached { limit, .. } => {
            let hint = format!("check network, DNS and proxy of this machine and {address}, then try again");
            Error::temporary(message, format!("{hint}{}", more_time(*limit)))
        }
        CallError::Untrusted { fault, .. } => Error::config(message, untrusted_hint(fault, is_of_aibot)),
        CallError::Cut { limit, .. } => Error::temporary(message, without_answer(purpose, *limit)),
        CallError::Silent { limit, .. } => {
            let status = if purpose.must_be_known() { Status::Unknown } else { Status::Temporary };
            Error::new(status, message).with_hint(without_answer(purpose, *limit))
        }
        CallError::Rejected(reply) => refusal(&reply.answer, message, context),
    }
}

fn refusal(answer: &Answer, message: String, context: &HintContext<'_>) -> Error {
    Error::new(errcode::class_of(answer.errcode).refusal_status(), message)
        .with_hint(errcode::hint_for(answer, context))
        .with_answer(answer.clone())
        .with_retry_after(errcode::blocked_for(answer.errcode, context))
        .with_seen_ip(errcode::seen_ip(&answer.errmsg))
}

fn untrusted_hint(fault: &CertificateFault, is_of_aibot: bool) -> &'static str {
    match fault {
        CertificateFault::Expired | CertificateFault::NotYetValid => {
            "check the clock of this machine (date), then the certificate of the server or of the proxy that breaks TLS up"
        }
        CertificateFault::Name if is_of_aibot => "check the host in aibot_url: the certificate is for another name",
        CertificateFault::Name => "check the host in --base-url: the certificate is for another name",
        CertificateFault::NoName => {
            "have it made anew with the host as subjectAltName: openssl req … -addext subjectAltName=DNS:HOST (or IP:ADDRESS)"
        }
        CertificateFault::IsCa => {
            "save this very certificate and name it with --ca-file PEM, or have it made anew with CA:FALSE: openssl req -x509 … \
             -addext basicConstraints=critical,CA:FALSE"
        }
        CertificateFault::Issuer => {
            "if a company proxy breaks TLS up or WeCom is deployed privately, name its CA with --ca-file PEM"
        }
        CertificateFault::Other(_) => {
            "have it made anew by whoever runs the server, or the proxy that breaks TLS up; name its present CA with --ca-file PEM"
        }
    }
}

/// What to do when the request went out and no whole answer came.
fn without_answer(purpose: Purpose, limit: Option<Limit>) -> String {
    let hint = match purpose {
        Purpose::Send => "the message may have arrived: look before you send it again",
        Purpose::Prepare => "nothing was delivered; try again",
        Purpose::Read => "try again",
        Purpose::Repeatable => "it may have been done all the same: try again, which is safe",
        Purpose::Once => "it may have been done all the same: look before you try again",
    };
    format!("{hint}{}", more_time(limit))
}

/// Which limit ended the wait, as advice.
fn more_time(limit: Option<Limit>) -> String {
    limit.map(|limit| format!(", with a larger {} where the way is slow", limit.option())).unwrap_or_default()
}

/// The failure of a request that got no permit.
pub(super) fn without_permit(exceeded: RateExceeded) -> CallError {
    let (what, hint) = match exceeded.limited_by {
        LimitedBy::Rate => (
            "the messages that --rate allows are used up",
            "wait, give more time with --deadline, or keep what cannot go out now with --outbox",
        ),
        LimitedBy::Block { .. } => (
            "WeCom asked for fewer messages, and its block is not over",
            "wait until it is over: other programs may use the same quota; --outbox keeps what cannot go out now",
        ),
    };
    let wait = Duration::from_secs(exceeded.retry_after.as_secs_f64().ceil() as u64);
    let message = format!("{what}: the next one may go in {} s", wait.as_secs());
    CallError::Setup(Error::new(Status::RateLimited, message).with_hint(hint).with_retry_after(Some(wait)))
}

pub(super) fn for_token(failure: &CallError, info: &CredentialInfo) -> FailedRequest {
    let context = HintContext { endpoint: "gettoken", credential: Some(info), ..HintContext::default() };
    FailedRequest { may_be_its_own: false, ..FailedRequest::of(failure, Purpose::Prepare, &context) }
}

pub(super) fn is_stale(failure: &CallError) -> bool {
    failure.refusal().is_some_and(|reply| errcode::asks_for_new_token(reply.answer.errcode))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(failure: &CallError, purpose: Purpose) -> (Status, String) {
        let error = explain(failure, purpose, &HintContext::default());
        (error.status(), error.hint().unwrap_or_default().to_owned())
    }

    #[test]
    fn the_limit_that_ended_the_wait_is_named() {
        let what = String::new;
        for (limit, option) in [
            (Some(Limit::Connect), "--connect-timeout"),
            (Some(Limit::Timeout), "--timeout"),
            (Some(Limit::Deadline), "--deadline"),
            (None, ""),
        ] {
            for failure in [
                CallError::Unreached { what: what(), limit, refused_by: None },
                CallError::Cut { what: what(), limit },
                CallError::Silent { what: what(), limit },
            ] {
                for purpose in [Purpose::Send, Purpose::Prepare, Purpose::Read, Purpose::Repeatable, Purpose::Once] {
                    let (_, hint) = told(&failure, purpose);
                    let named: Vec<&str> = hint.split(' ').filter(|word| word.starts_with("--")).collect();
                    let expected: Vec<&str> = Some(option).filter(|option| !option.is_empty()).into_iter().collect();
                    assert_eq!(named, expected, "{failure:?} {purpose:?}: {hint}");
                }
            }
        }
    }

    #[test]
    fn a_cut_answer_may_mean_a_delivery() {
        let cut = CallError::Cut { what: String::new(), limit: None };
        let (status, hint) = told(&cut, Purpose::Send);
        assert_eq!(status, Status::Temporary);
        assert!(hint.contains("may have arrived"), "{hint}");
        let (status, hint) = told(&cut, Purpose::Prepare);
        assert_eq!(status, Status::Temporary);
        assert!(hint.contains("nothing was delivered"), "{hint}");
    }

    #[test]
    fn only_what_must_not_happen_twice_is_unknown_without_an_answer() {
        let silent = CallError::Silent { what: String::new(), limit: None };
        for (purpose, status, part) in [
            (Purpose::Send, Status::Unknown, "may have arrived"),
            (Purpose::Once, Status::Unknown, "look before"),
            (Purpose::Repeatable, Status::Temporary, "safe"),
            (Purpose::Read, Status::Temporary, "try again"),
            (Purpose::Prepare, Status::Temporary, "nothing was delivered"),
        ] {
            let (found, hint) = told(&silent, purpose);
            assert_eq!(found, status, "{purpose:?}");
            assert!(hint.contains(part), "{hint}");
        }
    }

    #[test]
    fn each_fault_of_a_certificate_has_its_hint() {
        for (fault, part) in [
            (CertificateFault::Issuer, "--ca-file"),
            (CertificateFault::Expired, "clock"),
            (CertificateFault::NotYetValid, "clock"),
            (CertificateFault::Name, "the host in --base-url"),
            // For any text of the error.
            (CertificateFault::Other("expired name".into()), "--ca-file"),
            (CertificateFault::IsCa, "--ca-file"),
            (CertificateFault::NoName, "subjectAltName"),
        ] {
            let (status, hint) = told(&CallError::Untrusted { host: String::new(), fault }, Purpose::Send);
            assert_eq!(status, Status::Config);
            assert!(hint.contains(part), "{hint}");
        }
    }
}
