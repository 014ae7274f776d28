//! The layers of the source, checked against its imports: a module of `src/` (a file or folder) uses only its own layer
//! and lower ones, and no files inside a module depend on each other in a circle.

mod imports;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The modules of `src/`, the lowest layer first. A module may use its own layer.
const LAYERS: [&[&str]; 9] = [
    &[
        "address",
        "blocking",
        "clock",
        "error",
        "event",
        "fingerprint",
        "json",
        "process",
        "sanitize",
        "secret",
        "sort",
        "suggest",
        "words",
    ],
    &["channel", "message", "config", "input", "alert", "template", "feed", "ci"],
    &["api", "callback", "store", "shared_state"],
    &["rate_limit", "cooldown", "outbox", "token", "aibot", "cards"],
    &["delivery", "lookup"],
    &["send"],
    &[
        "run",
        "batch",
        "ask",
        "listen",
        "group_chat",
        "recall",
        "update_card",
        "directory",
        "check",
        "flush",
        "explain",
        "preview",
    ],
    &["cli"],
    &["fuzz", "main", "lib"],
];

/// Crates that belong to the terminal, and the lowest layer that may use them.
const EDGE_CRATES: [(&str, usize); 2] = [("clap", 7), ("anyhow", 7)];

/// Rooms without clock, disk, network and environment.
const PURE: [&str; 31] = [
    "channel/",
    "message/",
    "alert/",
    "template/",
    "feed/",
    "ci/",
    "api/aibot/frame",
    "api/aibot/press",
    "api/errcode/",
    "batch/keys",
    "batch/line",
    "ask/escalation",
    "ask/question",
    "ask/record.rs",
    "callback/",
    "cards/card_content",
    "cards/kept",
    "delivery/delayed",
    "delivery/failure",
    "delivery/retry",
    "delivery/split/",
    "delivery/summary",
    "lookup/known",
    "outbox/entry",
    "outbox/format",
    "preview/card",
    "preview/html",
    "preview/markdown",
    "preview/marks",
    "send/combine",
    "words/",
];

struct Room {
    path: PathBuf,
    layer: usize,
    source: String,
}

fn rooms() -> Vec<Room> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    collect(&src, &mut files);
    let rooms = files.into_iter().map(|file| {
        let path = file.strip_prefix(&src).unwrap().to_owned();
        let first = path.components().next().unwrap().as_os_str().to_str().unwrap();
        let name = first.trim_end_matches(".rs");
        let layer = layer_of(name).unwrap_or_else(|| panic!("{name} stands in no layer"));
        Room { path, layer, source: fs::read_to_string(&file).unwrap() }
    });
    rooms.collect()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

fn layer_of(name: &str) -> Option<usize> {
    LAYERS.iter().position(|rooms| rooms.contains(&name))
}

/// The rooms that a file names in its paths: `crate::x`, `wecom_alert::x`.
fn used_rooms(source: &str) -> Vec<&str> {
    let code = source.lines().filter(|line| !line.trim_start().starts_with("//"));
    code.flat_map(|line| ["crate::", "wecom_alert::"].into_iter().flat_map(move |root| line.split(root).skip(1)))
        .filter_map(|rest| rest.split(|c: char| !(c.is_alphanumeric() || c == '_')).next())
        .filter(|name| layer_of(name).is_some())
        .collect()
}

#[test]
fn no_arrow_runs_upward() {
    for room in rooms() {
        // The next lines read one name behind `crate::`.
        let grouped = ["crate::{", "wecom_alert::{"].iter().any(|root| room.source.contains(root));
        assert!(!grouped, "{} groups its uses at the root", room.path.display());
        for used in used_rooms(&room.source) {
            let layer = layer_of(used).unwrap();
            assert!(layer <= room.layer, "{} (layer {}) uses {used} (layer {layer})", room.path.display(), room.layer);
        }
    }
}

