//! `--attach`: files behind the text, each in the form that its route takes, and what of them fails.

use std::fs;

use serde_json::{Value, json};
use wecom_alert::channel::Channel;

use super::{PNG, bodies, delivered, refused};
use crate::document::{assert_document, assert_says};
use crate::support::fake::{MediaKind, Reply, Upload};
use crate::support::{CARD_ROUTES, HTTP_ROUTES, ROUTES, Scene, at_once, send_endpoint, upload_endpoint};

const MIB: usize = 1 << 20;

fn names(uploads: &[Upload]) -> Vec<String> {
    uploads.iter().map(|upload| String::from_utf8(upload.filename.clone()).unwrap()).collect()
}

/// Kind, name and status of each part.
fn parts(told: &Value) -> Vec<(String, Value, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let parts = told["parts"].as_array().unwrap().iter();
    parts.map(|part| (text(&part["kind"]), part["name"].clone(), text(&part["status"]))).collect()
}

#[test]
fn the_text_comes_first_and_then_each_file_in_order() {
    for route in ROUTES {
        let scene = Scene::new();
        scene.env.file("a.log", "a log file");
        scene.env.file("b.png", PNG);
        scene.env.file("c.csv", "1,2,3,4");
        let args = ["--attach", "a.log", "--attach", "b.png", "--title", "Disk", "full", "--attach", "c.csv"];
        let case = route.as_str();
        let told = assert_document(
            &scene.send(route, &args).run(),
            case,
            0,
            &json!({"status": "sent", "attempts": 4, "warnings": []}),
        );
        let types: Vec<_> = bodies(&scene).iter().map(|body| body["msgtype"].as_str().unwrap().to_owned()).collect();
        assert_eq!(types, ["markdown", "file", "image", "file"], "{case}");
        let sent = |kind: &str, name: Value| (kind.to_owned(), name, "sent".to_owned());
        let of_file = |name: &str| sent("attachment", name.into());
        assert_eq!(
            parts(&told),
            [sent("message", Value::Null), of_file("a.log"), of_file("b.png"), of_file("c.csv")],
            "{case}"
        );
        let expected: &[&str] =
            if route == Channel::Webhook { &["a.log", "c.csv"] } else { &["a.log", "b.png", "c.csv"] };
        assert_eq!(names(&scene.wecom.uploads()), expected, "{case}");
        let image = &bodies(&scene)[2]["image"];
        assert_eq!(image["md5"].is_string(), route == Channel::Webhook, "{image}");
    }
}

#[test]
fn a_picture_goes_as_one_where_the_route_takes_it() {
    const JPEG: &[u8] = b"\xff\xd8\xff\xe0\0\x10JFIF\xff\xd9";
    const GIF: &[u8] = b"GIF89a\x01\0\x01\0";
    let cases: [(&str, &[u8], usize, [&str; 2]); 7] = [
        ("a.png", PNG, 60_000, ["image", "image"]),
        ("a.jpg", JPEG, 60_000, ["image", "image"]),
        ("a.dat", PNG, 60_000, ["image", "image"]),
        ("a.png", PNG, 2 * MIB + 1, ["image", "file"]),
        ("a.png", PNG, 10 * MIB + 1, ["file", "file"]),
        ("a.gif", GIF, 60_000, ["file", "file"]),
        ("a.png", b"no picture at all", 60_000, ["file", "file"]),
    ];
    at_once(cases, |(name, head, size, expected)| {
        for (route, msgtype) in ROUTES.into_iter().zip(expected) {
            let (scene, case) = (Scene::new(), format!("{} {name} {size}", route.as_str()));
            let path = scene.env.sized_file(name, head, size);
            let sent = delivered(&scene, &case, scene.send(route, &["--attach"]).arg(&path).arg("full"));
            assert_eq!((sent.len(), &sent[1]["msgtype"]), (2, &msgtype.into()), "{case}");
            for upload in scene.wecom.uploads() {
                assert_eq!((upload.kind.name(), upload.bytes == fs::read(&path).unwrap()), (msgtype, true), "{case}");
            }
        }
    });
}

