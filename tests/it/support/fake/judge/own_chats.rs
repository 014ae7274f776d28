//! appchat/create, appchat/update and appchat/get (document paths 90245, 98913 and 98914): the group chats that an app makes.

use std::cell::RefCell;

use serde_json::{Map, Value, json};

use super::super::node::{Checked, Node, Notes, refuse};
use super::super::records::{Outcome, Seen};
use super::super::world::{Chat, World};
use super::chat::{chat_of, may_use_chats};
use super::{Taken, app_of, body_of};

/// The page says 2000, with the app itself.
const MOST_MEMBERS: usize = 1999;

pub(super) fn create(world: &mut World, seen: &Seen, notes: &RefCell<Notes>) -> Checked<Taken> {
    let app = app_of(world, seen)?;
    let agent_id = may_use_chats(world, &app)?;
    let map = body_of(seen)?;
    let body = Node::root(&map, notes);
    body.only(&["name", "owner", "userlist", "chatid"]);
    let id = match body.text("chatid") {
        None => format!("testchat{:06}", world.next_serial()),
        Some(id) if id.len() > 32 => return refuse(86205, "chatid too long"),
        Some(id) if id.is_empty() || !id.bytes().all(|b| b.is_ascii_alphanumeric()) => {
            return refuse(86001, "invalid chatid");
        }
        Some(id) if world.chats.iter().any(|chat| chat.id == id) => return refuse(86215, "chatid existed"),
        Some(id) => id.to_owned(),
    };
    let given = member_ids(&body, "userlist");
    if given.is_empty() {
        return refuse(86204, "userlist missing");
    }
    let members = known(world, given, 86007)?;
    if !(2..=MOST_MEMBERS).contains(&members.len()) {
        return refuse(86006, "invalid chat member count");
    }
    let owner = body.text("owner").map(str::to_lowercase);
    if let Some(owner) = &owner
        && !members.contains(owner)
    {
        return refuse(86207, "owner not in userlist");
    }
    let chat = Chat {
        name: name_of(&body).unwrap_or_default(),
        owner: owner.unwrap_or_else(|| members[0].clone()),
        ..Chat::new(&id, agent_id, members.iter().map(String::as_str))
    };
    world.chats.push(chat);
    Ok(changed([("chatid", json!(id))]))
}

pub(super) fn update(world: &mut World, seen: &Seen, notes: &RefCell<Notes>) -> Checked<Taken> {
    let app = app_of(world, seen)?;
    let agent_id = may_use_chats(world, &app)?;
    let map = body_of(seen)?;
    let body = Node::root(&map, notes);
    body.only(&["chatid", "name", "owner", "add_user_list", "del_user_list"]);
    let mut chat = chat_of(world, agent_id, body.text("chatid").unwrap_or_default())?;
    for joins in known(world, member_ids(&body, "add_user_list"), 86216)? {
        if !chat.members.contains(&joins) {
            chat.members.push(joins);
        }
    }
    for leaves in member_ids(&body, "del_user_list") {
        let Some(at) = chat.members.iter().position(|member| *member == leaves) else {
            return refuse(86216, format!("{leaves} is not a member"));
        };
        chat.members.remove(at);
    }
    chat.owner = body.text("owner").map(str::to_lowercase).unwrap_or(chat.owner);
    if !chat.members.contains(&chat.owner) {
        return refuse(if body.has("owner") { 86207 } else { 86203 }, "the chat needs an owner who is a member");
    }
    if !(2..=MOST_MEMBERS).contains(&chat.members.len()) {
        return refuse(86006, "invalid chat member count");
    }
    chat.name = name_of(&body).unwrap_or(chat.name);
    if let Some(known) = world.chats.iter_mut().find(|known| known.id == chat.id) {
        *known = chat;
    }
    Ok(changed([]))
}

pub(super) fn describe(world: &World, seen: &Seen) -> Checked<Taken> {
    let app = app_of(world, seen)?;
    let agent_id = may_use_chats(world, &app)?;
    let chat = chat_of(world, agent_id, seen.parameter("chatid").unwrap_or_default())?;
    let info = json!({
        "chatid": chat.id, "name": chat.name, "owner": chat.owner, "userlist": chat.members, "chat_type": 0,
    });
    Ok(Taken { outcome: Outcome::Described, ..changed([("chat_info", info)]) })
}

fn changed<const N: usize>(fields: [(&str, Value); N]) -> Taken {
    let fields: Map<_, _> = fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    Taken { fields, outcome: Outcome::Changed }
}

/// What WeCom keeps of a name.
fn name_of(body: &Node) -> Option<String> {
    body.text("name").map(|name| name.chars().take(50).collect())
}

/// The ids of a list in lower case; a repeated one is the client's defect.
fn member_ids(body: &Node, name: &str) -> Vec<String> {
    let ids: Vec<String> = body.texts(name).unwrap_or_default().into_iter().map(str::to_lowercase).collect();
    if ids.iter().enumerate().any(|(at, id)| ids[..at].contains(id)) {
        body.complain(format!("{name} names a member twice"));
    }
    ids
}

/// Members whom the app sees.
fn known(world: &World, ids: Vec<String>, code: i64) -> Checked<Vec<String>> {
    match ids.iter().find(|id| !world.sees_person(id) && (!world.any_user || *id == "nobody")) {
        Some(id) => refuse(code, format!("invalid member {id}")),
        None => Ok(ids),
    }
}
