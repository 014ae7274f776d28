//! What a line may say, and what becomes of one that says something wrong.

use serde_json::json;

use super::{batch, of, results, scene};
use crate::support::fake::{CHAT_ID, Endpoint, Reply};

#[test]
fn each_line_is_an_alert_of_its_own() {
    let scene = scene();
    let lines = format!(
        "{}\n\n{}\n{}\n{}\n{}",
        json!({"id": "a", "text": "one"}),
        json!({"profile": "app", "to_user": ["zhangsan", "lisi"], "title": "disk full", "level": "critical",
            "field": {"host": "web-3", "free": 0}}),
        json!({"profile": "app", "route": "chat", "chat": CHAT_ID, "text": "three"}),
        json!({"profile": "app", "payload": {"touser": "zhangsan", "msgtype": "text", "text": {"content": "four"}}}),
        json!({"id": {"n": 5}, "profile": "bot", "route": "aibot", "to_user": "zhangsan", "text": "five"}),
    );
    let run = batch(&scene, &[], &lines).run().assert_code(0);
    let results = results(&run);
    assert_eq!(results.len(), 5);
    for id in [json!("a"), json!(3), json!(4), json!(5), json!({"n": 5})] {
        let result = of(&results, id);
        assert_eq!((&result["status"], &result["exit_code"], &result["ok"]), (&json!("sent"), &json!(0), &json!(true)));
        assert_eq!(result["attempts"], 1, "{result}");
    }
    assert!(of(&results, 3)["parts"][0]["msgid"].is_string());
    assert_eq!(of(&results, 3)["route"], "app");
    assert!(run.stderr.contains("batch: 5 lines: 5 sent"), "{}", run.stderr);
    let messages = scene.wecom.messages();
    assert_eq!(messages.len(), 5);
    let alert = messages.iter().find(|message| message.payload().to_string().contains("disk full")).unwrap();
    assert!(alert.payload().to_string().contains("web-3"), "{alert:?}");
    assert_eq!(scene.wecom.count(Endpoint::GetToken), 1, "the token is fetched once");
}

