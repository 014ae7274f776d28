//! `--dry-run`: the requests that would be made, without any secret, and without making them.

use serde_json::{Value, json};

use crate::api::{Client, GETTOKEN, endpoint, look_up_request};
use crate::channel::{Channel, CredentialKind};
use crate::delivery::{Outcome, PlannedRequest, Product};
use crate::error::{Result, Status};
use crate::input::{Attachment, MAX_SPOOLED};
use crate::message::Part;
use crate::message::media::{self, MediaKind};
use crate::message::person::Person;
use crate::message::webhook::Image;

use super::draft::Draft;
use super::parts::make_parts;
use super::roster;
use super::session::Session;
use super::target::Target;

/// The requests for these parts, and those for the same message to further targets.
pub(super) async fn of_message(
    session: &mut Session<'_>,
    mut own: Target,
    draft: &Draft,
    parts: &[Part],
) -> Result<Outcome> {
    let requests = of_parts(&mut own, parts).await;
    session.warnings.append(&mut own.warnings);
    let mut requests = requests?;
    for name in session.settings.also.clone() {
        let mut target = session.further_target(&name, "--also")?;
        roster::program_for(draft.payload(), &mut target);
        let parts = make_parts(draft, &mut target, None)?;
        requests.extend(of_parts(&mut target, &parts).await?);
        session.warnings.extend(target.warnings.iter().map(|warning| format!("{}: {warning}", name.profile)));
    }
    // The fallback's message begins with a line that tells of the failure: it is checked, and not shown.
    if let Some(name) = &session.settings.fallback {
        make_parts(draft, &mut session.further_target(name, "--fallback")?, None)?;
    }
    Ok(planned(requests))
}

pub(super) async fn of_parts(target: &mut Target, parts: &[Part]) -> Result<Vec<PlannedRequest>> {
    let client = prepared_client(target).await?;
    let mut requests = plan_look_ups(&client, &target.people);
    for part in parts {
        let uploaded = part.file.as_ref().filter(|_| !part.is_inline());
        requests.extend(uploaded.map(|(kind, file)| plan_upload(&client, target.channel, *kind, file)));
        for number in 0..part.count_calls() {
            let mut body = part.call(number).into_owned();
            if let Some((_, picture)) = part.file.as_ref().filter(|_| part.is_inline()) {
                let Image { base64, md5 } = Image::from_bytes(&picture.read_all(MAX_SPOOLED)?);
                body["image"] = json!({ "base64": base64, "md5": md5 });
            }
            requests.push(plan_message(&client, target.channel, body));
        }
    }
    Ok(requests)
}

/// The requests of a command that sends no message, planned with the client that the target would use.
pub(crate) async fn plan_requests(
    session: &mut Session<'_>,
    mut target: Target,
    plan: impl FnOnce(&Client) -> Vec<PlannedRequest>,
) -> Result<Outcome> {
    let client = prepared_client(&mut target).await;
    session.warnings.append(&mut target.warnings);
    Ok(planned(plan(&client?)))
}

/// A client whose trusted roots and proxy were found usable. A credential that is in the settings themselves is
/// checked, and a webhook's URL says where the request would go.
async fn prepared_client(target: &mut Target) -> Result<Client> {
    let base_url = match (target.webhook_at_hand()?, target.channel.facts().credential) {
        (Some(webhook), _) => target.settings.webhook_base_url(&webhook),
        (None, CredentialKind::Aibot) => target.settings.aibot_base_url()?,
        (None, CredentialKind::AppToken | CredentialKind::WebhookKey) => target.settings.base_url_or_default(),
    };
    let client = target.client(base_url);
    client.prepare().await?;
    Ok(client)
}

fn planned(requests: Vec<PlannedRequest>) -> Outcome {
    Outcome::with_product(Status::DryRun, Product::Plan(requests))
}

/// The method of a command over a WebSocket; its path is the name of the command.
const COMMAND: &str = "WS";

/// The request of a message by this channel.
pub(crate) fn plan_message(client: &Client, channel: Channel, body: Value) -> PlannedRequest {
    let name = channel.facts().send_path;
    match channel.facts().credential {
        CredentialKind::AppToken | CredentialKind::WebhookKey => {
            PlannedRequest { method: "POST", path: client.path(&endpoint(name)), body }
        }
        CredentialKind::Aibot => PlannedRequest { method: COMMAND, path: name.to_owned(), body },
    }
}

/// The requests that look people up, as if nothing were known of them.
pub(crate) fn plan_look_ups(client: &Client, people: &[Person]) -> Vec<PlannedRequest> {
    let plan = |person| {
        let (name, body) = look_up_request(person);
        PlannedRequest { method: "POST", path: client.path(&endpoint(name)), body }
    };
    people.iter().map(plan).collect()
}

/// The request for a token, as if none were cached.
pub(super) fn plan_token(client: &Client) -> PlannedRequest {
    PlannedRequest { method: "GET", path: client.path(GETTOKEN), body: Value::Null }
}

/// The request of an upload: in place of the form, what it would hold.
pub(super) fn plan_upload(client: &Client, channel: Channel, kind: MediaKind, file: &Attachment) -> PlannedRequest {
    let media = json!({
        "filename": media::wire_filename(&file.name),
        "content_type": media::mime(media::sniff(&file.head)),
        "bytes": file.size,
    });
    if channel.facts().credential == CredentialKind::Aibot {
        let body =
            json!({ "type": kind.as_str(), "filename": media::wire_filename(&file.name), "total_size": file.size });
        return PlannedRequest { method: COMMAND, path: channel.facts().upload_path.to_owned(), body };
    }
    let path = format!("{}?type={}", client.path(&endpoint(channel.facts().upload_path)), kind.as_str());
    PlannedRequest { method: "POST", path, body: json!({ "media": media }) }
}
