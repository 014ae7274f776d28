//! A token that WeCom finds stale: another one and the call again, as long as there is another one, and never a loop.

use std::sync::Mutex;
use std::sync::mpsc;

use serde_json::json;

use super::*;
use crate::document::{assert_document, assert_says};
use crate::support::fake::{Change, Reply, SECRET};
use crate::support::{TestEnv, at_once};

const STALE: [(i64, &str); 4] = [
    (40014, "invalid access_token"),
    (42001, "access_token expired"),
    (40001, "invalid credential"),
    (41001, "access_token missing"),
];

#[test]
fn a_cached_token_is_replaced_once_and_the_call_repeated_once() {
    for (code, text) in STALE {
        let (env, wecom) = (TestEnv::new(), FakeWecom::start());
        wecom.same_token_on_refresh(false);
        warm(&env, &wecom);
        wecom.script(Endpoint::MessageSend, [Reply::errcode(code, text)]);
        let run = send(&env, &wecom).run();
        let expected = json!({"status": "sent", "errcode": 0, "attempts": 2, "message": null, "warnings": []});
        let document = assert_document(&run, text, 0, &expected);
        assert_eq!(document["parts"].as_array().unwrap().len(), 1, "{code}: one message, one part");
        assert_eq!(run.stderr, "", "{code}");
        assert_eq!(wecom.count(Endpoint::GetToken), 2, "{code}");
        let sent = tokens_sent(&wecom);
        assert_eq!((sent.len(), &sent[0]), (3, &sent[1]), "{code}: the cached one first");
        assert_ne!(sent[1], sent[2], "{code}: then the new one");
        assert_eq!(wecom.messages().len(), 2, "{code}");
        // The new one is what others find.
        send(&env, &wecom).run().assert_code(0);
        assert_eq!((wecom.count(Endpoint::GetToken), tokens_sent(&wecom)[3].as_str()), (2, sent[2].as_str()), "{code}");
    }
}

#[test]
fn tokens_that_ended_early() {
    for (case, end) in
        [("revoked", FakeWecom::revoke_tokens as fn(&FakeWecom)), ("expired", FakeWecom::expire_tokens as fn(&_))]
    {
        let (env, wecom) = (TestEnv::new(), FakeWecom::start());
        warm(&env, &wecom);
        end(&wecom);
        assert_document(&send(&env, &wecom).run(), case, 0, &json!({"attempts": 2}));
        assert_eq!((wecom.count(Endpoint::GetToken), wecom.messages().len()), (2, 2), "{case}");
    }
}

#[test]
fn a_token_fetched_by_this_very_call_is_replaced_too() {
    for ((code, text), is_cached) in STALE.into_iter().flat_map(|stale| [(stale, true), (stale, false)]) {
        let (env, wecom) = (TestEnv::new(), FakeWecom::start());
        wecom.same_token_on_refresh(false);
        wecom.script(Endpoint::MessageSend, [Reply::errcode(code, text)]);
        let cmd = if is_cached { send(&env, &wecom) } else { send(&env, &wecom).arg("--no-cache") };
        assert_document(&cmd.run(), text, 0, &json!({"status": "sent", "attempts": 2}));
        assert_eq!((wecom.count(Endpoint::GetToken), wecom.count(Endpoint::MessageSend)), (2, 2), "{code}");
        let sent = tokens_sent(&wecom);
        assert_ne!(sent[0], sent[1], "{code}");
    }
}

#[test]
fn the_same_token_twice_ends_it_at_once() {
    for (code, text) in STALE {
        for is_cached in [true, false] {
            let (env, wecom) = (TestEnv::new(), FakeWecom::start());
            wecom.same_token_on_refresh(true);
            wecom.always(Endpoint::MessageSend, Reply::errcode(code, text));
            let cmd = send(&env, &wecom).args(["--retries", "5"]);
            let run = if is_cached { cmd } else { cmd.arg("--no-cache") }.run();
            let expected =
                json!({"status": "auth", "errcode": code, "errmsg": text, "attempts": 1, "retryable": false});
            let document = assert_document(&run, text, 4, &expected);
            assert_says(&document, text, "message", &[&code.to_string(), text]);
            assert!(document["hint"].is_string(), "{document}");
            assert_eq!(document["parts"][0]["status"], "auth", "{document}");
            assert_eq!((wecom.count(Endpoint::GetToken), wecom.count(Endpoint::MessageSend)), (2, 1), "{code}");
        }
    }
}

