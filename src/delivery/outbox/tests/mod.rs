//! The store as a whole, in a folder of its own.

mod killed;
mod life;
mod limits;

use std::path::PathBuf;

use serde_json::json;
use tempfile::TempDir;

use super::{Claim, Held, NewEntry, NewPart, Outbox};
use crate::delivery::PartKind;
use crate::input::Attachment;
use crate::message::Route;
use crate::message::media::MediaKind;
use crate::state::Folder;

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

    fn accept(&self) -> Held {
        self.outbox.accept(plain("disk full")).unwrap()
    }

    /// Accepts one that nobody holds.
    fn leave(&self) -> String {
        self.accept().id().to_owned()
    }

    fn claim(&self, id: &str) -> Held {
        match self.outbox.claim(id).unwrap() {
            Claim::Held(held) => *held,
            other => panic!("{other:?}"),
        }
    }

    /// The names in a folder of the outbox.
    fn names(&self, below: &str) -> Vec<String> {
        Folder::private(self.path(below)).names().unwrap()
    }

    /// The ids of what is whole, waiting and failed, and of what is damaged, waiting and failed.
    fn listed(&self) -> [Vec<String>; 4] {
        let ids = |entries: Vec<super::Entry>| entries.into_iter().map(|entry| entry.id).collect();
        let (waiting, failed) = (self.outbox.waiting().unwrap(), self.outbox.failed().unwrap());
        let damaged = |damaged: Vec<super::Damaged>| damaged.into_iter().map(|damaged| damaged.id).collect();
        [ids(waiting.entries), ids(failed.entries), damaged(waiting.damaged), damaged(failed.damaged)]
    }
}

fn plain(text: &str) -> NewEntry {
    with_parts(vec![message(text)])
}

fn with_parts(parts: Vec<NewPart>) -> NewEntry {
    NewEntry {
        command: "app-send".to_owned(),
        route: Route::App,
        profile: Some("ops".to_owned()),
        target: None,
        queued_at_ms: AT_MS,
        at_most_once: false,
        duplicate_check_s: Some(1800),
        markable: true,
        parts,
    }
}

fn message(text: &str) -> NewPart {
    let body = json!({"touser": "zhangsan", "msgtype": "text", "agentid": 1, "text": {"content": text}});
    NewPart { kind: PartKind::Message, label: None, body, media: None }
}

/// A part whose file has this content and is shown under this name.
fn file_part(content: &[u8], name: &str) -> NewPart {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), content).unwrap();
    let attachment = Attachment::kept(file.path(), name).unwrap();
    let body = json!({"touser": "zhangsan", "msgtype": "file", "agentid": 1, "file": {"media_id": "x"}});
    NewPart {
        kind: PartKind::Attachment,
        label: Some(name.to_owned()),
        body,
        media: Some((MediaKind::File, attachment)),
    }
}
