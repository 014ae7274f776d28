//! What each option becomes in each type, and what may be left out.

use serde_json::{Value, json};
use wecom_alert::channel::Channel;

use super::{PICTURE, TEXTS, URL, delivered, refused};
use crate::support::{HTTP_ROUTES, Scene, at_once};

const ALL: [&str; 13] = [
    "--title",
    "Disk",
    "--level",
    "critical",
    "--field",
    "host=web-1",
    "--field",
    " user = a=b ",
    "--url",
    URL,
    "--btntxt",
    "open",
    "98 %",
];

#[test]
fn each_has_its_place_in_each_type() {
    let heading = "<font color=\"warning\">**[CRITICAL] Disk**</font>";
    let table = "| host | web-1 |\n| :-- | :-- |\n| user | a=b |";
    let text = format!("[CRITICAL] Disk\nhost: web-1\nuser: a=b\n\n98 %\nopen: {URL}\n{PICTURE}");
    let markdown = format!("{heading}\n> host: web-1\n> user: a=b\n\n98 %\n[open]({URL})\n[Picture]({PICTURE})");
    let markdown_v2 = format!("# [CRITICAL] Disk\n\n{table}\n\n```\n98 %\n```\n\n[open]({URL})\n\n![]({PICTURE})");
    let textcard = format!(
        "<div class=\"gray\">host: web-1<br>user: a=b</div><div class=\"highlight\">98 %</div>\
         <div class=\"normal\">{PICTURE}</div>"
    );
    let article = json!({
        "title": "[CRITICAL] Disk", "url": URL, "picurl": PICTURE,
        "description": "host: web-1\nuser: a=b\n98 %\nopen",
    });
    let content = |text: &str| json!({ "content": text });
    let cases = [
        ("text", &HTTP_ROUTES[..], content(&text)),
        ("markdown", &HTTP_ROUTES[..], content(&markdown)),
        ("markdown_v2", &[Channel::Webhook][..], content(&markdown_v2)),
        (
            "textcard",
            &[Channel::App, Channel::Chat][..],
            json!({"title": "[CRITICAL] Disk", "description": textcard, "url": URL, "btntxt": "open"}),
        ),
        ("news", &HTTP_ROUTES[..], json!({ "articles": [article] })),
    ];
    at_once(cases, |(msgtype, routes, expected)| {
        let scene = Scene::new();
        for route in routes {
            let case = format!("{msgtype} {}", route.as_str());
            let cmd = scene.send(*route, &["-t", msgtype, "--picurl", PICTURE]).args(ALL);
            assert_eq!(delivered(&scene, &case, cmd), [json!({"msgtype": msgtype, *msgtype: expected})], "{case}");
        }
    });
}

#[test]
fn a_level_is_a_word_and_a_colour() {
    let scene = Scene::new();
    for (level, word, color) in [
        ("info", "[INFO]", "comment"),
        ("ok", "[OK]", "info"),
        ("warning", "[WARNING]", "warning"),
        ("critical", "[CRITICAL]", "warning"),
    ] {
        let sent = |msgtype: &str| {
            let cmd = scene.send(Channel::Webhook, &["-t", msgtype, "--level", level, "full"]);
            delivered(&scene, level, cmd)[0][msgtype]["content"].clone()
        };
        assert_eq!(sent("text"), format!("{word} full"));
        assert_eq!(sent("markdown"), format!("<font color=\"{color}\">**{word}**</font> full"));
        assert_eq!(sent("markdown_v2"), format!("# {word}\n\n```\nfull\n```"));
    }
    for (level, word) in [("CRIT", "[CRITICAL]"), ("warn", "[WARNING]"), (" Error\r", "[CRITICAL]"), ("恢复", "[OK]")]
    {
        let cmd = scene.send(Channel::App, &["-t", "text", "--level", level, "full"]);
        assert_eq!(delivered(&scene, level, cmd)[0]["text"]["content"], format!("{word} full"));
    }
}

