//! What commands were asked for, as JSON, and the line of `--log-file`.

use std::ffi::OsString;
use std::time::{Instant, SystemTime};

use serde_json::{Map, Value, json};

use wecom_alert::channel::Channel;
use wecom_alert::clock::{self, at_ms};
use wecom_alert::delivery::{
    AskedQuestion, Check, Explanation, GivenAnswer, GroupChat, ListedEntry, Outcome, PlannedRequest, PreviewFinding,
    Product, ShownEntry, ShownPart,
};
use wecom_alert::explain;
use wecom_alert::sanitize::{excerpt, one_line};
use wecom_alert::secret::Mask;
use wecom_alert::send::LoggedMessage;

/// The data that a command was asked for, as fields of the document.
pub(super) fn product_json(product: &Product, mask: &Mask) -> Value {
    match product {
        // The rows of a listing come behind the other fields.
        Product::Listed(_) | Product::None | Product::Done(_) => Value::Null,
        // The token itself is what was asked for: it is not masked.
        Product::Token { access_token, expires_in, from_cache } => json!({
            "access_token": access_token.expose(),
            "expires_in": expires_in,
            "from_cache": from_cache,
        }),
        Product::Explained(explanations) => {
            json!({ "explanations": explanations.iter().map(explanation_json).collect::<Vec<_>>() })
        }
        Product::Asked(asked) => mask.apply_to_all(asked_json(asked, mask)),
        Product::Page(page) => json!({
            "page": page.html,
            "file": page.file.as_ref().map(|path| path.to_string_lossy()),
            "findings": mask.apply_to_all(page.findings.iter().map(preview_finding_json).collect()),
        }),
        Product::Userid(userid) => json!({ "userid": userid }),
        Product::Media { media_id, kind, created_at } => {
            json!({ "media_id": media_id, "type": kind, "created_at": created_at })
        }
        Product::CreatedChat { chatid, is_new, added, missing } => {
            let shown = |value: Value| mask.apply_to_all(value);
            json!({
                "chatid": shown(json!(chatid)),
                "created": is_new,
                "added": shown(json!(added)),
                "missing": shown(json!(missing)),
            })
        }
        Product::Chat(chat) => json!({ "chat": mask.apply_to_all(chat_json(chat)) }),
        Product::Entries(entries) => {
            json!({ "entries": mask.apply_to_all(entries.iter().map(entry_json).collect::<Vec<_>>().into()) })
        }
        Product::Shown(entry) => json!({ "entry": mask.apply_to_all(shown_json(entry)) }),
        Product::Flush { delivered, remaining, failed, .. } => {
            json!({ "delivered": delivered, "remaining": remaining, "failed": failed })
        }
        Product::Dropped(dropped) => json!({ "dropped": dropped }),
        Product::Plan(requests) => json!({ "requests": plan_json(requests, mask) }),
        Product::Checks(checks, None) => json!({ "checks": checks_json(checks, mask) }),
        Product::Checks(checks, Some(requests)) => {
            json!({ "checks": checks_json(checks, mask), "requests": plan_json(requests, mask) })
        }
    }
}

fn preview_finding_json(finding: &PreviewFinding) -> Value {
    json!({
        "route": finding.channel.as_str(),
        "message": finding.message,
        "refused": finding.is_refused,
        "problem": one_line(&finding.problem),
    })
}

fn chat_json(chat: &GroupChat) -> Value {
    json!({ "chatid": chat.chatid, "name": chat.name, "owner": chat.owner, "userlist": chat.userlist })
}

fn plan_json(requests: &[PlannedRequest], mask: &Mask) -> Value {
    let request = |request: &PlannedRequest| {
        json!({
            "method": request.method,
            "path": request.path,
            "body": mask.apply_to_all(request.body.clone()),
        })
    };
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
        "title": entry.title,
    })
}

/// The answer and the plan; of a dry run its requests too.
fn asked_json(asked: &AskedQuestion, mask: &Mask) -> Value {
    let at = |ms: u64| clock::stamp(at_ms(ms));
    let steps = asked
        .steps
        .iter()
        .map(|step| json!({ "target": step.target, "at": step.at_ms.map(at), "status": step.status }));
    let mut fields = json!({
        "id": asked.id,
        "answer": asked.answer.as_ref().map(|answer| answer_json(answer, &asked.id)),
        "steps": steps.collect::<Vec<_>>(),
    });
    if let Some(requests) = &asked.requests {
        fields["requests"] = plan_json(requests, mask);
    }
    fields
}

fn answer_json(answer: &GivenAnswer, id: &str) -> Value {
    let mut fields = json!({
        "key": answer.key,
        "text": answer.text,
        "options": answer.options,
        "userid": answer.userid,
        "name": answer.name,
        "via": answer.via,
        "at": clock::stamp(at_ms(answer.at_ms)),
        "id": id,
        "task_id": answer.task_id,
        "target": answer.target,
    });
    if let Some((unix_user, host)) = &answer.local {
        fields["unix_user"] = json!(unix_user);
        fields["host"] = json!(host);
    }
    fields
}

