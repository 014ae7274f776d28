//! Files that cannot be sent: found out before anything goes out where that is possible, and else nothing is sent.

use serde_json::{Value, json};
use wecom_alert::channel::Channel;

use super::{AMR, JPEG, MIB, MP4, PNG, assert_sent, refusal, refused, uploaded};
use crate::support::fake::{Endpoint, FakeWecom, Reply};
use crate::support::{HTTP_ROUTES, ROUTES, Scene, upload_endpoint};

#[test]
fn sizes_are_checked_before_anything_is_sent() {
    let scene = Scene::new();
    type Case<'a> = (Channel, &'a str, &'a [u8], usize, &'a str);
    let cases: [Case; 9] = [
        (Channel::App, "--image", PNG, 10, "10 MB (10485760 bytes) that an app takes"),
        (Channel::App, "--image", JPEG, 10, "10 MB (10485760 bytes) that an app takes"),
        (Channel::App, "--voice", AMR, 2, "2 MB (2097152 bytes) that an app takes"),
        (Channel::App, "--video", MP4, 10, "10 MB (10485760 bytes) that an app takes"),
        (Channel::App, "--file", b"x", 20, "20 MB (20971520 bytes) that an app takes"),
        (Channel::Webhook, "--image", PNG, 2, "2 MB (2097152 bytes) that a webhook takes"),
        (Channel::Webhook, "--image", JPEG, 2, "2 MB (2097152 bytes) that a webhook takes"),
        (Channel::Webhook, "--voice", AMR, 2, "2 MB (2097152 bytes) that a webhook takes"),
        (Channel::Webhook, "--file", b"x", 20, "20 MB (20971520 bytes) that a webhook takes"),
    ];
    for (route, option, head, mib, limit) in cases {
        let size = mib * MIB + 1;
        let case = format!("{} {option} of {size}", route.as_str());
        let file = scene.env.sized_file("file", head, size);
        let refusal = refused(&scene, &case, scene.send(route, &[option]).arg(file), 2);
        refusal.says(&case, &format!("has {size} bytes, more than the {limit}"), "");
        for short in [0, 1, 5] {
            let case = format!("{} {option} of {short}", route.as_str());
            let file = scene.env.sized_file("file", head, short);
            let refusal = refused(&scene, &case, scene.send(route, &[option]).arg(file), 2);
            refusal.says(&case, &format!("has {short} bytes, and WeCom accepts only more than 5 bytes"), "");
        }
    }
    let empty = scene.group(&["--file", "-"]).stdin_null();
    refused(&scene, "empty stdin", empty, 2).says("empty stdin", "has 0 bytes", "has finished");
}

#[test]
fn formats_are_checked_by_content() {
    let scene = Scene::new();
    type Case<'a> = (Channel, &'a str, &'a [u8], &'a str, &'a str);
    let cases: [Case; 10] = [
        (Channel::App, "--image", b"GIF89a and more", "but this is GIF", "--file"),
        (Channel::App, "--image", b"%PDF-1.7", "but this is PDF", "save it as JPG or PNG"),
        (Channel::App, "--image", AMR, "but this is AMR", "--file"),
        (Channel::App, "--voice", b"ID3\x04\0\0\0\0", "but this is MP3", "ffmpeg"),
        (Channel::App, "--voice", b"#!AMR-WB\n\x04aaaa", "AMR-WB", "ffmpeg"),
        (
            Channel::App,
            "--video",
            b"\0\0\0\x14ftypqt  \0\0\0\0qt  ",
            "must be MP4 by its content, but this is QuickTime",
            "ffmpeg",
        ),
        (Channel::App, "--video", PNG, "must be MP4", "--file"),
        (Channel::Webhook, "--image", b"RIFF\x10\0\0\0WEBPVP8 ", "but this is WebP", "save it as JPG or PNG"),
        (Channel::Webhook, "--image", b"just text", "none of the formats known here", "--file"),
        (Channel::Webhook, "--voice", b"RIFF\x10\0\0\0WAVEfmt ", "but this is WAV", "ffmpeg"),
    ];
    for (route, option, content, message, hint) in cases {
        let case = format!("{} {option} {}", route.as_str(), content.escape_ascii());
        // Whatever the name says.
        let file = scene.env.file("named.png", content);
        refused(&scene, &case, scene.send(route, &[option]).arg(file), 2).says(&case, message, hint);
        let piped = scene.send(route, &[option, "-"]).stdin(content);
        refused(&scene, &case, piped, 2).says(&case, message, hint);
    }
}

#[test]
fn a_voice_message_that_is_too_long_is_refused() {
    let scene = Scene::new();
    // Frames of 32 bytes, 50 a second.
    let plays = |frames: usize| [b"#!AMR\n".to_vec(), [&[0x3c][..], &[0xaa; 31]].concat().repeat(frames)].concat();
    let (minute, longer) = (scene.env.file("minute.amr", plays(3000)), scene.env.file("longer.amr", plays(3001)));
    for route in ROUTES {
        let refusal = refused(&scene, route.as_str(), scene.send(route, &["--voice"]).arg(&longer), 2);
        refusal.says(route.as_str(), "the voice plays 61 s, more than the 60 s that WeCom takes", "-t 60");
        let upload = ["upload-media", "-t", "voice", "--route", route.as_str()];
        refused(&scene, route.as_str(), scene.cmd(&upload).arg(&longer), 2).says("upload", "61 s", "ffmpeg");
        scene.send(route, &["--voice"]).arg(&minute).run().assert_code(0);
    }
}

