//! `ask` by the card of an app, whose presses a `listen` receives; and questions that a `listen` goes on with.
#![cfg(unix)]

use std::fs::{self, File};

use serde_json::{Value, json};

use super::{ask, end, ended, written};
use crate::support::fake::{
    AGENT_ID, AIBOT_ID, AIBOT_SECRET, CALLBACK_AES_KEY, CALLBACK_TOKEN, CORP_ID, Endpoint, FakeWecom, Reply, SECRET,
    SentCard,
};
use crate::support::{Running, Scene, send_signal, wait_for, wait_until};

/// A profile with an app and its callback, and others to escalate to.
fn scene() -> Scene {
    let wecom = FakeWecom::start();
    let (base_url, aibot_url, webhook) = (wecom.base_url(), wecom.aibot_url(), wecom.webhook_url());
    let app = format!("corp_id = '{CORP_ID}'\nagent_id = {AGENT_ID}\nsecret = '{SECRET}'");
    let callback = format!("callback_token = '{CALLBACK_TOKEN}'\ncallback_aes_key = '{CALLBACK_AES_KEY}'");
    let bot = format!("aibot_id = '{AIBOT_ID}'\naibot_secret = '{AIBOT_SECRET}'\naibot_user = 'zhangsan'");
    let mut scene = Scene::with(wecom);
    scene.config = format!("default_profile = 'ops'\nbase_url = '{base_url}'\naibot_url = '{aibot_url}'\n");
    let scene = scene
        .profile("ops", &format!("{app}\n{callback}\nto_user = ['zhangsan', 'lisi']"))
        .profile("lead", &format!("{app}\nto_user = 'wangwu'"))
        .profile("bot", &bot)
        .profile("both", &format!("{app}\nto_user = 'lisi'\n{bot}"))
        .profile("room", &format!("webhook = '{webhook}'"));
    written(scene)
}

/// A `listen` at work.
struct Listen {
    running: Running,
    address: String,
    err: std::path::PathBuf,
}

fn listen(scene: &Scene, args: &[&str]) -> Listen {
    let err = scene.env.home().join(format!("listen-{}", fastrand::u64(..)));
    let file = File::create(&err).unwrap();
    let cmd = scene.bare(&["listen"]).args(args.iter().copied()).stdin_null().keeps_secret(&scene.wecom);
    let mut running = cmd.stderr_into(&file).spawn();
    let address = wait_for("listen", || {
        let told = fs::read_to_string(&err).unwrap();
        assert!(running.ended().is_none(), "it has ended: {told}");
        let (_, rest) = told.split_once("listen: ")?;
        let (line, _) = rest.split_once('\n')?;
        let address = line.split_once("http://").map(|(_, rest)| rest.split(',').next().unwrap());
        Some(address.unwrap_or_default().to_owned())
    });
    Listen { running, address, err }
}

fn listen_to_app(scene: &Scene) -> Listen {
    listen(scene, &["--http", "127.0.0.1:0"])
}

impl Listen {
    fn press(&self, scene: &Scene, task_id: &str, key: &str, userid: &str) {
        let told = scene.wecom.callback(&format!("http://{}/", self.address)).press(task_id, key, userid);
        assert!(told.is_taken(), "{told:?}");
    }

    fn wait_for(&self, part: &str) {
        wait_until(part, || fs::read_to_string(&self.err).unwrap().contains(part));
    }

    fn stop(self) {
        send_signal("TERM", self.running.id());
        self.running.wait().assert_code(143);
    }
}

fn card(scene: &Scene, number: usize) -> SentCard {
    wait_for("the card", || scene.wecom.app_cards().get(number).cloned())
}

