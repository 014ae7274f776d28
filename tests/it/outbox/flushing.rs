//! Delivering what waits: in order, each to its own target by the settings of now, by one process at a time.

use serde_json::{Value, json};

use super::{
    MINUTE_MS, OTHER_KEY, age, app, assert_empty, failed, flush, flushed, folder, list, queued, send, store, waiting,
};
use crate::document::{assert_document, assert_says, warnings};
use crate::support::fake::{Endpoint, FakeWecom, Reply, Route, WEBHOOK_KEY, closed_port};
use crate::support::{Cmd, Scene, entry, wait_until};

/// The config file of two groups that have a server each.
fn two_groups(room: &FakeWecom, hall: &FakeWecom) -> String {
    format!(
        "default_profile = \"room\"\n[profiles.room]\nwebhook = \"{WEBHOOK_KEY}\"\nbase_url = \"{}\"\n\
         [profiles.hall]\nwebhook = \"{OTHER_KEY}\"\nbase_url = \"{}\"\n",
        room.base_url(),
        hall.base_url()
    )
}

/// A command with no credentials but those of profiles.
fn by_profile(scene: &Scene, args: &[&str]) -> Cmd {
    scene.env.cmd(["--output", "json"]).args(args).keeps_secret(&scene.wecom).secret(OTHER_KEY)
}

#[test]
fn entries_are_flushed_in_order() {
    let scene = Scene::new();
    let texts = ["one", "two", "three"];
    let ids = texts.map(|text| store(&scene, &[text]));
    assert_eq!(waiting(&scene), ids, "the order of the names is that of time");
    let told = flushed(&scene, "all", flush(&scene), 0, [3, 0, 0]);
    assert_eq!((&told["status"], &told["attempts"], &told["warnings"]), (&json!("ok"), &json!(3), &json!([])));
    assert_eq!(scene.texts(), texts);
    assert_empty(&scene, "all");
    let told = flushed(&scene, "nothing left", flush(&scene), 0, [0, 0, 0]);
    assert_eq!((&told["attempts"], scene.sends()), (&json!(0), 6));
}

#[test]
fn nothing_delivered_is_7_and_some_left_is_6() {
    let scene = Scene::new();
    let ids = ["one", "two", "three"].map(|text| store(&scene, &[text]));
    let dead = || scene.wecom.script(Endpoint::WebhookSend, [Reply::status(503), Reply::status(503)]);
    dead();
    let told = flushed(&scene, "dead", flush(&scene), 7, [0, 3, 0]);
    let asked = (&told["status"], &told["attempts"]);
    assert_eq!(asked, (&json!("temporary"), &json!(2)), "a target that takes nothing is asked twice");
    assert_says(&told, "dead", "message", &["0 delivered, 3 still waiting", &ids[0], "HTTP 503"]);
    assert_eq!(warnings(&told).len(), 3);
    scene.wecom.script(Endpoint::WebhookSend, [Reply::Normal]);
    dead();
    let told = flushed(&scene, "half dead", flush(&scene), 6, [1, 2, 0]);
    assert_eq!((&told["status"], &told["attempts"]), (&json!("partial"), &json!(3)));
    assert_eq!(list(&scene)[1]["attempts"], 2, "the send and this flush");
    flushed(&scene, "alive", flush(&scene), 0, [2, 0, 0]);
    assert_eq!(scene.texts(), ["one", "two", "three"]);
}

#[test]
fn an_unreachable_target_does_not_block_another() {
    let scene = Scene::with(FakeWecom::builder().webhook(OTHER_KEY).start());
    let dead = FakeWecom::start();
    let config = two_groups(&dead, &scene.wecom);
    dead.always(Endpoint::WebhookSend, Reply::status(502));
    scene.wecom.script(Endpoint::WebhookSend, [Reply::status(502), Reply::status(502)]);
    for (profile, text) in
        [("room", "dead 1"), ("hall", "alive 1"), ("room", "dead 2"), ("room", "dead 3"), ("hall", "alive 2")]
    {
        let cmd = by_profile(&scene, &["webhook-send", "--outbox", "-P", profile, text]).config(&config);
        queued(&scene, cmd);
    }
    let before = dead.count(Endpoint::WebhookSend);
    let told = flushed(&scene, "one is dead", by_profile(&scene, &["outbox", "flush"]), 6, [2, 3, 0]);
    assert_eq!(scene.texts(), ["alive 1", "alive 2"]);
    assert_eq!(dead.count(Endpoint::WebhookSend), before + 2, "asked twice, not for each of its entries");
    assert_eq!(warnings(&told).iter().filter(|warning| warning.starts_with("still waiting: ")).count(), 3, "{told}");
    dead.normal(Endpoint::WebhookSend);
    flushed(&scene, "both live", by_profile(&scene, &["outbox", "flush"]), 0, [3, 0, 0]);
    let of_dead: Vec<_> = dead.messages().iter().map(|message| message.payload()["content"].clone()).collect();
    assert_eq!(of_dead, ["dead 1", "dead 2", "dead 3"]);
}

