//! An entry that cannot go, and one that cannot be read now: neither holds up those behind it, and neither is lost.

use std::fs;

use serde_json::{Value, json};

use super::{failed, flush, flushed, folder, list, send, store, waiting};
use crate::document::{assert_document, assert_says, warnings};
use crate::support::fake::{Endpoint, Reply, closed_port};
use crate::support::{Scene, at_once};

/// What only one text meets with, and what the entry shows then.
fn own_failures() -> [(&'static str, Reply); 7] {
    [
        ("a filter", Reply::status(403)),
        ("too large", Reply::status(413)),
        ("a lasting 502", Reply::status(502)),
        ("a portal", Reply::PortalPage),
        ("-1", Reply::errcode(-1, "system error")),
        ("40056", Reply::errcode(40056, "invalid agentid")),
        ("silence", Reply::CloseAfterReading),
    ]
}

#[test]
fn a_sick_entry_holds_up_nobody() {
    at_once(own_failures(), |(case, reply)| {
        let scene = Scene::new();
        let sick = || scene.wecom.script(Endpoint::WebhookSend, [reply.clone()]);
        let ids = ["sick", "one", "two"].map(|text| store(&scene, &[text]));
        sick();
        let told = flushed(&scene, case, flush(&scene), 6, [2, 1, 0]);
        assert_eq!((scene.texts(), &told["attempts"]), (vec!["one".to_owned(), "two".to_owned()], &json!(3)), "{case}");
        assert!(warnings(&told)[0].starts_with(&format!("still waiting: {}: ", ids[0])), "{told}");
        store(&scene, &["three"]);
        sick();
        flushed(&scene, case, flush(&scene), 6, [1, 1, 0]);
        sick();
        flushed(&scene, case, flush(&scene), 7, [0, 1, 0]);
        // Nor behind a send.
        store(&scene, &["four"]);
        scene.wecom.script(Endpoint::WebhookSend, [Reply::Normal, reply.clone()]);
        send(&scene, &["five"]).run().assert_code(0);
        assert_eq!(scene.texts(), ["one", "two", "three", "five", "four"], "{case}");
        assert_eq!((waiting(&scene), failed(&scene)), (vec![ids[0].clone()], vec![]), "{case}");
        flushed(&scene, case, flush(&scene), 0, [1, 0, 0]);
        assert_eq!(scene.texts()[5], "sick", "{case}");
    });
}

/// A target that takes nothing is asked twice by each flush, and not always for the same two.
#[test]
fn several_sick_entries_hold_up_nobody() {
    let scene = Scene::new();
    for text in ["sick 1", "sick 2", "one", "two"] {
        store(&scene, &[text]);
    }
    let sick = || Reply::status(502);
    scene.wecom.script(Endpoint::WebhookSend, [sick(), sick()]);
    let told = flushed(&scene, "both sick ones", flush(&scene), 7, [0, 4, 0]);
    assert_eq!(told["attempts"], 2);
    scene.wecom.script(Endpoint::WebhookSend, [sick(), Reply::Normal, sick()]);
    flushed(&scene, "the others", flush(&scene), 6, [2, 2, 0]);
    assert_eq!(scene.texts(), ["one", "two"]);
    flushed(&scene, "no sick ones", flush(&scene), 0, [2, 0, 0]);
    assert_eq!(scene.texts(), ["one", "two", "sick 1", "sick 2"]);
}

#[test]
fn failures_of_different_kinds_are_not_those_of_the_target() {
    let scene = Scene::new();
    for text in ["sick 1", "sick 2", "sick 3", "one", "two"] {
        store(&scene, &[text]);
    }
    let replies = [Reply::status(403), Reply::status(502), Reply::errcode(-1, "system error")];
    scene.wecom.script(Endpoint::WebhookSend, replies);
    flushed(&scene, "three kinds", flush(&scene), 6, [2, 3, 0]);
    assert_eq!(scene.texts(), ["one", "two"]);
}

#[test]
fn a_target_that_cannot_be_reached_is_tried_once() {
    let scene = Scene::new();
    for text in ["one", "two", "three"] {
        store(&scene, &[text]);
    }
    let nobody = format!("http://127.0.0.1:{}", closed_port());
    let told = flushed(&scene, "dead", flush(&scene).env("WECOM_ALERT_BASE_URL", nobody), 7, [0, 3, 0]);
    assert_eq!(told["attempts"], 1);
    scene.wecom.script(Endpoint::WebhookSend, [Reply::errcode(45009, "api freq out of limit")]);
    let told = flushed(&scene, "too many", flush(&scene).args(["--deadline", "5s"]), 7, [0, 3, 0]);
    assert_eq!(told["attempts"], 1);
}

/// Silence takes time: from the second time on, it takes half of what is left.
#[test]
fn a_silent_entry_uses_up_the_time_of_the_others_once() {
    let scene = Scene::new();
    for text in ["sick", "one", "two"] {
        store(&scene, &[text]);
    }
    let patient = || flush(&scene).args(["--deadline", "3s", "--timeout", "10m"]);
    let silent = || scene.wecom.script(Endpoint::WebhookSend, [Reply::HangAfterReading]);
    silent();
    flushed(&scene, "the first time", patient(), 7, [0, 3, 0]);
    silent();
    flushed(&scene, "the second time", patient(), 6, [2, 1, 0]);
    assert_eq!(scene.texts(), ["one", "two"]);
}

/// What happens to a stored file.
type Spoil = fn(&std::path::Path);

#[test]
fn a_spoilt_attachment_is_told_and_holds_up_nobody() {
    let spoils: [(&str, Spoil); 4] = [
        ("its checksum differs", |path| fs::write(path, "a report of more than five bytez").unwrap()),
        ("its file has 2 bytes instead of 32", |path| fs::write(path, "ab").unwrap()),
        ("its file is missing", |path| fs::remove_file(path).unwrap()),
        ("its file cannot be used: it is a link", |path| {
            fs::remove_file(path).unwrap();
            std::os::unix::fs::symlink("/etc/hostname", path).unwrap();
        }),
    ];
    for (said, spoil) in spoils {
        let scene = Scene::new();
        let file = scene.env.file("report.txt", "a report of more than five bytes");
        let first = store(&scene, &["sick", "--attach", file.to_str().unwrap()]);
        store(&scene, &["one"]);
        spoil(&folder(&scene, "waiting").join(&first).join("2.bin"));
        let told = flushed(&scene, said, flush(&scene), 6, [1, 0, 1]);
        assert_says(&told, said, "message", &[&first, said]);
        assert_says(&told, said, "hint", &[&format!("outbox drop {first}")]);
        assert!(list(&scene)[0]["message"].as_str().unwrap().contains(said), "{said}");
        assert_eq!((scene.texts(), failed(&scene)), (vec!["one".to_owned()], vec![first]), "{said}");
    }
}

/// What cannot be read now may be read later: it is not damaged, and is never put aside.
#[cfg(target_os = "linux")]
#[test]
fn too_few_open_files_put_nothing_aside() {
    let scene = Scene::new();
    let file = scene.env.file("report.txt", "a report of more than five bytes");
    let ids = ["one", "two"].map(|text| store(&scene, &[text, "--attach", file.to_str().unwrap()]));
    scene.wecom.always(Endpoint::WebhookSend, Reply::status(502));
    for files in 8..20 {
        let run = flush(&scene).after(&format!("ulimit -n {files}")).run();
        assert_ne!(run.code, Some(0), "{files}: {}", run.all());
        assert_eq!((waiting(&scene), failed(&scene)), (ids.to_vec(), vec![]), "{files}: {}", run.all());
        if run.code == Some(7) {
            let told: Value = run.json();
            assert_eq!(told["failed"], 0, "{files}: {told}");
        }
    }
    scene.wecom.normal(Endpoint::WebhookSend);
    flushed(&scene, "enough", flush(&scene), 0, [2, 0, 0]);
}

#[cfg(unix)]
/// The same for a file that this user may not read.
#[test]
fn an_entry_that_may_not_be_read_stays_where_it_is() {
    use std::os::unix::fs::PermissionsExt as _;
    let scene = Scene::new();
    let [locked, _] = ["locked", "open"].map(|text| store(&scene, &[text]));
    let path = folder(&scene, "waiting").join(&locked).join("entry.json");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).unwrap();
    let Some(cmd) = flush(&scene).held_to_modes() else { return };
    let told = assert_document(&cmd.run(), "locked", 6, &json!({"delivered": 1, "remaining": 1, "failed": 0}));
    assert!(warnings(&told)[0].contains(&locked) && warnings(&told)[0].contains("it cannot be read now"), "{told}");
    assert_eq!((waiting(&scene), failed(&scene)), (vec![locked.clone()], vec![]));
    let list = scene.cmd(&["outbox", "list"]).held_to_modes().unwrap().run();
    let told = assert_document(&list, "list", 0, &json!({}));
    let entry = &told["entries"][0];
    assert_eq!((&entry["id"], &entry["state"]), (&json!(locked), &json!("waiting")), "{told}");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    flushed(&scene, "open", flush(&scene), 0, [1, 0, 0]);
    assert_eq!(scene.texts(), ["open", "locked"]);
}