#[test]
fn stdin_can_be_one_of_them_once() {
    for route in ROUTES {
        let scene = Scene::new();
        scene.env.file("a.log", "a log file");
        let cmd = scene
            .send(route, &["--attach", "-", "--attach", "a.log", "--filename", "df.txt", "full"])
            .stdin("from a pipe");
        assert_eq!(delivered(&scene, "stdin", cmd).len(), 3);
        let uploads = scene.wecom.uploads();
        assert_eq!(
            (names(&uploads), &uploads[0].bytes[..]),
            (vec!["df.txt".to_owned(), "a.log".to_owned()], &b"from a pipe"[..])
        );
        // What reads it as a file does not read it as text.
        let cmd = scene.send(route, &["--attach", "-", "--title", "Disk"]).stdin("from a pipe");
        let sent = delivered(&scene, "title", cmd);
        assert!(
            sent.len() == 2 && sent[0].to_string().contains("Disk") && !sent[0].to_string().contains("pipe"),
            "{sent:?}"
        );
        for twice in [&["--attach", "-", "--attach", "-", "full"][..], &["--attach", "-", "--text-file", "-"]] {
            let (message, hint) = refused(&scene, "twice", scene.send(route, twice).stdin("from a pipe"));
            assert!(message.contains("stdin can only be read once") && hint.contains("file"), "{message}");
        }
    }
}

#[test]
fn names_are_given_in_the_order_of_the_files() {
    let scene = Scene::new();
    for name in ["a.log", "b.log", "c.log"] {
        scene.env.file(name, "a log file");
    }
    let files = ["--attach", "a.log", "--attach", "b.log", "--attach", "c.log", "full"];
    let of = |more: &[&str]| {
        let before = scene.wecom.uploads().len();
        delivered(&scene, "names", scene.send(Channel::App, more).args(files));
        names(&scene.wecom.uploads()[before..])
    };
    assert_eq!(of(&[]), ["a.log", "b.log", "c.log"]);
    assert_eq!(of(&["--filename", "x.txt"]), ["x.txt", "b.log", "c.log"]);
    assert_eq!(of(&["--filename", "x.txt", "--filename", "日志.txt"]), ["x.txt", "日志.txt", "c.log"]);
    // The message's own file comes first.
    let cmd = scene.send(
        Channel::App,
        &["--attach", "b.log", "--file", "a.log", "--filename", "own.txt", "--filename", "two.txt"],
    );
    delivered(&scene, "own", cmd);
    assert_eq!(names(&scene.wecom.uploads())[9..], ["own.txt", "two.txt"]);
    let many = ["--filename", "1", "--filename", "2", "--filename", "3", "--filename", "4"];
    let (message, hint) = refused(&scene, "many", scene.send(Channel::App, &many).args(files));
    assert!(
        message.contains("there are 4 --filename for 3 of the files") && hint.contains("one for each"),
        "{message}"
    );
    let (message, hint) = refused(&scene, "none", scene.send(Channel::App, &["--filename", "1", "full"]));
    assert!(message.contains("--filename has no file to name") && hint.contains("--attach"), "{message}");
}

