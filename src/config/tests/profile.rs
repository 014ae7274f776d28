//! The choice of the profile.

use super::*;

const TWO: &str = "[profiles.ops]\ncorp_id = \"ww-ops\"\n[profiles.room]\nwebhook = \"test-room\"\n";

fn named(name: &str) -> Overrides {
    Overrides::default().set(Setting::Profile, name)
}

fn chosen(home: &Home, overrides: &Overrides, pairs: &[(&str, &str)]) -> Option<String> {
    home.settings(overrides, pairs).profile
}

#[test]
fn option_then_variable_then_default_then_the_only_one() {
    let home = Home::with(&format!("default_profile = \"ops\"\n[profiles.third]\n{TWO}"));
    let variable = [("WECOM_ALERT_PROFILE", "room")];
    assert_eq!(chosen(&home, &named("third"), &variable).unwrap(), "third");
    assert_eq!(chosen(&home, &Overrides::default(), &variable).unwrap(), "room");
    assert_eq!(chosen(&home, &Overrides::default(), &[("WECOM_ALERT_PROFILE", "")]).unwrap(), "ops");
    let only = Home::with("[profiles.lone]\ntimeout = \"3s\"");
    assert_eq!(chosen(&only, &Overrides::default(), &[]).unwrap(), "lone");
    assert_eq!(only.settings(&Overrides::default(), &[]).timeout.as_secs(), 3);
    assert_eq!(chosen(&Home::with("timeout = \"3s\""), &Overrides::default(), &[]), None);
}

#[test]
fn several_without_a_default_name_themselves() {
    let (message, hint) = error_of(TWO);
    assert_eq!(message, "FILE has several profiles and no default_profile: ops, room");
    assert!(hint.contains("--profile NAME"), "{hint}");
}

#[test]
fn credentials_in_the_environment_do_without_a_profile() {
    let home = Home::with(TWO);
    let app = [("WECOM_ALERT_CORP_ID", "ww-env"), ("WECOM_ALERT_SECRET", "test-secret")];
    let settings = home.settings(&Overrides::default(), &app);
    assert_eq!((settings.profile, settings.corp_id.unwrap().value), (None, "ww-env".to_owned()));
    assert_eq!(chosen(&home, &Overrides::default(), &[("WECOM_ALERT_WEBHOOK_FILE", "/k")]), None);
    let by_option = Overrides::default().set(Setting::CorpId, "ww-option");
    assert_eq!(chosen(&home, &by_option, &[("WECOM_ALERT_SECRET_FILE", "/s")]), None);
    // Half of an app's credentials is not enough.
    for half in [("WECOM_ALERT_CORP_ID", "ww-env"), ("WECOM_ALERT_SECRET", "test-secret")] {
        assert!(home.error(&Overrides::default(), &[half]).message().contains("several profiles"));
    }
}

#[test]
fn an_unknown_profile_error_has_the_nearest_name_and_all_names() {
    let home = Home::with(TWO);
    let error = home.error(&named("romm"), &[]);
    assert_eq!(error.status(), Status::Config);
    assert_eq!(error.message(), format!("--profile: there is no profile `romm` in {}", home.config()));
    assert_eq!(error.hint(), Some("the nearest is `room`; the file has: ops, room"));

    let error = home.error(&Overrides::default(), &[("WECOM_ALERT_PROFILE", "romm")]);
    assert!(error.message().starts_with("WECOM_ALERT_PROFILE: "), "{error}");

    let (message, hint) = error_of(&format!("\ndefault_profile = \"romm\"\n{TWO}"));
    assert_eq!(message, "default_profile in FILE:2:1: there is no profile of this name");
    assert!(hint.contains("`room`"), "{hint}");

    assert!(Home::with("").error(&named("ops"), &[]).hint().unwrap().contains("no profiles"));
}

#[test]
fn a_profile_needs_a_file() {
    let home = Home::empty();
    let error = home.error(&named("ops"), &[]);
    assert_eq!(error.status(), Status::Config);
    assert!(error.message().contains("--profile") && error.message().contains("no config file"), "{error}");
    assert!(error.hint().unwrap().contains(&home.config()), "{error:?}");
    let error = home.error(&Overrides::default(), &[("WECOM_ALERT_PROFILE", "ops")]);
    assert!(error.message().starts_with("WECOM_ALERT_PROFILE: "), "{error}");
}

#[test]
fn profile_names_have_no_blanks_or_control_characters() {
    assert!(error_of("[profiles.\"a\\nb\"]").0.starts_with("FILE:1:"));
    assert!(error_of("[profiles.\"\"]").0.contains("the profile's name"));
    assert_eq!(settings_of("[profiles.\"运维 一\"]").profile.unwrap(), "运维 一");
}
