//! Finds the lines that begin and end a fenced code block, as in CommonMark. Blocks inside quotes are not looked for.

/// The widest indent, in blanks.
const INDENT: usize = 3;
/// The shortest run of backticks or tildes.
const RUN: usize = 3;

/// What a line that begins a fenced block is made of.
#[derive(Debug, Clone, Copy)]
pub(super) struct Opening {
    /// Length in bytes of the indent and the run: also a line that ends the block.
    pub(super) lead: usize,
    indent: usize,
    byte: u8,
}

/// A fenced block, its places in bytes of the text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fence {
    /// Where the line that begins it is.
    pub(super) start: usize,
    /// After that line.
    pub(super) content: usize,
    /// Where the line that ends it is; the end of the text without one.
    pub(super) close: usize,
    /// After that line.
    pub(super) end: usize,
    pub(super) opening: Opening,
}

impl Fence {
    /// The line that begins the block again in the next part, with its line break.
    pub(super) fn reopening<'t>(&self, text: &'t str) -> &'t str {
        &text[self.start..self.content]
    }

    /// The line that ends the block at the end of a part, without line break.
    pub(super) fn closing<'t>(&self, text: &'t str) -> &'t str {
        &text[self.start..self.start + self.opening.lead]
    }
}

/// Reads a line as the beginning of a block: up to three blanks, three or more backticks or tildes, and after backticks
/// no further one.
pub(super) fn opening(line: &[u8]) -> Option<Opening> {
    let (indent, byte, run) = run(line)?;
    let lead = indent + run;
    let is_inline_code = byte == b'`' && line[lead..].contains(&b'`');
    (!is_inline_code).then_some(Opening { lead, indent, byte })
}

/// Whether a line ends the block: the same sign, at least as often, and nothing else.
pub(super) fn closes(line: &[u8], opening: Opening) -> bool {
    run_that_closes(line, opening).is_some_and(|behind| line[behind..].trim_ascii().is_empty())
}

/// Whether a line that begins here would look like the beginning or end of a block. Looks at a few bytes only.
pub(super) fn looks_like_one(line: &[u8]) -> bool {
    run(&line[..line.len().min(INDENT + RUN)]).is_some()
}

/// From which place on a line may be broken without its first half becoming the beginning of a block, or the end of the
/// one it is in. `None` if there is no such place.
pub(super) fn safe_from(line: &[u8], within: Option<Opening>) -> Option<usize> {
    let behind_next = |from: usize, found: fn(&u8) -> bool| {
        let distance = line[from..].iter().position(found)?;
        Some(from + distance + 1)
    };
    match within {
        Some(opening) => match run_that_closes(line, opening) {
            Some(behind) => behind_next(behind, |byte| !byte.is_ascii_whitespace()),
            None => Some(0),
        },
        None => match run(line) {
            Some((indent, b'`', count)) => behind_next(indent + count, |byte| *byte == b'`'),
            Some(_) => None,
            None => Some(0),
        },
    }
}

fn run_that_closes(line: &[u8], opening: Opening) -> Option<usize> {
    let (indent, byte, count) = run(line)?;
    let fits = byte == opening.byte && count >= opening.lead - opening.indent;
    fits.then_some(indent + count)
}

/// Indent, sign and length of the run that a line begins with.
fn run(line: &[u8]) -> Option<(usize, u8, usize)> {
    let indent = line.iter().take(INDENT + 1).take_while(|byte| **byte == b' ').count();
    let byte = line.get(indent).copied().filter(|byte| matches!(byte, b'`' | b'~'))?;
    let count = line[indent..].iter().take_while(|next| **next == byte).count();
    (indent <= INDENT && count >= RUN).then_some((indent, byte, count))
}
