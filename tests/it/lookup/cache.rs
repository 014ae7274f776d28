//! The cache of look-ups, the twenty per cent rule, and processes that ask at once.

use std::fs;
use std::time::Duration;

use serde_json::{Value, json};

use super::{LISI, NOBODY, ZHANGSAN, age, cache_file, count, send, touser, with_mobile};
use crate::document::{assert_document, assert_says, warnings};
use crate::support::fake::{AGENT_ID, CORP_ID, Endpoint, FakeWecom, Reply};
use crate::support::{Scene, at_once};

const HOUR: u64 = 3600;

/// As many as there are, since all of them together are what is tested.
const CROWD: usize = 100;

#[test]
fn a_hundred_processes_make_one_call_per_number() {
    let scene = Scene::new();
    // Slow enough that many of them are there before it answers.
    scene.wecom.script(Endpoint::UserGetUserid, [Reply::delayed(Duration::from_millis(1500), Reply::Normal)]);
    let all: Vec<_> = (0..CROWD)
        .map(|_| send(&scene, &["--to-mobile", "138 0000 0000,138 0000 0001", "--rate", "off"]).spawn())
        .collect();
    for running in all {
        assert_document(&running.wait(), "one of many", 0, &json!({"status": "sent"}));
    }
    assert_eq!((scene.wecom.look_ups(ZHANGSAN), scene.wecom.look_ups(LISI)), (1, 1));
    assert_eq!(scene.wecom.messages().len(), CROWD);
}

#[test]
fn a_wrong_number_is_one_call_and_then_none_for_an_hour() {
    let scene = Scene::new();
    at_once(0..20, |_| {
        let run = send(&scene, &["-u", "lisi", "--to-mobile", NOBODY, "--rate", "off"]).run();
        assert_document(&run, "wrong number", 6, &json!({"status": "partial", "unresolved": [NOBODY]}));
    });
    assert_eq!(scene.wecom.look_ups(NOBODY), 1);
    age(&scene, HOUR - 60);
    send(&scene, &["-u", "lisi", "--to-mobile", NOBODY]).run().assert_code(6);
    assert_eq!(scene.wecom.look_ups(NOBODY), 1);
    age(&scene, 60);
    send(&scene, &["-u", "lisi", "--to-mobile", NOBODY]).run().assert_code(6);
    assert_eq!(scene.wecom.look_ups(NOBODY), 2);
}

#[test]
fn a_found_one_is_known_for_a_day() {
    let scene = Scene::new();
    let get = || scene.cmd(&["get-userid", "--mobile", ZHANGSAN]).run().assert_code(0);
    get();
    age(&scene, 24 * HOUR - 60);
    get();
    assert_eq!(count(&scene), 1);
    age(&scene, 60);
    get();
    assert_eq!(count(&scene), 2);
    scene.cmd(&["get-userid", "--mobile", ZHANGSAN, "--no-cache"]).run().assert_code(0);
    assert_eq!(count(&scene), 3);
}

#[cfg(unix)]
#[test]
fn the_file_is_private_and_names_nobody() {
    use std::os::unix::fs::PermissionsExt;
    let scene = Scene::new();
    send(&scene, &["--to-mobile", ZHANGSAN, "--to-email", "lisi@example.com"]).run().assert_code(0);
    let file = cache_file(&scene);
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let content = fs::read_to_string(&file).unwrap();
    assert!(
        content.contains("\"zhangsan\"") && !content.contains(ZHANGSAN) && !content.contains("example"),
        "{content}"
    );
}

#[test]
fn a_damaged_file_is_an_empty_one() {
    for damage in ["", "{", "[]", "{\"people\":7}", "\u{0}"] {
        let scene = Scene::new();
        let get = || scene.cmd(&["get-userid", "--mobile", ZHANGSAN]).run().assert_code(0);
        get();
        fs::write(cache_file(&scene), damage).unwrap();
        get();
        get();
        assert_eq!(count(&scene), 2, "{damage:?}: it is mended");
    }
}

#[test]
fn times_that_are_absurd_harm_nobody() {
    for at in [json!(0), json!(-1), json!(u64::MAX), json!(i64::MAX), json!("soon"), json!(1e300), json!(null)] {
        let scene = Scene::new();
        let get = || scene.cmd(&["get-userid", "--mobile", ZHANGSAN]).run().assert_code(0);
        get();
        let file = cache_file(&scene);
        let mut content: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
        content["people"].as_object_mut().unwrap().values_mut().for_each(|known| known["at"] = at.clone());
        content["misses"] = json!(vec![at.clone(); 10]);
        content["refused_at"] = at.clone();
        fs::write(&file, content.to_string()).unwrap();
        get();
        assert_eq!(count(&scene), 2, "{at}");
    }
}

#[test]
fn apps_of_a_corp_see_different_people() {
    let other = "test-secret-of-another-app";
    let scene = Scene::with(FakeWecom::builder().app(CORP_ID, AGENT_ID + 1, other).start());
    let get = || scene.cmd(&["get-userid", "--mobile", NOBODY]);
    get().run().assert_code(5);
    let id = (AGENT_ID + 1).to_string();
    get().env("WECOM_ALERT_SECRET", other).secret(other).env("WECOM_ALERT_AGENT_ID", &id).run().assert_code(5);
    assert_eq!(count(&scene), 2, "what one may not see the other may");
    cache_file(&scene);
}

