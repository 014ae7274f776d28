//! Exit 1: what should never happen is an error line or a document like any other, and no core dump.

use crate::support::{Run, Scene};

/// A run that may open so few files that there is no getting to work: the one defect that can be had from outside.
fn starved(files: u32, more: &[&str]) -> Run {
    let scene = Scene::new();
    let cmd = scene.env.cmd(["webhook-send", "disk full"]).args(more).base_url(&scene.wecom).webhook();
    let run = cmd.after(&format!("ulimit -n {files}")).run().assert_code(1);
    assert_eq!(scene.wecom.requests().len(), 0);
    run
}

#[test]
fn it_ends_as_an_error_in_either_form() {
    // With so few files the event loop cannot be made, or a library panics: either must be told.
    for files in 4..=7 {
        let stderr = starved(files, &[]).stderr;
        let lines: Vec<_> = stderr.lines().collect();
        assert!(lines[0].starts_with("wecom-alert: error[error]: ") && lines.len() == 2, "{files} files: {stderr}");
        assert!(lines[1].starts_with("hint: ") && lines[1].contains("report"), "{files} files: {stderr}");
        assert!(!stderr.contains('/'), "{files} files: a path of the machine where it was built: {stderr}");

        let run = starved(files, &["--output", "json"]);
        let told = run.json();
        assert_eq!((&told["status"], &told["exit_code"]), (&"error".into(), &1.into()), "{files} files: {told}");
        assert_eq!(run.stderr, "", "{files} files");
    }
}
