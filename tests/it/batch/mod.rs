//! `batch`: many alerts, a line of JSON each.

mod lines;
mod order;
mod outbox;
mod stopped;

use serde_json::Value;

use crate::support::fake::{AGENT_ID, AIBOT_ID, AIBOT_SECRET, CORP_ID, FakeWecom, SECRET, WEBHOOK_KEY};
use crate::support::{Cmd, Run, Scene};

/// A second webhook of the fake.
const OTHER_KEY: &str = "00000000-0000-4000-8000-000000000002";

/// Profiles with an app, two webhooks, and an aibot.
fn scene() -> Scene {
    with(FakeWecom::builder().webhook(OTHER_KEY).start())
}

fn with(wecom: FakeWecom) -> Scene {
    let (base_url, aibot_url) = (wecom.base_url(), wecom.aibot_url());
    let mut scene = Scene::with(wecom);
    scene.config = format!("default_profile = 'room'\nbase_url = '{base_url}'\naibot_url = '{aibot_url}'\n");
    let app = format!("corp_id = '{CORP_ID}'\nagent_id = {AGENT_ID}\nsecret = '{SECRET}'");
    let bot = format!("aibot_id = '{AIBOT_ID}'\naibot_secret = '{AIBOT_SECRET}'");
    scene
        .profile("room", &format!("webhook = '{WEBHOOK_KEY}'"))
        .profile("other", &format!("webhook = '{OTHER_KEY}'"))
        .profile("app", &app)
        .profile("bot", &bot)
}

/// `batch` over these lines.
fn batch(scene: &Scene, args: &[&str], lines: &str) -> Cmd {
    scene.bare(&["batch"]).args(args).keeps_secret(&scene.wecom).secret(OTHER_KEY).stdin(lines)
}

/// Its results, a line each.
#[track_caller]
fn results(run: &Run) -> Vec<Value> {
    let result = |line: &str| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    run.stdout.lines().map(result).collect()
}

/// The result with that id.
#[track_caller]
fn of(results: &[Value], id: impl Into<Value>) -> &Value {
    let id = id.into();
    results.iter().find(|result| result["id"] == id).unwrap_or_else(|| panic!("{id} has no result: {results:?}"))
}
