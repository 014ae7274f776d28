//! What `batch` is asked to do.

use std::path::PathBuf;
use std::sync::Arc;

use serde_json::Value;
use tokio::sync::mpsc::Sender;

use crate::channel::Channel;
use crate::delivery::Outcome;
use crate::send::LoggedMessage;

/// How many requests are under way at once where nothing else is asked for.
pub(super) const JOBS: u16 = 16;

/// What to send, and how.
pub struct BatchRequest {
    /// The file with the lines; `None` is stdin.
    pub file: Option<PathBuf>,
    /// The route of lines that name none.
    pub route: Option<Channel>,
    /// How many requests may be under way at once.
    pub jobs: Option<u16>,
    /// Whether results keep the order of the lines.
    pub keep_order: bool,
    /// Whether lines may name files.
    pub allow_files: bool,
    /// Makes the line of a result, and records it where that is asked for.
    pub render: Arc<dyn Fn(LineResult) -> Vec<u8>>,
    /// Takes lines of results to be written; it is full while their reader is slow.
    pub results: Sender<Vec<u8>>,
}

/// What became of one line.
pub struct LineResult {
    /// What names it: its own id, else its number.
    pub id: Value,
    /// How it ended.
    pub outcome: Outcome,
    /// One sentence each.
    pub warnings: Vec<String>,
    /// What a log may record of it.
    pub logged: Option<LoggedMessage>,
    /// When it was begun.
    pub began: std::time::Instant,
    /// The file that gets a line for it.
    pub log_file: Option<PathBuf>,
}
