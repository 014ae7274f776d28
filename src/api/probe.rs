//! Network diagnosis for `check`: tests name look-up, connection, proxy and TLS one after the other, without a request.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::TcpStream;

use super::certificate::{Certificate, CertificateRecorder};
use super::connect::{ConnectFailure, ConnectionWatch};
use super::failure::CallError;
use super::proxy::Proxy;
use super::resolver::MOST_OF_A_FAMILY;
use super::{Client, ClientOptions};
use crate::blocking::look_up;
use crate::config::ProxySetting;
use crate::error::Result;
use crate::event::Observer;
use crate::secret::Mask;

/// Whether requests go through a proxy, and why not.
pub(crate) enum ProxyUse<'c> {
    /// Directly to WeCom, since no proxy is named.
    Direct,
    /// Directly to WeCom, since the proxy setting says so.
    Off,
    /// Directly to WeCom, since `NO_PROXY` excepts this host from the proxy.
    Excepted,
    /// Through a proxy.
    Proxy(&'c Proxy),
}

impl Client {
    /// A client that also notes the certificates which it is shown, for [`Client::certificate`].
    pub(crate) fn inspecting(options: ClientOptions, mask: Mask, observer: Observer) -> Self {
        Self { recorder: Some(CertificateRecorder::default()), ..Self::new(options, mask, observer) }
    }

    /// Whether its requests go through a proxy, and why not. Fails where a variable names one that cannot be used.
    pub(crate) fn proxy_use(&self) -> Result<ProxyUse<'_>> {
        let (setting, base_url) = (&self.options.proxy, &self.options.base_url);
        Ok(match self.proxy.as_ref().as_ref().map_err(Clone::clone)? {
            Some(proxy) => ProxyUse::Proxy(proxy),
            None if *setting == ProxySetting::Off => ProxyUse::Off,
            None if Proxy::is_excepted(setting, base_url) => ProxyUse::Excepted,
            None => ProxyUse::Direct,
        })
    }

    /// Whether a proxy has to open a tunnel (CONNECT or SOCKS) before a request can be sent to WeCom.
    pub(crate) fn is_tunneled(&self) -> bool {
        self.proxy().is_some_and(|proxy| self.is_tls() || !proxy.speaks_http())
    }

    /// Whether WeCom is spoken to by TLS.
    pub(crate) fn is_tls(&self) -> bool {
        self.options.base_url.is_tls()
    }

    /// The host and port that a connection is made to: the proxy's, where there is one.
    pub(crate) fn first_hop(&self) -> (String, u16) {
        self.proxy().map_or_else(|| self.options.base_url.host_and_port(), |proxy| proxy.url.host_and_port())
    }

    /// The addresses of that host.
    pub(crate) async fn look_up(&self) -> Result<Vec<SocketAddr>, CallError> {
        let (host, port) = self.first_hop();
        let limit = self.connect_limit()?;
        let found = tokio::time::timeout(limit, look_up(&host, port)).await;
        let failure = match found.map(|found| found.map(Iterator::collect::<Vec<_>>)) {
            Ok(Ok(addresses)) if !addresses.is_empty() => return Ok(addresses),
            Ok(Ok(_)) => ConnectFailure::Dns { host, reason: "it has no address".to_owned() },
            Ok(Err(error)) => ConnectFailure::of_look_up(host, &error),
            Err(_) => ConnectFailure::DnsTimedOut { host, waited: limit },
        };
        Err(self.unreached(&self.peer(""), failure))
    }

    /// The first of these addresses that takes a connection, which is dropped at once.
    pub(crate) async fn connect(&self, addresses: &[SocketAddr]) -> Result<SocketAddr, CallError> {
        let limit = self.connect_limit()?;
        let share = limit / addresses.len().clamp(1, MOST_OF_A_FAMILY) as u32;
        let connecting = async {
            let mut failure = ConnectFailure::TimedOut(limit);
            for address in addresses {
                match tokio::time::timeout(share, TcpStream::connect(address)).await {
                    Ok(Ok(_)) => return Ok(*address),
                    Ok(Err(error)) => failure = ConnectFailure::of_connect(&error),
                    Err(_) => {}
                }
            }
            Err(failure)
        };
        let connected = tokio::time::timeout(limit, connecting).await.unwrap_or(Err(ConnectFailure::TimedOut(limit)));
        connected.map_err(|failure| self.unreached(&self.peer(""), failure))
    }

    /// Makes a connection as a request does, through the proxy and with TLS, and drops it: no request goes out.
    pub(crate) async fn open(&self) -> Result<(), CallError> {
        let http = self.http().await.map_err(CallError::Setup)?;
        self.with_all_roots(async || {
            let watch = ConnectionWatch::begin(self.connect_limit()?, true);
            let request = watch.over(http.get(self.options.base_url.as_str()).send());
            // The watch has the result.
            let _ = tokio::time::timeout_at(self.options.deadline.into(), request).await;
            watch.failure().map_or(Ok(()), |failure| Err(self.unreached(&self.peer(""), failure)))
        })
        .await
    }

    /// The certificate that WeCom's host showed, trusted or not.
    pub(crate) fn certificate(&self) -> Option<Certificate> {
        self.recorder.as_ref()?.latest(&self.options.base_url.host_and_port().0)
    }

    /// The connect timeout, or the time until the deadline if that is less.
    pub(super) fn connect_limit(&self) -> Result<Duration, CallError> {
        Ok(self.options.connect_timeout.min(self.time_left()?))
    }
}
