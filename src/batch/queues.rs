//! The lines that wait for their targets: a queue for each, in order. Some are in memory, what slow targets make wait beyond
//! that is in a temporary file.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};
use std::io;

use super::line::AlertLine;
use super::spill::{Chain, Spill};

/// How many lines wait in memory, for all targets together.
const MOST_LINES: usize = 1024;

/// How many bytes they had together.
const MOST_BYTES: usize = 4 << 20;

/// Names a target.
pub(super) type TargetKey = u64;

/// Where a line stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Position {
    /// Its place among the lines that were read.
    pub(super) sequence: u64,
    /// Its number in the input, which counts blank lines too.
    pub(super) number: u64,
}

/// A line that waited for its target.
pub(super) struct Waited {
    pub(super) position: Position,
    pub(super) line: LineForm,
}

/// How a line was kept.
pub(super) enum LineForm {
    Read(Box<AlertLine>),
    /// As it was written.
    Raw(Vec<u8>),
}

#[derive(Default)]
struct Queue {
    /// Each with the number of bytes that it had.
    lines: VecDeque<(Position, Box<AlertLine>, usize)>,
    /// Those behind them.
    spilled: Chain,
    /// Whether a message to the target is under way.
    is_busy: bool,
}

/// The queues of all targets for which there is something to do.
#[derive(Default)]
pub(super) struct Queues {
    queues: HashMap<TargetKey, Queue>,
    /// Targets whose first line may go.
    ready: VecDeque<TargetKey>,
    lines: usize,
    bytes: usize,
    spill: Spill,
}

impl Queues {
    /// Whether more lines may be read, however busy the targets are.
    pub(super) fn has_room(&self) -> bool {
        self.lines < MOST_LINES && self.bytes < MOST_BYTES
    }

    /// Puts a line behind those that wait for the same target. `bytes` are what it was read from. Fails, and gives the line
    /// back, where it cannot be written to the temporary file.
    pub(super) fn push(
        &mut self,
        key: TargetKey,
        position: Position,
        line: Box<AlertLine>,
        bytes: &[u8],
    ) -> Result<(), (io::Error, Box<AlertLine>)> {
        let has_room = self.has_room();
        let queue = self.queues.entry(key).or_default();
        let is_first = queue.lines.is_empty() && queue.spilled.is_empty();
        if has_room && queue.spilled.is_empty() {
            self.lines += 1;
            self.bytes += bytes.len();
            queue.lines.push_back((position, line, bytes.len()));
        } else if let Err(error) = self.spill.push(&mut queue.spilled, position.sequence, position.number, bytes) {
            self.forget_if_idle(key);
            return Err((error, line));
        }
        if is_first && !queue.is_busy {
            self.ready.push_back(key);
        }
        Ok(())
    }

    /// Takes out the first line of a target to which nothing is under way, which is so from now on.
    pub(super) fn start(&mut self) -> Option<(TargetKey, io::Result<Waited>)> {
        let key = self.ready.pop_front()?;
        let queue = self.queues.get_mut(&key)?;
        queue.is_busy = true;
        let line = self.take(key);
        Some((key, line?))
    }

    /// The message to a target has ended.
    pub(super) fn end(&mut self, key: TargetKey) {
        let Some(queue) = self.queues.get_mut(&key) else { return };
        queue.is_busy = false;
        if queue.lines.is_empty() && queue.spilled.is_empty() {
            self.queues.remove(&key);
        } else {
            self.ready.push_back(key);
        }
    }

    /// Drops a target whose lines cannot be read any more.
    pub(super) fn lose(&mut self, key: TargetKey) {
        self.queues.remove(&key);
    }

    /// All targets for which something waits or is under way.
    pub(super) fn targets(&self) -> Vec<TargetKey> {
        self.queues.keys().copied().collect()
    }

    /// Takes out the first line of a target.
    pub(super) fn take(&mut self, key: TargetKey) -> Option<io::Result<Waited>> {
        let queue = self.queues.get_mut(&key)?;
        if let Some((position, line, bytes)) = queue.lines.pop_front() {
            self.lines -= 1;
            self.bytes -= bytes;
            return Some(Ok(Waited { position, line: LineForm::Read(line) }));
        }
        match self.spill.pop(&mut queue.spilled) {
            Ok(spilled) => spilled.map(|spilled| {
                let position = Position { sequence: spilled.sequence, number: spilled.number };
                Ok(Waited { position, line: LineForm::Raw(spilled.bytes) })
            }),
            Err(error) => Some(Err(error)),
        }
    }

    fn forget_if_idle(&mut self, key: TargetKey) {
        if let Entry::Occupied(entry) = self.queues.entry(key)
            && entry.get().lines.is_empty()
            && entry.get().spilled.is_empty()
            && !entry.get().is_busy
        {
            entry.remove();
        }
    }
}
