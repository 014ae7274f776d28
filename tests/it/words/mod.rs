//! The program's own words in messages, in each language: every one of them as a receiver reads it, and that nothing which
//! decides depends on them.

mod decisions;
mod every_word;
mod stored;

use crate::support::fake::FakeWecom;
use crate::support::{Cmd, Scene};

const LANGUAGES: [&str; 2] = ["en", "zh"];

/// With the webhooks of two groups, of which `room` is a profile.
fn new_scene() -> Scene {
    let scene = Scene::with(FakeWecom::builder().webhook("test-key-of-room").start());
    scene.profile("room", "webhook = \"test-key-of-room\"")
}

/// A command in that language, in Shanghai.
fn in_language(cmd: Cmd, language: &str) -> Cmd {
    cmd.env("WECOM_ALERT_LANGUAGE", language).env("TZ", "CST-8")
}
