//! What WeCom's codes end as, and the next step that is told with them.

use serde_json::{Value, json};

use crate::document::{assert_document, assert_says};
use crate::support::fake::{CORP_ID, Endpoint, FakeWecom, Reply, SECRET, SEEN_IP, WEBHOOK_KEY};
use crate::support::{Cmd, TestEnv};

/// The tail that WeCom hangs on every message.
const TAIL: &str = ", hint: [1700000000_1_abcdef], from ip: 203.0.113.9, more info at https://open.work.weixin.qq.com/devtool/query?e=1";

fn app_send(env: &TestEnv, wecom: &FakeWecom) -> Cmd {
    env.cmd(["app-send", "-u", "zhangsan", "--output", "json", "hi"]).base_url(wecom).app_credentials()
}

fn webhook_send(env: &TestEnv, wecom: &FakeWecom) -> Cmd {
    env.cmd(["webhook-send", "--output", "json", "hi"]).base_url(wecom).webhook()
}

/// Codes by the exit code of their class: written from the official list (document path 90313), apart from the
/// program's table.
const BY_EXIT_CODE: [(i32, &str, &[i64]); 4] = [
    (
        4,
        "auth",
        &[
            // Stale tokens and refused credentials.
            40014, 41001, 42001, 40001, 40013, 40091, 45031, 48004, 48006, 50003, 50006, 60031, 301007,
            // Settings here or in the admin console.
            41002, 41004, 41011, 40056, 43012, 48001, 48002, 48010, 60020, 301002, 301042, 90207, 93000, 93004, 93008,
            // Those of an aibot.
            846601, 853000, 853001,
        ],
    ),
    (
        5,
        "refused",
        &[
            // Recipients.
            40003, 40031, 40032, 40066, 40068, 40070, 46004, 60011, 60111, 81013, 82001, 82002, 82003, 701008, 701099,
            // The message.
            40004, 40006, 40007, 40008, 40033, 40035, 40058, 40063, 40074, 40094, 41016, 42014, 42035, 42045, 44001,
            44004, 45001, 45002, 45008, 82004, 85002, 90201, 93017, 93018, 301019, 600039, 846604, 846606, 846611,
            846625, 846697, // Not to be expected, and not known at all.
            40082, 42007, 48005, 60140, 99999999, -7, 2,
        ],
    ),
    (7, "temporary", &[-1, 6000, 45035, 81026, 846609]),
    (8, "rate_limited", &[45009, 45033, 45036, 846607]),
];

#[test]
fn every_class_has_its_exit_code() {
    let (env, wecom) = (TestEnv::new(), FakeWecom::start());
    for (exit_code, status, codes) in BY_EXIT_CODE {
        for code in codes {
            let errmsg = format!("test text of {code}{TAIL}");
            let case = format!("code {code}");
            for (route, endpoint, call) in [
                ("app", Endpoint::MessageSend, app_send(&env, &wecom).arg("--no-cache")),
                ("webhook", Endpoint::WebhookSend, webhook_send(&env, &wecom)),
            ] {
                wecom.script(endpoint, [Reply::errcode(*code, &errmsg)]);
                let expected = json!({
                    "status": status, "errcode": code, "errmsg": errmsg, "attempts": 1, "route": route,
                    "retryable": matches!(exit_code, 7 | 8),
                    "retry_after_s": if exit_code == 8 { json!(60) } else { Value::Null },
                    "invaliduser": [], "warnings": [],
                });
                let document = assert_document(&call.run(), &case, exit_code, &expected);
                assert_says(&document, &case, "message", &[&code.to_string(), "test text of"]);
                let hint = document["hint"].as_str().unwrap();
                assert!(hint.len() > 15 && !hint.contains('\n'), "{case}: {hint}");
                let parts = document["parts"].as_array().unwrap();
                assert_eq!((parts.len(), &parts[0]["status"], &parts[0]["errcode"]), (1, &json!(status), &json!(code)));
            }
        }
    }
    assert_eq!(wecom.messages().len(), 0);
    // Each of these is answered with one look for another token: there is none.
    let renewed = [40001, 40014, 41001, 42001].len();
    let sends = wecom.count(Endpoint::MessageSend);
    assert_eq!(wecom.count(Endpoint::GetToken), sends + renewed, "no code was answered by a loop");
}

