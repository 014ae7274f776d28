//! JSON as the user wrote it: parsed without losing anything, and its kinds of values in words.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// Parses one JSON document. A name that is twice in one object is an error too, since one of its values would vanish
/// silently. Errors have line and column.
pub(crate) fn parse_json(text: &str) -> serde_json::Result<Value> {
    serde_json::from_str::<Whole>(text).map(|whole| whole.0)
}

/// What kind of value this is, in words. A checker that tells integers from other numbers says more of a number itself.
pub(crate) fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// A JSON value, parsed without loss.
struct Whole(Value);

impl<'de> Deserialize<'de> for Whole {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(WholeVisitor).map(Self)
    }
}

struct WholeVisitor;

impl<'de> Visitor<'de> for WholeVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(Whole(item)) = items.next_element()? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut fields = Map::new();
        while let Some((name, Whole(value))) = entries.next_entry::<String, Whole>()? {
            if fields.contains_key(&name) {
                return Err(A::Error::custom(format!("the name {name:?} stands twice in one object")));
            }
            fields.insert(name, value);
        }
        Ok(Value::Object(fields))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_name() {
        let values: Value = serde_json::json!([null, true, -1.5, "", [], {}]);
        let names: Vec<_> = values.as_array().unwrap().iter().map(kind_of).collect();
        assert_eq!(names.join(", "), "null, true or false, a number, a string, a list, an object");
    }

    #[test]
    fn what_is_read_is_what_serde_reads() {
        let text = r#"{"a": [1, -2, 3.5, 18446744073709551615, true, null, "x\n"], "b": {"a": {}}}"#;
        assert_eq!(parse_json(text).unwrap(), serde_json::from_str::<Value>(text).unwrap());
    }

    #[test]
    fn a_fraction_keeps_its_last_digit() {
        // Found by fuzzing: without the feature `float_roundtrip` of serde_json these change when they are written.
        for text in ["1.00444444444e+82", "0.6543210987654321", "116.39747060000001", "2.5e-17"] {
            let value = parse_json(text).unwrap();
            assert_eq!(value.as_f64(), text.parse().ok());
            assert_eq!(parse_json(&value.to_string()).unwrap(), value);
        }
    }

    #[test]
    fn a_duplicate_name_is_refused() {
        let error = parse_json("{\"text\": {\"content\": \"a\",\n \"content\": \"b\"}}").unwrap_err().to_string();
        assert!(error.contains("\"content\" stands twice") && error.contains("line 2"), "{error}");
    }
}
