//! What somebody is told who calls the program wrongly: what was meant, and how to write it.

use crate::document::{assert_document, assert_says};
use crate::support::{Scene, TestEnv, needs_terminal};
use serde_json::json;

#[test]
fn nothing_at_all_shows_short_help_and_fails() {
    let env = TestEnv::new();
    let run = env.cmd::<&str>([]).run().assert_code(2);
    assert_eq!((run.stdout.as_str(), &run.stderr), ("", &env.cmd(["-h"]).run().assert_code(0).stdout));
    // Who wants JSON gets JSON.
    let config = "output = \"json\"\n";
    let told = assert_document(&env.cmd::<&str>([]).config(config).run(), "json", 2, &json!({"status": "usage"}));
    assert_says(&told, "json", "message", &["missing command", "webhook-send"]);
    let env = TestEnv::new();
    let run = env.cmd(["-v"]).run().assert_code(2);
    assert!(
        run.stderr.starts_with("wecom-alert: error[usage]: wecom-alert: missing command: there are "),
        "{}",
        run.all()
    );
    let run = env.cmd(["outbox"]).run().assert_code(2);
    assert!(
        run.stderr.starts_with("wecom-alert: error[usage]: outbox: missing subcommand: there are list, "),
        "{}",
        run.all()
    );
}

/// An alert goes out, also where its text was meant as an option; a warning says so.
#[test]
fn a_text_that_is_a_mistyped_option_is_sent_with_a_warning() {
    let scene = Scene::new();
    let send = |text: &str| scene.env.cmd(["webhook-send", text]).base_url(&scene.wecom).webhook().run().assert_code(0);
    assert!(send("–dry-run").stderr.contains("warning: CONTENT is –dry-run, which is taken as the text: "));
    assert!(!send("—磁盘已满").stderr.contains("warning"));
    assert_eq!(scene.texts(), ["–dry-run", "—磁盘已满"]);
}

/// The end of a line of such a script is part of its last word.
#[test]
fn windows_line_ends_are_named() {
    let scene = Scene::new();
    let named = |args: &[&str], code: i32| {
        let run = scene.env.cmd(args.iter().copied()).base_url(&scene.wecom).webhook().run().assert_code(code);
        let hint = run.stderr.lines().find(|line| line.starts_with("hint: ")).unwrap_or_default();
        hint.contains("Windows line ends")
    };
    for args in [
        &["webhook-send\r"][..],
        &["webhook-send", "-t", "markdow\r", "x"],
        &["webhook-send", "--attach", "nofile.txt\r", "x", "--dry-run"],
        &["webhook-send", "--image", "nofile.png\r"],
        &["-P", "nosuch\r", "webhook-send", "x"],
    ] {
        let code = if args.len() == 1 || args.contains(&"-t") { 2 } else { 3 };
        assert!(named(args, code), "{args:?}");
    }
    for attach in [&["--attach", "nofile.txt\r"][..], &["--attach=no file.txt\r"]] {
        assert!(named(&[&["webhook-send", "x"], attach].concat(), 6), "{attach:?}");
        assert!(named(&[&["run"], attach, &["--", "/bin/sh", "-c", "exit 4"]].concat(), 4), "{attach:?}");
    }
    assert!(!named(&["webhook-send", "x\r", "--attach", "nofile.txt"], 6));
    // The text may end with one: it is not what the error is about.
    assert!(!named(&["webhook-send", "--image", "nofile.png", "--title", "x\r"], 3));
    let run = scene.bare(&["run", "--", "nosuch\r"]).base_url(&scene.wecom).webhook().run().assert_code(127);
    assert!(run.stderr.contains("Windows line ends"), "{}", run.all());
}

#[test]
fn a_table_that_is_no_profile_is_named_as_one() {
    let env = TestEnv::new();
    let run = env.cmd(["webhook-send", "x"]).config("[main]\nwebhook = \"x\"\n").run().assert_code(3);
    assert!(run.stderr.contains("config.toml:1:2: unknown key [main]: a profile is below `profiles`"), "{}", run.all());
    assert!(run.stderr.contains("hint: write [profiles.main]\n"), "{}", run.all());
}

#[test]
fn durations_are_read_as_people_write_them() {
    let scene = Scene::new();
    for duration in ["1d", "2h30m", "10min", "1m30s", "90s", "1500ms"] {
        scene.group(&["--deadline", duration, "hello"]).run().assert_code(0);
    }
    let told = assert_document(&scene.group(&["--deadline", "90", "x"]).run(), "90", 2, &json!({}));
    assert_says(&told, "90", "message", &["no unit"]);
    assert_says(&told, "90", "hint", &["`10s`", "`2h30m`", "`1d`"]);
}

/// What waits for somebody at the keyboard says so.
#[test]
fn reading_from_a_terminal_is_said() {
    if !needs_terminal() {
        return;
    }
    let env = TestEnv::new();
    let program = env!("CARGO_BIN_EXE_wecom-alert");
    for (args, waits) in [
        ("webhook-send --from alertmanager", true),
        ("webhook-send --text-file -", true),
        ("webhook-send --payload -", true),
        ("webhook-send -q --text-file -", false),
        ("webhook-send hello", false),
    ] {
        let mut command = std::process::Command::new("script");
        command.args(["-qec", &format!("'{program}' --dry-run {args}"), "/dev/null"]).env_clear();
        command.env("PATH", "/usr/bin:/bin").env("HOME", env.home()).env("SHELL", "/bin/sh");
        // `script` types what it reads here: nothing, and the end of it.
        let output = command.stdin(std::process::Stdio::null()).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert_eq!(text.contains("reading from the terminal; Ctrl-D"), waits, "{args}: {text}");
    }
}
