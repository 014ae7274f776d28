//! Settings from outside: options, environment and config file, seen by what the program then does or says.

mod addresses;
mod environment;
mod file;
mod precedence;
mod profiles;

use crate::support::fake::{Endpoint, FakeWecom};
use crate::support::{Cmd, TestEnv};

/// Two apps and a webhook.
const CONFIG: &str = r#"
[profiles.ops]
corp_id = "ww1111111111111111"
agent_id = 1000011
secret = "test-secret-of-ops"
to_user = ["lisi"]

[profiles.night]
corp_id = "ww2222222222222222"
agent_id = 1000022
secret = "test-secret-of-night"
to_user = "wangwu"

[profiles.room]
webhook = "test-key-of-room"
"#;

/// A fake that knows all of them.
fn wecom() -> FakeWecom {
    FakeWecom::builder()
        .app("ww1111111111111111", 1_000_011, "test-secret-of-ops")
        .app("ww2222222222222222", 1_000_022, "test-secret-of-night")
        .app("ww1111111111111111", 1_000_033, "test-secret-of-a-mixture")
        .webhook("test-key-of-room")
        .start()
}

fn app_send(env: &TestEnv) -> Cmd {
    env.cmd(["app-send", "--output", "json", "disk full"])
}

type Args<'a> = &'a [&'a str];

/// Names and values.
type Variables<'a> = &'a [(&'a str, &'a str)];

fn with_env(cmd: Cmd, variables: Variables) -> Cmd {
    variables.iter().fold(cmd, |cmd, (name, value)| cmd.env(*name, *value))
}

/// The corp and the secret that the latest gettoken asked with, and the agent that the latest message named.
fn identity(wecom: &FakeWecom) -> (String, String, i64) {
    let asked = wecom.requests().into_iter().rfind(|seen| seen.endpoint == Endpoint::GetToken).unwrap();
    let parameter = |name| asked.parameter(name).unwrap().to_owned();
    let agent = wecom.messages().last().unwrap().body["agentid"].as_i64().unwrap();
    (parameter("corpid"), parameter("corpsecret"), agent)
}
