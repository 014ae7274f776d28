//! Names of files on the wire: raw UTF-8 between the quotes of `filename="…"`, and nothing that breaks out of them.

use wecom_alert::channel::Channel;

use super::{assert_sent_silently, last_upload};
use crate::support::fake::Endpoint;
use crate::support::{HTTP_ROUTES, Scene};

/// The header lines of the one part of the last upload, as they went over the wire.
fn part_head(scene: &Scene) -> Vec<u8> {
    let is_upload = |endpoint| matches!(endpoint, Endpoint::MediaUpload | Endpoint::WebhookUploadMedia);
    let seen = scene.wecom.requests().into_iter().rfind(|seen| is_upload(seen.endpoint)).unwrap();
    let end = seen.body.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    let start = seen.body.windows(2).position(|two| two == b"\r\n").unwrap() + 2;
    seen.body[start..end].to_vec()
}

#[track_caller]
fn assert_name(scene: &Scene, case: &str, expected: &str) {
    let head = part_head(scene);
    let shown = head.escape_ascii().to_string();
    let lines: Vec<&[u8]> = head.split(|byte| *byte == b'\n').collect();
    assert_eq!(lines.len(), 2, "{case}: {shown}");
    let disposition = format!("Content-Disposition: form-data; name=\"media\"; filename=\"{expected}\"\r");
    assert_eq!(lines[0].escape_ascii().to_string(), disposition.as_bytes().escape_ascii().to_string(), "{case}");
    assert!(lines[1].starts_with(b"Content-Type: ") && !lines[1].contains(&b'\r'), "{case}: {shown}");
    assert!(!shown.contains("filename*"), "{case}: {shown}");
    assert_eq!(last_upload(scene, case).filename, expected.as_bytes(), "{case}");
}

const NAMES: [(&str, &str); 17] = [
    ("report.pdf", "report.pdf"),
    ("磁盘 报告（最终）.txt", "磁盘 报告（最终）.txt"),
    ("🔥 👨‍👩‍👧 é.log", "🔥 👨‍👩‍👧 é.log"),
    ("a;b=c, d%20e%.txt", "a;b=c, d%20e%.txt"),
    (".bashrc", ".bashrc"),
    ("it's.txt", "it's.txt"),
    ("a\"; filename=\"b.txt", "a'; filename='b.txt"),
    ("C:\\temp\\report.txt", "report.txt"),
    ("a\\", "a"),
    ("x\r\nX-Evil: 1\r\n\r\n.txt", "xX-Evil: 1.txt"),
    ("a\nb\tc\u{7f}d\u{85}.txt", "abcd.txt"),
    ("a\u{2028}b\u{202e}gpj.txt", "abgpj.txt"),
    ("\u{feff} blanks around ", "blanks around"),
    ("/etc/passwd", "passwd"),
    ("../../up.txt", "up.txt"),
    ("folder/", "folder"),
    ("..", "file"),
];

#[test]
fn a_name_that_is_given_is_made_harmless() {
    let scene = Scene::new();
    let file = scene.env.file("a.bin", b"123456");
    for route in HTTP_ROUTES {
        for (name, expected) in NAMES {
            let case = format!("{} {name:?}", route.as_str());
            assert_sent_silently(&case, scene.send(route, &["--filename", name, "--file"]).arg(&file).run());
            assert_name(&scene, &case, expected);
        }
    }
    let long = format!("{}.txt", "漢".repeat(100));
    assert_sent_silently("long", scene.group(&["--filename", &long, "--file"]).arg(&file).run());
    assert_name(&scene, "long", &format!("{}.txt", "漢".repeat(83)));
}

#[cfg(unix)]
#[test]
fn a_name_on_disk_is_made_harmless() {
    let scene = Scene::new();
    for (name, expected) in NAMES {
        if name.contains('/') || name == ".." {
            continue;
        }
        let file = scene.env.file(format!("with \"quotes\"/{name}"), b"123456");
        // Here it does not end a folder.
        let own = name.replace('\\', "_");
        let expected = if name.contains('\\') { own.as_str() } else { expected };
        assert_sent_silently(name, scene.group(&["--file"]).arg(&file).run());
        assert_name(&scene, name, expected);
        let upload = scene.cmd(&["upload-media", "--route", "app", "-t", "file"]).arg(file).run().assert_code(0);
        assert_eq!(upload.json()["status"], "ok");
        assert_name(&scene, name, expected);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_name_in_gbk_is_decoded() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;
    let scene = Scene::new();
    let file = scene.env.file(OsStr::from_bytes(b"\xb4\xc5.txt"), b"123456");
    assert_sent_silently("gbk", scene.send(Channel::App, &["--file"]).arg(file).run());
    assert_name(&scene, "gbk", "磁.txt");
}
