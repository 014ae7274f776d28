//! `check` of a callback: its keys, who receives at its address, and the way from its public address to there.

use std::net::TcpListener;

use serde_json::Value;

use super::*;
use crate::support::fake::closed_port;

/// Runs `check` with more in the profile; what it says of that check: status, detail and hint.
#[track_caller]
fn checked(scene: &Scene, more: &str, code: i32, name: &str) -> (String, String) {
    let config = format!("{}{more}\n", scene.config);
    let run = command(scene, &["check", "--output", "json"]).config(&config).run().assert_code(code);
    let document: Value = serde_json::from_str(&run.stdout).unwrap();
    let checks = document["checks"].as_array().unwrap();
    let check = checks.iter().find(|check| check["name"] == name).unwrap_or_else(|| panic!("{name}\n{}", run.all()));
    let text = |field: &str| check[field].as_str().unwrap_or_default().to_owned();
    (text("status"), format!("{} {}", text("detail"), text("hint")))
}

#[track_caller]
fn assert_told((status, told): (String, String), expected: &str, parts: &[&str]) {
    assert!(status == expected && parts.iter().all(|part| told.contains(part)), "{status}: {told}");
}

#[test]
fn the_way_from_the_public_address_to_a_running_listen() {
    let scene = scene();
    let listening = listen(&scene, &[]);
    let url = format!("callback_url = 'http://{}/wecom/?app=ops'", listening.address);
    assert_told(checked(&scene, &url, 0, "callback_keys"), "ok", &["EncodingAESKey"]);
    assert_told(checked(&scene, &url, 0, "callback_listen"), "ok", &["a running listen"]);
    assert_told(checked(&scene, &url, 0, "callback_url"), "ok", &["answers a verification", "/wecom/ "]);
    listening.wait_for_stderr("verified the address");
    // The fake saves the address as the console does.
    let mut console = scene.wecom.callback(&format!("http://{}/x", listening.address));
    (console.keys.token, console.keys.aes_key) = (CALLBACK_TOKEN.to_owned(), CALLBACK_AES_KEY.to_owned());
    console.verify().unwrap();
    // Another Token than that of the running process.
    let other = scene.config.replace(CALLBACK_TOKEN, "testOtherToken1");
    let run = command(&scene, &["check"]).config(&format!("{other}{url}\n")).run().assert_code(3);
    assert!(
        run.all().contains("refuses the request (403)") && run.all().contains("EncodingAESKey or corp_id"),
        "{}",
        run.all()
    );
    drop(console);
    listening.stop();
}

#[test]
fn an_address_without_listen() {
    let scene = scene();
    let port = closed_port();
    let listen = format!("callback_listen = '127.0.0.1:{port}'");
    assert_told(
        checked(&scene, &listen, 0, "callback_listen"),
        "warning",
        &["is free for it", "start wecom-alert listen"],
    );
    assert_told(checked(&scene, &listen, 0, "callback_url"), "skipped", &["not set"]);
    let both = format!("{listen}\ncallback_url = 'http://127.0.0.1:{port}/wecom'");
    assert_told(checked(&scene, &both, 7, "callback_url"), "failed", &["no connection", "from outside alone"]);
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let listen = format!("callback_listen = '{}'", taken.local_addr().unwrap());
    assert_told(checked(&scene, &listen, 3, "callback_listen"), "failed", &["another program has it"]);
}

#[test]
fn keys_that_are_none() {
    let mut scene = scene();
    scene.config = scene.config.replace(CALLBACK_AES_KEY, &CALLBACK_AES_KEY[1..]);
    let listen = format!("callback_listen = '127.0.0.1:{}'", closed_port());
    assert_told(checked(&scene, &listen, 3, "callback_keys"), "failed", &["this has 42 bytes", "接收消息"]);
    scene.config = scene.config.replace("\ncallback_aes_key", "\naibot_callback_aes_key");
    assert_told(checked(&scene, &listen, 3, "callback_keys"), "failed", &["callback_aes_key is not set"]);
    // A plain send needs none of them.
    command(&scene, &["app-send", "x"]).run().assert_code(0);
}

#[test]
fn a_dry_run_asks_nobody() {
    let scene = scene();
    let port = closed_port();
    let keys = format!("callback_listen = '127.0.0.1:{port}'\ncallback_url = 'http://127.0.0.1:{port}/'\n");
    let config = format!("{}{keys}", scene.config);
    let run = command(&scene, &["check", "--dry-run", "--output", "json"]).config(&config).run().assert_code(0);
    let document: Value = serde_json::from_str(&run.stdout).unwrap();
    let url = document["checks"].as_array().unwrap().iter().find(|check| check["name"] == "callback_url").unwrap();
    assert_eq!(url["status"], "skipped");
}
