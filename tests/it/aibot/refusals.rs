//! What conversations refuse, and what is said of that.

use serde_json::json;

use crate::document::{assert_document, assert_says};
use crate::support::Scene;
use crate::support::fake::{AIBOT_CHAT, AIBOT_ID, Endpoint, Reply};

#[test]
fn who_has_not_written_to_the_aibot_is_named_and_the_others_get_it() {
    let scene = Scene::new();
    scene.wecom.add_users(["sunqi"]);
    let run = scene.aibot(&["-u", "sunqi,lisi", "x"]).run();
    let told = assert_document(
        &run,
        "one of three",
        6,
        &json!({"status": "partial", "attempts": 3, "errcode": 0, "invaliduser": ["sunqi"]}),
    );
    assert_says(&told, "one of three", "message", &["sent, but not to all: invaliduser sunqi", "846607"]);
    assert_says(&told, "one of three", "hint", &["sunqi", "write to the aibot once"]);
    let users: Vec<_> = scene.wecom.messages().into_iter().map(|message| message.body["chatid"].clone()).collect();
    assert_eq!(users, ["zhangsan", "lisi"]);
    scene.aibot(&["-u", "sunqi", "--allow-partial", "x"]).run().assert_code(0);

    let run = scene.cmd(&["aibot-send", "-u", "sunqi", "x"]).aibot(&scene.wecom).run();
    let told =
        assert_document(&run, "alone", 5, &json!({"status": "refused", "errcode": 846_607, "invaliduser": ["sunqi"]}));
    assert_says(&told, "alone", "hint", &["sunqi", "write to the aibot once"]);
    // It would not be taken a minute later either.
    assert_eq!(told["retryable"], json!(false));
}

#[test]
fn a_group_that_takes_nothing_is_explained() {
    let scene = Scene::new();
    scene.wecom.aibot(AIBOT_ID).set(|bot| bot.refuses_group_pushes = true);
    let run = scene.cmd(&["aibot-send", "--chat", AIBOT_CHAT, "x"]).aibot(&scene.wecom).run();
    let told = assert_document(&run, "group", 5, &json!({"status": "refused", "invaliduser": [AIBOT_CHAT]}));
    let hint = told["hint"].as_str().unwrap();
    assert!(hint.contains("group") && (hint.contains("write to the aibot") || hint.contains("webhook")), "{hint}");
}

#[test]
fn a_conversation_that_took_messages_before_is_over_its_limit() {
    let scene = Scene::new();
    scene.aibot(&["x"]).run().assert_code(0);
    scene.wecom.script(Endpoint::AibotSendMsg, [Reply::Errcode(846_607, "out of limit".into())]);
    let run = scene.aibot(&["y"]).run();
    let told = assert_document(&run, "limit", 8, &json!({"status": "rate_limited", "errcode": 846_607}));
    assert_eq!(told["retry_after_s"], json!(60));
}

#[test]
fn an_unknown_id_is_named_with_what_to_look_at() {
    let scene = Scene::new();
    for (args, parts) in [
        (&["-u", "nobody"][..], ["nobody", "administrator"]),
        (&["--chat", "wrUnknown"], ["wrUnknown", "wecom-alert help aibot"]),
    ] {
        scene.wecom.script(Endpoint::AibotSendMsg, [Reply::Errcode(93006, "invalid chatid".into())]);
        let run = scene.cmd(&["aibot-send", "x"]).args(args).aibot(&scene.wecom).run();
        let told = assert_document(&run, parts[0], 5, &json!({"errcode": 93006, "invaliduser": [parts[0]]}));
        assert_says(&told, parts[0], "hint", &parts[1..]);
    }
}

#[test]
fn wrong_credentials_and_the_wrong_mode_are_told_as_what_they_are() {
    let scene = Scene::new();
    let run = scene.aibot(&["x"]).env("WECOM_ALERT_AIBOT_SECRET", "test-wrong").secret("test-wrong").run();
    let told = assert_document(&run, "secret", 4, &json!({"status": "auth", "errcode": 853_000, "attempts": 1}));
    assert_says(&told, "secret", "hint", &["WECOM_ALERT_AIBOT_SECRET"]);
    assert_eq!(scene.wecom.messages().len(), 0);
}

#[test]
fn what_waits_in_the_outbox_goes_to_those_who_are_left() {
    let scene = Scene::new();
    scene.wecom.add_users(["sunqi"]);
    // The first got it, the second cannot get it, the third was not reached.
    let answers = [Reply::Normal, Reply::Normal, Reply::CloseAfterReading];
    scene.wecom.script(Endpoint::AibotSendMsg, answers);
    let run = scene.aibot(&["--outbox", "-u", "sunqi,lisi", "x"]).run();
    let told = run.assert_code(0).json();
    assert_eq!(told["status"], "queued", "{told}");
    assert_eq!(told["invaliduser"], json!(["sunqi"]), "{told}");
    scene.cmd(&["outbox", "flush"]).aibot(&scene.wecom).run().assert_code(0);
    let users: Vec<_> = scene.wecom.messages().into_iter().map(|message| message.body["chatid"].clone()).collect();
    assert_eq!(users, ["zhangsan", "lisi"]);
}

#[test]
fn a_card_whose_answer_got_lost_is_not_taken_for_refused() {
    let scene = Scene::new();
    scene.wecom.script(Endpoint::AibotSendMsg, [Reply::accept_then(Reply::ResetAfterReading)]);
    let card = ["--title", "Disk", "--card", "button_interaction", "--button", "ack=Take", "--retries", "2", "full"];
    let run = scene.aibot(&card).run();
    assert_document(&run, "sent again", 0, &json!({"status": "sent", "errcode": 0, "attempts": 2}));
    assert_eq!(scene.wecom.aibot(AIBOT_ID).cards().len(), 1, "WeCom took it once");
    // A task_id of somebody else's card is refused at once.
    let again = [&card[..], &["--task-id", "t-1"]].concat();
    scene.aibot(&again).run().assert_code(0);
    assert_document(&scene.aibot(&again).run(), "used", 5, &json!({"status": "refused", "errcode": 846_625}));
}

#[test]
fn where_nothing_can_be_noted_a_refusal_may_be_the_limit() {
    let scene = Scene::new();
    scene.wecom.script(Endpoint::AibotSendMsg, [Reply::Errcode(846_607, "out of limit".into())]);
    let run = scene.aibot(&["--on-rate-limit", "fail", "x"]).env("WECOM_ALERT_STATE_DIR", "/dev/null/state").run();
    assert_document(&run, "unknown", 8, &json!({"status": "rate_limited", "errcode": 846_607}));
}
