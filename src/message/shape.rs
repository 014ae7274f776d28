//! Validation of the JSON structure (schema) of a body: known fields, required fields, and their kinds.
//!
//! [`wire!`] makes a struct and its [`JsonShape`] from one definition, so that the two cannot differ. Limits and values
//! are checked by the rules.

use serde_json::{Map, Number, Value};

use super::finding::At;
use crate::json::kind_of;
use crate::suggest::{is_near, nearest};

/// What a JSON value must look like.
#[derive(Debug, Clone, Copy)]
pub(crate) enum JsonShape {
    Text,
    Integer,
    Number,
    Boolean,
    List(&'static Self),
    Object(&'static [FieldShape]),
}

/// One field of an object.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FieldShape {
    pub(super) name: &'static str,
    pub(super) required: bool,
    pub(super) shape: JsonShape,
}

/// A type that represents a JSON value of a known shape. It is read and written without serde, whose code for all
/// these types is 100 KB larger.
pub(crate) trait Wire: Sized {
    const SHAPE: JsonShape;
    const REQUIRED: bool = true;

    /// Reads a value of that shape; `None` for any other. Unknown fields are no obstacle.
    fn read(value: &Value) -> Option<Self>;

    fn write(&self) -> Value;

    /// What a field is that its object does not have; `None` where it must be there.
    fn absent() -> Option<Self> {
        None
    }

    /// Whether the field is left out of its object.
    fn is_absent(&self) -> bool {
        false
    }
}

impl Wire for String {
    const SHAPE: JsonShape = JsonShape::Text;

    fn read(value: &Value) -> Option<Self> {
        value.as_str().map(str::to_owned)
    }

    fn write(&self) -> Value {
        Value::from(self.as_str())
    }
}

impl Wire for i64 {
    const SHAPE: JsonShape = JsonShape::Integer;

    fn read(value: &Value) -> Option<Self> {
        value.as_i64()
    }

    fn write(&self) -> Value {
        Value::from(*self)
    }
}

impl Wire for Number {
    const SHAPE: JsonShape = JsonShape::Number;

    fn read(value: &Value) -> Option<Self> {
        value.as_number().cloned()
    }

    fn write(&self) -> Value {
        Value::Number(self.clone())
    }
}

impl Wire for bool {
    const SHAPE: JsonShape = JsonShape::Boolean;

    fn read(value: &Value) -> Option<Self> {
        value.as_bool()
    }

    fn write(&self) -> Value {
        Value::Bool(*self)
    }
}

impl<T: Wire> Wire for Vec<T> {
    const SHAPE: JsonShape = JsonShape::List(&T::SHAPE);

    fn read(value: &Value) -> Option<Self> {
        value.as_array()?.iter().map(T::read).collect()
    }

    fn write(&self) -> Value {
        Value::Array(self.iter().map(T::write).collect())
    }
}

impl<T: Wire> Wire for Box<T> {
    const SHAPE: JsonShape = T::SHAPE;

    fn read(value: &Value) -> Option<Self> {
        T::read(value).map(Self::new)
    }

    fn write(&self) -> Value {
        T::write(self)
    }
}

impl<T: Wire> Wire for Option<T> {
    const SHAPE: JsonShape = T::SHAPE;
    const REQUIRED: bool = false;

    fn read(value: &Value) -> Option<Self> {
        if value.is_null() { Some(None) } else { T::read(value).map(Some) }
    }

    fn write(&self) -> Value {
        self.as_ref().map_or(Value::Null, T::write)
    }

    fn absent() -> Option<Self> {
        Some(None)
    }

