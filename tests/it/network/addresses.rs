//! A name with several addresses, some of which are dead: each gets its share of the connect timeout, and one that
//! failed goes last. The names are in a hosts file that only the command sees.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::document::assert_document;
use crate::support::fake::tls::Certificate;
use crate::support::fake::{Endpoint, FakeWecom};
use crate::support::proxy::Proxy;
use crate::support::{Cmd, TestEnv, at_once, needs_that};

/// An address of this machine that swallows connections: its queue is full, and nobody accepts.
pub(super) struct Dead {
    pub(super) address: SocketAddr,
    _listener: tokio::net::TcpListener,
    _queued: Vec<TcpStream>,
    _runtime: tokio::runtime::Runtime,
}

impl Dead {
    /// `None` where this machine has no such address.
    pub(super) fn at(address: SocketAddr) -> Option<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().unwrap();
        let entered = runtime.enter();
        let socket = if address.is_ipv4() { tokio::net::TcpSocket::new_v4() } else { tokio::net::TcpSocket::new_v6() };
        let socket = socket.ok()?;
        socket.bind(address).ok()?;
        let listener = socket.listen(0).unwrap();
        let address = listener.local_addr().unwrap();
        let mut queued = Vec::new();
        while let Ok(stream) = TcpStream::connect_timeout(&address, Duration::from_millis(300)) {
            queued.push(stream);
            assert!(queued.len() < 100, "the queue takes everybody");
        }
        drop(entered);
        Some(Self { address, _listener: listener, _queued: queued, _runtime: runtime })
    }

    /// 127.0.0.2, 127.0.0.3, … at that port.
    fn several(count: u8, port: u16) -> Vec<Self> {
        (2..2 + count).map(|last| Self::at((Ipv4Addr::new(127, 0, 0, last), port).into()).unwrap()).collect()
    }
}

/// A send that finds these addresses behind the name `localhost`; `None` where a command cannot have a hosts file of
/// its own.
fn send(env: &TestEnv, base_url: &str, addresses: &[IpAddr]) -> Option<Cmd> {
    let hosts: String = addresses.iter().map(|address| format!("{address} localhost\n")).collect();
    let cmd = env.cmd(["webhook-send", "disk full", "--output", "json"]).webhook();
    let limits = [("CONNECT_TIMEOUT", "3s"), ("TIMEOUT", "2s"), ("DEADLINE", "60s"), ("BASE_URL", base_url)];
    let cmd = limits.into_iter().fold(cmd, |cmd, (name, value)| cmd.env(format!("WECOM_ALERT_{name}"), value));
    cmd.hosts(&env.file("hosts", hosts))
}

/// The address that works. Not 127.0.0.1: the system would put that first.
const GOOD: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 9));

/// Makes this server on 127.0.0.1 reachable at [`GOOD`] too, and returns its port. It ends with the tests.
fn at_good_address(server: SocketAddr) -> u16 {
    let listener = TcpListener::bind((GOOD, server.port())).unwrap();
    std::thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let Ok(server) = TcpStream::connect(server) else { return };
            for (mut from, mut to) in [(client.try_clone(), server.try_clone()), (Ok(server), Ok(client))]
                .map(|(from, to)| (from.unwrap(), to.unwrap()))
            {
                std::thread::spawn(move || {
                    let _ = std::io::copy(&mut from, &mut to);
                    let _ = to.shutdown(Shutdown::Write);
                });
            }
        }
    });
    server.port()
}

/// 127.0.0.2, 127.0.0.3, …
fn ip(last: u8) -> IpAddr {
    Ipv4Addr::new(127, 0, 0, last).into()
}

#[test]
fn a_dead_address_leaves_time_for_the_next_one() {
    let (env, wecom) = (TestEnv::new(), FakeWecom::start());
    let port = at_good_address(wecom.address());
    let _dead = Dead::several(2, port);
    for addresses in [&[ip(2), GOOD][..], &[ip(2), ip(3), GOOD], &[GOOD, ip(2)]] {
        let Some(cmd) = send(&env, &format!("http://localhost:{port}"), addresses) else { return };
        let expected = json!({"status": "sent", "attempts": 1});
        assert_document(&cmd.run(), &format!("{addresses:?}"), 0, &expected);
    }
    assert_eq!(wecom.messages().len(), 3);
}

#[test]
fn a_dead_address_of_the_other_family() {
    let (env, wecom) = (TestEnv::new(), FakeWecom::start());
    let port = at_good_address(wecom.address());
    let dead = Dead::at((Ipv6Addr::LOCALHOST, port).into());
    if !needs_that(dead.is_some(), "IPv6") {
        return;
    }
    let addresses = [Ipv6Addr::LOCALHOST.into(), GOOD];
    let Some(cmd) = send(&env, &format!("http://localhost:{port}"), &addresses) else { return };
    assert_document(&cmd.run(), "IPv6", 0, &json!({"status": "sent", "attempts": 1}));
}

