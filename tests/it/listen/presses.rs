//! Presses on cards: which one counts, what each card says, what is not acted on.

use std::fs;

use serde_json::{Value, json};

use super::{
    Listening, command, face, listen, scene, script, send_card, started, status, unknown_press, wait_for_face,
};
use crate::support::fake::{AIBOT_ID, Click, Endpoint};
use crate::support::{Scene, wait_for, wait_until};

/// A program that counts how often it runs.
fn counting(scene: &Scene, lines: &str) -> String {
    script(scene, "act", &format!("cat > \"$HOME/event.json\"; echo run >> \"$HOME/runs\"\n{lines}"))
}

fn runs(scene: &Scene) -> usize {
    fs::read_to_string(scene.env.home().join("runs")).map_or(0, |runs| runs.lines().count())
}

/// A press by a client that has not heard of a change.
fn press_late(listening: &Listening, scene: &Scene, task_id: &str, userid: &str) {
    let callback = listening.callback(scene);
    let click = Click { task_id, key: "ack", userid, chosen: &[], on_any_face: true };
    assert_eq!(status(&callback, &callback.press_request(&click).unwrap()), 200);
}

#[test]
fn the_first_press_runs_the_program_and_everybody_sees_what_came_of_it() {
    let scene = scene();
    let program = counting(&scene, "echo cleaned up; echo more");
    let listening = listen(&scene, &["--", &program, "an argument"]);
    send_card(&scene, "t-1");
    let delivered = listening.callback(&scene).press("t-1", "ack", "zhangsan");
    assert!(delivered.is_taken());
    let seen = wait_for_face(&scene, 0, "lisi", "cleaned up");
    let text = seen["sub_title_text"].as_str().unwrap();
    assert!(text.starts_with("zhangsan answered: Take (") && text.ends_with("\ncleaned up\non /"), "{text}");
    assert_eq!(seen["replace_text"], "✓ zhangsan");
    assert_eq!(seen["horizontal_content_list"][0]["value"], "web-3");
    // That of the send and that of the press: at once who pressed, then what came of it.
    assert_eq!(scene.wecom.app_cards()[0].changes, 2);
    let document: Value = serde_json::from_slice(&fs::read(scene.env.home().join("event.json")).unwrap()).unwrap();
    assert_eq!(listening.lines(), std::slice::from_ref(&document));
    let expected = json!({
        "event_id": document["event_id"], "attempt": 1, "key": "ack", "task_id": "t-1", "userid": "zhangsan",
        "at": document["at"], "channel": "app", "options": [], "counts": true,
        "card": { "title": "Disk full", "fields": { "host": "web-3" }, "data": null },
    });
    assert_eq!(document, expected);
    assert_eq!(document["event_id"].as_str().unwrap().len(), 32);
    // The next one hears who was first.
    press_late(&listening, &scene, "t-1", "lisi");
    let seen = wait_for_face(&scene, 0, "lisi", "already taken");
    assert!(seen["sub_title_text"].as_str().unwrap().contains("zhangsan answered: Take"), "{seen}");
    assert!(!face(&scene, 0, "zhangsan").to_string().contains("already taken"));
    let lines = listening.wait_for_lines(2);
    assert_eq!((&lines[1]["userid"], &lines[1]["counts"]), (&json!("lisi"), &json!(false)));
    assert_eq!(runs(&scene), 1);
    listening.stop();
}

#[test]
fn a_copy_is_acknowledged_and_not_handled() {
    let scene = scene();
    let program = counting(&scene, "echo done");
    let listening = listen(&scene, &["--", &program]);
    send_card(&scene, "t-1");
    let callback = listening.callback(&scene);
    let click = Click { task_id: "t-1", key: "mute", userid: "lisi", chosen: &[], on_any_face: false };
    let request = callback.press_request(&click).unwrap();
    for _ in 0..3 {
        assert_eq!(status(&callback, &request), 200);
    }
    wait_for_face(&scene, 0, "zhangsan", "done");
    assert_eq!(status(&callback, &request), 200);
    assert_eq!((listening.lines().len(), runs(&scene)), (1, 1));
    listening.stop();
}

#[test]
fn of_presses_at_the_same_time_one_counts() {
    let scene = scene();
    let program = counting(&scene, "echo done");
    let listening = listen(&scene, &["--", &program]);
    send_card(&scene, "t-1");
    let callback = listening.callback(&scene);
    let requests: Vec<_> = (0..12)
        .map(|number| {
            let userid = if number % 2 == 0 { "zhangsan" } else { "lisi" };
            let mut callback = listening.callback(&scene);
            callback.created_ago_s = number;
            let click = Click { task_id: "t-1", key: "ack", userid, chosen: &[], on_any_face: true };
            callback.press_request(&click).unwrap()
        })
        .collect();
    std::thread::scope(|scope| {
        for request in &requests {
            scope.spawn(|| assert_eq!(status(&callback, request), 200));
        }
    });
    let lines = listening.wait_for_lines(12);
    assert_eq!(lines.iter().filter(|line| line["counts"] == true).count(), 1, "{lines:?}");
    assert_eq!(runs(&scene), 1);
    let (_, told) = listening.stop();
    assert!(!told.contains("warning"), "{told}");
}

