//! `to_user_command`: a program that says who gets it now, and whose failure keeps no alert back.

use serde_json::json;

use super::{LISI, touser};
use crate::document::{assert_document, assert_says, warnings};
use crate::support::{Scene, is_alive, needs};

/// A profile whose roster is this shell script.
fn scene(script: &str, keys: &str) -> Scene {
    use std::os::unix::fs::PermissionsExt;
    let scene = Scene::new().profile("ops", &format!("to_user_command = [\"./duty\", \"a b\"]\n{keys}"));
    let path = scene.env.config_file().parent().unwrap().join("duty");
    let path = scene.env.file(path, format!("#!/bin/sh\n{script}\n"));
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    scene
}

fn send(scene: &Scene, args: &[&str]) -> crate::support::Run {
    scene.cmd(&["app-send", "-P", "ops", "disk full"]).args(args).run()
}

#[test]
fn whom_it_prints_gets_it() {
    for (printed, expected) in [
        ("lisi", "lisi"),
        ("lisi,wangwu", "lisi|wangwu"),
        ("lisi\nwangwu\n", "lisi|wangwu"),
        ("  lisi | wangwu  ", "lisi|wangwu"),
        ("lisi wangwu lisi", "lisi|wangwu"),
    ] {
        let scene =
            scene(&format!("[ \"$1\" = 'a b' ] && [ -z \"$(cat)\" ] && printf '{printed}'"), "to_user = \"zhangsan\"");
        assert_document(&send(&scene, &[]), printed, 0, &json!({"status": "sent", "warnings": []}));
        assert_eq!(touser(&scene), [expected], "{printed:?}");
    }
}

