//! JSON with the path to it, so that what has the wrong type can be named.

use serde_json::{Map, Value};

use crate::input::clean;
use crate::json::kind_of;
use crate::sanitize::{excerpt, one_line};

/// A value and where it stands.
pub(super) struct Node<'v> {
    value: &'v Value,
    path: String,
}

impl<'v> Node<'v> {
    /// The whole document.
    pub(super) fn root(value: &'v Value) -> Self {
        Self { value, path: String::new() }
    }

    /// A field of an object; `None` if it is missing or null, and for what is no object.
    pub(super) fn field(&self, name: &str) -> Option<Self> {
        let value = self.value.get(name).filter(|value| !value.is_null())?;
        let path = if self.path.is_empty() { one_line(name) } else { format!("{}.{}", self.path, one_line(name)) };
        Some(Self { value, path })
    }

    pub(super) fn object(&self) -> Result<&'v Map<String, Value>, String> {
        self.value.as_object().ok_or_else(|| self.is_not("an object"))
    }

    /// The items of a list.
    pub(super) fn items(&self) -> Result<Vec<Self>, String> {
        let items = self.value.as_array().ok_or_else(|| self.is_not("a list"))?;
        let item = |(index, value)| Self { value, path: format!("{}[{index}]", self.path) };
        Ok(items.iter().enumerate().map(item).collect())
    }

    /// A string, made clean.
    pub(super) fn text(&self) -> Result<String, String> {
        self.value.as_str().map(|text| clean(text).trim().to_owned()).ok_or_else(|| self.is_not("a string"))
    }

    pub(super) fn count(&self) -> Result<u64, String> {
        self.value.as_u64().ok_or_else(|| self.is_not("a count"))
    }

    /// An object of strings in its order, those that say nothing left out.
    pub(super) fn texts(&self) -> Result<Vec<(String, String)>, String> {
        self.pairs(Self::text)
    }

    /// An object of figures, as they are written.
    pub(super) fn figures(&self) -> Result<Vec<(String, String)>, String> {
        self.pairs(|node| match node.value {
            Value::Number(number) => Ok(number.to_string()),
            Value::Bool(value) => Ok(value.to_string()),
            Value::String(_) => node.text(),
            _ => Err(node.is_not("a number")),
        })
    }

    fn pairs(&self, read: impl Fn(&Self) -> Result<String, String>) -> Result<Vec<(String, String)>, String> {
        let mut pairs = Vec::new();
        for name in self.object()?.keys() {
            if let Some(node) = self.field(name) {
                let value = read(&node)?;
                if !value.is_empty() {
                    pairs.push((one_line(name).trim().to_owned(), value));
                }
            }
        }
        Ok(pairs)
    }

    fn is_not(&self, wanted: &str) -> String {
        const LONGEST: usize = 120;
        format!("{} is {}, not {wanted}", excerpt(&self.path, LONGEST), kind_of(self.value))
    }
}
