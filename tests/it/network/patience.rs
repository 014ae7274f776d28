//! The time limits: what stands still is cut, what moves is not, and the deadline ends every wait.

use std::time::Duration;

use serde_json::json;

use crate::results::{Way, document};
use crate::support::fake::tls::Certificate;
use crate::support::fake::{Endpoint, FakeWecom, OnConnect, Reply};
use crate::support::{Run, TestEnv, at_once};

const LARGE: usize = 6 * 1024 * 1024;

/// An upload of that size, as `upload-media` or as the first half of `webhook-send`.
fn upload(wecom: &FakeWecom, command: &[&str], size: usize, limits: &[&str]) -> Run {
    let env = TestEnv::new();
    let path = env.file("large.bin", (0..size).map(|at| (at % 251) as u8).collect::<Vec<u8>>());
    let cmd = env.cmd(command.iter().copied()).arg(path).webhook().base_url(wecom);
    cmd.args(["--output", "json"]).args(limits.iter().copied()).run()
}

#[test]
fn a_slow_upload_that_moves_is_not_cut() {
    // 96 pieces with 40 ms between them take several times the limit.
    at_once(
        [("alone", &["upload-media"][..]), ("before a message", &["webhook-send", "--file"])],
        |(name, command)| {
            let wecom = FakeWecom::start();
            wecom.script(Endpoint::WebhookUploadMedia, [Reply::SlowRead(Duration::from_millis(40))]);
            let run = upload(&wecom, command, LARGE, &["--timeout", "1s"]);
            assert_eq!(run.code, Some(0), "{name}\n{}", run.all());
            let uploads = wecom.uploads();
            assert_eq!((uploads.len(), uploads[0].bytes.len()), (1, LARGE), "{name}");
            assert!(uploads[0].bytes.iter().enumerate().all(|(at, byte)| *byte == (at % 251) as u8), "{name}");
            assert_eq!(wecom.count(Endpoint::WebhookUploadMedia), 1, "{name}");
        },
    );
}

#[test]
fn an_upload_that_is_stuck_is_cut() {
    let cases = [
        ("small, unread", Reply::HangBeforeReading, 60_000, ["--timeout", "300ms"]),
        ("small, read, no answer", Reply::HangAfterReading, 60_000, ["--timeout", "300ms"]),
        ("large, unread", Reply::HangBeforeReading, LARGE, ["--deadline", "2s"]),
        ("large, read, no answer", Reply::HangAfterReading, LARGE, ["--deadline", "2s"]),
    ];
    at_once(cases, |(name, reply, size, limits)| {
        for command in [&["upload-media"][..], &["webhook-send", "--file"]] {
            let wecom = FakeWecom::start();
            wecom.script(Endpoint::WebhookUploadMedia, [reply.clone()]);
            let run = upload(&wecom, command, size, &limits);
            assert_eq!(run.code, Some(7), "{name}\n{}", run.all());
            assert_eq!(document(&run)["attempts"], 0, "{name}");
            let asked = [Endpoint::WebhookUploadMedia, Endpoint::WebhookSend].map(|endpoint| wecom.count(endpoint));
            assert_eq!(asked, [1, 0], "{name}");
        }
    });
}

#[cfg(target_os = "linux")]
#[test]
fn a_large_upload_that_is_stuck_is_cut_by_its_own_limit() {
    let cases = [Reply::HangBeforeReading, Reply::HangAfterReading];
    at_once(cases, |reply| {
        let wecom = FakeWecom::start();
        wecom.script(Endpoint::WebhookUploadMedia, [reply.clone()]);
        let limits = ["--timeout", "300ms", "--deadline", "30s"];
        let told = document(&upload(&wecom, &["upload-media"], LARGE, &limits).assert_code(7));
        let message = told["message"].as_str().unwrap();
        assert!(message.contains("nothing moved for 300ms") && !message.contains("deadline"), "{reply:?}: {message}");
        assert!(message.contains(&format!("{}/cgi-bin/webhook/upload_media", wecom.address())), "{message}");
        let hint = told["hint"].as_str().unwrap();
        assert!(hint.contains("nothing was delivered") && hint.contains("--timeout"), "{reply:?}: {hint}");
        assert_eq!(wecom.count(Endpoint::WebhookUploadMedia), 1, "{reply:?}");
    });
}

