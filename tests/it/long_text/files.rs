//! A text far over the limit: one message with head and tail, and the whole as a file behind it.

use chrono::{Duration, Utc};
use serde_json::{Value, json};
use wecom_alert::channel::Channel;

use super::{CARD, KINDS, TEXT, asked, lines, missing, text_in};
use crate::document::assert_document;
use crate::support::fake::{MediaKind, Upload};
use crate::support::{Scene, at_once};

const MP4: &[u8] = b"\0\0\0\x18ftypisom\0\0\x02\0isommp41";

fn name_of(upload: &Upload) -> &str {
    std::str::from_utf8(&upload.filename).unwrap()
}

/// The time now where it is eight hours later than in London in winter.
fn now() -> String {
    (Utc::now() + Duration::hours(8)).format("%Y%m%d-%H%M%S").to_string()
}

/// `alert-HOST-YYYYMMDD-HHMMSS.txt`, made between those two times.
#[track_caller]
fn check_name(case: &str, name: &str, since: &str) {
    let stem = name.strip_suffix(".txt").unwrap_or_else(|| panic!("{case}: {name}"));
    let (host, stamp) = stem.split_at(stem.len() - "YYYYMMDD-HHMMSS".len());
    assert!(since <= stamp && stamp <= &*now(), "{case}: {name}");
    let host = host.strip_prefix("alert-").and_then(|host| host.strip_suffix('-')).unwrap_or_default();
    let real = gethostname::gethostname().to_string_lossy().into_owned();
    assert!(!host.is_empty() && (real.starts_with(host) || !real.is_ascii()), "{case}: {name}, not {real}");
}

#[test]
fn more_than_five_parts_become_a_file() {
    at_once(KINDS, |kind| {
        let (scene, case, since) = (Scene::new(), kind.name(), now());
        let text = kind.lines(kind.limit * 6);
        let told = assert_document(
            &kind.cmd(&scene, &text).env("TZ", "CST-8").run(),
            &case,
            0,
            &json!({"status": "sent", "attempts": 2, "warnings": []}),
        );
        assert_eq!(asked(&scene, kind.route), [2, 1], "{case}");
        let (messages, uploads) = (scene.wecom.messages(), scene.wecom.uploads());
        let shown = text_in(&messages[0]);
        assert!(shown.len() <= kind.limit && !shown.starts_with('('), "{case}: {shown}");
        let (head, tail) = missing(&case, &text, &shown);
        assert!(head.len() > kind.limit / 4 && tail.len() > kind.limit / 4, "{case}: {shown}");
        assert!(
            head.trim_end_matches(kind.line_break()).ends_with('l') && tail.starts_with(|c: char| c.is_ascii_digit()),
            "{case}: {shown}"
        );
        assert_eq!((uploads[0].kind, &uploads[0].bytes[..]), (MediaKind::File, kind.plain(&text).as_bytes()), "{case}");
        check_name(&case, name_of(&uploads[0]), &since);
        let note = format!("the whole text follows as {}{}", name_of(&uploads[0]), kind.line_break());
        assert!(shown.contains(&note), "{case}: {shown}");
        let file = json!({"media_id": uploads[0].media_id});
        assert_eq!((messages[1].msgtype.as_str(), messages[1].payload()), ("file", &file), "{case}");
        let kinds: Vec<_> = told["parts"].as_array().unwrap().iter().map(|part| part["kind"].clone()).collect();
        assert_eq!(kinds, ["message", "attachment"], "{case}");
    });
}

#[test]
fn the_file_holds_the_cleaned_text() {
    let scene = Scene::new();
    let clean = lines(TEXT * 8);
    let raw = format!("\u{feff}\x1b[31m{}\x1b[0m\r\n\r\n", clean.replace('\n', "\r\n"));
    scene.send(Channel::Webhook, &[]).stdin(raw).run().assert_code(0);
    assert_eq!(String::from_utf8(scene.wecom.uploads()[0].bytes.clone()).unwrap(), clean);
}

#[test]
fn a_file_can_be_asked_for_and_one_that_fits_needs_none() {
    at_once(KINDS, |kind| {
        for (bytes, uploads) in [(kind.limit, 0), (kind.too_many(), 1)] {
            let (scene, case, text) = (Scene::new(), format!("{} of {bytes} bytes", kind.name()), kind.lines(bytes));
            kind.cmd(&scene, &text).args(["--on-long", "file"]).run().assert_code(0);
            assert_eq!(asked(&scene, kind.route), [1 + uploads, uploads], "{case}");
            let arrived = scene.wecom.uploads();
            assert!(arrived.iter().all(|upload| upload.bytes == kind.plain(&text).as_bytes()), "{case}");
        }
    });
}