#[test]
fn who_may_not_press_and_who_comes_too_late_are_told_and_change_nothing() {
    let scene = scene();
    let program = counting(&scene, "echo done");
    let listening = listen(&scene, &["--only", "ZhangSan", "--", &program]);
    send_card(&scene, "t-1");
    let mut callback = listening.callback(&scene);
    assert!(callback.press("t-1", "ack", "lisi").is_taken());
    let seen = wait_for_face(&scene, 0, "lisi", "lisi");
    assert!(seen.get("button_list").is_some() && seen.get("replace_text").is_none(), "{seen}");
    assert!(!face(&scene, 0, "zhangsan").to_string().contains("lisi"));
    callback.created_ago_s = 700;
    assert!(callback.press("t-1", "ack", "zhangsan").is_taken());
    wait_for_face(&scene, 0, "zhangsan", "this press came too late");
    assert_eq!(runs(&scene), 0);
    // Neither was the first one.
    callback.created_ago_s = 0;
    assert!(callback.press("t-1", "ack", "zhangsan").is_taken());
    wait_for_face(&scene, 0, "lisi", "done");
    let counts: Vec<_> = listening.wait_for_lines(3).iter().map(|line| line["counts"] == true).collect();
    assert_eq!(counts, [false, false, true]);
    listening.stop();
}

#[test]
fn without_a_program_the_card_says_who_pressed() {
    let scene = scene();
    let listening = listen(&scene, &["--max-age", "1h"]);
    send_card(&scene, "t-1");
    let mut callback = listening.callback(&scene);
    callback.created_ago_s = 700;
    assert!(callback.press("t-1", "mute", "lisi").is_taken());
    let seen = wait_for_face(&scene, 0, "zhangsan", "✓ lisi");
    assert!(seen["sub_title_text"].as_str().unwrap().starts_with("lisi answered: Mute ("), "{seen}");
    assert_eq!(scene.wecom.app_cards()[0].changes, 1);
    listening.stop();
}

#[test]
fn a_card_that_is_not_known_is_told_and_runs_nothing() {
    let scene = scene();
    let program = counting(&scene, "echo done");
    send_card(&scene, "t-1");
    fs::remove_dir_all(scene.env.state().join("cards")).unwrap();
    let listening = listen(&scene, &["--", &program]);
    assert!(listening.callback(&scene).press("t-1", "ack", "lisi").is_taken());
    assert_eq!(wait_for_face(&scene, 0, "lisi", "replace_text")["replace_text"], "Unknown");
    // The others still have their buttons.
    assert!(face(&scene, 0, "zhangsan").get("button_list").is_some());
    assert_eq!((&listening.wait_for_lines(1)[0]["card"], runs(&scene)), (&Value::Null, 0));
    // Of cards of other systems too.
    let callback = listening.callback(&scene);
    assert_eq!(status(&callback, &unknown_press(&callback, "of-another-system")), 200);
    assert_eq!(listening.wait_for_lines(2)[1]["task_id"], "of-another-system");
    listening.stop();
}

#[test]
fn a_slow_program_is_told_of_and_its_result_follows() {
    let scene = scene();
    let listening =
        listen(&scene, &["--", &counting(&scene, "while [ ! -e \"$HOME/go\" ]; do sleep 0.1; done; echo cleaned up")]);
    send_card(&scene, "t-1");
    assert!(listening.callback(&scene).press("t-1", "ack", "zhangsan").is_taken());
    wait_for_face(&scene, 0, "lisi", "it is being worked on");
    // Both changes are used up elsewhere: the result is a message.
    let codes: Vec<_> =
        scene.wecom.app_cards()[0].codes.iter().filter(|code| code.is_good()).map(|code| code.text.clone()).collect();
    for code in codes {
        command(&scene, &["update-card", "--response-code", &code, "--all", "--replace-name", "x"])
            .run()
            .assert_code(0);
    }
    scene.env.file("go", "");
    let told = wait_for("the result", || scene.wecom.messages().get(1).cloned());
    assert_eq!(told.body["touser"], "zhangsan");
    assert!(told.payload().to_string().contains("cleaned up"), "{told:?}");
    listening.stop();
}

#[test]
fn a_card_of_an_aibot_is_changed_by_its_connection() {
    let scene = scene();
    let program = counting(&scene, "echo cleaned up");
    let listening = started(&scene, command(&scene, &["-P", "bot", "listen", "--", &program]));
    let args =
        ["-P", "bot", "aibot-send", "--card", "button_interaction", "--title", "Disk full", "--button", "ack=Take"];
    command(&scene, &args).run().assert_code(0);
    let bot = scene.wecom.aibot(AIBOT_ID);
    let card = wait_for("the card", || bot.cards().first().cloned());
    bot.press(&card.task_id, "ack", "zhangsan");
    let seen = wait_for("the change", || bot.cards().into_iter().find(|card| card.changes > 0)).face;
    assert_eq!(seen["button_list"][0]["text"], "✓ zhangsan");
    assert!(seen["sub_title_text"].as_str().unwrap().ends_with("\ncleaned up"), "{seen}");
    assert_eq!((&listening.lines()[0]["channel"], runs(&scene)), (&json!("aibot"), 1));
    listening.stop();
}

