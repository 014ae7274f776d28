//! `report_settings`: what is read of settings that cannot be used.

use super::*;
use crate::config::{Language, Output, ReportSettings, report_settings};

/// Names and values.
type Variables<'a> = &'a [(&'a str, &'a str)];

/// Broken in every way but its syntax.
const BROKEN: &str = "output = 'json'\ntimeuot = 1\ntimeout = true\nsecret = 'x'\nsecret_file = 'y'\n";

fn told(output: Output, profile: Option<&str>) -> ReportSettings {
    let profile = profile.map(str::to_owned);
    ReportSettings { output, profile, ..ReportSettings::default() }
}

#[test]
fn mistakes_in_settings_are_ignored() {
    let bad_variables = [("WECOM_ALERT_NO_CACHE", "perhaps"), ("WECOM_ALERT_SECRET", "a"), ("WECOM_ALERT_RATE", "$R")];
    let cases = [
        (BROKEN.to_owned(), Output::Json),
        (format!("\u{feff}{BROKEN}"), Output::Json),
        (format!("{BROKEN}[profiles.a]\nx = 1\n"), Output::Json),
        (format!("{BROKEN}[profiles.a]\noutput = 'text'\n"), Output::Text),
        (format!("{BROKEN}[profiles.a]\n[profiles.b]\noutput = 'text'\n"), Output::Json),
        (format!("default_profile = ' b '\n{BROKEN}[profiles.a]\n[profiles.b]\noutput = 'text'\n"), Output::Text),
        (format!("default_profile = 'c'\n{BROKEN}[profiles.a]\noutput = 'text'\n"), Output::Json),
        (format!("default_profile = 5\n{BROKEN}[profiles.a]\noutput = 'text'\n"), Output::Json),
        (format!("{BROKEN}profiles = 5\n"), Output::Json),
        (format!("{BROKEN}profiles.a = 5\n"), Output::Json),
        (format!("{BROKEN}this is no TOML"), Output::Text),
        ("output = 'yaml'\n".to_owned(), Output::Text),
        ("output = ['json']\n".to_owned(), Output::Text),
        ("output = 'json'\n[profiles.a]\noutput = 'yaml'\n".to_owned(), Output::Text),
    ];
    for (config, wanted) in cases {
        let home = Home::with(&config);
        assert_eq!(report_settings(&Overrides::default(), &home.env(&bad_variables)), told(wanted, None), "{config}");
    }
}

