//! The program that is run for an event: what it gets, and what it says.

use serde_json::Value;

use super::event::ReceivedEvent;
use super::options::ListenRules;
use crate::clock::elapsed;
use crate::config::Environment;
use crate::process::{CommandEnd, PipedJob, run_piped, signal_name};
use crate::sanitize::{excerpt, one_line};
use crate::secret::Mask;
use crate::words::Words;

/// What a card shows of what a program says, in characters.
const LONGEST_SAID: usize = 200;

/// Of the service manager: what they are for is this process's business.
const OF_SYSTEMD: [&str; 3] = ["NOTIFY_SOCKET", "WATCHDOG_PID", "WATCHDOG_USEC"];

/// What became of an event.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Handled {
    /// In the language of the receiver.
    pub(super) said: Option<String>,
    /// How it failed, in English.
    pub(super) failure: Option<String>,
}

/// Runs the program of the rules for an event.
pub(super) async fn handle(
    rules: &ListenRules,
    event: &ReceivedEvent,
    document: &Value,
    words: &Words,
    mask: &Mask,
) -> Handled {
    let Some((program, arguments)) = &rules.program else { return Handled::default() };
    let mut hidden = Environment::from_process().secret_variables();
    hidden.extend(OF_SYSTEMD);
    // NUL cannot stand in a variable, and no id has one.
    let text = |text: &str| text.replace('\0', "");
    let job = PipedJob {
        program: program.clone(),
        arguments: arguments.clone(),
        hidden,
        variables: vec![
            ("WECOM_ALERT_EVENT_KEY", text(&event.press.key)),
            ("WECOM_ALERT_EVENT_TASK_ID", text(&event.press.task_id)),
            ("WECOM_ALERT_EVENT_USERID", text(&event.press.userid)),
            ("WECOM_ALERT_EVENT_CHANNEL", event.channel.as_str().to_owned()),
        ],
        input: format!("{document}\n").into_bytes(),
        time_limit: rules.exec_timeout,
    };
    let (end, line) = run_piped(&job).await;
    let said = excerpt(one_line(&mask.apply(&line)).trim(), LONGEST_SAID);
    Handled::of(&end, said, words)
}

impl Handled {
    fn of(end: &CommandEnd, said: String, words: &Words) -> Self {
        let (told, failure) = match end {
            CommandEnd::Exit(0) => return Self { said: Some(said).filter(|said| !said.is_empty()), failure: None },
            CommandEnd::Exit(code) => ((words.failed_with)(*code), format!("it failed with exit code {code}")),
            CommandEnd::Signal(number) => {
                let name = signal_name(*number);
                ((words.killed_by)(&name), format!("it was killed by {name}"))
            }
            CommandEnd::TimedOut { limit, .. } => {
                let limit = |units| elapsed(*limit, units);
                let english = limit(&crate::clock::UNITS);
                ((words.timed_out)(&limit(&words.units)), format!("it was ended at its time limit of {english}"))
            }
            CommandEnd::Unknown(why) => {
                (words.ended_somehow.to_owned(), format!("it is not known how it ended: {why}"))
            }
            CommandEnd::NotStarted { kind, why } => {
                let told = format!("{}{}{}", words.not_started, words.colon, (words.why_not_started)(*kind, why));
                (told, format!("it cannot be started: {why}"))
            }
        };
        let said = if said.is_empty() { told } else { format!("{told}{}{said}", words.colon) };
        Self { said: Some(said), failure: Some(failure) }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::process::Force;
    use crate::words::Language;

    #[test]
    fn what_a_program_says_and_how_it_failed() {
        let of = |end: CommandEnd, said: &str, language: Language| {
            let handled = Handled::of(&end, said.to_owned(), language.words());
            (handled.said.unwrap_or_default(), handled.failure.is_some())
        };
        let (english, chinese) = (Language::English, Language::Chinese);
        assert_eq!(of(CommandEnd::Exit(0), "silenced", english), ("silenced".to_owned(), false));
        assert_eq!(of(CommandEnd::Exit(0), "", english), (String::new(), false));
        assert_eq!(of(CommandEnd::Exit(3), "no route", english), ("failed: exit code 3: no route".to_owned(), true));
        let timed_out = CommandEnd::TimedOut { limit: Duration::from_secs(60), force: Force::Asked };
        assert_eq!(of(timed_out, "", chinese), ("超时，时限 1 分钟".to_owned(), true));
        assert_eq!(of(CommandEnd::Signal(9), "", chinese), ("被 SIGKILL 终止".to_owned(), true));
    }
}
