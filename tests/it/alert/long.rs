//! Alerts over the limit of their type, by each `--on-long`: what is said of them, and that nothing is lost unasked.

#[cfg(target_os = "linux")]
use std::time::Duration;

use serde_json::Value;
use wecom_alert::channel::Channel;

use super::{PICTURE, TEXTS, URL, delivered, refused, text_in};
#[cfg(target_os = "linux")]
use crate::support::fake::{Endpoint, Reply};
use crate::support::{CARD_ROUTES, Scene, at_once};

const SAID: [&str; 10] =
    ["--prefix", "[prod]", "--title", "Disk", "--level", "critical", "--field", "host=web-1", "--url", URL];

/// Numbered lines, so that a missing one shows.
fn lines(count: usize) -> String {
    (0..count).map(|number| format!("line {number:04} 磁盘已满\n")).collect()
}

/// Types with a text, and what they take.
fn kinds() -> Vec<(Channel, &'static str, usize)> {
    let described = [(Channel::App, "textcard", 512), (Channel::App, "news", 512), (Channel::Webhook, "news", 512)];
    TEXTS.into_iter().chain(described).collect()
}

fn count(sent: &[Value], number: usize) -> usize {
    sent.iter().map(|body| text_in(body).matches(&format!("line {number:04}")).count()).sum()
}

#[test]
fn parts_hold_every_line_once() {
    at_once(kinds(), |(route, msgtype, limit)| {
        let scene = Scene::new();
        for mode in ["auto", "split"] {
            let case = format!("{} {msgtype} {mode}", route.as_str());
            let all = limit * 3 / 23;
            let cmd = scene.send(route, &["-t", msgtype, "--on-long", mode]).args(SAID).stdin(lines(all));
            let sent = delivered(&scene, &case, cmd);
            assert!((3..=5).contains(&sent.len()), "{case}: {}", sent.len());
            assert!((0..all).all(|number| count(&sent, number) == 1), "{case}");
            let takes = |text: &str| if msgtype == "textcard" { text.chars().count() } else { text.len() };
            for body in &sent {
                assert_eq!(body["msgtype"], *msgtype, "{case}");
                assert!(takes(text_in(body)) <= limit, "{case}: {}", text_in(body));
                assert!(body.to_string().contains("[prod]"), "{case}: {body}");
            }
            // The facts come once, the title too where it is text.
            let whole: String = sent.iter().map(text_in).collect();
            assert_eq!(whole.matches("web-1").count(), 1, "{case}");
        }
    });
}

#[test]
fn a_file_holds_what_the_message_does_not() {
    at_once(kinds(), |(route, msgtype, limit)| {
        let scene = Scene::new();
        for (mode, all) in [("file", limit * 2 / 23), ("auto", limit * 8 / 23)] {
            let case = format!("{} {msgtype} {mode}", route.as_str());
            let cmd = scene.send(route, &["-t", msgtype, "--on-long", mode]).args(SAID).stdin(lines(all));
            let sent = delivered(&scene, &case, cmd);
            assert_eq!((sent.len(), &sent[1]["msgtype"]), (2, &"file".into()), "{case}");
            assert!(text_in(&sent[0]).contains("the whole text follows as alert-"), "{case}");
            let file = String::from_utf8(scene.wecom.uploads().pop().unwrap().bytes).unwrap();
            assert!((0..all).all(|number| file.matches(&format!("line {number:04}")).count() == 1), "{case}");
            assert!(file.contains("host: web-1") && !file.contains("**") && !file.contains("<font"), "{case}");
        }
    });
}

#[test]
fn it_can_be_shortened_or_refused() {
    at_once(kinds(), |(route, msgtype, limit)| {
        let scene = Scene::new();
        let case = format!("{} {msgtype}", route.as_str());
        let all = limit * 2 / 23;
        let send = |mode: &str| scene.send(route, &["-t", msgtype, "--on-long", mode]).args(SAID).stdin(lines(all));
        let sent = delivered(&scene, &case, send("truncate"));
        assert_eq!((sent.len(), scene.wecom.uploads().len()), (1, 0), "{case}");
        assert!(text_in(&sent[0]).contains("bytes left out …]"), "{case}");
        let (message, _) = refused(&scene, &case, send("fail"));
        assert!(message.contains("bytes") || message.contains("characters"), "{case}: {message}");
        // What fits is not refused.
        let fits = scene.send(route, &["-t", msgtype, "--on-long", "fail"]).args(SAID).arg("full");
        assert_eq!(delivered(&scene, &case, fits).len(), 1, "{case}");
    });
}

#[test]
fn a_long_title_leads_the_text() {
    let title = "磁盘".repeat(70);
    for (route, msgtype) in [(Channel::App, "textcard"), (Channel::App, "news"), (Channel::Webhook, "news")] {
        let scene = Scene::new();
        let send = |mode: &str| {
            scene.send(route, &["-t", msgtype, "--on-long", mode, "--title", &title, "--url", URL, "full"])
        };
        let sent = delivered(&scene, msgtype, send("auto"));
        let content = &sent[0][msgtype];
        let short = content["title"].as_str().or(content["articles"][0]["title"].as_str()).unwrap();
        assert!(
            short.len() <= 128 && short.ends_with('…') && title.starts_with(short.trim_end_matches('…')),
            "{short}"
        );
        assert!(text_in(&sent[0]).contains(&title), "{sent:#?}");
        let (message, _) = refused(&scene, msgtype, send("fail"));
        assert!(message.contains("title"), "{message}");
    }
}

