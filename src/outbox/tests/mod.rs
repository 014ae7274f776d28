//! The store as a whole, in a folder of its own.

mod damaged;
mod killed;
mod life;
mod limits;

use std::path::PathBuf;

use serde_json::json;
use tempfile::TempDir;

use super::{ClaimError, ClaimedEntry, EntryProgress, Listed, NotStored, Outbox, StoredAlert};
use crate::channel::Channel;
use crate::error::{Error, Status};
use crate::input::Attachment;
use crate::message::media::MediaKind;
use crate::message::{Part, PartKind};
use crate::store::Folder;
use crate::words::Language;

const AT_MS: u64 = 1_795_256_130_123;

/// An outbox in a folder that vanishes with it.
struct Place {
    root: TempDir,
    outbox: Outbox,
}

impl Place {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        let outbox = Outbox::open(&Folder::private(root.path().join("state"))).unwrap();
        Self { root, outbox }
    }

    fn path(&self, below: &str) -> PathBuf {
        self.root.path().join("state/outbox").join(below)
    }

    fn accept(&self) -> ClaimedEntry {
        self.store(&[message("disk full")]).unwrap()
    }

    fn store(&self, parts: &[Part]) -> Result<ClaimedEntry, NotStored> {
        self.outbox.accept(alert(), parts)
    }

    /// Accepts one and drops the claim.
    fn leave(&self) -> String {
        self.accept().alert.id.clone()
    }

    fn claim(&self, id: &str) -> ClaimedEntry {
        self.outbox.claim(id).unwrap()
    }

    /// The names in a folder of the outbox.
    fn names(&self, below: &str) -> Vec<String> {
        Folder::private(self.path(below)).names().unwrap()
    }

    /// The ids of what is whole, waiting and failed, and of what is damaged, waiting and failed.
    fn listed(&self) -> [Vec<String>; 4] {
        let sorted = |listed: Vec<Listed>| {
            let (mut whole, mut damaged) = (Vec::new(), Vec::new());
            for listed in listed {
                match listed {
                    Ok((entry, _)) => whole.push(entry.id),
                    Err(entry) => damaged.push(entry.id),
                }
            }
            (whole, damaged)
        };
        let (waiting, damaged) = sorted(self.outbox.waiting().unwrap().collect());
        let (failed, damaged_too) = sorted(self.outbox.failed().unwrap().collect());
        [waiting, failed, damaged, damaged_too]
    }
}

fn alert() -> StoredAlert {
    StoredAlert {
        level: None,
        id: String::new(),
        channel: Channel::App,
        profile: Some("ops".to_owned()),
        target: None,
        queued_at_ms: AT_MS,
        at_most_once: false,
        duplicate_check_s: Some(1800),
        markable: true,
        language: Language::English,
        people: Vec::new(),
        card_data: None,
        parts: Vec::new(),
    }
}

fn message(text: &str) -> Part {
    let body = json!({"touser": "zhangsan", "msgtype": "text", "agentid": 1, "text": {"content": text}});
    Part::message(body)
}

/// A part whose file has this content and is shown under this name.
fn file_part(content: &[u8], name: &str) -> Part {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), content).unwrap();
    let attachment = Attachment::kept(file.reopen().unwrap(), name).unwrap();
    let body = json!({"touser": "zhangsan", "msgtype": "file", "agentid": 1, "file": {"media_id": "x"}});
    Part::new(PartKind::Attachment, body, Some((MediaKind::File, attachment)), Some(name.to_owned()))
}

/// The progress of an entry that was refused.
fn refused(parts: usize) -> EntryProgress {
    let mut progress = EntryProgress::new(parts);
    progress.note(&Error::new(Status::Refused, "no"));
    progress
}
