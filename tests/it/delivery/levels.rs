//! Of those who wait for a slot of one target, the worst goes first.
#![cfg(unix)]

use crate::support::{Cmd, Running, Scene, wait_until};

/// One slot, which is free again after 3 s: WeCom's clock counts from when a request arrives.
const RATE: [&str; 2] = ["--rate", "1/1s"];

fn group(scene: &Scene, args: &[&str]) -> Cmd {
    scene.group(args).args(RATE).arg("-v")
}

/// A send that waits for its slot.
fn waiting(scene: &Scene, args: &[&str]) -> Running {
    let running = group(scene, args).spawn();
    // It has asked for its slot, and sleeps.
    std::thread::sleep(std::time::Duration::from_millis(400));
    running
}

fn order(scene: &Scene) -> Vec<&'static str> {
    let texts = scene.texts();
    let word = |text: &String| {
        ["first", "plain", "calm", "warned", "worst"].into_iter().find(|word| text.contains(word)).unwrap_or("?")
    };
    texts.iter().map(word).collect()
}

#[test]
fn critical_goes_first_then_warning_then_the_rest() {
    let scene = Scene::new();
    group(&scene, &["first"]).run().assert_code(0);
    let waiting = [
        waiting(&scene, &["plain"]),
        waiting(&scene, &["--level", "warning", "warned"]),
        waiting(&scene, &["--level", "critical", "worst"]),
    ];
    for running in waiting {
        running.wait().assert_code(0);
    }
    assert_eq!(order(&scene), ["first", "worst", "warned", "plain"]);
}

#[test]
fn who_was_killed_while_waiting_keeps_nobody_back_for_long() {
    let scene = Scene::new();
    group(&scene, &["first"]).run().assert_code(0);
    let mut worst = waiting(&scene, &["--level", "critical", "worst"]);
    let calm = waiting(&scene, &["--level", "info", "calm"]);
    worst.kill();
    worst.wait();
    calm.wait().assert_code(0);
    assert_eq!(order(&scene), ["first", "calm"]);
    // What was written of it is gone with the next one.
    group(&scene, &["--level", "critical", "worst"]).run().assert_code(0);
    wait_until("the message", || order(&scene).len() == 3);
}

/// Without anybody waiting above it, a plain send writes what it always did.
#[test]
fn a_plain_send_notes_nothing_of_waiting() {
    let scene = Scene::new();
    group(&scene, &["first"]).run().assert_code(0);
    waiting(&scene, &["plain"]).wait().assert_code(0);
    let pacing = scene.env.state().join("pacing");
    for file in std::fs::read_dir(pacing).unwrap() {
        let content = String::from_utf8_lossy(&std::fs::read(file.unwrap().path()).unwrap()).into_owned();
        assert!(!content.contains("waiting"), "{content}");
    }
}
