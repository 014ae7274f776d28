//! Values on their way into the engine and out of it.

use minijinja::value::ValueKind;
use minijinja::{Error, ErrorKind, Value as Engine};
use serde_json::{Map, Number, Value};

/// Deeper values are refused: walking them would need too much stack. Data from JSON has at most 128 levels.
const MOST_LEVELS: usize = 200;

/// JSON as the engine's value, objects in their order.
pub(super) fn to_engine(value: &Value) -> Engine {
    match value {
        Value::Null => Engine::from(()),
        Value::Bool(value) => Engine::from(*value),
        Value::Number(number) => match (number.as_i64(), number.as_u64(), number.as_f64()) {
            (Some(number), _, _) => Engine::from(number),
            (_, Some(number), _) => Engine::from(number),
            (_, _, number) => Engine::from(number),
        },
        Value::String(text) => Engine::from(text.as_str()),
        Value::Array(items) => items.iter().map(to_engine).collect(),
        Value::Object(fields) => {
            Engine::from_pairs(fields.iter().map(|(name, value)| (name.as_str(), to_engine(value))))
        }
    }
}

/// The engine's value as JSON.
///
/// # Errors
///
/// Something undefined inside it, and what JSON has no form for.
pub(super) fn to_json(value: &Engine) -> Result<Value, Error> {
    level_to_json(value, 0)
}

fn level_to_json(value: &Engine, level: usize) -> Result<Value, Error> {
    if level > MOST_LEVELS {
        return Err(Error::new(ErrorKind::InvalidOperation, "the value is nested too deep"));
    }
    let json = match value.kind() {
        ValueKind::Undefined => return Err(ErrorKind::UndefinedError.into()),
        ValueKind::None => Value::Null,
        ValueKind::Bool => Value::Bool(value.is_true()),
        ValueKind::Number => number(value)?,
        ValueKind::String => Value::String(value.as_str().unwrap_or_default().to_owned()),
        ValueKind::Seq | ValueKind::Iterable => {
            Value::Array(value.try_iter()?.map(|item| level_to_json(&item, level + 1)).collect::<Result<_, _>>()?)
        }
        ValueKind::Map => {
            let mut fields = Map::new();
            for key in value.try_iter()? {
                let name = key.as_str().map_or_else(|| key.to_string(), str::to_owned);
                fields.insert(name, level_to_json(&value.get_item(&key)?, level + 1)?);
            }
            Value::Object(fields)
        }
        kind => return Err(Error::new(ErrorKind::InvalidOperation, format!("a value of the kind {kind} is no text"))),
    };
    Ok(json)
}

fn number(value: &Engine) -> Result<Value, Error> {
    if value.is_integer() {
        let integer = i64::try_from(value.clone()).map(Number::from);
        let number = integer.or_else(|_| u64::try_from(value.clone()).map(Number::from))?;
        return Ok(Value::Number(number));
    }
    let float = f64::try_from(value.clone())?;
    let no_number = || Error::new(ErrorKind::InvalidOperation, "JSON has no form for this number");
    Number::from_f64(float).map(Value::Number).ok_or_else(no_number)
}
