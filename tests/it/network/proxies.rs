//! Proxies given by `--proxy`, its variable and the config file: carried, refused, logged in, and never told of.

use serde_json::json;

use crate::results::{Way, document};
use crate::support::fake::tls::Certificate;
use crate::support::fake::{Endpoint, FakeWecom, WEBHOOK_KEY, closed_port};
use crate::support::proxy::{Carried, Proxy};
use crate::support::{Cmd, TestEnv, needs};

const PASSWORD: &str = "test-proxy/p@ss:word";
/// As it stands in a URL.
const ENCODED: &str = "test-proxy%2Fp%40ss%3Aword";

fn send(env: &TestEnv, base_url: &str) -> Cmd {
    let cmd = env.cmd(["webhook-send", "hello", "--output", "json", "-v", "-v"]).webhook();
    cmd.env("WECOM_ALERT_BASE_URL", base_url).secret(PASSWORD).secret(ENCODED).secret(WEBHOOK_KEY)
}

#[test]
fn http_carries_plain_requests_in_absolute_form_and_tls_in_a_tunnel() {
    let env = TestEnv::new();
    for is_tls in [false, true] {
        let builder = FakeWecom::builder();
        let wecom = if is_tls { builder.tls(Certificate::Good) } else { builder }.start();
        env.file("ca.pem", wecom.ca_pem());
        let proxy = Proxy::http().start();
        let url = format!("http://{}", proxy.authority());
        let cmd = send(&env, &wecom.base_url()).args(["--proxy", &url]);
        if is_tls { cmd.args(["--ca-file", "ca.pem"]) } else { cmd }.run().assert_code(0);
        let authority = wecom.address();
        let carried = if is_tls {
            Carried::Tunnel(authority.to_string())
        } else {
            Carried::Forward(format!("http://{authority}/cgi-bin/webhook/send"))
        };
        assert_eq!(proxy.carried(), [carried]);
        assert_eq!(wecom.messages().len(), 1);
        assert_eq!(wecom.requests()[0].header("proxy-authorization"), None);
    }
}

#[test]
fn names_are_looked_up_by_the_proxy_but_with_socks5_here() {
    let (env, wecom) = (TestEnv::new(), FakeWecom::start());
    let port = wecom.address().port();
    let through = |scheme: &str, host: &str| {
        let builder = if scheme == "http" { Proxy::http() } else { Proxy::socks5() };
        let proxy = builder.lead_to(wecom.address()).start();
        let url = format!("{scheme}://{}", proxy.authority());
        let base_url = format!("http://{host}:{port}");
        (send(&env, &base_url).args(["--proxy", &url, "--connect-timeout", "2s"]).run(), proxy.carried())
    };
    for (scheme, carried) in [
        ("http", Carried::Forward(format!("http://no-such.invalid:{port}/cgi-bin/webhook/send"))),
        ("socks5h", Carried::SocksName(format!("no-such.invalid:{port}"))),
    ] {
        let (run, log) = through(scheme, "no-such.invalid");
        assert_eq!(run.code, Some(0), "{scheme}\n{}", run.all());
        assert_eq!(log, [carried], "{scheme}");
    }
    assert_eq!(wecom.messages().len(), 2);

    let (run, log) = through("socks5", "no-such.invalid");
    assert_eq!(run.code, Some(7), "{}", run.all());
    assert!(document(&run)["message"].as_str().unwrap().contains("no-such.invalid"), "{}", run.all());
    assert_eq!(log, []);
    let (run, log) = through("socks5", "localhost");
    assert_eq!(run.code, Some(0), "{}", run.all());
    assert!(matches!(&log[..], [Carried::SocksAddress(_)]), "{log:?}");
}

#[test]
fn a_login_that_is_right() {
    let env = TestEnv::new();
    for scheme in ["http", "socks5", "socks5h"] {
        for is_tls in [false, true] {
            let builder = FakeWecom::builder();
            let wecom = if is_tls { builder.tls(Certificate::Good) } else { builder }.start();
            let ca = env.file("ca.pem", wecom.ca_pem());
            let builder = if scheme == "http" { Proxy::http() } else { Proxy::socks5() };
            let proxy = builder.login("us er", PASSWORD).start();
            let url = format!("{scheme}://us%20er:{ENCODED}@{}", proxy.authority());
            let cmd = send(&env, &wecom.base_url()).args(["--proxy", &url]);
            let run = if is_tls { cmd.arg("--ca-file").arg(ca) } else { cmd }.run();
            assert_eq!(run.code, Some(0), "{scheme} {is_tls}\n{}", run.all());
            assert_eq!((proxy.carried().len(), wecom.messages().len()), (1, 1), "{scheme} {is_tls}");
            assert!(!proxy.carried().contains(&Carried::NoLogin), "{scheme} {is_tls}");
        }
    }
}

