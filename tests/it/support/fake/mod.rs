//! A fake of WeCom's server on loopback: real enough to judge every request by the published rules, with
//! faults to order, a log of what it saw, and a loud end when something came that nobody expected.
//!
//! Serves the integration tests and the sandbox example, and must use nothing of either. It prints nothing.
#![allow(
    dead_code,
    unreachable_pub,
    unused_imports,
    reason = "two programs include this folder, and each uses its own part of it"
)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a fake that cannot start or was misused ends the test")]

mod aibot;
mod app_cards;
mod builder;
mod callback;
mod directory;
mod faults;
mod json;
mod judge;
mod manners;
mod multipart;
mod node;
mod records;
mod reply;
mod server;
pub mod tls;
pub mod wire;
mod world;

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

pub use aibot::{
    AIBOT_CHAT, AIBOT_ID, AIBOT_LIMITS, AIBOT_SECRET, Aibot, CardUpdate, Click, Press, SentAibotCard, keys_of,
    questions_of,
};
pub use app_cards::SentCard;
pub use builder::Builder;
pub use callback::{
    AIBOT_CALLBACK_AES_KEY, AIBOT_CALLBACK_TOKEN, Answer, CALLBACK_AES_KEY, CALLBACK_TOKEN, Callback, CallbackRequest,
    Delivered, Keys,
};
pub use directory::{Directory, Person};
pub use judge::SEEN_IP;
pub use records::{Arrived, Endpoint, Event, MediaKind, Outcome, Route, Seen, Upload};
pub use reply::{Change, Reply};
pub use server::OnConnect;
pub use world::Chat;

use server::{Shared, lock};
use world::{Life, ROOT_PARTY, World};

/// The corp that is always there.
pub const CORP_ID: &str = "ww0000000000000000";
/// The app that is always there.
pub const AGENT_ID: i64 = 1_000_002;
/// The secret of that app, as long as real ones are: 43 bytes.
pub const SECRET: &str = "test-secret-0000000000000000000000000000001";
/// The webhook that is always there.
pub const WEBHOOK_KEY: &str = "00000000-0000-4000-8000-000000000001";
/// The group chat that is always there, made by that app; all of [`USERS`] are in it.
pub const CHAT_ID: &str = "nightwatch";
/// Members whom the app can reach.
pub const USERS: [&str; 3] = ["zhangsan", "lisi", "wangwu"];
/// A member in range, but without a licence.
pub const UNLICENSED_USER: &str = "unlicensed";
/// Nobody has this id.
pub const UNKNOWN_USER: &str = "nobody";

/// A running fake. Dropping it stops it, and panics if something came that nobody expected.
pub struct FakeWecom {
    shared: Arc<Shared>,
    address: SocketAddr,
    ca_pem: Option<String>,
    acceptor: Option<JoinHandle<()>>,
    unexpected_is_fine: AtomicBool,
}

/// What must never be shown: grows with every token that is given out.
#[derive(Clone)]
pub struct Secrets(Arc<Shared>);

impl Secrets {
    /// Secrets of apps and keys of webhooks.
    pub fn standing(&self) -> Vec<String> {
        let world = lock(&self.0.world);
        world.secrets().into_iter().filter(|secret| !world.token_texts().contains(secret)).collect()
    }

    /// Every token ever given out.
    pub fn tokens(&self) -> Vec<String> {
        lock(&self.0.world).token_texts()
    }
}

impl FakeWecom {
    /// On a free port of loopback, over plain HTTP, with the identities above.
    pub fn start() -> Self {
        Self::builder().start()
    }

    pub fn builder() -> Builder {
        Builder::default()
    }

    /// What belongs into `WECOM_ALERT_BASE_URL`.
    pub fn base_url(&self) -> String {
        let scheme = if self.shared.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{}{}", self.address, self.shared.prefix)
    }

