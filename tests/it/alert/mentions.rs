//! Mentions with alerts: once, in the first part or right behind the message, and before the files.

use serde_json::{Value, json};
use wecom_alert::channel::Channel;

use super::{PNG, URL, delivered, refused, text_in};
use crate::support::{Cmd, HTTP_ROUTES, Scene};

fn send(scene: &Scene, args: &[&str]) -> Cmd {
    scene.send(Channel::Webhook, args)
}

/// Whom a message calls, by its lists.
fn called(body: &Value) -> Value {
    json!([body["text"]["mentioned_list"], body["text"]["mentioned_mobile_list"]])
}

fn lines(count: usize) -> String {
    (0..count).map(|number| format!("line {number:04} disk full\n")).collect()
}

#[test]
fn a_text_in_parts_calls_with_the_first() {
    let scene = Scene::new();
    for said in [&[][..], &["--title", "Disk", "--prefix", "[prod]"]] {
        let args = ["-t", "text", "--mention", "lisi", "--mention-mobile", "13800000000"];
        let sent = delivered(&scene, "text", send(&scene, &args).args(said).stdin(lines(250)));
        assert!(sent.len() > 2, "{}", sent.len());
        assert_eq!(called(&sent[0]), json!([["lisi"], ["13800000000"]]));
        assert!(sent[1..].iter().all(|body| called(body) == json!([null, null])), "{sent:#?}");
    }
    let sent = delivered(&scene, "file", send(&scene, &["--mention", "lisi", "--on-long", "file"]).stdin(lines(250)));
    assert_eq!((called(&sent[0]), &sent[1]["msgtype"], sent.len()), (json!([["lisi"], null]), &"file".into(), 2));
}

#[test]
fn markdown_calls_inside_its_first_part_and_its_limit() {
    let scene = Scene::new();
    let calls = "\n\n<@zhangsan> <@lisi>";
    for said in [&["--title", "Disk", "--field", "host=web-1", "--prefix", "[prod]"][..], &[]] {
        let args = ["-t", "markdown", "--mention", "zhangsan,lisi"];
        let sent = delivered(&scene, "short", send(&scene, &args).args(said).arg("full"));
        assert!(sent.len() == 1 && text_in(&sent[0]).ends_with(&format!("full{calls}")), "{sent:#?}");
        for mode in ["split", "file", "truncate"] {
            let cmd = send(&scene, &args).args(said).args(["--on-long", mode]).stdin(lines(500));
            let sent = delivered(&scene, mode, cmd);
            assert!(text_in(&sent[0]).ends_with(calls), "{mode}: {}", text_in(&sent[0]));
            for body in &sent {
                assert!(text_in(body).len() <= 4096, "{mode}: {} bytes", text_in(body).len());
            }
            assert!(sent[1..].iter().all(|body| !text_in(body).contains("<@")), "{mode}");
        }
        // To the byte.
        let whole = text_in(&delivered(&scene, "size", send(&scene, &args).args(said).arg("x"))[0]).len();
        for (more, count) in [(0, 1), (1, 2)] {
            let text = "x".repeat(4096 - whole + 1 + more);
            assert_eq!(delivered(&scene, "exact", send(&scene, &args).args(said).arg(text)).len(), count, "{more}");
        }
    }
}

/// An alert cannot call anybody by what it says.
#[test]
fn what_looks_like_a_mention_is_text() {
    let scene = Scene::new();
    let args = ["-t", "markdown", "--title", "<@all>", "--field", "who=<@lisi>", "by <@zhangsan>"];
    let sent = delivered(&scene, "markdown", send(&scene, &args));
    assert_eq!(text_in(&sent[0]), "`<@all>`\n> who: `<@lisi>`\n\n`by <@zhangsan>`");
}