#[test]
fn a_token_revoked_several_times_during_one_send() {
    // The first revocation comes before the send, each other one between a new token and its use.
    for (revocations, retries, code, sends) in
        [(1, "0", 0, 2), (2, "0", 4, 2), (2, "3", 0, 3), (3, "3", 0, 4), (4, "3", 4, 4), (4, "4", 0, 5)]
    {
        let case = format!("{revocations} revocations, --retries {retries}");
        let (env, wecom) = (TestEnv::new(), FakeWecom::start());
        warm(&env, &wecom);
        wecom.revoke_tokens();
        let revoked = Reply::meanwhile(Change::RevokeTokens);
        wecom.script(Endpoint::GetToken, vec![revoked; revocations - 1]);
        let run = send(&env, &wecom).args(["--retries", retries]).run();
        let status = if code == 0 { "sent" } else { "auth" };
        assert_document(&run, &case, code, &json!({"status": status, "attempts": sends}));
        assert_eq!((wecom.count(Endpoint::GetToken), wecom.count(Endpoint::MessageSend)), (sends, sends + 1), "{case}");
        assert_eq!(wecom.messages().len(), 1 + usize::from(code == 0), "{case}");
    }
}

#[test]
fn a_token_revoked_several_times_among_many_processes() {
    let (env, wecom) = (TestEnv::new(), FakeWecom::start());
    warm(&env, &wecom);
    const REVOCATIONS: usize = 5;
    let revoked = [Reply::Normal, Reply::Normal, Reply::Normal, Reply::meanwhile(Change::RevokeTokens)];
    wecom.script(Endpoint::MessageSend, vec![revoked; REVOCATIONS].concat());
    at_once(0..40, |number| {
        // As many as one process can be hit by, if it is unlucky.
        let run = send(&env, &wecom).args(["--retries", &REVOCATIONS.to_string()]).run();
        assert_document(&run, &number.to_string(), 0, &json!({"status": "sent"}));
    });
    assert_eq!(wecom.messages().len(), 41);
    let fetched = wecom.count(Endpoint::GetToken);
    assert!(fetched <= 1 + REVOCATIONS, "one after each revocation at most: {fetched}");
}

#[test]
fn an_unchanged_token_is_not_sent_again_nor_asked_for_again() {
    let (env, wecom) = (TestEnv::new(), FakeWecom::start());
    wecom.same_token_on_refresh(true);
    warm(&env, &wecom);
    for case in ["the one that asks", "another process", "a third one"] {
        wecom.script(Endpoint::MessageSend, [Reply::errcode(40014, "invalid access_token")]);
        let run = send(&env, &wecom).run();
        let expected = json!({"status": "auth", "errcode": 40014, "attempts": 1, "errmsg": "invalid access_token"});
        assert_document(&run, case, 4, &expected);
        assert_eq!(wecom.count(Endpoint::GetToken), 2, "{case}");
    }
    assert_eq!(wecom.count(Endpoint::MessageSend), 4);
    // What WeCom called stale for a moment serves on.
    send(&env, &wecom).run().assert_code(0);
    assert_eq!(wecom.count(Endpoint::GetToken), 2);
    // A real change still gets through when somebody insists.
    wecom.revoke_tokens();
    env.cmd(["get-token", "--refresh"]).base_url(&wecom).app_credentials().may_show_token().run().assert_code(0);
    assert_document(&send(&env, &wecom).run(), "after a forced refresh", 0, &json!({"attempts": 1}));
    assert_eq!(wecom.count(Endpoint::GetToken), 3);
}

#[test]
fn a_new_token_that_is_stale_too_ends_it() {
    let (env, wecom) = (TestEnv::new(), FakeWecom::start());
    wecom.same_token_on_refresh(false);
    warm(&env, &wecom);
    wecom.always(Endpoint::MessageSend, Reply::errcode(40014, "invalid access_token"));
    let run = send(&env, &wecom).run();
    let document = assert_document(&run, "stays stale", 4, &json!({"status": "auth", "errcode": 40014, "attempts": 2}));
    assert_says(&document, "stays stale", "hint", &["get-token --refresh"]);
    assert_eq!((wecom.count(Endpoint::GetToken), wecom.count(Endpoint::MessageSend)), (2, 3));
}

