//! Lengths at their borders: the last byte that fits arrives, one more is refused with field, limit and size.

use serde_json::{Value, json};
use wecom_alert::channel::Channel;

use super::{assert_sent, assert_sent_silently, last, refused, uploaded};
use crate::support::Scene;

const LINK: &str = "https://example.test/";

/// So many bytes, of Chinese characters as far as they go.
fn bytes(count: usize) -> String {
    "磁".repeat(count / 3) + &"x".repeat(count % 3)
}

#[test]
fn texts_are_counted_in_bytes() {
    let scene = Scene::new();
    for (route, msgtype, limit) in [
        (Channel::App, "text", 2048),
        (Channel::App, "markdown", 2048),
        (Channel::Webhook, "text", 2048),
        (Channel::Webhook, "markdown", 4096),
        (Channel::Webhook, "markdown_v2", 4096),
    ] {
        for text in ["x".repeat(limit), bytes(limit), "😀".repeat(limit / 4)] {
            let case = format!("{} {msgtype} of {} bytes", route.as_str(), text.len());
            assert_sent_silently(&case, scene.send(route, &["-t", msgtype, &text]).run());
            assert_eq!(last(&scene, &case).payload(), &json!({"content": text}), "{case}");
            // What cleaning takes away does not count.
            let padded = format!("\u{feff}\u{1b}[31m{text}\u{1b}[0m\r\n\n");
            assert_sent_silently(&case, scene.send(route, &["-t", msgtype]).stdin(padded).run());
            assert_eq!(last(&scene, &case).payload(), &json!({"content": text}), "{case} from stdin");
        }
        for text in ["x".repeat(limit + 1), bytes(limit + 1), "😀".repeat(limit / 4) + "é"] {
            let case = format!("{} {msgtype} of {} bytes", route.as_str(), text.len());
            let refusal = refused(&scene, &case, scene.send(route, &["-t", msgtype, "--on-long", "fail", &text]), 2);
            assert_eq!(refusal.message, format!("{msgtype}.content: {} bytes, the limit is {limit}", text.len()));
            assert!(refusal.hint.contains("shorten it") && refusal.hint.contains("--on-long auto"), "{}", refusal.hint);
        }
    }
}

#[test]
fn options_are_counted_as_published() {
    let scene = Scene::new();
    let video = uploaded(&scene, Channel::App, "video");
    let url = |count: usize| format!("{LINK}{}", "u".repeat(count - LINK.len()));
    let chars = |count: usize| "磁".repeat(count);
    type Args<'a> = &'a dyn Fn(&str) -> Vec<String>;
    let card = |title: &str, text: &str, link: &str| -> Vec<String> {
        ["-t", "textcard", "--title", title, "--url", link, text].map(str::to_owned).into()
    };
    let news = |title: &str, text: &str, link: &str| -> Vec<String> {
        ["-t", "news", "--title", title, "--url", link, text].map(str::to_owned).into()
    };
    let clip = |title: &str, text: &str| -> Vec<String> {
        ["-t", "video", "--media-id", &video, "--title", title, text].map(str::to_owned).into()
    };
    let with = |mut args: Vec<String>, option: &str, value: &str| {
        args.extend([option.to_owned(), value.to_owned()]);
        args
    };
    let (app, webhook) = (Channel::App, Channel::Webhook);
    let cases: [(Channel, Args, String, String, &str); 12] = [
        (app, &|v| card(v, "d", LINK), bytes(128), chars(129), "textcard.title: 129 characters, the limit is 128"),
        (
            app,
            &|v| card("t", v, LINK),
            chars(512),
            chars(513),
            "textcard.description: 513 characters, the limit is 512",
        ),
        (app, &|v| card("t", "d", v), url(2048), url(2049), "textcard.url: 2049 bytes, the limit is 2048"),
        (
            app,
            &|v| with(card("t", "d", LINK), "--btntxt", v),
            chars(4),
            chars(5),
            "textcard.btntxt: 5 characters, the limit is 4",
        ),
        (app, &|v| news(v, "d", LINK), bytes(128), bytes(129), "news.articles[0].title: 129 bytes, the limit is 128"),
        (app, &|v| news("t", v, LINK), bytes(512), bytes(513), "articles[0].description: 513 bytes, the limit is 512"),
        (app, &|v| news("t", "d", v), url(2048), url(2049), "news.articles[0].url: 2049 bytes, the limit is 2048"),
        (
            app,
            &|v| with(news("t", "d", LINK), "--picurl", v),
            url(2048),
            url(2049),
            "news.articles[0].picurl: 2049 bytes, the limit is 2048",
        ),
        (app, &|v| clip(v, "d"), bytes(128), bytes(129), "video.title: 129 bytes, the limit is 128"),
        (app, &|v| clip("t", v), bytes(512), bytes(513), "video.description: 513 bytes, the limit is 512"),
        (webhook, &|v| news(v, "d", LINK), bytes(128), bytes(129), "articles[0].title: 129 bytes, the limit is 128"),
        (webhook, &|v| news("t", v, LINK), bytes(512), bytes(513), "description: 513 bytes, the limit is 512"),
    ];
    for (route, args, fits, does_not, message) in cases {
        let case = format!("{} {message}", route.as_str());
        assert_sent(&case, scene.send(route, &[]).args(args(&fits)).run());
        let arrived = last(&scene, &case);
        assert!(holds(arrived.payload(), &fits), "{case}: {}", arrived.body);
        let cmd = scene.send(route, &["--on-long", "fail"]).args(args(&does_not));
        refused(&scene, &case, cmd, 2).says(&case, message, "--no-validate");
    }
}

