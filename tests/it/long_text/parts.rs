//! A few messages instead of one: in order, marked, and together what was to be said.

use serde_json::{Value, json};
use wecom_alert::channel::Channel;

use super::{KINDS, TEXT, asked, joined, lines, text_in, texts};
use crate::document::assert_document;
use crate::support::{Scene, at_once};

#[test]
fn what_fits_goes_as_one_message_without_mark() {
    at_once(KINDS, |kind| {
        let (scene, case, text) = (Scene::new(), kind.name(), kind.lines(kind.limit));
        let told = assert_document(
            &kind.cmd(&scene, &text).run(),
            &case,
            0,
            &json!({"status": "sent", "attempts": 1, "warnings": []}),
        );
        assert_eq!(told["parts"].as_array().unwrap().len(), 1, "{case}");
        assert_eq!((texts(&scene), asked(&scene, kind.route)), (vec![text], [1, 0]), "{case}");
        assert_eq!(scene.wecom.messages()[0].remarks, [""; 0], "{case}");
    });
}

/// More than that in bytes is cut by older copies of the page, if at all.
#[test]
fn a_textcard_that_fits_in_characters_goes_with_a_warning() {
    let card = &KINDS[2];
    let (scene, text) = (Scene::new(), card.lines(600));
    let run = card.cmd(&scene, &text).run();
    let told = assert_document(&run, "textcard", 0, &json!({"status": "sent", "attempts": 1}));
    assert!(told["warnings"].to_string().contains("600 bytes"), "{told}");
    assert_eq!(texts(&scene), [text]);
}

#[test]
fn a_little_more_goes_in_parts() {
    at_once(KINDS, |kind| {
        for (bytes, count) in [(kind.too_many(), 2), (kind.limit * 43 / 10, 5)] {
            let (scene, case, text) = (Scene::new(), format!("{} of {bytes} bytes", kind.name()), kind.lines(bytes));
            let told = assert_document(
                &kind.cmd(&scene, &text).run(),
                &case,
                0,
                &json!({"status": "sent", "errcode": 0, "attempts": count, "warnings": []}),
            );
            let texts = texts(&scene);
            assert_eq!((texts.len(), asked(&scene, kind.route)), (count, [count, 0]), "{case}");
            assert_eq!(joined(&case, kind.msgtype, kind.limit, &texts), text, "{case}");
            assert!(
                texts[..count - 1].iter().all(|part| part.ends_with(kind.line_break())),
                "{case}: cut within a line"
            );
            check_receipts(&case, kind.route, &told, count);
        }
    });
}

/// A receipt for each part, in the whole and in its one target.
fn check_receipts(case: &str, route: Channel, told: &Value, count: usize) {
    assert_eq!(told["targets"].as_array().unwrap().len(), 1, "{case}");
    for parts in [&told["parts"], &told["targets"][0]["parts"]] {
        let parts = parts.as_array().unwrap();
        assert_eq!(parts.len(), count, "{case}");
        let mut ids = Vec::new();
        for part in parts {
            assert_eq!((&part["kind"], &part["status"]), (&json!("message"), &json!("sent")), "{case}");
            ids.extend(part["msgid"].as_str().map(str::to_owned));
        }
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), if route == Channel::App { count } else { 0 }, "{case}: an id for each");
    }
}

#[test]
fn whatever_else_a_message_says_is_in_each_part() {
    let scene = Scene::new();
    let card = &KINDS[2];
    let text = card.lines(900);
    card.cmd(&scene, &text).args(["--btntxt", "More"]).run().assert_code(0);
    let messages = scene.wecom.messages();
    assert_eq!(messages.len(), 2);
    for message in &messages {
        let card = message.payload();
        assert_eq!((&card["title"], &card["btntxt"]), (&json!("Disk"), &json!("More")));
        assert_eq!(message.users, ["zhangsan"]);
    }
    assert_eq!(joined("card", "textcard", 512, &messages.iter().map(text_in).collect::<Vec<_>>()), text);
}

