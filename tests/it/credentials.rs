//! Where credentials come from, and that they stay unseen whatever goes wrong with that.

use serde_json::json;

use crate::document::{assert_document, assert_says};
use crate::support::fake::{AGENT_ID, CORP_ID, Endpoint, FakeWecom, SECRET, WEBHOOK_KEY, closed_port};
use crate::support::{Cmd, TestEnv, is_alive, make_fifo};

/// What must never be seen, in place of a credential.
const HIDDEN: &str = "test-hidden-value-0123456789";

fn app_send(env: &TestEnv, wecom: &FakeWecom, secret: &str) -> Cmd {
    let config =
        format!("[profiles.ops]\ncorp_id = \"{CORP_ID}\"\nagent_id = {AGENT_ID}\nto_user = \"zhangsan\"\n{secret}\n");
    env.cmd(["app-send", "--output", "json", "disk full"]).config(&config).base_url(wecom).secret(HIDDEN)
}

fn webhook_send(env: &TestEnv, wecom: &FakeWecom) -> Cmd {
    env.cmd(["webhook-send", "--output", "json", "disk full"]).keeps_secret(wecom)
}

/// The file in the config file's folder.
fn beside_the_config(env: &TestEnv, name: &str, content: &[u8]) {
    env.file(env.config_file().with_file_name(name), content);
}

#[test]
fn a_secret_from_a_file() {
    let (env, wecom) = (TestEnv::new(), FakeWecom::start());
    let absolute = env.file("elsewhere/ops.secret", format!("\u{feff} \r\n{SECRET}\r\n\n"));
    env.file("in-home.secret", SECRET);
    beside_the_config(&env, "secrets/ops", format!("{SECRET}\n").as_bytes());
    for path in [absolute.to_str().unwrap(), "~/in-home.secret", "secrets/ops", "./secrets/../secrets/ops"] {
        // Not from the working folder: from the config file's.
        let run = app_send(&env, &wecom, &format!("secret_file = {path:?}")).in_folder("/").arg("--no-cache").run();
        assert_document(&run, path, 0, &json!({"status": "sent", "warnings": []}));
    }
    for path in [absolute.to_str().unwrap(), "~/in-home.secret", "in-home.secret"] {
        let cmd = app_send(&env, &wecom, "").env("WECOM_ALERT_SECRET_FILE", path).in_folder(env.home());
        assert_document(&cmd.arg("--no-cache").run(), path, 0, &json!({"status": "sent"}));
    }
    assert_eq!(wecom.count(Endpoint::GetToken), 7);
}

#[test]
fn a_file_that_gives_no_secret() {
    let (env, wecom) = (TestEnv::new(), FakeWecom::start());
    let big = HIDDEN.repeat(10_000);
    for (case, content, part) in [
        ("empty", &b""[..], "gives nothing"),
        ("white space", b" \n\t\n", "gives nothing"),
        ("two words", format!("{HIDDEN} {HIDDEN}").as_bytes(), "more than one word"),
        ("two lines", format!("{HIDDEN}\n{HIDDEN}\n").as_bytes(), "more than one line"),
        ("not UTF-8", b"\xff\xfd\x00", "UTF-8"),
        ("UTF-16 without its mark", b"s\0e\0c\0r\0", "UTF-16 without a byte-order mark"),
        ("UTF-16 that is cut off", b"\xff\xfes\0e", "UTF-16"),
        ("quotes around nothing", b"\"\"\n", "gives nothing"),
        ("huge", big.as_bytes(), "64 KiB"),
        ("not expanded", format!("${HIDDEN}").as_bytes(), "starts with `$`"),
    ] {
        beside_the_config(&env, "ops.secret", content);
        let run = app_send(&env, &wecom, "secret_file = \"./ops.secret\"").run();
        let document = assert_document(&run, case, 3, &json!({"status": "config", "attempts": 0, "profile": "ops"}));
        assert_says(&document, case, "message", &["ops.secret", part]);
        let converts = document["hint"].as_str().unwrap().contains("iconv -f UTF-16");
        assert_eq!(converts, case.starts_with("UTF-16"), "{case}: {document}");
        let is_gbk = document["hint"].as_str().unwrap().contains("iconv -f GBK -t UTF-8");
        assert_eq!(is_gbk, case == "not UTF-8", "{case}: {document}");
    }
    for (case, line, parts) in [
        ("missing", "secret_file = \"/nowhere/at/all\"", &["/nowhere/at/all", "cannot be read"][..]),
        (
            "missing beside the config file",
            "secret_file = \"ops.secret.key\"",
            &["/wecom-alert/ops.secret.key", "cannot be read"],
        ),
        ("a folder", "secret_file = \"/\"", &["/: it cannot be read: it is a folder"]),
        ("a secret for a path", &format!("secret_file = \"{HIDDEN}\""), &["secret_file of profile ops"]),
        ("a URL for a path", &format!("secret_file = \"https://h/?key={HIDDEN}\""), &["a path is expected"]),
    ] {
        let document = assert_document(&app_send(&env, &wecom, line).run(), case, 3, &json!({"attempts": 0}));
        assert_says(&document, case, "message", parts);
    }
    assert_eq!(wecom.requests().len(), 0);
}

