//! What the address answers: to WeCom, and to everybody else.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use super::{command, exchange, listen, scene, started, status, unknown_press};
use crate::support::fake::{CALLBACK_AES_KEY, CALLBACK_TOKEN, CallbackRequest, Keys};
use crate::support::wait_until;

#[test]
fn the_console_verifies_the_address() {
    let scene = scene();
    let listening = listen(&scene, &[]);
    let callback = listening.callback(&scene);
    callback.verify().unwrap();
    listening.wait_for_stderr("WeCom verified the address of the app's callback");
    // Somebody else cannot.
    assert_eq!(status(&callback, &callback.verification("1616140317555161061").forged()), 403);
    assert_eq!(exchange(&listening.address, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").0, 200);
    let (run, told) = listening.stop();
    assert_eq!(run.code, Some(143), "{told}");
}

#[test]
fn what_wecom_did_not_sign_is_refused() {
    let scene = scene();
    let listening = listen(&scene, &[]);
    let mut callback = listening.callback(&scene);
    let good = unknown_press(&callback, "t-1");
    assert_eq!(status(&callback, &good.forged()), 403);
    listening.wait_for_stderr("a request without a valid signature was refused");
    // Old and early ones, which somebody kept, or of another clock.
    callback.ahead_s = -700;
    assert_eq!(status(&callback, &unknown_press(&callback, "t-1")), 403);
    listening.wait_for_stderr("is fast. With a wrong clock NO press is taken");
    callback.ahead_s = 700;
    assert_eq!(status(&callback, &unknown_press(&callback, "t-1")), 403);
    callback.ahead_s = 0;
    // What is signed and makes no sense would only be sent again.
    assert_eq!(status(&callback, &callback.post("<xml><broken")), 200);
    callback.keys = Keys::new(CALLBACK_TOKEN, CALLBACK_AES_KEY, "wwsomebodyelse");
    assert_eq!(status(&callback, &unknown_press(&callback, "t-1")), 200);
    listening.wait_for_stderr("a signed event cannot be read and is lost");
    for (query, body) in
        [("", ""), ("msg_signature=&timestamp=&nonce=", "<xml/>"), ("x=1", "{}"), (&good.query, "\u{0}")]
    {
        let odd = CallbackRequest { query: query.to_owned(), body: body.to_owned(), ..good.clone() };
        assert_eq!(status(&callback, &odd), 403, "{query} {body}");
    }
    assert!([403, 200].contains(&status(&callback, &good.cut())));
    assert!(listening.lines().is_empty());
    // Each kind is told once in a while.
    assert_eq!(listening.stderr().matches("without a valid signature").count(), 1);
    listening.stop();
}

#[test]
fn what_is_no_request_of_wecom_is_answered_as_such() {
    let scene = scene();
    let listening = listen(&scene, &[]);
    let answered = |request: &str| exchange(&listening.address, request.as_bytes()).0;
    assert_eq!(answered("PUT / HTTP/1.1\r\nHost: x\r\n\r\n"), 405);
    assert_eq!(answered("DELETE /?x=1 HTTP/1.1\r\nHost: x\r\n\r\n"), 405);
    assert_eq!(answered("garbage\r\n\r\n"), 400);
    assert!([400, 0].contains(&answered("\u{1}\u{2}\u{3}\r\n\r\n")));
    // Too much, said before or on the way; a client that goes on sending may not see the answer.
    let size = 10 * 1024 * 1024;
    let head = format!("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {size}\r\n\r\n");
    assert_eq!(answered(&head), 413);
    assert!([413, 0].contains(&answered(&format!("{head}{}", "x".repeat(size)))));
    let chunk = format!("{:x}\r\n{}\r\n", 70_000, "x".repeat(70_000));
    assert!(
        [413, 0]
            .contains(&answered(&format!("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n{chunk}")))
    );
    let long = answered(&format!("GET /{} HTTP/1.1\r\n\r\n", "x".repeat(100_000)));
    assert!([414, 431, 400, 0].contains(&long), "{long}");
    // It is well after all that.
    let callback = listening.callback(&scene);
    assert_eq!(status(&callback, &unknown_press(&callback, "t-1")), 200);
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
    let mut callback = listening.callback(&scene);
    callback.pause = Duration::from_secs(2);
    // One of WeCom's attempts gets in, although all places are taken.
    assert!(callback.deliver(&unknown_press(&callback, "t-1")).is_taken());
    for stream in &mut slow {
        // Reset or ended; what matters is that it does not wait.
        let _ = stream.read_to_end(&mut Vec::new());
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
    let callback = listening.callback(&scene);
    let cards = scene.env.state().join("cards");
    wait_until("the folder of the cards", || cards.is_dir());
    std::fs::remove_dir_all(&cards).unwrap();
    std::fs::write(&cards, "in the way").unwrap();
    let press = unknown_press(&callback, "t-1");
    assert_eq!(status(&callback, &press), 500);
    listening.wait_for_stderr("WeCom is asked to send it again");
    std::fs::remove_file(&cards).unwrap();
    assert_eq!(status(&callback, &press), 200);
    assert_eq!(listening.wait_for_lines(1)[0]["key"], "ack");
    // A copy is answered, and nothing else.
    assert_eq!(status(&callback, &press), 200);
    let (_, told) = listening.stop();
    assert_eq!(told.matches("asked to send it again").count(), 1, "{told}");
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

#[test]
fn nothing_to_listen_to_is_said() {
    let scene = scene();
    for (args, part) in [
        (&["-P", "none", "listen"][..], "there is nothing to listen to"),
        (&["-P", "none", "listen", "--http", "127.0.0.1:0"], "the keys of the callback are not set"),
        (&["-P", "none", "listen", "--aibot"], "aibot_id"),
        (&["listen", "--", "/nonexistent/program"], "cannot be run"),
    ] {
        let run = command(&scene, args).run().assert_code(3);
        assert!(run.stderr.contains(part), "{}", run.all());
    }
    for (args, part) in [
        (&["listen", "--max-age", "soon"][..], "--max-age"),
        (&["listen", "--only", ","], "--only names nobody"),
        (&["listen", "--jobs", "0"], "--jobs"),
        (&["listen", "--messages"], "--messages has nothing to hand messages to"),
        (&["listen", "--deadline", "5s"], "--deadline"),
    ] {
        let run = command(&scene, args).run().assert_code(2);
        assert!(run.stderr.contains(part), "{}", run.all());
    }
}
