//! `ask` and `answer` through the front door, against the fake's aibot.

mod answers;
mod app;
mod confirm;
mod escalation;
mod ids;
mod local;
mod options;
mod people;
mod recipes;

use serde_json::Value;

use crate::support::fake::{AIBOT_CHAT, AIBOT_ID, AIBOT_SECRET, FakeWecom, SentAibotCard};
use crate::support::{Cmd, Run, Running, Scene, wait_for};

/// A profile that asks by an aibot, and others to escalate to.
fn scene() -> Scene {
    with(FakeWecom::start())
}

fn with(wecom: FakeWecom) -> Scene {
    let (base_url, aibot_url, webhook) = (wecom.base_url(), wecom.aibot_url(), wecom.webhook_url());
    let aibot = format!("aibot_id = '{AIBOT_ID}'\naibot_secret = '{AIBOT_SECRET}'");
    let mut scene = Scene::with(wecom);
    scene.config = format!("default_profile = 'ops'\nbase_url = '{base_url}'\naibot_url = '{aibot_url}'\n");
    scene
        .profile("ops", &format!("{aibot}\naibot_user = 'zhangsan'"))
        .profile("lead", &format!("{aibot}\naibot_user = 'lisi'"))
        .profile("group", &format!("{aibot}\naibot_chat = '{AIBOT_CHAT}'"))
        .profile("room", &format!("webhook = '{webhook}'"))
        .profile("broken", "webhook_file = '/nowhere/at/all'")
}

/// The same with the config file written once: commands that run side by side must not read it while it is written.
fn written(mut scene: Scene) -> Scene {
    let config = std::mem::take(&mut scene.config);
    drop(scene.env.cmd(["help"]).config(&config));
    scene
}

/// `ask` with its result as JSON.
fn ask(scene: &Scene, args: &[&str]) -> Cmd {
    command(scene, "ask").args(args)
}

fn command(scene: &Scene, name: &str) -> Cmd {
    scene.bare(&["--output", "json", name]).stdin_null().keeps_secret(&scene.wecom)
}

/// The card of that number, as soon as it is there.
fn card(scene: &Scene, number: usize) -> SentAibotCard {
    wait_for("the card", || scene.wecom.aibot(AIBOT_ID).cards().get(number).cloned())
}

/// Somebody presses on the card of that number, which is waited for.
fn press(scene: &Scene, number: usize, key: &str, userid: &str) {
    let card = card(scene, number);
    scene.wecom.aibot(AIBOT_ID).press(&card.task_id, key, userid);
}

/// Asks, lets somebody press, and waits for the end.
fn pressed(scene: &Scene, args: &[&str], key: &str, userid: &str) -> Run {
    let asking = ask(scene, args).spawn();
    press(scene, 0, key, userid);
    asking.wait()
}

/// How it ended: exit code, status, and the key of the answer.
fn end(run: &Run) -> (i32, String, Option<String>) {
    let document = run.json();
    let text = |value: &Value| value.as_str().map(str::to_owned);
    (run.code.unwrap(), text(&document["status"]).unwrap(), text(&document["answer"]["key"]))
}

fn ended(asking: Running, code: i32, status: &str) -> Value {
    let run = asking.wait().assert_code(code);
    let document = run.json();
    assert_eq!(document["status"], status, "{}", run.all());
    document
}
