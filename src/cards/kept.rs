//! What is kept of a card, and what a press means for it. Pure.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::card_content::{CardData, fields_of, title_of};
use crate::api::aibot::Press;
use crate::channel::Channel;
use crate::clock::read_ms;
use crate::sanitize::truncate;

/// How long a response_code is good for an update, in milliseconds (document path 94888).
pub(crate) const CODE_LIFE_MS: u64 = 72 * 3_600 * 1_000;

/// How long a press is kept, in milliseconds.
pub(super) const PRESS_LIFE_MS: u64 = 7 * 24 * 3_600 * 1_000;

/// The most presses that are kept of a card. The first one stays, and so do those whose handling has not ended.
const MOST_PRESSES: usize = 50;

/// The most codes that are kept of a card.
const MOST_CODES: usize = 50;

/// The longest text of a handler that is kept, in characters.
const SAID_CHARS: usize = 1_000;

/// What a send knows of a card that WeCom has taken.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct NewCard {
    /// The channel that it went by.
    pub(crate) channel: Channel,
    /// The profile that it was sent with; `None` where there is none.
    pub(crate) profile: Option<String>,
    /// The object under `template_card`, as it was sent.
    pub(crate) card: Value,
    pub(crate) data: CardData,
    /// What WeCom gave for one update of it; an aibot's card has none.
    pub(crate) response_code: Option<String>,
}

/// A card that was sent, or was pressed without being known.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct KeptCard {
    /// What names it in presses.
    pub(crate) task_id: String,
    /// The channel that it went by.
    pub(crate) channel: Channel,
    /// The profile that it was sent with; `None` where there is none.
    pub(crate) profile: Option<String>,
    /// When it was sent, in Unix milliseconds; of an unknown card, when it was first pressed.
    #[serde(deserialize_with = "read_ms")]
    pub(crate) sent_ms: u64,
    /// The object under `template_card`, as it was sent; null for a card that this state folder did not send.
    pub(crate) card: Value,
    /// The title on the card; empty where it has none.
    pub(crate) title: String,
    /// Names and values on the card.
    pub(crate) fields: Vec<(String, String)>,
    pub(crate) data: CardData,
    /// Those that are not used up, the oldest first.
    pub(crate) codes: Vec<KeptCode>,
    /// The first press counts; of the others the oldest are left out when they are many.
    pub(crate) presses: Vec<KeptPress>,
}

/// A response_code, which is good for one update within 72 hours.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct KeptCode {
    pub(crate) code: String,
    /// When it came, in Unix milliseconds.
    #[serde(deserialize_with = "read_ms")]
    pub(super) since_ms: u64,
}

/// A press on a card.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct KeptPress {
    /// The same for every copy of the event.
    pub(crate) event_id: String,
    pub(crate) press: Press,
    /// When it came, in Unix milliseconds.
    #[serde(deserialize_with = "read_ms")]
    pub(crate) received_ms: u64,
    pub(crate) state: PressState,
    /// Whether another card that can be pressed has taken the place of the one that was: it is no first press any more.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) is_past: bool,
}

/// How far a press has been handled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum PressState {
    /// Nothing was done about it.
    New,
    /// It is being handled, or the process that did so was killed; attempts count from 1.
    Running { attempt: u32 },
    /// It was handled.
    Done {
        /// What its handler said, in one line.
        said: Option<String>,
        failed: bool,
    },
}

/// What a press is among those on its card.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PressRank {
    /// The first one, which counts.
    First,
    /// Somebody else, or the same person, pressed before.
    Later,
    /// A copy of one that is kept.
    Copy,
}

/// A press that was received, and is on disk.
#[derive(Debug, Clone)]
pub(crate) struct ReceivedPress {
    pub(crate) rank: PressRank,
    /// Its card with all presses, this one too.
    pub(crate) card: KeptCard,
    /// One sentence for a warning where what was kept of the card could not be read: it is kept anew, as unknown.
    pub(crate) trouble: Option<String>,
}

impl KeptCard {
    /// A card that was just sent.
    pub(super) fn sent(task_id: &str, new: NewCard, now_ms: u64) -> Self {
        let NewCard { channel, profile, card, data, response_code } = new;
        let codes = response_code.filter(|code| !code.is_empty());
        Self {
            task_id: task_id.to_owned(),
            channel,
            profile,
            sent_ms: now_ms,
            title: title_of(&card),
            fields: fields_of(&card),
            card,
            data,
            codes: codes.map(|code| KeptCode { code, since_ms: now_ms }).into_iter().collect(),
            presses: Vec::new(),
        }
    }

    /// A card that was pressed and is not known.
    fn unknown(task_id: &str, channel: Channel, now_ms: u64) -> Self {
        let new = NewCard { channel, profile: None, card: Value::Null, data: CardData::default(), response_code: None };
        Self::sent(task_id, new, now_ms)
    }

    /// This card, which was just sent, with what is kept under its task id: somebody may have pressed it already. What is
    /// left of an older card that had the same id is dropped.
    pub(super) fn with_what_came_before(mut self, kept: Option<Self>) -> Self {
        if let Some(kept) = kept.filter(|kept| kept.card.is_null() || kept.card == self.card) {
            self.codes.splice(..0, kept.codes);
            self.presses = kept.presses;
        }
        self
    }

