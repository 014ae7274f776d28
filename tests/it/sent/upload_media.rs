//! `upload-media`: a file in, a media_id out, on either route.

use std::fs;

use serde_json::{Value, json};
use wecom_alert::channel::Channel;

use super::{AMR, JPEG, MIB, MP4, PNG, assert_sent, last_upload, refusal, refused};
use crate::support::fake::{Endpoint, MediaKind, Reply, SECRET, WEBHOOK_KEY};
use crate::support::{Cmd, HTTP_ROUTES, Scene};

fn upload(scene: &Scene, route: Channel, args: &[&str]) -> Cmd {
    scene.cmd(&["upload-media", "--route", route.as_str()]).args(args)
}

#[test]
fn the_media_id_stands_alone_on_a_line() {
    let scene = Scene::new();
    let file = scene.env.file("报告.txt", b"123456");
    for route in HTTP_ROUTES {
        let cmd = scene.env.cmd(["upload-media", "--route", route.as_str()]).arg(&file);
        let run = cmd.base_url(&scene.wecom).app_credentials().webhook().run().assert_code(0);
        let upload = last_upload(&scene, route.as_str());
        assert_eq!(run.stdout, format!("{}\n", upload.media_id));
        assert_eq!(run.stderr, "");
        assert_eq!((upload.filename.as_slice(), upload.bytes.as_slice()), ("报告.txt".as_bytes(), &b"123456"[..]));
    }
    assert_eq!(scene.sends(), 0);
}

#[test]
fn the_document_tells_all_of_it() {
    let scene = Scene::new();
    let file = scene.env.file("a.png", PNG);
    for (route, kind) in [(Channel::App, "image"), (Channel::Webhook, "file")] {
        let run = upload(&scene, route, &[]).arg(&file).run().assert_code(0);
        let document = run.json();
        let expected = json!({
            "ok": true, "status": "ok", "exit_code": 0, "message": null, "hint": null, "warnings": [],
            "route": route.as_str(), "parts": [], "attempts": 0, "retryable": false, "type": kind,
            "media_id": last_upload(&scene, kind).media_id,
        });
        for (field, value) in expected.as_object().unwrap() {
            assert_eq!(&document[field], value, "{field}\n{}", run.all());
        }
        let created_at = document["created_at"].as_str().unwrap();
        assert!(created_at.parse::<u64>().is_ok(), "{created_at}");
        assert_eq!(run.stderr, "");
        // It is good for a message at once.
        let id = document["media_id"].as_str().unwrap();
        assert_sent(kind, scene.send(route, &["-t", kind, "--media-id", id]).run());
    }
}

#[test]
fn the_kind_is_as_asked_for_or_by_content() {
    let scene = Scene::new();
    type Case<'a> = (Channel, &'a [&'a str], &'a [u8], MediaKind);
    let cases: [Case; 14] = [
        (Channel::App, &[], PNG, MediaKind::Image),
        (Channel::App, &[], JPEG, MediaKind::Image),
        (Channel::App, &[], AMR, MediaKind::Voice),
        (Channel::App, &[], MP4, MediaKind::Video),
        (Channel::App, &[], b"just text", MediaKind::File),
        (Channel::App, &["-t", "file"], PNG, MediaKind::File),
        (Channel::App, &["--type", "file"], MP4, MediaKind::File),
        (Channel::App, &["--type=voice"], AMR, MediaKind::Voice),
        (Channel::Webhook, &[], PNG, MediaKind::File),
        (Channel::Webhook, &[], AMR, MediaKind::Voice),
        (Channel::Webhook, &[], MP4, MediaKind::File),
        (Channel::Webhook, &[], b"just text", MediaKind::File),
        (Channel::Webhook, &["-t", "file"], AMR, MediaKind::File),
        (Channel::Webhook, &["-t", "voice"], AMR, MediaKind::Voice),
    ];
    for (route, args, content, kind) in cases {
        let case = format!("{} {args:?} {}", route.as_str(), content.escape_ascii());
        let file = scene.env.file("misleading.doc", content);
        for cmd in [upload(&scene, route, args).arg(file), upload(&scene, route, args).arg("-").stdin(content)] {
            let run = cmd.run().assert_code(0);
            assert_eq!(run.json()["type"], kind.name(), "{case}");
            let arrived = last_upload(&scene, &case);
            assert_eq!((arrived.kind, arrived.bytes.as_slice()), (kind, content), "{case}");
        }
    }
}

