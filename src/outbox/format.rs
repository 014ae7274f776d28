//! The files of an entry, in both versions that there are.
//!
//! Version 2: the first line is `{"version":2,"sha256":"…"}` with the checksum of all that follows; the second is the
//! [`Entry`] or its [`Progress`]; in `entry.json` the body of each part follows, a line each.
//!
//! Version 1, as 0.1.0 wrote it: one JSON document with everything in it, in `entry.json` and once more in
//! `progress.json`. It is read, and never written.

use std::io::{self, BufRead, BufReader, Read};

use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::entry::{Entry, PartProgress, Progress, StoredFile, StoredPart};
use crate::channel::Channel;
use crate::fingerprint::{Checksum, sha256};
use crate::message::media::MediaKind;
use crate::message::{Part, PartKind, PartState};

/// The version that is written.
const VERSION: u32 = 2;

/// No first line of version 2 is longer, in bytes.
const LONGEST_HEAD: u64 = 256;

/// What stands before the content.
#[derive(Serialize, Deserialize)]
struct Head {
    version: u32,
    sha256: String,
}

/// The version alone, of whatever form.
#[derive(Deserialize)]
struct AnyVersion {
    version: u32,
}

/// The bodies of parts as they stand in `entry.json`.
pub(super) fn write_bodies(parts: &[Part]) -> io::Result<Vec<u8>> {
    let mut lines = Vec::new();
    for part in parts {
        serde_json::to_writer(&mut lines, &part.body)?;
        lines.push(b'\n');
    }
    Ok(lines)
}

/// The content of `entry.json`; `bodies` are those of its parts.
pub(super) fn write_entry(entry: &Entry, mut bodies: Vec<u8>) -> io::Result<Vec<u8>> {
    let mut content = line(entry)?;
    content.append(&mut bodies);
    sealed(content)
}

/// The content of `progress.json`.
pub(super) fn write_progress(progress: &Progress) -> io::Result<Vec<u8>> {
    sealed(line(progress)?)
}

fn line(value: &impl Serialize) -> io::Result<Vec<u8>> {
    let mut line = serde_json::to_vec(value)?;
    line.push(b'\n');
    Ok(line)
}

fn sealed(mut content: Vec<u8>) -> io::Result<Vec<u8>> {
    let mut file = line(&Head { version: VERSION, sha256: sha256(&content) })?;
    file.append(&mut content);
    Ok(file)
}

/// Reads `entry.json` without its bodies; of version 1 the progress is in it.
///
/// # Errors
///
/// What is wrong with it; nothing of the content is shown.
pub(super) fn read_entry(file: impl Read) -> Result<(Entry, Option<Progress>), String> {
    match open(file)? {
        Opened::V2(mut lines) => {
            let entry: Entry = lines.next_as()?;
            let parts = lines.count_rest()?;
            if parts == entry.parts.len() { Ok((entry, None)) } else { Err("it lacks parts".to_owned()) }
        }
        Opened::V1(content) => {
            let old: Old<IgnoredAny> = read_old(content)?;
            let progress = old.progress();
            Ok((old.into_entry(), Some(progress)))
        }
    }
}

/// Reads the bodies of the parts in `entry.json`, in order.
///
/// # Errors
///
/// As [`read_entry`].
pub(super) fn read_bodies(file: impl Read) -> Result<Vec<Value>, String> {
    match open(file)? {
        Opened::V2(mut lines) => {
            let mut bodies = vec![Value::Null; lines.next_as::<Entry>()?.parts.len()];
            for body in &mut bodies {
                *body = lines.next_as()?;
            }
            lines.count_rest()?;
            Ok(bodies)
        }
        Opened::V1(content) => {
            let old: Old<Value> = read_old(content)?;
            Ok(old.parts.into_iter().map(|part| part.body).collect())
        }
    }
}

/// Reads `progress.json` of an entry with that many parts.
///
/// # Errors
///
/// As [`read_entry`].
pub(super) fn read_progress(file: impl Read, parts: usize) -> Result<Progress, String> {
    let progress: Progress = match open(file)? {
        Opened::V2(mut lines) => {
            let progress = lines.next_as()?;
            lines.count_rest()?;
            progress
        }
        Opened::V1(content) => read_old::<IgnoredAny>(content)?.progress(),
    };
    if progress.parts.len() == parts { Ok(progress) } else { Err("it is that of another entry".to_owned()) }
}

/// A file whose version is known.
enum Opened<R> {
    V1(io::Chain<io::Cursor<Vec<u8>>, BufReader<R>>),
    V2(Lines<BufReader<R>>),
}

