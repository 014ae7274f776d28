//! The holder: it has the connection to WeCom, and makes the requests of all processes of the machine that use the bot, its
//! own among them. Presses go to whoever watches for them.
//!
//! It stalls for nobody: a client that does not read is dropped, and connects again.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::io::DuplexStream;
use tokio::sync::mpsc;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{sleep, sleep_until, timeout};

use super::greeting::{Refused, Stream, Talk, greet_client};
use super::hub::{HolderPhase, Hub};
use super::lease::BotLease;
use super::place::Seat;
use super::protocol::{AibotRequest, BEAT, LONGEST_LINE, SILENCE, ToClient, ToHolder, Unreadable};
use super::relay;
use super::routes::SETTLING;
use super::served_client::{Gone, SLOWEST, ServedClient};
use super::{Bot, FORGED, locked};
use crate::blocking::task;

/// So many requests of one client at once; the next ones wait in its socket.
const MOST_REQUESTS: usize = 32;

/// So many presses and notices may wait for one client.
const MOST_UNSENT: usize = 256;

/// How long those that are being served may still take when the holder leaves.
const LEAVING: Duration = Duration::from_secs(10);

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

impl Holder {
    /// A holder for this bot. Without a seat it serves this process alone, and with a lease other machines.
    pub(super) fn start(bot: Arc<Bot>, seat: Option<Seat>, lease: Option<Arc<BotLease>>) -> Self {
        let hub = Arc::new(Hub::new(bot, lease.clone()));
        let seat = seat.map(Arc::new);
        let (own, other) = tokio::io::duplex(OWN_BUFFER);
        tokio::spawn(task(serve(Arc::clone(&hub), Talk::new(other))));
        let door = seat.clone().map(|seat| Door { accepting: accept(&hub, &seat), seat });
        let door = Arc::new(Mutex::new(door));
        let mut keeping = JoinSet::new();
        if let Some(lease) = lease {
            let keeper = (Arc::clone(&hub), seat.clone());
            let door = relay::answer(lease.fleet().clone(), lease.door(), take_in_far(&hub));
            keeping.spawn(task(async move {
                let (hub, seat) = keeper;
                lease.keep(|last| seat.iter().for_each(|seat| seat.note_holder(&last))).await;
                // Another machine's process has the bot. Who is served here asks that one.
                if !hub.upstream.is_refused() {
                    hub.phase.send_replace(HolderPhase::Over);
                    hub.upstream.close().await;
                }
            }));
            keeping.spawn(task(door));
        }
        let keeper = (Arc::clone(&hub), seat, Arc::clone(&door));
        keeping.spawn(task(async move {
            let (hub, seat, door) = keeper;
            hub.upstream.keep(&hub.bot, (seat.as_deref(), hub.lease.as_deref()), |said| hub.tell(said)).await;
            // WeCom refuses the bot: a process with the right secret takes the seat. Or another machine's has it.
            drop((seat, locked(&door).take()));
            hub.release_lease().await;
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
        self.hub.phase.send_replace(HolderPhase::Leaving);
        let _ = timeout(LEAVING, self.hub.all_gone()).await;
        self.hub.phase.send_replace(HolderPhase::Over);
        self.keeping.shutdown().await;
        self.hub.upstream.close().await;
        self.hub.release_lease().await;
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
        self.hub.phase.send_replace(HolderPhase::Over);
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
                    let who = name_of(&stream);
                    tokio::spawn(task(take_in(Arc::clone(&hub), stream, who)));
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
fn name_of(stream: &tokio::net::UnixStream) -> String {
    match stream.peer_cred() {
        Ok(cred) => {
            let process = cred.pid().map(|pid| format!("process {pid} of ")).unwrap_or_default();
            format!("{process}user {}", cred.uid())
        }
        Err(_) => "another process".to_owned(),
    }
}

/// Takes clients of other machines in, as long as this holder serves.
fn take_in_far(hub: &Arc<Hub>) -> impl FnMut(relay::RelayStream) -> bool + Send + use<> {
    let hub = Arc::clone(hub);
    move |stream| {
        let Ok(permit) = hub.places.try_acquire() else { return false };
        if *hub.phase.borrow() != HolderPhase::Serving {
            return false;
        }
        permit.forget();
        let hub = Arc::clone(&hub);
        tokio::spawn(task(async move {
            // One that was recorded and is sent again by somebody else proves nothing.
            match greet_client(stream, &hub.bot.id, &hub.bot.secret).await {
                Ok(talk) => serve(Arc::clone(&hub), talk.far()).await,
                Err(refused) => {
                    hub.bot.observer.detail(format!("a client on another machine was refused: {refused:?}"))
                }
            }
            hub.places.add_permits(1);
        }));
        true
    }
}

async fn take_in(hub: Arc<Hub>, stream: impl Stream + 'static, who: String) {
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
    let Talk { mut lines, writer, is_far } = talk;
    lines.limit_long_lines(&hub.long_lines, SLOWEST);
    let (sender, mut unsent) = mpsc::channel(MOST_UNSENT);
    let client = hub.take_in(writer, sender);
    let mut phase = hub.phase.subscribe();
    let mut requests = JoinSet::new();
    let mut beat = tokio::time::interval(BEAT);
    beat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let welcome = ToClient::Welcome { process: std::process::id(), up_since_ms: *locked(&hub.up_since_ms) };
    let mut is_there = client.say(&welcome).await.is_ok();
    let mut heard_at = Instant::now();
    while is_there {
        let now = *phase.borrow_and_update();
        let is_leaving = now != HolderPhase::Serving;
        let may_respond = client.may_respond_until().filter(|_| is_leaving);
        if now == HolderPhase::Over || (is_leaving && requests.is_empty() && may_respond.is_none()) {
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
                Ok(ToHolder::Beat) => heard_at = Instant::now(),
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
                Err(Unreadable::Ended | Unreadable::Failed) => is_there = false,
                Err(Unreadable::Forged) => {
                    hub.tell_own(FORGED.to_owned());
                    is_there = false;
                }
                Err(Unreadable::Garbage(what)) => {
                    hub.bot.observer.detail(format!("a client of the aibot's connection said {what}: it is dropped"));
                    is_there = false;
                }
            },
            () = sleep_until((heard_at + SILENCE).into()), if is_far && has_room => {
                hub.remove_silent(&client, heard_at);
                is_there = false;
            }
            () = sleep(respond_until.saturating_duration_since(Instant::now())), if may_respond.is_some() => {}
        }
    }
    // What was not written yet is not any more: nobody would know.
    requests.shutdown().await;
    client.shut_down().await;
    hub.remove(client.id);
}

/// Makes a request of a client, and tells it what came of it.
async fn forward(hub: Arc<Hub>, client: Arc<ServedClient>, request: AibotRequest) {
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
