//! `preview`: the page of a message, from the outside. What the page may hold at all is in `scan`.

mod hostile;
pub(crate) mod scan;

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use wecom_alert::channel::Channel;

use crate::support::TestEnv;
use scan::assert_harmless;

/// The payloads of a channel, in order.
fn payloads(channel: Channel) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/payloads").join(channel.as_str());
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    files
}

/// The page and the findings of a call.
fn page(env: &TestEnv, args: &[&str]) -> (String, Vec<Value>) {
    let document =
        env.cmd(["--output", "json", "preview"]).args(args.iter().copied()).stdin_null().run().assert_code(0).json();
    assert_eq!(document["status"], "ok", "{document}");
    let page = document["page"].as_str().unwrap().to_owned();
    assert_harmless(&page, &format!("{args:?}"));
    (page, document["findings"].as_array().unwrap().clone())
}

#[test]
fn every_payload_is_a_page_without_a_finding() {
    let env = TestEnv::new();
    for channel in Channel::ALL.iter().copied() {
        for file in payloads(channel) {
            let (page, findings) = page(&env, &["--route", channel.as_str(), "--payload", file.to_str().unwrap()]);
            let findings: Vec<&str> = findings.iter().map(|found| found["problem"].as_str().unwrap()).collect();
            // What is not wrong and marked all the same.
            let marked: &[&str] = if page.contains("clients show descriptions only where") {
                &["clients show descriptions only where there is a single article"]
            } else {
                &[]
            };
            assert_eq!(
                (findings.as_slice(), page.matches("<del class=\"over\">").count() > 0),
                (marked, !marked.is_empty())
            );
            assert!(page.contains("class=\"bubble") && !page.contains("unreadable\""), "{}", file.display());
            let body: Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
            assert!(page.contains(body["msgtype"].as_str().unwrap()), "{}", file.display());
        }
    }
}

#[test]
fn without_credentials_all_channels_are_shown_and_with_some_those() {
    let env = TestEnv::new();
    let (all, findings) = page(&env, &["disk full"]);
    for channel in Channel::ALL {
        assert!(all.contains(&format!("<h2 id=\"{channel}\">")), "{channel}");
    }
    // Who gets it is not known, which a send refuses.
    assert!(findings.iter().any(|found| found["route"] == "app" && found["refused"] == true), "{findings:?}");
    let run = env.cmd(["preview", "disk full"]).stdin_null().webhook().run().assert_code(0);
    assert!(run.stdout.contains("<h2 id=\"webhook\">") && !run.stdout.contains("<h2 id=\"app\">"), "{}", run.stdout);
    assert!(run.stderr.is_empty(), "{}", run.stderr);
    let (two, findings) =
        page(&env, &["--route", "aibot", "--route", "app", "--route", "app", "-u", "lisi", "disk full"]);
    assert_eq!(findings, [Value::Null; 0]);
    assert_eq!(
        (two.matches("<h2 ").count(), two.matches("chatid lisi").count(), two.matches("touser lisi").count()),
        (2, 1, 1)
    );
}

#[test]
fn what_has_no_room_is_marked_where_it_stands_with_the_rule() {
    let env = TestEnv::new();
    let card = json!({ "msgtype": "template_card", "template_card": { "card_type": "text_notice", "main_title": { "title": "t" },
        "sub_title_text": format!("{}cut here", "x".repeat(112)), "card_action": { "type": 1, "url": "https://a.example" } } });
    env.file("card.json", card.to_string());
    let path = env.home().join("card.json");
    let path = path.to_str().unwrap();
    let (shown, findings) = page(&env, &["--route", "webhook", "--payload", path]);
    assert!(
        shown.contains(
            "x<del class=\"over\">cut here</del><span class=\"mark\" lang=\"en\">120 characters, at most 112"
        ),
        "{shown}"
    );
    assert!(shown.contains("cards show as JSON in external groups"));
    assert_eq!((findings.len(), &findings[0]["refused"], &findings[0]["message"]), (1, &json!(false), &json!(1)));
    // An app has room for it.
    let (shown, findings) = page(&env, &["--route", "app", "-u", "lisi", "--payload", path]);
    assert!(!shown.contains("class=\"over\"") && findings.is_empty(), "{findings:?}");
    let (shown, findings) = page(&env, &["--route", "chat", "--chat", "ops", "--payload", path]);
    let is_refused = findings.iter().any(|found| found["refused"] == true);
    assert!(shown.contains("mark refused\" lang") && is_refused, "{findings:?}");
}

