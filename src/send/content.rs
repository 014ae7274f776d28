//! The text of a message: whether its type has one, and where it is read from.

use crate::config::Settings;
use crate::error::{Error, Result};
use crate::input::{TextOptions, TextSource, is_blank, read_text};

use super::request::Request;
use super::source::{Source, named_text, piped_text};

/// Whether a type has text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TextRule {
    Required,
    Optional,
    None,
}

/// What came of the text.
pub(super) enum Body {
    Text(String),
    Absent,
    Skipped,
}

/// What a type has of text where it is not made of an alert.
pub(super) fn text_rule(msgtype: &str) -> TextRule {
    match msgtype {
        "text" | "markdown" | "markdown_v2" => TextRule::Required,
        "video" => TextRule::Optional,
        _ => TextRule::None,
    }
}

/// Reads the text that the type needs, from where the options say.
pub(super) fn read_body(
    request: &Request,
    msgtype: &str,
    rule: TextRule,
    source: &Source,
    settings: &Settings,
    warnings: &mut Vec<String>,
) -> Result<Body> {
    let named = named_text(&request.content);
    if rule == TextRule::None {
        return match named {
            None => Ok(Body::Absent),
            Some(_) => Err(Error::usage(
                format!("a message of type {msgtype} has no text"),
                "send the text with a command of its own, or the text itself with the file behind it: --attach",
            )),
        };
    }
    // Nothing is taken from stdin where something else gives the message.
    let piped = if matches!(source, Source::Text) { piped_text(&request.content) } else { None };
    let is_named = named.is_some();
    let Some(from) = named.or(piped) else {
        return match rule {
            TextRule::Required => Err(no_text()),
            _ => Ok(Body::Absent),
        };
    };
    let text = read(&from, request, settings, warnings)?;
    unless_empty(text, request, settings, || match rule {
        TextRule::Optional if !is_named => Ok(Body::Absent),
        _ => Err(empty_text(&from)),
    })
}

/// The text, or what was asked for where it is of white space alone; `empty` says what becomes of that otherwise.
pub(super) fn unless_empty(
    text: String,
    request: &Request,
    settings: &Settings,
    empty: impl FnOnce() -> Result<Body>,
) -> Result<Body> {
    if !is_blank(&text) {
        return Ok(Body::Text(text));
    }
    match &settings.if_empty {
        _ if request.skip_empty => Ok(Body::Skipped),
        Some(instead) if !is_blank(instead) => Ok(Body::Text(crate::input::clean(instead))),
        _ if settings.skip_empty => Ok(Body::Skipped),
        _ => empty(),
    }
}

fn read(from: &TextSource<'_>, request: &Request, settings: &Settings, warnings: &mut Vec<String>) -> Result<String> {
    let read =
        read_text(from, &TextOptions { encoding: settings.encoding, escapes: request.escapes || settings.escapes })?;
    warnings.extend(read.warnings);
    Ok(read.text)
}

fn no_text() -> Error {
    Error::usage(
        "there is no text to send: no CONTENT was given and stdin is a terminal",
        "give the text as an argument, pipe it in, or name a file with --text-file",
    )
}

fn empty_text(from: &TextSource<'_>) -> Error {
    let place = match from {
        TextSource::Argument(_) => "CONTENT".to_owned(),
        TextSource::File(path) => format!("{path:?}"),
        TextSource::Stdin => "stdin".to_owned(),
    };
    Error::usage(
        format!("the text is empty: {place} holds nothing but white space"),
        "check the command before the pipe; --skip-empty passes empty text over, --if-empty TEXT sends that instead",
    )
}