#[test]
fn a_refresh_that_fails_for_good_leaves_the_original_error() {
    type Break = fn(&FakeWecom);
    let wrong_secret: Break = |wecom| wecom.rotate_secret(SECRET, "test-secret-after-the-reset");
    let no_answer: Break = |wecom| {
        wecom.revoke_tokens();
        wecom.always(Endpoint::GetToken, Reply::status(502));
    };
    let limited: Break = |wecom| {
        wecom.revoke_tokens();
        wecom.always(Endpoint::GetToken, Reply::errcode(45009, "api freq out of limit"));
    };
    // What may pass is no matter of the credentials.
    for (case, break_it, reason, code, status, errcode) in [
        ("a reset secret", wrong_secret, "40001", 4, "auth", json!(40014)),
        ("a gateway", no_answer, "502", 7, "temporary", json!(null)),
        ("a limit", limited, "45009", 8, "rate_limited", json!(45009)),
    ] {
        let (env, wecom) = (TestEnv::new(), FakeWecom::start());
        warm(&env, &wecom);
        break_it(&wecom);
        let run = send(&env, &wecom).run();
        let expected = json!({"status": status, "errcode": errcode, "attempts": 1});
        let document = assert_document(&run, case, code, &expected);
        assert_says(&document, case, "message", &[reason]);
        if code == 4 {
            assert_says(&document, case, "message", &["40014", "no new token could be fetched"]);
        }
        assert_eq!(wecom.count(Endpoint::GetToken), 2, "{case}: asked once, not in a loop");
        assert_eq!(wecom.messages().len(), 1, "{case}");
    }
}

#[test]
fn a_wrong_secret_is_asked_once_by_each_command() {
    let (env, wecom) = (TestEnv::new(), FakeWecom::start());
    env.file("alert.txt", "log of a crash");
    let commands: &[&[&str]] = &[
        &["app-send", "-u", "zhangsan", "disk full"],
        &["app-send", "-u", "zhangsan", "--file", "alert.txt"],
        &["upload-media", "alert.txt"],
        &["get-token"],
        &["get-token", "--refresh"],
    ];
    for (count, command) in commands.iter().enumerate() {
        let cmd = env.cmd(command.iter().copied()).args(["--output", "json"]).base_url(&wecom).app_credentials();
        let run = cmd.env("WECOM_ALERT_SECRET", "test-secret-wrong").secret("test-secret-wrong").run();
        let case = command.join(" ");
        let expected = json!({"status": "auth", "errcode": 40001, "attempts": 0, "retryable": false, "route": "app"});
        let document = assert_document(&run, &case, 4, &expected);
        assert_says(&document, &case, "hint", &["WECOM_ALERT_SECRET", "17 bytes"]);
        assert_eq!(wecom.count(Endpoint::GetToken), count + 1, "{case}");
    }
    assert_eq!(wecom.requests().len(), commands.len(), "nothing but gettoken was called");
    assert_eq!(token_files(&env), Vec::<PathBuf>::new(), "nothing to keep");
}

#[test]
fn a_token_revoked_between_upload_and_send() {
    let (uploaded, was_uploaded) = mpsc::channel();
    let (go_on, may_go_on) = mpsc::channel::<()>();
    let (uploaded, may_go_on) = (Mutex::new(uploaded), Mutex::new(may_go_on));
    let wecom = FakeWecom::builder().watch(move |event| {
        // Holds the answer to the upload back until the token is gone.
        if event.seen.endpoint == Endpoint::MediaUpload {
            uploaded.lock().unwrap().send(()).unwrap();
            let _ = may_go_on.lock().unwrap().recv();
        }
    });
    let (env, wecom) = (TestEnv::new(), wecom.start());
    let file = env.file("alert.txt", "log of a crash");
    let cmd = env.cmd(["app-send", "-u", "zhangsan", "--output", "json", "--file"]).arg(&file);
    let running = cmd.base_url(&wecom).app_credentials().spawn();
    was_uploaded.recv().unwrap();
    wecom.revoke_tokens();
    go_on.send(()).unwrap();
    let run = running.wait();
    assert_document(&run, "upload and send", 0, &json!({"status": "sent", "attempts": 2}));
    assert_eq!((wecom.count(Endpoint::GetToken), wecom.uploads().len(), wecom.messages().len()), (2, 1, 1));
    assert_eq!(wecom.messages()[0].payload()["media_id"], wecom.uploads()[0].media_id);
}

#[test]
fn an_upload_refreshes_too() {
    let (env, wecom) = (TestEnv::new(), FakeWecom::start());
    let file = env.file("alert.txt", "log of a crash");
    warm(&env, &wecom);
    wecom.revoke_tokens();
    let upload = |agent: &str| {
        let cmd = env.cmd(["upload-media", "--output", "json"]).arg(&file).base_url(&wecom).app_credentials();
        cmd.env("WECOM_ALERT_AGENT_ID", agent).run()
    };
    assert_document(&upload("1000002"), "upload", 0, &json!({"status": "ok", "type": "file", "attempts": 0}));
    assert_eq!((wecom.count(Endpoint::GetToken), wecom.count(Endpoint::MediaUpload)), (2, 2));
    assert_document(&upload(""), "upload without an agent", 0, &json!({"status": "ok"}));
    assert_eq!((wecom.count(Endpoint::GetToken), wecom.uploads().len()), (3, 2));
}
