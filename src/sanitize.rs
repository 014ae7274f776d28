//! Text from outside, made harmless where people read it. Secrets are another matter, and not known here.

/// Whether a character, shown as it is, could break the line, take a terminal over or make a text look like another one:
/// control characters, line separators, marks that turn the direction of text, the byte-order mark.
pub fn is_harmful(c: char) -> bool {
    is_break(c)
        || matches!(c, '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// The text on one line: a blank for what would break it, nothing for what could not be seen.
pub fn one_line(text: &str) -> String {
    text.chars().map(|c| if is_break(c) { ' ' } else { c }).filter(|c| !is_harmful(*c)).collect()
}

fn is_break(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_from_outside_stays_on_its_line() {
        let text = "a\r\nb\x1b[31mc\u{202e}d\u{9b}e\u{2028}f\u{61c}\u{feff}\u{2066}\u{200f}g 界 👨‍👩‍👧";
        assert_eq!(one_line(text), "a  b [31mcd e fg 界 👨‍👩‍👧");
    }
}
