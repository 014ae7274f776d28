//! Splitting and shortening of long text.
//!
//! The first two bytes choose the limit and the markup.

#![no_main]

use std::collections::BTreeSet;

use libfuzzer_sys::fuzz_target;
use wecom_alert::channel::MsgType;
use wecom_alert::config::Keep;
use wecom_alert::fuzz::{clean_text, split_text, truncate_text};

const MSGTYPES: [MsgType; 4] = [MsgType::Text, MsgType::Markdown, MsgType::MarkdownV2, MsgType::Textcard];

fuzz_target!(|input: &[u8]| {
    let [first, second, bytes @ ..] = input else { return };
    let msgtype = MSGTYPES[usize::from(first % 4)];
    let limit = 40 + usize::from(first / 4) * 8 + usize::from(*second);
    let text = clean_text(&String::from_utf8_lossy(bytes));
    let parts = split_text(&text, limit, msgtype);
    assert!(parts.iter().all(|part| part.len() <= limit), "a part is over {limit} bytes: {parts:?}");
    assert_eq!(parts.len() == 1, text.len() <= limit);
    if parts.len() > 1 {
        assert_together(&text, &parts, msgtype);
    }
    for keep in [Keep::Head, Keep::Tail, Keep::Both] {
        let short = truncate_text(&text, limit, msgtype, keep);
        assert!(limit < 100 || short.len() <= limit, "{} bytes of {limit}: {short:?}", short.len());
        assert!(text.len() > limit || short == text);
    }
    // Limits that hold nothing end as well.
    for limit in 0..4 {
        split_text(&text, limit, msgtype);
        truncate_text(&text, limit, msgtype, Keep::Both);
    }
});

/// Every byte of the text stands in exactly one part, in order. Beside it a part has its mark, and may have the line that
/// begins a fenced block again and the run that ends one.
fn assert_together(text: &str, parts: &[String], msgtype: MsgType) {
    let behind_mark = match msgtype {
        MsgType::Markdown => "\n",
        MsgType::MarkdownV2 => "\n\n",
        _ => " ",
    };
    let mut reached = BTreeSet::from([0]);
    for (index, part) in parts.iter().enumerate() {
        let mark = format!("({}/{}){behind_mark}", index + 1, parts.len());
        let body = part.strip_prefix(&mark).unwrap_or_else(|| panic!("{part:?} is without {mark:?}"));
        let mut next = BTreeSet::new();
        for own in bodies_without_fences(body) {
            next.extend(reached.iter().filter(|at| text[**at..].starts_with(own)).map(|at| at + own.len()));
        }
        assert!(!next.is_empty(), "{part:?} is not what follows in {text:?}");
        reached = next;
    }
    assert!(reached.contains(&text.len()), "{parts:?} end before {text:?}");
}

/// What a part may hold of the text: all of it, or all but a first line and a last one that are fences.
fn bodies_without_fences(body: &str) -> Vec<&str> {
    let is_fence = |line: &str| ["```", "~~~"].iter().any(|run| line.trim_start_matches(' ').starts_with(run));
    let mut starts = vec![0];
    if let Some((line, _)) = body.split_once('\n').filter(|(line, _)| is_fence(line)) {
        starts.push(line.len() + 1);
    }
    let mut ends = vec![body.len()];
    let last = body.rfind('\n').map_or(0, |at| at + 1);
    if is_fence(&body[last..]) {
        ends.extend([last, last.saturating_sub(1)]);
    }
    starts.iter().flat_map(|start| ends.iter().filter_map(|end| body.get(*start..*end))).collect()
}
