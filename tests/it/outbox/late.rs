//! What a late alert says of itself: from one minute on, in its own text or before it, and never into a copy that WeCom
//! itself may know.

use serde_json::json;

use super::{MINUTE_MS, age, app, assert_empty, failed, flush, flushed, queued, send, store_on, waiting};
use crate::support::fake::{Endpoint, FakeWecom, Reply};
use crate::support::{Cmd, HTTP_ROUTES, Scene, on_each_route, wait_until};

/// A flush in Shanghai.
fn flush_there(scene: &Scene) -> Cmd {
    flush(scene).env("TZ", "CST-8")
}

/// What leads an alert that waited for that long.
pub(super) fn mark(queued_at_ms: u64, span: &str) -> String {
    let minute = queued_at_ms / MINUTE_MS + 8 * 60;
    format!("[delayed {span}, {:02}:{:02} +0800] ", minute / 60 % 24, minute % 60)
}

#[test]
fn after_one_minute_an_alert_is_marked_as_late() {
    for (route, (late_by_ms, span)) in on_each_route([
        (30_000, None),
        (MINUTE_MS, Some("1m")),
        (37 * MINUTE_MS, Some("37m")),
        (125 * MINUTE_MS, Some("2h 5m")),
        (23 * 60 * MINUTE_MS, Some("23h")),
    ]) {
        let scene = Scene::new();
        let id = store_on(&scene, route, &["disk full"]);
        let queued_at = age(&scene, &id, late_by_ms);
        flushed(&scene, "late", flush_there(&scene), 0, [1, 0, 0]);
        let mark = span.map_or(String::new(), |span| mark(queued_at, span));
        assert_eq!(scene.texts(), [format!("{mark}disk full")], "{route:?}");
    }
}

#[test]
fn only_the_first_missing_message_is_marked_as_late() {
    let scene = Scene::new();
    let text: String = (0..600).map(|line| format!("line {line:04}\n")).collect();
    scene.wecom.script(Endpoint::WebhookSend, [Reply::Normal, Reply::status(502)]);
    let id = queued(&scene, send(&scene, &["--on-long", "split", &text]));
    let mark = mark(age(&scene, &id, 37 * MINUTE_MS), "37m");
    flushed(&scene, "the rest", flush_there(&scene), 0, [1, 0, 0]);
    let texts = scene.texts();
    assert!(!texts[0].contains("delayed") && texts[1..].concat().matches("delayed").count() == 1, "{texts:?}");
    assert!(texts[1].contains(&mark), "{}", texts[1]);
    let whole = texts.concat();
    assert!((0..600).all(|line| whole.matches(&format!("line {line:04}")).count() == 1));
}

#[test]
fn a_full_text_is_split_to_be_marked_as_late() {
    for route in HTTP_ROUTES {
        let scene = Scene::new();
        let id = store_on(&scene, route, &[&"x".repeat(2048)]);
        let mark = mark(age(&scene, &id, 37 * MINUTE_MS), "37m");
        flushed(&scene, "full", flush_there(&scene), 0, [1, 0, 0]);
        let texts = scene.texts();
        assert_eq!(texts.len(), 2);
        assert!(texts[0].starts_with(&format!("(1/2) {mark}x")) && texts[1].starts_with("(2/2) x"), "{texts:?}");
        assert_eq!(texts.concat().matches('x').count(), 2048);
        assert_empty(&scene, "full");
    }
}

#[test]
fn those_who_got_it_in_time_get_no_half_of_it_and_others_get_both() {
    let scene = Scene::with(FakeWecom::builder().any_user().start());
    let users: Vec<String> = (0..1001).map(|number| format!("user{number}")).collect();
    scene.wecom.script(Endpoint::MessageSend, [Reply::Normal, Reply::status(502)]);
    let cmd = scene.cmd(&["app-send", "--outbox", "-u", &users.join(","), &"x".repeat(2048)]);
    let id = queued(&scene, cmd);
    age(&scene, &id, 37 * MINUTE_MS);
    flushed(&scene, "the last member", flush_there(&scene), 0, [1, 0, 0]);
    let messages = scene.wecom.messages();
    let got: Vec<_> = messages.iter().map(|message| message.users.len()).collect();
    assert_eq!(got, [1000, 1, 1]);
    assert_eq!(scene.texts()[1..].concat().matches('x').count(), 2048);
}

#[test]
fn a_message_without_text_is_announced_as_late() {
    let payload = json!({"content": "a payload of somebody else's"});
    let scene = Scene::new();
    let payload = scene.env.file("payload.json", payload.to_string());
    let file = scene.env.file("report.txt", "a report of more than five bytes");
    let cases = [("--payload", payload, "a payload of somebody else's"), ("--file", file, "(file)")];
    for (route, (option, path, arrived)) in on_each_route(cases) {
        let id = store_on(&scene, route, &[option, path.to_str().unwrap()]);
        let mark = mark(age(&scene, &id, 37 * MINUTE_MS), "37m");
        let before = scene.texts().len();
        flushed(&scene, option, flush_there(&scene), 0, [1, 0, 0]);
        assert_eq!(scene.texts()[before..], [format!("{mark}the next message is late"), arrived.to_owned()]);
    }
    assert_empty(&scene, "announced");
}

