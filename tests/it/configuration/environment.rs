//! Variables: empty ones, ones that were not expanded, and ones that are none of ours.

use serde_json::json;

use super::*;
use crate::document::{assert_document, assert_says, warnings};
use crate::support::TestEnv;
use crate::support::fake::{AGENT_ID, CORP_ID, SECRET};

#[test]
fn empty_variables_count_as_unset() {
    let (env, wecom) = (TestEnv::new(), wecom());
    let names = [
        "CONFIG",
        "PROFILE",
        "BASE_URL",
        "PROXY",
        "CA_FILE",
        "CONNECT_TIMEOUT",
        "TIMEOUT",
        "DEADLINE",
        "RATE",
        "NO_CACHE",
        "CORP_ID",
        "AGENT_ID",
        "SECRET",
        "SECRET_FILE",
        "WEBHOOK",
        "WEBHOOK_FILE",
        "TO_USER",
        "TO_PARTY",
        "TO_TAG",
        "CACHE_DIR",
        "STATE_DIR",
        "NO_SUCH_NAME",
    ];
    for value in ["", " ", "\t\n"] {
        let config = format!("default_profile = \"ops\"\nbase_url = {:?}\n{CONFIG}", wecom.base_url());
        let cmd = names.iter().filter(|name| value.is_empty() || **name != "NO_SUCH_NAME");
        let cmd = cmd.fold(app_send(&env).config(&config), |cmd, name| cmd.env(format!("WECOM_ALERT_{name}"), value));
        let run = cmd.keeps_secret(&wecom).run();
        assert_document(&run, &format!("{value:?}"), 0, &json!({"profile": "ops", "warnings": []}));
    }
    assert_eq!(identity(&wecom), ("ww1111111111111111".into(), "test-secret-of-ops".into(), 1_000_011));
}

#[test]
fn a_state_folder_that_depends_on_where_a_command_is_run_is_warned_about() {
    let (env, wecom) = (TestEnv::new(), wecom());
    let config = format!("default_profile = \"ops\"\nbase_url = {:?}\n{CONFIG}", wecom.base_url());
    let sent = |folder: &std::path::Path| {
        let run = app_send(&env).config(&config).env("WECOM_ALERT_STATE_DIR", folder).keeps_secret(&wecom).run();
        warnings(&assert_document(&run, "state", 0, &json!({"status": "sent"}))).join("\n")
    };
    assert_eq!(sent(&env.home().join("state-of-ops")), "");
    let told = sent(std::path::Path::new("state-of-ops"));
    assert!(told.contains("WECOM_ALERT_STATE_DIR is no absolute path (state-of-ops)"), "{told}");
}

#[test]
fn what_was_not_expanded_is_refused_at_every_level() {
    let (env, wecom) = (TestEnv::new(), FakeWecom::start());
    let call = || app_send(&env).base_url(&wecom).app_credentials().env("WECOM_ALERT_TO_USER", "zhangsan");
    env.file("dollar", "$SECRET_OF_OPS\n");
    let in_file = |name: &str, line: &str| {
        call().without_env("WECOM_ALERT_SECRET").arg("--config").arg(env.file(name, format!("{line}\n")))
    };
    let cases = [
        ("variable", call().env("WECOM_ALERT_CORP_ID", "$CORP_ID"), "WECOM_ALERT_CORP_ID"),
        ("in braces", call().env("WECOM_ALERT_AGENT_ID", "${AGENT}"), "WECOM_ALERT_AGENT_ID"),
        ("secret", call().env("WECOM_ALERT_SECRET", "$SECRET_OF_OPS"), "WECOM_ALERT_SECRET"),
        ("option", call().args(["--corp-id", "$CORP_ID"]), "--corp-id"),
        ("recipient", call().args(["-u", "$ONCALL"]), "--to-user"),
        ("path", call().args(["--ca-file", "$HOME/ca.pem"]), "--ca-file"),
        ("base URL", call().args(["--base-url", "$BASE"]), "--base-url"),
        ("file", in_file("1.toml", "secret = \"$SECRET_OF_OPS\""), "secret in "),
        ("secret file's content", in_file("2.toml", "secret_file = \"./dollar\""), "/dollar: "),
    ];
    for (case, cmd, place) in cases {
        let document = assert_document(&cmd.run(), case, 3, &json!({"status": "config", "attempts": 0}));
        assert_says(&document, case, "message", &[place, "starts with `$`"]);
    }
    assert_eq!(wecom.requests().len(), 0);
    // Text for people is data.
    let run = app_send(&env).base_url(&wecom).app_credentials().args(["-u", "zhangsan"]).run();
    assert_document(&run, "not expanded", 0, &json!({}));
    let run = env.cmd(["app-send", "-u", "zhangsan", "$5 left"]).base_url(&wecom).app_credentials().run();
    run.assert_code(0);
    assert_eq!(wecom.messages()[1].payload()["content"], "$5 left");
}

