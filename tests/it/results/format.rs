//! The lines for people, the options that change them, and JSON for mistakes that come before anything else.

use serde_json::{Value, json};

use super::{Way, document};
use crate::support::fake::{FakeWecom, Reply, SECRET};
use crate::support::{Run, TestEnv, make_fifo};

/// Names and values.
type Vars<'a> = &'a [(&'a str, &'a str)];

/// Fails unless stderr is the error line and the hint, and nothing else.
fn assert_error(run: &Run, start: &str) {
    let lines: Vec<&str> = run.stderr.lines().collect();
    assert_eq!(lines.len(), 2, "{}", run.all());
    assert!(lines[0].starts_with(start) && lines[0].len() > start.len(), "wanted {start}\n{}", run.all());
    assert!(lines[1].starts_with("hint: ") && lines[1].len() > 10, "{}", run.all());
    assert_eq!(run.stdout, "", "{}", run.all());
}

#[test]
fn an_error_is_one_line_and_a_hint() {
    let (env, wecom) = (TestEnv::new(), FakeWecom::start());
    for way in Way::ALL {
        let command = match way {
            Way::AppSend | Way::TokenToSend => "app-send",
            Way::WebhookSend | Way::UploadToSend => "webhook-send",
            Way::GetToken => "get-token",
            Way::AppUpload | Way::WebhookUpload => "upload-media",
        };
        for (reply, status, code) in [
            (Reply::errcode(60020, "not allow"), "auth", 4),
            (Reply::errcode(40058, "bad"), "refused", 5),
            (Reply::status(502), "temporary", 7),
            (Reply::status(404), "config", 3),
            (Reply::errcode(45009, "too many"), "rate_limited", 8),
        ] {
            wecom.script(way.endpoint(), [reply.clone()]);
            let run = way.cmd(&env).base_url(&wecom).args(["--no-cache", "-q"]).run().assert_code(code);
            assert_error(&run, &format!("wecom-alert: error[{status}]: {command}: "));
            wecom.script(way.endpoint(), [reply]);
            let config = "[profiles.night]\ntimeout = \"9s\"\n";
            let run = way.cmd(&env).base_url(&wecom).arg("--no-cache").config(config).run().assert_code(code);
            std::fs::remove_file(env.config_file()).unwrap();
            assert_error(&run, &format!("wecom-alert: error[{status}]: {command} (profile night): "));
        }
    }
}

#[test]
fn the_other_statuses_have_their_lines_too() {
    let (env, wecom) = (TestEnv::new(), FakeWecom::start());
    wecom.script(Way::WebhookSend.endpoint(), [Reply::CloseAfterReading]);
    let run = Way::WebhookSend.cmd(&env).base_url(&wecom).run().assert_code(9);
    assert_error(&run, "wecom-alert: error[unknown]: webhook-send: ");
    let run = env.cmd(["webhook-send", "hello"]).base_url(&wecom).run().assert_code(3);
    assert_error(&run, "wecom-alert: error[config]: webhook-send: ");
    let run = env.cmd(["webhook-send", "--bogus"]).run().assert_code(2);
    assert_error(&run, "wecom-alert: error[usage]: webhook-send: ");
    let run = env.cmd(["-v"]).run().assert_code(2);
    assert_error(&run, "wecom-alert: error[usage]: ");
    let run = env.cmd(["webhook-send", ""]).webhook().base_url(&wecom).run().assert_code(2);
    assert_error(&run, "wecom-alert: error[usage]: webhook-send: ");
    let cmd = env.cmd(["app-send", "-u", "zhangsan,nobody", "hello"]).app_credentials().base_url(&wecom);
    assert_error(&cmd.run().assert_code(6), "wecom-alert: error[partial]: app-send: ");
}

