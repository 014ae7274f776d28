//! What the fake of WeCom remembers: apps, tokens, people, groups, files, and what was delivered.

use std::collections::{BTreeSet, HashSet, VecDeque};
use std::time::{Duration, Instant};

use serde_json::{Map, Value};

use super::aibot::{self, Aibots};
use super::app_cards::SentCard;
use super::directory::Directory;
use super::records::{Arrived, MediaKind, Seen, Upload};
use super::reply::Change;

/// The department that all others are in (document path 90208).
pub const ROOT_PARTY: &str = "1";

/// A self-built app. Without an agent id it is the contact-sync secret, which may not send.
#[derive(Debug, Clone)]
pub struct App {
    pub corp_id: String,
    pub agent_id: Option<i64>,
    pub secret: String,
    pub enabled: bool,
    /// What agent/get says of it: WeCom tells it even of one that may not be used.
    pub closed: bool,
    /// Interactive cards need one.
    pub has_callback: bool,
}

/// A group's webhook.
#[derive(Debug, Clone)]
pub struct Webhook {
    pub key: String,
    /// When its latest messages were taken, for the limit.
    pub taken: VecDeque<Instant>,
}

/// A group chat that an app made (document path 90244).
#[derive(Debug, Clone)]
pub struct Chat {
    pub id: String,
    pub name: String,
    /// A member.
    pub owner: String,
    /// In lower case, the owner among them; the app itself is not.
    pub members: Vec<String>,
    /// The app that made it: no other one may use it.
    pub agent_id: i64,
}

impl Chat {
    pub fn new<'a>(id: &str, agent_id: i64, members: impl IntoIterator<Item = &'a str>) -> Self {
        let members: Vec<_> = members.into_iter().map(str::to_lowercase).collect();
        let owner = members.first().cloned().unwrap_or_default();
        Self { id: id.to_owned(), name: "值班群".to_owned(), owner, members, agent_id }
    }
}

/// What has become of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Life {
    Valid,
    Expired,
    Revoked,
}

#[derive(Debug, Clone)]
pub struct Token {
    pub text: String,
    pub secret: String,
    pub until: Instant,
    pub life: Life,
}

/// Who may use an uploaded file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Home {
    Corp(String),
    Webhook(String),
    Aibot(String),
}

#[derive(Debug, Clone)]
pub struct Media {
    pub id: String,
    pub kind: MediaKind,
    pub home: Home,
    pub filename: String,
    pub expired: bool,
}

/// A body that must not be delivered twice.
#[derive(Debug, Clone)]
pub struct Guarded {
    pub agent_id: i64,
    pub body: Vec<u8>,
    pub until: Instant,
    /// The answer's fields, to be given again.
    pub fields: Map<String, Value>,
}

/// A message of an app, as far as it can be changed later.
#[derive(Debug, Clone)]
pub struct SentMessage {
    pub msgid: String,
    pub agent_id: i64,
    pub at: Instant,
    /// How much older it is than `at` says.
    pub aged: Duration,
    pub recalled: bool,
    /// Of an interactive card.
    pub card: Option<SentCard>,
}

impl SentMessage {
    pub fn is_older_than(&self, hours: u32) -> bool {
        self.at.elapsed() + self.aged > Duration::from_secs(3600) * hours
    }
}

/// So many in such a time.
pub type Limit = Option<(usize, Duration)>;

#[derive(Debug, Default)]
pub struct World {
    pub apps: Vec<App>,
    pub webhooks: Vec<Webhook>,
    pub chats: Vec<Chat>,
    /// The visible range of every app: members, departments and tags.
    pub users: BTreeSet<String>,
    pub unlicensed: BTreeSet<String>,
    pub parties: BTreeSet<String>,
    pub tags: BTreeSet<String>,
    pub directory: Directory,
    pub any_user: bool,
    /// What agent/get calls every app.
    pub app_name: String,
    /// By how many seconds WeCom's clock is ahead of this machine's.
    pub clock_ahead_s: i64,
    pub ip_refused: bool,
    pub token_lifetime: Duration,
    pub token_length: usize,
    pub awkward_tokens: bool,
    pub new_token_each_time: bool,
    pub webhook_limit: Limit,
    pub member_limit: Limit,
    /// The same for messages in group chats, over all chats of an app.
    pub chat_member_limit: Limit,

    pub aibots: Aibots,
    pub tokens: Vec<Token>,
    pub media: Vec<Media>,
    pub sent: Vec<SentMessage>,
    pub task_ids: HashSet<(i64, String)>,
    pub guarded: Vec<Guarded>,
    pub member_taken: Vec<(i64, String, Instant)>,
    pub chat_member_taken: Vec<(i64, String, Instant)>,
    pub serial: u64,

    pub seen: Vec<Seen>,
    pub arrived: Vec<Arrived>,
    pub uploads: Vec<Upload>,
    pub suppressed: usize,
    pub dropped: Vec<String>,
    pub complaints: Vec<String>,
    /// Requests under way now, and the most at any time.
    pub under_way: usize,
    pub most_under_way: usize,
}

impl World {
    pub fn next_serial(&mut self) -> u64 {
        self.serial += 1;
        self.serial
    }

