//! The one connection that an aibot has, shared by all processes of a machine: every part of the program that sends by an
//! aibot or waits for a press on one of its cards goes through a `Link`. Who holds the connection is not its business.
//!
//! WeCom ends a connection when the bot subscribes again (document path 101463). So a lock elects one process (`place`), the
//! holder (`holder`), which has the connection (`upstream`) and makes the requests of all. Each process (`participant`), that of
//! the holder too, talks to it in lines of JSON (`protocol`) over a Unix socket, after both ends have proven that they know
//! the bot's secret (`greeting`, `proof`). When the holder leaves or is killed, another one is elected.
//!
//! Where machines share state, the holder of a machine needs a `lease` in the store, too. The processes of other machines talk
//! to it in the same lines, which the store carries (`relay`).

mod conversations;
mod election;
mod failure;
mod greeting;
mod holder;
mod hub;
mod kicks;
mod lease;
mod order;
mod participant;
mod place;
mod proof;
mod protocol;
mod relay;
mod routes;
mod served_client;
#[cfg(test)]
mod tests;
mod upstream;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout_at;

use crate::api::aibot::{AIBOT_UPDATE, Press};
use crate::api::errcode::{self, HintContext};
use crate::api::{CallError, Client, Reply};
use crate::blocking::task;
use crate::error::Error;
use crate::event::Observer;
use crate::fingerprint::fingerprint;
use crate::secret::Secret;
use crate::store::Folder;
pub(crate) use conversations::Conversations;
pub(crate) use election::KnownHolder;
pub(crate) use lease::Fleet;
use order::{CardWatch, Coverage, Order, PendingCall};
pub(crate) use order::{Seen, Watch};
use participant::Participant;
use place::MeetingPlace;

/// The time for an answer to a press (document path 101463).
const TO_RESPOND: Duration = Duration::from_secs(5);

/// A holder that is well answers by the end of a request's time. So much later it is not waited for any more.
const OVERDUE: Duration = Duration::from_secs(1);

/// A holder is waited for so long at the least before a watch is given up.
const WATCH_PATIENCE: Duration = Duration::from_secs(60);

const FORGED: &str = "somebody without the aibot's secret spoke on its connection between processes, which was ended: see who may write to \
                      /run/wecom-alert or to the state folder";

/// So much may be seen and not be looked at.
const UNSEEN: usize = 1024;

/// The bots that this process uses. Who is elected here serves other processes until [`leave`].
static JOINED: Mutex<Vec<(String, Arc<Shared>)>> = Mutex::new(Vec::new());

/// The way to WeCom for an aibot. It is cheap to make; the connection is made, or the process found that holds it, when it is
/// needed. All links of a process for the same bot share that.
#[derive(Clone)]
pub(crate) struct Link {
    client: Client,
    shared: Arc<Shared>,
}

/// A bot, as a process uses it.
struct Bot {
    /// Its base URL is the bot's address.
    client: Client,
    id: String,
    secret: Secret,
    state: Option<Folder>,
    /// The machines that share it, where they share state.
    fleet: Option<Fleet>,
    observer: Observer,
    warnings: Mutex<Vec<String>>,
}

/// What all links of a process for the same bot share.
struct Shared {
    bot: Arc<Bot>,
    orders: mpsc::UnboundedSender<Order>,
    /// Where orders arrive, until somebody is there to take them.
    untaken: Mutex<Option<mpsc::UnboundedReceiver<Order>>>,
}

impl Link {
    /// A link for this bot, by a client whose base URL is the bot's address. Its requests keep to the client's deadline
    /// and timeout. `state` is the folder of the state, where one is known; `fleet` has the other machines, where they share
    /// state.
    pub(crate) fn new(
        client: Client,
        bot_id: String,
        secret: Secret,
        (state, fleet): (Option<Folder>, Option<Fleet>),
        observer: Observer,
    ) -> Self {
        let key = fingerprint([client.options.base_url.as_str(), &bot_id, secret.expose()]);
        let mut joined = locked(&JOINED);
        if let Some((_, shared)) = joined.iter().find(|(known, shared)| *known == key && !shared.orders.is_closed()) {
            return Self { client, shared: Arc::clone(shared) };
        }
        let shared = Arc::new(Shared::new(client.clone(), bot_id, secret, (state, fleet), observer));
        joined.retain(|(known, _)| *known != key);
        joined.push((key, Arc::clone(&shared)));
        Self { client, shared }
    }

    /// Another deadline for the requests of this clone.
    pub(crate) fn set_deadline(&mut self, deadline: Instant) {
        self.client.options.deadline = deadline;
    }

    /// Makes a request and returns WeCom's answer to it, with the fields of its `body`. It is repeated here only where WeCom
    /// cannot have read it.
    ///
    /// # Errors
    ///
    /// [`CallError::Unreached`] where nothing was sent, [`CallError::Silent`] where that cannot be known;
    /// [`CallError::Setup`] where another process or another program has the connection. Else as the call itself.
    pub(crate) async fn request(&self, cmd: &str, body: Value) -> Result<Reply, CallError> {
        let options = &self.client.options;
        self.ask(None, cmd, body, options.deadline, options.timeout).await
    }

