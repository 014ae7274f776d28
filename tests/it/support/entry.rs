//! The files of an outbox entry, looked into and changed.

use std::fs;
use std::path::Path;

use serde_json::Value;

/// The lines of a file behind its head. The checksum in the head must be theirs.
pub(crate) fn lines(file: &Path) -> Vec<Value> {
    let content = fs::read_to_string(file).unwrap();
    let (head, rest) = content.split_once('\n').unwrap();
    let head: Value = serde_json::from_str(head).unwrap();
    assert_eq!((&head["version"], head["sha256"].as_str()), (&Value::from(2), Some(sum_of(rest).as_str())));
    rest.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Changes lines of a file, and its checksum with them.
pub(crate) fn change(file: &Path, work: impl FnOnce(&mut [Value])) {
    let mut content = lines(file);
    work(&mut content);
    write(file, &content);
}

/// Makes the entry in this folder older.
pub(crate) fn age(folder: &Path, by_ms: u64) -> u64 {
    at(folder, |ms| ms - by_ms)
}

/// Makes the entry in this folder one of later.
pub(crate) fn rejuvenate(folder: &Path, by_ms: u64) {
    at(folder, |ms| ms + by_ms);
}

fn at(folder: &Path, moved: impl Fn(u64) -> u64) -> u64 {
    let earlier = |value: &mut Value| {
        if let Some(ms) = value.as_u64() {
            *value = Value::from(moved(ms));
        }
    };
    let entry = folder.join("entry.json");
    let mut content = lines(&entry);
    earlier(&mut content[0]["queued_at_ms"]);
    let queued_at = content[0]["queued_at_ms"].as_u64().unwrap();
    write(&entry, &content);
    let progress = folder.join("progress.json");
    if progress.exists() {
        let mut content = lines(&progress);
        earlier(&mut content[0]["last_attempt_ms"]);
        write(&progress, &content);
    }
    queued_at
}

fn write(file: &Path, lines: &[Value]) {
    let rest: String = lines.iter().map(|line| format!("{line}\n")).collect();
    fs::write(file, format!("{{\"version\":2,\"sha256\":\"{}\"}}\n{rest}", sum_of(&rest))).unwrap();
}

fn sum_of(text: &str) -> String {
    use ring::digest::{SHA256, digest};
    digest(&SHA256, text.as_bytes()).as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}
