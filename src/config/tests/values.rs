//! Rules for every value: empty, not expanded, out of range; and the exit code of each error.

use super::*;
use crate::config::{ProxySetting, Rate};

#[test]
fn what_was_not_expanded_is_refused_at_every_level() {
    let home = Home::empty();
    let unexpanded = |overrides: &Overrides, pairs: &[(&str, &str)]| {
        let error = home.error(overrides, pairs);
        assert_eq!(error.status(), Status::Config, "{error}");
        error.message().to_owned()
    };
    let none = Overrides::default();
    let option = Overrides::default().set(Setting::Timeout, "${LIMIT:-5s}");
    assert_eq!(unexpanded(&option, &[]), "--timeout: the value starts with `$`: the variable $LIMIT was not expanded");
    let list = Overrides::default().set(Setting::ToUser, RawValue::List(vec!["a".into(), "$ONCALL".into()]));
    assert!(unexpanded(&list, &[]).contains("--to-user: ") && unexpanded(&list, &[]).contains("$ONCALL"));
    for name in ["CORP_ID", "AGENT_ID", "BASE_URL", "CA_FILE", "RATE", "PROFILE", "TO_USER", "CACHE_DIR", "NO_CACHE"] {
        let name = format!("WECOM_ALERT_{name}");
        assert!(unexpanded(&none, &[(&name, " $X/y")]).starts_with(&format!("{name}: ")), "{name}");
    }
    // What looks like a variable's name may be the credential itself.
    for name in ["SECRET", "WEBHOOK", "SECRET_FILE", "WEBHOOK_FILE", "PROXY"] {
        let name = format!("WECOM_ALERT_{name}");
        assert!(!unexpanded(&none, &[(&name, "$s3cret")]).contains("s3cret"), "{name}");
    }
    for config in ["[profiles.a]\nsecret = '$s3cret'", "secret_command = ['$s3cret']", "url = '$s3cret'"] {
        assert!(error_of(config).0.contains("starts with `$`"), "{config}");
    }
    assert_eq!(
        error_of("[profiles.a]\ncorp_id = '$CORP'").0,
        "corp_id of profile a in FILE:2:1: the value starts with `$`: the variable $CORP was not expanded"
    );
}

/// Whoever reads an error is told once where the value is.
#[test]
fn an_error_names_the_place_once() {
    let mut refused = 0;
    for key in Setting::keys() {
        for value in ["'$X'", "''", "'a\u{7}b'", "['$X']", "'a,b|c'"] {
            let home = Home::with(&format!("{key} = {value}"));
            let Err(error) = home.resolve(&Overrides::default(), &[]) else { continue };
            refused += 1;
            assert!(error.message().matches(&home.config()).count() <= 1, "{error}");
        }
    }
    assert!(refused > 80, "{refused}");
    for setting in [Setting::Chat, Setting::AgentId, Setting::BaseUrl] {
        let error = Home::empty().error(&Overrides::default().set(setting, ""), &[]);
        assert_eq!(error.message().matches("the value is empty").count(), 1, "{error}");
        assert!(error.message().matches("(given: ").count() <= 1, "{error}");
    }
}

#[test]
fn typed_free_text_and_a_commands_arguments_may_begin_with_a_dollar() {
    let home = Home::with("secret_command = ['sh', '-c', '$HOME/x']");
    let overrides =
        Overrides::default().set(Setting::Title, "$5").set(Setting::IfEmpty, "$").set(Setting::Btntxt, "$1");
    let s = home.settings(&overrides, &[]);
    assert_eq!((s.title.unwrap(), s.if_empty.unwrap(), s.btntxt.unwrap()), ("$5".into(), "$".into(), "$1".into()));
    assert!(s.secret.is_some());
    // In a file it was meant to be expanded.
    let error = Home::with("title = '$TITLE'").error(&Overrides::default(), &[]);
    assert!(error.message().contains("was not expanded"), "{error}");
}

#[test]
fn a_value_that_is_overridden_is_not_checked() {
    let home = Home::with("timeout = '$X'");
    assert_eq!(home.settings(&Overrides::default(), &[("WECOM_ALERT_TIMEOUT", "2s")]).timeout.as_secs(), 2);
}

