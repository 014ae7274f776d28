//! Group chats that the app makes: `chat-create`, `chat-get` and `chat-update`.

mod create;
mod rules;

use serde_json::{Value, json};

use crate::api::{APPCHAT_GET, APPCHAT_UPDATE, ChatInfo, endpoint};
use crate::channel::Channel;
use crate::delivery::{Courier, GroupChat, Outcome, PlannedRequest, Product, Purpose};
use crate::error::{Error, Result, Status};
use crate::message::chat::id_doubt;
use crate::message::recipients;
use crate::sanitize::{one_line, unwrapped};
use crate::send::{Session, plan_requests};

pub use create::{NewChat, create};
use rules::{MOST_MEMBERS, about_members, name_warning, same_id, userids};

/// What is to change in a chat. Lists hold several userids in a value too.
#[derive(Debug, Clone, Default)]
pub struct ChatChange {
    /// The chat; `None` for the one of the settings.
    pub chatid: Option<String>,
    /// Its new name, of which WeCom keeps 50 characters.
    pub name: Option<String>,
    /// Its new owner.
    pub owner: Option<String>,
    /// Who joins it.
    pub add: Vec<String>,
    /// Who leaves it.
    pub remove: Vec<String>,
}

/// Describes a chat: the one named, or that of the settings.
///
/// # Errors
///
/// Usage where no chat is named; else what the call failed of.
pub async fn get(session: &mut Session<'_>, chatid: Option<String>) -> Result<Outcome> {
    session.channel = Some(Channel::App);
    let chatid = chat_of(session, chatid)?;
    let target = session.own_target(Channel::App);
    if session.settings.dry_run {
        return plan_requests(session, target, |client| {
            let path = format!("{}?chatid={chatid}", client.path(&endpoint(APPCHAT_GET)));
            vec![PlannedRequest { method: "GET", path, body: Value::Null }]
        })
        .await;
    }
    let mut courier = session.own_courier(target).await?;
    let chat = describe(&mut courier, &chatid).await?;
    let answer = Some(chat.answer);
    let chat = GroupChat { chatid: chat.chatid, name: chat.name, owner: chat.owner, userlist: chat.userlist };
    Ok(Outcome { answer, ..Outcome::with_product(Status::Ok, Product::Chat(chat)) })
}

/// Changes name, owner and members of a chat.
///
/// # Errors
///
/// Usage where nothing is to change, or against the rules of ids; else what the call failed of.
pub async fn update(session: &mut Session<'_>, change: ChatChange) -> Result<Outcome> {
    session.channel = Some(Channel::App);
    let chatid = chat_of(session, change.chatid.clone())?;
    let body = update_body(session, &chatid, &change)?;
    let target = session.own_target(Channel::App);
    if session.settings.dry_run {
        return plan_requests(session, target, |client| {
            vec![PlannedRequest { method: "POST", path: client.path(&endpoint(APPCHAT_UPDATE)), body }]
        })
        .await;
    }
    let mut courier = session.own_courier(target).await?;
    // Who has left already cannot be removed: a repetition would fail although the change was made.
    let purpose = if change.remove.is_empty() { Purpose::Repeatable } else { Purpose::Once };
    let changed =
        courier.ask(APPCHAT_UPDATE, purpose, async |client, token| client.appchat_update(token, &body).await).await;
    let named = change.owner.iter().chain(&change.add).chain(&change.remove);
    let answer = changed.map_err(|error| about_members(error, named.flat_map(|ids| recipients::ids(ids))))?;
    Ok(Outcome { answer: Some(answer), ..Outcome::with_product(Status::Ok, Product::Done("changed".to_owned())) })
}

fn update_body(session: &mut Session<'_>, chatid: &str, change: &ChatChange) -> Result<Value> {
    let mut body = json!({ "chatid": chatid });
    if let Some(name) = name_of(session, change.name.as_deref()) {
        body["name"] = json!(name);
    }
    let owner = change.owner.as_ref().map(|owner| one_userid(session, owner)).transpose()?;
    let added = member_ids(session, "--add", &change.add)?;
    let removed = member_ids(session, "--remove", &change.remove)?;
    if let Some(both) = removed.iter().find(|id| added.iter().chain(&owner).any(|other| same_id(other, id))) {
        return Err(Error::usage(
            format!("{both} is to be removed, and to be added or the owner"),
            "name each member in one of --owner, --add and --remove",
        ));
    }
    for (field, list) in [("--add", &added), ("--remove", &removed)] {
        if list.len() > MOST_MEMBERS {
            let what = format!("{field} names {} members, and a chat has at most {MOST_MEMBERS}", list.len());
            refuse(session, Error::usage(what, "name fewer"))?;
        }
    }
    if let Some(owner) = owner {
        body["owner"] = json!(owner);
    }
    for (field, list) in [("add_user_list", added), ("del_user_list", removed)] {
        if !list.is_empty() {
            body[field] = json!(list);
        }
    }
    if body.as_object().is_some_and(|fields| fields.len() == 1) {
        return Err(Error::usage("nothing is to change", "give --name, --owner, --add or --remove"));
    }
    Ok(body)
}

async fn describe(courier: &mut Courier, chatid: &str) -> Result<ChatInfo> {
    courier.ask(APPCHAT_GET, Purpose::Read, async |client, token| client.appchat_get(token, chatid).await).await
}

/// The chat that is named, or that of the settings.
fn chat_of(session: &mut Session<'_>, given: Option<String>) -> Result<String> {
    let chatid = given.map(|id| unwrapped(&id).to_owned()).filter(|id| !id.is_empty());
    let chatid = chatid.or_else(|| session.settings.chat.as_ref().map(|chat| chat.value.clone()));
    let chatid = chatid.ok_or_else(|| {
        Error::usage("no chat is named", "give the id that chat-create printed, or set chat in the profile")
    })?;
    session.warnings.extend(id_doubt(&chatid));
    Ok(chatid)
}

/// The name to show, if one is given; what WeCom will cut draws a warning.
fn name_of(session: &mut Session<'_>, given: Option<&str>) -> Option<String> {
    let name = one_line(given?).trim().to_owned();
    session.warnings.extend(name_warning(&name));
    (!name.is_empty()).then_some(name)
}

fn member_ids(session: &mut Session<'_>, option: &str, values: &[String]) -> Result<Vec<String>> {
    let (ids, problem) = userids(option, values)?;
    problem.map_or(Ok(()), |problem| refuse(session, problem))?;
    Ok(ids)
}

fn one_userid(session: &mut Session<'_>, owner: &str) -> Result<String> {
    match member_ids(session, "--owner", &[owner.to_owned()])?.as_slice() {
        [one] => Ok(one.clone()),
        _ => Err(Error::usage("--owner names several members", "a chat has one owner")),
    }
}

/// A broken rule is an error, or a warning with `no_validate`: WeCom decides then.
fn refuse(session: &mut Session<'_>, error: Error) -> Result<()> {
    if !session.settings.no_validate {
        return Err(error);
    }
    session.warnings.push(error.message().to_owned());
    Ok(())
}
