//! The holder: it has the connection to WeCom, and makes the requests of all processes of the machine that use the bot, its
//! own among them. Presses go to whoever watches for them.
//!
//! It stalls for nobody: a client that does not read is dropped, and connects again.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::io::{DuplexStream, WriteHalf};
use tokio::sync::{Notify, Semaphore, mpsc, watch};
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{sleep, timeout};

use super::failure::Failure;
use super::greeting::{Refused, Stream, Talk, greet_client};
use super::place::Seat;
use super::protocol::{BEAT, LONGEST_LINE, Request, ToClient, ToHolder, Unreadable, Writer, line};
use super::routes::{ClientId, Routes, SETTLING};
use super::upstream::Upstream;
use super::{Bot, FORGED, TO_RESPOND, locked};
use crate::api::aibot::Press;
use crate::api::{CallError, Reply};
use crate::blocking::task;
use crate::clock::now_ms;

/// So many clients at once, each of which is an open file.
const MOST_CLIENTS: usize = 400;

/// So many requests of one client at once; the next ones wait in its socket.
const MOST_REQUESTS: usize = 32;

/// So many chunks of files at once, each of which takes a few MB.
const MOST_LONG_LINES: usize = 8;

/// So many presses and notices may wait for one client.
const MOST_UNSENT: usize = 256;

/// How long a client may take to read a line.
const SLOWEST: Duration = Duration::from_secs(10);

/// How long those that are being served may still take when the holder leaves.
const LEAVING: Duration = Duration::from_secs(10);

/// How often a request is begun anew, since the connection ended before it was written.
const MOST_BEGUN: u32 = 3;

/// WeCom's errcode for a connection that is not subscribed, or not any more.
const NOT_SUBSCRIBED: i64 = 846_609;

/// Between the ends within this process.
const OWN_BUFFER: usize = 64 * 1024;

/// The holder's tasks, which end with it.
pub(super) struct Holder {
    hub: Arc<Hub>,
    /// The first client, this process itself.
    own: Option<DuplexStream>,
    keeping: JoinSet<()>,
    /// For other processes; closed where WeCom refuses the bot.
    door: Arc<Mutex<Option<Door>>>,
}

/// By which other processes come in, as long as this one is the holder.
struct Door {
    accepting: Option<AbortHandle>,
    /// Its lock is freed when all else is done.
    seat: Arc<Seat>,
}

/// How far the holder is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Serving,
    /// It takes no more requests but answers to presses.
    Leaving,
    Over,
}

/// What its tasks share.
struct Hub {
    bot: Arc<Bot>,
    upstream: Upstream,
    routes: Mutex<Routes>,
    clients: Mutex<HashMap<ClientId, Arc<Client>>>,
    next_id: AtomicUsize,
    /// Since when it is subscribed, in Unix milliseconds, if it is.
    up_since_ms: Mutex<Option<u64>>,
    phase: watch::Sender<Phase>,
    /// Tells that a client has gone.
    gone: Notify,
    /// For clients that come by the socket.
    places: Semaphore,
    long_lines: Arc<Semaphore>,
}

/// A client, as the holder sees it.
struct Client {
    id: ClientId,
    writer: tokio::sync::Mutex<Writer<WriteHalf<Box<dyn Stream>>>>,
    unsent: mpsc::Sender<ToClient>,
    /// Whether nothing more can be written, since a line was not written whole.
    is_broken: AtomicBool,
    dropped: Notify,
    /// Until when it may answer the last press that it got.
    may_respond_until: Mutex<Option<Instant>>,
}

/// The client has gone, or is dropped.
struct Gone;

