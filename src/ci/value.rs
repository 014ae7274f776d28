//! Values of CI variables as people read them: patterns filled, short names, no logins.

use chrono::DateTime;
use percent_encoding::percent_decode_str;
use url::Url;

use crate::address::without_login;
use crate::input::clean;
use crate::sanitize::{excerpt, one_line, replace_logins};

/// The longest value, in characters.
const LONGEST: usize = 200;

/// The longest address, in bytes: the limit of WeCom (document path 90236).
const LONGEST_URL: usize = 2048;

/// How many characters of a commit's name are shown.
const SHORT: usize = 8;

/// The longest duration of a run that is believed, in seconds: beyond it the start means something else, or a clock is wrong.
const LONGEST_RUN: u64 = 7 * 24 * 60 * 60;

/// The variable's value. Empty ones count as not set, and so does `false`, which some systems write for "none".
pub(super) fn set(get: &impl Fn(&str) -> Option<String>, name: &str) -> Option<String> {
    get(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty() && value != "false")
}

/// Whether a variable is set (`A`), or has that value (`A=b`).
pub(super) fn holds(condition: &str, get: &impl Fn(&str) -> Option<String>) -> bool {
    match condition.split_once('=') {
        Some((name, value)) => set(get, name).as_deref() == Some(value),
        None => set(get, condition).is_some(),
    }
}

/// Text with variables in it: `{A} #{B}` needs both; `{%A}` is decoded (`%2F`); `{?A}` needs A and shows nothing, `{?A=b}`
/// needs that value, `{!A=b}` another one. Of several, the best is first.
pub(super) type Patterns = &'static [&'static str];

/// The first pattern of which all variables are set, with their values.
pub(super) fn first(patterns: Patterns, get: &impl Fn(&str) -> Option<String>) -> Option<String> {
    patterns.iter().find_map(|pattern| filled(pattern, get))
}

fn filled(pattern: &str, get: &impl Fn(&str) -> Option<String>) -> Option<String> {
    let mut pieces = pattern.split('{');
    let mut text = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (name, behind) = piece.split_once('}')?;
        if let Some(condition) = name.strip_prefix('?') {
            holds(condition, get).then_some(())?;
        } else if let Some(condition) = name.strip_prefix('!') {
            (!holds(condition, get)).then_some(())?;
        } else if let Some(name) = name.strip_prefix('%') {
            text.push_str(&percent_decode_str(&set(get, name)?).decode_utf8_lossy());
        } else {
            text.push_str(&set(get, name)?);
        }
        text.push_str(behind);
    }
    Some(text)
}

/// A value on one line, without the user and password of an address, and shortened.
pub(super) fn shown(text: &str) -> String {
    let text = one_line(&clean(text));
    let text = replace_logins(text.trim(), |_, _| Some(""));
    excerpt(&text, LONGEST)
}

/// An http(s) address without user and password.
pub(super) fn url(text: &str) -> Option<String> {
    without_login(text).map(|url| url.to_string()).filter(|url| url.len() <= LONGEST_URL)
}

/// `owner/name`, from this or from a repository's address: `https://…/owner/name.git`, `git@host:owner/name.git`.
pub(super) fn repository(text: &str) -> String {
    let path = match (Url::parse(text), text.split_once(':')) {
        (Ok(url), _) if url.has_host() => url.path().to_owned(),
        (_, Some((login, path))) if login.contains('@') => path.to_owned(),
        _ => text.to_owned(),
    };
    let path = path.trim_matches('/');
    path.strip_suffix(".git").unwrap_or(path).to_owned()
}

/// The name of a branch without `refs/heads/` and the like.
pub(super) fn branch(text: &str, remote: &str) -> String {
    let name = text.strip_prefix("refs/heads/").or_else(|| text.strip_prefix("refs/remotes/")).unwrap_or(text);
    // `refs/pull/7/merge`: no branch, but it says what was built.
    let name = name.strip_prefix("refs/").unwrap_or(name);
    name.strip_prefix(remote).unwrap_or(name).to_owned()
}

/// A commit's short name; `HEAD` is none.
pub(super) fn commit(text: &str) -> Option<String> {
    let is_name = text.len() >= SHORT && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    match (is_name, text) {
        (true, _) => Some(text[..SHORT].to_owned()),
        (false, "HEAD") => None,
        (false, _) => Some(text.to_owned()),
    }
}

/// The name of a person without the address in `Name <mail>`.
pub(super) fn person(text: &str) -> String {
    match text.split_once('<') {
        Some((name, _)) if !name.trim().is_empty() => name.trim().to_owned(),
        _ => text.to_owned(),
    }
}

/// The result of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CiStatus {
    Succeeded,
    Failed,
    Canceled,
}

/// The result of a run, from a word or an exit code.
pub(super) fn status(text: &str) -> Option<CiStatus> {
    match text.to_ascii_lowercase().as_str() {
        "success" | "succeeded" | "succeededwithissues" | "passed" | "0" => Some(CiStatus::Succeeded),
        "failed" | "failure" => Some(CiStatus::Failed),
        "canceled" | "cancelled" => Some(CiStatus::Canceled),
        code => code.parse::<i32>().ok().map(|_| CiStatus::Failed),
    }
}

/// The seconds since a start: seconds or milliseconds since 1970, or a date with its zone.
pub(super) fn duration(started: &str, now: u64) -> Option<u64> {
    let since = match started.parse::<u64>() {
        // In milliseconds, since in seconds it would be the year 5000.
        Ok(number) if number > 100_000_000_000 => number / 1000,
        Ok(number) => number,
        Err(_) => {
            let moment = DateTime::parse_from_rfc3339(&started.replacen(' ', "T", 1)).ok()?;
            u64::try_from(moment.timestamp()).ok()?
        }
    };
    now.checked_sub(since).filter(|seconds| *seconds <= LONGEST_RUN)
}
