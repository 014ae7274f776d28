//! The way to WeCom: names, connections, certificates, proxies.

use super::{app, checked, secure, webhook};
use crate::support::Scene;
use crate::support::fake::tls::Certificate;
use crate::support::fake::{OnConnect, closed_port};
use crate::support::proxy::{Carried, Proxy};

/// What hangs on the way.
const AFTER: [&str; 6] = ["token", "agent", "reach", "recipients", "ip", "send_app"];

const PASSWORD: &str = "test-proxy-password";

#[test]
fn a_name_that_nobody_knows() {
    let scene = Scene::new();
    let told = checked(&scene, "dns", app(&scene, &["--base-url", "https://no-such.invalid"]), 7, "temporary");
    told.has("dns", "failed", &["no-such.invalid", "getent hosts no-such.invalid"]);
    told.skips(&["tcp", "tls"], "dns failed").skips(&AFTER, "dns failed").has("state", "ok", &[]);
    assert_eq!(scene.wecom.connections(), 0);
}

#[test]
fn a_name_that_is_known() {
    let scene = secure(Certificate::Good);
    let base_url = format!("https://localhost:{}", scene.wecom.address().port());
    let told = checked(&scene, "localhost", app(&scene, &["--base-url", &base_url]), 0, "ok");
    told.has("dns", "ok", &["localhost is", "127.0.0.1"]).has("tls", "ok", &["localhost"]);
}

#[test]
fn a_port_on_which_nobody_listens() {
    let scene = Scene::new();
    let base_url = format!("http://127.0.0.1:{}", closed_port());
    let told = checked(&scene, "tcp", app(&scene, &["--base-url", &base_url]).webhook(), 7, "temporary");
    told.has("dns", "ok", &[]).has("tcp", "failed", &["127.0.0.1", "--base-url"]).skips(&["tls"], "tcp failed");
    told.skips(&AFTER, "tcp failed").skips(&["send_webhook"], "tcp failed");
}

#[test]
fn certificates() {
    for (certificate, parts) in [
        (Certificate::UnknownCa, ["not among the trusted roots", "--ca-file"]),
        (Certificate::Expired, ["it has expired (issued by Throw-away CA of a test, valid until 200", "clock"]),
        (Certificate::WrongName, ["for another name", "--base-url"]),
    ] {
        let scene = secure(certificate);
        for cmd in [app(&scene, &[]), webhook(&scene, &[])] {
            let told = checked(&scene, &format!("{certificate:?}"), cmd, 3, "config");
            told.has("tcp", "ok", &[]).has("tls", "failed", &parts);
        }
        assert_eq!(scene.wecom.requests().len(), 0, "{certificate:?}");
    }
    let scene = secure(Certificate::ShortLived);
    checked(&scene, "few days", app(&scene, &[]), 0, "ok").has("tls", "warning", &["5 days left", "renewed"]);
}

#[test]
fn roots_that_cannot_be_read() {
    let scene = secure(Certificate::Good);
    for args in [&["--ca-file", "missing.pem"][..], &["--ca-file", "missing.pem", "--dry-run"]] {
        let cmd = scene.env.cmd(["check", "--output", "json"]).args(args).base_url(&scene.wecom).app_credentials();
        checked(&scene, "missing", cmd, 3, "config").has("tls", "failed", &["missing.pem", "PEM"]);
    }
    assert_eq!(scene.wecom.requests().len(), 0);
}

#[test]
fn tls_that_does_not_come_about() {
    for (fault, part) in
        [(OnConnect::Reset, "firewall"), (OnConnect::Close, "firewall"), (OnConnect::Hang, "--connect-timeout")]
    {
        let scene = secure(Certificate::Good);
        // The first connection is only looked at.
        scene.wecom.on_connections([OnConnect::Serve, fault]);
        let told = checked(&scene, &format!("{fault:?}"), app(&scene, &["--connect-timeout", "500ms"]), 7, "temporary");
        told.has("tcp", "ok", &[]).has("tls", "failed", &[part]).skips(&AFTER, "tls failed");
        assert_eq!(scene.wecom.requests().len(), 0, "{fault:?}");
    }
    // A port that speaks something else.
    let scene = Scene::new();
    let base_url = format!("https://{}", scene.wecom.address());
    scene.wecom.expect_unexpected();
    checked(&scene, "plain", app(&scene, &["--base-url", &base_url]), 7, "temporary").has(
        "tls",
        "failed",
        &["does not speak TLS"],
    );
}

#[test]
fn plain_http_skips_the_tls_check() {
    let scene = Scene::new();
    checked(&scene, "loopback", app(&scene, &[]), 0, "ok").skips(&["tls"], "does not leave this machine");
    let proxy = Proxy::http().lead_to(scene.wecom.address()).start();
    let url = format!("http://{}", proxy.authority());
    let told =
        checked(&scene, "beyond", app(&scene, &["--base-url", "http://no-such.invalid", "--proxy", &url]), 0, "ok");
    told.has("tls", "warning", &["plain http", "https://"]).has("agent", "ok", &[]).lacks("tunnel");
    assert_eq!(told.document["warnings"], serde_json::json!([]), "said once");
}

