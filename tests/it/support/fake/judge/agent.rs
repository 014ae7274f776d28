//! agent/get (document path 90227): an app and its visible range.

use serde_json::{Map, Value, json};

use super::super::node::{Checked, refuse};
use super::super::records::{Outcome, Seen};
use super::super::world::World;
use super::{Taken, app_of};

pub(super) fn describe(world: &World, seen: &Seen) -> Checked<Taken> {
    let app = app_of(world, seen)?;
    let Some(agent_id) = seen.parameter("agentid").and_then(|id| id.parse::<i64>().ok()) else {
        return refuse(40056, "invalid agentid");
    };
    if app.agent_id != Some(agent_id) {
        return refuse(301_002, "no permission to access this agent");
    }
    let users: Vec<Value> = world.users.iter().map(|user| json!({"userid": user})).collect();
    let numbers = |ids: &std::collections::BTreeSet<String>| -> Vec<i64> {
        ids.iter().filter_map(|id| id.parse().ok()).collect()
    };
    let fields = json!({
        "agentid": agent_id,
        "name": world.app_name,
        "square_logo_url": "https://logo.example/0",
        "description": "",
        "allow_userinfos": {"user": users},
        "allow_partys": {"partyid": numbers(&world.parties)},
        "allow_tags": {"tagid": numbers(&world.tags)},
        "close": i32::from(app.closed),
        "redirect_domain": "",
        "report_location_flag": 0,
        "isreportenter": 0,
        "home_url": "",
    });
    let fields: Map<String, Value> = fields.as_object().cloned().unwrap_or_default();
    Ok(Taken { fields, outcome: Outcome::Described })
}
