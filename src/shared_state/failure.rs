//! Why the store cannot be used, in words.

use redis::{ErrorKind, RedisError, ServerErrorKind};

use crate::sanitize::{excerpt, one_line};

/// How much of a server's own words is repeated, in characters.
const LONGEST_WORDS: usize = 200;

/// Why the store cannot be used: a clause that goes on after its address. It names no password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct StoreFailure(pub(super) String);

impl StoreFailure {
    pub(super) fn new(why: impl Into<String>) -> Self {
        Self(why.into())
    }
}

impl From<RedisError> for StoreFailure {
    fn from(error: RedisError) -> Self {
        if error.is_io_error() && error.code().is_none() {
            let closed = error.is_connection_dropped();
            return Self(if closed { "it closed the connection".to_owned() } else { words(&error.to_string()) });
        }
        Self(in_words(error.kind(), error.code().unwrap_or_default(), error.detail().unwrap_or_default()))
    }
}

fn in_words(kind: ErrorKind, code: &str, detail: &str) -> String {
    let known = match (kind, code) {
        (ErrorKind::Server(ServerErrorKind::BusyLoading), _) => "it is still loading its data",
        (ErrorKind::Server(ServerErrorKind::ReadOnly), _) => REPLICA,
        (ErrorKind::Server(ServerErrorKind::MasterDown), _) => "it is a replica that has lost its master",
        (
            ErrorKind::Server(
                ServerErrorKind::Moved
                | ServerErrorKind::Ask
                | ServerErrorKind::CrossSlot
                | ServerErrorKind::ClusterDown
                | ServerErrorKind::TryAgain,
            ),
            _,
        ) => CLUSTER,
        (ErrorKind::Server(ServerErrorKind::NoScript), _) => "it keeps no scripts",
        (ErrorKind::AuthenticationFailed, _) | (_, "WRONGPASS") => "it refuses the user or the password",
        (_, "NOAUTH") => "it wants a user and a password, and the address has none",
        (_, "OOM") => "its memory is full (maxmemory), and it takes nothing more",
        (_, "BUSY") => "it is busy with a script",
        (_, "MISCONF") => "it takes nothing, since it cannot save its data to disk (MISCONF)",
        (_, "NOREPLICAS") => "it takes nothing, since it has too few replicas (NOREPLICAS)",
        (_, "DENIED") => "it takes connections from its own machine alone (protected-mode)",
        (ErrorKind::Server(ServerErrorKind::NoPerm), _) => {
            return format!("its user may not do this: {}", words(detail));
        }
        _ if is_unknown_command(detail) => "it has no scripts, or is older than Redis 6",
        (ErrorKind::Parse, _) => "what it answers is not the protocol of Redis",
        _ => return format!("it answers {code} {}", words(detail)),
    };
    known.to_owned()
}

/// Whether a server knows no such command.
pub(super) fn is_unknown_command(detail: &str) -> bool {
    detail.to_ascii_lowercase().starts_with("unknown command")
}

/// What a server's own words show: one line of them, and not all.
fn words(text: &str) -> String {
    excerpt(&one_line(text), LONGEST_WORDS)
}

pub(super) const REPLICA: &str = "it is a replica, which takes nothing";
pub(super) const CLUSTER: &str = "it is a cluster, which is not supported: one Redis or Valkey is expected";
pub(super) const SENTINEL: &str =
    "it is a sentinel, which is not supported: give the address of the Redis or Valkey itself";
pub(super) const TOO_OLD: &str = "it is older than Redis 6";