#[test]
fn a_success_that_was_not_read_whole_is_a_refusal() {
    let (env, wecom) = (TestEnv::new(), FakeWecom::start());
    wecom.script(Endpoint::MessageSend, [Reply::errcode(0, "ok. Warning: wrong json format. ")]);
    let document =
        assert_document(&app_send(&env, &wecom).run(), "warning", 5, &json!({"status": "refused", "errcode": 0}));
    assert_says(&document, "warning", "hint", &["JSON", "may be missing"]);
}

#[test]
fn an_untrusted_ip_is_named() {
    let (env, wecom) = (TestEnv::new(), FakeWecom::start());
    wecom.trust_no_ip();
    let expected = json!({"status": "auth", "errcode": 60020, "seen_ip": SEEN_IP, "attempts": 0});
    for command in [&["get-token"][..], &["app-send", "-u", "zhangsan", "hi"]] {
        let cmd = env.cmd(command.iter().copied()).args(["--output", "json"]).base_url(&wecom).app_credentials();
        let document = assert_document(&cmd.run(), command[0], 4, &expected);
        assert_says(&document, command[0], "hint", &[SEEN_IP, "企业可信IP", "应用管理"]);
    }
    let run = env.cmd(["get-token"]).base_url(&wecom).app_credentials().run().assert_code(4);
    assert_eq!(run.stdout, "");
    let lines: Vec<_> = run.stderr.lines().collect();
    assert!(lines[0].starts_with("wecom-alert: error[auth]: get-token: WeCom answered 60020: "), "{}", lines[0]);
    assert!(lines[1].starts_with("hint: ") && lines[1].contains(SEEN_IP) && lines.len() == 2, "{lines:?}");
    // A message that names no address leaves it open.
    wecom.trust_every_ip();
    wecom.script(Endpoint::MessageSend, [Reply::errcode(60020, "not allow to access from your ip")]);
    let document = assert_document(&app_send(&env, &wecom).run(), "none", 4, &json!({"seen_ip": null, "attempts": 1}));
    assert_says(&document, "none", "hint", &["企业可信IP"]);
}

#[test]
fn a_wrong_secret_says_where_it_came_from_and_how_long_it_is() {
    let (env, wecom) = (TestEnv::new(), FakeWecom::start());
    let file = env.file("ops.secret", format!("{}\n", &SECRET[..20]));
    let base = |cmd: Cmd| {
        let cmd = cmd.base_url(&wecom).env("WECOM_ALERT_CORP_ID", "ww0000000000000000");
        cmd.env("WECOM_ALERT_AGENT_ID", "1000002").secret(&SECRET[..20])
    };
    let send = || base(env.cmd(["app-send", "-u", "zhangsan", "--output", "json", "hi"]));
    let in_file = |text: &str| send().arg("--config").arg(env.file(format!("{}.toml", text.len()), text));
    let cases: [(&str, Cmd, &[&str]); 4] = [
        (
            "variable",
            send().env("WECOM_ALERT_SECRET", "test-secret-é"),
            &["check the secret in WECOM_ALERT_SECRET (14 bytes)"],
        ),
        ("file", send().env("WECOM_ALERT_SECRET_FILE", &file), &["check the secret in /", "ops.secret (20 bytes)"]),
        (
            "profile",
            in_file("[profiles.ops]\nsecret = \"test-secret-in-file\"\n"),
            &["secret of profile ops", ".toml", "19 bytes"],
        ),
        (
            "command",
            in_file("[profiles.ops]\nsecret_command = [\"printf\", \"test-secret-printed\"]\n"),
            &["command printf", "secret_command of profile ops", "19 bytes"],
        ),
    ];
    for (case, cmd, parts) in cases {
        let run = cmd.run();
        let document = assert_document(&run, case, 4, &json!({"errcode": 40001, "status": "auth", "attempts": 0}));
        assert_says(&document, case, "hint", parts);
        assert_says(&document, case, "hint", &["应用管理", "Secret"]);
        assert!(!run.all().contains("test-secret"), "{case}: {}", run.all());
    }
    assert_eq!(wecom.count(Endpoint::GetToken), 4);
}

#[test]
fn a_wrong_corp_leads_to_its_page() {
    let (env, wecom) = (TestEnv::new(), FakeWecom::start());
    let run = app_send(&env, &wecom).args(["--corp-id", "ww9999999999999999"]).run();
    let document = assert_document(&run, "corp", 4, &json!({"errcode": 40013, "status": "auth"}));
    assert_says(&document, "corp", "hint", &["我的企业", "企业ID", "look at --corp-id and at the secret in"]);
}