#[test]
fn a_success_is_silent_but_for_its_data() {
    let (env, wecom) = (TestEnv::new(), FakeWecom::start());
    for way in [Way::AppSend, Way::WebhookSend, Way::UploadToSend] {
        let run = way.cmd(&env).base_url(&wecom).run().assert_code(0);
        assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("", ""), "{way:?}");
    }
    let run = Way::GetToken.cmd(&env).base_url(&wecom).may_show_token().run().assert_code(0);
    assert_eq!((run.stdout, run.stderr.as_str()), (format!("{}\n", wecom.secrets().tokens()[0]), ""));
    for way in [Way::AppUpload, Way::WebhookUpload] {
        let run = way.cmd(&env).base_url(&wecom).run().assert_code(0);
        let id = wecom.uploads().last().unwrap().media_id.clone();
        assert_eq!((run.stdout, run.stderr.as_str()), (format!("{id}\n"), ""), "{way:?}");
    }
    let run = env.cmd(["webhook-send", "", "--skip-empty"]).webhook().base_url(&wecom).run().assert_code(0);
    assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("", ""));
}

#[test]
fn verbose_tells_each_attempt_and_quiet_hides_warnings() {
    let (env, wecom) = (TestEnv::new(), FakeWecom::start());
    let run = Way::AppSend.cmd(&env).base_url(&wecom).arg("-v").run().assert_code(0);
    for part in ["GET http://127.0.0.1", "/cgi-bin/gettoken: ", "/cgi-bin/message/send: ", "sent"] {
        assert!(run.stderr.contains(part), "{part}\n{}", run.all());
    }
    assert!(run.stderr.lines().all(|line| line.starts_with("wecom-alert: ")), "{}", run.all());
    assert_eq!(run.stdout, "");

    wecom.script(Way::WebhookSend.endpoint(), [Reply::status(503)]);
    let run = Way::WebhookSend.cmd(&env).base_url(&wecom).arg("-v").run().assert_code(7);
    assert!(run.stderr.contains("/cgi-bin/webhook/send: HTTP 503"), "{}", run.all());

    let warned = || Way::WebhookSend.cmd(&env).base_url(&wecom).env("WECOM_ALERT_WEBHOK", "x");
    let run = warned().run().assert_code(0);
    assert!(run.stderr.starts_with("wecom-alert: warning: WECOM_ALERT_WEBHOK "), "{}", run.all());
    let run = warned().arg("-q").run().assert_code(0);
    assert_eq!(run.all(), "--- stdout\n\n--- stderr\n");
    let told = document(&warned().args(["-q", "--output", "json"]).run().assert_code(0));
    assert!(told["warnings"][0].as_str().unwrap().contains("WECOM_ALERT_WEBHOOK"), "{told}");
}

#[test]
fn in_json_mode_a_mistake_is_a_document_too() {
    let env = TestEnv::new();
    let cases: [(&[&str], i32, Value); 16] = [
        (&["--output", "json"], 2, Value::Null),
        (&["--output=json", "webhook-send", "--bogus"], 2, Value::Null),
        (&["webhook-send", "--bogus", "--output", "json"], 2, Value::Null),
        (&["webhook-send", "a", "b", "--output", "json"], 2, Value::Null),
        (&["web-send", "a", "--output", "json"], 2, Value::Null),
        (&["upload-media", "--output", "json"], 2, Value::Null),
        (&["get-token", "--secret", SECRET, "--output", "json"], 2, Value::Null),
        (&["webhook-send", "a", "--skip-empty", "--if-empty", "b", "--output", "json"], 2, Value::Null),
        (&["webhook-send", "", "--output", "json"], 2, json!("webhook")),
        (&["webhook-send", " \n\t", "--output", "json"], 2, json!("webhook")),
        (&["app-send", "-u", "", "a", "--output", "json"], 2, json!("app")),
        (&["app-send", "-t", "markdown_v2", "a", "--output", "json"], 2, json!("app")),
        (&["webhook-send", "a", "--output", "json"], 3, json!("webhook")),
        (&["get-token", "--output", "json"], 3, json!("app")),
        (&["get-token", "--config", "missing.toml", "--output", "json"], 3, json!("app")),
        (&["webhook-send", "a", "--ca-file", "$CA", "--output", "json"], 3, json!("webhook")),
    ];
    for (args, code, route) in cases {
        let run = env.cmd(args.iter().copied()).run();
        assert_eq!(run.code, Some(code), "{args:?}\n{}", run.all());
        let told = document(&run);
        let status = if code == 2 { "usage" } else { "config" };
        assert_eq!((&told["status"], &told["route"]), (&json!(status), &route), "{args:?}");
        assert_eq!((&told["attempts"], &told["parts"], &told["errcode"]), (&json!(0), &json!([]), &Value::Null));
        assert_eq!(run.stderr, "", "{args:?}");
    }
}