/// Lengths that clients may cut are advice.
#[test]
fn advice_is_a_warning() {
    let scene = Scene::new();
    let description = "磁".repeat(512);
    let args = ["-t", "textcard", "--title", "t", "--url", LINK, description.as_str()];
    let document = assert_sent("textcard", scene.app(&args).run());
    let warnings = document["warnings"].as_array().unwrap();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(warnings[0].as_str().unwrap().starts_with("textcard.description: 1536 bytes"), "{warnings:?}");
}

#[test]
fn several_breaches_are_told_at_once() {
    let scene = Scene::new();
    let title = "x".repeat(129);
    let link = format!("{LINK}{}", "u".repeat(2048));
    let card = ["--on-long", "fail", "-t", "textcard", "--title", &title, "--url", &link, "d"];
    let refusal = refused(&scene, "card", scene.app(&card), 2);
    refusal.says("card", "textcard.title: 129 characters, the limit is 128; textcard.url: ", "");
}

/// Its own place is short: there it ends in `…`, and the whole of it leads the text below.
#[test]
fn a_long_title_is_not_lost() {
    let scene = Scene::new();
    let title = "磁盘已满".repeat(12);
    for (route, msgtype) in [(Channel::App, "textcard"), (Channel::App, "news"), (Channel::Webhook, "news")] {
        let case = format!("{} {msgtype}", route.as_str());
        let args = ["-t", msgtype, "--title", &title, "--url", LINK, "98 %"];
        assert_sent(&case, scene.send(route, &args).run());
        let arrived = last(&scene, &case);
        let content = if msgtype == "news" { &arrived.payload()["articles"][0] } else { arrived.payload() };
        let shown = content["title"].as_str().unwrap();
        assert!(shown.len() <= 128 && shown.ends_with('…') && title.starts_with(shown.trim_end_matches('…')), "{case}");
        let line_break = if msgtype == "textcard" { "<br>" } else { "\n" };
        assert_eq!(content["description"], format!("{title}{line_break}98 %"), "{case}");
    }
}

fn holds(value: &Value, text: &str) -> bool {
    match value {
        Value::String(found) => found == text,
        Value::Array(items) => items.iter().any(|item| holds(item, text)),
        Value::Object(fields) => fields.values().any(|field| holds(field, text)),
        _ => false,
    }
}
