//! The judge: takes a request as it came and says what WeCom would say, by the published pages alone.
//! It shares no code and no tables with the program under test, so that a wrong belief shows on one side.

mod agent;
mod aibot;
mod aibot_upload;
mod app;
mod card;
mod card_keys;
mod chat;
mod directory;
mod media;
mod own_chats;
mod payload;
mod recipients;
mod sent;
mod token;
mod webhook;

use std::cell::RefCell;

use serde_json::{Map, Value, json};

use super::json;
use super::node::{Checked, Node, Notes, refuse};
use super::records::{Endpoint, MediaKind, Outcome, Seen};
use super::world::{App, Home, Life, World};
use std::time::Instant;

/// The address that WeCom says it saw, also when it comes from loopback: a documentation address.
pub const SEEN_IP: &str = "203.0.113.7";

/// What WeCom answers and what has become of the request.
pub struct Verdict {
    pub json: Value,
    pub outcome: Outcome,
}

/// What a taken request adds to the answer.
struct Taken {
    fields: Map<String, Value>,
    outcome: Outcome,
}

/// Judges one request and does what it asks for.
pub fn judge(world: &mut World, seen: &Seen, complaints: &mut Vec<String>) -> Verdict {
    let notes = RefCell::new(Notes::default());
    let taken = match seen.endpoint {
        endpoint if seen.method != endpoint.method() => refuse(40058, "GET and POST must not be confused"),
        Endpoint::GetToken => token::give(world, seen),
        Endpoint::MessageSend => app::send(world, seen, &notes),
        Endpoint::MessageUpdateCard => sent::update_card(world, seen, &notes),
        Endpoint::MessageRecall => sent::recall(world, seen, &notes),
        Endpoint::WebhookSend => webhook::send(world, seen, &notes),
        Endpoint::MediaUpload => media::upload(world, seen, &notes),
        Endpoint::WebhookUploadMedia => media::webhook_upload(world, seen, &notes),
        Endpoint::AppchatCreate => own_chats::create(world, seen, &notes),
        Endpoint::AppchatUpdate => own_chats::update(world, seen, &notes),
        Endpoint::AppchatGet => own_chats::describe(world, seen),
        Endpoint::AppchatSend => chat::send(world, seen, &notes),
        Endpoint::AgentGet => agent::describe(world, seen),
        Endpoint::UserGetUserid => directory::by_mobile(world, seen, &notes),
        Endpoint::UserGetUseridByEmail => directory::by_mail(world, seen, &notes),
        Endpoint::DepartmentSimplelist => directory::department_ids(world, seen),
        Endpoint::DepartmentList => directory::departments(world, seen),
        Endpoint::DepartmentGet => directory::department(world, seen),
        Endpoint::UserSimplelist => directory::members(world, seen),
        Endpoint::UserGet => directory::member(world, seen),
        Endpoint::TagList => directory::tags(world, seen),
        Endpoint::TagGet => directory::tag(world, seen),
        Endpoint::AibotSubscribe => aibot::subscribe(world, seen, &notes),
        Endpoint::AibotPing => aibot::ping(world, seen),
        Endpoint::AibotSendMsg => aibot::send(world, seen, &notes),
        Endpoint::AibotRespondUpdateMsg => aibot::update(world, seen, &notes),
        Endpoint::AibotUploadInit => aibot_upload::init(world, seen, &notes),
        Endpoint::AibotUploadChunk => aibot_upload::chunk(world, seen, &notes),
        Endpoint::AibotUploadFinish => aibot_upload::finish(world, seen, &notes),
        Endpoint::OpenUseridToUserid => directory::plain_ids(world, seen, &notes),
        Endpoint::AibotConnect | Endpoint::Other => refuse(40058, "no such interface"),
    };
    let notes = notes.into_inner();
    complaints.extend(notes.complaints);
    let is_typed_wrong = !notes.wrong_types.is_empty();
    match taken {
        Ok(Taken { mut fields, mut outcome }) => {
            let errmsg = if is_typed_wrong { "ok. Warning: wrong json format. " } else { "ok" };
            if let Outcome::Arrived(arrived) = &mut outcome {
                errmsg.clone_into(&mut arrived.errmsg);
                arrived.remarks.extend(notes.remarks);
                arrived.remarks.extend(notes.wrong_types.iter().map(|path| format!("{path} has the wrong type")));
                world.arrived.push((**arrived).clone());
            }
            let mut json = json!({"errcode": 0, "errmsg": errmsg});
            if let Some(object) = json.as_object_mut() {
                object.append(&mut fields);
            }
            if let Some(code) = json["errcode"].as_i64().filter(|code| *code != 0) {
                let errmsg = json["errmsg"].as_str().unwrap_or_default().to_owned();
                outcome = Outcome::Refused { errcode: code, errmsg };
            }
            Verdict { json, outcome }
        }
        Err(refusal) => {
            let warning = if is_typed_wrong { "Warning: wrong json format. " } else { "" };
            let errmsg = errmsg(world, refusal.code, &format!("{warning}{}", refusal.text));
            let json = json!({"errcode": refusal.code, "errmsg": errmsg});
            Verdict { json, outcome: Outcome::Refused { errcode: refusal.code, errmsg } }
        }
    }
}

