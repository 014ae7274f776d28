//! Looks names up, and says in which order the addresses of a name are tried: those last that failed before. A look-up that an
//! attempt had no time for goes on, and the next attempt gets its answer: where the first of the system's name servers is
//! down, that takes as long as an attempt may wait.
//!
//! The connector tries one address after the other, and gives each the same share of the connect timeout; it begins
//! with the other family (IPv4, IPv6) while the first one still tries.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::future::{BoxFuture, Shared, select_ok};
use futures_util::{FutureExt as _, TryFutureExt as _};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::connect::{ConnectFailure, ConnectionWatch};
use crate::blocking::look_up;
use crate::sort;

/// How many addresses of a family one attempt tries at most, so that each share of the connect timeout is long enough
/// for a lost packet that is sent again. The others come first in a later attempt.
pub(super) const MOST_OF_A_FAMILY: usize = 3;

/// How many failed addresses are remembered.
const MOST_FAILED: usize = 64;

/// What a look-up finds.
type Found = Result<Vec<SocketAddr>, Arc<io::Error>>;

/// Name look-up by the system, recorded in the watch of the attempt; clones know of the same failed addresses.
#[derive(Debug, Clone, Default)]
pub(super) struct Resolver {
    /// The one that failed last is at the end.
    failed: Arc<Mutex<Vec<IpAddr>>>,
    /// Look-ups that nobody has seen the end of, by host.
    under_way: Arc<Mutex<HashMap<String, Shared<BoxFuture<'static, Found>>>>>,
}

impl Resolver {
    /// These addresses failed: from now on they are tried after all others.
    pub(super) fn put_last(&self, addresses: impl IntoIterator<Item = IpAddr>) {
        let mut failed = self.failed();
        for address in addresses {
            failed.retain(|earlier| *earlier != address);
            failed.push(address);
        }
        let surplus = failed.len().saturating_sub(MOST_FAILED);
        failed.drain(..surplus);
    }

    /// The addresses that an attempt tries, in their order.
    fn chosen(&self, mut addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
        let failed = self.failed();
        // An address that is not among them has no position, which is less than any.
        sort::sort_by_key(&mut addresses, |address| failed.iter().position(|failed| *failed == address.ip()));
        let (mut ipv4, mut ipv6) = (0, 0);
        addresses.retain(|address| {
            let count = if address.is_ipv4() { &mut ipv4 } else { &mut ipv6 };
            *count += 1;
            *count <= MOST_OF_A_FAMILY
        });
        addresses
    }

    /// What a look-up of this host finds, or an earlier one that is still under way: whichever finds something first. The
    /// earlier one may hang, where the system's name servers were others.
    async fn found(&self, host: &str, look_up: impl FnOnce(String) -> BoxFuture<'static, Found>) -> Found {
        let found = {
            let mut under_way = self.under_way();
            let mut found = look_up(host.to_owned()).shared();
            if let Some(earlier) = under_way.remove(host) {
                found = select_ok([earlier, found]).map_ok(|(found, _)| found).boxed().shared();
            }
            under_way.insert(host.to_owned(), found.clone());
            found
        };
        let found = found.await;
        self.under_way().remove(host);
        found
    }