impl Holder {
    /// A holder for this bot. Without a seat it serves this process alone.
    pub(super) fn start(bot: Arc<Bot>, seat: Option<Seat>) -> Self {
        let hub = Arc::new(Hub {
            bot,
            upstream: Upstream::new(),
            routes: Mutex::new(Routes::new(Instant::now())),
            clients: Mutex::default(),
            next_id: AtomicUsize::new(0),
            up_since_ms: Mutex::default(),
            phase: watch::Sender::new(Phase::Serving),
            gone: Notify::new(),
            places: Semaphore::new(MOST_CLIENTS),
            long_lines: Arc::new(Semaphore::new(MOST_LONG_LINES)),
        });
        let seat = seat.map(Arc::new);
        let (own, other) = tokio::io::duplex(OWN_BUFFER);
        tokio::spawn(task(serve(Arc::clone(&hub), Talk::new(other))));
        let door = seat.clone().map(|seat| Door { accepting: accept(&hub, &seat), seat });
        let door = Arc::new(Mutex::new(door));
        let mut keeping = JoinSet::new();
        let keeper = (Arc::clone(&hub), seat, Arc::clone(&door));
        keeping.spawn(task(async move {
            let (hub, seat, door) = keeper;
            hub.upstream.keep(&hub.bot, seat.as_deref(), |said| hub.tell(said)).await;
            // WeCom refuses the bot: a process with the right secret takes the seat.
            drop(locked(&door).take());
        }));
        let settling = Arc::clone(&hub);
        keeping.spawn(task(async move {
            sleep(SETTLING).await;
            settling.settle();
        }));
        Self { hub, own: Some(own), keeping, door }
    }

    /// This process's end; `None` after the first time.
    pub(super) fn take_own(&mut self) -> Option<DuplexStream> {
        self.own.take()
    }

    /// Serves those whose requests it has begun to serve, closes the connection, and lets another process take over.
    pub(super) async fn leave(mut self) {
        self.stop_accepting();
        self.hub.phase.send_replace(Phase::Leaving);
        let _ = timeout(LEAVING, self.hub.all_gone()).await;
        self.hub.phase.send_replace(Phase::Over);
        self.keeping.shutdown().await;
        self.hub.upstream.close().await;
    }

    fn stop_accepting(&self) {
        locked(&self.door).iter_mut().for_each(Door::close);
    }
}

impl Door {
    fn close(&mut self) {
        if let Some(accepting) = self.accepting.take() {
            accepting.abort();
            #[cfg(unix)]
            self.seat.stop_listening();
        }
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        self.close();
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        self.stop_accepting();
        self.hub.phase.send_replace(Phase::Over);
    }
}

/// Takes clients in by the socket, where there is one.
#[cfg(unix)]
fn accept(hub: &Arc<Hub>, seat: &Arc<Seat>) -> Option<AbortHandle> {
    let listener = match seat.listen() {
        Ok(listener) => listener,
        Err(error) => {
            let what = "other processes cannot use the aibot meanwhile: its socket cannot be made";
            hub.bot.observer.detail(format!("{what}: {error}"));
            return None;
        }
    };
    let hub = Arc::clone(hub);
    let accepting = tokio::spawn(task(async move {
        loop {
            let Ok(permit) = hub.places.acquire().await else { return };
            match listener.accept().await {
                Ok((stream, _)) => {
                    permit.forget();
                    tokio::spawn(task(take_in(Arc::clone(&hub), stream)));
                }
                // Too many open files: those that wait are taken in later.
                Err(_) => sleep(Duration::from_millis(200)).await,
            }
        }
    }));
    Some(accepting.abort_handle())
}

#[cfg(not(unix))]
fn accept(_hub: &Arc<Hub>, _seat: &Arc<Seat>) -> Option<AbortHandle> {
    None
}

#[cfg(unix)]
async fn take_in(hub: Arc<Hub>, stream: tokio::net::UnixStream) {
    let who = match stream.peer_cred() {
        Ok(cred) => {
            let process = cred.pid().map(|pid| format!("process {pid} of ")).unwrap_or_default();
            format!("{process}user {}", cred.uid())
        }
        Err(_) => "another process".to_owned(),
    };
    let greeted = greet_client(stream, &hub.bot.id, &hub.bot.secret).await;
    match greeted {
        Ok(talk) => serve(Arc::clone(&hub), talk).await,
        Err(Refused::Unproven) => hub.tell_own(format!(
            "{who} was refused the connection of the aibot: it has another secret for the same BotID (only the newest one from the \
             console counts: correct aibot_secret in one of the two profiles)"
        )),
        Err(refused) => hub.bot.observer.detail(format!("{who} was refused the connection of the aibot: {refused:?}")),
    }
    hub.places.add_permits(1);
}

