//! A page of the manual as text for a terminal: wrapped at its width, headings bold, tables as columns or, where those would be
//! too narrow, as a list. Pure.

use super::super::wrap::{columns, is_wide};
use super::markdown::{Block, Item, Look, Span, Table, Text};
use wecom_alert::sort;

/// The indentation of everything but headings.
const INDENT: usize = 2;

/// What is between two columns of a table.
const GAP: &str = "  ";

/// A column of a table that is narrower than this, and than its text, makes the table a list.
const NARROWEST: usize = 20;

/// Signs that begin no line: they belong to what is before them.
const CLOSING: &str = "，。、；：？！）」』”’》…,.;:?!)]%";

/// Signs that end no line.
const OPENING: &str = "（「『“‘《([";

/// How a page is shown.
#[derive(Debug, Clone, Copy)]
pub(super) struct Display {
    /// The columns of a line.
    pub(super) width: usize,
    /// Whether the terminal shows bold text.
    pub(super) bold: bool,
}

/// A piece of a line that is not broken, and whether a blank comes before it.
#[derive(Debug, Clone, Default)]
struct Word {
    pieces: Vec<(String, bool)>,
    after_blank: bool,
}

impl Word {
    fn width(&self) -> usize {
        self.pieces.iter().map(|(text, _)| columns(text)).sum()
    }
}

/// The page as text.
pub(super) fn render(page: &[Block], display: Display) -> String {
    let mut writer = Writer { display, text: String::new() };
    writer.blocks(page, INDENT, true);
    writer.text
}

struct Writer {
    display: Display,
    text: String,
}

impl Writer {
    fn blocks(&mut self, blocks: &[Block], indent: usize, apart: bool) {
        for (number, block) in blocks.iter().enumerate() {
            // The text of a section begins right below its heading.
            let below_heading = number > 0 && matches!(blocks[number - 1], Block::Heading(2.., _));
            let list_below = !apart && matches!(block, Block::List(_));
            if number > 0 && !below_heading && !list_below {
                self.text.push('\n');
            }
            match block {
                Block::Heading(level, title) => self.heading(*level, title),
                Block::Paragraph(text) => self.paragraph(text, indent, indent),
                Block::Code(lines) => self.code(lines, indent + 2),
                Block::List(items) => self.list(items, indent),
                Block::Table(table) => self.table(table, indent),
            }
        }
    }

    fn heading(&mut self, level: usize, title: &Text) {
        let strong: Text = title.iter().map(|span| Span { look: Look::Strong, ..span.clone() }).collect();
        self.paragraph(&strong, level.saturating_sub(2), level.saturating_sub(2));
    }

    /// Text whose first line begins where the writer is, if that is behind `first` columns already, and later ones behind
    /// `indent` blanks.
    fn paragraph(&mut self, text: &Text, first: usize, indent: usize) {
        self.text.push_str(&" ".repeat(first));
        self.wrapped(text, first, indent);
    }

    fn wrapped(&mut self, text: &Text, at: usize, indent: usize) {
        let words = words(text, !self.display.bold);
        for (number, line) in lines(&words, self.display.width, at, indent).iter().enumerate() {
            if number > 0 {
                self.text.push_str(&" ".repeat(indent));
            }
            self.line(line);
            self.text.push('\n');
        }
    }

    /// The words of a line, and how many columns they take.
    fn line(&mut self, line: &[Word]) -> usize {
        let mut width = 0;
        for (number, word) in line.iter().enumerate() {
            if number > 0 && word.after_blank {
                self.text.push(' ');
                width += 1;
            }
            for (text, strong) in &word.pieces {
                let strong = *strong && self.display.bold;
                self.text.push_str(if strong { "\x1b[1m" } else { "" });
                self.text.push_str(text);
                self.text.push_str(if strong { "\x1b[0m" } else { "" });
            }
            width += word.width();
        }
        width
    }

