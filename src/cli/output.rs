//! A command's end: data on stdout, talk on stderr, secrets in neither, and the exit code.

use std::io::{self, IsTerminal, Write};

use serde_json::{Map, Value, json};

use wecom_alert::channel::Channel;
use wecom_alert::clock::{self, at_ms};
use wecom_alert::config::Output;
use wecom_alert::delivery::{ListedEntry, Outcome, PlannedRequest, Product, Receipt};
use wecom_alert::error::{Error, Status};
use wecom_alert::run::FinishedCommand;
use wecom_alert::sanitize::{is_harmful, one_line};
use wecom_alert::secret::Mask;

use super::{table, talk};

/// How to print.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Manner {
    pub(crate) output: Output,
    pub(crate) quiet: bool,
    pub(crate) verbose: bool,
}

/// What is printed besides the outcome itself.
#[derive(Clone, Copy)]
pub(crate) struct Report<'a> {
    pub(crate) command: Option<&'static str>,
    pub(crate) outcome: &'a Outcome,
    pub(crate) warnings: &'a [String],
    pub(crate) mask: &'a Mask,
    /// The command that `run` has run.
    pub(crate) ran: Option<&'a FinishedCommand>,
}

/// Prints a command's end and returns its exit code. What was delivered stays delivered, even if it cannot be told; data
/// that a command was there to print must not get lost silently.
pub(crate) fn finish(report: &Report<'_>, manner: Manner) -> u8 {
    talk::wipe();
    let (outcome, exit_code) = (report.outcome, report.outcome.exit_code());
    let as_text = Manner { output: Output::Text, ..manner };
    let Err(error) = print(report, manner) else { return exit_code };
    if outcome.error.is_some() {
        print_talk(report, as_text);
        return exit_code;
    }
    // A reader who has seen enough may leave.
    if error.kind() == io::ErrorKind::BrokenPipe {
        return exit_code;
    }
    if outcome.attempts > 0 {
        let done = describe_success(outcome).unwrap_or_default();
        let subject = subject(report);
        talk::say(report.mask, &format!("{subject}: {done}; the result cannot be written to stdout: {error}"));
        return exit_code;
    }
    let profile = outcome.profile.clone();
    let outcome = Outcome { profile, ..Outcome::from(unwritable(&error)) };
    print_talk(&Report { outcome: &outcome, warnings: &[], ..*report }, as_text);
    outcome.exit_code()
}

/// The failure of a command whose data cannot be printed.
pub(crate) fn unwritable(error: &io::Error) -> Error {
    Error::config(format!("the result cannot be written to stdout: {error}"), "check the disk behind stdout")
}

fn print(report: &Report<'_>, manner: Manner) -> io::Result<()> {
    match manner.output {
        Output::Json => {
            // The document has a line of its own, whatever the command has left there.
            let is_line_open = report.ran.is_some_and(|ran| ran.open_lines()[0]);
            write_data(&format!("{}{}", if is_line_open { "\n" } else { "" }, document(report)))
        }
        Output::Text => {
            // A table comes first: the line below it says what it comes to.
            let is_table = matches!(report.outcome.product, Product::Checks(..));
            if is_table {
                write_data(&text_data(report))?;
            }
            print_talk(report, manner);
            if is_table { Ok(()) } else { write_data(&text_data(report)) }
        }
    }
}

/// What text mode says on stderr.
fn print_talk(report: &Report<'_>, manner: Manner) {
    // As a shell would say it, whatever becomes of the alert.
    if let Some(why) = report.ran.and_then(FinishedCommand::why_not_started) {
        talk::say(report.mask, &format!("run: {why}"));
    }
    if !manner.quiet {
        for warning in report.warnings {
            talk::say(report.mask, &format!("warning: {warning}"));
        }
    }
    if let Some(error) = &report.outcome.error {
        let status = error.status().as_str();
        // A partial delivery that counts as success is no error, but must be heard all the same.
        let word = if report.outcome.exit_code() == 0 { "warning" } else { "error" };
        talk::say(report.mask, &format!("{word}[{status}]: {}: {}", subject(report), error.message()));
        if let Some(hint) = error.hint() {
            talk::line(report.mask, &format!("hint: {hint}"));
        }
    } else if let (Some(ran), Status::Skipped, 0) = (report.ran, report.outcome.status, report.outcome.held_back) {
        // All is well, or as it was: the command has had its say.
        if manner.verbose && !manner.quiet {
            talk::say(report.mask, &format!("{}: {}", subject(report), ran.described()));
        }
    } else if !manner.quiet
        && (manner.verbose || io::stderr().is_terminal())
        && let Some(done) = describe_success(report.outcome)
    {
        talk::say(report.mask, &format!("{}: {done}", subject(report)));
    }
}

