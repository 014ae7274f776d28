//! A set-up that is as it should be: what is shown of it, in which form, and what it costs.

use serde_json::json;

use super::{app, bare, checked, secure, webhook};
use crate::support::Scene;
use crate::support::fake::tls::Certificate;
use crate::support::fake::{Endpoint, FakeWecom, WEBHOOK_KEY};

#[test]
fn everything_passes() {
    let scene = secure(Certificate::Good);
    let told = checked(&scene, "both", app(&scene, &[]).webhook().env("WECOM_ALERT_TO_USER", "zhangsan"), 0, "ok");
    assert_eq!((told.names("failed"), told.names("warning")), (vec![], vec![]), "{}", told.run.all());
    told.has("app_credentials", "ok", &["WECOM_ALERT_CORP_ID", "1000002", "WECOM_ALERT_SECRET", "43 bytes"])
        .has("webhook_key", "ok", &["WECOM_ALERT_WEBHOOK", "36 bytes"])
        .has("proxy", "ok", &["none"])
        .has("dns", "ok", &["127.0.0.1"])
        .has("tcp", "ok", &[&scene.wecom.address().to_string()])
        .has("tls", "ok", &["TLS 1.3", "Throw-away CA of a test", "days left"])
        .has("token", "ok", &["granted", "2h left"])
        .has("agent", "ok", &["告警", "enabled"])
        .has("reach", "ok", &["3 members (lisi, wangwu, zhangsan)", "2 departments (1, 2)", "1 tag (1)"])
        .has("recipients", "ok", &["in the app's range"])
        .has("clock", "ok", &["off by"])
        .has("state", "ok", &["wecom-alert"])
        .has("outbox", "ok", &["nothing waits"])
        .skips(&["send_app"], "--send")
        .skips(&["send_webhook"], "can only be tested by a message");
    assert_eq!(told.document["route"], json!(null));
    assert_eq!((&told.document["errcode"], &told.document["attempts"]), (&json!(0), &json!(0)));
    assert_eq!((scene.wecom.count(Endpoint::GetToken), scene.wecom.count(Endpoint::AgentGet)), (1, 1));
    assert_eq!((scene.wecom.requests().len(), scene.wecom.messages().len()), (2, 0));
}

#[test]
fn the_way_is_looked_at_once_for_each_base_url() {
    let (scene, other) = (Scene::new(), FakeWecom::start());
    let count = |told: &super::Told, name: &str| told.checks().iter().filter(|check| check["name"] == name).count();
    let told = checked(&scene, "one", app(&scene, &[]).webhook(), 0, "ok");
    assert_eq!((count(&told, "tcp"), count(&told, "pacing")), (1, 2));
    // The webhook's own URL counts where no other is set.
    let file = format!("[profiles.ops]\nwebhook = \"{}\"\n", other.webhook_url());
    let cmd = scene.env.cmd(["check", "--output", "json"]).config(&file).keeps_secret(&other);
    let told = checked(&scene, "its own", cmd, 0, "ok");
    told.has("tcp", "ok", &[&other.address().to_string()]).lacks("app_credentials");
    assert_eq!((count(&told, "tcp"), other.requests().len()), (1, 0));
}

#[test]
fn a_cached_token_costs_nothing() {
    let scene = Scene::new();
    checked(&scene, "first", app(&scene, &[]), 0, "ok").has("token", "ok", &["granted"]);
    checked(&scene, "second", app(&scene, &[]), 0, "ok").has(
        "token",
        "ok",
        &["from the cache", "proves the secret too"],
    );
    assert_eq!((scene.wecom.count(Endpoint::GetToken), scene.wecom.count(Endpoint::AgentGet)), (1, 2));
    let told = checked(&scene, "no cache", app(&scene, &["--no-cache"]), 0, "ok");
    told.has("token", "warning", &["switched off", "--no-cache"]);
    assert_eq!(scene.wecom.count(Endpoint::GetToken), 2);
}

#[test]
fn each_route_alone() {
    let scene = Scene::new();
    let told = checked(&scene, "app", app(&scene, &["--route", "app"]).webhook(), 0, "ok");
    told.has("token", "ok", &[]).lacks("webhook_key").lacks("send_webhook");
    assert_eq!(told.document["route"], "app");
    let told = checked(&scene, "webhook", app(&scene, &["--route", "webhook"]).webhook(), 0, "ok");
    told.has("webhook_key", "ok", &[]).lacks("token").lacks("agent").skips(&["clock"], "no answer");
    assert_eq!(told.document["route"], "webhook");
    assert_eq!(scene.wecom.requests().len(), 2, "a webhook without --send asks for nothing");
}

