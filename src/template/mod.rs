//! Templates: a text with `{{ … }}` in it is rendered with data from JSON. Pure: a template reads only its data, neither
//! files nor environment nor clock.
//!
//! The language is Jinja's, as minijinja reads it: `{{ value }}`, `{% if %}`, `{% for %}`, `{% set %}`, `{% macro %}`
//! and its filters. There is no `include`, `import` or `extends`, since nothing is loaded, and no `namespace`, since
//! what it can build has no bound. Values are escaped, see [`Escaping`]; what is undefined is an error.

mod errors;
mod syntax_hints;
mod values;

#[cfg(test)]
mod tests;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, FixedOffset};
use minijinja::{Environment, ErrorKind, UndefinedBehavior, Value as EngineValue};
use serde_json::Value;

use crate::blocking::{Bounds, Unbounded, within};
use crate::channel::Markup;
use crate::error::{Error, Result};
use crate::json::parse_json;
use crate::sanitize::one_line;
use values::Written;

/// The longest template, in bytes.
pub(crate) const MAX_SOURCE: usize = 32 * 1024;

/// The longest result, in bytes: as much as a message's input may have.
pub(crate) const MAX_OUTPUT: usize = 20 * 1024 * 1024;

/// Turns a point in time into the receiver's time zone.
pub(crate) type Zone = fn(DateTime<FixedOffset>) -> DateTime<FixedOffset>;

/// The limit of work: about one unit per step, and one per 64 bytes of text or 2 items that it makes.
const FUEL: u64 = 2_000_000;

/// The stack for rendering, in bytes; pages of it that are not touched cost no memory. A template of [`MAX_SOURCE`] bytes can
/// build lists some 15,000 levels deep, six times as deep by macros that call each other, and the engine walks and frees
/// them by recursion, about 500 bytes a level; many times that in a program that is not optimized.
const STACK: usize = if cfg!(debug_assertions) { 512 << 20 } else { 40 << 20 };

/// How deep macros and loops may be in each other: a macro counts as five.
const RECURSION: usize = 40;

/// The longest time for rendering, and the most memory, in bytes. They bound what is not counted as work: a list that
/// holds another one twice, and so on, is small until it is shown, compared or made a text.
const TIME: Duration = Duration::from_secs(10);
const MEMORY: u64 = 256 << 20;

/// How values are escaped: by the markup of the result.
///
/// Strings are put in escaped; everything else (numbers, `true`, `null`, lists, objects) as JSON, escaped the same way
/// where it is text for people. The filter `safe` puts a string in as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Escaping {
    /// A text. In `markdown` a line of a value in which something could be markup becomes inline code, in `markdown_v2`
    /// backslashes stand before signs that could be markup; in `text` a mention or a link is broken up.
    Text(Markup),
    /// The text of an alert, which is escaped when that is rendered.
    Nothing,
    /// A JSON object. A string is escaped as the inside of a string, so it is between quotes: `"{{ x }}"`; the
    /// filter `tojson` gives a whole value, quotes included. A mention or a link of `text` in it is broken up.
    Json,
}

