//! `app-send` and `webhook-send`: message, credentials, delivery.

use serde_json::Value;

use wecom_alert::delivery::Outcome;
use wecom_alert::error::{Result, Status};
use wecom_alert::message::Route;

use super::args::{AppSendArgs, WebhookSendArgs};
use super::compose::{Composed, app_message, webhook_message};
use super::session::Session;
use super::{dry_run, read_input};

/// Sends a message of an app.
pub(crate) async fn app_send(session: &mut Session, args: Box<AppSendArgs>) -> Result<Outcome> {
    session.route = Some(Route::App);
    let settings = session.settings.clone();
    let composed = read_input(session, move |warnings| app_message(&args, &settings, warnings)).await?;
    let Composed::Message(shipment) = composed else {
        return Ok(Outcome::new(Status::Skipped));
    };
    let in_payload = shipment.body.get("agentid").and_then(Value::as_i64);
    if session.settings.dry_run {
        return dry_run::of_message(session, Route::App, &shipment).await;
    }
    session.require_app(in_payload)?;
    let login = session.app_login(in_payload).await?;
    let client = session.app_client();
    Ok(session.app_delivery(&client, login).send(*shipment).await)
}

/// Sends a message to the group of a webhook.
pub(crate) async fn webhook_send(session: &mut Session, args: Box<WebhookSendArgs>) -> Result<Outcome> {
    session.route = Some(Route::Webhook);
    let settings = session.settings.clone();
    let composed = read_input(session, move |warnings| webhook_message(&args, &settings, warnings)).await?;
    let Composed::Message(shipment) = composed else {
        return Ok(Outcome::new(Status::Skipped));
    };
    if session.settings.dry_run {
        return dry_run::of_message(session, Route::Webhook, &shipment).await;
    }
    let login = session.webhook_login().await?;
    let client = session.webhook_client(&login);
    Ok(session.webhook_delivery(&client, login).send(*shipment).await)
}
