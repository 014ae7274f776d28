//! The long connection itself: how it is reached, what its failures end as, and what is told of it.

use std::time::Duration;

use serde_json::json;

use crate::document::{assert_document, assert_says, warnings};
use crate::sent::MIB;
use crate::support::fake::tls::Certificate;
use crate::support::fake::{AIBOT_ID, AIBOT_SECRET, Endpoint, FakeWecom, Reply, closed_port};
use crate::support::proxy::{Carried, Proxy};
use crate::support::{Cmd, Scene, TestEnv, at_once};

const CODE: i64 = 853000;

fn send(env: &TestEnv, wecom: &FakeWecom) -> Cmd {
    let cmd = env.cmd(["aibot-send", "-u", "zhangsan", "--output", "json", "-v", "-v", "disk full"]).aibot(wecom);
    cmd.secret(AIBOT_SECRET)
}

/// How often there were an upgrade, a subscription and a message.
fn counts(wecom: &FakeWecom) -> [usize; 3] {
    [Endpoint::AibotConnect, Endpoint::AibotSubscribe, Endpoint::AibotSendMsg].map(|endpoint| wecom.count(endpoint))
}

#[test]
fn one_message_is_one_connection_one_subscription_and_one_frame() {
    let (env, wecom) = (TestEnv::new(), FakeWecom::start());
    let run = send(&env, &wecom).run().assert_code(0);
    assert_eq!((counts(&wecom), wecom.connections()), ([1, 1, 1], 1));
    for told in ["aibot_subscribe: errcode 0 ok (", "aibot_send_msg: errcode 0 ok ("] {
        assert!(run.stderr.contains(&format!("{} {told}", wecom.aibot_url())), "{}", run.stderr);
    }
    let upgrade = wecom.requests().into_iter().find(|seen| seen.endpoint == Endpoint::AibotConnect).unwrap();
    let agent = concat!("wecom-alert/", env!("CARGO_PKG_VERSION"));
    assert_eq!(upgrade.header("user-agent"), Some(agent));
    assert_eq!(wecom.complaints(), Vec::<String>::new());
}

#[test]
fn tls_is_verified_with_the_roots_that_a_person_names() {
    for (certificate, ca_file, code, told) in [
        (Certificate::Good, true, 0, ""),
        (Certificate::Good, false, 3, "its issuer is not among the trusted roots"),
        (Certificate::Expired, true, 3, "it has expired"),
        (Certificate::WrongName, true, 3, "it is for another name"),
    ] {
        let (env, wecom) = (TestEnv::new(), FakeWecom::builder().tls(certificate).start());
        env.file("ca.pem", wecom.ca_pem());
        let cmd = send(&env, &wecom);
        let run = if ca_file { cmd.args(["--ca-file", "ca.pem"]) } else { cmd }.run().assert_code(code);
        let case = format!("{certificate:?} {ca_file}");
        assert_eq!(counts(&wecom), if code == 0 { [1; 3] } else { [0; 3] }, "{case}");
        if code != 0 {
            assert_says(&run.json(), &case, "message", &["the certificate of ", told]);
        }
    }
}

#[test]
fn proxies_carry_it_in_a_tunnel() {
    for (scheme, is_tls) in [("http", true), ("socks5", true), ("socks5h", true), ("socks5h", false)] {
        let (env, builder) = (TestEnv::new(), FakeWecom::builder());
        let wecom = if is_tls { builder.tls(Certificate::Good) } else { builder }.start();
        let proxy = if scheme == "http" { Proxy::http() } else { Proxy::socks5() };
        let proxy = proxy.login("user", "test-proxy-password").start();
        let url = format!("{scheme}://user:test-proxy-password@{}", proxy.authority());
        let cmd = send(&env, &wecom).args(["--proxy", &url]).secret("test-proxy-password");
        let run = if is_tls { cmd.arg("--ca-file").arg(env.file("ca.pem", wecom.ca_pem())) } else { cmd }.run();
        assert_eq!(run.code, Some(0), "{scheme} {is_tls}\n{}", run.all());
        let carried = proxy.carried();
        assert!(
            matches!(&carried[..], [Carried::Tunnel(_) | Carried::SocksName(_) | Carried::SocksAddress(_)]),
            "{carried:?}"
        );
        assert_eq!(counts(&wecom), [1; 3], "{scheme} {is_tls}");
    }
    // A log-in that the proxy refuses.
    let (env, wecom) = (TestEnv::new(), FakeWecom::builder().tls(Certificate::Good).start());
    let proxy = Proxy::http().login("user", "test-proxy-password").start();
    let url = format!("http://{}", proxy.authority());
    let run = send(&env, &wecom).args(["--proxy", &url]).run().assert_code(3);
    assert_says(&run.json(), "no log-in", "message", &["log-in"]);
    assert_eq!(counts(&wecom), [0; 3]);
}

