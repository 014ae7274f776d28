//! What the store refuses, and who may read it.

use std::path::Path;

use super::*;
use crate::error::Status;
use crate::outbox::{MAX_BYTES, MAX_ENTRIES, Stock};

#[test]
fn the_number_of_entries_is_limited() {
    let place = Place::new();
    for number in 1..MAX_ENTRIES {
        let shelf = if number % 2 == 0 { "waiting" } else { "failed" };
        let folder = place.path(shelf).join(format!("20260101T000000.000Z-1-{number}"));
        std::fs::create_dir(&folder).unwrap();
        std::fs::write(folder.join("entry.json"), "{}").unwrap();
    }
    drop(place.store(&[message("the last")]).unwrap());
    let refusal = place.store(&[message("one too many")]).unwrap_err();
    let NotStored::Outbox(error) = refusal else { panic!("{refusal:?}") };
    assert_eq!(error.status(), Status::Config);
    assert!(error.message().contains("1000 of at most 1000") && error.message().contains("state/outbox"), "{error}");
    assert!(error.hint().unwrap().contains("outbox flush") && error.hint().unwrap().contains("outbox drop"));
    assert_eq!(place.names("new"), [""; 0]);
}

#[test]
fn the_number_of_bytes_is_limited() {
    let place = Place::new();
    let id = place.leave();
    let Stock { entries: 1, bytes } = place.outbox.stock().unwrap() else { panic!("there is one") };
    // A file with a hole takes no room on the disk.
    let file = std::fs::File::create(place.path("waiting").join(&id).join("1.bin")).unwrap();
    file.set_len(MAX_BYTES - 2 * bytes).unwrap();
    let second = place.accept();
    let refusal = place.store(&[message("disk full")]).unwrap_err();
    let NotStored::Outbox(error) = refusal else { panic!("{refusal:?}") };
    assert!(
        error.message().contains(&format!("holds 2 of at most {MAX_ENTRIES} alerts and {MAX_BYTES} of")),
        "{error}"
    );
    second.done().unwrap();
    assert!(place.store(&[message("disk full")]).is_ok());
}

#[test]
fn a_folder_that_cannot_be_used_is_named_with_the_reason() {
    let root = tempfile::tempdir().unwrap();
    let blocked = root.path().join("file");
    std::fs::write(&blocked, "").unwrap();
    for state in [blocked.clone(), blocked.join("state")] {
        let error = Outbox::open(&Folder::private(&state)).unwrap_err();
        assert_eq!(error.status(), Status::Config);
        assert!(error.message().contains(&format!("{:?}", state.join("outbox"))), "{error}");
        assert!(error.hint().unwrap().contains("WECOM_ALERT_STATE_DIR"));
    }
}

#[test]
fn opening_leaves_three_empty_folders() {
    let place = Place::new();
    Outbox::open(&Folder::private(place.root.path().join("state"))).unwrap();
    assert_eq!(place.names(""), ["failed", "new", "waiting"]);
    assert_eq!([place.names("failed"), place.names("new"), place.names("waiting")], [[""; 0]; 3]);
}

#[cfg(unix)]
#[test]
fn only_owner_or_group_can_read_it() {
    use std::os::unix::fs::PermissionsExt;
    fn check(path: &Path, folder: u32, file: u32) {
        let about = std::fs::symlink_metadata(path).unwrap();
        let expected = if about.is_dir() { folder } else { file };
        assert_eq!(about.permissions().mode() & 0o777, expected, "{path:?}");
        if about.is_dir() {
            std::fs::read_dir(path).unwrap().for_each(|below| check(&below.unwrap().path(), folder, file));
        }
    }
    for (of_state, folder, file) in [(0o700, 0o700, 0o600), (0o2770, 0o770, 0o660)] {
        let root = tempfile::tempdir().unwrap();
        std::fs::set_permissions(root.path(), PermissionsExt::from_mode(of_state)).unwrap();
        let outbox = Outbox::open(&Folder::shared_if_made_so(root.path())).unwrap();
        let held = outbox.accept(alert(), &[file_part(b"contents", "a.log")]).unwrap();
        let mut held = held;
        held.save(EntryProgress::new(1)).unwrap();
        outbox.accept(alert(), &[message("x")]).unwrap().fail(&refused(1)).unwrap();
        check(outbox.path(), folder, file);
    }
}
