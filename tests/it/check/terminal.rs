//! The table on a terminal: signs in colours, unless somebody wants none, and the end of it below.

use std::process::{Command, Stdio};

use crate::support::fake::{AGENT_ID, CORP_ID, FakeWecom, SECRET};
use crate::support::{TestEnv, needs_terminal};

/// What a person sees of `check` with that secret and these variables, and the exit code.
fn seen(secret: &str, variables: &[(&str, &str)]) -> (Option<i32>, String) {
    let (env, wecom) = (TestEnv::new(), FakeWecom::start());
    let mut command = Command::new("script");
    command.args(["-qec", &format!("'{}' check", env!("CARGO_BIN_EXE_wecom-alert")), "/dev/null"]).env_clear();
    command.env("PATH", "/usr/bin:/bin").env("HOME", env.home()).env("SHELL", "/bin/sh");
    command.env("WECOM_ALERT_BASE_URL", wecom.base_url()).env("WECOM_ALERT_CORP_ID", CORP_ID);
    command.env("WECOM_ALERT_AGENT_ID", AGENT_ID.to_string()).env("WECOM_ALERT_SECRET", secret);
    command.envs(variables.iter().copied()).stdin(Stdio::null());
    let output = command.output().unwrap();
    (output.status.code(), String::from_utf8(output.stdout).unwrap().replace('\r', ""))
}

#[test]
fn signs_have_colours_unless_somebody_wants_none() {
    if !needs_terminal() {
        return;
    }
    for (variables, has_colours) in [
        (&[][..], true),
        (&[("TERM", "xterm"), ("NO_COLOR", "")], true),
        (&[("TERM", "xterm"), ("NO_COLOR", "1")], false),
        (&[("TERM", "xterm"), ("NO_COLOR", "0")], false),
        (&[("TERM", "dumb")], false),
    ] {
        let (code, text) = seen(SECRET, variables);
        assert_eq!(code, Some(0), "{variables:?}: {text}");
        assert_eq!(text.contains("\u{1b}[32m✓\u{1b}[0m token "), has_colours, "{variables:?}: {text}");
        assert_eq!(text.contains('\u{1b}'), has_colours, "{variables:?}: {text}");
    }
}

#[test]
fn the_first_failure_stands_below_the_table() {
    if !needs_terminal() {
        return;
    }
    let (code, text) = seen("test-wrong", &[]);
    let lines: Vec<&str> = text.lines().collect();
    let [.., before, error] = lines[..] else { panic!("{text}") };
    assert_eq!(code, Some(4), "{text}");
    assert!(text.contains("\u{1b}[31m✗\u{1b}[0m token"), "{text}");
    assert_eq!(before, "1 failed. Begin with: token", "{text}");
    assert_eq!(error, "wecom-alert: error[auth]: check: token failed, see above", "{text}");
    assert_eq!(text.matches("hint: ").count(), 1, "{text}");
    assert_eq!(text.matches("40001").count(), 1, "{text}");
}
