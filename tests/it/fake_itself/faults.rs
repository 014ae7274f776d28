//! Faults to order: what a client meets on the wire, and what the log says of it.

use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Instant;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use serde_json::json;

use super::*;
use crate::support::fake::tls::Certificate;
use crate::support::fake::{Change, Endpoint, OnConnect, Outcome, Reply};

fn message() -> Vec<u8> {
    let body = r#"{"msgtype":"text","text":{"content":"x"}}"#;
    let target = webhook_target();
    format!(
        "POST {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// All bytes that come back, or the error that ended it.
fn bytes_after(reply: Reply) -> (std::io::Result<Vec<u8>>, FakeWecom) {
    let wecom = FakeWecom::start();
    wecom.script(Endpoint::WebhookSend, [reply]);
    (exchange(connect(wecom.address()), &message()), wecom)
}

#[test]
fn a_script_runs_out_and_always_stays() {
    let wecom = FakeWecom::start();
    wecom.script(Endpoint::WebhookSend, [Reply::errcode(45009, "slow down"), Reply::status(502), Reply::Normal]);
    assert_eq!(ask(&wecom, &message()).errcode(), 45009);
    assert_eq!(ask(&wecom, &message()).status, 502);
    assert_eq!(ask(&wecom, &message()).errcode(), 0);
    wecom.always(Endpoint::WebhookSend, Reply::Json(json!({"errcode": -1})));
    assert_eq!(ask(&wecom, &message()).errcode(), -1);
    assert_eq!(ask(&wecom, &message()).errcode(), -1);
    wecom.normal(Endpoint::WebhookSend);
    assert_eq!(ask(&wecom, &message()).errcode(), 0);
    assert_eq!((wecom.messages().len(), wecom.count(Endpoint::WebhookSend)), (2, 6));
    let refused = Outcome::Refused { errcode: 45009, errmsg: "slow down".into() };
    assert_eq!(wecom.requests()[0].outcome, refused);
}

#[test]
fn the_world_changes_between_two_requests() {
    let wecom = FakeWecom::start();
    let code = |target: &str| get(&wecom, target).errcode();
    let rotation = Change::RotateSecret { old: SECRET.to_owned(), new: "test-secret-new".to_owned() };
    wecom.script(Endpoint::GetToken, [Reply::delayed(Duration::from_millis(1), Reply::meanwhile(rotation))]);
    assert_eq!([code(&token_target()), code(&token_target())], [0, 40001], "judged before, and refused after");

    let (wecom, body) = (FakeWecom::start(), with_payload("text", json!({"content": "hi"})).to_string());
    let target = format!("/cgi-bin/message/send?access_token={}", token(&wecom));
    wecom.script(Endpoint::MessageSend, [Reply::meanwhile(Change::RevokeTokens)]);
    let send = || post(&wecom, &target, "application/json", body.as_bytes()).errcode();
    assert_eq!(([send(), send()], wecom.messages().len()), ([0, 40014], 1));
}

#[test]
fn answers_that_are_not_wecoms() {
    let redirect = Got::parse(&bytes_after(Reply::Redirect("http://x/".into())).0.unwrap());
    assert!(redirect.status == 302 && redirect.head.contains("Location: http://x/"));
    let portal = Got::parse(&bytes_after(Reply::PortalPage).0.unwrap());
    assert!(portal.status == 200 && portal.body.starts_with(b"<!DOCTYPE"));
    assert!(String::from_utf8(Got::parse(&bytes_after(Reply::NotUtf8).0.unwrap()).body).is_err());
    assert!(Got::parse(&bytes_after(Reply::Oversized(2_000_000)).0.unwrap()).body.len() > 2_000_000);
    let cut = Got::parse(&bytes_after(Reply::CutBody { declared: 500, sent: 9 }).0.unwrap());
    assert!(cut.head.contains("Content-Length: 500") && cut.body == br#"{"errcode"#[..9]);
    let headless = Got::parse(&bytes_after(Reply::CutAfterHeaders).0.unwrap());
    assert!(headless.head.contains("Content-Length: 100") && headless.body.is_empty());
}

#[test]
fn the_normal_answer_in_odd_ways() {
    let (bytes, wecom) = bytes_after(Reply::Chunked);
    let text = String::from_utf8(bytes.unwrap()).unwrap();
    assert!(text.contains("Transfer-Encoding: chunked") && text.ends_with("\r\n0\r\n\r\n"), "{text}");
    assert_eq!(wecom.messages().len(), 1);
    let (bytes, wecom) = bytes_after(Reply::Drip(Duration::from_micros(1)));
    assert_eq!((Got::parse(&bytes.unwrap()).errcode(), wecom.messages().len()), (0, 1));
    let (bytes, wecom) = bytes_after(Reply::delayed(Duration::from_millis(1), Reply::Normal));
    assert_eq!((Got::parse(&bytes.unwrap()).errcode(), wecom.messages().len()), (0, 1));
}

#[test]
fn ends_without_an_answer() {
    let (bytes, wecom) = bytes_after(Reply::CloseAfterReading);
    assert!(bytes.unwrap().is_empty() && wecom.messages().is_empty());
    for reply in [Reply::ResetBefore, Reply::ResetAfterReading] {
        let (bytes, wecom) = bytes_after(reply);
        assert_eq!(bytes.unwrap_err().kind(), ErrorKind::ConnectionReset);
        assert_eq!((wecom.count(Endpoint::WebhookSend), wecom.messages().len()), (1, 0));
    }
    let (bytes, wecom) = bytes_after(Reply::accept_then(Reply::CloseAfterReading));
    assert!(bytes.unwrap().is_empty());
    assert_eq!(wecom.messages().len(), 1, "delivered, but nobody was told");
}

#[test]
fn hangs_until_the_server_goes() {
    for reply in [Reply::HangBeforeReading, Reply::HangAfterReading] {
        let wecom = FakeWecom::start();
        wecom.script(Endpoint::WebhookSend, [reply]);
        let mut stream = connect(wecom.address());
        stream.write_all(&message()).unwrap();
        stream.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
        let error = stream.read(&mut [0]).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut), "{error}");
        drop(wecom);
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        match stream.read(&mut [0]) {
            Ok(count) => assert_eq!(count, 0),
            Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset),
        }
    }
}

