//! Before the connection stood: nothing can have arrived, so it is 7, whatever was asked for.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::Mutex;

use serde_json::{Value, json};

use crate::results::{Way, document};
use crate::support::fake::tls::Certificate;
use crate::support::fake::{FakeWecom, OnConnect, closed_port};
use crate::support::{TestEnv, at_once};

/// Runs every way against that base URL and returns the messages.
fn messages(base_url: &str, more: &[&str]) -> Vec<String> {
    told(base_url, more).iter().map(|told| told["message"].as_str().unwrap().to_owned()).collect()
}

/// The same with the whole documents.
fn told(base_url: &str, more: &[&str]) -> Vec<Value> {
    let documents = Mutex::new(Vec::new());
    at_once(Way::ALL, |way| {
        let env = TestEnv::new();
        let cmd = way.cmd(&env).args(["--output", "json", "--base-url", base_url]).args(more.iter().copied());
        let run = cmd.run();
        assert_eq!(run.code, Some(7), "{way:?}\n{}", run.all());
        let told = document(&run);
        assert_eq!((&told["status"], &told["errcode"]), (&json!("temporary"), &Value::Null), "{way:?}");
        assert_eq!((&told["retryable"], &told["route"]), (&json!(true), &json!(way.route())), "{way:?}");
        documents.lock().unwrap().push(told);
    });
    documents.into_inner().unwrap()
}

#[test]
fn refused() {
    for scheme in ["http", "https"] {
        let port = closed_port();
        for told in told(&format!("{scheme}://127.0.0.1:{port}"), &[]) {
            assert!(
                told["message"].as_str().unwrap().contains(&format!("no connection to 127.0.0.1:{port}: ")),
                "{told}"
            );
            let hint = told["hint"].as_str().unwrap();
            assert!(hint.contains("base URL") && !hint.contains("--"), "no limit ended it: {hint}");
            assert!(hint.contains("at this port") && hint.contains("firewall") && !hint.contains("DNS"), "{hint}");
        }
        let proxy = ["--proxy", &format!("http://user:test-password@127.0.0.1:{port}")];
        for told in told("http://127.0.0.1:1", &proxy) {
            let hint = told["hint"].as_str().unwrap();
            let expected = format!("check that the proxy http://127.0.0.1:{port} runs and takes connections");
            assert!(hint.contains(&expected) && !hint.contains("base URL"), "{hint}");
        }
    }
}

#[test]
fn a_name_that_does_not_exist() {
    // The reserved name of RFC 6761: no system may find it. Where the look-up hangs for want of a network, the limit
    // for a connection ends it.
    for message in messages("https://no-such.invalid", &["--connect-timeout", "2s"]) {
        assert!(message.contains("no-such.invalid could not be looked up"), "{message}");
    }
}

#[test]
fn a_tls_handshake_that_fails() {
    for (name, on_connect) in [("close", OnConnect::Close), ("reset", OnConnect::Reset)] {
        let wecom = FakeWecom::builder().tls(Certificate::Good).start();
        wecom.on_connections([on_connect; 7]);
        for message in messages(&wecom.base_url(), &[]) {
            assert!(message.contains("no connection to 127.0.0.1"), "{name}: {message}");
        }
        assert_eq!((wecom.requests().len(), wecom.connections()), (0, 7), "{name}: one connection each");
    }
}

#[test]
fn a_server_that_speaks_no_tls() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base_url = format!("https://{}", listener.local_addr().unwrap());
    // Nobody waits for it: it ends with the tests.
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
        }
    });
    for message in messages(&base_url, &[]) {
        assert!(message.contains("no connection to 127.0.0.1"), "{message}");
        assert!(message.ends_with(": what it answered is not TLS; is this a port for plain http?"), "{message}");
    }
}

/// A server that refuses the handshake: what its alert means is said, not what the TLS library calls it.
#[test]
fn a_server_that_refuses_tls() {
    for (alert, meaning) in [
        (40, "it refuses the TLS handshake (alert 40): no cipher in common"),
        (70, "it refuses the TLS handshake (alert 70): neither TLS 1.2 nor 1.3"),
        (112, "it refuses the TLS handshake (alert 112): it does not serve this name"),
        (250, "it refuses the TLS handshake (alert 250)"),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base_url = format!("https://{}", listener.local_addr().unwrap());
        // Nobody waits for it: it ends with the tests.
        std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let _ = stream.read(&mut [0; 4096]);
                let _ = stream.write_all(&[0x15, 3, 3, 0, 2, 2, alert]);
            }
        });
        for message in messages(&base_url, &[]) {
            assert!(message.ends_with(meaning), "{message}");
        }
    }
}

/// What came back is not WeCom's, so that it is no silence.
#[test]
fn a_server_that_speaks_no_http() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    // Nobody waits for it: it ends with the tests.
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = stream.read(&mut [0; 4096]);
            // What a TLS port says to plain HTTP: an alert of an unexpected message.
            let _ = stream.write_all(b"\x15\x03\x01\x00\x02\x02\x0a");
            // An upload is still on its way: a server that leaves now may take its alert with it.
            let _ = std::io::copy(&mut stream, &mut std::io::sink());
        }
    });
    for message in messages(&format!("http://{address}"), &[]) {
        assert!(message.starts_with(&format!("{address} answered something that is not HTTP")), "{message}");
        assert!(message.contains("https://"), "{message}");
    }
}

#[test]
fn a_tls_handshake_that_hangs_ends_with_the_connect_limit() {
    let wecom = FakeWecom::builder().tls(Certificate::Good).start();
    wecom.on_connections([OnConnect::Hang; 7]);
    for told in told(&wecom.base_url(), &["--connect-timeout", "200ms"]) {
        let message = format!("no connection to {} within 200ms", wecom.address());
        assert_eq!(told["message"], message);
        assert!(told["hint"].as_str().unwrap().contains("--connect-timeout"), "{told}");
    }
    assert_eq!((wecom.requests().len(), wecom.connections()), (0, 7));
}

#[test]
fn the_connect_limit_is_never_above_the_time_left() {
    let wecom = FakeWecom::builder().tls(Certificate::Good).start();
    wecom.on_connections([OnConnect::Hang; 7]);
    for told in told(&wecom.base_url(), &["--connect-timeout", "10m", "--deadline", "2s"]) {
        assert!(told["hint"].as_str().unwrap().contains("--deadline"), "{told}");
    }
    assert_eq!((wecom.requests().len(), wecom.connections()), (0, 7));
}

/// On other systems a full queue refuses instead of leaving the caller to wait.
#[cfg(target_os = "linux")]
#[test]
fn a_port_that_accepts_nobody_ends_with_the_connect_limit() {
    let dead = super::addresses::Dead::at("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = dead.address;
    for message in messages(&format!("http://{address}"), &["--connect-timeout", "200ms"]) {
        assert!(message.contains("within 200ms"), "{message}");
    }
}
