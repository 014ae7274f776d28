//! Results as text for people: an explained code, the requests of a dry run, the entries of the outbox, the rows of `check`.

use wecom_alert::check::label;
use wecom_alert::clock::{self, at_ms};
use wecom_alert::delivery::{
    Check, CheckStatus, CodeKind, Explanation, GroupChat, ListedEntry, PlannedRequest, ShownEntry,
};
use wecom_alert::sanitize::one_line;
use wecom_alert::secret::Mask;

use super::wrap::{WIDTH, hanging};

/// A code on several lines, each with its name before it.
pub(super) fn explanation_text(known: &Explanation) -> String {
    let kind = match known.kind {
        CodeKind::Errcode => "errcode of WeCom",
        CodeKind::ExitCode => "exit code",
    };
    let (title, ends_with) = match (known.kind, known.ends_with) {
        (CodeKind::Errcode, Some((code, status))) => (kind.to_owned(), Some(format!("exit code {code} ({status})"))),
        (CodeKind::ExitCode, Some((_, status))) => (format!("{kind} ({status})"), None),
        (_, None) => (kind.to_owned(), None),
    };
    let lines = [
        ("meaning", Some(known.meaning.as_str())),
        ("cause", Some(known.cause)),
        ("to do", Some(known.next)),
        ("ends with", ends_with.as_deref()),
        ("see", known.url.as_deref()),
    ];
    let shown = lines.iter().filter_map(|(name, text)| {
        let text = hanging((*text)?, NAMES, NAMES, WIDTH);
        Some(format!("{:NAMES$}{text}\n", format!("  {name}")))
    });
    format!("{}: {title}\n{}", known.code, shown.collect::<String>())
}

/// The columns of the names before an explanation.
const NAMES: usize = 13;

/// The requests of a dry run, each with its body below it.
pub(super) fn plan_text(requests: &[PlannedRequest], mask: &Mask) -> String {
    let mut text = String::new();
    for request in requests {
        text.push_str(&format!("{} {}\n", request.method, request.path));
        if !request.body.is_null() {
            let body = mask.apply_to_all(request.body.clone());
            text.push_str(&serde_json::to_string_pretty(&body).unwrap_or_default());
            text.push('\n');
        }
    }
    text
}

/// A group chat on a line: `chatid name owner members`, separated by tabs, members by commas.
pub(super) fn chat_line(chat: &GroupChat) -> String {
    let fields = [&chat.chatid, &chat.name, &chat.owner].map(|field| one_line(field));
    format!("{}\t{}\n", fields.join("\t"), one_line(&chat.userlist.join(",")))
}

/// A group chat for people.
pub(super) fn chat_table(chat: &GroupChat, mask: &Mask) -> String {
    let members = format!("{} ({})", chat.userlist.join(", "), chat.userlist.len());
    let lines = [("chat", &chat.chatid), ("name", &chat.name), ("owner", &chat.owner), ("members", &members)];
    let line = |(name, value): (&str, &String)| {
        format!("{name:9} {}\n", hanging(&one_line(&mask.apply(value)), 10, 10, WIDTH))
    };
    lines.into_iter().map(line).collect()
}

/// Entries of the outbox for people: a head, and two lines or more for each.
pub(super) fn entries_table(entries: &[ListedEntry], mask: &Mask) -> String {
    let Some(longest) = entries.iter().map(|entry| entry.id.len()).max() else { return String::new() };
    let indented = |text: &str| format!("  {}\n", hanging(&one_line(&mask.apply(text)), 2, 2, WIDTH));
    let mut table = format!("{:longest$}  STATE    STORED, TITLE, TARGET AND REASON\n", "ID");
    for entry in entries {
        let ListedEntry { id, state, attempts, .. } = entry;
        let stored_at = entry.queued_at_ms.map_or("-".to_owned(), |ms| clock::date(at_ms(ms)));
        table.push_str(&format!("{id:longest$}  {state:7}  {stored_at}\n"));
        table.extend(entry.title.as_deref().map(indented));
        let attempts = if *attempts == 1 { "1 attempt".to_owned() } else { format!("{attempts} attempts") };
        let reason = entry.reason.as_deref().unwrap_or("not tried yet");
        table.push_str(&indented(&format!("{}, {attempts}: {reason}", target(entry))));
    }
    table
}

/// `webhook-send, profile ops`.
fn target(entry: &ListedEntry) -> String {
    let command = if entry.command.is_empty() { "-" } else { &entry.command };
    entry
        .profile
        .as_ref()
        .map_or_else(|| format!("{command}, environment"), |profile| format!("{command}, profile {profile}"))
}

