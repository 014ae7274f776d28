//! `--dry-run`: the requests that would be made, without any secret, and without making them.

use serde_json::{Value, json};

use wecom_alert::api::{Client, GETTOKEN, MEDIA_UPLOAD, MESSAGE_SEND, WEBHOOK_SEND, WEBHOOK_UPLOAD_MEDIA};
use wecom_alert::config::Webhook;
use wecom_alert::delivery::{Outcome, PlannedRequest, Product, Shipment};
use wecom_alert::error::{Result, Status};
use wecom_alert::input::Attachment;
use wecom_alert::message::Route;
use wecom_alert::message::media::{self, MediaKind};

use super::compose::{self, Draft};
use super::further;
use super::session::Session;

/// What sending these parts, and the same to further targets, would ask of WeCom.
pub(crate) async fn of_message(session: &mut Session<'_>, draft: &Draft, parts: &[Shipment]) -> Result<Outcome> {
    let mut requests = of_parts(session, parts).await?;
    for name in session.settings.also.clone() {
        let mut towards = further::towards(session, &name, "--also")?;
        let route = towards.route.unwrap_or(Route::App);
        let parts = compose::make(draft, route, &towards.settings, None, &mut towards.warnings)?;
        requests.extend(of_parts(&mut towards, &parts).await?);
        session.warnings.extend(towards.warnings.iter().map(|warning| format!("{}: {warning}", name.profile)));
    }
    // Its text is led by a line that only a failure can give: it is checked, and not shown.
    if let Some(name) = &session.settings.fallback {
        let mut towards = further::towards(session, name, "--fallback")?;
        let route = towards.route.unwrap_or(Route::App);
        compose::make(draft, route, &towards.settings, None, &mut towards.warnings)?;
    }
    Ok(planned(requests))
}

async fn of_parts(session: &mut Session<'_>, parts: &[Shipment]) -> Result<Vec<PlannedRequest>> {
    let route = session.route.unwrap_or(Route::App);
    let client = prepared(session, route).await?;
    let endpoint = match route {
        Route::App => MESSAGE_SEND,
        Route::Webhook => WEBHOOK_SEND,
    };
    let mut requests = Vec::new();
    for part in parts {
        requests.extend(part.media.as_ref().map(|(kind, file)| upload(&client, route, *kind, file)));
        let sends = part.calls().into_iter();
        requests.extend(sends.map(|body| PlannedRequest { method: "POST", path: client.path(endpoint), body }));
    }
    Ok(requests)
}

/// What uploading this file would ask of WeCom.
pub(crate) async fn of_upload(
    session: &mut Session<'_>,
    route: Route,
    kind: MediaKind,
    file: &Attachment,
) -> Result<Outcome> {
    let client = prepared(session, route).await?;
    Ok(planned(vec![upload(&client, route, kind, file)]))
}

/// What getting a token would ask of WeCom, if the cache had none.
pub(crate) async fn of_token(session: &mut Session<'_>) -> Result<Outcome> {
    let client = prepared(session, Route::App).await?;
    Ok(planned(vec![PlannedRequest { method: "GET", path: client.path(GETTOKEN), body: Value::Null }]))
}

/// A client whose trusted roots and proxy were found usable. A webhook that stands in the settings themselves is
/// checked, and its URL says where the request would go.
async fn prepared(session: &mut Session<'_>, route: Route) -> Result<Client> {
    let webhook = session.settings.webhook.as_ref().filter(|_| route == Route::Webhook);
    let webhook = webhook.and_then(|source| Some((source.at_hand()?, source.origin())));
    let base_url = match webhook.map(|(text, origin)| Webhook::parse(text, origin)).transpose()? {
        Some(webhook) => {
            session.mask.add(&webhook.key);
            session.settings.webhook_base_url(&webhook)
        }
        None => session.settings.base_url_or_default(),
    };
    let client = session.client(base_url);
    client.prepare().await?;
    Ok(client)
}

fn planned(requests: Vec<PlannedRequest>) -> Outcome {
    Outcome::with_product(Status::DryRun, Product::Plan(requests))
}

/// A form is no JSON: what it would hold is told instead.
fn upload(client: &Client, route: Route, kind: MediaKind, file: &Attachment) -> PlannedRequest {
    let endpoint = match route {
        Route::App => MEDIA_UPLOAD,
        Route::Webhook => WEBHOOK_UPLOAD_MEDIA,
    };
    let media = json!({
        "filename": media::wire_filename(file.name()),
        "content_type": media::mime(media::sniff(file.head())),
        "bytes": file.size(),
    });
    let path = format!("{}?type={}", client.path(endpoint), kind.as_str());
    PlannedRequest { method: "POST", path, body: json!({ "media": media }) }
}