#[test]
fn a_login_that_is_wrong_or_missing_is_a_fault_of_the_set_up() {
    for scheme in ["http", "socks5", "socks5h"] {
        for login in ["", "user:wrong-test-password@"] {
            for is_tls in [false, true] {
                let env = TestEnv::new();
                let builder = FakeWecom::builder();
                let wecom = if is_tls { builder.tls(Certificate::Good) } else { builder }.start();
                env.file("ca.pem", wecom.ca_pem());
                let builder = if scheme == "http" { Proxy::http() } else { Proxy::socks5() };
                let proxy = builder.login("user", PASSWORD).start();
                let url = format!("{scheme}://{login}{}", proxy.authority());
                let cmd = send(&env, &wecom.base_url()).args(["--proxy", &url]).secret("wrong-test-password");
                let run = if is_tls { cmd.args(["--ca-file", "ca.pem"]) } else { cmd }.run();
                let name = format!("{scheme} {login} {is_tls}\n{}", run.all());
                assert_eq!(run.code, Some(3), "{name}");
                let told = document(&run);
                assert_eq!((&told["status"], &told["errcode"]), (&json!("config"), &json!(null)), "{name}");
                let status = if scheme == "http" { " (407)" } else { "" };
                let message = format!("the proxy {scheme}://{} refuses its log-in{status}", proxy.authority());
                assert_eq!(told["message"], message, "{name}");
                assert!(told["hint"].as_str().unwrap().contains("--proxy"), "{name}");
                assert_eq!(wecom.connections(), 0, "{name}");
                assert_eq!(proxy.carried(), [Carried::NoLogin], "{name}: asked once");
            }
        }
    }
}

#[test]
fn a_proxy_that_does_not_carry_is_no_delivery() {
    let env = TestEnv::new();
    let wecom = FakeWecom::builder().tls(Certificate::Good).start();
    env.file("ca.pem", wecom.ca_pem());
    for scheme in ["http", "socks5", "socks5h"] {
        let builder = if scheme == "http" { Proxy::http() } else { Proxy::socks5() };
        let refusing = builder.login("user", PASSWORD).refuse_with(503).start();
        for (name, authority) in
            [("refuses", refusing.authority()), ("is not there", format!("127.0.0.1:{}", closed_port()))]
        {
            let url = format!("{scheme}://user:{ENCODED}@{authority}");
            let run = send(&env, &wecom.base_url()).args(["--proxy", &url, "--ca-file", "ca.pem"]).run();
            assert_eq!(run.code, Some(7), "{scheme} {name}\n{}", run.all());
            let message = document(&run)["message"].as_str().unwrap().to_owned();
            assert!(message.contains(&format!("{scheme}://{authority}")), "{scheme} {name}: {message}");
        }
    }
    // And a target that is not there, behind a proxy that is.
    let proxy = Proxy::socks5().start();
    let url = format!("socks5h://{}", proxy.authority());
    let base_url = format!("https://127.0.0.1:{}", closed_port());
    send(&env, &base_url).args(["--proxy", &url]).run().assert_code(7);
    assert_eq!(wecom.connections(), 0);
}

#[test]
fn a_proxy_that_refuses_a_plain_request_answers_for_itself() {
    let (env, wecom) = (TestEnv::new(), FakeWecom::start());
    for (status, code) in [(403, 3), (429, 8), (502, 7), (504, 7)] {
        let proxy = Proxy::http().refuse_with(status).start();
        let url = format!("http://{}", proxy.authority());
        let run = send(&env, &wecom.base_url()).args(["--proxy", &url]).run();
        assert_eq!(run.code, Some(code), "{status}\n{}", run.all());
        assert_eq!(proxy.carried(), [Carried::Refused(status)]);
    }
    assert_eq!(wecom.connections(), 0);
}

