//! A part of a message: its body, its file, its delivery status, and the calls that it takes.

use std::borrow::Cow;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::card::TASK_ID_BYTES;
use super::media::{MediaKind, wire_filename};
use super::recipients::RecipientKind;
use super::webhook::Image;
use super::{aibot, body_of};
use crate::channel::MsgType;
use crate::fingerprint::fingerprint;
use crate::input::Attachment;

/// What a part carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, strum::IntoStaticStr)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum PartKind {
    /// A message.
    Message,
    /// A file that follows a message.
    Attachment,
}

impl PartKind {
    /// The name in JSON.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// The status of a part.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub(crate) enum PartState {
    /// It is still to be sent, or the rest of it is.
    #[default]
    Pending,
    /// A request for it went out, and its answer has not come.
    UnderWay,
    /// WeCom took all of it.
    Sent,
    /// WeCom refused it, or a file of it could not be sent.
    Refused,
    /// A request for it went out, and no answer came: it may have arrived.
    Unknown,
}

impl PartState {
    /// The name in JSON.
    pub(crate) fn as_str(self) -> &'static str {
        self.into()
    }
}

/// One part of a message, ready to go, and the file that belongs to it.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    /// A message, or a file that follows one.
    pub(crate) kind: PartKind,
    /// The whole JSON body, but for its file, see [`Part::file`], and for a text that is kept apart.
    fields: Arc<Value>,
    /// The text of the message, where the rest of its body is shared: it is filled in when the part is sent.
    text: Option<Arc<str>>,
    /// What the part is about: its file is filled into the body when the part is sent, as the id of an upload, or, for the
    /// picture of a channel that takes those inline, as base64.
    pub(crate) file: Option<(MediaKind, Attachment)>,
    /// The name of that file, as the receiver sees it, where the part is that file.
    pub(crate) name: Option<String>,
}

impl Part {
    pub(crate) fn new(
        kind: PartKind,
        body: Value,
        file: Option<(MediaKind, Attachment)>,
        name: Option<String>,
    ) -> Self {
        Self { kind, fields: Arc::new(body), text: None, file, name }
    }

    /// A message without a file.
    pub(crate) fn message(body: Value) -> Self {
        Self::new(PartKind::Message, body, None, None)
    }

    /// A picture that is in the body itself, to be filled in when it is sent.
    pub(crate) fn inline_picture(file: Attachment, kind: PartKind) -> Self {
        let name = (kind == PartKind::Attachment).then(|| wire_filename(&file.name));
        let body = body_of(MsgType::Image, &Image { base64: String::new(), md5: String::new() });
        Self::new(kind, body, Some((MediaKind::Image, file)), name)
    }

    /// Keeps the text apart, and shares the rest of the body with the part before, where both are the same: a long text has
    /// tens of thousands of parts, and most of a body is not its text. `last` is the body of the part before.
    pub(crate) fn share_body(&mut self, last: &mut Option<Arc<Value>>) {
        if let (None, Some(pointer)) = (&self.text, text_pointer(&self.fields))
            && let Some(Value::String(text)) =
                self.fields_mut().pointer_mut(&pointer).filter(|text| text.is_string()).map(Value::take)
        {
            self.text = Some(text.into());
        }
        match last {
            Some(last) if *last == self.fields => self.fields = Arc::clone(last),
            _ => *last = Some(Arc::clone(&self.fields)),
        }
    }

    /// The body, perhaps without its text.
    pub(crate) fn fields(&self) -> &Value {
        &self.fields
    }

    /// The same, to add fields.
    pub(crate) fn fields_mut(&mut self) -> &mut Value {
        Arc::make_mut(&mut self.fields)
    }

    /// The body as it is sent, but for its file.
    pub(crate) fn body(&self) -> Cow<'_, Value> {
        let Some(text) = &self.text else { return Cow::Borrowed(&self.fields) };
        let mut body = Value::clone(&self.fields);
        if let Some(place) = text_pointer(&body).and_then(|pointer| body.pointer_mut(&pointer)) {
            *place = Value::from(&**text);
        }
        Cow::Owned(body)
    }

    /// Whether its file is in the body itself.
    pub(crate) fn is_inline(&self) -> bool {
        self.file.is_some() && self.fields.pointer("/image/base64").is_some()
    }

    /// The name of its file, as the receiver sees it.
    pub(crate) fn file_name(&self) -> Option<String> {
        let uploaded = self.file.as_ref().filter(|_| !self.is_inline()).map(|(_, file)| wire_filename(&file.name));
        self.name.clone().or(uploaded)
    }

    /// What names a card of an app in events; that of its first call, see [`Part::call`].
    pub(crate) fn task_id(&self) -> Option<String> {
        self.fields.get(MsgType::TemplateCard.as_str())?.get("task_id")?.as_str().map(str::to_owned)
    }

    /// How many calls bring it to all its recipients: a call takes 1000 members, 100 departments and 100 tags (document
    /// path 90236), or one conversation of an aibot.
    pub(crate) fn count_calls(&self) -> usize {
        if let Some(conversations) = aibot::conversations(&self.fields) {
            return conversations.len().max(1);
        }
        let calls = |kind: RecipientKind| ids(&self.fields, kind).count().div_ceil(kind.most());
        RecipientKind::ALL.into_iter().map(calls).max().unwrap_or(0).max(1)
    }

    /// The body of a call, `number` counted from 0. It is the same whenever it is asked for.
    ///
    /// A card's task id may not come twice: the second call has it with `-2` after it, and so on.
    pub(crate) fn call(&self, number: usize) -> Cow<'_, Value> {
        if self.count_calls() == 1 {
            return self.body();
        }
        let mut body = self.body().into_owned();
        aibot::for_one(&mut body, number);
        for kind in RecipientKind::ALL {
            let some: Vec<&str> = ids(&self.fields, kind).skip(number * kind.most()).take(kind.most()).collect();
            let Some(fields) = body.as_object_mut() else { continue };
            if some.is_empty() {
                fields.shift_remove(kind.as_str());
            } else {
                fields.insert(kind.as_str().to_owned(), Value::from(some.join("|")));
            }
        }
        if let (1.., Some(first)) = (number, self.task_id()) {
            body[MsgType::TemplateCard.as_str()]["task_id"] = further_task_id(&first, number + 1).into();
        }
        Cow::Owned(body)
    }
}

