//! `--cooldown` with several targets: what is held back or left is accounted for, target by target.

use std::fs::{self, File};
use std::path::PathBuf;

use serde_json::{Value, json};

use super::{app, arrived, command, group, new_scene, owned};
use crate::document::{assert_document, warnings};
use crate::results::document;
use crate::support::{Cmd, Scene, wait_until};

const TEXT: &str = "disk full";

const HOUR: [&str; 2] = ["--cooldown", "1h"];

/// The same alert, under way in another process: it has the lock, and nothing is known of what becomes of it.
struct Other {
    folder: PathBuf,
    aside: PathBuf,
    _locks: Vec<File>,
}

impl Other {
    /// After an alert has passed, whose cooldown is the only one that there is.
    fn under_way(scene: &Scene) -> Self {
        let folder = scene.env.state().join("cooldown");
        let files: Vec<_> = fs::read_dir(&folder).unwrap().map(|file| file.unwrap().path()).collect();
        let locks = files.iter().map(|path| File::options().read(true).write(true).open(path).unwrap());
        let locks: Vec<File> = locks.inspect(|file| file.lock().unwrap()).collect();
        let aside = scene.env.home().join("aside");
        fs::create_dir(&aside).unwrap();
        for path in files.iter().filter(|path| path.metadata().unwrap().len() > 0) {
            fs::rename(path, aside.join(path.file_name().unwrap())).unwrap();
        }
        Self { folder, aside, _locks: locks }
    }

    /// It has passed.
    fn passes(self) {
        for file in fs::read_dir(&self.aside).unwrap() {
            let file = file.unwrap();
            fs::rename(file.path(), self.folder.join(file.file_name())).unwrap();
        }
    }
}

/// Id of every entry, and profile where it has one.
fn entries(scene: &Scene) -> Vec<(String, String)> {
    let told = command(scene, &["outbox", "list", "-P", "ops"]).run().assert_code(0).json();
    let text = |entry: &Value, field: &str| entry[field].as_str().unwrap_or_default().to_owned();
    told["entries"].as_array().unwrap().iter().map(|entry| (text(entry, "id"), text(entry, "profile"))).collect()
}

/// It is not known in time whether the alert is a repeat: better twice than never.
#[test]
fn it_goes_out_where_it_is_not_known_whether_it_is_a_repeat() {
    // The first target can be reached, or its credentials cannot be read.
    for (file, code, status) in [("key", 0, "sent"), ("no-such-file", 6, "partial")] {
        let scene = new_scene();
        let keyed = |cmd: Cmd| cmd.args(HOUR).args(["--cooldown-key", "disk", TEXT]);
        keyed(group(&scene, &[])).run().assert_code(0);
        let other = Other::under_way(&scene);
        scene.env.file("key", "test-key-of-room");
        let cmd = keyed(command(&scene, &["webhook-send", "--outbox", "--also", "hall", "--deadline", "3s"]));
        let cmd = cmd.env("WECOM_ALERT_PROFILE", "ops").env("WECOM_ALERT_WEBHOOK_FILE", scene.env.home().join(file));
        let told = assert_document(&cmd.run(), file, code, &json!({"status": status}));
        assert!(told["warnings"].to_string().contains("the same alert"), "{told}");
        let [own, hall] = &told["targets"].as_array().unwrap()[..] else { panic!("two targets: {told}") };
        assert_eq!((own["exit_code"] == 0, &hall["status"]), (code == 0, &json!("sent")), "{told}");
        assert_eq!(entries(&scene).len(), 0, "{told}");
        let mut expected = owned(&[("room", TEXT), ("hall", TEXT), ("room", TEXT)][..if code == 0 { 3 } else { 2 }]);
        expected.sort();
        let mut got = arrived(&scene);
        got.sort();
        assert_eq!(got, expected, "{file}");
        other.passes();
    }
}

#[test]
fn a_repeat_that_is_held_back_tells_who_would_have_missed_it() {
    // No such profile, and one with two routes.
    for missed in ["nosuch", "both"] {
        let scene = new_scene();
        group(&scene, &HOUR).arg(TEXT).run().assert_code(0);
        let run = group(&scene, &HOUR).args(["--also", missed, "--also", "hall", TEXT]).run();
        let told = document(&run);
        assert_eq!((&told["held_back"], arrived(&scene)), (&json!(1), owned(&[("room", TEXT)])), "{missed}: {told}");
        assert!(told.to_string().contains(missed), "nobody hears of {missed}: {told}");
    }
}

#[test]
fn a_repeat_that_is_held_back_has_the_warnings_of_all_targets() {
    let scene =
        new_scene().profile("room", "mention = [\"@all\"]\nmention_fallback = \"ignore\"").profile("ops", "safe = 1");
    let send = || document(&app(&scene, &HOUR).args(["-t", "markdown", "--also", "room", TEXT]).run().assert_code(0));
    let (sent, skipped) = (send(), send());
    assert_eq!(
        (&sent["status"], &skipped["status"], &skipped["held_back"]),
        (&json!("sent"), &json!("skipped"), &json!(1))
    );
    assert_eq!(warnings(&sent).len(), 2, "one of each target: {sent}");
    assert_eq!(warnings(&skipped), warnings(&sent));
}

#[test]
fn one_undeletable_entry_does_not_keep_the_other_entries_of_a_repeat() {
    for stuck in ["room", "hall", "ops"] {
        let scene = new_scene();
        group(&scene, &HOUR).arg(TEXT).run().assert_code(0);
        let other = Other::under_way(&scene);
        let cmd = group(&scene, &HOUR).args(["--outbox", "--also", "hall", "--also", "ops", "--deadline", "50s", TEXT]);
        let repeat = cmd.spawn();
        let waiting = scene.env.state().join("outbox/waiting");
        wait_until("three entries", || fs::read_dir(&waiting).is_ok_and(|entries| entries.count() == 3));
        // Where it is removed there is something in the way.
        let (id, _) = entries(&scene).into_iter().find(|(_, profile)| profile == stuck).unwrap();
        fs::create_dir_all(scene.env.state().join("outbox/new").join(&id).join("in the way")).unwrap();
        other.passes();
        let told = document(&repeat.wait());
        let left: Vec<_> =
            entries(&scene).into_iter().map(|(_, profile)| profile).filter(|profile| profile != stuck).collect();
        assert!(left.is_empty(), "{stuck} stays, and so do {left:?}: {told}");
        let is_left = !entries(&scene).is_empty();
        assert!(!is_left || told.to_string().contains(&id), "nobody hears of {id}: {told}");
        assert_eq!(arrived(&scene), owned(&[("room", TEXT)]), "{stuck}");
    }
}