#[test]
fn an_entry_goes_by_its_profile_as_it_is_now() {
    let scene = Scene::with(FakeWecom::builder().webhook(OTHER_KEY).start());
    let config = two_groups(&scene.wecom, &scene.wecom);
    scene.wecom.script(Endpoint::WebhookSend, [Reply::status(502)]);
    let id = queued(&scene, by_profile(&scene, &["webhook-send", "--outbox", "-P", "hall", "hello"]).config(&config));
    // Another profile that the flush is told of, or credentials in the environment, change nothing.
    let without = config.replace("profiles.hall", "profiles.lobby");
    let before = scene.sends();
    for cmd in [by_profile(&scene, &["outbox", "flush", "-P", "room"]), flush(&scene)] {
        let told = flushed(&scene, "no such profile", cmd.config(&without), 7, [0, 1, 0]);
        let [warning] = warnings(&told)[..] else { panic!("one warning: {told}") };
        assert!(warning.contains(&id) && warning.contains("hall"), "{warning}");
    }
    assert_eq!(scene.sends(), before);
    flushed(&scene, "as it is now", flush(&scene).config(&config), 0, [1, 0, 0]);
    let messages = scene.wecom.messages();
    assert_eq!(messages[0].route, Route::Webhook { key: OTHER_KEY.to_owned() });
}

#[test]
fn credentials_of_the_environment_must_be_the_same() {
    let scene = Scene::with(FakeWecom::builder().webhook(OTHER_KEY).start());
    let id = store(&scene, &["to the group"]);
    scene.wecom.script(Endpoint::MessageSend, [Reply::status(502)]);
    queued(&scene, app(&scene, &["to the app"]));
    let before = scene.sends();
    let others = flush(&scene).env("WECOM_ALERT_WEBHOOK", OTHER_KEY).env("WECOM_ALERT_AGENT_ID", "7");
    let told = flushed(&scene, "others", others, 7, [0, 2, 0]);
    assert!(warnings(&told).iter().all(|warning| warning.contains("another target")), "{told}");
    assert_says(&told, "others", "message", &[&id, "another target"]);
    let none = flush(&scene).without_env("WECOM_ALERT_WEBHOOK").without_env("WECOM_ALERT_CORP_ID");
    flushed(&scene, "none", none, 7, [0, 2, 0]);
    assert_eq!(scene.sends(), before);
    flushed(&scene, "the same", flush(&scene), 0, [2, 0, 0]);
    assert_eq!(scene.texts(), ["to the group", "to the app"]);
}

#[test]
fn one_flush_at_a_time() {
    let scene = Scene::new();
    store(&scene, &["hello"]);
    scene.wecom.script(Endpoint::WebhookSend, [Reply::HangAfterReading]);
    let mut first = flush(&scene).args(["--timeout", "10m"]).spawn();
    wait_until("the request", || scene.sends() == 2);
    let run = flush(&scene).args(["--deadline", "1s"]).run();
    let told = assert_document(&run, "the second", 7, &json!({"status": "temporary", "attempts": 0}));
    assert_says(&told, "the second", "message", &["it is being sent right now"]);
    assert!(warnings(&told).iter().any(|warning| warning.contains("another flush moves nothing")), "{told}");
    // A send that goes well does not wait for it, and leaves the entry to it.
    assert_document(&send(&scene, &["meanwhile"]).run(), "a send", 0, &json!({"status": "sent", "attempts": 1}));
    assert_eq!((scene.sends(), scene.texts()), (3, vec!["meanwhile".to_owned()]));
    first.kill();
    assert_eq!(first.wait().code, None);
    flushed(&scene, "after it was killed", flush(&scene), 0, [1, 0, 0]);
    assert_eq!(scene.texts(), ["meanwhile", "hello"]);
}

