//! Templates: a text with `{{ … }}` in it is rendered with data from JSON. Pure: a template reads only its data, neither
//! files nor environment nor clock.
//!
//! The language is Jinja's, as minijinja reads it: `{{ value }}`, `{% if %}`, `{% for %}`, `{% set %}`, `{% macro %}`
//! and its filters. There is no `include`, `import` or `extends`, since nothing is loaded, and no `namespace`, since
//! what it can build has no bound. Values are escaped, see [`Escaping`]; what is undefined is an error.

mod errors;
mod values;

#[cfg(test)]
mod tests;

use std::{io, thread};

use minijinja::{Environment, ErrorKind, UndefinedBehavior};
use serde_json::Value;

use crate::channel::Markup;
use crate::error::{Error, Result};
use crate::json::parse_json;
use crate::sanitize::one_line;

/// The longest template, in bytes.
pub(crate) const MAX_SOURCE: usize = 32 * 1024;

/// The longest result, in bytes: as much as a message's input may have.
pub(crate) const MAX_OUTPUT: usize = 20 * 1024 * 1024;

/// The limit of work: about one unit per step, and one per 64 bytes of text or 2 items that it makes.
const FUEL: u64 = 2_000_000;

/// The stack for rendering, in bytes. A template of [`MAX_SOURCE`] bytes can build lists some 15,000 levels deep, and the
/// engine walks and frees them by recursion: too much for the stack of a main thread.
const STACK: usize = 128 * 1024 * 1024;

/// How values are escaped: by the markup of the result.
///
/// Strings are put in escaped; everything else (numbers, `true`, `null`, lists, objects) as JSON, escaped the same way
/// where it is text for people. The filter `safe` puts a string in as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Escaping {
    /// A text. In `markdown` a line of a value in which something could be markup becomes inline code, in `markdown_v2`
    /// backslashes stand before signs that could be markup; in any other text nothing is escaped.
    Text(Markup),
    /// A JSON object. A string is escaped as the inside of a string, so it is between quotes: `"{{ x }}"`; the
    /// filter `tojson` gives a whole value, quotes included.
    Json,
}

/// Renders a template.
///
/// `name` is what errors call it, such as its path. All of `data`'s names are variables; data that is no object has
/// none. Beside minijinja's filters there are `tojson` (a whole JSON value), `url` (an address fit for `[…](…)`) and
/// `fenced` (a block that shows its text as it is, in `markdown_v2`; elsewhere the text).
///
/// Usage errors, each with the template's name and line: wrong syntax, an undefined variable, an operation that fails, too
/// much work or too long a result; and for [`Escaping::Json`] a result that is no JSON object, with line and column.
pub(crate) fn render(name: &str, source: &str, data: &Value, escaping: Escaping) -> Result<String> {
    if source.len() > MAX_SOURCE {
        let message = format!("{} is {} bytes long, a template has at most {MAX_SOURCE}", called(name), source.len());
        return Err(Error::usage(message, "put long text into the data, or send it with --text-file"));
    }
    // Pages of the stack that are not touched cost nothing.
    let on_its_stack = thread::scope(|scope| {
        let work = || rendered(name, source, data, escaping);
        let thread = thread::Builder::new().stack_size(STACK).spawn_scoped(scope, work);
        thread.map(|thread| thread.join().unwrap_or_else(|_| Err(Error::defect("the template's thread died"))))
    });
    let text = on_its_stack.unwrap_or_else(|error| {
        let message = format!("cannot start a thread for {}: {error}", called(name));
        Err(Error::temporary(message, "allow this process more memory or threads, and try again"))
    })?;
    if escaping == Escaping::Json {
        check_json(name, &text)?;
    }
    Ok(text)
}

fn rendered(name: &str, source: &str, data: &Value, escaping: Escaping) -> Result<String> {
    let environment = environment(escaping);
    let mut output = Bounded::default();
    let result = environment
        .template_from_named_str(NAME, source)
        .and_then(|template| template.render_captured_to(values::to_engine(data), &mut output).map(drop));
    match result {
        // The engine writes only strings.
        Ok(()) => Ok(String::from_utf8_lossy(&output.written).into_owned()),
        Err(error) if output.is_full && error.kind() == ErrorKind::WriteFailure => {
            let message = format!("{} gives more than {MAX_OUTPUT} bytes", called(name));
            Err(Error::usage(message, "look for a loop that repeats too much"))
        }
        Err(error) => Err(errors::error(name, source, data, &error)),
    }
}

/// The name of the template in the engine; our errors give the caller's name.
const NAME: &str = "template";

fn environment(escaping: Escaping) -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_fuel(Some(FUEL));
    environment.set_debug(false);
    // It would let a short loop build a value of any depth, and walking that overflows any stack.
    environment.remove_global("namespace");
    // These show the engine's inside, the second in a time that grows with the cube of the depth.
    environment.remove_global("debug");
    environment.remove_filter("pprint");
    values::set_up(&mut environment, escaping);
    environment
}

fn check_json(name: &str, text: &str) -> Result<()> {
    let hint = "write \"{{ x }}\" with quotes for a string, and {{ x|tojson }} without them for a whole value";
    match parse_json(text) {
        Ok(Value::Object(_)) => Ok(()),
        Ok(_) => Err(Error::usage(format!("{} gives JSON that is no object", called(name)), "let it begin with {")),
        Err(error) => {
            let what = one_line(&error.to_string());
            Err(Error::usage(format!("{} does not give JSON: its result has {what}", called(name)), hint))
        }
    }
}

/// The start of an error message.
fn called(name: &str) -> String {
    format!("the template {}", one_line(name))
}

/// The result, up to [`MAX_OUTPUT`] bytes.
#[derive(Default)]
struct Bounded {
    written: Vec<u8>,
    is_full: bool,
}

impl io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.written.len() + bytes.len() > MAX_OUTPUT {
            self.is_full = true;
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.written.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
