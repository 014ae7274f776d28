//! What happens along the way, told to whoever listens. The library itself prints nothing.

use std::fmt;
use std::sync::Arc;

/// Something that happened while a command was at work.
#[derive(Debug)]
pub enum Event<'a> {
    /// One line for the curious: an attempt, a refresh, a cache that cannot be used.
    Detail(String),
    /// Bytes of an upload handed over so far.
    Upload {
        /// The file's name, as the receiver will see it.
        name: &'a str,
        /// Bytes handed over.
        sent: u64,
        /// Bytes in all.
        total: u64,
    },
}

/// Somebody who listens; clones tell the same one.
#[derive(Clone)]
pub struct Observer(Arc<dyn Fn(Event<'_>) + Send + Sync>);

impl Observer {
    /// Hands every notice to `hear`.
    pub fn new(hear: impl Fn(Event<'_>) + Send + Sync + 'static) -> Self {
        Self(Arc::new(hear))
    }

    /// Tells of something that happened.
    pub fn tell(&self, notice: Event<'_>) {
        (self.0)(notice);
    }

    /// Tells one line.
    pub fn detail(&self, line: impl Into<String>) {
        self.tell(Event::Detail(line.into()));
    }
}

impl fmt::Debug for Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Observer")
    }
}
