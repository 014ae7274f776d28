//! `--on`: when an alert is due, and what of it is remembered.

use std::fs;

use super::{assert_says_only, assert_told, run_command, sh};
use crate::support::Scene;
use crate::support::fake::{Endpoint, Reply};

/// Runs `test -e well`, which makes it well or not.
fn go(scene: &Scene, options: &[&str], is_well: bool) {
    let flag = scene.env.home().join("well");
    if is_well {
        fs::write(&flag, "").unwrap()
    } else {
        drop(fs::remove_file(&flag))
    }
    run_command(scene, options, &["test", "-e", "well"]).run().assert_code(i32::from(!is_well));
}

#[test]
fn each_occasion() {
    for (on, of_success, of_failure) in [("failure", 0, 1), ("success", 1, 0), ("always", 1, 1), ("change", 0, 1)] {
        let scene = Scene::new();
        go(&scene, &["--on", on], true);
        assert_eq!(scene.texts().len(), of_success, "{on}");
        go(&scene, &["--on", on], false);
        assert_eq!(scene.texts().len(), of_success + of_failure, "{on}");
    }
    let scene = Scene::new();
    assert_says_only(&sh(&scene, &["--on", "success", "--name", "nightly"], "echo done").run(), 0, "done\n", "");
    assert_told(&scene, &["[OK] nightly succeeded\n", "done", "duration: "]);
}

#[test]
fn the_first_failure_and_the_recovery() {
    let scene = Scene::new();
    let options = ["--on", "change", "--name", "nightly"];
    for (is_well, alerts, title) in [
        (true, 0, ""),
        (false, 1, "[CRITICAL] nightly failed: exit code 1\n"),
        (false, 1, ""),
        (false, 1, ""),
        (true, 2, "[OK] nightly recovered\n"),
        (true, 2, ""),
        (false, 3, "[CRITICAL] nightly failed: exit code 1\n"),
    ] {
        go(&scene, &options, is_well);
        let texts = scene.texts();
        assert_eq!(texts.len(), alerts, "{texts:#?}");
        assert!(texts.last().is_none_or(|text| text.contains(title)), "{texts:#?}");
    }
    let texts = scene.texts();
    assert!(texts[1].contains("failed since: 20") && !texts[2].contains("since"), "{texts:#?}");
}

/// What the options say of a failure does not make a recovery look like one.
#[test]
fn a_recovery_is_calm_whatever_a_failure_is_called() {
    let scene = Scene::new();
    let own = ["--title", "no queue", "--level", "warning"];
    for (on, is_well, title) in [
        ("change", false, "[WARNING] no queue\n"),
        ("change", true, "[OK] no queue: recovered\n"),
        ("always", true, "[OK] no queue: succeeded\n"),
        // Here they are about a success.
        ("success", true, "[WARNING] no queue\n"),
    ] {
        go(&scene, &[&["--on", on][..], &own].concat(), is_well);
        let texts = scene.texts();
        assert!(texts.last().unwrap().starts_with(title), "{texts:#?}");
    }
}

#[test]
fn each_name_is_known_for_itself() {
    let scene = Scene::new();
    for (options, alerts) in [
        (&["--on", "change", "--name", "one"][..], 1),
        (&["--on", "change", "--name", "two"], 2),
        (&["--on", "change"], 3),
        (&["--on", "change", "--name", "one"], 3),
        (&["--on", "change"], 3),
    ] {
        go(&scene, options, false);
        assert_eq!(scene.texts().len(), alerts, "{options:?}");
    }
    // Without a name it is the command line, whatever is sent of it.
    run_command(&scene, &["--on", "change", "--tail-lines", "0"], &["test", "-e", "well"]).run().assert_code(1);
    assert_eq!(scene.texts().len(), 3);
    run_command(&scene, &["--on", "change"], &["test", "-e", "other"]).run().assert_code(1);
    assert_eq!(scene.texts().len(), 4);
}

#[test]
fn an_alert_that_did_not_arrive_is_made_up_for() {
    let scene = Scene::new();
    let options = ["--on", "change"];
    scene.wecom.script(Endpoint::WebhookSend, [Reply::status(502)]);
    go(&scene, &options, false);
    assert_eq!(scene.texts().len(), 0);
    go(&scene, &options, false);
    assert_eq!(scene.texts().len(), 1, "it was not known to anybody");
    go(&scene, &options, false);
    assert_eq!(scene.texts().len(), 1);
    scene.wecom.script(Endpoint::WebhookSend, [Reply::status(502)]);
    go(&scene, &options, true);
    go(&scene, &options, true);
    assert_eq!(scene.texts().len(), 2);
    assert!(scene.texts()[1].contains("test recovered"));
}

#[test]
fn an_alert_in_the_outbox_counts_as_told() {
    let scene = Scene::new();
    scene.wecom.script(Endpoint::WebhookSend, [Reply::status(502), Reply::status(502)]);
    let options = ["--on", "change", "--outbox"];
    go(&scene, &options, false);
    go(&scene, &options, false);
    assert_eq!(scene.wecom.count(Endpoint::WebhookSend), 1);
    scene.env.cmd(["outbox", "list", "--exit-code"]).webhook().base_url(&scene.wecom).run().assert_code(7);
}

#[test]
fn without_a_place_for_it_every_failure_is_told() {
    let scene = Scene::new();
    fs::write(scene.env.state(), "a file").unwrap();
    for alerts in 1..=2 {
        let run = sh(&scene, &["--on", "change"], "exit 3").run().assert_code(3);
        assert_eq!(scene.texts().len(), alerts);
        assert!(
            run.stderr.contains("wecom-alert: warning: ") && run.stderr.contains("every failure sends an alert"),
            "{run:?}"
        );
    }
    let run = sh(&scene, &["--on", "change"], "exit 0").run().assert_code(0);
    assert!(run.stderr.contains("warning"), "{run:?}");
    assert_eq!(scene.texts().len(), 2);
}

#[test]
fn runs_at_the_same_time_tell_of_it_once() {
    let scene = Scene::new();
    let running: Vec<_> = (0..6).map(|_| sh(&scene, &["--on", "change"], "exit 3").spawn()).collect();
    running.into_iter().for_each(|running| drop(running.wait().assert_code(3)));
    assert_eq!(scene.texts().len(), 1);
}

#[test]
fn a_cooldown_counts_by_the_command_and_its_state() {
    let scene = Scene::new();
    for alerts in [1, 1, 1] {
        go(&scene, &["--cooldown", "1h", "--on", "always"], false);
        assert_eq!(scene.texts().len(), alerts);
    }
    go(&scene, &["--cooldown", "1h", "--on", "always"], true);
    assert_eq!(scene.texts().len(), 2);
}

/// A failure that comes back within the cooldown is nobody's news yet: if it stays, it becomes that.
#[test]
fn what_a_cooldown_holds_back_is_told_when_it_is_over() {
    let scene = Scene::new();
    let within = ["--on", "change", "--cooldown", "1h"];
    for (is_well, alerts) in [(false, 1), (true, 2), (false, 2), (false, 2)] {
        go(&scene, &within, is_well);
        assert_eq!(scene.texts().len(), alerts, "{:#?}", scene.texts());
    }
    let over = ["--on", "change", "--cooldown", "1ms"];
    for alerts in [3, 3] {
        go(&scene, &over, false);
        assert_eq!(scene.texts().len(), alerts, "{:#?}", scene.texts());
    }
    assert!(scene.texts()[2].contains("test failed: exit code 1"), "{:#?}", scene.texts());
    go(&scene, &over, true);
    assert!(scene.texts().last().unwrap().contains("test recovered"));
}
