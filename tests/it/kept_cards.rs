//! Cards with something to press are kept in the state folder once they are sent: for handlers of presses on them, and for
//! `update-card --task-id`.

use std::fs;

use serde_json::{Value, json};

use crate::document::{assert_document, assert_says, warnings};
use crate::results::document;
use crate::support::fake::{AGENT_ID, Endpoint, Reply};
use crate::support::{Cmd, Scene, needs};

const BUTTONS: [&str; 6] = ["--card", "button_interaction", "--title", "Disk full", "--button", "ack=Ack"];

const FIRING: &str = r#"{"version":"4","status":"firing","commonLabels":{"alertname":"DiskFull"},
    "alerts":[{"status":"firing","labels":{"host":"web-3"}}]}"#;

/// What is kept, in the order of the task ids.
fn kept(scene: &Scene) -> Vec<Value> {
    let Ok(files) = fs::read_dir(scene.env.state().join("cards")) else { return Vec::new() };
    let paths = files.map(|file| file.unwrap().path()).filter(|path| path.extension().is_some_and(|end| end == "json"));
    let mut cards: Vec<Value> = paths.map(|path| serde_json::from_slice(&fs::read(path).unwrap()).unwrap()).collect();
    cards.sort_by_key(|card| card["task_id"].as_str().map(str::to_owned));
    cards
}

