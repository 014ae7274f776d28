//! The file formats of an entry, versions 1 and 2.
//!
//! Version 2: the first line is `{"version":2,"sha256":"…"}` with the checksum of all that follows; the second is the
//! [`StoredAlert`] or its [`EntryProgress`]; in `entry.json` the body of each part follows, a line each.
//!
//! Version 1, as 0.1.0 wrote it: one JSON document with everything in it, in `entry.json` and once more in
//! `progress.json`. It is read, and never written.

use std::io::{self, BufRead, BufReader, Read};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::entry::{EntryProgress, StoredAlert};
use crate::fingerprint::{in_hex, sha256};
use crate::message::Part;

/// The version that is written.
const VERSION: u32 = 2;

/// No first line of version 2 is longer, in bytes.
const LONGEST_HEAD: u64 = 256;

/// The bodies of parts, as they are in `entry.json`.
pub(crate) fn write_bodies(parts: &[Part]) -> io::Result<Vec<u8>> {
    let mut lines = Vec::new();
    for part in parts {
        serde_json::to_writer(&mut lines, &part.body)?;
        lines.push(b'\n');
    }
    Ok(lines)
}

/// The content of `entry.json`; `bodies` are those of its parts.
pub(crate) fn write_entry(entry: &StoredAlert, mut bodies: Vec<u8>) -> io::Result<Vec<u8>> {
    let mut content = line(entry)?;
    content.append(&mut bodies);
    sealed(content)
}

/// The content of `progress.json`.
pub(crate) fn write_progress(progress: &EntryProgress) -> io::Result<Vec<u8>> {
    sealed(line(progress)?)
}

fn line(value: &impl Serialize) -> io::Result<Vec<u8>> {
    let mut line = serde_json::to_vec(value)?;
    line.push(b'\n');
    Ok(line)
}

pub(crate) fn sealed(mut content: Vec<u8>) -> io::Result<Vec<u8>> {
    let mut file = line(&json!({ "version": VERSION, "sha256": sha256(&content) }))?;
    file.append(&mut content);
    Ok(file)
}

/// Reads `entry.json` without its bodies; of version 1 the progress is in it.
/// The error says what is wrong with it; nothing of the content is shown.
pub(crate) fn read_entry(file: impl Read) -> Result<(StoredAlert, Option<EntryProgress>), String> {
    match open(file)? {
        Opened::V2(mut lines) => {
            let entry: StoredAlert = lines.next_as()?;
            let parts = lines.count_rest()?;
            if parts == entry.parts.len() { Ok((entry, None)) } else { Err("it lacks parts".to_owned()) }
        }
        Opened::V1(old) => {
            let entry = StoredAlert::deserialize(&old).map_err(|_| no_entry(1, 1))?;
            Ok((entry, Some(old_progress(old)?)))
        }
    }
}

/// Reads the bodies of the parts in `entry.json`, in order.
pub(crate) fn read_bodies(file: impl Read) -> Result<Vec<Value>, String> {
    match open(file)? {
        Opened::V2(mut lines) => {
            let mut bodies = vec![Value::Null; lines.next_as::<StoredAlert>()?.parts.len()];
            for body in &mut bodies {
                *body = lines.next_as()?;
            }
            lines.count_rest()?;
            Ok(bodies)
        }
        Opened::V1(mut old) => {
            let parts = old["parts"].as_array_mut().into_iter().flatten();
            Ok(parts.map(|part| part["body"].take()).collect())
        }
    }
}

/// Reads `progress.json` of an entry with that many parts.
pub(crate) fn read_progress(file: impl Read, parts: usize) -> Result<EntryProgress, String> {
    let progress: EntryProgress = match open(file)? {
        Opened::V2(mut lines) => {
            let progress = lines.next_as()?;
            lines.count_rest()?;
            progress
        }
        Opened::V1(old) => old_progress(old)?,
    };
    if progress.parts.len() == parts { Ok(progress) } else { Err("it is that of another entry".to_owned()) }
}

