//! Nothing that decides depends on the language.

use serde_json::json;

use super::{in_language, new_scene};
use crate::document::assert_document;
use crate::support::{Cmd, Scene};

/// One alert in English and then in Chinese: the second is held back, and the other way round.
fn check_is_held_back(case: &str, cmd: impl Fn(&Scene) -> Cmd) {
    for languages in [["en", "zh"], ["zh", "en"]] {
        let scene = new_scene();
        for (language, status) in languages.into_iter().zip(["sent", "skipped"]) {
            let cmd = in_language(cmd(&scene), language).args(["--cooldown", "1h"]);
            assert_document(&cmd.run(), case, 0, &json!({"status": status, "warnings": []}));
        }
    }
}

#[test]
fn an_alert_is_held_back_in_another_language() {
    let fields = ["--title", "Disk full", "--level", "critical", "--field", "disk=/", "98 %"];
    check_is_held_back("fields", |scene| scene.group(&fields));
    check_is_held_back("a card", |scene| {
        let args = ["--card", "vote_interaction", "--option", "1=One", "--title", "Which?", "--source", "Disks"];
        scene.app(&args)
    });
    let told = json!({"version": "4", "status": "firing", "truncatedAlerts": 2, "externalURL": "https://example.com",
        "alerts": [{"status": "firing", "labels": {"alertname": "A"}, "startsAt": "2026-03-01T10:00:00Z"}]});
    check_is_held_back("a notification", |scene| scene.group(&["--from", "alertmanager"]).stdin(told.to_string()));
    check_is_held_back("a CI run", |scene| {
        let cmd = scene.group(&["--ci=auto", "see the log"]).env("GITHUB_ACTIONS", "true").env("GITHUB_REF", "main");
        cmd.env("GITHUB_JOB", "tests").env("GITHUB_REPOSITORY", "ops/shop")
    });
    // In one language it has room in a type that it has no room in in the other.
    for length in 100..128 {
        let title = "t".repeat(length);
        let args = ["--level", "warning", "--title", &title, "--url", "https://example.com/1", "text"];
        check_is_held_back(&format!("{length} bytes"), |scene| scene.app(&args));
    }
}

#[test]
fn a_text_with_a_gap_is_held_back_in_another_language() {
    let text = "1234567\n".repeat(2_700_000);
    let scene = new_scene();
    for (language, status) in [("zh", "sent"), ("en", "skipped")] {
        let cmd = scene.group(&["--cooldown", "1h", "--on-long", "truncate"]).stdin(text.clone());
        assert_document(&in_language(cmd, language).run(), language, 0, &json!({"status": status}));
    }
    assert!(scene.texts()[0].contains("【此处省略 "), "{:?}", scene.texts());
}

#[test]
fn a_change_is_one_in_every_language() {
    let scene = new_scene();
    let run = |language: &str, code: &str| {
        let cmd = scene.cmd(&["run", "-t", "text", "--on", "change", "--", "/bin/sh", "-c", code, "job"]);
        in_language(cmd, language).run();
        scene.texts().len()
    };
    // The command is the same: whether it fails depends on a file.
    let script = "test -e fixed || exit 3";
    assert_eq!([run("en", script), run("zh", script), run("en", script)], [1, 1, 1]);
    scene.env.file("fixed", "");
    assert_eq!([run("zh", script), run("en", script)], [2, 2]);
    let texts = scene.texts();
    assert!(texts[0].starts_with("[CRITICAL] sh failed: exit code 3\n"), "{texts:?}");
    assert!(texts[1].starts_with("【正常】sh 已恢复\n"), "{texts:?}");
}

#[test]
fn repeats_of_a_command_are_held_back_in_another_language() {
    let scene = new_scene();
    for (language, status) in [("zh", "sent"), ("en", "skipped"), ("zh", "skipped")] {
        let cmd = scene.cmd(&["run", "--cooldown", "1h", "--", "/bin/sh", "-c", "exit 3"]);
        let told = in_language(cmd, language).run().json();
        assert_eq!(told["status"], status, "{language}: {told}");
    }
}

/// What programs read is the same.
#[test]
fn results_are_english_in_every_language() {
    let results = ["en", "zh"].map(|language| {
        let scene = new_scene();
        let cmd = scene.cmd(&["run", "--attach", "none.txt", "--", "no-such-program"]);
        let mut told = in_language(cmd, language).run().json();
        for varying in ["started", "duration_ms"] {
            told["run"][varying] = json!(null);
        }
        told["duration_ms"] = json!(null);
        told
    });
    assert_eq!(results[0], results[1]);
}
