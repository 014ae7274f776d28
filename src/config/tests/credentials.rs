//! Where credentials come from, and reading them.

use std::time::Duration;

use super::*;

/// Never reached: no test waits for it.
const LONG: Duration = Duration::from_secs(300);

fn secret_of(home: &Home, pairs: &[(&str, &str)]) -> Result<String> {
    let settings = home.settings(&Overrides::default(), pairs);
    settings.secret.unwrap().load(LONG).map(|secret| secret.expose().to_owned())
}

#[test]
fn two_forms_at_one_level_are_an_error() {
    for (config, one, other) in [
        (
            "[profiles.a]\nsecret = 's3cret'\nsecret_file = '/s3cret'",
            "secret of profile a in FILE:2:1",
            "secret_file of profile a in FILE:3:1",
        ),
        ("secret_file = 'x'\nsecret_command = ['x']", "secret_file in FILE:1:1", "secret_command in FILE:2:1"),
        ("webhook = 's3cret'\nwebhook_command = ['x']", "webhook in FILE:1:1", "webhook_command in FILE:2:1"),
        (
            "callback_aes_key = 'x'\ncallback_aes_key_file = 'x'",
            "callback_aes_key in FILE:1:1",
            "callback_aes_key_file in FILE:2:1",
        ),
        ("proxy_file = 'x'\nproxy = 'none'", "proxy in FILE:2:1", "proxy_file in FILE:1:1"),
    ] {
        assert_eq!(error_of(config).0, format!("{one} and {other} are two forms of one value"));
    }
    for name in ["SECRET", "WEBHOOK"] {
        let (one, other) = (format!("WECOM_ALERT_{name}"), format!("WECOM_ALERT_{name}_FILE"));
        let error = Home::empty().error(&Overrides::default(), &[(&one, "s3cret"), (&other, "/x")]);
        assert_eq!(error.message(), format!("{one} and {other} are two forms of one value"));
    }
}

/// An alert needs no callback: what is wrong with one does not hold it back.
#[test]
fn what_is_wrong_with_a_callback_stops_no_alert() {
    let config =
        "callback_listen = 'here'\ncallback_url = 'x'\n[profiles.a]\ncallback_token = 't'\ncallback_token_file = 'f'";
    let home = Home::with(config);
    let env = home.env(&[("WECOM_ALERT_CALLBACK_AES_KEY_FILE", "https://a.example/key")]);
    let config = Config::read(&Overrides::default(), &env, Lenience::Send).unwrap();
    let (settings, warnings) = config.resolve().unwrap();
    assert!(settings.callback.token.is_none() && settings.callback.aes_key.is_none());
    assert!(settings.callback_listen.is_none() && settings.callback_url.is_none());
    assert_eq!(warnings.len(), 4, "{warnings:?}");
    for config in ["callback_listen = '8680'", "callback_listen = 'localhost:8680'", "callback_url = 'a.example'"] {
        assert_eq!(Home::with(config).error(&Overrides::default(), &[]).status(), Status::Config, "{config}");
    }
    let settings = settings_of("callback_listen = '0.0.0.0:1'\ncallback_url = 'https://a.example/wecom/?app=1'");
    assert_eq!(settings.callback_listen.unwrap().value.to_string(), "0.0.0.0:1");
    assert_eq!(settings.callback_url.unwrap(), "https://a.example/wecom/?app=1");
}

#[test]
fn any_form_replaces_all_forms_of_lower_levels() {
    let home = Home::with("secret_command = ['false']\n[profiles.a]\nsecret_file = '/nonexistent'");
    assert_eq!(secret_of(&home, &[("WECOM_ALERT_SECRET", " test-secret ")]).unwrap(), "test-secret");
}

#[test]
fn files_are_read_late_and_trimmed() {
    let home = Home::with("[profiles.a]\nsecret_file = 'a.secret'");
    let source = home.settings(&Overrides::default(), &[]).secret.unwrap();
    let error = source.load(LONG).unwrap_err();
    assert_eq!(error.status(), Status::Config);
    assert!(error.message().contains("secret_file of profile a in ") && error.message().contains("cannot be read"));
    home.write(".config/wecom-alert/a.secret", "\u{feff} test-secret\r\n\n");
    assert_eq!(source.load(LONG).unwrap().expose(), "test-secret");
    let from_home = secret_of(&home, &[("WECOM_ALERT_SECRET_FILE", "~/.config/wecom-alert/a.secret")]);
    assert_eq!(from_home.unwrap(), "test-secret");
}

#[test]
fn a_file_that_holds_no_credential_is_an_error() {
    let large = "x".repeat(64 * 1024 + 1);
    for (bytes, part) in [
        (&b" \n"[..], "gives nothing"),
        (b"s3cret\nuser: s3cret", "more than one line"),
        (b"s3cret \xff", "UTF-8"),
        (b"$s3cret", "not expanded"),
        (large.as_bytes(), "64 KiB"),
    ] {
        let home = Home::empty();
        let path = home.write("x.secret", bytes);
        let error = secret_of(&home, &[("WECOM_ALERT_SECRET_FILE", path.to_str().unwrap())]).unwrap_err();
        assert!(error.message().contains(part) && error.message().contains("x.secret"), "{error}");
        assert!(!format!("{error:?}").contains("s3cret"), "{error:?}");
    }
}