    /// The whole URL of the webhook that is always there.
    pub fn webhook_url(&self) -> String {
        format!("{}/cgi-bin/webhook/send?key={WEBHOOK_KEY}", self.base_url())
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The authority to trust, as PEM text, if it speaks TLS.
    pub fn ca_pem(&self) -> &str {
        self.ca_pem.as_deref().unwrap_or_default()
    }

    /// What the next connections meet before anything is read from them.
    pub fn on_connections(&self, next: impl IntoIterator<Item = OnConnect>) {
        lock(&self.shared.script).connections.extend(next);
    }

    /// Everything seen so far, in order.
    pub fn requests(&self) -> Vec<Seen> {
        lock(&self.shared.world).seen.clone()
    }

    /// How many requests that endpoint saw.
    pub fn count(&self, endpoint: Endpoint) -> usize {
        lock(&self.shared.world).seen.iter().filter(|seen| seen.endpoint == endpoint).count()
    }

    /// The messages that were delivered, in order.
    pub fn messages(&self) -> Vec<Arrived> {
        lock(&self.shared.world).arrived.clone()
    }

    /// The files that were stored, in order.
    pub fn uploads(&self) -> Vec<Upload> {
        lock(&self.shared.world).uploads.clone()
    }

    /// How many messages were taken but not delivered again, by the duplicate check.
    pub fn suppressed(&self) -> usize {
        lock(&self.shared.world).suppressed
    }

    /// The members who silently got nothing, being over their limit.
    pub fn dropped(&self) -> Vec<String> {
        lock(&self.shared.world).dropped.clone()
    }

    /// What nobody expected, and the client's defects.
    pub fn complaints(&self) -> Vec<String> {
        lock(&self.shared.world).complaints.clone()
    }

    /// The most requests that were under way at any time.
    pub fn most_at_once(&self) -> usize {
        lock(&self.shared.world).most_under_way
    }

    /// How often members were looked up by that number or mail, as it was asked for.
    pub fn look_ups(&self, wanted: &str) -> usize {
        let asks = |seen: &&Seen| match seen.endpoint {
            Endpoint::UserGetUserid => seen.json()["mobile"] == wanted,
            Endpoint::UserGetUseridByEmail => seen.json()["email"] == wanted,
            _ => false,
        };
        lock(&self.shared.world).seen.iter().filter(asks).count()
    }

    /// Takes a member out of the corp: nobody finds or reaches them any more.
    pub fn remove_person(&self, userid: &str) {
        self.world(|world| {
            world.users.remove(userid);
            world.directory.people.remove(userid);
        });
    }

    /// One more member who may be seen, or other facts of one who is there.
    pub fn set_person(&self, userid: &str, person: Person) {
        self.world(|world| {
            world.users.insert(userid.to_lowercase());
            world.directory.people.insert(userid.to_lowercase(), person);
        });
    }

    /// Makes complaints no failure: for tests that provoke them.
    pub fn expect_unexpected(&self) {
        self.unexpected_is_fine.store(true, Ordering::SeqCst);
    }

    /// How many connections came.
    pub fn connections(&self) -> usize {
        self.shared.connections()
    }

    /// How many TLS handshakes failed.
    pub fn failed_handshakes(&self) -> usize {
        self.shared.failed_handshakes()
    }

    /// A handle that knows all secrets, also those to come.
    pub fn secrets(&self) -> Secrets {
        Secrets(Arc::clone(&self.shared))
    }

    /// Every token given out so far is unknown from now on (40014), and gettoken gives a new one.
    pub fn revoke_tokens(&self) {
        self.change(&Change::RevokeTokens);
    }

    /// Every token given out so far is out of date from now on (42001), and gettoken gives a new one.
    pub fn expire_tokens(&self) {
        self.world(|world| world.end_tokens(Life::Expired));
    }

    /// Whether gettoken gives the same token while it is valid, which is the default, or a new one each time.
    pub fn same_token_on_refresh(&self, same: bool) {
        self.world(|world| world.new_token_each_time = !same);
    }

    /// The msgids of the messages that were taken back, in the order in which they were sent.
    pub fn recalled(&self) -> Vec<String> {
        let world = lock(&self.shared.world);
        world.sent.iter().filter(|sent| sent.recalled).map(|sent| sent.msgid.clone()).collect()
    }

    /// Every message that was sent so far is that much older.
    pub fn age_messages(&self, by: Duration) {
        self.world(|world| {
            for sent in &mut world.sent {
                sent.aged += by;
                sent.card.iter_mut().flat_map(|card| &mut card.codes).for_each(|code| code.aged += by);
            }
        });
    }

    /// Every uploaded file is gone (40007).
    pub fn expire_media(&self) {
        self.change(&Change::ExpireMedia);
    }

    /// agent/get says that every app is closed, or open again.
    pub fn close_app(&self, closed: bool) {
        self.world(|world| world.apps.iter_mut().for_each(|app| app.closed = closed));
    }

    /// The app's secret is another from now on: the old one is 40001, its tokens are 40014.
    pub fn rotate_secret(&self, old: &str, new: &str) {
        self.change(&Change::RotateSecret { old: old.to_owned(), new: new.to_owned() });
    }

    /// The bot of that webhook was removed from its group (93000).
    pub fn remove_webhook(&self, key: &str) {
        self.world(|world| world.webhooks.retain(|webhook| webhook.key != key));
    }

    /// One more group chat, which that app made; its first member owns it.
    pub fn add_chat<'a>(&self, id: &str, agent_id: i64, members: impl IntoIterator<Item = &'a str>) {
        self.world(|world| world.chats.push(Chat::new(id, agent_id, members)));
    }

