//! The Markdown of the manual's pages, read into blocks. It is a small part of Markdown, chosen so that a page reads the same on
//! a forge, in a terminal and as a man page; a test refuses the rest. Pure.

use super::super::wrap::is_wide;

/// A block of a page.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Block {
    /// A heading and its level, from 1.
    Heading(usize, Text),
    /// A paragraph.
    Paragraph(Text),
    /// Lines that stay as they are.
    Code(Vec<String>),
    /// The items of a list.
    List(Vec<Item>),
    /// A table.
    Table(Table),
}

/// An item of a list.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Item {
    /// Its number, as in `1.`; `None` in a list without.
    pub(super) number: Option<String>,
    /// What it says.
    pub(super) blocks: Vec<Block>,
}

/// A table: each row has as many cells as the head.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Table {
    /// The names of the columns.
    pub(super) head: Vec<Text>,
    /// The rows below.
    pub(super) rows: Vec<Vec<Text>>,
}

/// Text without a line break.
pub(super) type Text = Vec<Span>;

/// A piece of text in one look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Span {
    /// Its characters.
    pub(super) text: String,
    /// Its look.
    pub(super) look: Look,
}

/// What a piece of text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    /// Text.
    Plain,
    /// `**text**`.
    Strong,
    /// `*text*`.
    Emphasis,
    /// What is typed or printed.
    Code,
    /// The name of a topic: a link to its page.
    Topic,
}

/// Reads a page.
pub(super) fn parse(page: &str) -> Vec<Block> {
    blocks(&page.lines().collect::<Vec<_>>())
}

fn blocks(lines: &[&str]) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut rest = lines;
    while let [line, below @ ..] = rest {
        let (block, after) = if line.trim().is_empty() || is_comment(line) {
            rest = below;
            continue;
        } else if let Some(fence) = fence(line) {
            code(fence, below)
        } else if let Some((level, title)) = heading(line) {
            (Block::Heading(level, text(title)), below)
        } else if is_table(rest) {
            table(rest)
        } else if marker(line).is_some() {
            list(rest)
        } else {
            paragraph(rest)
        };
        blocks.push(block);
        rest = after;
    }
    blocks
}

fn is_comment(line: &str) -> bool {
    line.starts_with("<!--") && line.ends_with("-->")
}

/// The signs that open a block of code.
fn fence(line: &str) -> Option<&str> {
    let length = line.len() - line.trim_start_matches('`').len();
    (length >= 3).then(|| &line[..length])
}

fn heading(line: &str) -> Option<(usize, &str)> {
    let title = line.trim_start_matches('#');
    let level = line.len() - title.len();
    (1..=4).contains(&level).then(|| title.strip_prefix(' ')).flatten().map(|title| (level, title.trim()))
}

fn is_table(lines: &[&str]) -> bool {
    matches!(lines, [head, below, ..] if head.starts_with('|') && below.starts_with("|--"))
}

/// What a line of a list begins with, and what follows: the number, and how far the item is indented.
fn marker(line: &str) -> Option<(Option<String>, usize)> {
    if line.starts_with("- ") {
        return Some((None, 2));
    }
    let digits = line.len() - line.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let is_number = (1..=3).contains(&digits) && line[digits..].starts_with(". ");
    is_number.then(|| (Some(line[..=digits].to_owned()), digits + 2))
}

fn code<'a, 'b>(fence: &str, lines: &'a [&'b str]) -> (Block, &'a [&'b str]) {
    let end = lines.iter().position(|line| line.trim_end() == fence).unwrap_or(lines.len());
    let code = lines[..end].iter().map(|line| (*line).to_owned()).collect();
    (Block::Code(code), lines.get(end + 1..).unwrap_or_default())
}

fn list<'a, 'b>(lines: &'a [&'b str]) -> (Block, &'a [&'b str]) {
    let mut items = Vec::new();
    let mut rest = lines;
    while let Some((number, indent)) = rest.first().and_then(|line| marker(line)) {
        let own = |line: &&str| line.trim().is_empty() || line.len() - line.trim_start().len() >= 2;
        let mut end = 1 + rest[1..].iter().take_while(|line| own(line)).count();
        let after = &rest[end..];
        while end > 1 && rest[end - 1].trim().is_empty() {
            end -= 1;
        }
        let inner: Vec<&str> = rest[..end]
            .iter()
            .enumerate()
            .map(|(at, line)| if at == 0 { &line[indent..] } else { dedent(line, indent) })
            .collect();
        items.push(Item { number, blocks: blocks(&inner) });
        rest = after;
    }
    (Block::List(items), rest)
}

