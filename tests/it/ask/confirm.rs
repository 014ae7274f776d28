//! Every way in which `ask --confirm` can end: with 0 only after a press of somebody who may.

use serde_json::{Value, json};

use super::{ask, card, command, end, ended, press, pressed, scene, written};
use crate::support::fake::{AIBOT_CHAT, AIBOT_ID, Endpoint, Reply};
use crate::support::{Running, Scene, at_once, send_signal, wait_for, wait_until};

const DEPLOY: [&str; 3] = ["--title", "deploy 17?", "--confirm"];

/// In a group, where one may press and others not.
fn confirm(scene: &Scene, args: &[&str]) -> Running {
    ask(scene, &["-P", "group", "--only", "zhangsan"]).args(DEPLOY).args(args.iter().copied()).spawn()
}

#[test]
fn somebody_who_may_presses() {
    let scene = scene();
    for (number, (key, code, status)) in [("yes", 0, "answered"), ("no", 11, "declined")].into_iter().enumerate() {
        let asking = confirm(&scene, &[]);
        press(&scene, number, key, "zhangsan");
        assert_eq!(ended(asking, code, status)["answer"]["key"], key);
    }
    let texts = card(&scene, 0).sent["button_list"].clone();
    assert_eq!((&texts[0]["text"], &texts[1]["text"]), (&json!("Approve"), &json!("Reject")));
}

#[test]
fn a_script_that_waits_for_success_goes_on_after_a_press_alone() {
    let scene = written(scene());
    // Nobody presses, or somebody does who may not.
    at_once([None, Some("lisi"), Some("wangwu")], |who| {
        let asking = confirm(&scene, &["--wait", "3s", "--id", who.unwrap_or("nobody")]);
        if let Some(userid) = who {
            let bot = scene.wecom.aibot(AIBOT_ID);
            wait_until("the card", || {
                bot.cards().iter().any(|card| bot.try_press(&click(&card.task_id, "yes", userid)).is_ok())
            });
        }
        let run = asking.wait();
        assert_eq!(end(&run), (10, "unanswered".to_owned(), None), "{who:?}: {}", run.all());
    });
}

fn click<'a>(task_id: &'a str, key: &'a str, userid: &'a str) -> crate::support::fake::Click<'a> {
    crate::support::fake::Click { task_id, key, userid, chosen: &[], on_any_face: false }
}

#[test]
fn a_dry_run_is_no_answer() {
    let scene = scene();
    let run = ask(&scene, &["--dry-run"]).args(DEPLOY).run();
    assert_eq!(end(&run), (10, "unanswered".to_owned(), None));
}

#[test]
fn a_profile_that_stores_or_holds_back_does_neither_here() {
    let scene = scene().profile("ops", "outbox = true\ncooldown = '1h'\nallow_partial = true\nskip_empty = true");
    scene.wecom.always(Endpoint::AibotSendMsg, Reply::errcode(846_601, "not in long connection mode"));
    for _ in 0..2 {
        let run = ask(&scene, &DEPLOY).args(["--wait", "2s"]).run();
        assert!(!matches!(run.code, Some(0 | 10)) && run.json()["answer"].is_null(), "{}", run.all());
    }
    // An empty text is skipped by others.
    let run = ask(&scene, &["--confirm"]).stdin("").run().assert_code(2);
    assert!(run.json()["answer"].is_null());
    let listed = command(&scene, "outbox").arg("list").run().assert_code(0);
    assert_eq!(listed.json()["entries"], json!([]));
}

#[test]
fn an_outage_is_no_answer() {
    let scene = scene();
    scene.wecom.always(Endpoint::AibotConnect, Reply::status(502));
    let run = ask(&scene, &DEPLOY).args(["--wait", "2s", "--deadline", "1s"]).run();
    assert_eq!(end(&run), (7, "temporary".to_owned(), None), "{}", run.all());
}

#[test]
fn wrong_credentials_are_no_answer() {
    let scene = scene()
        .profile("other", "aibot_id = 'aibOther'\naibot_secret = 'test-aibot-secret-other'\naibot_user = 'zhangsan'");
    let run = ask(&scene, &["-P", "other"]).args(DEPLOY).run();
    assert_eq!(end(&run), (4, "auth".to_owned(), None), "{}", run.all());
}

