//! Text arrives to the byte: nothing is read into it, on any way in, on either route.

use proptest::prelude::*;
use serde_json::json;
use wecom_alert::channel::Channel;

use super::{assert_sent_silently, body_of, last};
use crate::support::{Cmd, HTTP_ROUTES, Scene};

/// Text that shells, templates, parsers and encoders like to spoil.
const NASTY: [&str; 24] = [
    "plain",
    "\"double\" 'single' `back` \\ \\\\ \\n \\t \\u0041 \\x41",
    "$(rm -rf /) ${HOME} $HOME `id` ; & | > < ! * ? [a] {b,c} ~ #",
    "%s %d %n %% %20 %E4%B8%AD {} {0} {{x}} $1 \\1",
    "</script><b>&amp;&lt;&#39;<!-- --><![CDATA[ ]]>",
    "{\"msgtype\": \"text\", \"text\": {\"content\": \"inner\"}}",
    "line 1\nline 2\n\n\tindented\n  trailing blanks  ",
    "\n\n  leading lines and blanks",
    "磁盘空间不足：/var/lib/mysql 已用 98 %，请处理。",
    "繁體 日本語 한국어 ภาษาไทย العربية עברית ελληνικά",
    "😀 👨‍👩‍👧 ❤️ 🇨🇳 🏴󠁧󠁢󠁥󠁮󠁧󠁿 é e\u{301}",
    "a\u{a0}b\u{2028}c\u{2029}d\u{200b}e\u{202e}f\u{3000}g",
    "\u{fffd}\u{fffe}\u{10ffff}\u{e000}",
    "-5 degrees",
    "--help",
    "--",
    "-",
    "@file @all <@zhangsan>",
    "[link](https://example.test/?a=1&b=2#c) **bold** > quote",
    "C:\\Windows\\System32\\new\\table",
    "=cmd|' /C calc'!A0",
    "null",
    "0",
    "a very long word: ",
];

#[derive(Debug, Clone, Copy)]
enum Way {
    Argument,
    Stdin,
    TextFile,
    TextFileStdin,
}

const WAYS: [Way; 4] = [Way::Argument, Way::Stdin, Way::TextFile, Way::TextFileStdin];

fn send(scene: &Scene, route: Channel, way: Way, given: &str) -> Cmd {
    match way {
        Way::Argument => scene.send(route, &["--"]).arg(given),
        Way::Stdin => scene.send(route, &[]).stdin(given),
        Way::TextFile => scene.send(route, &["--text-file"]).arg(scene.env.file("text", given)),
        Way::TextFileStdin => scene.send(route, &["--text-file", "-"]).stdin(given),
    }
}

/// Sends it and looks at the bytes on the wire.
#[track_caller]
fn arrives(scene: &Scene, route: Channel, way: Way, given: &str, expected: &str) {
    let case = format!("{} {way:?} {given:?}", route.as_str());
    assert_sent_silently(&case, send(scene, route, way, given).run());
    let arrived = last(scene, &case);
    assert_eq!(arrived.body, body_of(route, "text", json!({"content": expected})), "{case}");
    let raw = String::from_utf8(arrived.raw).unwrap();
    assert!(raw.contains(&format!("{{\"content\":\"{}\"}}", in_json(expected))), "{case}: {raw}");
}

/// Only what JSON itself needs is escaped, and nothing as `\u`.
fn in_json(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n").replace('\t', "\\t")
}

#[test]
fn a_group_gets_every_text_unharmed_from_everywhere() {
    let scene = Scene::new();
    for text in NASTY {
        for way in WAYS {
            arrives(&scene, Channel::Webhook, way, text, text);
        }
    }
}

#[test]
fn members_get_every_text_unharmed() {
    let scene = Scene::new();
    for (index, text) in NASTY.into_iter().enumerate() {
        arrives(&scene, Channel::App, WAYS[index % WAYS.len()], text, text);
    }
}

#[test]
fn one_long_line_arrives_whole() {
    let scene = Scene::new();
    let line = "0123456789磁".repeat(157);
    for (route, way) in [(Channel::App, Way::Argument), (Channel::App, Way::Stdin), (Channel::Webhook, Way::TextFile)] {
        arrives(&scene, route, way, &line, &line);
    }
}

