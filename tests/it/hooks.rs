//! The hooks in `examples/hooks`, as the programs call them that they are for.

use std::fs;
use std::path::Path;

use crate::support::Scene;
use crate::support::fake::FakeWecom;

fn hook(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/hooks").join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The text of the only message that a script sends, which finds this program in its PATH.
fn sent(scene: &Scene, script: &str, variables: &[(&str, &str)]) -> String {
    let folder = Path::new(env!("CARGO_BIN_EXE_wecom-alert")).parent().unwrap();
    let path = format!("{}:/usr/bin:/bin", folder.display());
    let run = scene.env.cmd(["run", "--", "/bin/sh", "-ec", script]).base_url(&scene.wecom).webhook();
    let run = variables.iter().fold(run.env("PATH", path), |run, (name, value)| run.env(*name, *value));
    run.run().assert_code(0);
    text(&scene.wecom)
}

fn text(wecom: &FakeWecom) -> String {
    let messages = wecom.messages();
    let [message] = &messages[..] else { panic!("{} messages", messages.len()) };
    let body = &message.body;
    body[body["msgtype"].as_str().unwrap()]["content"].as_str().unwrap().to_owned()
}

#[test]
fn acme_sh_tells_what_became_of_a_renewal() {
    let script = |code: u8| {
        let hook = hook("wecom_alert.sh");
        format!("{hook}\nwecom_alert_send 'Renew \"shop\" & more' 'first\\nsecond' {code}")
    };
    for (code, level) in [(0, "info"), (1, "warning"), (2, "comment")] {
        let text = sent(&Scene::new(), &script(code), &[]);
        assert!(text.contains("Renew \"shop\" & more") && text.contains("first\nsecond"), "{text}");
        assert!(text.contains(&format!("color=\"{level}\"")), "{code}: {text}");
    }
}

#[test]
fn templates_fit_the_samples() {
    for (name, expected) in [
        (
            "uptime-kuma",
            "[shop \"front\"] [🔴 Down] connect ECONNREFUSED 192.0.2.7:443\nhttps://shop.example.com/health\n\
             2026-03-01 18:00:12, 60 s after the last check",
        ),
        ("gatus", "🔴 shop/front triggered\nhealth check failed\nhttps://shop.example.com/health"),
    ] {
        let scene = Scene::new();
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/hooks");
        let file = |end: &str| folder.join(format!("{name}.{end}")).display().to_string();
        let send = scene.env.cmd(["webhook-send", "--template", &file("j2"), "--data", &file("json")]);
        send.base_url(&scene.wecom).webhook().run().assert_code(0);
        assert_eq!(text(&scene.wecom), expected, "{name}");
    }
    // The test button of Uptime Kuma sends no monitor and no heartbeat.
    let scene = Scene::new();
    let template = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/hooks/uptime-kuma.j2");
    let send = scene.env.cmd(["webhook-send", "--data", "-", "--template"]).arg(template.display().to_string());
    let send = send.stdin("{\"msg\": \"WeCom Testing\", \"monitor\": null, \"heartbeat\": null}");
    send.base_url(&scene.wecom).webhook().run().assert_code(0);
    assert_eq!(text(&scene.wecom), "WeCom Testing");
}

/// What the program `webhook` runs for a call: the commands of `webhook.json`, with the body in a variable.
#[test]
fn the_receiver_runs_the_templates() {
    let hooks: serde_json::Value = serde_json::from_str(&hook("webhook.json")).unwrap();
    for called in hooks.as_array().unwrap() {
        let name = called["id"].as_str().unwrap();
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/hooks");
        let script = called["pass-arguments-to-command"][1]["name"].as_str().unwrap();
        let script = script.replace("/etc/wecom-alert", folder.to_str().unwrap());
        let text = sent(&Scene::new(), &script, &[("BODY", &hook(&format!("{name}.json")))]);
        assert!(text.contains("https://shop.example.com/health"), "{name}: {text}");
        assert_eq!(called["trigger-rule"]["match"]["parameter"]["name"], "X-Token", "{name}");
    }
}

/// The block of a script in YAML, without its indentation.
fn script(recipe: &str) -> String {
    let lines = recipe.lines().skip_while(|line| !line.ends_with(" |")).skip(1);
    let depth = lines.clone().next().unwrap().find(|sign| sign != ' ').unwrap();
    lines.map_while(|line| line.get(depth..)).map(|line| format!("{line}\n")).collect()
}

#[test]
fn the_action_for_github_sends_what_it_is_given() {
    let action = hook("github-action/action.yml");
    assert!(!action.split("run: |").nth(1).unwrap().contains("${{"), "values come as variables");
    let variables = [
        ("GITHUB_ACTIONS", "true"),
        ("GITHUB_JOB", "unit-tests"),
        ("TEXT", "It's \"broken\" $(again)"),
        ("TITLE", "tests failed"),
        ("LEVEL", "critical"),
        ("MENTION", "zhangsan"),
        ("INSTALLER", "/nowhere/at/all"),
        ("INSTALL_TO", "/nowhere/at/all"),
    ];
    let text = sent(&Scene::new(), &script(&action), &variables);
    for part in ["tests failed", "It's \"broken\" $(again)", "unit-tests", "<@zhangsan>"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    // Nothing is given but what is needed.
    let variables = variables.map(|(name, value)| match name {
        "TITLE" | "MENTION" => (name, ""),
        _ => (name, value),
    });
    let text = sent(&Scene::new(), &script(&action), &variables);
    assert!(text.contains("unit-tests") && !text.contains("<@"), "{text}");
}

#[test]
fn the_component_for_gitlab_tells_of_a_failed_job() {
    let component = hook("gitlab-component/templates/wecom-alert.yml");
    let inputs = [("level", "critical"), ("mention", "zhangsan"), ("from", "http://127.0.0.1:9")];
    let script = inputs
        .iter()
        .fold(script(&component), |script, (name, value)| script.replace(&format!("$[[ inputs.{name} ]]"), value));
    assert!(!script.contains("[["), "{script}");
    let job = |status| {
        let variables = [
            ("GITLAB_CI", "true"),
            ("CI_JOB_NAME", "unit-tests"),
            ("CI_JOB_STATUS", status),
            ("CI_COMMIT_TITLE", "Fix \"it\""),
        ];
        (script.clone(), variables)
    };
    let (script, variables) = job("failed");
    let text = sent(&Scene::new(), &script, &variables);
    for part in ["unit-tests failed", "Fix \"it\"", "<@zhangsan>"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let scene = Scene::new();
    let (script, variables) = job("success");
    let run = scene.env.cmd(["run", "--", "/bin/sh", "-ec", &script]).base_url(&scene.wecom).webhook();
    variables.iter().fold(run, |run, (name, value)| run.env(*name, *value)).run().assert_code(0);
    assert!(scene.wecom.messages().is_empty());
}
