//! How values are put into a template's text: escaped for its target by the functions that alerts use.

use minijinja::{AutoEscape, Environment, Error, Output, State, Value};

use super::Target;
use super::value::to_json;
use crate::alert::escape;

/// Values of this template are escaped for the target, and the filters that need to know it are there.
pub(super) fn set_up(environment: &mut Environment<'_>, target: Target) {
    environment.set_auto_escape_callback(move |_| match target {
        Target::Text => AutoEscape::None,
        _ => AutoEscape::Custom("target".into()),
    });
    environment.set_formatter(move |output, state, value| put(output, state, value, target));
    environment.add_filter("tojson", tojson);
    environment.add_filter("url", move |address: &str| Value::from_safe_string(url(address, target)));
    environment.add_filter("fenced", move |text: &str| match target {
        Target::MarkdownV2 => Value::from_safe_string(escape::fenced(text)),
        _ => Value::from(text),
    });
}

fn put(output: &mut Output<'_>, state: &mut State<'_, '_>, value: &Value, target: Target) -> Result<(), Error> {
    let is_plain = value.is_safe() || matches!(state.auto_escape(), AutoEscape::None);
    let text = match value.as_str() {
        Some(text) if is_plain => text.to_owned(),
        Some(text) => escaped(text, target),
        None => {
            let json = to_json(value)?.to_string();
            // A list or an object is a whole value where the target is JSON.
            if is_plain || target == Target::Json { json } else { escaped(&json, target) }
        }
    };
    output.write_str(&text).map_err(Error::from)
}

fn escaped(text: &str, target: Target) -> String {
    let by_line = |escape: fn(&str) -> String, line_break: &str| {
        text.split('\n').map(|line| escape(line.trim_end_matches('\r'))).collect::<Vec<_>>().join(line_break)
    };
    match target {
        Target::Text => text.to_owned(),
        Target::Markdown => by_line(escape::markdown, "\n"),
        Target::MarkdownV2 => by_line(escape::markdown_v2_paragraph, "\n"),
        Target::Textcard => by_line(escape::textcard, "<br>"),
        Target::Json => inside_of_string(text),
    }
}

/// A string of JSON without its quotes.
fn inside_of_string(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or_default().to_owned()
}

/// `tojson`: the value as JSON, not escaped again.
fn tojson(value: &Value) -> Result<Value, Error> {
    Ok(Value::from_safe_string(to_json(value)?.to_string()))
}

/// `url`: an address, such that it ends neither a link nor a string.
fn url(address: &str, target: Target) -> String {
    let address = escape::url(address.trim());
    if target == Target::Textcard { escape::textcard(&address) } else { address.into_owned() }
}
