//! What an alert says, and by whom it goes out.

use serde_json::{Value, json};

use super::{assert_silent, assert_told, has, run_command, sh};
use crate::support::Scene;
use crate::support::fake::Endpoint;

#[test]
fn the_alert_has_command_exit_code_and_output() {
    let scene = Scene::new();
    sh(&scene, &[], "echo one; echo two >&2; exit 3").run().assert_code(3);
    let text = assert_told(
        &scene,
        &[
            "[CRITICAL] sh failed: exit code 3\n",
            "host: ",
            "command: /bin/sh -c 'echo one; echo two >&2; exit 3'\n",
            "exit code: 3\n",
            "duration: ",
            "started: 20",
        ],
    );
    // Which of two pipes is read first nobody can say.
    let has_line = |wanted: &str| text.lines().any(|line| line == wanted);
    assert!(has_line("one") && has_line("two") && !text.contains("lines]"), "{text}");
}

#[test]
fn options_override_or_extend_the_alert() {
    let scene = Scene::new();
    let options =
        ["--title", "no backup", "--level", "warning", "--field", "team=storage", "--prefix", "[test]", "--name", "x"];
    sh(&scene, &options, "exit 3").run().assert_code(3);
    let text = assert_told(&scene, &["[test] [WARNING] no backup\n", "team: storage", "exit code: 3"]);
    assert!(!text.contains("failed"), "{text}");
}

#[test]
fn both_routes_and_the_best_type() {
    for (route, endpoint) in [("app", Endpoint::MessageSend), ("webhook", Endpoint::WebhookSend)] {
        let scene = Scene::new();
        let args = ["run", "--route", route, "-u", "zhangsan", "--", "/bin/sh", "-c", "echo '<b> *x* `y`'; exit 3"];
        scene.env.cmd(args).base_url(&scene.wecom).app_credentials().webhook().run().assert_code(3);
        assert_eq!(scene.wecom.count(endpoint), 1, "{route}");
        let message = &scene.wecom.messages()[0];
        assert!(message.msgtype.starts_with("markdown"), "{route}: {}", message.msgtype);
        assert!(message.payload()["content"].as_str().unwrap().contains("sh failed: exit code 3"), "{route}");
    }
}

#[test]
fn the_route_is_the_one_that_the_profile_has() {
    let scene = Scene::new();
    let cmd = scene.env.cmd(["run", "-u", "zhangsan", "-t", "text", "--", "false"]).base_url(&scene.wecom);
    cmd.app_credentials().run().assert_code(1);
    assert_eq!(scene.wecom.count(Endpoint::MessageSend), 1);
    // With both it is the webhook, unless somebody is named: an alert is not lost for want of an answer.
    for (args, apps, groups) in [(&[][..], 1, 1), (&["-u", "zhangsan"], 2, 1)] {
        let cmd = scene.env.cmd(["run", "-t", "text"]).args(args.iter().copied()).args(["--", "false"]);
        let cmd = cmd.base_url(&scene.wecom).app_credentials().webhook().env("WECOM_ALERT_TO_USER", "lisi");
        cmd.run().assert_code(1);
        let sends = [Endpoint::MessageSend, Endpoint::WebhookSend].map(|endpoint| scene.wecom.count(endpoint));
        assert_eq!(sends, [apps, groups], "{args:?}");
    }
}

#[test]
fn the_tail_is_bounded_and_says_so() {
    let scene = Scene::new();
    let script = "i=1; while [ $i -le 500 ]; do echo line-$i; i=$((i+1)); done; exit 3";
    sh(&scene, &["--tail-lines", "3"], script).run().assert_code(3);
    let text = assert_told(&scene, &["[last 3 of 500 lines]\nline-498\nline-499\nline-500"]);
    assert!(!text.contains("line-497"), "{text}");
    let scene = Scene::new();
    sh(&scene, &["--tail-lines", "0"], script).run().assert_code(3);
    let text = assert_told(&scene, &["exit code 3"]);
    assert!(!text.contains("line-500") && !text.contains("lines]"), "{text}");
}

#[test]
fn colours_progress_and_other_encodings_are_made_readable() {
    let scene = Scene::new();
    scene.env.file("gbk", b"\xb4\xc5\xc5\xcc\xd2\xd1\xc2\xfa\n");
    let script = r"printf '\033[31mred\033[0m\n'; printf '10%%\r20%%\r100%%\n'; cat gbk; printf 'a\000b\n'; exit 3";
    sh(&scene, &[], script).stdout_into(&std::fs::File::create("/dev/null").unwrap()).run().assert_code(3);
    let text = assert_told(&scene, &["\nred\n100%\n磁盘已满\nab"]);
    assert!(!text.contains("\n20%"), "{text}");
}