#[test]
fn the_two_kinds_of_markdown_are_shown_as_they_differ() {
    let env = TestEnv::new();
    let text = "# Title\n- item\n<font color=\"warning\">hot</font> <@lisi>\n\n| a | b |\n| - | - |\n| 1 | 2 |";
    let (v1, _) = page(&env, &["--route", "webhook", "-t", "markdown", text]);
    assert!(
        v1.contains("<span class=\"warning\">hot</span>") && v1.contains("<span class=\"mention\">@lisi</span>"),
        "{v1}"
    );
    assert!(v1.contains("<div class=\"line\">- item</div>") && !v1.contains("<table>"), "{v1}");
    assert!(v1.contains("a table (line 5) appears as it is written, -t markdown_v2 shows it"), "{v1}");
    let (v2, _) = page(&env, &["--route", "webhook", "-t", "markdown_v2", text]);
    assert!(v2.contains("<li>item") && v2.contains("<table>") && !v2.contains("class=\"warning\""), "{v2}");
    assert!(v2.contains("gives no colour, -t markdown has three") && v2.contains("mentions nobody"), "{v2}");
}

#[test]
fn marks_of_markdown_stand_in_the_order_of_lines_behind_what_they_are_about() {
    let env = TestEnv::new();
    let text = "# A\n<font color=\"info\">b</font> x\n\nc\n\nd <@lisi>, e";
    let (shown, _) = page(&env, &["--route", "webhook", "-t", "markdown_v2", text]);
    let place = |part: &str| shown.find(part).unwrap_or_else(|| panic!("{part}: {shown}"));
    let (font, mention) = (
        place("x<span class=\"mark\" lang=\"en\">&lt;font&gt; (line 2)"),
        place("&lt;@lisi&gt;, e<span class=\"mark\""),
    );
    assert!(font < place("<p>c</p>") && place("<p>c</p>") < mention, "{shown}");
}

#[test]
fn markdown_cannot_mention_all() {
    let env = TestEnv::new();
    for route in ["webhook", "chat"] {
        let args = ["--route", route, "--chat", "ops", "-t", "markdown", "<@all> <@lisi>"];
        let (shown, findings) = page(&env, &args);
        assert!(shown.contains("&lt;@all&gt; <span class=\"mention\">@lisi</span>"), "{shown}");
        assert!(findings.iter().any(|found| found["problem"].as_str().unwrap().contains("<@all>")), "{findings:?}");
    }
}

#[test]
fn links_of_cards_are_held_against_one_rule() {
    let env = TestEnv::new();
    let args = [
        "preview",
        "-u",
        "lisi",
        "--card",
        "text_notice",
        "--title",
        "t",
        "--url",
        "https://a.example",
        "--jump",
        "x=javascript:1",
    ];
    let run = env.cmd(args).args(["--route", "app"]).run().assert_code(2);
    assert!(run.stderr.contains("--jump must lead to http:// or https://"), "{}", run.stderr);
    let run = env.cmd(args).args(["--route", "webhook"]).run().assert_code(0);
    assert!(run.stdout.contains("--jump must lead to http:// or https://"), "{}", run.stdout);
}

#[test]
fn parts_files_and_mentions_come_in_their_order() {
    let env = TestEnv::new();
    env.file("report.txt", "a report of more than five bytes");
    env.file("long.txt", "a line of text\n".repeat(400));
    let (long, home) = (env.home().join("long.txt"), env.home().join("report.txt"));
    let run = env
        .cmd(["preview", "--route", "webhook", "--mention", "lisi", "--text-file"])
        .arg(long)
        .arg("--attach")
        .arg(home);
    let shown = run.run().assert_code(0).stdout;
    assert_harmless(&shown, "parts");
    let place = |text: &str| shown.find(text).unwrap_or_else(|| panic!("{text}: {shown}"));
    assert!(
        place("Message 1 of ") < place("@lisi")
            && place("@lisi") < place("Message 2 of ")
            && place("Message 2 of ") < place("report.txt")
    );
}