#[test]
fn a_dead_address_of_a_proxy() {
    at_once(["http", "socks5", "socks5h"].into_iter().flat_map(|scheme| [(scheme, false), (scheme, true)]), |case| {
        let (scheme, is_tls) = case;
        let env = TestEnv::new();
        let builder = FakeWecom::builder();
        let wecom = if is_tls { builder.tls(Certificate::Good) } else { builder }.start();
        env.file("ca.pem", wecom.ca_pem());
        let proxy = if scheme == "http" { Proxy::http() } else { Proxy::socks5() }.start();
        let port = at_good_address(proxy.authority().parse().unwrap());
        let _dead = Dead::several(1, port);
        let Some(cmd) = send(&env, &wecom.base_url(), &[ip(2), GOOD]) else { return };
        let cmd = cmd.args(["--proxy", &format!("{scheme}://localhost:{port}")]);
        let run = if is_tls { cmd.args(["--ca-file", "ca.pem"]) } else { cmd }.run();
        assert_document(&run, &format!("{case:?}"), 0, &json!({"status": "sent", "attempts": 1}));
        assert_eq!((proxy.carried().len(), wecom.messages().len()), (1, 1), "{case:?}");
    });
}

#[test]
fn all_addresses_dead_end_with_the_connect_timeout() {
    let env = TestEnv::new();
    let dead = Dead::several(1, 0);
    let port = dead[0].address.port();
    let _more = [3, 4].map(|last| Dead::at((ip(last), port).into()).unwrap());
    for (limits, within) in
        [(["--connect-timeout=1s", "--deadline=30s"], 1.0), (["--connect-timeout=10s", "--deadline=2s"], 2.0)]
    {
        let Some(cmd) = send(&env, &format!("http://localhost:{port}"), &[ip(2), ip(3), ip(4)]) else { return };
        let began = Instant::now();
        let run = cmd.args(limits).run();
        let took = began.elapsed().as_secs_f64();
        let told = assert_document(&run, limits[0], 7, &json!({"status": "temporary", "attempts": 1}));
        let message = told["message"].as_str().unwrap();
        assert!(message.contains(&format!("no connection to localhost:{port} within ")), "{message}");
        assert!(took < within + 0.5, "{took} s, {limits:?}");
    }
}

#[test]
fn an_address_that_failed_goes_last_in_the_next_attempt() {
    for is_tls in [false, true] {
        let env = TestEnv::new();
        let builder = FakeWecom::builder();
        let wecom = if is_tls { builder.tls(Certificate::Good) } else { builder }.start();
        let ca = if is_tls { env.file("ca.pem", wecom.ca_pem()).display().to_string() } else { String::new() };
        let port = at_good_address(wecom.address());
        // It takes connections, and says nothing: neither to a TLS handshake nor to a request.
        let silent = TcpListener::bind((ip(2), port)).unwrap();
        let scheme = if is_tls { "https" } else { "http" };
        let Some(cmd) = send(&env, &format!("{scheme}://localhost:{port}"), &[ip(2), GOOD]) else { return };
        let cmd = cmd.args(["--retries", "1"]).env("WECOM_ALERT_CA_FILE", ca);
        assert_document(&cmd.run(), scheme, 0, &json!({"status": "sent", "attempts": 2}));
        assert_eq!(wecom.count(Endpoint::WebhookSend), 1, "{scheme}");
        drop(silent);
    }
}

#[test]
fn more_addresses_than_one_attempt_tries() {
    let (env, wecom) = (TestEnv::new(), FakeWecom::start());
    let port = at_good_address(wecom.address());
    let _dead = Dead::several(4, port);
    let addresses = [ip(2), ip(3), ip(4), ip(5), GOOD];
    let Some(cmd) = send(&env, &format!("http://localhost:{port}"), &addresses) else { return };
    let cmd = cmd.args(["--retries", "3"]).env("WECOM_ALERT_CONNECT_TIMEOUT", "1500ms");
    assert_document(&cmd.run(), "five addresses", 0, &json!({"status": "sent", "attempts": 3}));
}

#[test]
fn check_finds_the_address_that_works() {
    let (env, wecom) = (TestEnv::new(), FakeWecom::start());
    let port = at_good_address(wecom.address());
    let _dead = Dead::several(1, port);
    let hosts = env.file("hosts", "127.0.0.2 localhost\n127.0.0.9 localhost\n");
    let base_url = format!("http://localhost:{port}");
    let cmd = env.cmd(["check", "--route", "webhook", "--connect-timeout", "3s", "--base-url", &base_url]).webhook();
    let Some(cmd) = cmd.hosts(&hosts) else { return };
    let run = cmd.run();
    assert_eq!(run.code, Some(0), "{}", run.all());
}
