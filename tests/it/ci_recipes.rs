//! The recipes in `examples/ci`: one per system that `--ci` knows, each short, and none with a credential in it.

use std::fs;
use std::path::Path;

use wecom_alert::ci::SYSTEMS;

/// The recipe of the system of this name.
fn file(system: &str) -> &'static str {
    match system {
        "github" => "github-actions.yml",
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
    for system in &SYSTEMS {
        let name = file(system.name);
        let text = fs::read_to_string(folder.join(name)).unwrap();
        let comment = if name.ends_with("Jenkinsfile") { "//" } else { "#" };
        let first = text.lines().next().unwrap();
        assert!(first.starts_with(&format!("{comment} {}", system.title)), "{name}: {first}");
        assert!(text.contains(&format!("{comment} Copy ")), "{name} does not say where it goes");
        assert!(text.contains("WECOM_ALERT_WEBHOOK"), "{name} does not say where the webhook comes from");
        assert!(text.lines().count() <= 50, "{name} is long");
        assert!(!text.contains("http://") && !text.contains("key="), "{name} holds an address");

        let command: Vec<_> = text.lines().filter(|line| line.contains("wecom-alert webhook-send")).collect();
        assert_eq!(command.len(), 1, "{name}");
        assert!(
            command[0].contains("wecom-alert webhook-send --ci --level critical --title '"),
            "{name}: {}",
            command[0]
        );
        assert!(!text.contains('\t'), "{name} has tabs");
    }
    assert_eq!(fs::read_dir(folder).unwrap().count(), SYSTEMS.len(), "a recipe without a system");
}
