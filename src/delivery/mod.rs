//! Delivers one message to one target: sends its parts in order, uploads files where needed, and records the result of
//! each part.

mod account;
mod conversation;
mod courier;
mod delayed;
mod failure;
mod outcome;
mod product;
mod retry;
pub(crate) mod split;
mod summary;

use std::borrow::Cow;
use std::io;

use base64::engine::general_purpose::STANDARD;
use base64::write::EncoderWriter;
use bytes::Bytes;
use serde_json::Value;

pub(crate) use account::Account;
pub use account::Accounts;
pub(crate) use courier::{Courier, Credential, explain_connection};
pub(crate) use delayed::{DelayMark, prefixed};
pub(crate) use failure::Purpose;
pub use outcome::{Outcome, Receipt, Shortfall, UnreachedRecipients};
pub use product::{
    AskedQuestion, AskedStep, Check, CheckStatus, CodeKind, Explanation, GivenAnswer, GroupChat, ListedEntry, Listing,
    PlannedRequest, PreviewFinding, PreviewPage, Product, ShownEntry, ShownPart, TagMember, TagMemberKind,
};
pub(crate) use retry::RetryPolicy;
pub use summary::interrupted;

use crate::aibot::Conversations;
use crate::api::errcode::{self, HintContext};
use crate::api::{CallError, Reply};
use crate::blocking::{Work, off_loop};
use crate::cards::{NewCard, pressable_card};
use crate::channel::{Addressing, Channel, MsgType};
use crate::error::{Answer, Error, Result, Status};
use crate::input::Attachment;
use crate::message::webhook::Image;
use crate::message::{Part, PartKind, PartState, body_of, recipients};
use crate::rate_limit::Bucket;
use conversation::{NOT_OPEN_OR_LIMIT, conversation_of, not_open};
use failure::{FailedRequest, without_permit};

impl Courier {
    /// Sends a message, part by part, and goes on where `account` says that it stopped before. `mark` leads the first
    /// message that is still to be sent.
    ///
    /// A part that WeCom refuses is skipped. Any other failure ends the delivery: the rest would fail in the same way, or
    /// arrive out of order.
    pub(crate) async fn send(&mut self, parts: &[Part], account: &mut Account, mark: Option<&DelayMark>) -> Outcome {
        account.expect(parts);
        self.send_rest(parts, account, mark).await
    }