/// `webhook-send (profile ops)`.
fn subject(report: &Report<'_>) -> String {
    let command = report.command.unwrap_or("wecom-alert");
    match &report.outcome.profile {
        Some(profile) => format!("{command} (profile {profile})"),
        None => command.to_owned(),
    }
}

/// JSON text with what could take a terminal over written as escapes: the same document to every parser.
fn escaped(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for c in json.chars() {
        if is_harmful(c) {
            text.push_str(&format!("\\u{:04x}", u32::from(c)));
        } else {
            text.push(c);
        }
    }
    text
}

fn write_data(data: &str) -> io::Result<()> {
    if data.is_empty() {
        return Ok(());
    }
    let mut stdout = io::stdout().lock();
    stdout.write_all(data.as_bytes()).and_then(|()| stdout.flush())
}

fn describe_success(outcome: &Outcome) -> Option<String> {
    match outcome.status {
        Status::Sent => {
            let ids: Vec<&str> = outcome.parts.iter().flat_map(|part| &part.msgids).map(String::as_str).collect();
            let sent = match outcome.parts.len() {
                0 | 1 => "sent".to_owned(),
                parts => format!("sent in {parts} parts"),
            };
            let mut done = if ids.is_empty() { sent } else { format!("{sent}, msgid {}", ids.join(", ")) };
            if outcome.held_back > 0 {
                done.push_str(&format!("; before it {} like it had been held back", outcome.held_back));
            }
            Some(done)
        }
        Status::Skipped if outcome.held_back > 0 => Some(format!(
            "skipped: the same alert was sent, or stored, within --cooldown; {} held back since",
            outcome.held_back
        )),
        Status::Skipped => Some("skipped: the text is empty".to_owned()),
        Status::DryRun => Some("dry run: nothing was sent".to_owned()),
        Status::Ok => match outcome.product {
            Product::Flush { delivered: 0, failed: 0, .. } => Some("nothing was waiting".to_owned()),
            Product::Flush { delivered, failed, .. } => Some(format!("{delivered} delivered, {failed} given up")),
            Product::Dropped(dropped) => Some(format!("{dropped} dropped")),
            _ => None,
        },
        _ => None,
    }
}

/// What goes to stdout in text mode.
fn text_data(report: &Report<'_>) -> String {
    match &report.outcome.product {
        Product::None => String::new(),
        Product::Token { access_token, .. } => format!("{}\n", access_token.expose()),
        Product::Media { media_id, .. } => format!("{}\n", one_line(media_id)),
        Product::Flush { .. } | Product::Dropped(_) => String::new(),
        Product::Entries(entries) => entries.iter().map(|entry| line_of(entry) + "\n").collect(),
        Product::Plan(requests) => plan_text(requests, report.mask),
        Product::Checks(checks, requests) => {
            table::render(checks, report.mask) + &plan_text(requests.as_deref().unwrap_or_default(), report.mask)
        }
    }
}

/// The requests of a dry run, each with its body below it.
fn plan_text(requests: &[PlannedRequest], mask: &Mask) -> String {
    let mut text = String::new();
    for request in requests {
        text.push_str(&format!("{} {}\n", request.method, request.path));
        if !request.body.is_null() {
            let body = masked(&request.body, mask);
            text.push_str(&serde_json::to_string_pretty(&body).unwrap_or_default());
            text.push('\n');
        }
    }
    text
}

/// An entry of the outbox on a line: id, state, when, attempts, errcode, command, profile, and why it is there.
fn line_of(entry: &ListedEntry) -> String {
    let queued_at = entry.queued_at_ms.map_or("-".to_owned(), |ms| clock::date(at_ms(ms)));
    let errcode = entry.errcode.map_or("-".to_owned(), |errcode| errcode.to_string());
    let command = if entry.command.is_empty() { "-" } else { &entry.command };
    let profile = entry.profile.as_deref().unwrap_or("(environment)");
    let reason = entry.reason.as_deref().unwrap_or("not tried yet");
    let ListedEntry { id, state, attempts, .. } = entry;
    one_line(&format!(
        "{id}  {state}  {queued_at}  attempts {attempts}  errcode {errcode}  {command}  {profile}  {reason}"
    ))
}

/// The one document of JSON mode, on a line.
pub(crate) fn document(report: &Report<'_>) -> String {
    format!("{}\n", escaped(&to_json(report).to_string()))
}