/// Serves a client to its end.
async fn serve(hub: Arc<Hub>, talk: Talk) {
    let Talk { mut lines, writer } = talk;
    lines.limit_long_lines(&hub.long_lines, SLOWEST);
    let (sender, mut unsent) = mpsc::channel(MOST_UNSENT);
    let client = hub.take_in(writer, sender);
    let mut phase = hub.phase.subscribe();
    let mut requests = JoinSet::new();
    let mut beat = tokio::time::interval(BEAT);
    beat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let welcome = ToClient::Welcome { process: std::process::id(), up_since_ms: *locked(&hub.up_since_ms) };
    let mut is_there = client.say(&welcome).await.is_ok();
    while is_there {
        let now = *phase.borrow_and_update();
        let is_leaving = now != Phase::Serving;
        let may_respond = client.may_respond_until().filter(|_| is_leaving);
        if now == Phase::Over || (is_leaving && requests.is_empty() && may_respond.is_none()) {
            break;
        }
        let respond_until = may_respond.unwrap_or_else(Instant::now);
        let has_room = requests.len() < MOST_REQUESTS;
        tokio::select! {
            biased;
            () = client.dropped.notified() => is_there = false,
            _ = phase.changed() => {}
            _ = requests.join_next(), if !requests.is_empty() => {}
            _ = beat.tick() => is_there = client.say(&ToClient::Beat).await.is_ok(),
            Some(said) = unsent.recv() => is_there = client.say(&said).await.is_ok(),
            heard = lines.next::<ToHolder>(LONGEST_LINE), if has_room => match heard {
                Ok(ToHolder::Request(request)) => {
                    // Who is not served by this holder hears nothing of its request, and asks the next one.
                    if !is_leaving || request.req_id.is_some() {
                        let (forwarded, permit) =
                            (forward(Arc::clone(&hub), Arc::clone(&client), request), lines.take_permit());
                        requests.spawn(task(async move {
                            forwarded.await;
                            drop(permit);
                        }));
                    }
                }
                Ok(heard) => hub.hear(&client, heard),
                Err(Unreadable::Ended) => is_there = false,
                Err(Unreadable::Forged) => {
                    hub.tell_own(FORGED.to_owned());
                    is_there = false;
                }
                Err(Unreadable::Garbage(what)) => {
                    hub.bot.observer.detail(format!("a client of the aibot's connection said {what}: it is dropped"));
                    is_there = false;
                }
            },
            () = sleep(respond_until.saturating_duration_since(Instant::now())), if may_respond.is_some() => {}
        }
    }
    // What was not written yet is not any more: nobody would know.
    requests.shutdown().await;
    client.shut_down().await;
    hub.remove(client.id);
}

/// Makes a request of a client, and tells it what came of it.
async fn forward(hub: Arc<Hub>, client: Arc<Client>, request: Request) {
    let id = request.id;
    let said = match hub.carry(&client, request).await {
        Ok(Ok(reply)) => ToClient::Answered { id, reply: reply.into() },
        Ok(Err(failure)) => ToClient::Failed { id, failure },
        Err(Gone) => return,
    };
    if client.say(&said).await.is_err() {
        client.drop_it();
    }
}

impl Hub {
    fn take_in(&self, writer: Writer<WriteHalf<Box<dyn Stream>>>, unsent: mpsc::Sender<ToClient>) -> Arc<Client> {
        let id = self.next_id.fetch_add(1, Ordering::Relaxed) as ClientId;
        let client = Arc::new(Client {
            id,
            writer: tokio::sync::Mutex::new(writer),
            unsent,
            is_broken: AtomicBool::new(false),
            dropped: Notify::new(),
            may_respond_until: Mutex::default(),
        });
        locked(&self.clients).insert(id, Arc::clone(&client));
        client
    }

