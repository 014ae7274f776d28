//! What the writers of all message types share: texts with what has no room, and rules at their place.

use crate::channel::Channel;
use crate::message::Finding;

use super::html::Html;
use super::marks::{Marks, Weight};

/// How much of a text without a limit is shown, and of what has no room in one with a limit, in bytes.
pub(super) const MOST_SHOWN: usize = 24 * 1024;
const MOST_OVER: usize = 2048;

/// A file of a message: what its `media_id` stands for.
#[derive(Debug, Clone, Default)]
pub struct MessageFile {
    /// The id of its upload, as the message has it.
    pub media_id: String,
    /// Its name, as the receiver sees it.
    pub name: String,
    /// Its size in bytes.
    pub size: u64,
    /// The bytes of a picture that is to be shown.
    pub picture: Option<Vec<u8>>,
}

/// Writes a message.
pub(super) struct Painter<'a> {
    pub(super) html: Html,
    pub(super) channel: Channel,
    pub(super) files: &'a [MessageFile],
    pub(super) marks: Marks,
    /// What was marked that no rule of sending says.
    pub(super) facts: Vec<&'static str>,
}

impl Painter<'_> {
    /// Somebody who is mentioned: that notifies them.
    pub(super) fn mention(&mut self, id: &str) -> &mut Html {
        let shown = if is_everybody(id) { "所有人" } else { id };
        self.html.open("span", "mention").text("@").text(shown).close("span")
    }

    /// A text of a field, with what has no room marked, and what the rules say of it.
    pub(super) fn words(&mut self, path: &str, text: &str) {
        let findings = self.marks.take(path);
        let (kept, over) = in_room(text, &findings);
        let (kept, hidden) = kept.split_at(most(kept, MOST_SHOWN));
        self.html.text(kept);
        self.hidden(hidden);
        self.over(over, &findings);
        findings.iter().for_each(|(weight, finding)| {
            self.html.mark(*weight, &finding.problem);
        });
    }

    /// The same in an element, unless there is neither text nor rule.
    pub(super) fn field(&mut self, tag: &'static str, class: &'static str, path: &str, text: &str) {
        self.html.open_with(tag, class, &[("dir", "auto")]);
        self.words(path, text);
        self.html.close(tag);
    }

    /// The rules about a place that shows no text.
    pub(super) fn rules(&mut self, path: &str) {
        for (weight, finding) in self.marks.take(path) {
            self.html.mark(weight, &finding.problem);
        }
    }

    /// Marks what sending does not warn of.
    pub(super) fn fact(&mut self, rule: &'static str) {
        self.html.mark(Weight::Changed, rule);
        if !self.facts.contains(&rule) {
            self.facts.push(rule);
        }
    }

    /// What has no room by these findings.
    pub(super) fn over(&mut self, text: &str, findings: &[(Weight, Finding)]) {
        if text.is_empty() {
            return;
        }
        let (shown, hidden) = text.split_at(most(text, MOST_OVER));
        let is_refused = findings.iter().any(|(weight, finding)| *weight == Weight::Refused && finding.kept.is_some());
        self.html.open("del", if is_refused { "over refused" } else { "over" }).text(shown).close("del");
        self.hidden(hidden);
    }

    pub(super) fn hidden(&mut self, text: &str) {
        if !text.is_empty() {
            self.html.element("span", "mark", &format!("{} more bytes, which this page leaves out", text.len()));
        }
    }

    /// The file that this id stands for.
    pub(super) fn file(&self, media_id: &str) -> Option<&MessageFile> {
        self.files.iter().find(|file| file.media_id == media_id)
    }
}

/// Whether a mention is of all.
pub(super) fn is_everybody(id: &str) -> bool {
    id.trim_start_matches('@') == "all"
}

/// What of a text has room by these findings, and what has not.
pub(super) fn in_room<'t>(text: &'t str, findings: &[(Weight, Finding)]) -> (&'t str, &'t str) {
    let room = findings.iter().filter_map(|(_, finding)| finding.kept).min().unwrap_or(text.len());
    text.split_at(most(text, room))
}

/// The first bytes of a text, as whole characters.
pub(super) fn most(text: &str, bytes: usize) -> usize {
    (0..=bytes.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}
