//! Files that are uploaded and sent in one step, and pictures that stand in the message itself.

use std::fs;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest as _, Md5};
use serde_json::{Value, json};
use wecom_alert::channel::Channel;

use super::{AMR, JPEG, MIB, MP4, PNG, assert_sent_silently, body_of, last, last_upload, refused};
use crate::support::fake::{Endpoint, MediaKind, Seen};
use crate::support::{HTTP_ROUTES, Scene, send_endpoint, upload_endpoint};

fn upload_request(scene: &Scene, route: Channel) -> Seen {
    scene.wecom.requests().into_iter().rfind(|seen| seen.endpoint == upload_endpoint(route)).unwrap()
}

/// Names lie on purpose: a file is what its content says.
#[test]
fn files_are_uploaded_and_then_sent() {
    type Case<'a> = (Channel, &'a str, &'a str, &'a [u8], MediaKind, &'a str);
    let cases: [Case; 17] = [
        (Channel::App, "--image", "picture.txt", PNG, MediaKind::Image, "image/png"),
        (Channel::App, "--image", "picture.png", JPEG, MediaKind::Image, "image/jpeg"),
        (Channel::App, "--voice", "voice.mp3", AMR, MediaKind::Voice, "audio/amr"),
        (Channel::App, "--video", "clip.avi", MP4, MediaKind::Video, "video/mp4"),
        (Channel::App, "--file", "report", b"123456", MediaKind::File, "application/octet-stream"),
        (Channel::App, "--file", "picture.txt", PNG, MediaKind::File, "image/png"),
        (
            Channel::App,
            "--file",
            "binary.bin",
            b"\0\r\n--\r\n\xff\xfe\r\n",
            MediaKind::File,
            "application/octet-stream",
        ),
        (Channel::Webhook, "--file", "report.pdf", b"123456", MediaKind::File, "application/octet-stream"),
        (Channel::Webhook, "--file", "clip.mp4", MP4, MediaKind::File, "video/mp4"),
        (Channel::Webhook, "--file", "picture.png", PNG, MediaKind::File, "image/png"),
        (Channel::Webhook, "--voice", "voice.txt", AMR, MediaKind::Voice, "audio/amr"),
        (Channel::Webhook, "--file", "磁盘.log", "磁盘已满\n".as_bytes(), MediaKind::File, "application/octet-stream"),
        (Channel::Chat, "--image", "picture.txt", PNG, MediaKind::Image, "image/png"),
        (Channel::Chat, "--voice", "voice.mp3", AMR, MediaKind::Voice, "audio/amr"),
        (Channel::Chat, "--video", "clip.avi", MP4, MediaKind::Video, "video/mp4"),
        (Channel::Chat, "--file", "磁盘.log", "磁盘已满\n".as_bytes(), MediaKind::File, "application/octet-stream"),
        (Channel::Webhook, "--file", "a.json", b"{\"a\":1}", MediaKind::File, "application/octet-stream"),
    ];
    for (route, option, name, content, kind, content_type) in cases {
        let scene = Scene::new();
        let case = format!("{} {option} {name}", route.as_str());
        let file = scene.env.file(format!("folder/{name}"), content);
        assert_sent_silently(&case, scene.send(route, &[option]).arg(file).stdin_open().run());
        let upload = last_upload(&scene, &case);
        assert_eq!((upload.kind, upload.bytes.as_slice()), (kind, content), "{case}");
        assert_eq!(String::from_utf8(upload.filename).unwrap(), name, "{case}");
        assert_eq!(upload.content_type, content_type, "{case}");
        let payload = json!({"media_id": upload.media_id});
        assert_eq!(last(&scene, &case).body, body_of(route, kind.name(), payload), "{case}");

        let endpoints: Vec<Endpoint> = scene.wecom.requests().iter().map(|seen| seen.endpoint).collect();
        let expected = match route {
            Channel::App => vec![Endpoint::GetToken, Endpoint::MediaUpload, Endpoint::MessageSend],
            Channel::Webhook => vec![Endpoint::WebhookUploadMedia, Endpoint::WebhookSend],
            Channel::Chat => vec![Endpoint::GetToken, Endpoint::MediaUpload, Endpoint::AppchatSend],
            Channel::Aibot => vec![upload_endpoint(route), send_endpoint(route)],
        };
        assert_eq!(endpoints, expected, "{case}");
        let request = upload_request(&scene, route);
        assert_eq!(request.parameter("type"), Some(kind.name()), "{case}");
        assert_eq!(request.header("content-length"), Some(request.body.len().to_string().as_str()), "{case}");
        assert_eq!((request.chunked, request.header("transfer-encoding")), (false, None), "{case}");
    }
}

