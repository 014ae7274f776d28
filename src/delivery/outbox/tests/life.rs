//! The life of an entry: accepted, claimed, changed, delivered, failed, discarded.

use std::time::{Duration, Instant};

use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::delivery::outbox::{Damaged, Dropped, Entry};
use crate::error::{Answer, Error, Status};
use crate::message::media::MediaKind;

#[test]
fn what_is_accepted_comes_back_whole() {
    let place = Place::new();
    let binary: Vec<u8> = (0..100_000_u32).map(|i| (i % 251) as u8).collect();
    let names = ["磁盘 \"a\".log", "", " ", "../../etc/passwd", "a\nb\0", "-"];
    let mut parts = vec![message("第一\u{1f525}")];
    parts.extend(names.iter().map(|name| file_part(&binary, name)));
    let accepted = place.outbox.accept(with_parts(parts)).unwrap();
    let entry = accepted.entry().clone();
    drop(accepted);
    let held = place.claim(&entry.id);
    assert_eq!(held.entry(), &entry);
    assert_eq!(place.outbox.waiting().unwrap().entries, [entry]);
    let first = held.shipment(0).unwrap();
    assert!(first.media.is_none());
    assert_eq!(
        serde_json::to_string(&first.body).unwrap(),
        serde_json::to_string(&message("第一\u{1f525}").body).unwrap()
    );
    for (index, name) in names.iter().enumerate() {
        let (kind, file) = held.shipment(index + 1).unwrap().media.unwrap();
        assert_eq!((kind, file.name()), (MediaKind::File, *name));
        assert!(file.read_all(1 << 20).unwrap() == binary, "{name}");
    }
    assert_eq!(held.shipment(7).unwrap_err().status(), Status::Config);
}

