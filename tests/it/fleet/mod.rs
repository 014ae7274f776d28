//! Several machines that share their state in a Redis: each has a home, a cache and a state folder of its own.

mod bots;
mod outages;
mod questions;
mod refused;
mod server;
mod sharing;
mod store_tls;

use serde_json::{Value, json};

use crate::document::{assert_document, warnings};
use crate::support::fake::FakeWecom;
use crate::support::{Cmd, TestEnv};
use server::Server;

/// As many machines as the tests have.
const MACHINES: usize = 8;

/// Machines, what they share, and whom they talk to.
struct Fleet {
    machines: Vec<TestEnv>,
    wecom: FakeWecom,
    store: Server,
}

impl Fleet {
    /// `None` where there is no Redis to start.
    fn start() -> Option<Self> {
        Self::with(FakeWecom::builder().any_user().start(), &[])
    }

    /// The same with these options of the store.
    fn with(wecom: FakeWecom, options: &[&str]) -> Option<Self> {
        let store = Server::start(options)?;
        Some(Self { machines: (0..MACHINES).map(|_| TestEnv::new()).collect(), wecom, store })
    }

    /// A command on a machine, with both credentials, and its result as JSON.
    fn cmd(&self, machine: usize, args: &[&str]) -> Cmd {
        let cmd = self.machines[machine % MACHINES].cmd(args.iter().copied()).args(["--output", "json"]);
        let cmd = cmd.base_url(&self.wecom).app_credentials().webhook();
        cmd.env("WECOM_ALERT_SHARED_STATE", self.store.url())
    }

    /// `app-send` on a machine.
    fn app(&self, machine: usize, text: &str) -> Cmd {
        self.cmd(machine, &["app-send", "-u", "zhangsan", text])
    }

    /// `webhook-send` on a machine.
    fn group(&self, machine: usize, text: &str) -> Cmd {
        self.cmd(machine, &["webhook-send", text])
    }

    /// A minute is over: every machine may ask the store again.
    fn forget_outages(&self) {
        for machine in &self.machines {
            let folder = machine.state().join("shared_state");
            let _ = std::fs::remove_dir_all(folder);
        }
    }
}

/// It was sent, with nothing to tell.
#[track_caller]
fn passes(cmd: Cmd) -> Value {
    assert_document(&cmd.run(), "passes", 0, &json!({"status": "sent", "warnings": []}))
}

/// It was sent, with the one warning that the store is not used, and that says why.
#[track_caller]
fn passes_without_store(cmd: Cmd, why: &str) -> Value {
    let document = assert_document(&cmd.run(), why, 0, &json!({"status": "sent"}));
    let told = warnings(&document);
    let is_told = told.len() == 1 && told[0].contains(why) && told[0].contains("this machine's own state serves");
    assert!(is_told, "{why}: {told:?}");
    document
}
