//! Settings of the aibot: where it is, its secret, and which channel is taken.

use serde_json::json;

use super::keys;
use crate::document::{assert_document, assert_says, warnings};
use crate::support::fake::{AIBOT_ID, AIBOT_SECRET, Endpoint};
use crate::support::{Scene, at_once, wait_until};

#[test]
fn nobody_meets_wecom_by_way_of_a_relay() {
    let scene = Scene::new();
    let cmd = |args: &[&str]| {
        scene.cmd(args).env("WECOM_ALERT_AIBOT_ID", AIBOT_ID).env("WECOM_ALERT_AIBOT_SECRET", AIBOT_SECRET)
    };
    for args in [&["aibot-send", "-u", "zhangsan", "x"][..], &["aibot-send", "-u", "zhangsan", "--dry-run", "x"]] {
        let run = cmd(args).run();
        let told = assert_document(&run, "relay", 3, &json!({"status": "config"}));
        assert_says(&told, "relay", "message", &["base_url leads to 127.0.0.1", "aibot_url is not set"]);
        assert_says(&told, "relay", "hint", &["wss://openws.work.weixin.qq.com"]);
    }
    let run = cmd(&["check", "--route", "aibot"]).run().assert_code(3).json();
    assert!(run["message"].as_str().unwrap().contains("aibot_url is not set"), "{run}");
    assert_eq!(scene.wecom.requests().len(), 0);
}

#[test]
fn plain_ws_beyond_this_machine_is_warned_about() {
    let scene = Scene::new();
    let cmd = scene.aibot(&["--dry-run", "x"]).env("WECOM_ALERT_AIBOT_URL", "ws://relay.example");
    let document = cmd.run().assert_code(0).json();
    let told = warnings(&document);
    assert!(told.len() == 1 && told[0].contains("plain ws"), "{told:?}");
    for url in ["https://relay.example", "relay.example", "wss://", "wss://user:pw@relay.example"] {
        let run = scene.aibot(&["--dry-run", "x"]).env("WECOM_ALERT_AIBOT_URL", url).run();
        let told = assert_document(&run, url, 3, &json!({"status": "config"}));
        assert_says(&told, url, "message", &["WECOM_ALERT_AIBOT_URL"]);
    }
}

#[test]
fn what_is_missing_is_named() {
    let scene = Scene::new();
    let told = scene.bare(&["--output", "json", "aibot-send", "x"]).run().assert_code(3).json();
    assert_says(&told, "all", "message", &["aibot_id, aibot_secret, aibot_user are not set"]);
    let told = scene.bare(&["--output", "json", "aibot-send", "-u", "a", "x"]).run().assert_code(3).json();
    assert_says(&told, "credentials", "message", &["aibot_id, aibot_secret are not set"]);
    assert_says(&told, "credentials", "hint", &["WECOM_ALERT_AIBOT_ID", "WECOM_ALERT_AIBOT_SECRET"]);
}

#[test]
fn a_secret_of_a_readable_file_is_warned_about_and_never_shown() {
    let scene = Scene::new();
    let file = scene.env.home().join("config.toml");
    let text = format!("[profiles.bot]\n{}\naibot_user = \"zhangsan\"\n", keys(&scene));
    std::fs::write(&file, text).unwrap();
    #[cfg(unix)]
    std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
    let cmd = || scene.bare(&["-v", "aibot-send", "x", "--config"]).arg(&file).keeps_secret(&scene.wecom);
    let run = cmd().run().assert_code(0);
    #[cfg(unix)]
    assert!(run.stderr.contains("can be read by"), "{}", run.stderr);
    assert!(run.stderr.contains("aibot_send_msg"), "{}", run.stderr);
}

#[test]
fn a_file_and_a_command_give_the_secret() {
    let scene = Scene::new();
    let secret = scene.env.file("bot.secret", format!("{AIBOT_SECRET}\n"));
    let url = scene.wecom.aibot_url();
    for key in ["aibot_secret_file = SECRET", "aibot_secret_command = [\"cat\", SECRET]"] {
        let key = key.replace("SECRET", &format!("{:?}", secret.to_str().unwrap()));
        let config =
            format!("[profiles.bot]\naibot_id = {AIBOT_ID:?}\naibot_url = {url:?}\naibot_user = \"lisi\"\n{key}\n");
        let cmd = scene.env.cmd(["--output", "json", "aibot-send", "x"]).config(&config).keeps_secret(&scene.wecom);
        cmd.run().assert_code(0);
    }
    let both = "[profiles.bot]\naibot_secret = \"a\"\naibot_secret_file = \"b\"\n";
    let told = scene.env.cmd(["--output", "json", "aibot-send", "x"]).config(both).run().assert_code(3).json();
    assert_says(&told, "two forms", "message", &["two forms of one value"]);
}

