//! Exit 1: what should never happen is an error line or a document like any other, and no core dump.

use std::process::{Command, Output};

use serde_json::Value;

use crate::support::TestEnv;
use crate::support::fake::FakeWecom;

/// A run that may open so few files that there is no getting to work: the one defect that can be had from outside.
fn starved(files: u32, more: &[&str]) -> Output {
    let (env, wecom) = (TestEnv::new(), FakeWecom::start());
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", &format!("ulimit -n {files}; exec \"$0\" \"$@\"")]);
    shell.arg(env!("CARGO_BIN_EXE_wecom-alert")).args(["webhook-send", "disk full"]).args(more);
    shell.env_clear().env("HOME", env.home()).env("WECOM_ALERT_BASE_URL", wecom.base_url());
    let output = shell.env("WECOM_ALERT_WEBHOOK", "test-webhook-key").output().unwrap();
    assert_eq!(wecom.requests().len(), 0);
    output
}

#[test]
fn it_ends_as_an_error_in_either_form() {
    // With so few files the event loop cannot be made, or a library panics: either must be told.
    for files in 4..=7 {
        let output = starved(files, &[]);
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{files} files: {stderr}");
        let lines: Vec<_> = stderr.lines().collect();
        assert!(lines[0].starts_with("wecom-alert: error[error]: ") && lines.len() == 2, "{files} files: {stderr}");
        assert!(lines[1].starts_with("hint: ") && lines[1].contains("report"), "{files} files: {stderr}");
        assert!(!stderr.contains('/'), "{files} files: a path of the machine where it was built: {stderr}");

        let output = starved(files, &["--output", "json"]);
        let told: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(1), "{files} files: {told}");
        assert_eq!((&told["status"], &told["exit_code"]), (&"error".into(), &1.into()), "{files} files: {told}");
        assert!(output.stderr.is_empty(), "{files} files: {:?}", String::from_utf8_lossy(&output.stderr));
    }
}