#[test]
fn what_cannot_be_attached_is_named_and_the_text_goes() {
    for route in HTTP_ROUTES {
        let scene = Scene::new();
        scene.env.file("tiny.txt", "12345");
        scene.env.sized_file("huge.bin", b"x", 20 * MIB + 1);
        scene.env.file("fine.txt", "123456");
        for (name, said) in [("tiny.txt", "accepts only more than 5 bytes"), ("huge.bin", "more than the 20 MB")] {
            // Strict where nothing is sent.
            let args = ["--attach", "fine.txt", "--attach", name, "full"];
            let (message, _) = refused(&scene, name, scene.send(route, &args).arg("--dry-run"));
            assert!(message.contains(&format!("--attach {name:?}")) && message.contains(said), "{message}");
            // Nothing is left without it.
            let (message, _) = refused(&scene, name, scene.send(route, &["--attach", name]).stdin(""));
            assert!(message.contains(&format!("--attach {name:?}")) && message.contains(said), "{message}");
        }
        scene.send(route, &["--attach", "missing.txt"]).stdin("").run().assert_code(3);
        scene.send(route, &["--attach", "missing.txt", "--dry-run", "full"]).run().assert_code(3);
        assert_eq!(scene.wecom.connections(), 0);
        for (name, said) in
            [("tiny.txt", "accepts only more than 5 bytes"), ("huge.bin", "20 MB"), ("missing.txt", "no file")]
        {
            let run = scene.send(route, &["--attach", "fine.txt", "--attach", name, "full"]).run();
            let told = assert_document(&run, name, 6, &json!({"status": "partial"}));
            assert_says(&told, name, "message", &[&format!("attachment {name} was left out: "), said]);
            let sent: Vec<_> = parts(&told).into_iter().map(|(_, name, status)| (name, status == "sent")).collect();
            assert_eq!(sent, [(Value::Null, true), ("fine.txt".into(), true), (name.into(), false)]);
            let cmd = scene.send(route, &["--allow-partial", "--attach", name, "full"]);
            cmd.run().assert_code(0);
            assert_eq!(scene.texts().last().unwrap(), "full");
        }
        // An empty option counts as not given, as an empty variable does.
        delivered(&scene, "empty", scene.send(route, &["--attach", "", "full"]));
        delivered(&scene, "empty name", scene.send(route, &["--attach", "fine.txt", "--filename", "", "full"]));
        // WeCom decides where that is asked for.
        let run = scene.send(route, &["--no-validate", "--attach", "tiny.txt", "full"]).run();
        assert!(run.json()["warnings"].to_string().contains("5 bytes"), "{}", run.all());
    }
}

#[test]
fn one_that_fails_is_named_and_the_others_go_on() {
    for route in ROUTES {
        let scene = Scene::new();
        for name in ["a.log", "b.log", "c.log"] {
            scene.env.file(name, "a log file");
        }
        scene.wecom.script(
            upload_endpoint(route),
            [Reply::Normal, Reply::errcode(40006, "invalid media size"), Reply::Normal],
        );
        let args = ["--attach", "a.log", "--attach", "b.log", "--attach", "c.log", "full"];
        let told = assert_document(&scene.send(route, &args).run(), route.as_str(), 6, &json!({"status": "partial"}));
        let statuses: Vec<_> = parts(&told).into_iter().map(|(_, name, status)| (name, status)).collect();
        let expected =
            [(Value::Null, "sent"), ("a.log".into(), "sent"), ("b.log".into(), "refused"), ("c.log".into(), "sent")];
        assert_eq!(statuses, expected.map(|(name, status)| (name, status.to_owned())), "{told:#}");
        assert_says(&told, route.as_str(), "message", &["b.log"]);
        assert_eq!(scene.wecom.count(send_endpoint(route)), 3);
        let run = scene.send(route, &["--allow-partial"]).args(args);
        scene.wecom.script(upload_endpoint(route), [Reply::errcode(40006, "invalid media size")]);
        assert_document(&run.run(), "allowed", 0, &json!({"status": "partial"}));
    }
}

#[test]
fn they_can_go_without_a_text() {
    for route in ROUTES {
        let scene = Scene::new();
        scene.env.file("a.log", "a log file");
        let told = assert_document(
            &scene.send(route, &["--attach", "a.log"]).stdin("").run(),
            "alone",
            0,
            &json!({"status": "sent", "attempts": 1}),
        );
        assert_eq!(parts(&told), [("attachment".to_owned(), "a.log".into(), "sent".to_owned())]);
        assert_eq!(bodies(&scene)[0]["msgtype"], "file");
        // A text that was asked for must be there all the same.
        let (message, _) = refused(&scene, "empty", scene.send(route, &["--attach", "a.log", ""]));
        assert!(message.contains("the text is empty"), "{message}");
    }
}

