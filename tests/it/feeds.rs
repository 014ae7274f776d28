//! What machines send: notifications of Alertmanager and Grafana, and templates filled from JSON.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::fake::Endpoint;
use crate::support::{Cmd, Run, Scene};

fn cmd(scene: &Scene, args: &[&str]) -> Cmd {
    scene.cmd(args).env("WECOM_ALERT_TO_USER", "zhangsan")
}

/// The only message that came of it.
fn one(scene: &Scene, case: &str, cmd: Cmd) -> Value {
    let before = scene.wecom.messages().len();
    let told = cmd.run().assert_code(0).json();
    assert_eq!((&told["status"], &told["warnings"]), (&json!("sent"), &json!([])), "{case}");
    let messages = scene.wecom.messages().split_off(before);
    assert_eq!(messages.len(), 1, "{case}");
    messages[0].body.clone()
}

/// Refused before anything is sent.
fn refused(scene: &Scene, case: &str, cmd: Cmd, message: &str, hint: &str) {
    let before = scene.wecom.requests().len();
    let run: Run = cmd.run().assert_code(2);
    let told = run.json();
    let is_told = |field: &str, text: &str| told[field].as_str().is_some_and(|told| told.contains(text));
    assert!(is_told("message", message) && is_told("hint", hint), "{case}: {told}");
    assert_eq!(scene.wecom.requests().len(), before, "{case}");
}

fn sample(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/feeds").join(name)
}

fn bytes(name: &str) -> Vec<u8> {
    std::fs::read(sample(name)).unwrap()
}

fn content(body: &Value) -> &str {
    body[body["msgtype"].as_str().unwrap()]["content"].as_str().unwrap()
}

#[test]
fn a_group_of_alerts_is_one_message() {
    let scene = Scene::new();
    let group = || bytes("alertmanager-group.json");
    let body = one(&scene, "stdin", cmd(&scene, &["webhook-send", "--from", "alertmanager"]).stdin(group()));
    let text = content(&body);
    assert_eq!(body["msgtype"], "markdown");
    for number in 1..=12 {
        assert!(text.contains(&format!("db-{number}:9100")), "{text}");
    }
    assert!(text.contains("[CRITICAL] [FIRING:10, RESOLVED:2] HighDiskUsage"), "{text}");
    assert!(text.ends_with("[详情](https://alertmanager.example.com)"), "{text}");
    // The same from a file, with words of the caller's own.
    let more = ["--title", "Disks", "--level", "warning", "--field", "dc=bj-1"];
    let cmd = cmd(&scene, &["webhook-send", "--from", "alertmanager", "--data"]).arg(sample("alertmanager-group.json"));
    let own = one(&scene, "file", cmd.args(more).stdin_open());
    assert!(content(&own).starts_with("<font color=\"warning\">**[WARNING] Disks**</font>\n"), "{own}");
    assert!(content(&own).contains("\n> dc: bj-1\n") && content(&own).contains("db-12:9100"), "{own}");
}

#[test]
fn a_resolved_group_is_calm_and_a_picture_stays() {
    let scene = Scene::new();
    let resolved = cmd(&scene, &["webhook-send", "--from", "alertmanager"]).stdin(bytes("alertmanager-resolved.json"));
    assert!(content(&one(&scene, "resolved", resolved)).starts_with("<font color=\"info\">**[OK] [RESOLVED"));
    let image = || bytes("grafana-image.json");
    let body = one(&scene, "grafana", cmd(&scene, &["webhook-send", "--from", "grafana"]).stdin(image()));
    assert_eq!(body["msgtype"], "markdown_v2");
    assert!(content(&body).contains("![](https://images.example.com/graph-1.png)"), "{body}");
    let card = ["app-send", "--from", "grafana", "--card", "news_notice"];
    let told = cmd(&scene, &card).stdin(image()).run().assert_code(0).json();
    let card = scene.wecom.messages()[2].body.clone();
    assert_eq!(card["template_card"]["card_image"]["url"], "https://images.example.com/graph-1.png");
    // What has no room on the card follows as text.
    assert!(told["parts"].as_array().unwrap().len() > 1, "{told}");
}

