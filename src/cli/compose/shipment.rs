//! Bodies and parts as they are put on their way, whatever they carry.

use serde::Serialize;
use serde_json::{Value, json};

use wecom_alert::delivery::{PartKind, Shipment};
use wecom_alert::error::{Error, Result};
use wecom_alert::input::Attachment;
use wecom_alert::message::Media;
use wecom_alert::message::media::MediaKind;

use super::draft::PENDING_MEDIA_ID;

/// The body of one message without anything around its content.
pub(super) fn body(msgtype: &str, content: &impl Serialize) -> Result<Value> {
    let content = serde_json::to_value(content)
        .map_err(|error| Error::defect(format!("a message of type {msgtype} cannot be written: {error}")))?;
    Ok(json!({ "msgtype": msgtype, msgtype: content }))
}

/// A part that is a file of its own, behind the message.
pub(super) fn attachment(body: Value, name: &str, media: Option<(MediaKind, Attachment)>) -> Shipment {
    Shipment { kind: PartKind::Attachment, body, name: Some(name.to_owned()), media }
}

/// The content of a message that is about an uploaded file.
pub(super) fn pending_media() -> Media {
    Media { media_id: PENDING_MEDIA_ID.to_owned() }
}