/// What env files, chats, editors and input methods leave around a value, wherever a credential or an id comes from.
#[test]
fn what_stands_around_a_credential_or_an_id_is_taken_off() {
    let wecom = FakeWecom::builder().any_user().parties([3]).tags([4]).start();
    for (case, before, after) in [
        ("double quotes", "\"", "\""),
        ("single quotes", "'", "'"),
        ("the quotes of an input method", "“", "”"),
        ("its single quotes", "‘", "’"),
        ("corner brackets", "「", "」"),
        ("Windows line end", "", "\r\n"),
        ("marks and signs of no width", "\u{feff}\u{200b}", "\u{200b}\u{2060}"),
        ("blanks, quotes and a line end", " \"", "\" \r"),
    ] {
        let around = |value: &str| format!("{before}{value}{after}");
        let scene = || TestEnv::new();
        let agent_id = around(&AGENT_ID.to_string());
        // Variables.
        let env = scene();
        let cmd = env.cmd(["app-send", "--output", "json", "disk full"]).base_url(&wecom).secret(SECRET);
        let cmd = cmd.env("WECOM_ALERT_CORP_ID", around(CORP_ID)).env("WECOM_ALERT_AGENT_ID", &agent_id);
        let cmd = cmd.env("WECOM_ALERT_SECRET", around(SECRET)).env("WECOM_ALERT_TO_USER", around("zhangsan, lisi"));
        assert_document(&cmd.run(), case, 0, &json!({"status": "sent", "warnings": []}));
        assert_eq!(wecom.messages().last().unwrap().body["touser"], "zhangsan|lisi", "{case}");
        // Options, and the secret from a command.
        let env = scene();
        let printed = env.file("printed", around(SECRET));
        let config = format!("[profiles.ops]\nsecret_command = [\"cat\", {printed:?}]\n");
        let options = [
            ("--corp-id", around(CORP_ID)),
            ("--agent-id", agent_id),
            ("--to-party", around("3")),
            ("--to-tag", around("4")),
        ];
        let cmd = env.cmd(["app-send", "--output", "json", "disk full"]).base_url(&wecom).config(&config);
        let cmd = cmd.args(options.into_iter().flat_map(|(option, value)| [option.to_owned(), value]));
        assert_document(&cmd.run(), case, 0, &json!({"status": "sent", "warnings": []}));
        assert_eq!(wecom.messages().last().unwrap().body["totag"], "4", "{case}");
        // A key of the config file, and the secret from a file in the encoding of PowerShell.
        for encode in [|unit: u16| unit.to_le_bytes(), u16::to_be_bytes] {
            let env = scene();
            let text = format!("\u{feff}{}\r\n", around(SECRET));
            beside_the_config(&env, "ops.secret", &text.encode_utf16().flat_map(encode).collect::<Vec<u8>>());
            let run = app_send(&env, &wecom, "secret_file = \"ops.secret\"").run();
            assert_document(&run, case, 0, &json!({"status": "sent", "warnings": []}));
        }
        // A webhook and whom it mentions.
        let env = scene();
        beside_the_config(&env, "room.key", format!("{}\0\0", around(WEBHOOK_KEY)).as_bytes());
        let config = "[profiles.room]\nwebhook_file = \"room.key\"\n";
        let cmd = webhook_send(&env, &wecom).config(config).base_url(&wecom).args(["-t", "text"]);
        let cmd = cmd.arg("--mention").arg(around("zhangsan、lisi")).arg("--mention").arg(around("@ALL"));
        assert_document(&cmd.run(), case, 0, &json!({"status": "sent", "warnings": []}));
        let mentioned = wecom.messages().last().unwrap().body["text"]["mentioned_list"].clone();
        assert_eq!(mentioned, json!(["zhangsan", "lisi", "@all"]), "{case}");
    }
    let asked: Vec<_> = wecom.requests().into_iter().filter(|seen| seen.endpoint == Endpoint::GetToken).collect();
    assert!(asked.iter().all(|seen| seen.parameter("corpsecret") == Some(SECRET)));
}

