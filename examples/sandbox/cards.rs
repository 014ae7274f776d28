//! The cards that can be pressed, of the app and of the aibot, by number, and members who press them.

use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::Value;
use wecom_alert::channel::Channel;

use crate::Sandbox;
use crate::fake::{AIBOT_ID, Arrived, Click, FakeWecom, Route, keys_of, questions_of};

/// A card that was sent.
#[derive(Clone)]
pub(crate) struct PressableCard {
    task_id: String,
    is_aibots: bool,
}

/// All of them, in the order in which they came: the first is card 1.
#[derive(Default)]
pub(crate) struct Cards(Mutex<Vec<PressableCard>>);

impl Cards {
    /// Takes a card that has arrived in and gives its number; `None` for what is none, or has nothing to press.
    pub(crate) fn add(&self, arrived: &Arrived) -> Option<usize> {
        let card = PressableCard::of(arrived)?;
        let mut cards = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        cards.push(card);
        Some(cards.len())
    }

    pub(crate) fn get(&self, number: usize) -> Option<PressableCard> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(number.checked_sub(1)?).cloned()
    }

    /// The number of a card, by its task_id.
    pub(crate) fn number_of(&self, task_id: &str) -> Option<usize> {
        let cards = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        cards.iter().position(|card| card.task_id == task_id).map(|at| at + 1)
    }
}

impl PressableCard {
    fn of(arrived: &Arrived) -> Option<Self> {
        let is_aibots = match arrived.route {
            Route::Aibot { .. } => true,
            Route::App { .. } => false,
            Route::Webhook { .. } | Route::Chat { .. } => return None,
        };
        let task_id = arrived.payload()["task_id"].as_str().unwrap_or_default().to_owned();
        let is_card =
            arrived.msgtype == "template_card" && !task_id.is_empty() && !keys_of(arrived.payload()).is_empty();
        is_card.then_some(Self { task_id, is_aibots })
    }

    pub(crate) fn channel(&self) -> Channel {
        if self.is_aibots { Channel::Aibot } else { Channel::App }
    }

    /// What that member sees of it now.
    fn face(&self, wecom: &FakeWecom, userid: &str) -> Option<Value> {
        match self.is_aibots {
            true => Some(wecom.aibot(AIBOT_ID).card(&self.task_id)?.face_of(userid).clone()),
            false => Some(wecom.app_card(&self.task_id)?.face_of(userid).clone()),
        }
    }

    /// What everybody sees of it now, and what single members see in place of that.
    pub(crate) fn faces(&self, wecom: &FakeWecom) -> Option<(Value, Vec<(String, Value)>)> {
        let (face, faces) = match self.is_aibots {
            true => wecom.aibot(AIBOT_ID).card(&self.task_id).map(|card| (card.face, card.faces))?,
            false => wecom.app_card(&self.task_id).map(|card| (card.face, card.faces))?,
        };
        Some((face, faces.into_iter().collect()))
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
    /// Presses card N; what came of it, in words. A press on an app's card goes to its callback address.
    pub(crate) fn carry_out(&self, sandbox: &Sandbox, number: usize) -> Result<String, String> {
        let (wecom, callback) = (sandbox.wecom(), sandbox.callback());
        let Some(card) = sandbox.cards.get(number) else { return Err(format!("there is no card {number}")) };
        let face = card.face(wecom, &self.userid).unwrap_or_default();
        let questions = questions_of(&face);
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
        let click = Click { task_id: &card.task_id, key, userid, chosen: &chosen, on_any_face: false };
        let lost = if card.is_aibots {
            let bot = wecom.aibot(AIBOT_ID);
            let req_id = bot.try_press(&click)?;
            let is_told = bot.presses().iter().any(|press| press.req_id == req_id && press.is_told);
            if is_told { String::new() } else { "; nobody is connected, so nobody hears of it".to_owned() }
        } else {
            let address = wecom.callback(&callback);
            let told = address.deliver(&address.press_request(&click)?);
            match told.attempts.last() {
                Some(Ok(_)) if told.is_taken() => String::new(),
                Some(Ok(answer)) => format!("; {callback} answered {}, so the press is lost", answer.status),
                _ => format!("; nobody listens at {callback}, so the press is lost: run wecom-alert listen"),
            }
        };
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
    pub(crate) fn begin(&self, sandbox: &Arc<Sandbox>, number: usize, card: &Value) {
        if !keys_of(card).contains(&self.press.key) {
            return;
        }
        let (sandbox, later) = (Arc::clone(sandbox), self.clone());
        std::thread::spawn(move || {
            std::thread::sleep(later.after);
            let (Ok(told) | Err(told)) = later.press.carry_out(&sandbox, number);
            sandbox.tell(&told);
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