    /// Sends those parts that `account` knows as not sent.
    pub(crate) fn send_rest<'w>(
        &'w mut self,
        parts: &'w [Part],
        account: &'w mut Account,
        mut mark: Option<&'w DelayMark>,
    ) -> Work<'w, Outcome> {
        Box::pin(async move {
            if let Some(state) = &self.shared_state {
                state.begin_message();
            }
            for (index, part) in parts.iter().enumerate() {
                let Some(taken) = account.taken(index) else { continue };
                let mark = if part.kind == PartKind::Message { mark.take() } else { None };
                self.send_part(index, part, taken, mark, account).await;
                account.close(index);
                if account.is_stopped() {
                    break;
                }
            }
            account.outcome()
        })
    }

    /// Sends the calls of a part that WeCom has not taken yet. The recipients of a call that was taken earlier got all of it;
    /// those of the others got nothing.
    async fn send_part(
        &mut self,
        index: usize,
        part: &Part,
        taken: usize,
        mark: Option<&DelayMark>,
        account: &mut Account,
    ) {
        let calls = part.count_calls();
        let mut media_id = None;
        for number in taken..calls {
            let mut is_taken = true;
            let body = part.call(number);
            let bodies = match mark {
                Some(mark) => mark.messages_for(body.into_owned(), self.channel).into_iter().map(Cow::Owned).collect(),
                None => vec![body],
            };
            let last = bodies.len().saturating_sub(1);
            for (position, body) in bodies.into_iter().enumerate() {
                // The message that says that it is delayed goes ahead of the file.
                let message = if position < last {
                    Ok(Message::of(body))
                } else {
                    self.with_file(part, body, &mut media_id).await
                };
                let message = match message {
                    Ok(message) => message,
                    Err(failed) => return account.failed(index, failed),
                };
                match self.send_message(&message, index, account).await {
                    Ok(reply) => {
                        account.arrived(index, &reply, &message.body);
                        self.keep_card(&message.body, reply.text("response_code"), account).await;
                    }
                    Err(failed)
                        if failed.error.status() == Status::Refused && is_for_one(&message.body, self.channel) =>
                    {
                        // It says nothing about the other conversations.
                        account.refused_by(index, &message.body, failed);
                    }
                    Err(failed) => {
                        is_taken = false;
                        if failed.may_have_arrived {
                            self.keep_card(&message.body, None, account).await;
                        }
                        account.failed(index, failed);
                    }
                }
                if account.is_stopped() {
                    return;
                }
            }
            if is_taken {
                account.count_call(index, number);
            }
            account.settle(index, calls).await;
        }
        account.judge_refusals(index, taken);
    }

    /// Keeps a card that WeCom has taken, or may have, so that a press on it is understood, and it can be changed by its task id.
    async fn keep_card(&mut self, body: &Value, response_code: Option<String>, account: &Account) {
        if let (Some(cards), Some(data), Some((task_id, card))) =
            (&self.cards, account.card_data(), pressable_card(body))
        {
            let (channel, profile) = (self.channel, account.profile());
            let new = NewCard { channel, profile, card: card.clone(), data: data.clone(), response_code };
            if let Err(error) = Box::pin(cards.card(task_id).remember(new)).await {
                self.warnings.push(format!(
                    "the card {task_id} is not kept, so a handler of presses on it does not get what it was made of, and \
                     update-card --task-id does not know it: {error}"
                ));
            }
        }
    }

    async fn send_message(
        &mut self,
        message: &Message<'_>,
        part: usize,
        account: &mut Account,
    ) -> Result<Reply, FailedRequest> {
        let (channel, period) = (self.channel, self.period);
        let (may_wait, level) = (self.policy.wait_for_rate, self.policy.level);
        let (limiter, buckets, until) =
            (self.limiter.clone(), buckets(&message.body, channel), self.client.options.deadline);
        let endpoint = channel.facts().send_path;
        let known = match &self.credential {
            Credential::Aibot(_, known) => Some(known.clone()),
            Credential::App(_) | Credential::Webhook(_) => None,
        };
        let sent = self.call(endpoint, Purpose::Send, async |way| {
            let mut permit = limiter.take(&buckets, level, may_wait, until).await.map_err(without_permit)?;
            account.begin(part).await;
            let mut sent = permit.during(way.send(channel, &message.body, message.bytes.clone())).await;
            if let Err(failure) = &sent {
                if failure.is_before_the_request() || failure.refusal().is_some() {
                    account.end(part).await;
                } else if !matches!(failure, CallError::Silent { .. }) {
                    account.set_state(part, PartState::Pending);
                }
                if let Some(known) = &known
                    && let Some(unopened) = Box::pin(unopened(known, failure, &message.body)).await
                {
                    sent = Err(unopened);
                } else if failure.is_before_the_request() {
                    permit.give_back().await;
                } else if let Some(Reply { answer, .. }) = failure.refusal()
                    && let Some(pause) = errcode::blocked_for(
                        answer.errcode,
                        &HintContext { endpoint, period, ..HintContext::default() },
                    )
                {
                    match known {
                        // The limit is that of the conversation, and the others may go on.
                        Some(_) => Box::pin(limiter.exhaust(&buckets, pause, until)).await,
                        None => limiter.block(pause, until).await,
                    }
                }
            }
            sent
        });
        let sent =
            sent.await.map_err(|failed| FailedRequest { error: naming_chat(failed.error, &message.body), ..failed });
        match known {
            Some(known) => Box::pin(about_conversation(sent, &known, &message.body)).await,
            None => sent,
        }
    }

    /// Fills the file of a part into the body that carries it: as the id of its one upload, or as base64.
    async fn with_file<'p>(
        &mut self,
        part: &Part,
        mut body: Cow<'p, Value>,
        media_id: &mut Option<String>,
    ) -> Result<Message<'p>, FailedRequest> {
        match &part.file {
            Some((_, picture)) if part.is_inline() => {
                let bytes = encoded(picture.clone())
                    .await
                    .map_err(|error| FailedRequest { may_be_its_own: true, ..FailedRequest::before_request(error) })?;
                return Ok(Message { body, bytes });
            }
            Some((kind, file)) => {
                let id = match media_id {
                    Some(id) => &*id,
                    None => media_id.insert(self.upload(*kind, file).await?.media_id),
                };
                let msgtype = body.get("msgtype").and_then(Value::as_str).unwrap_or_default().to_owned();
                if body.get(&msgtype).and_then(|content| content.get("media_id")).is_some() {
                    body.to_mut()[&msgtype]["media_id"] = Value::from(id.as_str());
                }
            }
            None => {}
        }
        Ok(Message::of(body))
    }
}

/// Whether a body is for one of several conversations, each of which answers for itself.
fn is_for_one(body: &Value, channel: Channel) -> bool {
    conversation_of(body, channel).is_some()
}

