//! Uploads over an aibot's connection: `init`, chunks in base64, `finish` (document path 101463).

use std::io::Read;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::api::{CallError, Reply, Uploaded};
use crate::blocking::off_loop;
use crate::error::Error;
use crate::event::{Event, Observer};
use crate::input::Attachment;
use crate::message::media::{self, MediaKind};
use crate::message::webhook::Image;

const INIT: &str = "aibot_upload_media_init";
const CHUNK: &str = "aibot_upload_media_chunk";
const FINISH: &str = "aibot_upload_media_finish";

/// The most bytes of a chunk before base64.
const LARGEST_CHUNK: u64 = 512 * 1024;

/// Each chunk has its answer within the timeout, so those of small files are smaller than they might be: a slow line
/// carries them too.
const SMALLEST_CHUNK: u64 = 128 * 1024;

/// The most chunks of an upload.
const MOST_CHUNKS: u64 = 100;

/// Uploads a file by requests that `request` makes: it is given the `cmd` and the body, and may repeat a request or make it
/// over another connection, since chunks may come twice and in any order.
///
/// # Errors
///
/// 846697 for a type of file that is not supported; [`CallError::Setup`] for a file that cannot be read or is over
/// 50 MB.
pub(crate) async fn upload_aibot(
    mut request: impl AsyncFnMut(&'static str, Value) -> Result<Reply, CallError>,
    kind: MediaKind,
    file: &Attachment,
    observer: &Observer,
) -> Result<Uploaded, CallError> {
    let name = media::wire_filename(&file.name);
    let total = file.size;
    let unreadable = |error: std::io::Error| {
        let hint = "nothing was sent; upload the file again when nobody writes to it";
        CallError::Setup(Error::config(format!("{name} could not be read to its end: {error}"), hint))
    };
    let reader = file.reader();
    let md5 = off_loop(move || Image::md5_of(reader)).await.map_err(CallError::Setup)?.map_err(unreadable)?;
    let chunk_size = total.div_ceil(MOST_CHUNKS).clamp(SMALLEST_CHUNK, LARGEST_CHUNK);
    let init = json!({
        "type": kind.as_str(),
        "filename": name,
        "total_size": total,
        "total_chunks": total.div_ceil(chunk_size),
        "md5": md5,
    });
    let reply = request(INIT, init).await?;
    let upload_id = field(&reply, INIT, "upload_id")?;
    let mut reader = file.reader();
    let mut sent = 0;
    for chunk_index in 0..total.div_ceil(chunk_size) {
        let length = chunk_size.min(total - sent);
        let read = move || {
            let mut chunk = vec![0; length as usize];
            reader.read_exact(&mut chunk)?;
            Ok::<_, std::io::Error>((reader, STANDARD.encode(chunk)))
        };
        let (rest, base64_data) = off_loop(read).await.map_err(CallError::Setup)?.map_err(unreadable)?;
        reader = rest;
        let chunk = json!({ "upload_id": upload_id, "chunk_index": chunk_index, "base64_data": base64_data });
        request(CHUNK, chunk).await?;
        sent += length;
        observer.tell(Event::Upload { name: &name, sent, total });
    }
    let reply = request(FINISH, json!({ "upload_id": upload_id })).await?;
    let media_id = field(&reply, FINISH, "media_id")?;
    let kind = reply.text("type").unwrap_or_else(|| kind.as_str().to_owned());
    Ok(Uploaded { media_id, kind, created_at: reply.text("created_at"), answer: reply.answer })
}

fn field(reply: &Reply, cmd: &str, name: &str) -> Result<String, CallError> {
    reply.text(name).ok_or_else(|| CallError::foreign(format!("the answer to {cmd} holds no {name}")))
}
