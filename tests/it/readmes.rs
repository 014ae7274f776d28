//! The documents say what the program does: every option, variable, key and exit code stands in both READMEs.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::support::TestEnv;

const COMMANDS: [&[&str]; 8] = [
    &["app-send"],
    &["webhook-send"],
    &["upload-media"],
    &["get-token"],
    &["outbox"],
    &["outbox", "list"],
    &["outbox", "flush"],
    &["outbox", "drop"],
];

const READMES: [&str; 2] = ["README.md", "README.zh-CN.md"];

fn read(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
}

fn help(arguments: &[&str]) -> String {
    let run = TestEnv::new().cmd(arguments.iter().copied()).arg("--help").run().assert_code(0);
    assert!(run.stdout.lines().all(|line| line.chars().count() <= 100), "help is wider than 100 columns");
    run.stdout
}

fn all_help() -> String {
    COMMANDS.into_iter().map(help).chain([help(&[])]).collect()
}

/// Words of a text that begin with a prefix and go on with letters of one kind.
fn words<'a>(text: &'a str, prefix: &str, goes_on: fn(char) -> bool) -> BTreeSet<&'a str> {
    let starts = text.match_indices(prefix).map(|(at, _)| at);
    let starts = starts.filter(|at| !text[..*at].ends_with(goes_on));
    starts
        .map(|at| {
            let rest = &text[at..];
            let end = rest[prefix.len()..].find(|c| !goes_on(c)).map_or(rest.len(), |end| end + prefix.len());
            rest[..end].trim_end_matches('-')
        })
        .filter(|word| word.len() > prefix.len())
        .collect()
}

fn is_option_letter(c: char) -> bool {
    c.is_ascii_lowercase() || c == '-'
}

fn is_variable_letter(c: char) -> bool {
    c.is_ascii_uppercase() || c == '_'
}

#[test]
fn every_option_stands_in_both_readmes() {
    let help = all_help();
    let options = words(&help, "--", is_option_letter);
    assert!(options.len() > 40, "{options:?}");
    for name in READMES {
        let readme = read(name);
        let known = words(&readme, "--", is_option_letter);
        let missing: Vec<_> = options.difference(&known).collect();
        assert!(missing.is_empty(), "{name} lacks {missing:?}");
    }
}

#[test]
fn every_variable_of_the_readmes_is_known_and_the_other_way_round() {
    let help = all_help();
    let in_help = words(&help, "WECOM_ALERT_", is_variable_letter);
    for name in READMES {
        let readme = read(name);
        let told = words(&readme, "WECOM_ALERT_", is_variable_letter);
        let missing: Vec<_> = in_help.iter().filter(|variable| !told.contains(*variable)).collect();
        assert!(missing.is_empty(), "{name} lacks {missing:?}");
        for variable in told {
            // A value that any of them takes or refuses; only an unknown name is warned about.
            let run = TestEnv::new().cmd(["--dry-run", "--output", "json", "get-token"]).env(variable, "1").run();
            assert!(!run.all().contains("no variable of wecom-alert"), "{name} tells of {variable}");
        }
    }
}

#[test]
fn every_key_of_the_example_stands_in_both_readmes() {
    let example = read("config.example.toml");
    let keys: BTreeSet<&str> = example
        .lines()
        .filter_map(|line| line.trim_start_matches(['#', ' ']).split_once(" = "))
        .map(|(key, _)| key)
        .filter(|key| key.chars().all(|c| c.is_ascii_lowercase() || c == '_'))
        .collect();
    assert!(keys.len() > 30, "{keys:?}");
    for name in READMES {
        let readme = read(name);
        for key in &keys {
            assert!(readme.contains(&format!("`{key}`")), "{name} lacks the key {key}");
        }
    }
}

#[test]
fn every_status_and_exit_code_stands_in_both_readmes() {
    let statuses = [
        "sent",
        "ok",
        "queued",
        "skipped",
        "dry_run",
        "error",
        "usage",
        "config",
        "auth",
        "refused",
        "partial",
        "temporary",
        "rate_limited",
        "unknown",
        "interrupted",
    ];
    for name in READMES {
        let readme = read(name);
        for status in statuses {
            assert!(readme.contains(&format!("`{status}`")), "{name} lacks the status {status}");
        }
        for code in 0..=9 {
            assert!(readme.contains(&format!("\n| {code} | ")), "{name} lacks the exit code {code}");
        }
        assert!(readme.contains("130") && readme.contains("143"), "{name}");
    }
}

#[test]
fn the_changelog_knows_this_version() {
    assert!(read("CHANGELOG.md").contains(&format!("## [{}]", env!("CARGO_PKG_VERSION"))));
}

#[test]
fn links_of_the_readmes_lead_somewhere() {
    for name in READMES {
        let readme = read(name);
        for link in readme.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if link.contains("://") || link.starts_with('#') {
                continue;
            }
            assert!(Path::new(env!("CARGO_MANIFEST_DIR")).join(link).exists(), "{name} links to {link}");
        }
    }
}
