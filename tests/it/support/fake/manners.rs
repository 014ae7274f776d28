//! Looks at a request before anybody judges what it asks for: the defects of a client that WeCom may even forgive.

use std::fmt::Write as _;

use super::json;
use super::records::{Endpoint, Seen};
use super::wire::Head;

/// The endpoint behind a path, its query, and what is wrong with the address.
pub fn read_target(
    head: &Head,
    prefix: &str,
    complaints: &mut Vec<String>,
) -> (Endpoint, String, Vec<(String, String)>) {
    let target = head.target.as_str();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let name = path.strip_prefix(prefix).and_then(|path| path.strip_prefix("/cgi-bin/"));
    let is_upgrade = head.header("upgrade").is_some() && matches!(path.strip_prefix(prefix), Some("" | "/"));
    let endpoint = match Endpoint::KNOWN.into_iter().find(|e| e.has_path() && name == Some(e.name())) {
        None if is_upgrade => Endpoint::AibotConnect,
        known => known.unwrap_or(Endpoint::Other),
    };
    if !target.bytes().all(|b| b.is_ascii_graphic()) {
        complaints.push("the address holds bytes that must be percent-encoded".into());
    }
    let pairs = query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decode(name, complaints), decode(value, complaints))
    });
    let pairs = pairs.collect();
    (endpoint, path.to_owned(), pairs)
}

/// Everything about the request that needs no knowledge of what it asks for.
pub fn inspect(seen: &Seen, head: &Head, secrets: &[String], complaints: &mut Vec<String>) {
    complaints.extend(head.oddities.iter().cloned());
    if seen.endpoint == Endpoint::Other {
        complaints.push(format!("nobody expected {} {}", seen.method, seen.path));
        return;
    }
    if seen.method != seen.endpoint.method() {
        complaints.push(format!("{} where {} belongs", seen.method, seen.endpoint.method()));
    }
    let allowed = seen.endpoint.parameters();
    for (i, (name, _)) in seen.query.iter().enumerate() {
        if !allowed.contains(&name.as_str()) {
            complaints.push(format!("the query parameter {name} does not belong there"));
        } else if seen.query[..i].iter().any(|(earlier, _)| earlier == name) {
            complaints.push(format!("the query parameter {name} comes twice"));
        }
    }
    inspect_headers(seen, head, secrets, complaints);
    if seen.endpoint.takes_json() {
        inspect_json(seen, secrets, complaints);
    }
}

/// Everything about an aibot's frame that needs no knowledge of what it asks for.
pub fn inspect_frame(seen: &Seen, text: &str, secrets: &[String], complaints: &mut Vec<String>) {
    inspect_text(text, complaints);
    // The one place for the secret is the subscription.
    if seen.endpoint != Endpoint::AibotSubscribe && secrets.iter().any(|secret| text.contains(secret.as_str())) {
        complaints.push("a credential in the frame".into());
    }
}

fn inspect_headers(seen: &Seen, head: &Head, secrets: &[String], complaints: &mut Vec<String>) {
    if head.header("host").is_none() {
        complaints.push("no Host header".into());
    }
    for (name, value) in &head.headers {
        if name == "authorization" || secrets.iter().any(|secret| value.contains(secret.as_str())) {
            complaints.push(format!("a credential in the header {name}"));
        }
    }
    if seen.chunked {
        complaints.push("a body in chunks: WeCom wants a Content-Length".into());
    } else if seen.method == "POST" && head.header("content-length").is_none() {
        complaints.push("a POST without Content-Length".into());
    }
    if seen.chunked && head.header("content-length").is_some() {
        complaints.push("both Transfer-Encoding and Content-Length".into());
    }
    if seen.endpoint == Endpoint::GetToken && !seen.body.is_empty() {
        complaints.push("a body with gettoken".into());
    }
    if seen.endpoint.takes_json() {
        let mut given = head.header("content-type").unwrap_or_default().split(';').map(str::trim);
        let is_json = given.next().is_some_and(|kind| kind.eq_ignore_ascii_case("application/json"));
        if !is_json || !given.all(|more| more.eq_ignore_ascii_case("charset=utf-8")) {
            complaints.push(format!("Content-Type is {:?}, not application/json", head.header("content-type")));
        }
    }
}

fn inspect_json(seen: &Seen, secrets: &[String], complaints: &mut Vec<String>) {
    let Ok(text) = std::str::from_utf8(&seen.body) else {
        complaints.push("the body is not UTF-8".into());
        return;
    };
    let parsed = serde_json::from_str::<serde_json::Value>(text);
    if !parsed.is_ok_and(|value| value.is_object()) {
        complaints.push("the body is not a JSON object".into());
        return;
    }
    inspect_text(text, complaints);
    if secrets.iter().any(|secret| text.contains(secret.as_str())) {
        complaints.push("a credential in the body".into());
    }
}

fn inspect_text(text: &str, complaints: &mut Vec<String>) {
    let found = json::scan(text);
    if !found.escapes.is_empty() {
        let mut line = String::from("escapes in the body where the characters themselves belong:");
        for escape in found.escapes.iter().take(5) {
            let _ = write!(line, " {escape}");
        }
        complaints.push(line);
    }
    for key in found.repeated_keys {
        complaints.push(format!("the key {key} comes twice in one object"));
    }
    if found.raw_controls {
        complaints.push("a control character in the body".into());
    }
}

/// Percent-decoding as a form has it.
fn decode(text: &str, complaints: &mut Vec<String>) -> String {
    let (mut bytes, mut rest) = (Vec::with_capacity(text.len()), text.as_bytes());
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        let hex = rest.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        match (byte, hex.and_then(|hex| u8::from_str_radix(hex, 16).ok())) {
            (b'%', Some(decoded)) => {
                bytes.push(decoded);
                rest = &rest[2..];
            }
            (b'%', None) => {
                complaints.push("a lone % in the query".into());
                bytes.push(b'%');
            }
            (b'+', _) => bytes.push(b' '),
            (other, _) => bytes.push(*other),
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| {
        complaints.push("the query is not UTF-8".into());
        String::new()
    })
}
