//! The documents say what the program does: every option, variable, key, exit code and field stands in both READMEs.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::results::document;
use crate::support::TestEnv;
use crate::support::fake::{Endpoint, FakeWecom, Reply};

const COMMANDS: [&[&str]; 12] = [
    &["app-send"],
    &["webhook-send"],
    &["upload-media"],
    &["get-token"],
    &["outbox"],
    &["outbox", "list"],
    &["outbox", "flush"],
    &["outbox", "drop"],
    &["run"],
    &["check"],
    &["completions"],
    &["man"],
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

/// The tables name what there is, and nothing that went away or was never there.
#[test]
fn every_option_of_a_table_is_there() {
    let help = all_help();
    let known = words(&help, "--", is_option_letter);
    for name in READMES {
        let readme = read(name);
        let rows: Vec<_> = readme.lines().filter_map(|line| line.strip_prefix("| ")?.split(" | ").next()).collect();
        let told: BTreeSet<_> = rows.iter().flat_map(|cell| words(cell, "--", is_option_letter)).collect();
        // Those of the sandbox, and of curl.
        let of_others = ["--refuse-ip", "--answer", "--times", "--hang", "--expire-token-every", "--fail"];
        let unknown: Vec<_> = told.iter().filter(|word| !known.contains(*word) && !of_others.contains(*word)).collect();
        assert!(told.len() > 60 && unknown.is_empty(), "{name} tells of {unknown:?}");
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

/// The keys of a document's own fields.
fn keys(document: &Value) -> BTreeSet<&str> {
    document.as_object().unwrap().keys().map(String::as_str).collect()
}

/// A document of each kind of command, and the line that `--log-file` keeps of the first.
fn documents() -> (Vec<Value>, Value) {
    let (env, wecom) = (TestEnv::new(), FakeWecom::start());
    let log = env.home().join("trace.jsonl");
    let run = |args: &[&str]| {
        let cmd =
            env.cmd(["--output", "json", "--retries", "0"]).args(args).base_url(&wecom).app_credentials().webhook();
        document(&cmd.may_show_token().run())
    };
    let sent = run(&["app-send", "-u", "zhangsan", "--log-file", log.to_str().unwrap(), "hi"]);
    wecom.script(Endpoint::WebhookSend, [Reply::status(502)]);
    let queued = run(&["webhook-send", "--outbox", "hi"]);
    assert_eq!((&sent["status"], &queued["status"]), (&json!("sent"), &json!("queued")));
    let (list, flush) = (run(&["outbox", "list"]), run(&["outbox", "flush"]));
    let more = [run(&["outbox", "drop", "--all"]), run(&["get-token"]), run(&["--dry-run", "webhook-send", "hi"])];
    let trace = serde_json::from_str(fs::read_to_string(log).unwrap().trim()).unwrap();
    ([sent, queued, list, flush].into_iter().chain(more).collect(), trace)
}

#[test]
fn every_field_of_a_result_stands_in_both_readmes() {
    let (documents, trace) = documents();
    assert!(documents[2]["entries"][0].is_object(), "{}", documents[2]);
    let nested = documents.iter().flat_map(|document| {
        [&document["parts"][0], &document["targets"][0], &document["entries"][0], &document["requests"][0]]
    });
    let fields: BTreeSet<&str> =
        documents.iter().chain(nested.filter(|value| value.is_object())).chain([&trace]).flat_map(keys).collect();
    assert!(fields.len() > 45, "{fields:?}");
    for name in READMES {
        let readme = read(name);
        let is_told =
            |field: &str| readme.contains(&format!("`{field}`")) || readme.contains(&format!("\"{field}\": "));
        let missing: Vec<_> = fields.iter().filter(|field| !is_told(field)).collect();
        assert!(missing.is_empty(), "{name} lacks {missing:?}");
    }
}

#[test]
fn the_samples_of_the_readmes_have_the_fields_that_there_are() {
    let (documents, trace) = documents();
    for name in READMES {
        let readme = read(name);
        let samples: Vec<Value> = readme
            .split("```json\n")
            .skip(1)
            .map(|rest| serde_json::from_str(rest.split("```").next().unwrap()).unwrap())
            .collect();
        let [traced, sent] = samples.as_slice() else { panic!("{name} has {} samples", samples.len()) };
        assert_eq!(keys(traced), keys(&trace), "{name}: the trace");
        assert_eq!(keys(sent), keys(&documents[0]), "{name}: a result");
        assert_eq!(keys(&sent["parts"][0]), keys(&documents[0]["parts"][0]), "{name}: a part");
        let target = keys(&documents[0]["targets"][0]);
        assert!(keys(&sent["targets"][0]).is_subset(&target), "{name}: a target has {target:?}");
    }
}

#[test]
fn the_promise_opens_the_section_on_delivery() {
    for (name, opening) in [
        (
            "README.md",
            "## Delivery\n\n**The promise: an alert that this program accepted is taken by WeCom at least once,",
        ),
        ("README.zh-CN.md", "## 送达保证\n\n**承诺：凡是本程序接下的告警，企业微信至少收下一次；"),
    ] {
        assert!(read(name).contains(opening), "{name}");
    }
}
