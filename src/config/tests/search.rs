//! The search for the config file.

use super::*;

fn base_url(home: &Home, overrides: &Overrides, pairs: &[(&str, &str)]) -> Option<String> {
    home.settings(overrides, pairs).base_url.map(|url| url.to_string())
}

#[test]
fn the_first_found_counts_and_nothing_is_merged() {
    let home = Home::empty();
    let none = Overrides::default();
    assert_eq!(home.settings(&none, &[]).config_file, None);

    home.write("etc/config.toml", "base_url = \"https://etc.example\"\ntimeout = \"3s\"");
    assert_eq!(base_url(&home, &none, &[]).unwrap(), "https://etc.example");

    home.write(".config/wecom-alert/config.toml", "base_url = \"https://home.example\"");
    let settings = home.settings(&none, &[]);
    assert_eq!(settings.base_url.unwrap().as_str(), "https://home.example");
    assert_eq!(settings.timeout.as_secs(), 10);
    assert_eq!(settings.config_file.unwrap().display().to_string(), home.config());

    let xdg = home.write("xdg/wecom-alert/config.toml", "base_url = \"https://xdg.example\"");
    let xdg = xdg.parent().unwrap().parent().unwrap().to_str().unwrap();
    assert_eq!(base_url(&home, &none, &[("XDG_CONFIG_HOME", xdg)]).unwrap(), "https://xdg.example");
    // Empty is unset, and a relative folder is to be ignored.
    assert_eq!(base_url(&home, &none, &[("XDG_CONFIG_HOME", "")]).unwrap(), "https://home.example");
    assert_eq!(base_url(&home, &none, &[("XDG_CONFIG_HOME", "xdg")]).unwrap(), "https://home.example");
}

#[test]
fn only_a_named_file_counts() {
    let home = Home::with("base_url = \"https://home.example\"");
    let one = home.write("one.toml", "base_url = \"https://one.example\"");
    home.write("two.toml", "base_url = \"https://two.example\"");
    let by_option = Overrides::default().set(Setting::Config, RawValue::Path(one));
    let by_variable = [("WECOM_ALERT_CONFIG", "~/two.toml")];
    assert_eq!(base_url(&home, &by_option, &by_variable).unwrap(), "https://one.example");
    assert_eq!(base_url(&home, &Overrides::default(), &by_variable).unwrap(), "https://two.example");
    assert_eq!(base_url(&home, &Overrides::default(), &[("WECOM_ALERT_CONFIG", "")]).unwrap(), "https://home.example");
}

#[test]
fn a_named_file_that_is_missing_is_an_error() {
    let home = Home::with("");
    let missing = Overrides::default().set(Setting::Config, RawValue::Path(home.path("none.toml")));
    let error = home.error(&missing, &[]);
    assert_eq!(error.status(), Status::Config);
    assert!(error.message().starts_with("--config: ") && error.message().contains("none.toml"), "{error}");

    let error = home.error(&Overrides::default(), &[("WECOM_ALERT_CONFIG", "~/none.toml")]);
    assert_eq!(error.status(), Status::Config);
    assert!(error.message().starts_with("WECOM_ALERT_CONFIG: "), "{error}");

    let error = home.error(&Overrides::default(), &[("WECOM_ALERT_CONFIG", "$HOME/none.toml")]);
    assert!(error.message().contains("$HOME was not expanded"), "{error}");
}

#[test]
fn a_file_that_is_found_but_unreadable_is_an_error() {
    let home = Home::empty();
    home.write("etc/config.toml", "");
    std::fs::create_dir_all(home.path(".config/wecom-alert/config.toml")).unwrap();
    let error = home.error(&Overrides::default(), &[]);
    assert_eq!(error.status(), Status::Config);
    assert!(error.message().contains(&home.config()) && error.message().contains("cannot be read"), "{error}");
}

#[cfg(unix)]
#[test]
fn a_dangling_symlink_is_an_error() {
    let home = Home::empty();
    std::fs::create_dir_all(home.path(".config/wecom-alert")).unwrap();
    std::os::unix::fs::symlink("/nonexistent/config.toml", home.config()).unwrap();
    assert!(home.error(&Overrides::default(), &[]).message().contains("cannot be read"));
}

#[test]
fn a_file_in_place_of_a_folder_hides_nothing() {
    let home = Home::empty();
    home.write(".config", "not a folder");
    assert_eq!(home.settings(&Overrides::default(), &[]).config_file, None);
}

#[test]
fn a_huge_file_is_refused() {
    let home = Home::with(&"#".repeat(1024 * 1024 + 1));
    assert!(home.error(&Overrides::default(), &[]).message().contains("larger than"));
}

#[cfg(unix)]
#[test]
fn credentials_that_others_can_read_draw_a_warning() {
    let warnings = |config: &str, mode| {
        let home = Home::with(config);
        set_mode(Path::new(&home.config()), mode);
        let (_, warnings) = home.resolve(&Overrides::default(), &[]).unwrap();
        warnings.iter().map(|warning| warning.replace(&home.config(), "FILE")).collect::<Vec<_>>()
    };
    for config in [
        "[profiles.a]\nsecret = \"test-secret\"",
        "webhook = \"test-key\"",
        "proxy = \"http://u:test-secret@proxy.example\"",
    ] {
        for mode in [0o644, 0o640, 0o604] {
            let expected = format!(
                "config file FILE holds credentials and can be read by others (mode {mode:04o}): run `chmod 600 FILE`"
            );
            assert_eq!(warnings(config, mode), [expected], "{config}");
        }
        assert!(warnings(config, 0o600).is_empty());
    }
    // A secret file's own mode is its owner's business, and so is the way to it.
    for config in [
        "secret_file = \"ops.secret\"",
        "secret_command = [\"pass\"]",
        "proxy = \"http://proxy.example\"",
        "timeout = \"1s\"",
    ] {
        assert!(warnings(config, 0o644).is_empty(), "{config}");
    }
}
