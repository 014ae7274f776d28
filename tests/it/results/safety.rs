//! What no output may do: show a secret, or take a terminal over with text from outside.

use serde_json::json;

use super::{Way, document};
use crate::support::fake::{AGENT_ID, CORP_ID, FakeWecom, Reply, WEBHOOK_KEY, closed_port};
use crate::support::{Cmd, TestEnv};

/// A secret and a key that must be percent-encoded in a URL.
const SECRET: &str = "test/secret+with=odd&characters%0001";
const KEY: &str = "test-key/with+odd=characters-0001";

const EVIL: &str =
    "a\x1b[2J\x1b]0;owned\x07b\r\nwecom-alert: error[sent]: forged\x0c\u{9b}31m\u{202e}c\u{2028}d\u{7f}\u{2066}";

fn percent(text: &str, lower: bool) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        match (byte.is_ascii_alphanumeric() || b"-._~".contains(&byte), lower) {
            (true, _) => encoded.push(char::from(byte)),
            (false, true) => encoded.push_str(&format!("%{byte:02x}")),
            (false, false) => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

/// All spellings of everything that a server was told.
fn echo(wecom: &FakeWecom, way: Way) -> String {
    let secrets = wecom.secrets();
    let mut text = String::new();
    // A command that asks for a token, or sends by webhook, cannot know the one that another got.
    let token = if matches!(way, Way::AppSend | Way::AppUpload) { secrets.tokens().pop() } else { None };
    for secret in [KEY.to_owned(), SECRET.to_owned()].into_iter().chain(token) {
        text.push_str(&format!("{secret} {} {} ", percent(&secret, false), percent(&secret, true)));
    }
    text
}

fn server() -> FakeWecom {
    FakeWecom::builder().app(CORP_ID, AGENT_ID + 1, SECRET).webhook(KEY).awkward_tokens().start()
}

/// The command with those odd credentials, as talkative as can be.
fn talkative(way: Way, env: &TestEnv, wecom: &FakeWecom, output: &str) -> Cmd {
    let cmd = way.cmd(env).keeps_secret(wecom).args(["-v", "-v", "--output", output]);
    let cmd = match way {
        Way::AppUpload | Way::WebhookUpload => cmd.args(["--route", way.route()]),
        _ => cmd,
    };
    cmd.env("WECOM_ALERT_SECRET", SECRET)
        .env("WECOM_ALERT_AGENT_ID", (AGENT_ID + 1).to_string())
        .env("WECOM_ALERT_WEBHOOK", KEY)
        .env("WECOM_ALERT_BASE_URL", wecom.base_url())
}

/// Every fault that can quote what the server was told.
fn quoting(text: &str) -> Vec<Reply> {
    let http = |status: u16, body: String| Reply::Http {
        status,
        headers: vec![("Location".into(), format!("http://127.0.0.1:1/{}", text.replace(' ', "&")))],
        body: body.into_bytes(),
    };
    let page = || format!("<html>{text}</html>");
    let mut replies = vec![
        Reply::errcode(40058, text),
        Reply::errcode(40001, text),
        Reply::errcode(60020, text),
        Reply::errcode(93000, text),
        Reply::errcode(45009, text),
        Reply::errcode(-1, text),
        Reply::errcode(0, &format!("Warning: wrong json format. {text}")),
        Reply::Json(json!({"errcode": 81013, "errmsg": text, "invaliduser": text, "invalidtag": [text]})),
        Reply::HangAfterReading,
        Reply::ResetAfterReading,
        Reply::CloseAfterReading,
        Reply::CutAfterHeaders,
        Reply::NotUtf8,
        Reply::PortalPage,
    ];
    replies.extend([200, 302, 400, 404, 407, 429, 500, 502].map(|status| http(status, page())));
    replies
}

#[test]
fn no_fault_shows_a_secret() {
    for output in ["text", "json"] {
        let (env, wecom) = (TestEnv::new(), server());
        // So that there is a token to be quoted; afterwards it is in the cache, but for whoever asks anew.
        talkative(Way::GetToken, &env, &wecom, output).may_show_token().run().assert_code(0);
        for turn in 0..quoting("").len() {
            for way in Way::some(turn) {
                let reply = quoting(&echo(&wecom, way)).swap_remove(turn);
                wecom.script(way.endpoint(), [reply.clone()]);
                let cmd = talkative(way, &env, &wecom, output).args(["--timeout", "1s"]);
                let run = match way {
                    Way::GetToken => cmd.arg("--refresh"),
                    Way::TokenToSend => cmd.arg("--no-cache"),
                    _ => cmd,
                }
                .run();
                wecom.normal(way.endpoint());
                assert!(!matches!(run.code, None | Some(0 | 1)), "{output} {way:?} {reply:?}\n{}", run.all());
                // A 407 is not quoted at all.
                let is_quoted =
                    matches!(&reply, Reply::Errcode(..) | Reply::Http { status: 200 | 404 | 429 | 502, .. });
                assert!(run.all().contains("***") || !is_quoted, "{way:?} {reply:?}\n{}", run.all());
            }
        }
    }
}

#[test]
fn a_success_that_quotes_shows_none_either() {
    let env = TestEnv::new();
    for output in ["text", "json"] {
        for way in [Way::AppSend, Way::WebhookSend] {
            let wecom = server();
            talkative(Way::GetToken, &env, &wecom, output).may_show_token().run().assert_code(0);
            let text = echo(&wecom, way);
            let fields =
                json!({"errcode": 0, "errmsg": text, "invaliduser": text, "msgid": text, "response_code": text});
            wecom.script(way.endpoint(), [Reply::Json(fields)]);
            let run = talkative(way, &env, &wecom, output).run();
            assert!(matches!(run.code, Some(0 | 6)), "{}", run.all());
            assert!(run.all().contains("***"), "{}", run.all());
        }
    }
}

#[test]
fn faults_before_any_request_show_none() {
    let env = TestEnv::new();
    let wecom = server();
    let closed = format!("http://127.0.0.1:{}", closed_port());
    for output in ["text", "json"] {
        for way in [Way::AppSend, Way::WebhookSend, Way::AppUpload] {
            for (name, more) in [
                ("refused", vec!["--base-url", &closed]),
                ("bad base URL", vec!["--base-url", "nowhere"]),
                ("bad CA", vec!["--ca-file", "missing.pem"]),
                ("unknown option", vec!["--bogus"]),
                ("the secret as an option", vec!["--secret", SECRET]),
                ("the key as an argument", vec!["--key", KEY]),
                ("the key as a profile", vec!["--profile", KEY]),
                ("the key as a duration", vec!["--timeout", KEY]),
                ("the key as a base URL", vec!["--base-url", KEY]),
                ("the key as a proxy", vec!["--proxy", KEY]),
                ("the key as a config file", vec!["--config", KEY]),
            ] {
                let run = talkative(way, &env, &wecom, output).arg("--no-cache").args(more).run();
                assert!(matches!(run.code, Some(2 | 3 | 7)), "{name} {way:?}\n{}", run.all());
            }
        }
    }
    assert_eq!(wecom.connections(), 0);
}

#[test]
fn a_dry_run_shows_none() {
    let (env, wecom) = (TestEnv::new(), server());
    for output in ["text", "json"] {
        for way in Way::ALL {
            talkative(way, &env, &wecom, output).arg("--dry-run").run().assert_code(0);
        }
        let cmd = env.cmd(["webhook-send", "--dry-run", "--output", output]).arg(format!("my key is {KEY}"));
        cmd.env("WECOM_ALERT_WEBHOOK", KEY).secret(KEY).run().assert_code(0);
    }
    assert_eq!(wecom.connections(), 0);
}

#[test]
fn a_whole_webhook_url_is_no_less_secret() {
    let (env, wecom) = (TestEnv::new(), FakeWecom::start());
    for output in ["text", "json"] {
        for reply in [Reply::Normal, Reply::errcode(93000, WEBHOOK_KEY), Reply::status(502), Reply::CloseAfterReading] {
            wecom.script(Way::WebhookSend.endpoint(), [reply]);
            let cmd = env.cmd(["webhook-send", "hello", "-v", "-v", "--output", output]).keeps_secret(&wecom);
            assert!(cmd.env("WECOM_ALERT_WEBHOOK", wecom.webhook_url()).run().code.is_some_and(|code| code != 1));
        }
    }
    assert_eq!(wecom.messages().len(), 2);
}

#[test]
fn text_from_outside_is_harmless_on_a_terminal() {
    let env = TestEnv::new();
    for way in [Way::AppSend, Way::WebhookSend, Way::GetToken, Way::WebhookUpload] {
        for reply in [
            Reply::errcode(40058, EVIL),
            Reply::errcode(60020, EVIL),
            Reply::Json(json!({"errcode": 81013, "errmsg": EVIL, "invaliduser": EVIL})),
            Reply::Http { status: 502, headers: Vec::new(), body: EVIL.into() },
            Reply::Http { status: 404, headers: Vec::new(), body: EVIL.into() },
            Reply::Http { status: 429, headers: Vec::new(), body: EVIL.into() },
        ] {
            let wecom = FakeWecom::start();
            wecom.always(way.endpoint(), reply.clone());
            let run = way.cmd(&env).base_url(&wecom).args(["-v", "-v", "--no-cache"]).run();
            let harmful = |c: char| {
                (c.is_control() && c != '\n')
                    || matches!(c, '\u{2028}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
            };
            assert!(!run.all().contains(harmful), "{way:?} {reply:?}\n{:?}", run.all());
            let is_ours = |line: &str| line.starts_with("wecom-alert: ") || line.starts_with("hint: ");
            assert!(run.stderr.lines().all(is_ours), "{way:?} {reply:?}\n{}", run.stderr);
            let errors = run.stderr.lines().filter(|line| line.starts_with("wecom-alert: error[")).count();
            assert_eq!(errors, 1, "{way:?} {reply:?}\n{}", run.stderr);

            let run = way.json(&env, &wecom).arg("--no-cache").run();
            let told = document(&run);
            let harmful = |text: &str| text.contains(harmful);
            assert!(!harmful(told["message"].as_str().unwrap()), "{way:?} {reply:?}\n{told}");
            assert!(!harmful(told["hint"].as_str().unwrap()), "{way:?} {reply:?}\n{told}");
        }
    }
}

#[test]
fn names_of_people_and_files_are_harmless_too() {
    let (env, wecom) = (TestEnv::new(), FakeWecom::start());
    let fields = json!({"errcode": 0, "errmsg": "ok", "invaliduser": EVIL, "msgid": EVIL});
    wecom.script(Way::AppSend.endpoint(), [Reply::Json(fields)]);
    let run = Way::AppSend.cmd(&env).base_url(&wecom).arg("-v").run().assert_code(6);
    assert!(!run.all().contains(|c: char| c.is_control() && c != '\n'), "{:?}", run.all());
    let media = json!({"errcode": 0, "errmsg": "ok", "type": "file", "media_id": EVIL, "created_at": "1"});
    wecom.script(Way::AppUpload.endpoint(), [Reply::Json(media)]);
    let run = Way::AppUpload.cmd(&env).base_url(&wecom).run().assert_code(0);
    assert!(!run.all().contains(|c: char| c.is_control() && c != '\n'), "{:?}", run.all());
    let run = env.cmd(["upload-media", "no\x1b[2Jsuch\nfile"]).webhook().base_url(&wecom).run().assert_code(3);
    assert!(!run.all().contains('\x1b') && run.stderr.lines().count() == 2, "{:?}", run.all());
    let run = env.cmd(["webhook-send", "--no\x1b[2Jsuch", "x"]).run().assert_code(2);
    assert!(!run.all().contains('\x1b') && run.stderr.lines().count() == 2, "{:?}", run.all());
}
