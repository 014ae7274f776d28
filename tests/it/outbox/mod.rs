//! The outbox: what is stored, what is delivered later, and what neither a dead server nor a killed process may lose.

mod commands;
mod fixture;
mod flushing;
mod kills;
mod late;
mod outage;
mod storing;

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};

use crate::document::assert_document;
use crate::support::fake::{Endpoint, FakeWecom, Reply};
use crate::support::{Cmd, Run, TestEnv, entry};

/// A second webhook of the stand-in.
const OTHER_KEY: &str = "00000000-0000-4000-8000-000000000002";

const MINUTE_MS: u64 = 60_000;

/// A sealed environment and the stand-in that its commands talk to.
struct Scene {
    env: TestEnv,
    wecom: FakeWecom,
}

impl Scene {
    fn new() -> Self {
        Self::with(FakeWecom::start())
    }

    fn with(wecom: FakeWecom) -> Self {
        Self { env: TestEnv::new(), wecom }
    }

    /// Any command, with the credentials of both routes and its result as JSON.
    fn cmd(&self, args: &[&str]) -> Cmd {
        self.env.cmd(["--output", "json"]).args(args).base_url(&self.wecom).app_credentials().webhook()
    }

    /// `webhook-send --outbox`.
    fn send(&self, args: &[&str]) -> Cmd {
        self.cmd(&["webhook-send", "--outbox"]).args(args)
    }

    /// `app-send --outbox` to zhangsan.
    fn app(&self, args: &[&str]) -> Cmd {
        self.cmd(&["app-send", "-u", "zhangsan", "--outbox"]).args(args)
    }

    fn flush(&self) -> Cmd {
        self.cmd(&["outbox", "flush"])
    }

    /// Sends what the server cannot take now; returns the entry's id.
    #[track_caller]
    fn store(&self, args: &[&str]) -> String {
        self.wecom.script(Endpoint::WebhookSend, [Reply::status(502)]);
        self.queued(self.send(args))
    }

    /// Runs a send that must end up in the outbox; returns the entry's id.
    #[track_caller]
    fn queued(&self, cmd: Cmd) -> String {
        let told = assert_document(&cmd.run(), "to be stored", 0, &json!({"status": "queued"}));
        let id = told["outbox_id"].as_str().unwrap().to_owned();
        assert!(self.waiting().contains(&id), "{id} is not there");
        id
    }

    /// What a flush must bring.
    #[track_caller]
    fn flushed(&self, case: &str, cmd: Cmd, code: i32, [delivered, remaining, failed]: [u64; 3]) -> Value {
        let expected = json!({"delivered": delivered, "remaining": remaining, "failed": failed});
        let told = assert_document(&cmd.run(), case, code, &expected);
        assert_eq!(told["retryable"], code == 7, "{case}");
        assert_eq!(self.waiting().len() as u64, remaining, "{case}");
        told
    }

    /// What `outbox list` shows.
    fn list(&self) -> Vec<Value> {
        let told = assert_document(&self.cmd(&["outbox", "list"]).run(), "list", 0, &json!({"status": "ok"}));
        told["entries"].as_array().unwrap().clone()
    }

    fn folder(&self, name: &str) -> PathBuf {
        self.env.state().join("outbox").join(name)
    }

    /// The ids of what waits, in order.
    fn waiting(&self) -> Vec<String> {
        names(self.folder("waiting"))
    }

    /// The ids of what is not tried any more, in order.
    fn failed(&self) -> Vec<String> {
        names(self.folder("failed"))
    }

    /// Nothing is left of any alert.
    #[track_caller]
    fn assert_empty(&self, case: &str) {
        for folder in ["waiting", "failed", "new"] {
            assert_eq!(names(self.folder(folder)), [""; 0], "{case}: {folder}");
        }
    }

    /// Makes an entry older; returns when it was accepted then, in Unix milliseconds.
    fn age(&self, id: &str, by_ms: u64) -> u64 {
        entry::age(&self.folder("waiting").join(id), by_ms)
    }

    /// The texts that arrived, in order.
    fn texts(&self) -> Vec<String> {
        let text = |message: &crate::support::fake::Arrived| message.payload()["content"].as_str().map(str::to_owned);
        self.wecom.messages().iter().map(|message| text(message).unwrap_or(format!("({})", message.msgtype))).collect()
    }

    /// How many messages were asked for, whatever became of them.
    fn sends(&self) -> usize {
        self.wecom.count(Endpoint::MessageSend) + self.wecom.count(Endpoint::WebhookSend)
    }
}

/// Waits until something has come as far as that, within limits.
#[track_caller]
pub(crate) fn until(is_there: impl Fn() -> bool) {
    for _ in 0..6000 {
        if is_there() {
            return;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    panic!("it never came that far");
}

/// The names in a folder, in order; none where there is no such folder.
fn names(folder: PathBuf) -> Vec<String> {
    let Ok(found) = fs::read_dir(folder) else { return Vec::new() };
    let mut names: Vec<_> = found.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Fails unless a text-mode run said nothing on stdout and, on its first line of stderr, that the alert waits.
#[track_caller]
fn assert_told_of_queue(run: &Run, id: &str) {
    assert_eq!((run.code, run.stdout.as_str()), (Some(0), ""), "{}", run.all());
    let mut lines = run.stderr.lines();
    let (first, second) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
    assert!(first.starts_with("wecom-alert: warning[queued]: webhook-send"), "{}", run.all());
    assert!(first.contains("HTTP 502") && first.ends_with(&format!("it waits in the outbox as {id}")), "{first}");
    assert!(second.starts_with("hint: ") && second.contains("wecom-alert outbox flush"), "{second}");
    assert_eq!(lines.next(), None, "{}", run.all());
}
