//! Settings and where they come from: config file, profile, permissions, credentials.

use std::fs;

use super::{app, bare, checked, webhook};
use crate::support::Scene;
use crate::support::fake::{SECRET, WEBHOOK_KEY};

/// An app whose secret stands in a file of its own, and a webhook.
const CONFIG: &str = r#"
default_profile = "ops"

[profiles.ops]
corp_id = "ww0000000000000000"
agent_id = 1000002
secret_file = "ops.secret"
to_user = ["zhangsan"]

[profiles.room]
webhook = "test-key-of-another-shape"
"#;

fn with_config(scene: &Scene) -> String {
    let file = scene.env.file(scene.env.config_file(), CONFIG);
    scene.env.file(file.with_file_name("ops.secret"), SECRET);
    file.display().to_string()
}

#[test]
fn nothing_is_configured() {
    let scene = Scene::new();
    let told = checked(&scene, "nothing", bare(&scene, &[]), 3, "config");
    told.has("config", "ok", &["none", "config.toml"]).has(
        "credentials",
        "failed",
        &["no app and no webhook is configured", "WECOM_ALERT_WEBHOOK"],
    );
    told.has("state", "ok", &[]).lacks("tcp");
    let told = checked(&scene, "half", bare(&scene, &["--corp-id", "ww0000000000000000"]), 3, "config");
    told.has("app_credentials", "failed", &["agent_id, secret are not set", "WECOM_ALERT_SECRET"]);
    let told = checked(&scene, "asked", bare(&scene, &["--route", "webhook"]), 3, "config");
    told.has("webhook_key", "failed", &["webhook is not set", "WECOM_ALERT_WEBHOOK"]);
    let told = checked(&scene, "asked", bare(&scene, &["--route", "app"]), 3, "config");
    told.has("app_credentials", "failed", &["corp_id, agent_id, secret are not set"])
        .skips(&["token", "agent"], "app credentials failed");
    assert_eq!(scene.wecom.connections(), 0);
}

#[test]
fn which_file_and_profile_count_and_why() {
    let scene = Scene::new();
    let file = with_config(&scene);
    let told = checked(&scene, "found", bare(&scene, &[]), 0, "ok");
    told.has("config", "ok", &[&file, "found in the user's folder"]).has("profile", "ok", &["ops", "default_profile"]);
    told.has("app_credentials", "ok", &["corp_id of profile ops", "ops.secret (43 bytes)"]);
    assert_eq!(told.document["profile"], "ops");
    let told = checked(&scene, "options", bare(&scene, &["--config", &file, "-P", "ops"]), 0, "ok");
    told.has("config", "ok", &["which --config names"]).has("profile", "ok", &["ops, which --profile names"]);
    let named = bare(&scene, &[]).env("WECOM_ALERT_CONFIG", &file).env("WECOM_ALERT_PROFILE", "ops");
    let told = checked(&scene, "variables", named, 0, "ok");
    told.has("config", "ok", &["WECOM_ALERT_CONFIG"]).has("profile", "ok", &["WECOM_ALERT_PROFILE"]);
    let only = scene.env.file("only.toml", "[profiles.room]\n");
    let told = checked(&scene, "only", webhook(&scene, &["--config"]).arg(&only), 0, "ok");
    told.has("profile", "ok", &["room, the only one"]);
    let told = checked(&scene, "none", webhook(&scene, &["--config", "/dev/null"]), 0, "ok");
    told.has("profile", "ok", &["none", "no profiles"]);
}

#[test]
fn what_the_profile_has_is_checked() {
    let scene = Scene::new();
    let both = "[profiles.ops]\ncorp_id = \"ww0000000000000000\"\nagent_id = 1000002\n";
    let both = format!("{both}webhook = \"{WEBHOOK_KEY}\"\n");
    // Half of the app stands in the environment: it is the profile's app all the same.
    let told = checked(&scene, "both", bare(&scene, &[]).config(&both).env("WECOM_ALERT_SECRET", SECRET), 0, "ok");
    told.has("app_credentials", "ok", &["WECOM_ALERT_SECRET"]).has("agent", "ok", &[]).has("webhook_key", "ok", &[]);
    // An app that only the environment knows is none of the profile's.
    let room = format!("[profiles.room]\nwebhook = \"{WEBHOOK_KEY}\"\n");
    let told = checked(&scene, "room", app(&scene, &[]).config(&room), 0, "ok");
    told.has("webhook_key", "ok", &[]).lacks("app_credentials");
    let told = checked(&scene, "asked", app(&scene, &["--route", "app"]).config(&room), 0, "ok");
    told.has("app_credentials", "ok", &[]).lacks("webhook_key");
}

#[test]
fn settings_that_cannot_be_used() {
    let scene = Scene::new();
    let file = with_config(&scene);
    let told = checked(&scene, "profile", bare(&scene, &["-P", "opss"]), 3, "config");
    told.has("config", "ok", &[&file]).has("settings", "failed", &["opss", "nearest is `ops`"]);
    told.skips(&["dns", "tcp", "tls", "token", "agent", "outbox", "pacing"], "settings failed");
    assert_eq!(told.document["profile"], "opss");
    let told = checked(&scene, "option", bare(&scene, &["--deadline", "soon"]), 2, "usage");
    told.has("settings", "failed", &["--deadline", "soon"]);
    let told = checked(&scene, "missing", bare(&scene, &["--config", "/no/such.toml"]), 3, "config");
    told.has("config", "failed", &["/no/such.toml", "correct the path"]).skips(&["token"], "config failed");
    let told = checked(&scene, "broken", bare(&scene, &[]).config("secret = \"test-broken"), 3, "config");
    told.has("config", "failed", &["not valid TOML", "1:"]);
    assert!(!told.run.all().contains("test-broken"), "{}", told.run.all());
    assert_eq!(scene.wecom.connections(), 0);
}

