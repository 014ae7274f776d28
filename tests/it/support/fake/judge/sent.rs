//! What is done to a message that an app sent before: message/recall and message/update_template_card (document paths 94867
//! and 94888).

use std::cell::RefCell;

use serde_json::{Map, Value, json};

use super::super::aibot::CardUpdate;
use super::super::app_cards::SentCard;
use super::super::node::{Checked, Node, Notes, refuse};
use super::super::records::{Outcome, Seen};
use super::super::world::{Home, SentMessage, World};
use super::app::check_agent;
use super::card::{self, Side};
use super::{Taken, app_of, body_of};

/// Which code an unknown msgid and a second recall get is published nowhere: here they are a bad parameter and a success.
pub(super) fn recall(world: &mut World, seen: &Seen, notes: &RefCell<Notes>) -> Checked<Taken> {
    let app = app_of(world, seen)?;
    let map = body_of(seen)?;
    let body = Node::root(&map, notes);
    body.only(&["msgid"]);
    let msgid = body.filled("msgid", 40058)?;
    let Some(sent) = world.sent.iter_mut().find(|sent| sent.msgid == msgid && Some(sent.agent_id) == app.agent_id)
    else {
        return refuse(40058, "invalid msgid");
    };
    if sent.is_older_than(24) {
        return refuse(42052, "msgid expired");
    }
    sent.recalled = true;
    Ok(Taken { fields: Map::new(), outcome: Outcome::Changed })
}

/// Whether the code is used up where some whose card it is are not reached is published nowhere: here it is.
pub(super) fn update_card(world: &mut World, seen: &Seen, notes: &RefCell<Notes>) -> Checked<Taken> {
    let app = app_of(world, seen)?;
    let Some(agent_id) = app.agent_id else {
        return refuse(48002, "api forbidden for this secret");
    };
    let map = body_of(seen)?;
    let body = Node::root(&map, notes);
    body.only(&[
        "userids",
        "partyids",
        "tagids",
        "atall",
        "agentid",
        "response_code",
        "enable_id_trans",
        "button",
        "template_card",
    ]);
    check_agent(world, &body, agent_id)?;
    let code = body.filled("response_code", 60140)?;
    let code_of = |sent: &SentMessage| sent.card.as_ref()?.codes.iter().position(|known| known.text == code);
    let found = world.sent.iter().find_map(|sent| Some((sent.clone(), code_of(sent)?)));
    let Some((sent, at)) = found else { return refuse(60140, "invalid response_code") };
    let Some(card) = sent.card.clone().filter(|card| card.codes[at].is_good()) else {
        return refuse(60140, "invalid response_code");
    };
    if sent.agent_id != agent_id {
        return refuse(42015, "the card was sent by another agent");
    }
    match (body.object("button"), body.object("template_card")) {
        (Some(button), None) => {
            button.only(&["replace_name"]);
            button.filled("replace_name", 42020)?;
            if body.has("enable_id_trans") {
                body.complain("enable_id_trans goes with template_card only".into());
            }
            if !card.has_button {
                return refuse(42017, "the card has no button");
            }
        }
        (None, Some(new)) => card::check(world, &Home::Corp(app.corp_id), Side::Update, &new)?,
        _ => return refuse(40058, "either button or template_card"),
    }
    body.choice("enable_id_trans", &[0, 1])?;
    let invalid = targets(&body, &card)?;
    let update = Value::Object(map.clone());
    let is_for_all = body.int("atall") == Some(1) || body.has("partyids") || body.has("tagids");
    let userids = if is_for_all { Vec::new() } else { body.texts("userids").unwrap_or_default() };
    let userids: Vec<_> = userids.into_iter().map(str::to_owned).collect();
    let used = card.codes[at].clone();
    let is_its = |known: &&mut SentMessage| known.msgid == sent.msgid;
    if let Some(card) = world.sent.iter_mut().find(is_its).and_then(|sent| sent.card.as_mut()) {
        card.codes[at].is_used = true;
        card.change(&update, &userids);
    }
    let update = CardUpdate {
        req_id: used.text,
        task_id: card.task_id,
        userid: used.userid,
        userids,
        card: update.get("template_card").or(update.get("button")).cloned().unwrap_or_default(),
        after: used.at.elapsed() + used.aged,
    };
    let fields = Map::from_iter([("invaliduser".to_owned(), json!(invalid))]);
    Ok(Taken { fields, outcome: Outcome::CardChanged(Box::new(update)) })
}

/// Those named who did not get the card.
fn targets(body: &Node, card: &SentCard) -> Checked<Vec<String>> {
    let users: Vec<String> = body.texts("userids").unwrap_or_default().into_iter().map(str::to_lowercase).collect();
    let numbers = |name: &str| body.ints(name).unwrap_or_default().iter().map(i64::to_string).collect::<Vec<_>>();
    let (parties, tags) = (numbers("partyids"), numbers("tagids"));
    let is_all = body.choice("atall", &[0, 1])? == 1;
    if !is_all && users.is_empty() && parties.is_empty() && tags.is_empty() {
        return refuse(82101, "no target of the update");
    }
    if users.len() > 1000 || parties.len() > 100 || tags.len() > 100 {
        return refuse(40058, "too many targets");
    }
    // Who got it by a department or a tag cannot be told from the ids alone.
    let knows_all = card.parties.is_empty() && card.tags.is_empty() && card.users != ["@all"];
    let (valid, invalid): (Vec<_>, Vec<_>) =
        users.into_iter().partition(|user| *user != "nobody" && (!knows_all || card.users.contains(user)));
    let others = parties.iter().any(|id| card.parties.contains(id)) || tags.iter().any(|id| card.tags.contains(id));
    if !is_all && valid.is_empty() && !others {
        return refuse(82102, "nobody of these got the card");
    }
    Ok(invalid)
}
