//! Values in a template: data from JSON into the engine, and values into the text, escaped by the functions that alerts use.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::DateTime;
use chrono::format::StrftimeItems;
use minijinja::value::ValueKind;
use minijinja::{AutoEscape, Environment, Error, ErrorKind, Output, State, Value as EngineValue};
use serde_json::{Map, Number, Value};

use super::{Escaping, MAX_OUTPUT, Zone};
use crate::alert::escape;
use crate::channel::Markup;

/// Deeper values are refused: walking them would need too much stack. Data from JSON has at most 128 levels.
const MOST_LEVELS: usize = 200;

/// Sets up the escaping of values, and the filters that are not the engine's. `zone` turns a point in time into the
/// receiver's time zone.
pub(super) fn set_up(environment: &mut Environment<'_>, escaping: Escaping, written: Arc<Written>, zone: Zone) {
    environment.set_auto_escape_callback(move |_| match escaping {
        Escaping::Nothing => AutoEscape::None,
        _ => AutoEscape::Custom("escaping".into()),
    });
    let known = Arc::clone(&written);
    environment.set_formatter(move |output, state, value| put(output, state, value, escaping, &known));
    environment.add_filter("tojson", move |state: &State<'_, '_>, value: &EngineValue| {
        let json = to_json(state, value, &written, 0)?.to_string();
        // In JSON a `<` is always in a string.
        let json = if escaping == Escaping::Nothing { json } else { escape::text(&json).into_owned() };
        Ok::<_, Error>(EngineValue::from_safe_string(json))
    });
    environment
        .add_filter("url", |address: &str| EngineValue::from_safe_string(escape::url(address.trim()).into_owned()));
    environment.add_filter("fenced", move |text: &str| match escaping {
        Escaping::Text(Markup::MarkdownV2) => EngineValue::from_safe_string(escape::fenced(text)),
        _ => EngineValue::from(text),
    });
    environment.add_filter("localtime", move |at: &EngineValue, format: Option<&str>| local_time(at, format, zone));
}

/// How the built-in rendering shows a time.
const TIME_FORMAT: &str = "%Y-%m-%d %H:%M %z";

/// A time of RFC 3339, or a number of Unix seconds or milliseconds, in the receiver's time zone. What is no time stays as
/// it is, and year 1, which means never, becomes empty: an alert must not be lost for that.
fn local_time(at: &EngineValue, format: Option<&str>, zone: Zone) -> Result<EngineValue, Error> {
    /// Seconds of the year 5138; milliseconds of 1973.
    const FIRST_MS: i64 = 100_000_000_000;
    let time = match at.as_str() {
        Some(text) if text.trim().starts_with("0001-01-01T") => return Ok(EngineValue::from("")),
        Some(text) => DateTime::parse_from_rfc3339(text.trim()).ok(),
        None => i64::try_from(at.clone()).ok().and_then(|number| {
            let ms = if number.saturating_abs() < FIRST_MS { number * 1000 } else { number };
            DateTime::from_timestamp_millis(ms).map(|time| time.fixed_offset())
        }),
    };
    let Some(time) = time else { return Ok(at.clone()) };
    let format = format.unwrap_or(TIME_FORMAT);
    let items = StrftimeItems::new(format).parse().map_err(|_| {
        let message = format!("localtime: {format:?} is not a time format: write it like {TIME_FORMAT:?}");
        Error::new(ErrorKind::InvalidOperation, message)
    })?;
    Ok(EngineValue::from(zone(time).format_with_items(items.into_iter()).to_string()))
}

fn put(
    output: &mut Output<'_>,
    state: &mut State<'_, '_>,
    value: &EngineValue,
    escaping: Escaping,
    written: &Written,
) -> Result<(), Error> {
    let is_plain = value.is_safe() || matches!(state.auto_escape(), AutoEscape::None);
    let json;
    let (text, is_whole) = match value.as_str() {
        Some(text) => (text, false),
        // In JSON a list or an object is a whole value.
        None => {
            json = to_json(state, value, written, 0)?.to_string();
            (json.as_str(), escaping == Escaping::Json)
        }
    };
    if is_plain {
        return output.write_str(text).map_err(Error::from);
    }
    if is_whole {
        return output.write_str(&escape::text(text)).map_err(Error::from);
    }
    put_escaped(output, text, escaping)
}

