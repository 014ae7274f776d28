//! Events of a command at work, for an observer that shows them. The library itself prints nothing.

use std::fmt;
use std::sync::Arc;

/// Something that happened while a command was at work.
#[derive(Debug)]
pub enum Event<'a> {
    /// One line that people are to see at once: what goes on while a command waits for somebody.
    Notice(String),
    /// One line of detail, for an observer that shows it: an attempt, a refresh, a cache that cannot be used.
    Detail(fmt::Arguments<'a>),
    /// Bytes of an upload handed over so far.
    Upload {
        /// The file's name, as the receiver will see it.
        name: &'a str,
        /// Bytes handed over.
        sent: u64,
        /// Bytes in all.
        total: u64,
    },
    /// Alerts of a batch that have ended.
    Batch {
        /// Those that went out, or wait safely.
        succeeded: u64,
        /// The others.
        failed: u64,
    },
}

/// Receives events; clones share one receiver.
#[derive(Clone)]
pub struct Observer(Arc<dyn Fn(Event<'_>) + Send + Sync>);

impl Observer {
    /// Hands every event to `receive`.
    pub fn new(receive: impl Fn(Event<'_>) + Send + Sync + 'static) -> Self {
        Self(Arc::new(receive))
    }

    /// Reports an event.
    pub fn tell(&self, event: Event<'_>) {
        (self.0)(event);
    }

    /// Reports what people are to see at once.
    pub fn notice(&self, line: impl Into<String>) {
        self.tell(Event::Notice(line.into()));
    }

    /// Reports one line of detail, which is made only where somebody shows it.
    pub fn detail(&self, line: impl fmt::Display) {
        self.tell(Event::Detail(format_args!("{line}")));
    }
}

impl fmt::Debug for Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Observer")
    }
}
