//! The token cache: when WeCom is asked for a token and when not, and what becomes of the alert when it cannot be used.

mod caching;
mod refreshing;
#[cfg(unix)]
mod trouble;

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::fake::{Endpoint, FakeWecom};
use crate::support::{Cmd, TestEnv};

/// Names and values.
type Variables<'a> = &'a [(&'a str, &'a str)];

/// A send by the app that is always there, its result as JSON.
fn send(env: &TestEnv, wecom: &FakeWecom) -> Cmd {
    env.cmd(["app-send", "-u", "zhangsan", "--output", "json", "disk full"]).base_url(wecom).app_credentials()
}

/// Leaves a token of the app that is always there in the cache.
fn warm(env: &TestEnv, wecom: &FakeWecom) {
    let asked = wecom.count(Endpoint::GetToken);
    send(env, wecom).run().assert_code(0);
    assert_eq!(wecom.count(Endpoint::GetToken), asked + 1, "the cache was not empty");
}

/// The names of what is in a folder, sorted; nothing where there is none.
fn names(folder: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// The cache files that hold tokens.
fn token_files(env: &TestEnv) -> Vec<PathBuf> {
    let names = names(&env.cache()).into_iter().filter(|name| name.ends_with(".json"));
    names.map(|name| env.cache().join(name)).collect()
}

/// The only one.
fn token_file(env: &TestEnv) -> PathBuf {
    let files = token_files(env);
    assert_eq!(files.len(), 1, "{files:?}");
    files[0].clone()
}

/// The access token that each send carried, in order.
fn tokens_sent(wecom: &FakeWecom) -> Vec<String> {
    let sends = wecom.requests().into_iter().filter(|seen| seen.endpoint == Endpoint::MessageSend);
    sends.map(|seen| seen.parameter("access_token").unwrap().to_owned()).collect()
}