fn open<R: Read>(file: R) -> Result<Opened<R>, String> {
    let mut reader = BufReader::with_capacity(64 * 1024, file);
    let mut first = Vec::new();
    reader.by_ref().take(LONGEST_HEAD).read_until(b'\n', &mut first).map_err(|error| unreadable(&error))?;
    match serde_json::from_slice(&first) {
        Ok(Head { version: VERSION, sha256 }) => Ok(Opened::V2(Lines::new(reader, sha256))),
        Ok(Head { version, .. }) => Err(of_another(version)),
        Err(_) => Ok(Opened::V1(io::Cursor::new(first).chain(reader))),
    }
}

/// The lines behind the first one, and whether they are those that were written.
struct Lines<R> {
    reader: R,
    expected: String,
    sum: Checksum,
    line: Vec<u8>,
    number: usize,
}

impl<R: BufRead> Lines<R> {
    fn new(reader: R, expected: String) -> Self {
        Self { reader, expected, sum: Checksum::default(), line: Vec::new(), number: 1 }
    }

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
        serde_json::from_slice(&self.line)
            .map_err(|error| format!("it is no entry, from line {} column {} on", self.number, error.column()))
    }

    /// Goes to the end, and compares the checksum. Returns how many lines there were.
    fn count_rest(&mut self) -> Result<usize, String> {
        let mut count = 0;
        while self.advance()? {
            count += 1;
        }
        let sum = std::mem::take(&mut self.sum).finish();
        if sum == self.expected {
            Ok(count)
        } else {
            Err("it is not what was written: its checksum differs".to_owned())
        }
    }
}

fn unreadable(error: &io::Error) -> String {
    format!("it cannot be read: {error}")
}

fn of_another(version: u32) -> String {
    format!("it has version {version}, and this program reads versions 1 and {VERSION}")
}

/// An entry of version 1. `B` is the body of a part.
#[derive(Deserialize)]
struct Old<B> {
    version: u32,
    id: String,
    route: Channel,
    profile: Option<String>,
    target: Option<String>,
    queued_at_ms: u64,
    attempts: u32,
    errcode: Option<i64>,
    status: Option<String>,
    message: Option<String>,
    may_have_arrived: bool,
    at_most_once: bool,
    under_way: Option<usize>,
    #[serde(default)]
    last_attempt_ms: Option<u64>,
    #[serde(default)]
    mark: Option<String>,
    duplicate_check_s: Option<u64>,
    markable: bool,
    parts: Vec<OldPart<B>>,
}

#[derive(Deserialize)]
struct OldPart<B> {
    kind: PartKind,
    label: Option<String>,
    body: B,
    media: Option<OldMedia>,
    sent: usize,
    done: bool,
}

#[derive(Deserialize)]
struct OldMedia {
    kind: MediaKind,
    name: String,
    file: String,
    size: u64,
}

fn read_old<B: DeserializeOwned>(mut content: impl Read) -> Result<Old<B>, String> {
    // Whole, since a reader that is asked for byte after byte takes ten times as long.
    let mut bytes = Vec::new();
    content.read_to_end(&mut bytes).map_err(|error| unreadable(&error))?;
    match serde_json::from_slice::<Old<B>>(&bytes) {
        Ok(old) if old.version == 1 => Ok(old),
        Ok(Old { version, .. }) => Err(of_another(version)),
        Err(error) => match serde_json::from_slice(&bytes) {
            Ok(AnyVersion { version }) if !(1..=VERSION).contains(&version) => Err(of_another(version)),
            _ => Err(format!("it is no entry, from line {} column {} on", error.line(), error.column())),
        },
    }
}

impl<B> Old<B> {
    fn progress(&self) -> Progress {
        let part = |(index, part): (usize, &OldPart<B>)| PartProgress {
            state: match (part.done, self.under_way == Some(index)) {
                (true, _) => PartState::Sent,
                (false, true) => PartState::UnderWay,
                (false, false) => PartState::Pending,
            },
            taken: part.sent,
        };
        Progress {
            attempts: self.attempts,
            errcode: self.errcode,
            status: self.status.clone(),
            message: self.message.clone(),
            may_have_arrived: self.may_have_arrived,
            last_attempt_ms: self.last_attempt_ms,
            mark: self.mark.clone(),
            parts: self.parts.iter().enumerate().map(part).collect(),
        }
    }

    fn into_entry(self) -> Entry {
        let stored = |part: OldPart<B>| StoredPart {
            kind: part.kind,
            name: part.label,
            file: part.media.map(|OldMedia { kind, name, file, size }| StoredFile {
                kind,
                name,
                file,
                size,
                sha256: None,
            }),
        };
        Entry {
            id: self.id,
            channel: self.route,
            profile: self.profile,
            target: self.target,
            queued_at_ms: self.queued_at_ms,
            at_most_once: self.at_most_once,
            duplicate_check_s: self.duplicate_check_s,
            markable: self.markable,
            parts: self.parts.into_iter().map(stored).collect(),
        }
    }
}