#[test]
fn an_entry_locked_by_its_sender_is_left_alone() {
    let scene = Scene::new();
    scene.wecom.script(Endpoint::WebhookSend, [Reply::HangAfterReading]);
    let mut sender = send(&scene, &["hello", "--timeout", "10m"]).spawn();
    wait_until("the request", || scene.sends() == 1);
    let id = waiting(&scene).remove(0);
    let told = flushed(&scene, "held", flush(&scene), 7, [0, 1, 0]);
    assert_says(&told, "held", "message", &[&id, "it is being sent right now"]);
    assert_eq!((scene.sends(), scene.texts()), (1, vec![]));
    sender.kill();
    assert_eq!(sender.wait().code, None);
    flushed(&scene, "free", flush(&scene), 0, [1, 0, 0]);
    assert_eq!(scene.texts(), ["hello"]);
}

#[test]
fn an_entry_is_given_up_for_its_age_only_when_a_try_failed() {
    let scene = Scene::new();
    let one_hour = |args: &[&str]| flush(&scene).args(["--outbox-max-age", "1h"]).args(args);
    let (old, young) = (store(&scene, &["old"]), store(&scene, &["young"]));
    age(&scene, &old, 61 * MINUTE_MS);
    // As long as its target cannot be reached, it does not get too old.
    let nobody = format!("http://127.0.0.1:{}", closed_port());
    flushed(&scene, "nobody listens", one_hour(&[]).env("WECOM_ALERT_BASE_URL", nobody), 7, [0, 2, 0]);
    // A flush after a send gives it little time, and does not give it up.
    scene.wecom.script(Endpoint::WebhookSend, [Reply::Normal, Reply::status(502), Reply::status(502)]);
    send(&scene, &["hello", "--outbox-max-age", "1h"]).run().assert_code(0);
    assert_eq!(waiting(&scene), [old.clone(), young]);
    scene.wecom.script(Endpoint::WebhookSend, [Reply::status(502)]);
    let told = flushed(&scene, "old", one_hour(&[]), 6, [1, 0, 1]);
    assert_eq!(told["status"], "partial");
    let [warning] = warnings(&told)[..] else { panic!("one warning: {told}") };
    assert!(warning.starts_with(&format!("given up: {old}: ")) && warning.contains("outbox_max_age"), "{warning}");
    assert!(warning.contains("HTTP 502"), "{warning}");
    assert_eq!((scene.texts(), failed(&scene)), (vec!["hello".to_owned(), "young".to_owned()], vec![old.clone()]));
    let entry = &list(&scene)[0];
    assert_eq!((&entry["id"], &entry["state"], &entry["attempts"]), (&json!(old), &json!("failed"), &json!(4)));
    assert!(entry["message"].as_str().unwrap().contains("outbox_max_age"), "{entry}");
    // Nothing waits any more, and nothing was given up.
    flushed(&scene, "nothing to do", one_hour(&[]), 0, [0, 0, 0]);
    flushed(&scene, "asked for", one_hour(&["--failed"]), 0, [1, 0, 0]);
    assert!(scene.texts()[2].ends_with(" old"), "{:?}", scene.texts());
    assert_empty(&scene, "old");
}

/// A clock without a battery, or one that jumps, gives nothing up.
#[test]
fn what_the_clock_says_gives_nothing_up_untried() {
    const DAY_MS: u64 = 24 * 60 * MINUTE_MS;
    let scene = Scene::new();
    for (text, days) in [("two days", 2), ("twenty years", 20 * 365)] {
        let id = store(&scene, &[text]);
        age(&scene, &id, days * DAY_MS);
        let told = flushed(&scene, text, flush(&scene), 0, [1, 0, 0]);
        assert_eq!(told["warnings"], json!([]));
        assert!(scene.texts().last().unwrap().ends_with(text), "{:?}", scene.texts());
    }
    // One that runs backwards is no age.
    let id = store(&scene, &["tomorrow"]);
    entry::rejuvenate(&folder(&scene, "waiting").join(&id), DAY_MS);
    scene.wecom.script(Endpoint::WebhookSend, [Reply::status(502)]);
    flushed(&scene, "from tomorrow", flush(&scene).args(["--outbox-max-age", "1s"]), 7, [0, 1, 0]);
    flushed(&scene, "tomorrow", flush(&scene), 0, [1, 0, 0]);
    assert_eq!(scene.texts().last().unwrap(), "tomorrow");
}

