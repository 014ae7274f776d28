//! The life of an entry: accepted, claimed, changed, delivered, failed, discarded.

use std::time::{Duration, Instant};

use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::error::{Answer, Error, Status};
use crate::fingerprint::sha256;
use crate::message::PartState;
use crate::message::media::MediaKind;
use crate::outbox::entry::StoredPart;
use crate::outbox::{PartProgress, format};

#[test]
fn what_is_accepted_comes_back_whole() {
    let place = Place::new();
    let binary: Vec<u8> = (0..100_000_u32).map(|i| (i % 251) as u8).collect();
    let names = ["磁盘 \"a\".log", "", " ", "../../etc/passwd", "a\nb\0", "-"];
    let mut parts = vec![message("第一\u{1f525}")];
    parts.extend(names.iter().map(|name| file_part(&binary, name)));
    let accepted = place.store(&parts).unwrap();
    let entry = accepted.alert.clone();
    drop(accepted);
    let held = place.claim(&entry.id);
    assert_eq!((&held.alert, &held.progress), (&entry, &EntryProgress::new(7)));
    let parts = held.parts().unwrap();
    assert!(parts[0].file.is_none());
    assert_eq!(parts[0].body().to_string(), message("第一\u{1f525}").body().to_string());
    for (part, name) in parts[1..].iter().zip(names) {
        let (kind, file) = part.file.as_ref().unwrap();
        assert_eq!((*kind, &*file.name), (MediaKind::File, name));
        assert!(file.read_all(1 << 20).unwrap() == binary, "{name}");
    }
}

#[test]
fn an_empty_file_is_kept_too() {
    let place = Place::new();
    let held = place.store(&[file_part(b"", "empty")]).unwrap();
    let (_, file) = held.parts().unwrap().remove(0).file.unwrap();
    assert_eq!((file.size, &*file.name), (0, "empty"));
}

#[test]
fn entries_of_one_moment_keep_their_order() {
    let place = Place::new();
    let ids: Vec<String> = (0..20).map(|_| place.leave()).collect();
    assert_eq!(place.outbox.waiting_ids().unwrap(), ids);
    assert_eq!(place.listed()[0], ids);
    assert!(ids[0].starts_with("20261121T101530.123Z-"), "{}", ids[0]);
    let other = Outbox::at(&Folder::private(place.root.path().join("state")));
    assert_eq!(other.waiting_ids().unwrap(), ids);
}

#[test]
fn an_entry_is_claimed_once_at_a_time() {
    let place = Place::new();
    let held = place.accept();
    let id = held.alert.id.clone();
    // The process that accepted it still holds it: no other one may claim or drop it.
    assert!(matches!(place.outbox.claim(&id), Err(ClaimError::Busy)));
    assert!(matches!(place.outbox.drop_entry(&id), Err(ClaimError::Busy)));
    drop(held);
    let held = place.claim(&id);
    assert!(matches!(place.outbox.claim(&id), Err(ClaimError::Busy)));
    held.done().unwrap();
    assert!(matches!(place.outbox.claim(&id), Err(ClaimError::Gone)));
    assert!(matches!(place.outbox.drop_entry(&id), Err(ClaimError::Gone)));
    assert_eq!((place.names("waiting"), place.names("new")), (vec![], vec![]));
}

#[test]
fn no_name_leads_out_of_the_folder() {
    let place = Place::new();
    let id = place.leave();
    for name in ["", ".", "..", "../waiting", &format!("../waiting/{id}"), "../../outbox", "no-such"] {
        assert!(matches!(place.outbox.claim(name), Err(ClaimError::Gone)), "{name}");
        assert!(matches!(place.outbox.drop_entry(name), Err(ClaimError::Gone)), "{name}");
    }
    assert_eq!(place.names("waiting"), [id]);
}

#[test]
fn what_is_saved_is_what_the_next_one_finds() {
    let place = Place::new();
    let mut held = place.store(&[message("1"), message("2")]).unwrap();
    let id = held.alert.id.clone();
    let part = |state, taken| PartProgress { state, taken };
    let saved = EntryProgress {
        attempts: 3,
        may_have_arrived: true,
        parts: vec![part(PartState::Sent, 0), part(PartState::Unknown, 2)],
        ..EntryProgress::default()
    };
    held.save(saved.clone()).unwrap();
    drop(held);
    assert_eq!(place.claim(&id).progress, saved);
    let (_, listed) = place.outbox.waiting().unwrap().next().unwrap().unwrap();
    assert_eq!(listed, saved);
}