#[test]
fn a_wrong_line_fails_alone_with_its_number() {
    let scene = scene();
    let cases = [
        ("{\"text\": ", "not JSON"),
        ("[1]", "not a JSON object"),
        ("\"text\"", "not a JSON object"),
        (r#"{"text": ["a"]}"#, "text is not a string"),
        (r#"{"text": "x", "outbox": "yes"}"#, "outbox is neither true nor false"),
        (r#"{"text": "x", "route": "mail"}"#, "no route"),
        (r#"{"text": "x", "profile": "nobody"}"#, "nobody"),
        (r#"{"text": "x", "on_long": "never"}"#, "on_long"),
        (r#"{"title": "x", "level": "awful"}"#, ""),
        ("{}", "there is nothing to send"),
    ];
    let lines: Vec<&str> = cases.iter().map(|(line, _)| *line).chain([r#"{"text": "good"}"#]).collect();
    let run = batch(&scene, &[], &lines.join("\n")).run().assert_code(6);
    let results = results(&run);
    assert_eq!(results.len(), lines.len());
    for (index, (line, told)) in cases.iter().enumerate().filter(|(_, (_, told))| !told.is_empty()) {
        let result = of(&results, index + 1);
        let message = result["message"].as_str().unwrap_or_default();
        assert!(message.contains(told), "{line}: {result}");
        assert!(result["ok"] == false && result["hint"].is_string(), "{result}");
        assert_eq!(result["attempts"], 0);
    }
    assert_eq!(scene.texts().last().unwrap(), "good");
    assert!(run.stderr.contains("error[partial]: batch"), "{}", run.stderr);
    assert!(run.stderr.contains("the first is line 1"), "{}", run.stderr);
}

#[test]
fn a_line_decides_nothing_about_credentials_and_connections() {
    let scene = scene();
    let keys = [
        "webhook",
        "webhook_file",
        "secret",
        "secret_file",
        "secret_command",
        "corp_id",
        "agent_id",
        "base_url",
        "proxy",
        "ca_file",
        "aibot_secret",
        "callback_token",
        "config",
        "state_dir",
        "log_file",
        "dry_run",
        "output",
        "escalate",
    ];
    let line = |key: &&str| json!({"text": "never", *key: "x"}).to_string();
    let lines: Vec<String> = keys.iter().map(line).collect();
    let run = batch(&scene, &[], &lines.join("\n")).run().assert_code(2);
    for (result, key) in results(&run).iter().zip(keys) {
        assert_eq!(result["status"], "usage", "{result}");
        assert!(result["message"].as_str().unwrap().starts_with(key), "{result}");
    }
    assert_eq!(scene.sends(), 0);
}

#[test]
fn an_unknown_key_is_a_warning() {
    let scene = scene();
    let line = r#"{"text": "x", "titel": "y", "host": "web-3"}"#;
    let run = batch(&scene, &[], line).run().assert_code(0);
    let warnings = results(&run)[0]["warnings"].to_string();
    assert!(warnings.contains("did you mean title?") && warnings.contains("host"), "{warnings}");
    assert_eq!(scene.texts(), ["x"]);
}

#[test]
fn files_need_leave() {
    let scene = scene();
    let file = scene.env.file("note.txt", "from a file");
    let template = scene.env.file("text.j2", "host {{ host }}");
    let lines = [
        json!({"text_file": file}),
        json!({"text": "with", "attach": [file]}),
        json!({"template": template, "data": {"host": "web-3"}}),
    ]
    .map(|line| line.to_string())
    .join("\n");
    let run = batch(&scene, &[], &lines).run().assert_code(2);
    for result in results(&run) {
        assert!(result["hint"].as_str().unwrap().contains("--allow-files"), "{result}");
    }
    assert_eq!(scene.sends(), 0);
    batch(&scene, &["--allow-files"], &lines).run().assert_code(0);
    let mut texts = scene.texts();
    texts.sort();
    assert_eq!(texts, ["(file)", "from a file", "host web-3", "with"]);
    let stdin = json!({"text_file": "-"}).to_string();
    batch(&scene, &["--allow-files"], &stdin).run().assert_code(2);
}

#[test]
fn notifications_are_read_too() {
    let scene = scene();
    let alert = json!({"status": "firing", "labels": {"alertname": "DiskFull"}, "annotations": {}});
    let data =
        json!({"version": "4", "status": "firing", "alerts": [alert], "commonLabels": {"alertname": "DiskFull"}});
    let line = json!({"from": "alertmanager", "data": data}).to_string();
    batch(&scene, &[], &line).run().assert_code(0);
    assert!(scene.texts()[0].contains("DiskFull") || scene.sends() == 1);
}

#[test]
fn options_of_the_command_are_defaults_of_its_lines() {
    let scene = scene();
    let lines = [
        json!({"text": "to lisi"}),
        json!({"text": "to zhangsan", "to_user": "zhangsan"}),
        json!({"text": "to 2", "to_party": 2}),
    ]
    .map(|line| line.to_string())
    .join("\n");
    batch(&scene, &["-P", "app", "--to-user", "lisi"], &lines).run().assert_code(0);
    let mut reached: Vec<(String, String)> = scene
        .wecom
        .messages()
        .iter()
        .map(|message| {
            let field = |name: &str| message.body[name].as_str().unwrap_or_default().to_owned();
            (
                message.payload()["content"].as_str().unwrap().to_owned(),
                format!("{}|{}", field("touser"), field("toparty")),
            )
        })
        .collect();
    reached.sort();
    let expected = [("to 2", "|2"), ("to lisi", "lisi|"), ("to zhangsan", "zhangsan|")];
    assert_eq!(reached, expected.map(|(text, who)| (text.to_owned(), who.to_owned())));
}

#[test]
fn an_empty_input_is_nothing_to_do() {
    let scene = scene();
    for input in ["", "\n \r\n"] {
        let run = batch(&scene, &[], input).run().assert_code(0);
        assert_eq!(run.stdout, "");
        assert!(run.stderr.contains("batch: no lines"), "{}", run.stderr);
    }
    let run = scene.bare(&["batch", "/nonexistent"]).run().assert_code(3);
    assert!(run.stderr.contains("/nonexistent"), "{}", run.stderr);
}

#[test]
fn a_dry_run_shows_each_request() {
    let scene = scene();
    let lines = "{\"text\": \"one\"}\n{\"text\": \"two\"}\n{\"txt\": 1}";
    let run = batch(&scene, &["--dry-run", "--keep-order"], lines).run().assert_code(6);
    let results = results(&run);
    assert_eq!(results[0]["status"], "dry_run");
    assert_eq!(results[1]["requests"][0]["body"]["text"]["content"], "two");
    assert_eq!(results[2]["status"], "usage");
    assert_eq!(scene.sends(), 0);
}

#[test]
fn the_exit_code_is_that_of_all_lines() {
    let scene = scene();
    scene.wecom.always(Endpoint::WebhookSend, Reply::errcode(93000, "invalid webhook url"));
    let two = "{\"text\": \"one\"}\n{\"text\": \"two\"}";
    batch(&scene, &[], two).run().assert_code(4);
    let run = batch(&scene, &["--keep-order"], &format!("{{\"bad\n{two}")).run().assert_code(2);
    assert_eq!(results(&run)[2]["status"], "auth");
    let app = "{\"text\": \"x\", \"profile\": \"app\", \"to_user\": \"zhangsan\"}";
    batch(&scene, &[], &format!("{two}\n{app}")).run().assert_code(6);
    batch(&scene, &[], app).run().assert_code(0);
}

#[test]
fn further_targets_fallback_cooldown_and_outbox_are_those_of_a_single_send() {
    let scene = scene();
    let lines = [
        json!({"id": "also", "text": "both", "also": ["other"]}),
        json!({"id": "cold", "text": "again", "cooldown": "10m", "cooldown_key": "k"}),
        json!({"id": "held", "text": "again", "cooldown": "10m", "cooldown_key": "k"}),
    ]
    .map(|line| line.to_string())
    .join("\n");
    let run = batch(&scene, &["--keep-order"], &lines).run().assert_code(0);
    let told = results(&run);
    assert_eq!(of(&told, "also")["targets"].as_array().unwrap().len(), 2);
    assert_eq!((&of(&told, "held")["status"], &of(&told, "held")["held_back"]), (&json!("skipped"), &json!(1)));
    let mut texts = scene.texts();
    texts.sort();
    assert_eq!(texts, ["again", "both", "both"]);
    scene.wecom.always(Endpoint::WebhookSend, Reply::status(502));
    let lines = [
        json!({"id": "stored", "text": "waits", "outbox": true, "retries": 0}),
        json!({"id": "fallen", "text": "falls", "retries": 0, "fallback": "app", "to_user": "zhangsan", "route": "webhook"}),
    ]
    .map(|line| line.to_string())
    .join("\n");
    let run = batch(&scene, &[], &lines).run();
    let told = results(&run);
    assert_eq!(of(&told, "stored")["status"], "queued", "{told:?}");
    assert!(of(&told, "stored")["outbox_id"].is_string());
    scene.wecom.normal(Endpoint::WebhookSend);
    scene.bare(&["outbox", "flush"]).run().assert_code(0);
    assert!(scene.texts().iter().any(|text| text.contains("waits")));
}

#[test]
fn each_line_is_a_line_of_the_log() {
    let scene = scene();
    let log = scene.env.home().join("log");
    let lines = "{\"text\": \"one\"}\n{\"text\": \"two\"}\nnothing";
    batch(&scene, &["--log-file", log.to_str().unwrap()], lines).run().assert_code(6);
    let logged = std::fs::read_to_string(log).unwrap();
    let statuses: Vec<_> = logged
        .lines()
        .map(|line| {
            let line: serde_json::Value = serde_json::from_str(line).unwrap();
            assert_eq!(line["command"], "batch");
            line["status"].as_str().unwrap().to_owned()
        })
        .collect();
    assert_eq!(statuses.iter().filter(|status| *status == "sent").count(), 2);
    assert_eq!(statuses.len(), 3);
    assert!(!logged.contains("two"));
}

#[test]
fn a_reader_that_leaves_is_no_failure() {
    let scene = scene();
    let lines = "{\"text\": \"x\"}\n".repeat(10);
    batch(&scene, &["--rate", "off"], &lines).stdout_broken().run().assert_code(0);
    assert_eq!(scene.sends(), 10);
}

#[test]
fn a_line_has_a_limit() {
    let scene = scene();
    let lines = format!("{{\"text\": \"{}\"}}\n{{\"text\": \"short\"}}", "x".repeat(20 << 20));
    let run = batch(&scene, &[], &lines).run().assert_code(6);
    let told = results(&run);
    assert!(of(&told, 1)["message"].as_str().unwrap().contains("20 MiB"), "{told:?}");
    assert_eq!(of(&told, 2)["status"], "sent");
}