    fn code(&mut self, lines: &[String], indent: usize) {
        for line in lines {
            let indented = format!("{}{line}", " ".repeat(indent));
            self.text.push_str(indented.trim_end());
            self.text.push('\n');
        }
    }

    fn list(&mut self, items: &[Item], indent: usize) {
        for item in items {
            let marker = item.number.as_deref().unwrap_or("-");
            let inner = indent + marker.len() + 1;
            self.text.push_str(&format!("{}{marker} ", " ".repeat(indent)));
            match item.blocks.split_first() {
                Some((Block::Paragraph(text), below)) => {
                    self.wrapped(text, inner, inner);
                    if !below.is_empty() && !matches!(below[0], Block::List(_)) {
                        self.text.push('\n');
                    }
                    self.blocks(below, inner, false);
                }
                _ => self.text.push('\n'),
            }
        }
    }

    fn table(&mut self, table: &Table, indent: usize) {
        let cells = |row: &Vec<Text>| row.iter().map(|cell| words(cell, false)).collect::<Vec<_>>();
        let rows: Vec<Vec<Vec<Word>>> = table.rows.iter().map(cells).collect();
        let strong =
            |cell: &Text| cell.iter().map(|span| Span { look: Look::Strong, ..span.clone() }).collect::<Text>();
        let head: Vec<Vec<Word>> = table.head.iter().map(|cell| words(&strong(cell), false)).collect();
        let all: Vec<&Vec<Vec<Word>>> = std::iter::once(&head).chain(&rows).collect();
        let room = self.display.width.saturating_sub(indent);
        match column_widths(&all, room) {
            Some(widths) => self.columns(&all, &widths, indent),
            None => self.rows_as_list(table, indent),
        }
    }

    fn columns(&mut self, rows: &[&Vec<Vec<Word>>], widths: &[usize], indent: usize) {
        for (number, row) in rows.iter().enumerate() {
            let cells: Vec<Vec<Vec<Word>>> =
                row.iter().zip(widths).map(|(cell, width)| lines(cell, *width, 0, 0)).collect();
            let height = cells.iter().map(Vec::len).max().unwrap_or_default();
            for at in 0..height {
                let mut line_start = " ".repeat(indent);
                for (cell, width) in cells.iter().zip(widths) {
                    let Some(line) = cell.get(at).filter(|line| !line.is_empty()) else {
                        line_start.push_str(&format!("{:width$}{GAP}", ""));
                        continue;
                    };
                    self.text.push_str(&line_start);
                    let used = self.line(line);
                    line_start = format!("{:fill$}{GAP}", "", fill = width.saturating_sub(used));
                }
                self.text.push('\n');
            }
            if number == 0 {
                let rules: Vec<String> = widths.iter().map(|width| "-".repeat(*width)).collect();
                self.text.push_str(&format!("{}{}\n", " ".repeat(indent), rules.join(GAP)));
            }
        }
    }

    /// Each row as an entry: its first cell, and below it the others, named by the head.
    fn rows_as_list(&mut self, table: &Table, indent: usize) {
        for (number, row) in table.rows.iter().enumerate() {
            let Some((term, details)) = entry(table, row) else { continue };
            if number > 0 {
                self.text.push('\n');
            }
            self.paragraph(&term, indent, indent + 2);
            for detail in details {
                self.paragraph(&detail, indent + 2, indent + 2);
            }
        }
    }
}

