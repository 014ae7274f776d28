//! Options and text to webhook messages: what arrives for each type, and what has no place where.

use serde_json::{Value, json};
use wecom_alert::channel::Channel;

use super::{assert_sent, assert_sent_silently, body_of, last, refused};
use crate::support::Scene;
use crate::support::fake::{Endpoint, WEBHOOK_KEY};

const LINK: &str = "https://status.example.test/a?b=1&c=%20#d";

#[test]
fn each_type_arrives_as_its_options_say() {
    let scene = Scene::new();
    let text = |content: &str| json!({"content": content});
    let article = json!({"articles": [{"title": "磁盘", "description": "98 %", "url": LINK}]});
    let with_picture = json!({"articles": [{"title": "磁盘", "url": LINK, "picurl": "https://p.example.test/"}]});
    let cases: [(&[&str], &str, Value); 7] = [
        (&["disk full"], "text", text("disk full")),
        (&["-t", "text", "disk full"], "text", text("disk full")),
        (&["-t", "markdown", "**disk** <@zhangsan>"], "markdown", text("**disk** <@zhangsan>")),
        (&["-t", "markdown_v2", "| a |\n| - |\n| 1 |"], "markdown_v2", text("| a |\n| - |\n| 1 |")),
        (&["--title", "磁盘", "--url", LINK, "98 %"], "news", article.clone()),
        (&["-t", "news", "--title", "磁盘", "--url", LINK, "98 %"], "news", article),
        (&["--title", "磁盘", "--url", LINK, "--picurl", "https://p.example.test/"], "news", with_picture),
    ];
    for (args, msgtype, payload) in cases {
        let case = format!("{args:?}");
        assert_sent_silently(&case, scene.group(args).run());
        assert_eq!(last(&scene, &case).body, body_of(Channel::Webhook, msgtype, payload), "{case}");
    }
    // The key opens the door, and nothing else is asked for.
    let requests = scene.wecom.requests();
    assert!(requests.iter().all(|seen| seen.endpoint == Endpoint::WebhookSend));
    assert!(requests.iter().all(|seen| seen.query == [("key".to_owned(), WEBHOOK_KEY.to_owned())]));
}

#[test]
fn an_address_without_scheme_is_sent_with_a_warning() {
    let scene = Scene::new();
    let document = assert_sent("bare", scene.group(&["--title", "T", "--url", "www.example.test", "text"]).run());
    let warnings = document["warnings"].as_array().unwrap();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(warnings[0].as_str().unwrap().starts_with("news.articles[0].url: no http://"), "{warnings:?}");
    assert_eq!(last(&scene, "bare").payload()["articles"][0]["url"], "www.example.test");
}

#[test]
fn what_has_no_place_in_a_type_is_refused() {
    let scene = Scene::new();
    let cases: [(&[&str], &str, &str); 20] = [
        (&["-t", "news", "--title", "T", "text"], "an article needs a link", "--url"),
        (&["-t", "news", "--url", LINK, "text"], "an article needs a title", "--title"),
        (&["--card", "button_interaction", "--button", "a=A", "text"], "no button_interaction cards", "app-send"),
        (&["--card", "text_notice", "text"], "a text_notice card needs a link", "-t markdown"),
        (&["-t", "textcard", "--title", "T", "--url", LINK, "text"], "textcard is not among the webhook", "app-send"),
        (&["-t", "mpnews", "text"], "mpnews is not among the webhook messages", "app-send"),
        (&["-t", "video", "text"], "video is not among the webhook messages", "app-send"),
        (&["-t", "miniprogram_notice", "text"], "not among the webhook messages", "app-send"),
        (&["-t", "mail", "text"], "there is no message type mail", "markdown_v2"),
        (&["-t", "template_card", "text"], "template_card needs to know which card", "--payload FILE"),
        (&["--video", "clip.mp4"], "a webhook has no video messages", "--file"),
        (&["-t", "image", "--media-id", "x"], "it has no media_id", "--image PATH"),
        (&["-t", "image", "text"], "is part of the message itself", "--image PATH"),
        (&["-t", "file"], "type file needs a file", "--file PATH"),
        (&["-t", "voice", "text"], "type voice needs a file", "--voice PATH"),
        (&["--media-id", "x"], "--media-id does not go with type text", "-t file or -t voice"),
        (&["--safe", "text"], "--safe", ""),
        (&["--id-trans", "text"], "--id-trans", ""),
        (&["-u", "zhangsan", "text"], "-u", ""),
        (&["-t", "file", "--media-id", "x", "text"], "a message of type file has no text", "a command of its own"),
    ];
    for (args, message, hint) in cases {
        let case = format!("{args:?}");
        refused(&scene, &case, scene.group(args), 2).says(&case, message, hint);
    }
}

#[test]
fn the_error_line_names_command_profile_and_next_step() {
    let scene = Scene::new();
    let config = format!("[profiles.room]\nwebhook = \"{WEBHOOK_KEY}\"\n");
    let run = scene
        .env
        .cmd(["webhook-send", "--title", "T", "-t", "news", "text"])
        .config(&config)
        .base_url(&scene.wecom)
        .run();
    let run = run.assert_code(2);
    assert_eq!(run.stdout, "");
    assert_eq!(
        run.stderr,
        "wecom-alert: error[usage]: webhook-send (profile room): an article needs a link\n\
         hint: add --url, or send it with -t markdown\n"
    );
    assert_eq!(scene.wecom.requests().len(), 0);
}
