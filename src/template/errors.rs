//! Error messages of templates: one line with the name of the template, the line number, and the words that are wrong.

use std::ops::Range;

use minijinja::ErrorKind;
use serde_json::{Map, Value};

use super::syntax_hints::syntax_hint;
use super::{FILTERS, WHOLE, called};
use crate::error::Error;
use crate::sanitize::{excerpt, first_items, one_line};
use crate::suggest::is_near;

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
    if let Some(name) = words.and_then(|words| hidden_name(data, words)) {
        let name = shown(name);
        let hint = format!("write {WHOLE}['{name}']: a name that is not one word must be written so");
        return Error::usage(format!("{place}: `{name}` is read as an expression, not as a name of the data"), hint);
    }
    match error.kind() {
        ErrorKind::OutOfFuel => too_much_work(&place),
        _ if is_go(source) => Error::usage(
            format!("{place}: this is a Go template, as Alertmanager and Grafana have them; templates here are Jinja"),
            "{{ .Status }} is {{ status }}; {{ range .Alerts }}…{{ end }} is {% for alert in alerts %}…{% endfor %}; \
             names are those of the JSON",
        ),
        ErrorKind::UndefinedError => {
            let what = words.map_or_else(|| "something".to_owned(), |words| format!("`{}`", shown(words)));
            Error::usage(format!("{place}: {what} is undefined"), names_hint(source, data, words))
        }
        ErrorKind::SyntaxError => Error::usage(format!("{place}: {detail}"), syntax_hint(source)),
        ErrorKind::UnknownFilter => {
            let unknown = error.detail().and_then(|detail| detail.split_whitespace().nth(1)).unwrap_or_default();
            let near = FILTERS.into_iter().find(|known| is_near(unknown, known) || has_name_of(unknown, known));
            let near = near.map(|near| format!("did you mean {near}? ")).unwrap_or_default();
            Error::usage(format!("{place}: {detail}"), format!("{near}The filters are: {}", FILTERS.join(", ")))
        }
        ErrorKind::UnknownMethod => {
            let call = words.and_then(|words| words.split_once('('));
            let filter = call.and_then(|(path, _)| path.rsplit_once('.')).filter(|(_, name)| FILTERS.contains(name));
            let hint = match filter {
                Some((value, filter)) => format!("write {{{{ {}|{filter} }}}}", shown(value)),
                None => format!("values have no methods here; the filters are: {}", FILTERS.join(", ")),
            };
            Error::usage(format!("{place}: {detail}"), hint)
        }
        _ => {
            let what = words.map(|words| format!(" in `{}`", shown(words))).unwrap_or_default();
            Error::usage(format!("{place}: {detail}{what}"), "correct this line of the template")
        }
    }
}

/// Whether a filter's name is the longer or shorter one of another program: `uppercase` for `upper`, `json` for `tojson`.
fn has_name_of(unknown: &str, known: &str) -> bool {
    known.len() >= 4 && unknown.starts_with(known) || unknown.len() >= 4 && known.ends_with(unknown)
}

/// Whether it is written for Go's `text/template`: `{{ .Status }}`, `{{ range .Alerts }}`, `{{ if eq .Status "firing" }}`.
fn is_go(source: &str) -> bool {
    const BEGINNINGS: [&str; 12] = [
        ".",
        "$",
        "if ",
        "range .",
        "range $",
        "with ",
        "define \"",
        "template \"",
        "block \"",
        "end }}",
        "end}}",
        "end -}}",
    ];
    let mut tags = source.split("{{").skip(1).map(|tag| tag.trim_start_matches('-').trim_start());
    tags.any(|tag| BEGINNINGS.iter().any(|beginning| tag.starts_with(beginning)))
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

/// A hint with the names that there are where one was not found.
fn names_hint(source: &str, data: &Value, words: Option<&str>) -> String {
    let default = "write {{ x|default('') }} where x may be missing";
    if data.as_object().is_none_or(Map::is_empty) {
        return format!("the data has no names; {default}");
    }
    let Some(Lacking { path, name, names }) = words.and_then(|words| lacking(source, data, words)) else {
        return default.to_owned();
    };
    let owner = if path.is_empty() { "the data".to_owned() } else { format!("`{}`", shown(&path)) };
    let deeper = if path.is_empty() { owner_of(data, &name) } else { None };
    let deeper = deeper.map(|owner| format!("{}.{}", shown(owner), shown(&name)));
    let near = deeper.or_else(|| names.iter().find(|known| is_near(&name, known)).map(|near| shown(near)));
    let near = near.map(|near| format!("the nearest is {near}; ")).unwrap_or_default();
    match names.is_empty() {
        true => format!("{owner} is empty; {default}"),
        false => format!("{owner} has {}; {near}{default}", first_items(names.iter().map(|name| shown(name)), NAMES)),
    }
}

/// The object of the data that has this name; of a notification, the one with what all its alerts have in common.
fn owner_of<'d>(data: &'d Value, name: &str) -> Option<&'d str> {
    let owners =
        data.as_object()?.iter().filter(|(_, value)| value.get(name).is_some()).map(|(owner, _)| owner.as_str());
    // The first of the smallest.
    owners.min_by_key(|owner| !owner.starts_with("common"))
}

