//! Examples of the rules, byte by byte.

use super::super::*;
use super::words;
use crate::config::Keep;

#[track_caller]
fn splits(text: &str, limit: usize, markup: Markup, expected: &[&str]) {
    assert_eq!(split(text, limit, markup), expected);
}

#[test]
fn what_fits_is_one_part_without_mark() {
    splits("磁盘已满", 12, Markup::Plain, &["磁盘已满"]);
    splits("", 0, Markup::Markdown, &[""]);
}

#[test]
fn marks_count_and_lines_end_the_earlier_part() {
    splits("one\ntwo\nthree", 12, Markup::Plain, &["(1/3) one\n", "(2/3) two\n", "(3/3) three"]);
    splits("# one\ntwo", 12, Markup::Markdown, &["# one\ntwo"]);
    splits("# one\n| a | b |", 14, Markup::Markdown, &["(1/3)\n# one\n", "(2/3)\n| a | b ", "(3/3)\n|"]);
    splits(
        "> one\n> two\n> three",
        15,
        Markup::MarkdownV2,
        &["(1/3)\n\n> one\n", "(2/3)\n\n> two\n", "(3/3)\n\n> three"],
    );
}

#[test]
fn more_than_nine_parts_have_wider_marks() {
    let parts = split(&"12345".repeat(10), 11, Markup::Plain);
    assert_eq!((parts.len(), parts[0].as_str(), parts[16].as_str()), (17, "(1/17) 123", "(17/17) 45"));
    assert_eq!(split(&"12345".repeat(9), 11, Markup::Plain).len(), 9);
}

#[test]
fn a_line_too_long_is_cut_between_clusters_else_between_code_points() {
    splits("磁盘磁盘👨‍👩‍👧满", 27, Markup::Plain, &["(1/2) 磁盘磁盘", "(2/2) 👨‍👩‍👧满"]);
    splits("磁盘👨‍👩‍👧", 14, Markup::Plain, &["(1/4) 磁盘", "(2/4) 👨\u{200d}", "(3/4) 👩\u{200d}", "(4/4) 👧"]);
    // A line break does not begin a part.
    splits("1234\n567\n890", 10, Markup::Plain, &["(1/4) 123", "(2/4) 4\n", "(3/4) 567\n", "(4/4) 890"]);
}

#[test]
fn a_line_that_no_part_can_hold_begins_where_there_is_room() {
    splits("1234\n567890", 10, Markup::Plain, &["(1/3) 123", "(2/3) 4\n56", "(3/3) 7890"]);
    let text = format!("heading\n{}\nlast", "x".repeat(3_000));
    for (markup, limit) in [(Markup::Plain, 2048), (Markup::Markdown, 2048), (Markup::MarkdownV2, 2048)] {
        let parts = split(&text, limit, markup);
        assert!(parts.len() == 2 && parts[0].contains("heading\nxxx") && parts[0].len() == limit, "{markup:?}");
    }
    // One that has room in a part is left whole, and little room is no reason to begin a long one.
    for before in ["x".repeat(500), "x\n".repeat(900)] {
        let line = "y".repeat(if before.contains('\n') { 4_000 } else { 1_900 });
        let parts = split(&format!("{before}\n{line}"), 2048, Markup::Plain);
        assert!(parts[0].ends_with('\n') && parts[0].trim_end().ends_with('x'), "{}", parts[0]);
    }
}

