//! The test message: the only proof of a webhook's key, and the best one of everything else.

use std::time::SystemTime;

use serde_json::Value;

use crate::channel::{Channel, MsgType};
use crate::clock;
use crate::config::Settings;
use crate::delivery::Outcome;
use crate::error::{Error, Result};
use crate::message::app::AppText;
use crate::message::recipients::{RecipientKind, Recipients};
use crate::message::{Finding, Part, body_of, check_body};
use crate::send::{Session, host};

use super::CheckedTarget;
use super::report::CheckReport;

/// What the test message of that channel is called in the table.
pub(super) fn name_of(channel: Channel) -> &'static str {
    match channel {
        Channel::App => "send_app",
        Channel::Webhook => "send_webhook",
    }
}

/// Sends the message, if that is wanted and no check failed that it depends on.
pub(super) async fn look(
    checked: &mut CheckedTarget,
    session: &Session<'_>,
    is_wanted: bool,
    report: &mut CheckReport,
) {
    let channel = checked.target.channel;
    let name = name_of(channel);
    let courier = match (&mut checked.courier, checked.blocked) {
        (_, Some(failed)) => return report.skip_after(&[name], failed),
        (Some(courier), None) if is_wanted => courier,
        _ if !super::has_token(channel) => {
            let noun = channel.facts().noun;
            let why = "has no harmless call, only --send shows whether its key is right";
            return report.skip(name, format!("not proven: {noun} {why}"));
        }
        _ => return report.skip(name, "not asked for: --send sends a test message"),
    };
    let body = match body(channel, &session.settings) {
        Ok(body) => body,
        Err(error) => return report.fail(name, &error),
    };
    let mut account = session.accounts.open(session.settings.profile.as_deref(), channel);
    let mut outcome = courier.send(&[Part::message(body)], &mut account, None).await;
    outcome.allow_partial = session.settings.allow_partial;
    report.sent(&outcome);
    match &outcome.error {
        None => report.ok(name, arrived(&outcome)),
        Some(error) if outcome.exit_code() == 0 => report.warn(name, error.message(), error.hint().unwrap_or_default()),
        Some(error) => report.fail(name, &error.clone().with_status(outcome.status)),
    }
}

fn arrived(outcome: &Outcome) -> String {
    let ids: Vec<&str> = outcome.parts.iter().flat_map(|part| &part.msgids).map(String::as_str).collect();
    if ids.is_empty() { "WeCom took it".to_owned() } else { format!("WeCom took it, msgid {}", ids.join(", ")) }
}

/// The whole body of the test message.
pub(super) fn body(channel: Channel, settings: &Settings) -> Result<Value> {
    let now = clock::date(SystemTime::now());
    let content = format!("wecom-alert check: this is a test from {} at {now}", host());
    let mut body = body_of(MsgType::Text, &AppText { content });
    match channel {
        Channel::App => {
            let recipients = recipients_of(settings)?.ok_or_else(|| settings.missing(&["to_user"]))?;
            for kind in RecipientKind::ALL {
                if let Some(ids) = recipients.joined(kind) {
                    body[kind.as_str()] = ids.into();
                }
            }
            if let Some(agent_id) = &settings.agent_id {
                body["agentid"] = agent_id.value.into();
            }
        }
        // A test mentions no one.
        Channel::Webhook => {}
    }
    match check_body(channel, &body).errors.first() {
        Some(finding) if !settings.no_validate => Err(config_error(finding, "")),
        _ => Ok(body),
    }
}

/// The recipients that the settings name, if they name any.
pub(super) fn recipients_of(settings: &Settings) -> Result<Option<Recipients>> {
    let Some(to) = &settings.to else { return Ok(None) };
    let mut recipients = Recipients::default();
    let given =
        [(RecipientKind::User, &to.to_user), (RecipientKind::Party, &to.to_party), (RecipientKind::Tag, &to.to_tag)];
    for ((kind, values), place) in given.into_iter().zip(&to.places) {
        for value in values {
            recipients.add(kind, value).map_err(|finding| config_error(&finding, place))?;
        }
    }
    Ok(Some(recipients))
}

fn config_error(finding: &Finding, place: &str) -> Error {
    let message = if place.is_empty() { finding.to_string() } else { format!("{place}: {finding}") };
    Error::config(message, finding.hint.clone().unwrap_or_else(|| "correct the setting".to_owned()))
}