/// A file whose version is known.
enum Opened<R> {
    V1(Value),
    V2(Lines<BufReader<R>>),
}

fn open<R: Read>(file: R) -> Result<Opened<R>, String> {
    let mut reader = BufReader::with_capacity(64 * 1024, file);
    let mut content = Vec::new();
    reader.by_ref().take(LONGEST_HEAD).read_until(b'\n', &mut content).map_err(|error| unreadable(&error))?;
    let head: Option<Value> = serde_json::from_slice(&content).ok();
    if let Some(sum) = head.as_ref().and_then(|head| head.get("sha256")?.as_str())
        && head.as_ref().is_some_and(|head| head["version"] == VERSION)
    {
        let (expected, sum) = (sum.to_owned(), Sha256::new());
        return Ok(Opened::V2(Lines { reader, expected, sum, line: Vec::new(), number: 1 }));
    }
    reader.read_to_end(&mut content).map_err(|error| unreadable(&error))?;
    let old: Value = serde_json::from_slice(&content).map_err(|error| no_entry(error.line(), error.column()))?;
    match old.get("version").and_then(Value::as_u64) {
        Some(1) => Ok(Opened::V1(old)),
        Some(version) if version != u64::from(VERSION) => {
            Err(format!("it has version {version}, and this program reads versions 1 and {VERSION}"))
        }
        _ => Err(no_entry(1, 1)),
    }
}

/// The lines after the first one, and whether they are those that were written.
struct Lines<R> {
    reader: R,
    expected: String,
    sum: Sha256,
    line: Vec<u8>,
    number: usize,
}

impl<R: BufRead> Lines<R> {
    /// Whether there is another one.
    fn advance(&mut self) -> Result<bool, String> {
        self.line.clear();
        self.reader.read_until(b'\n', &mut self.line).map_err(|error| unreadable(&error))?;
        self.sum.update(&self.line);
        self.number += 1;
        Ok(!self.line.is_empty())
    }

    fn next_as<T: DeserializeOwned>(&mut self) -> Result<T, String> {
        self.advance()?;
        serde_json::from_slice(&self.line).map_err(|error| no_entry(self.number, error.column()))
    }

    /// Goes to the end, and compares the checksum. Returns how many lines there were.
    fn count_rest(&mut self) -> Result<usize, String> {
        let mut count = 0;
        while self.advance()? {
            count += 1;
        }
        if in_hex(std::mem::take(&mut self.sum)) == self.expected {
            Ok(count)
        } else {
            Err("it is not what was written: its checksum differs".to_owned())
        }
    }
}

fn unreadable(error: &io::Error) -> String {
    format!("it cannot be read: {error}")
}

fn no_entry(line: usize, column: usize) -> String {
    format!("it is no entry, from line {line} column {column} on")
}

/// The progress in a file of version 1. Its parts have `done` and `sent`; its other fields are those of today.
fn old_progress(mut old: Value) -> Result<EntryProgress, String> {
    let parts = match old["parts"].take() {
        Value::Array(parts) => parts,
        _ => Vec::new(),
    };
    let is_left = |index: &usize| parts.get(*index).is_some_and(|part| part["done"] == false);
    // Where it names no part that is left, any of them may be meant.
    let named = old["under_way"].as_u64().and_then(|index| usize::try_from(index).ok()).filter(is_left);
    let is_under_way = |index| !old["under_way"].is_null() && named.is_none_or(|named| named == index);
    let letter = |(index, part): (usize, &Value)| match part["done"].as_bool() {
        Some(true) => 's',
        Some(false) if is_under_way(index) => 'w',
        Some(false) => 'p',
        None => '?',
    };
    let taken = |(index, part): (usize, &Value)| (part["done"] != true).then(|| json!([index, part["sent"]]));
    let states: String = parts.iter().enumerate().map(letter).collect();
    let taken: Value = parts.iter().enumerate().filter_map(taken).collect();
    old["parts"] = json!({ "states": states, "taken": taken });
    serde_json::from_value(old).map_err(|_| no_entry(1, 1))
}
