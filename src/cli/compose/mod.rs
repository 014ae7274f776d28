//! Options and text become a message: what it is made of, which type it has, and whether it keeps the rules.
//!
//! Everything that can be found wrong without WeCom is found here, before anything is sent. What is to be said is read
//! once ([`read`]) and then made into the parts of a message for each target ([`make`]).

mod adapt;
mod alert;
mod attach;
mod content;
mod draft;
mod feed;
mod frame;
mod happening;
mod kind;
mod long;
mod mention;
mod parts;
mod payload;
mod read;
mod shipment;
mod source;
mod texts;

pub(crate) use draft::Draft;
pub(crate) use long::host;
pub(crate) use read::read;

use wecom_alert::alert::Alert;
use wecom_alert::ci;
use wecom_alert::config::{Config, Settings};
use wecom_alert::delivery::{PartKind, Shipment};
use wecom_alert::error::{Error, Result};
use wecom_alert::message::{Finding, Findings, Route, app as app_rules, webhook as webhook_rules};

use super::args::{AlertArgs, AppArgs, AppSendArgs, ContentArgs, MentionArgs, WebhookSendArgs};
use draft::ByOption;

/// What a sending command asks for.
pub(crate) struct Order {
    pub(crate) route: Route,
    pub(crate) content: ContentArgs,
    /// What the program itself has to say; nothing is read then.
    pub(crate) own: Option<Alert>,
    /// The CI run that this is a part of.
    pub(crate) ci: Option<ci::Context>,
    pub(crate) msgtype: Option<String>,
    by_option: ByOption,
}

impl Order {
    /// An alert that the program itself words, with options for it.
    pub(crate) fn of_own(
        route: Route,
        own: Alert,
        alert: AlertArgs,
        msgtype: Option<String>,
        app: &AppArgs,
        mentions: &MentionArgs,
    ) -> Self {
        let content = ContentArgs { alert, ..ContentArgs::default() };
        let by_option = ByOption { mentions: calls_somebody(mentions), ..given_for_app(app) };
        Self { route, content, own: Some(own), ci: None, msgtype, by_option }
    }
}

impl Order {
    /// Finds out about the CI run, if that is wanted. Outside of any it is a warning.
    pub(crate) fn look_around(&mut self, config: &Config<'_>, warnings: &mut Vec<String>) -> Result<()> {
        let Some(wanted) = &self.content.alert.ci else { return Ok(()) };
        let now = wecom_alert::clock::now_ms() / 1000;
        self.ci = ci::context(wanted.parse()?, |name| config.variable(name), now)?;
        if self.ci.is_none() {
            warnings.push("--ci: this is no CI system that is known here: nothing is added".to_owned());
        }
        Ok(())
    }
}

impl From<AppSendArgs> for Order {
    fn from(args: AppSendArgs) -> Self {
        let by_option = given_for_app(&args.app);
        Self { route: Route::App, content: args.content, own: None, ci: None, msgtype: args.msgtype, by_option }
    }
}

impl From<WebhookSendArgs> for Order {
    fn from(args: WebhookSendArgs) -> Self {
        let by_option = ByOption { mentions: calls_somebody(&args.mentions), ..ByOption::default() };
        Self { route: Route::Webhook, content: args.content, own: None, ci: None, msgtype: args.msgtype, by_option }
    }
}

fn given_for_app(args: &AppArgs) -> ByOption {
    ByOption {
        safe: args.safe.is_some(),
        id_trans: args.id_trans,
        duplicate_check: args.duplicate_check.is_some(),
        mentions: false,
    }
}

fn calls_somebody(args: &MentionArgs) -> bool {
    !(args.mention.is_empty() && args.mention_mobile.is_empty())
}

/// Makes the parts of the message that a target gets. `lead` stands before its text.
pub(crate) fn make(
    draft: &Draft,
    route: Route,
    settings: &Settings,
    lead: Option<&str>,
    warnings: &mut Vec<String>,
) -> Result<Vec<Shipment>> {
    let draft = adapt::to_route(draft, route, settings, warnings)?;
    let mut parts = parts::parts(&draft, route, settings, lead, warnings)?;
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

fn usage_of(finding: &Finding) -> Error {
    Error::usage(finding.to_string(), finding.hint.clone().unwrap_or_else(|| "correct the option".to_owned()))
}
