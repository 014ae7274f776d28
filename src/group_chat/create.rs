//! `chat-create`: a new chat, or the one that has the chosen id already, so that a script may run twice.

use bytes::Bytes;
use serde_json::{Value, json};

use crate::api::{APPCHAT_CREATE, APPCHAT_UPDATE, ChatInfo, endpoint};
use crate::channel::Channel;
use crate::delivery::{Courier, Outcome, PlannedRequest, Product, Purpose};
use crate::error::{Answer, Error, Result, Status};
use crate::input::{clean, is_blank};
use crate::sanitize::{first_items, unwrapped};
use crate::send::{Session, plan_requests};

use super::rules::{about_members, count_problem, hello_problem, id_problem, same_id, same_name};
use super::{describe, member_ids, name_of, one_userid, refuse};

/// The errcode for an id that a chat has already.
const EXISTS: i64 = 86215;

/// So many members a warning names.
const NAMED: usize = 20;

/// A chat to be made. Members are userids, several in a value too.
#[derive(Debug, Clone, Default)]
pub struct NewChat {
    /// The id chosen for it, of 1 to 32 of `0-9a-zA-Z`; `None`: WeCom chooses one, and a repetition makes another chat.
    pub chatid: Option<String>,
    /// The name, of which WeCom keeps 50 characters.
    pub name: Option<String>,
    /// The owner; `None`: WeCom chooses one of the members.
    pub owner: Option<String>,
    /// 2 to 1999, with the owner.
    pub members: Vec<String>,
    /// Whether those who are not in a chat that exists already are added to it.
    pub sync: bool,
    /// The text of a first message to a chat that is new: old clients show a chat only when there is one.
    pub hello: Option<String>,
}

/// What became of the request for a chat.
struct Made {
    chatid: String,
    is_new: bool,
    answer: Answer,
    /// Members who are not in a chat that existed before.
    missing: Vec<String>,
    /// What such a chat has other than asked for, in words.
    different: Vec<String>,
}

/// Makes a chat. Where one has the chosen id already, that is a success. Warnings name members who are not in it, unless
/// they are to be added, and another name or owner, which stays.
///
/// # Errors
///
/// Usage, against the published rules; else what the call failed of.
pub async fn create(session: &mut Session<'_>, chat: NewChat) -> Result<Outcome> {
    session.channel = Some(Channel::App);
    let (body, members) = create_body(session, &chat)?;
    let hello = chat.hello.as_deref().map(|text| hello_text(session, text)).transpose()?;
    let target = session.own_target(Channel::App);
    if session.settings.dry_run {
        return plan_requests(session, target, |client| {
            let request = |name, body| PlannedRequest { method: "POST", path: client.path(&endpoint(name)), body };
            let hello = hello.map(|text| request(Channel::Chat.facts().send_path, hello_body(&body["chatid"], &text)));
            std::iter::once(request(APPCHAT_CREATE, body)).chain(hello).collect()
        })
        .await;
    }
    let mut courier = session.own_courier(target).await?;
    let made = make(&mut courier, &body, &members).await?;
    let (chatid, is_new) = (made.chatid.clone(), made.is_new);
    let hello = hello.filter(|_| is_new);
    if !made.different.is_empty() {
        let different = made.different.join(", ");
        session
            .warnings
            .push(format!("the chat {chatid} exists already, and {different}: chat-update {chatid} changes that"));
    }
    let (mut added, mut missing) = (Vec::new(), made.missing);
    let outcome = match (missing.as_slice(), &hello) {
        ([], Some(text)) => match say(&mut courier, &chatid, text).await {
            Ok(answer) => Outcome { answer: Some(answer), ..Outcome::new(Status::Ok) },
            Err(error) => {
                let message = format!("the chat {chatid} was made, but its first message was not sent: {error}");
                // The chat is there now: to make it again sends nothing.
                let then = format!("then: wecom-alert chat-send --chat {chatid} TEXT");
                let hint = error.hint().map_or(then.clone(), |hint| format!("{hint}; {then}"));
                Outcome::from(error.about(Status::Partial, message).with_hint(hint))
            }
        },
        ([], None) => Outcome { answer: Some(made.answer), ..Outcome::new(Status::Ok) },
        (absent, _) if chat.sync => match add(&mut courier, &chatid, absent).await {
            Ok(answer) => {
                added = std::mem::take(&mut missing);
                Outcome { answer: Some(answer), ..Outcome::new(Status::Ok) }
            }
            Err(error) => {
                let error = about_members(error, absent.iter().map(String::as_str));
                let message = format!("the chat {chatid} exists, but {} could not be added: {error}", named(absent));
                Outcome::from(error.about(Status::Partial, message))
            }
        },
        (absent, _) => {
            session.warnings.push(format!(
                "the chat {chatid} exists already, and these are not in it: {}; --sync adds them",
                named(absent)
            ));
            Outcome { answer: Some(made.answer), ..Outcome::new(Status::Ok) }
        }
    };
    Ok(Outcome { product: Product::CreatedChat { chatid, is_new, added, missing }, ..outcome })
}

