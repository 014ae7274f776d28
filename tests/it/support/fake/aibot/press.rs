//! Cards that an aibot sent, and what members do with them: clicks, and the changes that answer them.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::super::world::World;
use super::now_s;

/// A card as it stands in its conversation now.
#[derive(Debug, Clone, PartialEq)]
pub struct SentAibotCard {
    /// Empty where it has none.
    pub task_id: String,
    /// The conversation, and whether it is a group's.
    pub chat: String,
    pub is_group: bool,
    /// As it was sent.
    pub sent: Value,
    /// What everybody sees now who has no entry in `faces`.
    pub face: Value,
    /// What single members see since an update with `userids`.
    pub faces: BTreeMap<String, Value>,
    /// How often it was changed.
    pub changes: usize,
}

impl SentAibotCard {
    /// What that member sees.
    pub fn face_of(&self, userid: &str) -> &Value {
        self.faces.get(userid).unwrap_or(&self.face)
    }
}

/// A click on a card.
#[derive(Debug, Clone)]
pub struct Press {
    /// Of the event; an update must bear it.
    pub req_id: String,
    pub task_id: String,
    pub key: String,
    pub userid: String,
    pub at: Instant,
    /// How much longer ago it was than `at` says.
    pub aged: Duration,
    /// Whether the event went out to a connection.
    pub is_told: bool,
    pub is_answered: bool,
}

/// A card that was changed in answer to a click, in time.
#[derive(Debug, Clone, PartialEq)]
pub struct CardUpdate {
    pub req_id: String,
    pub task_id: String,
    /// Who had pressed.
    pub userid: String,
    /// Whom it was for; empty for everybody.
    pub userids: Vec<String>,
    pub card: Value,
    /// How long after the click.
    pub after: Duration,
}

/// What a member does: a key, and of a vote or a list the chosen options per question.
#[derive(Debug, Clone, Copy)]
pub struct Click<'a> {
    pub task_id: &'a str,
    pub key: &'a str,
    pub userid: &'a str,
    pub chosen: &'a [(&'a str, &'a [&'a str])],
    /// Also what the card no longer shows: a client that has not heard of the change.
    pub on_any_face: bool,
}

/// Sends the event of a click. Gives the req_id, or why nobody can click there.
pub fn click(world: &mut World, bot_id: &str, click: &Click) -> Result<String, String> {
    let (req_id, frame) = event_of(world, bot_id, click)?;
    let is_told = world.tell(bot_id, frame);
    note(world, bot_id, click, &req_id, is_told);
    Ok(req_id)
}

/// The event of a click for the callback address of the bot, with the id under which it is answered here.
pub fn click_by_callback(world: &mut World, bot_id: &str, click: &Click) -> Result<(String, Value), String> {
    let (req_id, frame) = event_of(world, bot_id, click)?;
    note(world, bot_id, click, &req_id, true);
    Ok((req_id, frame["body"].clone()))
}

fn event_of(world: &mut World, bot_id: &str, click: &Click) -> Result<(String, Value), String> {
    let bot = world.aibots.bot(bot_id);
    let Some(card) = bot.cards.iter().find(|card| card.task_id == click.task_id && !click.task_id.is_empty()) else {
        return Err(format!("there is no card {:?}", click.task_id));
    };
    if !card.is_group && card.chat != click.userid {
        return Err(format!("{} does not see the card of {}", click.userid, card.chat));
    }
    let face = if click.on_any_face { &card.sent } else { card.face_of(click.userid) };
    let keys = keys_of(face);
    if !keys.iter().any(|key| key == click.key) {
        return Err(format!("the card has no {:?} to press, but {keys:?}", click.key));
    }
    let chosen = check_chosen(face, click)?;
    let mut event = json!({"card_type": face["card_type"], "event_key": click.key, "task_id": click.task_id});
    if !chosen.is_empty() {
        event["selected_items"] = json!({"selected_item": chosen});
    }
    if bot.spells_without_underscores {
        event = without_underscores(event);
    }
    let mut more = json!({
        "chattype": if card.is_group { "group" } else { "single" },
        "from": {"userid": bot.shown_id(click.userid)},
        "msgtype": "event",
        "event": {"eventtype": "template_card_event", "template_card_event": event},
    });
    if card.is_group {
        more["chatid"] = json!(card.chat);
    }
    more["create_time"] = json!(now_s(world));
    let frame = world.callback("aibot_event_callback", bot_id, more);
    let req_id = frame["headers"]["req_id"].as_str().unwrap_or_default().to_owned();
    Ok((req_id, frame))
}