#[test]
fn ten_misses_within_an_hour_are_a_warning_and_then_a_stop() {
    let scene = Scene::new();
    let wrong = |at: usize| format!("1390000{at:04}");
    for at in 0..10 {
        let run = scene.cmd(&["get-userid", "--mobile", &wrong(at)]).run();
        let document = assert_document(&run, "a miss", 5, &json!({"status": "refused"}));
        let warned = warnings(&document);
        assert_eq!(
            warned.iter().any(|warning| warning.contains("10 look-ups found nobody")),
            at == 9,
            "{at}: {warned:?}"
        );
    }
    let stopped = json!({"status": "rate_limited", "errcode": null, "retryable": true});
    let run = scene.cmd(&["get-userid", "--mobile", LISI]).run();
    let document = assert_document(&run, "stopped", 8, &stopped);
    assert_says(&document, "stopped", "message", &["10 look-ups found nobody", "nobody is looked up for another"]);
    assert!(document["retry_after_s"].as_u64().unwrap() > 3500, "{document}");
    let document = assert_document(&send(&scene, &["--to-mobile", LISI]).run(), "nobody left", 8, &stopped);
    assert_eq!(document["unresolved"], json!([LISI]));
    let expected = json!({"status": "partial", "unresolved": [LISI]});
    let document =
        assert_document(&send(&scene, &["-u", "zhangsan", "--to-mobile", LISI]).run(), "the rest", 6, &expected);
    assert_says(&document, "the rest", "message", &[LISI, "10 look-ups found nobody"]);
    // What is known is known.
    assert_document(&scene.cmd(&["get-userid", "--mobile", &wrong(3)]).run(), "known", 5, &json!({}));
    assert_eq!((count(&scene), touser(&scene)), (10, vec![json!("zhangsan")]));
    age(&scene, HOUR);
    assert_document(&send(&scene, &["--to-mobile", LISI]).run(), "later", 0, &json!({"status": "sent"}));
}

#[test]
fn wecoms_own_stop_is_kept_for_an_hour() {
    let scene = Scene::with(FakeWecom::builder().most_misses(0).start());
    scene.cmd(&["get-userid", "--mobile", NOBODY]).run().assert_code(5);
    let run = scene.cmd(&["get-userid", "--mobile", ZHANGSAN]).run();
    let expected = json!({"status": "rate_limited", "errcode": 45009, "retry_after_s": 3600});
    let document = assert_document(&run, "refused", 8, &expected);
    assert_says(&document, "refused", "hint", &["shuts the look-up for a day"]);
    let run = send(&scene, &["--to-mobile", ZHANGSAN]).run();
    let document = assert_document(&run, "kept", 8, &json!({"status": "rate_limited", "errcode": null}));
    assert_says(&document, "kept", "message", &["WeCom refused look-ups"]);
    assert_eq!(count(&scene), 2);
    age(&scene, HOUR);
    assert_document(&send(&scene, &["--to-mobile", ZHANGSAN]).run(), "again", 8, &json!({"errcode": 45009}));
    assert_eq!(count(&scene), 3);
}

/// Somebody else has that number now, or the member has another id.
#[test]
fn a_userid_from_the_cache_that_wecom_refuses_is_looked_up_once_more() {
    for others in [&[][..], &["-u", "lisi"]] {
        let scene = Scene::new();
        scene.wecom.set_person("old", with_mobile(NOBODY));
        let to = |args: &[&str]| send(&scene, &["--to-mobile", NOBODY]).args(others).args(args).run();
        assert_document(&to(&[]), "before", 0, &json!({"status": "sent", "attempts": 1}));
        scene.wecom.remove_person("old");
        scene.wecom.set_person("new", with_mobile(NOBODY));
        let before = scene.sends();
        let expected = json!({"status": "sent", "invaliduser": [], "unresolved": [], "attempts": 2});
        let document = assert_document(&to(&[]), "moved", 0, &expected);
        assert_eq!(scene.sends() - before, 2, "{document}");
        assert_eq!(touser(&scene).last(), Some(&json!("new")), "only the one who moved gets it again");
        assert_document(&to(&[]), "known", 0, &json!({"attempts": 1}));
        assert_eq!(scene.wecom.look_ups(NOBODY), 2);
    }
}

#[test]
fn who_is_gone_is_named_by_the_number() {
    for (others, code, status) in [(&[][..], 5, "refused"), (&["-u", "lisi"][..], 6, "partial")] {
        let scene = Scene::new();
        scene.wecom.set_person("old", with_mobile(NOBODY));
        let to = || send(&scene, &["--to-mobile", NOBODY]).args(others).run();
        assert_document(&to(), "before", 0, &json!({"status": "sent"}));
        scene.wecom.remove_person("old");
        let document = assert_document(&to(), "gone", code, &json!({"status": status, "unresolved": [NOBODY]}));
        assert_eq!(scene.wecom.look_ups(NOBODY), 2, "{document}");
        assert_document(&to(), "known to be gone", code, &json!({"status": status, "unresolved": [NOBODY]}));
        assert_eq!(scene.wecom.look_ups(NOBODY), 2);
    }
}

#[test]
fn a_userid_that_stays_refused_is_as_wecom_returned_it() {
    let scene = Scene::new();
    let to = || send(&scene, &["--to-mobile", ZHANGSAN, "-u", "lisi"]).run();
    to().assert_code(0);
    let refusal = json!({"errcode": 0, "errmsg": "ok", "invaliduser": "zhangsan", "msgid": "m"});
    scene.wecom.script(Endpoint::MessageSend, [Reply::Json(refusal.clone()), Reply::Json(refusal)]);
    for _ in 0..2 {
        let expected = json!({"status": "partial", "invaliduser": ["zhangsan"], "unresolved": [], "attempts": 1});
        assert_document(&to(), "the same", 6, &expected);
    }
    assert_eq!(count(&scene), 2, "asked again once, and not again at once");
}