/// A row of a table as an entry of a list: its first cell in bold, then the short cells in a line with the names of their
/// columns, then the text of the last.
pub(super) fn entry(table: &Table, row: &[Text]) -> Option<(Text, Vec<Text>)> {
    let first = row.iter().position(|cell| !cell.is_empty())?;
    let mut term: Text = row[first].iter().map(|span| Span { look: Look::Strong, ..span.clone() }).collect();
    let name_of = |head: &Text| head.iter().map(|span| span.text.as_str()).collect::<String>();
    // A bare number says nothing without the name of its column.
    if term.iter().all(|span| span.text.trim_start_matches('-').starts_with(|c: char| c.is_ascii_digit())) {
        term.insert(0, Span { text: format!("{} ", name_of(&table.head[first])), look: Look::Strong });
    }
    let width = |cell: &Text| columns(&cell.iter().map(|span| span.text.as_str()).collect::<String>());
    let last = row.len() - 1;
    let is_prose = table.rows.iter().any(|row| row.last().is_some_and(|cell| width(cell) > 30)) || row.len() == 2;
    let mut short: Text = Vec::new();
    let mut details = Vec::new();
    for (at, (cell, head)) in row.iter().zip(&table.head).enumerate().skip(first + 1) {
        if cell.is_empty() {
            continue;
        }
        if at == last && is_prose {
            details.push(cell.clone());
            continue;
        }
        let name = name_of(head);
        let [between, colon] = if name.is_ascii() { ["; ", ": "] } else { ["；", "："] };
        let between = if short.is_empty() { "" } else { between };
        short.push(Span { text: format!("{between}{name}{colon}"), look: Look::Plain });
        short.extend(cell.iter().cloned());
    }
    if !short.is_empty() {
        details.insert(0, short);
    }
    Some((term, details))
}

/// The widths of the columns of a table; `None` where one of them would be too narrow to be read.
fn column_widths(rows: &[&Vec<Vec<Word>>], room: usize) -> Option<Vec<usize>> {
    let count = rows.first()?.len();
    let widest = |column: usize, of: fn(&[Word]) -> usize| rows.iter().map(|row| of(&row[column])).max().unwrap_or(0);
    let natural: Vec<usize> = (0..count).map(|column| widest(column, width_of)).collect();
    let least: Vec<usize> =
        (0..count).map(|column| widest(column, |cell| cell.iter().map(Word::width).max().unwrap_or(0))).collect();
    let mut left = room.checked_sub(GAP.len() * count.saturating_sub(1))?;
    // The narrow columns get what they need, the others share the rest.
    let mut order: Vec<usize> = (0..count).collect();
    sort::sort_by_key(&mut order, |column| natural[*column]);
    let mut widths = vec![0; count];
    for (taken, column) in order.iter().enumerate() {
        let share = left / (count - taken);
        widths[*column] = natural[*column].min(share).max(least[*column].min(left));
        left = left.checked_sub(widths[*column])?;
    }
    let is_readable =
        (0..count).all(|column| widths[column] >= least[column] && widths[column] >= natural[column].min(NARROWEST));
    is_readable.then_some(widths)
}

fn width_of(words: &[Word]) -> usize {
    words.iter().enumerate().map(|(number, word)| word.width() + usize::from(number > 0 && word.after_blank)).sum()
}

/// The words of a text, as they may be parted: at blanks, and between Chinese characters. `quoted` code has backticks around
/// it, where it cannot be told by its look.
fn words(text: &Text, quoted: bool) -> Vec<Word> {
    let mut words: Vec<Word> = Vec::new();
    let mut after_blank = true;
    let mut before: Option<char> = None;
    for span in text {
        let (shown, strong) = match span.look {
            Look::Plain | Look::Emphasis => (span.text.clone(), false),
            Look::Strong => (span.text.clone(), true),
            Look::Code if quoted => (format!("`{}`", span.text), false),
            Look::Code => (span.text.clone(), true),
            Look::Topic if quoted => (format!("`help {}`", span.text), false),
            Look::Topic => (format!("help {}", span.text), true),
        };
        for c in shown.chars() {
            if c == ' ' {
                after_blank = true;
                before = None;
                continue;
            }
            let parts = before.is_none_or(|before| may_part(before, c));
            if parts || words.is_empty() {
                words.push(Word { pieces: Vec::new(), after_blank });
            }
            after_blank = false;
            before = Some(c);
            let Some(word) = words.last_mut() else { continue };
            match word.pieces.last_mut() {
                Some((piece, same)) if *same == strong => piece.push(c),
                _ => word.pieces.push((c.to_string(), strong)),
            }
        }
    }
    words
}

