//! What the handles and the task of a connection share: the requests under way, how far each came, and why the connection
//! ended.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Notify, oneshot};

use super::PING;
use super::frame;
use crate::api::envelope::HttpAnswer;
use crate::api::failure::judge;
use crate::api::{CallError, Client, Limit, Reply};
use crate::clock::brief;

/// What the handles and the task of a connection share.
pub(super) struct ConnectionLine {
    pub(super) client: Client,
    state: Mutex<LineState>,
    /// Tells that a `req_id` came free, or that the connection has ended.
    pub(super) freed: Notify,
    /// Tells the task to close the connection.
    pub(super) closing: Notify,
    /// How long a request may go without an answer.
    patience: Duration,
}

#[derive(Default)]
pub(super) struct LineState {
    /// The requests under way by their `req_id`.
    waiting: HashMap<String, WaitingRequest>,
    pub(super) is_subscribed: bool,
    /// Whether a frame came since the last heartbeat.
    pub(super) has_heard: bool,
    /// When a request was answered last.
    answered: Option<Instant>,
    /// Whether another connection has taken the bot over.
    pub(super) is_kicked: bool,
    /// Whether requests got no answer.
    pub(super) is_unanswered: bool,
    /// Why the connection takes no more requests.
    pub(super) end: Option<String>,
}

/// A request under way.
struct WaitingRequest {
    stage: Stage,
    /// Takes the answer; `None` where nobody waits any longer.
    answer: Option<oneshot::Sender<Vec<u8>>>,
}

/// How far the frame of a request came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// Not begun: it can be taken back.
    Queued,
    /// Begun. It is lost if the connection ends now, but not if the line is slow.
    Begun,
    /// Handed to the system whole, at that time.
    Written(Instant),
}

/// The place of a request among those under way, until it is dropped.
pub(super) struct RequestPlace<'a> {
    line: &'a ConnectionLine,
    req_id: &'a str,
    /// Whether the `req_id` is that of an event, which may be answered again.
    is_shared: bool,
    pub(super) answer: oneshot::Receiver<Vec<u8>>,
}