/// The fields of a list, and what is behind them.
fn shown_json(entry: &ShownEntry) -> Value {
    let mut shown = entry_json(&entry.listed);
    shown["last_attempt_at"] = json!(entry.last_attempt_ms.map(|ms| clock::stamp(at_ms(ms))));
    shown["may_have_arrived"] = json!(entry.may_have_arrived);
    shown["at_most_once"] = json!(entry.at_most_once);
    shown["recipients"] =
        entry.recipients.iter().map(|(field, ids)| (field.clone(), json!(ids))).collect::<Map<_, _>>().into();
    shown["file"] = json!(entry.file.to_string_lossy());
    let part = |(at, part): (usize, &ShownPart)| {
        json!({
            "index": at + 1,
            "kind": part.kind.as_str(),
            "state": part.state,
            "msgtype": part.msgtype,
            "text": part.text,
            "content": part.content,
            "file": part.file.as_ref().map(|(name, size)| json!({ "name": name, "size": size })),
        })
    };
    shown["parts"] = entry.parts.iter().enumerate().map(part).collect();
    shown
}

fn explanation_json(known: &Explanation) -> Value {
    json!({
        "code": known.code,
        "kind": <&str>::from(known.kind),
        "meaning": known.meaning,
        "cause": known.cause,
        "next": known.next,
        "exit_code": known.ends_with.map(|(code, _)| code),
        "status": known.ends_with.map(|(_, status)| status),
        "url": known.url,
    })
}

fn checks_json(checks: &[Check], mask: &Mask) -> Value {
    let shown = |text: &str| one_line(&mask.apply(text));
    let check = |check: &Check| {
        json!({
            "name": check.name,
            "status": <&str>::from(check.status),
            "detail": shown(&check.detail),
            "hint": check.hint.as_deref().map(shown),
        })
    };
    checks.iter().map(check).collect()
}

/// The line of `--log-file` for one command: no text of a message and no secret is in it.
pub(crate) fn log_line(
    command: Option<&str>,
    outcome: &Outcome,
    logged: Option<&LoggedMessage>,
    began: Instant,
    message: Option<String>,
) -> String {
    let text = logged.and_then(|logged| logged.text.as_ref());
    let msgids: Vec<&String> = outcome.parts.iter().flat_map(|part| &part.msgids).collect();
    // A single target is described by the fields of the command itself.
    let targets = outcome.targets.iter().filter(|_| outcome.targets.len() > 1).map(logged_target);
    let line = json!({
        "time": clock::stamp(SystemTime::now()),
        "pid": std::process::id(),
        "command": command,
        "profile": outcome.profile,
        "route": outcome.channel.map(Channel::as_str),
        "type": logged.map(|logged| &logged.msgtype),
        "bytes": text.map(|(bytes, _)| bytes),
        "sha256": text.map(|(_, sha256)| sha256),
        "status": outcome.status.as_str(),
        "exit_code": outcome.exit_code(),
        "errcode": outcome.answer.as_ref().map(|answer| answer.errcode),
        "message": message,
        "attempts": outcome.attempts,
        "msgids": msgids,
        "outbox_id": outcome.outbox_id,
        "targets": targets.collect::<Vec<_>>(),
        "ms": clock::in_ms(began.elapsed()),
    });
    line.to_string()
}

/// The result of one target.
fn logged_target(target: &Outcome) -> Value {
    json!({
        "profile": target.profile,
        "route": target.channel.map(Channel::as_str),
        "status": target.status.as_str(),
        "errcode": target.answer.as_ref().map(|answer| answer.errcode),
        "outbox_id": target.outbox_id,
    })
}

/// The most characters that the log file gets of an error.
const LONGEST_LOGGED: usize = 300;

/// What the log file says of a failure: what happened, without the words of the command line, which may be the text, and
/// without what WeCom quotes of it.
pub(crate) fn logged_message(
    outcome: &Outcome,
    command: Option<&str>,
    arguments: &[OsString],
    mask: &Mask,
) -> Option<String> {
    let error = outcome.error.as_ref()?;
    if let Some(answer) = error.answer() {
        let meaning = explain::meaning_of_errcode(answer.errcode);
        return Some(format!(
            "WeCom answered {}{}",
            answer.errcode,
            meaning.map_or(String::new(), |known| format!(": {known}"))
        ));
    }
    let words = arguments.iter().skip(1).filter_map(|word| word.to_str());
    let values = words.filter_map(|word| match word.strip_prefix('-') {
        Some(option) => option.split_once('=').map(|(_, value)| value),
        None => Some(word),
    });
    let is_text = |value: &&str| value.trim().len() > 2 && Some(*value) != command;
    // Numbers and addresses of people may stand in the settings too, or in what waits.
    let people = outcome.unreached.people().iter().map(String::as_str);
    let left_out = values.filter(is_text).chain(people);
    let message = left_out.fold(error.message().to_owned(), |message, value| message.replace(value, "…"));
    Some(excerpt(&one_line(&mask.apply(&message)), LONGEST_LOGGED))
}

#[cfg(test)]
mod tests {
    use wecom_alert::delivery::CheckStatus;
    use wecom_alert::secret::Secret;

    use super::*;

    #[test]
    fn checks_are_masked_and_on_one_line() {
        let mask = Mask::default();
        mask.add(&Secret::new("test-s3cret"));
        let check = |detail: &str, hint: Option<&str>| Check {
            name: "webhook_key",
            status: CheckStatus::Failed,
            detail: detail.to_owned(),
            hint: hint.map(str::to_owned),
        };
        let checks = [check("告警 \x1b[31mred", None), check("it is test-s3cret", Some("not test-s3cret\nagain"))];
        let told = checks_json(&checks, &mask);
        let second = json!({"name": "webhook_key", "status": "failed", "detail": "it is ***", "hint": "not *** again"});
        assert_eq!(
            (&told[1], &told[0]["hint"], told[0]["detail"].as_str()),
            (&second, &Value::Null, Some("告警  [31mred"))
        );
    }
}
