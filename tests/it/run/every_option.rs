//! `run` with every option wrong in turn: either nothing was run and exit 2 says why, or the command ran and its failure
//! arrived. The options are those that the help lists, so that a new one is covered by itself.

use wecom_alert::config::{Mistake, Setting};

use crate::support::fake::CHAT_ID;
use crate::support::{Cmd, Scene, at_once};

/// Wrong values: empty, absurd, of another type.
const WRONG: [&str; 7] = ["", " ", "§ not a value", "5", "true", "a,,b", "."];

/// Only WeCom or the network can tell that these are wrong.
const JUDGED_ELSEWHERE: [&str; 8] =
    ["--corp-id", "--agent-id", "--base-url", "--proxy", "--to-user", "--to-party", "--to-tag", "--chat"];

/// The options that a command's help lists, and whether they take a value.
fn options_of(command: &str) -> Vec<(String, bool)> {
    let help = Scene::new().env.cmd([command, "--help"]).run().assert_code(0).stdout;
    let options = help.lines().map(str::trim_start).filter(|line| line.starts_with('-')).filter_map(|line| {
        let rest = &line[line.find("--")?..];
        let end = rest.find(|c: char| !c.is_ascii_lowercase() && c != '-').unwrap_or(rest.len());
        let takes_value = rest[end..].starts_with(" <");
        Some((rest[..end].to_owned(), takes_value))
    });
    options.filter(|(name, _)| !["--help", "--version", "--dry-run"].contains(&name.as_str())).collect()
}

/// The arguments of each case.
fn cases(options: Vec<(String, bool)>) -> Vec<Vec<String>> {
    let mut cases = Vec::new();
    for (option, takes_value) in options {
        cases.push(vec![option.clone()]);
        let is_judged_elsewhere = JUDGED_ELSEWHERE.contains(&option.as_str());
        for value in WRONG.iter().filter(|value| !is_judged_elsewhere || value.trim().is_empty()) {
            cases.push(vec![format!("{option}={value}")]);
            if takes_value {
                cases.push(vec![option.clone(), (*value).to_owned()]);
            }
        }
    }
    cases
}

fn assert_told_or_refused(case: &[String], target: impl Fn(&Scene, Cmd) -> Cmd) {
    let scene = Scene::new();
    let cmd = scene.env.cmd(["run"]).args(case.iter().map(String::as_str));
    let cmd = target(&scene, cmd.args(["--", "/bin/sh", "-c", "touch ran; exit 3"]).base_url(&scene.wecom));
    let run = cmd.env("WECOM_ALERT_TIMEOUT", "20s").run();
    let arrived = scene.wecom.messages().iter().any(|message| message.body.to_string().contains("exit code"));
    let told = format!("{case:?}\n{}", run.all());
    if super::has(&scene, "ran") {
        assert_eq!(run.code, Some(3), "{told}");
        assert!(arrived, "nobody was told: {told}");
    } else {
        // A variable in the script may be empty.
        assert!(!matches!(case, [_, value] if value.trim().is_empty()), "refused although it is empty: {told}");
        assert_eq!(run.code, Some(2), "{told}");
        // A result in JSON has the error in it.
        assert!(run.stderr.contains("error[usage]: ") || run.stdout.contains("\"usage\""), "{told}");
        assert!(!arrived, "{told}");
    }
}

#[test]
fn a_failure_is_told_whatever_an_option_is() {
    let options = options_of("run");
    for setting in Setting::ALL.iter().filter(|setting| setting.row().mistake == Mistake::LeftOut) {
        let option = setting.row().option;
        let is_told =
            ["", "--if-empty", "--escalate"].contains(&option) || options.iter().any(|(name, _)| name == option);
        assert!(is_told, "{option} is not in the help");
    }
    assert!(options.len() > 50, "{options:?}");
    at_once(cases(options), |case| assert_told_or_refused(&case, |_, cmd| cmd.webhook()));
}

#[test]
fn a_failure_is_told_to_an_app_too() {
    at_once(cases(options_of("run")), |case| {
        assert_told_or_refused(&case, |_, cmd| cmd.app_credentials().env("WECOM_ALERT_TO_USER", "zhangsan"));
    });
}

/// Settings of the file and of variables never stop the command, and what they need not decide does not stop its alert.
#[test]
fn a_failure_is_told_whatever_a_setting_is() {
    let rows = Setting::ALL.iter().filter(|setting| setting.row().mistake != Mistake::Stops);
    let in_file = rows.clone().filter(|setting| setting.row().is_in_file).flat_map(|setting| {
        ["''", "'§ not a value'", "5", "true", "['a', '']", "{ a = 1 }", "'$NOWHERE'"]
            .map(|value| (format!("{} = {value}\n", setting.name()), None))
    });
    let variables = rows
        .filter_map(|setting| setting.row().variable)
        .flat_map(|name| ["§ not a value", "5", "true", "$NOWHERE"].map(|value| (String::new(), Some((name, value)))));
    at_once(in_file.chain(variables), |(config, variable)| {
        let scene = Scene::new();
        let cmd = scene.env.cmd(["run", "--", "/bin/sh", "-c", "touch ran; exit 3"]).base_url(&scene.wecom).webhook();
        let cmd = if config.is_empty() { cmd } else { cmd.config(&config) };
        let run = variable.iter().fold(cmd, |cmd, (name, value)| cmd.env(*name, *value)).run();
        let told = format!("{config}{variable:?}\n{}", run.all());
        assert_eq!(run.code, Some(3), "{told}");
        assert!(scene.sends() > 0, "nobody was told: {told}");
    });
}

/// What only decorates costs no alert of a send.
#[test]
fn a_text_goes_whatever_its_decorations_are() {
    for command in ["app-send", "webhook-send", "chat-send"] {
        let known = options_of(command);
        let settings = Setting::ALL.iter().filter(|setting| setting.row().mistake == Mistake::LeftOut);
        let names = settings.map(|setting| setting.row().option).chain(["--level", "--ci", "--attach"]);
        let options: Vec<_> = known.into_iter().filter(|(name, _)| names.clone().any(|one| one == name)).collect();
        at_once(cases(options), |case| {
            // Without its value it takes the text for it.
            if case.len() == 1 && !case[0].contains('=') {
                return;
            }
            let scene = Scene::new();
            let run = scene
                .cmd(&[command])
                .env("WECOM_ALERT_TO_USER", "zhangsan")
                .env("WECOM_ALERT_CHAT", CHAT_ID)
                .args(case.iter().cloned())
                .arg("full")
                .run();
            let is_there = |body: &str| body.contains("full");
            assert!(
                matches!(run.code, Some(0 | 6))
                    && scene.wecom.messages().iter().any(|one| is_there(&one.body.to_string())),
                "{command} {case:?}: {}",
                run.all()
            );
        });
    }
}
