//! The sandbox's aibot: its cards by number, members who press them, and what else may happen to it.

use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::Value;

use crate::fake::{AIBOT_ID, AIBOT_LIMITS, Arrived, Click, FakeWecom, Route, keys_of, questions_of};
use crate::show::say;

/// The task_ids of the cards in the order in which they came: the first is card 1.
#[derive(Debug, Default)]
pub(crate) struct Board(Mutex<Vec<String>>);

impl Board {
    /// The number of a card, new or known; `None` for what is no card of the aibot.
    pub(crate) fn note(&self, arrived: &Arrived) -> Option<usize> {
        let is_card = matches!(arrived.route, Route::Aibot { .. }) && arrived.msgtype == "template_card";
        let task_id = arrived.payload()["task_id"].as_str().unwrap_or_default();
        let mut cards = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        is_card.then(|| {
            cards.push(task_id.to_owned());
            cards.len()
        })
    }

    pub(crate) fn number_of(&self, task_id: &str) -> Option<usize> {
        let cards = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        cards.iter().position(|known| known == task_id).map(|at| at + 1)
    }
}

/// What to type to press a card, by its reader where there is one.
pub(crate) fn how_to_press(number: usize, card: &Value, users: &[String]) -> Option<String> {
    let keys = keys_of(card);
    if keys.is_empty() {
        return None;
    }
    let options: Vec<_> = questions_of(card).into_iter().flat_map(|(_, options)| options).collect();
    let options = if options.is_empty() { String::new() } else { format!(" {}", options.join(",")) };
    let user = users.first().map_or("USER", String::as_str);
    Some(format!("press {number} {} {user}{options}", keys.join("|")))
}

/// What a member presses, and of a vote the ids of the options.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Press {
    pub(crate) key: String,
    pub(crate) userid: String,
    pub(crate) options: Vec<String>,
}

impl Press {
    /// Presses card N; what came of it, in words.
    pub(crate) fn carry_out(&self, wecom: &FakeWecom, number: usize) -> Result<String, String> {
        let bot = wecom.aibot(AIBOT_ID);
        let cards = bot.cards();
        let Some(card) = number.checked_sub(1).and_then(|at| cards.get(at)) else {
            return Err(format!("there is no card {number}"));
        };
        let questions = questions_of(card.face_of(&self.userid));
        let mut chosen: Vec<(&str, Vec<&str>)> = Vec::new();
        for option in &self.options {
            let (wanted, id) = option.split_once('=').map_or((None, option.as_str()), |(q, id)| (Some(q), id));
            let has_it = |(question, ids): &&(&str, Vec<&str>)| {
                wanted.is_none_or(|wanted| wanted == *question) && ids.contains(&id)
            };
            let Some((question, _)) = questions.iter().find(has_it) else {
                return Err(format!("card {number} has no option {option:?}"));
            };
            match chosen.iter_mut().find(|(known, _)| known == question) {
                Some((_, ids)) => ids.push(id),
                None => chosen.push((question, vec![id])),
            }
        }
        let chosen: Vec<_> = chosen.iter().map(|(question, ids)| (*question, ids.as_slice())).collect();
        let (key, userid) = (self.key.as_str(), self.userid.as_str());
        let req_id =
            bot.try_press(&Click { task_id: &card.task_id, key, userid, chosen: &chosen, on_any_face: false })?;
        let is_told = bot.presses().iter().any(|press| press.req_id == req_id && press.is_told);
        let lost = if is_told { "" } else { "; nobody is connected, so nobody hears of it" };
        Ok(format!("{userid} pressed {key} on card {number}{lost}"))
    }
}

/// A press of every card that has such a key, so long after it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LaterPress {
    press: Press,
    after: Duration,
}

impl LaterPress {
    /// Waits in a thread of its own. Cards without that key are left alone.
    pub(crate) fn begin(&self, wecom: &Arc<FakeWecom>, number: usize, card: &Value) {
        if !keys_of(card).contains(&self.press.key) {
            return;
        }
        let (wecom, later) = (Arc::clone(wecom), self.clone());
        std::thread::spawn(move || {
            std::thread::sleep(later.after);
            let (Ok(told) | Err(told)) = later.press.carry_out(&wecom, number);
            say(&format!("# {told}"));
        });
    }
}