/// In quotes or not: an empty value is none.
#[test]
fn quotes_around_nothing_in_a_variable_count_as_unset() {
    let (env, wecom) = (TestEnv::new(), FakeWecom::start());
    let cmd = webhook_send(&env, &wecom).base_url(&wecom).env("WECOM_ALERT_WEBHOOK", WEBHOOK_KEY);
    let cmd =
        cmd.env("WECOM_ALERT_PROXY", "\"\"").env("WECOM_ALERT_TIMEOUT", "''").env("WECOM_ALERT_DEADLINE", "\"20s\"");
    assert_document(&cmd.run(), "quotes", 0, &json!({"status": "sent", "warnings": []}));
}

#[cfg(unix)]
#[test]
fn a_pipe_that_nobody_writes_into_is_given_up_at_the_deadline() {
    let (env, wecom) = (TestEnv::new(), FakeWecom::start());
    let pipe = env.home().join("pipe");
    make_fifo(&pipe);
    let cmd = env.cmd(["webhook-send", "--output", "json", "--deadline", "300ms", "hi"]).base_url(&wecom);
    let run = cmd.env("WECOM_ALERT_WEBHOOK_FILE", &pipe).run();
    let document = assert_document(&run, "pipe", 3, &json!({"status": "config", "attempts": 0}));
    assert_says(&document, "pipe", "message", &["before the deadline"]);
}

#[test]
fn credentials_of_a_systemd_service() {
    let (env, wecom) = (TestEnv::new(), FakeWecom::start());
    let folder = env.home().join("credentials");
    env.file("credentials/ops", format!("{SECRET}\n"));
    env.file("credentials/room", format!("{WEBHOOK_KEY}\n"));
    let from = |line: &str| app_send(&env, &wecom, line).env("CREDENTIALS_DIRECTORY", &folder);
    assert_document(&from("secret_file = \"credential:ops\"").run(), "secret", 0, &json!({"status": "sent"}));
    let cmd = webhook_send(&env, &wecom).base_url(&wecom).config("[profiles.a]\nwebhook_file = \"credential:room\"\n");
    assert_document(&cmd.env("CREDENTIALS_DIRECTORY", &folder).run(), "webhook", 0, &json!({"status": "sent"}));
    let cmd = app_send(&env, &wecom, "").env("WECOM_ALERT_SECRET_FILE", "credential:ops");
    let run = cmd.env("CREDENTIALS_DIRECTORY", &folder).run();
    assert_document(&run, "in a variable", 0, &json!({"status": "sent"}));

    let without = app_send(&env, &wecom, "secret_file = \"credential:ops\"").run();
    let document = assert_document(&without, "no folder", 3, &json!({"status": "config"}));
    assert_says(&document, "no folder", "message", &["CREDENTIALS_DIRECTORY", "credential ops"]);
    assert_says(&document, "no folder", "hint", &["LoadCredential="]);
    for name in ["missing", "", "../home/credentials/ops", "a/b"] {
        let run = from(&format!("secret_file = \"credential:{name}\"")).run();
        assert_document(&run, name, 3, &json!({"status": "config", "attempts": 0}));
    }
}

#[cfg(unix)]
mod commands {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn script(env: &TestEnv, name: &str, text: &str) {
        beside_the_config(env, name, text.as_bytes());
        let path = env.config_file().with_file_name(name);
        fs::set_permissions(path, fs::Permissions::from_mode(0o700)).unwrap();
    }

