//! Command lines that cannot be understood: the parser's complaint in this program's own form.

use std::ffi::OsString;

use clap::error::{ContextKind, ErrorKind};

use wecom_alert::config::Output;
use wecom_alert::error::Error;

use super::args::Command;
use super::output::Manner;

/// The parser's complaint as an error of ours: one line, and what to do next.
pub(crate) fn explain(error: &clap::Error) -> Error {
    let rendered = error.render().to_string();
    let complaint = rendered.split("\n\n").next().unwrap_or_default();
    let words: Vec<&str> = complaint.trim_start_matches("error:").split_whitespace().collect();
    let mut message = words.join(" ");
    if matches!(error.kind(), ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand | ErrorKind::MissingSubcommand) {
        message = format!("no command was given; there are {}", Command::NAMES.join(", "));
    }
    Error::usage(message, hint(error, &rendered))
}

fn hint(error: &clap::Error, rendered: &str) -> String {
    let argument = error.get(ContextKind::InvalidArg).map(ToString::to_string).unwrap_or_default();
    let tip = rendered.lines().find_map(|line| line.trim().strip_prefix("tip: ")).map(str::to_owned);
    if error.kind() == ErrorKind::UnknownArgument && is_credential(&argument) {
        return "credentials are never options, since other users can read a command line: use the config file, or \
                WECOM_ALERT_SECRET[_FILE] and WECOM_ALERT_WEBHOOK[_FILE]"
            .to_owned();
    }
    if error.kind() == ErrorKind::UnknownArgument && argument.starts_with('-') {
        let own = "text that begins with - goes after --, as in: wecom-alert webhook-send -- '-5 degrees'";
        return match tip.filter(|tip| tip.contains("similar")) {
            Some(tip) => format!("{tip}; {own}"),
            None => own.to_owned(),
        };
    }
    if error.kind() == ErrorKind::UnknownArgument {
        return "quote the text, so that it is one argument".to_owned();
    }
    tip.unwrap_or_else(|| "wecom-alert --help, or wecom-alert COMMAND --help, shows the options".to_owned())
}

fn is_credential(argument: &str) -> bool {
    ["--secret", "--corp-secret", "--corpsecret", "--webhook", "--key", "--token", "--access-token"]
        .iter()
        .any(|name| argument.starts_with(name))
}

/// How to print a mistake: what was asked for, as far as that can be told.
pub(crate) fn manner(arguments: &[OsString]) -> Manner {
    let before_text = arguments.iter().take_while(|argument| *argument != "--");
    let words: Vec<&str> = before_text.filter_map(|argument| argument.to_str()).collect();
    let json = words.contains(&"--output=json") || words.windows(2).any(|pair| pair == ["--output", "json"]);
    let output = if json { Output::Json } else { Output::Text };
    Manner { output, quiet: false, verbose: false }
}

/// The command that was meant, if one was named.
pub(crate) fn command(arguments: &[OsString]) -> Option<&'static str> {
    Command::NAMES.into_iter().find(|name| arguments.iter().any(|argument| argument == name))
}