#[test]
fn connections_that_end_before_a_request() {
    let wecom = FakeWecom::start();
    wecom.on_connections([OnConnect::Close, OnConnect::Reset, OnConnect::Hang]);
    let end = |stream: &mut TcpStream| stream.read(&mut [0]).map_err(|error| error.kind());
    assert_eq!(end(&mut connect(wecom.address())), Ok(0));
    assert_eq!(end(&mut connect(wecom.address())), Err(ErrorKind::ConnectionReset));
    let mut hung = connect(wecom.address());
    while wecom.connections() < 3 {
        std::thread::yield_now();
    }
    let since = Instant::now();
    drop(wecom);
    assert!(end(&mut hung).is_ok_and(|n| n == 0) && since.elapsed() < Duration::from_secs(60));
}

/// A TLS client that trusts that authority alone.
fn tls_client(wecom: &FakeWecom, ca_pem: &str) -> StreamOwned<ClientConnection, TcpStream> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(ca_pem.as_bytes()).unwrap()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from("127.0.0.1").unwrap();
    let session = ClientConnection::new(Arc::new(config), name).unwrap();
    StreamOwned::new(session, connect(wecom.address()))
}

#[test]
fn speaks_tls_with_good_and_bad_certificates() {
    let wecom = FakeWecom::builder().tls(Certificate::Good).start();
    assert!(wecom.base_url().starts_with("https://"));
    let got = Got::parse(&exchange(tls_client(&wecom, wecom.ca_pem()), &message()).unwrap());
    assert_eq!((got.errcode(), wecom.messages().len()), (0, 1));
    assert!(wecom.aibot_url().starts_with("wss://"));
    let (mut socket, _) = tungstenite::client(wecom.aibot_url(), tls_client(&wecom, wecom.ca_pem())).unwrap();
    socket.send(tungstenite::Message::text(r#"{"cmd":"ping","headers":{"req_id":"a"}}"#)).unwrap();
    assert!(socket.read().unwrap().to_text().unwrap().contains("846609"));
    for (certificate, reason) in [
        (Certificate::Expired, "Expired"),
        (Certificate::WrongName, "NotValidForName"),
        (Certificate::UnknownCa, "UnknownIssuer"),
    ] {
        let wecom = FakeWecom::builder().tls(certificate).start();
        let error = exchange(tls_client(&wecom, wecom.ca_pem()), &message()).unwrap_err();
        assert!(format!("{error:?}").contains(reason), "{certificate:?}: {error:?}");
        assert_eq!(wecom.requests().len(), 0);
    }
}
