//! gettoken (document path 91039).

use std::time::Instant;

use serde_json::{Map, json};

use super::super::node::{Checked, refuse};
use super::super::records::{Outcome, Seen};
use super::super::world::World;
use super::Taken;

pub(super) fn give(world: &mut World, seen: &Seen) -> Checked<Taken> {
    let (corp, secret) =
        (seen.parameter("corpid").unwrap_or_default(), seen.parameter("corpsecret").unwrap_or_default());
    if corp.is_empty() {
        return refuse(41002, "corpid missing");
    }
    if !world.apps.iter().any(|app| app.corp_id == corp) {
        return refuse(40013, "invalid corpid");
    }
    if secret.is_empty() {
        return refuse(41004, "corpsecret missing");
    }
    let Some(app) = world.apps.iter().find(|app| app.corp_id == corp && app.secret == secret) else {
        return refuse(40001, "invalid credential");
    };
    if world.ip_refused {
        return refuse(60020, "not allow to access from your ip");
    }
    if !app.enabled {
        return refuse(50003, "app is disabled");
    }
    let known = world.valid_token(secret).cloned().filter(|_| !world.new_token_each_time);
    let new = known.is_none();
    let lifetime = world.token_lifetime;
    let (token, left) = match known {
        Some(token) => {
            let left = token.until.saturating_duration_since(Instant::now());
            (token, left)
        }
        None => (world.issue_token(secret), lifetime),
    };
    let mut fields = Map::new();
    fields.insert("access_token".into(), json!(token.text));
    fields.insert("expires_in".into(), json!(left.as_secs()));
    Ok(Taken { fields, outcome: Outcome::Token { new } })
}
