//! Which profile counts, and doing without any.

use serde_json::{Value, json};

use super::*;
use crate::document::{assert_document, assert_says};
use crate::support::fake::{AGENT_ID, CORP_ID, SECRET};
use crate::support::{Cmd, TestEnv};

#[test]
fn option_then_variable_then_default_then_the_only_one() {
    let with_default = format!("default_profile = \"night\"\n{CONFIG}");
    let only = "[profiles.only]\nto_user = [\"lisi\"]\n";
    let cases: &[(&str, Args, Variables, &str, Value)] = &[
        ("option", &["-P", "ops"], &[("WECOM_ALERT_PROFILE", "room")], &with_default, json!("ops")),
        ("variable", &[], &[("WECOM_ALERT_PROFILE", "ops")], &with_default, json!("ops")),
        ("empty variable", &[], &[("WECOM_ALERT_PROFILE", "")], &with_default, json!("night")),
        ("default", &[], &[], &with_default, json!("night")),
        ("only one", &[], &[], only, json!("only")),
        ("none", &[], &[], "timeout = \"3s\"\n", Value::Null),
        ("no file", &[], &[], "", Value::Null),
    ];
    for (case, args, variables, config, expected) in cases {
        let env = TestEnv::new();
        let mut cmd = with_env(app_send(&env).args(["--dry-run", "-u", "zhangsan"]), variables);
        if !config.is_empty() {
            cmd = cmd.config(config);
        }
        let run = cmd.args(args.iter().copied()).run();
        assert_document(&run, case, 0, &json!({"profile": expected, "status": "dry_run", "warnings": []}));
    }
}

#[test]
fn the_option_stands_before_or_after_the_command() {
    let (env, wecom) = (TestEnv::new(), wecom());
    for args in [["-P", "ops", "app-send", "hi"], ["app-send", "--profile", "ops", "hi"]] {
        env.cmd(args).config(CONFIG).base_url(&wecom).run().assert_code(0);
    }
    assert_eq!(wecom.messages().len(), 2);
}

#[test]
fn several_profiles_without_a_default() {
    let (env, wecom) = (TestEnv::new(), wecom());
    let run = app_send(&env).config(CONFIG).base_url(&wecom).run();
    let document = assert_document(&run, "several", 3, &json!({"status": "config", "profile": null, "attempts": 0}));
    assert_says(&document, "several", "message", &["ops", "night", "room", "default_profile"]);
    assert_says(&document, "several", "hint", &["--profile", "WECOM_ALERT_PROFILE"]);
    // Whoever brings all credentials along needs none of them.
    let run = app_send(&env).args(["-u", "zhangsan"]).config(CONFIG).base_url(&wecom).app_credentials().run();
    assert_document(&run, "the environment alone", 0, &json!({"profile": null}));
    let webhook = env.cmd(["webhook-send", "--output", "json", "hi"]).config(CONFIG).base_url(&wecom).webhook();
    assert_document(&webhook.run(), "a webhook in the environment", 0, &json!({"profile": null}));
}

#[test]
fn an_unknown_profile_is_told_the_nearest() {
    let (env, wecom) = (TestEnv::new(), wecom());
    let with_default = env.file("default.toml", format!("default_profile = \"nigth\"\n{CONFIG}"));
    let call = || app_send(&env).config(CONFIG).base_url(&wecom).app_credentials();
    let cases = [
        ("option", call().args(["-P", "nigth"]), "--profile"),
        ("variable", call().env("WECOM_ALERT_PROFILE", "nigth"), "WECOM_ALERT_PROFILE"),
        ("default", call().arg("--config").arg(&with_default), "default_profile"),
    ];
    for (case, cmd, place) in cases {
        let document = assert_document(&cmd.run(), case, 3, &json!({"status": "config", "attempts": 0}));
        assert_says(&document, case, "message", &[place]);
        assert_says(&document, case, "hint", &["`night`", "ops", "room"]);
    }
    let bare = TestEnv::new();
    let document = assert_document(&app_send(&bare).args(["-P", "ops"]).run(), "no file", 3, &json!({}));
    assert_says(&document, "no file", "message", &["ops", "no config file"]);
    assert_says(&document, "no file", "hint", &["config.toml"]);
    assert_eq!(wecom.requests().len(), 0);
}

/// A mistake in a profile is an error for those who use it, and a warning for the others.
#[test]
fn a_mistake_in_another_profile_keeps_no_alert_back() {
    for (mistake, said) in [
        ("[profiles.other]\nchat = 5", "`chat` of profile other must be a string"),
        ("[profiles.other]\nsecret = ['a']", "`secret` of profile other must be a string"),
        ("[profiles.other]\ntiemout = '3s'", "unknown key `tiemout` of profile other"),
        ("[profiles.other]\nsecret = 'a'\nsecret_file = 'b'", "are two forms of one value"),
        ("[profiles]\nother = 5", "a profile must be a table"),
        ("[profiles.' other']\nchat = 'x'", "the profile's name is empty, or has white space around"),
    ] {
        let (env, wecom) = (TestEnv::new(), wecom());
        let config = format!("{mistake}\n{CONFIG}");
        let call = |args: &[&str]| env.cmd(args.iter().copied()).config(&config).base_url(&wecom).run();
        let told = assert_document(&call(&["app-send", "-P", "ops", "--output", "json", "hi"]), said, 0, &json!({}));
        let warning = told["warnings"][0].as_str().unwrap();
        assert!(warning.contains(said) && warning.ends_with(": that profile cannot be used"), "{warning}");
        let run = call(&["run", "-P", "ops", "--output", "json", "--", "/bin/sh", "-c", "exit 3"]).assert_code(3);
        assert_eq!(run.json()["status"], "sent", "{}", run.all());
        assert_eq!(wecom.messages().len(), 2, "{said}");
        for args in [&["app-send", "-P", "ops", "--dry-run", "hi"][..], &["check", "-P", "ops"]] {
            assert!(call(args).assert_code(3).all().contains(said), "{said}");
        }
        if !mistake.contains(' ') || said.contains("of profile") {
            let run = call(&["app-send", "-P", "other", "--output", "json", "-u", "lisi", "hi"]);
            let told = assert_document(&run, said, 3, &json!({"status": "config", "warnings": []}));
            assert_says(&told, said, "message", &[said]);
        }
        let run = call(&["app-send", "-P", "ops", "--also", "other", "--output", "json", "hi"]).assert_code(6);
        assert!(run.all().contains(said), "{}", run.all());
    }
}

