//! That the store is down: kept for a minute in a file of the state folder, so that no other process of this machine waits
//! for it meanwhile.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::clock::{in_ms, now_ms};
use crate::fingerprint::fingerprint;
use crate::store::Folder;

/// For how long nobody asks the store again.
pub(super) const PAUSE: Duration = Duration::from_secs(60);

/// In the folder of the state.
const FOLDER: &str = "shared_state";

/// In bytes.
const LONGEST: u64 = 4096;

/// Why the store is down, and until when nobody asks it, in Unix milliseconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Outage {
    until: u64,
    why: String,
}

/// The file about one store.
#[derive(Debug, Clone)]
pub(super) struct OutageFile {
    folder: Folder,
    name: String,
}

impl OutageFile {
    /// That of the store with this address, whose file does not show it.
    pub(super) fn new(state: &Folder, address: &str) -> Self {
        let print = fingerprint([address]);
        Self { folder: state.within(FOLDER), name: format!("{}.down", print.get(..32).unwrap_or(&print)) }
    }

    /// For how long nobody is to ask, and why; `None` when the store may be asked.
    pub(super) fn read(&self) -> Option<(Duration, String)> {
        let content = self.folder.read(&self.name, LONGEST).ok()?;
        // After the line end there may be the rest of a longer line from before.
        let line = content.split(|byte| *byte == b'\n').next()?;
        let outage: Outage = serde_json::from_slice(line).ok()?;
        let left = Duration::from_millis(outage.until.checked_sub(now_ms())?);
        // From the future: the clock was set back.
        (!left.is_zero() && left <= PAUSE).then_some((left, outage.why))
    }

    /// It answers again: others may ask.
    pub(super) fn clear(&self) {
        let _ = self.folder.remove_file(&self.name);
    }

    /// Keeps that nobody is to ask from now on, for a while. Trouble with the file only makes others find out themselves.
    pub(super) fn write(&self, why: &str) {
        let outage = Outage { until: now_ms().saturating_add(in_ms(PAUSE)), why: why.to_owned() };
        if let (Ok(mut line), Ok(Some(mut guard))) = (serde_json::to_vec(&outage), self.folder.try_lock(&self.name)) {
            line.push(b'\n');
            let _ = guard.write(&line);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outage_is_known_to_others_for_a_minute() {
        let root = tempfile::tempdir().unwrap();
        let state = Folder::private(root.path().join("state"));
        let file = OutageFile::new(&state, "redis://r.example:6379");
        assert_eq!(file.read(), None);
        assert!(!root.path().join("state").exists(), "looking makes nothing");
        file.write("it is still loading its data, and takes long");
        file.write("it hangs");
        let (left, why) = file.read().unwrap();
        assert!(why == "it hangs" && left <= PAUSE && left > PAUSE / 2, "{left:?} {why}");
        assert_eq!(OutageFile::new(&state, "redis://r.example:6379/1").read(), None, "another one");
        for until in [0, now_ms(), now_ms() + 3_600_000] {
            let content = format!("{{\"until\":{until},\"why\":\"it hangs\"}}\n");
            std::fs::write(file.folder.file(&file.name), content).unwrap();
            assert_eq!(file.read(), None, "{until}");
        }
    }
}
