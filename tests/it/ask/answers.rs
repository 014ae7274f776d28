//! What a press does: to the command, and to the cards.

use serde_json::{Value, json};

use super::{ask, card, command, end, ended, press, pressed, scene, written};
use crate::support::fake::{AIBOT_CHAT, AIBOT_ID, AIBOT_SECRET};
use crate::support::{Scene, wait_until};

#[test]
fn the_key_that_is_pressed_is_printed_and_the_card_says_who_did_it() {
    let scene = scene();
    let asking = scene
        .bare(&["ask", "--title", "disk full", "--button", "ack=Acknowledge", "--button", "mute=Mute", "web-3 has 1 %"])
        .stdin_null()
        .spawn();
    let sent = card(&scene, 0);
    assert_eq!((sent.chat.as_str(), sent.is_group), ("zhangsan", false));
    assert_eq!(sent.sent["button_list"][1]["key"], "mute");
    press(&scene, 0, "mute", "zhangsan");
    let run = asking.wait().assert_code(0);
    assert_eq!(run.stdout, "mute\n", "{}", run.all());
    let card = &scene.wecom.aibot(AIBOT_ID).cards()[0];
    assert_eq!(card.face["button_list"], json!([{ "text": "✓ zhangsan", "style": 2, "key": "closed" }]));
    assert_eq!(card.face["card_type"], "button_interaction");
    let text = card.face["sub_title_text"].as_str().unwrap();
    assert!(text.starts_with("zhangsan answered: Mute (") && text.ends_with("web-3 has 1 %"), "{text}");
    assert_eq!(scene.wecom.complaints(), [""; 0]);
}

#[test]
fn the_document_says_who_answered_what_where() {
    let scene = scene();
    let run = pressed(&scene, &["disk full"], "ack", "zhangsan").assert_code(0);
    let document = run.json();
    let card = card(&scene, 0);
    assert_eq!((&document["ok"], &document["status"]), (&json!(true), &json!("answered")));
    let answer = &document["answer"];
    let expected = json!({
        "key": "ack", "text": "Acknowledge", "options": [], "userid": "zhangsan", "name": null, "via": "press",
        "at": answer["at"], "id": document["id"], "task_id": card.task_id, "target": "ops:aibot/zhangsan",
    });
    assert_eq!(answer, &expected);
    assert!(answer["at"].as_str().unwrap().contains('T'));
    assert_eq!(document["steps"][0]["target"], "ops:aibot/zhangsan");
    assert_eq!(document["steps"][0]["status"], "sent");
    assert_eq!((&document["profile"], &document["route"]), (&json!("ops"), &json!("aibot")));
}

#[test]
fn a_decline_ends_with_11_and_prints_its_key() {
    let scene = scene();
    let args = ["--button", "run=Again", "--button", "no=Leave it", "--decline", "no", "--title", "backup failed"];
    let run = pressed(&scene, &args, "no", "zhangsan").assert_code(11);
    assert_eq!(end(&run), (11, "declined".to_owned(), Some("no".to_owned())));
    assert!(run.json()["message"].as_str().unwrap().starts_with("zhangsan answered: Leave it"), "{}", run.all());
}

#[test]
fn what_is_chosen_is_printed_in_the_order_of_the_card() {
    let scene = scene();
    let asking = scene
        .bare(&["ask", "--title", "when?", "--option", "now=Now", "--option", "late=Tonight", "--option", "no=Never"])
        .stdin_null()
        .spawn();
    let sent = card(&scene, 0);
    assert_eq!(sent.sent["card_type"], "vote_interaction");
    let question = sent.sent["checkbox"]["question_key"].as_str().unwrap();
    scene.wecom.aibot(AIBOT_ID).vote(&sent.task_id, "submit", "zhangsan", &[(question, &["late", "now"])]);
    let run = asking.wait().assert_code(0);
    assert_eq!(run.stdout, "now\nlate\n");
    let face = super::card(&scene, 0).face;
    assert_eq!(face["checkbox"]["disable"], true);
    let checked: Vec<&Value> =
        face["checkbox"]["option_list"].as_array().unwrap().iter().map(|option| &option["is_checked"]).collect();
    assert_eq!(checked, [&json!(true), &json!(true), &json!(false)]);
    assert_eq!(scene.wecom.complaints(), [""; 0]);
}