fn to_json(report: &Report<'_>) -> Value {
    let Report { outcome, mask, .. } = report;
    let error = outcome.error.as_ref();
    let mut document = json!({
        "ok": outcome.exit_code() == 0,
        "status": outcome.status.as_str(),
        "exit_code": outcome.exit_code(),
        "errcode": outcome.answer.as_ref().map(|answer| answer.errcode),
        "errmsg": outcome.answer.as_ref().map(|answer| answer.errmsg.as_str()),
        "message": error.map(|error| one_line(error.message())),
        "hint": error.and_then(|error| error.hint()).map(one_line),
        "warnings": report.warnings,
        "profile": outcome.profile,
        "route": outcome.channel.map(Channel::as_str),
        "invaliduser": outcome.unreached.invaliduser,
        "invalidparty": outcome.unreached.invalidparty,
        "invalidtag": outcome.unreached.invalidtag,
        "unlicenseduser": outcome.unreached.unlicenseduser,
        "parts": outcome.parts.iter().enumerate().map(|(at, part)| part_json(at, part)).collect::<Vec<_>>(),
        "attempts": outcome.attempts,
        "retryable": outcome.status.is_retryable(),
        "retry_after_s": error.and_then(|error| error.retry_after()).map(|wait| wait.as_secs()),
        "seen_ip": error.and_then(|error| error.seen_ip()),
        "outbox_id": outcome.outbox_id,
        "held_back": outcome.held_back,
    });
    if !outcome.targets.is_empty() || outcome.held_back > 0 {
        document["targets"] = outcome.targets.iter().map(target_json).collect();
    }
    if let Some(ran) = report.ran {
        document["run"] = ran.to_json(outcome);
    }
    document = masked(&document, mask);
    if let Value::Object(fields) = &mut document {
        add_product(fields, &outcome.product, mask);
    }
    document
}

/// What one target brought, in the words of the whole document.
fn target_json(target: &Outcome) -> Value {
    let error = target.error.as_ref();
    json!({
        "profile": target.profile,
        "route": target.channel.map(Channel::as_str),
        "status": target.status.as_str(),
        "exit_code": target.exit_code(),
        "errcode": target.answer.as_ref().map(|answer| answer.errcode),
        "errmsg": target.answer.as_ref().map(|answer| answer.errmsg.as_str()),
        "message": error.map(|error| one_line(error.message())),
        "hint": error.and_then(|error| error.hint()).map(one_line),
        "invaliduser": target.unreached.invaliduser,
        "invalidparty": target.unreached.invalidparty,
        "invalidtag": target.unreached.invalidtag,
        "unlicenseduser": target.unreached.unlicenseduser,
        "parts": target.parts.iter().enumerate().map(|(at, part)| part_json(at, part)).collect::<Vec<_>>(),
        "attempts": target.attempts,
        "outbox_id": target.outbox_id,
    })
}

fn part_json(at: usize, part: &Receipt) -> Value {
    json!({
        "index": at + 1,
        "kind": part.kind.as_str(),
        "name": part.name,
        "status": part.status.as_str(),
        "errcode": part.answer.as_ref().map(|answer| answer.errcode),
        "errmsg": part.answer.as_ref().map(|answer| answer.errmsg.as_str()),
        "msgid": part.msgids.first(),
        "msgids": part.msgids,
        "response_code": part.response_code,
        "task_id": part.task_id,
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
        Product::Entries(entries) => json!({ "entries": entries.iter().map(entry_json).collect::<Vec<_>>() }),
        Product::Flush { delivered, remaining, failed } => {
            json!({ "delivered": delivered, "remaining": remaining, "failed": failed })
        }
        Product::Dropped(dropped) => json!({ "dropped": dropped }),
        Product::Plan(requests) => json!({ "requests": plan_json(requests, mask) }),
        Product::Checks(checks, None) => json!({ "checks": table::to_json(checks, mask) }),
        Product::Checks(checks, Some(requests)) => {
            json!({ "checks": table::to_json(checks, mask), "requests": plan_json(requests, mask) })
        }
    };
    if let Value::Object(more) = more {
        fields.extend(more);
    }
}

fn plan_json(requests: &[PlannedRequest], mask: &Mask) -> Value {
    let request = |request: &PlannedRequest| json!({ "method": request.method, "path": request.path, "body": masked(&request.body, mask) });
    requests.iter().map(request).collect()
}

fn entry_json(entry: &ListedEntry) -> Value {
    json!({
        "id": entry.id,
        "profile": entry.profile,
        "command": entry.command,
        "queued_at": entry.queued_at_ms.map(|ms| clock::stamp(at_ms(ms))),
        "attempts": entry.attempts,
        "errcode": entry.errcode,
        "state": entry.state,
        "message": entry.reason.as_deref().map(one_line),
    })
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
    fn escapes_leave_a_document_what_it_is() {
        let document = json!({ "errmsg": "a\x1b[2Jb\u{9b}c\u{202e}d\u{7f}\u{feff}\u{2028}\n界" });
        let text = escaped(&document.to_string());
        assert!(!text.contains(is_harmful) && text.contains('界'), "{text}");
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), document);
    }
}
