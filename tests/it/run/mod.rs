//! `run`: a command is run as it would be without us, and its end is told.

mod alerts;
mod changes;
mod codes;
mod memory;
mod output;
mod signals;
mod time_limit;
mod trouble;

use std::fs;
use std::time::Duration;

use crate::support::fake::{Arrived, Endpoint, FakeWecom};
use crate::support::{Cmd, Run, TestEnv};

/// A sealed environment and the stand-in that gets the alerts.
struct Scene {
    env: TestEnv,
    wecom: FakeWecom,
}

impl Scene {
    fn new() -> Self {
        Self { env: TestEnv::new(), wecom: FakeWecom::start() }
    }

    /// `run` with these options, alerts as text to the webhook, and a script for the shell.
    fn sh(&self, options: &[&str], script: &str) -> Cmd {
        self.command(options, &["/bin/sh", "-c", script])
    }

    /// The same with any command.
    fn command(&self, options: &[&str], command: &[&str]) -> Cmd {
        let cmd = self.env.cmd(["run", "-t", "text"]).args(options.iter().copied());
        cmd.arg("--").args(command.iter().copied()).base_url(&self.wecom).webhook()
    }

    /// The texts of the alerts that arrived, in order.
    fn texts(&self) -> Vec<String> {
        let text = |message: &Arrived| message.payload()["content"].as_str().unwrap().to_owned();
        self.wecom.messages().iter().map(text).collect()
    }

    /// The one text that arrived, which has all these parts.
    #[track_caller]
    fn assert_told(&self, parts: &[&str]) -> String {
        let texts = self.texts();
        let [text] = texts.as_slice() else { panic!("{} alerts: {texts:#?}", texts.len()) };
        for part in parts {
            assert!(text.contains(part), "no {part:?} in: {text}");
        }
        text.clone()
    }

    /// Nobody was asked for anything.
    #[track_caller]
    fn assert_silent(&self) {
        assert_eq!(self.texts(), [""; 0]);
        assert_eq!(self.wecom.count(Endpoint::WebhookSend), 0);
    }

    /// Whether the command has made that file in its folder.
    fn has(&self, name: &str) -> bool {
        self.env.home().join(name).exists()
    }

    /// What the command has written into that file, once it is whole.
    #[track_caller]
    fn number_in(&self, name: &str) -> u32 {
        let mut number = None;
        until(|| {
            let text = fs::read_to_string(self.env.home().join(name)).unwrap_or_default();
            number = text.strip_suffix('\n').and_then(|number| number.parse().ok());
            number.is_some()
        });
        number.unwrap()
    }
}

/// Waits until something has come as far as that, within limits.
#[track_caller]
fn until(mut is_there: impl FnMut() -> bool) {
    for _ in 0..6000 {
        if is_there() {
            return;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    panic!("it never came that far");
}

/// Whether a process lives on; one that has ended but was not waited for does not.
fn is_alive(id: u32) -> bool {
    let told = std::process::Command::new("ps").args(["-o", "stat=", "-p", &id.to_string()]).output().unwrap();
    let state = String::from_utf8(told.stdout).unwrap();
    !(state.trim().is_empty() || state.trim().starts_with('Z'))
}

/// Sends a signal to a process, or with a negative id to a group.
fn send(signal: &str, to: i64) {
    let kill = format!("kill -{signal} {to}");
    assert!(std::process::Command::new("/bin/sh").arg("-c").arg(kill).status().unwrap().success());
}

/// The run was silent but for what the command itself wrote.
#[track_caller]
fn assert_says_only(run: &Run, code: i32, stdout: &str, stderr: &str) {
    assert_eq!((run.code, run.stdout.as_str(), run.stderr.as_str()), (Some(code), stdout, stderr));
}
