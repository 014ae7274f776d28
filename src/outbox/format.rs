//! The file formats of an entry, versions 1 and 2.
//!
//! Version 2: the first line is `{"version":2,"sha256":"…"}` with the checksum of all that follows; the second is the
//! [`StoredAlert`] or its [`EntryProgress`]; in `entry.json` the body of each part follows, a line each.
//!
//! Version 1, as 0.1.0 wrote it: one JSON document with everything in it, in `entry.json` and once more in
//! `progress.json`. It is read, and never written. It has no checksum, so it is read strictly.
//!
//! No line of version 2, and no file of version 1, is read that is longer than [`LONGEST_LINE`].

use std::io::{self, BufRead, BufReader, Read};

use ring::digest::Context;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::entry::{EntryProgress, PartProgress, StoredAlert};
use crate::fingerprint::{in_hex, new_sum, sha256};
use crate::message::{Part, PartState};

/// The version that is written.
const VERSION: u32 = 2;

/// No first line of version 2 is longer, in bytes.
const LONGEST_HEAD: u64 = 256;

/// What is read into memory at once is no longer, in bytes: an input has 20 MiB at the most, and JSON may double it.
const LONGEST_LINE: u64 = 64 * 1024 * 1024;

/// Why a file of an entry was not read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadError {
    /// The file system did not let it be read. That may pass, so nothing is known about the file.
    #[error("it cannot be read now: {0}")]
    Io(#[from] io::Error),
    /// It was read, and is not what was written. The text says what is wrong with it; nothing of the content is shown.
    #[error("{0}")]
    Damaged(String),
}

impl ReadError {
    pub(super) fn damaged(what: impl Into<String>) -> Self {
        Self::Damaged(what.into())
    }
}

