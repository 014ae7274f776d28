//! The content of an outbox entry: the alert, once, and the progress of its delivery. No credential and no address is
//! stored: a later delivery resolves its settings anew. Pure.

use serde::{Deserialize, Serialize};

use crate::alert::Level;
use crate::api::errcode;
use crate::cards::CardData;
use crate::channel::Channel;
use crate::clock::read_ms;
use crate::error::Error;
use crate::message::media::MediaKind;
use crate::message::person::Person;
use crate::message::{Part, PartKind, PartState};
use crate::sanitize::without_addresses;
use crate::words::Language;

/// An alert that was accepted, but for the bodies of its parts. It never changes. Times are Unix time in milliseconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StoredAlert {
    /// Its name, in the order of time. [`super::Outbox::accept`] gives it.
    pub(crate) id: String,
    /// The channel that it goes by; version 1 called it the route.
    #[serde(alias = "route")]
    pub(crate) channel: Channel,
    /// The profile whose credentials it goes with.
    pub(crate) profile: Option<String>,
    /// Where the credentials are the environment's: the target's fingerprint, to tell a changed one.
    pub(crate) target: Option<String>,
    /// When it was accepted.
    #[serde(deserialize_with = "read_ms")]
    pub(crate) queued_at_ms: u64,
    /// Whether what may have arrived must not be sent again.
    pub(crate) at_most_once: bool,
    /// For so many seconds WeCom drops a copy that is the same to the byte.
    pub(crate) duplicate_check_s: Option<u64>,
    /// Whether its text may be led by a mark: it is not a payload's.
    pub(crate) markable: bool,
    /// The language of its marks; that of entries of 0.1.0, which have none, is English.
    #[serde(default, skip_serializing_if = "Language::is_english")]
    pub(crate) language: Language,
    /// How bad it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) level: Option<Level>,
    /// People whose userids are looked up when it is sent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) people: Vec<Person>,
    /// What cards with something to press in it are made of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) card_data: Option<CardData>,
    /// What to send, in order. [`super::Outbox::accept`] fills it in.
    pub(crate) parts: Vec<StoredPart>,
}

/// A part of an entry, without its body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StoredPart {
    /// Message or attachment.
    pub(crate) kind: PartKind,
    /// The name of its file, as the receiver sees it, where the part is that file; version 1 called it the label.
    #[serde(alias = "label")]
    pub(crate) name: Option<String>,
    /// The file that was copied in; version 1 called it the media.
    #[serde(alias = "media")]
    pub(crate) file: Option<StoredFile>,
}

/// A file that was copied in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StoredFile {
    /// What the upload is to be.
    pub(crate) kind: MediaKind,
    /// The name to show to the receiver, as it was given.
    pub(crate) name: String,
    /// Its name in the entry's folder: `1.bin` for that of the first part.
    pub(crate) file: String,
    /// In bytes.
    pub(crate) size: u64,
    /// Of its content; version 1 had none.
    pub(crate) sha256: Option<String>,
}

/// How far the delivery of an entry has come.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct EntryProgress {
    /// Send requests so far.
    pub(crate) attempts: u32,
    /// WeCom's code in the last failure; `None` where it gave no answer.
    pub(crate) errcode: Option<i64>,
    /// The status that the last failure had.
    pub(crate) status: Option<String>,
    /// What it was.
    pub(crate) message: Option<String>,
    /// Whether a request went out whose end is unknown.
    pub(crate) may_have_arrived: bool,
    /// When a request for it was last made, in Unix milliseconds.
    pub(crate) last_attempt_ms: Option<u64>,
    /// What its text began with then, because it was late.
    pub(crate) mark: Option<String>,
    /// The only people that it is still for, where all others have it; they are looked up when it is sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) left: Option<Vec<Person>>,
    /// The status of each part.
    #[serde(with = "letters")]
    pub(crate) parts: Vec<PartProgress>,
}

/// How far a part has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct PartProgress {
    /// Its status.
    pub(crate) state: PartState,
    /// How many of the calls that it takes were answered with success, counted from the first one.
    pub(crate) taken: usize,
}