    /// The group chats that there are.
    pub fn chats(&self) -> Vec<Chat> {
        lock(&self.shared.world).chats.clone()
    }

    /// Takes the root department out of the apps' visible range: group chats are 48002.
    pub fn hide_root(&self) {
        self.world(|world| world.parties.retain(|party| party != ROOT_PARTY));
    }

    /// More members whom the app can reach.
    pub fn add_users<S: Into<String>>(&self, users: impl IntoIterator<Item = S>) {
        self.world(|world| {
            for user in users.into_iter().map(|user| user.into().to_lowercase()) {
                world.directory.ensure_person(&user);
                world.users.insert(user);
            }
        });
    }

    /// So many messages per member in such a time; more vanish silently.
    pub fn member_limit(&self, count: usize, period: Duration) {
        self.world(|world| world.member_limit = Some((count, period)));
    }

    /// So many messages in group chats per member and app in such a time; more vanish silently.
    pub fn chat_member_limit(&self, count: usize, period: Duration) {
        self.world(|world| world.chat_member_limit = Some((count, period)));
    }

    fn change(&self, change: &Change) {
        self.world(|world| world.change(change));
    }

    fn world<T>(&self, change: impl FnOnce(&mut World) -> T) -> T {
        change(&mut lock(&self.shared.world))
    }

    fn launch(shared: Shared, listener: TcpListener, ca_pem: Option<String>) -> Self {
        let shared = Arc::new(shared);
        let address = listener.local_addr().unwrap();
        let accepting = Arc::clone(&shared);
        let acceptor = std::thread::spawn(move || accepting.accept_all(&listener));
        Self { shared, address, ca_pem, acceptor: Some(acceptor), unexpected_is_fine: AtomicBool::new(false) }
    }
}

impl Drop for FakeWecom {
    fn drop(&mut self) {
        self.shared.stop();
        // Wakes the accepting thread, which then sees that it is to end.
        drop(TcpStream::connect(self.address));
        let joined = self.acceptor.take().is_none_or(|acceptor| acceptor.join().is_ok());
        if std::thread::panicking() || self.unexpected_is_fine.load(Ordering::SeqCst) {
            return;
        }
        assert!(joined, "the fake's accepting thread panicked");
        let complaints = self.complaints();
        assert!(complaints.is_empty(), "the fake of WeCom complains:\n  {}", complaints.join("\n  "));
    }
}

/// A port of loopback on which nobody listens.
pub fn closed_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
