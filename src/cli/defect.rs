//! What should never happen: a defect or a panic, reported like any other end of a command.

use std::sync::OnceLock;

use wecom_alert::config::Output;
use wecom_alert::delivery::Outcome;
use wecom_alert::error::Error;
use wecom_alert::secret::Mask;

use super::output::{Manner, Report, finish};

/// How the command prints its results, once that is known: a panic can come at any time.
static OUTPUT: OnceLock<Output> = OnceLock::new();

/// Remembers how to print; the first word counts.
pub(crate) fn remember(output: Output) {
    let _ = OUTPUT.set(output);
}

/// Reports a defect that was noticed.
pub(crate) fn report_defect(error: &anyhow::Error) {
    report(format!("{error:#}"));
}

/// Makes a panic a report like any other, without the values that its message may hold.
pub(crate) fn report_panics() {
    std::panic::set_hook(Box::new(|panic| {
        // The file's name alone: its folders are those of the machine where the program was built.
        let name = |file: &str| file.rsplit(['/', '\\']).next().unwrap_or_default().to_owned();
        let place = panic.location().map(|at| format!(" at {}:{}", name(at.file()), at.line())).unwrap_or_default();
        std::process::exit(report(format!("this program broke{place}")).into());
    }));
}

fn report(message: String) -> u8 {
    let output = OUTPUT.get().copied().unwrap_or(Output::Text);
    let outcome = Outcome::from(Error::defect(message));
    // What was to be masked is out of reach by now; places in the source hold no secret.
    let report = Report { command: None, outcome: &outcome, warnings: &[], mask: &Mask::new(), ran: None };
    finish(&report, Manner { output, quiet: false, verbose: false })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::output::document;
    use super::*;

    #[test]
    fn a_panic_is_a_document_too() {
        let outcome = Outcome::from(Error::defect("this program broke at src/main.rs:1"));
        let report = Report { command: None, outcome: &outcome, warnings: &[], mask: &Mask::new(), ran: None };
        let told: Value = serde_json::from_str(&document(&report)).unwrap();
        for (field, value) in [
            ("ok", json!(false)),
            ("status", json!("error")),
            ("exit_code", json!(1)),
            ("message", json!("this program broke at src/main.rs:1")),
            ("retryable", json!(false)),
            ("parts", json!([])),
        ] {
            assert_eq!(told[field], value, "{field}");
        }
        assert!(told["hint"].as_str().unwrap().contains("report"), "{told}");
    }

    #[test]
    fn the_first_word_counts() {
        remember(Output::Json);
        remember(Output::Text);
        assert_eq!(OUTPUT.get(), Some(&Output::Json));
    }
}