    #[test]
    fn run_without_a_shell_and_say_nothing() {
        let (env, wecom) = (TestEnv::new(), FakeWecom::start());
        // Gives the secret only if its arguments came one by one and untouched, and nothing came to its input.
        let text = format!(
            "#!/bin/sh\n[ \"$#\" = 3 ] && [ \"$1\" = 'a b' ] && [ \"$2\" = '$HOME;exit' ] && [ \"$3\" = '*' ] || exit 9\n\
             [ -z \"$(cat)\" ] || exit 8\necho {HIDDEN} >&2\necho '  {SECRET}  '\n"
        );
        script(&env, "give", &text);
        let line = "secret_command = [\"./give\", \"a b\", \"$HOME;exit\", \"*\"]";
        let cmd = app_send(&env, &wecom, line).in_folder("/").arg("-vv").stdin("not for the command");
        assert_document(&cmd.run(), "a script", 0, &json!({"status": "sent", "warnings": []}));
        script(&env, "key", &format!("#!/bin/sh\necho {WEBHOOK_KEY}\n"));
        let cmd = webhook_send(&env, &wecom).base_url(&wecom).config("[profiles.a]\nwebhook_command = [\"./key\"]\n");
        assert_document(&cmd.run(), "of a webhook", 0, &json!({"status": "sent"}));
        let line = format!("secret_command = [\"printf\", \"%s\", \"{SECRET}\"]");
        let run = app_send(&env, &wecom, &line).arg("--no-cache").run();
        assert_document(&run, "found in PATH", 0, &json!({"status": "sent"}));
    }

    #[test]
    fn that_fail_are_named_and_their_output_is_not_shown() {
        let (env, wecom) = (TestEnv::new(), FakeWecom::start());
        for (case, text, part) in [
            ("fails", format!("echo {HIDDEN}; echo {HIDDEN} >&2; exit 7"), "exit code 7"),
            ("is killed", format!("echo {HIDDEN}; kill -9 $$"), "signal"),
            ("writes nothing", format!("echo {HIDDEN} >&2"), "gives nothing"),
            ("writes two lines", format!("echo {HIDDEN}; echo {HIDDEN}"), "more than one line"),
            ("writes without end", format!("while echo {HIDDEN}; do :; done"), "64 KiB"),
        ] {
            script(&env, "give", &format!("#!/bin/sh\n{text}\n"));
            let run = app_send(&env, &wecom, "secret_command = [\"./give\"]").arg("-vv").run();
            let document = assert_document(&run, case, 3, &json!({"status": "config", "attempts": 0}));
            assert_says(&document, case, "message", &["give", "secret_command", part]);
            assert!(document["hint"].is_string(), "{case}");
        }
        for command in ["/nowhere/at/all", "no-such-program-anywhere"] {
            let run = app_send(&env, &wecom, &format!("secret_command = [{command:?}]")).run();
            let document = assert_document(&run, command, 3, &json!({"status": "config"}));
            assert_says(&document, command, "message", &[command, "cannot be started"]);
        }
        assert_eq!(wecom.requests().len(), 0);
    }

    #[test]
    fn that_hang_are_stopped_by_the_deadline() {
        let (env, wecom) = (TestEnv::new(), FakeWecom::start());
        for (case, text) in [
            ("hangs", "exec sleep 300"),
            ("ignores signals", "trap '' TERM INT HUP; while :; do sleep 1; done"),
            ("closes its output and hangs", "exec >&-; exec sleep 300"),
            ("leaves a child behind with its output", "sleep 3 & exit 0"),
        ] {
            script(&env, "give", &format!("#!/bin/sh\necho $$ > pid\n{text}\n"));
            let cmd = app_send(&env, &wecom, "secret_command = [\"./give\"]").args(["--deadline", "1500ms"]);
            let document = assert_document(&cmd.run(), case, 3, &json!({"status": "config", "attempts": 0}));
            assert_says(&document, case, "message", &["give", "it was stopped because it had not ended after"]);
            let pid = fs::read_to_string(env.home().join("pid")).unwrap();
            assert!(!is_alive(pid.trim().parse().unwrap()), "{case}: the command goes on");
        }
        assert_eq!(wecom.requests().len(), 0);
    }