#[test]
fn an_announcement_without_its_message_is_not_all() {
    let scene = Scene::new();
    let payload = scene.env.file("payload.json", json!({"content": "whole"}).to_string());
    scene.wecom.script(Endpoint::WebhookSend, [Reply::status(502)]);
    let id = queued(&scene, send(&scene, &["--payload"]).arg(payload));
    age(&scene, &id, 37 * MINUTE_MS);
    scene.wecom.script(Endpoint::WebhookSend, [Reply::Normal, Reply::status(502)]);
    flushed(&scene, "announced only", flush_there(&scene), 7, [0, 1, 0]);
    flushed(&scene, "announced again", flush_there(&scene), 0, [1, 0, 0]);
    let texts = scene.texts();
    assert_eq!((texts.len(), texts[2].as_str()), (3, "whole"));
}

#[test]
fn a_refused_announcement_keeps_no_message_back() {
    let scene = Scene::new();
    let file = scene.env.file("report.txt", "a report of more than five bytes");
    scene.wecom.script(Endpoint::WebhookSend, [Reply::status(502)]);
    let id = queued(&scene, send(&scene, &["--file"]).arg(file));
    age(&scene, &id, 37 * MINUTE_MS);
    scene.wecom.script(Endpoint::WebhookSend, [Reply::errcode(40008, "invalid message type"), Reply::Normal]);
    flushed(&scene, "refused", flush_there(&scene), 7, [0, 0, 1]);
    assert_eq!(scene.texts(), ["(file)"]);
    assert_eq!(failed(&scene), [id]);
}

#[test]
fn an_announcement_goes_ahead_of_the_upload() {
    let scene = Scene::new();
    let file = scene.env.file("report.txt", "a report of more than five bytes");
    scene.wecom.script(Endpoint::WebhookSend, [Reply::status(502)]);
    let id = queued(&scene, send(&scene, &["--file"]).arg(file));
    age(&scene, &id, 37 * MINUTE_MS);
    let before = scene.wecom.requests().len();
    flushed(&scene, "in order", flush_there(&scene), 0, [1, 0, 0]);
    let order: Vec<_> = scene.wecom.requests()[before..].iter().map(|seen| seen.endpoint).collect();
    assert_eq!(order, [Endpoint::WebhookSend, Endpoint::WebhookUploadMedia, Endpoint::WebhookSend]);
}

/// A send whose answer was lost, with a duplicate check over an hour, then so old.
fn lost(scene: &Scene, minutes: u64) -> u64 {
    scene.wecom.script(Endpoint::MessageSend, [Reply::accept_then(Reply::CloseAfterReading)]);
    let id = queued(scene, app(scene, &["hello", "--duplicate-check", "1h"]));
    age(scene, &id, minutes * MINUTE_MS)
}

#[test]
fn within_the_duplicate_check_the_same_bytes_are_sent_again() {
    let scene = Scene::new();
    lost(&scene, 37);
    flushed(&scene, "within the hour", flush_there(&scene), 0, [1, 0, 0]);
    let bodies: Vec<_> =
        scene.wecom.requests().into_iter().filter(|seen| seen.endpoint == Endpoint::MessageSend).collect();
    assert_eq!(bodies.len(), 2);
    assert_eq!(bodies[0].body, bodies[1].body);
    assert_eq!((scene.texts(), scene.wecom.suppressed()), (vec!["hello".to_owned()], 1));
    assert_empty(&scene, "within the hour");
}

#[test]
fn after_the_duplicate_check_it_is_marked_as_late() {
    let scene = Scene::new();
    let mark = mark(lost(&scene, 61), "1h 1m");
    flushed(&scene, "after the hour", flush_there(&scene), 0, [1, 0, 0]);
    assert_eq!(scene.texts(), ["hello".to_owned(), format!("{mark}hello")]);
}

#[test]
fn a_message_that_cannot_have_arrived_is_marked_at_once() {
    let scene = Scene::new();
    scene.wecom.script(Endpoint::MessageSend, [Reply::errcode(-1, "system error")]);
    let id = queued(&scene, app(&scene, &["hello", "--duplicate-check", "1h"]));
    let mark = mark(age(&scene, &id, 2 * MINUTE_MS), "2m");
    flushed(&scene, "not taken", flush_there(&scene), 0, [1, 0, 0]);
    assert_eq!(scene.texts(), [format!("{mark}hello")]);
}

/// Silence says that it may have arrived even where the process did not live to write that down.
#[test]
fn after_a_killed_sender_the_same_bytes_are_sent_again() {
    let scene = Scene::new();
    scene.wecom.script(Endpoint::MessageSend, [Reply::accept_then(Reply::HangAfterReading)]);
    let mut sender = app(&scene, &["hello", "--duplicate-check", "1h"]).spawn();
    wait_until("the request", || scene.sends() == 1);
    sender.kill();
    assert_eq!(sender.wait().code, None);
    age(&scene, &waiting(&scene)[0], 37 * MINUTE_MS);
    flushed(&scene, "killed", flush_there(&scene), 0, [1, 0, 0]);
    assert_eq!((scene.texts(), scene.wecom.suppressed()), (vec!["hello".to_owned()], 1));
}
