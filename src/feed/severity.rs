//! How bad a notification is: what its labels say, in the words that people use.

use super::notification::{Notification, Occurrence};
use crate::alert::Level;

/// The labels that may say it, the first one first.
const LABELS: [&str; 3] = ["severity", "priority", "level"];

const WARNING: [&str; 12] =
    ["warning", "warn", "minor", "medium", "average", "moderate", "low", "p2", "p3", "sev2", "sev3", "degraded"];
const INFO: [&str; 11] =
    ["info", "information", "informational", "notice", "none", "ok", "debug", "p4", "p5", "sev4", "sev5"];

impl Notification {
    /// Ok if nothing fires any more, else the worst of what fires.
    pub(super) fn level(&self) -> Level {
        let firing = self.occurrences.iter().filter(|occurrence| occurrence.is_firing);
        let rank = |level: &Level| Level::ALL.iter().position(|its| its == level);
        firing.map(Occurrence::level).max_by_key(rank).unwrap_or(Level::Ok)
    }
}

impl Occurrence {
    /// By its labels. What says nothing, or a word that is not known here (`critical`, `page`, `P1` and the like among
    /// them), is critical: nobody should sleep through it for want of a label.
    fn level(&self) -> Level {
        let Some(word) = LABELS.iter().find_map(|name| self.label(name)) else { return Level::Critical };
        let word = word.to_ascii_lowercase();
        match word.as_str() {
            word if WARNING.contains(&word) => Level::Warning,
            word if INFO.contains(&word) => Level::Info,
            _ => Level::Critical,
        }
    }
}