#[test]
fn a_failed_one_says_why_and_stays_until_it_is_dropped() {
    let place = Place::new();
    let held = place.store(&[file_part(b"contents", "a.log")]).unwrap();
    let id = held.alert.id.clone();
    let answer = Answer { errcode: 60020, errmsg: "not allow to access from your ip".to_owned() };
    let mut progress = EntryProgress::new(1);
    progress.note(&Error::new(Status::Auth, "WeCom refuses this IP").with_answer(answer));
    held.fail(&progress).unwrap();
    assert!(matches!(place.outbox.claim(&id), Err(ClaimError::Gone)));
    let (_, progress) = place.outbox.failed().unwrap().next().unwrap().unwrap();
    assert_eq!((progress.errcode, progress.status.as_deref()), (Some(60020), Some("auth")));
    assert_eq!(progress.message.as_deref(), Some("WeCom answered 60020: not allow to access from your ip"));
    assert_eq!(place.names("waiting"), [""; 0]);
    assert!(place.path("failed").join(&id).join("1.bin").exists());
    place.outbox.drop_entry(&id).unwrap();
    assert_eq!((place.names("failed"), place.names("new")), (vec![], vec![]));
}

#[test]
fn a_waiting_one_can_be_dropped() {
    let place = Place::new();
    let (one, other) = (place.leave(), place.leave());
    place.outbox.drop_entry(&one).unwrap();
    assert_eq!(place.listed(), [vec![other], vec![], vec![], vec![]]);
}

#[test]
fn what_is_damaged_is_named_and_never_vanishes() {
    let place = Place::new();
    let whole = place.leave();
    let id = |number: u32| format!("20260101T000000.000Z-1-{number}");
    for (number, content) in [(1, &b"{\"version\": 1, \"id\": \"tops3cret\""[..]), (2, b"{\"version\": 9}"), (3, b"")] {
        let folder = Folder::private(place.path("waiting")).within(&id(number));
        folder.write_durably("entry.json", content).unwrap();
    }
    Folder::private(place.path("waiting")).within(&id(4)).write_durably("1.bin", b"alone").unwrap();
    Folder::private(place.path("failed")).within(&id(5)).write_durably("entry.json", b"[]").unwrap();
    // Neither a file among the folders nor a folder that only has a lock is an entry.
    std::fs::write(place.path("waiting/README"), "x").unwrap();
    Folder::private(place.path("waiting")).within(&id(6)).write_durably("lock", b"").unwrap();
    let [entries, _, damaged, failed] = place.listed();
    assert_eq!((entries, damaged, failed), (vec![whole], (1..=4).map(id).collect(), vec![id(5)]));
    let reason = |listed: Listed| Some(listed.err()?.reason());
    let reasons: Vec<String> = place.outbox.waiting().unwrap().filter_map(reason).collect();
    assert!(reasons[0].contains("it is not an entry") && !reasons[0].contains("tops3cret"), "{reasons:?}");
    assert!(reasons[1].contains("version 9") && reasons[3].contains("it is missing"), "{reasons:?}");
    for number in 1..=4 {
        assert!(matches!(place.outbox.claim(&id(number)), Err(ClaimError::Damaged(_))), "{number}");
    }
    for number in 1..=5 {
        place.outbox.drop_entry(&id(number)).unwrap();
    }
    assert!(matches!(place.outbox.drop_entry(&id(6)), Err(ClaimError::Gone)));
    assert!(matches!(place.outbox.claim("README"), Err(ClaimError::Gone)));
    assert_eq!(place.listed()[2..], [[""; 0]; 2]);
}

#[test]
fn a_file_that_is_not_the_one_copied_in_is_not_sent() {
    let place = Place::new();
    let mut held = place.store(&[file_part(b"contents", "a.log")]).unwrap();
    let path = place.path("waiting").join(&held.alert.id).join("1.bin");
    let told = |held: &ClaimedEntry| held.parts().unwrap_err().message().to_owned();
    std::fs::write(&path, "short").unwrap();
    assert!(told(&held).ends_with("its file has 5 bytes instead of 8"), "{}", told(&held));
    std::fs::write(&path, "content5").unwrap();
    assert!(told(&held).ends_with("its checksum differs"), "{}", told(&held));
    let outside = place.root.path().join("outside");
    std::fs::write(&outside, "contents").unwrap();
    std::fs::remove_file(&path).unwrap();
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(&outside, &path).unwrap();
        assert!(told(&held).ends_with("its file cannot be used: it is a link"), "{}", told(&held));
        std::fs::remove_file(&path).unwrap();
    }
    assert!(told(&held).ends_with("its file is missing"), "{}", told(&held));
    held.alert.parts[0].file.as_mut().unwrap().file = "../../../../outside".to_owned();
    assert!(told(&held).ends_with("its file is missing"), "{}", told(&held));
}

#[test]
fn a_missing_outbox_is_empty_and_is_not_made() {
    let root = tempfile::tempdir().unwrap();
    let outbox = Outbox::at(&Folder::private(root.path().join("state")));
    assert!(outbox.waiting().unwrap().next().is_none() && outbox.failed().unwrap().next().is_none());
    assert!(matches!(outbox.claim("20261121T101530.123Z-1-a"), Err(ClaimError::Gone)));
    assert!(matches!(outbox.drop_entry("20261121T101530.123Z-1-a"), Err(ClaimError::Gone)));
    assert!(!root.path().join("state").exists());
}

