//! The grammar of WeCom's own `markdown` (document paths 90236, 99110 and 90248): headings, quotes, bold, links, inline code,
//! three colours, mentions, and nothing else. All other signs are text. Pure.

/// A line of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum MarkdownLine<'t> {
    /// `#` to `######`, and a blank.
    Heading(usize, Vec<Phrase<'t>>),
    /// `>` before it.
    Quote(Vec<Phrase<'t>>),
    Plain(Vec<Phrase<'t>>),
}

/// A piece of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Phrase<'t> {
    Text(&'t str),
    Bold(Vec<Phrase<'t>>),
    Code(&'t str),
    /// The colour as it is written, known or not.
    Font(&'t str, Vec<Phrase<'t>>),
    Link {
        label: &'t str,
        address: &'t str,
    },
    /// The id of who is mentioned, which may be `all`.
    Mention(&'t str),
}

/// How deep bold and colours are read in each other; what is deeper is text.
const DEEPEST: usize = 4;

/// The lines of a text.
pub(super) fn read(text: &str) -> Vec<MarkdownLine<'_>> {
    text.split('\n').map(read_line).collect()
}

fn read_line(line: &str) -> MarkdownLine<'_> {
    let words = line.trim_start_matches('#');
    let level = line.len() - words.len();
    if (1..=6).contains(&level)
        && let Some(words) = words.strip_prefix(' ')
    {
        return MarkdownLine::Heading(level, pieces(words.trim_start(), 0));
    }
    match line.strip_prefix('>') {
        Some(quoted) => MarkdownLine::Quote(pieces(quoted.strip_prefix(' ').unwrap_or(quoted), 0)),
        None => MarkdownLine::Plain(pieces(line, 0)),
    }
}

fn pieces(line: &str, depth: usize) -> Vec<Phrase<'_>> {
    let mut pieces = Vec::new();
    let (mut begun, mut at) = (0, 0);
    while let Some(sign) = line[at..].find(['*', '`', '[', '<']).map(|offset| at + offset) {
        let rest = &line[sign..];
        match piece(rest, depth) {
            Some((piece, length)) => {
                pieces.extend((begun < sign).then(|| Phrase::Text(&line[begun..sign])));
                pieces.push(piece);
                at = sign + length;
                begun = at;
            }
            // A run of backticks that nothing closes is text as a whole.
            None => at = sign + (rest.len() - rest.trim_start_matches('`').len()).max(1),
        }
    }
    pieces.extend((begun < line.len()).then(|| Phrase::Text(&line[begun..])));
    pieces
}

/// The piece that this text begins with, and its length.
fn piece(rest: &str, depth: usize) -> Option<(Phrase<'_>, usize)> {
    match rest.as_bytes() {
        [b'*', b'*', ..] => bold(rest, depth),
        [b'`', ..] => code(rest),
        [b'[', ..] => link(rest),
        [b'<', b'@', ..] => mention(rest),
        [b'<', ..] => font(rest, depth),
        _ => None,
    }
}

fn bold(rest: &str, depth: usize) -> Option<(Phrase<'_>, usize)> {
    let inner = &rest[2..];
    let end = inner.find("**").filter(|end| *end > 0 && depth < DEEPEST)?;
    Some((Phrase::Bold(pieces(&inner[..end], depth + 1)), end + 4))
}

/// Between runs of backticks of one length; a blank at each end belongs to the signs, as in CommonMark.
fn code(rest: &str) -> Option<(Phrase<'_>, usize)> {
    let signs = rest.len() - rest.trim_start_matches('`').len();
    let mut at = signs;
    loop {
        let start = at + rest[at..].find('`')?;
        let length = rest[start..].len() - rest[start..].trim_start_matches('`').len();
        at = start + length;
        if length == signs {
            let inner = &rest[signs..start];
            let trimmed = inner.strip_prefix(' ').and_then(|inner| inner.strip_suffix(' '));
            let shown = trimmed.filter(|trimmed| !trimmed.trim().is_empty()).unwrap_or(inner);
            return Some((Phrase::Code(shown), at));
        }
    }
}

fn link(rest: &str) -> Option<(Phrase<'_>, usize)> {
    let label = &rest[1..];
    let end = label.find(['[', ']'])?;
    let address = label[end..].strip_prefix("](")?;
    let length = address.find(|c: char| c == ')' || c.is_whitespace())?;
    let is_whole = length > 0 && address[length..].starts_with(')');
    is_whole.then(|| (Phrase::Link { label: &label[..end], address: &address[..length] }, end + length + 4))
}

fn mention(rest: &str) -> Option<(Phrase<'_>, usize)> {
    let id = &rest[2..];
    let end = id.find(|c: char| c == '>' || c.is_whitespace()).filter(|end| *end > 0)?;
    id[end..].starts_with('>').then(|| (Phrase::Mention(&id[..end]), end + 3))
}

fn font(rest: &str, depth: usize) -> Option<(Phrase<'_>, usize)> {
    const TAG: &str = "<font ";
    const END: &str = "</font>";
    if depth >= DEEPEST || !rest.get(..TAG.len())?.eq_ignore_ascii_case(TAG) {
        return None;
    }
    let attribute = &rest[TAG.len()..];
    let tag_end = attribute.find('>')?;
    let color = attribute[..tag_end].trim().strip_prefix("color")?.trim_start().strip_prefix('=')?.trim();
    let inner = &attribute[tag_end + 1..];
    // Letters of either case: no other sign of the tag changes its length.
    let end = inner.to_ascii_lowercase().find(END)?;
    let color = color.trim_matches(['"', '\'']);
    let length = TAG.len() + tag_end + 1 + end + END.len();
    Some((Phrase::Font(color, pieces(&inner[..end], depth + 1)), length))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The words of a line as a reader sees them.
    fn shown(pieces: &[Phrase<'_>]) -> String {
        let piece = |piece: &Phrase<'_>| match piece {
            Phrase::Text(text) | Phrase::Code(text) => (*text).to_owned(),
            Phrase::Bold(inner) | Phrase::Font(_, inner) => shown(inner),
            Phrase::Link { label, .. } => (*label).to_owned(),
            Phrase::Mention(id) => format!("@{id}"),
        };
        pieces.iter().map(piece).collect()
    }

    fn one(line: &str) -> Vec<Phrase<'_>> {
        match read(line).as_slice() {
            [MarkdownLine::Plain(pieces)] => pieces.clone(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn each_form_is_read() {
        use Phrase::*;
        assert_eq!(one("a **b** c"), [Text("a "), Bold(vec![Text("b")]), Text(" c")]);
        assert_eq!(one("`x<y` `` a`b ``"), [Code("x<y"), Text(" "), Code("a`b")]);
        assert_eq!(one("[去](https://a.b/?c=(d)"), [Link { label: "去", address: "https://a.b/?c=(d" }]);
        assert_eq!(one("<@lisi>, <@all>"), [Mention("lisi"), Text(", "), Mention("all")]);
        let coloured = one("<font color=\"warning\">**98 %**</FONT> <font color='info'>x</font>");
        assert_eq!(coloured[0], Font("warning", vec![Bold(vec![Text("98 %")])]));
        assert_eq!(coloured[2], Font("info", vec![Text("x")]));
        let lines = read("# 标题\n###### b\n> c\n>d\n\n#e\n####### f");
        let MarkdownLine::Heading(1, title) = &lines[0] else { panic!("{lines:?}") };
        assert_eq!(shown(title), "标题");
        assert!(matches!(&lines[1], MarkdownLine::Heading(6, _)));
        assert_eq!(lines[2..4], [MarkdownLine::Quote(vec![Text("c")]), MarkdownLine::Quote(vec![Text("d")])]);
        assert_eq!(lines[4], MarkdownLine::Plain(vec![]));
        assert_eq!(lines[5..], [MarkdownLine::Plain(vec![Text("#e")]), MarkdownLine::Plain(vec![Text("####### f")])]);
    }

    #[test]
    fn all_else_is_text() {
        for line in [
            "- a",
            "1. a",
            "*a*",
            "__a__",
            "| a | b |",
            "```",
            "---",
            "![a](b c)",
            "** a",
            "****",
            "[a]",
            "[a](",
            "[a]()",
            "<font>a</font>",
            "<font color=red>a",
            "<b>a</b>",
            "<@>",
            "<@ a>",
            "``a`",
            "~~a~~",
            "https://a.b",
            "\\<",
        ] {
            assert_eq!(one(line), [Phrase::Text(line)], "{line}");
        }
    }

    #[test]
    fn deep_and_long_lines_end() {
        let deep = "<font color=\"info\">".repeat(2000);
        assert_eq!(shown(&one(&deep)), deep);
        for sign in ["[", "`", "**", "<@", "[](", "<font color=a>", "``` ` "] {
            let long = sign.repeat(3000);
            assert!(shown(&one(&long)).len() <= long.len());
        }
    }

    proptest! {
        #[test]
        fn a_text_without_signs_is_shown_as_it_is(text in "[^#>*`\\[<\n]{0,60}") {
            prop_assert_eq!(shown(&one(&text)), text);
        }

        /// Whatever it is, all that is shown comes from the text, in its order; a mention has an `@` where it stands.
        #[test]
        fn nothing_is_made_up(text in "([#>*`\\[\\]()<@ =\"'a-f磁]|\\*\\*|<font color=\"info\">|</font>|\n){0,60}") {
            let lines = read(&text);
            prop_assert_eq!(lines.len(), text.split('\n').count());
            for (line, written) in lines.iter().zip(text.split('\n')) {
                let (MarkdownLine::Heading(_, pieces) | MarkdownLine::Quote(pieces) | MarkdownLine::Plain(pieces)) = line;
                let mut rest = written.chars();
                for c in shown(pieces).chars() {
                    prop_assert!(rest.any(|other| other == c), "{:?} of {:?}", line, written);
                }
            }
        }
    }
}