/// The task id of a further call. One that would be too long is made of a fingerprint: what is cut off might be all
/// that tells it from another.
fn further_task_id(first: &str, number: usize) -> String {
    let id = format!("{first}-{number}");
    if id.len() <= TASK_ID_BYTES { id } else { format!("{}-{number}", fingerprint([first])) }
}

/// Where the text of a body is, as a JSON pointer.
fn text_pointer(body: &Value) -> Option<String> {
    let msgtype = MsgType::of_body(body)?;
    Some(format!("/{}{}", msgtype.as_str(), msgtype.facts().text?.pointer))
}

fn ids(body: &Value, kind: RecipientKind) -> impl Iterator<Item = &str> {
    let joined = body.get(kind.as_str()).and_then(Value::as_str).unwrap_or_default();
    joined.split('|').filter(|id| !id.is_empty())
}

/// The recipients that a body names.
pub(crate) fn recipients(body: &Value) -> impl Iterator<Item = (RecipientKind, &str)> {
    RecipientKind::ALL.into_iter().flat_map(move |kind| ids(body, kind).map(move |id| (kind, id)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn joined(range: std::ops::Range<usize>) -> String {
        range.map(|id| id.to_string()).collect::<Vec<_>>().join("|")
    }

    fn calls(part: &Part) -> Vec<Value> {
        (0..part.count_calls()).map(|number| part.call(number).into_owned()).collect()
    }

    #[test]
    fn what_one_call_takes_goes_as_it_is() {
        for body in [
            json!({ "msgtype": "text", "text": { "content": "x" } }),
            json!({ "touser": "@all", "msgtype": "text" }),
            json!({ "touser": joined(0..1000), "toparty": joined(0..100), "totag": joined(0..100), "msgtype": "text" }),
        ] {
            assert_eq!(calls(&Part::message(body.clone())), [body]);
        }
    }

    #[test]
    fn parts_that_share_a_body_keep_their_texts() {
        let card = |text: &str| {
            let card = json!({ "title": "x", "description": text, "url": "http://x" });
            json!({ "touser": "lisi", "msgtype": "textcard", "textcard": card, "agentid": 7 })
        };
        let other = json!({ "msgtype": "text", "text": { "content": "d" } });
        let file = json!({ "msgtype": "file", "file": { "media_id": "x" } });
        let wrong = json!({ "msgtype": "text", "text": { "content": 7 } });
        let bodies = [card("a"), card("b"), other, file, card("c"), card(""), wrong];
        let mut last = None;
        let mut parts: Vec<Part> = bodies.iter().cloned().map(Part::message).collect();
        parts.iter_mut().for_each(|part| part.share_body(&mut last));
        let same = |one: usize, other: usize| Arc::ptr_eq(&parts[one].fields, &parts[other].fields);
        assert!(same(0, 1) && same(4, 5) && !same(1, 2) && !same(2, 3) && !same(3, 4));
        for (part, body) in parts.iter().zip(bodies) {
            assert_eq!(part.call(0).to_string(), body.to_string());
        }
    }

    #[test]
    fn more_recipients_than_one_call_takes_go_in_several() {
        let body = json!({ "touser": joined(0..2001), "toparty": joined(0..101), "totag": "7", "msgtype": "text" });
        let calls = calls(&Part::message(body));
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
            let part = Part::message(body);
            assert_eq!(calls(&part), calls(&part));
            calls(&part).iter().map(|call| call["template_card"]["task_id"].as_str().unwrap().to_owned()).collect()
        };
        assert_eq!(ids("disk@web_1"), ["disk@web_1", "disk@web_1-2", "disk@web_1-3"]);
        // The first 126 bytes of these are the same.
        let long = [ids(&"x".repeat(128)), ids(&format!("{}y", "x".repeat(127))), ids(&"x".repeat(126))];
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '@');
        let all: std::collections::BTreeSet<_> = long.iter().flatten().collect();
        assert!(all.len() == 9 && all.iter().all(|id| id.len() <= 128 && id.chars().all(allowed)), "{all:?}");
        assert_eq!(long[2][1], format!("{}-2", "x".repeat(126)));
    }
}
