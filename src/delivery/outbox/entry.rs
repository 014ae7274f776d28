//! What an entry holds, as JSON: what to send, by which way, and how far that has come. Never a credential and never an
//! address: a later delivery resolves its settings anew. Pure.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::api::errcode;
use crate::delivery::PartKind;
use crate::error::{Error, Result, Status};
use crate::fingerprint::fingerprint;
use crate::input::Attachment;
use crate::message::Route;
use crate::message::media::MediaKind;
use crate::secret::Secret;

/// The version of the form below. An entry of any other is left alone and listed as damaged.
pub(super) const VERSION: u32 = 1;

/// An alert that was accepted, and what became of it so far. Times are Unix time in milliseconds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Of the form of this document.
    pub(super) version: u32,
    /// Its name, in the order of time.
    pub id: String,
    /// `app-send` or `webhook-send`.
    pub command: String,
    /// App or webhook.
    #[serde(with = "by_name")]
    pub route: Route,
    /// The profile whose credentials it goes with.
    pub profile: Option<String>,
    /// Where the credentials are the environment's: [`target_of_webhook`] or [`target_of_app`], to tell a changed one.
    pub target: Option<String>,
    /// When it was accepted.
    pub queued_at_ms: u64,
    /// Send requests so far.
    pub attempts: u32,
    /// WeCom's code in the last failure; `None` where it gave no answer.
    pub errcode: Option<i64>,
    /// The status that the last failure had.
    pub status: Option<String>,
    /// What it was.
    pub message: Option<String>,
    /// Whether a request went out that nobody knows the end of.
    pub may_have_arrived: bool,
    /// Whether what may have arrived must not be sent again.
    pub at_most_once: bool,
    /// The index of the part that a sender who must not repeat it is just sending.
    pub under_way: Option<usize>,
    /// When a request for it was last made, in Unix milliseconds.
    #[serde(default)]
    pub last_attempt_ms: Option<u64>,
    /// What its text began with then, because it was late.
    #[serde(default)]
    pub mark: Option<String>,
    /// For so many seconds WeCom drops a copy that is the same to the byte.
    pub duplicate_check_s: Option<u64>,
    /// Whether its text may be led by a mark: it is not a payload's.
    pub markable: bool,
    /// What to send, in order.
    pub parts: Vec<Part>,
}

/// A message of an entry.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Part {
    /// Message or attachment.
    #[serde(with = "by_name")]
    pub kind: PartKind,
    /// What to call it, where that is not clear from its place: a file's name.
    pub label: Option<String>,
    /// The whole JSON body, to be sent in this order of its fields.
    pub body: Value,
    /// The file to upload first.
    pub media: Option<Media>,
    /// How many of the calls that it takes were answered with consent.
    pub sent: usize,
    /// Whether nothing of it is left to do.
    pub done: bool,
}

/// A file that was copied in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Media {
    /// What the upload is to be.
    #[serde(with = "by_name")]
    pub kind: MediaKind,
    /// The name to show to the receiver, as it was given.
    pub name: String,
    /// Its name in the entry's folder: `1.bin` for that of the first part.
    pub file: String,
    /// In bytes.
    pub size: u64,
}

/// An alert to be accepted.
#[derive(Debug)]
pub struct NewEntry {
    /// As in [`Entry`].
    pub command: String,
    /// As in [`Entry`].
    pub route: Route,
    /// As in [`Entry`].
    pub profile: Option<String>,
    /// As in [`Entry`].
    pub target: Option<String>,
    /// As in [`Entry`].
    pub queued_at_ms: u64,
    /// As in [`Entry`].
    pub at_most_once: bool,
    /// As in [`Entry`].
    pub duplicate_check_s: Option<u64>,
    /// As in [`Entry`].
    pub markable: bool,
    /// What to send, in order.
    pub parts: Vec<NewPart>,
}

/// A message of an alert to be accepted.
#[derive(Debug)]
pub struct NewPart {
    /// As in [`Part`].
    pub kind: PartKind,
    /// As in [`Part`].
    pub label: Option<String>,
    /// As in [`Part`].
    pub body: Value,
    /// The file that the message is about; it is copied.
    pub media: Option<(MediaKind, Attachment)>,
}

impl Entry {
    /// Keeps why it could not be delivered, without any address: an entry does not tell where it was to go.
    pub fn note(&mut self, why: &Error) {
        self.errcode = why.answer().map(|answer| answer.errcode);
        self.status = Some(why.status().as_str().to_owned());
        self.message = Some(match (why.answer(), why.status()) {
            (Some(answer), _) => format!("WeCom answered {}: {}", answer.errcode, errcode::said_or_meant(answer)),
            (None, Status::Temporary) => "WeCom could not be reached, or something else answered".to_owned(),
            (None, Status::Unknown) => "the request went out, and no answer came".to_owned(),
            (None, Status::RateLimited) => "there were too many messages for the time".to_owned(),
            (None, Status::Config) => "settings, credentials, files or certificates were not right".to_owned(),
            (None, _) => why.message().to_owned(),
        });
    }

