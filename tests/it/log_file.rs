//! `--log-file`: a line of JSON for each command, without its text and without secrets, and in nobody's way.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::document::assert_document;
use crate::results::{Way, document};
use crate::support::fake::{Endpoint, Reply, SECRET, WEBHOOK_KEY};
use crate::support::{Cmd, Scene, at_once, make_fifo, send_signal, wait_until};

/// As other programs compute it of `disk full`.
const SHA256: &str = "8c96d76f620269be0f4cbc27e6cb594426729e32474260ef82eb6fc24b2cba2f";

fn log_file(scene: &Scene) -> PathBuf {
    scene.env.home().join("alerts.log")
}

/// A command that writes the log.
fn logged(scene: &Scene, args: &[&str]) -> Cmd {
    scene.cmd(args).arg("--log-file").arg(log_file(scene))
}

/// The lines of the log, which must be whole; nothing that must not be told is in it.
#[track_caller]
fn lines(scene: &Scene) -> Vec<Value> {
    let text = std::fs::read_to_string(log_file(scene)).unwrap();
    assert!(text.ends_with('\n'), "{text}");
    let secrets = [SECRET, WEBHOOK_KEY].map(str::to_owned).into_iter().chain(scene.wecom.secrets().tokens());
    for hidden in secrets.chain(["disk full".to_owned(), "disk".to_owned()]) {
        assert!(!text.contains(&hidden), "{hidden} is in the log:\n{text}");
    }
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
}

#[track_caller]
fn last(scene: &Scene) -> Value {
    lines(scene).pop().unwrap()
}

#[track_caller]
fn assert_fields(line: &Value, expected: &Value) {
    for (field, value) in expected.as_object().unwrap() {
        assert_eq!(line.get(field), Some(value), "{field} of {line}");
    }
}

#[test]
fn a_log_line_has_every_field() {
    let scene = Scene::new();
    let running = logged(&scene, &["app-send", "-u", "zhangsan", "disk full"]).spawn();
    let pid = running.id();
    let told = document(&running.wait().assert_code(0));
    let line = last(&scene);
    let mut fields: Vec<_> = line.as_object().unwrap().keys().map(String::as_str).collect();
    fields.sort_unstable();
    let expected = [
        "attempts",
        "bytes",
        "command",
        "errcode",
        "exit_code",
        "message",
        "ms",
        "msgids",
        "outbox_id",
        "pid",
        "profile",
        "route",
        "sha256",
        "status",
        "targets",
        "time",
        "type",
    ];
    assert_eq!(fields, expected);
    let expected = json!({
        "pid": pid, "command": "app-send", "profile": null, "route": "app", "type": "text", "bytes": 9,
        "sha256": SHA256, "status": "sent", "exit_code": 0, "errcode": 0, "message": null, "attempts": 1,
        "msgids": [told["parts"][0]["msgid"]], "outbox_id": null, "targets": [],
    });
    assert_fields(&line, &expected);
    let time = line["time"].as_str().unwrap();
    assert!(chrono::DateTime::parse_from_rfc3339(time).is_ok() && line["ms"].is_u64(), "{line}");
}

/// Why it failed, without what WeCom quotes or the command line says.
#[test]
fn a_failure_is_logged_with_its_reason() {
    let scene = Scene::new();
    let why = |args: &[&str], code: i32| {
        logged(&scene, args).run().assert_code(code);
        last(&scene)["message"].as_str().unwrap().to_owned()
    };
    assert_eq!(
        why(&["webhook-send", "--no-such-option", "disk full"], 2),
        "unexpected argument '--no-such-option' found"
    );
    assert_eq!(why(&["webhook-send", "disk", "full"], 2), "unexpected argument '…' found");
    assert_eq!(why(&["webhook-send", " "], 2), "the text is empty: CONTENT, the argument, has only white space in it");
    assert!(why(&["webhook-send", "disk full", "--attach=disk full", "--dry-run"], 3).contains("no file"));
    scene.wecom.script(Endpoint::WebhookSend, [Reply::errcode(93000, "invalid webhook url: disk full")]);
    assert_eq!(
        why(&["webhook-send", "disk full"], 4),
        "WeCom answered 93000: the webhook is invalid, or was removed from its group"
    );
    scene.wecom.script(Endpoint::WebhookSend, [Reply::status(502)]);
    assert!(why(&["webhook-send", "disk full"], 7).contains("HTTP 502"));
}