#[test]
fn a_failed_entry_is_retried_when_asked() {
    let scene = Scene::new();
    scene.wecom.trust_no_ip();
    assert_document(&app(&scene, &["no such ip"]).run(), "refused", 4, &json!({"errcode": 60020}));
    scene.wecom.script(Endpoint::WebhookSend, [Reply::errcode(40058, "invalid parameter")]);
    assert_document(&send(&scene, &["refused"]).run(), "refused", 5, &json!({"errcode": 40058}));
    // Credentials, addresses and permissions are there to be mended: the flush keeps what they hold up waiting.
    let told = flushed(&scene, "as before", flush(&scene).arg("--failed"), 6, [1, 1, 0]);
    assert!(warnings(&told)[0].contains("60020"), "{told}");
    assert_eq!(scene.texts(), ["refused"], "what was refused once is sent, not taken for sent");
    scene.wecom.trust_every_ip();
    flushed(&scene, "mended", flush(&scene), 0, [1, 0, 0]);
    assert_eq!(scene.texts(), ["refused", "no such ip"]);
    assert_empty(&scene, "mended");
}

#[test]
fn a_part_that_was_refused_does_not_vanish_with_the_rest() {
    let scene = Scene::new();
    let text: String = (0..300).map(|line| format!("line {line:04}\n")).collect();
    let refusal = || Reply::errcode(40058, "invalid parameter");
    scene.wecom.script(Endpoint::WebhookSend, [refusal(), Reply::status(502)]);
    queued(&scene, send(&scene, &["--on-long", "split", &text]));
    scene.wecom.script(Endpoint::WebhookSend, [refusal()]);
    flushed(&scene, "one part of two", flush(&scene), 7, [0, 0, 1]);
    assert_eq!((failed(&scene).len(), scene.texts().len()), (1, 1));
    assert!(scene.texts()[0].starts_with("(2/2)"));
    flushed(&scene, "asked for", flush(&scene).arg("--failed"), 0, [1, 0, 0]);
    let texts = scene.texts();
    assert!(texts.len() == 2 && texts[1].starts_with("(1/2)"), "{texts:?}");
    assert_empty(&scene, "both parts");
}

#[test]
fn a_configuration_error_keeps_entries_waiting() {
    let scene = Scene::new();
    store(&scene, &["hello"]);
    scene.wecom.script(Endpoint::WebhookSend, [Reply::status(404)]);
    flushed(&scene, "a wrong address", flush(&scene), 7, [0, 1, 0]);
    flushed(&scene, "mended", flush(&scene), 0, [1, 0, 0]);
    assert_eq!(scene.texts(), ["hello"]);
}

#[test]
fn a_successful_send_flushes_a_few_entries() {
    let scene = Scene::new();
    let ids: Vec<_> = (1..=7).map(|number| store(&scene, &[&format!("late {number}")])).collect();
    let sent = json!({"status": "sent", "attempts": 1, "outbox_id": null, "warnings": [], "errcode": 0});
    let told = assert_document(&send(&scene, &["first"]).run(), "first", 0, &sent);
    assert_eq!(told["parts"].as_array().unwrap().len(), 1);
    assert_eq!(scene.texts(), ["first", "late 1", "late 2", "late 3", "late 4", "late 5"]);
    assert_eq!(waiting(&scene), ids[5..]);
    // A send without the outbox leaves them alone, and so does one that did not go well.
    assert_document(&scene.cmd(&["webhook-send", "plain"]).run(), "plain", 0, &json!({"status": "sent"}));
    store(&scene, &["late 8"]);
    assert_eq!((waiting(&scene).len(), scene.texts().len()), (3, 7));
    // Whatever becomes of them, the result is that of the send.
    let refusal = Reply::errcode(40058, "invalid parameter");
    scene.wecom.script(Endpoint::WebhookSend, [Reply::Normal, Reply::status(502), Reply::status(502)]);
    assert_document(&send(&scene, &["good"]).run(), "good", 0, &sent);
    scene.wecom.script(Endpoint::WebhookSend, [Reply::Normal, refusal, Reply::status(502), Reply::status(502)]);
    let sent = json!({"status": "sent", "attempts": 1, "outbox_id": null, "errcode": 0});
    let run = send(&scene, &["good"]).run();
    assert_document(&run, "good", 0, &sent);
    // But what is not tried any more is no secret: it is told behind the result.
    let [given_up] = run.stderr.lines().collect::<Vec<_>>()[..] else { panic!("one line: {}", run.stderr) };
    assert!(given_up.contains("warning: outbox: given up: ") && given_up.contains(&ids[5]), "{given_up}");
    assert!(given_up.contains("40058"), "{given_up}");
    assert_eq!((failed(&scene), waiting(&scene).len()), (vec![ids[5].clone()], 2));
    flushed(&scene, "the rest", flush(&scene), 0, [2, 0, 0]);
    let of_late = |texts: Vec<String>| texts.into_iter().filter(|text| text.starts_with("late")).collect::<Vec<_>>();
    assert_eq!(of_late(scene.texts())[5..], ["late 7", "late 8"]);
}