/// A name of the data in these words that the engine takes for an expression: `disk-usage`.
fn hidden_name<'d>(data: &'d Value, words: &str) -> Option<&'d str> {
    let names = data.as_object().into_iter().flat_map(|fields| fields.keys());
    let is_no_word = |name: &&String| name.contains(|c: char| !(c.is_alphanumeric() || c == '_'));
    names.filter(is_no_word).find(|name| words.contains(name.as_str())).map(String::as_str)
}

/// A name that an object of the data does not have, and those that it has.
struct Lacking<'d> {
    /// The object, as the template calls it; empty for the whole data.
    path: String,
    name: String,
    names: Vec<&'d str>,
}

/// What the first path in these words of the template does not find.
fn lacking<'d>(source: &str, data: &'d Value, words: &str) -> Option<Lacking<'d>> {
    let is_keyword = |step: &String| ["if", "for", "in", "not", "set"].contains(&step.as_str());
    let starts = words.char_indices().filter(|(at, c)| {
        let is_inside = words[..*at].ends_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '\'' | '"'));
        !is_inside && (c.is_alphabetic() || *c == '_')
    });
    let mut paths =
        starts.map(|(at, _)| steps(&words[at..])).filter(|steps| steps.first().is_some_and(|s| !is_keyword(s)));
    paths.find_map(|steps| follow(source, data, &steps, 0).err().flatten())
}

/// The names of a path: `alerts[0].labels['job']` has `alerts`, `0`, `labels`, `job`.
fn steps(text: &str) -> Vec<String> {
    let is_in_path = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '[' | ']' | '\'' | '"');
    let end = text.find(|c| !is_in_path(c)).unwrap_or(text.len());
    let names = text[..end].split(['.', '[', ']', '\'', '"']).filter(|name| !name.is_empty());
    names.map(str::to_owned).collect()
}

/// The values that a path may mean: in a loop, one for each item. `Err` where a name is not found, with its object where
/// that is known.
fn follow<'d>(
    source: &str,
    data: &'d Value,
    steps: &[String],
    level: usize,
) -> Result<Vec<&'d Value>, Option<Lacking<'d>>> {
    /// Loops within loops, and variables that are set to variables.
    const MOST_LEVELS: usize = 8;
    let (first, rest) = steps.split_first().ok_or(None)?;
    let mut found = match (data.get(first), bound_to(source, first)) {
        (Some(value), _) => vec![value],
        (None, Some(steps)) if level < MOST_LEVELS => {
            let values = follow(source, data, &steps, level + 1).map_err(|_| None)?;
            let items = |value: &'d Value| match value.as_array() {
                Some(items) => items.iter().collect(),
                None => vec![value],
            };
            values.into_iter().flat_map(items).collect()
        }
        (None, Some(_)) => return Err(None),
        (None, None) => vec![],
    };
    if found.is_empty() {
        let names = data.as_object().into_iter().flat_map(|fields| fields.keys().map(String::as_str)).collect();
        return Err(Some(Lacking { path: String::new(), name: first.clone(), names }));
    }
    for (index, step) in rest.iter().enumerate() {
        let path = || steps[..=index].join(".");
        let lacking = found.iter().filter_map(|value| value.as_object()).find(|fields| !fields.contains_key(step));
        if let Some(fields) = lacking {
            let names = fields.keys().map(String::as_str).collect();
            return Err(Some(Lacking { path: path(), name: step.clone(), names }));
        }
        let into = |value: &'d Value| match (value, step.parse::<usize>()) {
            (Value::Array(items), Ok(at)) => items.get(at),
            _ => value.get(step),
        };
        found = found.into_iter().filter_map(into).collect();
    }
    if found.is_empty() { Err(None) } else { Ok(found) }
}

/// The path that `{% for NAME in PATH %}` or `{% set NAME = PATH %}` gives to a name.
fn bound_to(source: &str, name: &str) -> Option<Vec<String>> {
    source.split("{%").skip(1).find_map(|tag| {
        let tag = tag.trim_start_matches(['-', '+']).trim_start();
        let (bound, path) = match tag.strip_prefix("for ") {
            Some(rest) => rest.split_once(" in ")?,
            None => tag.strip_prefix("set ")?.split_once('=')?,
        };
        (bound.trim() == name).then(|| steps(path.trim_start())).filter(|steps| !steps.is_empty())
    })
}

/// On one line, and shortened.
fn shown(text: &str) -> String {
    excerpt(&one_line(text), SHOWN)
}