#[test]
fn every_command_is_logged_in_one_line() {
    let scene = Scene::new();
    let file = scene.env.file("report.txt", "a report of more than five bytes");
    let file = file.to_str().unwrap();
    let nothing = json!({"type": null, "bytes": null, "sha256": null, "msgids": [], "attempts": 0});
    let cases: [(&[&str], i32, Value); 9] = [
        (
            &["webhook-send", "-t", "markdown", "disk full"],
            0,
            json!({"command": "webhook-send", "route": "webhook", "type": "markdown", "sha256": SHA256, "msgids": []}),
        ),
        (&["webhook-send", "--file", file], 0, json!({"type": "file", "status": "sent"})),
        (&["webhook-send", "--skip-empty", " "], 0, json!({"status": "skipped", "type": null, "sha256": null})),
        (&["webhook-send", "--dry-run", "disk full"], 0, json!({"status": "dry_run", "sha256": SHA256, "attempts": 0})),
        (&["webhook-send", ""], 2, json!({"status": "usage", "exit_code": 2, "route": "webhook"})),
        (&["webhook-send", "--no-such-option", "disk full"], 2, json!({"command": "webhook-send", "status": "usage"})),
        (&["webhook-send", "--deadline", "soon", "disk full"], 2, json!({"status": "usage", "exit_code": 2})),
        (&["webhook-send", "-P", "nosuch", "disk full"], 3, json!({"status": "config", "profile": "nosuch"})),
        (
            &["upload-media", "--route", "webhook", file],
            0,
            json!({"command": "upload-media", "status": "ok", "type": null}),
        ),
    ];
    for (at, (args, code, expected)) in cases.iter().enumerate() {
        logged(&scene, args).run().assert_code(*code);
        let lines = lines(&scene);
        assert_eq!(lines.len(), at + 1, "{args:?}");
        assert_fields(&lines[at], expected);
        assert_eq!(lines[at]["exit_code"], *code, "{args:?}");
    }
    logged(&scene, &["get-token"]).may_show_token().run().assert_code(0);
    assert_fields(&last(&scene), &json!({"command": "get-token", "status": "ok", "route": "app"}));
    assert_fields(&last(&scene), &nothing);
    logged(&scene, &["outbox", "list"]).run().assert_code(0);
    assert_fields(&last(&scene), &json!({"status": "ok", "exit_code": 0}));
    assert_eq!(lines(&scene).len(), cases.len() + 2);
    // What only prints help is no command.
    logged(&scene, &["--version"]).run();
    assert_eq!(lines(&scene).len(), cases.len() + 2);
}

#[test]
fn failures_are_logged_with_their_errcode() {
    let scene = Scene::new();
    for (reply, code, status, errcode) in [
        (Reply::errcode(40201, "spam"), 5, "refused", json!(40201)),
        (Reply::status(502), 7, "temporary", Value::Null),
        (Reply::errcode(93000, "invalid webhook"), 4, "auth", json!(93000)),
    ] {
        scene.wecom.script(Endpoint::WebhookSend, [reply]);
        logged(&scene, &["webhook-send", "disk full"]).run().assert_code(code);
        let expected =
            json!({"status": status, "exit_code": code, "errcode": errcode, "attempts": 1, "sha256": SHA256});
        assert_fields(&last(&scene), &expected);
    }
    scene.wecom.script(Endpoint::WebhookSend, [Reply::status(502)]);
    let told = document(&logged(&scene, &["webhook-send", "--outbox", "disk full"]).run().assert_code(0));
    assert_fields(&last(&scene), &json!({"status": "queued", "outbox_id": told["outbox_id"]}));
    assert!(told["outbox_id"].is_string());
}

#[test]
fn parts_and_targets_share_one_log_line() {
    let scene = Scene::new();
    let config = format!("[profiles.room]\nwebhook = \"{WEBHOOK_KEY}\"\n[profiles.none]\n");
    let text = "disk ".repeat(500);
    let run =
        logged(&scene, &["app-send", "-P", "none", "-u", "zhangsan", "--also", "room", &text]).config(&config).run();
    let told = document(&run.assert_code(0));
    let lines = lines(&scene);
    let ids: Vec<&Value> =
        told["parts"].as_array().unwrap().iter().flat_map(|part| part["msgids"].as_array().unwrap()).collect();
    assert_eq!((lines.len(), ids.len()), (1, 2));
    assert_fields(&lines[0], &json!({"profile": "none", "attempts": 4, "bytes": 2500, "msgids": ids}));
}

#[test]
fn the_file_can_be_named_in_three_ways() {
    let scene = Scene::new();
    let [by_option, by_variable, by_profile] =
        ["option", "variable", "profile"].map(|name| scene.env.home().join(name));
    let config =
        format!("[profiles.room]\nlog_file = {:?}\nwebhook = \"{WEBHOOK_KEY}\"\n", by_profile.to_str().unwrap());
    let count = |path: &Path| std::fs::read_to_string(path).map_or(0, |text| text.lines().count());
    let counts = || [&by_option, &by_variable, &by_profile].map(|path| count(path));
    let cmd = |args: &[&str]| scene.cmd(&["webhook-send"]).args(args).config(&config);
    for (args, code) in
        [(&["disk full"][..], 0), (&["disk full", "--no-such-option"], 2), (&["disk full", "--rate", "x"], 2)]
    {
        let before = counts();
        let more = |own: usize| [0, 1, 2].map(|at| before[at] + usize::from(at >= own));
        cmd(args).run().assert_code(code);
        assert_eq!(counts(), more(2), "{args:?}");
        cmd(args).env("WECOM_ALERT_LOG_FILE", &by_variable).run().assert_code(code);
        assert_eq!(counts(), [before[0], before[1] + 1, before[2] + 1], "{args:?}");
        let named = cmd(args).env("WECOM_ALERT_LOG_FILE", &by_variable).arg("--log-file").arg(&by_option);
        named.run().assert_code(code);
        assert_eq!(counts(), before.map(|count| count + 1), "{args:?}");
    }
}