#[test]
fn an_answer_that_stops_in_the_middle_is_cut() {
    at_once(Way::ALL, |way| {
        let (env, wecom) = (TestEnv::new(), FakeWecom::start());
        wecom.script(way.endpoint(), [Reply::HangAfterHeaders]);
        let run = way.json(&env, &wecom).args(["--timeout", "1s"]).run().assert_code(7);
        let told = document(&run);
        assert_eq!(told["status"], "temporary", "{way:?}");
        let message = told["message"].as_str().unwrap();
        assert!(message.contains("HTTP 200") && message.contains("nothing moved for 1s"), "{way:?}: {told}");
        let hint = told["hint"].as_str().unwrap();
        let advice = if way.is_send() { "may have arrived" } else { "nothing was delivered" };
        assert!(hint.contains(advice) && hint.contains("--timeout"), "{way:?}: {hint}");
        assert_eq!(wecom.count(way.endpoint()), 1, "{way:?}");
    });
}

#[test]
fn the_deadline_ends_every_wait() {
    let tls = || FakeWecom::builder().tls(Certificate::Good).start();
    let hung = |wecom: FakeWecom| {
        wecom.on_connections([OnConnect::Hang]);
        wecom
    };
    let scripted = |reply: Reply| {
        let wecom = FakeWecom::start();
        wecom.script(Endpoint::WebhookSend, [reply]);
        wecom
    };
    let cases = [
        ("TLS handshake", hung(tls()), 7),
        ("no answer", hung(FakeWecom::start()), 9),
        ("no answer after reading", scripted(Reply::HangAfterReading), 9),
        ("the answer's head in drops", scripted(Reply::Drip(Duration::from_secs(5))), 9),
        ("no body", scripted(Reply::HangAfterHeaders), 7),
    ];
    at_once(cases, |(name, wecom, code)| {
        let env = TestEnv::new();
        let limits = ["--connect-timeout", "10m", "--timeout", "10m", "--deadline", "3s"];
        let run = Way::WebhookSend.json(&env, &wecom).args(limits).run();
        assert_eq!(run.code, Some(code), "{name}\n{}", run.all());
        let told = document(&run);
        assert_eq!(told["attempts"], 1, "{name}");
        let hint = told["hint"].as_str().unwrap();
        assert!(hint.contains("--deadline") && !hint.contains("timeout"), "{name}: {hint}");
        assert_eq!(wecom.connections(), 1, "{name}: one connection");
    });
}

#[test]
fn the_deadline_ends_the_way_to_a_token_too() {
    let (env, wecom) = (TestEnv::new(), FakeWecom::start());
    wecom.script(Endpoint::GetToken, [Reply::HangAfterReading]);
    let run = Way::AppSend.json(&env, &wecom).args(["--timeout", "10m", "--deadline", "3s"]).run().assert_code(7);
    assert_eq!(document(&run)["attempts"], 0);
    assert_eq!((wecom.count(Endpoint::GetToken), wecom.count(Endpoint::MessageSend)), (1, 0));
}

#[test]
fn limits_that_are_no_durations_are_usage_errors() {
    for option in ["--timeout", "--connect-timeout", "--deadline"] {
        for value in ["10", "-1s", "soon", "1h1", "0s"] {
            let (env, wecom) = (TestEnv::new(), FakeWecom::start());
            let run = Way::WebhookSend.json(&env, &wecom).arg(format!("{option}={value}")).run();
            assert_eq!(run.code, Some(2), "{option}={value}\n{}", run.all());
            assert_eq!(document(&run)["status"], json!("usage"), "{option}={value}");
            assert_eq!(wecom.connections(), 0);
        }
    }
}
