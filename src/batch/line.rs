//! A line of a batch: its JSON becomes a request and options of its own. Pure.

use std::ffi::OsString;
use std::path::PathBuf;

use serde_json::{Map, Value};

use super::keys::{self, Key, LineField};
use crate::channel::Channel;
use crate::config::{Overrides, RawValue, Setting, ValueKind};
use crate::error::{Error, Result};
use crate::message::media::MediaKind;
use crate::send::{AlertFields, JsonInput, MessageInput};

/// The most bytes that a line may have: 20 MiB.
pub(super) const LONGEST: usize = 20 << 20;

/// Where the JSON comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LineOrigin {
    Batch,
    /// Its lines may name files.
    TrustedBatch,
    /// The body of a request.
    Request,
}

impl LineOrigin {
    /// What errors call the JSON.
    fn name(self) -> &'static str {
        match self {
            Self::Batch | Self::TrustedBatch => "the line",
            Self::Request => "the body",
        }
    }
}

/// A line that was read.
#[derive(Clone, Default)]
pub(crate) struct AlertLine {
    /// What names it in results: its own id, else its number.
    pub(crate) id: Value,
    pub(crate) route: Option<Channel>,
    /// Its options that decide how it is sent, and what tells them from those of other lines.
    pub(crate) options: Overrides,
    pub(crate) options_key: String,
    /// Those that belong to its content: every line has others.
    pub(crate) content: Overrides,
    pub(crate) input: MessageInput,
    pub(crate) alert: AlertFields,
    /// The body, if it has one, with the recipients that it names itself.
    pub(crate) payload: Option<Value>,
    /// One sentence each.
    pub(crate) warnings: Vec<String>,
}

/// A line that cannot be sent, with what names it.
pub(crate) struct WrongLine {
    pub(crate) id: Value,
    pub(crate) error: Error,
}

impl AlertLine {
    /// Reads the JSON of a line.
    pub(crate) fn read(bytes: &[u8], number: u64, origin: LineOrigin) -> Result<Self, WrongLine> {
        let no_object = |error| WrongLine { id: number.into(), error };
        let fields = object(bytes, origin).map_err(no_object)?;
        let id = match fields.get("id") {
            None | Some(Value::Null) => number.into(),
            Some(id) => id.clone(),
        };
        let input = MessageInput { is_whole: true, ..MessageInput::default() };
        let mut line = Self { id, input, ..Self::default() };
        match line.take_all(fields, origin) {
            Ok(()) => Ok(line),
            Err(error) => Err(WrongLine { id: line.id, error }),
        }
    }

    /// What names a line, as far as that can be read.
    pub(super) fn id_of(bytes: &[u8], number: u64) -> Value {
        object(bytes, LineOrigin::Batch)
            .ok()
            .and_then(|mut fields| fields.remove("id"))
            .filter(|id| !id.is_null())
            .unwrap_or(number.into())
    }

    fn take_all(&mut self, fields: Map<String, Value>, origin: LineOrigin) -> Result<()> {
        // `data` is about what stands beside it.
        for (name, value) in fields {
            if value.is_null() {
                continue;
            }
            let key = keys::find(&name).map_err(|error| match origin {
                LineOrigin::Request => error.with_hint("it belongs in the config file: let the path name its profile"),
                LineOrigin::Batch | LineOrigin::TrustedBatch => error,
            });
            match key? {
                Key::Known(place) => self.take(&name, place, value, origin)?,
                Key::Unknown { nearest } => {
                    let meant = nearest.map(|known| format!("; did you mean {known}?")).unwrap_or_default();
                    self.warnings.push(format!("unknown key {name:?}: ignored{meant}"));
                }
            }
        }
        Ok(())
    }

