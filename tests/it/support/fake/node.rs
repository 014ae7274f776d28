//! A JSON object under judgement: reads its fields and notes what has the wrong type or is not in the book.

use std::cell::RefCell;

use serde_json::{Map, Value};

/// Why WeCom says no: its code and its short text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub code: i64,
    pub text: String,
}

/// A refusal, to be returned with `?`.
pub fn refuse<T>(code: i64, text: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal { code, text: text.into() })
}

/// Whether a request may go on.
pub type Checked<T = ()> = Result<T, Refusal>;

/// What was noticed on the way.
#[derive(Debug, Default)]
pub struct Notes {
    /// Fields of the wrong JSON type: WeCom answers `Warning: wrong json format.`
    pub wrong_types: Vec<String>,
    /// Fields that no page lists for this type, and other defects of the client.
    pub complaints: Vec<String>,
    /// What a reader will see cut or cramped: no fault, but worth showing.
    pub remarks: Vec<String>,
}

/// One object of the request.
#[derive(Clone)]
pub struct Node<'a> {
    path: String,
    map: &'a Map<String, Value>,
    notes: &'a RefCell<Notes>,
}

impl<'a> Node<'a> {
    pub fn root(map: &'a Map<String, Value>, notes: &'a RefCell<Notes>) -> Self {
        Self { path: String::new(), map, notes }
    }

    /// The path of a field of this object.
    pub fn at(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }

    /// All of the object, as it came.
    pub fn fields(&self) -> &'a Map<String, Value> {
        self.map
    }

    pub fn has(&self, name: &str) -> bool {
        self.map.contains_key(name)
    }

    /// Complains of every field that is not one of these.
    pub fn only(&self, names: &[&str]) {
        for name in self.map.keys().filter(|name| !names.contains(&name.as_str())) {
            self.complain(format!("{} is not a field of the reference here", self.at(name)));
        }
    }

    pub fn complain(&self, text: String) {
        self.notes.borrow_mut().complaints.push(text);
    }

    pub fn remark(&self, text: String) {
        self.notes.borrow_mut().remarks.push(text);
    }

    pub fn text(&self, name: &str) -> Option<&'a str> {
        self.typed(name, Value::as_str)
    }

    pub fn int(&self, name: &str) -> Option<i64> {
        self.typed(name, Value::as_i64)
    }

    pub fn number(&self, name: &str) -> Option<f64> {
        self.typed(name, Value::as_f64)
    }

    pub fn flag(&self, name: &str) -> Option<bool> {
        self.typed(name, Value::as_bool)
    }

    pub fn object(&self, name: &str) -> Option<Node<'a>> {
        let map = self.typed(name, Value::as_object)?;
        Some(Node { path: self.at(name), map, notes: self.notes })
    }

    /// The objects of an array.
    pub fn objects(&self, name: &str) -> Option<Vec<Node<'a>>> {
        let array = self.typed(name, Value::as_array)?;
        let path = |i| format!("{}[{i}]", self.at(name));
        let item = |(i, value): (usize, &'a Value)| match value.as_object() {
            Some(map) => Some(Node { path: path(i), map, notes: self.notes }),
            None => {
                self.note_wrong_type(path(i));
                None
            }
        };
        Some(array.iter().enumerate().filter_map(item).collect())
    }

    /// The integers of an array.
    pub fn ints(&self, name: &str) -> Option<Vec<i64>> {
        let array = self.typed(name, Value::as_array)?;
        for (i, _) in array.iter().enumerate().filter(|(_, value)| !value.is_i64()) {
            self.note_wrong_type(format!("{}[{i}]", self.at(name)));
        }
        Some(array.iter().filter_map(Value::as_i64).collect())
    }

    /// The strings of an array.
    pub fn texts(&self, name: &str) -> Option<Vec<&'a str>> {
        let array = self.typed(name, Value::as_array)?;
        for (i, _) in array.iter().enumerate().filter(|(_, value)| !value.is_string()) {
            self.note_wrong_type(format!("{}[{i}]", self.at(name)));
        }
        Some(array.iter().filter_map(Value::as_str).collect())
    }

    /// A text that must be there and not be empty.
    pub fn filled(&self, name: &str, code: i64) -> Checked<&'a str> {
        match self.text(name) {
            Some(text) if !text.is_empty() => Ok(text),
            _ => refuse(code, format!("{} is missing or empty", self.at(name))),
        }
    }

    /// At most so many UTF-8 bytes.
    pub fn max_bytes(&self, name: &str, limit: usize, code: i64) -> Checked {
        match self.text(name) {
            Some(text) if text.len() > limit => refuse(code, format!("{} exceed max length {limit}", self.at(name))),
            _ => Ok(()),
        }
    }

    /// At most so many characters.
    pub fn max_chars(&self, name: &str, limit: usize, code: i64) -> Checked {
        match self.text(name) {
            Some(text) if text.chars().count() > limit => {
                refuse(code, format!("{} exceed max length {limit}", self.at(name)))
            }
            _ => Ok(()),
        }
    }

    /// So many characters are shown: more are worth a remark.
    pub fn shows_chars(&self, name: &str, limit: usize) {
        if let Some(count) = self.text(name).map(|text| text.chars().count()).filter(|count| *count > limit) {
            self.remark(format!("{} has {count} characters; clients show about {limit}", self.at(name)));
        }
    }

    /// The same in Chinese characters (字): two of ASCII take the room of one.
    pub fn shows_chinese_chars(&self, name: &str, limit: usize) {
        let halves = self.text(name).map(|text| text.chars().map(|c| if c.is_ascii() { 1 } else { 2 }).sum::<usize>());
        if halves.is_some_and(|halves| halves > 2 * limit) {
            self.shows_chars(name, limit);
        }
    }

    /// A number out of these; absent is the first of them.
    pub fn choice(&self, name: &str, values: &[i64]) -> Checked<i64> {
        let value = self.int(name).unwrap_or(values[0]);
        if values.contains(&value) {
            Ok(value)
        } else {
            refuse(40058, format!("{} is not one of {values:?}", self.at(name)))
        }
    }

    /// A web address with its scheme, of at most 2048 bytes.
    pub fn web_address(&self, name: &str) -> Checked {
        let url = self.text(name).unwrap_or_default();
        if url.len() > 2048 {
            return refuse(40039, format!("{} is longer than 2048 bytes", self.at(name)));
        }
        let lower = url.to_ascii_lowercase();
        let has_host = |scheme| lower.strip_prefix(scheme).is_some_and(|rest: &str| !rest.is_empty());
        if has_host("http://") || has_host("https://") {
            Ok(())
        } else if lower.contains("://") {
            refuse(40094, format!("{} must begin with http:// or https://", self.at(name)))
        } else {
            refuse(45034, format!("{} has no http:// or https://", self.at(name)))
        }
    }

    fn typed<T>(&self, name: &str, read: impl Fn(&'a Value) -> Option<T>) -> Option<T> {
        let value = self.map.get(name)?;
        let read = read(value);
        if read.is_none() {
            self.note_wrong_type(self.at(name));
        }
        read
    }

    fn note_wrong_type(&self, path: String) {
        let wrong = &mut self.notes.borrow_mut().wrong_types;
        if !wrong.contains(&path) {
            wrong.push(path);
        }
    }
}
