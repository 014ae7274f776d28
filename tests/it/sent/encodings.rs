//! Input that is not UTF-8, or not quite.

use encoding_rs::GB18030;
use serde_json::{Value, json};

use super::{assert_sent, assert_sent_silently, last, refused};
use crate::support::{HTTP_ROUTES, Scene};

fn gbk(text: &str) -> Vec<u8> {
    GB18030.encode(text).0.into_owned()
}

fn utf16(text: &str, bytes_of: fn(u16) -> [u8; 2]) -> Vec<u8> {
    text.encode_utf16().flat_map(bytes_of).collect()
}

#[test]
fn encodings_are_told_by_the_bytes() {
    let scene = Scene::new();
    let mixed = [&gbk("磁盘已满\r\n")[..], "内存不足 😀\n".as_bytes(), b"ok\n", &gbk("已恢复")].concat();
    let cases: [(&[&str], Vec<u8>, &str); 9] = [
        (&[], gbk("磁盘已满，请处理"), "磁盘已满，请处理"),
        (&[], mixed, "磁盘已满\n内存不足 😀\nok\n已恢复"),
        (&[], b"\xef\xbb\xbftext".to_vec(), "text"),
        (&[], utf16("\u{feff}磁盘 😀\r\n满\r\n", u16::to_le_bytes), "磁盘 😀\n满"),
        (&[], utf16("\u{feff}磁盘 😀\r\n满\r\n", u16::to_be_bytes), "磁盘 😀\n满"),
        // Bytes that happen to be UTF-8 as well.
        (&["--encoding", "gb18030"], gbk("状态: 停止"), "状态: 停止"),
        (&["--encoding", "GBK"], gbk("状态: 停止"), "状态: 停止"),
        (&["--encoding", "utf-8"], "磁盘 😀".into(), "磁盘 😀"),
        (&["--encoding=auto"], gbk("磁盘已满"), "磁盘已满"),
    ];
    for (args, input, expected) in cases {
        for route in HTTP_ROUTES {
            let case = format!("{} {args:?} {}", route.as_str(), input.escape_ascii());
            assert_sent_silently(&case, scene.send(route, args).stdin(input.clone()).run());
            assert_eq!(last(&scene, &case).payload()["content"], expected, "{case}");
        }
        let case = format!("file {args:?} {}", input.escape_ascii());
        let file = scene.env.file("text", &input);
        assert_sent_silently(&case, scene.group(args).arg("--text-file").arg(file).run());
        assert_eq!(last(&scene, &case).payload()["content"], expected, "{case}");
    }
}

#[test]
fn what_is_broken_is_replaced_and_said() {
    let scene = Scene::new();
    let text = "生产环境数据库已恢复".as_bytes();
    let cut = |from: usize, to: usize| text[from..to].to_vec();
    let beside_good = [text, b"\nab\xffc\n", text].concat();
    let cases: [(&[&str], Vec<u8>, &str, &str); 7] = [
        // Cut by `tail -c` or `head -c`: not another encoding.
        (&[], cut(1, text.len()), "\u{fffd}\u{fffd}产环境数据库已恢复", "2 broken characters"),
        (&[], cut(0, text.len() - 1), "生产环境数据库已恢\u{fffd}", "1 broken character of"),
        (&[], cut(2, text.len() - 2), "\u{fffd}产环境数据库已恢\u{fffd}", "2 broken characters"),
        (&[], beside_good, "生产环境数据库已恢复\nab\u{fffd}c\n生产环境数据库已恢复", "on line 2"),
        (&["--encoding", "utf-8"], b"a\xb4\xc5b".to_vec(), "a\u{fffd}\u{fffd}b", "not UTF-8"),
        (&["--encoding", "gb18030"], b"a\xd6\nb".to_vec(), "a\u{fffd}\nb", "not GB18030"),
        (&[], [utf16("\u{feff}磁盘", u16::to_le_bytes), vec![0x41]].concat(), "磁盘\u{fffd}", "not UTF-16"),
    ];
    for (args, input, expected, warning) in cases {
        for route in HTTP_ROUTES {
            let case = format!("{} {args:?} {}", route.as_str(), input.escape_ascii());
            let document = assert_sent(&case, scene.send(route, args).stdin(input.clone()).run());
            assert_eq!(last(&scene, &case).payload()["content"], expected, "{case}");
            let warnings = document["warnings"].as_array().unwrap();
            assert_eq!(warnings.len(), 1, "{case}: {warnings:?}");
            let said = warnings[0].as_str().unwrap();
            assert!(said.contains("became U+FFFD") && said.contains(warning), "{case}: {said}");
        }
    }
}

