//! State that several machines share: a Redis (6 or later) or Valkey beside the files of `store`.
//!
//! - [`SharedState`]: the store as one command uses it. It connects when it is first asked. `None` of it, without the
//!   setting, costs nothing.
//! - Each question ([`SharedState::get`], [`set`](SharedState::set), [`run`](SharedState::run) a [`Script`],
//!   [`query`](SharedState::query)) gives an answer or [`StoreDown`], for which the caller uses the machine's own state.
//!   Why it is down is told once, by [`SharedState::take_warnings`]. For a minute nobody on the machine asks again.
//! - All that an alert waits for the store is 300 ms ([`SharedState::begin_message`] begins anew for the next one);
//!   [`SharedState::in_background`] waits longer, for what no alert waits for. A command that the server lets wait, such as
//!   `BLPOP`, needs a connection of its own: [`SharedState::own_connection`].
//! - [`Namespace`]: the names of a channel's keys, and seals on values.
//! - [`Lease`]: what one process of all machines holds; the store refuses what a process writes that has lost it.
//!   [`SharedRecord`]: a sealed record in the store that only the holder of its lease writes. [`KeyedRecord`]: the same, or
//!   the machine's file where the store is down.

mod connection;
mod failure;
mod lease;
mod look;
mod namespace;
mod outage;
mod patience;
mod record;
mod script;

