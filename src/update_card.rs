//! `update-card`: an interactive card that was sent gets other content, or its button is turned off.

use serde_json::{Value, json};

use crate::api::{UPDATE_CARD, endpoint};
use crate::channel::Channel;
use crate::config::Precedence;
use crate::delivery::{Outcome, PlannedRequest, Product, Purpose, UnreachedRecipients};
use crate::error::{Error, Result, Status};
use crate::message::card::{REPLACE_NAME, TARGETS};
use crate::message::recipients::{ALL, RecipientKind, Recipients};
use crate::sanitize::{one_line, unwrapped};
use crate::send::{Request, Session, Target, check_card_update, plan_requests, read_card, recipients_of};

/// What is to become of a card. Whose card it is, the settings say, as far as options named them.
#[derive(Debug, Clone)]
pub struct CardUpdate {
    /// What names the card: of the send, or of a click on it. Good for one update within 72 hours.
    pub response_code: String,
    /// The text of the button, which is turned off; the rest of the card stays.
    pub replace_name: Option<String>,
    /// Whether all who got the card get the update.
    pub for_all: bool,
    /// The new card, where it gets one.
    pub card: Request,
}

/// Changes a card.
///
/// # Errors
///
/// Usage where it is not said what becomes of whose card, or against the rules of cards; exit 3 where the settings lack
/// something; else what the call failed of.
pub async fn update(session: &mut Session<'_>, update: CardUpdate) -> Result<Outcome> {
    let (mut target, body) = session.read_input(Channel::App, move |target| update_body(&update, target)).await?;
    if session.settings.dry_run {
        return plan_requests(session, target, |client| {
            vec![PlannedRequest { method: "POST", path: client.path(&endpoint(UPDATE_CARD)), body }]
        })
        .await;
    }
    target.require_credentials(None)?;
    session.warnings.append(&mut target.warnings);
    let mut courier = session.own_courier(target).await?;
    let updated = courier.ask(UPDATE_CARD, Purpose::Once, async |client, token| client.update_card(token, &body).await);
    let reply = updated.await.map_err(|error| match error.status() {
        Status::Unknown => error.with_hint(
            "the card may have changed, and its response_code may be used up: look at the card before you try again",
        ),
        _ => error,
    })?;
    let unreached = UnreachedRecipients::named_by(|field| reply.ids(field));
    let answer = Some(reply.answer);
    if unreached.is_empty() {
        return Ok(Outcome { answer, ..Outcome::with_product(Status::Ok, Product::Done("changed".to_owned())) });
    }
    let hint = "these are outside 应用管理 → the app → 可见范围, or never got the card; the response_code is used up";
    let message = format!("the card was not changed for all: {}", unreached.named());
    let error = Error::new(Status::Partial, message).with_hint(hint);
    Ok(Outcome { answer, unreached, ..Outcome::from(error) })
}

fn update_body(update: &CardUpdate, target: &mut Target) -> Result<Value> {
    let mut body = json!({});
    let recipients = options_of(target)?;
    let is_all = recipients.of(RecipientKind::User) == [ALL];
    match (update.for_all, recipients.is_empty()) {
        (true, true) => body["atall"] = json!(1),
        (false, false) if is_all && recipients.of(RecipientKind::Party).is_empty() => body["atall"] = json!(1),
        (false, false) => {
            for (field, kind) in TARGETS {
                let ids = recipients.of(kind);
                let number = |id: &String| id.parse::<i64>().map_or_else(|_| json!(id), |id| json!(id));
                match kind {
                    _ if ids.is_empty() => {}
                    RecipientKind::User => body[field] = json!(ids),
                    RecipientKind::Party | RecipientKind::Tag => body[field] = ids.iter().map(number).collect(),
                }
            }
        }
        (true, false) => {
            return Err(Error::usage("--all does not go with -u, --to-party and --to-tag", "leave one of the two out"));
        }
        (false, true) => {
            return Err(Error::usage(
                "it is not said whose card is to change",
                "name them with -u ID, --to-party ID or --to-tag ID, or give --all for all who got it; the recipients of the \
                 profile do not count here",
            ));
        }
    }
    if let Some(agent_id) = target.agent_id(None) {
        body["agentid"] = json!(agent_id);
    }
    let code = unwrapped(&update.response_code);
    if code.is_empty() || code == "null" {
        return Err(Error::usage(
            "there is no response_code",
            "app-send --output json gives it in parts, for an interactive card; so does each click on the card",
        ));
    }
    body["response_code"] = json!(code);
    match &update.replace_name {
        Some(name) => {
            refuse_beside_name(&update.card, target)?;
            let name = one_line(name).trim().to_owned();
            if name.is_empty() {
                return Err(Error::usage("--replace-name says nothing", "say what the button is to show"));
            }
            body["button"] = json!({ REPLACE_NAME: name });
        }
        None => {
            if target.settings.id_trans {
                body["enable_id_trans"] = json!(1);
            }
            body["template_card"] = read_card(&update.card, target)?;
        }
    }
    check_card_update(&body, target)?;
    Ok(body)
}

/// The recipients that options name: defaults could be others than those of the card.
fn options_of(target: &Target) -> Result<Recipients> {
    let named = target.settings.to.as_ref().filter(|to| to.precedence == Precedence::Option);
    named.map_or(Ok(Recipients::default()), recipients_of)
}

fn refuse_beside_name(card: &Request, target: &Target) -> Result<()> {
    let input = &card.input;
    let source = [
        ("CONTENT", input.text.is_some()),
        ("--text-file", input.text_file.is_some()),
        ("--payload", input.payload.is_some()),
    ];
    let source = source.into_iter().find_map(|(name, is_given)| is_given.then_some(name));
    let Some(option) = source.or_else(|| card.first_alert_option(&target.settings)) else { return Ok(()) };
    Err(Error::usage(
        format!("{option} does not go with --replace-name"),
        "it only turns the button off; on a new card the payload has replace_text for that",
    ))
}
