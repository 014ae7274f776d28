//! Which system it is, what values look like, and what is never asked for.

use std::cell::RefCell;
use std::collections::BTreeSet;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::super::systems::detect;
use super::super::{SYSTEMS, context};
use super::{NOW, facts, found, look, words};
use crate::error::Status;

#[test]
fn a_named_system_must_be_here() {
    let none = look(&[("CI", "true"), ("GITHUB_ACTIONS", ""), ("TRAVIS", "false")]);
    assert!(detect(&none).is_none());
    assert!(context("auto", false, &none, NOW).unwrap().is_none());
    for system in &SYSTEMS {
        let error = context(system.name, false, &none, NOW).unwrap_err();
        assert_eq!(error.status(), Status::Usage);
        let start = format!("--ci={}: this is not a job of {}: ", system.name, system.title);
        assert!(error.message().starts_with(&start), "{error}");
        assert!(error.message().ends_with(" is not set") && error.hint().is_some(), "{error}");
    }
    let error = context("github", false, &none, NOW).unwrap_err();
    assert_eq!(error.message(), "--ci=github: this is not a job of GitHub Actions: GITHUB_ACTIONS is not set");
    let error = context("coding", false, &none, NOW).unwrap_err();
    assert!(error.message().ends_with(": CODING=true or PROJECT_WEB_URL with CI_BUILD_NUMBER is not set"), "{error}");
    // Named, it beats what would have been found first.
    let both = [("GITHUB_ACTIONS", "true"), ("DRONE", "true")];
    assert_eq!(context("drone", false, look(&both), NOW).unwrap().unwrap().system.name, "drone");
}

#[test]
fn a_name_that_is_none_is_refused() {
    let error = context("GitHub", false, look(&[("GITHUB_ACTIONS", "true")]), NOW).unwrap_err();
    assert_eq!(error.message(), "--ci \"GitHub\" is not a CI system");
    assert!(error.hint().unwrap().starts_with("write --ci=auto, or one of github, forgejo, gitea, gitlab,"));
}

#[test]
fn values_are_short_lines_without_logins() {
    let long = "b".repeat(1000);
    let context = found(&[
        ("GITHUB_ACTIONS", "true"),
        ("GITHUB_REF", &long),
        ("GITHUB_ACTOR", " a\nb\u{1b}[31m\u{202e} see https://me:pass@git.example.com/x@y "),
        ("GITHUB_SERVER_URL", "javascript:alert(1)//"),
        ("GITHUB_REPOSITORY", "https://me:pass@git.example.com/acme/shop"),
        ("GITHUB_RUN_ID", "1"),
    ]);
    let facts = facts(&context);
    assert_eq!(facts[0], "repository=acme/shop");
    assert_eq!(facts[1], format!("branch={}…", "b".repeat(200)));
    assert_eq!(facts[2], "author=a b see https://git.example.com/x@y");
    assert_eq!(context.url, None);
}

#[test]
fn a_duration_needs_a_plausible_start() {
    let duration = |started: &str| {
        let context = found(&[("GITLAB_CI", "true"), ("CI_PIPELINE_CREATED_AT", started)]);
        context.fields(words()).iter().find(|field| field.key == "duration").map(|field| field.value.clone())
    };
    assert_eq!(duration("2026-03-01T10:00:00Z").as_deref(), Some("0s"));
    assert_eq!(duration("1772359140000").as_deref(), Some("1m 0s"));
    for odd in ["2026-03-01T10:00:01Z", "2025-01-01T00:00:00Z", "0", "yesterday", "-5", "99999999999999999999"] {
        assert_eq!(duration(odd), None, "{odd}");
    }
}

/// Whatever is set, and whatever is asked for, no variable that may hold a credential is read.
#[test]
fn nothing_sensitive_is_asked_for() {
    let asked = RefCell::new(BTreeSet::new());
    for system in &SYSTEMS {
        // Everything set, nothing but the markers set: all alternatives are walked.
        for is_set in [true, false] {
            let get = |name: &str| {
                asked.borrow_mut().insert(name.to_owned());
                let markers = system.markers.iter().any(|marker| marker.contains(name));
                (is_set || markers).then(|| if name == "CI" { "woodpecker".to_owned() } else { "true".to_owned() })
            };
            assert!(context(system.name, false, get, NOW).unwrap().is_some());
            let _ = context("auto", false, get, NOW);
        }
    }
    let asked = asked.into_inner();
    assert!(asked.len() > 100 && asked.contains("GITHUB_REPOSITORY") && asked.contains("TRAVIS_JOB_WEB_URL"));
    for name in asked {
        for word in ["TOKEN", "SECRET", "PASSWORD", "PASSWD", "KEY", "CREDENTIAL", "AUTH_", "PRIVATE", "EMAIL", "CERT"]
        {
            assert!(!name.contains(word), "{name}");
        }
        assert!(!name.starts_with("WECOM_ALERT"), "{name}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_values_give_short_lines(system in select(SYSTEMS.each_ref().to_vec()), values in vec(prop_oneof![any::<String>(), r"(https?://)?[a-z:@/.#é]{0,20}"], 1..9), now: u64) {
        let get = |name: &str| {
            let marker = system.markers.iter().any(|marker| marker.contains(name));
            let value = values[name.len() % values.len()].clone();
            Some(if name == "CI" { "woodpecker".to_owned() } else if marker { "true".to_owned() } else { value })
        };
        let context = context(system.name, false, get, now).unwrap().unwrap();
        for field in &context.fields(words()) {
            prop_assert!(!field.value.is_empty() && field.value.chars().count() <= 201, "{:?}", field);
            prop_assert!(!field.value.contains(char::is_control), "{:?}", field);
        }
        if let Some(url) = context.url {
            let url = url::Url::parse(&url).unwrap();
            prop_assert!(matches!(url.scheme(), "http" | "https") && url.username().is_empty() && url.password().is_none());
        }
    }
}