#[test]
fn a_press_of_others_is_answered_and_changes_nothing() {
    let scene = scene();
    let asking = ask(&scene, &["-P", "group", "--only", "ZhangSan", "--title", "reboot web-3?"]).spawn();
    press(&scene, 0, "ack", "lisi");
    let bot = scene.wecom.aibot(AIBOT_ID);
    wait_until("the answer to the press", || !bot.updates().is_empty());
    let update = &bot.updates()[0];
    assert_eq!(update.userids, ["lisi"]);
    assert_eq!(update.card["button_list"], card(&scene, 0).sent["button_list"]);
    assert!(update.card["sub_title_text"].as_str().unwrap().starts_with("lisi: others are asked"), "{update:?}");
    press(&scene, 0, "ack", "zhangsan");
    let document = ended(asking, 0, "answered");
    assert_eq!(document["answer"]["userid"], "zhangsan");
    assert_eq!(document["answer"]["target"], format!("group:aibot/{AIBOT_CHAT}"));
}

#[test]
fn each_press_is_a_line_of_the_log_file() {
    let scene = scene();
    let log = scene.env.home().join("log");
    let asking =
        ask(&scene, &["-P", "group", "--not", "lisi", "secret words", "--log-file", log.to_str().unwrap()]).spawn();
    press(&scene, 0, "ack", "lisi");
    wait_until("the answer to the press", || !scene.wecom.aibot(AIBOT_ID).updates().is_empty());
    press(&scene, 0, "ack", "wangwu");
    ended(asking, 0, "answered");
    let text = std::fs::read_to_string(log).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let events: Vec<_> = lines.iter().map(|line| (line["event"].as_str(), line["counts"].as_bool())).collect();
    assert_eq!(
        events,
        [(Some("question"), None), (Some("press"), Some(false)), (Some("press"), Some(true)), (None, None)]
    );
    assert_eq!((&lines[1]["userid"], &lines[3]["status"]), (&json!("lisi"), &json!("answered")));
    assert!(!text.contains("secret words"), "{text}");
}

#[test]
fn each_of_many_questions_gets_its_own_answer() {
    let scene = written(scene());
    let titles: Vec<String> = (0..8).map(|number| format!("question {number}")).collect();
    let buttons = ["--button", "a=A", "--button", "b=B", "--button", "c=C"];
    let mut asking: Vec<_> =
        titles.iter().map(|title| ask(&scene, &["--title", title]).args(buttons).spawn()).collect();
    let bot = scene.wecom.aibot(AIBOT_ID);
    wait_until("all cards", || {
        let ended = asking.iter_mut().position(|asking| asking.ended().is_some());
        if let Some(number) = ended {
            panic!("{}", asking.swap_remove(number).wait().all());
        }
        bot.cards().len() == titles.len()
    });
    let key = |number: usize| ["a", "b", "c"][number % 3];
    for card in bot.cards() {
        let title = card.sent["main_title"]["title"].as_str().unwrap().to_owned();
        let number = titles.iter().position(|known| *known == title).unwrap();
        bot.press(&card.task_id, key(number), "zhangsan");
    }
    for (number, asking) in asking.into_iter().enumerate() {
        assert_eq!(ended(asking, 0, "answered")["answer"]["key"], key(number));
    }
}

#[test]
fn others_are_told_who_answered() {
    let scene = scene();
    let asking = ask(&scene, &["--title", "disk full", "--also", "room", "--tell", "lead"]).spawn();
    press(&scene, 0, "ack", "zhangsan");
    ended(asking, 0, "answered");
    let told: Vec<String> = scene.wecom.messages().iter().map(|message| message.payload().to_string()).collect();
    let told: Vec<&String> = told.iter().filter(|text| text.contains("zhangsan answered: Acknowledge")).collect();
    // The room, which has the question, and the lead, who asked to be told.
    assert_eq!(told.len(), 2, "{told:?}");
}

#[test]
fn nobody_answers() {
    let scene = scene();
    let run = ask(&scene, &["--title", "disk full", "--wait", "1s"]).run().assert_code(10);
    assert_eq!(end(&run), (10, "unanswered".to_owned(), None));
    assert_eq!(run.json()["answer"], Value::Null);
    let messages = scene.wecom.messages();
    assert_eq!(messages.len(), 2, "{messages:?}");
    assert!(messages[1].payload().to_string().contains("nobody answered by"), "{messages:?}");
}

