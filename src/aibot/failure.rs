//! Failures of calls as they go from the process that made the call to the one that asked for it, and to several at once.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::api::{CallError, CertificateFault, FirstHop, Limit, Reply};
use crate::clock::in_ms;
use crate::error::{Answer, EXIT_CODES, Error, Status};

/// A [`CallError`] that can be sent and copied.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) enum CallFailure {
    Setup(ErrorDetails),
    Unreached { what: String, limit: Option<Limit>, refused_by: Option<FirstHop> },
    Untrusted { host: String, fault: CertificateFault },
    Config(ErrorDetails),
    TooManyRequests(ErrorDetails),
    Foreign(ErrorDetails),
    Cut { what: String, limit: Option<Limit> },
    Silent { what: String, limit: Option<Limit> },
    Rejected(CarriedReply),
}

/// An [`Error`] that can be sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct ErrorDetails {
    status: String,
    message: String,
    hint: Option<String>,
    retry_after_ms: Option<u64>,
}

/// A [`Reply`] that can be sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct CarriedReply {
    errcode: i64,
    errmsg: String,
    fields: Map<String, Value>,
}

impl CallFailure {
    /// Nothing was sent.
    pub(super) fn unreached(what: impl Into<String>, limit: Option<Limit>) -> Self {
        Self::Unreached { what: what.into(), limit, refused_by: None }
    }

    /// The failure of a watch as an error.
    pub(super) fn as_error(&self) -> Error {
        match CallError::from(self.clone()) {
            CallError::Setup(error) | CallError::Config(error) => error,
            CallError::Rejected(reply) => super::refusal(&reply),
            other => Error::temporary(other.to_string(), "try again"),
        }
    }

    /// What it says.
    pub(super) fn message(&self) -> String {
        CallError::from(self.clone()).to_string()
    }
}

impl From<&Error> for ErrorDetails {
    fn from(error: &Error) -> Self {
        Self {
            status: error.status().as_str().to_owned(),
            message: error.message().to_owned(),
            hint: error.hint().map(str::to_owned),
            retry_after_ms: error.retry_after().map(in_ms),
        }
    }
}

impl From<ErrorDetails> for Error {
    fn from(told: ErrorDetails) -> Self {
        let mut known = EXIT_CODES.iter().flat_map(|row| row.statuses.iter().copied());
        let status = known.find(|status| status.as_str() == told.status).unwrap_or(Status::Temporary);
        let error = Self::new(status, told.message);
        let error = error.with_retry_after(told.retry_after_ms.map(std::time::Duration::from_millis));
        match told.hint {
            Some(hint) => error.with_hint(hint),
            None => error,
        }
    }
}

impl From<Reply> for CarriedReply {
    fn from(Reply { answer, fields }: Reply) -> Self {
        Self { errcode: answer.errcode, errmsg: answer.errmsg, fields }
    }
}

impl From<CarriedReply> for Reply {
    fn from(CarriedReply { errcode, errmsg, fields }: CarriedReply) -> Self {
        Self { answer: Answer { errcode, errmsg }, fields }
    }
}

impl From<CallError> for CallFailure {
    fn from(failure: CallError) -> Self {
        match failure {
            CallError::Setup(error) => Self::Setup(ErrorDetails::from(&error)),
            CallError::Unreached { what, limit, refused_by } => Self::Unreached { what, limit, refused_by },
            CallError::Untrusted { host, fault } => Self::Untrusted { host, fault },
            CallError::Config(error) => Self::Config(ErrorDetails::from(&error)),
            CallError::TooManyRequests(error) => Self::TooManyRequests(ErrorDetails::from(&error)),
            CallError::Foreign(error) => Self::Foreign(ErrorDetails::from(&error)),
            CallError::Cut { what, limit } => Self::Cut { what, limit },
            CallError::Silent { what, limit } => Self::Silent { what, limit },
            CallError::Rejected(reply) => Self::Rejected(reply.into()),
        }
    }
}

impl From<CallFailure> for CallError {
    fn from(failure: CallFailure) -> Self {
        match failure {
            CallFailure::Setup(told) => Self::Setup(told.into()),
            CallFailure::Unreached { what, limit, refused_by } => Self::Unreached { what, limit, refused_by },
            CallFailure::Untrusted { host, fault } => Self::Untrusted { host, fault },
            CallFailure::Config(told) => Self::Config(told.into()),
            CallFailure::TooManyRequests(told) => Self::TooManyRequests(told.into()),
            CallFailure::Foreign(told) => Self::Foreign(told.into()),
            CallFailure::Cut { what, limit } => Self::Cut { what, limit },
            CallFailure::Silent { what, limit } => Self::Silent { what, limit },
            CallFailure::Rejected(answered) => Self::Rejected(answered.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_failure_arrives_as_it_was() {
        let error = || Error::config("what", "next").with_retry_after(Some(Duration::from_secs(7)));
        let fields = serde_json::from_str(r#"{"errcode":93006,"errmsg":"invalid chatid","n":12345678901234567890}"#);
        let answer = Answer { errcode: 93006, errmsg: "invalid chatid".into() };
        let proxy = Some(FirstHop::Proxy("http://proxy.example:3128".into()));
        let (what, limit) = (|| "what".to_owned(), Some(Limit::Timeout));
        for failure in [
            CallError::Setup(error()),
            CallError::Unreached { what: what(), limit: Some(Limit::Connect), refused_by: proxy },
            CallError::Unreached { what: what(), limit: None, refused_by: Some(FirstHop::Host) },
            CallError::Untrusted { host: "wecom.example".into(), fault: CertificateFault::Expired },
            CallError::Untrusted { host: "wecom.example".into(), fault: CertificateFault::Other("odd".into()) },
            CallError::Config(error()),
            CallError::TooManyRequests(error().with_status(Status::RateLimited)),
            CallError::Foreign(error().with_status(Status::Temporary)),
            CallError::Cut { what: what(), limit },
            CallError::Silent { what: what(), limit },
            CallError::Rejected(Reply { answer, fields: fields.unwrap() }),
        ] {
            let shown = format!("{failure:?} {failure}");
            let sent = serde_json::to_string(&CallFailure::from(failure)).unwrap();
            let arrived = CallError::from(serde_json::from_str::<CallFailure>(&sent).unwrap());
            assert_eq!(format!("{arrived:?} {arrived}"), shown, "{sent}");
        }
    }
}
