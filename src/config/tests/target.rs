//! Settings of further targets: whose credentials, ids and recipients they are.

use std::time::Duration;

use super::*;
use crate::config::Precedence;

const FILE: &str = r#"
default_profile = "ops"
timeout = "4s"
to_party = [7]
also = ["room"]
fallback = "room"
[profiles.ops]
corp_id = "ww-ops"
agent_id = 11
secret = "test-secret-ops"
to_user = "ops"
[profiles.dba]
corp_id = "ww-dba"
agent_id = 22
secret = "test-secret-dba"
to_user = ["dba"]
timeout = "3s"
also = ["$broken"]
[profiles.room]
webhook = "test-key-room"
"#;

const ENVIRONMENT: [(&str, &str); 5] = [
    ("WECOM_ALERT_CORP_ID", "ww-env"),
    ("WECOM_ALERT_AGENT_ID", "33"),
    ("WECOM_ALERT_SECRET", "test-secret-env"),
    ("WECOM_ALERT_TO_USER", "env"),
    ("WECOM_ALERT_PROFILE", "ops"),
];

fn target(text: &str) -> TargetName {
    text.parse().unwrap()
}

fn of(home: &Home, overrides: &Overrides, pairs: &[(&str, &str)], name: &str) -> Settings {
    resolve_target(overrides, &home.env(pairs), &target(name), "--also").unwrap()
}

/// Corp id, agent id and secret.
fn login(settings: &Settings) -> (String, i64, String) {
    let secret = settings.secret.as_ref().unwrap().load(Duration::ZERO).unwrap();
    let ids = (settings.corp_id.clone().unwrap().value, settings.agent_id.clone().unwrap().value);
    (ids.0, ids.1, secret.expose().to_owned())
}

#[test]
fn the_targets_profile_takes_precedence_over_environment_and_own_profile() {
    let home = Home::with(FILE);
    let overrides = Overrides::default().set(Setting::Profile, "ops");
    for pairs in [&ENVIRONMENT[..], &[]] {
        let s = of(&home, &overrides, pairs, "dba:app");
        assert_eq!(s.profile.as_deref(), Some("dba"));
        assert_eq!(login(&s), ("ww-dba".to_owned(), 22, "test-secret-dba".to_owned()));
        assert_eq!(s.timeout.as_secs(), 3);
    }
    // Nothing of the command's own profile.
    let s = of(&home, &overrides, &[], "room");
    assert!(s.corp_id.is_none() && s.secret.is_none());
    assert_eq!(s.webhook.unwrap().precedence(), Precedence::Profile);
    // What it lacks comes from the environment; other settings keep the usual order.
    let s = of(&home, &overrides, &[("WECOM_ALERT_TIMEOUT", "2s"), ("WECOM_ALERT_SECRET", "test-secret-env")], "room");
    assert_eq!((s.timeout.as_secs(), s.secret.unwrap().precedence()), (2, Precedence::Environment));
}

#[test]
fn the_targets_recipients_take_precedence() {
    let home = Home::with(FILE);
    let overrides = Overrides::default().set(Setting::ToUser, RawValue::List(vec!["option".into()]));
    let to = |overrides: &Overrides, pairs: &[(&str, &str)], name: &str| {
        let to = of(&home, overrides, pairs, name).to.unwrap();
        (to.precedence, to.to_user, to.to_party)
    };
    let list = |items: &[&str]| items.iter().map(|item| (*item).to_owned()).collect::<Vec<_>>();
    assert_eq!(to(&overrides, &ENVIRONMENT, "dba"), (Precedence::Profile, list(&["dba"]), vec![]));
    assert_eq!(to(&overrides, &ENVIRONMENT, "room"), (Precedence::Option, list(&["option"]), vec![]));
    assert_eq!(to(&Overrides::default(), &ENVIRONMENT, "room"), (Precedence::Environment, list(&["env"]), vec![]));
    assert_eq!(to(&Overrides::default(), &[], "room"), (Precedence::TopLevel, vec![], list(&["7"])));
}

#[test]
fn ids_by_option_are_the_commands_own() {
    let home = Home::with(FILE);
    let overrides = Overrides::default().set(Setting::CorpId, "ww-option").set(Setting::AgentId, "44");
    assert_eq!(login(&of(&home, &overrides, &ENVIRONMENT, "dba")).1, 22);
    let s = of(&home, &overrides, &[], "room");
    assert!(s.corp_id.is_none() && s.agent_id.is_none());
    assert_eq!(home.settings(&overrides, &[]).corp_id.unwrap().value, "ww-option");
    // Every other option holds for all targets.
    let overrides = Overrides::default().set(Setting::Timeout, "1s").set(Setting::Title, "T");
    let s = of(&home, &overrides, &[], "dba");
    assert_eq!((s.timeout.as_secs(), s.title.as_deref()), (1, Some("T")));
}

#[test]
fn a_further_target_has_no_further_targets() {
    let home = Home::with(FILE);
    let overrides =
        Overrides::default().set(Setting::Also, RawValue::List(vec!["dba".into()])).set(Setting::Fallback, "dba");
    // Not even broken ones matter.
    for name in ["dba", "room"] {
        let s = of(&home, &overrides, &[], name);
        assert_eq!((s.also, s.fallback), (vec![], None), "{name}");
    }
    let own = home.settings(&Overrides::default(), &[]);
    assert_eq!((own.also, own.fallback), (vec![target("room")], Some(target("room"))));
}

#[test]
fn an_unknown_profile_error_says_what_named_it() {
    let home = Home::with(FILE);
    for origin in ["--also", "--fallback", "outbox entry"] {
        let named = resolve_target(&Overrides::default(), &home.env(&[]), &target("romm:app"), origin);
        let error = named.unwrap_err();
        assert_eq!(error.status(), Status::Config);
        assert_eq!(error.message(), format!("{origin}: there is no profile `romm` in {}", home.config()));
        assert_eq!(error.hint(), Some("the nearest is `room`; the file has: dba, ops, room"));
    }
    let no_file = |origin| {
        let env = Home::empty().env(&[]);
        resolve_target(&Overrides::default(), &env, &target("room"), origin).unwrap_err()
    };
    let error = no_file("--also");
    assert!(error.message().starts_with("--also: there is no config file"), "{error}");
    assert!(error.hint().unwrap().contains("leave `--also` out"), "{error:?}");
    assert!(!no_file("outbox entry").hint().unwrap().contains("leave"));
}

/// What follows needs a file that can be read only once.
#[test]
fn the_file_is_read_once_for_all_targets() {
    let home = Home::with(FILE);
    let env = home.env(&[]);
    let config = Config::read(&Overrides::default(), &env, Lenience::Strict).unwrap();
    std::fs::remove_file(home.config()).unwrap();
    assert_eq!(config.resolve().unwrap().0.profile.as_deref(), Some("ops"));
    let s = config.resolve_target(&target("dba"), "--also").unwrap();
    assert_eq!((s.profile.as_deref(), s.config_file), (Some("dba"), Some(PathBuf::from(home.config()))));
}