/// Nobody can leave out of a notification what a card has no place for, and none may be lost for that.
#[test]
fn a_notification_goes_on_any_card() {
    const IMAGE: &str = "https://images.example.com/graph-1.png";
    let vote: &[&str] = &["--card", "vote_interaction", "--option", "a=A"];
    let buttons: &[&str] = &["--card", "button_interaction", "--button", "a=A"];
    let multiple: &[&str] = &["--card", "multiple_interaction", "--option", "a=A"];
    let picture = ("grafana", "grafana-image.json", IMAGE);
    let group = ("alertmanager", "alertmanager-group.json", "https://alertmanager.example.com");
    for (command, args, (format, file, told)) in [
        ("app-send", &["--card", "text_notice"][..], picture),
        ("webhook-send", &["--card", "text_notice"], picture),
        ("app-send", buttons, picture),
        ("app-send", vote, picture),
        ("app-send", vote, group),
        ("app-send", multiple, group),
        ("app-send", &["--card", "news_notice"], group),
        ("webhook-send", &["--card", "news_notice"], group),
    ] {
        let scene = Scene::new();
        let case = format!("{command} {args:?} {file}");
        let run = cmd(&scene, &[command, "--from", format]).args(args.iter().copied()).stdin(bytes(file)).run();
        let warnings = run.assert_code(0).json()["warnings"].clone();
        let messages: Vec<_> = scene.wecom.messages().iter().map(|message| message.body.clone()).collect();
        assert!(Value::from(messages.clone()).to_string().contains(told), "{case}: {messages:#?}");
        let is_without = args[1] == "news_notice";
        assert_eq!(
            messages[0]["template_card"]["card_type"],
            if is_without { "text_notice" } else { args[1] },
            "{case}"
        );
        assert_eq!(warnings.to_string().contains("no picture in the notification"), is_without, "{case}: {warnings}");
    }
    // What an option asks for is refused as ever.
    let scene = Scene::new();
    let cmd = cmd(&scene, &["app-send", "--from", "grafana", "--card", "text_notice", "--picurl", IMAGE]);
    refused(&scene, "picurl", cmd.stdin(bytes("grafana-image.json")), "no place for --picurl", "--card news_notice");
}

