//! media/upload (document path 90253) and webhook/upload_media (99110).

use std::cell::RefCell;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Map, json};

use super::super::multipart::{self, Part};
use super::super::node::{Checked, Notes, refuse};
use super::super::records::{MediaKind, Outcome, Route, Seen, Upload};
use super::super::world::{Home, Media, World};
use super::{Taken, app_of, webhook_of};

const MIB: usize = 1024 * 1024;

pub(super) fn upload(world: &mut World, seen: &Seen, notes: &RefCell<Notes>) -> Checked<Taken> {
    let app = app_of(world, seen)?;
    let Some(kind) = MediaKind::from_name(seen.parameter("type").unwrap_or_default()) else {
        return refuse(40005, "invalid file type");
    };
    store(world, seen, kind, Home::Corp(app.corp_id), Route::App { agent_id: app.agent_id.unwrap_or_default() }, notes)
}

pub(super) fn webhook_upload(world: &mut World, seen: &Seen, notes: &RefCell<Notes>) -> Checked<Taken> {
    let key = world.webhooks[webhook_of(world, seen)?].key.clone();
    match MediaKind::from_name(seen.parameter("type").unwrap_or_default()) {
        Some(kind @ (MediaKind::File | MediaKind::Voice)) => {
            store(world, seen, kind, Home::Webhook(key.clone()), Route::Webhook { key }, notes)
        }
        _ => refuse(40005, "invalid file type"),
    }
}

/// JPG or PNG by its first bytes.
pub(super) fn is_picture(bytes: &[u8]) -> bool {
    bytes.starts_with(b"\xff\xd8\xff") || bytes.starts_with(b"\x89PNG\r\n\x1a\n")
}

fn store(
    world: &mut World,
    seen: &Seen,
    kind: MediaKind,
    home: Home,
    route: Route,
    notes: &RefCell<Notes>,
) -> Checked<Taken> {
    let part = multipart::read(seen.header("content-type"), &seen.body, &mut notes.borrow_mut().complaints);
    let Some(part) = part.filter(|_| !seen.chunked) else {
        return refuse(44001, "empty media data");
    };
    check(kind, &part)?;
    let media_id = format!("test-media-{}-{:06}", kind.name(), world.next_serial());
    let filename = String::from_utf8_lossy(&part.filename).into_owned();
    world.media.push(Media { id: media_id.clone(), kind, home, filename, expired: false });
    let Part { filename, content_type, bytes } = part;
    let content_type = content_type.unwrap_or_default();
    let upload = Upload { route, kind, filename, content_type, bytes, media_id: media_id.clone() };
    world.uploads.push(upload.clone());
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let mut fields = Map::new();
    fields.insert("type".into(), json!(kind.name()));
    fields.insert("media_id".into(), json!(media_id));
    fields.insert("created_at".into(), json!(now.to_string()));
    Ok(Taken { fields, outcome: Outcome::Uploaded(Box::new(upload)) })
}

fn check(kind: MediaKind, part: &Part) -> Checked {
    let bytes = part.bytes.as_slice();
    if bytes.len() <= 5 {
        return refuse(40006, "invalid file size");
    }
    let (limit, too_large) = match kind {
        MediaKind::Image => (10 * MIB, 40009),
        MediaKind::Voice => (2 * MIB, 45001),
        MediaKind::Video => (10 * MIB, 40011),
        MediaKind::File => (20 * MIB, 45001),
    };
    if bytes.len() > limit {
        return refuse(too_large, format!("{} larger than {limit} bytes", kind.name()));
    }
    match kind {
        MediaKind::Image | MediaKind::Video if !fits_kind(kind, bytes) => refuse(40004, "invalid media file type"),
        MediaKind::Voice => match amr_seconds(bytes) {
            None => refuse(301_017, "voice must be amr"),
            Some(seconds) if seconds > 60.0 => refuse(45007, "voice longer than 60 s"),
            Some(_) => Ok(()),
        },
        _ => Ok(()),
    }
}

/// Whether these bytes begin as a file of that kind does.
pub(super) fn fits_kind(kind: MediaKind, bytes: &[u8]) -> bool {
    match kind {
        MediaKind::Image => is_picture(bytes),
        MediaKind::Video => bytes.get(4..8) == Some(b"ftyp"),
        MediaKind::Voice => amr_seconds(bytes).is_some(),
        MediaKind::File => true,
    }
}

/// How long an AMR file plays; `None` when it is none. A frame of either kind is 20 ms.
fn amr_seconds(bytes: &[u8]) -> Option<f64> {
    const NARROW: [usize; 16] = [12, 13, 15, 17, 19, 20, 26, 31, 5, 0, 0, 0, 0, 0, 0, 0];
    const WIDE: [usize; 16] = [17, 23, 32, 36, 40, 46, 50, 58, 60, 5, 0, 0, 0, 0, 0, 0];
    let narrow = bytes.strip_prefix(b"#!AMR\n").map(|frames| (frames, NARROW));
    let (mut frames, sizes) = narrow.or_else(|| Some((bytes.strip_prefix(b"#!AMR-WB\n")?, WIDE)))?;
    let mut count = 0.0;
    while let Some((head, rest)) = frames.split_first() {
        let size = sizes[usize::from(head >> 3 & 15)];
        frames = rest.get(size..).unwrap_or_default();
        count += 1.0;
    }
    Some(count * 0.02)
}
