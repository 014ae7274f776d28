//! `run`: a command is run as it would be without us, and its end is told.

mod alert_failures;
mod alerts;
mod any_options;
mod changes;
mod codes;
mod every_option;
mod memory;
mod output;
mod recipients;
mod signals;
mod surroundings;
mod time_limit;

use std::fs;

use crate::support::fake::Endpoint;
use crate::support::{Cmd, Run, Scene, wait_for};

/// `run` with these options, alerts as text to the webhook, and a script for the shell.
fn sh(scene: &Scene, options: &[&str], script: &str) -> Cmd {
    run_command(scene, options, &["/bin/sh", "-c", script])
}

/// The same with any command.
fn run_command(scene: &Scene, options: &[&str], command: &[&str]) -> Cmd {
    let cmd = scene.env.cmd(["run", "-t", "text"]).args(options.iter().copied());
    cmd.arg("--").args(command.iter().copied()).base_url(&scene.wecom).webhook()
}

/// The one text that arrived, which has all these parts.
#[track_caller]
fn assert_told(scene: &Scene, parts: &[&str]) -> String {
    let texts = scene.texts();
    let [text] = texts.as_slice() else { panic!("{} alerts: {texts:#?}", texts.len()) };
    for part in parts {
        assert!(text.contains(part), "no {part:?} in: {text}");
    }
    text.clone()
}

/// Nobody was asked for anything.
#[track_caller]
fn assert_silent(scene: &Scene) {
    assert_eq!(scene.texts(), [""; 0]);
    assert_eq!(scene.wecom.count(Endpoint::WebhookSend), 0);
}

/// Whether the command has made that file in its folder.
fn has(scene: &Scene, name: &str) -> bool {
    scene.env.home().join(name).exists()
}

/// What the command has written into that file, once it is whole.
#[track_caller]
fn number_in(scene: &Scene, name: &str) -> u32 {
    wait_for(name, || {
        let text = fs::read_to_string(scene.env.home().join(name)).ok()?;
        text.strip_suffix('\n')?.parse().ok()
    })
}

/// The run was silent but for what the command itself wrote.
#[track_caller]
fn assert_says_only(run: &Run, code: i32, stdout: &str, stderr: &str) {
    assert_eq!((run.code, run.stdout.as_str(), run.stderr.as_str()), (Some(code), stdout, stderr));
}