#[cfg(unix)]
#[test]
fn a_config_file_that_cannot_be_read() {
    let scene = Scene::new();
    fs::create_dir_all(scene.env.config_file()).unwrap();
    let told = checked(&scene, "folder", app(&scene, &[]), 3, "config");
    told.has("config", "failed", &["cannot be read", "--config"]).skips(&["token", "outbox"], "config failed");
    let run = scene.env.cmd(["check"]).app_credentials().run().assert_code(3);
    assert!(run.stdout.starts_with("✗ config       config file "), "{}", run.all());
    assert!(run.stderr.starts_with("wecom-alert: error[config]: check: config: config file "), "{}", run.all());
}

#[cfg(unix)]
#[test]
fn files_that_others_can_read() {
    use std::os::unix::fs::PermissionsExt as _;

    let scene = Scene::new();
    let file = with_config(&scene);
    let mode = |path: &std::path::Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    let told = checked(&scene, "private", bare(&scene, &[]), 0, "ok");
    told.has("permissions", "ok", &["owner only (mode 0600)", "ops.secret by its owner only"]);
    mode(&scene.env.config_file(), 0o640);
    let told = checked(&scene, "group", bare(&scene, &[]), 0, "ok");
    told.has("permissions", "warning", &["mode 0640", &format!("chmod 600 {file}")]);
    assert_eq!(told.document["warnings"], serde_json::json!([]), "said once");
    // What holds no credential, and what is a file of its own, may well be read by others.
    scene.env.file(scene.env.config_file(), &CONFIG[..CONFIG.find("[profiles.room]").unwrap()]);
    mode(&scene.env.config_file(), 0o644);
    mode(&scene.env.config_file().with_file_name("ops.secret"), 0o640);
    let told = checked(&scene, "no secret in it", bare(&scene, &[]), 0, "ok");
    told.has("permissions", "ok", &["everybody on this machine (mode 0644)", "its owner and its group (mode 0640)"]);
    let secret_file = scene.env.config_file().with_file_name("ops.secret");
    mode(&secret_file, 0o644);
    let told = checked(&scene, "a secret for everybody", bare(&scene, &[]), 0, "ok");
    let command = format!("run `chmod 600 {}`", secret_file.display());
    told.has("permissions", "warning", &["ops.secret holds a secret", "mode 0644", &command]);
    checked(&scene, "nothing", app(&scene, &[]).config("[profiles.ops]\n"), 0, "ok").has(
        "permissions",
        "ok",
        &["0644"],
    );
}

#[test]
fn credentials_that_cannot_be_had() {
    let scene = Scene::new();
    with_config(&scene);
    fs::remove_file(scene.env.config_file().with_file_name("ops.secret")).unwrap();
    let told = checked(&scene, "file", bare(&scene, &[]), 3, "config");
    told.has("app_credentials", "failed", &["secret_file of profile ops", "cannot be read"])
        .skips(&["token"], "app credentials failed");
    let command =
        "[profiles.ops]\ncorp_id = \"ww0000000000000000\"\nagent_id = 1000002\nsecret_command = [\"false\"]\n";
    let told = checked(&scene, "command", bare(&scene, &[]).config(command), 3, "config");
    told.has("app_credentials", "failed", &["command false", "exit code 1"]);
    assert_eq!(scene.wecom.connections(), 0);
}

#[test]
fn the_shape_of_a_key_is_a_clue_and_no_more() {
    let scene = Scene::new();
    with_config(&scene);
    let told = checked(&scene, "odd", bare(&scene, &["-P", "room"]).secret("test-key-of-another-shape"), 0, "ok");
    told.has("webhook_key", "warning", &["25 bytes", "not of the usual shape", "after key="]);
    let cut = &WEBHOOK_KEY[..30];
    checked(
        &scene,
        "cut",
        bare(&scene, &[]).env("WECOM_ALERT_WEBHOOK", cut).env("WECOM_ALERT_PROFILE", "room"),
        0,
        "ok",
    );
}

#[test]
fn a_webhook_of_another_product() {
    let scene = Scene::new();
    let url = "https://oapi.dingtalk.com/robot/send?access_token=test-token-of-another";
    for args in [&[][..], &["--dry-run"], &["--send"]] {
        let cmd = bare(&scene, args).env("WECOM_ALERT_WEBHOOK", url).secret("test-token-of-another");
        let told = checked(&scene, "DingTalk", cmd, 3, "config");
        told.has("webhook_key", "failed", &["DingTalk", "消息推送"]);
    }
    assert_eq!(scene.wecom.connections(), 0);
}

/// Cron has no locale: who reads Chinese at the terminal gets English from it.
#[test]
fn a_language_that_only_the_locale_says_is_named() {
    let scene = Scene::new();
    for (locale, said) in [("zh_CN.UTF-8", "in Chinese by the locale, but in English under cron"), ("C", "in English;")]
    {
        let told = checked(&scene, locale, webhook(&scene, &[]).env("LANG", locale), 0, "ok");
        told.has("language", "skipped", &["not set", said, "set language to zh"]);
    }
    for language in ["auto", "zh"] {
        let cmd = webhook(&scene, &[]).config(&format!("language = \"{language}\"\n[profiles.room]\n"));
        checked(&scene, language, cmd, 0, "ok").lacks("language");
    }
}