/// The document of a message to a place.
fn text_of(card: &SentCard, userid: &str) -> String {
    card.face_of(userid)["sub_title_text"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn a_press_on_the_card_of_an_app_is_an_answer_and_everybody_sees_it() {
    let scene = scene();
    let listen = listen_to_app(&scene);
    let asking =
        ask(&scene, &["--title", "disk full", "--button", "ack=Acknowledge", "--button", "mute=Mute", "web-3"]);
    let asking = asking.spawn();
    let sent = card(&scene, 0);
    listen.press(&scene, &sent.task_id, "mute", "lisi");
    let document = ended(asking, 0, "answered");
    let answer = &document["answer"];
    assert_eq!((&answer["key"], &answer["userid"], &answer["via"]), (&json!("mute"), &json!("lisi"), &json!("press")));
    assert_eq!((&answer["task_id"], &answer["target"]), (&json!(sent.task_id), &json!("ops:app")));
    let now = card(&scene, 0);
    for userid in ["zhangsan", "lisi"] {
        assert_eq!(now.face_of(userid)["replace_text"], "✓ lisi", "{now:?}");
        let text = text_of(&now, userid);
        assert!(text.starts_with("lisi answered: Mute (") && text.ends_with("web-3"), "{text}");
    }
    // The card says it: nobody needs a message.
    assert_eq!(
        (scene.wecom.messages().len(), scene.wecom.complaints().len()),
        (1, 0),
        "{:?}",
        scene.wecom.complaints()
    );
    listen.stop();
}

#[test]
fn with_an_app_and_an_aibot_the_route_says_which_of_them_asks() {
    let scene = scene();
    for (route, first) in [(&[][..], "both:aibot/zhangsan"), (&["--route", "app"], "both:app")] {
        let args = [&["-P", "both", "--dry-run", "--title", "disk full"], route].concat();
        let run = ask(&scene, &args).run().assert_code(10);
        assert_eq!(run.json()["steps"][0]["target"], first, "{route:?} {}", run.all());
    }
    let listen = listen_to_app(&scene);
    let asking = ask(&scene, &["-P", "both", "--route", "app", "--title", "disk full"]).spawn();
    listen.press(&scene, &card(&scene, 0).task_id, "ack", "lisi");
    assert_eq!(ended(asking, 0, "answered")["answer"]["target"], "both:app");
    listen.stop();
}

#[test]
fn a_vote_on_the_card_of_an_app_gives_the_chosen_ids_in_its_order() {
    let scene = scene();
    let listen = listen_to_app(&scene);
    let args = ["--title", "When?", "--card", "vote_interaction", "--option", "now=Now", "--option", "late=Tonight"];
    let asking = ask(&scene, &args).spawn();
    let sent = card(&scene, 0);
    let question = sent.face["checkbox"]["question_key"].as_str().unwrap().to_owned();
    let key = sent.face["submit_button"]["key"].as_str().unwrap().to_owned();
    let callback = scene.wecom.callback(&format!("http://{}/", listen.address));
    // Without a choice it says nothing.
    assert!(callback.vote(&sent.task_id, &key, "zhangsan", &[(&question, &[])]).is_taken());
    wait_until("the answer to the press", || card(&scene, 0).changes == 1);
    assert!(callback.vote(&sent.task_id, &key, "zhangsan", &[(&question, &["late", "now"])]).is_taken());
    assert_eq!(ended(asking, 0, "answered")["answer"]["options"], json!(["now", "late"]));
    assert_eq!(card(&scene, 0).face_of("lisi")["checkbox"]["disable"], true);
    listen.stop();
}

#[test]
fn two_listens_go_on_with_a_question_once() {
    let scene = scene();
    let listens = [listen_to_app(&scene), listen(&scene, &["-P", "bot", "--aibot"])];
    let run = ask(&scene, &["--detach", "--title", "disk full", "--escalate", "lead:app@3s"]).run().assert_code(0);
    assert_eq!(end(&run).1, "asked");
    card(&scene, 1);
    listens[0].press(&scene, &card(&scene, 0).task_id, "ack", "lisi");
    wait_until("the cards", || scene.wecom.app_cards().iter().all(|card| card.face["replace_text"] == "✓ lisi"));
    let told = listens.each_ref().map(|listen| fs::read_to_string(&listen.err).unwrap());
    let goes_on = told.each_ref().map(|told| told.matches("listen goes on with it").count());
    // That of the aibot cannot prove that it may.
    assert_eq!((goes_on, scene.wecom.messages().len()), ([1, 0], 2), "{told:?}");
    listens.into_iter().for_each(Listen::stop);
}

#[test]
fn at_the_end_cards_change_that_nobody_pressed() {
    let scene = scene();
    let listen = listen_to_app(&scene);
    let asking = ask(&scene, &["--title", "disk full", "--escalate", "lead:app@300ms"]).spawn();
    let (first, second) = (card(&scene, 0), card(&scene, 1));
    assert!(second.users.contains(&"wangwu".to_owned()), "{second:?}");
    listen.press(&scene, &first.task_id, "ack", "zhangsan");
    ended(asking, 0, "answered");
    assert_eq!(card(&scene, 1).face["replace_text"], "✓ zhangsan");
    assert_eq!(scene.wecom.messages().len(), 2);
    let run = ask(&scene, &["--title", "disk full", "--wait", "1s"]).run().assert_code(10);
    assert_eq!(end(&run), (10, "unanswered".to_owned(), None));
    let over = card(&scene, 2);
    assert!(over.face["replace_text"] == "Over" && text_of(&over, "lisi").contains("nobody answered by"), "{over:?}");
    assert_eq!(
        (scene.wecom.messages().len(), scene.wecom.complaints().len()),
        (3, 0),
        "{:?}",
        scene.wecom.complaints()
    );
    listen.stop();
}

#[test]
fn a_press_of_others_changes_what_they_see_alone() {
    let scene = scene();
    let listen = listen_to_app(&scene);
    let asking = ask(&scene, &["--only", "zhangsan", "--title", "reboot?"]).spawn();
    let sent = card(&scene, 0);
    listen.press(&scene, &sent.task_id, "ack", "lisi");
    wait_until("the answer to the press", || card(&scene, 0).changes == 1);
    let now = card(&scene, 0);
    assert!(
        text_of(&now, "lisi").starts_with("lisi: others are asked") && text_of(&now, "zhangsan").is_empty(),
        "{now:?}"
    );
    listen.press(&scene, &sent.task_id, "ack", "zhangsan");
    assert_eq!(ended(asking, 0, "answered")["answer"]["userid"], "zhangsan");
    assert_eq!(card(&scene, 0).face_of("lisi")["replace_text"], "✓ zhangsan");
    listen.stop();
}

#[test]
fn a_card_that_cannot_be_changed_is_made_up_for_by_a_message() {
    let scene = scene();
    let listen = listen_to_app(&scene);
    scene.wecom.always(Endpoint::MessageUpdateCard, Reply::errcode(60140, "invalid response_code"));
    let asking = ask(&scene, &["--title", "disk full"]).spawn();
    listen.press(&scene, &card(&scene, 0).task_id, "ack", "zhangsan");
    ended(asking, 0, "answered");
    let messages = scene.wecom.messages();
    assert!(messages.len() == 2 && messages[1].payload().to_string().contains("zhangsan answered"), "{messages:?}");
    listen.stop();
}

#[test]
fn presses_that_others_write_to_disk_are_no_answers() {
    let scene = scene();
    let listen = listen_to_app(&scene);
    let asking = ask(&scene, &["--title", "deploy?", "--confirm", "--wait", "3s"]).spawn();
    let sent = card(&scene, 0);
    let name = sent.task_id.split('-').nth(1).unwrap().to_owned();
    let press = json!({
        "req_id": "", "msgid": "", "task_id": sent.task_id, "key": "yes", "userid": "zhangsan", "chatid": null,
        "is_group": false, "selected": [], "at": 0, "card_type": "button_interaction", "response_code": "x",
    });
    let forged = json!([{ "press": press, "seal": "0".repeat(64) }]).to_string();
    fs::write(scene.env.state().join("ask").join(format!("press-{name}.json")), forged).unwrap();
    assert_eq!(ended(asking, 10, "unanswered")["answer"], Value::Null);
    listen.stop();
}

#[test]
fn a_gate_for_a_whole_department_says_whose_press_counts() {
    let scene = scene();
    for to in [["-u", "@all"], ["--to-party", "2"], ["--to-tag", "1"]] {
        let run = ask(&scene, &["--confirm", "--title", "deploy?"]).args(to).run().assert_code(2);
        assert!(run.json()["hint"].as_str().unwrap().contains("--only"), "{}", run.all());
    }
    assert_eq!(scene.wecom.messages().len(), 0);
}

#[test]
fn two_commands_with_one_question_and_one_listen_ask_it_once() {
    let scene = scene();
    let listen = listen_to_app(&scene);
    let args = ["--id", "q", "--title", "disk full"];
    let asking = [ask(&scene, &args).spawn(), ask(&scene, &args).spawn()];
    listen.press(&scene, &card(&scene, 0).task_id, "ack", "zhangsan");
    for asking in asking {
        assert_eq!(ended(asking, 0, "answered")["answer"]["key"], "ack");
    }
    // Nor does the listen ask it again.
    assert_eq!((scene.wecom.app_cards().len(), scene.wecom.messages().len()), (1, 1));
    listen.stop();
}

#[test]
fn a_listen_goes_on_with_what_was_handed_over() {
    let scene = scene();
    let listen = listen_to_app(&scene);
    let args = ["--detach", "--id", "q", "--title", "disk full", "--escalate", "lead:app@3s", "--tell", "room"];
    let run = ask(&scene, &args).run().assert_code(0);
    assert_eq!(end(&run), (0, "asked".to_owned(), None));
    let sent = card(&scene, 0);
    // The step comes by the plan on disk.
    let second = card(&scene, 1);
    assert!(second.users.contains(&"wangwu".to_owned()), "{second:?}");
    listen.press(&scene, &sent.task_id, "ack", "zhangsan");
    wait_until("the cards", || scene.wecom.app_cards().iter().all(|card| card.face["replace_text"] == "✓ zhangsan"));
    wait_until("the room is told", || scene.wecom.messages().len() == 3);
    // Who asks again gets the answer.
    let document = ended(ask(&scene, &[&["--id", "q"], &args[3..]].concat()).spawn(), 0, "answered");
    assert_eq!(document["answer"]["key"], "ack");
    listen.stop();
}

#[test]
fn without_a_listen_nothing_is_handed_over_and_the_alert_goes_out() {
    let scene = scene();
    for profile in ["ops", "bot"] {
        let run = ask(&scene, &["-P", profile, "--detach", "--title", "disk full"]).run().assert_code(3);
        assert!(run.json()["message"].as_str().unwrap().contains("no listen"), "{}", run.all());
        let messages = scene.wecom.messages();
        let text = messages.last().unwrap().payload().to_string();
        assert!(text.contains("[nothing can be pressed here]"), "{text}");
    }
    ask(&scene, &["--detach", "--confirm", "--title", "deploy?"]).run().assert_code(2);
    assert_eq!(scene.wecom.messages().len(), 2);
}

#[test]
fn a_listen_goes_on_with_questions_of_killed_and_stopped_processes() {
    let scene = scene();
    let listen = listen_to_app(&scene);
    let mut killed = ask(&scene, &["--title", "first", "--escalate", "lead:app@4s"]).spawn();
    let first = card(&scene, 0);
    wait_for_record(&scene, "\"sent\"");
    killed.kill();
    drop(killed);
    listen.wait_for("listen goes on with it");
    card(&scene, 1);
    listen.press(&scene, &first.task_id, "ack", "zhangsan");
    wait_until("the cards", || scene.wecom.app_cards().iter().all(|card| card.face["replace_text"] == "✓ zhangsan"));
    let stopped = ask(&scene, &["--id", "second", "--title", "second", "--wait", "1h"]).spawn();
    let second = card(&scene, 2);
    wait_until("the record", || scene.wecom.messages().len() == 3);
    send_signal("TERM", stopped.id());
    let run = stopped.wait().assert_code(143);
    assert!(run.json()["hint"].as_str().unwrap().contains("a running listen goes on with it"), "{}", run.all());
    listen.press(&scene, &second.task_id, "ack", "lisi");
    wait_until("the card", || card(&scene, 2).face["replace_text"] == "✓ lisi");
    listen.stop();
}

#[test]
fn what_a_listen_tells_of_a_question_names_it_and_is_told_once() {
    let scene = scene();
    let listen = listen_to_app(&scene);
    scene.wecom.always(Endpoint::WebhookSend, Reply::errcode(93000, "invalid webhook url"));
    let args = ["--id", "disk", "--title", "disk full", "--escalate", "room:webhook@3s"];
    let mut killed = ask(&scene, &args).spawn();
    card(&scene, 0);
    wait_for_record(&scene, "\"sent\"");
    killed.kill();
    drop(killed);
    listen.wait_for("listen: question \"disk\": no process waits for it");
    listen.wait_for("listen: question \"disk\": room:webhook was not reached");
    scene.bare(&["answer", "disk", "recovered"]).stdin_null().keeps_secret(&scene.wecom).run().assert_code(0);
    // The listen may still be about to change the cards.
    let again = ask(&scene, &args).run().assert_code(0);
    assert!(!again.stderr.contains("another process asks this already"), "{}", again.all());
    listen.wait_for("recovered");
    wait_until("the card", || card(&scene, 0).face["replace_text"] != Value::Null);
    let told = fs::read_to_string(&listen.err).unwrap();
    assert_eq!((told.matches("local answer by").count(), told.matches("ask: ").count()), (1, 0), "{told}");
    listen.stop();
}

fn wait_for_record(scene: &Scene, part: &str) {
    let folder = scene.env.state().join("ask");
    wait_until("the record", || {
        let files = fs::read_dir(&folder).into_iter().flatten().flatten();
        files.filter_map(|file| fs::read_to_string(file.path()).ok()).any(|text| text.contains(part))
    });
}

#[test]
fn a_listen_with_the_connection_of_an_aibot_goes_on_too() {
    let scene = scene();
    let listen = listen(&scene, &["-P", "bot", "--aibot"]);
    let run = ask(&scene, &["-P", "bot", "--detach", "--title", "disk full"]).run().assert_code(0);
    assert_eq!(end(&run).1, "asked");
    let bot = scene.wecom.aibot(AIBOT_ID);
    let sent = bot.cards()[0].clone();
    bot.press(&sent.task_id, "ack", "zhangsan");
    wait_until("the card", || bot.cards()[0].face["button_list"][0]["text"] == "✓ zhangsan");
    listen.stop();
}