#[test]
fn the_fields_are_those_that_were_agreed_and_none_is_a_credential() {
    let place = Place::new();
    let mut held = place.store(&[file_part(b"contents", "a.log")]).unwrap();
    held.save(EntryProgress::new(1)).unwrap();
    let lines = |name: &str| {
        let content = std::fs::read_to_string(place.path("waiting").join(&held.alert.id).join(name)).unwrap();
        content.lines().map(|line| serde_json::from_str(line).unwrap()).collect::<Vec<Value>>()
    };
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(" ");
    let [head, entry, body] = &lines("entry.json")[..] else { panic!("there is one part") };
    assert_eq!((keys(head).as_str(), &head["version"]), ("version sha256", &json!(2)));
    assert_eq!(keys(entry), "id channel profile target queued_at_ms at_most_once duplicate_check_s markable parts");
    assert_eq!(entry["channel"], "app");
    let file = json!({
        "kind": "file",
        "name": "a.log",
        "file": "1.bin",
        "size": 8,
        "sha256": sha256(b"contents"),
    });
    assert_eq!(entry["parts"], json!([{ "kind": "attachment", "name": "a.log", "file": file }]));
    assert_eq!(*body, *file_part(b"contents", "a.log").body());
    let [head, progress] = &lines("progress.json")[..] else { panic!("it is one line") };
    assert_eq!(head["version"], 2);
    assert_eq!(keys(progress), "attempts errcode status message may_have_arrived last_attempt_ms mark parts");
    assert_eq!(progress["parts"], json!({ "states": "p", "taken": [] }));
}

/// One flipped bit must not read as delivered.
#[test]
fn what_was_changed_on_disk_is_damaged() {
    let place = Place::new();
    let id = place.leave();
    let path = place.path("waiting").join(&id).join("entry.json");
    let content = std::fs::read_to_string(&path).unwrap();
    for (from, to) in [("disk full", "disk fine"), ("\"at_most_once\":false", "\"at_most_once\":true"), ("ops", "oqs")]
    {
        std::fs::write(&path, content.replace(from, to)).unwrap();
        let damaged = place.outbox.waiting().unwrap().next().unwrap().unwrap_err();
        assert!(damaged.is_damaged() && damaged.reason().contains("checksum"), "{from} {damaged:?}");
    }
    let lines: Vec<&str> = content.lines().collect();
    for cut in [&lines[..1], &lines[..2]] {
        std::fs::write(&path, cut.join("\n")).unwrap();
        assert!(place.outbox.waiting().unwrap().next().unwrap().is_err());
    }
    std::fs::write(&path, content).unwrap();
    assert_eq!(place.claim(&id).parts().unwrap().len(), 1);
}

#[tokio::test]
async fn a_flush_is_run_once_at_a_time() {
    let place = Place::new();
    let first = place.outbox.lock_flush(Instant::now()).await.unwrap();
    assert!(first.is_some());
    let until = Instant::now() + Duration::from_millis(10);
    assert!(place.outbox.lock_flush(until).await.unwrap().is_none());
    drop(first);
    assert!(place.outbox.lock_flush(Instant::now()).await.unwrap().is_some());
}

fn bodies_of(parts: &[Part]) -> Vec<Value> {
    parts.iter().map(|part| part.body().into_owned()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_content_of_an_entry_makes_reading_panic(content in proptest::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(format::read_entry(&content[..]).is_err());
        prop_assert!(format::read_bodies(&content[..]).is_err());
        prop_assert!(format::read_progress(&content[..], 1).is_err());
    }

    #[test]
    fn any_text_and_name_comes_back(text in any::<String>(), name in any::<String>()) {
        let parts = [message(&text), file_part(text.as_bytes(), &name)];
        let bodies = bodies_of(&parts);
        let lines = format::write_bodies(&parts).unwrap();
        let stored = parts.iter().enumerate().map(|(index, part)| StoredPart::of(index, part)).collect();
        let entry = StoredAlert { id: "x".to_owned(), parts: stored, ..alert() };
        let content = format::write_entry(&entry, lines).unwrap();
        prop_assert_eq!(format::read_entry(&content[..]).unwrap(), (entry, None));
        prop_assert_eq!(bodies_of(&format::read_bodies(&content[..]).unwrap()), bodies);
    }

    #[test]
    fn any_progress_comes_back(letters in proptest::collection::vec(0..5_usize, 0..50), attempts: u32) {
        use PartState::{Pending, Refused, Sent, UnderWay, Unknown};
        let state = |letter: usize| [Pending, UnderWay, Sent, Refused, Unknown][letter];
        // The calls of a part that was sent are all taken.
        let part = |(at, letter): (usize, &usize)| PartProgress {
            state: state(*letter),
            taken: if state(*letter) == Sent { 0 } else { at % 3 },
        };
        let parts: Vec<_> = letters.iter().enumerate().map(part).collect();
        let progress = EntryProgress { attempts, parts, ..EntryProgress::default() };
        let content = format::write_progress(&progress).unwrap();
        prop_assert_eq!(format::read_progress(&content[..], letters.len()).unwrap(), progress);
    }
}
