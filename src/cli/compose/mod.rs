//! Options and text become a message: what it is made of, which type it has, and whether it keeps the rules.
//!
//! Everything that can be found wrong without WeCom is found here, before anything is sent. What is to be said is read
//! once ([`read`]) and then made into the parts of a message for each target ([`make`]).

mod adapt;
mod app;
mod content;
mod draft;
mod long;
mod payload;
mod read;
mod source;
mod webhook;

pub(crate) use draft::Draft;
pub(crate) use long::host;
pub(crate) use read::read;

use wecom_alert::config::Settings;
use wecom_alert::delivery::{PartKind, Shipment};
use wecom_alert::error::{Error, Result};
use wecom_alert::input::Attachment;
use wecom_alert::message::media::MediaKind;
use wecom_alert::message::{Finding, Findings, Route, app as app_rules, webhook as webhook_rules};

use super::args::{AppSendArgs, ContentArgs, WebhookSendArgs};
use draft::ByOption;

/// What a sending command asks for.
pub(crate) struct Order {
    pub(crate) route: Route,
    pub(crate) content: ContentArgs,
    msgtype: Option<String>,
    by_option: ByOption,
}

impl From<AppSendArgs> for Order {
    fn from(args: AppSendArgs) -> Self {
        let by_option = ByOption {
            safe: args.safe.is_some(),
            id_trans: args.id_trans,
            duplicate_check: args.duplicate_check.is_some(),
            mentions: false,
        };
        Self { route: Route::App, content: args.content, msgtype: args.msgtype, by_option }
    }
}

impl From<WebhookSendArgs> for Order {
    fn from(args: WebhookSendArgs) -> Self {
        let mentions = !(args.mention.is_empty() && args.mention_mobile.is_empty());
        let by_option = ByOption { mentions, ..ByOption::default() };
        Self { route: Route::Webhook, content: args.content, msgtype: args.msgtype, by_option }
    }
}

/// Makes the parts of the message that a target gets. `lead` stands before its text.
pub(crate) fn make(
    draft: &Draft,
    route: Route,
    settings: &Settings,
    lead: Option<&str>,
    warnings: &mut Vec<String>,
) -> Result<Vec<Shipment>> {
    let draft = adapt::to_route(draft, route, settings)?;
    let draft = draft.led_by(lead);
    let mut parts = match route {
        Route::App => app::parts(&draft, settings)?,
        Route::Webhook => webhook::parts(&draft, settings, warnings)?,
    };
    for (index, part) in parts.iter_mut().enumerate() {
        // What holds for one part holds for all: it is said once.
        let mut repeated = Vec::new();
        let warnings = if index == 0 { &mut *warnings } else { &mut repeated };
        if route == Route::App {
            // A file of our own making gets of the options what it can have.
            let by_option = if part.kind == PartKind::Message { draft.by_option } else { ByOption::default() };
            payload::complete_app_body(&mut part.body, by_option, settings, warnings)?;
        }
        check(route, part, settings, warnings)?;
    }
    Ok(parts)
}

/// Holds each call of a part against the rules.
fn check(route: Route, part: &Shipment, settings: &Settings, warnings: &mut Vec<String>) -> Result<()> {
    for (number, body) in part.calls().iter().enumerate() {
        let mut findings = match route {
            Route::App => app_rules::check_body(body),
            Route::Webhook => webhook_rules::check_body(body),
        };
        if number > 0 {
            findings.warnings.clear();
        }
        settle(findings, settings, warnings)?;
    }
    Ok(())
}

/// A part that is a file of its own, behind the message.
fn attachment(body: serde_json::Value, media: (MediaKind, Attachment)) -> Shipment {
    Shipment { kind: PartKind::Attachment, body, media: Some(media) }
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