/// `KEY:USER[:OPTION,…][@DURATION]`
impl FromStr for LaterPress {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (what, after) = with_delay(text);
        let mut parts = what.splitn(3, ':');
        match (parts.next(), parts.next(), parts.next()) {
            (Some(key), Some(userid), options) if !key.is_empty() && !userid.is_empty() => {
                Ok(Self { press: press(key, userid, options), after })
            }
            _ => Err(format!("{text:?} is no press such as ack:zhangsan@2s")),
        }
    }
}

/// A press by its parts, the options separated by commas.
pub(crate) fn press(key: &str, userid: &str, options: Option<&str>) -> Press {
    let options = options.unwrap_or_default().split(',').filter(|id| !id.is_empty()).map(str::to_owned).collect();
    Press { key: key.to_owned(), userid: userid.to_owned(), options }
}

/// What stands before `@2s`, `@500ms` or `@1m`, and how long that is: at once where there is none.
pub(crate) fn with_delay(text: &str) -> (&str, Duration) {
    let Some((what, delay)) = text.rsplit_once('@') else { return (text, Duration::ZERO) };
    let units = [("ms", 1), ("s", 1000), ("m", 60_000)];
    let read = |(unit, ms): (&str, u64)| Some(delay.strip_suffix(unit)?.parse::<u32>().ok()? as u64 * ms);
    match units.into_iter().find_map(read) {
        Some(ms) => (what, Duration::from_millis(ms)),
        None => (text, Duration::ZERO),
    }
}

/// What happens to the aibot or how it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mishap {
    Kick,
    Drop,
    HalfDead,
    Repeat,
    KeepOldSockets,
    EncryptIds,
    RefuseGroups,
    OtherKinds,
    Limits,
}

pub(crate) const MISHAPS: [(&str, Mishap, &str); 9] = [
    ("kick", Mishap::Kick, "somebody elsewhere takes the aibot over"),
    ("drop", Mishap::Drop, "the connection of the aibot is cut"),
    ("half-dead", Mishap::HalfDead, "heartbeats are answered, nothing else comes or is taken"),
    ("repeat", Mishap::Repeat, "the latest event comes once more"),
    ("keep-old", Mishap::KeepOldSockets, "a connection that was taken over stays open, half-dead"),
    ("encrypt-ids", Mishap::EncryptIds, "the aibot sees wo… in the place of userids"),
    ("refuse-groups", Mishap::RefuseGroups, "the aibot may not write to groups (846607)"),
    ("other-kinds", Mishap::OtherKinds, "a card may change into one of another kind"),
    ("limits", Mishap::Limits, "30 messages a minute and 1000 an hour per conversation; more are 846607"),
];

impl Mishap {
    pub(crate) fn carry_out(self, wecom: &FakeWecom) {
        let bot = wecom.aibot(AIBOT_ID);
        match self {
            Self::Kick => bot.kick(),
            Self::Drop => bot.drop_connection(),
            Self::HalfDead => bot.make_half_dead(),
            Self::Repeat => bot.repeat_event(),
            Self::KeepOldSockets => bot.set(|bot| bot.keeps_old_sockets = true),
            Self::EncryptIds => bot.set(|bot| bot.has_encrypted_ids = true),
            Self::RefuseGroups => bot.set(|bot| bot.refuses_group_pushes = true),
            Self::OtherKinds => bot.set(|bot| bot.takes_other_kinds = true),
            Self::Limits => bot.set(|bot| bot.limits = AIBOT_LIMITS.to_vec()),
        }
    }

    pub(crate) fn describe(self) -> &'static str {
        MISHAPS.iter().find(|(_, mishap, _)| *mishap == self).map_or("", |(_, _, words)| words)
    }
}

impl FromStr for Mishap {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = MISHAPS.iter().find(|(name, _, _)| *name == text).map(|(_, mishap, _)| *mishap);
        let names = || MISHAPS.iter().map(|(name, _, _)| *name).collect::<Vec<_>>().join(", ");
        known.ok_or_else(|| format!("{text:?} is not one of {}", names()))
    }
}

/// Makes the aibot as it was at the start.
pub(crate) fn set_normal(wecom: &FakeWecom) {
    wecom.aibot(AIBOT_ID).set(|bot| {
        bot.keeps_old_sockets = false;
        bot.has_encrypted_ids = false;
        bot.refuses_group_pushes = false;
        bot.takes_other_kinds = false;
        bot.limits.clear();
    });
}