#[test]
fn a_proxy_is_looked_at_in_place_of_the_host() {
    for scheme in ["http", "socks5h"] {
        for is_tls in [false, true] {
            let scene = if is_tls { secure(Certificate::Good) } else { Scene::new() };
            let builder = if scheme == "http" { Proxy::http() } else { Proxy::socks5() };
            let proxy = builder.login("user", PASSWORD).lead_to(scene.wecom.address()).start();
            let url = format!("{scheme}://user:{PASSWORD}@{}", proxy.authority());
            let case = format!("{scheme} {is_tls}");
            let told = checked(&scene, &case, app(&scene, &["--proxy", &url]).secret(PASSWORD), 0, "ok");
            told.has("proxy", "ok", &[&format!("{scheme}://{}, from --proxy", proxy.authority())]);
            told.has("tcp", "ok", &[&proxy.authority()]);
            if is_tls || scheme == "socks5h" {
                told.has("tunnel", "ok", &[&scene.wecom.address().to_string()]);
            } else {
                told.lacks("tunnel");
            }
            assert!(!proxy.carried().contains(&Carried::NoLogin), "{case}");
            assert_eq!(scene.wecom.requests().len(), 2, "{case}");
        }
    }
}

#[test]
fn which_proxy_and_why() {
    let scene = secure(Certificate::Good);
    let proxy = Proxy::http().start();
    let url = format!("http://{}", proxy.authority());
    let by_variable = || app(&scene, &[]).env("HTTPS_PROXY", &url);
    checked(&scene, "variable", by_variable(), 0, "ok").has("proxy", "ok", &[&proxy.authority(), "HTTPS_PROXY"]);
    checked(&scene, "excepted", by_variable().env("NO_PROXY", "127.0.0.1"), 0, "ok").has("proxy", "ok", &["NO_PROXY"]);
    let off = by_variable().env("WECOM_ALERT_PROXY", "none");
    checked(&scene, "off", off, 0, "ok").has("proxy", "ok", &["none, as WECOM_ALERT_PROXY says"]);
    let file = format!("proxy = \"{url}\"\n[profiles.ops]\n");
    checked(&scene, "file", app(&scene, &[]).config(&file), 0, "ok").has("proxy", "ok", &["proxy in", "config.toml"]);
}

#[test]
fn proxies_that_do_not_carry() {
    let scene = secure(Certificate::Good);
    let through = |scheme: &str, authority: &str| {
        let url = format!("{scheme}://user:wrong-{PASSWORD}@{authority}");
        app(&scene, &["--proxy", &url]).secret(PASSWORD)
    };
    for scheme in ["http", "socks5h"] {
        let dead = format!("127.0.0.1:{}", closed_port());
        let told = checked(&scene, "dead", through(scheme, &dead), 7, "temporary");
        told.has("tcp", "failed", &[&dead, "check that the proxy"]).skips(&["tunnel", "tls"], "tcp failed");
        let builder = || if scheme == "http" { Proxy::http() } else { Proxy::socks5() };
        let asking = builder().login("user", PASSWORD).start();
        let told = checked(&scene, "407", through(scheme, &asking.authority()), 3, "config");
        told.has("tcp", "ok", &[]).has("tunnel", "failed", &["log-in", "--proxy"]).skips(&["tls"], "tunnel failed");
        told.skips(&AFTER, "tunnel failed");
        assert_eq!(asking.carried(), [Carried::NoLogin], "{scheme}: asked once");
        let refusing = builder().login("user", PASSWORD).refuse_with(503).start();
        let url = format!("{scheme}://user:{PASSWORD}@{}", refusing.authority());
        let told = checked(&scene, "503", app(&scene, &["--proxy", &url]).secret(PASSWORD), 7, "temporary");
        told.has("tunnel", "failed", &[&refusing.authority()]);
    }
    let told = checked(&scene, "name", through("http", "no-such.invalid:3128"), 7, "temporary");
    told.has("dns", "failed", &["no-such.invalid"]).skips(&["tcp", "tunnel", "tls"], "dns failed");
    assert_eq!(scene.wecom.connections(), 0);
}

#[test]
fn a_plain_proxy_that_asks_for_a_login() {
    let scene = Scene::new();
    let proxy = Proxy::http().login("user", PASSWORD).start();
    let url = format!("http://{}", proxy.authority());
    let told = checked(&scene, "407", app(&scene, &["--proxy", &url]), 3, "config");
    told.has("tcp", "ok", &[]).has("token", "failed", &["407", "--proxy"]);
}

#[test]
fn a_certificate_behind_a_proxy_is_judged_too() {
    let scene = secure(Certificate::Expired);
    let proxy = Proxy::http().start();
    let url = format!("http://{}", proxy.authority());
    let told = checked(&scene, "expired", app(&scene, &["--proxy", &url]), 3, "config");
    told.has("tunnel", "ok", &[]).has("tls", "failed", &["expired"]);
}
