//! `listen --accept`: what is refused or not sent leaves a trace, and its sender learns why.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::Listening;
use super::accept::{accepting, alertmanager, bearer, post, scene, send};
use crate::support::fake::{Endpoint, Reply};
use crate::support::{send_signal, wait_until};

/// The whole answer to a request: status, head and document.
fn answer(address: &str, request: &str) -> (u16, String, Value) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {answer:?}"));
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, head.to_lowercase(), serde_json::from_str(body).unwrap_or_else(|_| panic!("{answer}")))
}

/// The lines on stderr with that part.
fn lines_with(listening: &Listening, part: &str) -> Vec<String> {
    listening.stderr().lines().filter(|line| line.contains(part)).map(str::to_owned).collect()
}

#[test]
fn what_is_refused_is_told_once_with_its_request() {
    let scene = scene();
    let log = scene.env.home().join("log");
    let listening = accepting(&scene, &["--log-file", log.to_str().unwrap()]);
    let body = alertmanager("DiskFull");
    for _ in 0..3 {
        assert_eq!(send(&listening, "/nobody/alertmanager?key=hidden", &body).0, 404);
        assert_eq!(send(&listening, "/other/alertmanager", &body).0, 404);
        assert_eq!(answer(&listening.address, &post("/room/alertmanager?key=hidden", "", &body)).0, 401);
        assert_eq!(send(&listening, "/room/send", "plain").0, 400);
    }
    let size = 5 * 1024 * 1024;
    let head = format!("POST /room/grafana HTTP/1.1\r\nHost: x\r\n{}Content-Length: {size}\r\n\r\n", bearer());
    assert_eq!(answer(&listening.address, &format!("{head}{}", "x".repeat(size))).0, 413);
    let get = format!("GET /room/grafana HTTP/1.1\r\nHost: x\r\n{}\r\n", bearer());
    let (status, head, document) = answer(&listening.address, &get);
    assert_eq!((status, &document["status"]), (405, &json!("usage")), "{document}");
    assert!(head.contains("allow: post") && head.contains("application/json"), "{head}");
    for request in [
        format!("[404, POST /nobody/alertmanager, {} bytes, from 127.0.0.1]", body.len()),
        format!("[404, POST /other/alertmanager, {} bytes, from 127.0.0.1]", body.len()),
        format!("[401, POST /room/alertmanager, {} bytes, from 127.0.0.1]", body.len()),
        "[400, POST /room/send, 5 bytes, from 127.0.0.1]".to_owned(),
        format!("[413, POST /room/grafana, {size} bytes, from 127.0.0.1]"),
        "[405, GET /room/grafana, 0 bytes, from 127.0.0.1]".to_owned(),
    ] {
        assert_eq!(lines_with(&listening, &request).len(), 1, "{request}: {}", listening.stderr());
    }
    let [unknown] = &lines_with(&listening, "/nobody/")[..] else { panic!("{}", listening.stderr()) };
    assert!(unknown.contains("there is no profile \"nobody\"") && unknown.contains("restart it"), "{unknown}");
    assert!(!listening.stderr().contains("hidden"), "{}", listening.stderr());
    assert!(listening.stderr().contains("an alert for room was rejected (usage)"), "{}", listening.stderr());
    let (_, told) = listening.stop();
    assert!(told.contains("stopped by SIGTERM: nothing is left") && !told.contains("goes on"), "{told}");
    let lines = fs::read_to_string(&log).unwrap();
    assert_eq!(lines.lines().filter(|line| line.contains("the body is not JSON")).count(), 3, "{lines}");
}

