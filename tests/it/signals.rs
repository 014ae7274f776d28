//! SIGINT and SIGTERM at every stage: an exit code of their own, after saying what had been delivered.

use std::fs::{self, File};

#[cfg(target_os = "linux")]
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::document::{assert_document, assert_says};
use crate::results::{Way, document};
use crate::support::fake::tls::Certificate;
use crate::support::fake::{Endpoint, FakeWecom, OnConnect, Reply};
use crate::support::{Cmd, Run, Running, TestEnv, at_once, has_handler, make_fifo, send_signal, wait_until};

const SIGNALS: [(&str, i32); 2] = [("INT", 130), ("TERM", 143)];

/// Sends the signal to a call that has come as far as `is_there` says.
fn stop(running: Running, signal: &str, is_there: impl Fn() -> bool) -> Run {
    wait_until("the moment for the signal", is_there);
    send_signal(signal, running.id());
    running.wait()
}

fn check(run: &Run, code: i32, name: &str) -> Value {
    assert_eq!(run.code, Some(code), "{name}\n{}", run.all());
    let told = document(run);
    assert_eq!((&told["status"], &told["retryable"]), (&json!("interrupted"), &json!(false)), "{name}");
    told
}

#[test]
fn while_waiting_for_the_answer_to_a_message() {
    for (signal, code) in SIGNALS {
        for way in [Way::AppSend, Way::WebhookSend] {
            let (env, wecom) = (TestEnv::new(), FakeWecom::start());
            wecom.script(way.endpoint(), [Reply::HangAfterReading]);
            let run = stop(way.json(&env, &wecom).spawn(), signal, || wecom.count(way.endpoint()) == 1);
            let told = check(&run, code, &format!("{signal} {way:?}"));
            assert_eq!(told["attempts"], 1);
            assert!(told["message"].as_str().unwrap().contains(&format!("SIG{signal}")), "{told}");
            assert!(told["hint"].as_str().unwrap().contains("may have arrived"), "{told}");
            assert_eq!(wecom.count(way.endpoint()), 1);
        }
    }
}

#[test]
fn before_the_message_went_out() {
    for (signal, code) in SIGNALS {
        for way in [Way::TokenToSend, Way::UploadToSend, Way::GetToken, Way::AppUpload] {
            let (env, wecom) = (TestEnv::new(), FakeWecom::start());
            wecom.script(way.endpoint(), [Reply::HangAfterReading]);
            let run = stop(way.json(&env, &wecom).spawn(), signal, || wecom.count(way.endpoint()) == 1);
            let told = check(&run, code, &format!("{signal} {way:?}"));
            assert_eq!((&told["attempts"], &told["parts"]), (&json!(0), &json!([])), "{way:?}");
            assert!(told["message"].as_str().unwrap().contains("nothing had been sent"), "{way:?}: {told}");
            let again = if way.has_message() { "send it again" } else { "run it again" };
            assert_eq!(told["hint"], again, "{way:?}");
            let sends = [Way::AppSend, Way::WebhookSend].map(|send| wecom.count(send.endpoint()));
            assert_eq!(sends, [0, 0], "{way:?}");
        }
    }
}

/// The stale token's refusal was an answer: nothing is under way any more.
#[test]
fn while_another_token_is_fetched() {
    for (signal, code) in SIGNALS {
        let (env, wecom) = (TestEnv::new(), FakeWecom::start());
        Way::AppSend.json(&env, &wecom).run().assert_code(0);
        wecom.script(Way::AppSend.endpoint(), [Reply::errcode(40014, "invalid access_token")]);
        wecom.script(Way::GetToken.endpoint(), [Reply::HangAfterReading]);
        let asked = || wecom.count(Way::GetToken.endpoint()) == 2;
        let told = check(&stop(Way::AppSend.json(&env, &wecom).spawn(), signal, asked), code, signal);
        assert_eq!((&told["attempts"], &told["parts"]), (&json!(1), &json!([])), "{told}");
        assert!(told["message"].as_str().unwrap().contains("nothing had been delivered"), "{told}");
        assert_eq!(told["hint"], "send it again");
        assert_eq!(wecom.messages().len(), 1, "{signal}");
    }
}