#[test]
fn the_config_file_can_ask_for_json() {
    let (env, wecom) = (TestEnv::new(), FakeWecom::start());
    let config = "output = \"json\"\n[profiles.room]\n";
    let told = document(&Way::WebhookSend.cmd(&env).base_url(&wecom).config(config).run().assert_code(0));
    assert_eq!((&told["status"], &told["profile"]), (&json!("sent"), &json!("room")));
    let told = document(&env.cmd(["webhook-send", "hello"]).run().assert_code(3));
    assert_eq!(told["status"], "config");
    let run = Way::WebhookSend.cmd(&env).base_url(&wecom).args(["--output", "text"]).run().assert_code(0);
    assert_eq!(run.stdout, "");
}

/// What is wrong does not matter: the file can be read far enough to know how to print it.
#[test]
fn the_config_file_can_ask_for_json_even_for_a_mistake() {
    let env = TestEnv::new();
    let other = env.file("other.toml", "output = 'json'\n");
    let other = other.to_str().unwrap();
    let top = "output = 'json'\n";
    let room = "[profiles.room]\noutput = 'json'\n[profiles.ops]\n";
    let cases: [(&str, &[&str], Vars<'_>, i32); 14] = [
        (top, &[], &[], 2),
        (top, &["webhook-send", "--bogus"], &[], 2),
        (top, &["webhook-send", "a", "b"], &[], 2),
        (room, &["webhook-send", "--bogus", "-Proom"], &[], 2),
        (room, &["webhook-send", "--bogus"], &[("WECOM_ALERT_PROFILE", "room")], 2),
        ("", &["webhook-send", "--bogus", "--config", other], &[], 2),
        ("", &["webhook-send", "--bogus"], &[("WECOM_ALERT_CONFIG", other)], 2),
        ("default_profile = 'room'\n[profiles.ops]\n[profiles.room]\noutput = 'json'\n", &["--bogus"], &[], 2),
        ("output = 'json'\ntimeuot = '1s'\n", &["webhook-send", "a"], &[], 3),
        ("output = 'json'\ntimeout = true\n", &["webhook-send", "a"], &[], 3),
        (top, &["webhook-send", "a"], &[("WECOM_ALERT_TIMEOUT", "$LIMIT")], 3),
        (top, &["webhook-send", "a", "--timeout", "soon"], &[], 2),
        (room, &["webhook-send", "a", "--profile", "room", "--ca-file", "$CA"], &[], 3),
        ("output = 'json'\n[profiles.a]\n[profiles.b]\n", &["webhook-send", "a"], &[], 3),
    ];
    for (config, args, variables, code) in cases {
        let cmd = env.cmd(args.iter().copied()).config(config);
        let run = variables.iter().fold(cmd, |cmd, (name, value)| cmd.env(*name, *value)).run();
        assert_eq!(run.code, Some(code), "{config} {args:?}\n{}", run.all());
        assert_eq!(document(&run)["exit_code"], code, "{config} {args:?}");
        assert_eq!(run.stderr, "", "{config} {args:?}");
    }
    let as_text: [(&str, &[&str], i32); 5] = [
        (top, &["webhook-send", "--bogus", "--output", "text"], 2),
        (top, &["webhook-send", "a", "--output", "text", "--timeout", "soon"], 2),
        (room, &["webhook-send", "--bogus", "-P", "ops"], 2),
        ("output = 'json'\nthis is no TOML\n", &["webhook-send", "a"], 3),
        ("output = 'json'\n[profiles.a]\noutput = 'text'\n", &["webhook-send", "--bogus"], 2),
    ];
    for (config, args, code) in as_text {
        let run = env.cmd(args.iter().copied()).config(config).run();
        assert_eq!(run.code, Some(code), "{config} {args:?}\n{}", run.all());
        assert_error(&run, "wecom-alert: error[");
    }
}

/// A pipe that nobody writes into any more must not be waited for.
#[cfg(unix)]
#[test]
fn a_config_file_from_a_pipe_is_read_once() {
    let env = TestEnv::new();
    let pipe = env.home().join("pipe");
    make_fifo(&pipe);
    let writer = {
        let pipe = pipe.clone();
        std::thread::spawn(move || std::fs::write(pipe, "output = 'json'\ntimeuot = '1s'\n").unwrap())
    };
    let run = env.cmd(["webhook-send", "a", "--config"]).arg(&pipe).run().assert_code(3);
    writer.join().unwrap();
    assert_error(&run, "wecom-alert: error[config]: webhook-send: ");
    assert!(run.stderr.contains("timeout"), "{}", run.all());
}

#[test]
fn an_error_in_the_settings_names_profile_and_route() {
    let env = TestEnv::new();
    let file = env.file("a.txt", "0123456789");
    let file = file.to_str().unwrap();
    let cases: [(&[&str], Value); 6] = [
        (&["webhook-send", "a"], json!("webhook")),
        (&["app-send", "a"], json!("app")),
        (&["get-token"], json!("app")),
        (&["upload-media", file], Value::Null),
        (&["upload-media", file, "--route", "app"], json!("app")),
        (&["upload-media", file, "--route", "webhook"], json!("webhook")),
    ];
    let config = "base_url = 'soon'\n[profiles.ops]\n[profiles.room]\n";
    for (args, route) in cases {
        let cmd = |more: &[&str]| env.cmd(args.iter().chain(more).copied()).config(config);
        for run in [
            cmd(&["-P", "room", "--output", "json"]).run(),
            cmd(&["--output", "json"]).env("WECOM_ALERT_PROFILE", "room").run(),
        ] {
            let told = document(&run.assert_code(3));
            assert_eq!((&told["profile"], &told["route"]), (&json!("room"), &route), "{args:?}");
        }
        let run = cmd(&["-P", "room"]).run().assert_code(3);
        assert_error(&run, &format!("wecom-alert: error[config]: {} (profile room): ", args[0]));
    }
    let run = env.cmd(["webhook-send", "a", "-P", "none", "--output", "json"]).config(config).run().assert_code(3);
    assert_eq!(document(&run)["profile"], "none", "one that does not exist was still asked for");
}

#[test]
fn a_mistake_is_told_of_its_own_command() {
    let env = TestEnv::new();
    let cases: [(&[&str], &str, &str); 7] = [
        (&["webhook-send", "--bogus", "app-send"], "webhook-send", "goes after --, as in: wecom-alert webhook-send"),
        (&["-P", "app-send", "get-token", "x"], "get-token", "get-token takes no text"),
        (
            &["webhook-send", "-u", "x"],
            "webhook-send",
            "a webhook reaches its whole group: to draw a member's attention use --mention ID",
        ),
        (&["app-send", "--mention", "a"], "app-send", "address their recipients"),
        (&["app-send", "--safe", "1", "x"], "app-send", "--safe takes its value after =: --safe=1"),
        (&["upload-media", "a", "b"], "upload-media", "one file at a time"),
        (&["outbox", "frob"], "outbox", "there are list, show, flush, drop"),
    ];
    for (args, command, hint) in cases {
        let run = env.cmd(args.iter().copied()).run().assert_code(2);
        assert_error(&run, &format!("wecom-alert: error[usage]: {command}: "));
        assert!(run.stderr.lines().nth(1).unwrap().contains(hint), "{args:?}\n{}", run.all());
    }
}

#[test]
fn help_and_version_stay_text() {
    let env = TestEnv::new();
    for args in [
        &["--help"][..],
        &["-h"],
        &["--output", "json", "--help"],
        &["app-send", "--help", "--output", "json"],
        &["webhook-send", "-h"],
        &["upload-media", "--help"],
        &["get-token", "--help"],
    ] {
        let run = env.cmd(args.iter().copied()).run().assert_code(0);
        assert!(run.stdout.contains("Usage: wecom-alert"), "{args:?}\n{}", run.all());
        assert_eq!(run.stderr, "", "{args:?}");
    }
    for args in [&["--version"][..], &["-V"], &["--output", "json", "--version"]] {
        let run = env.cmd(args.iter().copied()).run().assert_code(0);
        assert_eq!(run.stdout, concat!("wecom-alert ", env!("CARGO_PKG_VERSION"), "\n"), "{args:?}");
        assert_eq!(run.stderr, "", "{args:?}");
    }
}
