//! `--id`: a question that is taken up again.

use serde_json::json;

use super::{ask, card, ended, press, pressed, scene};
use crate::support::fake::{AIBOT_ID, Endpoint};
use crate::support::{send_signal, wait_for, wait_until};

#[test]
fn an_answer_is_given_again_and_the_card_is_not_sent_again() {
    let scene = scene();
    let args = ["--id", "deploy 17", "--title", "deploy?", "--confirm"];
    pressed(&scene, &args, "yes", "zhangsan").assert_code(0);
    let document = ended(ask(&scene, &args).spawn(), 0, "answered");
    assert_eq!((&document["answer"]["userid"], &document["id"]), (&json!("zhangsan"), &json!("deploy 17")));
    assert_eq!(scene.wecom.aibot(AIBOT_ID).cards().len(), 1);
}

#[test]
fn an_open_question_is_waited_for_by_several() {
    let scene = scene();
    let args = ["--id", "q", "--title", "deploy?"];
    let first = ask(&scene, &args).spawn();
    card(&scene, 0);
    let second = ask(&scene, &args).spawn();
    press(&scene, 0, "ack", "zhangsan");
    let answers = [first, second].map(|asking| ended(asking, 0, "answered")["answer"].clone());
    assert_eq!(answers[0], answers[1]);
    assert_eq!(scene.wecom.aibot(AIBOT_ID).cards().len(), 1);
}

#[test]
fn a_killed_wait_is_taken_up_with_its_times_and_without_another_card() {
    let scene = scene();
    let args = ["--id", "q", "--title", "disk full", "--wait", "1h"];
    let mut first = ask(&scene, &args).spawn();
    card(&scene, 0);
    // Until it is known that the card went out.
    wait_until("the record", || {
        let folder = std::fs::read_dir(scene.env.state().join("ask")).unwrap();
        let files = folder.filter_map(|file| std::fs::read_to_string(file.unwrap().path()).ok());
        files.into_iter().any(|text| text.contains("\"status\":\"sent\""))
    });
    first.kill();
    drop(first);
    let second = ask(&scene, &["--wait", "2h"]).args(&args[..4]).spawn();
    // What is pressed before that may be told to the process that was killed.
    wait_until("its own connection", || scene.wecom.count(Endpoint::AibotSubscribe) == 2);
    press(&scene, 0, "ack", "zhangsan");
    ended(second, 0, "answered");
    assert_eq!(scene.wecom.aibot(AIBOT_ID).cards().len(), 1);
}

#[test]
fn a_card_that_was_under_way_at_a_kill_is_watched() {
    let scene = scene();
    let args = ["--id", "q", "--title", "disk full", "--wait", "1h"];
    let mut first = ask(&scene, &args).spawn();
    card(&scene, 0);
    let folder = scene.env.state().join("ask");
    let file = wait_for("the record", || {
        let mut files = std::fs::read_dir(&folder).ok()?.filter_map(|file| Some(file.ok()?.path()));
        // What is not renamed yet is not the record.
        let is_record = |path: &std::path::PathBuf| path.extension().is_some_and(|end| end == "json");
        files.find(|path| {
            is_record(path) && std::fs::read_to_string(path).is_ok_and(|text| text.contains("\"status\":\"sent\""))
        })
    });
    first.kill();
    drop(first);
    // As it is while a reminder is under way: the last card is not counted.
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.contains("\"messages\":1"), "{text}");
    std::fs::write(&file, text.replace("\"messages\":1", "\"messages\":0")).unwrap();
    let second = ask(&scene, &args).spawn();
    wait_until("the connection", || scene.wecom.aibot(AIBOT_ID).is_subscribed());
    press(&scene, 0, "ack", "zhangsan");
    ended(second, 0, "answered");
    assert_eq!(scene.wecom.aibot(AIBOT_ID).cards().len(), 1);
}

#[test]
fn another_question_of_that_id_is_refused_while_it_counts() {
    let scene = scene();
    let first = ask(&scene, &["--id", "q", "--title", "deploy?"]).spawn();
    card(&scene, 0);
    let refused = [
        &["--title", "reboot?"][..],
        &["--title", "deploy?", "--button", "a=A"],
        &["--title", "deploy?", "--only", "lisi"],
    ];
    for other in refused {
        let run = ask(&scene, &["--id", "q"]).args(other.iter().copied()).run().assert_code(2);
        assert!(run.json()["message"].as_str().unwrap().contains("asked \"deploy?\""), "{}", run.all());
    }
    press(&scene, 0, "ack", "zhangsan");
    ended(first, 0, "answered");
    ask(&scene, &["--id", "q", "--title", "reboot?"]).run().assert_code(2);
    assert_eq!(scene.wecom.aibot(AIBOT_ID).cards().len(), 1);
}

#[test]
fn an_id_is_free_again_after_the_end() {
    let scene = scene();
    ask(&scene, &["--id", "q", "--title", "deploy?", "--wait", "1s"]).run().assert_code(10);
    let stopped = ask(&scene, &["--id", "q", "--title", "reboot?", "--confirm"]).spawn();
    card(&scene, 1);
    send_signal("TERM", stopped.id());
    ended(stopped, 143, "interrupted");
    let run = pressed_third(&scene);
    assert_eq!(run["answer"]["key"], "ack");
    let ids: Vec<String> = scene.wecom.aibot(AIBOT_ID).cards().into_iter().map(|card| card.task_id).collect();
    assert!(ids[0] != ids[1] && ids[1] != ids[2] && ids[0] != ids[2], "{ids:?}");
}

fn pressed_third(scene: &crate::support::Scene) -> serde_json::Value {
    let asking = ask(scene, &["--id", "q", "--title", "deploy?"]).spawn();
    press(scene, 2, "ack", "zhangsan");
    ended(asking, 0, "answered")
}