    /// Reads one; the reason says what is wrong and shows nothing of the content.
    pub(super) fn parse(content: &[u8]) -> Result<Self, String> {
        #[derive(Deserialize)]
        struct Form {
            version: u32,
        }
        let of_another = |version| format!("it has version {version}, and this program reads version {VERSION}");
        match serde_json::from_slice::<Self>(content) {
            Ok(entry) if entry.version == VERSION => Ok(entry),
            Ok(entry) => Err(of_another(entry.version)),
            Err(error) => match serde_json::from_slice(content) {
                Ok(Form { version }) if version != VERSION => Err(of_another(version)),
                _ => Err(format!("it is no entry, from line {} column {} on", error.line(), error.column())),
            },
        }
    }

    /// Its JSON.
    pub(super) fn to_json(&self) -> std::io::Result<Vec<u8>> {
        Ok(serde_json::to_vec(self)?)
    }
}

impl NewEntry {
    /// The entry to be stored, and the files that belong to it.
    pub(super) fn into_entry(self, id: String) -> (Entry, Vec<(String, Attachment)>) {
        let mut files = Vec::new();
        let mut parts = Vec::new();
        for (index, part) in self.parts.into_iter().enumerate() {
            let media = part.media.map(|(kind, attachment)| {
                let file = format!("{}.bin", index + 1);
                let media =
                    Media { kind, name: attachment.name().to_owned(), file: file.clone(), size: attachment.size() };
                files.push((file, attachment));
                media
            });
            let NewPart { kind, label, body, .. } = part;
            parts.push(Part { kind, label, body, media, sent: 0, done: false });
        }
        let entry = Entry {
            version: VERSION,
            id,
            command: self.command,
            route: self.route,
            profile: self.profile,
            target: self.target,
            queued_at_ms: self.queued_at_ms,
            attempts: 0,
            errcode: None,
            status: None,
            message: None,
            may_have_arrived: false,
            at_most_once: self.at_most_once,
            under_way: None,
            last_attempt_ms: None,
            mark: None,
            duplicate_check_s: self.duplicate_check_s,
            markable: self.markable,
            parts,
        };
        (entry, files)
    }
}

impl Media {
    /// Whether its file can be one that was copied in: no name leads out of the entry's folder.
    pub(super) fn is_own(&self) -> bool {
        let number = self.file.strip_suffix(".bin").unwrap_or_default();
        !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
    }
}

/// The fingerprint of a webhook as a target.
#[must_use]
pub fn target_of_webhook(key: &Secret) -> String {
    fingerprint(["webhook", key.expose()])
}

/// The fingerprint of an app as a target.
#[must_use]
pub fn target_of_app(corp_id: &str, agent_id: i64) -> String {
    fingerprint(["app", corp_id, &agent_id.to_string()])
}

/// A value that JSON knows by its published name.
trait Named: Copy + 'static {
    const ALL: &'static [Self];

    fn name(self) -> &'static str;
}

impl Named for Route {
    const ALL: &'static [Self] = &[Self::App, Self::Webhook];

    fn name(self) -> &'static str {
        self.as_str()
    }
}

impl Named for PartKind {
    const ALL: &'static [Self] = &[Self::Message, Self::Attachment];

    fn name(self) -> &'static str {
        self.as_str()
    }
}

impl Named for MediaKind {
    const ALL: &'static [Self] = &[Self::Image, Self::Voice, Self::Video, Self::File];

    fn name(self) -> &'static str {
        self.as_str()
    }
}

/// For `#[serde(with)]`.
mod by_name {
    use serde::de::{Deserialize, Deserializer, Error};
    use serde::ser::Serializer;

    use super::Named;

    pub(super) fn serialize<T: Named, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(value.name())
    }

    pub(super) fn deserialize<'de, T: Named, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
        let name = String::deserialize(deserializer)?;
        T::ALL.iter().copied().find(|value| value.name() == name).ok_or_else(|| D::Error::custom("an unknown name"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_told_apart_and_not_given_away() {
        let key = Secret::new("11111111-2222");
        let all = [
            target_of_webhook(&key),
            target_of_webhook(&Secret::new("11111111-2223")),
            target_of_app("ww1", 12),
            target_of_app("ww11", 2),
            target_of_app("ww1", 13),
        ];
        for (index, one) in all.iter().enumerate() {
            assert!(one.len() == 64 && !all[..index].contains(one), "{index}");
            assert!(!one.contains(key.expose()));
        }
        assert_eq!(all[0], target_of_webhook(&key));
    }

    #[test]
    fn what_is_no_entry_is_told_without_its_content() {
        let told = |content: &str| Entry::parse(content.as_bytes()).unwrap_err();
        assert_eq!(told(r#"{"version": 2, "parts": 7}"#), "it has version 2, and this program reads version 1");
        for content in ["", "\0\0\0", "[]", r#"{"version": 1, "id": "tops3cret"}"#, r#"{"version": "tops3cret"}"#] {
            let reason = told(content);
            assert!(reason.starts_with("it is no entry") && !reason.contains("tops3cret"), "{content}: {reason}");
        }
    }

    #[test]
    fn no_file_outside_is_an_entrys_own() {
        for (file, own) in [("1.bin", true), ("12.bin", true), (".bin", false), ("1.txt", false), ("../1.bin", false)] {
            let media = Media { kind: MediaKind::File, name: String::new(), file: file.to_owned(), size: 1 };
            assert_eq!(media.is_own(), own, "{file}");
        }
    }
}
