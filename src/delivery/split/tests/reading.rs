//! An independent parser of texts and parts, written from the documented rules.

use std::ops::Range;

use super::super::Markup;

/// A fenced block: its first line, the run that ends it, and where its content and last line are.
#[derive(Debug, Clone)]
pub(super) struct Block {
    pub(super) first_line: String,
    pub(super) run: String,
    /// From the first byte of the content to the first of the last line.
    pub(super) content: Range<usize>,
    pub(super) is_closed: bool,
    /// Bytes of its two lines and the run.
    own: usize,
}

pub(super) fn blocks(text: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut open = false;
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let behind = at + line.len();
        let indent = line.len() - line.trim_start_matches(' ').len();
        let sign = if line.trim_start_matches(' ').starts_with('~') { '~' } else { '`' };
        let rest = line[indent..].trim_start_matches(sign);
        let run = &line[..line.len() - rest.len()];
        let is_run = indent < 4 && run.len() - indent >= 3;
        if open {
            let block = blocks.last_mut().unwrap();
            let wanted = block.run.trim_start();
            if is_run && wanted.starts_with(sign) && run.trim_start().len() >= wanted.len() && rest.trim().is_empty() {
                block.content.end = at;
                block.is_closed = true;
                block.own += line.len();
                open = false;
            }
        } else if is_run && !(sign == '`' && rest.contains('`')) {
            let (first_line, run) = (line.to_owned(), run.to_owned());
            let own = first_line.len() + run.len();
            blocks.push(Block { first_line, run, content: behind..text.len(), is_closed: false, own });
            open = true;
        }
        at = behind;
    }
    blocks
}

pub(super) fn is_balanced(text: &str) -> bool {
    blocks(text).iter().all(|block| block.is_closed)
}

fn behind_mark(markup: Markup) -> &'static str {
    match markup {
        Markup::Plain | Markup::Textcard => " ",
        Markup::Markdown => "\n",
        Markup::MarkdownV2 => "\n\n",
    }
}

/// The part without its mark, which is checked.
#[track_caller]
pub(super) fn unmarked(part: &str, index: usize, count: usize, markup: Markup) -> &str {
    let mark = format!("({}/{count}){}", index + 1, behind_mark(markup));
    part.strip_prefix(&mark).unwrap_or_else(|| panic!("{part:?} is without {mark:?}"))
}

/// Where the parts have been cut, after proof that they hold every byte of the text once and in order, and nothing else
/// but marks and repeated fence lines.
#[track_caller]
pub(super) fn join(text: &str, parts: &[String], limit: usize, markup: Markup) -> Vec<usize> {
    if parts.len() == 1 {
        assert_eq!(parts[0], text);
        return vec![];
    }
    // The marks may have been reckoned with one digit more than they need.
    let count = parts.len();
    let rooms = [count, 10 * count].map(|count| limit - format!("({count}/{count})").len() - behind_mark(markup).len());
    let joined = rooms.map(|room| {
        let mut blocks = if matches!(markup, Markup::Plain | Markup::Textcard) { vec![] } else { blocks(text) };
        // One that takes half of a part with its own lines is text like any other.
        blocks.retain(|block| block.own < room / 2);
        try_join(text, parts, markup, &blocks)
    });
    let [first, second] = joined;
    first.or(second).unwrap_or_else(|mistake| panic!("{mistake}"))
}

fn try_join(text: &str, parts: &[String], markup: Markup, blocks: &[Block]) -> Result<Vec<usize>, String> {
    let around = |at: usize| {
        let around = blocks.iter().find(|block| block.content.start <= at && at <= block.content.end);
        around.filter(|_| 0 < at && at < text.len())
    };
    let mut at = 0;
    let mut cuts = Vec::new();
    for (index, part) in parts.iter().enumerate() {
        let mut body = unmarked(part, index, parts.len(), markup);
        if let Some(block) = around(at) {
            body = body
                .strip_prefix(block.first_line.as_str())
                .ok_or_else(|| format!("{part:?} does not begin its block"))?;
        }
        let ends = [String::new()].into_iter();
        let ends = ends.chain(blocks.iter().flat_map(|block| [block.run.clone(), format!("\n{}", block.run)]));
        let bytes = ends.filter_map(|end| {
            let own = body.strip_suffix(end.as_str()).filter(|own| text[at..].starts_with(own))?;
            let wanted = around(at + own.len()).map_or(String::new(), |block| {
                let line_break = if own.ends_with('\n') { "" } else { "\n" };
                format!("{line_break}{}", block.run)
            });
            (wanted == end).then_some(own.len())
        });
        at += bytes.max().ok_or_else(|| format!("{part:?} is not what follows byte {at} of {text:?}"))?;
        cuts.push(at);
    }
    if cuts.pop() == Some(text.len()) { Ok(cuts) } else { Err(format!("{parts:?} end before {text:?}")) }
}