/// Nor by a log line, nor in a text behind a card, nor in the short text behind a message.
#[test]
fn data_mentions_nobody_and_links_nowhere_in_a_text() {
    const DATA: &str = "by <@zhangsan>, see <a href=\"https://evil.test\">your mail</a> a<b <A\nhref=x>";
    const SHOWN: &str =
        "by <\u{200b}@zhangsan>, see <\u{200b}a href=\"https://evil.test\">your mail</a> a<b <\u{200b}A\nhref=x>";
    let scene = Scene::new();
    for route in HTTP_ROUTES {
        for args in
            [&["--title", "x"][..], &["--level", "warning"], &["--field", "a=b"], &["--prefix", "p", "--title", "x"]]
        {
            let sent = delivered(&scene, "body", scene.send(route, &["-t", "text"]).args(args).stdin(DATA));
            assert!(text_in(&sent[0]).ends_with(SHOWN), "{args:?}: {}", text_in(&sent[0]));
        }
        let args =
            ["-t", "text", "--title", "<@lisi> x", "--field", "<@lisi>=<@lisi>", "--url", "https://a.test/<@lisi>"];
        let sent = delivered(&scene, "places", scene.send(route, &args).arg("y"));
        let text = text_in(&sent[0]);
        assert!(text.matches("<\u{200b}@lisi>").count() == 4 && !text.contains("<@"), "{text}");
        // A text alone is its author's.
        let sent = delivered(&scene, "bare", scene.send(route, &["-t", "text"]).arg(DATA));
        assert_eq!(text_in(&sent[0]), DATA);
    }
    let card = ["--card", "text_notice", "--title", "x", "--url", "https://a.test"];
    let log = format!("{}\n<@lisi>", "a line\n".repeat(40));
    let sent = delivered(&scene, "rest", scene.send(Channel::Webhook, &card).stdin(&*log));
    assert!(text_in(&sent[1]).ends_with("\n<\u{200b}@lisi>"), "{}", sent[1]);
    let args = ["-t", "news", "--title", "<@lisi>", "--url", "https://a.test", "--mention", "zhangsan", "x"];
    let sent = delivered(&scene, "short text", scene.send(Channel::Webhook, &args));
    assert_eq!(text_in(&sent[1]), "<\u{200b}@lisi>");
}

