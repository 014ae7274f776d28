//! `answer`: an answer from this machine in somebody's stead.

use serde_json::{Value, json};

use super::{ask, card, command, ended, pressed, scene};
use crate::support::Scene;
use crate::support::fake::AIBOT_ID;

fn answer(scene: &Scene, args: &[&str]) -> (i32, Value) {
    let run = command(scene, "answer").args(args).run();
    (run.code.unwrap(), run.json()["message"].clone())
}

#[test]
fn a_monitor_answers_when_it_sees_the_recovery() {
    let scene = scene();
    let asking = ask(&scene, &["--id", "disk web-3", "--title", "disk full", "--also", "room"]).spawn();
    card(&scene, 0);
    assert_eq!(answer(&scene, &["disk web-3", "recovered", "--note", "it is free again"]).0, 0);
    let document = ended(asking, 0, "answered");
    let given = &document["answer"];
    assert_eq!((&given["key"], &given["via"], &given["userid"]), (&json!("recovered"), &json!("local"), &Value::Null));
    assert!(given["unix_user"].is_string() && given["host"].is_string());
    // The card cannot be changed without a press: a message says it there too.
    let told: Vec<String> = scene.wecom.messages().iter().map(|message| message.payload().to_string()).collect();
    let told: Vec<_> =
        told.iter().filter(|text| text.contains("local answer by") && text.contains("it is free again")).collect();
    assert_eq!(told.len(), 2, "{told:?}");
}

#[test]
fn an_answer_is_given_once() {
    let scene = scene();
    let (code, message) = answer(&scene, &["unheard", "ack"]);
    assert_eq!(code, 2, "{message}");
    pressed(&scene, &["--id", "a", "--title", "disk full"], "ack", "zhangsan").assert_code(0);
    let (code, message) = answer(&scene, &["a", "recovered"]);
    assert_eq!(code, 5);
    assert!(message.as_str().unwrap().contains("zhangsan answered: Acknowledge"), "{message}");
    ask(&scene, &["--id", "b", "--title", "disk full", "--wait", "1s"]).run().assert_code(10);
    let (code, message) = answer(&scene, &["b", "recovered"]);
    assert!(code == 5 && message.as_str().unwrap().contains("is over since"), "{code} {message}");
}

#[test]
fn a_question_for_certain_people_takes_none_unless_it_says_so() {
    let scene = scene();
    for (number, (args, code, end)) in
        [(&["--confirm"][..], 5, 10), (&["--only", "zhangsan"], 5, 10), (&["--confirm", "--allow-local-answer"], 0, 0)]
            .into_iter()
            .enumerate()
    {
        let asking =
            ask(&scene, &["--id", "q", "--title", "deploy?", "--wait", "3s"]).args(args.iter().copied()).spawn();
        card(&scene, number);
        if args[0] == "--confirm" {
            // A mistyped key opens no gate.
            assert_ne!(answer(&scene, &["q", "yess"]).0, 0, "{args:?}");
        }
        assert_eq!(answer(&scene, &["q", "yes"]).0, code, "{args:?}");
        let run = asking.wait().assert_code(end);
        assert_eq!(run.json()["answer"].is_null(), end != 0);
    }
    assert_eq!(scene.wecom.aibot(AIBOT_ID).presses().len(), 0);
}

#[test]
fn what_is_wrong_is_told_before_the_wait_and_who_is_asked_is_told_once() {
    let scene = scene();
    let args = ["--id", "q", "--title", "disk full", "--escalate", "nosuch@1h", "--also", "room", "--tell", "room"];
    let asking = ask(&scene, &args).spawn();
    card(&scene, 0);
    assert_eq!(answer(&scene, &["q", "recovered"]).0, 0);
    let run = asking.wait().assert_code(0);
    let (before, _) = run.stderr.split_once("waits for an answer").unwrap();
    assert!(before.contains("nosuch will not be reached"), "{}", run.stderr);
    let told =
        |wanted: &str| scene.wecom.messages().iter().filter(|m| m.payload().to_string().contains(wanted)).count();
    assert_eq!(told("local answer by"), 2, "the member and the room, each once");
    let again = ask(&scene, &args).run().assert_code(0);
    assert!(again.stderr.contains("has been answered already"), "{}", again.stderr);
}
