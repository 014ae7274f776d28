//! A state folder that a group shares: its members deliver each other's alerts, and nothing that one of them puts there
//! reaches out of it or keeps an alert of another one back.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown, symlink};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use crate::support::fake::{Endpoint, Reply};
use crate::support::kills::{killed_at, points};
use crate::support::{Cmd, Run, Scene, at_once, is_root, make_fifo, needs};

/// Who uses the folder first, and whose files are to be left alone.
const OWNER: u32 = 10_001;
/// Another member of the group.
const MEMBER: u32 = 10_002;
/// The group that shares the folder.
const GROUP: u32 = 20_001;
/// A group that it does not belong to.
const OTHER_GROUP: u32 = 20_002;

/// A job that fails when it is told to.
const JOB: [&str; 9] = ["run", "--route", "webhook", "--on", "change", "--", "sh", "-c", "exit ${CODE:-0}"];

/// The content of files that no command may touch.
const PRIVATE: &str = "nobody else's business";

/// A scene whose state folder belongs to the group; `None` where users cannot be changed.
fn shared() -> Option<Scene> {
    if !is_root() {
        let _ = std::io::stderr().write_all(b"shared_state: left out, needs root to act as two users\n");
        return None;
    }
    if !needs("setpriv") {
        return None;
    }
    let scene = Scene::new();
    let root = scene.env.home().parent().unwrap().to_owned();
    fs::set_permissions(&root, fs::Permissions::from_mode(0o755)).unwrap();
    for folder in ["home", "config", "cache", "tmp"] {
        fs::set_permissions(root.join(folder), fs::Permissions::from_mode(0o777)).unwrap();
    }
    let state = scene.env.state();
    fs::create_dir(&state).unwrap();
    chown(&state, None, Some(GROUP)).unwrap();
    fs::set_permissions(&state, fs::Permissions::from_mode(0o2770)).unwrap();
    Some(scene)
}

/// A command of one of the users, who tells what he notices.
fn by(user: u32, scene: &Scene, args: &[&str]) -> Cmd {
    let cmd = scene.bare(&["-v", "--no-cache"]).args(args).base_url(&scene.wecom).app_credentials().webhook();
    cmd.env("WECOM_ALERT_RATE", "50/1m").by_user(user, GROUP)
}

/// Leaves an alert in the outbox.
fn store(scene: &Scene, text: &str) {
    scene.wecom.script(Endpoint::WebhookSend, [Reply::status(502)]);
    let told = by(OWNER, scene, &["webhook-send", "--outbox", text]).run().assert_code(0);
    assert!(told.stderr.contains("waits in the outbox"), "{}", told.all());
}

fn folder(scene: &Scene, below: &str) -> PathBuf {
    scene.env.state().join(below)
}

