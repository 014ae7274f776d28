//! An answer of WeCom, and its fields in whichever form they come.

use std::fmt;

use serde_json::{Map, Value};

use crate::error::Answer;

/// An answer of WeCom's own.
#[derive(Clone)]
pub(crate) struct Reply {
    /// Its `errcode` and `errmsg`.
    pub(crate) answer: Answer,
    /// All its fields. One of them can be an access token.
    pub(crate) fields: Map<String, Value>,
}

impl Reply {
    /// A field as text: a string as it is, a number in digits, absent or of another type as nothing.
    pub(crate) fn text(&self, field: &str) -> Option<String> {
        match self.fields.get(field)? {
            Value::String(text) if !text.is_empty() => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        }
    }

    /// A list of ids, which WeCom gives joined with `|` in some answers and as an array in others.
    pub(crate) fn ids(&self, field: &str) -> Vec<String> {
        match self.fields.get(field) {
            Some(Value::String(joined)) => joined.split('|').filter(|id| !id.is_empty()).map(str::to_owned).collect(),
            Some(Value::Array(items)) => items
                .iter()
                .filter_map(|item| item.as_str().map(str::to_owned).or_else(|| item.as_i64().map(|id| id.to_string())))
                .collect(),
            Some(Value::Number(id)) => vec![id.to_string()],
            _ => Vec::new(),
        }
    }
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&String> = self.fields.keys().collect();
        f.debug_struct("Reply").field("errcode", &self.answer.errcode).field("fields", &names).finish()
    }
}