/// Whether a line may be broken between two signs that touch.
pub(super) fn may_part(before: char, after: char) -> bool {
    (is_wide(before) || is_wide(after)) && !OPENING.contains(before) && !CLOSING.contains(after)
}

/// The words in lines. The first one begins behind `at` columns, the others behind `indent`. A word that is too long gets a line
/// of its own, whole, so that it can be copied.
fn lines(words: &[Word], width: usize, at: usize, indent: usize) -> Vec<Vec<Word>> {
    let mut lines: Vec<Vec<Word>> = vec![Vec::new()];
    let mut used = at;
    for word in words {
        let Some(line) = lines.last_mut() else { continue };
        let more = word.width() + usize::from(word.after_blank && !line.is_empty());
        if !line.is_empty() && used + more > width {
            used = indent + word.width();
            lines.push(vec![word.clone()]);
        } else {
            used += more;
            line.push(word.clone());
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::super::markdown::parse;
    use super::super::topic::every_page;
    use super::*;

    fn shown(page: &str, width: usize) -> String {
        render(&parse(page), Display { width, bold: false })
    }

    #[test]
    fn text_is_wrapped_and_code_is_not() {
        let page = "# A page\n\nSome words and `code` and\n一二三四五六七，八九十。\n\n## Below\n\n- an item of the list\n  - inner\n\n```sh\nls -l    a/very/long/path\n```\n";
        let wanted = "A page\n\n  Some words and\n  `code` and 一二三\n  四五六七，八九十。\n\nBelow\n  - an item of the\n    list\n    - inner\n\n    ls -l    a/very/long/path\n";
        assert_eq!(shown(page, 20), wanted);
    }

    #[test]
    fn bold_is_for_terminals_that_show_it() {
        let bold = render(&parse("# A\n\n`b` **c** d"), Display { width: 80, bold: true });
        assert_eq!(bold, "\x1b[1mA\x1b[0m\n\n  \x1b[1mb\x1b[0m \x1b[1mc\x1b[0m d\n");
        assert_eq!(shown("# A\n\n`b` **c** d", 80), "A\n\n  `b` c d\n");
    }

    #[test]
    fn a_table_fits_or_becomes_a_list() {
        let page = "| option | key | meaning |\n|---|---|---|\n| `--deadline DURATION` | `deadline` | time for the whole command with all that it does |\n| | `secret` | 密钥 |\n";
        let wide = "  option               key       meaning\n  -------------------  --------  -------------------------------------------------\n  --deadline DURATION  deadline  time for the whole command with all that it does\n                       secret    密钥\n";
        assert_eq!(shown(page, 90), wide.replace("-\n  --deadline", "\n  --deadline"));
        let narrow = "  --deadline DURATION\n    key: `deadline`\n    time for the whole command with all\n    that it does\n\n  secret\n    密钥\n";
        assert_eq!(shown(page, 40), narrow);
        let page = "| 退出码 | 状态 | 标记 | 含义 |\n|---|---|---|---|\n| 2 | `usage` | `u` | 选项写错了，或者消息不合规则，所以什么都没有发 |\n";
        let narrow =
            "  退出码 2\n    状态：`usage`；标记：`u`\n    选项写错了，或者消息不合规则，\n    所以什么都没有发\n";
        assert_eq!(shown(page, 34), narrow);
    }

    #[test]
    fn every_page_keeps_to_the_width() {
        for (name, page) in every_page() {
            for width in [60, 80, 120] {
                for line in shown(&page, width).lines().filter(|line| columns(line) > width) {
                    let is_code = page.contains(line.trim());
                    // A word that is too long for a line has one of its own.
                    let is_word = line.split_whitespace().count() == 1;
                    assert!(is_code || is_word, "{name} at {width}: {line}");
                }
            }
        }
    }
}
