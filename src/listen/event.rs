//! An event on its way through `listen`: a press or a message, where it came from, and the document that tells of it.

use std::cell::Cell;
use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};
use tokio::sync::oneshot;

use crate::aibot::Link;
use crate::api::aibot::{Message, Press};
use crate::cards::KeptCard;
use crate::channel::{Channel, Presses};
use crate::clock::{LAST_MS, at_ms, now_ms, stamp};

/// What names the file of a message among those of cards: no card has such an id.
const MESSAGE: &str = "message:";

/// No more is believed, since clocks differ.
const LONGEST_WAY: Duration = Duration::from_secs(3);

/// Says of a press that nothing is known of its card here.
pub(super) type Decline = Box<dyn FnOnce(Press) + Send>;

/// Something that somebody did.
pub(super) struct ReceivedEvent {
    /// The same for every copy.
    pub(super) event_id: String,
    /// By which channel it came.
    pub(super) channel: Channel,
    pub(super) press: Press,
    /// What somebody wrote, where it is no press.
    pub(super) words: Option<String>,
    /// Takes the answer to a callback: an app's once the event is on disk, an aibot's with the change of the card.
    pub(super) reply: Cell<Option<oneshot::Sender<Acknowledged>>>,
    /// The connection of an aibot by which it came, as long as the card was not changed by it.
    pub(super) link: Cell<Option<Link>>,
    /// Says that nothing is known of the card here: another process on the connection may know it.
    pub(super) decline: Cell<Option<Decline>>,
    /// When this process received it.
    pub(super) since: Instant,
}

/// What WeCom is answered at once.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Acknowledged {
    /// It is received, with a change of the card where there is one.
    Received(Option<Value>),
    /// It could not be kept: WeCom is to send it again.
    NotKept,
}

impl ReceivedEvent {
    /// An event of which no more is known yet.
    pub(super) fn new(event_id: String, channel: Channel, press: Press) -> Self {
        Self {
            event_id,
            channel,
            press,
            words: None,
            reply: Cell::default(),
            link: Cell::default(),
            decline: Cell::default(),
            since: Instant::now(),
        }
    }

    /// Words that somebody wrote.
    pub(super) fn of_message(event_id: String, channel: Channel, message: Message) -> Self {
        let Message { msgid, userid, chatid, text } = message;
        let press = Press { msgid, userid, is_group: chatid.is_some(), chatid, ..Press::default() };
        Self { words: Some(text), ..Self::new(event_id, channel, press) }
    }

    /// Counts the time that passed on the way between processes: whoever holds the connection may have kept the press for
    /// another one.
    pub(super) fn count_what_passed(&mut self) {
        let passed = pressed_ms(&self.press).map(|at_ms| Duration::from_millis(now_ms().saturating_sub(at_ms)));
        self.since = self.since.checked_sub(passed.unwrap_or_default().min(LONGEST_WAY)).unwrap_or(self.since);
    }

    /// Whether the card of an aibot can still be changed by the way that the press came.
    pub(super) fn can_change(&self) -> bool {
        let (reply, link) = (self.reply.take(), self.link.take());
        let can = reply.is_some() || link.is_some();
        self.reply.set(reply);
        self.link.set(link);
        can
    }

    /// Whether its card is changed by response_codes. Else it is changed by the answer to the press.
    pub(super) fn changes_by_code(&self) -> bool {
        self.channel.presses() == Presses::Callback
    }

    /// Answers a callback, unless the answer is to bring the change of the card.
    pub(super) fn acknowledge_early(&self) {
        if self.changes_by_code() {
            self.acknowledge(Acknowledged::Received(None));
        }
    }

    /// Answers a callback, if it waits for that.
    pub(super) fn acknowledge(&self, acknowledged: Acknowledged) {
        if let Some(reply) = self.reply.take() {
            // Where nobody waits any more, WeCom sends it again.
            let _ = reply.send(acknowledged);
        }
    }

    /// What names the file that it is kept in.
    pub(super) fn file_id(&self) -> String {
        match &self.words {
            Some(_) => format!("{MESSAGE}{}", self.event_id),
            None => self.press.task_id.clone(),
        }
    }

    /// When somebody did that, in Unix milliseconds: as WeCom says, else now.
    pub(super) fn at_ms(&self) -> u64 {
        pressed_ms(&self.press).unwrap_or_else(now_ms)
    }