impl ConnectionLine {
    pub(super) fn new(client: Client, patience: Duration) -> Self {
        Self { client, state: Mutex::default(), freed: Notify::new(), closing: Notify::new(), patience }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, LineState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn host(&self) -> String {
        self.client.peer("").host()
    }

    /// One line of detail about this connection, without secrets.
    pub(super) fn detail(&self, what: &str) {
        let url = self.client.options.base_url.as_str();
        let address = url.strip_prefix("http").unwrap_or(url);
        self.client.observer.detail(self.client.mask.apply(&format!("ws{address} {what}")));
    }

    /// A place for a request, as soon as no other one is under way under the same `req_id`.
    pub(super) async fn place<'a>(&'a self, req_id: &'a str, is_shared: bool) -> Result<RequestPlace<'a>, CallError> {
        loop {
            let mut freed = std::pin::pin!(self.freed.notified());
            freed.as_mut().enable();
            {
                let mut state = self.state();
                if let Some(why) = &state.end {
                    return Err(self.no_connection(why));
                }
                if !state.waiting.contains_key(req_id) {
                    let (sender, answer) = oneshot::channel();
                    let waiting = WaitingRequest { stage: Stage::Queued, answer: Some(sender) };
                    state.waiting.insert(req_id.to_owned(), waiting);
                    return Ok(RequestPlace { line: self, req_id, is_shared, answer });
                }
            }
            freed.await;
        }
    }

    /// Whether the frame of a request is still wanted; from now on it may go out.
    pub(super) fn begin(&self, req_id: &str) -> bool {
        match self.state().waiting.get_mut(req_id) {
            Some(waiting) if waiting.answer.is_some() => {
                waiting.stage = Stage::Begun;
                true
            }
            _ => false,
        }
    }

    pub(super) fn written(&self, req_id: &str) {
        if let Some(waiting) = self.state().waiting.get_mut(req_id) {
            waiting.stage = Stage::Written(Instant::now());
        }
    }

    /// Whether a frame was begun whose request counts on it not going out any more.
    pub(super) fn has_begun(&self) -> bool {
        self.state().waiting.values().any(|waiting| waiting.answer.is_some() && waiting.stage == Stage::Begun)
    }

    pub(super) fn is_awaited(&self) -> bool {
        self.state()
            .waiting
            .values()
            .any(|waiting| waiting.answer.is_some() && matches!(waiting.stage, Stage::Written(_)))
    }

    /// Takes an answer.
    pub(super) fn answered(&self, req_id: Option<String>, bytes: Vec<u8>) {
        let mut state = self.state();
        // A refused subscription may name no request: no other one is under way then.
        let req_id = match req_id {
            None if !state.is_subscribed => state.waiting.keys().next().cloned(),
            req_id => req_id,
        };
        let waiting = req_id.as_ref().and_then(|req_id| state.waiting.get_mut(req_id));
        // The place stays until its owner leaves it, or is free now where nobody waits.
        let sender = waiting.map(|waiting| waiting.answer.take());
        if let (Some(None), Some(req_id)) = (&sender, &req_id) {
            state.waiting.remove(req_id);
        }
        if sender.is_some() {
            state.answered = Some(Instant::now());
        }
        drop(state);
        match sender {
            Some(Some(sender)) => drop(sender.send(bytes)),
            Some(None) => self.freed.notify_waiters(),
            None if req_id.as_ref().is_some_and(|req_id| req_id.starts_with(PING)) => {}
            None => self.detail("an answer to nothing that waits for one"),
        }
    }

    /// The connection takes no more requests.
    pub(super) fn set_end(&self, why: &str) {
        let mut state = self.state();
        state.end.get_or_insert_with(|| why.to_owned());
        drop(state);
        self.freed.notify_waiters();
    }

    /// Ends the connection if a request whose time is over, at that stage, was long enough without an answer.
    pub(super) fn doubt(&self, stage: Stage) {
        let Stage::Written(at) = stage else { return };
        let is_dead = at.elapsed() >= self.patience && self.state().answered.is_none_or(|answered| answered < at);
        if is_dead {
            self.state().is_unanswered = true;
            self.set_end(&format!("the server has answered no request for {}", brief(at.elapsed())));
            self.closing.notify_one();
        }
    }

    /// Nobody gets an answer any more.
    pub(super) fn give_up(&self) {
        for waiting in self.state().waiting.values_mut() {
            waiting.answer = None;
        }
    }

    pub(super) fn judged(&self, bytes: &[u8]) -> Result<Reply, CallError> {
        let answer = HttpAnswer { status: 200, ..HttpAnswer::default() };
        let judged = judge(&answer, bytes, &["errmsg", "body", "headers"], &self.client.peer(""), &self.client.mask);
        match judged {
            Ok(reply) => Ok(frame::with_body_fields(reply)),
            Err(CallError::Rejected(reply)) => Err(CallError::Rejected(frame::with_body_fields(reply))),
            Err(error) => Err(error),
        }
    }

    fn no_connection(&self, why: &str) -> CallError {
        CallError::Unreached { what: format!("no connection to {}: {why}", self.host()), limit: None, refused_by: None }
    }

    /// The failure of a request that was at that stage when the connection ended.
    pub(super) fn ended(&self, stage: Stage) -> CallError {
        let why = self.state().end.clone().unwrap_or_default();
        match stage {
            // Of a frame that was begun a part is missing: nobody can read it.
            Stage::Queued | Stage::Begun => self.no_connection(&why),
            Stage::Written(_) => {
                let what = format!("the request went out to {}, but no answer came: {why}", self.host());
                CallError::Silent { what, limit: None }
            }
        }
    }

    /// The failure of a request whose time was over at that stage.
    pub(super) fn too_late(&self, stage: Stage, began: Instant) -> CallError {
        let is_deadline = Instant::now() >= self.client.options.deadline;
        let limit = Some(if is_deadline { Limit::Deadline } else { Limit::Timeout });
        let when =
            if is_deadline { "before the deadline".to_owned() } else { format!("within {}", brief(began.elapsed())) };
        let host = self.host();
        match stage {
            Stage::Queued => {
                let what = format!("the request could not go out to {host} {when}");
                CallError::Unreached { what, limit, refused_by: None }
            }
            Stage::Begun | Stage::Written(_) => {
                CallError::Silent { what: format!("the request went out to {host}, but no answer came {when}"), limit }
            }
        }
    }
}

impl RequestPlace<'_> {
    pub(super) fn stage(&self) -> Stage {
        self.line.state().waiting.get(self.req_id).map_or(Stage::Queued, |waiting| waiting.stage)
    }
}

impl Drop for RequestPlace<'_> {
    fn drop(&mut self) {
        let mut state = self.line.state();
        let Some(waiting) = state.waiting.get_mut(self.req_id) else { return };
        // An answer that is still to come must not be taken for that to the next frame under the same `req_id`.
        let is_answered = waiting.answer.take().is_none();
        if self.is_shared && !is_answered && waiting.stage != Stage::Queued {
            return;
        }
        state.waiting.remove(self.req_id);
        drop(state);
        self.line.freed.notify_waiters();
    }
}
