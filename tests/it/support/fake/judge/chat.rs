//! appchat/send (document path 90248): messages in the group chats that an app made.

use std::cell::RefCell;

use serde_json::{Map, Value};

use super::super::node::{Checked, Node, Notes, refuse};
use super::super::records::{Arrived, Outcome, Route, Seen};
use super::super::world::{App, Chat, Home, World};
use super::app::can_be_safe;
use super::{Taken, app_of, body_of, payload};

const TYPES: [&str; 9] = ["text", "image", "voice", "video", "file", "textcard", "news", "mpnews", "markdown"];

pub(super) fn send(world: &mut World, seen: &Seen, notes: &RefCell<Notes>) -> Checked<Taken> {
    let app = app_of(world, seen)?;
    let agent_id = may_use_chats(world, &app)?;
    let map = body_of(seen)?;
    let body = Node::root(&map, notes);
    let msgtype = body.text("msgtype").unwrap_or_default();
    if !TYPES.contains(&msgtype) {
        return refuse(40008, "invalid message type");
    }
    body.only(&["chatid", "msgtype", msgtype, "safe"]);
    let chat = chat_of(world, agent_id, body.text("chatid").unwrap_or_default())?;
    let filename = check_payload(world, &app, &body, msgtype)?;
    check_safe(&body, msgtype, filename.as_deref())?;
    // Each member's own limit, over all chats of the app; nobody is told of what is dropped.
    let (kept, dropped) =
        chat.members.iter().cloned().partition::<Vec<_>, _>(|user| world.take_chat_member_slot(agent_id, user));
    world.dropped.extend(dropped);
    if kept.is_empty() {
        return Ok(Taken { fields: Map::new(), outcome: Outcome::Dropped });
    }
    let arrived = Arrived {
        route: Route::Chat { id: chat.id },
        msgtype: msgtype.to_owned(),
        users: kept,
        parties: Vec::new(),
        tags: Vec::new(),
        body: Value::Object(map.clone()),
        raw: seen.body.clone(),
        errmsg: String::new(),
        remarks: Vec::new(),
    };
    Ok(Taken { fields: Map::new(), outcome: Outcome::Arrived(Box::new(arrived)) })
}

/// The agent of an app that may use group chats: one of its own, visible to the root department (document path 90244).
pub(super) fn may_use_chats(world: &World, app: &App) -> Checked<i64> {
    match app.agent_id {
        Some(agent_id) if world.sees_root() => Ok(agent_id),
        _ => refuse(48002, "api forbidden"),
    }
}

/// The chat of that id, which that app must have made.
pub(super) fn chat_of(world: &World, agent_id: i64, id: &str) -> Checked<Chat> {
    if id.is_empty() {
        return refuse(86201, "chatid missing");
    }
    match world.chats.iter().find(|chat| chat.id == id) {
        Some(chat) if chat.agent_id == agent_id => Ok(chat.clone()),
        Some(_) => refuse(86008, "the chat was not created by this app"),
        None => refuse(86003, "chatid not exist"),
    }
}

/// The payload by its rules; gives the name of the file that a file message shows.
fn check_payload(world: &World, app: &App, body: &Node, msgtype: &str) -> Checked<Option<String>> {
    let home = Home::Corp(app.corp_id.clone());
    let Some(payload) = body.object(msgtype) else {
        return refuse(payload::missing_code(msgtype), format!("{msgtype} is missing"));
    };
    match msgtype {
        "text" => text(&payload)?,
        "textcard" => textcard(&payload)?,
        "news" => news(&payload)?,
        _ => return payload::check(world, &home, msgtype, &payload),
    }
    Ok(None)
}

fn text(payload: &Node) -> Checked {
    payload::content(payload, &["content", "mentioned_list"], 2048, 45002)?;
    payload.texts("mentioned_list");
    Ok(())
}

/// That of an app, but the page of chats counts bytes.
fn textcard(payload: &Node) -> Checked {
    payload::textcard(payload)?;
    for (name, limit) in [("title", 128), ("description", 512)] {
        if payload.text(name).is_some_and(|text| text.len() > limit) {
            payload.remark(format!("{} is cut after {limit} bytes", payload.at(name)));
        }
    }
    Ok(())
}

/// That of a webhook with an address that must be whole: no mini programs here.
fn news(payload: &Node) -> Checked {
    for article in payload::articles(payload)? {
        article.only(&["title", "description", "url", "picurl"]);
        article.filled("title", 41016)?;
        article.max_bytes("title", 128, 40058)?;
        article.max_bytes("description", 512, 40058)?;
        article.filled("url", 41010)?;
        article.web_address("url")?;
        article.max_bytes("picurl", 2048, 40039)?;
    }
    Ok(())
}

/// `safe` where the table of the page has it; for the types that only its examples show it with, nobody should rely on it.
fn check_safe(body: &Node, msgtype: &str, filename: Option<&str>) -> Checked {
    if !matches!(msgtype, "text" | "image" | "video" | "file" | "mpnews") && body.has("safe") {
        body.complain(format!("safe is not a field of {msgtype} in a group chat"));
    }
    if body.choice("safe", &[0, 1])? == 1
        && let Some(name) = filename
        && !can_be_safe(name)
    {
        return refuse(40004, "this kind of file has no confidential mode");
    }
    Ok(())
}
