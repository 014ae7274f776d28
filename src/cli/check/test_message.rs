//! The test message: the only proof of a webhook's key, and the best one of everything else.

use std::time::SystemTime;

use serde_json::Value;

use wecom_alert::config::Settings;
use wecom_alert::delivery::{Outcome, Shipment};
use wecom_alert::error::{Error, Result};
use wecom_alert::message::app::{self, AppContent, AppMessage, Common};
use wecom_alert::message::recipients::{RecipientKind, Recipients};
use wecom_alert::message::webhook::{self, WebhookContent, WebhookMessage};
use wecom_alert::message::{Finding, Route};

use super::Target;
use super::sheet::Sheet;
use crate::cli::compose::host;
use crate::cli::moment;
use crate::cli::session::Session;

/// What the test message of that route is called in the table.
pub(super) fn name_of(route: Route) -> &'static str {
    match route {
        Route::App => "send_app",
        Route::Webhook => "send_webhook",
    }
}

/// Sends the message, if that is wanted and nothing stands before it.
pub(super) async fn look(target: &mut Target<'_>, session: &Session<'_>, is_wanted: bool, sheet: &mut Sheet) {
    let name = name_of(target.route);
    let delivery = match (&mut target.delivery, target.blocked) {
        (_, Some(failed)) => return sheet.skip_all(&[name], failed),
        (Some(delivery), None) if is_wanted => delivery,
        _ if target.route == Route::Webhook => {
            return sheet
                .skip(name, "not proven: a webhook has no harmless call, only --send shows whether its key is right");
        }
        _ => return sheet.skip(name, "not asked for: --send sends a test message"),
    };
    let body = match body(target.route, &session.settings) {
        Ok(body) => body,
        Err(error) => return sheet.fail(name, &error),
    };
    let mut outcome = delivery.send(&[Shipment::message(body)], &mut ()).await;
    outcome.allow_partial = session.settings.allow_partial;
    sheet.sent(&outcome);
    match &outcome.error {
        None => sheet.ok(name, arrived(&outcome)),
        Some(error) if outcome.exit_code() == 0 => sheet.warn(name, error.message(), error.hint().unwrap_or_default()),
        Some(error) => sheet.fail(name, &error.clone().with_status(outcome.status)),
    }
}

fn arrived(outcome: &Outcome) -> String {
    let ids: Vec<&str> = outcome.parts.iter().flat_map(|part| &part.msgids).map(String::as_str).collect();
    if ids.is_empty() { "WeCom took it".to_owned() } else { format!("WeCom took it, msgid {}", ids.join(", ")) }
}

/// The whole body of the test message.
pub(super) fn body(route: Route, settings: &Settings) -> Result<Value> {
    let now = moment::date(SystemTime::now());
    let content = format!("wecom-alert check: this is a test from {} at {now}", host());
    let (body, findings) = match route {
        Route::App => {
            let recipients = recipients_of(settings)?.ok_or_else(|| settings.missing(&["to_user"]))?;
            let agentid = settings.agent_id.as_ref().map(|agent_id| agent_id.value);
            let common = Common { agentid, ..Common::to(&recipients) };
            let body = AppMessage { common, content: AppContent::Text(app::Text { content }) }.to_value();
            let findings = app::check_body(&body);
            (body, findings)
        }
        Route::Webhook => {
            // Nobody is called by a test.
            let text = webhook::Text { content, mentioned_list: None, mentioned_mobile_list: None };
            let body = WebhookMessage { content: WebhookContent::Text(text) }.to_value();
            let findings = webhook::check_body(&body);
            (body, findings)
        }
    };
    match findings.errors.first() {
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
