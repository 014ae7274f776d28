//! What the page shows, as server-sent events: a history of limited length, which each viewer reads at their own pace.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;

use crate::fake::wire::Conn;

/// The history that somebody sees who comes later.
const MOST_EVENTS: usize = 2000;
const MOST_BYTES: usize = 32 * 1024 * 1024;

/// How much goes out at a time.
const MOST_AT_ONCE: usize = 256 * 1024;

/// How often something goes out to viewers, so that it shows when they have left.
const SIGN_OF_LIFE: Duration = Duration::from_secs(10);

/// All events of one run.
pub(super) struct Feed {
    /// Distinguishes this run's numbers from those of the one before at the same address.
    run: String,
    log: Mutex<Log>,
    news: Condvar,
}

#[derive(Default)]
struct Log {
    /// Each as it goes out, but for its number: the newest has the number `count`.
    events: VecDeque<Arc<str>>,
    count: u64,
    bytes: usize,
    state: Arc<str>,
    /// How often the state has changed.
    changes: u64,
}

impl Feed {
    pub(super) fn new(run: String) -> Self {
        Self { run, log: Mutex::default(), news: Condvar::new() }
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn add(&self, name: &str, data: &Value) {
        let event: Arc<str> = format!("event: {name}\ndata: {data}\n\n").into();
        let mut log = self.log();
        log.count += 1;
        log.bytes += event.len();
        log.events.push_back(event);
        while log.events.len() > MOST_EVENTS || log.bytes > MOST_BYTES && log.events.len() > 1 {
            log.bytes -= log.events.pop_front().map_or(0, |event| event.len());
        }
        self.news.notify_all();
    }

    /// Tells of the state if it is another one: only the latest counts.
    pub(super) fn set_state(&self, state: &Value) {
        let state = format!("event: state\ndata: {state}\n\n");
        let mut log = self.log();
        if *log.state != *state {
            log.state = state.into();
            log.changes += 1;
            self.news.notify_all();
        }
    }

    /// Sends all that comes after the event of that id, until the viewer leaves: an error ends it.
    pub(super) fn stream(&self, conn: &mut Conn, last_id: &str) -> io::Result<()> {
        let mut text = String::from(
            "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-store\r\n\
             Cross-Origin-Resource-Policy: same-origin\r\nConnection: close\r\n\r\nretry: 1000\n\n",
        );
        let mut seen = 0;
        match last_id.split_once('-') {
            Some((run, number)) if run == self.run => seen = number.parse().unwrap_or_default(),
            // This page is of another run: its token is no longer good.
            Some(_) => text += "event: restart\ndata: 1\n\n",
            None => {}
        }
        let mut changes = 0;
        loop {
            conn.send(text.as_bytes())?;
            text.clear();
            let log = self.log();
            let is_idle = |log: &mut Log| log.count == seen && log.changes == changes;
            let waited = self.news.wait_timeout_while(log, SIGN_OF_LIFE, is_idle);
            let log = waited.unwrap_or_else(PoisonError::into_inner).0;
            let first = log.count - log.events.len() as u64;
            seen = seen.clamp(first, log.count);
            let missed = usize::try_from(seen - first).unwrap_or_default();
            for event in log.events.iter().skip(missed) {
                if text.len() > MOST_AT_ONCE {
                    break;
                }
                seen += 1;
                let _ = write!(text, "id: {}-{seen}\n{event}", self.run);
            }
            if changes != log.changes {
                changes = log.changes;
                text += &log.state;
            }
            if text.is_empty() {
                text += ":\n\n";
            }
        }
    }
}
