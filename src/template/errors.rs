//! Error messages of templates: one line with the name of the template, the line number, and the words that are wrong.

use std::ops::Range;

use minijinja::ErrorKind;
use serde_json::Value;

use super::called;
use crate::error::Error;
use crate::sanitize::{excerpt, first_items, one_line};
use crate::suggest::nearest;

/// The longest piece of a template or of the engine's message in an error, in characters.
const SHOWN: usize = 80;

/// How many names of the data an error lists.
const NAMES: usize = 12;

/// Our error for one of the engine.
pub(super) fn error(name: &str, source: &str, data: &Value, error: &minijinja::Error) -> Error {
    let place = match error.line() {
        Some(line) => format!("{}, line {line}", called(name)),
        None => called(name),
    };
    let words = error.range().and_then(|range| words(source, range));
    let detail = error.detail().map_or_else(|| error.kind().to_string(), str::to_owned);
    let detail = shown(&detail);
    match error.kind() {
        ErrorKind::UndefinedError => {
            let what = words.map_or_else(|| "something".to_owned(), |words| format!("`{}`", shown(words)));
            Error::usage(format!("{place}: {what} is undefined"), names_hint(data, words))
        }
        ErrorKind::OutOfFuel => too_much_work(&place),
        ErrorKind::SyntaxError => Error::usage(
            format!("{place}: {detail}"),
            "look for an unclosed {{, {% or {#, and for a missing endif or endfor",
        ),
        _ => {
            let what = words.map(|words| format!(" in `{}`", shown(words))).unwrap_or_default();
            Error::usage(format!("{place}: {detail}{what}"), "correct this line of the template")
        }
    }
}

/// `place` is the template, and the line where it is known.
pub(super) fn too_much_work(place: &str) -> Error {
    Error::usage(
        format!("{place}: it takes too much work"),
        "look for a loop that repeats too much, or for a text or list that grows",
    )
}

/// The source of a range, with the expression before it that it continues: the variable before a filter or an attribute.
fn words(source: &str, range: Range<usize>) -> Option<&str> {
    let mut start = range.start;
    loop {
        let before = source.get(..start)?.trim_end();
        let continues = source.get(start..)?.starts_with(['.', '[', '(']);
        let before = match before.strip_suffix('|') {
            Some(piped) => piped.trim_end(),
            None if continues => before,
            None => break,
        };
        let is_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '[' | ']' | '\'' | '"' | '(' | ')');
        let word = before.chars().rev().take_while(|c| is_word(*c)).map(char::len_utf8).sum::<usize>();
        if word == 0 {
            // More than a name: everything from the start of the tag.
            start = ["{{", "{%"].iter().filter_map(|tag| before.rfind(tag)).max().map_or(start, |at| at + 2);
            break;
        }
        start = before.len() - word;
    }
    source.get(start..range.end).map(str::trim).filter(|words| !words.is_empty())
}

/// A hint with the names in the data.
fn names_hint(data: &Value, words: Option<&str>) -> String {
    let default = "write {{ x|default('') }} where x may be missing";
    let Some(fields) = data.as_object().filter(|fields| !fields.is_empty()) else {
        return format!("the data has no names; {default}");
    };
    let is_name = |word: &&str| !word.is_empty() && !["if", "for", "in", "not"].contains(word);
    let first = words.and_then(|words| words.split(|c: char| !(c.is_alphanumeric() || c == '_')).find(is_name));
    if let Some(known) = first.filter(|first| !fields.contains_key(*first)) {
        let near = nearest(known, fields.keys().map(String::as_str)).unwrap_or_default();
        let names = first_items(fields.keys().map(|name| shown(name)), NAMES);
        return format!("the data has {names}; the nearest is {}; {default}", shown(near));
    }
    default.to_owned()
}

/// On one line, and shortened.
fn shown(text: &str) -> String {
    excerpt(&one_line(text), SHOWN)
}
