//! From a failed call to the error that a person and a script can act on.

use crate::api::errcode::{self, Context};
use crate::api::{CallError, status_of};
use crate::error::{Error, Status};

/// What a call was for, where that decides what its failure means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// A message: without an answer it may have arrived.
    Send,
    /// An upload or `gettoken`: without an answer nothing was delivered.
    Prepare,
}

/// Turns the failure of a call into an error with its status and next step.
pub(super) fn explain(failure: &CallError, purpose: Purpose, context: &Context<'_>) -> Error {
    let message = failure.to_string();
    match failure {
        CallError::Setup(error) => error.clone(),
        CallError::Unreached(_) => {
            Error::temporary(message, "check network, DNS and proxy of this machine and the base URL, then try again")
        }
        CallError::Untrusted(reason) => Error::config(message, untrusted_hint(reason)),
        CallError::ProxyLogin => Error::config(
            message,
            "put the right user and password into the proxy URL (--proxy, WECOM_ALERT_PROXY or the proxy variables)",
        ),
        CallError::WrongAddress { .. } => Error::config(
            message,
            "check --base-url: its host, port and path prefix must lead to WeCom's API or a relay to it",
        ),
        CallError::TooManyRequests { retry_after, .. } => {
            let error = Error::new(Status::RateLimited, message).with_hint("wait, then try again");
            match retry_after {
                Some(wait) => error.with_retry_after(*wait),
                None => error,
            }
        }
        CallError::Foreign(_) => Error::temporary(
            message,
            "something between this machine and WeCom answered (proxy, portal, relay): check it, then try again",
        ),
        CallError::Silent(_) if purpose == Purpose::Prepare => Error::temporary(
            message,
            "nothing was delivered; try again, with a larger --timeout where the line is slow",
        ),
        CallError::Silent(_) => Error::new(Status::Unknown, message)
            .with_hint("the message may have arrived: look before you send it again"),
        CallError::Rejected { answer, .. } => {
            let mut error = Error::new(status_of(answer), message)
                .with_hint(errcode::hint_for(answer, context))
                .with_answer(answer.clone());
            if let Some(wait) = errcode::blocked_for(answer.errcode) {
                error = error.with_retry_after(wait);
            }
            if let Some(ip) = errcode::seen_ip(&answer.errmsg) {
                error = error.with_seen_ip(ip);
            }
            error
        }
    }
}

fn untrusted_hint(reason: &str) -> &'static str {
    let reason = reason.to_ascii_lowercase();
    if reason.contains("expired") || reason.contains("not valid yet") {
        "check the clock of this machine (date), then the certificate of the server or of the proxy that breaks TLS up"
    } else if reason.contains(" name") {
        "check the host in --base-url: the certificate is for another name"
    } else {
        "if a company proxy breaks TLS up or WeCom is deployed privately, name its CA with --ca-file PEM"
    }
}