#[test]
fn the_page_goes_where_it_is_told_to() {
    let env = TestEnv::new();
    let file = env.home().join("page.html");
    let run = env.cmd(["preview", "--route", "webhook", "hello", "--to-file"]).arg(&file).run().assert_code(0);
    assert_eq!(run.stdout.trim_end(), file.to_str().unwrap());
    assert_harmless(&fs::read_to_string(&file).unwrap(), "file");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let run = env.cmd(["--output", "json", "preview", "--route", "webhook", "hello", "--to-file"]).arg(&file).run();
    let document = run.assert_code(0).json();
    assert_eq!((&document["page"], document["file"].as_str()), (&Value::Null, file.to_str()));
    let run = env.cmd(["preview", "hello", "--to-file"]).arg(env.home().join("none/page.html")).run().assert_code(3);
    assert!(run.stderr.contains("the page cannot be written to"), "{}", run.stderr);
    env.cmd(["preview", "--route", "fax", "hello"]).run().assert_code(2);
    env.cmd(["preview", "--route", "webhook", "--payload"]).arg(env.home().join("none.json")).run().assert_code(3);
}

/// A stand-in for the program that opens pages notes what it got, in a folder that is all of the search path.
#[cfg(target_os = "linux")]
#[test]
fn the_browser_gets_the_page_without_a_shell() {
    use std::os::unix::fs::PermissionsExt;
    let env = TestEnv::new();
    let (bin, noted) = (env.home().join("bin"), env.home().join("noted"));
    fs::create_dir(&bin).unwrap();
    let call = |name: &str| {
        let file = env.home().join(name);
        env.cmd(["preview", "--route", "webhook", "hello", "--open", "--to-file"]).arg(file).env("PATH", &bin)
    };
    let run = call("a.html").run().assert_code(0);
    assert!(run.stderr.contains("no browser shows the page: xdg-open cannot be run"), "{}", run.stderr);
    assert!(run.stdout.contains("a.html"), "{}", run.stdout);
    let opener = bin.join("xdg-open");
    fs::write(&opener, format!("#!/bin/sh\nprintf '%s' \"$1\" > '{}'\n", noted.display())).unwrap();
    fs::set_permissions(&opener, fs::Permissions::from_mode(0o755)).unwrap();
    let run = call("$(touch x); b.html").run().assert_code(0);
    assert!(run.stderr.is_empty(), "{}", run.stderr);
    assert!(fs::read_to_string(&noted).unwrap().ends_with("/$(touch x); b.html"));
}

#[test]
fn secrets_of_the_settings_are_masked() {
    let env = TestEnv::new();
    let run = env.cmd(["preview", "--route", "app", "-u", "lisi", "the secret is tops3cret-value"]);
    let run = run.env("WECOM_ALERT_SECRET", "tops3cret-value").run().assert_code(0);
    assert!(run.stdout.contains("the secret is ***") && !run.stdout.contains("tops3cret-value"), "{}", run.stdout);
}

/// Some bubbles as they are, so that a change of them is seen. `WECOM_ALERT_TEST_BLESS=1` writes them anew.
#[test]
fn some_bubbles_are_as_they_were() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/bubbles");
    for name in [
        "webhook/markdown",
        "webhook/markdown_v2",
        "app/textcard",
        "app/template_card_button_interaction",
        "app/miniprogram_notice",
    ] {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("examples/payloads/{name}.json"));
        let body: Value = serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap();
        let channel = name.split('/').next().unwrap().parse().unwrap();
        let shown = wecom_alert::preview::bubble(channel, &body, &[]).replace("><", ">\n<") + "\n";
        let golden = folder.join(format!("{}.html", name.replace('/', "-")));
        if std::env::var_os("WECOM_ALERT_TEST_BLESS").is_some() {
            fs::create_dir_all(&folder).unwrap();
            fs::write(&golden, &shown).unwrap();
        }
        assert_eq!(shown, fs::read_to_string(&golden).unwrap_or_default().replace("\r\n", "\n"), "{name}");
    }
}