    /// Changes the card on which somebody pressed, within 5 s of that. The deadline does not count.
    ///
    /// # Errors
    ///
    /// As [`Link::request`]; 846604 and 846605 where the time is over, or the connection another one.
    pub(crate) async fn respond(&self, press: &Press, body: Value) -> Result<Reply, CallError> {
        let until = Instant::now() + TO_RESPOND;
        self.ask(Some(press.req_id.clone()), AIBOT_UPDATE, body, until, TO_RESPOND).await
    }

    async fn ask(
        &self,
        req_id: Option<String>,
        cmd: &str,
        body: Value,
        until: Instant,
        timeout: Duration,
    ) -> Result<Reply, CallError> {
        let (answer, answered) = oneshot::channel();
        self.shared.order(Order::Ask(PendingCall { req_id, cmd: cmd.to_owned(), body, until, timeout, answer }));
        match timeout_at((until + OVERDUE).into(), answered).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => Err(CallError::Setup(Error::defect("nobody takes the requests of the aibot"))),
            Err(_) => {
                let what = "the process that holds the aibot's connection does not say what became of the request";
                Err(CallError::Silent { what: what.to_owned(), limit: None })
            }
        }
    }

    /// Watches for presses on these cards, from now on: what is asked after this is sent when the watch is there.
    pub(crate) async fn watch(&self, task_ids: Vec<String>) -> Watch {
        self.watch_also(task_ids, false, false)
    }

    /// Watches for presses on cards that nobody watches; with `messages` also for what is written to the bot.
    pub(crate) fn watch_others(&self, messages: bool) -> Watch {
        self.watch_also(Vec::new(), true, messages)
    }

    fn watch_also(&self, task_ids: Vec<String>, others: bool, messages: bool) -> Watch {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        let (sender, seen) = mpsc::channel(UNSEEN);
        let patience = self.client.options.deadline.max(Instant::now() + WATCH_PATIENCE);
        let watched = CardWatch { id, task_ids, others, messages, patience, seen: sender, coverage: Coverage::NotYet };
        self.shared.order(Order::Watch(watched));
        Watch { id, orders: self.shared.orders.clone(), seen }
    }

    /// The process that holds the connection, if one does. Nothing is sent to WeCom.
    ///
    /// # Errors
    ///
    /// Exit 4 where that process has another secret, exit 7 where it is of another version.
    pub(crate) async fn holder(&self) -> Result<Option<KnownHolder>, Error> {
        election::holder_of(&self.shared.bot).await
    }

    /// Ends this process's part in the connection, once what others have asked of it is done. With watches it goes on.
    pub(crate) async fn leave(&self) {
        self.shared.leave().await;
    }
}

impl Shared {
    fn new(
        mut client: Client,
        id: String,
        secret: Secret,
        (state, fleet): (Option<Folder>, Option<Fleet>),
        observer: Observer,
    ) -> Self {
        // The connection serves many requests, each with a deadline of its own.
        client.options.deadline = Instant::now() + Duration::from_secs(365 * 24 * 3600);
        let bot = Bot { client, id, secret, state, fleet, observer, warnings: Mutex::default() };
        let (orders, untaken) = mpsc::unbounded_channel();
        Self { bot: Arc::new(bot), orders, untaken: Mutex::new(Some(untaken)) }
    }

    fn order(&self, order: Order) {
        if let Some(untaken) = locked(&self.untaken).take() {
            tokio::spawn(task(Participant::new(Arc::clone(&self.bot), untaken).run()));
        }
        // Where nobody takes it, its answer says so.
        let _ = self.orders.send(order);
    }

    async fn leave(&self) {
        if locked(&self.untaken).is_none() {
            let (leave, left) = oneshot::channel();
            self.order(Order::Leave(leave));
            let _ = left.await;
        }
    }
}

/// Ends this process's part in the connections of all aibots, once what other processes have asked of it is done: within
/// 12 s. Returns what the user should know of them, a sentence each.
pub async fn leave() -> Vec<String> {
    let joined = std::mem::take(&mut *locked(&JOINED));
    let mut warnings = Vec::new();
    for (_, shared) in joined {
        shared.leave().await;
        warnings.append(&mut locked(&shared.bot.warnings));
    }
    warnings
}

impl Bot {
    fn places(&self) -> Vec<MeetingPlace> {
        MeetingPlace::all(self.state.as_ref(), self.client.options.base_url.as_str(), &self.id)
    }

    /// Something that the user should know, once: at the end, or also at once.
    fn warn(&self, warning: String, is_urgent: bool) {
        let mut warnings = locked(&self.warnings);
        if warnings.contains(&warning) {
            return;
        }
        if is_urgent {
            self.observer.notice(warning.clone());
        } else {
            self.observer.detail(warning.clone());
        }
        warnings.push(warning);
    }
}

/// A refusal as an error.
fn refusal(reply: &Reply) -> Error {
    let answer = &reply.answer;
    let message = format!("WeCom answered {}: {}", answer.errcode, errcode::errmsg_or_meaning(answer));
    let hint = errcode::hint_for(answer, &HintContext::default());
    let status = errcode::class_of(answer.errcode).refusal_status();
    Error::new(status, message).with_hint(hint).with_answer(answer.clone())
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
