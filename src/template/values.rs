//! Values in a template: data from JSON into the engine, and values into the text, escaped by the functions that alerts use.

use minijinja::value::ValueKind;
use minijinja::{AutoEscape, Environment, Error, ErrorKind, Output, State, Value as EngineValue};
use serde_json::{Map, Number, Value};

use super::{Escaping, MAX_OUTPUT};
use crate::alert::escape;
use crate::channel::Markup;

/// Deeper values are refused: walking them would need too much stack. Data from JSON has at most 128 levels.
const MOST_LEVELS: usize = 200;

/// Sets up the escaping of values, and the filters that depend on it.
pub(super) fn set_up(environment: &mut Environment<'_>, escaping: Escaping) {
    environment.set_auto_escape_callback(move |_| match escaping {
        Escaping::Text(Markup::Plain | Markup::Textcard) => AutoEscape::None,
        _ => AutoEscape::Custom("escaping".into()),
    });
    environment.set_formatter(move |output, state, value| put(output, state, value, escaping));
    environment.add_filter("tojson", |state: &State<'_, '_>, value: &EngineValue| {
        Ok::<_, Error>(EngineValue::from_safe_string(to_json(state, value, 0)?.to_string()))
    });
    environment
        .add_filter("url", |address: &str| EngineValue::from_safe_string(escape::url(address.trim()).into_owned()));
    environment.add_filter("fenced", move |text: &str| match escaping {
        Escaping::Text(Markup::MarkdownV2) => EngineValue::from_safe_string(escape::fenced(text)),
        _ => EngineValue::from(text),
    });
}

fn put(
    output: &mut Output<'_>,
    state: &mut State<'_, '_>,
    value: &EngineValue,
    escaping: Escaping,
) -> Result<(), Error> {
    let is_plain = value.is_safe() || matches!(state.auto_escape(), AutoEscape::None);
    let json;
    let (text, is_whole) = match value.as_str() {
        Some(text) => (text, false),
        // In JSON a list or an object is a whole value.
        None => {
            json = to_json(state, value, 0)?.to_string();
            (json.as_str(), escaping == Escaping::Json)
        }
    };
    if is_plain || is_whole {
        return output.write_str(text).map_err(Error::from);
    }
    put_escaped(output, text, escaping)
}

/// Line by line: a value that the output has no room for is not escaped to its end.
fn put_escaped(output: &mut Output<'_>, text: &str, escaping: Escaping) -> Result<(), Error> {
    let escape = match escaping {
        Escaping::Text(Markup::Plain | Markup::Textcard) => return Ok(output.write_str(text)?),
        Escaping::Json => return Ok(output.write_str(&inside_of_string(text))?),
        Escaping::Text(Markup::Markdown) => escape::markdown,
        Escaping::Text(Markup::MarkdownV2) => escape::markdown_v2_paragraph,
    };
    let mut written = 0;
    for (index, line) in text.split('\n').enumerate() {
        let line = escape(line.trim_end_matches('\r'));
        written += line.len();
        if written > MAX_OUTPUT {
            // What is written into a variable is not counted before the value's end.
            return Err(ErrorKind::OutOfFuel.into());
        }
        if index > 0 {
            output.write_str("\n")?;
        }
        output.write_str(&line)?;
    }
    Ok(())
}

/// A string of JSON without its quotes.
fn inside_of_string(text: &str) -> String {
    let quoted = Value::from(text).to_string();
    quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or_default().to_owned()
}

/// JSON as the engine's value, objects in their order.
pub(super) fn to_engine(value: &Value) -> EngineValue {
    match value {
        Value::Null => EngineValue::from(()),
        Value::Bool(value) => EngineValue::from(*value),
        Value::Number(number) => match (number.as_i64(), number.as_u64(), number.as_f64()) {
            (Some(number), _, _) => EngineValue::from(number),
            (_, Some(number), _) => EngineValue::from(number),
            (_, _, number) => EngineValue::from(number),
        },
        Value::String(text) => EngineValue::from(text.as_str()),
        Value::Array(items) => items.iter().map(to_engine).collect(),
        Value::Object(fields) => {
            EngineValue::from_pairs(fields.iter().map(|(name, value)| (name.as_str(), to_engine(value))))
        }
    }
}

/// How much work it is to make JSON of a value, beside what it holds: each takes about as much memory as so many steps of
/// the engine.
const WORK: u64 = 4;

/// The engine's value as JSON, `level` counted from 0. Fails for something undefined in it, and for what JSON has no form for.
fn to_json(state: &State<'_, '_>, value: &EngineValue, level: usize) -> Result<Value, Error> {
    if level > MOST_LEVELS {
        return Err(Error::new(ErrorKind::InvalidOperation, "the value is nested too deep"));
    }
    let length = value.as_str().map_or(0, str::len) as u64;
    state.consume_fuel(WORK + length / 64)?;
    let json = match value.kind() {
        ValueKind::Undefined => return Err(ErrorKind::UndefinedError.into()),
        ValueKind::None => Value::Null,
        ValueKind::Bool => Value::Bool(value.is_true()),
        ValueKind::Number => Value::Number(number(value)?),
        ValueKind::String => Value::String(value.as_str().unwrap_or_default().to_owned()),
        ValueKind::Seq | ValueKind::Iterable => {
            Value::Array(value.try_iter()?.map(|item| to_json(state, &item, level + 1)).collect::<Result<_, _>>()?)
        }
        ValueKind::Map => {
            let mut fields = Map::new();
            for key in value.try_iter()? {
                let name = key.as_str().map_or_else(|| key.to_string(), str::to_owned);
                fields.insert(name, to_json(state, &value.get_item(&key)?, level + 1)?);
            }
            Value::Object(fields)
        }
        kind => return Err(Error::new(ErrorKind::InvalidOperation, format!("a value of the kind {kind} is no text"))),
    };
    Ok(json)
}

fn number(value: &EngineValue) -> Result<Number, Error> {
    if value.is_integer() {
        let integer = i64::try_from(value.clone()).map(Number::from);
        return integer.or_else(|_| u64::try_from(value.clone()).map(Number::from));
    }
    let float = f64::try_from(value.clone())?;
    Number::from_f64(float).ok_or_else(|| Error::new(ErrorKind::InvalidOperation, "JSON has no form for this number"))
}
