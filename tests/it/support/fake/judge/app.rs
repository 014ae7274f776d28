//! message/send (document path 90236): the fields around the payload, and delivery.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};

use super::super::app_cards::{ResponseCode, SentCard};
use super::super::node::{Checked, Node, Notes, refuse};
use super::super::records::{Arrived, Outcome, Route, Seen};
use super::super::world::{App, Guarded, Home, SentMessage, World};
use super::card::Interactive;
use super::recipients::Recipients;
use super::{Taken, app_of, body_of, errmsg, payload};

const TYPES: [&str; 11] = [
    "text",
    "image",
    "voice",
    "video",
    "file",
    "textcard",
    "news",
    "mpnews",
    "markdown",
    "miniprogram_notice",
    "template_card",
];

const COMMON: [&str; 10] = [
    "touser",
    "toparty",
    "totag",
    "msgtype",
    "agentid",
    "safe",
    "enable_id_trans",
    "enable_duplicate_check",
    "duplicate_check_interval",
    "",
];

pub(super) fn send(world: &mut World, seen: &Seen, notes: &RefCell<Notes>) -> Checked<Taken> {
    let app = app_of(world, seen)?;
    let Some(own_agent) = app.agent_id else {
        return refuse(48002, "api forbidden for this secret");
    };
    let map = body_of(seen)?;
    if let Some(fields) = answer_to_the_same(world, seen, own_agent) {
        world.suppressed += 1;
        return Ok(Taken { fields, outcome: Outcome::Suppressed });
    }
    let body = Node::root(&map, notes);
    let msgtype = body.text("msgtype").unwrap_or_default();
    if !TYPES.contains(&msgtype) {
        return refuse(40008, "invalid message type");
    }
    let mut fields = COMMON;
    fields[9] = msgtype;
    body.only(&fields);
    check_agent(world, &body, own_agent)?;
    let recipients = Recipients::read(world, &body)?;
    if msgtype == "miniprogram_notice" && recipients.users == ["@all"] {
        return refuse(40058, "miniprogram_notice does not support @all");
    }
    let filename = check_payload(world, &app, &body, msgtype)?;
    check_switches(&body, msgtype, filename.as_deref())?;
    if recipients.are_all_invalid() {
        // The one error whose body says more than its code.
        let mut fields = Map::new();
        fields.insert("errcode".into(), json!(81013));
        fields.insert("errmsg".into(), json!(errmsg(world, 81013, "user & party & tag all invalid")));
        fields.append(&mut recipients.report());
        return Ok(Taken { fields, outcome: Outcome::Dropped });
    }
    deliver(world, seen, &body, own_agent, recipients, Value::Object(map.clone()))
}

/// What the same body got within its interval. Which fields a suppressed duplicate's answer has is published nowhere.
fn answer_to_the_same(world: &mut World, seen: &Seen, agent_id: i64) -> Option<Map<String, Value>> {
    world.guarded.retain(|guarded| guarded.until > Instant::now());
    let earlier = world.guarded.iter().find(|g| g.agent_id == agent_id && g.body == seen.body)?;
    Some(earlier.fields.clone())
}

/// `agentid` as an integer, or as a string that holds one: WeCom takes that, with a warning.
pub(super) fn check_agent(world: &World, body: &Node, own: i64) -> Checked {
    if !body.has("agentid") {
        return refuse(41011, "agentid missing");
    }
    let given = body.int("agentid").or_else(|| body.text("agentid").and_then(|text| text.parse().ok()));
    match given {
        Some(id) if id == own => Ok(()),
        Some(id) if world.apps.iter().any(|app| app.agent_id == Some(id)) => {
            refuse(301002, "not allow operate another agent with this accesstoken")
        }
        _ => refuse(40056, "invalid agentid"),
    }
}

/// The payload by its rules; gives the name of the file that a file message shows.
fn check_payload(world: &World, app: &App, body: &Node, msgtype: &str) -> Checked<Option<String>> {
    let home = Home::Corp(app.corp_id.clone());
    let Some(payload) = body.object(msgtype) else {
        let code = payload::missing_code(msgtype);
        return refuse(code, format!("{msgtype} is missing"));
    };
    let filename = payload::check(world, &home, msgtype, &payload)?;
    if msgtype == "template_card" {
        if Interactive::is(&payload) && !app.has_callback {
            return refuse(43012, "the app has no callback url");
        }
        if let (Some(id), Some(agent)) = (payload.text("task_id"), app.agent_id)
            && world.task_ids.contains(&(agent, id.to_owned()))
        {
            return refuse(42014, "task_id repeats");
        }
    }
    Ok(filename)
}