    /// The token of that secret that is still good for something.
    pub fn valid_token(&self, secret: &str) -> Option<&Token> {
        let good = |token: &&Token| token.secret == secret && token.life == Life::Valid && token.until > Instant::now();
        self.tokens.iter().rfind(good)
    }

    /// A new token for that secret.
    pub fn issue_token(&mut self, secret: &str) -> Token {
        let mut text = format!("test-token-{:06}-", self.next_serial());
        if self.awkward_tokens {
            text.push_str("+/= &%?#");
        }
        text.extend("x0_y1-".chars().cycle().take(self.token_length.saturating_sub(text.len())));
        let until = Instant::now() + self.token_lifetime;
        let token = Token { text, secret: secret.to_owned(), until, life: Life::Valid };
        self.tokens.push(token.clone());
        token
    }

    /// Ends the life of every valid token.
    pub fn end_tokens(&mut self, life: Life) {
        for token in self.tokens.iter_mut().filter(|token| token.life == Life::Valid) {
            token.life = life;
        }
    }

    /// Lets that happen.
    pub fn change(&mut self, change: &Change) {
        match change {
            Change::RevokeTokens => self.end_tokens(Life::Revoked),
            Change::ExpireMedia => self.media.iter_mut().for_each(|media| media.expired = true),
            Change::Press { aibot, key, userid } => aibot::press_last(self, aibot, key, userid),
            Change::Kick { aibot } => self.take_over(aibot),
            Change::RotateSecret { old, new } => {
                let app = self.apps.iter_mut().find(|app| app.secret == *old);
                new.clone_into(&mut app.unwrap_or_else(|| panic!("no app has that secret")).secret);
            }
        }
    }

    /// A file that can be used from there.
    pub fn media(&self, id: &str, kind: MediaKind, home: &Home) -> Option<&Media> {
        self.media.iter().find(|m| m.id == id && m.kind == kind && &m.home == home && !m.expired)
    }

    /// Whether the apps see that department: it, one above it, or one of a tag is in the range.
    pub fn sees_department(&self, id: u32) -> bool {
        let of_tags = self.tags.iter().filter_map(|tag| self.directory.tags.get(&tag.parse().ok()?));
        let of_tags = of_tags.flat_map(|tag| tag.departments.iter().copied());
        let tops = self.parties.iter().filter_map(|party| party.parse().ok()).chain(of_tags).collect();
        self.directory.is_within(id, &tops)
    }

    /// Whether the apps see that member, whose id is in lower case: by name, by a department or by a tag.
    pub fn sees_person(&self, userid: &str) -> bool {
        let tagged = || self.tags.iter().filter_map(|tag| self.directory.tags.get(&tag.parse().ok()?));
        let person = || self.directory.people.get(userid);
        self.users.contains(userid)
            || tagged().any(|tag| tag.members.iter().any(|member| member == userid))
            || person().is_some_and(|person| person.departments.iter().any(|id| self.sees_department(*id)))
    }

    /// Everything that must never be shown.
    pub fn secrets(&self) -> Vec<String> {
        let secrets = self.apps.iter().map(|app| &app.secret);
        let keys = self.webhooks.iter().map(|webhook| &webhook.key);
        let bots = self.aibots.bots.iter().map(|bot| &bot.secret);
        secrets.chain(keys).chain(bots).cloned().chain(self.token_texts()).collect()
    }

    pub fn token_texts(&self) -> Vec<String> {
        self.tokens.iter().map(|token| token.text.clone()).collect()
    }

    /// Takes one message of that webhook if the limit allows it.
    pub fn take_webhook_slot(&mut self, index: usize) -> bool {
        let Some((count, period)) = self.webhook_limit else { return true };
        let (now, taken) = (Instant::now(), &mut self.webhooks[index].taken);
        taken.retain(|at| now.duration_since(*at) < period);
        let free = taken.len() < count;
        if free {
            taken.push_back(now);
        }
        free
    }

    /// Takes one message to that member if the limit allows it.
    pub fn take_member_slot(&mut self, agent_id: i64, user: &str) -> bool {
        take_slot(&mut self.member_taken, self.member_limit, agent_id, user)
    }

    /// The same for a message in a group chat.
    pub fn take_chat_member_slot(&mut self, agent_id: i64, user: &str) -> bool {
        take_slot(&mut self.chat_member_taken, self.chat_member_limit, agent_id, user)
    }

    /// Whether the apps are visible to the root department, which group chats need.
    pub fn sees_root(&self) -> bool {
        self.parties.contains(ROOT_PARTY)
    }
}

fn take_slot(all_taken: &mut Vec<(i64, String, Instant)>, limit: Limit, agent_id: i64, user: &str) -> bool {
    let Some((count, period)) = limit else { return true };
    let now = Instant::now();
    all_taken.retain(|(_, _, at)| now.duration_since(*at) < period);
    let taken = all_taken.iter().filter(|(agent, name, _)| *agent == agent_id && name == user).count();
    let free = taken < count;
    if free {
        all_taken.push((agent_id, user.to_owned(), now));
    }
    free
}
