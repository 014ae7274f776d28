//! Lines for standard output that come one by one while a command is at work. A thread writes them: who reads slowly, or not
//! any more, holds nothing up.

use std::io::{self, Write};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use wecom_alert::listen::EventLines;

/// So many lines wait for the reader. More are lost.
const MOST: usize = 4096;

/// How long the reader has for what waits when the command ends.
const TO_END: Duration = Duration::from_secs(1);

/// The time between two looks whether it is all written.
const PAUSE: Duration = Duration::from_millis(5);

/// What writes the lines of this process.
static WRITER: Mutex<Option<(SyncSender<String>, JoinHandle<()>)>> = Mutex::new(None);

/// Takes lines for standard output.
pub(super) fn event_lines() -> EventLines {
    Arc::new(|line| {
        let mut writer = WRITER.lock().unwrap_or_else(PoisonError::into_inner);
        let (sender, _) = writer.get_or_insert_with(|| {
            let (sender, lines) = sync_channel(MOST);
            (sender, thread::spawn(move || write_all(&lines)))
        });
        // A reader that is behind by thousands of lines does not read.
        let _ = sender.try_send(line);
    })
}

/// Waits until all lines are written, for a second at most.
pub(super) fn finish_event_lines() {
    let writer = WRITER.lock().unwrap_or_else(PoisonError::into_inner).take();
    let Some((sender, thread)) = writer else { return };
    drop(sender);
    let until = Instant::now() + TO_END;
    while !thread.is_finished() && Instant::now() < until {
        thread::sleep(PAUSE);
    }
}

fn write_all(lines: &Receiver<String>) {
    let mut stdout = io::stdout();
    let mut is_read = true;
    for line in lines {
        // Without a reader events are handled all the same.
        is_read = is_read && stdout.write_all(format!("{line}\n").as_bytes()).and_then(|()| stdout.flush()).is_ok();
    }
}
