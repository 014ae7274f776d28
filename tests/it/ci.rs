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
    let expected = format!(
        "<font color=\"warning\">**[CRITICAL] ops/shop: unit-tests**</font>\n{facts}\n\n2 of 90 tests failed\n{link}"
    );
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
    assert_eq!(told["warnings"], json!(["--ci: no known CI system was found: nothing is added"]));
    assert_eq!(wecom.messages()[0].body, json!({"msgtype": "text", "text": {"content": "disk full"}}));
    for (option, message) in [("--ci=gitlab", "GITLAB_CI"), ("--ci=cruise", "is not a CI system")] {
        let told = send(&[option, "disk full"]).assert_code(0).json();
        assert!(told["warnings"][0].as_str().unwrap().contains(message), "{told}");
        let told = send(&[option, "disk full", "--dry-run"]).assert_code(2).json();
        assert!(told["message"].as_str().unwrap().contains(message), "{told}");
        assert!(told["hint"].as_str().unwrap().contains("--ci=auto"), "{told}");
    }
    assert_eq!(wecom.messages().len(), 3);
}

/// A job of GitLab in this stage.
fn gitlab(cmd: Cmd, stage: &str) -> Cmd {
    let variables = [
        ("GITLAB_CI", "true"),
        ("CI_JOB_NAME", "nightly"),
        ("CI_JOB_STAGE", stage),
        ("CI_JOB_URL", "https://gitlab.example.com/ops/shop/-/jobs/9"),
        ("CI_PIPELINE_URL", "https://gitlab.example.com/ops/shop/-/pipelines/3"),
    ];
    variables.into_iter().fold(cmd, |cmd, (name, value)| cmd.env(name, value))
}

/// On a card, which has little room for a title, the job comes before the repository.
#[test]
fn on_a_card_the_job_comes_before_the_repository() {
    let (env, wecom) = (TestEnv::new(), FakeWecom::start());
    for (repository, title, below) in [
        ("a/b", "unit-tests [CRITICAL] a/b", "x"),
        ("ops/shop-backend", "unit-tests", "[CRITICAL] ops/shop-backend\nx"),
    ] {
        let card = ["webhook-send", "--ci", "--card", "text_notice", "--level", "critical", "x"];
        let cmd = github(env.cmd(card).base_url(&wecom).webhook()).env("GITHUB_REPOSITORY", repository);
        cmd.run().assert_code(0);
        let card = wecom.messages().last().unwrap().body["template_card"].clone();
        assert_eq!(card["main_title"]["title"], title, "{card}");
        assert_eq!(card["sub_title_text"], below, "{card}");
    }
}

/// The job's name says more than `sh`. What the cooldown and --on change know the command by stays.
#[test]
fn the_job_gives_its_name_to_the_command() {
    for (options, title) in [
        (&["--ci"][..], "nightly failed: exit code 3"),
        (&["--ci", "--name", "backup"], "backup failed: exit code 3"),
        (&["--ci=github"], "sh failed: exit code 3"),
        (&[], "sh failed: exit code 3"),
    ] {
        let (env, wecom) = (TestEnv::new(), FakeWecom::start());
        let cmd = env.cmd(["run", "-t", "text"]).args(options.iter().copied()).args(["--", "/bin/sh", "-c", "exit 3"]);
        gitlab(cmd.base_url(&wecom).webhook(), "test").run().assert_code(3);
        let body = wecom.messages()[0].body.to_string();
        assert!(body.contains(&format!("[CRITICAL] {title}")), "{options:?}: {body}");
    }
}

#[test]
fn a_job_links_itself_where_it_tells_of_its_own_command() {
    for (args, stage, code, link, names) in [
        (&["run", "--ci", "--", "/bin/sh", "-c", "exit 3"][..], "test", 3, "jobs/9", true),
        (&["run", "--ci", "--", "/bin/sh", "-c", "exit 3"], ".post", 3, "jobs/9", true),
        (&["webhook-send", "--ci", "2 of 90 tests failed"], "test", 0, "pipelines/3", true),
        (&["webhook-send", "--ci", "2 of 90 tests failed"], ".post", 0, "pipelines/3", false),
    ] {
        let (env, wecom) = (TestEnv::new(), FakeWecom::start());
        gitlab(env.cmd(args.iter().copied()).base_url(&wecom).webhook(), stage).run().assert_code(code);
        let body = wecom.messages()[0].body.to_string();
        let links = ["jobs/9", "pipelines/3"].map(|page| body.contains(page));
        assert_eq!(links, [link == "jobs/9", link == "pipelines/3"], "{args:?} {stage}: {body}");
        assert_eq!(body.contains("nightly"), names, "{args:?} {stage}: {body}");
    }
}

/// `--ci gitlab` takes the word for the text: that goes out, since nobody is there to correct it.
#[test]
fn the_name_of_a_system_behind_a_blank_is_told() {
    let (env, wecom) = (TestEnv::new(), FakeWecom::start());
    let cmd = |args: &[&str]| {
        let cmd = env.cmd(["--output", "json"]).args(args.iter().copied()).base_url(&wecom).webhook();
        gitlab(cmd, "test").run()
    };
    let told = cmd(&["webhook-send", "--ci", "gitlab"]).assert_code(0).json();
    let said = "gitlab is sent as the text: the name of a CI system follows =, as in --ci=gitlab";
    assert_eq!(told["warnings"], json!([said]));
    assert!(wecom.messages()[0].body.to_string().contains("gitlab"));
    for args in [&["webhook-send", "--ci=gitlab", "gitlab is down"][..], &["webhook-send", "gitlab"]] {
        assert_eq!(cmd(args).assert_code(0).json()["warnings"], json!([]), "{args:?}");
    }
    for args in [&["webhook-send", "--ci", "gitlab", "text"][..], &["run", "--ci", "gitlab", "--", "true"]] {
        let hint = cmd(args).assert_code(2).json()["hint"].as_str().unwrap().to_owned();
        assert!(hint.starts_with("--ci takes its value after =: --ci=gitlab"), "{hint}");
    }
}
