//! SIGINT and SIGTERM at every stage: an exit code of their own, after saying what had been delivered.

use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};

use crate::results::{Way, document};
use crate::support::fake::tls::Certificate;
use crate::support::fake::{FakeWecom, OnConnect, Reply};
use crate::support::{Run, Running, TestEnv};

const SIGNALS: [(&str, i32); 2] = [("INT", 130), ("TERM", 143)];

/// Sends the signal to a call that has come as far as `is_there` says.
fn stop(running: Running, signal: &str, is_there: impl Fn() -> bool) -> Run {
    for _ in 0..6000 {
        if is_there() {
            // The shell's own, since not every system has it as a program.
            let sent = Command::new("/bin/sh").arg("-c").arg(format!("kill -{signal} {}", running.id())).status();
            assert!(sent.unwrap().success());
            return running.wait();
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    panic!("it never came that far\n{}", running.wait().all());
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
        // It ends by itself soon after the program has gone, which nobody waits for.
        let script = "touch \"$HOME/begun\"; for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do sleep 1; done; echo x";
        let config = format!("[profiles.room]\nwebhook_command = ['sh', '-c', '''{script}''']\n");
        let cmd = env.cmd(["webhook-send", "hello", "--output", "json"]).config(&config).base_url(&wecom);
        let begun = env.home().join("begun");
        let told = check(&stop(cmd.spawn(), signal, || begun.exists()), code, signal);
        assert!(told["message"].as_str().unwrap().contains("nothing had been sent"), "{told}");
        assert_eq!((&told["profile"], &told["route"]), (&json!("room"), &json!("webhook")));
        assert_eq!(wecom.connections(), 0);
    }
}

/// Whether that process has a handler for the signal: only Linux tells.
#[cfg(target_os = "linux")]
fn listens(id: u32, signal: &str) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
    let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap_or_default();
    let bit = if signal == "INT" { 1 << 1 } else { 1 << 14 };
    u64::from_str_radix(caught.trim(), 16).is_ok_and(|caught| caught & bit != 0)
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
        assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
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
