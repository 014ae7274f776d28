//! Exit 1: what should never happen is an error line or a document like any other, and no core dump. What a machine lacks is no
//! such thing.

use crate::support::{Run, Scene};

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
