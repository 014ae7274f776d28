//! What is on its way: the parts of a message, and the calls that each part takes. Pure.

use serde_json::Value;

use super::outcome::{PartKind, Unreached};
use super::pacing::Lane;
use crate::fingerprint::fingerprint;
use crate::input::Attachment;
use crate::message::Route;
use crate::message::card::TASK_ID_BYTES;
use crate::message::media::{MediaKind, wire_filename};
use crate::message::recipients::{MAX_PARTIES, MAX_TAGS, MAX_USERS, RecipientKind};

/// One part of a message, ready to go, and the file that must be uploaded first.
#[derive(Debug, Clone)]
pub struct Shipment {
    /// A message, or a file that follows one.
    pub kind: PartKind,
    /// The whole JSON body. With a file, the `media_id` under its msgtype is filled in after the upload.
    pub body: Value,
    /// The name of the file that it is about, as the receiver sees it, where the body itself holds the file.
    pub name: Option<String>,
    /// The file that the part is about.
    pub media: Option<(MediaKind, Attachment)>,
}

impl Shipment {
    /// A message without a file.
    #[must_use]
    pub fn message(body: Value) -> Self {
        Self { kind: PartKind::Message, body, name: None, media: None }
    }

    /// What a report calls it, `index` counted from 0 among `count` parts.
    pub(super) fn title(&self, index: usize, count: usize) -> String {
        match (self.file_name(), self.kind) {
            (Some(name), PartKind::Attachment) => format!("attachment {name}"),
            _ => format!("part {} of {count}", index + 1),
        }
    }

    /// The name of its file, as the receiver sees it.
    #[must_use]
    pub fn file_name(&self) -> Option<String> {
        let uploaded = self.media.as_ref().map(|(_, file)| wire_filename(file.name()));
        self.name.clone().or(uploaded)
    }

    /// What names a card of an app in events; that of its first call, see [`Shipment::calls`].
    #[must_use]
    pub fn task_id(&self) -> Option<String> {
        self.body.get("template_card")?.get("task_id")?.as_str().map(str::to_owned)
    }

    /// The bodies of the calls that bring it to all its recipients: a call takes 1000 members, 100 departments and 100
    /// tags (document path 90236). They are the same whenever they are asked for.
    ///
    /// A card's task id may not come twice: the second call has it with `-2` behind it, and so on.
    #[must_use]
    pub fn calls(&self) -> Vec<Value> {
        let lists = LISTS.map(|(kind, most)| (kind.as_str(), most, ids(&self.body, kind.as_str())));
        let count = lists.iter().map(|(_, most, ids)| ids.len().div_ceil(*most)).max().unwrap_or(0);
        if count <= 1 {
            return vec![self.body.clone()];
        }
        let call = |number: usize| {
            let mut body = self.body.clone();
            for (field, most, ids) in &lists {
                let some = ids.chunks(*most).nth(number).unwrap_or_default();
                let Some(fields) = body.as_object_mut() else { continue };
                if some.is_empty() {
                    fields.shift_remove(*field);
                } else {
                    fields.insert((*field).to_owned(), Value::from(some.join("|")));
                }
            }
            if let Some(task_id) = body.pointer_mut("/template_card/task_id").filter(|_| number > 0)
                && let Some(first) = task_id.as_str()
            {
                *task_id = Value::from(further_task_id(first, number + 1));
            }
            body
        };
        (0..count).map(call).collect()
    }

    /// The body with the id of the uploaded file where its msgtype has it.
    pub(super) fn set_media_id(body: &mut Value, media_id: &str) {
        let msgtype = body.get("msgtype").and_then(Value::as_str).unwrap_or_default().to_owned();
        if let Some(content) = body.get_mut(&msgtype).and_then(Value::as_object_mut) {
            content.insert("media_id".to_owned(), Value::from(media_id));
        }
    }
}

/// The task id of a further call. One that would be too long is made of a fingerprint: whatever were cut off might be all
/// that tells it from another.
fn further_task_id(first: &str, number: usize) -> String {
    let id = format!("{first}-{number}");
    if id.len() <= TASK_ID_BYTES { id } else { format!("{}-{number}", fingerprint([first])) }
}

/// The lists of recipients, and how many ids a call takes in each.
const LISTS: [(RecipientKind, usize); 3] =
    [(RecipientKind::User, MAX_USERS), (RecipientKind::Party, MAX_PARTIES), (RecipientKind::Tag, MAX_TAGS)];

fn ids<'a>(body: &'a Value, field: &str) -> Vec<&'a str> {
    let joined = body.get(field).and_then(Value::as_str).unwrap_or_default();
    joined.split('|').filter(|id| !id.is_empty()).collect()
}