#[test]
fn an_app_sends_the_alert_and_says_that_nothing_can_be_pressed() {
    let scene = Scene::new();
    let cmd = scene.cmd(&["ask", "-u", "zhangsan", "--title", "disk full"]).stdin_null();
    let run = cmd.run().assert_code(3);
    let messages = scene.wecom.messages();
    assert_eq!(messages.len(), 1, "{}", run.all());
    assert!(messages[0].payload().to_string().contains("[nothing can be pressed here]"), "{messages:?}");
    assert_eq!(end(&run).1, "config");
}

/// A profile whose secret comes from a command that writes a line to a file at each call, and fails at the one whose number
/// stands in the file beside it.
#[cfg(unix)]
fn with_secret_command(scene: Scene, user: &str) -> (Scene, std::path::PathBuf) {
    let calls = scene.env.home().join("calls");
    let script = format!(
        "echo >> '{0}'; case $(wc -l < '{0}' | tr -d ' ') in $(cat '{0}-fail')) exit 1;; esac; printf %s {AIBOT_SECRET}",
        calls.display()
    );
    let keys =
        format!("aibot_id = '{AIBOT_ID}'\naibot_secret_command = ['/bin/sh', '-c', {script:?}]\naibot_user = {user}");
    fails_at(&calls, "never");
    (scene.profile("told", &keys), calls)
}

#[cfg(unix)]
fn fails_at(calls: &std::path::Path, number: &str) {
    std::fs::write(calls.with_file_name("calls-fail"), number).unwrap();
}

#[cfg(unix)]
#[test]
fn without_a_way_back_the_alert_goes_out_as_a_message_that_says_so() {
    // The second call is for the way back.
    let (scene, calls) = with_secret_command(scene(), "'zhangsan'");
    fails_at(&calls, "2");
    let run = ask(&scene, &["-P", "told", "--title", "disk full", "--wait", "20s"]).run();
    assert!(matches!(run.code, Some(3 | 4 | 7)), "{}", run.all());
    assert!(run.json()["answer"].is_null());
    assert!(run.json()["warnings"].to_string().contains("nothing can be pressed there"), "{}", run.all());
    let messages = scene.wecom.messages();
    assert_eq!(messages.len(), 1, "{messages:?}");
    assert!(messages[0].payload().to_string().contains("[nothing can be pressed here]"), "{messages:?}");
    assert_eq!(scene.wecom.aibot(AIBOT_ID).cards().len(), 0);
}

#[cfg(unix)]
#[test]
fn a_question_that_is_taken_up_without_a_way_back_does_not_wait_deaf() {
    let (scene, calls) = with_secret_command(scene(), "'zhangsan'");
    let args = ["-P", "told", "--id", "q", "--title", "disk full", "--wait", "1h"];
    let mut first = ask(&scene, &args).spawn();
    card(&scene, 0);
    let folder = scene.env.state().join("ask");
    wait_until("the record", || {
        let files = std::fs::read_dir(&folder).into_iter().flatten().flatten();
        files.filter_map(|file| std::fs::read_to_string(file.path()).ok()).any(|text| text.contains("\"sent\""))
    });
    first.kill();
    drop(first);
    std::fs::remove_file(&calls).unwrap();
    fails_at(&calls, "2");
    let run = ask(&scene, &args).run();
    assert!(matches!(run.code, Some(3 | 4 | 7)), "{}", run.all());
    assert!(run.json()["warnings"].to_string().contains("no press can come back"), "{}", run.all());
}

#[cfg(unix)]
#[test]
fn the_secret_is_read_once_for_the_way_back_of_several_cards() {
    let (scene, calls) = with_secret_command(scene(), "['zhangsan', 'lisi', 'wangwu']");
    let asking = ask(&scene, &["-P", "told", "--title", "disk full"]).spawn();
    let last = card(&scene, 2);
    // For the seal, for the way back, and for each message.
    assert_eq!(std::fs::read_to_string(calls).unwrap().lines().count(), 5);
    scene.wecom.aibot(AIBOT_ID).press(&last.task_id, "ack", &last.chat);
    ended(asking, 0, "answered");
}

#[test]
fn the_command_is_there_with_its_help() {
    let scene = scene();
    let run = command(&scene, "ask").arg("--help").run().assert_code(0);
    for option in
        ["--button", "--decline", "--confirm", "--only", "--not", "--wait", "--remind", "--escalate", "--tell", "--id"]
    {
        assert!(run.stdout.contains(option), "{option}");
    }
    assert!(!run.stdout.contains("--outbox ") && !run.stdout.contains("--cooldown"), "{}", run.stdout);
}