#[test]
fn of_a_line_larger_than_the_room_both_ends_are_shown() {
    let long = format!("HEAD{}TAIL", "磁盘 ".repeat(3_000));
    for (text, shown) in [
        (format!("first\n{long}\nlast"), ["first\nHEAD磁盘", "盘 TAIL\nlast"]),
        (format!("first\n{long}"), ["first\nHEAD磁盘", "盘 TAIL"]),
        (format!("{long}\nlast"), ["HEAD磁盘", "盘 TAIL\nlast"]),
    ] {
        for markup in [Markup::Plain, Markup::Markdown, Markup::MarkdownV2] {
            let short = truncate(&text, 2048, markup, Keep::Both, words());
            assert!(short.starts_with(shown[0]) && short.ends_with(shown[1]), "{short}");
            assert!((1_900..=2048).contains(&short.len()), "{}", short.len());
            for (keep, other) in [(Keep::Head, "TAIL"), (Keep::Tail, "HEAD")] {
                let short = truncate(&text, 2048, markup, keep, words());
                assert!((1_900..=2048).contains(&short.len()) && !short.contains(other), "{short}");
            }
        }
    }
    let logs = format!("{}{long}\n{}", "a line of the log\n".repeat(100), "the end\n".repeat(500));
    let short = truncate(&logs, 2048, Markup::Plain, Keep::Both, words());
    assert!(short.contains("log\n[… ") && short.contains("out …]\nthe end\n"), "{short}");
}

#[test]
fn links_code_and_fonts_stay_whole() {
    for thing in ["[a](http://x/(y))", "`` a`b c d e f ``", "<font a>x</font>", "![a](b)"] {
        let text = format!("123 45{thing} 6 789 0");
        let parts = split(&text, 6 + thing.len() + 2, Markup::Markdown);
        assert_eq!(parts[0], "(1/3)\n123 45", "{thing}");
        assert_eq!(parts[1], format!("(2/3)\n{thing} 6"));
    }
    splits("123 45`a b c d`", 14, Markup::Plain, &["(1/2) 123 45`a", "(2/2)  b c d`"]);
}

#[test]
fn a_font_may_go_on_over_lines() {
    let text = "1234567\n<font a>1\n2</font>\n3";
    splits(text, 26, Markup::Markdown, &["(1/2)\n1234567\n", "(2/2)\n<font a>1\n2</font>\n3"]);
}

#[test]
fn a_block_that_fits_is_not_cut() {
    let text = "one\ntwo\n3\n```sh\n1\n2\n```\nfour";
    let expected = ["(1/3)\n\none\ntwo\n3\n", "(2/3)\n\n```sh\n1\n2\n```\n", "(3/3)\n\nfour"];
    splits(text, 21, Markup::MarkdownV2, &expected);
}

#[test]
fn a_block_is_not_cut_for_blanks_after_it() {
    let expected = ["(1/3)\n123456789012345\n", "(2/3)\n```\n1234567\n```\n", "(3/3)\n  "];
    splits("123456789012345\n```\n1234567\n```\n  ", 22, Markup::Markdown, &expected);
}

#[test]
fn a_longer_block_is_ended_and_begun_again() {
    let text = format!("head\n~~~ sh\n{}~~~\nend", "echo 1\n".repeat(12));
    splits(
        &text,
        50,
        Markup::Markdown,
        &[
            "(1/3)\nhead\n~~~ sh\necho 1\necho 1\necho 1\necho 1\n~~~",
            "(2/3)\n~~~ sh\necho 1\necho 1\necho 1\necho 1\n~~~",
            "(3/3)\n~~~ sh\necho 1\necho 1\necho 1\necho 1\n~~~\nend",
        ],
    );
}

#[test]
fn a_line_cut_inside_a_block_gets_a_line_break() {
    let text = format!("```\n{}\n```", "0123456789".repeat(5));
    splits(
        &text,
        50,
        Markup::Markdown,
        &["(1/2)\n```\n012345678901234567890123456789012345\n```", "(2/2)\n```\n67890123456789\n```"],
    );
}

