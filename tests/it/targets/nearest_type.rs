//! The same message on the other route: the nearest type there that loses nothing.

use std::fs;

use serde_json::{Value, json};

use super::{app, command, group, new_scene, sends};
use crate::document::{assert_document, assert_says};
use crate::support::Scene;
use crate::support::fake::{Arrived, MediaKind, Route};

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\0IEND\xae\x42\x60\x82";
const MP4: &[u8] = b"\0\0\0\x18ftypisom\0\0\x02\0isommp41";
const AMR: &[u8] = b"#!AMR\n\x04aaaaaaaaaaaa";
const MIB: usize = 1024 * 1024;

/// What came by the app and what by the webhook.
fn by_route(scene: &Scene) -> (Arrived, Arrived) {
    let is_app = |message: &Arrived| matches!(message.route, Route::App { .. });
    let (app, group): (Vec<_>, Vec<_>) = scene.wecom.messages().into_iter().partition(is_app);
    assert_eq!((app.len(), group.len()), (1, 1));
    (app[0].clone(), group[0].clone())
}

#[test]
fn texts_keep_what_they_say() {
    let card = ["--title", "Disk", "--url", "https://example.test"];
    type Case<'a> = (&'a [&'a str], &'a [&'a str], &'a str, &'a str, Value);
    let cases: [Case; 5] = [
        (
            &["app-send", "-P", "ops"],
            &["-t", "markdown", "**full**"],
            "markdown",
            "markdown",
            json!({"content": "**full**"}),
        ),
        (
            &["webhook-send", "-P", "room"],
            &["-t", "markdown_v2", "**full**"],
            "markdown",
            "markdown_v2",
            json!({"content": "**full**"}),
        ),
        (
            &["app-send", "-P", "ops"],
            &["-t", "textcard", "90% used"],
            "textcard",
            "news",
            json!({"articles": [{"title": "Disk", "description": "90% used", "url": "https://example.test"}]}),
        ),
        (
            &["app-send", "-P", "ops"],
            &["-t", "news", "90% used"],
            "news",
            "news",
            json!({"articles": [{"title": "Disk", "description": "90% used", "url": "https://example.test"}]}),
        ),
        (
            &["webhook-send", "-P", "room"],
            &["-t", "news", "90% used"],
            "news",
            "news",
            json!({"articles": [{"title": "Disk", "description": "90% used", "url": "https://example.test"}]}),
        ),
    ];
    for (send, args, by_app, by_group, at_group) in cases {
        let (scene, case) = (new_scene(), format!("{send:?} {args:?}"));
        let other = if send[0] == "app-send" { "room" } else { "ops" };
        let options: &[&str] = if case.contains("markdown") { &[] } else { &card };
        let run = command(&scene, send).args(["--also", other]).args(args).args(options).run();
        assert_document(&run, &case, 0, &json!({"status": "sent", "warnings": []}));
        let (app, group) = by_route(&scene);
        assert_eq!((app.msgtype.as_str(), group.msgtype.as_str()), (by_app, by_group), "{case}");
        assert_eq!(group.payload(), &at_group, "{case}");
        assert!(app.body.to_string().contains(args[2]), "{case}");
    }
}

#[test]
fn files_go_up_for_each_target() {
    type Case<'a> = (&'a str, &'a [u8], usize, MediaKind, Option<MediaKind>, &'a str);
    let cases: [Case; 6] = [
        ("--image", PNG, 60_000, MediaKind::Image, None, "image"),
        ("--image", PNG, 2 * MIB, MediaKind::Image, None, "image"),
        ("--image", PNG, 2 * MIB + 1, MediaKind::Image, Some(MediaKind::File), "file"),
        ("--video", MP4, 60_000, MediaKind::Video, Some(MediaKind::File), "file"),
        ("--voice", AMR, 19, MediaKind::Voice, Some(MediaKind::Voice), "voice"),
        ("--file", b"report", 60_000, MediaKind::File, Some(MediaKind::File), "file"),
    ];
    for (option, head, size, at_app, at_group, msgtype) in cases {
        let (scene, case) = (new_scene(), format!("{option} {size}"));
        let path = scene.env.sized_file("thing", head, size);
        let run = app(&scene, &["--also", "room", option]).arg(&path).run();
        assert_document(&run, &case, 0, &json!({"status": "sent", "attempts": 2, "warnings": []}));
        let (app, group) = by_route(&scene);
        assert_eq!((app.msgtype.as_str(), group.msgtype.as_str()), (at_app.name(), msgtype), "{case}");
        let uploads = scene.wecom.uploads();
        let kinds = |is_app: bool| -> Vec<MediaKind> {
            uploads
                .iter()
                .filter(|upload| matches!(upload.route, Route::App { .. }) == is_app)
                .map(|upload| upload.kind)
                .collect()
        };
        assert_eq!((kinds(true), kinds(false)), (vec![at_app], at_group.into_iter().collect()), "{case}");
        assert!(uploads.iter().all(|upload| upload.bytes == fs::read(&path).unwrap()), "{case}");
    }
}

#[test]
fn standard_input_can_be_a_file_for_both() {
    let scene = new_scene();
    let run = group(&scene, &["--also", "ops", "--filename", "a.log", "--file", "-"]).stdin("0123456789").run();
    assert_document(&run, "stdin", 0, &json!({"status": "sent"}));
    let uploads = scene.wecom.uploads();
    assert_eq!(uploads.len(), 2);
    assert!(uploads.iter().all(|upload| upload.bytes == b"0123456789" && upload.filename == b"a.log"));
}

#[test]
fn a_type_that_the_other_route_lacks_fails_for_that_target_alone() {
    let scene = new_scene();
    let whole =
        scene.env.file("whole.json", r#"{"touser": "lisi", "msgtype": "text", "text": {"content": "disk full"}}"#);
    let notice = scene.env.file("notice.json", r#"{"msgtype": "miniprogram_notice", "miniprogram_notice": {"appid": "wx0000000000000000", "title": "disk full"}}"#);
    for (payload, message) in [(whole, "touser"), (notice, "miniprogram_notice")] {
        let case = payload.display().to_string();
        let before = sends(&scene);
        let told = assert_document(
            &app(&scene, &["--also", "room", "--payload"]).arg(payload).run(),
            &case,
            6,
            &json!({"status": "partial"}),
        );
        assert_says(&told["targets"][1], &case, "message", &[message]);
        assert_eq!(told["targets"][1]["status"], "usage", "{case}");
        assert_eq!(sends(&scene), [before[0] + 1, before[1]], "{case}");
    }
    let file = scene.env.sized_file("thing", b"report", 1000);
    let run = command(&scene, &["upload-media", "-P", "room"]).arg(file).run().assert_code(0);
    let media_id = run.stdout.split('"').find(|word| word.starts_with("test-media-")).unwrap().to_owned();
    let run = group(&scene, &["--also", "ops", "-t", "file", "--media-id", &media_id]).run();
    let told = assert_document(&run, "media_id", 6, &json!({"status": "partial"}));
    assert_says(&told, "media_id", "message", &["1 of 2 targets", "ops (app)", "media_id"]);
    assert_says(&told, "media_id", "hint", &["--file"]);
}

/// What goes under the type goes to both, as it is.
#[test]
fn a_payload_goes_as_it_is() {
    let scene = new_scene();
    let run =
        app(&scene, &["--also", "room", "-t", "text", "--payload", "-"]).stdin(r#"{"content": "disk  full"}"#).run();
    assert_document(&run, "payload", 0, &json!({"status": "sent"}));
    let (app, group) = by_route(&scene);
    assert_eq!(
        (app.payload(), group.payload()),
        (&json!({"content": "disk  full"}), &json!({"content": "disk  full"}))
    );
}

/// The limit is that of each target.
#[test]
fn each_target_splits_by_its_own_limit() {
    let scene = new_scene();
    let text = "0123456789 disk full\n".repeat(150);
    let run = group(&scene, &["--also", "ops", "-t", "markdown"]).stdin(&*text).run();
    let told = assert_document(&run, "long", 0, &json!({"status": "sent", "attempts": 3}));
    let parts = [0, 1].map(|at| told["targets"][at]["parts"].as_array().unwrap().len());
    assert_eq!(parts, [1, 2]);
}
