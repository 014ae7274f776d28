//! A command's end: its data on stdout, its messages on stderr, and the exit code. Secrets are masked in both. A defect and a
//! panic end like any other failure.

use std::io::{self, IsTerminal};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use wecom_alert::check::label;
use wecom_alert::clock::{self, at_ms};
use wecom_alert::config::{Output, ReportSettings};
use wecom_alert::delivery::{
    Check, CheckStatus, CodeKind, Explanation, ListedEntry, Outcome, PlannedRequest, Product, ShownEntry,
};
use wecom_alert::error::{Error, Status};
use wecom_alert::process;
use wecom_alert::run::FinishedCommand;
use wecom_alert::sanitize::one_line;
use wecom_alert::secret::Mask;

use super::json::{document, masked};
use super::output;
use super::stderr;
use super::wrap::{WIDTH, hanging};

/// A command that has ended.
pub(crate) struct Report<'a> {
    pub(crate) command: Option<&'static str>,
    pub(crate) outcome: Outcome,
    pub(crate) warnings: Vec<String>,
    pub(crate) mask: &'a Mask,
    /// The command that `run` has run.
    pub(crate) ran: Option<&'a FinishedCommand>,
    /// Whether a terminal may be shown colours.
    pub(crate) allows_colours: bool,
    /// The user's home folder, for which a text for people has `~`.
    pub(crate) home: Option<&'a str>,
}

impl<'a> Report<'a> {
    /// One without anything but the outcome.
    pub(crate) fn new(command: Option<&'static str>, outcome: Outcome, mask: &'a Mask) -> Self {
        Self { command, outcome, warnings: Vec::new(), mask, ran: None, allows_colours: false, home: None }
    }
}

/// Prints the result of a command and returns its exit code. Messages that cannot be printed are ignored; data that the
/// command was called to print are not: that is an error.
pub(crate) fn finish(report: &Report<'_>, how: &ReportSettings) -> u8 {
    stderr::wipe();
    let (outcome, exit_code) = (&report.outcome, report.outcome.exit_code());
    let Err(error) = print(report, how) else { return exit_code };
    // In text mode it was told before.
    if outcome.error.is_some() && how.output == Output::Json {
        print_messages(report, how);
    }
    // The reader has closed the pipe: no error.
    if error.kind() == io::ErrorKind::BrokenPipe {
        return exit_code;
    }
    if outcome.error.is_some() {
        stderr::say(report.mask, unwritable(&error).message());
        return exit_code;
    }
    if outcome.attempts > 0 {
        let done = describe_success(outcome).unwrap_or_default();
        let subject = subject(report);
        stderr::say(report.mask, &format!("{subject}: {done}; the result cannot be written to stdout: {error}"));
        return exit_code;
    }
    let outcome = Outcome { profile: outcome.profile.clone(), ..Outcome::from(unwritable(&error)) };
    let report = Report { ran: report.ran, ..Report::new(report.command, outcome, report.mask) };
    print_messages(&report, how);
    report.outcome.exit_code()
}

/// The failure of a command whose data cannot be printed.
pub(crate) fn unwritable(error: &io::Error) -> Error {
    Error::config(
        format!("the result cannot be written to stdout: {error}"),
        "check the disk or the reader behind stdout",
    )
}

fn print(report: &Report<'_>, how: &ReportSettings) -> io::Result<()> {
    match how.output {
        Output::Json => {
            // The document gets a line of its own, also where the command has left its last line without an end.
            let is_line_open = report.ran.is_some_and(|ran| ran.open_lines()[0]);
            let document = document(&report.outcome, &report.warnings, report.ran, report.mask);
            write_data(&format!("{}{document}", if is_line_open { "\n" } else { "" }))
        }
        Output::Text => {
            // A table is printed before the line that sums it up.
            let is_table = matches!(report.outcome.product, Product::Checks(..));
            let table = if is_table { write_data(&text_data(report)) } else { Ok(()) };
            print_messages(report, how);
            if is_table { table } else { write_data(&text_data(report)) }
        }
    }
}