#[test]
fn while_the_connection_is_being_made() {
    for (signal, code) in SIGNALS {
        let (env, wecom) = (TestEnv::new(), FakeWecom::builder().tls(Certificate::Good).start());
        wecom.on_connections([OnConnect::Hang]);
        let running = Way::WebhookSend.json(&env, &wecom).args(["--connect-timeout", "1m"]).spawn();
        check(&stop(running, signal, || wecom.connections() == 1), code, signal);
        assert!(wecom.requests().is_empty());
    }
}

#[test]
fn while_a_command_gives_the_secret() {
    for (signal, code) in SIGNALS {
        let (env, wecom) = (TestEnv::new(), FakeWecom::start());
        // It outlives the program, which does not wait for it.
        let script = "touch \"$HOME/begun\"; until test -e \"$HOME/go\"; do sleep 0.05; done; echo x";
        let config = format!("[profiles.room]\nwebhook_command = ['sh', '-c', '''{script}''']\n");
        let cmd = env.cmd(["webhook-send", "hello", "--output", "json"]).config(&config).base_url(&wecom);
        let begun = env.home().join("begun");
        let run = stop(cmd.spawn(), signal, || begun.exists());
        env.file("go", "");
        let told = check(&run, code, signal);
        assert!(told["message"].as_str().unwrap().contains("nothing had been sent"), "{told}");
        assert_eq!((&told["profile"], &told["route"]), (&json!("room"), &json!("webhook")));
        assert_eq!(wecom.connections(), 0);
    }
}

/// Whether that process has a handler for the signal.
#[cfg(target_os = "linux")]
fn listens(id: u32, signal: &str) -> bool {
    has_handler(id, if signal == "INT" { Signal::INT } else { Signal::TERM })
}

#[cfg(target_os = "linux")]
#[test]
fn while_reading_stdin() {
    for (signal, code) in SIGNALS {
        for args in [&["webhook-send"][..], &["webhook-send", "--payload", "-"], &["upload-media", "-"]] {
            let (env, wecom) = (TestEnv::new(), FakeWecom::start());
            let cmd = env.cmd(args.iter().copied()).args(["--output", "json"]).webhook().base_url(&wecom);
            let running = cmd.stdin_open().spawn();
            let id = running.id();
            let told = check(&stop(running, signal, || listens(id, signal)), code, &format!("{signal} {args:?}"));
            assert_eq!((&told["attempts"], &told["parts"]), (&json!(0), &json!([])));
            assert!(told["message"].as_str().unwrap().contains("nothing had been sent"), "{told}");
            assert_eq!(wecom.connections(), 0);
        }
    }
}

#[cfg(target_os = "linux")]
#[test]
fn while_reading_certificates() {
    for (signal, code) in SIGNALS {
        let (env, wecom) = (TestEnv::new(), FakeWecom::start());
        let fifo = env.home().join("fifo");
        make_fifo(&fifo);
        let running = Way::WebhookSend.json(&env, &wecom).arg("--ca-file").arg(fifo).spawn();
        let id = running.id();
        check(&stop(running, signal, || listens(id, signal)), code, signal);
        assert_eq!(wecom.connections(), 0);
    }
}

#[test]
fn in_text_mode_it_is_an_error_line() {
    for (signal, code) in SIGNALS {
        let (env, wecom) = (TestEnv::new(), FakeWecom::start());
        wecom.script(Way::WebhookSend.endpoint(), [Reply::HangAfterReading]);
        let running = Way::WebhookSend.cmd(&env).base_url(&wecom).arg("-q").spawn();
        let run = stop(running, signal, || wecom.count(Way::WebhookSend.endpoint()) == 1).assert_code(code);
        let lines: Vec<&str> = run.stderr.lines().collect();
        assert!(lines[0].starts_with("wecom-alert: error[interrupted]: webhook-send: stopped by SIG"), "{lines:?}");
        assert!(lines.len() == 2 && lines[1].starts_with("hint: "), "{lines:?}");
    }
}

/// `webhook-send` with the outbox on or off, and the folder of what waits in it.
fn send(env: &TestEnv, wecom: &FakeWecom, outbox: bool, args: &[&str]) -> Cmd {
    let cmd = env.cmd(["webhook-send", "--output", "json"]).webhook().base_url(wecom).args(args.iter().copied());
    if outbox { cmd.arg("--outbox") } else { cmd }
}

