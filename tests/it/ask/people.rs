//! Ids of people: encrypted ones, members who cannot press, and names.

use serde_json::json;

use super::{ask, card, ended, press, scene};
use crate::support::fake::{AGENT_ID, AIBOT_ID, AIBOT_SECRET, CORP_ID, Endpoint, FakeWecom, Person, Reply, SECRET};
use crate::support::{Scene, wait_until};

/// The same with an app in each profile.
fn with_app(wecom: FakeWecom) -> Scene {
    let app = format!("corp_id = '{CORP_ID}'\nsecret = '{SECRET}'\nagent_id = {AGENT_ID}");
    super::with(wecom).profile("ops", &app).profile("group", &app)
}

fn encrypts(scene: &Scene) {
    scene.wecom.aibot(AIBOT_ID).set(|bot| bot.has_encrypted_ids = true);
}

#[test]
fn an_encrypted_id_is_turned_into_a_plain_one() {
    let scene = with_app(FakeWecom::start());
    encrypts(&scene);
    let asking = ask(&scene, &["-P", "group", "--only", "ZhangSan", "--title", "reboot web-3?"]).spawn();
    press(&scene, 0, "ack", "wangwu");
    let bot = scene.wecom.aibot(AIBOT_ID);
    wait_until("the answer to the press", || !bot.updates().is_empty());
    let update = &bot.updates()[0];
    assert!(update.card["sub_title_text"].as_str().unwrap().starts_with("wangwu: others are asked"), "{update:?}");
    press(&scene, 0, "ack", "zhangsan");
    let document = ended(asking, 0, "answered");
    assert_eq!((&document["answer"]["userid"], &document["answer"]["name"]), (&json!("zhangsan"), &json!("张三")));
    assert_eq!(card(&scene, 0).face["button_list"][0]["text"], "✓ zhangsan");
}

#[test]
fn an_id_may_be_given_as_the_bot_gets_it() {
    for scene in [scene(), with_app(FakeWecom::start())] {
        encrypts(&scene);
        let only = scene.wecom.aibot(AIBOT_ID).encrypted_id("zhangsan");
        let asking = ask(&scene, &["-P", "group", "--only", &only, "--title", "reboot web-3?"]).spawn();
        press(&scene, 0, "ack", "zhangsan");
        ended(asking, 0, "answered");
    }
}

#[test]
fn a_look_up_that_hangs_delays_nothing_for_long_and_lets_nobody_in() {
    let scene = with_app(FakeWecom::start());
    encrypts(&scene);
    scene.wecom.always(Endpoint::OpenUseridToUserid, Reply::HangAfterReading);
    let asking = ask(&scene, &["-P", "group", "--only", "zhangsan", "--wait", "4s", "--title", "reboot?"]).spawn();
    press(&scene, 0, "ack", "zhangsan");
    let bot = scene.wecom.aibot(AIBOT_ID);
    wait_until("the answer to the press", || !bot.updates().is_empty());
    assert!(ended(asking, 10, "unanswered")["answer"].is_null());
}

#[test]
fn who_cannot_press_is_an_error_before_anything_is_asked() {
    for (status, why) in [(2, "is disabled"), (4, "has not activated"), (5, "has left")] {
        let wecom = FakeWecom::builder()
            .person(
                "gone",
                Person { name: "老王".to_owned(), departments: vec![1], status: Some(status), ..Person::default() },
            )
            .start();
        let scene = with_app(wecom);
        let run = ask(&scene, &["--only", "zhangsan,gone", "--title", "reboot?"]).run().assert_code(3);
        assert!(run.json()["message"].as_str().unwrap().contains(&format!("gone {why}")), "{}", run.all());
        assert!(scene.wecom.aibot(AIBOT_ID).cards().is_empty());
    }
}

#[test]
fn who_cannot_be_seen_is_a_warning() {
    let scene = with_app(FakeWecom::start());
    let asking = ask(&scene, &["--only", "zhangsan,stranger", "--title", "reboot?"]).spawn();
    press(&scene, 0, "ack", "zhangsan");
    let warnings = ended(asking, 0, "answered")["warnings"].to_string();
    assert!(warnings.contains("--only stranger: WeCom knows no such member"), "{warnings}");
}

#[test]
fn plain_ids_cannot_be_told_where_the_bot_gets_others() {
    let encrypted = scene().wecom.aibot(AIBOT_ID).encrypted_id("zhangsan");
    let bot = format!("aibot_id = '{AIBOT_ID}'\naibot_secret = '{AIBOT_SECRET}'\naibot_user = '{encrypted}'");
    for option in ["--only", "--not"] {
        let scene = scene().profile("ordinary", &bot);
        let run = ask(&scene, &["-P", "ordinary", option, "lisi", "--title", "reboot?"]).run().assert_code(3);
        assert!(run.json()["message"].as_str().unwrap().contains("encrypted ids"), "{}", run.all());
    }
}
