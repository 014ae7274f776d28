//! The recipes in `examples/ci`: one per system that `--ci` knows, each short, and none with a credential in it.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value;
use wecom_alert::ci::SYSTEMS;

use crate::support::Scene;

/// The recipe of the system of this name.
fn file(system: &str) -> &'static str {
    match system {
        "github" | "forgejo" | "gitea" => "github-actions.yml",
        "gitlab" => "gitlab-ci.yml",
        "jenkins" => "Jenkinsfile",
        "gitee" => "gitee-go.yml",
        "coding" => "coding.Jenkinsfile",
        "drone" => "drone.yml",
        "woodpecker" => "woodpecker.yml",
        "travis" => "travis.yml",
        "bitbucket" => "bitbucket-pipelines.yml",
        "azure" => "azure-pipelines.yml",
        "buildkite" => "buildkite.yml",
        "circleci" => "circleci.yml",
        _ => panic!("{system} has no recipe"),
    }
}

#[test]
fn each_system_has_its_recipe() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/ci");
    let release = format!("{}/releases/download/v{}/", env!("CARGO_PKG_REPOSITORY"), env!("CARGO_PKG_VERSION"));
    for system in &SYSTEMS {
        let name = file(system.name);
        let text = fs::read_to_string(folder.join(name)).unwrap();
        let comment = if name.ends_with("Jenkinsfile") { "//" } else { "#" };
        let first = text.lines().next().unwrap();
        assert!(first.starts_with(&format!("{comment} ")) && first.contains(system.title), "{name}: {first}");
        assert!(text.contains(&release), "{name} does not say where the program comes from");
        assert!(text.contains(&format!("{comment} Copy ")), "{name} does not say where it goes");
        assert!(text.contains("WECOM_ALERT_WEBHOOK"), "{name} does not say where the webhook comes from");
        assert!(text.lines().count() <= 50, "{name} is long");
        assert!(!text.contains("http://") && !text.contains("key="), "{name} holds an address");

        let command: Vec<_> = text.lines().filter(|line| line.contains("wecom-alert webhook-send")).collect();
        assert_eq!(command.len(), 1, "{name}");
        assert!(command[0].contains("wecom-alert webhook-send --ci --level critical "), "{name}: {}", command[0]);
        assert!(!text.contains('\t'), "{name} has tabs");
    }
    let recipes: BTreeSet<_> = SYSTEMS.iter().map(|system| file(system.name)).collect();
    assert_eq!(fs::read_dir(folder).unwrap().count(), recipes.len(), "a recipe without a system");
}

/// The shell script of a recipe in YAML: the only block of several lines in it.
fn script(recipe: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/ci").join(recipe);
    let text = fs::read_to_string(path).unwrap();
    let lines = text.lines().skip_while(|line| !line.ends_with(" |")).skip(1);
    let depth = lines.clone().next().unwrap().find(|sign| sign != ' ').unwrap();
    lines.map_while(|line| line.get(depth..)).map(|line| format!("{line}\n")).collect()
}

/// The messages that a recipe's script sends with these variables.
fn sent(recipe: &str, variables: &[(&str, &str)]) -> Vec<Value> {
    let scene = Scene::new();
    let folder = Path::new(env!("CARGO_BIN_EXE_wecom-alert")).parent().unwrap();
    // It runs the script as any command; what is sent comes from the script, unless that fails.
    let run = scene.env.cmd(["run", "--", "/bin/sh", "-ec", &script(recipe)]).base_url(&scene.wecom).webhook();
    let path = format!("{}:/usr/bin:/bin", folder.display());
    let run = variables.iter().fold(run.env("PATH", path), |run, (name, value)| run.env(*name, *value)).run();
    run.assert_code(0);
    scene.wecom.messages().iter().map(|message| message.body.clone()).collect()
}

#[cfg(unix)]
#[test]
fn the_recipe_for_gitlab_names_the_job_that_failed() {
    let job = |status, login| {
        let variables = [
            ("GITLAB_CI", "true"),
            ("CI_PROJECT_PATH", "shop/api"),
            ("CI_JOB_NAME", "unit-tests"),
            ("CI_JOB_STATUS", status),
            ("CI_JOB_URL", "https://gitlab.example.com/shop/-/jobs/9"),
            ("CI_PIPELINE_URL", "https://gitlab.example.com/shop/-/pipelines/3"),
            ("CI_COMMIT_TITLE", "Fix \"quotes\" and `signs` for $1"),
            ("GITLAB_USER_LOGIN", login),
        ];
        sent("gitlab-ci.yml", &variables)
    };
    assert!(job("success", "zhang.san").is_empty());
    let [message] = &job("failed", "zhang.san")[..] else { panic!("not one message") };
    let text = message["markdown"]["content"].as_str().unwrap();
    for part in ["[CRITICAL] shop/api: unit-tests failed", "Fix \"quotes\" and", "for $1", "/-/jobs/9", "<@zhangsan>"] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
    assert!(!text.contains("pipelines/3"), "{text}");
    // A log-in that is not in the list: nobody is mentioned, and the alert goes out.
    let [message] = &job("failed", "li.si")[..] else { panic!("not one message") };
    assert!(!message.to_string().contains("<@"), "{message}");
}

/// What is missing is said in the job's log.
#[cfg(unix)]
#[test]
fn the_recipe_for_gitlab_fails_where_the_program_is_missing() {
    let scene = Scene::new();
    let script = script("gitlab-ci.yml");
    let run = scene.env.cmd(["run", "--", "/bin/sh", "-c", &script]).base_url(&scene.wecom).webhook();
    let run = run.env("PATH", "/nowhere").env("CI_JOB_STATUS", "failed").run().assert_code(1);
    assert!(run.stderr.contains("no alert was sent: wecom-alert is not in this image"), "{}", run.all());
}

#[cfg(unix)]
#[test]
fn the_recipe_for_github_mentions_who_started_the_run() {
    let run = |login| {
        let variables = [("GITHUB_ACTIONS", "true"), ("GITHUB_JOB", "unit-tests"), ("GITHUB_ACTOR", login)];
        sent("github-actions.yml", &variables)
    };
    let [message] = &run("octocat")[..] else { panic!("not one message") };
    assert!(
        message.to_string().contains("<@zhangsan>") && message.to_string().contains("unit tests failed"),
        "{message}"
    );
    let [message] = &run("hubot")[..] else { panic!("not one message") };
    assert!(!message.to_string().contains("<@"), "{message}");
}
