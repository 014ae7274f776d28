//! A process killed at any moment, and a disk that fails at any step: an entry is there as a whole or not at all.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

use super::*;
use crate::error::Status;

/// A moment at which everything made now is old.
fn later() -> SystemTime {
    SystemTime::now() + Duration::from_secs(3700)
}

/// The folders that a process may leave in `new/`, whichever step of accepting or removing it was killed at.
const HALF: [&[&str]; 7] = [
    &[],
    &["lock"],
    &["lock", ".tmpAbCdEf"],
    &["lock", "1.bin", ".tmpAbCdEf"],
    &["lock", "1.bin", "entry.json"],
    &["1.bin", "entry.json", "progress.json"],
    &["entry.json"],
];

#[test]
fn half_an_entry_is_never_seen_and_is_swept_when_it_is_old() {
    let place = Place::new();
    let whole = place.leave();
    let content = std::fs::read(place.path("waiting").join(&whole).join("entry.json")).unwrap();
    let ids: Vec<String> = (0..HALF.len()).map(|number| format!("20261121T101530.000Z-1-{number}")).collect();
    for (id, names) in ids.iter().zip(HALF) {
        let folder = Folder::private(place.path("new")).within(id);
        folder.make_durably().unwrap();
        names.iter().for_each(|name| folder.write_durably(name, &content).unwrap());
    }
    assert_eq!(place.listed(), [vec![whole.clone()], vec![], vec![], vec![]]);
    for id in &ids {
        assert!(matches!(place.outbox.claim(id), Err(ClaimError::Gone)), "{id}");
    }
    let living = Folder::private(place.path("new")).within(&ids[1]);
    let lock = living.try_lock("lock").unwrap().unwrap();
    // What is young may be somebody's work, and so is what somebody holds.
    assert_eq!(place.outbox.sweep(SystemTime::now()).unwrap(), 0);
    assert_eq!(place.outbox.sweep(later()).unwrap(), HALF.len() - 1);
    assert_eq!(place.names("new"), [ids[1].clone()]);
    drop(lock);
    assert_eq!(place.outbox.sweep(later()).unwrap(), 1);
    assert_eq!(place.listed(), [vec![whole], vec![], vec![], vec![]]);
}

#[test]
fn only_what_this_program_can_have_begun_is_swept() {
    let place = Place::new();
    let begun = [".tmpabcdefghijkl", ".tmpAbCdEf"];
    let foreign = [".tmp", ".tmp-notes", ".tmpabcdefghijklm", "notes"];
    let full = ".tmpfull";
    for name in begun.iter().chain(&foreign) {
        std::fs::create_dir(place.path(name)).unwrap();
        std::fs::write(place.path("new").join(name), "x").unwrap();
    }
    std::fs::create_dir_all(place.path(full).join("in it")).unwrap();
    place.outbox.sweep(SystemTime::now()).unwrap();
    assert!(begun.iter().all(|name| place.path(name).exists()), "what is young may be somebody's work");
    place.outbox.sweep(later()).unwrap();
    for name in begun {
        assert!(!place.path(name).exists() && !place.path("new").join(name).exists(), "{name}");
    }
    for name in foreign.iter().chain([&full]) {
        assert!(place.path(name).exists(), "{name}");
    }
    assert!(foreign.iter().all(|name| place.path("new").join(name).exists()));
}

#[test]
fn nothing_accepted_is_ever_swept() {
    let place = Place::new();
    let waiting = place.leave();
    let failed = place.accept();
    let id = failed.alert.id.clone();
    failed.fail(&refused(1)).unwrap();
    let damaged = "20260101T000000.000Z-1-damaged";
    Folder::private(place.path("waiting")).within(damaged).write_durably("entry.json", b"").unwrap();
    let hollow = Folder::private(place.path("waiting")).within("20260101T000000.000Z-1-hollow");
    drop(hollow.try_lock("lock").unwrap());
    assert_eq!(place.outbox.sweep(later()).unwrap(), 1);
    assert_eq!(place.listed(), [vec![waiting], vec![id], vec![damaged.to_owned()], vec![]]);
    assert!(!hollow.path().exists());
}

