//! Escaping: what a client shows is the given text. Each escape is read back.

use proptest::prelude::*;

use super::super::escape::{
    fenced, markdown, markdown_v2, markdown_v2_label, markdown_v2_paragraph, needs_code, textcard, url,
};
use super::HOSTILE;

/// The text of a line of inline code, as CommonMark reads it.
fn read_code(line: &str) -> String {
    let run = line.bytes().take_while(|byte| *byte == b'`').count();
    let fence = &line[..run];
    let inner = line.strip_prefix(fence).and_then(|rest| rest.strip_suffix(fence)).unwrap();
    assert!(run > 0 && inner.split(|c| c != '`').all(|its| its.len() != run), "{line}");
    let is_padded = inner.len() > 1 && inner.starts_with(' ') && inner.ends_with(' ') && !inner.trim().is_empty();
    if is_padded { inner[1..inner.len() - 1].to_owned() } else { inner.to_owned() }
}

fn read_backslashes(text: &str) -> String {
    let mut plain = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        plain.push(if c == '\\' { chars.next().unwrap() } else { c });
    }
    plain
}

#[test]
fn ordinary_lines_of_markdown_stay() {
    for line in [
        "a_b: https://example.com/a_b?c_d=e",
        "",
        "98 % used",
        "磁盘已满 🚨",
        "a | b",
        "C:\\dir",
        "a & b; c",
        "$x=y$",
        "[INFO] up (1)",
        "issue #3",
        "a > b",
        "-x",
        "1. a",
        "x--y",
        "~~",
        "\tat main",
        "snake_case /var/log_2 磁_盘",
    ] {
        assert!(!needs_code(line), "{line}");
        assert_eq!(markdown(line), line);
    }
}

#[test]
fn lines_with_markup_become_code() {
    for (line, code) in [
        ("a<b", "`a<b`"),
        ("2*3", "`2*3`"),
        ("_a_b", "`_a_b`"),
        ("a_ b", "`a_ b`"),
        ("__init__", "`__init__`"),
        ("# x", "`# x`"),
        ("  > x", "`  > x`"),
        ("a\\*", "`a\\*`"),
        ("&#39;", "`&#39;`"),
        ("[a](b)", "`[a](b)`"),
        ("[a]: b", "`[a]: b`"),
        ("=====", "`=====`"),
        ("---", "`---`"),
        ("~~~", "`~~~`"),
        ("`", "`` ` ``"),
        ("a`b``c", "```a`b``c```"),
        ("`a", "`` `a ``"),
        (" * ", "`  *  `"),
    ] {
        assert!(needs_code(line), "{line}");
        assert_eq!(markdown(line), code);
        assert_eq!(read_code(code), line);
    }
}

#[test]
fn code_that_no_message_could_hold_is_several_lines() {
    let line = format!("<{}>", "磁".repeat(700));
    let rendered = markdown(&line);
    let lines: Vec<_> = rendered.split('\n').collect();
    assert!(lines.len() == 3 && lines.iter().all(|line| line.len() <= 1002), "{}", lines.len());
    assert_eq!(lines.iter().map(|line| read_code(line)).collect::<String>(), line);
}

#[test]
fn markdown_v2_has_backslashes_where_a_sign_could_matter() {
    for (text, escaped) in [
        ("snake_case", "snake_case"),
        ("_x_", "\\_x\\_"),
        ("# a #", "# a \\#"),
        ("##", "\\#\\#"),
        ("C# a # b", "C# a # b"),
        ("- 1.5 > 2) =", "- 1.5 > 2) ="),
        ("a\\|b", "a\\\\\\|b"),
        ("&lt; & x", "\\&lt; & x"),
        ("~/a", "~/a"),
        ("~~a~~", "\\~\\~a\\~\\~"),
        ("SELECT * FROM a *", "SELECT * FROM a *"),
        ("*a* 2*3", "\\*a\\* 2\\*3"),
        ("a < b <5 <> <c> </d> <@e> <!-- <?", "a < b <5 <> \\<c> \\</d> \\<@e> \\<!-- \\<?"),
        ("[prod] [x]", "[prod] [x]"),
        ("[a](b) [c]", "\\[a\\](b) \\[c\\]"),
        ("[a]: b", "\\[a\\]: b"),
        ("磁盘 🚨", "磁盘 🚨"),
    ] {
        assert_eq!(markdown_v2(text), escaped);
    }
}

#[test]
fn a_paragraph_of_markdown_v2_is_no_heading_quote_or_list() {
    for (text, escaped) in [
        ("# a #", "\\# a \\#"),
        ("- a - b", "\\- a - b"),
        ("+ a", "\\+ a"),
        ("=", "\\="),
        ("* a", "\\* a"),
        ("1. a 2.", "1\\. a 2."),
        ("12) a", "12\\) a"),
        ("> a > b", "\\> a > b"),
        ("[prod]", "[prod]"),
        ("[a](b)", "\\[a\\](b)"),
    ] {
        assert_eq!(markdown_v2_paragraph(text), escaped);
    }
    assert_eq!(markdown_v2_label("a] [b 1."), "a\\] \\[b 1.");
}

#[test]
fn a_fence_is_longer_than_what_is_in_it() {
    assert_eq!(fenced("a"), "```\na\n```");
    assert_eq!(fenced("```\n`````x"), "``````\n```\n`````x\n``````");
}

#[test]
fn a_textcard_has_entities_only_for_tags_and_entities() {
    assert_eq!(
        textcard("a < b <80% <br> </div> <!-- <?x &amp; a & b; &x"),
        "a < b <80% &lt;br> &lt;/div> &lt;!-- &lt;?x &amp;amp; a & b; &x"
    );
    assert_eq!(textcard("磁<盘"), "磁<盘");
}

#[test]
fn an_address_cannot_end_its_link() {
    assert_eq!(
        url("https://example.com/a_(b) c?d=<e>&f=\u{3000}磁"),
        "https://example.com/a_%28b%29%20c?d=%3Ce%3E&f=%E3%80%80磁"
    );
    assert_eq!(url("https://example.com/?a=1&b=*"), "https://example.com/?a=1&b=*");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn lines_read_back(line in "[ab<>*_`#&;lt\\\\|~=$\\[\\]()! 磁-]{0,40}") {
        let shown = markdown(&line);
        let read = if needs_code(&line) { read_code(&shown) } else { shown };
        prop_assert_eq!(read, line.clone());
        for shown in [markdown_v2(&line), markdown_v2_paragraph(&line), markdown_v2_label(&line)] {
            prop_assert_eq!(read_backslashes(&shown), line.clone());
        }
        let card = textcard(&line);
        prop_assert_eq!(card.replace("&lt;", "<").replace("&amp;", "&"), line);
    }

    #[test]
    fn no_cell_breaks_its_table(cell in ".{0,40}") {
        let cell = markdown_v2(&cell.replace(char::is_control, " "));
        prop_assert!(!read_cells(&cell).contains('|'), "{}", cell);
    }
}

/// The cell without what a backslash protects.
fn read_cells(cell: &str) -> String {
    let mut bare = String::new();
    let mut chars = cell.chars();
    while let Some(c) = chars.next() {
        if c == '\\' {
            chars.next();
        } else {
            bare.push(c);
        }
    }
    bare
}

#[test]
fn the_hostile_line_is_hostile() {
    assert!(needs_code(HOSTILE) && markdown_v2(HOSTILE) != HOSTILE && textcard(HOSTILE) != HOSTILE);
}
