//! The bar of a large upload on a terminal: it is there, and it is gone before anything else is said.

use std::fs;
use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::support::fake::{Endpoint, FakeWecom, Reply, WEBHOOK_KEY};
use crate::support::{TestEnv, at_once, needs_terminal, send_signal};

/// Uploads a file on a terminal of its own, with both outputs on it. Its process leaves its id in a file.
fn upload(env: &TestEnv, wecom: &FakeWecom, more: &str) -> Child {
    let file = env.file("big.bin", vec![7; 12 << 20]);
    let quoted = |path: &Path| format!("'{}'", path.to_str().unwrap());
    let binary = quoted(Path::new(env!("CARGO_BIN_EXE_wecom-alert")));
    let id = quoted(&env.home().join("id"));
    let line = format!("echo $$ > {id}; exec {binary} upload-media {} {more}", quoted(&file));
    let mut command = Command::new("script");
    command.args(["-qec", &line, "/dev/null"]).env_clear();
    command.env("PATH", "/usr/bin:/bin").env("HOME", env.home()).env("SHELL", "/bin/sh");
    command.env("WECOM_ALERT_BASE_URL", wecom.base_url()).env("WECOM_ALERT_WEBHOOK", WEBHOOK_KEY);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// The exit code, and the lines that a person sees at the end. A bar must have been there before.
fn seen(child: Child, before: &str) -> (Option<i32>, Vec<String>) {
    let output = child.wait_with_output().unwrap();
    let text = format!("{before}{}", String::from_utf8_lossy(&output.stdout));
    assert!(text.contains("big.bin [#") || text.contains("big.bin [-"), "no bar: {text:?}");
    assert!(text.contains(" of 12.0 MiB\r\x1b[K"), "the bar was not wiped: {text:?}");
    // What was written before a line was wiped is gone.
    let shown = |line: &str| line.trim_end_matches('\r').rsplit("\r\x1b[K").next().unwrap_or_default().to_owned();
    (output.status.code(), text.lines().map(shown).filter(|line| !line.is_empty()).collect())
}

#[test]
fn a_finished_upload_leaves_its_result_alone() {
    if !needs_terminal() {
        return;
    }
    let (env, wecom) = (TestEnv::new(), FakeWecom::start());
    let (code, lines) = seen(upload(&env, &wecom, ""), "");
    assert_eq!((code, lines), (Some(0), vec![wecom.uploads()[0].media_id.clone()]));
}

#[test]
fn an_upload_that_stops_leaves_its_error_alone() {
    if !needs_terminal() {
        return;
    }
    let cases = [
        ("", &["wecom-alert: error[temporary]: upload-media: ", "hint: "][..]),
        ("-v", &["wecom-alert: POST ", "wecom-alert: error[temporary]: upload-media: ", "hint: "]),
        ("--output json", &["{\"ok\":false,"]),
    ];
    at_once(cases, |(more, starts)| {
        let (env, wecom) = (TestEnv::new(), FakeWecom::start());
        wecom.script(Endpoint::WebhookUploadMedia, [Reply::HangBeforeReading]);
        let (code, lines) = seen(upload(&env, &wecom, &format!("--deadline 4s {more}")), "");
        assert_eq!((code, lines.len()), (Some(7), starts.len()), "{more}: {lines:?}");
        let fits = lines.iter().zip(starts).all(|(line, start)| line.starts_with(start));
        assert!(fits, "{more}: {lines:?}");
    });
}

#[test]
fn a_signal_leaves_its_line_alone() {
    if !needs_terminal() {
        return;
    }
    let (env, wecom) = (TestEnv::new(), FakeWecom::start());
    wecom.script(Endpoint::WebhookUploadMedia, [Reply::HangBeforeReading]);
    let mut child = upload(&env, &wecom, "--deadline 1m");
    let (mut before, mut piece) = (Vec::new(), [0; 256]);
    while !String::from_utf8_lossy(&before).contains("MiB") {
        let length = child.stdout.as_mut().unwrap().read(&mut piece).unwrap();
        assert!(length > 0, "it ended: {}", String::from_utf8_lossy(&before));
        before.extend_from_slice(&piece[..length]);
    }
    let id = fs::read_to_string(env.home().join("id")).unwrap();
    send_signal("TERM", id.trim().parse::<i64>().unwrap());
    let (code, lines) = seen(child, &String::from_utf8_lossy(&before));
    assert_eq!((code, lines.len()), (Some(143), 2), "{lines:?}");
    assert!(lines[0].starts_with("wecom-alert: error[interrupted]: upload-media: "), "{lines:?}");
    assert_eq!(lines[1], "hint: run it again");
}