#[test]
fn check_looks_without_taking_the_connection() {
    let scene = Scene::new();
    let keys = format!("{}\naibot_user = \"lisi\"", keys(&scene));
    let scene = scene.profile("bot", &keys);
    let check = |args: &[&str]| {
        let cmd = scene.bare(&["--output", "json", "check", "-P", "bot"]).args(args).keeps_secret(&scene.wecom);
        cmd.run()
    };
    let of = |document: &serde_json::Value, name: &str| {
        let checks = document["checks"].as_array().unwrap().clone();
        checks.into_iter().find(|check| check["name"] == name).unwrap_or_default()
    };
    let document = check(&[]).assert_code(0).json();
    assert_eq!(document["route"], "aibot");
    assert_eq!(of(&document, "aibot_credentials")["status"], "ok");
    assert_eq!(of(&document, "send_aibot")["status"], "skipped");
    assert_eq!(
        (&of(&document, "aibot_recipients")["status"], &of(&document, "aibot_recipients")["detail"]),
        (&"ok".into(), &"lisi".into())
    );
    assert_eq!(of(&document, "aibot_connection")["status"], "skipped");
    assert_eq!(scene.wecom.count(Endpoint::AibotSubscribe), 0);
    let document = check(&["--send"]).assert_code(0).json();
    assert_eq!(of(&document, "send_aibot")["status"], "ok");
    let said = of(&document, "aibot_connection")["detail"].to_string();
    assert!(said.contains("this one subscribes") && !said.contains("next send"), "{said}");
    assert_eq!((scene.wecom.count(Endpoint::AibotSubscribe), scene.wecom.messages().len()), (1, 1));
}

#[test]
fn check_says_that_an_aibot_has_no_recipients() {
    let scene = Scene::new();
    let keys = keys(&scene);
    let scene = scene.profile("bot", &keys);
    let document =
        scene.bare(&["--output", "json", "check", "-P", "bot"]).keeps_secret(&scene.wecom).run().assert_code(0).json();
    let checks = document["checks"].as_array().unwrap();
    let recipients = checks.iter().find(|check| check["name"] == "aibot_recipients").unwrap();
    assert_eq!(recipients["status"], "skipped");
    assert!(recipients["detail"].to_string().contains("-u or --chat"), "{recipients}");
}

#[test]
fn check_of_another_channel_says_that_there_is_an_aibot_too() {
    let scene = Scene::new();
    let keys = format!("{}\nwebhook = '{}'", keys(&scene), scene.wecom.webhook_url());
    let scene = scene.profile("both", &keys);
    let row = |args: &[&str]| {
        let cmd = scene.bare(&["--output", "json", "check", "-P", "both"]).args(args).keeps_secret(&scene.wecom);
        let document = cmd.run().assert_code(0).json();
        let of = |check: &&serde_json::Value| check["name"] == "aibot_credentials";
        document["checks"].as_array().unwrap().iter().find(of).cloned()
    };
    let told = row(&[]).unwrap();
    assert!(told["status"] == "skipped" && told["detail"].to_string().contains("--route aibot"), "{told}");
    assert_eq!(row(&["--route", "aibot"]).unwrap()["status"], "ok");
    assert!(row(&["--route", "webhook"]).is_none());
}

#[test]
#[cfg(unix)]
fn check_asks_the_process_that_holds_the_connection() {
    let scene = Scene::new();
    let keys = format!("{}\naibot_user = \"lisi\"", keys(&scene));
    let scene = scene.profile("bot", &keys);
    let cmd = |args: &[&str]| scene.bare(&["--output", "json", "-P", "bot"]).args(args).keeps_secret(&scene.wecom);
    let asking = cmd(&["ask", "--title", "Disk full", "--button", "ack=Take"]).spawn();
    let bot = scene.wecom.aibot(AIBOT_ID);
    wait_until("it is asked", || !bot.cards().is_empty());
    let document = cmd(&["check"]).run().assert_code(0).json();
    let checks = document["checks"].as_array().unwrap();
    let connection = checks.iter().find(|check| check["name"] == "aibot_connection").unwrap();
    assert_eq!(connection["status"], "ok", "{connection}");
    assert_eq!(bot.subscriptions(), 1);
    bot.press(&bot.cards()[0].task_id, "ack", "lisi");
    asking.wait().assert_code(0);
}

#[test]
fn many_sends_at_once_all_arrive_once() {
    let scene = Scene::new();
    at_once(0..20, |number| {
        scene.aibot(&[&format!("message {number}")]).run().assert_code(0);
    });
    assert_eq!(scene.wecom.messages().len(), 20);
    // Each holder leaves when its own work is done, and none is taken over.
    assert_eq!(scene.wecom.complaints(), Vec::<String>::new());
}
