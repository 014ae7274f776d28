//! What the tasks of the holder share: its clients, who gets which press, and the way of a request to WeCom.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::io::WriteHalf;
use tokio::sync::{Notify, Semaphore, mpsc, watch};

use super::failure::CallFailure;
use super::greeting::Stream;
use super::lease::BotLease;
use super::protocol::{AibotRequest, ToClient, ToHolder, Writer};
use super::routes::{ClientId, Routes};
use super::served_client::{Gone, ServedClient};
use super::upstream::Upstream;
use super::{Bot, locked};
use crate::api::aibot::Press;
use crate::api::{CallError, Reply};
use crate::clock::now_ms;

/// WeCom's errcode for a connection that is not subscribed, or not any more.
const NOT_SUBSCRIBED: i64 = 846_609;

/// How often a request is begun anew, since the connection ended before it was written.
const MOST_BEGUN: u32 = 3;

/// So many chunks of files at once, each of which takes a few MB.
const MOST_LONG_LINES: usize = 8;

/// So many clients at once, each of which is an open file.
const MOST_CLIENTS: usize = 400;

/// How far the holder is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum HolderPhase {
    Serving,
    /// It takes no more requests but answers to presses.
    Leaving,
    Over,
}

/// What the holder's tasks share.
pub(super) struct Hub {
    pub(super) bot: Arc<Bot>,
    pub(super) upstream: Upstream,
    /// That this process has the bot among all machines, where they share state.
    pub(super) lease: Option<Arc<BotLease>>,
    routes: Mutex<Routes>,
    clients: Mutex<HashMap<ClientId, Arc<ServedClient>>>,
    next_id: AtomicUsize,
    /// Since when it is subscribed, in Unix milliseconds, if it is.
    pub(super) up_since_ms: Mutex<Option<u64>>,
    pub(super) phase: watch::Sender<HolderPhase>,
    /// Tells that a client has gone.
    gone: Notify,
    /// For clients that come by the socket.
    pub(super) places: Semaphore,
    pub(super) long_lines: Arc<Semaphore>,
}

impl Hub {
    pub(super) fn new(bot: Arc<Bot>, lease: Option<Arc<BotLease>>) -> Self {
        Self {
            bot,
            upstream: Upstream::new(),
            lease,
            routes: Mutex::new(Routes::new(Instant::now())),
            clients: Mutex::default(),
            next_id: AtomicUsize::new(0),
            up_since_ms: Mutex::default(),
            phase: watch::Sender::new(HolderPhase::Serving),
            gone: Notify::new(),
            places: Semaphore::new(MOST_CLIENTS),
            long_lines: Arc::new(Semaphore::new(MOST_LONG_LINES)),
        }
    }

    /// Lets another machine's process have the bot.
    pub(super) async fn release_lease(&self) {
        if let Some(lease) = &self.lease {
            lease.release().await;
        }
    }

    pub(super) fn take_in(
        &self,
        writer: Writer<WriteHalf<Box<dyn Stream>>>,
        unsent: mpsc::Sender<ToClient>,
    ) -> Arc<ServedClient> {
        let id = self.next_id.fetch_add(1, Ordering::Relaxed) as ClientId;
        let client = Arc::new(ServedClient::new(id, writer, unsent));
        locked(&self.clients).insert(id, Arc::clone(&client));
        client
    }

    pub(super) fn remove(&self, id: ClientId) {
        locked(&self.clients).remove(&id);
        locked(&self.routes).remove(id);
        self.watches_changed();
        self.gone.notify_waiters();
    }

    /// A client on another machine has said nothing for so long that it must have ended before `since`: others get the presses
    /// that went to it afterwards.
    pub(super) fn remove_silent(&self, client: &ServedClient, since: Instant) {
        self.remove(client.id);
        client.handed_since(since).iter().for_each(|press| self.hand_out(press, Routes::give));
    }

    fn hand_out(&self, press: &Press, choose: impl Fn(&mut Routes, &Press, Instant) -> Vec<ClientId>) {
        let ids = choose(&mut locked(&self.routes), press, Instant::now());
        let clients = locked(&self.clients);
        ids.iter().filter_map(|id| clients.get(id)).for_each(|client| client.hand(press.clone()));
    }

    /// Waits until no client is left.
    pub(super) async fn all_gone(&self) {
        loop {
            let mut gone = std::pin::pin!(self.gone.notified());
            gone.as_mut().enable();
            if locked(&self.clients).is_empty() {
                return;
            }
            gone.await;
        }
    }