#[test]
fn what_cannot_end_is_answered_when_it_is_stopped() {
    let scene = scene();
    let listening = accepting(&scene, &["--timeout", "60s"]);
    scene.wecom.script(Endpoint::WebhookSend, [(); 3].map(|()| Reply::HangAfterReading));
    let sending = ["/room/alertmanager", "/ops:webhook/send", "/kept/alertmanager"].map(|path| {
        let body = if path.ends_with("send") { r#"{"text": "x"}"#.to_owned() } else { alertmanager(path) };
        let (address, request) = (listening.address.clone(), post(path, &bearer(), &body));
        std::thread::spawn(move || answer(&address, &request))
    });
    wait_until("the requests", || scene.wecom.count(Endpoint::WebhookSend) == 3);
    let began = Instant::now();
    send_signal("TERM", listening.running.id());
    let [room, ops, kept] = sending.map(|sending| sending.join().unwrap());
    for (status, head, document) in [room, ops] {
        assert_eq!((status, &document["status"]), (503, &json!("interrupted")), "{document}");
        assert!(head.contains("retry-after: 10"), "{head}");
    }
    assert_eq!((kept.0, kept.2["outbox_id"].is_string()), (202, true), "{}", kept.2);
    let err = listening.err.clone();
    assert_eq!(listening.running.wait().code, Some(143));
    let told = fs::read_to_string(err).unwrap();
    assert!(began.elapsed() < Duration::from_secs(12), "{:?}", began.elapsed());
    assert!(told.contains("SIGTERM: an alert waits in the outbox, 2 alerts were not sent"), "{told}");
    assert!(told.contains("an alert for room was not sent (interrupted)"), "{told}");
    assert!(told.contains("the next listen with this state folder goes on"), "{told}");
}

#[test]
fn messages_of_send_are_about_the_body() {
    let scene = scene();
    let listening = accepting(&scene, &[]);
    let line = r#"{"text": "x", "profile": "bot", "route": "webhook"}"#;
    let (status, told) = send(&listening, "/ops:app/send", line);
    assert_eq!((status, &told["route"]), (200, &json!("app")), "{told}");
    let warnings = json!(["profile: ignored, the path says ops:app", "route: ignored, the path says ops:app"]);
    assert_eq!(told["warnings"], warnings);
    // What the path says too is no contradiction, and what it leaves open is for the body.
    let line = r#"{"text": "x", "profile": "ops", "route": "app"}"#;
    let (_, told) = send(&listening, "/ops/send", line);
    assert_eq!((&told["route"], &told["warnings"]), (&json!("app"), &json!([])), "{told}");
    for (path, body, message, hint) in [
        ("/ops:group/send", "{}", "there is no route \"group\"", "app, webhook, chat or aibot"),
        ("/nobody:app/send", "{}", "there is no profile \"nobody:app\"", "restart it after a change"),
        ("/room/send", "plain", "the body is not JSON", "its Content-Type does not matter"),
        ("/room/send", "[]", "the body is not a JSON object", "send one JSON object"),
        ("/room/send", r#"{"text": ""}"#, "the text is empty", "skip_empty"),
        ("/room/send", r#"{"text": ["x"]}"#, "text is not a string", ""),
        ("/room/send", r#"{"text": "x", "secret": "y"}"#, "secret is not for an alert to decide", "the path"),
        ("/room/send", r#"{"text": "x", "attach": "/a"}"#, "attach names a file", "leave it out"),
    ] {
        let (_, told) = send(&listening, path, body);
        let [said, advice] = ["message", "hint"].map(|key| told[key].as_str().unwrap_or_default());
        assert!(said.contains(message) && advice.contains(hint), "{path} {body}: {told}");
        for foreign in ["jq", "--", "CONTENT", "line"] {
            assert!(!said.replace("at line 1", "").contains(foreign) && !advice.contains(foreign), "{body}: {told}");
        }
    }
    scene.wecom.script(Endpoint::WebhookSend, [Reply::status(502)]);
    let (status, head, _) = answer(&listening.address, &post("/room/alertmanager", &bearer(), &alertmanager("Busy")));
    assert!(status == 503 && head.contains("retry-after: "), "{status} {head}");
    listening.stop();
}
