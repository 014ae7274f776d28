//! What is kept on this machine: state folder, token cache, outbox, pacing.

use std::fs;

use super::{app, checked, webhook};
use crate::support::Scene;
use crate::support::fake::{Endpoint, Reply};

#[test]
fn a_state_folder_that_cannot_be_used() {
    let scene = Scene::new();
    fs::write(scene.env.state(), "a file").unwrap();
    let told = checked(&scene, "a file", app(&scene, &[]), 3, "config");
    told.has("state", "failed", &["wecom-alert", "WECOM_ALERT_STATE_DIR"]).skips(&["outbox", "pacing"], "state failed");
    told.has("agent", "ok", &[]);
    let told = checked(&scene, "another", app(&scene, &[]).env("WECOM_ALERT_STATE_DIR", scene.env.home()), 0, "ok");
    told.has("state", "ok", &["home"]);
}

#[test]
fn nothing_is_left_behind() {
    let scene = Scene::new();
    checked(&scene, "webhook", webhook(&scene, &[]), 0, "ok");
    let left = |name: &str| fs::read_dir(scene.env.home().parent().unwrap().join(name)).unwrap().count();
    assert_eq!((left("state"), left("cache"), left("tmp")), (0, 0, 0));
}

#[test]
fn no_folder_at_all() {
    let scene = Scene::new();
    let homeless = |cmd: crate::support::Cmd| {
        ["HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME"]
            .iter()
            .fold(cmd, |cmd, name| cmd.without_env(name))
    };
    let told = checked(&scene, "no home", homeless(app(&scene, &[])), 0, "ok");
    told.has("state", "warning", &["HOME is not set", "WECOM_ALERT_STATE_DIR"])
        .skips(&["outbox", "pacing"], "state folder");
    told.has("token", "warning", &["WECOM_ALERT_CACHE_DIR"]);
    let told = checked(&scene, "outbox", homeless(app(&scene, &[])).env("WECOM_ALERT_OUTBOX", "1"), 3, "config");
    told.has("state", "failed", &["outbox", "WECOM_ALERT_STATE_DIR"]);
}

#[test]
fn a_cache_that_cannot_be_used() {
    let scene = Scene::new();
    fs::write(scene.env.cache(), "a file").unwrap();
    let told = checked(&scene, "cache", app(&scene, &[]), 0, "ok");
    told.has("token", "warning", &["granted", "cache folder", "WECOM_ALERT_CACHE_DIR"]).has("agent", "ok", &[]);
}

#[test]
fn an_outbox_in_which_something_waits() {
    let scene = Scene::new();
    let send = || scene.env.cmd(["webhook-send", "--outbox", "x"]).base_url(&scene.wecom).webhook();
    scene.wecom.script(Endpoint::WebhookSend, [Reply::errcode(40058, "no")]);
    send().run().assert_code(5);
    let told = checked(&scene, "failed", webhook(&scene, &[]), 0, "ok");
    told.has(
        "outbox",
        "warning",
        &["nothing waits, 1 could not", "outbox flush --failed, or discard", "outbox drop --failed"],
    );
    scene.wecom.script(Endpoint::WebhookSend, [Reply::status(502)]);
    send().run().assert_code(0);
    let told = checked(&scene, "waiting", webhook(&scene, &[]), 0, "ok");
    told.has("outbox", "warning", &["1 waits, the oldest for 0m; 1 could not", "outbox flush"]);
    assert_eq!(scene.wecom.count(Endpoint::WebhookSend), 2, "nothing of it was sent");
}

#[test]
fn an_outbox_that_is_no_folder() {
    let scene = Scene::new();
    fs::create_dir_all(scene.env.state()).unwrap();
    fs::write(scene.env.state().join("outbox"), "a file").unwrap();
    let told = checked(&scene, "a file", webhook(&scene, &[]), 3, "config");
    told.has("state", "ok", &[]).has("outbox", "failed", &["outbox", "WECOM_ALERT_STATE_DIR"]).has("pacing", "ok", &[]);
}

#[test]
fn a_pacing_folder_that_is_none() {
    let scene = Scene::new();
    fs::create_dir_all(scene.env.state()).unwrap();
    fs::write(scene.env.state().join("pacing"), "a file").unwrap();
    let told = checked(&scene, "a file", webhook(&scene, &[]).env("WECOM_ALERT_RATE", "9/1m"), 0, "ok");
    told.has("pacing", "warning", &["nothing is held back", "WECOM_ALERT_STATE_DIR"]).has("outbox", "ok", &[]);
}

#[test]
fn rate_limit_slots_and_blocks() {
    let scene = Scene::new();
    checked(&scene, "off", webhook(&scene, &[]), 0, "ok").has("pacing", "ok", &["webhook: off"]);
    let paced = |args: &[&str]| webhook(&scene, args).env("WECOM_ALERT_RATE", "2/1m");
    checked(&scene, "free", paced(&[]), 0, "ok").has("pacing", "ok", &["at most 2 messages in 60 s; used so far: 0"]);
    checked(&scene, "one", paced(&["--send"]), 0, "ok").has("pacing", "ok", &["used so far: 1"]);
    checked(&scene, "two", paced(&["--send"]), 0, "ok").has("pacing", "warning", &["all of them are used", "--rate"]);
    let told = checked(&scene, "none left", paced(&["--send"]), 8, "rate_limited");
    told.has("send_webhook", "failed", &["used up"]);
    assert_eq!(scene.wecom.messages().len(), 2, "it does not wait for a slot, and takes none that is not there");

    let scene = Scene::new();
    let paced = |args: &[&str]| webhook(&scene, args).env("WECOM_ALERT_RATE", "9/1m");
    scene.wecom.script(Endpoint::WebhookSend, [Reply::errcode(45009, "api freq out of limit")]);
    let told = checked(&scene, "too many", paced(&["--send"]), 8, "rate_limited");
    told.has("send_webhook", "failed", &["45009"]).has("pacing", "warning", &["WeCom wants none for another"]);
    checked(&scene, "blocked", paced(&[]), 0, "ok").has("pacing", "warning", &["WeCom wants none"]);
}