    fn take(&mut self, name: &str, place: LineField, value: Value, origin: LineOrigin) -> Result<()> {
        let input = &mut self.input;
        let alert = &mut self.alert;
        match place {
            LineField::Id => {}
            LineField::Route => {
                let route = text(name, value)?;
                self.route = Some(route.parse().map_err(|_| {
                    Error::usage(format!("there is no route {route:?}"), "write app, webhook, chat or aibot")
                })?);
            }
            LineField::Setting(setting) => {
                let key = format!("{name}\0{value}\n");
                let raw = raw_value(setting, name, value)?;
                if keys::is_content(setting) {
                    self.content.set_key(setting, raw, name);
                } else {
                    self.options.set_key(setting, raw, name);
                    self.options_key.push_str(&key);
                }
            }
            LineField::Text => input.text = Some(OsString::from(text(name, value)?)),
            LineField::Payload if value.is_object() => {
                let json = value.to_string();
                input.payload = Some(JsonInput::Given { name: origin.name(), json });
                self.payload = Some(value);
            }
            LineField::Payload => input.payload = Some(JsonInput::File(path(name, value, origin)?)),
            LineField::Data if value.is_object() || value.is_array() => {
                input.data = Some(JsonInput::Given { name: origin.name(), json: value.to_string() });
            }
            LineField::Data => input.data = Some(JsonInput::File(path(name, value, origin)?)),
            LineField::From => input.from = filled(name, value)?,
            LineField::MediaId => input.media_id = filled(name, value)?,
            LineField::Filename => input.filename = list(name, value)?,
            LineField::TextFile => input.text_file = Some(path(name, value, origin)?),
            LineField::Template => input.template = Some(path(name, value, origin)?),
            LineField::Attach => {
                let paths = if let Value::Array(items) = value { items } else { vec![value] };
                input.attach = paths.into_iter().map(|value| path(name, value, origin)).collect::<Result<_>>()?;
            }
            LineField::File(kind) => {
                if let Some((other, _)) = &input.file {
                    return Err(Error::usage(
                        format!("{name} does not go with {}", MediaKind::as_str(*other)),
                        "send one file as the message, and others behind it with attach",
                    ));
                }
                input.file = Some((kind, path(name, value, origin)?));
            }
            LineField::Level => alert.level = filled(name, value)?,
            LineField::Field => alert.field = pairs(name, value)?,
            // `true` stands for the bare option.
            LineField::Ci => match value {
                Value::Bool(wanted) => alert.ci = wanted.then(|| "auto".to_owned()),
                value => alert.ci = filled(name, value)?,
            },
            LineField::Card => alert.card = filled(name, value)?,
            LineField::Source => alert.source = filled(name, value)?,
            LineField::Emphasis => alert.emphasis = pairs(name, value)?.into_iter().next(),
            LineField::Quote => alert.quote = filled(name, value)?,
            LineField::Jump => alert.jump = pairs(name, value)?,
            LineField::Button => alert.button = pairs(name, value)?,
            LineField::Option => alert.option = pairs(name, value)?,
            LineField::TaskId => alert.task_id = filled(name, value)?,
        }
        Ok(())
    }
}

/// The fields of a line.
fn object(bytes: &[u8], origin: LineOrigin) -> Result<Map<String, Value>> {
    let why = match serde_json::from_slice(bytes) {
        Ok(Value::Object(fields)) => return Ok(fields),
        Ok(_) => "not a JSON object".to_owned(),
        Err(error) => format!("not JSON: {error}"),
    };
    let hint = match origin {
        LineOrigin::Request => "send one JSON object, such as {\"text\": \"…\"}; its Content-Type does not matter",
        LineOrigin::Batch | LineOrigin::TrustedBatch => {
            "write one JSON object a line, such as {\"text\": \"…\"}, without line breaks in it; jq -c does that"
        }
    };
    Err(Error::usage(format!("{} is {why}", origin.name()), hint))
}

fn wrong_type(name: &str, wanted: &str) -> Error {
    Error::usage(format!("{name} is not a {wanted}"), format!("give {name} as a {wanted}"))
}

/// A string; a number is one too.
fn text(name: &str, value: Value) -> Result<String> {
    match value {
        Value::String(text) => Ok(text),
        Value::Number(number) => Ok(number.to_string()),
        _ => Err(wrong_type(name, "string")),
    }
}

/// The same; an empty one counts as not given.
fn filled(name: &str, value: Value) -> Result<Option<String>> {
    Ok(Some(text(name, value)?).filter(|text| !text.trim().is_empty()))
}

/// Several strings, or one.
fn list(name: &str, value: Value) -> Result<Vec<String>> {
    let Value::Array(items) = value else { return Ok(vec![text(name, value)?]) };
    items.into_iter().map(|item| text(name, item).map_err(|_| wrong_type(name, "list of strings"))).collect()
}

/// `KEY=VALUE` each: an object, a list or one string.
fn pairs(name: &str, value: Value) -> Result<Vec<String>> {
    let Value::Object(fields) = value else {
        let mut given = list(name, value)?;
        given.retain(|pair| !pair.trim().is_empty());
        return Ok(given);
    };
    let pair = |(key, value): (String, Value)| match value {
        Value::Null => None,
        Value::String(text) => Some(format!("{key}={text}")),
        other => Some(format!("{key}={other}")),
    };
    Ok(fields.into_iter().filter_map(pair).collect())
}

/// A path. A line may come from somewhere that is not trusted with files.
fn path(name: &str, value: Value, origin: LineOrigin) -> Result<PathBuf> {
    let path = text(name, value)?;
    let hint = match origin {
        LineOrigin::TrustedBatch => None,
        LineOrigin::Batch => Some("let lines name files with --allow-files, if you trust who writes them"),
        LineOrigin::Request => Some("leave it out: a request may have a text and fields, and no files"),
    };
    if let Some(hint) = hint {
        return Err(Error::usage(format!("{name} names a file, which {} may not do by itself", origin.name()), hint));
    }
    if path == "-" {
        return Err(Error::usage(format!("{name} cannot read stdin"), "give the path of a file"));
    }
    Ok(path.into())
}

/// The value of a setting.
fn raw_value(setting: Setting, name: &str, value: Value) -> Result<RawValue> {
    match (setting.row().kind, value) {
        (ValueKind::Flag, Value::Bool(flag)) => Ok(RawValue::Flag(flag)),
        (ValueKind::Flag, _) => Err(Error::usage(format!("{name} is neither true nor false"), "write true or false")),
        (ValueKind::List | ValueKind::NumberList, value) => list(name, value).map(RawValue::List),
        (_, value) => text(name, value).map(RawValue::Text),
    }
}
