//! Precedence: option, environment, profile, top level, default. A profile named by option counts before the environment.

use std::time::Duration;

use super::*;
use crate::config::{Output, Precedence};

const FILE: &str = r#"
timeout = "4s"
to_party = [7]
title = "top"
[profiles.ops]
corp_id = "ww-ops"
agent_id = 11
secret = "test-secret-ops"
timeout = "3s"
to_user = "ops"
[profiles.bare]
"#;

fn ops() -> Overrides {
    Overrides::default().set(Setting::Profile, "ops")
}

fn secret(settings: &Settings) -> (String, String) {
    let source = settings.secret.as_ref().unwrap();
    (source.origin().to_owned(), source.load(Duration::ZERO).unwrap().expose().to_owned())
}

#[test]
fn each_level_gives_way_to_the_one_above() {
    let home = Home::with(FILE);
    let timeout = |overrides: &Overrides, pairs: &[(&str, &str)]| home.settings(overrides, pairs).timeout.as_secs();
    let env = [("WECOM_ALERT_TIMEOUT", "2s")];
    assert_eq!(timeout(&ops().set(Setting::Timeout, "1s"), &env), 1);
    assert_eq!(timeout(&ops(), &env), 2);
    assert_eq!(timeout(&ops(), &[("WECOM_ALERT_TIMEOUT", " ")]), 3);
    assert_eq!(timeout(&Overrides::default().set(Setting::Profile, "bare"), &[]), 4);
    assert_eq!(Home::empty().settings(&Overrides::default(), &[]).timeout.as_secs(), 10);
}

#[test]
fn defaults() {
    let home = Home::empty();
    let s = home.settings(&Overrides::default(), &[]);
    assert_eq!((s.connect_timeout.as_secs(), s.timeout.as_secs(), s.deadline.as_secs()), (5, 10, 90));
    assert_eq!(s.base_url, None);
    assert_eq!(s.base_url_or_default().as_str(), "https://qyapi.weixin.qq.com");
    assert_eq!((s.output, s.quiet, s.verbose, s.rate), (Output::Text, false, 0, None));
    assert_eq!(s.cache_dir, Some(home.path(".cache/wecom-alert")));
    assert_eq!(s.state_dir, Some(home.path(".local/state/wecom-alert")));
    assert!(s.corp_id.is_none() && s.agent_id.is_none() && s.secret.is_none() && s.webhook.is_none() && s.to.is_none());
}

#[test]
fn origins_name_option_variable_or_key() {
    let home = Home::with(FILE);
    let s = home.settings(&ops(), &[]);
    assert_eq!(s.corp_id.as_ref().unwrap().origin, format!("corp_id of profile ops in {}", home.config()));
    assert_eq!((s.agent_id.as_ref().unwrap().value, s.corp_id.as_ref().unwrap().value.as_str()), (11, "ww-ops"));
    assert_eq!(secret(&s).0, format!("secret of profile ops in {}", home.config()));
    let options = Overrides::default().set(Setting::CorpId, " ww-o ").set(Setting::AgentId, "12");
    let s = Home::with("secret = \"x-test\"").settings(&options, &[("WECOM_ALERT_WEBHOOK", "test-key")]);
    assert_eq!((s.corp_id.as_ref().unwrap().value.as_str(), s.agent_id.unwrap().value), ("ww-o", 12));
    assert_eq!(s.corp_id.unwrap().origin, "--corp-id");
    assert_eq!(s.webhook.unwrap().origin(), "WECOM_ALERT_WEBHOOK");
}

#[test]
fn the_environment_beats_a_profile_that_no_option_named() {
    let home = Home::with(FILE);
    let pairs = [
        ("WECOM_ALERT_PROFILE", "ops"),
        ("WECOM_ALERT_CORP_ID", "ww-env"),
        ("WECOM_ALERT_AGENT_ID", "22"),
        ("WECOM_ALERT_SECRET_FILE", "~/s"),
    ];
    home.write("s", "test-secret-env\n");
    let s = home.settings(&Overrides::default(), &pairs);
    assert_eq!((s.corp_id.clone().unwrap().value.as_str(), s.agent_id.clone().unwrap().value), ("ww-env", 22));
    assert_eq!(secret(&s).1, "test-secret-env");
}

#[test]
fn a_profile_named_by_option_beats_the_environment_and_says_so_once() {
    let home = Home::with(FILE);
    let pairs = [
        ("WECOM_ALERT_CORP_ID", "ww-env"),
        ("WECOM_ALERT_SECRET_FILE", "/env"),
        ("WECOM_ALERT_WEBHOOK", "test-key"),
        ("WECOM_ALERT_TO_USER", "env"),
        ("WECOM_ALERT_TIMEOUT", "2s"),
    ];
    let (s, warnings) = home.resolve(&ops(), &pairs).unwrap();
    assert_eq!(s.corp_id.as_ref().unwrap().value, "ww-ops");
    assert_eq!(secret(&s).1, "test-secret-ops");
    // Only the variables that are set and put aside; recipients and the rest keep the usual order.
    assert_eq!(
        warnings,
        ["ignored, because `--profile ops` gives these itself: WECOM_ALERT_CORP_ID, WECOM_ALERT_SECRET_FILE"]
    );
    assert_eq!(s.webhook.unwrap().origin(), "WECOM_ALERT_WEBHOOK");
    assert_eq!(s.to.unwrap().to_user, ["env"]);
    assert_eq!(s.timeout.as_secs(), 2);
}