#[test]
fn a_malformed_option_is_usage_and_everything_else_is_config() {
    let home = Home::empty();
    let overrides = Overrides::default().set(Setting::Deadline, "90\n");
    let error = home.error(&overrides, &[]);
    assert_eq!(error.status(), Status::Usage);
    assert_eq!(error.message(), "--deadline: the duration has no unit (given: `90\\n`)");
    assert!(error.hint().unwrap().contains("`10s`"));
    // A variable's value is not repeated: it may be another one's.
    let error = home.error(&Overrides::default(), &[("WECOM_ALERT_DEADLINE", "s3cret")]);
    assert_eq!((error.status(), error.message()), (Status::Config, "WECOM_ALERT_DEADLINE: a duration is expected"));
    let proxy = Overrides::default().set(Setting::Proxy, "ftp://u:s3cret@p");
    let error = home.error(&proxy, &[]);
    assert_eq!(error.status(), Status::Usage);
    assert!(!format!("{error:?}").contains("s3cret"), "{error:?}");
}

#[test]
fn values_out_of_range_are_reported_with_their_position() {
    for (config, message) in [
        ("timeout = '0s'", "timeout in FILE:1:1: the duration must be more than zero"),
        ("timeout = '25h'", "timeout in FILE:1:1: the duration is longer than 24 hours"),
        ("rate = '0/1m'", "rate in FILE:1:1: the rate's count must be at least 1"),
        ("agent_id = 0", "agent_id in FILE:1:1: an agent_id is a positive whole number"),
        ("agent_id = 's3cret'", "agent_id in FILE:1:1: an agent_id is a positive whole number"),
        ("safe = 3", "safe in FILE:1:1: safe is not 0, 1 or 2"),
        ("verbose = 256", "verbose in FILE:1:1: verbose is not a number from 0 to 255"),
        ("output = 's3cret'", "output in FILE:1:1: output is neither `text` nor `json`"),
        ("corp_id = ' '", "corp_id in FILE:1:1: the value is empty"),
        ("corp_id = \"a\\u001bb\"", "corp_id in FILE:1:1: the value holds a control character"),
        (
            "base_url = 'https://u:s3cret@r.example'",
            "base_url in FILE:1:1: the base URL holds a user name or a password",
        ),
        ("proxy = 'http://u:s3cret@'", "proxy in FILE:1:1: the proxy's URL has no host"),
    ] {
        assert_eq!(error_of(config).0, message);
    }
    let empty = Overrides::default().set(Setting::CorpId, "");
    assert_eq!(Home::empty().error(&empty, &[]).status(), Status::Usage);
}

#[test]
fn rates_and_proxies() {
    let s = settings_of("rate = '20/1m'\nproxy = 'NONE'");
    assert_eq!(s.rate, Some(Rate::Per { count: 20, period: std::time::Duration::from_secs(60) }));
    assert_eq!(s.proxy, ProxySetting::Off);
    assert_eq!(settings_of("").proxy, ProxySetting::Environment);
    let ProxySetting::Url(url) = settings_of("proxy = 'socks5h://p.example:1080'").proxy else { panic!() };
    assert_eq!(url.to_string(), "socks5h://p.example:1080");
}

#[test]
fn a_proxy_file_is_read_unless_nothing_is_sent() {
    let home = Home::with("proxy_file = 'proxy.url'");
    let error = home.error(&Overrides::default(), &[]);
    assert!(error.message().contains("cannot be read"), "{error}");
    let dry = home.settings(&Overrides::default().set(Setting::DryRun, RawValue::Flag(true)), &[]);
    assert_eq!((dry.proxy, dry.dry_run), (ProxySetting::Environment, true));
    home.write(".config/wecom-alert/proxy.url", "\u{feff}http://u:test-secret@p.example:3128\r\n");
    let ProxySetting::Url(url) = home.settings(&Overrides::default(), &[]).proxy else { panic!() };
    assert_eq!(url.password.unwrap().expose(), "test-secret");
    // The higher level wins in any form.
    let off = home.settings(&Overrides::default(), &[("WECOM_ALERT_PROXY", "none")]);
    assert_eq!(off.proxy, ProxySetting::Off);
}
