//! A disk that takes no byte more: the alert goes out, and what cannot be kept is said. Pipes and sockets are no files, so
//! only files are refused. The cache of tokens: see `token_cache/trouble.rs`; webhooks: see `outbox/storing.rs`.

use serde_json::{Value, json};

use crate::document::{assert_document, warnings};
use crate::support::fake::{AIBOT_ID, AIBOT_SECRET, FakeWecom};
use crate::support::{Cmd, Scene, wait_for};

/// No byte can be written to any file by the command. Trying it sends SIGXFSZ, which must not end it.
const FULL: &str = "ulimit -f 0";

fn scene() -> Scene {
    let wecom = FakeWecom::start();
    let keys = format!(
        "aibot_id = '{AIBOT_ID}'\naibot_secret = '{AIBOT_SECRET}'\naibot_url = '{}'\naibot_user = 'zhangsan'",
        wecom.aibot_url()
    );
    Scene::with(wecom).profile("ops", &keys)
}

fn full(scene: &Scene, args: &[&str]) -> Cmd {
    scene.bare(&["--output", "json", "-P", "ops"]).args(args).stdin_null().keeps_secret(&scene.wecom).after(FULL)
}

fn saying(document: &Value, part: &str) -> usize {
    warnings(document).iter().filter(|warning| warning.contains(part)).count()
}

#[test]
fn an_aibot_sends_what_cannot_be_stored() {
    let scene = scene();
    let run = full(&scene, &["aibot-send", "--outbox", "disk full"]).run();
    let told = assert_document(&run, "aibot-send", 0, &json!({"status": "sent", "outbox_id": null}));
    assert_eq!(saying(&told, "the alert is sent without being stored"), 1, "{told}");
    assert_eq!(scene.wecom.messages().len(), 1);
    // Nothing else of what the connection keeps is missed.
    let run = full(&scene, &["aibot-send", "disk full"]).run();
    assert_document(&run, "without outbox", 0, &json!({"status": "sent"}));
    assert_eq!(scene.wecom.messages().len(), 2);
}

#[test]
fn an_app_sends_what_cannot_be_stored() {
    let scene = Scene::new();
    let cmd = scene.app(&["--outbox", "-u", "zhangsan", "disk full"]).after(FULL);
    let told = assert_document(&cmd.run(), "app-send", 0, &json!({"status": "sent", "outbox_id": null}));
    assert_eq!(saying(&told, "the alert is sent without being stored"), 1, "{told}");
    assert_eq!(scene.wecom.messages().len(), 1);
}

#[test]
fn a_question_is_asked_and_answered() {
    let scene = scene();
    let asking = full(&scene, &["ask", "--title", "disk full", "--button", "ack=Acknowledge", "--wait", "60s"]).spawn();
    let bot = scene.wecom.aibot(AIBOT_ID);
    let card = wait_for("the card", || bot.cards().first().cloned());
    bot.press(&card.task_id, "ack", "zhangsan");
    let told = asking.wait().assert_code(0).json();
    assert_eq!((&told["status"], &told["answer"]["key"]), (&json!("answered"), &json!("ack")), "{told}");
    assert_eq!(saying(&told, "it is asked without being kept"), 1, "{told}");
    assert_eq!(bot.cards().len(), 1);
}