/// The failure of a conversation that never took a message: it would not take another one either.
async fn unopened(known: &Conversations, failure: &CallError, body: &Value) -> Option<CallError> {
    let reply = failure.refusal().filter(|reply| reply.answer.errcode == NOT_OPEN_OR_LIMIT)?;
    let chatid = body.get("chatid").and_then(Value::as_str).unwrap_or_default();
    known.never_took(chatid).await.then(|| CallError::Config(not_open(reply, body)))
}

/// Notes that a conversation takes messages, or says what to do where it does not.
async fn about_conversation(
    sent: Result<Reply, FailedRequest>,
    known: &Conversations,
    body: &Value,
) -> Result<Reply, FailedRequest> {
    match sent {
        Ok(reply) => {
            known.note(body.get("chatid").and_then(Value::as_str).unwrap_or_default()).await;
            Ok(reply)
        }
        // A card has its id for itself: that it is in use says that an earlier attempt has arrived.
        Err(failed)
            if failed.may_have_arrived && failed.error.answer().is_some_and(|a| a.errcode == TASK_ID_IN_USE) =>
        {
            let answer = Answer { errcode: 0, errmsg: "the card was taken by an attempt before this one".to_owned() };
            Ok(Reply { answer, fields: serde_json::Map::new() })
        }
        Err(mut failed) => {
            if let Some(hint) = conversation::hint_for(&failed.error, body) {
                failed.error = failed.error.with_hint(hint);
            }
            Err(failed)
        }
    }
}

/// A body, and the bytes that it is made into once: a repetition must be the same to the byte.
struct Message<'p> {
    body: Cow<'p, Value>,
    bytes: Bytes,
}

impl<'p> Message<'p> {
    fn of(body: Cow<'p, Value>) -> Self {
        let bytes = body.to_string().into();
        Self { body, bytes }
    }
}

/// The errcodes for a chat that is invalid, does not exist, is another app's, or may not be written to (document path 90313).
const CHAT_REFUSALS: [i64; 5] = [86001, 86003, 86008, 86217, 93006];

/// The errcode for a task id that an aibot has used before, or that is none (document path 90313).
const TASK_ID_IN_USE: i64 = 846_625;

/// The placeholder in the body that the picture replaces.
const PICTURE: &str = "BASE64_OF_THE_PICTURE";

/// More bytes than there are around the picture in its body.
const FRAME: usize = 256;

/// The body of a picture, encoded off the event loop, for it is large.
async fn encoded(picture: Attachment) -> Result<Bytes> {
    let encoded_size = usize::try_from(picture.size).unwrap_or_default().div_ceil(3) * 4;
    // Allocated here: the memory of a thread that has ended its work is not given back to others.
    let room = Vec::with_capacity(encoded_size + FRAME);
    let bytes = off_loop(move || with_picture(&picture, room)).await?.map_err(|error| {
        Error::config(format!("the picture could not be read: {error}"), "send it when nothing writes to it")
    })?;
    Ok(bytes.into())
}

/// Writes the body of a picture, piece by piece.
fn with_picture(picture: &Attachment, mut bytes: Vec<u8>) -> io::Result<Vec<u8>> {
    let md5 = Image::md5_of(picture.reader())?;
    let body = body_of(MsgType::Image, &Image { base64: PICTURE.to_owned(), md5 }).to_string();
    let (before, behind) = body.split_once(PICTURE).unwrap_or((&body, ""));
    bytes.extend_from_slice(before.as_bytes());
    let mut encoder = EncoderWriter::new(&mut bytes, &STANDARD);
    io::copy(&mut picture.reader(), &mut encoder)?;
    encoder.finish()?;
    drop(encoder);
    bytes.extend_from_slice(behind.as_bytes());
    Ok(bytes)
}

/// Names the chat that WeCom refuses: its id may come from a profile that nobody has in view.
fn naming_chat(error: Error, body: &Value) -> Error {
    let is_about_it = error.answer().is_some_and(|answer| CHAT_REFUSALS.contains(&answer.errcode));
    match body.get("chatid").and_then(Value::as_str).filter(|_| is_about_it) {
        Some(chatid) => {
            let message = format!("{}; the chatid is {chatid:?}", error.message());
            error.with_message(message)
        }
        None => error,
    }
}

/// The buckets of the rate limit that a call needs a permit in.
fn buckets(body: &Value, channel: Channel) -> Vec<Bucket> {
    match channel.facts().addressing {
        Addressing::Recipients => recipients(body).map(|(kind, id)| Bucket::of(kind, id)).collect(),
        Addressing::Credential => vec![Bucket::GROUP],
        Addressing::Chat | Addressing::Conversation => {
            vec![Bucket::of_chat(body.get("chatid").and_then(Value::as_str).unwrap_or_default())]
        }
    }
}
