//! Options and text to app messages: what arrives for each type, and what has no place where.

use serde_json::{Value, json};
use wecom_alert::channel::Channel;

use super::{assert_sent, assert_sent_silently, body_of, last, refused, uploaded};
use crate::support::Scene;
use crate::support::fake::Endpoint;

const LINK: &str = "https://status.example.test/a?b=1&c=%20#d";

#[test]
fn each_type_arrives_as_its_options_say() {
    let scene = Scene::new();
    let text = |content: &str| json!({"content": content});
    let card = json!({"title": "磁盘", "description": "98 %", "url": LINK});
    let card_with_label = json!({"title": "磁盘", "description": "98 %", "url": LINK, "btntxt": "打开"});
    let article = json!({"articles": [{"title": "磁盘", "description": "98 %", "url": LINK}]});
    let bare_article = json!({"articles": [{"title": "磁盘", "url": LINK}]});
    let with_picture = json!({"articles": [{"title": "磁盘", "description": "98 %", "url": LINK, "picurl": "https://p.example.test/"}]});
    let cases: [(&[&str], &str, Value); 12] = [
        (&["disk full"], "text", text("disk full")),
        (&["-t", "text", "disk full"], "text", text("disk full")),
        (&["-t", "markdown", "**disk** `full`"], "markdown", text("**disk** `full`")),
        (&["--title", "磁盘", "--url", LINK, "98 %"], "textcard", card.clone()),
        (&["-t", "textcard", "--title", "磁盘", "--url", LINK, "98 %"], "textcard", card),
        (&["--title", "磁盘", "--url", LINK, "--btntxt", "打开", "98 %"], "textcard", card_with_label),
        (&["-t", "news", "--title", "磁盘", "--url", LINK, "98 %"], "news", article),
        (&["-t", "news", "--title", "磁盘", "--url", LINK], "news", bare_article),
        (&["--title", "磁盘", "--url", LINK, "--picurl", "https://p.example.test/", "98 %"], "news", with_picture),
        (&["--", "-5 degrees"], "text", text("-5 degrees")),
        (&["--", "--help"], "text", text("--help")),
        (&["--", "-"], "text", text("-")),
    ];
    for (args, msgtype, payload) in cases {
        let case = format!("{args:?}");
        assert_sent_silently(&case, scene.app(args).run());
        assert_eq!(last(&scene, &case).body, body_of(Channel::App, msgtype, payload), "{case}");
    }
    assert_eq!(scene.wecom.count(Endpoint::GetToken), 1);
    assert_eq!(scene.wecom.count(Endpoint::MediaUpload), 0);
}

#[test]
fn a_video_has_title_and_text() {
    let scene = Scene::new();
    let id = uploaded(&scene, Channel::App, "video");
    let cases: [(&[&str], Value); 3] = [
        (&[], json!({"media_id": id})),
        (&["--title", "Door"], json!({"media_id": id, "title": "Door"})),
        (&["--title", "Door", "opened\nat 3"], json!({"media_id": id, "title": "Door", "description": "opened\nat 3"})),
    ];
    for (args, payload) in cases {
        let case = format!("{args:?}");
        assert_sent_silently(&case, scene.app(&["-t", "video", "--media-id", &id]).args(args).stdin_open().run());
        assert_eq!(last(&scene, &case).body, body_of(Channel::App, "video", payload), "{case}");
    }
}

#[test]
fn switches_arrive_as_numbers() {
    let scene = Scene::new();
    let image = uploaded(&scene, Channel::App, "image");
    let cases: [(&[&str], Value); 10] = [
        (&["--safe", "a"], json!({"safe": 1})),
        (&["--safe=1", "a"], json!({"safe": 1})),
        (&["--safe=0", "a"], json!({"safe": 0})),
        (&["--id-trans", "$userName=lisi$"], json!({"enable_id_trans": 1})),
        (&["--duplicate-check", "10m", "b"], json!({"enable_duplicate_check": 1, "duplicate_check_interval": 600})),
        // WeCom counts in seconds: a part of one counts as one.
        (&["--duplicate-check", "1500ms", "c"], json!({"enable_duplicate_check": 1, "duplicate_check_interval": 2})),
        (&["--duplicate-check", "4h", "d"], json!({"enable_duplicate_check": 1, "duplicate_check_interval": 14_400})),
        (&["-t", "image", "--media-id", &image, "--safe"], json!({"safe": 1})),
        // A value stands only after `=`.
        (&["--safe", "2"], json!({"safe": 1})),
        (
            &["--safe=1", "--id-trans", "--duplicate-check=30s", "e"],
            json!({"safe": 1, "enable_id_trans": 1, "enable_duplicate_check": 1, "duplicate_check_interval": 30}),
        ),
    ];
    for (args, switches) in cases {
        let case = format!("{args:?}");
        assert_sent_silently(&case, scene.app(args).run());
        let arrived = last(&scene, &case);
        let mut expected = body_of(Channel::App, &arrived.msgtype, arrived.payload().clone());
        expected.as_object_mut().unwrap().extend(switches.as_object().unwrap().clone());
        assert_eq!(arrived.body, expected, "{case}");
    }
    assert_eq!(scene.wecom.messages()[8].payload()["content"], "2");
}

