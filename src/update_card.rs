//! `update-card`: an interactive card that was sent gets other content, or its button is turned off.

use serde_json::{Value, json};

use crate::api::{Reply, UPDATE_CARD, endpoint};
use crate::cards::{CODE_LIFE_MS, CardFile, is_pressable};
use crate::channel::Channel;
use crate::clock::{self, now_ms};
use crate::config::Precedence;
use crate::delivery::{Courier, Outcome, PlannedRequest, Product, Purpose, UnreachedRecipients};
use crate::error::{Error, Result, Status};
use crate::message::card::{REPLACE_NAME, TARGETS};
use crate::message::recipients::{ALL, RecipientKind, Recipients};
use crate::sanitize::{one_line, unwrapped};
use crate::send::{Request, Session, Target, check_card_update, plan_requests, read_card, recipients_of};

/// What WeCom answers to a response_code that is used up, too old or unknown (document path 94888).
const CODE_USED: i64 = 60140;

/// What a dry run shows in place of a code that is kept.
const KEPT_CODE: &str = "(one that is kept for the card)";

/// What is to become of a card. Whose card it is, the settings say, as far as options named them.
#[derive(Debug, Clone)]
pub struct CardUpdate {
    /// Which card.
    pub card_name: CardName,
    /// The text of the button, which is turned off; the rest of the card stays.
    pub replace_name: Option<String>,
    /// Whether all who got the card get the update.
    pub for_all: bool,
    /// The new card, where it gets one.
    pub card: Request,
}

/// What names a card that was sent.
#[derive(Debug, Clone)]
pub enum CardName {
    /// Of the send, or of a click on it. Good for one update within 72 hours.
    ResponseCode(String),
    /// The id of a card that was sent with this state folder; its response_codes are kept there.
    TaskId(String),
}

/// Changes a card.
///
/// # Errors
///
/// Usage where it is not said what becomes of whose card, against the rules of cards, or for a task id that is not known;
/// exit 3 where the settings lack something; exit 5 where a known card can be changed no more; else what the call failed of.
pub async fn update(session: &mut Session<'_>, update: CardUpdate) -> Result<Outcome> {
    let name = update.card_name.clone();
    let (mut target, mut body) = session.read_input(Channel::App, move |target| update_body(&update, target)).await?;
    if session.settings.dry_run {
        return plan_requests(session, target, |client| {
            vec![PlannedRequest { method: "POST", path: client.path(&endpoint(UPDATE_CARD)), body }]
        })
        .await;
    }
    target.require_credentials(None)?;
    session.warnings.append(&mut target.warnings);
    let reply = match name {
        CardName::ResponseCode(_) => request(&mut *session.own_courier(target).await?, &body).await,
        CardName::TaskId(task_id) => {
            let card = kept_card(&target, &task_id).await?;
            let mut courier = session.own_courier(target).await?;
            loop {
                let Some(code) = card.take_code().await? else { return Err(no_code_left(&task_id)) };
                body["response_code"] = json!(code.code);
                let reply = request(&mut courier, &body).await;
                match &reply {
                    Ok(_) => {
                        let new =
                            body.get("template_card").filter(|new| body.get("atall").is_some() && is_pressable(new));
                        if let Some(new) = new
                            && let Err(error) = card.replace(new.clone()).await
                        {
                            let told =
                                "the card was changed, but presses on it are taken for presses on the card before";
                            session.warnings.push(format!("{told}: {error}"));
                        }
                        break reply;
                    }
                    // Its place of use is not told: another process may have used it.
                    Err(error) if error.answer().is_some_and(|answer| answer.errcode == CODE_USED) => {}
                    Err(_) => {
                        if let Err(error) = card.give_back(code).await {
                            session.warnings.push(format!("a response_code of the card {task_id} is lost: {error}"));
                        }
                        break reply;
                    }
                }
            }
        }
    }?;
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

async fn request(courier: &mut Courier, body: &Value) -> Result<Reply> {
    let updated = courier.ask(UPDATE_CARD, Purpose::Once, async |client, token| client.update_card(token, body).await);
    updated.await.map_err(|error| match error.status() {
        Status::Unknown => error.with_hint(
            "the card may have changed, and its response_code may be used up: look at the card before you try again",
        ),
        _ => error,
    })
}

/// What is kept of a card that can still be changed.
async fn kept_card(target: &Target, task_id: &str) -> Result<CardFile> {
    let login = target.log_in(None).await?;
    let cards = target.cards(&login).ok_or_else(|| {
        let message = "cards are kept in the state folder, and none is known, since HOME is not set";
        Error::config(message, "set WECOM_ALERT_STATE_DIR to the folder that the card was sent with")
    })?;
    let file = cards.card(task_id);
    let Some(card) = file.read().await? else {
        return Err(Error::usage(
            format!("no card {task_id:?} of this app is known here"),
            "app-send must have sent it with this state folder and this app within the last 72 hours, with buttons, choices or a \
             menu; the id stands in parts of its JSON. Elsewhere its response_code serves: --response-code",
        ));
    };
    let now = now_ms();
    if card.count_codes(now) > 0 {
        return Ok(file);
    }
    if card.is_known() && now >= card.sent_ms.saturating_add(CODE_LIFE_MS) {
        let sent = clock::date(clock::at_ms(card.sent_ms));
        let message =
            format!("the card {task_id} was sent at {sent}, more than 72 hours ago, and cannot be changed any more");
        return Err(Error::new(Status::Refused, message).with_hint("send a new card"));
    }
    Err(no_code_left(task_id))
}

fn no_code_left(task_id: &str) -> Error {
    let message = format!("no update of the card {task_id} is left: all its response_codes are used up");
    Error::new(Status::Refused, message).with_hint(
        "the send brings one, and each press that listen receives brings another: change it after the next press, or send a new card",
    )
}

fn update_body(update: &CardUpdate, target: &mut Target) -> Result<Value> {
    let mut body = json!({});
    let recipients = options_of(target)?;
    let is_all = recipients.of(RecipientKind::User) == [ALL];
    let is_by_id = matches!(update.card_name, CardName::TaskId(_));
    match (update.for_all, recipients.is_empty()) {
        (true, true) => body["atall"] = json!(1),
        (false, true) if is_by_id => body["atall"] = json!(1),
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
    body["response_code"] = json!(match &update.card_name {
        CardName::ResponseCode(code) => given(code).ok_or_else(|| {
            Error::usage(
                "there is no response_code",
                "app-send --output json gives it in parts, for an interactive card; so does each click on the card. For a card that was \
                 sent from here, --task-id ID does without",
            )
        })?,
        CardName::TaskId(id) => given(id).map(|_| KEPT_CODE.to_owned()).ok_or_else(|| {
            Error::usage("--task-id says nothing", "give the id that app-send --output json has in parts")
        })?,
    });
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

/// A name as it was given; `None` where a script had none.
fn given(name: &str) -> Option<String> {
    let name = unwrapped(name);
    (!name.is_empty() && name != "null").then(|| name.to_owned())
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