/// Checks that what was stopped is in the outbox if there is one, and that a flush brings it; without one, that nothing is
/// left behind.
fn check_stored(env: &TestEnv, wecom: &FakeWecom, outbox: bool, told: &Value, arrived: usize) {
    let waiting = env.state().join("outbox/waiting");
    if !outbox {
        assert_eq!(told["outbox_id"], Value::Null);
        assert!(!waiting.exists());
        return;
    }
    let id = told["outbox_id"].as_str().unwrap_or_else(|| panic!("no outbox_id: {told}"));
    assert!(waiting.join(id).is_dir(), "{id}");
    assert_says(told, "stored", "message", &["it waits in the outbox as", id]);
    assert_says(told, "stored", "hint", &["wecom-alert outbox flush"]);
    let run = env.cmd(["outbox", "flush", "--output", "json"]).webhook().base_url(wecom).run();
    assert_document(&run, "flush", 0, &json!({"delivered": 1, "remaining": 0, "failed": 0}));
    assert_eq!(wecom.messages().len(), arrived);
    assert!(!waiting.join(id).exists());
}

#[test]
fn while_waiting_for_an_answer_the_outbox_keeps_it() {
    for (signal, code) in SIGNALS {
        let (env, wecom) = (TestEnv::new(), FakeWecom::start());
        wecom.script(Endpoint::WebhookSend, [Reply::HangAfterReading]);
        let running = send(&env, &wecom, true, &["hello"]).spawn();
        let told = check(&stop(running, signal, || wecom.count(Endpoint::WebhookSend) == 1), code, signal);
        assert_eq!(told["attempts"], 1);
        assert_says(&told, signal, "message", &["no answer had come"]);
        check_stored(&env, &wecom, true, &told, 1);
        assert_eq!(wecom.count(Endpoint::WebhookSend), 2);
    }
}

/// `send` with `-v`, whose lines on stderr tell how far it is.
fn traced(env: &TestEnv, wecom: &FakeWecom, outbox: bool, args: &[&str]) -> Cmd {
    let stderr = File::options().create(true).append(true).open(env.home().join("stderr")).unwrap();
    send(env, wecom, outbox, args).arg("-v").stderr_into(&stderr)
}

fn has_told(env: &TestEnv, line: &str) -> bool {
    fs::read_to_string(env.home().join("stderr")).is_ok_and(|stderr| stderr.contains(line))
}

#[test]
fn while_waiting_for_a_slot() {
    at_once([false, true], |outbox| {
        for (signal, code) in SIGNALS {
            let (env, wecom) = (TestEnv::new(), FakeWecom::start());
            let paced = |text| traced(&env, &wecom, outbox, &[text, "--rate", "1/1m", "--deadline", "10m"]);
            paced("first").run().assert_code(0);
            let run = stop(paced("second").spawn(), signal, || has_told(&env, "for a slot"));
            let told = check(&run, code, signal);
            assert_eq!((&told["attempts"], &told["parts"]), (&json!(0), &json!([])), "{told}");
            assert_says(&told, signal, "message", &["nothing had been sent"]);
            assert_eq!(wecom.messages().len(), 1);
            check_stored(&env, &wecom, outbox, &told, 2);
        }
    });
}

#[test]
fn between_two_attempts() {
    at_once([false, true], |outbox| {
        for (signal, code) in SIGNALS {
            let (env, wecom) = (TestEnv::new(), FakeWecom::start());
            // So long a wait that the signal comes within it.
            let headers = vec![("Retry-After".to_owned(), "60".to_owned())];
            wecom.script(Endpoint::WebhookSend, [Reply::Http { status: 429, headers, body: Vec::new() }]);
            let running = traced(&env, &wecom, outbox, &["hello", "--retries", "3", "--deadline", "10m"]).spawn();
            let told = check(&stop(running, signal, || has_told(&env, "trying again in")), code, signal);
            assert_eq!((&told["attempts"], &told["parts"]), (&json!(1), &json!([])), "{told}");
            assert_eq!(wecom.count(Endpoint::WebhookSend), 1);
            check_stored(&env, &wecom, outbox, &told, 1);
        }
    });
}