#[test]
fn flushed_entries_share_the_deadline_of_the_send() {
    let scene = Scene::new();
    let id = store(&scene, &["late"]);
    scene.wecom.script(Endpoint::WebhookSend, [Reply::Normal, Reply::HangAfterReading]);
    let cmd = send(&scene, &["hello", "--deadline", "3s", "--timeout", "10m"]);
    assert_document(&cmd.run(), "within its deadline", 0, &json!({"status": "sent", "warnings": []}));
    assert_eq!((scene.texts(), waiting(&scene)), (vec!["hello".to_owned()], vec![id]));
    let entry: Value = list(&scene).remove(0);
    assert_eq!(entry["attempts"], 2);
}

#[test]
fn recipients_missed_by_a_late_alert_are_named() {
    let scene = Scene::new();
    let store = |users: &str| {
        scene.wecom.script(Endpoint::MessageSend, [Reply::status(502)]);
        queued(&scene, scene.cmd(&["app-send", "--outbox", "-u", users, "hello"]))
    };
    let some = store("nobody,zhangsan");
    let told = flushed(&scene, "some", flush(&scene), 0, [1, 0, 0]);
    assert!(warnings(&told)[0].contains(&some) && warnings(&told)[0].contains("invaliduser nobody"), "{told}");
    let none = store("unlicensed");
    let told = flushed(&scene, "none", flush(&scene), 7, [0, 0, 1]);
    assert!(warnings(&told)[0].contains("unlicenseduser unlicensed"), "{told}");
    assert_eq!(failed(&scene), [none]);
}

#[test]
fn refused_credentials_are_tried_once() {
    let scene = Scene::new();
    for text in ["one", "two", "three"] {
        scene.wecom.script(Endpoint::MessageSend, [Reply::status(502)]);
        queued(&scene, app(&scene, &[text]));
    }
    let before = scene.wecom.count(Endpoint::GetToken);
    let cmd = flush(&scene).env("WECOM_ALERT_SECRET", "test-secret-wrong").secret("test-secret-wrong");
    flushed(&scene, "a wrong secret", cmd, 7, [0, 3, 0]);
    assert_eq!(scene.wecom.count(Endpoint::GetToken), before + 1, "more would block this address");
    flushed(&scene, "the right one", flush(&scene), 0, [3, 0, 0]);
}

#[test]
fn nobody_has_to_name_a_profile_for_a_flush() {
    let scene = Scene::new();
    let file = scene.env.file("two.toml", "[profiles.one]\nto_user = \"lisi\"\n\n[profiles.two]\nto_user = \"lisi\"\n");
    let run = scene.env.cmd(["outbox", "flush", "--output", "json", "--config"]).arg(file).run();
    assert_document(&run, "two profiles", 0, &json!({"delivered": 0, "profile": null}));
}

#[test]
fn a_dry_run_changes_nothing() {
    let scene = Scene::new();
    store(&scene, &["hello"]);
    for args in [&["outbox", "flush", "--dry-run"][..], &["outbox", "drop", "--all", "--dry-run"]] {
        assert_document(&scene.cmd(args).run(), "dry", 2, &json!({"status": "usage"}));
    }
    assert_eq!((waiting(&scene).len(), scene.texts().len()), (1, 0));
}

