//! README and manual say what the program does: every option, variable, key, exit code and field is in them, in each language.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::help::COMMANDS;
use crate::results::document;
use crate::support::TestEnv;
use crate::support::fake::{Endpoint, FakeWecom, Reply};

/// The README of each language, and the folder of its manual.
const LANGUAGES: [(&str, &str); 2] = [("README.md", "src/manual/en"), ("README.zh-CN.md", "src/manual/zh")];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(name: &str) -> String {
    fs::read_to_string(root().join(name)).unwrap()
}

/// The files of a language: its README, and the pages of its manual.
fn files(readme: &str, manual: &str) -> Vec<PathBuf> {
    let pages = fs::read_dir(root().join(manual)).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = pages.filter(|path| path.extension().is_some_and(|extension| extension == "md")).collect();
    files.sort();
    files.push(root().join(readme));
    files
}

/// All text of each language, and the name of its README.
fn texts() -> [(&'static str, String); 2] {
    LANGUAGES.map(|(readme, manual)| {
        (readme, files(readme, manual).iter().map(|file| fs::read_to_string(file).unwrap() + "\n").collect())
    })
}

fn help(arguments: &[&str]) -> String {
    let run = TestEnv::new().cmd(arguments.iter().copied()).arg("--help").run().assert_code(0);
    assert!(run.stdout.lines().all(|line| line.chars().count() <= 100), "help is wider than 100 columns");
    run.stdout
}

fn all_help() -> String {
    COMMANDS.into_iter().map(help).collect()
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
fn every_option_is_in_both_languages() {
    let help = all_help();
    let options = words(&help, "--", is_option_letter);
    assert!(options.len() > 40, "{options:?}");
    for (name, text) in texts() {
        let known = words(&text, "--", is_option_letter);
        let missing: Vec<_> = options.difference(&known).collect();
        assert!(missing.is_empty(), "{name} lacks {missing:?}");
    }
}

/// The tables name what there is, and nothing that went away or was never there.
#[test]
fn every_option_of_a_table_is_there() {
    let help = all_help();
    let known = words(&help, "--", is_option_letter);
    for (name, text) in texts() {
        let rows: Vec<_> = text.lines().filter_map(|line| line.strip_prefix("| ")?.split(" | ").next()).collect();
        let told: BTreeSet<_> = rows.iter().flat_map(|cell| words(cell, "--", is_option_letter)).collect();
        // Those of the sandbox, and of curl.
        let of_others = ["--refuse-ip", "--answer", "--times", "--hang", "--expire-token-every", "--fail"];
        let unknown: Vec<_> = told.iter().filter(|word| !known.contains(*word) && !of_others.contains(*word)).collect();
        assert!(told.len() > 60 && unknown.is_empty(), "{name} tells of {unknown:?}");
    }
}

#[test]
fn every_variable_of_the_documents_is_known_and_the_other_way_round() {
    let help = all_help();
    let in_help = words(&help, "WECOM_ALERT_", is_variable_letter);
    for (name, text) in texts() {
        let told = words(&text, "WECOM_ALERT_", is_variable_letter);
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
fn every_key_of_the_example_is_in_both_languages() {
    let example = read("config.example.toml");
    let keys: BTreeSet<&str> = example
        .lines()
        .filter_map(|line| line.trim_start_matches(['#', ' ']).split_once(" = "))
        .map(|(key, _)| key)
        .filter(|key| key.chars().all(|c| c.is_ascii_lowercase() || c == '_'))
        .collect();
    assert!(keys.len() > 30, "{keys:?}");
    for (name, text) in texts() {
        for key in &keys {
            assert!(text.contains(&format!("`{key}`")), "{name} lacks the key {key}");
        }
    }
}

#[test]
fn every_status_and_exit_code_is_in_both_languages() {
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
    for (name, text) in texts() {
        for status in statuses {
            assert!(text.contains(&format!("`{status}`")), "{name} lacks the status {status}");
        }
        for code in 0..=9 {
            assert!(text.contains(&format!("\n| {code} | ")), "{name} lacks the exit code {code}");
        }
        assert!(text.contains("130") && text.contains("143"), "{name}");
    }
}

#[test]
fn the_changelog_knows_this_version() {
    assert!(read("CHANGELOG.md").contains(&format!("## [{}]", env!("CARGO_PKG_VERSION"))));
}

/// What a heading is called in links, as forges make it.
fn anchor(heading: &str) -> String {
    let kept = heading.trim_start_matches('#').trim().to_lowercase().replace(' ', "-");
    kept.chars().filter(|c| c.is_alphanumeric() || matches!(c, '-' | '_')).collect()
}

#[test]
fn links_lead_somewhere() {
    for file in LANGUAGES.iter().flat_map(|(readme, manual)| files(readme, manual)) {
        let text = fs::read_to_string(&file).unwrap();
        let outside_code: String = text.split("\n```").step_by(2).flat_map(|part| part.split('`').step_by(2)).collect();
        for link in outside_code.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if link.contains("://") {
                continue;
            }
            let (path, place) = link.split_once('#').unwrap_or((link, ""));
            let target = if path.is_empty() { file.clone() } else { file.parent().unwrap().join(path) };
            assert!(target.exists(), "{} links to {link}", file.display());
            if !place.is_empty() {
                let page = fs::read_to_string(target).unwrap();
                let is_there = page.lines().any(|line| line.starts_with('#') && anchor(line) == place);
                assert!(is_there, "{} links to {link}", file.display());
            }
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
fn every_field_of_a_result_is_in_both_languages() {
    let (documents, trace) = documents();
    assert!(documents[2]["entries"][0].is_object(), "{}", documents[2]);
    let nested = documents.iter().flat_map(|document| {
        [&document["parts"][0], &document["targets"][0], &document["entries"][0], &document["requests"][0]]
    });
    let fields: BTreeSet<&str> =
        documents.iter().chain(nested.filter(|value| value.is_object())).chain([&trace]).flat_map(keys).collect();
    assert!(fields.len() > 45, "{fields:?}");
    for (name, text) in texts() {
        let is_told = |field: &str| text.contains(&format!("`{field}`")) || text.contains(&format!("\"{field}\": "));
        let missing: Vec<_> = fields.iter().filter(|field| !is_told(field)).collect();
        assert!(missing.is_empty(), "{name} lacks {missing:?}");
    }
}

#[test]
fn the_samples_of_the_manual_have_the_fields_that_there_are() {
    let (documents, trace) = documents();
    for (name, text) in texts() {
        let samples = text.split("```json\n").skip(1).map(|rest| rest.split("```").next().unwrap());
        let samples: Vec<Value> = samples.map(|sample| serde_json::from_str(sample).unwrap()).collect();
        let (traced, sent): (Vec<_>, Vec<_>) = samples.iter().partition(|sample| sample.get("pid").is_some());
        assert!(!traced.is_empty() && !sent.is_empty(), "{name}");
        for traced in traced {
            assert_eq!(keys(traced), keys(&trace), "{name}: the trace");
        }
        for sent in sent {
            assert_eq!(keys(sent), keys(&documents[0]), "{name}: a result");
            assert_eq!(keys(&sent["parts"][0]), keys(&documents[0]["parts"][0]), "{name}: a part");
            let target = keys(&documents[0]["targets"][0]);
            assert!(keys(&sent["targets"][0]).is_subset(&target), "{name}: a target has {target:?}");
        }
    }
}

/// A stranger reads it in a few minutes: what is longer belongs to the manual.
#[test]
fn the_readmes_stay_short() {
    const MOST_LINES: usize = 320;
    for (name, _) in LANGUAGES {
        let lines = read(name).lines().count();
        assert!(lines <= MOST_LINES, "{name} has {lines} lines");
    }
}

#[test]
fn the_promise_opens_the_pages_on_delivery() {
    for (name, heading, opening) in [
        ("README.md", "\n## Delivery\n", "**The promise: WeCom accepts every alert"),
        ("src/manual/en/delivery.md", "# ", "**The promise: WeCom accepts every alert"),
        ("README.zh-CN.md", "\n## 送达\n", "**承诺：每条告警，企业微信至少接收一次"),
        ("src/manual/zh/delivery.md", "# ", "**承诺：每条告警，企业微信至少接收一次"),
    ] {
        let text = read(name);
        let below =
            text.split_once(heading).unwrap().1.split("\n\n").map(str::trim).find(|part| part.starts_with("**"));
        assert!(below.is_some_and(|part| part.starts_with(opening)), "{name}");
    }
}
