//! A stdout that nobody reads, that is closed, or that has no room left.
#![cfg(unix)]

use super::Way;
use crate::support::fake::{FakeWecom, Reply};
use crate::support::{Cmd, TestEnv};

/// Changes a call.
type Change = fn(Cmd) -> Cmd;

/// stdout gone in every way that this system knows.
fn gone() -> Vec<(&'static str, Change)> {
    let mut ways: Vec<(&str, Change)> = vec![("closed", Cmd::stdout_closed), ("broken", Cmd::stdout_broken)];
    if std::path::Path::new("/dev/full").exists() {
        ways.push(("full", Cmd::stdout_full));
    }
    ways
}

#[test]
fn after_delivery_it_is_no_failure() {
    for (name, change) in gone() {
        for way in [Way::AppSend, Way::WebhookSend, Way::UploadToSend] {
            for more in [&[][..], &["-v"], &["--output", "json"]] {
                let (env, wecom) = (TestEnv::new(), FakeWecom::start());
                let run = change(way.cmd(&env).base_url(&wecom).args(more.iter().copied())).run();
                assert_eq!(run.code, Some(0), "{name} {way:?} {more:?}\n{}", run.all());
                assert_eq!(wecom.messages().len(), 1, "{name} {way:?} {more:?}");
            }
        }
    }
}

#[test]
fn a_failure_stays_what_it_is() {
    for (name, change) in gone() {
        for (reply, code) in [(Reply::errcode(93000, "x"), 4), (Reply::status(502), 7), (Reply::CloseAfterReading, 9)] {
            for more in [&[][..], &["--output", "json"]] {
                let (env, wecom) = (TestEnv::new(), FakeWecom::start());
                wecom.script(Way::WebhookSend.endpoint(), [reply.clone()]);
                let run = change(Way::WebhookSend.cmd(&env).base_url(&wecom).args(more.iter().copied())).run();
                assert_eq!(run.code, Some(code), "{name} {more:?}\n{}", run.all());
                // The document in a closed stdout goes nowhere, without a failure.
                if name == "closed" {
                    continue;
                }
                assert_eq!(run.stderr.matches("error[").count(), 1, "{name} {more:?}\n{}", run.all());
                let is_lost = name == "full" && !more.is_empty();
                let told = run.stderr.matches("the result cannot be written to stdout: ").count();
                assert_eq!(told, usize::from(is_lost), "{name} {more:?}\n{}", run.all());
            }
        }
    }
}

/// A table and a failure: each is told once.
#[test]
fn a_list_that_is_lost_is_told_beside_the_failure() {
    if !std::path::Path::new("/dev/full").exists() {
        return;
    }
    let (env, wecom) = (TestEnv::new(), FakeWecom::start());
    wecom.script(Way::WebhookSend.endpoint(), [Reply::status(502)]);
    Way::WebhookSend.cmd(&env).base_url(&wecom).arg("--outbox").run().assert_code(0);
    let run = env.cmd(["outbox", "list", "--exit-code"]).stdout_full().run().assert_code(7);
    assert_eq!(run.stderr.matches("error[temporary]").count(), 1, "{}", run.all());
    assert_eq!(run.stderr.matches("the result cannot be written to stdout").count(), 1, "{}", run.all());
}

#[test]
fn a_partial_delivery_stays_what_it_is() {
    for (name, change) in gone() {
        let (env, wecom) = (TestEnv::new(), FakeWecom::start());
        let cmd = env.cmd(["app-send", "-u", "zhangsan,nobody", "hello", "--output", "json"]).app_credentials();
        let run = change(cmd.base_url(&wecom)).run();
        assert_eq!(run.code, Some(6), "{name}\n{}", run.all());
    }
}

