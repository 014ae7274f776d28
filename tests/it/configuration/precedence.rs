//! Option, environment, profile, top level, default: each gives way to the one before it.

use serde_json::{Value, json};

use super::*;
use crate::document::{assert_document, assert_says, warnings};
use crate::support::TestEnv;
use crate::support::fake::{AGENT_ID, CORP_ID, SECRET};

/// A setting, its value at each level as TOML or text, and what a dry run then shows; `None` where a level has none.
struct Case {
    key: &'static str,
    pointer: &'static str,
    option: Option<(&'static [&'static str], Value)>,
    variable: Option<(&'static str, &'static str, Value)>,
    profile: (&'static str, Value),
    top: (&'static str, Value),
    default: Value,
}

fn cases() -> Vec<Case> {
    let path = |prefix: &str| json!(format!("{prefix}/cgi-bin/message/send"));
    vec![
        Case {
            key: "base_url",
            pointer: "/requests/0/path",
            option: Some((&["--base-url", "http://127.0.0.1:9/option"], path("/option"))),
            variable: Some(("WECOM_ALERT_BASE_URL", "http://127.0.0.1:9/variable", path("/variable"))),
            profile: ("\"http://127.0.0.1:9/profile\"", path("/profile")),
            top: ("\"http://127.0.0.1:9/top\"", path("/top")),
            default: path(""),
        },
        Case {
            key: "agent_id",
            pointer: "/requests/0/body/agentid",
            option: Some((&["--agent-id", "1"], json!(1))),
            variable: Some(("WECOM_ALERT_AGENT_ID", "2", json!(2))),
            profile: ("3", json!(3)),
            top: ("\"4\"", json!(4)),
            default: Value::Null,
        },
        Case {
            key: "to_tag",
            pointer: "/requests/0/body/totag",
            option: Some((&["--to-tag", "1"], json!("1"))),
            variable: Some(("WECOM_ALERT_TO_TAG", "2,3", json!("2|3"))),
            profile: ("[3, \"4\"]", json!("3|4")),
            top: ("5", json!("5")),
            default: Value::Null,
        },
        Case {
            key: "msgtype",
            pointer: "/requests/0/body/msgtype",
            option: Some((&["-t", "text"], json!("text"))),
            variable: None,
            profile: ("\"markdown\"", json!("markdown")),
            top: ("\"text\"", json!("text")),
            default: json!("text"),
        },
        Case {
            key: "safe",
            pointer: "/requests/0/body/safe",
            option: Some((&["--safe=0"], json!(0))),
            variable: None,
            profile: ("1", json!(1)),
            top: ("0", json!(0)),
            default: Value::Null,
        },
        Case {
            key: "duplicate_check",
            pointer: "/requests/0/body/duplicate_check_interval",
            option: Some((&["--duplicate-check", "1m"], json!(60))),
            variable: None,
            profile: ("\"2m\"", json!(120)),
            top: ("\"3m\"", json!(180)),
            default: Value::Null,
        },
        Case {
            key: "id_trans",
            pointer: "/requests/0/body/enable_id_trans",
            option: Some((&["--id-trans"], json!(1))),
            variable: None,
            profile: ("false", Value::Null),
            top: ("true", json!(1)),
            default: Value::Null,
        },
    ]
}

#[test]
fn each_level_gives_way_to_the_one_before_it() {
    for case in cases() {
        let env = TestEnv::new();
        for level in 0..5 {
            // All lower levels are set as well.
            let line = |here: bool, value: &str| if here { format!("{} = {value}\n", case.key) } else { String::new() };
            let (top, profile) = (line(level <= 3, case.top.0), line(level <= 2, case.profile.0));
            // Nobody need be named: the rules of messages are not what is tested here.
            let cmd = app_send(&env).args(["--dry-run", "--no-validate"]);
            let mut cmd = cmd.config(&format!("{top}[profiles.only]\n{profile}"));
            let mut expected = match level {
                0..=2 => &case.profile.1,
                3 => &case.top.1,
                _ => &case.default,
            };
            if let Some((name, value, shown)) = case.variable.as_ref().filter(|_| level <= 1) {
                (cmd, expected) = (cmd.env(*name, *value), shown);
            }
            if let Some((args, shown)) = case.option.as_ref().filter(|_| level == 0) {
                (cmd, expected) = (cmd.args(args.iter().copied()), shown);
            }
            let name = format!("{} without the {level} upper levels", case.key);
            let document = assert_document(&cmd.run(), &name, 0, &json!({"status": "dry_run", "profile": "only"}));
            assert_eq!(document.pointer(case.pointer).unwrap_or(&Value::Null), expected, "{name}: {document:#}");
        }
    }
}

#[test]
fn only_the_level_that_counts_is_judged_and_named() {
    let malformed = "timeout = \"soon\"\n[profiles.only]\ntimeout = \"now\"\n";
    let env = TestEnv::new();
    let call = || app_send(&env).args(["--dry-run", "-u", "zhangsan"]).config(malformed);
    assert_document(&call().args(["--timeout", "3s"]).run(), "a good option", 0, &json!({"status": "dry_run"}));
    let run = call().env("WECOM_ALERT_TIMEOUT", "3s").run();
    assert_document(&run, "a good variable", 0, &json!({"status": "dry_run"}));

    let run = call().args(["--timeout", "3"]).env("WECOM_ALERT_TIMEOUT", "x").run();
    let document = assert_document(&run, "option", 2, &json!({"status": "usage", "attempts": 0}));
    assert_says(&document, "option", "message", &["--timeout", "`3`", "unit"]);
    assert_says(&document, "option", "hint", &["10s"]);
    let document = assert_document(&call().env("WECOM_ALERT_TIMEOUT", "soon").run(), "variable", 3, &json!({}));
    assert_says(&document, "variable", "message", &["WECOM_ALERT_TIMEOUT"]);
    let document = assert_document(&call().run(), "profile", 3, &json!({"status": "config"}));
    assert_says(&document, "profile", "message", &["timeout of profile only", "config.toml:3:1"]);
    let run = app_send(&env).args(["--dry-run"]).config("timeout = \"soon\"\n").run();
    assert_says(&assert_document(&run, "top level", 3, &json!({})), "top level", "message", &["config.toml:1:1"]);
}

#[test]
fn the_manner_of_printing_has_levels_too() {
    let env = TestEnv::new();
    let wecom = FakeWecom::start();
    let call = |args: &[&str], config: &str| {
        let cmd = env.cmd(["get-token"]).args(args.iter().copied()).config(config).base_url(&wecom);
        cmd.app_credentials().may_show_token().run().assert_code(0)
    };
    assert_eq!(call(&[], "output = \"json\"\n").json()["ok"], true);
    assert!(!call(&["--output", "text"], "output = \"json\"\n").stdout.contains('{'));
    assert!(call(&["--refresh"], "verbose = 1\n").stderr.contains("gettoken"));
    assert_eq!(call(&["--refresh", "-q"], "verbose = 1\n").stderr, "");
    assert!(call(&["--refresh", "-v"], "quiet = true\n").stderr.contains("gettoken"));
}

#[test]
fn credentials_come_from_the_environment_before_any_profile_that_no_option_named() {
    let (env, wecom) = (TestEnv::new(), wecom());
    let with_default = format!("default_profile = \"ops\"\n{CONFIG}");
    for (case, variables) in [("by default", &[][..]), ("by variable", &[("WECOM_ALERT_PROFILE", "ops")])] {
        let cmd = with_env(app_send(&env).config(&with_default).base_url(&wecom).app_credentials(), variables);
        let run = cmd.secret("test-secret-of-ops").run();
        assert_document(&run, case, 0, &json!({"profile": "ops", "warnings": []}));
        assert_eq!(identity(&wecom), (CORP_ID.into(), SECRET.into(), AGENT_ID), "{case}");
        assert_eq!(wecom.messages().last().unwrap().users, ["lisi"], "{case}: what the environment lacks");
    }
}

#[test]
fn a_profile_named_by_option_beats_the_environment_with_one_warning() {
    let (env, wecom) = (TestEnv::new(), wecom());
    let run = app_send(&env).args(["-P", "night"]).config(CONFIG).base_url(&wecom).app_credentials().run();
    let document = assert_document(&run, "-P night", 0, &json!({"profile": "night", "status": "sent"}));
    assert_eq!(identity(&wecom), ("ww2222222222222222".into(), "test-secret-of-night".into(), 1_000_022));
    let told = warnings(&document);
    assert_eq!(told.len(), 1, "{told:?}");
    for name in ["WECOM_ALERT_CORP_ID", "WECOM_ALERT_AGENT_ID", "WECOM_ALERT_SECRET", "night"] {
        assert!(told[0].contains(name), "{name}: {told:?}");
    }
    // In text mode it is one line on stderr, and -q takes it away.
    let text = |more: &[&str]| {
        let cmd = env.cmd(["app-send", "--profile", "night", "disk full"]).args(more.iter().copied());
        cmd.config(CONFIG).base_url(&wecom).app_credentials().run().assert_code(0).stderr
    };
    let stderr = text(&[]);
    assert!(stderr.starts_with("wecom-alert: warning: ") && stderr.lines().count() == 1, "{stderr}");
    assert_eq!(text(&["-q"]), "");
    // Everything else keeps its order: the variable's recipients stand before the profile's.
    let run =
        app_send(&env).args(["-P", "night"]).config(CONFIG).base_url(&wecom).env("WECOM_ALERT_TO_USER", "zhangsan");
    assert_document(&run.run(), "recipients", 0, &json!({"warnings": []}));
    assert_eq!(wecom.messages().last().unwrap().users, ["zhangsan"]);
}

#[test]
fn the_environment_fills_what_the_named_profile_lacks() {
    let (env, wecom) = (TestEnv::new(), wecom());
    let config = "agent_id = 7\n[profiles.half]\ncorp_id = \"ww1111111111111111\"\nto_user = [\"lisi\"]\n";
    let cmd = app_send(&env).args(["-P", "half"]).config(config).base_url(&wecom);
    let cmd = cmd.env("WECOM_ALERT_SECRET", "test-secret-of-a-mixture").env("WECOM_ALERT_AGENT_ID", "1000033");
    assert_document(&cmd.run(), "filled", 0, &json!({"profile": "half", "warnings": []}));
    assert_eq!(identity(&wecom), ("ww1111111111111111".into(), "test-secret-of-a-mixture".into(), 1_000_033));
    // An option stands before the profile that another option named.
    let cmd = app_send(&env).args(["-P", "ops", "--corp-id", CORP_ID, "--agent-id", "1000002"]).config(CONFIG);
    let run = cmd.base_url(&wecom).run();
    assert_document(&run, "options", 4, &json!({"errcode": 40001, "warnings": []}));
}

#[test]
fn a_webhook_of_a_named_profile_beats_the_environment() {
    let (env, wecom) = (TestEnv::new(), wecom());
    let cmd = || env.cmd(["webhook-send", "--output", "json", "disk full"]).config(CONFIG).base_url(&wecom).webhook();
    let document = assert_document(&cmd().args(["-P", "room"]).run(), "-P room", 0, &json!({"profile": "room"}));
    assert!(warnings(&document)[0].contains("WECOM_ALERT_WEBHOOK"), "{document}");
    assert_document(&cmd().env("WECOM_ALERT_PROFILE", "room").run(), "variable", 0, &json!({"warnings": []}));
    let keys: Vec<_> = wecom.requests().iter().map(|seen| seen.parameter("key").unwrap().to_owned()).collect();
    assert_eq!(keys, ["test-key-of-room", crate::support::fake::WEBHOOK_KEY]);
}
