//! The proxies: what they carry, what they refuse, and what they write down.

use super::*;
use crate::support::proxy::{Carried, Proxy};

fn through(proxy: &Proxy, request: &[u8]) -> Got {
    Got::parse(&exchange(connect(proxy.authority()), request).unwrap())
}

#[test]
fn http_carries_tunnels_and_plain_requests() {
    let wecom = FakeWecom::start();
    let proxy = Proxy::http().lead_to(wecom.address()).start();
    let target = token_target();
    let plain = format!("GET http://wecom.invalid{target} HTTP/1.1\r\nHost: wecom.invalid\r\n\r\n");
    assert_eq!(through(&proxy, plain.as_bytes()).errcode(), 0);
    let mut tunnel = connect(proxy.authority());
    tunnel.write_all(b"CONNECT wecom.invalid:443 HTTP/1.1\r\nHost: wecom.invalid:443\r\n\r\n").unwrap();
    let mut answer = [0; 39];
    tunnel.read_exact(&mut answer).unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 200"));
    let inside = format!("GET {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    assert_eq!(Got::parse(&exchange(tunnel, inside.as_bytes()).unwrap()).errcode(), 0);
    let forwarded = Carried::Forward("http://wecom.invalid/cgi-bin/gettoken".into());
    assert_eq!(proxy.carried(), [forwarded, Carried::Tunnel("wecom.invalid:443".into())]);
    assert_eq!(wecom.requests().len(), 2);
}

#[test]
fn http_asks_for_its_login() {
    let wecom = FakeWecom::start();
    let proxy = Proxy::http().login("user", "test-proxy-password").lead_to(wecom.address()).start();
    let request = |login: &str| format!("GET http://x{} HTTP/1.1\r\nHost: x\r\n{login}\r\n", token_target());
    assert_eq!(through(&proxy, request("").as_bytes()).status, 407);
    // user:test-proxy-password
    let login = "Proxy-Authorization: Basic dXNlcjp0ZXN0LXByb3h5LXBhc3N3b3Jk\r\n";
    assert_eq!(through(&proxy, request(login).as_bytes()).errcode(), 0);
    assert_eq!(proxy.carried()[0], Carried::NoLogin);
    assert!(wecom.requests()[0].header("proxy-authorization").is_none());
    let closed = Proxy::http().refuse_with(503).start();
    assert_eq!(through(&closed, request("").as_bytes()).status, 503);
}

#[test]
fn socks5_tells_names_from_addresses() {
    let wecom = FakeWecom::start();
    let proxy = Proxy::socks5().login("user", "test-proxy-password").lead_to(wecom.address()).start();
    let request = format!("GET {} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", token_target());
    let login = b"\x01\x04user\x13test-proxy-password";
    for target in [b"\x05\x01\x00\x03\x0dwecom.invalid\x01\xbb".as_slice(), b"\x05\x01\x00\x01\x7f\x00\x00\x01\x01\xbb"]
    {
        let mut stream = connect(proxy.authority());
        stream.write_all(&[&b"\x05\x01\x02"[..], login, target].concat()).unwrap();
        let mut greeting = [0; 2 + 2 + 10];
        stream.read_exact(&mut greeting).unwrap();
        assert_eq!(greeting[..6], [5, 2, 1, 0, 5, 0]);
        assert_eq!(Got::parse(&exchange(stream, request.as_bytes()).unwrap()).errcode(), 0);
    }
    let mut stream = connect(proxy.authority());
    assert_eq!(exchange(&mut stream, b"\x05\x01\x00").unwrap(), [5, 0xff]);
    let name = Carried::SocksName("wecom.invalid:443".into());
    assert_eq!(proxy.carried(), [name, Carried::SocksAddress("127.0.0.1:443".into()), Carried::NoLogin]);
}
