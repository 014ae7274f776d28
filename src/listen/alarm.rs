//! Says things that anybody on the network can bring about: each kind once in a while.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::event::Observer;

/// The time between two warnings of one kind.
const QUIET: Duration = Duration::from_secs(60);

/// So many kinds are told apart. The others are one kind together.
const MOST_KINDS: usize = 64;

pub(super) struct Alarm {
    observer: Observer,
    /// When each kind was told last, and how often it came about since.
    told: Mutex<HashMap<String, (Instant, u64)>>,
}

impl Alarm {
    pub(super) fn new(observer: Observer) -> Self {
        Self { observer, told: Mutex::default() }
    }

    /// Says it, unless its kind was told just now.
    pub(super) fn tell(&self, kind: &str, line: String) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let mut kind = kind;
        if told.len() >= MOST_KINDS && !told.contains_key(kind) {
            told.retain(|_, (at, _)| now.saturating_duration_since(*at) < QUIET);
            if told.len() >= MOST_KINDS {
                kind = "";
            }
        }
        let more = match told.get_mut(kind) {
            Some((at, count)) if now.saturating_duration_since(*at) < QUIET => {
                *count += 1;
                return;
            }
            Some((_, count)) => *count,
            None => 0,
        };
        told.insert(kind.to_owned(), (now, 0));
        drop(told);
        let more = if more > 0 { format!(" ({more} more since the last time)") } else { String::new() };
        self.observer.notice(format!("{line}{more}"));
    }

    /// One line of detail.
    pub(super) fn detail(&self, line: String) {
        self.observer.detail(line);
    }
}
