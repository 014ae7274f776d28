//! The prefix: where it stands, whose it is, and what it costs.

use serde_json::json;
use wecom_alert::channel::Channel;

use super::{TEXTS, URL, delivered, refused, text_in};
use crate::support::{CARD_ROUTES, HTTP_ROUTES, Scene};

/// This machine's name, as far as it can stand in a file's name.
fn host() -> String {
    let name = gethostname::gethostname().to_string_lossy().into_owned();
    name.chars().filter(|c| c.is_alphanumeric() || "-._".contains(*c)).take(40).collect()
}

#[test]
fn it_stands_before_the_title_or_else_the_text() {
    let scene = Scene::new();
    let long = ["--prefix", "[prod]", "--title", "Disk"];
    let cases: [(Channel, &[&str], &str); 9] = [
        (Channel::App, &["-t", "text", "full"], "[prod] full"),
        (Channel::App, &["-t", "text", "--title", "Disk", "full"], "[prod] Disk\nfull"),
        (Channel::App, &["-t", "text", "--field", "a=b"], "[prod]\na: b"),
        (Channel::App, &["-t", "markdown", "**full**"], "[prod] **full**"),
        (Channel::App, &["-t", "markdown", "# full"], "[prod]\n# full"),
        (Channel::Webhook, &["-t", "markdown", "> full"], "[prod]\n> full"),
        (Channel::Webhook, &["-t", "markdown", "--title", "Disk"], "[prod] **Disk**"),
        (Channel::Webhook, &["-t", "markdown_v2", "# full"], "[prod]\n\n# full"),
        (
            Channel::Webhook,
            &["-t", "markdown_v2", "--field", "a=b", "--field", "c=d"],
            "[prod]\n\n| a | b |\n| :-- | :-- |\n| c | d |",
        ),
    ];
    for (route, args, expected) in cases {
        let sent = delivered(&scene, expected, scene.send(route, &["--prefix", "[prod]"]).args(args).stdin(""));
        assert_eq!((sent.len(), text_in(&sent[0])), (1, expected), "{args:?}");
    }
    for route in HTTP_ROUTES {
        let sent = delivered(&scene, "news", scene.send(route, &long).args(["-t", "news", "--url", URL, "full"]));
        assert_eq!(sent[0]["news"]["articles"][0]["title"], "[prod] Disk");
    }
    for route in CARD_ROUTES {
        let sent =
            delivered(&scene, "card", scene.send(route, &long).args(["--card", "text_notice", "--url", URL, "full"]));
        assert_eq!(sent[0]["template_card"]["main_title"]["title"], "[prod] Disk");
    }
    let sent =
        delivered(&scene, "textcard", scene.send(Channel::App, &long).args(["-t", "textcard", "--url", URL, "full"]));
    assert_eq!(sent[0]["textcard"]["title"], "[prod] Disk");
}

#[test]
fn it_is_shown_as_it_is_given() {
    let scene = Scene::new();
    for (msgtype, prefix, expected) in [
        ("text", "*a* <b>", "*a* <b> x"),
        ("text", "【生产】", "【生产】x"),
        ("text", " a\nb\x1b[31m\x07 ", "a b x"),
        ("markdown", "*a* <b>", "`*a* <b>` x"),
        ("markdown_v2", "1. *a*", "1\\. \\*a\\*\n\nx"),
    ] {
        let sent = delivered(&scene, prefix, scene.send(Channel::Webhook, &["-t", msgtype, "--prefix", prefix, "x"]));
        assert_eq!(text_in(&sent[0]), expected, "{prefix:?}");
    }
}

#[test]
fn the_option_beats_the_variable_and_that_the_profile() {
    let scene = Scene::new();
    let config = "prefix = 'top'\n[profiles.ops]\nprefix = 'ops {profile}'\n[profiles.plain]\n";
    let of = |args: &[&str], env: &[(&str, &str)]| {
        let cmd = scene.send(Channel::Webhook, args).config(config);
        let cmd = env.iter().fold(cmd, |cmd, (name, value)| cmd.env(*name, *value));
        text_in(&delivered(&scene, "whose", cmd)[0]).to_owned()
    };
    let env = [("WECOM_ALERT_PREFIX", "env")];
    assert_eq!(of(&["-P", "ops", "--prefix", "opt", "x"], &env), "opt x");
    assert_eq!(of(&["-P", "ops", "x"], &env), "env x");
    assert_eq!(of(&["-P", "ops", "x"], &[]), "ops ops x");
    assert_eq!(of(&["-P", "plain", "x"], &[]), "top x");
    assert_eq!(
        of(&["-P", "plain", "--prefix", "{profile}/{host}/{other}", "x"], &[]),
        format!("plain/{}/{{other}} x", host())
    );
    // Without a profile, the credentials are the environment's.
    let bare = scene.send(Channel::Webhook, &["--prefix", "{profile}", "x"]);
    assert_eq!(text_in(&delivered(&scene, "no file", bare.config(""))[0]), "environment x");
}