#[test]
fn what_is_no_notification_is_told_and_not_sent() {
    let scene = Scene::new();
    let cases: [(&str, &str, &str, &str); 7] = [
        ("alertmanager", "", "not JSON", "as it came"),
        ("alertmanager", "disk full", "not JSON", "as it came"),
        ("alertmanager", "[]", "not an object", "as it came"),
        ("alertmanager", "{}", "alerts", "as it came"),
        ("alertmanager", r#"{"version": "1", "alerts": []}"#, "version is \"1\"", "--from grafana"),
        ("grafana", r#"{"alerts": [{"labels": 7}]}"#, "alerts[0].labels", "as it came"),
        ("prometheus", "{}", "--from \"prometheus\" is no format", "--from alertmanager or --from grafana"),
    ];
    for (format, input, message, hint) in cases {
        let case = format!("{format} {input}");
        refused(&scene, &case, cmd(&scene, &["webhook-send", "--from", format]).stdin(input), message, hint);
    }
    let beside: [&[&str]; 4] = [&["text"], &["--text-file", "a"], &["--payload", "a"], &["--file", "a"]];
    for args in beside {
        let cmd = cmd(&scene, &["webhook-send", "--from", "grafana"]).args(args.iter().copied());
        refused(&scene, &format!("{args:?}"), cmd, "does not go with --from", "leave one of the two out");
    }
    assert_eq!(scene.wecom.count(Endpoint::WebhookSend), 0);
}

#[test]
fn a_template_makes_a_text() {
    let scene = Scene::new();
    let template = scene.env.file("t.j2", "**{{ host }}**: {{ log }}\n{% for d in disks %}- {{ d }}\n{% endfor %}");
    let data = scene.env.file("d.json", r#"{"host": "web-1", "log": "a *b* <c>", "disks": ["sda", "sdb"]}"#);
    let (template, data) = (template.to_str().unwrap(), data.to_str().unwrap());
    let fill = |args: &[&str]| {
        cmd(&scene, &["webhook-send", "--template", template]).args(args.iter().copied()).args(["--data", data])
    };
    let list = "\n- sda\n- sdb";
    // Values are escaped for the format that the text is in.
    for (args, expected) in [
        (&[][..], format!("**web-1**: a *b* <c>{list}")),
        (&["-t", "markdown"], format!("**web-1**: `a *b* <c>`{list}")),
        (&["-t", "markdown_v2"], format!("**web-1**: a \\*b\\* \\<c>{list}")),
    ] {
        let body = one(&scene, &format!("{args:?}"), fill(args).stdin_open());
        assert_eq!(content(&body), expected, "{args:?}");
    }
    // With more to say it is the text of an alert, and shows as it is.
    let body = one(&scene, "alert", fill(&["--level", "critical", "-t", "text"]));
    assert_eq!(content(&body), format!("[CRITICAL] **web-1**: a *b* <c>{list}"));
    let piped = cmd(&scene, &["webhook-send", "--template", template, "--data", "-"]);
    let body = one(&scene, "stdin", piped.stdin(r#"{"host": "h", "log": "l", "disks": []}"#));
    assert_eq!(content(&body), "**h**: l");
}

/// A list that holds another one twice, 40 times over, is small until the engine walks it, which it does not count as work.
#[test]
fn a_template_ends_with_the_deadline() {
    let scene = Scene::new();
    let grown = "{% set s = [s, s] %}{% set t = [t, t] %}".repeat(40);
    let ends = ["{{ s|string|length }}", "{{ s == t }}", "{{ (s ~ 1)|length }}", "{{ s }}", "{{ [s, t]|sort|length }}"];
    for end in ends {
        let template = scene.env.file("t.j2", format!("{{% set s = ['x'] %}}{{% set t = ['x'] %}}{grown}{end}"));
        let args = ["webhook-send", "--deadline", "300ms", "--data", "-", "--template", template.to_str().unwrap()];
        let begun = Instant::now();
        refused(&scene, end, cmd(&scene, &args).stdin("{}"), "it takes too much work", "list that grows");
        assert!(begun.elapsed() < Duration::from_secs(5), "{end}: {:?}", begun.elapsed());
    }
}

#[test]
fn a_template_of_json_makes_a_payload() {
    let scene = Scene::new();
    let card = r#"{"card_type": "text_notice", "main_title": {"title": "{{ groupLabels.alertname }}", "desc": "{{ status }}"},
        "card_action": {"type": 1, "url": {{ externalURL|tojson }}}}"#;
    let template = scene.env.file("card.json.j2", card);
    let args =
        ["webhook-send", "-t", "template_card", "--from", "alertmanager", "--template", template.to_str().unwrap()];
    let body = one(&scene, "card", cmd(&scene, &args).stdin(bytes("alertmanager-group.json")));
    let expected = json!({"card_type": "text_notice", "main_title": {"title": "HighDiskUsage", "desc": "firing"},
        "card_action": {"type": 1, "url": "https://alertmanager.example.com"}});
    assert_eq!(body["template_card"], expected);
    // It is held against the rules like any payload, and options have no place in it.
    let broken = scene.env.file("broken.json.j2", r#"{"content": "{{ status }}", "contents": 1}"#);
    let args = ["webhook-send", "-t", "text", "--from", "alertmanager", "--template", broken.to_str().unwrap()];
    refused(&scene, "rules", cmd(&scene, &args).stdin(bytes("alertmanager-group.json")), "text.contents", "");
    let cmd = cmd(&scene, &args).args(["--title", "T"]).stdin(bytes("alertmanager-group.json"));
    refused(&scene, "title", cmd, "--title has no place beside a payload", "into the payload");
}

#[test]
fn a_template_that_cannot_be_filled_is_told_and_not_sent() {
    let scene = Scene::new();
    let fill = |name: &str, template: &str, data: &str| {
        let path = scene.env.file(name, template);
        cmd(&scene, &["webhook-send", "--data", "-", "--template"]).arg(path).stdin(data)
    };
    let cases: [(&str, &str, &str, &str, &str); 6] = [
        ("a.j2", "x\n{{ hots }}", r#"{"host": 1}"#, "hots", "host"),
        ("a.j2", "{% for a in b %}", "{}", "line 1", ""),
        ("a.j2", "{{ a }}", "not JSON", "the data from stdin is not JSON", "jq"),
        ("a.j2", "  {# nothing #} ", "{}", "the text is empty", "--skip-empty"),
        ("a.json", "{{ a }}", r#"{"a": 1}"#, "no object", "{"),
        ("a.json.j2", "{\"a\": {{ a }}}", r#"{"a": "x"}"#, "does not give JSON", "tojson"),
    ];
    for (name, template, data, message, hint) in cases {
        refused(&scene, &format!("{name} {template}"), fill(name, template, data), message, hint);
    }
    for more in [&[][..], &["--title", "Disk"]] {
        let skipped =
            fill("a.j2", "  ", "{}").arg("--skip-empty").args(more.iter().copied()).run().assert_code(0).json();
        assert_eq!(skipped["status"], "skipped", "{more:?}");
    }
    refused(
        &scene,
        "data",
        cmd(&scene, &["webhook-send", "--data", "x", "hi"]),
        "--data alone says nothing",
        "--template",
    );
    refused(&scene, "none", cmd(&scene, &["webhook-send", "--template", "x"]), "--template has no data", "--data");
    let run = cmd(&scene, &["webhook-send", "--template", "nowhere.j2", "--data", "-"]).stdin("{}").run();
    run.assert_code(3);
    assert_eq!(scene.wecom.count(Endpoint::WebhookSend), 0);
    let instead = one(&scene, "instead", fill("a.j2", "  ", "{}").args(["--if-empty", "nothing to tell"]));
    assert_eq!(content(&instead), "nothing to tell");
}
