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

/// Uploads a file by requests that `request` makes of a `cmd` and a body, over any connection of the bot. A chunk that gets no
/// answer is sent once more: WeCom ignores what it has already.
///
/// # Errors
///
/// 846697 for a type of file that is not supported; [`CallError::Setup`] for a file that cannot be read, and for one
/// of more than 50 MB.
pub(crate) async fn upload_aibot(
    mut request: impl AsyncFnMut(&'static str, Value) -> Result<Reply, CallError>,
    kind: MediaKind,
    file: &Attachment,
    observer: &Observer,
) -> Result<Uploaded, CallError> {
    let name = media::wire_filename(&file.name);
    let total = file.size;
    let chunk_size = chunk_size(total).ok_or_else(|| {
        let message = format!("{name} has {total} bytes, more than the 50 MB that an aibot can upload");
        CallError::Setup(Error::usage(message, "compress or cut it, or send a link to it"))
    })?;
    let unreadable = |error: std::io::Error| {
        let hint = "nothing was sent; upload the file again when nobody writes to it";
        CallError::Setup(Error::config(format!("{name} could not be read to its end: {error}"), hint))
    };
    let reader = file.reader();
    let md5 = off_loop(move || Image::md5_of(reader)).await.map_err(CallError::Setup)?.map_err(unreadable)?;
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
        match request(CHUNK, chunk.clone()).await {
            // The upload goes on where it was, over another connection if need be: WeCom keeps it for 30 minutes.
            Err(CallError::Unreached { .. } | CallError::Silent { .. }) => request(CHUNK, chunk).await?,
            ended => ended?,
        };
        sent += length;
        observer.tell(Event::Upload { name: &name, sent, total });
    }
    let reply = request(FINISH, json!({ "upload_id": upload_id })).await?;
    let media_id = field(&reply, FINISH, "media_id")?;
    let kind = reply.text("type").unwrap_or_else(|| kind.as_str().to_owned());
    Ok(Uploaded { media_id, kind, created_at: reply.text("created_at"), answer: reply.answer })
}

/// The size of the chunks of a file, in bytes; `None` where too many would be needed.
fn chunk_size(total: u64) -> Option<u64> {
    let size = total.div_ceil(MOST_CHUNKS).max(SMALLEST_CHUNK);
    (size <= LARGEST_CHUNK).then_some(size)
}

