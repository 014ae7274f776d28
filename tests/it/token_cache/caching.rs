//! A token is asked for once and kept apart from all others, privately, for as long as it lives and no longer.

use serde_json::json;

use super::*;
use crate::document::assert_document;
use crate::support::fake::{AGENT_ID, CORP_ID, Outcome, Reply, SECRET};
use crate::support::{TestEnv, wait_until};

#[test]
fn two_sends_and_a_get_token_ask_once() {
    let (env, wecom) = (TestEnv::new(), FakeWecom::start());
    for _ in 0..2 {
        let run = send(&env, &wecom).run();
        assert_document(&run, "send", 0, &json!({"status": "sent", "attempts": 1, "errcode": 0, "route": "app"}));
    }
    assert_eq!(wecom.count(Endpoint::GetToken), 1);
    assert_eq!(wecom.messages().len(), 2);
    let tokens = tokens_sent(&wecom);
    assert_eq!(tokens[0], tokens[1]);

    let get = || env.cmd(["get-token"]).base_url(&wecom).app_credentials().may_show_token();
    let run = get().arg("--output").arg("json").run();
    let expected =
        json!({"status": "ok", "access_token": tokens[0], "from_cache": true, "attempts": 0, "route": "app"});
    let document = assert_document(&run, "get-token", 0, &expected);
    assert!((1..=7200).contains(&document["expires_in"].as_u64().unwrap()), "{document}");
    let run = get().run().assert_code(0);
    assert_eq!((run.stdout, run.stderr), (format!("{}\n", tokens[0]), String::new()));
    assert_eq!(wecom.count(Endpoint::GetToken), 1, "all of it came from the cache");
}

#[test]
fn refresh_asks_in_any_case_and_keeps_what_it_got() {
    let (env, wecom) = (TestEnv::new(), FakeWecom::start());
    wecom.same_token_on_refresh(false);
    let get = |more: &[&str]| {
        let cmd = env.cmd(["get-token", "--output", "json"]).args(more.iter().copied());
        cmd.base_url(&wecom).app_credentials().may_show_token().run()
    };
    let first = assert_document(&get(&[]), "first", 0, &json!({"from_cache": false, "expires_in": 7200}));
    let second = assert_document(&get(&["--refresh"]), "refresh", 0, &json!({"from_cache": false, "expires_in": 7200}));
    assert_ne!(first["access_token"], second["access_token"]);
    let third = assert_document(&get(&[]), "after it", 0, &json!({"from_cache": true}));
    assert_eq!(third["access_token"], second["access_token"]);
    assert_eq!(wecom.count(Endpoint::GetToken), 2);
}

#[test]
fn each_base_url_corp_agent_and_secret_has_a_file_of_its_own() {
    const CORP: &str = "ww1111111111111111";
    const OTHER_SECRET: &str = "test-secret-of-the-other-app";
    let env = TestEnv::new();
    let build = || FakeWecom::builder().app(CORP, AGENT_ID, SECRET).app(CORP_ID, AGENT_ID, OTHER_SECRET);
    let (wecom, relay) = (build().start(), build().prefix("/relay").start());
    let cases: &[(&str, &FakeWecom, Variables)] = &[
        ("the usual app", &wecom, &[]),
        ("another base URL", &relay, &[]),
        ("another corp", &wecom, &[("WECOM_ALERT_CORP_ID", CORP)]),
        ("another agent", &wecom, &[("WECOM_ALERT_AGENT_ID", "1000009")]),
        ("no agent", &wecom, &[("WECOM_ALERT_AGENT_ID", "")]),
        ("another secret", &wecom, &[("WECOM_ALERT_SECRET", OTHER_SECRET)]),
    ];
    for round in 0..2 {
        for (case, server, variables) in cases {
            let mut cmd = env.cmd(["get-token", "--output", "json"]).base_url(server).app_credentials();
            for (name, value) in *variables {
                cmd = cmd.env(*name, *value);
            }
            let run = cmd.may_show_token().run();
            assert_document(&run, &format!("{case}, round {round}"), 0, &json!({"from_cache": round == 1}));
        }
        assert_eq!(token_files(&env).len(), cases.len(), "round {round}");
    }
    assert_eq!(wecom.count(Endpoint::GetToken), cases.len() - 1);
    assert_eq!(relay.count(Endpoint::GetToken), 1);

    let is_anonymous = |name: &String| {
        let hex = name.strip_prefix("token-").and_then(|rest| rest.split_once('.')).map(|(hex, _)| hex);
        hex.is_some_and(|hex| hex.len() == 32 && hex.bytes().all(|b| b.is_ascii_hexdigit()))
            && (name.ends_with(".json") || name.ends_with(".lock"))
    };
    let names = names(&env.cache());
    assert!(names.iter().all(is_anonymous), "{names:?}");
    assert_eq!(names.len(), 2 * cases.len(), "a file and a lock each, and nothing left over: {names:?}");
    for file in token_files(&env) {
        let content = fs::read_to_string(file).unwrap();
        for secret in [SECRET, OTHER_SECRET, CORP, CORP_ID] {
            assert!(!content.contains(secret), "the file tells {secret}");
        }
    }
}

