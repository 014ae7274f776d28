//! The frames of an aibot's connection (document path 101463): subscription, heartbeat, messages, answers to clicks.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Instant;

use serde_json::{Map, Value};

use super::super::aibot::{ANSWER_WINDOW, CardUpdate, Conversation, SentAibotCard, plain_id};
use super::super::node::{Checked, Node, Notes, refuse};
use super::super::records::{Arrived, MediaKind, Outcome, Route, Seen};
use super::super::world::{Home, World};
use super::card::{self, Side};
use super::{Taken, body_of, media_in, payload};

const TYPES: [&str; 6] = ["markdown", "template_card", "file", "image", "voice", "video"];

const MARKDOWN_LIMIT: usize = 20_480;

fn taken(outcome: Outcome) -> Checked<Taken> {
    Ok(Taken { fields: Map::new(), outcome })
}

/// Which bot of the list is subscribed on the connection that the frame came on.
pub(super) fn bot_of(world: &World, seen: &Seen) -> Checked<usize> {
    match world.aibots.subscribed_on(seen.connection) {
        Some(index) => Ok(index),
        None => refuse(846_609, "aibot websocket not subscribed"),
    }
}

pub(super) fn subscribe(world: &mut World, seen: &Seen, notes: &RefCell<Notes>) -> Checked<Taken> {
    let map = body_of(seen)?;
    let body = Node::root(&map, notes);
    // The last three are what clients were seen to add.
    body.only(&["bot_id", "secret", "scene", "plug_version", "device_id"]);
    let (id, secret) = (body.filled("bot_id", 853_000)?, body.filled("secret", 853_000)?);
    if !world.aibots.bots.iter().any(|bot| bot.id == id && bot.secret == secret) {
        return refuse(853_000, "invalid bot_id or secret");
    }
    if world.aibots.subscribed_on(seen.connection).is_some() {
        body.complain("a second subscription on one connection".into());
        return taken(Outcome::Noted);
    }
    let bot = world.aibots.bot(id);
    if let Some((count, period)) = bot.subscription_limit
        && bot.subscriptions.iter().filter(|(_, at)| at.elapsed() < period).count() >= count
    {
        return refuse(45009, "api freq out of limit");
    }
    world.take_over(id);
    let bot = world.aibots.bot(id);
    bot.current = Some(seen.connection);
    bot.subscriptions.push((seen.connection, Instant::now()));
    taken(Outcome::Subscribed)
}

pub(super) fn ping(world: &World, seen: &Seen) -> Checked<Taken> {
    let socket = world.aibots.sockets.get(&seen.connection);
    if !socket.is_some_and(|socket| socket.is_half_dead) {
        bot_of(world, seen)?;
    }
    taken(Outcome::Noted)
}

pub(super) fn send(world: &mut World, seen: &Seen, notes: &RefCell<Notes>) -> Checked<Taken> {
    let index = bot_of(world, seen)?;
    let map = body_of(seen)?;
    let body = Node::root(&map, notes);
    let msgtype = body.text("msgtype").unwrap_or_default();
    if !TYPES.contains(&msgtype) {
        return refuse(40008, "invalid message type");
    }
    body.only(&["chatid", "chat_type", "msgtype", msgtype]);
    let chat = conversation(world, index, &body)?;
    let Some(payload) = body.object(msgtype) else {
        return refuse(payload::missing_code(msgtype), format!("{msgtype} is missing"));
    };
    check(world, index, msgtype, &payload)?;
    let bot = &mut world.aibots.bots[index];
    if !bot.take_slot(&chat.id) {
        return refuse(846_607, NOT_ALLOWED);
    }
    if chat.is_group && bot.drops_group_pushes {
        return taken(Outcome::Dropped);
    }
    if msgtype == "template_card" {
        let card = Value::Object(payload.fields().clone());
        bot.cards.push(SentAibotCard {
            task_id: payload.text("task_id").unwrap_or_default().to_owned(),
            chat: chat.id.clone(),
            is_group: chat.is_group,
            sent: card.clone(),
            face: card,
            faces: BTreeMap::new(),
            changes: 0,
        });
    }
    let users = if chat.is_group { Vec::new() } else { vec![chat.id.clone()] };
    let route = Route::Aibot { bot_id: bot.id.clone(), chat: chat.id, is_group: chat.is_group };
    let arrived = Arrived {
        route,
        msgtype: msgtype.to_owned(),
        users,
        parties: Vec::new(),
        tags: Vec::new(),
        body: Value::Object(map.clone()),
        raw: seen.body.clone(),
        errmsg: String::new(),
        remarks: Vec::new(),
    };
    taken(Outcome::Arrived(Box::new(arrived)))
}

/// Both meanings of 846607 have the same words: which ones WeCom has for each is published nowhere.
const NOT_ALLOWED: &str = "aibot send msg frequency limit exceeded or no active conversation";