/// What an aibot's callback was answered with: an update of the card that was pressed, which nobody is told of. What is wrong
/// with it is a complaint.
pub fn answer_by_callback(world: &mut World, bot_id: &str, req_id: &str, answer: &Value) {
    let notes = RefCell::new(Notes::default());
    let index = world.aibots.bots.iter().position(|bot| bot.id == bot_id).unwrap_or_default();
    let empty = Map::new();
    let body = Node::root(answer.as_object().unwrap_or(&empty), &notes);
    let changed = aibot::change(world, index, req_id, &body);
    let refused = changed.err().map(|refusal| format!("{} {}", refusal.code, refusal.text));
    let complaints = notes.into_inner().complaints.into_iter().chain(refused);
    world.complaints.extend(complaints.map(|complaint| format!("an answer to an aibot's callback: {complaint}")));
}

/// The short text with what WeCom hangs on it.
fn errmsg(world: &mut World, code: i64, text: &str) -> String {
    let hint = world.next_serial();
    format!(
        "{text}, hint: [test-{hint}], from ip: {SEEN_IP}, more info at \
         https://open.work.weixin.qq.com/devtool/query?e={code}"
    )
}

/// The app behind the request's access token.
fn app_of(world: &World, seen: &Seen) -> Checked<App> {
    let text = seen.parameter("access_token").unwrap_or_default();
    if text.is_empty() {
        return refuse(41001, "access_token missing");
    }
    let Some(token) = world.tokens.iter().find(|token| token.text == text) else {
        return refuse(40014, "invalid access_token");
    };
    match token.life {
        Life::Revoked => return refuse(40014, "invalid access_token"),
        Life::Expired => return refuse(42001, "access_token expired"),
        Life::Valid if token.until <= Instant::now() => return refuse(42001, "access_token expired"),
        Life::Valid => {}
    }
    let Some(app) = world.apps.iter().find(|app| app.secret == token.secret) else {
        return refuse(40014, "invalid access_token");
    };
    if world.ip_refused {
        return refuse(60020, "not allow to access from your ip");
    }
    if !app.enabled {
        return refuse(50003, "app is disabled");
    }
    Ok(app.clone())
}

/// Which webhook of the list the request's key names.
fn webhook_of(world: &World, seen: &Seen) -> Checked<usize> {
    let key = seen.parameter("key").unwrap_or_default();
    match world.webhooks.iter().position(|webhook| webhook.key == key) {
        Some(index) => Ok(index),
        None => refuse(93000, "invalid webhook url"),
    }
}

/// The body as a JSON object, or what WeCom says to one that it cannot read.
fn body_of(seen: &Seen) -> Checked<Map<String, Value>> {
    if seen.body.is_empty() || seen.chunked {
        let code = if seen.endpoint == Endpoint::WebhookSend { 93017 } else { 40058 };
        return refuse(code, "empty request body");
    }
    let Ok(text) = std::str::from_utf8(&seen.body) else {
        return refuse(44004, "Warning: wrong json format. empty content");
    };
    let Ok(Value::Object(body)) = serde_json::from_str(text) else {
        return refuse(40008, "Warning: wrong json format. invalid message type");
    };
    match json::scan(text).escapes.first() {
        Some(escape) => refuse(40033, format!("invalid charset: {escape} is not allowed")),
        None => Ok(body),
    }
}

/// A `media_id` that must be there, be of that kind and belong there. Gives the file's name.
fn media_in(world: &World, id: &str, kind: MediaKind, home: &Home) -> Checked<String> {
    match world.media(id, kind, home) {
        Some(media) => Ok(media.filename.clone()),
        None => refuse(40007, "invalid media_id"),
    }
}
