//! Where text comes from, when stdin is read and when not, and what empty text means.

use std::fs;
use std::io::Write as _;

use serde_json::{Value, json};

use super::{MIB, assert_sent, assert_sent_silently, body_of, last, refused, uploaded};
use crate::support::{Cmd, HTTP_ROUTES, Scene, make_fifo};

#[test]
fn stdin_is_left_alone_where_something_else_gives_the_message() {
    let scene = Scene::new();
    let payload = scene.env.file("payload.json", r#"{"content": "a"}"#);
    let text = scene.env.file("text.txt", "a");
    let picture = scene.env.file("a.png", super::PNG);
    let voice = scene.env.file("a.amr", super::AMR);
    for route in HTTP_ROUTES {
        let id = uploaded(&scene, route, "file");
        let by_path = [("--payload", &payload), ("--text-file", &text), ("--image", &picture), ("--file", &picture)];
        let mut cmds: Vec<(String, Cmd)> = by_path
            .into_iter()
            .chain([("--voice", &voice)])
            .map(|(option, path)| (option.to_owned(), scene.send(route, &[option]).arg(path)))
            .collect();
        cmds.push(("CONTENT".into(), scene.send(route, &["a"])));
        cmds.push(("--media-id".into(), scene.send(route, &["-t", "file", "--media-id", &id])));
        for (option, cmd) in cmds {
            let case = format!("{} {option}", route.as_str());
            // Nobody writes into this pipe and nobody closes it: reading it would never end.
            assert_sent_silently(&case, cmd.stdin_open().run());
        }
    }
    let clip = scene.env.file("a.mp4", super::MP4);
    assert_sent_silently("--video", scene.app(&["--video"]).arg(clip).stdin_open().run());
    assert_eq!(scene.wecom.messages().len(), 22);
}

#[test]
fn content_wins_over_stdin() {
    let scene = Scene::new();
    for route in HTTP_ROUTES {
        let case = route.as_str();
        assert_sent_silently(case, scene.send(route, &["argument"]).stdin("piped").run());
        assert_eq!(last(&scene, case).body, body_of(route, "text", json!({"content": "argument"})));
    }
}

#[test]
fn text_files_and_stdin_are_one_message_each() {
    let scene = Scene::new();
    let file = scene.env.file("磁盘 报告.txt", "line 1\nline 2\n");
    let dash = scene.env.file("-", "from a file named dash");
    for route in HTTP_ROUTES {
        let cases = [
            ("--text-file PATH", scene.send(route, &["--text-file"]).arg(&file).stdin("no"), "line 1\nline 2"),
            ("--text-file -", scene.send(route, &["--text-file", "-"]).stdin("from\nstdin\n"), "from\nstdin"),
            ("stdin", scene.send(route, &[]).stdin("from\nstdin\n"), "from\nstdin"),
            ("a file named -", scene.send(route, &["--text-file", "./-"]).stdin("no"), "from a file named dash"),
            ("redirected", scene.send(route, &[]).stdin_from(fs::File::open(&dash).unwrap()), "from a file named dash"),
        ];
        for (case, cmd, expected) in cases {
            assert_sent_silently(case, cmd.run());
            assert_eq!(last(&scene, case).payload()["content"], expected, "{} {case}", route.as_str());
        }
    }
}

#[cfg(unix)]
#[test]
fn text_may_come_through_a_fifo() {
    let scene = Scene::new();
    let fifo = fed_fifo(&scene, "fifo", b"through a fifo\n");
    assert_sent_silently("fifo", scene.group(&["--text-file"]).arg(fifo).run());
    assert_eq!(last(&scene, "fifo").payload()["content"], "through a fifo");
}

/// A FIFO through which somebody writes that, as soon as somebody reads.
#[cfg(unix)]
pub(super) fn fed_fifo(scene: &Scene, name: &str, content: &'static [u8]) -> std::path::PathBuf {
    let path = scene.env.home().join(name);
    make_fifo(&path);
    let written = path.clone();
    // Nobody waits for it: where nobody reads, it never ends.
    std::thread::spawn(move || fs::write(written, content));
    path
}

#[test]
fn empty_text_is_a_usage_error() {
    let scene = Scene::new();
    let blanks = ["", "\n", " \t\n\r\n", "\u{3000}\u{a0}", "\u{feff}", "\u{1b}[0m\n", "\0\0"];
    for route in HTTP_ROUTES {
        for blank in blanks {
            let case = format!("{} {blank:?}", route.as_str());
            let from_stdin = refused(&scene, &case, scene.send(route, &[]).stdin(blank), 2);
            from_stdin.says(&case, "the text is empty: stdin has only white space in it", "--skip-empty");
            let file = scene.env.file("blank.txt", blank);
            let from_file = refused(&scene, &case, scene.send(route, &["--text-file"]).arg(file), 2);
            from_file.says(&case, "blank.txt\" has only white space in it", "--if-empty TEXT");
            if !blank.contains('\0') {
                // Not even empty CONTENT falls through to stdin.
                let from_argument = refused(&scene, &case, scene.send(route, &[blank]).stdin_open(), 2);
                let what = if blank.is_empty() { "is empty" } else { "has only white space in it" };
                from_argument.says(&case, &format!("the text is empty: CONTENT, the argument, {what}"), "--skip-empty");
            }
        }
        let case = route.as_str();
        refused(&scene, case, scene.send(route, &[]).stdin_null(), 2).says(
            case,
            "stdin has only white space",
            "before the pipe",
        );
        refused(&scene, case, scene.send(route, &[]).stdin_closed(), 2).says(case, "stdin", "");
        refused(&scene, case, scene.send(route, &["-t", "markdown"]), 2).says(case, "stdin has only white space", "");
    }
}

#[test]
fn empty_text_can_be_passed_over() {
    let scene = Scene::new();
    for route in HTTP_ROUTES {
        for cmd in [
            scene.send(route, &["--skip-empty"]).stdin(" \n"),
            scene.send(route, &["--skip-empty", ""]).stdin_open(),
            scene.send(route, &["--skip-empty", "-t", "markdown"]).stdin_closed(),
            scene.send(route, &[]).config("skip_empty = true"),
        ] {
            let run = cmd.run().assert_code(0);
            let document = run.json();
            let expected = json!({"ok": true, "status": "skipped", "exit_code": 0, "parts": [], "attempts": 0});
            for (field, value) in expected.as_object().unwrap() {
                assert_eq!(&document[field], value, "{field}\n{}", run.all());
            }
            assert_eq!((&document["errcode"], &document["message"]), (&Value::Null, &Value::Null), "{}", run.all());
        }
        std::fs::remove_file(scene.env.config_file()).unwrap();
    }
    let text = scene.env.cmd(["webhook-send", "--skip-empty"]).base_url(&scene.wecom).webhook().run().assert_code(0);
    assert_eq!((text.stdout.as_str(), text.stderr.as_str()), ("", ""));
    assert_eq!(scene.wecom.requests().len(), 0);

    assert_sent_silently("not empty", scene.group(&["--skip-empty"]).stdin("text").run());
}

#[test]
fn something_else_can_be_sent_instead() {
    let scene = Scene::new();
    for route in HTTP_ROUTES {
        let case = route.as_str();
        let instead = ["--if-empty", "no output\u{1b}[0m \u{7}🙂\n"];
        assert_sent_silently(case, scene.send(route, &instead).stdin("\n").run());
        assert_eq!(last(&scene, case).payload()["content"], "no output 🙂");
        assert_sent_silently(case, scene.send(route, &instead).arg("").run());
        assert_eq!(last(&scene, case).payload()["content"], "no output 🙂");
        assert_sent_silently(case, scene.send(route, &instead).stdin("output").run());
        assert_eq!(last(&scene, case).payload()["content"], "output");
        // The option beats the other one of the settings.
        assert_sent_silently(case, scene.send(route, &instead).config("skip_empty = true").run());
        assert_eq!(last(&scene, case).payload()["content"], "no output 🙂");
        std::fs::remove_file(scene.env.config_file()).unwrap();
        refused(&scene, case, scene.send(route, &["--if-empty", " "]), 2);
        let both = scene.send(route, &["--if-empty", "a", "--skip-empty"]);
        refused(&scene, case, both, 2).says(case, "--skip-empty", "");
    }
}

#[test]
fn escapes_are_read_in_content_alone_and_only_when_asked_for() {
    let scene = Scene::new();
    let escaped = r"a\nb\tc\\d\x\u0041\";
    let plain = "a\nb\tc\\d\\x\\u0041\\";
    let file = scene.env.file("text", escaped);
    for route in HTTP_ROUTES {
        let cases = [
            ("off", scene.send(route, &[escaped]), escaped),
            ("CONTENT", scene.send(route, &["--escapes", escaped]), plain),
            ("stdin", scene.send(route, &["--escapes"]).stdin(escaped), escaped),
            ("file", scene.send(route, &["--escapes", "--text-file"]).arg(&file), escaped),
        ];
        for (case, cmd, expected) in cases {
            assert_sent_silently(case, cmd.run());
            assert_eq!(last(&scene, case).payload()["content"], expected, "{} {case}", route.as_str());
        }
    }
}

#[test]
fn sources_that_contradict_or_fail_are_refused() {
    let scene = Scene::new();
    let cases: [(&[&str], i32, &str); 6] = [
        (&["text", "--text-file", "a"], 2, "--text-file"),
        (&["--text-file", ""], 2, "--text-file"),
        (&["--text-file", "missing.txt"], 3, "there is no file \"missing.txt\""),
        (&["--text-file", "."], 3, "is a folder, not a file"),
        (&["--file", "-", "--text-file", "-"], 2, "stdin can only be read once"),
        (&["--image", "a", "--file", "b"], 2, "--file"),
    ];
    for route in HTTP_ROUTES {
        for (args, code, message) in cases {
            let case = format!("{} {args:?}", route.as_str());
            refused(&scene, &case, scene.send(route, args), code).says(&case, message, "");
        }
    }
}

#[test]
fn too_long_input_is_read_to_its_end_and_its_ends_are_sent() {
    let scene = Scene::new();
    let (reader, mut writer) = std::io::pipe().unwrap();
    let running = scene.group(&[]).stdin_from(reader).spawn();
    let line = [b"x".repeat(1023), b"\n".to_vec()].concat();
    for _ in 0..21 * MIB / line.len() {
        // Whoever stops reading breaks this pipe.
        writer.write_all(&line).unwrap();
    }
    drop(writer);
    let document = running.wait().assert_code(0).json();
    let warnings = document["warnings"].as_array().unwrap();
    assert_eq!(warnings, &[json!("the input is too long: 1048576 bytes in its middle were left out")]);
    let kinds: Vec<&str> = document["parts"].as_array().unwrap().iter().map(|p| p["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["message", "attachment", "attachment"], "one file does not hold it");
    let sent: usize = scene.wecom.uploads().iter().map(|upload| upload.bytes.len()).sum();
    assert!(sent > 20 * MIB && sent < 20 * MIB + 200, "{sent}");
}

/// The text of a card or an article may be left out, and then an empty stdin is no text.
#[test]
fn an_article_needs_no_text() {
    let scene = Scene::new();
    let link = "https://example.test/";
    for (route, args) in HTTP_ROUTES.map(|route| (route, ["-t", "news", "--title", "T", "--url", link])) {
        let articles = json!({"articles": [{"title": "T", "url": link}]});
        for cmd in [scene.send(route, &args), scene.send(route, &args).stdin_closed()] {
            assert_sent(route.as_str(), cmd.run());
            assert_eq!(last(&scene, "no text").body, body_of(route, "news", articles.clone()));
        }
        assert_sent(route.as_str(), scene.send(route, &args).stdin("piped\n").run());
        assert_eq!(last(&scene, "text").payload()["articles"][0]["description"], "piped");
        refused(&scene, "named", scene.send(route, &args).arg(""), 2).says("named", "the text is empty: CONTENT", "");
    }
}
