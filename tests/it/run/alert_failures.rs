//! Alerts that fail: the command has run, and its code is ours all the same.

use serde_json::{Value, json};

use super::{assert_says_only, assert_silent, assert_told, has, run_command, sh};
use crate::support::Scene;
use crate::support::fake::{Endpoint, Reply};

#[test]
fn an_alert_that_fails_keeps_the_commands_code() {
    let scene = Scene::new();
    scene.wecom.script(Endpoint::WebhookSend, [Reply::errcode(93000, "invalid webhook url")]);
    let run = sh(&scene, &[], "echo out; exit 3").run();
    assert_eq!((run.code, run.stdout.as_str()), (Some(3), "out\n"), "{}", run.all());
    assert!(run.stderr.starts_with("wecom-alert: error[auth]: run: "), "{}", run.all());
    assert!(run.stderr.lines().count() == 2 && run.stderr.contains("\nhint: "), "{}", run.all());
}

#[test]
fn alert_exit_prefers_the_alerts_code() {
    for (reply, code) in [(Reply::Normal, 3), (Reply::errcode(93000, "invalid webhook url"), 4)] {
        let scene = Scene::new();
        scene.wecom.script(Endpoint::WebhookSend, [reply]);
        assert_eq!(sh(&scene, &["--alert-exit"], "exit 3").run().code, Some(code));
    }
    let scene = Scene::new();
    assert_says_only(&sh(&scene, &["--alert-exit"], "exit 0").run(), 0, "", "");
}

#[test]
fn the_document_tells_of_both() {
    let scene = Scene::new();
    scene.wecom.script(Endpoint::WebhookSend, [Reply::status(502)]);
    let run = sh(&scene, &["--output", "json"], "exit 3").run();
    assert_eq!((run.code, run.stderr.as_str()), (Some(3), ""), "{}", run.all());
    let told: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!((&told["ok"], &told["exit_code"], &told["status"]), (&json!(false), &json!(7), &json!("temporary")));
    assert_eq!((&told["run"]["exit_code"], &told["run"]["alerted"]), (&json!(3), &json!(false)));
}

#[test]
fn no_mistake_in_settings_keeps_a_command_from_running() {
    for (config, options, said) in [
        ("nonsense", &[][..], "error[config]"),
        ("[profiles.a]\nbogus = 1\n", &[], "unknown key"),
        ("[profiles.a]\nwebhook_file = '/no/such/key'\n", &["--on", "always"], "/no/such/key"),
        ("", &[], "no app and no webhook"),
    ] {
        for code in [0, 5] {
            let scene = Scene::new();
            let script = format!("echo out; touch ran; exit {code}");
            let cmd = sh(&scene, options, &script).without_env("WECOM_ALERT_WEBHOOK");
            let run = if config.is_empty() { cmd } else { cmd.config(config) }.run();
            assert_eq!((run.code, run.stdout.as_str()), (Some(code), "out\n"), "{said}\n{}", run.all());
            assert!(run.stderr.contains("wecom-alert: error[") && run.stderr.contains(said), "{said}\n{}", run.all());
            assert!(has(&scene, "ran"));
            assert_silent(&scene);
        }
    }
}

/// Cron mails what is printed: where the alert fails too, that is all there is.
#[test]
fn a_time_limit_is_told_where_the_alert_fails_too() {
    let scene = Scene::new();
    let cmd = run_command(&scene, &["--quiet", "--time-limit", "300ms"], &["sleep", "60"]);
    let run = cmd.without_env("WECOM_ALERT_WEBHOOK").run().assert_code(124);
    let told =
        "wecom-alert: run: sleep timed out after 0.3s and was ended by SIGTERM\nwecom-alert: error[config]: run: ";
    assert!(run.stderr.starts_with(told), "{}", run.all());
    assert!(run.stderr.ends_with("(nobody was told of the failure)\n"), "{}", run.all());
}

/// A good day shows it, not only the night in which an alert is due.
#[test]
fn a_credential_file_that_gives_nothing_is_told_before_the_command_runs() {
    let scene = Scene::new();
    let empty = scene.env.file("empty", "");
    for (path, said) in [("/no/such/key", "it cannot be read"), (empty.to_str().unwrap(), "it gives nothing")] {
        let config = format!("[profiles.a]\nwebhook_file = '{path}'\n");
        let run = |options: &[&str], script| {
            sh(&scene, options, script).without_env("WECOM_ALERT_WEBHOOK").config(&config).run()
        };
        let good = run(&[], "echo job >&2");
        assert!(good.code == Some(0) && good.stderr.ends_with("\njob\n"), "{}", good.all());
        assert!(good.stderr.starts_with("wecom-alert: warning: ") && good.stderr.contains(path), "{}", good.all());
        assert!(good.stderr.contains(said) && good.stderr.contains("nobody would be told"), "{}", good.all());
        let bad = run(&[], "exit 4");
        assert!(bad.code == Some(4) && bad.stderr.contains("error[config]"), "{}", bad.all());
        assert!(bad.stderr.ends_with("(nobody was told of the failure)\n"), "{}", bad.all());
        let dry = run(&["--dry-run"], "touch ran");
        assert!(dry.code == Some(3) && dry.stderr.contains(said) && dry.stdout.is_empty(), "{}", dry.all());
    }
    let further = "[profiles.b]\nwebhook_file = '/no/such/key'\n";
    let run = sh(&scene, &["--also", "b"], "true").config(further).run();
    assert!(run.stderr.contains("/no/such/key") && run.stderr.contains("would not reach it"), "{}", run.all());
    // What gives its content once is not read.
    let scene = Scene::new();
    let key = crate::support::fake::WEBHOOK_KEY;
    let writer = format!("(printf %s {key} > key &)");
    let made = std::process::Command::new("mkfifo").arg(scene.env.home().join("key")).status().unwrap();
    assert!(made.success());
    let config = "[profiles.a]\nwebhook_file = '~/key'\n";
    let cmd = sh(&scene, &[], "exit 4").without_env("WECOM_ALERT_WEBHOOK").config(config);
    assert_says_only(&cmd.after(&writer).run(), 4, "", "");
    assert_told(&scene, &["exit code 4"]);
}

