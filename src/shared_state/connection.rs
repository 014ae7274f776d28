//! Makes a connection to the store: name look-up, TCP, TLS, log-in, and what kind of server it is.

use std::collections::HashMap;
use std::io;
use std::time::Instant;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Cmd, ErrorKind, FromRedisValue, RedisConnectionInfo, Value, cmd};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use super::failure::{CLUSTER, REPLICA, SENTINEL, StoreFailure, TOO_OLD, is_unknown_command};
use crate::api::Trust;
use crate::blocking::{look_up, task};
use crate::config::SharedStateUrl;
use crate::secret::Secret;

/// The first version with users, and with the greeting that tells what a server is.
const OLDEST_VERSION: u32 = 6;

/// What a server says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ServerInfo {
    /// `redis` or `valkey`.
    pub(crate) name: String,
    /// Its version.
    pub(crate) version: String,
}

/// Connects, logs in, and refuses what cannot serve. Reading trusted certificates ends at `until`; for the rest the caller
/// limits the time.
pub(super) async fn connect(
    url: &SharedStateUrl,
    trust: &Trust,
    until: Instant,
) -> Result<(MultiplexedConnection, ServerInfo), StoreFailure> {
    let (host, port) = url.host_and_port();
    let mut connection = if url.is_tls {
        let shaken = match trust.handshake(reach(&host, port).await?, &host, until).await {
            Err((_, true)) => trust.handshake(reach(&host, port).await?, &host, until).await,
            shaken => shaken,
        };
        multiplexed(shaken.map_err(|(why, _)| StoreFailure::lasting(why))?).await?
    } else {
        multiplexed(reach(&host, port).await?).await?
    };
    let info = greet(&mut connection, url).await?;
    if url.database != 0 {
        let _: Value = cmd("SELECT").arg(url.database).query_async(&mut connection).await?;
    }
    Ok((connection, info))
}

async fn reach(host: &str, port: u16) -> Result<TcpStream, StoreFailure> {
    let found = look_up(host, port).await;
    let addresses = found.map_err(|error| StoreFailure::passing(format!("its name is not found: {error}")))?;
    let mut refused = io::Error::from(io::ErrorKind::AddrNotAvailable);
    for address in addresses {
        match TcpStream::connect(address).await {
            Ok(stream) => {
                // It only ever saves time.
                let _ = stream.set_nodelay(true);
                return Ok(stream);
            }
            Err(error) => refused = error,
        }
    }
    Err(StoreFailure::passing(match refused.kind() {
        io::ErrorKind::ConnectionRefused => format!("nothing listens there: {refused}"),
        _ => format!("no connection: {refused}"),
    }))
}

async fn multiplexed(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
) -> Result<MultiplexedConnection, StoreFailure> {
    // The log-in follows with the greeting; limits of time are the caller's.
    let nothing = RedisConnectionInfo::default().set_skip_set_lib_name();
    let config = AsyncConnectionConfig::new().set_response_timeout(None);
    let (connection, driver) = MultiplexedConnection::new_with_config(&nothing, stream, config).await?;
    tokio::spawn(task(driver));
    Ok(connection)
}

/// Logs in. The answer says what the server is.
async fn greet(connection: &mut MultiplexedConnection, url: &SharedStateUrl) -> Result<ServerInfo, StoreFailure> {
    let said = greeting(url).query_async(connection).await;
    let said: HashMap<String, Value> = said.map_err(|error: redis::RedisError| {
        let is_old = matches!(error.kind(), ErrorKind::Server(_) | ErrorKind::Extension)
            && error.detail().is_some_and(is_unknown_command);
        if is_old { StoreFailure::lasting(TOO_OLD) } else { error.into() }
    })?;
    let text = |name: &str| {
        let value = said.get(name).cloned();
        value.and_then(|value| String::from_redis_value(value).ok()).unwrap_or_default()
    };
    match (text("mode").as_str(), text("role").as_str()) {
        ("cluster", _) => return Err(StoreFailure::lasting(CLUSTER)),
        ("sentinel", _) => return Err(StoreFailure::lasting(SENTINEL)),
        (_, "replica" | "slave") => return Err(StoreFailure::lasting(REPLICA)),
        _ => {}
    }
    let info = ServerInfo { name: text("server"), version: text("version") };
    let major = info.version.split('.').next().and_then(|major| major.parse::<u32>().ok());
    if major.is_some_and(|major| major < OLDEST_VERSION) {
        return Err(StoreFailure::lasting(TOO_OLD));
    }
    Ok(info)
}

fn greeting(url: &SharedStateUrl) -> Cmd {
    let mut greeting = cmd("HELLO");
    greeting.arg(2);
    if let Some(password) = &url.password {
        let user = url.user.as_deref().unwrap_or("default");
        greeting.arg("AUTH").arg(user).arg(Secret::expose(password));
    }
    greeting
}