/// A Secret in the place of an id is shown nowhere, and the hint asks whether the two were swapped.
#[test]
fn a_secret_in_place_of_an_id_is_not_shown() {
    let (env, wecom) = (TestEnv::new(), FakeWecom::start());
    let app = format!("agent_id = 1000002\nsecret = '{CORP_ID}'\n");
    let file = env.file("swapped.toml", format!("[profiles.main]\ncorp_id = '{SECRET}'\n{app}"));
    let log = env.home().join("log");
    let commands: [&[&str]; 6] = [
        &["check"],
        &["check", "--output", "json"],
        &["check", "--dry-run"],
        &["get-token", "--output", "json"],
        &["app-send", "-vv", "-u", "zhangsan", "hi"],
        &["app-send", "--dry-run", "-u", "zhangsan", "hi"],
    ];
    for command in commands {
        let given = env.file("given.toml", format!("[profiles.main]\n{app}"));
        let in_file = env.cmd(command).arg("--config").arg(&file);
        let variable = env.cmd(command).arg("--config").arg(&given).env("WECOM_ALERT_CORP_ID", SECRET);
        for cmd in [in_file, variable] {
            let run = cmd.arg("--log-file").arg(&log).base_url(&wecom).secret(SECRET).run();
            assert!(!run.all().contains(SECRET), "{command:?}: {}", run.all());
            if !command.contains(&"--dry-run") || command[0] == "check" {
                let said = "corp_id has 43 characters: were corp_id and Secret swapped?";
                let words: Vec<_> = run.all().split_whitespace().map(str::to_owned).collect();
                assert!(words.join(" ").contains(said), "{command:?}: {}", run.all());
            }
        }
    }
    let run = env.cmd(["get-token", "--agent-id", SECRET]).base_url(&wecom).run().assert_code(2);
    assert!(!run.all().contains(SECRET), "{}", run.all());
    assert!(!std::fs::read_to_string(log).unwrap().contains(SECRET));
}

#[test]
fn a_wrong_webhook_says_which_part_is_the_key() {
    let (env, wecom) = (TestEnv::new(), FakeWecom::start());
    wecom.remove_webhook(WEBHOOK_KEY);
    for (case, given) in [("a key", WEBHOOK_KEY.to_owned()), ("a URL", wecom.webhook_url())] {
        let run = webhook_send(&env, &wecom).env("WECOM_ALERT_WEBHOOK", given).run();
        let document = assert_document(&run, case, 4, &json!({"errcode": 93000, "status": "auth", "attempts": 1}));
        assert_says(&document, case, "hint", &["what follows key=", "WECOM_ALERT_WEBHOOK", "36 bytes", "消息推送"]);
    }
}

#[test]
fn a_bad_parameter_repeats_the_field() {
    let (env, wecom) = (TestEnv::new(), FakeWecom::start());
    for (code, said) in [(40058, "markdown.content exceed max length 4096"), (40063, "some parameters are empty")] {
        wecom.script(Endpoint::WebhookSend, [Reply::errcode(code, &format!("{said}{TAIL}"))]);
        let document = assert_document(&webhook_send(&env, &wecom).run(), said, 5, &json!({"errcode": code}));
        let hint = document["hint"].as_str().unwrap();
        assert!(hint.ends_with(said), "without the tail: {hint}");
    }
}

#[test]
fn a_refusal_of_everybody_lists_them() {
    let (env, wecom) = (TestEnv::new(), FakeWecom::start());
    let refusal = json!({"errcode": 81013, "errmsg": format!("user & party & tag all invalid{TAIL}"),
        "invaliduser": "a|b", "invalidparty": "7", "invalidtag": "8"});
    wecom.script(Endpoint::MessageSend, [Reply::Json(refusal)]);
    let run = app_send(&env, &wecom).args(["-u", "a,b", "--to-party", "7", "--to-tag", "8"]).run();
    let expected = json!({"status": "refused", "errcode": 81013, "invaliduser": ["a", "b"], "invalidparty": ["7"],
        "invalidtag": ["8"], "unlicenseduser": []});
    assert_says(&assert_document(&run, "81013", 5, &expected), "81013", "hint", &["可见范围"]);
}

#[test]
fn an_unknown_code_leads_to_the_look_up_page() {
    let (env, wecom) = (TestEnv::new(), FakeWecom::start());
    for code in [987_654, -42] {
        wecom.script(Endpoint::MessageSend, [Reply::errcode(code, "something new")]);
        let document = assert_document(&app_send(&env, &wecom).run(), "unknown", 5, &json!({"errcode": code}));
        let link = format!("https://open.work.weixin.qq.com/devtool/query?e={code}");
        assert_says(&document, "unknown", "hint", &[&link]);
        assert_says(&document, "unknown", "message", &["something new"]);
    }
}

