//! A warning where the sender's own markup is none in the type that it goes out as.

use serde_json::Value;
use wecom_alert::channel::Channel;

use crate::support::{Cmd, Scene};

/// The warnings of a message that is sent all the same.
fn warnings(cmd: Cmd) -> Vec<String> {
    let told = cmd.run().assert_code(0).json();
    let warnings = told["warnings"].as_array().unwrap();
    warnings.iter().map(|warning| warning.as_str().unwrap().to_owned()).collect()
}

const TABLE: &str = "| a | b |\n|---|---|\n| 1 | 2 |";

#[test]
fn markup_that_the_type_does_not_have_is_told_once() {
    let scene = Scene::new();
    for (channel, msgtype, text, told) in [
        (Channel::Webhook, "markdown", TABLE, "a table (line 1) appears as it is written, -t markdown_v2 shows it"),
        (Channel::App, "markdown", TABLE, "a table (line 1) appears as it is written"),
        (Channel::Webhook, "markdown", "x\n```\ny\n```", "a code block (line 2)"),
        (Channel::Webhook, "markdown", "#标题", "#标题 (line 1) is not a heading"),
        (Channel::Webhook, "markdown", "<font color=\"red\">x</font>", "color red (line 1) is unknown"),
        (Channel::App, "markdown", "<@zhangsan>", "mentions nobody in app messages"),
        (
            Channel::Webhook,
            "markdown_v2",
            "<@zhangsan>",
            "<@zhangsan> (line 1) mentions nobody, --mention zhangsan does",
        ),
        (Channel::Webhook, "markdown_v2", "<font color=\"info\">x</font>", "<font> (line 1) gives no colour"),
    ] {
        let content = serde_json::json!({ "content": text }).to_string();
        for cmd in [
            scene.send(channel, &["-t", msgtype]).arg(text),
            scene.send(channel, &["-t", msgtype, "--payload", "-"]).stdin(&*content),
            scene.send(channel, &["-t", msgtype]).stdin(format!("{text}\n{}", "long\n".repeat(3_000))),
        ] {
            let warnings = warnings(cmd);
            assert!(warnings.len() == 1 && warnings[0].contains(told), "{msgtype} {text}: {warnings:?}");
        }
    }
}

#[test]
fn what_the_program_renders_itself_is_not_told() {
    let scene = Scene::new();
    let hostile = "# x\n```\n#标题\n<font color=\"red\"> <@zhangsan>\n```\n";
    for msgtype in ["markdown", "markdown_v2"] {
        for args in [&["--title", "#标题 <@lisi>"][..], &["--field", "<font>=<@lisi>"], &["--level", "info"]] {
            let cmd = scene.send(Channel::Webhook, &["-t", msgtype]).args(args).stdin(hostile);
            assert_eq!(warnings(cmd), [""; 0], "{msgtype} {args:?}");
        }
    }
    for msgtype in ["text", "markdown"] {
        let cmd = scene.send(Channel::Webhook, &["-t", msgtype, "# a\n> b\n<font color=\"warning\">c</font> <@lisi>"]);
        assert_eq!(warnings(cmd), [""; 0]);
    }
    assert!(scene.wecom.messages().iter().all(|message| message.body["msgtype"] != Value::Null));
}

#[test]
fn markdown_that_becomes_data_is_told_with_the_option_that_makes_it_data() {
    let scene = Scene::new();
    let text = "x\n**disk full** on <font color=\"warning\">web-3</font>";
    for (args, told) in [
        (&["-t", "markdown", "--level", "critical"][..], "leave --level out"),
        (&["-t", "markdown", "--title", "a", "--level", "critical"], "leave --title out"),
        (&["-t", "markdown_v2", "--field", "a=b"], "leave --field out"),
    ] {
        for cmd in [scene.group(args).arg(text), scene.group(args).stdin(text)] {
            let warnings = warnings(cmd);
            let is_told =
                warnings.len() == 1 && warnings[0].contains("bold text in line 2") && warnings[0].contains(told);
            assert!(is_told, "{args:?}: {warnings:?}");
        }
    }
    // Nobody asked for Markdown, and the text may be any program's output.
    for args in [&["--level", "critical"][..], &["--title", "a"], &[]] {
        assert_eq!(warnings(scene.group(args).stdin(text)), [""; 0], "{args:?}");
    }
}

#[test]
fn a_template_that_makes_markdown_needs_its_type() {
    let scene = Scene::new();
    let template = scene.env.file("disk.j2", "**{{ host }}** is full");
    let template = template.to_str().unwrap();
    let told = |args: &[&str]| {
        let cmd = scene.group(&["--template", template, "--data", "-"]).args(args).stdin(r#"{"host": "web-3"}"#);
        warnings(cmd)
    };
    let raw = told(&[]);
    assert!(raw.len() == 1 && raw[0].contains("give -t markdown"), "{raw:?}");
    let data = told(&["--title", "a"]);
    assert!(data.len() == 1 && data[0].contains("leave --title out"), "{data:?}");
    assert_eq!(told(&["-t", "markdown"]), [""; 0]);
    assert_eq!(told(&["-t", "markdown_v2"]), [""; 0]);
}
