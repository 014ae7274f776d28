//! What there is to send, taken in: text made clean, JSON payloads, and attachments opened for upload.
//!
//! Reads arguments, files and stdin; does not look at settings, does not print and knows no network.
//! Only one thing can read stdin: that it is asked for once is the caller's to check.

mod attachment;
mod clean;
mod decode;
mod gap;
mod guess;
mod lossy;
mod open;
mod payload;
mod spool;
mod text;

pub(crate) use attachment::Attachment;
pub(crate) use clean::clean;
pub use decode::Encoding;
pub(crate) use open::is_stdin;
pub(crate) use payload::read_payload;
pub(crate) use spool::MAX_SPOOLED;
pub(crate) use text::{TextOptions, TextSource, is_blank, read_text, read_text_from};
