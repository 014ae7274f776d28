//! One alert, any message type: options become bodies, real alerts read well, and nothing of them is lost on the way.

mod golden;
mod scenes;

use wecom_alert::message::Route;

use crate::support::fake::FakeWecom;
use crate::support::{Cmd, TestEnv};

const ROUTES: [Route; 2] = [Route::App, Route::Webhook];

/// A sealed environment and the stand-in that its commands talk to.
struct Scene {
    env: TestEnv,
    wecom: FakeWecom,
}

impl Scene {
    fn new() -> Self {
        Self { env: TestEnv::new(), wecom: FakeWecom::start() }
    }

    /// A send on that route, to zhangsan or to the group, with its result as JSON.
    fn send(&self, route: Route, args: &[&str]) -> Cmd {
        let command: &[&str] = match route {
            Route::App => &["app-send", "-u", "zhangsan"],
            Route::Webhook => &["webhook-send"],
        };
        let cmd = self.env.cmd(command.iter().copied()).args(["--output", "json"]).args(args);
        cmd.base_url(&self.wecom).app_credentials().webhook()
    }
}