/// Of a flipped bit nothing is sent; a damaged progress is forgotten only when that is asked for.
#[test]
fn what_does_not_match_its_checksum_is_kept_and_told() {
    let scene = Scene::new();
    let id = store(&scene, &["hello"]);
    let path = folder(&scene, "waiting").join(&id).join("progress.json");
    let content = fs::read_to_string(&path).unwrap();
    assert!(content.contains("\"states\":\"p\""), "{content}");
    fs::write(&path, content.replace("\"states\":\"p\"", "\"states\":\"s\"")).unwrap();
    let told = flushed(&scene, "a state", flush(&scene), 7, [0, 0, 1]);
    assert_says(&told, "a state", "message", &[&id, "progress.json", "its checksum differs"]);
    assert_says(&told, "a state", "hint", &["outbox flush --failed"]);
    assert_eq!((scene.texts(), failed(&scene)), (vec![], vec![id]));
    assert!(list(&scene)[0]["message"].as_str().unwrap().contains("its checksum differs"));
    flushed(&scene, "asked for", flush(&scene).arg("--failed"), 0, [1, 0, 0]);
    assert_eq!(scene.texts(), ["hello"]);
}

/// Nobody can lock it: before and after the flush that gives it up, the list says what the flush says.
#[cfg(unix)]
#[test]
fn a_spoilt_lock_is_told_by_list_and_flush_alike() {
    let scene = Scene::new();
    let id = store(&scene, &["hello"]);
    let lock = folder(&scene, "waiting").join(&id).join("lock");
    fs::remove_file(&lock).unwrap();
    std::os::unix::fs::symlink("/etc/hostname", &lock).unwrap();
    let before = list(&scene).remove(0);
    let told = flushed(&scene, "a lock", flush(&scene), 7, [0, 0, 1]);
    let after = list(&scene).remove(0);
    let why = before["message"].as_str().unwrap();
    assert!(why.contains("lock cannot be used: it is a link"), "{before}");
    assert_eq!((&after["message"], &after["state"]), (&before["message"], &json!("failed")));
    assert_says(&told, "a lock", "message", &[&id, why]);
    assert_says(&told, "a lock", "hint", &[&format!("outbox drop {id}")]);
}

/// With -v too: the line is on stderr once.
#[test]
fn what_a_send_gives_up_is_told_once() {
    let scene = Scene::new();
    let id = store(&scene, &["sick"]);
    fs::write(folder(&scene, "waiting").join(&id).join("entry.json"), "{").unwrap();
    let run = send(&scene, &["well", "-v"]).run().assert_code(0);
    assert_eq!(run.stderr.matches(&format!("given up: {id}")).count(), 1, "{}", run.all());
}
