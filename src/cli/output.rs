//! Everything that is printed: data on stdout, talk on stderr, secrets in neither.

use std::io::{self, IsTerminal, Write};

use serde_json::{Map, Value, json};

use wecom_alert::config::Output;
use wecom_alert::delivery::{Outcome, Product, Receipt};
use wecom_alert::error::Status;
use wecom_alert::message::Route;
use wecom_alert::secret::Mask;

/// How to print.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Manner {
    pub(crate) output: Output,
    pub(crate) quiet: bool,
    pub(crate) verbose: bool,
}

/// What is printed besides the outcome itself.
pub(crate) struct Report<'a> {
    pub(crate) command: Option<&'static str>,
    pub(crate) outcome: &'a Outcome,
    pub(crate) warnings: &'a [String],
    pub(crate) mask: &'a Mask,
}

/// Prints a command's end.
///
/// # Errors
///
/// stdout that cannot take the data which the command was there to print. A reader that has gone away is none.
pub(crate) fn print(report: &Report<'_>, manner: Manner) -> io::Result<()> {
    if manner.output == Output::Json {
        return write_data(&format!("{}\n", escaped(&to_json(report).to_string())));
    }
    if !manner.quiet {
        for warning in report.warnings {
            say(report.mask, &format!("warning: {warning}"));
        }
    }
    if let Some(error) = &report.outcome.error {
        let status = error.status().as_str();
        say(report.mask, &format!("error[{status}]: {}: {}", subject(report), error.message()));
        if let Some(hint) = error.hint() {
            line(report.mask, &format!("hint: {hint}"));
        }
    } else if !manner.quiet
        && (manner.verbose || io::stderr().is_terminal())
        && let Some(done) = describe_success(report.outcome)
    {
        say(report.mask, &format!("{}: {done}", subject(report)));
    }
    write_data(&text_data(report))
}

/// One line of talk, with the program's name.
pub(crate) fn say(mask: &Mask, text: &str) {
    line(mask, &format!("wecom-alert: {text}"));
}

/// One line of talk as it is.
pub(crate) fn line(mask: &Mask, text: &str) {
    // Nobody listening is no reason to fail.
    let _ = writeln!(io::stderr(), "{}", for_terminal(&mask.apply(text)));
}

/// `webhook-send (profile ops)`.
fn subject(report: &Report<'_>) -> String {
    let command = report.command.unwrap_or("wecom-alert");
    match &report.outcome.profile {
        Some(profile) => format!("{command} (profile {profile})"),
        None => command.to_owned(),
    }
}

/// Text from outside, harmless and on one line: no control characters, no switching of the writing direction.
pub(crate) fn for_terminal(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') { ' ' } else { c })
        .filter(|c| !is_invisible(*c))
        .collect()
}

/// JSON text with what could take a terminal over written as escapes: the same document to every parser.
fn escaped(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for c in json.chars() {
        if c.is_control() || is_invisible(c) {
            text.push_str(&format!("\\u{:04x}", u32::from(c)));
        } else {
            text.push(c);
        }
    }
    text
}

