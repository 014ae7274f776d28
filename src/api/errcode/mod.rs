//! What WeCom's error codes mean: one table from code to class and hint, and the questions that a caller asks of it.
//!
//! Pure: nothing here sends, waits or prints. Decisions depend only on `errcode`; `errmsg`, whose wording changes and
//! whose text is not ours, is only quoted from, shortened and made one line.

mod hint;
mod table;

use std::net::IpAddr;
use std::time::Duration;

pub(crate) use hint::{CorpIdInfo, CredentialInfo, HintContext, NOT_FOUND, hint_for};

use crate::error::{Answer, Status};

const MINUTE: Duration = Duration::from_secs(60);

const HOUR: Duration = Duration::from_secs(3600);

/// What an error code asks of the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    /// Success; the lists of invalid recipients may still hold something.
    Ok,
    /// The access token is stale: get a new one and repeat the call once.
    AuthRefresh,
    /// The credentials are refused: stop, since repeating wrong ones blocks the IP for an hour.
    AuthFatal,
    /// A setting here or in the admin console must change.
    Config,
    /// These recipients cannot be reached.
    Recipient,
    /// The message itself is wrong.
    Payload,
    /// Too many calls: try again after the blocking period.
    RateLimited,
    /// Trouble on WeCom's side: try again soon, three times at the most (document path 90313).
    Transient,
    /// Not expected of a sender, or not known here.
    Other,
}

impl Class {
    /// What a command ends as when this refusal is its last answer, after all that may be tried was tried. A refusal with
    /// [`Class::Ok`] is a success that must not be believed, see [`warns_of_wrong_json`].
    pub(crate) fn refusal_status(self) -> Status {
        match self {
            Self::AuthRefresh | Self::AuthFatal | Self::Config => Status::Auth,
            Self::Ok | Self::Recipient | Self::Payload | Self::Other => Status::Refused,
            Self::RateLimited => Status::RateLimited,
            Self::Transient => Status::Temporary,
        }
    }
}

/// What is known of one error code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ErrcodeRow {
    /// The code, as in `errcode`.
    pub(crate) code: i64,
    /// What it asks of the caller.
    pub(crate) class: Class,
    /// What it says, in plain English.
    pub(crate) meaning: &'static str,
    /// What to do next; [`hint_for`] makes it concrete.
    pub(crate) hint: &'static str,
}

/// The codes of the table.
pub(crate) fn codes() -> impl Iterator<Item = i64> {
    table::TABLE.iter().map(|row| row.code)
}

/// What is known of a code; `None` for one that is not in the table.
pub(crate) fn lookup(errcode: i64) -> Option<&'static ErrcodeRow> {
    let found = table::TABLE.binary_search_by_key(&errcode, |entry| entry.code).ok()?;
    table::TABLE.get(found)
}

/// The class of a code; [`Class::Other`] for one that is not in the table.
pub(crate) fn class_of(errcode: i64) -> Class {
    lookup(errcode).map_or(Class::Other, |entry| entry.class)
}

/// Whether a business call that met this code may be repeated once with a new access token.
///
/// 40001 is among them although its class is [`Class::AuthFatal`]: on another call than gettoken it can mean a bad
/// token, while from gettoken itself it always means a bad secret (document path 90313).
pub(crate) fn asks_for_new_token(errcode: i64) -> bool {
    matches!(errcode, 40001 | 40014 | 41001 | 42001)
}

/// For how long WeCom refuses further calls at the least; `None` where a code blocks nothing.
///
/// The limits per minute block for 60 s; those per hour, day and month for longer, and the code does not tell which
/// one was met. On gettoken 45009 can be the ban of an hour that follows many wrong secrets (document path 90312). A
/// webhook's limit blocks for its period where the caller knows of a shorter one.
pub(crate) fn blocked_for(errcode: i64, ctx: &HintContext<'_>) -> Option<Duration> {
    let block = match errcode {
        45009 if is_gettoken(ctx.endpoint) || is_look_up(ctx.endpoint) => HOUR,
        45009 if is_webhook_send(ctx.endpoint) => ctx.period.unwrap_or(MINUTE).min(MINUTE),
        _ => MINUTE,
    };
    (class_of(errcode) == Class::RateLimited).then_some(block)
}

fn is_webhook_send(endpoint: &str) -> bool {
    endpoint.contains("webhook/send")
}

/// Whether it looks members up by number or mail, which WeCom shuts for a day after too many misses (document path 95402).
fn is_look_up(endpoint: &str) -> bool {
    endpoint.contains("user/get_userid_by_email") || endpoint.contains("user/getuserid")
}

/// Whether it goes over an aibot's connection, where a call is named by its `cmd`.
pub(crate) fn is_of_aibot(endpoint: &str) -> bool {
    endpoint.starts_with("aibot_")
}

fn is_gettoken(endpoint: &str) -> bool {
    endpoint.contains("gettoken")
}

/// The text of an `errmsg` without its common end: from `, hint: [` on each one has the call's id, the caller's address
/// and a link.
pub(crate) fn errmsg_text(errmsg: &str) -> &str {
    errmsg.split(", hint: [").next().unwrap_or(errmsg)
}

/// That text of an answer, or, if it is empty, the meaning of the code.
pub(crate) fn errmsg_or_meaning(answer: &Answer) -> &str {
    match errmsg_text(&answer.errmsg).trim() {
        "" => lookup(answer.errcode).map_or("no errmsg", |entry| entry.meaning),
        text => text,
    }
}

/// The address from which WeCom saw the call come, as in `…, from ip: 203.0.113.7, more info at …`.
///
/// The last one that is an address counts, since WeCom appends it to the text that the message quotes.
pub(crate) fn seen_ip(errmsg: &str) -> Option<String> {
    const LABEL: &str = "from ip:";
    // Lower case of ASCII only: every byte keeps its position.
    let lowered = errmsg.to_ascii_lowercase();
    lowered.rmatch_indices(LABEL).find_map(|(at, _)| {
        let rest = lowered.get(at + LABEL.len()..)?.trim_start().trim_start_matches('[');
        let end = rest.find(|c: char| !(c.is_ascii_hexdigit() || c == '.' || c == ':')).unwrap_or(rest.len());
        let address = rest.get(..end)?.trim_end_matches('.');
        address.parse::<IpAddr>().ok().map(|ip| ip.to_string())
    })
}

/// Whether WeCom says that it could not read the whole request, which it does even in answers whose `errcode` is 0.
///
/// Such an answer is not a success: what was not read was not sent (document path 90313).
pub(crate) fn warns_of_wrong_json(errmsg: &str) -> bool {
    errmsg.to_ascii_lowercase().contains("wrong json format")
}

#[cfg(test)]
mod tests;
