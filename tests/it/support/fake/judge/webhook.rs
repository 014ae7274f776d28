//! webhook/send (document path 99110).

use std::cell::RefCell;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest as _, Md5};
use serde_json::{Map, Value};

use super::super::node::{Checked, Node, Notes, refuse};
use super::super::records::{Arrived, MediaKind, Outcome, Route, Seen};
use super::super::world::{Home, World};
use super::card::{self, Side};
use super::media::is_picture;
use super::{Taken, body_of, payload, webhook_of};

const TYPES: [&str; 8] = ["text", "markdown", "markdown_v2", "image", "news", "file", "voice", "template_card"];

/// The largest picture, before base64.
const PICTURE_LIMIT: usize = 2 * 1024 * 1024;

pub(super) fn send(world: &mut World, seen: &Seen, notes: &RefCell<Notes>) -> Checked<Taken> {
    let index = webhook_of(world, seen)?;
    let map = body_of(seen)?;
    let body = Node::root(&map, notes);
    let msgtype = body.text("msgtype").unwrap_or_default();
    if !TYPES.contains(&msgtype) {
        return refuse(40008, "invalid message type");
    }
    body.only(&["msgtype", msgtype]);
    let Some(payload) = body.object(msgtype) else {
        return refuse(payload::missing_code(msgtype), format!("{msgtype} is missing"));
    };
    let key = world.webhooks[index].key.clone();
    let home = Home::Webhook(key.clone());
    match msgtype {
        "text" => text(&payload)?,
        "markdown" | "markdown_v2" => payload::content(&payload, &["content"], 4096, 40058)?,
        "image" => image(&payload)?,
        "news" => news(&payload)?,
        "file" => drop(payload::media(world, &home, &payload, MediaKind::File)?),
        "voice" => drop(payload::media(world, &home, &payload, MediaKind::Voice)?),
        _ => card::check(world, &home, Side::Webhook, &payload)?,
    }
    if !world.take_webhook_slot(index) {
        return refuse(45009, "api freq out of limit");
    }
    let arrived = Arrived {
        route: Route::Webhook { key },
        msgtype: msgtype.to_owned(),
        users: Vec::new(),
        parties: Vec::new(),
        tags: Vec::new(),
        body: Value::Object(map.clone()),
        raw: seen.body.clone(),
        errmsg: String::new(),
        remarks: Vec::new(),
    };
    Ok(Taken { fields: Map::new(), outcome: Outcome::Arrived(Box::new(arrived)) })
}

fn text(payload: &Node) -> Checked {
    payload::content(payload, &["content", "mentioned_list", "mentioned_mobile_list"], 2048, 40058)?;
    payload.texts("mentioned_list");
    payload.texts("mentioned_mobile_list");
    Ok(())
}

fn image(payload: &Node) -> Checked {
    payload.only(&["base64", "md5"]);
    let given = payload.filled("md5", 301_019)?;
    let Ok(bytes) = STANDARD.decode(payload.filled("base64", 40063)?) else {
        return refuse(301_019, "media md5 not match");
    };
    let real: String = Md5::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    if given != real {
        return refuse(301_019, "media md5 not match");
    }
    if bytes.len() > PICTURE_LIMIT {
        return refuse(40009, "invalid image size");
    }
    if is_picture(&bytes) { Ok(()) } else { refuse(40123, "invalid image format") }
}

fn news(payload: &Node) -> Checked {
    for article in payload::articles(payload)? {
        article.only(&["title", "description", "url", "picurl"]);
        article.filled("title", 41016)?;
        article.max_bytes("title", 128, 40058)?;
        article.max_bytes("description", 512, 40058)?;
        // No scheme is asked for here: the official example is a bare host name.
        article.filled("url", 41010)?;
        article.text("picurl");
    }
    Ok(())
}