#[test]
fn a_picture_that_is_cut_off_is_sent_with_a_warning() {
    let scene = Scene::new();
    for (name, whole) in [("a.png", PNG), ("a.jpg", JPEG)] {
        let cut = scene.env.file(name, &whole[..10]);
        let warning = json!([format!("the picture {name} is cut off: its end is missing")]);
        for route in ROUTES {
            let run = scene.send(route, &["--image"]).arg(&cut).run().assert_code(0);
            assert_eq!(run.json()["warnings"], warning, "{name} {}", route.as_str());
            let run = scene.send(route, &["text", "--attach"]).arg(&cut).run().assert_code(0);
            assert_eq!(run.json()["warnings"], warning, "{name} {}", route.as_str());
        }
    }
}

#[test]
fn without_validation_wecom_decides() {
    let scene = Scene::new();
    let gif = scene.env.file("a.gif", b"GIF89a and more");
    let refused = refusal("gif", scene.app(&["--no-validate", "--image"]).arg(&gif).run(), 5);
    assert_eq!(refused.document["errcode"], 40004);
    let warning = "the image must be JPG or PNG by its content, but this is GIF";
    assert_eq!(refused.document["warnings"], json!([warning]));
    assert_eq!((scene.wecom.count(Endpoint::MediaUpload), scene.sends()), (1, 0));

    let run = scene.group(&["--no-validate", "--image"]).arg(&gif).run().assert_code(5);
    assert_eq!((&run.json()["errcode"], &run.json()["attempts"]), (&json!(40123), &json!(1)));
}

#[test]
fn what_cannot_be_read_is_config() {
    let scene = Scene::new();
    scene.env.file("folder/a.png", PNG);
    for route in ROUTES {
        for (path, message, hint) in [
            ("missing.png", "there is no file \"missing.png\"", "check the path"),
            ("folder/missing\n.png", "there is no file \"folder/missing\\n.png\"", "check the path"),
            ("folder", "is a folder, not a file", "name a file"),
            ("folder/a.png/b", "folder/a.png/b", ""),
            // A regular file by its looks, but what stands in it cannot be read at its start.
            #[cfg(target_os = "linux")]
            ("/proc/self/mem", "\"/proc/self/mem\" could not be read", "check the path"),
        ] {
            for option in ["--image", "--file", "--voice"] {
                let case = format!("{} {option} {path:?}", route.as_str());
                refused(&scene, &case, scene.send(route, &[option, path]), 3).says(&case, message, hint);
            }
        }
    }
}

#[cfg(unix)]
#[test]
fn a_file_without_permission_is_config() {
    use std::os::unix::fs::PermissionsExt as _;
    let scene = Scene::new();
    let file = scene.env.file("a.png", PNG);
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o000)).unwrap();
    let Some(cmd) = scene.group(&["--image"]).arg(file).held_to_modes() else { return };
    let refusal = refused(&scene, "a.png", cmd, 3);
    refusal.says("a.png", "there is no permission to read", "let the user");
}

#[test]
fn when_the_upload_fails_nothing_is_sent() {
    let cases = [
        (Reply::errcode(45001, "media file too large"), 5, Some(45001)),
        (Reply::errcode(40004, "invalid media file type"), 5, Some(40004)),
        (Reply::errcode(48002, "api forbidden"), 4, Some(48002)),
        (Reply::errcode(45009, "api freq out of limit"), 8, Some(45009)),
        (Reply::errcode(-1, "system busy"), 7, Some(-1)),
        (Reply::status(502), 7, None),
        (Reply::status(413), 3, None),
        (Reply::status(429), 8, None),
        (Reply::PortalPage, 7, None),
        // An upload that got no answer has delivered nothing.
        (Reply::CloseAfterReading, 7, None),
        (Reply::HangAfterReading, 7, None),
        (Reply::ResetAfterReading, 7, None),
        // A success without the id that it is there for.
        (Reply::Json(json!({"errcode": 0, "errmsg": "ok", "type": "file"})), 7, None),
    ];
    for route in HTTP_ROUTES {
        for (reply, code, errcode) in cases.clone() {
            let scene = Scene::with(FakeWecom::start());
            let endpoint = upload_endpoint(route);
            let case = format!("{} {reply:?}", route.as_str());
            scene.wecom.script(endpoint, [reply]);
            let file = scene.env.file("a.txt", b"123456");
            let cmd = scene.send(route, &["--timeout", "1s", "--file"]).arg(file);
            let refused = refusal(&case, cmd.run(), code);
            assert_eq!(refused.document["errcode"].as_i64(), errcode, "{case}");
            assert_eq!((scene.wecom.count(endpoint), scene.sends()), (1, 0), "{case}");
        }
    }
}

#[test]
fn an_expired_media_id_is_refused_by_wecom() {
    for route in HTTP_ROUTES {
        let scene = Scene::new();
        let id = uploaded(&scene, route, "file");
        assert_sent("fresh", scene.send(route, &["-t", "file", "--media-id", &id]).run());
        scene.wecom.expire_media();
        for id in [id.as_str(), "no-such-id"] {
            let case = format!("{} {id}", route.as_str());
            let run = scene.send(route, &["-t", "file", "--media-id", id]).run().assert_code(5);
            let document = run.json();
            let seen = (&document["status"], &document["errcode"], &document["attempts"]);
            assert_eq!(seen, (&json!("refused"), &json!(40007), &json!(1)), "{case}");
            assert_eq!(document["parts"][0]["status"], "refused", "{case}");
            assert!(document["hint"].as_str().unwrap().contains("upload the file again"), "{case}");
            assert_eq!(document["msgid"], Value::Null, "{case}");
        }
        assert_eq!(scene.wecom.messages().len(), 1);
    }
}