#[test]
fn unknown_variables_warn_with_the_nearest_name() {
    let (env, wecom) = (TestEnv::new(), FakeWecom::start());
    let call = |variables: &[(&str, &str)]| {
        let cmd = app_send(&env).args(["-u", "zhangsan"]).base_url(&wecom).app_credentials();
        let document = assert_document(&with_env(cmd, variables).run(), "unknown", 0, &json!({"status": "sent"}));
        warnings(&document).into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    let told = call(&[
        ("WECOM_ALERT_TIMEOUTS", "test-hidden-1"),
        ("WECOM_ALERT_CORPID", "test-hidden-2"),
        ("WECOM_ALERT_PORT", "tcp://10.0.0.1:80"),
        ("WECOM_ALERT_PORT_80_TCP_ADDR", "10.0.0.1"),
        ("WECOM_ALERT_SERVICE_HOST", "10.0.0.1"),
        ("WECOM_ALERT_SERVICE_PORT_HTTP", "80"),
        ("WECOM_ALERTS", "not with our prefix"),
        ("WECOM_SECRET", "not with our prefix"),
    ]);
    assert_eq!(told.len(), 2, "{told:?}");
    for (warning, names) in told
        .iter()
        .zip([["WECOM_ALERT_CORPID", "WECOM_ALERT_CORP_ID"], ["WECOM_ALERT_TIMEOUTS", "WECOM_ALERT_TIMEOUT"]])
    {
        assert!(names.iter().all(|name| warning.contains(name)) && !warning.contains("test-hidden"), "{warning}");
    }
    assert_eq!(call(&[]), Vec::<String>::new());
}

#[test]
fn a_mistyped_variable_is_told_although_the_settings_failed() {
    let env = TestEnv::new();
    let file = env.file("ops.toml", CONFIG);
    // The slip is why there is no config file.
    let run = app_send(&env).args(["-P", "ops"]).env("WECOM_ALERT_CONFG", &file).run();
    let document = assert_document(&run, "slip", 3, &json!({"status": "config"}));
    assert!(warnings(&document).iter().any(|warning| warning.contains("WECOM_ALERT_CONFIG")), "{document}");
}

#[test]
fn two_forms_of_one_credential_in_the_environment() {
    let (env, wecom) = (TestEnv::new(), FakeWecom::start());
    let file = env.file("ops.secret", SECRET);
    let cmd = app_send(&env).args(["-u", "zhangsan"]).base_url(&wecom).app_credentials();
    let document = assert_document(&cmd.env("WECOM_ALERT_SECRET_FILE", &file).run(), "secret", 3, &json!({}));
    assert_says(&document, "secret", "message", &["WECOM_ALERT_SECRET ", "WECOM_ALERT_SECRET_FILE", "two forms"]);
    let cmd = env.cmd(["webhook-send", "--output", "json", "hi"]).base_url(&wecom).webhook();
    let document = assert_document(&cmd.env("WECOM_ALERT_WEBHOOK_FILE", &file).run(), "webhook", 3, &json!({}));
    assert_says(&document, "webhook", "message", &["WECOM_ALERT_WEBHOOK ", "WECOM_ALERT_WEBHOOK_FILE"]);
    // At two levels they are no contradiction: the upper one counts.
    let config = format!("secret_file = \"/nowhere\"\nagent_id = {AGENT_ID}\ncorp_id = \"{CORP_ID}\"\n");
    let cmd = app_send(&env).args(["-u", "zhangsan"]).config(&config).base_url(&wecom);
    assert_document(&cmd.env("WECOM_ALERT_SECRET", SECRET).run(), "two levels", 0, &json!({"warnings": []}));
}

#[test]
fn malformed_variables_are_named_and_their_values_hidden() {
    let (env, wecom) = (TestEnv::new(), FakeWecom::start());
    for (name, value) in [
        ("WECOM_ALERT_AGENT_ID", "test-hidden-x"),
        ("WECOM_ALERT_AGENT_ID", "-5"),
        ("WECOM_ALERT_NO_CACHE", "test-hidden-x"),
        ("WECOM_ALERT_DEADLINE", "test-hidden-x"),
        ("WECOM_ALERT_RATE", "test-hidden-x"),
        ("WECOM_ALERT_BASE_URL", "test-hidden-x"),
        ("WECOM_ALERT_PROXY", "test-hidden-x"),
        ("WECOM_ALERT_CORP_ID", "two\nlines"),
        ("WECOM_ALERT_TO_USER", "zhangsan,,lisi"),
        ("WECOM_ALERT_TO_PARTY", "ops"),
    ] {
        let case = format!("{name}={value:?}");
        let cmd = app_send(&env).base_url(&wecom).app_credentials().env(name, value);
        // Where an alert is sent, a warning is enough for what does not decide whom it reaches.
        let is_default = ["_NO_CACHE", "_DEADLINE", "_RATE"].iter().any(|end| name.ends_with(end));
        let run = if is_default { cmd.arg("--dry-run").run() } else { cmd.run() };
        let document = assert_document(&run, &case, 3, &json!({"status": "config", "attempts": 0}));
        assert_says(&document, &case, "message", &[name]);
        assert!(!run.all().contains("test-hidden"), "{case}: {}", run.all());
    }
    assert_eq!(wecom.requests().len(), 0);
}