#[test]
fn a_code_without_words_is_told_by_its_meaning() {
    let (env, wecom) = (TestEnv::new(), FakeWecom::start());
    for (code, errmsg, said) in [
        (6000, "", "WeCom answered 6000: the data was changed"),
        (6000, TAIL, "WeCom answered 6000: the data was changed"),
        (6000, "data version conflict", "WeCom answered 6000: data version conflict"),
    ] {
        wecom.script(Endpoint::WebhookSend, [Reply::errcode(code, errmsg)]);
        let told = assert_document(&webhook_send(&env, &wecom).run(), said, 7, &json!({"errmsg": errmsg}));
        assert_says(&told, said, "message", &[said]);
    }
}

#[test]
fn permissions_name_the_page_of_the_admin_console() {
    const CONTACTS: &str = "test-secret-of-the-contacts";
    let wecom = FakeWecom::builder()
        .contact_secret("ww0000000000000000", CONTACTS)
        .app("ww0000000000000000", 1_000_003, "test-secret-of-another-app")
        .start();
    let env = TestEnv::new();
    let with = |name: &str, value: &str| app_send(&env, &wecom).env(name, value).run();
    let run = with("WECOM_ALERT_SECRET", CONTACTS);
    let document = assert_document(&run, "contacts", 4, &json!({"errcode": 48002}));
    assert_says(&document, "contacts", "hint", &["通讯录同步", "应用管理"]);
    let run = with("WECOM_ALERT_AGENT_ID", "1000003");
    let document = assert_document(&run, "another app's agent", 4, &json!({"errcode": 301_002}));
    assert_says(&document, "another app's agent", "hint", &["AgentId", "1000003", "应用管理"]);
    let document = assert_document(&with("WECOM_ALERT_AGENT_ID", "7"), "no such agent", 4, &json!({"errcode": 40056}));
    assert_says(&document, "no such agent", "hint", &["AgentId", "agent_id 7"]);
    wecom.disable_app(true);
    let document = assert_document(&app_send(&env, &wecom).run(), "disabled", 4, &json!({"errcode": 50003}));
    assert_says(&document, "disabled", "hint", &["应用管理"]);
}

#[test]
fn limits_tell_how_long_to_wait() {
    let (env, wecom) = (TestEnv::new(), FakeWecom::start());
    let lasting =
        |seconds: u64| json!({"status": "rate_limited", "errcode": 45009, "retry_after_s": seconds, "retryable": true});
    let expected = lasting(60);
    let limited = || [Reply::errcode(45009, &format!("api freq out of limit{TAIL}"))];
    wecom.script(Endpoint::WebhookSend, limited());
    let document = assert_document(&webhook_send(&env, &wecom).run(), "webhook", 8, &expected);
    assert_says(&document, "webhook", "hint", &["60 s", "20 messages"]);
    wecom.script(Endpoint::GetToken, limited());
    let document = assert_document(&app_send(&env, &wecom).run(), "gettoken", 8, &lasting(3600));
    assert_says(&document, "gettoken", "hint", &["hour", "wrong secrets"]);
    wecom.script(Endpoint::MessageSend, limited());
    let document = assert_document(&app_send(&env, &wecom).run(), "app", 8, &expected);
    assert_says(&document, "app", "hint", &["60 s"]);
}

/// WeCom's text is shown as data: it can neither break the line nor colour the terminal.
#[test]
fn what_wecom_says_stays_on_its_line() {
    let (env, wecom) = (TestEnv::new(), FakeWecom::start());
    let text = "bad\r\nfield \u{1b}[31mred\u{7}\u{202e} 字段";
    wecom.script(Endpoint::WebhookSend, [Reply::errcode(40058, text), Reply::errcode(40058, text)]);
    let run = env.cmd(["webhook-send", "hi"]).base_url(&wecom).webhook().run().assert_code(5);
    assert_eq!(run.stderr.lines().count(), 2, "{:?}", run.stderr);
    let is_harmful = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
    assert!(!run.stderr.contains(is_harmful) && run.stderr.contains("字段"), "{:?}", run.stderr);
    let run = webhook_send(&env, &wecom).run();
    assert_document(&run, "as data", 5, &json!({"errmsg": text}));
}
