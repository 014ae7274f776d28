//! What a test or the sandbox does with an aibot of the fake, and gets to see of it.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::super::FakeWecom;
use super::super::server::lock;
use super::press::{CardUpdate, Click, Press, SentAibotCard, click};
use super::{Bot, Out, encrypted_id, now_s};

/// One aibot of a running fake.
pub struct Aibot<'a> {
    wecom: &'a FakeWecom,
    id: String,
}

impl FakeWecom {
    /// An aibot that is there, such as [`super::AIBOT_ID`].
    pub fn aibot(&self, id: &str) -> Aibot<'_> {
        Aibot { wecom: self, id: id.to_owned() }
    }

    /// What belongs into `aibot_url`.
    pub fn aibot_url(&self) -> String {
        self.base_url().replacen("http", "ws", 1)
    }
}

impl Aibot<'_> {
    /// A member clicks on a card, which is named by its task_id. Gives the req_id of the click; waits for nothing.
    pub fn press(&self, task_id: &str, key: &str, userid: &str) -> String {
        self.try_press(&Click { task_id, key, userid, chosen: &[], on_any_face: false }).unwrap()
    }

    /// The same with the chosen options per question, as votes and lists have them.
    pub fn vote(&self, task_id: &str, key: &str, userid: &str, chosen: &[(&str, &[&str])]) -> String {
        self.try_press(&Click { task_id, key, userid, chosen, on_any_face: false }).unwrap()
    }

    /// A click on the card as it was sent, by a client that has not heard of its change.
    pub fn press_stale(&self, task_id: &str, key: &str, userid: &str) -> String {
        self.try_press(&Click { task_id, key, userid, chosen: &[], on_any_face: true }).unwrap()
    }

    /// The same as [`Self::press`] for callers who may be wrong.
    pub fn try_press(&self, what: &Click) -> Result<String, String> {
        self.wecom.world(|world| click(world, &self.id, what))
    }

    /// A member writes to the bot in private: from now on it may write to them.
    pub fn written_by(&self, userid: &str, words: &str) {
        self.word(None, userid, words);
    }

    /// A member mentions the bot in a group.
    pub fn mentioned_in(&self, chat: &str, userid: &str, words: &str) {
        self.word(Some(chat), userid, words);
    }

    /// Another event than a click, such as `enter_chat` or `feedback_event` with what that one holds. Nothing may be
    /// sent as an answer here.
    pub fn other_event(&self, userid: &str, eventtype: &str, fields: &Value) {
        self.wecom.world(|world| {
            let mut more = json!({
                "create_time": now_s(world),
                "chattype": "single",
                "from": {"userid": world.aibots.bot(&self.id).shown_id(userid)},
                "msgtype": "event",
                "event": {"eventtype": eventtype},
            });
            if !fields.is_null() {
                more["event"][eventtype] = fields.clone();
            }
            let frame = world.callback("aibot_event_callback", &self.id, more);
            world.tell(&self.id, frame);
        });
    }

    /// The cards that were sent, in order, as they stand now.
    pub fn cards(&self) -> Vec<SentAibotCard> {
        self.bot(|bot| bot.cards.clone())
    }

    /// The card of that task_id as it stands now.
    pub fn card(&self, task_id: &str) -> Option<SentAibotCard> {
        self.bot(|bot| bot.cards.iter().find(|card| card.task_id == task_id).cloned())
    }

    /// Every click so far.
    pub fn presses(&self) -> Vec<Press> {
        self.bot(|bot| bot.presses.clone())
    }

    /// The changes of cards that were taken: those that came in time.
    pub fn updates(&self) -> Vec<CardUpdate> {
        self.bot(|bot| bot.updates.clone())
    }

    /// How often somebody subscribed.
    pub fn subscriptions(&self) -> usize {
        self.bot(|bot| bot.subscriptions.len())
    }

    /// Whether somebody is subscribed now.
    pub fn is_subscribed(&self) -> bool {
        self.bot(|bot| bot.current.is_some())
    }

    /// Somebody elsewhere takes the bot over.
    pub fn kick(&self) {
        self.wecom.world(|world| world.take_over(&self.id));
    }

    /// The connection lives on, answers heartbeats, and nothing else comes or is taken.
    pub fn make_half_dead(&self) {
        self.wecom.world(|world| {
            let current = world.aibots.bot(&self.id).current;
            if let Some(socket) = current.and_then(|number| world.aibots.sockets.get_mut(&number)) {
                socket.is_half_dead = true;
            }
        });
    }

    /// Nothing is answered any more, heartbeats neither.
    pub fn make_silent(&self) {
        self.wecom.world(|world| {
            let current = world.aibots.bot(&self.id).current;
            if let Some(socket) = current.and_then(|number| world.aibots.sockets.get_mut(&number)) {
                (socket.is_half_dead, socket.is_silent) = (true, true);
            }
        });
    }

    /// Ends the connection with an RST.
    pub fn drop_connection(&self) {
        self.put(Out::Reset);
    }

    /// Ends the connection in an orderly way.
    pub fn close_connection(&self) {
        self.put(Out::Close);
    }

    /// Sends a text frame as it stands.
    pub fn send_text(&self, text: &str) {
        self.put(Out::Text(text.to_owned()));
    }

    /// Sends a binary frame.
    pub fn send_bytes(&self, bytes: &[u8]) {
        self.put(Out::Binary(bytes.to_vec()));
    }

    /// Sends the latest event once more, the same msgid and req_id.
    pub fn repeat_event(&self) {
        self.wecom.world(|world| {
            if let Some(event) = world.aibots.bot(&self.id).events.last().cloned() {
                world.tell(&self.id, event);
            }
        });
    }

    /// Every click so far was that much earlier.
    pub fn age_presses(&self, by: Duration) {
        self.bot(|bot| bot.presses.iter_mut().for_each(|press| press.aged += by));
    }

    /// Looks at what the bot is like, or changes it.
    pub fn set<T>(&self, change: impl FnOnce(&mut Bot) -> T) -> T {
        self.bot(change)
    }

    /// The id under which the bot sees that member, if an ordinary member made it.
    pub fn encrypted_id(&self, userid: &str) -> String {
        encrypted_id(userid)
    }

    fn bot<T>(&self, look: impl FnOnce(&mut Bot) -> T) -> T {
        look(lock(&self.wecom.shared.world).aibots.bot(&self.id))
    }

    fn put(&self, out: Out) {
        self.wecom.world(|world| {
            if let Some(current) = world.aibots.bot(&self.id).current {
                world.aibots.put(current, out);
            }
        });
    }

    fn word(&self, chat: Option<&str>, userid: &str, words: &str) {
        self.wecom.world(|world| {
            let bot = world.aibots.bot(&self.id);
            let (id, is_group) = (chat.unwrap_or(userid), chat.is_some());
            if bot.conversation(id).is_none() {
                bot.conversations.push(super::Conversation { id: id.to_owned(), is_group });
            }
            let mut more = json!({
                "chattype": if is_group { "group" } else { "single" },
                "from": {"userid": bot.shown_id(userid)},
                "msgtype": "text",
                "text": {"content": words},
            });
            if let Some(chat) = chat {
                more["chatid"] = json!(chat);
            }
            let frame = world.callback("aibot_msg_callback", &self.id, more);
            world.tell(&self.id, frame);
        });
    }
}