/// The body, and the members with the owner.
fn create_body(session: &mut Session<'_>, chat: &NewChat) -> Result<(Value, Vec<String>)> {
    let mut body = json!({});
    if let Some(name) = name_of(session, chat.name.as_deref()) {
        body["name"] = json!(name);
    }
    let mut members = member_ids(session, "--member", &chat.members)?;
    if let Some(owner) = &chat.owner {
        let owner = one_userid(session, owner)?;
        if !members.iter().any(|member| same_id(member, &owner)) {
            members.push(owner.clone());
        }
        body["owner"] = json!(owner);
    }
    count_problem(members.len()).map_or(Ok(()), |problem| refuse(session, problem))?;
    body["userlist"] = json!(members);
    if let Some(id) = &chat.chatid {
        let id = unwrapped(id);
        id_problem(id).map_or(Ok(()), |problem| refuse(session, problem))?;
        body["chatid"] = json!(id);
    }
    Ok((body, members))
}

/// Makes the chat, or finds that it is there.
async fn make(courier: &mut Courier, body: &Value, members: &[String]) -> Result<Made> {
    let chosen = body["chatid"].as_str();
    // Without an id of its own a repetition would make a second chat.
    let purpose = if chosen.is_some() { Purpose::Repeatable } else { Purpose::Once };
    let mut is_doubtful = false;
    let created = courier
        .ask(APPCHAT_CREATE, purpose, async |client, token| {
            let created = client.appchat_create(token, body).await;
            is_doubtful |=
                created.as_ref().is_err_and(|error| !error.is_before_the_request() && error.refusal().is_none());
            created
        })
        .await;
    let refusal = match created {
        Ok((chatid, answer)) => {
            return Ok(Made { chatid, is_new: true, answer, missing: Vec::new(), different: Vec::new() });
        }
        Err(error) => about_members(error, members.iter().map(String::as_str)),
    };
    let exists = refusal.answer().is_some_and(|answer| answer.errcode == EXISTS);
    let Some(chatid) = chosen.filter(|_| exists) else { return Err(once_more(refusal, chosen)) };
    let ChatInfo { name, owner, userlist, answer, .. } = describe(courier, chatid).await?;
    let is_missing = |member: &&String| !userlist.iter().any(|known| same_id(known, member));
    let missing: Vec<String> = members.iter().filter(is_missing).cloned().collect();
    // An earlier attempt got no answer, and has made it.
    let is_new = is_doubtful && missing.is_empty();
    let asked = |field: &str| body[field].as_str();
    let other_name = asked("name").filter(|asked| !same_name(asked, &name)).map(|_| format!("its name is {name:?}"));
    let other_owner = asked("owner").filter(|asked| !same_id(asked, &owner)).map(|_| format!("its owner is {owner}"));
    let different = other_name.into_iter().chain(other_owner).collect();
    Ok(Made { chatid: chatid.to_owned(), is_new, answer, missing, different })
}

/// Says what to do where nobody knows whether there is a chat without an id of its own.
fn once_more(error: Error, chosen: Option<&str>) -> Error {
    match error.status() {
        Status::Unknown if chosen.is_none() => error.with_hint(
            "there may be a new chat now: look into the client before you try again; with --chat ID of your own choice it is \
             safe to try again",
        ),
        _ => error,
    }
}

async fn add(courier: &mut Courier, chatid: &str, members: &[String]) -> Result<Answer> {
    let body = json!({ "chatid": chatid, "add_user_list": members });
    courier
        .ask(APPCHAT_UPDATE, Purpose::Repeatable, async |client, token| client.appchat_update(token, &body).await)
        .await
}

/// The first message, if it may be one.
fn hello_text(session: &mut Session<'_>, text: &str) -> Result<String> {
    let text = clean(text);
    if is_blank(&text) {
        return Err(Error::usage("--hello says nothing", "give a text, or leave it out"));
    }
    hello_problem(&text).map_or(Ok(()), |problem| refuse(session, problem))?;
    Ok(text)
}

fn hello_body(chatid: &Value, text: &str) -> Value {
    json!({ "chatid": chatid, "msgtype": "text", "text": { "content": text } })
}

async fn say(courier: &mut Courier, chatid: &str, text: &str) -> Result<Answer> {
    let (channel, body) = (Channel::Chat, Bytes::from(hello_body(&json!(chatid), text).to_string()));
    let sent = courier.ask(channel.facts().send_path, Purpose::Send, async |client, token| {
        client.send(channel, token, body.clone()).await
    });
    sent.await.map(|reply| reply.answer)
}

fn named(members: &[String]) -> String {
    first_items(members, NAMED)
}
