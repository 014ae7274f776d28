//! The results of a batch: a line of JSON each, written to standard output by a thread, so that a slow reader holds up only
//! what waits for him.

use std::ffi::OsString;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use tokio::sync::mpsc::{Receiver, Sender, channel};

use wecom_alert::batch::LineResult;
use wecom_alert::secret::Mask;
use wecom_alert::store;

use super::{document, json};

/// How long the reader has for the last lines when the command ends.
const TO_END: Duration = Duration::from_secs(10);

/// The time between two looks whether all is written.
const PAUSE: Duration = Duration::from_millis(2);

/// What writes the results of this process, and why it could not.
static WRITER: Mutex<Option<JoinHandle<Option<io::Error>>>> = Mutex::new(None);

/// Takes lines of results. Only one piece of them waits: what comes meanwhile is put together.
pub(super) fn result_lines() -> Sender<Vec<u8>> {
    let (sender, lines) = channel(1);
    let writer = thread::Builder::new().spawn(move || write_all(lines));
    *WRITER.lock().unwrap_or_else(PoisonError::into_inner) = writer.ok();
    sender
}

/// Waits until all is written, in bounded time. Returns why it could not be; that nobody reads is no error.
pub(super) fn finish_result_lines() -> Option<io::Error> {
    let writer = WRITER.lock().unwrap_or_else(PoisonError::into_inner).take()?;
    let until = Instant::now() + TO_END;
    while !writer.is_finished() {
        if Instant::now() >= until {
            return Some(io::Error::new(io::ErrorKind::TimedOut, "nobody reads it"));
        }
        thread::sleep(PAUSE);
    }
    writer.join().ok().flatten().filter(|error| error.kind() != io::ErrorKind::BrokenPipe)
}

fn write_all(mut lines: Receiver<Vec<u8>>) -> Option<io::Error> {
    let mut stdout = io::stdout().lock();
    let mut failed = None;
    while let Some(piece) = lines.blocking_recv() {
        // Without a reader alerts go out all the same.
        if failed.is_none() {
            failed = stdout.write_all(&piece).and_then(|()| stdout.flush()).err();
        }
    }
    failed
}

/// Makes the line of a result, and writes that of the log file.
pub(super) fn render(mask: Mask, arguments: Vec<OsString>) -> Arc<dyn Fn(LineResult) -> Vec<u8>> {
    Arc::new(move |mut result| {
        if let Some(path) = &result.log_file {
            let message = json::logged_message(&result.outcome, Some("batch"), &arguments, &mask);
            let line = json::log_line(Some("batch"), &result.outcome, result.logged.as_ref(), result.began, message);
            if let Err(error) = store::append_line(path, &line) {
                result.warnings.push(format!("the log file {} cannot be written: {error}", path.display()));
            }
        }
        document::batch_line(&result.id, &result.outcome, &result.warnings, &mask).into_bytes()
    })
}
