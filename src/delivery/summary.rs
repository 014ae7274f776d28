//! What is said of a message that not all got, or of which not all parts went out. Pure.

use serde_json::Value;

use super::account::PartAccount;
use super::outcome::Unreached;
use crate::error::{Error, Status};
use crate::message::recipients::RecipientKind;
use crate::message::{PartKind, recipients};

/// Whether nobody whom a message names is left. Userids come back in lower case; `@all` never comes back.
pub(super) fn all_among(body: &Value, unreached: &Unreached) -> bool {
    let lost = |kind: RecipientKind, id: &str| {
        let lists = match kind {
            RecipientKind::User => [&unreached.invaliduser[..], &unreached.unlicenseduser],
            RecipientKind::Party => [&unreached.invalidparty[..], &[]],
            RecipientKind::Tag => [&unreached.invalidtag[..], &[]],
        };
        lists.iter().any(|list| list.iter().any(|lost| lost.eq_ignore_ascii_case(id)))
    };
    let mut named = recipients(body).peekable();
    named.peek().is_some() && named.all(|(kind, id)| lost(kind, id))
}

/// Names those who did not get it.
pub(super) fn not_reached(reached_nobody: bool, unreached: &Unreached) -> Error {
    let hint = if unreached.unlicenseduser.is_empty() {
        "correct these ids, or add them under 应用管理 → the app → 可见范围 and send to them again"
    } else {
        "buy or assign an interface licence for the unlicensed members; correct other ids or add them under 应用管理 → the app → 可见范围"
    };
    let what = if reached_nobody { "WeCom took it, but nobody gets it" } else { "sent, but not to all" };
    Error::new(Status::Partial, format!("{what}: {}", named(unreached))).with_hint(hint)
}

/// Names the parts that were not sent, when something was: `sent` parts whole, and `consents` requests in all.
pub(super) fn partly_sent(parts: &[PartAccount], sent: usize, consents: usize, unreached: &Unreached) -> Error {
    let count = parts.len();
    let mut missing: Vec<String> = Vec::new();
    for (index, part) in parts.iter().enumerate() {
        let told =
            |failed: &super::attempts::Failed| format!("{} ({})", title(part, index, count), failed.error.message());
        missing.extend(part.failures.iter().map(told));
    }
    missing.extend(titles_of_skipped(parts));
    let sent = match sent {
        0 if consents == 0 => "no part was sent".to_owned(),
        sent => format!("{sent} of {count} parts sent whole"),
    };
    let mut message = format!("{sent}; not sent: {}", missing.join(", "));
    if !unreached.is_empty() {
        message = format!("{message}; {}", named(unreached));
    }
    let last = parts.iter().flat_map(|part| &part.failures).last().map(|failed| &failed.error);
    // Where nothing was taken, what came last decides: it is what a second try would meet.
    let status = last.filter(|_| consents == 0).map_or(Status::Partial, Error::status);
    match last {
        Some(last) => last.about(status, message),
        None => Error::new(status, message),
    }
}

/// Those that were not tried: parts of a long text as a range, files by their names.
fn titles_of_skipped(parts: &[PartAccount]) -> Vec<String> {
    let count = parts.len();
    let skipped: Vec<usize> = (0..count).filter(|index| parts[*index].is_skipped()).collect();
    let is_file = |index: &usize| parts[*index].kind == PartKind::Attachment;
    let (files, messages): (Vec<usize>, Vec<usize>) = skipped.iter().partition(|index| is_file(index));
    let mut titles = match messages.as_slice() {
        [first, .., last] => vec![format!("parts {} to {} of {count}", first + 1, last + 1)],
        some => some.iter().map(|index| title(&parts[*index], *index, count)).collect(),
    };
    titles.extend(files.iter().map(|index| title(&parts[*index], *index, count)));
    titles
}

/// What a report calls a part, `index` counted from 0 among `count` parts.
fn title(part: &PartAccount, index: usize, count: usize) -> String {
    match (&part.name, part.kind) {
        (Some(name), PartKind::Attachment) => format!("attachment {name}"),
        _ => format!("part {} of {count}", index + 1),
    }
}

fn named(unreached: &Unreached) -> String {
    let lists = [
        ("invaliduser", &unreached.invaliduser),
        ("invalidparty", &unreached.invalidparty),
        ("invalidtag", &unreached.invalidtag),
        ("unlicenseduser", &unreached.unlicenseduser),
    ];
    let named: Vec<String> = lists
        .iter()
        .filter(|(_, ids)| !ids.is_empty())
        .map(|(name, ids)| format!("{name} {}", ids.join(", ")))
        .collect();
    named.join("; ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_message_that_lost_all_its_recipients_is_known() {
        let body = json!({ "touser": "ZhangSan|lisi", "toparty": "1" });
        let lost = |users: &[&str], unlicensed: &[&str], parties: &[&str]| {
            let list = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect();
            let unreached = Unreached {
                invaliduser: list(users),
                unlicenseduser: list(unlicensed),
                invalidparty: list(parties),
                ..Unreached::default()
            };
            all_among(&body, &unreached)
        };
        assert!(lost(&["zhangsan", "lisi"], &[], &["1"]) && lost(&["zhangsan"], &["lisi"], &["1"]));
        assert!(!lost(&["zhangsan", "lisi"], &[], &[]) && !lost(&["lisi"], &[], &["1"]));
        assert!(!all_among(&json!({ "touser": "" }), &Unreached::default()));
    }
}