#[test]
fn a_picture_for_a_group_stands_in_the_message() {
    let scene = Scene::new();
    let large = scene.env.sized_file("large.png", PNG, 2 * MIB);
    for (name, content) in [("a.png", PNG.to_vec()), ("photo", JPEG.to_vec()), ("large", fs::read(large).unwrap())] {
        let file = scene.env.file(name, &content);
        assert_sent_silently(name, scene.group(&["--image"]).arg(file).run());
        let arrived = last(&scene, name);
        let md5: String = Md5::digest(&content).iter().map(|byte| format!("{byte:02x}")).collect();
        let payload = json!({"base64": STANDARD.encode(&content), "md5": md5});
        assert!(arrived.body == body_of(Channel::Webhook, "image", payload), "{name}");
    }
    assert!(scene.wecom.requests().iter().all(|seen| seen.endpoint == Endpoint::WebhookSend));
    assert_eq!(scene.wecom.requests().len(), 3);
}

#[test]
fn a_video_has_title_and_text_and_switches() {
    let scene = Scene::new();
    let file = scene.env.file("clip.mp4", MP4);
    let cmd = scene.app(&["--title", "Door", "--safe", "opened at 3", "--video"]).arg(&file);
    assert_sent_silently("clip", cmd.run());
    let id = last_upload(&scene, "clip").media_id;
    let mut expected =
        body_of(Channel::App, "video", json!({"media_id": id, "title": "Door", "description": "opened at 3"}));
    expected["safe"] = json!(1);
    assert_eq!(last(&scene, "clip").body, expected);
    // Text from stdin is for whoever asks for it.
    let cmd = scene.app(&["--text-file", "-", "--video"]).arg(&file).stdin("from stdin");
    assert_sent_silently("stdin", cmd.run());
    assert_eq!(last(&scene, "stdin").payload()["description"], "from stdin");
}

#[test]
fn confidential_files_are_of_kinds_that_can_be() {
    let scene = Scene::new();
    let file = scene.env.file("report.zip", b"123456");
    let zip = scene.app(&["--safe", "--file"]).arg(&file);
    refused(&scene, "zip", zip, 2).says("zip", "report.zip cannot be sent with --safe", "--filename");
    let named = scene.app(&["--safe", "--filename", "report.PDF", "--file"]).arg(&file);
    assert_sent_silently("pdf", named.run());
    assert_eq!(last(&scene, "pdf").body["safe"], 1);
    // What counts is the name that goes out.
    let blanks = scene.app(&["--safe", "--filename", "a.zip/report.txt ", "--file"]).arg(&file);
    assert_sent_silently("blanks", blanks.run());
    let broken = scene.app(&["--safe", "--filename", "report.txt\n.zip", "--file"]).arg(&file);
    refused(&scene, "broken", broken, 2).says("broken", "report.txt.zip cannot be sent with --safe", "");
    assert_sent_silently("open", scene.app(&["--safe=0", "--file"]).arg(&file).run());
}

/// From a pipe and from a redirected file, with every kind of name.
#[test]
fn stdin_is_a_file_too() {
    let scene = Scene::new();
    let log = scene.env.file("磁盘.log", "磁盘已满\n");
    let cases: [(&[&str], &[u8], &str); 4] = [
        (&[], "磁盘已满\r\n\0".as_bytes(), "stdin"),
        (&[], "磁盘已满\r\n".as_bytes(), "stdin.txt"),
        (&["--filename", "df 报告.log"], b"\x1b[31mred", "df 报告.log"),
        (&["--filename", "../../a/b.txt"], b"123456", "b.txt"),
    ];
    for route in HTTP_ROUTES {
        for (args, content, name) in cases {
            let case = format!("{} {args:?} {name}", route.as_str());
            assert_sent_silently(&case, scene.send(route, args).args(["--file", "-"]).stdin(content).run());
            let upload = last_upload(&scene, &case);
            assert_eq!(upload.bytes, content, "{case}: a file is never cleaned");
            assert_eq!(String::from_utf8(upload.filename).unwrap(), name, "{case}");
            let request = upload_request(&scene, route);
            assert_eq!(request.header("content-length"), Some(request.body.len().to_string().as_str()), "{case}");
            assert!(!request.chunked, "{case}");
        }
        let case = format!("{} redirected", route.as_str());
        let redirected = scene.send(route, &["--file", "-"]).stdin_from(fs::File::open(&log).unwrap());
        assert_sent_silently(&case, redirected.run());
        assert_eq!(last_upload(&scene, &case).bytes, "磁盘已满\n".as_bytes(), "{case}");
    }
    assert_sent_silently("image", scene.group(&["--image", "-"]).stdin(PNG).run());
    assert_eq!(last(&scene, "image").payload()["base64"], STANDARD.encode(PNG));
    assert_sent_silently("voice", scene.app(&["--voice", "-"]).stdin(AMR).run());
    assert_eq!(last_upload(&scene, "voice").kind, MediaKind::Voice);
}