    fn remove(&self, id: ClientId) {
        locked(&self.clients).remove(&id);
        locked(&self.routes).remove(id);
        self.watches_changed();
        self.gone.notify_waiters();
    }

    /// Waits until no client is left.
    async fn all_gone(&self) {
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
    fn hear(&self, client: &Client, heard: ToHolder) {
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
            ToHolder::Unknown(press) => {
                self.offer_to_next(client.id, press);
                Vec::new()
            }
            ToHolder::Request(_) => Vec::new(),
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
    fn settle(&self) {
        let unclaimed = locked(&self.routes).settle(Instant::now());
        if let Some((id, presses)) = unclaimed
            && let Some(client) = locked(&self.clients).get(&id)
        {
            presses.into_iter().for_each(|press| client.hand(press));
        }
    }

    /// What the connection tells: a press to those whom it concerns, all else to everybody.
    fn tell(&self, said: ToClient) {
        match said {
            ToClient::Press(press) => {
                let ids = locked(&self.routes).take(&press, Instant::now());
                let clients = locked(&self.clients);
                ids.iter().filter_map(|id| clients.get(id)).for_each(|client| client.hand(press.clone()));
                return;
            }
            ToClient::Up { at_ms } => *locked(&self.up_since_ms) = Some(at_ms),
            ToClient::Down { .. } => *locked(&self.up_since_ms) = None,
            _ => {}
        }
        locked(&self.clients).values().for_each(|client| client.queue(said.clone()));
    }

    /// Something that the user of this process should know.
    fn tell_own(&self, notice: String) {
        if let Some(own) = locked(&self.clients).get(&0) {
            own.queue(ToClient::Notice(notice));
        }
    }

    /// Makes a request. The client hears that it has begun before WeCom can read anything of it.
    async fn carry(&self, client: &Client, request: Request) -> Result<Result<Reply, Failure>, Gone> {
        let Request { id, req_id, cmd, body, until_ms, timeout_ms } = request;
        let until = Instant::now() + Duration::from_millis(until_ms.saturating_sub(now_ms()));
        let (mut begun, mut is_renewed) = (0, false);
        loop {
            let (connection, number) = match self.upstream.connection(until).await {
                Ok(found) => found,
                Err(failure) => return Ok(Err(failure)),
            };
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

impl Client {
    /// Says something now. A client that does not read it in time is dropped.
    async fn say(&self, said: &ToClient) -> Result<(), Gone> {
        let line = line(said).ok_or(Gone)?;
        let written = timeout(SLOWEST, async {
            let mut writer = self.writer.lock().await;
            // Where this is given up in the middle, it stays true.
            if self.is_broken.swap(true, Ordering::Relaxed) {
                return Err(Gone);
            }
            writer.write(&line).await.map_err(|_| Gone)?;
            self.is_broken.store(false, Ordering::Relaxed);
            Ok(())
        });
        let is_written = matches!(written.await, Ok(Ok(())));
        if is_written {
            return Ok(());
        }
        self.drop_it();
        Err(Gone)
    }

    /// Has something said as soon as it can be.
    fn queue(&self, said: ToClient) {
        if self.unsent.try_send(said).is_err() {
            self.drop_it();
        }
    }

    fn hand(&self, press: Press) {
        *locked(&self.may_respond_until) = Some(Instant::now() + TO_RESPOND);
        self.queue(ToClient::Press(press));
    }

    /// Until when it may answer a press, if it may.
    fn may_respond_until(&self) -> Option<Instant> {
        locked(&self.may_respond_until).filter(|until| *until > Instant::now())
    }

    fn drop_it(&self) {
        self.dropped.notify_one();
    }

    async fn shut_down(&self) {
        let _ = timeout(SLOWEST, async { self.writer.lock().await.shutdown().await }).await;
    }
}