/// Marks that switch the writing direction, and the line breaks that are no control characters.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn write_data(data: &str) -> io::Result<()> {
    if data.is_empty() {
        return Ok(());
    }
    let mut stdout = io::stdout().lock();
    match stdout.write_all(data.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

fn describe_success(outcome: &Outcome) -> Option<String> {
    match outcome.status {
        Status::Sent => {
            let ids: Vec<&str> = outcome.parts.iter().filter_map(|part| part.msgid.as_deref()).collect();
            Some(if ids.is_empty() { "sent".to_owned() } else { format!("sent, msgid {}", ids.join(", ")) })
        }
        Status::Skipped => Some("skipped: the text is empty".to_owned()),
        Status::DryRun => Some("dry run: nothing was sent".to_owned()),
        _ => None,
    }
}

/// What goes to stdout in text mode.
fn text_data(report: &Report<'_>) -> String {
    match &report.outcome.product {
        Product::None => String::new(),
        Product::Token { access_token, .. } => format!("{}\n", access_token.expose()),
        Product::Media { media_id, .. } => format!("{}\n", for_terminal(media_id)),
        Product::Plan(requests) => {
            let mut text = String::new();
            for request in requests {
                text.push_str(&format!("{} {}\n", request.method, request.path));
                if !request.body.is_null() {
                    let body = masked(&request.body, report.mask);
                    text.push_str(&serde_json::to_string_pretty(&body).unwrap_or_default());
                    text.push('\n');
                }
            }
            text
        }
    }
}

/// The one document of JSON mode.
fn to_json(report: &Report<'_>) -> Value {
    let Report { outcome, mask, .. } = report;
    let error = outcome.error.as_ref();
    let mut document = json!({
        "ok": outcome.exit_code() == 0,
        "status": outcome.status.as_str(),
        "exit_code": outcome.exit_code(),
        "errcode": outcome.answer.as_ref().map(|answer| answer.errcode),
        "errmsg": outcome.answer.as_ref().map(|answer| answer.errmsg.as_str()),
        "message": error.map(|error| for_terminal(error.message())),
        "hint": error.and_then(|error| error.hint()).map(for_terminal),
        "warnings": report.warnings,
        "profile": outcome.profile,
        "route": outcome.route.map(Route::as_str),
        "invaliduser": outcome.unreached.invaliduser,
        "invalidparty": outcome.unreached.invalidparty,
        "invalidtag": outcome.unreached.invalidtag,
        "unlicenseduser": outcome.unreached.unlicenseduser,
        "parts": outcome.parts.iter().enumerate().map(|(at, part)| part_json(at, part)).collect::<Vec<_>>(),
        "attempts": outcome.attempts,
        "retryable": outcome.status.is_retryable(),
        "retry_after_s": error.and_then(|error| error.retry_after()).map(|wait| wait.as_secs()),
        "seen_ip": error.and_then(|error| error.seen_ip()),
    });
    document = masked(&document, mask);
    if let Value::Object(fields) = &mut document {
        add_product(fields, &outcome.product, mask);
    }
    document
}

fn part_json(at: usize, part: &Receipt) -> Value {
    json!({
        "index": at + 1,
        "kind": part.kind.as_str(),
        "status": part.status.as_str(),
        "errcode": part.answer.as_ref().map(|answer| answer.errcode),
        "errmsg": part.answer.as_ref().map(|answer| answer.errmsg.as_str()),
        "msgid": part.msgid,
        "response_code": part.response_code,
    })
}

fn add_product(fields: &mut Map<String, Value>, product: &Product, mask: &Mask) {
    let more = match product {
        Product::None => return,
        Product::Token { access_token, expires_in, from_cache } => json!({
            "access_token": access_token.expose(),
            "expires_in": expires_in,
            "from_cache": from_cache,
        }),
        Product::Media { media_id, kind, created_at } => {
            json!({ "media_id": media_id, "type": kind, "created_at": created_at })
        }
        Product::Plan(requests) => {
            let requests = requests.iter().map(|request| {
                json!({ "method": request.method, "path": request.path, "body": masked(&request.body, mask) })
            });
            json!({ "requests": requests.collect::<Vec<_>>() })
        }
    };
    if let Value::Object(more) = more {
        fields.extend(more);
    }
}

/// Every string of a document with its secrets masked; names of fields are ours.
fn masked(value: &Value, mask: &Mask) -> Value {
    match value {
        Value::String(text) => Value::from(mask.apply(text)),
        Value::Array(items) => items.iter().map(|item| masked(item, mask)).collect(),
        Value::Object(fields) => {
            fields.iter().map(|(name, value)| (name.clone(), masked(value, mask))).collect::<Map<_, _>>().into()
        }
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_from_outside_stays_on_its_line() {
        assert_eq!(for_terminal("a\r\nb\x1b[31mc\u{202e}d\u{9b}e\u{2028}f 界"), "a  b [31mcd e f 界");
    }

    #[test]
    fn escapes_leave_a_document_what_it_is() {
        let document = json!({ "errmsg": "a\x1b[2Jb\u{9b}c\u{202e}d\u{7f}\u{2028}\n界" });
        let text = escaped(&document.to_string());
        assert!(!text.contains(|c: char| c.is_control() || is_invisible(c)) && text.contains('界'), "{text}");
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), document);
    }
}