#[cfg(unix)]
#[test]
fn a_file_may_come_through_a_fifo() {
    let scene = Scene::new();
    let fifo = super::text_sources::fed_fifo(&scene, "report.txt", b"123456");
    assert_sent_silently("fifo", scene.app(&["--file"]).arg(fifo).run());
    let upload = last_upload(&scene, "fifo");
    assert_eq!((upload.filename.as_slice(), upload.bytes.as_slice()), (&b"report.txt"[..], &b"123456"[..]));
}

#[test]
fn the_largest_files_arrive_whole() {
    let scene = Scene::new();
    let cases: [(Channel, &str, &[u8], usize); 4] = [
        (Channel::App, "--image", PNG, 10 * MIB),
        (Channel::App, "--voice", AMR, 6),
        (Channel::App, "--video", MP4, 10 * MIB),
        (Channel::Webhook, "--file", b"x", 20 * MIB),
    ];
    for (route, option, head, size) in cases {
        let case = format!("{} {option} of {size}", route.as_str());
        let file = scene.env.sized_file("large", head, size);
        // No bar is drawn where no terminal is.
        assert_sent_silently(&case, scene.send(route, &[option]).arg(&file).run());
        let upload = last_upload(&scene, &case);
        assert!(upload.bytes == fs::read(&file).unwrap(), "{case}");
    }
}

#[test]
fn an_upload_with_a_stale_token_is_made_again_whole() {
    let scene = Scene::new();
    let content: Vec<u8> = (0..300_000_u32).map(|i| (i % 251) as u8).collect();
    let file = scene.env.file("a.bin", &content);
    assert_sent_silently("warm", scene.app(&["text"]).run());
    scene.wecom.revoke_tokens();
    assert_sent_silently("stale", scene.app(&["--file"]).arg(file).run());
    assert_eq!(scene.wecom.count(Endpoint::GetToken), 2);
    assert_eq!(scene.wecom.count(Endpoint::MediaUpload), 2);
    assert_eq!(scene.wecom.count(Endpoint::MessageSend), 2);
    let uploads = scene.wecom.uploads();
    assert!(uploads.len() == 1 && uploads[0].bytes == content);
    let requests: Vec<Seen> =
        scene.wecom.requests().into_iter().filter(|seen| seen.endpoint == Endpoint::MediaUpload).collect();
    let lengths: Vec<Option<&str>> = requests.iter().map(|seen| seen.header("content-length")).collect();
    assert!(lengths[0].is_some() && lengths[0] == lengths[1], "{lengths:?}");
}

#[test]
fn options_that_do_not_go_together_are_refused() {
    let scene = Scene::new();
    let file = scene.env.file("a.png", PNG);
    let file = file.to_str().unwrap();
    let cases: [(Channel, &[&str], &str); 8] = [
        (Channel::App, &["--image", file, "-t", "file"], "-t file does not go with --image"),
        (Channel::Webhook, &["--file", file, "-t", "text"], "-t text does not go with --file"),
        (Channel::App, &["--image", file, "text"], "a message of type image has no text"),
        (Channel::Webhook, &["--image", file, "text"], "a message of type image has no text"),
        (Channel::Webhook, &["--file", file, "--text-file", "-"], "a message of type file has no text"),
        (Channel::App, &["--file", file, "--title", "T"], "--title cannot be used in a message of type file"),
        (Channel::App, &["--file", file, "--media-id", "x"], "--media-id"),
        (Channel::App, &["--file", file, "--id-trans"], "enable_id_trans: file messages do not have it"),
    ];
    for (route, args, message) in cases {
        let case = format!("{} {args:?}", route.as_str());
        refused(&scene, &case, scene.send(route, args), 2).says(&case, message, "");
    }
    assert_eq!(Value::Null, refused(&scene, "none", scene.group(&["--file", ""]), 2).document["errcode"]);
}
