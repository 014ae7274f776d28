//! Rendered alerts can be split: what was escaped stays escaped in every part.

use crate::alert::{Alert, Level};

use super::super::*;

fn alert() -> Alert {
    let line = "磁盘 a<b> *c* `d` [e](f) ### 👨‍👩‍👧";
    Alert {
        prefix: Some("prod".to_owned()),
        title: Some("t".to_owned()),
        level: Some(Level::Critical),
        body: Some(format!("{}\n{}", [line; 100].join("\n"), line.repeat(100))),
        ..Alert::default()
    }
}

#[test]
fn each_part_has_whole_lines_of_code() {
    let rendered = alert().markdown();
    let parts = split(&rendered.text, 2048 - rendered.prefix.len(), Markup::Markdown);
    assert!(parts.len() > 3);
    for part in parts {
        assert!(rendered.prefix.len() + part.len() <= 2048);
        for line in part.lines().filter(|line| !line.starts_with('(') && !line.starts_with("<font")) {
            assert!(line.starts_with("``") && line.ends_with("``"), "{line}");
        }
    }
}

#[test]
fn each_part_has_a_whole_block() {
    let rendered = alert().markdown_v2();
    let parts = split(&rendered.text, 4096 - rendered.prefix.len(), Markup::MarkdownV2);
    assert!(parts.len() > 1);
    for part in parts {
        assert_eq!(part.lines().filter(|line| *line == "```").count(), 2, "{part}");
    }
}
