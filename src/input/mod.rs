//! What there is to send, taken in: text made clean, JSON payloads, and attachments opened for upload.
//!
//! Reads arguments, files and stdin; does not look at settings, does not print and knows no network.
//! Only one thing can read stdin: that it is asked for once is the caller's to check.

mod attachment;
mod clean;
mod decode;
mod gap;
mod guess;
mod json;
mod lossy;
mod open;
mod payload;
mod spool;
mod text;

pub use attachment::{Attachment, HEAD_LEN, Reader};
pub use clean::clean;
pub use decode::Encoding;
pub use json::parse_json;
pub use open::is_stdin;
pub use payload::{MAX_PAYLOAD, read_payload, read_payload_from};
pub use spool::MAX_SPOOLED;
pub use text::{KEPT_AT_EACH_END, Text, TextOptions, TextSource, is_blank, read_text, read_text_from, unescape};