#[test]
fn a_card_is_kept_with_what_it_was_made_of() {
    let scene = Scene::new().profile("ops", "");
    let sent = scene.app(&BUTTONS).args(["--task-id", "disk-1", "--field", "host=web-3", "full"]).run().assert_code(0);
    let part = document(&sent)["parts"][0].clone();
    let cards = kept(&scene);
    let [card] = cards.as_slice() else { panic!("{cards:?}") };
    assert_eq!(
        (&card["task_id"], &card["channel"], &card["profile"]),
        (&json!("disk-1"), &json!("app"), &json!("ops"))
    );
    assert_eq!((&card["title"], &card["fields"]), (&json!("Disk full"), &json!([["host", "web-3"]])));
    assert_eq!(card["card"], scene.wecom.messages()[0].body["template_card"]);
    assert_eq!(card["codes"][0]["code"], part["response_code"]);
    assert_eq!((&card["data"], &card["presses"]), (&json!({"value": null, "is_cut": false}), &json!([])));

    let from = ["--from", "alertmanager", "--task-id", "disk-2"];
    scene.app(&BUTTONS).args(from).stdin(FIRING).run().assert_code(0);
    let card = &kept(&scene)[1];
    assert_eq!(card["data"]["value"], serde_json::from_str::<Value>(FIRING).unwrap());

    // A template that makes a whole card, and a payload.
    let whole = json!({"msgtype": "template_card", "template_card": {
        "card_type": "button_interaction", "main_title": {"title": "{{ what }}"}, "task_id": "disk-3",
        "button_list": [{"text": "Ack", "key": "ack"}],
    }});
    scene.env.file("card.json.j2", whole.to_string());
    scene.env.file("data.json", r#"{"what": "Disk full"}"#);
    scene.app(&["--template", "card.json.j2", "--data", "data.json"]).run().assert_code(0);
    let card = &kept(&scene)[2];
    assert_eq!((&card["title"], &card["data"]["value"]), (&json!("Disk full"), &json!({"what": "Disk full"})));
    let payload = whole.to_string().replace("disk-3", "disk-4");
    scene.app(&["--payload", "-"]).stdin(payload.as_str()).run().assert_code(0);
    assert_eq!(kept(&scene)[3]["data"]["value"], serde_json::from_str::<Value>(&payload).unwrap());
}

#[test]
fn only_what_can_be_pressed_is_kept() {
    let scene = Scene::new();
    scene.app(&["full"]).run().assert_code(0);
    let notice = ["--card", "text_notice", "--title", "x", "--url", "https://example.com"];
    for cmd in [scene.app(&notice), scene.group(&notice), scene.chat(&["full"])] {
        cmd.run().assert_code(0);
    }
    let refused = scene.app(&BUTTONS).arg("x");
    scene.wecom.script(Endpoint::MessageSend, [Reply::errcode(81013, "nobody")]);
    refused.run().assert_code(5);
    scene.app(&BUTTONS).args(["x", "--dry-run"]).run().assert_code(0);
    assert!(!scene.env.state().join("cards").exists());
    // Further targets and commands that are watched keep theirs too.
    let scene = scene.profile("ops", "to_user = [\"lisi\"]");
    scene.app(&["--also", "ops:app", "--from", "alertmanager"]).args(BUTTONS).stdin(FIRING).run().assert_code(0);
    let cards = kept(&scene);
    assert_eq!(cards.len(), 2, "{cards:?}");
    assert!(cards.iter().all(|card| card["data"]["value"]["commonLabels"]["alertname"] == "DiskFull"), "{cards:?}");
    let run = ["run", "--route", "app", "-u", "zhangsan"];
    scene.cmd(&run).args(BUTTONS).args(["--", "false"]).run().assert_code(1);
    assert_eq!(kept(&scene).len(), 3);
}

#[test]
fn a_card_of_an_aibot_is_kept_without_a_code() {
    let scene = Scene::new();
    scene
        .cmd(&["aibot-send", "-u", "zhangsan,lisi", "--task-id", "disk"])
        .aibot(&scene.wecom)
        .args(BUTTONS)
        .run()
        .assert_code(0);
    let cards = kept(&scene);
    let ids: Vec<_> = cards.iter().map(|card| (&card["task_id"], &card["channel"], &card["codes"])).collect();
    let (aibot, none) = (json!("aibot"), json!([]));
    assert_eq!(ids, [(&json!("disk"), &aibot, &none), (&json!("disk-2"), &aibot, &none)]);
}

#[test]
fn each_call_of_a_card_is_kept() {
    let scene = Scene::new();
    let many: Vec<String> = (0..1001).map(|at| format!("u{at}")).collect();
    scene.wecom.add_users(many.clone());
    scene.cmd(&["app-send", "-u", &many.join(","), "--task-id", "disk"]).args(BUTTONS).run().assert_code(0);
    let cards = kept(&scene);
    assert_eq!(cards.iter().map(|card| &card["task_id"]).collect::<Vec<_>>(), ["disk", "disk-2"]);
    assert_ne!(cards[0]["codes"], cards[1]["codes"]);
}

#[test]
fn the_outbox_keeps_cards_that_it_delivers() {
    let scene = Scene::new().profile("ops", "");
    scene.wecom.script(Endpoint::MessageSend, [Reply::errcode(-1, "system busy")]);
    let args = ["--outbox", "--from", "alertmanager", "--task-id", "disk"];
    scene.app(&BUTTONS).args(args).stdin(FIRING).run().assert_code(0);
    assert_eq!(kept(&scene).len(), 0);
    scene.cmd(&["outbox", "flush"]).run().assert_code(0);
    let cards = kept(&scene);
    assert_eq!((cards.len(), &cards[0]["task_id"], &cards[0]["profile"]), (1, &json!("disk"), &json!("ops")));
    assert_eq!(cards[0]["data"]["value"]["commonLabels"]["alertname"], "DiskFull");
}

/// It may have arrived: then somebody may press it.
#[test]
fn a_card_without_an_answer_is_kept_without_a_code() {
    let scene = Scene::new();
    scene.wecom.script(Endpoint::MessageSend, [Reply::accept_then(Reply::CloseAfterReading)]);
    scene.app(&BUTTONS).arg("full").run().assert_code(9);
    let cards = kept(&scene);
    assert_eq!((cards.len(), &cards[0]["codes"]), (1, &json!([])));
}

#[test]
fn a_card_that_cannot_be_kept_is_sent_with_a_warning() {
    let scene = Scene::new();
    fs::create_dir_all(scene.env.state()).unwrap();
    fs::write(scene.env.state().join("cards"), "").unwrap();
    let run = scene.app(&BUTTONS).args(["--task-id", "disk", "full"]).run();
    let told = assert_document(&run, "warned", 0, &json!({"status": "sent"}));
    let warnings = warnings(&told);
    assert!(warnings.len() == 1 && warnings[0].starts_with("the card disk is not kept"), "{warnings:?}");
    assert_eq!(scene.texts().len(), 1);
}

/// A plain send does not look for the folder, nor does it make one.
#[test]
fn a_plain_send_touches_no_card() {
    let scene = Scene::new();
    if !needs("strace") {
        return;
    }
    scene.warm();
    let log = scene.env.home().join("calls");
    scene.app(&["full"]).through(&format!("strace -f -qq -o {} -- ", log.display())).run().assert_code(0);
    let calls = fs::read_to_string(&log).unwrap();
    assert!(calls.contains("openat") && !calls.contains("\"cards\""), "{calls}");
    scene.app(&BUTTONS).arg("x").through(&format!("strace -f -qq -o {} -- ", log.display())).run().assert_code(0);
    assert!(fs::read_to_string(&log).unwrap().contains("\"cards\""));
}

fn by_id(scene: &Scene, id: &str, args: &[&str]) -> Cmd {
    scene.cmd(&["update-card", "--task-id", id]).args(args.iter().copied())
}

fn bodies(scene: &Scene) -> Vec<Value> {
    let seen = scene.wecom.requests().into_iter().filter(|seen| seen.endpoint == Endpoint::MessageUpdateCard);
    seen.map(|seen| serde_json::from_slice(&seen.body).unwrap()).collect()
}

#[test]
fn a_card_is_changed_by_its_id_for_all_who_got_it() {
    let scene = Scene::new();
    let send = |id: &str| {
        let sent = scene.app(&BUTTONS).args(["--task-id", id, "full"]).run().assert_code(0);
        document(&sent)["parts"][0]["response_code"].as_str().unwrap().to_owned()
    };
    let code = send("disk-1");
    let run = by_id(&scene, "disk-1", &["--replace-name", "Resolved"]).run();
    assert_document(&run, "name", 0, &json!({"status": "ok", "route": "app", "errcode": 0}));
    let body = json!({"atall": 1, "agentid": AGENT_ID, "response_code": code, "button": {"replace_name": "Resolved"}});
    assert_eq!(bodies(&scene), [body]);
    let code = send("disk-2");
    let notice = ["-u", "zhangsan", "--card", "text_notice", "--title", "Disk ok", "--url", "https://example.com"];
    by_id(&scene, "disk-2", &notice).run().assert_code(0);
    let body = &bodies(&scene)[1];
    assert_eq!((&body["userids"], &body["response_code"]), (&json!(["zhangsan"]), &json!(code)));
    assert_eq!(body["template_card"]["main_title"]["title"], "Disk ok");
    send("disk-3");
    by_id(&scene, "disk-3", &["--all", "--replace-name", "x"]).run().assert_code(0);
    assert_eq!(bodies(&scene)[2]["atall"], 1);
}

/// Its buttons can be pressed again: what is kept is what is to be seen.
#[test]
fn another_card_with_buttons_is_kept_in_its_place() {
    let scene = Scene::new();
    scene.app(&BUTTONS).args(["--task-id", "disk", "full"]).run().assert_code(0);
    let again = ["--card", "button_interaction", "--title", "Full again", "--button", "ack=Ack"];
    by_id(&scene, "disk", &again).run().assert_code(0);
    let card = &kept(&scene)[0];
    assert_eq!((&card["title"], &card["card"]["task_id"]), (&json!("Full again"), &json!("disk")));
    assert_eq!(card["codes"], json!([]));
}

#[test]
fn each_code_serves_once() {
    let scene = Scene::new();
    let name = ["--replace-name", "x"];
    scene.app(&BUTTONS).args(["--task-id", "disk", "full"]).run().assert_code(0);
    // What did not use it up leaves it there.
    scene.wecom.script(Endpoint::MessageUpdateCard, [Reply::errcode(45009, "freq"), Reply::status(502)]);
    by_id(&scene, "disk", &name).run().assert_code(8);
    by_id(&scene, "disk", &name).run().assert_code(9);
    by_id(&scene, "disk", &name).run().assert_code(0);
    let run = by_id(&scene, "disk", &name).run();
    let told = assert_document(&run, "used", 5, &json!({"status": "refused", "errcode": null}));
    assert_says(&told, "used", "message", &["no update of the card disk is left"]);
    assert_says(&told, "used", "hint", &["each press that listen receives brings another"]);
    assert_eq!(bodies(&scene).len(), 3);
    // A code that was used elsewhere is passed over.
    let sent = scene.app(&BUTTONS).args(["--task-id", "disk-2", "full"]).run().assert_code(0);
    let code = document(&sent)["parts"][0]["response_code"].as_str().unwrap().to_owned();
    scene.cmd(&["update-card", "--all", "--response-code", &code]).args(name).run().assert_code(0);
    let path = fs::read_dir(scene.env.state().join("cards")).unwrap().map(|file| file.unwrap().path());
    let path = path.filter(|path| fs::read_to_string(path).is_ok_and(|text| text.contains(&code))).last().unwrap();
    let mut card: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    let sent = scene.app(&BUTTONS).args(["--task-id", "disk-3", "full"]).run().assert_code(0);
    let other = document(&sent)["parts"][0]["response_code"].clone();
    // As a press would bring it.
    let codes = card["codes"].as_array_mut().unwrap();
    codes.push(json!({"code": other, "since_ms": codes[0]["since_ms"]}));
    fs::write(&path, card.to_string()).unwrap();
    by_id(&scene, "disk-2", &name).run().assert_code(0);
    let used: Vec<Value> = bodies(&scene)[4..].iter().map(|body| body["response_code"].clone()).collect();
    assert_eq!(used, [json!(code), other]);
    by_id(&scene, "disk-2", &name).run().assert_code(5);
}

#[test]
fn cards_that_cannot_be_changed_are_told_apart() {
    let scene = Scene::new();
    let name = ["--replace-name", "x"];
    let told = assert_document(&by_id(&scene, "nosuch", &name).run(), "unknown", 2, &json!({"status": "usage"}));
    assert_says(&told, "unknown", "message", &["no card \"nosuch\" of this app is known here"]);
    assert_says(&told, "unknown", "hint", &["this state folder", "--response-code"]);
    let none = assert_document(&by_id(&scene, "", &name).run(), "none", 2, &json!({"status": "usage"}));
    assert_says(&none, "none", "message", &["--task-id says nothing"]);
    let both = by_id(&scene, "x", &name).args(["--response-code", "c"]).run();
    assert_document(&both, "both", 2, &json!({"status": "usage"}));

    scene.app(&BUTTONS).args(["--task-id", "disk", "full"]).run().assert_code(0);
    let path = fs::read_dir(scene.env.state().join("cards")).unwrap().map(|file| file.unwrap().path());
    let path = path.filter(|path| path.extension().is_some_and(|end| end == "json")).last().unwrap();
    let mut card: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    for at in ["/sent_ms", "/codes/0/since_ms"] {
        let at = card.pointer_mut(at).unwrap();
        *at = json!(at.as_u64().unwrap() - 72 * 3_600 * 1_000);
    }
    fs::write(&path, card.to_string()).unwrap();
    let told = assert_document(&by_id(&scene, "disk", &name).run(), "old", 5, &json!({"status": "refused"}));
    assert_says(&told, "old", "message", &["more than 72 hours ago"]);
    // Another app does not know it.
    let other = by_id(&scene, "disk", &name).env("WECOM_ALERT_AGENT_ID", "1000099").run();
    assert_document(&other, "other", 2, &json!({"status": "usage"}));
    fs::write(&path, "{").unwrap();
    let told = assert_document(&by_id(&scene, "disk", &name).run(), "damaged", 3, &json!({"status": "config"}));
    assert_says(&told, "damaged", "message", &["it is damaged"]);
    assert_eq!(bodies(&scene).len(), 0);
    let dry = by_id(&scene, "disk", &name).arg("--dry-run").run().assert_code(0);
    assert_eq!(document(&dry)["requests"][0]["body"]["atall"], 1);
}