/// The conversation that a message is for, if somebody has written to the bot there.
fn conversation(world: &World, index: usize, body: &Node) -> Checked<Conversation> {
    let bot = &world.aibots.bots[index];
    let id = body.text("chatid").unwrap_or_default();
    // What neither side says is told by the id.
    let asked = body.choice("chat_type", &[0, 1, 2])?;
    let Some(known) = bot.conversation(id).cloned() else {
        let person = plain_id(id).unwrap_or_else(|| id.to_owned());
        let is_person = world.users.contains(&person) || world.directory.people.contains_key(&person);
        let is_any = world.any_user && person != "nobody" && !person.is_empty();
        return match is_person || is_any || bot.quiet_groups.iter().any(|group| group == id) {
            true => refuse(846_607, NOT_ALLOWED),
            false => refuse(93006, "invalid chatid"),
        };
    };
    if asked != 0 && (asked == 2) != known.is_group {
        return refuse(93006, "invalid chatid");
    }
    if known.is_group && bot.refuses_group_pushes {
        return refuse(846_607, NOT_ALLOWED);
    }
    Ok(known)
}

fn check(world: &World, index: usize, msgtype: &str, payload: &Node) -> Checked {
    let bot = &world.aibots.bots[index];
    let home = Home::Aibot(bot.id.clone());
    match msgtype {
        "markdown" => {
            payload::content(payload, &["content", "feedback"], MARKDOWN_LIMIT, 40058)?;
            card::feedback(payload)
        }
        "video" => {
            payload.only(&["media_id", "title", "description"]);
            payload.text("title");
            payload.text("description");
            media_in(world, payload.filled("media_id", 41006)?, MediaKind::Video, &home).map(drop)
        }
        "template_card" => {
            card::check(world, &home, Side::Aibot, payload)?;
            let task_id = payload.text("task_id").filter(|id| !id.is_empty());
            match task_id.is_some_and(|id| bot.cards.iter().any(|card| card.task_id == id)) {
                true => refuse(846_625, "task_id was used before"),
                false => Ok(()),
            }
        }
        kind => match MediaKind::from_name(kind) {
            Some(kind) => payload::media(world, &home, payload, kind).map(drop),
            None => refuse(40008, "invalid message type"),
        },
    }
}

/// A card is changed in answer to a click, for everybody, or in a group for some. What else a click could get is not here.
pub(super) fn update(world: &mut World, seen: &Seen, notes: &RefCell<Notes>) -> Checked<Taken> {
    let index = bot_of(world, seen)?;
    let map = body_of(seen)?;
    change(world, index, seen.header("req_id").unwrap_or_default(), &Node::root(&map, notes))
}

/// The same in the answer to a callback (document path 101031).
pub(super) fn change(world: &mut World, index: usize, req_id: &str, body: &Node) -> Checked<Taken> {
    body.only(&["response_type", "userids", "template_card"]);
    if body.text("response_type") != Some("update_template_card") {
        return refuse(40058, "response_type is not update_template_card");
    }
    let bot = &world.aibots.bots[index];
    let Some(press) = bot.presses.iter().find(|press| press.req_id == req_id).cloned() else {
        return refuse(846_605, "invalid req_id");
    };
    let after = press.at.elapsed() + press.aged;
    if after > ANSWER_WINDOW {
        return refuse(846_604, "req_id has expired");
    }
    if press.is_answered {
        return refuse(846_606, "this request was answered already");
    }
    let Some(card) = body.object("template_card") else {
        return refuse(42031, "template_card is missing");
    };
    if card.text("task_id") != Some(press.task_id.as_str()) {
        return refuse(846_625, "task_id is not that of the click");
    }
    card::check(world, &Home::Aibot(bot.id.clone()), Side::AibotUpdate, &card)?;
    let userids: Vec<_> = body.texts("userids").unwrap_or_default().into_iter().map(str::to_owned).collect();
    let bot = &mut world.aibots.bots[index];
    let Some(shown) = bot.cards.iter_mut().find(|shown| shown.task_id == press.task_id) else {
        return refuse(846_605, "invalid req_id");
    };
    if !bot.takes_other_kinds && shown.sent["card_type"] != card.fields()["card_type"] {
        return refuse(40058, "card_type is not that of the card");
    }
    let face = Value::Object(card.fields().clone());
    if userids.is_empty() || !shown.is_group {
        shown.face = face.clone();
        shown.faces.clear();
    } else {
        let plain = |id: &String| (plain_id(id).unwrap_or_else(|| id.clone()), face.clone());
        shown.faces.extend(userids.iter().map(plain));
    }
    shown.changes += 1;
    let update =
        CardUpdate { req_id: press.req_id, task_id: press.task_id, userid: press.userid, userids, card: face, after };
    bot.updates.push(update.clone());
    bot.presses.iter_mut().filter(|press| press.req_id == req_id).for_each(|press| press.is_answered = true);
    // An answer takes a place among the messages, but is not refused for want of one.
    let chat = shown.chat.clone();
    bot.taken.push((chat, Instant::now()));
    taken(Outcome::CardChanged(Box::new(update)))
}