#[test]
fn data_that_is_lost_on_a_full_disk_is_a_failure() {
    if !std::path::Path::new("/dev/full").exists() {
        return;
    }
    for way in [Way::GetToken, Way::AppUpload, Way::WebhookUpload] {
        for more in [&[][..], &["--output", "json"], &["--dry-run"]] {
            let (env, wecom) = (TestEnv::new(), FakeWecom::start());
            let run = way.cmd(&env).base_url(&wecom).args(more.iter().copied()).stdout_full().run();
            assert_eq!(run.code, Some(3), "{way:?} {more:?}\n{}", run.all());
            assert!(run.stderr.starts_with("wecom-alert: error[config]: "), "{way:?} {more:?}\n{}", run.all());
        }
    }
}

/// Whatever cannot be told on stdout is told on stderr, in JSON mode too.
#[test]
fn a_result_that_cannot_be_written_is_told_on_stderr() {
    let gone = gone().into_iter().filter(|(name, _)| *name != "closed");
    for (name, change) in gone {
        let (env, wecom) = (TestEnv::new(), FakeWecom::start());
        let json = |args: &[&str]| change(env.cmd(args.iter().copied()).args(["--output", "json"]).base_url(&wecom));
        let cases = [
            ("empty", json(&["webhook-send", ""]), 2, "error[usage]: webhook-send: "),
            ("unknown option", json(&["webhook-send", "--bogus"]), 2, "error[usage]: webhook-send: "),
            ("no webhook", json(&["webhook-send", "a"]), 3, "error[config]: webhook-send: "),
            ("bad setting", json(&["get-token", "--ca-file", "$CA"]), 3, "error[config]: get-token: "),
            (
                "partial",
                json(&["app-send", "-u", "zhangsan,nobody", "a"]).app_credentials(),
                6,
                "error[partial]: app-send: ",
            ),
            (
                "allowed",
                json(&["app-send", "-u", "zhangsan,nobody", "a", "--allow-partial"]).app_credentials(),
                0,
                "warning[partial]: app-send: ",
            ),
        ];
        for (case, cmd, code, start) in cases {
            let run = cmd.run();
            assert_eq!(run.code, Some(code), "{name} {case}\n{}", run.all());
            assert!(run.stderr.starts_with(&format!("wecom-alert: {start}")), "{name} {case}\n{}", run.all());
            assert!(run.stderr.lines().nth(1).unwrap().starts_with("hint: "), "{name} {case}\n{}", run.all());
        }
    }
}

#[test]
fn a_delivery_whose_result_is_lost_is_told_in_a_line() {
    if !std::path::Path::new("/dev/full").exists() {
        return;
    }
    for way in [Way::AppSend, Way::WebhookSend, Way::UploadToSend] {
        for more in [&[][..], &["-q"]] {
            let (env, wecom) = (TestEnv::new(), FakeWecom::start());
            let run = way.json(&env, &wecom).args(more.iter().copied()).stdout_full().run().assert_code(0);
            let lines: Vec<&str> = run.stderr.lines().collect();
            assert!(lines.len() == 1 && lines[0].starts_with("wecom-alert: "), "{way:?}\n{}", run.all());
            assert!(lines[0].contains("-send: sent") && lines[0].contains("cannot be written"), "{}", run.all());
            assert_eq!(wecom.messages().len(), 1, "{way:?}");
        }
    }
}

#[test]
fn a_reader_who_left_does_not_make_it_crash() {
    for (name, change) in gone().into_iter().filter(|(name, _)| *name != "full") {
        for way in [Way::GetToken, Way::AppUpload] {
            for more in [&[][..], &["--output", "json"], &["--dry-run"]] {
                let (env, wecom) = (TestEnv::new(), FakeWecom::start());
                let run = change(way.cmd(&env).base_url(&wecom).args(more.iter().copied())).run();
                assert_eq!(run.code, Some(0), "{name} {way:?} {more:?}\n{}", run.all());
                assert_eq!(run.stderr, "", "{name} {way:?} {more:?}");
            }
        }
        for args in [&["--help"][..], &["app-send", "--help"], &["--version"]] {
            let run = change(TestEnv::new().cmd(args.iter().copied())).run();
            assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""), "{name} {args:?}\n{}", run.all());
        }
    }
}