/// An entry of the outbox with all that is known of it; its text as it is, line by line.
pub(super) fn shown_text(entry: &ShownEntry, mask: &Mask) -> String {
    let listed = &entry.listed;
    let at = |ms: Option<u64>| ms.map(|ms| clock::date(at_ms(ms)));
    let ids = entry.recipients.iter().map(|(field, ids)| format!("{field} {ids}")).collect::<Vec<_>>().join(", ");
    let arrived = if entry.may_have_arrived { ", it may have arrived" } else { "" };
    let once = if entry.at_most_once { ", at most once" } else { "" };
    let lines = [
        ("id", Some(listed.id.clone())),
        ("state", Some(format!("{}{arrived}{once}", listed.state))),
        ("stored", at(listed.queued_at_ms)),
        ("target", (!listed.command.is_empty()).then(|| target(listed))),
        ("to", (!ids.is_empty()).then_some(ids)),
        ("attempts", Some(listed.attempts.to_string())),
        ("last", at(entry.last_attempt_ms)),
        ("error", listed.reason.clone()),
        ("file", Some(entry.file.display().to_string())),
    ];
    let mut text = String::new();
    for (name, value) in lines {
        let Some(value) = value else { continue };
        text.push_str(&format!("{name:9} {}\n", hanging(&one_line(&mask.apply(&value)), 10, 10, WIDTH)));
    }
    for (at, part) in entry.parts.iter().enumerate() {
        let file = part.file.as_ref().map(|(name, size)| format!(", {name} ({size} bytes)")).unwrap_or_default();
        let msgtype = part.msgtype.as_deref().unwrap_or("unreadable");
        let about = format!("part {}: {}, {msgtype}{file}, {}", at + 1, part.kind.as_str(), part.state);
        text.push_str(&format!("\n{}\n", one_line(&mask.apply(&about))));
        let content = match (&part.text, part.file.is_some()) {
            (Some(content), _) => content.clone(),
            (None, true) => String::new(),
            (None, false) => serde_json::to_string_pretty(&part.content).unwrap_or_default(),
        };
        for line in content.lines() {
            text.push_str(&format!("  {}\n", one_line(&mask.apply(line))));
        }
    }
    text
}

/// An entry of the outbox on a line: id, state, when, attempts, errcode, command, profile, why it is there, and its title.
pub(super) fn entry_line(entry: &ListedEntry) -> String {
    let queued_at = entry.queued_at_ms.map_or("-".to_owned(), |ms| clock::date(at_ms(ms)));
    let errcode = entry.errcode.map_or("-".to_owned(), |errcode| errcode.to_string());
    let command = if entry.command.is_empty() { "-" } else { &entry.command };
    let profile = entry.profile.as_deref().unwrap_or("(environment)");
    let reason = entry.reason.as_deref().unwrap_or("not tried yet");
    let title = entry.title.as_ref().map_or(String::new(), |title| format!("  {title}"));
    let ListedEntry { id, state, attempts, .. } = entry;
    one_line(&format!(
        "{id}  {state}  {queued_at}  attempts {attempts}  errcode {errcode}  {command}  {profile}  {reason}{title}"
    ))
}

/// The table of `check`: each check with what to do next, what comes twice once, and the end of it. Only the first two columns are aligned: they hold
/// names and signs of this program, one column wide for each character. Text from outside comes last on its line.
pub(super) fn check_table(checks: &[Check], mask: &Mask, home: Option<&str>, with_colours: bool) -> String {
    let names = checks.iter().map(|check| check.name.len()).max().unwrap_or(0);
    let column = names + "✓   ".chars().count();
    let shown = |text: &str, behind: usize| {
        let text = one_line(&mask.apply(text));
        hanging(&home.map_or(text.clone(), |home| with_tilde(&text, home)), column + behind, column + behind, WIDTH)
    };
    let mut text = String::new();
    for (at, check) in checks.iter().enumerate() {
        let sign = sign(check.status, with_colours);
        text.push_str(&format!("{sign} {:names$}  {}\n", label(check.name), shown(&check.detail, 0)));
        let Some(hint) = &check.hint else { continue };
        let before = checks.iter().take(at).find(|before| before.hint.as_ref() == Some(hint));
        let hint = before.map_or_else(|| hint.clone(), |before| format!("as for {}", label(before.name)));
        text.push_str(&format!("{:column$}hint: {}\n", "", shown(&hint, "hint: ".len())));
    }
    text + &closing_line(checks)
}

/// Checks that prove nothing about sending where they are skipped: there is nothing to look at.
const NO_PROOF: [&str; 3] = ["language", "permissions", "tls"];