/// The bodies of parts, as they are in `entry.json`. Fails for a body that would not be read again.
pub(crate) fn write_bodies(parts: &[Part]) -> io::Result<Vec<u8>> {
    let mut lines = Vec::new();
    for part in parts {
        let before = lines.len();
        serde_json::to_writer(&mut lines, &part.body())?;
        lines.push(b'\n');
        if (lines.len() - before) as u64 > LONGEST_LINE {
            return Err(io::Error::new(
                io::ErrorKind::FileTooLarge,
                "a part of the message is too long for the outbox",
            ));
        }
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
pub(crate) fn read_entry(file: impl Read) -> Result<(StoredAlert, Option<EntryProgress>), ReadError> {
    let (entry, progress) = match open(file)? {
        Opened::V2(mut lines) => {
            let entry: StoredAlert = lines.next_as()?;
            if lines.count_rest()? != entry.parts.len() {
                return Err(ReadError::damaged("it lacks parts"));
            }
            (entry, None)
        }
        Opened::V1(old) => {
            let entry = serde_json::from_slice(&old).map_err(|error| no_entry(error.line(), error.column()))?;
            (entry, Some(old_progress(&old)?))
        }
    };
    // Without a part there would be nothing to send, and that would count as delivered.
    if entry.parts.is_empty() { Err(ReadError::damaged("it has no parts")) } else { Ok((entry, progress)) }
}

/// Reads the bodies of the parts in `entry.json`, in order, as messages.
pub(crate) fn read_bodies(file: impl Read) -> Result<Vec<Part>, ReadError> {
    let mut parts = Vec::new();
    let mut last = None;
    let mut keep = |body: Value, is_only: bool| {
        let mut part = Part::message(body);
        if !is_only {
            part.share_body(&mut last);
        }
        parts.push(part);
    };
    match open(file)? {
        Opened::V2(mut lines) => {
            let count = lines.next_as::<StoredAlert>()?.parts.len();
            for _ in 0..count {
                keep(lines.next_as()?, count == 1);
            }
            lines.count_rest()?;
        }
        Opened::V1(old) => {
            let old: OldBodies =
                serde_json::from_slice(&old).map_err(|error| no_entry(error.line(), error.column()))?;
            let is_only = old.parts.len() == 1;
            old.parts.into_iter().for_each(|part| keep(part.body, is_only));
        }
    }
    match parts.iter().all(|part| part.fields().is_object()) {
        true => Ok(parts),
        false => Err(ReadError::damaged("a part has no body")),
    }
}

/// Reads the body of the first part, where it has at most `most` bytes; for a list, so its checksum is not looked at.
pub(crate) fn read_first_body(file: impl Read, most: u64) -> Option<Value> {
    match open(file).ok()? {
        Opened::V2(mut lines) => {
            lines.next_as::<StoredAlert>().ok()?;
            let mut line = Vec::new();
            lines.reader.take(most).read_until(b'\n', &mut line).ok()?;
            serde_json::from_slice(&line).ok()
        }
        Opened::V1(old) => {
            serde_json::from_slice::<OldBodies>(&old).ok()?.parts.into_iter().next().map(|part| part.body)
        }
    }
}

/// Reads `progress.json` of an entry with that many parts.
pub(crate) fn read_progress(file: impl Read, parts: usize) -> Result<EntryProgress, ReadError> {
    let progress: EntryProgress = match open(file)? {
        Opened::V2(mut lines) => {
            let progress = lines.next_as()?;
            lines.count_rest()?;
            progress
        }
        Opened::V1(old) => old_progress(&old)?,
    };
    if progress.parts.len() == parts { Ok(progress) } else { Err(ReadError::damaged("it is that of another entry")) }
}

/// A file whose version is known.
enum Opened<R> {
    /// All of it.
    V1(Vec<u8>),
    V2(Box<Lines<BufReader<R>>>),
}

fn open<R: Read>(file: R) -> Result<Opened<R>, ReadError> {
    let mut reader = BufReader::with_capacity(64 * 1024, file);
    let mut content = Vec::new();
    reader.by_ref().take(LONGEST_HEAD).read_until(b'\n', &mut content)?;
    let head: Option<Value> = serde_json::from_slice(&content).ok();
    if let Some(sum) = head.as_ref().and_then(|head| head.get("sha256")?.as_str())
        && head.as_ref().is_some_and(|head| head["version"] == VERSION)
    {
        let (expected, sum) = (sum.to_owned(), new_sum());
        return Ok(Opened::V2(Box::new(Lines { reader, expected, sum, line: Vec::new(), number: 1 })));
    }
    if content.len() as u64 + reader.take(LONGEST_LINE).read_to_end(&mut content)? as u64 > LONGEST_LINE {
        return Err(too_long(1));
    }
    old_version(&content)?;
    Ok(Opened::V1(content))
}

/// Fails unless the content is a document of version 1.
fn old_version(content: &[u8]) -> Result<(), ReadError> {
    #[derive(Deserialize)]
    struct Head {
        version: u64,
    }
    match serde_json::from_slice(content) {
        Ok(Head { version: 1 }) => Ok(()),
        Ok(Head { version }) if version != u64::from(VERSION) => Err(ReadError::damaged(format!(
            "it has version {version}, and this program reads versions 1 and {VERSION}"
        ))),
        Ok(_) => Err(no_entry(1, 1)),
        Err(error) => Err(no_entry(error.line(), error.column())),
    }
}

/// The lines after the first one, and whether they are those that were written.
struct Lines<R> {
    reader: R,
    expected: String,
    sum: Context,
    line: Vec<u8>,
    number: usize,
}

impl<R: BufRead> Lines<R> {
    fn next_as<T: DeserializeOwned>(&mut self) -> Result<T, ReadError> {
        self.line.clear();
        self.number += 1;
        self.reader.by_ref().take(LONGEST_LINE + 1).read_until(b'\n', &mut self.line)?;
        if self.line.len() as u64 > LONGEST_LINE {
            return Err(too_long(self.number));
        }
        self.sum.update(&self.line);
        serde_json::from_slice(&self.line).map_err(|error| no_entry(self.number, error.column()))
    }

    /// Goes to the end, and compares the checksum. Returns how many lines there were; none of them is kept in memory.
    fn count_rest(&mut self) -> Result<usize, ReadError> {
        let (mut count, mut is_ended) = (0, true);
        loop {
            let some = match self.reader.fill_buf() {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                some => some?,
            };
            let Some(last) = some.last() else { break };
            is_ended = *last == b'\n';
            count += some.iter().filter(|byte| **byte == b'\n').count();
            self.sum.update(some);
            let length = some.len();
            self.reader.consume(length);
        }
        if in_hex(self.sum.clone()) == self.expected {
            Ok(count + usize::from(!is_ended))
        } else {
            Err(ReadError::damaged("it is not what was written: its checksum differs"))
        }
    }
}

fn no_entry(line: usize, column: usize) -> ReadError {
    ReadError::Damaged(format!("it is not an entry, from line {line} column {column} on"))
}

fn too_long(line: usize) -> ReadError {
    ReadError::Damaged(format!("its line {line} has more than {LONGEST_LINE} bytes"))
}

/// The bodies in a file of version 1.
#[derive(Deserialize)]
struct OldBodies {
    parts: Vec<OldBody>,
}

#[derive(Deserialize)]
struct OldBody {
    #[serde(default)]
    body: Value,
}

/// What a file of version 1 has of the progress.
#[derive(Deserialize)]
struct OldProgress {
    attempts: u32,
    errcode: Option<i64>,
    status: Option<String>,
    message: Option<String>,
    may_have_arrived: bool,
    last_attempt_ms: Option<u64>,
    mark: Option<String>,
    /// The index of the part whose request was under way, of whatever type.
    #[serde(default)]
    under_way: Value,
    parts: Vec<OldPart>,
}

/// How far a part had come.
#[derive(Deserialize)]
struct OldPart {
    done: bool,
    sent: usize,
}

/// The progress in a file of version 1.
fn old_progress(content: &[u8]) -> Result<EntryProgress, ReadError> {
    let old: OldProgress = serde_json::from_slice(content).map_err(|error| no_entry(error.line(), error.column()))?;
    // Where it names no part that is left, any of them may be meant.
    let is_left = |index: &usize| old.parts.get(*index).is_some_and(|part| !part.done);
    let named = old.under_way.as_u64().and_then(|index| usize::try_from(index).ok()).filter(is_left);
    let is_under_way = |index| !old.under_way.is_null() && named.is_none_or(|named| named == index);
    let part = |(index, part): (usize, &OldPart)| match part.done {
        true => PartProgress { state: PartState::Sent, taken: 0 },
        false if is_under_way(index) => PartProgress { state: PartState::UnderWay, taken: part.sent },
        false => PartProgress { state: PartState::Pending, taken: part.sent },
    };
    Ok(EntryProgress {
        parts: old.parts.iter().enumerate().map(part).collect(),
        attempts: old.attempts,
        errcode: old.errcode,
        status: old.status,
        message: old.message,
        may_have_arrived: old.may_have_arrived,
        last_attempt_ms: old.last_attempt_ms,
        mark: old.mark,
        left: None,
    })
}
