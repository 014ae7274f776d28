//! A message on its way: its parts in order, each uploaded where that is needed, sent, and kept account of.

use std::borrow::Cow;
use std::io::{self, Read};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::Value;

use super::account::Account;
use super::courier::Courier;
use super::explain::Purpose;
use super::failed::{Failed, Trouble};
use super::late::Mark;
use super::outcome::Outcome;
use crate::api::errcode::{self, HintContext};
use crate::api::{CallError, Reply};
use crate::blocking::off_loop;
use crate::channel::{Addressing, Channel, MsgType};
use crate::error::{Error, Result};
use crate::input::Attachment;
use crate::message::webhook::Image;
use crate::message::{Part, PartKind, body_of, recipients};
use crate::rate_limit::Bucket;

impl Courier {
    /// Sends a message, part by part, and goes on where `account` says that it stopped before. `mark` leads the first
    /// message that is still to be sent.
    ///
    /// A part that WeCom refuses is passed over. Any other failure ends it, since the rest would fare no better, and what
    /// is left would arrive out of order.
    pub(crate) async fn send(&mut self, parts: &[Part], account: &mut Account, mark: Option<&Mark>) -> Outcome {
        account.expect(parts);
        let mut mark = mark;
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
    }

    /// Whoever had a call of it before it was late got all of it; nobody else got anything of it.
    async fn send_part(&mut self, index: usize, part: &Part, taken: usize, mark: Option<&Mark>, account: &mut Account) {
        let calls = part.count_calls();
        let mut ready = None;
        for number in taken..calls {
            let mut is_taken = true;
            let body = part.call(number);
            let messages = match mark {
                Some(mark) => mark.before(body.into_owned(), self.channel).into_iter().map(Cow::Owned).collect(),
                None => vec![body],
            };
            let last = messages.len().saturating_sub(1);
            for (position, message) in messages.into_iter().enumerate() {
                // What says that the message is late goes ahead of its file.
                let file = match &ready {
                    _ if position < last => &File::None,
                    Some(file) => file,
                    None => match self.prepare_file(part).await {
                        Ok(file) => ready.insert(file),
                        Err(failed) => return account.failed(index, failed),
                    },
                };
                let sent = match file.fill_in(message).await {
                    Ok(message) => self.send_message(&message, index, account).await.map(|reply| (reply, message.body)),
                    Err(error) => Err(Failed::before(error)),
                };
                match sent {
                    Ok((reply, body)) => account.arrived(index, &reply, &body),
                    Err(failed) => {
                        is_taken = false;
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
    }

    async fn send_message(
        &mut self,
        message: &Message<'_>,
        part: usize,
        account: &mut Account,
    ) -> Result<Reply, Failed> {
        let (channel, period, may_wait) = (self.channel, self.period, self.policy.wait_for_rate);
        let (limiter, buckets, until) = (self.limiter.clone(), buckets(&message.body, channel), self.client.deadline());
        let endpoint = channel.facts().send_path;
        self.call(endpoint, Purpose::Send, async |client, credential| {
            let mut permit = limiter.take(&buckets, may_wait, until).await.map_err(Trouble::Rate)?;
            account.begin(part).await;
            let sent = permit.during(client.send(channel, credential, message.bytes.clone())).await;
            if let Err(failure) = &sent {
                if failure.is_before_the_request() || failure.answer().is_some() {
                    account.end(part).await;
                } else if !matches!(failure, CallError::Silent { .. }) {
                    account.answered(part);
                }
                if failure.is_before_the_request() {
                    permit.give_back().await;
                } else if let Some(pause) = block_of(failure, endpoint, period) {
                    limiter.block(pause, until).await;
                }
            }
            Ok(sent?)
        })
        .await
    }

    async fn prepare_file<'p>(&mut self, part: &'p Part) -> Result<File<'p>, Failed> {
        match &part.file {
            None => Ok(File::None),
            Some((_, picture)) if part.is_inline() => Ok(File::Inline(picture)),
            Some((kind, file)) => Ok(File::Uploaded(self.upload_file(*kind, file).await?.media_id)),
        }
    }
}

/// The file of a part, as far as it is ready.
enum File<'p> {
    None,
    /// By the id of its upload.
    Uploaded(String),
    /// A picture that stands in the body.
    Inline(&'p Attachment),
}

/// A body, and the bytes that it is made into once: a repetition must be the same to the byte.
struct Message<'p> {
    body: Cow<'p, Value>,
    bytes: Bytes,
}

/// Stands where the picture is put in.
const PICTURE: &str = "BASE64_OF_THE_PICTURE";

/// More bytes than stand around it.
const FRAME: usize = 256;

/// So many bytes of a picture are encoded at a time; a multiple of 3.
const CHUNK: usize = 48 * 1024;

impl File<'_> {
    /// Fills it in where the message is about it.
    async fn fill_in<'p>(&self, mut body: Cow<'p, Value>) -> Result<Message<'p>> {
        let msgtype = body.get("msgtype").and_then(Value::as_str).unwrap_or_default().to_owned();
        let content = |body: &'_ mut Cow<'p, Value>, key: &str, value: &str| {
            // A line of ours that leads it has no such field.
            if body.get(&msgtype).and_then(|content| content.get(key)).is_some() {
                body.to_mut()[&msgtype][key] = Value::from(value);
            }
        };
        match self {
            Self::Uploaded(media_id) => content(&mut body, "media_id", media_id),
            Self::Inline(picture) if msgtype == MsgType::Image.as_str() => {
                let picture = (*picture).clone();
                // Taken here: the memory of a thread that has ended its work is not given back to others.
                let room = Vec::with_capacity(encoded_size(&picture) + FRAME);
                let (bytes, filled) = off_loop(move || with_picture(&picture, room)).await?.map_err(|error| {
                    Error::config(
                        format!("the picture could not be read: {error}"),
                        "send it when nothing writes to it",
                    )
                })?;
                return Ok(Message { body: Cow::Owned(filled), bytes: bytes.into() });
            }
            Self::Inline(_) | Self::None => {}
        }
        let bytes = serde_json::to_vec(&*body);
        let bytes = bytes.map_err(|error| Error::defect(format!("the body cannot be written: {error}")))?;
        Ok(Message { body, bytes: bytes.into() })
    }
}

