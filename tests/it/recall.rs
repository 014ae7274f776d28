//! `recall`: messages of the app are taken back.

use std::time::Duration;

use serde_json::{Value, json};

use crate::document::{assert_document, assert_says, warnings};
use crate::results::document;
use crate::support::Scene;
use crate::support::fake::{CORP_ID, Endpoint, Reply, Seen};

/// The msgids of so many messages that were sent.
fn sent(scene: &Scene, count: usize) -> Vec<String> {
    let send = |at: usize| document(&scene.app(&[&format!("message {at}")]).run().assert_code(0));
    (0..count).map(|at| send(at)["parts"][0]["msgid"].as_str().unwrap().to_owned()).collect()
}

fn recall(scene: &Scene, msgids: &[&str]) -> crate::support::Cmd {
    scene.cmd(&["recall"]).args(msgids.iter().copied())
}

/// The bodies that came, byte by byte.
fn bodies(scene: &Scene) -> Vec<String> {
    let is_recall = |seen: &Seen| seen.endpoint == Endpoint::MessageRecall;
    let bodies = scene.wecom.requests().into_iter().filter(is_recall).map(|seen| String::from_utf8(seen.body).unwrap());
    bodies.collect()
}

#[test]
fn takes_messages_back_in_order_with_one_token() {
    let scene = Scene::new();
    let ids = sent(&scene, 3);
    let run = recall(&scene, &[&ids[2], &ids[0], &ids[2]]).run();
    let expected =
        json!({"status": "ok", "route": "app", "errcode": 0, "errmsg": "ok", "message": null, "attempts": 0});
    let told = assert_document(&run, "recall", 0, &expected);
    let part = |index: usize, msgid: &str| {
        json!({"index": index, "kind": "message", "name": null, "status": "ok", "errcode": 0, "errmsg": "ok", "msgid": msgid,
            "msgids": [msgid], "response_code": null, "task_id": null})
    };
    assert_eq!(told["parts"], json!([part(1, &ids[2]), part(2, &ids[0])]));
    assert_eq!(bodies(&scene), [format!(r#"{{"msgid":"{}"}}"#, ids[2]), format!(r#"{{"msgid":"{}"}}"#, ids[0])]);
    assert_eq!(scene.wecom.recalled(), [ids[0].clone(), ids[2].clone()]);
    assert_eq!(scene.wecom.count(Endpoint::GetToken), 1);
    let asked = scene.wecom.requests().into_iter().find(|seen| seen.endpoint == Endpoint::MessageRecall).unwrap();
    assert_eq!((asked.method.as_str(), asked.query.len()), ("POST", 1));
}

#[test]
fn says_nothing_that_is_not_asked_for() {
    let scene = Scene::new();
    let ids = sent(&scene, 2);
    let text = |args: &[&str]| scene.bare(args).base_url(&scene.wecom).app_credentials().run().assert_code(0);
    let run = text(&["recall", &ids.join(",")]);
    assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("", ""));
    let run = text(&["-v", "recall", &ids[0]]);
    assert!(run.stderr.contains("recall: recalled; a copy in the WeChat plugin stays\n"), "{}", run.all());
    assert_eq!(run.stdout, "");
}

#[test]
fn names_those_that_wecom_refuses() {
    let scene = Scene::new();
    let old = sent(&scene, 1).remove(0);
    scene.wecom.age_messages(Duration::from_secs(24 * 3600 + 1));
    let new = sent(&scene, 1).remove(0);
    let run = recall(&scene, &["unknown", &new, &old]).run();
    let told = assert_document(&run, "some", 6, &json!({"status": "partial", "errcode": 42052}));
    let message = format!(
        "1 of 3 messages recalled; not recalled: unknown (WeCom answered 40058: invalid msgid), {old} (WeCom answered 42052: "
    );
    assert_says(&told, "some", "message", &[&message]);
    assert_says(&told, "some", "hint", &["within 24 hours"]);
    let parts = told["parts"].as_array().unwrap();
    let statuses: Vec<_> =
        parts.iter().map(|part| (part["status"].as_str().unwrap(), part["errcode"].as_i64())).collect();
    assert_eq!(statuses, [("refused", Some(40058)), ("ok", Some(0)), ("refused", Some(42052))]);
    assert_eq!(scene.wecom.recalled(), [new]);
    // No profile makes that a success.
    let scene = scene.profile("ops", "allow_partial = true");
    let new = sent(&scene, 1).remove(0);
    recall(&scene, &[&new, "unknown"]).run().assert_code(6);

    let run = recall(&scene, &[&old, "unknown"]).run();
    let told = assert_document(&run, "all", 5, &json!({"status": "refused", "errcode": 40058}));
    assert_says(&told, "all", "message", &["not recalled: ", &old, ", unknown (WeCom answered 40058: invalid msgid"]);
    assert_says(&told, "all", "hint", &["the profile of the app that sent the message"]);
}

#[test]
fn only_the_app_that_sent_it_takes_a_message_back() {
    let wecom = crate::support::fake::FakeWecom::builder().app(CORP_ID, 1_000_003, "test-other-secret").start();
    let scene = Scene::with(wecom);
    let id = sent(&scene, 1).remove(0);
    let other =
        recall(&scene, &[&id]).env("WECOM_ALERT_AGENT_ID", "1000003").env("WECOM_ALERT_SECRET", "test-other-secret");
    assert_document(&other.run(), "other", 5, &json!({"status": "refused", "errcode": 40058}));
    assert_eq!(scene.wecom.recalled(), [""; 0]);
}

/// What concerns all of them ends the command, and those that were not tried are told too.
#[test]
fn trouble_that_is_not_about_one_message_stops_the_rest() {
    for (reply, code, status) in [
        (Reply::errcode(60020, "not allow to access from your ip, from ip: 203.0.113.7"), 4, "auth"),
        (Reply::errcode(45009, "api freq out of limit"), 8, "rate_limited"),
        (Reply::errcode(-1, "system busy"), 7, "temporary"),
        (Reply::PortalPage, 7, "temporary"),
        (Reply::CloseAfterReading, 7, "temporary"),
    ] {
        let scene = Scene::new();
        let ids = sent(&scene, 3);
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        let quick = |cmd: crate::support::Cmd| cmd.args(["--retries", "0"]).run();
        scene.wecom.script(Endpoint::MessageRecall, [reply.clone()]);
        let told = assert_document(&quick(recall(&scene, &ids)), status, code, &json!({"status": status}));
        assert_says(
            &told,
            status,
            "message",
            &["not recalled: ", &format!("{} (not tried), {} (not tried)", ids[1], ids[2])],
        );
        let statuses: Vec<_> = told["parts"].as_array().unwrap().iter().map(|part| part["status"].clone()).collect();
        assert_eq!(statuses, [json!(status), json!("skipped"), json!("skipped")]);
        // One had gone well before.
        scene.wecom.script(Endpoint::MessageRecall, [Reply::Normal, reply]);
        let told = assert_document(&quick(recall(&scene, &ids)), status, 6, &json!({"status": "partial"}));
        assert_says(&told, status, "message", &["1 of 3 messages recalled; not recalled: "]);
        assert_eq!(scene.wecom.count(Endpoint::MessageRecall), 3, "{status}");
    }
}

#[test]
fn without_an_answer_it_is_done_again() {
    let scene = Scene::new();
    let id = sent(&scene, 1).remove(0);
    scene.wecom.script(Endpoint::MessageRecall, [Reply::accept_then(Reply::CloseAfterReading)]);
    recall(&scene, &[&id]).args(["--retries", "1"]).run().assert_code(0);
    assert_eq!(bodies(&scene).len(), 2);
    scene.wecom.script(Endpoint::MessageRecall, [Reply::accept_then(Reply::CloseAfterReading)]);
    let run = recall(&scene, &[&id]).args(["--retries", "0"]).run();
    let told = assert_document(&run, "silent", 7, &json!({"status": "temporary", "errcode": null}));
    assert_says(&told, "silent", "hint", &["try again, which is safe"]);
}

#[test]
fn a_stale_token_is_replaced() {
    let scene = Scene::new();
    let ids = sent(&scene, 2);
    scene.wecom.revoke_tokens();
    recall(&scene, &[&ids[0], &ids[1]]).run().assert_code(0);
    assert_eq!((scene.wecom.recalled(), scene.wecom.count(Endpoint::GetToken)), (ids, 2));
}

#[test]
fn reads_msgids_from_stdin() {
    let scene = Scene::new();
    let ids = sent(&scene, 3);
    let run = recall(&scene, &["-"]).stdin(format!("{}\nnull\n\n{} {}\r\n", ids[0], ids[1], ids[2])).run();
    let told = assert_document(&run, "stdin", 0, &json!({"status": "ok"}));
    assert!(warnings(&told).iter().any(|warning| warning.starts_with("null is not a msgid")), "{told}");
    assert_eq!(scene.wecom.recalled(), ids);
    for (args, stdin) in [(&["-"][..], ""), (&["-"], "null\n"), (&[""], ""), (&["null", " "], "")] {
        let run = recall(&scene, args).stdin(stdin).run();
        let told = assert_document(&run, stdin, 2, &json!({"status": "usage", "message": "there is no msgid"}));
        assert_says(&told, stdin, "hint", &["webhooks and group chats have none"]);
    }
    assert_eq!(bodies(&scene).len(), 3);
    assert_document(&scene.cmd(&["recall"]).run(), "bare", 2, &json!({"status": "usage"}));
}

/// What is no msgid is seen before anything is asked: not the whole of what a send printed.
#[test]
fn what_is_no_msgid_is_not_sent() {
    let scene = Scene::new();
    let json = document(&scene.app(&["hi"]).run().assert_code(0)).to_string();
    let pretty = serde_json::to_string_pretty(&serde_json::from_str::<Value>(&json).unwrap()).unwrap();
    for (stdin, said, hint) in [
        (json.as_str(), "this is JSON, not msgids", "jq -r '.parts[].msgids[]'"),
        (&format!("\n{pretty}\n"), "this is JSON, not msgids", "recall -"),
        ("[\"a\"]", "this is JSON, not msgids", "jq"),
        ("a\nmsgid: b\n", "\"msgid:\" is not a msgid", "nothing else"),
        ("<html>", "\"<html>\" is not a msgid", "nothing else"),
        ("a 消息", "\"消息\" is not a msgid", "nothing else"),
    ] {
        let told = assert_document(&recall(&scene, &["-"]).stdin(stdin).run(), said, 2, &json!({"message": said}));
        assert_says(&told, said, "hint", &[hint]);
    }
    recall(&scene, &["{\"msgid\":\"a\"}"]).run().assert_code(2);
    assert_eq!(bodies(&scene).len(), 0);
}

/// A msgid may begin with a dash: on stdin it is none the worse for it.
#[test]
fn a_msgid_that_begins_with_a_dash_is_one() {
    let scene = Scene::new();
    let _ = sent(&scene, 1);
    for cmd in [recall(&scene, &["-"]).stdin("-x1\n"), recall(&scene, &["--", "-x1"])] {
        assert_document(&cmd.run(), "dash", 5, &json!({"errcode": 40058}));
    }
    assert_eq!(bodies(&scene), [r#"{"msgid":"-x1"}"#; 2]);
}

#[test]
fn a_dry_run_shows_each_request() {
    let scene = Scene::new();
    let run = scene.bare(&["recall", "--dry-run", "--output", "json", "a", "b"]).run();
    let told = assert_document(&run, "dry run", 0, &json!({"status": "dry_run", "parts": []}));
    let request = |msgid: &str| json!({"method": "POST", "path": "/cgi-bin/message/recall", "body": {"msgid": msgid}});
    assert_eq!(told["requests"], json!([request("a"), request("b")]));
    assert_eq!(scene.wecom.requests().len(), 0);
}

/// As the manual shows it: msgids of the JSON of a send, and of its log.
#[cfg(unix)]
#[test]
fn a_script_recalls_what_it_sent() {
    if !crate::support::needs("jq") {
        return;
    }
    let folder = std::path::Path::new(env!("CARGO_BIN_EXE_wecom-alert")).parent().unwrap();
    let path = format!("{}:/usr/local/bin:/usr/bin:/bin", folder.display());
    for script in [
        "wecom-alert --output json app-send -u zhangsan 'wrong room' > sent.json\n\
         jq -r '.parts[].msgids[]' sent.json | wecom-alert recall -\n",
        "wecom-alert --log-file alerts.log app-send -u zhangsan 'wrong room'\n\
         tail -n 1 alerts.log | jq -r '.msgids[]' | wecom-alert recall -\n",
    ] {
        let scene = Scene::new();
        let run = scene.env.cmd(["run", "--", "/bin/sh", "-ec", script]).base_url(&scene.wecom).app_credentials();
        run.env("PATH", &path).env("WECOM_ALERT_TO_USER", "zhangsan").run().assert_code(0);
        assert_eq!((scene.wecom.messages().len(), scene.wecom.recalled().len()), (1, 1), "{script}");
    }
}

/// The log names the messages that were taken back.
#[test]
fn the_log_tells_of_it() {
    let scene = Scene::new();
    let id = sent(&scene, 1).remove(0);
    let log = scene.env.home().join("alerts.log");
    recall(&scene, &[&id]).arg("--log-file").arg(&log).run().assert_code(0);
    let line: Value = serde_json::from_str(&std::fs::read_to_string(log).unwrap()).unwrap();
    assert_eq!((&line["command"], &line["status"], &line["msgids"]), (&json!("recall"), &json!("ok"), &json!([id])));
}
