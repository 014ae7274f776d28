//! Exit codes: the command's own, whatever becomes of the alert; and what is told of each end.

use std::os::unix::fs::PermissionsExt;

use super::{assert_says_only, assert_silent, assert_told, has, run_command, sh};
use crate::support::Scene;

#[test]
fn the_commands_code_is_ours_and_success_is_silent() {
    for code in [0, 1, 2, 3, 9, 77, 126, 127, 130, 255] {
        let scene = Scene::new();
        let run = sh(&scene, &["--name", "nightly"], &format!("exit {code}")).run();
        assert_says_only(&run, code, "", "");
        if code == 0 {
            assert_silent(&scene);
        } else {
            assert_told(
                &scene,
                &[&format!("[CRITICAL] nightly failed: exit code {code}\n"), &format!("exit code: {code}")],
            );
        }
    }
}

#[test]
fn a_killed_command_ends_as_in_a_shell() {
    // Of what nobody asked for, the command cannot have said anything.
    for (signal, code, is_told) in [("KILL", 137, true), ("SEGV", 139, true), ("TERM", 143, false), ("HUP", 129, false)]
    {
        let scene = Scene::new();
        let run = sh(&scene, &[], &format!("kill -{signal} $$")).run();
        let told = if is_told { format!("wecom-alert: run: sh killed by SIG{signal}\n") } else { String::new() };
        assert_says_only(&run, code, "", &told);
        let text = assert_told(&scene, &[&format!("sh killed by SIG{signal}\n"), &format!("signal: SIG{signal}")]);
        assert!(!text.contains("exit code"), "{text}");
    }
}

#[test]
fn what_could_not_be_started_is_told_apart_from_what_failed() {
    for (program, code, why) in [
        ("/no/such/backup", 127, "No such file"),
        ("no-such-backup", 127, "No such file"),
        ("/etc", 126, "Permission denied"),
    ] {
        let scene = Scene::new();
        let run = run_command(&scene, &["--name", "nightly"], &[program]).run();
        assert_eq!((run.code, run.stdout.as_str()), (Some(code), ""), "{}", run.all());
        let told = format!("wecom-alert: run: nightly could not be started: {why}");
        assert!(run.stderr.starts_with(&told) && run.stderr.lines().count() == 1, "{}", run.all());
        let text = assert_told(&scene, &["nightly could not be started\n", why, program]);
        assert!(!text.contains("failed") && !text.contains("exit code"), "{text}");
    }
    let scene = Scene::new();
    sh(&scene, &[], "exit 127").run().assert_code(127);
    assert_told(&scene, &["sh failed: exit code 127"]);
}

#[test]
fn what_needs_a_shell_says_so() {
    for (program, name, said) in [
        ("cd", "cd", "; this is a word of the shell: write -- sh -c 'LINE'"),
        ("mysql -ps3cret/of-mine < x.sql", "mysql", "; this looks like a line for a shell: write -- sh -c 'LINE'"),
        ("no-such-backup", "no-such-backup", "; write its whole path, for PATH is short under cron and systemd"),
    ] {
        let scene = Scene::new();
        let run = run_command(&scene, &[], &[program]).env("PATH", "/nowhere").run().assert_code(127);
        assert!(
            run.stderr.contains(&format!("{name} could not be started: ")) && run.stderr.contains(said),
            "{}",
            run.all()
        );
        let text = assert_told(&scene, &[&format!("{name} could not be started\n"), said]);
        assert!(!(text + &run.stderr).contains("of-mine"));
    }
}

#[test]
fn a_script_without_interpreter_is_run_by_the_shell() {
    let scene = Scene::new();
    let script = scene.env.file("script", "echo \"$1\"; exit 8\n");
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o700)).unwrap();
    assert_says_only(&run_command(&scene, &[], &["./script", "a b"]).run(), 8, "a b\n", "");
    assert_told(&scene, &["script failed: exit code 8"]);
    // One that is found in PATH as well.
    let scene = Scene::new();
    let script = scene.env.file("bin/script", "echo \"$1\"; exit 8\n");
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o700)).unwrap();
    let folder = script.parent().unwrap().to_str().unwrap();
    let cmd = run_command(&scene, &[], &["script", "a b"]).env("PATH", format!("{folder}:/usr/bin:/bin"));
    assert_says_only(&cmd.run(), 8, "a b\n", "");
    assert_told(&scene, &["script failed: exit code 8"]);
}

#[test]
fn a_command_line_that_cannot_be_understood_runs_nothing() {
    for (options, said) in [
        (&["--on", "never"][..], "--on"),
        (&["--tail-lines", "1001"], "--tail-lines"),
        (&["--time-limit", "10"], "--time-limit: the duration has no unit"),
        (&["--time-limit", "721h"], "--time-limit: the duration is longer than 720 hours"),
        (&["--field", "novalue"], "--field"),
        (&["--attach", "-"], "--attach -"),
        (&["--bogus"], "--bogus"),
    ] {
        let scene = Scene::new();
        let run = sh(&scene, options, "touch ran").run();
        assert_eq!((run.code, run.stdout.as_str()), (Some(2), ""), "{}", run.all());
        assert!(run.stderr.starts_with("wecom-alert: error[usage]: run") && run.stderr.contains(said), "{}", run.all());
        assert!(run.stderr.contains("\nhint: "), "{}", run.all());
        assert!(!has(&scene, "ran"), "{options:?}");
        assert_silent(&scene);
    }
    let scene = Scene::new();
    for words in [&["run"][..], &["run", "--"], &["run", "touch", "ran"]] {
        let run = scene.env.cmd(words.iter().copied()).webhook().run().assert_code(2);
        assert!(run.stderr.contains("--") && run.stderr.contains("COMMAND") || run.stderr.contains("after --"));
        assert!(!has(&scene, "ran"), "{words:?}");
    }
}