#[test]
fn a_signal_withdraws_the_question() {
    let scene = scene();
    for (number, (signal, code)) in [("INT", 130), ("TERM", 143)].into_iter().enumerate() {
        let asking = confirm(&scene, &["--id", signal]);
        card(&scene, number);
        send_signal(signal, asking.id());
        let document = ended(asking, code, "interrupted");
        assert_eq!(document["answer"], Value::Null);
        assert!(document["message"].as_str().unwrap().contains("withdrawn"), "{document}");
        // An answer after that is none.
        let run = command(&scene, "answer").args([signal, "yes"]).run().assert_code(5);
        assert!(run.json()["message"].as_str().unwrap().contains("was withdrawn"), "{}", run.all());
    }
    let told: Vec<String> = scene.wecom.messages().iter().map(|message| message.payload().to_string()).collect();
    assert_eq!(told.iter().filter(|text| text.contains("withdrawn at")).count(), 2, "{told:?}");
}

#[test]
fn without_confirm_a_signal_leaves_the_card_and_names_what_was_left() {
    let scene = scene();
    let asking = ask(&scene, &["--title", "disk full", "--escalate", "lead@50m"]).spawn();
    card(&scene, 0);
    wait_until("its handler", || crate::support::has_handler(asking.id(), rustix::process::Signal::TERM));
    send_signal("TERM", asking.id());
    let document = ended(asking, 143, "interrupted");
    assert!(document["message"].as_str().unwrap().contains("left of the plan: lead:aibot/lisi at "), "{document}");
    assert_eq!(scene.wecom.messages().len(), 1);
}

#[test]
fn a_killed_question_is_no_answer() {
    let scene = scene();
    let mut asking = confirm(&scene, &["--id", "q"]);
    card(&scene, 0);
    asking.kill();
    drop(asking);
    assert_eq!(scene.wecom.aibot(AIBOT_ID).presses().len(), 0);
    // Whoever takes it up waits for an answer as before.
    let again = confirm(&scene, &["--id", "q", "--wait", "1h"]);
    // What is pressed before that may be told to the process that was killed.
    wait_until("its own connection", || scene.wecom.count(Endpoint::AibotSubscribe) == 2);
    press(&scene, 0, "no", "zhangsan");
    ended(again, 11, "declined");
}

#[test]
fn a_press_after_the_end_is_no_answer() {
    let scene = scene();
    let run = confirm(&scene, &["--id", "q", "--wait", "1s"]).wait().assert_code(10);
    assert!(run.json()["answer"].is_null());
    press(&scene, 0, "yes", "zhangsan");
    // The same id asks anew, with a card of its own, on which nobody has pressed.
    let again = confirm(&scene, &["--id", "q", "--wait", "1s"]).wait().assert_code(10);
    assert!(again.json()["answer"].is_null());
    assert_eq!(scene.wecom.aibot(AIBOT_ID).cards().len(), 2);
}

#[test]
fn copies_of_an_event_count_once() {
    let scene = scene();
    let asking = confirm(&scene, &["--wait", "4s"]);
    press(&scene, 0, "yes", "lisi");
    let bot = scene.wecom.aibot(AIBOT_ID);
    wait_until("the answer to the press", || !bot.updates().is_empty());
    (0..3).for_each(|_| bot.repeat_event());
    ended(asking, 10, "unanswered");
    assert_eq!(bot.updates().len(), 1);
}

#[test]
fn an_event_of_an_earlier_question_is_no_answer_to_a_later_one() {
    let scene = scene();
    let args = ["--id", "q", "--wait", "2s"];
    let first = confirm(&scene, &args);
    press(&scene, 0, "yes", "zhangsan");
    ended(first, 0, "answered");
    let run = ask(&scene, &["-P", "group", "--only", "zhangsan", "--title", "deploy 18?", "--confirm"]).spawn();
    card(&scene, 1);
    scene.wecom.aibot(AIBOT_ID).repeat_event();
    press(&scene, 1, "no", "zhangsan");
    ended(run, 11, "declined");
}

#[test]
fn a_record_that_somebody_wrote_is_no_answer() {
    let scene = scene();
    let file = || {
        let folder = std::fs::read_dir(scene.env.state().join("ask")).ok()?;
        let mut files = folder.filter_map(|file| Some(file.ok()?.path()));
        files.find(|path| path.extension().is_some_and(|end| end == "json"))
    };
    let text = || file().and_then(|file| std::fs::read_to_string(file).ok()).unwrap_or_default();
    let press = json!({ "press": { "userid": "zhangsan", "task_id": "ask-0", "target": "group:aibot" } });
    let local = json!({ "local": { "unix_user": "root", "host": "web-1" } });
    for by in [press, local] {
        let asking = confirm(&scene, &["--id", &by.to_string(), "--wait", "3s"]);
        wait_until("the record of the sent card", || text().contains("\"sent\""));
        let mut record: Value = serde_json::from_str(&text()).unwrap();
        record["state"] = json!({ "answered": {
            "key": "yes", "text": "Approve", "options": [], "by": by, "at_ms": record["start_ms"], "note": null, "seal": "00",
        } });
        std::fs::write(file().unwrap(), record.to_string()).unwrap();
        ended(asking, 10, "unanswered");
        std::fs::remove_file(file().unwrap()).unwrap();
    }
}

