//! `check` of the network: proxy, name look-up, connection, TLS, and the clocks at both ends.

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant, SystemTime};

use crate::api::aibot::AIBOT_UPDATE;
use crate::api::{CallError, Certificate, Client, Limit, ProxyUse};
use crate::clock;
use crate::config::ProxySetting;
use crate::delivery::explain_connection;
use crate::error::Error;
use crate::sanitize::first_items;
use crate::send::Session;

use super::report::CheckReport;

/// A certificate that expires within so many days is a warning.
const FEW_DAYS: u64 = 14;

/// A clock that is off by so many seconds is wrong.
const WRONG_CLOCK_S: u64 = 60;

/// How many addresses of a name are shown.
const SHOWN_ADDRESSES: usize = 4;

/// Looks at the way to the client's base URL, step by step; the error is the name of the step that failed.
pub(super) async fn look(client: &Client, session: &Session<'_>, report: &mut CheckReport) -> Result<(), &'static str> {
    let way = match look_at_proxy(client, session, report) {
        Ok(way) => way,
        Err(error) => return report.block("proxy", &error, &["dns", "tcp", "tls"]),
    };
    let after_tcp: &[&'static str] = if client.is_tunneled() { &["tunnel", "tls"] } else { &["tls"] };
    let (host, _) = client.first_hop();
    let began = Instant::now();
    let addresses = match client.look_up().await {
        Ok(addresses) => addresses,
        Err(failure) => {
            let hint = format!(
                "check the spelling of {host} and the name servers of this machine (getent hosts {host}); where names \
                 outside are known to a proxy alone, name it with --proxy"
            );
            return report.block("dns", &unreached(client, &failure, hint), &[&["tcp"], after_tcp].concat());
        }
    };
    if host.parse::<IpAddr>().is_ok() {
        report.ok("dns", format!("{host} is an address: there is nothing to look up"));
    } else {
        let shown = first_items(addresses.iter().map(SocketAddr::ip), SHOWN_ADDRESSES);
        report.ok("dns", format!("{host} is {shown}{}", spent(began)));
    }
    let began = Instant::now();
    match client.connect(&addresses).await {
        Ok(address) => report.ok("tcp", format!("{address} takes connections{}", spent(began))),
        Err(failure) => {
            let hint = match &way {
                ProxyUse::Proxy(proxy) => {
                    format!("check that the proxy {} runs and takes connections from this machine", proxy.address())
                }
                _ => format!(
                    "check host and port of {} and the firewalls on the way; where only a proxy leads out, name it with --proxy",
                    client.options.base_url.setting()
                ),
            };
            return report.block("tcp", &unreached(client, &failure, hint), after_tcp);
        }
    }
    look_at_tls(client, &way, report).await
}

/// The checks that need no network.
pub(super) async fn look_from_here(client: &Client, session: &Session<'_>, report: &mut CheckReport) {
    if let Err(error) = look_at_proxy(client, session, report) {
        let _ = report.block("proxy", &error, &["dns", "tcp", "tls"]);
        return;
    }
    const UNASKED: &str = "skipped: a dry run does not use the network";
    report.skip_all(&["dns", "tcp"], UNASKED);
    match client.prepare().await {
        Ok(()) => report.skip("tls", UNASKED),
        Err(error) => report.fail("tls", &error),
    }
}

/// Looks at how far this machine's clock is from WeCom's.
pub(super) fn look_at_clock(ahead_s: Option<i64>, report: &mut CheckReport) {
    let Some(ahead) = ahead_s else {
        return report.skip("clock", "skipped: WeCom gave no answer with a date to compare");
    };
    let (off, side) = (ahead.unsigned_abs(), if ahead < 0 { "behind" } else { "ahead of" });
    if off < WRONG_CLOCK_S {
        return report.ok("clock", format!("within {WRONG_CLOCK_S} s of WeCom's (off by {off} s)"));
    }
    let span = clock::span(Duration::from_secs(off), &clock::UNITS);
    let hint = "set the clock of this machine, best by NTP (timedatectl set-ntp true): certificates and the lives of tokens \
                are counted by it";
    report.warn("clock", format!("this machine's clock is {span} {side} WeCom's"), hint);
}

/// Reports which proxy carries requests, if one does; fails where a variable names one that cannot be used.
fn look_at_proxy<'c>(
    client: &'c Client,
    session: &Session<'_>,
    report: &mut CheckReport,
) -> Result<ProxyUse<'c>, Error> {
    let origin = session.settings.proxy_origin.as_deref();
    let way = client.proxy_use()?;
    if let (ProxySetting::Environment, Some(origin)) = (&session.settings.proxy, origin) {
        report.skip("proxy", format!("skipped: a dry run does not read {origin}"));
        return Ok(way);
    }
    let detail = match &way {
        ProxyUse::Direct => "none: neither --proxy nor a proxy variable names one".to_owned(),
        ProxyUse::Off => format!("none, as {} says", origin.unwrap_or("the proxy setting")),
        ProxyUse::Excepted => "none for this host: NO_PROXY excepts it".to_owned(),
        ProxyUse::Proxy(proxy) => match origin {
            Some(origin) => format!("{}, from {origin}", proxy.address()),
            None => format!("{}, {proxy}", proxy.address()),
        },
    };
    report.ok("proxy", detail);
    Ok(way)
}