#[test]
fn it_reads_the_same_file_as_the_settings() {
    let home = Home::with("[profiles.a]\noutput = 'json'\n[profiles.b]\n");
    let other = home.write("other.toml", "output = 'json'\nx = 1\n");
    let other = other.to_str().unwrap();
    let option = |profile: Option<&str>, output: Option<&str>| {
        let given = [(Setting::Profile, profile), (Setting::Output, output)];
        let given = given.into_iter().filter_map(|(setting, value)| Some((setting, value?)));
        given.fold(Overrides::default(), |overrides, (setting, value)| overrides.set(setting, value))
    };
    let profile_a = [("WECOM_ALERT_PROFILE", "a")];
    let cases: [(Overrides, Variables<'_>, ReportSettings); 10] = [
        (option(None, None), &[], told(Output::Text, None)),
        (option(Some("a"), None), &[], told(Output::Json, Some("a"))),
        (option(None, None), &profile_a, told(Output::Json, Some("a"))),
        (option(Some("b"), None), &profile_a, told(Output::Text, Some("b"))),
        (option(Some("missing"), None), &[], told(Output::Text, Some("missing"))),
        (option(Some("$NAME"), None), &[], told(Output::Text, None)),
        (option(Some("b"), Some("json")), &[], told(Output::Json, Some("b"))),
        (option(Some("a"), Some("text")), &[], told(Output::Text, Some("a"))),
        (option(None, None), &[("WECOM_ALERT_CONFIG", other)], told(Output::Json, None)),
        (option(None, None).set(Setting::Config, RawValue::Path(other.into())), &[], told(Output::Json, None)),
    ];
    for (index, (overrides, variables, wanted)) in cases.into_iter().enumerate() {
        assert_eq!(report_settings(&overrides, &home.env(variables)), wanted, "case {index}");
    }
    // No file at all, and what is none.
    let home = Home::empty();
    assert_eq!(report_settings(&option(None, None), &home.env(&[])), told(Output::Text, None));
    let folder = home.path("");
    let overrides = option(None, None).set(Setting::Config, RawValue::Path(folder));
    assert_eq!(report_settings(&overrides, &home.env(&[])), told(Output::Text, None));
}

#[test]
fn the_log_file_is_known_despite_broken_settings() {
    let home = Home::with(&format!("log_file = 'top'\n{BROKEN}[profiles.a]\nlog_file = '~/of-a'\n[profiles.b]\n"));
    let option = |path: &str| Overrides::default().set(Setting::LogFile, RawValue::Path(path.into()));
    let variable = [("WECOM_ALERT_LOG_FILE", "/variable")];
    let profile_a = [("WECOM_ALERT_PROFILE", "a")];
    let cases: [(Overrides, Variables<'_>, PathBuf); 5] = [
        (option("~/option"), &variable, home.path("option")),
        (option("here"), &profile_a, PathBuf::from("here")),
        (Overrides::default(), &variable, PathBuf::from("/variable")),
        (Overrides::default(), &profile_a, home.path("of-a")),
        // A relative path counts from the file's folder.
        (Overrides::default(), &[], home.path(".config/wecom-alert/top")),
    ];
    for (index, (overrides, variables, wanted)) in cases.into_iter().enumerate() {
        let seen = report_settings(&overrides, &home.env(variables));
        assert_eq!(seen.log_file, Some(wanted), "case {index}");
    }
    for config in ["", "log_file = 5", "log_file = ' '", "log_file = '$LOG'", "log_file = 'x'\nno TOML"] {
        assert_eq!(report_settings(&Overrides::default(), &Home::with(config).env(&[])).log_file, None, "{config}");
    }
}

#[test]
fn the_language_is_that_of_the_setting_else_of_the_locale() {
    let home = Home::with(&format!("language = 'zh'\n{BROKEN}"));
    let option = |name: &str| Overrides::default().set(Setting::Language, name);
    let none = Overrides::default;
    let variable = [("WECOM_ALERT_LANGUAGE", "en")];
    assert_eq!(report_settings(&none(), &home.env(&[])).language, Language::Chinese);
    assert_eq!(report_settings(&none(), &home.env(&variable)).language, Language::English);
    assert_eq!(report_settings(&option("zh"), &home.env(&variable)).language, Language::Chinese);
    let cases: [(Overrides, Variables<'_>, Language); 9] = [
        (none(), &[], Language::English),
        (none(), &[("LANG", "zh_CN.UTF-8")], Language::Chinese),
        (none(), &[("LANG", "en_US.UTF-8"), ("LC_MESSAGES", "zh_TW")], Language::Chinese),
        (none(), &[("LANG", "zh_CN.UTF-8"), ("LC_MESSAGES", ""), ("LC_ALL", "C")], Language::English),
        (none(), &[("LANG", "zh_CN.UTF-8"), ("LC_MESSAGES", ""), ("LC_ALL", "")], Language::Chinese),
        (none(), &[("LANG", "zh_CN.UTF-8"), ("WECOM_ALERT_LANGUAGE", "en")], Language::English),
        (option("auto"), &[("LANG", "zh_CN.UTF-8"), ("WECOM_ALERT_LANGUAGE", "en")], Language::Chinese),
        (option("fr"), &[("LANG", "zh_CN.UTF-8")], Language::Chinese),
        (option("en"), &[("LANG", "zh_CN.UTF-8")], Language::English),
    ];
    for (index, (overrides, variables, wanted)) in cases.into_iter().enumerate() {
        let home = Home::empty();
        assert_eq!(report_settings(&overrides, &home.env(variables)).language, wanted, "case {index}");
        // A command that works has the same one, and refuses what is none.
        if overrides.text(Setting::Language) != Some("fr") {
            assert_eq!(home.settings(&overrides, variables).language, wanted, "case {index}");
        }
    }
    let error = Home::empty().error(&option("fr"), &[]);
    assert_eq!(
        (error.status(), error.message()),
        (Status::Usage, "--language: there is no such language (given: `fr`)")
    );
}