#[test]
fn what_is_no_long_connection_says_what_it_is() {
    let env = TestEnv::new();
    for (reply, code, told) in [
        (Reply::status(404), 3, "HTTP 404"),
        (Reply::status(407), 3, "log-in"),
        (Reply::status(503), 7, "HTTP 503"),
        (Reply::status(429), 8, "HTTP 429"),
        (Reply::PortalPage, 7, "HTTP 200"),
        (Reply::Redirect("https://portal.example/login?x".to_owned()), 7, "a redirect to https://portal.example"),
        (Reply::errcode(60020, "not allow to access from your ip"), 4, "60020"),
    ] {
        let wecom = FakeWecom::start();
        wecom.always(Endpoint::AibotConnect, reply.clone());
        let run = send(&env, &wecom).args(["--retries", "0"]).run();
        assert_eq!(run.code, Some(code), "{reply:?}\n{}", run.all());
        assert_says(&run.json(), &format!("{reply:?}"), "message", &[told]);
        assert_eq!(counts(&wecom), [1, 0, 0], "{reply:?}");
    }
    // Nobody listens there.
    let wecom = FakeWecom::start();
    let url = format!("ws://127.0.0.1:{}", closed_port());
    let run = send(&env, &wecom).env("WECOM_ALERT_AIBOT_URL", &url).args(["--retries", "0"]).run().assert_code(7);
    assert_says(&run.json(), "nobody", "message", &["no connection to 127.0.0.1:"]);
}

#[test]
fn a_refused_subscription_ends_as_its_class_says() {
    for (code, exit_code, hint) in
        [(CODE, 4, &["长连接", "BotID", "WECOM_ALERT_AIBOT_SECRET"][..]), (846601, 4, &["API 模式 → 长连接"])]
    {
        let (env, wecom) = (TestEnv::new(), FakeWecom::start());
        let errmsg = format!("refused: bot {AIBOT_ID}, secret {AIBOT_SECRET}");
        wecom.always(Endpoint::AibotSubscribe, Reply::errcode(code, &errmsg));
        let run = send(&env, &wecom).run();
        let case = code.to_string();
        let document = assert_document(&run, &case, exit_code, &json!({"status": "auth", "errcode": code}));
        assert_says(&document, &case, "hint", hint);
        // Wrong credentials are not tried again.
        assert_eq!(counts(&wecom), [1, 1, 0], "{case}");
    }
}

#[test]
fn a_frame_that_was_not_answered_may_have_arrived_and_a_lost_subscription_has_not() {
    let cases = [
        (Endpoint::AibotSendMsg, Reply::HangAfterReading, 9),
        (Endpoint::AibotSendMsg, Reply::ResetAfterReading, 9),
        (Endpoint::AibotSendMsg, Reply::accept_then(Reply::CloseAfterReading), 9),
        (Endpoint::AibotSubscribe, Reply::HangAfterReading, 7),
        (Endpoint::AibotSubscribe, Reply::CloseAfterReading, 7),
        (Endpoint::AibotConnect, Reply::HangAfterReading, 7),
    ];
    at_once(cases, |(endpoint, reply, code)| {
        let (env, wecom) = (TestEnv::new(), FakeWecom::start());
        wecom.always(endpoint, reply.clone());
        let run = send(&env, &wecom).args(["--retries", "0", "--timeout", "1s"]).run();
        assert_eq!(run.code, Some(code), "{endpoint:?} {reply:?}\n{}", run.all());
        let document = run.json();
        let is_doubtful = document["hint"].as_str().unwrap().contains("may have arrived");
        assert_eq!(is_doubtful, code == 9, "{endpoint:?} {reply:?}: {document}");
    });
}