#[test]
fn what_the_named_profile_lacks_comes_from_the_environment_before_the_top_level() {
    let home = Home::with("corp_id = \"ww-top\"\n[profiles.bare]");
    let bare = Overrides::default().set(Setting::Profile, "bare");
    assert_eq!(home.settings(&bare, &[("WECOM_ALERT_CORP_ID", "ww-env")]).corp_id.unwrap().value, "ww-env");
    assert_eq!(home.settings(&bare, &[]).corp_id.unwrap().value, "ww-top");
    // An option counts before the profile, so nothing is said about the variable.
    let home = Home::with(FILE);
    let with_id = ops().set(Setting::CorpId, "ww-option");
    assert_eq!(home.settings(&with_id, &[("WECOM_ALERT_CORP_ID", "ww-env")]).corp_id.unwrap().value, "ww-option");
}

#[test]
fn recipients_of_one_level_replace_all_of_the_lower_ones() {
    let home = Home::with(FILE);
    let to = |overrides: &Overrides, pairs: &[(&str, &str)]| {
        let to = home.settings(overrides, pairs).to.unwrap();
        (to.precedence, to.to_user, to.to_party, to.to_tag)
    };
    let list = |items: &[&str]| items.iter().map(|item| (*item).to_owned()).collect::<Vec<_>>();
    let option = ops().set(Setting::ToTag, RawValue::List(list(&["1", "2|3"])));
    let env = [("WECOM_ALERT_TO_PARTY", "4,5")];
    assert_eq!(to(&option, &env), (Precedence::Option, vec![], vec![], list(&["1", "2|3"])));
    assert_eq!(to(&ops(), &env), (Precedence::Environment, vec![], list(&["4,5"]), vec![]));
    assert_eq!(to(&ops(), &[]), (Precedence::Profile, list(&["ops"]), vec![], vec![]));
    let bare = Overrides::default().set(Setting::Profile, "bare");
    assert_eq!(to(&bare, &[]), (Precedence::TopLevel, vec![], list(&["7"]), vec![]));
}

#[test]
fn people_and_a_program_are_recipients_of_their_level() {
    let home = Home::with(
        "to_user = 'top'\n[profiles.ops]\nto_user_command = ['./duty', 'x']\nto_mobile = [13800000000]\n[profiles.bare]\nto_user = 'bare'",
    );
    let of = |overrides: &Overrides| home.settings(overrides, &[]).to.unwrap();
    let ops = of(&ops());
    assert_eq!((ops.to_user.len(), ops.to_mobile.join(";").as_str()), (0, "13800000000"));
    assert_eq!(ops.stand_ins, ["top"], "of the highest level that has it");
    let program = ops.to_user_command.unwrap();
    assert!(
        program.origin().starts_with("command ") && program.origin().contains("(to_user_command of profile ops in ")
    );
    let bare = Overrides::default().set(Setting::Profile, "bare");
    let email = of(&bare.clone().set(Setting::ToEmail, RawValue::List(vec!["a@example.com".to_owned()])));
    assert_eq!(
        (email.precedence, email.to_user.len(), email.stand_ins.join(";")),
        (Precedence::Option, 0, "bare".into())
    );
    assert!(email.to_user_command.is_none());
    assert!(of(&bare).stand_ins.is_empty(), "nobody is looked up");
}

#[test]
fn quiet_and_verbose_follow_the_higher_level() {
    let talk = |config: &str, quiet, verbose: u8| {
        let mut overrides = Overrides::default();
        if quiet {
            overrides = overrides.set(Setting::Quiet, RawValue::Flag(true));
        }
        if verbose > 0 {
            overrides = overrides.set(Setting::Verbose, verbose.to_string().as_str());
        }
        let s = Home::with(config).settings(&overrides, &[]);
        (s.quiet, s.verbose)
    };
    assert_eq!(talk("quiet = true", false, 1), (false, 1));
    assert_eq!(talk("verbose = 2", true, 0), (true, 0));
    assert_eq!(talk("quiet = true\n[profiles.a]\nverbose = 0", false, 0), (true, 0));
    assert_eq!(talk("verbose = 2", false, 0), (false, 2));
}

#[test]
fn an_explicit_base_url_wins_over_the_webhooks() {
    let url = crate::secret::Secret::new("http://127.0.0.1:9/x/cgi-bin/webhook/send?key=test-key");
    let webhook = crate::config::Webhook::parse(&url, "WECOM_ALERT_WEBHOOK").unwrap();
    let bare = settings_of("");
    assert_eq!(bare.webhook_base_url(&webhook).as_str(), "http://127.0.0.1:9/x");
    assert_eq!(
        settings_of("base_url = \"https://r.example/\"").webhook_base_url(&webhook).as_str(),
        "https://r.example"
    );
}