#[test]
fn mentions_stand_in_the_first_part_alone() {
    let scene = Scene::new();
    let mentions = ["--mention", "lisi", "--mention", "@all", "--mention-mobile", "13800000000"];
    for text in [lines(TEXT * 2), lines(TEXT * 7)] {
        let before = scene.wecom.messages().len();
        scene.send(Channel::Webhook, &mentions).stdin(&*text).run().assert_code(0);
        let messages = scene.wecom.messages().split_off(before);
        assert!(messages.len() > 1);
        for (at, message) in messages.iter().enumerate() {
            let expected =
                if at == 0 { [json!(["lisi", "@all"]), json!(["13800000000"])] } else { [const { Value::Null }; 2] };
            let lists = ["mentioned_list", "mentioned_mobile_list"].map(|list| message.payload()[list].clone());
            assert_eq!(lists, expected, "{at} of {}", messages.len());
        }
    }
}

#[test]
fn split_has_no_cap() {
    at_once(KINDS, |kind| {
        let (scene, case, text) = (Scene::new(), kind.name(), kind.lines(kind.limit * 11));
        let told = assert_document(
            &kind.cmd(&scene, &text).args(["--on-long", "split"]).run(),
            &case,
            0,
            &json!({"status": "sent"}),
        );
        let texts = texts(&scene);
        assert!(texts.len() > 11, "{case}");
        assert_eq!(joined(&case, kind.msgtype, kind.limit, &texts), text, "{case}");
        assert_eq!(told["attempts"], texts.len(), "{case}");
        assert_eq!(asked(&scene, kind.route), [texts.len(), 0], "{case}");
    });
}

#[test]
fn a_dry_run_shows_all_of_them() {
    let scene = Scene::new();
    let text = lines(TEXT * 2);
    let told = scene.send(Channel::Webhook, &["--dry-run"]).stdin(&*text).run().assert_code(0).json();
    let requests = told["requests"].as_array().unwrap();
    let content = |request: &Value| request["body"]["text"]["content"].as_str().unwrap().to_owned();
    assert_eq!(requests.len(), 3);
    let texts: Vec<String> = requests.iter().map(content).collect();
    assert_eq!(joined("dry run", "text", TEXT, &texts), text);

    let told = scene.send(Channel::App, &["--dry-run"]).stdin(lines(TEXT * 9)).run().assert_code(0).json();
    let requests = told["requests"].as_array().unwrap();
    let paths: Vec<_> = requests.iter().map(|request| request["path"].as_str().unwrap()).collect();
    assert_eq!(paths, ["/cgi-bin/message/send", "/cgi-bin/media/upload?type=file", "/cgi-bin/message/send"]);
    assert_eq!(requests[1]["body"]["media"]["bytes"], TEXT * 9);
    let name = requests[1]["body"]["media"]["filename"].as_str().unwrap();
    assert!(requests[0]["body"]["text"]["content"].as_str().unwrap().contains(name), "{told}");
    assert_eq!(requests[2]["body"]["msgtype"], "file");
    assert_eq!(scene.wecom.connections(), 0);
}

/// The heading is not alone in the first part.
#[test]
fn a_heading_before_a_long_line_is_two_messages() {
    let scene = Scene::new();
    for args in [&["-t", "text", "--title", "Disk full on web-1"][..], &["-t", "text"]] {
        let before = texts(&scene).len();
        let text = format!("a heading of thirty bytes here\n{}", "x".repeat(3_000));
        scene.send(Channel::Webhook, args).stdin(&*text).run().assert_code(0);
        let texts = texts(&scene).split_off(before);
        assert_eq!(texts.len(), 2, "{texts:#?}");
        assert!(texts[0].contains("bytes here\nxxx") && texts[0].len() == TEXT, "{}", texts[0]);
    }
}