#[test]
fn the_table_is_plain_text_on_stdout() {
    let scene = Scene::with(FakeWecom::builder().app_name("告警\u{1b}[31m\u{202e}x").start());
    for variable in [None, Some(("NO_COLOR", "1")), Some(("TERM", "xterm"))] {
        let cmd = scene.env.cmd(["check", "-q"]).base_url(&scene.wecom).app_credentials().webhook();
        let cmd = variable.into_iter().fold(cmd, |cmd, (name, value)| cmd.env(name, value));
        let run = cmd.run().assert_code(0);
        assert_eq!(run.stderr, "");
        assert!(!run.stdout.contains(['\u{1b}', '\u{202e}']), "{}", run.all());
        assert!(run.stdout.contains("✓ agent            告警 [31mx is visible and enabled\n"), "{}", run.all());
        let table = run
            .stdout
            .strip_suffix("\n\nNothing is wrong; not checked: recipients, ip, send app, send webhook.\n")
            .unwrap_or_else(|| panic!("{}", run.all()));
        assert!(table.lines().all(|line| line.chars().count() <= 80), "{}", run.all());
        let lines: Vec<&str> = table.lines().filter(|line| !line.starts_with(' ')).collect();
        let starts: Vec<&str> = lines.iter().map(|line| &line[..line.find(' ').unwrap()]).collect();
        assert!(starts.iter().all(|start| ["✓", "-"].contains(start)), "{}", run.all());
        // The names end where all of them end, and after two blanks comes what was found.
        let column = "✓ app credentials".chars().count();
        for line in table.lines().filter(|line| !line.starts_with("  ")) {
            let chars: Vec<char> = line.chars().collect();
            assert!(chars[column..column + 2] == [' ', ' '] && chars[column + 2] != ' ', "{line}");
        }
    }
}

#[test]
fn a_failure_is_said_below_the_table_too() {
    let scene = Scene::new();
    let cmd = scene.env.cmd(["check"]).base_url(&scene.wecom).app_credentials().env("WECOM_ALERT_SECRET", "test-wrong");
    let run = cmd.secret("test-wrong").run().assert_code(4);
    assert!(run.stdout.contains("✗ token            WeCom answered 40001"), "{}", run.all());
    assert!(run.stdout.contains("\n                   hint: check the secret in WECOM_ALERT_SECRET"), "{}", run.all());
    let mut lines = run.stderr.lines();
    assert!(
        lines.next().unwrap().starts_with("wecom-alert: error[auth]: check: token: WeCom answered 40001"),
        "{}",
        run.all()
    );
    assert!(lines.next().unwrap().starts_with("hint: ") && lines.next().is_none(), "{}", run.all());
}

#[test]
fn a_dry_run_sends_nothing_and_says_what_it_would() {
    let scene = Scene::new();
    let told =
        checked(&scene, "app", app(&scene, &["--dry-run", "--send"]).env("WECOM_ALERT_TO_USER", "lisi"), 0, "dry_run");
    told.skips(&["dns", "tcp", "tls", "token", "agent", "send_app"], "a dry run");
    let requests = told.document["requests"].as_array().unwrap();
    let shown: Vec<_> = requests.iter().map(|r| (r["method"].as_str().unwrap(), r["path"].as_str().unwrap())).collect();
    let expected = [
        ("GET", "/cgi-bin/gettoken"),
        ("GET", "/cgi-bin/agent/get?agentid=1000002"),
        ("POST", "/cgi-bin/message/send"),
    ];
    assert_eq!(shown, expected);
    assert_eq!(requests[2]["body"]["touser"], "lisi");
    let told = checked(&scene, "webhook", webhook(&scene, &["--dry-run"]), 0, "dry_run");
    assert_eq!(told.document["requests"], json!([]));
    // Without credentials it goes as far as it can, and no command is run for one.
    let told = checked(&scene, "none", bare(&scene, &["--dry-run"]), 0, "dry_run");
    told.has("credentials", "warning", &["no app and no webhook"]);
    let file = "[profiles.room]\nwebhook_command = [\"touch\", \"ran\"]\n";
    checked(&scene, "command", bare(&scene, &["--dry-run"]).config(file), 0, "dry_run")
        .skips(&["webhook_key"], "dry run");
    assert!(!scene.env.home().join("ran").exists());
    let file = "proxy_file = \"missing\"\n[profiles.room]\n";
    checked(&scene, "proxy", webhook(&scene, &["--dry-run"]).config(file), 0, "dry_run")
        .skips(&["proxy"], "proxy_file");
    let run = scene.env.cmd(["--dry-run", "check"]).config("[profiles.room]\n").webhook().run().assert_code(0);
    assert!(run.stdout.contains("✓ webhook key") && !run.stdout.contains(WEBHOOK_KEY), "{}", run.all());
    assert_eq!(scene.wecom.connections(), 0);
}