    /// What a client says that is no request.
    pub(super) fn hear(&self, client: &ServedClient, heard: ToHolder) {
        let now = Instant::now();
        let kept = match heard {
            ToHolder::Watch { task_ids } => locked(&self.routes).watch(client.id, task_ids, now),
            ToHolder::Unwatch { task_ids } => {
                locked(&self.routes).unwatch(client.id, &task_ids);
                Vec::new()
            }
            ToHolder::Others(does) => {
                locked(&self.routes).take_others(client.id, does);
                self.settle();
                Vec::new()
            }
            ToHolder::Messages(does) => {
                locked(&self.routes).read_messages(client.id, does);
                Vec::new()
            }
            ToHolder::Unknown(press) => {
                self.offer_to_next(client.id, press);
                Vec::new()
            }
            ToHolder::Request(_) | ToHolder::Beat => Vec::new(),
        };
        kept.into_iter().for_each(|press| client.hand(press));
        self.watches_changed();
        if let Some(failure) = self.upstream.lost() {
            client.queue(ToClient::Lost(failure));
        }
    }

    fn watches_changed(&self) {
        let is_watched = locked(&self.routes).is_watched();
        self.upstream.set_watched(is_watched);
    }

    /// A press of which a client knows nothing: the next one that takes such presses may.
    fn offer_to_next(&self, id: ClientId, press: Press) {
        let next = locked(&self.routes).next_other(id);
        if let Some(client) = next.and_then(|next| locked(&self.clients).get(&next).cloned()) {
            return client.hand(press);
        }
        let what = "a press on a card that no process of this machine knows";
        self.bot.observer.detail(format!("{what}: by {} on {}", press.userid, press.task_id));
    }

    /// Gives away what nobody has claimed.
    pub(super) fn settle(&self) {
        let unclaimed = locked(&self.routes).settle(Instant::now());
        if let Some((id, presses)) = unclaimed
            && let Some(client) = locked(&self.clients).get(&id)
        {
            presses.into_iter().for_each(|press| client.hand(press));
        }
    }

    /// What the connection tells: a press to those whom it concerns, all else to everybody.
    pub(super) fn tell(&self, said: ToClient) {
        match said {
            ToClient::Press(press) => {
                return self.hand_out(&press, Routes::take);
            }
            ToClient::Message(message) => {
                let reader = locked(&self.routes).take_message(&message.msgid);
                let reader = reader.and_then(|id| locked(&self.clients).get(&id).cloned());
                return reader.into_iter().for_each(|reader| reader.queue(ToClient::Message(message.clone())));
            }
            ToClient::Up { at_ms } => *locked(&self.up_since_ms) = Some(at_ms),
            ToClient::Down { .. } => *locked(&self.up_since_ms) = None,
            _ => {}
        }
        locked(&self.clients).values().for_each(|client| client.queue(said.clone()));
    }

    /// Something that the user of this process should know.
    pub(super) fn tell_own(&self, notice: String) {
        if let Some(own) = locked(&self.clients).get(&0) {
            own.queue(ToClient::Notice(notice));
        }
    }

    /// Makes a request. The client hears that it has begun before WeCom can read anything of it.
    pub(super) async fn carry(
        &self,
        client: &ServedClient,
        request: AibotRequest,
    ) -> Result<Result<Reply, CallFailure>, Gone> {
        let AibotRequest { id, req_id, cmd, body, until_ms, timeout_ms } = request;
        let until = Instant::now() + Duration::from_millis(until_ms.saturating_sub(now_ms()));
        let (mut begun, mut is_renewed) = (0, false);
        loop {
            let (connection, number) = match self.upstream.connection(until).await {
                Ok(found) => found,
                Err(failure) => return Ok(Err(failure)),
            };
            // A process that was stopped may have lost the bot to another machine's meanwhile.
            if let Some(lease) = &self.lease
                && !lease.may_act().await
            {
                return Err(Gone);
            }
            if begun == 0 {
                client.say(&ToClient::Began { id }).await?;
            }
            begun += 1;
            let until = until.min(Instant::now() + Duration::from_millis(timeout_ms));
            let made = match &req_id {
                Some(req_id) => connection.respond(req_id, &cmd, body.clone(), until).await,
                None => connection.request(&cmd, body.clone(), until).await,
            };
            match made {
                Ok(reply) => return Ok(Ok(reply)),
                Err(CallError::Rejected(reply)) if reply.answer.errcode == NOT_SUBSCRIBED && !is_renewed => {
                    is_renewed = true;
                    self.upstream.renew(number);
                }
                Err(CallError::Unreached { .. }) if connection.end().is_some() && begun < MOST_BEGUN => {
                    self.upstream.renew(number);
                }
                Err(failure) => return Ok(Err(failure.into())),
            }
        }
    }
}
