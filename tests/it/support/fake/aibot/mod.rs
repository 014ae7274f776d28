//! The aibots of the fake: what it remembers of each, and the frames that it sends unasked.
//!
//! Written from the vendor's pages (document paths 101463, 101027, 101031, 101032), not from the client.

mod handle;
mod press;
mod socket;

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::records::MediaKind;
use super::world::{Limit, World};

pub use handle::Aibot;
pub use press::{
    CardUpdate, Click, Press, SentAibotCard, check_chosen, click_by_callback, keys_of, press_last, questions_of,
};
pub use socket::{Out, Socket, accept, serve};

/// The aibot that is always there.
pub const AIBOT_ID: &str = "aibTestNightWatch0000001";
/// Its secret for the long connection.
pub const AIBOT_SECRET: &str = "test-aibot-secret-000000000000000000000001";
/// The group that it is in, where somebody has written to it.
pub const AIBOT_CHAT: &str = "wrTestNightWatch0000000000001";

/// How long a click may be answered (document path 101463).
pub const ANSWER_WINDOW: Duration = Duration::from_secs(5);

/// What one conversation takes, replies included (document path 101463); no limit holds until a bot is given some.
pub const AIBOT_LIMITS: [(usize, Duration); 2] = [(30, Duration::from_secs(60)), (1000, Duration::from_secs(3600))];

/// Connections on which nothing came for that long are closed. How long WeCom waits is published nowhere.
pub const SILENCE_LIMIT: Duration = Duration::from_secs(90);

/// One aibot.
#[derive(Debug, Clone)]
pub struct Bot {
    pub id: String,
    pub secret: String,
    /// Where somebody has written to it.
    pub conversations: Vec<Conversation>,
    /// Groups that it is in and where nobody has.
    pub quiet_groups: Vec<String>,
    /// An ordinary member made it: it sees `wo…` in the place of userids.
    pub has_encrypted_ids: bool,
    /// Whether it may write to groups unasked is unconfirmed: it may be refused (846607), or taken and not delivered.
    pub refuses_group_pushes: bool,
    pub drops_group_pushes: bool,
    /// Whether a connection that was taken over stays open and answers heartbeats.
    pub keeps_old_sockets: bool,
    /// Whether a card may be changed into one of another kind.
    pub takes_other_kinds: bool,
    /// The table of document path 101027 spells the fields of a click so; its samples do not.
    pub spells_without_underscores: bool,
    /// Per conversation, replies included.
    pub limits: Vec<(usize, Duration)>,
    /// Subscriptions in such a time: WeCom guards against frequent ones, by which code and when is published nowhere.
    pub subscription_limit: Limit,
    /// Uploads begun in such a time.
    pub upload_limit: Limit,
    /// The connection that is subscribed.
    pub current: Option<usize>,
    /// The connections that ever were, in order.
    pub subscriptions: Vec<(usize, Instant)>,
    pub cards: Vec<SentAibotCard>,
    pub presses: Vec<Press>,
    pub updates: Vec<CardUpdate>,
    pub sessions: Vec<UploadSession>,
    /// The events that went out, or would have.
    pub events: Vec<Value>,
    pub taken: Vec<(String, Instant)>,
    pub uploads_taken: Vec<Instant>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conversation {
    /// A userid or a group's chatid; case counts.
    pub id: String,
    pub is_group: bool,
}

/// An upload in chunks, which outlives the connection that it began on.
#[derive(Debug, Clone)]
pub struct UploadSession {
    pub id: String,
    pub kind: MediaKind,
    pub filename: String,
    pub total_size: usize,
    pub total_chunks: usize,
    pub md5: String,
    pub chunks: BTreeMap<usize, Vec<u8>>,
    pub began: Instant,
    /// Once it is finished.
    pub media_id: Option<String>,
}

impl Bot {
    /// One that an administrator made, to which these people and the group have written.
    pub fn new<'a>(id: &str, secret: &str, people: impl IntoIterator<Item = &'a str>) -> Self {
        let person = |id: &str| Conversation { id: id.to_owned(), is_group: false };
        Self {
            id: id.to_owned(),
            secret: secret.to_owned(),
            conversations: people.into_iter().map(person).collect(),
            quiet_groups: Vec::new(),
            has_encrypted_ids: false,
            refuses_group_pushes: false,
            drops_group_pushes: false,
            keeps_old_sockets: false,
            takes_other_kinds: false,
            spells_without_underscores: false,
            limits: Vec::new(),
            subscription_limit: None,
            upload_limit: None,
            current: None,
            subscriptions: Vec::new(),
            cards: Vec::new(),
            presses: Vec::new(),
            updates: Vec::new(),
            sessions: Vec::new(),
            events: Vec::new(),
            taken: Vec::new(),
            uploads_taken: Vec::new(),
        }
    }

    /// A group in which somebody has written to it.
    pub fn open_group(&mut self, id: &str) {
        self.conversations.push(Conversation { id: id.to_owned(), is_group: true });
    }

