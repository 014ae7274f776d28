//! What is not what was written, and what cannot be read now: the one is kept and never sent, the other stays where it is.

use std::io::{self, Read};

use super::*;
use crate::message::PartState;
use crate::outbox::format::{self, ReadError};
use crate::outbox::listing::PROGRESS;
use crate::outbox::{ENTRY, PartProgress};

/// An entry whose first of two parts was sent; its id and its files.
fn half_sent(place: &Place) -> (String, [(String, Vec<u8>); 3]) {
    let mut held = place.store(&[message("disk full"), file_part(b"contents", "a.log")]).unwrap();
    let mut progress = held.progress.clone();
    progress.parts[0] = PartProgress { state: PartState::Sent, taken: 0 };
    held.save(progress).unwrap();
    let id = held.alert.id.clone();
    let files = [ENTRY, PROGRESS, "2.bin"].map(|name| {
        let content = std::fs::read(place.path("waiting").join(&id).join(name)).unwrap();
        (name.to_owned(), content)
    });
    (id, files)
}

#[test]
fn no_flipped_bit_is_read_or_sent() {
    let place = Place::new();
    let (id, files) = half_sent(&place);
    for (name, content) in &files {
        let path = place.path("waiting").join(&id).join(name);
        for at in 0..content.len() * 8 {
            let mut flipped = content.clone();
            flipped[at / 8] ^= 1 << (at % 8);
            std::fs::write(&path, flipped).unwrap();
            let listed = place.outbox.waiting().unwrap().next().unwrap();
            if name == "2.bin" {
                assert!(listed.is_ok());
                assert_eq!(place.claim(&id).parts().unwrap_err().status(), Status::Refused, "bit {at}");
            } else if name == PROGRESS && at / 8 == content.len() - 1 {
                // Without its last line break it was cut by a loss of power.
                assert_eq!(listed.unwrap().1, EntryProgress::new(2));
            } else {
                assert!(listed.unwrap_err().is_damaged(), "{name}, bit {at}");
            }
        }
        std::fs::write(&path, content).unwrap();
    }
    assert_eq!(place.claim(&id).parts().unwrap().len(), 2);
}

#[test]
fn a_cut_entry_is_damaged_and_a_cut_progress_means_that_nothing_was_tried() {
    let place = Place::new();
    let (id, [(_, entry), (_, progress), _]) = half_sent(&place);
    let path = |name: &str| place.path("waiting").join(&id).join(name);
    for length in 0..entry.len() {
        std::fs::write(path(ENTRY), &entry[..length]).unwrap();
        assert!(place.outbox.waiting().unwrap().next().unwrap().unwrap_err().is_damaged(), "{length}");
    }
    std::fs::write(path(ENTRY), entry).unwrap();
    let zeros = vec![0; progress.len()];
    for length in 0..progress.len() {
        let halves = [&progress[..length], &zeros[length..]].concat();
        for cut in [&progress[..length], &halves] {
            std::fs::write(path(PROGRESS), cut).unwrap();
            // A line that is whole is no whole file.
            if cut.last() != Some(&b'\n') {
                assert_eq!(place.claim(&id).progress, EntryProgress::new(2), "{length}");
            }
        }
    }
}

#[test]
fn a_damaged_progress_is_kept_and_forgotten_only_when_asked() {
    let place = Place::new();
    let (id, _) = half_sent(&place);
    std::fs::write(place.path("waiting").join(&id).join(PROGRESS), "{\"version\":2\n").unwrap();
    let Err(ClaimError::Damaged(unread)) = place.outbox.claim(&id) else { panic!("must be damaged") };
    let reason = unread.reason();
    assert!(reason.starts_with("progress.json cannot be used: it is not an entry"), "{reason}");
    assert_eq!((place.names("waiting"), place.names("failed")), (vec![], vec![id.clone()]));
    assert_eq!(place.outbox.revive().unwrap(), std::slice::from_ref(&id));
    assert_eq!(place.claim(&id).progress, EntryProgress::new(2));
}

/// A file on a disk that fails.
struct Failing<'a>(&'a [u8], io::ErrorKind);

impl Read for Failing<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.0.read(buffer)? {
            0 => Err(self.1.into()),
            read => Ok(read),
        }
    }
}