#[test]
fn a_template_mentions_by_its_own_words_only() {
    let scene = Scene::new();
    scene.env.file("data.json", r#"{"who": "<@lisi>"}"#);
    for (msgtype, template, shown) in [
        (
            "text",
            "<@zhangsan> {{ who }} {{ who|tojson }} {{ who|safe }}",
            "<@zhangsan> <\u{200b}@lisi> \"<\u{200b}@lisi>\" <@lisi>",
        ),
        ("markdown", "<@zhangsan> {{ who }}", "<@zhangsan> `<@lisi>`"),
    ] {
        scene.env.file("x.j2", template);
        let args = ["-t", msgtype, "--template", "x.j2", "--data", "data.json"];
        let sent = delivered(&scene, msgtype, scene.send(Channel::Webhook, &args));
        assert_eq!(text_in(&sent[0]), shown);
    }
    scene.env.file("x.json", r#"{"msgtype": "text", "text": {"content": "<@zhangsan> {{ who }}"}}"#);
    let sent =
        delivered(&scene, "payload", scene.send(Channel::Webhook, &["--template", "x.json", "--data", "data.json"]));
    assert_eq!(text_in(&sent[0]), "<@zhangsan> <\u{200b}@lisi>");
}

#[test]
fn a_short_text_follows_before_the_files() {
    let scene = Scene::new();
    scene.env.file("a.log", "a log file");
    scene.env.file("b.png", PNG);
    let cases: [(&[&str], &[&str], &str); 7] = [
        (&["-t", "markdown_v2", "--title", "Disk", "full"], &["markdown_v2"], "[prod] Disk"),
        (&["-t", "news", "--title", "Disk", "--url", URL, "full"], &["news"], "[prod] Disk"),
        (
            &["--card", "text_notice", "--title", "Disk", "--level", "critical", "--url", URL, "full"],
            &["template_card"],
            "[prod] [CRITICAL] Disk",
        ),
        (&["-t", "markdown_v2", "--field", "host=web-1"], &["markdown_v2"], "[prod] host: web-1"),
        (&["-t", "markdown_v2", "# full"], &["markdown_v2"], "[prod] # full"),
        (&["-t", "markdown_v2", "--title", &"磁盘".repeat(50), "full"], &["markdown_v2"], ""),
        (&["--file", "a.log"], &["file"], "⬆"),
    ];
    for (args, types, herald) in cases {
        let more = ["--mention", "@all", "--attach", "b.png", "--attach", "a.log"];
        let cmd = send(&scene, &more).args(args).env("WECOM_ALERT_PREFIX", "[prod]").stdin("");
        let sent = delivered(&scene, herald, cmd);
        let got: Vec<_> = sent.iter().map(|body| body["msgtype"].as_str().unwrap()).collect();
        assert_eq!(got, [types, &["text", "image", "file"]].concat(), "{args:?}");
        let text = text_in(&sent[types.len()]);
        assert_eq!(called(&sent[types.len()]), json!([["@all"], null]), "{args:?}");
        assert!(text.chars().count() <= 70, "{text}");
        if !herald.is_empty() && herald != "⬆" {
            assert_eq!(text, herald);
        }
    }
}

/// Nobody is forgotten where there is no message that could call.
#[test]
fn attachments_alone_are_announced() {
    let scene = Scene::new();
    scene.env.file("a.log", "a log file");
    for msgtype in [&[][..], &["-t", "markdown"], &["-t", "markdown_v2"]] {
        for fallback in ["text", "fail"] {
            let args = ["--mention", "lisi", "--mention-fallback", fallback, "--attach", "a.log"];
            let sent = delivered(&scene, "alone", send(&scene, &args).args(msgtype).stdin(""));
            let text = json!({"msgtype": "text", "text": {"content": "⬇", "mentioned_list": ["lisi"]}});
            assert_eq!((sent.len(), &sent[0], &sent[1]["msgtype"]), (2, &text, &"file".into()), "{msgtype:?}");
        }
    }
}

#[test]
fn a_card_with_a_rest_is_followed_by_both() {
    let scene = Scene::new();
    let args = ["--card", "text_notice", "--title", "Disk", "--url", URL, "--mention", "lisi"];
    let sent = delivered(&scene, "rest", send(&scene, &args).stdin(lines(40)));
    assert_eq!(sent.len(), 3);
    assert!(text_in(&sent[1]).starts_with("Disk\nline ") && called(&sent[1]) == json!([null, null]), "{sent:#?}");
    assert_eq!((text_in(&sent[2]), called(&sent[2])), ("Disk", json!([["lisi"], null])));
}

#[test]
fn the_fallback_can_be_a_refusal_or_nothing() {
    let scene = Scene::new();
    for args in [
        &["--card", "text_notice", "--title", "Disk", "--url", URL, "x"][..],
        &["-t", "news", "--title", "Disk", "--url", URL, "x"],
    ] {
        let (message, hint) =
            refused(&scene, "fail", send(&scene, &["--mention", "lisi", "--mention-fallback", "fail"]).args(args));
        assert!(message.contains("cannot mention anybody") && hint.contains("-t text"), "{message}");
        let sent = delivered(
            &scene,
            "ignore",
            send(&scene, &["--mention", "lisi", "--mention-fallback", "ignore"]).args(args),
        );
        assert_eq!(sent.len(), 1);
    }
    let (message, hint) = refused(&scene, "app", scene.send(Channel::App, &["--mention", "lisi", "full"]));
    assert!(message.contains("--mention") && hint.contains("-u"), "{message} {hint}");
}

#[test]
fn in_markdown_too_a_mention_is_an_id() {
    let scene = Scene::new();
    for wrong in ["张三", "a>b", "a\tb", "<@all>"] {
        for msgtype in ["text", "markdown"] {
            let args = ["-t", msgtype, "--mention", wrong, "full", "--dry-run"];
            let (message, _) = refused(&scene, wrong, send(&scene, &args));
            assert!(message.contains("may hold letters, digits"), "{msgtype}: {message}");
        }
    }
    let sent =
        delivered(&scene, "any", send(&scene, &["-t", "markdown", "--no-validate", "--mention", "张三", "full"]));
    assert_eq!(text_in(&sent[0]), "full\n\n<@张三>");
}
