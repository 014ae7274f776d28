//! The channel `aibot`, through the front door: messages over the long connection of an aibot.

#[cfg(unix)]
mod holder;
mod recipients;
mod refusals;
mod settings;
mod types;
mod wire;

use crate::support::Scene;
use crate::support::fake::{AIBOT_ID, AIBOT_SECRET};

/// The bodies of the messages that arrived, as they were sent.
fn bodies(scene: &Scene) -> Vec<String> {
    scene.wecom.messages().into_iter().map(|message| message.body.to_string()).collect()
}

/// The last of them.
fn last(scene: &Scene) -> String {
    bodies(scene).pop().unwrap_or_default()
}

/// The keys of a profile with the aibot of that fake.
fn keys(scene: &Scene) -> String {
    let url = scene.wecom.aibot_url();
    format!("aibot_id = {AIBOT_ID:?}\naibot_secret = {AIBOT_SECRET:?}\naibot_url = {url:?}")
}
