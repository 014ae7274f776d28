//! An alert's way through trouble: faults of every kind, repetitions, pacing and the deadline, through the real binary.

mod deadline;
mod faults;
mod interludes;
mod pacing;
mod retries;
mod states;
mod unreached;

use serde_json::{Value, json};
use wecom_alert::message::Route;

use crate::document::assert_document;
use crate::support::fake::{Endpoint, FakeWecom};
use crate::support::{Cmd, Run, TestEnv};

const ROUTES: [Route; 2] = [Route::App, Route::Webhook];

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

    /// A text to zhangsan or to the group.
    fn send(&self, route: Route) -> Cmd {
        match route {
            Route::App => self.cmd(&["app-send", "-u", "zhangsan", "disk full"]),
            Route::Webhook => self.cmd(&["webhook-send", "disk full"]),
        }
    }

    /// A text to the group.
    fn group(&self, args: &[&str]) -> Cmd {
        self.send(Route::Webhook).args(args)
    }

    /// A text to zhangsan.
    fn app(&self, args: &[&str]) -> Cmd {
        self.send(Route::App).args(args)
    }

    /// Leaves a token in the cache, for tests in which gettoken would be in the way.
    fn warm(&self) {
        self.cmd(&["get-token"]).may_show_token().run().assert_code(0);
    }

    /// How many requests carried a message, and how many of them were delivered.
    fn seen(&self) -> (usize, usize) {
        let sends = self.wecom.count(Endpoint::MessageSend) + self.wecom.count(Endpoint::WebhookSend);
        (sends, self.wecom.messages().len())
    }
}

/// The endpoint that takes the messages of a route.
fn send_endpoint(route: Route) -> Endpoint {
    match route {
        Route::App => Endpoint::MessageSend,
        Route::Webhook => Endpoint::WebhookSend,
    }
}

/// The endpoint that takes the files of a route.
fn upload_endpoint(route: Route) -> Endpoint {
    match route {
        Route::App => Endpoint::MediaUpload,
        Route::Webhook => Endpoint::WebhookUploadMedia,
    }
}

/// What a call must end as.
#[derive(Debug, Clone)]
struct End {
    code: i32,
    attempts: usize,
    errcode: Option<i64>,
    retry_after_s: Option<u64>,
}

impl End {
    fn new(code: i32, attempts: usize) -> Self {
        Self { code, attempts, errcode: (code == 0).then_some(0), retry_after_s: None }
    }

    fn errcode(self, errcode: impl Into<Option<i64>>) -> Self {
        Self { errcode: errcode.into(), ..self }
    }

    fn retry_after_s(self, seconds: impl Into<Option<u64>>) -> Self {
        Self { retry_after_s: seconds.into(), ..self }
    }

    /// Holds the document against it and gives it back. Nothing but the document may have been said.
    #[track_caller]
    fn check(&self, case: &str, run: &Run) -> Value {
        assert_eq!(run.stderr, "", "{case}: stderr\n{}", run.all());
        self.check_loud(case, run)
    }

    /// The same for a call that may talk on stderr.
    #[track_caller]
    fn check_loud(&self, case: &str, run: &Run) -> Value {
        let expected = json!({
            "status": status_of(self.code),
            "attempts": self.attempts,
            "errcode": self.errcode,
            "retryable": matches!(self.code, 7 | 8),
            "retry_after_s": self.retry_after_s,
        });
        assert_document(run, case, self.code, &expected)
    }
}

fn status_of(code: i32) -> &'static str {
    match code {
        0 => "sent",
        3 => "config",
        4 => "auth",
        5 => "refused",
        6 => "partial",
        7 => "temporary",
        8 => "rate_limited",
        9 => "unknown",
        _ => panic!("no status for {code}"),
    }
}
