//! The base URL: its forms, the paths made from it, and the warning about plain http.

use serde_json::json;

use super::*;
use crate::document::{assert_document, assert_says, warnings};
use crate::support::TestEnv;
use crate::support::fake::WEBHOOK_KEY;

#[test]
fn a_prefix_leads_to_every_endpoint() {
    let wecom = FakeWecom::builder().prefix("/relay/wx").start();
    for ending in ["", "/", "//", "/cgi-bin", "/cgi-bin/"] {
        let env = TestEnv::new();
        let file = env.file("alert.txt", "log of a crash");
        let base_url = format!("{}{ending}", wecom.base_url());
        let before = wecom.requests().len();
        let call = |command: &str| {
            let cmd = env.cmd([command]).args(["--base-url", &base_url]).keeps_secret(&wecom);
            cmd.app_credentials().webhook().env("WECOM_ALERT_TO_USER", "zhangsan")
        };
        call("app-send").arg("hi").run().assert_code(0);
        call("webhook-send").arg("hi").run().assert_code(0);
        for route in ["app", "webhook"] {
            call("upload-media").arg(&file).args(["--route", route]).run().assert_code(0);
        }
        let requests = wecom.requests().split_off(before);
        let mut paths: Vec<_> = requests.iter().map(|seen| seen.path.clone()).collect();
        paths.sort();
        let names = ["gettoken", "media/upload", "message/send", "webhook/send", "webhook/upload_media"];
        assert_eq!(paths, names.map(|name| format!("/relay/wx/cgi-bin/{name}")), "{ending:?}");
    }
}

#[test]
fn each_spelling_of_one_address_shares_one_token() {
    let (env, wecom) = (TestEnv::new(), FakeWecom::start());
    let address = wecom.base_url();
    for spelling in [&address, &format!("{address}/"), &format!("{address}/cgi-bin/"), &address.replace("http", "HTTP")]
    {
        let cmd = app_send(&env).args(["-u", "zhangsan", "--base-url", spelling]).keeps_secret(&wecom);
        cmd.app_credentials().run().assert_code(0);
    }
    assert_eq!(wecom.count(Endpoint::GetToken), 1);
}

#[test]
fn plain_http_beyond_loopback_warns() {
    let env = TestEnv::new();
    let planned = |case: &str, command: &str, variables: &[(&str, &str)]| {
        let cmd = env.cmd([command, "--output", "json", "--dry-run", "hi"]).env("WECOM_ALERT_TO_USER", "zhangsan");
        let document = assert_document(&with_env(cmd, variables).run(), case, 0, &json!({"status": "dry_run"}));
        warnings(&document).into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    for url in ["http://relay.example", "http://10.0.0.1:8080/wx", "http://localhost.example", "http://[2001:db8::1]"] {
        let told = planned(url, "app-send", &[("WECOM_ALERT_BASE_URL", url)]);
        assert!(told.len() == 1 && told[0].contains("plain http") && told[0].contains(url), "{url}: {told:?}");
    }
    for url in
        ["http://127.0.0.1:1", "http://127.8.8.8", "http://localhost:1", "http://[::1]:1", "https://relay.example"]
    {
        assert_eq!(planned(url, "app-send", &[("WECOM_ALERT_BASE_URL", url)]), Vec::<String>::new(), "{url}");
    }
    // A webhook brings its address along.
    let webhook = format!("http://relay.example/wx/cgi-bin/webhook/send?key={WEBHOOK_KEY}");
    let told = planned("a webhook's URL", "webhook-send", &[("WECOM_ALERT_WEBHOOK", &webhook)]);
    assert!(told.len() == 1 && told[0].contains("http://relay.example/wx"), "{told:?}");
}

#[test]
fn bad_addresses_are_refused_and_not_repeated() {
    let env = TestEnv::new();
    for (url, part) in [
        ("qyapi.example/test-hidden", "http://"),
        ("ftp://qyapi.example/test-hidden", "neither http nor https"),
        ("https://user:test-hidden@qyapi.example", "password"),
        ("https://qyapi.example/?key=test-hidden", "query"),
        ("https://", "not a URL"),
    ] {
        let run = app_send(&env).args(["-u", "a", "--dry-run", "--base-url", url]).run();
        let document = assert_document(&run, url, 2, &json!({"status": "usage"}));
        assert_says(&document, url, "message", &["--base-url", part]);
        assert!(!run.all().contains("test-hidden"), "{url}: {}", run.all());
        let run = app_send(&env).args(["-u", "a", "--dry-run"]).env("WECOM_ALERT_BASE_URL", url).run();
        assert_says(&assert_document(&run, url, 3, &json!({})), url, "message", &["WECOM_ALERT_BASE_URL", part]);
    }
}
