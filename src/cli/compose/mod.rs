//! Options and text become a message: what it is made of, which type it has, and whether it keeps the rules.
//!
//! Everything that can be found wrong without WeCom is found here, before anything is sent.

mod app;
mod content;
mod payload;
mod source;
mod webhook;

pub(crate) use app::compose as app_message;
pub(crate) use webhook::compose as webhook_message;

use wecom_alert::config::Settings;
use wecom_alert::delivery::Shipment;
use wecom_alert::error::{Error, Result};
use wecom_alert::message::{Finding, Findings};

/// What came of the options and the text.
pub(crate) enum Composed {
    /// A message to send.
    Message(Box<Shipment>),
    /// The text was empty, and that is to be passed over silently.
    Skipped,
}

/// How many findings are told at once: a wholly wrong payload has hundreds.
const MOST_FINDINGS: usize = 5;

/// Refuses a message that breaks hard rules, or warns of that when WeCom is to decide.
fn settle(findings: Findings, settings: &Settings, warnings: &mut Vec<String>) -> Result<()> {
    warnings.extend(findings.warnings.iter().map(ToString::to_string));
    if settings.no_validate {
        warnings.extend(findings.errors.iter().map(ToString::to_string));
        return Ok(());
    }
    match findings.errors.first() {
        None => Ok(()),
        Some(first) => Err(refusal(&findings.errors, first)),
    }
}

fn refusal(errors: &[Finding], first: &Finding) -> Error {
    let mut told: Vec<String> = errors.iter().take(MOST_FINDINGS).map(ToString::to_string).collect();
    if errors.len() > MOST_FINDINGS {
        told.push(format!("and {} more", errors.len() - MOST_FINDINGS));
    }
    let hint = first
        .hint
        .clone()
        .unwrap_or_else(|| "correct the message, or let WeCom decide with --no-validate; nothing was sent".to_owned());
    Error::usage(told.join("; "), hint)
}

/// A rule about files, which is a warning when WeCom is to decide.
fn settle_media(checked: Result<()>, settings: &Settings, warnings: &mut Vec<String>) -> Result<()> {
    match checked {
        Err(error) if settings.no_validate => {
            warnings.push(error.message().to_owned());
            Ok(())
        }
        checked => checked,
    }
}

fn usage_of(finding: &Finding) -> Error {
    Error::usage(finding.to_string(), finding.hint.clone().unwrap_or_else(|| "correct the option".to_owned()))
}