#[test]
fn a_credential_in_place_of_a_path_is_not_shown() {
    let home = Home::empty();
    let error = secret_of(&home, &[("WECOM_ALERT_SECRET_FILE", "s3cret")]).unwrap_err();
    assert!(error.message().starts_with("the file of WECOM_ALERT_SECRET_FILE: it cannot be read"), "{error}");
    assert!(!format!("{error:?}").contains("s3cret"), "{error:?}");
    let long = format!("{}.key", "s3cret".repeat(6));
    let error = secret_of(&home, &[("WECOM_ALERT_SECRET_FILE", &long)]).unwrap_err();
    assert!(!format!("{error:?}").contains("s3cret"), "{error:?}");
    let url = "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=s3cret";
    let error = home.error(&Overrides::default(), &[("WECOM_ALERT_WEBHOOK_FILE", url)]);
    assert!(error.message().contains("this is a URL") && !format!("{error:?}").contains("s3cret"), "{error:?}");
}

#[test]
fn systemd_credentials() {
    let home = Home::with("webhook_file = 'credential:room'");
    home.write("creds/room", "test-key\n");
    let creds = home.path("creds");
    let pairs = [("CREDENTIALS_DIRECTORY", creds.to_str().unwrap())];
    let webhook = home.settings(&Overrides::default(), &pairs).webhook.unwrap();
    assert_eq!(webhook.load(LONG).unwrap().expose(), "test-key");
    assert_eq!(webhook.origin(), format!("systemd credential room (webhook_file in {})", home.config()));

    let error = home.settings(&Overrides::default(), &[]).webhook.unwrap().load(LONG).unwrap_err();
    assert!(error.message().contains("CREDENTIALS_DIRECTORY is not set"), "{error}");
    assert!(error.hint().unwrap().contains("LoadCredential="));

    home.write("creds/app", "test-secret");
    let secret = secret_of(&home, &[pairs[0], ("WECOM_ALERT_SECRET_FILE", "credential:app")]);
    assert_eq!(secret.unwrap(), "test-secret");
    for name in ["", "a/b", "..", "../x"] {
        let value = format!("credential:{name}");
        let error = home.error(&Overrides::default(), &[pairs[0], ("WECOM_ALERT_SECRET_FILE", &value)]);
        assert!(error.message().contains("the credential's name"), "{name}: {error}");
    }
}

#[cfg(unix)]
mod commands {
    use super::*;

    fn run(argv: &str, limit: Duration) -> Result<String> {
        let home = Home::with(&format!("[profiles.a]\nsecret_command = {argv}"));
        let source = home.settings(&Overrides::default(), &[]).secret.unwrap();
        source.load(limit).map(|secret| secret.expose().to_owned())
    }

    #[test]
    fn no_shell_no_input_output_trimmed() {
        assert_eq!(
            run("['printf', ' %s\\n\\n', '$HOME;x']", LONG).unwrap_err().message().matches("not expanded").count(),
            1
        );
        assert_eq!(run(r#"["printf", " %s\n\n", "a;$HOME"]"#, LONG).unwrap(), "a;$HOME");
        assert_eq!(run("['sh', '-c', 'cat; echo test-secret']", LONG).unwrap(), "test-secret");
    }

    #[test]
    fn a_path_counts_from_the_files_folder() {
        let home = Home::with("secret_command = ['bin/sh', '-c', 'echo test-secret']");
        let script = home.path(".config/wecom-alert/bin/sh");
        std::fs::create_dir_all(script.parent().unwrap()).unwrap();
        // A link, since a file just written may still be open in a process that another test starts.
        std::os::unix::fs::symlink("/bin/sh", &script).unwrap();
        let source = home.settings(&Overrides::default(), &[]).secret.unwrap();
        assert!(source.origin().starts_with(&format!("command {} (secret_command in ", script.display())));
        assert_eq!(source.load(LONG).unwrap().expose(), "test-secret");
    }

    #[test]
    fn failures_name_the_program_and_show_no_output() {
        for (argv, part) in [
            ("['sh', '-c', 'echo s3cret; echo s3cret >&2; exit 7']", "command sh (secret_command of profile a in "),
            ("['sh', '-c', 'echo s3cret; exit 7']", "exit code 7"),
            ("['sh', '-c', 'echo s3cret; kill -9 $$']", "signal"),
            ("['sh', '-c', 'echo s3cret >&2']", "gives nothing"),
            ("['sh', '-c', 'echo s3cret; echo s3cret']", "more than one line"),
            ("['/nonexistent/program', 's3cret']", "cannot be started"),
            ("['sh', '-c', 'yes s3cret']", "64 KiB"),
        ] {
            let error = run(argv, LONG).unwrap_err();
            assert_eq!(error.status(), Status::Config);
            assert!(error.message().contains(part), "{argv}: {error}");
            assert!(!format!("{error:?}").contains("s3cret"), "{error:?}");
        }
    }

    #[test]
    fn a_command_that_does_not_end_is_stopped() {
        // Both would outlive the test by far: output left open, and output closed.
        for argv in ["['sleep', '3000']", "['sh', '-c', 'echo s3cret; exec sleep 3000 >&-']"] {
            let error = run(argv, Duration::from_millis(50)).unwrap_err();
            assert!(error.message().contains("had not ended after 50ms"), "{error}");
        }
    }
}

#[test]
fn debug_shows_only_origins() {
    let home = Home::with("secret = 's3cret'\nwebhook_command = ['vault', 's3cret']\nproxy = 'http://u:s3cret@p'");
    let settings = home.settings(&Overrides::default(), &[]);
    let shown = format!("{settings:?}");
    assert!(!shown.contains("s3cret") && shown.contains("SecretSource(secret in "), "{shown}");
}