#[test]
fn the_route_is_the_one_that_the_profile_has() {
    let scene = Scene::new();
    let file = scene.env.file("a.txt", b"123456");
    let config = format!(
        "[profiles.app]\ncorp_id = \"ww0000000000000000\"\nsecret = \"{SECRET}\"\n\
         [profiles.room]\nwebhook = \"{WEBHOOK_KEY}\"\n\
         [profiles.both]\ncorp_id = \"ww0000000000000000\"\nsecret = \"{SECRET}\"\nwebhook = \"{WEBHOOK_KEY}\"\n"
    );
    let cmd = |profile: &str, args: &[&str]| {
        let cmd = scene.env.cmd(["--output", "json", "upload-media", "-P", profile]).args(args).arg(&file);
        cmd.config(&config).base_url(&scene.wecom)
    };
    // An app's upload needs no agent_id.
    for (profile, args, route) in [
        ("app", &[][..], "app"),
        ("room", &[], "webhook"),
        ("both", &["--route", "app"], "app"),
        ("both", &["--route", "webhook"], "webhook"),
    ] {
        let document = cmd(profile, args).run().assert_code(0).json();
        assert_eq!((&document["route"], &document["profile"]), (&json!(route), &json!(profile)));
    }
    let both = refused(&scene, "both", cmd("both", &[]), 2);
    both.says("both", "both an app and a webhook", "--route app or --route webhook");
    let app = refused(&scene, "app", cmd("app", &["--route", "webhook"]), 3);
    app.says("app", "webhook is not set", "WECOM_ALERT_WEBHOOK");
    let room = refused(&scene, "room", cmd("room", &["--route", "app"]), 3);
    room.says("room", "corp_id, secret are not set", "WECOM_ALERT_CORP_ID");
    let none = scene.env.cmd(["--output", "json", "upload-media"]).arg(&file);
    fs::remove_file(scene.env.config_file()).unwrap();
    refused(&scene, "none", none.base_url(&scene.wecom), 3).says(
        "none",
        "no app and no webhook",
        "write a config file",
    );
    assert_eq!(scene.wecom.count(Endpoint::MediaUpload), 2);
    assert_eq!(scene.wecom.count(Endpoint::WebhookUploadMedia), 2);
}

#[test]
fn the_filename_of_a_file_and_of_stdin() {
    let scene = Scene::new();
    let log = scene.env.file("df.log", "磁盘\n");
    for route in HTTP_ROUTES {
        let case = route.as_str();
        let cases: [(Cmd, &str, &[u8]); 4] = [
            (upload(&scene, route, &["--filename", "新 name.txt"]).arg(&log), "新 name.txt", "磁盘\n".as_bytes()),
            (upload(&scene, route, &["-"]).stdin("piped\r\n"), "stdin.txt", b"piped\r\n"),
            (upload(&scene, route, &["--filename", "a.csv", "-"]).stdin("a,b,c\n"), "a.csv", b"a,b,c\n"),
            (upload(&scene, route, &["-"]).stdin_from(fs::File::open(&log).unwrap()), "stdin.txt", "磁盘\n".as_bytes()),
        ];
        for (cmd, name, content) in cases {
            cmd.run().assert_code(0);
            let upload = last_upload(&scene, case);
            assert_eq!((upload.filename.as_slice(), upload.bytes.as_slice()), (name.as_bytes(), content), "{case}");
        }
    }
}

