//! `outbox flush --digest`: much that waits for one target becomes one message.

use serde_json::json;

use super::{assert_empty, flush, flushed, send, store, waiting};
use crate::support::Scene;
use crate::support::fake::{Endpoint, Reply};

/// Stores so many texts for the group.
fn stored(scene: &Scene, count: usize) -> Vec<String> {
    (0..count)
        .map(|number| store(scene, &["--rate", "off", "--retries", "0", &format!("alert number {number:02}")]))
        .collect()
}

fn texts(scene: &Scene) -> Vec<String> {
    scene.wecom.messages().iter().map(|message| message.body.to_string()).collect()
}

#[test]
fn what_waits_for_one_target_becomes_one_message() {
    let scene = Scene::new();
    stored(&scene, 8);
    // On its own: a payload, a file, another type.
    let picture = scene.env.file("payload.json", r#"{"msgtype": "text", "text": {"content": "a payload"}}"#);
    store(&scene, &["--rate", "off", "--retries", "0", "--payload", picture.to_str().unwrap()]);
    store(&scene, &["--rate", "off", "--retries", "0", "--title", "An alert", "of another type"]);
    flushed(&scene, "digest", flush(&scene).args(["--digest", "--rate", "off"]), 0, [10, 0, 0]);
    let texts = texts(&scene);
    assert_eq!(texts.len(), 3, "{texts:?}");
    for number in 0..8 {
        let all = texts.concat();
        assert_eq!(all.matches(&format!("alert number {number:02}")).count(), 1, "{texts:?}");
        assert!(texts[0].contains(&format!("alert number {number:02}")), "{texts:?}");
    }
    assert_empty(&scene, "all are delivered");
}

#[test]
fn a_few_go_out_one_by_one_and_so_do_all_without_the_option() {
    let scene = Scene::new();
    stored(&scene, 5);
    flushed(&scene, "five", flush(&scene).args(["--digest", "--rate", "off"]), 0, [5, 0, 0]);
    assert_eq!(texts(&scene).len(), 5);
    stored(&scene, 6);
    flushed(&scene, "without", flush(&scene).args(["--rate", "off"]), 0, [6, 0, 0]);
    assert_eq!(texts(&scene).len(), 11);
}

#[test]
fn entries_stay_until_the_message_was_taken() {
    let scene = Scene::new();
    let ids = stored(&scene, 7);
    scene.wecom.script(Endpoint::WebhookSend, [Reply::status(502)]);
    let digest = || flush(&scene).args(["--digest", "--rate", "off", "--retries", "0"]);
    flushed(&scene, "an outage", digest(), 7, [0, 7, 0]);
    assert_eq!(waiting(&scene), ids);
    // Refused together they go out one by one: one of them may be the reason.
    scene.wecom.script(Endpoint::WebhookSend, [Reply::errcode(40058, "invalid"), Reply::errcode(40058, "invalid")]);
    let told = flushed(&scene, "refused", digest(), 6, [6, 0, 1]);
    assert_eq!(texts(&scene).len(), 6, "{told}");
    assert_eq!(told["failed"], json!(1));
    send(&scene, &["--rate", "off", "later"]).run().assert_code(0);
}