fn names(folder: &Path) -> Vec<String> {
    let Ok(found) = fs::read_dir(folder) else { return Vec::new() };
    let mut names: Vec<_> = found.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn members_deliver_each_others_alerts() {
    let Some(scene) = shared() else { return };
    store(&scene, "one");
    store(&scene, "two");
    by(MEMBER, &scene, &["outbox", "flush"]).run().assert_code(0);
    assert_eq!(scene.texts(), ["one", "two"]);
    for folder in ["outbox", "outbox/waiting", "outbox/failed", "outbox/new", "pacing"] {
        let about = fs::metadata(self::folder(&scene, folder)).unwrap();
        assert_eq!((about.mode() & 0o7777, about.gid()), (0o2770, GROUP), "{folder}");
    }
    by(MEMBER, &scene, &["webhook-send", "--cooldown", "1h", "three"]).run().assert_code(0);
    by(OWNER, &scene, &["webhook-send", "--cooldown", "1h", "three"]).run().assert_code(0);
    assert_eq!(scene.texts()[2..], ["three"]);
}

/// The first user is killed at any moment of the first use: what he leaves, the group can use.
#[test]
fn a_killed_first_use_leaves_a_folder_for_the_group() {
    let first_use = |scene: &Scene| by(OWNER, scene, &["webhook-send", "--outbox", "--cooldown", "1h", "first"]);
    let Some(traced) = shared().filter(|_| needs("strace")) else { return };
    let points = points(&traced, first_use(&traced));
    let killed = at_once(points.iter().enumerate(), |(number, point)| {
        let Some(scene) = shared() else { return false };
        scene.wecom.expect_unexpected();
        let killed = killed_at(point, first_use(&scene)).is_none();
        // A late one of the killed user may go out with it.
        let text = format!("by another member {number}");
        let sent = by(MEMBER, &scene, &["webhook-send", "--outbox", "--cooldown", "1h", &text]).run();
        assert_eq!(sent.code, Some(0), "{point:?}: {}", sent.all());
        assert!(!sent.stderr.contains("warning"), "{point:?}: {}", sent.all());
        assert!(!sent.stderr.contains("pacing is not possible"), "{point:?}: {}", sent.all());
        let flushed = by(MEMBER, &scene, &["outbox", "flush"]).run();
        assert_eq!(flushed.code, Some(0), "{point:?}: {}", flushed.all());
        assert_eq!(scene.texts().iter().filter(|arrived| **arrived == text).count(), 1, "{point:?}");
        killed
    });
    let killed = killed.into_iter().filter(|killed| *killed).count();
    println!("{} points, {killed} killed", points.len());
    assert!(killed > points.len() / 2, "{killed} of {} were killed", points.len());
}

/// What a member puts into the folder. `home` is the owner's.
struct Planted {
    what: &'static str,
    /// Where it lies below the state folder; `KEY` stands for the name of a file that is there already, `ID` for the entry.
    at: &'static str,
    /// Makes it at this path; `home` is the folder that it may lead to.
    make: fn(&Path, &Path),
    /// Whether the entry that waited before is out of reach by it.
    hides_entry: bool,
}

fn link_to_folder(at: &Path, home: &Path) {
    symlink(home.join("docs"), at).unwrap();
}

fn link_to_file(at: &Path, home: &Path) {
    symlink(home.join("file"), at).unwrap();
}

fn link_to_nothing(at: &Path, home: &Path) {
    symlink(home.join("made"), at).unwrap();
}

fn hard_link(at: &Path, home: &Path) {
    fs::hard_link(home.join("file"), at).unwrap();
}

fn pipe(at: &Path, _: &Path) {
    make_fifo(at);
    chown(at, Some(MEMBER), Some(GROUP)).unwrap();
    fs::set_permissions(at, fs::Permissions::from_mode(0o660)).unwrap();
}

fn socket(at: &Path, _: &Path) {
    drop(UnixListener::bind(at).unwrap());
}

fn device(at: &Path, _: &Path) {
    assert!(Command::new("mknod").arg(at).args(["c", "1", "7"]).status().unwrap().success());
    chown(at, Some(MEMBER), Some(GROUP)).unwrap();
    fs::set_permissions(at, fs::Permissions::from_mode(0o660)).unwrap();
}

fn full_folder(at: &Path, _: &Path) {
    fs::create_dir(at).unwrap();
    fs::write(at.join("in it"), PRIVATE).unwrap();
    chown(at, Some(MEMBER), Some(GROUP)).unwrap();
    fs::set_permissions(at, fs::Permissions::from_mode(0o2770)).unwrap();
}

fn open_to_all(at: &Path, _: &Path) {
    fs::write(at, "{}").unwrap();
    chown(at, Some(MEMBER), Some(GROUP)).unwrap();
    fs::set_permissions(at, fs::Permissions::from_mode(0o666)).unwrap();
}

fn of_another_group(at: &Path, _: &Path) {
    fs::write(at, "{}").unwrap();
    chown(at, Some(MEMBER), Some(OTHER_GROUP)).unwrap();
    fs::set_permissions(at, fs::Permissions::from_mode(0o660)).unwrap();
}

fn huge(at: &Path, _: &Path) {
    let file = fs::File::create(at).unwrap();
    file.set_len(1 << 40).unwrap();
    chown(at, Some(MEMBER), Some(GROUP)).unwrap();
    fs::set_permissions(at, fs::Permissions::from_mode(0o660)).unwrap();
}

const PLANTED: [Planted; 32] = {
    const fn planted(what: &'static str, at: &'static str, make: fn(&Path, &Path)) -> Planted {
        Planted { what, at, make, hides_entry: false }
    }
    const fn hiding(what: &'static str, at: &'static str, make: fn(&Path, &Path)) -> Planted {
        Planted { what, at, make, hides_entry: true }
    }
    [
        hiding("a link to a folder", "outbox", link_to_folder),
        planted("a link to a folder", "outbox/new", link_to_folder),
        hiding("a link to a folder", "outbox/waiting", link_to_folder),
        planted("a link to a folder", "outbox/failed", link_to_folder),
        planted("a link to a file", "outbox/flush.lock", link_to_file),
        planted("a link to nothing", "outbox/flush.lock", link_to_nothing),
        hiding("a link to a folder", "outbox/waiting/ID", link_to_folder),
        hiding("a folder", "outbox/waiting/ID/lock", full_folder),
        hiding("a link to a file", "outbox/waiting/ID/lock", link_to_file),
        hiding("a link to a file", "outbox/waiting/ID/entry.json", link_to_file),
        hiding("a hard link", "outbox/waiting/ID/entry.json", hard_link),
        hiding("a pipe", "outbox/waiting/ID/entry.json", pipe),
        hiding("a huge file", "outbox/waiting/ID/entry.json", huge),
        hiding("a file of another group", "outbox/waiting/ID/entry.json", of_another_group),
        planted("a link to a folder", "outbox/new/20200101T000000.000Z-1-aaaaaa", link_to_folder),
        planted("a link to a folder", "outbox/waiting/20200101T000000.000Z-1-aaaaaa", link_to_folder),
        planted("a pipe", "outbox/waiting/20200101T000000.000Z-1-aaaaaa", pipe),
        planted("a link to a folder", "pacing", link_to_folder),
        planted("a link to a file", "pacing/KEY", link_to_file),
        planted("a link to nothing", "pacing/KEY", link_to_nothing),
        planted("a hard link", "pacing/KEY", hard_link),
        planted("a pipe", "pacing/KEY", pipe),
        planted("a socket", "pacing/KEY", socket),
        planted("a device", "pacing/KEY", device),
        planted("a folder", "pacing/KEY", full_folder),
        planted("a file that all may write", "pacing/KEY", open_to_all),
        planted("a file of another group", "pacing/KEY", of_another_group),
        planted("a huge file", "pacing/KEY", huge),
        planted("a link to a folder", "cooldown", link_to_folder),
        planted("a link to nothing", "cooldown/KEY", link_to_nothing),
        planted("a link to a folder", "change", link_to_folder),
        planted("a hard link", "change/KEY", hard_link),
    ]
};

/// All that is in a folder: path, kind, mode, content, time of the last change.
fn snapshot(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for name in names(folder) {
        let path = folder.join(name);
        let about = fs::symlink_metadata(&path).unwrap();
        let content = if about.is_file() { fs::read_to_string(&path).unwrap() } else { String::new() };
        let (mode, owner, changed) = (about.mode(), (about.uid(), about.gid()), about.modified().unwrap());
        found.push(format!("{} {mode:o} {owner:?} {changed:?} {content:?}", path.display()));
        if about.is_dir() {
            found.extend(snapshot(&path));
        }
    }
    found
}

/// The owner's home: a file, and a folder with what looks like old entries.
fn furnish(home: &Path) {
    let docs = home.join("docs");
    for id in ["20200101T000000.000Z-1-aaaaaa", "20200101T000000.000Z-1-bbbbbb"] {
        let entry = docs.join(id);
        fs::create_dir_all(&entry).unwrap();
        for file in ["lock", "1.bin", "notes.txt"] {
            fs::write(entry.join(file), PRIVATE).unwrap();
            chown(entry.join(file), Some(OWNER), Some(OWNER)).unwrap();
        }
        chown(&entry, Some(OWNER), Some(OWNER)).unwrap();
        let old = SystemTime::now() - Duration::from_secs(48 * 3600);
        fs::File::open(&entry).unwrap().set_modified(old).unwrap();
    }
    fs::write(home.join("file"), PRIVATE).unwrap();
    fs::set_permissions(home.join("file"), fs::Permissions::from_mode(0o660)).unwrap();
    for path in [home, &docs, &home.join("file")] {
        chown(path, Some(OWNER), Some(OWNER)).unwrap();
    }
    fs::set_permissions(home, fs::Permissions::from_mode(0o755)).unwrap();
}

/// The path that a plant takes: the first file of a folder that no other file of the same key hides, or the entry that waits.
fn place_of(scene: &Scene, planted: &Planted) -> PathBuf {
    let mut at = scene.env.state();
    for step in planted.at.split('/') {
        let step = match step {
            "KEY" => names(&at).into_iter().find(|name| name.ends_with(".lock") || at.ends_with("pacing")).unwrap(),
            "ID" => names(&at).remove(0),
            step => step.to_owned(),
        };
        at.push(step);
    }
    at
}

fn check(planted: &Planted) {
    let case = format!("{} as {}", planted.what, planted.at);
    let Some(scene) = shared() else { return };
    let home = scene.env.home();
    furnish(&home);
    store(&scene, "waiting");
    by(OWNER, &scene, &["webhook-send", "--cooldown", "1h", "first"]).run().assert_code(0);
    by(OWNER, &scene, &JOB).run().assert_code(0);
    store(&scene, "waiting too");
    let before = scene.texts().len();
    let at = place_of(&scene, planted);
    if at.is_dir() {
        fs::rename(&at, at.with_extension("away")).unwrap();
        fs::remove_dir_all(at.with_extension("away")).unwrap();
    } else {
        let _ = fs::remove_file(&at);
    }
    (planted.make)(&at, &home);
    let untouched = snapshot(&home);
    let mut said = String::new();
    let mut tell = |run: Run| {
        assert!(!run.all().contains(PRIVATE) && run.code != Some(1), "{case}: {}", run.all());
        said.push_str(&run.all());
        run
    };
    for args in [
        &["webhook-send", "plain"][..],
        &["webhook-send", "--outbox", "stored"],
        &["webhook-send", "--cooldown", "1h", "cooled"],
        &["webhook-send", "--cooldown", "1h", "first"],
    ] {
        let told = tell(by(OWNER, &scene, args).run());
        assert_eq!(told.code, Some(0), "{case}: {args:?}: {}", told.all());
    }
    assert_eq!(tell(by(OWNER, &scene, &JOB).env("CODE", "3").run()).code, Some(3), "{case}");
    tell(by(OWNER, &scene, &["outbox", "flush"]).run());
    tell(by(MEMBER, &scene, &["outbox", "flush", "--failed"]).run());
    tell(by(OWNER, &scene, &["outbox", "list"]).run());
    tell(by(OWNER, &scene, &["outbox", "drop", "--all"]).run());
    tell(by(OWNER, &scene, &["check"]).run());
    let texts = scene.texts();
    let arrived = |text: &str| texts[before..].iter().filter(|arrived| *arrived == text).count();
    // What cannot be remembered is told again.
    let repeats = usize::from(planted.at.starts_with("cooldown"));
    for (text, times) in [("plain", 1), ("stored", 1), ("cooled", 1), ("first", repeats)] {
        assert_eq!(arrived(text), times, "{case}: {text}: {texts:?}");
    }
    assert!(texts[before..].iter().any(|text| text.contains("exit code 3")), "{case}: {texts:?}");
    if !planted.hides_entry {
        assert_eq!((arrived("waiting"), arrived("waiting too")), (1, 1), "{case}: {texts:?}");
    }
    assert!(texts.iter().all(|text| !text.contains(PRIVATE)), "{case}");
    let name = at.file_stem().unwrap().to_str().unwrap();
    let is_swept = planted.at.starts_with("outbox/new/");
    assert!(is_swept || said.contains(name), "{case}: {name} is not named: {said}");
    assert_eq!(snapshot(&home), untouched, "{case}");
}

#[test]
fn what_a_member_puts_there_reaches_nothing_and_costs_no_alert() {
    at_once(&PLANTED, check);
}