const CARDS: [(Channel, &[&str]); 5] = [
    (Channel::App, &["--card", "text_notice", "--url", URL]),
    (Channel::App, &["--card", "news_notice", "--url", URL, "--picurl", PICTURE]),
    (Channel::App, &["--card", "button_interaction", "--button", "ack=Got it"]),
    (Channel::App, &["--card", "vote_interaction", "--option", "a=A"]),
    (Channel::Webhook, &["--card", "text_notice", "--url", URL]),
];

#[test]
fn what_has_no_room_on_a_card_goes_behind_it() {
    at_once(CARDS, |(route, card)| {
        let scene = Scene::new();
        let case = format!("{} {}", route.as_str(), card[1]);
        let said = ["--prefix", "[prod]", "--title", "Disk", "--field", "host=web-1"];
        let send =
            |mode: &str, all: usize| scene.send(route, card).args(said).args(["--on-long", mode]).stdin(lines(all));
        for mode in ["auto", "split"] {
            let sent = delivered(&scene, &case, send(mode, 80));
            assert_eq!(
                (sent.len(), &sent[0]["msgtype"], &sent[1]["msgtype"]),
                (2, &"template_card".into(), &"text".into())
            );
            assert!(text_in(&sent[1]).starts_with("[prod] Disk\nline "), "{case}: {}", text_in(&sent[1]));
            let all = sent.iter().map(Value::to_string).collect::<String>();
            assert!((0..80).all(|number| all.matches(&format!("line {number:04}")).count() == 1), "{case}");
        }
        let parts = delivered(&scene, &case, send("split", 200));
        assert!(parts.len() == 4 && text_in(&parts[1]).starts_with("[prod] (1/3) Disk\nline"), "{case}: {parts:#?}");
        let sent = delivered(&scene, &case, send("file", 80));
        assert_eq!((sent.len(), &sent[1]["msgtype"]), (2, &"file".into()), "{case}");
        let file = String::from_utf8(scene.wecom.uploads()[0].bytes.clone()).unwrap();
        assert!(
            file.starts_with("[prod] Disk\nhost: web-1\n\nline 0000") && file.contains("line 0079"),
            "{case}: {file}"
        );
        let sent = delivered(&scene, &case, send("truncate", 80));
        assert!(sent.len() == 1 && sent[0].to_string().contains('…'), "{case}");
        let (message, hint) = refused(&scene, &case, send("fail", 80));
        assert!(
            message.contains(&format!("no room on a {} card", card[1])) && hint.contains("follows the card"),
            "{message}"
        );
        // What fits is a card alone, whatever was said of long ones.
        assert_eq!(delivered(&scene, &case, send("fail", 1)).len(), 1, "{case}");
    });
}

/// A title cut twice would be read by nobody.
#[test]
fn a_title_too_long_for_a_card_is_whole_behind_it() {
    let scene = Scene::new();
    let title = "Certificate of shop.example.com expires in six days and nobody renewed it";
    for route in CARD_ROUTES {
        let args = ["--card", "news_notice", "--url", URL, "--picurl", PICTURE, "--prefix", "[prod]", "--title", title];
        let sent = delivered(&scene, "title", scene.send(route, &args).arg("now"));
        let card = &sent[0]["template_card"]["main_title"];
        assert!(card["title"].as_str().unwrap().ends_with('…') && card["desc"] == "now", "{card}");
        assert_eq!(text_in(&sent[1]), format!("[prod] {title}"));
    }
    // One that would have room, but for what follows it.
    for length in 28..=40 {
        let title = "x".repeat(length);
        let args =
            ["--card", "news_notice", "--url", URL, "--picurl", PICTURE, "--prefix", "[prod]", "--title", &title];
        let sent = delivered(
            &scene,
            "title",
            scene.send(Channel::App, &args).arg("one\ntwo\nthree and many words more, too many"),
        );
        let all: String = sent.iter().map(Value::to_string).collect();
        let counts: Vec<_> = sent.iter().map(|part| part.to_string().matches(&title).count()).collect();
        assert!(counts.contains(&1) && counts.iter().all(|count| *count <= 1), "{length}: {all}");
        assert!(!all.contains("[prod] [prod]"), "{length}: {all}");
    }
}

/// Lines are not collected one by one: of a long text there are millions.
#[cfg(target_os = "linux")]
#[test]
fn a_flood_of_short_lines_takes_little_memory() {
    let card = ["--url", "https://example.com", "--title", "Disk"];
    for (command, options) in [
        ("app-send", &["-t", "textcard", "--level", "critical"][..]),
        ("app-send", &["-t", "textcard", "--field", "host=web-3"]),
        ("app-send", &["-t", "news"]),
        ("app-send", &["-t", "markdown"]),
        ("webhook-send", &["-t", "markdown_v2"]),
        ("webhook-send", &["--card", "text_notice"]),
    ] {
        let scene = Scene::new();
        let text = scene.env.file("lines", "ab\n".repeat((4 << 20) / 3));
        // The answer comes late, so that the last look is at a process that has made all of it.
        for endpoint in [Endpoint::MessageSend, Endpoint::WebhookSend] {
            scene.wecom.script(endpoint, [Reply::delayed(Duration::from_millis(200), Reply::Normal)]);
        }
        let cmd = scene.cmd(&[command, "--on-long", "truncate", "--text-file"]).arg(text).args(card);
        let running = cmd.args(options.iter().copied()).env("WECOM_ALERT_TO_USER", "zhangsan").spawn();
        let most = running.watch_memory();
        running.wait().assert_code(0);
        assert!(most > 0 && most < 60 * 1024, "{options:?}: {most} KiB at the peak");
    }
}