#[test]
fn it_stands_on_every_part_and_counts_in_its_limit() {
    let scene = Scene::new();
    for (route, msgtype, limit) in TEXTS {
        for more in [&[][..], &["--title", "Disk", "--field", "a=b"]] {
            let case = format!("{} {msgtype} {more:?}", route.as_str());
            let body = "0123456789 abcdef\n".repeat(limit * 2 / 18);
            let cmd = scene.send(route, &["-t", msgtype, "--prefix", "[prod *]"]).args(more).stdin(&*body);
            let sent = delivered(&scene, &case, cmd);
            let prefix = if msgtype == "markdown" { "`[prod *]`" } else { "[prod *]" };
            let prefix = if msgtype == "markdown_v2" { "[prod \\*]" } else { prefix };
            assert!(sent.len() >= 2, "{case}");
            for (at, part) in sent.iter().enumerate() {
                let text = text_in(part);
                assert!(text.len() <= limit && text.starts_with(prefix), "{case}: {} bytes: {text}", text.len());
                assert!(text.contains(&format!("({}/{})", at + 1, sent.len())), "{case}: {text}");
            }
            let lines: usize = sent.iter().map(|part| text_in(part).matches("0123456789 abcdef").count()).sum();
            assert_eq!(lines, limit * 2 / 18, "{case}");
        }
    }
    // To the byte: one more, and it is two.
    for (length, count) in [(2041, 1), (2042, 2)] {
        let sent =
            delivered(&scene, "exact", scene.send(Channel::App, &["--prefix", "[prod]"]).stdin("x".repeat(length)));
        assert_eq!(sent.len(), count, "{length}");
    }
}

#[test]
fn each_card_and_article_of_several_has_it_in_its_title() {
    let scene = Scene::new();
    let body = "0123456789 abcdef\n".repeat(60);
    for (route, msgtype) in [(Channel::App, "textcard"), (Channel::App, "news"), (Channel::Webhook, "news")] {
        let args = ["-t", msgtype, "--prefix", "[prod]", "--title", "Disk", "--url", URL];
        let sent = delivered(&scene, msgtype, scene.send(route, &args).stdin(&*body));
        assert!(sent.len() > 1, "{msgtype}");
        let title = |part: &serde_json::Value| match msgtype {
            "textcard" => part["textcard"]["title"].clone(),
            _ => part["news"]["articles"][0]["title"].clone(),
        };
        assert!(sent.iter().all(|part| title(part) == "[prod] Disk" && text_in(part).len() <= 512), "{sent:#?}");
    }
}

#[test]
fn a_payload_and_a_file_are_left_alone() {
    let scene = Scene::new();
    let payload = scene.env.file("a.json", r#"{"msgtype": "text", "text": {"content": "a"}}"#);
    let cmd = scene.send(Channel::Webhook, &["--payload"]).arg(payload).env("WECOM_ALERT_PREFIX", "prod");
    assert_eq!(delivered(&scene, "payload", cmd), [json!({"msgtype": "text", "text": {"content": "a"}})]);
    let file = scene.env.file("a.txt", "a file");
    let cmd = scene.send(Channel::Webhook, &["--file"]).arg(file).env("WECOM_ALERT_PREFIX", "prod");
    assert_eq!(delivered(&scene, "file", cmd).len(), 1);
}

#[test]
fn it_cannot_fill_the_message() {
    let scene = Scene::new();
    for (length, is_fine) in [(120, true), (121, false)] {
        let cmd = scene.send(Channel::App, &["--prefix", &"x".repeat(length), "full"]);
        if is_fine {
            assert_eq!(delivered(&scene, "fits", cmd).len(), 1);
        } else {
            let (message, hint) = refused(&scene, "long", cmd.arg("--dry-run"));
            assert!(
                message.contains("--prefix: it has 121 bytes, and at most 120") && hint.contains("shorten"),
                "{message}"
            );
        }
    }
}
