//! The config file: which one is read, and what is said of a bad one: where, and never what.

use std::fs;

use serde_json::json;

use super::*;
use crate::document::{assert_document, assert_says, warnings};
use crate::support::TestEnv;

/// What must never be seen, in the places where files have values.
const HIDDEN: &str = "test-hidden-value-0123456789";

#[test]
fn a_named_file_takes_the_place_of_the_usual_one() {
    let (env, wecom) = (TestEnv::new(), wecom());
    let named = env.file("named.toml", CONFIG);
    let other = env.file("other.toml", CONFIG.replace("[profiles.ops]", "[profiles.other]"));
    let call = || app_send(&env).config("[profiles.usual]\nto_user = [\"zhangsan\"]\n").base_url(&wecom);
    let run = call().arg("--config").arg(&named).args(["-P", "ops"]).env("WECOM_ALERT_CONFIG", &other).run();
    assert_document(&run, "option before variable", 0, &json!({"profile": "ops"}));
    let run = call().env("WECOM_ALERT_CONFIG", &other).args(["-P", "other"]).run();
    assert_document(&run, "variable", 0, &json!({"profile": "other"}));
    let run = call().arg("--config").arg(&named).args(["-P", "usual"]).run();
    assert_says(
        &assert_document(&run, "no merging", 3, &json!({})),
        "no merging",
        "message",
        &["`usual`", "named.toml"],
    );
    let run = call().args(["--config", "named.toml", "-P", "ops"]).run();
    assert_document(&run, "from the working folder", 0, &json!({"profile": "ops"}));
    let run = call().args(["--config", "~/named.toml", "-P", "ops"]).in_folder("/").run();
    assert_document(&run, "from the home", 0, &json!({"profile": "ops"}));
}

#[test]
fn the_usual_place_is_in_the_home_where_no_folder_is_named() {
    let (env, wecom) = (TestEnv::new(), wecom());
    env.file(".config/wecom-alert/config.toml", CONFIG);
    let run = app_send(&env).without_env("XDG_CONFIG_HOME").args(["-P", "ops"]).base_url(&wecom).run();
    assert_document(&run, "~/.config", 0, &json!({"profile": "ops"}));
}

/// Daemons and `env -i` have none; who looks for the own file must be told.
#[test]
fn without_a_home_that_is_said() {
    let env = TestEnv::new();
    let homeless = app_send(&env).without_env("XDG_CONFIG_HOME").without_env("HOME").run();
    let document = assert_document(&homeless, "no home", 3, &json!({"status": "config"}));
    assert_says(&document, "no home", "hint", &["HOME is not set, and none was found at /etc/"]);
    for kept in ["HOME", "XDG_CONFIG_HOME"] {
        let other = if kept == "HOME" { "XDG_CONFIG_HOME" } else { "HOME" };
        let run = app_send(&env).without_env(other).run();
        assert_document(&run, kept, 3, &json!({"status": "config"}));
        assert!(!run.all().contains("HOME is not set"), "{kept}: {}", run.all());
    }
}

#[test]
fn a_named_file_that_is_missing_is_an_error() {
    let env = TestEnv::new();
    let call = || app_send(&env).config(CONFIG).args(["--dry-run", "-u", "zhangsan"]);
    for (case, cmd, name) in [
        ("option", call().args(["--config", "nowhere.toml"]), "--config"),
        ("variable", call().env("WECOM_ALERT_CONFIG", "/nowhere/at/all.toml"), "WECOM_ALERT_CONFIG"),
    ] {
        let document = assert_document(&cmd.run(), case, 3, &json!({"status": "config"}));
        assert_says(&document, case, "message", &[name, "nowhere"]);
    }
}

