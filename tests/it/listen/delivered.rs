//! Events as the fake's WeCom delivers them, with its retries: presses of app and aibot, copies, and warnings about the app.

use std::time::Duration;

use super::*;
use crate::support::fake::{AIBOT_CALLBACK_AES_KEY, AIBOT_CALLBACK_TOKEN, AIBOT_ID, AIBOT_SECRET, Callback, Click};

const CARD: [&str; 6] = ["--card", "button_interaction", "--title", "disk full", "--button", "clean=Clean up"];

/// The app's callback with the keys of [`scene`].
fn console<'w>(scene: &'w Scene, listening: &Listening) -> Callback<'w> {
    let mut callback = scene.wecom.callback(&format!("http://{}/wecom", listening.address));
    (callback.keys.token, callback.keys.aes_key) = (CALLBACK_TOKEN.to_owned(), CALLBACK_AES_KEY.to_owned());
    callback
}

/// The status of each attempt; 0 where the connection was cut, as it may be while too much is being written.
fn statuses(callback: &Callback, request: &crate::support::fake::CallbackRequest) -> Vec<u16> {
    callback
        .deliver(request)
        .attempts
        .iter()
        .map(|attempt| attempt.as_ref().map_or(0, |answer| answer.status))
        .collect()
}

#[test]
fn a_press_is_taken_at_once_and_its_copies_are_not_handled_again() {
    let scene = scene();
    command(&scene, &["app-send"]).args(CARD).run().assert_code(0);
    let listening = listen(&scene, &["--", "/bin/sh", "-c", "echo cleaned"]);
    let console = console(&scene, &listening);
    let task_id = scene.wecom.app_cards()[0].task_id.clone();
    let click = Click { task_id: &task_id, key: "clean", userid: "zhangsan", chosen: &[], on_any_face: false };
    let request = console.press_request(&click).unwrap();
    // What is not WeCom's is refused three times, as WeCom would send it, and tells nobody anything.
    for other in [request.forged(), request.cut(), request.padded(64 * 1024 + 1)] {
        let answers = statuses(&console, &other);
        assert!(answers.len() == 3 && answers.iter().all(|status| [0, 403, 413].contains(status)), "{answers:?}");
    }
    assert_eq!(statuses(&console, &request), [200]);
    wait_until("both changes of the card", || scene.wecom.app_cards()[0].changes == 2);
    assert!(scene.wecom.app_cards()[0].face.to_string().contains("cleaned"));
    for _ in 0..3 {
        assert_eq!(statuses(&console, &request), [200]);
    }
    // By a clock that is wrong, or sent again later.
    let mut late = console;
    late.ahead_s = -700;
    assert!(statuses(&late, &late.event("subscribe", &[])).iter().all(|status| *status == 403));
    listening.wait_for_stderr("With a wrong clock NO press is taken");
    assert_eq!(statuses(&late, &request), [200]);
    let lines = listening.lines();
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert_eq!((lines[0]["key"].as_str(), lines[0]["userid"].as_str()), (Some("clean"), Some("zhangsan")));
    listening.stop();
}

#[test]
fn a_warning_about_the_app_is_said_loudly() {
    let scene = scene();
    let listening = listen(&scene, &[]);
    let console = console(&scene, &listening);
    assert_eq!(statuses(&console, &console.event("enter_agent", &[])), [200]);
    assert_eq!(statuses(&console, &console.event("inactive_alert", &[("EffectTime", "1900000000")])), [200]);
    listening.wait_for_stderr("warning: WeCom is going to disable this app at 2030-");
    // Signed, and for another corp: WeCom would only send it again.
    let mut other = console;
    other.keys.receive_id = "wwother".to_owned();
    assert_eq!(statuses(&other, &other.event("subscribe", &[])), [200]);
    listening.wait_for_stderr("it is for another receiver");
    assert_eq!(listening.lines().len(), 0);
    listening.stop();
}

#[test]
fn the_answer_to_an_aibots_callback_changes_its_card() {
    let scene = scene().profile(
        "delivered",
        &format!(
            "aibot_id = '{AIBOT_ID}'\naibot_secret = '{AIBOT_SECRET}'\naibot_user = 'zhangsan'\n\
             aibot_callback_token = '{AIBOT_CALLBACK_TOKEN}'\naibot_callback_aes_key = '{AIBOT_CALLBACK_AES_KEY}'\n"
        ),
    );
    let url = scene.wecom.aibot_url();
    let bot = |args: &[&str]| {
        let cmd = command(&scene, args).args(["--profile", "delivered"]).env("WECOM_ALERT_AIBOT_URL", &url);
        cmd.secret(AIBOT_SECRET).secret(AIBOT_CALLBACK_TOKEN).secret(AIBOT_CALLBACK_AES_KEY)
    };
    bot(&["aibot-send"]).args(CARD).run().assert_code(0);
    let program = ["--http", "127.0.0.1:0", "--", "/bin/sh", "-c", "echo cleaned"];
    let listening = started(&scene, bot(&["listen"]).args(program));
    let console = scene.wecom.aibot_callback(&format!("http://{}/bot", listening.address));
    console.verify().unwrap();
    let task_id = scene.wecom.aibot(AIBOT_ID).cards()[0].task_id.clone();
    let told = console.press(&task_id, "clean", "zhangsan");
    assert!(told.is_taken() && told.attempts.len() == 1, "{told:?}");
    assert!(told.attempts[0].as_ref().unwrap().after < Duration::from_secs(5));
    let card = scene.wecom.aibot(AIBOT_ID).cards()[0].clone();
    assert!(card.changes == 1 && card.face.to_string().contains("cleaned"), "{}", card.face);
    assert_eq!(listening.wait_for_lines(1)[0]["channel"], "aibot");
    listening.stop();
}