    fn is_absent(&self) -> bool {
        self.is_none()
    }
}

/// Reads a field of an object.
pub(super) fn read_field<T: Wire>(object: &Map<String, Value>, name: &str) -> Option<T> {
    object.get(name).map_or_else(T::absent, T::read)
}

/// Writes a field of an object, unless it is left out.
pub(super) fn write_field<T: Wire>(object: &mut Map<String, Value>, name: &str, value: &T) {
    if !value.is_absent() {
        object.insert(name.to_owned(), value.write());
    }
}

/// Defines a wire object: a struct whose field names are WeCom's and whose `Option` fields may be left out.
macro_rules! wire {
    (
        $(#[$meta:meta])*
        $vis:vis struct $name:ident { $($(#[$field_meta:meta])* $field_vis:vis $field:ident: $type:ty,)* }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Default, PartialEq, Eq)]
        $vis struct $name {
            $($(#[$field_meta])* $field_vis $field: $type,)*
        }

        impl crate::message::shape::Wire for $name {
            const SHAPE: crate::message::shape::JsonShape = crate::message::shape::JsonShape::Object(&[$(
                crate::message::shape::FieldShape {
                    name: crate::message::shape::plain(stringify!($field)),
                    required: <$type as crate::message::shape::Wire>::REQUIRED,
                    shape: <$type as crate::message::shape::Wire>::SHAPE,
                },
            )*]);

            fn read(value: &serde_json::Value) -> Option<Self> {
                let object = value.as_object()?;
                let read = Self {
                    $($field: crate::message::shape::read_field(
                        object,
                        crate::message::shape::plain(stringify!($field)),
                    )?,)*
                };
                Some(read)
            }

            fn write(&self) -> serde_json::Value {
                let mut object = serde_json::Map::new();
                $(crate::message::shape::write_field(
                    &mut object,
                    crate::message::shape::plain(stringify!($field)),
                    &self.$field,
                );)*
                serde_json::Value::Object(object)
            }
        }
    };
}
pub(super) use wire;

/// A field's name without the mark of a raw identifier.
pub(super) const fn plain(name: &'static str) -> &'static str {
    match name.as_bytes() {
        [b'r', b'#', ..] => name.split_at(2).1,
        _ => name,
    }
}

/// Reports all that is wrong with the shape of `value`. Whether it can be read as its type nevertheless: unknown fields
/// do not prevent that.
pub(super) fn fits(shape: JsonShape, value: &Value, at: &mut At<'_>) -> bool {
    match (shape, value) {
        (JsonShape::Text, Value::String(_))
        | (JsonShape::Number, Value::Number(_))
        | (JsonShape::Boolean, Value::Bool(_)) => true,
        (JsonShape::Integer, Value::Number(number)) if number.is_i64() => true,
        (JsonShape::List(of), Value::Array(items)) => {
            items.iter().enumerate().fold(true, |fit, (index, item)| fits(*of, item, &mut at.item(index)) && fit)
        }
        (JsonShape::Object(fields), Value::Object(object)) => {
            let names: Vec<_> = fields.iter().map(|field| field.name).collect();
            for name in object.keys().filter(|name| !names.contains(&name.as_str())) {
                at.field(name).error(unknown("field", name, &names));
            }
            fields_fit(fields, object, at)
        }
        (_, Value::Null) => {
            at.error_with_hint(format!("expected {}, got null", name_of(shape)), "leave the field out instead");
            false
        }
        _ => {
            at.error(format!("expected {}, got {}", name_of(shape), exact_kind_of(value)));
            false
        }
    }
}

/// The part of [`fits`] that looks at the known fields of an object.
pub(super) fn fields_fit(fields: &[FieldShape], object: &Map<String, Value>, at: &mut At<'_>) -> bool {
    fields.iter().fold(true, |fit, field| {
        let fits = match object.get(field.name) {
            Some(value) => fits(field.shape, value, &mut at.field(field.name)),
            None if field.required => {
                at.field(field.name).error(format!("missing, {} is required", name_of(field.shape)));
                false
            }
            None => true,
        };
        fits && fit
    })
}

/// The problem with a name that is none of `known`.
pub(super) fn unknown(what: &str, name: &str, known: &[&str]) -> String {
    match nearest(name, known.iter().copied()).filter(|known| is_near(name, known)) {
        Some(near) => format!("unknown {what}; did you mean {near}?"),
        None => format!("unknown {what}; known here: {}", known.join(", ")),
    }
}

fn name_of(shape: JsonShape) -> &'static str {
    match shape {
        JsonShape::Text => "a string",
        JsonShape::Integer => "an integer",
        JsonShape::Number => "a number",
        JsonShape::Boolean => "true or false",
        JsonShape::List(_) => "a list",
        JsonShape::Object(_) => "an object",
    }
}

/// The kind of a value, of a number with why it is no integer.
fn exact_kind_of(value: &Value) -> &'static str {
    match value {
        Value::Number(number) if number.is_f64() => "a number with a fraction or exponent",
        Value::Number(number) if number.is_i64() => "an integer",
        Value::Number(_) => "an integer of more than 64 bits",
        _ => kind_of(value),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::message::Findings;

    wire! {
        struct Inner {
            keyname: String,
            r#type: Option<i64>,
        }
    }

    wire! {
        struct Outer {
            flag: Option<bool>,
            ratio: Option<Number>,
            list: Vec<Inner>,
        }
    }

    fn found(value: &Value) -> (bool, Vec<String>) {
        let mut findings = Findings::default();
        let fit = fits(Outer::SHAPE, value, &mut At::root(&mut findings));
        (fit, findings.errors.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn a_fitting_value_survives_the_round_trip() {
        for value in [
            json!({"flag": false, "ratio": 2, "list": [{"keyname": "", "type": -3}, {"keyname": "b"}]}),
            json!({"ratio": 2.0, "list": []}),
        ] {
            assert_eq!(found(&value), (true, vec![]));
            let typed = Outer::read(&value).unwrap();
            assert_eq!(typed.write(), value);
        }
    }

    #[test]
    fn all_unknown_fields_are_named_and_do_not_hinder_reading() {
        let value = json!({"list": [{"keyname": "a"}, {"keyname": "b", "keynam": 1, "Type": 1}], "zzz": 0});
        let (fit, errors) = found(&value);
        assert!(fit && Outer::read(&value).is_some());
        assert_eq!(
            errors,
            [
                "zzz: unknown field; known here: flag, ratio, list",
                "list[1].keynam: unknown field; did you mean keyname?",
                "list[1].Type: unknown field; did you mean type?",
            ]
        );
    }

    #[test]
    fn wrong_kinds_say_what_was_expected_and_given_but_not_the_value() {
        let value =
            json!({"flag": "yes", "ratio": "1.3", "list": [7, {"keyname": null, "type": 1.5}, {"type": u64::MAX}]});
        let (fit, errors) = found(&value);
        assert!(!fit);
        assert_eq!(
            errors,
            [
                "flag: expected true or false, got a string",
                "ratio: expected a number, got a string",
                "list[0]: expected an object, got an integer",
                "list[1].keyname: expected a string, got null",
                "list[1].type: expected an integer, got a number with a fraction or exponent",
                "list[2].keyname: missing, a string is required",
                "list[2].type: expected an integer, got an integer of more than 64 bits",
            ]
        );
        assert_eq!(found(&json!({})).1, ["list: missing, a list is required"]);
        assert_eq!(found(&json!([])).1, ["body: expected an object, got a list"]);
    }
}