    #[test]
    fn do_not_run_for_a_dry_run() {
        let (env, wecom) = (TestEnv::new(), FakeWecom::start());
        script(&env, "give", "#!/bin/sh\ntouch was-run\n");
        let line = "secret_command = [\"./give\"]\nwebhook_command = [\"./give\"]";
        let file = env.file("alert.txt", "log of a crash");
        for args in [&["app-send", "hi"][..], &["webhook-send", "hi"], &["get-token"]] {
            let config = format!("[profiles.ops]\nto_user = \"zhangsan\"\nagent_id = 1\n{line}\n");
            let cmd = env.cmd(args.iter().copied()).args(["--dry-run", "--output", "json"]).config(&config);
            assert_document(&cmd.base_url(&wecom).run(), args[0], 0, &json!({"status": "dry_run"}));
        }
        let cmd = env.cmd(["upload-media", "--route", "app", "--dry-run"]).arg(&file).base_url(&wecom);
        cmd.run().assert_code(0);
        assert!(!env.home().join("was-run").exists());
        assert_eq!(wecom.connections(), 0);
    }
}

#[test]
fn a_webhook_in_every_form() {
    let (env, wecom) = (TestEnv::new(), FakeWecom::start());
    let whole = wecom.webhook_url();
    let base = wecom.base_url();
    let short_of_scheme = whole.trim_start_matches("http://");
    let cases: Vec<(&str, String, Option<&str>)> = vec![
        ("a key", WEBHOOK_KEY.into(), Some(&base)),
        ("a key in quotes", format!("\"{WEBHOOK_KEY}\""), Some(&base)),
        ("a key with blanks around", format!("  {WEBHOOK_KEY}\r\n"), Some(&base)),
        ("its tail", format!("key={WEBHOOK_KEY}"), Some(&base)),
        ("a path", format!("/cgi-bin/webhook/send?key={WEBHOOK_KEY}"), Some(&base)),
        ("a whole URL", whole.clone(), None),
        ("a whole URL in quotes", format!("'{whole}'"), None),
        ("with more parameters", whole.replace("?key", "?debug=1&key") + "&x=1#top", None),
        ("of the upload", whole.replace("/send?", "/upload_media?type=file&"), None),
        ("an explicit base URL wins", whole.replace("127.0.0.1", "relay.invalid"), Some(&base)),
        ("without its scheme, under a base URL", short_of_scheme.to_owned(), Some(&base)),
    ];
    for (case, webhook, base_url) in &cases {
        let mut cmd = webhook_send(&env, &wecom).env("WECOM_ALERT_WEBHOOK", webhook);
        if let Some(base_url) = base_url {
            cmd = cmd.env("WECOM_ALERT_BASE_URL", base_url);
        }
        assert_document(&cmd.run(), case, 0, &json!({"status": "sent", "warnings": [], "route": "webhook"}));
        env.file("room.webhook", format!("{webhook}\n"));
        let mut cmd = webhook_send(&env, &wecom).env("WECOM_ALERT_WEBHOOK_FILE", "room.webhook");
        if let Some(base_url) = base_url {
            cmd = cmd.args(["--base-url", base_url]);
        }
        assert_document(&cmd.run(), &format!("{case}, from a file"), 0, &json!({"status": "sent"}));
    }
    assert_eq!(wecom.messages().len(), 2 * cases.len());
    let keys = wecom.requests().iter().all(|seen| seen.query == [("key".to_owned(), WEBHOOK_KEY.to_owned())]);
    assert!(keys, "the key alone is in the query");
}

#[test]
fn a_webhooks_url_brings_prefix_and_port_along() {
    let wecom = FakeWecom::builder().prefix("/relay").start();
    let env = TestEnv::new();
    let file = env.file("alert.txt", "log of a crash");
    let url = wecom.webhook_url();
    let cmd = |command: &str| env.cmd([command]).keeps_secret(&wecom).env("WECOM_ALERT_WEBHOOK", &url);
    cmd("webhook-send").arg("hi").run().assert_code(0);
    cmd("upload-media").arg(&file).run().assert_code(0);
    cmd("webhook-send").arg("--file").arg(&file).run().assert_code(0);
    assert_eq!((wecom.messages().len(), wecom.uploads().len()), (2, 2));
    let dry = cmd("webhook-send").args(["--dry-run", "--output", "json", "hi"]).run();
    let document = assert_document(&dry, "dry run", 0, &json!({"status": "dry_run"}));
    assert_eq!(document["requests"][0]["path"], "/relay/cgi-bin/webhook/send");
    // A base URL of any level wins.
    let elsewhere = format!("base_url = \"http://127.0.0.1:{}\"\n", closed_port());
    let run = cmd("webhook-send").args(["--output", "json", "hi"]).config(&elsewhere).run();
    assert_document(&run, "a base URL in the file", 7, &json!({"status": "temporary"}));
    assert_eq!(wecom.messages().len(), 2);
}

