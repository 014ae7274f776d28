//! Why the store cannot be used, in words.

use redis::{ErrorKind, RedisError, ServerErrorKind};

use crate::sanitize::{excerpt, one_line};

/// How much of a server's own words is repeated, in characters.
const LONGEST_WORDS: usize = 200;

/// Why the store cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct StoreFailure {
    /// A clause that goes on after its address. It names no password.
    pub(super) why: String,
    /// Whether it may be over without that anybody corrects the settings.
    pub(super) passes: bool,
}

impl StoreFailure {
    /// It may be over in a while.
    pub(super) fn passing(why: impl Into<String>) -> Self {
        Self { why: why.into(), passes: true }
    }

    /// Somebody has to correct a setting, here or there.
    pub(super) fn lasting(why: impl Into<String>) -> Self {
        Self { why: why.into(), passes: false }
    }
}

impl From<RedisError> for StoreFailure {
    fn from(error: RedisError) -> Self {
        if error.is_io_error() && error.code().is_none() {
            let closed = error.is_connection_dropped();
            return Self::passing(if closed {
                "it closed the connection".to_owned()
            } else {
                words(&error.to_string())
            });
        }
        of_answer(error.kind(), error.code().unwrap_or_default(), error.detail().unwrap_or_default())
    }
}

fn of_answer(kind: ErrorKind, code: &str, detail: &str) -> StoreFailure {
    use ServerErrorKind::{
        Ask, BusyLoading, ClusterDown, CrossSlot, MasterDown, Moved, NoPerm, NoScript, ReadOnly, TryAgain,
    };
    match (kind, code) {
        (ErrorKind::Server(BusyLoading), _) => StoreFailure::passing("it is still loading its data"),
        (ErrorKind::Server(ReadOnly), _) => StoreFailure::lasting(REPLICA),
        (ErrorKind::Server(MasterDown), _) => StoreFailure::passing("it is a replica that has lost its master"),
        (ErrorKind::Server(Moved | Ask | CrossSlot | ClusterDown | TryAgain), _) => StoreFailure::lasting(CLUSTER),
        (ErrorKind::Server(NoScript), _) => StoreFailure::lasting("it keeps no scripts"),
        (ErrorKind::Server(NoPerm), _) => StoreFailure::lasting(format!("its user may not do this: {}", words(detail))),
        (ErrorKind::AuthenticationFailed, _) | (_, "WRONGPASS") => {
            StoreFailure::lasting("it refuses the user or the password")
        }
        (_, "NOAUTH") => StoreFailure::lasting("it wants a user and a password, and the address has none"),
        (_, "OOM") => StoreFailure::passing("its memory is full (maxmemory), and it takes nothing more"),
        (_, "BUSY") => StoreFailure::passing("it is busy with a script"),
        (_, "MISCONF") => StoreFailure::passing("it takes nothing, since it cannot save its data to disk (MISCONF)"),
        (_, "NOREPLICAS") => StoreFailure::passing("it takes nothing, since it has too few replicas (NOREPLICAS)"),
        (_, "DENIED") => StoreFailure::lasting("it takes connections from its own machine alone (protected-mode)"),
        _ if is_unknown_command(detail) => StoreFailure::lasting("it has no scripts, or is older than Redis 6"),
        (ErrorKind::Parse, _) => StoreFailure::lasting("what it answers is not the protocol of Redis"),
        _ => StoreFailure::passing(format!("it answers {code} {}", words(detail))),
    }
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
