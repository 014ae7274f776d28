//! `--on-long truncate` and `fail`, and payloads, which nobody shortens.

use serde_json::json;
use wecom_alert::channel::Channel;

use super::{KINDS, TEXT, asked, missing, texts};
use crate::document::{assert_document, assert_says};
use crate::support::{Scene, at_once};

#[test]
fn truncate_keeps_what_is_to_be_kept_and_counts_the_rest() {
    at_once(KINDS, |kind| {
        for (keep, has_head, has_tail) in [
            (&["--keep", "head"][..], true, false),
            (&["--keep", "tail"], false, true),
            (&["--keep", "both"], true, true),
            (&[], true, true),
        ] {
            let (scene, case, text) = (Scene::new(), format!("{} {keep:?}", kind.name()), kind.lines(kind.limit * 9));
            let run = kind.cmd(&scene, &text).args(["--on-long", "truncate"]).args(keep).run();
            assert_document(&run, &case, 0, &json!({"status": "sent", "attempts": 1}));
            assert_eq!(asked(&scene, kind.route), [1, 0], "{case}");
            let texts = texts(&scene);
            let shown = &texts[0];
            assert!(shown.len() <= kind.limit && shown.len() > kind.limit * 4 / 5, "{case}: {} bytes", shown.len());
            let (head, tail) = missing(&case, &text, shown);
            assert_eq!((!head.is_empty(), !tail.is_empty()), (has_head, has_tail), "{case}: {shown}");
            assert_eq!(shown.starts_with("[… "), !has_head, "{case}: {shown}");
            assert_eq!(shown.ends_with(" bytes left out …]"), !has_tail, "{case}: {shown}");
        }
    });
}

#[test]
fn an_endless_line_is_cut_between_characters() {
    let (scene, text) = (Scene::new(), "磁👨‍👩‍👧".repeat(2000));
    for keep in ["head", "tail", "both"] {
        let args = ["--on-long", "truncate", "--keep", keep];
        scene.send(Channel::Webhook, &args).stdin(&*text).run().assert_code(0);
        let shown = texts(&scene).pop().unwrap();
        let (head, tail) = missing(keep, &text, &shown);
        let is_whole = |piece: &str| piece.replace("磁", "").replace("👨‍👩‍👧", "").is_empty();
        assert!(is_whole(head) && is_whole(tail), "{keep}: {shown}");
    }
}

/// A line larger than the room does not leave it empty.
#[test]
fn a_line_larger_than_the_room_is_shown_from_both_ends() {
    let scene = Scene::new();
    let line = format!("HEAD{}TAIL", "x".repeat(20_000));
    for (on_long, title, text, shown) in [
        ("truncate", None, format!("first\n{line}\nlast"), ["first\nHEADxxx", "xxxTAIL\nlast"]),
        ("file", None, format!("first\n{line}\nlast"), ["first\nHEADxxx", "xxxTAIL\nlast"]),
        ("truncate", Some("Disk"), line.clone(), ["Disk\nHEADxxx", "xxxTAIL"]),
        ("truncate", None, format!("{line}\n{line}"), ["HEADxxx", "xxxTAIL"]),
    ] {
        let title = title.map(|title| ["--title", title]).into_iter().flatten();
        let cmd = scene.send(Channel::Webhook, &["-t", "text", "--on-long", on_long]).args(title);
        cmd.stdin(&*text).run().assert_code(0);
        let texts = texts(&scene);
        let text = texts.iter().rfind(|text| !text.is_empty()).unwrap();
        assert!(text.starts_with(shown[0]) && text.ends_with(shown[1]), "{on_long}: {text}");
        assert!(text.len() > 1_900 && text.matches(" bytes left out …]").count() == 1, "{on_long}: {text}");
    }
}

#[test]
fn fail_sends_nothing() {
    at_once(KINDS, |kind| {
        let (scene, case) = (Scene::new(), kind.name());
        // What a textcard takes is counted in characters.
        let run = kind.cmd(&scene, &"x".repeat(kind.limit + 1)).args(["--on-long", "fail"]).run();
        let told = assert_document(&run, &case, 2, &json!({"status": "usage", "attempts": 0, "parts": []}));
        assert_says(&told, &case, "message", &[&(kind.limit + 1).to_string(), &kind.limit.to_string()]);
        assert_eq!(scene.wecom.connections(), 0, "{case}");
        let fits = kind.cmd(&scene, &"x".repeat(kind.limit)).args(["--on-long", "fail"]).run();
        assert_document(&fits, &case, 0, &json!({"status": "sent"}));
    });
}

#[test]
fn a_payload_is_never_cut() {
    for route in [Channel::App, Channel::Webhook] {
        for on_long in ["auto", "split", "truncate", "file", "fail"] {
            let scene = Scene::new();
            let case = format!("{} {on_long}", route.as_str());
            let payload = json!({"msgtype": "text", "text": {"content": "x".repeat(TEXT + 1)}}).to_string();
            let run = scene.send(route, &["--payload", "-", "--on-long", on_long]).stdin(payload).run();
            let told = assert_document(&run, &case, 2, &json!({"status": "usage", "attempts": 0}));
            assert_says(&told, &case, "message", &["text.content", "2049"]);
            assert_eq!(scene.wecom.connections(), 0, "{case}");
        }
    }
}

#[test]
fn a_word_that_is_none_is_a_usage_error() {
    for args in [["--on-long", "cut"], ["--keep", "middle"]] {
        let scene = Scene::new();
        let run = scene.send(Channel::Webhook, &args).arg("short").run();
        let told = assert_document(&run, args[0], 2, &json!({"status": "usage"}));
        assert_says(&told, args[0], "message", &[args[0]]);
        assert_eq!(scene.wecom.connections(), 0);
    }
}