use std::fmt;
use std::sync::{Arc, Mutex as StdMutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use redis::aio::MultiplexedConnection;
use redis::{Cmd, ErrorKind, FromRedisValue, ServerErrorKind, cmd};
use tokio::sync::Mutex;

use crate::api::Trust;
use crate::blocking::off_loop;
use crate::clock;
use crate::config::{ProxyUrl, SecretSource, SharedStateUrl};
use crate::secret::Mask;
use crate::store::Folder;
use connection::connect;
use failure::StoreFailure;
use outage::{OutageFile, PAUSE};
use patience::{Patience, within};

pub(crate) use connection::ServerInfo;
pub(crate) use lease::Lease;
pub(crate) use look::StoreLook;
pub(crate) use namespace::Namespace;
pub(crate) use patience::Polling;
pub(crate) use record::{Hold, KeyedRecord, SharedRecord};
pub(crate) use script::{Script, ScriptInput};

/// The store does not answer, or cannot be used: the machine's own state serves. Why was told already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct StoreDown;

/// The store that several machines share, as one command uses it. Clones are the same, and share what is left of their
/// alert's time for it.
#[derive(Clone)]
pub(crate) struct SharedState {
    store: Arc<Store>,
    patience: Patience,
}

struct Store {
    /// Where its address comes from.
    source: SecretSource,
    trust: Trust,
    /// The folder for all state of the machine, where one is known.
    folder: Option<Folder>,
    mask: Mask,
    url: OnceLock<SharedStateUrl>,
    connection: Mutex<Option<MultiplexedConnection>>,
    trouble: StdMutex<Trouble>,
}

/// What became of asking it.
#[derive(Default)]
struct Trouble {
    /// Until when nobody asks.
    down_until: Option<Instant>,
    warnings: Vec<String>,
}

impl SharedState {
    /// The store whose address comes from there. Nothing is read and nobody is asked yet. `folder` is that of the
    /// machine's own state.
    pub(crate) fn new(source: SecretSource, trust: Trust, folder: Option<Folder>, mask: Mask) -> Self {
        let store = Store {
            source,
            trust,
            folder,
            mask,
            url: OnceLock::new(),
            connection: Mutex::default(),
            trouble: StdMutex::default(),
        };
        Self { store: Arc::new(store), patience: Patience::of_alert() }
    }

    /// A message begins to be delivered, which may wait for the store anew. Only what was asked before the first one counts
    /// for that too.
    pub(crate) fn begin_message(&self) {
        self.patience.begin_message();
    }

    /// An alert went out, and what is recorded of it may wait for the store anew: nobody waits for that alert any more.
    fn begin_to_record(&self) {
        self.patience.begin_anew();
    }

    /// The same store for what no alert waits for: each command may take 5 seconds.
    pub(crate) fn in_background(&self) -> Self {
        Self { store: Arc::clone(&self.store), patience: Patience::Background }
    }

    /// The same store for what goes on for hours and must know soon when it is back: it is asked although it was down just
    /// now.
    pub(crate) fn insistent(&self) -> Self {
        Self { store: Arc::clone(&self.store), patience: Patience::Insistent }
    }

    /// What the command is to tell of the store, once each: why it is down, or that it is spoken to in plain text.
    pub(crate) fn take_warnings(&self) -> Vec<String> {
        std::mem::take(&mut self.store.trouble().warnings)
    }

    /// From now on, until this is dropped, answers cost none of the alert's time for the store: they are asked for in the
    /// pauses of a wait for somebody else.
    pub(crate) fn while_polling(&self) -> Polling<'_> {
        self.patience.while_polling()
    }

    /// The value of a key, if it has one.
    pub(crate) async fn get(&self, name: &str) -> Result<Option<Vec<u8>>, StoreDown> {
        self.query(cmd("GET").arg(name)).await
    }

    /// Sets the value of a key, for so long.
    pub(crate) async fn set(&self, name: &str, value: &[u8], life: Duration) -> Result<(), StoreDown> {
        self.query(cmd("SET").arg(name).arg(value).arg("PX").arg(clock::in_ms(life).max(1))).await
    }

    /// Now by the store's clock, in Unix milliseconds.
    pub(crate) async fn now_ms(&self) -> Result<u64, StoreDown> {
        let (seconds, microseconds): (u64, u64) = self.query(&cmd("TIME")).await?;
        Ok(seconds.saturating_mul(1000).saturating_add(microseconds / 1000))
    }

    /// Runs a script. It may run twice, where the connection breaks meanwhile: it must come to the same then.
    pub(crate) async fn run<T: FromRedisValue>(&self, script: &Script, input: &ScriptInput) -> Result<T, StoreDown> {
        let insists = self.patience.insists();
        self.answer(async {
            match self.store.ask(&script.by_sum(input), insists).await {
                Err(AskFailure::Redis(error)) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => {
                    self.store.ask(&script.by_text(input), insists).await
                }
                answer => answer,
            }
        })
        .await
    }

    /// The answer to one command, which comes to the same if it is carried out twice.
    pub(crate) async fn query<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, StoreDown> {
        self.answer(self.store.ask(command, self.patience.insists())).await
    }

    /// A connection of its own, for commands that the server lets wait.
    pub(crate) async fn own_connection(&self) -> Result<OwnConnection, StoreDown> {
        let connection = self.answer(async {
            let (connection, _) = self.store.connect(self.patience.insists()).await?;
            Ok(connection)
        });
        Ok(OwnConnection { connection: connection.await?, state: self.clone() })
    }

    /// Waits for an answer as long as there is time for it. What goes wrong takes the store out of use for a while.
    async fn answer<T>(&self, asking: impl Future<Output = Result<T, AskFailure>>) -> Result<T, StoreDown> {
        if !self.patience.insists() && self.store.trouble().is_down() {
            return Err(StoreDown);
        }
        let limit = self.patience.limit();
        let (answer, waited) = within(limit, asking).await;
        self.patience.charge(waited);
        let failure = match answer {
            Some(Ok(answer)) => {
                if self.patience.insists() {
                    self.store.trouble().down_until = None;
                }
                return Ok(answer);
            }
            Some(Err(failure)) => failure,
            None => AskFailure::Store(StoreFailure::passing(match &self.patience {
                Patience::Alert(_) => "it did not answer within 300 ms in all".to_owned(),
                Patience::Background | Patience::Insistent => format!("no answer within {}", clock::seconds(limit)),
            })),
        };
        self.store.take_out(failure);
        Err(StoreDown)
    }
}

impl fmt::Debug for SharedState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SharedState").field(&self.store.source).finish()
    }
}

/// A connection for commands that the server lets wait.
pub(crate) struct OwnConnection {
    connection: MultiplexedConnection,
    state: SharedState,
}

impl OwnConnection {
    /// The answer to a command, which the server may let wait for nearly as long as `limit`. After a failure another
    /// connection is needed.
    pub(crate) async fn query<T: FromRedisValue>(&mut self, command: &Cmd, limit: Duration) -> Result<T, StoreDown> {
        match tokio::time::timeout(limit, command.query_async(&mut self.connection)).await {
            Ok(Ok(answer)) => Ok(answer),
            // It may only have been restarted: whoever connects again finds out.
            Ok(Err(error)) if error.is_io_error() => Err(StoreDown),
            Ok(Err(error)) => {
                self.state.store.take_out(AskFailure::Redis(error));
                Err(StoreDown)
            }
            Err(_) => {
                let why = format!("no answer within {}", clock::seconds(limit));
                self.state.store.take_out(AskFailure::Store(StoreFailure::passing(why)));
                Err(StoreDown)
            }
        }
    }
}

