//! What is done to a message that an app sent before: message/recall (document path 94867).

use std::cell::RefCell;

use serde_json::Map;

use super::super::node::{Checked, Node, Notes, refuse};
use super::super::records::{Outcome, Seen};
use super::super::world::World;
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