#[test]
fn they_follow_any_message() {
    let scene = Scene::new();
    scene.env.file("a.log", "a log file");
    let payload = scene.env.file("p.json", r#"{"msgtype": "text", "text": {"content": "a"}}"#);
    let picture = scene.env.file("b.png", PNG);
    let long = "0123456789 disk full\n".repeat(200);
    for route in HTTP_ROUTES {
        let types = |cmd: crate::support::Cmd| -> Vec<String> {
            delivered(&scene, "any", cmd.args(["--attach", "a.log"]))
                .iter()
                .map(|body| body["msgtype"].as_str().unwrap().to_owned())
                .collect()
        };
        assert_eq!(types(scene.send(route, &["--payload"]).arg(&payload)), ["text", "file"]);
        assert_eq!(types(scene.send(route, &["--image"]).arg(&picture)), ["image", "file"]);
        assert_eq!(types(scene.send(route, &[]).stdin(&*long)), ["text", "text", "text", "file"]);
        assert_eq!(types(scene.send(route, &["--on-long", "file"]).stdin(&*long)), ["text", "file", "file"]);
        let card = ["--card", "text_notice", "--url", super::URL, "full"];
        if CARD_ROUTES.contains(&route) {
            assert_eq!(types(scene.send(route, &card)), ["template_card", "file"]);
        }
    }
}

#[test]
fn what_is_confidential_is_so_behind_the_text_too() {
    let scene = Scene::new();
    scene.env.file("a.pdf", "%PDF-1.7 x");
    scene.env.file("a.log", "a log file");
    scene.env.file("b.png", PNG);
    let sent = scene.wecom.messages().len();
    scene.send(Channel::App, &["--safe", "--attach", "a.pdf", "--attach", "b.png", "full"]).run().assert_code(0);
    let safe: Vec<_> = scene.wecom.messages()[sent..].iter().map(|message| message.body["safe"].clone()).collect();
    assert_eq!(safe, [1, 1, 1]);
    let run = scene.send(Channel::App, &["--safe", "--attach", "a.log", "full"]).run();
    let told = assert_document(&run, "log", 6, &json!({"status": "partial"}));
    assert_says(&told, "log", "message", &["a.log cannot be sent with --safe"]);
    assert_says(&told, "log", "hint", &["--filename"]);
    delivered(
        &scene,
        "named",
        scene.send(Channel::App, &["--safe", "--attach", "a.log", "--filename", "a.txt", "full"]),
    );
}

#[test]
fn each_route_of_several_takes_them_in_its_own_form() {
    let scene = Scene::new();
    let picture = scene.env.sized_file("b.png", PNG, 2 * MIB + 1);
    let config = format!("[profiles.room]\nwebhook = \"{}\"\n", crate::support::fake::WEBHOOK_KEY);
    let cmd = scene.env.cmd(["--output", "json", "app-send", "-u", "zhangsan", "--also", "room", "--attach"]);
    let cmd = cmd.arg(&picture).arg("full").base_url(&scene.wecom).app_credentials().config(&config);
    let told = assert_document(
        &cmd.env("WECOM_ALERT_PROFILE", "room").run(),
        "both",
        0,
        &json!({"status": "sent", "warnings": []}),
    );
    assert_eq!(told["targets"].as_array().unwrap().len(), 2, "{told:#}");
    let kinds: Vec<_> = scene.wecom.uploads().iter().map(|upload| upload.kind).collect();
    assert!(kinds.contains(&MediaKind::Image) && kinds.contains(&MediaKind::File) && kinds.len() == 2, "{kinds:?}");
}