#[test]
fn output_of_white_space_alone_is_none() {
    let scene = Scene::new();
    sh(&scene, &[], "echo; echo '  '; exit 3").run().assert_code(3);
    let text = assert_told(&scene, &["exit code 3"]);
    assert!(text.lines().last().unwrap().starts_with("started: "), "{text}");
}

#[test]
fn what_looks_like_a_secret_is_not_told() {
    let scene = Scene::new();
    let script = "echo \"key $WECOM_ALERT_WEBHOOK\" > said; cat said; exit 3";
    let options = ["sh", "-c", script, "--password=hunter2", "https://me:hunter2@db.example/"];
    let null = std::fs::File::create("/dev/null").unwrap();
    run_command(&scene, &[], &options).stdout_into(&null).run().assert_code(3);
    let text = assert_told(&scene, &["--password=***", "https://***@db.example/", "key ***"]);
    assert!(!text.contains("hunter2"), "{text}");
}

#[test]
fn files_can_be_attached_that_the_command_has_made() {
    let scene = Scene::new();
    let script = "echo report > report.txt; exit 3";
    sh(&scene, &["--attach", "report.txt"], script).run().assert_code(3);
    let types: Vec<_> = scene.wecom.messages().iter().map(|message| message.msgtype.clone()).collect();
    assert_eq!(types, ["text", "file"]);
    // Where none is due, nobody asks for it.
    let scene = Scene::new();
    super::assert_says_only(&sh(&scene, &["--attach", "report.txt"], "exit 0").run(), 0, "", "");
}

#[test]
fn further_targets_get_it_too() {
    let scene = Scene::new();
    let config = "[profiles.ops]\ncorp_id = 'ww0000000000000000'\nwebhook_file = 'key'\n";
    let key = crate::support::fake::WEBHOOK_KEY;
    scene.env.file("key", key);
    let config = config.replace("'key'", &format!("'{}'", scene.env.home().join("key").display()));
    sh(&scene, &["--also", "ops:webhook"], "exit 3").config(&config).run().assert_code(3);
    assert_eq!(scene.texts().len(), 2);
}

/// What the last line of stdout is, as JSON.
fn document(stdout: &str) -> Value {
    serde_json::from_str(stdout.lines().last().unwrap()).unwrap()
}

#[test]
fn the_document_is_the_last_line() {
    let scene = Scene::new();
    let run = sh(&scene, &["--output", "json", "--name", "nightly"], "echo out; echo err >&2; exit 3").run();
    assert_eq!((run.code, run.stderr.as_str()), (Some(3), "err\n"), "{}", run.all());
    assert!(run.stdout.starts_with("out\n{") && run.stdout.lines().count() == 2, "{}", run.all());
    let told = document(&run.stdout);
    assert_eq!((&told["ok"], &told["exit_code"], &told["status"]), (&json!(true), &json!(0), &json!("sent")));
    let run = told["run"].as_object().unwrap();
    for (field, value) in [
        ("name", json!("nightly")),
        ("command", json!("/bin/sh -c 'echo out; echo err >&2; exit 3'")),
        ("exit_code", json!(3)),
        ("signal", json!(null)),
        ("timed_out", json!(false)),
        ("could_start", json!(true)),
        ("message", json!(null)),
        ("alerted", json!(true)),
    ] {
        assert_eq!(run[field], value, "{field}");
    }
    assert!(run["duration_ms"].is_u64() && run["started"].as_str().unwrap().starts_with("20"));
}

#[test]
fn the_document_tells_each_end() {
    for (options, command, code, expected) in [
        (&[][..], &["true"][..], 0, json!({"exit_code": 0, "alerted": false})),
        (&["--on", "always"], &["true"], 0, json!({"exit_code": 0, "alerted": true})),
        (&[], &["sh", "-c", "kill -KILL $$"], 137, json!({"exit_code": 137, "signal": "SIGKILL", "alerted": true})),
        (&["--time-limit", "200ms"], &["sleep", "60"], 124, json!({"exit_code": 124, "timed_out": true})),
        (&[], &["/no/such"], 127, json!({"exit_code": 127, "could_start": false, "alerted": true})),
    ] {
        let args: Vec<&str> = options.iter().copied().chain(["--output", "json"]).collect();
        let scene = Scene::new();
        let run = run_command(&scene, &args, command).run();
        assert_eq!((run.code, run.stdout.lines().count()), (Some(code), 1), "{}", run.all());
        let told = document(&run.stdout);
        for (field, value) in expected.as_object().unwrap() {
            assert_eq!(told["run"][field], *value, "{command:?} {field}: {told:#}");
        }
        let status = if told["run"]["alerted"] == json!(true) { "sent" } else { "skipped" };
        assert_eq!(told["status"], status, "{told:#}");
    }
}