#[test]
fn a_step_that_fails_leaves_nothing_behind() {
    // The file of an attachment is cut while it is copied.
    let place = Place::new();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "0123456789").unwrap();
    let cut = Attachment::kept(file.reopen().unwrap(), "a.log").unwrap();
    file.as_file().set_len(4).unwrap();
    let mut part = file_part(b"whole", "b.log");
    part.file = Some((MediaKind::File, cut));
    let Err(NotStored::File(1, error)) = place.store(&[message("1"), part]) else { panic!("must fail") };
    assert!(error.message().contains("shrunk from 10 to 4 bytes"), "{error}");
    assert_eq!((place.names("new"), place.names("waiting")), (vec![], vec![]));

    // It cannot be moved to its place.
    std::fs::remove_dir(place.path("waiting")).unwrap();
    std::fs::write(place.path("waiting"), "").unwrap();
    let Err(NotStored::Outbox(error)) = place.store(&[message("x")]) else { panic!("must fail") };
    assert_eq!(error.status(), Status::Config);
    assert_eq!(place.names("new"), [""; 0]);

    // It cannot be begun.
    let place = Place::new();
    std::fs::remove_dir(place.path("new")).unwrap();
    std::fs::write(place.path("new"), "").unwrap();
    assert!(matches!(place.store(&[message("x")]), Err(NotStored::Outbox(_))));
    assert_eq!(place.names("waiting"), [""; 0]);
}

#[test]
fn an_entry_that_cannot_be_moved_waits_on() {
    let place = Place::new();
    let (one, other) = (place.leave(), place.leave());
    for shelf in ["new", "failed"] {
        std::fs::remove_dir(place.path(shelf)).unwrap();
        std::fs::write(place.path(shelf), "").unwrap();
    }
    assert_eq!(place.claim(&one).done().unwrap_err().status(), Status::Config);
    assert_eq!(place.claim(&other).fail(&refused(1)).unwrap_err().status(), Status::Config);
    assert_eq!(place.outbox.waiting_ids().unwrap(), [one, other]);
}

/// After a loss of power what was not synced may be empty, or hold anything.
#[test]
fn progress_that_was_lost_does_not_lose_the_entry() {
    let place = Place::new();
    let mut held = place.accept();
    let id = held.alert.id.clone();
    let saved = EntryProgress { attempts: 2, ..held.progress.clone() };
    held.save(saved.clone()).unwrap();
    drop(held);
    let file = place.path("waiting").join(&id).join("progress.json");
    let content = std::fs::read(&file).unwrap();
    for lost in [&b""[..], b"\0\0\0\0", &content[..content.len() / 2]] {
        std::fs::write(&file, lost).unwrap();
        assert_eq!(place.claim(&id).progress, EntryProgress::new(1));
    }
    std::fs::write(&file, &content).unwrap();
    assert_eq!(place.claim(&id).progress, saved);
}

/// What may have arrived must not be sent again, even if the progress can no longer be read.
#[test]
fn damaged_progress_keeps_an_alert_that_must_not_be_repeated() {
    let place = Place::new();
    let mut held = place.outbox.accept(StoredAlert { at_most_once: true, ..alert() }, &[message("x")]).unwrap();
    let id = held.alert.id.clone();
    held.save(EntryProgress::new(1)).unwrap();
    drop(held);
    let file = place.path("waiting").join(&id).join("progress.json");
    let content = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, content.replace("\"attempts\":0", "\"attempts\":1")).unwrap();
    let Err(ClaimError::Damaged(unread)) = place.outbox.claim(&id) else { panic!("it must be kept") };
    assert!(unread.reason().contains("checksum"), "{unread:?}");
}

/// This test starts itself once more, as the process to be killed.
#[test]
fn an_accepted_entry_survives_a_kill_whole() {
    const STATE: &str = "OUTBOX_TEST_STATE";
    const NAME: &str = "outbox::tests::killed::an_accepted_entry_survives_a_kill_whole";
    if let Ok(state) = std::env::var(STATE) {
        let outbox = Outbox::open(&Folder::private(state)).unwrap();
        loop {
            let held = outbox.accept(alert(), &[message("1"), file_part(&[7; 5000], "a.log")]).unwrap();
            writeln!(std::io::stdout(), "\naccepted {}", held.alert.id).unwrap();
        }
    }
    let place = Place::new();
    let mut accepted = Vec::new();
    for run in 1..=4 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", NAME, "--nocapture"])
            .env(STATE, place.root.path().join("state"))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let told = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let ids = told.filter_map(|line| line.strip_prefix("accepted ").map(str::to_owned));
        accepted.extend(ids.take(run));
        child.kill().unwrap();
        child.wait().unwrap();
    }
    assert_eq!(accepted.len(), 10);
    let [waiting, failed, damaged, damaged_too] = place.listed();
    assert!(accepted.iter().all(|id| waiting.contains(id)), "{accepted:?} {waiting:?}");
    assert_eq!([failed, damaged, damaged_too], [[""; 0]; 3]);
    for id in waiting {
        let (_, file) = place.claim(&id).parts().unwrap().remove(1).file.unwrap();
        assert_eq!(file.read_all(5000).unwrap(), [7; 5000]);
    }
    place.outbox.sweep(later()).unwrap();
    assert_eq!(place.names("new"), [""; 0]);
}
