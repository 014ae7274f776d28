//! Bodies and parts as they are put on their way, whatever they carry.

use serde::Serialize;
use serde_json::{Value, json};

use crate::error::{Error, Result};
use crate::input::Attachment;
use crate::message::Media;
use crate::message::media::MediaKind;
use crate::message::{Part, PartKind};

use super::draft::PENDING_MEDIA_ID;

/// The body of one message without anything around its content.
pub(super) fn body(msgtype: &str, content: &impl Serialize) -> Result<Value> {
    let content = serde_json::to_value(content)
        .map_err(|error| Error::defect(format!("a message of type {msgtype} cannot be written: {error}")))?;
    Ok(json!({ "msgtype": msgtype, msgtype: content }))
}

/// A part that is a file of its own, behind the message.
pub(super) fn attachment(body: Value, name: &str, file: Option<(MediaKind, Attachment)>) -> Part {
    Part { kind: PartKind::Attachment, body, file, name: Some(name.to_owned()) }
}

/// The content of a message that is about an uploaded file.
pub(super) fn pending_media() -> Media {
    Media { media_id: PENDING_MEDIA_ID.to_owned() }
}
