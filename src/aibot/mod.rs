//! The one connection that an aibot has, and who may use it: every part of the program that sends by an aibot or waits for a
//! press on one of its cards goes through a [`Link`]. Who holds the connection is not its business.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::sync::mpsc;

use crate::api::aibot::{AIBOT_UPDATE, AibotEvent, Connection, Press};
use crate::api::{CallError, Client, Reply};
use crate::clock::now_ms;
use crate::error::Error;
use crate::event::Observer;
use crate::secret::Secret;
use crate::store::Folder;

/// The time for an answer to a press (document path 101463).
const TO_RESPOND: Duration = Duration::from_secs(5);

/// What a watch has seen.
#[derive(Debug)]
pub(crate) enum Seen {
    /// Somebody pressed something on a card of this watch.
    Press(Press),
    /// Presses in that time may be lost: there was no connection. In Unix milliseconds.
    Gap { from_ms: u64, to_ms: u64 },
    /// No press will come any more. It is given again from then on.
    Lost(Error),
}

/// The way to WeCom for an aibot. It is cheap to make; clones share it.
#[derive(Clone)]
pub(crate) struct Link {
    client: Client,
    shared: Arc<Shared>,
}

struct Shared {
    client: Client,
    bot_id: String,
    secret: Secret,
    connection: tokio::sync::Mutex<Option<Connection>>,
    watches: Arc<Mutex<Vec<Watched>>>,
}

struct Watched {
    task_ids: Arc<Mutex<Vec<String>>>,
    seen: mpsc::UnboundedSender<Seen>,
}

/// Presses on some cards, until it is dropped.
pub(crate) struct Watch {
    task_ids: Arc<Mutex<Vec<String>>>,
    seen: mpsc::UnboundedReceiver<Seen>,
}

impl Link {
    /// A link for this bot, by a client whose base URL is the bot's address. Its requests keep to the client's deadline
    /// and timeout. `state` is the folder of the state, where one is known.
    pub(crate) fn new(
        mut client: Client,
        bot_id: String,
        secret: Secret,
        _state: Option<Folder>,
        _observer: Observer,
    ) -> Self {
        let own = client.clone();
        // The connection outlives the request for which it is made.
        client.options.deadline = Instant::now() + Duration::from_secs(365 * 24 * 3600);
        let (connection, watches) = (tokio::sync::Mutex::default(), Arc::default());
        Self { client: own, shared: Arc::new(Shared { client, bot_id, secret, connection, watches }) }
    }

    /// Makes a request and returns WeCom's answer to it, with the fields of its `body`. It is not repeated here, except
    /// where WeCom cannot have read it.
    ///
    /// # Errors
    ///
    /// As [`Connection::request`].
    pub(crate) async fn request(&self, cmd: &str, body: Value) -> Result<Reply, CallError> {
        let connection = self.shared.connection().await?;
        let options = &self.client.options;
        connection.request(cmd, body, options.deadline.min(Instant::now() + options.timeout)).await
    }

    /// Changes the card on which somebody pressed, within 5 s of that. The deadline does not count.
    ///
    /// # Errors
    ///
    /// As [`Connection::respond`].
    pub(crate) async fn respond(&self, press: &Press, body: Value) -> Result<Reply, CallError> {
        let connection = self.shared.connection().await?;
        connection.respond(&press.req_id, AIBOT_UPDATE, body, Instant::now() + TO_RESPOND).await
    }

    /// Watches for presses on these cards, from now on. With `others` also for those on cards that nobody watches.
    pub(crate) async fn watch(&self, task_ids: Vec<String>) -> Watch {
        let (sender, seen) = mpsc::unbounded_channel();
        let task_ids = Arc::new(Mutex::new(task_ids));
        lock(&self.shared.watches).push(Watched { task_ids: Arc::clone(&task_ids), seen: sender });
        let shared = Arc::clone(&self.shared);
        drop(tokio::spawn(async move { shared.connection().await.map(drop) }));
        Watch { task_ids, seen }
    }

    /// Ends this process's part in the connection, once what others have asked of it is done.
    pub(crate) async fn leave(&self) {
        if let Some(connection) = self.shared.connection.lock().await.take() {
            connection.close().await;
        }
    }
}

impl Shared {
    async fn connection(&self) -> Result<Connection, CallError> {
        let mut kept = self.connection.lock().await;
        if let Some(connection) = kept.as_ref().filter(|connection| connection.end().is_none()) {
            return Ok(connection.clone());
        }
        let from_ms = now_ms();
        let (connection, mut events) = self.client.connect_aibot(&self.bot_id, &self.secret).await?;
        let is_again = kept.replace(connection.clone()).is_some();
        let watches = Arc::clone(&self.watches);
        lock(&watches).retain(|watched| !is_again || watched.seen.send(Seen::Gap { from_ms, to_ms: now_ms() }).is_ok());
        tokio::spawn(async move {
            loop {
                match events.next().await {
                    AibotEvent::Press(press) => lock(&watches).retain(|watched| {
                        let is_its = lock(&watched.task_ids).contains(&press.task_id);
                        !is_its || watched.seen.send(Seen::Press(press.clone())).is_ok()
                    }),
                    AibotEvent::Message(_) => {}
                    AibotEvent::Kicked | AibotEvent::Closed(_) => return,
                }
            }
        });
        Ok(connection)
    }
}

impl Watch {
    /// What is seen next.
    pub(crate) async fn next(&mut self) -> Seen {
        match self.seen.recv().await {
            Some(seen) => seen,
            None => std::future::pending().await,
        }
    }

    /// Watches for presses on one more card.
    pub(crate) fn add(&self, task_id: &str) {
        lock(&self.task_ids).push(task_id.to_owned());
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