/// What text mode says on stderr.
fn print_messages(report: &Report<'_>, how: &ReportSettings) {
    // As a shell reports it, independent of the alert.
    if let Some(why) = report.ran.and_then(FinishedCommand::why_not_started) {
        stderr::say(report.mask, &format!("run: {why}"));
    }
    if !how.quiet {
        for warning in &report.warnings {
            stderr::say(report.mask, &format!("warning: {warning}"));
        }
    }
    if let Some(error) = &report.outcome.error {
        let status = error.status().as_str();
        // A partial delivery that counts as success is no error, but is reported all the same.
        let word = if report.outcome.exit_code() == 0 { "warning" } else { "error" };
        stderr::say(report.mask, &format!("{word}[{status}]: {}: {}", subject(report), error.message()));
        if let Some(hint) = error.hint() {
            stderr::line(report.mask, &format!("hint: {hint}"));
        }
    } else if let (Some(ran), Status::Skipped, 0) = (report.ran, report.outcome.status, report.outcome.held_back) {
        // No alert was due: the output of the command is all there is.
        if how.verbose && !how.quiet {
            stderr::say(report.mask, &format!("{}: {}", subject(report), ran.described()));
        }
    } else if !how.quiet
        && (how.verbose || io::stderr().is_terminal())
        && let Some(done) = describe_success(&report.outcome)
    {
        stderr::say(report.mask, &format!("{}: {done}", subject(report)));
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

fn write_data(data: &str) -> io::Result<()> {
    output::to_stdout(data.as_bytes())
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
            Product::Entries(ref entries) if entries.is_empty() => Some("nothing waits".to_owned()),
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
        Product::Explained(explanations) => explanations.iter().map(explanation_text).collect::<Vec<_>>().join("\n"),
        Product::Entries(entries) if io::stdout().is_terminal() => entries_table(entries, report.mask),
        Product::Entries(entries) => entries.iter().map(|entry| report.mask.apply(&entry_line(entry)) + "\n").collect(),
        Product::Shown(entry) => shown_text(entry, report.mask),
        Product::Plan(requests) => plan_text(requests, report.mask),
        Product::Checks(checks, requests) => {
            let with_colours = report.allows_colours && io::stdout().is_terminal();
            let requests = requests.as_deref().unwrap_or_default();
            check_table(checks, report.mask, report.home, with_colours) + &plan_text(requests, report.mask)
        }
    }
}

/// A code on several lines, each with its name before it.
fn explanation_text(known: &Explanation) -> String {
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

/// Entries of the outbox for people: a head, and two lines or more for each.
fn entries_table(entries: &[ListedEntry], mask: &Mask) -> String {
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
fn shown_text(entry: &ShownEntry, mask: &Mask) -> String {
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
fn entry_line(entry: &ListedEntry) -> String {
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
fn check_table(checks: &[Check], mask: &Mask, home: Option<&str>, with_colours: bool) -> String {
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

/// What is to be done first.
fn closing_line(checks: &[Check]) -> String {
    let of = |status: CheckStatus| checks.iter().filter(move |check| check.status == status);
    let (failed, warned) = (of(CheckStatus::Failed).count(), of(CheckStatus::Warning).count());
    let first = of(CheckStatus::Failed).chain(of(CheckStatus::Warning)).next().map(|check| label(check.name));
    let counts = [(failed, "failed"), (warned, if warned == 1 { "warning" } else { "warnings" })];
    let counts = counts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}"));
    match first {
        None => "\nNothing is wrong.\n".to_owned(),
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

/// How the command prints its results, once that is known: a panic can come at any time.
static OUTPUT: OnceLock<Output> = OnceLock::new();

/// Remembers how a defect is to be printed. The first call counts.
pub(crate) fn remember_output(output: Output) {
    let _ = OUTPUT.set(output);
}

/// Whether a failed alert gives the exit code of `run`, as with `--alert-exit`.
static PREFERS_ALERT: AtomicBool = AtomicBool::new(false);

/// Remembers whose exit code counts for `run` if the alert fails.
pub(crate) fn remember_alert_exit(prefers_alert: bool) {
    PREFERS_ALERT.store(prefers_alert, Ordering::Relaxed);
}

/// The exit code after a panic, given that of the command of `run`, if there is one.
fn code_after_panic(defect: u8, of_command: Option<u8>, prefers_alert: bool) -> u8 {
    of_command.filter(|_| !prefers_alert).unwrap_or(defect)
}

/// Reports a defect that was noticed.
pub(crate) fn report_defect(error: &anyhow::Error) {
    finish_defect(format!("{error:#}"));
}

/// Makes a panic a report like any other, without the values that its message may hold. Under `run` the exit code stays that
/// of the command.
pub(crate) fn report_panics() {
    std::panic::set_hook(Box::new(|panic| {
        // Only the file's name: its folders are those of the machine where the program was built.
        let name = |file: &str| file.rsplit(['/', '\\']).next().unwrap_or_default().to_owned();
        let place = panic.location().map(|at| format!(" at {}:{}", name(at.file()), at.line())).unwrap_or_default();
        let defect = finish_defect(format!("this program broke{place}"));
        let of_command = process::exit_code_after_panic();
        std::process::exit(code_after_panic(defect, of_command, PREFERS_ALERT.load(Ordering::Relaxed)).into());
    }));
}

fn finish_defect(message: String) -> u8 {
    let how = ReportSettings { output: OUTPUT.get().copied().unwrap_or_default(), ..ReportSettings::default() };
    // The mask of the command cannot be used here; a place in the source holds no secret.
    finish(&Report::new(None, Outcome::from(Error::defect(message)), &Mask::default()), &how)
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

    #[test]
    fn a_panic_leaves_the_exit_code_of_the_command() {
        for (of_command, prefers_alert, code) in
            [(None, false, 1), (None, true, 1), (Some(0), false, 0), (Some(3), false, 3), (Some(3), true, 1)]
        {
            assert_eq!(code_after_panic(1, of_command, prefers_alert), code, "{of_command:?} {prefers_alert}");
        }
    }

    #[test]
    fn the_first_output_is_remembered() {
        remember_output(Output::Json);
        remember_output(Output::Text);
        assert_eq!(OUTPUT.get(), Some(&Output::Json));
    }
}