#[test]
fn keys_of_any_shape_are_sent_as_they_are() {
    for key in ["x-1", "693axxx6-7aoc", "a/b+c=d", "test key".replace(' ', "%20").as_str(), "测试key", &"k".repeat(300)]
    {
        let wecom = FakeWecom::builder().webhook(key).start();
        let env = TestEnv::new();
        let run = webhook_send(&env, &wecom).base_url(&wecom).env("WECOM_ALERT_WEBHOOK", key).arg("-vv").run();
        assert_document(&run, key, 0, &json!({"status": "sent"}));
    }
}

#[test]
fn urls_of_other_products_are_refused_by_name() {
    let env = TestEnv::new();
    for (url, product) in [
        ("https://oapi.dingtalk.com/robot/send?access_token=test-hidden", "DingTalk"),
        ("https://open.feishu.cn/open-apis/bot/v2/hook/test-hidden", "Feishu"),
        ("https://open.larksuite.com/open-apis/bot/v2/hook/test-hidden", "Lark"),
        ("https://hooks.slack.com/services/test-hidden", "Slack"),
        ("oapi.dingtalk.com/robot/send?access_token=test-hidden", "DingTalk"),
    ] {
        for more in [&[][..], &["--dry-run"]] {
            let cmd = env.cmd(["webhook-send", "--output", "json", "hi"]).args(more.iter().copied());
            let run = cmd.env("WECOM_ALERT_WEBHOOK", url).secret("test-hidden").run();
            let document = assert_document(&run, url, 3, &json!({"status": "config", "attempts": 0}));
            assert_says(&document, url, "message", &["WECOM_ALERT_WEBHOOK", product, "not of WeCom"]);
        }
    }
}

#[test]
fn webhooks_that_hold_no_key() {
    let env = TestEnv::new();
    for (webhook, part) in [
        ("https://qyapi.weixin.qq.com/cgi-bin/webhook/send", "no `key=`"),
        ("https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=", "empty"),
        ("https://qyapi.weixin.qq.com/cgi-bin/webhook/send?token=test-hidden", "no `key=`"),
        ("https://relay.example/elsewhere?key=test-hidden", "/cgi-bin/webhook/send"),
        ("ftp://relay.example/cgi-bin/webhook/send?key=test-hidden", "neither http nor https"),
        ("https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=test-hidden%0aX", "white space"),
    ] {
        let run = env.cmd(["webhook-send", "--output", "json", "hi"]).env("WECOM_ALERT_WEBHOOK", webhook).run();
        let document = assert_document(&run, webhook, 3, &json!({"status": "config", "attempts": 0}));
        assert_says(&document, webhook, "message", &["WECOM_ALERT_WEBHOOK", part]);
        assert_says(&document, webhook, "hint", &["key="]);
        assert!(!run.all().contains("test-hidden"), "{webhook}: {}", run.all());
    }
}

#[test]
fn credentials_are_never_options() {
    let env = TestEnv::new();
    for option in ["--secret", "--webhook", "--key", "--access-token", "--corpsecret"] {
        for given in [vec![option.to_owned(), HIDDEN.to_owned()], vec![format!("{option}={HIDDEN}")]] {
            let run = env.cmd(["app-send", "--output", "json"]).args(given).arg("hi").secret(HIDDEN).run();
            let document = assert_document(&run, option, 2, &json!({"status": "usage", "parts": [], "warnings": []}));
            assert_says(&document, option, "hint", &["never options", "WECOM_ALERT_SECRET", "WECOM_ALERT_WEBHOOK"]);
        }
    }
}
