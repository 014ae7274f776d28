//! `check`: every fault is named with its remedy, nothing is asked for more than once, and no secret shows.

mod chats;
mod connection;
mod faults;
mod sending;
mod set_up;
mod state;
mod success;
#[cfg(unix)]
mod terminal;

use serde_json::{Value, json};

use crate::document::assert_document;
use crate::support::fake::tls::Certificate;
use crate::support::fake::{Endpoint, FakeWecom};
use crate::support::{Cmd, Run, Scene};

/// A scene whose fake speaks TLS; its authority is in `ca.pem`.
fn secure(certificate: Certificate) -> Scene {
    let scene = Scene::with(FakeWecom::builder().tls(certificate).start());
    scene.env.file("ca.pem", scene.wecom.ca_pem());
    scene
}

/// `check` in JSON mode, without credentials. The usual retries are on: that none is made must be `check`'s own doing.
fn bare(scene: &Scene, args: &[&str]) -> Cmd {
    let cmd = scene.env.cmd(["check", "--output", "json"]).args(args).without_env("WECOM_ALERT_RETRIES");
    let cmd = cmd.base_url(&scene.wecom);
    if scene.wecom.ca_pem().is_empty() { cmd } else { cmd.args(["--ca-file", "ca.pem"]) }
}

/// The same with the app's credentials.
fn app(scene: &Scene, args: &[&str]) -> Cmd {
    bare(scene, args).app_credentials()
}

/// The same with the webhook's.
fn webhook(scene: &Scene, args: &[&str]) -> Cmd {
    bare(scene, args).webhook()
}

/// Runs it, and holds it to what is promised in any case.
#[track_caller]
fn checked(scene: &Scene, case: &str, cmd: Cmd, code: i32, status: &str) -> Told {
    let (tokens, agents) = (scene.wecom.count(Endpoint::GetToken), scene.wecom.count(Endpoint::AgentGet));
    let run = cmd.run();
    let document = assert_document(&run, case, code, &json!({"status": status}));
    let asked = |endpoint, before| scene.wecom.count(endpoint) - before;
    let costs = (asked(Endpoint::GetToken, tokens), asked(Endpoint::AgentGet, agents));
    assert!(costs.0 <= 1 && costs.1 <= 1, "{case}: {costs:?} requests");
    let told = Told { case: case.to_owned(), document, run };
    told.assert_consistent();
    told
}

/// What a run of `check` told.
struct Told {
    case: String,
    document: Value,
    run: Run,
}

impl Told {
    fn checks(&self) -> &Vec<Value> {
        self.document["checks"].as_array().unwrap_or_else(|| panic!("{}: no checks\n{}", self.case, self.run.all()))
    }

    /// The first check of that name.
    #[track_caller]
    fn check(&self, name: &str) -> &Value {
        let found = self.checks().iter().find(|check| check["name"] == name);
        found.unwrap_or_else(|| panic!("{}: no check {name}\n{}", self.case, self.run.all()))
    }

    #[track_caller]
    fn has(&self, name: &str, status: &str, parts: &[&str]) -> &Self {
        let check = self.check(name);
        assert_eq!(check["status"], status, "{}: {name}\n{}", self.case, self.run.all());
        let text = format!("{} {}", check["detail"].as_str().unwrap(), check["hint"].as_str().unwrap_or_default());
        for part in parts {
            assert!(text.contains(part), "{}: {name} does not say {part:?}: {text}", self.case);
        }
        self
    }

    /// These were not looked at, and `because` is why.
    #[track_caller]
    fn skips(&self, names: &[&str], because: &str) -> &Self {
        for name in names {
            self.has(name, "skipped", &[because]);
        }
        self
    }

    #[track_caller]
    fn lacks(&self, name: &str) -> &Self {
        assert!(self.checks().iter().all(|check| check["name"] != name), "{}: {name}\n{}", self.case, self.run.all());
        self
    }

    /// The names with that status, in order.
    fn names(&self, status: &str) -> Vec<&str> {
        let found = self.checks().iter().filter(|check| check["status"] == status);
        found.map(|check| check["name"].as_str().unwrap()).collect()
    }

    /// What holds for every document: hints where something is to be done, and a message that is the first failure's.
    #[track_caller]
    fn assert_consistent(&self) {
        let (case, all) = (&self.case, self.run.all());
        for check in self.checks() {
            let fields: Vec<&String> = check.as_object().unwrap().keys().collect();
            assert_eq!(fields, ["name", "status", "detail", "hint"], "{case}\n{all}");
            let needs_hint = matches!(check["status"].as_str(), Some("failed" | "warning"));
            assert_eq!(check["hint"].as_str().is_some_and(|hint| !hint.is_empty()), needs_hint, "{case}: {check}");
            assert!(!check["detail"].as_str().unwrap().is_empty(), "{case}: {check}");
        }
        let first = self.checks().iter().find(|check| check["status"] == "failed");
        match first {
            None => assert_eq!(self.document["ok"], true, "{case}\n{all}"),
            Some(check) => {
                let label = check["name"].as_str().unwrap().replace('_', " ");
                let message = format!("{label}: {}", check["detail"].as_str().unwrap());
                assert_eq!(
                    (&self.document["message"], &self.document["hint"]),
                    (&json!(message), &check["hint"]),
                    "{case}"
                );
            }
        }
    }
}