impl StoredPart {
    /// A part to be stored, `index` counted from 0. The checksum of its file is known when that was copied.
    pub(super) fn of(index: usize, part: &Part) -> Self {
        let file = part.file.as_ref().map(|(kind, file)| StoredFile {
            kind: *kind,
            name: file.name.clone(),
            file: format!("{}.bin", index + 1),
            size: file.size,
            sha256: None,
        });
        Self { kind: part.kind, name: part.name.clone(), file }
    }
}

impl EntryProgress {
    /// That of an entry of which nothing was tried yet.
    pub(crate) fn new(parts: usize) -> Self {
        Self { parts: vec![PartProgress::default(); parts], ..Self::default() }
    }

    /// Whether some part is in this state.
    pub(crate) fn has(&self, state: PartState) -> bool {
        self.parts.iter().any(|part| part.state == state)
    }

    /// Whether nothing is left to be sent.
    pub(crate) fn is_complete(&self) -> bool {
        self.parts.iter().all(|part| part.state == PartState::Sent)
    }

    /// Nothing is under way any more: what was may have arrived.
    pub(crate) fn stop(&mut self) {
        for part in self.parts.iter_mut().filter(|part| part.state == PartState::UnderWay) {
            part.state = PartState::Unknown;
        }
    }

    /// Keeps why it could not be delivered, without any address: an entry does not reveal its target.
    pub(crate) fn note(&mut self, why: &Error) {
        self.errcode = why.answer().map(|answer| answer.errcode);
        self.status = Some(why.status().as_str().to_owned());
        self.message = Some(match why.answer() {
            Some(answer) => format!("WeCom answered {}: {}", answer.errcode, errcode::errmsg_or_meaning(answer)),
            None => without_addresses(why.message()),
        });
    }

    /// Whether it could not be delivered for the same kind of reason as `other`.
    pub(crate) fn fails_like(&self, other: &Self) -> bool {
        (&self.status, self.errcode) == (&other.status, other.errcode)
    }
}

/// The parts' progress in JSON: a letter for each state, and the calls taken of those parts that some calls of were. An
/// alert of ten thousand parts saves it after each of them.
mod letters {
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::PartProgress;
    use crate::message::PartState;

    const LETTERS: [(char, PartState); 5] = [
        ('p', PartState::Pending),
        ('w', PartState::UnderWay),
        ('s', PartState::Sent),
        ('r', PartState::Refused),
        ('u', PartState::Unknown),
    ];

    #[derive(Serialize, Deserialize)]
    struct Form {
        states: String,
        taken: Vec<(usize, usize)>,
    }

    pub(super) fn serialize<S: Serializer>(parts: &[PartProgress], serializer: S) -> Result<S::Ok, S::Error> {
        let letter = |state| LETTERS.iter().find(|(_, known)| *known == state).map_or('p', |(letter, _)| *letter);
        let taken = parts.iter().enumerate().filter(|(_, part)| part.taken > 0 && part.state != PartState::Sent);
        let form = Form {
            states: parts.iter().map(|part| letter(part.state)).collect(),
            taken: taken.map(|(index, part)| (index, part.taken)).collect(),
        };
        form.serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<PartProgress>, D::Error> {
        let Form { states, taken } = Form::deserialize(deserializer)?;
        let state = |letter| LETTERS.iter().find(|(known, _)| *known == letter).map(|(_, state)| *state);
        let mut parts = Vec::new();
        for letter in states.chars() {
            let state = state(letter).ok_or_else(|| D::Error::custom("an unknown state"))?;
            parts.push(PartProgress { state, taken: 0 });
        }
        for (index, count) in taken {
            let part = parts.get_mut(index).ok_or_else(|| D::Error::custom("there is no such part"))?;
            // Of a part that was sent, all calls were taken: that is not kept.
            if part.state != PartState::Sent {
                part.taken = count;
            }
        }
        Ok(parts)
    }
}
