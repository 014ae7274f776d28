//! Between the server and the work: requests are verified and opened, what is refused is said on stderr, and events wait
//! here for what WeCom is answered.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use hyper::StatusCode;
use tokio::sync::{mpsc, oneshot};

use super::event::{Acknowledged, ReceivedEvent};
use super::server::{Answered, Answering, Call};
use crate::callback::{CallbackEvent, CallbackKeys, OpenedRequest, RefusedRequest};
use crate::channel::Channel;
use crate::clock::{brief, now_ms};
use crate::event::Observer;

/// The time between two warnings of one kind.
const QUIET: Duration = Duration::from_secs(60);

/// What opens requests to the address.
#[derive(Debug, Default)]
pub(super) struct GateKeys {
    pub(super) app: Option<CallbackKeys>,
    pub(super) aibot: Option<CallbackKeys>,
}

/// What stands between the server and the work.
pub(super) struct Gate {
    keys: GateKeys,
    events: mpsc::Sender<Box<ReceivedEvent>>,
    alarm: Alarm,
}

impl Gate {
    /// `events` gets what was opened.
    pub(super) fn new(keys: GateKeys, events: mpsc::Sender<Box<ReceivedEvent>>, observer: Observer) -> Self {
        Self { keys, events, alarm: Alarm { observer, told: Mutex::default() } }
    }

    /// What the server asks for each request.
    pub(super) fn answering(self) -> Answering {
        let gate = Arc::new(self);
        Arc::new(move |call| {
            let gate = Arc::clone(&gate);
            Box::pin(async move {
                match call {
                    Call::Verify { query } => gate.verify(&query),
                    Call::Event { query, body } => gate.take(&query, &body).await,
                }
            })
        })
    }

    /// The keys, with the channel that they are of.
    fn keys(&self) -> impl Iterator<Item = (Channel, &CallbackKeys)> {
        [(Channel::App, &self.keys.app), (Channel::Aibot, &self.keys.aibot)]
            .into_iter()
            .filter_map(move |(channel, keys)| Some((channel, keys.as_ref()?)))
    }

    /// Opens with whichever key the signature fits.
    fn open<T>(
        &self,
        open: impl Fn(&CallbackKeys) -> Result<T, RefusedRequest>,
    ) -> Result<(Channel, &CallbackKeys, T), RefusedRequest> {
        let mut refused = RefusedRequest::Forged;
        for (channel, keys) in self.keys() {
            match open(keys) {
                Ok(opened) => return Ok((channel, keys, opened)),
                Err(RefusedRequest::Forged) => {}
                Err(signed) => refused = signed,
            }
        }
        Err(refused)
    }

    fn verify(&self, query: &str) -> Answered {
        match self.open(|keys| keys.verify(query, now_seconds())) {
            Ok((channel, _, text)) => {
                let what = match channel {
                    Channel::Aibot => "aibot",
                    _ => "app",
                };
                self.alarm.tell("verified", format!("listen: WeCom verified the address of the {what}'s callback"));
                Answered::new(StatusCode::OK, text)
            }
            Err(RefusedRequest::Unreadable(why)) => {
                self.alarm.tell("unreadable", format!("warning: a signed verification cannot be read: {why}"));
                Answered::new(StatusCode::FORBIDDEN, "")
            }
            Err(refused) => self.refuse(refused),
        }
    }

    async fn take(&self, query: &str, body: &[u8]) -> Answered {
        let (channel, keys, opened) = match self.open(|keys| keys.open(query, body, now_seconds())) {
            Ok(opened) => opened,
            Err(refused) => return self.refuse(refused),
        };
        let OpenedRequest { event_id, event } = opened;
        let event = match event {
            CallbackEvent::Press(press) => ReceivedEvent::new(event_id, channel, *press),
            CallbackEvent::Message(message) => ReceivedEvent::of_message(event_id, channel, message),
            CallbackEvent::Notice(notice) => {
                self.alarm.tell("notice", format!("warning: {notice}"));
                return Answered::new(StatusCode::OK, "");
            }
            CallbackEvent::Other(name) => {
                self.alarm.observer.detail(format!("listen: an event of another kind came: {name}"));
                return Answered::new(StatusCode::OK, "");
            }
        };
        let (sender, acknowledged) = oneshot::channel();
        event.reply.set(Some(sender));
        if self.events.send(Box::new(event)).await.is_err() {
            return Answered::new(StatusCode::SERVICE_UNAVAILABLE, "");
        }
        match acknowledged.await {
            Ok(Acknowledged::Received(None)) => Answered::new(StatusCode::OK, ""),
            Ok(Acknowledged::Received(Some(change))) => {
                let mut random = [0; 16];
                random.fill_with(|| fastrand::u8(..));
                let reply = keys.sealed_reply(&change.to_string(), query, now_seconds(), random);
                Answered::new(StatusCode::OK, reply)
            }
            Ok(Acknowledged::NotKept) => Answered::new(StatusCode::INTERNAL_SERVER_ERROR, ""),
            // It is being stopped: WeCom tries again.
            Err(_) => Answered::new(StatusCode::SERVICE_UNAVAILABLE, ""),
        }
    }

    fn refuse(&self, refused: RefusedRequest) -> Answered {
        match refused {
            RefusedRequest::Forged => {
                let told = "warning: a request without a valid signature was refused: somebody else than WeCom sent it, or callback_token is \
                            not the Token of the console (接收消息)";
                self.alarm.tell("forged", told.to_owned());
                Answered::new(StatusCode::FORBIDDEN, "")
            }
            RefusedRequest::Stale { seconds } => {
                let apart = brief(Duration::from_secs(seconds.unsigned_abs()));
                let (when, clock) = if seconds > 0 { ("old", "fast") } else { ("early", "slow") };
                let told = format!(
                    "warning: a signed request that is {apart} {when} was refused: somebody sent it again, or the clock of this machine is \
                     {clock}. With a wrong clock NO press is taken: set it (timedatectl)"
                );
                self.alarm.tell("stale", told);
                Answered::new(StatusCode::FORBIDDEN, "")
            }
            RefusedRequest::Unreadable(why) => {
                // WeCom would only send it again.
                self.alarm.tell("unreadable", format!("warning: a signed event cannot be read and is lost: {why}; compare callback_aes_key and corp_id with the console (接收消息)"));
                Answered::new(StatusCode::OK, "")
            }
        }
    }
}

fn now_seconds() -> i64 {
    i64::try_from(now_ms() / 1000).unwrap_or(i64::MAX)
}

/// Says things that anybody on the network can bring about: each kind once in a while.
struct Alarm {
    observer: Observer,
    /// When each kind was told last, and how often it came about since.
    told: Mutex<HashMap<&'static str, (Instant, u64)>>,
}

impl Alarm {
    fn tell(&self, kind: &'static str, line: String) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let more = match told.get_mut(kind) {
            Some((at, count)) if now.saturating_duration_since(*at) < QUIET => {
                *count += 1;
                return;
            }
            Some((_, count)) => *count,
            None => 0,
        };
        told.insert(kind, (now, 0));
        drop(told);
        let more = if more > 0 { format!(" ({more} more since the last time)") } else { String::new() };
        self.observer.notice(format!("{line}{more}"));
    }
}
