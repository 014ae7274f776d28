//! No answer though the connection stood: 9 for messages, which may have arrived, and 7 for what delivers nothing.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Way, document};
use crate::support::fake::tls::Certificate;
use crate::support::fake::{FakeWecom, OnConnect, Reply};
use crate::support::{TestEnv, at_once};

fn faults() -> Vec<(&'static str, Reply)> {
    vec![
        ("hang after reading", Reply::HangAfterReading),
        ("hang before reading", Reply::HangBeforeReading),
        ("reset after reading", Reply::ResetAfterReading),
        ("reset before reading", Reply::ResetBefore),
        ("close after reading", Reply::CloseAfterReading),
        ("an answer that comes too late", Reply::delayed(Duration::from_secs(60), Reply::errcode(0, "ok"))),
    ]
}

fn check(way: Way, name: &str, wecom: &FakeWecom, env: &TestEnv, more: &[&str]) {
    let run = way.json(env, wecom).args(["--timeout", "1s"]).args(more).run();
    let name = format!("{name} to {way:?}\n{}", run.all());
    let (code, status) = if way.is_send() { (9, "unknown") } else { (7, "temporary") };
    assert_eq!(run.code, Some(code), "{name}");
    let told = document(&run);
    assert_eq!((&told["status"], &told["errcode"]), (&json!(status), &Value::Null), "{name}");
    assert_eq!(told["attempts"], u64::from(way.is_send()), "{name}");
    let hint = told["hint"].as_str().unwrap();
    if way.is_send() {
        assert_eq!(told["parts"][0]["status"], "unknown", "{name}");
        assert!(hint.contains("may have arrived"), "{name}");
    } else {
        let parts = told["parts"].as_array().unwrap();
        assert!(parts.iter().all(|part| part["status"] == "temporary" && part["msgid"].is_null()), "{name}");
        assert!(hint.contains("nothing was delivered"), "{name}");
    }
}

#[test]
fn once_the_connection_stood() {
    at_once(Way::ALL, |way| {
        for (name, reply) in faults() {
            let (env, wecom) = (TestEnv::new(), FakeWecom::start());
            wecom.script(way.endpoint(), [reply]);
            check(way, name, &wecom, &env, &[]);
            assert_eq!(wecom.count(way.endpoint()), 1, "{name} to {way:?}: asked once");
            let sends = [Way::AppSend, Way::WebhookSend].map(|send| wecom.count(send.endpoint()));
            assert_eq!(sends.iter().sum::<usize>(), usize::from(way.is_send()), "{name} to {way:?}");
        }
    });
}

#[test]
fn over_tls_it_is_the_same() {
    at_once(faults(), |(name, reply)| {
        let (env, wecom) = (TestEnv::new(), FakeWecom::builder().tls(Certificate::Good).start());
        let ca = env.file("ca.pem", wecom.ca_pem());
        wecom.script(Way::WebhookSend.endpoint(), [reply]);
        check(Way::WebhookSend, name, &wecom, &env, &["--ca-file", ca.to_str().unwrap()]);
    });
}

#[test]
fn a_server_that_takes_a_connection_and_no_request_may_have_read_something() {
    at_once([Way::WebhookSend, Way::WebhookUpload, Way::GetToken], |way| {
        let (env, wecom) = (TestEnv::new(), FakeWecom::start());
        wecom.on_connections([OnConnect::Hang]);
        check(way, "taken", &wecom, &env, &[]);
        assert_eq!((wecom.requests().len(), wecom.connections()), (0, 1), "{way:?}");
    });
}

/// Whether the request was written before the connection was closed is a matter of chance.
#[test]
fn a_server_that_leaves_at_once_is_told_as_it_was() {
    // Not with a reset, which may reach the client before it knows that the connection stood.
    at_once([Way::WebhookSend, Way::WebhookUpload, Way::GetToken], |way| {
        let (env, wecom) = (TestEnv::new(), FakeWecom::start());
        wecom.on_connections([OnConnect::Close]);
        let told = document(&way.json(&env, &wecom).run());
        let is_written = told["message"].as_str().unwrap().starts_with("the request went out");
        let code = if is_written && way.is_send() { 9 } else { 7 };
        assert_eq!(told["exit_code"], code, "{way:?}: {told}");
        assert_eq!((wecom.requests().len(), wecom.connections()), (0, 1), "{way:?}");
    });
}

#[test]
fn a_message_that_was_delivered_without_a_word_is_not_sent_again() {
    for way in [Way::AppSend, Way::WebhookSend] {
        let (env, wecom) = (TestEnv::new(), FakeWecom::start());
        wecom.script(way.endpoint(), [Reply::accept_then(Reply::CloseAfterReading)]);
        check(way, "delivered, then closed", &wecom, &env, &[]);
        assert_eq!((wecom.messages().len(), wecom.count(way.endpoint())), (1, 1), "{way:?}");
    }
}

#[test]
fn an_answer_that_began_is_an_answer_that_is_not_wecoms() {
    for way in [Way::WebhookSend, Way::AppSend, Way::GetToken] {
        let (env, wecom) = (TestEnv::new(), FakeWecom::start());
        wecom.script(way.endpoint(), [Reply::CutAfterHeaders]);
        let told = document(&way.json(&env, &wecom).run().assert_code(7));
        assert!(told["message"].as_str().unwrap().contains("HTTP 200"), "{told}");
        let advice = if way.is_send() { "may have arrived" } else { "nothing was delivered" };
        assert!(told["hint"].as_str().unwrap().contains(advice), "{told}");
    }
}
