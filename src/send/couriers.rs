//! What the alerts of one process share: couriers that have delivered, with their connections and tokens, and the trusted
//! certificates; where a process sends many alerts, also logins and the machinery of connections.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;

use super::login::Login;
use crate::api::{Client, ClientOptions, Trust};
use crate::config::ProxySetting;
use crate::delivery::{Courier, Credential, Outcome};
use crate::error::{Error, Status};
use crate::event::Observer;
use crate::outbox::{GroupedOutbox, Outbox};
use crate::secret::Mask;
use crate::shared_state::SharedState;
use crate::store::Folder;
use crate::token::Token;

/// The couriers of a process that are not at work, and what others are made of. Clones share them.
#[derive(Clone, Default)]
pub(crate) struct Couriers(Arc<Mutex<Shared>>);

#[derive(Default)]
struct Shared {
    /// By what they are made of.
    idle: HashMap<String, Vec<Courier>>,
    /// One set of trusted certificates for each CA file, or none.
    trusts: Vec<(Option<PathBuf>, Trust)>,
    /// By where the address comes from, and the CA file.
    shared_states: Vec<(String, Option<PathBuf>, SharedState)>,
    /// For many alerts.
    many: Option<Many>,
}

/// What is kept where a process sends many alerts.
struct Many {
    /// Lets so many requests through at once.
    gate: Arc<Semaphore>,
    logins: HashMap<String, Login>,
    tokens: HashMap<String, Token>,
    /// Credentials of apps that WeCom refused, when, and how: many wrong ones make it ban this machine's address.
    refused: HashMap<String, (Instant, Error)>,
    /// Targets to which something is under way, or that are waited for.
    turns: HashMap<String, Turn>,
    clients: Vec<(Connecting, Client)>,
    outboxes: Vec<(PathBuf, GroupedOutbox)>,
}

/// Held by whoever sends to a target.
pub(super) type Turn = Arc<tokio::sync::Mutex<()>>;

/// How long a credential that was refused is not tried again.
const REFUSED_FOR: Duration = Duration::from_secs(60);

/// What the connections of a client depend on.
#[derive(PartialEq, Eq)]
struct Connecting {
    base_url: String,
    proxy: ProxySetting,
    ca_file: Option<PathBuf>,
    connect_timeout: Duration,
}

impl Couriers {
    /// Keeps logins and connections from now on, and lets `requests` through at once: for a process that sends many alerts.
    pub(crate) fn share_among_many(&self, requests: usize) {
        let gate = Arc::new(Semaphore::new(requests));
        self.lock().many.get_or_insert_with(|| Many {
            gate,
            logins: HashMap::new(),
            tokens: HashMap::new(),
            refused: HashMap::new(),
            turns: HashMap::new(),
            clients: Vec::new(),
            outboxes: Vec::new(),
        });
    }

    /// How many more requests could be under way at once; `None` without a bound.
    pub(crate) fn idle_requests(&self) -> Option<usize> {
        Some(self.lock().many.as_ref()?.gate.available_permits())
    }

    /// The certificates that are trusted beside the system's, which are read once for all clients.
    pub(super) fn trust(&self, ca_file: &Option<PathBuf>) -> Trust {
        let trusts = &mut self.lock().trusts;
        if let Some((_, trust)) = trusts.iter().find(|(known, _)| known == ca_file) {
            return trust.clone();
        }
        let trust = Trust::new(ca_file.clone());
        trusts.push((ca_file.clone(), trust.clone()));
        trust
    }

    /// What several machines share, for which one connection serves all alerts. `origin` says where its address comes from.
    pub(super) fn shared_state(
        &self,
        origin: &str,
        ca_file: &Option<PathBuf>,
        make: impl FnOnce() -> SharedState,
    ) -> SharedState {
        let all = &mut self.lock().shared_states;
        if let Some((.., known)) = all.iter().find(|(from, ca, _)| from == origin && ca == ca_file) {
            return known.clone();
        }
        let state = make();
        all.push((origin.to_owned(), ca_file.clone(), state.clone()));
        state
    }

    /// What is to be told of it, one sentence each; once.
    pub(super) fn shared_state_warnings(&self) -> Vec<String> {
        self.lock().shared_states.iter().flat_map(|(.., state)| state.take_warnings()).collect()
    }

