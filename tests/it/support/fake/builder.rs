//! Everything about the fake that is settled before it starts.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use super::aibot::Bot;
use super::directory::{Directory, Person, Tag};
use super::server::{Shared, Site, Watcher};
use super::tls::{Certificate, Identity};
use super::wire::{Conn, Head};
use super::world::{App, Chat, Life, ROOT_PARTY, Token, Webhook, World};
use super::{
    AGENT_ID, AIBOT_CHAT, AIBOT_ID, AIBOT_SECRET, CHAT_ID, CORP_ID, Event, FakeWecom, SECRET, UNLICENSED_USER, USERS,
    WEBHOOK_KEY,
};

/// As [`FakeWecom::start`] has it, until changed.
pub struct Builder {
    port: u16,
    prefix: String,
    tls: Option<Certificate>,
    watcher: Option<Watcher>,
    site: Option<Site>,
    world: World,
}

impl Default for Builder {
    fn default() -> Self {
        let world = World {
            users: USERS.map(str::to_owned).into(),
            unlicensed: [UNLICENSED_USER.to_owned()].into(),
            parties: ["1", "2"].map(str::to_owned).into(),
            tags: ["1".to_owned()].into(),
            directory: Directory::small(),
            app_name: "告警".to_owned(),
            token_lifetime: Duration::from_secs(7200),
            token_length: 214,
            ..World::default()
        };
        let builder = Self { port: 0, prefix: String::new(), tls: None, watcher: None, site: None, world };
        let builder = builder.app(CORP_ID, AGENT_ID, SECRET).webhook(WEBHOOK_KEY).chat(CHAT_ID, AGENT_ID, USERS);
        builder.aibot(AIBOT_ID, AIBOT_SECRET, USERS, &[AIBOT_CHAT])
    }
}

impl Builder {
    /// A fixed port instead of a free one.
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// A path before `/cgi-bin`, such as `/relay`.
    pub fn prefix(mut self, prefix: &str) -> Self {
        prefix.trim_end_matches('/').clone_into(&mut self.prefix);
        self
    }

    /// HTTPS with such a certificate.
    pub fn tls(mut self, certificate: Certificate) -> Self {
        self.tls = Some(certificate);
        self
    }

    /// One more app, also of another corp.
    pub fn app(mut self, corp_id: &str, agent_id: i64, secret: &str) -> Self {
        self.world.apps.push(App {
            corp_id: corp_id.to_owned(),
            agent_id: Some(agent_id),
            secret: secret.to_owned(),
            enabled: true,
            closed: false,
            has_callback: true,
        });
        self
    }

    /// A contact-sync secret: it gets tokens, and they may not send (48002).
    pub fn contact_secret(mut self, corp_id: &str, secret: &str) -> Self {
        let (corp_id, secret) = (corp_id.to_owned(), secret.to_owned());
        self.world.apps.push(App {
            corp_id,
            agent_id: None,
            secret,
            enabled: true,
            closed: false,
            has_callback: false,
        });
        self
    }

    /// No app has a callback URL: interactive cards are 43012.
    pub fn without_callback(mut self) -> Self {
        self.world.apps.iter_mut().for_each(|app| app.has_callback = false);
        self
    }

    /// One more webhook.
    pub fn webhook(mut self, key: &str) -> Self {
        self.world.webhooks.push(Webhook { key: key.to_owned(), taken: std::collections::VecDeque::new() });
        self
    }