    /// The document on standard input of the program and on standard output. `counts` says whether it is the press that
    /// counts.
    pub(super) fn document(&self, attempt: u32, card: Option<&KeptCard>, counts: bool) -> Value {
        let Press { key, task_id, userid, .. } = &self.press;
        let text = |text: &String| if text.is_empty() { Value::Null } else { json!(text) };
        let mut document = json!({
            "event_id": self.event_id,
            "attempt": attempt,
            "key": text(key),
            "task_id": text(task_id),
            "userid": userid,
            "at": stamp(at_ms(self.at_ms())),
            "channel": self.channel.as_str(),
            "options": chosen(&self.press),
            "counts": counts,
            "card": card.filter(|card| card.is_known()).map(card_document),
        });
        if let Some(words) = &self.words {
            document["text"] = json!(words);
        }
        document
    }
}

/// When somebody pressed, in Unix milliseconds, if WeCom says that.
pub(super) fn pressed_ms(press: &Press) -> Option<u64> {
    let seconds = u64::try_from(press.at).ok().filter(|at| *at > 0)?;
    Some(seconds.saturating_mul(1000).min(LAST_MS))
}

/// The ids that were chosen.
pub(super) fn chosen(press: &Press) -> Vec<String> {
    press.selected.iter().flat_map(|(_, ids)| ids.iter().cloned()).collect()
}

/// The words of a message that is kept in the place of a card, if it is one.
pub(super) fn words_in(kept: &KeptCard) -> Option<String> {
    kept.task_id.starts_with(MESSAGE).then(|| kept.data.value["text"].as_str().unwrap_or_default().to_owned())
}

/// What is kept of a message.
pub(super) fn data_of(words: &str) -> Value {
    json!({ "text": words })
}

fn card_document(card: &KeptCard) -> Value {
    let fields: Map<String, Value> = card.fields.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
    let mut document = json!({ "title": card.title, "fields": fields, "data": card.data.value });
    if card.data.is_cut {
        document["data_is_cut"] = json!(true);
    }
    document
}

/// What a card calls what was pressed: the texts of the options that were chosen, else of the button or the menu entry.
pub(super) fn text_of(card: &Value, key: &str, options: &[String]) -> String {
    let named = |list: &Value, name: &str, id: &str| {
        let item = list.as_array().into_iter().flatten().find(|item| item[name].as_str() == Some(id));
        item.and_then(|item| item["text"].as_str()).map(str::to_owned)
    };
    let lists = card["select_list"].as_array().into_iter().flatten();
    let lists: Vec<&Value> = lists.chain([&card["checkbox"], &card["button_selection"]]).collect();
    let chosen = |id: &String| lists.iter().find_map(|list| named(&list["option_list"], "id", id));
    let texts: Vec<String> = options.iter().map(|id| chosen(id).unwrap_or_else(|| id.clone())).collect();
    let button = named(&card["button_list"], "key", key)
        .or_else(|| named(&card["action_menu"]["action_list"], "key", key))
        .or_else(|| Some(key.to_owned()).filter(|_| texts.is_empty()));
    // What is chosen beside a button goes with it; the submit button of a vote says nothing.
    button.into_iter().chain(texts).collect::<Vec<_>>().join(" · ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_pressed_is_called_as_on_the_card() {
        let card = json!({
            "button_list": [{ "text": "Mute", "key": "mute" }],
            "button_selection": { "option_list": [{ "id": "2h", "text": "two hours" }] },
            "action_menu": { "action_list": [{ "text": "Refresh", "key": "refresh" }] },
        });
        assert_eq!(text_of(&card, "mute", &["2h".to_owned()]), "Mute · two hours");
        assert_eq!(
            (text_of(&card, "refresh", &[]), text_of(&card, "odd", &[])),
            ("Refresh".to_owned(), "odd".to_owned())
        );
        let vote = json!({ "checkbox": { "option_list": [{ "id": "a", "text": "A" }, { "id": "b", "text": "B" }] } });
        assert_eq!(text_of(&vote, "submit", &["b".to_owned(), "c".to_owned()]), "B · c");
        assert_eq!(text_of(&Value::Null, "ack", &[]), "ack");
    }
}