    /// A userid as this bot sees it.
    pub fn shown_id(&self, userid: &str) -> String {
        if self.has_encrypted_ids { encrypted_id(userid) } else { userid.to_owned() }
    }

    /// The conversation of that id; a person's may be named by the encrypted id too.
    pub fn conversation(&self, id: &str) -> Option<&Conversation> {
        self.conversations.iter().find(|known| known.id == id || !known.is_group && encrypted_id(&known.id) == id)
    }

    /// Counts one message in that conversation; whether the limits allow it.
    pub fn take_slot(&mut self, chat: &str) -> bool {
        let now = Instant::now();
        let is_free = self.limits.iter().all(|(count, period)| {
            let recent = |(id, at): &&(String, Instant)| id == chat && now.duration_since(*at) < *period;
            self.taken.iter().filter(recent).count() < *count
        });
        if is_free {
            self.taken.push((chat.to_owned(), now));
        }
        is_free
    }
}

/// What a bot that an ordinary member made sees in the place of a userid.
pub fn encrypted_id(userid: &str) -> String {
    let hidden: String = userid.bytes().map(|byte| format!("{:02X}", byte ^ 0x5a)).collect();
    format!("woTest_{hidden}")
}

/// The userid behind such an id.
pub fn plain_id(encrypted: &str) -> Option<String> {
    let hidden = encrypted.strip_prefix("woTest_")?;
    let pair = |at: usize| u8::from_str_radix(hidden.get(at..at + 2)?, 16).ok().map(|byte| byte ^ 0x5a);
    let bytes = (0..hidden.len()).step_by(2).map(pair).collect::<Option<Vec<u8>>>()?;
    String::from_utf8(bytes).ok()
}

/// Everything about aibots that is not settled before the start.
#[derive(Debug, Default)]
pub struct Aibots {
    pub bots: Vec<Bot>,
    /// The connections that are open, by number.
    pub sockets: HashMap<usize, Socket>,
    /// After so long without a frame a connection is closed.
    pub silence_limit: Option<Duration>,
}

impl Aibots {
    pub fn bot(&mut self, id: &str) -> &mut Bot {
        self.bots.iter_mut().find(|bot| bot.id == id).unwrap_or_else(|| panic!("there is no aibot {id}"))
    }

    /// Which bot of the list is subscribed on that connection.
    pub fn subscribed_on(&self, connection: usize) -> Option<usize> {
        self.bots.iter().position(|bot| bot.current == Some(connection))
    }

    /// Sends that on a connection, if it is still there.
    pub fn put(&mut self, connection: usize, out: Out) {
        if let Some(socket) = self.sockets.get_mut(&connection) {
            socket.put(Instant::now(), out);
        }
    }

    /// Ends the subscription that a bot has: the event says so, then the connection is closed or stays half-dead.
    pub fn take_over(&mut self, bot: &str, event: &Value) {
        let bot = self.bot(bot);
        let keeps = bot.keeps_old_sockets;
        let Some(old) = bot.current.take() else { return };
        self.put(old, Out::Text(event.to_string()));
        match self.sockets.get_mut(&old) {
            Some(socket) if keeps => socket.is_half_dead = true,
            _ => self.put(old, Out::Close),
        }
    }
}

impl World {
    /// A frame that the server sends of its own accord, with a req_id and a msgid of its own.
    pub fn callback(&mut self, cmd: &str, bot: &str, more: Value) -> Value {
        let serial = self.next_serial();
        let mut body = json!({"msgid": format!("test-event-{serial:06}"), "aibotid": bot});
        if let (Some(body), Value::Object(more)) = (body.as_object_mut(), more) {
            body.extend(more);
        }
        json!({"cmd": cmd, "headers": {"req_id": format!("test-callback-{serial:06}")}, "body": body})
    }

    /// Another connection takes the bot over, known (subscribed just now) or somewhere else.
    pub fn take_over(&mut self, bot: &str) {
        let event =
            json!({"create_time": now_s(self), "msgtype": "event", "event": {"eventtype": "disconnected_event"}});
        let frame = self.callback("aibot_event_callback", bot, event);
        self.aibots.take_over(bot, &frame);
    }

    /// Sends an event to whoever is subscribed; whether somebody was. Nothing is kept for later.
    pub fn tell(&mut self, bot: &str, frame: Value) -> bool {
        let text = frame.to_string();
        let bot = self.aibots.bot(bot);
        bot.events.push(frame);
        let Some(current) = bot.current else { return false };
        match self.aibots.sockets.get_mut(&current) {
            Some(socket) if !socket.is_half_dead => {
                socket.put(Instant::now(), Out::Text(text));
                true
            }
            _ => false,
        }
    }
}

/// Seconds since 1970 by WeCom's clock.
pub fn now_s(world: &World) -> i64 {
    chrono::Utc::now().timestamp() + world.clock_ahead_s
}