/// How many bytes a picture has as base64.
fn encoded_size(picture: &Attachment) -> usize {
    usize::try_from(picture.size()).unwrap_or_default().div_ceil(3) * 4
}

/// The body of a picture, with it and without it. It is encoded piece by piece, for it is large.
fn with_picture(picture: &Attachment, mut bytes: Vec<u8>) -> io::Result<(Vec<u8>, Value)> {
    let md5 = Image::md5_of(picture.reader())?;
    let body = body_of(MsgType::Image, &Image { base64: PICTURE.to_owned(), md5 });
    let text = body.to_string();
    let (before, behind) = text.split_once(PICTURE).unwrap_or((&text, ""));
    bytes.extend_from_slice(before.as_bytes());
    let (mut reader, mut piece, mut encoded) = (picture.reader(), Vec::with_capacity(CHUNK), String::new());
    while reader.by_ref().take(CHUNK as u64).read_to_end(&mut piece)? > 0 {
        STANDARD.encode_string(&piece, &mut encoded);
        bytes.extend_from_slice(encoded.as_bytes());
        piece.clear();
        encoded.clear();
    }
    bytes.extend_from_slice(behind.as_bytes());
    Ok((bytes, body))
}

/// The buckets of the rate limit that a call needs a permit in.
fn buckets(body: &Value, channel: Channel) -> Vec<Bucket> {
    match channel.facts().addressing {
        Addressing::Recipients => recipients(body).map(|(kind, id)| Bucket::of(kind, id)).collect(),
        Addressing::Credential => vec![Bucket::GROUP],
    }
}

/// How long a refusal keeps everybody on this machine from sending, if it is one of that kind.
fn block_of(failure: &CallError, endpoint: &str, period: Option<Duration>) -> Option<Duration> {
    let context = HintContext { endpoint, period, ..HintContext::default() };
    failure.answer().and_then(|answer| errcode::blocked_for(answer.errcode, &context))
}