#[cfg(unix)]
#[test]
fn folder_and_files_are_their_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let (env, wecom) = (TestEnv::new(), FakeWecom::start());
    let folder = env.home().join("deep/cache");
    send(&env, &wecom).env("WECOM_ALERT_CACHE_DIR", &folder).run().assert_code(0);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
    assert_eq!((mode(&folder), mode(folder.parent().unwrap())), (0o700, 0o700));
    let names = names(&folder);
    assert_eq!(names.len(), 2, "{names:?}");
    for name in names {
        assert_eq!(mode(&folder.join(&name)), 0o600, "{name}");
    }
    assert!(!env.cache().exists(), "the folder that was named is the only one");
}

#[test]
fn the_usual_places_of_the_cache() {
    let (env, wecom) = (TestEnv::new(), FakeWecom::start());
    send(&env, &wecom).without_env("XDG_CACHE_HOME").run().assert_code(0);
    assert_eq!(names(&env.home().join(".cache/wecom-alert")).len(), 2);
    send(&env, &wecom).run().assert_code(0);
    assert_eq!(names(&env.cache()).len(), 2);
    send(&env, &wecom).config("cache_dir = \"beside\"\n").run().assert_code(0);
    assert_eq!(names(&env.config_file().with_file_name("beside")).len(), 2, "it counts from the config file");
    assert_eq!(wecom.count(Endpoint::GetToken), 3);
}

#[test]
fn a_token_about_to_expire_is_not_used() {
    let wecom = FakeWecom::start();
    let token = {
        let env = TestEnv::new();
        warm(&env, &wecom);
        tokens_sent(&wecom)[0].clone()
    };
    // Granted for so short a time that no later call may trust it, and for so long that every one does.
    for (expires_in, asked) in [(json!(0), 3), (json!(1), 3), (json!(7200), 1), (json!("7200"), 1), (json!(null), 1)] {
        let env = TestEnv::new();
        let before = wecom.count(Endpoint::GetToken);
        let granted = json!({"errcode": 0, "errmsg": "ok", "access_token": token, "expires_in": expires_in});
        wecom.always(Endpoint::GetToken, Reply::Json(granted));
        for _ in 0..3 {
            send(&env, &wecom).run().assert_code(0);
        }
        assert_eq!(wecom.count(Endpoint::GetToken) - before, asked, "expires_in {expires_in}");
    }
}

#[test]
fn short_lives_never_meet_an_expired_token() {
    let (env, wecom) = (TestEnv::new(), FakeWecom::builder().token_lifetime_s(2).start());
    wecom.same_token_on_refresh(false);
    // One call after another, until two tokens have come to their end.
    wait_until("three tokens", || {
        assert_document(&send(&env, &wecom).run(), "short life", 0, &json!({"attempts": 1}));
        wecom.count(Endpoint::GetToken) == 3
    });
    let refused = wecom.requests().into_iter().filter(|seen| matches!(seen.outcome, Outcome::Refused { .. })).count();
    assert_eq!(refused, 0);
}

#[test]
fn no_cache_neither_reads_nor_writes() {
    let wecom = FakeWecom::start();
    let config = "no_cache = true\n";
    let cases: &[(&str, &[&str], Variables, &str, bool)] = &[
        ("option", &["--no-cache"], &[], "", false),
        ("variable", &[], &[("WECOM_ALERT_NO_CACHE", "1")], "", false),
        ("variable in words", &[], &[("WECOM_ALERT_NO_CACHE", "true")], "", false),
        ("config file", &[], &[], config, false),
        ("variable over config file", &[], &[("WECOM_ALERT_NO_CACHE", "0")], config, true),
        ("empty variable", &[], &[("WECOM_ALERT_NO_CACHE", "")], "", true),
    ];
    for (case, args, variables, config, cached) in cases {
        let env = TestEnv::new();
        let run = |args: &[&str]| {
            let mut cmd = send(&env, &wecom).args(args.iter().copied());
            for (name, value) in *variables {
                cmd = cmd.env(*name, *value);
            }
            cmd.config(config).run().assert_code(0)
        };
        run(args);
        assert_eq!(env.cache().exists(), *cached, "{case}: it writes");
        // A token that others left there is passed over.
        let folder = env.cache();
        let other = TestEnv::new();
        warm(&other, &wecom);
        fs::create_dir_all(&folder).unwrap();
        for name in names(&other.cache()) {
            fs::copy(other.cache().join(&name), folder.join(&name)).unwrap();
        }
        let before = (wecom.count(Endpoint::GetToken), fs::read(token_file(&env)).unwrap());
        run(args);
        let asked = wecom.count(Endpoint::GetToken) - before.0;
        assert_eq!(asked, usize::from(!cached), "{case}: it reads");
        assert_eq!(fs::read(token_file(&env)).unwrap(), before.1, "{case}: the file is untouched");
    }
}

#[test]
fn long_and_awkward_tokens_arrive_intact() {
    for (case, wecom) in [
        ("512 bytes", FakeWecom::builder().token_length(512).start()),
        ("characters to encode", FakeWecom::builder().awkward_tokens().start()),
        ("both", FakeWecom::builder().awkward_tokens().token_length(512).start()),
    ] {
        let env = TestEnv::new();
        for origin in ["fetched", "cached"] {
            send(&env, &wecom).arg("-vv").run().assert_code(0);
            assert_eq!(wecom.count(Endpoint::GetToken), 1, "{case}, {origin}");
        }
        let run = env.cmd(["get-token"]).base_url(&wecom).app_credentials().may_show_token().run().assert_code(0);
        assert_eq!(run.stdout.trim_end_matches('\n'), tokens_sent(&wecom)[0], "{case}");
    }
}
