//! What can be read of a command line that the parser refuses: the command, and the options that a report needs.

use std::ffi::{OsStr, OsString};

use clap::Arg;

use wecom_alert::config::{Overrides, RawValue, Setting, ValueKind};

use super::args::{Command, definition};

/// What a report on a refused command line needs to know.
#[derive(Default)]
pub(crate) struct Unparsed {
    /// The first command that is named.
    pub(crate) command: Option<&'static str>,
    /// The options with a value; of these config, profile, output and log file count for a report.
    pub(crate) overrides: Overrides,
}

/// Reads the words before `--` and ignores unknown ones.
pub(crate) fn read_unparsed(arguments: &[OsString]) -> Unparsed {
    let root = definition();
    let known: Vec<&Arg> =
        root.get_arguments().chain(root.get_subcommands().flat_map(clap::Command::get_arguments)).collect();
    let mut unparsed = Unparsed::default();
    let mut words = arguments.iter().skip(1).map(OsString::as_os_str).take_while(|word| *word != "--");
    while let Some(word) = words.next() {
        let Some(text) = word.to_str() else { continue };
        if let Some((option, attached)) = valued_option(&known, text) {
            let value = attached.map(OsStr::new).or_else(|| words.next()).unwrap_or_default();
            unparsed.note(option.get_id().as_str(), value);
        } else if unparsed.command.is_none() {
            unparsed.command = Command::NAMES.into_iter().find(|name| *name == text);
        }
    }
    unparsed
}

impl Unparsed {
    fn note(&mut self, option: &str, value: &OsStr) {
        let Ok(setting) = option.parse::<Setting>() else { return };
        let value = match (setting.row().kind, value.to_str()) {
            (ValueKind::Path, _) => RawValue::Path(value.into()),
            (_, Some(text)) => RawValue::Text(text.to_owned()),
            (_, None) => return,
        };
        self.overrides = std::mem::take(&mut self.overrides).set(setting, value);
    }
}

/// The option with a value that this word is, and the value if it is in the same word.
pub(super) fn valued_option<'a, 'w>(known: &[&'a Arg], word: &'w str) -> Option<(&'a Arg, Option<&'w str>)> {
    // An option that requires `=` never takes the next word.
    let valued = |arg: &&&Arg| arg.get_action().takes_values() && !arg.is_require_equals_set();
    if let Some(long) = word.strip_prefix("--") {
        let (name, value) = long.split_once('=').map_or((long, None), |(name, value)| (name, Some(value)));
        let option = known.iter().filter(valued).find(|arg| arg.get_long() == Some(name))?;
        return Some((option, value));
    }
    // Short options in one word: flags, and at the end one that may take a value.
    let letters = word.strip_prefix('-')?;
    letters.char_indices().find_map(|(at, letter)| {
        let option = known.iter().filter(valued).find(|arg| arg.get_short() == Some(letter))?;
        let value = letters.get(at + letter.len_utf8()..).filter(|value| !value.is_empty());
        Some((*option, value.map(|value| value.strip_prefix('=').unwrap_or(value))))
    })
}

#[cfg(test)]
mod tests {
    use wecom_alert::config::{Environment, report_settings};

    use super::*;

    fn of(words: &[&str]) -> Unparsed {
        read_unparsed(&std::iter::once("app-send").chain(words.iter().copied()).map(OsString::from).collect::<Vec<_>>())
    }

    #[test]
    fn the_first_command_that_is_no_value() {
        let cases: [(&[&str], Option<&str>); 9] = [
            (&["webhook-send", "--bogus", "app-send"], Some("webhook-send")),
            (&["--bogus", "webhook-send", "app-send"], Some("webhook-send")),
            (&["-P", "app-send", "get-token", "x"], Some("get-token")),
            (&["-qP", "app-send", "get-token", "x"], Some("get-token")),
            (&["--profile=app-send", "upload-media"], Some("upload-media")),
            (&["-u", "get-token", "app-send"], Some("app-send")),
            (&["--safe", "get-token", "app-send"], Some("get-token")),
            (&["--bogus", "--", "app-send"], None),
            (&[], None),
        ];
        for (words, command) in cases {
            assert_eq!(of(words).command, command, "{words:?}");
        }
    }

    #[test]
    fn where_to_log_it() {
        let log_file = |words: &[&str]| report_settings(&of(words).overrides, &Environment::default()).log_file;
        assert_eq!(log_file(&["--log-file", "l", "--bogus"]), Some("l".into()));
        assert_eq!(log_file(&["webhook-send", "--bogus", "--log-file=l"]), Some("l".into()));
        assert_eq!(log_file(&["--", "--log-file=l"]), None);
    }

    #[test]
    fn how_to_print_it() {
        let cases: [(&[&str], [Option<&str>; 3]); 8] = [
            (&["--config", "c", "--profile", "p", "--output", "json"], [Some("c"), Some("p"), Some("json")]),
            (&["--config=c", "-P=p", "--output=json"], [Some("c"), Some("p"), Some("json")]),
            (&["get-token", "-xqPp", "--bogus"], [None, Some("p"), None]),
            (&["--title", "--output", "json"], [None, None, None]),
            (&["--bogus", "--output", "json"], [None, None, Some("json")]),
            (&["--output", "--", "json"], [None, None, Some("")]),
            (&["--", "--output", "json"], [None, None, None]),
            (&["-", "--output"], [None, None, Some("")]),
        ];
        for (words, [config, profile, output]) in cases {
            let overrides = of(words).overrides;
            assert_eq!(overrides.has(Setting::Config), config.is_some(), "{words:?}");
            let given = [Setting::Profile, Setting::Output].map(|setting| overrides.text(setting));
            assert_eq!(given, [profile, output], "{words:?}");
        }
    }
}
