//! Files on an aibot's connection (document path 101463): announced, sent in chunks, put together.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest as _, Md5};
use serde_json::{Map, json};

use super::super::aibot::{Bot, UploadSession};
use super::super::node::{Checked, Node, Notes, refuse};
use super::super::records::{MediaKind, Outcome, Route, Seen, Upload};
use super::super::world::{Home, Media, World};
use super::aibot::bot_of;
use super::media::fits_kind;
use super::{Taken, body_of};

const CHUNK_LIMIT: usize = 512 * 1024;
const CHUNKS_LIMIT: i64 = 100;
const SIZE_LIMIT: i64 = 50 * 1024 * 1024;
const SESSION_LIFETIME: Duration = Duration::from_secs(30 * 60);

pub(super) fn init(world: &mut World, seen: &Seen, notes: &RefCell<Notes>) -> Checked<Taken> {
    let index = bot_of(world, seen)?;
    let map = body_of(seen)?;
    let body = Node::root(&map, notes);
    body.only(&["type", "filename", "total_size", "total_chunks", "md5"]);
    let Some(kind) = body.text("type").and_then(MediaKind::from_name) else {
        return refuse(846_697, "file type not supported");
    };
    let filename = body.filled("filename", 40058)?.to_owned();
    let (size, count) = (body.int("total_size").unwrap_or_default(), body.int("total_chunks").unwrap_or_default());
    if !(1..=SIZE_LIMIT).contains(&size) {
        return refuse(40058, format!("total_size is not between 1 and {SIZE_LIMIT}"));
    }
    if !(1..=CHUNKS_LIMIT).contains(&count) {
        return refuse(40058, format!("total_chunks is not between 1 and {CHUNKS_LIMIT}"));
    }
    let (total_size, total_chunks) = (size as usize, count as usize);
    if total_chunks * CHUNK_LIMIT < total_size || total_chunks > total_size {
        return refuse(40058, "total_chunks does not go with total_size");
    }
    let md5 = body.filled("md5", 40058)?.to_owned();
    if md5.len() != 32 || !md5.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return refuse(40058, "md5 is not 32 hexadecimal digits");
    }
    let id = format!("test-upload-{:06}", world.next_serial());
    let bot = &mut world.aibots.bots[index];
    if !take_upload(bot) {
        return refuse(45009, "api freq out of limit");
    }
    bot.sessions.push(UploadSession {
        id: id.clone(),
        kind,
        filename,
        total_size,
        total_chunks,
        md5: md5.to_ascii_lowercase(),
        chunks: BTreeMap::new(),
        began: Instant::now(),
        media_id: None,
    });
    let fields = Map::from_iter([("body".to_owned(), json!({"upload_id": id}))]);
    Ok(Taken { fields, outcome: Outcome::Noted })
}

/// Chunks may come in any order; one that is there already is taken and forgotten.
pub(super) fn chunk(world: &mut World, seen: &Seen, notes: &RefCell<Notes>) -> Checked<Taken> {
    let index = bot_of(world, seen)?;
    let map = body_of(seen)?;
    let body = Node::root(&map, notes);
    body.only(&["upload_id", "chunk_index", "base64_data"]);
    let session = session(&mut world.aibots.bots[index], &body)?;
    let Some(at) = body.int("chunk_index").and_then(|at| usize::try_from(at).ok()) else {
        return refuse(846_612, "invalid chunk_index");
    };
    if at >= session.total_chunks {
        return refuse(846_612, "chunk_index out of range");
    }
    let Ok(bytes) = STANDARD.decode(body.filled("base64_data", 40063)?) else {
        return refuse(40058, "base64_data is not base64");
    };
    if bytes.len() > CHUNK_LIMIT {
        return refuse(846_613, "chunk too large");
    }
    session.chunks.entry(at).or_insert(bytes);
    Ok(Taken { fields: Map::new(), outcome: Outcome::Noted })
}

/// Finished twice gives the same file: an answer may have been lost. Which code a wrong md5 gets is published nowhere.
pub(super) fn finish(world: &mut World, seen: &Seen, notes: &RefCell<Notes>) -> Checked<Taken> {
    let index = bot_of(world, seen)?;
    let map = body_of(seen)?;
    let body = Node::root(&map, notes);
    body.only(&["upload_id"]);
    let serial = world.next_serial();
    let bot_id = world.aibots.bots[index].id.clone();
    let session = session(&mut world.aibots.bots[index], &body)?;
    if session.chunks.len() < session.total_chunks {
        return refuse(846_616, "chunks missing");
    }
    let kind = session.kind;
    let fields = |media_id: &str| {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let body = json!({"type": kind.name(), "media_id": media_id, "created_at": now.to_string()});
        Map::from_iter([("body".to_owned(), body)])
    };
    if let Some(media_id) = &session.media_id {
        return Ok(Taken { fields: fields(media_id), outcome: Outcome::Noted });
    }
    let bytes = session.chunks.values().flatten().copied().collect::<Vec<_>>();
    if bytes.len() != session.total_size {
        return refuse(40058, "the chunks are not total_size together");
    }
    let md5: String = Md5::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    if md5 != session.md5 {
        return refuse(40058, "md5 does not match");
    }
    if !fits_kind(kind, &bytes) {
        return refuse(846_697, "file type not supported");
    }
    let media_id = format!("test-media-{}-{serial:06}", kind.name());
    session.media_id = Some(media_id.clone());
    let filename = session.filename.clone();
    // What was put together is kept once.
    session.chunks.values_mut().for_each(|chunk| *chunk = Vec::new());
    let home = Home::Aibot(bot_id.clone());
    world.media.push(Media { id: media_id.clone(), kind, home, filename: filename.clone(), expired: false });
    let upload = Upload {
        route: Route::Aibot { bot_id, chat: String::new(), is_group: false },
        kind,
        filename: filename.into_bytes(),
        content_type: String::new(),
        bytes,
        media_id: media_id.clone(),
    };
    world.uploads.push(upload.clone());
    Ok(Taken { fields: fields(&media_id), outcome: Outcome::Uploaded(Box::new(upload)) })
}

fn session<'a>(bot: &'a mut Bot, body: &Node) -> Checked<&'a mut UploadSession> {
    let id = body.text("upload_id").unwrap_or_default();
    let is_open = |session: &&mut UploadSession| session.id == id && session.began.elapsed() < SESSION_LIFETIME;
    match bot.sessions.iter_mut().find(is_open) {
        Some(session) => Ok(session),
        None => refuse(846_611, "invalid upload_id"),
    }
}

/// Counts one upload; whether the limit allows it.
fn take_upload(bot: &mut Bot) -> bool {
    let Some((count, period)) = bot.upload_limit else { return true };
    bot.uploads_taken.retain(|at| at.elapsed() < period);
    let is_free = bot.uploads_taken.len() < count;
    if is_free {
        bot.uploads_taken.push(Instant::now());
    }
    is_free
}
