//! Between the server and the work: requests are verified and opened, what is refused is said on stderr, and events wait
//! here for what WeCom is answered.

use std::pin::Pin;
use std::time::Duration;

use hyper::{Method, StatusCode};
use tokio::sync::{mpsc, oneshot};

use super::alarm::Alarm;
use super::event::{Acknowledged, ReceivedEvent};
use super::server::{Answered, Answering, Call};
use crate::callback::{CallbackEvent, CallbackKeys, OpenedRequest, RefusedRequest};
use crate::channel::Channel;
use crate::clock::{brief, now_ms};
use crate::event::Observer;

/// No request has a longer body, in bytes. An event has a few hundred.
const LARGEST_BODY: usize = 64 * 1024;

/// How long a client may take for the body of a request.
const TO_SEND: Duration = Duration::from_secs(5);

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
        Self { keys, events, alarm: Alarm::new(observer) }
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

    async fn answered(&self, call: &mut Call) -> Answered {
        match call.method {
            // Whoever looks whether the address can be reached.
            Method::GET if call.query.is_empty() => {
                Answered::new(StatusCode::OK, "wecom-alert listens here for WeCom\n")
            }
            Method::GET => self.verify(&call.query),
            Method::POST => match call.body(LARGEST_BODY, TO_SEND).await {
                Ok(body) => self.take(&call.query, &body).await,
                Err(answered) => answered,
            },
            _ => Answered::only("GET, POST"),
        }
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
                self.alarm.detail(format!("listen: an event of another kind came: {name}"));
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

impl Answering for Gate {
    fn answer<'c>(&'c self, call: &'c mut Call) -> Pin<Box<dyn Future<Output = Answered> + Send + 'c>> {
        Box::pin(self.answered(call))
    }
}
