//! Messages and files for a channel: `message/send` and `media/upload` of an app, `webhook/send` and
//! `webhook/upload_media` (document paths 90236, 90253 and 99110).

use std::io::{self, Read};

use bytes::Bytes;
use futures_util::{Stream, stream};
use reqwest::header::CONTENT_TYPE;
use reqwest::multipart::{Form, Part};
use reqwest::{Body, Method, RequestBuilder};

use super::progress::RequestProgress;
use super::{CallError, Client, Reply, Target, endpoint};
use crate::blocking::off_loop;
use crate::channel::{Channel, CredentialKind};
use crate::error::{Answer, Error};
use crate::event::{Event, Observer};
use crate::input::Attachment;
use crate::message::media::{self, MediaKind};
use crate::secret::Secret;

/// How much is read and handed over at once, in bytes.
const CHUNK: usize = 64 * 1024;

/// What an upload brought.
#[derive(Debug, Clone)]
pub(crate) struct Uploaded {
    /// Valid for 3 days: an app's for all apps of the corp, a webhook's for that webhook alone.
    pub(crate) media_id: String,
    /// The kind as WeCom names it.
    pub(crate) kind: String,
    /// Unix time in digits, as WeCom gives it.
    pub(crate) created_at: Option<String>,
    /// What WeCom said with it.
    pub(crate) answer: Answer,
}

impl Client {
    /// Sends a message: `body` is the whole JSON, as bytes, so that a repetition is the same to the byte.
    ///
    /// An app's reply with `errcode` 0 can still list recipients who did not get it. A webhook takes 20 messages a minute,
    /// and answers 93000 to a wrong key.
    pub(crate) async fn send(&self, channel: Channel, credential: &Secret, body: Bytes) -> Result<Reply, CallError> {
        let path = endpoint(channel.facts().send_path);
        let query = vec![(credential_parameter(channel), credential.expose())];
        let target = Target { method: Method::POST, path: &path, query };
        let fill = |request: RequestBuilder| {
            Ok(request.header(CONTENT_TYPE, "application/json; charset=utf-8").body(body.clone()))
        };
        self.exchange(&target, &RequestProgress::default(), &fill).await
    }

    /// Uploads a file for the messages of a channel. A webhook knows the kinds `file` and `voice` alone.
    pub(crate) async fn upload(
        &self,
        channel: Channel,
        credential: &Secret,
        kind: MediaKind,
        file: &Attachment,
    ) -> Result<Uploaded, CallError> {
        let progress = RequestProgress::default();
        let path = endpoint(channel.facts().upload_path);
        let query = vec![(credential_parameter(channel), credential.expose()), ("type", kind.as_str())];
        let target = Target { method: Method::POST, path: &path, query };
        let fill = |request: RequestBuilder| {
            let part = part(file, &progress, &self.listener)?;
            Ok(request.multipart(Form::new().part("media", part)))
        };
        let reply = self.exchange(&target, &progress, &fill).await?;
        let Some(media_id) = reply.text("media_id") else {
            let from = self.peer(&path).endpoint();
            return Err(CallError::Foreign(format!("the answer of {from} holds no media_id")));
        };
        let kind = reply.text("type").unwrap_or_else(|| kind.as_str().to_owned());
        Ok(Uploaded { media_id, kind, created_at: reply.text("created_at"), answer: reply.answer })
    }
}

/// What the credential is called in the query.
fn credential_parameter(channel: Channel) -> &'static str {
    match channel.facts().credential {
        CredentialKind::AppToken => "access_token",
        CredentialKind::WebhookKey => "key",
    }
}

/// The one part of the form. Its name goes raw into `filename="…"`: WeCom does not understand `filename*=`.
fn part(file: &Attachment, progress: &RequestProgress, listener: &Observer) -> Result<Part, CallError> {
    let filename = media::wire_filename(file.name());
    let size = file.size();
    let watch = Watch { progress: progress.clone(), listener: listener.clone(), name: filename.clone(), total: size };
    let body = Body::wrap_stream(chunks(file.reader(), watch));
    Part::stream_with_length(body, size)
        .file_name(filename)
        .mime_str(media::mime(media::sniff(file.head())))
        .map_err(|_| CallError::Setup(Error::defect("a media type of this program is malformed")))
}

struct Watch {
    progress: RequestProgress,
    listener: Observer,
    name: String,
    total: u64,
}

/// The file in chunks, each read off the event loop, so that a slow disk holds up neither time limits nor signals.
fn chunks(reader: impl Read + Send + 'static, watch: Watch) -> impl Stream<Item = io::Result<Bytes>> + Send {
    stream::try_unfold((reader, watch), |(mut reader, watch)| async move {
        let read = move || {
            let mut chunk = vec![0; CHUNK];
            let length = reader.read(&mut chunk)?;
            chunk.truncate(length);
            Ok::<_, io::Error>((reader, chunk))
        };
        let (reader, chunk) = match off_loop(read).await.map_err(|error| io::Error::other(error.to_string()))? {
            Ok(read) => read,
            Err(error) => {
                watch.progress.fail(unreadable(&watch.name, &error));
                return Err(error);
            }
        };
        if chunk.is_empty() {
            return Ok(None);
        }
        let sent = watch.progress.add(chunk.len() as u64);
        watch.listener.tell(Event::Upload { name: &watch.name, sent, total: watch.total });
        Ok(Some((Bytes::from(chunk), (reader, watch))))
    })
}

fn unreadable(name: &str, error: &io::Error) -> Error {
    Error::config(
        format!("{name} could not be read to its end: {error}"),
        "nothing was sent; upload the file again when nobody writes to it",
    )
}
