//! Many processes at once, and processes that die or stand still with the lock in their hands.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::document::assert_document;
use crate::support::fake::{AGENT_ID, CORP_ID, Endpoint, FakeWecom, Outcome, Reply, SECRET};
use crate::support::{Cmd, Running, TestEnv};

const CROWD: usize = 200;

/// How long anything may take here before it counts as hung.
const PATIENCE: Duration = Duration::from_secs(60);

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
fn a_crowd_with_a_wrong_secret_asks_once_each() {
    let (env, wecom) = (TestEnv::new(), FakeWecom::start());
    let running: Vec<_> = (0..8)
        .map(|_| send(&env, &wecom).env("WECOM_ALERT_SECRET", "test-secret-wrong").secret("test-secret-wrong").spawn())
        .collect();
    for run in running.into_iter().map(Running::wait) {
        assert_document(&run, "wrong secret", 4, &json!({"errcode": 40001, "attempts": 0}));
    }
    assert_eq!(wecom.count(Endpoint::GetToken), 8);
}

#[test]
fn forced_refreshes_at_once_leave_a_good_token() {
    let (env, wecom) = (TestEnv::new(), FakeWecom::start());
    wecom.same_token_on_refresh(false);
    let get = || env.cmd(["get-token", "--refresh", "--output", "json"]).base_url(&wecom).app_credentials();
    let running: Vec<_> = (0..8).map(|_| get().may_show_token().spawn()).collect();
    let mut tokens: Vec<_> =
        running.into_iter().map(|running| running.wait().assert_code(0).json()["access_token"].clone()).collect();
    tokens.sort_by_key(Value::to_string);
    tokens.dedup();
    assert_eq!((tokens.len(), wecom.count(Endpoint::GetToken)), (8, 8));
    let run = env.cmd(["get-token", "--output", "json"]).base_url(&wecom).app_credentials().may_show_token().run();
    let document = assert_document(&run, "afterwards", 0, &json!({"from_cache": true}));
    assert!(tokens.contains(&document["access_token"]), "{document}");
}

#[cfg(unix)]
#[test]
fn a_killed_holder_of_the_lock_is_in_nobodys_way() {
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
fn a_holder_that_dies_while_others_wait() {
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
fn a_holder_that_stands_still_is_waited_for_within_the_deadline() {
    let (env, wecom) = (TestEnv::new(), FakeWecom::start());
    let mut holder = holder_of_the_lock(&env, &wecom);
    let stopped = Command::new("kill").args(["-STOP", &holder.id().to_string()]).status().unwrap();
    let run = send(&env, &wecom).args(["--deadline", "3s", "-v"]).run();
    holder.kill();
    holder.wait();
    assert!(stopped.success());
    assert_document(&run, "beside a stopped one", 0, &json!({"status": "sent", "attempts": 1}));
    assert!(run.stderr.contains("token cache"), "why it went on alone is told under -v: {}", run.stderr);
    assert_eq!((wecom.count(Endpoint::GetToken), wecom.messages().len()), (2, 1));
}

/// A process that has the lock and waits for WeCom, which will not answer it.
fn holder_of_the_lock(env: &TestEnv, wecom: &FakeWecom) -> Running {
    wecom.script(Endpoint::GetToken, [Reply::HangAfterReading]);
    let holder = send(env, wecom).args(["--timeout", "50s"]).spawn();
    let since = Instant::now();
    while wecom.count(Endpoint::GetToken) == 0 {
        assert!(since.elapsed() < PATIENCE, "it never asked for a token");
        std::thread::sleep(Duration::from_millis(5));
    }
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
    let children: Vec<_> = (0..CROWD).map(|number| (number, member(env, wecom, &folder, number))).collect();
    let until = Instant::now() + PATIENCE;
    let mut attempts = 0;
    for (number, mut child) in children {
        let status = loop {
            if let Some(status) = child.try_wait().unwrap() {
                break status;
            }
            assert!(Instant::now() < until, "{name} {number} is hung");
            std::thread::sleep(Duration::from_millis(2));
        };
        let [stdout, stderr] = ["out", "err"].map(|kind| fs::read_to_string(output(&folder, number, kind)).unwrap());
        assert!(status.success(), "{name} {number}: {status}\n{stdout}\n{stderr}");
        let document: Value = serde_json::from_str(&stdout).unwrap();
        assert_eq!((&document["status"], stderr.as_str()), (&json!("sent"), ""), "{name} {number}");
        let secrets = wecom.secrets();
        for secret in secrets.standing().into_iter().chain(secrets.tokens()) {
            assert!(!stdout.contains(&secret), "{name} {number} shows a secret");
        }
        attempts += document["attempts"].as_u64().unwrap();
    }
    attempts
}

fn member(env: &TestEnv, wecom: &FakeWecom, folder: &Path, number: usize) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wecom-alert"));
    command.args(["app-send", "--output", "json", "-u", &format!("user{number}"), "disk full"]);
    command.env_clear().envs([
        ("HOME", env.home().to_str().unwrap()),
        ("XDG_CACHE_HOME", env.cache().parent().unwrap().to_str().unwrap()),
        ("WECOM_ALERT_BASE_URL", &wecom.base_url()),
        ("WECOM_ALERT_CORP_ID", CORP_ID),
        ("WECOM_ALERT_AGENT_ID", &AGENT_ID.to_string()),
        ("WECOM_ALERT_SECRET", SECRET),
    ]);
    let [out, err] = ["out", "err"].map(|kind| File::create(output(folder, number, kind)).unwrap());
    command.stdin(Stdio::null()).stdout(out).stderr(err).spawn().unwrap()
}

fn output(folder: &Path, number: usize, kind: &str) -> PathBuf {
    folder.join(format!("{number}.{kind}"))
}
