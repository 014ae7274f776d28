//! What the address answers: to WeCom, and to everybody else.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use super::callback::{AES_KEY, Answer, TOKEN, exchange, get, now, post, press_xml, sealed};
use super::{command, empty, listen, scene, started};
use crate::support::fake::CORP_ID;
use crate::support::wait_until;

fn refused() -> Answer {
    Answer { status: 403, body: String::new() }
}

#[test]
fn the_console_verifies_the_address() {
    let scene = scene();
    let listening = listen(&scene, &[]);
    let (query, encrypted) = sealed("1616140317555161061", CORP_ID, now(), TOKEN, AES_KEY);
    let echo = encrypted.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
    let answer = get(&listening.address, &format!("{query}&echostr={echo}"));
    assert_eq!(answer, Answer { status: 200, body: "1616140317555161061".to_owned() });
    listening.wait_for_stderr("WeCom verified the address of the app's callback");
    // Somebody else cannot.
    let forged = get(&listening.address, &format!("{query}x&echostr={echo}"));
    assert_eq!(forged, refused());
    assert_eq!(get(&listening.address, "").status, 200);
    let run = listening.stop();
    assert_eq!(run.code, Some(143));
}

#[test]
fn what_wecom_did_not_sign_is_refused() {
    let scene = scene();
    let listening = listen(&scene, &[]);
    let xml = press_xml(CORP_ID, "t-1", "ack", "zhangsan", "", now());
    let body = |encrypted: &str| format!("<xml><Encrypt><![CDATA[{encrypted}]]></Encrypt></xml>");
    let (query, encrypted) = sealed(&xml, CORP_ID, now(), "OtherToken", AES_KEY);
    assert_eq!(post(&listening.address, &query, &body(&encrypted)), refused());
    listening.wait_for_stderr("a request without a valid signature was refused");
    // An old one, which somebody kept.
    let (query, encrypted) = sealed(&xml, CORP_ID, now() - 700, TOKEN, AES_KEY);
    assert_eq!(post(&listening.address, &query, &body(&encrypted)), refused());
    listening.wait_for_stderr("is fast. With a wrong clock NO press is taken");
    // What is signed and makes no sense would only be sent again.
    let (query, encrypted) = sealed(&xml, "wwsomebodyelse", now(), TOKEN, AES_KEY);
    assert_eq!(post(&listening.address, &query, &body(&encrypted)), empty());
    let (query, encrypted) = sealed("<xml><broken", CORP_ID, now(), TOKEN, AES_KEY);
    assert_eq!(post(&listening.address, &query, &body(&encrypted)), empty());
    listening.wait_for_stderr("a signed event cannot be read and is lost");
    for (query, body) in [("", ""), ("msg_signature=&timestamp=&nonce=", "<xml/>"), ("x=1", "{}"), (&query, "\u{0}")] {
        assert_eq!(post(&listening.address, query, body), refused(), "{query} {body}");
    }
    assert!(listening.lines().is_empty());
    // Each kind is told once in a while.
    assert_eq!(listening.stderr().matches("without a valid signature").count(), 1);
    listening.stop();
}

#[test]
fn what_is_no_request_of_wecom_is_answered_as_such() {
    let scene = scene();
    let listening = listen(&scene, &[]);
    let status = |request: &str| exchange(&listening.address, request.as_bytes()).status;
    assert_eq!(status("PUT / HTTP/1.1\r\nHost: x\r\n\r\n"), 405);
    assert_eq!(status("DELETE /?x=1 HTTP/1.1\r\nHost: x\r\n\r\n"), 405);
    assert_eq!(status("garbage\r\n\r\n"), 400);
    assert!([400, 0].contains(&status("\u{1}\u{2}\u{3}\r\n\r\n")));
    // Too much, said before or on the way; a client that goes on sending may not see the answer.
    let size = 10 * 1024 * 1024;
    let head = format!("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {size}\r\n\r\n");
    assert_eq!(status(&head), 413);
    assert!([413, 0].contains(&status(&format!("{head}{}", "x".repeat(size)))));
    let chunk = format!("{:x}\r\n{}\r\n", 70_000, "x".repeat(70_000));
    assert!(
        [413, 0].contains(&status(&format!("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n{chunk}")))
    );
    let long = format!("GET /{} HTTP/1.1\r\n\r\n", "x".repeat(100_000));
    assert!([414, 431, 400, 0].contains(&status(&long)), "{}", status(&long));
    // It is well after all that.
    assert_eq!(listening.press("t-1", "ack", "zhangsan"), empty());
    listening.wait_for_lines(1);
    listening.stop();
}

#[test]
fn who_is_slow_is_cut_off_and_many_connections_keep_nobody_out_for_long() {
    let scene = scene();
    let listening = listen(&scene, &[]);
    let connect = || {
        let mut stream = TcpStream::connect(&listening.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        stream.write_all(b"POST / HTTP/1.1\r\nHost: x\r\n").unwrap();
        stream
    };
    let mut slow: Vec<TcpStream> = (0..300).map(|_| connect()).collect();
    // Within its time limit, although all places are taken.
    assert_eq!(listening.press("t-1", "ack", "zhangsan"), empty());
    for stream in &mut slow {
        let mut rest = Vec::new();
        // Reset or ended; what matters is that it does not wait.
        let _ = stream.read_to_end(&mut rest);
    }
    listening.wait_for_lines(1);
    listening.stop();
}

#[test]
fn an_address_that_cannot_be_used_is_said() {
    let scene = scene();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    for (address, part) in [
        (format!("127.0.0.1:{port}"), "another program listens there"),
        ("nowhere".to_owned(), "write an IP address and a port"),
        ("192.0.2.1:8680".to_owned(), "no network interface of this machine has that address"),
    ] {
        let run = command(&scene, &["listen", "--http", &address]).run().assert_code(3);
        assert!(run.stderr.contains(part), "{}", run.all());
    }
}

#[test]
fn an_event_that_cannot_be_kept_is_asked_for_again() {
    let scene = scene();
    let listening = listen(&scene, &[]);
    let cards = scene.env.state().join("cards");
    wait_until("the folder of the cards", || cards.is_dir());
    std::fs::remove_dir_all(&cards).unwrap();
    std::fs::write(&cards, "in the way").unwrap();
    assert_eq!(listening.press("t-1", "ack", "zhangsan").status, 500);
    listening.wait_for_stderr("WeCom is asked to send it again");
    std::fs::remove_file(&cards).unwrap();
    assert_eq!(listening.press("t-1", "ack", "zhangsan"), empty());
    assert_eq!(listening.wait_for_lines(1)[0]["key"], "ack");
    listening.stop();
}

#[test]
fn a_second_one_names_what_the_first_one_has() {
    let scene = scene();
    let listening = listen(&scene, &[]);
    let run = command(&scene, &["listen", "--http", "127.0.0.1:0"]).run().assert_code(3);
    assert!(run.stderr.contains("another listen receives the events of app"), "{}", run.all());
    listening.stop();
    let again = started(&scene, command(&scene, &["listen", "--http", "127.0.0.1:0"]));
    again.stop();
}