#[test]
fn a_sent_entry_that_cannot_be_removed_is_not_sent_again() {
    let scene = Scene::new();
    let ids = ["one", "two"].map(|text| store(&scene, &[text]));
    let in_the_way = folder(&scene, "new").join(&ids[0]);
    std::fs::create_dir_all(in_the_way.join("something")).unwrap();
    for (case, delivered) in [("first", 2), ("again", 1)] {
        let told = flushed(&scene, case, flush(&scene), 6, [delivered, 1, 0]);
        assert!(warnings(&told).iter().any(|warning| warning.contains("cannot be removed")), "{told}");
        assert_eq!(scene.texts(), ["one", "two"], "{case}");
    }
    // Nor does a send take it along once more.
    send(&scene, &["three"]).run().assert_code(0);
    assert_eq!(scene.texts(), ["one", "two", "three"]);
    std::fs::remove_dir_all(in_the_way).unwrap();
    flushed(&scene, "free", flush(&scene), 0, [1, 0, 0]);
    assert_eq!(scene.texts(), ["one", "two", "three"]);
}

#[test]
fn a_damaged_attachment_keeps_no_other_entry_waiting() {
    let scene = Scene::new();
    let file = scene.env.file("report.txt", "a report of more than five bytes");
    let [first, _] = [store(&scene, &["one", "--attach", file.to_str().unwrap()]), store(&scene, &["two"])];
    std::fs::write(folder(&scene, "waiting").join(&first).join("2.bin"), "a report of more than five bytez").unwrap();
    let told = flushed(&scene, "damaged", flush(&scene), 6, [1, 0, 1]);
    assert_says(&told, "damaged", "message", &["its checksum differs"]);
    assert_eq!((scene.texts(), failed(&scene)), (vec!["two".to_owned()], vec![first]));
}

#[test]
fn the_reason_why_settings_block_an_entry_is_stored_in_it() {
    let scene = Scene::new();
    let key = scene.env.file("room.key", WEBHOOK_KEY);
    let config = format!(
        "default_profile = \"room\"\n[profiles.room]\nwebhook_file = {key:?}\nbase_url = \"{}\"\n",
        scene.wecom.base_url()
    );
    scene.wecom.script(Endpoint::WebhookSend, [Reply::status(502)]);
    queued(&scene, by_profile(&scene, &["webhook-send", "--outbox", "hello"]).config(&config));
    std::fs::remove_file(key).unwrap();
    flushed(&scene, "no key", by_profile(&scene, &["outbox", "flush"]), 7, [0, 1, 0]);
    let listed = list(&scene);
    let message = listed[0]["message"].as_str().unwrap();
    assert!(message.contains("room.key") && message.contains("cannot be read"), "{listed:?}");
}

/// cron mails what is printed: why alerts wait is told when that changes, and with `-v`; else one error sums it up.
#[test]
fn an_outage_that_goes_on_is_no_news() {
    let scene = Scene::new();
    for text in ["one", "two"] {
        store(&scene, &[text]);
    }
    let flush = |args: &[&str], code: i32| {
        let run =
            scene.env.cmd(["outbox", "flush"]).args(args).base_url(&scene.wecom).app_credentials().webhook().run();
        run.assert_code(code).stderr
    };
    scene.wecom.always(Endpoint::WebhookSend, Reply::status(503));
    let summary = |told: &str| told.contains("0 delivered, 2 still waiting") && told.contains("hint: ");
    let told = flush(&[], 7);
    assert!(summary(&told) && !told.contains("warning: "), "the send has told it: {told}");
    let told = flush(&["-v"], 7);
    assert!(summary(&told) && told.contains("warning: still waiting: "), "{told}");
    scene.wecom.always(Endpoint::WebhookSend, Reply::errcode(93000, "invalid webhook url"));
    for is_news in [true, false] {
        let told = flush(&[], 7);
        assert!(summary(&told) && told.contains("93000"), "{told}");
        assert_eq!(told.contains("warning: still waiting: "), is_news, "{told}");
    }
    scene.wecom.normal(Endpoint::WebhookSend);
    scene.wecom.script(Endpoint::WebhookSend, [Reply::Normal, Reply::errcode(40058, "invalid parameter")]);
    let told = flush(&["-q"], 6);
    assert!(told.contains("1 delivered, 1 given up"), "{told}");
    assert_eq!(flush(&[], 0), "");
}
