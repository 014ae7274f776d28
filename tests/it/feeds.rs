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
    assert!(text.ends_with("[Details](https://alertmanager.example.com)"), "{text}");
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
    let cases: [(&str, &str, &str, &str); 6] = [
        ("alertmanager", "", "the input is empty: stdin has only white space in it", "--skip-empty"),
        ("alertmanager", "disk full", "not JSON", "as it came"),
        ("alertmanager", "[]", "a list without an alert", "as it came"),
        ("alertmanager", "{}", "alerts", "as it came"),
        ("grafana", r#"{"alerts": [7]}"#, "alerts[0] is a number", "as it came"),
        ("prometheus", "{}", "--from \"prometheus\" is not a known format", "--from alertmanager or --from grafana"),
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

/// What the field's bug reports sent. All of it is shown, and nothing of it is an error.
#[test]
fn a_notification_that_is_not_as_it_should_be_is_shown() {
    let scene = Scene::new();
    let alert = |more: &str| {
        format!(r#"{{"version":"4","alerts":[{{"status":"firing","labels":{{"alertname":"DiskFull"{more}}}}}]}}"#)
    };
    let bare =
        r#"[{"labels":{"alertname":"DiskFull"},"annotations":{"summary":"98 %"},"endsAt":"2020-01-01T00:00:00Z"}]"#;
    let old =
        r#"{"state":"alerting","ruleName":"DiskFull","evalMatches":[{"metric":"used","value":93.33333333333333}]}"#;
    for (format, input, shown, warning) in [
        ("alertmanager", alert(r#","port":9100"#), "> port: 9100", ""),
        ("alertmanager", alert(r#","on":true"#).replace(r#""4""#, "4"), "> on: true", ""),
        (
            "alertmanager",
            alert("").replace(r#""alerts""#, r#""groupLabels":"","commonLabels":[],"alerts""#),
            "DiskFull",
            "",
        ),
        ("alertmanager", alert(r#","emoji":"a\ud83d""#), "> emoji: a\u{fffd}", "became U+FFFD"),
        ("alertmanager", bare.to_owned(), "[OK] [RESOLVED] DiskFull", ""),
        ("grafana", old.to_owned(), "values: used=93.33333333333333", ""),
        ("grafana", alert(""), "DiskFull", "--from alertmanager reads it"),
    ] {
        let told = cmd(&scene, &["webhook-send", "--from", format]).stdin(&*input).run().assert_code(0).json();
        let text = scene.wecom.messages().last().map(|message| content(&message.body).to_owned()).unwrap();
        assert!(text.contains(shown), "{input}: {text}");
        let warnings = told["warnings"].as_array().unwrap();
        assert_eq!(warnings.len(), usize::from(!warning.is_empty()), "{input}: {warnings:?}");
        assert!(told["warnings"].to_string().contains(warning), "{input}: {warnings:?}");
    }
}

#[test]
fn empty_data_may_be_passed_over_or_replaced() {
    let scene = Scene::new();
    let template = scene.env.file("t.j2", "{{ a }}");
    let sources: [&[&str]; 2] =
        [&["--from", "alertmanager"], &["--data", "-", "--template", template.to_str().unwrap()]];
    for source in sources {
        let fed = |more: &[&str]| {
            cmd(&scene, &["webhook-send"]).args(source.iter().copied()).args(more.iter().copied()).stdin(" \n")
        };
        refused(&scene, &format!("{source:?}"), fed(&[]), "the input is empty: stdin", "--if-empty TEXT");
        assert_eq!(fed(&["--skip-empty"]).run().assert_code(0).json()["status"], "skipped", "{source:?}");
        let instead = one(&scene, &format!("{source:?}"), fed(&["--if-empty", "no alerts today"]));
        assert_eq!(content(&instead), "no alerts today", "{source:?}");
    }
}

/// A script in GBK has all of it in GBK.
#[cfg(unix)]
#[test]
fn data_and_arguments_in_gbk_are_decoded() {
    use std::ffi::OsString;
    use std::os::unix::ffi::OsStringExt;
    let gbk = |text: &str| encoding_rs::GB18030.encode(text).0.into_owned();
    let scene = Scene::new();
    let json = r#"{"version":"4","alerts":[{"labels":{"alertname":"磁盘"},"annotations":{"summary":"磁盘已满"}}]}"#;
    for more in [&[][..], &["--encoding", "gb18030"]] {
        let cmd = cmd(&scene, &["webhook-send", "--from", "alertmanager"]).args(more.iter().copied()).stdin(gbk(json));
        let body = one(&scene, &format!("{more:?}"), cmd);
        assert!(content(&body).contains("磁盘已满"), "{body}");
    }
    let template = scene.env.file("t.j2", "告警：{{ v }}");
    let filled = cmd(&scene, &["webhook-send", "--encoding", "gb18030", "--data", "-", "--template"]).arg(template);
    assert_eq!(content(&one(&scene, "data", filled.stdin(gbk(r#"{"v": "磁盘"}"#)))), "告警：磁盘");
    let payload = cmd(&scene, &["webhook-send", "-t", "text", "--payload", "-"]).stdin(gbk(r#"{"content": "磁盘"}"#));
    assert_eq!(content(&one(&scene, "payload", payload)), "磁盘");
    let argument = |text: &str| OsString::from_vec(gbk(text));
    let cmd = cmd(&scene, &["webhook-send", "-t", "text", "--title"]).arg(argument("磁盘已满"));
    let body = one(&scene, "arguments", cmd.arg("--field").arg(argument("主机=数据库")).stdin_null());
    assert_eq!(content(&body), "磁盘已满\n主机: 数据库");
}

/// Half of a surrogate pair has no form that WeCom takes; whole pairs stay.
#[test]
fn a_cut_emoji_loses_no_message() {
    let scene = Scene::new();
    let template = scene.env.file("t.j2", "{{ content }}");
    let payload: &[&str] = &["-t", "text", "--payload", "-"];
    let data: &[&str] = &["--data", "-", "--template", template.to_str().unwrap()];
    for args in [payload, data] {
        let cmd = cmd(&scene, &["webhook-send"]).args(args.iter().copied());
        let told = cmd.stdin(r#"{"content": "a\ud83d b\ud83d\ude00"}"#).run().assert_code(0).json();
        assert!(told["warnings"].to_string().contains("became U+FFFD"), "{told}");
        assert_eq!(content(&scene.wecom.messages().last().unwrap().body), "a\u{fffd} b😀", "{args:?}");
    }
}

/// Nobody is there to correct a template when a notification comes: it goes out as it does without one.
#[test]
fn a_template_that_fails_does_not_lose_the_notification() {
    let scene = Scene::new();
    for (name, template, why) in [
        (
            "a.j2",
            "{% for alert in alerts %}{{ alert.annotations.runbook }}{% endfor %}",
            "`alert.annotations.runbook` is undefined",
        ),
        ("a.j2", "{{ status", "unexpected end of input"),
        ("a.j2", "{{ range .Alerts }}x{{ end }}", "this is a Go template"),
        ("a.j2", "{{ 1 / 0 }}", "the template"),
        ("a.j2", " ", "the text is empty"),
        ("a.json", "{\"content\": {{ status }}}", "does not give JSON"),
        ("a.json", "[]", "not an object"),
    ] {
        let path = scene.env.file(name, template);
        for more in [&[][..], &["-t", "markdown"], &["--title", "Disks"]] {
            if name == "a.json" && !more.is_empty() {
                continue;
            }
            let fed = || {
                let cmd = cmd(&scene, &["webhook-send", "--from", "alertmanager", "--template"]).arg(&path);
                cmd.args(more.iter().copied()).stdin(bytes("alertmanager-group.json"))
            };
            let case = format!("{template} {more:?}");
            let before = scene.wecom.messages().len();
            let told = fed().run().assert_code(6).json();
            assert_eq!(told["status"], "partial", "{case}");
            let message = told["message"].as_str().unwrap();
            assert!(
                message.contains("the alert was sent in the built-in layout") && message.contains(why),
                "{case}: {message}"
            );
            let sent = scene.wecom.messages().split_off(before);
            assert!(content(&sent[0].body).contains("HighDiskUsage") || more.contains(&"--title"), "{case}: {sent:?}");
            assert!(content(&sent[0].body).contains("db-12:9100"), "{case}: {sent:?}");
            let note = "it could not be used; this is the built-in layout";
            assert!(sent.iter().any(|part| content(&part.body).contains(note)), "{case}: {sent:?}");
            // While it is being written, it is an error.
            let before = scene.wecom.requests().len();
            fed().arg("--dry-run").run().assert_code(2);
            assert_eq!(scene.wecom.requests().len(), before, "{case}");
        }
    }
    // A template that is not there, and a card of JSON, which the notification is not made for.
    for args in [&["--template", "nowhere.j2"][..], &["-t", "template_card", "--template", "a.json"]] {
        let cmd = cmd(&scene, &["webhook-send", "--from", "alertmanager"]).args(args.iter().copied());
        let told = cmd.stdin(bytes("alertmanager-group.json")).run().assert_code(6).json();
        assert_eq!(told["status"], "partial", "{args:?}");
    }
}

/// A template makes the text; how bad it is and, for a card, where to look stay those of the notification.
#[test]
fn around_the_text_of_a_template_level_and_link_stay() {
    let scene = Scene::new();
    let path = scene.env.file("a.j2", "{{ alerts|length }} alerts");
    let sent = |more: &[&str]| {
        let cmd = cmd(&scene, &["webhook-send", "--from", "alertmanager", "--template"]).arg(&path);
        one(&scene, &format!("{more:?}"), cmd.args(more.iter().copied()).stdin(bytes("alertmanager-group.json")))
    };
    let card = sent(&["--card", "text_notice"])["template_card"].clone();
    assert_eq!(card["card_action"]["url"], "https://alertmanager.example.com", "{card}");
    assert!(card.to_string().contains("12 alerts") && !card.to_string().contains("db-12:9100"), "{card}");
    let own = sent(&["--card", "text_notice", "--url", "https://x.test/1"])["template_card"].clone();
    assert_eq!(own["card_action"]["url"], "https://x.test/1", "{own}");
    let text = content(&sent(&["--title", "Disks"])).to_owned();
    assert!(text.contains("[CRITICAL] Disks") && text.contains("12 alerts"), "{text}");
    assert!(!text.contains("alertmanager.example.com") && !text.contains("HighDiskUsage"), "{text}");
    let text = content(&sent(&["--title", "Disks", "--level", "info"])).to_owned();
    assert!(!text.contains("CRITICAL"), "{text}");
    // Without such an option it is the template's text alone.
    assert_eq!(content(&sent(&[])), "12 alerts");
}

/// The worst alert comes first: what is left out is taken from the end.
#[test]
fn of_a_long_notification_the_head_is_kept() {
    let scene = Scene::new();
    let first_message = |more: &[&str]| {
        let before = scene.wecom.messages().len();
        let cmd = cmd(&scene, &["webhook-send", "-t", "text", "--from", "alertmanager"]).args(more.iter().copied());
        cmd.stdin(bytes("alertmanager-group.json")).run().assert_code(0);
        content(&scene.wecom.messages()[before].body).to_owned()
    };
    for more in [&["--on-long", "truncate"][..], &["--on-long", "file"]] {
        let text = first_message(more);
        let (_, behind) = text.split_once(" bytes left out …]").unwrap_or_else(|| panic!("{more:?}: {text}"));
        assert!(!behind.contains("9100") && !behind.contains("https://"), "{more:?}: {text}");
        let text = first_message(&[more, &["--keep", "both"]].concat());
        let (_, behind) = text.split_once(" bytes left out …]").unwrap_or_else(|| panic!("{more:?}: {text}"));
        assert!(behind.contains("https://"), "{more:?}: {text}");
    }
}

#[test]
fn links_can_be_tapped_and_a_card_names_the_alert() {
    let scene = Scene::new();
    let columns =
        String::from_utf8(bytes("alertmanager-group.json")).unwrap().replace("Disk almost full", "disk  98%\\n  data");
    let body = one(&scene, "v2", cmd(&scene, &["webhook-send", "--from", "alertmanager"]).stdin(&*columns));
    assert_eq!(body["msgtype"], "markdown_v2");
    let text = content(&body);
    assert!(text.contains("\n\n- [runbook_url](https://runbooks.example.com/disk)\n\n```\n"), "{text}");
    let fenced: String = text.split("```").skip(1).step_by(2).collect();
    assert!(!fenced.contains("https://") && fenced.contains("disk  98%"), "{fenced}");
    let card = cmd(&scene, &["webhook-send", "--from", "alertmanager", "--card", "text_notice"]);
    card.stdin(bytes("alertmanager-group.json")).run().assert_code(0);
    let card = scene.wecom.messages()[1].body["template_card"].clone();
    assert!(card["main_title"]["title"].as_str().unwrap().starts_with("HighDiskUsage"), "{card}");
    assert_eq!(card["jump_list"][0]["url"], "https://runbooks.example.com/disk", "{card}");
}

/// A part ends where an alert does, if it can.
#[test]
fn parts_are_cut_between_alerts() {
    let scene = Scene::new();
    let cmd =
        cmd(&scene, &["webhook-send", "-t", "text", "--from", "alertmanager"]).stdin(bytes("alertmanager-group.json"));
    cmd.run().assert_code(0);
    let messages = scene.wecom.messages();
    assert!(messages.len() > 1);
    for message in &messages[1..] {
        let text = content(&message.body).split_once(") ").unwrap().1;
        assert!(text.starts_with(|c: char| c.is_ascii_digit()) && text.contains(". "), "{text}");
    }
}

#[test]
fn a_template_makes_a_text() {
    let scene = Scene::new();
    let template = scene.env.file("t.j2", "> {{ host }}: {{ log }}\n{% for d in disks %}- {{ d }}\n{% endfor %}");
    let data = scene.env.file("d.json", r#"{"host": "web-1", "log": "a *b* <c>", "disks": ["sda", "sdb"]}"#);
    let (template, data) = (template.to_str().unwrap(), data.to_str().unwrap());
    let fill = |args: &[&str]| {
        cmd(&scene, &["webhook-send", "--template", template]).args(args.iter().copied()).args(["--data", data])
    };
    let list = "\n- sda\n- sdb";
    // Values are escaped for the format that the text is in.
    for (args, expected) in [
        (&[][..], format!("> web-1: a *b* <c>{list}")),
        (&["-t", "markdown"], format!("> web-1: `a *b* <c>`{list}")),
        (&["-t", "markdown_v2"], format!("> web-1: a \\*b\\* \\<c>{list}")),
    ] {
        let body = one(&scene, &format!("{args:?}"), fill(args).stdin_open());
        assert_eq!(content(&body), expected, "{args:?}");
    }
    // With more to say it is the text of an alert, and shows as it is.
    let body = one(&scene, "alert", fill(&["--level", "critical", "-t", "text"]));
    assert_eq!(content(&body), format!("[CRITICAL] > web-1: a *b* <c>{list}"));
    let piped = cmd(&scene, &["webhook-send", "--template", template, "--data", "-"]);
    let body = one(&scene, "stdin", piped.stdin(r#"{"host": "h", "log": "l", "disks": []}"#));
    assert_eq!(content(&body), "> h: l");
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
    for (more, why) in [(&[][..], "text.contents"), (&["--title", "T"], "--title cannot be used with a payload")] {
        let fed = || cmd(&scene, &args).args(more.iter().copied()).stdin(bytes("alertmanager-group.json"));
        refused(&scene, why, fed().arg("--dry-run"), why, "");
        let told = fed().run().assert_code(6).json();
        assert!(told["message"].as_str().unwrap().contains(why), "{told}");
        let args = ["webhook-send", "-t", "text", "--data", "-", "--template", broken.to_str().unwrap()];
        refused(&scene, why, cmd(&scene, &args).args(more.iter().copied()).stdin(r#"{"status": "x"}"#), why, "");
    }
}

#[test]
fn a_template_that_cannot_be_filled_is_told_and_not_sent() {
    let scene = Scene::new();
    let fill = |name: &str, template: &str, data: &str| {
        let path = scene.env.file(name, template);
        cmd(&scene, &["webhook-send", "--data", "-", "--template"]).arg(path).stdin(data)
    };
    let cases: [(&str, &str, &str, &str, &str); 12] = [
        ("a.j2", "x\n{{ hots }}", r#"{"host": 1}"#, "hots", "host"),
        ("a.j2", "{% for a in b %}", "{}", "line 1", "add {% endfor %} for the {% for %} of line 1"),
        (
            "a.j2",
            "{{ name }}",
            r#"{"g": {"name": 1}, "commonX": {"name": 1}}"#,
            "`name`",
            "the nearest is commonX.name; ",
        ),
        ("a.j2", "{{ status.upper() }}", r#"{"status": "x"}"#, "method", "write {{ status|upper }}"),
        ("a.j2", "{{ a.b.nonsense() }}", r#"{"a": {"b": "x"}}"#, "method", "values have no methods here"),
        ("a.j2", "{{ a|uppercase }}", r#"{"a": "x"}"#, "uppercase", "did you mean upper?"),
        ("a.j2", "{{ a|json }}", r#"{"a": "x"}"#, "json", "did you mean tojson?"),
        ("a.j2", "{{ a }}", "not JSON", "the data from stdin is not JSON", "jq"),
        ("a.j2", "{{ range .Alerts }}", "{}", "this is a Go template", "{% for alert in alerts %}"),
        ("a.j2", "  {# nothing #} ", "{}", "the text is empty", "--skip-empty"),
        ("a.json", "{{ a }}", r#"{"a": 1}"#, "not an object", "{"),
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

/// The name has the title to itself; what happened, and the summary of the first alert, are below it.
#[test]
fn a_card_says_each_thing_once_and_what_follows_it_has_a_title() {
    let scene = Scene::new();
    let alert = |instance: &str| {
        json!({
            "status": "firing", "labels": {"alertname": "DiskFull", "instance": instance, "severity": "critical"},
            "annotations": {"summary": format!("{instance}: disk 95 % full"), "description": format!("The disk of {instance} has 3 GB left.")},
            "startsAt": "2026-11-30T12:00:00Z",
        })
    };
    let notification = json!({
        "version": "4", "status": "firing", "groupLabels": {"alertname": "DiskFull"},
        "externalURL": "https://alertmanager.example.com", "alerts": [alert("web-1"), alert("web-2")],
    });
    let args = ["webhook-send", "--from", "alertmanager", "--card", "text_notice"];
    cmd(&scene, &args).stdin(notification.to_string()).run().assert_code(0);
    let sent = scene.wecom.messages();
    let card = &sent[0].payload();
    assert_eq!(card["main_title"]["title"], "DiskFull");
    let below = card["sub_title_text"].as_str().unwrap();
    assert!(below.starts_with("[CRITICAL] [FIRING:2]\n") && below.contains("web-1: disk 95 % full"), "{below}");
    let rest = sent[1].payload()["content"].as_str().unwrap();
    assert!(rest.starts_with("[CRITICAL] [FIRING:2] DiskFull\n") && rest.contains("web-2: disk 95 % full"), "{rest}");
}