#[test]
fn an_empty_file_is_kept_too() {
    let place = Place::new();
    let held = place.outbox.accept(with_parts(vec![file_part(b"", "empty")])).unwrap();
    let (_, file) = held.shipment(0).unwrap().media.unwrap();
    assert_eq!((file.size(), file.name()), (0, "empty"));
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
fn one_at_a_time_deals_with_an_entry() {
    let place = Place::new();
    let held = place.accept();
    let id = held.id().to_owned();
    // Its sender lives: nobody else takes it up, and nobody throws it away.
    assert!(matches!(place.outbox.claim(&id).unwrap(), Claim::Busy));
    assert_eq!(place.outbox.drop_entry(&id).unwrap(), Dropped::Busy);
    drop(held);
    let held = place.claim(&id);
    assert!(matches!(place.outbox.claim(&id).unwrap(), Claim::Busy));
    held.done().unwrap();
    assert!(matches!(place.outbox.claim(&id).unwrap(), Claim::Gone));
    assert_eq!(place.outbox.drop_entry(&id).unwrap(), Dropped::Gone);
    assert_eq!((place.names("waiting"), place.names("new")), (vec![], vec![]));
}

#[test]
fn no_name_leads_out_of_the_folder() {
    let place = Place::new();
    let id = place.leave();
    for name in ["", ".", "..", "../waiting", &format!("../waiting/{id}"), "../../outbox", "no-such"] {
        assert!(matches!(place.outbox.claim(name).unwrap(), Claim::Gone), "{name}");
        assert_eq!(place.outbox.drop_entry(name).unwrap(), Dropped::Gone, "{name}");
    }
    assert_eq!(place.names("waiting"), [id]);
}

#[test]
fn what_is_saved_is_what_the_next_one_finds() {
    let place = Place::new();
    let mut held = place.outbox.accept(with_parts(vec![message("1"), message("2")])).unwrap();
    held.entry_mut().attempts = 3;
    held.entry_mut().parts[0].done = true;
    held.entry_mut().parts[1].sent = 2;
    held.entry_mut().may_have_arrived = true;
    held.save().unwrap();
    let saved = held.entry().clone();
    held.entry_mut().attempts = 99;
    drop(held);
    assert_eq!(place.claim(&saved.id).entry(), &saved);
    assert_eq!(place.outbox.waiting().unwrap().entries, [saved]);
}

#[test]
fn a_failed_one_says_why_and_stays_until_it_is_dropped() {
    let place = Place::new();
    let held = place.outbox.accept(with_parts(vec![file_part(b"contents", "a.log")])).unwrap();
    let id = held.id().to_owned();
    let answer = Answer { errcode: 60020, errmsg: "not allow to access from your ip".to_owned() };
    held.fail(&Error::new(Status::Auth, "WeCom refuses this IP").with_answer(answer)).unwrap();
    assert!(matches!(place.outbox.claim(&id).unwrap(), Claim::Gone));
    let entry = place.outbox.failed().unwrap().entries.remove(0);
    assert_eq!((entry.errcode, entry.status.as_deref()), (Some(60020), Some("auth")));
    assert_eq!(entry.message.as_deref(), Some("WeCom answered 60020: not allow to access from your ip"));
    assert_eq!(place.names("waiting"), [""; 0]);
    assert!(place.path("failed").join(&id).join("1.bin").exists());
    assert_eq!(place.outbox.drop_entry(&id).unwrap(), Dropped::Done);
    assert_eq!((place.names("failed"), place.names("new")), (vec![], vec![]));
}

#[test]
fn a_waiting_one_can_be_dropped() {
    let place = Place::new();
    let (one, other) = (place.leave(), place.leave());
    assert_eq!(place.outbox.drop_entry(&one).unwrap(), Dropped::Done);
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
    let reasons: Vec<Damaged> = place.outbox.waiting().unwrap().damaged;
    assert!(reasons[0].reason.contains("it is no entry") && !reasons[0].reason.contains("tops3cret"), "{reasons:?}");
    assert!(reasons[1].reason.contains("version 9") && reasons[3].reason.contains("is missing"), "{reasons:?}");
    for number in 1..=4 {
        assert!(matches!(place.outbox.claim(&id(number)).unwrap(), Claim::Damaged(_)), "{number}");
    }
    for number in 1..=5 {
        assert_eq!(place.outbox.drop_entry(&id(number)).unwrap(), Dropped::Done, "{number}");
    }
    assert_eq!(place.outbox.drop_entry(&id(6)).unwrap(), Dropped::Gone);
    assert!(matches!(place.outbox.claim("README").unwrap(), Claim::Gone));
    assert_eq!(place.listed()[2..], [[""; 0]; 2]);
}

#[test]
fn a_file_that_is_not_the_one_copied_in_is_not_sent() {
    let place = Place::new();
    let mut held = place.outbox.accept(with_parts(vec![file_part(b"contents", "a.log")])).unwrap();
    let path = place.path("waiting").join(held.id()).join("1.bin");
    std::fs::write(&path, "short").unwrap();
    let told = |held: &Held| held.shipment(0).unwrap_err().message().to_owned();
    assert!(told(&held).ends_with("its file has 5 bytes instead of 8"), "{}", told(&held));
    let outside = place.root.path().join("outside");
    std::fs::write(&outside, "contents").unwrap();
    std::fs::remove_file(&path).unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink(&outside, &path).unwrap();
    assert!(told(&held).ends_with("its file is missing"), "{}", told(&held));
    held.entry_mut().parts[0].media.as_mut().unwrap().file = "../../../../outside".to_owned();
    assert!(told(&held).ends_with("its file is missing"), "{}", told(&held));
}

#[test]
fn nobody_looks_in_vain_for_an_outbox_that_is_not_there() {
    let root = tempfile::tempdir().unwrap();
    let outbox = Outbox::at(&Folder::private(root.path().join("state")));
    assert!(outbox.waiting().unwrap().entries.is_empty() && outbox.failed().unwrap().damaged.is_empty());
    assert!(matches!(outbox.claim("20261121T101530.123Z-1-a").unwrap(), Claim::Gone));
    assert_eq!(outbox.drop_entry("20261121T101530.123Z-1-a").unwrap(), Dropped::Gone);
    assert!(!root.path().join("state").exists());
}

#[test]
fn the_fields_are_those_that_were_agreed_and_none_is_a_credential() {
    let place = Place::new();
    let held = place.outbox.accept(with_parts(vec![file_part(b"contents", "a.log")])).unwrap();
    let content = std::fs::read(place.path("waiting").join(held.id()).join("entry.json")).unwrap();
    let mut json: Value = serde_json::from_slice(&content).unwrap();
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(" ");
    assert_eq!(
        keys(&json),
        "version id command route profile target queued_at_ms attempts errcode status message may_have_arrived \
         at_most_once under_way last_attempt_ms mark duplicate_check_s markable parts"
    );
    assert_eq!(keys(&json["parts"][0]), "kind label body media sent done");
    assert_eq!(json["parts"][0]["media"], json!({"kind": "file", "name": "a.log", "file": "1.bin", "size": 8}));
    assert_eq!((&json["version"], &json["route"]), (&json!(1), &json!("app")));
    // What a later version adds does not stand in the way.
    json["later"] = json!(true);
    assert_eq!(&Entry::parse(json.to_string().as_bytes()).unwrap(), held.entry());
}

#[tokio::test]
async fn one_at_a_time_flushes() {
    let place = Place::new();
    let first = place.outbox.lock_flush(Instant::now()).await.unwrap();
    assert!(first.is_some());
    let until = Instant::now() + Duration::from_millis(10);
    assert!(place.outbox.lock_flush(until).await.unwrap().is_none());
    drop(first);
    assert!(place.outbox.lock_flush(Instant::now()).await.unwrap().is_some());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_content_of_an_entry_makes_reading_panic(content in proptest::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(Entry::parse(&content).is_err());
    }

    #[test]
    fn any_text_and_name_comes_back(text in any::<String>(), name in any::<String>()) {
        let (entry, _) = with_parts(vec![message(&text), file_part(text.as_bytes(), &name)]).into_entry("x".to_owned());
        prop_assert_eq!(Entry::parse(&entry.to_json().unwrap()).unwrap(), entry);
    }
}