#[cfg(unix)]
#[test]
fn a_file_that_is_found_but_cannot_be_read_is_never_skipped() {
    use std::os::unix::fs::symlink;
    type Put = fn(&std::path::Path);
    let folder: Put = |path| fs::create_dir(path).unwrap();
    let dangling: Put = |path| symlink("nowhere", path).unwrap();
    let cycle: Put = |path| symlink("config.toml", path).unwrap();
    let not_text: Put = |path| fs::write(path, b"\xff\xfe\x00").unwrap();
    let huge: Put = |path| fs::File::create(path).unwrap().set_len(1 << 40).unwrap();
    let cases =
        [("a folder", folder), ("a dangling link", dangling), ("a cycle", cycle), ("bytes", not_text), ("huge", huge)];
    for (case, put) in cases {
        let (env, wecom) = (TestEnv::new(), FakeWecom::start());
        fs::create_dir(env.config_file().parent().unwrap()).unwrap();
        put(&env.config_file());
        // Not even the environment's own credentials make up for it.
        let run = app_send(&env).args(["-u", "zhangsan"]).base_url(&wecom).app_credentials().run();
        let document = assert_document(&run, case, 3, &json!({"status": "config", "attempts": 0}));
        assert_says(&document, case, "message", &["config.toml"]);
        assert_eq!(wecom.requests().len(), 0, "{case}");
    }
    let (env, wecom) = (TestEnv::new(), FakeWecom::start());
    fs::write(env.config_file().parent().unwrap(), "a file where the folder should be").unwrap();
    let run = app_send(&env).args(["-u", "zhangsan"]).base_url(&wecom).app_credentials().run();
    assert_document(&run, "nothing is found", 0, &json!({"warnings": []}));
}

#[test]
fn mistakes_are_placed_and_their_values_hidden() {
    let h = HIDDEN;
    let cases: Vec<(&str, String, &[&str])> = vec![
        (
            "unknown key",
            format!("timeout = \"3s\"\n  tiemout = \"{h}\"\n"),
            &["config.toml:2:3", "`tiemout`", "`timeout`"],
        ),
        (
            "unknown key of a profile",
            format!("[profiles.ops]\ncorp-id = \"{h}\"\n"),
            &["config.toml:2:1", "profile ops", "`corp_id`"],
        ),
        ("unknown key after 中文", format!("# 中文\n\"中\" = \"{h}\"\n"), &["config.toml:2:1", "nearest known key"]),
        ("a value as a key", format!("[profiles.ops]\n{h} = 1\n"), &["config.toml:2:1", "unknown key"]),
        ("a table", format!("[secret]\nx = \"{h}\"\n"), &["config.toml:1:", "secret"]),
        ("profile at the top", format!("[ops]\nsecret = \"{h}\"\n"), &["config.toml:1:2", "unknown key"]),
        ("number for text", "corp_id = 5\n".to_owned(), &["config.toml:1:1", "corp_id", "a string"]),
        ("text for a number", format!("agent_id = \"{h}\"\n"), &["agent_id", "config.toml:1:1", "whole number"]),
        ("text for a flag", format!("no_cache = \"{h}\"\n"), &["no_cache", "true or false"]),
        ("number for a duration", "timeout = 10\n".to_owned(), &["timeout", "\"10s\""]),
        ("text for a command", format!("secret_command = \"{h}\"\n"), &["secret_command", "array of strings"]),
        ("a list for a secret", format!("secret = [\"{h}\"]\n"), &["secret", "a string"]),
        ("a bare word", format!("secret = {h}\n"), &["config.toml:1:", "not valid TOML"]),
        ("an open string", format!("secret = \"{h}\n"), &["config.toml:1:", "not valid TOML"]),
        ("no equals sign", format!("secret \"{h}\"\n"), &["config.toml:1:", "not valid TOML"]),
        ("twice", format!("secret = \"{h}1\"\nsecret = \"{h}2\"\n"), &["config.toml:2:1", "not valid TOML"]),
        ("a bad escape", format!("secret = \"{h}\\q\"\n"), &["config.toml:1:", "not valid TOML"]),
        (
            "two forms",
            format!("[profiles.ops]\nsecret = \"{h}\"\nsecret_file = \"x\"\n"),
            &["secret", "secret_file", "two forms"],
        ),
        (
            "two forms of a webhook",
            format!("webhook = \"{h}\"\nwebhook_command = [\"{h}\"]\n"),
            &["webhook", "webhook_command", "two forms"],
        ),
        ("a profile that is not in use", format!("[profiles.a]\n[profiles.b]\nx = \"{h}\"\n"), &["config.toml:3:1"]),
        ("base URL", format!("base_url = \"ftp://{h}\"\n"), &["base_url", "config.toml:1:1", "neither http nor https"]),
        ("a proxy", format!("proxy = \"ftp://u:{h}@h:1\"\n"), &["proxy", "config.toml:1:1"]),
    ];
    for (case, config, parts) in cases {
        let env = TestEnv::new();
        let call = |args: &[&str]| {
            let cmd = env.cmd(["app-send", "-u", "zhangsan", "--dry-run", "hi"]).args(args.iter().copied());
            cmd.config(&config).secret(h).run()
        };
        let document = assert_document(&call(&["--output", "json"]), case, 3, &json!({"status": "config"}));
        assert_says(&document, case, "message", parts);
        assert_says(&document, case, "hint", &[]);
        let text = call(&["-vv"]).assert_code(3).stderr;
        assert_eq!(text.lines().count(), 2, "{case}: {text}");
        assert!(text.starts_with("wecom-alert: error[config]: app-send: "), "{case}: {text}");
    }
}