#[test]
fn it_runs_only_where_nobody_else_is_named() {
    let scene = scene("touch was-run; echo wangwu", "to_user = \"zhangsan\"");
    let was_run = || ["was-run", ".config/wecom-alert/was-run"].iter().any(|name| scene.env.home().join(name).exists());
    send(&scene, &["-u", "lisi"]).assert_code(0);
    send(&scene, &["--to-mobile", LISI]).assert_code(0);
    let payload = scene.env.file("p.json", r#"{"msgtype": "text", "touser": "lisi", "text": {"content": "hi"}}"#);
    scene.cmd(&["app-send", "-P", "ops", "--payload"]).arg(&payload).run().assert_code(0);
    let cmd = scene.cmd(&["app-send", "-P", "ops", "disk full"]).env("WECOM_ALERT_TO_USER", "lisi");
    cmd.run().assert_code(0);
    scene.group(&["-P", "ops", "disk full"]).run().assert_code(0);
    let run = send(&scene, &["--dry-run"]);
    let document = assert_document(&run, "dry run", 0, &json!({"status": "dry_run"}));
    assert!(warnings(&document).iter().any(|warning| warning.contains("not run in a dry run")), "{document}");
    assert!(!was_run());
    assert!(touser(&scene).iter().all(|to| *to == "lisi" || to.is_null()), "{:?}", touser(&scene));
}

#[test]
fn its_failure_never_keeps_an_alert_back() {
    for (case, script, told) in [
        ("fails", "echo lisi; exit 7", "exit code 7"),
        ("prints nothing", "exit 0", "prints nothing"),
        ("prints names", "echo 李四", "no userid"),
        ("prints an error page", "echo '<html> not found'", "no userid"),
        ("prints everybody", "echo @all", "no userid"),
        ("prints a number", "echo 13800000001", "is a mobile number"),
        ("prints no text", "printf '\\377'", "UTF-8"),
        ("prints without end", "yes", "64 KiB"),
        ("is killed", "kill -9 $$", "signal"),
    ] {
        let scene = scene(script, "to_user = \"zhangsan\"");
        let document = assert_document(&send(&scene, &[]), case, 0, &json!({"status": "sent"}));
        let warned = warnings(&document);
        let is_told = |warning: &&str| {
            warning.contains(told)
                && warning.contains("to_user_command")
                && warning.ends_with("the alert goes to to_user")
        };
        assert!(warned.iter().any(is_told), "{case}: {warned:?}");
        assert_eq!(touser(&scene), ["zhangsan"], "{case}");
    }
}

#[test]
fn one_that_cannot_be_started_or_hangs_is_no_different() {
    let scene = Scene::new().profile("ops", "to_user_command = [\"no-such-program-anywhere\"]\nto_user = \"zhangsan\"");
    let document = assert_document(&send(&scene, &[]), "missing", 0, &json!({"status": "sent"}));
    assert!(warnings(&document)[0].contains("cannot be started"), "{document}");
    let scene = self::scene("echo $$ > ~/pid; exec sleep 300", "to_user = \"zhangsan\"");
    let document = assert_document(&send(&scene, &["--deadline", "2s"]), "hangs", 0, &json!({"status": "sent"}));
    assert!(warnings(&document)[0].contains("had not ended after 500ms"), "{document}");
    let pid = std::fs::read_to_string(scene.env.home().join("pid")).unwrap();
    assert!(!is_alive(pid.trim().parse().unwrap()));
}

#[test]
fn without_to_user_the_failure_is_told() {
    let scene = scene("exit 7", "");
    let document = assert_document(&send(&scene, &[]), "alone", 3, &json!({"status": "config", "attempts": 0}));
    assert_says(&document, "alone", "message", &["there is no recipient", "to_user_command", "exit code 7"]);
    assert_eq!(scene.sends(), 0);
    let scene = self::scene("exit 7", "to_party = 2");
    let document = assert_document(&send(&scene, &[]), "a department", 0, &json!({"status": "sent"}));
    assert!(warnings(&document)[0].contains("the other recipients get it"), "{document}");
    let scene = self::scene("echo lisi 王五", "");
    let document = assert_document(&send(&scene, &[]), "one of two", 0, &json!({"status": "sent"}));
    assert!(warnings(&document)[0].contains("the others get it"), "{document}");
    assert_eq!(touser(&scene), ["lisi"]);
}

#[test]
fn a_further_target_has_its_own() {
    let scene = scene("echo wangwu", "");
    let run = scene.app(&["disk full", "--also", "ops:app"]).run();
    assert_document(&run, "also", 0, &json!({"status": "sent", "warnings": []}));
    let mut to = touser(&scene);
    to.sort_by_key(ToString::to_string);
    assert_eq!(to, ["wangwu", "zhangsan"]);
}

#[test]
fn run_uses_it() {
    let scene = scene("echo wangwu", "");
    let run = scene.cmd(&["run", "-P", "ops", "--route", "app", "--"]).args(["/bin/sh", "-c", "exit 3"]).run();
    assert_eq!(run.assert_code(3).json()["status"], "sent");
    assert_eq!(touser(&scene), ["wangwu"]);
}

/// What the program said before it failed is told, on one line and without what a terminal would obey.
#[test]
fn a_failing_roster_is_quoted() {
    for (script, said) in [
        ("echo trying >&2; echo 'sorry: database down' >&2; exit 3", "exit code 3, and said: sorry: database down"),
        ("printf 'a\\033[31mb\\n\\n' >&2; exit 3", "exit code 3, and said: a"),
        ("head -c 100000 /dev/zero | tr '\\0' x >&2; echo >&2; echo last >&2; exit 3", "exit code 3, and said: last"),
        ("echo lisi; exit 3", "exit code 3: "),
    ] {
        let told = assert_document(&send(&scene(script, "to_user = \"zhangsan\""), &[]), script, 0, &json!({}));
        let warning = told["warnings"][0].as_str().unwrap();
        assert!(warning.contains(said) && !warning.contains('\u{1b}'), "{warning}");
        assert!(!warning.contains("trying") && !warning.contains("lisi"), "{warning}");
    }
    let secret = "webhook_command = [\"sh\", \"-c\", \"echo not-to-be-told >&2; exit 3\"]";
    let scene = Scene::new().profile("ops", secret);
    let run = scene.bare(&["webhook-send", "-P", "ops", "hi"]).base_url(&scene.wecom).run().assert_code(3);
    assert!(run.stderr.contains("exit code 3") && !run.stderr.contains("not-to-be-told"), "{}", run.all());
}

#[test]
fn run_warns_before_the_command_that_the_program_is_missing() {
    let missing = "to_user_command = [\"no-such-program-anywhere\"]";
    let scene = Scene::new()
        .profile("ops", &format!("{missing}\nto_user = \"lisi\""))
        .profile("alone", missing)
        .profile("good", "to_user_command = [\"sh\", \"-c\", \"touch was-run; echo lisi\"]");
    let run = |profile: &str, route: &str| {
        let cmd = scene.bare(&["run", "-P", profile, "--route", route, "--", "/bin/sh", "-c", "echo begun >&2"]);
        let run = cmd.base_url(&scene.wecom).app_credentials().webhook().run().assert_code(0);
        run.stderr.split_once("begun").unwrap().0.to_owned()
    };
    for (profile, told) in [("ops", "the alert goes to to_user\n"), ("alone", "nobody would be told of its failure\n")]
    {
        let before = run(profile, "app");
        assert!(before.contains("no-such-program-anywhere") && before.contains("cannot be started"), "{before}");
        assert!(before.ends_with(told), "{before}");
        assert_eq!(before.lines().count(), 1, "{before}");
        assert_eq!(run(profile, "webhook"), "", "it is of no use there");
    }
    assert_eq!(run("good", "app"), "");
    assert!(!scene.env.home().join("was-run").exists(), "it is run only for an alert");
}

#[test]
fn check_runs_it() {
    let named = |scene: &Scene, code: i32, name: &str| {
        let document = scene.cmd(&["check", "--route", "app", "-P", "ops"]).run().assert_code(code).json();
        let rows = document["checks"].as_array().unwrap().clone();
        rows.into_iter().find(|row| row["name"] == name).unwrap()
    };
    let row = |scene: &Scene, code: i32| named(scene, code, "to_user_command");
    let good = row(&scene("echo lisi", ""), 0);
    assert_eq!((&good["status"], &good["detail"]), (&json!("ok"), &json!("it prints lisi")));
    let failing = row(&scene("exit 7", "to_user = \"zhangsan\""), 0);
    assert_eq!(failing["status"], "warning", "{failing}");
    let alone = row(&scene("exit 7", ""), 3);
    assert_eq!(alone["status"], "failed", "{alone}");
    let recipients = named(&scene("exit 7", ""), 3, "recipients");
    assert_eq!(recipients["status"], "skipped", "{recipients}");
    assert!(recipients["detail"].as_str().unwrap().starts_with("nobody is named"), "{recipients}");
}

/// The example that comes with the program.
#[test]
fn the_roster_of_the_examples_names_who_is_on_duty() {
    if !needs("awk") {
        return;
    }
    let roster = "# from, who\n2020-01-06 zhangsan\n2020-01-13 lisi,wangwu\n\n2999-01-01 nobody\n";
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/duty-roster.sh");
    let scene = Scene::new();
    let file = scene.env.file("roster", roster);
    let scene = scene.profile("ops", &format!("to_user_command = [\"sh\", {script:?}, {file:?}]"));
    assert_document(&send(&scene, &[]), "example", 0, &json!({"status": "sent", "warnings": []}));
    assert_eq!(touser(&scene), ["lisi|wangwu"]);
    for (line, expected) in [
        ("2020-01-13 lisi, wangwu", "lisi|wangwu"),
        ("2020-01-13\tlisi wangwu\r", "lisi|wangwu"),
        ("2020-01-13 lisi ,wangwu,zhangsan", "lisi|wangwu|zhangsan"),
    ] {
        std::fs::write(&file, format!("2020-01-06 zhangsan\n{line}\n2999-01-01 nobody\n")).unwrap();
        assert_document(&send(&scene, &[]), line, 0, &json!({"status": "sent", "warnings": []}));
        assert_eq!(touser(&scene).last().unwrap(), expected, "{line:?}");
    }
    std::fs::write(&file, "2999-01-01 nobody\n").unwrap();
    assert_document(&send(&scene, &[]), "nobody yet", 3, &json!({"status": "config"}));
}
