//! The program's own words in English.

use super::{Failure, Words};

pub(super) static WORDS: Words = Words {
    colon: ": ",
    comma: ", ",
    name_comma: ", ",
    brackets: ["[", "] "],
    parentheses: [" (", ")"],
    units: crate::clock::UNITS,

    info: "[INFO]",
    ok: "[OK]",
    warning: "[WARNING]",
    critical: "[CRITICAL]",

    details: "Details",
    picture: "Picture",
    submit: "Submit",
    card_source: "source",

    link: "link",
    image: "image",
    attachment: "attachment",
    template: "template",
    without_template: "it could not be used; this is the built-in layout",
    host: "host",
    command: "command",
    exit_code: "exit code",
    signal: "signal",
    ended_by: "ended by",
    error: "error",
    duration: "duration",
    started: "started",
    failed_since: "failed since",
    repository: "repository",
    branch: "branch",
    tag: "tag",
    commit: "commit",
    author: "author",
    job: "job",

    succeeded: "succeeded",
    failed: "failed",
    canceled: "canceled",
    recovered: "recovered",
    not_started: "could not be started",
    ended_somehow: "ended, and it is not known how",
    failed_with: |code| format!("failed: exit code {code}"),
    killed_by: |signal| format!("killed by {signal}"),
    timed_out: |limit| format!("timed out after {limit}"),

    still_running: |id| format!("it could not be ended, and runs on as process {id}"),
    why_not_started: |_, why| why.to_owned(),
    has_windows_line_ends: "; its name ends with a carriage return, since the script has Windows line ends: remove them",
    has_no_name: "; the name of the program is empty: is a variable empty?",
    is_shell_word: "; this is a word of the shell: write -- sh -c 'LINE'",
    is_shell_line: "; this looks like a line for a shell: write -- sh -c 'LINE'",
    needs_whole_path: "; write its whole path, for PATH is short under cron and systemd",

    last_lines: |shown, all| format!("[last {shown} of {all} lines]"),
    left_out: |bytes| format!("[… {bytes} bytes left out …]"),
    whole_text_in: |first, last| match last {
        Some(last) => format!("the whole text follows as {first} to {last}"),
        None => format!("the whole text follows as {first}"),
    },
    text_file: |host, time| format!("alert-{host}-{time}"),
    file_number: |number, count| format!("-{number}of{count}"),

    missing_file: |_, _, why| why.to_owned(),
    old_file: |name, at| format!("{name} is from before this run: it was last written on {at}"),

    firing: "FIRING",
    resolved: "RESOLVED",
    counted: |word, count| format!("{word}:{count}"),
    more: |count| format!("+{count} more"),
    more_names: |names, more, _| format!("{names} +{more}"),
    nameless: |system| format!("{system} alert"),
    more_alerts: |count| match count {
        1 => "1 more alert is not in this notification".to_owned(),
        more => format!("{more} more alerts are not in this notification"),
    },
    values: "values",
    since: |time| format!("since {time}"),
    until: |time| format!("until {time}"),
    period_comma: " ",
    source: "source",
    panel: "panel",
    dashboard: "dashboard",
    silence: "silence",

    delayed: |age, at| format!("[delayed {age}, {at}] "),
    next_is_late: "the next message is late",
    held_back: |count, since| {
        let repeats = if count == 1 { "repeat" } else { "repeats" };
        format!("[{count} {repeats} held back since {since}]")
    },
    fallback: |channel, failure| match failure {
        Failure::Errcode(code) => format!("[fallback: {channel} {code}]"),
        Failure::Status(status) => format!("[fallback: {channel} {}]", status.as_str()),
    },
    app: "app",
    webhook: "webhook",
    chat: "app chat",
    aibot: "aibot",

    test_message: |host, at| format!("wecom-alert check: this is a test from {host} at {at}"),
    environment: "environment",
};