#[test]
fn every_place_where_a_proxy_can_be_named() {
    let env = TestEnv::new();
    let wecom = FakeWecom::start();
    let proxy = Proxy::http().login("user", PASSWORD).start();
    let url = format!("http://user:{ENCODED}@{}", proxy.authority());
    let base = || send(&env, &wecom.base_url());
    env.file(env.config_file().with_file_name("proxy"), format!("{url}\n"));
    for (number, (name, cmd)) in [
        ("option", base().args(["--proxy", &url])),
        ("variable", base().env("WECOM_ALERT_PROXY", &url)),
        ("top level", base().config(&format!("proxy = \"{url}\"\n[profiles.room]\n"))),
        ("profile", base().config(&format!("[profiles.room]\nproxy = \"{url}\"\n"))),
        ("proxy_file", base().config("[profiles.room]\nproxy_file = \"proxy\"\n")),
    ]
    .into_iter()
    .enumerate()
    {
        let run = cmd.run();
        assert_eq!(run.code, Some(0), "{name}\n{}", run.all());
        assert_eq!((proxy.carried().len(), wecom.messages().len()), (number + 1, number + 1), "{name}");
    }
    assert_eq!(wecom.count(Endpoint::WebhookSend), 5);
}

/// However people write it, and wherever: the log-in that they mean arrives, and nothing of it is looked up or shown.
#[test]
fn a_login_in_every_spelling() {
    const WHOLE: [&str; 2] = ["", ""];
    let wecom = FakeWecom::start();
    for scheme in ["http", "socks5h"] {
        for (written, user, password, [before, after]) in [
            (r"CORP\ops:test-pw", r"CORP\ops", "test-pw", WHOLE),
            ("ops:Top@S3cretPart/x", "ops", "Top@S3cretPart/x", WHOLE),
            (r"ops:test-#?%/\pw", "ops", r"test-#?%/\pw", WHOLE),
            ("ops:100%zz-test", "ops", "100%zz-test", WHOLE),
            ("ops:test-%41%2f%40", "ops", "test-A/@", WHOLE),
            ("ops:test a:b", "ops", "test a:b", WHOLE),
            ("张三:测试密码", "张三", "测试密码", WHOLE),
            ("ops:test-pw", "ops", "test-pw", ["\"", "\""]),
            ("ops:test-pw", "ops", "test-pw", ["", "\r"]),
            ("ops:test-pw", "ops", "test-pw", [" '", "'\r"]),
            ("ops:test-pw", "ops", "test-pw", ["\u{feff}", "\u{200b}"]),
        ] {
            let builder = if scheme == "http" { Proxy::http() } else { Proxy::socks5() };
            let proxy = builder.login(user, password).start();
            let url = format!("{before}{scheme}://{written}@{}{after}", proxy.authority());
            let env = TestEnv::new();
            env.file(env.config_file().with_file_name("proxy"), format!("{url}\n"));
            let base = || send(&env, &wecom.base_url()).secret(password);
            let ways = [
                ("option", base().args(["--proxy", &url])),
                ("our variable", base().env("WECOM_ALERT_PROXY", &url)),
                ("HTTP_PROXY", base().env("HTTP_PROXY", &url)),
                ("all_proxy", base().env("all_proxy", &url)),
                ("file", base().config("proxy_file = \"proxy\"\n")),
                ("key", base().config(&format!("proxy = {}\n", json!(url)))),
            ];
            let count = ways.len();
            for (way, cmd) in ways {
                let run = cmd.run();
                assert_eq!(run.code, Some(0), "{way} {url:?}\n{}", run.all());
            }
            assert_eq!(proxy.carried().len(), count, "{url:?}");
            assert!(!proxy.carried().contains(&Carried::NoLogin), "{url:?}");
        }
    }
}

