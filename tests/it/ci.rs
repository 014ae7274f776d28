//! `--ci`: what a CI system tells about the run stands on the alert, and nothing secret does.

use serde_json::json;

use crate::support::fake::FakeWecom;
use crate::support::{Cmd, TestEnv};

const TOKEN: &str = "test-token-of-a-ci-system-0000000000000001";

/// A job of GitHub Actions.
fn github(cmd: Cmd) -> Cmd {
    let variables = [
        ("GITHUB_ACTIONS", "true"),
        ("GITHUB_SERVER_URL", "https://github.example.com"),
        ("GITHUB_REPOSITORY", "ops/shop"),
        ("GITHUB_RUN_ID", "4711"),
        ("GITHUB_REF", "refs/heads/main"),
        ("GITHUB_SHA", "0123456789abcdef0123456789abcdef01234567"),
        ("GITHUB_ACTOR", "lisi"),
        ("GITHUB_JOB", "unit-tests"),
        ("GITHUB_TOKEN", TOKEN),
        ("ACTIONS_RUNTIME_TOKEN", TOKEN),
    ];
    variables.into_iter().fold(cmd, |cmd, (name, value)| cmd.env(name, value)).secret(TOKEN)
}

#[test]
fn a_run_of_ci_is_told() {
    let (env, wecom) = (TestEnv::new(), FakeWecom::start());
    let send = |args: &[&str]| {
        let cmd = env.cmd(["webhook-send", "--output", "json"]).args(args.iter().copied());
        github(cmd.base_url(&wecom).webhook()).run().assert_code(0);
        wecom.messages().last().unwrap().body.clone()
    };
    let facts = "> repository: ops/shop\n> branch: main\n> commit: 01234567\n> author: lisi\n> job: unit-tests";
    let link = "[Details](https://github.example.com/ops/shop/actions/runs/4711)";
    let body = send(&["--ci", "--level", "critical", "2 of 90 tests failed"]);
    let expected =
        format!("<font color=\"warning\">**[CRITICAL] unit-tests**</font>\n{facts}\n\n2 of 90 tests failed\n{link}");
    assert_eq!(body, json!({"msgtype": "markdown", "markdown": {"content": expected}}));
    // The sender's own words come first.
    let own =
        ["--ci=github", "--title", "Tests failed", "--field", "dc=bj-1", "--url", "https://ci.example.com/1", "x"];
    let body = send(&own);
    let expected = format!("**Tests failed**\n> dc: bj-1\n{facts}\n\nx\n[Details](https://ci.example.com/1)");
    assert_eq!(body, json!({"msgtype": "markdown", "markdown": {"content": expected}}));
    assert!(wecom.messages().iter().all(|message| !message.body.to_string().contains(TOKEN)));
}

#[test]
fn a_card_without_a_place_for_the_link_tells_it() {
    let (env, wecom) = (TestEnv::new(), FakeWecom::start());
    let send = |args: &[&str]| {
        let cmd = env.cmd(["app-send", "-u", "zhangsan", "--output", "json", "--ci"]).args(args.iter().copied());
        github(cmd.base_url(&wecom).app_credentials()).run()
    };
    let vote = ["--card", "vote_interaction", "--option", "again=Run it again", "--title", "Tests failed"];
    send(&vote).assert_code(0);
    let told: String = wecom.messages().iter().map(|message| message.body.to_string()).collect();
    assert!(told.contains("link: https://github.example.com/ops/shop/actions/runs/4711"), "{told}");
    // Its label would be lost.
    let told = send(&[&vote[..], &["--btntxt", "Run"]].concat()).assert_code(2).json();
    assert!(told["message"].as_str().unwrap().contains("no place for --btntxt"), "{told}");
}

#[test]
fn outside_of_ci_there_is_nothing_to_tell() {
    let (env, wecom) = (TestEnv::new(), FakeWecom::start());
    let send = |args: &[&str]| {
        env.cmd(["webhook-send", "--output", "json"]).args(args.iter().copied()).base_url(&wecom).webhook().run()
    };
    let told = send(&["--ci", "disk full"]).assert_code(0).json();
    assert_eq!(told["warnings"], json!(["--ci: this is no CI system that is known here: nothing is added"]));
    assert_eq!(wecom.messages()[0].body, json!({"msgtype": "text", "text": {"content": "disk full"}}));
    for (option, message) in [("--ci=gitlab", "GITLAB_CI"), ("--ci=cruise", "is no CI system")] {
        let told = send(&[option, "disk full"]).assert_code(0).json();
        assert!(told["warnings"][0].as_str().unwrap().contains(message), "{told}");
        let told = send(&[option, "disk full", "--dry-run"]).assert_code(2).json();
        assert!(told["message"].as_str().unwrap().contains(message), "{told}");
        assert!(told["hint"].as_str().unwrap().contains("--ci=auto"), "{told}");
    }
    assert_eq!(wecom.messages().len(), 3);
}