#[test]
fn an_open_record_that_somebody_changed_lets_nobody_in() {
    let scene = scene();
    let asking = confirm(&scene, &["--id", "q", "--wait", "6s"]);
    let bot = scene.wecom.aibot(AIBOT_ID);
    let folder = scene.env.state().join("ask");
    let file = || {
        let mut files = std::fs::read_dir(&folder).ok()?.filter_map(|file| Some(file.ok()?.path()));
        // What is not renamed yet is not the record.
        let is_record = |path: &std::path::PathBuf| path.extension().is_some_and(|end| end == "json");
        files.find(|path| is_record(path) && std::fs::read_to_string(path).is_ok_and(|text| text.contains("\"sent\"")))
    };
    let file = wait_for("the record of the sent card", file);
    let mut record: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    for list in ["only", "declines"] {
        record["question"][list] = json!([]);
    }
    record["question"]["allows_local"] = json!(true);
    record["targets"][0]["messages"] = json!(4_000_000_000_u32);
    record["targets"].as_array_mut().unwrap().push(json!({
        "name": "x", "status": "sent", "failure": null, "due_ms": 0, "messages": 1, "reached_ms": 0, "card": "x",
    }));
    std::fs::write(&file, record.to_string()).unwrap();
    // It has been seen when an answer of a command, which is put beside it, has changed nothing after a while.
    command(&scene, "answer").args(["q", "yes"]).run().assert_code(0);
    press(&scene, 0, "yes", "lisi");
    wait_until("the answer to the press", || !bot.updates().is_empty());
    assert_eq!(bot.updates()[0].userids, ["lisi"]);
    press(&scene, 0, "no", "zhangsan");
    ended(asking, 11, "declined");
}

#[test]
fn another_clock_makes_no_answer_and_no_endless_wait() {
    let scene = scene();
    pressed(&scene, &["--id", "q", "--title", "deploy 17?", "--confirm"], "no", "zhangsan").assert_code(11);
    let folder = std::fs::read_dir(scene.env.state().join("ask")).unwrap();
    let file =
        folder.map(|file| file.unwrap().path()).find(|path| path.extension().is_some_and(|end| end == "json")).unwrap();
    // As if the clock had been set back a year after the question was asked.
    let mut record: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    record["start_ms"] = json!(record["start_ms"].as_u64().unwrap() + 365 * 86_400_000);
    record["wait_ms"] = json!(2000);
    record["state"] = json!("open");
    std::fs::write(&file, record.to_string()).unwrap();
    let run = ask(&scene, &["--id", "q", "--title", "deploy 17?", "--confirm"]).run();
    assert_eq!(end(&run), (10, "unanswered".to_owned(), None), "{}", run.all());
}

#[test]
fn a_state_folder_that_takes_nothing_prevents_no_answer() {
    let scene = scene();
    std::fs::create_dir_all(scene.env.state()).unwrap();
    std::fs::write(scene.env.state().join("ask"), "").unwrap();
    let asking = confirm(&scene, &[]);
    press(&scene, 0, "yes", "lisi");
    press(&scene, 0, "yes", "zhangsan");
    let document = ended(asking, 0, "answered");
    assert_eq!(document["answer"]["userid"], "zhangsan");
    assert!(document["warnings"].to_string().contains("it is asked without being kept"), "{document}");
}

#[test]
fn a_bot_that_is_taken_away_is_no_answer() {
    let scene = scene();
    let asking = confirm(&scene, &["--wait", "4s"]);
    card(&scene, 0);
    scene.wecom.aibot(AIBOT_ID).kick();
    let run = asking.wait();
    assert!(matches!(run.code, Some(7 | 10)), "{}", run.all());
    assert!(run.json()["answer"].is_null());
}

#[test]
fn a_group_needs_names_or_the_word_that_anybody_may() {
    let scene = scene();
    ask(&scene, &["-P", "group"]).args(DEPLOY).run().assert_code(2);
    let asking = ask(&scene, &["-P", "group", "--anyone"]).args(DEPLOY).spawn();
    assert_eq!(card(&scene, 0).chat, AIBOT_CHAT);
    press(&scene, 0, "yes", "wangwu");
    ended(asking, 0, "answered");
}