#[test]
fn what_has_no_place_in_a_type_is_refused() {
    let scene = Scene::new();
    let cases: [(&[&str], &str, &str); 29] = [
        (&["--source", "monitor", "text"], "--source is only for template cards", "--card text_notice"),
        (&["--button", "ack=Ack", "text"], "--button is only for template cards", "--card button_interaction"),
        (&["--option", "a=A", "text"], "--option is only for template cards", "--card vote_interaction"),
        (&["-t", "text", "--card", "text_notice", "text"], "-t text does not go with --card", "leave -t out"),
        (&["--field", "host", "text"], "\"host\" is not of the form", "host=web-1"),
        (
            &["-t", "video", "--media-id", "x", "--url", LINK],
            "--url cannot be used in a message of type video",
            "--attach",
        ),
        (&["-t", "image", "--media-id", "x", "--title", "T"], "--title cannot be used in a message of type image", ""),
        (&["-t", "image", "--media-id", "x", "text"], "a message of type image has no text", "a command of its own"),
        (&["-t", "image"], "type image needs a file", "--image PATH"),
        (&["-t", "voice"], "type voice needs a file", "--voice PATH"),
        (&["-t", "video", "text"], "type video needs a file", "--media-id"),
        (&["-t", "file"], "type file needs a file", "--file PATH"),
        (&["--media-id", "x"], "--media-id does not go with type text", "-t image"),
        (&["-t", "markdown", "--media-id", "x"], "--media-id does not go with type markdown", "-t image"),
        (&["-t", "file", "--media-id", ""], "file.media_id: empty", ""),
        (&["-t", "mpnews", "text"], "type mpnews needs its JSON", "--payload FILE"),
        (&["-t", "miniprogram_notice", "text"], "type miniprogram_notice needs its JSON", "--payload FILE"),
        (&["-t", "template_card", "text"], "type template_card needs to know which card", "--payload FILE"),
        (&["-t", "markdown_v2", "text"], "markdown_v2 is not among the app messages", "webhook-send"),
        (&["-t", "mail", "text"], "there is no message type mail", "text, image"),
        (&["-t", "mail", "--title", "T", "text"], "there is no message type mail", "text, image"),
        (&["-t", "textcard", "--url", LINK, "text"], "a textcard needs a title", "--title"),
        (&["-t", "textcard", "--title", "T", "text"], "a textcard needs a link", "--url"),
        (&["-t", "news", "--url", LINK, "text"], "an article needs a title", "--title"),
        (&["-t", "news", "--title", "T", "text"], "an article needs a link", "--url"),
        (&["--filename", "a.txt", "text"], "--filename has no file to name", "--file"),
        (&["--mention", "zhangsan", "text"], "--mention", "address their recipients already"),
        (&["-5 degrees"], "-5", "text that begins with - goes after --"),
        (&["two", "words"], "words", "quote the text"),
    ];
    for (args, message, hint) in cases {
        let case = format!("{args:?}");
        refused(&scene, &case, scene.app(args), 2).says(&case, message, hint);
    }
}

#[test]
fn switches_are_refused_where_the_type_has_none() {
    let scene = Scene::new();
    let card: &[&str] = &["--title", "T", "--url", LINK];
    let cases: [(&[&str], &str, &str); 10] = [
        (&["-t", "markdown", "--safe"], "safe: markdown messages do not have it", "leave it out"),
        (
            &["-t", "textcard", card[0], card[1], card[2], card[3], "--safe"],
            "safe: textcard messages do not have it",
            "leave it out",
        ),
        (&["-t", "news", card[0], card[1], card[2], card[3], "--safe"], "safe: news messages", "mpnews"),
        (&["--safe=2"], "safe: 2 is only for mpnews", "0 or 1"),
        (&["--safe=3"], "--safe", ""),
        (&["--safe=yes"], "--safe", ""),
        (&["-t", "markdown", "--id-trans"], "enable_id_trans: markdown messages do not have it", "leave it out"),
        (&["--duplicate-check", "5h"], "--duplicate-check: the interval is not between 1s and 4h", "4h"),
        (&["--duplicate-check", "0s"], "--duplicate-check", ""),
        (&["--duplicate-check", "10"], "--duplicate-check", "unit"),
    ];
    for (args, message, hint) in cases {
        let case = format!("{args:?}");
        refused(&scene, &case, scene.app(args).arg("text"), 2).says(&case, message, hint);
    }
}

#[test]
fn defaults_of_a_profile_stay_away_from_types_that_have_no_such_field() {
    let scene = Scene::new();
    let config = "[profiles.ops]\nsafe = 1\nid_trans = true\n";
    let text = assert_sent("text", scene.app(&["text"]).config(config).run());
    assert_eq!(text["warnings"], json!([]));
    let body = last(&scene, "text").body;
    assert_eq!((&body["safe"], &body["enable_id_trans"]), (&json!(1), &json!(1)));

    let markdown = assert_sent("markdown", scene.app(&["-t", "markdown", "text"]).config(config).run());
    let left_out = |key| format!("{key} of the settings is left out: messages of type markdown do not have it");
    assert_eq!(markdown["warnings"], json!([left_out("safe"), left_out("id_trans")]));
    let body = last(&scene, "markdown").body;
    assert_eq!((body.get("safe"), body.get("enable_id_trans")), (None, None));
}

#[test]
fn a_type_that_the_settings_misspell_is_their_fault() {
    let scene = Scene::new();
    let config = "[profiles.ops]\nmsgtype = \"mail\"\n";
    let cmd = scene.app(&["text", "--dry-run"]).config(config);
    refused(&scene, "mail", cmd, 3).says("mail", "config.toml:2:", "textcard");
    refused(&scene, "mail", scene.app(&["-t", "mail", "text"]), 2).says("mail", "no message type mail", "textcard");
}
