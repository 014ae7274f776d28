//! Which config file and which profile count, and why.

use super::*;

fn about(home: &Home, overrides: &Overrides, pairs: &[(&str, &str)]) -> (String, String) {
    let env = home.env(pairs);
    let config = Config::read(overrides, &env, Lenience::Strict).unwrap();
    let (settings, _) = config.resolve().unwrap();
    (config.about_file(), config.about_profile(settings.profile.as_deref()))
}

#[test]
fn about_file_says_why_that_file() {
    let home = Home::empty();
    let system = home.path("etc/config.toml").display().to_string();
    let none = format!("none: there is no {} and no {system}", home.config());
    assert_eq!(about(&home, &Overrides::default(), &[]).0, none);

    let home = Home::with("");
    let found = format!("{}, found in the user's folder", home.config());
    assert_eq!(about(&home, &Overrides::default(), &[]).0, found);
    let path = home.config();
    let named = about(&home, &Overrides::default(), &[("WECOM_ALERT_CONFIG", &path)]);
    assert_eq!(named.0, format!("{path}, which WECOM_ALERT_CONFIG names"));
    let by_option = Overrides::default().set(Setting::Config, RawValue::Path(path.clone().into()));
    assert_eq!(about(&home, &by_option, &[("WECOM_ALERT_CONFIG", "/x")]).0, format!("{path}, which --config names"));

    let home = Home::empty();
    let system = home.write("etc/config.toml", "").display().to_string();
    let found = format!("{system}, the system's, since there is no {}", home.config());
    assert_eq!(about(&home, &Overrides::default(), &[]).0, found);
}

#[test]
fn about_profile_says_why_that_profile() {
    let credentials = [("WECOM_ALERT_WEBHOOK", "test-key-1")];
    let two = "[profiles.ops]\n[profiles.room]\n";
    let with_default = format!("default_profile = \"room\"\n{two}");
    let by_option = Overrides::default().set(Setting::Profile, "ops");
    for (config, overrides, pairs, told) in [
        ("[profiles.ops]\n", &Overrides::default(), &[][..], "ops, the only one in the config file"),
        (&with_default, &Overrides::default(), &[], "room, the default_profile of the config file"),
        (&with_default, &by_option, &[("WECOM_ALERT_PROFILE", "room")], "ops, which --profile names"),
        (two, &Overrides::default(), &[("WECOM_ALERT_PROFILE", "room")], "room, which WECOM_ALERT_PROFILE names"),
        (
            two,
            &Overrides::default(),
            &credentials,
            "none: the environment gives the credentials, and no profile was named",
        ),
        ("", &Overrides::default(), &[], "none: the config file has no profiles"),
    ] {
        assert_eq!(about(&Home::with(config), overrides, pairs).1, told, "{config}");
    }
    let told = "none: all settings come from options and environment";
    assert_eq!(about(&Home::empty(), &Overrides::default(), &[]).1, told);
}

#[test]
fn colours_can_be_refused() {
    let allows = |pairs: &[(&str, &str)]| Environment::from_pairs(pairs.iter().copied()).allows_colours();
    assert!(allows(&[]) && allows(&[("NO_COLOR", ""), ("TERM", "xterm")]));
    assert!(!allows(&[("NO_COLOR", "1")]) && !allows(&[("TERM", "dumb")]));
}