fn field(reply: &Reply, cmd: &str, name: &str) -> Result<String, CallError> {
    reply.text(name).ok_or_else(|| CallError::foreign(format!("the answer to {cmd} holds no {name}")))
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::error::{Answer, Status};

    fn reply(fields: Value) -> Reply {
        let Value::Object(fields) = fields else { panic!("no object") };
        Reply { answer: Answer { errcode: 0, errmsg: "ok".to_owned() }, fields }
    }

    /// What a server would answer.
    fn taken(cmd: &str) -> Reply {
        reply(match cmd {
            INIT => json!({"upload_id": "u1"}),
            FINISH => json!({"type": "file", "media_id": "m1", "created_at": "1380000000"}),
            _ => json!({}),
        })
    }

    async fn upload(
        file: &Attachment,
        request: impl AsyncFnMut(&'static str, Value) -> Result<Reply, CallError>,
    ) -> (Result<Uploaded, CallError>, Vec<(u64, u64)>) {
        let told = Arc::new(Mutex::new(Vec::new()));
        let observer = {
            let told = Arc::clone(&told);
            Observer::new(move |event| {
                if let Event::Upload { sent, total, .. } = event {
                    told.lock().unwrap().push((sent, total));
                }
            })
        };
        let uploaded = upload_aibot(request, MediaKind::File, file, &observer).await;
        let told = told.lock().unwrap().clone();
        (uploaded, told)
    }

    fn file_of(length: usize) -> (Attachment, Vec<u8>) {
        let text: String = (0..length).map(|at| char::from(b'a' + (at % 23) as u8)).collect();
        (Attachment::of_text("磁盘\"report.txt", &text), text.into_bytes())
    }

    #[tokio::test]
    async fn the_chunks_are_the_file_in_its_order() {
        for (length, chunks) in [(1, 1), (128 * 1024, 1), (128 * 1024 + 1, 2), (20 * 1024 * 1024 + 17, 100)] {
            let (file, bytes) = file_of(length);
            let (mut joined, mut seen, mut init) = (Vec::new(), 0, Value::Null);
            let request = async |cmd: &'static str, body: Value| {
                match cmd {
                    INIT => init = body,
                    CHUNK => {
                        assert_eq!((&body["upload_id"], &body["chunk_index"]), (&json!("u1"), &json!(seen)));
                        let chunk = STANDARD.decode(body["base64_data"].as_str().unwrap()).unwrap();
                        assert!(!chunk.is_empty() && chunk.len() as u64 <= LARGEST_CHUNK);
                        joined.extend(chunk);
                        seen += 1;
                    }
                    other => assert_eq!((other, body), (FINISH, json!({"upload_id": "u1"}))),
                }
                Ok(taken(cmd))
            };
            let (uploaded, told) = upload(&file, request).await;
            let uploaded = uploaded.unwrap();
            assert_eq!((uploaded.media_id.as_str(), uploaded.kind.as_str()), ("m1", "file"));
            assert_eq!(uploaded.created_at.as_deref(), Some("1380000000"));
            assert!(joined == bytes && seen == chunks, "{length}: {seen}");
            let expected = json!({
                "type": "file", "filename": media::wire_filename("磁盘\"report.txt"), "total_size": length,
                "total_chunks": chunks, "md5": Image::md5_of(&bytes[..]).unwrap(),
            });
            assert_eq!(init, expected);
            assert_eq!((told.len(), told.last()), (chunks, Some(&(length as u64, length as u64))));
        }
    }

    #[test]
    fn the_largest_file_has_a_hundred_chunks() {
        for (total, size) in [
            (0, Some(SMALLEST_CHUNK)),
            (12 * 1024 * 1024, Some(SMALLEST_CHUNK)),
            (50 * 1024 * 1024, Some(LARGEST_CHUNK)),
            (50 * 1024 * 1024 + 1, None),
            (u64::MAX, None),
        ] {
            assert_eq!(chunk_size(total), size, "{total}");
        }
    }

    #[tokio::test]
    async fn a_larger_file_is_not_begun() {
        let mut file = file_of(8).0;
        file.size = 50 * 1024 * 1024 + 1;
        let error = upload(&file, async |_: &'static str, _: Value| unreachable!()).await.0.unwrap_err();
        let CallError::Setup(error) = error else { panic!("{error:?}") };
        assert!(error.status() == Status::Usage && error.message().contains("50 MB"), "{error}");
    }

    #[tokio::test]
    async fn an_answer_without_its_field_is_no_success() {
        let (file, _) = file_of(8);
        for cmd in [INIT, FINISH] {
            let request = async |asked: &'static str, _: Value| {
                Ok(if asked == cmd { reply(json!({"media_id": null})) } else { taken(asked) })
            };
            let error = upload(&file, request).await.0.unwrap_err();
            assert!(matches!(&error, CallError::Foreign(_)) && error.to_string().contains(cmd), "{error:?}");
        }
    }

    #[tokio::test]
    async fn a_chunk_without_an_answer_is_sent_once_more() {
        let silent = || CallError::Silent { what: "no answer".to_owned(), limit: None };
        let unreached = || CallError::Unreached { what: "no way".to_owned(), limit: None, refused_by: None };
        let refused = || CallError::Rejected(reply(json!({})));
        let (file, _) = file_of(300 * 1024);
        // The indices of the chunks as they are sent, those that fail and how, and whether the upload ends well.
        for (fails, sent, is_done) in [
            (vec![], vec![0, 1, 2], true),
            (vec![(1, silent())], vec![0, 1, 1, 2], true),
            (vec![(0, unreached()), (3, silent())], vec![0, 0, 1, 2, 2], true),
            (vec![(1, silent()), (2, unreached())], vec![0, 1, 1], false),
            (vec![(1, refused())], vec![0, 1], false),
        ] {
            let (mut fails, mut seen) = (fails, Vec::new());
            let request = async |cmd: &'static str, body: Value| {
                if cmd == CHUNK {
                    seen.push(body["chunk_index"].as_u64().unwrap());
                    if let Some(at) = fails.iter().position(|(nth, _)| *nth == seen.len() - 1) {
                        return Err(fails.remove(at).1);
                    }
                }
                Ok(taken(cmd))
            };
            let uploaded = upload(&file, request).await.0;
            assert_eq!((uploaded.is_ok(), seen), (is_done, sent));
        }
    }
}
