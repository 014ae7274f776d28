//! Text in columns: how many a text takes on a terminal, and text that is broken into lines of a width. Pure.

/// The width of text on a pipe, and the most on a terminal.
pub(crate) const WIDTH: usize = 80;

/// How many columns a text takes: Chinese characters and signs take two.
pub(crate) fn columns(text: &str) -> usize {
    text.chars().map(|c| if is_wide(c) { 2 } else { 1 }).sum()
}

pub(crate) fn is_wide(c: char) -> bool {
    matches!(c, '\u{1100}'..='\u{115f}' | '\u{2e80}'..='\u{a4cf}' | '\u{ac00}'..='\u{d7a3}' | '\u{f900}'..='\u{faff}'
        | '\u{fe30}'..='\u{fe6f}' | '\u{ff00}'..='\u{ff60}' | '\u{ffe0}'..='\u{ffe6}' | '\u{1f300}'..='\u{1faff}'
        | '\u{20000}'..='\u{3fffd}')
}

/// The text in lines of a width, broken at blanks: the first line goes on behind `before` columns, each later one begins with
/// `indent` blanks. A word that is longer than a line gets one of its own, whole, so that it can be copied.
pub(crate) fn hanging(text: &str, before: usize, indent: usize, width: usize) -> String {
    let mut lines = String::new();
    let mut at = before;
    for (number, word) in text.split(' ').filter(|word| !word.is_empty()).enumerate() {
        let length = columns(word);
        if number > 0 && at + 1 + length > width {
            lines.push('\n');
            lines.push_str(&" ".repeat(indent));
            at = indent;
        } else if number > 0 {
            lines.push(' ');
            at += 1;
        }
        lines.push_str(word);
        at += length;
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_keep_to_the_width() {
        assert_eq!(hanging("one two three four", 4, 4, 12), "one two\n    three\n    four");
        assert_eq!(hanging("应用管理 → 可见范围 x", 0, 2, 20), "应用管理 → 可见范围\n  x");
        assert_eq!(hanging("a https://long.example/path b", 2, 2, 10), "a\n  https://long.example/path\n  b");
        assert_eq!(hanging("  ", 0, 2, 10), "");
        assert_eq!(columns("磁盘 a"), 6);
    }
}