#[cfg(unix)]
#[test]
fn the_log_is_readable_by_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let scene = Scene::new();
    logged(&scene, &["webhook-send", "disk full"]).run().assert_code(0);
    let mode = || std::fs::metadata(log_file(&scene)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(), 0o600);
    // What its owner made of it stays.
    std::fs::set_permissions(log_file(&scene), PermissionsExt::from_mode(0o640)).unwrap();
    logged(&scene, &["webhook-send", "disk full"]).run().assert_code(0);
    assert_eq!((mode(), lines(&scene).len()), (0o640, 2));
}

#[cfg(unix)]
#[test]
fn an_interrupted_command_is_logged() {
    let scene = Scene::new();
    scene.wecom.script(Endpoint::WebhookSend, [Reply::HangAfterReading]);
    let running = logged(&scene, &["webhook-send", "disk full"]).spawn();
    wait_until("the request", || scene.wecom.count(Endpoint::WebhookSend) == 1);
    send_signal("TERM", running.id());
    running.wait().assert_code(143);
    let expected = json!({"status": "interrupted", "exit_code": 143, "attempts": 1, "sha256": SHA256});
    assert_fields(&last(&scene), &expected);
}

#[test]
fn log_lines_of_concurrent_commands_stay_whole() {
    let scene = Scene::new();
    let mut ids = at_once(0..20, |_| {
        let running = logged(&scene, &["webhook-send", "disk full"]).spawn();
        let id = u64::from(running.id());
        running.wait().assert_code(0);
        id
    });
    let mut told: Vec<u64> = lines(&scene).iter().map(|line| line["pid"].as_u64().unwrap()).collect();
    ids.sort_unstable();
    told.sort_unstable();
    assert_eq!(told, ids);
}

#[test]
fn an_unwritable_log_stops_no_alert() {
    let scene = Scene::new();
    let file = scene.env.file("file", "");
    let mut places = vec![scene.env.home(), file.join("below"), scene.env.home().join("no/such/folder/log")];
    #[cfg(target_os = "linux")]
    {
        let fifo = scene.env.home().join("fifo");
        make_fifo(&fifo);
        // Nobody reads the pipe; on the device there is no room; the last one can be opened by some and written by none.
        places.extend([fifo, "/dev/full".into(), "/proc/version".into()]);
    }
    for (at, place) in places.iter().enumerate() {
        for way in [Way::AppSend, Way::WebhookSend] {
            let run = way.json(&scene.env, &scene.wecom).arg("--log-file").arg(place).run();
            let told = assert_document(&run, &place.display().to_string(), 0, &json!({"status": "sent"}));
            let warnings = told["warnings"].as_array().unwrap();
            assert_eq!(warnings.len(), 1, "{told}");
            let warning = warnings[0].as_str().unwrap();
            assert!(warning.contains("the log file") && warning.contains(place.to_str().unwrap()), "{warning}");
        }
        assert_eq!(scene.wecom.messages().len(), 2 * (at + 1));
    }
    // A usage error stays one, and says both.
    let run = scene.cmd(&["webhook-send", ""]).arg("--log-file").arg(scene.env.home()).run();
    let told = assert_document(&run, "usage", 2, &json!({"status": "usage"}));
    assert!(told["warnings"].to_string().contains("the log file"), "{told}");
}

#[test]
fn each_target_is_in_the_log_line() {
    let scene = Scene::new();
    let config = format!("[profiles.ops]\n[profiles.room]\nwebhook = \"{}\"\n", crate::support::fake::WEBHOOK_KEY);
    scene.wecom.trust_no_ip();
    let args = ["app-send", "-P", "ops", "-u", "zhangsan", "--fallback", "room", "disk full"];
    logged(&scene, &args).config(&config).run().assert_code(0);
    let line = last(&scene);
    let told = json!([
        {"profile": "ops", "route": "app", "status": "auth", "errcode": 60020, "outbox_id": null},
        {"profile": "room", "route": "webhook", "status": "sent", "errcode": 0, "outbox_id": null},
    ]);
    assert_eq!((&line["status"], &line["targets"]), (&json!("sent"), &told), "{line}");
}