#[test]
fn what_cannot_be_uploaded_is_refused_here() {
    let scene = Scene::new();
    let text = scene.env.file("a.txt", b"just text");
    let short = scene.env.file("short", b"12345");
    let large = scene.env.sized_file("large", b"x", 20 * MIB + 1);
    let [text, short, large] = [&text, &short, &large].map(|path| path.to_str().unwrap());
    let cases: [(Channel, &[&str], i32, &str); 13] = [
        (Channel::App, &["-t", "image", text], 2, "must be JPG or PNG"),
        (Channel::App, &["-t", "voice", text], 2, "must be AMR"),
        (Channel::App, &["-t", "video", text], 2, "the video must be MP4 by its content"),
        (Channel::App, &["-t", "music", text], 2, "the media type \"music\" is not image, voice, video or file"),
        (Channel::Webhook, &["-t", "image", text], 2, "voice and file, not image"),
        (Channel::Webhook, &["-t", "video", text], 2, "voice and file, not video"),
        (Channel::App, &[short], 2, "has 5 bytes"),
        (Channel::Webhook, &[short], 2, "has 5 bytes"),
        (Channel::App, &[large], 2, "has 20971521 bytes"),
        (Channel::Webhook, &[large], 2, "has 20971521 bytes"),
        (Channel::App, &["missing"], 3, "there is no file \"missing\""),
        (Channel::App, &["."], 3, "is a folder"),
        (Channel::App, &[], 2, "FILE"),
    ];
    for (route, args, code, message) in cases {
        let case = format!("{} {args:?}", route.as_str());
        refused(&scene, &case, upload(&scene, route, args), code).says(&case, message, "");
    }
    let endless = refused(&scene, "stdin", upload(&scene, Channel::App, &["-"]).stdin(vec![b'x'; 20 * MIB + 1]), 2);
    endless.says("stdin", "stdin has more than 20971520 bytes", "");
}

#[test]
fn a_refusal_by_wecom_has_its_class() {
    let scene = Scene::new();
    let file = scene.env.file("a.txt", b"123456");
    for (reply, code, errcode) in [
        (Reply::errcode(45001, "media file too large"), 5, json!(45001)),
        (Reply::errcode(60020, "not allow to access from your ip, from ip: 203.0.113.7"), 4, json!(60020)),
        (Reply::errcode(45009, "api freq out of limit"), 8, json!(45009)),
        (Reply::HangAfterReading, 7, Value::Null),
        (Reply::status(503), 7, Value::Null),
    ] {
        let case = format!("{reply:?}");
        scene.wecom.script(Endpoint::MediaUpload, [reply]);
        let refused = refusal(&case, upload(&scene, Channel::App, &["--timeout", "1s"]).arg(&file).run(), code);
        assert_eq!(refused.document["errcode"], errcode, "{case}");
        assert_eq!(refused.document["media_id"], Value::Null, "{case}");
    }
    scene.wecom.remove_webhook(WEBHOOK_KEY);
    let removed = refusal("removed", upload(&scene, Channel::Webhook, &[]).arg(&file).run(), 4);
    assert_eq!(removed.document["errcode"], 93000);
}

/// A bar is for terminals: what large uploads write into pipes is the result alone.
#[test]
fn a_large_upload_is_silent_in_pipes() {
    let scene = Scene::new();
    let file = scene.env.sized_file("large.bin", b"x", 3 * MIB);
    let run = scene.env.cmd(["upload-media"]).arg(file).base_url(&scene.wecom).webhook().run().assert_code(0);
    assert_eq!(run.stderr, "");
    assert_eq!(run.stdout, format!("{}\n", last_upload(&scene, "large").media_id));
}

#[test]
fn the_profiles_route_counts_before_the_environments() {
    let scene = Scene::new();
    let file = scene.env.file("a.txt", b"123456");
    let config = format!("[profiles.room]\nwebhook = \"{WEBHOOK_KEY}\"\n");
    let cmd = scene.env.cmd(["upload-media", "--output", "json", "-P", "room"]).arg(&file).config(&config);
    let run = cmd.base_url(&scene.wecom).app_credentials().run().assert_code(0);
    assert_eq!(run.json()["route"], "webhook", "{}", run.all());
}
