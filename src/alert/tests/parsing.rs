//! Parsing of option values, valid and invalid.

use strum::VariantArray;

use proptest::prelude::*;

use super::super::{Alert, Button, Emphasis, Field, Jump, Level, full_width};
use crate::error::Status;
use crate::message::card::SelectOption;
use crate::words::Language::{Chinese, English};

#[test]
fn the_name_ends_at_the_first_sign() {
    assert_eq!("a=b=c".parse::<Field>().unwrap(), Field { key: "a".into(), value: "b=c".into() });
    assert_eq!(" 主机 = web 1 ".parse::<Field>().unwrap(), Field { key: "主机".into(), value: "web 1".into() });
    assert_eq!("a=".parse::<Field>().unwrap(), Field { key: "a".into(), value: String::new() });
    assert_eq!("98%=used".parse::<Emphasis>().unwrap(), Emphasis { title: "98%".into(), desc: "used".into() });
    let jump = Jump { title: "run".into(), url: "https://example.com/?a=b".into() };
    assert_eq!("run=https://example.com/?a=b".parse::<Jump>().unwrap(), jump);
    assert_eq!("1=Yes".parse::<SelectOption>().unwrap(), SelectOption { id: "1".into(), text: "Yes".into() });
}

#[test]
fn only_one_to_four_is_a_style() {
    for (given, text, style) in [
        ("k=Ack", "Ack", None),
        ("k=Ack:2", "Ack", Some(2)),
        ("k=at 10:30", "at 10:30", None),
        ("k=at 10:3", "at 10", Some(3)),
        ("k=a:b:4", "a:b", Some(4)),
        ("k=a:", "a:", None),
        ("k=a:２", "a:２", None),
    ] {
        assert_eq!(given.parse::<Button>().unwrap(), Button { key: "k".into(), text: text.into(), style }, "{given}");
    }
    for given in ["k=a:5", "k=a:0", "k=at 10:9"] {
        let error = given.parse::<Button>().unwrap_err();
        assert!(
            error.message().contains("is not 1, 2, 3 or 4") && error.hint().unwrap().contains("KEY=TEXT:1"),
            "{error}"
        );
    }
}

#[test]
fn a_full_width_sign_draws_a_warning() {
    assert_eq!("主机＝web-1".parse::<Field>().unwrap(), Field { key: "主机".into(), value: "web-1".into() });
    assert_eq!("a＝b=c".parse::<Field>().unwrap(), Field { key: "a＝b".into(), value: "c".into() });
    for (option, given, told) in [
        ("--field", "主机＝web-1", Some("--field \"主机＝web-1\": the full-width ＝ is read as =")),
        (
            "--field",
            "a＝b=c",
            Some("--field \"a＝b=c\": the full-width ＝ belongs to the name: write = for the end of it"),
        ),
        ("--button", "k=T：2", Some("--button \"k=T：2\": the full-width ：2 is shown as text: write :2 for a style")),
        ("--button", "k=至：明天", None),
        ("--button", "k=T：5", None),
        ("--option", "k=T：2", None),
        ("--field", "a=b＝c", None),
    ] {
        assert_eq!(full_width(option, given).as_deref(), told, "{given}");
    }
}

#[test]
fn a_wrong_value_is_named_with_its_form() {
    let error = "host".parse::<Field>().unwrap_err();
    assert_eq!(error.status(), Status::Usage);
    assert_eq!(error.message(), "--field \"host\" is not of the form KEY=VALUE");
    assert_eq!(error.hint(), Some("write it like --field 'host=web-1'"));
    for error in [
        "=b".parse::<Field>().unwrap_err(),
        "=b".parse::<Emphasis>().unwrap_err(),
        "a=".parse::<Jump>().unwrap_err(),
        "https://example.com".parse::<Jump>().unwrap_err(),
        "a= ".parse::<Button>().unwrap_err(),
        "a=:2".parse::<Button>().unwrap_err(),
        "a=".parse::<SelectOption>().unwrap_err(),
        "".parse::<SelectOption>().unwrap_err(),
    ] {
        assert!(error.message().contains("is not of the form"), "{error}");
    }
    let long = format!("\n\u{1b}{}", "x".repeat(100)).parse::<Button>().unwrap_err();
    assert!(long.message().starts_with("--button \"\\n\\u{1b}xxx") && long.message().len() < 110, "{long}");
}

#[test]
fn a_level_goes_by_its_name() {
    for level in Level::VARIANTS.iter().copied() {
        assert_eq!(level.as_str().parse::<Level>().unwrap(), level);
        assert_eq!(level.as_str().to_uppercase().parse::<Level>().unwrap(), level);
    }
    for (word, level) in
        [("CRIT", Level::Critical), (" warn\r", Level::Warning), ("resolved", Level::Ok), ("提示", Level::Info)]
    {
        assert_eq!(word.parse::<Level>().unwrap(), level, "{word:?}");
    }
    for name in ["", "sideways"] {
        let error = name.parse::<Level>().unwrap_err();
        assert!(error.message().contains(&format!("{name:?}")) && error.hint().unwrap().contains("--level warning"));
    }
}

/// What a message shows can be given again.
#[test]
fn a_level_goes_by_its_label_in_every_language() {
    for (level, language) in Level::VARIANTS.iter().flat_map(|level| [(level, English), (level, Chinese)]) {
        let alert = Alert { level: Some(*level), language, ..Alert::default() };
        let label = alert.text().joined();
        assert_eq!(label.trim_matches(['[', ']', '【', '】']).parse::<Level>().unwrap(), *level, "{label}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_value_is_read_or_refused(given in any::<String>()) {
        let field = given.parse::<Field>();
        prop_assert_eq!(field.is_ok(), given.split_once('=').is_some_and(|(key, _)| !key.trim().is_empty()));
        let _ = (given.parse::<Button>(), given.parse::<Jump>(), given.parse::<SelectOption>(), given.parse::<Emphasis>());
    }
}