/// The line without up to so many blanks before it.
fn dedent(line: &str, indent: usize) -> &str {
    let blanks = line.len() - line.trim_start_matches(' ').len();
    &line[blanks.min(indent)..]
}

fn table<'a, 'b>(lines: &'a [&'b str]) -> (Block, &'a [&'b str]) {
    let end = lines.iter().position(|line| !line.starts_with('|')).unwrap_or(lines.len());
    let row = |line: &&str| cells(line).into_iter().map(text).collect::<Vec<_>>();
    let head = row(&lines[0]);
    let rows = lines[2..end].iter().map(row).map(|mut cells| {
        cells.resize(head.len(), Vec::new());
        cells
    });
    (Block::Table(Table { rows: rows.collect(), head }), &lines[end..])
}

/// The cells of a row. `\|` is no border.
pub(super) fn cells(row: &str) -> Vec<&str> {
    let row = row.trim().trim_start_matches('|');
    let row = if row.ends_with("\\|") { row } else { row.strip_suffix('|').unwrap_or(row) };
    let mut cells = Vec::new();
    let mut from = 0;
    for (at, _) in row.match_indices('|') {
        if !row[..at].ends_with('\\') {
            cells.push(row[from..at].trim());
            from = at + 1;
        }
    }
    cells.push(row[from..].trim());
    cells
}

fn paragraph<'a, 'b>(lines: &'a [&'b str]) -> (Block, &'a [&'b str]) {
    // As in Markdown, a number at the start of a line begins a list within a paragraph only if it is 1.
    let begins_list = |line: &str| marker(line).is_some_and(|(number, _)| number.is_none_or(|number| number == "1."));
    let goes_on = |at: &usize| {
        let line = lines[*at];
        let begins_another = fence(line).is_some()
            || heading(line).is_some()
            || begins_list(line)
            || is_comment(line)
            || is_table(&lines[*at..]);
        !line.trim().is_empty() && !begins_another
    };
    let end = 1 + (1..lines.len()).take_while(goes_on).count();
    let mut joined = String::new();
    for line in &lines[..end] {
        let line = line.trim();
        // Chinese has no blanks between words, so a line break is none either.
        let touches = |c: Option<char>| c.is_some_and(is_wide);
        let is_chinese = touches(joined.chars().next_back()) && touches(line.chars().next());
        if !joined.is_empty() && !is_chinese {
            joined.push(' ');
        }
        joined.push_str(line);
    }
    (Block::Paragraph(text(&joined)), &lines[end..])
}

/// The spans of a text.
fn text(source: &str) -> Text {
    let mut spans = Vec::new();
    read_spans(source, Look::Plain, &mut spans);
    spans
}

fn read_spans(source: &str, look: Look, spans: &mut Text) {
    let mut plain = String::new();
    let mut rest = source;
    while let Some(c) = rest.chars().next() {
        let special = match c {
            '`' => code_span(rest).map(|(inner, after)| (Special::Code(inner), after)),
            '*' if rest.starts_with("**") => {
                marked(rest, "**").map(|(inner, after)| (Special::Marked(inner, Look::Strong), after))
            }
            '*' => marked(rest, "*").map(|(inner, after)| (Special::Marked(inner, Look::Emphasis), after)),
            '[' => link(rest).map(|(label, to, after)| (Special::Link(label, to), after)),
            '<' => bare_link(rest).map(|(to, after)| (Special::Address(to), after)),
            _ => None,
        };
        let Some((special, after)) = special else {
            // A backslash takes the meaning from the sign after it.
            let escaped = rest[c.len_utf8()..].chars().next().filter(|next| c == '\\' && next.is_ascii_punctuation());
            let shown = escaped.unwrap_or(c);
            plain.push(shown);
            rest = &rest[if escaped.is_some() { 2 } else { c.len_utf8() }..];
            continue;
        };
        push(spans, std::mem::take(&mut plain), look);
        match special {
            Special::Code(inner) => push(spans, inner.replace("\\|", "|"), Look::Code),
            Special::Marked(inner, look) => read_spans(inner, look, spans),
            Special::Address(to) => push(spans, to.to_owned(), look),
            Special::Link(label, to) => read_link(label, to, look, spans),
        }
        rest = after;
    }
    push(spans, plain, look);
}

