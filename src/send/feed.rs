//! What a machine sends becomes an alert, and a template filled from JSON a text or a payload.

use std::path::Path;

use serde_json::Value;

use crate::alert::Alert;
use crate::clock;
use crate::error::{Error, Result};
use crate::feed;
use crate::input::{clean, is_stdin, parse_json, read_payload};
use crate::template::{self, Target};

use super::source::Feed;

/// What came of the input.
pub(super) enum Fed {
    /// A notification as it is understood here.
    Alert(Box<Alert>),
    /// The text of a template, in the format of its target.
    Text(String),
    /// The JSON of a template, to be read like a payload of that name.
    Payload(String, String),
}

/// Reads the input, and fills the template if there is one. `target` is what a text is for; a template whose name ends in
/// `.json`, before `.j2` or `.jinja`, makes JSON.
pub(super) fn read(source: &Feed, target: Target) -> Result<Fed> {
    let text = read_payload(&source.data)?;
    // A template does not make a notification of what is none.
    let alert = source.format.map(|format| feed::read(format, &text, clock::minute)).transpose()?;
    let Some(path) = &source.template else {
        return alert.map(|alert| Fed::Alert(Box::new(alert))).ok_or_else(|| Error::defect("data without a use"));
    };
    let data = data(&source.data, &text)?;
    let name = path.display().to_string();
    let pattern = read_payload(path)?;
    if makes_json(path) {
        let json = template::render(&name, &pattern, &data, Target::Json)?;
        return Ok(Fed::Payload(format!("the template {name}"), json));
    }
    Ok(Fed::Text(clean(&template::render(&name, &pattern, &data, target)?)))
}

fn data(path: &Path, text: &str) -> Result<Value> {
    let name = if is_stdin(path) { "stdin".to_owned() } else { format!("{path:?}") };
    parse_json(text).map_err(|error| {
        Error::usage(
            format!("the data from {name} is not JSON: {error}"),
            "check it with jq; a template takes JSON alone",
        )
    })
}

fn makes_json(path: &Path) -> bool {
    let name = path.file_name().map(|name| name.to_string_lossy().to_ascii_lowercase()).unwrap_or_default();
    let name = [".j2", ".jinja", ".jinja2"].iter().find_map(|ending| name.strip_suffix(ending)).unwrap_or(&name);
    name.ends_with(".json")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_tells_what_a_template_makes() {
        for name in ["card.json", "a/card.json.j2", "card.JSON.jinja", "card.json.jinja2"] {
            assert!(makes_json(Path::new(name)), "{name}");
        }
        for name in ["text.j2", "text.txt", "json", "a.json/text.j2", "card.json.txt", ""] {
            assert!(!makes_json(Path::new(name)), "{name}");
        }
    }
}