#[test]
fn an_error_of_the_disk_is_not_damage() {
    let place = Place::new();
    let (_, [(_, entry), (_, progress), _]) = half_sent(&place);
    for kind in [io::ErrorKind::Other, io::ErrorKind::PermissionDenied, io::ErrorKind::StaleNetworkFileHandle] {
        for after in 0..entry.len() {
            let file = || Failing(&entry[..after], kind);
            assert!(matches!(format::read_entry(file()), Err(ReadError::Io(_))), "{after}");
            assert!(matches!(format::read_bodies(file()), Err(ReadError::Io(_))), "{after}");
        }
        for after in 0..progress.len() {
            let file = Failing(&progress[..after], kind);
            assert!(matches!(format::read_progress(file, 2), Err(ReadError::Io(_))), "{after}");
        }
    }
}

/// A file of version 1 has no checksum.
#[test]
fn an_old_entry_must_make_sense() {
    let whole = json!({
        "version": 1, "id": "x", "route": "webhook", "profile": null, "target": null, "queued_at_ms": AT_MS,
        "attempts": 1, "errcode": null, "status": null, "message": null, "may_have_arrived": false,
        "at_most_once": false, "under_way": null, "last_attempt_ms": null, "mark": null, "duplicate_check_s": null,
        "markable": true,
        "parts": [{"kind": "message", "label": null, "media": null, "done": false, "sent": 0,
                   "body": {"msgtype": "text", "text": {"content": "x"}}}],
    });
    let place = Place::new();
    let store = |entry: &serde_json::Value| {
        let folder = Folder::private(place.path("waiting")).within("x");
        folder.write_durably(ENTRY, entry.to_string().as_bytes()).unwrap();
        place.outbox.claim("x")
    };
    assert_eq!(store(&whole).unwrap().parts().unwrap().len(), 1);
    let with = |path: &str, value: serde_json::Value| {
        let mut entry = whole.clone();
        *entry.pointer_mut(path).unwrap() = value;
        entry
    };
    for (path, value) in [
        ("/parts", json!([])),
        ("/parts", json!({})),
        ("/parts", json!(null)),
        ("/parts/0/done", json!(0)),
        ("/parts/0/sent", json!(-1)),
        ("/parts/0/kind", json!("nothing")),
        ("/queued_at_ms", json!(-1)),
    ] {
        let claimed = store(&with(path, value.clone()));
        assert!(matches!(claimed, Err(ClaimError::Damaged(_))), "{path}: {value}");
        place.outbox.drop_entry("x").unwrap();
    }
    for (path, value) in [
        ("/parts/0/sent", json!(1)),
        ("/parts/0/sent", json!(u64::MAX)),
        ("/parts/0/body", json!(null)),
        ("/parts/0/body", json!([])),
    ] {
        let error = store(&with(path, value.clone())).unwrap().parts().unwrap_err();
        assert_eq!(error.status(), Status::Refused, "{path}: {value}");
    }
}

/// Zeros without end, or any other byte.
fn endless(start: &[u8], byte: u8) -> impl Read {
    start.chain(io::repeat(byte))
}

#[test]
fn a_line_without_an_end_is_not_read_into_memory() {
    let head = br#"{"version":2,"sha256":"00"}
"#;
    for start in [&b"{"[..], b"{\"version\":1,\"parts\":[", head] {
        for byte in [b' ', b'[', 0] {
            assert!(matches!(format::read_entry(endless(start, byte)), Err(ReadError::Damaged(_))));
            assert!(matches!(format::read_progress(endless(start, byte), 1), Err(ReadError::Damaged(_))));
        }
    }
    let nested = format!("{{\"version\":1,\"parts\":{}", "[".repeat(1 << 20));
    assert!(matches!(format::read_entry(nested.as_bytes()), Err(ReadError::Damaged(_))));
    assert!(matches!(
        format::read_entry(format::sealed(nested.into_bytes()).unwrap().as_slice()),
        Err(ReadError::Damaged(_))
    ));
}

/// Found by fuzzing: the calls of a part that was sent are not written, so they must not be read either.
#[test]
fn calls_of_a_sent_part_mean_nothing() {
    let line = r#"{"attempts":3,"errcode":null,"status":null,"message":null,"may_have_arrived":false,"last_attempt_ms":1,
        "mark":null,"parts":{"states":"su","taken":[[0,1],[1,2]]}}"#;
    let file = format::sealed(format!("{}\n", line.replace('\n', "")).into_bytes()).unwrap();
    let progress = format::read_progress(&*file, 2).unwrap();
    assert_eq!(progress.parts.iter().map(|part| part.taken).collect::<Vec<_>>(), [0, 2]);
    let written = format::write_progress(&progress).unwrap();
    assert_eq!(format::read_progress(&*written, 2).unwrap(), progress);
}