#[test]
fn the_profile_is_named_in_the_error_line() {
    let (env, wecom) = (TestEnv::new(), wecom());
    let cmd = env.cmd(["app-send", "-P", "ops", "-u", "nobody", "hi"]).config(CONFIG).base_url(&wecom);
    let run = cmd.run().assert_code(5);
    let first = run.stderr.lines().next().unwrap();
    assert!(first.starts_with("wecom-alert: error[refused]: app-send (profile ops): "), "{first}");
    assert_eq!(run.stderr.lines().count(), 2, "{}", run.stderr);
    assert!(run.stderr.lines().nth(1).unwrap().starts_with("hint: "), "{}", run.stderr);
}

#[test]
fn one_profile_may_hold_an_app_and_a_webhook() {
    let (env, wecom) = (TestEnv::new(), wecom());
    let config = "[profiles.both]\ncorp_id = \"ww1111111111111111\"\nagent_id = 1000011\n\
                  secret = \"test-secret-of-ops\"\nto_user = [\"lisi\"]\nwebhook = \"test-key-of-room\"\n";
    for command in ["app-send", "webhook-send"] {
        env.cmd([command, "hi"]).config(config).base_url(&wecom).run().assert_code(0);
    }
    assert_eq!(wecom.messages().len(), 2);
    let file = env.file("alert.txt", "log of a crash");
    let upload = |args: &[&str]| {
        let cmd = env.cmd(["upload-media", "--output", "json"]).arg(&file).args(args.iter().copied());
        cmd.config(config).base_url(&wecom).run()
    };
    let document = assert_document(&upload(&[]), "whose media?", 2, &json!({"status": "usage"}));
    assert_says(&document, "whose media?", "hint", &["--route app", "--route webhook"]);
    for route in ["app", "webhook"] {
        assert_document(&upload(&["--route", route]), route, 0, &json!({"status": "ok", "route": route}));
    }
}

#[test]
fn the_environment_alone_is_enough() {
    let (env, wecom) = (TestEnv::new(), FakeWecom::start());
    let run = app_send(&env).base_url(&wecom).app_credentials().env("WECOM_ALERT_TO_USER", "zhangsan").run();
    assert_document(&run, "app-send", 0, &json!({"profile": null, "warnings": []}));
    assert_eq!(identity(&wecom), (CORP_ID.into(), SECRET.into(), AGENT_ID));
    let run = env.cmd(["webhook-send", "--output", "json", "hi"]).base_url(&wecom).webhook().run();
    assert_document(&run, "webhook-send", 0, &json!({"profile": null, "route": "webhook", "warnings": []}));
}

#[test]
fn what_is_missing_is_named_with_both_places() {
    let wecom = FakeWecom::start();
    let complete = [
        ("WECOM_ALERT_CORP_ID", CORP_ID, "corp_id"),
        ("WECOM_ALERT_AGENT_ID", "1000002", "agent_id"),
        ("WECOM_ALERT_SECRET", SECRET, "secret"),
    ];
    for (missing, _, key) in complete {
        for (config, place) in [
            (None, "write a config file with wecom-alert config init"),
            (Some("# nothing yet\n"), "or write a new file with wecom-alert config init"),
            (Some("[profiles.ops]\nto_user = \"a\"\n"), "profile ops"),
        ] {
            let env = TestEnv::new();
            let mut cmd = app_send(&env).args(["-u", "zhangsan"]).base_url(&wecom);
            for (name, value, _) in complete.iter().filter(|(name, ..)| *name != missing) {
                cmd = cmd.env(*name, *value);
            }
            let run = config.into_iter().fold(cmd, Cmd::config).run();
            let document =
                assert_document(&run, missing, 3, &json!({"status": "config", "route": "app", "attempts": 0}));
            assert_says(&document, missing, "message", &[&format!("{key} is not set")]);
            assert_says(&document, missing, "hint", &[missing, place]);
        }
    }
    let env = TestEnv::new();
    let document = assert_document(
        &env.cmd(["webhook-send", "--output", "json", "hi"]).base_url(&wecom).run(),
        "webhook",
        3,
        &json!({"route": "webhook"}),
    );
    assert_says(&document, "webhook", "hint", &["WECOM_ALERT_WEBHOOK"]);
    assert_eq!(wecom.requests().len(), 0, "nothing was asked of WeCom");
    // Neither a token nor an upload needs an agent.
    let file = env.file("alert.txt", "log of a crash");
    let bare = |cmd: Cmd| cmd.base_url(&wecom).env("WECOM_ALERT_CORP_ID", CORP_ID).env("WECOM_ALERT_SECRET", SECRET);
    bare(env.cmd(["get-token"])).may_show_token().run().assert_code(0);
    bare(env.cmd(["upload-media"]).arg(&file)).run().assert_code(0);
}
