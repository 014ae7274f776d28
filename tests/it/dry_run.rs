//! `--dry-run`: everything is checked and shown, nothing is asked of anybody.

use serde_json::{Value, json};

use crate::results::{Way, document};
use crate::support::fake::{CORP_ID, FakeWecom};
use crate::support::{Cmd, TestEnv};

/// The calls, without credentials and with a server that must see nothing.
fn dry(env: &TestEnv, args: &[&str]) -> Cmd {
    env.cmd(args.iter().copied()).args(["--dry-run", "--output", "json"])
}

fn planned(env: &TestEnv, args: &[&str]) -> Value {
    let told = document(&dry(env, args).run().assert_code(0));
    assert_eq!((&told["ok"], &told["status"]), (&json!(true), &json!("dry_run")), "{args:?}");
    assert_eq!((&told["attempts"], &told["parts"], &told["errcode"]), (&json!(0), &json!([]), &Value::Null));
    told["requests"].clone()
}

#[test]
fn shows_the_requests_of_each_command_without_credentials() {
    let env = TestEnv::new();
    env.file("report.txt", "a report of more than five bytes");
    let message = |path: &str, body: Value| json!([{"method": "POST", "path": path, "body": body}]);
    let text = json!({"msgtype": "text", "text": {"content": "hello"}});
    assert_eq!(planned(&env, &["webhook-send", "hello"]), message("/cgi-bin/webhook/send", text));
    let app = planned(&env, &["app-send", "-u", "zhangsan", "--agent-id", "1000002", "hello"]);
    assert_eq!((&app[0]["method"], &app[0]["path"]), (&json!("POST"), &json!("/cgi-bin/message/send")));
    let body = &app[0]["body"];
    assert_eq!(
        (&body["touser"], &body["agentid"], &body["msgtype"]),
        (&json!("zhangsan"), &json!(1000002), &json!("text"))
    );
    assert_eq!(body["text"]["content"], "hello");
    let bare = planned(&env, &["app-send", "-u", "zhangsan", "hello"]);
    assert_eq!(bare[0]["body"]["touser"], "zhangsan");

    let token = planned(&env, &["get-token"]);
    assert_eq!(token, json!([{"method": "GET", "path": "/cgi-bin/gettoken", "body": null}]));
    let upload = planned(&env, &["upload-media", "report.txt"]);
    assert_eq!(upload.as_array().unwrap().len(), 1);
    assert_eq!((&upload[0]["method"], &upload[0]["path"]), (&json!("POST"), &json!("/cgi-bin/media/upload?type=file")));
    let upload = planned(&env, &["upload-media", "--route", "webhook", "report.txt"]);
    assert_eq!(upload[0]["path"], "/cgi-bin/webhook/upload_media?type=file");
    let both = planned(&env, &["webhook-send", "--file", "report.txt"]);
    let paths: Vec<_> = both.as_array().unwrap().iter().map(|request| request["path"].as_str().unwrap()).collect();
    assert_eq!(paths, ["/cgi-bin/webhook/upload_media?type=file", "/cgi-bin/webhook/send"]);
    assert_eq!(both[1]["body"]["msgtype"], "file");
}

#[test]
fn makes_no_connection_and_needs_none() {
    let env = TestEnv::new();
    let wecom = FakeWecom::start();
    for way in Way::ALL {
        way.json(&env, &wecom).arg("--dry-run").run().assert_code(0);
        for base_url in ["https://no-such.invalid", "https://192.0.2.1:1/relay/", "http://127.0.0.1:1"] {
            let run =
                way.cmd(&env).args(["--dry-run", "--output", "json", "--base-url", base_url]).run().assert_code(0);
            let path = document(&run)["requests"][0]["path"].as_str().unwrap().to_owned();
            let prefix = if base_url.contains("relay") { "/relay/cgi-bin/" } else { "/cgi-bin/" };
            assert!(path.starts_with(prefix), "{way:?} {base_url}: {path}");
        }
    }
    assert_eq!(wecom.connections(), 0);
    let leftovers: Vec<_> = [env.cache(), env.state()].into_iter().filter(|folder| folder.exists()).collect();
    assert!(leftovers.is_empty(), "{leftovers:?}");
}

