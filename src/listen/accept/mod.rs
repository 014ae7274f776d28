//! `listen --accept`: takes alerts by HTTP and sends them as a single send does.
//!
//! `gate` says whose requests are taken and what they ask for, `desk` sends what was taken in, `retries` knows a request that
//! is the repeat of another one, `answer` says what a sender is told of an outcome.

mod answer;
mod desk;
mod gate;
mod retries;

use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, oneshot};

use super::server::{Answered, bind};
use crate::blocking::off_loop;
use crate::config::{Settings, TargetName};
use crate::error::{Error, Result};
use crate::feed::FeedFormat;
use crate::secret::{Mask, Secret};

pub(super) use desk::AlertDesk;
pub(super) use gate::AlertGate;

/// How long a connection may last: the head and the body of a request, sending the alert, the answer.
pub(super) const TO_END: Duration = Duration::from_secs(60);

/// Where an alert comes from and is to go.
struct AlertOrigin {
    target: TargetName,
    /// The request, for people: method, path, size and peer.
    request: String,
}

/// An alert that somebody sends.
pub(super) struct AcceptedAlert {
    origin: AlertOrigin,
    kind: AlertKind,
    body: String,
    /// Takes the answer.
    reply: oneshot::Sender<Answered>,
    /// The memory that it may use. It is free again when the alert is dealt with.
    _memory: OwnedSemaphorePermit,
}

/// What the body of a request is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum AlertKind {
    /// A notification, as `--from` reads it.
    Feed(FeedFormat),
    /// What a line of a batch says.
    Line,
}

impl AlertKind {
    /// The kind that the last word of a path names.
    fn named(word: &str) -> Option<Self> {
        match word {
            "send" => Some(Self::Line),
            word => word.parse().ok().map(Self::Feed),
        }
    }
}

/// The address where alerts are taken, and what senders have to show there.
pub(super) struct AcceptAddress {
    pub(super) bound: TcpListener,
    pub(super) token: Option<Secret>,
}

impl AcceptAddress {
    /// Binds the address and reads the token.
    ///
    /// # Errors
    ///
    /// Exit 3 for an address that cannot be used, a token that cannot be read, and an address that others can reach where
    /// no token is set.
    pub(super) async fn open(address: &str, settings: &Settings, mask: &Mask) -> Result<Self> {
        let token = match settings.accept_token.clone() {
            Some(source) => Some(off_loop(move || source.load(Duration::ZERO)).await??),
            None => None,
        };
        token.iter().for_each(|token| mask.add(token));
        let bound = bind(address, "--accept")?;
        if token.is_none() && !bound.local_addr().is_ok_and(is_loopback) {
            return Err(Error::config(
                format!("--accept {address}: others can reach that address, and accept_token is not set"),
                "set accept_token_file to a file with a long random word that senders show, as from: openssl rand -hex 32; or listen on \
                 127.0.0.1",
            ));
        }
        Ok(Self { bound, token })
    }
}

/// An error with its hint.
fn with_hint(error: &Error) -> String {
    error.hint().map_or_else(|| error.to_string(), |hint| format!("{error}; {hint}"))
}

fn is_loopback(address: SocketAddr) -> bool {
    address.ip().to_canonical().is_loopback()
}