/// The label of a link, and behind it in brackets what it leads to, unless the label says the same.
fn read_link(label: &str, to: &str, look: Look, spans: &mut Text) {
    let mut shown = Vec::new();
    read_spans(label, look, &mut shown);
    let said: String = shown.iter().map(|span| span.text.as_str()).collect();
    match target(to) {
        Some((topic, Look::Topic)) if topic == said => push(spans, said, Look::Topic),
        Some((to, kind)) if to != said.trim_end_matches('/') => {
            spans.append(&mut shown);
            push(spans, " (".to_owned(), Look::Plain);
            push(spans, to.to_owned(), kind);
            push(spans, ")".to_owned(), Look::Plain);
        }
        _ => spans.append(&mut shown),
    }
}

enum Special<'a> {
    Code(&'a str),
    Marked(&'a str, Look),
    Link(&'a str, &'a str),
    Address(&'a str),
}

fn push(spans: &mut Text, text: String, look: Look) {
    if !text.is_empty() {
        spans.push(Span { text, look });
    }
}

/// What is between a run of backticks and the next run of the same length.
fn code_span(source: &str) -> Option<(&str, &str)> {
    let length = source.len() - source.trim_start_matches('`').len();
    let (fence, inner) = source.split_at(length);
    let mut from = 0;
    loop {
        let at = from + inner[from..].find(fence)?;
        let run = inner[at..].len() - inner[at..].trim_start_matches('`').len();
        if run == length {
            let text = &inner[..at];
            let padded = text.starts_with(' ') && text.ends_with(' ') && !text.trim().is_empty();
            return Some((if padded { &text[1..text.len() - 1] } else { text }, &inner[at + length..]));
        }
        from = at + run;
    }
}

/// What is between two marks that touch it.
fn marked<'a>(source: &'a str, mark: &str) -> Option<(&'a str, &'a str)> {
    let inner = source.strip_prefix(mark)?;
    let end = inner.find(mark)?;
    let text = &inner[..end];
    (!text.is_empty() && text.trim() == text).then(|| (text, &inner[end + mark.len()..]))
}

/// `[label](to)`.
fn link(source: &str) -> Option<(&str, &str, &str)> {
    let (label, rest) = source.strip_prefix('[')?.split_once("](")?;
    let (to, after) = rest.split_once(')')?;
    (!label.contains(']')).then_some((label, to, after))
}

/// `<https://…>`.
fn bare_link(source: &str) -> Option<(&str, &str)> {
    source.strip_prefix('<').filter(|rest| rest.starts_with("https://"))?.split_once('>')
}

/// What a reader without a browser is told of a link: a topic, an address, a file of the repository; nothing of a link to another
/// place of the same page.
fn target(to: &str) -> Option<(&str, Look)> {
    if to.contains("://") {
        return Some((to, Look::Plain));
    }
    let file = to.split('#').next().unwrap_or_default();
    match file.strip_suffix(".md").filter(|name| !name.contains('/')) {
        Some(topic) => Some((topic, Look::Topic)),
        None if file.is_empty() => None,
        None => Some((file.trim_start_matches("../"), Look::Plain)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::topic::every_page;
    use super::*;

    fn shown(spans: &Text) -> Vec<(&str, Look)> {
        spans.iter().map(|span| (span.text.as_str(), span.look)).collect()
    }

    #[test]
    fn text_is_read_into_spans() {
        let cases: [(&str, &[(&str, Look)]); 9] = [
            (
                "a `b*c` **d** *e*",
                &[
                    ("a ", Look::Plain),
                    ("b*c", Look::Code),
                    (" ", Look::Plain),
                    ("d", Look::Strong),
                    (" ", Look::Plain),
                    ("e", Look::Emphasis),
                ],
            ),
            ("`` a`b `` \\| \\*", &[("a`b", Look::Code), (" | *", Look::Plain)]),
            ("2 * 3 * 4 `", &[("2 * 3 * 4 `", Look::Plain)]),
            (
                "[the outbox](outbox.md#x)",
                &[("the outbox", Look::Plain), (" (", Look::Plain), ("outbox", Look::Topic), (")", Look::Plain)],
            ),
            ("[outbox](outbox.md)", &[("outbox", Look::Topic)]),
            ("[below](#x)", &[("below", Look::Plain)]),
            ("[`examples/ci/`](../../../examples/ci)", &[("examples/ci/", Look::Code)]),
            ("<https://a.example>", &[("https://a.example", Look::Plain)]),
            (
                "[a](https://a.example)",
                &[("a", Look::Plain), (" (", Look::Plain), ("https://a.example", Look::Plain), (")", Look::Plain)],
            ),
        ];
        for (source, wanted) in cases {
            assert_eq!(shown(&text(source)), wanted, "{source}");
        }
    }

    #[test]
    fn blocks_are_told_apart() {
        let page = "# A\n\none\ntwo\n\n1. first\n   more\n2. second\n\n   - inner\n\n```sh\n# no heading\n\n```\n| a | b |\n|---|---|\n| `x\\|y` | z |\n一\n二\n";
        let blocks = parse(page);
        let kinds: Vec<_> = blocks
            .iter()
            .map(|block| match block {
                Block::Heading(level, title) => format!("heading {level} {}", title[0].text),
                Block::Paragraph(text) => format!("paragraph {}", text[0].text),
                Block::Code(lines) => format!("code {lines:?}"),
                Block::List(items) => format!("list of {} with {}", items.len(), items[1].blocks.len()),
                Block::Table(table) => format!("table {}", table.rows[0][0][0].text),
            })
            .collect();
        let wanted = [
            "heading 1 A",
            "paragraph one two",
            "list of 2 with 2",
            "code [\"# no heading\", \"\"]",
            "table x|y",
            "paragraph 一二",
        ];
        assert_eq!(kinds, wanted);
    }

    /// What this reader does not know would show as signs in a terminal.
    #[test]
    fn pages_keep_to_the_markdown_that_is_read() {
        for (name, page) in every_page() {
            let mut fence: Option<&str> = None;
            for line in page.lines() {
                let is_fence = line.trim_start().starts_with("```");
                if is_fence {
                    fence = if fence.is_none() { Some(line) } else { None };
                }
                if fence.is_some() || is_fence {
                    continue;
                }
                let begins = |signs: &[&str]| signs.iter().any(|sign| line.starts_with(sign));
                assert!(!begins(&[">", "![", "---", "***", "* ", "+ ", "\t", "#####"]), "{name}: {line}");
                assert!(is_comment(line) || !line.starts_with('<') || line.starts_with("<https://"), "{name}: {line}");
                assert!(!line.ends_with(' ') && !line.ends_with('\\'), "{name}: a forced line break: {line:?}");
            }
            assert!(fence.is_none(), "{name}: code without an end");
            check_blocks(&parse(&page), &name);
        }
    }

    fn check_blocks(blocks: &[Block], name: &str) {
        for block in blocks {
            match block {
                Block::Heading(_, text) | Block::Paragraph(text) => check_text(text, name),
                Block::Code(_) => {}
                Block::List(items) => items.iter().for_each(|item| check_blocks(&item.blocks, name)),
                Block::Table(table) => {
                    table.head.iter().chain(table.rows.iter().flatten()).for_each(|cell| check_text(cell, name));
                    let columns = table.head.len();
                    assert!(table.rows.iter().all(|row| row.len() == columns), "{name}: a row has too many cells");
                }
            }
        }
    }

    fn check_text(text: &Text, name: &str) {
        for span in text.iter().filter(|span| span.look == Look::Plain) {
            let left =
                ["](", "**", "`", "<!", "&lt;", "&amp;", "](#"].into_iter().find(|sign| span.text.contains(sign));
            assert!(left.is_none(), "{name}: {left:?} stays in {:?}", span.text);
        }
    }
}