/// An option makes an alert of a text, which is shown as it is then; without any it is sent as it was written.
#[test]
fn a_text_alone_is_sent_as_it_is() {
    let scene = Scene::new();
    for (route, msgtype, _) in TEXTS {
        let raw = "# a\n> **b** <c>  `d`\n";
        let body = delivered(&scene, msgtype, scene.send(route, &["-t", msgtype]).stdin(raw));
        assert_eq!(body, [json!({"msgtype": msgtype, msgtype: {"content": raw.trim_end()}})]);
        let body = delivered(&scene, msgtype, scene.send(route, &["-t", msgtype, "--level", "ok"]).stdin("**b**"));
        let expected = match msgtype {
            "text" => "[OK] **b**",
            "markdown" => "<font color=\"info\">**[OK]**</font> `**b**`",
            _ => "# [OK]\n\n```\n**b**\n```",
        };
        assert_eq!(body[0][msgtype]["content"], expected);
    }
}

#[test]
fn a_fact_is_a_name_and_a_value() {
    let scene = Scene::new();
    for wrong in ["host", "=web-1", " = x"] {
        let (message, hint) = refused(&scene, wrong, scene.send(Channel::App, &["--field", wrong, "full"]));
        assert!(message.contains("is not of the form KEY=VALUE") && hint.contains("--field 'host=web-1'"), "{message}");
    }
    let args = ["-t", "text", "--field", "a=", "--field", "b=1\n2", "--field", "\x1b[31mc\x1b[0m=x\x07y"];
    let body = delivered(&scene, "values", scene.send(Channel::App, &args).stdin(""));
    assert_eq!(body[0]["text"]["content"], "a:\nb: 1\n2\nc: xy");
}

/// What an alert says besides may be all there is to say.
#[test]
fn a_text_may_be_left_out_where_something_else_is_said() {
    let scene = Scene::new();
    let optional: [(&[&str], &str); 3] = [
        (&["--title", "Disk"], "Disk"),
        (&["--field", "host=web-1"], "host: web-1"),
        (&["--field", "host=web-1", "--level", "ok"], "[OK]\nhost: web-1"),
    ];
    for (args, expected) in optional {
        for (case, stdin) in [("none", ""), ("blank", " \n\t\n")] {
            let body = delivered(&scene, case, scene.send(Channel::Webhook, args).args(["-t", "text"]).stdin(stdin));
            assert_eq!(body, [json!({"msgtype": "text", "text": {"content": expected}})], "{args:?} {case}");
        }
        let closed = delivered(&scene, "closed", scene.send(Channel::App, args).args(["-t", "text"]).stdin_null());
        assert_eq!(closed[0]["text"]["content"], expected);
        // Who gives a text must give one.
        for named in [&[""][..], &["--text-file", "-"]] {
            let (message, _) = refused(&scene, "named", scene.send(Channel::App, args).args(named).stdin(" "));
            assert!(message.contains("the text is empty"), "{message}");
        }
    }
    let required: [&[&str]; 5] =
        [&["--level", "ok"], &["--url", URL], &["--prefix", "prod"], &["--title", " "], &["--picurl", PICTURE]];
    for args in required {
        let (message, hint) = refused(&scene, "required", scene.send(Channel::App, args).stdin(""));
        assert!(message.contains("the text is empty: stdin has only white space"), "{args:?}: {message}");
        assert!(hint.contains("--skip-empty"), "{hint}");
    }
}

#[test]
fn nothing_to_say_can_be_passed_over_or_replaced() {
    let scene = Scene::new();
    let title = ["-t", "text", "--title", "Job"];
    let run = scene.send(Channel::App, &title).arg("--skip-empty").stdin("\n").run().assert_code(0);
    assert_eq!((run.json()["status"].as_str(), scene.sends()), (Some("skipped"), 0));
    let body =
        delivered(&scene, "instead", scene.send(Channel::App, &title).args(["--if-empty", "no output"]).stdin(""));
    assert_eq!(body[0]["text"]["content"], "Job\nno output");
    // Nobody waits for what is not needed.
    let body = delivered(&scene, "content", scene.send(Channel::App, &title).arg("given").stdin_open());
    assert_eq!(body[0]["text"]["content"], "Job\ngiven");
}

