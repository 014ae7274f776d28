//! The usual proxy variables: they count, unless something else was said.

use crate::results::{Way, document};
use crate::support::fake::tls::Certificate;
use crate::support::fake::{FakeWecom, closed_port};
use crate::support::proxy::Proxy;
use crate::support::{Cmd, TestEnv};

const PASSWORD: &str = "test-proxy-password";

struct Place {
    env: TestEnv,
    wecom: FakeWecom,
    proxy: Proxy,
}

impl Place {
    fn new(is_tls: bool) -> Self {
        let builder = FakeWecom::builder();
        let wecom = if is_tls { builder.tls(Certificate::Good) } else { builder }.start();
        let env = TestEnv::new();
        env.file("ca.pem", wecom.ca_pem());
        Self { env, wecom, proxy: Proxy::http().login("user", PASSWORD).start() }
    }

    fn url(&self) -> String {
        format!("http://user:{PASSWORD}@{}", self.proxy.authority())
    }

    fn send(&self) -> Cmd {
        let cmd = Way::WebhookSend.json(&self.env, &self.wecom).args(["-v", "-v"]).secret(PASSWORD);
        if self.wecom.ca_pem().is_empty() { cmd } else { cmd.args(["--ca-file", "ca.pem"]) }
    }

    /// Whether the proxy carried it; it must have arrived in any case.
    fn is_carried(&self, cmd: Cmd) -> bool {
        let (carried, arrived) = (self.proxy.carried().len(), self.wecom.messages().len());
        cmd.run().assert_code(0);
        assert_eq!(self.wecom.messages().len(), arrived + 1);
        self.proxy.carried().len() > carried
    }
}

#[test]
fn each_scheme_has_its_own() {
    for (is_tls, names, others) in [
        (false, ["http_proxy", "all_proxy", "ALL_PROXY"], ["https_proxy", "HTTPS_PROXY"]),
        (true, ["https_proxy", "HTTPS_PROXY", "ALL_PROXY"], ["http_proxy", "HTTP_PROXY"]),
    ] {
        let place = Place::new(is_tls);
        for name in names {
            assert!(place.is_carried(place.send().env(name, place.url())), "{name}, TLS {is_tls}");
        }
        for name in others {
            assert!(!place.is_carried(place.send().env(name, place.url())), "{name}, TLS {is_tls}");
        }
    }
    let place = Place::new(false);
    assert!(place.is_carried(place.send().env("HTTP_PROXY", place.url())));
}

#[test]
fn proxy_none_ignores_the_variables() {
    for is_tls in [false, true] {
        let place = Place::new(is_tls);
        let send = || {
            ["http_proxy", "HTTPS_PROXY", "ALL_PROXY"]
                .into_iter()
                .fold(place.send(), |cmd, name| cmd.env(name, place.url()))
        };
        assert!(place.is_carried(send()));
        assert!(!place.is_carried(send().args(["--proxy", "none"])));
        assert!(!place.is_carried(send().args(["--proxy", "NONE"])));
        assert!(!place.is_carried(send().env("WECOM_ALERT_PROXY", "none")));
        assert!(!place.is_carried(send().config("proxy = \"none\"\n[profiles.room]\n")));
    }
}

#[test]
fn no_proxy_makes_exceptions() {
    let place = Place::new(false);
    let send = || place.send().env("http_proxy", place.url());
    let port = place.wecom.address().port();
    let [with_port, as_url, listed] =
        ["127.0.0.1:PORT", "http://127.0.0.1:PORT/", "localhost [::1]:1 127.0.0.1:PORT\t*.corp.example"]
            .map(|value| value.replace("PORT", &port.to_string()));
    for value in
        ["127.0.0.1", "example.invalid, 127.0.0.0/8", "*", "\"127.0.0.1\"\r", "127.*", &with_port, &as_url, &listed]
    {
        assert!(!place.is_carried(send().env("NO_PROXY", value)), "{value}");
        assert!(!place.is_carried(send().env("no_proxy", value)), "{value}");
    }
    for value in ["", "example.invalid", "10.0.0.0/8", "127.0.0.1:1", "[::1]", "*.0.0.1"] {
        assert!(place.is_carried(send().env("NO_PROXY", value)), "{value}");
    }
    // Also from a proxy that was named here.
    assert!(place.is_carried(place.send().args(["--proxy", &place.url()])));
    assert!(!place.is_carried(place.send().args(["--proxy", &place.url()]).env("NO_PROXY", "127.0.0.1")));
}

#[test]
fn a_proxy_named_here_beats_them() {
    let place = Place::new(false);
    let other = Proxy::http().start();
    let cmd = place.send().env("http_proxy", format!("http://{}", other.authority())).args(["--proxy", &place.url()]);
    assert!(place.is_carried(cmd));
    assert_eq!(other.carried(), []);
}

#[test]
fn the_one_that_counts_is_named_where_the_way_fails() {
    let env = TestEnv::new();
    let target = format!("127.0.0.1:{}", closed_port());
    let proxy = format!("http://user:{PASSWORD}@127.0.0.1:{}", closed_port());
    let base = |scheme: &str| {
        let cmd = Way::WebhookSend.cmd(&env).args(["--output", "json", "--base-url"]);
        cmd.arg(format!("{scheme}://{target}")).secret(PASSWORD)
    };
    for (name, cmd, way) in [
        ("its own", base("https").env("HTTPS_PROXY", &proxy), " through the proxy that HTTPS_PROXY names"),
        ("any", base("http").env("ALL_PROXY", &proxy), " through the proxy that ALL_PROXY names"),
        ("another scheme's", base("https").env("http_proxy", &proxy), ""),
        ("an exception", base("https").env("HTTPS_PROXY", &proxy).env("NO_PROXY", "127.0.0.1"), ""),
        ("ignored", base("https").env("HTTPS_PROXY", &proxy).args(["--proxy", "none"]), ""),
    ] {
        let run = cmd.run();
        assert_eq!(run.code, Some(7), "{name}\n{}", run.all());
        let message = document(&run)["message"].as_str().unwrap().to_owned();
        assert!(message.starts_with(&format!("no connection to {target}{way}: ")), "{name}: {message}");
    }
}

#[test]
fn their_password_is_never_shown() {
    for (login, code) in [("user:wrong-test-password", 3), ("user:wrong-test%2Fpassword", 3)] {
        let place = Place::new(true);
        let url = format!("http://{login}@{}", place.proxy.authority());
        let cmd = place.send().env("HTTPS_PROXY", url).secret("wrong-test-password").secret("wrong-test/password");
        let run = cmd.run().assert_code(code);
        let refused = "the proxy that HTTPS_PROXY names refuses its log-in (407)";
        assert_eq!(document(&run)["message"], refused);
        assert_eq!(place.wecom.connections(), 0);
    }
}