#[test]
fn text_mode_prints_them_readably() {
    let env = TestEnv::new();
    let run = env.cmd(["webhook-send", "hello", "--dry-run"]).run().assert_code(0);
    let (first, body) = run.stdout.split_once('\n').unwrap();
    assert_eq!(first, "POST /cgi-bin/webhook/send");
    let body: Value = serde_json::from_str(body).unwrap();
    assert_eq!(body, json!({"msgtype": "text", "text": {"content": "hello"}}));
    assert_eq!(run.stderr, "");
    let run = env.cmd(["get-token", "--dry-run"]).run().assert_code(0);
    assert_eq!(run.stdout, "GET /cgi-bin/gettoken\n");
}

#[test]
fn runs_no_command_and_reads_no_credential() {
    let env = TestEnv::new();
    env.file("report.txt", "a report of more than five bytes");
    let marker = env.home().join("was-run");
    let command = |key: &str| format!("{key} = ['sh', '-c', 'touch {}; echo x']\n", marker.display());
    let config = format!(
        "[profiles.ops]\ncorp_id = \"{CORP_ID}\"\nagent_id = 1000002\n{}[profiles.room]\n{}\
         [profiles.files]\ncorp_id = \"{CORP_ID}\"\nagent_id = 1000002\nsecret_file = \"no-such-file\"\n",
        command("secret_command"),
        command("webhook_command"),
    );
    let cases: [&[&str]; 7] = [
        &["app-send", "-P", "ops", "-u", "zhangsan", "hello"],
        &["get-token", "-P", "ops"],
        &["get-token", "-P", "ops", "--refresh"],
        &["upload-media", "-P", "ops", "report.txt"],
        &["webhook-send", "-P", "room", "hello"],
        &["upload-media", "-P", "room", "report.txt"],
        &["app-send", "-P", "files", "-u", "zhangsan", "hello"],
    ];
    for args in cases {
        let run = dry(&env, args).config(&config).run();
        assert_eq!(run.code, Some(0), "{args:?}\n{}", run.all());
        assert_eq!(document(&run)["profile"], args[2], "{args:?}");
        assert!(!marker.exists(), "{args:?} ran a command");
    }
}

#[test]
fn checks_what_can_be_checked() {
    let env = TestEnv::new();
    env.file("tiny", "x");
    env.file("card.json", r#"{"msgtype":"template_card","template_card":{"card_type":"text_notice","keyname":"x"}}"#);
    let long = "x".repeat(2049);
    let cases: [(&[&str], i32); 9] = [
        (&["webhook-send", ""], 2),
        (&["webhook-send", "--on-long", "fail", &long], 2),
        (&["app-send", "hello"], 2),
        (&["app-send", "-u", "zhangsan", "--to-tag", "x", "hello"], 2),
        (&["webhook-send", "--payload", "card.json"], 2),
        (&["upload-media", "tiny"], 2),
        (&["upload-media", "missing"], 3),
        (&["webhook-send", "hello", "--ca-file", "missing.pem"], 3),
        (&["webhook-send", "hello", "--config", "missing.toml"], 3),
    ];
    for (args, code) in cases {
        let run = dry(&env, args).run();
        assert_eq!(run.code, Some(code), "{args:?}\n{}", run.all());
        assert_eq!(document(&run).get("requests"), None, "{args:?}");
    }
}

#[test]
fn the_base_url_of_a_webhook_url_is_shown_too() {
    let (env, wecom) = (TestEnv::new(), FakeWecom::builder().prefix("/relay").start());
    let cmd = dry(&env, &["webhook-send", "hello"]).keeps_secret(&wecom);
    let told = document(&cmd.env("WECOM_ALERT_WEBHOOK", wecom.webhook_url()).run().assert_code(0));
    assert_eq!(told["requests"][0]["path"], "/relay/cgi-bin/webhook/send");
    assert_eq!(wecom.connections(), 0);
}
