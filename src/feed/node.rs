//! JSON of a notification, read leniently: at the moment when an alert has to go out, nobody is there to correct it. What is
//! of another type than it should be is shown as it is written, or left out with a warning.

use std::cell::RefCell;

use chrono::{DateTime, FixedOffset};
use serde_json::{Map, Value};

use super::Pairs;
use crate::input::clean;
use crate::json::kind_of;
use crate::sanitize::{excerpt, one_line};

/// The longest path in a warning or an error, in characters.
const LONGEST_PATH: usize = 120;

/// A JSON value and its path.
pub(super) struct JsonNode<'v> {
    value: &'v Value,
    path: String,
    warnings: &'v RefCell<Vec<String>>,
}

impl<'v> JsonNode<'v> {
    pub(super) fn new(value: &'v Value, warnings: &'v RefCell<Vec<String>>) -> Self {
        Self { value, path: String::new(), warnings }
    }

    /// The same warnings, another place.
    fn at(&self, value: &'v Value, path: String) -> Self {
        Self { value, path, warnings: self.warnings }
    }

    pub(super) fn warn(&self, warning: String) {
        self.warnings.borrow_mut().push(warning);
    }

    /// A field of an object; `None` if it is missing or null, and for what is no object.
    pub(super) fn field(&self, name: &str) -> Option<Self> {
        let value = self.value.get(name).filter(|value| !value.is_null())?;
        let path = if self.path.is_empty() { one_line(name) } else { format!("{}.{}", self.path, one_line(name)) };
        Some(self.at(value, path))
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.field(name).is_some()
    }

    /// The text of a field; empty if it is missing or null.
    pub(super) fn text(&self, name: &str) -> String {
        self.field(name).map(|field| field.as_text()).unwrap_or_default()
    }

    /// A text, cleaned; a number as it is written, anything else as JSON; nothing for what is empty.
    pub(super) fn as_text(&self) -> String {
        match self.value {
            Value::String(text) => clean(text).trim().to_owned(),
            value if is_empty(value) => String::new(),
            value => value.to_string(),
        }
    }

    /// A point in time: RFC 3339, or a number of Unix seconds or milliseconds.
    pub(super) fn time(&self, name: &str) -> Option<DateTime<FixedOffset>> {
        /// Milliseconds of 1973, seconds of the year 5138.
        const FIRST_MS: i64 = 100_000_000_000;
        /// Seconds of 1973: what is less is no time.
        const FIRST_SECOND: i64 = 100_000_000;
        let text = self.text(name);
        if let Ok(time) = DateTime::parse_from_rfc3339(&text) {
            return Some(time);
        }
        let number: i64 = text.parse().ok().filter(|number| *number >= FIRST_SECOND)?;
        let ms = if number < FIRST_MS { number * 1000 } else { number };
        DateTime::from_timestamp_millis(ms).map(|time| time.fixed_offset())
    }

    /// Names and texts of an object field in their order, without empty ones, and without the names that Grafana calls
    /// private (`__…__`), as its own messages leave them out.
    pub(super) fn pairs(&self, name: &str) -> Pairs {
        let Some(field) = self.field(name) else { return Pairs::new() };
        let pairs = field.object().into_iter().flat_map(Map::keys).map(|name| {
            let text = field.text(name);
            (one_line(name).trim().to_owned(), text)
        });
        pairs.filter(|(name, text)| !text.is_empty() && !is_private(name)).collect()
    }

    /// The fields of an object. What else is there is left out, with a warning if it says something: `""` and `[]` stand for
    /// an empty object where a program on the way made one of them.
    pub(super) fn object(&self) -> Option<&'v Map<String, Value>> {
        if self.value.as_object().is_none() && !is_empty(self.value) {
            self.warn(format!("{}: left out", self.is_not("an object")));
        }
        self.value.as_object()
    }

    /// The items of a list, or what is no list as its only item; nothing for what is empty.
    pub(super) fn items(&self) -> Vec<Self> {
        match self.value {
            Value::Array(items) => {
                let item = |(index, value)| self.at(value, format!("{}[{index}]", self.path));
                items.iter().enumerate().map(item).collect()
            }
            value if is_empty(value) => Vec::new(),
            value => vec![self.at(value, self.path.clone())],
        }
    }

    pub(super) fn is_list(&self) -> bool {
        self.value.is_array()
    }

    pub(super) fn is_object(&self) -> bool {
        self.value.is_object()
    }

    /// `alerts[1] is a number, not an object`.
    pub(super) fn is_not(&self, wanted: &str) -> String {
        let kind = kind_of(self.value);
        match self.path.as_str() {
            "" => format!("{kind}, not {wanted}"),
            path => format!("{} is {kind}, not {wanted}", excerpt(path, LONGEST_PATH)),
        }
    }
}

fn is_private(name: &str) -> bool {
    name.len() > 4 && name.starts_with("__") && name.ends_with("__")
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(_) | Value::Number(_) => false,
        Value::String(text) => text.trim().is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
    }
}