/// With an outbox the entry is there before the jitter begins. Without one nothing tells of it, and any moment will do.
#[cfg(target_os = "linux")]
#[test]
fn during_the_jitter() {
    at_once([false, true], |outbox| {
        for (signal, code) in SIGNALS {
            let (env, wecom) = (TestEnv::new(), FakeWecom::start());
            let running = send(&env, &wecom, outbox, &["hello", "--jitter", "24h"]).spawn();
            let id = running.id();
            let waiting = env.state().join("outbox/waiting");
            let is_stored = || fs::read_dir(&waiting).is_ok_and(|mut entries| entries.next().is_some());
            let told = check(&stop(running, signal, || listens(id, signal) && (!outbox || is_stored())), code, signal);
            assert_eq!((&told["attempts"], &told["parts"]), (&json!(0), &json!([])), "{told}");
            assert_says(&told, signal, "message", &["nothing had been sent"]);
            assert_eq!(wecom.connections(), 0);
            check_stored(&env, &wecom, outbox, &told, 1);
        }
    });
}

#[test]
fn what_was_delivered_before_it_is_told_and_not_sent_again() {
    let text: String = (0..600).map(|line| format!("line {line:04}\n")).collect();
    for (signal, code) in SIGNALS {
        let (env, wecom) = (TestEnv::new(), FakeWecom::start());
        wecom.script(Endpoint::WebhookSend, [Reply::Normal, Reply::HangAfterReading]);
        let running = send(&env, &wecom, true, &["--on-long", "split", &text]).spawn();
        let told = check(&stop(running, signal, || wecom.count(Endpoint::WebhookSend) == 2), code, signal);
        assert_eq!((&told["attempts"], &told["parts"][0]["status"]), (&json!(2), &json!("sent")), "{told}");
        assert_says(&told, signal, "message", &["1 of ", " parts had been delivered"]);
        check_stored(&env, &wecom, true, &told, 3);
        let texts: Vec<_> = wecom.messages().iter().map(|message| message.payload()["content"].to_string()).collect();
        assert!((0..600).all(|line| texts.concat().matches(&format!("line {line:04}")).count() == 1));
    }
}

#[test]
fn while_others_are_taken_along_the_result_stays() {
    for (signal, _) in SIGNALS {
        let (env, wecom) = (TestEnv::new(), FakeWecom::start());
        wecom.script(Endpoint::WebhookSend, [Reply::status(502), Reply::Normal, Reply::HangAfterReading]);
        let run = send(&env, &wecom, true, &["late"]).run();
        let id = assert_document(&run, "stored", 0, &json!({"status": "queued"}))["outbox_id"].clone();
        let running = send(&env, &wecom, true, &["hello", "--timeout", "10m"]).spawn();
        let run = stop(running, signal, || wecom.count(Endpoint::WebhookSend) == 3);
        assert_document(&run, signal, 0, &json!({"status": "sent", "attempts": 1, "outbox_id": null, "warnings": []}));
        assert!(env.state().join("outbox/waiting").join(id.as_str().unwrap()).is_dir());
        let flush = env.cmd(["outbox", "flush", "--output", "json"]).webhook().base_url(&wecom).run();
        assert_document(&flush, "flush", 0, &json!({"delivered": 1, "remaining": 0, "failed": 0}));
        assert_eq!(wecom.messages().len(), 2);
    }
}

#[test]
fn a_flush_says_what_it_had_delivered() {
    for (signal, code) in SIGNALS {
        let (env, wecom) = (TestEnv::new(), FakeWecom::start());
        wecom.script(Endpoint::WebhookSend, [Reply::status(502), Reply::status(502)]);
        for text in ["one", "two"] {
            assert_document(&send(&env, &wecom, true, &[text]).run(), text, 0, &json!({"status": "queued"}));
        }
        wecom.script(Endpoint::WebhookSend, [Reply::Normal, Reply::HangAfterReading]);
        let flush = || env.cmd(["outbox", "flush", "--output", "json"]).webhook().base_url(&wecom);
        let told = check(&stop(flush().spawn(), signal, || wecom.count(Endpoint::WebhookSend) == 4), code, signal);
        assert_says(&told, signal, "message", &["1 of 2 parts had been delivered"]);
        assert_eq!((&told["hint"], &told["attempts"]), (&json!("run it again"), &json!(2)));
        assert_document(&flush().run(), "again", 0, &json!({"delivered": 1, "remaining": 0}));
        assert_eq!(wecom.messages().len(), 2);
    }
}