#[test]
fn a_dry_run_runs_nothing_and_shows_what_a_failure_would_send() {
    let scene = Scene::new();
    let run = sh(&scene, &["--dry-run", "--name", "nightly"], "touch ran").run().assert_code(0);
    assert!(run.stdout.contains("nightly failed: exit code 1") && run.stdout.starts_with("POST "), "{}", run.all());
    assert!(!has(&scene, "ran"));
    assert_silent(&scene);
}

/// What a command prints on one line, and how the alert shows it.
#[test]
fn of_a_very_long_line_both_ends_are_told() {
    const MARK: &str = " bytes left out …]";
    let gbk = |text: &str| encoding_rs::GB18030.encode(text).0.into_owned();
    let json = format!("{{\"level\":\"error\",\"msg\":\"disk full\",\"trace\":\"{}\",\"id\":7}}", "x".repeat(20_000));
    let chinese = "错误".repeat(5_000);
    for (bytes, unit, head, tail) in [
        (format!("HEAD{}TAIL\n", "z".repeat(9_000)).into_bytes(), "z", "HEADzzz", "zzzTAIL"),
        (json.into_bytes(), "x", "{\"level\":\"error\",\"msg\":\"disk full\",\"trace\":\"xxx", "xxx\",\"id\":7}"),
        (chinese.clone().into_bytes(), "错误", "错误", "错误"),
        (format!("a{chinese}b\n").into_bytes(), "错误", "a错误", "错误b"),
        (gbk(&format!("{chinese}y\n")), "错误", "错误", "错误y"),
        (gbk(&format!("行 {chinese}\n结束")), "错误", "行 错误", "错误\n结束"),
    ] {
        let scene = Scene::new();
        scene.env.file("bytes", &bytes);
        let passed_on = std::fs::File::create(scene.env.home().join("passed on")).unwrap();
        for (msgtype, body) in [("text", "\n\n"), ("markdown", "\n\n")] {
            let before = scene.wecom.messages().len();
            let cmd = scene.env.cmd(["run", "-t", msgtype, "--", "/bin/sh", "-c", "cat bytes; exit 3"]);
            cmd.base_url(&scene.wecom).webhook().stdout_into(&passed_on).run().assert_code(3);
            let messages = scene.wecom.messages().split_off(before);
            let [message] = &messages[..] else { panic!("{} messages", messages.len()) };
            let text = message.body[msgtype]["content"].as_str().unwrap();
            let (_, shown) = text.split_once(body).unwrap();
            assert!(text.len() <= 2048 && !text.contains('\u{fffd}') && !text.contains("(1/"), "{text}");
            let (start, rest) = shown.split_once("[… ").unwrap();
            let (missing, end) = rest.split_once(MARK).unwrap();
            assert!(start.starts_with(head) && end.ends_with(tail), "{text}");
            let is_whole = |piece: &str| piece.matches(unit).count() * unit.len() >= piece.len() - 60;
            assert!(is_whole(start) && is_whole(end) && start.len() > 500, "{text}");
            // Characters of GBK are two bytes, in UTF-8 three.
            let kept = if bytes.contains(&0xb4) { start.len() + end.len() } else { 0 };
            let missing: usize = missing.parse().unwrap();
            assert!(missing < bytes.len() && (kept == 0 || missing > bytes.len() - kept), "{missing} of {text}");
        }
    }
}

/// Lines up to 4 KiB are whole, others do not push them out.
#[test]
fn a_very_long_line_leaves_the_others_room() {
    let scene = Scene::new();
    let script = "echo first; head -c 1000000 /dev/zero | tr '\\0' x; echo; echo '<@lisi> last'; exit 1";
    sh(&scene, &[], script).run().assert_code(1);
    let text = assert_told(&scene, &["\n\nfirst\nxxx", "x[… 998976 bytes left out …]x", "xxx\n<\u{200b}@lisi> last"]);
    assert!(!text.contains("lines]"), "{text}");
}
