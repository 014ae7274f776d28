//! Exit 1: what should never happen is an error line or a document like any other, and no core dump. What a machine lacks is no
//! such thing.

use crate::support::{Run, Scene, TestEnv};

/// A run that breaks on purpose, as a build for tests can; the exit code is that of the alert.
#[cfg(all(unix, debug_assertions))]
fn broken(more: &[&str]) -> Run {
    let scene = Scene::new();
    let cmd = scene.env.cmd(more.iter().copied()).args(["run", "--route", "webhook", "--on", "always", "--alert-exit"]);
    let cmd = cmd.args(["--", "true"]).base_url(&scene.wecom).webhook();
    let run = cmd.env("TEST_PANIC_IN_WECOM_ALERT", "alert").run().assert_code(1);
    assert_eq!(scene.wecom.requests().len(), 0);
    run
}

#[test]
#[cfg(all(unix, debug_assertions))]
fn it_ends_as_an_error_in_either_form() {
    let stderr = broken(&[]).stderr;
    let lines: Vec<_> = stderr.lines().collect();
    assert!(lines[0].starts_with("wecom-alert: error[error]: ") && lines.len() == 2, "{stderr}");
    assert!(lines[1].starts_with("hint: ") && lines[1].contains("report"), "{stderr}");
    assert!(!stderr.contains('/'), "a path of the machine where it was built: {stderr}");

    let run = broken(&["--output", "json"]);
    let told = run.json();
    assert_eq!((&told["status"], &told["exit_code"]), (&"error".into(), &1.into()), "{told}");
    assert_eq!(run.stderr, "");
}

/// Wherever the descriptors run out: the hint names the limit, not network, folder or permission.
#[cfg(unix)]
#[test]
fn too_few_descriptors_are_named_wherever_they_run_out() {
    for args in [&["webhook-send", "disk full"][..], &["outbox", "list"], &["outbox", "flush"]] {
        let mut ran_out = 0;
        for files in 4..16 {
            for base_url in ["http://127.0.0.1:1", "https://localhost:1"] {
                let env = TestEnv::new();
                let cmd = env.cmd(args.iter().copied()).args(["--base-url", base_url, "--output", "json"]).webhook();
                let run = cmd.after(&format!("ulimit -n {files}")).run();
                let [message, hint] = ["message", "hint"].map(|field| run.json()[field].as_str().map(str::to_owned));
                let Some(message) = message.filter(|message| message.contains("Too many open files")) else {
                    assert!(args[0] == "outbox" || run.stdout.contains("Connection refused"), "{files}: {}", run.all());
                    continue;
                };
                ran_out += 1;
                let code = if message.contains("no connection") { 7 } else { 3 };
                assert_eq!(run.code, Some(code), "{files}: {}", run.all());
                let hint = hint.unwrap();
                assert!(hint.contains("ulimit -n") && hint.contains("LimitNOFILE"), "{files}: {hint}");
                assert!(!hint.contains("DNS") && !hint.contains("STATE_DIR"), "{files}: {hint}");
            }
        }
        assert!(ran_out > 8, "{args:?}: {ran_out}");
    }
}

#[cfg(unix)]
#[test]
fn too_few_descriptors_are_a_matter_of_the_set_up() {
    for files in 4..=7 {
        for more in [&[][..], &["--output", "json"]] {
            let scene = Scene::new();
            let cmd = scene
                .env
                .cmd(["webhook-send", "disk full"])
                .args(more.iter().copied())
                .base_url(&scene.wecom)
                .webhook();
            let run = cmd.after(&format!("ulimit -n {files}")).run().assert_code(3);
            assert!(run.all().contains("config") && run.all().contains("ulimit -n"), "{files} files: {}", run.all());
            assert_eq!(scene.wecom.requests().len(), 0);
        }
    }
}