    fn under_way(&self) -> MutexGuard<'_, HashMap<String, Shared<BoxFuture<'static, Found>>>> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn failed(&self) -> MutexGuard<'_, Vec<IpAddr>> {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An error that several may have.
fn copy_of(error: &io::Error) -> io::Error {
    match error.raw_os_error() {
        Some(code) => io::Error::from_raw_os_error(code),
        None => io::Error::new(error.kind(), error.to_string()),
    }
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let (watch, resolver) = (ConnectionWatch::current(), self.clone());
        Box::pin(async move {
            let host = name.as_str().to_owned();
            if let Some(watch) = &watch {
                watch.look_up(&host);
            }
            let found = resolver.found(&host, |host| {
                async move { look_up(&host, 0).await.map(Iterator::collect).map_err(Arc::new) }.boxed()
            });
            match found.await.map(|found| resolver.chosen(found)) {
                Ok(addresses) => {
                    if let Some(watch) = &watch {
                        watch.looked_up(addresses.iter().map(SocketAddr::ip).collect());
                    }
                    Ok(Box::new(addresses.into_iter()) as Addrs)
                }
                Err(error) => {
                    if let Some(watch) = &watch {
                        watch.fail(ConnectFailure::of_look_up(host, &error));
                    }
                    Err(copy_of(&error).into())
                }
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(resolver: &Resolver, addresses: &[&str]) -> Vec<String> {
        let addresses = addresses.iter().map(|address| SocketAddr::new(address.parse().unwrap(), 0)).collect();
        resolver.chosen(addresses).iter().map(|address| address.ip().to_string()).collect()
    }

    fn put_last(resolver: &Resolver, address: &str) {
        resolver.put_last([address.parse().unwrap()]);
    }

    #[test]
    fn an_address_that_failed_goes_last() {
        let resolver = Resolver::default();
        let addresses = ["192.0.2.1", "192.0.2.2", "192.0.2.3"];
        assert_eq!(chosen(&resolver, &addresses), addresses, "as the system orders them");
        put_last(&resolver.clone(), "192.0.2.1");
        assert_eq!(chosen(&resolver, &addresses), ["192.0.2.2", "192.0.2.3", "192.0.2.1"]);
        put_last(&resolver, "192.0.2.2");
        put_last(&resolver, "192.0.2.1");
        assert_eq!(chosen(&resolver, &addresses), ["192.0.2.3", "192.0.2.2", "192.0.2.1"]);
        assert_eq!(chosen(&resolver, &["192.0.2.1"]), ["192.0.2.1"], "the only one is tried all the same");
    }

    #[test]
    fn every_address_is_tried_in_some_attempt() {
        let resolver = Resolver::default();
        let addresses = ["192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4", "192.0.2.5", "2001:db8::1"];
        let mut tried = std::collections::HashSet::new();
        for attempt in 1..=3 {
            let chosen = chosen(&resolver, &addresses);
            assert!(chosen.len() == MOST_OF_A_FAMILY + 1 && chosen.contains(&"2001:db8::1".to_owned()), "{chosen:?}");
            put_last(&resolver, &chosen[0]);
            tried.extend(chosen);
            assert_eq!(tried.len(), 3 + attempt, "{tried:?}");
        }
    }

    #[test]
    fn few_failed_addresses_are_remembered() {
        let resolver = Resolver::default();
        resolver.put_last((0..=255).map(|last| IpAddr::from([192, 0, 2, last])));
        assert_eq!(resolver.failed().len(), MOST_FAILED);
        assert_eq!(resolver.failed().last(), Some(&IpAddr::from([192, 0, 2, 255])));
    }

    #[test]
    fn the_next_attempt_gets_what_an_earlier_one_asked_for() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let resolver = Resolver::default();
            let address = SocketAddr::from(([192, 0, 2, 1], 0));
            let (answer, asked) = tokio::sync::oneshot::channel();
            let slow = |asked: tokio::sync::oneshot::Receiver<SocketAddr>| {
                resolver.found("wecom.test", |_| async { Ok(vec![asked.await.unwrap()]) }.boxed())
            };
            let moment = std::time::Duration::from_millis(5);
            assert!(tokio::time::timeout(moment, slow(asked)).await.is_err(), "the first attempt has no time for it");
            answer.send(address).unwrap();
            let again = resolver.clone();
            let found = again.found("wecom.test", |_| async { unreachable!("it was asked for") }.boxed()).await;
            assert_eq!(found.unwrap(), [address]);
            // One that hangs does not hold up the next.
            let (_never, asked) = tokio::sync::oneshot::channel();
            assert!(tokio::time::timeout(moment, slow(asked)).await.is_err());
            let found = resolver.found("wecom.test", |_| async move { Ok(vec![address]) }.boxed()).await;
            assert_eq!(found.unwrap(), [address]);
            // What is known is not kept: addresses change.
            let error = io::Error::other("no answer");
            let found = resolver.found("wecom.test", |_| async { Err(Arc::new(error)) }.boxed()).await;
            assert_eq!(copy_of(&found.unwrap_err()).to_string(), "no answer");
        });
    }
}