/// Those whom a message names.
fn recipients(body: &Value) -> impl Iterator<Item = (RecipientKind, &str)> {
    LISTS.into_iter().flat_map(move |(kind, _)| ids(body, kind.as_str()).into_iter().map(move |id| (kind, id)))
}

/// The lanes in which a call needs a slot.
pub(super) fn lanes(body: &Value, route: Route) -> Vec<Lane> {
    match route {
        Route::App => recipients(body).map(|(kind, id)| Lane::of(kind, id)).collect(),
        Route::Webhook => vec![Lane::GROUP],
    }
}

/// Whether nobody whom a message names is left. Userids come back in lower case; `@all` never comes back.
pub(super) fn all_among(body: &Value, unreached: &Unreached) -> bool {
    let lost = |kind: RecipientKind, id: &str| {
        let lists = match kind {
            RecipientKind::User => [&unreached.invaliduser[..], &unreached.unlicenseduser],
            RecipientKind::Party => [&unreached.invalidparty[..], &[]],
            RecipientKind::Tag => [&unreached.invalidtag[..], &[]],
        };
        lists.iter().any(|list| list.iter().any(|lost| lost.eq_ignore_ascii_case(id)))
    };
    let mut named = recipients(body).peekable();
    named.peek().is_some() && named.all(|(kind, id)| lost(kind, id))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn joined(range: std::ops::Range<usize>) -> String {
        range.map(|id| id.to_string()).collect::<Vec<_>>().join("|")
    }

    #[test]
    fn what_one_call_takes_goes_as_it_is() {
        for body in [
            json!({ "msgtype": "text", "text": { "content": "x" } }),
            json!({ "touser": "@all", "msgtype": "text" }),
            json!({ "touser": joined(0..1000), "toparty": joined(0..100), "totag": joined(0..100), "msgtype": "text" }),
        ] {
            assert_eq!(Shipment::message(body.clone()).calls(), [body]);
        }
    }

    #[test]
    fn more_recipients_than_one_call_takes_go_in_several() {
        let body = json!({ "touser": joined(0..2001), "toparty": joined(0..101), "totag": "7", "msgtype": "text" });
        let calls = Shipment::message(body).calls();
        let expected = [
            json!({ "touser": joined(0..1000), "toparty": joined(0..100), "totag": "7", "msgtype": "text" }),
            json!({ "touser": joined(1000..2000), "toparty": "100", "msgtype": "text" }),
            json!({ "touser": "2000", "msgtype": "text" }),
        ];
        assert_eq!(calls, expected);
    }

    #[test]
    fn each_call_of_a_card_has_a_task_id_of_its_own() {
        let ids = |id: &str| -> Vec<String> {
            let card = json!({ "card_type": "button_interaction", "task_id": id });
            let body = json!({ "touser": joined(0..2001), "msgtype": "template_card", "template_card": card });
            let part = Shipment::message(body);
            assert_eq!(part.calls(), part.calls());
            part.calls().iter().map(|call| call["template_card"]["task_id"].as_str().unwrap().to_owned()).collect()
        };
        assert_eq!(ids("disk@web_1"), ["disk@web_1", "disk@web_1-2", "disk@web_1-3"]);
        // The first 126 bytes of these are the same.
        let long = [ids(&"x".repeat(128)), ids(&format!("{}y", "x".repeat(127))), ids(&"x".repeat(126))];
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '@');
        let all: std::collections::BTreeSet<_> = long.iter().flatten().collect();
        assert!(all.len() == 9 && all.iter().all(|id| id.len() <= 128 && id.chars().all(allowed)), "{all:?}");
        assert_eq!(long[2][1], format!("{}-2", "x".repeat(126)));
    }

    #[test]
    fn a_message_that_lost_all_its_recipients_is_known() {
        let body = json!({ "touser": "ZhangSan|lisi", "toparty": "1" });
        let lost = |users: &[&str], unlicensed: &[&str], parties: &[&str]| {
            let list = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect();
            let unreached = Unreached {
                invaliduser: list(users),
                unlicenseduser: list(unlicensed),
                invalidparty: list(parties),
                ..Unreached::default()
            };
            all_among(&body, &unreached)
        };
        assert!(lost(&["zhangsan", "lisi"], &[], &["1"]) && lost(&["zhangsan"], &["lisi"], &["1"]));
        assert!(!lost(&["zhangsan", "lisi"], &[], &[]) && !lost(&["lisi"], &[], &["1"]));
        assert!(!all_among(&json!({ "touser": "" }), &Unreached::default()));
    }
}