async fn look_at_tls(client: &Client, way: &ProxyUse<'_>, report: &mut CheckReport) -> Result<(), &'static str> {
    let (through, base_url) = (client.is_tunneled(), &client.options.base_url);
    if through || client.is_tls() {
        let opened = client.open().await;
        let certificate = client.certificate();
        if let Err(failure) = &opened
            && through
            && certificate.is_none()
        {
            return report.block("tunnel", &explained(client, failure), &["tls"]);
        }
        if let (true, ProxyUse::Proxy(proxy)) = (through, way) {
            report.ok("tunnel", format!("{proxy} lets connections to {} through", base_url.host()));
        }
        if client.is_tls() {
            return match opened {
                Ok(()) => {
                    look_at_certificate(certificate, base_url.host(), report);
                    Ok(())
                }
                Err(failure) => report.block("tls", &no_tls(client, &failure, certificate), &[]),
            };
        }
    } else if let Err(error) = client.prepare().await {
        return report.block("tls", &error, &[]);
    }
    if base_url.is_plain_http_beyond_loopback() {
        let detail = format!("none: {base_url} is plain http, so credentials and alerts can be read on the way");
        let scheme = if base_url.is_websocket() { "wss" } else { "https" };
        let hint = format!("write {scheme}:// in {}", base_url.setting());
        report.warn("tls", detail, hint);
    } else {
        report.skip("tls", format!("none: {base_url} is plain http, and does not leave this machine"));
    }
    Ok(())
}

fn look_at_certificate(certificate: Option<Certificate>, host: &str, report: &mut CheckReport) {
    let Some(Certificate { version, issuer, not_after }) = certificate else {
        return report.ok("tls", format!("{host} is trusted; what its certificate says cannot be read"));
    };
    let days = not_after.duration_since(SystemTime::now()).unwrap_or_default().as_secs() / 86_400;
    let version = version.unwrap_or("TLS");
    let detail =
        format!("{version} with {host}, issued by {issuer}, {days} days left (until {})", clock::date(not_after));
    if days > FEW_DAYS {
        return report.ok("tls", detail);
    }
    let hint = "have the certificate renewed by whoever runs the server, or the proxy that breaks TLS up: without that no \
                alert goes out any more";
    report.warn("tls", detail, hint);
}

fn explained(client: &Client, failure: &CallError) -> Error {
    explain_connection(failure, if client.options.base_url.is_websocket() { AIBOT_UPDATE } else { "" })
}

/// The error for a failure before TLS, with that hint unless a time limit ended the wait.
fn unreached(client: &Client, failure: &CallError, hint: String) -> Error {
    let error = explained(client, failure);
    match failure {
        CallError::Unreached { limit: None, .. } => error.with_hint(hint),
        _ => error,
    }
}

fn no_tls(client: &Client, failure: &CallError, certificate: Option<Certificate>) -> Error {
    let error = explained(client, failure);
    match (failure, certificate) {
        (CallError::Untrusted { .. }, Some(Certificate { issuer, not_after, .. })) => {
            let until = clock::date(not_after);
            error.clone().with_message(format!("{error} (issued by {issuer}, valid until {until})"))
        }
        (CallError::Unreached { limit: Some(Limit::OpenFiles), .. }, _) => error,
        (CallError::Unreached { limit, .. }, _) => {
            let more_time =
                |limit: &Limit| format!("; where the way is slow, give it more time with {}", limit.option());
            let more_time = limit.as_ref().map(more_time).unwrap_or_default();
            let setting = client.options.base_url.setting();
            let hint = format!("a firewall may cut TLS off, or the port of {setting} does not speak TLS{more_time}");
            error.clone().with_message(format!("connected, but the TLS handshake failed: {error}")).with_hint(hint)
        }
        _ => error,
    }
}

/// How long it took.
fn spent(began: Instant) -> String {
    format!(" ({} ms)", began.elapsed().as_millis())
}

#[cfg(test)]
mod tests {
    use crate::delivery::{CheckStatus, Product};

    use super::*;

    fn clock(ahead_s: Option<i64>) -> (CheckStatus, String) {
        let mut report = CheckReport::default();
        look_at_clock(ahead_s, &mut report);
        let Product::Checks(mut checks, _) = report.into_outcome(None).product else { panic!("no checks") };
        let check = checks.remove(0);
        (check.status, check.detail)
    }

    #[test]
    fn a_clock_is_wrong_from_a_minute_on() {
        for (ahead_s, status, part) in [
            (Some(0), CheckStatus::Ok, "off by 0 s"),
            (Some(-59), CheckStatus::Ok, "off by 59 s"),
            (Some(60), CheckStatus::Warning, "1m ahead of"),
            (Some(-7_500), CheckStatus::Warning, "2h 5m behind"),
            (Some(i64::MIN), CheckStatus::Warning, "behind"),
            (None, CheckStatus::Skipped, "no answer"),
        ] {
            let (found, detail) = clock(ahead_s);
            assert!(found == status && detail.contains(part), "{ahead_s:?}: {detail}");
        }
    }
}