/// Line by line: a value that the output has no room for is not escaped to its end.
fn put_escaped(output: &mut Output<'_>, text: &str, escaping: Escaping) -> Result<(), Error> {
    let escape = match escaping {
        Escaping::Nothing => return Ok(output.write_str(text)?),
        Escaping::Text(Markup::Plain | Markup::Textcard) => return Ok(output.write_str(&escape::text(text))?),
        Escaping::Json => return Ok(output.write_str(&inside_of_string(&escape::text(text)))?),
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

/// JSON as the engine's value, objects in their order. `written` gets the fractions that the engine would write otherwise
/// than the data does.
pub(super) fn to_engine(value: &Value, written: &mut Written) -> EngineValue {
    match value {
        Value::Null => EngineValue::from(()),
        Value::Bool(value) => EngineValue::from(*value),
        Value::Number(number) => match (number.as_i64(), number.as_i128(), number.as_u128(), number.as_f64()) {
            (Some(number), ..) => EngineValue::from(number),
            (_, Some(number), ..) => EngineValue::from(number),
            (_, _, Some(number), _) => EngineValue::from(number),
            (.., float) => {
                let float =
                    float.unwrap_or(f64::INFINITY.copysign(if number.as_str().starts_with('-') { -1.0 } else { 1.0 }));
                written.note(float, number);
                EngineValue::from(float)
            }
        },
        Value::String(text) => EngineValue::from(text.as_str()),
        Value::Array(items) => items.iter().map(|item| to_engine(item, written)).collect(),
        Value::Object(fields) => {
            EngineValue::from_pairs(fields.iter().map(|(name, value)| (name.as_str(), to_engine(value, written))))
        }
    }
}

/// How the data writes its fractions and exponents (`1.50`, `1e+21`), by the bits of their value: the engine calculates with
/// 64 bits, but what it only shows must show as it was written. `None` where the data writes one value in two ways.
#[derive(Debug, Default, Clone)]
pub(super) struct Written(HashMap<u64, Option<Number>>);

impl Written {
    fn note(&mut self, float: f64, number: &Number) {
        let known = self.0.entry(float.to_bits()).or_insert_with(|| Some(number.clone()));
        if known.as_ref().is_some_and(|known| known != number) {
            *known = None;
        }
    }

    /// The number in the data's own form, else in the shortest one.
    fn number(&self, float: f64) -> Option<Number> {
        self.0.get(&float.to_bits()).cloned().flatten().or_else(|| Number::from_f64(float))
    }
}

/// How much work it is to make JSON of a value, beside what it holds: each takes about as much memory as so many steps of
/// the engine.
const WORK: u64 = 4;

/// The engine's value as JSON, `level` counted from 0. Fails for something undefined in it, and for what JSON has no form for.
fn to_json(state: &State<'_, '_>, value: &EngineValue, written: &Written, level: usize) -> Result<Value, Error> {
    if level > MOST_LEVELS {
        return Err(Error::new(ErrorKind::InvalidOperation, "the value is nested too deep"));
    }
    let length = value.as_str().map_or(0, str::len) as u64;
    state.consume_fuel(WORK + length / 64)?;
    let json = match value.kind() {
        ValueKind::Undefined => return Err(ErrorKind::UndefinedError.into()),
        ValueKind::None => Value::Null,
        ValueKind::Bool => Value::Bool(value.is_true()),
        ValueKind::Number => Value::Number(number(value, written)?),
        ValueKind::String => Value::String(value.as_str().unwrap_or_default().to_owned()),
        ValueKind::Seq | ValueKind::Iterable => Value::Array(
            value.try_iter()?.map(|item| to_json(state, &item, written, level + 1)).collect::<Result<_, _>>()?,
        ),
        ValueKind::Map => {
            let mut fields = Map::new();
            for key in value.try_iter()? {
                let name = key.as_str().map_or_else(|| key.to_string(), str::to_owned);
                fields.insert(name, to_json(state, &value.get_item(&key)?, written, level + 1)?);
            }
            Value::Object(fields)
        }
        kind => return Err(Error::new(ErrorKind::InvalidOperation, format!("a value of the kind {kind} is not text"))),
    };
    Ok(json)
}

fn number(value: &EngineValue, written: &Written) -> Result<Number, Error> {
    let number = if value.is_integer() {
        let integer = i128::try_from(value.clone()).ok().and_then(Number::from_i128);
        integer.or_else(|| u128::try_from(value.clone()).ok().and_then(Number::from_u128))
    } else {
        f64::try_from(value.clone()).ok().and_then(|float| written.number(float))
    };
    number.ok_or_else(|| Error::new(ErrorKind::InvalidOperation, "JSON has no form for this number"))
}
