//! A draft becomes the parts of a message for one target, held against the rules.
//!
//! Everything that can be found wrong without WeCom is found here, before anything is sent.

use crate::channel::{Addressing, Channel};
use crate::config::Settings;
use crate::error::{Error, Result};
use crate::message::{Finding, Findings, Part, PartKind, check_body};

use super::draft::Draft;
use super::request::Given;
use super::{adapt, parts, payload};

/// Makes the parts of the message that a target gets. `lead` stands before its text.
pub(super) fn make(
    draft: &Draft,
    channel: Channel,
    settings: &Settings,
    lead: Option<&str>,
    warnings: &mut Vec<String>,
) -> Result<Vec<Part>> {
    let draft = adapt::to_channel(draft, channel, settings, warnings)?;
    let mut parts = parts::parts(&draft, channel, settings, lead, warnings)?;
    for (index, part) in parts.iter_mut().enumerate() {
        // What holds for one part holds for all: it is said once.
        let mut repeated = Vec::new();
        let warnings = if index == 0 { &mut *warnings } else { &mut repeated };
        match channel.facts().addressing {
            Addressing::Recipients => {
                // A file of our own making gets of the options what it can have.
                let given = if part.kind == PartKind::Message { draft.given } else { Given::default() };
                payload::complete_app_body(&mut part.body, given, settings, warnings)?;
            }
            Addressing::Credential => {}
        }
        check(channel, part, settings, warnings)?;
    }
    Ok(parts)
}

/// Holds each call of a part against the rules.
fn check(channel: Channel, part: &Part, settings: &Settings, warnings: &mut Vec<String>) -> Result<()> {
    if part.is_inline() {
        // The file was checked; the body is filled in when it is sent.
        return Ok(());
    }
    for number in 0..part.count_calls() {
        let mut findings = check_body(channel, &part.call(number));
        if number > 0 {
            findings.warnings.clear();
        }
        settle(findings, settings, warnings)?;
    }
    Ok(())
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