/// Why a question has no answer.
enum AskFailure {
    Redis(redis::RedisError),
    Store(StoreFailure),
    /// Another process of this machine found it down: for how long nobody is to ask, and why.
    Known(Duration, String),
}

impl From<StoreFailure> for AskFailure {
    fn from(failure: StoreFailure) -> Self {
        Self::Store(failure)
    }
}

impl Trouble {
    fn is_down(&mut self) -> bool {
        self.down_until = self.down_until.filter(|until| Instant::now() < *until);
        self.down_until.is_some()
    }
}

impl Store {
    fn trouble(&self) -> MutexGuard<'_, Trouble> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks once; once more where a connection from before turns out to be closed.
    async fn ask<T: FromRedisValue>(&self, command: &Cmd, insists: bool) -> Result<T, AskFailure> {
        loop {
            let (mut connection, is_new) = self.connected(insists).await?;
            match command.query_async(&mut connection).await {
                Ok(answer) => return Ok(answer),
                Err(error) if error.is_io_error() => {
                    *self.connection.lock().await = None;
                    if is_new {
                        return Err(AskFailure::Redis(error));
                    }
                }
                Err(error) => return Err(AskFailure::Redis(error)),
            }
        }
    }

    /// The connection, and whether it was made just now.
    async fn connected(&self, insists: bool) -> Result<(MultiplexedConnection, bool), AskFailure> {
        let mut kept = self.connection.lock().await;
        if let Some(connection) = &*kept {
            return Ok((connection.clone(), false));
        }
        let (connection, _) = self.connect(insists).await?;
        Ok((kept.insert(connection).clone(), true))
    }

    async fn connect(&self, insists: bool) -> Result<(MultiplexedConnection, ServerInfo), AskFailure> {
        let url = self.url().await?;
        let known = self.outage_file().filter(|_| !insists);
        if let Some((left, why)) = known.and_then(|file| file.read()) {
            return Err(AskFailure::Known(left, why));
        }
        // The caller's time is over before that.
        Ok(connect(url, &self.trust, Instant::now() + PAUSE).await?)
    }

    /// Its address, read once.
    async fn url(&self) -> Result<&SharedStateUrl, StoreFailure> {
        if let Some(url) = self.url.get() {
            return Ok(url);
        }
        let loaded = if self.source.at_hand().is_some() {
            self.source.load(Duration::ZERO)
        } else {
            let source = self.source.clone();
            off_loop(move || source.load(Duration::ZERO)).await.flatten()
        };
        let text = loaded.map_err(|error| StoreFailure::lasting(error.message()))?;
        ProxyUrl::passwords_in(text.expose()).iter().for_each(|password| self.mask.add(password));
        let url = SharedStateUrl::parse(&text);
        let url =
            url.map_err(|error| StoreFailure::lasting(format!("{}: {}", self.source.origin(), error.message())))?;
        if url.is_plain_beyond_loopback() {
            let warning = format!(
                "{url} is plain text: what machines share can be read on the way, sealed values aside; write rediss:// for TLS"
            );
            self.trouble().warnings.push(warning);
        }
        Ok(self.url.get_or_init(|| url))
    }

    fn outage_file(&self) -> Option<OutageFile> {
        Some(OutageFile::new(self.folder.as_ref()?, &self.url.get()?.to_string()))
    }

    /// Nobody on this machine asks it for a while. The first to notice tells why.
    fn take_out(&self, failure: AskFailure) {
        // Where the server stands still, its connection may never end by itself.
        if let Ok(mut kept) = self.connection.try_lock() {
            *kept = None;
        }
        let mut trouble = self.trouble();
        if trouble.is_down() {
            return;
        }
        let (pause, why, is_news) = match failure {
            AskFailure::Redis(error) => (PAUSE, StoreFailure::from(error).why, true),
            AskFailure::Store(failure) => (PAUSE, failure.why, true),
            AskFailure::Known(left, why) => (left, why, false),
        };
        let why = self.mask.apply(&why);
        if is_news && let Some(file) = self.outage_file() {
            file.write(&why);
        }
        let store = self.url.get().map_or_else(|| self.source.origin().to_owned(), ToString::to_string);
        trouble.down_until = Some(Instant::now() + pause);
        let warning = format!(
            "the shared state {store} is not used for {} s: {why}; this machine's own state serves",
            pause.as_secs().max(1)
        );
        if !trouble.warnings.contains(&warning) {
            trouble.warnings.push(warning);
        }
    }
}