#[test]
fn white_space_is_no_part_of_its_own() {
    // What begins like a block and has no line of its own is cut anywhere, and not behind the empty line before it.
    let text = format!("\n```{}👨‍👩‍👧‍👦{}", "磁盘已满".repeat(6), "磁盘已满".repeat(9));
    let parts = split(&text, 110, Markup::Markdown);
    assert!(parts[0].starts_with("(1/3)\n\n```磁盘"), "{parts:?}");
    splits("12345678\n   \n[a](b)", 16, Markup::Markdown, &["(1/2)\n12345678\n", "(2/2)\n   \n[a](b)"]);
    splits("123456789a         ", 16, Markup::Plain, &["(1/2) 123456789", "(2/2) a         "]);
    splits("\n\n12345678901234567890", 14, Markup::Plain, &["(1/3) \n\n123456", "(2/3) 78901234", "(3/3) 567890"]);
}

#[test]
fn the_middle_the_head_or_the_tail_is_missing() {
    let text = (10..30).map(|number| format!("line {number}")).collect::<Vec<_>>().join("\n");
    let head = "line 10\nline 11\nline 12\n";
    let tail = "line 27\nline 28\nline 29";
    let short = |keep| truncate(&text, 80, Markup::Plain, keep, words());
    assert_eq!(short(Keep::Both), format!("{head}[… 112 bytes left out …]\n{tail}"));
    assert_eq!(short(Keep::Head), format!("{head}line 13\nline 14\nline 15\n[… 111 bytes left out …]"));
    assert_eq!(short(Keep::Tail), format!("[… 112 bytes left out …]\nline 24\nline 25\nline 26\n{tail}"));
    let noted = truncate_with_note(&text, 93, Markup::Plain, Keep::Both, "see the file", words());
    assert_eq!(noted, format!("{head}[… 112 bytes left out …]\nsee the file\n{tail}"));
}

#[test]
fn a_tail_does_not_begin_in_a_block_that_follows_a_longer_one() {
    let last = "``` rust x\n12345678901\n1234\n```";
    let text = format!("```\n{}```\n{last}", "a\n".repeat(30));
    assert_eq!(truncate(&text, 60, Markup::Markdown, Keep::Tail, words()), format!("[… 68 bytes left out …]\n{last}"));
}

#[test]
fn in_a_textcard_tags_end_lines_and_entities_are_signs() {
    let card = Markup::Textcard;
    splits("one<br>two<br>three", 15, card, &["(1/3) one<br>", "(2/3) two<br>", "(3/3) three"]);
    splits("one\ntwo<br>threexx", 17, card, &["(1/2) one\ntwo<br>", "(2/2) threexx"]);
    splits("12345678<br>901", 13, card, &["(1/3) 1234567", "(2/3) 8<br>", "(3/3) 901"]);
    splits("12345&lt;bcdef", 13, card, &["(1/3) 12345", "(2/3) &lt;bcd", "(3/3) ef"]);
    splits("12345&#39;bcdef", 13, card, &["(1/3) 12345", "(2/3) &#39;bc", "(3/3) def"]);
    // No entity, whatever follows.
    splits("12345& b; cdef", 13, card, &["(1/2) 12345& ", "(2/2) b; cdef"]);
    splits("one<br>two", 10, Markup::Plain, &["one<br>two"]);
    let text = (10..30).map(|number| format!("line {number}")).collect::<Vec<_>>().join("<br>");
    let short = |keep| truncate(&text, 90, card, keep, words());
    assert_eq!(short(Keep::Both), "line 10<br>line 11<br>[… 165 bytes left out …]<br>line 27<br>line 28<br>line 29");
    assert_eq!(short(Keep::Head), "line 10<br>line 11<br>line 12<br>line 13<br>line 14<br>[… 161 bytes left out …]");
    assert_eq!(short(Keep::Tail), "[… 165 bytes left out …]<br>line 25<br>line 26<br>line 27<br>line 28<br>line 29");
    let noted = truncate_with_note(&text, 96, card, Keep::Both, "see the file", words());
    assert_eq!(noted, "line 10<br>[… 176 bytes left out …]<br>see the file<br>line 27<br>line 28<br>line 29");
}