#[test]
fn the_warning_stands_on_stderr_in_text_mode() {
    let scene = Scene::new();
    let text = |args: &[&str]| {
        let cmd = scene.env.cmd(args).base_url(&scene.wecom).webhook().stdin(b"ab\xff".as_slice());
        cmd.run().assert_code(0)
    };
    let run = text(&["webhook-send"]);
    assert_eq!(run.stdout, "");
    let warning = "wecom-alert: warning: 1 broken character of the input became U+FFFD, neither UTF-8 nor GB18030 \
                   (first on line 1)\n";
    assert_eq!(run.stderr, warning);
    let quiet = text(&["webhook-send", "-q"]);
    assert_eq!((quiet.stdout.as_str(), quiet.stderr.as_str()), ("", ""));
    assert_eq!(scene.wecom.messages().len(), 2);
}

#[test]
fn an_unknown_encoding_is_refused() {
    let scene = Scene::new();
    for route in HTTP_ROUTES {
        let refusal = refused(&scene, "latin1", scene.send(route, &["--encoding", "latin1", "text"]), 2);
        refusal.says("latin1", "--encoding: the encoding is not auto, utf-8 or gb18030", "gb18030");
        assert!(refusal.message.ends_with("(given: `latin1`)"), "{}", refusal.message);
        let config = scene.send(route, &["text", "--dry-run"]).config("encoding = \"latin1\"");
        let refusal = refused(&scene, "settings", config, 3);
        refusal.says("settings", "config.toml:1:", "gb18030");
        assert!(!refusal.message.contains("latin1"), "{}", refusal.message);
        std::fs::remove_file(scene.env.config_file()).unwrap();
    }
}

#[cfg(unix)]
#[test]
fn an_argument_may_be_in_another_encoding() {
    use std::ffi::OsString;
    use std::os::unix::ffi::OsStringExt as _;
    let scene = Scene::new();
    let cases: [(Vec<u8>, &str, Value); 2] = [
        (gbk("磁盘已满"), "磁盘已满", json!([])),
        (
            b"ab\xff".to_vec(),
            "ab\u{fffd}",
            json!(["1 broken character of the input became U+FFFD, neither UTF-8 nor GB18030 (first on line 1)"]),
        ),
    ];
    for (argument, expected, warnings) in cases {
        for route in HTTP_ROUTES {
            let case = format!("{} {}", route.as_str(), argument.escape_ascii());
            let document = assert_sent(&case, scene.send(route, &[]).arg(OsString::from_vec(argument.clone())).run());
            assert_eq!(document["warnings"], warnings, "{case}");
            assert_eq!(last(&scene, &case).payload()["content"], expected, "{case}");
        }
    }
    // What else the receiver reads too; an id must be UTF-8.
    let title = scene.app(&["-t", "text", "--title"]).arg(OsString::from_vec(gbk("磁盘")));
    let field = OsString::from_vec([b"--field=a=", &*gbk("磁盘")].concat());
    assert_sent("words", title.arg(field).arg("full").run());
    assert_eq!(last(&scene, "words").payload()["content"], "磁盘\na: 磁盘\n\nfull");
    let user = scene.app(&["text", "--to-user"]).arg(OsString::from_vec(gbk("张三")));
    refused(&scene, "user", user, 2).says("user", "--to-user: the value is not UTF-8", "iconv");
}

#[test]
fn a_file_that_is_no_text_is_sent_with_advice() {
    let scene = Scene::new();
    let advice = "--file sends a file that is not text";
    for (broken, is_advised) in [(999, false), (5000, true)] {
        let run = scene.group(&["--on-long", "truncate"]).stdin(b"\xff\n".repeat(broken)).run().assert_code(0);
        let told = run.json()["warnings"].to_string();
        assert!(told.contains("broken characters") && told.contains(advice) == is_advised, "{broken}: {told}");
    }
}