#[test]
fn what_terminals_act_upon_is_cleaned_away() {
    let scene = Scene::new();
    let cases = [
        ("\u{1b}[1;31mERROR\u{1b}[0m disk\u{1b}[K", "ERROR disk"),
        ("a\u{1b}]8;;https://example.test\u{7}link\u{1b}]8;;\u{7}b", "alinkb"),
        ("\u{1b}]0;title of the window\u{1b}\\text", "text"),
        ("\u{1b}Pq#0;2;0\u{1b}\\text\u{1b}(B\u{1b}c", "text"),
        ("\u{feff}bom, then\u{feff} another", "bom, then another"),
        ("a\r\nb\rc\nd\r\n", "a\nb\nc\nd"),
        ("10%\r20%\r100%", "10%\n20%\n100%"),
        ("a\u{8}\u{7}\u{b}\u{c}\u{7f}\u{85}b\tc", "ab\tc"),
        ("text\n\n\n", "text"),
        ("text \n \n", "text \n "),
    ];
    for (given, expected) in cases {
        for route in HTTP_ROUTES {
            arrives(&scene, route, Way::Stdin, given, expected);
        }
        arrives(&scene, Channel::Webhook, Way::Argument, given, expected);
        arrives(&scene, Channel::Webhook, Way::TextFile, given, expected);
    }
    // An argument cannot hold it.
    for way in [Way::Stdin, Way::TextFile] {
        arrives(&scene, Channel::App, way, "a\0b\0\0c\0", "abc");
    }
}

#[test]
fn markdown_is_no_exception() {
    let scene = Scene::new();
    let [colour, table] = ["<font color=\"warning\">98 %</font>", "| a | b |\n| - | - |"];
    for (route, msgtype, own) in [
        (Channel::App, "markdown", colour),
        (Channel::Webhook, "markdown", colour),
        (Channel::Webhook, "markdown_v2", table),
    ] {
        let text = format!("# 标题\n> `a\\_b` **c** \\* $HOME\n\n{own}");
        let cmd = scene.send(route, &["-t", msgtype]).stdin(format!("\u{1b}[31m{text}\r\n"));
        assert_sent_silently(msgtype, cmd.run());
        assert_eq!(last(&scene, msgtype).body, body_of(route, msgtype, json!({"content": text})));
    }
}

#[test]
fn any_text_arrives_as_it_is_cleaned() {
    let scene = Scene::new();
    let cases = proptest::collection::vec(any_text(), 12);
    let config = ProptestConfig { cases: 1, failure_persistence: None, ..ProptestConfig::default() };
    let mut runner = proptest::test_runner::TestRunner::new(config);
    runner
        .run(&cases, |texts| {
            for (index, text) in texts.iter().enumerate() {
                let way = [Way::Stdin, Way::TextFile][index % 2];
                arrives(&scene, HTTP_ROUTES[index / 2 % 2], way, text, &cleaned(text));
            }
            Ok(())
        })
        .unwrap();
}

/// Any characters but those that begin a sequence, whose extent only the program's own rules could tell.
fn any_text() -> impl Strategy<Value = String> {
    let character = prop_oneof![
        4 => any::<char>(),
        1 => proptest::sample::select(vec!['\r', '\n', '\t', '\0', '"', '\\', '\u{7f}', '\u{feff}', '磁', ' ']),
    ];
    let harmless = character.prop_filter("no sequence", |c| *c != '\u{1b}' && !('\u{80}'..='\u{9f}').contains(c));
    proptest::collection::vec(harmless, 0..200).prop_map(|chars| format!("x{}", String::from_iter(chars)))
}

fn cleaned(text: &str) -> String {
    let kept = |c: &char| matches!(c, '\n' | '\r' | '\t') || !(c.is_control() || *c == '\u{feff}');
    let text: String = text.chars().filter(kept).collect();
    text.replace("\r\n", "\n").replace('\r', "\n").trim_end_matches('\n').to_owned()
}