/// `safe`, `enable_id_trans` and the duplicate check, where the type has them.
fn check_switches(body: &Node, msgtype: &str, filename: Option<&str>) -> Checked {
    let safe_values: &[i64] = if msgtype == "mpnews" { &[0, 1, 2] } else { &[0, 1] };
    let safe = body.int("safe").unwrap_or(0);
    if !matches!(msgtype, "text" | "image" | "video" | "file" | "mpnews") && body.has("safe") {
        body.complain(format!("safe is not a field of {msgtype}"));
        if msgtype == "news" && safe != 0 {
            return refuse(40074, "news has no confidential mode");
        }
    }
    body.choice("safe", safe_values)?;
    if safe == 1
        && let Some(name) = filename
        && !can_be_safe(name)
    {
        return refuse(40004, "this kind of file has no confidential mode");
    }
    let translates =
        matches!(msgtype, "text" | "textcard" | "news" | "mpnews" | "miniprogram_notice" | "template_card");
    if body.has("enable_id_trans") && !translates {
        body.complain(format!("enable_id_trans is not a field of {msgtype}"));
    }
    body.choice("enable_id_trans", &[0, 1])?;
    body.choice("enable_duplicate_check", &[0, 1])?;
    match body.int("duplicate_check_interval") {
        Some(seconds) if !(1..=14_400).contains(&seconds) => {
            refuse(40058, "duplicate_check_interval is not between 1 and 14400")
        }
        _ => Ok(()),
    }
}

pub(super) fn can_be_safe(filename: &str) -> bool {
    let kind = filename.rsplit_once('.').map(|(_, kind)| kind.to_ascii_lowercase());
    let kinds = ["txt", "pdf", "doc", "docx", "ppt", "pptx", "xls", "xlsx", "xml", "jpg", "jpeg", "png", "bmp", "gif"];
    kind.is_some_and(|kind| kinds.contains(&kind.as_str()))
}

fn deliver(
    world: &mut World,
    seen: &Seen,
    body: &Node,
    agent_id: i64,
    mut recipients: Recipients,
    whole: Value,
) -> Checked<Taken> {
    let mut fields = recipients.report();
    let msgid = format!("test-msgid-{:06}", world.next_serial());
    fields.insert("msgid".into(), json!(msgid));
    let mut interactive = None;
    if let Some(card) = body.object("template_card") {
        if let Some(id) = card.text("task_id") {
            world.task_ids.insert((agent_id, id.to_owned()));
        }
        if Interactive::is(&card) {
            let code = ResponseCode::new(world, "");
            fields.insert("response_code".into(), json!(code.text));
            let sent = Value::Object(card.fields().clone());
            interactive = Some(SentCard {
                task_id: card.text("task_id").unwrap_or_default().to_owned(),
                codes: vec![code],
                face: sent.clone(),
                faces: BTreeMap::new(),
                changes: 0,
                sent,
                has_button: !matches!(card.text("card_type"), Some("text_notice" | "news_notice")),
                users: recipients.users.iter().map(|user| user.to_lowercase()).collect(),
                parties: recipients.parties.clone(),
                tags: recipients.tags.clone(),
            });
        }
    }
    let aged = Duration::ZERO;
    world.sent.push(SentMessage { msgid, agent_id, at: Instant::now(), aged, recalled: false, card: interactive });
    if body.int("enable_duplicate_check") == Some(1) {
        let seconds = body.int("duplicate_check_interval").unwrap_or(1800);
        let until = Instant::now() + Duration::from_secs(seconds.unsigned_abs());
        world.guarded.push(Guarded { agent_id, body: seen.body.clone(), until, fields: fields.clone() });
    }
    let unreached = recipients.unreached();
    let had_users = !recipients.users.is_empty();
    let (kept, dropped) = std::mem::take(&mut recipients.users)
        .into_iter()
        .partition::<Vec<_>, _>(|user| world.take_member_slot(agent_id, &user.to_lowercase()));
    world.dropped.extend(dropped);
    if had_users && kept.is_empty() && recipients.parties.is_empty() && recipients.tags.is_empty() {
        return Ok(Taken { fields, outcome: Outcome::Dropped });
    }
    let arrived = Arrived {
        route: Route::App { agent_id },
        msgtype: body.text("msgtype").unwrap_or_default().to_owned(),
        users: kept,
        parties: recipients.parties,
        tags: recipients.tags,
        body: whole,
        raw: seen.body.clone(),
        errmsg: String::new(),
        remarks: unreached.into_iter().collect(),
    };
    Ok(Taken { fields, outcome: Outcome::Arrived(Box::new(arrived)) })
}
