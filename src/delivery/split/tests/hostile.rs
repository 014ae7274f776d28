//! Large hostile texts: a quadratic search would take too long here.

use super::super::*;
use super::reading::{join, unmarked};
use super::words;
use crate::config::Keep;

const SIZE: usize = 1 << 20;
const LIMIT: usize = 2048;

fn texts() -> Vec<String> {
    let pieces = [
        "`",
        "` ",
        "`` ` ",
        "[",
        "](",
        "[a](",
        "[]( [",
        "<font",
        "<font>",
        "<font a=\"",
        "</font>",
        "<font>x</font>",
        "👨\u{200d}",
        "👨‍👩‍👧‍👦",
        "\u{301}",
        "🇨",
        "क्",
        "\u{600}",
        "x",
        "字",
        "\\",
        " ",
        "\n",
        "x\n\n",
        "```\n",
        "~~~",
        "```\n~~~\n",
        "``` a\n`",
        "a ```",
        "   ",
        "![](",
    ];
    let mut texts: Vec<String> = pieces.iter().map(|piece| piece.repeat(SIZE / piece.len())).collect();
    // Runs of all lengths that nothing closes, before many that close each other.
    let runs: String = (2..1400).map(|length| "`".repeat(length) + " ").collect();
    texts.push(runs + &"` ".repeat(SIZE / 4));
    texts.push("```\n".to_owned() + &"x".repeat(SIZE));
    texts.push(format!("{}\n", "```a".to_owned() + &"x".repeat(3000)).repeat(SIZE / 3000));
    texts.push("a".to_owned() + &" ".repeat(SIZE));
    texts
}

#[test]
fn hostile_text_is_cut_and_comes_back() {
    for text in texts() {
        let text = text.trim_end_matches('\n');
        for markup in [Markup::Plain, Markup::Markdown] {
            let parts = split(text, LIMIT, markup);
            let start: String = text.chars().take(20).collect();
            // Two parts in a row are longer than one may be, at the worst inside a block.
            assert!(parts.len() <= 4 * text.len() / LIMIT + 2, "{} parts of {start:?}", parts.len());
            assert!(parts.iter().all(|part| part.len() <= LIMIT), "{start:?}");
            if markup == Markup::Plain && parts.len() > 1 {
                let bodies = parts.iter().enumerate().map(|(index, part)| unmarked(part, index, parts.len(), markup));
                assert!(bodies.collect::<String>() == text, "{start:?}");
            }
            for keep in [Keep::Head, Keep::Tail] {
                assert!(truncate(text, LIMIT, markup, keep, words()).len() <= LIMIT, "{start:?}");
            }
        }
        assert_eq!(split_up_to(text, LIMIT, Markup::Markdown, 5), text.is_empty().then(|| vec![String::new()]));
    }
}

#[test]
fn a_text_far_too_long_is_refused_unread() {
    let text = "字".repeat(SIZE);
    assert_eq!(split_up_to(&text, LIMIT, Markup::Plain, 5), None);
    assert_eq!(
        join(&text, &split(&text, LIMIT, Markup::Plain), LIMIT, Markup::Plain).len() + 1,
        text.len().div_ceil(2034)
    );
}
