//! `get-userid`: the userid alone, and how the command ends.

use serde_json::{Value, json};

use super::{LISI, NOBODY, ZHANGSAN, count};
use crate::document::{assert_document, assert_says};
use crate::support::Scene;
use crate::support::fake::{Endpoint, Reply, closed_port};

#[test]
fn the_userid_is_printed_alone() {
    let scene = Scene::new();
    for (args, userid) in [
        (["--mobile", ZHANGSAN], "zhangsan"),
        (["--mobile", "+86 138-0000-0001"], "lisi"),
        (["--mobile", "１３８００００００００"], "zhangsan"),
        (["--email", "wangwu@example.com"], "wangwu"),
        (["--email", "WangWu＠Example.com"], "wangwu"),
    ] {
        let run = scene.bare(&["get-userid"]).args(args).base_url(&scene.wecom).app_credentials().run().assert_code(0);
        assert_eq!((run.stdout.as_str(), run.stderr.as_str()), (format!("{userid}\n").as_str(), ""), "{args:?}");
    }
    assert_eq!(count(&scene), 3, "each person once, however written");
    let run = scene.cmd(&["get-userid", "--mobile", LISI]).run();
    let document = assert_document(&run, "known", 0, &json!({"status": "ok", "userid": "lisi", "route": "app"}));
    assert_eq!(document["unresolved"], json!([]));
    assert_eq!(scene.sends(), 0);
}

#[test]
fn no_agent_id_is_needed() {
    let scene = Scene::new();
    let run = scene.cmd(&["get-userid", "--mobile", ZHANGSAN]).without_env("WECOM_ALERT_AGENT_ID").run();
    assert_document(&run, "no agent", 0, &json!({"userid": "zhangsan"}));
}

#[test]
fn who_is_unknown_is_asked_for_once() {
    let scene = Scene::new();
    let get = || scene.cmd(&["get-userid", "--mobile", NOBODY]).run();
    let expected = json!({"status": "refused", "errcode": 46004, "unresolved": [NOBODY], "retryable": false});
    let document = assert_document(&get(), "asked", 5, &expected);
    assert_says(&document, "asked", "message", &[NOBODY, "visible range"]);
    assert_says(&document, "asked", "hint", &["可见范围", "too many misses"]);
    let document = assert_document(&get(), "known", 5, &json!({"status": "refused", "errcode": null}));
    assert_says(&document, "known", "message", &[NOBODY, "visible range"]);
    assert_eq!(count(&scene), 1);
}

#[test]
fn what_can_be_nobody_is_refused_before_anything_is_asked() {
    let scene = Scene::new();
    for (args, told) in [
        (&["--mobile", "zhangsan"][..], "no mobile number"),
        (&["--mobile", "1234"], "no mobile number"),
        (&["--mobile", "138000000002"], "no mobile number"),
        (&["--mobile", "1380000001"], "no mobile number"),
        (&["--mobile", ""], "empty"),
        (&["--email", "zhangsan"], "no mail address"),
        (&["--mobile", "13800000000,13800000001"], "several"),
        (&[], "--mobile"),
        (&["--mobile", "13800000000", "--email", "a@example.com"], "cannot be used"),
    ] {
        let run = scene.cmd(&["get-userid"]).args(args).run();
        let document = assert_document(&run, told, 2, &json!({"status": "usage"}));
        assert_says(&document, told, "message", &[told]);
    }
    assert_eq!(scene.wecom.connections(), 0);
}

#[test]
fn a_dry_run_asks_nothing() {
    let scene = Scene::new();
    let run = scene.cmd(&["get-userid", "--dry-run", "--mobile", "+86 138 0000 0000"]).run();
    let request = json!({"method": "POST", "path": "/cgi-bin/user/getuserid", "body": {"mobile": ZHANGSAN}});
    assert_document(&run, "mobile", 0, &json!({"status": "dry_run", "requests": [request]}));
    let run = scene.cmd(&["get-userid", "--dry-run", "--email", "a@example.com"]).run();
    let request =
        json!({"method": "POST", "path": "/cgi-bin/user/get_userid_by_email", "body": {"email": "a@example.com"}});
    assert_document(&run, "mail", 0, &json!({"requests": [request]}));
    assert_eq!(scene.wecom.connections(), 0);
}

#[test]
fn what_keeps_it_from_asking_has_its_own_code() {
    let scene = Scene::new();
    scene.warm();
    let get = |more: &[&str]| scene.cmd(&["get-userid", "--mobile", ZHANGSAN, "--retries", "0"]).args(more).run();
    scene.wecom.script(Endpoint::UserGetUserid, [Reply::Errcode(48002, "api forbidden".to_owned())]);
    assert_document(&get(&[]), "no right", 4, &json!({"status": "auth", "errcode": 48002}));
    scene.wecom.script(Endpoint::UserGetUserid, [Reply::status(502)]);
    assert_document(&get(&[]), "gateway", 7, &json!({"status": "temporary"}));
    scene.wecom.script(Endpoint::UserGetUserid, [Reply::CloseAfterReading]);
    assert_document(&get(&[]), "no answer", 7, &json!({"status": "temporary"}));
    let away = format!("http://127.0.0.1:{}", closed_port());
    assert_document(&get(&["--base-url", &away]), "no connection", 7, &json!({"status": "temporary"}));
    assert_document(&get(&[]), "later", 0, &json!({"userid": "zhangsan"}));
}

#[test]
fn no_number_is_written_to_the_log_file() {
    let scene = Scene::new();
    let log = scene.env.home().join("log");
    let get = |args: &[&str]| {
        let cmd = scene.cmd(&["get-userid", "--log-file"]).arg(&log).args(args);
        cmd.run()
    };
    get(&["--mobile", "+86 139-0000-0000"]).assert_code(5);
    get(&["--mobile", "+86 139-0000-0000"]).assert_code(5);
    get(&["--email", "Nobody@example.com"]).assert_code(5);
    get(&["--mobile", ZHANGSAN]).assert_code(0);
    let lines = std::fs::read_to_string(&log).unwrap();
    assert_eq!(lines.lines().count(), 4);
    for personal in ["139", "example.com", ZHANGSAN] {
        assert!(
            !lines.lines().any(|line| {
                let line: Value = serde_json::from_str(line).unwrap();
                line["message"].as_str().unwrap_or_default().contains(personal)
            }),
            "{lines}"
        );
    }
}
