//! Several targets of one command: `--also`, `--fallback`, and what they make together.

mod also;
#[cfg(unix)]
mod cooldown;
mod fallback;
mod nearest_type;
mod stored;

use serde_json::Value;

use crate::support::fake::{Arrived, Endpoint, FakeWecom, Route};
use crate::support::{Cmd, Scene};

const SECRETS: [&str; 5] =
    ["test-secret-of-ops", "test-secret-of-night", "test-key-of-room", "test-key-of-hall", "test-key-of-both"];

/// Two apps, two webhooks, and a profile with one of each.
const CONFIG: &str = r#"
[profiles.ops]
corp_id = "ww1111111111111111"
agent_id = 1000011
secret = "test-secret-of-ops"
to_user = ["lisi"]

[profiles.night]
corp_id = "ww2222222222222222"
agent_id = 1000022
secret = "test-secret-of-night"
to_user = "wangwu"

[profiles.room]
webhook = "test-key-of-room"

[profiles.hall]
webhook = "test-key-of-hall"

[profiles.both]
corp_id = "ww1111111111111111"
agent_id = 1000011
secret = "test-secret-of-ops"
to_user = "zhangsan"
webhook = "test-key-of-both"
"#;

fn new_scene() -> Scene {
    let wecom = FakeWecom::builder()
        .app("ww1111111111111111", 1_000_011, "test-secret-of-ops")
        .app("ww2222222222222222", 1_000_022, "test-secret-of-night")
        .webhook("test-key-of-room")
        .webhook("test-key-of-hall")
        .webhook("test-key-of-both");
    let mut scene = Scene::with(wecom.start());
    scene.config = format!("base_url = \"{}\"\n{CONFIG}", scene.wecom.base_url());
    scene
}

/// A command with its result as JSON.
fn command(scene: &Scene, args: &[&str]) -> Cmd {
    talking(scene, args).args(["--output", "json"])
}

/// A command that speaks to people.
fn talking(scene: &Scene, args: &[&str]) -> Cmd {
    SECRETS.into_iter().fold(scene.bare(args).keeps_secret(&scene.wecom), Cmd::secret)
}

/// By the app of `ops`.
fn app(scene: &Scene, args: &[&str]) -> Cmd {
    command(scene, &["app-send", "-P", "ops"]).args(args)
}

/// By the webhook of `room`.
fn group(scene: &Scene, args: &[&str]) -> Cmd {
    command(scene, &["webhook-send", "-P", "room"]).args(args)
}

/// Who got something, and which text, sorted.
fn arrived(scene: &Scene) -> Vec<(String, String)> {
    let mut arrived: Vec<_> =
        scene.wecom.messages().iter().map(|message| (receiver(message), text_in(message))).collect();
    arrived.sort();
    arrived
}

/// How many messages were asked for by an app and by a webhook, whatever became of them.
fn sends(scene: &Scene) -> [usize; 2] {
    [Endpoint::MessageSend, Endpoint::WebhookSend].map(|endpoint| scene.wecom.count(endpoint))
}

/// `lisi`, `room`.
fn receiver(message: &Arrived) -> String {
    match &message.route {
        Route::App { .. } => message.users.join("|"),
        Route::Chat { id } | Route::Aibot { chat: id, .. } => id.clone(),
        Route::Webhook { key } => key.strip_prefix("test-key-of-").unwrap_or(key).to_owned(),
    }
}

fn text_in(message: &Arrived) -> String {
    message.payload()["content"].as_str().unwrap_or(&message.msgtype).to_owned()
}

fn owned(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(to, text)| ((*to).to_owned(), (*text).to_owned())).collect()
}

/// Profile, route, status and exit code of each target.
fn targets(told: &Value) -> Vec<(String, String, String, u64)> {
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let targets = told["targets"].as_array().unwrap().iter();
    targets
        .map(|t| (text(&t["profile"]), text(&t["route"]), text(&t["status"]), t["exit_code"].as_u64().unwrap()))
        .collect()
}

#[track_caller]
fn assert_targets(case: &str, told: &Value, expected: &[(&str, &str, &str, u64)]) {
    let told = targets(told);
    let told: Vec<_> = told.iter().map(|(p, r, s, code)| (p.as_str(), r.as_str(), s.as_str(), *code)).collect();
    assert_eq!(told, expected, "{case}");
}
