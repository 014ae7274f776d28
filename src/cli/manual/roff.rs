//! A page of the manual as a man page. Tables become lists of their rows, since `man` has no way to fit columns into a width.
//! Pure.

use super::markdown::{Block, Item, Look, Span, Table, Text};
use super::terminal::{entry, may_part};

/// A man page of these blocks, with this name and section, such as `wecom-alert-config` and 5.
pub(super) fn render(name: &str, section: u8, about: &str, page: &[Block]) -> String {
    let mut roff = title(name, section);
    roff.push_str(&format!(".SH NAME\n{} \\- {}\n", escape(name), escape(about)));
    // The title is the name.
    let page = if let [Block::Heading(1, _), below @ ..] = page { below } else { page };
    if !matches!(page.first(), Some(Block::Heading(..))) {
        roff.push_str(".SH DESCRIPTION\n");
    }
    blocks(page, &mut roff);
    roff
}

/// The line that every man page begins with.
fn title(name: &str, section: u8) -> String {
    let version = env!("CARGO_PKG_VERSION");
    format!(
        ".ie \\n(.g .ds Aq \\(aq\n.el .ds Aq '\n.TH {name} {section} \"\" \"wecom-alert {version}\" wecom-alert\n.ad l\n.nh\n"
    )
}

fn blocks(blocks: &[Block], roff: &mut String) {
    for (number, block) in blocks.iter().enumerate() {
        let below_heading = number == 0 || matches!(blocks[number - 1], Block::Heading(..));
        match block {
            Block::Heading(2, title) => roff.push_str(&format!(".SH {}\n", quoted(&plain(title).to_uppercase()))),
            Block::Heading(_, title) => roff.push_str(&format!(".SS {}\n", quoted(&plain(title)))),
            Block::Paragraph(text) => {
                roff.push_str(if below_heading { "" } else { ".PP\n" });
                roff.push_str(&line(text));
            }
            Block::Code(lines) => {
                roff.push_str(if below_heading { "" } else { ".PP\n" });
                roff.push_str(&verbatim(lines.iter().map(String::as_str)));
            }
            Block::List(items) => list(items, roff),
            Block::Table(table) => rows(table, roff),
        }
    }
}

/// Lines that stay as they are.
fn verbatim<'a>(lines: impl Iterator<Item = &'a str>) -> String {
    let lines = lines.map(|line| protect(&escape(line)) + "\n").collect::<String>();
    format!(".nf\n{lines}.fi\n")
}

fn list(items: &[Item], roff: &mut String) {
    for (number, item) in items.iter().enumerate() {
        // Items of one line have no blank line between them.
        if number == 1 && items.iter().all(|item| item.blocks.len() == 1) {
            roff.push_str(".PD 0\n");
        }
        match &item.number {
            Some(number) => roff.push_str(&format!(".IP {number} 4\n")),
            None => roff.push_str(".IP \\(bu 2\n"),
        }
        let Some((Block::Paragraph(text), below)) = item.blocks.split_first() else { continue };
        roff.push_str(&line(text));
        if !below.is_empty() {
            roff.push_str(".RS\n");
            blocks(below, roff);
            roff.push_str(".RE\n");
        }
    }
    roff.push_str(".PD\n");
}

fn rows(table: &Table, roff: &mut String) {
    for (term, details) in table.rows.iter().filter_map(|row| entry(table, row)) {
        roff.push_str(".TP\n");
        roff.push_str(&line(&term));
        for (number, detail) in details.iter().enumerate() {
            roff.push_str(if number > 0 { ".br\n" } else { "" });
            roff.push_str(&line(detail));
        }
    }
}

fn plain(text: &Text) -> String {
    text.iter().map(|span| span.text.as_str()).collect()
}

/// The argument of a request.
fn quoted(text: &str) -> String {
    let text = escape(text).replace('"', "\\(dq");
    if text.contains(' ') { format!("\"{text}\"") } else { text }
}

fn line(text: &Text) -> String {
    let mut line = String::new();
    let mut before = None;
    for span in text {
        line.push_str(&span_in_roff(span, before));
        before = span.text.chars().next_back();
    }
    protect(&line) + "\n"
}

/// A span behind this sign.
fn span_in_roff(span: &Span, before: Option<char>) -> String {
    // The break comes before what changes the font.
    let is_apart = before.zip(span.text.chars().next()).is_some_and(|(before, first)| may_break(before, first));
    let (apart, text) = (if is_apart { "\\:" } else { "" }, escape(&span.text));
    match span.look {
        Look::Plain => format!("{apart}{text}"),
        Look::Strong | Look::Code => format!("{apart}\\fB{text}\\fR"),
        Look::Emphasis => format!("{apart}\\fI{text}\\fR"),
        Look::Topic => format!("{apart}\\fBwecom\\-alert\\-{text}\\fR({})", super::topic::section(&span.text)),
    }
}

fn may_break(before: char, after: char) -> bool {
    before != ' ' && after != ' ' && may_part(before, after)
}

/// A line that begins with a sign of a request is none.
fn protect(line: &str) -> String {
    if line.starts_with(['.', '\'']) { format!("\\&{line}") } else { line.to_owned() }
}

/// The text without signs that roff would read as its own. Between Chinese characters a line may be broken.
fn escape(text: &str) -> String {
    let mut escaped = String::new();
    let mut before = None;
    for c in text.chars() {
        if before.is_some_and(|before| may_break(before, c)) {
            escaped.push_str("\\:");
        }
        match c {
            '\\' => escaped.push_str("\\e"),
            '-' => escaped.push_str("\\-"),
            '\'' => escaped.push_str("\\*(Aq"),
            '`' => escaped.push_str("\\(ga"),
            '^' => escaped.push_str("\\(ha"),
            '~' => escaped.push_str("\\(ti"),
            c => escaped.push(c),
        }
        before = Some(c);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::super::markdown::parse;
    use super::*;

    #[test]
    fn a_page_becomes_requests() {
        let page =
            parse("# A page\n\n.first `a-b` \\\\\n\n## Some part\n\n- one\n- two\n\n```\n.x\n```\n\n[run](run.md)");
        let roff = render("wecom-alert-x", 7, "A page", &page);
        let (_, roff) = roff.split_once(".nh\n").unwrap();
        let wanted = ".SH NAME\nwecom\\-alert\\-x \\- A page\n.SH DESCRIPTION\n\\&.first \\fBa\\-b\\fR \\e\n\
                      .SH \"SOME PART\"\n.IP \\(bu 2\none\n.PD 0\n.IP \\(bu 2\ntwo\n.PD\n.PP\n.nf\n\\&.x\n.fi\n\
                      .PP\n\\fBwecom\\-alert\\-run\\fR(7)\n";
        assert_eq!(roff, wanted);
    }

    #[test]
    fn chinese_may_be_broken_between_characters_and_spans() {
        let Some(Block::Paragraph(text)) = parse("用`a`、`b`，好").pop() else { panic!() };
        assert_eq!(line(&text), "用\\:\\fBa\\fR、\\:\\fBb\\fR，\\:好\n");
    }
}
