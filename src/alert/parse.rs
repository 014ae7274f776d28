//! Parses option values of the form `NAME=VALUE` into fields, figures, links, buttons and choices. The name ends at the
//! first `=`; blanks around it do not count. A full-width `＝` is read as that where there is no other, with a warning.

use std::str::FromStr;

use super::{Button, Emphasis, Field, Jump};
use crate::error::{Error, Result};
use crate::message::card::SelectOption;
use crate::sanitize::truncate;

impl FromStr for Field {
    type Err = Error;

    /// Reads `KEY=VALUE`; the value may be empty.
    fn from_str(given: &str) -> Result<Self> {
        let (key, value) = pair(given, FIELD, true)?;
        Ok(Self { key, value })
    }
}

impl FromStr for Emphasis {
    type Err = Error;

    /// Reads `TITLE=DESC`; the description may be empty.
    fn from_str(given: &str) -> Result<Self> {
        let (title, desc) = pair(given, EMPHASIS, true)?;
        Ok(Self { title, desc })
    }
}

impl FromStr for Jump {
    type Err = Error;

    /// Reads `TITLE=URL`.
    fn from_str(given: &str) -> Result<Self> {
        let (title, url) = pair(given, JUMP, false)?;
        Ok(Self { title, url })
    }
}

impl FromStr for Button {
    type Err = Error;

    /// Reads `KEY=TEXT` or `KEY=TEXT:STYLE`. A single digit after the last `:` is a style, which must be from 1 to 4; any
    /// other `:` belongs to the text.
    fn from_str(given: &str) -> Result<Self> {
        let (key, text) = pair(given, BUTTON, false)?;
        let style = text.rsplit_once(':').and_then(|(before, style)| match style.as_bytes() {
            [digit @ b'0'..=b'9'] => Some((before.trim_end().to_owned(), digit - b'0')),
            _ => None,
        });
        match style {
            Some((text, _)) if text.is_empty() => Err(wrong(given, BUTTON)),
            Some((_, style)) if !(1..=4).contains(&style) => Err(Error::usage(
                format!("--button: style {style} is not 1, 2, 3 or 4"),
                "write KEY=TEXT:1 to KEY=TEXT:4; a text that ends in a colon and a digit needs a style after it",
            )),
            Some((text, style)) => Ok(Self { key, text, style: Some(style) }),
            None => Ok(Self { key, text, style: None }),
        }
    }
}

impl FromStr for SelectOption {
    type Err = Error;

    /// Reads `ID=TEXT`.
    fn from_str(given: &str) -> Result<Self> {
        let (id, text) = pair(given, CHOICE, false)?;
        Ok(Self { id, text })
    }
}

/// An option and the form of its value, with an example.
#[derive(Clone, Copy)]
struct Form(&'static str, &'static str, &'static str);

const FIELD: Form = Form("--field", "KEY=VALUE", "host=web-1");
const EMPHASIS: Form = Form("--emphasis", "TITLE=DESC", "98%=disk used");
const JUMP: Form = Form("--jump", "TITLE=URL", "runbook=https://example.com/disk");
const BUTTON: Form = Form("--button", "KEY=TEXT or KEY=TEXT:STYLE", "ack=Acknowledge:2");
const CHOICE: Form = Form("--option", "ID=TEXT", "retry=Run it again");

/// So many characters of a value are shown.
const LONGEST_SHOWN: usize = 40;

/// A warning about a full-width sign in the value of `option`, typed in place of the plain one.
pub(crate) fn full_width(option: &str, given: &str) -> Option<String> {
    let (start, dots) = truncate(given, LONGEST_SHOWN);
    let what = match (given.find('＝'), given.find('=')) {
        (Some(_), None) => "the full-width ＝ is read as =".to_owned(),
        (Some(wide), Some(plain)) if wide < plain => {
            "the full-width ＝ belongs to the name: write = for the end of it".to_owned()
        }
        _ if option == BUTTON.0 => {
            let (_, style) =
                given.trim_end().rsplit_once('：').filter(|(_, style)| ["1", "2", "3", "4"].contains(style))?;
            format!("the full-width ：{style} is shown as text: write :{style} for a style")
        }
        _ => return None,
    };
    Some(format!("{option} {start:?}{dots}: {what}"))
}

/// The name ends at a full-width `＝` where there is no other.
fn pair(given: &str, form: Form, may_be_empty: bool) -> Result<(String, String)> {
    let (name, value) = given.split_once('=').or_else(|| given.split_once('＝')).ok_or_else(|| wrong(given, form))?;
    let (name, value) = (name.trim(), value.trim());
    if name.is_empty() || (value.is_empty() && !may_be_empty) {
        return Err(wrong(given, form));
    }
    Ok((name.to_owned(), value.to_owned()))
}

fn wrong(given: &str, Form(option, form, example): Form) -> Error {
    let (start, dots) = truncate(given, LONGEST_SHOWN);
    Error::usage(
        format!("{option} {start:?}{dots} is not of the form {form}"),
        format!("write it like {option} '{example}'"),
    )
}
