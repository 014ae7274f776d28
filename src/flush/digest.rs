//! `outbox flush --digest`: alerts that wait for one target and have the same type become one message, or as many as their
//! texts need. What waits otherwise goes out one by one.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use crate::channel::MsgType;
use crate::clock::{at_ms, wall};
use crate::delivery::prefixed;
use crate::message::{Part, PartState};
use crate::outbox::{EntryProgress, Outbox, StoredAlert};

/// So many of a kind go out one by one.
const MOST_APART: usize = 5;

/// Stands between the texts of two alerts.
const GAP: &str = "\n\n";

/// An alert whose text may stand in one message with those of others.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Joinable {
    /// The same for alerts that may stand in one message: the target, and the body without its text.
    kind: String,
    body: Value,
    msgtype: MsgType,
    /// Its text, with the time when it was accepted.
    text: String,
}

/// Alerts that become one message.
#[derive(Debug, PartialEq)]
pub(super) struct Pack {
    /// Their ids, oldest first.
    pub(super) ids: Vec<String>,
    pub(super) body: Value,
}

impl Joinable {
    /// `None` for what goes out on its own: a payload, a card, files, several parts, what people have to be looked up for, what
    /// was begun or may have arrived, and what must not arrive twice.
    fn of(alert: &StoredAlert, progress: &EntryProgress, target: &str, body: &Value) -> Option<Self> {
        let is_untouched = progress.parts.iter().all(|part| part.state == PartState::Pending && part.taken == 0);
        let is_plain =
            alert.markable && alert.people.is_empty() && progress.left.is_none() && alert.card_data.is_none();
        let may_be_joined = is_plain && is_untouched && !alert.at_most_once && alert.duplicate_check_s.is_none();
        let [part] = alert.parts.as_slice() else { return None };
        let msgtype = MsgType::of_body(body)?;
        let is_text = matches!(msgtype, MsgType::Text | MsgType::Markdown | MsgType::MarkdownV2);
        if !may_be_joined || !is_text || part.file.is_some() {
            return None;
        }
        let mut rest = body.clone();
        let place = rest.pointer_mut(&pointer(msgtype)?)?;
        let text = place.take();
        let time = format!("[{}] ", wall(at_ms(alert.queued_at_ms)));
        let text = prefixed(text.as_str()?, &time, alert.channel.markup(msgtype));
        Some(Self { kind: format!("{target}\n{rest}"), body: rest, msgtype, text })
    }

    fn has_room(&self, alert: &StoredAlert, text: &str) -> bool {
        self.msgtype.has_room(alert.channel, text)
    }
}

/// Where the text of such a message stands in its body.
fn pointer(msgtype: MsgType) -> Option<String> {
    Some(format!("/{}{}", msgtype.as_str(), msgtype.facts().text?.pointer))
}

/// The messages that waiting alerts become; what is in none of them goes out one by one. Reads the disk. `target_of` names the
/// target of an entry.
pub(super) fn packs(outbox: &Outbox, ids: &[String], target_of: fn(&StoredAlert) -> String) -> Vec<Pack> {
    let ids: HashSet<&String> = ids.iter().collect();
    let waiting = outbox.waiting().into_iter().flatten().flatten();
    let found = waiting.filter(|(alert, _)| ids.contains(&alert.id)).filter_map(|(alert, progress)| {
        let body = outbox.first_body(&alert.id)?;
        let joinable = Joinable::of(&alert, &progress, &target_of(&alert), &body)?;
        Some((alert, joinable))
    });
    join(found)
}

/// Whether an entry, which is claimed now, is still as it was when its text was put into a pack.
pub(super) fn is_in(pack: &Pack, alert: &StoredAlert, progress: &EntryProgress, target: &str, parts: &[Part]) -> bool {
    let body = parts.first().map(Part::body);
    let joinable = body.and_then(|body| Joinable::of(alert, progress, target, &body));
    joinable.is_some_and(|its| {
        let text = pointer(its.msgtype).and_then(|pointer| pack.body.pointer(&pointer)?.as_str().map(str::to_owned));
        text.is_some_and(|text| text.contains(&its.text))
    })
}

fn join(found: impl Iterator<Item = (StoredAlert, Joinable)>) -> Vec<Pack> {
    let mut kinds: Vec<Vec<(StoredAlert, Joinable)>> = Vec::new();
    let mut index = HashMap::new();
    for (alert, joinable) in found.filter(|(alert, joinable)| joinable.has_room(alert, &joinable.text)) {
        let at = *index.entry(joinable.kind.clone()).or_insert_with(|| {
            kinds.push(Vec::new());
            kinds.len() - 1
        });
        kinds[at].push((alert, joinable));
    }
    kinds.into_iter().filter(|kind| kind.len() > MOST_APART).flat_map(join_kind).collect()
}

