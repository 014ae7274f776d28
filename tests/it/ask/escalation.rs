//! Who gets a question when nobody answers, or nobody can be reached.

use std::time::Duration;

use serde_json::{Value, json};

use super::{ask, card, ended, press, scene};
use crate::support::fake::{AIBOT_ID, Endpoint, Reply, Route};
use crate::support::{Scene, wait_until};

fn statuses(document: &Value) -> Vec<(&str, &str)> {
    let steps = document["steps"].as_array().unwrap();
    steps.iter().map(|step| (step["target"].as_str().unwrap(), step["status"].as_str().unwrap())).collect()
}

fn messages_of_room(scene: &Scene) -> Vec<String> {
    let messages = scene.wecom.messages();
    messages
        .iter()
        .filter(|message| matches!(message.route, Route::Webhook { .. }))
        .map(|message| message.payload().to_string())
        .collect()
}

#[test]
fn who_is_asked_later_gets_a_card_and_a_room_a_message() {
    let scene = scene();
    let args = ["--title", "disk full", "--escalate", "lead@300ms", "--escalate", "room@600ms", "--wait", "1m"];
    let asking = ask(&scene, &args).spawn();
    let second = card(&scene, 1);
    assert_eq!(second.chat, "lisi");
    assert!(second.sent["sub_title_text"].as_str().unwrap().starts_with("[nobody has answered since "), "{second:?}");
    wait_until("the message to the room", || !messages_of_room(&scene).is_empty());
    assert!(messages_of_room(&scene)[0].contains("[nobody has answered since "));
    press(&scene, 1, "ack", "lisi");
    let document = ended(asking, 0, "answered");
    assert_eq!(document["answer"]["target"], "lead:aibot/lisi");
    assert_eq!(
        statuses(&document),
        [("ops:aibot/zhangsan", "sent"), ("lead:aibot/lisi", "sent"), ("room:webhook", "sent")]
    );
    // The first card cannot be changed without a press on it, nor can the room's message: both are told.
    let told: Vec<String> = scene.wecom.messages().iter().map(|message| message.payload().to_string()).collect();
    assert_eq!(told.iter().filter(|text| text.contains("lisi answered: Acknowledge")).count(), 2, "{told:?}");
}

#[test]
fn a_target_that_fails_brings_the_next_one_early() {
    let scene = scene();
    let args = ["-P", "broken", "--title", "disk full", "--escalate", "lead@50m"];
    let asking = ask(&scene, &args).spawn();
    press(&scene, 0, "ack", "lisi");
    let document = ended(asking, 0, "answered");
    assert_eq!(statuses(&document), [("broken:webhook", "config"), ("lead:aibot/lisi", "sent")]);
}

#[test]
fn the_fallback_is_asked_where_the_first_target_fails() {
    let scene = scene();
    let asking =
        ask(&scene, &["-P", "broken", "--title", "disk full", "--fallback", "lead", "--escalate", "ops@50m"]).spawn();
    press(&scene, 0, "ack", "lisi");
    let document = ended(asking, 0, "answered");
    assert_eq!(
        statuses(&document),
        [("broken:webhook", "config"), ("lead:aibot/lisi", "sent"), ("ops:aibot/zhangsan", "waiting")]
    );
    let asking = ask(&scene, &["--title", "disk full", "--fallback", "lead"]).spawn();
    press(&scene, 1, "ack", "zhangsan");
    assert_eq!(statuses(&ended(asking, 0, "answered"))[1], ("lead:aibot/lisi", "waiting"));
}

#[test]
fn a_target_that_hangs_delays_nobody() {
    let scene = scene();
    scene.wecom.always(Endpoint::WebhookSend, Reply::delayed(Duration::from_secs(600), Reply::Normal));
    let asking = ask(&scene, &["-P", "room", "--title", "disk full", "--escalate", "lead@300ms"]).spawn();
    press(&scene, 0, "ack", "lisi");
    ended(asking, 0, "answered");
}

#[test]
fn a_target_that_refuses_brings_the_next_one_early() {
    let scene = scene();
    scene.wecom.always(Endpoint::WebhookSend, Reply::errcode(93000, "invalid webhook url"));
    let asking = ask(&scene, &["-P", "room", "--title", "disk full", "--escalate", "lead@50m"]).spawn();
    press(&scene, 0, "ack", "lisi");
    ended(asking, 0, "answered");
}

#[test]
fn nobody_can_be_reached() {
    let scene = scene();
    let asking = ask(&scene, &["-P", "broken", "--title", "disk full", "--escalate", "broken@50m"]).spawn();
    let document = ended(asking, 3, "config");
    assert!(document["message"].as_str().unwrap().starts_with("nobody was reached: "), "{document}");
    assert_eq!(document["answer"], Value::Null);
    assert_eq!(scene.wecom.messages().len(), 0);
}

#[test]
fn a_room_alone_cannot_answer() {
    let scene = scene();
    let asking = ask(&scene, &["-P", "room", "--title", "disk full"]).spawn();
    let document = ended(asking, 3, "config");
    assert_eq!(messages_of_room(&scene).len(), 1);
    assert!(messages_of_room(&scene)[0].contains("[nothing can be pressed here]"));
    assert_eq!(document["steps"][0]["status"], json!("sent"));
    assert_eq!(scene.wecom.aibot(AIBOT_ID).cards().len(), 0);
}

#[test]
fn certain_people_of_a_profile_can_be_asked() {
    let scene = scene();
    let asking = ask(&scene, &["--title", "disk full", "--escalate", "ops/wangwu,lisi@200ms"]).spawn();
    let chats = [card(&scene, 1).chat, card(&scene, 2).chat];
    assert!(chats.contains(&"wangwu".to_owned()) && chats.contains(&"lisi".to_owned()), "{chats:?}");
    press(&scene, 0, "ack", "zhangsan");
    assert_eq!(statuses(&ended(asking, 0, "answered")).len(), 3);
}