#[cfg(unix)]
#[test]
fn a_file_with_secrets_that_others_can_read_draws_a_warning() {
    use std::os::unix::fs::PermissionsExt;
    let (env, wecom) = (TestEnv::new(), wecom());
    let secret_file = env.file("ops.secret", "test-secret-of-ops\n");
    let without = format!(
        "[profiles.ops]\ncorp_id = \"ww1111111111111111\"\nagent_id = 1000011\nto_user = \"lisi\"\nsecret_file = {:?}\n",
        secret_file.display().to_string()
    );
    let set = |path: &std::path::Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    set(&secret_file, 0o644);
    for (case, config, mode, warns) in [
        ("inline, everybody", CONFIG, 0o644, true),
        ("inline, the group", CONFIG, 0o640, true),
        ("inline, its owner", CONFIG, 0o600, false),
        ("inline, its owner reading", CONFIG, 0o400, false),
        ("a secret file", without.as_str(), 0o644, false),
    ] {
        let cmd = app_send(&env).args(["-P", "ops"]).config(config).base_url(&wecom);
        set(&env.config_file(), mode);
        let document = assert_document(&cmd.run(), case, 0, &json!({"status": "sent"}));
        let told = warnings(&document);
        assert_eq!(told.len(), usize::from(warns), "{case}: {told:?}");
        assert!(told.iter().all(|w| w.contains("chmod 600") && w.contains("config.toml")), "{case}: {told:?}");
        set(&env.config_file(), 0o600);
    }
}

/// As the packages install it: /etc/wecom-alert/config.toml is root's, and members of the group wecom-alert read it.
#[cfg(unix)]
#[test]
fn a_file_that_root_gave_to_a_group_is_meant_for_it() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
    let (env, wecom) = (TestEnv::new(), wecom());
    let told = |mode| {
        let cmd = app_send(&env).args(["-P", "ops"]).config(CONFIG).base_url(&wecom);
        fs::set_permissions(env.config_file(), fs::Permissions::from_mode(mode)).unwrap();
        if fs::metadata(env.config_file()).unwrap().uid() == 0 {
            chown(env.config_file(), None, Some(4242)).unwrap();
        }
        warnings(&assert_document(&cmd.run(), "a group's", 0, &json!({"status": "sent"}))).len()
    };
    assert_eq!(told(0o644), 1, "everybody");
    let is_root = fs::metadata(env.config_file()).unwrap().uid() == 0;
    assert_eq!(told(0o640), usize::from(!is_root), "a user's own file is for nobody else");
}

#[test]
fn a_mark_at_the_start_and_windows_line_ends_are_fine() {
    let (env, wecom) = (TestEnv::new(), wecom());
    let config = format!("\u{feff}{}", CONFIG.replace('\n', "\r\n"));
    let run = app_send(&env).args(["-P", "ops"]).config(&config).base_url(&wecom).run();
    assert_document(&run, "from Windows", 0, &json!({"profile": "ops"}));
}