/// Renders a template.
///
/// `name` is what errors call it, such as its path. All of `data`'s names are variables, and `data` is the whole. Numbers
/// show as the data writes them. Beside minijinja's filters there are `tojson` (a whole JSON value), `url` (an address fit
/// for `[…](…)`), `fenced` (a block that shows its text as it is, in `markdown_v2`; elsewhere the text) and `localtime`
/// (a time in the receiver's time zone, in a format of `strftime` if one is given).
///
/// `time` is what is left until the deadline: rendering ends by then. What takes too long or too much memory cannot be
/// stopped and goes on in its thread: the process has to end soon.
///
/// Usage errors, each with the template's name and line: wrong syntax, an undefined variable, an operation that fails, too
/// much work or too long a result; and for [`Escaping::Json`] a result that is no JSON object, with line and column.
pub(crate) fn render(
    name: &str,
    source: &str,
    data: &Value,
    escaping: Escaping,
    zone: Zone,
    time: Duration,
) -> Result<String> {
    if source.len() > MAX_SOURCE {
        let message = format!("{} is {} bytes long, a template has at most {MAX_SOURCE}", called(name), source.len());
        return Err(Error::usage(message, "put long text into the data, or send it with --text-file"));
    }
    let mut written = Written::default();
    let (owned, values) = (source.to_owned(), values::to_engine(data, &mut written));
    let bounds = Bounds { time: time.min(TIME), memory: MEMORY, stack: STACK };
    let text = match within(bounds, move || {
        let environment = environment(escaping, written, zone);
        rendered(environment, &owned, values)
    }) {
        Ok(Ok(text)) => text,
        Ok(Err(Unrendered::Full)) => {
            let message = format!("{} gives more than {MAX_OUTPUT} bytes", called(name));
            return Err(Error::usage(message, "look for a loop that repeats too much"));
        }
        Ok(Err(Unrendered::Wrong(error))) => return Err(errors::error(name, source, data, &error)),
        Err(Unbounded::TooMuch) => return Err(errors::too_much_work(&called(name))),
        Err(Unbounded::BrokeOff) => return Err(Error::defect("the template's thread died")),
        Err(Unbounded::NoThread(error)) => {
            let message = format!("cannot start a thread for {}: {error}", called(name));
            return Err(Error::temporary(message, "allow this process more memory or threads, and try again"));
        }
    };
    if escaping == Escaping::Json {
        check_json(name, &text)?;
    }
    Ok(text)
}

/// Why there is no text.
enum Unrendered {
    /// It is longer than [`MAX_OUTPUT`].
    Full,
    Wrong(minijinja::Error),
}

fn rendered(mut environment: Environment<'_>, source: &str, values: EngineValue) -> Result<String, Unrendered> {
    // A name of the data's own comes first.
    environment.add_global(WHOLE, values.clone());
    let mut output = Bounded::default();
    let result = environment
        .template_from_named_str(NAME, source)
        .and_then(|template| template.render_captured_to(values, &mut output).map(drop));
    match result {
        // The engine writes only strings.
        Ok(()) => Ok(String::from_utf8_lossy(&output.written).into_owned()),
        Err(error) if output.is_full && error.kind() == ErrorKind::WriteFailure => Err(Unrendered::Full),
        Err(error) => Err(Unrendered::Wrong(error)),
    }
}

/// The filters, by what they do: the engine's, and `url`, `fenced`, `localtime`, `tojson` of [`values`].
pub(crate) const FILTERS: [&str; 47] = [
    "default",
    "upper",
    "lower",
    "title",
    "capitalize",
    "replace",
    "trim",
    "indent",
    "lines",
    "split",
    "join",
    "format",
    "string",
    "length",
    "first",
    "last",
    "list",
    "sort",
    "unique",
    "reverse",
    "slice",
    "batch",
    "map",
    "select",
    "reject",
    "selectattr",
    "rejectattr",
    "groupby",
    "dictsort",
    "items",
    "attr",
    "chain",
    "zip",
    "min",
    "max",
    "sum",
    "abs",
    "round",
    "int",
    "float",
    "bool",
    "localtime",
    "url",
    "urlencode",
    "tojson",
    "fenced",
    "safe",
];

/// The name of the template in the engine; our errors give the caller's name.
const NAME: &str = "template";

/// The variable that holds all of the data: for names that are no word (`data['a-b']`), and for a list (`data[0]`).
const WHOLE: &str = "data";

fn environment(escaping: Escaping, written: Written, zone: Zone) -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_fuel(Some(FUEL));
    environment.set_recursion_limit(RECURSION);
    environment.set_debug(false);
    // It would let a short loop build a value of any depth, and walking that overflows any stack.
    environment.remove_global("namespace");
    // These show the engine's inside, the second in a time that grows with the cube of the depth.
    environment.remove_global("debug");
    environment.remove_filter("pprint");
    values::set_up(&mut environment, escaping, Arc::new(written), zone);
    environment
}

fn check_json(name: &str, text: &str) -> Result<()> {
    let hint = "write \"{{ x }}\" with quotes for a string, and {{ x|tojson }} without them for a whole value";
    match parse_json(text, &mut Vec::new()) {
        Ok(Value::Object(_)) => Ok(()),
        Ok(_) => Err(Error::usage(format!("{} gives JSON that is not an object", called(name)), "let it begin with {")),
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