/// The alerts of one kind, in as few messages as have room for their texts, in order.
fn join_kind(alerts: Vec<(StoredAlert, Joinable)>) -> Vec<Pack> {
    let mut packs: Vec<Pack> = Vec::new();
    let mut text = String::new();
    for (alert, joinable) in alerts {
        let Some(pointer) = pointer(joinable.msgtype) else { continue };
        let longer = format!("{text}{GAP}{}", joinable.text);
        match packs.last_mut().filter(|_| joinable.has_room(&alert, &longer)) {
            Some(pack) => {
                pack.ids.push(alert.id);
                text = longer;
            }
            None => {
                text = joinable.text;
                packs.push(Pack { ids: vec![alert.id], body: joinable.body });
            }
        }
        if let Some(place) = packs.last_mut().and_then(|pack| pack.body.pointer_mut(&pointer)) {
            *place = Value::from(text.as_str());
        }
    }
    packs
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::channel::Channel;
    use crate::message::PartKind;
    use crate::outbox::StoredPart;
    use crate::words::Language;

    fn alert(number: usize) -> StoredAlert {
        StoredAlert {
            id: format!("{number:03}"),
            channel: Channel::Webhook,
            profile: Some("room".to_owned()),
            target: None,
            queued_at_ms: 1_790_000_000_000,
            at_most_once: false,
            duplicate_check_s: None,
            markable: true,
            language: Language::English,
            level: None,
            people: Vec::new(),
            card_data: None,
            parts: vec![StoredPart { kind: PartKind::Message, name: None, file: None }],
        }
    }

    fn text(content: &str) -> Value {
        json!({"msgtype": "text", "text": {"content": content}})
    }

    fn joined(entries: Vec<(StoredAlert, Value)>) -> Vec<Pack> {
        let found = entries.into_iter().filter_map(|(alert, body)| {
            let progress = EntryProgress::new(alert.parts.len());
            let joinable = Joinable::of(&alert, &progress, "room", &body)?;
            Some((alert, joinable))
        });
        join(found)
    }

    #[test]
    fn more_than_five_of_a_kind_become_one_message() {
        let five: Vec<_> = (0..5).map(|number| (alert(number), text("disk full"))).collect();
        assert_eq!(joined(five.clone()), []);
        // Another type, another mention, a payload and a card are of no kind, or of another.
        let mut all = five;
        all.push((alert(5), json!({"msgtype": "markdown", "markdown": {"content": "x"}})));
        all.push((alert(6), json!({"msgtype": "text", "text": {"content": "x", "mentioned_list": ["lisi"]}})));
        all.push((StoredAlert { markable: false, ..alert(7) }, text("x")));
        all.push((alert(8), json!({"msgtype": "template_card", "template_card": {}})));
        all.push((StoredAlert { at_most_once: true, ..alert(9) }, text("x")));
        assert_eq!(joined(all.clone()), []);
        all.push((alert(10), text("the sixth")));
        let packs = joined(all);
        let [pack] = packs.as_slice() else { panic!("{packs:?}") };
        assert_eq!(pack.ids, ["000", "001", "002", "003", "004", "010"]);
        let content = pack.body["text"]["content"].as_str().unwrap();
        assert_eq!(content.matches("disk full").count(), 5);
        assert!(content.ends_with("the sixth") && content.starts_with('['), "{content}");
    }

    #[test]
    fn texts_that_do_not_fit_go_on_in_the_next_message() {
        let long = "x".repeat(600);
        let entries = (0..9).map(|number| (alert(number), text(&format!("{number}: {long}")))).collect();
        let packs = joined(entries);
        assert_eq!(packs.iter().map(|pack| pack.ids.len()).sum::<usize>(), 9);
        for pack in &packs {
            let content = pack.body["text"]["content"].as_str().unwrap();
            assert!(content.len() <= 2048 && !content.is_empty(), "{}", content.len());
        }
        // One that has no room for its time goes out on its own.
        let full = "y".repeat(2048);
        let mut entries: Vec<_> = (0..6).map(|number| (alert(number), text("short"))).collect();
        entries.push((alert(6), text(&full)));
        let packs = joined(entries);
        assert!(packs.len() == 1 && packs[0].ids.len() == 6, "{packs:?}");
    }
}
