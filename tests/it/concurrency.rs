//! Many processes at once, and processes that die or stand still with the lock in their hands.

use std::fs::{self, File};
use std::time::Duration;

use serde_json::{Value, json};

use crate::document::assert_document;
use crate::support::fake::{Endpoint, FakeWecom, Outcome, Reply};
use crate::support::{Cmd, Run, Running, TestEnv, at_once, send_signal, wait_until};

/// As many as there are, since all of them together are what is tested. Everything else is done by a few at a time.
const CROWD: usize = 200;

#[test]
fn two_hundred_first_sends_ask_for_one_token() {
    let (env, wecom) = (TestEnv::new(), FakeWecom::builder().any_user().start());
    // Slow enough that all of them are there before it answers.
    wecom.script(Endpoint::GetToken, [Reply::delayed(Duration::from_millis(1500), Reply::Normal)]);
    let attempts = crowd(&env, &wecom, "first");
    assert_eq!(wecom.count(Endpoint::GetToken), 1);
    assert_eq!((wecom.messages().len(), attempts), (CROWD, CROWD as u64));

    wecom.revoke_tokens();
    wecom.script(Endpoint::GetToken, [Reply::delayed(Duration::from_millis(500), Reply::Normal)]);
    let attempts = crowd(&env, &wecom, "second");
    assert_eq!(wecom.count(Endpoint::GetToken), 2, "exactly one more after the revocation");
    assert_eq!(wecom.messages().len(), 2 * CROWD);
    let refused = wecom.requests().iter().filter(|seen| matches!(seen.outcome, Outcome::Refused { .. })).count();
    assert!(refused >= 1, "at least the first one met the revoked token");
    assert_eq!(attempts, (CROWD + refused) as u64, "whoever was refused sent once more, nobody else did");
}

#[test]
fn concurrent_commands_with_a_wrong_secret_ask_once_each() {
    let (env, wecom) = (TestEnv::new(), FakeWecom::start());
    at_once(0..8, |_| {
        let run = send(&env, &wecom).env("WECOM_ALERT_SECRET", "test-secret-wrong").secret("test-secret-wrong").run();
        assert_document(&run, "wrong secret", 4, &json!({"errcode": 40001, "attempts": 0}));
    });
    assert_eq!(wecom.count(Endpoint::GetToken), 8);
}

#[test]
fn forced_refreshes_at_once_leave_a_good_token() {
    let (env, wecom) = (TestEnv::new(), FakeWecom::start());
    wecom.same_token_on_refresh(false);
    let get = || env.cmd(["get-token", "--refresh", "--output", "json"]).base_url(&wecom).app_credentials();
    let mut tokens = at_once(0..8, |_| get().may_show_token().run().assert_code(0).json()["access_token"].clone());
    tokens.sort_by_key(Value::to_string);
    tokens.dedup();
    assert_eq!((tokens.len(), wecom.count(Endpoint::GetToken)), (8, 8));
    let run = env.cmd(["get-token", "--output", "json"]).base_url(&wecom).app_credentials().may_show_token().run();
    let document = assert_document(&run, "afterwards", 0, &json!({"from_cache": true}));
    assert!(tokens.contains(&document["access_token"]), "{document}");
}

#[cfg(unix)]
#[test]
fn a_killed_lock_holder_blocks_nobody() {
    let (env, wecom) = (TestEnv::new(), FakeWecom::start());
    let mut holder = holder_of_the_lock(&env, &wecom);
    holder.kill();
    let run = send(&env, &wecom).run();
    assert_document(&run, "after the kill", 0, &json!({"status": "sent", "attempts": 1}));
    assert_eq!(holder.wait().code, None, "a signal ended it");
    send(&env, &wecom).run().assert_code(0);
    assert_eq!((wecom.count(Endpoint::GetToken), wecom.messages().len()), (2, 2), "its successor's token was kept");
}

#[cfg(unix)]
#[test]
fn when_the_lock_holder_dies_a_waiter_takes_over() {
    let (env, wecom) = (TestEnv::new(), FakeWecom::start());
    let mut holder = holder_of_the_lock(&env, &wecom);
    let waiting: Vec<_> = (0..8).map(|_| send(&env, &wecom).spawn()).collect();
    holder.kill();
    for run in waiting.into_iter().map(Running::wait) {
        assert_document(&run, "waited", 0, &json!({"status": "sent", "attempts": 1}));
    }
    holder.wait();
    assert_eq!((wecom.count(Endpoint::GetToken), wecom.messages().len()), (2, 8), "one of them took its place");
}

#[cfg(unix)]
#[test]
fn a_stopped_lock_holder_is_waited_for_within_the_deadline() {
    let (env, wecom) = (TestEnv::new(), FakeWecom::start());
    let mut holder = holder_of_the_lock(&env, &wecom);
    send_signal("STOP", holder.id());
    let run = send(&env, &wecom).args(["--deadline", "3s", "-v"]).run();
    holder.kill();
    holder.wait();
    assert_document(&run, "beside a stopped one", 0, &json!({"status": "sent", "attempts": 1}));
    assert!(run.stderr.contains("token cache"), "why it went on alone is told under -v: {}", run.stderr);
    assert_eq!((wecom.count(Endpoint::GetToken), wecom.messages().len()), (2, 1));
}

/// A process that has the lock and waits for WeCom, which will not answer it.
fn holder_of_the_lock(env: &TestEnv, wecom: &FakeWecom) -> Running {
    wecom.script(Endpoint::GetToken, [Reply::HangAfterReading]);
    let holder = send(env, wecom).args(["--timeout", "50s"]).spawn();
    wait_until("the request for a token", || wecom.count(Endpoint::GetToken) == 1);
    holder
}

fn send(env: &TestEnv, wecom: &FakeWecom) -> Cmd {
    env.cmd(["app-send", "-u", "zhangsan", "--output", "json", "disk full"]).base_url(wecom).app_credentials()
}

/// Starts many sends at once, fails unless each ends well, and returns how many requests they made together. Their
/// output goes to files: pipes for so many would use up what one process may have open.
fn crowd(env: &TestEnv, wecom: &FakeWecom, name: &str) -> u64 {
    let folder = env.home().join(name);
    fs::create_dir(&folder).unwrap();
    let output = |number: usize, kind: &str| folder.join(format!("{number}.{kind}"));
    let start = |number: usize| {
        let cmd = env.cmd(["app-send", "--output", "json", "-u", &format!("user{number}"), "disk full"]);
        let [out, err] = ["out", "err"].map(|kind| File::create(output(number, kind)).unwrap());
        // However long it takes on a busy machine until all of them are there.
        let cmd = cmd.args(["--timeout", "100s", "--connect-timeout", "100s", "--deadline", "100s"]);
        cmd.base_url(wecom).app_credentials().stdout_into(&out).stderr_into(&err).spawn()
    };
    let running: Vec<_> = (0..CROWD).map(start).collect();
    let mut attempts = 0;
    for (number, running) in running.into_iter().enumerate() {
        let code = running.wait().code;
        let [stdout, stderr] = ["out", "err"].map(|kind| fs::read_to_string(output(number, kind)).unwrap());
        let run = Run { code, stdout, stderr };
        let secrets = wecom.secrets();
        let shown = secrets.standing().into_iter().chain(secrets.tokens()).find(|secret| run.all().contains(secret));
        assert_eq!(shown, None, "{name} {number} shows a secret");
        let told = assert_document(&run, &format!("{name} {number}"), 0, &json!({"status": "sent"}));
        assert_eq!(run.stderr, "", "{name} {number}");
        attempts += told["attempts"].as_u64().unwrap();
    }
    attempts
}