#[test]
fn a_dry_run_fails_where_the_program_cannot_be_started() {
    for (program, said) in [
        ("/no/such/backup", "No such file"),
        ("no-such-backup", "; write its whole path"),
        ("cd", "; this is a word of the shell: write -- sh -c 'LINE'"),
        ("/etc", "Permission denied"),
    ] {
        let scene = Scene::new();
        let run = run_command(&scene, &["--dry-run", "--name", "nightly"], &[program]).run().assert_code(3);
        let told = "wecom-alert: error[config]: run: nightly could not be started: ";
        assert!(run.stderr.starts_with(told) && run.stderr.contains(said), "{}", run.all());
        assert_silent(&scene);
    }
    let scene = Scene::new();
    run_command(&scene, &["--dry-run"], &["sh"]).run().assert_code(0);
}

/// Better now than in the night in which one is due.
#[test]
fn options_that_cannot_become_an_alert_run_nothing() {
    for options in [&["-t", "textcard"][..], &["--quote", "x"], &["--card", "button_interaction"]] {
        let scene = Scene::new();
        let cmd = scene.env.cmd(["run"]).args(options.iter().copied()).args(["--", "echo", "out"]);
        let run = cmd.base_url(&scene.wecom).webhook().run();
        assert_eq!((run.code, run.stdout.as_str()), (Some(2), ""), "{}", run.all());
        assert!(run.stderr.starts_with("wecom-alert: error[usage]: run: "), "{options:?}\n{}", run.all());
        assert_silent(&scene);
    }
}

/// `env -i`, no HOME, nothing on stdin, a PATH of two folders.
#[test]
fn a_run_under_cron() {
    for (script, code) in [("echo out; exit 0", 0), ("echo out; exit 3", 3)] {
        let scene = Scene::new();
        let key = scene.env.file("key", crate::support::fake::WEBHOOK_KEY);
        let config =
            format!("base_url = '{}'\n[profiles.room]\nwebhook_file = '{}'\n", scene.wecom.base_url(), key.display());
        let config = scene.env.file("cron.toml", config);
        let mut cmd = scene.env.cmd(["run", "-t", "text", "--on", "failure", "--config"]).arg(config);
        for name in ["HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME", "TMPDIR"] {
            cmd = cmd.without_env(name);
        }
        let run = cmd.args(["--", "/bin/sh", "-c", script]).in_folder("/").stdin_null().run();
        assert_says_only(&run, code, "out\n", "");
        assert_eq!(scene.texts().len(), usize::from(code != 0));
    }
}

#[test]
fn the_outbox_takes_what_cannot_go_out() {
    let scene = Scene::new();
    scene.wecom.script(Endpoint::WebhookSend, [Reply::status(502)]);
    let run = sh(&scene, &["--outbox"], "exit 3").run();
    assert_eq!(run.code, Some(3), "{}", run.all());
    assert!(run.stderr.starts_with("wecom-alert: warning[queued]: run: "), "{}", run.all());
    scene.env.cmd(["outbox", "flush"]).webhook().base_url(&scene.wecom).run().assert_code(0);
    assert_told(&scene, &["sh failed: exit code 3"]);
}

/// Whoever runs a command gets its code: that there was an alert, nobody would hear. And better today than in that night.
#[test]
fn an_outbox_that_cannot_be_used_costs_no_alert() {
    for (code, then) in [(0, "an alert would be sent"), (3, "the alert is sent")] {
        let scene = Scene::new();
        std::fs::write(scene.env.state(), "a file").unwrap();
        let nowhere = ["HOME", "XDG_STATE_HOME"];
        for without in [&nowhere[..], &[]] {
            let cmd = sh(&scene, &["--outbox"], &format!("exit {code}"));
            let run = without.iter().fold(cmd, |cmd, name| cmd.without_env(name)).run();
            assert_eq!((run.code, run.stderr.lines().count()), (Some(code), 1), "{}", run.all());
            assert!(run.stderr.starts_with("wecom-alert: warning: ") && run.stderr.contains(then), "{}", run.all());
            assert!(run.stderr.contains("outbox"), "{}", run.all());
        }
        assert_eq!(scene.texts().len(), if code == 0 { 0 } else { 2 });
    }
}