    /// Adds a press to what is kept of its card, if anything is, unless it is kept already.
    pub(super) fn pressed(
        kept: Option<Self>,
        channel: Channel,
        event_id: &str,
        press: Press,
        now_ms: u64,
    ) -> (Self, PressRank) {
        let mut card = kept.unwrap_or_else(|| Self::unknown(&press.task_id, channel, now_ms));
        if card.press(event_id).is_some() {
            return (card, PressRank::Copy);
        }
        let rank = if card.first_press().is_none() { PressRank::First } else { PressRank::Later };
        card.codes.retain(|code| code.is_good(now_ms));
        if !press.response_code.is_empty() {
            card.codes.push(KeptCode { code: press.response_code.clone(), since_ms: now_ms });
            let too_many = card.codes.len().saturating_sub(MOST_CODES);
            card.codes.drain(..too_many);
        }
        let event_id = event_id.to_owned();
        card.presses.push(KeptPress { event_id, press, received_ms: now_ms, state: PressState::New, is_past: false });
        card.drop_presses(MOST_PRESSES);
        (card, rank)
    }

    /// The press that counts.
    pub(crate) fn first_press(&self) -> Option<&KeptPress> {
        self.presses.iter().find(|press| !press.is_past)
    }

    /// The press of this event.
    pub(crate) fn press(&self, event_id: &str) -> Option<&KeptPress> {
        self.presses.iter().find(|press| press.event_id == event_id)
    }

    /// Those whose handling has not ended, the oldest first.
    pub(crate) fn unfinished(&self) -> impl Iterator<Item = &KeptPress> {
        self.presses.iter().filter(|press| !press.state.is_done())
    }

    /// How many updates can be made of it now.
    pub(crate) fn count_codes(&self, now_ms: u64) -> usize {
        self.codes.iter().filter(|code| code.is_good(now_ms)).count()
    }

    /// Whether it was sent by this state folder: else only presses on it are known.
    pub(crate) fn is_known(&self) -> bool {
        !self.card.is_null()
    }

    /// The handling of a press begins. Returns which attempt it is, from 1 on; `None` where it has ended, or is not known.
    pub(super) fn begin(&mut self, event_id: &str) -> Option<u32> {
        let press = self.presses.iter_mut().find(|press| press.event_id == event_id)?;
        let attempt = match press.state {
            PressState::New => 1,
            PressState::Running { attempt } => attempt.saturating_add(1),
            PressState::Done { .. } => return None,
        };
        press.state = PressState::Running { attempt };
        Some(attempt)
    }

    /// The handling of a press has ended.
    pub(super) fn end(&mut self, event_id: &str, said: Option<&str>, failed: bool) {
        if let Some(press) = self.presses.iter_mut().find(|press| press.event_id == event_id) {
            let said = said.map(|said| truncate(said, SAID_CHARS).0.to_owned());
            press.state = PressState::Done { said, failed };
        }
    }

    /// Another card that can be pressed has taken its place: the next press on it counts.
    pub(super) fn replace(&mut self, mut card: Value) {
        card["task_id"] = Value::from(self.task_id.as_str());
        (self.title, self.fields, self.card) = (title_of(&card), fields_of(&card), card);
        self.presses.iter_mut().for_each(|press| press.is_past = true);
    }

    /// Takes out the oldest code that is good.
    pub(super) fn take_code(&mut self, now_ms: u64) -> Option<KeptCode> {
        self.codes.retain(|code| code.is_good(now_ms));
        (!self.codes.is_empty()).then(|| self.codes.remove(0))
    }

    /// Puts a code back that was not used.
    pub(super) fn give_back(&mut self, code: KeptCode) {
        self.codes.insert(0, code);
    }

    /// When something last came for it, in Unix milliseconds.
    pub(super) fn last_ms(&self) -> u64 {
        self.presses.iter().map(|press| press.received_ms).fold(self.sent_ms, u64::max)
    }

    /// Whether nothing of it is of use any more.
    pub(super) fn is_old(&self, now_ms: u64) -> bool {
        let pressed_ms = self.presses.iter().map(|press| press.received_ms).max();
        let has_old_presses = pressed_ms.is_none_or(|ms| now_ms > ms.saturating_add(PRESS_LIFE_MS));
        has_old_presses && now_ms > self.sent_ms.saturating_add(CODE_LIFE_MS)
    }

    /// The card with so much left out that it has at most so many bytes as JSON, if that can be done: data first, then presses
    /// that were handled.
    pub(super) fn within(mut self, bytes: usize) -> Self {
        let is_long = |card: &Self| serde_json::to_string(card).is_ok_and(|json| json.len() > bytes);
        if is_long(&self) && !self.data.value.is_null() {
            self.data = CardData { value: Value::Null, is_cut: true };
        }
        while self.presses.len() > 1 && is_long(&self) {
            let before = self.presses.len();
            self.drop_presses(before / 2);
            if self.presses.len() == before {
                break;
            }
        }
        self
    }

    /// Leaves out the oldest presses but the first, as long as there are more than so many and their handling has ended.
    fn drop_presses(&mut self, most: usize) {
        let mut too_many = self.presses.len().saturating_sub(most);
        let first = self.first_press().map(|press| press.event_id.clone());
        self.presses.retain(|press| {
            let goes = too_many > 0 && press.state.is_done() && first.as_ref() != Some(&press.event_id);
            too_many -= usize::from(goes);
            !goes
        });
    }
}

impl KeptCode {
    /// A code from the future came before the clock was set back: nobody knows how old it is, and WeCom will say.
    fn is_good(&self, now_ms: u64) -> bool {
        now_ms < self.since_ms.saturating_add(CODE_LIFE_MS)
    }
}

impl PressRank {
    pub(crate) fn is_copy(self) -> bool {
        self == Self::Copy
    }
}

impl PressState {
    pub(crate) fn is_done(&self) -> bool {
        matches!(self, Self::Done { .. })
    }
}

#[cfg(test)]
pub(super) mod tests;