/// Within each folder, from `src/` itself down, the modules use each other in one direction. A re-exported item counts as
/// the module's that declares it. Any module may use its parent, which declares what several of them share.
#[test]
fn no_modules_of_a_folder_use_each_other_in_a_circle() {
    let rooms = rooms();
    let modules = imports::Modules::read(rooms.iter().map(|room| (room.path.as_path(), room.source.as_str())));
    let mut folders: BTreeMap<&[String], BTreeMap<&str, BTreeSet<&str>>> = BTreeMap::new();
    for (user, used) in modules.uses() {
        let shared = user.iter().zip(used).take_while(|(one, other)| one == other).count();
        if let (Some(user_here), Some(used_here)) = (user.get(shared), used.get(shared)) {
            folders.entry(&user[..shared]).or_default().entry(user_here).or_default().insert(used_here);
        }
    }
    assert!(folders.len() > 10, "{folders:?}");
    let mut circles = Vec::new();
    for (folder, mut uses) in folders {
        // A module that uses none of those left, or is used by none of them, is in no circle and is taken out.
        loop {
            let users: BTreeSet<&str> = uses.keys().copied().collect();
            let used: BTreeSet<&str> = uses.values().flatten().copied().collect();
            uses.values_mut().for_each(|used| used.retain(|name| users.contains(name)));
            uses.retain(|user, uses| used.contains(user) && !uses.is_empty());
            if uses.len() == users.len() {
                break;
            }
        }
        circles.extend((!uses.is_empty()).then_some((folder, uses)));
    }
    assert!(circles.is_empty(), "these use each other in a circle: {circles:#?}");
}

#[test]
fn the_terminal_stays_at_the_edge() {
    for room in rooms() {
        for (name, lowest) in EDGE_CRATES {
            let used = room.source.contains(&format!("{name}::"));
            assert!(!used || room.layer >= lowest, "{} uses {name}", room.path.display());
        }
    }
}

#[test]
fn pure_rooms_touch_nothing() {
    const WORLD: [&str; 7] = ["std::fs", "std::env", "TcpStream", "SystemTime", "Instant", "tokio::", "reqwest::"];
    for room in rooms() {
        let path = room.path.to_str().unwrap();
        if PURE.iter().any(|pure| path.starts_with(pure)) {
            for word in WORLD {
                assert!(!room.source.contains(word), "{path} uses {word}");
            }
        }
    }
}

#[test]
fn there_is_no_junk_room() {
    for room in rooms() {
        for part in room.path.components() {
            let name = part.as_os_str().to_str().unwrap().trim_end_matches(".rs");
            assert!(
                !["util", "utils", "common", "helpers", "types", "misc"].contains(&name),
                "{}",
                room.path.display()
            );
        }
    }
}

/// An option may carry a password in its URL: what holds such values must not be shown by accident.
#[test]
fn options_cannot_be_shown_whole() {
    let source = |file: &str| fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(file)).unwrap();
    let parts = ["mod", "subcommand", "settings", "content", "send"];
    for file in parts.map(|part| format!("cli/args/{part}.rs")) {
        assert!(!source(&file).lines().any(|line| line.contains("derive(") && line.contains("Debug")), "{file}");
    }
    let values = source("config/value.rs") + &source("config/layers.rs");
    for holder in ["enum RawValue", "struct SettingValue", "struct Overrides", "struct Layer("] {
        let (before, _) = values.split_once(holder).unwrap();
        let derived = before.lines().rev().nth(1).unwrap();
        assert!(derived.contains("derive(") && !derived.contains("Debug"), "{holder}: {derived}");
    }
}

/// What the map in `src/lib.rs` and the guide for contributors name is there. The guide is no part of the package.
#[test]
fn named_files_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for page in ["src/lib.rs", ".github/CONTRIBUTING.md"] {
        let text = fs::read_to_string(root.join(page)).unwrap_or_default();
        let is_built = |word: &str| word.starts_with("target/");
        let is_path =
            |word: &&str| word.contains('/') && !word.contains(['*', '<', '{', ' ', ':', '(']) && !is_built(word);
        for path in text.split('`').skip(1).step_by(2).filter(is_path) {
            assert!(root.join(path).exists(), "{page} names {path}, which does not exist");
        }
    }
}