/// What is to be done first.
fn closing_line(checks: &[Check]) -> String {
    let of = |status: CheckStatus| checks.iter().filter(move |check| check.status == status);
    let (failed, warned) = (of(CheckStatus::Failed).count(), of(CheckStatus::Warning).count());
    // An address that is not trusted is why the checks before it failed.
    let address = of(CheckStatus::Failed).find(|check| check.name == "ip");
    let first = address
        .into_iter()
        .chain(of(CheckStatus::Failed))
        .chain(of(CheckStatus::Warning))
        .next()
        .map(|check| label(check.name));
    let counts = [(failed, "failed"), (warned, if warned == 1 { "warning" } else { "warnings" })];
    let counts = counts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}"));
    match first {
        None => {
            let unproven = of(CheckStatus::Skipped).filter(|check| !NO_PROOF.contains(&check.name));
            match unproven.map(|check| label(check.name)).collect::<Vec<_>>().join(", ") {
                names if names.is_empty() => "\nNothing is wrong.\n".to_owned(),
                names => format!("\nNothing is wrong; not checked: {names}.\n"),
            }
        }
        Some(first) => format!("\n{}. Begin with: {first}\n", counts.collect::<Vec<_>>().join(", ")),
    }
}

/// The text with `~` for the home folder where a path begins with it.
fn with_tilde(text: &str, home: &str) -> String {
    let starts = |before: Option<char>| before.is_none_or(|c| c.is_whitespace() || "\"'(=:".contains(c));
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(home).filter(|_| home.len() > 1) {
        let (before, behind) = (&rest[..at], &rest[at + home.len()..]);
        let is_path = starts(before.chars().next_back()) && behind.chars().next().is_none_or(|c| !c.is_alphanumeric());
        shown.push_str(before);
        shown.push_str(if is_path { "~" } else { home });
        rest = behind;
    }
    shown + rest
}

fn sign(status: CheckStatus, with_colours: bool) -> String {
    let (sign, colour) = match status {
        CheckStatus::Ok => ('✓', Some(32)),
        CheckStatus::Warning => ('!', Some(33)),
        CheckStatus::Failed => ('✗', Some(31)),
        CheckStatus::Skipped => ('-', None),
    };
    match colour.filter(|_| with_colours) {
        Some(colour) => format!("\x1b[{colour}m{sign}\x1b[0m"),
        None => sign.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use wecom_alert::secret::Secret;

    use super::*;

    fn checks() -> Vec<Check> {
        let check = |name, status, detail: &str, hint: Option<&str>| Check {
            name,
            status,
            detail: detail.to_owned(),
            hint: hint.map(str::to_owned),
        };
        vec![
            check("dns", CheckStatus::Ok, "告警 \x1b[31mred", None),
            check("webhook_key", CheckStatus::Failed, "it is test-s3cret", Some("not test-s3cret\nagain")),
            check("tls", CheckStatus::Warning, "a", Some("b")),
            check("tcp", CheckStatus::Skipped, "c", None),
        ]
    }

    fn mask() -> Mask {
        let mask = Mask::default();
        mask.add(&Secret::new("test-s3cret"));
        mask
    }

    #[test]
    fn columns_are_aligned_and_text_from_outside_is_harmless() {
        let expected = "\
✓ dns          告警 [31mred
✗ webhook key  it is ***
               hint: not *** again
! tls          a
               hint: b
- tcp          c

1 failed, 1 warning. Begin with: webhook key
";
        assert_eq!(check_table(&checks(), &mask(), None, false), expected);
    }

    #[test]
    fn a_table_keeps_to_the_width_and_says_a_hint_once() {
        let long =
            "the config file /home/me/.config/wecom-alert/config.toml of /home/meier is used for a long sentence here";
        let check = |name, status, detail: &str, hint: &str| Check {
            name,
            status,
            detail: detail.to_owned(),
            hint: Some(hint.to_owned()),
        };
        let hint = "add 203.0.113.7 under 应用管理 → the app → 企业可信IP and wait about a minute for the change";
        let checks = [
            check("config", CheckStatus::Warning, long, "none"),
            check("token", CheckStatus::Failed, "x", hint),
            check("agent", CheckStatus::Failed, "y", hint),
        ];
        let expected = "\
! config  the config file ~/.config/wecom-alert/config.toml of /home/meier is
          used for a long sentence here
          hint: none
✗ token   x
          hint: add 203.0.113.7 under 应用管理 → the app → 企业可信IP and wait
                about a minute for the change
✗ agent   y
          hint: as for token

2 failed, 1 warning. Begin with: token
";
        assert_eq!(check_table(&checks, &mask(), Some("/home/me"), false), expected);
    }

    #[test]
    fn only_signs_have_colours() {
        let coloured = check_table(&checks(), &mask(), None, true);
        for sign in ["\x1b[32m✓\x1b[0m", "\x1b[31m✗\x1b[0m", "\x1b[33m!\x1b[0m", "\n- tcp"] {
            assert!(coloured.contains(sign), "{coloured:?}");
        }
        assert_eq!(coloured.matches('\x1b').count(), 6, "{coloured:?}");
    }
}