/// What curl takes is taken as curl takes it.
#[test]
fn curl_reads_the_same_login() {
    if !needs("curl") {
        return;
    }
    let (env, wecom) = (TestEnv::new(), FakeWecom::start());
    for (written, user, password) in [
        (r"CORP\ops:test-pw", r"CORP\ops", "test-pw"),
        ("ops:100%zz-test", "ops", "100%zz-test"),
        ("ops:test-%41%2f%40", "ops", "test-A/@"),
        ("张三:测试密码", "张三", "测试密码"),
        ("ops:test-a:b", "ops", "test-a:b"),
        ("ops", "ops", ""),
        (":test-pw", "", "test-pw"),
        ("ops:test-[+]&;=", "ops", "test-[+]&;="),
    ] {
        for scheme in ["http://", ""] {
            let proxy = Proxy::http().login(user, password).start();
            let url = format!("{scheme}{written}@{}", proxy.authority());
            let body = r#"{"msgtype":"text","text":{"content":"x"}}"#;
            let mut curl = std::process::Command::new("curl");
            curl.args(["--silent", "--output", "/dev/null", "--noproxy", "", "--proxy", &url, &wecom.webhook_url()]);
            curl.args(["--header", "Content-Type: application/json", "--data", body]);
            assert!(curl.status().unwrap().success(), "{url}");
            send(&env, &wecom.base_url()).args(["--proxy", &url]).run().assert_code(0);
            assert_eq!(proxy.carried().len(), 2, "{url}");
            assert!(!proxy.carried().contains(&Carried::NoLogin), "{url}: {:?}", proxy.carried());
        }
    }
}

#[test]
fn a_proxy_that_makes_no_sense_is_refused_without_a_word_of_its_password() {
    let (env, wecom) = (TestEnv::new(), FakeWecom::start());
    for (url, part) in [
        (format!("ftp://user:{ENCODED}@proxy.invalid"), "ftp"),
        (format!("user:{ENCODED}@proxy"), "scheme"),
        (format!("http://user:{ENCODED}@"), "host"),
        (format!("http://user:{ENCODED}@proxy.invalid:port"), "port"),
        (format!("http://user:{PASSWORD}@pro xy.invalid:3128"), "host"),
        (format!("http://user:{ENCODED}%ff@proxy.invalid:3128"), "UTF-8"),
    ] {
        for (code, origin, cmd) in [
            (2, "--proxy", send(&env, &wecom.base_url()).args(["--proxy", &url])),
            (3, "WECOM_ALERT_PROXY", send(&env, &wecom.base_url()).env("WECOM_ALERT_PROXY", &url)),
            (3, "HTTP_PROXY", send(&env, &wecom.base_url()).env("HTTP_PROXY", &url)),
            (3, "all_proxy", send(&env, &wecom.base_url()).env("all_proxy", &url)),
            (3, "HTTP_PROXY", send(&env, &wecom.base_url()).env("HTTP_PROXY", &url).arg("--dry-run")),
        ] {
            let run = cmd.run();
            assert_eq!(run.code, Some(code), "{url}\n{}", run.all());
            let message = document(&run)["message"].as_str().unwrap().to_owned();
            assert!(message.contains(part) && message.starts_with(&format!("{origin}: ")), "{url}\n{}", run.all());
        }
        // It shows there too, and nothing else is looked at.
        for more in [&[][..], &["--dry-run"]] {
            let cmd = env.cmd(["check", "--output", "json"]).args(more.iter().copied()).base_url(&wecom).webhook();
            let cmd = cmd.env("HTTP_PROXY", &url).secret(PASSWORD).secret(ENCODED);
            let run = cmd.run().assert_code(3);
            let checks = run.json()["checks"].as_array().unwrap().clone();
            let named = |name: &str| checks.iter().find(|check| check["name"] == name).unwrap();
            let proxy = named("proxy");
            assert_eq!(proxy["status"], "failed", "{proxy}");
            assert!(proxy["detail"].as_str().unwrap().starts_with("HTTP_PROXY: "), "{proxy}");
            assert_eq!(named("tcp")["status"], "skipped");
        }
    }
    assert_eq!(wecom.connections(), 0);
}

#[test]
fn a_certificate_behind_a_proxy_is_still_checked() {
    for scheme in ["http", "socks5h"] {
        let (env, wecom) = (TestEnv::new(), FakeWecom::builder().tls(Certificate::WrongName).start());
        env.file("ca.pem", wecom.ca_pem());
        let proxy = if scheme == "http" { Proxy::http() } else { Proxy::socks5() }.start();
        let url = format!("{scheme}://{}", proxy.authority());
        let run = Way::WebhookSend.json(&env, &wecom).args(["--proxy", &url, "--ca-file", "ca.pem"]).run();
        assert_eq!(run.code, Some(3), "{scheme}\n{}", run.all());
        assert_eq!(wecom.requests().len(), 0, "{scheme}");
    }
}