/// A video would have to go up once more for each part.
#[test]
fn a_videos_text_is_never_parted() {
    for args in [&[][..], &["--on-long", "split"], &["--on-long", "file"]] {
        let scene = Scene::new();
        let video = scene.env.file("clip.mp4", MP4);
        let text = lines(1000);
        let cmd = scene.send(Channel::App, &["--text-file", "-", "--video"]).arg(video).args(args).stdin(&*text);
        assert_document(&cmd.run(), "video", 0, &json!({"status": "sent", "attempts": 2}));
        let (messages, uploads) = (scene.wecom.messages(), scene.wecom.uploads());
        assert_eq!(asked(&scene, Channel::App), [2, 2], "{args:?}");
        assert_eq!([uploads[0].kind, uploads[1].kind], [MediaKind::Video, MediaKind::File], "{args:?}");
        assert_eq!(messages[0].payload()["media_id"], uploads[0].media_id, "{args:?}");
        missing("video", &text, &text_in(&messages[0]));
        assert_eq!(uploads[1].bytes, text.as_bytes(), "{args:?}");
    }
}

#[test]
fn what_holds_for_the_message_holds_for_the_file() {
    let text = lines(TEXT * 6);
    let cases: [(&[&str], Value, Value); 3] = [
        (&["--safe"], json!({"safe": 1}), json!({"safe": 1})),
        // A file has no text in which an id could be replaced.
        (&["--id-trans"], json!({"enable_id_trans": 1}), json!({})),
        (
            &["--duplicate-check", "10m"],
            json!({"enable_duplicate_check": 1, "duplicate_check_interval": 600}),
            json!({"enable_duplicate_check": 1, "duplicate_check_interval": 600}),
        ),
    ];
    for (args, of_message, of_file) in cases {
        let scene = Scene::new();
        let run = scene.send(Channel::App, &["--to-party", "1"]).args(args).stdin(&*text).run();
        assert_document(&run, &format!("{args:?}"), 0, &json!({"status": "sent", "warnings": []}));
        let uploads = scene.wecom.uploads();
        let common = json!({"touser": "zhangsan", "toparty": "1", "agentid": 1_000_002});
        for (message, own) in scene.wecom.messages().into_iter().zip([of_message, of_file]) {
            let mut expected = common.as_object().unwrap().clone();
            expected.extend(own.as_object().unwrap().clone());
            let mut body = message.body.as_object().unwrap().clone();
            body.retain(|field, _| field != "msgtype" && *field != message.msgtype);
            assert_eq!(Value::from(body), Value::from(expected), "{args:?} {}", message.msgtype);
        }
        assert_eq!(uploads.len(), 1, "{args:?}");
    }
}

/// What the settings ask for and a type does not have is left out, and the file has it.
#[test]
fn a_confidential_markdown_message_says_that_it_is_none() {
    let scene = Scene::new();
    let run = scene.send(Channel::App, &["-t", "markdown"]).config("safe = 1").stdin(lines(20_000)).run();
    let told = assert_document(&run, "markdown", 0, &json!({"status": "sent"}));
    assert_eq!(told["warnings"].as_array().unwrap().len(), 1, "{told}");
    let messages = scene.wecom.messages();
    assert_eq!([messages[0].body.get("safe"), messages[1].body.get("safe")], [None, Some(&json!(1))]);
}

/// The limit of an upload is below that of the input.
#[test]
fn what_one_file_cannot_hold_goes_in_two() {
    let scene = Scene::new();
    let text = format!("{}\n{}", "x".repeat(10_500_000), "y".repeat(10_400_000));
    let run = scene.send(Channel::Webhook, &["-t", "news"]).args(CARD).stdin(&*text).run();
    let told = assert_document(&run, "two files", 0, &json!({"status": "sent", "attempts": 3}));
    let uploads = scene.wecom.uploads();
    assert_eq!([&uploads[0].bytes[..], &uploads[1].bytes].concat(), text.as_bytes());
    assert!(uploads[0].bytes.ends_with(b"x\n") && uploads.len() == 2);
    let names = [name_of(&uploads[0]), name_of(&uploads[1])];
    assert!(names[0].ends_with("-1of2.txt") && names[1].ends_with("-2of2.txt"), "{names:?}");
    let shown = text_in(&scene.wecom.messages()[0]);
    assert!(names.iter().all(|name| shown.contains(name)), "{shown}");
    assert_eq!(told["parts"].as_array().unwrap().len(), 3);
}