fn note(world: &mut World, bot_id: &str, click: &Click, req_id: &str, is_told: bool) {
    let press = Press {
        req_id: req_id.to_owned(),
        task_id: click.task_id.to_owned(),
        key: click.key.to_owned(),
        userid: click.userid.to_owned(),
        at: Instant::now(),
        aged: Duration::ZERO,
        is_told,
        is_answered: false,
    };
    world.aibots.bot(bot_id).presses.push(press);
}

/// What can be pressed on a card: buttons, the submit button, entries of the menu.
pub fn keys_of(card: &Value) -> Vec<String> {
    let lists = [&card["button_list"], &card["action_menu"]["action_list"]];
    let listed = lists.into_iter().filter_map(Value::as_array).flatten().map(|item| &item["key"]);
    let all = listed.chain([&card["submit_button"]["key"]]);
    all.filter_map(Value::as_str).map(str::to_owned).collect()
}

/// The questions of a card with the ids of their options.
pub fn questions_of(card: &Value) -> Vec<(&str, Vec<&str>)> {
    let lists = card["select_list"].as_array().into_iter().flatten();
    let all = [&card["checkbox"], &card["button_selection"]].into_iter().chain(lists);
    all.filter_map(|question| Some((question["question_key"].as_str()?, option_ids(question)))).collect()
}

fn option_ids(question: &Value) -> Vec<&str> {
    let options = question["option_list"].as_array().into_iter().flatten();
    options.filter_map(|option| option["id"].as_str()).collect()
}

/// The chosen options as an event has them.
pub fn check_chosen(face: &Value, click: &Click) -> Result<Vec<Value>, String> {
    let questions = questions_of(face);
    for (question, ids) in click.chosen {
        let Some((_, options)) = questions.iter().find(|(key, _)| key == question) else {
            return Err(format!("the card has no question {question:?}"));
        };
        if let Some(id) = ids.iter().find(|id| !options.contains(id)) {
            return Err(format!("the question {question:?} has no option {id:?}, but {options:?}"));
        }
    }
    let item = |(question, ids): &(&str, &[&str])| json!({"question_key": question, "option_ids": {"option_id": ids}});
    Ok(click.chosen.iter().map(item).collect())
}

fn without_underscores(event: Value) -> Value {
    let mut text = event.to_string();
    for name in ["card_type", "event_key", "task_id", "selected_items", "selected_item", "question_key", "option_ids"] {
        text = text.replace(&format!("\"{name}\":"), &format!("\"{}\":", name.replace('_', "")));
    }
    text = text.replace("\"option_id\":", "\"optionid\":");
    serde_json::from_str(&text).unwrap_or(event)
}

/// A click on the card that was sent last: before anybody could know that it arrived.
pub fn press_last(world: &mut World, bot_id: &str, key: &str, userid: &str) {
    let last = world.aibots.bot(bot_id).cards.last().map(|card| card.task_id.clone());
    let task_id = last.unwrap_or_else(|| panic!("the aibot sent no card"));
    let what = Click { task_id: &task_id, key, userid, chosen: &[], on_any_face: false };
    click(world, bot_id, &what).unwrap_or_else(|problem| panic!("{problem}"));
}
