//! What a JSON parser forgives and a careful client never writes: escapes for text, keys that repeat, controls.

use std::collections::HashSet;

/// Findings in one JSON text that a parser has already taken.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// `\uXXXX`, `\b` and `\f`: WeCom refuses the first (40033), and the others stand for control characters.
    pub escapes: Vec<String>,
    pub repeated_keys: Vec<String>,
    /// DEL and C1 control characters as they are.
    pub raw_controls: bool,
}

/// Reads the text once, string by string.
pub fn scan(text: &str) -> Findings {
    let mut found = Findings { raw_controls: text.contains(is_late_control), ..Findings::default() };
    let mut open: Vec<HashSet<&str>> = Vec::new();
    let mut at = 0;
    while let Some(step) = text[at..].find(['{', '}', '"']) {
        at += step;
        match text.as_bytes()[at] {
            b'{' => open.push(HashSet::new()),
            b'}' => drop(open.pop()),
            _ => {
                let string = string_at(&text[at..], &mut found);
                at += string.len() + 1;
                let is_key = text.get(at + 1..).is_some_and(|rest| rest.trim_start().starts_with(':'));
                if let (true, Some(keys)) = (is_key, open.last_mut())
                    && !keys.insert(string)
                {
                    found.repeated_keys.push(string.to_owned());
                }
            }
        }
        at += 1;
    }
    found
}

fn is_late_control(c: char) -> bool {
    c.is_control() && c >= '\u{7f}'
}

/// The inside of the string that opens the text.
fn string_at<'a>(text: &'a str, found: &mut Findings) -> &'a str {
    let inside = &text[1..];
    let mut at = 0;
    while let Some(step) = inside[at..].find(['"', '\\']) {
        at += step;
        if inside.as_bytes()[at] == b'"' {
            return &inside[..at];
        }
        let escape = match inside.as_bytes().get(at + 1) {
            Some(b'u') => inside.get(at..at + 6),
            Some(b'b' | b'f') => inside.get(at..at + 2),
            _ => None,
        };
        found.escapes.extend(escape.map(str::to_owned));
        at += 2;
    }
    inside
}