    /// One more group chat, which that app made; its first member owns it.
    pub fn chat<'a>(mut self, id: &str, agent_id: i64, members: impl IntoIterator<Item = &'a str>) -> Self {
        self.world.chats.push(Chat::new(id, agent_id, members));
        self
    }

    /// One more aibot, to which these people have written, and in these groups somebody.
    pub fn aibot<'a>(
        mut self,
        id: &str,
        secret: &str,
        people: impl IntoIterator<Item = &'a str>,
        groups: &[&str],
    ) -> Self {
        let mut bot = Bot::new(id, secret, people);
        groups.iter().for_each(|group| bot.open_group(group));
        self.world.aibots.bots.push(bot);
        self
    }

    /// Connections of aibots on which nothing came for that long are closed.
    pub fn aibot_silence_limit(mut self, limit: Duration) -> Self {
        self.world.aibots.silence_limit = Some(limit);
        self
    }

    /// No app is visible to the root department: group chats are 48002.
    pub fn without_root(mut self) -> Self {
        self.world.parties.remove(ROOT_PARTY);
        self
    }

    /// Every well-formed userid but `nobody` can be reached.
    pub fn any_user(mut self) -> Self {
        self.world.any_user = true;
        self
    }

    /// More departments that the app can reach.
    pub fn parties(mut self, ids: impl IntoIterator<Item = u32>) -> Self {
        for id in ids {
            self.world.directory.ensure_department(id);
            self.world.parties.insert(id.to_string());
        }
        self
    }

    /// More tags that the app can reach.
    pub fn tags(mut self, ids: impl IntoIterator<Item = u32>) -> Self {
        for id in ids {
            self.world.directory.ensure_tag(id);
            self.world.tags.insert(id.to_string());
        }
        self
    }

    /// The app can reach these alone: members, departments, tags.
    pub fn range(mut self, users: &[&str], parties: &[&str], tags: &[&str]) -> Self {
        let set = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect();
        (self.world.users, self.world.parties, self.world.tags) = (set(users), set(parties), set(tags));
        self
    }

    /// One more department, or another name and place for one that is there. What the app sees stays as it is: it sees
    /// those below a department of its range.
    pub fn department(mut self, id: u32, parent: u32, name: &str) -> Self {
        self.world.directory.add_department(id, parent, name);
        self
    }

    /// One more member, or other facts of one who is there. What the app sees stays as it is.
    pub fn person(mut self, userid: &str, person: Person) -> Self {
        self.world.directory.people.insert(userid.to_lowercase(), person);
        self
    }

    /// One more tag, or other members of one that is there. What the app sees stays as it is.
    pub fn tag(mut self, id: u32, name: &str, members: &[&str], departments: &[u32]) -> Self {
        let members = members.iter().map(|userid| userid.to_lowercase()).collect();
        let tag = Tag { name: name.to_owned(), members, departments: departments.to_vec() };
        self.world.directory.tags.insert(id, tag);
        self
    }

    /// Another corp altogether, all of it in the app's range: such as [`Directory::large`].
    pub fn directory(mut self, directory: Directory) -> Self {
        self.world.directory = directory;
        self.range(&[], &["1"], &[])
    }

    /// So many look-ups by number or mail may find nobody; after one more all are 45009 for the rest of the day.
    pub fn most_misses(mut self, count: usize) -> Self {
        self.world.directory.most_misses = count;
        self
    }

    /// What agent/get calls every app.
    pub fn app_name(mut self, name: &str) -> Self {
        name.clone_into(&mut self.world.app_name);
        self
    }

    /// WeCom's clock is so many seconds ahead of this machine's; negative: behind.
    pub fn clock_ahead_s(mut self, seconds: i64) -> Self {
        self.world.clock_ahead_s = seconds;
        self
    }

    pub fn token_lifetime_s(self, seconds: u64) -> Self {
        self.token_lifetime(Duration::from_secs(seconds))
    }

    pub fn token_lifetime(mut self, lifetime: Duration) -> Self {
        self.world.token_lifetime = lifetime;
        self
    }

    /// In bytes; 214 by default, up to 512 by the reference.
    pub fn token_length(mut self, bytes: usize) -> Self {
        self.world.token_length = bytes;
        self
    }

    /// A token that was given out for that secret before there was this fake.
    pub fn token(mut self, secret: &str, text: &str) -> Self {
        let (text, secret) = (text.to_owned(), secret.to_owned());
        let until = Instant::now() + self.world.token_lifetime;
        self.world.tokens.push(Token { text, secret, until, life: Life::Valid });
        self
    }

    /// Tokens with characters that must be percent-encoded in a query.
    pub fn awkward_tokens(mut self) -> Self {
        self.world.awkward_tokens = true;
        self
    }

    /// Is told of every request when it has been judged, before it is answered.
    pub fn watch(mut self, watcher: impl Fn(&Event) + Send + Sync + 'static) -> Self {
        self.watcher = Some(Box::new(watcher));
        self
    }

    /// Serves something else at the same address: `None` gives a request back that is WeCom's.
    pub fn site(
        mut self,
        site: impl Fn(&Head, &mut Conn) -> Option<std::io::Result<()>> + Send + Sync + 'static,
    ) -> Self {
        self.site = Some(Box::new(site));
        self
    }

    /// Starts, or panics when the port is taken.
    pub fn start(self) -> FakeWecom {
        let port = self.port;
        self.try_start().unwrap_or_else(|error| panic!("cannot listen on port {port} of loopback: {error}"))
    }

    pub fn try_start(self) -> std::io::Result<FakeWecom> {
        let listener = TcpListener::bind(("127.0.0.1", self.port))?;
        let (tls, ca_pem) = match self.tls.map(Identity::new) {
            Some(identity) => (Some(identity.config), Some(identity.ca_pem)),
            None => (None, None),
        };
        let mut shared = Shared::new(self.world, self.prefix, tls);
        (shared.watcher, shared.site) = (self.watcher, self.site);
        Ok(FakeWecom::launch(shared, listener, ca_pem))
    }
}
