//! Commands that use the outbox, killed at one system call after the other: nothing that was accepted is lost, and what
//! must not arrive twice does not.

use std::fs;
use std::path::Path;

use wecom_alert::channel::Channel;

use super::{failed, flush, folder, names, queued, send, send_on, store, waiting};
use crate::support::kills::{FEW, killed_at, points};
use crate::support::{Scene, entry, needs};

/// Nobody listens there.
const NOWHERE: &str = "http://127.0.0.1:9";

/// `None` where programs cannot be traced.
fn scene() -> Option<Scene> {
    let scene = Scene::new();
    // A killed client leaves half a request behind.
    scene.wecom.expect_unexpected();
    needs("strace").then_some(scene)
}

fn text_of(place: &Path) -> Option<String> {
    let entry = place.join("entry.json");
    entry.exists().then(|| entry::lines(&entry)[1]["text"]["content"].as_str().unwrap().to_owned())
}

/// How often a text arrived, with the mark of a late one or without.
fn arrivals(scene: &Scene, text: &str) -> usize {
    scene.texts().iter().filter(|arrived| arrived.ends_with(text)).count()
}

/// Delivers all that is left.
fn flush_all(scene: &Scene, case: &str) {
    let told = flush(scene).run();
    assert!(matches!(told.code, Some(0 | 6 | 7)), "{case}: {}", told.all());
    assert_eq!(waiting(scene), [""; 0], "{case}: {}", told.all());
}

#[test]
fn a_sender_killed_at_any_call_loses_nothing() {
    // What a chat takes on its own is its token.
    for (route, at_most_once) in [(Channel::Webhook, false), (Channel::Webhook, true), (Channel::Chat, false)] {
        let Some(scene) = scene() else { return };
        scene.warm();
        let send = |text: &str| {
            let options: &[&str] = if at_most_once { &["--at-most-once"] } else { &[] };
            send_on(&scene, route, &[text]).args(options.iter().copied())
        };
        let points = points(&scene, send("the traced one."));
        assert!(points.len() >= FEW / 2, "{points:?}");
        let (mut accepted, mut killed) = (0, 0);
        for (number, point) in points.iter().enumerate() {
            let text = format!("alert {number}.");
            let case = format!("{} {point:?}, at most once: {at_most_once}", route.as_str());
            let code = killed_at(point, send(&text));
            assert!(matches!(code, None | Some(0)), "{case}: {code:?}");
            killed += usize::from(code.is_none());
            let waits = |id: &String| text_of(&folder(&scene, "waiting").join(id)).as_ref() == Some(&text);
            let is_accepted = code == Some(0) || waiting(&scene).iter().any(waits);
            accepted += usize::from(is_accepted);
            flush_all(&scene, &case);
            let given_up =
                failed(&scene).iter().any(|id| text_of(&folder(&scene, "failed").join(id)) == Some(text.clone()));
            match arrivals(&scene, &text) {
                0 => assert!(!is_accepted || (at_most_once && given_up), "{case}: it was accepted and is lost"),
                1 => {}
                times => assert!(times == 2 && !at_most_once, "{case}: it arrived {times} times"),
            }
            scene.cmd(&["outbox", "drop", "--all"]).run().assert_code(0);
        }
        let (route, count) = (route.as_str(), points.len());
        println!("{route}: {count} points, {killed} killed, {accepted} accepted, at most once: {at_most_once}");
        assert!(killed > points.len() / 2, "{killed} of {} were killed", points.len());
    }
}

#[test]
fn a_flush_killed_at_any_call_loses_nothing() {
    for at_most_once in [false, true] {
        let Some(scene) = scene() else { return };
        // A connection that is refused: it cannot have arrived.
        let store = |text: &str| {
            let options: &[&str] = if at_most_once { &["--at-most-once"] } else { &[] };
            queued(&scene, send(&scene, &[text]).args(options.iter().copied()).env("WECOM_ALERT_BASE_URL", NOWHERE))
        };
        store("traced.");
        let points = points(&scene, flush(&scene));
        let mut killed = 0;
        for (number, point) in points.iter().enumerate() {
            let (text, case) = (format!("alert {number}."), format!("{point:?}, at most once: {at_most_once}"));
            let id = store(&text);
            killed += usize::from(killed_at(point, flush(&scene)).is_none());
            flush_all(&scene, &case);
            let is_kept = failed(&scene).contains(&id);
            match arrivals(&scene, &text) {
                0 => assert!(at_most_once && is_kept, "{case}: it is lost"),
                1 => {}
                times => assert!(times == 2 && !at_most_once, "{case}: it arrived {times} times"),
            }
            assert!(at_most_once || !is_kept, "{case}");
            scene.cmd(&["outbox", "drop", "--all"]).run().assert_code(0);
        }
        println!("{} points, {killed} killed, at most once: {at_most_once}", points.len());
        assert!(killed > points.len() / 2, "{killed} of {} were killed", points.len());
    }
}

#[test]
fn a_drop_killed_at_any_call_leaves_a_whole_entry_or_none() {
    let Some(scene) = scene() else { return };
    let drop_all = || scene.cmd(&["outbox", "drop", "--all"]);
    store(&scene, &["traced."]);
    for point in points(&scene, drop_all()) {
        store(&scene, &["to be dropped."]);
        killed_at(&point, drop_all());
        let told = scene.cmd(&["outbox", "list"]).run().assert_code(0).json();
        for entry in told["entries"].as_array().unwrap() {
            assert_eq!((entry["state"].as_str(), entry["attempts"].as_u64()), (Some("waiting"), Some(1)), "{point:?}");
        }
        drop_all().run().assert_code(0);
        assert_eq!((waiting(&scene), failed(&scene)), (vec![], vec![]), "{point:?}");
        assert_eq!(scene.texts(), [""; 0], "{point:?}");
        // What is left of it lies where nobody looks for entries.
        assert!(names(folder(&scene, "new")).len() <= 1, "{point:?}");
        let _ = fs::remove_dir_all(folder(&scene, "new"));
    }
}