#[test]
fn the_type_is_that_of_the_option_else_of_the_profile_else_the_best() {
    let scene = Scene::new();
    let config = |msgtype: &str| format!("msgtype = \"{msgtype}\"\n");
    let of = |set: &str, args: &[&str], route: Channel| -> Value {
        let cmd = scene.send(route, args).config(&config(set));
        delivered(&scene, set, cmd)[0]["msgtype"].clone()
    };
    let titled = ["--title", "Disk", "--field", "a=b", "full"];
    assert_eq!(of("text", &titled, Channel::App), "text");
    assert_eq!(of("markdown_v2", &titled, Channel::Webhook), "markdown_v2");
    // What was set for plain texts would need a link, or a file.
    assert_eq!(of("textcard", &titled, Channel::App), "markdown");
    assert_eq!(of("news", &titled, Channel::Webhook), "markdown");
    assert_eq!(of("file", &titled, Channel::App), "markdown");
    assert_eq!(of("markdown", &[&["-t", "text"], &titled[..]].concat(), Channel::App), "text");
    assert_eq!(of("text", &["--card", "text_notice", "--url", URL, "full"], Channel::App), "template_card");
    assert_eq!(of("text", &["plain"], Channel::Webhook), "text");
}

/// What was asked for is not lost for a nicer type.
#[test]
fn the_best_type_has_what_is_asked_for() {
    let scene = Scene::new();
    let send = |args: &[&str], config: &str| {
        let cmd = scene.send(Channel::App, &["--title", "Disk", "--level", "ok", "full"]).args(args).config(config);
        assert_eq!(delivered(&scene, config, cmd.args(["--field", "a=b"])).len(), 1);
        scene.wecom.messages().pop().unwrap().body
    };
    for (args, config) in [(&["--safe"][..], ""), (&[], "safe = 1")] {
        let body = send(args, config);
        assert_eq!((&body["msgtype"], &body["safe"]), (&json!("text"), &json!(1)), "{args:?} {config}");
    }
    for (args, config) in [(&["--id-trans"][..], ""), (&[], "id_trans = true")] {
        let body = send(args, config);
        assert_eq!((&body["msgtype"], &body["enable_id_trans"]), (&json!("text"), &json!(1)), "{args:?} {config}");
    }
    assert_eq!(send(&["--safe=0"], "")["msgtype"], "markdown");
    let card = send(&["--id-trans", "-t", "textcard", "--url", URL], "");
    assert_eq!((&card["msgtype"], &card["enable_id_trans"]), (&json!("textcard"), &json!(1)));
    let (message, _) =
        refused(&scene, "safe", scene.send(Channel::App, &["--safe", "-t", "markdown", "--title", "Disk", "full"]));
    assert!(message.contains("safe: markdown messages do not have it"), "{message}");
}

#[test]
fn a_link_must_be_one() {
    let scene = Scene::new();
    for args in [&["-t", "textcard", "--title", "t"][..], &["--card", "text_notice"]] {
        let (message, hint) =
            refused(&scene, "app", scene.send(Channel::App, args).args(["--url", "www.test", "full"]));
        assert!(message.contains("--url must begin with http://") && hint.contains("whole address"), "{message}");
    }
    for option in ["--url", "--picurl"] {
        let odd = scene.send(Channel::App, &["-t", "text", option, "https://example.test/\x1b[31m1\n", "full"]);
        let (message, _) = refused(&scene, "odd", odd.arg("--dry-run"));
        assert!(message.contains(&format!("{option}: the value holds a control character")), "{message}");
    }
    // A webhook's clients know one without scheme.
    for (args, said) in [(&["-t", "markdown"][..], "--url must begin"), (&["-t", "news", "--title", "t"], "no http://")]
    {
        let told = scene.send(Channel::Webhook, args).args(["--url", "www.test", "full"]).run().assert_code(0).json();
        let warnings = told["warnings"].as_array().unwrap();
        assert!(warnings.len() == 1 && warnings[0].as_str().unwrap().contains(said), "{warnings:?}");
    }
}

#[test]
fn what_is_no_alert_takes_none_of_them() {
    let scene = Scene::new();
    let file = scene.env.file("a.txt", "a file");
    let payload = scene.env.file("a.json", r#"{"msgtype": "text", "text": {"content": "a"}}"#);
    let path = |path: &std::path::Path| path.to_str().unwrap().to_owned();
    for option in [&["--title", "t"][..], &["--level", "ok"], &["--field", "a=b"], &["--url", URL], &["--prefix", "p"]]
    {
        let (message, hint) = refused(&scene, "file", scene.send(Channel::App, &["--file", &path(&file)]).args(option));
        assert!(message.contains(option[0]) && message.contains("type file") && hint.contains("--attach"), "{message}");
        let (message, hint) =
            refused(&scene, "payload", scene.send(Channel::App, &["--payload", &path(&payload)]).args(option));
        assert!(message.contains(option[0]) && message.contains("payload") && hint.contains("payload"), "{message}");
    }
}