    /// A client, which among many alerts shares its connections with others that reach the same.
    pub(super) fn client(
        &self,
        options: ClientOptions,
        ca_file: &Option<PathBuf>,
        mask: &Mask,
        observer: &Observer,
    ) -> Client {
        let Some(many) = &mut self.lock().many else { return Client::new(options, mask.clone(), observer.clone()) };
        let connecting = Connecting {
            base_url: options.base_url.to_string(),
            proxy: options.proxy.clone(),
            ca_file: ca_file.clone(),
            connect_timeout: options.connect_timeout,
        };
        if let Some((_, client)) = many.clients.iter().find(|(known, _)| *known == connecting) {
            return client.with_options(options);
        }
        let client = Client::new(options, mask.clone(), observer.clone()).for_many(Arc::clone(&many.gate));
        many.clients.push((connecting, client.clone()));
        client
    }

    /// Takes out a courier that is made of the same: `key` is that of its target, here and below.
    pub(super) fn take(&self, key: &str) -> Option<Box<Courier>> {
        let shared = &mut *self.lock();
        if shared.idle.is_empty() {
            return None;
        }
        shared.idle.get_mut(key)?.pop().map(Box::new)
    }

    /// Keeps a courier that has been at work, for further messages. One whose credential was refused is not used again.
    pub(super) fn put(&self, key: String, courier: Box<Courier>, outcome: &Outcome) {
        let mut shared = self.lock();
        match &mut shared.many {
            Some(many) if outcome.status == Status::Auth => {
                if let (None, Credential::App(_), Some(error)) = (&courier.token, &courier.credential, &outcome.error) {
                    many.refused.insert(key.clone(), (Instant::now(), error.clone()));
                }
                many.logins.remove(&key);
                many.tokens.remove(&key);
                return;
            }
            Some(many) => {
                if let Some(token) = &courier.token
                    && many.tokens.get(&key).is_none_or(|known| known.access_token != token.access_token)
                {
                    many.tokens.insert(key.clone(), token.clone());
                }
            }
            None => {}
        }
        shared.idle.entry(key).or_default().push(*courier);
    }

    /// The credentials of that target, where they have been read for many alerts.
    pub(super) fn login(&self, key: &str) -> Option<Login> {
        self.lock().many.as_ref()?.logins.get(key).cloned()
    }

    /// Keeps them, where there are many alerts.
    pub(super) fn keep_login(&self, key: String, login: &Login) {
        if let Some(many) = &mut self.lock().many {
            many.logins.insert(key, login.clone());
        }
    }

    /// The token that another courier of that target has.
    pub(super) fn token(&self, key: &str) -> Option<Token> {
        self.lock().many.as_ref()?.tokens.get(key).cloned()
    }

    /// Why WeCom refused the credential a moment ago, where many alerts are sent.
    pub(super) fn refusal(&self, key: &str) -> Option<Error> {
        let shared = self.lock();
        let (at, error) = shared.many.as_ref()?.refused.get(key)?;
        (at.elapsed() < REFUSED_FOR).then(|| error.clone())
    }

    /// What is held by whoever sends to that target, where many alerts are sent: one at a time does.
    pub(super) fn turn(&self, target: &str) -> Option<Turn> {
        let mut shared = self.lock();
        let turns = &mut shared.many.as_mut()?.turns;
        if let Some(turn) = turns.get(target) {
            return Some(Arc::clone(turn));
        }
        Some(Arc::clone(turns.entry(target.to_owned()).or_default()))
    }

    /// Forgets the turn of a target that nobody waits for any more.
    pub(super) fn end_turn(&self, target: &str, turn: Turn) {
        drop(turn);
        if let Some(many) = &mut self.lock().many
            && many.turns.get(target).is_some_and(|turn| Arc::strong_count(turn) == 1)
        {
            many.turns.remove(target);
        }
    }

    /// Whether many alerts are sent.
    pub(super) fn are_for_many(&self) -> bool {
        self.lock().many.is_some()
    }

    /// The outbox in a folder for state, where many alerts are stored together.
    pub(super) fn outbox(&self, state: &Folder) -> Option<GroupedOutbox> {
        let shared = self.lock();
        let outboxes = &shared.many.as_ref()?.outboxes;
        outboxes.iter().find(|(path, _)| path == state.path()).map(|(_, outbox)| outbox.clone())
    }

    /// Keeps it for many alerts; where another one was kept meanwhile, that is used.
    pub(super) fn keep_outbox(&self, state: &Folder, outbox: Outbox) -> GroupedOutbox {
        let grouped = GroupedOutbox::new(outbox);
        if let Some(known) = self.outbox(state) {
            return known;
        }
        if let Some(many) = &mut self.lock().many {
            many.outboxes.push((state.path().to_owned(), grouped.clone()));
        }
        grouped
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
