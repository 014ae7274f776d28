//! The address of the store that several machines share (Redis or Valkey), as people write it. Pure; an error never repeats
//! what was given, since it may be part of a password.

use std::fmt;
use std::net::IpAddr;

use percent_encoding::percent_decode_str;
use url::Host;

use super::proxy::{Pieces, host_and_port, pieces};
use super::value::shown;
use crate::error::{Error, Result};
use crate::secret::Secret;

const HINT: &str = "write it like `rediss://user:password@redis.example:6379` or `redis://127.0.0.1:6379/1`; a sign of user or \
                    password that makes trouble may be written as %40 (@), %3A (:), %2F (/), %25 (%)";

/// The port of Redis, with TLS and without.
const USUAL_PORT: u16 = 6379;

/// Where the store is, and the log-in to it. Shown without that.
#[derive(Clone, PartialEq, Eq)]
pub struct SharedStateUrl {
    /// Whether it is spoken to by TLS: `rediss://`.
    pub is_tls: bool,
    host: Host,
    port: u16,
    /// The ACL user; without one the password is that of the user `default`.
    pub user: Option<String>,
    /// To be masked wherever it might show.
    pub password: Option<Secret>,
    /// The number of the database.
    pub database: u32,
}

impl SharedStateUrl {
    /// Reads `redis[s]://[[user]:password@]host[:port][/database]`.
    ///
    /// # Errors
    ///
    /// Exit 3 for another scheme, without a host, for several hosts, and for a part that is none.
    pub fn parse(text: &Secret) -> Result<Self> {
        let fault = |what: &str| Error::config(what, HINT);
        let Pieces { scheme, login, place } = pieces(text.expose());
        let is_tls = match scheme.map(str::to_ascii_lowercase).as_deref() {
            Some("redis") => false,
            Some("rediss") => true,
            Some("unix" | "redis+unix" | "redis+socket") => {
                return Err(fault("a socket file is no store for several machines"));
            }
            Some(name) if name.contains("sentinel") => {
                return Err(fault("a sentinel is not supported as shared state"));
            }
            Some(name) if name.contains("cluster") => return Err(fault("a cluster is not supported as shared state")),
            Some(name) => {
                return Err(fault(&format!("shared state of the scheme `{}` is not supported", shown(name))));
            }
            None => {
                return Err(fault("the address of the shared state begins with neither `redis://` nor `rediss://`"));
            }
        };
        if place.contains(['?', '#']) {
            return Err(fault("the address of the shared state has a query, which means nothing here"));
        }
        let (place, database) = place.split_once('/').unwrap_or((place, ""));
        if place.contains(',') {
            return Err(fault("the address of the shared state names several hosts: one Redis or Valkey is expected"));
        }
        let (host, port) = host_and_port(place);
        if host.is_empty() {
            return Err(fault("the address of the shared state has no host"));
        }
        let port = match port {
            None | Some("") => USUAL_PORT,
            Some(port) => match port.parse::<u16>() {
                Ok(port) if port > 0 => port,
                _ => return Err(fault("the port of the shared state is not a number from 1 to 65535")),
            },
        };
        let database = match database.trim_end_matches('/') {
            "" => 0,
            number => number.parse().map_err(|_| fault("the database of the shared state is not a number"))?,
        };
        let host =
            Host::parse(host).map_err(|error| fault(&format!("the host of the shared state is none: {error}")))?;
        let read = |part: &str| match percent_decode_str(part).decode_utf8() {
            Ok(part) => Ok(part.into_owned()),
            Err(_) => Err(fault("the percent signs in the log-in of the shared state do not give UTF-8")),
        };
        let (user, password) = match login.map(|login| login.split_once(':')) {
            None => (None, None),
            Some(None) => return Err(fault("the log-in of the shared state has no password")),
            Some(Some((user, password))) => (Some(read(user)?), Some(Secret::new(read(password)?))),
        };
        let user = user.filter(|user| !user.is_empty());
        Ok(Self { is_tls, host, port, user, password: password.filter(|password| !password.is_empty()), database })
    }

    /// The host without the brackets of an address, and the port.
    pub fn host_and_port(&self) -> (String, u16) {
        (self.host.to_string().trim_matches(['[', ']']).to_owned(), self.port)
    }

    /// Whether what is said to it can be read on the way.
    pub fn is_plain_beyond_loopback(&self) -> bool {
        let is_loopback = match &self.host {
            Host::Domain(name) => name == "localhost" || name.ends_with(".localhost"),
            Host::Ipv4(address) => IpAddr::V4(*address).is_loopback(),
            Host::Ipv6(address) => IpAddr::V6(*address).is_loopback(),
        };
        !self.is_tls && !is_loopback
    }
}

impl fmt::Display for SharedStateUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.is_tls { "rediss" } else { "redis" };
        write!(f, "{scheme}://{}:{}", self.host, self.port)?;
        if self.database == 0 { Ok(()) } else { write!(f, "/{}", self.database) }
    }
}

impl fmt::Debug for SharedStateUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SharedStateUrl({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<SharedStateUrl> {
        SharedStateUrl::parse(&Secret::new(text))
    }

    #[test]
    fn what_people_write_is_read() {
        for (text, shown, user, password) in [
            ("redis://127.0.0.1", "redis://127.0.0.1:6379", None, None),
            ("REDISS://r.example:6380/2/", "rediss://r.example:6380/2", None, None),
            ("redis://:p%40ss@r.example/", "redis://r.example:6379", None, Some("p@ss")),
            ("redis://me:p@ss/w:rd@[::1]:7000/1", "redis://[::1]:7000/1", Some("me"), Some("p@ss/w:rd")),
            (" 'redis://me:pw@r.example' ", "redis://r.example:6379", Some("me"), Some("pw")),
        ] {
            let url = parse(text).unwrap();
            assert_eq!((url.to_string().as_str(), url.user.as_deref()), (shown, user), "{text}");
            assert_eq!(url.password.as_ref().map(Secret::expose), password, "{text}");
            assert!(!format!("{url:?}").contains("pw"), "{text}");
        }
    }

    #[test]
    fn what_is_no_address_of_one_store_is_refused_without_repeating_it() {
        for (text, part) in [
            ("r.example:6379", "neither `redis://` nor `rediss://`"),
            ("http://u:s3cret@r.example", "the scheme `http`"),
            ("unix:///run/redis.sock", "a socket file"),
            ("redis-sentinel://u:s3cret@r.example/main", "a sentinel is not supported"),
            ("redis+cluster://r.example", "a cluster is not supported"),
            ("redis://u:s3cret@", "has no host"),
            ("redis://s3cret@r.example", "has no password"),
            ("redis://u:s3cret@a.example:1,b.example:2", "several hosts"),
            ("redis://u:s3cret@a.example:0", "the port"),
            ("redis://u:s3cret@a.example/main", "the database"),
            ("redis://u:s3cret@a.example?timeout=5s", "a query"),
            ("redis://u:s3cret%ff@a.example", "do not give UTF-8"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.message().contains(part) && !error.message().contains("s3cret"), "{text}: {error}");
        }
    }

    #[test]
    fn what_can_be_read_on_the_way_is_known() {
        for (text, is_plain) in [
            ("redis://r.example", true),
            ("redis://10.0.0.1", true),
            ("rediss://r.example", false),
            ("redis://localhost", false),
            ("redis://127.1.2.3", false),
            ("redis://[::1]", false),
        ] {
            assert_eq!(parse(text).unwrap().is_plain_beyond_loopback(), is_plain, "{text}");
        }
    }
}