#[test]
fn frames_of_others_and_nonsense_change_nothing() {
    let (env, wecom) = (TestEnv::new(), FakeWecom::start());
    let answer = || Box::new(Reply::Normal);
    let nonsense = ["nonsense", "[]", r#"{"cmd":"aibot_new_thing","headers":{"req_id":"x"},"body":{}}"#];
    let reply =
        nonsense.iter().fold(Reply::Normal, |reply, text| Reply::AfterText((*text).to_owned(), Box::new(reply)));
    wecom.script(Endpoint::AibotSubscribe, [reply]);
    let event =
        r#"{"cmd":"aibot_event_callback","headers":{"req_id":"e"},"body":{"event":{"eventtype":"enter_chat"}}}"#;
    wecom.script(Endpoint::AibotSendMsg, [Reply::AfterText(event.to_owned(), answer())]);
    let run = send(&env, &wecom).run().assert_code(0);
    for told in ["a frame aibot_new_thing, which is not used", "an event enter_chat, which is not used"] {
        assert!(run.stderr.contains(told), "{}", run.stderr);
    }
    assert_eq!(counts(&wecom), [1; 3]);
}

#[test]
fn a_file_goes_in_chunks_and_a_broken_upload_goes_on() {
    let content: Vec<u8> = (0..700_000_u32).map(|at| (at % 251) as u8).collect();
    for broken in [false, true] {
        let (env, wecom) = (TestEnv::new(), FakeWecom::start());
        if broken {
            wecom.script(Endpoint::AibotUploadChunk, [Reply::Normal, Reply::accept_then(Reply::CloseAfterReading)]);
        }
        let path = env.file("报告.bin", content.clone());
        let cmd = env.cmd(["aibot-send", "-u", "zhangsan", "--output", "json", "--file"]).arg(path).aibot(&wecom);
        let run = cmd.args(["--timeout", "5s"]).run();
        assert_eq!(run.code, Some(0), "{broken}\n{}", run.all());
        let uploads = wecom.uploads();
        let whole = uploads.last().unwrap();
        assert!(
            whole.bytes == content && whole.filename == "报告.bin".as_bytes(),
            "{broken}: {} bytes",
            whole.bytes.len()
        );
        assert_eq!(wecom.messages().len(), 1, "{broken}");
        assert_eq!(wecom.complaints(), Vec::<String>::new(), "{broken}");
    }
}

#[test]
fn a_slow_answer_is_waited_for_within_the_timeout() {
    let (env, wecom) = (TestEnv::new(), FakeWecom::start());
    wecom.script(Endpoint::AibotSendMsg, [Reply::delayed(Duration::from_millis(700), Reply::Normal)]);
    send(&env, &wecom).args(["--timeout", "20s"]).run().assert_code(0);
    assert_eq!(counts(&wecom), [1; 3]);
}

#[test]
fn a_large_file_takes_little_memory() {
    let scene = Scene::new();
    let file = scene.env.sized_file("large.bin", b"x", 24 * MIB);
    // The answer comes late, so that the last look is at a process that has sent all of it.
    let late = Reply::delayed(Duration::from_millis(200), Reply::Normal);
    scene.wecom.script(Endpoint::AibotUploadFinish, [late]);
    let running = scene.aibot(&["--deadline", "2m", "--file"]).arg(file).spawn();
    let most = running.watch_memory();
    let run = running.wait().assert_code(0);
    let document = run.json();
    let told = warnings(&document);
    assert!(told.len() == 1 && told[0].contains("WeCom may refuse more than 20 MB of this type"), "{told:?}");
    assert_eq!(scene.wecom.uploads().last().unwrap().bytes.len(), 24 * MIB);
    assert!(most > 0 && most < 12 * 1024, "{most} KiB at the peak");
}
