//! The settings of delivery: every level of each, its default, and what is refused.

use std::time::Duration;

use super::*;
use crate::channel::Channel;
use crate::config::{Keep, OnLong, OnRateLimit, TargetName};

fn text(text: &str) -> Option<String> {
    Some(text.to_owned())
}

/// The value of one setting as text.
type Shown = fn(&Settings) -> String;

/// A key, the option's setter, its variable, and how the setting is shown.
struct Case {
    key: &'static str,
    option: fn(Overrides) -> Overrides,
    variable: Option<(&'static str, &'static str)>,
    /// As TOML, in the profile and at the top level.
    in_file: [&'static str; 2],
    shown: Shown,
    /// By option, variable, profile, top level, default.
    wanted: [&'static str; 5],
}

fn cases() -> Vec<Case> {
    vec![
        Case {
            key: "retries",
            option: |o| o.set(Setting::Retries, "1"),
            variable: Some(("WECOM_ALERT_RETRIES", "2")),
            in_file: ["100", "'0'"],
            shown: |s| s.retries.to_string(),
            wanted: ["1", "2", "100", "0", "3"],
        },
        Case {
            key: "on_long",
            option: |o| o.set(Setting::OnLong, "split"),
            variable: None,
            in_file: ["'truncate'", "'file'"],
            shown: |s| format!("{:?}", s.on_long),
            wanted: ["Split", "", "Truncate", "File", "Auto"],
        },
        Case {
            key: "keep",
            option: |o| o.set(Setting::Keep, "head"),
            variable: None,
            in_file: ["'tail'", "'both'"],
            shown: |s| format!("{:?}", s.keep),
            wanted: ["Head", "", "Tail", "Both", "Both"],
        },
        Case {
            key: "on_rate_limit",
            option: |o| o.set(Setting::OnRateLimit, "fail"),
            variable: None,
            in_file: ["'wait'", "'fail'"],
            shown: |s| format!("{:?}", s.on_rate_limit),
            wanted: ["Fail", "", "Wait", "Fail", "Wait"],
        },
        Case {
            key: "jitter",
            option: |o| o.set(Setting::Jitter, "1s"),
            variable: Some(("WECOM_ALERT_JITTER", "2s")),
            in_file: ["'3s'", "'24h'"],
            shown: |s| format!("{:?}", s.jitter.map(|jitter| jitter.as_secs())),
            wanted: ["Some(1)", "Some(2)", "Some(3)", "Some(86400)", "None"],
        },
        Case {
            key: "outbox_max_age",
            option: |o| o.set(Setting::OutboxMaxAge, "720h"),
            variable: Some(("WECOM_ALERT_OUTBOX_MAX_AGE", "48h")),
            in_file: ["'1h'", "'2h'"],
            shown: |s| (s.outbox_max_age.as_secs() / 3600).to_string(),
            wanted: ["720", "48", "1", "2", "24"],
        },
        Case {
            key: "cooldown",
            option: |o| o.set(Setting::Cooldown, "1s"),
            variable: None,
            in_file: ["'2s'", "'3s'"],
            shown: |s| format!("{:?}", s.cooldown.map(|cooldown| cooldown.as_secs())),
            wanted: ["Some(1)", "", "Some(2)", "Some(3)", "None"],
        },
        Case {
            key: "also",
            option: |o| o.set(Setting::Also, RawValue::List(vec!["a".to_owned(), "b:app".to_owned()])),
            variable: None,
            in_file: ["['c:webhook', ' d ']", "'e'"],
            shown: |s| s.also.iter().map(TargetName::to_string).collect::<Vec<_>>().join(" "),
            wanted: ["a b:app", "", "c:webhook d", "e", ""],
        },
        Case {
            key: "fallback",
            option: |o| o.set(Setting::Fallback, "a:app"),
            variable: None,
            in_file: ["'b:x'", "'c'"],
            shown: |s| format!("{:?}", s.fallback.as_ref().map(|target| (target.profile.as_str(), target.channel))),
            wanted: [r#"Some(("a", Some(App)))"#, "", r#"Some(("b:x", None))"#, r#"Some(("c", None))"#, "None"],
        },
        Case {
            key: "at_most_once",
            option: |o| o.set(Setting::AtMostOnce, RawValue::Flag(true)),
            variable: None,
            in_file: ["false", "true"],
            shown: |s| s.at_most_once.to_string(),
            wanted: ["true", "", "false", "true", "false"],
        },
        Case {
            key: "outbox",
            option: |o| o.set(Setting::Outbox, RawValue::Flag(true)),
            variable: Some(("WECOM_ALERT_OUTBOX", "off")),
            in_file: ["true", "true"],
            shown: |s| s.outbox.to_string(),
            wanted: ["true", "false", "true", "true", "false"],
        },
        Case {
            key: "log_file",
            option: |o| o.set(Setting::LogFile, RawValue::Path(PathBuf::from("/a"))),
            variable: Some(("WECOM_ALERT_LOG_FILE", "/b")),
            in_file: ["'/c'", "'/d'"],
            shown: |s| s.log_file.as_ref().map_or_else(String::new, |path| path.display().to_string()),
            wanted: ["/a", "/b", "/c", "/d", ""],
        },
    ]
}

#[test]
fn each_level_gives_way_to_the_one_above() {
    for case in cases() {
        for (level, wanted) in case.wanted.into_iter().enumerate() {
            let variable = case.variable.filter(|_| level <= 1);
            if level == 1 && variable.is_none() {
                continue;
            }
            let line = |here: bool, value: &str| if here { format!("{} = {value}\n", case.key) } else { String::new() };
            let [profile, top] = case.in_file;
            let home = Home::with(&format!("{}[profiles.only]\n{}", line(level <= 3, top), line(level <= 2, profile)));
            let mut overrides = Overrides::default();
            if level == 0 {
                overrides = (case.option)(overrides);
            }
            let settings = home.settings(&overrides, variable.as_slice());
            assert_eq!((case.shown)(&settings), wanted, "{} at level {level}", case.key);
        }
    }
}

#[test]
fn every_choice_has_its_name() {
    let on_long = |name: &str| settings_of(&format!("on_long = '{name}'")).on_long;
    assert_eq!(
        ["auto", "split", "truncate", "file", "fail"].map(on_long),
        [OnLong::Auto, OnLong::Split, OnLong::Truncate, OnLong::File, OnLong::Fail]
    );
    let keep = |name: &str| settings_of(&format!("keep = '{name}'")).keep;
    assert_eq!(["head", "tail", "both"].map(keep), [Keep::Head, Keep::Tail, Keep::Both]);
    let on_rate_limit = |name: &str| settings_of(&format!("outbox = true\non_rate_limit = '{name}'")).on_rate_limit;
    assert_eq!(
        ["wait", "fail", "outbox"].map(on_rate_limit),
        [OnRateLimit::Wait, OnRateLimit::Fail, OnRateLimit::Outbox]
    );
    let also = settings_of("also = 'room:webhook'").also;
    assert_eq!(also, [TargetName { profile: "room".to_owned(), channel: Some(Channel::Webhook) }]);
}

#[test]
fn what_is_refused_in_a_file() {
    for (config, message) in [
        ("retries = -1", "retries is not a whole number from 0 to 100"),
        ("retries = 101", "retries is not a whole number from 0 to 100"),
        ("retries = 's3cret'", "retries is not a whole number from 0 to 100"),
        ("on_long = 'Auto'", "it is not auto, split, truncate, file or fail"),
        ("keep = 'middle'", "it is not head, tail or both"),
        ("on_rate_limit = 'queue'", "it is not wait, fail or outbox"),
        ("jitter = '25h'", "the duration is longer than 24 hours"),
        ("jitter = '0s'", "the duration must be more than zero"),
        ("cooldown = '25h'", "the duration is longer than 24 hours"),
        ("outbox_max_age = '721h'", "the duration is longer than 720 hours"),
        ("outbox_max_age = '31d'", "the duration is longer than 720 hours"),
        ("also = ['a', ':app']", "the profile's name is missing"),
        ("also = ['$TEAM']", "the value starts with `$`: the variable $TEAM was not expanded"),
        ("also = \"a\\u001bb\"", "the profile's name holds a control character"),
        ("fallback = ':webhook'", "the profile's name is missing"),
        ("fallback = ' '", "the value is empty"),
        ("log_file = ''", "the value is empty"),
        ("log_file = '$LOG/x'", "the value starts with `$`: the variable $LOG was not expanded"),
        ("cooldown_key = ' '\ncooldown = '1m'", "the value is empty"),
        ("cooldown_key = 'x'", "it needs `cooldown`, which is not set"),
        ("on_rate_limit = 'outbox'", "this needs the outbox itself, which is off"),
        ("on_rate_limit = 'outbox'\noutbox = false", "this needs the outbox itself, which is off"),
    ] {
        let key = config.split(" = ").next().unwrap();
        assert_eq!(error_of(config).0, format!("{key} in FILE:1:1: {message}"));
    }
    for (config, expected) in [
        ("outbox = 'yes'", "`outbox` must be true or false"),
        ("at_most_once = 1", "`at_most_once` must be true or false"),
        ("retries = 1.5", "`retries` must be a whole number"),
        ("fallback = ['a']", "`fallback` must be a string"),
        ("also = [1]", "`also` must be a string that is not empty, or an array of such"),
        ("jitter = 10", "`jitter` must be a duration in quotes, such as \"10s\""),
    ] {
        assert_eq!(error_of(config).0, format!("FILE:1:1: {expected}"));
    }
}

#[test]
fn a_malformed_option_is_usage_and_names_itself() {
    let none = Overrides::default;
    let cases = [
        (none().set(Setting::Retries, "many"), "--retries: retries is not a whole number from 0 to 100"),
        (none().set(Setting::Retries, "101"), "--retries: retries is not a whole number from 0 to 100"),
        (none().set(Setting::OnLong, "cut"), "--on-long: it is not auto, split"),
        (none().set(Setting::Jitter, "5"), "--jitter: the duration has no unit"),
        (none().set(Setting::OutboxMaxAge, "721h"), "--outbox-max-age: the duration is longer than 720 h"),
        (none().set(Setting::Cooldown, "soon"), "--cooldown: a duration is expected"),
        (none().set(Setting::Fallback, ":app"), "--fallback: the profile's name is missing"),
        (none().set(Setting::CooldownKey, "x"), "--cooldown-key: it needs `cooldown`, which is not set"),
        (none().set(Setting::OnRateLimit, "outbox"), "--on-rate-limit: this needs the outbox itself, which is off"),
    ];
    for (overrides, message) in cases {
        let error = Home::empty().error(&overrides, &[]);
        assert_eq!(error.status(), Status::Usage, "{error}");
        assert!(error.message().starts_with(message), "{error}");
        assert!(!error.hint().unwrap().is_empty(), "{error}");
    }
    let error = Home::empty().error(&none(), &[("WECOM_ALERT_RETRIES", "s3cret")]);
    assert_eq!(error.status(), Status::Config);
    assert_eq!(error.message(), "WECOM_ALERT_RETRIES: retries is not a whole number from 0 to 100");
}

/// An option that is empty counts as not given, as an empty variable does. Where nothing is sent, those that decide something
/// are refused; where an alert is sent, that is told.
#[test]
fn an_empty_option_counts_as_not_given() {
    let overrides = Setting::ALL.iter().filter(|setting| setting.row().mistake != Mistake::Stops);
    let overrides = overrides.fold(Overrides::default(), |overrides, setting| match setting.row().kind {
        ValueKind::Flag | ValueKind::Count | ValueKind::Program => overrides,
        ValueKind::Path => overrides.set(*setting, RawValue::Path(PathBuf::new())),
        ValueKind::List | ValueKind::NumberList => {
            overrides.set(*setting, RawValue::List(vec![" ".into(), ",".into()]))
        }
        _ if *setting == Setting::Msgtype => overrides,
        _ => overrides.set(*setting, ""),
    });
    let home = Home::empty();
    let (given, warnings) = home.resolve(&overrides, &[]).unwrap();
    let missed = ["--also", "--fallback"].map(|option| format!("{option} is empty: ignored"));
    assert_eq!(warnings, missed);
    let none = home.settings(&Overrides::default(), &[]);
    assert_eq!(given.options, [Setting::Prefix].into());
    let names = ["--title", "--url", "--mention", "--timeout"];
    assert!(names.iter().all(|name| given.empty_options.iter().any(|empty| empty == name)), "{given:?}");
    let given = Settings { options: none.options.clone(), empty_options: Vec::new(), ..given };
    assert_eq!(format!("{given:?}"), format!("{none:?}"));
    for (setting, decides_whom) in [
        (Setting::Profile, true),
        (Setting::BaseUrl, true),
        (Setting::CorpId, true),
        (Setting::AgentId, true),
        (Setting::Safe, true),
        (Setting::Msgtype, false),
        (Setting::Proxy, false),
        (Setting::CaFile, false),
    ] {
        let empty = Overrides::default().set(setting, "");
        let env = home.env(&[]);
        let read = |lenience| Config::read(&empty, &env, lenience)?.resolve();
        let strict = read(Lenience::Strict).unwrap_err();
        assert_eq!(strict.status(), Status::Usage, "{strict}");
        let said = [format!("{} is empty: ignored", setting.row().option)];
        assert_eq!(read(Lenience::Run).unwrap().1, said);
        match read(Lenience::Send) {
            Ok((_, warnings)) => assert!(!decides_whom && warnings == said, "{warnings:?}"),
            Err(error) => assert!(decides_whom && error.status() == Status::Usage, "{error}"),
        }
    }
    // Empty recipients are none that somebody meant; after a command has failed, those of the settings are better than none.
    let empty = Overrides::default().set(Setting::ToUser, "");
    let env = home.env(&[("WECOM_ALERT_TO_USER", "lisi")]);
    let to_user = |lenience| {
        let config = Config::read(&empty, &env, lenience).unwrap();
        config.resolve().unwrap().0.to.unwrap().to_user
    };
    assert_eq!([Lenience::Send, Lenience::Run].map(to_user), [[""], ["lisi"]]);
}

/// A wrong value in file or variable costs no alert, unless it decides whom it reaches.
#[test]
fn where_an_alert_is_sent_the_default_counts_for_a_wrong_value() {
    let wrong = "timeout = 5\nretries = '500'\nrate = 'fast'\noutbox = 'yes'\nmention = 7\nalso = ['room', ':app']";
    let home = Home::with(wrong);
    let variables = [("WECOM_ALERT_DEADLINE", "90"), ("WECOM_ALERT_NO_CACHE", "maybe"), ("WECOM_ALERT_PREFIX", LONG)];
    let env = home.env(&variables);
    for lenience in [Lenience::Send, Lenience::Run] {
        let (settings, warnings) = Config::read(&Overrides::default(), &env, lenience).unwrap().resolve().unwrap();
        let Settings { timeout, retries, rate, outbox, mention, also, deadline, no_cache, prefix, .. } = settings;
        assert_eq!((timeout.as_secs(), deadline.as_secs(), retries, rate), (10, 90, 3, None));
        assert_eq!((outbox, no_cache, prefix, mention), (false, false, None, Vec::<String>::new()));
        assert_eq!(also.iter().map(|name| name.profile.as_str()).collect::<Vec<_>>(), ["room"]);
        let told = |part: &str| warnings.iter().filter(|warning| warning.contains(part)).count();
        for part in ["`timeout` must be", "retries is", "a rate is", "`outbox`", "`mention`", "also", "DEADLINE"] {
            assert_eq!(told(part), 1, "{part}: {warnings:#?}");
        }
        assert_eq!(warnings.len(), 9, "{warnings:#?}");
        assert!(warnings.iter().all(|warning| !warning.contains('\n')), "{warnings:#?}");
    }
    // Where somebody looks it is an error, and so is what decides whom it reaches.
    assert_eq!(home.error(&Overrides::default(), &variables).status(), Status::Config);
    for wrong in ["base_url = 'x y'", "agent_id = 'x'", "to_user = true", "unknown = 1", "safe = 7"] {
        let home = Home::with(wrong);
        for lenience in [Lenience::Send, Lenience::Run] {
            let env = home.env(&[]);
            let read = Config::read(&Overrides::default(), &env, lenience).and_then(|config| config.resolve());
            match read {
                // Nobody is there to correct it, and the keys that are known count.
                Ok((_, warnings)) => {
                    assert!(lenience == Lenience::Run && warnings[0].contains("unknown key"), "{wrong}")
                }
                Err(error) => assert_eq!(error.status(), Status::Config, "{wrong}"),
            }
        }
    }
    // That a variable was not expanded is exit 3, a promise to scripts; `run` has its command's exit code.
    let env = home.env(&[("WECOM_ALERT_JITTER", "$JITTER")]);
    let error = Config::read(&Overrides::default(), &env, Lenience::Send).unwrap().resolve().unwrap_err();
    assert!(error.message().contains("JITTER was not expanded"), "{error}");
    assert!(Config::read(&Overrides::default(), &env, Lenience::Run).unwrap().resolve().is_ok());
}

const LONG: &str = "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890";

#[test]
fn what_a_key_needs_may_stand_at_any_level() {
    let home = Home::with("cooldown = '1m'\noutbox = true\n[profiles.a]\ncooldown_key = 'k'");
    let overrides = Overrides::default().set(Setting::OnRateLimit, "outbox");
    let s = home.settings(&overrides, &[]);
    assert_eq!((s.cooldown, s.cooldown_key), (Some(Duration::from_secs(60)), text("k")));
    assert_eq!(s.on_rate_limit, OnRateLimit::Outbox);
    // Switched off again, by a variable.
    let error = home.error(&overrides, &[("WECOM_ALERT_OUTBOX", "0")]);
    assert!(error.message().contains("this needs the outbox itself"), "{error}");
}