#[test]
fn a_slow_program_for_a_card_of_an_aibot_answers_by_a_message() {
    let scene = scene();
    let program = counting(&scene, "while [ ! -e \"$HOME/go\" ]; do sleep 0.1; done; echo cleaned up");
    let listening = started(&scene, command(&scene, &["-P", "bot", "listen", "--", &program]));
    let args =
        ["-P", "bot", "aibot-send", "--card", "button_interaction", "--title", "Disk full", "--button", "ack=Take"];
    command(&scene, &args).run().assert_code(0);
    let bot = scene.wecom.aibot(AIBOT_ID);
    let card = wait_for("the card", || bot.cards().first().cloned());
    bot.press(&card.task_id, "ack", "zhangsan");
    let seen = wait_for("the change", || bot.cards().into_iter().find(|card| card.changes > 0)).face;
    assert!(seen.to_string().contains("it is being worked on"), "{seen}");
    scene.env.file("go", "");
    wait_until("the result", || scene.texts().iter().any(|text| text.contains("cleaned up")));
    listening.stop();
}

#[test]
fn a_card_of_an_aibot_is_changed_in_the_answer_to_its_callback() {
    let scene = scene();
    let program = counting(&scene, "echo cleaned up");
    let cmd = command(&scene, &["-P", "urlbot", "listen", "--http", "127.0.0.1:0", "--", &program]);
    let listening = started(&scene, cmd);
    let callback = listening.aibot_callback(&scene);
    callback.verify().unwrap();
    let args =
        ["-P", "bot", "aibot-send", "--card", "button_interaction", "--title", "Disk full", "--button", "ack=Take"];
    command(&scene, &args).run().assert_code(0);
    let card = scene.wecom.aibot(AIBOT_ID).cards().remove(0);
    assert!(callback.press(&card.task_id, "ack", "zhangsan").is_taken());
    let seen = scene.wecom.aibot(AIBOT_ID).cards().remove(0).face;
    assert!(seen["sub_title_text"].as_str().unwrap().ends_with("\ncleaned up"), "{seen}");
    assert_eq!(scene.wecom.count(Endpoint::MessageUpdateCard), 0);
    // Words are no events unless that is asked for.
    assert_eq!(status(&callback, &callback.word("zhangsan", "hello")), 200);
    assert_eq!(listening.lines().len(), 1);
    listening.stop();
}

#[test]
fn words_to_an_aibot_are_events_if_that_is_asked_for() {
    let scene = scene();
    let program = script(&scene, "act", "tee \"$HOME/event.json\" | grep -o '\"text\":\"[^\"]*\"'");
    let cmd = command(&scene, &["-P", "urlbot", "listen", "--http", "127.0.0.1:0", "--messages", "--", &program]);
    let listening = started(&scene, cmd);
    let callback = listening.aibot_callback(&scene);
    let word = callback.word("zhangsan", "who is on duty?");
    assert_eq!(status(&callback, &word), 200);
    wait_until("the reply", || scene.texts().iter().any(|text| text.contains("who is on duty?")));
    assert_eq!(status(&callback, &word), 200);
    let line = &listening.wait_for_lines(1)[0];
    assert_eq!((&line["text"], &line["key"], &line["card"]), (&json!("who is on duty?"), &Value::Null, &Value::Null));
    assert_eq!(listening.lines().len(), 1);
    listening.stop();
}

#[test]
fn words_come_by_the_connection_of_an_aibot_too_and_another_command_may_hold_it() {
    let scene = scene();
    let program = script(&scene, "act", "sed 's/.*\"text\":\"\\([^\"]*\\)\".*/you wrote: \\1/'");
    let aibot = scene.wecom.aibot(AIBOT_ID);
    // Without the option they are no events.
    let deaf = started(&scene, command(&scene, &["-P", "bot", "listen", "--", &program]));
    wait_until("the subscription", || aibot.is_subscribed());
    aibot.written_by("lisi", "hello");
    deaf.stop();
    let held = command(&scene, &["-P", "bot", "ask", "--wait", "1m", "Anybody there?"]).spawn();
    wait_until("its card", || !aibot.cards().is_empty());
    let listening = started(&scene, command(&scene, &["-P", "bot", "listen", "--messages", "--", &program]));
    // The one who holds the connection may not know yet that somebody reads.
    wait_until("the reply", || {
        aibot.written_by("lisi", "who is on duty?");
        scene.texts().iter().any(|text| text.contains("you wrote: who is on duty?"))
    });
    let line = &listening.wait_for_lines(1)[0];
    let told = (&line["text"], &line["userid"], &line["channel"], &line["key"]);
    assert_eq!(told, (&json!("who is on duty?"), &json!("lisi"), &json!("aibot"), &Value::Null));
    assert!(listening.lines().iter().all(|line| line["text"] != "hello"));
    drop(held);
    listening.stop();
}
